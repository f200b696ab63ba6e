//! What endpoints get, and when: types, filters, formats, pauses, thresholds, secrets.

use std::time::Duration;

use hookyard_domain::endpoints::signing::{SigningSecret, verify};
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_testkit::{Receiver, Reply};
use serde_json::{Value, json};

use super::{ENDPOINTS, body_of, endpoint, eventually, publish};
use crate::world::{ACCOUNT, ALICE, World};

#[tokio::test]
async fn an_endpoint_gets_signed_events_of_its_types() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let made = endpoint(&alice, &receiver, json!({ "description": "Billing" })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.id();
    publish(&world, "user.created", "{}").await;
    let event = publish(&world, "invoice.paid", r#"{ "amount" : 10.50 }"#).await;
    let events = receiver.received(1).await;
    assert_eq!(events.len(), 1, "what was not asked for does not come");
    let sent = &events[0];
    assert_eq!(
        sent.header("content-type"),
        Some("application/json; charset=UTF-8")
    );
    assert_eq!(
        sent.header("webhook-id"),
        Some(format!("evt_{event}").as_str())
    );
    let text = String::from_utf8(sent.body.to_vec()).expect("text");
    assert!(text.contains(r#""data":{ "amount" : 10.50 }"#), "{text}");
    let body = body_of(sent);
    assert_eq!(
        (&body["type"], &body["subject"]),
        (&json!("invoice.paid"), &json!("i-1"))
    );
    let revealed = alice.get(&format!("{ENDPOINTS}/{id}/secret")).await.json();
    let secret = SigningSecret::parse(revealed["secret"].as_str().expect("a secret"));
    let timestamp = sent
        .header("webhook-timestamp")
        .expect("a timestamp")
        .parse();
    assert!(verify(
        sent.header("webhook-signature").expect("a signature"),
        sent.header("webhook-id").expect("an id"),
        timestamp.expect("seconds"),
        &sent.body,
        [&secret.expect("a secret")],
    ));
}

#[tokio::test]
async fn what_comes_during_a_pause_waits() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = endpoint(&alice, &receiver, json!({})).await.id();
    let path = format!("{ENDPOINTS}/{id}");
    assert_eq!(
        alice.act(&format!("{path}/pause")).await.json()["status"],
        "Paused"
    );
    for data in ["1", "2", "3"] {
        publish(&world, "invoice.paid", data).await;
    }
    assert!(receiver.events().is_empty());
    assert_eq!(
        alice.act(&format!("{path}/resume")).await.json()["status"],
        "Active"
    );
    let mut data: Vec<_> = receiver
        .received(3)
        .await
        .iter()
        .map(|sent| body_of(sent)["data"].clone())
        .collect();
    data.sort_by_key(Value::as_u64);
    assert_eq!(data, [1, 2, 3]);
}

#[tokio::test]
async fn past_its_threshold_an_endpoint_is_errored_and_says_so() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (receiver, watcher) = (Receiver::start().await, Receiver::start().await);
    let watching = json!({ "eventTypes": ["hookyard.endpoint.errored"] });
    endpoint(&alice, &watcher, watching).await;
    let id = endpoint(&alice, &receiver, json!({ "failureThreshold": 1 }))
        .await
        .id();
    receiver.always(500);
    publish(&world, "invoice.paid", "{}").await;
    let told = watcher.received(1).await;
    let body = body_of(&told[0]);
    assert_eq!(body["type"], "hookyard.endpoint.errored");
    assert_eq!(body["data"]["id"], json!(id));
    assert_eq!(
        body["data"]["reason"],
        "It answered 500 Internal Server Error"
    );
    let path = format!("{ENDPOINTS}/{id}");
    let errored = alice.get(&path).await.json();
    assert_eq!(errored["status"], "Errored");
    assert_eq!(
        errored["statusReason"],
        "It answered 500 Internal Server Error"
    );
    publish(&world, "invoice.sent", "{}").await;
    assert_eq!(receiver.events().len(), 1, "no more automatic attempts");
    let list = format!("/api/v1/deliveries?subscriptionId={id}");
    eventually(&alice, &list, |answer| {
        answer["records"][1]["attempts"] == 1
    })
    .await;
    assert_ne!(errored["failingSince"], Value::Null);
    receiver.always(200);
    alice.act(&format!("{path}/resume")).await;
    let events = receiver.received(3).await;
    let types: Vec<_> = events
        .iter()
        .map(|sent| body_of(sent)["type"].clone())
        .collect();
    assert!(types.contains(&json!("invoice.sent")), "{types:?}");
    let history = alice
        .get(&format!("/api/v1/subscriptions/{id}/history"))
        .await;
    assert!(history.body.contains("Errored"), "{}", history.body);
}

#[tokio::test]
async fn recovering_sends_what_was_given_up_and_what_has_waited() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    // The failure that is one too many is also the last attempt.
    let settings = json!({ "failureThreshold": 1, "retryPolicy": { "attemptsMax": 1 } });
    let id = endpoint(&alice, &receiver, settings).await.id();
    receiver.always(500);
    publish(&world, "invoice.paid", "{}").await;
    let path = format!("{ENDPOINTS}/{id}");
    eventually(&alice, &path, |endpoint| endpoint["status"] == "Errored").await;
    world.clock.advance(Duration::from_secs(60));
    publish(&world, "invoice.sent", "{}").await;
    receiver.always(200);
    let job = alice.post(&format!("{path}/recover"), &json!({})).await;
    assert_eq!(job.status, 202, "{}", job.body);
    let events = receiver.received(3).await;
    let mut types: Vec<_> = events[1..]
        .iter()
        .map(|sent| body_of(sent)["type"].to_string())
        .collect();
    types.sort();
    assert_eq!(types, ["\"invoice.paid\"", "\"invoice.sent\""]);
    let done = format!("/api/v1/jobs/{}", job.id());
    let done = eventually(&alice, &done, |job| job["status"] == "done").await;
    assert_eq!(done["sent"], 1, "{done}");
    let recovered = alice.get(&path).await.json();
    assert_eq!(recovered["status"], "Active");
    assert_eq!(recovered["failingSince"], Value::Null);
}

