//! The handshake, byte for byte, and every way to fail it.

use std::time::Duration;

use bytes::Bytes;
use hookyard_delivery::{Egress, EgressRules, WebhookHandshake};
use hookyard_domain::Secret;
use hookyard_domain::kernel::limits::HANDSHAKE_ANSWER_BYTES_MAX;
use hookyard_domain::kernel::limits::HANDSHAKE_TIMEOUT_DEFAULT;
use hookyard_domain::kernel::ports::{Handshake as _, HandshakeError};
use hookyard_testkit::{Receiver, Reply};

use crate::development;
use crate::egress;

const TOKEN: &str = "8bc8b1b5-5b62-4f1a-9f6d-1f1f6b7c3a11";

async fn verify(address: &str) -> Result<(), HandshakeError> {
    let (validation, verification) = (Secret::new(TOKEN), Secret::new("hello-world"));
    WebhookHandshake::new(egress(), HANDSHAKE_TIMEOUT_DEFAULT)
        .verify(address, &validation, Some(&verification))
        .await
}

async fn verify_replying(reply: impl Into<Reply>) -> Result<(), HandshakeError> {
    let receiver = Receiver::start().await;
    receiver.reply_to_handshake(reply);
    verify(&receiver.address()).await
}

fn echo() -> Reply {
    Reply::from(200).header("Validation-Token", TOKEN)
}

#[tokio::test]
async fn a_receiver_that_returns_the_token_passes() {
    let receiver = Receiver::start().await;
    assert_eq!(verify(&receiver.address()).await, Ok(()));
    let request = receiver.handshakes().remove(0);
    let peer = receiver.peer().to_string();
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.replace(&peer, "<peer>")))
        .collect();
    insta::assert_snapshot!(format!("{}\n{}", request.line, headers.join("\n")), @r"
    POST /hook HTTP/1.1
    Host: <peer>
    Validation-Token: 8bc8b1b5-5b62-4f1a-9f6d-1f1f6b7c3a11
    Verification-Token: hello-world
    Content-Length: 0
    ");
    assert!(request.body.is_empty());
}

#[tokio::test]
async fn only_status_200_passes() {
    for status in [201, 204, 301, 302, 307, 400, 404, 500] {
        let reply = Reply::from(status).header("Validation-Token", TOKEN);
        assert_eq!(
            verify_replying(reply).await,
            Err(HandshakeError::BadStatus(status))
        );
    }
}

#[tokio::test]
async fn the_token_must_come_back_unchanged() {
    let missing = HandshakeError::NoValidationToken;
    assert_eq!(verify_replying(200).await, Err(missing));
    let other = Reply::from(200).header("Validation-Token", "another");
    assert_eq!(verify_replying(other).await, Err(missing));
    let in_body = Reply::from(200).body(TOKEN);
    assert_eq!(verify_replying(in_body).await, Err(missing));
}

#[tokio::test]
async fn head_and_body_may_have_1024_bytes_and_not_one_more() {
    let head = format!("HTTP/1.1 200 OK\r\nValidation-Token: {TOKEN}\r\nConnection: close\r\n\r\n");
    let answer = |bytes: usize| {
        let body = "x".repeat(bytes - head.len());
        Reply::Raw(Bytes::from(format!("{head}{body}")))
    };
    assert_eq!(
        verify_replying(answer(HANDSHAKE_ANSWER_BYTES_MAX)).await,
        Ok(())
    );
    let over = verify_replying(answer(HANDSHAKE_ANSWER_BYTES_MAX + 1)).await;
    assert_eq!(over, Err(HandshakeError::InvalidReply));
    let far_over = verify_replying(echo().body(vec![b'x'; 100_000])).await;
    assert_eq!(far_over, Err(HandshakeError::InvalidReply));
    let mut head_over = b"HTTP/1.1 200 OK\r\nX-Long: ".to_vec();
    head_over.resize(2 * HANDSHAKE_ANSWER_BYTES_MAX, b'x');
    let head_over = verify_replying(Reply::Raw(head_over.into())).await;
    assert_eq!(head_over, Err(HandshakeError::InvalidReply));
}

#[tokio::test]
async fn what_is_not_http_is_an_invalid_reply() {
    let garbage = Reply::Raw(Bytes::from_static(b"220 smtp.example.com ESMTP\r\n\r\n"));
    assert_eq!(
        verify_replying(garbage).await,
        Err(HandshakeError::InvalidReply)
    );
}

#[tokio::test]
async fn silence_and_broken_connections_are_unreachable() {
    let began = tokio::time::Instant::now();
    for reply in [Reply::Close, Reply::Reset, Reply::Hang] {
        assert_eq!(
            verify_replying(reply).await,
            Err(HandshakeError::Unreachable)
        );
    }
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_receiver_that_drips_is_given_up() {
    let head =
        format!("HTTP/1.1 200 OK\r\nValidation-Token: {TOKEN}\r\nContent-Length: 900\r\n\r\n");
    let slow = verify_replying(Reply::Drip(head.into())).await;
    assert_eq!(slow, Err(HandshakeError::Unreachable));
}

#[tokio::test]
async fn blocked_and_dead_targets_answer_alike() {
    let port = Receiver::start().await.peer().port();
    for address in [
        format!("http://127.0.0.1:{port}/"),
        "http://169.254.169.254/".to_owned(),
        "http://nowhere.invalid/".to_owned(),
        "http://[64:ff9b::a00:1]/".to_owned(),
        "not a url".to_owned(),
    ] {
        assert_eq!(
            verify(&address).await,
            Err(HandshakeError::Unreachable),
            "{address}"
        );
    }
}

#[tokio::test]
async fn plain_http_is_refused_in_production() {
    let rules = EgressRules {
        allow_http: false,
        ..development()
    };
    let handshake = WebhookHandshake::new(
        std::sync::Arc::new(Egress::new(rules)),
        HANDSHAKE_TIMEOUT_DEFAULT,
    );
    let refused = handshake
        .verify("http://127.0.0.1:1/", &Secret::new(TOKEN), None)
        .await;
    assert_eq!(refused, Err(HandshakeError::HttpsRequired));
}
