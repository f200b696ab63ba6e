//! Webhook endpoints: made, changed, sent to as they ask, paused and put right again.

mod notices;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookyard_domain::endpoints::signing::{SigningSecret, verify};
use hookyard_domain::kernel::ports::Clock as _;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{Attributes, Audience, Change, Event, EventId, EventKind, Scope};
use hookyard_testkit::{Received, Receiver, Reply};
use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::kernel::production::Production;
use crate::world::{ACCOUNT, ALICE, BOB, MALLORY, World};

const ENDPOINTS: &str = "/api/v1/endpoints";

/// Makes an endpoint for invoices with other settings besides.
async fn endpoint(client: &Client, receiver: &Receiver, settings: Value) -> Answer {
    let mut body = json!({ "url": receiver.address(), "eventTypes": ["invoice.*"] });
    let members = body.as_object_mut().expect("an object");
    members.extend(settings.as_object().expect("settings").clone());
    client.post(ENDPOINTS, &body).await
}

/// Commits an event of the account's own.
async fn publish(world: &World, event_type: &str, data: &'static str) -> EventId {
    let event = Event {
        account: ACCOUNT,
        id: EventId::PENDING,
        kind: EventKind::Custom,
        event_type: event_type.to_owned().into(),
        audience: Audience::Account,
        chat: None,
        post: None,
        request: None,
        occurred_at: world.clock.now(),
        body: data.into(),
        confidential: false,
        attributes: Some(std::sync::Arc::new(Attributes {
            subject: Some("i-1".into()),
            ..Attributes::default()
        })),
    };
    let ids = world
        .store
        .commit_numbering(Change::default().announcing(event))
        .await;
    ids.expect("a store in memory")[0]
}

async fn eventually(client: &Client, path: &str, done: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..5_000 {
        let answer = client.get(path).await.json();
        if done(&answer) {
            return answer;
        }
        tokio::task::yield_now().await;
    }
    panic!("{path} did not come to what it should");
}

fn body_of(received: &Received) -> Value {
    serde_json::from_slice(&received.body).expect("JSON")
}

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
async fn the_names_of_the_webhook_builder_are_understood() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let basic = STANDARD.encode("user:pass:word");
    let body = json!({
        "callbackUrl": receiver.address(),
        "eventTypes": ["*"],
        "Headers": {
            "Authorization": format!("Basic {basic}"),
            "Content-Type": "application/json",
            "X-Tenant": "acme",
        },
        "failureThreshold": 3,
        "batchingIntervalInMinutes": 2,
    });
    let made = alice.post(ENDPOINTS, &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let told = made.json();
    assert_eq!(
        told["authorization"],
        json!({ "type": "basic", "username": "user", "password": "••••" })
    );
    assert_eq!(told["headers"], json!({ "X-Tenant": "••••" }));
    assert_eq!(
        (&told["failureThreshold"], &told["batchingIntervalMinutes"]),
        (&json!(3), &json!(2))
    );
    let patched = alice
        .patch(
            &format!("{ENDPOINTS}/{}", made.id()),
            &json!({ "batchingIntervalMinutes": 0, "headers": { "X-Tenant": "••••", "X-More": "1" } }),
        )
        .await;
    assert_eq!(patched.status, 200, "{}", patched.body);
    publish(&world, "invoice.paid", "1").await;
    let all = receiver.received(1).await;
    let sent = all.last().expect("an event");
    assert_eq!(
        sent.header("authorization"),
        Some(format!("Basic {basic}").as_str())
    );
    assert_eq!(
        (sent.header("x-tenant"), sent.header("x-more")),
        (Some("acme"), Some("1"))
    );
}

#[tokio::test]
async fn secrets_are_told_to_who_asks_for_them_and_the_history_says_so() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let settings = json!({
        "headers": { "X-Tenant": "acme" },
        "authorization": { "type": "bearer", "token": "t0ken" },
        "verificationToken": "v3rify",
    });
    let id = endpoint(&alice, &receiver, settings).await.id();
    let path = format!("{ENDPOINTS}/{id}");
    let masked = alice.get(&path).await;
    for secret in ["acme", "t0ken", "v3rify"] {
        assert!(!masked.body.contains(secret), "{}", masked.body);
    }
    let shown = alice.get(&format!("{path}?reveal=true")).await.json();
    assert_eq!(shown["headers"], json!({ "X-Tenant": "acme" }));
    assert_eq!(
        shown["authorization"],
        json!({ "type": "bearer", "token": "t0ken" })
    );
    assert_eq!(shown["verificationToken"], "v3rify");
    let history = format!("/api/v1/subscriptions/{id}/history");
    let history = alice.get(&history).await;
    assert_eq!(history.body.matches("were shown").count(), 1);
    let unclear = alice.get(&format!("{path}?reveal=yes")).await;
    assert_eq!(unclear.status, 400);
    assert_eq!(unclear.json()["errorCode"], "CMN-101");
}

