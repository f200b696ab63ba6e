//! Bins: who has them, what they show, how they answer, and what of it is live.

mod answers;
mod stream;

use std::time::Duration;

use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{BinId, Scope, SigningSecret};
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use self::stream::Stream;
use crate::client::{Answer, Client, hide_numbers};
use crate::world::{ACCOUNT, ALICE, BOB, MALLORY, OTHER_ACCOUNT, World};

const BINS: &str = "/api/v1/bins";

/// A new bin: its path in the API, and the path of its URL.
async fn bin(client: &Client, body: &Value) -> (String, String) {
    let answer = client.post(BINS, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let bin = answer.json();
    let url = bin["url"].as_str().expect("an address");
    let path = url
        .strip_prefix(&format!("http://{}", client.address))
        .expect("our address");
    (format!("{BINS}/{}", answer.id()), path.to_owned())
}

async fn answering(client: &Client, answer: Value) -> (String, String) {
    bin(client, &json!({ "answer": answer })).await
}

async fn requests(client: &Client, bin: &str) -> Vec<Value> {
    let list = client.get(&format!("{bin}/requests?limit=250")).await;
    list.json()["records"].as_array().expect("a list").clone()
}

async fn call(world: &World, path: &str) -> Answer {
    world.nobody().send(Method::POST, path, &[], "x").await
}

#[tokio::test]
async fn a_bin_is_made_read_changed_and_deleted() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = alice.post(BINS, &json!({"name": " Orders "})).await;
    assert_eq!(made.status, 201);
    let url = made.json()["url"].as_str().expect("an address").to_owned();
    let token = url.rsplit('/').next().expect("a token").to_owned();
    assert_eq!(token.len(), 43, "256 random bits");
    let shown = made.shown().replace(&token, "<token>");
    let shown = shown.replace(&world.address.to_string(), "<address>");
    insta::assert_snapshot!(shown);
    let path = format!("{BINS}/{}", made.id());
    assert_eq!(alice.get(&path).await.json(), made.json());

    let change =
        json!({"answer": {"status": 503, "headers": {"X-A": "1"}, "sequence": [{"status": 418}]}});
    let changed = alice.patch(&path, &change).await;
    assert_eq!(changed.status, 200);
    let change = json!({"name": "Bills", "answer": {"body": "no", "repeat": "cycle"}});
    let changed = alice.patch(&path, &change).await.json();
    assert_eq!(changed["name"], "Bills");
    assert_eq!(
        changed["answer"],
        json!({
            "status": 503, "headers": {"X-A": "1"}, "body": "no", "delayMs": 0,
            "sequence": [{"status": 418, "headers": {}, "body": "", "delayMs": 0}],
            "repeat": "cycle", "handshake": true,
        })
    );
    assert_eq!(alice.get(&path).await.json(), changed);
    let plain = alice
        .patch(&path, &json!({"answer": {"sequence": []}}))
        .await;
    assert_eq!(plain.json()["answer"]["sequence"], Value::Null);

    assert_eq!(alice.delete(&path).await.status, 204);
    assert_eq!(alice.get(&path).await.brief(), "404 CMN-102 [binId]");
    assert_eq!(alice.delete(&path).await.brief(), "404 CMN-102 [binId]");
    let gone = call(&world, &format!("/bin/{token}")).await;
    assert_eq!(gone.brief(), "404 CMN-102 [token]");
}

#[tokio::test]
async fn bins_are_for_administrators_of_their_account() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, _) = bin(&alice, &json!({})).await;
    let narrow = [Scope::TeamMessaging].into_iter().collect();
    let narrow = world.signed_in_with(ALICE, narrow, "app").await;
    let bob = world.signed_in(BOB).await;
    let nobody = world.nobody();
    let below = |rest: &str| format!("{path}{rest}");
    for (method, path) in [
        (Method::GET, BINS.to_owned()),
        (Method::POST, BINS.to_owned()),
        (Method::GET, path.clone()),
        (Method::PATCH, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::GET, below("/requests")),
        (Method::DELETE, below("/requests")),
        (Method::GET, below("/stream")),
    ] {
        for (client, expect) in [
            (&nobody, "401 AGW-401"),
            (&narrow, "403 CMN-401"),
            (&bob, "403 CMN-408"),
        ] {
            let answer = client.send(method.clone(), &path, &[], "").await;
            assert_eq!(answer.brief(), expect, "{method} {path}");
        }
    }
    // Nothing of it was done.
    assert_eq!(alice.get(&path).await.json()["name"], "");
    assert_eq!(alice.get(BINS).await.records("id").len(), 1);
}

