//! HTTP: the RingCentral-compatible surface, Hookyard's own API under `/api/v1`, and the public
//! hook URLs. One file for each resource, wire types beside their handlers.
//!
//! A handler reads, lets the domain decide, and commits. Cookies are read by nobody but
//! `/console/session`.

mod batch;
mod bins;
mod body;
mod caller;
mod chats;
mod console_session;
mod conversations;
mod deciding;
mod deliveries;
mod directory;
mod endpoint_actions;
mod endpoint_statistics;
mod endpoints;
mod erasure;
mod event_feed;
mod event_stream;
mod event_types;
mod events;
mod everyone;
mod extensions;
mod hooks;
mod jobs;
mod json_guard;
mod listener;
mod live;
mod me;
mod members;
mod messages;
mod middleware;
mod numbered;
mod oauth;
mod paging;
mod password;
mod path;
mod persons;
mod platform;
mod posts;
mod presence;
mod problem;
mod query;
mod rate_limits;
mod recent_chats;
mod requests;
mod router;
mod scenarios;
mod settings;
mod socket_tokens;
mod strict;
mod subscription_life;
mod subscriptions;
mod teams;
mod tokens;
mod version_check;
mod webhooks;

use std::sync::Arc;

use hookyard_domain::ports::{Chance, Clock, Handshake, LiveEvents, LiveSubscriptions, Store};
use hookyard_domain::{IdSequence, Timestamp};

pub use listener::{ListenerLimits, serve};
pub use password::hash_password;
pub use rate_limits::RateLimits;
pub use router::router;
pub use settings::{ApiSettings, DevelopmentMode, SubscriptionSettings};
pub use socket_tokens::SOCKET_PATH;
pub use tokens::TokenMint;

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
