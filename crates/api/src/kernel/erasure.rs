//! Erasing what is kept of one person or one endpoint. For administrators.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hookyard_domain::identity::person::directory::DirectoryError;
use hookyard_domain::{
    Change, Endpoint, ErasureCounts, ErasureSubject, Job, JobWork, Person, PersonId, Problem,
    Scope, Subscription, SubscriptionId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Api;
use crate::delivery::deliveries::refused;
use crate::delivery::jobs::JobView;
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::kernel::query::Query;
use crate::operations::answers::{Accepted, Answer, Outcome, shown};
use crate::operations::shapes::ErasureCountsShape;
use crate::operations::sketch::Sketch;
use crate::operations::wire::shapes;
use axum::response::IntoResponse;

crate::operations! {
    tag Erasing, under ROOT, as Administrator(SubscriptionWebhook);

    /// Erases what there is of a person or an endpoint, in the background.
    ///
    /// `dryRun` tells how much that is, and does nothing.
    erase: POST "/api/v1/erase", fails [ResourceNotFound, RequestRateExceeded, Conflict];
}

shapes! {
    struct EraseQuery {
        /// Only tells what would be erased.
        dry_run: Option<bool>,
    }
}

shown!(ErasureBegun<'_> as ErasureBegun<'static>, ErasureForecast);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Erase {
    person_id: Option<String>,
    endpoint_id: Option<String>,
    /// That it is meant: nothing brings back what was erased.
    #[serde(default)]
    confirm: bool,
}

/// What becomes of the person or the endpoint itself.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ErasureFate")]
struct Fate {
    /// The endpoint is still there, and is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletes_endpoint: Option<bool>,
    /// The person can still sign in, and is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    disables_person: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ErasureBegun")]
struct ErasureBegun<'a> {
    #[serde(flatten)]
    job: JobView<'a>,
    #[serde(flatten)]
    fate: Fate,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ErasureForecast")]
struct ErasureForecast {
    dry_run: bool,
    #[schemars(with = "ErasureCountsShape")]
    counts: ErasureCounts,
    total: u64,
    #[serde(flatten)]
    fate: Fate,
}

/// The job that erases, or what it would erase.
enum Erasing {
    Begun(Accepted<ErasureBegun<'static>>),
    Forecast(Answer<ErasureForecast>),
}

impl IntoResponse for Erasing {
    fn into_response(self) -> Response {
        match self {
            Self::Begun(begun) => begun.into_response(),
            Self::Forecast(forecast) => forecast.into_response(),
        }
    }
}

impl Outcome for Erasing {
    fn sketch(sketch: &mut Sketch) {
        Accepted::<ErasureBegun<'static>>::sketch(sketch);
        Answer::<ErasureForecast>::sketch(sketch);
    }
}

/// Whose data is meant, as they are now.
enum Meant {
    Person(Person),
    Endpoint(Arc<Subscription>),
    /// Its deliveries or its history are still there.
    FormerEndpoint(SubscriptionId),
}

impl Meant {
    fn subject(&self) -> ErasureSubject {
        match self {
            Self::Person(person) => ErasureSubject::Person(person.id),
            Self::Endpoint(endpoint) => ErasureSubject::Endpoint(endpoint.id),
            Self::FormerEndpoint(id) => ErasureSubject::Endpoint(*id),
        }
    }

    fn fate(&self) -> Fate {
        let person = match self {
            Self::Person(person) => Some(person.is_enabled()),
            Self::Endpoint(_) | Self::FormerEndpoint(_) => None,
        };
        let endpoint = match self {
            Self::Person(_) => None,
            Self::Endpoint(_) => Some(true),
            Self::FormerEndpoint(_) => Some(false),
        };
        Fate {
            deletes_endpoint: endpoint,
            disables_person: person,
        }
    }
}

async fn erase(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query<EraseQuery>,
    Json(body): Json<Erase>,
) -> ApiResult<Erasing> {
    if body.person_id.is_some() {
        caller.require(Scope::EditExtensions)?;
    }
    let meant = api.meant(&caller, &body).await?;
    if query.flag("dryRun")?.unwrap_or(false) {
        // What could not be done is refused here as well.
        api.erasing(&caller, &meant, api.now()).await?;
        let all = (0, u64::MAX);
        let counts = api
            .store
            .erasable(caller.account, meant.subject(), all.0, all.1)
            .await?;
        return Ok(Erasing::Forecast(Answer::of(&ErasureForecast {
            dry_run: true,
            counts,
            total: counts.total(),
            fate: meant.fate(),
        })));
    }
    if !body.confirm {
        let reason = "nothing brings back what was erased: set it to true, or look first at what \
            it would be with `?dryRun=true`";
        return Err(because(Problem::invalid("confirm"), reason).into());
    }
    let (job, fate) = api
        .commit_deciding(async || {
            let meant = api.meant(&caller, &body).await?;
            let now = api.now();
            let work = JobWork::Erase {
                subject: meant.subject(),
            };
            let job: Job = api.new_job(caller.account, work, now).await?;
            let change = api.erasing(&caller, &meant, now).await?;
            Ok((change.and(job.put()), (job, meant.fate())))
        })
        .await?;
    let begun = ErasureBegun {
        job: JobView::from(&job),
        fate,
    };
    Ok(Erasing::Begun(Accepted::of(&begun)))
}

impl Api {
    async fn meant(&self, caller: &Caller, body: &Erase) -> ApiResult<Meant> {
        match (body.person_id.as_deref(), body.endpoint_id.as_deref()) {
            (Some(id), None) => self.meant_person(caller, id).await,
            (None, Some(id)) => self.meant_endpoint(caller, id).await,
            _ => {
                let reason = "name a person with `personId` or an endpoint with `endpointId`: one \
                    of the two";
                Err(because(Problem::invalid("personId"), reason).into())
            }
        }
    }

    async fn meant_person(&self, caller: &Caller, id: &str) -> ApiResult<Meant> {
        let parsed: Result<PersonId, _> = id.parse();
        let id = parsed.map_err(|_| refused("personId", id, "it is the id of a person"))?;
        let found = self.store.person(caller.account, id).await?;
        let found = found.ok_or_else(|| Problem::not_found("personId"))?;
        Ok(Meant::Person(found))
    }

    async fn meant_endpoint(&self, caller: &Caller, id: &str) -> ApiResult<Meant> {
        let should = "it is the id of an endpoint, a UUID";
        let parsed: Result<SubscriptionId, _> = id.parse();
        let id = parsed.map_err(|_| refused("endpointId", id, should))?;
        let missing = || ApiError::from(Problem::not_found("endpointId"));
        let account = caller.account;
        if let Some(found) = self.store.subscription(account, id).await? {
            if found.endpoint.is_none() {
                return Err(missing());
            }
            return Ok(Meant::Endpoint(found));
        }
        let history = self.store.subscription_history(account, id).await?;
        if history.is_empty() {
            let subject = ErasureSubject::Endpoint(id);
            let left = self.store.erasable(account, subject, 0, u64::MAX).await?;
            if left.total() == 0 {
                return Err(missing());
            }
        }
        Ok(Meant::FormerEndpoint(id))
    }

    /// What is done at once: the endpoint is deleted; the person is disabled and loses their name.
    async fn erasing(
        &self,
        caller: &Caller,
        meant: &Meant,
        now: hookyard_domain::Timestamp,
    ) -> ApiResult<Change> {
        match meant {
            Meant::Person(person) => {
                let by = self.calling_person(caller).await?;
                let erased = person.erase(&self.act(caller, now), &by);
                let (change, _) = erased.map_err(|error| cannot(error, person))?;
                Ok(change)
            }
            Meant::Endpoint(endpoint) => Ok(Endpoint::erase(endpoint, now)),
            Meant::FormerEndpoint(_) => Ok(Change::default()),
        }
    }
}

/// Says why a person cannot be erased.
fn cannot(error: DirectoryError, person: &Person) -> ApiError {
    let reason = match error {
        DirectoryError::Oneself => {
            "nobody can erase themselves, so that an account keeps an administrator: ask another \
             administrator"
        }
        DirectoryError::NotAPerson => "it is the author of posts through incoming webhooks",
        other => return other.into(),
    };
    refused("personId", &person.id.to_string(), reason).into()
}
