//! Facts. An event never changes once it is committed.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::events::publishing::cloud_events::declares_json;
use crate::events::type_name::TypePattern;
use crate::kernel::ids::{AccountId, ChatId, EventId, PersonId, PostId, RequestId, SubscriptionId};
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;

/// What an event is about; what filters choose by. The catalogue says which filters there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    Post,
    Chat,
    Webhook,
    Extension,
    MessageStore,
    InstantMessage,
    Voicemail,
    Fax,
    Presence,
    PresenceLine,
    TelephonySession,
    MissedCall,
    Reminder,
    /// What happens to Hookyard's own workings, such as to an endpoint.
    Hookyard,
    /// Of a type that the account has registered.
    Custom,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Post,
        Self::Chat,
        Self::Webhook,
        Self::Extension,
        Self::MessageStore,
        Self::InstantMessage,
        Self::Voicemail,
        Self::Fax,
        Self::Presence,
        Self::PresenceLine,
        Self::TelephonySession,
        Self::MissedCall,
        Self::Reminder,
        Self::Hookyard,
        Self::Custom,
    ];

    /// Name in tables and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Chat => "chat",
            Self::Webhook => "webhook",
            Self::Extension => "extension",
            Self::MessageStore => "message-store",
            Self::InstantMessage => "instant-message",
            Self::Voicemail => "voicemail",
            Self::Fax => "fax",
            Self::Presence => "presence",
            Self::PresenceLine => "presence-line",
            Self::TelephonySession => "telephony-session",
            Self::MissedCall => "missed-call",
            Self::Reminder => "reminder",
            Self::Hookyard => "hookyard",
            Self::Custom => "custom",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who may learn of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// The members of a chat, as they are after the change that the event announces.
    ChatMembers(ChatId),
    /// For events about an extension: that extension. Subscriptions that watch it are told, its
    /// owner's or another's, because their filter was permitted when it was subscribed.
    Persons(Arc<[PersonId]>),
    /// One subscription alone.
    Subscription(SubscriptionId),
    /// Every endpoint of the account that asks for its type.
    Account,
}

impl Event {
    /// The id that its publisher gave it, after the source for which that is unique.
    pub fn publication(&self) -> Option<(&str, &str)> {
        let attributes = self.attributes.as_deref()?;
        let id = attributes.id.as_deref()?;
        Some((attributes.source.as_deref().unwrap_or_default(), id))
    }
}

impl EventId {
    /// Not committed yet.
    pub const PENDING: Self = Self(0);
}

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub account: AccountId,
    /// Given by the store when it commits, so that numbers follow commits and a reader who asks for
    /// what came after a number misses nothing. [`EventId::PENDING`] until then.
    pub id: EventId,
    pub kind: EventKind,
    /// `eventType` of the body, such as `PostAdded`; of events without one, the name of their kind;
    /// of custom ones the whole name of their type.
    pub event_type: Cow<'static, str>,
    pub audience: Audience,
    pub chat: Option<ChatId>,
    pub post: Option<PostId>,
    /// The call to an incoming webhook that caused it.
    pub request: Option<RequestId>,
    pub occurred_at: Timestamp,
    /// JSON of the envelope's `body`. These bytes reach every subscriber, on every attempt.
    pub body: Bytes,
    /// The body holds a secret, so the store seals it.
    pub confidential: bool,
    /// What its publisher said beside the body.
    pub attributes: Option<Arc<Attributes>>,
}

/// What a publisher says of an event beside its data: the context of a CloudEvent, as far as the
/// event itself does not hold it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// Its publisher's id of the event.
    pub id: Option<String>,
    pub source: Option<String>,
    pub subject: Option<String>,
    pub data_schema: Option<String>,
    /// What the body is; JSON when it is not said.
    pub content_type: Option<String>,
    /// Extension attributes in their order, as JSON texts.
    pub extensions: Vec<(String, String)>,
}

impl Attributes {
    /// Whether they say that the body is JSON.
    pub fn say_json(&self) -> bool {
        self.content_type.as_deref().is_none_or(declares_json)
    }
}

impl Event {
    /// Whether the body is JSON.
    pub fn is_json(&self) -> bool {
        self.attributes.as_deref().is_none_or(Attributes::say_json)
    }

    /// SHA-256 of what makes it the same event when it is published again: type, subject, data and
    /// what they are.
    pub fn digest(&self) -> [u8; 32] {
        let attributes = self.attributes.as_deref();
        let said = |text: Option<&String>| text.map(String::as_str).unwrap_or_default().to_owned();
        let mut hash = Sha256::new();
        for part in [
            self.type_name().as_bytes(),
            said(attributes.and_then(|a| a.subject.as_ref())).as_bytes(),
            said(attributes.and_then(|a| a.content_type.as_ref())).as_bytes(),
            &self.body,
        ] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    /// The name of its type, by which endpoints ask for it: its kind, a dot, and the `eventType` of
    /// the body where that has one; of custom events as registered.
    pub fn type_name(&self) -> Cow<'_, str> {
        let kind = self.kind.name();
        match self.kind {
            EventKind::Custom => Cow::Borrowed(&self.event_type),
            _ if kind == self.event_type => Cow::Borrowed(kind),
            _ => Cow::Owned(format!("{kind}.{}", self.event_type)),
        }
    }
}

/// Reads of events.
#[async_trait]
pub trait Events: Send + Sync {
    async fn event(&self, account: AccountId, event: EventId) -> Result<Option<Event>, StoreError>;
    /// The event that announced a post when it was added.
    async fn event_of_post(
        &self,
        account: AccountId,
        post: PostId,
    ) -> Result<Option<Event>, StoreError>;
    /// Events after `after`, ascending: what a live client missed.
    async fn events_after(
        &self,
        account: AccountId,
        after: EventId,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;
    /// Events, newest first.
    async fn find_events(&self, query: EventQuery) -> Result<Vec<Event>, StoreError>;
    /// How many there are, whatever the limit of the query.
    async fn count_events(&self, query: EventQuery) -> Result<u64, StoreError>;
    /// When the oldest event that is kept happened.
    async fn oldest_event(&self) -> Result<Option<Timestamp>, StoreError>;
}

/// Which events to list. Absent parts mean any.
#[derive(Debug, Clone)]
pub struct EventQuery {
    pub account: AccountId,
    pub types: Option<TypePattern>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub before: Option<EventId>,
    pub limit: u32,
}
