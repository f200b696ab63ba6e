//! `make bench`: Hookyard against a bare accept-and-forward proxy, with one load tool, in one run
//! on one machine. `docs/benchmarks.md` says what the figures mean.

mod control;
mod file_limit;
mod hookyard;
mod ledger;
mod load;
mod measure;
mod message;
mod person;
mod process;
mod receiver;
mod report;
mod scenarios;
mod signature;
mod stopwatch;
mod websocket;
mod wire;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::scenarios::{Plan, Scenario};

/// Measures Hookyard against a bare accept-and-forward proxy.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Part>,
    #[command(flatten)]
    run: RunArguments,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The control, which a run starts as a process of its own
    AcceptAndForward {
        /// The receiver
        #[arg(long)]
        to: SocketAddr,
    },
}

#[derive(Debug, Args)]
struct RunArguments {
    /// The server's program [default: `hookyard` beside this program]
    #[arg(long)]
    binary: Option<PathBuf>,
    /// A former build's program, measured beside this one in the same run
    #[arg(long)]
    former: Option<PathBuf>,
    /// Rounds of what is compared with the control; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Where data directories are made; choose the disk to measure [default: `bench-data` beside
    /// this program]
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Length of a closed-loop measurement in seconds; the open loop takes twice as long
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Events accepted while the subscriber is down
    #[arg(long, default_value_t = 200_000)]
    backlog: u32,
    /// Posts stored before starts are measured
    #[arg(long, default_value_t = 1_000_000)]
    posts: u32,
    /// Subscriptions of one account, of which one matches
    #[arg(long, default_value_t = 10_000)]
    subscriptions: u32,
    /// Subscriptions beside which creations are refused, and with which starts are measured
    #[arg(long, default_value_t = 20_000)]
    crowd: u32,
    /// WebSocket sessions on one server
    #[arg(long, default_value_t = 10_000)]
    sessions: u32,
    /// Events that wait for an endpoint which is down
    #[arg(long, default_value_t = 1_000_000)]
    deliveries: u32,
    /// Measure only this; may be repeated [default: everything]
    #[arg(long, value_enum)]
    only: Vec<Scenario>,
    /// Print figures as JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Also put the tables in the place of the last run in this document
    #[arg(long)]
    write: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Part::AcceptAndForward { to }) => control::accept_and_forward(to).await,
        None => run(arguments.run).await,
    }
}

async fn run(arguments: RunArguments) -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let plan = Plan {
        binary: arguments
            .binary
            .unwrap_or_else(|| program.with_file_name("hookyard")),
        former: arguments.former,
        rounds: arguments.rounds,
        directory: arguments
            .directory
            .unwrap_or_else(|| program.with_file_name("bench-data")),
        duration: Duration::from_secs(arguments.seconds),
        backlog: arguments.backlog,
        posts: arguments.posts,
        subscriptions: arguments.subscriptions,
        crowd: arguments.crowd,
        sessions: arguments.sessions,
        deliveries: arguments.deliveries,
        only: arguments.only,
    };
    let found = scenarios::run(plan).await?;
    let table = report::markdown(&found);
    let output = if arguments.json {
        serde_json::to_string_pretty(&found)?
    } else {
        table.clone()
    };
    writeln!(std::io::stdout(), "{output}")?;
    if let Some(path) = arguments.write {
        report::write(&path, &table)?;
    }
    Ok(())
}
