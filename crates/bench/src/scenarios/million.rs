//! An endpoint that is down while a million events are published for it, and one beside it that is
//! not: what the backlog costs those who publish, and what is left of it when the endpoint is back.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::progress;
use super::rates;
use super::{IDLE_AFTER, Run};
use crate::hookyard::Hookyard;
use crate::ledger::Ledger;
use crate::load::{self, Pace, Target};
use crate::measure::{self, Figures};
use crate::message::Content;
use crate::person::Person;
use crate::process;
use crate::receiver::Receiver;
use crate::stopwatch::{float, seconds};

/// Events of one request while the backlog is made.
const BATCH: u32 = 1_000;
/// Connections that make it.
const CONNECTIONS: u32 = 4;
/// Events per second that are published beside it.
const RATE: u32 = 1_000;
/// How long the server is watched while nothing is published.
const WATCHED: Duration = Duration::from_secs(10);

/// A million deliveries that wait.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Million {
    pub(crate) deliveries: u64,
    pub(crate) accepted_per_s: f64,
    /// Events that were refused or not answered.
    pub(crate) not_accepted: u64,
    pub(crate) rss_before_mib: f64,
    /// With half of them waiting, and with all.
    pub(crate) rss_half_mib: f64,
    pub(crate) rss_all_mib: f64,
    /// The most while they were published and others beside them.
    pub(crate) rss_peak_mib: f64,
    pub(crate) disk_mib: f64,
    /// CPU of the server while they wait and nothing is published, in cores.
    pub(crate) waiting_cores: f64,
    /// Other events, to an endpoint that is up, while they wait.
    pub(crate) beside: Figures,
    /// From the return of the endpoint to the first arrival, and to the last.
    pub(crate) first_arrival_s: f64,
    pub(crate) drained_s: f64,
    /// Between the first and the last arrival.
    pub(crate) drain_per_s: f64,
    /// The most while they were sent.
    pub(crate) rss_draining_mib: f64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
}

impl Run {
    pub(super) async fn measure_million(&self) -> anyhow::Result<Million> {
        let data_dir = self.data_dir("million")?;
        let server = self.start(&data_dir).await?;
        let person = server.sign_in().await?;
        person.register_type().await?;
        let clock = self.instruments.stopwatch;
        let ledger = Arc::new(Ledger::default());
        let mut down = Receiver::start(Arc::clone(&ledger), clock).await?;
        let hook = format!("http://{}/hook", down.address);
        person.make_endpoint(&hook).await?;
        let batches = person.publishing(Content::Events(BATCH), 1);
        self.warm_up_with_batches(&batches, &ledger).await;
        tokio::time::sleep(IDLE_AFTER).await;
        let rss_before_mib = server.process.rss_mib()?;

        let requests = self.plan.deliveries.div_ceil(BATCH);
        let events = u64::from(requests) * u64::from(BATCH);
        progress(&format!(
            "million: {events} events to an endpoint that is down"
        ));
        down.stop().await;
        server.process.reset_peak();
        let phase = self.instruments.ledger.begin();
        ledger.follow(phase);
        let pace = |first, count| Pace::ClosedCount {
            connections: CONNECTIONS,
            first,
            count,
        };
        let fill = |first, count| load::send(&batches, pace(first, count), phase, clock);
        let half = requests / 2;
        let mut sent = fill(0, half).await;
        let rss_half_mib = server.process.rss_mib()?;
        let rest = fill(half, requests - half).await;
        let rss_all_mib = server.process.rss_mib()?;
        let filling_s = seconds(sent.ended_us - sent.began_us + rest.ended_us - rest.began_us);
        sent.accepted.extend(rest.accepted);
        let deliveries = measure::count(sent.accepted.len());
        let accepted_per_s = float(deliveries) / filling_s;
        let mut rss_peak_mib = server.process.rss_peak_mib()?;
        progress(&format!(
            "  accepted {accepted_per_s:.0}/s, RSS {rss_before_mib:.1}, {rss_half_mib:.1}, {rss_all_mib:.1} MiB, at most {rss_peak_mib:.1}"
        ));
        let waiting_cores = watch(&server).await?;
        progress(&format!("  {waiting_cores:.3} cores while they wait"));

        let beside = self.publish_beside(&server, &person).await?;
        rss_peak_mib = rss_peak_mib.max(beside.rss_peak_mib);
        progress(&rates(&beside));
        let disk_mib = process::disk_mib(data_dir.path())?;

        progress("million: the endpoint returns");
        server.process.reset_peak();
        let returned_us = clock.now_us();
        down.restart().await?;
        measure::drain(&ledger, &sent.accepted).await;
        let balance = ledger.balance(&sent.accepted);
        let first_us = balance.first_us.unwrap_or(returned_us);
        let draining_s = seconds(balance.last_us.saturating_sub(first_us));
        let drain_per_s = float(deliveries - balance.lost) / draining_s.max(1e-6);
        progress(&format!("  {drain_per_s:.0}/s, lost {}", balance.lost));
        Ok(Million {
            deliveries,
            accepted_per_s,
            not_accepted: (sent.refused + sent.failed + rest.refused + rest.failed)
                * u64::from(BATCH),
            rss_before_mib,
            rss_half_mib,
            rss_all_mib,
            rss_peak_mib,
            disk_mib,
            waiting_cores,
            beside,
            first_arrival_s: seconds(first_us.saturating_sub(returned_us)),
            drained_s: seconds(balance.last_us.saturating_sub(returned_us)),
            drain_per_s,
            rss_draining_mib: server.process.rss_peak_mib()?,
            lost: balance.lost,
            duplicated: balance.duplicated,
        })
    }

    /// Publishes as the backlog is published, to an endpoint that takes it, for as long as a
    /// measurement: what the server keeps in memory for its work is there afterwards.
    async fn warm_up_with_batches(&self, batches: &Target, ledger: &Ledger) {
        let pace = Pace::ClosedFor {
            connections: CONNECTIONS,
            duration: self.plan.duration,
        };
        let phase = self.instruments.ledger.begin();
        ledger.follow(phase);
        let sent = load::send(batches, pace, phase, self.instruments.stopwatch).await;
        measure::drain(ledger, &sent.accepted).await;
    }

    /// Publishes to an endpoint that is up.
    async fn publish_beside(&self, server: &Hookyard, person: &Person) -> anyhow::Result<Figures> {
        let healthy = format!("http://{}/hook", self.receiver.address);
        person.make_endpoint(&healthy).await?;
        let target = person.publishing(Content::Event, 1);
        let pace = Pace::Open {
            rate: RATE,
            duration: self.plan.duration * 2,
        };
        progress(&format!("million: {RATE}/s beside them"));
        self.instruments.warm_up(&target, 8).await;
        self.instruments
            .measure(&target, &server.process, pace)
            .await
    }
}

/// The CPU that the server takes by itself, in cores.
async fn watch(server: &Hookyard) -> anyhow::Result<f64> {
    tokio::time::sleep(IDLE_AFTER).await;
    let before_s = server.process.cpu_s()?;
    tokio::time::sleep(WATCHED).await;
    Ok((server.process.cpu_s()? - before_s) / WATCHED.as_secs_f64())
}
