//! The tables that people read, and the machine they were made on.

mod goals;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;

use self::goals::{Goal, goals};
use crate::measure::Figures;
use crate::scenarios::{
    Comparison, Endpoints, Findings, Found, Million, Refusals, Sockets, Subscribers,
};
use crate::signature::SAMPLED;
use crate::stopwatch::{Percentiles, float};

/// What the last run replaces in a document.
const BEGIN: &str = "<!-- the last run begins -->";
const END: &str = "<!-- the last run ends -->";

/// The run as Markdown.
pub(crate) fn markdown(found: &Found) -> String {
    let Found { present, former } = found;
    let mut text = format!("{}\n\n", machine(present));
    text.push_str(&comparisons(present, former.as_ref()));
    text.push_str(&goal_table(present, former.as_ref()));
    text.push_str(&details(present));
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn goal_table(present: &Findings, former: Option<&Findings>) -> String {
    let before = former.map(goals);
    let present = goals(present);
    if present.is_empty() {
        return String::new();
    }
    let (title, rule) = match &before {
        Some(_) => (" former build |", " --- |"),
        None => ("", ""),
    };
    let mut text =
        format!("| goal | wanted |{title} measured | reached |\n| --- | --- |{rule} --- | --- |\n");
    for goal in present {
        let reached = if goal.reached { "yes" } else { "**no**" };
        let Goal {
            name,
            wanted,
            measured,
            ..
        } = goal;
        let same = |goals: &Vec<Goal>| {
            let found = goals.iter().find(|goal| goal.name == name);
            let measured = found.map_or("", |goal| goal.measured.as_str());
            format!(" {measured} |")
        };
        let before = before.as_ref().map(same).unwrap_or_default();
        let _infallible = writeln!(
            text,
            "| {name} | {wanted} |{before} {measured} | {reached} |"
        );
    }
    text.push('\n');
    text
}

/// All comparisons of a run, those with endpoints last.
fn compared(findings: &Findings) -> Vec<&Comparison> {
    let published = findings.endpoints.iter().flat_map(|found| &found.rounds);
    let beside = published.map(|round| &round.comparison);
    findings.comparisons.iter().chain(beside).collect()
}

fn comparisons(present: &Findings, former: Option<&Findings>) -> String {
    let present = compared(present);
    if present.is_empty() {
        return String::new();
    }
    let former = former.map(compared).unwrap_or_default();
    let mut text = String::from(
        "| load | server | accepted/s | delivered/s | accept p50 / p99, ms | accept to delivery p50 / p99, ms | backlog at the end | lost | duplicated | CPU, s (µs per message) | peak RSS, MiB |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for comparison in present {
        let name = &comparison.name;
        text.push_str(&row(name, "control", &comparison.control));
        let Some(hookyard) = &comparison.hookyard else {
            continue;
        };
        let before = former.iter().find(|former| former.name == *name);
        let before = before.and_then(|former| former.hookyard.as_ref());
        if let Some(before) = before {
            text.push_str(&row(name, "former build", before));
        }
        text.push_str(&row(name, "hookyard", hookyard));
        text.push_str(&ratio_row(name, "*ratio*", hookyard, &comparison.control));
        if let Some(before) = before {
            text.push_str(&ratio_row(name, "*to the former*", hookyard, before));
        }
    }
    text.push('\n');
    text
}

fn row(load: &str, server: &str, figures: &Figures) -> String {
    format!(
        "| {load} | {server} | {} | {} | {:.2} / {:.2} | {:.2} / {:.2} | {} | {} | {} | {:.1} ({:.0}) | {:.1} |\n",
        grouped(figures.accepted_per_s),
        grouped(figures.delivered_per_s),
        figures.accept.p50_ms,
        figures.accept.p99_ms,
        figures.delivery.p50_ms,
        figures.delivery.p99_ms,
        figures.backlog,
        figures.lost,
        figures.duplicated,
        figures.cpu_s,
        figures.cpu_us_per_message,
        figures.rss_peak_mib,
    )
}

fn ratio_row(load: &str, title: &str, ours: &Figures, control: &Figures) -> String {
    let ratio = |ours: f64, control: f64| ours / control.max(1e-9);
    format!(
        "| {load} | {title} | {:.2} | {:.2} | {:.1} / {:.1} | {:.1} / {:.1} | | | | {:.1} ({:.1}) | {:.1} |\n",
        ratio(ours.accepted_per_s, control.accepted_per_s),
        ratio(ours.delivered_per_s, control.delivered_per_s),
        ratio(ours.accept.p50_ms, control.accept.p50_ms),
        ratio(ours.accept.p99_ms, control.accept.p99_ms),
        ratio(ours.delivery.p50_ms, control.delivery.p50_ms),
        ratio(ours.delivery.p99_ms, control.delivery.p99_ms),
        ratio(ours.cpu_s, control.cpu_s),
        ratio(ours.cpu_us_per_message, control.cpu_us_per_message),
        ratio(ours.rss_peak_mib, control.rss_peak_mib),
    )
}

/// What the tables cannot hold, one sentence per line.
fn details(findings: &Findings) -> String {
    let mut text = String::new();
    if let Some(backlog) = &findings.backlog {
        let _infallible = write!(
            text,
            "Backlog: {} events were accepted at {}/s while the subscriber refused connections, against {}/s with it up.\n\
             Memory went from {:.1} MiB to a peak of {:.1} MiB.\n\
             After its return the first event arrived in {:.2} s and the last in {:.2} s, {}/s between them, against {}/s delivered normally.\n\
             Lost {}, duplicated {}.\n\n",
            grouped(float(backlog.events)),
            grouped(backlog.accepted_per_s),
            grouped(backlog.normal.accepted_per_s),
            backlog.rss_before_mib,
            backlog.rss_after_mib,
            backlog.first_arrival_s,
            backlog.drained_s,
            grouped(backlog.drain_per_s),
            grouped(backlog.normal.delivered_per_s),
            backlog.lost,
            backlog.duplicated,
        );
    }
    if let Some(starts) = &findings.starts {
        let each: Vec<_> = starts
            .ready_ms
            .iter()
            .map(|ms| format!("{ms:.0}"))
            .collect();
        let _infallible = writeln!(
            text,
            "Start: {} posts ({:.0} MiB on disk) were stored through the hook at {}/s; the server then answered `/healthz` after {} ms in {} starts.",
            grouped(float(starts.posts)),
            starts.disk_mib,
            grouped(starts.filled_per_s),
            each.join(", "),
            each.len(),
        );
    }
    let paragraphs = [
        findings.endpoints.as_ref().map(endpoints),
        findings.subscribers.as_ref().map(subscribers),
        findings.refusals.as_ref().map(refusals),
        findings.sockets.as_ref().map(sockets),
        findings.million.as_ref().map(million),
    ];
    for paragraph in paragraphs.into_iter().flatten() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&paragraph);
    }
    text
}

