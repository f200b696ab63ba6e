//! Subscriptions, as the platform has them (contract section 4).

pub(crate) mod life;
mod proposal;
mod refusal;
mod view;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::kernel::ports::{CommitError, HandshakeError};
use hookyard_domain::subscriptions::life::{Channel, LifeError};
use hookyard_domain::subscriptions::proposal::Proposal;
use hookyard_domain::{
    Change, ClientId, Code, DeliveryMode, Problem, Secret, SocketId, Subscription, SubscriptionId,
    Timestamp, TransportType,
};
use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Serialize;

use self::proposal::{
    CreateSubscription, UpdateSubscription, ask_filters, ask_mode, ask_transport, parse_expires_in,
};
use self::refusal::refused;
pub(crate) use self::view::{SubscriptionView, view};
use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::{Json, MaybeJson};
use crate::kernel::idempotency::Fleeting;
use crate::kernel::path::At;
use crate::kernel::problem::{ApiError, ApiResult};
use crate::operations::answers::{Answer, NoContent, Outcome, shown};
use crate::operations::sketch::Sketch;

pub(crate) const PATH: &str = "/restapi/v1.0/subscription";

/// WebSocket clients look for it in replies that make or change their subscription.
const SUBSCRIPTION_HEADER: HeaderName = HeaderName::from_static("wsg-subscriptionid");

crate::operations! {
    tag Subscriptions, under ROOT, as SignedIn, counted Medium;

    /// The caller's live subscriptions.
    list_subscriptions: GET "/restapi/v1.0/subscription";
    /// Subscribes to events.
    create_subscription: POST "/restapi/v1.0/subscription", fails [
        ResourceNotFound, PermissionMissing, AppPermissionMissing, Conflict,
    ] and ASKING;
    /// One subscription.
    read_subscription: GET "/restapi/v1.0/subscription/{subscriptionId}", counted Light,
        fails [SubscriptionExpired];
    /// Changes what a subscription asks for, and renews it.
    update_subscription: PUT "/restapi/v1.0/subscription/{subscriptionId}", fails [
        PermissionMissing, AppPermissionMissing, SubscriptionExpired, Conflict,
    ] and ASKING;
    /// Ends a subscription.
    delete_subscription: DELETE "/restapi/v1.0/subscription/{subscriptionId}",
        fails [SubscriptionExpired, Conflict];
    /// Grants again what was granted before.
    renew_subscription: POST "/restapi/v1.0/subscription/{subscriptionId}/renew",
        fails [InvalidParameter, SubscriptionExpired, InvalidReminder, Conflict];
}

shown!(SubscriptionList<'_> as SubscriptionList<'static>);

/// Why filters, a transport or an address may be refused.
const ASKING: &[Code] = &[
    Code::PresenceDisabled,
    Code::PresenceForbidden,
    Code::MessagesOfOthers,
    Code::OtherAccount,
    Code::UnknownUser,
    Code::ExtensionPermissionMissing,
    Code::TooManySubscriptions,
    Code::InvalidEventFilters,
    Code::OnlyReminder,
    Code::InvalidReminder,
    Code::NoValidationToken,
    Code::WebHookUnreachable,
    Code::WebHookBadStatus,
    Code::HttpsRequired,
    Code::CertificateInvalid,
    Code::InvalidWebHookReply,
    Code::MissedCallsOfOthers,
    Code::TransportPermissionMissing,
];

/// The WebSocket session by which a request came.
type Socket = Option<Extension<SocketId>>;

#[derive(Debug, Serialize, JsonSchema)]
struct SubscriptionList<'a> {
    uri: String,
    records: Vec<SubscriptionView<'a>>,
}

async fn list_subscriptions(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> ApiResult<Answer<SubscriptionList<'static>>> {
    let now = api.now();
    let subscriptions = live_ones(&api, &caller, now).await?;
    let records = subscriptions
        .iter()
        .map(|subscription| view(&api, subscription, now))
        .collect();
    Ok(Answer::of(&SubscriptionList {
        uri: format!("{}{PATH}", api.settings.public_url),
        records,
    }))
}

/// The caller's subscriptions that have not expired, those of WebSocket sessions too.
async fn live_ones(
    api: &Api,
    caller: &Caller,
    now: Timestamp,
) -> ApiResult<Vec<Arc<Subscription>>> {
    let client_id = caller.client_id();
    let stored = api
        .store
        .subscriptions(caller.account, caller.person, client_id)
        .await?;
    let in_sockets = api
        .sockets
        .subscriptions(caller.account, caller.person, Some(client_id));
    let mut all: Vec<_> = stored.into_iter().map(Arc::new).chain(in_sockets).collect();
    all.retain(|subscription| !subscription.is_expired(now));
    all.sort_by_key(|subscription| subscription.created_at);
    Ok(all)
}

