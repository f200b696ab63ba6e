//! Settings that cannot be, and what their senders are told.

use hookyard_testkit::Receiver;
use serde_json::{Value, json};

use super::{ENDPOINTS, endpoint};
use crate::world::{ALICE, World};

/// A setting that cannot be, where it is, and what its sender is told.
type Misfit = (Value, &'static str, &'static str);

/// Longer than any text may be.
fn long() -> String {
    "a".repeat(5_000)
}

/// Settings that cannot be, and where.
fn impossible() -> Vec<(Value, &'static str)> {
    vec![
        (json!({ "url": "ftp://example.com" }), "url"),
        (json!({ "url": "http://no-such-host.invalid/" }), "url"),
        (json!({ "url": "http://169.254.169.254/latest" }), "url"),
        (json!({ "eventTypes": [] }), "eventTypes"),
        (
            json!({ "eventTypes": ["invoice.*", "in voice"] }),
            "eventTypes[1]",
        ),
        (json!({ "eventTypes": "invoice" }), "eventTypes"),
        (json!({ "headers": { "Host": "x" } }), "headers.Host"),
        (
            json!({ "headers": { "webhook-id": "x" } }),
            "headers.webhook-id",
        ),
        (
            json!({ "headers": { "X-A": "1\r\nX-B: 2" } }),
            "headers.X-A",
        ),
        (json!({ "headers": { "X A": "1" } }), "headers.X A"),
        (
            json!({ "Headers": { "Content-Type": "text/xml" } }),
            "headers.Content-Type",
        ),
        (
            json!({ "Headers": { "Authorization": "Digest x" } }),
            "headers.Authorization",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": "" } }),
            "authorization.token",
        ),
        (
            json!({ "authorization": { "type": "oauth2", "tokenUrl": "x", "clientId": "a",
                "clientSecret": "b" } }),
            "authorization.tokenUrl",
        ),
        (json!({ "secret": "short" }), "secret"),
        (json!({ "timeoutMs": 1 }), "timeoutMs"),
        (json!({ "concurrency": 0 }), "concurrency"),
        (
            json!({ "retryPolicy": { "attemptsMax": 0 } }),
            "retryPolicy.attemptsMax",
        ),
        (
            json!({ "retryPolicy": { "schedule": { "kind": "list", "delaysMs": [1_000, 1] } } }),
            "retryPolicy.schedule.delaysMs[1]",
        ),
        (json!({ "failureThreshold": 1_000 }), "failureThreshold"),
        (
            json!({ "batchingIntervalMinutes": 1_441 }),
            "batchingIntervalMinutes",
        ),
        (
            json!({ "rateLimit": { "count": 0, "perMs": 1_000 } }),
            "rateLimit.count",
        ),
        (
            json!({ "contentFilter": { "data": { "amount": { "$bigger": 1 } } } }),
            "contentFilter/data/amount/$bigger",
        ),
        (
            json!({ "contentFilter": { "data": { "name": { "$regex": "(" } } } }),
            "contentFilter/data/name/$regex",
        ),
    ]
}

/// Objects with a member that cannot be in them.
fn misfits_inside() -> Vec<Misfit> {
    let long = long();
    vec![
        (json!({ "colour": 1 }), "colour", "`eventTypes`"),
        (
            json!({ "rateLimit": { "count": 1, "perMs": 1_000, "z": 1 } }),
            "rateLimit.z",
            "`count` and `perMs`",
        ),
        (
            json!({ "rateLimit": { "count": -1, "perMs": 1_000 } }),
            "rateLimit.count",
            "from 1 to 100000",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": "t", "extra": 1 } }),
            "authorization.extra",
            "`token`",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": "t", "username": "u" } }),
            "authorization.username",
            "`type` and `token`",
        ),
        (
            json!({ "authorization": { "type": "basic", "username": "u" } }),
            "authorization.password",
            "is missing",
        ),
        (
            json!({ "authorization": { "type": "digest" } }),
            "authorization.type",
            "`none`, `basic`, `bearer` or `oauth2`",
        ),
        (
            json!({ "authorization": "Bearer t" }),
            "authorization",
            "must be an object",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": 7 } }),
            "authorization.token",
            "must be a text",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": long } }),
            "authorization.token",
            "at most 4096 characters",
        ),
        (
            json!({ "headers": { "X-A": long } }),
            "headers.X-A",
            "at most 4096 characters",
        ),
        (
            json!({ "headers": { "X-A": 1 } }),
            "headers.X-A",
            "must be a text, not 1",
        ),
        (
            json!({ "headers": { "X-A": "1", "x-a": "2" } }),
            "headers.x-a",
            "is there twice",
        ),
        (
            json!({ "verificationToken": long }),
            "verificationToken",
            "characters",
        ),
    ]
}

