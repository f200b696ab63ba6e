//! One bounded buffer for each listener; the writer fills them and never waits.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use hookyard_domain::kernel::component::{Component, State, Status};
use hookyard_domain::kernel::feed::Feed as NewsFeed;
use hookyard_domain::kernel::limits::{BIN_LIVE_BUFFER_MAX, LIVE_BUFFER_MAX, LIVE_SESSIONS_MAX};
use hookyard_domain::kernel::news::{CommittedEvent, News};
use hookyard_domain::kernel::ports::{Clock, CommitListener, LiveEvents, LiveFeed, LiveItem};
use hookyard_domain::{AccountId, Audience, BinId, BinRequest, Event, PersonId, Timestamp};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

type Person = (AccountId, PersonId);
type Told<T> = mpsc::Sender<Arc<T>>;

/// Hands what was committed to the sessions that may learn of it: events to persons, requests to
/// those who look at a bin.
#[derive(Debug, Clone)]
pub struct LiveGateway {
    since: Timestamp,
    persons: Sessions<Person, Event>,
    /// What each could ask for with an endpoint of theirs.
    endpoints: Sessions<Person, Event>,
    bins: Sessions<BinId, BinRequest>,
    count: Arc<Count>,
}

/// Sessions of all kinds.
#[derive(Debug, Default)]
struct Count {
    open: AtomicUsize,
    next: AtomicU64,
    closed: AtomicBool,
}

/// Listeners by what they listen to.
#[derive(Debug)]
struct Sessions<K, T>(Arc<Mutex<HashMap<K, Vec<Listener<T>>>>>);

impl<K, T> Default for Sessions<K, T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, T> Clone for Sessions<K, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, T> Sessions<K, T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Vec<Listener<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Listener<T> {
    number: u64,
    buffer: Told<T>,
    /// Set when the buffer was full: the session must start over.
    lagged: Arc<AtomicBool>,
}

impl<T> Listener<T> {
    fn tell(&self, item: &Arc<T>) {
        let full = self.buffer.try_send(Arc::clone(item));
        if matches!(full, Err(TrySendError::Full(_))) {
            self.lagged.store(true, Ordering::Release);
        }
    }
}

impl LiveGateway {
    /// Lets listeners in, and tells them what `feed` tells.
    pub fn start(feed: &dyn NewsFeed, clock: &dyn Clock) -> Self {
        let gateway = Self {
            since: clock.now(),
            persons: Sessions::default(),
            endpoints: Sessions::default(),
            bins: Sessions::default(),
            count: Arc::default(),
        };
        feed.follow(Arc::new(gateway.clone()));
        gateway
    }

    fn open<K: Key, T: Item>(
        &self,
        sessions: &Sessions<K, T>,
        key: K,
        buffer_max: usize,
    ) -> Option<Box<dyn LiveFeed<Arc<T>>>> {
        let mut listeners = sessions.lock();
        if self.count.closed.load(Ordering::Acquire) || !self.count.take() {
            return None;
        }
        let number = self.count.next.fetch_add(1, Ordering::Relaxed);
        let (buffer, items) = mpsc::channel(buffer_max);
        let lagged = Arc::new(AtomicBool::new(false));
        listeners.entry(key).or_default().push(Listener {
            number,
            buffer,
            lagged: Arc::clone(&lagged),
        });
        Some(Box::new(Feed {
            key,
            number,
            items,
            lagged,
            sessions: sessions.clone(),
            count: Arc::clone(&self.count),
        }))
    }
}

#[async_trait]
impl Component for LiveGateway {
    fn status(&self) -> Status {
        let closed = self.count.closed.load(Ordering::Acquire);
        let status = Status::running("live", self.since);
        let status = status.with("sessions", self.count.open.load(Ordering::Acquire));
        Status {
            state: if closed {
                State::Stopped
            } else {
                State::Running
            },
            ..status
        }
    }

    /// Ends every session, and takes no more.
    async fn stop(&self, _deadline: Instant) {
        self.abort();
    }

    fn abort(&self) {
        self.count.closed.store(true, Ordering::Release);
        self.persons.lock().clear();
        self.endpoints.lock().clear();
        self.bins.lock().clear();
    }
}

impl Count {
    /// Counts one more, unless there are too many.
    fn take(&self) -> bool {
        let one_more = |open: usize| (open < LIVE_SESSIONS_MAX).then_some(open + 1);
        self.open
            .try_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .is_ok()
    }
}

