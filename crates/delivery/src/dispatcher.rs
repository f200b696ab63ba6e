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
mod pace;
mod worker;

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hookyard_domain::kernel::limits::REFILLS_AT_ONCE_MAX;
use hookyard_domain::kernel::news::News;
use hookyard_domain::kernel::ports::{Chance, Clock, CommitListener, Store, StoreError};
use hookyard_domain::{Subscription, SubscriptionId};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backlog::Backlog;
use crate::health::HealthListener;
use crate::transport::Transport;
use lane::{Entry, Lane, LaneState, Rouse};
use ledger::Ledger;

/// Sends deliveries and records what becomes of them.
#[derive(Debug)]
pub struct Dispatcher {
    inner: Arc<Inner>,
}

impl Dispatcher {
    /// A dispatcher that listens, but does nothing before [`Dispatcher::start`].
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> Self {
        let inner = Inner {
            transport,
            clock,
            chance,
            started: OnceLock::new(),
            health: OnceLock::new(),
            lanes: Mutex::default(),
            refills: Semaphore::new(REFILLS_AT_ONCE_MAX),
            ledger: Ledger::default(),
            stopping: AtomicBool::new(false),
            workers: TaskTracker::new(),
            recorder: TaskTracker::new(),
            abort: CancellationToken::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Tells `listener` how subscriptions fare. Only the first listener is told.
    pub fn report_to(&self, listener: Arc<dyn HealthListener>) {
        let first = self.inner.health.set(listener).is_ok();
        assert!(first, "a dispatcher reports to one listener");
    }

    /// Begins to deliver, with what is unfinished in `store`. The store must already tell this
    /// dispatcher of its commits, so that nothing falls between reading and listening.
    pub async fn start(&self, store: Arc<dyn Store>) -> Result<(), StoreError> {
        self.start_on(Arc::new(store)).await
    }

    /// The same on anything that has a backlog.
    pub async fn start_on(&self, backlog: Arc<dyn Backlog>) -> Result<(), StoreError> {
        let inner = &self.inner;
        let runtime = Handle::current();
        let started = Started {
            backlog: Arc::clone(&backlog),
            runtime,
        };
        let first = inner.started.set(started).is_ok();
        assert!(first, "a dispatcher starts once");
        let recording = Arc::clone(inner).record();
        inner.spawn(&inner.recorder, recording);
        inner.recorder.close();
        let unfinished = backlog.subscriptions().await?;
        let mut lanes = inner.lock();
        for subscription in &unfinished {
            inner.lane(&mut lanes, subscription).lock().fall_behind();
        }
        lanes.recovered = true;
        for lane in lanes.by_subscription.values() {
            lane.keeper.notify_one();
        }
        Ok(())
    }

    /// Starts no more attempts, waits until `deadline` for those under way, and records them.
    /// What is not recorded by then will be repeated after the next start.
    pub async fn stop(&self, deadline: Instant) {
        let inner = &self.inner;
        inner.stopping.store(true, Ordering::Release);
        for lane in inner.lock().by_subscription.values() {
            lane.keeper.notify_one();
            lane.work.notify_waiters();
        }
        inner.workers.close();
        let finished = timeout_at(deadline, inner.workers.wait()).await.is_ok();
        inner.ledger.close();
        let recorded = timeout_at(deadline, inner.recorder.wait()).await.is_ok();
        if !(finished && recorded) {
            tracing::warn!("deliveries were under way when the time to stop ran out");
        }
        self.abort();
    }

    /// Drops everything at once, as a crash would.
    pub fn abort(&self) {
        self.inner.stopping.store(true, Ordering::Release);
        self.inner.abort.cancel();
    }

    /// Lanes in memory: subscriptions with work.
    pub fn lanes(&self) -> usize {
        self.inner.lock().by_subscription.len()
    }
}

impl CommitListener for Dispatcher {
    fn committed(&self, news: &News) {
        self.inner.learn(news);
    }
}

/// What is known from the start on.
#[derive(Debug)]
struct Started {
    backlog: Arc<dyn Backlog>,
    runtime: Handle,
}

#[derive(Debug, Default)]
struct Lanes {
    by_subscription: HashMap<SubscriptionId, Arc<Lane>>,
    /// Every subscription with unfinished work has a lane, so one without has none.
    recovered: bool,
}

struct Inner {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    started: OnceLock<Started>,
    health: OnceLock<Arc<dyn HealthListener>>,
    /// Locked before a lane, never after.
    lanes: Mutex<Lanes>,
    refills: Semaphore,
    ledger: Ledger,
    stopping: AtomicBool,
    /// Keepers and workers.
    workers: TaskTracker,
    recorder: TaskTracker,
    abort: CancellationToken,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lanes = self.lock().by_subscription.len();
        f.debug_struct("Inner")
            .field("lanes", &lanes)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn started(&self) -> &Started {
        self.started
            .get()
            .expect("tasks exist only once the dispatcher has started")
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn spawn(&self, tracker: &TaskTracker, task: impl Future<Output = ()> + Send + 'static) {
        let until_aborted = self.abort.clone().run_until_cancelled_owned(task);
        tracker.spawn_on(
            async move {
                until_aborted.await;
            },
            &self.started().runtime,
        );
    }

    /// Acts on a commit. Called by the store's writer, so it only changes memory and wakes tasks.
    fn learn(self: &Arc<Self>, news: &News) {
        if self.started.get().is_none() || self.is_stopping() {
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
            let lane = self.lane(&mut lanes, &committed.subscription);
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
                lane.halt.call_off();
                lane.lock().end();
                lane.keeper.notify_one();
                lane.work.notify_waiters();
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
        let lane = self.lane(lanes, subscription);
        let mut state = lane.lock();
        state.update(subscription);
        if !paused {
            state.fall_behind();
        }
        drop(state);
        lane.keeper.notify_one();
    }

    /// The subscription's lane, which begins now if there is none.
    fn lane(self: &Arc<Self>, lanes: &mut Lanes, subscription: &Arc<Subscription>) -> Arc<Lane> {
        let behind = !lanes.recovered;
        match lanes.by_subscription.entry(subscription.id) {
            Slot::Occupied(slot) => Arc::clone(slot.get()),
            Slot::Vacant(slot) => {
                let lane = Arc::new(Lane::new(Arc::clone(subscription), behind));
                slot.insert(Arc::clone(&lane));
                let keeping = Arc::clone(self).keep(Arc::clone(&lane));
                self.spawn(&self.workers, keeping);
                lane
            }
        }
    }

    /// Wakes or begins a worker when something is due, and the keeper when it is needed.
    fn rouse(self: &Arc<Self>, lane: &Arc<Lane>, state: &mut LaneState, now: Instant) {
        match state.rouse(now) {
            Rouse::Nobody => {}
            // The one that slept last: its connection is the freshest, and the others may end.
            Rouse::Parked => lane.work.notify_last(),
            Rouse::New => {
                let working = Arc::clone(self).work(Arc::clone(lane));
                self.spawn(&self.workers, working);
            }
        }
    }
}

/// A pause that doubles from the first bound to the second.
fn doubled(pause: Duration, longest: Duration) -> Duration {
    (pause * 2).min(longest)
}
