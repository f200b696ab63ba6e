//! How long what happened is kept: requests, events, deliveries with their attempts, and what bins
//! received. The oldest goes first, a few rows at a time, through the one door, so that nobody waits
//! for it. What still waits to be sent is kept, and so is its event.

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::Timestamp;
use hookyard_domain::kernel::change::Change;
use hookyard_domain::kernel::limits::{PURGE_PAUSE, PURGE_PERIOD, PURGE_ROWS_MAX};
use hookyard_domain::kernel::ports::{Clock, CommitError, Store, StoreError};
use hookyard_domain::kernel::retention::{Kept, Retention, RetentionWrite};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Purges what need not be kept any longer, again and again.
#[derive(Debug)]
pub struct Purger {
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Purger {
    /// Begins at once, and looks every quarter of an hour.
    pub fn start(store: Arc<dyn Store>, clock: Arc<dyn Clock>, retention: Retention) -> Self {
        let stop = CancellationToken::new();
        let work = Work {
            store,
            clock,
            retention,
        };
        let until_stopped = stop.clone().run_until_cancelled_owned(work.run());
        let running = tokio::spawn(async move {
            until_stopped.await;
        });
        Self { stop, running }
    }

    /// Begins nothing any more, and waits for what is under way.
    pub async fn stop(self) {
        self.stop.cancel();
        let _ = self.running.await;
    }
}

struct Work {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    retention: Retention,
}

impl Work {
    async fn run(self) {
        loop {
            if let Err(error) = self.purge().await {
                tracing::warn!(%error, "what is too old could not be removed; trying again later");
            }
            self.clock
                .sleep_until(self.clock.now() + PURGE_PERIOD)
                .await;
        }
    }

    /// Removes what is too old, and then the oldest of what is too much.
    async fn purge(&self) -> Result<(), StoreError> {
        for kept in Kept::ALL {
            let before = self.retention.horizon(kept, self.clock.now());
            self.purge_before(kept, before).await?;
        }
        let Some(bytes_max) = self.retention.bytes_max else {
            return Ok(());
        };
        // Hour by hour from the oldest on, until there is room again.
        let mut before = Timestamp::default();
        let now = self.clock.now();
        while self.store.used_bytes().await? > bytes_max {
            let oldest = self.store.oldest_event().await?.unwrap_or(now);
            before = before.max(oldest) + Duration::from_secs(3_600);
            if before >= now {
                tracing::warn!(
                    bytes_max,
                    "the store is larger than `retention.size_max_mib`, and what is left is in use"
                );
                return Ok(());
            }
            for kept in Kept::ALL {
                self.purge_before(kept, before).await?;
            }
        }
        Ok(())
    }

    async fn purge_before(&self, kept: Kept, before: Timestamp) -> Result<(), StoreError> {
        let mut after = 0;
        while let Some((first, last)) = self
            .store
            .kept_range(kept, after, before, PURGE_ROWS_MAX)
            .await?
        {
            let purge = Change::of(RetentionWrite::Purge { kept, first, last });
            match self.store.commit(purge).await {
                Ok(()) | Err(CommitError::Conflict) => {}
                Err(CommitError::Store(error)) => return Err(error),
            }
            after = last;
            // Others come first.
            tokio::time::sleep(PURGE_PAUSE).await;
        }
        Ok(())
    }
}
