//! Events that were published or happened, for administrators: those that they may learn of.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookyard_domain::kernel::limits::{EVENTS_EXAMINED_MAX, EVENTS_READ_MAX};
use hookyard_domain::kernel::ports::{EventQuery, Page};
use hookyard_domain::{Audience, ChatId, Event, EventId, Problem, Timestamp, TypePattern};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::paging::{LimitQuery, ListQuery, Listing, Picking};
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiResult, because};
use crate::kernel::query::Pairs;
use crate::operations::answers::{Answer, shown};
use crate::operations::wire::{Anything, Id, Time, shapes};
use std::collections::BTreeMap;

shapes! {
    pub(super) struct EventsQuery {
        /// Only events of these types; `*` stands for whole parts.
        #[schemars(rename = "type")]
        types: Option<String>,
        /// Not before this time.
        #[schemars(with = "Option<Time>")]
        since: Option<String>,
        /// Before this time.
        #[schemars(with = "Option<Time>")]
        until: Option<String>,
        #[schemars(flatten)]
        page: LimitQuery,
    }
}

shown!(EventSummary, EventView<'_> as EventView<'static>);

/// An event in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventSummary {
    #[schemars(with = "Id")]
    id: EventId,
    #[serde(rename = "type")]
    type_name: String,
    kind: &'static str,
    #[schemars(with = "Time")]
    timestamp: Timestamp,
    /// The id that its publisher gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_schema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_content_type: Option<String>,
    /// Extension attributes of `CloudEvents`.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Anything>")]
    extensions: HashMap<String, Box<RawValue>>,
    data_bytes: usize,
}

impl From<&Event> for EventSummary {
    fn from(event: &Event) -> Self {
        let said = event.attributes.as_deref().cloned().unwrap_or_default();
        let extensions = said.extensions.into_iter();
        Self {
            id: event.id,
            type_name: event.type_name().into_owned(),
            kind: event.kind.name(),
            timestamp: event.occurred_at,
            publisher_id: said.id,
            source: said.source,
            subject: said.subject,
            data_schema: said.data_schema,
            data_content_type: said.content_type,
            extensions: extensions
                .filter_map(|(name, json)| Some((name, RawValue::from_string(json).ok()?)))
                .collect(),
            data_bytes: event.body.len(),
        }
    }
}

/// An event with its data as it came.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Event")]
pub(super) struct EventView<'a> {
    #[serde(flatten)]
    summary: EventSummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Anything>")]
    data: Option<&'a RawValue>,
    /// Data that is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
}

/// What narrows the list.
struct Narrowed {
    types: Option<TypePattern>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Narrowed {
    fn read(query: &Pairs) -> ApiResult<Self> {
        let types = query.first("type").map(|text| {
            TypePattern::parse(text)
                .map_err(|error| because(Problem::invalid("type").value(text), &error.to_string()))
        });
        let time = |name: &'static str| {
            let read = query.first(name).map(|text| {
                let problem = || {
                    let example = &"is a time such as 2026-03-26T09:18:41.460Z";
                    because(Problem::invalid(name).value(text), example)
                };
                text.parse::<Timestamp>().map_err(|_| problem())
            });
            read.transpose()
        };
        Ok(Self {
            types: types.transpose()?,
            since: time("since")?,
            until: time("until")?,
        })
    }
}

/// `GET /api/v1/events?type=&since=&until=&limit=&pageToken=`, newest first.
pub(super) async fn list_events(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: ListQuery<EventsQuery>,
) -> ApiResult<Answer<Listing<EventSummary>>> {
    let narrowed = Narrowed::read(&query)?;
    let asked = query.page(&api, &caller)?;
    let visible = Visible::to(&api, &caller);
    Ok(Answer::of(&asked.picked(Log { narrowed, visible }).await?))
}

/// The events that are left, and may be learnt of.
struct Log<'a> {
    narrowed: Narrowed,
    visible: Visible<'a>,
}

impl Picking for Log<'_> {
    type Row = Event;
    type View = EventSummary;

    const READ_MAX: u32 = EVENTS_READ_MAX;
    const EXAMINED_MAX: usize = EVENTS_EXAMINED_MAX;

    async fn read(&self, page: Page, limit: u32) -> ApiResult<Vec<Event>> {
        let asked = EventQuery {
            account: self.visible.caller.account,
            types: self.narrowed.types.clone(),
            since: self.narrowed.since,
            until: self.narrowed.until,
            before: match page {
                Page::Before(id) => Some(EventId(id)),
                Page::First | Page::After(_) => None,
            },
            limit,
        };
        Ok(self.visible.api.store.find_events(asked).await?)
    }

    fn id(event: &Event) -> u64 {
        event.id.0
    }

    async fn pick(&mut self, event: Event) -> ApiResult<Option<EventSummary>> {
        let name = event.type_name();
        let asked = self.narrowed.types.as_ref();
        // The store takes a star for any text; in a pattern it is whole parts.
        let wanted = asked.is_none_or(|types| types.matches(&name));
        let shown = wanted && self.visible.shows(&event).await?;
        Ok(shown.then(|| EventSummary::from(&event)))
    }
}

/// `GET /api/v1/events/{eventId}`, with the data. The id may begin as receivers know it.
pub(super) async fn read_event(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<EventView<'static>>> {
    let missing = || Problem::not_found("eventId");
    let text = path.text("eventId")?;
    let id: EventId = text
        .strip_prefix("evt_")
        .unwrap_or(text)
        .parse()
        .map_err(|_| missing())?;
    let event = api.store.event(caller.account, id).await?;
    let event = event.ok_or_else(missing)?;
    if !Visible::to(&api, &caller).shows(&event).await? {
        return Err(missing().into());
    }
    let data = event
        .is_json()
        .then(|| serde_json::from_slice(&event.body).ok())
        .flatten();
    Ok(Answer::of(&EventView {
        summary: EventSummary::from(&event),
        data,
        data_base64: data.is_none().then(|| STANDARD.encode(&event.body)),
    }))
}

/// Which events an administrator may learn of: what is for the account, for an endpoint alone, and
/// what they would be told themselves. What others say in their chats is not theirs to read.
struct Visible<'a> {
    api: &'a Api,
    caller: &'a Caller,
    /// Whether they are in a chat.
    chats: HashMap<ChatId, bool>,
}

impl<'a> Visible<'a> {
    fn to(api: &'a Api, caller: &'a Caller) -> Self {
        Self {
            api,
            caller,
            chats: HashMap::new(),
        }
    }

    async fn shows(&mut self, event: &Event) -> ApiResult<bool> {
        let (account, person) = (self.caller.account, self.caller.person);
        let chat = match &event.audience {
            Audience::Account => return Ok(true),
            Audience::Persons(persons) => return Ok(persons.contains(&person)),
            Audience::Subscription(only) => {
                let found = self.api.store.subscription(account, *only).await?;
                return Ok(
                    found.is_some_and(|found| found.endpoint.is_some() || found.owner == person)
                );
            }
            Audience::ChatMembers(chat) => *chat,
        };
        if let Some(member) = self.chats.get(&chat) {
            return Ok(*member);
        }
        let found = self.api.store.chat(account, chat).await?;
        let member = found.is_some_and(|found| found.has_member(person));
        self.chats.insert(chat, member);
        Ok(member)
    }
}
