//! The catalogue of events as the API tells it.

use hookyard_domain::Scopes;
use serde_json::{Value, json};

use crate::world::{ALICE, BOB, World};

const EVENT_TYPES: &str = "/api/v1/event-types";

#[tokio::test]
async fn whoever_is_signed_in_reads_the_catalogue() {
    let world = World::start().await;
    let bob = world.signed_in_with(BOB, Scopes::default(), "app").await;
    let answer = bob.get(EVENT_TYPES).await;
    let names = answer.records("name");
    assert_eq!(names.len(), 28);
    for name in [
        "post.PostAdded",
        "webhook.WebhookUpdated",
        "presence",
        "reminder",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    for (name, record) in names
        .iter()
        .zip(answer.json()["records"].as_array().unwrap())
    {
        let one = bob.get(&format!("{EVENT_TYPES}/{name}")).await;
        assert_eq!(one.json(), *record, "{name}");
        let schema = record["schema"]["$schema"].as_str();
        assert_eq!(schema, Some("https://json-schema.org/draft/2020-12/schema"));
        assert!(record["example"].is_object(), "{name}");
        let filtered = !name.starts_with("hookyard.");
        assert_eq!(
            record["filters"].as_array().unwrap().is_empty(),
            !filtered,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_type_tells_its_filters_its_permission_and_who_makes_it() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mut presence = alice.get(&format!("{EVENT_TYPES}/presence")).await.json();
    let told = presence.as_object_mut().unwrap();
    for long in [
        "schema",
        "example",
        "summary",
        "receivers",
        "description",
        "versions",
    ] {
        assert!(
            told.remove(long).is_some_and(|value| value != Value::Null),
            "{long}"
        );
    }
    let parameters = json!([
        {
            "name": "detailedTelephonyState",
            "effect": "includes",
            "member": "activeCalls",
            "values": ["true", "false"],
        },
        { "name": "sipData", "effect": "includes", "member": "sipData", "values": ["true", "false"] },
    ]);
    let expect = json!({
        "name": "presence",
        "kind": "presence",
        "eventType": "presence",
        "producer": "Hookyard",
        "producers": ["Hookyard", "Apps"],
        "deprecated": false,
        "permission": "ReadPresence",
        "filters": [
            {
                "path": "/restapi/v1.0/account/{accountId}/extension/{extensionId}/presence",
                "parameters": parameters,
            },
            { "path": "/restapi/v1.0/account/{accountId}/presence", "parameters": parameters },
        ],
    });
    assert_eq!(presence, expect);
    let reminder = alice.get(&format!("{EVENT_TYPES}/reminder")).await.json();
    assert_eq!(reminder["permission"], Value::Null);
    assert_eq!(
        reminder["filters"][0]["parameters"][0],
        json!({ "name": "threshold", "effect": "seconds" })
    );
}

#[tokio::test]
async fn strangers_and_unknown_types_are_refused() {
    let world = World::start().await;
    let nobody = world.nobody();
    for path in [EVENT_TYPES.to_owned(), format!("{EVENT_TYPES}/presence")] {
        assert_eq!(nobody.get(&path).await.brief(), "401 AGW-401");
    }
    let alice = world.signed_in(ALICE).await;
    for name in ["Presence", "post", "PostAdded", "post.%50ostRemove", "%00"] {
        let answer = alice.get(&format!("{EVENT_TYPES}/{name}")).await;
        assert_eq!(answer.brief(), "404 CMN-102 [name]", "{name}");
    }
}