fn endpoints(endpoints: &Endpoints) -> String {
    let mut text = String::from("Endpoints, events that arrived signed at each of them:\n");
    for round in &endpoints.rounds {
        let ours = round.comparison.hookyard.as_ref();
        let deliveries_per_s = ours.map_or(0.0, |figures| figures.delivered_per_s);
        let _infallible = writeln!(
            text,
            "{} of them, {} connections: {} events/s ({:.2} of the control), {} deliveries/s ({:.2} of the control); {} signatures checked, one in {SAMPLED}, {} wrong.",
            round.endpoints,
            round.connections,
            grouped(deliveries_per_s / f64::from(round.endpoints)),
            round.events_ratio(),
            grouped(deliveries_per_s),
            round.deliveries_ratio(),
            grouped(float(round.signatures)),
            round.signatures_wrong,
        );
    }
    text
}

fn million(million: &Million) -> String {
    let beside = &million.beside;
    format!(
        "Million: {} events were published in batches at {}/s while their endpoint refused connections.\n\
         Memory went from {:.1} MiB to {:.1} MiB with half of them waiting and {:.1} MiB with all, with a peak of {:.1} MiB; {:.0} MiB on disk. While they waited the server took {:.3} cores.\n\
         Then {} events, {}/s, to them and to an endpoint that was up: accept p50 {:.2} ms, p99 {:.2} ms, slowest {:.0} ms; accept to delivery p50 {:.2} ms, p99 {:.2} ms; lost {}, duplicated {}, refused {}.\n\
         After its return the first event arrived in {:.2} s and the last in {:.1} s, {}/s between them, with a peak of {:.1} MiB. Lost {}, duplicated {}.\n",
        grouped(float(million.deliveries)),
        grouped(million.accepted_per_s),
        million.rss_before_mib,
        million.rss_half_mib,
        million.rss_all_mib,
        million.rss_peak_mib,
        million.disk_mib,
        million.waiting_cores,
        grouped(float(beside.accepted)),
        grouped(beside.accepted_per_s),
        beside.accept.p50_ms,
        beside.accept.p99_ms,
        beside.accept.max_ms,
        beside.delivery.p50_ms,
        beside.delivery.p99_ms,
        beside.lost,
        beside.duplicated,
        beside.not_accepted,
        million.first_arrival_s,
        million.drained_s,
        grouped(million.drain_per_s),
        million.rss_draining_mib,
        million.lost,
        million.duplicated,
    )
}

