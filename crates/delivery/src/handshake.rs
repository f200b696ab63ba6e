//! The handshake (contract 4.7): an empty POST with a token that the receiver must return, before
//! its subscription becomes active. Nobody gets events who did not ask for them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hookyard_domain::Secret;
use hookyard_domain::kernel::limits::HANDSHAKE_ANSWER_BYTES_MAX;
use hookyard_domain::kernel::ports::{Handshake, HandshakeError};
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};

use crate::egress::{DialError, Dialled, Egress, Stream, Target};
use crate::webhook::{Exchange, VERIFICATION_TOKEN};

const VALIDATION_TOKEN: HeaderName = HeaderName::from_static("validation-token");

/// Verifies addresses over HTTP.
#[derive(Debug)]
pub struct WebhookHandshake {
    egress: Arc<Egress>,
    timeout: Duration,
}

impl WebhookHandshake {
    /// Dials through `egress`; a receiver may take `timeout` in all.
    pub const fn new(egress: Arc<Egress>, timeout: Duration) -> Self {
        Self { egress, timeout }
    }
}

#[async_trait]
impl Handshake for WebhookHandshake {
    async fn verify(
        &self,
        address: &str,
        validation_token: &Secret,
        verification_token: Option<&Secret>,
    ) -> Result<(), HandshakeError> {
        let deadline = Instant::now() + self.timeout;
        let target = Target::parse(address).map_err(|_| HandshakeError::Unreachable)?;
        let request = request(&target, validation_token, verification_token)
            .ok_or(HandshakeError::Unreachable)?;
        let Dialled { stream, .. } =
            self.egress
                .dial(&target, deadline)
                .await
                .map_err(|error| match error {
                    DialError::HttpsRequired => HandshakeError::HttpsRequired,
                    DialError::Certificate => HandshakeError::CertificateInvalid,
                    // One answer for all of these: it must not tell what is inside our network.
                    DialError::Invalid
                    | DialError::Forbidden
                    | DialError::Dns
                    | DialError::ConnectFailed
                    | DialError::Tls
                    | DialError::TimedOut => HandshakeError::Unreachable,
                })?;
        let exceeded = Arc::new(AtomicBool::new(false));
        let counted = Counted {
            stream,
            left: HANDSHAKE_ANSWER_BYTES_MAX,
            exceeded: Arc::clone(&exceeded),
        };
        let checking = check(counted, request, validation_token);
        match timeout_at(deadline, checking).await {
            Ok(Ok(()) | Err(HandshakeError::Unreachable)) if exceeded.load(Ordering::Relaxed) => {
                Err(HandshakeError::InvalidReply)
            }
            Ok(checked) => checked,
            Err(_) => Err(HandshakeError::Unreachable),
        }
    }

    async fn vet(&self, address: &str) -> Result<(), HandshakeError> {
        let deadline = Instant::now() + self.timeout;
        let target = Target::parse(address).map_err(|_| HandshakeError::Forbidden)?;
        let vetted = self.egress.vet(&target, deadline).await;
        vetted.map_err(|error| match error {
            DialError::HttpsRequired => HandshakeError::HttpsRequired,
            DialError::Dns | DialError::TimedOut => HandshakeError::Unresolvable,
            _ => HandshakeError::Forbidden,
        })
    }

    async fn ask_consent(
        &self,
        address: &str,
        origin: &str,
    ) -> Result<Option<u32>, HandshakeError> {
        let deadline = Instant::now() + self.timeout;
        let target = Target::parse(address).map_err(|_| HandshakeError::Unreachable)?;
        let request = options(&target, origin).ok_or(HandshakeError::Unreachable)?;
        let dialled = self.egress.dial(&target, deadline).await;
        let Dialled { stream, .. } = dialled.map_err(|error| match error {
            DialError::HttpsRequired => HandshakeError::HttpsRequired,
            DialError::Certificate => HandshakeError::CertificateInvalid,
            _ => HandshakeError::Unreachable,
        })?;
        let counted = Counted {
            stream,
            left: HANDSHAKE_ANSWER_BYTES_MAX,
            exceeded: Arc::default(),
        };
        let asked = timeout_at(deadline, ask_options(counted, request, origin)).await;
        asked.unwrap_or(Err(HandshakeError::Unreachable))
    }
}

