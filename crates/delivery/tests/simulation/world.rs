//! One run: a store that survives, processes that do not, and a driver that draws what happens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hookyard_delivery::Dispatcher;
use hookyard_domain::kernel::component::{Component as _, Ports};
use hookyard_domain::kernel::feed::Feed;
use hookyard_domain::kernel::news::{News, NewsItem};
use hookyard_domain::kernel::ownership::SoleOwner;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{Clock as _, CommitListener, Page};
use hookyard_domain::{
    Change, EventId, RetrySchedule, Subscription, SubscriptionId, SubscriptionStatus,
    SubscriptionWrite,
};
use hookyard_store::{Options, SqliteStore, VaultKey};
use hookyard_testkit::{SeededChance, VirtualClock, sample};
use tokio::time::{Instant, sleep, timeout};

use crate::history::{History, Life};
use crate::network::{Access, Network};
use crate::slow::SlowStore;

/// Long enough for every retry to come due, in virtual time.
const END_MAX: Duration = Duration::from_secs(20 * 24 * 3_600);

/// Passes news on to the process that runs, and loses some of it.
#[derive(Debug)]
struct Switchboard {
    current: Mutex<Option<Arc<dyn CommitListener>>>,
    chance: SeededChance,
    /// How many of 100 wake-ups get lost.
    losing: Mutex<u64>,
    /// Events that were committed and not looked at yet.
    announced: Mutex<Vec<EventId>>,
}

impl Switchboard {
    fn disconnect(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn take_announced(&self) -> Vec<EventId> {
        let mut announced = self
            .announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut announced)
    }

    fn lose(&self, percent: u64) {
        *self.losing.lock().unwrap_or_else(PoisonError::into_inner) = percent;
    }
}

impl Feed for Switchboard {
    fn follow(&self, listener: Arc<dyn CommitListener>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }
}

impl CommitListener for Switchboard {
    fn committed(&self, news: &News) {
        let ids = news.events().map(|committed| committed.event.id);
        self.announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(ids);
        let current = self
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(process) = current else { return };
        let losing = *self.losing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.chance.percent(losing) {
            // Only wake-ups may be lost; that a subscription ended is a promise to its owner.
            let kept = |item: &&NewsItem| !matches!(item, NewsItem::Delivery(_));
            process.committed(&news.iter().filter(kept).cloned().collect());
        } else {
            process.committed(news);
        }
    }
}

pub(crate) struct World {
    seed: u64,
    chance: SeededChance,
    clock: Arc<VirtualClock>,
    store: Arc<SqliteStore>,
    network: Arc<Network>,
    switchboard: Arc<Switchboard>,
    /// The process that runs.
    dispatcher: Option<Dispatcher>,
    process: u32,
    /// How many of 100 calls to the store fail.
    failing: u64,
    /// Wake-ups get lost in this run.
    losing: bool,
    lives: HashMap<SubscriptionId, Life>,
    /// In the order in which they were made: a map's order is not the seed's.
    order: Vec<SubscriptionId>,
    promised: Vec<(EventId, SubscriptionId)>,
    ends: Vec<bool>,
    jumps: Vec<Duration>,
}

impl World {
    /// Plays the history of `seed`.
    pub(crate) async fn play(seed: u64) -> History {
        let mut world = Self::begin(seed).await;
        let subscribers = 1 + world.chance.below(4);
        for _ in 0..subscribers {
            world.subscribe().await;
        }
        let steps = 15 + world.chance.below(40);
        for _ in 0..steps {
            world.step().await;
        }
        world.finish().await
    }

    async fn begin(seed: u64) -> Self {
        let clock = Arc::new(VirtualClock::start());
        let options = Options {
            vault_key: VaultKey([3; 32]),
            clock: Arc::clone(&clock) as _,
            chance: Arc::new(SeededChance::new(seed ^ 1)),
        };
        let store = Arc::new(SqliteStore::inline(options).expect("a store in memory"));
        store
            .commit(sample::yard())
            .await
            .expect("an empty store takes its first objects");
        let switchboard = Arc::new(Switchboard {
            current: Mutex::default(),
            chance: SeededChance::new(seed ^ 2),
            losing: Mutex::default(),
            announced: Mutex::default(),
        });
        store.listen(Arc::clone(&switchboard) as _);
        let network = Arc::new(Network::new(seed));
        let mut world = Self {
            seed,
            chance: SeededChance::new(seed),
            clock,
            store,
            network,
            switchboard,
            dispatcher: None,
            process: 1,
            losing: seed % 2 == 1,
            failing: if seed.is_multiple_of(3) { 10 } else { 0 },
            lives: HashMap::new(),
            order: Vec::new(),
            promised: Vec::new(),
            ends: Vec::new(),
            jumps: Vec::new(),
        };
        world.run().await;
        world
    }

