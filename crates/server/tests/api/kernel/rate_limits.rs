//! Rate limits: headers always, refusals where an operator wants them.

use std::time::Duration;

use hookyard_api::RateLimits;

use crate::world::{ALICE, BOB, World};

const CHATS: &str = "/team-messaging/v1/chats";

#[tokio::test]
async fn calls_are_labelled_and_not_limited_by_default() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for _ in 0..60 {
        assert_eq!(alice.get(CHATS).await.status, 200);
    }
    let answer = alice.get(CHATS).await;
    let label = |name: &str| answer.header(&format!("x-rate-limit-{name}")).to_owned();
    let labels = ["group", "limit", "remaining", "window"].map(label);
    assert_eq!(labels, ["medium", "40", "40", "60"]);
}

#[tokio::test]
async fn one_call_too_many_is_refused_for_its_caller_only() {
    let world = World::start_with(|settings| {
        settings.rate_limits = RateLimits::enforcing(50, 2, 1);
    })
    .await;
    let alice = world.signed_in(ALICE).await;
    assert_eq!(alice.get(CHATS).await.header("x-rate-limit-remaining"), "1");
    assert_eq!(alice.get(CHATS).await.header("x-rate-limit-remaining"), "0");
    let refused = alice.get(CHATS).await;
    assert_eq!(refused.brief(), "429 CMN-301");
    assert_eq!(refused.header("retry-after"), "60");
    // Another group, and another person, are counted apart.
    assert_eq!(alice.get(&format!("{CHATS}/~")).await.status, 200);
    assert_eq!(world.signed_in(BOB).await.get(CHATS).await.status, 200);
    world.clock.advance(Duration::from_secs(121));
    assert_eq!(alice.get(CHATS).await.status, 200);
}

#[tokio::test]
async fn signing_in_is_limited_too() {
    let world = World::start_with(|settings| {
        settings.rate_limits = RateLimits::enforcing(50, 40, 1);
    })
    .await;
    let fields = [("client_id", "public-app"), ("grant_type", "magic")];
    let nobody = world.nobody();
    assert_eq!(
        nobody.form("/restapi/oauth/token", &fields).await.status,
        400
    );
    assert_eq!(
        nobody.form("/restapi/oauth/token", &fields).await.brief(),
        "429 CMN-301"
    );
}

#[tokio::test]
async fn a_group_is_that_of_the_operation_whatever_an_id_looks_like() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for id in [
        "a0000000-0000-4000-8000-000000000000",
        "10000000-0000-4000-8000-000000000000",
    ] {
        for path in ["/restapi/v1.0/subscription", "/team-messaging/v1/webhooks"] {
            let answer = alice.get(&format!("{path}/{id}")).await;
            assert_eq!(answer.status, 404);
            assert_eq!(answer.header("x-rate-limit-group"), "light", "{path}");
        }
    }
    let unknown = alice.get("/team-messaging/v1/nothing").await;
    assert_eq!(unknown.header("x-rate-limit-group"), "medium");
}
