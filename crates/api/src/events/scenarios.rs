//! Scenarios: built-in journeys of events, to look at and to play. For administrators.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use hookyard_domain::events::custom_type::Effort;
use hookyard_domain::events::scenario::{Run, SCENARIOS, Step};
use hookyard_domain::kernel::limits::{SCENARIO_PAUSE_DEFAULT, SCENARIO_PAUSE_MAX};
use hookyard_domain::{
    AccountId, Change, CustomType, DataSchema, Job, JobWork, Problem, Scenario, Scope,
    SubscriptionId, Timestamp, TypeName, TypeVersion,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Api;
use crate::delivery::deliveries::refused;
use crate::delivery::jobs::{JobView, begun};
use crate::events::json_schema::JsonSchemas;
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiResult, because};
use crate::kernel::query::Query;
use crate::operations::answers::{Accepted, Answer, shown};
use crate::operations::wire::{Anything, shapes};

crate::operations! {
    tag Scenarios, under ROOT, as Administrator(SubscriptionWebhook);

    /// Every scenario.
    list_scenarios: GET "/api/v1/scenarios";
    /// One scenario, with what each of its steps tells.
    read_scenario: GET "/api/v1/scenarios/{scenario}";
    /// Begins to play a scenario: to one endpoint alone, or to all who ask for its types.
    run_scenario: POST "/api/v1/scenarios/{scenario}/run",
        fails [RequestRateExceeded, LimitReached, Conflict];
}

shapes! {
    struct RunQuery {
        /// Registers types that are not known yet.
        auto_register: Option<bool>,
    }
}

shown!(ScenarioView, ScenarioList);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Scenario")]
struct ScenarioView {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    steps: Vec<StepView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ScenarioStep")]
struct StepView {
    event_type: &'static str,
    title: &'static str,
    description: &'static str,
    /// What it would tell in some run.
    #[schemars(with = "Anything")]
    data: Box<RawValue>,
}

impl From<&Step> for StepView {
    fn from(step: &Step) -> Self {
        let data = serde_json::from_slice(&step.data(&Run::EXAMPLE));
        Self {
            event_type: step.type_name,
            title: step.title,
            description: step.description,
            data: data.expect("steps tell JSON"),
        }
    }
}

impl From<&Scenario> for ScenarioView {
    fn from(scenario: &Scenario) -> Self {
        Self {
            name: scenario.name,
            title: scenario.title,
            description: scenario.description,
            steps: scenario.steps.iter().map(StepView::from).collect(),
        }
    }
}

fn known_scenario(path: &PathParams) -> ApiResult<&'static Scenario> {
    let found = Scenario::named(path.text("scenario")?);
    Ok(found.ok_or_else(|| Problem::not_found("scenario"))?)
}

#[derive(Debug, Serialize, JsonSchema)]
struct ScenarioList {
    records: Vec<ScenarioView>,
}

async fn list_scenarios(_: Caller) -> ApiResult<Answer<ScenarioList>> {
    let records = SCENARIOS.iter().map(ScenarioView::from).collect();
    Ok(Answer::of(&ScenarioList { records }))
}

async fn read_scenario(_: Caller, path: PathParams) -> ApiResult<Answer<ScenarioView>> {
    Ok(Answer::of(&ScenarioView::from(known_scenario(&path)?)))
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "PlayScenario")]
struct Play {
    endpoint_id: Option<String>,
    step_pause_ms: Option<u64>,
    #[serde(default)]
    publish: bool,
}

impl Play {
    fn pause(&self) -> ApiResult<Duration> {
        let Some(millis) = self.step_pause_ms else {
            return Ok(SCENARIO_PAUSE_DEFAULT);
        };
        let pause = Duration::from_millis(millis);
        if pause <= SCENARIO_PAUSE_MAX {
            return Ok(pause);
        }
        let should = format!("it is from 0 to {}", SCENARIO_PAUSE_MAX.as_millis());
        Err(refused("stepPauseMs", &millis.to_string(), &should).into())
    }
}

