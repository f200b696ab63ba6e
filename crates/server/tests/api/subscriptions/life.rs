//! What happens to a subscription after it was made: on our own API, and on the platform's.

use std::time::Duration;

use hookyard_testkit::Receiver;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{ALICE, BOB, CAROL, World};

const SUBSCRIPTIONS: &str = "/restapi/v1.0/subscription";
const OWN: &str = "/api/v1/subscriptions";
const POSTS: &str = "/team-messaging/v1/posts";
const HOUR: Duration = Duration::from_secs(3_600);

/// Subscribes to posts for an hour, and answers with the subscription's id.
async fn subscribe(client: &Client, receiver: &Receiver) -> String {
    let body = json!({
        "eventFilters": [POSTS],
        "expiresIn": 3_600,
        "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
    });
    client.post(SUBSCRIPTIONS, &body).await.id()
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

/// Texts of what arrived, in any order, once so many have.
async fn texts(receiver: &Receiver, count: usize) -> Vec<String> {
    let arrived = receiver.received(count).await;
    let mut texts: Vec<_> = arrived
        .iter()
        .map(|event| {
            let envelope: Value = serde_json::from_slice(&event.body).expect("JSON");
            envelope["body"]["text"]
                .as_str()
                .expect("a text")
                .to_owned()
        })
        .collect();
    texts.sort();
    texts
}

fn milestones(history: &Answer) -> Vec<String> {
    history.records("milestone")
}

/// Waits until the subscription's history has so many lines: the life cycle works in the background.
async fn history_of(client: &Client, id: &str, lines: usize) -> Answer {
    for _ in 0..10_000 {
        let history = client.get(&format!("{OWN}/{id}/history")).await;
        if history.records("milestone").len() >= lines {
            return history;
        }
        tokio::task::yield_now().await;
    }
    panic!("the history never had {lines} lines");
}

#[tokio::test]
async fn what_happened_stays_readable_after_the_end() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = subscribe(&alice, &receiver).await;
    let path = format!("{SUBSCRIPTIONS}/{id}");
    alice.act(&format!("{path}/renew")).await;
    let filters = json!({ "eventFilters": ["/team-messaging/v1/chats"] });
    alice.put(&path, &filters).await;
    alice.act(&format!("{OWN}/{id}/suspend")).await;
    alice.act(&format!("{OWN}/{id}/resume")).await;
    alice.delete(&path).await;
    let history = alice.get(&format!("{OWN}/{id}/history")).await;
    let expect = [
        "Created",
        "Renewed",
        "Updated",
        "Suspended",
        "Resumed",
        "Deleted",
    ];
    assert_eq!(milestones(&history), expect);
    assert_eq!(history.json()["records"][0]["detail"], "WebHook");
    let bob = world.signed_in(BOB).await;
    let hidden = bob.get(&format!("{OWN}/{id}/history")).await;
    assert_eq!(hidden.brief(), "404 CMN-102 [subscriptionId]");
    assert_eq!(
        alice.get(&format!("{OWN}/{id}")).await.brief(),
        "404 CMN-102 [subscriptionId]"
    );
}

#[tokio::test]
async fn an_expired_subscription_says_so_and_can_be_renewed_for_a_day() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let team = team(&alice).await;
    let id = subscribe(&alice, &receiver).await;
    say(&alice, &team, "in time").await;
    texts(&receiver, 1).await;
    world.clock.advance(HOUR);
    let alice = world.signed_in(ALICE).await;
    let history = history_of(&alice, &id, 2).await;
    assert_eq!(milestones(&history), ["Created", "Expired"]);
    say(&alice, &team, "missed").await;
    let gone = alice.get(&format!("{SUBSCRIPTIONS}/{id}")).await;
    assert_eq!(gone.brief(), "404 SUB-507");
    assert!(gone.body.contains(&id), "{}", gone.body);
    let shown = alice.get(&format!("{OWN}/{id}")).await;
    assert!(shown.json()["renewableUntil"].is_string(), "{}", shown.body);

    let wishes = json!({ "missedEvents": true, "expiresIn": 7_200 });
    let renewed = alice.post(&format!("{OWN}/{id}/renew"), &wishes).await;
    assert_eq!(renewed.json()["expiresIn"], 7_199, "{}", renewed.body);
    say(&alice, &team, "after").await;
    assert_eq!(texts(&receiver, 3).await, ["after", "in time", "missed"]);

    world.clock.advance(27 * HOUR);
    let alice = world.signed_in(ALICE).await;
    let late = alice.act(&format!("{OWN}/{id}/renew")).await;
    assert_eq!(late.brief(), "404 CMN-102 [subscriptionId]");
}