#[tokio::test]
async fn bins_of_another_account_do_not_exist() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, _) = bin(&alice, &json!({})).await;
    world.set_admin(OTHER_ACCOUNT, MALLORY, true).await;
    let mallory = world.signed_in(MALLORY).await;
    assert_eq!(mallory.get(BINS).await.records("id"), [""; 0]);
    for (method, rest) in [
        (Method::GET, ""),
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::GET, "/requests"),
        (Method::DELETE, "/requests"),
        (Method::GET, "/stream"),
    ] {
        let answer = mallory
            .send(method, &format!("{path}{rest}"), &[], "")
            .await;
        assert_eq!(answer.brief(), "404 CMN-102 [binId]", "{rest}");
    }
    assert_eq!(alice.get(&path).await.status, 200);
    let nonsense = alice.get(&format!("{BINS}/x")).await;
    assert_eq!(nonsense.brief(), "404 CMN-102 [binId]");
}

#[tokio::test]
async fn an_account_has_a_hundred_bins_and_no_more() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mut last = String::new();
    for _ in 0..100 {
        (last, _) = bin(&alice, &json!({})).await;
    }
    let refused = alice.post(BINS, &json!({})).await;
    assert_eq!(refused.brief(), "403 CMN-107");
    assert_eq!(
        refused.json()["message"],
        "There are 100 of [bins] already, which is the most; delete one first"
    );
    let renamed = alice.patch(&last, &json!({"name": "Last"})).await;
    assert_eq!(renamed.status, 200);
    assert_eq!(alice.delete(&last).await.status, 204);
    bin(&alice, &json!({})).await;
}

#[tokio::test]
async fn lists_lead_from_page_to_page() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(bin(&alice, &json!({})).await);
    }
    let first = alice.get(&format!("{BINS}?limit=2")).await;
    let next = first.json()["nextPageToken"].clone();
    let next = next.as_str().expect("there is more");
    let second = alice.get(&format!("{BINS}?pageToken={next}")).await;
    assert_eq!(second.json()["nextPageToken"], Value::Null);
    let listed = [first.records("id"), second.records("id")].concat();
    let newest: Vec<_> = made.iter().rev().map(|(path, _)| path.clone()).collect();
    let listed: Vec<_> = listed.iter().map(|id| format!("{BINS}/{id}")).collect();
    assert_eq!(listed, newest);

    let (path, url) = &made[0];
    for _ in 0..3 {
        call(&world, url).await;
    }
    let first = alice.get(&format!("{path}/requests?limit=2")).await;
    let next = first.json()["nextPageToken"].clone();
    let next = next.as_str().expect("there is more");
    // What comes meanwhile moves nothing.
    call(&world, url).await;
    let second = alice
        .get(&format!("{path}/requests?pageToken={next}"))
        .await;
    let numbers = |answer: &Answer| -> Vec<u64> {
        let body = answer.json();
        let records = body["records"].as_array().expect("a list");
        records
            .iter()
            .filter_map(|record| record["number"].as_u64())
            .collect()
    };
    assert_eq!(numbers(&first), [3, 2]);
    assert_eq!(numbers(&second), [1]);
    let of_another = format!("{}/requests?pageToken={next}", made[1].0);
    assert_eq!(
        alice.get(&of_another).await.brief(),
        "400 CMN-101 [pageToken]"
    );
}

#[tokio::test]
async fn a_request_is_shown_as_it_came() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, url) = bin(&alice, &json!({})).await;
    let headers = [
        ("authorization", "Bearer of-the-sender"),
        ("x-twice", "a"),
        ("x-twice", "b"),
    ];
    let target = format!("{url}/orders/a%2Fb?x=1&y=%20");
    let nobody = world.nobody();
    let purge = Method::from_bytes(b"PURGE").expect("a method");
    let answer = nobody.send(purge, &target, &headers, "{\"a\": 1 }").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    let shown = requests(&alice, &path).await.remove(0);
    let text = serde_json::to_string_pretty(&shown).expect("JSON is text");
    let text = text.replace(&world.address.to_string(), "<address>");
    insta::assert_snapshot!(hide_numbers(&text));
    assert_eq!(alice.get(&path).await.json()["requests"], 1);
    assert_eq!(alice.delete(&format!("{path}/requests")).await.status, 204);
    assert_eq!(requests(&alice, &path).await, [] as [Value; 0]);
    assert_eq!(alice.get(&path).await.json()["requests"], 0);
}

