//! Subscriptions.

pub(super) mod columns;
pub(super) mod history;
mod places;

use std::sync::Arc;

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{StoreError, Subscriptions};
use hookyard_domain::subscriptions::life_cycle::Place;
use hookyard_domain::{
    AccountId, ClientId, EventId, PersonId, Subscription, SubscriptionId, SubscriptionWrite,
    Timestamp,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::error::Fault;
use super::query::{execute, many, one};
use crate::commit::{Ending, Whose};
use crate::sqlite::SqliteStore;
use crate::sqlite::row::Transaction;
use crate::vault::Vault;
use columns::{Columns, mode_columns, read, select_subscription};

/// Writes all but since when it fails, which begins anew when it becomes active again.
pub(super) fn put(
    db: &Connection,
    subscription: &Subscription,
    columns: &Columns,
) -> Result<(), Fault> {
    // A number is never given twice: deliveries outlive their subscription, and tell it by that.
    let sql = "insert into subscriptions (key, id, account_id, owner_id, client_id, filters,
            address, secret_sealed, policy, status, created_at, modified_at, expires_at, ttl_ms,
            blacklisted_at, blacklisted_reason, version, transport, certificate_name,
            disabled_filters, ended_at, catch_up_after, paused_at, endpoint_sealed)
        values (1 + max(coalesce((select max(key) from subscriptions), 0),
                coalesce((select max(subscription_key) from deliveries), 0),
                coalesce((select max(subscription_key) from endpoint_statistics), 0)), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19, ?20, ?21, ?22, ?23)
        on conflict (id) do update set filters = excluded.filters, address = excluded.address,
            secret_sealed = excluded.secret_sealed, policy = excluded.policy,
            status = excluded.status, modified_at = excluded.modified_at,
            expires_at = excluded.expires_at, ttl_ms = excluded.ttl_ms,
            blacklisted_at = excluded.blacklisted_at,
            blacklisted_reason = excluded.blacklisted_reason, version = excluded.version,
            failing_since = case when excluded.status = 'Active' and status <> 'Active' then null
                else failing_since end,
            disabled_filters = excluded.disabled_filters, ended_at = excluded.ended_at,
            catch_up_after = excluded.catch_up_after, paused_at = excluded.paused_at,
            endpoint_sealed = excluded.endpoint_sealed";
    let mode = mode_columns(&subscription.mode)?;
    let blacklisted = subscription.blacklisted.as_ref();
    let values = params![
        subscription.id.0.as_bytes(),
        subscription.account.as_i64(),
        subscription.owner.as_i64(),
        subscription.client_id.0,
        columns.filters,
        mode.address,
        columns.secret_sealed,
        columns.policy,
        subscription.status.name(),
        subscription.created_at.as_millis(),
        subscription.modified_at.as_millis(),
        subscription.expires_at.as_millis(),
        i64::try_from(subscription.ttl.as_millis()).unwrap_or(i64::MAX),
        blacklisted.map(|(at, _)| at.as_millis()),
        blacklisted.map(|(_, reason)| reason),
        subscription.version.cast_signed(),
        subscription.mode.transport().name(),
        mode.certificate_name,
        columns.disabled_filters,
        subscription.ended_at.map(Timestamp::as_millis),
        subscription.catch_up_after.map(EventId::as_i64),
        subscription.paused_at.map(Timestamp::as_millis),
        columns.endpoint_sealed,
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// Remembers since when it fails.
pub(super) fn set_failing(
    db: &Connection,
    account: AccountId,
    subscription: SubscriptionId,
    since: Option<Timestamp>,
) -> Result<(), Fault> {
    let sql = "update subscriptions set failing_since = ?3 where id = ?1 and account_id = ?2";
    let values = params![
        subscription.0.as_bytes(),
        account.as_i64(),
        since.map(Timestamp::as_millis),
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// Remembers how far catching up has come.
pub(super) fn set_catch_up(
    db: &Connection,
    account: AccountId,
    subscription: SubscriptionId,
    after: Option<EventId>,
) -> Result<(), Fault> {
    let sql = "update subscriptions set catch_up_after = ?3 where id = ?1 and account_id = ?2";
    let values = params![
        subscription.0.as_bytes(),
        account.as_i64(),
        after.map(EventId::as_i64),
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// The number that deliveries carry in place of the id.
pub(super) fn key(db: &Connection, subscription: SubscriptionId) -> Result<Option<i64>, Fault> {
    let sql = "select key from subscriptions where id = ?1";
    one(db, sql, params![subscription.0.as_bytes()], |row| {
        row.get(0)
    })
}

fn abandon_waiting_of(db: &Connection, key: i64, at: Timestamp) -> Result<(), Fault> {
    let sql = "update deliveries
        set state = 'abandoned', finished_at = ?2, reason = 'subscription-ended'
        where subscription_key = ?1 and state = 'waiting'";
    execute(db, sql, params![key, at.as_millis()])?;
    Ok(())
}

/// Gives the waiting deliveries of a subscription up.
pub(super) fn abandon_waiting(
    db: &Connection,
    account: AccountId,
    subscription: SubscriptionId,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "select key from subscriptions where id = ?1 and account_id = ?2";
    let ours = params![subscription.0.as_bytes(), account.as_i64()];
    if let Some(key) = one(db, sql, ours, |row| row.get::<_, i64>(0))? {
        abandon_waiting_of(db, key, at)?;
    }
    Ok(())
}

/// Deletes the subscription and gives its waiting deliveries up; false when it is not there.
pub(super) fn delete(
    db: &Connection,
    account: AccountId,
    subscription: SubscriptionId,
    at: Timestamp,
) -> Result<bool, Fault> {
    let sql = "select key from subscriptions where id = ?1 and account_id = ?2";
    let ours = params![subscription.0.as_bytes(), account.as_i64()];
    let Some(key) = one(db, sql, ours, |row| row.get::<_, i64>(0))? else {
        return Ok(false);
    };
    abandon_waiting_of(db, key, at)?;
    execute(db, "delete from subscriptions where key = ?1", params![key])?;
    Ok(true)
}

pub(super) fn version(
    db: &Connection,
    account: AccountId,
    subscription: SubscriptionId,
) -> Result<Option<u64>, Fault> {
    let sql = "select version from subscriptions where id = ?1 and account_id = ?2";
    one(
        db,
        sql,
        params![subscription.0.as_bytes(), account.as_i64()],
        |row| row.get(0).map(i64::cast_unsigned),
    )
}

/// How many subscriptions of a person and client have not expired.
pub(super) fn count(
    db: &Connection,
    account: AccountId,
    owner: PersonId,
    client_id: &ClientId,
    now: Timestamp,
) -> Result<u32, Fault> {
    let sql = "select count(*) from subscriptions
        where account_id = ?1 and owner_id = ?2 and client_id = ?3 and expires_at > ?4
            and endpoint_sealed is null";
    let values = params![
        account.as_i64(),
        owner.as_i64(),
        client_id.0,
        now.as_millis()
    ];
    Ok(one(db, sql, values, |row| row.get(0))?.unwrap_or(0))
}

pub(super) fn subscription(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    subscription: SubscriptionId,
) -> Result<Option<Subscription>, Fault> {
    let sql = select_subscription!("where id = ?1 and account_id = ?2");
    one(
        db,
        sql,
        params![subscription.0.as_bytes(), account.as_i64()],
        |row| read(vault, row),
    )
}

pub(super) fn by_id(
    db: &Connection,
    vault: &Vault,
    subscription: SubscriptionId,
) -> Result<Option<Subscription>, Fault> {
    let sql = select_subscription!("where id = ?1");
    one(db, sql, params![subscription.0.as_bytes()], |row| {
        read(vault, row)
    })
}

pub(super) fn of_owner(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    owner: PersonId,
    client_id: &ClientId,
) -> Result<Vec<Subscription>, Fault> {
    let sql = select_subscription!(
        "where account_id = ?1 and owner_id = ?2 and client_id = ?3 and endpoint_sealed is null
        order by created_at, key"
    );
    let values = params![account.as_i64(), owner.as_i64(), client_id.0];
    many(db, sql, values, |row| read(vault, row))
}

pub(super) fn of_person(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    owner: PersonId,
) -> Result<Vec<Subscription>, Fault> {
    let sql = select_subscription!(
        "where account_id = ?1 and owner_id = ?2 and endpoint_sealed is null
        order by created_at, key"
    );
    let values = params![account.as_i64(), owner.as_i64()];
    many(db, sql, values, |row| read(vault, row))
}

pub(super) fn by_channel(
    db: &Connection,
    vault: &Vault,
    channel: &str,
) -> Result<Option<Subscription>, Fault> {
    let sql = select_subscription!("where transport = 'PubNub' and address = ?1");
    one(db, sql, params![channel], |row| read(vault, row))
}

/// Those that deliveries are written for, with the numbers that their deliveries carry.
pub(super) fn taking(db: &Connection, vault: &Vault) -> Result<Vec<(Subscription, i64)>, Fault> {
    let sql =
        select_subscription!("where status = 'Active' or endpoint_sealed is not null order by key");
    many(db, sql, [], |row| Ok((read(vault, row)?, row.get(24)?)))
}

pub(super) fn with_work(db: &Connection, vault: &Vault) -> Result<Vec<Subscription>, Fault> {
    let sql = select_subscription!(
        "where exists (select 1 from deliveries d
            where d.subscription_key = subscriptions.key and d.state = 'waiting')
        order by key"
    );
    many(db, sql, [], |row| read(vault, row))
}

/// Applies what is written of subscriptions, but for what concerns who gets events.
pub(super) fn write(tx: &Transaction<'_>, write: &SubscriptionWrite) -> Result<(), Fault> {
    match write {
        SubscriptionWrite::SetFailing {
            account,
            subscription,
            since,
        } => set_failing(tx.db, *account, *subscription, *since),
        SubscriptionWrite::SetCatchUp {
            account,
            subscription,
            after,
        } => set_catch_up(tx.db, *account, *subscription, *after),
        SubscriptionWrite::AbandonWaiting {
            account,
            subscription,
            at,
        } => abandon_waiting(tx.db, *account, *subscription, *at),
        SubscriptionWrite::Put(_)
        | SubscriptionWrite::Delete { .. }
        | SubscriptionWrite::DeleteAllOf { .. }
        | SubscriptionWrite::DeleteAllThrough { .. } => Err(Fault::plain(
            "what concerns who gets events is written by the core",
        )),
    }
}

/// The subscriptions of a person or an app, endpoints left out.
pub(super) fn ending(
    db: &Connection,
    account: AccountId,
    whose: &Whose,
) -> Result<Vec<Ending>, Fault> {
    let read = |row: &Row<'_>| {
        Ok(Ending {
            subscription: SubscriptionId(Uuid::from_bytes(row.get(0)?)),
            owner: PersonId::from_i64(row.get(1)?),
            client_id: ClientId(row.get(2)?),
        })
    };
    match whose {
        Whose::Owner(owner) => {
            let sql = "select id, owner_id, client_id from subscriptions
                where account_id = ?1 and owner_id = ?2 and endpoint_sealed is null
                order by created_at, key";
            many(db, sql, params![account.as_i64(), owner.as_i64()], read)
        }
        Whose::Client(client_id) => {
            let sql = "select id, owner_id, client_id from subscriptions
                where account_id = ?1 and client_id = ?2 and endpoint_sealed is null
                order by created_at, key";
            many(db, sql, params![account.as_i64(), client_id.0], read)
        }
    }
}

#[async_trait]
impl Subscriptions for SqliteStore {
    async fn subscription(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
    ) -> Result<Option<Arc<Subscription>>, StoreError> {
        let found =
            self.read(move |db, vault| self::subscription(db, vault, account, subscription));
        Ok(found.await?.map(Arc::new))
    }

    async fn subscriptions(
        &self,
        account: AccountId,
        owner: PersonId,
        client_id: &ClientId,
    ) -> Result<Vec<Subscription>, StoreError> {
        let client_id = client_id.clone();
        self.read(move |db, vault| of_owner(db, vault, account, owner, &client_id))
            .await
    }

    async fn subscription_count(
        &self,
        account: AccountId,
        owner: PersonId,
        client_id: &ClientId,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let client_id = client_id.clone();
        self.read(move |db, _| count(db, account, owner, &client_id, now))
            .await
    }

    async fn subscriptions_of_person(
        &self,
        account: AccountId,
        owner: PersonId,
    ) -> Result<Vec<Subscription>, StoreError> {
        self.read(move |db, vault| of_person(db, vault, account, owner))
            .await
    }

    async fn subscription_places(&self) -> Result<Vec<Place>, StoreError> {
        self.read(|db, _| places::all(db)).await
    }

    async fn subscription_by_channel(
        &self,
        channel: &str,
    ) -> Result<Option<Arc<Subscription>>, StoreError> {
        let channel = channel.to_owned();
        let found = self
            .read(move |db, vault| by_channel(db, vault, &channel))
            .await?;
        Ok(found.map(Arc::new))
    }

    async fn subscriptions_with_work(&self) -> Result<Vec<Arc<Subscription>>, StoreError> {
        let found = self.read(with_work).await?;
        Ok(found.into_iter().map(Arc::new).collect())
    }
}
