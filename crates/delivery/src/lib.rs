//! From committed event to recorded attempt: the dispatcher and its lanes, the webhook transport,
//! the handshake, and `egress`, the only place that opens outbound sockets.
//!
//! Time and chance come through the domain's ports; waiting uses tokio's timer, which tests pause.

mod app_tokens;
pub mod backlog;
mod by_mode;
pub mod client;
mod component;
pub mod dispatcher;
pub mod egress;
pub mod handshake;
mod health;
mod jobs;
mod lifecycle;
pub mod mail;
mod notices;
pub mod push;
mod recipients;
mod retention;
pub mod transport;
pub mod webhook;

pub use app_tokens::AppTokens;
pub use backlog::Backlog;
pub use by_mode::ByMode;
pub use client::{Answer, Call, CallError, Client};
pub use dispatcher::Dispatcher;
pub use egress::{DialError, Egress, EgressRules, OwnBins, Target};
pub use handshake::WebhookHandshake;
pub use health::{HealthListener, HealthReport};
pub use jobs::Jobs;
pub use lifecycle::Lifecycle;
pub use mail::{Letter, Mail, MailError, SmtpMail, SmtpSecurity, SmtpSettings};
pub use notices::Notices;
pub use push::{PushError, PushKey, PushKeyError, PushTransport};
pub use retention::Purger;
pub use transport::{Attempted, Connection, Halt, Sending, Transport};
pub use webhook::WebhookTransport;
