//! Coming back: what is handed out again, and to whom.

use std::time::Duration;

use hookyard_domain::kernel::limits::SOCKET_BUFFER_MAX;
use hookyard_domain::kernel::ports::Clock as _;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use super::client::{Got, Yard, millis, token_of};

#[tokio::test(start_paused = true)]
async fn what_was_missed_comes_exactly_once() {
    let yard = Yard::open();
    let (mut client, _) = yard.subscribed(1).await;
    yard.post([1, 2, 3]);
    assert_eq!(client.event().await, 1);
    let second = client.frame().await;
    // The third is written, and lost with the connection.
    client.break_off().await;
    yard.post([4, 5]);
    let (mut client, details) = yard.connect(Some(&token_of(&second))).await;
    assert_eq!(details[1]["recoveryState"], "Successful");
    assert_eq!(details[0]["wsc"]["sequence"], second[0]["wsc"]["sequence"]);
    assert_eq!(details[0]["wsc"]["token"], second[0]["wsc"]["token"]);
    for expect in 3..=5 {
        assert_eq!(client.event().await, expect);
    }
    yard.post([6]);
    assert_eq!(client.event().await, 6);
}

#[tokio::test(start_paused = true)]
async fn the_newest_hundred_survive_a_long_absence() {
    let yard = Yard::open();
    let (client, token) = yard.subscribed(1).await;
    client.break_off().await;
    yard.post(1..=250);
    let (mut client, _) = yard.connect(Some(&token)).await;
    for expect in 251 - SOCKET_BUFFER_MAX as u64..=250 {
        assert_eq!(client.event().await, expect);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_recovered_elsewhere_ends() {
    let yard = Yard::open();
    let (mut old, token) = yard.subscribed(1).await;
    let (mut new, details) = yard.connect(Some(&token)).await;
    assert_eq!(details[1]["recoveryState"], "Successful");
    yard.post([1]);
    assert_eq!(new.event().await, 1);
    assert_eq!(old.next().await, Got::Close(1000));
    old.serving.await.unwrap();
    assert_eq!(yard.sockets.count(), 1);
    yard.post([2]);
    assert_eq!(new.event().await, 2);
    assert!(yard.history().is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_its_own_session_gets_a_socket_back() {
    let yard = Yard::open();
    let (client, token) = yard.subscribed(1).await;
    client.break_off().await;
    let mut thief = yard.dial("of-another-session", Some(&token));
    let details = thief.frame().await;
    assert_eq!(details[1]["recoveryState"], "Failed");
    assert_eq!(details[1]["recoveryErrorCode"], "WSG-1003");
    assert_ne!(token_of(&details), token);
    yard.post([1]);
    let (mut client, _) = yard.connect(Some(&token)).await;
    assert_eq!(client.event().await, 1);
}

#[tokio::test(start_paused = true)]
async fn there_is_nothing_to_recover_without_a_subscription() {
    let yard = Yard::open();
    let (client, details) = yard.connect(None).await;
    assert!(details[1].get("recoveryState").is_none());
    client.break_off().await;
    let (_client, details) = yard.connect(Some(&token_of(&details))).await;
    assert_eq!(details[1]["recoveryState"], "Failed");
    assert_eq!(details[1]["recoveryErrorCode"], "WSG-1005");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_none_ends_the_connection() {
    let yard = Yard::open();
    for garbage in ["undefined", "RTFh", "§", "AAAA"] {
        let mut client = yard.dial("good", Some(garbage));
        let (problem, close) = client.last_words().await;
        assert_eq!((problem.as_str(), close), ("400 WSG-400", Got::Close(1008)));
        assert_eq!(client.next().await, Got::Nothing);
    }
    assert_eq!(yard.sockets.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_later_session_counts_from_a_larger_number() {
    let yard = Yard::open();
    let (mut client, first) = yard.connect(None).await;
    assert_eq!(first[0]["wsc"]["sequence"], millis(yard.clock.now()));
    yard.subscribe(1, &token_of(&first));
    yard.post(1..=9);
    let mut newest = 0;
    for _ in 0..9 {
        newest = client.frame().await[0]["wsc"]["sequence"].as_u64().unwrap();
    }
    sleep(Duration::from_millis(10)).await;
    let (_client, second) = yard.connect(None).await;
    assert!(second[0]["wsc"]["sequence"].as_u64().unwrap() > newest);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_goodbye_can_still_come_back() {
    let yard = Yard::open();
    let (mut client, token) = yard.subscribed(1).await;
    let _ = client.says.send(Ok(Message::Close(None)));
    client.next().await;
    yard.post([1]);
    let (mut client, _) = yard.connect(Some(&token)).await;
    assert_eq!(client.event().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_subscription_takes_the_place_of_the_first() {
    let yard = Yard::open();
    let (mut client, token) = yard.subscribed(1).await;
    yard.subscribe(2, &token);
    yard.post([1]);
    let frame = client.frame().await;
    assert!(frame[1]["subscriptionId"].as_str().unwrap().ends_with('2'));
    yard.post([2]);
    assert_eq!(client.event().await, 2, "and nothing comes twice");
    assert_eq!(
        yard.history()["1"],
        "Disconnected: Another subscription of its connection took its place"
    );
}
