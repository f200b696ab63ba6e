//! Events of types that the account registered, in every form that they are published in.

use bytes::Bytes;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{Event, EventId, Scope, Scopes};
use hookyard_testkit::Receiver;
use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::kernel::production::Production;
use crate::world::{ACCOUNT, ALICE, BOB, MALLORY, World};

const EVENTS: &str = "/api/v1/events";
const JSON: (&str, &str) = ("content-type", "application/json");
const STRUCTURED: (&str, &str) = (
    "content-type",
    "application/cloudevents+json; charset=utf-8",
);
const BATCH: (&str, &str) = ("content-type", "application/cloudevents-batch+json");

/// A world with a type that has a schema and one that has none.
async fn shop() -> (World, Client) {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let schema = json!({
        "type": "object",
        "required": ["amount"],
        "properties": { "amount": { "type": "number" } },
    });
    for body in [
        json!({ "name": "invoice.paid", "schema": schema, "example": { "amount": 1 } }),
        json!({ "name": "user.gone" }),
    ] {
        let made = alice.post("/api/v1/event-types", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    (world, alice)
}

async fn send(client: &Client, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    client.send(Method::POST, EVENTS, headers, body).await
}

async fn stored(world: &World, answer: &Answer) -> Event {
    let id: EventId = answer.id().parse().expect("an id");
    let found = world.store.event(ACCOUNT, id).await;
    found.expect("a store in memory").expect("it is stored")
}

/// How many events there are.
async fn count(world: &World) -> usize {
    let events = world.store.events_after(ACCOUNT, EventId(0), 5_000).await;
    let events = events.expect("a store in memory");
    let custom = events.iter().filter(|event| event.kind.name() == "custom");
    custom.count()
}

/// Codes and parameters of all that is wrong.
fn wrong(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let errors = body["errors"].as_array().expect("errors");
    let brief = |error: &Value| {
        assert!(!error["message"].as_str().expect("a message").is_empty());
        format!(
            "{} {}",
            error["errorCode"].as_str().expect("a code"),
            error["parameterName"].as_str().unwrap_or_default()
        )
    };
    errors.iter().map(brief).collect()
}

#[tokio::test]
async fn a_plain_event_keeps_its_bytes_and_what_is_said_of_it() {
    let (world, alice) = shop().await;
    let data =
        "{ \"amount\" :1.50e+2,\n\t\"note\": \"\\u00e9\", \"big\": 12345678901234567890123 }";
    let body = format!(
        r#"{{"data": {data} , "type":"invoice.paid","id":"in_7","source":"/shop","subject":"7",
            "timestamp":"2026-03-26T10:18:41.460+01:00"}}"#
    );
    let answer = send(&alice, &[JSON], body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let expect = json!({
        "id": answer.id(),
        "type": "invoice.paid",
        "timestamp": "2026-03-26T09:18:41.460Z",
        "duplicate": false,
    });
    assert_eq!(answer.json(), expect);
    let event = stored(&world, &answer).await;
    assert_eq!(&event.body[..], data.as_bytes());
    assert_eq!(event.type_name(), "invoice.paid");
    let said = event.attributes.as_deref().expect("attributes");
    assert_eq!(said.id.as_deref(), Some("in_7"));
    assert_eq!(said.source.as_deref(), Some("/shop"));
    assert_eq!(said.subject.as_deref(), Some("7"));

    let shown = alice.get(&format!("{EVENTS}/{}", answer.id())).await;
    assert!(
        shown.body.contains(&format!("\"data\":{data}")),
        "{shown:?}"
    );
    let told = shown.json();
    assert_eq!(told["type"], "invoice.paid");
    assert_eq!(told["publisherId"], "in_7");
    assert_eq!(told["timestamp"], "2026-03-26T09:18:41.460Z");
}

#[tokio::test]
async fn an_event_reaches_the_endpoints_that_ask_for_it() {
    let (_world, alice) = shop().await;
    let receiver = Receiver::start().await;
    let asked = json!({ "url": receiver.address(), "eventTypes": ["invoice.*"] });
    let made = alice.post("/api/v1/endpoints", &asked).await;
    assert_eq!(made.status, 201, "{made:?}");
    alice
        .post(EVENTS, &json!({ "type": "user.gone", "data": 1 }))
        .await;
    let body = r#"{"type":"invoice.paid","data":{ "amount" : 1.0 }}"#;
    let answer = send(&alice, &[JSON], body).await;
    let sent = receiver.received(1).await.remove(0).body;
    let expect = format!(
        r#"{{"id":"evt_{}","type":"invoice.paid","timestamp":"2027-01-15T08:00:00.000Z","data":{{ "amount" : 1.0 }}}}"#,
        answer.id()
    );
    assert_eq!(sent, expect);
}

#[tokio::test]
async fn a_cloud_event_comes_structured_binary_or_with_others() {
    let (world, alice) = shop().await;
    let data = "{ \"amount\" : 1.0 }";
    let structured = |id: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/shop","type":"invoice.paid","tenant":"acme","data":{data}}}"#
        )
    };
    let one = send(&alice, &[STRUCTURED], structured("1")).await;
    assert_eq!(one.status, 201, "{one:?}");
    let binary = [
        ("ce-specversion", "1.0"),
        ("ce-id", "2"),
        ("ce-source", "/shop"),
        ("ce-type", "invoice.paid"),
        ("ce-tenant", "acme"),
        JSON,
    ];
    let other = send(&alice, &binary, data).await;
    assert_eq!(other.status, 201, "{other:?}");
    let batch = format!("[{},\n{}]", structured("3"), structured("4"));
    let both = send(&alice, &[BATCH], batch).await;
    assert_eq!(both.status, 201, "{both:?}");
    assert_eq!(both.records("type"), ["invoice.paid", "invoice.paid"]);
    let events = world.store.events_after(ACCOUNT, EventId(0), 100).await;
    let events = events.expect("a store in memory");
    let custom: Vec<_> = events
        .iter()
        .filter(|event| event.kind.name() == "custom")
        .collect();
    let ids: Vec<_> = custom.iter().map(|event| event.id.to_string()).collect();
    let mut answered = vec![one.id(), other.id()];
    answered.extend(both.records("id"));
    assert_eq!(ids, answered);
    for (event, id) in custom.iter().zip(["1", "2", "3", "4"]) {
        assert_eq!(&event.body[..], data.as_bytes());
        let said = event.attributes.as_deref().expect("attributes");
        assert_eq!(said.id.as_deref(), Some(id));
        assert_eq!(said.source.as_deref(), Some("/shop"));
        let tenant = ("tenant".to_owned(), "\"acme\"".to_owned());
        assert_eq!(said.extensions, [tenant]);
        assert!(event.is_json());
    }
}

