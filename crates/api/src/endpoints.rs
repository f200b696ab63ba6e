//! Webhook endpoints: where an account's events go, and how. For administrators.

pub(crate) mod actions;
mod consent;
mod fault;
mod patch;
mod retries;
mod settings;
pub(crate) mod statistics;
mod tagged;
mod view;

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use hookyard_domain::endpoints::life::{Maker, SecretSeed, Shown};
use hookyard_domain::endpoints::sample::{SampleTooLarge, SampleType};
use hookyard_domain::endpoints::settings::{check_overlap, read_secret};
use hookyard_domain::events::catalogue::EventType;
use hookyard_domain::kernel::limits::{PUBLISHED_BODY_BYTES_MAX, SECRET_OVERLAP_DEFAULT};
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{
    AccountId, Change, Code, Endpoint, Problem, Subscription, SubscriptionId, Timestamp, TypeName,
};
use http::HeaderMap;
use serde_json::Value;

use self::consent::HandshakeView;
use self::patch::SettingsPatch;
use self::settings::{Settings, endpoint_of};
pub(crate) use self::view::SHAKING;
use self::view::{
    EndpointView, EndpointsQuery, RevealQuery, RevealedSecret, Rotation, Test, TestView, view,
};
use crate::Api;
use crate::delivery::deliveries::refused;
use crate::identity::caller::Caller;
use crate::kernel::body::{AnyJson, Json, MaybeJson};
use crate::kernel::paging::{ListQuery, Listing};
use crate::kernel::path::PathParams;
use crate::kernel::platform::lacks;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::kernel::query::Query;
use crate::kernel::version_check::VersionCheck;
use crate::operations::answers::{Accepted, Answer, Created, NoContent, Tagged};

crate::operations! {
    tag Endpoints, under ROOT, as Administrator(SubscriptionWebhook);

    /// Endpoints, newest first, with how they fared in the last day.
    list_endpoints: GET "/api/v1/endpoints";
    /// Makes an endpoint, once its address has shown that it wants events.
    create_endpoint: POST "/api/v1/endpoints", fails [Conflict, TooManySubscriptions] and SHAKING;
    /// One endpoint; with `reveal` in the clear, of which its history then tells.
    read_endpoint: GET "/api/v1/endpoints/{endpointId}";
    /// Gives an endpoint other settings: what is left out is as it is by default.
    replace_endpoint: PUT "/api/v1/endpoints/{endpointId}",
        fails [VersionDiffers, Conflict] and SHAKING;
    /// Changes settings of an endpoint, as JSON Merge Patch (RFC 7396) has it.
    change_endpoint: PATCH "/api/v1/endpoints/{endpointId}",
        fails [VersionDiffers, Conflict] and SHAKING;
    /// Deletes an endpoint.
    delete_endpoint: DELETE "/api/v1/endpoints/{endpointId}", fails [Conflict];
    /// Stops sending until it is resumed.
    pause_endpoint: POST "/api/v1/endpoints/{endpointId}/pause", fails [Conflict];
    /// Sends again.
    resume_endpoint: POST "/api/v1/endpoints/{endpointId}/resume", fails [Conflict];
    /// Asks the address again whether it wants events.
    repeat_handshake: POST "/api/v1/endpoints/{endpointId}/handshake", fails [] and SHAKING;
    /// The secret that requests are signed with, of which its history then tells.
    read_signing_secret: GET "/api/v1/endpoints/{endpointId}/secret";
    /// Signs with another secret, and for a while with both.
    rotate_secret: POST "/api/v1/endpoints/{endpointId}/secret/rotate", fails [Conflict];
    /// Sends an example of an event to one endpoint alone.
    test_endpoint: POST "/api/v1/endpoints/{endpointId}/test", fails [Conflict];
}

impl Api {
    /// Refuses who is no administrator.
    pub(crate) async fn require_administrator(&self, caller: &Caller) -> ApiResult<()> {
        let person = self.store.person(caller.account, caller.person).await?;
        if person.is_some_and(|person| person.admin) {
            return Ok(());
        }
        Err(lacks("AccountAdmin"))
    }

