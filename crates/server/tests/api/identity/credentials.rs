//! JWT credentials and personal access tokens over real HTTP.

use std::time::Duration;

use hookyard_domain::kernel::limits::CREDENTIALS_MAX;
use hookyard_domain::{Scope, Scopes};
use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{ALICE, APP_SECRET, BOB, CAROL, MALLORY, World};

const CREDENTIALS: &str = "/api/v1/credentials";
const CHATS: &str = "/team-messaging/v1/chats";
const ME: &str = "/api/v1/me";

fn personal(permissions: &[&str]) -> Value {
    json!({ "kind": "PersonalAccessToken", "name": "nightly", "permissions": permissions })
}

fn jwt() -> Value {
    json!({ "kind": "Jwt", "name": "ci", "clientId": "app" })
}

fn text(answer: &Answer, member: &str) -> String {
    assert!(answer.status.is_success(), "{answer:?}");
    answer.json()[member].as_str().expect("a text").to_owned()
}

async fn created(client: &Client, body: &Value) -> Answer {
    let answer = client.post(CREDENTIALS, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

async fn exchange(world: &World, jwt: &str) -> Answer {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", jwt),
        ("client_id", "app"),
        ("client_secret", APP_SECRET),
    ];
    world.nobody().form("/restapi/oauth/token", &fields).await
}

fn path_of(credential: &Answer) -> String {
    format!("{CREDENTIALS}/{}", credential.id())
}

#[tokio::test]
async fn a_personal_access_token_does_what_it_was_given_and_is_shown_once() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &personal(&["TeamMessaging"])).await;
    let token = text(&made, "token");
    assert!(token.starts_with("hyp_") && token.len() == 47, "{token}");
    let program = world.bearer(&token);
    assert_eq!(program.get(CHATS).await.status, 200);
    assert_eq!(program.get(ME).await.json()["person"]["id"], "11");
    let other = program.get("/restapi/v1.0/account/~").await;
    assert_eq!(other.brief(), "403 CMN-401", "it was not given");
    for path in ["/api/v1/apps", CREDENTIALS] {
        assert_eq!(program.get(path).await.brief(), "403 CMN-401", "{path}");
    }
    let read = alice.get(&path_of(&made)).await;
    assert!(!read.body.contains(&token) && read.json().get("token").is_none());
    let hint = text(&read, "hint");
    assert!(token.ends_with(&hint) && hint.len() == 4, "{hint}");
    let mut shown = read.json();
    shown["id"] = "…".into();
    shown["hint"] = "…".into();
    insta::assert_snapshot!(
        "credential",
        serde_json::to_string_pretty(&shown).expect("JSON")
    );
}

#[tokio::test]
async fn the_last_use_is_noted_once_a_minute() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &personal(&["TeamMessaging"])).await;
    assert_eq!(made.json()["lastUsedTime"], Value::Null);
    let program = world.bearer(&text(&made, "token"));
    let used = async || {
        assert_eq!(program.get(CHATS).await.status, 200);
        text(&alice.get(&path_of(&made)).await, "lastUsedTime")
    };
    assert_eq!(used().await, "2027-01-15T08:00:00.000Z");
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(used().await, "2027-01-15T08:00:00.000Z");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(used().await, "2027-01-15T08:01:00.000Z");
}

#[tokio::test]
async fn a_token_ends_at_once_when_it_is_revoked_deleted_or_has_run_out() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let revoked = created(&alice, &personal(&["TeamMessaging"])).await;
    let program = world.bearer(&text(&revoked, "token"));
    assert_eq!(program.get(CHATS).await.status, 200);
    let path = format!("{}/revoke", path_of(&revoked));
    let answer = alice.act(&path).await;
    assert_eq!(text(&answer, "revokedTime"), "2027-01-15T08:00:00.000Z");
    assert_eq!(program.get(CHATS).await.brief(), "401 OAU-213");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(alice.act(&path).await.body, answer.body, "twice is once");
    assert_eq!(
        alice.get(CREDENTIALS).await.records("id").len(),
        2,
        "it stays listed"
    );

    let deleted = created(&alice, &personal(&["TeamMessaging"])).await;
    let program = world.bearer(&text(&deleted, "token"));
    assert_eq!(program.get(CHATS).await.status, 200);
    assert_eq!(alice.delete(&path_of(&deleted)).await.status, 204);
    assert_eq!(program.get(CHATS).await.brief(), "401 OAU-213");
    let gone = alice.get(&path_of(&deleted)).await;
    assert_eq!(gone.brief(), "404 CMN-102 [credentialId]");

    let mut brief = personal(&["TeamMessaging"]);
    brief["expiresIn"] = 60.into();
    let brief = created(&alice, &brief).await;
    assert_eq!(text(&brief, "expirationTime"), "2027-01-15T08:01:01.000Z");
    let program = world.bearer(&text(&brief, "token"));
    assert_eq!(program.get(CHATS).await.status, 200);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(program.get(CHATS).await.brief(), "401 OAU-128");
}

