//! Webhook endpoints: where an account's events go, and how. For administrators.

pub(crate) mod actions;
mod consent;
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
use hookyard_domain::endpoints::endpoint::{EndpointEventType, endpoint_event};
use hookyard_domain::endpoints::signing::SigningSecret;
use hookyard_domain::events::catalogue::EventType;
use hookyard_domain::kernel::limits::{
    ENDPOINT_TTL, ENDPOINTS_MAX, PUBLISHED_BODY_BYTES_MAX, SECRET_OVERLAP_DEFAULT,
    SECRET_OVERLAP_MAX,
};
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{
    Attributes, Audience, Change, Code, Endpoint, Event, EventId, EventKind, HistoryWrite,
    Milestone, Problem, SettingError, Subscription, SubscriptionId, SubscriptionStatus,
    SubscriptionWrite, Timestamp, TypeName,
};
use http::HeaderMap;
use serde_json::Value;

use self::consent::{Consent, HandshakeView};
use self::patch::SettingsPatch;
use self::settings::{Settings, endpoint_of, read_secret, secret_from, secrets_after};
pub(crate) use self::view::SHAKING;
use self::view::{
    EndpointList, EndpointView, EndpointsQuery, RevealQuery, RevealedSecret, Rotation, Test,
    TestView, view,
};
use crate::Api;
use crate::delivery::deliveries::{limit_of, refused};
use crate::identity::caller::Caller;
use crate::kernel::body::{AnyJson, Json, MaybeJson};
use crate::kernel::path::PathParams;
use crate::kernel::platform::lacks;
use crate::kernel::problem::{ApiResult, because};
use crate::kernel::query::{Pairs, Query};
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

/// Where a page of the list ended: its last endpoint, by the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    created_at: i64,
    id: SubscriptionId,
}

impl Position {
    const fn of(subscription: &Subscription) -> Self {
        Self {
            created_at: subscription.created_at.as_millis(),
            id: subscription.id,
        }
    }

    /// Reads `pageToken`, as [`Position::token`] writes it.
    fn read(query: &Pairs) -> ApiResult<Option<Self>> {
        let Some(text) = query.first("pageToken") else {
            return Ok(None);
        };
        let read = |text: &str| {
            let (created_at, id) = text.split_once('_')?;
            Some(Self {
                created_at: created_at.parse().ok()?,
                id: id.parse().ok()?,
            })
        };
        let position = read(text).ok_or_else(|| {
            let should = "take the one that the last page came with";
            refused("pageToken", text, should)
        })?;
        Ok(Some(position))
    }

    fn token(self) -> String {
        format!("{}_{}", self.created_at, self.id)
    }
}

async fn list_endpoints(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query<EndpointsQuery>,
) -> ApiResult<Answer<EndpointList>> {
    let limit = usize::try_from(limit_of(&query)?).expect("pages are small");
    let after = Position::read(&query)?;
    let status = query.first("status");
    if let Some(unknown) = status.filter(|name| !["Active", "Paused", "Errored"].contains(name)) {
        let problem = Problem::invalid("status").value(unknown);
        return Err(because(problem, "is Active, Paused or Errored").into());
    }
    let type_name = query.first("eventType");
    let text = query.first("q").map(str::to_lowercase);
    let wanted = |subscription: &Subscription| -> ApiResult<bool> {
        let endpoint = endpoint_of(subscription)?;
        let asks =
            type_name.is_none_or(|name| endpoint.types.iter().any(|pattern| pattern.matches(name)));
        let says = text.as_ref().is_none_or(|text| {
            let url = subscription.mode.address().unwrap_or_default();
            url.to_lowercase().contains(text) || endpoint.description.to_lowercase().contains(text)
        });
        let stands = status.is_none_or(|name| subscription.status.endpoint_name() == name);
        Ok(asks && says && stands)
    };
    let mut found = api.store.endpoints(caller.account).await?;
    found.sort_unstable_by_key(|subscription| Reverse(Position::of(subscription)));
    let mut shown = Vec::new();
    for subscription in found {
        let further = after.is_none_or(|after| Position::of(&subscription) < after);
        if further && wanted(&subscription)? {
            shown.push(subscription);
        }
        if shown.len() > limit {
            break;
        }
    }
    let more = shown.len() > limit;
    shown.truncate(limit);
    let next_page_token = shown.last().filter(|_| more).map(|last| Position::of(last));
    let now = api.now();
    let last_day = api.last_day(caller.account).await?;
    let told = |subscription: &Arc<Subscription>| {
        Ok(EndpointView {
            stats: Some(last_day.of(subscription.id)),
            ..view(subscription, endpoint_of(subscription)?, now)
        })
    };
    Ok(Answer::of(&EndpointList {
        records: shown.iter().map(told).collect::<ApiResult<_>>()?,
        next_page_token: next_page_token.map(Position::token),
    }))
}

