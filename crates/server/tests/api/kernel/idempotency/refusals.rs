//! What is not kept, and what is not taken.

use hookyard_domain::kernel::limits::BINS_MAX;
use hookyard_domain::{Scope, Scopes};
use http::Method;
use serde_json::{Value, json};

use super::{BINS, assert_replayed, bins, keyed};
use crate::world::{ALICE, BOB, World};

#[tokio::test]
async fn keys_are_visible_and_bounded() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let long = "k".repeat(256);
    for key in ["", "a b", "a\tb", long.as_str()] {
        let answer = keyed(&alice, key, BINS, &json!({})).await;
        assert_eq!(answer.brief(), "400 CMN-101 [Idempotency-Key]", "{key:?}");
    }
    let two = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let answer = alice.send(Method::POST, BINS, &two, "{}").await;
    assert_eq!(answer.brief(), "400 CMN-101 [Idempotency-Key]");
    assert_eq!(bins(&alice).await, 0);
    for key in ["k", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", &long[1..]] {
        assert_eq!(
            keyed(&alice, key, BINS, &json!({})).await.status,
            201,
            "{key}"
        );
    }
}

#[tokio::test]
async fn what_was_refused_may_be_asked_again() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bad = json!({ "name": "n".repeat(1_000) });
    for _ in 0..2 {
        let refused = keyed(&alice, "k-1", BINS, &bad).await;
        assert_eq!(refused.brief(), "400 CMN-101 [name]");
        assert_eq!(refused.header("idempotency-replayed"), "");
    }
    let made = keyed(&alice, "k-1", BINS, &json!({})).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_replayed(&made, &keyed(&alice, "k-1", BINS, &json!({})).await);
}

/// The commit meets a full account, and the handler says so as it does without a key.
#[tokio::test]
async fn what_the_commit_refuses_is_told_as_without_a_key() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for _ in 0..BINS_MAX {
        assert_eq!(alice.post(BINS, &json!({})).await.status, 201);
    }
    let plain = alice.post(BINS, &json!({})).await;
    let full = keyed(&alice, "k-1", BINS, &json!({})).await;
    assert_eq!((full.brief(), &full.body), (plain.brief(), &plain.body));
    assert_eq!(full.brief(), "403 CMN-107");
    let id = alice.get(BINS).await.records("id").remove(0);
    assert_eq!(alice.delete(&format!("{BINS}/{id}")).await.status, 204);
    let made = keyed(&alice, "k-1", BINS, &json!({})).await;
    assert_eq!(made.status, 201, "{made:?}");
}

#[tokio::test]
async fn a_key_opens_nothing() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    assert_eq!(keyed(&alice, "k-1", BINS, &json!({})).await.status, 201);
    let narrow: Scopes = [Scope::TeamMessaging].into_iter().collect();
    let narrow = world.signed_in_with(ALICE, narrow, "app").await;
    for (client, expect) in [
        (world.nobody(), "401 AGW-401"),
        (world.bearer("stranger"), "401 OAU-213"),
        (narrow, "403 CMN-401"),
        (world.signed_in(BOB).await, "403 CMN-408"),
    ] {
        let answer = keyed(&client, "k-1", BINS, &json!({})).await;
        assert_eq!(answer.brief(), expect);
    }
}

#[tokio::test]
async fn a_body_is_bounded_before_it_is_looked_at() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let body = json!({ "name": "n".repeat(3 * 1024 * 1024) });
    let answer = keyed(&alice, "k-1", BINS, &body).await;
    assert_eq!(answer.brief(), "413 CMN-112");
    let slashed = format!("{BINS}/");
    let first = keyed(&alice, "k-1", &slashed, &json!({})).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_replayed(&first, &keyed(&alice, "k-1", BINS, &json!({})).await);
}

/// Erasing makes what was answered unreadable; that it was done is still known.
#[tokio::test]
async fn what_was_erased_is_not_told_again() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let first = keyed(&alice, "k-1", BINS, &json!({})).await;
    assert_eq!(first.status, 201);
    let hired = json!({ "contact": { "firstName": "Carol" } });
    let extension = "/restapi/v1.0/account/~/extension";
    let carol = keyed(&alice, "k-2", extension, &hired).await;
    assert_eq!(carol.status, 200, "{carol:?}");
    let id = carol.json()["id"].to_string();
    let left = alice.delete(&format!("{extension}/{id}")).await;
    assert_eq!(left.status, 204, "{left:?}");
    let erase = json!({ "personId": id, "confirm": true });
    let begun = alice.post("/api/v1/erase", &erase).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    let job = format!("/api/v1/jobs/{}", begun.id());
    for _ in 0..5_000 {
        if alice.get(&job).await.json()["status"] == "done" {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(alice.get(&job).await.json()["status"], Value::from("done"));
    let again = keyed(&alice, "k-2", extension, &hired).await;
    assert_eq!(again.brief(), "409 CMN-123 [Idempotency-Key]");
    // Any answer of the account's may have told of them.
    let again = keyed(&alice, "k-1", BINS, &json!({})).await;
    assert_eq!(again.brief(), "409 CMN-123 [Idempotency-Key]");
    assert_eq!(bins(&alice).await, 1);
}
