//! A decision as a value: what to write, what to announce, what it relied on.

use crate::delivery::job::JobWrite;
use crate::delivery::ports::DeliveryWrite;
use crate::endpoints::statistics::StatisticsWrite;
use crate::events::custom_type::CustomTypeWrite;
use crate::events::event::Event;
use crate::events::type_name::TypeName;
use crate::identity::account::AccountWrite;
use crate::identity::app::{AppWrite, ClientId};
use crate::identity::credential::CredentialWrite;
use crate::identity::person::PersonWrite;
use crate::identity::secret::TokenHash;
use crate::identity::session::{SessionWrite, SignInCodeWrite};
use crate::inbound::bin::BinWrite;
use crate::inbound::request::RequestWrite;
use crate::inbound::webhook::WebhookWrite;
use crate::kernel::erasure::ErasureWrite;
use crate::kernel::first_request::{FirstRequestWrite, RequestKey};
use crate::kernel::ids::{
    AccountId, BinId, ChatId, CredentialId, JobId, MessageId, PersonId, PostId, SessionId,
    SubscriptionId, WebhookId,
};
use crate::kernel::retention::RetentionWrite;
use crate::kernel::time::Timestamp;
use crate::messaging::chat::ChatWrite;
use crate::messaging::message::MessageWrite;
use crate::messaging::post::PostWrite;
use crate::messaging::presence::PresenceWrite;
use crate::subscriptions::history::HistoryWrite;
use crate::subscriptions::ports::SubscriptionWrite;

macro_rules! writes {
    ($($noun:ident($write:ty),)*) => {
        /// One row's worth of writing, by noun. `Put` inserts or replaces the whole object.
        #[derive(Debug, Clone)]
        pub enum Write {
            $($noun($write),)*
        }

        $(impl From<$write> for Write {
            fn from(write: $write) -> Self {
                Self::$noun(write)
            }
        })*
    };
}

writes! {
    Account(AccountWrite),
    Person(PersonWrite),
    App(AppWrite),
    Credential(CredentialWrite),
    SignInCode(SignInCodeWrite),
    Session(SessionWrite),
    Chat(ChatWrite),
    Post(PostWrite),
    Presence(PresenceWrite),
    Message(MessageWrite),
    Webhook(WebhookWrite),
    Request(RequestWrite),
    Bin(BinWrite),
    CustomType(CustomTypeWrite),
    Subscription(SubscriptionWrite),
    History(HistoryWrite),
    Delivery(DeliveryWrite),
    Job(JobWrite),
    Statistics(StatisticsWrite),
    Retention(RetentionWrite),
    Erasure(ErasureWrite),
    FirstRequest(FirstRequestWrite),
}

macro_rules! objects {
    ($($noun:ident($id:ty),)*) => {
        /// What has versions, by the id of its noun.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Object {
            $($noun($id),)*
            /// The presence of a person, whose version is its sequence.
            Presence(PersonId),
        }

        $(impl From<$id> for Object {
            fn from(id: $id) -> Self {
                Self::$noun(id)
            }
        })*
    };
}

objects! {
    Person(PersonId),
    App(ClientId),
    // One that was revoked is not there.
    Credential(CredentialId),
    // The version of a session is the generation of its tokens.
    Session(SessionId),
    Chat(ChatId),
    Post(PostId),
    Message(MessageId),
    Webhook(WebhookId),
    Bin(BinId),
    CustomType(TypeName),
    Subscription(SubscriptionId),
    Job(JobId),
}

/// An object of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    pub account: AccountId,
    pub object: Object,
}

/// What a decision relied on. A change whose guard no longer holds fails alone, with `Conflict`,
/// before anything of it is written. Guards see what earlier changes wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// The object has this version; 0 stands for one that is not there.
    Version { of: ObjectRef, version: u64 },
    /// The object is there, whatever its version.
    Exists(ObjectRef),
    /// The person is there and not disabled.
    PersonEnabled {
        account: AccountId,
        person: PersonId,
    },
    /// A one-time sign-in code is there, and was not used.
    CodeUnspent { account: AccountId, hash: TokenHash },
    /// A set has fewer than `max`.
    Room { of: Set, max: u32 },
    /// A set has more than `min`.
    Beyond { of: Set, min: u32 },
    /// Nobody else has what must be unique.
    Free(Claim),
}

impl Guard {
    /// There is more than one operator, so that one may go.
    pub const ANOTHER_OPERATOR: Self = Self::Beyond {
        of: Set::Operators,
        min: 1,
    };

    /// The object has this version; 0 stands for one that is not there.
    pub fn version(account: AccountId, object: impl Into<Object>, version: u64) -> Self {
        let object = object.into();
        let of = ObjectRef { account, object };
        Self::Version { of, version }
    }

    /// The object is there.
    pub fn exists(account: AccountId, object: impl Into<Object>) -> Self {
        let object = object.into();
        Self::Exists(ObjectRef { account, object })
    }
}

/// What has a least or a largest number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    /// The apps of an account.
    Apps(AccountId),
    /// The credentials of a person that are good at a moment, or with those that are no longer.
    Credentials {
        account: AccountId,
        person: PersonId,
        live_at: Option<Timestamp>,
    },
    /// The operators of the installation.
    Operators,
    /// The bins of an account.
    Bins(AccountId),
    /// The endpoints of an account.
    Endpoints(AccountId),
    /// Subscriptions of a person and client that have not expired at a moment.
    Subscriptions {
        account: AccountId,
        owner: PersonId,
        client_id: ClientId,
        at: Timestamp,
    },
}

/// What only one may have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Claim {
    /// An e-mail address in an account; `by` may have it already.
    Email {
        account: AccountId,
        email: String,
        by: PersonId,
    },
    /// An extension number in an account; `by` may have it already.
    ExtensionNumber {
        account: AccountId,
        number: String,
        by: PersonId,
    },
    /// To be the Personal, Direct or Group chat of exactly these members (ascending).
    Conversation {
        account: AccountId,
        members: Vec<PersonId>,
    },
    /// To be the event that was published with this id of its publisher's.
    Publication {
        account: AccountId,
        source: String,
        id: String,
    },
    /// To be the first request with this key among those that are remembered.
    Request { key: RequestKey, now: Timestamp },
}

/// Rows to write, events that announce them, and what the decision relied on.
/// All of it is committed together, with the deliveries that the events cause, or none of it.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub guards: Vec<Guard>,
    pub writes: Vec<Write>,
    pub events: Vec<Event>,
}

impl Change {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.events.is_empty()
    }

    /// Starts with one write.
    pub fn of(write: impl Into<Write>) -> Self {
        Self {
            writes: vec![write.into()],
            ..Self::default()
        }
    }

    /// Adds a write.
    #[must_use]
    pub fn and(mut self, write: impl Into<Write>) -> Self {
        self.writes.push(write.into());
        self
    }

    /// Adds an event. An id that its publisher gave it must be new.
    #[must_use]
    pub fn announcing(mut self, event: Event) -> Self {
        if let Some((source, id)) = event.publication() {
            self.guards.push(Guard::Free(Claim::Publication {
                account: event.account,
                source: source.to_owned(),
                id: id.to_owned(),
            }));
        }
        self.events.push(event);
        self
    }

    /// Does what `other` does as well, after what this does.
    pub fn append(&mut self, other: Self) {
        self.guards.extend(other.guards);
        self.writes.extend(other.writes);
        self.events.extend(other.events);
    }

    /// Adds a guard.
    #[must_use]
    pub fn given(mut self, guard: Guard) -> Self {
        self.guards.push(guard);
        self
    }
}