async fn create_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    AnyJson(body, _): AnyJson<Settings>,
) -> ApiResult<Tagged<Created<EndpointView>>> {
    let asked = Settings::read(body)?.asked()?;
    let mut endpoint = asked.endpoint;
    consent::vet_token_source(&api, &endpoint.authorization).await?;
    let consent = consent::ask(&api, &asked.mode, &endpoint).await;
    apply(&consent, &mut endpoint);
    if consent.outcome.is_err() {
        return Err(consent.into());
    }
    let now = api.now();
    let fresh = || {
        let secret = asked
            .secret
            .unwrap_or_else(|| SigningSecret::from_random(api.random()));
        secret_from(api.random(), secret, now)
    };
    endpoint.secrets = secrets_after(&[], asked.signing, fresh);
    let subscription = Subscription {
        account: caller.account,
        id: SubscriptionId::from_random(api.random()),
        owner: caller.person,
        client_id: caller.client_id().clone(),
        filters: Vec::new(),
        disabled_filters: Vec::new(),
        mode: asked.mode,
        policy: asked.policy,
        status: SubscriptionStatus::Active,
        created_at: now,
        modified_at: now,
        expires_at: now + ENDPOINT_TTL,
        ttl: ENDPOINT_TTL,
        blacklisted: None,
        paused_at: None,
        ended_at: None,
        failing_since: None,
        catch_up_after: None,
        endpoint: Some(Arc::new(endpoint)),
        version: 1,
    };
    let note = subscription.passed(Milestone::Created, now, None);
    let mut change = subscription
        .create(ENDPOINTS_MAX)
        .and(HistoryWrite::Note(note));
    change.events.extend(endpoint_event(
        &subscription,
        EndpointEventType::Created,
        now,
    ));
    match api.store.commit(change).await {
        Ok(()) => {}
        Err(CommitError::Conflict) => return Err(Code::TooManySubscriptions.into()),
        Err(CommitError::Store(error)) => return Err(error.into()),
    }
    let mut told = view(&subscription, endpoint_of(&subscription)?, now);
    told.handshake_result = Some(Value::from(&consent));
    let answer = Created::of(&told);
    Ok(Tagged(answer, subscription.version))
}

/// What an address granted becomes part of the settings.
fn apply(consent: &Consent, endpoint: &mut Endpoint) {
    let Ok(granted) = &consent.outcome else {
        return;
    };
    endpoint.request_origin.clone_from(&granted.origin);
    if let Some(rate) = granted.rate {
        let slower = endpoint
            .rate
            .filter(|own| own.interval() >= rate.interval());
        endpoint.rate = Some(slower.unwrap_or(rate));
    }
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
        note_shown(
            &api,
            &subscription,
            "The headers and credentials were shown.",
        )
        .await?;
        told.settings = Settings::of(&subscription, endpoint);
    }
    Ok(Tagged(Answer::of(&told), subscription.version))
}

/// Leaves a trace of who could see a secret.
async fn note_shown(api: &Api, subscription: &Subscription, what: &str) -> ApiResult<()> {
    let note = subscription.passed(Milestone::Updated, api.now(), Some(what.to_owned()));
    api.store
        .commit(Change::of(HistoryWrite::Note(note)))
        .await?;
    Ok(())
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
    let asked = wanted(&Settings::of(&current, endpoint_of(&current)?))?.asked()?;
    let moved = current.mode.address() != asked.mode.address();
    let former = endpoint_of(&current)?;
    let other_proof = former.handshake != asked.endpoint.handshake;
    if former.authorization != asked.endpoint.authorization {
        consent::vet_token_source(api, &asked.endpoint.authorization).await?;
    }
    let consent = if moved || other_proof {
        let consent = consent::ask(api, &asked.mode, &asked.endpoint).await;
        if consent.outcome.is_err() {
            return Err(consent.into());
        }
        Some(consent)
    } else {
        None
    };
    let changed = decide(api, caller, id, |current, endpoint, now| {
        expected.pass(current.version)?;
        let asked = wanted(&Settings::of(current, endpoint))?.asked()?;
        let mut next = asked.endpoint;
        match &consent {
            Some(consent) => apply(consent, &mut next),
            None => next.request_origin.clone_from(&endpoint.request_origin),
        }
        let fresh = || secret_from(api.random(), SigningSecret::from_random(api.random()), now);
        next.secrets = secrets_after(&endpoint.secrets, asked.signing, fresh);
        next.error.clone_from(&endpoint.error);
        let changed = Subscription {
            mode: asked.mode,
            policy: asked.policy,
            ..current.with_endpoint(next, now)
        };
        Ok(Decided {
            milestone: Milestone::Updated,
            detail: None,
            event: EndpointEventType::Updated,
            changed,
        })
    })
    .await?;
    let mut told = view(&changed, endpoint_of(&changed)?, api.now());
    told.handshake_result = consent.as_ref().map(Value::from);
    Ok(Tagged(Answer::of(&told), changed.version))
}

/// What is to become of an endpoint.
struct Decided {
    changed: Subscription,
    milestone: Milestone,
    detail: Option<String>,
    event: EndpointEventType,
}

