//! Deliveries and their attempts.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hookyard_domain::kernel::news::CommittedDelivery;
use hookyard_domain::kernel::ports::{
    AnswerQuery, Deliveries, DeliveryQuery, FoundDelivery, LastAttempt, Page, StateQuery,
    StoreError,
};
use hookyard_domain::{
    AbandonReason, AccountId, Attempt, AttemptOutcome, Delivery, DeliveryId, DeliveryState,
    EventId, IdSequence, Round, Subscription, SubscriptionId, Timestamp, Timings, Transcript,
    TypePattern, UnreachableReason,
};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use uuid::Uuid;

use crate::commit::Recorded;
use crate::records::{TranscriptRecord, from_json, to_json};
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::events::{self, event_columns};
use crate::sqlite::query::{bounds, execute, many, one, unreadable};
use crate::vault::Vault;

macro_rules! delivery_columns {
    () => {
        "d.id, d.account_id, d.subscription_id, d.event_id, d.filter, d.state, d.due_at,
            d.finished_at, d.reason, d.attempts, d.possible_repeat, d.created_at, d.round_at,
            d.attempts_before, d.tried_since"
    };
}

/// Writes a new delivery of the subscription that the store numbers `subscription_key`.
pub(in crate::sqlite) fn put(
    db: &Connection,
    delivery: &Delivery,
    subscription_key: i64,
    ordered: bool,
) -> Result<(), Fault> {
    let sql = "insert into deliveries (id, account_id, subscription_key, subscription_id, event_id,
            filter, state, due_at, attempts, possible_repeat, created_at, ordered)
        values (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7, 0, 0, ?8, ?9)";
    let DeliveryState::Waiting { due_at } = delivery.state else {
        return Err(Fault::plain("a new delivery must be waiting"));
    };
    let values = params![
        delivery.id.as_i64(),
        delivery.account.as_i64(),
        subscription_key,
        delivery.subscription.0.as_bytes(),
        delivery.event.as_i64(),
        delivery.filter,
        due_at.as_millis(),
        delivery.created_at.as_millis(),
        ordered,
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// Begins a new round of a delivery that waits or was given up: due at once, and the policy counts
/// from here.
pub(in crate::sqlite) fn restart(
    db: &Connection,
    account: AccountId,
    delivery: DeliveryId,
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "update deliveries set state = 'waiting', due_at = ?3, finished_at = null,
            reason = null, round_at = ?3, attempts_before = attempts, tried_since = null
        where id = ?1 and account_id = ?2 and state <> 'delivered'";
    execute(
        db,
        sql,
        params![delivery.as_i64(), account.as_i64(), now.as_millis()],
    )?;
    Ok(())
}

/// Marks what waits for an endpoint as in order, or as not.
pub(in crate::sqlite) fn set_ordered(
    db: &Connection,
    key: i64,
    ordered: bool,
) -> Result<(), Fault> {
    let sql = "update deliveries set ordered = ?2
        where subscription_key = ?1 and state = 'waiting' and ordered <> ?2";
    execute(db, sql, params![key, ordered])?;
    Ok(())
}

/// Makes what waits for later due at `now`.
pub(in crate::sqlite) fn hurry(db: &Connection, key: i64, now: Timestamp) -> Result<(), Fault> {
    let sql = "update deliveries indexed by deliveries_waiting set due_at = ?2
        where subscription_key = ?1 and state = 'waiting' and due_at > ?2";
    execute(db, sql, params![key, now.as_millis()])?;
    Ok(())
}

/// Whether an event is or was on its way to a subscription that has not ended. Replays ask this of
/// every event, so it looks at nothing but the event's own deliveries.
pub(in crate::sqlite) fn exists(
    db: &Connection,
    account: AccountId,
    event: EventId,
    subscription: SubscriptionId,
) -> Result<bool, Fault> {
    let Some(key) = crate::sqlite::subscriptions::key(db, subscription)? else {
        return Ok(false);
    };
    let (account, event, id) = (account.as_i64(), event.as_i64(), subscription.0.as_bytes());
    let values = params![account, event, key, id];
    let found = one(db, EXISTS_IN_RANGE, values, |_| Ok(()))?;
    if found.is_some() {
        return Ok(true);
    }
    let found = one(db, EXISTS_LATE, params![account, event, id], |_| Ok(()))?;
    Ok(found.is_some())
}

/// The delivery to one subscription among those that an event caused when it was committed.
const EXISTS_IN_RANGE: &str = "select 1 from events e
    cross join deliveries d indexed by deliveries_by_subscription
        on d.subscription_key = ?3 and d.id between e.delivery_first and e.delivery_last
    where e.id = ?2 and +e.account_id = ?1 and +d.event_id = ?2 and +d.subscription_id = ?4
    limit 1";

/// The same among its late ones. `cross join` keeps the order of the tables: the other one walks
/// over all deliveries of the account.
const EXISTS_LATE: &str = "select 1 from late_deliveries l
    cross join deliveries d on d.id = l.delivery_id
    where l.event_id = ?2 and +d.account_id = ?1 and +d.subscription_id = ?3
    limit 1";

/// Deliveries that an event caused when it was committed.
const OF_EVENT_IN_RANGE: &str = concat!(
    "select ",
    delivery_columns!(),
    " from deliveries d where d.id between ?1 and ?2 and +d.account_id = ?3
        and +d.event_id = ?4 order by d.id"
);

/// Its late ones, in the order of tables that [`EXISTS_LATE`] tells of.
const OF_EVENT_LATE: &str = concat!(
    "select ",
    delivery_columns!(),
    " from late_deliveries l cross join deliveries d on d.id = l.delivery_id
        where l.event_id = ?1 and +d.account_id = ?2 order by l.delivery_id"
);

/// Remembers a delivery that is outside its event's range.
pub(in crate::sqlite) fn note_late(
    db: &Connection,
    event: EventId,
    delivery: DeliveryId,
) -> Result<(), Fault> {
    let sql = "insert into late_deliveries (event_id, delivery_id) values (?1, ?2)";
    execute(db, sql, params![event.as_i64(), delivery.as_i64()])?;
    Ok(())
}

/// What both sides of an attempt said, as JSON.
#[derive(Debug)]
pub(in crate::sqlite) struct AttemptColumns {
    transcript: Option<String>,
}

pub(in crate::sqlite) fn encode(attempt: &Attempt) -> AttemptColumns {
    let transcript = attempt.transcript.as_deref();
    AttemptColumns {
        transcript: transcript.map(|said| to_json(&TranscriptRecord::from(said))),
    }
}

/// Appends an attempt and moves its delivery on. A delivery that is no longer waiting stays as it
/// is, and the attempt is still kept: it was made. Of one that was erased nothing is kept.
pub(in crate::sqlite) fn record(
    db: &Connection,
    attempt: &Attempt,
    columns: &AttemptColumns,
    state: &DeliveryState,
) -> Result<Recorded, Fault> {
    let sql =
        "insert into attempts (delivery_id, number, account_id, started_at, connect_us, total_us,
            outcome, status, retry_after_ms, peer, answer_excerpt, dns_us, tls_us, wait_us,
            transcript)
        select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15
        where exists (select 1 from deliveries where id = ?1)
        on conflict (delivery_id, number) do nothing";
    let (outcome, retry_after) = match attempt.outcome {
        AttemptOutcome::Accepted { .. } => ("accepted", None),
        AttemptOutcome::Refused { retry_after, .. } => ("refused", retry_after),
        AttemptOutcome::Unreachable { reason } => (reason.name(), None),
    };
    let values = params![
        attempt.delivery.as_i64(),
        attempt.number,
        attempt.account.as_i64(),
        attempt.started_at.as_millis(),
        attempt.timings.connect_us.cast_signed(),
        attempt.timings.total_us.cast_signed(),
        outcome,
        attempt.outcome.status(),
        retry_after.map(|pause| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)),
        attempt.peer,
        attempt.answer_excerpt,
        attempt.timings.dns_us.cast_signed(),
        attempt.timings.tls_us.cast_signed(),
        attempt.timings.wait_us.cast_signed(),
        columns.transcript,
    ];
    let fresh = execute(db, sql, values)? > 0;
    let moved = advance(
        db,
        attempt.account,
        attempt.delivery,
        state,
        Some((attempt, outcome)),
    )?;
    Ok(Recorded { fresh, moved })
}

