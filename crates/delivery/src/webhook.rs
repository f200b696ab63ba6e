//! Events over HTTP/1.1: to subscribers as RingCentral sends them (contract 4.9), to endpoints as
//! they ask for (`endpoint.rs`).
//!
//! The connection to the receiver is polled by the worker that uses it: no task of its own, no
//! hand-over between threads. Head, body and time of an answer are bounded; what goes beyond costs
//! the receiver its connection, never the worker.

mod endpoint;
mod exchange;
mod oauth;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hookyard_domain::delivery::retry::read_retry_after;
use hookyard_domain::kernel::limits::{SHOWN_HEADER_CHARS_MAX, SHOWN_HEADERS_MAX};
use hookyard_domain::{
    AttemptOutcome, DeliveryMode, Secret, Subscription, Timings, Transcript, UnreachableReason,
};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, RETRY_AFTER, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use tokio::time::Instant;

pub(crate) use self::exchange::Exchange;
use self::oauth::{AccessTokens, NoToken};
use crate::app_tokens::AppTokens;
use crate::egress::{DialError, Dialled, Egress, Target};
use crate::transport::{Attempted, Connection, Sending, Transport};

/// Receivers look for the name that they know, so it comes first.
const AGENT: &str = concat!(
    "RingCentral-Webhook/8.3 Hookyard/",
    env!("CARGO_PKG_VERSION")
);
pub(crate) const VERIFICATION_TOKEN: HeaderName = HeaderName::from_static("verification-token");
/// Number of the attempt, from the second on: the first is sent as the platform sends it.
const ATTEMPT: HeaderName = HeaderName::from_static("hookyard-attempt");
/// Present when the receiver may have seen this event already.
const POSSIBLE_REPEAT: HeaderName = HeaderName::from_static("hookyard-possible-repeat");

/// Delivers to webhook receivers.
#[derive(Debug)]
pub struct WebhookTransport {
    egress: Arc<Egress>,
    tokens: Arc<AccessTokens>,
    app_tokens: Arc<AppTokens>,
}

impl WebhookTransport {
    /// Dials through `egress`.
    pub fn new(egress: Arc<Egress>) -> Self {
        Self {
            egress,
            tokens: Arc::default(),
            app_tokens: Arc::default(),
        }
    }

    /// Presents an app's verification token for its subscriptions that have none.
    #[must_use]
    pub fn with_app_tokens(mut self, app_tokens: Arc<AppTokens>) -> Self {
        self.app_tokens = app_tokens;
        self
    }
}

impl Transport for WebhookTransport {
    fn connection(&self) -> Box<dyn Connection> {
        Box::new(WebhookConnection {
            egress: Arc::clone(&self.egress),
            tokens: Arc::clone(&self.tokens),
            app_tokens: Arc::clone(&self.app_tokens),
            prepared: None,
            open: None,
        })
    }
}

#[derive(Debug)]
struct WebhookConnection {
    egress: Arc<Egress>,
    tokens: Arc<AccessTokens>,
    app_tokens: Arc<AppTokens>,
    prepared: Option<Prepared>,
    open: Option<Open>,
}

/// What is the same for every attempt of one version of a subscription.
#[derive(Debug)]
struct Prepared {
    subscription: Arc<Subscription>,
    target: Target,
    uri: Uri,
    headers: HeaderMap,
}

