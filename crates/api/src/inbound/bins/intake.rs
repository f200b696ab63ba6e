//! The public URLs of bins: take any call, keep it, answer as configured.
//!
//! The call is durable before it is answered. Answers come from the same address as the console, so
//! they are labelled as something that a browser must not run. The URL is the secret, so it is
//! never logged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use hookyard_domain::kernel::limits::{
    BIN_BODY_BYTES_MAX, BIN_BODY_KEPT_BYTES_MAX, BIN_BODY_SIGNED_BYTES_MAX, BIN_CALLERS_WAITING_MAX,
};
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{
    Bin, BinReply, BinRequest, BinRequestId, BinSignature, Code, Problem, TokenHash,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::sync::Semaphore;

use super::signature::{is_signed, judge};
use crate::Api;
use crate::inbound::hooks::drain;
use crate::kernel::body::Reserve;
use crate::kernel::middleware::AsConfigured;
use crate::kernel::problem::{ApiError, ApiResult};
use crate::operations::answers::Outcome;
use crate::operations::inputs::{Content, Whole};
use crate::operations::sketch::Sketch;
use crate::operations::wire::Anything;

/// Where all bins are.
const ROOT: &str = "/bin/";

/// Callers whose answers are delayed.
static WAITING: Semaphore = Semaphore::const_new(BIN_CALLERS_WAITING_MAX);

crate::operations! {
    tag Bins, under BINS, as Secret;

    /// Takes any call, keeps it, and answers as configured.
    receive: ANY "/{token}" named receive_at_bin;
    /// Takes any call at a path below the bin.
    receive: ANY "/{token}/{*rest}" named receive_below_bin;
}

async fn receive(
    State(api): State<Arc<Api>>,
    Whole(request, _): Whole<AnyCall>,
) -> ApiResult<Configured> {
    let (parts, body) = request.into_parts();
    let time_max = api.settings.body_read_timeout;
    let (token, path) = place(parts.uri.path());
    // First, so that those who know no URL cannot make us hold what they send.
    let Some(bin) = api.store.bin_by_token(TokenHash::of(token)).await? else {
        drain(body, time_max).await;
        return Err(not_found());
    };
    let path = path.to_owned();
    let mut read = read_body(&parts.headers, body, time_max).await?;
    let signature = if read.is_held && is_signed(&parts.headers) {
        judge(&api, &bin, &parts.headers, &read.bytes).await?
    } else {
        BinSignature::default()
    };
    read.shorten();
    let call = Call {
        parts,
        path,
        read,
        signature,
    };
    Intake { api: &api, bin }.answer(call).await.map(Configured)
}

/// What anybody may send.
struct AnyCall;

impl Content for AnyCall {
    fn sketch(sketch: &mut Sketch) {
        sketch.request::<Anything>("*/*", false, None);
        sketch.fails_with(&[
            Code::ResourceNotFound,
            Code::UnparsableRequest,
            Code::RequestTimeout,
            Code::BodyTooLarge,
        ]);
    }
}

/// An answer as the bin's owner wants it.
struct Configured(Response);

impl IntoResponse for Configured {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Outcome for Configured {
    fn sketch(sketch: &mut Sketch) {
        sketch.anything("As configured: any status, any type of content.");
    }
}

/// Token and rest of a path below [`ROOT`]; the rest begins with a slash.
fn place(path: &str) -> (&str, &str) {
    let below = path.strip_prefix(ROOT).unwrap_or_default();
    match below.find('/') {
        Some(end) => below.split_at(end),
        None => (below, "/"),
    }
}

fn not_found() -> ApiError {
    Problem::not_found("token").into()
}

/// One HTTP call, read.
struct Call {
    parts: Parts,
    path: String,
    read: ReadBody,
    signature: BinSignature,
}

/// Takes one call to a bin.
struct Intake<'a> {
    api: &'a Api,
    bin: Bin,
}

impl Intake<'_> {
    async fn answer(&self, call: Call) -> ApiResult<Response> {
        let greeting = greeting(&call.parts).filter(|_| self.bin.answer.handshake);
        let end = call.read.end;
        let takes_turn = greeting.is_none() && end == BodyEnd::Complete;
        let kept = self.keep(call, takes_turn);
        let id = kept.id;
        match self.api.commit(kept.keep()).await {
            Ok(()) => {}
            // Somebody deleted it meanwhile.
            Err(CommitError::Conflict) => return Err(not_found()),
            Err(error) => return Err(error.into()),
        }
        match end {
            BodyEnd::Complete => {}
            BodyEnd::TooLarge => {
                let limit = BIN_BODY_BYTES_MAX.to_string();
                return Err(Problem::of(Code::BodyTooLarge).with("limit", limit).into());
            }
            BodyEnd::TooSlow => return Err(Code::RequestTimeout.into()),
            BodyEnd::Broken => return Err(Code::UnparsableRequest.into()),
        }
        if let Some(headers) = greeting {
            return Ok(guarded(StatusCode::OK.into_response(), headers));
        }
        let reply = self.bin.answer.at_turn(self.turn(id).await?);
        self.delay(reply.delay()).await?;
        Ok(response(reply))
    }

    fn keep(&self, call: Call, takes_turn: bool) -> BinRequest {
        let Call { parts, read, .. } = call;
        let now = self.api.now();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = parts.headers.iter();
        let remote = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        BinRequest {
            account: self.bin.account,
            id: BinRequestId(self.api.next_id(now)),
            bin: self.bin.id,
            number: BinRequest::PENDING,
            turn: takes_turn.then_some(BinRequest::PENDING),
            received_at: now,
            method: parts.method.to_string(),
            path: call.path,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: headers
                .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                .collect(),
            body: read.bytes,
            body_bytes: read.length,
            // Forwarding headers are the sender's to invent; they are among the headers.
            remote_address: remote.map_or_else(String::new, |remote| remote.0.ip().to_string()),
            signature: call.signature,
        }
    }

    /// The turn that the commit gave. Only a sequence needs it.
    async fn turn(&self, id: BinRequestId) -> ApiResult<u64> {
        if !self.bin.answer.takes_turns() {
            return Ok(1);
        }
        let kept = self.api.store.bin_request(self.bin.account, id).await?;
        // A request that is forgotten already was followed by a whole bin of others.
        Ok(kept.and_then(|kept| kept.turn).unwrap_or(1))
    }

    /// Keeps the caller waiting, unless too many wait already.
    async fn delay(&self, delay: Duration) -> ApiResult<()> {
        if delay.is_zero() {
            return Ok(());
        }
        let Ok(_waiting) = WAITING.try_acquire() else {
            return Err(Code::StoreUnavailable.into());
        };
        self.api.clock.sleep_until(self.api.now() + delay).await;
        Ok(())
    }
}