/// Moves a waiting delivery to `state`, after an attempt and by the name of its outcome, if there was
/// one. False when it was not waiting.
pub(in crate::sqlite) fn advance(
    db: &Connection,
    account: AccountId,
    delivery: DeliveryId,
    state: &DeliveryState,
    attempt: Option<(&Attempt, &str)>,
) -> Result<bool, Fault> {
    let sql = "update deliveries
        set state = ?3, due_at = coalesce(?4, due_at), finished_at = ?5, reason = ?6,
            attempts = coalesce(?7, attempts), tried_since = coalesce(tried_since, ?8),
            last_outcome = coalesce(?9, last_outcome),
            last_status = case when ?9 is null then last_status else ?10 end
        where id = ?1 and account_id = ?2 and state = 'waiting'";
    let (name, due_at, finished_at, reason) = match state {
        DeliveryState::Waiting { due_at } => ("waiting", Some(due_at.as_millis()), None, None),
        DeliveryState::Delivered { at } => ("delivered", None, Some(at.as_millis()), None),
        DeliveryState::Abandoned { at, reason } => {
            ("abandoned", None, Some(at.as_millis()), Some(reason.name()))
        }
    };
    let values = params![
        delivery.as_i64(),
        account.as_i64(),
        name,
        due_at,
        finished_at,
        reason,
        attempt.map(|(attempt, _)| attempt.number),
        attempt.map(|(attempt, _)| attempt.started_at.as_millis()),
        attempt.map(|(_, outcome)| outcome),
        attempt.and_then(|(attempt, _)| attempt.outcome.status()),
    ];
    Ok(execute(db, sql, values)? > 0)
}

