//! Endpoints in virtual time: their schedules to the end, thresholds, order, batches and rates.

use std::sync::Arc;

use hookyard_domain::endpoints::endpoint::{Batching, RateLimit, policy_default};
use hookyard_domain::kernel::component::Component as _;
use hookyard_domain::{
    AbandonReason, AttemptOutcome, DeliveryState, Endpoint, EventId, Milestone, RetryPolicy,
    RetrySchedule, Subscription, SubscriptionStatus,
};
use hookyard_testkit::sample;

use crate::world::{World, after};
use crate::{DAY, HOUR, MINUTE};

const FAILING: AttemptOutcome = AttemptOutcome::Refused {
    status: 500,
    retry_after: None,
};
const ACCEPTED: AttemptOutcome = AttemptOutcome::Accepted { status: 200 };

fn endpoint(settings: impl FnOnce(&mut Endpoint)) -> Subscription {
    let mut subscription = sample::endpoint(1, "https://receiver.example.com/");
    let mut endpoint = Endpoint::clone(subscription.endpoint.as_ref().unwrap());
    settings(&mut endpoint);
    subscription.endpoint = Some(Arc::new(endpoint));
    subscription
}

fn with_policy(policy: RetryPolicy) -> Subscription {
    Subscription {
        policy,
        ..endpoint(|_| {})
    }
}

