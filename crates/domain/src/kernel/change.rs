//! A decision as a value: what to write, what to announce, what it relied on.

use crate::delivery::job::Job;
use crate::delivery::{Attempt, Delivery, DeliveryState};
use crate::events::custom_type::CustomType;
use crate::events::event::Event;
use crate::events::type_name::TypeName;
use crate::identity::account::Account;
use crate::identity::app::{App, JwtCredential};
use crate::identity::person::Person;
use crate::identity::secret::{Secret, TokenHash};
use crate::identity::session::{Session, Token};
use crate::inbound::bin::{Bin, BinRequest};
use crate::inbound::request::HookRequest;
use crate::inbound::webhook::IncomingWebhook;
use crate::kernel::erasure::ErasureSubject;
use crate::kernel::ids::{
    AccountId, BinId, ChatId, DeliveryId, EventId, JobId, MessageId, PersonId, PostId, SessionId,
    SubscriptionId, WebhookId,
};
use crate::kernel::retention::Kept;
use crate::kernel::time::Timestamp;
use crate::messaging::chat::Chat;
use crate::messaging::message::Message;
use crate::messaging::post::Post;
use crate::messaging::presence::Presence;
use crate::subscriptions::history::HistoryEntry;
use crate::subscriptions::subscription::Subscription;

/// One row's worth of writing. `Put` inserts or replaces the whole object.
#[derive(Debug, Clone)]
pub enum Write {
    PutAccount(Account),
    /// Fails with `Conflict` when another person of the account has its e-mail address or its
    /// extension number.
    PutPerson(Person),
    /// The Argon2 hash of a person's password.
    PutPassword {
        account: AccountId,
        person: PersonId,
        hash: Secret,
    },
    PutApp(App),
    PutJwtCredential(JwtCredential),
    /// A one-time sign-in code for the console.
    PutSignInCode {
        account: AccountId,
        person: PersonId,
        hash: TokenHash,
        expires_at: Timestamp,
    },
    /// Uses a sign-in code up; fails with `Conflict` when it is no longer there.
    TakeSignInCode {
        account: AccountId,
        hash: TokenHash,
    },
    PutSession(Session),
    /// Ends a session and all of its tokens.
    EndSession {
        account: AccountId,
        session: SessionId,
    },
    /// Ends every session of a person.
    EndSessionsOf {
        account: AccountId,
        person: PersonId,
    },
    PutToken(Token),
    /// The chat with all of its members. Fails with `Conflict` when a second Personal, Direct or
    /// Group chat of the same members, or a second Everyone chat, would come to be.
    PutChat(Chat),
    /// The chat with its members, posts and webhooks.
    DeleteChat {
        account: AccountId,
        chat: ChatId,
    },
    PutPost(Post),
    DeletePost {
        account: AccountId,
        chat: ChatId,
        post: PostId,
    },
    PutWebhook(IncomingWebhook),
    DeleteWebhook {
        account: AccountId,
        webhook: WebhookId,
    },
    PutRequest(Box<HookRequest>),
    /// Fails with `Conflict` when its account has `count_max` others already. With another answer
    /// than before, turns count from one again.
    PutBin {
        bin: Box<Bin>,
        count_max: u32,
    },
    /// The bin with its requests.
    DeleteBin {
        account: AccountId,
        bin: BinId,
    },
    /// Keeps a request of a bin, gives it its number and turn, and forgets the oldest when there
    /// are too many. Fails with `Conflict` when the bin is no longer there.
    PutBinRequest(Box<BinRequest>),
    /// Forgets the requests of a bin; turns count from one again.
    ClearBin {
        account: AccountId,
        bin: BinId,
    },
    PutPresence(Presence),
    PutMessage(Box<Message>),
    DeleteMessage {
        account: AccountId,
        message: MessageId,
    },
    /// Fails with `Conflict` when its owner and app have `count_max` others already, or its owner
    /// is disabled.
    PutSubscription {
        subscription: Subscription,
        count_max: u32,
    },
    /// Ends a subscription; its waiting deliveries are abandoned.
    DeleteSubscription {
        account: AccountId,
        subscription: SubscriptionId,
        at: Timestamp,
    },
    /// Ends every stored subscription of a person as [`Write::DeleteSubscription`] does, and notes
    /// why in the history of each.
    DeleteSubscriptionsOf {
        account: AccountId,
        owner: PersonId,
        at: Timestamp,
        reason: &'static str,
    },
    /// Adds a line to a subscription's history.
    NoteHistory(HistoryEntry),
    /// Forgets the history, before a moment, of subscriptions that have ended.
    PurgeHistory {
        before: Timestamp,
    },
    /// Remembers since when a subscription's attempts have all failed. Does not grow its version.
    SetFailing {
        account: AccountId,
        subscription: SubscriptionId,
        since: Option<Timestamp>,
    },
    /// Removes what is no longer kept, of a range of numbers; what is still needed stays.
    Purge {
        kept: Kept,
        first: u64,
        last: u64,
    },
    /// Takes away what a person could sign in with, and what they said of their presence.
    ErasePersonals {
        account: AccountId,
        person: PersonId,
    },
    /// Erases what is kept of somebody or of an endpoint under numbers above `after`, up to `last`.
    /// What waits to be sent goes as well.
    Erase {
        account: AccountId,
        subject: ErasureSubject,
        after: u64,
        last: u64,
    },
    /// Erases what has no numbers: history, and jobs other than `job` that are about it.
    EraseRest {
        account: AccountId,
        subject: ErasureSubject,
        job: JobId,
    },
    /// Gives all waiting deliveries of a subscription up.
    AbandonWaiting {
        account: AccountId,
        subscription: SubscriptionId,
        at: Timestamp,
    },
    /// Sends an event that was committed before to a subscription, unless it was on its way to it
    /// already.
    Redeliver(Redelivery),
    /// How far catching up has come; `None` when it is done. Does not grow the version.
    SetCatchUp {
        account: AccountId,
        subscription: SubscriptionId,
        after: Option<EventId>,
    },
    /// Fails with `Conflict` when there is another version of it.
    PutCustomType(CustomType),
    DeleteCustomType {
        account: AccountId,
        name: TypeName,
    },
    /// Sends a delivery again: one that waits or was given up begins a new round at once, one that
    /// was delivered stays so and its event gets another delivery. Does nothing when the
    /// subscription has ended.
    Resend {
        account: AccountId,
        delivery: DeliveryId,
    },
    /// Appends an attempt and moves its delivery to `state`. Does nothing when the delivery is no
    /// longer waiting: nothing leaves `Delivered`.
    RecordAttempt {
        attempt: Attempt,
        state: DeliveryState,
    },
    /// The job as it is now. Its guard keeps two from going on from the same page.
    PutJob(Job),
    /// Stops a job that is running; does nothing to others.
    CancelJob {
        account: AccountId,
        job: JobId,
        at: Timestamp,
    },
    /// Forgets jobs that ended before a moment.
    PurgeJobs {
        before: Timestamp,
    },
    /// Forgets how endpoints fared before a moment.
    PurgeStatistics {
        before: Timestamp,
    },
    /// Gives a waiting delivery up without an attempt.
    AbandonDelivery {
        account: AccountId,
        delivery: DeliveryId,
        state: DeliveryState,
    },
}

