//! The catalogue of events, told to whoever is signed in: filters, permissions, schemas, examples.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use hookyard_domain::catalogue::{EVENT_TYPES, Effect, EventType, FilterForm, Parameter, Producer};
use hookyard_domain::{Problem, Scope};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Api;
use crate::caller::Caller;
use crate::path::PathParams;
use crate::problem::{ApiResult, json_body};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/api/v1/event-types", get(list_event_types))
        .route("/api/v1/event-types/{name}", get(read_event_type))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventTypeView {
    name: &'static str,
    kind: &'static str,
    event_type: &'static str,
    summary: &'static str,
    receivers: &'static str,
    producers: Vec<&'static str>,
    /// What an app needs to subscribe to it; null for nothing.
    permission: Option<&'static str>,
    filters: Vec<FilterView>,
    schema: &'static RawValue,
    example: &'static RawValue,
}

#[derive(Serialize)]
struct FilterView {
    path: &'static str,
    parameters: Vec<ParameterView>,
}

#[derive(Serialize)]
struct ParameterView {
    name: &'static str,
    /// `equals`, `includes` or `seconds`.
    effect: &'static str,
    /// The member of the body that it includes.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'static str>,
    /// The values that it may have, where there are few.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    values: &'static [&'static str],
}

impl From<&Parameter> for ParameterView {
    fn from(parameter: &Parameter) -> Self {
        let (effect, member) = match parameter.effect {
            Effect::Equals => ("equals", None),
            Effect::Includes(member) => ("includes", Some(member)),
            Effect::Seconds => ("seconds", None),
        };
        Self {
            name: parameter.name,
            effect,
            member,
            values: parameter.values,
        }
    }
}

impl From<&'static FilterForm> for FilterView {
    fn from(form: &'static FilterForm) -> Self {
        Self {
            path: form.path,
            parameters: form.parameters.iter().map(ParameterView::from).collect(),
        }
    }
}

fn raw(json: &'static str) -> &'static RawValue {
    serde_json::from_str(json).expect("the catalogue's files are JSON")
}

impl From<&'static EventType> for EventTypeView {
    fn from(known: &'static EventType) -> Self {
        Self {
            name: known.name,
            kind: known.kind.name(),
            event_type: known.event_type(),
            summary: known.summary,
            receivers: known.receivers,
            producers: known
                .producers
                .iter()
                .map(|who| Producer::name(*who))
                .collect(),
            permission: known.scope().map(Scope::name),
            filters: known.filters().map(FilterView::from).collect(),
            schema: raw(known.schema.text()),
            example: raw(known.example),
        }
    }
}

async fn list_event_types(_caller: Caller) -> Response {
    #[derive(Serialize)]
    struct List {
        records: Vec<EventTypeView>,
    }
    let records = EVENT_TYPES.iter().map(EventTypeView::from).collect();
    json_body(&List { records })
}

async fn read_event_type(_caller: Caller, path: PathParams) -> ApiResult<Response> {
    let known = EventType::named(path.text("name")?);
    let known = known.ok_or_else(|| Problem::not_found("name"))?;
    Ok(json_body(&EventTypeView::from(known)))
}