/// The headers that agree to a handshake, when the call is one: of the platform (contract 4.7), or
/// of the HTTP binding of `CloudEvents` for webhooks.
fn greeting(parts: &Parts) -> Option<HeaderMap> {
    let mut agreed = HeaderMap::new();
    if let Some(token) = parts.headers.get("validation-token") {
        agreed.insert(HeaderName::from_static("validation-token"), token.clone());
    }
    if parts.method == Method::OPTIONS
        && let Some(origin) = parts.headers.get("webhook-request-origin")
    {
        agreed.insert("webhook-allowed-origin", origin.clone());
        agreed.insert("webhook-allowed-rate", HeaderValue::from_static("*"));
        agreed.insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    (!agreed.is_empty()).then_some(agreed)
}

fn response(reply: &BinReply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = HeaderMap::new();
    for (name, value) in &reply.headers {
        // They were looked at when they were configured.
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::from_str(value),
        ) {
            headers.insert(name, value);
        }
    }
    if !reply.body.is_empty() {
        headers
            .entry(header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    let mut response = Response::new(Body::from(reply.body.clone()));
    *response.status_mut() = status;
    guarded(response, headers)
}

/// Adds `headers`, and those that make the answer harmless in a browser.
fn guarded(mut response: Response, headers: HeaderMap) -> Response {
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(AsConfigured);
    response
}

struct ReadBody {
    /// What arrived, as much of it as was held.
    bytes: Bytes,
    /// Whether that is all of it.
    is_held: bool,
    /// How much arrived, or was announced, if that is more.
    length: u64,
    end: BodyEnd,
}

impl ReadBody {
    /// Leaves what is kept, and frees the rest.
    fn shorten(&mut self) {
        if self.bytes.len() > BIN_BODY_KEPT_BYTES_MAX {
            self.bytes = Bytes::copy_from_slice(&self.bytes[..BIN_BODY_KEPT_BYTES_MAX]);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyEnd {
    Complete,
    TooLarge,
    TooSlow,
    Broken,
}

/// Reads a body to its end and holds on to what is kept of it, or to more while its signature is to
/// be verified.
async fn read_body(headers: &HeaderMap, body: Body, time_max: Duration) -> ApiResult<ReadBody> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok())
        .unwrap_or(0);
    let hold_max = if is_signed(headers) {
        BIN_BODY_SIGNED_BYTES_MAX
    } else {
        BIN_BODY_KEPT_BYTES_MAX
    };
    let mut read = Held {
        bytes: BytesMut::new(),
        bytes_max: hold_max,
        length: 0,
    };
    let end = if announced > BIN_BODY_BYTES_MAX {
        BodyEnd::TooLarge
    } else {
        let all = read_frames(body, &mut read);
        let in_time = tokio::time::timeout(time_max, all).await;
        in_time.unwrap_or(Ok(BodyEnd::TooSlow))?
    };
    Ok(ReadBody {
        is_held: end == BodyEnd::Complete && read.bytes.len() as u64 == read.length,
        length: read.length.max(announced),
        bytes: read.bytes.freeze(),
        end,
    })
}

/// What was read so far.
struct Held {
    /// The beginning, at most `bytes_max` of it.
    bytes: BytesMut,
    bytes_max: usize,
    length: u64,
}

async fn read_frames(mut body: Body, read: &mut Held) -> ApiResult<BodyEnd> {
    let mut reserve = Reserve::default();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Ok(BodyEnd::Broken);
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        read.length += data.len() as u64;
        let held = data.len().min(read.bytes_max - read.bytes.len());
        if !reserve.grow_to(read.bytes.len() + held) {
            return Err(Code::StoreUnavailable.into());
        }
        read.bytes.extend_from_slice(&data[..held]);
        if read.length > BIN_BODY_BYTES_MAX {
            return Ok(BodyEnd::TooLarge);
        }
    }
    Ok(BodyEnd::Complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_token_and_what_is_below_it() {
        for (path, expect) in [
            ("/bin/abc", ("abc", "/")),
            ("/bin/abc/", ("abc", "/")),
            ("/bin/abc/d/e%2Ff", ("abc", "/d/e%2Ff")),
            ("/bin/abc//", ("abc", "//")),
            ("/bin/", ("", "/")),
        ] {
            assert_eq!(place(path), expect, "{path}");
        }
    }
}
