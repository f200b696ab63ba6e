//! Subscriptions by webhook: the handshake, the life cycle, and what reaches the receiver.

mod life;
mod pubnub;
mod push;
mod sockets;

use std::time::Duration;

use hookyard_api::DevelopmentMode;
use hookyard_domain::{Scope, Scopes};
use hookyard_testkit::Receiver;
use hookyard_testkit::receiver::Reply;
use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{ALICE, BOB, MALLORY, World};

const SUBSCRIPTIONS: &str = "/restapi/v1.0/subscription";
const POSTS: &str = "/team-messaging/v1/posts";

fn webhook(address: &str) -> Value {
    json!({
        "eventFilters": [POSTS],
        "deliveryMode": { "transportType": "WebHook", "address": address },
    })
}

async fn subscribe(client: &Client, receiver: &Receiver) -> String {
    client
        .post(SUBSCRIPTIONS, &webhook(&receiver.address()))
        .await
        .id()
}

/// An answer with the receiver's port hidden.
fn shown(answer: &Answer, receiver: &Receiver, world: &World) -> String {
    let port = |address: &str| {
        format!(
            ":{}",
            address
                .rsplit(':')
                .next()
                .expect("a port")
                .trim_end_matches('/')
        )
    };
    let receiver = receiver.address();
    let receiver = receiver
        .trim_start_matches("http://")
        .split('/')
        .next()
        .expect("a host")
        .to_owned();
    answer
        .shown()
        .replace(&port(&receiver), ":<receiver>")
        .replace(&port(&world.address.to_string()), ":<server>")
}

#[tokio::test]
async fn a_subscription_lives_from_its_handshake_to_its_end() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let body = json!({
        "eventFilters": ["/restapi/v1.0/glip/posts", "https://example.com/team-messaging/v1/chats"],
        "expiresIn": 630_720_000_u64,
        "unknownMember": { "is": "ignored" },
        "deliveryMode": {
            "transportType": "WebHook",
            "address": receiver.address(),
            "verificationToken": "hello-world",
        },
    });
    let created = alice.post(SUBSCRIPTIONS, &body).await;
    assert_eq!(created.status, 200);
    insta::assert_snapshot!("subscription", shown(&created, &receiver, &world));
    let handshake = &receiver.handshakes()[0];
    assert_eq!(handshake.header("verification-token"), Some("hello-world"));
    assert_eq!(handshake.header("content-length"), Some("0"));

    let id = created.id();
    let path = format!("{SUBSCRIPTIONS}/{id}");
    assert_eq!(alice.get(&path).await.body, created.body);
    assert_eq!(alice.get(SUBSCRIPTIONS).await.records("id"), [id.as_str()]);
    assert_eq!(
        alice.get(&format!("{SUBSCRIPTIONS}/")).await.records("id"),
        [id.as_str()]
    );

    world.clock.advance(Duration::from_secs(1_000));
    let renewed = alice.act(&format!("{path}/renew")).await;
    assert_eq!(
        renewed.json()["expiresIn"],
        315_359_999,
        "what was granted before"
    );
    let renewed = alice
        .send(
            Method::PUT,
            &path,
            &[("content-type", "application/json")],
            "",
        )
        .await;
    assert_eq!(renewed.json()["expiresIn"], 604_799, "the default");
    let updated = alice
        .put(&path, &json!({ "eventFilters": [POSTS], "expiresIn": 60 }))
        .await;
    assert_eq!(updated.json()["eventFilters"], json!([POSTS]));
    assert_eq!(updated.json()["expiresIn"], 59);

    let deleted = alice.delete(&path).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.as_str()), (204, ""));
    assert_eq!(
        alice.get(&path).await.brief(),
        "404 CMN-102 [subscriptionId]"
    );
    assert_eq!(
        alice.delete(&path).await.brief(),
        "404 CMN-102 [subscriptionId]"
    );
}

