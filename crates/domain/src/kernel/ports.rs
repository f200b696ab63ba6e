//! What the domain needs from outside: a store, a clock, chance, and listeners to commits.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::delivery::job::{Job, JobStatus};
use crate::delivery::{Attempt, Delivery};
use crate::endpoints::statistics::{HourSums, StatisticsBucket};
use crate::events::custom_type::CustomType;
use crate::events::event::Event;
use crate::events::type_name::{TypeName, TypePattern};
use crate::identity::account::Account;
use crate::identity::app::{App, ClientId, JwtCredential};
use crate::identity::person::{Person, PersonKind, PersonStatus};
use crate::identity::secret::{Secret, TokenHash};
use crate::identity::session::{Session, Token, TokenKind};
use crate::inbound::bin::{Bin, BinRequest};
use crate::inbound::request::HookRequest;
use crate::inbound::webhook::IncomingWebhook;
use crate::kernel::change::{Change, CommittedDelivery, News};
use crate::kernel::erasure::{ErasureCounts, ErasureSubject};
use crate::kernel::ids::{
    AccountId, BinId, BinRequestId, ChatId, DeliveryId, EventId, JobId, MessageId, PersonId,
    PostId, RequestId, SessionId, SubscriptionId, WebhookId,
};
use crate::kernel::retention::Kept;
use crate::kernel::time::Timestamp;
use crate::messaging::chat::{Chat, ChatKind};
use crate::messaging::message::{Availability, ConversationId, Direction, Message, ReadStatus};
use crate::messaging::post::Post;
use crate::messaging::presence::Presence;
use crate::subscriptions::history::HistoryEntry;
use crate::subscriptions::subscription::Subscription;

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

/// Where a page of a list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    /// The list's own beginning.
    #[default]
    First,
    /// What has ids below this.
    Before(u64),
    /// What has ids above this.
    After(u64),
}