const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

/// `None` when the origin cannot be a header's value.
fn options(target: &Target, origin: &str) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::new(Full::default());
    *request.method_mut() = Method::OPTIONS;
    *request.uri_mut() = target.path_and_query().parse().ok()?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(target.authority()).ok()?);
    headers.insert(REQUEST_ORIGIN, HeaderValue::from_str(origin).ok()?);
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    Some(request)
}

/// Consent is in the headers; the status says nothing (section 4.2).
async fn ask_options(
    stream: Counted,
    request: Request<Full<Bytes>>,
    origin: &str,
) -> Result<Option<u32>, HandshakeError> {
    let opened = Exchange::open(Box::new(stream)).await;
    let mut exchange = opened.map_err(|_| HandshakeError::Unreachable)?;
    let answer = exchange.ask(request).await.map_err(|error| match error {
        Some(error) if error.is_parse() => HandshakeError::InvalidReply,
        _ => HandshakeError::Unreachable,
    })?;
    let said = |name| {
        let value: Option<&HeaderValue> = answer.headers().get(name);
        value.and_then(|value| value.to_str().ok()).map(str::trim)
    };
    let allowed = said(ALLOWED_ORIGIN)
        .is_some_and(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin));
    if !allowed {
        return Err(HandshakeError::NotAllowed);
    }
    match said(ALLOWED_RATE) {
        None | Some("*") => Ok(None),
        Some(rate) => match rate.parse::<u64>() {
            // Whoever takes more than we ever send is asked for what we can count.
            Ok(rate) if rate > 0 => Ok(Some(u32::try_from(rate).unwrap_or(u32::MAX))),
            _ => Err(HandshakeError::InvalidRate),
        },
    }
}

/// `None` when a token cannot be a header's value.
fn request(
    target: &Target,
    validation_token: &Secret,
    verification_token: Option<&Secret>,
) -> Option<Request<Full<Bytes>>> {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_str(target.authority()).ok()?);
    headers.insert(VALIDATION_TOKEN, sensitive(validation_token)?);
    if let Some(token) = verification_token {
        headers.insert(VERIFICATION_TOKEN, sensitive(token)?);
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    let mut request = Request::new(Full::default());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.path_and_query().parse().ok()?;
    *request.headers_mut() = headers;
    Some(request)
}

fn sensitive(secret: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(secret.reveal()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

async fn check(
    stream: Counted,
    request: Request<Full<Bytes>>,
    validation_token: &Secret,
) -> Result<(), HandshakeError> {
    let opened = Exchange::open(Box::new(stream)).await;
    let mut exchange = opened.map_err(|_| HandshakeError::Unreachable)?;
    let answer = exchange.ask(request).await.map_err(|error| match error {
        Some(error) if error.is_parse() => HandshakeError::InvalidReply,
        _ => HandshakeError::Unreachable,
    })?;
    let status = answer.status().as_u16();
    if status != 200 {
        return Err(HandshakeError::BadStatus(status));
    }
    let returned = answer
        .headers()
        .get(VALIDATION_TOKEN)
        .and_then(|value| value.to_str().ok());
    if returned.map(Secret::new).as_ref() != Some(validation_token) {
        return Err(HandshakeError::NoValidationToken);
    }
    let mut body = answer.into_body();
    match exchange
        .read_body(&mut body, HANDSHAKE_ANSWER_BYTES_MAX, |_| {})
        .await
    {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(HandshakeError::InvalidReply),
    }
}

/// A stream that fails after so many bytes were read: head and body count together.
struct Counted {
    stream: Box<dyn Stream>,
    left: usize,
    exceeded: Arc<AtomicBool>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        match self.left.checked_sub(read) {
            Some(left) => {
                self.left = left;
                polled
            }
            // What was too much in one piece is still handed on: an answer that is over the limit
            // may carry a status or lack a token, and those say more than its size.
            None if !self.exceeded.swap(true, Ordering::Relaxed) => {
                self.left = 0;
                polled
            }
            None => Poll::Ready(Err(io::Error::other("the answer is too large"))),
        }
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
