//! Subscriptions.

use std::time::Duration;

use hookyard_domain::{
    AccountId, ClientId, DeliveryMode, EventFilter, PersonId, Secret, Subscription, SubscriptionId,
    SubscriptionStatus, Timestamp,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::error::Fault;
use super::query::{execute, many, one, unreadable};
use crate::vault::Vault;

const PLACE: &str = "subscriptions.verification_token";

pub(super) fn put(
    db: &Connection,
    vault: &Vault,
    subscription: &Subscription,
) -> Result<(), Fault> {
    let sql = "insert into subscriptions (id, account_id, owner_id, client_id, filters, address,
            verification_token_sealed, policy, status, created_at, modified_at, expires_at, ttl_ms,
            blacklisted_at, blacklisted_reason, version)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
        on conflict (id) do update set filters = excluded.filters, address = excluded.address,
            verification_token_sealed = excluded.verification_token_sealed,
            policy = excluded.policy, status = excluded.status,
            modified_at = excluded.modified_at, expires_at = excluded.expires_at,
            ttl_ms = excluded.ttl_ms, blacklisted_at = excluded.blacklisted_at,
            blacklisted_reason = excluded.blacklisted_reason, version = excluded.version";
    let unwritable = |error| Fault::plain(format!("failed to write a subscription: {error}"));
    let filters: Vec<&str> = subscription
        .filters
        .iter()
        .map(EventFilter::as_str)
        .collect();
    let DeliveryMode::WebHook {
        address,
        verification_token,
    } = &subscription.mode;
    let blacklisted = subscription.blacklisted.as_ref();
    let values = params![
        subscription.id.0.as_bytes(),
        subscription.account.as_i64(),
        subscription.owner.as_i64(),
        subscription.client_id.0,
        serde_json::to_string(&filters).map_err(unwritable)?,
        address,
        verification_token
            .as_ref()
            .map(|token| vault.seal(PLACE, token.reveal().as_bytes())),
        serde_json::to_string(&subscription.policy).map_err(unwritable)?,
        subscription.status.name(),
        subscription.created_at.as_millis(),
        subscription.modified_at.as_millis(),
        subscription.expires_at.as_millis(),
        i64::try_from(subscription.ttl.as_millis()).unwrap_or(i64::MAX),
        blacklisted.map(|(at, _)| at.as_millis()),
        blacklisted.map(|(_, reason)| reason),
        subscription.version.cast_signed(),
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

/// Deletes the subscription and gives its waiting deliveries up.
pub(super) fn delete(
    db: &Connection,
    account: AccountId,
    subscription: SubscriptionId,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "select key from subscriptions where id = ?1 and account_id = ?2";
    let ours = params![subscription.0.as_bytes(), account.as_i64()];
    let Some(key) = one(db, sql, ours, |row| row.get::<_, i64>(0))? else {
        return Ok(());
    };
    let sql = "update deliveries
        set state = 'abandoned', finished_at = ?2, reason = 'subscription-ended'
        where subscription_key = ?1 and state = 'waiting'";
    execute(db, sql, params![key, at.as_millis()])?;
    execute(db, "delete from subscriptions where key = ?1", params![key])?;
    Ok(())
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

/// How many other subscriptions the owner and app of `subscription` would have beside it.
pub(super) fn count_beside(db: &Connection, subscription: &Subscription) -> Result<u32, Fault> {
    let sql = "select count(*) from subscriptions
        where account_id = ?1 and owner_id = ?2 and client_id = ?3 and id <> ?4 and expires_at > ?5";
    let values = params![
        subscription.account.as_i64(),
        subscription.owner.as_i64(),
        subscription.client_id.0,
        subscription.id.0.as_bytes(),
        subscription.modified_at.as_millis(),
    ];
    Ok(one(db, sql, values, |row| row.get(0))?.unwrap_or(0))
}

fn read(vault: &Vault, row: &Row<'_>) -> rusqlite::Result<Subscription> {
    let filters: String = row.get(4)?;
    let filters: Vec<String> =
        serde_json::from_str(&filters).map_err(|_| unreadable(4, "a subscription's filters"))?;
    let sealed: Option<Vec<u8>> = row.get(6)?;
    let open = |sealed: Vec<u8>| {
        vault
            .open(PLACE, &sealed)
            .and_then(|token| String::from_utf8(token).ok())
            .map(Secret::new)
            .ok_or_else(|| unreadable(6, "a verification token"))
    };
    let policy: String = row.get(7)?;
    let status: String = row.get(8)?;
    let blacklisted_at: Option<i64> = row.get(13)?;
    let blacklisted_reason: Option<String> = row.get(14)?;
    Ok(Subscription {
        id: SubscriptionId(Uuid::from_bytes(row.get(0)?)),
        account: AccountId::from_i64(row.get(1)?),
        owner: PersonId::from_i64(row.get(2)?),
        client_id: ClientId(row.get(3)?),
        filters: filters
            .iter()
            .map(|text| EventFilter::parse(text))
            .collect::<Result<_, _>>()
            .map_err(|_| unreadable(4, "an event filter"))?,
        mode: DeliveryMode::WebHook {
            address: row.get(5)?,
            verification_token: sealed.map(open).transpose()?,
        },
        policy: serde_json::from_str(&policy).map_err(|_| unreadable(7, "a retry policy"))?,
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
        version: row.get::<_, i64>(15)?.cast_unsigned(),
    })
}

macro_rules! select_subscription {
    ($rest:literal) => {
        concat!(
            "select id, account_id, owner_id, client_id, filters, address,
                verification_token_sealed, policy, status, created_at, modified_at, expires_at,
                ttl_ms, blacklisted_at, blacklisted_reason, version from subscriptions ",
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
        "where account_id = ?1 and owner_id = ?2 and client_id = ?3 order by created_at, key"
    );
    let values = params![account.as_i64(), owner.as_i64(), client_id.0];
    many(db, sql, values, |row| read(vault, row))
}

pub(super) fn active(db: &Connection, vault: &Vault) -> Result<Vec<Subscription>, Fault> {
    let sql = select_subscription!("where status = 'Active' order by key");
    many(db, sql, [], |row| read(vault, row))
}

pub(super) fn with_work(db: &Connection, vault: &Vault) -> Result<Vec<Subscription>, Fault> {
    let sql = select_subscription!(
        "where exists (select 1 from deliveries d
            where d.subscription_key = subscriptions.key and d.state = 'waiting')
        order by key"
    );
    many(db, sql, [], |row| read(vault, row))
}
