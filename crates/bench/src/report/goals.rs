//! What a run should reach, and whether it did.

use super::grouped;
use crate::scenarios::{
    Backlog, Comparison, Endpoints, Findings, Million, Published, Refusals, Sockets,
};
use crate::stopwatch::{float, median};

#[derive(Debug)]
pub(super) struct Goal {
    pub(super) name: String,
    pub(super) wanted: &'static str,
    pub(super) measured: String,
    pub(super) reached: bool,
}

impl Goal {
    fn new(name: &str, wanted: &'static str, measured: String, reached: bool) -> Self {
        Self {
            name: name.to_owned(),
            wanted,
            measured,
            reached,
        }
    }
}

/// Every goal that this run can judge.
pub(super) fn goals(findings: &Findings) -> Vec<Goal> {
    let mut goals: Vec<Goal> = findings
        .comparisons
        .iter()
        .flat_map(of_comparison)
        .collect();
    goals.extend(findings.idle.iter().map(|idle| {
        let measured = format!("{:.1} MiB", idle.fresh_mib);
        Goal::new("idle RSS", "<= 40 MiB", measured, idle.fresh_mib <= 40.0)
    }));
    goals.extend(findings.backlog.iter().flat_map(of_backlog));
    goals.extend(findings.starts.iter().map(|starts| {
        let worst = starts.ready_ms.iter().copied().fold(0.0, f64::max);
        let measured = format!("{worst:.0} ms");
        Goal::new(
            "start to ready, slowest",
            "<= 500 ms",
            measured,
            worst <= 500.0,
        )
    }));
    goals.extend(findings.subscribers.iter().map(|subscribers| {
        let count = grouped(f64::from(subscribers.subscriptions));
        let ratio = subscribers.delivered_ratio;
        Goal::new(
            &format!("delivered with {count} subscriptions, one matching, to that one alone"),
            ">= 0.85",
            format!("{ratio:.2}"),
            ratio >= 0.85,
        )
    }));
    goals.extend(findings.refusals.iter().flat_map(of_refusals));
    goals.extend(findings.sockets.iter().flat_map(of_sockets));
    goals.extend(findings.endpoints.iter().flat_map(of_endpoints));
    goals.extend(findings.million.iter().flat_map(of_million));
    goals
}

fn of_comparison(comparison: &Comparison) -> Vec<Goal> {
    let Comparison {
        name,
        control,
        hookyard: Some(ours),
    } = comparison
    else {
        return Vec::new();
    };
    let mut goals = Vec::new();
    if name.contains("128") {
        let ratio = ours.delivered_per_s / control.delivered_per_s;
        goals.push(Goal::new(
            "delivered, 128 connections, to control",
            ">= 0.25",
            format!("{ratio:.2}"),
            ratio >= 0.25,
        ));
    }
    if name.contains("open") {
        let (accept, delivery) = (ours.accept.p99_ms, ours.delivery.p99_ms);
        goals.push(Goal::new(
            "accept p99 at 1,000/s",
            "<= 25 ms",
            format!("{accept:.1} ms"),
            accept <= 25.0,
        ));
        goals.push(Goal::new(
            "accept to delivery p99 at 1,000/s",
            "<= 50 ms",
            format!("{delivery:.1} ms"),
            delivery <= 50.0,
        ));
        goals.push(Goal::new(
            "nothing lost or duplicated at 1,000/s",
            "none",
            format!(
                "{} lost, {} duplicated, {} refused",
                ours.lost, ours.duplicated, ours.not_accepted
            ),
            ours.lost + ours.duplicated + ours.not_accepted == 0,
        ));
    }
    goals
}

fn of_backlog(backlog: &Backlog) -> [Goal; 3] {
    let added = backlog.rss_after_mib - backlog.rss_before_mib;
    let slowed = backlog.accepted_per_s / backlog.normal.accepted_per_s;
    let drain = backlog.drain_per_s / backlog.normal.delivered_per_s;
    [
        Goal::new(
            "RSS that the backlog adds, at its peak",
            "<= 60 MiB",
            format!("{added:.1} MiB"),
            added <= 60.0,
        ),
        Goal::new(
            "accepting during the backlog, to normal",
            ">= 0.75",
            format!("{slowed:.2}"),
            slowed >= 0.75,
        ),
        Goal::new(
            "draining the backlog, to normal delivery",
            ">= 0.6",
            format!("{drain:.2}"),
            drain >= 0.6,
        ),
    ]
}

