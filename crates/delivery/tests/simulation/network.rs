//! A network whose failures a seed draws.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hookyard_delivery::{Attempted, Connection, Sending, Transport};
use hookyard_domain::delivery::envelope::envelope;
use hookyard_domain::{AttemptOutcome, SubscriptionId, Timings, UnreachableReason};
use hookyard_testkit::SeededChance;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use crate::history::Sent;

/// The network of one run. It outlives the processes that use it.
#[derive(Debug)]
pub(crate) struct Network {
    chance: SeededChance,
    began: Instant,
    state: Mutex<State>,
    /// Told when the next crash is due.
    pub(crate) crash: Notify,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Sent>,
    down: HashSet<SubscriptionId>,
    under_way: HashMap<(u32, SubscriptionId), usize>,
    /// Nothing fails any more.
    calm: bool,
    /// Steps of attempts until the process crashes.
    steps_left: Option<u64>,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            chance: SeededChance::new(seed ^ 0x6e65_7477_6f72_6b00),
            began: Instant::now(),
            state: Mutex::default(),
            crash: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since the run began, on the timer.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Takes a receiver down or brings it back.
    pub(crate) fn set_down(&self, subscription: SubscriptionId, down: bool) {
        let mut state = self.lock();
        if down {
            state.down.insert(subscription);
        } else {
            state.down.remove(&subscription);
        }
    }

    /// Lets everything work from now on.
    pub(crate) fn calm(&self) {
        let mut state = self.lock();
        state.calm = true;
        state.down.clear();
        state.steps_left = None;
    }

    /// Announces a crash after so many beginnings and ends of attempts.
    pub(crate) fn crash_after(&self, steps: u64) {
        self.lock().steps_left = Some(steps);
    }

    pub(crate) fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.lock().sent)
    }

    fn step(&self, state: &mut State) {
        if let Some(left) = &mut state.steps_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                state.steps_left = None;
                self.crash.notify_one();
            }
        }
    }

    /// How long an attempt takes, and how it ends.
    fn fate(&self, subscription: SubscriptionId) -> (Duration, AttemptOutcome) {
        let unreachable = |reason| AttemptOutcome::Unreachable { reason };
        let refused = |status| AttemptOutcome::Refused {
            status,
            retry_after: None,
        };
        let millis = |bound| Duration::from_millis(self.chance.below(bound));
        let state = self.lock();
        if state.calm {
            return (millis(20), AttemptOutcome::Accepted { status: 200 });
        }
        if state.down.contains(&subscription) {
            return match self.chance.below(3) {
                0 => (
                    Duration::from_secs(3_600),
                    unreachable(UnreachableReason::TimedOut),
                ),
                1 => (millis(10), refused(503)),
                _ => (millis(10), unreachable(UnreachableReason::ConnectFailed)),
            };
        }
        match self.chance.below(1_000) {
            0..800 => (millis(60), AttemptOutcome::Accepted { status: 200 }),
            800..850 => (millis(60), refused(500)),
            850..880 => (millis(60), refused(302)),
            880..920 => (millis(6_000), AttemptOutcome::Accepted { status: 204 }),
            920..950 => (millis(60), unreachable(UnreachableReason::Broken)),
            950..960 => (millis(60), unreachable(UnreachableReason::InvalidAnswer)),
            960..962 => (millis(60), refused(410)),
            roll => {
                let status = if roll % 2 == 0 { 429 } else { 503 };
                let asked = Duration::from_secs(self.chance.below(10_000));
                let retry_after = Some(asked);
                (
                    millis(60),
                    AttemptOutcome::Refused {
                        status,
                        retry_after,
                    },
                )
            }
        }
    }
}

/// One process's access to the network.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) network: Arc<Network>,
    pub(crate) process: u32,
}

impl Transport for Access {
    fn connection(&self) -> Box<dyn Connection> {
        Box::new(Line {
            network: Arc::clone(&self.network),
            process: self.process,
        })
    }
}

#[derive(Debug)]
struct Line {
    network: Arc<Network>,
    process: u32,
}

/// Counts an attempt as under way until it ends or its process dies.
struct UnderWay<'a> {
    network: &'a Network,
    key: (u32, SubscriptionId),
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.network.lock().under_way.get_mut(&self.key) {
            *count -= 1;
        }
    }
}

#[async_trait]
impl Connection for Line {
    async fn send(&mut self, sending: &Sending<'_>) -> Option<Attempted> {
        let subscription = sending.subscription.id;
        let delivery = &sending.committed.delivery;
        let network = Arc::clone(&self.network);
        let (lasts, fate) = network.fate(subscription);
        if network.chance.percent(10) {
            // Dialling: the attempt may be called off before anything is written.
            sleep(Duration::from_millis(network.chance.below(200))).await;
        }
        if sending.halt.is_called_off() {
            return None;
        }
        let key = (self.process, subscription);
        let index = {
            let mut state = network.lock();
            let count = state.under_way.entry(key).or_default();
            let beside = *count;
            *count += 1;
            let sent = Sent {
                subscription,
                delivery: delivery.id,
                number: sending.attempt,
                bytes: envelope(
                    &sending.committed.event,
                    &delivery.filter,
                    sending.subscription,
                ),
                marked: delivery.possible_repeat,
                process: self.process,
                began: network.elapsed(),
                ended: None,
                beside,
                concurrency_max: usize::try_from(sending.subscription.policy.concurrency_max)
                    .expect("small"),
            };
            state.sent.push(sent);
            network.step(&mut state);
            state.sent.len() - 1
        };
        let _under_way = UnderWay {
            network: &network,
            key,
        };
        let in_time = timeout(sending.subscription.policy.timeout(), sleep(lasts))
            .await
            .is_ok();
        let late = AttemptOutcome::Unreachable {
            reason: UnreachableReason::TimedOut,
        };
        let outcome = if in_time { fate } else { late };
        let mut state = network.lock();
        state.sent[index].ended = Some((network.elapsed(), outcome));
        network.step(&mut state);
        Some(Attempted {
            outcome,
            timings: Timings::default(),
            peer: Some("192.0.2.1:443".to_owned()),
            answer_excerpt: None,
            transcript: None,
        })
    }
}
