//! What is measured, in which order, and how each figure is obtained.

mod endpoints;
mod million;
mod refusals;
mod rounds;
mod sockets;
mod subscribers;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum as _;
use serde::Serialize;
use tokio::time::Instant;

use crate::file_limit;
use crate::hookyard::{DataDir, Hookyard};
use crate::ledger::Ledger;
use crate::load::{self, Pace, Target};
use crate::measure::{Figures, Instruments};
use crate::message::Content;
use crate::process::{self, Process};
use crate::receiver::Receiver;
use crate::stopwatch::{Percentiles, Stopwatch, float, sample, seconds};

pub(crate) use self::endpoints::{Endpoints, Published};
pub(crate) use self::million::Million;
pub(crate) use self::refusals::Refusals;
pub(crate) use self::sockets::Sockets;
pub(crate) use self::subscribers::Subscribers;

/// Connections while a backlog or a large store is filled.
const FILL_CONNECTIONS: u32 = 128;
/// A fresh server has settled by then.
const IDLE_AFTER: Duration = Duration::from_secs(3);
/// Starts measured on a large store.
const STARTS: usize = 5;
/// Syncs measured to describe the disk.
const SYNCS: usize = 200;

/// What a run does.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) binary: PathBuf,
    /// Measured beside it.
    pub(crate) former: Option<PathBuf>,
    /// Of what is compared with the control; the median counts.
    pub(crate) rounds: u32,
    /// On the disk that is to be measured; never a memory file system.
    pub(crate) directory: PathBuf,
    pub(crate) duration: Duration,
    pub(crate) backlog: u32,
    pub(crate) posts: u32,
    /// Of one account, of which one matches.
    pub(crate) subscriptions: u32,
    /// Beside which creations are refused.
    pub(crate) crowd: u32,
    /// WebSocket sessions on one server.
    pub(crate) sessions: u32,
    /// That wait for an endpoint which is down.
    pub(crate) deliveries: u32,
    pub(crate) only: Vec<Scenario>,
}

/// Parts of a run that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// Closed loop with 32 and 128 connections, Hookyard and the control.
    Closed,
    /// Open loop at 1,000/s, Hookyard and the control.
    Open,
    /// The control only, at each pace.
    Control,
    /// Memory of a fresh server.
    Idle,
    /// A subscriber that is down for many events and comes back.
    Backlog,
    /// Starting on a large store.
    Start,
    /// One matching subscription among thousands.
    Subscribers,
    /// Hook posts beside refused creations, and starts, with thousands of subscriptions.
    Refusals,
    /// Thousands of WebSocket sessions.
    Sockets,
    /// Events published to 1 and to 10 endpoints, signed, with 32 and 128 connections.
    Endpoints,
    /// An endpoint that is down for a million events.
    Million,
}

/// Hookyard and the control under the same load, one after the other.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Comparison {
    pub(crate) name: String,
    pub(crate) control: Figures,
    pub(crate) hookyard: Option<Figures>,
}

/// Memory of a server that does nothing.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Idle {
    pub(crate) fresh_mib: f64,
}

/// A subscriber that was down.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Backlog {
    pub(crate) events: u64,
    /// With the subscriber up: the same number of messages just before.
    pub(crate) normal: Figures,
    pub(crate) accepted_per_s: f64,
    pub(crate) rss_before_mib: f64,
    pub(crate) rss_after_mib: f64,
    /// From the subscriber's return to the first arrival.
    pub(crate) first_arrival_s: f64,
    /// From the subscriber's return to the last arrival.
    pub(crate) drained_s: f64,
    /// Between the first and the last arrival.
    pub(crate) drain_per_s: f64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
}

/// Starts on a large store.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Starts {
    pub(crate) posts: u64,
    pub(crate) filled_per_s: f64,
    pub(crate) disk_mib: f64,
    pub(crate) ready_ms: Vec<f64>,
}

