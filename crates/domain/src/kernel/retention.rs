//! How long what happened is kept.

use std::time::Duration;

use crate::kernel::change::{Change, Write};
use crate::kernel::limits::{HISTORY_KEPT, JOBS_KEPT, STATISTICS_KEPT};
use crate::kernel::time::Timestamp;

/// What is kept for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kept {
    /// Calls to incoming webhooks.
    Requests,
    /// Deliveries that are settled, with their attempts.
    Deliveries,
    /// Events that no delivery waits for.
    Events,
    /// What bins received.
    BinRequests,
}

impl Kept {
    /// Everything, in the order in which it goes: an event after its deliveries.
    pub const ALL: [Self; 4] = [
        Self::Requests,
        Self::Deliveries,
        Self::Events,
        Self::BinRequests,
    ];
}

/// How long, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    pub requests: Duration,
    pub events: Duration,
    pub attempts: Duration,
    pub bins: Duration,
    /// Bytes that the store may use; `None` for as many as there are.
    pub bytes_max: Option<u64>,
}

impl Retention {
    /// What happened before this moment is not kept at `now`.
    pub fn horizon(&self, kept: Kept, now: Timestamp) -> Timestamp {
        now - match kept {
            Kept::Requests => self.requests,
            // A delivery tells of its event.
            Kept::Events => self.events,
            Kept::Deliveries => self.attempts.min(self.events),
            Kept::BinRequests => self.bins,
        }
    }
}

/// What clears, at `now`, what nobody looks at any more: the history of subscriptions that have
/// ended, old jobs, and how endpoints fared long ago.
pub fn clearings(now: Timestamp) -> [Change; 3] {
    [
        Write::PurgeHistory {
            before: now - HISTORY_KEPT,
        },
        Write::PurgeJobs {
            before: now - JOBS_KEPT,
        },
        Write::PurgeStatistics {
            before: now - STATISTICS_KEPT,
        },
    ]
    .map(Change::of)
}
