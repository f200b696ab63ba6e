//! Live events: what a page hears, what it catches up on, and when it stops.

use std::time::Duration;

use http::{Method, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::json;

use crate::client::{Client, hide_numbers};
use crate::world::{ALICE, BOB, CAROL, MALLORY, World};

const LIVE: &str = "/api/v1/live";

/// An open stream of events.
struct Stream {
    response: Response<Incoming>,
    text: String,
    /// The id that the stream began with.
    began: String,
}

impl Stream {
    async fn open(client: &Client, headers: &[(&str, &str)]) -> Self {
        let response = client.open(Method::GET, LIVE, headers, "").await;
        assert_eq!(response.status(), 200);
        let kind = &response.headers()["content-type"];
        assert!(kind.as_bytes().starts_with(b"text/event-stream"));
        let mut stream = Self {
            response,
            text: String::new(),
            began: String::new(),
        };
        let first = stream.next().await.expect("a first event");
        assert!(first.contains("event: ready"), "{first}");
        stream.began = id_of(&first);
        stream
    }

    /// The next event or comment; `None` when the server has ended the stream.
    async fn next(&mut self) -> Option<String> {
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

    async fn event(&mut self) -> String {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if !event.starts_with(':') {
                return event;
            }
        }
    }
}

fn id_of(event: &str) -> String {
    let line = event.lines().find_map(|line| line.strip_prefix("id: "));
    line.expect("events have ids").to_owned()
}

async fn team(client: &Client, members: &[u64]) -> String {
    let members: Vec<_> = members.iter().map(|id| json!({ "id": id })).collect();
    let body = json!({"name": "Ops", "members": members});
    client.post("/team-messaging/v1/teams", &body).await.id()
}

async fn say(client: &Client, chat: &str, text: &str) {
    let posts = format!("/team-messaging/v1/chats/{chat}/posts");
    client.post(&posts, &json!({ "text": text })).await.id();
}

#[tokio::test]
async fn members_hear_of_chats_and_posts_as_they_happen() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mut bob = Stream::open(&world.signed_in(BOB).await, &[]).await;
    let chat = team(&alice, &[12]).await;
    say(&alice, &chat, "hello").await;
    let heard = [bob.event().await, bob.event().await].join("\n\n");
    insta::assert_snapshot!("heard", hide_numbers(&heard));
}

#[tokio::test]
async fn others_hear_nothing() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let carol_client = world.signed_in(CAROL).await;
    let mut carol = Stream::open(&carol_client, &[]).await;
    let mallory_client = world.signed_in(MALLORY).await;
    let mut mallory = Stream::open(&mallory_client, &[]).await;
    let secret = team(&alice, &[12]).await;
    say(&alice, &secret, "secret").await;
    // The next thing that each of them hears is their own.
    let own = team(&carol_client, &[]).await;
    assert!(carol.event().await.contains(&own));
    let own = team(&mallory_client, &[]).await;
    assert!(mallory.event().await.contains(&own));
}

#[tokio::test]
async fn who_comes_back_catches_up_on_what_was_missed() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let chat = team(&alice, &[12]).await;
    let mut stream = Stream::open(&bob, &[]).await;
    say(&alice, &chat, "one").await;
    let last = id_of(&stream.event().await);
    drop(stream);
    say(&alice, &chat, "two").await;
    let secret = team(&alice, &[]).await;
    say(&alice, &secret, "not for Bob").await;
    say(&alice, &chat, "three").await;
    let mut stream = Stream::open(&bob, &[("last-event-id", last.as_str())]).await;
    assert!(stream.event().await.contains("\"text\":\"two\""));
    assert!(stream.event().await.contains("\"text\":\"three\""));
    say(&alice, &chat, "four").await;
    assert!(stream.event().await.contains("\"text\":\"four\""));
}

