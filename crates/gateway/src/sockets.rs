//! WebSocket sessions and their subscriptions (contract section 6).
//!
//! The cast: a *session* ([`session`]) has an owner, at most one subscription, and a *ring*
//! ([`ring`]) of numbered notifications. It begins with a *connection* ([`connection`]) and
//! outlives it for some minutes, in which another connection can recover it. [`Sockets`] knows all
//! sessions: it hears of every commit, finds by a [`SubscriptionIndex`] whose rings an event goes
//! into, and rings the bells of their connections. [`SocketGateway`] lets connections in, one task
//! for each, and talks to the rest of the server through its [`Backstage`].
//!
//! Nothing here is a record. A session ends with the server, and what a client misses for longer
//! than it can recover is missed; what needs more than that is a `WebHook` subscription.

mod backstage;
mod connection;
mod frame;
mod gateway;
mod recovery;
mod reply;
mod ring;
#[cfg(test)]
mod sample;
mod session;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hookyard_domain::kernel::feed::Feed;
use hookyard_domain::kernel::limits::SOCKET_SESSIONS_MAX;
use hookyard_domain::kernel::news::{CommittedEvent, News};
use hookyard_domain::kernel::ports::{Clock, CommitListener, LiveSubscriptions, SocketGone};
use hookyard_domain::{
    AccountId, ClientId, DeliveryMode, PersonId, Session, SessionId, SocketId, Subscription,
    SubscriptionId, SubscriptionIndex, Timestamp,
};

pub use self::backstage::{Backstage, ReplyTooLarge};
pub use self::frame::{Frame, Unparsable};
pub use self::gateway::{Refusal, SocketGateway, SocketSettings};
use self::recovery::RecoveryError;
pub use self::recovery::{Malformed, RecoveryToken};
use self::ring::Notification;
use self::session::{Attachment, Fate, SocketSession};

/// All WebSocket sessions of one server.
#[derive(Debug, Clone)]
pub struct Sockets {
    registry: Arc<Mutex<Registry>>,
    /// How many sessions there are; commits pass by when there is none.
    count: Arc<AtomicUsize>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Default)]
struct Registry {
    sessions: HashMap<SocketId, Arc<SocketSession>>,
    /// Oldest first.
    by_oauth_session: HashMap<SessionId, Vec<SocketId>>,
    index: SubscriptionIndex<Arc<SocketSession>>,
    is_closed: bool,
}

/// Why there is no new session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoRoom {
    /// The OAuth session has as many connections as it may.
    Client,
    Server,
}

impl Sockets {
    /// No sessions yet. They are told what `feed` tells.
    pub fn start(feed: &dyn Feed, clock: Arc<dyn Clock>) -> Self {
        let sockets = Self {
            registry: Arc::default(),
            count: Arc::default(),
            clock,
        };
        feed.follow(Arc::new(sockets.clone()));
        sockets
    }

    /// Sessions, those that wait to be recovered included.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session. When its client has too many, one to which nobody is connected makes room.
    fn open(
        &self,
        id: SocketId,
        owner: Arc<Session>,
        count_max: usize,
    ) -> Result<(Arc<SocketSession>, Attachment), NoRoom> {
        let mut registry = self.registry();
        if registry.is_closed || registry.sessions.len() >= SOCKET_SESSIONS_MAX {
            return Err(NoRoom::Server);
        }
        registry.make_room(owner.id, count_max)?;
        let session = Arc::new(SocketSession::new(id, owner, self.clock.now()));
        registry.add(&session);
        self.recount(&registry);
        let attachment = session.attachment();
        Ok((session, attachment))
    }

    /// Gives the session that `token` names to a new connection of the same OAuth session.
    fn recover(
        &self,
        token: RecoveryToken,
        oauth_session: SessionId,
    ) -> Result<(Arc<SocketSession>, Attachment), RecoveryError> {
        let registry = self.registry();
        let session = registry
            .sessions
            .get(&token.socket)
            .filter(|_| !registry.is_closed)
            .ok_or(RecoveryError::Unknown)?;
        if session.owner.id != oauth_session {
            return Err(RecoveryError::OfAnotherSession);
        }
        if session.subscription().is_none() {
            return Err(RecoveryError::NoSubscription);
        }
        let attachment = session.attach(token.sequence);
        Ok((Arc::clone(session), attachment))
    }

    /// Forgets a session unless somebody is connected to it. Returns what it subscribed.
    fn forget(&self, session: &SocketSession) -> Option<Arc<Subscription>> {
        let mut registry = self.registry();
        if session.is_attached() {
            return None;
        }
        registry.remove(session.id);
        self.recount(&registry);
        session.subscription()
    }

