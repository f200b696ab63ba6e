//! When connections and sessions end, to the second.

use std::time::Duration;

use hookyard_domain::kernel::ports::{Clock as _, LiveSubscriptions as _};
use hookyard_testkit::sample::ACCOUNT;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::client::{Got, Yard, seconds_since, socket_of, token_of};
use crate::sockets::sample;

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_told_after_half_an_hour() {
    let yard = Yard::open();
    let began = Instant::now();
    let (mut client, _) = yard.connect(None).await;
    let (problem, close) = client.last_words().await;
    assert_eq!((problem.as_str(), close), ("408 WSG-902", Got::Close(1000)));
    assert_eq!(seconds_since(began), 1_800);
    assert_eq!(client.next().await, Got::Nothing);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_says_keeps_it_from_being_idle_and_its_pongs_do_not() {
    let yard = Yard::open();
    let began = Instant::now();
    let (mut client, _) = yard.connect(None).await;
    let says = client.says.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(1_000)).await;
        let _ = says.send(Ok(Message::text(
            r#"[{"type":"Heartbeat","messageId":"h"}]"#,
        )));
        sleep(Duration::from_secs(1_000)).await;
        let _ = says.send(Ok(Message::Ping("?".into())));
    });
    assert_eq!(
        client.frame().await.to_string(),
        r#"[{"messageId":"h","type":"Heartbeat"}]"#
    );
    let (problem, _) = client.last_words().await;
    assert_eq!(problem, "408 WSG-902");
    assert_eq!(seconds_since(began), 2_000 + 1_800);
}

#[tokio::test(start_paused = true)]
async fn no_connection_is_older_than_a_day() {
    let yard = Yard::open();
    let began = Instant::now();
    let (mut client, _) = yard.connect(None).await;
    let says = client.says.clone();
    let talking = tokio::spawn(async move {
        while says.send(Ok(Message::Ping("?".into()))).is_ok() {
            sleep(Duration::from_secs(600)).await;
        }
    });
    let (problem, close) = client.last_words().await;
    assert_eq!((problem.as_str(), close), ("408 WSG-903", Got::Close(1000)));
    assert_eq!(seconds_since(began), 86_400);
    talking.abort();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_no_ping_is_gone() {
    let yard = Yard::open();
    let began = Instant::now();
    let (mut client, _) = yard.subscribed(1).await;
    assert_eq!(client.next_of_all().await, Got::Ping);
    assert_eq!(seconds_since(began), 30);
    client.pong();
    assert_eq!(client.next_of_all().await, Got::Ping);
    assert_eq!(seconds_since(began), 60);
    // What is said meanwhile is not an answer.
    client.say(r#"[{"type":"Heartbeat"}]"#);
    assert!(matches!(client.next_of_all().await, Got::Frame(_)));
    assert_eq!(client.next_of_all().await, Got::Nothing);
    assert_eq!(seconds_since(began), 70);
    client.serving.await.unwrap();
    assert_eq!(seconds_since(began), 70 + 180);
    assert_eq!(
        yard.history()["1"],
        "Disconnected: The connection was lost and not recovered"
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_can_be_recovered_for_three_minutes() {
    let yard = Yard::open();
    let (client, token) = yard.subscribed(1).await;
    client.break_off().await;
    sleep(Duration::from_secs(179)).await;
    let (client, details) = yard.connect(Some(&token)).await;
    assert_eq!(details[1]["recoveryState"], "Successful");
    let token = token_of(&details);
    client.break_off().await;
    sleep(Duration::from_secs(181)).await;
    let (_client, details) = yard.connect(Some(&token)).await;
    assert_eq!(details[1]["recoveryState"], "Failed");
    assert_eq!(details[1]["recoveryErrorCode"], "WSG-1001");
    assert_eq!(yard.sockets.count(), 1, "the new one");
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_renewed_for_as_long_as_its_session_lives() {
    let yard = Yard::open();
    let (mut client, token) = yard.subscribed(1).await;
    let says = client.says.clone();
    let talking = tokio::spawn(async move {
        while says.send(Ok(Message::Ping("?".into()))).is_ok() {
            sleep(Duration::from_secs(600)).await;
        }
    });
    assert_eq!(client.last_words().await.0, "408 WSG-903");
    talking.abort();
    drop(client);
    sleep(Duration::from_secs(100)).await;
    let id = sample::subscription(1, socket_of(&token)).id;
    let renewed = yard.sockets.subscription(ACCOUNT, id).unwrap();
    assert!(renewed.version > 1);
    assert!(renewed.expires_at > yard.clock.now() + Duration::from_secs(40_000));
    yard.post([7]);
    let (mut client, details) = yard.connect(Some(&token)).await;
    assert_eq!(details[1]["recoveryState"], "Successful");
    assert_eq!(client.event().await, 7);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_received_long_ago_is_forgotten() {
    let yard = Yard::open();
    let (mut client, token) = yard.subscribed(1).await;
    yard.post([1, 2]);
    assert_eq!((client.event().await, client.event().await), (1, 2));
    for _ in 0..7 {
        assert_eq!(client.next_of_all().await, Got::Ping);
        client.pong();
    }
    yard.post([3]);
    assert_eq!(client.event().await, 3);
    client.break_off().await;
    let (mut client, _) = yard.connect(Some(&token)).await;
    assert_eq!(
        client.event().await,
        3,
        "though the token is from before the first"
    );
}

#[tokio::test(start_paused = true)]
async fn notifications_wait_until_the_client_has_read_its_subscription() {
    let yard = Yard::open();
    let (mut client, details) = yard.connect(None).await;
    client.say(
        r#"[{"type":"ClientRequest","messageId":"ask","method":"POST","path":"/restapi/v1.0/subscription/","query":{"slow":true}},{}]"#,
    );
    sleep(Duration::from_millis(1)).await;
    // What is matched while the answer is on its way must not come before it.
    yard.subscribe(1, &token_of(&details));
    yard.post([1]);
    let nothing = timeout(Duration::from_secs(20), client.next_of_all()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    yard.stage.gate.notify_one();
    assert_eq!(client.frame().await[0]["messageId"], "ask");
    assert_eq!(client.next_of_all().await, Got::Ping);
    let nothing = timeout(Duration::from_millis(999), client.next_of_all()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    client.pong();
    assert_eq!(client.event().await, 1);
    yard.post([2]);
    assert_eq!(client.event().await, 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_waits_until_the_client_has_read_that_it_is_back() {
    let yard = Yard::open();
    let (client, token) = yard.subscribed(1).await;
    client.break_off().await;
    yard.post([1]);
    let (mut client, _) = yard.connect(Some(&token)).await;
    assert_eq!(client.next_of_all().await, Got::Ping);
    client.pong();
    assert_eq!(client.event().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_show_that_it_has_read_is_waited_for_one_second() {
    let yard = Yard::open();
    let (client, token) = yard.subscribed(1).await;
    client.break_off().await;
    yard.post([1]);
    let began = Instant::now();
    let (mut client, _) = yard.connect(Some(&token)).await;
    assert_eq!(client.next_of_all().await, Got::Ping);
    assert!(matches!(client.next_of_all().await, Got::Frame(_)));
    assert_eq!(seconds_since(began), 1);
}