    fn dispatcher(&self) -> &Dispatcher {
        self.dispatcher.as_ref().expect("a process runs")
    }

    async fn run(&mut self) {
        let process = self.process;
        let transport = Arc::new(Access {
            network: Arc::clone(&self.network),
            process,
        });
        let chance = SeededChance::new(self.seed ^ u64::from(process) << 32);
        let ports = Ports {
            store: Arc::clone(&self.store) as _,
            feed: Arc::clone(&self.switchboard) as _,
            ownership: Arc::new(SoleOwner),
            clock: Arc::clone(&self.clock) as _,
            chance: Arc::new(chance),
        };
        let backlog = SlowStore::new(self.store.clone(), self.seed, process, self.failing);
        let started = Dispatcher::start_on(&ports, Arc::new(backlog), transport, Arc::new(()));
        self.dispatcher = Some(started.await.expect("the start never fails here"));
    }

    async fn step(&mut self) {
        match self.chance.below(100) {
            40..65 => self.wait().await,
            65..73 => self.crash_somewhere().await,
            73..77 => self.restart_cleanly().await,
            77..83 => self.toggle_receiver(),
            83..87 => self.jump(),
            87..92 if self.losing => self.switchboard.lose([0, 20, 100][self.draw(3)]),
            92..96 => self.change_subscription().await,
            96..98 => self.delete().await,
            98..100 => self.subscribe().await,
            _ => self.announce().await,
        }
    }

    fn draw(&self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("small");
        usize::try_from(self.chance.below(bound)).expect("small")
    }

    fn pick(&self) -> SubscriptionId {
        self.order[self.draw(self.order.len())]
    }

    async fn subscribe(&mut self) {
        let number = u128::try_from(self.order.len()).expect("small") + 1;
        let mut subscription = sample::subscription(number, "https://receiver.example/hook");
        let policy = &mut subscription.policy;
        policy.concurrency_max = [1, 2, 4, 16][self.draw(4)];
        policy.attempts_max = [2, 5, 12, 40][self.draw(4)];
        policy.timeout_ms = [500, 3_000][self.draw(2)];
        if self.chance.percent(50) {
            policy.schedule = RetrySchedule::Exponential {
                first_ms: 200,
                longest_ms: 600_000,
            };
        }
        let created_at = self.clock.now();
        subscription.created_at = created_at;
        if self.chance.percent(15) {
            subscription.expires_at = created_at + Duration::from_secs(self.chance.below(3_600));
        }
        self.put(&subscription).await;
        self.order.push(subscription.id);
        let life = Life {
            subscription,
            silent: Vec::new(),
            deleted: false,
            expired: false,
        };
        self.lives.insert(life.subscription.id, life);
    }

    async fn put(&self, subscription: &Subscription) {
        let write = SubscriptionWrite::Put(Arc::new(subscription.clone()));
        self.store
            .commit(Change::of(write))
            .await
            .expect("a subscription");
    }

    async fn announce(&mut self) {
        let count = match self.chance.below(20) {
            // More than a window holds. Only in some runs, because it takes time.
            0 if self.seed.is_multiple_of(8) => 550 + self.chance.below(400),
            0..8 => 1,
            _ => 1 + self.chance.below(30),
        };
        let now = self.clock.now();
        let events = (1..=count).map(|number| sample::event(number, now));
        let change = Change {
            events: events.collect(),
            ..Change::default()
        };
        self.store.commit(change).await.expect("events");
        // The store numbers events as it commits them.
        for event in self.switchboard.take_announced() {
            for id in &self.order {
                let life = &self.lives[id];
                if !life.deleted && life.subscription.is_live(now) {
                    self.promised.push((event, *id));
                }
            }
        }
    }

    async fn wait(&self) {
        let millis = [20, 500, 5_000, 120_000, 7_200_000][self.draw(5)];
        sleep(Duration::from_millis(self.chance.below(millis))).await;
    }