impl CommitListener for LiveGateway {
    fn committed(&self, news: &News) {
        if self.count.open.load(Ordering::Acquire) == 0 {
            return;
        }
        if news.events().next().is_some() {
            let by_person = self.persons.lock();
            for committed in news.events() {
                let account = committed.event.account;
                let told = committed
                    .recipients
                    .iter()
                    .filter_map(|person| by_person.get(&(account, *person)));
                for listener in told.flatten() {
                    listener.tell(&committed.event);
                }
            }
            drop(by_person);
            // Few listen so: each of them is looked at for each event.
            let endpoints = self.endpoints.lock();
            for ((account, person), listeners) in &*endpoints {
                let for_them = news.events().filter(|committed| {
                    committed.event.account == *account && may_ask_for(committed, *person)
                });
                for committed in for_them {
                    for listener in listeners {
                        listener.tell(&committed.event);
                    }
                }
            }
        }
        if news.bin_requests().next().is_some() || news.bins_ended().next().is_some() {
            let mut by_bin = self.bins.lock();
            for request in news.bin_requests() {
                for listener in by_bin.get(&request.bin).into_iter().flatten() {
                    listener.tell(request);
                }
            }
            for bin in news.bins_ended() {
                by_bin.remove(bin);
            }
        }
    }
}

/// Whether an endpoint of `person` could ask for an event of their account.
fn may_ask_for(committed: &CommittedEvent, person: PersonId) -> bool {
    match committed.event.audience {
        Audience::Account => true,
        Audience::ChatMembers(_) | Audience::Persons(_) => {
            committed.recipients.binary_search(&person).is_ok()
        }
        Audience::Subscription(_) => false,
    }
}

impl LiveEvents for LiveGateway {
    fn listen(&self, account: AccountId, person: PersonId) -> Option<Box<dyn LiveFeed>> {
        self.open(&self.persons, (account, person), LIVE_BUFFER_MAX)
    }

