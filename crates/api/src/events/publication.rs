//! From drafts to committed events: all of them or none. What was published before is recognised by
//! the id that its publisher gave it, and not published again.

use std::collections::HashMap;
use std::sync::Arc;

use axum::response::Response;
use hookyard_domain::events::catalogue::{EventType, Producer};
use hookyard_domain::events::custom_type::Effort;
use hookyard_domain::events::publishing::draft::Draft;
use hookyard_domain::kernel::limits::DRAFT_ERRORS_MAX;
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{
    Change, Code, CustomType, Event, EventId, Problem, Timestamp, TypeName, TypeVersion,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::events::about_extension::AboutExtension;
use crate::events::event_types::{self, violated};
use crate::events::schema_cache::COMPILED;
use crate::events::submission::place;
use crate::identity::caller::Caller;
use crate::kernel::decision::DECISIONS_MAX;
use crate::kernel::platform::lacks;
use crate::kernel::problem::{ApiResult, because};
use crate::operations::answers::{Answer, Created, Made, Outcome, Shown, shown};
use crate::operations::sketch::Sketch;
use crate::operations::wire::{Id, Time};
use axum::response::IntoResponse;

shown!(PublishedView, PublishedList);

/// What became of one event.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Published")]
pub(super) struct PublishedView {
    #[schemars(with = "Id")]
    id: EventId,
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    type_name: TypeName,
    /// When it happened. Not told of what was published before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    timestamp: Option<Timestamp>,
    duplicate: bool,
}

/// What became of all that was sent, in its order.
#[derive(Debug)]
pub(super) struct Told(Vec<PublishedView>);

impl Told {
    /// The answer for a single event.
    pub(super) fn one(self) -> Publishing {
        let only = self.0.first().expect("one event was sent");
        Publishing::One(self.made(only))
    }

    /// The answer for a batch.
    pub(super) fn batch(self) -> Publishing {
        let records = self.0.clone();
        Publishing::Batch(self.made(&PublishedList { records }))
    }

    /// `view` as new, when anything is.
    fn made<V: Shown>(&self, view: &V) -> Made<V::As> {
        if self.0.iter().any(|view| !view.duplicate) {
            Made::New(Created::of(view))
        } else {
            Made::There(Answer::of(view))
        }
    }
}

/// What became of the events of a batch, in its order.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PublishedList {
    records: Vec<PublishedView>,
}

/// What is answered to what was published.
#[derive(Debug)]
pub(super) enum Publishing {
    One(Made<PublishedView>),
    Batch(Made<PublishedList>),
    AboutExtension(Created<AboutExtension>),
}

/// One of the forms in which events are published.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, rename = "PublishedAny")]
#[expect(dead_code, reason = "it only stands for its shape")]
enum PublishedAny {
    One(PublishedView),
    Batch(PublishedList),
    AboutExtension(AboutExtension),
}

impl IntoResponse for Publishing {
    fn into_response(self) -> Response {
        match self {
            Self::One(told) => told.into_response(),
            Self::Batch(told) => told.into_response(),
            Self::AboutExtension(told) => told.into_response(),
        }
    }
}

impl Outcome for Publishing {
    fn sketch(sketch: &mut Sketch) {
        Made::<PublishedAny>::sketch(sketch);
    }
}

/// What is to be done with one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    New,
    /// It was published before.
    Known(EventId),
    /// It is the same as an earlier one of the batch.
    SameAs(usize),
}