#[tokio::test]
async fn a_token_that_its_client_gives_back_is_revoked() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mut body = personal(&["TeamMessaging"]);
    body["clientId"] = "app".into();
    let made = created(&alice, &body).await;
    let token = text(&made, "token");
    let fields = [
        ("token", token.as_str()),
        ("client_id", "app"),
        ("client_secret", APP_SECRET),
    ];
    let answer = world.nobody().form("/restapi/oauth/revoke", &fields).await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.bearer(&token).get(CHATS).await.brief(), "401 OAU-213");
    let read = alice.get(&path_of(&made)).await;
    assert_eq!(text(&read, "revokedTime"), "2027-01-15T08:00:00.000Z");
}

#[tokio::test]
async fn the_tokens_of_a_disabled_person_rest() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let token = text(&created(&bob, &personal(&["TeamMessaging"])).await, "token");
    let program = world.bearer(&token);
    assert_eq!(program.get(CHATS).await.status, 200);
    let status = async |status: &str| {
        let path = "/restapi/v1.0/account/~/extension/12";
        let answer = alice.put(path, &json!({ "status": status })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    status("Disabled").await;
    assert_eq!(program.get(CHATS).await.brief(), "401 OAU-213");
    status("Enabled").await;
    assert_eq!(program.get(CHATS).await.status, 200);
    let password = json!({ "password": "another long password" });
    let answer = alice
        .put("/restapi/v1.0/account/~/extension/12", &password)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        bob.get(CHATS).await.status,
        401,
        "signed in by the old password"
    );
    assert_eq!(program.get(CHATS).await.status, 200);
}

#[tokio::test]
async fn signing_in_ends_no_personal_token() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mut body = personal(&["TeamMessaging"]);
    body["clientId"] = "app".into();
    let program = world.bearer(&text(&created(&alice, &body).await, "token"));
    let jwt = text(&created(&alice, &jwt()).await, "token");
    for _ in 0..6 {
        assert_eq!(exchange(&world, &jwt).await.status, 200);
    }
    assert_eq!(program.get(CHATS).await.status, 200);
}