fn of_refusals(refusals: &Refusals) -> [Goal; 4] {
    let count = grouped(f64::from(refusals.subscriptions));
    let Refusals {
        p50_ratio,
        p99_ratio,
        ..
    } = refusals;
    let ready = median(refusals.ready_ms.clone());
    let faults = refusals.faults();
    [
        Goal::new(
            &format!("accept p50 beside refused creations, {count} subscriptions, to without"),
            "<= 1.2",
            format!("{p50_ratio:.2}"),
            *p50_ratio <= 1.2,
        ),
        Goal::new(
            &format!("accept p99 beside refused creations, {count} subscriptions, to without"),
            "<= 1.5",
            format!("{p99_ratio:.2}"),
            *p99_ratio <= 1.5,
        ),
        Goal::new(
            "nothing lost or duplicated beside refused creations",
            "none",
            faults.to_string(),
            faults == 0,
        ),
        Goal::new(
            &format!("start to ready with {count} subscriptions, median"),
            "<= 300 ms",
            format!("{ready:.0} ms"),
            ready <= 300.0,
        ),
    ]
}

fn of_sockets(sockets: &Sockets) -> [Goal; 3] {
    let count = grouped(f64::from(sockets.sessions));
    let faults = sockets.lost + sockets.duplicated + sockets.not_accepted + sockets.closed;
    [
        Goal::new(
            &format!("RSS per idle WebSocket session, {count} of them"),
            "<= 12 KiB",
            format!("{:.1} KiB", sockets.rss_per_session_kib),
            sockets.rss_per_session_kib <= 12.0,
        ),
        Goal::new(
            &format!("event to notification p99, {count} WebSocket sessions"),
            "<= 1,000 ms",
            format!("{:.0} ms", sockets.delivery.p99_ms),
            sockets.delivery.p99_ms <= 1_000.0,
        ),
        Goal::new(
            "nothing lost or duplicated on WebSockets",
            "none",
            format!(
                "{} lost, {} duplicated, {} refused, {} closed",
                sockets.lost, sockets.duplicated, sockets.not_accepted, sockets.closed
            ),
            faults == 0,
        ),
    ]
}

fn of_endpoints(endpoints: &Endpoints) -> Vec<Goal> {
    let mut goals = Vec::new();
    for round in endpoints
        .rounds
        .iter()
        .filter(|round| round.connections == 128)
    {
        let ratio = round.deliveries_ratio();
        let name = match round.endpoints {
            1 => "events published and delivered to 1 endpoint, signed, to control".to_owned(),
            count => format!("deliveries of events to {count} endpoints, signed, to control"),
        };
        let measured = format!("{ratio:.2}");
        goals.push(Goal::new(&name, ">= 0.25", measured, ratio >= 0.25));
    }
    let faults: u64 = endpoints.rounds.iter().map(Published::faults).sum();
    goals.push(Goal::new(
        "nothing lost, duplicated or wrongly signed at endpoints",
        "none",
        faults.to_string(),
        faults == 0,
    ));
    goals
}

fn of_million(million: &Million) -> Vec<Goal> {
    let count = grouped(float(million.deliveries));
    let accept = million.beside.accept.p99_ms;
    let added = million.rss_peak_mib - million.rss_before_mib;
    let grown = million.rss_all_mib - million.rss_half_mib;
    let cores = million.waiting_cores;
    let beside = &million.beside;
    let lost = million.lost + beside.lost;
    let duplicated = million.duplicated + beside.duplicated;
    let refused = million.not_accepted + beside.not_accepted;
    vec![
        Goal::new(
            &format!("accept p99 at 1,000/s beside {count} waiting deliveries"),
            "<= 50 ms",
            format!("{accept:.1} ms"),
            accept <= 50.0,
        ),
        Goal::new(
            &format!("RSS that {count} waiting deliveries add, at its peak"),
            "<= 60 MiB",
            format!("{added:.1} MiB"),
            added <= 60.0,
        ),
        Goal::new(
            "RSS from half of them to all",
            "<= 8 MiB",
            format!("{grown:.1} MiB"),
            grown <= 8.0,
        ),
        Goal::new(
            "CPU while they wait, cores",
            "<= 0.05",
            format!("{cores:.3}"),
            cores <= 0.05,
        ),
        Goal::new(
            "nothing lost or duplicated of them and beside them",
            "none",
            format!("{lost} lost, {duplicated} duplicated, {refused} refused"),
            lost + duplicated + refused == 0,
        ),
    ]
}