/// Publishes `drafts`, or none of them.
pub(super) async fn publish(
    api: &Api,
    caller: &Caller,
    drafts: &[Draft],
    batch: bool,
    auto_register: bool,
) -> ApiResult<Told> {
    let now = api.now();
    let announced = drafts.iter().cloned();
    let events = announced.map(|draft| draft.announce(caller.account, now));
    let publishing = Work {
        api,
        caller,
        drafts,
        events: events.collect(),
        batch,
        auto_register,
        now,
    };
    for _ in 0..DECISIONS_MAX {
        let (change, fates) = publishing.decide().await?;
        if change.is_empty() {
            return Ok(publishing.told(&fates, &[]));
        }
        match api.commit_numbering(change).await {
            Ok(ids) => return Ok(publishing.told(&fates, &ids)),
            // Another request has published one of them, or registered a type, a moment ago.
            Err(CommitError::Conflict) => {}
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Err(Code::Conflict.into())
}

struct Work<'a> {
    api: &'a Api,
    caller: &'a Caller,
    drafts: &'a [Draft],
    /// What they become, in their order.
    events: Vec<Event>,
    batch: bool,
    auto_register: bool,
    now: Timestamp,
}

impl Work<'_> {
    /// The change that publishes what is new, and what becomes of each.
    async fn decide(&self) -> ApiResult<(Change, Vec<Fate>)> {
        let mut problems = Vec::new();
        let fates = self.fates(&mut problems).await?;
        let (mut change, types) = self.types(&fates, &mut problems).await?;
        let mut effort = Effort::default();
        for (index, draft) in self.drafts.iter().enumerate() {
            if fates[index] != Fate::New {
                continue;
            }
            if let Some(known) = types.get(&draft.event_type) {
                problems.extend(self.check(index, known, &mut effort).err());
            }
            change = change.announcing(self.events[index].clone());
        }
        // What is wrong by itself comes before what collides with others: the first gives the
        // status.
        problems.sort_by_key(|problem| problem.code == Code::PublishedDifferently);
        problems.truncate(DRAFT_ERRORS_MAX);
        match Problem::first_of(problems) {
            Some(problem) => Err(problem.into()),
            None => Ok((change, fates)),
        }
    }

    /// Which events are new, by the ids that their publisher gave them.
    async fn fates(&self, problems: &mut Vec<Problem>) -> ApiResult<Vec<Fate>> {
        let mut fates = Vec::with_capacity(self.drafts.len());
        let mut firsts: HashMap<(&str, &str), usize> = HashMap::new();
        for (index, draft) in self.drafts.iter().enumerate() {
            let Some(identity) = draft.identity() else {
                fates.push(Fate::New);
                continue;
            };
            let fate = if let Some(&first) = firsts.get(&identity) {
                self.same_as(first, index, problems)
            } else {
                firsts.insert(identity, index);
                self.known_as(identity, index, problems).await?
            };
            fates.push(fate);
        }
        Ok(fates)
    }

    fn same_as(&self, first: usize, index: usize, problems: &mut Vec<Problem>) -> Fate {
        if self.events[first].digest() != self.events[index].digest() {
            let reason =
                format!("it is that of [{first}], with other content; give each its own id");
            problems.push(self.differs(index, &reason));
        }
        Fate::SameAs(first)
    }

    async fn known_as(
        &self,
        (source, id): (&str, &str),
        index: usize,
        problems: &mut Vec<Problem>,
    ) -> ApiResult<Fate> {
        let account = self.caller.account;
        let Some(known) = self.api.store.publication(account, source, id).await? else {
            return Ok(Fate::New);
        };
        if known.digest != self.events[index].digest() {
            let reason = format!(
                "it is event {}, with other content; use a new id for a new event",
                known.event
            );
            problems.push(self.differs(index, &reason));
        }
        Ok(Fate::Known(known.event))
    }

    fn differs(&self, index: usize, reason: &str) -> Problem {
        let id = self.drafts[index].id.clone().unwrap_or_default();
        let problem = Problem::about(Code::PublishedDifferently, self.place(index, "id"));
        because(problem.value(id), reason)
    }

    /// The types of what is new, and the change that registers those that are not known yet, if
    /// that is asked for.
    async fn types(
        &self,
        fates: &[Fate],
        problems: &mut Vec<Problem>,
    ) -> ApiResult<(Change, HashMap<TypeName, Arc<CustomType>>)> {
        let mut types = HashMap::new();
        let mut missing: Vec<TypeName> = Vec::new();
        for (index, draft) in self.drafts.iter().enumerate() {
            let name = &draft.event_type;
            if fates[index] != Fate::New || types.contains_key(name) || missing.contains(name) {
                continue;
            }
            if let Some(built_in) = EventType::named(name.as_str()) {
                problems.push(self.built_in(index, built_in));
                continue;
            }
            match self
                .api
                .store
                .custom_type(self.caller.account, name)
                .await?
            {
                Some(known) => {
                    types.insert(name.clone(), known);
                }
                None if self.auto_register => missing.push(name.clone()),
                None => problems.push(self.unknown(index)),
            }
        }
        let change = self.register(missing).await?;
        Ok((change, types))
    }

    /// Registers types without a schema, which is for administrators.
    async fn register(&self, names: Vec<TypeName>) -> ApiResult<Change> {
        let mut change = Change::default();
        if names.is_empty() {
            return Ok(change);
        }
        if !self.api.calling_person(self.caller).await?.admin {
            return Err(lacks("AccountAdmin"));
        }
        let account = self.caller.account;
        self.api
            .require_room_for_types(account, names.len(), 0)
            .await?;
        for name in names {
            let first = TypeVersion::read(None, None, self.now)?;
            change.append(CustomType::new(account, name, String::new(), first)?.register());
        }
        Ok(change)
    }

    fn unknown(&self, index: usize) -> Problem {
        let name = self.drafts[index].event_type.as_str();
        let reason = format!(
            "there is no such type: register it with POST {}, or publish with `?autoRegister=true`",
            event_types::PATH
        );
        because(
            Problem::invalid(self.place(index, "type")).value(name),
            &reason,
        )
    }

    fn built_in(&self, index: usize, known: &EventType) -> Problem {
        let reason = if known.producers.contains(&Producer::Apps) {
            "it is about an extension: publish it with `event`, the path of its filter, and `body`"
        } else {
            "events of this type come from Hookyard alone"
        };
        because(
            Problem::invalid(self.place(index, "type")).value(known.name),
            reason,
        )
    }

    /// Checks the data of one event against the version of its type that it names.
    fn check(&self, index: usize, known: &CustomType, effort: &mut Effort) -> Result<(), Problem> {
        let draft = &self.drafts[index];
        let Some((number, version)) = draft.version_of(known) else {
            let place = self.place(index, draft.version_member());
            let reason = format!(
                "`{}` has versions 1 to {}",
                known.name,
                known.newest_number()
            );
            return Err(because(Problem::invalid(place), &reason));
        };
        let Some(text) = version.schema.as_deref() else {
            return Ok(());
        };
        let schema = COMPILED
            .get(known.account, &known.name, number, text)
            .map_err(|violation| violated(&self.place(index, "type"), &violation))?;
        draft
            .check_data(&schema, effort)
            .map_err(|violation| violated(&self.place(index, "data"), &violation))
    }

    fn place(&self, index: usize, member: &str) -> String {
        place(self.batch.then_some(index), member)
    }

    /// What to answer, once the new events have `ids`.
    fn told(&self, fates: &[Fate], ids: &[EventId]) -> Told {
        let mut ids = ids.iter();
        let mut views: Vec<PublishedView> = Vec::with_capacity(fates.len());
        for (index, fate) in fates.iter().enumerate() {
            let view = match *fate {
                Fate::New => PublishedView {
                    id: *ids.next().expect("a committed event has an id"),
                    type_name: self.drafts[index].event_type.clone(),
                    timestamp: Some(self.events[index].occurred_at),
                    duplicate: false,
                },
                Fate::Known(id) => PublishedView {
                    id,
                    type_name: self.drafts[index].event_type.clone(),
                    timestamp: None,
                    duplicate: true,
                },
                Fate::SameAs(first) => PublishedView {
                    duplicate: true,
                    ..views[first].clone()
                },
            };
            views.push(view);
        }
        Told(views)
    }
}
