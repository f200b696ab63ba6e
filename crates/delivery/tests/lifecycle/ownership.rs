//! A node among others: what it does not own it leaves alone, what it gains it goes on with, and
//! what it loses it drops.

use std::time::Duration;

use hookyard_domain::kernel::component::{Component as _, State};
use hookyard_domain::kernel::ownership::{Claim, Duty};
use hookyard_domain::{AttemptOutcome, JobStatus, JobWork, Scenario, Subscription};
use hookyard_testkit::{ScriptedOwnership, sample};
use tokio::time::Instant;

use crate::world::{World, after, subscription};
use crate::{DAY, HOUR, MINUTE};

const FAILING: AttemptOutcome = AttemptOutcome::Refused {
    status: 500,
    retry_after: None,
};
const ACCEPTED: AttemptOutcome = AttemptOutcome::Accepted { status: 200 };
const LIFECYCLE: Claim = Claim::Duty(Duty::Lifecycle);
const JOBS: Claim = Claim::Duty(Duty::Jobs);
const LETTERS: Claim = Claim::Duty(Duty::Letters);
const RETENTION: Claim = Claim::Duty(Duty::Retention);

fn lane() -> Claim {
    Claim::on_lane_of(subscription().id)
}

/// A node that owns everything but this.
async fn world_without(claim: Claim) -> World {
    let ownership = ScriptedOwnership::of_everything();
    ownership.take(claim);
    World::start_owning(ownership).await
}

async fn state(world: &World, name: &str) -> State {
    world.status(name).await.state
}

async fn lanes(world: &World) -> Option<u64> {
    world.status("dispatcher").await.figure("lanes")
}

#[tokio::test(start_paused = true)]
async fn what_is_not_owned_is_not_sent_and_a_gained_lane_reads_its_backlog() {
    let world = world_without(lane()).await;
    world.put(&subscription()).await;
    for text in ["one", "two"] {
        world.post(text).await;
    }
    world.wait(HOUR).await;
    assert_eq!((world.attempts(), lanes(&world).await), (0, Some(0)));
    world.ownership.give(lane());
    world.wait(1).await;
    world.post("three").await;
    world.wait(1).await;
    assert_eq!(world.texts(), ["one", "two", "three"]);
}

#[tokio::test(start_paused = true)]
async fn a_lane_gained_while_it_is_written_to_sends_everything_once() {
    let world = world_without(lane()).await;
    world.put(&subscription()).await;
    let mut expected = Vec::new();
    for number in 0..40 {
        if number == 20 {
            world.ownership.give(lane());
        }
        expected.push(number.to_string());
        world.post(&number.to_string()).await;
        if number % 3 == 0 {
            tokio::task::yield_now().await;
        }
    }
    world.wait(MINUTE).await;
    let mut texts = world.texts();
    texts.sort_by_key(|text| text.parse::<u32>().unwrap());
    assert_eq!(texts, expected);
}

