//! Scenarios in virtual time: their pace, restarts in the middle, stopping one.

use std::sync::Arc;

use hookyard_domain::{
    AttemptOutcome, JobStatus, JobWork, JobWrite, Scenario, Subscription, SubscriptionId,
    SubscriptionWrite, TypePattern,
};
use hookyard_testkit::sample::{self, ACCOUNT};
use serde_json::Value;

use crate::HOUR;
use crate::world::World;

const NAME: &str = "invoice-paid";

fn endpoint() -> Subscription {
    sample::endpoint(1, "https://receiver.example.com/")
}

/// Asks for invoices alone.
fn other_endpoint() -> Subscription {
    let mut other = sample::endpoint(2, "https://other.example.com/");
    let settings = Arc::make_mut(other.endpoint.as_mut().unwrap());
    settings.types = vec![TypePattern::parse("invoice.*").unwrap()];
    other
}

fn play(endpoint: Option<SubscriptionId>, pause_ms: u64) -> JobWork {
    JobWork::Scenario {
        name: NAME.into(),
        endpoint,
        pause_ms,
    }
}

async fn world() -> World {
    let world = World::start().await;
    world.put(&endpoint()).await;
    world.put(&other_endpoint()).await;
    world
}

fn steps() -> usize {
    Scenario::named(NAME).unwrap().steps.len()
}

/// The ids of invoices that were sent, and the seconds at which they were.
fn invoices(world: &World) -> (Vec<String>, Vec<u64>) {
    let read = |body: &str| {
        let data: Value = serde_json::from_str(body).unwrap();
        data["invoiceId"].as_str().unwrap().to_owned()
    };
    world
        .sent()
        .iter()
        .map(|(at, body)| (read(body), *at))
        .unzip()
}

#[tokio::test(start_paused = true)]
async fn a_scenario_is_sent_to_its_endpoint_alone_step_by_step() {
    let world = world().await;
    let job = world.begin(play(Some(endpoint().id), 60_000)).await;
    world.wait(150).await;
    let halfway = world.job(&job).await;
    assert_eq!((halfway.total, halfway.done), (Some(6), 3));
    assert_eq!(halfway.status, JobStatus::Running);
    let job = world.end_of(&job).await;
    assert_eq!((job.status, job.done, job.sent), (JobStatus::Done, 6, 6));
    world.wait(60).await;
    let (ids, times) = invoices(&world);
    assert_eq!(times, [0, 60, 120, 180, 240, 300]);
    assert_eq!(ids, vec![format!("inv_{}", job.id); steps()]);
}

#[tokio::test(start_paused = true)]
async fn a_published_scenario_reaches_all_who_ask_for_its_types() {
    let world = world().await;
    let job = world.begin(play(None, 1_000)).await;
    assert_eq!(world.end_of(&job).await.sent, 6);
    world.wait(60).await;
    // The other one asks for four of them.
    assert_eq!(world.attempts(), steps() + 4);
}

#[tokio::test(start_paused = true)]
async fn a_scenario_goes_on_after_a_restart_with_the_same_invoice_and_pace() {
    let world = world().await;
    let job = world.begin(play(Some(endpoint().id), 60_000)).await;
    for _ in 0..11 {
        world.restart().await;
        world.wait(30).await;
    }
    let job = world.end_of(&job).await;
    assert_eq!((job.status, job.done), (JobStatus::Done, 6));
    world.wait(60).await;
    let (ids, times) = invoices(&world);
    assert_eq!(ids, vec![format!("inv_{}", job.id); steps()]);
    assert_eq!(times, [0, 60, 120, 180, 240, 300]);
}

#[tokio::test(start_paused = true)]
async fn scenarios_that_pause_keep_no_other_job_waiting() {
    let world = world().await;
    let slow = play(Some(endpoint().id), 600_000);
    for _ in 0..5 {
        world.begin(slow.clone()).await;
    }
    world.wait(5).await;
    let quick = world.begin(play(Some(endpoint().id), 0)).await;
    world.wait(5).await;
    assert_eq!(world.job(&quick).await.status, JobStatus::Done);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_scenario_takes_no_further_step() {
    let world = world().await;
    let job = world.begin(play(Some(endpoint().id), 60_000)).await;
    world.wait(90).await;
    let cancel = JobWrite::Cancel {
        account: ACCOUNT,
        job: job.id,
        at: world.now(),
    };
    world.commit(cancel).await;
    world.wait(HOUR).await;
    let ended = world.job(&job).await;
    assert_eq!((ended.status, ended.done), (JobStatus::Cancelled, 2));
    assert_eq!(world.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_scenario_whose_endpoint_is_deleted_fails_and_says_so() {
    let world = world().await;
    world.answer(AttemptOutcome::Accepted { status: 204 });
    let job = world.begin(play(Some(endpoint().id), 60_000)).await;
    world.wait(90).await;
    let delete = SubscriptionWrite::Delete {
        account: ACCOUNT,
        subscription: endpoint().id,
        at: world.now(),
    };
    world.commit(delete).await;
    let ended = world.end_of(&job).await;
    assert_eq!((ended.status, ended.done), (JobStatus::Failed, 2));
    assert!(ended.error.unwrap().contains("deleted"));
    assert_eq!(world.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_scenario_that_is_no_more_fails() {
    let world = world().await;
    let gone = JobWork::Scenario {
        name: "a-former-one".into(),
        endpoint: Some(endpoint().id),
        pause_ms: 0,
    };
    let job = world.begin(gone).await;
    let ended = world.end_of(&job).await;
    assert_eq!(ended.status, JobStatus::Failed);
    assert!(ended.error.unwrap().contains("a-former-one"));
}
