//! Types of events that an account registers beside those of the catalogue.

use hookyard_domain::{Scope, Scopes};
use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{ALICE, BOB, MALLORY, World};

const EVENT_TYPES: &str = "/api/v1/event-types";

fn invoice() -> Value {
    json!({
        "name": "invoice.paid",
        "description": "A customer has paid.",
        "schema": {
            "type": "object",
            "required": ["amount"],
            "properties": { "amount": { "type": "number" } },
        },
        "example": { "amount": 10.5 },
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut body = invoice();
    body[member] = value;
    body
}

async fn register(client: &Client, body: &Value) -> Answer {
    client.post(EVENT_TYPES, body).await
}

#[tokio::test]
async fn a_registered_type_is_told_beside_the_built_in_ones() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in_with(BOB, Scopes::default(), "app").await;
    let before = bob.get(EVENT_TYPES).await.records("name").len();
    let made = register(&alice, &invoice()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let version = json!({
        "version": 1,
        "schema": invoice()["schema"],
        "example": { "amount": 10.5 },
        "createdTime": "2027-01-15T08:00:00.000Z",
    });
    let expect = json!({
        "name": "invoice.paid",
        "kind": "custom",
        "eventType": "invoice.paid",
        "summary": "A customer has paid.",
        "description": "A customer has paid.",
        "receivers": "Endpoints of the account that ask for it.",
        "producer": "Account",
        "producers": ["Account"],
        "permission": null,
        "filters": [],
        "schema": invoice()["schema"],
        "example": { "amount": 10.5 },
        "versions": [version],
        "deprecated": false,
        "creationTime": "2027-01-15T08:00:00.000Z",
    });
    assert_eq!(made.json(), expect);
    let one = bob.get(&format!("{EVENT_TYPES}/invoice.paid")).await;
    assert_eq!(one.json(), expect);
    let all = bob.get(EVENT_TYPES).await.records("name");
    assert_eq!(all.len(), before + 1);
    assert_eq!(all.last().map(String::as_str), Some("invoice.paid"));
}

#[tokio::test]
async fn a_schema_keeps_its_bytes() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let schema = "{ \"type\" :\"number\",\n  \"maximum\": 1.50e+2 }";
    let body = format!(r#"{{"name":"a.b","schema":{schema},"example": 1.0}}"#);
    let kind = [("content-type", "application/json")];
    let made = alice.send(Method::POST, EVENT_TYPES, &kind, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(
        made.body.contains(&format!("\"schema\":{schema}")),
        "{made:?}"
    );
    assert!(made.body.contains("\"example\":1.0"));
}

#[tokio::test]
async fn the_list_is_narrowed_by_text_producer_and_deprecation() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    register(&alice, &invoice()).await;
    register(
        &alice,
        &json!({ "name": "user.gone", "description": "Left for ever." }),
    )
    .await;
    let deprecate = json!({ "deprecated": true, "deprecationNote": "Use invoice.settled." });
    let path = format!("{EVENT_TYPES}/invoice.paid");
    let changed = alice.patch(&path, &deprecate).await.json();
    assert_eq!(changed["deprecated"], true);
    assert_eq!(changed["deprecationNote"], "Use invoice.settled.");
    for (query, expect) in [
        ("producer=Account", vec!["invoice.paid", "user.gone"]),
        ("q=INVOICE", vec!["invoice.paid"]),
        ("q=for+ever", vec!["user.gone"]),
        ("deprecated=true", vec!["invoice.paid"]),
        ("producer=Account&deprecated=false", vec!["user.gone"]),
        ("q=no+such+type", vec![]),
        ("producer=Hookyard&q=invoice", vec![]),
    ] {
        let answer = alice.get(&format!("{EVENT_TYPES}?{query}")).await;
        assert_eq!(answer.records("name"), expect, "{query}");
    }
    let apps = alice.get(&format!("{EVENT_TYPES}?producer=Apps")).await;
    assert_eq!(apps.records("name").len(), 8);
    for (query, expect) in [
        ("producer=Nobody", "400 CMN-101 [producer]"),
        ("deprecated=maybe", "400 CMN-101 [deprecated]"),
    ] {
        let answer = alice.get(&format!("{EVENT_TYPES}?{query}")).await;
        assert_eq!(answer.brief(), expect);
    }
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused_with_its_place() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let long = "x".repeat(1_001);
    let large = json!({ "description": "x".repeat(70_000) });
    for (body, expect) in [
        (json!({}), "[name]"),
        (with("name", json!(7)), "[name]"),
        (with("name", json!("invoice paid")), "[name]"),
        (with("name", json!("")), "[name]"),
        (with("name", json!("presence")), "[name]"),
        (with("name", json!("hookyard.test")), "[name]"),
        (with("name", json!("hookyard.mine")), "[name]"),
        (with("description", json!(long)), "[description]"),
        (with("schema", json!("objekt")), "[schema]"),
        (with("schema", large), "[schema]"),
        (
            with(
                "schema",
                json!({ "properties": { "amount": { "type": "objekt" } } }),
            ),
            "[schema/properties/amount/type]",
        ),
        (
            with("schema", json!({ "items": { "pattern": "(" } })),
            "[schema/items/pattern]",
        ),
        (
            with(
                "schema",
                json!({ "items": { "$ref": "http://127.0.0.1:1/x" } }),
            ),
            "[schema/items/$ref]",
        ),
        (
            with("example", json!({ "amount": "7" })),
            "[example/amount]",
        ),
        (with("example", json!({})), "[example]"),
    ] {
        let answer = register(&alice, &body).await;
        assert_eq!(
            answer.brief(),
            format!("400 CMN-101 {expect}"),
            "{body:.120}"
        );
    }
    let told = register(&alice, &with("schema", json!({ "type": "objekt" }))).await;
    assert_eq!(
        told.json()["message"],
        "Parameter [schema/type] value is invalid: not a type: name array, boolean, integer, null, \
         number, object or string, or list some of them"
    );
    let custom = alice.get(&format!("{EVENT_TYPES}?producer=Account")).await;
    assert!(custom.records("name").is_empty());
}

#[tokio::test]
async fn a_name_is_registered_once_also_by_two_at_a_time() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let body = invoice();
    let (one, other) = tokio::join!(register(&alice, &body), register(&alice, &body));
    let mut answers = [one.brief(), other.brief()];
    answers.sort();
    assert_eq!(answers, ["201", "409 CMN-116 [name]"]);
    let again = register(&alice, &body).await;
    assert_eq!(again.brief(), "409 CMN-116 [name]");
    assert_eq!(
        again.header("retry-after"),
        "",
        "trying again does not help"
    );
    let elsewhere = world.signed_in(MALLORY).await;
    let theirs = elsewhere.get(&format!("{EVENT_TYPES}/invoice.paid")).await;
    assert_eq!(theirs.brief(), "404 CMN-102 [name]");
}

#[tokio::test]
async fn versions_are_added_and_none_is_lost_to_a_race() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    register(&alice, &invoice()).await;
    let path = format!("{EVENT_TYPES}/invoice.paid/versions");
    let next = |maximum: u32| json!({ "schema": { "maximum": maximum }, "example": 1 });
    let (body, other_body, described) = (next(1), next(2), json!({ "description": "New." }));
    let (one, other, changed) = tokio::join!(
        alice.post(&path, &body),
        alice.post(&path, &other_body),
        alice.patch(&path[..path.len() - 9], &described),
    );
    assert_eq!(
        (one.status, other.status),
        (201.try_into().unwrap(), other.status)
    );
    assert_eq!(other.status, 201);
    assert_eq!(changed.status, 200, "{changed:?}");
    let told = alice
        .get(&format!("{EVENT_TYPES}/invoice.paid"))
        .await
        .json();
    let versions = told["versions"].as_array().expect("versions");
    let numbers: Vec<_> = versions.iter().map(|version| &version["version"]).collect();
    assert_eq!(json!(numbers), json!([1, 2, 3]));
    assert_eq!(told["schema"], versions[2]["schema"]);
    assert_eq!(told["description"], "New.");
    for (body, expect) in [
        (json!({}), "400 CMN-101 [schema]"),
        (json!({ "schema": null }), "400 CMN-101 [schema]"),
        (
            json!({ "schema": { "type": "x" } }),
            "400 CMN-101 [schema/type]",
        ),
        (
            json!({ "schema": { "type": "string" }, "example": 7 }),
            "400 CMN-101 [example]",
        ),
    ] {
        let answer = alice.post(&path, &body).await;
        assert_eq!(answer.brief(), expect, "{body}");
    }
}

