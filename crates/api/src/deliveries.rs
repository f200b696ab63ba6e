//! Deliveries and their attempts: what became of an event, told to the subscription's owner and to
//! administrators.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use hookyard_domain::limits::{RECORD_COUNT_DEFAULT, RECORD_COUNT_MAX};
use hookyard_domain::ports::Page;
use hookyard_domain::{
    Attempt, AttemptOutcome, ChatId, Delivery, DeliveryId, DeliveryState, Event, EventId, PostId,
    Problem, RequestId, SubscriptionId, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Api;
use crate::caller::Caller;
use crate::problem::{ApiError, ApiResult, json_body};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/api/v1/deliveries", get(list_deliveries))
        .route("/api/v1/deliveries/{id}", get(read_delivery))
        .route(
            "/api/v1/chats/{chat}/posts/{post}/deliveries",
            get(list_deliveries_of_post),
        )
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListQuery {
    subscription_id: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryView {
    id: DeliveryId,
    subscription_id: SubscriptionId,
    event_id: EventId,
    event_filter: String,
    state: &'static str,
    /// When the next attempt is due; waiting deliveries only.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_time: Option<Timestamp>,
    /// Why it was given up; abandoned deliveries only.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    attempts: u32,
    possible_repeat: bool,
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
            event_id: delivery.event,
            event_filter: delivery.filter.clone(),
            state,
            due_time,
            finish_time,
            reason,
            attempts: delivery.attempts,
            possible_repeat: delivery.possible_repeat,
            creation_time: delivery.created_at,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttemptView<'a> {
    number: u32,
    start_time: Timestamp,
    connect_micros: u64,
    total_micros: u64,
    /// `accepted`, `refused`, or why the receiver was unreachable.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_excerpt: Option<&'a str>,
}

impl<'a> From<&'a Attempt> for AttemptView<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        let (outcome, retry_after) = match attempt.outcome {
            AttemptOutcome::Accepted { .. } => ("accepted", None),
            AttemptOutcome::Refused { retry_after, .. } => ("refused", retry_after),
            AttemptOutcome::Unreachable { reason } => (reason.name(), None),
        };
        Self {
            number: attempt.number,
            start_time: attempt.started_at,
            connect_micros: attempt.timings.connect_us,
            total_micros: attempt.timings.total_us,
            outcome,
            status: attempt.outcome.status(),
            retry_after_seconds: retry_after.map(|pause| pause.as_secs()),
            peer: attempt.peer.as_deref(),
            answer_excerpt: attempt.answer_excerpt.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventView<'a> {
    id: EventId,
    event_type: &'a str,
    timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_id: Option<ChatId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_id: Option<PostId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<RequestId>,
    body: &'a RawValue,
}

fn event_view(event: &Event) -> Option<EventView<'_>> {
    Some(EventView {
        id: event.id,
        event_type: &event.event_type,
        timestamp: event.occurred_at,
        chat_id: event.chat,
        post_id: event.post,
        request_id: event.request,
        body: serde_json::from_slice(&event.body).ok()?,
    })
}

async fn is_admin(api: &Api, caller: &Caller) -> ApiResult<bool> {
    let person = api.store.person(caller.account, caller.person).await?;
    Ok(person.is_some_and(|person| person.admin))
}

/// Whether the caller may see what happens to a subscription.
async fn may_see(api: &Api, caller: &Caller, subscription: SubscriptionId) -> ApiResult<bool> {
    let found = api.store.subscription(caller.account, subscription).await?;
    if found.is_some_and(|found| found.owner == caller.person) {
        return Ok(true);
    }
    is_admin(api, caller).await
}

async fn list_deliveries(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> ApiResult<Response> {
    #[derive(Serialize)]
    struct List {
        records: Vec<DeliveryView>,
        navigation: Navigation,
    }
    #[derive(Serialize)]
    struct Navigation {
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<DeliveryId>,
    }
    let subscription = match query
        .subscription_id
        .as_deref()
        .filter(|text| !text.is_empty())
    {
        Some(text) => {
            let id = text
                .parse()
                .map_err(|_| Problem::invalid("subscriptionId"))?;
            if !may_see(&api, &caller, id).await? {
                return Err(Problem::not_found("subscriptionId").into());
            }
            Some(id)
        }
        None if is_admin(&api, &caller).await? => None,
        None => return Err(Problem::invalid("subscriptionId").into()),
    };
    let page = match query.before.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => Page::Before(text.parse().map_err(|_| Problem::invalid("before"))?),
        None => Page::First,
    };
    let limit = query.limit.unwrap_or(RECORD_COUNT_DEFAULT);
    if !(1..=RECORD_COUNT_MAX).contains(&limit) {
        return Err(Problem::invalid("limit").value(limit.to_string()).into());
    }
    let found = api
        .store
        .deliveries(caller.account, subscription, page, limit)
        .await?;
    let full = found.len() == limit as usize;
    let before = found.last().map(|last| last.id).filter(|_| full);
    let records = found.iter().map(DeliveryView::from).collect();
    Ok(json_body(&List {
        records,
        navigation: Navigation { before },
    }))
}

async fn read_delivery(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    #[derive(Serialize)]
    struct Detail<'a> {
        #[serde(flatten)]
        delivery: DeliveryView,
        event: Option<EventView<'a>>,
        #[serde(rename = "attemptLog")]
        attempt_log: Vec<AttemptView<'a>>,
    }
    let not_found = || ApiError::from(Problem::not_found("deliveryId"));
    let id = id.parse().map_err(|_| not_found())?;
    let delivery = api
        .store
        .delivery(caller.account, id)
        .await?
        .ok_or_else(not_found)?;
    if !may_see(&api, &caller, delivery.subscription).await? {
        return Err(not_found());
    }
    let event = api.store.event(caller.account, delivery.event).await?;
    let attempts = api.store.attempts(caller.account, id).await?;
    Ok(json_body(&Detail {
        delivery: DeliveryView::from(&delivery),
        event: event.as_ref().and_then(event_view),
        attempt_log: attempts.iter().map(AttemptView::from).collect(),
    }))
}

/// The event of a post and where it went, as far as the caller may see it.
async fn list_deliveries_of_post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path((chat, post)): Path<(String, String)>,
) -> ApiResult<Response> {
    #[derive(Serialize)]
    struct Fate<'a> {
        event: Option<EventView<'a>>,
        records: Vec<DeliveryView>,
    }
    let no_chat = || ApiError::from(Problem::not_found("chatId"));
    let no_post = || ApiError::from(Problem::not_found("postId"));
    let chat: ChatId = chat.parse().map_err(|_| no_chat())?;
    let post: PostId = post.parse().map_err(|_| no_post())?;
    let found = api.store.chat(caller.account, chat).await?;
    found
        .filter(|chat| chat.has_member(caller.person))
        .ok_or_else(no_chat)?;
    api.store
        .post(caller.account, chat, post)
        .await?
        .ok_or_else(no_post)?;
    let Some(event) = api.store.event_of_post(caller.account, post).await? else {
        return Ok(json_body(&Fate {
            event: None,
            records: Vec::new(),
        }));
    };
    let mut records = Vec::new();
    for delivery in api
        .store
        .deliveries_of_event(caller.account, event.id)
        .await?
    {
        if may_see(&api, &caller, delivery.subscription).await? {
            records.push(DeliveryView::from(&delivery));
        }
    }
    Ok(json_body(&Fate {
        event: event_view(&event),
        records,
    }))
}