/// After an unclean end: the first `window` waiting deliveries of each subscription may have been
/// sent without a record, so their next attempt is marked as a possible repeat.
pub(in crate::sqlite) fn mark_possible_repeats(db: &Connection, window: u32) -> Result<(), Fault> {
    let keys = many(
        db,
        "select key from subscriptions s where exists
            (select 1 from deliveries d where d.subscription_key = s.key and d.state = 'waiting')",
        [],
        |row| row.get::<_, i64>(0),
    )?;
    let sql = "update deliveries set possible_repeat = 1 where id in
        (select id from deliveries where subscription_key = ?1 and state = 'waiting'
            order by due_at, id limit ?2)";
    for key in keys {
        execute(db, sql, params![key, window])?;
    }
    Ok(())
}

/// Columns of a delivery.
const DELIVERY_COLUMNS: usize = 15;

/// Reads the delivery in the first columns.
fn read(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let state: String = row.get(5)?;
    let due_at = Timestamp::from_millis(row.get(6)?);
    let at = Timestamp::from_millis(row.get::<_, Option<i64>>(7)?.unwrap_or_default());
    let reason: Option<String> = row.get(8)?;
    let state = match state.as_str() {
        "waiting" => DeliveryState::Waiting { due_at },
        "delivered" => DeliveryState::Delivered { at },
        _ => DeliveryState::Abandoned {
            at,
            reason: reason
                .and_then(|reason| AbandonReason::from_name(&reason))
                .ok_or_else(|| unreadable(8, "why a delivery was abandoned"))?,
        },
    };
    let created_at = Timestamp::from_millis(row.get(11)?);
    let time = |at: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(at)?.map(Timestamp::from_millis))
    };
    Ok(Delivery {
        id: DeliveryId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        subscription: SubscriptionId(Uuid::from_bytes(row.get(2)?)),
        event: EventId::from_i64(row.get(3)?),
        filter: row.get(4)?,
        state,
        attempts: row.get(9)?,
        round: Round {
            began_at: time(12)?.unwrap_or(created_at),
            attempts_before: row.get(13)?,
            tried_since: time(14)?,
        },
        possible_repeat: row.get(10)?,
        created_at,
    })
}

pub(in crate::sqlite) fn delivery(
    db: &Connection,
    account: AccountId,
    delivery: DeliveryId,
) -> Result<Option<Delivery>, Fault> {
    let sql = concat!(
        "select ",
        delivery_columns!(),
        " from deliveries d where d.id = ?1 and d.account_id = ?2"
    );
    one(db, sql, params![delivery.as_i64(), account.as_i64()], read)
}