/// Reads, decides and commits, again when somebody else was quicker.
async fn decide(
    api: &Api,
    caller: &Caller,
    id: &str,
    decision: impl Fn(&Subscription, &Endpoint, Timestamp) -> ApiResult<Decided> + Send + Sync,
) -> ApiResult<Subscription> {
    api.commit_deciding(async || {
        let current = api.endpoint(caller, id).await?;
        let now = api.now();
        let decided = decision(&current, endpoint_of(&current)?, now)?;
        if decided.changed.version == current.version {
            return Ok((Change::default(), decided.changed));
        }
        let note = decided
            .changed
            .passed(decided.milestone, now, decided.detail);
        let mut change = decided.changed.put().and(HistoryWrite::Note(note));
        change
            .events
            .extend(endpoint_event(&decided.changed, decided.event, now));
        Ok((change.given(current.unchanged()), decided.changed))
    })
    .await
}

async fn delete_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    let subscription = api.endpoint(&caller, path.text("endpointId")?).await?;
    let now = api.now();
    let mut change = Change::of(SubscriptionWrite::Delete {
        account: subscription.account,
        subscription: subscription.id,
        at: now,
    })
    .and(HistoryWrite::Note(subscription.passed(
        Milestone::Deleted,
        now,
        None,
    )));
    change.events.extend(endpoint_event(
        &subscription,
        EndpointEventType::Deleted,
        now,
    ));
    api.store.commit(change).await?;
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
        |current, _, now| {
            let changed = match current.status {
                SubscriptionStatus::Suspended => current.clone(),
                _ => current.suspended(now),
            };
            Ok(Decided {
                changed,
                milestone: Milestone::Suspended,
                detail: None,
                event: EndpointEventType::Paused,
            })
        },
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
        |current, _, now| {
            let changed = match current.status {
                SubscriptionStatus::Active => current.clone(),
                _ => current.resumed(false, now),
            };
            Ok(Decided {
                changed,
                milestone: Milestone::Resumed,
                detail: None,
                event: EndpointEventType::Resumed,
            })
        },
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
    let consent = consent::ask(&api, &subscription.mode, endpoint_of(&subscription)?).await;
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
    note_shown(&api, &subscription, "The signing secret was shown.").await?;
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
    if overlap > SECRET_OVERLAP_MAX {
        let reason = format!("is at most {}", SECRET_OVERLAP_MAX.as_secs());
        return Err(SettingError::new("overlapS", reason).into());
    }
    let given = rotation.secret.as_deref().map(read_secret).transpose()?;
    let secret = given.unwrap_or_else(|| SigningSecret::from_random(api.random()));
    let changed = decide(
        &api,
        &caller,
        path.text("endpointId")?,
        |current, endpoint, now| {
            let fresh = secret_from(api.random(), secret.clone(), now);
            Ok(Decided {
                changed: current.with_endpoint(endpoint.with_secret(fresh, overlap), now),
                milestone: Milestone::Updated,
                detail: Some("The signing secret was rotated.".to_owned()),
                event: EndpointEventType::Updated,
            })
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
    let event = api
        .sample_event(&subscription, &test.event_type, test.data)
        .await?;
    let ids = api
        .store
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

/// Where samples say that they come from.
const SAMPLE_SOURCE: &str = "/hookyard/test";

impl Api {
    /// An event of a type for one endpoint alone: with `data`, or as the type's example has it.
    pub(crate) async fn sample_event(
        &self,
        subscription: &Subscription,
        type_name: &str,
        data: Option<Value>,
    ) -> ApiResult<Event> {
        let own = EventType::named(type_name);
        let (kind, event_type, example) = if let Some(known) = own {
            let example = Some(known.example.to_owned());
            (known.kind, known.event_type().to_owned(), example)
        } else {
            let unknown = || Problem::invalid("eventType").value(type_name);
            let name = TypeName::parse(type_name)
                .map_err(|error| because(unknown(), &error.to_string()))?;
            let found = self.store.custom_type(subscription.account, &name).await?;
            let found = found.ok_or_else(|| {
                because(
                    unknown(),
                    "there is no such type; register it with POST /api/v1/event-types",
                )
            })?;
            let example = found.newest().example.as_deref().map(str::to_owned);
            (EventKind::Custom, type_name.to_owned(), example)
        };
        let body = match data {
            Some(data) => data.to_string(),
            None => compact(&example.unwrap_or_else(|| "{}".to_owned())),
        };
        if body.len() > PUBLISHED_BODY_BYTES_MAX {
            let problem = Problem::of(Code::BodyTooLarge);
            return Err(problem
                .with("limit", PUBLISHED_BODY_BYTES_MAX.to_string())
                .into());
        }
        Ok(Event {
            account: subscription.account,
            id: EventId::PENDING,
            kind,
            event_type: event_type.into(),
            audience: Audience::Subscription(subscription.id),
            chat: None,
            post: None,
            request: None,
            occurred_at: self.now(),
            body: body.into(),
            confidential: false,
            attributes: Some(Arc::new(Attributes {
                source: Some(SAMPLE_SOURCE.to_owned()),
                ..Attributes::default()
            })),
        })
    }
}

/// JSON without the white space of files.
fn compact(json: &str) -> String {
    let value: Result<Value, _> = serde_json::from_str(json);
    value.map_or_else(|_| json.to_owned(), |value| value.to_string())
}
