//! What a lane remembers and what it leaves to the store, step by step.

use hookyard_domain::kernel::limits::LANE_FAILURES_MAX;
use hookyard_domain::{SubscriptionStatus, UnreachableReason};
use hookyard_testkit::{VirtualClock, sample};

use super::*;

const WALL: Timestamp = VirtualClock::BEGIN;

fn subscription() -> Arc<Subscription> {
    Arc::new(sample::subscription(1, "https://receiver.example/hook"))
}

fn entry(number: u64) -> Entry {
    Entry::new(sample::delivery_to(&subscription(), number, WALL))
}

fn lane(behind: bool) -> LaneState {
    LaneState::new(subscription(), behind)
}

fn begin_refill(lane: &mut LaneState, now: Instant) -> usize {
    match lane.next_step(now, WALL) {
        Step::Refill { limit } => limit,
        other => panic!("expected a refill, got {other:?}"),
    }
}

/// Takes one, sends it and records it.
fn finish_one(lane: &mut LaneState, outcome: AttemptOutcome, state: DeliveryState, now: Instant) {
    let mut job = lane.take(now, WALL).expect("something is due");
    lane.settle(&mut job, &outcome, now, WALL);
    lane.recorded(job.entry, state, now, WALL);
}

const ACCEPTED: AttemptOutcome = AttemptOutcome::Accepted { status: 200 };
const FAILED: AttemptOutcome = AttemptOutcome::Unreachable {
    reason: UnreachableReason::ConnectFailed,
};

fn later() -> DeliveryState {
    DeliveryState::Waiting {
        due_at: WALL + Duration::from_secs(30),
    }
}

#[test]
fn a_window_holds_so_many_and_leaves_the_rest_to_the_store() {
    let now = Instant::now();
    let mut lane = lane(false);
    for number in 1..=LANE_WINDOW_MAX as u64 {
        lane.arrive(entry(number), now, WALL);
    }
    assert!(!lane.behind);
    lane.arrive(entry(9_999), now, WALL);
    assert!(lane.behind);
    assert_eq!(lane.waiting.len(), LANE_WINDOW_MAX);
    assert_eq!(lane.present.len(), LANE_WINDOW_MAX);
}

#[test]
fn what_is_recorded_while_a_page_is_read_is_not_sent_again() {
    let now = Instant::now();
    let mut lane = lane(true);
    lane.insert(now, entry(1));
    let limit = begin_refill(&mut lane, now);
    finish_one(
        &mut lane,
        ACCEPTED,
        DeliveryState::Delivered { at: WALL },
        now,
    );
    lane.finish_refill(Some(vec![entry(1), entry(2)]), limit, now, WALL);
    assert_eq!(
        lane.take(now, WALL).map(|job| job.entry.id()),
        Some(DeliveryId(2))
    );
    assert!(lane.take(now, WALL).is_none());
}

#[test]
fn what_arrives_while_a_page_is_read_is_there_once() {
    let now = Instant::now();
    let mut lane = lane(true);
    let limit = begin_refill(&mut lane, now);
    lane.arrive(entry(1), now, WALL);
    lane.arrive(entry(2), now, WALL);
    lane.finish_refill(Some(vec![entry(1)]), limit, now, WALL);
    assert_eq!(lane.waiting.len(), 2);
    assert!(!lane.behind);
}

#[test]
fn what_arrives_does_not_overtake_what_is_still_in_the_store() {
    let now = Instant::now();
    let mut lane = lane(true);
    let limit = begin_refill(&mut lane, now);
    let newest = limit as u64 + 9;
    lane.arrive(entry(newest), now, WALL);
    let page = (1..=limit as u64).map(entry).collect();
    lane.finish_refill(Some(page), limit, now, WALL);
    assert!(lane.behind, "the page was full, so the store holds more");
    let mut sent = Vec::new();
    while let Some(job) = lane.take(now, WALL) {
        sent.push(job.entry.id().0);
        lane.in_flight -= 1;
    }
    assert_eq!(sent, (1..=limit as u64).collect::<Vec<_>>());
}

#[test]
fn more_arrivals_than_there_is_room_for_keep_the_lane_behind() {
    let now = Instant::now();
    let mut lane = lane(true);
    let limit = begin_refill(&mut lane, now);
    for number in 1..=LANE_WINDOW_MAX as u64 + 1 {
        lane.arrive(entry(number), now, WALL);
    }
    lane.finish_refill(Some(Vec::new()), limit, now, WALL);
    assert_eq!(lane.waiting.len(), LANE_WINDOW_MAX);
    assert!(lane.behind, "one of them is only in the store");
}

#[test]
fn a_retry_that_is_recorded_while_a_page_is_read_is_kept_with_its_new_time() {
    let now = Instant::now();
    let mut lane = lane(true);
    lane.insert(now, entry(1));
    let limit = begin_refill(&mut lane, now);
    finish_one(&mut lane, FAILED, later(), now);
    lane.finish_refill(Some(vec![entry(1)]), limit, now, WALL);
    assert!(lane.take(now, WALL).is_none(), "it is due in 30 s");
    let then = now + Duration::from_secs(30);
    assert_eq!(
        lane.take(then, WALL)
            .map(|job| job.entry.committed.delivery.attempts),
        Some(1)
    );
}