pub(in crate::sqlite) fn deliveries(
    db: &Connection,
    account: AccountId,
    subscription: Option<SubscriptionId>,
    page: Page,
    limit: u32,
) -> Result<Vec<Delivery>, Fault> {
    let (above, below) = bounds(page);
    let Some(subscription) = subscription else {
        let sql = concat!(
            "select ",
            delivery_columns!(),
            " from deliveries d where d.account_id = ?1 and d.id > ?2 and d.id < ?3
            order by d.id desc limit ?4"
        );
        return many(
            db,
            sql,
            params![account.as_i64(), above, below, limit],
            read,
        );
    };
    let Some(key) = crate::sqlite::subscriptions::key(db, subscription)? else {
        return Ok(Vec::new());
    };
    let sql = concat!(
        "select ",
        delivery_columns!(),
        " from deliveries d where d.subscription_key = ?1 and d.account_id = ?2
            and d.id > ?3 and d.id < ?4 order by d.id desc limit ?5"
    );
    many(
        db,
        sql,
        params![key, account.as_i64(), above, below, limit],
        read,
    )
}

pub(in crate::sqlite) fn of_event(
    db: &Connection,
    account: AccountId,
    event: EventId,
) -> Result<Vec<Delivery>, Fault> {
    let mut found = Vec::new();
    if let Some((first, last)) = events::deliveries_of(db, account, event)? {
        let values = params![first, last, account.as_i64(), event.as_i64()];
        found = many(db, OF_EVENT_IN_RANGE, values, read)?;
    }
    let values = params![event.as_i64(), account.as_i64()];
    found.extend(many(db, OF_EVENT_LATE, values, read)?);
    Ok(found)
}

pub(in crate::sqlite) fn waiting(
    db: &Connection,
    vault: &Vault,
    subscription: &Arc<Subscription>,
    after: Option<(Timestamp, DeliveryId)>,
    limit: u32,
) -> Result<Vec<CommittedDelivery>, Fault> {
    let Some(key) = crate::sqlite::subscriptions::key(db, subscription.id)? else {
        return Ok(Vec::new());
    };
    let committed = |row: &Row<'_>| {
        Ok(CommittedDelivery {
            delivery: read(row)?,
            event: Arc::new(events::read(vault, row, DELIVERY_COLUMNS)?),
            subscription: Arc::clone(subscription),
        })
    };
    if subscription.is_ordered() {
        let sql = concat!(
            "select ",
            delivery_columns!(),
            ", ",
            event_columns!(),
            " from deliveries d indexed by deliveries_in_order join events e on e.id = d.event_id
            where d.subscription_key = ?1 and d.state = 'waiting' and d.ordered = 1 and d.id > ?2
            order by d.id limit ?3"
        );
        let id = after.map_or(0, |(_, id)| id.as_i64());
        return many(db, sql, params![key, id, limit], committed);
    }
    let sql = concat!(
        "select ",
        delivery_columns!(),
        ", ",
        event_columns!(),
        " from deliveries d indexed by deliveries_waiting join events e on e.id = d.event_id
        where d.subscription_key = ?1 and d.state = 'waiting' and (d.due_at, d.id) > (?2, ?3)
        order by d.due_at, d.id limit ?4"
    );
    let (due_at, id) = after.map_or((i64::MIN, 0), |(at, id)| (at.as_millis(), id.as_i64()));
    many(db, sql, params![key, due_at, id, limit], committed)
}

/// The full name of the type of the event in `e`, as `Event::type_name` makes it.
macro_rules! type_name {
    () => {
        "case when e.kind = 'custom' or e.kind = e.event_type then e.event_type
            else e.kind || '.' || e.event_type end"
    };
}
pub(in crate::sqlite) use type_name;

/// How many dots that name has.
macro_rules! type_dots {
    () => {
        concat!(
            "length(",
            crate::sqlite::delivery::deliveries::type_name!(),
            ") - length(replace(",
            crate::sqlite::delivery::deliveries::type_name!(),
            ", '.', ''))"
        )
    };
}
pub(in crate::sqlite) use type_dots;

/// The dots of a name that a pattern matches, unless it ends in a star: the others stand for one
/// segment each, where SQL's stand for any text. `None` for any number of dots.
pub(in crate::sqlite) fn dots_of(pattern: &TypePattern) -> Option<i64> {
    let text = pattern.as_str();
    let dots = text.bytes().filter(|byte| *byte == b'.').count();
    let open = text.ends_with('*');
    (!open).then(|| i64::try_from(dots).unwrap_or(i64::MAX))
}

/// Rows of one page at most.
const PAGE_MAX: u32 = 20_000;

/// What a query asks for in SQL, with values for `?1` to `?12`.
struct Search {
    /// From `from` on.
    clauses: String,
    values: [Value; 12],
}

