//! Jobs in virtual time: what they send, restarts in the middle, cancelling.

use std::collections::BTreeSet;

use hookyard_domain::kernel::ports::StateQuery;
use hookyard_domain::{
    AttemptOutcome, DeliverySelection, JobStatus, JobWork, JobWrite, OutcomeKind, Subscription,
    SubscriptionWrite, TypePattern,
};
use hookyard_testkit::sample::{self, ACCOUNT};

use crate::HOUR;
use crate::world::{World, after};

const FAILING: AttemptOutcome = AttemptOutcome::Refused {
    status: 500,
    retry_after: None,
};
const ACCEPTED: AttemptOutcome = AttemptOutcome::Accepted { status: 200 };
/// More than two pages.
const MANY: usize = 450;

fn endpoint() -> Subscription {
    sample::endpoint(1, "https://receiver.example.com/")
}

fn delivered() -> JobWork {
    JobWork::Resend {
        selection: DeliverySelection {
            state: Some(StateQuery::Delivered),
            ..DeliverySelection::default()
        },
    }
}

/// A world with an endpoint that has got so many events.
async fn world_with_deliveries(count: usize) -> World {
    let world = World::start().await;
    world.put(&endpoint()).await;
    for number in 0..count {
        world.post(&number.to_string()).await;
    }
    world.wait_until(|world| world.attempts() == count).await;
    world.wait(1).await;
    world
}

#[tokio::test(start_paused = true)]
async fn recovering_sends_what_was_given_up_and_nothing_else() {
    let world = World::start().await;
    world.put(&endpoint()).await;
    world.answer(FAILING);
    world.post("too early").await;
    world.wait(60).await;
    let trouble = world.now();
    for text in ["one", "two", "three"] {
        world.post(text).await;
        world.wait(1).await;
    }
    world.wait(HOUR).await;
    world.answer(ACCEPTED);
    world.post("after").await;
    world.wait(60).await;
    assert_eq!(world.accepted(), ["after"]);
    let recover = JobWork::Recover {
        endpoint: endpoint().id,
        since: trouble,
    };
    let job = world.begin(recover.clone()).await;
    let job = world.end_of(&job).await;
    assert_eq!(
        (job.status, job.total, job.done, job.sent),
        (JobStatus::Done, Some(3), 3, 3)
    );
    world.wait(60).await;
    assert_eq!(world.accepted(), ["after", "one", "two", "three"]);
    let again = world.begin(recover).await;
    let again = world.end_of(&again).await;
    assert_eq!(
        (again.total, again.sent),
        (Some(0), 0),
        "nothing is left to recover"
    );
}