#[tokio::test]
async fn every_method_and_every_path_below_is_taken() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, url) = answering(&alice, json!({"status": 418, "body": "teapot"})).await;
    let nobody = world.nobody();
    for (method, rest) in [
        (Method::GET, ""),
        (Method::HEAD, "/"),
        (Method::PUT, "/a"),
        (Method::DELETE, "/a/"),
        (Method::OPTIONS, "//b"),
        (Method::PATCH, "/%00?q"),
    ] {
        let answer = nobody
            .send(method.clone(), &format!("{url}{rest}"), &[], "")
            .await;
        assert_eq!(answer.status, 418, "{method} {rest}");
        let body = if method == Method::HEAD { "" } else { "teapot" };
        assert_eq!(answer.body, body);
    }
    let shown = requests(&alice, &path).await;
    let shown: Vec<_> = shown
        .iter()
        .map(|one| format!("{} {} {}", one["method"], one["path"], one["query"]).replace('"', ""))
        .collect();
    let expect = [
        "PATCH /%00 q",
        "OPTIONS //b ",
        "DELETE /a/ ",
        "PUT /a ",
        "HEAD / ",
        "GET / ",
    ];
    assert_eq!(shown, expect);
}

#[tokio::test]
async fn large_and_binary_bodies_are_kept_in_part_and_counted_in_full() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, url) = bin(&alice, &json!({})).await;
    let nobody = world.nobody();
    // The cut falls within the last character.
    let text = "é".repeat(40_000);
    let text = format!("x{text}");
    assert_eq!(
        nobody
            .send(Method::POST, &url, &[], text.clone())
            .await
            .status,
        200
    );
    assert_eq!(
        nobody
            .send(Method::POST, &url, &[], &b"\xff\x00"[..])
            .await
            .status,
        200
    );
    let refused = raw(&world, &url, 32 * 1024 * 1024 + 1).await;
    assert!(refused.starts_with("HTTP/1.1 413 "), "{refused}");
    let shown = requests(&alice, &path).await;
    let part = |one: &Value| {
        let body = one["body"].as_str().expect("a body").len();
        let said = ["bodyEncoding", "bodyBytes", "truncated", "turn"].map(|name| one[name].clone());
        (body, json!(said))
    };
    assert_eq!(part(&shown[2]), (65_535, json!(["utf-8", 80_001, true, 1])));
    assert_eq!(part(&shown[1]), (4, json!(["base64", 2, false, 2])));
    assert_eq!(
        part(&shown[0]),
        (0, json!(["utf-8", 33_554_433, true, null]))
    );
    assert!(text.starts_with(shown[2]["body"].as_str().expect("a body")));
}

/// Announces a body of some length, sends five bytes of it, and reads what comes back.
async fn raw(world: &World, path: &str, length: usize) -> String {
    let mut stream = TcpStream::connect(world.address).await.expect("a listener");
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\nhello");
    stream.write_all(head.as_bytes()).await.expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it closes");
    answer
}

#[tokio::test]
async fn a_body_that_does_not_come_is_kept_as_far_as_it_came() {
    let world = World::start_with(|settings| {
        settings.body_read_timeout = Duration::from_millis(50);
    })
    .await;
    let alice = world.signed_in(ALICE).await;
    let (path, url) = bin(&alice, &json!({})).await;
    let answer = raw(&world, &url, 100).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let shown = requests(&alice, &path).await.remove(0);
    assert_eq!(shown["body"], "hello");
    assert_eq!(shown["bodyBytes"], 100);
    assert_eq!(shown["truncated"], true);
}

