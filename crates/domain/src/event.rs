//! Facts. An event never changes once it is committed.

use std::sync::Arc;

use bytes::Bytes;

use crate::ids::{AccountId, ChatId, EventId, PersonId, PostId, RequestId};
use crate::time::Timestamp;

/// What an event is about; what filters choose by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    Post,
    Chat,
    Webhook,
}

impl EventKind {
    /// Name in tables and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Chat => "chat",
            Self::Webhook => "webhook",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Post, Self::Chat, Self::Webhook]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Who may learn of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// The members of a chat, as they are after the change that the event announces.
    ChatMembers(ChatId),
    Persons(Arc<[PersonId]>),
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
    /// `eventType` of the body, such as `PostAdded`.
    pub event_type: &'static str,
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
