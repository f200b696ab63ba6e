//! Endpoints and deliveries, seen and put right from the command line.

use hookyard_testkit::{Receiver, Reply};
use serde_json::Value;

use crate::yard::Yard;

async fn endpoint(yard: &Yard, receiver: &Receiver) -> String {
    let words = [
        "endpoints",
        "add",
        &receiver.address(),
        "--types",
        "invoice.*,hookyard.test",
        "--json",
    ];
    let told = yard.json(&words).await;
    told["id"].as_str().unwrap().to_owned()
}

async fn deliveries(yard: &Yard, words: &[&str]) -> Vec<Value> {
    let words = [&["deliveries", "list", "--json"], words].concat();
    let told = yard.good(&words).await;
    let lines = told.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn paid(yard: &Yard) {
    let words = [
        "publish",
        "invoice.paid",
        "--data",
        r#"{"n":1}"#,
        "--register",
    ];
    yard.good(&words).await;
}

#[tokio::test]
async fn a_delivery_is_listed_shown_and_sent_again() {
    let yard = Yard::start().await;
    let receiver = Receiver::start().await;
    // 410 is the one answer after which nobody tries again.
    receiver.reply(Reply::from(410).body("gone\x1b[2J"));
    let id = endpoint(&yard, &receiver).await;
    paid(&yard).await;
    receiver.received(1).await;
    let list = loop {
        let list = deliveries(
            &yard,
            &["--endpoint", &id, "--code", "4xx", "--since", "1h"],
        )
        .await;
        if !list.is_empty() {
            break list;
        }
    };
    assert_eq!(list[0]["lastResponseCode"], 410);
    let delivery = list[0]["id"].as_str().unwrap();
    let shown = yard.good(&["deliveries", "show", delivery]).await;
    assert!(shown.contains("Type       invoice.paid\n"), "{shown}");
    assert!(shown.contains("410 refused"), "{shown}");
    assert!(shown.contains("gone\u{fffd}[2J"), "{shown}");
    let table = yard
        .good(&["deliveries", "list", "--type", "invoice.*"])
        .await;
    assert!(table.starts_with("ID "), "{table}");
    assert!(
        table.contains(delivery) && table.contains("  410  "),
        "{table}"
    );

    yard.good(&["endpoints", "resume", &id]).await;
    yard.good(&["deliveries", "resend", delivery]).await;
    let events = receiver.received(2).await;
    assert_eq!(
        events[1].header("webhook-id"),
        events[0].header("webhook-id")
    );
}

#[tokio::test]
async fn jobs_are_watched_until_they_are_done() {
    let yard = Yard::start().await;
    let receiver = Receiver::start().await;
    let id = endpoint(&yard, &receiver).await;
    yard.good(&["endpoints", "delete", &id]).await;
    paid(&yard).await;
    let late = endpoint(&yard, &receiver).await;
    let told = yard
        .good(&["deliveries", "replay", &late, "--since", "1h"])
        .await;
    assert_eq!(told.trim_end(), "Done: replay, 1 delivery sent");
    receiver.received(1).await;
    let words = [
        "deliveries",
        "resend",
        "--endpoint",
        &late,
        "--status",
        "delivered",
        "--json",
    ];
    let job = loop {
        // The answer may have come before it is recorded.
        let job = yard.json(&words).await;
        if job["sent"] != 0 {
            break job;
        }
    };
    assert_eq!((&job["status"], &job["sent"]), (&"done".into(), &1.into()));
    receiver.received(2).await;
    let job = yard
        .json(&["deliveries", "recover", &late, "--no-wait", "--json"])
        .await;
    assert_eq!(job["kind"], "recover");
}

#[tokio::test]
async fn endpoints_are_added_tested_paused_and_deleted() {
    let yard = Yard::start().await;
    let receiver = Receiver::start().await;
    let id = endpoint(&yard, &receiver).await;
    let secret = yard.good(&["endpoints", "secret", &id]).await;
    assert!(secret.starts_with("whsec_"), "{secret}");
    let told = yard
        .good(&["trigger", "post.PostAdded", "--endpoint", &id])
        .await;
    assert!(
        told.starts_with("Sent post.PostAdded to the endpoint"),
        "{told}"
    );
    let event = &receiver.received(1).await[0];
    let text = std::str::from_utf8(&event.body).unwrap();
    assert!(text.contains(r#""type":"post.PostAdded""#), "{text}");
    yard.good(&["endpoints", "pause", &id]).await;
    let table = yard
        .good(&["endpoints", "list", "--status", "paused"])
        .await;
    assert!(
        table.contains(&id) && table.contains("  Paused  "),
        "{table}"
    );
    let told = yard.good(&["endpoints", "rm", &id]).await;
    assert_eq!(told.trim_end(), format!("Deleted {id}"));
    let gone = yard.run(&["endpoints", "pause", &id]).await.failed();
    assert!(gone.contains("404 CMN-102"), "{gone}");
}
