//! Calls to incoming webhooks, to look at: what came, what we answered, what became of it.
//!
//! A request shows what a webhook's URL was used for, so it is for those whom the webhook belongs
//! to. Where a post came from is for everyone who can read the post.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hookyard_domain::kernel::limits::{
    RECORD_COUNT_DEFAULT, RECORD_COUNT_MAX, REQUESTS_EXAMINED_MAX, REQUESTS_READ_MAX,
};
use hookyard_domain::kernel::ports::Page;
use hookyard_domain::{
    ChatId, Finding, HookRequest, PostId, Problem, RequestId, Timestamp, WebhookId,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::inbound::webhooks::Owner;
use crate::kernel::path::At;
use crate::kernel::problem::{ApiError, ApiResult};
use crate::kernel::query::{Pairs, Query};
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
        /// Requests below this id: where the last page ended.
        #[schemars(with = "Option<Id>")]
        before: Option<String>,
        /// Records on the page.
        #[schemars(range(min = 1, max = 250))]
        limit: Option<u32>,
    }
}

shown!(RequestList, RequestView, Origin);

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

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HookRequestList")]
struct RequestList {
    records: Vec<RequestSummary>,
    navigation: Navigation,
}

/// Where the list goes on; empty at its end.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "HookRequestNavigation")]
struct Navigation {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Id>")]
    before: Option<RequestId>,
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

/// `GET /api/v1/requests?webhookId=&before=&limit=`, newest first.
async fn list_requests(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query<RequestsQuery>,
) -> ApiResult<Answer<RequestList>> {
    let owner = Owner::calling(&api, &caller).await?;
    let Wanted {
        webhook,
        page,
        limit,
    } = Wanted::read(&query)?;
    let of_webhook = match webhook {
        None => None,
        Some(id) => Some(owner.webhook(&id, "webhookId").await?.id),
    };
    // An administrator of the account also sees requests of webhooks that are no more.
    let visible = if of_webhook.is_some() || owner.person.admin {
        None
    } else {
        let own = owner.webhooks(None).await?;
        Some(own.iter().map(|webhook| webhook.id).collect::<HashSet<_>>())
    };
    let is_visible = |request: &HookRequest| {
        visible
            .as_ref()
            .is_none_or(|own| own.contains(&request.webhook))
    };
    let list = Reading {
        api: &api,
        caller: &caller,
        of_webhook,
        limit,
    };
    Ok(Answer::of(&list.read(page, is_visible).await?))
}

/// What the query asks for.
struct Wanted {
    webhook: Option<String>,
    page: Page,
    limit: usize,
}

impl Wanted {
    fn read(query: &Pairs) -> ApiResult<Self> {
        let before = query.first("before").map(|text| {
            let id = text.parse::<RequestId>();
            id.map_err(|_| Problem::invalid("before"))
        });
        let limit = query.first("limit").map(|text| {
            let limit = text.parse().ok();
            let limit = limit.filter(|limit| (1..=RECORD_COUNT_MAX).contains(limit));
            limit.ok_or_else(|| Problem::invalid("limit"))
        });
        let limit = limit.transpose()?.unwrap_or(RECORD_COUNT_DEFAULT);
        Ok(Self {
            webhook: query.first("webhookId").map(str::to_owned),
            page: before
                .transpose()?
                .map_or(Page::First, |id| Page::Before(id.0)),
            limit: usize::try_from(limit).expect("pages are small"),
        })
    }
}

/// One page of a list that may skip rows.
struct Reading<'a> {
    api: &'a Api,
    caller: &'a Caller,
    of_webhook: Option<WebhookId>,
    limit: usize,
}

impl Reading<'_> {
    /// Reads a few rows at a time, because each may hold a large body.
    async fn read(
        &self,
        mut page: Page,
        is_visible: impl Fn(&HookRequest) -> bool + Send,
    ) -> ApiResult<RequestList> {
        let mut records = Vec::new();
        let mut examined = 0;
        loop {
            let account = self.caller.account;
            let rows = self
                .api
                .store
                .requests(account, self.of_webhook, page, REQUESTS_READ_MAX);
            let rows = rows.await?;
            let is_last = rows.len() < REQUESTS_READ_MAX as usize;
            examined += rows.len();
            let count = rows.len();
            for (index, row) in rows.into_iter().enumerate() {
                let id = row.id;
                page = Page::Before(id.0);
                if is_visible(&row) {
                    records.push(RequestSummary::from(row));
                }
                if records.len() == self.limit && !(is_last && index + 1 == count) {
                    return Ok(RequestList {
                        records,
                        navigation: Navigation { before: Some(id) },
                    });
                }
            }
            if is_last {
                return Ok(RequestList {
                    records,
                    navigation: Navigation::default(),
                });
            }
            if let Page::Before(id) = page
                && examined >= REQUESTS_EXAMINED_MAX
            {
                return Ok(RequestList {
                    records,
                    navigation: Navigation {
                        before: Some(RequestId(id)),
                    },
                });
            }
        }
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