#[tokio::test]
async fn data_need_not_be_json() {
    let (world, alice) = shop().await;
    let binary = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/shop"),
        ("ce-type", "user.gone"),
        ("content-type", "application/octet-stream"),
    ];
    let bytes: &[u8] = b"\xff\x00\xfe";
    let answer = send(&alice, &binary, bytes).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(stored(&world, &answer).await.body, bytes);
    let told = alice
        .get(&format!("{EVENTS}/evt_{}", answer.id()))
        .await
        .json();
    assert_eq!(told["dataBase64"], "/wD+");
    assert_eq!(told["dataContentType"], "application/octet-stream");
    assert_eq!(told.get("data"), None);
    let nothing = r#"{"specversion":"1.0","id":"2","source":"/shop","type":"user.gone"}"#;
    let answer = send(&alice, &[STRUCTURED], nothing).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let told = alice.get(&format!("{EVENTS}/{}", answer.id())).await;
    assert!(told.body.contains("\"data\":null"), "{told:?}");
    let mut with_schema = binary;
    with_schema[3] = ("ce-type", "invoice.paid");
    with_schema[1] = ("ce-id", "3");
    let refused = send(&alice, &with_schema, bytes).await;
    assert_eq!(refused.brief(), "400 CMN-101 [data]");
}

