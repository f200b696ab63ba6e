//! Tokens for connections, and who is let in.

use std::time::Duration;

use hookyard_domain::kernel::component::Component as _;
use hookyard_domain::{ClientId, Scope, Scopes};
use http::Method;
use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::error::Error;

use super::socket::{Socket, recovery_token, socket_token};
use crate::world::{ALICE, BOB, World};

async fn refused(world: &World, query: &str, headers: &[(&'static str, &str)]) -> String {
    let dialled = Socket::dial(world, query, headers).await;
    dialled.expect("an upgrade").last_words().await
}

#[tokio::test]
async fn a_token_says_where_to_connect_and_for_how_long() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let body = json!({});
    for answer in [
        alice.act("/restapi/oauth/wstoken").await,
        alice.post("/restapi/oauth/wstoken", &body).await,
        alice
            .send(Method::POST, "/restapi/oauth/wstoken", &[], "")
            .await,
    ] {
        assert_eq!(answer.brief(), "200");
        let given = answer.json();
        assert_eq!(given["uri"], format!("ws://{}/ws", world.address));
        assert_eq!(given["expires_in"], 600);
        let token = given["ws_access_token"].as_str().expect("a token");
        assert!(token.starts_with("hyw_"));
    }
}

#[tokio::test]
async fn an_app_needs_the_permission() {
    let world = World::start().await;
    let path = "/restapi/oauth/wstoken";
    assert_eq!(world.nobody().act(path).await.brief(), "401 AGW-401");
    let scopes: Scopes = [Scope::TeamMessaging].into_iter().collect();
    let alice = world.signed_in_with(ALICE, scopes, "app").await;
    let answer = alice.act(path).await;
    assert_eq!(answer.brief(), "403 CMN-401");
    assert!(answer.body.contains("[WebSocketsSubscription]"));
}

#[tokio::test]
async fn a_connection_begins_with_its_details() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (_socket, details) = Socket::open(&world, &alice).await;
    assert_eq!(details[0]["status"], 200);
    assert_eq!(
        details[0]["messageId"],
        details[0]["headers"]["RCRequestId"]
    );
    assert_eq!(
        details[1],
        json!({
            "creationTime": "2027-01-15T08:00:00.000Z",
            "maxConnectionsPerSession": 50,
            "recoveryBufferSize": 100,
            "recoveryTimeout": 180,
            "idleTimeout": 1800,
            "absoluteTimeout": 86400,
            "maxActiveRequests": 10,
        })
    );
}

#[tokio::test]
async fn a_token_is_good_for_many_connections_until_it_is_over() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let query = format!("?access_token={}", socket_token(&alice).await);
    for _ in 0..3 {
        let mut socket = Socket::dial(&world, &query, &[]).await.expect("a socket");
        assert_eq!(socket.frame().await[0]["type"], "ConnectionDetails");
    }
    world.clock.advance(Duration::from_secs(599));
    let mut socket = Socket::dial(&world, &query, &[]).await.expect("a socket");
    assert_eq!(socket.frame().await[0]["type"], "ConnectionDetails");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(refused(&world, &query, &[]).await, "401 OAU-128, 1008");
}

#[tokio::test]
async fn who_is_not_let_in_is_told_in_a_frame() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let token = socket_token(&alice).await;
    let access = alice.token.clone().expect("signed in");
    for query in [
        String::new(),
        "?access_token=".to_owned(),
        "?access_token=nonsense".to_owned(),
        format!("?access_token={access}"),
        format!("?access_token={token}x"),
        format!("?wsc={token}"),
    ] {
        assert_eq!(
            refused(&world, &query, &[]).await,
            "401 OAU-213, 1008",
            "{query}"
        );
    }
    world.sign_out(&alice).await;
    let query = format!("?access_token={token}");
    assert_eq!(refused(&world, &query, &[]).await, "401 OAU-213, 1008");
}

#[tokio::test]
async fn a_page_of_another_site_brings_a_token_of_its_own_but_never_the_consoles() {
    let world = World::start().await;
    let foreign = [("origin", "https://evil.example.com")];
    let alice = world.signed_in(ALICE).await;
    let query = format!("?access_token={}", socket_token(&alice).await);
    let mut socket = Socket::dial(&world, &query, &foreign).await.expect("one");
    assert_eq!(socket.frame().await[0]["type"], "ConnectionDetails");
    let console = world
        .signed_in_with(ALICE, Scopes::all(), ClientId::CONSOLE)
        .await;
    let query = format!("?access_token={}", socket_token(&console).await);
    assert_eq!(refused(&world, &query, &foreign).await, "401 OAU-213, 1008");
    let own = format!("http://{}", world.address);
    let own = [("origin", own.as_str())];
    let mut socket = Socket::dial(&world, &query, &own).await.expect("a socket");
    assert_eq!(socket.frame().await[0]["type"], "ConnectionDetails");
}

#[tokio::test]
async fn what_asks_for_no_socket_is_answered_over_http() {
    let world = World::start().await;
    let nobody = world.nobody();
    assert_eq!(nobody.get("/ws").await.brief(), "400 CMN-104");
    let half = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
    ];
    let answer = nobody.send(Method::GET, "/ws", &half, "").await;
    assert_eq!(answer.brief(), "400 CMN-104");
    assert_eq!(nobody.act("/ws").await.brief(), "405 CMN-111");
    let elsewhere = Socket::dial(&world, "/x", &[]).await;
    assert!(matches!(elsewhere.map(|_| ()), Err(Error::Http(_))));
}

#[tokio::test]
async fn signing_out_closes_the_connection() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let (mut socket, _, id) = Socket::subscribed(&world, &alice).await;
    let (mut other, _) = Socket::open(&world, &bob).await;
    world.sign_out(&alice).await;
    assert_eq!(socket.last_words().await, "401 OAU-213, 1008");
    let again = world.signed_in(ALICE).await;
    let gone = again.get(&format!("/restapi/v1.0/subscription/{id}")).await;
    assert_eq!(gone.brief(), "404 CMN-102 [subscriptionId]");
    let answer = other.ask("GET", "/restapi/v1.0/status", None).await;
    assert_eq!(answer[0]["status"], 200);
}

#[tokio::test]
async fn a_stopping_server_says_goodbye() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (mut socket, details, id) = Socket::subscribed(&world, &alice).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    let stopping = world.gateway.stop(deadline.into_std());
    let goodbye = async {
        let close = socket.next().await.expect("a close");
        assert_eq!(close.into_text().expect("its reason").as_str(), "");
        assert!(socket.next().await.is_none());
    };
    tokio::join!(stopping, goodbye);
    assert!(recovery_token(&details).len() > 20);
    let path = format!("/api/v1/subscriptions/{id}/history");
    let history = alice.get(&path).await;
    assert!(history.body.contains("The server stopped"), "{history:?}");
}