async fn create_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    socket: Socket,
    Json(body): Json<CreateSubscription>,
) -> ApiResult<Subscribed> {
    let asked = parse_expires_in(body.expires_in)?;
    let transport = ask_transport(&api, &caller, &body.delivery_mode)?;
    let filters = ask_filters(&api, &caller, &body.event_filters).await?;
    let socket = socket.map(|Extension(socket)| socket);
    let mode = ask_mode(
        &api,
        &caller,
        body.delivery_mode,
        transport,
        socket,
        &filters.permitted,
    )?;
    // Before the handshake, so that nobody can make us call addresses without end.
    if count_beside(&api, &caller, &mode).await? >= api.settings.subscriptions.count_max {
        return Err(Code::TooManySubscriptions.into());
    }
    let proposal = Proposal {
        account: caller.account,
        owner: caller.person,
        client_id: caller.client_id().clone(),
        filters,
        mode,
        policy: api.settings.retry_policy.clone(),
        asked,
    };
    proposal.granted()?;
    shake_hands(&api, caller.client_id(), &proposal.mode).await?;
    // The handshake took its time: the subscription begins now.
    let now = api.now();
    let id = SubscriptionId::from_random(api.random());
    let (change, subscription) = proposal.begin(id, room_beside_sockets(&api, &caller), now)?;
    match api.commit(change).await {
        Ok(()) => {}
        Err(CommitError::Conflict) => return Err(outrun(&api, &caller).await?),
        Err(CommitError::Store(error)) => return Err(error.into()),
    }
    if transport == TransportType::WebSocket {
        put_in_socket(&api, subscription.clone())?;
    }
    Ok(shown(&api, &subscription, now))
}

/// Who was quicker than a subscription that could not begin: somebody who ended the caller's session,
/// such as by deleting its app, or others who subscribed.
async fn outrun(api: &Api, caller: &Caller) -> ApiResult<ApiError> {
    let session = &caller.session.0;
    let live = api.store.session(session.account, session.id).await?;
    Ok(match live {
        Some(_) => Code::TooManySubscriptions.into(),
        None => Code::TokenInvalid.into(),
    })
}

/// How many live subscriptions the caller would have beside a new one of this mode, which takes the
/// place of the one its WebSocket session has.
async fn count_beside(api: &Api, caller: &Caller, mode: &DeliveryMode) -> ApiResult<u32> {
    let (client_id, now) = (caller.client_id(), api.now());
    let stored = api
        .store
        .subscription_count(caller.account, caller.person, client_id, now)
        .await?;
    let in_sockets = api
        .sockets
        .subscriptions(caller.account, caller.person, Some(client_id));
    let beside = in_sockets
        .iter()
        .filter(|other| !other.is_expired(now) && !other.gives_way_to(mode));
    let beside = u32::try_from(beside.count()).unwrap_or(u32::MAX);
    Ok(stored.saturating_add(beside))
}

/// How many subscriptions of the caller there may be in the store: those of WebSocket sessions count
/// as well.
fn room_beside_sockets(api: &Api, caller: &Caller) -> u32 {
    let client_id = Some(caller.client_id());
    let in_sockets = api
        .sockets
        .subscriptions(caller.account, caller.person, client_id);
    let in_sockets = u32::try_from(in_sockets.len()).unwrap_or(u32::MAX);
    let count_max = api.settings.subscriptions.count_max;
    count_max.saturating_sub(in_sockets)
}

/// Gives a subscription to its WebSocket session.
fn put_in_socket(api: &Api, subscription: Subscription) -> ApiResult<()> {
    api.sockets
        .put(subscription)
        .map_err(|_| Problem::invalid("deliveryMode.transportType").into())
}

/// The answer that shows a subscription that was made or changed.
fn shown(api: &Api, subscription: &Subscription, now: Timestamp) -> Subscribed {
    let mut response = Answer::of(&view(api, subscription, now)).into_response();
    if subscription.mode.transport() == TransportType::WebSocket {
        let id = HeaderValue::from_str(&subscription.id.to_string());
        response.extensions_mut().insert(Fleeting);
        response
            .headers_mut()
            .insert(SUBSCRIPTION_HEADER, id.expect("ids are plain"));
    }
    Subscribed(response)
}

/// A subscription that was made or changed.
struct Subscribed(Response);