#[tokio::test]
async fn what_a_type_is_like_changes_by_versions_alone() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    register(&alice, &invoice()).await;
    let path = format!("{EVENT_TYPES}/invoice.paid");
    for (body, expect) in [
        (json!({ "schema": {} }), "400 CMN-101 [schema]"),
        (json!({ "example": 7 }), "400 CMN-101 [example]"),
        (json!({ "deprecated": "yes" }), "400 CMN-101 [deprecated]"),
        (
            json!({ "deprecationNote": "Why?" }),
            "400 CMN-101 [deprecationNote]",
        ),
        (json!({}), "200"),
    ] {
        assert_eq!(alice.patch(&path, &body).await.brief(), expect, "{body}");
    }
}

#[tokio::test]
async fn built_in_types_cannot_be_changed() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let path = format!("{EVENT_TYPES}/presence");
    let nothing = json!({});
    let version = json!({ "schema": {} });
    for answer in [
        alice.patch(&path, &nothing).await,
        alice.delete(&path).await,
        alice.post(&format!("{path}/versions"), &version).await,
    ] {
        assert_eq!(answer.brief(), "400 CMN-101 [name]");
    }
    let unknown = alice.delete(&format!("{EVENT_TYPES}/no.such")).await;
    assert_eq!(unknown.brief(), "404 CMN-102 [name]");
}

