//! Webhook endpoints: subscriptions that ask for types of events by name, do not expire, and say
//! themselves how they want to be sent to.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::delivery::retry::{RetryPolicy, RetrySchedule};
use crate::endpoints::signing::SigningSecret;
use crate::events::content_filter::{ContentFilter, document};
use crate::events::event::{Audience, Event, EventKind};
use crate::events::type_name::TypePattern;
use crate::identity::secret::Secret;
use crate::kernel::ids::EventId;
use crate::kernel::time::Timestamp;
use crate::subscriptions::mode::DeliveryMode;
use crate::subscriptions::subscription::{Subscription, SubscriptionStatus};

/// A header that an endpoint wants with every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomHeader {
    pub name: String,
    pub value: Secret,
}

/// How requests prove that they may.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Authorization {
    #[default]
    None,
    Basic {
        username: String,
        password: Secret,
    },
    Bearer {
        token: Secret,
    },
    /// Client credentials (RFC 6749, section 4.4).
    OAuth2 {
        token_url: String,
        client_id: String,
        client_secret: Secret,
        scope: Option<String>,
    },
}

/// How an address shows that it wants events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HandshakeKind {
    #[default]
    None,
    /// It echoes `Validation-Token`, as the platform has it.
    Echo,
    /// It allows our origin when asked with OPTIONS (CloudEvents web hooks, section 4).
    Options,
}

/// What a request's body looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PayloadFormat {
    /// `id`, `type`, `timestamp`, `data`.
    #[default]
    #[serde(rename = "standard")]
    Standard,
    /// A CloudEvent in structured mode.
    #[serde(rename = "cloudevents")]
    CloudEvents,
    /// A CloudEvent in binary mode: the body is the data.
    #[serde(rename = "cloudevents-binary")]
    CloudEventsBinary,
    /// The envelope of subscriptions.
    #[serde(rename = "ringcentral")]
    RingCentral,
}

/// A key that requests are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSecret {
    pub id: String,
    pub secret: SigningSecret,
    pub created_at: Timestamp,
    /// Until when requests are signed with it too, after another has taken its place.
    pub expires_at: Option<Timestamp>,
}

impl EndpointSecret {
    /// A secret that signs from `now` on, until another takes its place.
    pub fn new(id: [u8; 8], secret: SigningSecret, now: Timestamp) -> Self {
        Self {
            id: format!("{:016x}", u64::from_be_bytes(id)),
            secret,
            created_at: now,
            expires_at: None,
        }
    }
}

/// Events that are sent together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    pub interval_ms: u64,
    pub events_max: u32,
}

impl Batching {
    /// The end of the interval that `now` is in. Intervals are the clock's, so that those of one
    /// endpoint are the same after a restart.
    pub fn next_after(&self, now: Timestamp) -> Timestamp {
        let interval = i64::try_from(self.interval_ms.max(1)).unwrap_or(i64::MAX);
        let begun = now.as_millis().div_euclid(interval);
        Timestamp::from_millis((begun + 1).saturating_mul(interval))
    }
}

/// How many requests an endpoint takes in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    pub count: u32,
    pub per_ms: u64,
}

impl RateLimit {
    /// The time between two requests that come evenly.
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.per_ms) / self.count.max(1)
    }
}

/// What makes a subscription an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub description: String,
    pub types: Vec<TypePattern>,
    pub content: Option<ContentFilter>,
    pub headers: Vec<CustomHeader>,
    pub authorization: Authorization,
    pub handshake: HandshakeKind,
    pub format: PayloadFormat,
    /// The newest first; empty when requests are not signed.
    pub secrets: Vec<EndpointSecret>,
    /// A delivery that fails so often, while nothing else gets through, sets the endpoint Errored;
    /// 0 for never.
    pub failure_threshold: u32,
    pub batching: Option<Batching>,
    /// Events in one request, once they are sent together again; while they are not.
    pub batch_max_kept: Option<u32>,
    pub rate: Option<RateLimit>,
    /// One after the other, in the order in which they happened.
    pub ordered: bool,
    /// Who was allowed to send when it was asked with OPTIONS: said with every request.
    pub request_origin: Option<String>,
    /// Why it is Errored, for people.
    pub error: Option<String>,
}

impl Endpoint {
    /// What stands for the pattern where an event is for one endpoint alone.
    pub const FOR_IT_ALONE: &'static str = "*";

    /// The same, in order again.
    pub fn without_error(this: &Arc<Self>) -> Arc<Self> {
        if this.error.is_none() {
            return Arc::clone(this);
        }
        Arc::new(Self {
            error: None,
            ..Self::clone(this)
        })
    }

