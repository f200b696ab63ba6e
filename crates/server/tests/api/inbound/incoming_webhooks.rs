//! Incoming webhooks from end to end: a URL is made, a card is posted, people read it, a program
//! hears of it.

use hookyard_testkit::Receiver;
use http::Method;
use serde_json::{Value, json};

use crate::client::{hide_numbers, hide_uuids};
use crate::world::{ALICE, BOB, World};

/// The path of a webhook's URL.
fn path_of(webhook: &Value) -> String {
    let uri = webhook["uri"].as_str().expect("a URL");
    uri[uri.find("/webhook/").expect("a hook URL")..].to_owned()
}

fn card() -> Value {
    json!({
        "activity": "Force Alerts",
        "title": "1 force alert",
        "text": "Be mindful of the **force**",
        "attachments": [{
            "type": "Card", "color": "#00ff2a", "title": "I felt something...",
            "title_link": "https://example.com/alderaan", "body": "...as if millions of voices",
            "fields": [{ "title": "Where", "value": "Alderaan", "short": true }],
        }],
    })
}

#[tokio::test]
async fn a_card_posted_to_a_url_is_read_and_heard_of() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let body = json!({
        "eventFilters": ["/restapi/v1.0/glip/posts", "/restapi/v1.0/glip/webhooks"],
        "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
    });
    alice.post("/restapi/v1.0/subscription", &body).await.id();
    let created = alice
        .act("/restapi/v1.0/glip/groups/31/webhooks")
        .await
        .json();
    let hook = path_of(&created);
    let id = created["id"].as_str().expect("an id");
    assert!(!hook.contains(id), "the token is not the id");

    let card = card();
    let answer = world.nobody().post(&hook, &card).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (200, r#"{"status":"OK"}"#)
    );

    let posts = alice.get("/team-messaging/v1/chats/31/posts").await;
    let read = &posts.json()["records"][0];
    assert_eq!(read["title"], "1 force alert");
    let events = receiver.received(2).await;
    let bodies: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_slice(&event.body).expect("JSON"))
        .collect();
    let of = |kind: &str| {
        bodies
            .iter()
            .find(|body| body["body"]["eventType"] == kind)
            .expect("an event")
    };
    let port = format!(":{}", world.address.port());
    let shown = |value: &Value| {
        let text = serde_json::to_string_pretty(value).expect("JSON is text");
        let text = text
            .replace(&hook, "/webhook/v2/<token>")
            .replace(&port, ":<port>");
        hide_uuids(&hide_numbers(&text))
    };
    insta::assert_snapshot!("webhook_created", shown(of("WebhookCreated")));
    insta::assert_snapshot!("card_posted", shown(of("PostAdded")));
    let mut heard = of("PostAdded")["body"].clone();
    heard
        .as_object_mut()
        .expect("an object")
        .remove("eventType");
    assert_eq!(heard, *read, "the event tells what REST tells");

    let suspend = format!("/team-messaging/v1/webhooks/{id}/suspend");
    assert!(alice.act(&suspend).await.status.is_success());
    let updated: Value = serde_json::from_slice(&receiver.received(3).await[2].body).expect("JSON");
    insta::assert_snapshot!("webhook_updated", shown(&updated));
}

#[tokio::test]
async fn a_url_works_while_its_webhook_is_active() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let created = alice
        .act("/restapi/v1.0/glip/groups/31/webhooks")
        .await
        .json();
    let (hook, card) = (path_of(&created), card());
    let id = created["id"].as_str().expect("an id");
    assert_eq!(
        world.nobody().post(&hook, &card).await.json()["status"],
        "OK"
    );
    let suspend = format!("/team-messaging/v1/webhooks/{id}/suspend");
    assert!(alice.act(&suspend).await.status.is_success());
    let answer = world.nobody().post(&hook, &card).await;
    assert_eq!(answer.json()["status"], "error");
    assert!(
        alice
            .act(&suspend.replace("suspend", "activate"))
            .await
            .status
            .is_success()
    );
    assert_eq!(
        world.nobody().post(&hook, &card).await.json()["status"],
        "OK"
    );

    assert!(
        alice
            .delete(&format!("/team-messaging/v1/webhooks/{id}"))
            .await
            .status
            .is_success()
    );
    let gone = world.nobody().post(&hook, &card).await;
    assert_eq!(
        gone.body,
        r#"{"status":"error","message":"Your request was accepted, however a post was not generated","error":"Webhook not found!"}"#
    );
    let requests = alice.get("/api/v1/requests").await;
    assert_eq!(
        requests.records("outcome"),
        ["posted", "rejected", "posted"],
        "every hit is kept"
    );
}

#[tokio::test]
async fn a_hook_url_knows_nobody_who_does_not_know_its_token() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let created = bob
        .act("/team-messaging/v1/groups/31/webhooks")
        .await
        .json();
    let id = created["id"].as_str().expect("an id");
    for path in [
        format!("/webhook/{id}"),
        format!("/webhook/v2/{id}"),
        "/webhook/x".to_owned(),
    ] {
        let answer = world.nobody().post(&path, &json!({ "text": "hi" })).await;
        assert_eq!(answer.json()["error"], "Webhook not found!", "{path}");
    }
    let origin = [
        ("origin", "https://evil.example"),
        ("content-type", "text/plain"),
    ];
    let hook = path_of(&created).replace("/webhook/v2/", "/webhooks/");
    let answer = world
        .nobody()
        .send(Method::POST, &hook, &origin, r#"{"text":"hi"}"#)
        .await;
    assert_eq!(answer.body, r#"{"status":"OK"}"#);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "",
        "no page reads the answer"
    );
}
