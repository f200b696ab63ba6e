//! A slow, a hanging and a dead endpoint beside a healthy one: the healthy one's events take as long
//! as when it is alone.
//!
//! In virtual time, so the only thing that can make it wait is what the endpoints share: permits,
//! queues, batches, the store. The store takes time for reads and for records, one after the other,
//! as the real one's writer does. What the healthy receiver takes for an event depends on the seed
//! and the event alone, so both runs differ by the others and nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hookyard_delivery::{
    Attempted, Backlog, Connection, Dispatcher, Lifecycle, Sending, Transport,
};
use hookyard_domain::endpoints::endpoint::policy_default;
use hookyard_domain::kernel::component::Component as _;
use hookyard_domain::kernel::news::CommittedDelivery;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{Clock, CommitError, Handshake, HandshakeError, StoreError};
use hookyard_domain::{
    AttemptOutcome, Change, Endpoint, Event, EventId, RetryPolicy, Secret, Subscription,
    SubscriptionId, SubscriptionWrite, Timings, UnreachableReason,
};
use hookyard_store::{Options, SqliteStore, VaultKey};
use hookyard_testkit::{SeededChance, VirtualClock, ports, sample};
use tokio::time::{Instant, sleep};

/// Events a second, and for how many seconds.
const RATE: u64 = 50;
const SECONDS: u64 = 12;
/// Events that come at once in the middle: more than a lane keeps in memory.
const BURST: u64 = 700;
/// One page of the store, and one record.
const READ: Duration = Duration::from_millis(4);
const RECORD: Duration = Duration::from_millis(2);

const HEALTHY: u128 = 1;

/// How an endpoint behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Accepts after 5 to 20 milliseconds.
    Healthy,
    /// Accepts after 2 to 5 seconds.
    Slow,
    /// Takes connections, and never answers.
    Hanging,
    /// Nothing listens.
    Refusing,
    /// Its name does not resolve, after as long as resolving may take.
    Unresolvable,
}

const OTHERS: [Manner; 4] = [
    Manner::Slow,
    Manner::Hanging,
    Manner::Refusing,
    Manner::Unresolvable,
];

/// Accepts, and refuses.
#[derive(Debug)]
struct Receivers {
    seed: u64,
    manners: HashMap<SubscriptionId, Manner>,
    /// When the healthy one had an event.
    arrived: Mutex<HashMap<EventId, Instant>>,
    tried: Mutex<HashMap<SubscriptionId, u64>>,
}

impl Receivers {
    /// A number below `bound` for this event.
    fn draw(&self, event: EventId, bound: u64) -> u64 {
        SeededChance::new(self.seed ^ (event.0 << 8)).below(bound)
    }
}

#[derive(Debug, Clone)]
struct Line(Arc<Receivers>);

impl Transport for Line {
    fn connection(&self) -> Box<dyn Connection> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Connection for Line {
    async fn send(&mut self, sending: &Sending<'_>) -> Option<Attempted> {
        let Self(receivers) = self;
        let id = sending.subscription.id;
        let event = sending.committed.event.id;
        *lock(&receivers.tried).entry(id).or_default() += 1;
        let unreachable = |reason| Some(Attempted::unreachable(reason, Timings::default()));
        let took = match receivers.manners[&id] {
            Manner::Healthy => 5 + receivers.draw(event, 16),
            Manner::Slow => 2_000 + receivers.draw(event, 3_001),
            Manner::Hanging => {
                sleep(sending.subscription.policy.timeout()).await;
                return unreachable(UnreachableReason::TimedOut);
            }
            Manner::Refusing => {
                sleep(Duration::from_millis(1)).await;
                return unreachable(UnreachableReason::ConnectFailed);
            }
            Manner::Unresolvable => {
                sleep(hookyard_domain::kernel::limits::RESOLVE_TIMEOUT).await;
                return unreachable(UnreachableReason::Dns);
            }
        };
        sleep(Duration::from_millis(took)).await;
        if receivers.manners[&id] == Manner::Healthy {
            lock(&receivers.arrived).insert(event, Instant::now());
        }
        Some(Attempted {
            outcome: AttemptOutcome::Accepted { status: 200 },
            ..Attempted::unreachable(UnreachableReason::Broken, Timings::default())
        })
    }
}

#[async_trait]
impl Handshake for Receivers {
    async fn verify(&self, _: &str, _: &Secret, _: Option<&Secret>) -> Result<(), HandshakeError> {
        Ok(())
    }

    async fn vet(&self, _: &str) -> Result<(), HandshakeError> {
        Ok(())
    }

    async fn ask_consent(&self, _: &str, _: &str) -> Result<Option<u32>, HandshakeError> {
        Ok(None)
    }
}

/// The real store, whose reads and records take time: reads a few at a time, records one by one.
#[derive(Debug)]
struct SteadyStore {
    store: Arc<SqliteStore>,
    readers: tokio::sync::Semaphore,
    writer: tokio::sync::Mutex<()>,
}

#[async_trait]
impl Backlog for SteadyStore {
    async fn subscriptions(&self) -> Result<Vec<Arc<Subscription>>, StoreError> {
        self.store.subscriptions_with_work().await
    }

    async fn waiting(
        &self,
        subscription: SubscriptionId,
        limit: u32,
    ) -> Result<Vec<CommittedDelivery>, StoreError> {
        let _reader = self.readers.acquire().await;
        sleep(READ).await;
        self.store
            .waiting_deliveries(subscription, None, limit)
            .await
    }