/// Retry policies with a member that cannot be in them.
fn misfit_policies() -> Vec<Misfit> {
    vec![
        (
            json!({ "retryPolicy": { "foo": 1 } }),
            "retryPolicy.foo",
            "`attemptsMax`",
        ),
        (
            json!({ "retryPolicy": { "schedule": { "kind": "list", "delaysMs": [500], "x": 1 } } }),
            "retryPolicy.schedule.x",
            "`delaysMs`",
        ),
        (
            json!({ "retryPolicy": { "schedule": { "kind": "linear" } } }),
            "retryPolicy.schedule.kind",
            "`list` or `exponential`",
        ),
        (
            json!({ "retryPolicy": { "schedule": { "kind": "list", "delaysMs": [-1] } } }),
            "retryPolicy.schedule.delaysMs[0]",
            "from 100 to",
        ),
    ]
}

/// Values that a setting cannot have.
fn misfits() -> Vec<Misfit> {
    vec![
        (
            json!({ "handshake": "wave" }),
            "handshake",
            "`none`, `echo` or `options`",
        ),
        (
            json!({ "signing": "rsa" }),
            "signing",
            "`standard` or `none`",
        ),
        (
            json!({ "payloadFormat": "xml" }),
            "payloadFormat",
            "`standard`, `cloudevents`, `cloudevents-binary` or `ringcentral`",
        ),
        (json!({ "timeoutMs": -5 }), "timeoutMs", "from 500 to 60000"),
        (
            json!({ "timeoutMs": 1.5 }),
            "timeoutMs",
            "must be a whole number, not 1.5",
        ),
        (
            json!({ "concurrency": 5_000_000_000_u64 }),
            "concurrency",
            "from 1 to 256",
        ),
        (json!({ "ordered": "yes" }), "ordered", "true or false"),
        (json!({ "batchMax": 0 }), "batchMax", "from 1 to 500"),
    ]
}

fn misfit_urls() -> Vec<Misfit> {
    let url = |text: &str| json!({ "url": text });
    let long = long();
    vec![
        (url("https://u:p@example.com/"), "url", "no password"),
        (url("https://example.com:0/"), "url", "port from 1 to 65535"),
        (
            url("https://example.com:70000/"),
            "url",
            "port from 1 to 65535",
        ),
        (url("https://[fe80::1%25eth0]/"), "url", "without a zone"),
        (url(&format!("https://a.b/{long}")), "url", "at most 2048"),
    ]
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_field() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    for (settings, expect) in impossible() {
        let refused = endpoint(&alice, &receiver, settings.clone()).await;
        assert_eq!(
            refused.brief(),
            format!("400 CMN-101 [{expect}]"),
            "{settings}: {}",
            refused.body
        );
        let message = refused.json()["message"]
            .as_str()
            .expect("a message")
            .to_owned();
        assert!(
            message.contains(": ") || expect == "eventTypes",
            "{message}"
        );
    }
    let listed = alice.get(ENDPOINTS).await;
    assert!(listed.records("id").is_empty(), "nothing half-done");
}

#[tokio::test]
async fn a_refusal_says_what_would_be_right() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let path = format!(
        "{ENDPOINTS}/{}",
        endpoint(&alice, &receiver, json!({})).await.id()
    );
    let cases = [
        misfits_inside(),
        misfit_policies(),
        misfits(),
        misfit_urls(),
    ];
    for (settings, parameter, says) in cases.concat() {
        let made = endpoint(&alice, &receiver, settings.clone()).await;
        let patched = alice.patch(&path, &settings).await;
        for refused in [made, patched] {
            let told = format!("{settings:.120}: {:.600}", refused.body);
            let expect = format!("400 CMN-101 [{parameter}]");
            assert_eq!(refused.brief(), expect, "{told}");
            let message = refused.json()["message"].to_string();
            assert!(message.contains(says), "{told}");
        }
    }
    for (action, parameter) in [("secret/rotate", "overlap"), ("resend", "state")] {
        let body = json!({ parameter: 1 });
        let refused = alice.post(&format!("{path}/{action}"), &body).await;
        assert_eq!(refused.brief(), format!("400 CMN-101 [{parameter}]"));
        assert!(refused.body.contains("what is known"), "{}", refused.body);
    }
}