/// Each pause lies within a fifth of what the policy says.
fn assert_pauses(world: &World, expected_ms: &[u64]) {
    let times: Vec<u64> = world.requests().iter().map(|(at, _)| *at).collect();
    assert_eq!(times.len(), expected_ms.len() + 1, "{times:?}");
    for (pair, expected) in times.windows(2).zip(expected_ms) {
        let pause = pair[1] - pair[0];
        let (least, most) = (expected * 8 / 10, expected * 12 / 10 + 50);
        assert!(
            (least..=most).contains(&pause),
            "{pause} for {expected}: {times:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_pauses_is_walked_to_its_end() {
    let world = World::start().await;
    world.answer(FAILING);
    world.put(&endpoint(|_| {})).await;
    world.post("one").await;
    world.wait(HOUR).await;
    assert_pauses(&world, &[1_000, 2_000, 4_000]);
    let states = world.states().await;
    let exhausted = |state: &DeliveryState| {
        matches!(
            state,
            DeliveryState::Abandoned {
                reason: AbandonReason::AttemptsExhausted,
                ..
            }
        )
    };
    assert!(states.iter().all(exhausted), "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn the_default_schedule_takes_three_days() {
    let world = World::start().await;
    world.answer(FAILING);
    world.put(&with_policy(policy_default())).await;
    world.post("one").await;
    world.wait(7 * DAY).await;
    let minute = 1_000 * MINUTE;
    let hour = 1_000 * HOUR;
    assert_pauses(
        &world,
        &[
            5_000,
            5 * minute,
            30 * minute,
            2 * hour,
            5 * hour,
            10 * hour,
            14 * hour,
            20 * hour,
            24 * hour,
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn an_exponential_schedule_doubles_to_its_longest() {
    let world = World::start().await;
    world.answer(FAILING);
    let policy = RetryPolicy {
        schedule: RetrySchedule::Exponential {
            first_ms: 1_000,
            longest_ms: 10_000,
        },
        attempts_max: 7,
        ..policy_default()
    };
    world.put(&with_policy(policy)).await;
    world.post("one").await;
    world.wait(HOUR).await;
    assert_pauses(&world, &[1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
}

#[tokio::test(start_paused = true)]
async fn age_ends_what_attempts_do_not() {
    let world = World::start().await;
    world.answer(FAILING);
    let policy = RetryPolicy {
        schedule: RetrySchedule::List {
            delays_ms: vec![60_000],
        },
        attempts_max: 100,
        age_max_ms: 10 * 60_000,
        ..policy_default()
    };
    world.put(&with_policy(policy)).await;
    world.post("one").await;
    world.wait(HOUR).await;
    let states = world.states().await;
    let too_old = |state: &DeliveryState| {
        matches!(
            state,
            DeliveryState::Abandoned {
                reason: AbandonReason::TooOld,
                ..
            }
        )
    };
    assert!(states.iter().all(too_old), "{states:?}");
    assert!((8..=13).contains(&world.attempts()), "{}", world.attempts());
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_by_hand_has_a_round_of_its_own() {
    let world = World::start().await;
    world.answer(FAILING);
    world.put(&endpoint(|_| {})).await;
    world.post("one").await;
    world.wait(HOUR).await;
    assert_eq!(world.attempts(), 4);
    world.resend_all().await;
    world.wait(HOUR).await;
    assert_eq!(world.attempts(), 8, "as many again");
    world.answer(ACCEPTED);
    world.resend_all().await;
    world.wait(1).await;
    assert_eq!(world.accepted(), ["one"]);
    world.resend_all().await;
    world.wait(1).await;
    assert_eq!(world.accepted(), ["one", "one"]);
    let states = world.states().await;
    assert_eq!(states.len(), 2, "what was delivered stays so: {states:?}");
}

#[tokio::test(start_paused = true)]
async fn past_its_threshold_nothing_is_tried_and_nothing_is_lost() {
    let world = World::start().await;
    world.answer(FAILING);
    let subscription = endpoint(|endpoint| endpoint.failure_threshold = 3);
    world.put(&subscription).await;
    world.post("one").await;
    world.wait(HOUR).await;
    assert_eq!(world.attempts(), 3);
    let errored = world.subscription().await.unwrap();
    assert_eq!(errored.status, SubscriptionStatus::Errored);
    world.post("two").await;
    world.restart().await;
    world.post("three").await;
    world.wait(30 * DAY).await;
    assert_eq!(world.attempts(), 3, "no more automatic attempts");
    world.answer(ACCEPTED);
    world.put(&errored.resumed(false, world.now())).await;
    world.wait(60).await;
    let mut accepted = world.accepted();
    accepted.sort();
    assert_eq!(accepted, ["one", "three", "two"]);
    let milestones: Vec<_> = world
        .history()
        .await
        .into_iter()
        .map(|(_, what, _)| what)
        .collect();
    assert_eq!(milestones, [Milestone::Errored, Milestone::Notified]);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_does_not_keep_an_endpoint_from_its_threshold() {
    let world = World::start().await;
    world.answer(FAILING);
    let policy = RetryPolicy {
        schedule: RetrySchedule::List {
            delays_ms: vec![10_000, 60_000],
        },
        ..endpoint(|_| ()).policy
    };
    let subscription = Subscription {
        policy,
        ..endpoint(|endpoint| endpoint.failure_threshold = 3)
    };
    world.put(&subscription).await;
    for number in 0..400 {
        world.post(&number.to_string()).await;
    }
    world.wait(50).await;
    let status = world.subscription().await.unwrap().status;
    assert_eq!(status, SubscriptionStatus::Active, "too early");
    world.wait(60).await;
    let errored = world.subscription().await.unwrap();
    assert_eq!(errored.status, SubscriptionStatus::Errored);
    assert!(world.attempts() < 60, "{} attempts", world.attempts());
    let (sent, texts) = (world.sent(), world.texts());
    let times = |text: &str| -> Vec<u64> {
        let of_it = sent.iter().zip(&texts).filter(|(_, sent)| *sent == text);
        of_it.map(|((seconds, _), _)| *seconds).collect()
    };
    let mut tried_thrice = (0..400)
        .map(|number| times(&number.to_string()))
        .filter(|times| times.len() == 3);
    let schedule = tried_thrice.next().expect("one keeps to the schedule");
    assert!(
        (8..=13).contains(&(schedule[1] - schedule[0])),
        "{schedule:?}"
    );
    assert!(
        (48..=73).contains(&(schedule[2] - schedule[1])),
        "{schedule:?}"
    );
    world.answer(ACCEPTED);
    world.put(&errored.resumed(false, world.now())).await;
    world.wait(HOUR).await;
    assert_eq!(world.accepted().len(), 400, "all of them, once");
}

#[tokio::test(start_paused = true)]
async fn when_an_endpoint_is_back_nothing_waits_for_its_retry() {
    let world = World::start().await;
    world.answer(FAILING);
    let policy = RetryPolicy {
        schedule: RetrySchedule::List {
            delays_ms: vec![5_000, 3_600_000],
        },
        ..endpoint(|_| ()).policy
    };
    world.put(&with_policy(policy)).await;
    for number in 0..400 {
        world.post(&number.to_string()).await;
    }
    world.wait(20).await;
    world.answer(ACCEPTED);
    world.wait(20).await;
    assert_eq!(world.accepted().len(), 400);
}

#[tokio::test(start_paused = true)]
async fn one_bad_event_does_not_set_a_healthy_endpoint_errored() {
    let world = World::start().await;
    world
        .put(&endpoint(|endpoint| endpoint.failure_threshold = 2))
        .await;
    world.answer(FAILING);
    world.post("bad").await;
    world.wait_until(|world| world.attempts() == 1).await;
    world.answer(ACCEPTED);
    world.post("good").await;
    world.wait_until(|world| world.attempts() == 2).await;
    world.wait(120).await;
    // A second failure of the same event, long after another got through.
    let status = world.subscription().await.unwrap().status;
    assert_eq!(status, SubscriptionStatus::Active);
}

#[tokio::test(start_paused = true)]
async fn an_ordered_endpoint_gets_one_after_the_other() {
    let world = World::start().await;
    world.answer(FAILING);
    world
        .put(&endpoint(|endpoint| endpoint.ordered = true))
        .await;
    for number in 0..600 {
        world.post(&format!("{number:03}")).await;
    }
    world.wait(2).await;
    let tried = world.texts();
    assert!(tried.len() >= 2, "{tried:?}");
    assert!(
        tried.iter().all(|text| text == "000"),
        "the first holds the others: {tried:?}"
    );
    world.restart().await;
    world.answer(ACCEPTED);
    world.wait(60).await;
    let expected: Vec<_> = (0..600).map(|number| format!("{number:03}")).collect();
    assert_eq!(world.accepted(), expected);
}

#[tokio::test(start_paused = true)]
async fn order_goes_on_when_the_first_is_given_up() {
    let world = World::start().await;
    world.answer(FAILING);
    world
        .put(&endpoint(|endpoint| endpoint.ordered = true))
        .await;
    world.post("one").await;
    world.post("two").await;
    world
        .wait_until(|world| world.texts().contains(&"two".to_owned()))
        .await;
    let tried = world.texts();
    assert_eq!(tried, ["one", "one", "one", "one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn events_of_an_interval_are_sent_together() {
    let world = World::start().await;
    let batching = Batching {
        interval_ms: 120_000,
        events_max: 3,
    };
    world
        .put(&endpoint(|endpoint| endpoint.batching = Some(batching)))
        .await;
    for number in 0..5 {
        world.post(&number.to_string()).await;
    }
    world.wait(60).await;
    world.restart().await;
    assert_eq!(world.attempts(), 0, "the interval is not over");
    world.wait(61).await;
    let sizes: Vec<_> = world.requests().iter().map(|(_, size)| *size).collect();
    assert_eq!(sizes, [3, 2]);
    let states = world.states().await;
    let delivered = |state: &DeliveryState| matches!(state, DeliveryState::Delivered { .. });
    assert_eq!(states.iter().filter(|state| delivered(state)).count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_fails_is_tried_again() {
    let world = World::start().await;
    let batching = Batching {
        interval_ms: 60_000,
        events_max: 100,
    };
    world.answer(FAILING);
    world
        .put(&endpoint(|endpoint| endpoint.batching = Some(batching)))
        .await;
    world.post("one").await;
    world.post("two").await;
    world.wait_until(|world| world.attempts() == 1).await;
    world.answer(ACCEPTED);
    world.wait(60).await;
    let states = world.states().await;
    let delivered = |state: &DeliveryState| matches!(state, DeliveryState::Delivered { .. });
    assert!(states.iter().all(delivered), "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept_and_everything_arrives() {
    let world = World::start().await;
    let rate = RateLimit {
        count: 5,
        per_ms: 1_000,
    };
    world
        .put(&endpoint(|endpoint| endpoint.rate = Some(rate)))
        .await;
    for number in 0..23 {
        world.post(&number.to_string()).await;
    }
    world.wait(10).await;
    let times: Vec<u64> = world.requests().iter().map(|(at, _)| *at).collect();
    assert_eq!(times.len(), 23);
    for (index, first) in times.iter().enumerate() {
        let within = times[index..]
            .iter()
            .filter(|at| **at < first + 999)
            .count();
        assert!(within <= 5, "{within} from {first}: {times:?}");
    }
    let took = times[22] - times[0];
    assert!((3_900..=6_000).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_paused_endpoint_keeps_what_comes_over_a_restart() {
    let world = World::start().await;
    let subscription = endpoint(|_| {});
    world.put(&subscription).await;
    let paused = subscription.suspended(world.now());
    world.put(&paused).await;
    world.post("one").await;
    world.restart().await;
    world.post("two").await;
    world.wait(30 * DAY).await;
    assert_eq!(world.attempts(), 0);
    world.put(&paused.resumed(false, world.now())).await;
    world.wait(1).await;
    let mut accepted = world.accepted();
    accepted.sort();
    assert_eq!(accepted, ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_old_goes_and_what_waits_stays() {
    let world = World::start().await;
    let purger = world.keep_for_days(30).await;
    let subscription = endpoint(|_| {});
    world.put(&subscription).await;
    for number in 0..1_200 {
        world.post(&number.to_string()).await;
    }
    world.wait(HOUR).await;
    world.put(&subscription.suspended(world.now())).await;
    world.post("waits").await;
    world.wait(29 * DAY).await;
    assert_eq!(
        (world.events().await, world.deliveries().await),
        (1_201, 1_201)
    );
    world.wait(2 * DAY).await;
    assert_eq!((world.events().await, world.deliveries().await), (1, 1));
    let waits = world.states().await;
    assert!(
        matches!(waits[0], DeliveryState::Waiting { .. }),
        "{waits:?}"
    );
    purger.abort();
}

#[tokio::test(start_paused = true)]
async fn what_caught_up_keeps_its_settings_to_its_end() {
    let world = World::start().await;
    let catching_up = Subscription {
        catch_up_after: Some(EventId(0)),
        expires_at: after(HOUR),
        ..endpoint(|endpoint| "Billing".clone_into(&mut endpoint.description))
    };
    world.put(&catching_up).await;
    world.wait(HOUR + MINUTE).await;
    let expired = world.subscription().await.unwrap();
    assert_eq!(expired.ended_at, Some(after(HOUR)));
    assert_eq!(expired.catch_up_after, None);
    assert_eq!(expired.endpoint, catching_up.endpoint);
}
