//! Events: appended, never changed.

pub(super) mod custom_types;
pub(super) mod names;
pub(super) mod publications;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use hookyard_domain::kernel::ports::{EventQuery, Events, StoreError};
use hookyard_domain::{
    AccountId, Attributes, Audience, ChatId, DeliveryId, Event, EventId, EventKind, IdSequence,
    PostId, RequestId, Timestamp, TypePattern,
};
use rusqlite::{Connection, Row, params};

use super::error::Fault;
use super::query::{execute, many, one, unreadable};
use crate::records::{AttributesRecord, AudienceRecord, from_json, to_json};
use crate::sqlite::SqliteStore;
use crate::vault::Vault;

const PLACE: &str = "events.body";

/// What is JSON, sealed or hashed in the row of an event.
#[derive(Debug)]
pub(super) struct Columns {
    audience: Option<String>,
    attributes: Option<String>,
    sealed: Option<Vec<u8>>,
    /// Of an event that was published with an id.
    digest: Option<[u8; 32]>,
}

pub(super) fn encode(vault: &Vault, event: &Event) -> Columns {
    let audience = AudienceRecord::of(&event.audience);
    let attributes = event.attributes.as_deref();
    Columns {
        audience: audience.map(|audience| to_json(&audience)),
        attributes: attributes.map(|said| to_json(&AttributesRecord::from(said))),
        sealed: event.confidential.then(|| vault.seal(PLACE, &event.body)),
        digest: event.publication().map(|_| event.digest()),
    }
}

/// Appends an event. `deliveries` is the range of ids of what it caused.
pub(super) fn put(
    db: &Connection,
    event: &Event,
    columns: &Columns,
    deliveries: Option<(DeliveryId, DeliveryId)>,
) -> Result<(), Fault> {
    let sql = "insert into events (id, account_id, kind, event_type, audience, chat_id, post_id,
            request_id, occurred_at, body, sealed, delivery_first, delivery_last, attributes)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let chat = match event.audience {
        Audience::ChatMembers(chat) => Some(chat),
        _ => event.chat,
    };
    let values = params![
        event.id.as_i64(),
        event.account.as_i64(),
        event.kind.name(),
        event.event_type.as_ref(),
        columns.audience,
        chat.map(ChatId::as_i64),
        event.post.map(PostId::as_i64),
        event.request.map(RequestId::as_i64),
        event.occurred_at.as_millis(),
        columns.sealed.as_deref().unwrap_or(&event.body),
        event.confidential,
        deliveries.map(|(first, _)| first.as_i64()),
        deliveries.map(|(_, last)| last.as_i64()),
        columns.attributes,
    ];
    execute(db, sql, values)?;
    match columns.digest {
        Some(digest) => publications::claim(db, event, digest),
        None => Ok(()),
    }
}

/// Columns that [`read`] wants, in its order, from a table called `e`.
macro_rules! event_columns {
    () => {
        "e.id, e.account_id, e.kind, e.event_type, e.audience, e.chat_id, e.post_id, e.request_id,
            e.occurred_at, e.body, e.sealed, e.attributes"
    };
}
pub(super) use event_columns;

/// Reads the event in columns `at..at + 12`.
pub(super) fn read(vault: &Vault, row: &Row<'_>, at: usize) -> rusqlite::Result<Event> {
    let kind: String = row.get(at + 2)?;
    let event_type: String = row.get(at + 3)?;
    let audience: Option<String> = row.get(at + 4)?;
    let chat = row.get::<_, Option<i64>>(at + 5)?.map(ChatId::from_i64);
    let stored: Vec<u8> = row.get(at + 9)?;
    let confidential: bool = row.get(at + 10)?;
    let attributes: Option<String> = row.get(at + 11)?;
    let attributes = attributes
        .map(|text| {
            let said = from_json::<AttributesRecord<'_>, Attributes>(text);
            said.map(Arc::new)
                .ok_or_else(|| unreadable(at + 11, "the attributes of an event"))
        })
        .transpose()?;
    let body = if confidential {
        vault
            .open(PLACE, &stored)
            .ok_or_else(|| unreadable(at + 9, "a sealed event"))?
    } else {
        stored
    };
    let audience = match (audience, chat) {
        (Some(text), _) => {
            from_json::<AudienceRecord, _>(text).ok_or_else(|| unreadable(at + 4, "an audience"))?
        }
        (None, Some(chat)) => Audience::ChatMembers(chat),
        (None, None) => return Err(unreadable(at + 5, "an audience")),
    };
    Ok(Event {
        id: EventId::from_i64(row.get(at)?),
        account: AccountId::from_i64(row.get(at + 1)?),
        kind: EventKind::from_name(&kind)
            .ok_or_else(|| unreadable(at + 2, "the kind of an event"))?,
        event_type: event_type.into(),
        audience,
        chat,
        post: row.get::<_, Option<i64>>(at + 6)?.map(PostId::from_i64),
        request: row.get::<_, Option<i64>>(at + 7)?.map(RequestId::from_i64),
        occurred_at: Timestamp::from_millis(row.get(at + 8)?),
        body: Bytes::from(body),
        confidential,
        attributes,
    })
}

