//! From committed event to recorded attempt: the dispatcher and its lanes, the webhook transport,
//! the handshake, and `egress`, the only place that opens outbound sockets.
//!
//! Time and chance come through the domain's ports; waiting uses tokio's timer, which tests pause.

pub mod backlog;
mod by_mode;
pub mod dispatcher;
pub mod egress;
pub mod handshake;
mod health;
mod lifecycle;
pub mod push;
pub mod transport;
pub mod webhook;

pub use backlog::Backlog;
pub use by_mode::ByMode;
pub use dispatcher::Dispatcher;
pub use egress::{Egress, EgressRules};
pub use handshake::WebhookHandshake;
pub use health::{HealthListener, HealthReport};
pub use lifecycle::Lifecycle;
pub use push::{PushError, PushKey, PushKeyError, PushTransport};
pub use transport::{Attempted, Connection, Halt, Sending, Transport};
pub use webhook::WebhookTransport;
