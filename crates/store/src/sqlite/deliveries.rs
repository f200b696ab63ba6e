//! Deliveries and their attempts.

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::change::CommittedDelivery;
use hookyard_domain::ports::Page;
use hookyard_domain::{
    AbandonReason, AccountId, Attempt, AttemptOutcome, Delivery, DeliveryId, DeliveryState,
    EventId, Subscription, SubscriptionId, Timestamp, Timings, UnreachableReason,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::error::Fault;
use super::events::{self, event_columns};
use super::query::{bounds, execute, many, one, unreadable};
use crate::vault::Vault;

/// Writes a new delivery of the subscription that the store numbers `subscription_key`.
pub(super) fn put(
    db: &Connection,
    delivery: &Delivery,
    subscription_key: i64,
) -> Result<(), Fault> {
    let sql = "insert into deliveries (id, account_id, subscription_key, subscription_id, event_id,
            filter, state, due_at, attempts, possible_repeat, created_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7, 0, 0, ?8)";
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
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// Whether an event is or was on its way to a subscription.
pub(super) fn exists(
    db: &Connection,
    account: AccountId,
    event: EventId,
    subscription: SubscriptionId,
) -> Result<bool, Fault> {
    let deliveries = of_event(db, account, event)?;
    Ok(deliveries
        .iter()
        .any(|delivery| delivery.subscription == subscription))
}

/// Remembers a delivery that is outside its event's range.
pub(super) fn note_late(
    db: &Connection,
    event: EventId,
    delivery: DeliveryId,
) -> Result<(), Fault> {
    let sql = "insert into late_deliveries (event_id, delivery_id) values (?1, ?2)";
    execute(db, sql, params![event.as_i64(), delivery.as_i64()])?;
    Ok(())
}

/// Appends an attempt and moves its delivery on. A delivery that is no longer waiting stays as it
/// is, and the attempt is still kept: it was made.
pub(super) fn record(
    db: &Connection,
    attempt: &Attempt,
    state: &DeliveryState,
) -> Result<(), Fault> {
    let sql =
        "insert into attempts (delivery_id, number, account_id, started_at, connect_us, total_us,
            outcome, status, retry_after_ms, peer, answer_excerpt)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
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
    ];
    execute(db, sql, values)?;
    advance(
        db,
        attempt.account,
        attempt.delivery,
        state,
        Some(attempt.number),
    )
}

/// Moves a waiting delivery to `state`; `attempts` is how many there were, when that changed.
pub(super) fn advance(
    db: &Connection,
    account: AccountId,
    delivery: DeliveryId,
    state: &DeliveryState,
    attempts: Option<u32>,
) -> Result<(), Fault> {
    let sql = "update deliveries
        set state = ?3, due_at = coalesce(?4, due_at), finished_at = ?5, reason = ?6,
            attempts = coalesce(?7, attempts)
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
        attempts
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// After an unclean end: the first `window` waiting deliveries of each subscription may have been
/// sent without a record, so their next attempt is marked as a possible repeat.
pub(super) fn mark_possible_repeats(db: &Connection, window: u32) -> Result<(), Fault> {
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

macro_rules! delivery_columns {
    () => {
        "d.id, d.account_id, d.subscription_id, d.event_id, d.filter, d.state, d.due_at,
            d.finished_at, d.reason, d.attempts, d.possible_repeat, d.created_at"
    };
}

/// Reads the delivery in columns 0 to 11.
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
    Ok(Delivery {
        id: DeliveryId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        subscription: SubscriptionId(Uuid::from_bytes(row.get(2)?)),
        event: EventId::from_i64(row.get(3)?),
        filter: row.get(4)?,
        state,
        attempts: row.get(9)?,
        possible_repeat: row.get(10)?,
        created_at: Timestamp::from_millis(row.get(11)?),
    })
}

pub(super) fn delivery(
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

pub(super) fn deliveries(
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
    let Some(key) = super::subscriptions::key(db, subscription)? else {
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

pub(super) fn of_event(
    db: &Connection,
    account: AccountId,
    event: EventId,
) -> Result<Vec<Delivery>, Fault> {
    let mut found = Vec::new();
    if let Some((first, last)) = events::deliveries_of(db, account, event)? {
        let sql = concat!(
            "select ",
            delivery_columns!(),
            " from deliveries d where d.id between ?1 and ?2 and d.account_id = ?3
                and d.event_id = ?4 order by d.id"
        );
        let values = params![first, last, account.as_i64(), event.as_i64()];
        found = many(db, sql, values, read)?;
    }
    let sql = concat!(
        "select ",
        delivery_columns!(),
        " from late_deliveries l join deliveries d on d.id = l.delivery_id
            where l.event_id = ?1 and d.account_id = ?2 order by d.id"
    );
    found.extend(many(
        db,
        sql,
        params![event.as_i64(), account.as_i64()],
        read,
    )?);
    Ok(found)
}

pub(super) fn waiting(
    db: &Connection,
    vault: &Vault,
    subscription: &Arc<Subscription>,
    after: Option<(Timestamp, DeliveryId)>,
    limit: u32,
) -> Result<Vec<CommittedDelivery>, Fault> {
    let Some(key) = super::subscriptions::key(db, subscription.id)? else {
        return Ok(Vec::new());
    };
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
    many(db, sql, params![key, due_at, id, limit], |row| {
        Ok(CommittedDelivery {
            delivery: read(row)?,
            event: Arc::new(events::read(vault, row, 12)?),
            subscription: Arc::clone(subscription),
        })
    })
}

pub(super) fn attempts(
    db: &Connection,
    account: AccountId,
    delivery: DeliveryId,
) -> Result<Vec<Attempt>, Fault> {
    let sql = "select a.number, a.started_at, a.connect_us, a.total_us, a.outcome, a.status,
            a.retry_after_ms, a.peer, a.answer_excerpt, d.subscription_id
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
                    connect_us: row.get::<_, i64>(2)?.cast_unsigned(),
                    total_us: row.get::<_, i64>(3)?.cast_unsigned(),
                },
                outcome,
                peer: row.get(7)?,
                answer_excerpt: row.get(8)?,
            })
        },
    )
}
