//! The server put together: configuration, wiring, the embedded console, starting and stopping.

mod administration;
mod backstage;
mod bootstrap;
mod chance;
mod clock;
mod config;
mod console;
mod data_dir;
mod open_files;
pub mod pubnub;
mod server;

use hookyard_api::operations::{Operation, Resources};

pub use administration::grant_operator;
pub use backstage::{socket_gateway, socket_routes};
pub use chance::OsChance;
pub use clock::SystemClock;
pub use config::{Config, Overrides, smtp_password};
pub use server::{Server, check, try_mail};

/// The variable that names the file in which builds for tests write down which operations were
/// called.
pub const CALLS: &str = "HOOKYARD_CALLS";

/// The operations that stand beside those of the API: the other transports.
pub fn beside() -> Vec<Operation> {
    let mut operations = Resources::default().with(pubnub::operations()).described();
    operations.extend(
        Resources::default()
            .with(backstage::operations())
            .described(),
    );
    operations
}

/// The document that describes every operation.
pub fn description() -> serde_json::Value {
    let operations = hookyard_api::described(&beside());
    hookyard_api::operations::document(&operations, env!("CARGO_PKG_VERSION"))
}
