//! The nouns of Hookyard and the rules they follow.
//!
//! Nothing here waits, reads a clock, draws a random number, or knows SQL or HTTP. A decision is a
//! value, [`Change`]: rows to write, events that announce them, and guards that must still hold.
//! What the domain needs from outside is declared in [`kernel::ports`].

pub mod delivery;
pub mod endpoints;
pub mod events;
pub mod identity;
pub mod inbound;
pub mod kernel;
pub mod messaging;
pub mod subscriptions;

pub use delivery::job::{DeliverySelection, Job, JobPage, JobStatus, JobWork, JobWrite};
pub use delivery::ports::{DeliveryWrite, Redelivery};
pub use delivery::retry::{RetryPolicy, RetrySchedule};
pub use delivery::{
    AbandonReason, Attempt, AttemptOutcome, Delivery, DeliveryState, Round, Timings, Transcript,
    UnreachableReason,
};
pub use endpoints::endpoint::Endpoint;
pub use endpoints::signing::SigningSecret;
pub use endpoints::statistics::{
    HourSums, Latency, OutcomeKind, Statistics, StatisticsBucket, StatisticsWrite,
};
pub use events::content_filter::{ContentFilter, ContentFilterError};
pub use events::custom_type::{CustomType, CustomTypeWrite, DataSchema, TypeVersion};
pub use events::event::{Attributes, Audience, Event, EventKind};
pub use events::scenario::Scenario;
pub use events::type_name::{TypeName, TypePattern};
pub use identity::account::{Account, AccountWrite};
pub use identity::app::{
    App, AppKind, AppUsage, AppWrite, ClientId, ClientSecret, KeptSecret, KeySet,
};
pub use identity::credential::{Credential, CredentialKind, CredentialWrite};
pub use identity::person::{Person, PersonKind, PersonStatus, PersonWrite};
pub use identity::scope::{Scope, Scopes};
pub use identity::secret::{Secret, TokenHash};
pub use identity::session::{
    Session, SessionOrigin, SessionWrite, SignInCodeWrite, Token, TokenKind,
};
pub use inbound::bin::{Bin, BinAnswer, BinReply, BinRequest, BinSignature, BinWrite};
pub use inbound::card::{Attachment, Card};
pub use inbound::request::{Finding, HookAnswer, HookRequest, RequestWrite};
pub use inbound::webhook::{IncomingWebhook, WebhookStatus, WebhookWrite};
pub use kernel::change::{Change, Claim, Guard, Object, ObjectRef, Set, Write};
pub use kernel::erasure::{ErasureCounts, ErasureSubject, ErasureWrite};
pub use kernel::first_request::{
    FirstAnswer, FirstRequest, FirstRequestWrite, Repeat, RequestDigest, RequestKey,
};
pub use kernel::ids::{
    AccountId, BinId, BinRequestId, ChatId, CredentialId, DeliveryId, EventId, IdSequence, JobId,
    MessageId, PersonId, PostId, RequestId, SessionId, SocketId, SubscriptionId, WebhookId,
};
pub use kernel::news::{CommittedDelivery, CommittedEvent, News, NewsItem};
pub use kernel::problem::{Code, Problem};
pub use kernel::retention::RetentionWrite;
pub use kernel::time::Timestamp;
pub use messaging::chat::{Chat, ChatKind, ChatStatus, ChatWrite};
pub use messaging::message::{ConversationId, Correspondent, Message, MessageWrite};
pub use messaging::post::{Post, PostContent, PostKind, PostWrite};
pub use messaging::presence::{DndStatus, Presence, PresenceWrite, UserStatus};
pub use subscriptions::address::{Address, AddressError};
pub use subscriptions::filter::{EventFilter, FilterError, Place, Reminder};
pub use subscriptions::history::{HistoryEntry, HistoryWrite, Milestone};
pub use subscriptions::index::{Placed, SubscriptionIndex};
pub use subscriptions::mode::{DeliveryMode, PushProvider, TransportType};
pub use subscriptions::ports::SubscriptionWrite;
pub use subscriptions::subscription::{DisabledFilter, Subscription, SubscriptionStatus};
