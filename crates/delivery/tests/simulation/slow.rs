//! The real store behind a door that takes its time and sometimes fails: what a page says may be
//! out of date when it is read.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hookyard_delivery::Backlog;
use hookyard_domain::kernel::change::Change;
use hookyard_domain::kernel::news::CommittedDelivery;
use hookyard_domain::kernel::ports::{CommitError, Store, StoreError};
use hookyard_domain::{Subscription, SubscriptionId};
use hookyard_testkit::SeededChance;
use tokio::time::sleep;

#[derive(Debug)]
pub(crate) struct SlowStore {
    store: Arc<dyn Store>,
    chance: SeededChance,
    /// How many of 100 calls fail.
    failing: u64,
}

impl SlowStore {
    pub(crate) fn new(store: Arc<dyn Store>, seed: u64, process: u32, failing: u64) -> Self {
        let chance = SeededChance::new(seed ^ (u64::from(process) << 40));
        Self {
            store,
            chance,
            failing,
        }
    }

    async fn pause(&self) {
        if self.chance.percent(50) {
            sleep(Duration::from_millis(self.chance.below(80))).await;
        }
    }

    fn fault(&self) -> Result<(), StoreError> {
        if self.chance.percent(self.failing) {
            return Err(StoreError {
                context: "drawn by the seed".to_owned(),
                source: None,
            });
        }
        Ok(())
    }
}

#[async_trait]
impl Backlog for SlowStore {
    async fn subscriptions(&self) -> Result<Vec<Arc<Subscription>>, StoreError> {
        self.pause().await;
        let found = self.store.subscriptions_with_work().await;
        self.pause().await;
        found
    }

    async fn waiting(
        &self,
        subscription: SubscriptionId,
        limit: u32,
    ) -> Result<Vec<CommittedDelivery>, StoreError> {
        self.pause().await;
        self.fault()?;
        let page = self
            .store
            .waiting_deliveries(subscription, None, limit)
            .await;
        self.pause().await;
        page
    }

    async fn record(&self, change: Change) -> Result<(), CommitError> {
        self.pause().await;
        self.fault()?;
        let recorded = self.store.commit(change).await;
        self.pause().await;
        recorded
    }
}
