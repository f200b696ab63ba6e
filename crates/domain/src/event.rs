//! Facts. An event never changes once it is committed.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use crate::ids::{AccountId, ChatId, EventId, PersonId, PostId, RequestId, SubscriptionId};
use crate::time::Timestamp;

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
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
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
    /// `eventType` of the body, such as `PostAdded`; of events without one, the name of their kind.
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
}
