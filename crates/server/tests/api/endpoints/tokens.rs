//! Endpoints whose requests carry a token that is fetched first.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookyard_testkit::{Receiver, Reply};
use serde_json::json;

use super::{ENDPOINTS, endpoint, eventually, publish};
use crate::kernel::production::Production;
use crate::world::{ALICE, World};

#[tokio::test]
async fn a_token_is_fetched_once_and_again_when_it_is_not_taken() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (receiver, source) = (Receiver::start().await, Receiver::start().await);
    let grant = |token: &str| {
        let body = json!({ "access_token": token, "token_type": "bearer", "expires_in": 3_600 });
        Reply::from(200).body(body.to_string())
    };
    source.reply(grant("first")).times(1);
    source.reply(grant("second")).times(1);
    let settings = json!({ "authorization": {
        "type": "oauth2", "tokenUrl": source.address(), "clientId": "yard", "clientSecret": "s:1",
        "scope": "events" } });
    endpoint(&alice, &receiver, settings).await;
    publish(&world, "invoice.paid", "1").await;
    receiver.received(1).await;
    publish(&world, "invoice.paid", "2").await;
    let sent = receiver.received(2).await;
    let proofs: Vec<_> = sent
        .iter()
        .map(|sent| sent.header("authorization"))
        .collect();
    assert_eq!(proofs, [Some("Bearer first"), Some("Bearer first")]);
    let asked = source.events();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        &asked[0].body[..],
        b"grant_type=client_credentials&scope=events"
    );
    let proof = format!("Basic {}", STANDARD.encode("yard:s%3A1"));
    assert_eq!(asked[0].header("authorization"), Some(proof.as_str()));
    receiver.reply(401).times(1);
    publish(&world, "invoice.paid", "3").await;
    receiver.received(3).await;
    publish(&world, "invoice.paid", "4").await;
    let sent = receiver.received(4).await;
    assert_eq!(sent[3].header("authorization"), Some("Bearer second"));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (receiver, source) = (Receiver::start().await, Receiver::start().await);
    source.always(Reply::from(403).body(r#"{"error":"invalid_client"}"#));
    let settings = json!({ "authorization": {
        "type": "oauth2", "tokenUrl": source.address(), "clientId": "a", "clientSecret": "b" } });
    let id = endpoint(&alice, &receiver, settings).await.id();
    publish(&world, "invoice.paid", "1").await;
    let list = format!("/api/v1/deliveries?subscriptionId={id}");
    let found = eventually(&alice, &list, |answer| {
        answer["records"][0]["attempts"] == 1
    })
    .await;
    let delivery = found["records"][0]["id"].as_str().expect("an id");
    let told = alice.get(&format!("/api/v1/deliveries/{delivery}")).await;
    let attempt = &told.json()["attemptLog"][0];
    assert_eq!(attempt["outcome"], "no-access-token");
    assert_eq!(
        attempt["detail"],
        "The source of the access token answered 403 Forbidden (invalid_client)"
    );
    assert_eq!(attempt.get("answerExcerpt"), None, "nobody answered");
    assert!(receiver.events().is_empty());
}

#[tokio::test]
async fn the_source_of_tokens_is_vetted_like_the_endpoint_itself() {
    let production = Production::start("token-source").await;
    let alice = &production.alice;
    let (_, url) = production.bin(&json!({})).await;
    let proof = |token_url: &str| json!({ "type": "oauth2", "tokenUrl": token_url, "clientId": "a", "clientSecret": "b" });
    let body =
        |authorization| json!({ "url": url, "eventTypes": ["*"], "authorization": authorization });
    let made = alice
        .post(ENDPOINTS, &body(json!({ "type": "none" })))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let one = format!("{ENDPOINTS}/{}", made.id());
    for (source, code) in [
        ("http://8.8.8.8/", "SUB-523"),
        ("https://127.0.0.1/token", "CMN-101"),
        ("https://169.254.169.254/", "CMN-101"),
        ("https://no-such-host.invalid/", "CMN-101"),
    ] {
        let expect = format!("400 {code} [authorization.tokenUrl]");
        let created = alice.post(ENDPOINTS, &body(proof(source))).await;
        let replaced = alice.put(&one, &body(proof(source))).await;
        let patch = json!({ "authorization": proof(source) });
        let patched = alice.patch(&one, &patch).await;
        for refused in [created, replaced, patched] {
            assert_eq!(refused.brief(), expect, "{source}: {}", refused.body);
        }
    }
    // One that may be called.
    let patch = json!({ "authorization": proof(&url) });
    assert_eq!(alice.patch(&one, &patch).await.status, 200);
    production.stop().await;
}