    /// An endpoint of the caller's account.
    pub(crate) async fn endpoint(&self, caller: &Caller, id: &str) -> ApiResult<Arc<Subscription>> {
        let missing = || Problem::not_found("endpointId");
        let id: SubscriptionId = id.parse().map_err(|_| missing())?;
        let found = self.store.subscription(caller.account, id).await?;
        let found = found.filter(|found| found.endpoint.is_some());
        Ok(found.ok_or_else(missing)?)
    }

    /// How receivers are told who asks: the name that the world knows this server by.
    pub(crate) fn origin(&self) -> String {
        let url = &self.settings.public_url;
        let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        host.split('/').next().unwrap_or_default().to_owned()
    }
}

async fn list_endpoints(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: ListQuery<EndpointsQuery>,
) -> ApiResult<Answer<Listing<EndpointView>>> {
    let asked = query.page(&api, &caller)?;
    let status = query.first("status");
    if let Some(unknown) = status.filter(|name| !["Active", "Paused", "Errored"].contains(name)) {
        let problem = Problem::invalid("status").value(unknown);
        return Err(because(problem, "is Active, Paused or Errored").into());
    }
    let type_name = query.first("eventType");
    let text = query.first("q").map(str::to_lowercase);
    let wanted = |endpoint: &Endpoint, subscription: &Subscription| {
        let asks =
            type_name.is_none_or(|name| endpoint.types.iter().any(|pattern| pattern.matches(name)));
        let says = text.as_ref().is_none_or(|text| {
            let url = subscription.mode.address().unwrap_or_default();
            url.to_lowercase().contains(text) || endpoint.description.to_lowercase().contains(text)
        });
        let stands = status.is_none_or(|name| subscription.status.endpoint_name() == name);
        asks && says && stands
    };
    let key_of = |found: &Arc<Subscription>| (found.created_at.as_millis(), found.id);
    let mut found = api.store.endpoints(caller.account).await?;
    found.sort_unstable_by_key(|found| Reverse(key_of(found)));
    let found = found.into_iter().filter(|found| {
        let endpoint = found.endpoint.as_ref();
        endpoint.is_some_and(|endpoint| wanted(endpoint, found))
    });
    let listing = asked.listing(asked.of_whole(found, key_of), key_of);
    let now = api.now();
    let last_day = api.last_day(caller.account).await?;
    let told = |subscription: &Arc<Subscription>| {
        Ok(EndpointView {
            stats: Some(last_day.of(subscription.id)),
            ..view(subscription, endpoint_of(subscription)?, now)
        })
    };
    Ok(Answer::of(&Listing {
        records: listing.records.iter().map(told).collect::<ApiResult<_>>()?,
        next_page_token: listing.next_page_token,
    }))
}

async fn create_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    AnyJson(body, _): AnyJson<Settings>,
) -> ApiResult<Tagged<Created<EndpointView>>> {
    let settled = Settings::read(body)?.settled()?;
    consent::vet_token_source(&api, &settled.endpoint.authorization).await?;
    let by = caller.client_id();
    let consent = consent::ask(&api, by, &settled.mode, &settled.endpoint).await?;
    let Ok(granted) = &consent.outcome else {
        return Err(consent.into());
    };
    let maker = Maker {
        account: caller.account,
        person: caller.person,
        client_id: by.clone(),
        id: SubscriptionId::from_random(api.random()),
    };
    let now = api.now();
    let (change, subscription) = Endpoint::create(maker, settled, granted, api.seed(), now);
    match api.commit(change).await {
        Ok(()) => {}
        Err(CommitError::Conflict) => return Err(Code::TooManySubscriptions.into()),
        Err(CommitError::Store(error)) => return Err(error.into()),
    }
    let mut told = view(&subscription, endpoint_of(&subscription)?, now);
    told.handshake_result = Some(Value::from(&consent));
    let answer = Created::of(&told);
    Ok(Tagged(answer, subscription.version))
}

