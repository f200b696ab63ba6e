//! What waits to be sent.

use std::sync::Arc;

use hookyard_domain::kernel::limits::LANE_UNRECORDED_MAX;
use hookyard_domain::{CommittedDelivery, DeliveryId, Subscription, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{DELIVERY_COLUMNS, delivery_columns, read};
use crate::sqlite::error::Fault;
use crate::sqlite::events::{self, event_columns};
use crate::sqlite::query::{execute, many};
use crate::vault::Vault;

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

/// Marks what may have been sent without a record, so that its next attempt says that it may be a
/// repeat. A lane sends a bounded number of deliveries without a record, and it sends them in an
/// order that the rows tell: by due time, or by number where it keeps the order. What a lane
/// hurried because its receiver came back is due later than all others, and was tried before.
pub(in crate::sqlite) fn mark_possible_repeats(db: &Connection) -> Result<(), Fault> {
    let keys = many(
        db,
        "select key from subscriptions s where exists
            (select 1 from deliveries d where d.subscription_key = s.key and d.state = 'waiting')",
        [],
        |row| row.get::<_, i64>(0),
    )?;
    let sql = "update deliveries set possible_repeat = 1 where possible_repeat = 0 and id in (
        select id from (select id from deliveries indexed by deliveries_waiting
            where subscription_key = ?1 and state = 'waiting'
            order by due_at, id limit ?2)
        union all
        select id from (select id from deliveries indexed by deliveries_in_order
            where subscription_key = ?1 and state = 'waiting' and ordered = 1
            order by id limit ?2)
        union all
        select id from (select id, attempts from deliveries indexed by deliveries_waiting
            where subscription_key = ?1 and state = 'waiting'
            order by due_at desc, id desc limit ?2) where attempts > 0)";
    let most = u32::try_from(LANE_UNRECORDED_MAX).expect("the window is small");
    for key in keys {
        execute(db, sql, params![key, most])?;
    }
    Ok(())
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
