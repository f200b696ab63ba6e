//! Subscriptions.

pub(super) mod history;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{Endpoints, StoreError, Subscriptions};
use hookyard_domain::{
    AccountId, ClientId, DeliveryMode, Endpoint, EventId, PersonId, PushProvider, Secret,
    Subscription, SubscriptionId, SubscriptionStatus, SubscriptionWrite, Timestamp, TransportType,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::error::Fault;
use super::query::{execute, many, one, unreadable};
use crate::records::{
    DisabledFiltersRecord, EndpointRecord, FiltersRecord, PolicyRecord, from_json, to_json,
};
use crate::sqlite::SqliteStore;
use crate::sqlite::row::Transaction;
use crate::vault::Vault;

/// Where secrets were first sealed; the name is part of what their seal covers.
const PLACE: &str = "subscriptions.verification_token";
const ENDPOINT_PLACE: &str = "subscriptions.endpoint";

/// What the columns of a row say about how events reach the subscriber.
struct ModeColumns<'a> {
    address: &'a str,
    secret: Option<&'a Secret>,
    certificate_name: Option<&'a str>,
}

fn mode_columns(mode: &DeliveryMode) -> Result<ModeColumns<'_>, Fault> {
    match mode {
        DeliveryMode::WebHook {
            address,
            verification_token,
        } => Ok(ModeColumns {
            address,
            secret: verification_token.as_ref(),
            certificate_name: None,
        }),
        DeliveryMode::PubNub {
            channel,
            encryption_key,
        } => Ok(ModeColumns {
            address: channel,
            secret: encryption_key.as_ref(),
            certificate_name: None,
        }),
        DeliveryMode::Push {
            registration_id,
            certificate_name,
            ..
        } => Ok(ModeColumns {
            address: registration_id,
            secret: None,
            certificate_name: Some(certificate_name),
        }),
        DeliveryMode::WebSocket { .. } => Err(Fault::plain(
            "subscriptions of WebSocket sessions live in memory",
        )),
    }
}

/// `address`, `secret` and `certificate_name` as the mode that `transport` makes of them; `None`
/// when they do not fit together.
fn mode_of(
    transport: TransportType,
    address: String,
    secret: Option<Secret>,
    certificate_name: Option<String>,
) -> Option<DeliveryMode> {
    let push = |provider, certificate_name| DeliveryMode::Push {
        provider,
        registration_id: address.clone(),
        certificate_name,
    };
    match transport {
        TransportType::WebHook => Some(DeliveryMode::WebHook {
            address,
            verification_token: secret,
        }),
        TransportType::PubNub => Some(DeliveryMode::PubNub {
            channel: address,
            encryption_key: secret,
        }),
        TransportType::Apns => Some(push(PushProvider::Apns, certificate_name?)),
        TransportType::Gcm => Some(push(PushProvider::Gcm, certificate_name?)),
        TransportType::WebSocket => None,
    }
}

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

fn read(vault: &Vault, row: &Row<'_>) -> rusqlite::Result<Subscription> {
    let filters: String = row.get(4)?;
    let sealed: Option<Vec<u8>> = row.get(6)?;
    let open = |sealed: Vec<u8>| {
        vault
            .open(PLACE, &sealed)
            .and_then(|token| String::from_utf8(token).ok())
            .map(Secret::new)
            .ok_or_else(|| unreadable(6, "a subscription's secret"))
    };
    let policy: String = row.get(7)?;
    let status: String = row.get(8)?;
    let blacklisted_at: Option<i64> = row.get(13)?;
    let blacklisted_reason: Option<String> = row.get(14)?;
    let transport: String = row.get(16)?;
    let secret = sealed.map(open).transpose()?;
    let mode = TransportType::from_name(&transport)
        .zip(Some((row.get(5)?, row.get(17)?)))
        .and_then(|(transport, (address, name))| mode_of(transport, address, secret, name))
        .ok_or_else(|| unreadable(16, "a subscription's transport"))?;
    let disabled: String = row.get(18)?;
    let time = |at| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(at)?.map(Timestamp::from_millis))
    };
    Ok(Subscription {
        id: SubscriptionId(Uuid::from_bytes(row.get(0)?)),
        account: AccountId::from_i64(row.get(1)?),
        owner: PersonId::from_i64(row.get(2)?),
        client_id: ClientId(row.get(3)?),
        filters: from_json::<FiltersRecord<'_>, _>(filters)
            .ok_or_else(|| unreadable(4, "a subscription's filters"))?,
        disabled_filters: from_json::<DisabledFiltersRecord<'_>, _>(disabled)
            .ok_or_else(|| unreadable(18, "disabled filters"))?,
        mode,
        policy: from_json::<PolicyRecord<'_>, _>(policy)
            .ok_or_else(|| unreadable(7, "a retry policy"))?,
        status: SubscriptionStatus::from_name(&status)
            .ok_or_else(|| unreadable(8, "a subscription's status"))?,
        created_at: Timestamp::from_millis(row.get(9)?),
        modified_at: Timestamp::from_millis(row.get(10)?),
        expires_at: Timestamp::from_millis(row.get(11)?),
        ttl: Duration::from_millis(row.get::<_, i64>(12)?.cast_unsigned()),
        blacklisted: blacklisted_at.map(|at| {
            (
                Timestamp::from_millis(at),
                blacklisted_reason.unwrap_or_default(),
            )
        }),
        ended_at: time(19)?,
        failing_since: time(20)?,
        catch_up_after: row.get::<_, Option<i64>>(21)?.map(EventId::from_i64),
        paused_at: time(22)?,
        endpoint: row
            .get::<_, Option<Vec<u8>>>(23)?
            .map(|sealed| {
                let opened = vault.open(ENDPOINT_PLACE, &sealed);
                opened
                    .and_then(from_json::<EndpointRecord<'_>, Endpoint>)
                    .map(Arc::new)
                    .ok_or_else(|| unreadable(23, "an endpoint's settings"))
            })
            .transpose()?,
        version: row.get::<_, i64>(15)?.cast_unsigned(),
    })
}

