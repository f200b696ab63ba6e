//! Deliveries: the chain from a post to the last attempt, for those who may follow it.

use hookyard_testkit::Receiver;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{ALICE, BOB, CAROL, MALLORY, World};

async fn subscribe(client: &Client, receiver: &Receiver) -> String {
    let body = json!({
        "eventFilters": ["/team-messaging/v1/posts"],
        "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
    });
    client.post("/restapi/v1.0/subscription", &body).await.id()
}

const POSTS: &str = "/team-messaging/v1/chats/31/posts";

/// Reads `path` until `done`: outcomes are recorded a moment after they happen.
async fn eventually(client: &Client, path: &str, done: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..2_000 {
        let answer = client.get(path).await.json();
        if done(&answer) {
            return answer;
        }
        tokio::task::yield_now().await;
    }
    panic!("{path} did not come to what it should");
}

#[tokio::test]
async fn the_chain_is_followed_from_the_post_to_the_attempt() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let receiver = Receiver::start().await;
    receiver.reply(410).times(1);
    let subscription = subscribe(&bob, &receiver).await;
    let post = bob.post(POSTS, &json!({ "text": "gone" })).await.id();
    receiver.received(1).await;
    let path = format!("/api/v1/chats/31/posts/{post}/deliveries");
    let state = |answer: &Value| answer["records"][0]["state"] == "abandoned";
    let fate = eventually(&bob, &path, state).await;
    assert_eq!(fate["event"]["eventType"], "PostAdded");
    assert_eq!(fate["event"]["body"]["id"], json!(post));
    let delivery = &fate["records"][0];
    assert_eq!(delivery["reason"], "gone");
    assert_eq!(delivery["subscriptionId"], json!(subscription));
    let id = delivery["id"].as_str().expect("an id");
    let detail = bob.get(&format!("/api/v1/deliveries/{id}")).await.json();
    assert_eq!(detail["attempts"], 1);
    let attempt = &detail["attemptLog"][0];
    assert_eq!(
        (&attempt["number"], &attempt["outcome"]),
        (&json!(1), &json!("refused"))
    );
    assert_eq!(attempt["status"], 410);
    assert!(
        receiver
            .address()
            .contains(attempt["peer"].as_str().expect("a peer"))
    );
}

#[tokio::test]
async fn a_list_is_paged_and_filtered() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let receiver = Receiver::start().await;
    let subscription = subscribe(&bob, &receiver).await;
    for number in 0..5 {
        bob.post(POSTS, &json!({ "text": format!("{number}") }))
            .await;
    }
    let list = format!("/api/v1/deliveries?subscriptionId={subscription}");
    let first = bob.get(&format!("{list}&limit=3")).await;
    assert_eq!(first.records("id").len(), 3);
    let before = first.json()["navigation"]["before"]
        .as_str()
        .expect("more")
        .to_owned();
    let rest = bob.get(&format!("{list}&limit=3&before={before}")).await;
    assert_eq!(rest.records("id").len(), 2);
    assert_eq!(rest.json()["navigation"], json!({}));
    for (query, expect) in [
        ("&limit=0", "400 CMN-101 [limit]"),
        ("&limit=251", "400 CMN-101 [limit]"),
        ("&before=x", "400 CMN-101 [before]"),
    ] {
        assert_eq!(bob.get(&format!("{list}{query}")).await.brief(), expect);
    }
}

#[tokio::test]
async fn only_the_owner_and_administrators_may_look() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let receiver = Receiver::start().await;
    let subscription = subscribe(&bob, &receiver).await;
    let post = bob.post(POSTS, &json!({ "text": "hello" })).await.id();
    let list = format!("/api/v1/deliveries?subscriptionId={subscription}");
    let id = bob.get(&list).await.records("id").remove(0);
    let detail = format!("/api/v1/deliveries/{id}");
    let administrator = world.signed_in(ALICE).await;
    assert_eq!(administrator.get(&list).await.records("id"), [id.as_str()]);
    assert_eq!(
        administrator.get("/api/v1/deliveries").await.records("id"),
        [id.as_str()]
    );
    assert_eq!(administrator.get(&detail).await.status, 200);

    let carol = world.signed_in(CAROL).await;
    assert_eq!(
        carol.get(&list).await.brief(),
        "404 CMN-102 [subscriptionId]"
    );
    assert_eq!(
        carol.get("/api/v1/deliveries").await.brief(),
        "400 CMN-101 [subscriptionId]"
    );
    assert_eq!(carol.get(&detail).await.brief(), "404 CMN-102 [deliveryId]");
    // She reads the post, and learns nothing of other people's subscriptions.
    let fate = carol
        .get(&format!("/api/v1/chats/31/posts/{post}/deliveries"))
        .await;
    assert_eq!(fate.json()["records"], json!([]));

    let mallory = world.signed_in(MALLORY).await;
    assert_eq!(
        mallory.get(&detail).await.brief(),
        "404 CMN-102 [deliveryId]"
    );
    let chain = format!("/api/v1/chats/31/posts/{post}/deliveries");
    assert_eq!(mallory.get(&chain).await.brief(), "404 CMN-102 [chatId]");
    for unknown in ["/api/v1/deliveries/1", "/api/v1/deliveries/x"] {
        assert_eq!(bob.get(unknown).await.brief(), "404 CMN-102 [deliveryId]");
    }
    assert_eq!(
        bob.get("/api/v1/deliveries?subscriptionId=x").await.brief(),
        "400 CMN-101 [subscriptionId]"
    );
}
