//! Apps that administrators make: settings, secrets, tokens, and what goes with them.

mod subscribers;

use std::time::Duration;

use hookyard_domain::kernel::limits::{APPS_MAX, REDIRECT_URIS_MAX};
use hookyard_domain::{Scope, Scopes};
use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{ALICE, BOB, JWT, MALLORY, OTHER_ACCOUNT, World};

const APPS: &str = "/api/v1/apps";
const TOKEN: &str = "/restapi/oauth/token";

fn server_app() -> Value {
    json!({ "name": "Billing", "kind": "Server", "permissions": ["TeamMessaging", "SubscriptionWebhook"] })
}

/// The text in `member`.
fn text(answer: &Answer, member: &str) -> String {
    assert!(answer.status.is_success(), "{answer:?}");
    answer.json()[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member} in {answer:?}"))
        .to_owned()
}

async fn created(client: &Client, body: &Value) -> Answer {
    let answer = client.post(APPS, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

fn path_of(created: &Answer) -> String {
    format!("{APPS}/{}", text(created, "clientId"))
}

/// Exchanges a JWT through an app.
async fn exchange(world: &World, client_id: &str, secret: &str, jwt: &str) -> Answer {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", jwt),
        ("client_id", client_id),
        ("client_secret", secret),
    ];
    world.nobody().form(TOKEN, &fields).await
}

/// A JWT of `client`'s own for an app.
async fn jwt_for(client: &Client, client_id: &str) -> String {
    let body = json!({ "kind": "Jwt", "name": "ci", "clientId": client_id });
    text(&client.post("/api/v1/credentials", &body).await, "token")
}

#[tokio::test]
async fn an_app_that_was_made_lets_in_with_what_it_was_given() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &server_app()).await;
    assert_eq!(made.header("etag"), "\"1\"");
    let (id, secret) = (text(&made, "clientId"), text(&made, "clientSecret"));
    assert!(secret.starts_with("hys_"), "{secret}");
    let read = alice.get(&path_of(&made)).await;
    assert!(!read.body.contains(&secret), "it is shown once");
    assert!(read.json().get("clientSecret").is_none());
    let mut shown = read.json();
    shown["clientId"] = "…".into();
    shown["secrets"][0]["id"] = "…".into();
    shown["secrets"][0]["hint"] = "…".into();
    insta::assert_snapshot!("app", serde_json::to_string_pretty(&shown).expect("JSON"));

    let jwt = jwt_for(&alice, &id).await;
    let granted = exchange(&world, &id, &secret, &jwt).await;
    let scope = text(&granted, "scope");
    assert_eq!(scope, "TeamMessaging SubscriptionWebhook");
    let refused = exchange(&world, &id, "wrong", &jwt).await;
    assert_eq!(refused.status, 401);
    let used = alice.get(&path_of(&made)).await.json();
    assert_eq!(
        used["secrets"][0]["lastUsedTime"],
        "2027-01-15T08:00:00.000Z"
    );
    assert_eq!(used["usage"]["sessions"], 1);
    assert_eq!(used["usage"]["credentials"], 1);
    let list = alice.get(APPS).await;
    let ids = list.records("clientId");
    assert!(ids.contains(&id) && ids.contains(&"hookyard-personal".to_owned()));
}