/// State and events. Reads see everything whose commit was acknowledged.
///
/// Every read takes the account: an object of another account does not exist.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// Makes a change durable, with its events and their deliveries; the only door to writing.
    /// Returns after the sync, and after the listeners were told.
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        self.commit_numbering(change).await.map(drop)
    }
    /// Does the same and tells the ids that the events of the change were given, in their order.
    async fn commit_numbering(&self, change: Change) -> Result<Vec<EventId>, CommitError>;

    async fn account(&self, account: AccountId) -> Result<Option<Account>, StoreError>;
    /// The account with the smallest id, if the store has any.
    async fn first_account(&self) -> Result<Option<Account>, StoreError>;

    async fn person(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Option<Person>, StoreError>;
    async fn persons(&self, account: AccountId, limit: u32) -> Result<Vec<Person>, StoreError>;
    async fn person_by_email(
        &self,
        account: AccountId,
        email: &str,
    ) -> Result<Option<Person>, StoreError>;
    async fn person_by_extension_number(
        &self,
        account: AccountId,
        number: &str,
    ) -> Result<Option<Person>, StoreError>;
    /// Persons in order of their ids, integrations left out, and how many there are in all.
    async fn persons_matching(&self, query: PersonQuery) -> Result<(Vec<Person>, u64), StoreError>;
    /// Who signs in by `name`, an e-mail address or an extension number, in any account, and the
    /// Argon2 hash of their password.
    async fn password_of(&self, name: &str) -> Result<Option<(Person, Secret)>, StoreError>;

    async fn app(&self, client_id: &ClientId) -> Result<Option<App>, StoreError>;
    async fn jwt_credential(&self, hash: TokenHash) -> Result<Option<JwtCredential>, StoreError>;
    /// Whom a one-time sign-in code lets in, if it is there and not expired at `now`.
    async fn sign_in_code(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<(AccountId, PersonId)>, StoreError>;
    /// A token and its session. Called for every API request, so it is served from memory.
    async fn token(&self, hash: TokenHash) -> Result<Option<Arc<(Session, Token)>>, StoreError>;
    async fn token_of_generation(
        &self,
        account: AccountId,
        session: SessionId,
        kind: TokenKind,
        generation: u64,
    ) -> Result<Option<Token>, StoreError>;
    /// A session, as long as it lives.
    async fn session(
        &self,
        account: AccountId,
        session: SessionId,
    ) -> Result<Option<Session>, StoreError>;
    /// Live sessions of a person and client, oldest first.
    async fn sessions(
        &self,
        account: AccountId,
        person: PersonId,
        client_id: &ClientId,
    ) -> Result<Vec<Session>, StoreError>;

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

    async fn post(
        &self,
        account: AccountId,
        chat: ChatId,
        post: PostId,
    ) -> Result<Option<Post>, StoreError>;
    /// Posts of a chat: newest first from `First` and `Before`; oldest first from `After`.
    async fn posts(
        &self,
        account: AccountId,
        chat: ChatId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<Post>, StoreError>;

    /// The presence of a person; `None` when they have never set one, or are not there.
    async fn presence(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Option<Presence>, StoreError>;
    /// Enabled persons and their presence in order of their ids, and how many there are in all.
    /// Integrations are left out, and what is hidden from `viewer`, when there is one.
    async fn presences(
        &self,
        account: AccountId,
        viewer: Option<PersonId>,
        slice: Slice,
    ) -> Result<(Vec<(Person, Presence)>, u64), StoreError>;

    /// A message in the store of `owner`.
    async fn message(
        &self,
        account: AccountId,
        owner: PersonId,
        message: MessageId,
    ) -> Result<Option<Message>, StoreError>;
    /// Messages in one person's store, newest first, and how many there are in all.
    async fn messages(&self, query: MessageQuery) -> Result<(Vec<Message>, u64), StoreError>;

    async fn webhook(
        &self,
        account: AccountId,
        webhook: WebhookId,
    ) -> Result<Option<IncomingWebhook>, StoreError>;
    /// A webhook and its chat by the token of its URL. Called for every hook request, so it is
    /// served from memory.
    async fn webhook_by_token(
        &self,
        hash: TokenHash,
    ) -> Result<Option<Arc<HookTarget>>, StoreError>;
    /// Webhooks of an account, of one chat or of all, ascending by creation time.
    async fn webhooks(
        &self,
        account: AccountId,
        chat: Option<ChatId>,
    ) -> Result<Vec<IncomingWebhook>, StoreError>;

    async fn request(
        &self,
        account: AccountId,
        request: RequestId,
    ) -> Result<Option<HookRequest>, StoreError>;
    /// Requests to one webhook or to all, newest first.
    async fn requests(
        &self,
        account: AccountId,
        webhook: Option<WebhookId>,
        page: Page,
        limit: u32,
    ) -> Result<Vec<HookRequest>, StoreError>;

    /// A bin, and how many requests are kept of it.
    async fn bin(&self, account: AccountId, bin: BinId) -> Result<Option<(Bin, u64)>, StoreError>;
    async fn bin_by_token(&self, hash: TokenHash) -> Result<Option<Bin>, StoreError>;
    /// Bins of an account, newest first, and how many requests are kept of each.
    async fn bins(
        &self,
        account: AccountId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<(Bin, u64)>, StoreError>;
    async fn bin_request(
        &self,
        account: AccountId,
        request: BinRequestId,
    ) -> Result<Option<BinRequest>, StoreError>;
    /// Requests of a bin by their numbers: newest first from `First` and `Before`; oldest first
    /// from `After`.
    async fn bin_requests(
        &self,
        account: AccountId,
        bin: BinId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<BinRequest>, StoreError>;

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

    async fn subscription(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
    ) -> Result<Option<Arc<Subscription>>, StoreError>;
    /// Subscriptions of a person and client, ascending by creation time.
    async fn subscriptions(
        &self,
        account: AccountId,
        owner: PersonId,
        client_id: &ClientId,
    ) -> Result<Vec<Subscription>, StoreError>;
    /// How many subscriptions of a person and client have not expired at `now`.
    async fn subscription_count(
        &self,
        account: AccountId,
        owner: PersonId,
        client_id: &ClientId,
        now: Timestamp,
    ) -> Result<u32, StoreError>;
    /// Subscriptions of a person by whatever client, ascending by creation time.
    async fn subscriptions_of_person(
        &self,
        account: AccountId,
        owner: PersonId,
    ) -> Result<Vec<Subscription>, StoreError>;
    /// Every subscription of every account: what the life cycle has to watch.
    async fn all_subscriptions(&self) -> Result<Vec<Arc<Subscription>>, StoreError>;
    /// The stored `PubNub` subscription that listens on a channel.
    async fn subscription_by_channel(
        &self,
        channel: &str,
    ) -> Result<Option<Arc<Subscription>>, StoreError>;
    /// The history of a subscription, oldest first, also after it ended.
    async fn subscription_history(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
    ) -> Result<Vec<HistoryEntry>, StoreError>;

    async fn delivery(
        &self,
        account: AccountId,
        delivery: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError>;
    /// Deliveries of a subscription or of all, newest first.
    async fn deliveries(
        &self,
        account: AccountId,
        subscription: Option<SubscriptionId>,
        page: Page,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// Deliveries that one event caused.
    async fn deliveries_of_event(
        &self,
        account: AccountId,
        event: EventId,
    ) -> Result<Vec<Delivery>, StoreError>;
    async fn attempts(
        &self,
        account: AccountId,
        delivery: DeliveryId,
    ) -> Result<Vec<Attempt>, StoreError>;

    /// The endpoints of an account, ascending by creation time.
    async fn endpoints(&self, account: AccountId) -> Result<Vec<Arc<Subscription>>, StoreError>;
    /// Those of them whose address holds `part`.
    async fn endpoints_addressing(
        &self,
        account: AccountId,
        part: &str,
    ) -> Result<Vec<Arc<Subscription>>, StoreError>;
    /// A type that the account has registered.
    async fn custom_type(
        &self,
        account: AccountId,
        name: &TypeName,
    ) -> Result<Option<Arc<CustomType>>, StoreError>;
    /// Every type that the account has registered, by name.
    async fn custom_types(&self, account: AccountId) -> Result<Vec<CustomType>, StoreError>;
    /// The event that was published with this id of its publisher's.
    async fn publication(
        &self,
        account: AccountId,
        source: &str,
        id: &str,
    ) -> Result<Option<Publication>, StoreError>;
    /// Deliveries with what is known of them, newest first.
    async fn find_deliveries(&self, query: DeliveryQuery)
    -> Result<Vec<FoundDelivery>, StoreError>;
    /// The same with ids above `after`, oldest first.
    async fn find_deliveries_after(
        &self,
        query: DeliveryQuery,
        after: DeliveryId,
    ) -> Result<Vec<FoundDelivery>, StoreError>;
    /// How many there are, whatever the limit of the query.
    async fn count_deliveries(&self, query: DeliveryQuery) -> Result<u64, StoreError>;
    /// Whether an event is or was on its way to a subscription that has not ended.
    async fn has_delivery(
        &self,
        account: AccountId,
        event: EventId,
        subscription: SubscriptionId,
    ) -> Result<bool, StoreError>;
    /// Events, newest first.
    async fn find_events(&self, query: EventQuery) -> Result<Vec<Event>, StoreError>;
    /// How many there are, whatever the limit of the query.
    async fn count_events(&self, query: EventQuery) -> Result<u64, StoreError>;

    async fn job(&self, account: AccountId, job: JobId) -> Result<Option<Job>, StoreError>;
    /// Jobs, newest first.
    async fn jobs(&self, query: JobQuery) -> Result<Vec<Job>, StoreError>;
    /// The jobs of all accounts that go on, oldest first: where a restart continues.
    async fn running_jobs(&self) -> Result<Vec<Job>, StoreError>;

    /// How an endpoint fared from `from` until before `to`, period by period, oldest first; periods
    /// without anything are left out.
    async fn statistics(
        &self,
        account: AccountId,
        endpoint: SubscriptionId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<StatisticsBucket>, StoreError>;
    /// The sums of each endpoint of an account and each hour from `from` on that has any; hours by
    /// their beginning.
    async fn statistics_by_hour(
        &self,
        account: AccountId,
        from: Timestamp,
    ) -> Result<Vec<(SubscriptionId, Timestamp, HourSums)>, StoreError>;

    /// The first and the last number of the next rows after `after` from before `before`; of at most
    /// `limit` rows.
    async fn kept_range(
        &self,
        kept: Kept,
        after: u64,
        before: Timestamp,
        limit: u32,
    ) -> Result<Option<(u64, u64)>, StoreError>;
    /// What is kept of somebody or of an endpoint under numbers above `after`, up to `last`.
    async fn erasable(
        &self,
        account: AccountId,
        subject: ErasureSubject,
        after: u64,
        last: u64,
    ) -> Result<ErasureCounts, StoreError>;
    /// The number up to which there are at most `limit` rows of each kind after `after`; `None` when
    /// that is all there is.
    async fn erasure_page(&self, after: u64, limit: u32) -> Result<Option<u64>, StoreError>;
    /// Bytes that the store uses.
    async fn used_bytes(&self) -> Result<u64, StoreError>;
    /// When the oldest event that is kept happened.
    async fn oldest_event(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Subscriptions with unfinished deliveries, in all accounts: where a restart continues.
    async fn subscriptions_with_work(&self) -> Result<Vec<Arc<Subscription>>, StoreError>;
    /// Waiting deliveries of one subscription in order of due time and id, after `after`, due or
    /// not. Carries at most `limit` rows.
    async fn waiting_deliveries(
        &self,
        subscription: SubscriptionId,
        after: Option<(Timestamp, DeliveryId)>,
        limit: u32,
    ) -> Result<Vec<CommittedDelivery>, StoreError>;
}

/// What was published with an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    pub event: EventId,
    /// Of its type and data.
    pub digest: [u8; 32],
}

/// What the last attempt of a delivery was answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerQuery {
    Status(u16),
    /// 5 for 500 to 599.
    StatusClass(u16),
    /// Attempts were made, and none was answered.
    None,
}

/// Which state deliveries are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateQuery {
    Waiting,
    Delivered,
    Abandoned,
}

impl StateQuery {
    /// Name on the wire and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Abandoned => "abandoned",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::Abandoned]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// Which deliveries to list. Absent parts mean any.
#[derive(Debug, Clone)]
pub struct DeliveryQuery {
    pub account: AccountId,
    pub subscription: Option<SubscriptionId>,
    pub event: Option<EventId>,
    pub state: Option<StateQuery>,
    pub answer: Option<AnswerQuery>,
    pub types: Option<TypePattern>,
    /// Made at this moment or after it.
    pub since: Option<Timestamp>,
    /// Made before this moment.
    pub until: Option<Timestamp>,
    /// Given up at this moment or after it; means nothing for other states.
    pub abandoned_since: Option<Timestamp>,
    /// Only those with a smaller id.
    pub before: Option<DeliveryId>,
    pub limit: u32,
}

/// A delivery, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDelivery {
    pub delivery: Delivery,
    /// The full name of its event's type.
    pub type_name: String,
    /// How the last attempt ended.
    pub last: Option<LastAttempt>,
}

/// How the last attempt of a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAttempt {
    /// `accepted`, `refused`, or why nothing answered.
    pub outcome: String,
    pub status: Option<u16>,
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

/// Which jobs to list. Absent parts mean any.
#[derive(Debug, Clone)]
pub struct JobQuery {
    pub account: AccountId,
    pub status: Option<JobStatus>,
    pub kind: Option<String>,
    pub endpoint: Option<SubscriptionId>,
    /// Only those with a smaller id.
    pub before: Option<JobId>,
    pub limit: u32,
}

/// Which part of a numbered list to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Records before it.
    pub offset: u64,
    pub limit: u32,
}

/// Which persons to list. Absent parts mean any.
#[derive(Debug, Clone)]
pub struct PersonQuery {
    pub account: AccountId,
    pub email: Option<String>,
    pub extension_number: Option<String>,
    pub status: Option<PersonStatus>,
    pub kind: Option<PersonKind>,
    pub slice: Slice,
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

/// What a hook URL leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookTarget {
    pub webhook: IncomingWebhook,
    pub chat: Arc<Chat>,
    /// In whose name posts through webhooks appear.
    pub author: PersonId,
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