#[tokio::test]
async fn the_list_comes_in_pages_newest_first() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let mut made = Vec::new();
    for description in ["one", "two", "other", "three"] {
        let named = json!({ "description": format!("Ledger {description}") });
        made.push(endpoint(&alice, &receiver, named).await.id());
        world.clock.advance(Duration::from_secs(1));
    }
    made.reverse();
    let ids = |page: &Value| -> Vec<String> {
        let records = page["records"].as_array().expect("records");
        let id = |record: &Value| record["id"].as_str().expect("an id").to_owned();
        records.iter().map(id).collect()
    };
    let first = alice.get(&format!("{ENDPOINTS}?limit=3")).await.json();
    assert_eq!(ids(&first), made[..3]);
    let token = first["nextPageToken"].as_str().expect("there is more");
    // What is deleted meanwhile leaves no gap.
    alice.delete(&format!("{ENDPOINTS}/{}", made[2])).await;
    let second = format!("{ENDPOINTS}?limit=3&pageToken={token}");
    let second = alice.get(&second).await.json();
    assert_eq!(ids(&second), made[3..]);
    assert_eq!(second.get("nextPageToken"), None);
    let narrowed = alice
        .get(&format!("{ENDPOINTS}?limit=1&q=ledger%20t"))
        .await;
    assert_eq!(ids(&narrowed.json()), made[..1]);
    for wrong in ["limit=0", "limit=251", "pageToken=x"] {
        let answer = alice.get(&format!("{ENDPOINTS}?{wrong}")).await;
        let parameter = wrong.split('=').next();
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.json()["errors"][0]["parameterName"].as_str(),
            parameter
        );
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_field() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    for (settings, expect) in [
        (json!({ "url": "ftp://example.com" }), "url"),
        (json!({ "url": "http://no-such-host.invalid/" }), "url"),
        (json!({ "url": "http://169.254.169.254/latest" }), "url"),
        (json!({ "eventTypes": [] }), "eventTypes"),
        (
            json!({ "eventTypes": ["invoice.*", "in voice"] }),
            "eventTypes[1]",
        ),
        (json!({ "eventTypes": "invoice" }), "eventTypes"),
        (json!({ "headers": { "Host": "x" } }), "headers.Host"),
        (
            json!({ "headers": { "webhook-id": "x" } }),
            "headers.webhook-id",
        ),
        (
            json!({ "headers": { "X-A": "1\r\nX-B: 2" } }),
            "headers.X-A",
        ),
        (json!({ "headers": { "X A": "1" } }), "headers.X A"),
        (
            json!({ "Headers": { "Content-Type": "text/xml" } }),
            "headers.Content-Type",
        ),
        (
            json!({ "Headers": { "Authorization": "Digest x" } }),
            "headers.Authorization",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": "" } }),
            "authorization.token",
        ),
        (
            json!({ "authorization": { "type": "oauth2", "tokenUrl": "x", "clientId": "a",
                "clientSecret": "b" } }),
            "authorization.tokenUrl",
        ),
        (json!({ "secret": "short" }), "secret"),
        (json!({ "timeoutMs": 1 }), "timeoutMs"),
        (json!({ "concurrency": 0 }), "concurrency"),
        (
            json!({ "retryPolicy": { "attemptsMax": 0 } }),
            "retryPolicy.attemptsMax",
        ),
        (
            json!({ "retryPolicy": { "schedule": { "kind": "list", "delaysMs": [1_000, 1] } } }),
            "retryPolicy.schedule.delaysMs[1]",
        ),
        (json!({ "failureThreshold": 1_000 }), "failureThreshold"),
        (
            json!({ "batchingIntervalMinutes": 1_441 }),
            "batchingIntervalMinutes",
        ),
        (
            json!({ "rateLimit": { "count": 0, "perMs": 1_000 } }),
            "rateLimit.count",
        ),
        (
            json!({ "contentFilter": { "data": { "amount": { "$bigger": 1 } } } }),
            "contentFilter/data/amount/$bigger",
        ),
        (
            json!({ "contentFilter": { "data": { "name": { "$regex": "(" } } } }),
            "contentFilter/data/name/$regex",
        ),
    ] {
        let refused = endpoint(&alice, &receiver, settings.clone()).await;
        assert_eq!(
            refused.brief(),
            format!("400 CMN-101 [{expect}]"),
            "{settings}: {}",
            refused.body
        );
        let message = refused.json()["message"]
            .as_str()
            .expect("a message")
            .to_owned();
        assert!(
            message.contains(": ") || expect == "eventTypes",
            "{message}"
        );
    }
    let listed = alice.get(ENDPOINTS).await;
    assert!(listed.records("id").is_empty(), "nothing half-done");
}

