//! Operations of every kind take a key: those that make something, those that act, and those whose
//! answer tells what only the commit gives.

use hookyard_api::operations::Repeats;
use hookyard_testkit::Receiver;
use http::Method;
use serde_json::{Value, json};

use super::{assert_replayed, keyed};
use crate::world::{ALICE, BOB, World};

const ENDPOINTS: &str = "/api/v1/endpoints";

/// What a caller posts is answered again, but for these, and each of them has a reason.
#[test]
fn every_post_of_a_caller_takes_a_key() {
    let operations = hookyard_api::described(&hookyard_server::beside());
    let otherwise: Vec<_> = operations
        .iter()
        .filter(|operation| operation.verb.methods() == ["post"])
        .filter(|operation| operation.repeats() != Repeats::Answered)
        .map(|operation| operation.name)
        .collect();
    let expect = [
        // They have no caller: somebody is about to sign in, or to leave.
        "create_token",
        "revoke_token",
        "create_console_session",
        "renew_console_session",
        // It reads.
        "search_directory",
        // It gives something out that is good for half a minute.
        "create_socket_token",
        // Its key is the id of an event, which every publisher shares.
        "publish_events",
    ];
    let mut otherwise: Vec<_> = otherwise;
    let mut expect = expect.to_vec();
    otherwise.sort_unstable();
    expect.sort_unstable();
    assert_eq!(otherwise, expect);
    let taking = operations
        .iter()
        .filter(|operation| operation.repeats() == Repeats::Answered);
    for operation in taking {
        assert_eq!(operation.verb.methods(), ["post"], "{}", operation.name);
    }
}

/// The description says who takes a key, and nobody else does.
#[test]
fn the_description_says_who_takes_a_key() {
    let operations = hookyard_api::described(&hookyard_server::beside());
    let document = hookyard_api::operations::document(&operations, "0");
    for operation in &operations {
        let takes = operation.repeats() == Repeats::Answered;
        for (path, method) in operation.paths().flat_map(|path| {
            let methods = operation.verb.methods().iter();
            methods.map(move |method| (path.clone(), *method))
        }) {
            let told = &document["paths"][path.replace("{*", "{")][method];
            let mut parameters = told["parameters"].as_array().into_iter().flatten();
            let bounded = parameters.any(|parameter| {
                parameter["name"] == "Idempotency-Key" && parameter["schema"]["maxLength"] == 255
            });
            assert_eq!(bounded, takes, "{method} {path}");
            let codes = told["responses"]["409"]["x-codes"].as_array();
            let codes = codes.is_some_and(|codes| codes.contains(&"CMN-121".into()));
            assert_eq!(codes, takes, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_post_is_posted_once() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let with = json!({ "members": [{ "id": BOB.to_string() }] });
    let conversations = "/team-messaging/v1/conversations";
    let chat = keyed(&alice, "chat", conversations, &with).await;
    assert_eq!(chat.status, 201, "{chat:?}");
    assert_replayed(&chat, &keyed(&alice, "chat", conversations, &with).await);
    // Without a key it is found again.
    assert_eq!(alice.post(conversations, &with).await.status, 200);
    let posts = format!("/team-messaging/v1/chats/{}/posts", chat.id());
    let hello = json!({ "text": "hello" });
    let first = keyed(&alice, "post", &posts, &hello).await;
    assert!(first.status.is_success(), "{first:?}");
    assert_replayed(&first, &keyed(&alice, "post", &posts, &hello).await);
    assert_eq!(alice.get(&posts).await.records("id"), [first.id()]);
}

#[tokio::test]
async fn endpoints_and_their_secrets_are_told_again() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let settings = json!({ "url": receiver.address(), "eventTypes": ["invoice.*"] });
    let made = keyed(&alice, "make", ENDPOINTS, &settings).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_replayed(&made, &keyed(&alice, "make", ENDPOINTS, &settings).await);
    let path = format!("{ENDPOINTS}/{}", made.id());
    let rotate = format!("{path}/secret/rotate");
    let rotated = keyed(&alice, "rotate", &rotate, &json!({})).await;
    assert_eq!(rotated.status, 200, "{rotated:?}");
    let secret = async || alice.get(&format!("{path}/secret")).await.json();
    let after = secret().await;
    assert_replayed(
        &rotated,
        &keyed(&alice, "rotate", &rotate, &json!({})).await,
    );
    assert_eq!(secret().await, after, "it was not rotated twice");
    let paused = keyed(&alice, "pause", &format!("{path}/pause"), &json!({})).await;
    assert_eq!(paused.status, 200, "{paused:?}");
    let resumed = alice.act(&format!("{path}/resume")).await;
    assert_eq!(resumed.status, 200);
    let again = keyed(&alice, "pause", &format!("{path}/pause"), &json!({})).await;
    assert_replayed(&paused, &again);
    let status = alice.get(&path).await.json()["status"].clone();
    assert_eq!(status, resumed.json()["status"], "it was not paused again");
}

/// These answers tell numbers that the commit gives.
#[tokio::test]
async fn tests_and_deliveries_are_sent_once() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let settings = json!({ "url": receiver.address(), "eventTypes": ["invoice.*"] });
    let endpoint = alice.post(ENDPOINTS, &settings).await.id();
    let registered = json!({ "name": "invoice.paid" });
    let registered = keyed(&alice, "type", "/api/v1/event-types", &registered).await;
    assert_eq!(registered.status, 201, "{registered:?}");
    let test = format!("{ENDPOINTS}/{endpoint}/test");
    let body = json!({ "eventType": "invoice.paid", "data": { "number": 1 } });
    let first = keyed(&alice, "test", &test, &body).await;
    assert_eq!(first.status, 202, "{first:?}");
    assert_replayed(&first, &keyed(&alice, "test", &test, &body).await);
    receiver.received(1).await;
    let delivery = first.json()["deliveryId"].as_str().map(str::to_owned);
    let delivery = delivery.expect("a delivery");
    let settled = async || {
        for _ in 0..5_000 {
            let path = format!("/api/v1/deliveries/{delivery}");
            if alice.get(&path).await.json()["state"] == "delivered" {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("it was not delivered");
    };
    settled().await;
    let resend = format!("/api/v1/deliveries/{delivery}/resend");
    let sent = keyed(&alice, "resend", &resend, &Value::Null).await;
    assert_eq!(sent.status, 202, "{sent:?}");
    assert_ne!(sent.id(), delivery);
    assert_replayed(&sent, &keyed(&alice, "resend", &resend, &Value::Null).await);
    receiver.received(2).await;
    let listed = alice.get("/api/v1/deliveries").await.records("id");
    assert_eq!(listed.len(), 2, "{listed:?}");
}

/// A key says nothing where nothing is posted.
#[tokio::test]
async fn other_methods_do_not_look_at_keys() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let key = [("idempotency-key", "not a key")];
    let listed = alice.send(Method::GET, ENDPOINTS, &key, "").await;
    assert_eq!(listed.status, 200, "{listed:?}");
}
