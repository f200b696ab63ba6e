//! The commands that call a running server, as any program could: over its HTTP API.

mod access;
mod apps;
mod credentials;
mod deliveries;
mod endpoints;
mod forward;
mod frames;
mod jobs;
mod lines;
mod listen;
mod moment;
mod publish;
mod screen;
mod session;
mod table;
mod trigger;

use std::io;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

/// What a running server is asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Call {
    Listen(listen::Listen),
    Trigger(trigger::Trigger),
    Publish(publish::Publish),
    Deliveries(deliveries::Deliveries),
    Endpoints(endpoints::Endpoints),
    Apps(apps::Apps),
    Credentials(credentials::Credentials),
}

impl Call {
    /// Does it.
    ///
    /// # Errors
    ///
    /// When it could not be done.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("failed to start the runtime")?;
        let done = runtime.block_on(async {
            match self {
                Self::Listen(listen) => listen.run().await,
                Self::Trigger(trigger) => trigger.run().await,
                Self::Publish(publish) => publish.run().await,
                Self::Deliveries(deliveries) => deliveries.run().await,
                Self::Endpoints(endpoints) => endpoints.run().await,
                Self::Apps(apps) => apps.run().await,
                Self::Credentials(credentials) => credentials.run().await,
            }
        });
        match done {
            // Whoever read the output has seen enough.
            Err(error) if is_closed_pipe(&error) => Ok(ExitCode::SUCCESS),
            done => done.map(|()| ExitCode::SUCCESS),
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
