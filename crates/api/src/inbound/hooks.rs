//! The public URLs of incoming webhooks (contract section 3).
//!
//! Read the body with bounds, find the webhook, convert, commit the post with its request and its
//! event, answer. Every call to a webhook that exists is kept as a request, good or bad, before it
//! is answered. The URL is the secret, so it is never logged.
//!
//! Answers use status 200 also for failures, as senders expect (section 3.3). A reply about a
//! passing trouble never carries an `error` member: some senders remove themselves when they see
//! one.

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
use hookyard_domain::inbound::card::{Conversion, Rejection, RejectionCause, convert};
use hookyard_domain::kernel::change::{Change, Guard};
use hookyard_domain::kernel::limits::{
    HOOK_BODY_BYTES_MAX, HOOK_DECISIONS_MAX, REQUEST_BODY_KEPT_BYTES_MAX, REQUEST_HEADER_CHARS_MAX,
    REQUEST_HEADERS_MAX,
};
use hookyard_domain::kernel::ports::{CommitError, HookTarget};
use hookyard_domain::messaging::post::{PostEventType, PostView};
use hookyard_domain::{
    Audience, ChatStatus, Event, EventId, EventKind, Finding, HookAnswer, HookRequest, Post,
    PostContent, PostId, PostKind, PostWrite, RequestId, RequestWrite, Timestamp, TokenHash,
    WebhookStatus,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use serde::Serialize;

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
        return Ok(reply(&not_found()));
    }
    let call = Call {
        received_at: api.now(),
        token,
        body: read_body(&parts.headers, body, time_max).await?,
        parts,
    };
    Intake { api }.answer(&call).await
}

/// One HTTP call, read.
struct Call {
    received_at: Timestamp,
    token: TokenHash,
    parts: Parts,
    body: ReadBody,
}

/// A call that may succeed when it is repeated: the store fails, or others change the webhook
/// faster than we decide.
struct Trouble(Option<CommitError>);

impl From<CommitError> for Trouble {
    fn from(error: CommitError) -> Self {
        Self(Some(error))
    }
}

/// Decides about calls.
struct Intake<'a> {
    api: &'a Api,
}

impl Intake<'_> {
    async fn answer(&self, call: &Call) -> Result<Response, Trouble> {
        let outcome = self.convert(call);
        for _ in 0..HOOK_DECISIONS_MAX {
            let target = self.api.store.webhook_by_token(call.token).await;
            let Some(target) = target.map_err(CommitError::Store)? else {
                return Ok(reply(&not_found()));
            };
            let (change, answer) = self.decide(call, &target, &outcome);
            match self.api.store.commit(change).await {
                Ok(()) => return Ok(reply(&answer)),
                Err(CommitError::Conflict) => {}
                Err(error @ CommitError::Store(_)) => return Err(error.into()),
            }
        }
        Err(Trouble(None))
    }

    /// What the body says, if it may say anything at all.
    fn convert(&self, call: &Call) -> Result<Conversion, Refusal> {
        if call.parts.method != Method::POST {
            return Err(Refusal::Method);
        }
        match call.body.end {
            BodyEnd::Complete => {}
            BodyEnd::TooLarge => return Err(Refusal::TooLarge),
            BodyEnd::TooSlow => return Err(Refusal::TooSlow),
            BodyEnd::Broken => return Err(Refusal::Broken),
        }
        let mut next_id = || self.api.next_id(call.received_at);
        convert(
            &call.body.bytes,
            content_type(&call.parts.headers),
            &mut next_id,
        )
        .map_err(Refusal::Payload)
    }

    /// Decides what a call to `target` does: the request is kept in any case.
    fn decide(
        &self,
        call: &Call,
        target: &HookTarget,
        outcome: &Result<Conversion, Refusal>,
    ) -> (Change, HookAnswer) {
        let webhook = &target.webhook;
        let outcome = match webhook.status {
            WebhookStatus::Active if target.chat.status == ChatStatus::Archived => {
                Err(Refusal::Archived)
            }
            WebhookStatus::Active => outcome.as_ref().map_err(Clone::clone),
            WebhookStatus::Suspended => Err(Refusal::Suspended),
            WebhookStatus::Deleted => Err(Refusal::Deleted),
        };
        let mut change =
            Change::default().given(Guard::version(webhook.account, webhook.id, webhook.version));
        let request = RequestId(self.api.next_id(call.received_at));
        let (answer, findings, post) = match outcome {
            Ok(conversion) => {
                let post = self.post(call, target, request, conversion.content.clone());
                let id = post.id;
                change = Self::posting(change, target, post);
                (accepted(), conversion.findings.clone(), Some(id))
            }
            Err(refusal) => (refusal.answer(), refusal.findings(), None),
        };
        let kept = keep(call, target, request, &answer, findings, post);
        (change.and(RequestWrite::Put(Box::new(kept))), answer)
    }

    fn post(
        &self,
        call: &Call,
        target: &HookTarget,
        request: RequestId,
        content: PostContent,
    ) -> Post {
        Post {
            account: target.webhook.account,
            chat: target.chat.id,
            id: PostId(self.api.next_id(call.received_at)),
            kind: PostKind::TextMessage,
            creator: target.author,
            content,
            request: Some(request),
            created_at: call.received_at,
            modified_at: call.received_at,
            version: 1,
        }
    }

    fn posting(change: Change, target: &HookTarget, post: Post) -> Change {
        let body = serde_json::to_vec(&PostView::new(&post, Some(PostEventType::PostAdded)))
            .expect("a post has only text keys");
        let event = Event {
            account: post.account,
            id: EventId::PENDING,
            kind: EventKind::Post,
            event_type: "PostAdded".into(),
            audience: Audience::ChatMembers(post.chat),
            chat: Some(post.chat),
            post: Some(post.id),
            request: post.request,
            occurred_at: post.created_at,
            body: body.into(),
            confidential: false,
            attributes: None,
        };
        change
            .given(Guard::version(post.account, post.chat, target.chat.version))
            .and(PostWrite::Put(post))
            .announcing(event)
    }
}