/// An event that was committed before, on its way to a subscription after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redelivery {
    pub account: AccountId,
    pub subscription: SubscriptionId,
    pub event: EventId,
    /// The filter that matched, as subscribed.
    pub filter: String,
}

/// What a decision relied on. A change whose guard no longer holds fails alone, with `Conflict`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    ChatVersion {
        account: AccountId,
        chat: ChatId,
        version: u64,
    },
    WebhookVersion {
        account: AccountId,
        webhook: WebhookId,
        version: u64,
    },
    PostVersion {
        account: AccountId,
        post: PostId,
        version: u64,
    },
    SubscriptionVersion {
        account: AccountId,
        subscription: SubscriptionId,
        version: u64,
    },
    PersonVersion {
        account: AccountId,
        person: PersonId,
        version: u64,
    },
    /// The person is there and not disabled.
    PersonEnabled {
        account: AccountId,
        person: PersonId,
    },
    /// 0 stands for a presence that was never set.
    PresenceSequence {
        account: AccountId,
        person: PersonId,
        sequence: u64,
    },
    MessageVersion {
        account: AccountId,
        message: MessageId,
        version: u64,
    },
    BinVersion {
        account: AccountId,
        bin: BinId,
        version: u64,
    },
    CustomTypeVersion {
        account: AccountId,
        name: TypeName,
        version: u64,
    },
    JobVersion {
        account: AccountId,
        job: JobId,
        version: u64,
    },
    /// The session is still there and its tokens are of this generation.
    SessionGeneration {
        account: AccountId,
        session: SessionId,
        generation: u64,
    },
}

/// Rows to write, events that announce them, and the versions that the decision relied on.
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
    pub fn of(write: Write) -> Self {
        Self {
            writes: vec![write],
            ..Self::default()
        }
    }

    /// Adds a write.
    #[must_use]
    pub fn and(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// Adds an event.
    #[must_use]
    pub fn announcing(mut self, event: Event) -> Self {
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

/// What a commit did, for those who act on it at once: the dispatcher and the live gateway.
#[derive(Debug, Clone, Default)]
pub struct News {
    pub events: Vec<CommittedEvent>,
    pub deliveries: Vec<CommittedDelivery>,
    /// Subscriptions that were written: their lanes must use the new version from now on.
    pub subscriptions: Vec<std::sync::Arc<Subscription>>,
    /// Subscriptions that ended: after the commit is acknowledged no attempt may start.
    pub ended: Vec<SubscriptionId>,
    /// Sessions that ended: what they keep open must close.
    pub sessions_ended: Vec<SessionId>,
    /// What bins received, with their numbers.
    pub bin_requests: Vec<std::sync::Arc<BinRequest>>,
    /// Bins that are no more.
    pub bins_ended: Vec<BinId>,
    /// Deliveries that were waiting and are no more: they must not be sent.
    pub withdrawn: Vec<(SubscriptionId, DeliveryId)>,
    /// Jobs that were asked for.
    pub jobs: Vec<std::sync::Arc<Job>>,
}

/// An event and who may learn of it.
#[derive(Debug, Clone)]
pub struct CommittedEvent {
    pub event: std::sync::Arc<Event>,
    pub recipients: std::sync::Arc<[PersonId]>,
}

/// A delivery that a commit caused, with its event.
#[derive(Debug, Clone)]
pub struct CommittedDelivery {
    pub delivery: Delivery,
    pub event: std::sync::Arc<Event>,
    pub subscription: std::sync::Arc<Subscription>,
}