#[tokio::test(start_paused = true)]
async fn how_an_endpoint_fares_is_counted() {
    let world = World::start().await;
    world.put(&endpoint()).await;
    world.post("fine").await;
    world.wait(600).await;
    world.answer(FAILING);
    for text in ["one", "two"] {
        world.post(text).await;
    }
    world.wait(HOUR).await;
    let counted = world.statistics().await;
    assert_eq!((counted.delivered, counted.abandoned), (1, 2));
    let attempts: Vec<_> = counted.attempts.into_iter().collect();
    let expect = [(OutcomeKind::Status(200), 1), (OutcomeKind::Status(500), 8)];
    assert_eq!(attempts, expect, "two deliveries of four attempts each");
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_on_after_a_restart_and_repeats_nothing() {
    let world = world_with_deliveries(MANY).await;
    let job = world.begin(delivered()).await;
    let mut seen = BTreeSet::new();
    let mut restarts = 0;
    loop {
        let current = world.job(&job).await;
        assert!(seen.last().is_none_or(|done| *done <= current.done));
        if !current.is_running() {
            break;
        }
        if current.done > 0 && seen.insert(current.done) {
            world.restart().await;
            restarts += 1;
        }
        tokio::task::yield_now().await;
    }
    assert!(restarts >= 2, "it was stopped after each page: {seen:?}");
    let ended = world.job(&job).await;
    let many = MANY as u64;
    assert_eq!((ended.status, ended.total), (JobStatus::Done, Some(many)));
    assert_eq!((ended.done, ended.sent), (many, many));
    assert_eq!(world.deliveries().await, 2 * MANY, "one more of each");
    world.wait(HOUR).await;
    let texts: BTreeSet<_> = world.accepted().into_iter().collect();
    assert_eq!(texts.len(), MANY);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_job_does_no_further_page() {
    let world = world_with_deliveries(MANY).await;
    let job = world.begin(delivered()).await;
    while world.job(&job).await.done == 0 {
        tokio::task::yield_now().await;
    }
    let cancel = JobWrite::Cancel {
        account: ACCOUNT,
        job: job.id,
        at: world.now(),
    };
    world.commit(cancel.clone()).await;
    world.wait(HOUR).await;
    let ended = world.job(&job).await;
    assert_eq!(ended.status, JobStatus::Cancelled);
    assert!(ended.done < MANY as u64, "{}", ended.done);
    let sent = usize::try_from(ended.sent).unwrap();
    assert_eq!(world.deliveries().await, MANY + sent);
    world.restart().await;
    world.wait(HOUR).await;
    world.commit(cancel).await;
    assert_eq!(world.job(&job).await, ended, "it stays as it is");
    assert_eq!(world.deliveries().await, MANY + sent);
}

#[tokio::test(start_paused = true)]
async fn replaying_sends_what_the_endpoint_asks_for_now_and_never_got() {
    let world = World::start().await;
    for text in ["zero", "one", "two"] {
        world.post(text).await;
        world.wait(60).await;
    }
    world.put(&endpoint()).await;
    world.post("got").await;
    world.wait(60).await;
    assert_eq!(world.accepted(), ["got"]);
    let replay = |since, types: &[&str]| JobWork::Replay {
        endpoint: endpoint().id,
        since,
        until: after(HOUR),
        types: types
            .iter()
            .map(|text| TypePattern::parse(text).unwrap())
            .collect(),
    };
    let other = world.begin(replay(after(0), &["invoice.*"])).await;
    assert_eq!(world.end_of(&other).await.sent, 0, "none is of these types");
    let job = world.begin(replay(after(30), &["post.*"])).await;
    let job = world.end_of(&job).await;
    assert_eq!(
        (job.status, job.total, job.done, job.sent),
        (JobStatus::Done, Some(3), 3, 2)
    );
    world.wait(60).await;
    assert_eq!(world.accepted(), ["got", "one", "two"]);
    let again = world.begin(replay(after(0), &[])).await;
    assert_eq!(
        world.end_of(&again).await.sent,
        1,
        "what was replayed has been got"
    );
    world.wait(60).await;
    assert_eq!(world.accepted(), ["got", "one", "two", "zero"]);
}

#[tokio::test(start_paused = true)]
async fn a_long_replay_goes_on_after_a_restart() {
    let world = World::start().await;
    for number in 0..MANY {
        world.post(&number.to_string()).await;
    }
    world.put(&endpoint()).await;
    let job = world
        .begin(JobWork::Replay {
            endpoint: endpoint().id,
            since: after(0),
            until: after(HOUR),
            types: Vec::new(),
        })
        .await;
    while world.job(&job).await.done == 0 {
        tokio::task::yield_now().await;
    }
    assert!(world.job(&job).await.is_running());
    world.restart().await;
    let ended = world.end_of(&job).await;
    assert_eq!((ended.done, ended.sent), (MANY as u64, MANY as u64));
    assert_eq!(world.deliveries().await, MANY);
}

#[tokio::test(start_paused = true)]
async fn a_job_about_an_endpoint_that_is_gone_fails_and_says_so() {
    let world = world_with_deliveries(1).await;
    let delete = SubscriptionWrite::Delete {
        account: ACCOUNT,
        subscription: endpoint().id,
        at: world.now(),
    };
    world.commit(delete).await;
    let job = world
        .begin(JobWork::Recover {
            endpoint: endpoint().id,
            since: after(0),
        })
        .await;
    let job = world.end_of(&job).await;
    assert_eq!(job.status, JobStatus::Failed);
    assert!(job.error.unwrap().contains("deleted"));
    assert_eq!(
        world.statistics().await.delivered,
        0,
        "its numbers went with it"
    );
}
