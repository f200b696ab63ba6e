//! What an endpoint is asked before anything is sent to it.

use hookyard_testkit::{Receiver, Reply};
use serde_json::json;

use super::endpoint;
use crate::world::{ALICE, World};

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
