//! How endpoints fare, five minutes to a row.
//!
//! The writer counts what a batch of changes records in memory, and adds it to the rows at the end
//! of the batch: one row is read and written for each endpoint and commit, however many attempts
//! there were.

use async_trait::async_trait;
use hookyard_domain::endpoints::statistics::bucket_of;
use hookyard_domain::kernel::ports::{EndpointStatistics, StoreError};
use hookyard_domain::{
    AccountId, HourSums, Statistics, StatisticsBucket, StatisticsWrite, SubscriptionId, Timestamp,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use crate::commit::Tally;
use crate::records::{LatencyRecord, OutcomesRecord, from_json, to_json};
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{execute, many, one, unreadable};
use crate::sqlite::row::Transaction;

/// Adds what was counted to the rows of the period that `now` is in.
pub(in crate::sqlite) fn add(db: &Connection, tally: &Tally, now: Timestamp) -> Result<(), Fault> {
    let begins_at = bucket_of(now);
    for (key, counted) in tally {
        let known = at(db, *key, begins_at)?;
        let all = match known {
            Some(mut known) => {
                known.add(counted);
                known
            }
            None => counted.clone(),
        };
        put(db, *key, begins_at, &all)?;
    }
    Ok(())
}

fn put(
    db: &Connection,
    key: i64,
    begins_at: Timestamp,
    statistics: &Statistics,
) -> Result<(), Fault> {
    let sql = "insert or replace into endpoint_statistics (subscription_key, begins_at, delivered,
            abandoned, attempts, failed_attempts, outcomes, latency)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = params![
        key,
        begins_at.as_millis(),
        statistics.delivered.cast_signed(),
        statistics.abandoned.cast_signed(),
        statistics.attempt_count().cast_signed(),
        statistics.failed_attempts().cast_signed(),
        to_json(&OutcomesRecord::from(&statistics.attempts)),
        to_json(&LatencyRecord::from(&statistics.latency)),
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// Reads statistics in columns 0 to 3.
fn read(row: &Row<'_>) -> rusqlite::Result<Statistics> {
    let outcomes: String = row.get(2)?;
    let latency: String = row.get(3)?;
    let attempts = from_json::<OutcomesRecord, _>(outcomes)
        .ok_or_else(|| unreadable(2, "the count of outcomes"))?;
    let latency = from_json::<LatencyRecord<'_>, _>(latency)
        .ok_or_else(|| unreadable(3, "the count of latencies"))?;
    Ok(Statistics {
        delivered: row.get::<_, i64>(0)?.cast_unsigned(),
        abandoned: row.get::<_, i64>(1)?.cast_unsigned(),
        attempts,
        latency,
    })
}

fn at(db: &Connection, key: i64, begins_at: Timestamp) -> Result<Option<Statistics>, Fault> {
    let sql = "select delivered, abandoned, outcomes, latency from endpoint_statistics
        where subscription_key = ?1 and begins_at = ?2";
    one(db, sql, params![key, begins_at.as_millis()], read)
}

/// Forgets an endpoint that was deleted.
pub(in crate::sqlite) fn forget(db: &Connection, key: i64) -> Result<(), Fault> {
    let sql = "delete from endpoint_statistics where subscription_key = ?1";
    execute(db, sql, params![key])?;
    Ok(())
}

/// Forgets what was before a moment.
pub(in crate::sqlite) fn purge(db: &Connection, before: Timestamp) -> Result<(), Fault> {
    let keys = many(
        db,
        "select key from subscriptions where endpoint_sealed is not null",
        [],
        |row| row.get::<_, i64>(0),
    )?;
    let sql = "delete from endpoint_statistics where subscription_key = ?1 and begins_at < ?2";
    for key in keys {
        execute(db, sql, params![key, before.as_millis()])?;
    }
    Ok(())
}

/// The rows of one endpoint, oldest first.
pub(in crate::sqlite) fn of_endpoint(
    db: &Connection,
    account: AccountId,
    endpoint: SubscriptionId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<StatisticsBucket>, Fault> {
    let sql = "select t.delivered, t.abandoned, t.outcomes, t.latency, t.begins_at
        from subscriptions s join endpoint_statistics t on t.subscription_key = s.key
        where s.id = ?1 and s.account_id = ?2 and t.begins_at >= ?3 and t.begins_at < ?4
        order by t.begins_at";
    let values = params![
        endpoint.0.as_bytes(),
        account.as_i64(),
        from.as_millis(),
        to.as_millis()
    ];
    many(db, sql, values, |row| {
        Ok(StatisticsBucket {
            statistics: read(row)?,
            begins_at: Timestamp::from_millis(row.get(4)?),
        })
    })
}

/// The sums of each endpoint of an account and each hour.
pub(in crate::sqlite) fn by_hour(
    db: &Connection,
    account: AccountId,
    from: Timestamp,
) -> Result<Vec<(SubscriptionId, Timestamp, HourSums)>, Fault> {
    let sql = "select s.id, t.begins_at / 3600000 * 3600000, sum(t.delivered), sum(t.abandoned),
            sum(t.attempts), sum(t.failed_attempts)
        from subscriptions s indexed by endpoints_by_account
            join endpoint_statistics t on t.subscription_key = s.key
        where s.account_id = ?1 and s.endpoint_sealed is not null and t.begins_at >= ?2
        group by 1, 2 order by 1, 2";
    many(
        db,
        sql,
        params![account.as_i64(), from.as_millis()],
        |row| {
            let number =
                |at: usize| -> rusqlite::Result<u64> { Ok(row.get::<_, i64>(at)?.cast_unsigned()) };
            Ok((
                SubscriptionId(Uuid::from_bytes(row.get(0)?)),
                Timestamp::from_millis(row.get(1)?),
                HourSums {
                    delivered: number(2)?,
                    abandoned: number(3)?,
                    attempts: number(4)?,
                    failed_attempts: number(5)?,
                },
            ))
        },
    )
}

/// Applies what is written of statistics.
pub(in crate::sqlite) fn write(tx: &Transaction<'_>, write: &StatisticsWrite) -> Result<(), Fault> {
    match write {
        StatisticsWrite::Purge { before } => purge(tx.db, *before),
    }
}

#[async_trait]
impl EndpointStatistics for SqliteStore {
    async fn statistics(
        &self,
        account: AccountId,
        endpoint: SubscriptionId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<StatisticsBucket>, StoreError> {
        self.read(move |db, _| of_endpoint(db, account, endpoint, from, to))
            .await
    }

    async fn statistics_by_hour(
        &self,
        account: AccountId,
        from: Timestamp,
    ) -> Result<Vec<(SubscriptionId, Timestamp, HourSums)>, StoreError> {
        self.read(move |db, _| by_hour(db, account, from)).await
    }
}
