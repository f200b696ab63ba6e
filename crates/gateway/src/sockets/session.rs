//! One WebSocket session: whose it is, what it subscribes, what it has been told. It outlives its
//! connection while it can be recovered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hookyard_domain::{Session, SocketId, Subscription, Timestamp};
use tokio::sync::Notify;

use super::recovery::RecoveryToken;
use super::ring::{Notification, Ring};

/// Why a session cannot go on, whatever its connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The connection takes notifications too slowly. The session can be recovered.
    Slow,
    /// The OAuth session ended.
    SignedOut,
    /// Nobody was connected, and a newer session of the same client needed the room.
    MadeRoom,
    /// The server stops.
    Stopping,
}

/// What a connection finds when it looks at its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Going {
        has_unwritten: bool,
    },
    /// Another connection has recovered the session.
    Overtaken,
    Fated(Fate),
}

/// One connection of a session: the first, the one that recovered it first, and so on. Each has a
/// bell of its own, so that none can take the ringing that is meant for another.
#[derive(Debug, Clone, Default)]
pub(super) struct Attachment {
    number: u32,
    bell: Arc<Notify>,
}

impl Attachment {
    /// Waits until something about the session may have changed.
    pub(super) async fn changed(&self) {
        self.bell.notified().await;
    }
}

/// A session.
#[derive(Debug)]
pub(super) struct SocketSession {
    pub(super) id: SocketId,
    /// Who connected.
    pub(super) owner: Arc<Session>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ring: Ring,
    subscription: Option<Arc<Subscription>>,
    /// The connection, or the one that was the last.
    attachment: Attachment,
    is_attached: bool,
    fate: Option<Fate>,
    /// Subscriptions that gave way to others, until that is noted.
    replaced: Vec<Arc<Subscription>>,
}

impl SocketSession {
    /// A session with its first connection. Numbers of notifications begin with wall time, so that
    /// a client that keeps the token with the larger number lets go of the one it had before.
    pub(super) fn new(id: SocketId, owner: Arc<Session>, now: Timestamp) -> Self {
        let sequence = u64::try_from(now.as_millis()).unwrap_or(0);
        Self {
            id,
            owner,
            state: Mutex::new(State {
                ring: Ring::after(sequence),
                subscription: None,
                attachment: Attachment::default(),
                is_attached: true,
                fate: None,
                replaced: Vec::new(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that the session has, or had last.
    pub(super) fn attachment(&self) -> Attachment {
        self.state().attachment.clone()
    }

    pub(super) fn is_attached(&self) -> bool {
        self.state().is_attached
    }

    pub(super) fn subscription(&self) -> Option<Arc<Subscription>> {
        self.state().subscription.clone()
    }

    /// Makes `subscription` the one of this session and returns the one that it had. What waits for
    /// another subscription is not delivered any more.
    pub(super) fn subscribe(&self, subscription: Arc<Subscription>) -> Option<Arc<Subscription>> {
        let mut state = self.state();
        let id = subscription.id;
        let former = state.subscription.replace(subscription)?;
        if former.id != id {
            state.ring.clear();
            state.replaced.push(Arc::clone(&former));
            state.attachment.bell.notify_one();
        }
        Some(former)
    }

    /// Leaves the session without a subscription.
    pub(super) fn unsubscribe(&self) -> Option<Arc<Subscription>> {
        let mut state = self.state();
        state.ring.clear();
        state.subscription.take()
    }

    /// Subscriptions that were replaced since the last call.
    pub(super) fn take_replaced(&self) -> Vec<Arc<Subscription>> {
        std::mem::take(&mut self.state().replaced)
    }

    /// Adds a notification. A connection that is too far behind is told to end.
    pub(super) fn notify(&self, notification: Notification) {
        let mut state = self.state();
        let is_read = state.is_attached && state.fate.is_none();
        if state.ring.push(notification, is_read).is_err() && is_read {
            state.fate = Some(Fate::Slow);
            state.ring.shorten();
        }
        if is_read {
            state.attachment.bell.notify_one();
        }
    }

    /// Ends the session, for the first reason that is given.
    pub(super) fn end(&self, fate: Fate) {
        let mut state = self.state();
        if matches!(state.fate, None | Some(Fate::Slow)) {
            state.fate = Some(fate);
        }
        state.attachment.bell.notify_one();
    }

    pub(super) fn standing(&self, attachment: &Attachment) -> Standing {
        let state = self.state();
        match state.fate {
            _ if state.attachment.number != attachment.number => Standing::Overtaken,
            Some(fate) => Standing::Fated(fate),
            None => Standing::Going {
                has_unwritten: state.ring.has_unwritten(),
            },
        }
    }

    /// Takes notifications to be written, with the number of the first.
    pub(super) fn take_unwritten(
        &self,
        attachment: &Attachment,
        count_max: usize,
    ) -> (u64, Vec<Notification>) {
        let mut state = self.state();
        if state.attachment.number == attachment.number {
            state.ring.take_unwritten(count_max)
        } else {
            (0, Vec::new())
        }
    }

    /// The token that names what was written until now.
    pub(super) fn token(&self) -> RecoveryToken {
        RecoveryToken {
            socket: self.id,
            sequence: self.state().ring.written(),
        }
    }

    /// The client has received everything up to `sequence`.
    pub(super) fn received(&self, sequence: u64, forget_before: Timestamp) {
        self.state().ring.forget_received(sequence, forget_before);
    }

    /// Gives the session to a new connection, which goes on behind `sequence`. The one that it may
    /// still have is told to end: its client would not have come back if it were of use.
    pub(super) fn attach(&self, sequence: u64) -> Attachment {
        let mut state = self.state();
        let next = Attachment {
            number: state.attachment.number.wrapping_add(1),
            ..Attachment::default()
        };
        // Wakes the former connection, or whoever waited in its place.
        std::mem::replace(&mut state.attachment, next.clone())
            .bell
            .notify_one();
        state.is_attached = true;
        if state.fate == Some(Fate::Slow) {
            state.fate = None;
        }
        state.ring.resume_after(sequence);
        next
    }

    /// The connection is gone. Whether the session waits for another one now.
    pub(super) fn detach(&self, attachment: &Attachment) -> bool {
        let mut state = self.state();
        if state.attachment.number != attachment.number {
            return false;
        }
        state.is_attached = false;
        if state.fate == Some(Fate::Slow) {
            state.fate = None;
        }
        state.ring.shorten();
        true
    }
}
