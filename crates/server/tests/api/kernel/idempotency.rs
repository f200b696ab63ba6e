//! `Idempotency-Key`: the same answer again, and nothing done twice.

mod refusals;
mod widely;

use std::time::Duration;

use hookyard_domain::Scopes;
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::client::{Answer, Client};
use crate::world::{ALICE, BOB, World};

const BINS: &str = "/api/v1/bins";
const SUBSCRIPTIONS: &str = "/restapi/v1.0/subscription";
const ALMOST_A_DAY: Duration = Duration::from_millis(24 * 3_600_000 - 1);

/// Posts with a key.
async fn keyed(client: &Client, key: &str, path: &str, body: &Value) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    client
        .send(Method::POST, path, &headers, body.to_string())
        .await
}

/// Asserts that `again` is `first`, told once more.
#[track_caller]
fn assert_replayed(first: &Answer, again: &Answer) {
    assert_eq!(first.header("idempotency-replayed"), "", "{first:?}");
    assert_eq!(again.header("idempotency-replayed"), "true", "{again:?}");
    assert_eq!(again.status, first.status);
    assert_eq!(again.body, first.body);
    for name in ["content-type", "etag", "location"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
}

async fn bins(client: &Client) -> usize {
    client.get(BINS).await.records("id").len()
}

#[tokio::test]
async fn a_repeat_gets_the_answer_again_and_makes_nothing() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let body = json!({ "name": "Bills" });
    let first = keyed(&alice, "k-1", BINS, &body).await;
    assert_eq!(first.status, 201, "{first:?}");
    for _ in 0..3 {
        assert_replayed(&first, &keyed(&alice, "k-1", BINS, &body).await);
    }
    assert_eq!(bins(&alice).await, 1);
    // What happened to it since is no part of the answer.
    let path = format!("{BINS}/{}", first.id());
    assert_eq!(alice.delete(&path).await.status, 204);
    assert_replayed(&first, &keyed(&alice, "k-1", BINS, &body).await);
    assert_eq!(bins(&alice).await, 0);
    assert_eq!(keyed(&alice, "k-2", BINS, &body).await.status, 201);
    assert_eq!(alice.post(BINS, &body).await.status, 201);
    assert_eq!(bins(&alice).await, 2);
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let body = json!({ "name": "Bills" });
    let first = keyed(&alice, "k-1", BINS, &body).await;
    assert_eq!(first.status, 201);
    let (chats, team) = ("/team-messaging/v1/teams", json!({ "name": "Bills" }));
    let queried = format!("{BINS}?a=b");
    for (path, body) in [
        (BINS, &json!({ "name": "Others" })),
        (BINS, &json!({})),
        (chats, &team),
        (queried.as_str(), &body),
    ] {
        let other = keyed(&alice, "k-1", path, body).await;
        assert_eq!(
            other.brief(),
            "409 CMN-121 [Idempotency-Key]",
            "{path} {body}"
        );
        assert_eq!(other.header("retry-after"), "", "it stays as it is");
    }
    assert_replayed(&first, &keyed(&alice, "k-1", BINS, &body).await);
    assert_eq!(bins(&alice).await, 1);
}

#[tokio::test]
async fn a_key_is_its_callers_own() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let team = json!({ "name": "Bills" });
    let path = "/team-messaging/v1/teams";
    let first = keyed(&alice, "k-1", path, &team).await;
    assert_eq!(first.status, 201, "{first:?}");
    let elsewhere = world.signed_in_with(ALICE, Scopes::all(), "another").await;
    let bob = world.signed_in(BOB).await;
    let mut ids = vec![first.id()];
    for other in [&elsewhere, &bob] {
        let answer = keyed(other, "k-1", path, &team).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.header("idempotency-replayed"), "");
        ids.push(answer.id());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    // Another session of the same person and app is the same caller.
    let again = world.signed_in(ALICE).await;
    assert_replayed(&first, &keyed(&again, "k-1", path, &team).await);
    // Older clients say the token in the query, and it is another after an hour.
    let token = again.token.as_deref().expect("it is signed in");
    let queried = format!("{path}?access_token={token}");
    assert_replayed(
        &first,
        &keyed(&world.nobody(), "k-1", &queried, &team).await,
    );
}

#[tokio::test]
async fn a_key_is_remembered_for_a_day() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let first = keyed(&alice, "k-1", BINS, &json!({})).await;
    world.clock.advance(ALMOST_A_DAY);
    let alice = world.signed_in(ALICE).await;
    assert_replayed(&first, &keyed(&alice, "k-1", BINS, &json!({})).await);
    world.clock.advance(Duration::from_millis(1));
    let anew = keyed(&alice, "k-1", BINS, &json!({ "name": "Other" })).await;
    assert_eq!(anew.status, 201, "{anew:?}");
    assert_ne!(anew.id(), first.id());
    assert_replayed(
        &anew,
        &keyed(&alice, "k-1", BINS, &json!({ "name": "Other" })).await,
    );
}

#[tokio::test]
async fn while_the_first_is_running_a_repeat_is_told_to_come_back() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let slow = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = slow.local_addr().expect("it is bound");
    let body = json!({
        "eventFilters": ["/team-messaging/v1/posts"],
        "deliveryMode": { "transportType": "WebHook", "address": format!("http://{address}/") },
    });
    let (client, asked) = (alice.clone(), body.clone());
    let first = tokio::spawn(async move { keyed(&client, "k-1", SUBSCRIPTIONS, &asked).await });
    // The first shakes hands, and waits.
    let (mut handshake, _) = slow.accept().await.expect("a handshake");
    for _ in 0..2 {
        let early = keyed(&alice, "k-1", SUBSCRIPTIONS, &body).await;
        assert_eq!(early.brief(), "409 CMN-122 [Idempotency-Key]");
        assert_eq!(early.header("retry-after"), "1");
    }
    let mut head = vec![0; 4_096];
    let read = handshake.read(&mut head).await.expect("a request");
    let head = String::from_utf8_lossy(&head[..read]).into_owned();
    let token = head
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("validation-token")
                .then(|| value.to_owned())
        })
        .expect("a validation token");
    let reply =
        format!("HTTP/1.1 200 OK\r\nValidation-Token: {token}\r\nContent-Length: 0\r\n\r\n");
    handshake
        .write_all(reply.as_bytes())
        .await
        .expect("a reply");
    let first = first.await.expect("it does not panic");
    assert_eq!(first.status, 200, "{first:?}");
    assert_replayed(&first, &keyed(&alice, "k-1", SUBSCRIPTIONS, &body).await);
    let listed = alice.get(SUBSCRIPTIONS).await.records("id");
    assert_eq!(listed, [first.id()]);
}

#[tokio::test]
async fn of_many_at_once_one_is_done() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let asking = (0..16).map(|_| {
        let client = alice.clone();
        tokio::spawn(async move { keyed(&client, "k-1", BINS, &json!({})).await })
    });
    let asking: Vec<_> = asking.collect();
    let mut made = Vec::new();
    for answer in asking {
        let answer = answer.await.expect("it does not panic");
        match answer.status.as_u16() {
            201 => made.push(answer.id()),
            _ => assert_eq!(answer.brief(), "409 CMN-122 [Idempotency-Key]"),
        }
    }
    made.dedup();
    assert_eq!(alice.get(BINS).await.records("id"), made);
}
