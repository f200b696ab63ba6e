//! The production dispatcher, store and transport together, over real sockets.

use std::sync::Arc;
use std::time::Duration;

use hookyard_delivery::{Dispatcher, WebhookTransport};
use hookyard_domain::kernel::component::Component as _;
use hookyard_domain::kernel::limits::LANE_PAUSE_MIN;
use hookyard_domain::kernel::ports::Page;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{
    AttemptOutcome, Change, Delivery, DeliveryState, Subscription, SubscriptionWrite,
};
use hookyard_store::{Options, SqliteStore, VaultKey};
use hookyard_testkit::{Receiver, Reply, SeededChance, VirtualClock, ports, sample};
use tokio::time::{Instant, timeout};

use crate::egress;

/// How long a test waits for something that should happen at once.
const PATIENCE: Duration = Duration::from_secs(20);

struct World {
    store: Arc<SqliteStore>,
    dispatcher: Dispatcher,
    clock: Arc<VirtualClock>,
    directory: tempfile::TempDir,
}

fn options(clock: &Arc<VirtualClock>) -> Options {
    let chance = Arc::new(SeededChance::new(1));
    Options {
        vault_key: VaultKey([7; 32]),
        clock: Arc::clone(clock) as _,
        chance,
    }
}

async fn dispatcher(store: &Arc<SqliteStore>, clock: &Arc<VirtualClock>) -> Dispatcher {
    let transport = Arc::new(WebhookTransport::new(egress()));
    let ports = ports(store, clock, 2);
    let started = Dispatcher::start(&ports, transport, Arc::new(())).await;
    started.expect("the store is there")
}

impl World {
    async fn start() -> Self {
        let clock = Arc::new(VirtualClock::start());
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("test.db");
        let store = Arc::new(SqliteStore::open(&path, options(&clock)).expect("a new store"));
        store
            .commit(sample::yard())
            .await
            .expect("an empty store takes its first objects");
        Self {
            dispatcher: dispatcher(&store, &clock).await,
            store,
            clock,
            directory,
        }
    }

    /// Stops, and starts again from the file.
    async fn restart(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        self.dispatcher.stop(deadline.into_std()).await;
        self.store.close().await;
        let path = self.directory.path().join("test.db");
        self.store = Arc::new(SqliteStore::open(&path, options(&self.clock)).expect("a store"));
        self.dispatcher = dispatcher(&self.store, &self.clock).await;
    }

    async fn subscribe(&self, subscription: Subscription) -> Subscription {
        let write = SubscriptionWrite::Put(Arc::new(subscription.clone()));
        self.store
            .commit(Change::of(write))
            .await
            .expect("a subscription");
        subscription
    }

    async fn announce(&self, numbers: std::ops::Range<u64>) {
        use hookyard_domain::kernel::ports::Clock as _;
        let events = numbers
            .map(|number| sample::event(number, self.clock.now()))
            .collect();
        let change = Change {
            events,
            ..Change::default()
        };
        self.store.commit(change).await.expect("events");
    }

    async fn deliveries(&self, subscription: &Subscription) -> Vec<Delivery> {
        let id = Some(subscription.id);
        let list = self
            .store
            .deliveries(sample::ACCOUNT, id, Page::First, 10_000);
        list.await.expect("a list")
    }

    /// Waits until every delivery is as `claim` says.
    async fn until(&self, subscription: &Subscription, claim: impl Fn(&[Delivery]) -> bool) {
        let looking = async {
            while !claim(&self.deliveries(subscription).await) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, looking)
            .await
            .expect("the deliveries get there");
    }
}

fn delivered(deliveries: &[Delivery]) -> bool {
    let done = |delivery: &Delivery| matches!(delivery.state, DeliveryState::Delivered { .. });
    deliveries.iter().all(done)
}

