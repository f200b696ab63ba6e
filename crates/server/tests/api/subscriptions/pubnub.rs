//! The PubNub-style transport, as its clients use it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{ALICE, BOB, MALLORY, SUBSCRIBE_KEY, World};

const SUBSCRIPTIONS: &str = "/restapi/v1.0/subscription";
const POSTS: &str = "/team-messaging/v1/posts";

/// Subscribes, and answers with what the platform tells of it.
async fn subscribe(client: &Client, filters: Value, encryption: Value) -> Value {
    let body = json!({
        "eventFilters": filters,
        "deliveryMode": { "transportType": "PubNub", "encryption": encryption },
    });
    let created = client.post(SUBSCRIPTIONS, &body).await;
    assert_eq!(created.status, 200, "{}", created.body);
    created.json()
}

fn channel(subscription: &Value) -> &str {
    subscription["deliveryMode"]["address"]
        .as_str()
        .expect("a channel")
}

async fn poll(world: &World, channel: &str, token: &str) -> Answer {
    let path = format!("/v2/subscribe/{SUBSCRIBE_KEY}/{channel}/0?tt={token}&tr=1&uuid=me");
    world.nobody().get(&path).await
}

fn token(answer: &Answer) -> String {
    let told = answer.json();
    told["t"]["t"].as_str().expect("a time token").to_owned()
}

fn texts(answer: &Answer) -> Vec<String> {
    let told = answer.json();
    let messages = told["m"].as_array().expect("messages");
    messages
        .iter()
        .map(|message| {
            let text = &message["d"]["body"]["text"];
            text.as_str().expect("a text").to_owned()
        })
        .collect()
}

async fn team(client: &Client) -> String {
    let body = json!({ "name": "Ops" });
    client.post("/team-messaging/v1/teams", &body).await.id()
}

async fn say(client: &Client, team: &str, text: &str) {
    let path = format!("/team-messaging/v1/chats/{team}/posts");
    let said = client.post(&path, &json!({ "text": text })).await;
    assert_eq!(said.status, 201);
}

#[tokio::test]
async fn a_client_comes_listens_and_catches_up() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let team = team(&alice).await;
    let made = subscribe(&alice, json!([POSTS]), json!(false)).await;
    assert_eq!(made["expiresIn"], 899);
    assert_eq!(made["deliveryMode"]["subscriberKey"], SUBSCRIBE_KEY);
    assert_eq!(made["deliveryMode"].get("encryptionKey"), None);
    let channel = channel(&made);

    let first = poll(&world, channel, "0").await;
    assert_eq!(first.status, 200);
    assert_eq!(
        first.header("content-type"),
        "text/javascript; charset=\"UTF-8\""
    );
    assert_eq!(first.header("access-control-allow-origin"), "*");
    assert_eq!(first.json()["m"], json!([]));
    let begin = token(&first);

    say(&alice, &team, "one").await;
    say(&alice, &team, "two").await;
    let missed = poll(&world, channel, &begin).await;
    assert_eq!(texts(&missed), ["one", "two"]);
    let message = &missed.json()["m"][0];
    assert_eq!(
        (&message["c"], &message["k"]),
        (&json!(channel), &json!(SUBSCRIBE_KEY))
    );
    assert_eq!(message["d"]["event"], POSTS);
    assert_eq!(message["d"]["subscriptionId"], made["id"]);
    for member in ["a", "f", "i", "s", "p"] {
        assert!(!message[member].is_null(), "{member}");
    }

    // Held until something is committed.
    let place = token(&missed);
    let (held, ()) = tokio::join!(poll(&world, channel, &place), async {
        say(&alice, &team, "three").await;
    });
    assert_eq!(texts(&held), ["three"]);
    assert_eq!(
        texts(&poll(&world, channel, &begin).await),
        ["one", "two", "three"]
    );

    let legacy = format!("/subscribe/{SUBSCRIBE_KEY}/{channel}/0/{begin}");
    let legacy = world.nobody().get(&legacy).await.json();
    assert_eq!(legacy[0][2]["body"]["text"], "three");
    assert_eq!(legacy[1], json!(token(&held)));
}

#[tokio::test]
async fn presence_is_always_encrypted() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let presence = "/restapi/v1.0/account/~/extension/~/presence";
    let made = subscribe(&alice, json!([POSTS, presence]), json!(false)).await;
    let mode = &made["deliveryMode"];
    assert_eq!(
        (&mode["encryption"], &mode["encryptionAlgorithm"]),
        (&json!(true), &json!("AES"))
    );
    let team = team(&alice).await;
    let begin = token(&poll(&world, channel(&made), "0").await);
    say(&alice, &team, "secret").await;
    let told = poll(&world, channel(&made), &begin).await;
    let message = told.json()["m"][0]["d"].clone();
    assert!(
        message.as_str().is_some_and(|text| text.len() > 100),
        "{message}"
    );
    assert!(!told.body.contains("secret"));
}

#[tokio::test]
async fn a_burst_comes_in_pieces_and_whole() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let team = team(&alice).await;
    let made = subscribe(&alice, json!([POSTS]), json!("false")).await;
    let mut place = token(&poll(&world, channel(&made), "0").await);
    for number in 0..250 {
        say(&alice, &team, &number.to_string()).await;
    }
    let mut told = Vec::new();
    while told.len() < 250 {
        let piece = poll(&world, channel(&made), &place).await;
        assert!(texts(&piece).len() <= 100);
        told.extend(texts(&piece));
        place = token(&piece);
    }
    let expect: Vec<_> = (0..250).map(|number| number.to_string()).collect();
    assert_eq!(told, expect);
}

