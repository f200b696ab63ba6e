//! How a subscription stands in the columns of its row.

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::{
    AccountId, ClientId, DeliveryMode, Endpoint, EventId, PersonId, PushProvider, Secret,
    Subscription, SubscriptionId, SubscriptionStatus, Timestamp, TransportType,
};
use rusqlite::Row;
use uuid::Uuid;

use crate::records::{
    DisabledFiltersRecord, EndpointRecord, FiltersRecord, PolicyRecord, from_json, to_json,
};
use crate::sqlite::error::Fault;
use crate::sqlite::query::unreadable;
use crate::vault::Vault;

/// Where secrets were first sealed; the name is part of what their seal covers.
const PLACE: &str = "subscriptions.verification_token";

const ENDPOINT_PLACE: &str = "subscriptions.endpoint";

/// What the columns of a row say about how events reach the subscriber.
pub(super) struct ModeColumns<'a> {
    pub(super) address: &'a str,
    secret: Option<&'a Secret>,
    pub(super) certificate_name: Option<&'a str>,
}

pub(super) fn mode_columns(mode: &DeliveryMode) -> Result<ModeColumns<'_>, Fault> {
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

/// What is JSON or sealed in the row of a subscription.
#[derive(Debug)]
pub(in crate::sqlite) struct Columns {
    pub(super) filters: String,
    pub(super) secret_sealed: Option<Vec<u8>>,
    pub(super) policy: String,
    pub(super) disabled_filters: String,
    pub(super) endpoint_sealed: Option<Vec<u8>>,
}

pub(in crate::sqlite) fn encode(
    vault: &Vault,
    subscription: &Subscription,
) -> Result<Columns, Fault> {
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
pub(in crate::sqlite) use select_subscription;

pub(in crate::sqlite) fn read(vault: &Vault, row: &Row<'_>) -> rusqlite::Result<Subscription> {
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
