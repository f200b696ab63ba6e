//! Where subscriptions are in their lives, read without what is sealed or long in their rows: a
//! start reads all of them.

use hookyard_domain::subscriptions::life_cycle::{Life, Place};
use hookyard_domain::{AccountId, EventFilter, SubscriptionId, SubscriptionStatus, Timestamp};
use rusqlite::{Connection, Row};
use uuid::Uuid;

use crate::records::{FiltersRecord, from_json};
use crate::sqlite::error::Fault;
use crate::sqlite::query::{many, unreadable};

pub(super) fn all(db: &Connection) -> Result<Vec<Place>, Fault> {
    let sql = "select account_id, id, version, status, expires_at, ended_at is not null,
            blacklisted_at, catch_up_after is not null, filters
        from subscriptions order by key";
    many(db, sql, [], read)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Place> {
    let status = row.get_ref(3)?.as_str()?;
    let status = SubscriptionStatus::from_name(status)
        .ok_or_else(|| unreadable(3, "a subscription's status"))?;
    let filters: Vec<EventFilter> = from_json::<FiltersRecord<'_>, _>(row.get_ref(8)?.as_str()?)
        .ok_or_else(|| unreadable(8, "a subscription's filters"))?;
    let life = Life {
        status,
        expires_at: Timestamp::from_millis(row.get(4)?),
        ended: row.get(5)?,
        blacklisted_since: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
        catches_up: row.get(7)?,
        reminder: filters.iter().find_map(EventFilter::reminder),
    };
    Ok(Place {
        account: AccountId::from_i64(row.get(0)?),
        subscription: SubscriptionId(Uuid::from_bytes(row.get(1)?)),
        version: row.get::<_, i64>(2)?.cast_unsigned(),
        stage: life.into(),
    })
}
