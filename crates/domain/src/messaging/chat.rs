//! Conversations of every kind.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;

use crate::kernel::ids::{AccountId, ChatId, PersonId};
use crate::kernel::ports::{Page, StoreError};
use crate::kernel::time::Timestamp;

/// The kinds of a chat, by their names on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum ChatKind {
    /// A person's notes to self.
    Personal,
    /// Two people.
    Direct,
    /// A few people without a name.
    Group,
    Team,
    /// All persons of the account; there is exactly one.
    Everyone,
}

impl ChatKind {
    /// Name on the wire (contract section 2.3).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Personal => "Personal",
            Self::Direct => "Direct",
            Self::Group => "Group",
            Self::Team => "Team",
            Self::Everyone => "Everyone",
        }
    }

    /// Name in the legacy group vocabulary, which events still use (contract section 5.3).
    pub const fn legacy_name(self) -> &'static str {
        match self {
            Self::Personal => "PersonalChat",
            Self::Direct => "PrivateChat",
            Self::Group => "Group",
            Self::Team => "Team",
            Self::Everyone => "Everyone",
        }
    }

    /// Whether the chat has a name and description of its own.
    pub const fn is_named(self) -> bool {
        matches!(self, Self::Team | Self::Everyone)
    }
}

/// Whether people can still write to a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum ChatStatus {
    Active,
    Archived,
}

/// A conversation and who is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    pub account: AccountId,
    pub id: ChatId,
    pub kind: ChatKind,
    pub name: Option<String>,
    pub description: Option<String>,
    /// Anyone of the account may join. Teams only.
    pub public: bool,
    pub status: ChatStatus,
    /// Ascending, without repeats.
    pub members: Vec<PersonId>,
    /// Members who may change the team. Ascending; a subset of `members`.
    pub admins: Vec<PersonId>,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    /// Grows by one with every change; what guards compare.
    pub version: u64,
}

impl Chat {
    /// Whether `person` is in the chat.
    pub fn has_member(&self, person: PersonId) -> bool {
        self.members.binary_search(&person).is_ok()
    }

    /// Whether `person` may change the team.
    pub fn has_admin(&self, person: PersonId) -> bool {
        self.admins.binary_search(&person).is_ok()
    }

    /// Whether `person` may see that the chat exists: members, and anyone for a public team.
    pub fn is_visible_to(&self, person: PersonId) -> bool {
        self.has_member(person) || (self.kind == ChatKind::Team && self.public)
    }
}

/// `{"id": …}`, how lists of people appear on the wire.
#[derive(Debug, Serialize)]
pub struct PersonRef {
    pub id: PersonId,
}

/// `TMChatInfo`, contract section 2.3. Members are shown for every kind (section 10, row 29).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatView<'a> {
    pub id: ChatId,
    #[serde(rename = "type")]
    pub kind: ChatKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ChatStatus>,
    pub creation_time: Timestamp,
    pub last_modified_time: Timestamp,
    pub members: Vec<PersonRef>,
}

impl<'a> From<&'a Chat> for ChatView<'a> {
    fn from(chat: &'a Chat) -> Self {
        let team = chat.kind == ChatKind::Team;
        Self {
            id: chat.id,
            kind: chat.kind,
            public: team.then_some(chat.public),
            name: chat.name.as_deref(),
            description: chat.description.as_deref(),
            status: team.then_some(chat.status),
            creation_time: chat.created_at,
            last_modified_time: chat.modified_at,
            members: chat
                .members
                .iter()
                .map(|id| PersonRef { id: *id })
                .collect(),
        }
    }
}

/// What happened to a chat, in the words of the event body (contract section 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ChatEventType {
    /// Somebody joined or was added; only they are told.
    GroupJoined,
    /// Somebody left or was removed; only they are told.
    GroupLeft,
    /// Name or description changed.
    GroupRenamed,
    /// Membership or privacy changed.
    GroupChanged,
}

/// Body of a chat event: the legacy group vocabulary, nulls explicit.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatEventBody<'a> {
    pub id: ChatId,
    pub name: Option<&'a str>,
    pub description: Option<&'a str>,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub status: ChatStatus,
    pub members: &'a [PersonId],
    pub is_public: Option<bool>,
    pub creation_time: Timestamp,
    pub last_modified_time: Timestamp,
    pub event_type: ChatEventType,
}

impl<'a> ChatEventBody<'a> {
    /// The body that tells `event_type` about `chat`.
    pub fn new(chat: &'a Chat, event_type: ChatEventType) -> Self {
        Self {
            id: chat.id,
            name: chat.name.as_deref(),
            description: chat.description.as_deref(),
            kind: chat.kind.legacy_name(),
            status: chat.status,
            members: &chat.members,
            is_public: (chat.kind == ChatKind::Team).then_some(chat.public),
            creation_time: chat.created_at,
            last_modified_time: chat.modified_at,
            event_type,
        }
    }
}

/// What is written of chats.
#[derive(Debug, Clone)]
pub enum ChatWrite {
    /// The chat with all of its members.
    Put(Chat),
    /// The chat with its members, posts and webhooks.
    Delete { account: AccountId, chat: ChatId },
}

/// Reads of chats.
#[async_trait]
pub trait Chats: Send + Sync {
    async fn chat(&self, account: AccountId, chat: ChatId)
    -> Result<Option<Arc<Chat>>, StoreError>;
    /// Chats that `person` is in, and public teams when `kinds` has Team and `joinable` is set,
    /// ascending by id (which is by creation time).
    async fn chats(&self, query: ChatQuery) -> Result<Vec<Chat>, StoreError>;
    /// The Personal, Direct or Group chat of exactly these members (ascending).
    async fn conversation(
        &self,
        account: AccountId,
        members: &[PersonId],
    ) -> Result<Option<Chat>, StoreError>;
    async fn everyone_chat(&self, account: AccountId) -> Result<Option<Chat>, StoreError>;
    /// Chats of a person with the time of their latest post or change, latest first.
    async fn recent_chats(
        &self,
        account: AccountId,
        person: PersonId,
        kinds: &[ChatKind],
        limit: u32,
    ) -> Result<Vec<(Chat, Timestamp)>, StoreError>;
}

/// Which chats to list.
#[derive(Debug, Clone)]
pub struct ChatQuery {
    pub account: AccountId,
    pub person: PersonId,
    /// Empty for all.
    pub kinds: Vec<ChatKind>,
    /// Also public teams that the person is not in.
    pub joinable: bool,
    pub page: Page,
    pub limit: u32,
}
