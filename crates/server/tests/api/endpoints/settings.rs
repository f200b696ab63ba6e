//! Settings as they are made, read, listed and changed.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookyard_domain::Scope;
use hookyard_testkit::Receiver;
use http::Method;
use serde_json::{Value, json};

use super::{ENDPOINTS, endpoint, publish};
use crate::client::Answer;
use crate::world::{ALICE, BOB, MALLORY, World};

#[tokio::test]
async fn the_names_of_the_webhook_builder_are_understood() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let basic = STANDARD.encode("user:pass:word");
    let body = json!({
        "callbackUrl": receiver.address(),
        "eventTypes": ["*"],
        "Headers": {
            "Authorization": format!("Basic {basic}"),
            "Content-Type": "application/json",
            "X-Tenant": "acme",
        },
        "failureThreshold": 3,
        "batchingIntervalInMinutes": 2,
    });
    let made = alice.post(ENDPOINTS, &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let told = made.json();
    assert_eq!(
        told["authorization"],
        json!({ "type": "basic", "username": "user", "password": "••••" })
    );
    assert_eq!(told["headers"], json!({ "X-Tenant": "••••" }));
    assert_eq!(
        (&told["failureThreshold"], &told["batchingIntervalMinutes"]),
        (&json!(3), &json!(2))
    );
    let patched = alice
        .patch(
            &format!("{ENDPOINTS}/{}", made.id()),
            &json!({ "batchingIntervalMinutes": 0, "headers": { "X-Tenant": "••••", "X-More": "1" } }),
        )
        .await;
    assert_eq!(patched.status, 200, "{}", patched.body);
    publish(&world, "invoice.paid", "1").await;
    let all = receiver.received(1).await;
    let sent = all.last().expect("an event");
    assert_eq!(
        sent.header("authorization"),
        Some(format!("Basic {basic}").as_str())
    );
    assert_eq!(
        (sent.header("x-tenant"), sent.header("x-more")),
        (Some("acme"), Some("1"))
    );
}

#[tokio::test]
async fn secrets_are_told_to_who_asks_for_them_and_the_history_says_so() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let settings = json!({
        "headers": { "X-Tenant": "acme" },
        "authorization": { "type": "bearer", "token": "t0ken" },
        "verificationToken": "v3rify",
    });
    let id = endpoint(&alice, &receiver, settings).await.id();
    let path = format!("{ENDPOINTS}/{id}");
    let masked = alice.get(&path).await;
    for secret in ["acme", "t0ken", "v3rify"] {
        assert!(!masked.body.contains(secret), "{}", masked.body);
    }
    let shown = alice.get(&format!("{path}?reveal=true")).await.json();
    assert_eq!(shown["headers"], json!({ "X-Tenant": "acme" }));
    assert_eq!(
        shown["authorization"],
        json!({ "type": "bearer", "token": "t0ken" })
    );
    assert_eq!(shown["verificationToken"], "v3rify");
    let history = format!("/api/v1/subscriptions/{id}/history");
    let history = alice.get(&history).await;
    assert_eq!(history.body.matches("were shown").count(), 1);
    let unclear = alice.get(&format!("{path}?reveal=yes")).await;
    assert_eq!(unclear.status, 400);
    assert_eq!(unclear.json()["errorCode"], "CMN-101");
}

#[tokio::test]
async fn the_list_comes_in_pages_newest_first() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let mut made = Vec::new();
    for description in ["one", "two", "other", "three"] {
        let named = json!({ "description": format!("Ledger {description}") });
        made.push(endpoint(&alice, &receiver, named).await.id());
        world.clock.advance(Duration::from_secs(1));
    }
    made.reverse();
    let ids = |page: &Value| -> Vec<String> {
        let records = page["records"].as_array().expect("records");
        let id = |record: &Value| record["id"].as_str().expect("an id").to_owned();
        records.iter().map(id).collect()
    };
    let first = alice.get(&format!("{ENDPOINTS}?limit=3")).await.json();
    assert_eq!(ids(&first), made[..3]);
    let token = first["nextPageToken"].as_str().expect("there is more");
    // What is deleted meanwhile leaves no gap.
    alice.delete(&format!("{ENDPOINTS}/{}", made[2])).await;
    let second = format!("{ENDPOINTS}?limit=3&pageToken={token}");
    let second = alice.get(&second).await.json();
    assert_eq!(ids(&second), made[3..]);
    assert_eq!(second.get("nextPageToken"), None);
    let narrowed = alice
        .get(&format!("{ENDPOINTS}?limit=1&q=ledger%20t"))
        .await;
    assert_eq!(ids(&narrowed.json()), made[..1]);
    for wrong in ["limit=0", "limit=251", "pageToken=x"] {
        let answer = alice.get(&format!("{ENDPOINTS}?{wrong}")).await;
        let parameter = wrong.split('=').next();
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.json()["errors"][0]["parameterName"].as_str(),
            parameter
        );
    }
}

