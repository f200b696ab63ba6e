//! Subscriptions of devices: when they are accepted, and what is refused.

use hookyard_domain::PushProvider;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{ALICE, World};

const SUBSCRIPTIONS: &str = "/restapi/v1.0/subscription";
const DEVICE: &str = "740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad";

async fn subscribe(client: &Client, mode: Value) -> Answer {
    let body = json!({
        "eventFilters": ["/team-messaging/v1/posts"],
        "expiresIn": 999_999_999,
        "deliveryMode": mode,
    });
    client.post(SUBSCRIPTIONS, &body).await
}

fn device(transport: &str) -> Value {
    json!({ "transportType": transport, "certificateName": "app", "registrationId": DEVICE })
}

async fn configured() -> World {
    World::start_with(|settings| {
        settings.subscriptions.push_certificates = vec![
            (PushProvider::Apns, "app".to_owned()),
            (PushProvider::Gcm, "app".to_owned()),
        ];
    })
    .await
}

#[tokio::test]
async fn a_device_is_accepted_where_its_service_is_configured() {
    let world = configured().await;
    let alice = world.signed_in(ALICE).await;
    for transport in ["RC/APNS", "RC/GCM"] {
        let created = subscribe(&alice, device(transport)).await;
        let expect = json!({
            "transportType": transport,
            "encryption": false,
            "registrationId": DEVICE,
            "certificateName": "app",
        });
        assert_eq!(created.json()["deliveryMode"], expect, "{}", created.body);
        assert_eq!(created.json()["expiresIn"], 7_775_999, "ninety days");
    }
}

#[tokio::test]
async fn a_service_that_is_not_configured_is_not_there() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for transport in ["RC/APNS", "RC/GCM"] {
        let refused = subscribe(&alice, device(transport)).await;
        assert_eq!(refused.brief(), "403 SUB-528");
    }
}

#[tokio::test]
async fn what_names_no_device_is_refused() {
    let world = configured().await;
    let alice = world.signed_in(ALICE).await;
    let with = |name: &str, value: Value| {
        let mut mode = device("RC/APNS");
        mode[name] = value;
        mode
    };
    for (mode, expect) in [
        (
            with("certificateName", json!("other")),
            "400 CMN-101 [deliveryMode.certificateName]",
        ),
        (
            with("certificateName", Value::Null),
            "400 CMN-101 [deliveryMode.certificateName]",
        ),
        (
            with("registrationId", json!("")),
            "400 CMN-101 [deliveryMode.registrationId]",
        ),
        (
            with("registrationId", json!("../x")),
            "400 CMN-101 [deliveryMode.registrationId]",
        ),
        (
            with("registrationId", json!("x".repeat(1_025))),
            "400 CMN-101 [deliveryMode.registrationId]",
        ),
    ] {
        assert_eq!(subscribe(&alice, mode).await.brief(), expect);
    }
}