macro_rules! select_subscription {
    ($rest:literal) => {
        concat!(
            "select id, account_id, owner_id, client_id, filters, address,
                secret_sealed, policy, status, created_at, modified_at, expires_at, ttl_ms,
                blacklisted_at, blacklisted_reason, version, transport, certificate_name,
                disabled_filters, ended_at, failing_since, catch_up_after, paused_at,
                endpoint_sealed, key
            from subscriptions ",
            $rest
        )
    };
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

pub(super) fn by_channel(
    db: &Connection,
    vault: &Vault,
    channel: &str,
) -> Result<Option<Subscription>, Fault> {
    let sql = select_subscription!("where transport = 'PubNub' and address = ?1");
    one(db, sql, params![channel], |row| read(vault, row))
}

pub(super) fn all(db: &Connection, vault: &Vault) -> Result<Vec<Subscription>, Fault> {
    let sql = select_subscription!("order by key");
    many(db, sql, [], |row| read(vault, row))
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

/// What is JSON or sealed in the row of a subscription.
#[derive(Debug)]
pub(super) struct Columns {
    filters: String,
    secret_sealed: Option<Vec<u8>>,
    policy: String,
    disabled_filters: String,
    endpoint_sealed: Option<Vec<u8>>,
}

pub(super) fn encode(vault: &Vault, subscription: &Subscription) -> Result<Columns, Fault> {
    let secret = mode_columns(&subscription.mode)?.secret;
    let endpoint = subscription.endpoint.as_deref();
    let endpoint = endpoint.map(|endpoint| to_json(&EndpointRecord::from(endpoint)));
    Ok(Columns {
        filters: to_json(&FiltersRecord::from(&subscription.filters)),
        secret_sealed: secret.map(|secret| vault.seal(PLACE, secret.reveal().as_bytes())),
        policy: to_json(&PolicyRecord::from(&subscription.policy)),
        disabled_filters: to_json(&DisabledFiltersRecord::from(&subscription.disabled_filters)),
        endpoint_sealed: endpoint.map(|settings| vault.seal(ENDPOINT_PLACE, settings.as_bytes())),
    })
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
        | SubscriptionWrite::DeleteAllOf { .. } => Err(Fault::plain(
            "what concerns who gets events is written by the core",
        )),
    }
}

/// The subscriptions of a person, endpoints left out, and by which client.
pub(super) fn ids_of_person(
    db: &Connection,
    account: AccountId,
    owner: PersonId,
) -> Result<Vec<(SubscriptionId, ClientId)>, Fault> {
    let sql = "select id, client_id from subscriptions
        where account_id = ?1 and owner_id = ?2 and endpoint_sealed is null
        order by created_at, key";
    many(db, sql, params![account.as_i64(), owner.as_i64()], |row| {
        Ok((
            SubscriptionId(Uuid::from_bytes(row.get(0)?)),
            ClientId(row.get(1)?),
        ))
    })
}

/// How many endpoints an account has.
pub(super) fn endpoint_count(db: &Connection, account: AccountId) -> Result<u32, Fault> {
    let sql = "select count(*) from subscriptions
        where account_id = ?1 and endpoint_sealed is not null";
    Ok(one(db, sql, params![account.as_i64()], |row| row.get(0))?.unwrap_or(0))
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

    async fn all_subscriptions(&self) -> Result<Vec<Arc<Subscription>>, StoreError> {
        let all = self.read(all).await?;
        Ok(all.into_iter().map(Arc::new).collect())
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

#[async_trait]
impl Endpoints for SqliteStore {
    async fn endpoints(&self, account: AccountId) -> Result<Vec<Arc<Subscription>>, StoreError> {
        let found = self.read(move |db, vault| endpoints(db, vault, account));
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
