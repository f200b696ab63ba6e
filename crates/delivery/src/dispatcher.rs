//! From committed delivery to recorded attempt.
//!
//! The cast: a *lane* per subscription that has work, with a bounded window of deliveries in due
//! order; *workers*, tasks of a lane that each keep one connection and send; a *keeper*, one task
//! per lane that refills the window from the store, keeps its one timer and removes the lane when
//! it has nothing left; the *ledger*, which records outcomes in batches.
//!
//! The flow: the store tells of a commit, the delivery enters its lane, a worker takes it, sends
//! it, asks the domain what follows, and hands the outcome to the ledger. What does not fit into a
//! window stays in the store and is read when there is room. The store is the queue: what is lost
//! from memory, by a crash or on purpose, is read again.
//!
//! What is not guaranteed: order between deliveries of one lane, unless it is that of an ordered
//! endpoint, and that an event is sent once.
//! What was sent and not recorded when the process died is sent again, marked as a possible repeat;
//! that is at most the policy's concurrency plus `LANE_UNRECORDED_MAX` per lane.

mod breaker;
mod keeper;
mod lane;
mod ledger;
mod ownership;
mod pace;
mod worker;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use hookyard_domain::kernel::component::{Component, Ports, State, Status};
use hookyard_domain::kernel::limits::REFILLS_AT_ONCE_MAX;
use hookyard_domain::kernel::news::News;
use hookyard_domain::kernel::ownership::Ownership;
use hookyard_domain::kernel::ports::{Chance, Clock, CommitListener, StoreError};
use hookyard_domain::{Subscription, SubscriptionId};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::DropGuard;

use crate::backlog::Backlog;
use crate::component::Crew;
use crate::health::HealthListener;
use crate::transport::Transport;
use lane::{Entry, Lane, LaneState, Rouse};
use ledger::Ledger;
use ownership::Recovered;

const ATTEMPTS: &str = "attempts";
const RECORDED: &str = "recorded";

/// Sends deliveries and records what becomes of them.
#[derive(Debug)]
pub struct Dispatcher {
    inner: Arc<Inner>,
    _end: DropGuard,
}

impl Dispatcher {
    /// Begins to deliver, with what is unfinished in the store, and tells `health` how subscriptions
    /// fare.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn start(
        ports: &Ports,
        transport: Arc<dyn Transport>,
        health: Arc<dyn HealthListener>,
    ) -> Result<Self, StoreError> {
        let backlog = Arc::new(Arc::clone(&ports.store));
        Self::start_on(ports, backlog, transport, health).await
    }

    /// The same on anything that has a backlog.
    ///
    /// # Errors
    ///
    /// When the backlog cannot be read.
    pub async fn start_on(
        ports: &Ports,
        backlog: Arc<dyn Backlog>,
        transport: Arc<dyn Transport>,
        health: Arc<dyn HealthListener>,
    ) -> Result<Self, StoreError> {
        let crew = Crew::new("dispatcher", &ports.clock, &[ATTEMPTS, RECORDED]);
        let inner = Arc::new(Inner {
            backlog,
            transport,
            health,
            ownership: Arc::clone(&ports.ownership),
            clock: Arc::clone(&ports.clock),
            chance: Arc::clone(&ports.chance),
            lanes: Mutex::default(),
            refills: Semaphore::new(REFILLS_AT_ONCE_MAX),
            ledger: Ledger::default(),
            stopping: AtomicBool::new(false),
            workers: crew.beside(),
            recorder: crew.beside(),
            crew,
        });
        let end = inner.crew.ends_with();
        // Before reading, so that nothing falls between reading and hearing.
        ports.feed.follow(Arc::new(Ear(Arc::downgrade(&inner))));
        let recording = Arc::clone(&inner);
        let record = move || Arc::clone(&recording).record();
        inner.recorder.spawn_lasting(record);
        inner.begin_lanes().await?;
        Ok(Self { inner, _end: end })
    }

    /// Lanes in memory: subscriptions with work.
    pub fn lanes(&self) -> usize {
        self.inner.lock().by_subscription.len()
    }
}

#[async_trait]
impl Component for Dispatcher {
    fn status(&self) -> Status {
        let lanes: Vec<_> = self
            .inner
            .lock()
            .by_subscription
            .values()
            .cloned()
            .collect();
        let mut sums = lane::Sums::default();
        for lane in &lanes {
            sums.add(&lane.lock());
        }
        let mut status = self.inner.crew.status();
        if self.inner.is_stopping() && status.state == State::Running {
            status.state = State::Stopping;
        }
        status
            .with("lanes", lanes.len())
            .with("lanes_behind", sums.behind)
            .with("lanes_down", sums.down)
            .with("in_memory", sums.in_memory)
            .with("in_flight", sums.in_flight)
            .with("unrecorded", sums.unrecorded)
    }

