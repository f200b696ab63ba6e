//! The types of events: what each tells, whom, and who makes it.

use crate::events::catalogue::{FILTER_FORMS, FilterForm, Schema};
use crate::events::event::{Event, EventKind};
use crate::identity::scope::Scope;

/// Who makes events of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Producer {
    /// Hookyard, when something happens in it.
    Hookyard,
    /// Apps that publish what happens elsewhere, such as in a telephone system.
    Apps,
}

impl Producer {
    /// Name on our own API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hookyard => "Hookyard",
            Self::Apps => "Apps",
        }
    }
}

/// One type of event.
#[derive(Debug)]
pub struct EventType {
    /// The name of its kind, then a dot and the `eventType` of the body where that has one.
    pub name: &'static str,
    pub kind: EventKind,
    /// When it happens.
    pub summary: &'static str,
    /// Who may learn of it.
    pub receivers: &'static str,
    pub producers: &'static [Producer],
    /// What the body of its events is like.
    pub schema: Schema,
    /// A body, as JSON.
    pub example: &'static str,
}

impl EventType {
    /// The type with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        EVENT_TYPES.iter().find(|known| known.name == name)
    }

    /// The type of an event.
    pub fn of(event: &Event) -> Option<&'static Self> {
        EVENT_TYPES.iter().find(|known| {
            known.kind == event.kind && known.event_type() == event.event_type.as_ref()
        })
    }

    /// The type that apps publish events of this kind as; `None` when they may not.
    pub fn published_as(kind: EventKind) -> Option<&'static Self> {
        EVENT_TYPES
            .iter()
            .find(|known| known.kind == kind && known.producers.contains(&Producer::Apps))
    }

    /// `event_type` of its events: the `eventType` of the body, or the name of the kind.
    pub fn event_type(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, own)| own)
    }

    /// The filters that ask for it.
    pub fn filters(&self) -> impl Iterator<Item = &'static FilterForm> {
        let kind = self.kind;
        FILTER_FORMS.iter().filter(move |form| form.kind == kind)
    }

    /// What an app needs to subscribe to it; `None` for nothing.
    pub fn scope(&self) -> Option<Scope> {
        self.filters().next().and_then(|form| form.scope)
    }
}

const HOOKYARD: &[Producer] = &[Producer::Hookyard];
const APPS: &[Producer] = &[Producer::Apps];
const BOTH: &[Producer] = &[Producer::Hookyard, Producer::Apps];

const MEMBERS: &str = "Members of the chat.";
const OWNERS: &str = "Who made the webhook, and administrators of the account: its address is a \
    secret.";
const COLLEAGUES: &str = "The extension itself; administrators, about others.";
const ENDPOINTS: &str = "Endpoints of the account that ask for it.";
const ONESELF: &str = "The extension itself, and nobody else.";

macro_rules! event_type {
    ($kind:ident $name:literal by $producers:ident, schema $schema:literal, $summary:literal, $receivers:expr) => {
        EventType {
            name: $name,
            kind: EventKind::$kind,
            summary: $summary,
            receivers: $receivers,
            producers: $producers,
            schema: Schema::new($schema, include_str!(concat!("schemas/", $schema, ".json"))),
            example: include_str!(concat!("examples/", $name, ".json")),
        }
    };
}