impl IntoResponse for Subscribed {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Outcome for Subscribed {
    fn sketch(sketch: &mut Sketch) {
        Answer::<SubscriptionView<'static>>::sketch(sketch);
    }
}

/// Asks the address whether it wants events, where there is one.
pub(crate) async fn shake_hands(
    api: &Api,
    client_id: &ClientId,
    mode: &DeliveryMode,
) -> ApiResult<()> {
    let DeliveryMode::WebHook { address, .. } = mode else {
        return Ok(());
    };
    let proof = api.proof(client_id, mode).await?;
    let validation_token = token_from(api.random());
    let shaken = api
        .handshake
        .verify(address, &validation_token, proof.as_ref());
    shaken.await.map_err(|error| match error {
        HandshakeError::Unreachable | HandshakeError::Forbidden | HandshakeError::Unresolvable => {
            Code::WebHookUnreachable.into()
        }
        HandshakeError::BadStatus(status) => {
            ApiError::from(Problem::of(Code::WebHookBadStatus).with("status", status.to_string()))
        }
        HandshakeError::HttpsRequired => Code::HttpsRequired.into(),
        HandshakeError::CertificateInvalid => Code::CertificateInvalid.into(),
        HandshakeError::NoValidationToken | HandshakeError::NotAllowed => {
            Code::NoValidationToken.into()
        }
        HandshakeError::InvalidReply | HandshakeError::InvalidRate => {
            Code::InvalidWebHookReply.into()
        }
    })
}

impl Api {
    /// What an address is shown: the token that was chosen for it, or the one of the app.
    pub(crate) async fn proof(
        &self,
        client_id: &ClientId,
        mode: &DeliveryMode,
    ) -> ApiResult<Option<Secret>> {
        match mode {
            DeliveryMode::WebHook {
                verification_token: Some(own),
                ..
            } => Ok(Some(own.clone())),
            _ => Ok(self.store.verification_token(client_id).await?),
        }
    }
}

pub(crate) fn not_found() -> ApiError {
    Problem::not_found("subscriptionId").into()
}

/// A subscription of the caller's account, in the store or of a WebSocket session.
pub(crate) async fn find(api: &Api, caller: &Caller, id: &str) -> ApiResult<Arc<Subscription>> {
    let id: SubscriptionId = id.parse().map_err(|_| not_found())?;
    match api.sockets.subscription(caller.account, id) {
        Some(found) => Ok(found),
        None => api
            .store
            .subscription(caller.account, id)
            .await?
            .filter(|found| found.endpoint.is_none())
            .ok_or_else(not_found),
    }
}

/// The caller's own live subscription; everything else does not exist, or no longer.
async fn own(api: &Api, caller: &Caller, id: &str) -> ApiResult<Arc<Subscription>> {
    let found = find(api, caller, id).await?;
    found
        .check_own(caller.person, caller.client_id(), api.now())
        .map_err(|error| refused(caller, &found, error))?;
    Ok(found)
}

async fn read_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Answer<SubscriptionView<'static>>> {
    let subscription = own(&api, &caller, &id).await?;
    Ok(Answer::of(&view(&api, &subscription, api.now())))
}

async fn update_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    socket: Socket,
    At(id): At<String>,
    MaybeJson(body): MaybeJson<UpdateSubscription>,
) -> ApiResult<Subscribed> {
    let body = body.unwrap_or_default();
    let asked = parse_expires_in(body.expires_in)?;
    own(&api, &caller, &id).await?;
    let filters = match &body.event_filters {
        Some(texts) => Some(ask_filters(&api, &caller, texts).await?),
        None => None,
    };
    let channel = channel_of(socket.as_ref());
    change_own(&api, &caller, &id, |subscription, now| {
        match filters.clone() {
            Some(filters) => subscription.update(filters, asked, channel, now),
            None => subscription.renew(asked, channel, now),
        }
    })
    .await
}

async fn renew_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    socket: Socket,
    At(id): At<String>,
) -> ApiResult<Subscribed> {
    let channel = channel_of(socket.as_ref());
    // Grants again what was granted before (contract section 10, row 3).
    change_own(&api, &caller, &id, |subscription, now| {
        subscription.renew(Some(subscription.ttl), channel, now)
    })
    .await
}

const fn channel_of(socket: Option<&Extension<SocketId>>) -> Channel {
    match socket {
        Some(_) => Channel::Socket,
        None => Channel::Http,
    }
}

/// Reads, changes and commits the caller's subscription, and answers with it.
async fn change_own(
    api: &Api,
    caller: &Caller,
    id: &str,
    decide: impl Fn(&Subscription, Timestamp) -> Result<(Change, Subscription), LifeError> + Send + Sync,
) -> ApiResult<Subscribed> {
    let subscription = api
        .commit_deciding(async || {
            let subscription = own(api, caller, id).await?;
            let (change, changed) = decide(&subscription, api.now())
                .map_err(|error| refused(caller, &subscription, error))?;
            if changed.mode.transport() == TransportType::WebSocket {
                put_in_socket(api, changed.clone())?;
            }
            Ok((change, changed))
        })
        .await?;
    Ok(shown(api, &subscription, api.now()))
}

async fn delete_subscription(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<NoContent> {
    let subscription = own(&api, &caller, &id).await?;
    end(&api, &subscription).await?;
    Ok(NoContent)
}

/// Deletes a subscription because its owner wants it so.
pub(crate) async fn end(api: &Api, subscription: &Subscription) -> ApiResult<()> {
    if subscription.mode.transport() == TransportType::WebSocket {
        api.sockets.remove(subscription.account, subscription.id);
    }
    Ok(api.commit(subscription.delete(api.now())).await?)
}
