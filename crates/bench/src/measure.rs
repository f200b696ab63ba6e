//! One measurement: load, drain, balance of the books, and what the server used for it.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::ledger::Ledger;
use crate::load::{self, Pace, Target};
use crate::process::Process;
use crate::stopwatch::{Percentiles, Stopwatch, float, seconds};

/// Without a single new delivery for this long, what is missing counts as lost. Longer than the
/// fourth step of the default retry schedule with its jitter.
const STALLED_AFTER: Duration = Duration::from_secs(150);

/// Figures of one measurement.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Figures {
    pub(crate) accepted: u64,
    pub(crate) accepted_per_s: f64,
    /// Arrivals by the time from the first sending to the last of them; a message may have to arrive
    /// more than once.
    pub(crate) delivered_per_s: f64,
    pub(crate) accept: Percentiles,
    pub(crate) delivery: Percentiles,
    /// Arrivals that were still to come when sending ended.
    pub(crate) backlog: u64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    /// Refused or unanswered messages.
    pub(crate) not_accepted: u64,
    pub(crate) cpu_s: f64,
    pub(crate) cpu_us_per_message: f64,
    pub(crate) rss_peak_mib: f64,
}

/// The instruments that all measurements share.
#[derive(Debug, Clone)]
pub(crate) struct Instruments {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) stopwatch: Stopwatch,
}

impl Instruments {
    /// Sends without measuring, so that caches, connections and code are warm.
    pub(crate) async fn warm_up(&self, target: &Target, connections: u32) {
        let pace = Pace::ClosedFor {
            connections,
            duration: Duration::from_secs(1),
        };
        let phase = self.ledger.begin();
        let sent = load::send(target, pace, phase, self.stopwatch).await;
        self.drain(&sent.expected(target.copies)).await;
    }

    /// Sends at `pace`, waits for the last arrival and adds up.
    pub(crate) async fn measure(
        &self,
        target: &Target,
        server: &Process,
        pace: Pace,
    ) -> anyhow::Result<Figures> {
        server.reset_peak();
        let cpu_before_s = server.cpu_s()?;
        let phase = self.ledger.begin();
        let sent = load::send(target, pace, phase, self.stopwatch).await;
        let accepted = count(sent.accepted.len());
        let expected = sent.expected(target.copies);
        let backlog = count(expected.len()).saturating_sub(self.ledger.delivered());
        self.drain(&expected).await;
        let cpu_s = server.cpu_s()? - cpu_before_s;
        let balance = self.ledger.balance(&expected);
        let sending_s = seconds(sent.ended_us - sent.began_us);
        let whole_s = seconds(balance.last_us.max(sent.ended_us) - sent.began_us);
        Ok(Figures {
            accepted,
            accepted_per_s: float(accepted) / sending_s,
            delivered_per_s: float(count(expected.len()) - balance.lost) / whole_s,
            accept: Percentiles::of(sent.accept_us),
            delivery: Percentiles::of(balance.delays_us),
            backlog,
            lost: balance.lost,
            duplicated: balance.duplicated,
            not_accepted: sent.refused + sent.failed,
            cpu_s,
            cpu_us_per_message: cpu_s * 1e6 / float(accepted.max(1)),
            rss_peak_mib: server.rss_peak_mib()?,
        })
    }

    /// Waits until as much arrived as is expected, or nothing has come for long.
    pub(crate) async fn drain(&self, expected: &[u32]) {
        drain(&self.ledger, expected).await;
    }
}

/// Waits until `ledger` has as many arrivals as are expected, or nothing has come for long.
pub(crate) async fn drain(ledger: &Ledger, expected: &[u32]) {
    let expected = count(expected.len());
    let mut seen = ledger.delivered();
    let mut seen_at = Instant::now();
    while seen < expected && seen_at.elapsed() < STALLED_AFTER {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let now = ledger.delivered();
        if now != seen {
            (seen, seen_at) = (now, Instant::now());
        }
    }
}

pub(crate) fn count(length: usize) -> u64 {
    u64::try_from(length).expect("lengths fit")
}
