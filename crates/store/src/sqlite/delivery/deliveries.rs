//! Deliveries.

pub(in crate::sqlite) mod event;
#[cfg(test)]
mod plans;
mod search;
pub(in crate::sqlite) mod waiting;

use std::sync::Arc;

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{Deliveries, DeliveryQuery, FoundDelivery, Page, StoreError};
use hookyard_domain::{
    AbandonReason, AccountId, Attempt, CommittedDelivery, Delivery, DeliveryId, DeliveryState,
    EventId, Round, SubscriptionId, Timestamp,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::attempts::attempts;
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{bounds, execute, many, one, unreadable};

macro_rules! delivery_columns {
    () => {
        "d.id, d.account_id, d.subscription_id, d.event_id, d.filter, d.state, d.due_at,
            d.finished_at, d.reason, d.attempts, d.possible_repeat, d.created_at, d.round_at,
            d.attempts_before, d.tried_since"
    };
}
use delivery_columns;

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
        self.read(move |db, _| event::of_event(db, account, event))
            .await
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
        self.read(move |db, _| search::find(db, &query)).await
    }

    async fn find_deliveries_after(
        &self,
        query: DeliveryQuery,
        after: DeliveryId,
    ) -> Result<Vec<FoundDelivery>, StoreError> {
        self.read(move |db, _| search::find_after(db, &query, after))
            .await
    }

    async fn count_deliveries(&self, query: DeliveryQuery) -> Result<u64, StoreError> {
        self.read(move |db, _| search::count(db, &query)).await
    }

    async fn has_delivery(
        &self,
        account: AccountId,
        event: EventId,
        subscription: SubscriptionId,
    ) -> Result<bool, StoreError> {
        self.read(move |db, _| event::exists(db, account, event, subscription))
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
            waiting::waiting(db, vault, &Arc::new(subscription), after, limit)
        })
        .await
    }
}