    /// Starts no more attempts, waits for those under way, and records them. What is not recorded by
    /// `deadline` will be repeated after the next start.
    async fn stop(&self, deadline: std::time::Instant) {
        let inner = &self.inner;
        let deadline = Instant::from_std(deadline);
        inner.stopping.store(true, Ordering::Release);
        for lane in inner.lock().by_subscription.values() {
            lane.keeper.notify_one();
            lane.work.notify_waiters();
        }
        let finished = inner.workers.finish(deadline).await;
        inner.ledger.close();
        let recorded = inner.recorder.finish(deadline).await;
        if !(finished && recorded) {
            tracing::warn!("deliveries were under way when the time to stop ran out");
        }
        self.abort();
        inner.crew.finish(deadline).await;
    }

    fn abort(&self) {
        self.inner.stopping.store(true, Ordering::Release);
        self.inner.crew.abort();
    }
}

#[derive(Debug, Default)]
struct Lanes {
    by_subscription: HashMap<SubscriptionId, Arc<Lane>>,
    recovered: Recovered,
}

struct Inner {
    backlog: Arc<dyn Backlog>,
    transport: Arc<dyn Transport>,
    health: Arc<dyn HealthListener>,
    ownership: Arc<dyn Ownership>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    /// Locked before a lane, never after.
    lanes: Mutex<Lanes>,
    refills: Semaphore,
    ledger: Ledger,
    stopping: AtomicBool,
    crew: Crew,
    /// Keepers and workers.
    workers: Crew,
    recorder: Crew,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lanes = self.lock().by_subscription.len();
        f.debug_struct("Inner")
            .field("lanes", &lanes)
            .finish_non_exhaustive()
    }
}

/// Hears of commits for as long as there is a dispatcher.
#[derive(Debug)]
struct Ear(Weak<Inner>);

impl CommitListener for Ear {
    fn committed(&self, news: &News) {
        if let Some(inner) = self.0.upgrade() {
            inner.learn(news);
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Acts on a commit. Called by the store's writer, so it only changes memory and wakes tasks.
    fn learn(self: &Arc<Self>, news: &News) {
        if self.is_stopping() {
            return;
        }
        let now = Instant::now();
        let mut lanes = self.lock();
        for subscription in news.subscriptions() {
            self.learn_of_subscription(&mut lanes, subscription);
        }
        let wall = self.clock.now();
        for committed in news.deliveries() {
            // It waits in the store until its endpoint is active again.
            if !committed.subscription.is_live(wall) {
                continue;
            }
            let Some(lane) = self.lane(&mut lanes, &committed.subscription) else {
                continue;
            };
            let mut state = lane.lock();
            state.arrive(Entry::new(committed.clone()), now, wall);
            self.rouse(&lane, &mut state, now);
        }
        for (subscription, delivery) in news.withdrawn() {
            if let Some(lane) = lanes.by_subscription.get(subscription) {
                lane.lock().withdraw(*delivery);
                lane.keeper.notify_one();
            }
        }
        for ended in news.subscriptions_ended() {
            if let Some(lane) = lanes.by_subscription.remove(ended) {
                lane.end();
            }
        }
    }

    /// A subscription that is live may have deliveries waiting from before it was paused.
    fn learn_of_subscription(
        self: &Arc<Self>,
        lanes: &mut Lanes,
        subscription: &Arc<Subscription>,
    ) {
        let now = self.clock.now();
        let known = lanes.by_subscription.contains_key(&subscription.id);
        let paused = !subscription.is_live(now);
        if paused && !known {
            return;
        }
        let Some(lane) = self.lane(lanes, subscription) else {
            return;
        };
        let mut state = lane.lock();
        state.update(subscription);
        if !paused {
            state.fall_behind();
        }
        drop(state);
        lane.keeper.notify_one();
    }

    /// Wakes or begins a worker when something is due, and the keeper when it is needed.
    fn rouse(self: &Arc<Self>, lane: &Arc<Lane>, state: &mut LaneState, now: Instant) {
        match state.rouse(now) {
            Rouse::Nobody => {}
            // The one that slept last: its connection is the freshest, and the others may end.
            Rouse::Parked => lane.work.notify_last(),
            Rouse::New => {
                let working = Arc::clone(self).work(Arc::clone(lane));
                self.spawn_in(lane, working);
            }
        }
    }
}

/// A pause that doubles from the first bound to the second.
fn doubled(pause: Duration, longest: Duration) -> Duration {
    (pause * 2).min(longest)
}