#[tokio::test]
async fn a_browser_app_has_no_secret_and_needs_none() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let body = json!({
        "name": "Page", "kind": "Browser", "permissions": ["TeamMessaging"],
        "redirectUris": ["https://example.com/in", "http://127.0.0.1:8123/in", "com.example.page:/in"],
    });
    let made = created(&alice, &body).await;
    assert!(made.json().get("clientSecret").is_none());
    assert_eq!(made.json()["secrets"], json!([]));
    let id = text(&made, "clientId");
    let jwt = jwt_for(&alice, &id).await;
    assert_eq!(exchange(&world, &id, "", &jwt).await.status, 200);
    let one_more = alice.act(&format!("{}/secrets", path_of(&made))).await;
    assert_eq!(one_more.brief(), "400 CMN-101 [clientId]");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let cases = [
        (json!({}), "name"),
        (
            json!({"name": " ", "kind": "Server", "permissions": []}),
            "name",
        ),
        (
            json!({"name": "x".repeat(101), "kind": "Server", "permissions": []}),
            "name",
        ),
        (
            json!({"name": "A", "kind": "Robot", "permissions": []}),
            "kind",
        ),
        (
            json!({"name": "A", "kind": "Bot", "permissions": ["Glip"]}),
            "permissions[0]",
        ),
        (
            json!({"name": "A", "kind": "Bot", "permissions": "TeamMessaging"}),
            "permissions",
        ),
        (
            json!({"name": "A", "kind": "Bot", "permissions": [], "secret": "x"}),
            "secret",
        ),
    ];
    for (body, parameter) in cases {
        let answer = alice.post(APPS, &body).await;
        assert_eq!(
            answer.brief(),
            format!("400 CMN-101 [{parameter}]"),
            "{body}"
        );
    }
    for uri in [
        "http://example.com/in",
        "javascript:alert(1)",
        "data:text/html,x",
        "/in",
        "https://example.com/#x",
        "https://exa mple.com/",
        "myapp:/in",
    ] {
        let mut body = server_app();
        body["redirectUris"] = json!([uri]);
        let answer = alice.post(APPS, &body).await;
        assert_eq!(answer.brief(), "400 CMN-101 [redirectUris[0]]", "{uri}");
    }
    let mut body = server_app();
    body["redirectUris"] = vec!["https://example.com/"; REDIRECT_URIS_MAX + 1].into();
    assert_eq!(
        alice.post(APPS, &body).await.brief(),
        "400 CMN-101 [redirectUris]"
    );
    let mut body = server_app();
    body["outboundUrl"] = "ftp://example.com".into();
    assert_eq!(
        alice.post(APPS, &body).await.brief(),
        "400 CMN-101 [outboundUrl]"
    );
}

#[tokio::test]
async fn public_keys_are_kept_and_private_ones_are_refused() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let public = json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": x});
    let mut body = server_app();
    body["publicKeys"] = json!({ "keys": [public] });
    let made = created(&alice, &body).await;
    assert_eq!(made.json()["publicKeys"]["keys"][0], public);
    let private = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "d": "AQ"});
    let patch = json!({ "publicKeys": { "keys": [public, private] } });
    let answer = alice.patch(&path_of(&made), &patch).await;
    assert_eq!(answer.brief(), "400 CMN-101 [publicKeys.keys[1]]");
    let none = alice
        .patch(&path_of(&made), &json!({ "publicKeys": { "keys": [] } }))
        .await;
    assert_eq!(none.json()["publicKeys"], json!({ "keys": [] }));
}

#[tokio::test]
async fn two_secrets_are_good_while_one_takes_the_others_place() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &server_app()).await;
    let (path, id) = (path_of(&made), text(&made, "clientId"));
    let secrets = format!("{path}/secrets");
    let first = text(&made, "clientSecret");
    let first_id = made.json()["secrets"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let only = alice.delete(&format!("{secrets}/{first_id}")).await;
    assert_eq!(only.brief(), "409 CMN-117 [secretId]");
    let second = alice.act(&secrets).await;
    assert_eq!(second.status, 201);
    let third = alice.act(&secrets).await;
    assert_eq!(third.brief(), "403 CMN-107");
    assert!(third.body.contains("lastUsedTime"), "{third:?}");
    let jwt = jwt_for(&alice, &id).await;
    for secret in [&first, &text(&second, "clientSecret")] {
        assert_eq!(exchange(&world, &id, secret, &jwt).await.status, 200);
    }
    assert_eq!(
        alice.delete(&format!("{secrets}/{first_id}")).await.status,
        204
    );
    assert_eq!(exchange(&world, &id, &first, &jwt).await.status, 401);
    let left = alice.get(&path).await.json();
    assert_eq!(left["secrets"][0]["id"], second.json()["id"]);
    assert_eq!(left["secrets"][0]["hint"], second.json()["hint"]);
    let unknown = alice.delete(&format!("{secrets}/nothing")).await;
    assert_eq!(unknown.brief(), "404 CMN-102 [secretId]");
}

