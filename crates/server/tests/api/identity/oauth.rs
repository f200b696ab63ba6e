//! Signing in and out: grants, refresh with grace, revocation, limits.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookyard_domain::ClientId;
use http::Method;

use crate::client::{Answer, Client};
use crate::world::{APP_SECRET, JWT, PASSWORD, World};

const TOKEN: &str = "/restapi/oauth/token";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ME: &str = "/restapi/v1.0/account/~/extension/~";

/// Exchanges the JWT, with more fields.
async fn exchange(client: &Client, more: &[(&str, &str)]) -> Answer {
    let fields = [
        ("grant_type", JWT_BEARER),
        ("assertion", JWT),
        ("client_id", "app"),
        ("client_secret", APP_SECRET),
    ];
    client.form(TOKEN, &[&fields, more].concat()).await
}

async fn refresh(client: &Client, token: &str) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", "app"),
        ("client_secret", APP_SECRET),
    ];
    client.form(TOKEN, &fields).await
}

fn text(answer: &Answer, field: &str) -> String {
    let body = answer.json();
    body[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} in {body}"))
        .to_owned()
}

/// `400 invalid_grant OAU-149`.
fn refusal(answer: &Answer) -> String {
    let body = answer.json();
    let code = body["errors"][0]["errorCode"].as_str().unwrap_or("-");
    format!(
        "{} {} {code}",
        answer.status.as_u16(),
        text(answer, "error")
    )
}

#[tokio::test]
async fn a_jwt_is_exchanged_for_tokens() {
    let world = World::start().await;
    let granted = exchange(&world.nobody(), &[]).await;
    assert_eq!(granted.status, 200);
    assert_eq!(granted.header("cache-control"), "no-store");
    let mut body = granted.json();
    for (field, prefix) in [("access_token", "hya_"), ("refresh_token", "hyr_")] {
        assert!(text(&granted, field).starts_with(prefix));
        body[field] = "…".into();
    }
    body["endpoint_id"] = "…".into();
    let shown = crate::client::hide_numbers(&serde_json::to_string_pretty(&body).expect("JSON"));
    insta::assert_snapshot!("token", shown);
    let alice = world.bearer(&text(&granted, "access_token"));
    assert_eq!(alice.get(ME).await.status, 200);
    let in_query = format!("{ME}?access_token={}", text(&granted, "access_token"));
    assert_eq!(world.nobody().get(&in_query).await.status, 200);
}

