//! What may have been sent without a record when a process ended without a word.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hookyard_domain::kernel::limits::LANE_UNRECORDED_MAX;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{Clock, Page};
use hookyard_domain::{
    AttemptOutcome, Change, Delivery, DeliveryState, DeliveryWrite, Subscription,
    SubscriptionWrite, Timestamp,
};
use hookyard_store::{Options, SqliteStore};

use crate::world::{ACCOUNT, World, options};

const HOUR: Duration = Duration::from_secs(3_600);

/// A clock that shows what it is set to.
#[derive(Debug)]
struct Hands(AtomicI64);

impl Hands {
    fn turn(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    async fn sleep_until(&self, _: Timestamp) {
        std::future::pending::<()>().await;
    }
}

/// A store with an endpoint, and the clock that it goes by.
async fn yard(change: impl FnOnce(&mut Subscription)) -> (World, Arc<Hands>) {
    let hands = Arc::new(Hands(AtomicI64::new(1_790_000_000_000)));
    let options = Options {
        clock: Arc::clone(&hands) as _,
        ..options()
    };
    let world = World::on(SqliteStore::inline(options).unwrap(), None).await;
    let mut endpoint = world.endpoint("https://receiver.example/hook");
    change(&mut endpoint);
    let put = SubscriptionWrite::Put(Arc::new(endpoint));
    world.commit(Change::of(put)).await;
    (world, hands)
}

/// Commits `count` events at once.
async fn publish(world: &World, count: usize) {
    let events = std::iter::repeat_with(|| world.custom_event("invoice.paid"));
    let change = Change {
        events: events.take(count).collect(),
        ..Change::default()
    };
    world.commit(change).await;
}

/// All deliveries, the first first.
async fn deliveries(world: &World) -> Vec<Delivery> {
    let list = world.store.deliveries(ACCOUNT, None, Page::First, 10_000);
    let mut all = list.await.unwrap();
    all.reverse();
    all
}

async fn fail(world: &World, delivery: &Delivery, due_at: Timestamp) {
    let outcome = AttemptOutcome::Refused {
        status: 500,
        retry_after: None,
    };
    let record = DeliveryWrite::RecordAttempt {
        attempt: world.attempt(delivery, 1, outcome),
        state: DeliveryState::Waiting { due_at },
    };
    world.commit(Change::of(record)).await;
}

#[tokio::test]
async fn no_more_is_marked_than_a_lane_sends_without_a_record() {
    let (world, _) = yard(|_| {}).await;
    publish(&world, LANE_UNRECORDED_MAX + 100).await;
    world.store.mark_possible_repeats().unwrap();
    let (first, rest) = {
        let mut all = deliveries(&world).await;
        let rest = all.split_off(LANE_UNRECORDED_MAX);
        (all, rest)
    };
    assert!(first.iter().all(|delivery| delivery.possible_repeat));
    assert!(!rest.iter().any(|delivery| delivery.possible_repeat));
}

#[tokio::test]
async fn a_clock_that_was_set_back_hides_nothing_that_was_sent() {
    let (world, hands) = yard(|_| {}).await;
    publish(&world, 1).await;
    hands.turn(-3_600_000);
    publish(&world, LANE_UNRECORDED_MAX + 100).await;
    world.store.mark_possible_repeats().unwrap();
    let all = deliveries(&world).await;
    assert!(
        all[0].possible_repeat,
        "it was on its way when the clock was set"
    );
}

#[tokio::test]
async fn a_clock_that_runs_on_marks_nothing() {
    let (world, hands) = yard(|_| {}).await;
    for millis in [0, 1, 3_600_000, 0] {
        hands.turn(millis);
        publish(&world, 2).await;
    }
    let all = deliveries(&world).await;
    assert!(!all.iter().any(|delivery| delivery.possible_repeat));
}

#[tokio::test]
async fn what_was_hurried_before_much_more_came_is_marked() {
    let (world, hands) = yard(|_| {}).await;
    publish(&world, 1).await;
    let first = deliveries(&world).await.remove(0);
    fail(&world, &first, hands.now() + HOUR).await;
    publish(&world, LANE_UNRECORDED_MAX + 100).await;
    world.store.mark_possible_repeats().unwrap();
    let all = deliveries(&world).await;
    assert!(all[0].possible_repeat, "its receiver may have been back");
    let marked = all.iter().filter(|delivery| delivery.possible_repeat);
    assert_eq!(marked.count(), LANE_UNRECORDED_MAX + 1);
}

#[tokio::test]
async fn in_an_ordered_lane_the_first_is_marked_whenever_it_is_due() {
    let ordered = |subscription: &mut Subscription| {
        let endpoint = subscription.endpoint.as_mut().unwrap();
        Arc::make_mut(endpoint).ordered = true;
    };
    let (world, hands) = yard(ordered).await;
    publish(&world, 1).await;
    let first = deliveries(&world).await.remove(0);
    fail(&world, &first, hands.now() + HOUR).await;
    // Later than the first in both orders, and tried as well: more than one window of them.
    publish(&world, 2 * LANE_UNRECORDED_MAX + 100).await;
    for delivery in &deliveries(&world).await[1..] {
        fail(&world, delivery, hands.now() + 2 * HOUR).await;
    }
    publish(&world, LANE_UNRECORDED_MAX).await;
    world.store.mark_possible_repeats().unwrap();
    let all = deliveries(&world).await;
    assert!(all[0].possible_repeat, "it is the one that is sent");
}
