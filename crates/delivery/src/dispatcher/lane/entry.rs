//! A delivery of a lane's window.

use hookyard_domain::DeliveryId;
use hookyard_domain::kernel::news::CommittedDelivery;
use tokio::time::Instant;

/// A delivery in memory.
#[derive(Debug, Clone)]
pub(in crate::dispatcher) struct Entry {
    pub(in crate::dispatcher) committed: CommittedDelivery,
    /// It waits only because the receiver was down, so it need not wait once it is back.
    pub(super) hurries: bool,
    /// When it is due, where the place in the window does not say so.
    pub(super) due: Option<Instant>,
}

impl Entry {
    pub(in crate::dispatcher) const fn new(committed: CommittedDelivery) -> Self {
        Self {
            committed,
            hurries: false,
            due: None,
        }
    }

    pub(in crate::dispatcher) const fn id(&self) -> DeliveryId {
        self.committed.delivery.id
    }
}
