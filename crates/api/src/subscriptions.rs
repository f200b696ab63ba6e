//! Subscriptions by webhook (contract section 4).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hookyard_domain::address::Address;
use hookyard_domain::limits::{EVENT_FILTERS_MAX, SUBSCRIPTIONS_MAX, VERIFICATION_TOKEN_CHARS_MAX};
use hookyard_domain::ports::{CommitError, HandshakeError};
use hookyard_domain::secret::token_from;
use hookyard_domain::subscription::granted;
use hookyard_domain::{
    Change, Code, DeliveryMode, EventFilter, Guard, Problem, Scope, Secret, Subscription,
    SubscriptionId, SubscriptionStatus, Timestamp, Write,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Api;
use crate::body::{Json, MaybeJson};
use crate::caller::Caller;
use crate::problem::{ApiError, ApiResult, json_body};

const PATH: &str = "/restapi/v1.0/subscription";

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route(PATH, get(list_subscriptions).post(create_subscription))
        .route(
            &format!("{PATH}/{{id}}"),
            get(read_subscription)
                .put(update_subscription)
                .delete(delete_subscription),
        )
        .route(&format!("{PATH}/{{id}}/renew"), post(renew_subscription))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateSubscription {
    event_filters: Vec<String>,
    expires_in: Option<i64>,
    delivery_mode: DeliveryModeBody,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryModeBody {
    transport_type: String,
    address: Option<String>,
    /// One document calls it `validationToken`.
    #[serde(alias = "validationToken")]
    verification_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateSubscription {
    event_filters: Option<Vec<String>>,
    expires_in: Option<i64>,
}

/// `SubscriptionInfo`, contract section 4.3.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionView<'a> {
    uri: String,
    id: SubscriptionId,
    creation_time: Timestamp,
    status: &'static str,
    event_filters: Vec<&'a str>,
    expiration_time: Timestamp,
    expires_in: u64,
    delivery_mode: DeliveryModeView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blacklisted_data: Option<BlacklistedView<'a>>,
}

/// Never shows the verification token.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryModeView<'a> {
    transport_type: &'static str,
    encryption: bool,
    address: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlacklistedView<'a> {
    blacklisted_at: Timestamp,
    reason: &'a str,
}

fn view<'a>(api: &Api, subscription: &'a Subscription, now: Timestamp) -> SubscriptionView<'a> {
    let DeliveryMode::WebHook { address, .. } = &subscription.mode;
    SubscriptionView {
        uri: format!("{}{PATH}/{}", api.settings.public_url, subscription.id),
        id: subscription.id,
        creation_time: subscription.created_at,
        status: subscription.status.name(),
        event_filters: subscription
            .filters
            .iter()
            .map(EventFilter::as_str)
            .collect(),
        expiration_time: subscription.expires_at,
        expires_in: subscription.expires_in(now),
        delivery_mode: DeliveryModeView {
            transport_type: "WebHook",
            encryption: false,
            address,
        },
        blacklisted_data: subscription
            .blacklisted
            .as_ref()
            .map(|(at, reason)| BlacklistedView {
                blacklisted_at: *at,
                reason,
            }),
    }
}

/// Reads filters, or says which are not known.
fn parse_filters(texts: &[String]) -> ApiResult<Vec<EventFilter>> {
    if texts.is_empty() || texts.len() > EVENT_FILTERS_MAX {
        return Err(Problem::invalid("eventFilters").into());
    }
    let unknown: Vec<&str> = texts
        .iter()
        .filter(|text| EventFilter::parse(text).is_err())
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        return Err(Problem::of(Code::InvalidEventFilters)
            .with("filters", unknown.join(", "))
            .into());
    }
    let mut filters: Vec<EventFilter> = Vec::with_capacity(texts.len());
    for filter in texts
        .iter()
        .filter_map(|text| EventFilter::parse(text).ok())
    {
        if !filters.contains(&filter) {
            filters.push(filter);
        }
    }
    Ok(filters)
}

