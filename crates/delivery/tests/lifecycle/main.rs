//! The life of subscriptions in virtual time: hours and years pass in milliseconds. The life cycle,
//! the dispatcher and the store are the real ones; the network is told what to answer.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod endpoints;
mod erasure;
mod isolation;
mod jobs;
mod notices;
mod ownership;
mod scenarios;
mod world;

use std::time::Duration;

use hookyard_domain::{AttemptOutcome, EventFilter, Milestone, Subscription, SubscriptionStatus};

use world::{World, after, subscription};

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const REFUSED: AttemptOutcome = AttemptOutcome::Refused {
    status: 404,
    retry_after: None,
};

fn reminded(threshold: u64, interval: u64, ttl: u64) -> Subscription {
    let text = format!("/restapi/v1.0/subscription/~?threshold={threshold}&interval={interval}");
    let mut subscription = subscription();
    subscription.filters.push(EventFilter::read(&text).unwrap());
    subscription.ttl = Duration::from_secs(ttl);
    subscription.expires_at = after(ttl);
    subscription
}

#[tokio::test(start_paused = true)]
async fn reminders_come_at_their_times_and_stop_at_the_end() {
    let world = World::start().await;
    world.put(&reminded(60, 25, HOUR)).await;
    world.wait(2 * HOUR).await;
    let told: Vec<_> = world.sent();
    let expect = [
        (HOUR - 60, r#"{"expiresIn":60}"#.to_owned()),
        (HOUR - 35, r#"{"expiresIn":35}"#.to_owned()),
        (HOUR - 10, r#"{"expiresIn":10}"#.to_owned()),
    ];
    assert_eq!(told, expect);
    let filters = world.filters();
    assert!(
        filters
            .iter()
            .all(|filter| filter == "/restapi/v1.0/subscription/~?threshold=60&interval=25"),
        "as subscribed: {filters:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_renewal_moves_the_reminders() {
    let world = World::start().await;
    let subscription = reminded(60, 25, HOUR);
    world.put(&subscription).await;
    world.wait(HOUR - 50).await;
    assert_eq!(world.sent().len(), 1);
    let renewed = subscription.renewed(Some(subscription.ttl), world.now());
    world.put(&renewed).await;
    world.wait(HOUR - 70).await;
    assert_eq!(world.sent().len(), 1, "none before the new time");
    world.wait(30).await;
    assert_eq!(world.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_reminder_of_ten_years_comes_ten_years_later() {
    let world = World::start().await;
    let years = 3_650 * DAY;
    world.put(&reminded(3 * DAY, DAY, years)).await;
    world.wait(years - 3 * DAY - 1).await;
    assert_eq!(world.sent(), []);
    world.wait(2).await;
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_expires_and_is_forgotten_after_its_grace() {
    let world = World::start().await;
    let mut subscription = subscription();
    subscription.expires_at = after(HOUR);
    world.put(&subscription).await;
    world.wait(HOUR + 1).await;
    let ended = world.subscription().await.expect("still there");
    assert_eq!(ended.ended_at, Some(after(HOUR)));
    world.post("too late").await;
    world.wait(DAY - 2).await;
    assert!(world.subscription().await.is_some());
    world.wait(2).await;
    assert_eq!(world.subscription().await, None);
    assert_eq!(world.sent(), []);
    let expect = [(HOUR, Milestone::Expired, None)];
    assert_eq!(world.history().await, expect);
    world.wait(31 * DAY).await;
    assert_eq!(world.history().await, [], "forgotten after a month");
}

#[tokio::test(start_paused = true)]
async fn a_late_renewal_can_ask_for_what_was_missed() {
    let world = World::start().await;
    let mut subscription = subscription();
    subscription.expires_at = after(HOUR);
    world.put(&subscription).await;
    world.post("in time").await;
    world.wait(HOUR + 5).await;
    for text in ["missed 1", "missed 2"] {
        world.post(text).await;
        world.wait(1).await;
    }
    assert_eq!(world.texts(), ["in time"]);
    let ended = world.subscription().await.unwrap();
    let revived = ended.revived(Some(Duration::from_secs(DAY)), true, world.now());
    world.put(&revived).await;
    world.post("after").await;
    world.wait(MINUTE).await;
    let mut texts = world.texts();
    texts.sort();
    assert_eq!(texts, ["after", "in time", "missed 1", "missed 2"]);
    let caught_up = world.subscription().await.unwrap();
    assert_eq!(caught_up.catch_up_after, None);
}

#[tokio::test(start_paused = true)]
async fn catching_up_goes_through_many_pages_and_a_restart_and_repeats_nothing() {
    let world = World::start().await;
    let subscription = subscription();
    world.put(&subscription).await;
    world.put(&subscription.suspended(world.now())).await;
    for number in 0..450 {
        world.post(&format!("{number}")).await;
    }
    let suspended = world.subscription().await.unwrap();
    world.put(&suspended.resumed(true, world.now())).await;
    // The process ends at some moment of it, and another goes on.
    world.wait_until(|world| world.sent().len() > 20).await;
    world.restart().await;
    world.wait(HOUR).await;
    let mut texts = world.texts();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 450);
    assert_eq!(world.deliveries().await, 450, "one for each event");
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_of_failure_blacklist_with_the_reason() {
    let world = World::start().await;
    world.answer(REFUSED);
    world.put(&subscription()).await;
    for _ in 0..9 {
        world.post("hello").await;
        world.wait(MINUTE).await;
    }
    let status = |subscription: &Subscription| subscription.status;
    let failing = world.subscription().await.unwrap();
    assert_eq!(status(&failing), SubscriptionStatus::Active);
    let since = failing.failing_since.unwrap();
    assert!(since.since(after(0)) < Duration::from_secs(1), "{since}");
    world.wait(2 * MINUTE).await;
    let blacklisted = world.subscription().await.unwrap();
    assert_eq!(status(&blacklisted), SubscriptionStatus::Blacklisted);
    let (at, reason) = blacklisted.blacklisted.clone().unwrap();
    let after_ten = at.since(after(10 * MINUTE));
    assert!(after_ten < Duration::from_secs(60), "{after_ten:?} later");
    assert_eq!(
        reason,
        "Webhook responses with code: [404], reason: [Not Found]"
    );
    world.shake(false);
    let attempts = world.attempts();
    world.wait(HOUR).await;
    assert_eq!(world.attempts(), attempts, "nothing is sent any more");
}

#[tokio::test(start_paused = true)]
async fn failing_is_remembered_over_a_restart() {
    let world = World::start().await;
    world.answer(REFUSED);
    world.put(&subscription()).await;
    for _ in 0..6 {
        world.post("hello").await;
        world.wait(MINUTE).await;
    }
    world.restart().await;
    // Sooner than ten minutes after the restart.
    world.wait(9 * MINUTE).await;
    let blacklisted = world.subscription().await.unwrap();
    assert_eq!(blacklisted.status, SubscriptionStatus::Blacklisted);
}

#[tokio::test(start_paused = true)]
async fn one_success_in_between_keeps_it_active() {
    let world = World::start().await;
    world.put(&subscription()).await;
    for minute in 0..60 {
        let fails = minute % 9 != 0;
        world.answer(if fails {
            REFUSED
        } else {
            AttemptOutcome::Accepted { status: 200 }
        });
        world.post("hello").await;
        world.wait(MINUTE).await;
    }
    let subscription = world.subscription().await.unwrap();
    assert_eq!(subscription.status, SubscriptionStatus::Active);
}

#[tokio::test(start_paused = true)]
async fn a_probe_heals_and_brings_what_was_missed() {
    let world = World::start().await;
    world.answer(REFUSED);
    world.shake(false);
    world.put(&subscription()).await;
    for _ in 0..12 {
        world.post("before").await;
        world.wait(MINUTE).await;
    }
    let blacklisted = world.subscription().await.unwrap();
    let (since, _) = blacklisted.blacklisted.unwrap();
    world.post("meanwhile").await;
    world.wait(HOUR).await;
    assert_eq!(world.handshakes(), 4, "every quarter of an hour");
    let still = world.subscription().await.unwrap();
    assert_eq!(still.status, SubscriptionStatus::Blacklisted);
    world.answer(AttemptOutcome::Accepted { status: 200 });
    world.shake(true);
    world.wait(15 * MINUTE).await;
    let healed = world.subscription().await.unwrap();
    assert_eq!(healed.status, SubscriptionStatus::Active);
    assert_eq!(healed.blacklisted, None);
    assert_eq!(healed.failing_since, None);
    world.wait(HOUR).await;
    let accepted = world.accepted();
    assert!(accepted.contains(&"meanwhile".to_owned()), "{accepted:?}");
    assert_eq!(accepted.len(), 13, "each once: {accepted:?}");
    let milestones: Vec<_> = world
        .history()
        .await
        .into_iter()
        .map(|(at, what, _)| (at, what))
        .collect();
    let blacklisted_at = since.since(after(0)).as_secs();
    let expect = [
        (blacklisted_at, Milestone::Blacklisted),
        (blacklisted_at + 75 * MINUTE, Milestone::Healed),
    ];
    assert_eq!(milestones, expect);
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_with_what_is_due() {
    let world = World::start().await;
    world.put(&reminded(60, 25, HOUR)).await;
    world.wait(HOUR - 50).await;
    world.restart().await;
    world.wait(DAY + HOUR).await;
    assert_eq!(world.sent().len(), 3);
    assert_eq!(world.subscription().await, None);
}
