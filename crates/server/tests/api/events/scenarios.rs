//! Scenarios: what there is, and playing one.

use hookyard_domain::{Scope, Scopes};
use hookyard_testkit::Receiver;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{ALICE, BOB, World};

const SCENARIOS: &str = "/api/v1/scenarios";
const RUN: &str = "/api/v1/scenarios/invoice-paid/run";

async fn endpoint(client: &Client, receiver: &Receiver, types: &[&str]) -> String {
    let body = json!({ "url": receiver.address(), "eventTypes": types });
    client.post("/api/v1/endpoints", &body).await.id()
}

/// What a receiver was sent, by arrival.
async fn received(receiver: &Receiver, count: usize) -> Vec<Value> {
    let requests = receiver.received(count).await;
    let read = |body: &[u8]| serde_json::from_slice(body).expect("JSON");
    requests.iter().map(|sent| read(&sent.body)).collect()
}

fn types(told: &[Value]) -> Vec<&str> {
    let names = told.iter().map(|event| event["type"].as_str());
    names.map(|name| name.expect("a type")).collect()
}

const JOURNEY: [&str; 6] = [
    "invoice.created",
    "invoice.sent",
    "invoice.opened",
    "payment.declined",
    "payment.succeeded",
    "invoice.paid",
];

#[tokio::test]
async fn scenarios_are_listed_with_their_steps_and_examples() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let list = alice.get(SCENARIOS).await.json();
    let records = list["records"].as_array().expect("a list");
    let names: Vec<_> = records.iter().map(|record| &record["name"]).collect();
    assert_eq!(names, ["invoice-paid", "team"]);
    let invoice = &records[0];
    let steps = invoice["steps"].as_array().expect("steps");
    let named: Vec<_> = steps.iter().map(|step| &step["eventType"]).collect();
    assert_eq!(named, JOURNEY);
    for step in steps {
        assert!(step["title"].is_string() && step["description"].is_string());
        assert!(step["data"]["invoiceId"].is_string(), "{step}");
    }
    let one = alice.get(&format!("{SCENARIOS}/invoice-paid")).await.json();
    assert_eq!(&one, invoice);
    let unknown = alice.get(&format!("{SCENARIOS}/nothing")).await;
    assert_eq!(unknown.brief(), "404 CMN-102 [scenario]");
}

#[tokio::test]
async fn an_endpoint_gets_a_whole_journey_that_nobody_registered() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (receiver, bystander) = (Receiver::start().await, Receiver::start().await);
    let id = endpoint(&alice, &receiver, &["something.else"]).await;
    endpoint(&alice, &bystander, &["*"]).await;
    let body = json!({ "endpointId": id, "stepPauseMs": 0 });
    let answer = alice.post(RUN, &body).await;
    assert_eq!(answer.status, 202);
    let job = answer.json();
    assert_eq!(
        (&job["kind"], &job["endpointId"]),
        (&json!("scenario"), &json!(id))
    );
    let mut told = received(&receiver, 6).await;
    told.sort_by_key(|event| event["id"].as_str().map(str::to_owned));
    assert_eq!(types(&told), JOURNEY);
    for event in &told {
        assert_eq!(event["source"], "/hookyard/scenarios/invoice-paid");
        assert_eq!(event["data"]["invoiceId"], told[0]["data"]["invoiceId"]);
    }
    let path = format!("/api/v1/jobs/{}", job["id"].as_str().expect("an id"));
    let ended = alice.get(&path).await.json();
    assert_eq!(
        (&ended["total"], &ended["done"], &ended["sent"]),
        (&json!(6), &json!(6), &json!(6))
    );
    assert_eq!(bystander.events().len(), 0, "it is for one endpoint alone");
}

#[tokio::test]
async fn the_journey_of_a_team_is_sent_in_the_form_of_real_teams() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = endpoint(&alice, &receiver, &["invoice.*"]).await;
    let body = json!({ "endpointId": id, "stepPauseMs": 0 });
    let answer = alice.post(&format!("{SCENARIOS}/team/run"), &body).await;
    assert_eq!(answer.status, 202);
    let told = received(&receiver, 9).await;
    let of = |name: &str| types(&told).iter().filter(|known| **known == name).count();
    assert_eq!(
        (
            of("chat.GroupJoined"),
            of("post.PostAdded"),
            of("post.PostRemoved")
        ),
        (1, 3, 1)
    );
}