/// `None` when nothing can be found.
fn search(
    db: &Connection,
    query: &DeliveryQuery,
    after: Option<DeliveryId>,
) -> Result<Option<Search>, Fault> {
    let key = match query.subscription {
        None => None,
        Some(subscription) => match crate::sqlite::subscriptions::key(db, subscription)? {
            None => return Ok(None),
            key => key,
        },
    };
    let (index, owner) = match (query.event, key, query.state) {
        // The few of one event are found by their ids.
        (Some(_), ..) => (
            "not indexed",
            "+d.account_id = ?1 and (?2 is null or d.subscription_key = ?2) and d.id in (
                select o.id from events n join deliveries o
                    on o.id between n.delivery_first and n.delivery_last where n.id = ?6
                union all select l.delivery_id from late_deliveries l where l.event_id = ?6)",
        ),
        // What was given up of one subscription has an index of its own, for there is little of it.
        (None, Some(_), Some(StateQuery::Abandoned)) => (
            "indexed by deliveries_abandoned",
            "d.subscription_key = ?2 and +d.account_id = ?1 and d.state = 'abandoned'",
        ),
        (None, Some(_), _) => (
            "indexed by deliveries_by_subscription",
            "d.subscription_key = ?2 and +d.account_id = ?1",
        ),
        (None, None, _) => (
            "indexed by deliveries_by_account",
            "d.account_id = ?1 and ?2 is null",
        ),
    };
    // A column with a plus has no index: the ids come in order from the one that is named.
    let clauses = format!(
        "from deliveries d {index} join events e on e.id = d.event_id
        where {owner} and d.id > ?3 and d.id < ?4
            and (?5 is null or +d.state = ?5) and (?6 is null or +d.event_id = ?6)
            and (?7 is null or (d.last_status >= ?7 and d.last_status <= ?8))
            and (?9 = 0 or (d.last_outcome is not null and d.last_status is null))
            and (?10 is null or {} glob ?10)
            and (?11 is null or (+d.state = 'abandoned' and d.finished_at >= ?11))
            and (?12 is null or {} = ?12)",
        type_name!(),
        type_dots!(),
    );
    let first = |at: Timestamp| IdSequence::first_at(at).cast_signed();
    let above = after.map_or(-1, DeliveryId::as_i64);
    let below = query.before.map_or(i64::MAX, DeliveryId::as_i64);
    let (status_min, status_max) = match query.answer {
        Some(AnswerQuery::Status(status)) => (Some(status), Some(status)),
        Some(AnswerQuery::StatusClass(class)) => (Some(class * 100), Some(class * 100 + 99)),
        Some(AnswerQuery::None) | None => (None, None),
    };
    let text = |text: Option<&str>| text.map(str::to_owned).into();
    let values: [Value; 12] = [
        query.account.as_i64().into(),
        key.into(),
        query
            .since
            .map_or(above, |since| above.max(first(since) - 1))
            .into(),
        query
            .until
            .map_or(below, |until| below.min(first(until)))
            .into(),
        text(query.state.map(StateQuery::name)),
        query.event.map(EventId::as_i64).into(),
        status_min.into(),
        status_max.into(),
        i64::from(query.answer == Some(AnswerQuery::None)).into(),
        text(query.types.as_ref().map(TypePattern::as_str)),
        query.abandoned_since.map(Timestamp::as_millis).into(),
        query.types.as_ref().and_then(dots_of).into(),
    ];
    Ok(Some(Search { clauses, values }))
}

/// Deliveries that a query asks for, newest first.
pub(in crate::sqlite) fn find(
    db: &Connection,
    query: &DeliveryQuery,
) -> Result<Vec<FoundDelivery>, Fault> {
    list(db, query, None)
}

/// The same with ids above `after`, oldest first.
pub(in crate::sqlite) fn find_after(
    db: &Connection,
    query: &DeliveryQuery,
    after: DeliveryId,
) -> Result<Vec<FoundDelivery>, Fault> {
    list(db, query, Some(after))
}

