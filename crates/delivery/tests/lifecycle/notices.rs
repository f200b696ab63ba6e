//! Owners are told by e-mail of endpoints that became Errored: once, whatever happens, and without
//! anybody waiting for it.

use std::sync::Arc;

use hookyard_delivery::MailError;
use hookyard_domain::{
    AttemptOutcome, Endpoint, Milestone, Person, PersonId, PersonStatus, Subscription,
    SubscriptionStatus,
};
use hookyard_testkit::sample;

use crate::world::{World, after};
use crate::{DAY, HOUR, MINUTE};

const FAILING: AttemptOutcome = AttemptOutcome::Refused {
    status: 500,
    retry_after: None,
};
const ACCEPTED: AttemptOutcome = AttemptOutcome::Accepted { status: 200 };

/// An endpoint that is Errored after its third failure.
fn endpoint(description: &str) -> Subscription {
    let mut subscription = sample::endpoint(1, "https://receiver.example.com/in?key=s3cret");
    let mut endpoint = Endpoint::clone(subscription.endpoint.as_ref().unwrap());
    endpoint.failure_threshold = 3;
    description.clone_into(&mut endpoint.description);
    subscription.endpoint = Some(Arc::new(endpoint));
    subscription
}

fn down() -> MailError {
    MailError::Later("nothing answers".into())
}

/// An endpoint becomes Errored.
async fn fail(world: &World, description: &str) -> Subscription {
    world.answer(FAILING);
    world.put(&endpoint(description)).await;
    world.post("one").await;
    errored(world).await
}

async fn errored(world: &World) -> Subscription {
    loop {
        let subscription = world.subscription().await.unwrap();
        if subscription.status == SubscriptionStatus::Errored {
            return subscription;
        }
        world.wait(1).await;
    }
}

/// Seconds at which letters were tried.
fn tries(world: &World) -> Vec<u64> {
    world.letters().iter().map(|(at, ..)| *at).collect()
}