#[tokio::test(start_paused = true)]
async fn a_lost_lane_is_dropped_with_what_waits_in_it() {
    let world = World::start().await;
    world.put(&subscription()).await;
    world.answer(FAILING);
    world.post("one").await;
    world.wait(1).await;
    let tried = world.attempts();
    assert_eq!((tried > 0, lanes(&world).await), (true, Some(1)));
    world.ownership.take(lane());
    world.wait(DAY).await;
    world.post("two").await;
    world.wait(DAY).await;
    assert_eq!((world.attempts(), lanes(&world).await), (tried, Some(0)));
    world.answer(ACCEPTED);
    world.ownership.give(lane());
    world.wait(HOUR).await;
    assert_eq!(world.accepted(), ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ran_out_unnoticed_sends_nothing_more() {
    let world = World::start().await;
    world.put(&subscription()).await;
    world.answer(FAILING);
    world.post("one").await;
    world.wait(1).await;
    let tried = world.attempts();
    world.ownership.expire(lane());
    world.post("two").await;
    world.wait(DAY).await;
    assert_eq!((world.attempts(), lanes(&world).await), (tried, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_came_back_begins_anew() {
    let world = World::start().await;
    world.put(&subscription()).await;
    world.answer(FAILING);
    world.post("one").await;
    world.wait(1).await;
    // Another node delivered it meanwhile, and this one noticed neither loss nor gain.
    world.ownership.expire(lane());
    world.give_up_all().await;
    world.ownership.give(lane());
    let tried = world.attempts();
    world.wait(DAY).await;
    assert_eq!(world.attempts(), tried);
    world.answer(ACCEPTED);
    world.post("two").await;
    world.wait(1).await;
    assert_eq!(world.accepted(), ["two"]);
}

#[tokio::test(start_paused = true)]
async fn only_who_has_the_duty_ends_subscriptions() {
    let world = world_without(LIFECYCLE).await;
    let ends = |seconds| Subscription {
        expires_at: after(seconds),
        ..subscription()
    };
    world.put(&ends(HOUR)).await;
    world.wait(2 * HOUR).await;
    assert_eq!(world.subscription().await.unwrap().ended_at, None);
    assert_eq!(state(&world, "lifecycle").await, State::Standby);
    world.ownership.give(LIFECYCLE);
    world.wait(MINUTE).await;
    assert_eq!(state(&world, "lifecycle").await, State::Running);
    let ended = world.subscription().await.unwrap().ended_at;
    assert_eq!(ended, Some(after(2 * HOUR)));
    world.ownership.take(LIFECYCLE);
    world.wait(2 * DAY).await;
    assert!(world.subscription().await.is_some(), "nobody forgets it");
    assert_eq!(
        world.status("lifecycle").await.figure("subscriptions"),
        Some(0)
    );
}

#[tokio::test(start_paused = true)]
async fn who_has_the_lane_blacklists_whoever_has_the_duty() {
    let world = world_without(LIFECYCLE).await;
    world.put(&subscription()).await;
    world.answer(FAILING);
    for number in 0..30 {
        world.post(&number.to_string()).await;
        world.wait(MINUTE).await;
    }
    let blacklisted = world.subscription().await.unwrap().blacklisted;
    assert!(blacklisted.is_some());
    world.wait(2 * HOUR).await;
    assert_eq!(world.handshakes(), 0, "probing is the duty's");
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_on_where_the_duty_is() {
    let world = world_without(JOBS).await;
    let endpoint = sample::endpoint(1, "https://receiver.example.com/");
    world.put(&endpoint).await;
    let job = world
        .begin(JobWork::Scenario {
            name: "invoice-paid".into(),
            endpoint: Some(endpoint.id),
            pause_ms: 60_000,
        })
        .await;
    world.wait(HOUR).await;
    assert_eq!(world.job(&job).await.total, None);
    world.ownership.give(JOBS);
    let steps = Scenario::named("invoice-paid").unwrap().steps.len() as u64;
    while world.job(&job).await.done < 2 {
        world.wait(1).await;
    }
    assert_eq!(world.status("jobs").await.figure("running"), Some(1));
    world.ownership.take(JOBS);
    let left = world.job(&job).await;
    world.wait(HOUR).await;
    assert_eq!(world.job(&job).await.done, left.done);
    assert_eq!(world.status("jobs").await.figure("running"), Some(0));
    world.ownership.give(JOBS);
    let ended = world.end_of(&job).await;
    assert_eq!((ended.status, ended.done), (JobStatus::Done, steps));
    world.wait(MINUTE).await;
    assert_eq!(world.attempts() as u64, steps);
}

#[tokio::test(start_paused = true)]
async fn only_who_has_the_duty_writes_letters() {
    let world = world_without(LETTERS).await;
    let endpoint = sample::endpoint(1, "https://receiver.example.com/");
    world.put(&endpoint).await;
    let errored = endpoint.errored("It answered 500".to_owned(), world.now());
    world.put(&errored).await;
    world.wait(HOUR).await;
    assert_eq!(world.letters().len(), 0);
    // Half-way through a letter the duty is lost: who has it then sends it.
    world.post_office(None, 10);
    world.ownership.give(LETTERS);
    world.wait(5).await;
    world.ownership.take(LETTERS);
    world.wait(HOUR).await;
    assert_eq!(world.letters().len(), 0);
    assert_eq!(state(&world, "letters").await, State::Standby);
    world.ownership.give(LETTERS);
    world.wait(MINUTE).await;
    assert_eq!(world.letters().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_who_has_the_duty_removes_what_is_old() {
    let world = world_without(RETENTION).await;
    let purger = world.keep_for_days(1).await;
    world.put(&subscription()).await;
    world.post("old").await;
    world.wait(3 * DAY).await;
    assert_eq!(world.events().await, 1);
    assert_eq!(purger.status().state, State::Standby);
    world.ownership.give(RETENTION);
    world.wait(1).await;
    assert_eq!(world.events().await, 0);
    let deadline = Instant::now() + Duration::from_secs(1);
    purger.stop(deadline.into_std()).await;
    assert_eq!(purger.status().state, State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_is_counted_and_its_lane_goes_on() {
    let world = World::start().await;
    world.put(&subscription()).await;
    world.panic_next(2);
    world.post("one").await;
    world.wait(1).await;
    let status = world.status("dispatcher").await;
    assert_eq!(status.panics, 1);
    let message = status.last_error.unwrap().message;
    assert!(message.contains("a bug that a test asked for"), "{message}");
    world.post("two").await;
    world.wait(MINUTE).await;
    let mut accepted = world.accepted();
    accepted.sort();
    assert_eq!(accepted, ["one", "two"]);
    let status = world.status("dispatcher").await;
    assert_eq!((status.panics, status.figure("lanes")), (2, Some(0)));
}
