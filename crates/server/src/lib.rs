//! The server put together: configuration, wiring, the embedded console, starting and stopping.

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

pub use backstage::{socket_gateway, socket_routes};
pub use chance::OsChance;
pub use clock::SystemClock;
pub use config::{Config, Overrides, smtp_password};
pub use server::{Server, check, try_mail};
