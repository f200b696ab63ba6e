//! What one attempt sends, and what it makes of every kind of answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookyard_delivery::{Halt, Sending, Transport as _, WebhookTransport};
use hookyard_domain::{AttemptOutcome, UnreachableReason};
use hookyard_testkit::{Receiver, Reply, VirtualClock, sample};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::egress;
use crate::impatient;
use crate::send_to;

const SECOND: Duration = Duration::from_secs(1);

async fn outcome_of(reply: impl Into<Reply>) -> AttemptOutcome {
    let receiver = Receiver::start().await;
    receiver.reply(reply);
    send_to(&impatient(&receiver.address(), SECOND))
        .await
        .outcome
}

fn unreachable(reason: UnreachableReason) -> AttemptOutcome {
    AttemptOutcome::Unreachable { reason }
}

#[tokio::test]
async fn an_event_is_sent_as_its_subscribers_know_it() {
    let receiver = Receiver::start().await;
    let attempted = send_to(&impatient(&receiver.address(), SECOND)).await;
    assert_eq!(attempted.outcome, AttemptOutcome::Accepted { status: 200 });
    assert_eq!(attempted.peer, Some(receiver.peer().to_string()));
    assert!(attempted.timings.total_us >= attempted.timings.connect_us);
    let event = receiver.events().remove(0);
    let peer = receiver.peer().to_string();
    let headers: Vec<_> = event
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.replace(&peer, "<peer>")))
        .collect();
    insta::assert_snapshot!(format!("{}\n{}", event.line, headers.join("\n")), @r#"
    POST /hook HTTP/1.1
    Host: <peer>
    Accept: application/json
    Accept-Encoding: UTF-8
    Content-Type: application/json; charset=UTF-8
    Content-Length: 221
    User-Agent: RingCentral-Webhook/8.3 Hookyard/0.1.0
    Verification-Token: hello-world
    "#);
    insta::assert_snapshot!(String::from_utf8_lossy(&event.body), @r#"{"uuid":"7","event":"/restapi/v1.0/glip/posts","timestamp":"2026-01-01T00:00:00.000Z","subscriptionId":"00000000-0000-0000-0000-000000000001","ownerId":"62534323","body":{"id":"7","text":"post 7","eventType":"PostAdded"}}"#);
}

#[tokio::test]
async fn a_possible_repeat_says_so() {
    let receiver = Receiver::start().await;
    let subscription = impatient(&receiver.address(), SECOND);
    let mut committed = sample::delivery_to(&subscription, 7, VirtualClock::BEGIN);
    committed.delivery.possible_repeat = true;
    let halt = Halt::default();
    let sending = Sending {
        committed: &committed,
        others: &[],
        at: hookyard_domain::Timestamp::from_millis(1_790_000_000_000),
        subscription: &subscription,
        attempt: 3,
        halt: &halt,
    };
    let mut connection = WebhookTransport::new(egress()).connection();
    connection.send(&sending).await.unwrap();
    let event = receiver.events().remove(0);
    assert_eq!(event.header("Hookyard-Possible-Repeat"), Some("true"));
    assert_eq!(event.header("Hookyard-Attempt"), Some("3"));
    assert_eq!(event.header("Validation-Token"), None);
}

#[tokio::test]
async fn every_2xx_is_acceptance_and_everything_else_is_refusal() {
    for status in [200, 201, 202, 204, 299] {
        assert_eq!(
            outcome_of(status).await,
            AttemptOutcome::Accepted { status }
        );
    }
    for status in [
        300, 301, 302, 304, 307, 308, 400, 401, 404, 410, 429, 500, 503, 599,
    ] {
        let refused = AttemptOutcome::Refused {
            status,
            retry_after: None,
        };
        assert_eq!(outcome_of(status).await, refused);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start().await;
    let moved = Reply::from(307).header("Location", &elsewhere.address());
    let refused = AttemptOutcome::Refused {
        status: 307,
        retry_after: None,
    };
    assert_eq!(outcome_of(moved).await, refused);
    assert!(elsewhere.events().is_empty());
}

#[tokio::test]
async fn retry_after_is_read_in_both_forms() {
    let seconds = Reply::from(429).header("Retry-After", "17");
    let date = Reply::from(503)
        .header("Date", "Wed, 21 Oct 2026 07:28:00 GMT")
        .header("Retry-After", "Wed, 21 Oct 2026 07:30:00 GMT");
    let nonsense = Reply::from(503).header("Retry-After", "soon");
    for (reply, status, seconds) in [
        (seconds, 429, Some(17)),
        (date, 503, Some(120)),
        (nonsense, 503, None),
    ] {
        let retry_after = seconds.map(Duration::from_secs);
        assert_eq!(
            outcome_of(reply).await,
            AttemptOutcome::Refused {
                status,
                retry_after
            }
        );
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_given_up_in_time() {
    let receiver = Receiver::start().await;
    receiver.reply(Reply::Hang);
    let began = Instant::now();
    let attempted = send_to(&impatient(&receiver.address(), Duration::from_millis(150))).await;
    assert_eq!(attempted.outcome, unreachable(UnreachableReason::TimedOut));
    assert!(began.elapsed() < SECOND);
}

#[tokio::test]
async fn a_head_that_drips_is_given_up_in_time() {
    let receiver = Receiver::start().await;
    receiver.reply(Reply::Drip(Bytes::from_static(
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
    )));
    let attempted = send_to(&impatient(&receiver.address(), Duration::from_millis(150))).await;
    assert_eq!(attempted.outcome, unreachable(UnreachableReason::TimedOut));
}

#[tokio::test]
async fn a_body_that_drips_for_ever_costs_only_its_connection() {
    let receiver = Receiver::start().await;
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
    receiver.reply(Reply::Drip(Bytes::from_static(head)));
    let subscription = impatient(&receiver.address(), SECOND);
    let began = Instant::now();
    let attempted = send_to(&subscription).await;
    assert_eq!(attempted.outcome, AttemptOutcome::Accepted { status: 200 });
    assert!(began.elapsed() < 3 * SECOND);
}

#[tokio::test]
async fn what_is_not_http_is_an_invalid_answer() {
    let garbage = Reply::Raw(Bytes::from_static(b"\x00\xffSSH-2.0-garbage\r\n\r\n\r\n"));
    assert_eq!(
        outcome_of(garbage).await,
        unreachable(UnreachableReason::InvalidAnswer)
    );
    let status = Reply::Raw(Bytes::from_static(b"HTTP/1.1 two hundred\r\n\r\n"));
    assert_eq!(
        outcome_of(status).await,
        unreachable(UnreachableReason::InvalidAnswer)
    );
}

#[tokio::test]
async fn a_head_without_end_is_an_invalid_answer() {
    let mut head = b"HTTP/1.1 200 OK\r\nX-Long: ".to_vec();
    head.resize(64 * 1024, b'x');
    let outcome = outcome_of(Reply::Raw(head.into())).await;
    assert_eq!(outcome, unreachable(UnreachableReason::InvalidAnswer));
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_broken() {
    for reply in [Reply::Close, Reply::Reset] {
        assert_eq!(
            outcome_of(reply).await,
            unreachable(UnreachableReason::Broken)
        );
    }
    let half = Reply::Raw(Bytes::from_static(b"HTTP/1.1 200 O"));
    assert_eq!(
        outcome_of(half).await,
        unreachable(UnreachableReason::Broken)
    );
}

#[tokio::test]
async fn the_beginning_of_a_refusal_is_kept_for_people() {
    let receiver = Receiver::start().await;
    receiver.reply(Reply::from(500).body("no \u{1f41f} today ".repeat(1_000)));
    let attempted = send_to(&impatient(&receiver.address(), SECOND)).await;
    let excerpt = attempted.answer_excerpt.unwrap();
    assert!(excerpt.starts_with("no \u{1f41f} today no"));
    assert!(excerpt.len() <= 1_100);
}

#[tokio::test]
async fn an_oversize_body_is_not_read_to_its_end() {
    let receiver = Receiver::start().await;
    receiver.reply(Reply::from(200).body(vec![b'x'; 4 << 20]));
    let subscription = impatient(&receiver.address(), SECOND);
    let attempted = send_to(&subscription).await;
    assert_eq!(attempted.outcome, AttemptOutcome::Accepted { status: 200 });
}

#[tokio::test]
async fn nobody_listening_and_forbidden_targets_are_told_apart_for_the_owner() {
    let port = Receiver::start().await.peer().port();
    let gone = send_to(&impatient(&format!("http://127.0.0.1:{port}/"), SECOND)).await;
    assert_eq!(gone.outcome, unreachable(UnreachableReason::ConnectFailed));
    let metadata = send_to(&impatient("http://169.254.169.254/latest", SECOND)).await;
    assert_eq!(metadata.outcome, unreachable(UnreachableReason::Forbidden));
    let unknown = send_to(&impatient("http://nowhere.invalid/", SECOND)).await;
    assert_eq!(unknown.outcome, unreachable(UnreachableReason::Dns));
}

#[tokio::test]
async fn a_connection_is_kept_between_attempts_and_dropped_when_the_rules_change() {
    let receiver = Receiver::start().await;
    let egress = egress();
    let mut connection = WebhookTransport::new(Arc::clone(&egress)).connection();
    let subscription = impatient(&receiver.address(), SECOND);
    let committed = sample::delivery_to(&subscription, 7, VirtualClock::BEGIN);
    let halt = Halt::default();
    let sending = Sending {
        committed: &committed,
        others: &[],
        at: hookyard_domain::Timestamp::from_millis(1_790_000_000_000),
        subscription: &subscription,
        attempt: 1,
        halt: &halt,
    };
    for _ in 0..3 {
        assert!(
            connection
                .send(&sending)
                .await
                .unwrap()
                .outcome
                .is_accepted()
        );
    }
    assert_eq!(receiver.connections(), 1);
    egress.set_rules(hookyard_delivery::EgressRules::default());
    let attempted = connection.send(&sending).await.unwrap();
    assert_eq!(attempted.outcome, unreachable(UnreachableReason::Forbidden));
    assert_eq!(receiver.events().len(), 3);
}

#[tokio::test]
async fn a_kept_connection_that_the_receiver_closed_costs_no_attempt() {
    let receiver = Receiver::start().await;
    let closing = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    receiver.reply(Reply::Raw(Bytes::from_static(closing)));
    let mut connection = WebhookTransport::new(egress()).connection();
    let subscription = impatient(&receiver.address(), SECOND);
    let committed = sample::delivery_to(&subscription, 7, VirtualClock::BEGIN);
    let halt = Halt::default();
    let sending = Sending {
        committed: &committed,
        others: &[],
        at: hookyard_domain::Timestamp::from_millis(1_790_000_000_000),
        subscription: &subscription,
        attempt: 1,
        halt: &halt,
    };
    assert!(
        connection
            .send(&sending)
            .await
            .unwrap()
            .outcome
            .is_accepted()
    );
    // The receiver's close must reach us first, or this would be another case: a broken attempt.
    // What the system tells of a later connection, it tells after that.
    receiver.ended(1).await;
    let later = Receiver::start().await;
    TcpStream::connect(later.peer()).await.unwrap();
    assert!(
        connection
            .send(&sending)
            .await
            .unwrap()
            .outcome
            .is_accepted()
    );
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn what_was_called_off_is_not_sent() {
    let receiver = Receiver::start().await;
    let mut connection = WebhookTransport::new(egress()).connection();
    let subscription = impatient(&receiver.address(), SECOND);
    let committed = sample::delivery_to(&subscription, 7, VirtualClock::BEGIN);
    let halt = Halt::default();
    halt.call_off();
    let sending = Sending {
        committed: &committed,
        others: &[],
        at: hookyard_domain::Timestamp::from_millis(1_790_000_000_000),
        subscription: &subscription,
        attempt: 1,
        halt: &halt,
    };
    assert_eq!(connection.send(&sending).await, None);
    assert!(receiver.events().is_empty());
}
