//! HTTP: the RingCentral-compatible surface, Hookyard's own API under `/api/v1`, and the public
//! hook URLs. One file for each resource, wire types beside their handlers.
//!
//! A handler reads, lets the domain decide, and commits. Cookies are read by nobody but
//! `/console/session`.

mod delivery;
mod endpoints;
mod events;
mod identity;
mod inbound;
mod kernel;
mod messaging;
pub mod operations;
mod subscriptions;

use std::sync::Arc;

use hookyard_domain::kernel::component::Components;
use hookyard_domain::kernel::ports::{
    Chance, Clock, Handshake, LiveEvents, LiveSubscriptions, Store,
};
use hookyard_domain::{IdSequence, Timestamp};

pub use events::json_schema::JsonSchemas;
pub use identity::password::hash_password;
pub use identity::socket_tokens::SOCKET_PATH;
pub use identity::tokens::TokenMint;
pub use kernel::idempotency::Turns;
pub use kernel::json_guard::{JsonFault, check as check_json};
pub use kernel::listener::{ListenerLimits, serve};
pub use kernel::query::Pairs as Query;
pub use kernel::rate_limits::{Group, RateLimits};
pub use kernel::router::{described, router};
pub use kernel::settings::{ApiSettings, DevelopmentMode, SubscriptionSettings};
pub use kernel::strict::{Misfit, read as read_strictly};

/// What every handler has at hand.
#[derive(Debug)]
pub struct Api {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<dyn Chance>,
    pub ids: Arc<IdSequence>,
    pub handshake: Arc<dyn Handshake>,
    pub live: Arc<dyn LiveEvents>,
    /// Subscriptions of WebSocket sessions.
    pub sockets: Arc<dyn LiveSubscriptions>,
    pub tokens: TokenMint,
    /// What runs in the background: an operator may ask how it stands.
    pub components: Arc<Components>,
    /// Requests with a key that are being answered.
    pub turns: Turns,
    pub settings: ApiSettings,
}

impl Api {
    /// The time, read once for each decision.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A number for a new object.
    pub(crate) fn next_id(&self, now: Timestamp) -> u64 {
        self.ids.next(now)
    }

    /// Unpredictable bytes.
    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.chance.fill(&mut bytes);
        bytes
    }
}
