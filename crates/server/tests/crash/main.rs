//! Kills the real server under load, again and again, and checks by id that nothing acknowledged is
//! lost: every acknowledged post is readable, every readable post is delivered, and what is
//! delivered twice was open when the server died.
//!
//! A failing run prints its seed; `HOOKYARD_CRASH_SEED=<seed>` makes the same choices again.
//! Threads and disks keep their own pace, so the seed fixes the script, not the schedule.

mod chance;
mod check;
mod http;
mod receiver;
mod repeater;
mod sender;
mod server;

use std::collections::BTreeMap;
use std::time::Duration;

use chance::Chance;
use receiver::{Receiver, Script};
use repeater::Repeaters;
use sender::Senders;
use server::Server;

/// Kills in one run; the promise asks for at least 20.
const KILLS: usize = 24;
const CLEAN_STOPS: usize = 4;
/// Kills of those who repeat what was not answered.
const KILLS_OF_REPEATS: usize = 10;
/// Time for retries after the last fault; the second retry comes after 5 s and 20 % jitter.
const DRAIN: Duration = Duration::from_secs(40);
/// After everything has arrived, time for a repeat that should not come.
const AFTERMATH: Duration = Duration::from_millis(1_500);

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let seed = chance::seed();
    eprintln!("seed {seed}: HOOKYARD_CRASH_SEED={seed} replays this script");
    let mut chance = Chance::new(seed);
    let receiver = Receiver::start(Script::faulty(chance.fork()));
    let mut server = Server::start("killed");
    server.subscribe(&receiver);
    let senders = Senders::start(&server, &mut chance);

    let mut kills = Vec::new();
    while kills.len() < KILLS {
        // Most kills hit a server at work, some one that is still recovering from the last.
        if chance.happens(0.2) {
            pause(Duration::from_millis(chance.below(60)));
        } else {
            server.wait_until_ready();
            pause(Duration::from_millis(80 + chance.below(350)));
        }
        kills.push(now());
        server.kill();
        server.spawn();
    }
    server.wait_until_ready();
    pause(Duration::from_millis(200));
    let sent = senders.stop();
    receiver.follow(Script::obliging());

    let posts = server.posts();
    receiver.wait_for(posts.keys(), DRAIN);
    pause(AFTERMATH);
    let receipts = receiver.receipts();
    server.stop();

    check::acknowledged_posts_are_readable(&sent, &posts);
    check::posts_come_from_senders(&sent, &posts);
    check::posts_are_delivered(&posts, &receipts);
    check::receipts_come_from_posts(&posts, &receipts);
    check::bodies_are_identical(&receipts);
    let repeats = check::repeats_are_explained_by_faults(&receipts, &kills);
    let acknowledged = sent.acknowledged().count();
    eprintln!(
        "{KILLS} kills, {acknowledged} acknowledged of {} sent, {} posts, {} receipts, \
         {repeats} repeats",
        sent.len(),
        posts.len(),
        receipts.len()
    );
    assert!(acknowledged > 10 * KILLS, "there was hardly any load");
}

#[test]
fn a_clean_stop_neither_loses_nor_repeats() {
    let seed = chance::seed();
    eprintln!("seed {seed}: HOOKYARD_CRASH_SEED={seed} replays this script");
    let mut chance = Chance::new(seed);
    let receiver = Receiver::start(Script::slow(chance.fork()));
    let mut server = Server::start("stopped");
    server.subscribe(&receiver);
    let senders = Senders::start(&server, &mut chance);
    for _ in 0..CLEAN_STOPS {
        server.wait_until_ready();
        pause(Duration::from_millis(150 + chance.below(350)));
        server.stop();
        server.spawn();
    }
    server.wait_until_ready();
    pause(Duration::from_millis(200));
    let sent = senders.stop();

    let posts = server.posts();
    receiver.wait_for(posts.keys(), DRAIN);
    pause(AFTERMATH);
    let receipts = receiver.receipts();
    server.stop();

    check::acknowledged_posts_are_readable(&sent, &posts);
    check::posts_come_from_senders(&sent, &posts);
    check::posts_are_delivered(&posts, &receipts);
    check::receipts_come_from_posts(&posts, &receipts);
    check::nothing_is_repeated(&receipts);
    let acknowledged = sent.acknowledged().count();
    eprintln!(
        "{CLEAN_STOPS} clean stops, {acknowledged} acknowledged of {} sent, {} receipts",
        sent.len(),
        receipts.len()
    );
    assert!(acknowledged > 10 * CLEAN_STOPS, "there was hardly any load");
}

/// A kill between a commit and its answer is the case that a key is for.
#[test]
fn a_key_posts_once_however_often_the_server_is_killed() {
    let seed = chance::seed();
    eprintln!("seed {seed}: HOOKYARD_CRASH_SEED={seed} replays this script");
    let mut chance = Chance::new(seed);
    let mut server = Server::start("repeated");
    let repeaters = Repeaters::start(&server);
    for _ in 0..KILLS_OF_REPEATS {
        server.wait_until_ready();
        pause(Duration::from_millis(80 + chance.below(250)));
        server.kill();
        server.spawn();
    }
    server.wait_until_ready();
    let told = repeaters.stop();
    let posts = server.posts();
    server.stop();
    eprintln!(
        "{} operations, {} broken requests, {} posts",
        told.posts.len(),
        told.broken,
        posts.len()
    );
    let told_ids = told
        .posts
        .into_iter()
        .map(|(operation, id)| (operation, vec![id]));
    assert_eq!(posts, told_ids.collect());
    assert!(told.broken >= KILLS_OF_REPEATS, "kills met nobody");
}

#[test]
fn who_is_answered_may_ask_for_a_clean_stop_at_once() {
    let mut server = Server::start("young");
    for _ in 0..CLEAN_STOPS {
        server.stop();
        server.spawn();
        server.wait_until_ready();
    }
    server.stop();
}

/// Posts of the chat: what each operation became.
type Posts = BTreeMap<Operation, Vec<String>>;

/// Number of one thing that a sender tried; it travels in the post's text.
type Operation = u64;

/// The text of an operation's post.
fn text_of(operation: Operation) -> String {
    format!("operation {operation} of the crash test")
}

/// The operation that a text belongs to; `None` for other people's texts.
fn operation_in(text: &str) -> Option<Operation> {
    let digits = text.strip_prefix("operation ")?;
    digits.strip_suffix(" of the crash test")?.parse().ok()
}

/// The moment on a clock that never steps. Real processes die here, so real time it must be.
#[expect(
    clippy::disallowed_methods,
    reason = "separate processes share no clock that a test could move"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Lets the processes run.
#[expect(
    clippy::disallowed_methods,
    reason = "the load must run for a while before the server is killed"
)]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