fn list(
    db: &Connection,
    query: &DeliveryQuery,
    after: Option<DeliveryId>,
) -> Result<Vec<FoundDelivery>, Fault> {
    let Some(search) = search(db, query, after)? else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "select {}, {}, d.last_outcome, d.last_status {} order by d.id {} limit ?13",
        delivery_columns!(),
        type_name!(),
        search.clauses,
        if after.is_some() { "asc" } else { "desc" },
    );
    let limit = Value::from(query.limit.min(PAGE_MAX));
    let values = params_from_iter(search.values.into_iter().chain([limit]));
    many(db, &sql, values, |row| {
        let outcome: Option<String> = row.get(DELIVERY_COLUMNS + 1)?;
        let status = row.get(DELIVERY_COLUMNS + 2)?;
        Ok(FoundDelivery {
            delivery: read(row)?,
            type_name: row.get(DELIVERY_COLUMNS)?,
            last: outcome.map(|outcome| LastAttempt { outcome, status }),
        })
    })
}

/// How many deliveries a query asks for.
pub(in crate::sqlite) fn count(db: &Connection, query: &DeliveryQuery) -> Result<u64, Fault> {
    let Some(search) = search(db, query, None)? else {
        return Ok(0);
    };
    let sql = format!("select count(*) {}", search.clauses);
    crate::sqlite::query::count(db, &sql, params_from_iter(search.values))
}

pub(in crate::sqlite) fn attempts(
    db: &Connection,
    account: AccountId,
    delivery: DeliveryId,
) -> Result<Vec<Attempt>, Fault> {
    let sql = "select a.number, a.started_at, a.connect_us, a.total_us, a.outcome, a.status,
            a.retry_after_ms, a.peer, a.answer_excerpt, d.subscription_id, a.dns_us, a.tls_us,
            a.wait_us, a.transcript
        from attempts a join deliveries d on d.id = a.delivery_id
        where a.delivery_id = ?1 and a.account_id = ?2 order by a.number";
    many(
        db,
        sql,
        params![delivery.as_i64(), account.as_i64()],
        |row| {
            let outcome: String = row.get(4)?;
            let status: Option<u16> = row.get(5)?;
            let retry_after: Option<i64> = row.get(6)?;
            let outcome = match (outcome.as_str(), status) {
                ("accepted", Some(status)) => AttemptOutcome::Accepted { status },
                ("refused", Some(status)) => AttemptOutcome::Refused {
                    status,
                    retry_after: retry_after.map(|ms| Duration::from_millis(ms.cast_unsigned())),
                },
                (name, _) => AttemptOutcome::Unreachable {
                    reason: UnreachableReason::from_name(name)
                        .ok_or_else(|| unreadable(4, "the outcome of an attempt"))?,
                },
            };
            Ok(Attempt {
                account,
                delivery,
                subscription: SubscriptionId(Uuid::from_bytes(row.get(9)?)),
                number: row.get(0)?,
                started_at: Timestamp::from_millis(row.get(1)?),
                timings: Timings {
                    dns_us: row.get::<_, i64>(10)?.cast_unsigned(),
                    connect_us: row.get::<_, i64>(2)?.cast_unsigned(),
                    tls_us: row.get::<_, i64>(11)?.cast_unsigned(),
                    wait_us: row.get::<_, i64>(12)?.cast_unsigned(),
                    total_us: row.get::<_, i64>(3)?.cast_unsigned(),
                },
                outcome,
                peer: row.get(7)?,
                answer_excerpt: row.get(8)?,
                transcript: row
                    .get::<_, Option<String>>(13)?
                    .map(|text| {
                        let said = from_json::<TranscriptRecord<'_>, Transcript>(text);
                        said.map(Arc::new)
                            .ok_or_else(|| unreadable(13, "what an attempt said"))
                    })
                    .transpose()?,
            })
        },
    )
}

