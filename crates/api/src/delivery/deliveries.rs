//! Deliveries and their attempts: what became of an event, told to the subscription's owner and to
//! administrators; and sending it again.

mod search;
mod view;

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::kernel::ports::Page;
use hookyard_domain::{
    ChatId, Code, Delivery, DeliveryId, DeliveryState, JobWork, PostId, Problem, Scope,
    Subscription, SubscriptionId,
};
use schemars::JsonSchema;
use serde::Serialize;

use self::search::SearchQuery;
use self::view::{AttemptView, DeliveryView, EventView, body_of};
use crate::Api;
use crate::delivery::jobs::JobView;
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::paging::{BeforeQuery, FormerListing, ListQuery};
use crate::kernel::path::At;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::operations::answers::{Accepted, Answer, shown};
use crate::operations::wire::shapes;

pub(crate) use self::search::{Search, read_time, read_type, refused};

crate::operations! {
    tag Deliveries, under ROOT, as Depends(&[SubscriptionWebhook]);

    /// Deliveries, newest first.
    ///
    /// Of a subscription of the caller's own, or all of them for administrators.
    list_deliveries: GET "/api/v1/deliveries", fails [ResourceNotFound];
    /// Sends again whatever the list would show, in the background.
    resend_deliveries: POST "/api/v1/deliveries/resend", as Administrator(SubscriptionWebhook),
        fails [ResourceNotFound, RequestRateExceeded, Conflict];
    /// One delivery, with its attempts.
    read_delivery: GET "/api/v1/deliveries/{deliveryId}";
    /// Sends a delivery again.
    ///
    /// One that was delivered stays so: its event gets another, which is told.
    resend_delivery: POST "/api/v1/deliveries/{deliveryId}/resend",
        fails [InvalidParameter, Conflict];
    /// The event of a post and where it went, as far as the caller may see it.
    list_deliveries_of_post: GET "/api/v1/chats/{chatId}/posts/{postId}/deliveries";
}

shapes! {
    struct DeliveriesQuery {
        #[schemars(flatten)]
        search: SearchQuery,
        #[schemars(flatten)]
        page: BeforeQuery,
    }
}

shown!(DeliveryDetail<'_> as DeliveryDetail<'static>, DeliveryFate<'_> as DeliveryFate<'static>);

async fn is_admin(api: &Api, caller: &Caller) -> ApiResult<bool> {
    let person = api.store.person(caller.account, caller.person).await?;
    Ok(person.is_some_and(|person| person.admin))
}

/// Whether the caller may see what happens to a subscription. Endpoints are the account's: it takes
/// an administrator, with an app that may manage them.
async fn may_see(api: &Api, caller: &Caller, subscription: SubscriptionId) -> ApiResult<bool> {
    let found = api.store.subscription(caller.account, subscription).await?;
    let is_endpoint = found.as_ref().is_some_and(|found| found.endpoint.is_some());
    if is_endpoint {
        let admin = is_admin(api, caller).await?;
        if admin {
            caller.require(Scope::SubscriptionWebhook)?;
        }
        return Ok(admin);
    }
    if found.is_some_and(|found| found.owner == caller.person) {
        return Ok(true);
    }
    is_admin(api, caller).await
}

async fn list_deliveries(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: ListQuery<DeliveriesQuery>,
) -> ApiResult<Answer<FormerListing<DeliveryView>>> {
    let search = Search::of_query(&query);
    let selection = search.selection()?;
    match selection.subscription {
        Some(id) if may_see(&api, &caller, id).await? => {}
        Some(_) => return Err(Problem::not_found(search.subscription_parameter()).into()),
        None if is_admin(&api, &caller).await? => caller.require(Scope::SubscriptionWebhook)?,
        None => {
            let problem = Problem::invalid("subscriptionId");
            let reason = "name a subscription of yours; only administrators see all deliveries";
            return Err(because(problem, reason).into());
        }
    }
    let asked = query.page_or_before(&api, &caller)?;
    let before = match asked.page {
        Page::Before(id) => Some(DeliveryId(id)),
        Page::First | Page::After(_) => None,
    };
    let found = selection.query(caller.account, before, asked.rows());
    let found = api.store.find_deliveries(found).await?;
    let listing = asked.listing(found, |found| found.delivery.id.0);
    let views = listing.map(|found| DeliveryView::from(&found));
    Ok(Answer::of(&FormerListing::from(views)))
}