#[tokio::test]
async fn what_cannot_be_subscribed_is_refused() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let address = receiver.address();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = webhook(&address);
        change(&mut body);
        body
    };
    let mode =
        |name: &'static str, value: Value| with(&|body| body["deliveryMode"][name] = value.clone());
    let filters = |value: Value| with(&|body| body["eventFilters"] = value.clone());
    let expires = |value: Value| with(&|body| body["expiresIn"] = value.clone());
    for (body, expect) in [
        (json!({}), "400 CMN-101 [eventFilters]"),
        (
            json!({"eventFilters": [POSTS]}),
            "400 CMN-101 [deliveryMode]",
        ),
        (filters(json!([])), "400 CMN-101 [eventFilters]"),
        (filters(json!(POSTS)), "400 CMN-101 [eventFilters]"),
        (filters(json!([POSTS, 7])), "400 CMN-101 [eventFilters[1]]"),
        (filters(json!([POSTS, "/nowhere"])), "400 SUB-508"),
        (
            filters(json!(vec![POSTS; 101])),
            "400 CMN-101 [eventFilters]",
        ),
        (expires(json!(0)), "400 CMN-101 [expiresIn]"),
        (expires(json!(-5)), "400 CMN-101 [expiresIn]"),
        (expires(json!("soon")), "400 CMN-101 [expiresIn]"),
        (
            mode("transportType", json!("Pigeon")),
            "400 CMN-101 [deliveryMode.transportType]",
        ),
        (
            mode("transportType", json!("WebSocket")),
            "400 CMN-101 [deliveryMode.transportType]",
        ),
        (
            mode("address", Value::Null),
            "400 CMN-101 [deliveryMode.address]",
        ),
        (
            mode("address", json!("nowhere")),
            "400 CMN-101 [deliveryMode.address]",
        ),
        (
            mode("address", json!("ftp://127.0.0.1/")),
            "400 CMN-101 [deliveryMode.address]",
        ),
        (
            mode("address", json!("http://127.0.0.1\r\nX: y/")),
            "400 CMN-101 [deliveryMode.address]",
        ),
        (
            mode("verificationToken", json!("a\r\nb: c")),
            "400 CMN-101 [deliveryMode.verificationToken]",
        ),
        (
            mode("verificationToken", json!("x".repeat(256))),
            "400 CMN-101 [deliveryMode.verificationToken]",
        ),
    ] {
        let answer = alice.post(SUBSCRIPTIONS, &body).await;
        assert_eq!(answer.brief(), expect, "{body:.90}");
    }
    assert!(
        receiver.handshakes().is_empty(),
        "nobody was called for these"
    );
    assert!(alice.get(SUBSCRIPTIONS).await.records("id").is_empty());
}

#[tokio::test]
async fn every_failure_of_the_handshake_has_its_code() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let raw = |text: &str| Reply::Raw(text.to_owned().into());
    for (reply, expect) in [
        (Reply::from(200), "400 SUB-520"),
        (
            Reply::from(200).header("validation-token", "another"),
            "400 SUB-520",
        ),
        (Reply::from(204), "400 SUB-522"),
        (Reply::from(500), "400 SUB-522"),
        (
            Reply::from(302).header("location", "http://127.0.0.1:1/"),
            "400 SUB-522",
        ),
        (raw("SSH-2.0-OpenSSH_9.6\r\n"), "400 SUB-525"),
        (Reply::Close, "400 SUB-521"),
        (Reply::Reset, "400 SUB-521"),
    ] {
        let receiver = Receiver::start().await;
        let said = format!("{reply:?}");
        receiver.reply_to_handshake(reply);
        let answer = alice
            .post(SUBSCRIPTIONS, &webhook(&receiver.address()))
            .await;
        assert_eq!(answer.brief(), expect, "{said:.80}");
    }
    let status = Receiver::start().await;
    status.reply_to_handshake(404);
    let answer = alice.post(SUBSCRIPTIONS, &webhook(&status.address())).await;
    assert!(
        answer.body.contains("HTTP status is 404"),
        "{}",
        answer.body
    );
    for unreachable in [
        "http://127.0.0.1:1/",
        "http://nowhere.invalid/",
        // Never called, whatever mode we are in, and told apart from nothing else.
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
    ] {
        let answer = alice.post(SUBSCRIPTIONS, &webhook(unreachable)).await;
        assert_eq!(answer.brief(), "400 SUB-521", "{unreachable}");
    }
    assert!(alice.get(SUBSCRIPTIONS).await.records("id").is_empty());
}