#[tokio::test]
async fn what_was_missed_comes_only_to_those_who_ask() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let team = team(&alice).await;
    let id = subscribe(&alice, &receiver).await;
    let suspended = alice.act(&format!("{OWN}/{id}/suspend")).await;
    assert_eq!(suspended.json()["status"], "Suspended");
    assert_eq!(
        alice.get(&format!("{SUBSCRIPTIONS}/{id}")).await.json()["status"],
        "Suspended"
    );
    say(&alice, &team, "missed for good").await;
    let handshakes = receiver.handshakes().len();
    let resumed = alice.act(&format!("{OWN}/{id}/resume")).await;
    assert_eq!(resumed.json()["status"], "Active");
    assert_eq!(
        receiver.handshakes().len(),
        handshakes + 1,
        "it is asked again"
    );
    say(&alice, &team, "one").await;
    assert_eq!(texts(&receiver, 1).await, ["one"]);

    world.clock.advance(Duration::from_secs(60));
    alice.act(&format!("{OWN}/{id}/suspend")).await;
    world.clock.advance(Duration::from_secs(60));
    say(&alice, &team, "two").await;
    let wishes = json!({ "missedEvents": true });
    alice.post(&format!("{OWN}/{id}/resume"), &wishes).await;
    assert_eq!(texts(&receiver, 2).await, ["one", "two"]);
}

#[tokio::test]
async fn an_address_that_no_longer_shakes_hands_is_not_resumed() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = subscribe(&alice, &receiver).await;
    alice.act(&format!("{OWN}/{id}/suspend")).await;
    receiver.reply_to_handshake(500);
    let refused = alice.act(&format!("{OWN}/{id}/resume")).await;
    assert_eq!(refused.brief(), "400 SUB-522");
    let shown = alice.get(&format!("{OWN}/{id}")).await;
    assert_eq!(shown.json()["status"], "Suspended");
}

#[tokio::test]
async fn reminders_arrive_as_they_were_subscribed() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let reminder = "/restapi/v1.0/subscription/~?threshold=60&interval=15";
    let body = json!({
        "eventFilters": [POSTS, reminder],
        "expiresIn": 3_600,
        "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
    });
    let created = alice.post(SUBSCRIPTIONS, &body).await;
    assert_eq!(created.json()["eventFilters"], json!([POSTS, reminder]));
    world.clock.advance(Duration::from_secs(3_540));
    let arrived = receiver.received(1).await;
    let envelope: Value = serde_json::from_slice(&arrived[0].body).expect("JSON");
    assert_eq!(envelope["event"], reminder);
    assert_eq!(envelope["body"], json!({ "expiresIn": 60 }));
    assert_eq!(envelope["ownerId"], ALICE.to_string());
}

#[tokio::test]
async fn a_reminder_must_make_sense() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let body = |filters: Value, expires_in: u64| {
        json!({
            "eventFilters": filters,
            "expiresIn": expires_in,
            "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
        })
    };
    let reminder = |threshold: u64, interval: u64| {
        format!("/restapi/v1.0/subscription/~?threshold={threshold}&interval={interval}")
    };
    for (filters, expires_in, expect) in [
        (json!([reminder(60, 15)]), 3_600, "400 SUB-515"),
        (
            json!([POSTS, "/restapi/v1.0/subscription/~"]),
            3_600,
            "400 SUB-516",
        ),
        (json!([POSTS, reminder(1_801, 15)]), 3_600, "400 SUB-516"),
        (json!([POSTS, reminder(60, 31)]), 3_600, "400 SUB-516"),
        (json!([POSTS, reminder(60, 4)]), 3_600, "400 SUB-516"),
        (
            json!([POSTS, reminder(60, 15), reminder(50, 15)]),
            3_600,
            "400 SUB-516",
        ),
    ] {
        let answer = alice.post(SUBSCRIPTIONS, &body(filters, expires_in)).await;
        assert_eq!(answer.brief(), expect);
    }
    assert!(receiver.handshakes().is_empty());

    let created = alice
        .post(
            SUBSCRIPTIONS,
            &body(json!([POSTS, reminder(864_000, 86_400)]), 5_000_000),
        )
        .await;
    let path = format!("{SUBSCRIPTIONS}/{}", created.id());
    let shorter =
        json!({ "eventFilters": [POSTS, reminder(864_000, 86_400)], "expiresIn": 864_000 });
    assert_eq!(alice.put(&path, &shorter).await.brief(), "400 SUB-516");
    let renewed = alice.put(&path, &json!({})).await;
    let granted = renewed.json()["expiresIn"].clone();
    assert_eq!(
        granted, 1_727_999,
        "what the reminder needs, not the default"
    );
}

