//! Bodies and requests that are broken, hostile or slow: each gets its documented code.

use std::time::Duration;

use hookyard_api::ListenerLimits;
use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Answer, Client};
use crate::world::{ALICE, World};

const TEAMS: &str = "/team-messaging/v1/teams";

async fn post(client: &Client, body: impl Into<bytes::Bytes>) -> Answer {
    let kind = [("content-type", "application/json; charset=utf-8")];
    client.send(Method::POST, TEAMS, &kind, body).await
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be_are_refused() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let nested = |depth: usize| {
        format!(
            r#"{{"name":"x","y":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    for (body, expect) in [
        ("{", "400 CMN-103"),
        (r#"{"name":"x"} x"#, "400 CMN-103"),
        (r#"{"name":"x",}"#, "400 CMN-103"),
        (r#"{"name":"a\u0000b"}"#, "400 CMN-103"),
        ("{\"name\":\"a\u{0}b\"}", "400 CMN-103"),
        (r#"["x"]"#, "400 CMN-104"),
        (r#""x""#, "400 CMN-104"),
        ("7", "400 CMN-104"),
        ("null", "400 CMN-104"),
        (r#"{"name":["x"]}"#, "400 CMN-101 [name]"),
        (nested(40).as_str(), "400 CMN-103"),
        (nested(100_000).as_str(), "400 CMN-103"),
    ] {
        assert_eq!(
            post(&alice, body.to_owned()).await.brief(),
            expect,
            "{body:.60}"
        );
    }
    let invalid = post(&alice, &b"{\"name\":\"\xff\"}"[..]).await;
    assert_eq!(invalid.brief(), "400 CMN-103");
    assert_eq!(post(&alice, nested(39)).await.status, 201);
}

#[tokio::test]
async fn a_body_past_the_limit_is_refused_and_one_at_the_limit_is_read() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let sized = |bytes: usize| {
        let frame = r#"{"name":"x","y":""}"#;
        frame.replace(
            r#""y":"""#,
            &format!(r#""y":"{}""#, "z".repeat(bytes - frame.len())),
        )
    };
    let limit = 2 * 1024 * 1024;
    assert_eq!(post(&alice, sized(limit)).await.status, 201);
    let refused = post(&alice, sized(limit + 1)).await;
    assert_eq!(refused.brief(), "413 CMN-112");
    assert_eq!(refused.header("connection"), "close");
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let body = json!({"name": "x"}).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "x",
    ] {
        let kind = [("content-type", kind)];
        let answer = alice.send(Method::POST, TEAMS, &kind, body.clone()).await;
        assert_eq!(answer.brief(), "415 CMN-113", "{kind:?}");
    }
    let unlabelled = alice.send(Method::POST, TEAMS, &[], body).await;
    assert_eq!(unlabelled.status, 201);
}

/// Sends `head` as it is, and reads what comes back until the server closes.
async fn raw(world: &World, head: &str) -> String {
    let mut stream = TcpStream::connect(world.address).await.expect("a listener");
    stream.write_all(head.as_bytes()).await.expect("it listens");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer));
    read.await
        .expect("the server closes")
        .expect("a clean close");
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::start_with(|settings| {
        settings.body_read_timeout = Duration::from_millis(50);
    })
    .await;
    world.signed_in(ALICE).await;
    let head = format!(
        "POST {TEAMS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer token-1\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"name\":"
    );
    let answer = raw(&world, &head).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"CMN-114\""), "{answer}");
}

#[tokio::test]
async fn a_head_that_is_too_large_or_broken_is_refused() {
    let world = World::start().await;
    let large = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(40_000)
    );
    let answer = raw(&world, &large).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer:?}");
    let answer = raw(&world, "nonsense\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer:?}");
    // And the next one is served.
    assert_eq!(world.nobody().get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let limits = ListenerLimits {
        header_read_timeout: Duration::from_millis(50),
        ..ListenerLimits::default()
    };
    let world = World::start_within(limits, |_| {}).await;
    assert_eq!(raw(&world, "GET /healthz HTTP/1.1\r\nHost: lo").await, "");
    // Nor is a second request on a kept connection.
    let first = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert!(raw(&world, first).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn past_the_limit_connections_wait_for_their_turn() {
    let limits = ListenerLimits {
        connections_max: 1,
        ..ListenerLimits::default()
    };
    let world = World::start_within(limits, |_| {}).await;
    let mut idle = TcpStream::connect(world.address).await.expect("a listener");
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .expect("it listens");
    idle.readable().await.expect("it is answered");
    let nobody = world.nobody();
    let mut second = std::pin::pin!(nobody.get("/healthz"));
    let early = tokio::time::timeout(Duration::from_millis(100), &mut second).await;
    assert!(early.is_err(), "there is no room yet");
    drop(idle);
    assert_eq!(second.await.status, 200);
}
