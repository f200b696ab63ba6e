//! What endpoints ask for: formats, signatures, authorization, headers of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hookyard_domain::endpoints::endpoint::{Authorization, PayloadFormat};
use hookyard_domain::endpoints::payload;
use hookyard_domain::endpoints::signing::signature_header;
use hookyard_domain::kernel::news::CommittedDelivery;
use hookyard_domain::{Endpoint, Event};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::transport::Sending;

const AGENT: &str = concat!("Hookyard/", env!("CARGO_PKG_VERSION"));

/// Headers of Standard Webhooks 1.0.
const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// CloudEvents name no charset: the official SDKs know their media types by the whole text.
const fn content_type(format: PayloadFormat, batched: bool) -> &'static str {
    match (format, batched) {
        (PayloadFormat::CloudEvents, true) => "application/cloudevents-batch+json",
        (PayloadFormat::CloudEvents, false) => "application/cloudevents+json",
        _ => "application/json; charset=UTF-8",
    }
}

/// What is the same for every attempt. `None` when a header cannot be written.
pub(super) fn prepare(endpoint: &Endpoint, headers: &mut HeaderMap) -> Option<()> {
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    let batched = endpoint.batching.is_some();
    let kind = content_type(endpoint.format, batched);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let proof = match &endpoint.authorization {
        // The token of the last is asked for before each attempt.
        Authorization::None | Authorization::OAuth2 { .. } => None,
        Authorization::Basic { username, password } => {
            let both = format!("{username}:{}", password.reveal());
            Some(format!("Basic {}", STANDARD.encode(both)))
        }
        Authorization::Bearer { token } => Some(format!("Bearer {}", token.reveal())),
    };
    if let Some(proof) = proof {
        headers.insert(AUTHORIZATION, sensitive(&proof)?);
    }
    if let Some(origin) = &endpoint.request_origin {
        let name = HeaderName::from_static("webhook-request-origin");
        headers.insert(name, HeaderValue::from_str(origin).ok()?);
    }
    for header in &endpoint.headers {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        headers.append(name, sensitive(header.value.reveal())?);
    }
    Some(())
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The body of an attempt, and the headers that belong to it.
pub(super) fn body(endpoint: &Endpoint, sending: &Sending<'_>, headers: &mut HeaderMap) -> Bytes {
    let event = &sending.committed.event;
    let batched = endpoint.batching.is_some();
    if endpoint.format == PayloadFormat::CloudEventsBinary {
        describe(event, headers);
    }
    let body = body_of(sending);
    let id = if batched {
        // Which events are in it is said inside, for a repeat may hold others.
        format!("batch_{}", sending.committed.delivery.id)
    } else {
        payload::message_id(event.id)
    };
    sign(endpoint, sending, &id, &body, headers);
    body
}

fn brought(committed: &CommittedDelivery) -> payload::Brought<'_> {
    (&committed.event, &committed.delivery.filter)
}

/// What is brought, as bytes.
pub(super) fn body_of(sending: &Sending<'_>) -> Bytes {
    let others = sending.others.iter().map(|committed| brought(committed));
    payload::request_body(sending.subscription, brought(sending.committed), others)
}

/// The attributes of an event as headers.
fn describe(event: &Event, headers: &mut HeaderMap) {
    for (name, value) in payload::cloud_event_headers(event) {
        let named = HeaderName::from_bytes(name.as_bytes()).ok();
        if let Some((name, value)) = named.zip(HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
}

fn sign(
    endpoint: &Endpoint,
    sending: &Sending<'_>,
    id: &str,
    body: &[u8],
    headers: &mut HeaderMap,
) {
    let timestamp = sending.at.as_millis().div_euclid(1_000);
    let insert = |headers: &mut HeaderMap, name, text: &str| {
        headers.insert(
            name,
            HeaderValue::from_str(text).expect("it is plain ASCII"),
        );
    };
    insert(headers, ID, id);
    insert(headers, TIMESTAMP, &timestamp.to_string());
    let mut secrets = endpoint.live_secrets(sending.at).peekable();
    if secrets.peek().is_some() {
        let signatures = signature_header(secrets, id, timestamp, body);
        insert(headers, SIGNATURE, &signatures);
    }
}
