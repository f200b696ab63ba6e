//! Events that apps publish, and whom they reach.

use hookyard_domain::{PersonId, Scope, Scopes};
use hookyard_testkit::Receiver;
use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{ALICE, BOB, CAROL, MALLORY, World};

const EVENTS: &str = "/api/v1/events";
const OWN: &str = "/restapi/v1.0/account/~/extension/~";

async fn subscribe(client: &Client, filter: &str) -> Receiver {
    let receiver = Receiver::start().await;
    let body = json!({
        "eventFilters": [filter],
        "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
    });
    let answer = client.post("/restapi/v1.0/subscription", &body).await;
    assert_eq!(answer.status, 200, "{filter}: {answer:?}");
    receiver
}

async fn publish(client: &Client, event: &str, body: &Value) -> Answer {
    client
        .post(EVENTS, &json!({ "event": event, "body": body }))
        .await
}

fn own(path: &str) -> String {
    format!("{OWN}/{path}")
}

fn of(person: PersonId, path: &str) -> String {
    format!("/restapi/v1.0/account/~/extension/{person}/{path}")
}

/// The envelopes of the first `count` events.
async fn envelopes(receiver: &Receiver, count: usize) -> Vec<Value> {
    let events = receiver.received(count).await;
    let read = |body: &[u8]| serde_json::from_slice(body).expect("JSON");
    events.iter().map(|event| read(&event.body)).collect()
}

/// How many deliveries the client's subscriptions have caused, finished or not.
async fn deliveries(client: &Client) -> usize {
    let mut count = 0;
    for id in client.get("/restapi/v1.0/subscription").await.records("id") {
        let path = format!("/api/v1/deliveries?subscriptionId={id}");
        count += client.get(&path).await.records("id").len();
    }
    count
}

fn presence(of: PersonId, sequence: u32) -> Value {
    json!({
        "extensionId": of,
        "presenceStatus": "Busy",
        "telephonyStatus": "Ringing",
        "activeCalls": [{
            "id": "c1",
            "telephonyStatus": "Ringing",
            "from": "+16505550111",
            "sipData": { "callId": "7d3f", "remoteUri": "sip:1@example.com" },
        }],
        "sequence": sequence,
    })
}

fn message(kind: &str) -> Value {
    json!({
        "id": 12_756_735_005_u64,
        "type": kind,
        "from": { "phoneNumber": "+16505550111" },
        "to": [{ "phoneNumber": "+16505550122" }],
        "direction": "Inbound",
        "subject": "Your table is ready.",
        "creationTime": "2026-03-26T09:30:00.102Z",
    })
}

#[tokio::test]
async fn published_presence_shows_each_subscriber_what_they_asked_for() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let plain = subscribe(&bob, &own("presence")).await;
    let detailed = subscribe(&bob, &own("presence?detailedTelephonyState=true")).await;
    let full = own("presence?detailedTelephonyState=true&sipData=true");
    let full = subscribe(&bob, &full).await;
    let published = publish(&bob, &own("presence"), &presence(BOB, 1)).await;
    assert_eq!(published.status, 201);
    let event = format!("/restapi/v1.0/account/1/extension/{BOB}/presence");
    assert_eq!(
        published.json(),
        json!({
            "id": published.id(),
            "event": event,
            "eventType": "presence",
            "timestamp": "2027-01-15T08:00:00.000Z",
        })
    );

    let mut without_sip = presence(BOB, 1);
    let call = without_sip["activeCalls"][0]
        .as_object_mut()
        .expect("a call");
    call.remove("sipData");
    let mut without_calls = without_sip.clone();
    without_calls
        .as_object_mut()
        .expect("presence")
        .remove("activeCalls");
    for (receiver, query, expect) in [
        (&plain, "", without_calls),
        (&detailed, "?detailedTelephonyState=true", without_sip),
        (
            &full,
            "?detailedTelephonyState=true&sipData=true",
            presence(BOB, 1),
        ),
    ] {
        let envelope = envelopes(receiver, 1).await.remove(0);
        assert_eq!(envelope["body"], expect, "{query}");
        assert_eq!(envelope["event"], format!("{event}{query}"));
        assert_eq!(envelope["uuid"], published.json()["id"]);
        assert_eq!(envelope["ownerId"], BOB.to_string());
        assert_eq!(envelope["timestamp"], "2027-01-15T08:00:00.000Z");
    }
}

