//! What the platform's API does not say of subscriptions: how they fare, what happened to them and
//! why, also after they ended; pausing, resuming and renewing late.

use crate::endpoints::SHAKING;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use hookyard_domain::subscriptions::life::LifeError;
use hookyard_domain::{
    Change, Problem, Subscription, SubscriptionId, SubscriptionStatus, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::MaybeJson;
use crate::kernel::path::At;
use crate::kernel::problem::ApiResult;
use crate::operations::answers::{Answer, NoContent, shown};
use crate::operations::wire::Time;
use crate::subscriptions::refusal::refused;
use crate::subscriptions::{SubscriptionView, end, find, not_found, shake_hands, view};

crate::operations! {
    tag Subscriptions, under ROOT, as SignedIn;

    /// The caller's subscriptions through whatever app, and how they fare.
    list_subscriptions: GET "/api/v1/subscriptions" named list_subscription_lives;
    /// One subscription, and how it fares.
    read_subscription: GET "/api/v1/subscriptions/{subscriptionId}" named read_subscription_life;
    /// Ends a subscription.
    delete_subscription: DELETE "/api/v1/subscriptions/{subscriptionId}"
        named end_subscription_life, fails [Conflict];
    /// What happened to a subscription, oldest first, also after it has ended.
    read_history: GET "/api/v1/subscriptions/{subscriptionId}/history"
        named read_subscription_history;
    /// Renews, also for a while after the time ran out.
    renew_subscription: POST "/api/v1/subscriptions/{subscriptionId}/renew"
        named renew_subscription_life, fails [Conflict];
    /// Stops sending until it is resumed.
    suspend_subscription: POST "/api/v1/subscriptions/{subscriptionId}/suspend",
        fails [InvalidParameter, Conflict];
    /// Sends again, once the address has shown that it wants events.
    resume_subscription: POST "/api/v1/subscriptions/{subscriptionId}/resume",
        fails [Conflict] and SHAKING;
}

shown!(LifeView<'_> as LifeView<'static>, SubscriptionLifeList<'_> as SubscriptionLifeList<'static>, SubscriptionHistory);

/// The platform's view, and how the subscription fares.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SubscriptionLife")]
struct LifeView<'a> {
    #[serde(flatten)]
    subscription: SubscriptionView<'a>,
    client_id: &'a str,
    /// Its time has run out; it can be renewed until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    renewable_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    paused_since: Option<Timestamp>,
    /// Since when every attempt has failed; told after the first minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
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

#[derive(Debug, Serialize, JsonSchema)]
struct SubscriptionLifeList<'a> {
    records: Vec<LifeView<'a>>,
}

async fn list_subscriptions(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> ApiResult<Answer<SubscriptionLifeList<'static>>> {
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
    Ok(Answer::of(&SubscriptionLifeList { records }))
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
    At(id): At<String>,
) -> ApiResult<Answer<LifeView<'static>>> {
    let subscription = manageable(&api, &caller, &id).await?;
    Ok(Answer::of(&life_view(&api, &subscription, api.now())))
}

async fn delete_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<NoContent> {
    let subscription = manageable(&api, &caller, &id).await?;
    end(&api, &subscription).await?;
    Ok(NoContent)
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SubscriptionHistoryEntry")]
struct HistoryView {
    #[schemars(with = "Time")]
    time: Timestamp,
    milestone: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SubscriptionHistory {
    records: Vec<HistoryView>,
}

/// Oldest first. Stays readable after the subscription has ended.
async fn read_history(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Answer<SubscriptionHistory>> {
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
    Ok(Answer::of(&SubscriptionHistory { records }))
}

/// What a renewal or a resumption may ask for.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RenewSubscription")]
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
    At(id): At<String>,
    MaybeJson(wishes): MaybeJson<Wishes>,
) -> ApiResult<Answer<LifeView<'static>>> {
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
    At(id): At<String>,
) -> ApiResult<Answer<LifeView<'static>>> {
    change(&api, &caller, &id, Subscription::suspend).await
}

/// Ends a pause or a blacklisting, once the address has shown that it wants events.
async fn resume_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(id): At<String>,
    MaybeJson(wishes): MaybeJson<Wishes>,
) -> ApiResult<Answer<LifeView<'static>>> {
    let wishes = wishes.unwrap_or_default();
    let subscription = manageable(&api, &caller, &id).await?;
    if subscription.status != SubscriptionStatus::Active {
        shake_hands(&api, &subscription.client_id, &subscription.mode).await?;
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
) -> ApiResult<Answer<LifeView<'static>>> {
    let changed = api
        .commit_deciding(async || {
            let subscription = manageable(api, caller, id).await?;
            decide(&subscription, api.now()).map_err(|error| refused(caller, &subscription, error))
        })
        .await?;
    Ok(Answer::of(&life_view(api, &changed, api.now())))
}
