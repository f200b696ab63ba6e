//! Removing what is no longer kept.

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{Retained, StoreError};
use hookyard_domain::kernel::retention::Kept;
use hookyard_domain::{IdSequence, RetentionWrite, Timestamp};
use rusqlite::{Connection, params};

use super::error::Fault;
use super::query::{execute, many, one};
use crate::sqlite::SqliteStore;
use crate::sqlite::row::Transaction;

/// The ids of the next rows after `after` that are from before `before`: the first and the last of
/// at most `limit`.
pub(super) fn range(
    db: &Connection,
    kept: Kept,
    after: u64,
    before: Timestamp,
    limit: u32,
) -> Result<Option<(u64, u64)>, Fault> {
    let sql = match kept {
        Kept::Requests => "select id from requests where id > ?1 and id < ?2 order by id limit ?3",
        Kept::Deliveries => {
            "select id from deliveries where id > ?1 and id < ?2 order by id limit ?3"
        }
        Kept::Events => "select id from events where id > ?1 and id < ?2 order by id limit ?3",
        Kept::BinRequests => {
            "select id from bin_requests where id > ?1 and id < ?2 order by id limit ?3"
        }
    };
    let bound = IdSequence::first_at(before).cast_signed();
    let ids: Vec<i64> = many(db, sql, params![after.cast_signed(), bound, limit], |row| {
        row.get(0)
    })?;
    let ends = ids.first().zip(ids.last());
    Ok(ends.map(|(first, last)| (first.cast_unsigned(), last.cast_unsigned())))
}

/// Removes rows of a range of ids, but for what is still needed.
pub(super) fn purge(db: &Connection, kept: Kept, first: u64, last: u64) -> Result<(), Fault> {
    let statements: &[&str] = match kept {
        Kept::Requests => &["delete from requests where id between ?1 and ?2"],
        Kept::Deliveries => &[
            "delete from attempts where delivery_id between ?1 and ?2 and exists
                (select 1 from deliveries d where d.id = delivery_id and d.state <> 'waiting')",
            "delete from late_deliveries where (event_id, delivery_id) in
                (select event_id, id from deliveries
                    where id between ?1 and ?2 and state <> 'waiting')",
            "delete from deliveries where id between ?1 and ?2 and state <> 'waiting'",
        ],
        // What waits is read with its event.
        Kept::Events => &[
            "delete from events where id between ?1 and ?2 and not exists
                (select 1 from deliveries d where d.id between events.delivery_first
                    and events.delivery_last and d.event_id = events.id)
                and not exists (select 1 from late_deliveries l where l.event_id = events.id)",
            "delete from publications where event_id between ?1 and ?2 and not exists
                (select 1 from events e where e.id = event_id)",
        ],
        Kept::BinRequests => &["delete from bin_requests where id between ?1 and ?2"],
    };
    for sql in statements {
        execute(db, sql, params![first.cast_signed(), last.cast_signed()])?;
    }
    Ok(())
}

/// Bytes that are in use.
pub(super) fn used_bytes(db: &Connection) -> Result<u64, Fault> {
    let pragma = |name: &str| -> Result<u64, Fault> {
        let sql = format!("select * from pragma_{name}");
        let value: Option<i64> = one(db, &sql, [], |row| row.get(0))?;
        Ok(value.unwrap_or_default().cast_unsigned())
    };
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(pages * pragma("page_size")?)
}

/// Applies what retention removes.
pub(super) fn write(tx: &Transaction<'_>, write: &RetentionWrite) -> Result<(), Fault> {
    match write {
        RetentionWrite::Purge { kept, first, last } => purge(tx.db, *kept, *first, *last),
    }
}

#[async_trait]
impl Retained for SqliteStore {
    async fn kept_range(
        &self,
        kept: Kept,
        after: u64,
        before: Timestamp,
        limit: u32,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        self.read(move |db, _| range(db, kept, after, before, limit))
            .await
    }

    async fn used_bytes(&self) -> Result<u64, StoreError> {
        self.read(|db, _| used_bytes(db)).await
    }
}
