//! What the domain needs from outside: a store, a clock, chance, and listeners to commits.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::events::event::Event;
use crate::identity::app::ClientId;
use crate::identity::secret::Secret;
use crate::inbound::bin::BinRequest;
use crate::kernel::change::Change;
use crate::kernel::ids::{AccountId, BinId, EventId, PersonId, SubscriptionId};
use crate::kernel::news::News;
use crate::kernel::time::Timestamp;
use crate::subscriptions::subscription::Subscription;

pub use crate::delivery::job::{JobQuery, Jobs};
pub use crate::delivery::ports::{
    AnswerQuery, Deliveries, DeliveryQuery, FoundDelivery, LastAttempt, StateQuery,
};
pub use crate::endpoints::statistics::EndpointStatistics;
pub use crate::events::custom_type::CustomTypes;
pub use crate::events::event::{EventQuery, Events};
pub use crate::events::publication::{Publication, Publications};
pub use crate::identity::account::Accounts;
pub use crate::identity::app::Apps;
pub use crate::identity::credential::{CredentialQuery, Credentials};
pub use crate::identity::person::operator::Operators;
pub use crate::identity::person::{PersonQuery, Persons};
pub use crate::identity::session::Sessions;
pub use crate::inbound::bin::Bins;
pub use crate::inbound::request::Requests;
pub use crate::inbound::webhook::{HookTarget, Webhooks};
pub use crate::kernel::erasure::Erasures;
pub use crate::kernel::figures::{Figures, StoreFigures};
pub use crate::kernel::first_request::FirstRequests;
pub use crate::kernel::retention::Retained;
pub use crate::messaging::chat::{ChatQuery, Chats};
pub use crate::messaging::message::{MessageQuery, Messages};
pub use crate::messaging::post::Posts;
pub use crate::messaging::presence::Presences;
pub use crate::subscriptions::history::Histories;
pub use crate::subscriptions::ports::{Endpoints, Subscriptions};

/// The store could not do its work; the source says why. Nothing was acknowledged.
#[derive(Debug, thiserror::Error)]
#[error("store is unavailable: {context}")]
pub struct StoreError {
    pub context: String,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Why a change was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A guard no longer holds: read again and decide again.
    #[error("what the change relied on has changed")]
    Conflict,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a page of a list begins. Most lists are in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page<K = u64> {
    /// The list's own beginning.
    #[default]
    First,
    /// What has keys below this.
    Before(K),
    /// What has keys above this.
    After(K),
}

/// The only door to writing.
#[async_trait]
pub trait Commits: Send + Sync + fmt::Debug {
    /// Makes a change durable, with its events and their deliveries. Returns after the sync, and
    /// after the listeners were told.
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        self.commit_numbering(change).await.map(drop)
    }
    /// Does the same and tells the ids that the events of the change were given, in their order.
    async fn commit_numbering(&self, change: Change) -> Result<Vec<EventId>, CommitError>;
}

macro_rules! store {
    ($($reads:ident)*) => {
        /// State and events: the reads of every noun, and the door to writing. Reads see everything
        /// whose commit was acknowledged.
        ///
        /// Every read takes the account: an object of another account does not exist. Two do not, and only
        /// operators are told what they read: `Operators` and `Figures`.
        pub trait Store: Commits $(+ $reads)* {}

        impl<S: Commits $(+ $reads)* + ?Sized> Store for S {}

        /// Every port of the store, for those who hold a store of a known type.
        pub mod prelude {
            pub use super::Commits as _;
            $(pub use super::$reads as _;)*
        }
    };
}

store! {
    Accounts
    Persons
    Operators
    Apps
    Credentials
    Sessions
    Chats
    Posts
    Presences
    Messages
    Webhooks
    Requests
    Bins
    Events
    CustomTypes
    Publications
    Subscriptions
    Histories
    Deliveries
    Jobs
    Endpoints
    EndpointStatistics
    Retained
    Erasures
    FirstRequests
    Figures
}

/// Which part of a numbered list to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Records before it.
    pub offset: u64,
    pub limit: u32,
}

/// Told of every commit, after the sync and before the callers are answered. Must not wait.
pub trait CommitListener: Send + Sync + fmt::Debug {
    fn committed(&self, news: &News);
}