/// A delivery that the caller may see.
async fn visible(api: &Api, caller: &Caller, id: &str) -> ApiResult<Delivery> {
    let not_found = || ApiError::from(Problem::not_found("deliveryId"));
    let id = id.parse().map_err(|_| not_found())?;
    let found = api.store.delivery(caller.account, id).await?;
    let delivery = found.ok_or_else(not_found)?;
    if may_see(api, caller, delivery.subscription).await? {
        Ok(delivery)
    } else {
        Err(not_found())
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DeliveryDetail<'a> {
    #[serde(flatten)]
    delivery: DeliveryView,
    event: Option<EventView<'a>>,
    attempt_log: Vec<AttemptView<'a>>,
}

async fn read_delivery(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Answer<DeliveryDetail<'static>>> {
    let delivery = visible(&api, &caller, &id).await?;
    let event = api.store.event(caller.account, delivery.event).await?;
    let attempts = api.store.attempts(caller.account, delivery.id).await?;
    let to = api
        .store
        .subscription(caller.account, delivery.subscription)
        .await?;
    let body = event
        .as_ref()
        .zip(to)
        .map(|(event, to)| body_of(&to, event, &delivery));
    Ok(Answer::of(&DeliveryDetail {
        delivery: DeliveryView::from(&delivery).told_by(event.as_ref(), &attempts),
        event: event.as_ref().map(EventView::from),
        attempt_log: attempts
            .iter()
            .map(|attempt| AttemptView::of(attempt, body.as_ref()))
            .collect(),
    }))
}

/// The subscription of a delivery, if anything can be sent to it now.
async fn reachable(
    api: &Api,
    caller: &Caller,
    delivery: &Delivery,
) -> ApiResult<Arc<Subscription>> {
    let id = delivery.subscription;
    let Some(found) = api.store.subscription(caller.account, id).await? else {
        let reason = "it was deleted, so nothing can be sent to it";
        return Err(because(Problem::not_found("subscriptionId"), reason).into());
    };
    if found.takes_events(api.now()) {
        return Ok(found);
    }
    let reason = "the subscription is not active; resume or renew it first";
    Err(because(
        Problem::invalid("subscriptionId").value(id.to_string()),
        reason,
    )
    .into())
}

/// Sends a delivery again. One that was delivered stays so: its event gets another, which is told.
async fn resend_delivery(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Accepted<DeliveryView>> {
    let former = visible(&api, &caller, &id).await?;
    reachable(&api, &caller, &former).await?;
    let account = caller.account;
    api.commit_numbering(former.resend()).await?;
    let sent = if matches!(former.state, DeliveryState::Delivered { .. }) {
        let all = api.store.deliveries_of_event(account, former.event).await?;
        let ours = all
            .into_iter()
            .filter(|delivery| delivery.subscription == former.subscription);
        ours.max_by_key(|delivery| delivery.id)
    } else {
        api.store.delivery(account, former.id).await?
    };
    let sent = sent.ok_or(Code::Conflict)?;
    let event = api.store.event(account, sent.event).await?;
    let attempts = api.store.attempts(account, sent.id).await?;
    let told = DeliveryView::from(&sent).told_by(event.as_ref(), &attempts);
    Ok(Accepted::of(&told))
}

/// Sends again whatever the list would show, in the background.
async fn resend_deliveries(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Json(search): Json<Search>,
) -> ApiResult<Accepted<JobView<'static>>> {
    let selection = search.selection()?;
    if selection.is_everything() {
        let problem = Problem::invalid("status");
        let reason = "say which deliveries, by any of status, endpointId, eventType, since, \
            until, responseCode and eventId";
        return Err(because(problem, reason).into());
    }
    if let Some(id) = selection.subscription
        && api.store.subscription(caller.account, id).await?.is_none()
    {
        return Err(Problem::not_found(search.subscription_parameter()).into());
    }
    api.begin_job(&caller, JobWork::Resend { selection }).await
}

#[derive(Debug, Serialize, JsonSchema)]
struct DeliveryFate<'a> {
    event: Option<EventView<'a>>,
    records: Vec<DeliveryView>,
}

/// The event of a post and where it went, as far as the caller may see it.
async fn list_deliveries_of_post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At((chat, post)): At<(String, String)>,
) -> ApiResult<Answer<DeliveryFate<'static>>> {
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
        return Ok(Answer::of(&DeliveryFate {
            event: None,
            records: Vec::new(),
        }));
    };
    let all = api
        .store
        .deliveries_of_event(caller.account, event.id)
        .await?;
    let mut seen = HashMap::new();
    let mut records = Vec::new();
    for delivery in &all {
        let id = delivery.subscription;
        let shown = match seen.get(&id) {
            Some(shown) => *shown,
            None => match may_see(&api, &caller, id).await {
                // What the app may not see is left out.
                Err(ApiError::Problem(_)) => false,
                seen => seen?,
            },
        };
        seen.insert(id, shown);
        if shown {
            records.push(DeliveryView::from(delivery).told_by(Some(&event), &[]));
        }
    }
    Ok(Answer::of(&DeliveryFate {
        event: Some(EventView::from(&event)),
        records,
    }))
}
