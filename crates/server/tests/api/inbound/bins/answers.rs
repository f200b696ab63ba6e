//! How bins answer, and what they cannot be told to answer.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::{BINS, answering, bin, call, requests};
use crate::world::{ALICE, World};

/// Answers that a bin cannot give, and where they are wrong.
fn impossible_answers() -> Vec<(Value, &'static str)> {
    let long = "x".repeat(70_000);
    let many: serde_json::Map<_, _> = (0..41).map(|n| (format!("X-{n}"), json!("1"))).collect();
    vec![
        (json!({"status": 199}), "status"),
        (json!({"status": 600}), "status"),
        (json!({"status": -1}), "status"),
        (json!({"status": "200"}), "status"),
        (json!({"status": 200.5}), "status"),
        (json!({"delayMs": 60_001}), "delayMs"),
        (json!({"delayMs": -5}), "delayMs"),
        (json!({ "body": long }), "body"),
        (json!({"body": {}}), "body"),
        (json!({"status": 204, "body": "x"}), "body"),
        (json!({ "headers": many }), "headers"),
        (json!({"headers": ["X-A"]}), "headers"),
        (json!({"headers": {"X-A": 1}}), "headers.X-A"),
        (
            json!({"headers": {"X-A": "b\r\nSet-Cookie: c"}}),
            "headers.X-A",
        ),
        (json!({"headers": {"X A": "b"}}), "headers.X A"),
        (
            json!({"headers": {"Set-Cookie": "b"}}),
            "headers.Set-Cookie",
        ),
        (
            json!({"headers": {"connection": "close"}}),
            "headers.connection",
        ),
        (
            json!({"headers": {"Content-Type": "text/javascript"}}),
            "headers.Content-Type",
        ),
        (json!({"sequence": {}}), "sequence"),
        (json!({"sequence": vec![json!({}); 21]}), "sequence"),
        (
            json!({"sequence": [{}, {"status": 99}]}),
            "sequence[1].status",
        ),
        (
            json!({"sequence": [{"delayMs": "1"}]}),
            "sequence[0].delayMs",
        ),
        (
            json!({"sequence": [{"headers": {"TE": "b"}}]}),
            "sequence[0].headers.TE",
        ),
        (json!({"sequence": ["x"]}), "sequence[0]"),
        (json!({"sequence": [{"foo": 1}]}), "sequence[0].foo"),
        (json!({"foo": 1}), "foo"),
        (json!({"repeat": "forever"}), "repeat"),
        (json!({"repeat": 1}), "repeat"),
        (json!({"handshake": "yes"}), "handshake"),
    ]
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_refused_with_its_place() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, _) = bin(&alice, &json!({})).await;
    for (answer, place) in impossible_answers() {
        let expect = format!("400 CMN-101 [answer.{place}]");
        let body = json!({ "answer": answer });
        let shown = body.to_string();
        assert_eq!(alice.post(BINS, &body).await.brief(), expect, "{shown:.80}");
        assert_eq!(
            alice.patch(&path, &body).await.brief(),
            expect,
            "{shown:.80}"
        );
    }
    for name in [json!(7), json!("x".repeat(129)), json!("a\nb")] {
        let body = json!({ "name": name });
        assert_eq!(alice.post(BINS, &body).await.brief(), "400 CMN-101 [name]");
        assert_eq!(
            alice.patch(&path, &body).await.brief(),
            "400 CMN-101 [name]"
        );
    }
    let nobody = alice.post(BINS, &json!({"colour": 1})).await;
    assert_eq!(nobody.brief(), "400 CMN-101 [colour]");
    let sent_back = alice.patch(&path, &alice.get(&path).await.json()).await;
    assert_eq!(sent_back.status, 200, "{}", sent_back.body);
    let rule = alice.post(BINS, &json!({"answer": {"status": 99}})).await;
    assert_eq!(
        rule.json()["message"],
        "Parameter [answer.status] value is invalid: must be a status from 200 to 599"
    );
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=251", "limit"),
        ("limit=x", "limit"),
        ("pageToken=x", "pageToken"),
    ] {
        for list in [BINS.to_owned(), format!("{path}/requests")] {
            let answer = alice.get(&format!("{list}?{query}")).await;
            assert_eq!(answer.brief(), format!("400 CMN-101 [{name}]"));
        }
    }
    assert_eq!(alice.get(BINS).await.records("id").len(), 1);
}