#[tokio::test]
async fn a_repeat_publishes_nothing_and_other_content_is_refused() {
    let (world, alice) = shop().await;
    let event = |id: &str, amount: u32| json!({ "type": "invoice.paid", "id": id, "data": { "amount": amount } });
    let first = alice.post(EVENTS, &event("7", 1)).await;
    assert_eq!(first.status, 201);
    let again = alice.post(EVENTS, &event("7", 1)).await;
    assert_eq!(again.status, 200, "{again:?}");
    let duplicate = json!({ "id": first.id(), "type": "invoice.paid", "duplicate": true });
    assert_eq!(again.json(), duplicate);
    let other = alice.post(EVENTS, &event("7", 2)).await;
    assert_eq!(other.brief(), "409 CMN-118 [id]");
    let message = other.json()["message"].as_str().expect("text").to_owned();
    assert!(message.contains(&first.id()), "{message}");
    let mut elsewhere = event("7", 2);
    elsewhere["source"] = json!("/elsewhere");
    assert_eq!(alice.post(EVENTS, &elsewhere).await.status, 201);
    let mut typed = event("7", 1);
    typed["type"] = json!("user.gone");
    let refused = alice.post(EVENTS, &typed).await;
    assert_eq!(refused.brief(), "409 CMN-118 [id]");
    let nameless = json!({ "type": "user.gone", "data": 1 });
    alice.post(EVENTS, &nameless).await;
    alice.post(EVENTS, &nameless).await;
    assert_eq!(count(&world).await, 4);
    // A repeat is one even when the type has become stricter since, or is gone.
    let path = "/api/v1/event-types/invoice.paid";
    let strict = json!({ "schema": { "required": ["currency"] } });
    let version = alice.post(&format!("{path}/versions"), &strict).await;
    assert_eq!(version.status, 201);
    assert_eq!(alice.post(EVENTS, &event("7", 1)).await.status, 200);
    assert_eq!(alice.delete(path).await.status, 204);
    assert_eq!(alice.post(EVENTS, &event("7", 1)).await.status, 200);
    assert_eq!(
        alice.post(EVENTS, &event("8", 1)).await.brief(),
        "400 CMN-101 [type]"
    );
}

