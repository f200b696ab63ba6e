//! Events from a publisher, through the server and the program, to a receiver on this machine.

use hookyard_domain::endpoints::signing::{SigningSecret, verify};
use hookyard_testkit::{Receiver, Reply};
use serde_json::Value;

use crate::yard::Yard;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn publish(yard: &Yard, event_type: &str, data: &str) {
    yard.good(&["publish", event_type, "--data", data, "--register"])
        .await;
}

#[tokio::test]
async fn what_is_published_is_forwarded_as_to_an_endpoint() {
    let yard = Yard::start().await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply::from(202).body("thanks"));
    let url = receiver.address();
    let words = ["--types", "invoice.*", "--forward-to", &url];
    let more = ["--secret", SECRET, "--json", "--print"];
    let mut listening = yard.listen(&[&words[..], &more].concat()).await;
    publish(&yard, "user.gone", "{}").await;
    publish(&yard, "invoice.paid", r#"{"amount": 10.50}"#).await;

    let received = &receiver.received(1).await[0];
    let text = std::str::from_utf8(&received.body).unwrap();
    assert!(text.contains(r#""data":{"amount": 10.50}"#), "{text}");
    let payload: Value = serde_json::from_str(text).unwrap();
    assert_eq!(payload["type"], "invoice.paid");
    let header = |name| received.header(name).unwrap();
    assert_eq!(payload["id"], header("webhook-id"));
    let kind = header("content-type");
    assert_eq!(kind, "application/json; charset=UTF-8");
    let secret = SigningSecret::parse(SECRET).unwrap();
    assert!(verify(
        header("webhook-signature"),
        header("webhook-id"),
        header("webhook-timestamp").parse().unwrap(),
        &received.body,
        [&secret]
    ));

    let line = listening.line().await;
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told["id"], payload["id"]);
    assert_eq!(told["status"], 202);
    assert_eq!(told["answer"], "thanks");
    assert!(line.contains(r#""data":{"amount": 10.50}"#), "{line}");
    let last = listening.interrupt().await;
    assert_eq!(last, "Stopped: 1 event, 1 accepted");
}

#[tokio::test]
async fn a_program_that_fails_is_shown_to_fail_and_asked_once() {
    let yard = Yard::start().await;
    let receiver = Receiver::start().await;
    receiver.reply(500);
    receiver.reply(Reply::Close);
    let mut listening = yard.listen(&["--forward-to", &receiver.address()]).await;
    publish(&yard, "invoice.paid", "1").await;
    let line = listening.line().await;
    assert!(line.contains("  invoice.paid  "), "{line}");
    assert!(line.contains("  500  "), "{line}");
    publish(&yard, "invoice.paid", "2").await;
    let line = listening.line().await;
    assert!(
        line.contains("the connection ended before the answer did"),
        "{line}"
    );
    publish(&yard, "invoice.paid", "3").await;
    let line = listening.line().await;
    assert!(line.contains("  200  "), "{line}");
    assert_eq!(receiver.events().len(), 3);
    let last = listening.interrupt().await;
    assert_eq!(last, "Stopped: 3 events, 1 accepted");
}

#[tokio::test]
async fn nothing_is_missed_while_the_server_is_away() {
    let mut yard = Yard::start().await;
    let mut listening = yard.listen(&["--types", "invoice.*", "--json"]).await;
    publish(&yard, "invoice.sent", "1").await;
    let first = listening.line().await;
    assert!(first.contains("invoice.sent"), "{first}");
    yard.restart().await;
    // Published before the listener can be back, or after: it makes no difference.
    publish(&yard, "invoice.opened", "2").await;
    let note = listening.note().await;
    assert!(note.contains("; trying again in "), "{note}");
    let next = listening.line().await;
    assert!(next.contains("invoice.opened"), "{next}");
    publish(&yard, "invoice.paid", "3").await;
    let next = listening.line().await;
    assert!(next.contains("invoice.paid"), "{next}");
}

#[tokio::test]
async fn triggered_examples_arrive() {
    let yard = Yard::start().await;
    let mut listening = yard
        .listen(&["--types", "presence", "--json", "--print"])
        .await;
    let told = yard.good(&["trigger", "presence"]).await;
    assert!(told.starts_with("Published presence as "), "{told}");
    let line = listening.line().await;
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told["type"], "presence");
    assert!(
        told["event"]["data"]["presenceStatus"].is_string(),
        "{line}"
    );
}