#[tokio::test]
async fn a_message_reaches_who_asked_for_its_type() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let sms = subscribe(&bob, &own("message-store/instant?type=SMS")).await;
    let pager = subscribe(&bob, &own("message-store/instant?type=Pager")).await;
    let both = subscribe(&bob, &own("message-store/instant")).await;
    for kind in ["SMS", "Pager"] {
        let answer = publish(&bob, &own("message-store/instant"), &message(kind)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    let types = |events: Vec<Value>| -> Vec<String> {
        let kind = |event: &Value| event["body"]["type"].as_str().expect("a type").to_owned();
        let mut types: Vec<_> = events.iter().map(kind).collect();
        types.sort();
        types
    };
    assert_eq!(types(envelopes(&both, 2).await), ["Pager", "SMS"]);
    assert_eq!(types(envelopes(&sms, 1).await), ["SMS"]);
    assert_eq!(types(envelopes(&pager, 1).await), ["Pager"]);
    assert_eq!(deliveries(&bob).await, 4);
}

#[tokio::test]
async fn an_administrator_publishes_for_all_and_watches_the_account() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let account = "/restapi/v1.0/account/~/presence?detailedTelephonyState=true";
    let account = subscribe(&alice, account).await;
    let to_bob = subscribe(&bob, &own("presence")).await;
    for (number, person) in [(1, BOB), (2, CAROL), (3, ALICE)] {
        let answer = publish(&alice, &of(person, "presence"), &presence(person, number)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    publish(&bob, &own("presence"), &presence(BOB, 4)).await;
    let mut seen = envelopes(&account, 4).await;
    seen.sort_by_key(|event| event["body"]["sequence"].as_u64());
    let extensions: Vec<_> = seen
        .iter()
        .map(|event| &event["body"]["extensionId"])
        .collect();
    assert_eq!(json!(extensions), json!([BOB, CAROL, ALICE, BOB]));
    assert_eq!(seen[0]["body"]["activeCalls"][0]["id"], "c1");
    assert_eq!(
        seen[0]["event"],
        "/restapi/v1.0/account/1/presence?detailedTelephonyState=true"
    );
    let mut own = envelopes(&to_bob, 2).await;
    own.sort_by_key(|event| event["body"]["sequence"].as_u64());
    assert_eq!(
        (&own[0]["body"]["sequence"], &own[1]["body"]["sequence"]),
        (&json!(1), &json!(4))
    );
    assert_eq!(deliveries(&bob).await, 2);
}

#[tokio::test]
async fn every_type_that_apps_publish_reaches_its_subscribers() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let types = bob.get("/api/v1/event-types").await.json();
    let mut published = 0;
    for known in types["records"].as_array().expect("types") {
        let Some(path) = known["filters"][0]["path"].as_str() else {
            continue;
        };
        let path = path
            .replace("{accountId}", "~")
            .replace("{extensionId}", "~");
        let mut body = known["example"].clone();
        for (member, id) in [("extensionId", BOB.0), ("accountId", 1)] {
            if body.get(member).is_some() {
                body[member] = json!(id);
            }
        }
        let apps = known["producers"]
            .as_array()
            .expect("producers")
            .contains(&json!("Apps"));
        if !apps {
            let answer = publish(&bob, &path, &body).await;
            assert_eq!(answer.brief(), "400 CMN-101 [event]", "{path}");
            continue;
        }
        let receiver = subscribe(&bob, &path).await;
        let answer = publish(&bob, &path, &body).await;
        assert_eq!(answer.status, 201, "{path}: {answer:?}");
        assert_eq!(answer.json()["eventType"], known["name"]);
        let envelope = envelopes(&receiver, 1).await.remove(0);
        if known["name"] != "presence" {
            assert_eq!(envelope["body"], body, "{path}");
        }
        published += 1;
    }
    assert_eq!(published, 8);
}

#[tokio::test]
async fn a_body_arrives_in_its_own_bytes() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let receiver = subscribe(&bob, &own("missed-calls")).await;
    let body = "{ \"from\" :\"+1\\u002b\",\n\t\"extensionId\":12, \"odd\": 1.50e+2, \"é\": [ ] }";
    let request = format!(
        "{{\"body\": {body} , \"event\": \"{}\"}}",
        own("missed-calls")
    );
    let kind = [("content-type", "application/json")];
    let answer = bob.send(Method::POST, EVENTS, &kind, request).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let sent = receiver.received(1).await.remove(0).body;
    let sent = std::str::from_utf8(&sent).expect("text");
    assert!(sent.ends_with(&format!("\"body\":{body}}}")), "{sent}");
}

/// Presence of Bob's with another value at one place.
fn presence_with(at: &str, value: Value) -> Value {
    let mut body = presence(BOB, 1);
    *body.pointer_mut(at).expect("a place") = value;
    json!({ "event": own("presence"), "body": body })
}