#[tokio::test]
async fn only_administrators_manage_endpoints_and_only_their_own() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = endpoint(&alice, &receiver, json!({})).await.id();
    let bob = world.signed_in(BOB).await;
    assert_eq!(
        endpoint(&bob, &receiver, json!({})).await.brief(),
        "403 CMN-408"
    );
    assert_eq!(bob.get(ENDPOINTS).await.brief(), "403 CMN-408");
    let scopes = [Scope::TeamMessaging].into_iter().collect();
    let narrow = world.signed_in_with(ALICE, scopes, "app").await;
    assert_eq!(narrow.get(ENDPOINTS).await.status, 403);
    let mallory = world.signed_in(MALLORY).await;
    let foreign = mallory.get(&format!("{ENDPOINTS}/{id}")).await;
    assert!(
        [403, 404].contains(&foreign.status.as_u16()),
        "{}",
        foreign.body
    );
    let paths = alice.get(&format!("/restapi/v1.0/subscription/{id}")).await;
    assert_eq!(paths.status, 404, "it is not a subscription of an app");
}

#[tokio::test]
async fn what_was_read_can_be_put_back_and_changes_nothing() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let settings = json!({
        "description": "Billing",
        "headers": { "X-Tenant": "acme" },
        "authorization": { "type": "basic", "username": "yard", "password": "hunter2" },
        "verificationToken": "v3rify",
        "contentFilter": { "data": { "amount": { "$gte": 1 } } },
        "retryPolicy": { "schedule": { "kind": "exponential", "firstMs": 500, "longestMs": 9_000 } },
        "rateLimit": { "count": 5, "perMs": 1_000 },
        "batchMax": 7,
    });
    let path = format!(
        "{ENDPOINTS}/{}",
        endpoint(&alice, &receiver, settings).await.id()
    );
    let shown = format!("{path}?reveal=true");
    let mut before = alice.get(&shown).await.json();
    assert_eq!(before["batchMax"], 7, "kept while nothing is batched");
    let listed = alice.get(ENDPOINTS).await.json()["records"][0].clone();
    assert_ne!(listed["stats"], Value::Null);
    for body in [alice.get(&path).await.json(), listed] {
        let put = alice.put(&path, &body).await;
        assert_eq!(put.status, 200, "{}", put.body);
        let patched = alice.patch(&path, &body).await;
        assert_eq!(patched.status, 200, "{}", patched.body);
    }
    let mut after = alice.get(&shown).await.json();
    for told in [&mut before, &mut after] {
        for changes in ["version", "lastModifiedTime"] {
            told[changes] = Value::Null;
        }
    }
    assert_eq!(after, before);
    // Under a mask of something else there is nothing to keep.
    for (change, expect) in [
        (
            json!({ "headers": { "X-Other": "••••" } }),
            "headers.X-Other",
        ),
        (
            json!({ "authorization": { "type": "bearer", "token": "••••" } }),
            "authorization.token",
        ),
        (json!({ "secret": "whsec_x" }), "secret"),
    ] {
        let mut body = json!({ "url": receiver.address(), "eventTypes": ["*"] });
        let members = body.as_object_mut().expect("an object");
        members.extend(change.as_object().expect("members").clone());
        for refused in [
            alice.put(&path, &body).await,
            alice.patch(&path, &body).await,
        ] {
            assert_eq!(
                refused.brief(),
                format!("400 CMN-101 [{expect}]"),
                "{}",
                refused.body
            );
        }
    }
    let made = endpoint(&alice, &receiver, json!({ "verificationToken": "••••" })).await;
    assert_eq!(made.brief(), "400 CMN-101 [verificationToken]");
    // The case of a header's name makes no difference.
    let other_case = json!({ "headers": { "x-tenant": "new" } });
    alice.patch(&path, &other_case).await;
    let told = alice.get(&shown).await.json();
    assert_eq!(told["headers"], json!({ "X-Tenant": "new" }));
}

#[tokio::test]
async fn a_change_can_be_meant_for_one_version_only() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let made = endpoint(&alice, &receiver, json!({})).await;
    let path = format!("{ENDPOINTS}/{}", made.id());
    let tag = |answer: &Answer| answer.header("etag").to_owned();
    let first = tag(&made);
    assert_eq!(first, "\"1\"");
    assert_eq!(tag(&alice.get(&path).await), first);
    let change = |method: Method, tag: String, description: &str| {
        let body = json!({ "url": receiver.address(), "eventTypes": ["*"],
            "description": description });
        let (alice, path) = (alice.clone(), path.clone());
        async move {
            let headers = [
                ("content-type", "application/json"),
                ("if-match", tag.as_str()),
            ];
            alice.send(method, &path, &headers, body.to_string()).await
        }
    };
    let changed = change(Method::PATCH, first.clone(), "one").await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_ne!(tag(&changed), first);
    for method in [Method::PUT, Method::PATCH] {
        let late = change(method, first.clone(), "two").await;
        assert_eq!(late.brief(), "412 CMN-119", "{}", late.body);
    }
    assert_eq!(alice.get(&path).await.json()["description"], "one");
    let wrong = change(Method::PUT, "x".to_owned(), "two").await;
    assert_eq!(wrong.brief(), "400 CMN-101 [If-Match]");
    let replaced = change(Method::PUT, tag(&changed), "two").await;
    assert_eq!(replaced.json()["description"], "two");
}