/// One endpoint; with `reveal=true` in the clear, of which the history then tells.
async fn read_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: Query<RevealQuery>,
) -> ApiResult<Tagged<Answer<EndpointView>>> {
    let reveal = match query.first("reveal") {
        None | Some("false") => false,
        Some("true") => true,
        Some(text) => return Err(refused("reveal", text, "it is true or false").into()),
    };
    let subscription = api.endpoint(&caller, path.text("endpointId")?).await?;
    let endpoint = endpoint_of(&subscription)?;
    let mut told = view(&subscription, endpoint, api.now());
    if reveal {
        let note = Endpoint::note_shown(&subscription, Shown::Credentials, api.now());
        api.commit(note).await?;
        told.settings = Settings::of(&subscription, endpoint);
    }
    Ok(Tagged(Answer::of(&told), subscription.version))
}

async fn replace_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    headers: HeaderMap,
    AnyJson(body, _): AnyJson<Settings>,
) -> ApiResult<Tagged<Answer<EndpointView>>> {
    let expected = VersionCheck::read(&headers)?;
    settle(
        &api,
        &caller,
        path.text("endpointId")?,
        &expected,
        |current| current.replaced(body.clone()),
    )
    .await
}

async fn change_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    headers: HeaderMap,
    AnyJson(patch, _): AnyJson<SettingsPatch>,
) -> ApiResult<Tagged<Answer<EndpointView>>> {
    let expected = VersionCheck::read(&headers)?;
    settle(
        &api,
        &caller,
        path.text("endpointId")?,
        &expected,
        |current| current.merged(patch.clone()),
    )
    .await
}

/// Gives an endpoint other settings. A new address is asked for its consent first, and so is one
/// whose handshake is another.
async fn settle(
    api: &Api,
    caller: &Caller,
    id: &str,
    expected: &VersionCheck,
    wanted: impl Fn(&Settings) -> ApiResult<Settings> + Send + Sync,
) -> ApiResult<Tagged<Answer<EndpointView>>> {
    let current = api.endpoint(caller, id).await?;
    expected.pass(current.version)?;
    let former = endpoint_of(&current)?;
    let settled = wanted(&Settings::of(&current, former))?.settled()?;
    if former.authorization != settled.endpoint.authorization {
        consent::vet_token_source(api, &settled.endpoint.authorization).await?;
    }
    let consent = if settled.need_consent(&current) {
        let by = &current.client_id;
        let consent = consent::ask(api, by, &settled.mode, &settled.endpoint).await?;
        if consent.outcome.is_err() {
            return Err(consent.into());
        }
        Some(consent)
    } else {
        None
    };
    let granted = consent
        .as_ref()
        .and_then(|consent| consent.outcome.as_ref().ok());
    let changed = decide(api, caller, id, |current, endpoint, now| {
        expected.pass(current.version)?;
        let settled = wanted(&Settings::of(current, endpoint))?.settled()?;
        Ok(endpoint.change(current, settled, granted, api.seed(), now))
    })
    .await?;
    let mut told = view(&changed, endpoint_of(&changed)?, api.now());
    told.handshake_result = consent.as_ref().map(Value::from);
    Ok(Tagged(Answer::of(&told), changed.version))
}

/// Reads, decides and commits, again when somebody else was quicker.
async fn decide(
    api: &Api,
    caller: &Caller,
    id: &str,
    decision: impl Fn(&Subscription, &Endpoint, Timestamp) -> ApiResult<(Change, Subscription)>
    + Send
    + Sync,
) -> ApiResult<Subscription> {
    api.commit_deciding(async || {
        let current = api.endpoint(caller, id).await?;
        decision(&current, endpoint_of(&current)?, api.now())
    })
    .await
}

async fn delete_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    let subscription = api.endpoint(&caller, path.text("endpointId")?).await?;
    let change = Endpoint::delete(&subscription, api.now());
    api.commit(change).await?;
    Ok(NoContent)
}

async fn pause_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<EndpointView>> {
    let changed = decide(
        &api,
        &caller,
        path.text("endpointId")?,
        |current, _, now| Ok(Endpoint::pause(current, now)),
    )
    .await?;
    Ok(Answer::of(&view(
        &changed,
        endpoint_of(&changed)?,
        api.now(),
    )))
}