    async fn record(&self, change: Change) -> Result<(), CommitError> {
        let _writer = self.writer.lock().await;
        sleep(RECORD).await;
        self.store.commit(change).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An endpoint with the settings that one has by default.
fn endpoint(number: u128) -> Subscription {
    let sample = sample::endpoint(number, "https://receiver.example.com/");
    let settings = Endpoint {
        failure_threshold: 10,
        ..Endpoint::clone(sample.endpoint.as_deref().expect("it is an endpoint"))
    };
    Subscription {
        policy: RetryPolicy {
            concurrency_max: 16,
            ..policy_default()
        },
        endpoint: Some(Arc::new(settings)),
        ..sample
    }
}

/// How long the healthy endpoint's events took from their commit on, in order of their commits.
async fn latencies(seed: u64, others: &[Manner]) -> Vec<Duration> {
    let clock = Arc::new(VirtualClock::start());
    let options = Options {
        vault_key: VaultKey([7; 32]),
        clock: Arc::clone(&clock) as _,
        chance: Arc::new(SeededChance::new(seed)),
    };
    let store = Arc::new(SqliteStore::inline(options).expect("a store in memory"));
    let commit = async |change| store.commit(change).await.expect("a store in memory");
    commit(sample::yard()).await;
    let manners = std::iter::once(&Manner::Healthy).chain(others);
    let endpoints: Vec<_> = (HEALTHY..).map(endpoint).zip(manners.copied()).collect();
    let receivers = Arc::new(Receivers {
        seed,
        manners: endpoints
            .iter()
            .map(|(endpoint, manner)| (endpoint.id, *manner))
            .collect(),
        arrived: Mutex::default(),
        tried: Mutex::default(),
    });
    let ports = ports(&store, &clock, seed ^ 2);
    let lifecycle = Lifecycle::start(&ports, Arc::clone(&receivers) as _, true).await;
    let lifecycle = lifecycle.expect("a store in memory");
    let backlog = SteadyStore {
        store: Arc::clone(&store),
        readers: tokio::sync::Semaphore::new(4),
        writer: tokio::sync::Mutex::default(),
    };
    let line = Arc::new(Line(Arc::clone(&receivers)));
    let started = Dispatcher::start_on(&ports, Arc::new(backlog), line, lifecycle.health());
    let dispatcher = started.await.expect("a store in memory");
    for (subscription, _) in &endpoints {
        commit(Change::of(SubscriptionWrite::Put(Arc::new(
            subscription.clone(),
        ))))
        .await;
    }
    let committed = publish_steadily(&store, &clock).await;
    while lock(&receivers.arrived).len() < committed.len() {
        sleep(Duration::from_millis(100)).await;
    }
    // The others were there all the time, and not by name only.
    for (subscription, manner) in &endpoints {
        let tried = lock(&receivers.tried).get(&subscription.id).copied();
        assert!(tried.unwrap_or_default() >= 5, "{manner:?}: {tried:?}");
    }
    dispatcher.abort();
    lifecycle.abort();
    let arrived = lock(&receivers.arrived);
    committed
        .iter()
        .map(|(event, at)| arrived[event].duration_since(*at))
        .collect()
}

/// Publishes at one rate, with a burst in the middle; tells when each event was committed.
async fn publish_steadily(store: &SqliteStore, clock: &VirtualClock) -> Vec<(EventId, Instant)> {
    let mut committed = Vec::new();
    let mut publish = async || {
        let event = Event {
            id: EventId::PENDING,
            ..sample::event(1, clock.now())
        };
        let change = Change::default().announcing(event);
        let numbers = store.commit_numbering(change).await;
        committed.push((numbers.expect("a store in memory")[0], Instant::now()));
    };
    for number in 0..RATE * SECONDS {
        if number == RATE * SECONDS / 2 {
            for _ in 0..BURST {
                publish().await;
            }
        }
        publish().await;
        sleep(Duration::from_millis(1_000 / RATE)).await;
    }
    committed
}

fn quantile(latencies: &[Duration], percent: usize) -> Duration {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() - 1) * percent / 100]
}

#[test]
fn others_that_are_slow_hang_or_are_dead_leave_a_healthy_endpoints_latency_as_it_was() {
    let play = |seed, others: &[Manner]| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(latencies(seed, others))
    };
    // Many of each, so that what they share adds up.
    let crowd: Vec<Manner> = OTHERS.iter().copied().cycle().take(24).collect();
    for (seed, others) in [(1, &OTHERS[..]), (2, &OTHERS[..]), (3, &crowd[..])] {
        let alone = play(seed, &[]);
        let beside = play(seed, others);
        let steady = usize::try_from(RATE * SECONDS / 2).unwrap();
        for (phase, range) in [("steady", 0..steady), ("burst", steady..alone.len())] {
            for percent in [50, 99] {
                let baseline = quantile(&alone[range.clone()], percent);
                let loaded = quantile(&beside[range.clone()], percent);
                let count = others.len();
                println!(
                    "seed {seed}, {phase}, p{percent}: {baseline:?} alone, {loaded:?} beside {count}"
                );
                assert!(
                    loaded <= baseline * 2,
                    "seed {seed}, {phase}, p{percent}: {loaded:?} for {baseline:?} beside {count}"
                );
            }
        }
        if seed == 1 {
            assert_eq!(play(seed, others), beside, "a seed replays");
        }
    }
}
