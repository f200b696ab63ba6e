//! What has been made durable since the start, for whoever looks.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use hookyard_domain::Timestamp;

/// Counts transactions that were committed, whatever came of each change in them.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    commits: AtomicU64,
    last_ms: AtomicI64,
}

impl Pulse {
    /// A transaction is on disk.
    pub(super) fn beat(&self, now: Timestamp) {
        self.last_ms.store(now.as_millis(), Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// When the last one was committed.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        let last = Timestamp::from_millis(self.last_ms.load(Ordering::Relaxed));
        (self.commits() > 0).then_some(last)
    }
}
