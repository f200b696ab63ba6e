//! Requests as they come, on an open stream.

use std::time::Duration;

use http::{Method, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{bin, call, requests};
use crate::client::Client;
use crate::world::{ACCOUNT, ALICE, World};

/// An open stream of requests.
pub(super) struct Stream {
    response: Response<Incoming>,
    text: String,
    first: String,
}

impl Stream {
    pub(super) async fn open(client: &Client, bin: &str, headers: &[(&str, &str)]) -> Self {
        let path = format!("{bin}/stream");
        let response = client.open(Method::GET, &path, headers, "").await;
        assert_eq!(response.status(), 200);
        let mut stream = Self {
            response,
            text: String::new(),
            first: String::new(),
        };
        stream.first = stream.event().await;
        stream
    }

    /// The next event or comment; `None` when the server has ended the stream.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(event);
            }
            let frame = self.response.body_mut().frame();
            let frame = tokio::time::timeout(Duration::from_secs(20), frame);
            let frame = frame.await.expect("something happens in time")?;
            let data = frame.expect("a whole stream").into_data().expect("data");
            self.text
                .push_str(std::str::from_utf8(&data).expect("text"));
        }
    }

    pub(super) async fn event(&mut self) -> String {
        self.next().await.expect("the stream goes on")
    }
}

#[tokio::test]
async fn requests_are_told_as_they_come_and_caught_up_on() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, url) = bin(&alice, &json!({})).await;
    let (_, other) = bin(&alice, &json!({})).await;
    call(&world, &url).await;
    let mut stream = Stream::open(&alice, &path, &[]).await;
    assert_eq!(stream.first, "id: 1\nevent: ready\ndata: {}");
    call(&world, &other).await;
    call(&world, &format!("{url}/two")).await;
    let two = stream.event().await;
    let (head, data) = two.split_once("data: ").expect("data");
    assert_eq!(head, "id: 2\nevent: request\n");
    let data: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(data, requests(&alice, &path).await[0]);
    drop(stream);
    call(&world, &format!("{url}/three")).await;
    let mut stream = Stream::open(&alice, &path, &[("last-event-id", "2")]).await;
    assert_eq!(stream.first, "id: 2\nevent: ready\ndata: {}");
    assert!(stream.event().await.contains("/three"));
    call(&world, &format!("{url}/four")).await;
    assert!(stream.event().await.contains("/four"));
    // What was forgotten cannot be told any more.
    alice.delete(&format!("{path}/requests")).await;
    call(&world, &format!("{url}/five")).await;
    let stream = Stream::open(&alice, &path, &[("last-event-id", "2")]).await;
    assert_eq!(stream.first, "id: 5\nevent: reset\ndata: {}");
}

#[tokio::test]
async fn who_missed_too_many_requests_reads_anew() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (path, url) = bin(&alice, &json!({})).await;
    for _ in 0..101 {
        call(&world, &url).await;
    }
    let stream = Stream::open(&alice, &path, &[("last-event-id", "1")]).await;
    assert_eq!(stream.first, "id: 1\nevent: ready\ndata: {}");
    let stream = Stream::open(&alice, &path, &[("last-event-id", "0")]).await;
    assert_eq!(stream.first, "id: 101\nevent: reset\ndata: {}");
}

#[tokio::test]
async fn a_stream_ends_with_its_bin_and_with_the_right_to_look() {
    let world = World::start_with(|settings| {
        settings.live_ping_period = Duration::from_millis(20);
    })
    .await;
    let alice = world.signed_in(ALICE).await;
    let (doomed, _) = bin(&alice, &json!({})).await;
    let (path, _) = bin(&alice, &json!({})).await;
    let mut first = Stream::open(&alice, &doomed, &[]).await;
    let mut second = Stream::open(&alice, &path, &[]).await;
    let rest = async |stream: &mut Stream| {
        while let Some(event) = stream.next().await {
            assert_eq!(event, ": ping");
        }
    };
    assert_eq!(alice.delete(&doomed).await.status, 204);
    rest(&mut first).await;
    assert_eq!(second.event().await, ": ping");
    world.set_admin(ACCOUNT, ALICE, false).await;
    rest(&mut second).await;
}
