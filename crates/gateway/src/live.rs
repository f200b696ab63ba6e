//! One bounded buffer for each listener; the writer fills them and never waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use hookyard_domain::change::News;
use hookyard_domain::limits::{LIVE_BUFFER_MAX, LIVE_SESSIONS_MAX};
use hookyard_domain::ports::{CommitListener, LiveEvents, LiveFeed, LiveItem};
use hookyard_domain::{AccountId, Event, PersonId};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

type Key = (AccountId, PersonId);

/// Hands committed events to the sessions of the persons who may learn of them.
#[derive(Debug, Clone, Default)]
pub struct LiveGateway {
    sessions: Arc<Sessions>,
}

#[derive(Debug, Default)]
struct Sessions {
    by_person: Mutex<HashMap<Key, Vec<Listener>>>,
    count: AtomicU64,
    next: AtomicU64,
    closed: AtomicBool,
}

#[derive(Debug)]
struct Listener {
    number: u64,
    buffer: mpsc::Sender<Arc<Event>>,
    /// Set when the buffer was full: the session must start over.
    lagged: Arc<AtomicBool>,
}

impl LiveGateway {
    /// Ends every session, and takes no more.
    pub fn close(&self) {
        self.sessions.closed.store(true, Ordering::Release);
        self.sessions
            .by_person
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl CommitListener for LiveGateway {
    fn committed(&self, news: &News) {
        if news.events.is_empty() || self.sessions.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let by_person = self
            .sessions
            .by_person
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for committed in &news.events {
            let account = committed.event.account;
            let told = committed
                .recipients
                .iter()
                .filter_map(|person| by_person.get(&(account, *person)));
            for listener in told.flatten() {
                let full = listener.buffer.try_send(Arc::clone(&committed.event));
                if matches!(full, Err(TrySendError::Full(_))) {
                    listener.lagged.store(true, Ordering::Release);
                }
            }
        }
    }
}

impl LiveEvents for LiveGateway {
    fn listen(&self, account: AccountId, person: PersonId) -> Option<Box<dyn LiveFeed>> {
        let mut by_person = self
            .sessions
            .by_person
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let held =
            usize::try_from(self.sessions.count.load(Ordering::Acquire)).unwrap_or(usize::MAX);
        if held >= LIVE_SESSIONS_MAX || self.sessions.closed.load(Ordering::Acquire) {
            return None;
        }
        let number = self.sessions.next.fetch_add(1, Ordering::Relaxed);
        let (buffer, events) = mpsc::channel(LIVE_BUFFER_MAX);
        let lagged = Arc::new(AtomicBool::new(false));
        let key = (account, person);
        let listener = Listener {
            number,
            buffer,
            lagged: Arc::clone(&lagged),
        };
        by_person.entry(key).or_default().push(listener);
        self.sessions.count.fetch_add(1, Ordering::AcqRel);
        let sessions = Arc::clone(&self.sessions);
        Some(Box::new(Feed {
            key,
            number,
            events,
            lagged,
            sessions,
        }))
    }
}

/// The reading end of one session; dropping it ends the session.
#[derive(Debug)]
struct Feed {
    key: Key,
    number: u64,
    events: mpsc::Receiver<Arc<Event>>,
    lagged: Arc<AtomicBool>,
    sessions: Arc<Sessions>,
}

#[async_trait]
impl LiveFeed for Feed {
    async fn next(&mut self) -> LiveItem {
        if self.lagged.swap(false, Ordering::AcqRel) {
            // What is buffered is older than what was lost; the listener reads both from the store.
            while self.events.try_recv().is_ok() {}
            return LiveItem::Lagged;
        }
        self.events
            .recv()
            .await
            .map_or(LiveItem::Closed, LiveItem::Event)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let mut by_person = self
            .sessions
            .by_person
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(listeners) = by_person.get_mut(&self.key) {
            listeners.retain(|listener| listener.number != self.number);
            if listeners.is_empty() {
                by_person.remove(&self.key);
            }
        }
        self.sessions.count.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use hookyard_domain::change::CommittedEvent;
    use hookyard_domain::{Audience, EventId, EventKind, Timestamp};

    const ACCOUNT: AccountId = AccountId(1);

    fn news(id: u64, recipients: &[u64]) -> News {
        let persons: Arc<[PersonId]> = recipients.iter().copied().map(PersonId).collect();
        let event = Event {
            account: ACCOUNT,
            id: EventId(id),
            kind: EventKind::Post,
            event_type: "PostAdded".into(),
            audience: Audience::Persons(Arc::clone(&persons)),
            chat: None,
            post: None,
            request: None,
            occurred_at: Timestamp::default(),
            body: Bytes::from_static(b"{}"),
            confidential: false,
        };
        let committed = CommittedEvent {
            event: Arc::new(event),
            recipients: persons,
        };
        News {
            events: vec![committed],
            ..News::default()
        }
    }

    async fn next_id(feed: &mut Box<dyn LiveFeed>) -> u64 {
        match feed.next().await {
            LiveItem::Event(event) => event.id.0,
            other => panic!("expected an event, got {other:?}"),
        }
    }

    #[tokio::test]
    async fn only_those_who_may_learn_of_an_event_are_told() {
        let gateway = LiveGateway::default();
        let mut alice = gateway.listen(ACCOUNT, PersonId(1)).unwrap();
        let mut bob = gateway.listen(ACCOUNT, PersonId(2)).unwrap();
        let mut stranger = gateway.listen(AccountId(9), PersonId(1)).unwrap();
        gateway.committed(&news(7, &[1]));
        gateway.committed(&news(8, &[2]));
        assert_eq!(next_id(&mut alice).await, 7);
        assert_eq!(next_id(&mut bob).await, 8);
        gateway.close();
        assert!(matches!(stranger.next().await, LiveItem::Closed));
        assert!(gateway.listen(ACCOUNT, PersonId(1)).is_none());
    }

    #[tokio::test]
    async fn a_slow_listener_is_told_that_it_missed_something() {
        let gateway = LiveGateway::default();
        let mut slow = gateway.listen(ACCOUNT, PersonId(1)).unwrap();
        for id in 0..=LIVE_BUFFER_MAX as u64 {
            gateway.committed(&news(id, &[1]));
        }
        assert!(matches!(slow.next().await, LiveItem::Lagged));
        gateway.committed(&news(999, &[1]));
        assert_eq!(next_id(&mut slow).await, 999);
    }

    #[test]
    fn a_session_makes_room_when_it_ends() {
        let gateway = LiveGateway::default();
        let listen = || gateway.listen(ACCOUNT, PersonId(1));
        let mut feeds: Vec<_> = (0..LIVE_SESSIONS_MAX).map(|_| listen().unwrap()).collect();
        assert!(listen().is_none());
        feeds.pop();
        assert!(listen().is_some());
    }
}