    /// Gives a subscription that has used half of its time all of it again: it lives as long as its
    /// session does.
    fn renew(&self, session: &Arc<SocketSession>) {
        let now = self.clock.now();
        let is_old = |subscription: &Arc<Subscription>| {
            subscription.expires_at.since(now) < subscription.ttl / 2
        };
        let mut registry = self.registry();
        if let Some(subscription) = session.subscription().filter(is_old) {
            let renewed = Arc::new(subscription.renewed(None, now));
            session.subscribe(Arc::clone(&renewed));
            registry.index.put(renewed, Arc::clone(session));
        }
    }

    /// Ends every session, and takes no more.
    fn close(&self) {
        let mut registry = self.registry();
        registry.is_closed = true;
        for session in registry.sessions.values() {
            session.end(Fate::Stopping);
        }
    }

    fn recount(&self, registry: &Registry) {
        self.count.store(registry.sessions.len(), Ordering::Release);
    }
}

impl Registry {
    fn add(&mut self, session: &Arc<SocketSession>) {
        let siblings = self.by_oauth_session.entry(session.owner.id).or_default();
        siblings.push(session.id);
        self.sessions.insert(session.id, Arc::clone(session));
    }

    /// Takes a session out, with its subscription; the session itself keeps knowing it.
    fn remove(&mut self, id: SocketId) -> Option<Arc<SocketSession>> {
        let session = self.sessions.remove(&id)?;
        if let Some(siblings) = self.by_oauth_session.get_mut(&session.owner.id) {
            siblings.retain(|sibling| *sibling != id);
            if siblings.is_empty() {
                self.by_oauth_session.remove(&session.owner.id);
            }
        }
        if let Some(subscription) = session.subscription() {
            self.index.remove(subscription.id);
        }
        Some(session)
    }

    fn make_room(&mut self, oauth_session: SessionId, count_max: usize) -> Result<(), NoRoom> {
        let Some(siblings) = self.by_oauth_session.get(&oauth_session) else {
            return Ok(());
        };
        if siblings.len() < count_max {
            return Ok(());
        }
        let left = siblings
            .iter()
            .find(|id| !self.sessions[id].is_attached())
            .copied();
        let left = left.and_then(|id| self.remove(id)).ok_or(NoRoom::Client)?;
        left.end(Fate::MadeRoom);
        Ok(())
    }

    /// Puts an event into the rings of those who subscribed it.
    fn notify(&self, committed: &CommittedEvent, now: Timestamp) {
        let CommittedEvent { event, recipients } = committed;
        self.index
            .each_match(event, recipients, now, |placed, filter| {
                let filters = &placed.subscription.filters;
                let filter = filters.iter().position(|known| known.as_str() == filter);
                placed.item.notify(Notification {
                    event: Arc::clone(event),
                    subscription: Arc::clone(&placed.subscription),
                    filter: filter.expect("a match is one of the subscription's filters"),
                });
            });
    }
}

impl CommitListener for Sockets {
    fn committed(&self, news: &News) {
        if self.count() == 0
            || (news.events().next().is_none() && news.sessions_ended().next().is_none())
        {
            return;
        }
        let now = self.clock.now();
        let mut registry = self.registry();
        for committed in news.events() {
            registry.notify(committed, now);
        }
        for ended in news.sessions_ended() {
            let sockets = registry.by_oauth_session.get(ended).cloned();
            for socket in sockets.unwrap_or_default() {
                if let Some(session) = registry.remove(socket) {
                    session.end(Fate::SignedOut);
                }
            }
        }
        self.recount(&registry);
    }
}

impl LiveSubscriptions for Sockets {
    fn put(&self, subscription: Subscription) -> Result<(), SocketGone> {
        let DeliveryMode::WebSocket { socket } = subscription.mode else {
            return Err(SocketGone);
        };
        let mut registry = self.registry();
        let session = Arc::clone(registry.sessions.get(&socket).ok_or(SocketGone)?);
        let subscription = Arc::new(subscription);
        if let Some(former) = session.subscribe(Arc::clone(&subscription)) {
            registry.index.remove(former.id);
        }
        registry.index.put(subscription, session);
        Ok(())
    }

    fn subscription(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
    ) -> Option<Arc<Subscription>> {
        let registry = self.registry();
        let found = &registry.index.get(subscription)?.subscription;
        (found.account == account).then(|| Arc::clone(found))
    }

    fn subscriptions(
        &self,
        account: AccountId,
        owner: PersonId,
        client_id: Option<&ClientId>,
    ) -> Vec<Arc<Subscription>> {
        let registry = self.registry();
        let subscriptions = registry.index.iter().map(|placed| &placed.subscription);
        subscriptions
            .filter(|found| found.account == account && found.owner == owner)
            .filter(|found| client_id.is_none_or(|client_id| found.client_id == *client_id))
            .map(Arc::clone)
            .collect()
    }

    fn remove(&self, account: AccountId, subscription: SubscriptionId) {
        let mut registry = self.registry();
        let found = registry.index.get(subscription);
        if found.is_some_and(|found| found.subscription.account == account)
            && let Some(removed) = registry.index.remove(subscription)
        {
            removed.item.unsubscribe();
        }
    }
}