#[tokio::test]
async fn only_administrators_manage_endpoints_and_only_their_own() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = endpoint(&alice, &receiver, json!({})).await.id();
    let bob = world.signed_in(BOB).await;
    assert_eq!(
        endpoint(&bob, &receiver, json!({})).await.brief(),
        "403 CMN-408"
    );
    assert_eq!(bob.get(ENDPOINTS).await.brief(), "403 CMN-408");
    let scopes = [Scope::TeamMessaging].into_iter().collect();
    let narrow = world.signed_in_with(ALICE, scopes, "app").await;
    assert_eq!(narrow.get(ENDPOINTS).await.status, 403);
    let mallory = world.signed_in(MALLORY).await;
    let foreign = mallory.get(&format!("{ENDPOINTS}/{id}")).await;
    assert!(
        [403, 404].contains(&foreign.status.as_u16()),
        "{}",
        foreign.body
    );
    let paths = alice.get(&format!("/restapi/v1.0/subscription/{id}")).await;
    assert_eq!(paths.status, 404, "it is not a subscription of an app");
}

#[tokio::test]
async fn a_handshake_is_told_step_by_step() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let made = endpoint(&alice, &receiver, json!({ "handshake": "echo" }))
        .await
        .json();
    let steps = made["handshakeResult"]["steps"]
        .as_array()
        .expect("steps")
        .clone();
    let names: Vec<_> = steps.iter().map(|step| step["name"].clone()).collect();
    assert_eq!(names, ["address", "request", "consent"]);
    assert!(steps.iter().all(|step| step["ok"] == true), "{steps:?}");
    receiver.reply_to_handshake(200);
    let refused = endpoint(&alice, &receiver, json!({ "handshake": "echo" })).await;
    assert_eq!(refused.brief(), "400 SUB-520 [url]", "{}", refused.body);
    let steps = &refused.json()["handshake"]["steps"];
    assert_eq!(
        (&steps[1]["ok"], &steps[2]["ok"]),
        (&json!(true), &json!(false))
    );
}