#[tokio::test]
async fn production_wants_https() {
    let world =
        World::start_with(|settings| settings.development = DevelopmentMode::new(false, || {}))
            .await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let answer = alice
        .post(SUBSCRIPTIONS, &webhook(&receiver.address()))
        .await;
    assert_eq!(answer.brief(), "400 SUB-523");
    assert!(receiver.handshakes().is_empty());
}

#[tokio::test]
async fn a_request_through_a_proxy_ends_development() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    subscribe(&alice, &receiver).await;
    let forwarded = [("x-forwarded-for", "203.0.113.9")];
    alice
        .send(Method::GET, "/restapi/v1.0/status", &forwarded, "")
        .await;
    let answer = alice
        .post(SUBSCRIPTIONS, &webhook(&receiver.address()))
        .await;
    assert_eq!(answer.brief(), "400 SUB-523");
    let message = answer.json()["message"].to_string();
    assert!(message.contains("restart the server"), "{message}");
}

#[tokio::test]
async fn permissions_decide_what_an_app_may_subscribe() {
    let world = World::start().await;
    let receiver = Receiver::start().await;
    let body = webhook(&receiver.address());
    let only = |scope: Scope| -> Scopes { [scope].into_iter().collect() };
    let no_transport = world
        .signed_in_with(ALICE, only(Scope::TeamMessaging), "app")
        .await;
    assert_eq!(
        no_transport.post(SUBSCRIPTIONS, &body).await.brief(),
        "403 SUB-528"
    );
    let no_messaging = world
        .signed_in_with(ALICE, only(Scope::SubscriptionWebhook), "app")
        .await;
    assert_eq!(
        no_messaging.post(SUBSCRIPTIONS, &body).await.brief(),
        "403 CMN-401"
    );
    assert_eq!(
        world.nobody().post(SUBSCRIPTIONS, &body).await.brief(),
        "401 AGW-401"
    );
    assert!(receiver.handshakes().is_empty());
}

#[tokio::test]
async fn a_subscription_of_others_does_not_exist() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let path = format!("{SUBSCRIPTIONS}/{}", subscribe(&alice, &receiver).await);
    let others = [
        world.signed_in(BOB).await,
        world.signed_in(MALLORY).await,
        world
            .signed_in_with(ALICE, Scopes::all(), "public-app")
            .await,
    ];
    let unknown = format!("{SUBSCRIPTIONS}/00000000-0000-4000-8000-000000000000");
    let malformed = format!("{SUBSCRIPTIONS}/42");
    for other in &others {
        assert!(other.get(SUBSCRIPTIONS).await.records("id").is_empty());
        for path in [&path, &unknown, &malformed] {
            let renew = format!("{path}/renew");
            for answer in [
                other.get(path).await,
                other.put(path, &json!({ "eventFilters": [POSTS] })).await,
                other.act(&renew).await,
                other.delete(path).await,
            ] {
                assert_eq!(answer.brief(), "404 CMN-102 [subscriptionId]", "{path}");
            }
        }
    }
    assert_eq!(alice.get(&path).await.status, 200);
}

#[tokio::test]
async fn an_expired_subscription_does_not_exist() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let mut body = webhook(&receiver.address());
    body["expiresIn"] = json!(60);
    let path = format!(
        "{SUBSCRIPTIONS}/{}",
        alice.post(SUBSCRIPTIONS, &body).await.id()
    );
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(alice.get(&path).await.json()["expiresIn"], 0);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(alice.get(&path).await.brief(), "404 SUB-507");
    assert_eq!(
        alice.act(&format!("{path}/renew")).await.brief(),
        "404 SUB-507"
    );
    assert!(alice.get(SUBSCRIPTIONS).await.records("id").is_empty());
}

