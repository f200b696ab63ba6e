//! Finds deliveries by what a query asks for.

use hookyard_domain::kernel::ports::{
    AnswerQuery, DeliveryQuery, FoundDelivery, LastAttempt, StateQuery,
};
use hookyard_domain::{DeliveryId, EventId, IdSequence, Timestamp, TypePattern};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::{DELIVERY_COLUMNS, delivery_columns, read};
use crate::sqlite::error::Fault;
use crate::sqlite::events::names::{dots_of, type_dots, type_name};
use crate::sqlite::query::many;

/// Rows of one page at most.
const PAGE_MAX: u32 = 20_000;

/// What a query asks for in SQL, with values for `?1` to `?12`.
pub(super) struct Search {
    /// From `from` on.
    pub(super) clauses: String,
    values: [Value; 12],
}

/// `None` when nothing can be found.
pub(super) fn search(
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
