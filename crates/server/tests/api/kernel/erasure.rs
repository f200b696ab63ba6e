//! Erasing one endpoint's and one person's data.

use hookyard_domain::{Scope, Scopes};
use hookyard_testkit::Receiver;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{ALICE, BOB, MALLORY, World};

const ERASE: &str = "/api/v1/erase";
const DRY: &str = "/api/v1/erase?dryRun=true";
const ENDPOINTS: &str = "/api/v1/endpoints";
const ABSENT: &str = "00000000-0000-4000-8000-000000000000";

async fn end_of(client: &Client, job: &Value) -> Value {
    let id = job["id"].as_str().expect("an id");
    for _ in 0..5_000 {
        let found = client.get(&format!("/api/v1/jobs/{id}")).await.json();
        if found["status"] != "running" {
            return found;
        }
        tokio::task::yield_now().await;
    }
    panic!("job {id} did not end");
}

#[tokio::test]
async fn an_endpoint_is_deleted_and_nothing_of_it_is_left() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let settings = json!({ "url": receiver.address(), "eventTypes": ["invoice.*"] });
    let id = alice.post(ENDPOINTS, &settings).await.id();
    for number in 0..3 {
        let event = json!({ "type": "invoice.paid", "data": { "number": number } });
        let published = alice.post("/api/v1/events?autoRegister=true", &event).await;
        assert_eq!(published.status, 201, "{}", published.body);
    }
    receiver.received(3).await;
    let about = json!({ "endpointId": id });
    let dry = alice.post(DRY, &about).await;
    assert_eq!(dry.status, 200, "{}", dry.body);
    let dry = dry.json();
    assert_eq!(dry["counts"]["deliveries"], 3);
    assert_eq!(
        (&dry["dryRun"], &dry["deletesEndpoint"]),
        (&json!(true), &json!(true))
    );
    let unconfirmed = alice.post(ERASE, &about).await;
    assert_eq!(unconfirmed.brief(), "400 CMN-101 [confirm]");
    assert_eq!(alice.get(&format!("{ENDPOINTS}/{id}")).await.status, 200);
    let about = json!({ "endpointId": id, "confirm": true });
    let begun = alice.post(ERASE, &about).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    let begun = begun.json();
    assert_eq!(
        (
            &begun["kind"],
            &begun["endpointId"],
            &begun["deletesEndpoint"]
        ),
        (&json!("erase"), &json!(id), &json!(true))
    );
    let job = end_of(&alice, &begun).await;
    assert_eq!(job["status"], "done", "{job}");
    assert_eq!(job["done"], job["total"]);
    assert_eq!(alice.get(&format!("{ENDPOINTS}/{id}")).await.status, 404);
    let left = alice
        .get(&format!("/api/v1/deliveries?endpointId={id}"))
        .await;
    assert_eq!(left.json()["records"], json!([]));
    let events = alice.get("/api/v1/events?type=invoice.paid").await.json();
    assert_eq!(
        events["records"].as_array().map(Vec::len),
        Some(3),
        "{events}"
    );
    let listed = alice.get("/api/v1/jobs?kind=erase").await.json();
    assert_eq!(listed["records"][0]["id"], begun["id"]);
    let again = alice.post(ERASE, &about).await;
    assert_eq!(again.brief(), "404 CMN-102 [endpointId]", "{}", again.body);
}

#[tokio::test]
async fn a_deleted_endpoints_data_can_still_be_erased() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let settings = json!({ "url": receiver.address(), "eventTypes": ["*"] });
    let id = alice.post(ENDPOINTS, &settings).await.id();
    assert_eq!(alice.delete(&format!("{ENDPOINTS}/{id}")).await.status, 204);
    let about = json!({ "endpointId": id, "confirm": true });
    let begun = alice.post(ERASE, &about).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    assert_eq!(begun.json()["deletesEndpoint"], false);
    assert_eq!(end_of(&alice, &begun.json()).await["status"], "done");
}