#[tokio::test]
async fn who_has_heard_nothing_yet_catches_up_from_the_beginning_of_the_stream() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let chat = team(&alice, &[12]).await;
    world.clock.advance(Duration::from_secs(60));
    let bob = world.signed_in(BOB).await;
    let began = Stream::open(&bob, &[]).await.began;
    say(&alice, &chat, "one").await;
    let mut stream = Stream::open(&bob, &[("last-event-id", began.as_str())]).await;
    assert!(stream.event().await.contains("\"text\":\"one\""));
}

#[tokio::test]
async fn who_was_away_for_long_reads_anew() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let chat = team(&alice, &[]).await;
    for _ in 0..501 {
        say(&alice, &chat, "x").await;
    }
    let answer = alice
        .open(Method::GET, &format!("{LIVE}?lastEventId=1"), &[], "")
        .await;
    let mut stream = Stream {
        response: answer,
        text: String::new(),
        began: String::new(),
    };
    assert!(stream.event().await.contains("event: reset"));
    say(&alice, &chat, "news").await;
    assert!(stream.event().await.contains("\"text\":\"news\""));
}

#[tokio::test]
async fn who_left_does_not_catch_up_on_what_was_said() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let chat = team(&alice, &[12]).await;
    let mut stream = Stream::open(&bob, &[]).await;
    say(&alice, &chat, "one").await;
    let last = id_of(&stream.event().await);
    drop(stream);
    say(&alice, &chat, "secret").await;
    let members = json!({"members": [{"id": "12"}]});
    let path = format!("/team-messaging/v1/teams/{chat}/remove");
    assert_eq!(alice.post(&path, &members).await.status, 204);
    let mut stream = Stream::open(&bob, &[("last-event-id", last.as_str())]).await;
    assert!(stream.event().await.contains("GroupLeft"));
}

#[tokio::test]
async fn deleting_a_team_is_told_with_the_webhooks_that_go_with_it() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let chat = team(&alice, &[12]).await;
    let webhooks = format!("/team-messaging/v1/groups/{chat}/webhooks");
    let webhook = alice.act(&webhooks).await.id();
    let mut bob = Stream::open(&world.signed_in(BOB).await, &[]).await;
    let mut stream = Stream::open(&alice, &[]).await;
    let path = format!("/team-messaging/v1/teams/{chat}");
    assert_eq!(alice.delete(&path).await.status, 204);
    assert!(stream.event().await.contains("GroupLeft"));
    let deleted = stream.event().await;
    assert!(
        deleted.contains("WebhookDeleted") && deleted.contains(&webhook),
        "{deleted}"
    );
    // The webhook's URL is not for everyone.
    assert!(bob.event().await.contains("GroupLeft"));
    let own = team(&world.signed_in(BOB).await, &[]).await;
    assert!(bob.event().await.contains(&own));
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_lives_and_ends_with_its_session() {
    let world = World::start_with(|settings| {
        settings.live_ping_period = Duration::from_millis(20);
    })
    .await;
    let bob = world.signed_in(BOB).await;
    let mut stream = Stream::open(&bob, &[]).await;
    assert_eq!(stream.next().await.as_deref(), Some(": ping"));
    world.clock.advance(Duration::from_secs(3_600));
    let mut rest = stream.next().await;
    while rest.as_deref() == Some(": ping") {
        rest = stream.next().await;
    }
    assert_eq!(rest, None);
}

#[tokio::test]
async fn listening_takes_a_token() {
    let world = World::start().await;
    assert_eq!(world.nobody().get(LIVE).await.brief(), "401 AGW-401");
}

#[tokio::test]
async fn administrators_hear_of_all_events() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let path = "/api/v1/events/stream";
    let response = alice.open(Method::GET, path, &[], "").await;
    assert_eq!(response.status(), 200);
    let kind = &response.headers()["content-type"];
    assert!(kind.as_bytes().starts_with(b"text/event-stream"));
    let carol = world.signed_in(CAROL).await;
    assert_eq!(carol.get(path).await.status, 403);
}