#[tokio::test]
async fn a_bin_answers_as_it_is_told_and_harmlessly() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let page = "<script>alert(1)</script>";
    let told = json!({
        "status": 503,
        "headers": {"Content-Type": "text/html", "Retry-After": "7", "X-Own": "a b"},
        "body": page,
    });
    let (path, url) = answering(&alice, told).await;
    let answer = call(&world, &url).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (503, page));
    for (name, expect) in [
        ("content-type", "text/html"),
        ("retry-after", "7"),
        ("x-own", "a b"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), expect, "{name}");
    }
    // An error without a type of its own is not turned into one of ours either.
    let plain = json!({"answer": {"status": 404, "headers": {}, "body": "nothing here"}});
    alice.patch(&path, &plain).await;
    let answer = call(&world, &url).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (404, "nothing here")
    );
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    alice
        .patch(&path, &json!({"answer": {"status": 500, "body": ""}}))
        .await;
    let answer = call(&world, &url).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (500, ""));
    assert_eq!(answer.header("content-type"), "");
}

#[tokio::test]
async fn a_sequence_is_walked_and_stays_at_its_last_or_begins_anew() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let sequence = json!([{"status": 500}, {"status": 429, "body": "slow"}, {"status": 201}]);
    let (path, url) = answering(&alice, json!({ "sequence": sequence })).await;
    let walk = async |count: usize| {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(call(&world, &url).await.status.as_u16());
        }
        statuses
    };
    assert_eq!(walk(5).await, [500, 429, 201, 201, 201]);
    alice
        .patch(&path, &json!({"answer": {"repeat": "cycle"}}))
        .await;
    assert_eq!(walk(5).await, [500, 429, 201, 500, 429]);
    alice.delete(&format!("{path}/requests")).await;
    assert_eq!(walk(1).await, [500]);
}

#[tokio::test]
async fn callers_at_once_get_each_answer_of_a_sequence_once() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let sequence: Vec<_> = (0..20).map(|n| json!({ "status": 400 + n })).collect();
    let (_, url) = answering(&alice, json!({ "sequence": sequence })).await;
    let calls = (0..20).map(|_| call(&world, &url));
    let answers = futures_util::future::join_all(calls).await;
    let mut statuses: Vec<_> = answers.iter().map(|one| one.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, (400..420).collect::<Vec<u16>>());
}

#[tokio::test]
async fn a_delayed_answer_comes_when_its_time_has_come() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, url) = answering(&alice, json!({"status": 202, "delayMs": 60_000})).await;
    let nobody = world.nobody();
    let mut waiting = std::pin::pin!(nobody.get(&url));
    let early = tokio::time::timeout(Duration::from_millis(100), &mut waiting).await;
    assert!(early.is_err(), "a minute has not passed");
    // It is durable, though, before it is answered.
    assert_eq!(requests(&alice, &path).await.len(), 1);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(waiting.await.status, 202);
}

#[tokio::test]
async fn handshakes_are_agreed_to_whatever_the_answer_is() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let sequence = json!([{"status": 503}, {"status": 204}]);
    let answer = json!({"status": 500, "delayMs": 9, "sequence": sequence});
    let (path, url) = answering(&alice, answer).await;
    let nobody = world.nobody();
    let proof = [("validation-token", "prove-it")];
    let answer = nobody.send(Method::POST, &url, &proof, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("validation-token"), "prove-it");
    let origin = [("webhook-request-origin", "events.example.com")];
    let answer = nobody.send(Method::OPTIONS, &url, &origin, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("webhook-allowed-origin"),
        "events.example.com"
    );
    assert_eq!(answer.header("webhook-allowed-rate"), "*");
    assert_eq!(answer.header("allow"), "POST");
    // The origin means nothing to another method, and handshakes take no turn.
    let answer = nobody.send(Method::POST, &url, &origin, "").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("webhook-allowed-origin"), "");
    assert_eq!(requests(&alice, &path).await.len(), 3);

    let off = json!({"answer": {"handshake": false, "sequence": [], "delayMs": 0}});
    alice.patch(&path, &off).await;
    let answer = nobody.send(Method::POST, &url, &proof, "").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.header("validation-token"), "");
    let answer = nobody.send(Method::OPTIONS, &url, &origin, "").await;
    assert_eq!(answer.status, 500);
}