fn quick(number: u128, address: &str) -> Subscription {
    let mut subscription = sample::subscription(number, address);
    subscription.policy.schedule = hookyard_domain::RetrySchedule::List {
        delays_ms: vec![10, 20, 50],
    };
    // Long, so that a busy machine is not taken for a slow receiver.
    subscription.policy.timeout_ms = 10_000;
    subscription
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_arrives_once_and_every_attempt_is_recorded() {
    let world = World::start().await;
    let receiver = Receiver::start().await;
    let subscription = world.subscribe(quick(1, &receiver.address())).await;
    world.announce(1..2_001).await;
    receiver.received(2_000).await;
    world
        .until(&subscription, |list| list.len() == 2_000 && delivered(list))
        .await;
    let mut bodies: Vec<_> = receiver
        .events()
        .into_iter()
        .map(|event| event.body)
        .collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 2_000);
    assert_eq!(receiver.events().len(), 2_000);
    assert!(
        receiver.connections() <= 16,
        "{} connections",
        receiver.connections()
    );
    let delivery = world.deliveries(&subscription).await.remove(0);
    let attempts = world
        .store
        .attempts(sample::ACCOUNT, delivery.id)
        .await
        .expect("attempts");
    assert_eq!(attempts.len(), 1);
    assert_eq!(
        attempts[0].outcome,
        AttemptOutcome::Accepted { status: 200 }
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_recovers_gets_the_event() {
    let world = World::start().await;
    let receiver = Receiver::start().await;
    let mut impatient = quick(1, &receiver.address());
    impatient.policy.timeout_ms = 1_000;
    let subscription = world.subscribe(impatient).await;
    receiver.reply(503).times(2);
    receiver.reply(Reply::Hang);
    world.announce(1..2).await;
    let events = receiver.received(4).await;
    world.until(&subscription, delivered).await;
    let numbers: Vec<_> = events
        .iter()
        .map(|event| event.header("Hookyard-Attempt"))
        .collect();
    assert_eq!(numbers, [None, Some("2"), Some("3"), Some("4")]);
    assert!(events.iter().all(|event| event.body == events[0].body));
    let delivery = world.deliveries(&subscription).await.remove(0);
    let attempts = world
        .store
        .attempts(sample::ACCOUNT, delivery.id)
        .await
        .expect("attempts");
    assert_eq!(attempts.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_receiver_does_not_hold_another_up() {
    let world = World::start().await;
    let (bad, good) = (Receiver::start().await, Receiver::start().await);
    bad.always(Reply::Hang);
    let mut patient = quick(1, &bad.address());
    patient.policy.timeout_ms = 10_000;
    world.subscribe(patient).await;
    let healthy = world.subscribe(quick(2, &good.address())).await;
    let began = Instant::now();
    world.announce(1..1_001).await;
    good.received(1_000).await;
    world.until(&healthy, delivered).await;
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "the bad one takes 10 s to time out"
    );
    world.dispatcher.abort();
}

/// How often the receiver is tried before it is left alone for a while.
async fn attempts_before_a_pause(receiver: &Receiver) -> usize {
    let mut count = 2;
    loop {
        let events = receiver.received(count).await;
        if events[count - 1].at - events[count - 2].at >= LANE_PAUSE_MIN {
            return count - 1;
        }
        count += 1;
        assert!(count < 100, "it is never left alone");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_receiver_costs_few_attempts_and_drains_when_it_is_back() {
    let world = World::start().await;
    let receiver = Receiver::start().await;
    receiver.always(500);
    let subscription = world
        .subscribe(sample::subscription(1, &receiver.address()))
        .await;
    world.announce(1..2_001).await;
    let tried = attempts_before_a_pause(&receiver).await;
    assert!((8..40).contains(&tried), "{tried} attempts");
    receiver.always(200);
    receiver.received(tried + 1_900).await;
    world
        .until(&subscription, |list| list.len() == 2_000 && delivered(list))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unfinished_continues_after_a_restart() {
    let mut world = World::start().await;
    let receiver = Receiver::start().await;
    receiver.always(503);
    let subscription = world.subscribe(quick(1, &receiver.address())).await;
    world.announce(1..1_001).await;
    receiver.received(5).await;
    world.restart().await;
    receiver.always(200);
    world
        .until(&subscription, |list| list.len() == 1_000 && delivered(list))
        .await;
    let repeats = receiver.events();
    let marked = repeats
        .iter()
        .filter(|event| event.header("Hookyard-Possible-Repeat").is_some());
    assert_eq!(
        marked.count(),
        0,
        "it stopped cleanly, so nothing is in doubt"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_subscription_is_deleted_no_attempt_starts() {
    let world = World::start().await;
    let receiver = Receiver::start().await;
    receiver.always(Reply::Late(Duration::from_millis(5), Box::new(200.into())));
    let subscription = world.subscribe(quick(1, &receiver.address())).await;
    world.announce(1..2_001).await;
    receiver.received(50).await;
    let (account, at) = (sample::ACCOUNT, VirtualClock::BEGIN);
    let write = SubscriptionWrite::Delete {
        account,
        subscription: subscription.id,
        at,
    };
    world
        .store
        .commit(Change::of(write))
        .await
        .expect("the subscription ends");
    let ended = Instant::now() + Duration::from_millis(5);
    // Another's events pass through the same dispatcher meanwhile.
    let witness = Receiver::start().await;
    let other = world.subscribe(quick(2, &witness.address())).await;
    world.announce(2_001..3_001).await;
    witness.received(1_000).await;
    world
        .until(&other, |list| list.len() == 1_000 && delivered(list))
        .await;
    let late = receiver
        .events()
        .into_iter()
        .filter(|event| event.at > ended)
        .count();
    // What was on its way arrives when the machine has time for it.
    let on_the_way = subscription.policy.concurrency_max as usize;
    assert!(late <= on_the_way, "{late}");
    assert!(receiver.events().len() < 2_000);
    assert!(world.dispatcher.lanes() <= 1, "the other's alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_address_is_used_from_the_next_attempt_on() {
    let world = World::start().await;
    let (old, new) = (Receiver::start().await, Receiver::start().await);
    old.always(500);
    let subscription = world.subscribe(quick(1, &old.address())).await;
    world.announce(1..101).await;
    old.received(8).await;
    let moved = Subscription {
        version: 2,
        ..quick(1, &new.address())
    };
    world.subscribe(moved).await;
    world
        .until(&subscription, |list| list.len() == 100 && delivered(list))
        .await;
    assert_eq!(new.events().len(), 100);
}