/// Everything that a run found.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Findings {
    pub(crate) sync: Percentiles,
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) idle: Option<Idle>,
    pub(crate) backlog: Option<Backlog>,
    pub(crate) starts: Option<Starts>,
    pub(crate) subscribers: Option<Subscribers>,
    pub(crate) refusals: Option<Refusals>,
    pub(crate) sockets: Option<Sockets>,
    pub(crate) endpoints: Option<Endpoints>,
    pub(crate) million: Option<Million>,
}

#[derive(Debug)]
struct Run {
    plan: Plan,
    instruments: Instruments,
    receiver: Receiver,
}

/// What a run found of the program, and of a former one beside it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Found {
    #[serde(flatten)]
    pub(crate) present: Findings,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) former: Option<Findings>,
}

/// Runs what the plan asks for.
pub(crate) async fn run(plan: Plan) -> anyhow::Result<Found> {
    let stopwatch = Stopwatch::start();
    let ledger = Arc::new(Ledger::default());
    let receiver = Receiver::start(Arc::clone(&ledger), stopwatch).await?;
    let (binary, former_binary) = (plan.binary.clone(), plan.former.clone());
    let mut run = Run {
        plan,
        instruments: Instruments { ledger, stopwatch },
        receiver,
    };
    if run.wants(Scenario::Sockets) {
        // Before anything is measured: it would be sad to end there.
        file_limit::raise(run.plan.sessions)?;
    }
    let mut present = Findings {
        sync: run.measure_syncs()?,
        ..Findings::default()
    };
    let mut former = former_binary.as_ref().map(|_| Findings::default());
    for scenario in Scenario::value_variants() {
        if !run.wants(*scenario) {
            continue;
        }
        let rounds = if scenario.is_repeated() {
            run.plan.rounds
        } else {
            1
        };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            // Who goes first changes, so that a machine that slows down favours nobody.
            for turn in 0..2 {
                let (program, list) = match (&former_binary, (round + turn) % 2) {
                    (Some(former), 0) => (former, &mut theirs),
                    (None, 0) => continue,
                    _ => (&binary, &mut ours),
                };
                run.plan.binary.clone_from(program);
                list.push(run.measure(*scenario).await?);
            }
        }
        present.take(ours);
        if let Some(former) = &mut former {
            former.take(theirs);
        }
    }
    Ok(Found { present, former })
}

/// Tells a person what is going on.
pub(crate) fn progress(text: &str) {
    // Nobody reads a closed stream.
    let _closed = writeln!(std::io::stderr(), "bench: {text}");
}

impl Run {
    fn wants(&self, scenario: Scenario) -> bool {
        match scenario {
            // It is measured beside all that is compared with it.
            Scenario::Control => self.plan.only.contains(&scenario),
            _ => self.plan.only.is_empty() || self.plan.only.contains(&scenario),
        }
    }

    async fn measure(&mut self, scenario: Scenario) -> anyhow::Result<Findings> {
        let mut findings = Findings::default();
        match scenario {
            Scenario::Closed | Scenario::Open | Scenario::Control => {
                for (name, pace) in self.paces(scenario) {
                    let comparison = self.compare(scenario, name, pace).await?;
                    findings.comparisons.push(comparison);
                }
            }
            Scenario::Endpoints => findings.endpoints = Some(self.measure_endpoints().await?),
            Scenario::Idle => findings.idle = Some(self.measure_idle().await?),
            Scenario::Backlog => findings.backlog = Some(self.measure_backlog().await?),
            Scenario::Start => findings.starts = Some(self.measure_starts().await?),
            Scenario::Subscribers => findings.subscribers = Some(self.measure_subscribers().await?),
            Scenario::Refusals => findings.refusals = Some(self.measure_refusals().await?),
            Scenario::Sockets => findings.sockets = Some(self.measure_sockets().await?),
            Scenario::Million => findings.million = Some(self.measure_million().await?),
        }
        Ok(findings)
    }

