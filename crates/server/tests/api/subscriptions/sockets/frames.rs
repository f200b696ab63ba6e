//! Frames that nobody should send: each is answered as documented, and costs nobody else anything.

use futures_util::SinkExt as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::protocol::Message;

use super::socket::Socket;
use crate::world::{ALICE, BOB, World};

#[tokio::test]
async fn heartbeats_are_echoed_with_and_without_an_id() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (mut socket, _) = Socket::open(&world, &alice).await;
    socket
        .say(r#"[{"type":"Heartbeat","messageId":"h"}]"#)
        .await;
    assert_eq!(
        socket.raw().await,
        r#"[{"type":"Heartbeat","messageId":"h"}]"#
    );
    socket.say(r#"[{"type":"Heartbeat"}]"#).await;
    assert_eq!(socket.raw().await, r#"[{"type":"Heartbeat"}]"#);
}

#[tokio::test]
async fn text_that_is_no_frame_is_answered_and_forgiven() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (mut socket, _) = Socket::open(&world, &alice).await;
    let deep = "[".repeat(200_000);
    for text in [
        "",
        "null",
        "[]",
        "[null]",
        "{\"type\":\"Heartbeat\"}",
        "[{\"type\":\"Heartbeat\"}",
        r#"[{"type":"ClientRequest","messageId":"1"}]"#,
        r#"[{"type":"ClientRequest","messageId":"1","method":"GET","path":"/\n"}]"#,
        r#"[{"type":"ConnectionDetails","messageId":"1"}]"#,
        &deep,
    ] {
        socket.say(text).await;
        let frame = socket.frame().await;
        assert_eq!(frame[0]["type"], "Error", "{text:.80}");
        assert_eq!(frame[0]["status"], 400);
        assert_eq!(frame[1]["errorCode"], "WSG-808");
        assert!(frame[0]["messageId"].is_string());
        assert!(frame[0]["headers"]["RCRequestId"].is_string());
    }
    let answer = socket.ask("GET", "/restapi/v1.0/status", None).await;
    assert_eq!(answer[0]["status"], 200);
}

#[tokio::test]
async fn a_body_that_is_bad_is_the_apis_to_refuse() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (mut socket, _) = Socket::open(&world, &alice).await;
    for (body, status) in [
        (Some(json!([])), 400),
        (Some(json!("text")), 400),
        (
            Some(
                json!({ "eventFilters": ["/nothing"], "deliveryMode": { "transportType": "WebSocket" } }),
            ),
            400,
        ),
        (Some(json!("")), 400),
        (None, 400),
    ] {
        let answer = socket
            .ask("POST", "/restapi/v1.0/subscription", body.clone())
            .await;
        assert_eq!(answer[0]["status"], status, "{body:?}: {answer}");
        assert!(answer[1]["errorCode"].is_string());
    }
}

#[tokio::test]
async fn what_no_frame_may_be_ends_the_connection_and_no_other() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let (mut bystander, _) = Socket::open(&world, &bob).await;

    let (mut socket, _) = Socket::open(&world, &alice).await;
    let sent = socket.stream.send(Message::binary(vec![0; 10])).await;
    sent.expect("a connection");
    assert_eq!(socket.last_words().await, "415 WSG-907, 1003");

    let (mut socket, _) = Socket::open(&world, &alice).await;
    // The refusal may come before all of it is sent.
    let _ = socket
        .stream
        .send(Message::text("x".repeat(3_000_000)))
        .await;
    assert_eq!(socket.last_words().await, "413 WSG-906, 1009");

    for (bytes, expect) in [
        // Masked text of two bytes that are not UTF-8.
        (
            &[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe][..],
            "400 WSG-808, 1007",
        ),
        // Text without a mask.
        (&[0x81, 0x01, b'x'][..], "400 WSG-808, 1002"),
        // Reserved bits.
        (&[0xf1, 0x80, 0, 0, 0, 0][..], "400 WSG-808, 1002"),
        // A continuation of nothing.
        (&[0x80, 0x80, 0, 0, 0, 0][..], "400 WSG-808, 1002"),
        // A length of 2^63 bytes.
        (
            &[
                0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
            ][..],
            "413 WSG-906, 1009",
        ),
    ] {
        let (mut socket, _) = Socket::open(&world, &alice).await;
        let written = socket.stream.get_mut().write_all(bytes).await;
        written.expect("a connection");
        assert_eq!(socket.last_words().await, expect, "{bytes:02x?}");
    }

    let answer = bystander.ask("GET", "/restapi/v1.0/status", None).await;
    assert_eq!(answer[0]["status"], 200);
}

#[tokio::test]
async fn a_frame_may_come_in_pieces() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (mut socket, _) = Socket::open(&world, &alice).await;
    let text = br#"[{"type":"Heartbeat","messageId":"p"}]"#;
    let (one, two) = text.split_at(11);
    let mut bytes = vec![
        0x01,
        0x80 | u8::try_from(one.len()).expect("short"),
        0,
        0,
        0,
        0,
    ];
    bytes.extend(one);
    bytes.extend([
        0x80,
        0x80 | u8::try_from(two.len()).expect("short"),
        0,
        0,
        0,
        0,
    ]);
    bytes.extend(two);
    for byte in bytes {
        let written = socket.stream.get_mut().write_all(&[byte]).await;
        written.expect("a connection");
    }
    assert_eq!(socket.frame().await[0]["messageId"], "p");
}
