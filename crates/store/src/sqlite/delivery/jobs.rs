//! Work in the background.

use std::sync::Arc;

use async_trait::async_trait;
use hookyard_domain::kernel::news::NewsItem;
use hookyard_domain::kernel::ports::{JobQuery, Jobs, StoreError};
use hookyard_domain::{AccountId, Job, JobId, JobStatus, JobWrite, Timestamp};
use rusqlite::{Connection, Row, params};

use crate::records::{WorkRecord, from_json, to_json};
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{execute, many, one, unreadable};
use crate::sqlite::row::{Transaction, With};
use crate::vault::Vault;

/// Writes a job. The caller has looked at its guard.
fn put(db: &Connection, job: &Job, work: &str) -> Result<(), Fault> {
    let sql = "insert into jobs (id, account_id, kind, subscription_id, work, status, total, done,
            sent, cursor, created_at, finished_at, error, version)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
        on conflict (id) do update set status = excluded.status, total = excluded.total,
            done = excluded.done, sent = excluded.sent, cursor = excluded.cursor,
            finished_at = excluded.finished_at, error = excluded.error,
            version = excluded.version";
    let endpoint = job.work.endpoint();
    let values = params![
        job.id.as_i64(),
        job.account.as_i64(),
        job.work.kind(),
        endpoint.as_ref().map(|id| id.0.as_bytes()),
        work,
        job.status.name(),
        job.total.map(u64::cast_signed),
        job.done.cast_signed(),
        job.sent.cast_signed(),
        job.cursor.map(u64::cast_signed),
        job.created_at.as_millis(),
        job.finished_at.map(Timestamp::as_millis),
        job.error,
        job.version.cast_signed(),
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// Stops a job that is running.
pub(in crate::sqlite) fn cancel(
    db: &Connection,
    account: AccountId,
    job: JobId,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "update jobs set status = 'cancelled', finished_at = ?3, version = version + 1
        where id = ?1 and account_id = ?2 and status = 'running'";
    execute(
        db,
        sql,
        params![job.as_i64(), account.as_i64(), at.as_millis()],
    )?;
    Ok(())
}

/// Forgets jobs that ended before a moment.
pub(in crate::sqlite) fn purge(db: &Connection, before: Timestamp) -> Result<(), Fault> {
    let sql = "delete from jobs where status <> 'running' and finished_at < ?1";
    execute(db, sql, params![before.as_millis()])?;
    Ok(())
}

pub(in crate::sqlite) fn version(
    db: &Connection,
    account: AccountId,
    job: JobId,
) -> Result<Option<u64>, Fault> {
    let sql = "select version from jobs where id = ?1 and account_id = ?2";
    one(db, sql, params![job.as_i64(), account.as_i64()], |row| {
        row.get(0).map(i64::cast_unsigned)
    })
}

macro_rules! select_job {
    ($rest:literal) => {
        concat!(
            "select id, account_id, work, status, total, done, sent, cursor, created_at,
                finished_at, error, version from jobs ",
            $rest
        )
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<Job> {
    let number =
        |at: usize| -> rusqlite::Result<u64> { Ok(row.get::<_, i64>(at)?.cast_unsigned()) };
    let perhaps = |at: usize| -> rusqlite::Result<Option<u64>> {
        Ok(row.get::<_, Option<i64>>(at)?.map(i64::cast_unsigned))
    };
    let work: String = row.get(2)?;
    let status: String = row.get(3)?;
    Ok(Job {
        id: JobId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        work: from_json::<WorkRecord<'_>, _>(work)
            .ok_or_else(|| unreadable(2, "the work of a job"))?,
        status: JobStatus::from_name(&status)
            .ok_or_else(|| unreadable(3, "the status of a job"))?,
        total: perhaps(4)?,
        done: number(5)?,
        sent: number(6)?,
        cursor: perhaps(7)?,
        created_at: Timestamp::from_millis(row.get(8)?),
        finished_at: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_millis),
        error: row.get(10)?,
        version: number(11)?,
    })
}

pub(in crate::sqlite) fn job(
    db: &Connection,
    account: AccountId,
    job: JobId,
) -> Result<Option<Job>, Fault> {
    let sql = select_job!("where id = ?1 and account_id = ?2");
    one(db, sql, params![job.as_i64(), account.as_i64()], read)
}

/// Jobs that a query asks for, newest first.
pub(in crate::sqlite) fn find(db: &Connection, query: &JobQuery) -> Result<Vec<Job>, Fault> {
    let sql = select_job!(
        "indexed by jobs_by_account
        where account_id = ?1 and id < ?2 and (?3 is null or status = ?3)
            and (?4 is null or kind = ?4) and (?5 is null or subscription_id = ?5)
        order by id desc limit ?6"
    );
    let values = params![
        query.account.as_i64(),
        query.before.map_or(i64::MAX, JobId::as_i64),
        query.status.map(JobStatus::name),
        query.kind,
        query.endpoint.as_ref().map(|id| id.0.as_bytes()),
        query.limit,
    ];
    many(db, sql, values, read)
}

/// The jobs of all accounts that go on, oldest first.
pub(in crate::sqlite) fn running(db: &Connection) -> Result<Vec<Job>, Fault> {
    let sql = select_job!("where status = 'running' order by id");
    many(db, sql, [], read)
}

/// With the work of a job that is put.
pub(in crate::sqlite) type Encoded = With<JobWrite, String>;

pub(in crate::sqlite) fn encode(_: &Vault, write: JobWrite) -> Encoded {
    let columns = match &write {
        JobWrite::Put(job) => to_json(&WorkRecord::from(&job.work)),
        JobWrite::Cancel { .. } | JobWrite::Purge { .. } => String::new(),
    };
    Encoded { write, columns }
}

/// Applies what is written of jobs.
pub(in crate::sqlite) fn write(tx: &mut Transaction<'_>, row: &Encoded) -> Result<(), Fault> {
    match &row.write {
        JobWrite::Put(job) => {
            put(tx.db, job, &row.columns)?;
            if job.version == 1 {
                tx.scope.news.push(NewsItem::Job(Arc::clone(job)));
            }
            Ok(())
        }
        JobWrite::Cancel { account, job, at } => cancel(tx.db, *account, *job, *at),
        JobWrite::Purge { before } => purge(tx.db, *before),
    }
}

#[async_trait]
impl Jobs for SqliteStore {
    async fn job(&self, account: AccountId, job: JobId) -> Result<Option<Job>, StoreError> {
        self.read(move |db, _| self::job(db, account, job)).await
    }

    async fn jobs(&self, query: JobQuery) -> Result<Vec<Job>, StoreError> {
        self.read(move |db, _| find(db, &query)).await
    }

    async fn running_jobs(&self) -> Result<Vec<Job>, StoreError> {
        self.read(|db, _| running(db)).await
    }
}
