//! The `hookyard` command.

mod cli;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use hookyard_server::{Config, Overrides, Server, smtp_password};

/// Exit code when the store can no longer make anything durable (`EX_SOFTWARE` of sysexits).
const EXIT_STORE_FAILED: i32 = 70;

/// Team messaging webhooks, self-hosted: post cards in, get events out.
///
/// Start a server with `hookyard serve`. The first start makes an account, a team, an app and an
/// incoming webhook, and prints how to use them. The other commands call a running server.
#[derive(Debug, Parser)]
#[command(name = "hookyard", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Serve),
    /// Look after the data of a server that is stopped.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    #[command(flatten)]
    Call(cli::Call),
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Make somebody an operator, who may look after the whole installation.
    ///
    /// Stop the server first: its data directory is used by one program at a time. While the server
    /// runs, an operator can give the right to others, by `PUT /api/v1/operators/ID`.
    #[command(after_long_help = "\
Examples:
  hookyard admin grant-operator ann@example.com
      Whoever has this e-mail address, in the data directory ./data.

  hookyard admin grant-operator 893916772458497 --data-dir /var/lib/hookyard
      The person with this id, where several accounts know the address.")]
    GrantOperator {
        /// E-mail address or id of the person.
        #[arg(value_name = "EMAIL|ID")]
        who: String,
        #[command(flatten)]
        serve: Serve,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read the configuration as `serve` would, say what is wrong with it, or show what is in force.
    Check(Serve),
    /// Send a letter by the configured mail server, to see that it takes them.
    Mail {
        /// Whom to write to.
        address: String,
        #[command(flatten)]
        serve: Serve,
    },
}

/// Start the server.
///
/// Everything it keeps is in the data directory: the database, the keys, and after the first start
/// `credentials.env`, with which official RingCentral SDKs and samples run unchanged. One server
/// uses a data directory at a time. SIGTERM or Ctrl+C stops it cleanly.
///
/// Owners of endpoints that fail are told by e-mail where the configuration file has a section
/// `[smtp]`; its password may be in the environment, as `HOOKYARD_SMTP_PASSWORD`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  hookyard serve
      On http://127.0.0.1:8080 with its data in ./data, for development: subscriptions may use http
      and addresses on this machine.

  hookyard serve --listen 127.0.0.1:8080 --public-url https://hooks.example.com
      Behind a proxy that adds TLS. Subscriptions must use https and public addresses.

  hookyard serve --listen 127.0.0.1:0 --data-dir /tmp/yard
      On a free port, for tests. The address is printed, and written to /tmp/yard/address.")]
struct Serve {
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR", env = "HOOKYARD_LISTEN")]
    listen: Option<String>,
    /// Directory of the database and the keys; made when it is not there [default: ./data].
    #[arg(long, value_name = "DIR", env = "HOOKYARD_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// How the world reaches the server, such as <https://hooks.example.com> [default: the address
    /// it listens on].
    #[arg(long, value_name = "URL", env = "HOOKYARD_PUBLIC_URL")]
    public_url: Option<String>,
    /// Configuration file in TOML; see config.example.toml.
    #[arg(long, value_name = "FILE", env = "HOOKYARD_CONFIG")]
    config: Option<PathBuf>,
    /// What is logged, such as `info` or `info,hookyard_delivery=debug` [default: info].
    #[arg(long, value_name = "FILTER", env = "HOOKYARD_LOG")]
    log: Option<String>,
}

impl Serve {
    fn config(self) -> anyhow::Result<Config> {
        // An empty variable says nothing: compose files write them for what is not set.
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let named = |path: Option<PathBuf>| path.filter(|path| !path.as_os_str().is_empty());
        let overrides = Overrides {
            listen: said(self.listen),
            data_dir: named(self.data_dir),
            public_url: said(self.public_url),
            log: said(self.log),
            smtp_password: smtp_password(),
        };
        Config::load(named(self.config).as_deref(), overrides)
    }
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(serve) => serve.config().and_then(run),
        Command::Config(ConfigCommand::Check(serve)) => {
            serve.config().and_then(|config| show(&config))
        }
        Command::Config(ConfigCommand::Mail { address, serve }) => serve
            .config()
            .and_then(|config| try_mail(&config, &address)),
        Command::Admin(AdminCommand::GrantOperator { who, serve }) => serve
            .config()
            .and_then(|config| grant_operator(&config, &who)),
        Command::Call(call) => call.run(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "hookyard: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn show(config: &Config) -> anyhow::Result<ExitCode> {
    log_filter(config)?;
    hookyard_server::check(config)?;
    writeln!(std::io::stdout(), "The configuration is good.\n{config:#?}")?;
    Ok(ExitCode::SUCCESS)
}

fn try_mail(config: &Config, address: &str) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(hookyard_server::try_mail(config, address))?;
    writeln!(
        std::io::stdout(),
        "The mail server took a letter to {address}."
    )?;
    Ok(ExitCode::SUCCESS)
}

fn grant_operator(config: &Config, who: &str) -> anyhow::Result<ExitCode> {
    let told = runtime()?.block_on(hookyard_server::grant_operator(config, who))?;
    writeln!(std::io::stdout(), "{told}")?;
    Ok(ExitCode::SUCCESS)
}

fn log_filter(config: &Config) -> anyhow::Result<tracing_subscriber::EnvFilter> {
    tracing_subscriber::EnvFilter::try_new(&config.log)
        .with_context(|| format!("`{}` is not a log filter", config.log))
}

fn run(config: Config) -> anyhow::Result<ExitCode> {
    let filter = log_filter(&config)?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    runtime()?.block_on(serve(config))
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    if let Some(file) = std::env::var_os(hookyard_server::CALLS).filter(|_| cfg!(debug_assertions))
    {
        hookyard_api::operations::record_calls(file.into());
    }
    // Before the start: whoever is answered by the server may ask it to stop.
    let mut stop = StopSignals::listen()?;
    let server = Server::start(config).await?;
    // Nobody may be there to read it.
    let _ = write!(std::io::stdout(), "{}", server.greeting());
    let _ = std::io::stdout().flush();
    let failed = tokio::select! {
        () = stop.asked() => false,
        () = server.store_failed() => true,
    };
    if failed {
        // What the disk holds is unknown: end at once, and let the next start read it.
        tracing::error!(
            "The store cannot make data durable; stopping without acknowledging anything more"
        );
        std::process::exit(EXIT_STORE_FAILED);
    }
    tracing::info!("Stopping");
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// SIGTERM and Ctrl+C, which no longer end the process by themselves once they are listened to.
#[cfg(unix)]
struct StopSignals {
    interrupted: tokio::signal::unix::Signal,
    terminated: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).context("failed to listen to signals");
        Ok(Self {
            interrupted: listen(SignalKind::interrupt())?,
            terminated: listen(SignalKind::terminate())?,
        })
    }

    /// Returns when one of them arrives, also when it came before.
    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupted.recv() => {}
            _ = self.terminated.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self)
    }

    async fn asked(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