#[tokio::test]
async fn consent_is_asked_with_options_and_its_rate_is_kept() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let granted = Reply::from(200)
        .header("WebHook-Allowed-Origin", "*")
        .header("WebHook-Allowed-Rate", "120");
    receiver.reply(granted).times(1);
    let made = endpoint(&alice, &receiver, json!({ "handshake": "options" })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(
        made.json()["rateLimit"],
        json!({ "count": 120, "perMs": 60_000 })
    );
    let asked = &receiver.events()[0];
    assert!(asked.line.starts_with("OPTIONS "), "{}", asked.line);
    assert_eq!(
        asked.header("webhook-request-origin"),
        Some(world.address.to_string().as_str())
    );
    receiver.reply(Reply::from(200)).times(1);
    let refused = endpoint(&alice, &receiver, json!({ "handshake": "options" })).await;
    assert_eq!(refused.brief(), "400 SUB-520 [url]");
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

#[tokio::test]
async fn a_token_is_fetched_once_and_again_when_it_is_not_taken() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (receiver, source) = (Receiver::start().await, Receiver::start().await);
    let grant = |token: &str| {
        let body = json!({ "access_token": token, "token_type": "bearer", "expires_in": 3_600 });
        Reply::from(200).body(body.to_string())
    };
    source.reply(grant("first")).times(1);
    source.reply(grant("second")).times(1);
    let settings = json!({ "authorization": {
        "type": "oauth2", "tokenUrl": source.address(), "clientId": "yard", "clientSecret": "s:1",
        "scope": "events" } });
    endpoint(&alice, &receiver, settings).await;
    publish(&world, "invoice.paid", "1").await;
    receiver.received(1).await;
    publish(&world, "invoice.paid", "2").await;
    let sent = receiver.received(2).await;
    let proofs: Vec<_> = sent
        .iter()
        .map(|sent| sent.header("authorization"))
        .collect();
    assert_eq!(proofs, [Some("Bearer first"), Some("Bearer first")]);
    let asked = source.events();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        &asked[0].body[..],
        b"grant_type=client_credentials&scope=events"
    );
    let proof = format!("Basic {}", STANDARD.encode("yard:s%3A1"));
    assert_eq!(asked[0].header("authorization"), Some(proof.as_str()));
    receiver.reply(401).times(1);
    publish(&world, "invoice.paid", "3").await;
    receiver.received(3).await;
    publish(&world, "invoice.paid", "4").await;
    let sent = receiver.received(4).await;
    assert_eq!(sent[3].header("authorization"), Some("Bearer second"));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (receiver, source) = (Receiver::start().await, Receiver::start().await);
    source.always(Reply::from(403).body(r#"{"error":"invalid_client"}"#));
    let settings = json!({ "authorization": {
        "type": "oauth2", "tokenUrl": source.address(), "clientId": "a", "clientSecret": "b" } });
    let id = endpoint(&alice, &receiver, settings).await.id();
    publish(&world, "invoice.paid", "1").await;
    let list = format!("/api/v1/deliveries?subscriptionId={id}");
    let found = eventually(&alice, &list, |answer| {
        answer["records"][0]["attempts"] == 1
    })
    .await;
    let delivery = found["records"][0]["id"].as_str().expect("an id");
    let told = alice.get(&format!("/api/v1/deliveries/{delivery}")).await;
    let attempt = &told.json()["attemptLog"][0];
    assert_eq!(attempt["outcome"], "no-access-token");
    assert_eq!(
        attempt["detail"],
        "The source of the access token answered 403 Forbidden (invalid_client)"
    );
    assert_eq!(attempt.get("answerExcerpt"), None, "nobody answered");
    assert!(receiver.events().is_empty());
}

#[tokio::test]
async fn the_source_of_tokens_is_vetted_like_the_endpoint_itself() {
    let production = Production::start("token-source").await;
    let alice = &production.alice;
    let (_, url) = production.bin(&json!({})).await;
    let proof = |token_url: &str| json!({ "type": "oauth2", "tokenUrl": token_url, "clientId": "a", "clientSecret": "b" });
    let body =
        |authorization| json!({ "url": url, "eventTypes": ["*"], "authorization": authorization });
    let made = alice
        .post(ENDPOINTS, &body(json!({ "type": "none" })))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let one = format!("{ENDPOINTS}/{}", made.id());
    for (source, code) in [
        ("http://8.8.8.8/", "SUB-523"),
        ("https://127.0.0.1/token", "CMN-101"),
        ("https://169.254.169.254/", "CMN-101"),
        ("https://no-such-host.invalid/", "CMN-101"),
    ] {
        let expect = format!("400 {code} [authorization.tokenUrl]");
        let created = alice.post(ENDPOINTS, &body(proof(source))).await;
        let replaced = alice.put(&one, &body(proof(source))).await;
        let patch = json!({ "authorization": proof(source) });
        let patched = alice.patch(&one, &patch).await;
        for refused in [created, replaced, patched] {
            assert_eq!(refused.brief(), expect, "{source}: {}", refused.body);
        }
    }
    // One that may be called.
    let patch = json!({ "authorization": proof(&url) });
    assert_eq!(alice.patch(&one, &patch).await.status, 200);
    production.stop().await;
}

#[tokio::test]
async fn what_was_read_can_be_put_back_and_changes_nothing() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let settings = json!({
        "description": "Billing",
        "headers": { "X-Tenant": "acme" },
        "authorization": { "type": "basic", "username": "yard", "password": "hunter2" },
        "verificationToken": "v3rify",
        "contentFilter": { "data": { "amount": { "$gte": 1 } } },
        "retryPolicy": { "schedule": { "kind": "exponential", "firstMs": 500, "longestMs": 9_000 } },
        "rateLimit": { "count": 5, "perMs": 1_000 },
        "batchMax": 7,
    });
    let path = format!(
        "{ENDPOINTS}/{}",
        endpoint(&alice, &receiver, settings).await.id()
    );
    let shown = format!("{path}?reveal=true");
    let mut before = alice.get(&shown).await.json();
    assert_eq!(before["batchMax"], 7, "kept while nothing is batched");
    let listed = alice.get(ENDPOINTS).await.json()["records"][0].clone();
    assert_ne!(listed["stats"], Value::Null);
    for body in [alice.get(&path).await.json(), listed] {
        let put = alice.put(&path, &body).await;
        assert_eq!(put.status, 200, "{}", put.body);
        let patched = alice.patch(&path, &body).await;
        assert_eq!(patched.status, 200, "{}", patched.body);
    }
    let mut after = alice.get(&shown).await.json();
    for told in [&mut before, &mut after] {
        for changes in ["version", "lastModifiedTime"] {
            told[changes] = Value::Null;
        }
    }
    assert_eq!(after, before);
    // Under a mask of something else there is nothing to keep.
    for (change, expect) in [
        (
            json!({ "headers": { "X-Other": "••••" } }),
            "headers.X-Other",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": "••••" } }),
            "authorization.token",
        ),
        (json!({ "secret": "whsec_x" }), "secret"),
    ] {
        let mut body = json!({ "url": receiver.address(), "eventTypes": ["*"] });
        let members = body.as_object_mut().expect("an object");
        members.extend(change.as_object().expect("members").clone());
        for refused in [
            alice.put(&path, &body).await,
            alice.patch(&path, &body).await,
        ] {
            assert_eq!(
                refused.brief(),
                format!("400 CMN-101 [{expect}]"),
                "{}",
                refused.body
            );
        }
    }
    let made = endpoint(&alice, &receiver, json!({ "verificationToken": "••••" })).await;
    assert_eq!(made.brief(), "400 CMN-101 [verificationToken]");
    // The case of a header's name makes no difference.
    let other_case = json!({ "headers": { "x-tenant": "new" } });
    alice.patch(&path, &other_case).await;
    let told = alice.get(&shown).await.json();
    assert_eq!(told["headers"], json!({ "X-Tenant": "new" }));
}