#[tokio::test]
async fn a_change_merges_and_is_meant_for_one_version() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &server_app()).await;
    let path = path_of(&made);
    let renamed = alice.patch(&path, &json!({ "name": "Invoices" })).await;
    assert_eq!(renamed.json()["name"], "Invoices");
    assert_eq!(renamed.json()["permissions"], made.json()["permissions"]);
    assert_eq!(renamed.header("etag"), "\"2\"");
    let headers = [("content-type", "application/json"), ("if-match", "\"1\"")];
    let stale = alice
        .send(Method::PATCH, &path, &headers, r#"{"name":"Late"}"#)
        .await;
    assert_eq!(stale.brief(), "412 CMN-119");
    let same = alice.patch(&path, &json!({})).await;
    assert_eq!(same.header("etag"), "\"2\"", "nothing changed");
    let kind = alice.patch(&path, &json!({ "kind": "Browser" })).await;
    assert_eq!(kind.brief(), "400 CMN-101 [kind]");
}

#[tokio::test]
async fn what_an_app_may_no_longer_do_its_sessions_may_not_either() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &server_app()).await;
    let id = text(&made, "clientId");
    let jwt = jwt_for(&alice, &id).await;
    let granted = exchange(&world, &id, &text(&made, "clientSecret"), &jwt).await;
    let program = world.bearer(&text(&granted, "access_token"));
    let chats = "/team-messaging/v1/chats";
    assert_eq!(program.get(chats).await.status, 200);
    let narrowed = json!({ "permissions": ["SubscriptionWebhook"] });
    assert_eq!(alice.patch(&path_of(&made), &narrowed).await.status, 200);
    assert_eq!(program.get(chats).await.brief(), "403 CMN-401");
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let world = World::start().await;
    let scopes: Scopes = [Scope::EditExtensions].into_iter().collect();
    let narrow = world.signed_in_with(ALICE, scopes, "app").await;
    let answer = narrow.post(APPS, &server_app()).await;
    assert_eq!(answer.brief(), "403 CMN-401");
    let own = json!({ "name": "Own", "kind": "Server", "permissions": ["EditExtensions"] });
    let own = created(&narrow, &own).await;
    let wider = narrow
        .patch(&path_of(&own), &json!({ "permissions": ["TeamMessaging"] }))
        .await;
    assert_eq!(wider.brief(), "403 CMN-401");
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &server_app()).await;
    let secret = narrow.act(&format!("{}/secrets", path_of(&made))).await;
    assert_eq!(
        secret.brief(),
        "403 CMN-401",
        "a secret lets in with all that the app may"
    );
}

#[tokio::test]
async fn apps_are_for_administrators_of_their_account() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &server_app()).await;
    let path = path_of(&made);
    let bob = world.signed_in(BOB).await;
    let mallory = world.signed_in(MALLORY).await;
    let without = world.without_scope(ALICE).await;
    let rows = [
        (Method::GET, "", ""),
        (Method::PATCH, "", "{}"),
        (Method::DELETE, "", ""),
        (Method::POST, "/secrets", ""),
        (Method::DELETE, "/secrets/x", ""),
        (Method::GET, "/outbound-secret", ""),
        (Method::POST, "/outbound-secret/rotate", ""),
        (Method::GET, "/verification-token", ""),
        (Method::POST, "/verification-token", ""),
        (Method::DELETE, "/verification-token", ""),
    ];
    let kind = [("content-type", "application/json")];
    for (method, rest, body) in rows {
        for (client, expect) in [
            (&bob, "403 CMN-408"),
            (&without, "403 CMN-401"),
            (&mallory, "403 CMN-408"),
        ] {
            let answer = client
                .send(method.clone(), &format!("{path}{rest}"), &kind, body)
                .await;
            assert_eq!(answer.brief(), expect, "{method} {rest}");
        }
        let unknown = format!("{APPS}/unknown{rest}");
        let answer = alice.send(method.clone(), &unknown, &kind, body).await;
        assert_eq!(answer.brief(), "404 CMN-102 [clientId]", "{method} {rest}");
    }
    assert_eq!(bob.get(APPS).await.brief(), "403 CMN-408");
    assert_eq!(bob.post(APPS, &server_app()).await.brief(), "403 CMN-408");
}

