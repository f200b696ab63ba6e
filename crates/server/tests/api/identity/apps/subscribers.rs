//! What subscribes through apps: it presents their tokens, and goes with them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use hookyard_testkit::receiver::{Received, Receiver};
use http::HeaderMap;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{APPS, created, exchange, jwt_for, path_of, server_app, text};
use crate::world::{ALICE, APP_SECRET, JWT, World};

/// The verification token of the last of `requests`.
fn proof(requests: &[Received]) -> Option<&str> {
    let last = requests.last().expect("a request");
    last.header("verification-token")
}

#[tokio::test]
async fn subscriptions_without_a_token_present_their_apps() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let token_path = format!("{APPS}/app/verification-token");
    assert_eq!(
        alice.get(&token_path).await.brief(),
        "404 CMN-102 [clientId]"
    );
    assert_eq!(
        alice.delete(&token_path).await.brief(),
        "404 CMN-102 [clientId]"
    );
    let made = alice.act(&token_path).await;
    assert_eq!(made.status, 201);
    let first = text(&made, "verificationToken");
    assert_eq!(
        text(&alice.get(&token_path).await, "verificationToken"),
        first
    );

    let receiver = Receiver::start().await;
    let body = json!({
        "eventFilters": ["/team-messaging/v1/posts"],
        "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
    });
    let subscribed = alice.post("/restapi/v1.0/subscription", &body).await;
    assert_eq!(subscribed.status, 200, "{subscribed:?}");
    assert_eq!(proof(&receiver.handshakes()), Some(first.as_str()));
    let other = Receiver::start().await;
    let endpoint = json!({ "url": other.address(), "eventTypes": ["post.*"], "handshake": "echo" });
    let endpoint = alice.post("/api/v1/endpoints", &endpoint).await;
    assert_eq!(endpoint.status, 201, "{endpoint:?}");
    assert_eq!(proof(&other.handshakes()), Some(first.as_str()));

    let post = async |count: usize| {
        let path = "/team-messaging/v1/chats/31/posts";
        let posted = alice.post(path, &json!({ "text": "hello" })).await;
        assert_eq!(posted.status, 201, "{posted:?}");
        [receiver.received(count).await, other.received(count).await]
    };
    for sent in post(1).await {
        assert_eq!(proof(&sent), Some(first.as_str()), "on a send");
    }
    let second = text(&alice.act(&token_path).await, "verificationToken");
    assert_ne!(first, second);
    for sent in post(2).await {
        assert_eq!(proof(&sent), Some(second.as_str()), "once it is replaced");
    }
    assert_eq!(alice.delete(&token_path).await.status, 204);
    for sent in post(3).await {
        assert_eq!(proof(&sent), None, "once it is gone");
    }
}

#[tokio::test]
async fn a_deleted_app_takes_along_what_hangs_on_it() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &server_app()).await;
    let (path, id) = (path_of(&made), text(&made, "clientId"));
    let jwt = jwt_for(&alice, &id).await;
    let secret = text(&made, "clientSecret");
    let granted = exchange(&world, &id, &secret, &jwt).await;
    let program = world.bearer(&text(&granted, "access_token"));
    let receiver = Receiver::start().await;
    let body = json!({
        "eventFilters": ["/team-messaging/v1/posts"],
        "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
    });
    let subscribed = program.post("/restapi/v1.0/subscription", &body).await;
    assert_eq!(subscribed.status, 200, "{subscribed:?}");
    let personal = json!({
        "kind": "PersonalAccessToken", "name": "p", "clientId": id, "permissions": ["TeamMessaging"],
    });
    let personal = alice.post("/api/v1/credentials", &personal).await;
    let personal = world.bearer(&text(&personal, "token"));
    let chats = "/team-messaging/v1/chats";
    assert_eq!(personal.get(chats).await.status, 200);
    let usage = alice.get(&path).await.json()["usage"].clone();
    let expect = json!({ "subscriptions": 1, "endpoints": 0, "sessions": 1, "credentials": 2 });
    assert_eq!(usage, expect);

    assert_eq!(alice.delete(&path).await.status, 204);
    assert_eq!(alice.get(&path).await.brief(), "404 CMN-102 [clientId]");
    assert_eq!(program.get(chats).await.brief(), "401 OAU-213");
    assert_eq!(personal.get(chats).await.brief(), "401 OAU-213");
    assert_eq!(exchange(&world, &id, &secret, &jwt).await.status, 401);
    let left = alice.get("/api/v1/subscriptions").await;
    assert_eq!(left.records("id"), Vec::<String>::new(), "{left:?}");
    let left = alice.get("/api/v1/credentials").await;
    assert_eq!(left.records("clientId"), ["app"], "that of the world stays");
    assert_eq!(exchange(&world, "app", APP_SECRET, JWT).await.status, 200);
}

/// Tells that somebody asked, and when they may be answered.
type Gate = (oneshot::Sender<()>, oneshot::Receiver<()>);

/// Passes the first handshake when it is let.
async fn pass(State(gate): State<Arc<Mutex<Option<Gate>>>>, headers: HeaderMap) -> HeaderMap {
    let gate = gate.lock().expect("nobody panics").take();
    let (asked, answer) = gate.expect("it is asked once");
    asked.send(()).expect("the test waits");
    answer.await.expect("the test lets it");
    let token = headers["validation-token"].clone();
    HeaderMap::from_iter([(http::HeaderName::from_static("validation-token"), token)])
}

#[tokio::test]
async fn what_begins_while_its_app_is_deleted_does_not_live() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = created(&alice, &server_app()).await;
    let (path, id) = (path_of(&made), text(&made, "clientId"));
    let (jwt, secret) = (jwt_for(&alice, &id).await, text(&made, "clientSecret"));
    let granted = exchange(&world, &id, &secret, &jwt).await;
    let program = world.bearer(&text(&granted, "access_token"));

    let (asked, is_asked) = oneshot::channel();
    let (answer, may_answer) = oneshot::channel();
    let gate = Arc::new(Mutex::new(Some((asked, may_answer))));
    let slow = Router::new().fallback(pass).with_state(gate);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let slow = tokio::spawn(axum::serve(listener, slow).into_future());
    let body = json!({
        "eventFilters": ["/team-messaging/v1/posts"],
        "deliveryMode": { "transportType": "WebHook", "address": format!("http://{address}/") },
    });
    let subscribe =
        tokio::spawn(async move { program.post("/restapi/v1.0/subscription", &body).await });
    is_asked.await.expect("the address is asked");
    assert_eq!(alice.delete(&path).await.status, 204);
    answer.send(()).expect("the address waits");
    let refused = subscribe.await.expect("it does not panic");
    assert_eq!(refused.brief(), "401 OAU-213");
    let left = alice.get("/api/v1/subscriptions").await;
    assert_eq!(left.records("id"), Vec::<String>::new(), "{left:?}");
    slow.abort();
}