#[tokio::test]
async fn a_refusal_says_what_would_be_right() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let path = format!(
        "{ENDPOINTS}/{}",
        endpoint(&alice, &receiver, json!({})).await.id()
    );
    let long = "a".repeat(5_000);
    let url = |text: &str| json!({ "url": text });
    for (settings, parameter, says) in [
        (json!({ "colour": 1 }), "colour", "`eventTypes`"),
        (
            json!({ "rateLimit": { "count": 1, "perMs": 1_000, "z": 1 } }),
            "rateLimit.z",
            "`count` and `perMs`",
        ),
        (
            json!({ "rateLimit": { "count": -1, "perMs": 1_000 } }),
            "rateLimit.count",
            "from 1 to 100000",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": "t", "extra": 1 } }),
            "authorization.extra",
            "`token`",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": "t", "username": "u" } }),
            "authorization.username",
            "`type` and `token`",
        ),
        (
            json!({ "authorization": { "type": "basic", "username": "u" } }),
            "authorization.password",
            "is missing",
        ),
        (
            json!({ "authorization": { "type": "digest" } }),
            "authorization.type",
            "`none`, `basic`, `bearer` or `oauth2`",
        ),
        (
            json!({ "authorization": "Bearer t" }),
            "authorization",
            "must be an object",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": 7 } }),
            "authorization.token",
            "must be a text",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": long } }),
            "authorization.token",
            "at most 4096 characters",
        ),
        (
            json!({ "headers": { "X-A": long } }),
            "headers.X-A",
            "at most 4096 characters",
        ),
        (
            json!({ "headers": { "X-A": 1 } }),
            "headers.X-A",
            "must be a text, not 1",
        ),
        (
            json!({ "headers": { "X-A": "1", "x-a": "2" } }),
            "headers.x-a",
            "is there twice",
        ),
        (
            json!({ "verificationToken": long }),
            "verificationToken",
            "characters",
        ),
        (
            json!({ "retryPolicy": { "foo": 1 } }),
            "retryPolicy.foo",
            "`attemptsMax`",
        ),
        (
            json!({ "retryPolicy": { "schedule": { "kind": "list", "delaysMs": [500], "x": 1 } } }),
            "retryPolicy.schedule.x",
            "`delaysMs`",
        ),
        (
            json!({ "retryPolicy": { "schedule": { "kind": "linear" } } }),
            "retryPolicy.schedule.kind",
            "`list` or `exponential`",
        ),
        (
            json!({ "retryPolicy": { "schedule": { "kind": "list", "delaysMs": [-1] } } }),
            "retryPolicy.schedule.delaysMs[0]",
            "from 100 to",
        ),
        (
            json!({ "handshake": "wave" }),
            "handshake",
            "`none`, `echo` or `options`",
        ),
        (
            json!({ "signing": "rsa" }),
            "signing",
            "`standard` or `none`",
        ),
        (
            json!({ "payloadFormat": "xml" }),
            "payloadFormat",
            "`standard`, `cloudevents`, `cloudevents-binary` or `ringcentral`",
        ),
        (json!({ "timeoutMs": -5 }), "timeoutMs", "from 500 to 60000"),
        (
            json!({ "timeoutMs": 1.5 }),
            "timeoutMs",
            "must be a whole number, not 1.5",
        ),
        (
            json!({ "concurrency": 5_000_000_000_u64 }),
            "concurrency",
            "from 1 to 256",
        ),
        (json!({ "ordered": "yes" }), "ordered", "true or false"),
        (json!({ "batchMax": 0 }), "batchMax", "from 1 to 500"),
        (url("https://u:p@example.com/"), "url", "no password"),
        (url("https://example.com:0/"), "url", "port from 1 to 65535"),
        (
            url("https://example.com:70000/"),
            "url",
            "port from 1 to 65535",
        ),
        (url("https://[fe80::1%25eth0]/"), "url", "without a zone"),
        (url(&format!("https://a.b/{long}")), "url", "at most 2048"),
    ] {
        let made = endpoint(&alice, &receiver, settings.clone()).await;
        let patched = alice.patch(&path, &settings).await;
        for refused in [made, patched] {
            let told = format!("{settings:.120}: {:.600}", refused.body);
            let expect = format!("400 CMN-101 [{parameter}]");
            assert_eq!(refused.brief(), expect, "{told}");
            let message = refused.json()["message"].to_string();
            assert!(message.contains(says), "{told}");
        }
    }
    for (action, parameter) in [("secret/rotate", "overlap"), ("resend", "state")] {
        let body = json!({ parameter: 1 });
        let refused = alice.post(&format!("{path}/{action}"), &body).await;
        assert_eq!(refused.brief(), format!("400 CMN-101 [{parameter}]"));
        assert!(refused.body.contains("what is known"), "{}", refused.body);
    }
}

