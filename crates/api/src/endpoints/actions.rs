//! What can be done about an endpoint's deliveries as a whole, and how it fares: recover, replay,
//! resend, statistics. For administrators.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use hookyard_domain::kernel::limits::ENDPOINT_TYPES_MAX;
use hookyard_domain::{Endpoint, JobWork, Problem, Timestamp, TypePattern};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Api;
use crate::delivery::deliveries::{Search, read_time, read_type, refused};
use crate::delivery::jobs::{JobView, begun};
use crate::endpoints::statistics::{Span, StatisticsView};
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiResult, because};
use crate::kernel::query::Query;
use crate::operations::answers::{Accepted, Answer};
use crate::operations::wire::{Time, shapes};

crate::operations! {
    tag Endpoints, under ROOT, as Administrator(SubscriptionWebhook);

    /// How an endpoint fared, in pieces of time.
    read_statistics: GET "/api/v1/endpoints/{endpointId}/stats" named read_endpoint_statistics;
    /// Puts an endpoint to use again, and sends what was given up.
    recover_endpoint: POST "/api/v1/endpoints/{endpointId}/recover",
        fails [RequestRateExceeded, Conflict];
    /// Sends the events that an endpoint asks for now and never got.
    replay_endpoint: POST "/api/v1/endpoints/{endpointId}/replay",
        fails [RequestRateExceeded, Conflict];
    /// Sends again whatever the list of its deliveries would show.
    resend_to_endpoint: POST "/api/v1/endpoints/{endpointId}/resend",
        fails [RequestRateExceeded, Conflict];
}

shapes! {
    struct StatisticsQuery {
        /// A day before `to` when it says nothing.
        #[schemars(with = "Option<Time>")]
        from: Option<String>,
        /// Now when it says nothing.
        #[schemars(with = "Option<Time>")]
        to: Option<String>,
        /// Seconds of one piece.
        #[schemars(rename = "bucketS")]
        bucket_s: Option<u64>,
    }
}

async fn read_statistics(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: Query<StatisticsQuery>,
) -> ApiResult<Answer<StatisticsView>> {
    let endpoint = api.endpoint(&caller, path.text("endpointId")?).await?;
    let span = Span::read(&query, api.now())?;
    Ok(Answer::of(&api.endpoint_statistics(&endpoint, span).await?))
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RecoverEndpoint")]
struct Recover {
    since: Option<String>,
}

fn past(parameter: &'static str, text: &str, now: Timestamp) -> ApiResult<Timestamp> {
    let time = read_time(parameter, text)?;
    if time > now {
        return Err(refused(parameter, text, "it must not be in the future").into());
    }
    Ok(time)
}

/// Puts an endpoint to use again, and sends what was given up.
async fn recover_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<Recover>,
) -> ApiResult<Accepted<JobView<'static>>> {
    let id = path.text("endpointId")?;
    let since = body.since.as_deref();
    let since = since
        .map(|text| past("since", text, api.now()))
        .transpose()?;
    let job = api
        .commit_deciding(async || {
            let current = api.endpoint(&caller, id).await?;
            let now = api.now();
            let work = JobWork::Recover {
                endpoint: current.id,
                since: Endpoint::recovered_since(&current, since, now),
            };
            let job = api.new_job(current.account, work, now).await?;
            Ok((Endpoint::recover(&current, &job, now), job))
        })
        .await?;
    Ok(begun(&job))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ReplayEndpoint")]
struct Replay {
    since: String,
    until: Option<String>,
    #[serde(default)]
    event_types: Vec<String>,
}

/// Sends the events that an endpoint asks for now and never got.
async fn replay_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<Replay>,
) -> ApiResult<Accepted<JobView<'static>>> {
    let endpoint = api.endpoint(&caller, path.text("endpointId")?).await?;
    let now = api.now();
    let since = past("since", &body.since, now)?;
    let until = match body.until.as_deref() {
        Some(text) => read_time("until", text)?,
        None => now + Duration::from_millis(1),
    };
    if until <= since {
        let text = body.until.as_deref().unwrap_or_default();
        return Err(refused("until", text, "it must be after since").into());
    }
    let work = JobWork::Replay {
        endpoint: endpoint.id,
        since,
        until,
        types: types_of(&body.event_types)?,
    };
    api.begin_job(&caller, work).await
}

fn types_of(texts: &[String]) -> ApiResult<Vec<TypePattern>> {
    if texts.len() > ENDPOINT_TYPES_MAX {
        let reason = format!("there are at most {ENDPOINT_TYPES_MAX}");
        return Err(because(Problem::invalid("eventTypes"), &reason).into());
    }
    let named = |(index, text): (usize, &String)| read_type(format!("eventTypes[{index}]"), text);
    texts.iter().enumerate().map(named).collect()
}

/// Sends again whatever the list of its deliveries would show.
async fn resend_to_endpoint(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(search): Json<Search>,
) -> ApiResult<Accepted<JobView<'static>>> {
    let endpoint = api.endpoint(&caller, path.text("endpointId")?).await?;
    let mut selection = search.selection()?;
    if let Some(other) = selection.subscription.filter(|id| *id != endpoint.id) {
        let parameter = search.subscription_parameter();
        let reason = "the path names another endpoint; leave it out";
        return Err(refused(parameter, &other.to_string(), reason).into());
    }
    selection.subscription = Some(endpoint.id);
    api.begin_job(&caller, JobWork::Resend { selection }).await
}
