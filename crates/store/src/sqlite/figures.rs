//! Sums over all accounts.

use async_trait::async_trait;
use hookyard_domain::Timestamp;
use hookyard_domain::kernel::ports::{Figures, StoreError, StoreFigures};
use rusqlite::Connection;

use super::SqliteStore;
use super::error::{Fault, Step};
use super::query::{count, one};

fn figures(db: &Connection) -> Result<StoreFigures, Fault> {
    let schema_version: i64 = db
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .step("read the schema version")?;
    // Both are read of the index of what waits, which has nothing else.
    let waiting = "select count(*), min(id) from deliveries where state = 'waiting'";
    let (waiting, oldest) = one(db, waiting, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
    })?
    .unwrap_or_default();
    let made_at = "select created_at from deliveries where id = ?1";
    let made_at = one(db, made_at, [oldest], |row| row.get(0))?;
    let jobs = |status| count(db, "select count(*) from jobs where status = ?1", [status]);
    Ok(StoreFigures {
        kind: "sqlite",
        schema_version: schema_version.cast_unsigned(),
        waiting: waiting.cast_unsigned(),
        oldest_waiting: made_at.map(Timestamp::from_millis),
        jobs_failed: jobs("failed")?,
    })
}

#[async_trait]
impl Figures for SqliteStore {
    async fn figures(&self) -> Result<StoreFigures, StoreError> {
        self.read(|db, _| figures(db)).await
    }
}