pub(super) fn event(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    event: EventId,
) -> Result<Option<Event>, Fault> {
    let sql = concat!(
        "select ",
        event_columns!(),
        " from events e where e.id = ?1 and e.account_id = ?2"
    );
    one(db, sql, params![event.as_i64(), account.as_i64()], |row| {
        read(vault, row, 0)
    })
}

pub(super) fn after(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    after: EventId,
    limit: u32,
) -> Result<Vec<Event>, Fault> {
    let sql = concat!(
        "select ",
        event_columns!(),
        " from events e where e.account_id = ?1 and e.id > ?2 order by e.id limit ?3"
    );
    many(
        db,
        sql,
        params![account.as_i64(), after.as_i64(), limit],
        |row| read(vault, row, 0),
    )
}

/// What an event query asks for, with values for `?1` to `?5`.
macro_rules! event_search {
    () => {
        concat!(
            "from events e where e.account_id = ?1 and e.id >= ?2 and e.id < ?3
                and (?4 is null or ",
            crate::sqlite::events::names::type_name!(),
            " glob ?4) and (?5 is null or ",
            crate::sqlite::events::names::type_dots!(),
            " = ?5)"
        )
    };
}

fn search_values(query: &EventQuery) -> (i64, i64, i64, Option<&str>, Option<i64>) {
    let first = |at: Timestamp| IdSequence::first_at(at).cast_signed();
    let below = query.before.map_or(i64::MAX, EventId::as_i64);
    (
        query.account.as_i64(),
        query.since.map_or(0, first),
        query.until.map_or(below, |until| below.min(first(until))),
        query.types.as_ref().map(TypePattern::as_str),
        query.types.as_ref().and_then(names::dots_of),
    )
}

/// Events that a query asks for, newest first.
pub(super) fn find(
    db: &Connection,
    vault: &Vault,
    query: &EventQuery,
) -> Result<Vec<Event>, Fault> {
    let sql = concat!(
        "select ",
        event_columns!(),
        " ",
        event_search!(),
        " order by e.id desc limit ?6"
    );
    let (account, from, below, types, dots) = search_values(query);
    let values = params![account, from, below, types, dots, query.limit];
    many(db, sql, values, |row| read(vault, row, 0))
}

/// How many events a query asks for.
pub(super) fn count(db: &Connection, query: &EventQuery) -> Result<u64, Fault> {
    let sql = concat!("select count(*) ", event_search!());
    super::query::count(db, sql, search_values(query))
}

/// The range of ids of the deliveries that an event caused.
pub(super) fn deliveries_of(
    db: &Connection,
    account: AccountId,
    event: EventId,
) -> Result<Option<(i64, i64)>, Fault> {
    let sql = "select delivery_first, delivery_last from events
        where id = ?1 and account_id = ?2 and delivery_first is not null";
    one(db, sql, params![event.as_i64(), account.as_i64()], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// Ids between a post's number and its event's: a minute's worth. Posts are numbered when they are
/// decided and events when they are committed, right after.
const POST_TO_EVENT_IDS_MAX: i64 = 60_000 << 12;

/// The event that announced a post. It has no index: it is among the next few numbers.
pub(super) fn of_post(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    post: PostId,
) -> Result<Option<Event>, Fault> {
    let sql = concat!(
        "select ",
        event_columns!(),
        " from events e where e.id between ?1 and ?2 and e.post_id = ?1 and +e.account_id = ?3
        order by e.id limit 1"
    );
    let last = post.as_i64().saturating_add(POST_TO_EVENT_IDS_MAX);
    one(
        db,
        sql,
        params![post.as_i64(), last, account.as_i64()],
        |row| read(vault, row, 0),
    )
}

/// When the oldest event that is kept happened.
fn oldest_event(db: &Connection) -> Result<Option<Timestamp>, Fault> {
    let oldest: Option<Option<i64>> = one(db, "select min(id) from events", [], |row| row.get(0))?;
    Ok(oldest
        .flatten()
        .map(|id| IdSequence::moment_of(id.cast_unsigned())))
}

#[async_trait]
impl Events for SqliteStore {
    async fn event(&self, account: AccountId, event: EventId) -> Result<Option<Event>, StoreError> {
        self.read(move |db, vault| self::event(db, vault, account, event))
            .await
    }

    async fn event_of_post(
        &self,
        account: AccountId,
        post: PostId,
    ) -> Result<Option<Event>, StoreError> {
        self.read(move |db, vault| of_post(db, vault, account, post))
            .await
    }

    async fn events_after(
        &self,
        account: AccountId,
        after: EventId,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.read(move |db, vault| self::after(db, vault, account, after, limit))
            .await
    }

    async fn find_events(&self, query: EventQuery) -> Result<Vec<Event>, StoreError> {
        self.read(move |db, vault| find(db, vault, &query)).await
    }

    async fn count_events(&self, query: EventQuery) -> Result<u64, StoreError> {
        self.read(move |db, _| count(db, &query)).await
    }

    async fn oldest_event(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|db, _| oldest_event(db)).await
    }
}
