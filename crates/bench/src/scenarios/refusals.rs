//! Hook posts beside somebody whose creations are refused again and again, on a server with
//! thousands of subscriptions; and how soon such a server starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::Serialize;
use tokio::time::Instant;

use super::subscribers::subscribe_others;
use super::{Run, STARTS, progress, rates};
use crate::load::Pace;
use crate::measure::Figures;
use crate::person::{POSTS, Person};
use crate::stopwatch::{float, median};

/// Rounds, each alone and beside. Odd, so that one of them is in the middle.
const ROUNDS: usize = 5;
/// Cards a second: what a busy team gets, far from the limits of the machine.
const RATE: u32 = 200;

/// Hook posts with and without refusals beside them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Refusals {
    pub(crate) subscriptions: u32,
    pub(crate) alone: Vec<Figures>,
    pub(crate) beside: Vec<Figures>,
    /// Over all rounds.
    pub(crate) refused_per_s: f64,
    /// Medians of the ratios within each round, beside to alone.
    pub(crate) p50_ratio: f64,
    pub(crate) p99_ratio: f64,
    /// Starts with all the subscriptions.
    pub(crate) ready_ms: Vec<f64>,
}

impl Refusals {
    pub(crate) fn faults(&self) -> u64 {
        let rounds = self.alone.iter().chain(&self.beside);
        rounds
            .map(|round| round.lost + round.duplicated + round.not_accepted)
            .sum()
    }
}

impl Run {
    pub(super) async fn measure_refusals(&self) -> anyhow::Result<Refusals> {
        let subscriptions = self.plan.crowd;
        let config = format!("[subscriptions]\nper_app_max = {subscriptions}\n");
        let data_dir = self.data_dir("refusals")?;
        let mut server = self.start_with(&data_dir, &config).await?;
        progress(&format!("refusals: making {subscriptions} subscriptions"));
        let person = server.sign_in().await?;
        person.subscribe(POSTS, self.receiver.address).await?;
        let others = subscriptions.saturating_sub(1);
        subscribe_others(&person, others, self.receiver.address).await?;
        while person.make_bin().await? {}

        let hook = server.hook()?;
        self.instruments.warm_up(&hook, 8).await;
        let pace = Pace::Open {
            rate: RATE,
            duration: self.plan.duration,
        };
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        let (mut refused, mut refused_s) = (0, 0.0);
        for round in 0..ROUNDS {
            // Who goes first changes, so that a machine that slows down favours nobody.
            for turn in 0..2 {
                let crowded = (round + turn) % 2 == 1;
                let began = Instant::now();
                let loop_of = crowded.then(|| Refused::begin(person.clone()));
                let measured = self.instruments.measure(&hook, &server.process, pace).await;
                if let Some(refusals) = loop_of {
                    refused += refusals.end().await?;
                    refused_s += began.elapsed().as_secs_f64();
                }
                let figures = measured?;
                let name = if crowded { "beside" } else { "alone" };
                progress(&format!("refusals, {name}: {}", rates(&figures).trim()));
                if crowded { &mut beside } else { &mut alone }.push(figures);
            }
        }
        server.process.stop().await?;
        let mut ready_ms = Vec::with_capacity(STARTS);
        for _ in 0..STARTS {
            let mut server = self.start_with(&data_dir, &config).await?;
            ready_ms.push(server.ready_after.as_secs_f64() * 1e3);
            server.process.stop().await?;
        }
        let ratio = |of: fn(&Figures) -> f64| {
            let rounds = beside.iter().zip(&alone);
            median(rounds.map(|(ours, base)| of(ours) / of(base)).collect())
        };
        Ok(Refusals {
            subscriptions,
            refused_per_s: float(refused) / refused_s,
            p50_ratio: ratio(|round| round.accept.p50_ms),
            p99_ratio: ratio(|round| round.accept.p99_ms),
            alone,
            beside,
            ready_ms,
        })
    }
}

/// Somebody who asks for one bin too many, again and again.
#[derive(Debug)]
struct Refused {
    ending: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
    asking: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Refused {
    fn begin(person: Person) -> Self {
        let (ending, count) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (ends, counts) = (Arc::clone(&ending), Arc::clone(&count));
        let asking = tokio::spawn(async move {
            while !ends.load(Ordering::Relaxed) {
                anyhow::ensure!(!person.make_bin().await?, "a bin too many was made");
                counts.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        Self {
            ending,
            count,
            asking,
        }
    }

    /// Stops, and tells how often it was refused.
    async fn end(self) -> anyhow::Result<u64> {
        self.ending.store(true, Ordering::Relaxed);
        self.asking.await??;
        Ok(self.count.load(Ordering::Relaxed))
    }
}