fn parse_expires_in(asked: Option<i64>) -> ApiResult<Option<Duration>> {
    let Some(seconds) = asked else {
        return Ok(None);
    };
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > 0 => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(Problem::invalid("expiresIn")
            .value(seconds.to_string())
            .into()),
    }
}

/// Reads the delivery mode: a webhook at an address that could be called.
fn parse_mode(api: &Api, caller: &Caller, body: DeliveryModeBody) -> ApiResult<DeliveryMode> {
    if body.transport_type != "WebHook" {
        return Err(Problem::invalid("deliveryMode.transportType")
            .value(body.transport_type)
            .into());
    }
    if !caller.may(Scope::SubscriptionWebhook) {
        let problem = Problem::of(Code::TransportPermissionMissing)
            .with("permission", Scope::SubscriptionWebhook.name())
            .with("transport", "WebHook");
        return Err(problem.into());
    }
    let address = body.address.unwrap_or_default();
    let Ok(address) = Address::parse(&address) else {
        return Err(Problem::invalid("deliveryMode.address")
            .value(address)
            .into());
    };
    if !address.is_secure() && !api.settings.development.is_on() {
        return Err(Code::HttpsRequired.into());
    }
    let is_header = |token: &String| {
        token.len() <= VERIFICATION_TOKEN_CHARS_MAX
            && token.bytes().all(|b| (b' '..=b'~').contains(&b))
    };
    let token = body.verification_token.filter(|token| !token.is_empty());
    if token.as_ref().is_some_and(|token| !is_header(token)) {
        return Err(Problem::invalid("deliveryMode.verificationToken").into());
    }
    Ok(DeliveryMode::WebHook {
        address: address.as_str().to_owned(),
        verification_token: token.map(Secret::new),
    })
}

async fn list_subscriptions(State(api): State<Arc<Api>>, caller: Caller) -> ApiResult<Response> {
    #[derive(Serialize)]
    struct List<'a> {
        uri: String,
        records: Vec<SubscriptionView<'a>>,
    }
    let now = api.now();
    let subscriptions = api
        .store
        .subscriptions(caller.account, caller.person, caller.client_id())
        .await?;
    let records = subscriptions
        .iter()
        .filter(|subscription| !subscription.is_expired(now))
        .map(|subscription| view(&api, subscription, now))
        .collect();
    Ok(json_body(&List {
        uri: format!("{}{PATH}", api.settings.public_url),
        records,
    }))
}