#[async_trait]
impl Deliveries for SqliteStore {
    async fn delivery(
        &self,
        account: AccountId,
        delivery: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError> {
        self.read(move |db, _| self::delivery(db, account, delivery))
            .await
    }

    async fn deliveries(
        &self,
        account: AccountId,
        subscription: Option<SubscriptionId>,
        page: Page,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.read(move |db, _| deliveries(db, account, subscription, page, limit))
            .await
    }

    async fn deliveries_of_event(
        &self,
        account: AccountId,
        event: EventId,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.read(move |db, _| of_event(db, account, event)).await
    }

    async fn attempts(
        &self,
        account: AccountId,
        delivery: DeliveryId,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.read(move |db, _| attempts(db, account, delivery))
            .await
    }

    async fn find_deliveries(
        &self,
        query: DeliveryQuery,
    ) -> Result<Vec<FoundDelivery>, StoreError> {
        self.read(move |db, _| find(db, &query)).await
    }

    async fn find_deliveries_after(
        &self,
        query: DeliveryQuery,
        after: DeliveryId,
    ) -> Result<Vec<FoundDelivery>, StoreError> {
        self.read(move |db, _| find_after(db, &query, after)).await
    }

    async fn count_deliveries(&self, query: DeliveryQuery) -> Result<u64, StoreError> {
        self.read(move |db, _| count(db, &query)).await
    }

    async fn has_delivery(
        &self,
        account: AccountId,
        event: EventId,
        subscription: SubscriptionId,
    ) -> Result<bool, StoreError> {
        self.read(move |db, _| exists(db, account, event, subscription))
            .await
    }

    async fn waiting_deliveries(
        &self,
        subscription: SubscriptionId,
        after: Option<(Timestamp, DeliveryId)>,
        limit: u32,
    ) -> Result<Vec<CommittedDelivery>, StoreError> {
        self.read(move |db, vault| {
            let Some(subscription) = crate::sqlite::subscriptions::by_id(db, vault, subscription)?
            else {
                return Ok(Vec::new());
            };
            waiting(db, vault, &Arc::new(subscription), after, limit)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use hookyard_domain::DeliverySelection;

    use super::*;
    use crate::sqlite::{connection, migrations};

    fn plan(db: &Connection, sql: &str) -> Vec<String> {
        let mut statement = db.prepare(&format!("explain query plan {sql}")).unwrap();
        let parameters = vec![Value::Null; statement.parameter_count()];
        let steps = statement.query_map(params_from_iter(parameters), |row| row.get(3));
        steps.unwrap().map(Result::unwrap).collect()
    }

    fn database() -> Connection {
        let mut db = connection::open_in_memory().unwrap();
        migrations::migrate(&mut db).unwrap();
        db
    }

    /// Replays ask for these of every event: a walk over the account would make them quadratic.
    #[test]
    fn deliveries_of_an_event_are_found_without_a_walk_over_all_others() {
        let db = database();
        let of_one = "SEARCH l USING PRIMARY KEY (event_id=?)";
        let by_id = "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)";
        assert_eq!(plan(&db, EXISTS_LATE), [of_one, by_id]);
        assert_eq!(plan(&db, OF_EVENT_LATE), [of_one, by_id]);
        assert_eq!(
            plan(&db, OF_EVENT_IN_RANGE),
            ["SEARCH d USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]
        );
        assert_eq!(
            plan(&db, EXISTS_IN_RANGE),
            [
                "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)",
                "SEARCH d USING INDEX deliveries_by_subscription \
                    (subscription_key=? AND id>? AND id<?)",
            ]
        );
    }

    /// Pages of jobs go on where the last one ended, and need no sorting.
    #[test]
    fn a_page_of_deliveries_begins_where_the_last_one_ended() {
        let db = database();
        db.pragma_update(None, "foreign_keys", false).unwrap();
        let subscription = SubscriptionId(Uuid::from_bytes([7; 16]));
        let sql = "insert into subscriptions (key, id, account_id, owner_id, client_id, filters,
                address, policy, status, created_at, modified_at, expires_at, ttl_ms, version,
                transport, disabled_filters)
            values (1, ?1, 1, 1, '', '', '', '', 'Active', 0, 0, 0, 0, 1, 'WebHook', '')";
        db.execute(sql, params![subscription.0.as_bytes()]).unwrap();
        let everything = DeliverySelection::default();
        let ours = DeliverySelection {
            subscription: Some(subscription),
            ..everything.clone()
        };
        let abandoned = DeliverySelection {
            state: Some(StateQuery::Abandoned),
            ..ours.clone()
        };
        for (selection, index) in [
            (
                everything,
                "deliveries_by_account (account_id=? AND id>? AND id<?)",
            ),
            (
                ours,
                "deliveries_by_subscription (subscription_key=? AND id>? AND id<?)",
            ),
            (
                abandoned,
                "deliveries_abandoned (subscription_key=? AND id>? AND id<?)",
            ),
        ] {
            let query = selection.query(AccountId(1), None, 200);
            let search = search(&db, &query, Some(DeliveryId(5))).unwrap().unwrap();
            let sql = format!("select d.filter {} order by d.id asc", search.clauses);
            let expect = [
                format!("SEARCH d USING INDEX {index}"),
                "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)".to_owned(),
            ];
            assert_eq!(plan(&db, &sql), expect);
        }
    }
}