#[tokio::test]
async fn a_rotated_secret_overlaps_with_the_former() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = endpoint(&alice, &receiver, json!({})).await.id();
    let path = format!("{ENDPOINTS}/{id}");
    let rotated = alice
        .post(&format!("{path}/secret/rotate"), &json!({ "overlapS": 60 }))
        .await;
    assert_eq!(
        rotated.json()["secrets"].as_array().map(Vec::len),
        Some(2),
        "{}",
        rotated.body
    );
    publish(&world, "invoice.paid", "{}").await;
    let both = receiver.received(1).await;
    let signatures = both[0].header("webhook-signature").expect("signatures");
    assert_eq!(signatures.split(' ').count(), 2);
    world.clock.advance(Duration::from_secs(61));
    publish(&world, "invoice.paid", "{}").await;
    let one = receiver.received(2).await;
    let signature = one[1].header("webhook-signature").expect("a signature");
    assert!(!signature.contains(' '), "{signature}");
    assert!(signatures.starts_with("v1,"));
}

#[tokio::test]
async fn content_filters_choose_by_what_is_in_an_event() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let filter = json!({ "contentFilter": { "data": { "amount": { "$gte": 100 } } } });
    endpoint(&alice, &receiver, filter).await;
    publish(&world, "invoice.paid", r#"{"amount":99}"#).await;
    publish(&world, "invoice.paid", r#"{"amount":100}"#).await;
    let events = receiver.received(1).await;
    assert_eq!(events.len(), 1);
    assert_eq!(body_of(&events[0])["data"]["amount"], 100);
}

#[tokio::test]
async fn formats_are_as_asked() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = endpoint(&alice, &receiver, json!({ "payloadFormat": "cloudevents" }))
        .await
        .id();
    let path = format!("{ENDPOINTS}/{id}");
    publish(&world, "invoice.paid", r#"{"a":1}"#).await;
    let events = receiver.received(1).await;
    assert_eq!(
        events[0].header("content-type"),
        Some("application/cloudevents+json")
    );
    let body = body_of(&events[0]);
    assert_eq!(
        (&body["specversion"], &body["data"]["a"]),
        (&json!("1.0"), &json!(1))
    );
    alice
        .patch(&path, &json!({ "payloadFormat": "cloudevents-binary" }))
        .await;
    publish(&world, "invoice.paid", r#"{"a":1}"#).await;
    let events = receiver.received(2).await;
    assert_eq!(events[1].header("ce-type"), Some("invoice.paid"));
    assert_eq!(events[1].header("content-type"), Some("application/json"));
    assert_eq!(&events[1].body[..], br#"{"a":1}"#);
    alice
        .patch(&path, &json!({ "payloadFormat": "ringcentral" }))
        .await;
    publish(&world, "invoice.paid", r#"{"a":1}"#).await;
    let events = receiver.received(3).await;
    let body = body_of(&events[2]);
    assert_eq!(
        (&body["event"], &body["body"]["a"]),
        (&json!("invoice.*"), &json!(1))
    );
}

#[tokio::test]
async fn a_test_goes_to_one_endpoint_alone() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    let id = endpoint(&alice, &receiver, json!({})).await.id();
    endpoint(&alice, &other, json!({ "eventTypes": ["*"] })).await;
    let path = format!("{ENDPOINTS}/{id}/test");
    let sent = alice
        .post(&path, &json!({ "eventType": "post.PostAdded" }))
        .await;
    assert_eq!(sent.status, 202, "{}", sent.body);
    assert!(sent.json()["deliveryId"].is_string());
    let events = receiver.received(1).await;
    assert_eq!(body_of(&events[0])["type"], "post.PostAdded");
    assert!(body_of(&events[0])["data"]["id"].is_string());
    let unknown = alice.post(&path, &json!({ "eventType": "no.such" })).await;
    assert_eq!(unknown.brief(), "400 CMN-101 [eventType]");
    let only_created = other.events().iter().all(|sent| {
        body_of(sent)["type"]
            .as_str()
            .is_some_and(|name| name.starts_with("hookyard."))
    });
    assert!(only_created, "{:?}", other.events());
}

#[tokio::test]
async fn attempts_tell_what_was_said() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    receiver.always(
        Reply::from(422)
            .header("X-Why", "schema")
            .body("no such invoice"),
    );
    let settings = json!({ "authorization": { "type": "bearer", "token": "hunter2" } });
    let id = endpoint(&alice, &receiver, settings).await.id();
    publish(&world, "invoice.paid", "{}").await;
    let list = format!("/api/v1/deliveries?subscriptionId={id}");
    let attempted = |answer: &Value| answer["records"][0]["attempts"] == 1;
    let found = eventually(&alice, &list, attempted).await;
    let delivery = found["records"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let attempts = world
        .store
        .attempts(ACCOUNT, delivery.parse().expect("an id"))
        .await
        .expect("a store in memory");
    let said = attempts[0].transcript.as_deref().expect("a transcript");
    assert_eq!(said.url, receiver.address());
    let named = |headers: &[(String, String)], wanted: &str| {
        headers
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    assert_eq!(
        named(&said.request_headers, "authorization").as_deref(),
        Some("••••")
    );
    assert_eq!(
        named(&said.answer_headers, "x-why").as_deref(),
        Some("schema")
    );
    assert_eq!(
        attempts[0].answer_excerpt.as_deref(),
        Some("no such invoice")
    );
    assert!(attempts[0].timings.wait_us > 0);
}
