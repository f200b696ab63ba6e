//! What is asked of endpoints and told of them, in the words of the wire.

use hookyard_domain::{
    Code, DeliveryId, Endpoint, EventId, PersonId, Subscription, SubscriptionId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::consent::HandshakeView;
use super::settings::Settings;
use crate::endpoints::statistics::DayView;
use crate::kernel::paging::LimitQuery;
use crate::operations::answers::shown;
use crate::operations::wire::{Id, Time, Uuid, shapes};

shapes! {
    pub(super) struct EndpointsQuery {
        #[schemars(flatten)]
        page: LimitQuery,
        #[schemars(extend("enum" = ["Active", "Paused", "Errored"]))]
        status: Option<String>,
        /// Only endpoints that ask for events of this type.
        event_type: Option<String>,
        /// A text in the URL or the description.
        q: Option<String>,
    }

    pub(super) struct RevealQuery {
        /// Shows headers and credentials.
        reveal: Option<bool>,
    }
}

shown!(EndpointView, RevealedSecret<'_> as RevealedSecret<'static>, TestView);

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Endpoint")]
pub(super) struct EndpointView {
    #[schemars(with = "Uuid")]
    pub(super) id: SubscriptionId,
    #[serde(flatten)]
    pub(super) settings: Settings,
    pub(super) status: &'static str,
    /// Why it is not Active, where there is something to say.
    pub(super) status_reason: Option<String>,
    /// Since when it is not Active.
    #[schemars(with = "Option<Time>")]
    pub(super) status_time: Option<Timestamp>,
    #[schemars(with = "Option<Time>")]
    pub(super) failing_since: Option<Timestamp>,
    pub(super) secrets: Vec<SecretView>,
    #[schemars(with = "Id")]
    pub(super) owner_id: PersonId,
    #[schemars(with = "Time")]
    pub(super) creation_time: Timestamp,
    #[schemars(with = "Time")]
    pub(super) last_modified_time: Timestamp,
    pub(super) version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<HandshakeView>")]
    pub(super) handshake_result: Option<Value>,
    /// How it fared in the last day; in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stats: Option<DayView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointSecret")]
pub(super) struct SecretView {
    pub(super) id: String,
    #[schemars(with = "Time")]
    pub(super) creation_time: Timestamp,
    /// Until when it signs beside its successor; null for the current one.
    #[schemars(with = "Option<Time>")]
    pub(super) expires_time: Option<Timestamp>,
}

/// Why an address may be refused.
pub(crate) const SHAKING: &[Code] = &[
    Code::WebHookUnreachable,
    Code::WebHookBadStatus,
    Code::HttpsRequired,
    Code::CertificateInvalid,
    Code::NoValidationToken,
    Code::InvalidWebHookReply,
];

pub(super) fn view(
    subscription: &Subscription,
    endpoint: &Endpoint,
    now: Timestamp,
) -> EndpointView {
    let live = |expires_at: Option<Timestamp>| expires_at.is_none_or(|at| now < at);
    EndpointView {
        id: subscription.id,
        settings: Settings::of(subscription, endpoint).masked(),
        status: subscription.status.endpoint_name(),
        status_reason: endpoint.error.clone(),
        status_time: subscription.paused_at,
        failing_since: subscription.failing_since,
        secrets: endpoint
            .secrets
            .iter()
            .filter(|secret| live(secret.expires_at))
            .map(|secret| SecretView {
                id: secret.id.clone(),
                creation_time: secret.created_at,
                expires_time: secret.expires_at,
            })
            .collect(),
        owner_id: subscription.owner,
        creation_time: subscription.created_at,
        last_modified_time: subscription.modified_at,
        version: subscription.version,
        handshake_result: None,
        stats: None,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RevealedSecret<'a> {
    pub(super) secret: &'a str,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RotateSecret")]
pub(super) struct Rotation {
    pub(super) secret: Option<String>,
    pub(super) overlap_s: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "TestEndpoint")]
pub(super) struct Test {
    pub(super) event_type: String,
    #[serde(default)]
    pub(super) data: Option<Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointTest")]
pub(super) struct TestView {
    #[schemars(with = "Id")]
    pub(super) event_id: EventId,
    #[schemars(with = "Option<Id>")]
    pub(super) delivery_id: Option<DeliveryId>,
}