    /// How cards are sent in a scenario that is compared with the control.
    fn paces(&self, scenario: Scenario) -> Vec<(&'static str, Pace)> {
        let duration = self.plan.duration;
        let closed = |connections| Pace::ClosedFor {
            connections,
            duration,
        };
        let open = Pace::Open {
            rate: 1_000,
            duration: duration * 2,
        };
        let closed = [
            ("closed loop, 32 connections", closed(32)),
            ("closed loop, 128 connections", closed(128)),
        ];
        let open = [("open loop, 1,000/s", open)];
        match scenario {
            Scenario::Closed => closed.to_vec(),
            Scenario::Open => open.to_vec(),
            _ => [closed.as_slice(), &open].concat(),
        }
    }

    /// How long the disk takes to make 4 KiB durable: half of what a group commit waits for.
    fn measure_syncs(&self) -> anyhow::Result<Percentiles> {
        let directory = DataDir::create(&self.plan.directory, "sync")?;
        let mut file = File::create(directory.path().join("synced"))?;
        let clock = self.instruments.stopwatch;
        let mut samples = Vec::with_capacity(SYNCS);
        for _ in 0..SYNCS {
            file.write_all(&[7; 4_096])?;
            let from_us = clock.now_us();
            file.sync_data()?;
            samples.push(sample(from_us, clock.now_us()));
        }
        Ok(Percentiles::of(samples))
    }

    async fn compare(
        &self,
        scenario: Scenario,
        name: &str,
        pace: Pace,
    ) -> anyhow::Result<Comparison> {
        progress(&format!("control, {name}"));
        let control = self.measure_control(Content::Card, pace).await?;
        progress(&rates(&control));
        let mut hookyard = None;
        if scenario != Scenario::Control {
            progress(&format!("hookyard, {name}"));
            let figures = self.measure_hookyard(pace).await?;
            progress(&rates(&figures));
            hookyard = Some(figures);
        }
        Ok(Comparison {
            name: name.to_owned(),
            control,
            hookyard,
        })
    }

