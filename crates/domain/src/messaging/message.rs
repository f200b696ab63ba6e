//! Messages between persons of an account, by company-pager. Everyone concerned has a copy in a
//! message store of their own, and changes only that.

pub mod pager;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::events::event::{Audience, Event, EventKind};
use crate::kernel::change::{Change, Guard};
use crate::kernel::ids::{AccountId, EventId, ID_MAX, MessageId, PersonId};
use crate::kernel::ports::{Slice, StoreError};
use crate::kernel::time::Timestamp;
use crate::messaging::json;

/// Which way a message went, seen from whose store it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Direction {
    Inbound,
    Outbound,
}

/// Whether it has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReadStatus {
    Read,
    Unread,
}

/// Whether it is in the store or in the bin. A message that leaves the bin is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Availability {
    Alive,
    Deleted,
}

macro_rules! named {
    ($($type:ident { $($name:ident),* })*) => {$(
        impl $type {
            /// Name on the wire and in tables.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The one with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                [$(Self::$name),*].into_iter().find(|known| known.name() == name)
            }
        }
    )*};
}

named! {
    Direction { Inbound, Outbound }
    ReadStatus { Read, Unread }
    Availability { Alive, Deleted }
}

/// A sender or receiver, as they were called when the message was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Correspondent {
    #[serde(rename = "extensionId")]
    pub person: PersonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_number: Option<String>,
    pub name: String,
}

/// Names what the same persons write to one another. It follows from who they are, so that two
/// first messages at the same time are of one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConversationId(pub u64);

impl ConversationId {
    /// The conversation of `persons`, in whatever order.
    pub fn between(persons: impl IntoIterator<Item = PersonId>) -> Self {
        let mut persons: Vec<_> = persons.into_iter().collect();
        persons.sort_unstable();
        persons.dedup();
        let hash = persons.iter().fold(Sha256::new(), |hash, person| {
            hash.chain_update(person.0.to_be_bytes())
        });
        let hash = hash.finalize();
        let (first, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
        Self(u64::from_be_bytes(*first) & ID_MAX)
    }
}

/// One person's copy of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub account: AccountId,
    /// Whose store it is in.
    pub owner: PersonId,
    pub id: MessageId,
    pub direction: Direction,
    pub from: Correspondent,
    pub to: Vec<Correspondent>,
    pub text: String,
    pub conversation: ConversationId,
    pub read_status: ReadStatus,
    pub availability: Availability,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub version: u64,
}

/// What to change about a message; absent parts stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessagePatch {
    pub read_status: Option<ReadStatus>,
    pub availability: Option<Availability>,
}

impl Message {
    /// What became of it on its way.
    pub const fn status(&self) -> &'static str {
        match self.direction {
            Direction::Inbound => "Received",
            Direction::Outbound => "Sent",
        }
    }

    fn unchanged(&self) -> Guard {
        Guard::version(self.account, self.id, self.version)
    }

    /// Marks it as read or unread, puts it into the bin or takes it out; nothing when all is as
    /// asked already.
    pub fn patch(&self, patch: MessagePatch, now: Timestamp) -> (Change, Self) {
        let mut next = Self {
            read_status: patch.read_status.unwrap_or(self.read_status),
            availability: patch.availability.unwrap_or(self.availability),
            ..self.clone()
        };
        if next == *self {
            return (Change::default(), next);
        }
        next.modified_at = now;
        next.version += 1;
        let change = Change::of(MessageWrite::Put(Box::new(next.clone())))
            .given(self.unchanged())
            .announcing(self.updated(now));
        (change, next)
    }

    /// Puts it into the bin, and from there out of the world.
    pub fn delete(&self, now: Timestamp) -> Change {
        match self.availability {
            Availability::Alive => {
                let binned = MessagePatch {
                    availability: Some(Availability::Deleted),
                    ..MessagePatch::default()
                };
                self.patch(binned, now).0
            }
            Availability::Deleted => self.purge(now),
        }
    }

    /// Takes it out of the world at once.
    pub fn purge(&self, now: Timestamp) -> Change {
        let delete = MessageWrite::Delete {
            account: self.account,
            message: self.id,
        };
        Change::of(delete)
            .given(self.unchanged())
            .announcing(self.updated(now))
    }

    fn updated(&self, now: Timestamp) -> Event {
        let updated = Counts {
            kind: PAGER,
            new_count: 0,
            updated_count: 1,
            new_message_ids: Vec::new(),
        };
        store_event(self.account, self.owner, updated, now)
    }
}

/// The one type of message that there is.
pub const PAGER: &str = "Pager";

/// How many messages of one type came and changed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    #[serde(rename = "type")]
    kind: &'static str,
    new_count: usize,
    updated_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    new_message_ids: Vec<u64>,
}

/// The body of a message-store event: here ids are numbers (contract section 5.5).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoreEventBody {
    account_id: u64,
    extension_id: u64,
    last_updated: Timestamp,
    changes: [Counts; 1],
}

/// Tells `owner` that something has happened in their store.
fn store_event(account: AccountId, owner: PersonId, counts: Counts, now: Timestamp) -> Event {
    let body = json(&StoreEventBody {
        account_id: account.0,
        extension_id: owner.0,
        last_updated: now,
        changes: [counts],
    });
    event(account, owner, EventKind::MessageStore, now, body)
}

fn event(
    account: AccountId,
    owner: PersonId,
    kind: EventKind,
    now: Timestamp,
    body: bytes::Bytes,
) -> Event {
    Event {
        account,
        id: EventId::PENDING,
        kind,
        event_type: kind.name().into(),
        audience: Audience::Persons([owner].into()),
        chat: None,
        post: None,
        request: None,
        occurred_at: now,
        body,
        confidential: false,
        attributes: None,
    }
}

/// What is written of messages.
#[derive(Debug, Clone)]
pub enum MessageWrite {
    Put(Box<Message>),
    Delete {
        account: AccountId,
        message: MessageId,
    },
}

/// Reads of messages.
#[async_trait]
pub trait Messages: Send + Sync {
    /// A message in the store of `owner`.
    async fn message(
        &self,
        account: AccountId,
        owner: PersonId,
        message: MessageId,
    ) -> Result<Option<Message>, StoreError>;
    /// Messages in one person's store, newest first, and how many there are in all.
    async fn messages(&self, query: MessageQuery) -> Result<(Vec<Message>, u64), StoreError>;
}

/// Which messages to list. Absent parts mean any.
#[derive(Debug, Clone)]
pub struct MessageQuery {
    pub account: AccountId,
    pub owner: PersonId,
    pub direction: Option<Direction>,
    pub read_status: Option<ReadStatus>,
    pub availability: Option<Availability>,
    pub conversation: Option<ConversationId>,
    /// Made at this time or later.
    pub from: Timestamp,
    /// Made at this time or before.
    pub to: Timestamp,
    pub slice: Slice,
}