#[tokio::test]
async fn strangers_hear_nothing() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = subscribe(&alice, json!([POSTS]), json!(false)).await;
    let mallory = world.signed_in(MALLORY).await;
    let other = subscribe(&mallory, json!([POSTS]), json!(false)).await;
    let forbidden = poll(&world, "1_0123456789abcdef", "0").await;
    assert_eq!(forbidden.status, 403);
    assert_eq!(
        forbidden.json()["payload"]["channels"],
        json!(["1_0123456789abcdef"])
    );
    assert_eq!(forbidden.json()["service"], "Access Manager");
    let both = format!("{},{}", channel(&made), channel(&other));
    assert_eq!(poll(&world, &both, "0").await.status, 403);
    let wrong_key = format!("/v2/subscribe/sub-c-other/{}/0", channel(&made));
    assert_eq!(world.nobody().get(&wrong_key).await.status, 400);

    // Who left a chat no longer hears what is said in it.
    let bob = world.signed_in(BOB).await;
    let team = team(&alice).await;
    say(&alice, &team, "among ourselves").await;
    let bobs = subscribe(&bob, json!([POSTS]), json!(false)).await;
    let begin = token(&poll(&world, channel(&bobs), "0").await);
    say(&alice, &team, "still among ourselves").await;
    let everyone = alice.get("/team-messaging/v1/everyone").await.id();
    say(&alice, &everyone, "to all").await;
    assert_eq!(
        texts(&poll(&world, channel(&bobs), &begin).await),
        ["to all"]
    );
    assert_eq!(
        texts(&poll(&world, channel(&bobs), "10000000000000000").await),
        ["to all"]
    );
}

#[tokio::test]
async fn the_end_of_a_subscription_ends_its_poll() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = subscribe(&alice, json!([POSTS]), json!(false)).await;
    let begin = token(&poll(&world, channel(&made), "0").await);
    let path = format!("{SUBSCRIPTIONS}/{}", made["id"].as_str().expect("an id"));
    let (ended, deleted) = tokio::join!(poll(&world, channel(&made), &begin), alice.delete(&path));
    assert_eq!((ended.status.as_u16(), deleted.status.as_u16()), (403, 204));

    let made = subscribe(&alice, json!([POSTS]), json!(false)).await;
    world.clock.advance(Duration::from_secs(899));
    assert_eq!(poll(&world, channel(&made), "0").await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(poll(&world, channel(&made), "0").await.status, 403);
}

#[tokio::test]
async fn a_pause_holds_what_comes_meanwhile() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let team = team(&alice).await;
    let made = subscribe(&alice, json!([POSTS]), json!(false)).await;
    let begin = token(&poll(&world, channel(&made), "0").await);
    let own = format!(
        "/api/v1/subscriptions/{}",
        made["id"].as_str().expect("an id")
    );
    alice.act(&format!("{own}/suspend")).await;
    say(&alice, &team, "meanwhile").await;
    let resume = format!("{own}/resume");
    let (told, resumed) = tokio::join!(poll(&world, channel(&made), &begin), alice.act(&resume),);
    assert_eq!(resumed.status, 200);
    assert_eq!(texts(&told), ["meanwhile"]);
}

#[tokio::test]
async fn a_renewal_keeps_the_channel() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = subscribe(&alice, json!([POSTS]), json!(true)).await;
    let path = format!("{SUBSCRIPTIONS}/{}", made["id"].as_str().expect("an id"));
    world.clock.advance(Duration::from_secs(800));
    let renewed = alice.put(&path, &json!({ "eventFilters": [POSTS] })).await;
    assert_eq!(renewed.json()["deliveryMode"], made["deliveryMode"]);
    assert_eq!(renewed.json()["expiresIn"], 899);
}

#[tokio::test]
async fn the_other_calls_answer_as_clients_expect() {
    let world = World::start().await;
    let call = async |path: &str| world.nobody().get(path).await;
    let presence = format!("/v2/presence/sub-key/{SUBSCRIBE_KEY}/channel/1_ab");
    assert_eq!(
        call(&format!("{presence}/heartbeat?heartbeat=300"))
            .await
            .json(),
        json!({ "status": 200, "message": "OK", "service": "Presence" })
    );
    assert_eq!(
        call(&format!("{presence}/leave")).await.json()["action"],
        "leave"
    );
    let time = call("/time/0").await.json();
    assert_eq!(time[0].to_string().len(), 17);
    for malformed in [
        "/v2/subscribe/sub-c-test/a/1",
        "/v2/subscribe/sub-c-test//0",
        "/v2/subscribe/sub-c-test/a/0?tt=yesterday",
        "/v2/subscribe/sub-c-test/a/0?filter-expr=b",
        "/v2/presence/sub-key/sub-c-test/channel/a/dance",
        "/subscribe/sub-c-test/a/callback/0",
        "/v2/subscribe/sub-c-test/%00%ff/0",
    ] {
        let answer = call(malformed).await;
        assert_eq!(answer.status, 400, "{malformed}");
        assert_eq!(answer.json()["error"], true);
    }
}

#[tokio::test]
async fn it_is_off_unless_it_is_turned_on() {
    let world = World::start_with(|settings| settings.subscriptions.pubnub_key = None).await;
    let alice = world.signed_in(ALICE).await;
    let body = json!({ "eventFilters": [POSTS], "deliveryMode": { "transportType": "PubNub" } });
    assert_eq!(
        alice.post(SUBSCRIPTIONS, &body).await.brief(),
        "403 SUB-528"
    );
}
