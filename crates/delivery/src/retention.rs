//! How long what happened is kept: requests, events, deliveries with their attempts, and what bins
//! received. The oldest goes first, a few rows at a time, through the one door, so that nobody waits
//! for it. What still waits to be sent is kept, and so is its event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hookyard_domain::Timestamp;
use hookyard_domain::kernel::change::Change;
use hookyard_domain::kernel::component::{Component, Ports, Status};
use hookyard_domain::kernel::limits::{PURGE_PAUSE, PURGE_PERIOD, PURGE_ROWS_MAX};
use hookyard_domain::kernel::ownership::Duty;
use hookyard_domain::kernel::ports::{CommitError, StoreError};
use hookyard_domain::kernel::retention::{Kept, Retention, RetentionWrite};
use tokio_util::sync::DropGuard;

use crate::component::{Station, Work, begin};

const PAGES: &str = "pages";

/// Purges what need not be kept any longer, again and again.
#[derive(Debug)]
pub struct Purger {
    inner: Arc<Inner>,
    _end: DropGuard,
}

#[derive(Debug)]
struct Inner {
    ports: Ports,
    station: Station,
    retention: Retention,
}

impl Purger {
    /// Begins at once, and looks every quarter of an hour.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn start(ports: &Ports, retention: Retention) -> Result<Self, StoreError> {
        let inner = Arc::new(Inner {
            ports: ports.clone(),
            station: Station::new(Duty::Retention, ports, &[PAGES]),
            retention,
        });
        let end = inner.station.crew.ends_with();
        begin(&inner).await?;
        Ok(Self { inner, _end: end })
    }
}

#[async_trait]
impl Component for Purger {
    fn status(&self) -> Status {
        self.inner.station.status()
    }

    async fn stop(&self, deadline: Instant) {
        self.abort();
        self.inner.station.crew.finish(deadline.into()).await;
    }

    fn abort(&self) {
        self.inner.station.crew.abort();
    }
}

#[async_trait]
impl Work for Inner {
    fn station(&self) -> &Station {
        &self.station
    }

    /// Old rows tell of themselves: there is nothing to remember.
    async fn take_up(self: Arc<Self>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn round(self: Arc<Self>) -> Option<Timestamp> {
        if let Err(error) = self.purge().await {
            tracing::warn!(%error, "what is too old could not be removed; trying again later");
            self.station.crew.failed(error);
        }
        Some(self.ports.clock.now() + PURGE_PERIOD)
    }
}

impl Inner {
    /// Removes what is too old, and then the oldest of what is too much.
    async fn purge(&self) -> Result<(), StoreError> {
        for kept in Kept::ALL {
            let before = self.retention.horizon(kept, self.ports.clock.now());
            self.purge_before(kept, before).await?;
        }
        let Some(bytes_max) = self.retention.bytes_max else {
            return Ok(());
        };
        // Hour by hour from the oldest on, until there is room again.
        let mut before = Timestamp::default();
        let now = self.ports.clock.now();
        while self.ports.store.used_bytes().await? > bytes_max {
            let oldest = self.ports.store.oldest_event().await?.unwrap_or(now);
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
            .ports
            .store
            .kept_range(kept, after, before, PURGE_ROWS_MAX)
            .await?
        {
            let purge = Change::of(RetentionWrite::Purge { kept, first, last });
            if !self.station.holds() {
                return Ok(());
            }
            match self.ports.store.commit(purge).await {
                Ok(()) | Err(CommitError::Conflict) => {}
                Err(CommitError::Store(error)) => return Err(error),
            }
            after = last;
            self.station.crew.count(PAGES, 1);
            // Others come first.
            tokio::time::sleep(PURGE_PAUSE).await;
        }
        Ok(())
    }
}