/// Requests that publish nothing, and what they are told.
fn unpublishable() -> Vec<(Value, &'static str)> {
    let good = presence(BOB, 1);
    let event = |event: &str| json!({ "event": event, "body": good });
    let long = "x".repeat(262_144);
    let with = presence_with;
    vec![
        (json!({}), "400 CMN-101 [type]"),
        (json!({ "body": good }), "400 CMN-101 [body]"),
        (json!({ "event": own("presence") }), "400 CMN-101 [body]"),
        (json!({ "event": 7, "body": good }), "400 CMN-101 [event]"),
        (
            json!({ "event": own("presence"), "body": null }),
            "400 CMN-101 [body]",
        ),
        (
            json!({ "event": own("presence"), "body": [good] }),
            "400 CMN-101 [body]",
        ),
        (
            json!({ "event": own("presence"), "body": {} }),
            "400 CMN-101 [body]",
        ),
        (
            json!({ "event": own("presence"), "body": good, "id": "7" }),
            "400 CMN-101 [id]",
        ),
        (
            with("/presenceStatus", json!("Asleep")),
            "400 CMN-101 [body/presenceStatus]",
        ),
        (
            with("/activeCalls/0/from", json!(7)),
            "400 CMN-101 [body/activeCalls/0/from]",
        ),
        (
            with("/extensionId", json!(CAROL)),
            "400 CMN-101 [body/extensionId]",
        ),
        (with("/presenceStatus", json!(long)), "413 CMN-112"),
        (event("/team-messaging/v1/posts"), "400 CMN-101 [event]"),
        (event(OWN), "400 CMN-101 [event]"),
        (
            event(&own("presence?detailedTelephonyState=true")),
            "400 CMN-101 [event]",
        ),
        (
            event("/restapi/v1.0/account/~/presence"),
            "400 CMN-101 [event]",
        ),
        (event(&own("nowhere")), "400 CMN-101 [event]"),
        (event(""), "400 CMN-101 [event]"),
        (event(&of(CAROL, "presence")), "403 CMN-408"),
        (event(&of(MALLORY, "presence")), "403 CMN-408"),
        (
            event("/restapi/v1.0/account/2/extension/~/presence"),
            "404 CMN-102 [accountId]",
        ),
        (json!([event(OWN)]), "400 CMN-101 [[0].body]"),
        (json!(7), "400 CMN-104"),
    ]
}

#[tokio::test]
async fn what_cannot_be_published_is_refused_and_reaches_nobody() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let receiver = subscribe(&bob, &own("presence")).await;
    for (request, expect) in unpublishable() {
        let answer = bob.post(EVENTS, &request).await;
        assert_eq!(answer.brief(), expect, "{request:.120}");
    }
    let kind = [("content-type", "application/json")];
    let raw = |request: &str| {
        let request = request.replace("PRESENCE", &own("presence"));
        let bob = bob.clone();
        async move { bob.send(Method::POST, EVENTS, &kind, request).await.brief() }
    };
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(50), "]".repeat(50));
    for (request, expect) in [
        ("{".to_owned(), "400 CMN-103"),
        (
            format!(r#"{{"event":"PRESENCE","body":{deep}}}"#),
            "400 CMN-103",
        ),
        (
            r#"{"event":"PRESENCE","body":{"extensionId":"\u0000"}}"#.to_owned(),
            "400 CMN-103",
        ),
        (
            r#"{"event":"PRESENCE","body":{},"body":{"extensionId":"12"}}"#.to_owned(),
            "400 CMN-104",
        ),
        (
            r#"{"event":"PRESENCE","body":{"extensionId":"13","extensionId":"12"}}"#.to_owned(),
            "400 CMN-101 [body]",
        ),
    ] {
        assert_eq!(raw(&request).await, expect, "{request}");
    }
    let told = bob
        .post(EVENTS, &presence_with("/telephonyStatus", json!("Singing")))
        .await;
    assert_eq!(
        told.json()["message"],
        "Parameter [body/telephonyStatus] value is invalid: the value is not one of \"NoCall\", \
         \"CallConnected\" or 3 other candidates"
    );
    // Only what comes next arrives.
    publish(&bob, &own("presence"), &presence(BOB, 2)).await;
    assert_eq!(envelopes(&receiver, 1).await[0]["body"]["sequence"], 2);
    assert_eq!(deliveries(&bob).await, 1);
}

#[tokio::test]
async fn only_apps_that_may_publish_do() {
    let world = World::start().await;
    let request = json!({ "event": own("presence"), "body": presence(BOB, 1) });
    let nobody = world.nobody().post(EVENTS, &request).await;
    assert_eq!(nobody.brief(), "401 AGW-401");
    let scopes: Scopes = Scope::ALL
        .into_iter()
        .filter(|scope| *scope != Scope::PublishEvents)
        .collect();
    let without = world.signed_in_with(BOB, scopes, "app").await;
    assert_eq!(without.post(EVENTS, &request).await.brief(), "403 CMN-401");
    let only = [Scope::PublishEvents].into_iter().collect();
    let with = world.signed_in_with(BOB, only, "app").await;
    assert_eq!(with.post(EVENTS, &request).await.status, 201);
}

#[tokio::test]
async fn an_account_hears_nothing_of_another() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mallory = world.signed_in(MALLORY).await;
    let receiver = subscribe(&mallory, &own("presence")).await;
    for person in [MALLORY, PersonId(999)] {
        let answer = publish(&alice, &of(person, "presence"), &presence(person, 1)).await;
        assert_eq!(answer.brief(), "404 CMN-102 [extensionId]");
    }
    let theirs = format!("/restapi/v1.0/account/2/extension/{MALLORY}/presence");
    let answer = publish(&alice, &theirs, &presence(MALLORY, 1)).await;
    assert_eq!(answer.brief(), "404 CMN-102 [accountId]");
    publish(&alice, &own("presence"), &presence(ALICE, 2)).await;
    publish(&mallory, &own("presence"), &presence(MALLORY, 3)).await;
    assert_eq!(envelopes(&receiver, 1).await[0]["body"]["sequence"], 3);
    assert_eq!(deliveries(&mallory).await, 1);
}
