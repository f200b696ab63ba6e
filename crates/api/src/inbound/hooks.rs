//! The public URLs of incoming webhooks (contract section 3).
//!
//! Read the body with bounds, find the webhook, let [`hook::accept`] decide, commit, answer. Every
//! call to a webhook that exists is kept as a request, good or bad, before it is answered. The URL
//! is the secret, so it is never logged.

mod wire;

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use hookyard_domain::inbound::hook::{self, BodyEnd, Call};
use hookyard_domain::kernel::limits::{HOOK_BODY_BYTES_MAX, HOOK_DECISIONS_MAX};
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{HookAnswer, Timestamp, TokenHash};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use http_body_util::BodyExt;

use self::wire::{Answered, Payload};
use crate::Api;
use crate::kernel::body::Reserve;
use crate::kernel::path::At;
use crate::kernel::problem::{ApiError, Chain};
use crate::operations::inputs::Whole;

crate::operations! {
    tag IncomingWebhooks, under HOOKS, as Secret;

    /// Posts into the webhook's chat.
    ///
    /// Other methods than `POST` are kept as requests, and refused. Failures are told with 200, as
    /// senders expect, where repeating is of no use.
    take: ANY "/{token}" named post_by_webhook;
}

async fn take(
    State(api): State<Arc<Api>>,
    token: Result<At<String>, ApiError>,
    Whole(request, _): Whole<Payload>,
) -> Answered {
    // What is no text cannot be a token of ours.
    let token = token.map_or_else(|_| String::new(), |path| path.0);
    let taking = AssertUnwindSafe(take_call(&api, &token, request)).catch_unwind();
    Answered(match taking.await {
        Ok(Ok(response)) => response,
        Ok(Err(trouble)) => {
            if let Some(error) = &trouble.0 {
                tracing::error!(error = %Chain(error), "A hook request could not be stored");
            }
            unavailable()
        }
        Err(_) => {
            tracing::error!("A hook request panicked; this is a bug");
            unavailable()
        }
    })
}

async fn take_call(api: &Api, token: &str, request: Request) -> Result<Response, Trouble> {
    let (parts, body) = request.into_parts();
    let time_max = api.settings.body_read_timeout;
    let token = TokenHash::of(token);
    // First, so that those who know no URL cannot make us hold what they send.
    let known = api.store.webhook_by_token(token).await;
    if known.map_err(CommitError::Store)?.is_none() {
        drain(body, time_max).await;
        tracing::debug!("A hook request had an unknown token");
        return Ok(reply(&HookAnswer::not_found()));
    }
    let received_at = api.now();
    let body = read_body(&parts.headers, body, time_max).await?;
    let call = call_of(&parts, body, received_at);
    Ok(reply(&answer(api, token, &call).await?))
}

/// One HTTP call in the domain's terms.
fn call_of(parts: &Parts, body: ReadBody, received_at: Timestamp) -> Call {
    let remote = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let headers = parts.headers.iter();
    let texts = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    Call {
        received_at,
        method: parts.method.to_string(),
        content_type: content_type(&parts.headers).map(str::to_owned),
        headers: hook::kept_headers(texts),
        body: body.bytes,
        body_length: body.length,
        end: body.end,
        remote_address: remote.map_or_else(String::new, |remote| remote.0.ip().to_string()),
    }
}

/// A call that may succeed when it is repeated: the store fails, or others change the webhook
/// faster than we decide.
struct Trouble(Option<CommitError>);

impl From<CommitError> for Trouble {
    fn from(error: CommitError) -> Self {
        Self(Some(error))
    }
}

/// Decides about a call, again when somebody else was quicker, and commits.
async fn answer(api: &Api, token: TokenHash, call: &Call) -> Result<HookAnswer, Trouble> {
    let conversion = call.convert(&api.ids);
    for _ in 0..HOOK_DECISIONS_MAX {
        let target = api.store.webhook_by_token(token).await;
        let Some(target) = target.map_err(CommitError::Store)? else {
            return Ok(HookAnswer::not_found());
        };
        let (change, answer) = hook::accept(call, &target, &conversion, &api.ids);
        match api.commit(change).await {
            Ok(()) => return Ok(answer),
            Err(CommitError::Conflict) => {}
            Err(error @ CommitError::Store(_)) => return Err(error.into()),
        }
    }
    Err(Trouble(None))
}

fn reply(answer: &HookAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).expect("answers have real statuses");
    let mut response = (status, answer.body.clone()).into_response();
    let headers = labelled(&mut response);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

fn labelled(response: &mut Response) -> &mut HeaderMap {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
}

fn unavailable() -> Response {
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, hook::UNAVAILABLE).into_response();
    let headers = labelled(&mut response);
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

struct ReadBody {
    /// What arrived, up to the limit.
    bytes: Bytes,
    /// How much arrived, or was announced, if that is more.
    length: u64,
    end: BodyEnd,
}

/// Reads a body; `Trouble` when other bodies take all the memory that there is for them.
async fn read_body(
    headers: &HeaderMap,
    body: Body,
    time_max: Duration,
) -> Result<ReadBody, Trouble> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok())
        .unwrap_or(0);
    let mut read = BytesMut::new();
    let mut length = 0_u64;
    let end = if announced > HOOK_BODY_BYTES_MAX as u64 {
        BodyEnd::TooLarge
    } else {
        let all = read_frames(body, &mut read, &mut length);
        let in_time = tokio::time::timeout(time_max, all).await;
        in_time.unwrap_or(Ok(BodyEnd::TooSlow))?
    };
    Ok(ReadBody {
        bytes: read.freeze(),
        length: length.max(announced),
        end,
    })
}

/// Lets a body pass without keeping any of it.
pub(crate) async fn drain(mut body: Body, time_max: Duration) {
    let passing = async {
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await {
            length += frame.data_ref().map_or(0, Bytes::len);
            if length > HOOK_BODY_BYTES_MAX {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(time_max, passing).await;
}

async fn read_frames(
    mut body: Body,
    read: &mut BytesMut,
    length: &mut u64,
) -> Result<BodyEnd, Trouble> {
    let mut reserve = Reserve::default();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Ok(BodyEnd::Broken);
        };
        if let Ok(data) = frame.into_data() {
            *length += data.len() as u64;
            let room = HOOK_BODY_BYTES_MAX - read.len();
            if !reserve.grow_to(read.len() + data.len().min(room)) {
                return Err(Trouble(None));
            }
            read.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                return Ok(BodyEnd::TooLarge);
            }
        }
    }
    Ok(BodyEnd::Complete)
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}
