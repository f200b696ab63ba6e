//! The same as the isolation test in virtual time, over real sockets, the real resolver and real
//! time. Others take a second and more for everything, so what they held up would show; how busy the
//! machine is must not.

use std::sync::Arc;
use std::time::Duration;

use hookyard_delivery::{Dispatcher, WebhookTransport};
use hookyard_domain::kernel::component::Component as _;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{Change, Event, EventId, Subscription, SubscriptionWrite};
use hookyard_store::{Options, SqliteStore, VaultKey};
use hookyard_testkit::{Receiver, Reply, SeededChance, VirtualClock, ports, sample};
use tokio::time::{Instant, sleep};

use crate::egress;

const EVENTS: usize = 200;
const PAUSE: Duration = Duration::from_millis(10);
/// What a busy machine may do to a latency of some milliseconds; a quarter of what the slow take.
const NOISE: Duration = Duration::from_millis(250);

/// The 50th and the 99th of a hundred latencies of a healthy endpoint beside others.
async fn latencies(others: &[String]) -> [Duration; 2] {
    let clock = Arc::new(VirtualClock::start());
    let options = Options {
        vault_key: VaultKey([7; 32]),
        clock: Arc::clone(&clock) as _,
        chance: Arc::new(SeededChance::new(1)),
    };
    let store = Arc::new(SqliteStore::inline(options).expect("a store in memory"));
    let commit = async |change| store.commit(change).await.expect("a store in memory");
    commit(sample::yard()).await;
    let transport = Arc::new(WebhookTransport::new(egress()));
    let ports = ports(&store, &clock, 2);
    let dispatcher = Dispatcher::start(&ports, transport, Arc::new(())).await;
    let dispatcher = dispatcher.expect("a store in memory");
    let healthy = Receiver::start().await;
    let address = healthy.address();
    let endpoints = (1..).zip(std::iter::once(&address).chain(others));
    for (number, address) in endpoints {
        let mut subscription: Subscription = sample::endpoint(number, address);
        subscription.policy.timeout_ms = 5_000;
        commit(Change::of(SubscriptionWrite::Put(Arc::new(subscription)))).await;
    }
    let mut committed = Vec::new();
    for _ in 0..EVENTS {
        let event = Event {
            id: EventId::PENDING,
            ..sample::event(1, VirtualClock::BEGIN)
        };
        let begun = Instant::now();
        let change = Change::default().announcing(event);
        let numbers = store.commit_numbering(change).await;
        let numbers = numbers.expect("a store in memory");
        committed.push((format!("\"evt_{}\"", numbers[0]), begun));
        sleep(PAUSE).await;
    }
    let received = healthy.received(EVENTS).await;
    dispatcher.abort();
    let mut latencies: Vec<Duration> = committed
        .iter()
        .map(|(id, begun)| {
            let mut arrived = received.iter();
            let arrived = arrived.find(|got| {
                let body = std::str::from_utf8(&got.body).expect("JSON is text");
                body.contains(id.as_str())
            });
            arrived.expect("it arrived").at.duration_since(*begun)
        })
        .collect();
    latencies.sort_unstable();
    [50, 99].map(|percent| latencies[(EVENTS - 1) * percent / 100])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_endpoint_does_not_wait_for_those_that_are_not() {
    let alone = latencies(&[]).await;
    let (slow, hanging) = (Receiver::start().await, Receiver::start().await);
    slow.always(Reply::Late(Duration::from_secs(1), Box::new(200.into())));
    hanging.always(Reply::Hang);
    let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusing = format!("http://{}/", dead.local_addr().unwrap());
    drop(dead);
    let mut others = vec![slow.address(), hanging.address(), refusing];
    // Of each name one question is asked at a time.
    others.extend((0..20).map(|number| format!("http://nobody-{number}.invalid/")));
    let beside = latencies(&others).await;
    println!(
        "p50 and p99: {alone:?} alone, {beside:?} beside {}",
        others.len()
    );
    for (alone, beside) in alone.into_iter().zip(beside) {
        assert!(beside <= (alone * 2).max(NOISE), "{beside:?} for {alone:?}");
    }
    assert!(slow.events().len() >= 5 && hanging.events().len() >= 5);
}