    /// The first pattern that asks for `event`. `document` makes what content filters look at, and
    /// is asked for only where there is a filter.
    pub fn asks_for<'d>(
        &self,
        event: &Event,
        document: impl FnOnce() -> &'d Value,
    ) -> Option<&TypePattern> {
        let name = event.type_name();
        let pattern = self.types.iter().find(|pattern| pattern.matches(&name))?;
        let wanted = self
            .content
            .as_ref()
            .is_none_or(|content| content.matches(document()));
        wanted.then_some(pattern)
    }

    /// The secrets that requests are signed with at `now`.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &SigningSecret> {
        self.secrets
            .iter()
            .filter(move |secret| secret.expires_at.is_none_or(|at| now < at))
            .map(|secret| &secret.secret)
    }

    /// The same with another signing secret; the former ones stay good for `overlap`.
    #[must_use]
    pub fn with_secret(&self, fresh: EndpointSecret, overlap: Duration) -> Self {
        let now = fresh.created_at;
        let until = now + overlap;
        let mut secrets = vec![fresh];
        secrets.extend(
            self.secrets
                .iter()
                .filter(|old| old.expires_at.is_none_or(|at| now < at) && !overlap.is_zero())
                .map(|old| EndpointSecret {
                    expires_at: Some(old.expires_at.map_or(until, |at| at.min(until))),
                    ..old.clone()
                })
                .take(crate::kernel::limits::ENDPOINT_SECRETS_MAX - 1),
        );
        Self {
            secrets,
            ..self.clone()
        }
    }
}

/// What content filters look at: `type`, `data`, and what its publisher said beside the data.
pub fn document_of(event: &Event) -> Value {
    let said = event.attributes.as_deref();
    let data = serde_json::from_slice(&event.body).unwrap_or(Value::Null);
    document(
        &event.type_name(),
        data,
        said.and_then(|said| said.subject.as_deref()),
        said.and_then(|said| said.source.as_deref()),
    )
}

/// What can happen to an endpoint, as events tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointEventType {
    Created,
    Updated,
    Paused,
    Resumed,
    Errored,
    Deleted,
}

impl EndpointEventType {
    /// `eventType` of the body.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "endpoint.created",
            Self::Updated => "endpoint.updated",
            Self::Paused => "endpoint.paused",
            Self::Resumed => "endpoint.resumed",
            Self::Errored => "endpoint.errored",
            Self::Deleted => "endpoint.deleted",
        }
    }
}

impl SubscriptionStatus {
    /// Its name where it is an endpoint's.
    pub const fn endpoint_name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Suspended => "Paused",
            // Endpoints are not blacklisted; what they have instead is the nearest.
            Self::Errored | Self::Blacklisted => "Errored",
        }
    }
}

/// The event that tells what happened to an endpoint: the endpoints of its account hear of it.
/// `None` for a subscription that is not one.
pub fn endpoint_event(
    subscription: &Subscription,
    event_type: EndpointEventType,
    now: Timestamp,
) -> Option<Event> {
    let endpoint = subscription.endpoint.as_ref()?;
    let DeliveryMode::WebHook { address, .. } = &subscription.mode else {
        return None;
    };
    let status = if event_type == EndpointEventType::Deleted {
        "Deleted"
    } else {
        subscription.status.endpoint_name()
    };
    let body = serde_json::json!({
        "id": subscription.id,
        "url": address,
        "description": endpoint.description,
        "eventTypes": endpoint.types,
        "status": status,
        "reason": endpoint.error,
        "failingSince": subscription.failing_since,
        "eventType": event_type.name(),
    });
    Some(Event {
        account: subscription.account,
        id: EventId::PENDING,
        kind: EventKind::Hookyard,
        event_type: event_type.name().into(),
        audience: Audience::Account,
        chat: None,
        post: None,
        request: None,
        occurred_at: now,
        body: body.to_string().into(),
        confidential: false,
        attributes: None,
    })
}

/// How an endpoint retries unless it says otherwise: the example of Standard Webhooks, three days.
pub fn policy_default() -> RetryPolicy {
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;
    RetryPolicy {
        schedule: RetrySchedule::List {
            delays_ms: vec![
                5_000,
                5 * MINUTE,
                30 * MINUTE,
                2 * HOUR,
                5 * HOUR,
                10 * HOUR,
                14 * HOUR,
                20 * HOUR,
                24 * HOUR,
            ],
        },
        attempts_max: 10,
        age_max_ms: 7 * 24 * HOUR,
        timeout_ms: 15_000,
        concurrency_max: 16,
    }
}
