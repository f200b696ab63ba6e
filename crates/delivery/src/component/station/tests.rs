//! A station whose work fails, panics, is lost and is given back.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use hookyard_store::{Options, SqliteStore, VaultKey};
use hookyard_testkit::{ScriptedOwnership, SeededChance, VirtualClock, ports};
use tokio::time::Instant;

use super::*;

const CLAIM: Claim = Claim::Duty(Duty::Retention);

#[derive(Debug)]
struct Chore {
    station: Station,
    taken_up: AtomicU32,
    laid_down: AtomicU32,
    rounds: AtomicU32,
    helpers_ended: Arc<AtomicU32>,
    /// The store cannot be read.
    is_down: AtomicBool,
    /// The next round meets a bug.
    panics: AtomicBool,
}

impl Chore {
    fn counts(&self) -> [u32; 3] {
        [&self.taken_up, &self.laid_down, &self.rounds].map(|count| count.load(Ordering::Relaxed))
    }
}

/// Counts when it is dropped.
struct Helper(Arc<AtomicU32>);

impl Drop for Helper {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Work for Chore {
    fn station(&self) -> &Station {
        &self.station
    }

    async fn take_up(self: Arc<Self>) -> Result<(), StoreError> {
        self.taken_up.fetch_add(1, Ordering::Relaxed);
        if self.is_down.load(Ordering::Relaxed) {
            return Err(StoreError {
                context: "asked for by a test".to_owned(),
                source: None,
            });
        }
        let ended = Arc::clone(&self.helpers_ended);
        self.station.spawn(move || {
            let helper = Helper(Arc::clone(&ended));
            async move {
                std::future::pending::<()>().await;
                drop(helper);
            }
        });
        Ok(())
    }

    fn lay_down(&self) {
        self.laid_down.fetch_add(1, Ordering::Relaxed);
    }

    async fn round(self: Arc<Self>) -> Option<Timestamp> {
        self.rounds.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics.swap(false, Ordering::Relaxed), "a bug");
        Some(self.station.clock.now() + Duration::from_secs(60))
    }
}

fn chore(ownership: &Arc<ScriptedOwnership>) -> Arc<Chore> {
    let clock = Arc::new(VirtualClock::start());
    let options = Options {
        vault_key: VaultKey([7; 32]),
        clock: Arc::clone(&clock) as _,
        chance: Arc::new(SeededChance::new(1)),
    };
    let store = Arc::new(SqliteStore::inline(options).expect("a store in memory"));
    let ports = Ports {
        ownership: Arc::clone(ownership) as _,
        ..ports(&store, &clock, 1)
    };
    Arc::new(Chore {
        station: Station::new(Duty::Retention, &ports, &[]),
        taken_up: AtomicU32::default(),
        laid_down: AtomicU32::default(),
        rounds: AtomicU32::default(),
        helpers_ended: Arc::default(),
        is_down: AtomicBool::default(),
        panics: AtomicBool::default(),
    })
}

async fn seconds(count: u64) {
    sleep(Duration::from_secs(count)).await;
}

#[tokio::test(start_paused = true)]
async fn a_duty_is_taken_up_once_and_attended_to_until_it_is_lost() {
    let ownership = Arc::new(ScriptedOwnership::of_nothing());
    let chore = chore(&ownership);
    begin(&chore).await.unwrap();
    seconds(600).await;
    assert_eq!(chore.counts(), [0, 0, 0]);
    assert_eq!(chore.station.status().state, State::Standby);
    ownership.give(CLAIM);
    seconds(150).await;
    assert_eq!(chore.counts(), [1, 0, 3]);
    assert_eq!(chore.station.status().state, State::Running);
    chore.station.wake();
    seconds(1).await;
    assert_eq!(chore.counts(), [1, 0, 4]);
    assert!(chore.station.holds());
    ownership.take(CLAIM);
    assert!(!chore.station.holds(), "also before anybody was told");
    seconds(600).await;
    assert_eq!(chore.counts(), [1, 1, 4]);
    assert_eq!(chore.helpers_ended.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn another_term_is_taken_up_anew() {
    let ownership = Arc::new(ScriptedOwnership::of_everything());
    let chore = chore(&ownership);
    begin(&chore).await.unwrap();
    seconds(1).await;
    // Lost and gained before anybody looked.
    ownership.give(CLAIM);
    seconds(1).await;
    assert_eq!(chore.counts(), [2, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_up_is_tried_again_and_said() {
    let ownership = Arc::new(ScriptedOwnership::of_everything());
    let chore = chore(&ownership);
    chore.is_down.store(true, Ordering::Relaxed);
    assert!(begin(&chore).await.is_err(), "a start says so at once");
    ownership.take(CLAIM);
    begin(&chore).await.unwrap();
    ownership.give(CLAIM);
    seconds(1).await;
    let status = chore.station.status();
    assert_eq!(status.state, State::Failing);
    let message = status.last_error.unwrap().message;
    assert!(message.contains("asked for by a test"), "{message}");
    chore.is_down.store(false, Ordering::Relaxed);
    sleep(RESTART_PAUSE).await;
    assert_eq!(chore.station.status().state, State::Running);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_counted_and_the_work_begins_again() {
    let ownership = Arc::new(ScriptedOwnership::of_everything());
    let chore = chore(&ownership);
    chore.panics.store(true, Ordering::Relaxed);
    begin(&chore).await.unwrap();
    seconds(1).await;
    assert_eq!(chore.counts(), [1, 1, 1]);
    sleep(RESTART_PAUSE).await;
    assert_eq!(chore.counts(), [2, 1, 2]);
    let status = chore.station.status();
    assert_eq!((status.state, status.panics), (State::Running, 1));
    assert_eq!(status.last_error.unwrap().message, "A task panicked: a bug");
    chore.station.crew.abort();
    let deadline = Instant::now() + Duration::from_secs(1);
    assert!(chore.station.crew.finish(deadline).await);
    assert_eq!(chore.station.status().state, State::Stopped);
}
