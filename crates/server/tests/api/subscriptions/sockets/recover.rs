//! Connections that break, and clients that come back.

use serde_json::json;

use super::socket::{Socket, recovery_token, text};
use crate::client::Client;
use crate::world::{ALICE, BOB, World};

async fn team(alice: &Client) -> String {
    let body = json!({ "name": "Crew", "public": false, "members": [{ "id": BOB }] });
    alice.post("/team-messaging/v1/teams", &body).await.id()
}

async fn say(client: &Client, team: &str, text: &str) {
    let path = format!("/team-messaging/v1/chats/{team}/posts");
    let answer = client.post(&path, &json!({ "text": text })).await;
    assert!(answer.status.is_success(), "{answer:?}");
}

#[tokio::test]
async fn what_was_missed_comes_exactly_once_and_under_the_same_subscription() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let team = team(&alice).await;
    let (mut socket, _, id) = Socket::subscribed(&world, &alice).await;
    say(&alice, &team, "one").await;
    let first = socket.frame().await;
    socket.kill();
    for text in ["two", "three"] {
        say(&alice, &team, text).await;
    }
    let token = recovery_token(&first);
    let (mut socket, details) = Socket::recover(&world, &alice, &token).await;
    assert_eq!(details[1]["recoveryState"], "Successful");
    let missed = socket.frame().await;
    assert_eq!(missed[1]["body"]["text"], "two");
    assert_eq!(missed[1]["subscriptionId"], id);
    let sequence = |frame: &serde_json::Value| frame[0]["wsc"]["sequence"].as_u64();
    assert_eq!(sequence(&missed), sequence(&first).map(|first| first + 1));
    assert_eq!(socket.post().await, "three");
    say(&alice, &team, "four").await;
    assert_eq!(socket.post().await, "four");
}

#[tokio::test]
async fn another_connection_may_take_over_while_the_first_still_hangs() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let team = team(&alice).await;
    let (mut old, details, _) = Socket::subscribed(&world, &alice).await;
    let token = recovery_token(&details);
    let (mut new, details) = Socket::recover(&world, &alice, &token).await;
    assert_eq!(details[1]["recoveryState"], "Successful");
    say(&alice, &team, "hello").await;
    assert_eq!(new.post().await, "hello");
    assert!(old.next().await.is_some_and(|message| message.is_close()));
    assert!(old.next().await.is_none());
}

#[tokio::test]
async fn stale_foreign_and_useless_tokens_begin_anew() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let again = world.signed_in(ALICE).await;
    let (socket, details, _) = Socket::subscribed(&world, &alice).await;
    let token = recovery_token(&details);
    socket.kill();
    let failed = |details: &serde_json::Value| {
        assert_eq!(details[1]["recoveryState"], "Failed", "{details}");
        text(&details[1]["recoveryErrorCode"])
    };
    // The same person and app, by another sign-in.
    let (other, details) = Socket::recover(&world, &again, &token).await;
    assert_eq!(failed(&details), "WSG-1003");
    // A session that never subscribed.
    let useless = recovery_token(&details);
    other.kill();
    let (_, details) = Socket::recover(&world, &again, &useless).await;
    assert_eq!(failed(&details), "WSG-1005");
    // A token as another server, or this one before it was restarted, has given it out.
    let elsewhere = World::start().await;
    let stranger = elsewhere.signed_in(ALICE).await;
    let (_, details) = Socket::recover(&elsewhere, &stranger, &token).await;
    assert_eq!(failed(&details), "WSG-1001");
    // And the rightful one still works.
    let (_, details) = Socket::recover(&world, &alice, &token).await;
    assert_eq!(details[1]["recoveryState"], "Successful");
}

#[tokio::test]
async fn garbage_for_a_token_ends_the_connection() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let token = super::socket::socket_token(&alice).await;
    for garbage in ["undefined", "null", "a%00b", "RTFh", &"x".repeat(4_000)] {
        let query = format!("?access_token={token}&wsc={garbage}");
        let dialled = Socket::dial(&world, &query, &[]).await;
        let mut socket = dialled.expect("an upgrade");
        assert_eq!(socket.last_words().await, "400 WSG-400, 1008", "{garbage}");
    }
    let query = format!("?access_token={token}&wsc=");
    let mut socket = Socket::dial(&world, &query, &[]).await.expect("a socket");
    let details = socket.frame().await;
    assert!(
        details[1].get("recoveryState").is_none(),
        "none was asked for"
    );
}

#[tokio::test]
async fn a_reader_that_sleeps_holds_nobody_up_and_can_come_back() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let team = team(&alice).await;
    let (sleeper, details, _) = Socket::subscribed(&world, &alice).await;
    let (mut reader, _, _) = Socket::subscribed(&world, &bob).await;
    let path = format!("/team-messaging/v1/chats/{team}/posts");
    let long = "x".repeat(9_900);
    // Far more than the kernel's buffers take for the one that does not read.
    for number in 0..1_500 {
        let text = format!("{number} {long}");
        let answer = alice.post(&path, &json!({ "text": text })).await;
        assert!(answer.status.is_success(), "{answer:?}");
        assert!(reader.post().await.starts_with(&format!("{number} ")));
    }
    let token = recovery_token(&details);
    let (mut back, details) = Socket::recover(&world, &alice, &token).await;
    assert_eq!(details[1]["recoveryState"], "Successful");
    let first = back.post().await;
    let first: u32 = first
        .split(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .expect("a number");
    assert!((1..1_500).contains(&first), "the oldest are gone: {first}");
    for number in first + 1..1_500 {
        assert!(back.post().await.starts_with(&format!("{number} ")));
    }
    sleeper.kill();
}
