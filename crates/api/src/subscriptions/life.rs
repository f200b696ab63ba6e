//! What the platform's API does not say of subscriptions: how they fare, what happened to them and
//! why, also after they ended; pausing, resuming and renewing late.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hookyard_domain::subscriptions::life::LifeError;
use hookyard_domain::{
    Change, Problem, Subscription, SubscriptionId, SubscriptionStatus, Timestamp,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::MaybeJson;
use crate::kernel::problem::{ApiResult, json_body};
use crate::subscriptions::refusal::refused;
use crate::subscriptions::{SubscriptionView, end, find, not_found, shake_hands, view};

const PATH: &str = "/api/v1/subscriptions";

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route(PATH, get(list_subscriptions))
        .route(
            &format!("{PATH}/{{id}}"),
            get(read_subscription).delete(delete_subscription),
        )
        .route(&format!("{PATH}/{{id}}/history"), get(read_history))
        .route(&format!("{PATH}/{{id}}/renew"), post(renew_subscription))
        .route(
            &format!("{PATH}/{{id}}/suspend"),
            post(suspend_subscription),
        )
        .route(&format!("{PATH}/{{id}}/resume"), post(resume_subscription))
}

/// The platform's view, and how the subscription fares.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LifeView<'a> {
    #[serde(flatten)]
    subscription: SubscriptionView<'a>,
    client_id: &'a str,
    /// Its time has run out; it can be renewed until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    renewable_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_since: Option<Timestamp>,
    /// Since when every attempt has failed; told after the first minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<Timestamp>,
    /// Events that it missed are being looked through.
    catching_up: bool,
}

fn life_view<'a>(api: &'a Api, subscription: &'a Subscription, now: Timestamp) -> LifeView<'a> {
    let renewable_until = subscription.renewable_until();
    LifeView {
        subscription: view(api, subscription, now),
        client_id: &subscription.client_id.0,
        renewable_until: subscription.is_expired(now).then_some(renewable_until),
        paused_since: subscription.paused_at,
        failing_since: subscription.failing_since,
        catching_up: subscription.catch_up_after.is_some(),
    }
}

async fn list_subscriptions(State(api): State<Arc<Api>>, caller: Caller) -> ApiResult<Response> {
    #[derive(Serialize)]
    struct List<'a> {
        records: Vec<LifeView<'a>>,
    }
    let now = api.now();
    let (account, person) = (caller.account, caller.person);
    let stored = api.store.subscriptions_of_person(account, person).await?;
    let mut all: Vec<_> = stored
        .into_iter()
        .map(Arc::new)
        .chain(api.sockets.subscriptions(account, person, None))
        .filter(|subscription| now < subscription.renewable_until())
        .collect();
    all.sort_by_key(|subscription| subscription.created_at);
    let records = all
        .iter()
        .map(|subscription| life_view(&api, subscription, now))
        .collect();
    Ok(json_body(&List { records }))
}

/// A subscription that the caller owns through whatever app, or any as an administrator; also one
/// that can only be renewed any more.
async fn manageable(api: &Api, caller: &Caller, id: &str) -> ApiResult<Arc<Subscription>> {
    let found = find(api, caller, id).await?;
    let person = api.calling_person(caller).await?;
    if found.is_manageable_by(&person, api.now()) {
        Ok(found)
    } else {
        Err(not_found())
    }
}

async fn is_admin(api: &Api, caller: &Caller) -> ApiResult<bool> {
    let person = api.store.person(caller.account, caller.person).await?;
    Ok(person.is_some_and(|person| person.admin))
}

async fn read_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let subscription = manageable(&api, &caller, &id).await?;
    Ok(json_body(&life_view(&api, &subscription, api.now())))
}

async fn delete_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let subscription = manageable(&api, &caller, &id).await?;
    end(&api, &subscription).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoryView {
    time: Timestamp,
    milestone: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Oldest first. Stays readable after the subscription has ended.
async fn read_history(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    #[derive(Serialize)]
    struct List {
        records: Vec<HistoryView>,
    }
    let id: SubscriptionId = id.parse().map_err(|_| not_found())?;
    let history = api.store.subscription_history(caller.account, id).await?;
    let owner = history.last().ok_or_else(not_found)?.owner;
    if owner != caller.person && !is_admin(&api, &caller).await? {
        return Err(not_found());
    }
    let records = history
        .into_iter()
        .map(|entry| HistoryView {
            time: entry.at,
            milestone: entry.milestone.name(),
            detail: entry.detail,
        })
        .collect();
    Ok(json_body(&List { records }))
}

/// What a renewal or a resumption may ask for.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wishes {
    /// Seconds; what was granted before, if absent.
    expires_in: Option<u64>,
    /// Also send the events that were committed while the subscription took none.
    #[serde(default)]
    missed_events: bool,
}

/// Renews, also for a while after the time ran out.
async fn renew_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    MaybeJson(wishes): MaybeJson<Wishes>,
) -> ApiResult<Response> {
    let wishes = wishes.unwrap_or_default();
    if wishes.expires_in == Some(0) {
        return Err(Problem::invalid("expiresIn").value("0").into());
    }
    let asked = wishes.expires_in.map(Duration::from_secs);
    change(&api, &caller, &id, |subscription, now| {
        subscription.renew_late(asked, wishes.missed_events, now)
    })
    .await
}

async fn suspend_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    change(&api, &caller, &id, Subscription::suspend).await
}

/// Ends a pause or a blacklisting, once the address has shown that it wants events.
async fn resume_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    MaybeJson(wishes): MaybeJson<Wishes>,
) -> ApiResult<Response> {
    let wishes = wishes.unwrap_or_default();
    let subscription = manageable(&api, &caller, &id).await?;
    if subscription.status != SubscriptionStatus::Active {
        shake_hands(&api, &subscription.mode).await?;
    }
    change(&api, &caller, &id, |subscription, now| {
        subscription.resume(wishes.missed_events, now)
    })
    .await
}

/// Reads, changes and commits a stored subscription, and answers with it.
async fn change(
    api: &Api,
    caller: &Caller,
    id: &str,
    decide: impl Fn(&Subscription, Timestamp) -> Result<(Change, Subscription), LifeError> + Send + Sync,
) -> ApiResult<Response> {
    let changed = api
        .commit_deciding(async || {
            let subscription = manageable(api, caller, id).await?;
            decide(&subscription, api.now()).map_err(|error| refused(caller, &subscription, error))
        })
        .await?;
    Ok(json_body(&life_view(api, &changed, api.now())))
}
