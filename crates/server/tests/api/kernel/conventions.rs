//! What all answers have in common.

use hookyard_api::operations::Verb;
use http::Method;
use serde_json::json;

use crate::world::{ALICE, World};

const CHATS: &str = "/team-messaging/v1/chats";

#[tokio::test]
async fn every_answer_has_its_headers() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for path in [CHATS, "/team-messaging/v1/chats/7", "/nowhere"] {
        let answer = alice.get(path).await;
        assert!(!answer.header("rcrequestid").is_empty(), "{path}");
        assert_eq!(
            answer.header("content-type"),
            "application/json; charset=UTF-8"
        );
        assert_eq!(answer.header("content-language"), "en");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let ids = [alice.get(CHATS).await, alice.get(CHATS).await];
    assert_ne!(ids[0].header("rcrequestid"), ids[1].header("rcrequestid"));
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_told() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for path in [
        "/",
        "/restapi/v2.0",
        "/team-messaging/v1",
        "/team-messaging/v1/nothing",
        "/api/v1/x",
    ] {
        assert_eq!(alice.get(path).await.brief(), "404 CMN-120", "{path}");
    }
    let wrong = alice.delete(CHATS).await;
    assert_eq!(wrong.brief(), "405 CMN-111");
    assert_eq!(wrong.header("allow"), "GET,HEAD");
    assert_eq!(alice.get("/console/session").await.brief(), "405 CMN-111");
}

#[tokio::test]
async fn a_slash_at_the_end_is_tolerated() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    assert_eq!(
        alice.get(&format!("{CHATS}/?recordCount=1")).await.status,
        200
    );
    assert_eq!(alice.get(&format!("{CHATS}/~/")).await.status, 200);
}

#[tokio::test]
async fn a_method_can_be_tunnelled_through_post() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let team = alice
        .post("/team-messaging/v1/teams", &json!({"name": "x"}))
        .await
        .id();
    let path = format!("/team-messaging/v1/teams/{team}");
    let header = [("x-http-method-override", "GET")];
    assert_eq!(
        alice.send(Method::POST, &path, &header, "").await.id(),
        team
    );
    assert_eq!(alice.act(&format!("{path}?_method=get")).await.id(), team);
    let both = alice
        .send(Method::POST, &format!("{path}?_method=PUT"), &header, "")
        .await;
    assert_eq!(both.brief(), "400 CMN-104");
    assert_eq!(
        alice.act(&format!("{path}?_method=BREW")).await.brief(),
        "400 CMN-104"
    );
    // Around anything but POST it means nothing.
    let delete = [("x-http-method-override", "DELETE")];
    assert_eq!(alice.send(Method::GET, &path, &delete, "").await.id(), team);
    // What is allowed follows the effective method.
    let without = world.without_scope(ALICE).await;
    let refused = without.act(&format!("{path}?_method=DELETE")).await;
    assert_eq!(refused.brief(), "403 CMN-401");
    let oauth = world.nobody().act("/restapi/oauth/token?_method=GET").await;
    assert_ne!(oauth.status, 405);
    assert_eq!(
        alice.act(&format!("{path}?_method=DELETE")).await.status,
        204
    );
}

#[tokio::test]
async fn pages_of_other_sites_may_use_the_platforms_surface() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let origin = ("origin", "https://app.example.com");
    let preflight = [origin, ("access-control-request-method", "POST")];
    let allowed = world
        .nobody()
        .send(Method::OPTIONS, CHATS, &preflight, "")
        .await;
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.header("access-control-allow-origin"), origin.1);
    assert_eq!(allowed.header("access-control-allow-credentials"), "true");
    assert!(
        allowed
            .header("access-control-allow-headers")
            .contains("Authorization")
    );
    assert!(
        allowed
            .header("access-control-allow-methods")
            .contains("PATCH")
    );
    let answer = alice.send(Method::GET, CHATS, &[origin], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), origin.1);
    assert!(
        answer
            .header("access-control-expose-headers")
            .contains("Retry-After")
    );
    assert_eq!(answer.header("vary"), "Origin");
    for path in ["/api/v1/me", "/console/session"] {
        let answer = alice.send(Method::GET, path, &[origin], "").await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn the_consoles_tokens_work_on_its_own_page_only() {
    let world = World::start().await;
    let scopes = hookyard_domain::Scopes::all();
    let console = hookyard_domain::ClientId::CONSOLE;
    let alice = world.signed_in_with(ALICE, scopes, console).await;
    assert_eq!(alice.get(CHATS).await.status, 200);
    let own = format!("http://{}", world.address);
    let answer = alice
        .send(Method::GET, CHATS, &[("origin", own.as_str())], "")
        .await;
    assert_eq!(answer.status, 200);
    for origin in ["https://app.example.com", "null", "http://127.0.0.1:1"] {
        let answer = alice
            .send(Method::GET, CHATS, &[("origin", origin)], "")
            .await;
        assert_eq!(answer.brief(), "401 OAU-213", "{origin}");
    }
}

#[tokio::test]
async fn a_panic_costs_its_own_request_only() {
    let world = World::start().await;
    assert_eq!(world.nobody().get("/panic").await.brief(), "500 CMN-203");
    assert_eq!(world.nobody().get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_proxy_in_front_ends_development_mode() {
    for sign in [
        ("x-forwarded-for", "203.0.113.9"),
        ("forwarded", "for=203.0.113.9"),
    ] {
        let world = World::start().await;
        let alice = world.signed_in(ALICE).await;
        let development = async || {
            let me = alice.get("/api/v1/me").await.json();
            me["server"]["development"].clone()
        };
        assert_eq!(development().await, json!(true));
        alice.send(Method::GET, "/healthz", &[sign], "").await;
        assert_eq!(development().await, json!(false), "{sign:?}");
    }
}

/// Every operation of the team-messaging API is there under its former prefix, and answers the same.
#[tokio::test]
async fn the_former_prefix_answers_alike() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mut alike = 0;
    for operation in hookyard_api::described(&hookyard_server::beside()) {
        let paths: Vec<String> = operation.paths().map(|path| filled(&path)).collect();
        let [path, former] = paths.as_slice() else {
            continue;
        };
        let method = match operation.verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Put => Method::PUT,
            Verb::Patch => Method::PATCH,
            Verb::Delete => Method::DELETE,
            Verb::Any => continue,
        };
        let kind = [("content-type", "application/json")];
        // What can be made only once is there from the second time on.
        alice.send(method.clone(), path, &kind, "{}").await;
        let answer = alice.send(method.clone(), path, &kind, "{}").await;
        let formerly = alice.send(method, former, &kind, "{}").await;
        assert_eq!(answer.brief(), formerly.brief(), "{path}");
        assert_ne!(answer.brief(), "404 CMN-120", "{path}");
        alike += 1;
    }
    assert!(alike > 30, "{alike}");
}

/// A path whose parameters name nothing that is there.
fn filled(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        if segment.starts_with('{') {
            "7"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn the_description_is_served_to_anybody() {
    let world = World::start().await;
    let answer = world.nobody().get("/api/v1/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["openapi"], "3.1.0");
}