async fn resume_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<EndpointView>> {
    let changed = decide(
        &api,
        &caller,
        path.text("endpointId")?,
        |current, _, now| Ok(Endpoint::resume(current, now)),
    )
    .await?;
    Ok(Answer::of(&view(
        &changed,
        endpoint_of(&changed)?,
        api.now(),
    )))
}

/// Asks the address again. What it says changes nothing but what was granted.
async fn repeat_handshake(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<HandshakeView>> {
    let subscription = api.endpoint(&caller, path.text("endpointId")?).await?;
    let endpoint = endpoint_of(&subscription)?;
    let (by, mode) = (&subscription.client_id, &subscription.mode);
    let consent = consent::ask(&api, by, mode, endpoint).await?;
    if consent.outcome.is_err() {
        return Err(consent.into());
    }
    Ok(Answer::of(&HandshakeView::from(&consent)))
}

async fn read_signing_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<RevealedSecret<'static>>> {
    let subscription = api.endpoint(&caller, path.text("endpointId")?).await?;
    let newest = endpoint_of(&subscription)?.secrets.first();
    let newest = newest.ok_or_else(|| Problem::not_found("secret"))?;
    let note = Endpoint::note_shown(&subscription, Shown::SigningSecret, api.now());
    api.commit(note).await?;
    let text = newest.secret.text();
    Ok(Answer::of(&RevealedSecret {
        secret: text.reveal(),
    }))
}

async fn rotate_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    MaybeJson(rotation): MaybeJson<Rotation>,
) -> ApiResult<Answer<EndpointView>> {
    let rotation = rotation.unwrap_or_default();
    let overlap = rotation
        .overlap_s
        .map_or(SECRET_OVERLAP_DEFAULT, Duration::from_secs);
    check_overlap(overlap)?;
    let own = rotation.secret.as_deref().map(read_secret).transpose()?;
    let seed = api.seed();
    let changed = decide(
        &api,
        &caller,
        path.text("endpointId")?,
        |current, endpoint, now| {
            Ok(endpoint.rotate_secret(current, own.clone(), overlap, seed, now))
        },
    )
    .await?;
    Ok(Answer::of(&view(
        &changed,
        endpoint_of(&changed)?,
        api.now(),
    )))
}

/// Sends an example of an event to one endpoint alone.
async fn test_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(test): Json<Test>,
) -> ApiResult<Accepted<TestView>> {
    let subscription = api.endpoint(&caller, path.text("endpointId")?).await?;
    let sample = api.sample_type(caller.account, &test.event_type).await?;
    let event = sample.event(&subscription, test.data, api.now())?;
    let ids = api
        .commit_numbering(Change::default().announcing(event))
        .await?;
    let event_id = *ids.first().expect("a committed event has an id");
    let caused = api
        .store
        .deliveries_of_event(caller.account, event_id)
        .await?;
    let told = TestView {
        event_id,
        delivery_id: caused.first().map(|delivery| delivery.id),
    };
    Ok(Accepted::of(&told))
}

impl Api {
    /// A type of events that an endpoint can be tested with.
    async fn sample_type(&self, account: AccountId, name: &str) -> ApiResult<SampleType> {
        if let Some(known) = EventType::named(name) {
            return Ok(known.into());
        }
        let unknown = || Problem::invalid("eventType").value(name);
        let parsed = TypeName::parse(name);
        let parsed = parsed.map_err(|error| because(unknown(), &error.to_string()))?;
        let found = self.store.custom_type(account, &parsed).await?;
        let found = found.ok_or_else(|| {
            let reason = "there is no such type; register it with POST /api/v1/event-types";
            because(unknown(), reason)
        })?;
        Ok(SampleType::from(&*found))
    }

    /// Random bytes for a signing secret.
    fn seed(&self) -> SecretSeed {
        SecretSeed {
            id: self.random(),
            key: self.random(),
        }
    }
}

impl From<SampleTooLarge> for ApiError {
    fn from(SampleTooLarge: SampleTooLarge) -> Self {
        Problem::of(Code::BodyTooLarge)
            .with("limit", PUBLISHED_BODY_BYTES_MAX.to_string())
            .into()
    }
}
