//! Subscriptions over a WebSocket, and REST beside them.

use serde_json::json;

use super::socket::{Socket, recovery_token, text};
use crate::client::Client;
use crate::world::{ALICE, APP_SECRET, BOB, CAROL, JWT, World};

const SUBSCRIPTIONS: &str = "/restapi/v1.0/subscription";

/// A team of Alice and Bob.
async fn team(alice: &Client) -> String {
    let body = json!({ "name": "Crew", "public": false, "members": [{ "id": BOB }] });
    alice.post("/team-messaging/v1/teams", &body).await.id()
}

async fn say(client: &Client, team: &str, text: &str) {
    let path = format!("/team-messaging/v1/chats/{team}/posts");
    let answer = client.post(&path, &json!({ "text": text })).await;
    assert!(answer.status.is_success(), "{answer:?}");
}

#[tokio::test]
async fn a_subscriber_is_told_of_posts_and_others_are_not() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let carol = world.signed_in(CAROL).await;
    let team = team(&alice).await;
    let (mut socket, details, id) = Socket::subscribed(&world, &bob).await;
    let (mut outside, _, _) = Socket::subscribed(&world, &carol).await;
    say(&alice, &team, "hello").await;
    let frame = socket.frame().await;
    assert_eq!(frame[0]["type"], "ServerNotification");
    assert_eq!(frame[0]["status"], 200);
    assert_eq!(frame[0]["messageId"], frame[1]["uuid"]);
    let begun = details[0]["wsc"]["sequence"].as_u64().expect("a number");
    assert_eq!(frame[0]["wsc"]["sequence"], begun + 1);
    assert_eq!(frame[1]["event"], "/restapi/v1.0/glip/posts");
    assert_eq!(frame[1]["subscriptionId"], id);
    assert_eq!(frame[1]["ownerId"], BOB.to_string());
    assert_eq!(frame[1]["body"]["eventType"], "PostAdded");
    assert_eq!(frame[1]["body"]["text"], "hello");
    let answer = outside.ask("GET", "/restapi/v1.0/status", None).await;
    assert_eq!(answer[0]["status"], 200, "and nothing before it");
}

#[tokio::test]
async fn the_answer_names_the_subscription_as_clients_look_for_it() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (mut socket, _) = Socket::open(&world, &alice).await;
    let answer = socket.subscribe().await;
    let id = text(&answer[1]["id"]);
    assert_eq!(answer[0]["headers"]["WSG-SubscriptionId"], id.as_str());
    assert_eq!(
        answer[0]["headers"]["Content-Type"],
        "application/json; charset=UTF-8"
    );
    assert_eq!(answer[1]["status"], "Active");
    assert_eq!(answer[1]["expiresIn"], 86_399);
    let mode = json!({ "transportType": "WebSocket", "encryption": false });
    assert_eq!(answer[1]["deliveryMode"], mode);
    // Other calls see it too.
    let list = alice.get(SUBSCRIPTIONS).await;
    assert_eq!(list.records("id"), [id]);
}

#[tokio::test]
async fn a_connection_has_one_subscription() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let team = team(&alice).await;
    let (mut socket, _, first) = Socket::subscribed(&world, &alice).await;
    let second = text(&socket.subscribe().await[1]["id"]);
    assert_ne!(first, second);
    assert_eq!(
        alice.get(SUBSCRIPTIONS).await.records("id"),
        [second.as_str()]
    );
    say(&alice, &team, "once").await;
    let frame = socket.frame().await;
    assert_eq!(frame[1]["subscriptionId"], second);
    let answer = socket.ask("get", "/restapi/v1.0/status", None).await;
    assert_eq!(answer[0]["status"], 200, "and the post came once");
}

#[tokio::test]
async fn a_subscription_is_changed_and_ended_over_its_connection() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let team = team(&alice).await;
    let (mut socket, _, id) = Socket::subscribed(&world, &alice).await;
    let path = format!("{SUBSCRIPTIONS}/{id}");
    let body = json!({
        "eventFilters": ["/team-messaging/v1/posts"],
        "deliveryMode": { "transportType": "WebSocket" },
    });
    let answer = socket.ask("PUT", &path, Some(body.clone())).await;
    assert_eq!(answer[0]["status"], 200);
    assert_eq!(answer[0]["headers"]["WSG-SubscriptionId"], id.as_str());
    assert_eq!(answer[1]["id"], id.as_str());
    say(&alice, &team, "changed").await;
    let frame = socket.frame().await;
    assert_eq!(frame[1]["event"], "/team-messaging/v1/posts");
    let over_http = alice.put(&path, &body).await;
    assert_eq!(over_http.status, 400, "only its connection changes it");
    let answer = socket.ask("DELETE", &path, None).await;
    assert_eq!(answer[0]["status"], 204);
    assert!(answer.get(1).is_none(), "{answer}");
    say(&alice, &team, "unheard").await;
    let answer = socket.ask("PUT", &path, Some(body)).await;
    assert_eq!(answer[0]["status"], 404);
    assert_eq!(answer[1]["errors"][0]["errorCode"], "CMN-102");
}

