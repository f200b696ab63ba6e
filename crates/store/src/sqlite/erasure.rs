//! Erasing what is kept of one person or one endpoint.
//!
//! Bodies and names stand in JSON that has no index, so what is theirs is found by walking over the
//! numbers of everything, a page at a time. An event goes together with all its deliveries, wherever
//! their numbers are.

use std::collections::BTreeSet;

use async_trait::async_trait;
use hookyard_domain::kernel::erasure::{ErasedMessage, ErasureCounts, ErasureSubject};
use hookyard_domain::kernel::news::NewsItem;
use hookyard_domain::kernel::ports::{Erasures, StoreError};
use hookyard_domain::{
    AccountId, DeliveryId, ErasureWrite, JobId, Message, PersonId, PostContent, SubscriptionId,
};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use uuid::Uuid;

use super::error::Fault;
use super::first_requests;
use super::query::{execute, many, one, unreadable};
use crate::records::{
    ContentRecord, CorrespondentRecord, CorrespondentsRecord, from_json, to_json,
};
use crate::sqlite::SqliteStore;
use crate::sqlite::messaging::messages;
use crate::sqlite::row::Transaction;

/// Numbers above the first, up to the second.
type Range = (u64, u64);

/// What is theirs in a range of numbers.
#[derive(Debug, Default)]
struct Found {
    events: Vec<i64>,
    deliveries: BTreeSet<i64>,
    /// What posts come to.
    posts: Vec<(i64, PostContent)>,
    /// What messages come to.
    messages: Vec<(i64, ErasedMessage)>,
}

/// The end of a page: no table has more than `limit` rows after `after` up to it. `None` when no
/// table has that many.
pub(super) fn page(db: &Connection, after: u64, limit: u32) -> Result<Option<u64>, Fault> {
    let mut end: Option<i64> = None;
    for sql in [
        "select id from events where id > ?1 order by id limit 1 offset ?2",
        "select id from deliveries where id > ?1 order by id limit 1 offset ?2",
        "select id from posts where id > ?1 order by id limit 1 offset ?2",
        "select id from messages where id > ?1 order by id limit 1 offset ?2",
    ] {
        let values = params![signed(after), limit.saturating_sub(1)];
        let last: Option<i64> = one(db, sql, values, |row| row.get(0))?;
        end = end.into_iter().chain(last).min();
    }
    Ok(end.map(i64::cast_unsigned))
}

/// How much there is.
pub(super) fn counts(
    db: &Connection,
    account: AccountId,
    subject: ErasureSubject,
    range: Range,
) -> Result<ErasureCounts, Fault> {
    let found = find(db, account, subject, range)?;
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    Ok(ErasureCounts {
        events: count(found.events.len()),
        deliveries: count(found.deliveries.len()),
        posts: count(found.posts.len()),
        messages: count(found.messages.len()),
    })
}

/// Erases it; tells which deliveries were waiting.
pub(super) fn erase(
    db: &Connection,
    account: AccountId,
    subject: ErasureSubject,
    range: Range,
) -> Result<Vec<(SubscriptionId, DeliveryId)>, Fault> {
    let found = find(db, account, subject, range)?;
    let mut withdrawn = Vec::new();
    for delivery in found.deliveries {
        withdrawn.extend(delete_delivery(db, delivery)?);
    }
    for event in found.events {
        execute(db, "delete from publications where event_id = ?1", [event])?;
        execute(db, "delete from events where id = ?1", [event])?;
    }
    // Whoever wrote or read something may have been answered with it.
    first_requests::forget_answers(db, account)?;
    for (post, left) in found.posts {
        let left = to_json(&ContentRecord::from(&left));
        let sql = "update posts set content = ?2, version = version + 1 where id = ?1";
        execute(db, sql, params![post, left])?;
    }
    for (message, left) in found.messages {
        match left {
            ErasedMessage::Gone => execute(db, "delete from messages where id = ?1", [message])?,
            ErasedMessage::Changed(left) => rewrite(db, &left)?,
        };
    }
    Ok(withdrawn)
}

/// Deletes a delivery with its attempts; tells if it was waiting.
fn delete_delivery(
    db: &Connection,
    delivery: i64,
) -> Result<Option<(SubscriptionId, DeliveryId)>, Fault> {
    execute(
        db,
        "delete from attempts where delivery_id = ?1",
        [delivery],
    )?;
    let sql = "delete from late_deliveries where delivery_id = ?1
        and event_id = (select event_id from deliveries where id = ?1)";
    execute(db, sql, [delivery])?;
    let sql = "delete from deliveries where id = ?1 returning state, subscription_id";
    let gone = one(db, sql, [delivery], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, [u8; 16]>(1)?))
    })?;
    Ok(gone.filter(|(state, _)| state == "waiting").map(|(_, id)| {
        let subscription = SubscriptionId(Uuid::from_bytes(id));
        (subscription, DeliveryId::from_i64(delivery))
    }))
}

