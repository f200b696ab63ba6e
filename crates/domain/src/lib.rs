//! The nouns of Hookyard and the rules they follow.
//!
//! Nothing here waits, reads a clock, draws a random number, or knows SQL or HTTP. A decision is a
//! value, [`Change`]: rows to write, events that announce them, and guards that must still hold.
//! What the domain needs from outside is declared in [`ports`].

pub mod delivery;
pub mod endpoints;
pub mod events;
pub mod identity;
pub mod inbound;
pub mod kernel;
pub mod messaging;
pub mod subscriptions;

pub use delivery::job::{DeliverySelection, Job, JobPage, JobStatus, JobWork};
pub use delivery::retry::{RetryPolicy, RetrySchedule};
pub use delivery::{
    AbandonReason, Attempt, AttemptOutcome, Delivery, DeliveryState, Round, Timings, Transcript,
    UnreachableReason,
};
pub use endpoints::endpoint::Endpoint;
pub use endpoints::signing::SigningSecret;
pub use endpoints::statistics::{HourSums, Latency, OutcomeKind, Statistics, StatisticsBucket};
pub use events::content_filter::{ContentFilter, ContentFilterError};
pub use events::custom_type::{CustomType, DataSchema, TypeVersion};
pub use events::event::{Attributes, Audience, Event, EventKind};
pub use events::scenario::Scenario;
pub use events::type_name::{TypeName, TypePattern};
pub use identity::account::Account;
pub use identity::app::{App, ClientId, JwtCredential, Scope, Scopes};
pub use identity::person::{Person, PersonKind, PersonStatus};
pub use identity::secret::{Secret, TokenHash};
pub use identity::session::{Session, Token, TokenKind};
pub use inbound::bin::{Bin, BinAnswer, BinReply, BinRequest, BinSignature};
pub use inbound::card::{Attachment, Card};
pub use inbound::request::{Finding, HookAnswer, HookRequest};
pub use inbound::webhook::{IncomingWebhook, WebhookStatus};
pub use kernel::change::{Change, Guard, Write};
pub use kernel::erasure::{ErasureCounts, ErasureSubject};
pub use kernel::ids::{
    AccountId, BinId, BinRequestId, ChatId, DeliveryId, EventId, IdSequence, JobId, MessageId,
    PersonId, PostId, RequestId, SessionId, SocketId, SubscriptionId, WebhookId,
};
pub use kernel::problem::{Code, Problem};
pub use kernel::time::Timestamp;
pub use messaging::chat::{Chat, ChatKind, ChatStatus};
pub use messaging::message::{ConversationId, Correspondent, Message};
pub use messaging::post::{Post, PostContent, PostKind};
pub use messaging::presence::{DndStatus, Presence, UserStatus};
pub use subscriptions::address::{Address, AddressError};
pub use subscriptions::filter::{EventFilter, FilterError, Place, Reminder};
pub use subscriptions::history::{HistoryEntry, Milestone};
pub use subscriptions::index::{Placed, SubscriptionIndex};
pub use subscriptions::mode::{DeliveryMode, PushProvider, TransportType};
pub use subscriptions::subscription::{DisabledFilter, Subscription, SubscriptionStatus};