/// Wall time and sleeping, which tests replace.
#[async_trait]
pub trait Clock: Send + Sync + fmt::Debug {
    fn now(&self) -> Timestamp;
    /// Returns when wall time has come to `until`, also when somebody sets the clock meanwhile
    /// (which may be noticed late).
    async fn sleep_until(&self, until: Timestamp);
}

/// Chance, which tests seed.
pub trait Chance: Send + Sync + fmt::Debug {
    /// Fills `bytes` with unpredictable values.
    fn fill(&self, bytes: &mut [u8]);

    /// A value in `0.0..1.0`, for jitter.
    fn fraction(&self) -> f64 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        f64::from(u32::from_ne_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}

/// Why an address did not prove that it wants events (contract 4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Also the answer for addresses that we refuse to call: the caller must not learn which.
    #[error("the address is not reachable")]
    Unreachable,
    #[error("the address answered with status {0}")]
    BadStatus(u16),
    #[error("the address must use https")]
    HttpsRequired,
    #[error("the certificate is not valid")]
    CertificateInvalid,
    #[error("the validation token was not returned")]
    NoValidationToken,
    #[error("the answer is too large or not HTTP")]
    InvalidReply,
    /// Told to administrators only.
    #[error("the address is not one that may be called")]
    Forbidden,
    /// Told to administrators only.
    #[error("the name cannot be resolved")]
    Unresolvable,
    /// It did not allow our origin.
    #[error("the origin was not allowed")]
    NotAllowed,
    /// What it says of the rate that it takes is no rate.
    #[error("the allowed rate cannot be read")]
    InvalidRate,
}

/// Proof, before a subscription becomes active, that an address wants its events.
#[async_trait]
pub trait Handshake: Send + Sync + fmt::Debug {
    /// Calls `address` once and checks its answer.
    async fn verify(
        &self,
        address: &str,
        validation_token: &Secret,
        verification_token: Option<&Secret>,
    ) -> Result<(), HandshakeError>;
    /// Whether `address` may be called: read, resolved and vetted, without a call.
    async fn vet(&self, address: &str) -> Result<(), HandshakeError>;
    /// Asks `address` with OPTIONS whether `origin` may send to it (CloudEvents web hooks, section
    /// 4), and tells how many requests a minute it takes, if it says so.
    async fn ask_consent(&self, address: &str, origin: &str)
    -> Result<Option<u32>, HandshakeError>;
}

/// The WebSocket session is no longer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the WebSocket session has ended")]
pub struct SocketGone;

/// Subscriptions of WebSocket sessions. They live in memory and end with their session.
pub trait LiveSubscriptions: Send + Sync + fmt::Debug {
    /// Makes `subscription` the one of its session, in place of the one that it had.
    fn put(&self, subscription: Subscription) -> Result<(), SocketGone>;
    fn subscription(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
    ) -> Option<Arc<Subscription>>;
    /// Subscriptions of a person, by one client or by any.
    fn subscriptions(
        &self,
        account: AccountId,
        owner: PersonId,
        client_id: Option<&ClientId>,
    ) -> Vec<Arc<Subscription>>;
    /// Ends a subscription; its session goes on.
    fn remove(&self, account: AccountId, subscription: SubscriptionId);
}

/// Events as they are committed, for one signed-in person.
pub trait LiveEvents: Send + Sync + fmt::Debug {
    /// Starts listening; `None` when the server has as many sessions as it can hold.
    fn listen(&self, account: AccountId, person: PersonId) -> Option<Box<dyn LiveFeed>>;
    /// The same for what an endpoint of `person` could ask for: what the person may learn, and what
    /// is for every endpoint of the account.
    fn listen_as_endpoint(&self, account: AccountId, person: PersonId)
    -> Option<Box<dyn LiveFeed>>;
    /// The same for what a bin receives. The feed closes when the bin is deleted.
    fn listen_to_bin(&self, bin: BinId) -> Option<Box<dyn LiveFeed<Arc<BinRequest>>>>;
}

/// One listener's bounded buffer.
#[async_trait]
pub trait LiveFeed<T = Arc<Event>>: Send + fmt::Debug {
    /// Waits for the next item.
    async fn next(&mut self) -> LiveItem<T>;
}

/// What a live listener gets.
#[derive(Debug, Clone)]
pub enum LiveItem<T = Arc<Event>> {
    Event(T),
    /// The listener was too slow and missed events: it must read again from the store.
    Lagged,
    /// The server is stopping, or what was listened to is no more.
    Closed,
}