/// Begins to play a scenario: to one endpoint alone, or to all who ask for its types.
async fn run_scenario(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: Query<RunQuery>,
    Json(play): Json<Play>,
) -> ApiResult<Accepted<JobView<'static>>> {
    let scenario = known_scenario(&path)?;
    let pause = play.pause()?;
    let auto_register = query.flag("autoRegister")?.unwrap_or(false);
    let endpoint = match (play.endpoint_id.as_deref(), play.publish) {
        (Some(id), false) => Some(api.scenario_endpoint(&caller, id).await?),
        (None, true) => {
            caller.require(Scope::PublishEvents)?;
            None
        }
        (named, _) => {
            let reason = "name the endpoint that gets it, or set `publish` to true to send it to \
                all who ask for its types: one of the two";
            let mut problem = Problem::invalid("endpointId");
            if let Some(id) = named {
                problem = problem.value(id);
            }
            return Err(because(problem, reason).into());
        }
    };
    let job = api
        .commit_deciding(async || {
            let now = api.now();
            let work = JobWork::Scenario {
                name: scenario.name.to_owned(),
                endpoint,
                pause_ms: u64::try_from(pause.as_millis()).expect("pauses are bounded"),
            };
            let job = api.new_job(caller.account, work, now).await?;
            let mut change = Change::of(job.put());
            if endpoint.is_none() {
                let types = api.types_of_scenario(scenario, &job, pause, auto_register);
                change.append(types.await?);
            }
            Ok((change, job))
        })
        .await?;
    Ok(begun(&job))
}

impl Api {
    async fn scenario_endpoint(&self, caller: &Caller, id: &str) -> ApiResult<SubscriptionId> {
        if id.parse::<SubscriptionId>().is_err() {
            let should = "it is the id of an endpoint, a UUID";
            return Err(refused("endpointId", id, should).into());
        }
        Ok(self.endpoint(caller, id).await?.id)
    }

    /// Checks what a run of a scenario would publish, as if it were published by itself; tells what
    /// registers the types that are not there, if that is asked for.
    async fn types_of_scenario(
        &self,
        scenario: &Scenario,
        job: &Job,
        pause: Duration,
        auto_register: bool,
    ) -> ApiResult<Change> {
        let run = Run {
            number: job.id.0,
            begun_at: job.created_at,
            pause,
        };
        let mut missing: Vec<&Step> = Vec::new();
        for step in scenario.steps {
            if step.built_in().is_some() {
                let reason = format!(
                    "`{}` comes from Hookyard alone and cannot be published; name an endpoint with \
                     `endpointId`",
                    step.type_name
                );
                return Err(refused("publish", "true", &reason).into());
            }
            let name = type_of(step);
            match self.store.custom_type(job.account, &name).await? {
                Some(known) => check_step(step, &known, &run)?,
                None if missing.iter().all(|has| has.type_name != step.type_name) => {
                    missing.push(step);
                }
                None => {}
            }
        }
        if !missing.is_empty() && !auto_register {
            let names: Vec<_> = missing.iter().map(|step| step.type_name).collect();
            let reason = format!(
                "there are no such types: {}; register them with POST {}, or run it with \
                 `?autoRegister=true`",
                names.join(", "),
                crate::events::event_types::PATH
            );
            return Err(refused("publish", "true", &reason).into());
        }
        self.register_steps(job.account, &missing, &run, job.created_at)
            .await
    }

    /// The change that registers the types of steps, with what they tell for an example.
    async fn register_steps(
        &self,
        account: AccountId,
        steps: &[&Step],
        run: &Run,
        now: Timestamp,
    ) -> ApiResult<Change> {
        let mut change = Change::default();
        if steps.is_empty() {
            return Ok(change);
        }
        let examples: Vec<String> = steps
            .iter()
            .map(|step| String::from_utf8_lossy(&step.data(run)).into_owned())
            .collect();
        let bytes = examples.iter().map(String::len).sum();
        self.require_room_for_types(account, steps.len(), bytes)
            .await?;
        for (step, example) in steps.iter().zip(&examples) {
            let first = TypeVersion::read(None, Some(example), now)?;
            let description = step.description.to_owned();
            change.append(CustomType::new(account, type_of(step), description, first)?.register());
        }
        Ok(change)
    }
}

fn type_of(step: &Step) -> TypeName {
    TypeName::parse(step.type_name).expect("steps are of named types")
}

/// Refuses a scenario whose data an account's own schema does not allow.
fn check_step(step: &Step, known: &CustomType, run: &Run) -> ApiResult<()> {
    let Some(text) = known.newest().schema.as_deref() else {
        return Ok(());
    };
    let data: Value = serde_json::from_slice(&step.data(run)).expect("steps tell JSON");
    let checked = DataSchema::compile(text, &JsonSchemas)
        .and_then(|schema| schema.check(&data, &mut Effort::default()));
    Ok(checked.map_err(|violation| {
        let reason = format!(
            "the data of this step does not fit the schema of `{}` at `{}`: {}",
            step.type_name, violation.pointer, violation.message
        );
        refused("publish", "true", &reason)
    })?)
}