async fn notified(world: &World) -> Vec<String> {
    let history = world.history().await;
    let notices = history
        .into_iter()
        .filter(|(_, milestone, _)| *milestone == Milestone::Notified);
    notices
        .map(|(_, _, detail)| detail.unwrap_or_default())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_owner_is_told_once_what_happened_and_what_to_do() {
    let world = World::start().await;
    let errored = fail(&world, "Billing").await;
    world.post("two").await;
    world.wait(MINUTE).await;
    // Whatever is done to it while it is Errored is no news.
    world.put(&errored).await;
    world.restart().await;
    world.wait(30 * DAY).await;
    world.restart().await;
    world.wait(DAY).await;
    let letters = world.letters();
    let [(_, letter, true)] = &letters[..] else {
        panic!("exactly one letter: {letters:?}");
    };
    assert_eq!(letter.to, "olivia@example.com");
    assert_eq!(
        letter.subject,
        "Webhook endpoint Errored: \"Billing\": It answered 500 Internal Server Error"
    );
    let id = errored.id;
    for expected in [
        "Hello Olivia Owner,",
        "https://receiver.example.com/in?…",
        "Last answer:    It answered 500 Internal Server Error",
        &format!("Failing since:  {}", errored.failing_since.unwrap()),
        &format!("Errored since:  {}", errored.paused_at.unwrap()),
        "1 event waits",
        &format!("\nhttps://hooks.example.com/settings/webhooks/{id}\n"),
        &format!("curl -X POST https://hooks.example.com/api/v1/endpoints/{id}/recover"),
        "because the endpoint is yours",
    ] {
        assert!(
            letter.body.contains(expected),
            "{expected}: {}",
            letter.body
        );
    }
    assert!(!letter.body.contains("s3cret"), "{}", letter.body);
    assert!(errored.failing_since.unwrap() < errored.paused_at.unwrap());
    assert!(errored.failing_since.unwrap() < after(2));
    assert_eq!(notified(&world).await, ["One person was told by e-mail."]);
}

#[tokio::test(start_paused = true)]
async fn each_errored_period_is_told() {
    let world = World::start().await;
    let first = fail(&world, "Billing").await;
    world.wait(MINUTE).await;
    world.answer(ACCEPTED);
    world.put(&first.resumed(false, world.now())).await;
    world.wait(HOUR).await;
    assert_eq!(world.letters().len(), 1);
    world.answer(FAILING);
    world.post("two").await;
    errored(&world).await;
    world.wait(DAY).await;
    let letters = world.letters();
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert_ne!(letters[0].1.id, letters[1].1.id);
}

#[tokio::test(start_paused = true)]
async fn a_mail_server_that_is_down_is_tried_again_and_delays_nobody() {
    let world = World::start().await;
    // Each try takes as long as a try may take.
    world.post_office(Some(down()), 30);
    let errored_at = fail(&world, "Billing").await.paused_at.unwrap();
    let began = errored_at.since(after(0)).as_secs();
    world.wait(MINUTE).await;
    // Others are sent to meanwhile.
    let other = sample::subscription(2, "https://other.example.com/");
    world.answer(ACCEPTED);
    world.put(&other).await;
    let before = world.now();
    world.post("two").await;
    world.wait_until(|world| world.accepted() == ["two"]).await;
    assert!(world.now().since(before).as_millis() < 100);
    world.wait(10 * MINUTE).await;
    let expected: Vec<u64> = [30, 30 + 60 + 30, 30 + 60 + 30 + 300 + 30]
        .map(|pause| began + pause)
        .to_vec();
    for (at, expected) in tries(&world).iter().zip(&expected) {
        assert!(
            at.abs_diff(*expected) <= 2,
            "{:?} {expected:?}",
            tries(&world)
        );
    }
    assert_eq!(tries(&world).len(), 3);
    assert_eq!(notified(&world).await, [""; 0]);
    // It is back, and the letter is the same.
    world.post_office(None, 0);
    world.wait(DAY).await;
    let letters = world.letters();
    assert_eq!(letters.len(), 4, "{letters:?}");
    assert!(letters[3].2);
    assert_eq!(letters[0].1.id, letters[3].1.id);
    assert_eq!(notified(&world).await, ["One person was told by e-mail."]);
}

#[tokio::test(start_paused = true)]
async fn after_its_last_try_a_letter_is_given_up() {
    let world = World::start().await;
    world.post_office(Some(down()), 0);
    fail(&world, "Billing").await;
    world.wait(DAY).await;
    assert_eq!(tries(&world).len(), 5);
    world.restart().await;
    world.wait(DAY).await;
    assert_eq!(tries(&world).len(), 5);
    let detail = "Nobody could be told by e-mail: nothing answers";
    assert_eq!(notified(&world).await, [detail]);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_run_left_untold_is_told_after_the_start() {
    let world = World::start().await;
    world.post_office(Some(down()), 0);
    fail(&world, "Billing").await;
    world.wait(2 * MINUTE).await;
    assert_eq!(tries(&world).len(), 2);
    world.post_office(None, 0);
    world.restart().await;
    world.wait(1).await;
    let sent: Vec<bool> = world.letters().iter().map(|(_, _, sent)| *sent).collect();
    assert_eq!(sent, [false, false, true]);
    world.wait(DAY).await;
    assert_eq!(tries(&world).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_has_been_put_right_meanwhile_is_not_told() {
    let world = World::start().await;
    world.post_office(Some(down()), 0);
    let errored = fail(&world, "Billing").await;
    world.wait(1).await;
    world.answer(ACCEPTED);
    world.put(&errored.resumed(false, world.now())).await;
    world.post_office(None, 0);
    world.wait(DAY).await;
    assert_eq!(tries(&world).len(), 1);
    assert_eq!(notified(&world).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_refused_is_not_sent_again() {
    let world = World::start().await;
    world.post_office(Some(MailError::Never("550 no such person".into())), 0);
    fail(&world, "Billing").await;
    world.wait(DAY).await;
    assert_eq!(tries(&world).len(), 1);
    let detail = "Nobody could be told by e-mail: 550 no such person";
    assert_eq!(notified(&world).await, [detail]);
}

#[tokio::test(start_paused = true)]
async fn administrators_are_told_where_the_owner_cannot_be() {
    let world = World::start().await;
    let owner = world.owner().await;
    let person = |number, name: &str, admin, status| Person {
        id: PersonId(number),
        first_name: name.to_owned(),
        last_name: String::new(),
        email: Some(format!("{}@example.com", name.to_lowercase())),
        extension_number: None,
        admin,
        status,
        ..owner.clone()
    };
    let enabled = PersonStatus::Enabled;
    for added in [
        person(71, "Ada", true, enabled),
        person(72, "Ben", false, enabled),
        person(73, "Cleo", true, PersonStatus::Disabled),
        person(74, "Dan", true, enabled),
    ] {
        world.person(added).await;
    }
    world.answer(FAILING);
    world.put(&endpoint("Billing")).await;
    world
        .person(Person {
            status: PersonStatus::Disabled,
            version: owner.version + 1,
            ..owner
        })
        .await;
    world.post("one").await;
    errored(&world).await;
    world.wait(MINUTE).await;
    let letters = world.letters();
    let readers: Vec<_> = letters.iter().map(|(_, letter, _)| &letter.to).collect();
    assert_eq!(readers, ["ada@example.com", "dan@example.com"]);
    assert!(letters[0].1.body.contains("because you administer"));
    assert_eq!(notified(&world).await, ["2 persons were told by e-mail."]);
}

#[tokio::test(start_paused = true)]
async fn what_people_wrote_adds_nothing_to_the_head_of_a_letter() {
    let world = World::start().await;
    fail(
        &world,
        "x\r\nBcc: eve@example.com\r\n\r\n<b>hello\u{2028}\u{202e}",
    )
    .await;
    world.wait(MINUTE).await;
    let letters = world.letters();
    let subject = &letters[0].1.subject;
    assert!(!subject.contains(|c: char| c.is_control()), "{subject:?}");
    assert!(
        subject.contains("\"x Bcc: eve@example.com <b>hello\""),
        "{subject:?}"
    );
    let greeting = letters[0]
        .1
        .body
        .lines()
        .position(|line| line.starts_with("Bcc:"));
    assert_eq!(greeting, None, "{}", letters[0].1.body);
}
