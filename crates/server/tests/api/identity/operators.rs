//! Operators: who may look after all accounts, and who may not.

use serde_json::json;

use crate::world::{ALICE, BOB, CAROL, INTEGRATION, MALLORY, World};

const OPERATORS: &str = "/api/v1/operators";

fn operator(id: impl std::fmt::Display) -> String {
    format!("{OPERATORS}/{id}")
}

#[tokio::test]
async fn an_operator_makes_others_in_every_account_and_takes_the_right_away() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mallory = world.signed_in(MALLORY).await;
    let me = |answer: crate::client::Answer| answer.json()["person"]["operator"].clone();
    assert_eq!(me(alice.get("/api/v1/me").await), true);
    assert_eq!(me(mallory.get("/api/v1/me").await), false);
    assert_eq!(alice.get(OPERATORS).await.records("personId"), ["11"]);
    let made = alice.put(&operator(MALLORY), &json!({})).await;
    assert_eq!(made.status, 204, "{made:?}");
    let again = alice.put(&operator(MALLORY), &json!({})).await;
    assert_eq!(again.status, 204, "{again:?}");
    assert_eq!(me(mallory.get("/api/v1/me").await), true);
    let listed = mallory.get(OPERATORS).await;
    assert_eq!(listed.records("personId"), ["11", "21"]);
    assert_eq!(listed.records("accountId"), ["1", "2"]);
    assert_eq!(listed.records("name"), ["Alice Smith", "Mallory Smith"]);
    let gone = mallory.delete(&operator(ALICE)).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    assert_eq!(alice.get(OPERATORS).await.brief(), "403 CMN-408");
    assert_eq!(mallory.get(OPERATORS).await.records("personId"), ["21"]);
}

#[tokio::test]
async fn who_is_no_operator_is_told_why() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    for refused in [
        bob.get(OPERATORS).await,
        bob.put(&operator(BOB), &json!({})).await,
        bob.delete(&operator(ALICE)).await,
        bob.get("/api/v1/status").await,
    ] {
        assert_eq!(refused.brief(), "403 CMN-408");
        let message = refused.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("[Operator]"), "{message}");
        assert!(
            message.contains("hookyard admin grant-operator"),
            "{message}"
        );
    }
    let narrow = world.without_scope(ALICE).await;
    for path in [OPERATORS, "/api/v1/status"] {
        assert_eq!(narrow.get(path).await.brief(), "403 CMN-401", "{path}");
        assert_eq!(world.nobody().get(path).await.brief(), "401 AGW-401");
    }
}

#[tokio::test]
async fn the_last_operator_stays() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let refused = alice.delete(&operator(ALICE)).await;
    assert_eq!(refused.brief(), "400 CMN-101 [personId]");
    let message = refused.json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("the last operator"), "{message}");
    assert_eq!(alice.put(&operator(BOB), &json!({})).await.status, 204);
    assert_eq!(alice.delete(&operator(ALICE)).await.status, 204);
    let bob = world.signed_in(BOB).await;
    assert_eq!(bob.get(OPERATORS).await.records("personId"), ["12"]);
}

#[tokio::test]
async fn only_who_can_sign_in_becomes_one() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for id in ["99", "x", "-1", &INTEGRATION.to_string()] {
        let refused = alice.put(&operator(id), &json!({})).await;
        assert_eq!(refused.brief(), "404 CMN-102 [personId]", "{id}");
    }
    let carol = format!("/restapi/v1.0/account/~/extension/{CAROL}");
    assert_eq!(alice.delete(&carol).await.status, 204);
    let refused = alice.put(&operator(CAROL), &json!({})).await;
    assert_eq!(refused.brief(), "404 CMN-102 [personId]");
    assert_eq!(
        alice.delete(&operator(CAROL)).await.status,
        204,
        "they are none"
    );
}

/// Else an administrator could give an operator a password and sign in as them.
#[tokio::test]
async fn an_administrator_does_not_change_an_operator_and_another_operator_does() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let extension =
        |id: hookyard_domain::PersonId| format!("/restapi/v1.0/account/~/extension/{id}");
    let admin = json!({ "permissions": { "admin": { "enabled": true } } });
    assert_eq!(alice.put(&extension(BOB), &admin).await.status, 200);
    let bob = world.signed_in(BOB).await;
    for body in [
        json!({ "password": "another password of his" }),
        json!({ "status": "Disabled" }),
        json!({ "contact": { "email": "bob.too@example.com" } }),
    ] {
        let refused = bob.put(&extension(ALICE), &body).await;
        assert_eq!(refused.brief(), "403 CMN-408", "{body}");
    }
    assert_eq!(bob.delete(&extension(ALICE)).await.brief(), "403 CMN-408");
    let erased = bob
        .post(
            "/api/v1/erase",
            &json!({ "personId": ALICE.to_string(), "confirm": true }),
        )
        .await;
    assert_eq!(erased.brief(), "403 CMN-408");
    assert_eq!(alice.put(&operator(BOB), &json!({})).await.status, 204);
    // Who is disabled looks after nothing.
    assert_eq!(bob.delete(&extension(ALICE)).await.status, 204);
    assert_eq!(bob.get(OPERATORS).await.records("personId"), ["12"]);
    let enabled = json!({ "status": "Enabled" });
    assert_eq!(bob.put(&extension(ALICE), &enabled).await.status, 200);
    assert_eq!(bob.get(OPERATORS).await.records("personId"), ["12"]);
}
