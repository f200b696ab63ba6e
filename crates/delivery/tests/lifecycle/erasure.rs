//! Erasing in virtual time: restarts in the middle, and what was still to be sent.

use std::collections::BTreeSet;

use hookyard_domain::{
    AttemptOutcome, Audience, ErasureSubject, Event, EventId, EventKind, JobStatus, JobWork,
    Subscription, SubscriptionWrite,
};
use hookyard_testkit::sample::{self, ACCOUNT, OWNER};

use crate::HOUR;
use crate::world::World;

/// More than two pages.
const MANY: usize = 450;

fn endpoint() -> Subscription {
    sample::endpoint(1, "https://receiver.example.com/")
}

fn erase(subject: ErasureSubject) -> JobWork {
    JobWork::Erase { subject }
}

fn presence(world: &World) -> Event {
    Event {
        id: EventId::PENDING,
        kind: EventKind::Presence,
        event_type: "presence".into(),
        audience: Audience::Persons([OWNER].into()),
        chat: None,
        post: None,
        body: r#"{"text":"presence"}"#.into(),
        ..sample::event(1, world.now())
    }
}

#[tokio::test(start_paused = true)]
async fn an_erasure_goes_on_after_a_restart_and_leaves_nothing() {
    let world = World::start().await;
    let (ours, other) = (
        endpoint(),
        sample::endpoint(2, "https://other.example.com/"),
    );
    world.put(&ours).await;
    world.put(&other).await;
    for number in 0..MANY {
        world.post(&number.to_string()).await;
    }
    world.wait(60).await;
    assert_eq!(world.deliveries().await, 2 * MANY);
    let delete = SubscriptionWrite::Delete {
        account: ACCOUNT,
        subscription: ours.id,
        at: world.now(),
    };
    world.commit(delete).await;
    let job = world.begin(erase(ErasureSubject::Endpoint(ours.id))).await;
    let mut seen = BTreeSet::new();
    while world.job(&job).await.is_running() {
        if seen.insert(world.job(&job).await.done) {
            world.restart().await;
        }
        tokio::task::yield_now().await;
    }
    assert!(seen.len() > 2, "it was stopped between its pages: {seen:?}");
    let ended = world.job(&job).await;
    let many = MANY as u64;
    assert_eq!(ended.status, JobStatus::Done);
    assert_eq!((ended.total, ended.done, ended.sent), (Some(many), many, 0));
    assert_eq!(world.deliveries().await, MANY, "the other one's stay");
    assert_eq!(world.events().await, MANY, "and so does what it was sent");
}

#[tokio::test(start_paused = true)]
async fn what_was_to_be_tried_again_is_not_sent_once_it_is_erased() {
    let world = World::start().await;
    world.put(&endpoint()).await;
    world.answer(AttemptOutcome::Refused {
        status: 500,
        retry_after: None,
    });
    let event = presence(&world);
    world.announce(event).await;
    world.post("of another").await;
    world.wait_until(|world| world.attempts() == 2).await;
    let job = world.begin(erase(ErasureSubject::Person(OWNER))).await;
    let job = world.end_of(&job).await;
    assert_eq!((job.status, job.done), (JobStatus::Done, 2));
    let before = world.texts();
    world.answer(AttemptOutcome::Accepted { status: 200 });
    world.wait(HOUR).await;
    let again = &world.texts()[before.len()..];
    assert_eq!(again, ["of another"], "tried before: {before:?}");
    assert_eq!(world.deliveries().await, 1);
}