    async fn measure_control(&self, content: Content, pace: Pace) -> anyhow::Result<Figures> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["accept-and-forward", "--to"])
            .arg(self.receiver.address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("failed to start the control")?;
        let output = child.stdout.take().expect("its output is piped");
        let process = Process::new(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().context("the control has no address")?;
        let target = Target {
            content,
            ..Target::of_cards(address, "/")
        };
        self.instruments.warm_up(&target, connections(pace)).await;
        self.instruments.measure(&target, &process, pace).await
    }

    async fn measure_hookyard(&self, pace: Pace) -> anyhow::Result<Figures> {
        let data_dir = self.data_dir("compare")?;
        let server = self.start(&data_dir).await?;
        server.subscribe(self.receiver.address).await?;
        let hook = server.hook()?;
        self.instruments.warm_up(&hook, connections(pace)).await;
        self.instruments.measure(&hook, &server.process, pace).await
    }

    async fn measure_idle(&self) -> anyhow::Result<Idle> {
        progress("idle memory");
        let data_dir = self.data_dir("idle")?;
        let server = self.start(&data_dir).await?;
        server.subscribe(self.receiver.address).await?;
        tokio::time::sleep(IDLE_AFTER).await;
        Ok(Idle {
            fresh_mib: server.process.rss_mib()?,
        })
    }

    async fn measure_backlog(&mut self) -> anyhow::Result<Backlog> {
        let data_dir = self.data_dir("backlog")?;
        let server = self.start(&data_dir).await?;
        server.subscribe(self.receiver.address).await?;
        let hook = server.hook()?;
        let pace = Pace::ClosedCount {
            connections: FILL_CONNECTIONS,
            first: 0,
            count: self.plan.backlog,
        };
        self.instruments.warm_up(&hook, FILL_CONNECTIONS).await;
        progress("backlog: the same messages with the subscriber up");
        let instruments = &self.instruments;
        let normal = instruments.measure(&hook, &server.process, pace).await?;
        progress(&rates(&normal));
        tokio::time::sleep(IDLE_AFTER).await;
        let rss_before_mib = server.process.rss_mib()?;

        progress("backlog: the subscriber is down");
        self.receiver.stop().await;
        server.process.reset_peak();
        let phase = self.instruments.ledger.begin();
        let sent = load::send(&hook, pace, phase, self.instruments.stopwatch).await;
        let rss_after_mib = server.process.rss_peak_mib()?;
        let events = u64::try_from(sent.accepted.len()).expect("lengths fit");
        let accepted_per_s = float(events) / seconds(sent.ended_us - sent.began_us);
        progress(&format!(
            "accepted {accepted_per_s:.0}/s; the subscriber returns"
        ));

        let returned_us = self.instruments.stopwatch.now_us();
        self.receiver.restart().await?;
        self.instruments.drain(&sent.accepted).await;
        let balance = self.instruments.ledger.balance(&sent.accepted);
        let first_us = balance.first_us.unwrap_or(returned_us);
        let draining_s = seconds(balance.last_us.saturating_sub(first_us));
        Ok(Backlog {
            events,
            normal,
            accepted_per_s,
            rss_before_mib,
            rss_after_mib,
            first_arrival_s: seconds(first_us - returned_us),
            drained_s: seconds(balance.last_us.saturating_sub(returned_us)),
            drain_per_s: float(events - balance.lost) / draining_s.max(1e-6),
            lost: balance.lost,
            duplicated: balance.duplicated,
        })
    }

    async fn measure_starts(&self) -> anyhow::Result<Starts> {
        let data_dir = self.data_dir("start")?;
        let mut server = self.start(&data_dir).await?;
        let hook = server.hook()?;
        progress(&format!("start: filling with {} posts", self.plan.posts));
        let pace = Pace::ClosedCount {
            connections: FILL_CONNECTIONS,
            first: 0,
            count: self.plan.posts,
        };
        let phase = self.instruments.ledger.begin();
        let sent = load::send(&hook, pace, phase, self.instruments.stopwatch).await;
        let posts = u64::try_from(sent.accepted.len()).expect("lengths fit");
        let filled_per_s = float(posts) / seconds(sent.ended_us - sent.began_us);
        let stopping = Instant::now();
        server.process.stop().await?;
        progress(&format!("start: stopped in {:?}", stopping.elapsed()));
        let disk_mib = process::disk_mib(data_dir.path())?;
        let mut ready_ms = Vec::with_capacity(STARTS);
        for _ in 0..STARTS {
            let mut server = self.start(&data_dir).await?;
            ready_ms.push(server.ready_after.as_secs_f64() * 1e3);
            server.process.stop().await?;
        }
        Ok(Starts {
            posts,
            filled_per_s,
            disk_mib,
            ready_ms,
        })
    }

    fn data_dir(&self, name: &str) -> anyhow::Result<DataDir> {
        DataDir::create(&self.plan.directory, name)
    }

    async fn start(&self, data_dir: &DataDir) -> anyhow::Result<Hookyard> {
        self.start_with(data_dir, "").await
    }

    async fn start_with(&self, data_dir: &DataDir, config: &str) -> anyhow::Result<Hookyard> {
        Hookyard::start(&self.plan.binary, data_dir, config).await
    }
}

fn connections(pace: Pace) -> u32 {
    match pace {
        Pace::ClosedFor { connections, .. } | Pace::ClosedCount { connections, .. } => connections,
        Pace::Open { .. } => 8,
    }
}

fn rates(figures: &Figures) -> String {
    format!(
        "  accepted {:.0}/s, delivered {:.0}/s, accept p99 {:.1} ms, delivery p99 {:.1} ms, lost {}, duplicated {}",
        figures.accepted_per_s,
        figures.delivered_per_s,
        figures.accept.p99_ms,
        figures.delivery.p99_ms,
        figures.lost,
        figures.duplicated
    )
}