async fn create_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Json(body): Json<CreateSubscription>,
) -> ApiResult<Response> {
    let filters = parse_filters(&body.event_filters)?;
    let asked = parse_expires_in(body.expires_in)?;
    let mode = parse_mode(&api, &caller, body.delivery_mode)?;
    caller.require(Scope::TeamMessaging)?;
    let now = api.now();
    let others = api
        .store
        .subscriptions(caller.account, caller.person, caller.client_id())
        .await?;
    let (expired, live): (Vec<_>, Vec<_>) = others.iter().partition(|other| other.is_expired(now));
    // Before the handshake, so that nobody can make us call addresses without end.
    if live.len() >= SUBSCRIPTIONS_MAX as usize {
        return Err(Code::TooManySubscriptions.into());
    }
    shake_hands(&api, &mode).await?;
    // The handshake took its time: the subscription begins now.
    let now = api.now();
    let ttl = granted(asked);
    let subscription = Subscription {
        account: caller.account,
        id: SubscriptionId::from_random(api.random()),
        owner: caller.person,
        client_id: caller.client_id().clone(),
        filters,
        mode,
        policy: api.settings.retry_policy.clone(),
        status: SubscriptionStatus::Active,
        created_at: now,
        modified_at: now,
        expires_at: now + ttl,
        ttl,
        blacklisted: None,
        version: 1,
    };
    let put = Write::PutSubscription {
        subscription: subscription.clone(),
        count_max: SUBSCRIPTIONS_MAX,
    };
    let change = expired.iter().fold(Change::of(put), |change, expired| {
        change.and(Write::DeleteSubscription {
            account: expired.account,
            subscription: expired.id,
            at: now,
        })
    });
    match api.store.commit(change).await {
        Ok(()) => Ok(json_body(&view(&api, &subscription, now))),
        // Others were quicker than the count above.
        Err(CommitError::Conflict) => Err(Code::TooManySubscriptions.into()),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

/// Asks the address whether it wants events.
async fn shake_hands(api: &Api, mode: &DeliveryMode) -> ApiResult<()> {
    let DeliveryMode::WebHook {
        address,
        verification_token,
    } = mode;
    let validation_token = token_from(api.random());
    let shaken = api
        .handshake
        .verify(address, &validation_token, verification_token.as_ref());
    shaken.await.map_err(|error| match error {
        HandshakeError::Unreachable => Code::WebHookUnreachable.into(),
        HandshakeError::BadStatus(status) => {
            ApiError::from(Problem::of(Code::WebHookBadStatus).with("status", status.to_string()))
        }
        HandshakeError::HttpsRequired => Code::HttpsRequired.into(),
        HandshakeError::CertificateInvalid => Code::CertificateInvalid.into(),
        HandshakeError::NoValidationToken => Code::NoValidationToken.into(),
        HandshakeError::InvalidReply => Code::InvalidWebHookReply.into(),
    })
}

/// The caller's own live subscription; everything else does not exist.
async fn own(api: &Api, caller: &Caller, id: &str) -> ApiResult<Arc<Subscription>> {
    let not_found = || ApiError::from(Problem::not_found("subscriptionId"));
    let id = id.parse().map_err(|_| not_found())?;
    let found = api
        .store
        .subscription(caller.account, id)
        .await?
        .ok_or_else(not_found)?;
    let own = found.owner == caller.person && found.client_id == *caller.client_id();
    if own && !found.is_expired(api.now()) {
        Ok(found)
    } else {
        Err(not_found())
    }
}

async fn read_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let subscription = own(&api, &caller, &id).await?;
    Ok(json_body(&view(&api, &subscription, api.now())))
}

async fn update_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    MaybeJson(body): MaybeJson<UpdateSubscription>,
) -> ApiResult<Response> {
    let body = body.unwrap_or(UpdateSubscription {
        event_filters: None,
        expires_in: None,
    });
    let filters = body
        .event_filters
        .as_deref()
        .map(parse_filters)
        .transpose()?;
    let asked = parse_expires_in(body.expires_in)?;
    change_own(&api, &caller, &id, |subscription, now| match &filters {
        Some(filters) => subscription.updated(filters.clone(), asked, now),
        None => subscription.renewed(asked, now),
    })
    .await
}

async fn renew_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    // Grants again what was granted before (contract section 10, row 3).
    change_own(&api, &caller, &id, |subscription, now| {
        subscription.renewed(Some(subscription.ttl), now)
    })
    .await
}

/// Reads, changes and commits the caller's subscription, and answers with it.
async fn change_own(
    api: &Api,
    caller: &Caller,
    id: &str,
    decide: impl Fn(&Subscription, Timestamp) -> Subscription + Send + Sync,
) -> ApiResult<Response> {
    let subscription = api
        .commit_deciding(async || {
            let subscription = own(api, caller, id).await?;
            let changed = decide(&subscription, api.now());
            let guard = Guard::SubscriptionVersion {
                account: subscription.account,
                subscription: subscription.id,
                version: subscription.version,
            };
            let put = Write::PutSubscription {
                subscription: changed.clone(),
                count_max: SUBSCRIPTIONS_MAX,
            };
            Ok((Change::of(put).given(guard), changed))
        })
        .await?;
    Ok(json_body(&view(api, &subscription, api.now())))
}

async fn delete_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let subscription = own(&api, &caller, &id).await?;
    let write = Write::DeleteSubscription {
        account: subscription.account,
        subscription: subscription.id,
        at: api.now(),
    };
    api.store.commit(Change::of(write)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
