//! Commits that fail, or conflict, as often as they are told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{CommitError, Commits, StoreError};
use hookyard_domain::{Change, EventId};

/// Passes every change on, but for those that it was told to spoil.
#[derive(Debug)]
pub(crate) struct FaultyCommits {
    pub(crate) inner: Arc<dyn Commits>,
    /// Commits that conflict from now on.
    pub(crate) conflicts: AtomicU32,
    /// Commits that fail from now on.
    pub(crate) failures: AtomicU32,
}

fn take_one(count: &AtomicU32) -> bool {
    let less = |left: u32| left.checked_sub(1);
    count
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .is_ok()
}

#[async_trait]
impl Commits for FaultyCommits {
    async fn commit_numbering(&self, change: Change) -> Result<Vec<EventId>, CommitError> {
        if take_one(&self.conflicts) {
            return Err(CommitError::Conflict);
        }
        if take_one(&self.failures) {
            let context = "the disk is gone".to_owned();
            return Err(StoreError {
                context,
                source: None,
            }
            .into());
        }
        self.inner.commit_numbering(change).await
    }
}