#[tokio::test]
async fn of_many_repeats_at_once_one_is_published() {
    let (world, alice) = shop().await;
    let publish = |amount: u32| {
        let alice = alice.clone();
        let event = json!({ "type": "invoice.paid", "id": "7", "data": { "amount": amount } });
        async move { alice.post(EVENTS, &event).await }
    };
    let tasks: Vec<_> = (0..16)
        .map(|number| tokio::spawn(publish(number / 15)))
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("an answer"));
    }
    let of = |status: u16| {
        let same = answers.iter().filter(|answer| answer.status == status);
        same.count()
    };
    assert_eq!(of(201), 1, "{answers:?}");
    assert_eq!(
        (of(200), of(409)),
        if of(409) == 1 { (14, 1) } else { (0, 15) }
    );
    let mut ids: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status.is_success())
        .map(Answer::id)
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn the_header_names_a_single_event() {
    let (world, alice) = shop().await;
    let body = json!({ "type": "user.gone", "data": 1 }).to_string();
    let key = ("idempotency-key", "k-1");
    let first = send(&alice, &[JSON, key], body.clone()).await;
    assert_eq!(first.status, 201, "{first:?}");
    let quoted = ("idempotency-key", "\"k-1\"");
    let again = send(&alice, &[JSON, quoted], body.clone()).await;
    assert_eq!((again.status.as_u16(), again.id()), (200, first.id()));
    let named = json!({ "type": "user.gone", "data": 1, "id": "k-1" }).to_string();
    assert_eq!(send(&alice, &[JSON, key], named).await.status, 200);
    let other = json!({ "type": "user.gone", "data": 1, "id": "k-2" }).to_string();
    let batch = format!("[{body}]");
    let about = json!({ "event": "/restapi/v1.0/account/~/extension/~/presence", "body": {} });
    for (key, body) in [
        ("k-1", other),
        ("k-3", batch),
        ("k-3", about.to_string()),
        ("", body.clone()),
        (&"x".repeat(513), body.clone()),
    ] {
        let answer = send(&alice, &[JSON, ("idempotency-key", key)], body).await;
        assert_eq!(answer.brief(), "400 CMN-101 [Idempotency-Key]", "{key}");
    }
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn a_batch_is_published_whole_with_what_was_known_left_out() {
    let (world, alice) = shop().await;
    let event = |id: &str| json!({ "type": "user.gone", "id": id, "data": [id] });
    let known = alice.post(EVENTS, &event("b")).await;
    let nameless = json!({ "type": "user.gone", "data": [] });
    let batch = json!([event("a"), event("b"), nameless, event("a"), nameless]);
    let answer = alice.post(EVENTS, &batch).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let records = answer.json()["records"].clone();
    let ids = answer.records("id");
    let duplicates: Vec<_> = (0..5).map(|index| &records[index]["duplicate"]).collect();
    assert_eq!(json!(duplicates), json!([false, true, false, true, false]));
    assert_eq!((&ids[1], &ids[3]), (&known.id(), &ids[0]));
    assert_ne!(ids[2], ids[4]);
    assert_eq!(count(&world).await, 4);
    let again = alice.post(EVENTS, &json!([event("a"), event("b")])).await;
    assert_eq!(again.status, 200);
    let empty = alice.post(EVENTS, &json!([])).await;
    assert_eq!(
        (empty.status.as_u16(), empty.body.as_str()),
        (200, r#"{"records":[]}"#)
    );
    assert_eq!(count(&world).await, 4);
}

#[tokio::test]
async fn a_batch_that_is_wrong_in_part_stores_nothing() {
    let (world, alice) = shop().await;
    let first = json!({ "type": "user.gone", "id": "known", "data": 1 });
    assert_eq!(alice.post(EVENTS, &first).await.status, 201);
    let good = |id: u32| json!({ "type": "user.gone", "id": id.to_string(), "data": id });
    let batch = json!([
        good(0),
        { "type": "user.gone", "id": "known", "data": 2 },
        { "type": "no.such", "data": 1 },
        { "type": "invoice.paid", "data": { "amount": "1" } },
        good(4),
        { "type": "user.gone", "id": "4", "data": "other" },
        { "type": "invoice.paid", "data": {} },
        { "type": "invoice.paid", "data": { "amount": 1 }, "schemaVersion": 2 },
        { "type": "presence", "data": {} },
        { "type": "post.PostAdded", "data": {} },
    ]);
    let answer = alice.post(EVENTS, &batch).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let expect = [
        "CMN-101 [2].type",
        "CMN-101 [8].type",
        "CMN-101 [9].type",
        "CMN-101 [3].data/amount",
        "CMN-101 [6].data",
        "CMN-101 [7].schemaVersion",
        "CMN-118 [1].id",
        "CMN-118 [5].id",
    ];
    assert_eq!(wrong(&answer), expect);
    let shapes = json!([good(0), { "type": "user.gone" }, 7, { "typ": 1, "data": 1, "type": "a" }]);
    let answer = alice.post(EVENTS, &shapes).await;
    let expect = ["CMN-101 [1].data", "CMN-101 [2]", "CMN-101 [3].typ"];
    assert_eq!(wrong(&answer), expect);
    let differs = json!([good(0), { "type": "user.gone", "id": "known", "data": 2 }]);
    let answer = alice.post(EVENTS, &differs).await;
    assert_eq!(answer.brief(), "409 CMN-118 [[1].id]");
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_its_place() {
    let (world, alice) = shop().await;
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let plain = |data: &str| format!(r#"{{"type":"user.gone","data":{data}}}"#);
    let long = format!("\"{}\"", "x".repeat(262_143));
    let structured = r#"{"specversion":"1.0","id":"1","source":"/s","type":"user.gone"}"#;
    let times = |times: usize| format!("[{}]", vec![plain("1"); times].join(","));
    let text = ("content-type", "text/plain");
    let avro = ("content-type", "application/cloudevents+avro");
    for (kind, body, expect) in [
        (JSON, "{".to_owned(), "400 CMN-103"),
        (JSON, "[".to_owned(), "400 CMN-103"),
        (JSON, String::new(), "400 CMN-103"),
        (JSON, "7".to_owned(), "400 CMN-104"),
        (STRUCTURED, "{".to_owned(), "400 CMN-103"),
        (STRUCTURED, "[]".to_owned(), "400 CMN-104"),
        (BATCH, "{}".to_owned(), "400 CMN-104"),
        (STRUCTURED, "{}".to_owned(), "400 CMN-101 [specversion]"),
        (
            STRUCTURED,
            structured.replace("1.0", "0.3"),
            "400 CMN-101 [specversion]",
        ),
        (
            BATCH,
            format!("[{}]", structured.replace("/s", "")),
            "400 CMN-101 [[0].source]",
        ),
        (avro, structured.to_owned(), "415 CMN-113"),
        (text, plain("1"), "415 CMN-113"),
        (JSON, plain(&long), "400 CMN-101 [data]"),
        (JSON, plain(&deep(50)), "400 CMN-101 [data]"),
        (JSON, plain("\"\\u0000\""), "400 CMN-101 [data]"),
        (JSON, plain(r#"{"a":1,"a":2}"#), "400 CMN-101 [data]"),
        (JSON, plain("1e999"), "400 CMN-101 [data]"),
        (
            JSON,
            r#"{"type":"hookyard.test","data":1}"#.to_owned(),
            "400 CMN-101 [type]",
        ),
        (JSON, times(1_001), "400 CMN-104"),
        (JSON, " ".repeat(4 * 1_024 * 1_024 + 1), "413 CMN-112"),
    ] {
        let answer = send(&alice, &[kind], body.clone()).await;
        assert_eq!(answer.brief(), expect, "{body:.120}");
    }
    let sized = format!("\"{}\"", "x".repeat(262_142));
    assert_eq!(send(&alice, &[JSON], plain(&sized)).await.status, 201);
    assert_eq!(send(&alice, &[JSON], times(1_000)).await.status, 201);
    assert_eq!(count(&world).await, 1_001);
}

#[tokio::test]
async fn an_event_is_checked_with_the_version_that_it_names() {
    let (_world, alice) = shop().await;
    let strict = json!({ "schema": { "required": ["currency"] } });
    let path = "/api/v1/event-types/invoice.paid/versions";
    assert_eq!(alice.post(path, &strict).await.status, 201);
    let old = json!({ "amount": 1 });
    let plain =
        |version: Value| json!({ "type": "invoice.paid", "data": old, "schemaVersion": version });
    for (version, expect) in [
        (json!(null), "400 CMN-101 [data]"),
        (json!(1), "201"),
        (json!(2), "400 CMN-101 [data]"),
        (json!(3), "400 CMN-101 [schemaVersion]"),
        (json!(0), "400 CMN-101 [schemaVersion]"),
    ] {
        let answer = alice.post(EVENTS, &plain(version.clone())).await;
        assert_eq!(answer.brief(), expect, "{version}");
    }
    for (number, expect) in [
        (1, "201"),
        (2, "400 CMN-101 [data]"),
        (3, "400 CMN-101 [dataschema]"),
    ] {
        let event = json!({
            "specversion": "1.0", "id": format!("v{number}"), "source": "/s", "type": "invoice.paid",
            "dataschema": format!("https://x.test/api/v1/event-types/invoice.paid/versions/{number}"),
            "data": old,
        });
        let answer = send(&alice, &[STRUCTURED], event.to_string()).await;
        assert_eq!(answer.brief(), expect, "{number}");
    }
}

#[tokio::test]
async fn unknown_types_are_registered_when_that_is_asked_for() {
    let (world, alice) = shop().await;
    let path = format!("{EVENTS}?autoRegister=true");
    let batch = json!([{ "type": "new.one", "data": 1 }, { "type": "new.one", "data": 2 }]);
    let mut broken = batch.clone();
    broken[1]["type"] = json!("hookyard.mine");
    assert_eq!(alice.post(&path, &broken).await.status, 400);
    let unknown = alice.get("/api/v1/event-types/new.one").await;
    assert_eq!(
        unknown.status, 404,
        "nothing is registered by what is refused"
    );
    let (one, other) = tokio::join!(alice.post(&path, &batch), alice.post(&path, &batch));
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (201, 201));
    let told = alice.get("/api/v1/event-types/new.one").await.json();
    assert_eq!(told["versions"].as_array().expect("versions").len(), 1);
    assert_eq!(told["schema"], Value::Null);
    assert_eq!(count(&world).await, 4);
    let off = format!("{EVENTS}?autoRegister=false");
    let body = json!({ "type": "new.two", "data": 1 });
    assert_eq!(alice.post(&off, &body).await.brief(), "400 CMN-101 [type]");
    let odd = format!("{EVENTS}?autoRegister=please");
    assert_eq!(
        alice.post(&odd, &body).await.brief(),
        "400 CMN-101 [autoRegister]"
    );
    let bob = world.signed_in(BOB).await;
    assert_eq!(bob.post(&path, &body).await.brief(), "403 CMN-408");
    let known = json!({ "type": "new.one", "data": 1 });
    assert_eq!(bob.post(&path, &known).await.status, 201);
}

#[tokio::test]
async fn administrators_look_through_what_was_published() {
    let (world, alice) = shop().await;
    for number in 0..5 {
        let kind = if number % 2 == 0 {
            "invoice.paid"
        } else {
            "user.gone"
        };
        let event = json!({ "type": kind, "data": { "amount": number } });
        assert_eq!(alice.post(EVENTS, &event).await.status, 201);
        world.clock.advance(std::time::Duration::from_secs(60));
    }
    let list = |query: &str| {
        let path = format!("{EVENTS}?{query}");
        let alice = alice.clone();
        async move { alice.get(&path).await }
    };
    assert_eq!(
        list("").await.records("type"),
        [
            "invoice.paid",
            "user.gone",
            "invoice.paid",
            "user.gone",
            "invoice.paid"
        ]
    );
    for (query, expect) in [
        ("type=invoice.*", 3),
        ("type=*.gone", 2),
        ("type=gone", 0),
        ("type=*", 5),
        (
            "since=2027-01-15T08:01:00.000Z&until=2027-01-15T08:03:00.000Z",
            2,
        ),
        ("until=2027-01-15T08:00:00.000Z", 0),
    ] {
        assert_eq!(list(query).await.records("id").len(), expect, "{query}");
    }
    let mut ids = Vec::new();
    let mut token = String::new();
    loop {
        let page = list(&format!("type=invoice.paid&limit=2{token}")).await;
        assert!(page.json()["records"][0].get("data").is_none());
        ids.extend(page.records("id"));
        let Some(next) = page.json()["nextPageToken"].as_str().map(str::to_owned) else {
            break;
        };
        token = format!("&pageToken={next}");
    }
    assert_eq!(ids, list("type=invoice.paid").await.records("id"));
    for (query, expect) in [
        ("type=a..b", "400 CMN-101 [type]"),
        ("since=yesterday", "400 CMN-101 [since]"),
        ("until=1", "400 CMN-101 [until]"),
        ("limit=0", "400 CMN-101 [limit]"),
        ("pageToken=x", "400 CMN-101 [pageToken]"),
    ] {
        assert_eq!(list(query).await.brief(), expect);
    }
    assert!(!token.is_empty(), "the list has two pages");
    let other = format!("type=user.gone{token}");
    assert_eq!(list(&other).await.brief(), "400 CMN-101 [pageToken]");
    for id in ["x", "999", "evt_"] {
        let answer = alice.get(&format!("{EVENTS}/{id}")).await;
        assert_eq!(answer.brief(), "404 CMN-102 [eventId]");
    }
}

#[tokio::test]
async fn what_people_say_to_each_other_is_not_listed_for_administrators() {
    let (world, alice) = shop().await;
    let bob = world.signed_in(BOB).await;
    let team = json!({ "name": "Secret", "members": [{ "id": BOB }] });
    let team = bob.post("/team-messaging/v1/teams", &team).await.id();
    let posts = format!("/team-messaging/v1/chats/{team}/posts");
    let said = bob.post(&posts, &json!({ "text": "psst" })).await;
    assert_eq!(said.status, 201, "{said:?}");
    let listed = alice.get(&format!("{EVENTS}?type=post.*")).await;
    assert!(listed.records("id").is_empty(), "{listed:?}");
    let events = world.store.events_after(ACCOUNT, EventId(0), 100).await;
    let events = events.expect("a store in memory");
    let post = events.iter().find(|event| event.kind.name() == "post");
    let path = format!("{EVENTS}/{}", post.expect("a post").id);
    assert_eq!(alice.get(&path).await.brief(), "404 CMN-102 [eventId]");
}

#[tokio::test]
async fn only_apps_that_may_publish_and_administrators_who_may_look_do() {
    let (world, alice) = shop().await;
    let event = json!({ "type": "user.gone", "data": 1 });
    let only: Scopes = [Scope::PublishEvents].into_iter().collect();
    let publisher = world.signed_in_with(BOB, only, "app").await;
    let published = publisher.post(EVENTS, &event).await;
    assert_eq!(published.status, 201);
    let one = format!("{EVENTS}/{}", published.id());
    let without: Scopes = Scope::ALL
        .into_iter()
        .filter(|scope| *scope != Scope::PublishEvents)
        .collect();
    let console = hookyard_domain::ClientId::CONSOLE;
    let at_the_console = world.signed_in_with(BOB, Scopes::all(), console).await;
    let refused = at_the_console.post(EVENTS, &event).await;
    assert_eq!(
        refused.brief(),
        "403 CMN-408",
        "everybody may sign in there"
    );
    let without = world.signed_in_with(ALICE, without, "app").await;
    assert_eq!(without.post(EVENTS, &event).await.brief(), "403 CMN-401");
    assert_eq!(
        world.nobody().post(EVENTS, &event).await.brief(),
        "401 AGW-401"
    );
    let bob = world.signed_in(BOB).await;
    for path in [EVENTS, one.as_str()] {
        assert_eq!(publisher.get(path).await.brief(), "403 CMN-401");
        assert_eq!(bob.get(path).await.brief(), "403 CMN-408");
        assert_eq!(world.nobody().get(path).await.brief(), "401 AGW-401");
        assert_eq!(alice.get(path).await.status, 200);
    }
    let mallory = world.signed_in(MALLORY).await;
    assert_eq!(
        mallory.post(EVENTS, &event).await.brief(),
        "400 CMN-101 [type]"
    );
}

#[tokio::test]
async fn many_who_publish_the_same_at_once_publish_it_once() {
    let server = Production::start("same-id").await;
    let publish = async |id: &str, contents: &[u32]| {
        let bodies: Vec<_> = contents
            .iter()
            .map(|n| json!({ "type": "c.a", "id": id, "data": { "n": n } }))
            .collect();
        let calls = bodies.iter().map(|body| server.alice.post(EVENTS, body));
        futures_util::future::join_all(calls).await
    };
    let made = server
        .alice
        .post("/api/v1/event-types", &json!({ "name": "c.a" }))
        .await;
    assert_eq!(made.status, 201, "{made:?}");

    let answers = publish("same", &[1; 20]).await;
    let (new, repeats): (Vec<_>, Vec<_>) = answers.iter().partition(|told| told.status == 201);
    assert_eq!((new.len(), repeats.len()), (1, 19), "{answers:?}");
    for repeat in repeats {
        assert_eq!(repeat.status, 200, "{repeat:?}");
        let expect = json!({ "id": new[0].id(), "type": "c.a", "duplicate": true });
        assert_eq!(repeat.json(), expect);
    }

    let contents: Vec<u32> = (0..20).collect();
    let answers = publish("other", &contents).await;
    let (new, others): (Vec<_>, Vec<_>) = answers.iter().partition(|told| told.status == 201);
    assert_eq!((new.len(), others.len()), (1, 19), "{answers:?}");
    for other in others {
        assert_eq!(other.brief(), "409 CMN-118 [id]", "{other:?}");
        let message = other.json()["message"].as_str().expect("text").to_owned();
        assert!(message.contains(&new[0].id()), "{message}");
    }
    server.stop().await;
}