/// Why a call did not become a post.
#[derive(Debug, Clone)]
enum Refusal {
    Method,
    TooLarge,
    TooSlow,
    Broken,
    Payload(Rejection),
    Suspended,
    Deleted,
    Archived,
}

impl Refusal {
    fn answer(&self) -> HookAnswer {
        let said = |status, error: &str| failed(status, error, &[]);
        match self {
            Self::Method => said(StatusCode::METHOD_NOT_ALLOWED, "Only POST makes a post"),
            Self::TooLarge => said(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large"),
            Self::TooSlow => transient(
                StatusCode::REQUEST_TIMEOUT,
                "Request body did not arrive in time",
            ),
            Self::Broken => transient(StatusCode::BAD_REQUEST, "Request body is incomplete"),
            Self::Deleted => not_found(),
            Self::Suspended => said(StatusCode::OK, "Webhook is suspended!"),
            Self::Archived => said(StatusCode::OK, "Team is archived!"),
            Self::Payload(rejection) => {
                let cause = &rejection.cause;
                let status = if cause.is_unreadable() {
                    StatusCode::BAD_REQUEST
                } else {
                    StatusCode::OK
                };
                let validation = match cause {
                    RejectionCause::InvalidAdaptiveCard { validation } => validation.as_slice(),
                    _ => &[],
                };
                failed(status, &cause.to_string(), validation)
            }
        }
    }

    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Payload(rejection) => rejection.findings.clone(),
            _ => Vec::new(),
        }
    }
}

/// Members in the order in which the platform writes them.
#[derive(Debug, Serialize)]
struct Failure<'a> {
    status: &'static str,
    message: &'static str,
    error: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    validation: &'a [String],
}

fn accepted() -> HookAnswer {
    HookAnswer {
        status: StatusCode::OK.as_u16(),
        body: r#"{"status":"OK"}"#.to_owned(),
    }
}

fn failed(status: StatusCode, error: &str, validation: &[String]) -> HookAnswer {
    let failure = Failure {
        status: "error",
        message: if status == StatusCode::OK {
            "Your request was accepted, however a post was not generated"
        } else {
            "A post was not generated"
        },
        error,
        validation,
    };
    HookAnswer {
        status: status.as_u16(),
        body: serde_json::to_string(&failure).expect("a failure has only text keys"),
    }
}

/// What the next try may not meet. It has no `error`: senders take that for the end of the webhook.
fn transient(status: StatusCode, message: &str) -> HookAnswer {
    let body = serde_json::json!({ "status": "error", "message": message });
    HookAnswer {
        status: status.as_u16(),
        body: body.to_string(),
    }
}

fn not_found() -> HookAnswer {
    failed(StatusCode::OK, "Webhook not found!", &[])
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
    let body = r#"{"status":"error","message":"Service is temporarily unavailable"}"#;
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, body).into_response();
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyEnd {
    Complete,
    TooLarge,
    TooSlow,
    Broken,
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

fn keep(
    call: &Call,
    target: &HookTarget,
    id: RequestId,
    answer: &HookAnswer,
    findings: Vec<Finding>,
    post: Option<PostId>,
) -> HookRequest {
    let kept = call.body.bytes.len().min(REQUEST_BODY_KEPT_BYTES_MAX);
    let remote = call.parts.extensions.get::<ConnectInfo<SocketAddr>>();
    HookRequest {
        account: target.webhook.account,
        id,
        webhook: target.webhook.id,
        received_at: call.received_at,
        method: shortened(call.parts.method.as_str()),
        content_type: content_type(&call.parts.headers).map(shortened),
        headers: kept_headers(&call.parts.headers),
        body: call.body.bytes.slice(..kept),
        body_bytes: call.body.length,
        // Forwarding headers are the sender's to invent, so they say nothing here.
        remote_address: remote.map_or_else(String::new, |remote| remote.0.ip().to_string()),
        answer: answer.clone(),
        findings,
        post,
    }
}

/// Headers that help to understand a sender, and hold nothing secret.
fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| may_keep(name))
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), shortened(value.to_str().ok()?)))
        })
        .take(REQUEST_HEADERS_MAX)
        .collect()
}

fn may_keep(name: &HeaderName) -> bool {
    const PLAIN: [HeaderName; 5] = [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::USER_AGENT,
        header::ACCEPT,
    ];
    const SECRET: [&str; 8] = [
        "auth",
        "cookie",
        "credential",
        "key",
        "pass",
        "secret",
        "signature",
        "token",
    ];
    PLAIN.contains(name)
        || (name.as_str().starts_with("x-")
            && !SECRET.iter().any(|word| name.as_str().contains(word)))
}

fn shortened(text: &str) -> String {
    text.chars().take(REQUEST_HEADER_CHARS_MAX).collect()
}
