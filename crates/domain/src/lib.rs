//! The nouns of Hookyard and the rules they follow.
//!
//! Nothing here waits, reads a clock, draws a random number, or knows SQL or HTTP. A decision is a
//! value, [`Change`]: rows to write, events that announce them, and guards that must still hold.
//! What the domain needs from outside is declared in [`ports`].

pub mod account;
pub mod address;
pub mod app;
pub mod bin;
pub mod card;
pub mod catalogue;
pub mod change;
pub mod chat;
pub mod content_filter;
pub mod custom_type;
pub mod delivery;
pub mod endpoint;
pub mod envelope;
pub mod erasure;
pub mod event;
pub mod filter;
pub mod history;
pub mod ids;
pub mod job;
pub mod limits;
pub mod markdown;
pub mod message;
pub mod messaging;
pub mod payload;
pub mod permission;
pub mod person;
pub mod ports;
pub mod post;
pub mod presence;
pub mod problem;
pub mod publishing;
mod raw;
pub mod request;
pub mod retention;
pub mod retry;
pub mod scenario;
pub mod secret;
pub mod session;
pub mod signing;
pub mod statistics;
pub mod subscription;
pub mod subscription_index;
pub mod time;
pub mod type_name;
pub mod webhook;

pub use account::Account;
pub use address::{Address, AddressError};
pub use app::{App, ClientId, JwtCredential, Scope, Scopes};
pub use bin::{Bin, BinAnswer, BinReply, BinRequest, BinSignature};
pub use card::{Attachment, Card};
pub use change::{Change, Guard, Write};
pub use chat::{Chat, ChatKind, ChatStatus};
pub use content_filter::{ContentFilter, ContentFilterError};
pub use custom_type::{CustomType, DataSchema, TypeVersion};
pub use delivery::{
    AbandonReason, Attempt, AttemptOutcome, Delivery, DeliveryState, Round, Timings, Transcript,
    UnreachableReason,
};
pub use endpoint::{Endpoint, SettingError};
pub use erasure::{ErasureCounts, ErasureSubject};
pub use event::{Attributes, Audience, Event, EventKind};
pub use filter::{EventFilter, FilterError, Place, Reminder};
pub use history::{HistoryEntry, Milestone};
pub use ids::{
    AccountId, BinId, BinRequestId, ChatId, DeliveryId, EventId, IdSequence, JobId, MessageId,
    PersonId, PostId, RequestId, SessionId, SocketId, SubscriptionId, WebhookId,
};
pub use job::{DeliverySelection, Job, JobPage, JobStatus, JobWork};
pub use message::{ConversationId, Correspondent, Message};
pub use person::{Person, PersonKind, PersonStatus};
pub use post::{Post, PostContent, PostKind};
pub use presence::{DndStatus, Presence, UserStatus};
pub use problem::{Code, Problem};
pub use request::{Finding, HookAnswer, HookRequest};
pub use retry::{RetryPolicy, RetrySchedule};
pub use scenario::Scenario;
pub use secret::{Secret, TokenHash};
pub use session::{Session, Token, TokenKind};
pub use signing::SigningSecret;
pub use statistics::{HourSums, Latency, OutcomeKind, Statistics, StatisticsBucket};
pub use subscription::{
    DeliveryMode, DisabledFilter, PushProvider, Subscription, SubscriptionStatus, TransportType,
};
pub use subscription_index::{Placed, SubscriptionIndex};
pub use time::Timestamp;
pub use type_name::{TypeName, TypePattern};
pub use webhook::{IncomingWebhook, WebhookStatus};