#[tokio::test]
async fn publishing_a_scenario_needs_its_types() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    endpoint(&alice, &receiver, &["invoice.*"]).await;
    alice
        .post("/api/v1/event-types", &json!({ "name": "invoice.sent" }))
        .await;
    let all = json!({ "publish": true, "stepPauseMs": 0 });
    let refused = alice.post(RUN, &all).await;
    assert_eq!(refused.brief(), "400 CMN-101 [publish]");
    let text = &refused.body;
    assert!(text.contains("invoice.created, invoice.opened, payment.declined"));
    assert!(text.contains("autoRegister=true") && !text.contains("invoice.sent"));
    let jobs = alice.get("/api/v1/jobs").await.json();
    assert_eq!(jobs["records"], json!([]), "nothing was begun");
    let begun = alice.post(&format!("{RUN}?autoRegister=true"), &all).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    assert!(begun.json()["endpointId"].is_null());
    let told = received(&receiver, 4).await;
    assert!(types(&told).iter().all(|name| name.starts_with("invoice.")));
    let registered = alice.get("/api/v1/event-types/payment.declined").await;
    assert_eq!(registered.json()["versions"][0]["example"]["attempt"], 1);
    assert_eq!(
        alice.post(RUN, &all).await.status,
        202,
        "now they are there"
    );
}

#[tokio::test]
async fn a_schema_of_the_accounts_own_is_kept() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let strict = json!({
        "name": "invoice.paid",
        "schema": { "type": "object", "required": ["blessing"] },
    });
    assert_eq!(alice.post("/api/v1/event-types", &strict).await.status, 201);
    let all = json!({ "publish": true });
    let refused = alice.post(&format!("{RUN}?autoRegister=true"), &all).await;
    assert_eq!(refused.brief(), "400 CMN-101 [publish]");
    assert!(refused.body.contains("invoice.paid") && refused.body.contains("blessing"));
    let created = alice.get("/api/v1/event-types/invoice.created").await;
    assert_eq!(created.status, 404, "nothing is half done");
}

#[tokio::test]
async fn bad_runs_are_refused_with_their_place() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = endpoint(&alice, &receiver, &["*"]).await;
    let absent = "00000000-0000-4000-8000-000000000000";
    for (body, brief) in [
        (json!({}), "400 CMN-101 [endpointId]"),
        (
            json!({ "endpointId": id, "publish": true }),
            "400 CMN-101 [endpointId]",
        ),
        (json!({ "endpointId": "x" }), "400 CMN-101 [endpointId]"),
        (json!({ "endpointId": absent }), "404 CMN-102 [endpointId]"),
        (
            json!({ "endpointId": id, "stepPauseMs": 600_001 }),
            "400 CMN-101 [stepPauseMs]",
        ),
        (
            json!({ "endpointId": id, "stepPauseMs": -1 }),
            "400 CMN-101 [stepPauseMs]",
        ),
        (
            json!({ "endpointId": id, "pause": 1 }),
            "400 CMN-101 [pause]",
        ),
    ] {
        let answer = alice.post(RUN, &body).await;
        assert_eq!(answer.brief(), brief, "{body} {}", answer.body);
    }
    let team = format!("{SCENARIOS}/team/run");
    let published = alice.post(&team, &json!({ "publish": true })).await;
    assert_eq!(published.brief(), "400 CMN-101 [publish]");
    assert!(published.body.contains("from Hookyard alone"));
    let unknown = format!("{SCENARIOS}/nothing/run");
    let unknown = alice.post(&unknown, &json!({ "endpointId": id })).await;
    assert_eq!(unknown.brief(), "404 CMN-102 [scenario]");
    assert_eq!(receiver.events().len(), 0);
}

#[tokio::test]
async fn scenarios_are_for_administrators_and_apps_with_the_scopes() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    for path in [SCENARIOS, "/api/v1/scenarios/team"] {
        assert_eq!(bob.get(path).await.status, 403, "{path}");
    }
    assert_eq!(bob.post(RUN, &json!({ "publish": true })).await.status, 403);
    let silent = world
        .signed_in_with(
            ALICE,
            Scopes::from_iter([Scope::SubscriptionWebhook]),
            "app",
        )
        .await;
    let answer = silent.post(RUN, &json!({ "publish": true })).await;
    assert_eq!(answer.status, 403, "it takes what publishing takes");
    assert!(answer.body.contains("PublishEvents"));
}