#[tokio::test]
async fn a_person_loses_their_name_sessions_and_words() {
    let world = World::start().await;
    let (alice, bob) = (world.signed_in(ALICE).await, world.signed_in(BOB).await);
    let team = json!({ "name": "Shop", "members": [{ "id": BOB.to_string() }] });
    let team = alice.post("/team-messaging/v1/teams", &team).await.id();
    let posts = format!("/team-messaging/v1/chats/{team}/posts");
    let post = bob.post(&posts, &json!({ "text": "my secret" })).await.id();
    alice.post(&posts, &json!({ "text": "an answer" })).await;
    let about = json!({ "personId": BOB.to_string(), "confirm": true });
    let dry = alice.post(DRY, &about).await.json();
    assert_eq!(
        (&dry["counts"]["posts"], &dry["disablesPerson"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(
        bob.get("/team-messaging/v1/chats").await.status,
        200,
        "nothing was done"
    );
    let begun = alice.post(ERASE, &about).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    assert_eq!(end_of(&alice, &begun.json()).await["status"], "done");
    assert_eq!(
        bob.get("/team-messaging/v1/chats").await.status,
        401,
        "signed out"
    );
    let person = alice
        .get(&format!("/team-messaging/v1/persons/{BOB}"))
        .await
        .json();
    assert_eq!(
        (&person["firstName"], &person["lastName"], &person["email"]),
        (&json!("Erased"), &json!("person"), &Value::Null)
    );
    let left = alice.get(&format!("{posts}/{post}")).await.json();
    assert_eq!(
        (&left["text"], &left["creatorId"]),
        (&json!(""), &json!(BOB.to_string()))
    );
    let all = alice.get(&posts).await;
    assert!(all.body.contains("an answer") && !all.body.contains("my secret"));
    let events = alice.get("/api/v1/events?type=post.*&limit=100").await;
    assert!(!events.body.contains("my secret"), "{}", events.body);
    let extension = format!("/restapi/v1.0/account/~/extension/{BOB}");
    assert_eq!(alice.get(&extension).await.json()["status"], "Disabled");
    let again = alice.post(ERASE, &about).await.json();
    assert_eq!(again["disablesPerson"], false, "it can be done again");
    assert_eq!(end_of(&alice, &again).await["status"], "done");
}

#[tokio::test]
async fn bad_erasures_are_refused_with_their_place() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for (body, brief) in [
        (json!({ "confirm": true }), "400 CMN-101 [personId]"),
        (
            json!({ "personId": "12", "endpointId": ABSENT }),
            "400 CMN-101 [personId]",
        ),
        (
            json!({ "personId": "x", "confirm": true }),
            "400 CMN-101 [personId]",
        ),
        (
            json!({ "personId": "4711", "confirm": true }),
            "404 CMN-102 [personId]",
        ),
        (
            json!({ "endpointId": "x", "confirm": true }),
            "400 CMN-101 [endpointId]",
        ),
        (
            json!({ "endpointId": ABSENT, "confirm": true }),
            "404 CMN-102 [endpointId]",
        ),
        (
            json!({ "personId": MALLORY.to_string(), "confirm": true }),
            "404 CMN-102 [personId]",
        ),
        (
            json!({ "personId": BOB.to_string(), "confirm": "yes" }),
            "400 CMN-101 [confirm]",
        ),
        (
            json!({ "personId": BOB.to_string(), "everything": true }),
            "400 CMN-101 [everything]",
        ),
    ] {
        let answer = alice.post(ERASE, &body).await;
        assert_eq!(answer.brief(), brief, "{body} {}", answer.body);
    }
    let oneself = json!({ "personId": ALICE.to_string(), "confirm": true });
    for path in [ERASE, DRY] {
        let answer = alice.post(path, &oneself).await;
        assert_eq!(answer.brief(), "400 CMN-101 [personId]");
        assert!(answer.body.contains("themselves"), "{}", answer.body);
    }
    let jobs = alice.get("/api/v1/jobs").await.json();
    assert_eq!(jobs["records"], json!([]), "nothing was begun");
}

#[tokio::test]
async fn erasing_is_for_administrators_and_apps_with_the_scopes() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let about = json!({ "personId": ALICE.to_string(), "confirm": true });
    assert_eq!(bob.post(ERASE, &about).await.status, 403);
    let only = Scopes::from_iter([Scope::SubscriptionWebhook]);
    let narrow = world.signed_in_with(ALICE, only, "app").await;
    let about = json!({ "personId": BOB.to_string(), "confirm": true });
    let answer = narrow.post(ERASE, &about).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("EditExtensions"), "{}", answer.body);
}
