//! `SubscriptionInfo`, contract section 4.3.

use hookyard_domain::{
    DeliveryMode, DisabledFilter, EventFilter, Secret, Subscription, SubscriptionId, Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::PATH;
use crate::Api;
use crate::operations::answers::shown;
use crate::operations::shapes::DisabledFilterShape;
use crate::operations::wire::{Time, Uuid};

shown!(SubscriptionView<'_> as SubscriptionView<'static>);

/// A subscription as the platform shows it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Subscription")]
pub(crate) struct SubscriptionView<'a> {
    uri: String,
    #[schemars(with = "Uuid")]
    id: SubscriptionId,
    #[schemars(with = "Time")]
    creation_time: Timestamp,
    status: &'static str,
    event_filters: Vec<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schemars(with = "Vec<DisabledFilterShape>")]
    disabled_filters: &'a [DisabledFilter],
    #[schemars(with = "Time")]
    expiration_time: Timestamp,
    expires_in: u64,
    delivery_mode: DeliveryModeView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blacklisted_data: Option<BlacklistedView<'a>>,
}

/// Never shows the verification token.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DeliveryMode")]
struct DeliveryModeView<'a> {
    transport_type: &'static str,
    encryption: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscriber_key: Option<&'a str>,
    /// Without encryption the next two must be absent: clients look whether they are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_algorithm: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_name: Option<&'a str>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BlacklistedData")]
struct BlacklistedView<'a> {
    #[schemars(with = "Time")]
    blacklisted_at: Timestamp,
    reason: &'a str,
}

/// What is shown of `subscription` at `now`.
pub(crate) fn view<'a>(
    api: &'a Api,
    subscription: &'a Subscription,
    now: Timestamp,
) -> SubscriptionView<'a> {
    let blacklisted = subscription.blacklisted.as_ref();
    SubscriptionView {
        uri: format!("{}{PATH}/{}", api.settings.public_url, subscription.id),
        id: subscription.id,
        creation_time: subscription.created_at,
        status: subscription.status.name(),
        event_filters: subscription
            .filters
            .iter()
            .map(EventFilter::as_str)
            .collect(),
        disabled_filters: &subscription.disabled_filters,
        expiration_time: subscription.expires_at,
        expires_in: subscription.expires_in(now),
        delivery_mode: mode_view(api, &subscription.mode),
        blacklisted_data: blacklisted.map(|(at, reason)| BlacklistedView {
            blacklisted_at: *at,
            reason,
        }),
    }
}

fn mode_view<'a>(api: &'a Api, mode: &'a DeliveryMode) -> DeliveryModeView<'a> {
    let plain = DeliveryModeView {
        transport_type: mode.transport().name(),
        encryption: false,
        address: None,
        subscriber_key: None,
        encryption_algorithm: None,
        encryption_key: None,
        registration_id: None,
        certificate_name: None,
    };
    match mode {
        DeliveryMode::WebHook { address, .. } => DeliveryModeView {
            address: Some(address),
            ..plain
        },
        DeliveryMode::WebSocket { .. } => plain,
        DeliveryMode::PubNub {
            channel,
            encryption_key,
        } => DeliveryModeView {
            encryption: encryption_key.is_some(),
            address: Some(channel),
            subscriber_key: api.settings.subscriptions.pubnub_key.as_deref(),
            encryption_algorithm: encryption_key.as_ref().map(|_| "AES"),
            encryption_key: encryption_key.as_ref().map(Secret::reveal),
            ..plain
        },
        DeliveryMode::Push {
            registration_id,
            certificate_name,
            ..
        } => DeliveryModeView {
            registration_id: Some(registration_id),
            certificate_name: Some(certificate_name),
            ..plain
        },
    }
}