#[tokio::test]
async fn clients_authenticate_by_header_or_by_body() {
    let world = World::start().await;
    let nobody = world.nobody();
    let basic = async |secret: &str| {
        let credentials = STANDARD.encode(format!("app:{secret}"));
        let headers = [
            ("authorization", format!("Basic {credentials}")),
            (
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
        ];
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        // The id stands in the body as well: some SDKs send both.
        let body = format!("grant_type={JWT_BEARER}&assertion={JWT}&client_id=app");
        nobody.send(Method::POST, TOKEN, &headers, body).await
    };
    assert_eq!(basic(APP_SECRET).await.status, 200);
    let wrong = basic("wrong").await;
    assert_eq!(refusal(&wrong), "401 invalid_client OAU-146");
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    let grant = ("grant_type", JWT_BEARER);
    for client in ["app", "nobody"] {
        let fields = [grant, ("assertion", JWT), ("client_id", client)];
        assert_eq!(
            refusal(&nobody.form(TOKEN, &fields).await),
            "401 invalid_client OAU-146"
        );
    }
    assert_eq!(
        refusal(&nobody.form(TOKEN, &[grant]).await),
        "401 invalid_client OAU-146"
    );
}

#[tokio::test]
async fn grants_that_are_no_good_are_refused() {
    let world = World::start().await;
    let nobody = world.nobody();
    let ask = async |client: &str, fields: &[(&str, &str)]| {
        let client = [("client_id", client), ("client_secret", APP_SECRET)];
        refusal(&nobody.form(TOKEN, &[&client, fields].concat()).await)
    };
    let grant = ("grant_type", JWT_BEARER);
    assert_eq!(ask("app", &[]).await, "400 invalid_request OAU-101");
    assert_eq!(ask("app", &[grant]).await, "400 invalid_request OAU-101");
    assert_eq!(
        ask("app", &[grant, ("assertion", "x")]).await,
        "400 invalid_grant OAU-149"
    );
    // The credential was made for another app.
    assert_eq!(
        ask("public-app", &[grant, ("assertion", JWT)]).await,
        "400 invalid_grant OAU-149"
    );
    assert_eq!(
        ask("app", &[("grant_type", "magic")]).await,
        "400 unsupported_grant_type OAU-250"
    );
    let password = [
        ("grant_type", "password"),
        ("username", "alice@example.com"),
        ("password", PASSWORD),
    ];
    assert_eq!(
        ask("app", &password).await,
        "400 unauthorized_client OAU-250"
    );
    let bad = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    assert_eq!(ask("app", &bad).await, "400 invalid_grant OAU-211");
    let unparsable = exchange(&nobody, &[]).await;
    assert_eq!(unparsable.status, 200);
    let json = nobody
        .post(TOKEN, &serde_json::json!({"grant_type": "x"}))
        .await;
    assert_eq!(json.brief(), "415 CMN-113");
    assert_eq!(nobody.get(TOKEN).await.brief(), "405 CMN-111");
}

#[tokio::test]
async fn a_bad_assertion_says_so() {
    let world = World::start().await;
    let fields = [
        ("grant_type", JWT_BEARER),
        ("assertion", "nonsense"),
        ("client_id", "app"),
        ("client_secret", APP_SECRET),
    ];
    let answer = world.nobody().form(TOKEN, &fields).await;
    assert_eq!(text(&answer, "error_description"), "Unparseable assertion");
    assert_eq!(text(&answer, "message"), "Unparseable assertion");
}

#[tokio::test]
async fn only_the_console_signs_in_by_password() {
    let world = World::start().await;
    let ask = async |name: &str, password: &str| {
        let fields = [
            ("grant_type", "password"),
            ("client_id", ClientId::CONSOLE),
            ("username", name),
            ("password", password),
        ];
        world.nobody().form(TOKEN, &fields).await
    };
    assert_eq!(ask("alice@example.com", PASSWORD).await.status, 200);
    for (name, password) in [("alice@example.com", "x"), ("nobody@example.com", PASSWORD)] {
        assert_eq!(
            refusal(&ask(name, password).await),
            "400 invalid_grant OAU-140"
        );
    }
}

#[tokio::test]
async fn lifetimes_are_clamped_and_never_refused() {
    let world = World::start().await;
    let nobody = world.nobody();
    for (asked, access) in [
        ("600", 600),
        ("10", 600),
        ("1800", 1_800),
        ("99999", 3_600),
        ("-1", 3_600),
        ("NaN", 3_600),
    ] {
        let granted = exchange(&nobody, &[("access_token_ttl", asked)]).await;
        assert_eq!(granted.json()["expires_in"], access, "{asked}");
    }
    for (asked, refresh) in [
        ("2592000", 2_592_000),
        ("2592001", 604_800),
        ("-1", 604_800),
        ("NaN", 604_800),
    ] {
        let granted = exchange(&nobody, &[("refresh_token_ttl", asked)]).await;
        assert_eq!(
            granted.json()["refresh_token_expires_in"],
            refresh,
            "{asked}"
        );
    }
}

#[tokio::test]
async fn an_access_token_ends_when_it_said_it_would() {
    let world = World::start().await;
    let granted = exchange(&world.nobody(), &[("access_token_ttl", "600")]).await;
    let alice = world.bearer(&text(&granted, "access_token"));
    world.clock.advance(Duration::from_millis(599_999));
    assert_eq!(alice.get(ME).await.status, 200);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(alice.get(ME).await.brief(), "401 OAU-128");
}

#[tokio::test]
async fn refreshing_ends_the_access_token_before_it() {
    let world = World::start().await;
    let first = exchange(&world.nobody(), &[]).await;
    let second = refresh(&world.nobody(), &text(&first, "refresh_token")).await;
    assert_eq!(second.status, 200);
    let old = world.bearer(&text(&first, "access_token"));
    assert_eq!(old.get(ME).await.brief(), "401 OAU-213");
    let new = world.bearer(&text(&second, "access_token"));
    assert_eq!(new.get(ME).await.status, 200);
    // A refresh token opens nothing but a refresh.
    let confused = world.bearer(&text(&second, "refresh_token"));
    assert_eq!(confused.get(ME).await.brief(), "401 OAU-213");
}

#[tokio::test]
async fn within_its_grace_a_refresh_token_gives_the_same_tokens_again() {
    let world = World::start().await;
    let nobody = world.nobody();
    let first = text(&exchange(&nobody, &[]).await, "refresh_token");
    let second = refresh(&nobody, &first).await;
    world.clock.advance(Duration::from_secs(3_500));
    let again = refresh(&nobody, &first).await;
    for token in ["access_token", "refresh_token"] {
        assert_eq!(text(&again, token), text(&second, token));
    }
    assert_eq!(again.json()["expires_in"], 100);
    // Once the new access token is used, seconds are left.
    assert_eq!(
        world
            .bearer(&text(&second, "access_token"))
            .get(ME)
            .await
            .status,
        200
    );
    world.clock.advance(Duration::from_millis(9_999));
    assert_eq!(refresh(&nobody, &first).await.status, 200);
}

#[tokio::test]
async fn a_replayed_refresh_token_ends_the_session() {
    let world = World::start().await;
    let nobody = world.nobody();
    let first = text(&exchange(&nobody, &[]).await, "refresh_token");
    let second = refresh(&nobody, &first).await;
    let alice = world.bearer(&text(&second, "access_token"));
    assert_eq!(alice.get(ME).await.status, 200);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(
        refusal(&refresh(&nobody, &first).await),
        "400 invalid_grant OAU-211"
    );
    assert_eq!(alice.get(ME).await.brief(), "401 OAU-213");
    let rest = refresh(&nobody, &text(&second, "refresh_token")).await;
    assert_eq!(refusal(&rest), "400 invalid_grant OAU-211");
}

#[tokio::test]
async fn two_refreshes_at_once_get_the_same_tokens() {
    let world = World::start().await;
    let nobody = world.nobody();
    let token = text(&exchange(&nobody, &[]).await, "refresh_token");
    let (one, other) = tokio::join!(refresh(&nobody, &token), refresh(&nobody, &token));
    assert_eq!(text(&one, "access_token"), text(&other, "access_token"));
}

#[tokio::test]
async fn another_apps_refresh_token_is_refused() {
    let world = World::start().await;
    let token = text(&exchange(&world.nobody(), &[]).await, "refresh_token");
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
        ("client_id", "public-app"),
    ];
    let answer = world.nobody().form(TOKEN, &fields).await;
    assert_eq!(refusal(&answer), "400 invalid_grant OAU-211");
    assert_eq!(refresh(&world.nobody(), &token).await.status, 200);
}