#[tokio::test]
async fn a_web_socket_subscription_needs_a_web_socket() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let body = json!({
        "eventFilters": ["/restapi/v1.0/glip/posts"],
        "deliveryMode": { "transportType": "WebSocket" },
    });
    assert_eq!(alice.post(SUBSCRIPTIONS, &body).await.status, 400);
}

#[tokio::test]
async fn rest_goes_over_the_connection_as_over_http() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let one = team(&alice).await;
    let (mut socket, _) = Socket::open(&world, &alice).await;
    let me = "/restapi/v1.0/account/~/extension/~";
    let answer = socket.ask("get", me, None).await;
    assert_eq!(answer[1]["id"], ALICE.0);
    let path = format!("/team-messaging/v1/chats/{one}/posts");
    let body = json!({ "text": "over a socket" });
    let answer = socket.ask("Post", &path, Some(body)).await;
    assert_eq!(answer[1]["text"], "over a socket");
    assert_eq!(answer[0]["headers"]["X-Rate-Limit-Group"], "medium");
    let answer = socket.ask("GET", &format!("{SUBSCRIPTIONS}/"), None).await;
    assert_eq!(answer[1]["records"], json!([]));
    let answer = socket.ask("GET", "/restapi/v1.0/nothing", None).await;
    assert_eq!(answer[0]["status"], 404);
    assert_eq!(answer[1]["errorCode"], "CMN-120");
    for path in ["/restapi/oauth/wstoken", "/api/v1/live", "/"] {
        let answer = socket.ask("POST", path, None).await;
        assert_eq!(answer[1]["errorCode"], "WSG-810", "{path}");
    }
    // Query members become the query of the request.
    let frame = json!([{
        "type": "ClientRequest",
        "messageId": "q",
        "method": "GET",
        "path": path_of_posts(&one),
        "query": { "recordCount": ["1"] },
    }, ""]);
    socket.say(frame.to_string()).await;
    let answer = socket.frame().await;
    assert_eq!(answer[1]["records"].as_array().map(Vec::len), Some(1));
    // Several objects at once come in parts, which are not JSON.
    let frame = json!([{
        "type": "ClientRequest",
        "messageId": "m",
        "method": "GET",
        "path": format!("/team-messaging/v1/persons/{ALICE},{BOB}"),
    }]);
    socket.say(frame.to_string()).await;
    let raw = socket.raw().await;
    let (head, parts) = raw.split_once(",--").expect("a boundary");
    let head: serde_json::Value = serde_json::from_str(&format!("{head}]")).expect("a head");
    assert_eq!(head[0]["status"], 207);
    assert!(parts.contains("Alice") && parts.contains("Bob"), "{parts}");
    assert!(parts.ends_with("--]"), "{parts}");
}

fn path_of_posts(team: &str) -> String {
    format!("/team-messaging/v1/chats/{team}/posts")
}

/// Signs Alice in with more fields; the access token and the refresh token.
async fn grant(world: &World, more: &[(&str, &str)]) -> (Client, String) {
    let app = [("client_id", "app"), ("client_secret", APP_SECRET)];
    let fields = [&app, more].concat();
    let answer = world.nobody().form("/restapi/oauth/token", &fields).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let given = answer.json();
    (
        world.bearer(&text(&given["access_token"])),
        text(&given["refresh_token"]),
    )
}

#[tokio::test]
async fn a_connection_outlives_the_access_token_that_it_began_with() {
    let world = World::start().await;
    let by_jwt = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", JWT),
    ];
    let (first, refresh_token) = grant(&world, &by_jwt).await;
    let (mut socket, _, id) = Socket::subscribed(&world, &first).await;
    let by_refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh_token),
    ];
    let (refreshed, _) = grant(&world, &by_refresh).await;
    let me = "/restapi/v1.0/account/~/extension/~";
    assert_eq!(first.get(me).await.brief(), "401 OAU-213");
    let answer = socket.ask("GET", me, None).await;
    assert_eq!(answer[1]["id"], ALICE.0);
    let team = team(&refreshed).await;
    say(&refreshed, &team, "still here").await;
    let frame = socket.frame().await;
    assert_eq!(frame[1]["subscriptionId"], id);
    // The refreshed token belongs to the same session, and gets back what that one has.
    let token = recovery_token(&frame);
    socket.kill();
    let (_socket, details) = Socket::recover(&world, &refreshed, &token).await;
    assert_eq!(details[1]["recoveryState"], "Successful");
}