/// A connection to a receiver.
struct Open {
    exchange: Exchange,
    peer: String,
    /// What opening it took.
    dns: Duration,
    tls: Duration,
    /// The egress rules that it was dialled under.
    version: u64,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// How far one exchange came.
enum Reply {
    /// Nothing was written; the connection was already dead.
    Unsent,
    Failed(UnreachableReason),
    Answered(Answered),
}

struct Answered {
    outcome: AttemptOutcome,
    headers: HeaderMap,
    excerpt: Vec<u8>,
    /// The body is longer than what is in `excerpt`, or did not end in time.
    truncated: bool,
    wait: Duration,
    reusable: bool,
}

#[async_trait]
impl Connection for WebhookConnection {
    async fn send(&mut self, sending: &Sending<'_>) -> Option<Attempted> {
        let started = Instant::now();
        let deadline = started + sending.subscription.policy.timeout();
        let mut timings = Timings::default();
        if !self.prepare(sending.subscription) {
            let reason = UnreachableReason::Forbidden;
            return Some(Attempted::unreachable(reason, timings));
        }
        let mut request = self.request(sending);
        if let Err(NoToken(why)) = self.authorize(sending, &mut request, deadline).await {
            timings.total_us = micros(started.elapsed());
            let reason = UnreachableReason::NoAccessToken;
            return Some(Attempted {
                answer_excerpt: Some(why),
                ..Attempted::unreachable(reason, timings)
            });
        }
        // A kept connection may turn out to be dead before anything was written: then, and only
        // then, nothing can have been received, and a fresh one carries the same attempt.
        for _ in 0..2 {
            let mut open = match self.connect(started, deadline, &mut timings).await {
                Ok(open) => open,
                Err(error) => {
                    timings.total_us = timings.connect_us;
                    return Some(Attempted::unreachable(reason_of(error), timings));
                }
            };
            if sending.halt.is_called_off() {
                return None;
            }
            let reply = open.exchange.run(request.clone(), deadline).await;
            timings.total_us = micros(started.elapsed());
            let peer = Some(open.peer.clone());
            match reply {
                Reply::Unsent => {}
                Reply::Failed(reason) => {
                    return Some(Attempted {
                        peer,
                        transcript: transcript(sending, &request, None),
                        ..Attempted::unreachable(reason, timings)
                    });
                }
                Reply::Answered(answered) => {
                    if answered.reusable {
                        self.open = Some(open);
                    }
                    if answered.outcome.status() == Some(401) {
                        self.forget_token(sending);
                    }
                    timings.wait_us = micros(answered.wait);
                    let for_people =
                        sending.subscription.endpoint.is_some() || !answered.outcome.is_accepted();
                    let shown = for_people && !answered.excerpt.is_empty();
                    return Some(Attempted {
                        outcome: answered.outcome,
                        timings,
                        peer,
                        answer_excerpt: shown
                            .then(|| String::from_utf8_lossy(&answered.excerpt).into_owned()),
                        transcript: transcript(sending, &request, Some(&answered)),
                    });
                }
            }
        }
        timings.total_us = micros(started.elapsed());
        Some(Attempted::unreachable(UnreachableReason::Broken, timings))
    }
}

impl WebhookConnection {
    /// Makes ready for this version of the subscription. False when its address cannot be called.
    fn prepare(&mut self, subscription: &Arc<Subscription>) -> bool {
        let current = self.prepared.as_ref();
        if current.is_some_and(|prepared| Arc::ptr_eq(&prepared.subscription, subscription)) {
            return true;
        }
        self.open = None;
        self.prepared = Prepared::new(subscription);
        self.prepared.is_some()
    }

    /// The kept connection, if the rules that allowed it still hold.
    fn take_open(&mut self) -> Option<Open> {
        let version = self.egress.version();
        self.open.take().filter(|open| open.version == version)
    }

    /// The kept connection or a fresh one; what a fresh one took is noted.
    async fn connect(
        &mut self,
        started: Instant,
        deadline: Instant,
        timings: &mut Timings,
    ) -> Result<Open, DialError> {
        if let Some(open) = self.take_open() {
            return Ok(open);
        }
        let dialled = self.dial(deadline).await;
        timings.connect_us = micros(started.elapsed());
        let open = dialled?;
        timings.dns_us = micros(open.dns);
        timings.tls_us = micros(open.tls);
        Ok(open)
    }

    async fn dial(&mut self, deadline: Instant) -> Result<Open, DialError> {
        let prepared = self.prepared.as_ref().expect("prepared before dialling");
        let version = self.egress.version();
        let Dialled {
            stream,
            peer,
            dns,
            tls,
        } = self.egress.dial(&prepared.target, deadline).await?;
        let exchange = Exchange::open(stream).await?;
        Ok(Open {
            exchange,
            peer: peer.to_string(),
            dns,
            tls,
            version,
        })
    }

