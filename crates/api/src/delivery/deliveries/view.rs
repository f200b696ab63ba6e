//! Deliveries, their events and their attempts as they are told.

use crate::operations::answers::shown;
use crate::operations::wire::{Anything, Id, Time, Uuid};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookyard_domain::endpoints::payload;
use hookyard_domain::kernel::limits::SHOWN_BODY_BYTES_MAX;
use hookyard_domain::kernel::ports::FoundDelivery;
use hookyard_domain::{
    Attempt, AttemptOutcome, ChatId, Delivery, DeliveryId, DeliveryState, Event, EventId, PostId,
    RequestId, Subscription, SubscriptionId, Timestamp, Timings, Transcript, UnreachableReason,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

shown!(DeliveryView);

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Delivery")]
pub(super) struct DeliveryView {
    #[schemars(with = "Id")]
    id: DeliveryId,
    #[schemars(with = "Uuid")]
    subscription_id: SubscriptionId,
    /// The same by the name that it has where it is an endpoint.
    #[schemars(with = "Uuid")]
    endpoint_id: SubscriptionId,
    #[schemars(with = "Id")]
    event_id: EventId,
    /// The whole name of the event's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<String>,
    event_filter: String,
    state: &'static str,
    /// The same by the name that lists are searched by.
    status: &'static str,
    /// When the next attempt is due; waiting deliveries only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    due_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    next_attempt_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    finish_time: Option<Timestamp>,
    /// Why it was given up; abandoned deliveries only.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    attempts: u32,
    /// How the last attempt ended; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_response_code: Option<u16>,
    possible_repeat: bool,
    #[schemars(with = "Time")]
    creation_time: Timestamp,
}

impl From<&Delivery> for DeliveryView {
    fn from(delivery: &Delivery) -> Self {
        let (state, due_time, finish_time, reason) = match delivery.state {
            DeliveryState::Waiting { due_at } => ("waiting", Some(due_at), None, None),
            DeliveryState::Delivered { at } => ("delivered", None, Some(at), None),
            DeliveryState::Abandoned { at, reason } => {
                ("abandoned", None, Some(at), Some(reason.name()))
            }
        };
        Self {
            id: delivery.id,
            subscription_id: delivery.subscription,
            endpoint_id: delivery.subscription,
            event_id: delivery.event,
            event_type: None,
            event_filter: delivery.filter.clone(),
            state,
            status: state,
            due_time,
            next_attempt_time: due_time,
            finish_time,
            reason,
            attempts: delivery.attempts,
            last_outcome: None,
            last_response_code: None,
            possible_repeat: delivery.possible_repeat,
            creation_time: delivery.created_at,
        }
    }
}

impl From<&FoundDelivery> for DeliveryView {
    fn from(found: &FoundDelivery) -> Self {
        let last = found.last.as_ref();
        Self {
            event_type: Some(found.type_name.clone()),
            last_outcome: last.map(|last| last.outcome.clone()),
            last_response_code: last.and_then(|last| last.status),
            ..Self::from(&found.delivery)
        }
    }
}

impl DeliveryView {
    /// The same with what its event and its attempts say of it.
    pub(super) fn told_by(self, event: Option<&Event>, attempts: &[Attempt]) -> Self {
        let last = attempts.last();
        Self {
            event_type: event.map(|event| event.type_name().into_owned()),
            last_outcome: last.map(|last| outcome_name(&last.outcome).to_owned()),
            last_response_code: last.and_then(|last| last.outcome.status()),
            ..self
        }
    }
}

/// `accepted`, `refused`, or why the receiver was unreachable.
const fn outcome_name(outcome: &AttemptOutcome) -> &'static str {
    match outcome {
        AttemptOutcome::Accepted { .. } => "accepted",
        AttemptOutcome::Refused { .. } => "refused",
        AttemptOutcome::Unreachable { reason } => reason.name(),
    }
}

/// A body as it can be shown.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SentBody")]
pub(super) struct BodyView {
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// Of a body that is not text.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    /// There is more of it.
    truncated: bool,
}

impl BodyView {
    fn of(bytes: &[u8]) -> Self {
        let truncated = bytes.len() > SHOWN_BODY_BYTES_MAX;
        let mut shown = &bytes[..bytes.len().min(SHOWN_BODY_BYTES_MAX)];
        if truncated && let Err(error) = std::str::from_utf8(shown) {
            // A character that was cut in two would make a text look like none.
            let whole = error.valid_up_to();
            if shown.len() - whole < 4 {
                shown = &shown[..whole];
            }
        }
        let body = std::str::from_utf8(shown).ok().map(str::to_owned);
        Self {
            body_base64: body.is_none().then(|| STANDARD.encode(shown)),
            body,
            truncated,
        }
    }
}

/// What was sent. Secrets in headers are masked.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SentRequest")]
struct RequestView<'a> {
    method: &'static str,
    url: &'a str,
    headers: &'a [(String, String)],
    /// Other deliveries that went with it, and are not in the body here.
    batched_with: u32,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    body: Option<&'a BodyView>,
}

/// What was answered.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReceivedResponse")]
struct ResponseView<'a> {
    headers: &'a [(String, String)],
    body: &'a str,
    truncated: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the unit is part of each name")]