#[tokio::test]
async fn a_subscription_can_deliver_to_a_bin() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, url) = bin(&alice, &json!({})).await;
    let subscription = json!({
        "eventFilters": ["/restapi/v1.0/glip/posts"],
        "deliveryMode": {
            "transportType": "WebHook",
            "address": format!("http://{}{url}", world.address),
        },
    });
    let made = alice
        .post("/restapi/v1.0/subscription", &subscription)
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    assert_eq!(requests(&alice, &path).await.len(), 1, "the handshake");
    let mut stream = Stream::open(&alice, &path, &[]).await;
    let posts = "/team-messaging/v1/chats/31/posts";
    alice.post(posts, &json!({"text": "hello"})).await.id();
    let event = stream.event().await;
    assert!(event.contains(r#"\"text\":\"hello\""#), "{event}");
}

#[tokio::test]
async fn a_bin_tells_whose_signature_it_received() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, url) = bin(&alice, &json!({})).await;
    let endpoint = async |address: &str, secret: &SigningSecret| {
        let body = json!({
            "url": format!("http://{}{address}", world.address),
            "eventTypes": ["*"],
            "secret": secret.text().reveal(),
        });
        let made = alice.post("/api/v1/endpoints", &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.id()
    };
    let [one, two, stranger] = [1, 2, 3].map(|byte| SigningSecret::from_random([byte; 32]));
    let send = async |secret: &SigningSecret, signed: Vec<u8>, sent: Vec<u8>| {
        let signature = secret.sign("evt_1", 1_800_000_000, &signed);
        let headers = [
            ("webhook-id", "evt_1"),
            ("webhook-timestamp", "1800000000"),
            ("webhook-signature", &signature),
        ];
        let nobody = world.nobody();
        let answer = nobody.send(Method::POST, &url, &headers, sent).await;
        assert_eq!(answer.status, 200);
        requests(&alice, &path).await.remove(0)["signature"].clone()
    };
    let small = || b"{}".to_vec();
    let nobodys = json!({"verified": null, "endpointId": null});
    assert_eq!(send(&one, small(), small()).await, nobodys);
    let first = endpoint(&format!("{url}/below"), &one).await;
    let by_first = |verified: Value| json!({"verified": verified, "endpointId": first});
    assert_eq!(send(&one, small(), small()).await, by_first(json!(true)));
    assert_eq!(
        send(&stranger, small(), small()).await,
        by_first(json!(false))
    );
    // Whoever changes a byte that is no longer kept is found out as well.
    let large = vec![b'x'; 100_000];
    let mut bent = large.clone();
    bent[99_999] = b'y';
    assert_eq!(
        send(&one, large.clone(), large.clone()).await,
        by_first(json!(true))
    );
    assert_eq!(send(&one, large, bent).await, by_first(json!(false)));
    let huge = vec![b'x'; 4 * 1024 * 1024 + 1];
    assert_eq!(send(&one, huge.clone(), huge).await, nobodys);

    let second = endpoint(&url, &two).await;
    let by_second = json!({"verified": true, "endpointId": second});
    assert_eq!(send(&two, small(), small()).await, by_second);
    assert_eq!(send(&one, small(), small()).await, by_first(json!(true)));
    let by_somebody = json!({"verified": false, "endpointId": null});
    assert_eq!(send(&stranger, small(), small()).await, by_somebody);
    call(&world, &url).await;
    let unsigned = requests(&alice, &path).await.remove(0);
    assert_eq!(unsigned["signature"], nobodys);
}

#[tokio::test]
async fn what_an_endpoint_delivers_to_a_bin_is_verified() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, url) = bin(&alice, &json!({})).await;
    let body = json!({
        "url": format!("http://{}{url}", world.address),
        "eventTypes": ["invoice.paid"],
    });
    let endpoint = alice.post("/api/v1/endpoints", &body).await.id();
    let mut stream = Stream::open(&alice, &path, &[]).await;
    let test = json!({"eventType": "post.PostAdded"});
    let sent = alice
        .post(&format!("/api/v1/endpoints/{endpoint}/test"), &test)
        .await;
    assert_eq!(sent.status, 202, "{sent:?}");
    let event = stream.event().await;
    let (_, data) = event.split_once("data: ").expect("data");
    let request: Value = serde_json::from_str(data).expect("JSON");
    let expect = json!({"verified": true, "endpointId": endpoint});
    assert_eq!(request["signature"], expect, "{request}");
}

#[tokio::test]
async fn the_store_keeps_no_bin_under_its_token() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = alice.post(BINS, &json!({})).await;
    let id: BinId = made.id().parse().expect("an id");
    let (bin, _) = world
        .store
        .bin(ACCOUNT, id)
        .await
        .expect("a store")
        .expect("a bin");
    assert!(
        !made.json()["url"]
            .as_str()
            .expect("an address")
            .contains(&made.id())
    );
    assert!(!bin.token.reveal().contains(&made.id()));
    let by_id = call(&world, &format!("/bin/{id}")).await;
    assert_eq!(by_id.brief(), "404 CMN-102 [token]");
}