#[tokio::test]
async fn a_type_that_an_endpoint_names_is_not_deleted() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    register(&alice, &invoice()).await;
    let path = format!("{EVENT_TYPES}/invoice.paid");
    let receiver = hookyard_testkit::Receiver::start().await;
    let endpoint = |types: Value| json!({ "url": receiver.address(), "eventTypes": types });
    let wide = alice
        .post("/api/v1/endpoints", &endpoint(json!(["invoice.*"])))
        .await;
    assert_eq!(wide.status, 201, "{wide:?}");
    let exact = alice
        .post(
            "/api/v1/endpoints",
            &endpoint(json!(["user.*", "invoice.paid"])),
        )
        .await;
    let refused = alice.delete(&path).await;
    assert_eq!(refused.brief(), "409 CMN-117 [name]");
    let message = refused.json()["message"].as_str().expect("text").to_owned();
    assert!(message.contains(&exact.id()), "{message}");
    assert!(!message.contains(&wide.id()), "{message}");
    alice
        .delete(&format!("/api/v1/endpoints/{}", exact.id()))
        .await;
    assert_eq!(alice.delete(&path).await.status, 204);
    assert_eq!(alice.get(&path).await.brief(), "404 CMN-102 [name]");
    assert_eq!(register(&alice, &invoice()).await.status, 201);
}

#[tokio::test]
async fn only_administrators_with_the_right_app_register_types() {
    let world = World::start().await;
    let without: Scopes = Scope::ALL
        .into_iter()
        .filter(|scope| *scope != Scope::SubscriptionWebhook)
        .collect();
    let path = format!("{EVENT_TYPES}/invoice.paid");
    let nothing = json!({});
    for (client, expect) in [
        (world.nobody(), "401 AGW-401"),
        (world.signed_in(BOB).await, "403 CMN-408"),
        (
            world.signed_in_with(ALICE, without, "app").await,
            "403 CMN-401",
        ),
    ] {
        for answer in [
            register(&client, &invoice()).await,
            client.patch(&path, &nothing).await,
            client.post(&format!("{path}/versions"), &nothing).await,
            client.delete(&path).await,
        ] {
            assert_eq!(answer.brief(), expect);
        }
    }
}
