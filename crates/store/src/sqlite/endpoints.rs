//! Endpoints: subscriptions that an account keeps.

pub(super) mod statistics;

use std::sync::Arc;

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{Endpoints, StoreError};
use hookyard_domain::{AccountId, Subscription, Timestamp};
use rusqlite::{Connection, params};

use super::error::Fault;
use super::query::{many, one};
use super::subscriptions::columns::{read, select_subscription};
use crate::sqlite::SqliteStore;
use crate::vault::Vault;

pub(super) fn endpoints(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
) -> Result<Vec<Subscription>, Fault> {
    let sql = select_subscription!(
        "where account_id = ?1 and endpoint_sealed is not null order by created_at, key"
    );
    many(db, sql, params![account.as_i64()], |row| read(vault, row))
}

pub(super) fn endpoints_addressing(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    part: &str,
) -> Result<Vec<Subscription>, Fault> {
    let sql = select_subscription!(
        "where account_id = ?1 and endpoint_sealed is not null and instr(address, ?2) > 0
        order by created_at, key"
    );
    many(db, sql, params![account.as_i64(), part], |row| {
        read(vault, row)
    })
}

/// Those of all accounts that have been Errored since `since` or later.
fn errored_since(
    db: &Connection,
    vault: &Vault,
    since: Timestamp,
) -> Result<Vec<Subscription>, Fault> {
    let sql = select_subscription!(
        "where status = 'Errored' and endpoint_sealed is not null
            and (paused_at is null or paused_at >= ?1)
        order by key"
    );
    many(db, sql, params![since.as_millis()], |row| read(vault, row))
}

/// How many endpoints an account has.
pub(super) fn count(db: &Connection, account: AccountId) -> Result<u32, Fault> {
    let sql = "select count(*) from subscriptions
        where account_id = ?1 and endpoint_sealed is not null";
    Ok(one(db, sql, params![account.as_i64()], |row| row.get(0))?.unwrap_or(0))
}

#[async_trait]
impl Endpoints for SqliteStore {
    async fn endpoints(&self, account: AccountId) -> Result<Vec<Arc<Subscription>>, StoreError> {
        let found = self.read(move |db, vault| endpoints(db, vault, account));
        Ok(found.await?.into_iter().map(Arc::new).collect())
    }

    async fn endpoints_errored_since(
        &self,
        since: Timestamp,
    ) -> Result<Vec<Arc<Subscription>>, StoreError> {
        let found = self.read(move |db, vault| errored_since(db, vault, since));
        Ok(found.await?.into_iter().map(Arc::new).collect())
    }

    async fn endpoints_addressing(
        &self,
        account: AccountId,
        part: &str,
    ) -> Result<Vec<Arc<Subscription>>, StoreError> {
        let part = part.to_owned();
        let found = self.read(move |db, vault| endpoints_addressing(db, vault, account, &part));
        Ok(found.await?.into_iter().map(Arc::new).collect())
    }
}
