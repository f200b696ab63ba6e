//! Events that were published with an id of their publisher's, so that a repeat is recognised.

use async_trait::async_trait;

use crate::kernel::ids::{AccountId, EventId};
use crate::kernel::ports::StoreError;

/// What was published with an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    pub event: EventId,
    /// Of its type and data.
    pub digest: [u8; 32],
}

/// Reads of what was published with an id.
#[async_trait]
pub trait Publications: Send + Sync {
    /// The event that was published with this id of its publisher's.
    async fn publication(
        &self,
        account: AccountId,
        source: &str,
        id: &str,
    ) -> Result<Option<Publication>, StoreError>;
}