fn subscribers(subscribers: &Subscribers) -> String {
    let each = |rounds: &[Figures]| {
        let rates = rounds.iter().map(|round| grouped(round.delivered_per_s));
        rates.collect::<Vec<_>>().join("; ")
    };
    format!(
        "Subscribers: {} subscriptions of one account, of which one matches, were made at {}/s.\n\
         Before the first round the server used {:.1} MiB with all of them, {:.1} MiB with the one alone.\n\
         Delivered/s with 128 connections, medians of {} rounds: {} with the one alone, {} among all; the median of the ratios within a round is {:.2}, and {:.2} for CPU per message.\n\
         Alone, round by round: {}. Among all: {}.\n\
         Lost, duplicated or refused: {}.\n",
        grouped(f64::from(subscribers.subscriptions)),
        grouped(subscribers.made_per_s),
        subscribers.crowded_rss_mib,
        subscribers.alone_rss_mib,
        subscribers.alone.len(),
        grouped(subscribers.alone_per_s),
        grouped(subscribers.crowded_per_s),
        subscribers.delivered_ratio,
        subscribers.cpu_ratio,
        each(&subscribers.alone),
        each(&subscribers.crowded),
        subscribers.faults(),
    )
}

fn refusals(refusals: &Refusals) -> String {
    let each = |rounds: &[Figures]| {
        let latencies = rounds.iter().map(|round| {
            let Percentiles { p50_ms, p99_ms, .. } = round.accept;
            format!("{p50_ms:.2} / {p99_ms:.2}")
        });
        latencies.collect::<Vec<_>>().join("; ")
    };
    let starts = refusals.ready_ms.iter().map(|ms| format!("{ms:.0}"));
    format!(
        "Refusals: cards at 200/s to a server with {} subscriptions, of which one matches, alone and beside a loop of creations that are refused, {}/s.\n\
         Accept p50 / p99 in ms, alone, round by round: {}. Beside: {}.\n\
         Lost, duplicated or refused cards: {}.\n\
         The server answered `/healthz` after {} ms in {} starts.\n",
        grouped(f64::from(refusals.subscriptions)),
        grouped(refusals.refused_per_s),
        each(&refusals.alone),
        each(&refusals.beside),
        refusals.faults(),
        starts.collect::<Vec<_>>().join(", "),
        refusals.ready_ms.len(),
    )
}

fn sockets(sockets: &Sockets) -> String {
    format!(
        "Sockets: {} WebSocket sessions connected and subscribed at {}/s, with {:.1} s of CPU.\n\
         Memory went from {:.1} MiB to {:.1} MiB when they were idle, {:.1} KiB for each, and to a peak of {:.1} MiB.\n\
         Then {} events, {} a second, each to all of them: {} notifications, event to notification p50 {:.0} ms, p99 {:.0} ms, slowest {:.0} ms; hook answers p50 {:.1} ms, p99 {:.1} ms.\n\
         Lost {}, duplicated {}, sessions that ended {}. CPU {:.1} s, {:.1} µs per notification.\n",
        grouped(f64::from(sockets.sessions)),
        grouped(sockets.opened_per_s),
        sockets.open_cpu_s,
        sockets.rss_before_mib,
        sockets.rss_idle_mib,
        sockets.rss_per_session_kib,
        sockets.rss_peak_mib,
        grouped(float(sockets.events)),
        sockets.events_per_s,
        grouped(float(sockets.notifications)),
        sockets.delivery.p50_ms,
        sockets.delivery.p99_ms,
        sockets.delivery.max_ms,
        sockets.accept.p50_ms,
        sockets.accept.p99_ms,
        sockets.lost,
        sockets.duplicated,
        sockets.closed,
        sockets.cpu_s,
        sockets.cpu_us_per_notification,
    )
}

/// One sentence about where and when.
fn machine(findings: &Findings) -> String {
    let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or_else(|| "?".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = field(&file("/proc/meminfo"), "MemTotal");
    let memory_kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(0.0);
    let load = file("/proc/loadavg");
    format!(
        "{}, {cores} cores ({}), {:.0} GiB, Linux {}; `fdatasync` of 4 KiB p50 {:.2} ms, p99 {:.2} ms; load average at the end {}.",
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC"),
        field(&file("/proc/cpuinfo"), "model name"),
        memory_kib / 1_048_576.0,
        file("/proc/sys/kernel/osrelease").trim(),
        findings.sync.p50_ms,
        findings.sync.p99_ms,
        load.split(' ').next().unwrap_or("?"),
    )
}

/// A whole number with separators: `12,345`.
fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.max(0.0));
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Puts `table` in the place of the last run in the document at `path`.
pub(crate) fn write(path: &Path, table: &str) -> anyhow::Result<()> {
    let document =
        fs::read_to_string(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    let replaced = replace(&document, table)
        .with_context(|| format!("`{}` has no place for a run", path.display()))?;
    fs::write(path, replaced).with_context(|| format!("failed to write `{}`", path.display()))
}

fn replace(document: &str, table: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(0.4), "0");
        assert_eq!(grouped(999.0), "999");
        assert_eq!(grouped(1_234_567.0), "1,234,567");
    }

    #[test]
    fn a_run_replaces_the_last_one_only() {
        let document = format!("intro\n{BEGIN}\nold\n{END}\nafter\n");
        let replaced = replace(&document, "new\n").unwrap();
        assert_eq!(replaced, format!("intro\n{BEGIN}\n\nnew\n\n{END}\nafter\n"));
        assert_eq!(replace("no place", "new"), None);
    }
}