#[tokio::test]
async fn a_rate_that_is_none_is_told_by_its_header() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let grant = |rate: &str| {
        Reply::from(200)
            .header("WebHook-Allowed-Origin", "*")
            .header("WebHook-Allowed-Rate", rate)
    };
    let asking = || endpoint(&alice, &receiver, json!({ "handshake": "options" }));
    for rate in ["0", "-5", "x"] {
        receiver.reply(grant(rate)).times(1);
        let refused = asking().await;
        assert_eq!(refused.brief(), "400 SUB-525 [url]", "{}", refused.body);
        let message = refused.json()["message"].to_string();
        assert!(message.contains("WebHook-Allowed-Rate"), "{message}");
    }
    // More than we can count is as good as the most that we can.
    receiver.reply(grant("99999999999999")).times(1);
    let made = asking().await;
    assert_eq!(
        made.json()["rateLimit"],
        json!({ "count": 100_000, "perMs": 60_000 }),
        "{}",
        made.body
    );
}

#[tokio::test]
async fn a_change_can_be_meant_for_one_version_only() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let made = endpoint(&alice, &receiver, json!({})).await;
    let path = format!("{ENDPOINTS}/{}", made.id());
    let tag = |answer: &Answer| answer.header("etag").to_owned();
    let first = tag(&made);
    assert_eq!(first, "\"1\"");
    assert_eq!(tag(&alice.get(&path).await), first);
    let change = |method: Method, tag: String, description: &str| {
        let body = json!({ "url": receiver.address(), "eventTypes": ["*"],
            "description": description });
        let (alice, path) = (alice.clone(), path.clone());
        async move {
            let headers = [
                ("content-type", "application/json"),
                ("if-match", tag.as_str()),
            ];
            alice.send(method, &path, &headers, body.to_string()).await
        }
    };
    let changed = change(Method::PATCH, first.clone(), "one").await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_ne!(tag(&changed), first);
    for method in [Method::PUT, Method::PATCH] {
        let late = change(method, first.clone(), "two").await;
        assert_eq!(late.brief(), "412 CMN-119", "{}", late.body);
    }
    assert_eq!(alice.get(&path).await.json()["description"], "one");
    let wrong = change(Method::PUT, "x".to_owned(), "two").await;
    assert_eq!(wrong.brief(), "400 CMN-101 [If-Match]");
    let replaced = change(Method::PUT, tag(&changed), "two").await;
    assert_eq!(replaced.json()["description"], "two");
}