    fn request(&self, sending: &Sending<'_>) -> Request<Full<Bytes>> {
        let prepared = self.prepared.as_ref().expect("prepared before sending");
        let mut headers = prepared.headers.clone();
        let body = match &sending.subscription.endpoint {
            Some(endpoint) => endpoint::body(endpoint, sending, &mut headers),
            None => endpoint::body_of(sending),
        };
        // In the place that was kept for it.
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = prepared.uri.clone();
        *request.headers_mut() = headers;
        let headers = request.headers_mut();
        if !headers.contains_key(VERIFICATION_TOKEN)
            && let Some(token) = self.app_tokens.of(&sending.subscription.client_id)
        {
            headers.extend(verification_header(&token));
        }
        if sending.attempt > 1 {
            headers.insert(ATTEMPT, HeaderValue::from(sending.attempt));
        }
        if sending.committed.delivery.possible_repeat {
            headers.insert(POSSIBLE_REPEAT, HeaderValue::from_static("true"));
        }
        request
    }
}

/// The header that proves to a receiver who calls; `None` when the token cannot be in one.
fn verification_header(token: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(token.reveal()).ok()?;
    value.set_sensitive(true);
    Some((VERIFICATION_TOKEN, value))
}

impl Prepared {
    fn new(subscription: &Arc<Subscription>) -> Option<Self> {
        let DeliveryMode::WebHook {
            address,
            verification_token,
        } = &subscription.mode
        else {
            return None;
        };
        let target = Target::parse(address).ok()?;
        let uri = target.path_and_query().parse().ok()?;
        let mut headers = HeaderMap::with_capacity(12);
        headers.insert(HOST, HeaderValue::from_str(target.authority()).ok()?);
        if let Some(endpoint) = &subscription.endpoint {
            endpoint::prepare(endpoint, &mut headers)?;
        } else {
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            // Not an encoding, but what receivers of RingCentral's events see.
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("UTF-8"));
            headers.insert(
                CONTENT_TYPE,
                HeaderValue::from_static("application/json; charset=UTF-8"),
            );
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        }
        if let Some(token) = verification_token {
            headers.extend([verification_header(token)?]);
        }
        Some(Self {
            subscription: Arc::clone(subscription),
            target,
            uri,
            headers,
        })
    }
}

/// What was said, of endpoints: their owners look into it.
fn transcript(
    sending: &Sending<'_>,
    request: &Request<Full<Bytes>>,
    answered: Option<&Answered>,
) -> Option<Arc<Transcript>> {
    sending.subscription.endpoint.as_ref()?;
    let DeliveryMode::WebHook { address, .. } = &sending.subscription.mode else {
        return None;
    };
    Some(Arc::new(Transcript {
        url: address.clone(),
        request_headers: shown(request.headers()),
        batched_with: u32::try_from(sending.others.len()).unwrap_or(u32::MAX),
        answer_headers: answered
            .map(|answered| shown(&answered.headers))
            .unwrap_or_default(),
        answer_truncated: answered.is_some_and(|answered| answered.truncated),
    }))
}

/// Headers for people: without secrets, and cut where they are long.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let value = |value: &HeaderValue| {
        if value.is_sensitive() {
            return "••••".to_owned();
        }
        let mut text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        // Nearly all are short, and this is done for every attempt.
        if text.len() > SHOWN_HEADER_CHARS_MAX
            && let Some((end, _)) = text.char_indices().nth(SHOWN_HEADER_CHARS_MAX)
        {
            text.truncate(end);
        }
        text
    };
    headers
        .iter()
        .take(SHOWN_HEADERS_MAX)
        .map(|(name, text)| (name.as_str().to_owned(), value(text)))
        .collect()
}

fn outcome_of(head: &http::response::Parts) -> AttemptOutcome {
    let status = head.status.as_u16();
    if head.status.is_success() {
        return AttemptOutcome::Accepted { status };
    }
    let text = |name| {
        head.headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let retry_after = text(RETRY_AFTER).and_then(|asked| read_retry_after(asked, text(DATE)));
    AttemptOutcome::Refused {
        status,
        retry_after,
    }
}

pub(crate) const fn reason_of(error: DialError) -> UnreachableReason {
    match error {
        DialError::Invalid | DialError::HttpsRequired | DialError::Forbidden => {
            UnreachableReason::Forbidden
        }
        DialError::Dns => UnreachableReason::Dns,
        DialError::ConnectFailed => UnreachableReason::ConnectFailed,
        DialError::Certificate | DialError::Tls => UnreachableReason::Tls,
        DialError::TimedOut => UnreachableReason::TimedOut,
    }
}

fn reason_of_http(error: &hyper::Error) -> UnreachableReason {
    if error.is_parse() || error.is_parse_too_large() {
        UnreachableReason::InvalidAnswer
    } else {
        UnreachableReason::Broken
    }
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_headers_hide_secrets_and_are_cut_between_characters() {
        let long = "é".repeat(SHOWN_HEADER_CHARS_MAX + 1);
        let mut secret = HeaderValue::from_static("secret");
        secret.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert("long", HeaderValue::from_bytes(long.as_bytes()).unwrap());
        headers.insert("short", HeaderValue::from_static("text"));
        headers.insert("secret", secret);
        let values: Vec<_> = shown(&headers)
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        let cut = "é".repeat(SHOWN_HEADER_CHARS_MAX);
        assert_eq!(values, [cut.as_str(), "text", "••••"]);
    }
}