#[tokio::test]
async fn an_app_of_another_account_is_not_there() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &server_app()).await;
    world.set_admin(OTHER_ACCOUNT, MALLORY, true).await;
    let mallory = world.signed_in(MALLORY).await;
    let own = created(&mallory, &server_app()).await;
    assert_eq!(mallory.get(&path_of(&own)).await.status, 200);
    for path in [path_of(&made), format!("{APPS}/app")] {
        assert_eq!(mallory.get(&path).await.brief(), "404 CMN-102 [clientId]");
        assert_eq!(
            mallory.delete(&path).await.brief(),
            "404 CMN-102 [clientId]"
        );
    }
    let mut ids = mallory.get(APPS).await.records("clientId");
    ids.sort_unstable();
    let own = text(&own, "clientId");
    let mut expect = [own.as_str(), "other-app", "hookyard-personal"];
    expect.sort_unstable();
    assert_eq!(ids, expect);
    assert_eq!(alice.get(&path_of(&made)).await.status, 200);
}

#[tokio::test]
async fn what_is_built_in_stays() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for id in ["hookyard-console", "hookyard-personal"] {
        let path = format!("{APPS}/{id}");
        assert_eq!(alice.get(&path).await.json()["builtIn"], true, "{id}");
        let patch = alice.patch(&path, &json!({ "name": "Mine" })).await;
        assert_eq!(patch.brief(), "403 CMN-408", "{id}");
        assert_eq!(alice.delete(&path).await.brief(), "403 CMN-408", "{id}");
        let secret = alice.act(&format!("{path}/secrets")).await;
        assert_eq!(secret.brief(), "403 CMN-408", "{id}");
    }
    let answer = exchange(&world, "hookyard-personal", "", JWT).await;
    assert_eq!(answer.status, 401, "nobody signs in through it");
}

#[tokio::test]
async fn an_account_has_only_so_many_apps_and_lists_them_in_pages() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let there = alice.get(APPS).await.records("clientId").len() - 1;
    for _ in there..usize::try_from(APPS_MAX).expect("few") {
        world.clock.advance(Duration::from_millis(1));
        created(&alice, &server_app()).await;
    }
    assert_eq!(alice.post(APPS, &server_app()).await.brief(), "403 CMN-107");
    let mut seen = Vec::new();
    let mut path = format!("{APPS}?limit=40");
    loop {
        let page = alice.get(&path).await;
        seen.extend(page.records("clientId"));
        let Some(next) = page.json()["nextPageToken"].as_str().map(str::to_owned) else {
            break;
        };
        path = format!("{APPS}?limit=40&pageToken={next}");
    }
    let distinct: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!(seen.len(), usize::try_from(APPS_MAX).expect("few") + 1);
    assert_eq!(distinct.len(), seen.len());
    for (query, parameter) in [("limit=0", "limit"), ("pageToken=x", "pageToken")] {
        let answer = alice.get(&format!("{APPS}?{query}")).await;
        assert_eq!(answer.brief(), format!("400 CMN-101 [{parameter}]"));
    }
}

#[tokio::test]
async fn an_outbound_url_brings_a_secret_that_can_be_shown_and_rotated() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &server_app()).await;
    let path = path_of(&made);
    let secret = format!("{path}/outbound-secret");
    let rotate = format!("{secret}/rotate");
    assert_eq!(alice.get(&secret).await.brief(), "404 CMN-102 [clientId]");
    assert_eq!(alice.act(&rotate).await.brief(), "404 CMN-102 [clientId]");
    let patch = json!({ "outboundUrl": "https://example.com/actions" });
    let changed = alice.patch(&path, &patch).await;
    assert_eq!(
        changed.json()["outboundSecretTime"],
        "2027-01-15T08:00:00.000Z"
    );
    let first = text(&alice.get(&secret).await, "secret");
    assert!(!changed.body.contains(&first));
    let second = text(&alice.act(&rotate).await, "secret");
    assert_ne!(first, second);
    assert_eq!(text(&alice.get(&secret).await, "secret"), second);
    let cleared = alice.patch(&path, &json!({ "outboundUrl": null })).await;
    assert_eq!(cleared.json()["outboundUrl"], Value::Null);
}