#[schemars(rename = "AttemptTimings")]
struct TimingsView {
    dns_us: u64,
    connect_us: u64,
    tls_us: u64,
    wait_us: u64,
    total_us: u64,
}

impl From<&Timings> for TimingsView {
    fn from(timings: &Timings) -> Self {
        Self {
            dns_us: timings.dns_us,
            connect_us: timings.connect_us,
            tls_us: timings.tls_us,
            wait_us: timings.wait_us,
            total_us: timings.total_us,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Attempt")]
pub(super) struct AttemptView<'a> {
    number: u32,
    #[schemars(with = "Time")]
    start_time: Timestamp,
    connect_micros: u64,
    total_micros: u64,
    timings: TimingsView,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The same by the name that lists are searched by.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    /// The address that was dialled.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_excerpt: Option<&'a str>,
    /// Why there was no access token to send it with.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// Of endpoints only, as is the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<RequestView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<ResponseView<'a>>,
}

impl<'a> AttemptView<'a> {
    /// `body` is what its delivery sends.
    pub(super) fn of(attempt: &'a Attempt, body: Option<&'a BodyView>) -> Self {
        let retry_after = match attempt.outcome {
            AttemptOutcome::Refused { retry_after, .. } => retry_after,
            AttemptOutcome::Accepted { .. } | AttemptOutcome::Unreachable { .. } => None,
        };
        let status = attempt.outcome.status();
        let said = attempt.transcript.as_deref();
        let request = |said: &'a Transcript| RequestView {
            method: "POST",
            url: &said.url,
            headers: &said.request_headers,
            batched_with: said.batched_with,
            body,
        };
        let response = |said: &'a Transcript| ResponseView {
            headers: &said.answer_headers,
            body: attempt.answer_excerpt.as_deref().unwrap_or_default(),
            truncated: said.answer_truncated,
        };
        let reason = UnreachableReason::NoAccessToken;
        let tokenless = attempt.outcome == AttemptOutcome::Unreachable { reason };
        let excerpt = attempt.answer_excerpt.as_deref();
        Self {
            number: attempt.number,
            start_time: attempt.started_at,
            connect_micros: attempt.timings.connect_us,
            total_micros: attempt.timings.total_us,
            timings: TimingsView::from(&attempt.timings),
            outcome: outcome_name(&attempt.outcome),
            status,
            response_code: status,
            retry_after_seconds: retry_after.map(|pause| pause.as_secs()),
            peer: attempt.peer.as_deref(),
            address: attempt.peer.as_deref(),
            answer_excerpt: excerpt.filter(|_| !tokenless),
            detail: excerpt.filter(|_| tokenless),
            request: said.map(request),
            response: said.filter(|_| status.is_some()).map(response),
        }
    }
}

/// The body that a delivery sends, made again of what is stored; by the endpoint's settings as they
/// are now.
pub(super) fn body_of(subscription: &Subscription, event: &Event, delivery: &Delivery) -> BodyView {
    let brought = (event, delivery.filter.as_str());
    BodyView::of(&payload::request_body(
        subscription,
        brought,
        std::iter::empty(),
    ))
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DeliveredEvent")]
pub(super) struct EventView<'a> {
    #[schemars(with = "Id")]
    id: EventId,
    /// The `eventType` of the body.
    event_type: &'a str,
    /// The whole name of its type.
    #[serde(rename = "type")]
    type_name: String,
    #[schemars(with = "Time")]
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Id>")]
    chat_id: Option<ChatId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Id>")]
    post_id: Option<PostId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Id>")]
    request_id: Option<RequestId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    /// Null when it is not JSON.
    #[schemars(with = "Option<Anything>")]
    body: Option<&'a RawValue>,
    #[schemars(with = "Option<Anything>")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
}

impl<'a> From<&'a Event> for EventView<'a> {
    fn from(event: &'a Event) -> Self {
        let said = event.attributes.as_deref();
        let body = serde_json::from_slice(&event.body).ok();
        Self {
            id: event.id,
            event_type: &event.event_type,
            type_name: event.type_name().into_owned(),
            timestamp: event.occurred_at,
            chat_id: event.chat,
            post_id: event.post,
            request_id: event.request,
            subject: said.and_then(|said| said.subject.as_deref()),
            source: said.and_then(|said| said.source.as_deref()),
            body,
            data: body,
            data_base64: body.is_none().then(|| STANDARD.encode(&event.body)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = format!("x{}", "ä".repeat(SHOWN_BODY_BYTES_MAX));
        let shown = BodyView::of(text.as_bytes());
        assert!(shown.truncated);
        let body = shown.body.expect("it is text");
        assert!(text.starts_with(&body) && body.len() > SHOWN_BODY_BYTES_MAX - 4);
        assert_eq!(shown.body_base64, None);
    }

    #[test]
    fn what_is_not_text_is_encoded() {
        let shown = BodyView::of(b"\xff\x00");
        assert_eq!((shown.body, shown.truncated), (None, false));
        assert_eq!(shown.body_base64.as_deref(), Some("/wA="));
    }
}
