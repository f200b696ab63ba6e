//! The tokens by which providers know us: how long they are used, and what follows when there is
//! none.

use hookyard_domain::{AttemptOutcome, PushProvider};
use serde_json::json;

use crate::World;
use crate::bearer;
use crate::provider::{Asked, Reply};
use crate::read_token;
use crate::refused;
use crate::send;

#[tokio::test]
async fn a_provider_token_is_used_for_fifty_minutes_or_until_it_is_refused() {
    let world = World::start().await;
    for minutes in [0, 49, 2, 20] {
        world.pass(minutes);
        send(&world, PushProvider::Apns).await;
    }
    let expired = Reply::new(403).body(&json!({ "reason": "ExpiredProviderToken" }));
    world.provider.reply(expired);
    let attempted = send(&world, PushProvider::Apns).await;
    assert_eq!(attempted.outcome, refused(403, None));
    assert!(
        attempted
            .answer_excerpt
            .unwrap()
            .contains("ExpiredProviderToken")
    );
    world.pass(1);
    send(&world, PushProvider::Apns).await;
    let tokens: Vec<_> = world.provider.asked().iter().map(bearer).collect();
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[1], tokens[2]);
    assert_eq!(tokens[2], tokens[3]);
    assert_eq!(tokens[3], tokens[4]);
    assert_ne!(tokens[4], tokens[5]);
}

#[tokio::test]
async fn a_provider_token_is_not_renewed_more_often_than_apple_allows() {
    let world = World::start().await;
    for minutes in [0, 19, 1] {
        world.pass(minutes);
        let expired = Reply::new(403).body(&json!({ "reason": "ExpiredProviderToken" }));
        world.provider.reply(expired);
        send(&world, PushProvider::Apns).await;
    }
    send(&world, PushProvider::Apns).await;
    let tokens: Vec<_> = world.provider.asked().iter().map(bearer).collect();
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(tokens[1], tokens[2]);
    assert_ne!(tokens[2], tokens[3]);
}

#[tokio::test]
async fn a_provider_token_from_the_future_is_not_used() {
    let world = World::start().await;
    world.pass(24 * 60);
    send(&world, PushProvider::Apns).await;
    // Somebody sets the clock right.
    world.pass(-24 * 60);
    send(&world, PushProvider::Apns).await;
    let asked = world.provider.asked();
    let issued = |asked: &Asked| read_token(&bearer(asked)).1["iat"].as_i64().unwrap();
    assert!(issued(&asked[0]) - issued(&asked[1]) > 23 * 3_600);
}

#[tokio::test]
async fn access_tokens_may_be_as_long_as_google_makes_them() {
    let world = World::start().await;
    let long = "t".repeat(2_048);
    world.grant(&long);
    send(&world, PushProvider::Gcm).await;
    assert_eq!(bearer(world.provider.asked().last().unwrap()), long);
}

#[tokio::test]
async fn a_grant_that_cannot_be_used_is_not_shown() {
    let world = World::start().await;
    for grant in [
        json!({ "access_token": "ya29.one" }),
        json!({ "access_token": "ya29.one\n", "expires_in": 3_600 }),
    ] {
        world.provider.reply(Reply::new(200).body(&grant));
        let attempted = send(&world, PushProvider::Gcm).await;
        assert_eq!(attempted.outcome, refused(502, None));
        let shown = attempted.answer_excerpt.unwrap();
        assert!(!shown.contains("ya29"), "{shown}");
        world.pass(1);
    }
}

#[tokio::test]
async fn a_source_of_tokens_never_says_that_a_device_is_gone() {
    let world = World::start().await;
    for (status, expect) in [(410, 401), (404, 401), (400, 401), (500, 500), (429, 429)] {
        let body = json!({ "error": "invalid_grant" });
        world.provider.reply(Reply::new(status).body(&body));
        let attempted = send(&world, PushProvider::Gcm).await;
        assert_eq!(attempted.outcome, refused(expect, None));
        let shown = attempted.answer_excerpt.unwrap();
        assert!(shown.contains("invalid_grant"), "{shown}");
        assert!(shown.contains(&status.to_string()), "{shown}");
        world.pass(1);
    }
}

#[tokio::test]
async fn a_source_that_refuses_is_left_alone_for_a_while() {
    let world = World::start().await;
    let busy = Reply::new(503).header("retry-after", "30");
    world.provider.reply(busy);
    for _ in 0..3 {
        let attempted = send(&world, PushProvider::Gcm).await;
        assert_eq!(attempted.outcome, refused(503, Some(30)));
    }
    assert_eq!(world.provider.asked().len(), 1);
    world.pass(1);
    world.grant("ya29.one");
    let attempted = send(&world, PushProvider::Gcm).await;
    assert_eq!(attempted.outcome, AttemptOutcome::Accepted { status: 200 });
}