#[test]
fn a_failing_lane_lets_go_of_its_window_and_sends_one_probe() {
    let now = Instant::now();
    let mut lane = lane(false);
    for number in 1..=100 {
        lane.arrive(entry(number), now, WALL);
    }
    for _ in 0..LANE_FAILURES_MAX {
        finish_one(&mut lane, FAILED, later(), now);
    }
    assert_eq!(lane.waiting.len(), LANE_WINDOW_FAILING_MAX);
    assert!(lane.behind);
    assert!(lane.take(now, WALL).is_none());
    let probing = now + Duration::from_millis(250);
    assert!(lane.take(probing, WALL).is_some());
    assert!(lane.take(probing, WALL).is_none(), "one at a time");
}

#[test]
fn when_the_receiver_is_back_what_waited_for_it_goes_at_once() {
    let now = Instant::now();
    let mut lane = lane(false);
    for number in 1..=u64::from(LANE_FAILURES_MAX) {
        lane.arrive(entry(number), now, WALL);
    }
    for _ in 0..LANE_FAILURES_MAX {
        finish_one(&mut lane, FAILED, later(), now);
    }
    let probing = now + Duration::from_secs(1);
    lane.arrive(entry(99), probing, WALL);
    finish_one(
        &mut lane,
        ACCEPTED,
        DeliveryState::Delivered { at: WALL },
        probing,
    );
    let released = std::iter::from_fn(|| lane.take(probing, WALL)).count();
    assert_eq!(released, LANE_FAILURES_MAX as usize);
}

#[test]
fn no_more_is_sent_than_may_be_unrecorded() {
    let now = Instant::now();
    let mut lane = lane(false);
    for number in 1..=LANE_WINDOW_MAX as u64 {
        lane.arrive(entry(number), now, WALL);
    }
    let mut sent = 0;
    while let Some(mut job) = lane.take(now, WALL) {
        lane.settle(&mut job, &ACCEPTED, now, WALL);
        if sent % 2 == 0 {
            lane.arrive(entry(10_000 + sent), now, WALL);
        }
        sent += 1;
    }
    assert_eq!(sent, LANE_UNRECORDED_MAX as u64);
}

#[test]
fn a_paused_or_expired_subscription_is_left_to_the_store() {
    let now = Instant::now();
    let mut paused = lane(false);
    paused.arrive(entry(1), now, WALL);
    let status = SubscriptionStatus::Suspended;
    paused.update(&Arc::new(Subscription {
        status,
        version: 2,
        ..(*subscription()).clone()
    }));
    assert!(paused.take(now, WALL).is_none());
    assert!(matches!(paused.next_step(now, WALL), Step::Leave));
    let mut expired = lane(false);
    expired.arrive(entry(1), now, WALL);
    let after = subscription().expires_at;
    assert!(expired.take(now, after).is_none());
    assert!(matches!(expired.next_step(now, after), Step::Leave));
}

#[test]
fn while_the_receiver_is_down_age_alone_ends_a_delivery() {
    let now = Instant::now();
    let mut lane = lane(false);
    for number in 1..=20 {
        lane.arrive(entry(number), now, WALL);
    }
    for _ in 0..LANE_FAILURES_MAX {
        finish_one(&mut lane, FAILED, later(), now);
    }
    let aged = WALL + Duration::from_secs(24 * 3_600 + 1);
    let Step::Abandon { entries, reason } = lane.next_step(now, aged) else {
        panic!("too old");
    };
    let expected = (LANE_WINDOW_FAILING_MAX, AbandonReason::TooOld);
    assert_eq!((entries.len(), reason), expected);
}

#[test]
fn a_clock_that_was_set_back_does_not_hold_a_retry_up_for_good() {
    let now = Instant::now();
    let mut lane = lane(false);
    lane.arrive(entry(1), now, WALL);
    let due_at = WALL + Duration::from_secs(1_000_000);
    finish_one(&mut lane, FAILED, DeliveryState::Waiting { due_at }, now);
    let longest = Duration::from_secs(2 * 3_600);
    assert!(lane.take(now + longest, WALL).is_some());
}

#[test]
fn after_a_store_failure_the_lane_waits_longer_each_time() {
    let mut now = Instant::now();
    let mut lane = lane(true);
    let mut pause = STORE_PAUSE_MIN;
    for _ in 0..8 {
        let limit = begin_refill(&mut lane, now);
        lane.finish_refill(None, limit, now, WALL);
        assert!(matches!(
            lane.next_step(now, WALL),
            Step::Wait { until: Some(until) } if until == now + pause
        ));
        now += pause;
        pause = (pause * 2).min(STORE_PAUSE_MAX);
    }
}
