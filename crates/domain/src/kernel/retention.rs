//! How long what happened is kept.

use std::time::Duration;

use async_trait::async_trait;

use crate::delivery::job::JobWrite;
use crate::endpoints::statistics::StatisticsWrite;
use crate::kernel::change::Change;
use crate::kernel::first_request::FirstRequestWrite;
use crate::kernel::limits::{FIRST_REQUESTS_KEPT, HISTORY_KEPT, JOBS_KEPT, STATISTICS_KEPT};
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;
use crate::subscriptions::history::HistoryWrite;

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
/// ended, old jobs, how endpoints fared long ago, and first requests that no repeat is known for.
pub fn clearings(now: Timestamp) -> [Change; 4] {
    let history = HistoryWrite::Purge {
        before: now - HISTORY_KEPT,
    };
    let jobs = JobWrite::Purge {
        before: now - JOBS_KEPT,
    };
    let statistics = StatisticsWrite::Purge {
        before: now - STATISTICS_KEPT,
    };
    let first_requests = FirstRequestWrite::Purge {
        before: now - FIRST_REQUESTS_KEPT,
    };
    [
        Change::of(history),
        Change::of(jobs),
        Change::of(statistics),
        Change::of(first_requests),
    ]
}

/// What retention removes.
#[derive(Debug, Clone)]
pub enum RetentionWrite {
    /// Removes what is no longer kept, of a range of numbers; what is still needed stays.
    Purge { kept: Kept, first: u64, last: u64 },
}

/// Reads of how much is kept.
#[async_trait]
pub trait Retained: Send + Sync {
    /// The first and the last number of the next rows after `after` from before `before`; of at most
    /// `limit` rows.
    async fn kept_range(
        &self,
        kept: Kept,
        after: u64,
        before: Timestamp,
        limit: u32,
    ) -> Result<Option<(u64, u64)>, StoreError>;
    /// Bytes that the store uses.
    async fn used_bytes(&self) -> Result<u64, StoreError>;
}