#[tokio::test]
async fn thirty_subscriptions_are_enough() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let mut last = String::new();
    for _ in 0..30 {
        last = subscribe(&alice, &receiver).await;
    }
    let handshakes = receiver.handshakes().len();
    let refused = alice
        .post(SUBSCRIPTIONS, &webhook(&receiver.address()))
        .await;
    assert_eq!(refused.brief(), "403 SUB-505");
    assert_eq!(
        receiver.handshakes().len(),
        handshakes,
        "nobody is called in vain"
    );
    alice.delete(&format!("{SUBSCRIPTIONS}/{last}")).await;
    subscribe(&alice, &receiver).await;
}

#[tokio::test]
async fn events_arrive_as_they_were_subscribed() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let mut body = webhook(&receiver.address());
    body["deliveryMode"]["verificationToken"] = json!("hello-world");
    body["eventFilters"] = json!([POSTS, "/restapi/v1.0/glip/groups"]);
    let id = alice.post(SUBSCRIPTIONS, &body).await.id();
    let team = alice
        .post("/team-messaging/v1/teams", &json!({ "name": "Ops" }))
        .await
        .id();
    let posts = format!("/team-messaging/v1/chats/{team}/posts");
    let post = alice
        .post(&posts, &json!({ "text": "Hello, *World*!" }))
        .await
        .id();
    let events = receiver.received(2).await;
    let mut bodies: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_slice(&event.body).expect("JSON"))
        .collect();
    bodies.sort_by_key(|body| body["event"].as_str().map(str::to_owned));
    let text = serde_json::to_string_pretty(&bodies).expect("JSON is text");
    insta::assert_snapshot!(
        "events",
        crate::client::hide_uuids(&crate::client::hide_numbers(&text))
    );
    for event in &events {
        assert_eq!(event.header("verification-token"), Some("hello-world"));
        assert_eq!(event.header("validation-token"), None);
        assert_eq!(
            event.header("content-type"),
            Some("application/json; charset=UTF-8")
        );
    }

    alice.delete(&format!("{posts}/{post}")).await;
    let removed: Value = serde_json::from_slice(&receiver.received(3).await[2].body).expect("JSON");
    let expect = json!({ "id": post, "groupId": team, "eventType": "PostRemoved" });
    assert_eq!(removed["body"], expect);

    // After the end is acknowledged, nothing is sent any more.
    alice.delete(&format!("{SUBSCRIPTIONS}/{id}")).await;
    alice.post(&posts, &json!({ "text": "unheard" })).await;
    let second = Receiver::start().await;
    subscribe(&alice, &second).await;
    alice.post(&posts, &json!({ "text": "heard" })).await;
    second.received(1).await;
    assert_eq!(receiver.events().len(), 3);
}

#[tokio::test]
async fn events_reach_only_who_is_in_the_chat() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let (to_alice, to_bob) = (Receiver::start().await, Receiver::start().await);
    subscribe(&alice, &to_alice).await;
    subscribe(&bob, &to_bob).await;
    let team = alice
        .post("/team-messaging/v1/teams", &json!({ "name": "Secret" }))
        .await
        .id();
    alice
        .post(
            &format!("/team-messaging/v1/chats/{team}/posts"),
            &json!({ "text": "psst" }),
        )
        .await;
    to_alice.received(1).await;
    alice
        .post(
            "/team-messaging/v1/chats/31/posts",
            &json!({ "text": "to everyone" }),
        )
        .await;
    let heard = to_bob.received(1).await;
    assert_eq!(heard.len(), 1);
    let body: Value = serde_json::from_slice(&heard[0].body).expect("JSON");
    assert_eq!(body["body"]["text"], "to everyone");
    assert_eq!(body["ownerId"], BOB.to_string());
}
