//! Sums over all accounts, for those who look after the installation.

use async_trait::async_trait;

use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;

/// What the store says of itself and of what waits in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFigures {
    /// One word, such as `sqlite`.
    pub kind: &'static str,
    /// Migrations that were applied.
    pub schema_version: u64,
    /// Deliveries that were not sent yet, or will be sent again.
    pub waiting: u64,
    /// When the oldest of these was made.
    pub oldest_waiting: Option<Timestamp>,
    /// Jobs that could not go on, as long as they are kept.
    pub jobs_failed: u64,
}

/// Reads of these sums.
#[async_trait]
pub trait Figures: Send + Sync {
    async fn figures(&self) -> Result<StoreFigures, StoreError>;
}
