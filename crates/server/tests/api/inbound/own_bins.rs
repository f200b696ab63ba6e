//! Bins as receivers of their own server in production mode, where nothing else of this machine may
//! be called.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::kernel::production::{PATIENCE, PUBLIC_URL, Production};

fn header<'a>(request: &'a Value, name: &str) -> &'a str {
    let headers = request["headers"].as_array().expect("a list");
    let found = headers.iter().find(|pair| pair[0] == name);
    found.map_or("", |pair| pair[1].as_str().expect("text"))
}

#[tokio::test]
async fn handshakes_events_and_tests_reach_bins_of_this_server() {
    let yard = Production::start("endpoint").await;
    let (bin, url) = yard.bin(&json!({})).await;
    assert!(url.starts_with("https://hooks.invalid/bin/"), "{url}");
    for handshake in ["echo", "options"] {
        let endpoint = json!({
            "url": format!("{url}/orders?x=1"), "eventTypes": ["invoice.*", "hookyard.test"],
            "handshake": handshake,
        });
        let made = yard.alice.post("/api/v1/endpoints", &endpoint).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    let received = yard.received(&bin, 2).await;
    assert_eq!(header(&received[0], "host"), "hooks.invalid");
    assert_eq!(received[1]["method"], "OPTIONS");

    yard.publish().await;
    let received = yard.received(&bin, 4).await;
    let first = &received[2];
    assert_eq!(
        (&first["path"], &first["query"]),
        (&json!("/orders"), &json!("x=1"))
    );
    assert_eq!(first["signature"]["verified"], true);
    let sent: Value = serde_json::from_str(first["body"].as_str().unwrap()).unwrap();
    assert_eq!(sent["data"], json!({"amount": 5}));

    let id = yard.alice.get("/api/v1/endpoints").await.records("id")[0].clone();
    let test = json!({"eventType": "invoice.paid", "data": {"amount": 6}});
    let path = format!("/api/v1/endpoints/{id}/test");
    let tested = yard.alice.post(&path, &test).await;
    assert!(tested.status.is_success(), "{tested:?}");
    yard.received(&bin, 5).await;
    yard.stop().await;
}

#[tokio::test]
async fn a_subscription_reaches_a_bin_too() {
    let yard = Production::start("subscription").await;
    let (bin, url) = yard.bin(&json!({})).await;
    let subscription = json!({
        "eventFilters": ["/team-messaging/v1/posts"],
        "deliveryMode": {"transportType": "WebHook", "address": url},
    });
    let made = yard
        .alice
        .post("/restapi/v1.0/subscription", &subscription)
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    assert!(!header(&yard.received(&bin, 1).await[0], "validation-token").is_empty());
    yard.stop().await;
}

#[tokio::test]
async fn nothing_else_of_this_machine_is_reached() {
    let yard = Production::start("others").await;
    let (_, url) = yard.bin(&json!({})).await;
    let token = url.rsplit('/').next().unwrap();
    let local = yard.alice.address;
    for (url, expect) in [
        (format!("http://{local}/bin/{token}"), "400 SUB-523 [url]"),
        (format!("https://{local}/bin/{token}"), "400 CMN-101 [url]"),
        (
            format!("http://hooks.invalid/bin/{token}"),
            "400 SUB-523 [url]",
        ),
        (format!("{PUBLIC_URL}/api/v1/me"), "400 CMN-101 [url]"),
        (
            format!("{PUBLIC_URL}/bin/{token}/../../api/v1/me"),
            "400 CMN-101 [url]",
        ),
        (
            format!("{PUBLIC_URL}/bin/{token}/%2e%2e/%2E./api/v1/me"),
            "400 CMN-101 [url]",
        ),
        (
            format!("{PUBLIC_URL}/bin/{token}/..%2f..%2fapi"),
            "400 CMN-101 [url]",
        ),
        (
            format!("{PUBLIC_URL}/bin/{token}//api"),
            "400 CMN-101 [url]",
        ),
        (
            format!("{PUBLIC_URL}/bin/{token}\\..\\api"),
            "400 CMN-101 [url]",
        ),
    ] {
        let endpoint = json!({"url": url, "eventTypes": ["*"]});
        let refused = yard.alice.post("/api/v1/endpoints", &endpoint).await;
        assert_eq!(refused.brief(), expect, "{url}");
    }
    yard.stop().await;
}

/// Bins answer; they do not announce. An endpoint that asks for everything is sent nothing because
/// of what its bin received, so that nothing goes round and round. Where a bin's answer leads is not
/// followed either.
#[tokio::test]
async fn what_a_bin_receives_makes_no_events_and_its_redirects_lead_nowhere() {
    let yard = Production::start("loop").await;
    let (target, target_url) = yard.bin(&json!({})).await;
    let redirect = json!({"status": 302, "headers": {"Location": target_url}});
    let (_, url) = yard.bin(&redirect).await;
    let (plain, plain_url) = yard.bin(&json!({})).await;
    for url in [&url, &plain_url] {
        let endpoint = json!({
            "url": url, "eventTypes": ["*"], "retryPolicy": {"attemptsMax": 1},
            "failureThreshold": 0,
        });
        let made = yard.alice.post("/api/v1/endpoints", &endpoint).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    yard.publish().await;
    let count = async || {
        let events = yard.alice.get("/api/v1/events?limit=250").await.json();
        let deliveries = yard.alice.get("/api/v1/deliveries?status=waiting").await;
        let waiting = deliveries.json()["records"].as_array().unwrap().len();
        (events["records"].as_array().unwrap().len(), waiting)
    };
    let waiting = async {
        while count().await.1 > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let settled = tokio::time::timeout(PATIENCE, waiting).await;
    settled.expect("everything has been sent");
    let events = count().await.0;
    let received = yard.received(&plain, 1).await.len();
    // Somebody calls it by hand, too.
    let path = plain_url.trim_start_matches(PUBLIC_URL);
    for _ in 0..3 {
        let called = yard.alice.send(Method::POST, path, &[], "{}").await;
        assert_eq!(called.status, 200);
    }
    assert_eq!(count().await, (events, 0), "bins make no events");
    let after = yard.received(&plain, received + 3).await.len();
    assert_eq!(after, received + 3, "nothing else was sent to it");
    let followed = yard.received(&target, 0).await;
    assert!(followed.is_empty(), "{followed:?}");
    yard.stop().await;
}