#[tokio::test]
async fn a_sixth_session_ends_the_oldest() {
    let world = World::start().await;
    let mut clients = Vec::new();
    for _ in 0..6 {
        world.clock.advance(Duration::from_millis(1));
        let granted = exchange(&world.nobody(), &[]).await;
        clients.push(world.bearer(&text(&granted, "access_token")));
    }
    assert_eq!(clients[0].get(ME).await.brief(), "401 OAU-213");
    for client in &clients[1..] {
        assert_eq!(client.get(ME).await.status, 200);
    }
}

#[tokio::test]
async fn revoking_either_token_ends_the_session() {
    let world = World::start().await;
    let app = [("client_id", "app"), ("client_secret", APP_SECRET)];
    for which in ["access_token", "refresh_token"] {
        let granted = exchange(&world.nobody(), &[]).await;
        let token = text(&granted, which);
        let fields = [&app[..], &[("token", token.as_str())]].concat();
        let revoked = world.nobody().form("/restapi/oauth/revoke", &fields).await;
        assert_eq!(
            (revoked.status.as_u16(), revoked.body.as_str()),
            (200, "{}")
        );
        let alice = world.bearer(&text(&granted, "access_token"));
        assert_eq!(alice.get(ME).await.brief(), "401 OAU-213");
    }
    let granted = exchange(&world.nobody(), &[]).await;
    let access = text(&granted, "access_token");
    let in_query = format!("/restapi/oauth/revoke?token={access}");
    assert_eq!(world.nobody().form(&in_query, &app).await.status, 200);
    assert_eq!(world.bearer(&access).get(ME).await.brief(), "401 OAU-213");
    let other = [("client_id", "public-app"), ("token", "unknown")];
    let unknown = world.nobody().form("/restapi/oauth/revoke", &other).await;
    assert_eq!(unknown.status, 200);
}

#[tokio::test]
async fn an_app_cannot_revoke_the_tokens_of_another() {
    let world = World::start().await;
    let access = text(&exchange(&world.nobody(), &[]).await, "access_token");
    let fields = [("client_id", "public-app"), ("token", access.as_str())];
    assert_eq!(
        world
            .nobody()
            .form("/restapi/oauth/revoke", &fields)
            .await
            .status,
        200
    );
    assert_eq!(world.bearer(&access).get(ME).await.status, 200);
}

#[tokio::test]
async fn a_missing_or_strange_authorization_is_told_apart() {
    let world = World::start().await;
    let nobody = world.nobody();
    let missing = nobody.get(ME).await;
    assert_eq!(missing.brief(), "401 AGW-401");
    assert!(missing.header("www-authenticate").starts_with("Bearer"));
    for value in ["Basic YXBw", "Bearer", "Bearer ", "x"] {
        let answer = nobody
            .send(Method::GET, ME, &[("authorization", value)], "")
            .await;
        assert_eq!(answer.brief(), "401 AGW-402", "{value}");
    }
    assert_eq!(world.bearer("unknown").get(ME).await.brief(), "401 OAU-213");
    // A JWT credential is for exchange only.
    assert_eq!(world.bearer(JWT).get(ME).await.brief(), "401 OAU-213");
    let cookie = [("cookie", "hookyard_session=token-1; access_token=token-1")];
    world.signed_in(crate::world::ALICE).await;
    assert_eq!(
        nobody.send(Method::GET, ME, &cookie, "").await.brief(),
        "401 AGW-401"
    );
}