    /// Kills the process at some beginning or end of an attempt, or at some moment.
    async fn crash_somewhere(&mut self) {
        self.network.crash_after(1 + self.chance.below(60));
        let longest = Duration::from_millis(self.chance.below(3_000));
        let _ = timeout(longest, self.network.crash.notified()).await;
        self.dispatcher().abort();
        self.switchboard.disconnect();
        // Nothing of it runs on: let its tasks notice.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        if self.chance.percent(30) {
            self.announce().await;
        }
        self.store
            .mark_possible_repeats()
            .expect("the store is there");
        self.begin_process(false).await;
    }

    async fn restart_cleanly(&mut self) {
        self.stop().await;
        self.switchboard.disconnect();
        self.begin_process(true).await;
    }

    async fn stop(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        self.dispatcher().stop(deadline.into_std()).await;
    }

    async fn begin_process(&mut self, stopped_cleanly: bool) {
        self.ends.push(stopped_cleanly);
        self.process += 1;
        self.run().await;
    }

    fn toggle_receiver(&self) {
        let id = self.pick();
        self.network.set_down(id, self.chance.percent(60));
    }

    fn jump(&mut self) {
        let millis = i64::try_from(self.chance.below(7_200_000)).expect("two hours");
        if self.chance.percent(50) {
            self.jumps.push(self.network.elapsed());
            self.clock.jump(millis);
        } else {
            self.clock.jump(-millis);
        }
    }

    /// Suspends, resumes or moves a subscription.
    async fn change_subscription(&mut self) {
        let id = self.pick();
        let elapsed = self.network.elapsed();
        let mut subscription = self.lives[&id].subscription.clone();
        if self.lives[&id].deleted {
            return;
        }
        subscription.version += 1;
        subscription.status = match (subscription.status, self.chance.percent(50)) {
            (SubscriptionStatus::Active, true) => SubscriptionStatus::Suspended,
            _ => SubscriptionStatus::Active,
        };
        self.put(&subscription).await;
        let life = self
            .lives
            .get_mut(&id)
            .expect("picked from those there are");
        let open = life.silent.last_mut().filter(|(_, end)| end.is_none());
        match (subscription.status, open) {
            (SubscriptionStatus::Active, Some((_, end))) => *end = Some(elapsed),
            (SubscriptionStatus::Active, None) => {}
            // An attempt that dials when the owner suspends may still go out.
            _ => life
                .silent
                .push((elapsed + Duration::from_millis(200), None)),
        }
        life.subscription = subscription;
    }

    async fn delete(&mut self) {
        let id = self.pick();
        if self.lives[&id].deleted || self.order.len() == 1 {
            return;
        }
        let (account, at) = (sample::ACCOUNT, self.clock.now());
        let write = SubscriptionWrite::Delete {
            account,
            subscription: id,
            at,
        };
        self.store
            .commit(Change::of(write))
            .await
            .expect("the subscription ends");
        let elapsed = self.network.elapsed();
        let life = self
            .lives
            .get_mut(&id)
            .expect("picked from those there are");
        life.deleted = true;
        life.silent.push((elapsed, None));
    }

    /// Ends all faults and lets everything come to its end.
    async fn finish(mut self) -> History {
        self.network.calm();
        self.switchboard.lose(0);
        self.failing = 0;
        let ids = self.order.clone();
        for id in ids {
            let life = &self.lives[&id];
            let suspended = life.subscription.status == SubscriptionStatus::Suspended;
            if suspended && !life.deleted {
                let mut subscription = life.subscription.clone();
                subscription.version += 1;
                subscription.status = SubscriptionStatus::Active;
                self.put(&subscription).await;
                let life = self.lives.get_mut(&id).expect("it is there");
                let elapsed = self.network.elapsed();
                if let Some((_, end)) = life.silent.last_mut() {
                    *end = Some(elapsed);
                }
                life.subscription = subscription;
            }
        }
        // Lost wake-ups cost latency until the next start; without them none is needed.
        if self.losing {
            self.restart_cleanly().await;
        }
        let deadline = Instant::now() + END_MAX;
        while self.has_work().await && Instant::now() < deadline {
            self.forget_expired().await;
            sleep(Duration::from_secs(600)).await;
        }
        self.stop().await;
        let now = self.clock.now();
        for life in self.lives.values_mut() {
            life.expired = life
                .subscription
                .is_expired(now + Duration::from_secs(7_200));
        }
        let deliveries = self.deliveries().await;
        let mut attempts = HashMap::new();
        for delivery in &deliveries {
            let recorded = self.store.attempts(sample::ACCOUNT, delivery.id).await;
            attempts.insert(delivery.id, recorded.expect("attempts"));
        }
        History {
            lives: self.lives,
            promised: self.promised,
            sent: self.network.take_sent(),
            ends: self.ends,
            jumps: self.jumps,
            deliveries,
            attempts,
        }
    }

    /// What the life cycle does when the grace of an expired subscription is over.
    async fn forget_expired(&self) {
        let now = self.clock.now();
        for life in self.lives.values() {
            if life.subscription.is_expired(now) {
                let end = SubscriptionWrite::Delete {
                    account: sample::ACCOUNT,
                    subscription: life.subscription.id,
                    at: now,
                };
                let ended = self.store.commit(Change::of(end)).await;
                ended.expect("the store is there");
            }
        }
    }

    async fn deliveries(&self) -> Vec<hookyard_domain::Delivery> {
        let list = self
            .store
            .deliveries(sample::ACCOUNT, None, Page::First, 1_000_000);
        list.await.expect("deliveries")
    }

    async fn has_work(&self) -> bool {
        let unfinished = self.store.subscriptions_with_work().await;
        !unfinished.expect("the store is there").is_empty()
    }
}
