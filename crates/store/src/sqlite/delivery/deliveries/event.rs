//! The deliveries of one event: those of its commit have ids in a range, the others came late.

use hookyard_domain::{AccountId, Delivery, DeliveryId, EventId, SubscriptionId};
use rusqlite::{Connection, params};

use super::{delivery_columns, read};
use crate::sqlite::error::Fault;
use crate::sqlite::events;
use crate::sqlite::query::{execute, many, one};

/// The delivery to one subscription among those that an event caused when it was committed.
pub(super) const EXISTS_IN_RANGE: &str = "select 1 from events e
    cross join deliveries d indexed by deliveries_by_subscription
        on d.subscription_key = ?3 and d.id between e.delivery_first and e.delivery_last
    where e.id = ?2 and +e.account_id = ?1 and +d.event_id = ?2 and +d.subscription_id = ?4
    limit 1";

/// The same among its late ones. `cross join` keeps the order of the tables: the other one walks
/// over all deliveries of the account.
pub(super) const EXISTS_LATE: &str = "select 1 from late_deliveries l
    cross join deliveries d on d.id = l.delivery_id
    where l.event_id = ?2 and +d.account_id = ?1 and +d.subscription_id = ?3
    limit 1";

/// Deliveries that an event caused when it was committed.
pub(super) const OF_EVENT_IN_RANGE: &str = concat!(
    "select ",
    delivery_columns!(),
    " from deliveries d where d.id between ?1 and ?2 and +d.account_id = ?3
        and +d.event_id = ?4 order by d.id"
);

/// Its late ones, in the order of tables that [`EXISTS_LATE`] tells of.
pub(super) const OF_EVENT_LATE: &str = concat!(
    "select ",
    delivery_columns!(),
    " from late_deliveries l cross join deliveries d on d.id = l.delivery_id
        where l.event_id = ?1 and +d.account_id = ?2 order by l.delivery_id"
);

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
