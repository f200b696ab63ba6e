//! How types of events are told: those of the catalogue and those of the account alike.

use crate::operations::answers::shown;
use crate::operations::wire::{Anything, Time};
use hookyard_domain::events::catalogue::Effect;
use hookyard_domain::events::catalogue::{EventType, FilterForm, Parameter, Producer};
use hookyard_domain::{CustomType, EventKind, Scope, Timestamp, TypeVersion};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

shown!(EventTypeView<'_> as EventTypeView<'static>);

/// Who makes events, by name.
pub(super) struct Producers;

impl Producers {
    const ACCOUNT: &'static str = "Account";
    pub(super) const NAMES: [&'static str; 3] = [
        Producer::Hookyard.name(),
        Producer::Apps.name(),
        Self::ACCOUNT,
    ];
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EventType")]
pub(super) struct EventTypeView<'a> {
    name: &'a str,
    kind: &'static str,
    event_type: &'a str,
    summary: &'a str,
    description: &'a str,
    receivers: &'static str,
    /// The first of those who make it.
    producer: &'static str,
    producers: Vec<&'static str>,
    /// What an app needs to subscribe to it; null for nothing.
    permission: Option<&'static str>,
    filters: Vec<FilterView>,
    /// Those of the newest version.
    #[schemars(with = "Option<Anything>")]
    schema: Option<&'a RawValue>,
    #[schemars(with = "Option<Anything>")]
    example: Option<&'a RawValue>,
    /// The oldest first.
    versions: Vec<VersionView<'a>>,
    deprecated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecation_note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    deprecation_time: Option<Timestamp>,
    /// When it was registered; types of the catalogue have always been there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    creation_time: Option<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EventTypeVersion")]
struct VersionView<'a> {
    version: usize,
    #[schemars(with = "Option<Anything>")]
    schema: Option<&'a RawValue>,
    #[schemars(with = "Option<Anything>")]
    example: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    created_time: Option<Timestamp>,
}

impl EventTypeView<'_> {
    /// Whether `text`, in small letters, is in its name or description.
    pub(super) fn says(&self, text: &str) -> bool {
        self.name.to_lowercase().contains(text) || self.description.to_lowercase().contains(text)
    }

    pub(super) fn is_made_by(&self, producer: &str) -> bool {
        self.producers.contains(&producer)
    }

    pub(super) const fn is_deprecated(&self) -> bool {
        self.deprecated
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EventTypeFilter")]
struct FilterView {
    path: &'static str,
    parameters: Vec<ParameterView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EventTypeParameter")]
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

fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).expect("what the catalogue and the store hold is JSON")
}

impl From<&'static EventType> for EventTypeView<'_> {
    fn from(known: &'static EventType) -> Self {
        let producers: Vec<_> = known
            .producers
            .iter()
            .map(|who| Producer::name(*who))
            .collect();
        let (schema, example) = (raw(known.schema.text()), raw(known.example));
        Self {
            name: known.name,
            kind: known.kind.name(),
            event_type: known.event_type(),
            summary: known.summary,
            description: known.summary,
            receivers: known.receivers,
            producer: producers[0],
            producers,
            permission: known.scope().map(Scope::name),
            filters: known.filters().map(FilterView::from).collect(),
            schema: Some(schema),
            example: Some(example),
            versions: vec![VersionView {
                version: 1,
                schema: Some(schema),
                example: Some(example),
                created_time: None,
            }],
            deprecated: false,
            deprecation_note: None,
            deprecation_time: None,
            creation_time: None,
        }
    }
}

/// Who may learn of events of the account's own types.
const RECEIVERS: &str = "Endpoints of the account that ask for it.";

impl<'a> From<&'a CustomType> for EventTypeView<'a> {
    fn from(custom: &'a CustomType) -> Self {
        let view = |(index, version): (usize, &'a TypeVersion)| VersionView {
            version: index + 1,
            schema: version.schema.as_deref().map(raw),
            example: version.example.as_deref().map(raw),
            created_time: Some(version.created_at),
        };
        let newest = custom.newest();
        let deprecated = custom.deprecated.as_ref();
        Self {
            name: custom.name.as_str(),
            kind: EventKind::Custom.name(),
            event_type: custom.name.as_str(),
            summary: &custom.description,
            description: &custom.description,
            receivers: RECEIVERS,
            producer: Producers::ACCOUNT,
            producers: vec![Producers::ACCOUNT],
            permission: None,
            filters: Vec::new(),
            schema: newest.schema.as_deref().map(raw),
            example: newest.example.as_deref().map(raw),
            versions: custom.versions.iter().enumerate().map(view).collect(),
            deprecated: deprecated.is_some(),
            deprecation_note: deprecated.map(|(_, note)| note.as_str()),
            deprecation_time: deprecated.map(|(since, _)| *since),
            creation_time: Some(custom.created_at),
        }
    }
}