    fn listen_as_endpoint(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Option<Box<dyn LiveFeed>> {
        self.open(&self.endpoints, (account, person), LIVE_BUFFER_MAX)
    }

    fn listen_to_bin(&self, bin: BinId) -> Option<Box<dyn LiveFeed<Arc<BinRequest>>>> {
        self.open(&self.bins, bin, BIN_LIVE_BUFFER_MAX)
    }
}

/// What can be listened to.
trait Key: Hash + Eq + Copy + fmt::Debug + Send + 'static {}
impl<K: Hash + Eq + Copy + fmt::Debug + Send + 'static> Key for K {}

/// What listeners are told.
trait Item: fmt::Debug + Send + Sync + 'static {}
impl<T: fmt::Debug + Send + Sync + 'static> Item for T {}

/// The reading end of one session; dropping it ends the session.
#[derive(Debug)]
struct Feed<K: Key, T: Item> {
    key: K,
    number: u64,
    items: mpsc::Receiver<Arc<T>>,
    lagged: Arc<AtomicBool>,
    sessions: Sessions<K, T>,
    count: Arc<Count>,
}

#[async_trait]
impl<K: Key, T: Item> LiveFeed<Arc<T>> for Feed<K, T> {
    async fn next(&mut self) -> LiveItem<Arc<T>> {
        if self.lagged.swap(false, Ordering::AcqRel) {
            // What is buffered is older than what was lost; the listener reads both from the store.
            while self.items.try_recv().is_ok() {}
            return LiveItem::Lagged;
        }
        self.items
            .recv()
            .await
            .map_or(LiveItem::Closed, LiveItem::Event)
    }
}

impl<K: Key, T: Item> Drop for Feed<K, T> {
    fn drop(&mut self) {
        let mut sessions = self.sessions.lock();
        if let Some(listeners) = sessions.get_mut(&self.key) {
            listeners.retain(|listener| listener.number != self.number);
            if listeners.is_empty() {
                sessions.remove(&self.key);
            }
        }
        self.count.open.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use hookyard_domain::NewsItem;

    use super::*;
    use bytes::Bytes;
    use hookyard_domain::kernel::feed::LocalFeed;
    use hookyard_domain::{BinRequestId, BinSignature, EventId, EventKind, SubscriptionId};
    use hookyard_testkit::VirtualClock;

    const ACCOUNT: AccountId = AccountId(1);

    fn gateway() -> LiveGateway {
        LiveGateway::start(&LocalFeed::default(), &VirtualClock::start())
    }

    fn news(id: u64, recipients: &[u64]) -> News {
        let persons: Arc<[PersonId]> = recipients.iter().copied().map(PersonId).collect();
        let audience = Audience::Persons(Arc::clone(&persons));
        news_for(id, audience, &persons)
    }

    fn news_for(id: u64, audience: Audience, recipients: &Arc<[PersonId]>) -> News {
        let event = Event {
            account: ACCOUNT,
            id: EventId(id),
            kind: EventKind::Post,
            event_type: "PostAdded".into(),
            audience,
            chat: None,
            post: None,
            request: None,
            occurred_at: Timestamp::default(),
            body: Bytes::from_static(b"{}"),
            confidential: false,
            attributes: None,
        };
        let committed = CommittedEvent {
            event: Arc::new(event),
            recipients: Arc::clone(recipients),
        };
        News::from_iter([NewsItem::Event(committed)])
    }

    async fn next_id(feed: &mut Box<dyn LiveFeed>) -> u64 {
        match feed.next().await {
            LiveItem::Event(event) => event.id.0,
            other => panic!("expected an event, got {other:?}"),
        }
    }

    #[tokio::test]
    async fn only_those_who_may_learn_of_an_event_are_told() {
        let gateway = gateway();
        let mut alice = gateway.listen(ACCOUNT, PersonId(1)).unwrap();
        let mut bob = gateway.listen(ACCOUNT, PersonId(2)).unwrap();
        let mut stranger = gateway.listen(AccountId(9), PersonId(1)).unwrap();
        gateway.committed(&news(7, &[1]));
        gateway.committed(&news(8, &[2]));
        assert_eq!(next_id(&mut alice).await, 7);
        assert_eq!(next_id(&mut bob).await, 8);
        gateway.abort();
        assert!(matches!(stranger.next().await, LiveItem::Closed));
        assert!(gateway.listen(ACCOUNT, PersonId(1)).is_none());
    }

    #[tokio::test]
    async fn an_endpoint_hears_what_its_person_may_learn_and_what_is_for_all_endpoints() {
        let gateway = gateway();
        let mut alice = gateway.listen_as_endpoint(ACCOUNT, PersonId(1)).unwrap();
        let mut page = gateway.listen(ACCOUNT, PersonId(1)).unwrap();
        let mut stranger = gateway
            .listen_as_endpoint(AccountId(9), PersonId(1))
            .unwrap();
        let nobody: Arc<[PersonId]> = Arc::from([]);
        let alone = Audience::Subscription(SubscriptionId::from_random([1; 16]));
        gateway.committed(&news(6, &[2]));
        gateway.committed(&news_for(7, Audience::Account, &nobody));
        gateway.committed(&news_for(8, alone, &nobody));
        gateway.committed(&news(9, &[1, 2]));
        assert_eq!(next_id(&mut alice).await, 7);
        assert_eq!(next_id(&mut alice).await, 9);
        assert_eq!(next_id(&mut page).await, 9);
        gateway.abort();
        assert!(matches!(stranger.next().await, LiveItem::Closed));
    }

    #[tokio::test]
    async fn a_slow_listener_is_told_that_it_missed_something() {
        let gateway = gateway();
        let mut slow = gateway.listen(ACCOUNT, PersonId(1)).unwrap();
        for id in 0..=LIVE_BUFFER_MAX as u64 {
            gateway.committed(&news(id, &[1]));
        }
        assert!(matches!(slow.next().await, LiveItem::Lagged));
        gateway.committed(&news(999, &[1]));
        assert_eq!(next_id(&mut slow).await, 999);
    }

    fn received(bin: u64, number: u64) -> News {
        let request = BinRequest {
            account: ACCOUNT,
            id: BinRequestId(number),
            bin: BinId(bin),
            number,
            turn: None,
            received_at: Timestamp::default(),
            method: "POST".into(),
            path: "/".into(),
            query: String::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            body_bytes: 0,
            remote_address: String::new(),
            signature: BinSignature::default(),
        };
        News::from_iter([NewsItem::BinRequest(Arc::new(request))])
    }

    async fn next_number(feed: &mut Box<dyn LiveFeed<Arc<BinRequest>>>) -> u64 {
        match feed.next().await {
            LiveItem::Event(request) => request.number,
            other => panic!("expected a request, got {other:?}"),
        }
    }

    #[tokio::test]
    async fn who_looks_at_a_bin_hears_of_its_requests_until_it_is_deleted() {
        let gateway = gateway();
        let mut one = gateway.listen_to_bin(BinId(1)).unwrap();
        let mut two = gateway.listen_to_bin(BinId(2)).unwrap();
        gateway.committed(&received(1, 5));
        gateway.committed(&received(2, 6));
        gateway.committed(&News::from_iter([NewsItem::BinEnded(BinId(1))]));
        assert_eq!(next_number(&mut one).await, 5);
        assert!(matches!(one.next().await, LiveItem::Closed));
        for number in 0..BIN_LIVE_BUFFER_MAX as u64 {
            gateway.committed(&received(2, number));
        }
        assert!(matches!(two.next().await, LiveItem::Lagged));
        gateway.committed(&received(2, 99));
        assert_eq!(next_number(&mut two).await, 99);
    }

    #[test]
    fn a_session_makes_room_when_it_ends() {
        let gateway = gateway();
        let listen = || gateway.listen(ACCOUNT, PersonId(1));
        let mut feeds: Vec<_> = (0..LIVE_SESSIONS_MAX).map(|_| listen().unwrap()).collect();
        assert!(listen().is_none());
        feeds.pop();
        assert!(listen().is_some());
    }
}