#[tokio::test]
async fn a_jwt_opens_sessions_that_end_with_it() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &jwt()).await;
    let token = text(&made, "token");
    assert_eq!(token.split('.').count(), 3, "{token}");
    let granted = exchange(&world, &token).await;
    let program = world.bearer(&text(&granted, "access_token"));
    assert_eq!(program.get(CHATS).await.status, 200);
    let read = alice.get(&path_of(&made)).await;
    assert_eq!(text(&read, "lastUsedTime"), "2027-01-15T08:00:00.000Z");
    assert_eq!(world.bearer(&token).get(CHATS).await.brief(), "401 OAU-213");
    assert_eq!(
        alice
            .act(&format!("{}/revoke", path_of(&made)))
            .await
            .status,
        200
    );
    assert_eq!(program.get(CHATS).await.brief(), "401 OAU-213");
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &text(&granted, "refresh_token")),
        ("client_id", "app"),
        ("client_secret", APP_SECRET),
    ];
    let refreshed = world.nobody().form("/restapi/oauth/token", &refresh).await;
    assert_eq!(refreshed.status, 400);
    assert_eq!(exchange(&world, &token).await.status, 400);

    let mut brief = jwt();
    brief["expirationTime"] = "2027-01-15T08:00:30Z".into();
    let brief = text(&created(&alice, &brief).await, "token");
    assert_eq!(exchange(&world, &brief).await.status, 200);
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(exchange(&world, &brief).await.status, 400);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let with = |member: &str, value: Value| {
        let mut body = personal(&["TeamMessaging"]);
        body[member] = value;
        body
    };
    let cases = [
        (with("kind", "Password".into()), "400 CMN-101 [kind]"),
        (with("name", "".into()), "400 CMN-101 [name]"),
        (with("name", "x".repeat(101).into()), "400 CMN-101 [name]"),
        (
            with("permissions", json!(["Everything"])),
            "400 CMN-101 [permissions[0]]",
        ),
        (
            with("permissions", Value::Null),
            "400 CMN-101 [permissions]",
        ),
        (with("kind", "Jwt".into()), "400 CMN-101 [permissions]"),
        (with("clientId", "nobody".into()), "404 CMN-102 [clientId]"),
        (
            with("clientId", "hookyard-console".into()),
            "400 CMN-101 [clientId]",
        ),
        (
            with("expirationTime", "tomorrow".into()),
            "400 CMN-101 [expirationTime]",
        ),
        (
            with("expirationTime", "2027-01-15T08:00:00Z".into()),
            "400 CMN-101 [expirationTime]",
        ),
        (with("expiresIn", 0.into()), "400 CMN-101 [expiresIn]"),
        (with("expiresIn", json!(-1)), "400 CMN-101 [expiresIn]"),
        (with("personId", "99".into()), "404 CMN-102 [personId]"),
        (with("personId", "21".into()), "404 CMN-102 [personId]"),
        (with("token", "mine".into()), "400 CMN-101 [token]"),
    ];
    for (body, expect) in cases {
        assert_eq!(
            alice.post(CREDENTIALS, &body).await.brief(),
            expect,
            "{body}"
        );
    }
    let mut both = with("expiresIn", 5.into());
    both["expirationTime"] = "2028-01-15T08:00:00Z".into();
    let answer = alice.post(CREDENTIALS, &both).await;
    assert_eq!(answer.brief(), "400 CMN-101 [expiresIn]");
    let made = created(&alice, &jwt()).await;
    let nameless = alice.patch(&path_of(&made), &json!({ "name": " " })).await;
    assert_eq!(nameless.brief(), "400 CMN-101 [name]");
    for query in ["kind=Key", "limit=0", "pageToken=x"] {
        let parameter = query.split('=').next().expect("a name");
        let answer = alice.get(&format!("{CREDENTIALS}?{query}")).await;
        assert_eq!(answer.brief(), format!("400 CMN-101 [{parameter}]"));
    }
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let world = World::start().await;
    let scopes: Scopes = [Scope::EditExtensions, Scope::ReadMessages]
        .into_iter()
        .collect();
    let narrow = world.signed_in_with(ALICE, scopes, "app").await;
    let wider = narrow
        .post(CREDENTIALS, &personal(&["TeamMessaging"]))
        .await;
    assert_eq!(wider.brief(), "403 CMN-401");
    let by_an_app = narrow.post(CREDENTIALS, &jwt()).await;
    assert_eq!(
        by_an_app.brief(),
        "403 CMN-401",
        "the app may do more than the session"
    );
    let made = created(&narrow, &personal(&["EditExtensions"])).await;
    let program = world.bearer(&text(&made, "token"));
    let own = personal(&["EditExtensions"]);
    assert_eq!(program.post(CREDENTIALS, &own).await.status, 201);
    let more = program
        .post(CREDENTIALS, &personal(&["ReadMessages"]))
        .await;
    assert_eq!(more.brief(), "403 CMN-401");
    let alice = world.signed_in(ALICE).await;
    let app = json!({ "name": "Small", "kind": "Server", "permissions": ["ReadMessages"] });
    let app = alice.post("/api/v1/apps", &app).await;
    let mut body = personal(&["TeamMessaging"]);
    body["clientId"] = app.json()["clientId"].clone();
    let beyond = alice.post(CREDENTIALS, &body).await;
    assert_eq!(
        beyond.brief(),
        "400 CMN-101 [permissions]",
        "the app may not"
    );
}

