//! No WebSocket sessions.

use std::sync::Arc;

use hookyard_domain::ports::{LiveSubscriptions, SocketGone};
use hookyard_domain::{AccountId, ClientId, PersonId, Subscription, SubscriptionId};

/// Has no session, ever.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSockets;

impl LiveSubscriptions for NoSockets {
    fn put(&self, _: Subscription) -> Result<(), SocketGone> {
        Err(SocketGone)
    }

    fn subscription(&self, _: AccountId, _: SubscriptionId) -> Option<Arc<Subscription>> {
        None
    }

    fn subscriptions(
        &self,
        _: AccountId,
        _: PersonId,
        _: Option<&ClientId>,
    ) -> Vec<Arc<Subscription>> {
        Vec::new()
    }

    fn remove(&self, _: AccountId, _: SubscriptionId) {}
}