/// Every event type, by kind.
pub static EVENT_TYPES: [EventType; 28] = [
    event_type!(
        Post "post.PostAdded" by HOOKYARD, schema "post",
        "A post was added to a chat: by a person, through an incoming webhook, or because somebody \
            joined or left.",
        MEMBERS
    ),
    event_type!(
        Post "post.PostChanged" by HOOKYARD, schema "post",
        "The text of a post was changed.",
        MEMBERS
    ),
    event_type!(
        Post "post.PostRemoved" by HOOKYARD, schema "post-removed",
        "A post was deleted.",
        MEMBERS
    ),
    event_type!(
        Chat "chat.GroupJoined" by HOOKYARD, schema "chat",
        "Somebody joined a chat, was added to it, or is in one that was just made.",
        "Only those who joined."
    ),
    event_type!(
        Chat "chat.GroupLeft" by HOOKYARD, schema "chat",
        "Somebody left a chat or was removed from it.",
        "Only those who left."
    ),
    event_type!(
        Chat "chat.GroupRenamed" by HOOKYARD, schema "chat",
        "The name or the description of a team was changed.",
        MEMBERS
    ),
    event_type!(
        Chat "chat.GroupChanged" by HOOKYARD, schema "chat",
        "Who is in a chat, or who may join it, has changed.",
        MEMBERS
    ),
    event_type!(
        Webhook "webhook.WebhookCreated" by HOOKYARD, schema "webhook",
        "An incoming webhook was made.",
        OWNERS
    ),
    event_type!(
        Webhook "webhook.WebhookUpdated" by HOOKYARD, schema "webhook-updated",
        "An incoming webhook was activated or suspended.",
        OWNERS
    ),
    event_type!(
        Webhook "webhook.WebhookDeleted" by HOOKYARD, schema "webhook",
        "An incoming webhook was deleted.",
        OWNERS
    ),
    event_type!(
        Extension "extension.Create" by HOOKYARD, schema "extension",
        "An extension was added to the account.",
        COLLEAGUES
    ),
    event_type!(
        Extension "extension.Update" by HOOKYARD, schema "extension",
        "An extension was changed; `hints` say in what.",
        COLLEAGUES
    ),
    event_type!(
        Extension "extension.Delete" by HOOKYARD, schema "extension",
        "An extension was removed from the account.",
        COLLEAGUES
    ),
    event_type!(
        MessageStore "message-store" by BOTH, schema "message-store",
        "Messages of an extension are new or have changed: short messages, faxes, voicemail.",
        ONESELF
    ),
    event_type!(
        InstantMessage "instant-message" by BOTH, schema "instant-message",
        "A short message came, by phone or from another extension.",
        ONESELF
    ),
    event_type!(
        Voicemail "voicemail" by APPS, schema "voicemail",
        "A caller left a message.",
        ONESELF
    ),
    event_type!(
        Fax "fax" by APPS, schema "fax",
        "A fax came, or went out.",
        ONESELF
    ),
    event_type!(
        Presence "presence" by BOTH, schema "presence",
        "It has changed whether and how an extension can be reached.",
        "The extension itself; colleagues, of those who let them see it; administrators, of all."
    ),
    event_type!(
        PresenceLine "presence-line" by APPS, schema "presence-line",
        "It has changed which extensions an extension monitors.",
        COLLEAGUES
    ),
    event_type!(
        TelephonySession "telephony-session" by APPS, schema "telephony-session",
        "A call begins, ends, or changes for one of those who take part.",
        COLLEAGUES
    ),
    event_type!(
        MissedCall "missed-call" by APPS, schema "missed-call",
        "A call was not answered.",
        ONESELF
    ),
    event_type!(
        Reminder "reminder" by HOOKYARD, schema "reminder",
        "A subscription ends soon. First `threshold` seconds before the end, then every `interval` \
            seconds.",
        "The subscription that asked for it."
    ),
    event_type!(
        Hookyard "hookyard.endpoint.created" by HOOKYARD, schema "endpoint",
        "A webhook endpoint was made.",
        ENDPOINTS
    ),
    event_type!(
        Hookyard "hookyard.endpoint.updated" by HOOKYARD, schema "endpoint",
        "The settings of an endpoint were changed.",
        ENDPOINTS
    ),
    event_type!(
        Hookyard "hookyard.endpoint.paused" by HOOKYARD, schema "endpoint",
        "An endpoint was paused: what comes waits for it.",
        ENDPOINTS
    ),
    event_type!(
        Hookyard "hookyard.endpoint.resumed" by HOOKYARD, schema "endpoint",
        "An endpoint is sent to again, after a pause or after it was Errored.",
        ENDPOINTS
    ),
    event_type!(
        Hookyard "hookyard.endpoint.errored" by HOOKYARD, schema "endpoint",
        "An endpoint is past its failure threshold and is no longer tried.",
        ENDPOINTS
    ),
    event_type!(
        Hookyard "hookyard.endpoint.deleted" by HOOKYARD, schema "endpoint",
        "An endpoint was deleted.",
        ENDPOINTS
    ),
];
