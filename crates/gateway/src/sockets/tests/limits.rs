//! Slow readers, too many connections, sign-out and the end of the server.

use std::time::Duration;

use hookyard_domain::SessionId;
use hookyard_domain::kernel::component::Component as _;
use hookyard_domain::kernel::limits::{
    SOCKET_BEHIND_MAX, SOCKET_BUFFER_MAX, SOCKETS_PER_SESSION_MAX_DEFAULT,
};
use hookyard_domain::kernel::ports::{LiveSubscriptions as _, SocketGone};
use tokio::time::{Instant, sleep};

use super::client::{Got, Yard, seconds_since, socket_of, token_of};
use crate::sockets::sample;

#[tokio::test(start_paused = true)]
async fn a_burst_is_no_reason_to_lose_a_reader() {
    let yard = Yard::open();
    let (mut client, _) = yard.subscribed(1).await;
    yard.post(1..=SOCKET_BEHIND_MAX as u64);
    for expect in 1..=SOCKET_BEHIND_MAX as u64 {
        assert_eq!(client.event().await, expect);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_too_far_behind_is_cut_off_and_gets_the_newest_back() {
    let yard = Yard::open();
    let (mut slow, token) = yard.subscribed(1).await;
    let (mut quick, _) = yard.subscribed(2).await;
    let newest = SOCKET_BEHIND_MAX as u64 + 100;
    for number in 1..=newest {
        yard.post([number]);
        assert_eq!(quick.event().await, number, "others are not held up");
    }
    let mut last = 0;
    let problem = loop {
        match slow.next().await {
            Got::Frame(frame) if frame[0]["type"] == "Error" => break frame,
            Got::Frame(frame) => {
                last = frame[1]["uuid"].as_str().unwrap().parse().unwrap();
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(problem[1]["errorCode"], "WSG-904");
    assert_eq!(slow.next().await, Got::Close(1008));
    assert!(last < 100, "what it had before");
    let (mut client, details) = yard.connect(Some(&token)).await;
    assert_eq!(details[1]["recoveryState"], "Successful");
    for expect in newest + 1 - SOCKET_BUFFER_MAX as u64..=newest {
        assert_eq!(client.event().await, expect);
    }
    yard.post([newest + 1]);
    assert_eq!(client.event().await, newest + 1, "and goes on");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_for_half_a_minute_is_cut_off() {
    let yard = Yard::open();
    let began = Instant::now();
    let (client, _) = yard.subscribed(1).await;
    yard.post(1..=50);
    // Nothing is read. Half a minute for the frame, two seconds for the last words, three minutes
    // for the session.
    let super::client::Client { serving, says, .. } = client;
    serving.await.unwrap();
    drop(says);
    assert_eq!(seconds_since(began), 30 + 2 + 180);
    assert_eq!(
        yard.history()["1"],
        "Disconnected: The client read too slowly and did not recover"
    );
}

#[tokio::test(start_paused = true)]
async fn signing_out_ends_every_socket_of_the_session() {
    let yard = Yard::open();
    let (mut client, _) = yard.subscribed(1).await;
    let (away, token) = yard.subscribed(2).await;
    let waiting = {
        let super::client::Client { serving, says, .. } = away;
        drop(says);
        serving
    };
    tokio::task::yield_now().await;
    let mut other = yard.dial("of-another-session", None);
    other.frame().await;
    let began = Instant::now();
    yard.sign_out(1);
    let (problem, close) = client.last_words().await;
    assert_eq!((problem.as_str(), close), ("401 OAU-213", Got::Close(1008)));
    client.serving.await.unwrap();
    waiting.await.unwrap();
    assert_eq!(seconds_since(began), 0);
    for id in ["1", "2"] {
        assert_eq!(
            yard.history()[id],
            "Disconnected: Its session was signed out"
        );
    }
    assert_eq!(yard.sockets.count(), 1, "another session's");
    let gone = yard.sockets.put(sample::subscription(3, socket_of(&token)));
    assert_eq!(gone, Err(SocketGone));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_while_it_connects_is_noticed() {
    let yard = Yard::open();
    yard.stage.ended.lock().unwrap().push(SessionId(1));
    let mut client = yard.dial("good", None);
    client.frame().await;
    assert_eq!(client.last_words().await.0, "401 OAU-213");
    client.serving.await.unwrap();
    assert_eq!(yard.sockets.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn fifty_connections_of_a_session_and_not_one_more() {
    let yard = Yard::open();
    let mut clients = Vec::new();
    for _ in 0..SOCKETS_PER_SESSION_MAX_DEFAULT {
        clients.push(yard.connect(None).await.0);
    }
    let mut late = yard.dial("good", None);
    assert_eq!(late.last_words().await.0, "403 WSG-905");
    let mut other = yard.dial("of-another-session", None);
    assert_eq!(other.frame().await[0]["type"], "ConnectionDetails");
    // One that is gone makes room, though it could still be recovered.
    clients.pop().unwrap().break_off().await;
    sleep(Duration::from_secs(1)).await;
    let (_client, _) = yard.connect(None).await;
    assert_eq!(yard.sockets.count(), SOCKETS_PER_SESSION_MAX_DEFAULT + 1);
}

#[tokio::test(start_paused = true)]
async fn stopping_closes_every_connection_and_finishes_its_requests() {
    let yard = Yard::open();
    let (mut client, details) = yard.connect(None).await;
    yard.subscribe(1, &token_of(&details));
    client
        .say(r#"[{"type":"ClientRequest","messageId":"1","method":"GET","path":"/restapi/slow"}]"#);
    sleep(Duration::from_secs(1)).await;
    yard.gateway.stop(Instant::now().into_std()).await;
    yard.stage.gate.notify_one();
    assert_eq!(client.frame().await[0]["status"], 200);
    assert_eq!(client.next().await, Got::Close(1001));
    client.serving.await.unwrap();
    assert_eq!(yard.history()["1"], "Disconnected: The server stopped");
    let mut late = yard.dial("good", None);
    assert_eq!(late.last_words().await.0, "503 CMN-204");
}

#[tokio::test(start_paused = true)]
async fn a_removed_subscription_is_told_nothing_more() {
    let yard = Yard::open();
    let (mut client, token) = yard.subscribed(1).await;
    let subscription = sample::subscription(1, socket_of(&token));
    let (account, owner) = (subscription.account, subscription.owner);
    assert_eq!(yard.sockets.subscriptions(account, owner, None).len(), 1);
    let app = Some(&subscription.client_id);
    assert_eq!(yard.sockets.subscriptions(account, owner, app).len(), 1);
    yard.sockets
        .remove(hookyard_domain::AccountId(1), subscription.id);
    yard.post([1]);
    assert_eq!(client.event().await, 1, "another account removes nothing");
    yard.post([2]);
    yard.sockets.remove(account, subscription.id);
    assert!(
        yard.sockets
            .subscription(account, subscription.id)
            .is_none()
    );
    yard.post([3]);
    client.say(r#"[{"type":"Heartbeat"}]"#);
    let next = client.frame().await;
    assert_eq!(next[0]["type"], "Heartbeat", "{next}");
}

/// Ten thousand connections wait for something to happen: what each task holds counts.
#[tokio::test(start_paused = true)]
async fn a_connections_task_is_small() {
    let yard = Yard::open();
    let (_, incoming) = tokio::sync::mpsc::unbounded_channel();
    let size = yard.size_of_converse(incoming);
    assert!(size <= 3_072, "{size} bytes");
}