#[tokio::test]
async fn each_person_has_their_own_and_administrators_those_of_bots() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let of_bob = created(&bob, &personal(&["TeamMessaging"])).await;
    let path = path_of(&of_bob);
    let kind = [("content-type", "application/json")];
    let mallory = world.signed_in(MALLORY).await;
    for client in [&alice, &mallory] {
        for (method, rest, body) in [
            (Method::GET, "", ""),
            (Method::PATCH, "", r#"{"name":"mine"}"#),
            (Method::POST, "/revoke", ""),
            (Method::DELETE, "", ""),
        ] {
            let answer = client
                .send(method, &format!("{path}{rest}"), &kind, body)
                .await;
            assert_eq!(answer.brief(), "404 CMN-102 [credentialId]");
        }
    }
    assert_eq!(
        bob.get(&format!("{CREDENTIALS}?personId=13")).await.brief(),
        "403 CMN-408"
    );
    assert_eq!(
        alice
            .get(&format!("{CREDENTIALS}?personId=13"))
            .await
            .brief(),
        "403 CMN-408"
    );
    let for_another = |person: &str| {
        let mut body = personal(&["TeamMessaging"]);
        body["personId"] = person.into();
        body
    };
    let answer = alice.post(CREDENTIALS, &for_another("13")).await;
    assert_eq!(answer.brief(), "403 CMN-408", "Carol is no bot");
    world.make_bot(CAROL).await;
    assert_eq!(
        bob.post(CREDENTIALS, &for_another("13")).await.brief(),
        "403 CMN-408"
    );
    let made = created(&alice, &for_another("13")).await;
    let program = world.bearer(&text(&made, "token"));
    assert_eq!(program.get(ME).await.json()["person"]["id"], "13");
    let list = alice.get(&format!("{CREDENTIALS}?personId=13")).await;
    assert_eq!(list.records("id"), [made.id()]);
    let renamed = alice
        .patch(&path_of(&made), &json!({ "name": "robot" }))
        .await;
    assert_eq!(renamed.json()["name"], "robot");
    assert_eq!(alice.delete(&path_of(&made)).await.status, 204);
    assert_eq!(program.get(ME).await.brief(), "401 OAU-213");
}

#[tokio::test]
async fn credentials_need_the_apps_permission() {
    let world = World::start().await;
    let without = world.without_scope(ALICE).await;
    assert_eq!(without.get(CREDENTIALS).await.brief(), "403 CMN-401");
    assert_eq!(
        without.post(CREDENTIALS, &jwt()).await.brief(),
        "403 CMN-401"
    );
    assert_eq!(world.nobody().get(CREDENTIALS).await.brief(), "401 AGW-401");
}

#[tokio::test]
async fn a_person_has_only_so_many_that_are_good() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mut last = None;
    // The world has one of hers.
    for _ in 1..CREDENTIALS_MAX {
        world.clock.advance(Duration::from_millis(1));
        last = Some(created(&alice, &personal(&["TeamMessaging"])).await);
    }
    let full = alice.post(CREDENTIALS, &personal(&["TeamMessaging"])).await;
    assert_eq!(full.brief(), "403 CMN-107");
    let last = last.expect("one was made");
    assert_eq!(
        alice
            .act(&format!("{}/revoke", path_of(&last)))
            .await
            .status,
        200
    );
    created(&alice, &personal(&["TeamMessaging"])).await;
    let page = alice
        .get(&format!("{CREDENTIALS}?limit=30&kind=PersonalAccessToken"))
        .await;
    assert_eq!(page.records("id").len(), 30);
    let next = text(&page, "nextPageToken");
    let path = format!("{CREDENTIALS}?limit=30&kind=PersonalAccessToken&pageToken={next}");
    let rest = alice.get(&path).await;
    assert_eq!(rest.records("id").len(), 20);
    assert!(rest.json().get("nextPageToken").is_none());
    assert_eq!(
        alice
            .get(&format!("{CREDENTIALS}?kind=Jwt"))
            .await
            .records("id")
            .len(),
        1
    );
}
