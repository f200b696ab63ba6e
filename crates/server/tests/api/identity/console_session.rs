//! The console's session: signing in, renewing, signing out, and who may ask.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{PASSWORD, SIGN_IN_CODE, World};

const SESSION: &str = "/console/session";
const RENEW: &str = "/console/session/renew";
const JSON: (&str, &str) = ("content-type", "application/json");

async fn sign_in(client: &Client, body: &Value) -> Answer {
    client.post(SESSION, body).await
}

fn by_password(password: &str) -> Value {
    json!({"username": "alice@example.com", "password": password})
}

/// What a browser would send back.
fn cookie(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie");
    cookie.split(';').next().expect("a cookie").to_owned()
}

async fn renew(client: &Client, cookie: &str) -> Answer {
    client
        .send(Method::POST, RENEW, &[JSON, ("cookie", cookie)], "")
        .await
}

fn token(answer: &Answer) -> String {
    answer.json()["access_token"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer:?}"))
        .to_owned()
}

#[tokio::test]
async fn a_password_opens_a_session_whose_cookie_no_script_reads() {
    let world = World::start().await;
    let nobody = world.nobody();
    let opened = sign_in(&nobody, &by_password(PASSWORD)).await;
    assert_eq!(opened.status, 200);
    let set = opened.header("set-cookie");
    for part in [
        "HttpOnly",
        "SameSite=Strict",
        "Path=/console/session",
        "Max-Age=604800",
    ] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "the page is on plain http here");
    let alice = world.bearer(&token(&opened));
    assert_eq!(alice.get("/api/v1/me").await.json()["person"]["id"], "11");
    assert_eq!(sign_in(&nobody, &by_password("x")).await.status, 400);
}

#[tokio::test]
async fn on_https_the_cookie_stays_off_plain_connections() {
    let world = World::start_with(|settings| {
        settings.public_url = "https://yard.example.com".to_owned();
    })
    .await;
    let opened = sign_in(&world.nobody(), &by_password(PASSWORD)).await;
    assert!(opened.header("set-cookie").ends_with("; Secure"));
}

#[tokio::test]
async fn a_code_lets_in_once_and_not_for_ever() {
    let world = World::start().await;
    let nobody = world.nobody();
    let code = json!({"code": SIGN_IN_CODE});
    let opened = sign_in(&nobody, &code).await;
    assert_eq!(opened.status, 200);
    assert_eq!(sign_in(&nobody, &code).await.brief(), "400 CMN-101 [code]");
    assert_eq!(
        sign_in(&nobody, &json!({"code": "x"})).await.brief(),
        "400 CMN-101 [code]"
    );

    let late = World::start().await;
    late.clock.advance(Duration::from_secs(60));
    assert_eq!(
        sign_in(&late.nobody(), &code).await.brief(),
        "400 CMN-101 [code]"
    );
}

#[tokio::test]
async fn a_code_that_two_present_at_once_lets_in_one() {
    let world = World::start().await;
    let nobody = world.nobody();
    let code = json!({"code": SIGN_IN_CODE});
    let (one, other) = tokio::join!(sign_in(&nobody, &code), sign_in(&nobody, &code));
    let mut briefs = [one.brief(), other.brief()];
    briefs.sort_unstable();
    assert_eq!(briefs, ["200", "400 CMN-101 [code]"]);
}

#[tokio::test]
async fn what_is_not_a_sign_in_is_refused() {
    let world = World::start().await;
    for (body, expect) in [
        (json!({}), "400 CMN-101 [username]"),
        (json!({"username": "x"}), "400 CMN-101 [password]"),
        (json!({"username": ["x"]}), "400 CMN-101 [username]"),
        (json!(["x"]), "400 CMN-104"),
    ] {
        assert_eq!(
            sign_in(&world.nobody(), &body).await.brief(),
            expect,
            "{body}"
        );
    }
}

#[tokio::test]
async fn two_tabs_that_renew_at_once_both_go_on() {
    let world = World::start().await;
    let nobody = world.nobody();
    let opened = sign_in(&nobody, &by_password(PASSWORD)).await;
    let old = cookie(&opened);
    let (one, other) = tokio::join!(renew(&nobody, &old), renew(&nobody, &old));
    assert_eq!((token(&one), cookie(&one)), (token(&other), cookie(&other)));
    assert_ne!(cookie(&one), old);
    assert_eq!(
        world.bearer(&token(&one)).get("/api/v1/me").await.status,
        200
    );
    // Once the new token is used, the old cookie has seconds left.
    world.clock.advance(Duration::from_secs(10));
    let late = renew(&nobody, &old).await;
    assert_eq!(late.brief(), "401 CMN-405");
    assert!(late.header("set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn without_a_session_there_is_nothing_to_renew() {
    let world = World::start().await;
    let nobody = world.nobody();
    let none = nobody.send(Method::POST, RENEW, &[JSON], "").await;
    assert_eq!(none.brief(), "401 CMN-405");
    assert_eq!(
        renew(&nobody, "hookyard_session=x").await.brief(),
        "401 CMN-405"
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_and_forgets_the_cookie() {
    let world = World::start().await;
    let nobody = world.nobody();
    let opened = sign_in(&nobody, &by_password(PASSWORD)).await;
    let (cookie, alice) = (cookie(&opened), world.bearer(&token(&opened)));
    let headers = [JSON, ("cookie", cookie.as_str())];
    let ended = nobody.send(Method::DELETE, SESSION, &headers, "").await;
    assert_eq!(ended.status, 204);
    assert!(ended.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(alice.get("/api/v1/me").await.brief(), "401 OAU-213");
    assert_eq!(renew(&nobody, &cookie).await.brief(), "401 CMN-405");
}

#[tokio::test]
async fn pages_of_other_sites_cannot_use_it() {
    let world = World::start().await;
    let nobody = world.nobody();
    let cookie = cookie(&sign_in(&nobody, &by_password(PASSWORD)).await);
    let own = format!("http://{}", world.address);
    for (origin, expect) in [
        (own.as_str(), 200),
        ("https://evil.example.com", 403),
        ("null", 403),
    ] {
        let headers = [JSON, ("cookie", cookie.as_str()), ("origin", origin)];
        let answer = nobody.send(Method::POST, RENEW, &headers, "").await;
        assert_eq!(answer.status, expect, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    // A form of another site can send no JSON.
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let headers = [("content-type", kind), ("cookie", cookie.as_str())];
        let answer = nobody.send(Method::POST, RENEW, &headers, "").await;
        assert_eq!(answer.brief(), "415 CMN-113");
    }
}
