//! Calls to incoming webhooks, to look at: what came, what we answered, what became of it.
//!
//! A request shows what a webhook's URL was used for, so it is for those whom the webhook belongs
//! to. Where a post came from is for everyone who can read the post.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hookyard_domain::kernel::limits::{REQUESTS_EXAMINED_MAX, REQUESTS_READ_MAX};
use hookyard_domain::kernel::ports::Page;
use hookyard_domain::{
    ChatId, Finding, HookRequest, PostId, Problem, RequestId, Timestamp, WebhookId,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::inbound::webhooks::Owner;
use crate::kernel::paging::{BeforeQuery, FormerListing, ListQuery, Picking};
use crate::kernel::path::At;
use crate::kernel::problem::{ApiError, ApiResult};
use crate::operations::answers::{Answer, shown};
use crate::operations::shapes::FindingShape;
use crate::operations::wire::{Id, Time, Uuid, shapes};

crate::operations! {
    tag Requests, under ROOT, as App(TeamMessaging);

    /// Requests to the caller's webhooks, newest first.
    list_requests: GET "/api/v1/requests" named list_hook_requests, fails [ResourceNotFound];
    /// One request, and what was answered.
    read_request: GET "/api/v1/requests/{requestId}" named read_hook_request;
    /// The request that a post came from; null when it was written by hand.
    read_origin: GET "/api/v1/chats/{chatId}/posts/{postId}/origin" named read_post_origin;
}

shapes! {
    struct RequestsQuery {
        /// Only requests to this webhook.
        #[schemars(with = "Option<Uuid>")]
        webhook_id: Option<String>,
        #[schemars(flatten)]
        page: BeforeQuery,
    }
}

shown!(RequestSummary, RequestView, Origin);

/// What became of a request.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "HookRequestOutcome")]
enum Outcome {
    Posted,
    PostedWithWarnings,
    Rejected,
}

impl Outcome {
    fn of(request: &HookRequest) -> Self {
        match request.post {
            None => Self::Rejected,
            Some(_) if request.findings.is_empty() => Self::Posted,
            Some(_) => Self::PostedWithWarnings,
        }
    }
}

/// A request in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HookRequestSummary")]
struct RequestSummary {
    #[schemars(with = "Id")]
    id: RequestId,
    #[schemars(with = "Uuid")]
    webhook_id: WebhookId,
    #[schemars(with = "Time")]
    received_at: Timestamp,
    method: String,
    content_type: Option<String>,
    body_bytes: u64,
    answer_status: u16,
    outcome: Outcome,
    /// How many.
    findings: usize,
    #[schemars(with = "Option<Id>")]
    post_id: Option<PostId>,
}

impl From<HookRequest> for RequestSummary {
    fn from(request: HookRequest) -> Self {
        Self {
            id: request.id,
            webhook_id: request.webhook,
            received_at: request.received_at,
            outcome: Outcome::of(&request),
            method: request.method,
            content_type: request.content_type,
            body_bytes: request.body_bytes,
            answer_status: request.answer.status,
            findings: request.findings.len(),
            post_id: request.post,
        }
    }
}

/// Everything that is known about a request.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HookRequest")]
struct RequestView {
    #[schemars(with = "Id")]
    id: RequestId,
    #[schemars(with = "Uuid")]
    webhook_id: WebhookId,
    /// Null when the webhook is no more.
    #[schemars(with = "Option<Id>")]
    chat_id: Option<ChatId>,
    #[schemars(with = "Time")]
    received_at: Timestamp,
    remote_address: String,
    method: String,
    content_type: Option<String>,
    headers: Vec<Header>,
    /// The body, or as much of it as is kept.
    body: String,
    body_encoding: &'static str,
    /// Size of the body as it came.
    body_bytes: u64,
    answer: Answered,
    outcome: Outcome,
    #[schemars(with = "Vec<FindingShape>")]
    findings: Vec<Finding>,
    #[schemars(with = "Option<Id>")]
    post_id: Option<PostId>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HookRequestHeader")]
struct Header {
    name: String,
    value: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HookRequestAnswer")]
struct Answered {
    status: u16,
    body: String,
}

impl RequestView {
    fn new(request: HookRequest, chat: Option<ChatId>) -> Self {
        let outcome = Outcome::of(&request);
        let (body, body_encoding) = match std::str::from_utf8(&request.body) {
            Ok(text) => (text.to_owned(), "utf-8"),
            Err(_) => (STANDARD.encode(&request.body), "base64"),
        };
        let headers = request.headers.into_iter();
        Self {
            id: request.id,
            webhook_id: request.webhook,
            chat_id: chat,
            received_at: request.received_at,
            remote_address: request.remote_address,
            method: request.method,
            content_type: request.content_type,
            headers: headers
                .map(|(name, value)| Header { name, value })
                .collect(),
            body,
            body_encoding,
            body_bytes: request.body_bytes,
            answer: Answered {
                status: request.answer.status,
                body: request.answer.body,
            },
            outcome,
            findings: request.findings,
            post_id: request.post,
        }
    }
}

/// Where a post came from: null when it was written by hand.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PostOrigin")]
struct Origin {
    request: Option<RequestView>,
}

/// `GET /api/v1/requests?webhookId=&limit=&pageToken=`, newest first.
async fn list_requests(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: ListQuery<RequestsQuery>,
) -> ApiResult<Answer<FormerListing<RequestSummary>>> {
    let owner = Owner::calling(&api, &caller).await?;
    let asked = query.page_or_before(&api, &caller)?;
    let of_webhook = match query.first("webhookId") {
        None => None,
        Some(id) => Some(owner.webhook(id, "webhookId").await?.id),
    };
    // An administrator of the account also sees requests of webhooks that are no more.
    let visible = if of_webhook.is_some() || owner.person.admin {
        None
    } else {
        let own = owner.webhooks(None).await?;
        Some(own.iter().map(|webhook| webhook.id).collect())
    };
    let kept = Kept {
        api: &api,
        caller: &caller,
        of_webhook,
        visible,
    };
    let listing = asked.picked(kept).await?;
    Ok(Answer::of(&FormerListing::from(listing)))
}

/// What is kept of requests, for one who looks.
struct Kept<'a> {
    api: &'a Api,
    caller: &'a Caller,
    of_webhook: Option<WebhookId>,
    /// Those whose requests may be seen; none says all.
    visible: Option<HashSet<WebhookId>>,
}

impl Picking for Kept<'_> {
    type Row = HookRequest;
    type View = RequestSummary;

    const READ_MAX: u32 = REQUESTS_READ_MAX;
    const EXAMINED_MAX: usize = REQUESTS_EXAMINED_MAX;

    async fn read(&self, page: Page, limit: u32) -> ApiResult<Vec<HookRequest>> {
        let account = self.caller.account;
        let rows = self
            .api
            .store
            .requests(account, self.of_webhook, page, limit);
        Ok(rows.await?)
    }

    fn id(request: &HookRequest) -> u64 {
        request.id.0
    }

    async fn pick(&mut self, request: HookRequest) -> ApiResult<Option<RequestSummary>> {
        let visible = self.visible.as_ref();
        let visible = visible.is_none_or(|own| own.contains(&request.webhook));
        Ok(visible.then(|| RequestSummary::from(request)))
    }
}

/// `GET /api/v1/requests/{requestId}`
async fn read_request(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Answer<RequestView>> {
    let owner = Owner::calling(&api, &caller).await?;
    let missing = || Problem::not_found("requestId");
    let id: RequestId = id.parse().map_err(|_| missing())?;
    let request = api.store.request(caller.account, id).await?;
    let request = request.ok_or_else(missing)?;
    let webhook = owner
        .webhook(&request.webhook.to_string(), "requestId")
        .await;
    let chat = match webhook {
        Ok(webhook) => Some(webhook.chat),
        Err(ApiError::Problem(_)) if owner.person.admin => None,
        Err(error) => return Err(error),
    };
    Ok(Answer::of(&RequestView::new(request, chat)))
}

/// `GET /api/v1/chats/{chatId}/posts/{postId}/origin`
async fn read_origin(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At((chat, post)): At<(String, String)>,
) -> ApiResult<Answer<Origin>> {
    let owner = Owner::calling(&api, &caller).await?;
    let no_chat = || Problem::not_found("chatId");
    let no_post = || Problem::not_found("postId");
    let chat: ChatId = chat.parse().map_err(|_| no_chat())?;
    let chat = api.store.chat(caller.account, chat).await?;
    let chat = chat.filter(|chat| chat.has_member(owner.person.id));
    let chat = chat.ok_or_else(no_chat)?;
    let post: PostId = post.parse().map_err(|_| no_post())?;
    let post = api.store.post(caller.account, chat.id, post).await?;
    let request = match post.ok_or_else(no_post)?.request {
        Some(request) => api.store.request(caller.account, request).await?,
        None => None,
    };
    let request = request.map(|request| RequestView::new(request, Some(chat.id)));
    Ok(Answer::of(&Origin { request }))
}
