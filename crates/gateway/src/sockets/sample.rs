//! Objects for the tests of this module.

use std::sync::Arc;

use hookyard_domain::{DeliveryMode, Event, SocketId, Subscription};
use hookyard_testkit::{VirtualClock, sample};

use super::ring::Notification;

/// A post's event.
pub(super) fn event(id: u64) -> Event {
    sample::event(id, VirtualClock::BEGIN)
}

/// A subscription to posts of a WebSocket session.
pub(super) fn subscription(number: u128, socket: SocketId) -> Subscription {
    Subscription {
        mode: DeliveryMode::WebSocket { socket },
        ..sample::subscription(number, "")
    }
}

pub(super) fn notification(id: u64) -> Notification {
    Notification {
        event: Arc::new(event(id)),
        subscription: Arc::new(subscription(1, SocketId::from_random([1; 16]))),
        filter: 0,
    }
}
