//! One account with thousands of subscriptions of which one matches, against the same server with
//! that one alone. Both run side by side, and take the load in turns.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::progress;
use super::rates;
use super::{FILL_CONNECTIONS, Run};
use crate::hookyard::Hookyard;
use crate::load::Pace;
use crate::measure::Figures;
use crate::person::{POSTS, Person};
use crate::stopwatch::median;

/// Turns of each server, many and short: the machine's speed drifts within seconds. Odd, so that
/// one of them is in the middle.
const ROUNDS: usize = 15;
/// Subscriptions that are being made at the same time.
const MAKERS: u32 = 32;
/// What the others want, in turns: nothing that a card causes.
const OTHER_FILTERS: [&str; 2] = [
    "/restapi/v1.0/glip/webhooks",
    "/restapi/v1.0/account/~/extension/~/presence?detailedTelephonyState=true",
];

/// Delivery to one subscription, alone and among many that do not match.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Subscribers {
    /// All subscriptions of the crowded server.
    pub(crate) subscriptions: u32,
    /// How fast they were made, handshakes included.
    pub(crate) made_per_s: f64,
    pub(crate) alone: Vec<Figures>,
    pub(crate) crowded: Vec<Figures>,
    /// Medians of the rounds.
    pub(crate) alone_per_s: f64,
    pub(crate) crowded_per_s: f64,
    /// Medians of the ratios within each round: delivered/s, and CPU per message.
    pub(crate) delivered_ratio: f64,
    pub(crate) cpu_ratio: f64,
    /// Memory of each server before the first round.
    pub(crate) alone_rss_mib: f64,
    pub(crate) crowded_rss_mib: f64,
}

impl Subscribers {
    pub(crate) fn faults(&self) -> u64 {
        let rounds = self.alone.iter().chain(&self.crowded);
        rounds
            .map(|round| round.lost + round.duplicated + round.not_accepted)
            .sum()
    }
}

impl Run {
    pub(super) async fn measure_subscribers(&self) -> anyhow::Result<Subscribers> {
        let subscriptions = self.plan.subscriptions;
        let config = format!("[subscriptions]\nper_app_max = {subscriptions}\n");
        let (alone_dir, crowded_dir) = (self.data_dir("alone")?, self.data_dir("crowded")?);
        let alone = self.start_with(&alone_dir, &config).await?;
        let crowded = self.start_with(&crowded_dir, &config).await?;
        let receiver = self.receiver.address;
        alone.subscribe(receiver).await?;
        progress(&format!("subscribers: making {subscriptions}"));
        let person = crowded.sign_in().await?;
        person.subscribe(POSTS, receiver).await?;
        let others = subscriptions.saturating_sub(1);
        let began = Instant::now();
        subscribe_others(&person, others, receiver).await?;
        let made_per_s = f64::from(others) / began.elapsed().as_secs_f64();
        progress(&format!("  made {made_per_s:.0}/s"));

        let servers = [&alone, &crowded];
        for server in servers {
            self.instruments
                .warm_up(&server.hook()?, FILL_CONNECTIONS)
                .await;
        }
        tokio::time::sleep(super::IDLE_AFTER).await;
        let (alone_rss_mib, crowded_rss_mib) =
            (alone.process.rss_mib()?, crowded.process.rss_mib()?);
        let mut figures = [Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            // Who goes first changes, so that a machine that slows down favours nobody.
            for turn in 0..2 {
                let which = (round + turn) % 2;
                let taken = self.take_turn(servers[which]).await?;
                let name = ["alone", "crowded"][which];
                progress(&format!("subscribers, {name}: {}", rates(&taken).trim()));
                figures[which].push(taken);
            }
        }
        let [alone, crowded] = figures;
        let per_s = |rounds: &[Figures]| median(rounds.iter().map(delivered).collect());
        let ratio = |of: fn(&Figures) -> f64| {
            let rounds = crowded.iter().zip(&alone);
            median(rounds.map(|(ours, base)| of(ours) / of(base)).collect())
        };
        Ok(Subscribers {
            subscriptions,
            made_per_s,
            alone_per_s: per_s(&alone),
            crowded_per_s: per_s(&crowded),
            delivered_ratio: ratio(delivered),
            cpu_ratio: ratio(|round| round.cpu_us_per_message),
            alone,
            crowded,
            alone_rss_mib,
            crowded_rss_mib,
        })
    }

    async fn take_turn(&self, server: &Hookyard) -> anyhow::Result<Figures> {
        let pace = Pace::ClosedFor {
            connections: FILL_CONNECTIONS,
            duration: self.plan.duration.div_f64(5.0).max(Duration::from_secs(1)),
        };
        self.instruments
            .measure(&server.hook()?, &server.process, pace)
            .await
    }
}

fn delivered(round: &Figures) -> f64 {
    round.delivered_per_s
}

pub(super) async fn subscribe_others(
    person: &Person,
    count: u32,
    to: SocketAddr,
) -> anyhow::Result<()> {
    let taken = Arc::new(AtomicU32::new(0));
    let mut makers = JoinSet::new();
    for _ in 0..MAKERS {
        let (person, taken) = (person.clone(), Arc::clone(&taken));
        makers.spawn(async move {
            loop {
                let number = taken.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(());
                }
                let turn = usize::try_from(number).expect("numbers fit memory");
                let filter = OTHER_FILTERS[turn % OTHER_FILTERS.len()];
                person.subscribe(filter, to).await?;
            }
        });
    }
    while let Some(made) = makers.join_next().await {
        made.expect("makers do not panic")?;
    }
    Ok(())
}
