//! What operators are told of the whole server.

use serde_json::{Value, json};

use super::production::Production;
use crate::world::{ALICE, BOB, MALLORY, World};

const STATUS: &str = "/api/v1/status";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_administrator_is_told_how_the_server_stands() {
    let yard = Production::start("status").await;
    let me = yard.alice.get("/api/v1/me").await.json();
    assert_eq!(me["person"]["operator"], true);
    // Signing in was committed, though listeners have nothing to hear of it.
    let early = yard.alice.get(STATUS).await.json();
    assert!(early["store"]["commits"].as_u64() > Some(0), "{early}");
    let (_, url) = yard.bin(&json!({})).await;
    let endpoint = json!({ "url": url, "eventTypes": ["invoice.*"] });
    let made = yard.alice.post("/api/v1/endpoints", &endpoint).await;
    assert_eq!(made.status, 201, "{made:?}");
    let told = yard.alice.get(STATUS).await;
    assert_eq!(told.status, 200, "{told:?}");
    let told = told.json();
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    let store = &told["store"];
    assert_eq!(store["kind"], "sqlite");
    for figure in [
        "bytes",
        "logBytes",
        "diskFreeBytes",
        "schemaVersion",
        "commits",
    ] {
        assert!(store[figure].as_u64() > Some(0), "{figure} in {store}");
    }
    assert!(store["queue"].is_u64() && store["lastCommitTime"].is_string());
    assert_eq!(told["backlog"], json!({ "waiting": 0, "oldestTime": null }));
    assert_eq!(
        told["jobs"],
        json!({ "running": 0, "waiting": 0, "failed": 0 })
    );
    assert_eq!(told["lanes"]["inFlight"], 0);
    assert_eq!(told["panics"], 0);
    assert_eq!(told["lastErrors"], json!([]));
    assert!(told["uptimeSeconds"].is_u64(), "{told}");
    let components = told["components"].as_array().unwrap();
    assert!(
        components.iter().all(|one| one["state"] == "running"),
        "{told}"
    );
    let names: Vec<_> = components.iter().map(|one| one["name"].clone()).collect();
    assert!(names.contains(&json!("listener")), "{names:?}");
    assert_eq!(told["startTime"], components[0]["since"]);
    yard.stop().await;
}

/// This server has no component for its store, none for retention, and a disk of no size.
#[tokio::test]
async fn what_is_unknown_is_null() {
    let world = World::start().await;
    let told = world.signed_in(ALICE).await.get(STATUS).await.json();
    for figure in [
        "bytes",
        "logBytes",
        "diskFreeBytes",
        "commits",
        "queue",
        "lastCommitTime",
    ] {
        assert_eq!(told["store"][figure], Value::Null, "{figure}");
    }
    assert_eq!(told["retention"]["lastRunTime"], Value::Null);
    assert_eq!(told["lanes"]["count"], 0);
}

/// An administrator of one account never sees a figure that other accounts move.
#[tokio::test]
async fn an_administrator_is_told_nothing() {
    let world = World::start().await;
    let admin = json!({ "permissions": { "admin": { "enabled": true } } });
    let path = format!("/restapi/v1.0/account/~/extension/{BOB}");
    let alice = world.signed_in(ALICE).await;
    assert_eq!(alice.put(&path, &admin).await.status, 200);
    for person in [BOB, MALLORY] {
        let refused = world.signed_in(person).await.get(STATUS).await;
        assert_eq!(refused.brief(), "403 CMN-408");
    }
}