#[tokio::test]
async fn what_is_not_permitted_is_disabled_and_alone_refused() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let receiver = Receiver::start().await;
    let subscribe = async |filters: Value| {
        let body = json!({
            "eventFilters": filters,
            "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
        });
        bob.post(SUBSCRIPTIONS, &body).await
    };
    let of = |person: u64, path: &str| format!("/restapi/v1.0/account/~/extension/{person}{path}");
    let alice = ALICE.0;
    for (filter, expect) in [
        (of(14, "/presence"), "403 SUB-402"),
        (of(alice, "/message-store"), "403 SUB-405"),
        (
            "/restapi/v1.0/account/2/extension/~/presence".to_owned(),
            "403 SUB-406",
        ),
        (of(999, "/presence"), "403 SUB-408"),
        (of(21, "/presence"), "403 SUB-408"),
        ("/restapi/v1.0/account/~/presence".to_owned(), "403 SUB-412"),
        (
            "/restapi/v1.0/account/~/extension".to_owned(),
            "403 SUB-412",
        ),
        (of(alice, ""), "403 SUB-412"),
        (of(alice, "/missed-calls"), "403 SUB-527"),
    ] {
        assert_eq!(subscribe(json!([filter])).await.brief(), expect, "{filter}");
        let mixed = subscribe(json!([POSTS, filter])).await;
        assert_eq!(mixed.status, 200);
        assert_eq!(mixed.json()["eventFilters"], json!([POSTS]));
        let disabled = &mixed.json()["disabledFilters"][0];
        assert_eq!(disabled["filter"], filter.as_str());
        assert_eq!(disabled["reason"], expect[4..]);
        assert!(
            disabled["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty())
        );
        bob.delete(&format!("{SUBSCRIPTIONS}/{}", mixed.id())).await;
    }
    let admin = world.signed_in(ALICE).await;
    let body = json!({
        "eventFilters": ["/restapi/v1.0/account/~/extension", of(CAROL.0, "/presence")],
        "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
    });
    let created = admin.post(SUBSCRIPTIONS, &body).await;
    let expect = json!([
        "/restapi/v1.0/account/1/extension",
        format!("/restapi/v1.0/account/1/extension/{CAROL}/presence"),
    ]);
    assert_eq!(created.json()["eventFilters"], expect, "{}", created.body);
    assert_eq!(created.json().get("disabledFilters"), None);
}

#[tokio::test]
async fn a_limit_that_was_configured_is_kept() {
    let world = World::start_with(|settings| settings.subscriptions.count_max = 2).await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    subscribe(&alice, &receiver).await;
    let second = subscribe(&alice, &receiver).await;
    let body = json!({
        "eventFilters": [POSTS],
        "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
    });
    assert_eq!(
        alice.post(SUBSCRIPTIONS, &body).await.brief(),
        "403 SUB-505"
    );
    let renew = format!("{SUBSCRIPTIONS}/{second}/renew");
    assert_eq!(alice.act(&renew).await.status, 200);
}

#[tokio::test]
async fn ones_own_subscriptions_are_listed_and_ended() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = subscribe(&alice, &receiver).await;
    assert_eq!(
        alice.get(OWN).await.records("id"),
        std::slice::from_ref(&id)
    );
    let bob = world.signed_in(BOB).await;
    assert_eq!(bob.get(OWN).await.records("id"), [""; 0]);
    let path = format!("{OWN}/{id}");
    assert_eq!(bob.delete(&path).await.status, 404);
    assert_eq!(alice.delete(&path).await.status, 204);
    assert_eq!(alice.get(OWN).await.records("id"), [""; 0]);
}