fn rewrite(db: &Connection, message: &Message) -> Result<usize, Fault> {
    let sql = "update messages set text = ?2, sender = ?3, receivers = ?4, version = ?5
        where id = ?1";
    let values = params![
        message.id.as_i64(),
        message.text,
        to_json(&CorrespondentRecord::from(&message.from)),
        to_json(&CorrespondentsRecord::from(&message.to)),
        message.version.cast_signed(),
    ];
    execute(db, sql, values)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn find(
    db: &Connection,
    account: AccountId,
    subject: ErasureSubject,
    range: Range,
) -> Result<Found, Fault> {
    let mut found = match subject {
        ErasureSubject::Person(person) => of_person(db, account, person, range)?,
        ErasureSubject::Endpoint(endpoint) => of_endpoint(db, account, endpoint, range)?,
    };
    for event in &found.events {
        let sql = "select d.id from events e join deliveries d
                on d.id between e.delivery_first and e.delivery_last and d.event_id = e.id
            where e.id = ?1
            union all select delivery_id from late_deliveries where event_id = ?1";
        let caused: Vec<i64> = many(db, sql, [event], |row| row.get(0))?;
        found.deliveries.extend(caused);
    }
    Ok(found)
}

fn ids(db: &Connection, sql: &str, values: &[Value]) -> Result<Vec<i64>, Fault> {
    many(db, sql, params_from_iter(values), |row| row.get(0))
}

fn of_endpoint(
    db: &Connection,
    account: AccountId,
    endpoint: SubscriptionId,
    (after, last): Range,
) -> Result<Found, Fault> {
    // That an endpoint was deleted is told to the end.
    let events = "select id from events where account_id = ?1 and id > ?2 and id <= ?3
        and (audience = '\"' || ?4 || '\"' or case
            when kind = 'hookyard' and sealed = 0 and event_type <> 'endpoint.deleted'
            then json_extract(cast(body as text), '$.id') = ?4 end)";
    let deliveries = "select id from deliveries where account_id = ?1 and id > ?2 and id <= ?3
        and subscription_id = ?4";
    let bounds = [
        Value::from(account.as_i64()),
        Value::from(signed(after)),
        Value::from(signed(last)),
    ];
    let with = |value: Value| [&bounds[..], &[value]].concat();
    let id = endpoint.0.as_bytes().to_vec();
    Ok(Found {
        events: ids(db, events, &with(Value::from(endpoint.to_string())))?,
        deliveries: ids(db, deliveries, &with(Value::from(id)))?
            .into_iter()
            .collect(),
        ..Found::default()
    })
}

fn of_person(
    db: &Connection,
    account: AccountId,
    person: PersonId,
    (after, last): Range,
) -> Result<Found, Fault> {
    // What is told to nobody else is about them; but that they are gone holds only their number,
    // and is told to the end. Bodies are only read where they are JSON.
    let events = "select id from events where account_id = ?1 and id > ?2 and id <= ?3
        and not (kind = 'extension' and event_type = 'Delete')
        and (audience = '[' || ?4 || ']'
            or exists (select 1 from posts p
                where p.id = post_id and p.creator_id = cast(?4 as integer))
            or case
            when kind not in ('post', 'instant-message') or sealed <> 0
                or instr(cast(body as text), ?4) = 0 then 0
            else json_extract(cast(body as text), '$.creatorId') = ?4
                or json_extract(cast(body as text), '$.from.extensionId') = ?4
                or exists (select 1 from json_tree(cast(body as text)) part
                    where part.atom = ?4 and (part.key = 'id' and part.path like '$.mentions[%'
                        or part.key = 'extensionId' and part.path like '$.to[%'))
            end)";
    // Subscriptions that are gone have left their history.
    let deliveries = "select id from deliveries where account_id = ?1 and id > ?2 and id <= ?3
        and subscription_id in (select h.subscription_id from subscription_history h
            where h.account_id = ?1 and h.owner_id = ?4
                and not exists (select 1 from subscriptions s where s.id = h.subscription_id))";
    let bounds = [
        Value::from(account.as_i64()),
        Value::from(signed(after)),
        Value::from(signed(last)),
    ];
    let with = |value: Value| [&bounds[..], &[value]].concat();
    let number = with(Value::from(person.as_i64()));
    let text = with(Value::from(person.to_string()));
    Ok(Found {
        events: ids(db, events, &text)?,
        deliveries: ids(db, deliveries, &number)?.into_iter().collect(),
        posts: posts_of(db, person, &number)?,
        messages: messages_of(db, person, &number)?,
    })
}

fn posts_of(
    db: &Connection,
    person: PersonId,
    values: &[Value],
) -> Result<Vec<(i64, PostContent)>, Fault> {
    let sql = "select id, creator_id, content from posts
        where account_id = ?1 and id > ?2 and id <= ?3
            and (creator_id = ?4 or instr(content, '\"' || ?4 || '\"') > 0)";
    let found = many(db, sql, params_from_iter(values), |row| {
        let content: String = row.get(2)?;
        let content = from_json::<ContentRecord<'_>, PostContent>(content)
            .ok_or_else(|| unreadable(2, "the content of a post"))?;
        let author = PersonId::from_i64(row.get(1)?);
        let id: i64 = row.get(0)?;
        Ok(content.without(person, author).map(|left| (id, left)))
    })?;
    Ok(found.into_iter().flatten().collect())
}

fn messages_of(
    db: &Connection,
    person: PersonId,
    values: &[Value],
) -> Result<Vec<(i64, ErasedMessage)>, Fault> {
    let sql = messages::select_message!(
        " from messages where account_id = ?1 and id > ?2 and id <= ?3 and (owner_id = ?4
            or instr(sender, '\"' || ?4 || '\"') > 0 or instr(receivers, '\"' || ?4 || '\"') > 0)"
    );
    let found = many(db, sql, params_from_iter(values), |row| {
        let message = messages::read(row)?;
        Ok(message
            .without(person)
            .map(|left| (message.id.as_i64(), left)))
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// Takes away what a person could sign in with, and their presence.
pub(super) fn personals(
    db: &Connection,
    account: AccountId,
    person: PersonId,
) -> Result<(), Fault> {
    for sql in [
        "delete from passwords where person_id = ?2
            and exists (select 1 from persons where id = ?2 and account_id = ?1)",
        "delete from sign_in_codes where account_id = ?1 and person_id = ?2",
        "delete from sessions where account_id = ?1 and person_id = ?2",
        "delete from credentials where account_id = ?1 and person_id = ?2",
        "delete from presences where account_id = ?1 and person_id = ?2",
    ] {
        execute(db, sql, params![account.as_i64(), person.as_i64()])?;
    }
    Ok(())
}

/// Erases what has no numbers.
pub(super) fn rest(
    db: &Connection,
    account: AccountId,
    subject: ErasureSubject,
    job: JobId,
) -> Result<(), Fault> {
    match subject {
        ErasureSubject::Person(person) => {
            // Endpoints are the account's, and so is what happened to them.
            let sql = "delete from subscription_history where account_id = ?1 and owner_id = ?2
                and not exists (select 1 from subscriptions s where s.id = subscription_id)";
            execute(db, sql, params![account.as_i64(), person.as_i64()])?;
        }
        ErasureSubject::Endpoint(endpoint) => {
            let id = endpoint.0.as_bytes();
            let sql = "delete from subscription_history
                where account_id = ?1 and subscription_id = ?2";
            execute(db, sql, params![account.as_i64(), id])?;
            let sql = "delete from jobs
                where account_id = ?1 and subscription_id = ?2 and id <> ?3";
            execute(db, sql, params![account.as_i64(), id, job.as_i64()])?;
        }
    }
    Ok(())
}

/// Applies what erasing writes.
pub(super) fn write(tx: &mut Transaction<'_>, write: &ErasureWrite) -> Result<(), Fault> {
    match write {
        ErasureWrite::Erase {
            account,
            subject,
            after,
            last,
        } => {
            for (subscription, delivery) in erase(tx.db, *account, *subject, (*after, *last))? {
                let withdrawn = NewsItem::DeliveryWithdrawn(subscription, delivery);
                tx.scope.news.push(withdrawn);
            }
            Ok(())
        }
        ErasureWrite::Rest {
            account,
            subject,
            job,
        } => rest(tx.db, *account, *subject, *job),
    }
}

#[async_trait]
impl Erasures for SqliteStore {
    async fn erasable(
        &self,
        account: AccountId,
        subject: ErasureSubject,
        after: u64,
        last: u64,
    ) -> Result<ErasureCounts, StoreError> {
        self.read(move |db, _| counts(db, account, subject, (after, last)))
            .await
    }

    async fn erasure_page(&self, after: u64, limit: u32) -> Result<Option<u64>, StoreError> {
        self.read(move |db, _| page(db, after, limit)).await
    }
}
