//! What the dispatcher needs of the store: three questions of its many. Narrow, so that the
//! simulation can make exactly these slow and unreliable.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use hookyard_domain::kernel::change::Change;
use hookyard_domain::kernel::news::CommittedDelivery;
use hookyard_domain::kernel::ports::{CommitError, Store, StoreError};
use hookyard_domain::{Subscription, SubscriptionId};

/// Unfinished deliveries, and the record of what becomes of them.
#[async_trait]
pub trait Backlog: Send + Sync + fmt::Debug {
    /// Subscriptions with unfinished deliveries.
    async fn subscriptions(&self) -> Result<Vec<Arc<Subscription>>, StoreError>;

    /// The first `limit` waiting deliveries of a subscription in order of due time.
    async fn waiting(
        &self,
        subscription: SubscriptionId,
        limit: u32,
    ) -> Result<Vec<CommittedDelivery>, StoreError>;

    /// Records attempts or gives deliveries up.
    async fn record(&self, change: Change) -> Result<(), CommitError>;
}

#[async_trait]
impl Backlog for Arc<dyn Store> {
    async fn subscriptions(&self) -> Result<Vec<Arc<Subscription>>, StoreError> {
        self.subscriptions_with_work().await
    }

    async fn waiting(
        &self,
        subscription: SubscriptionId,
        limit: u32,
    ) -> Result<Vec<CommittedDelivery>, StoreError> {
        self.waiting_deliveries(subscription, None, limit).await
    }

    async fn record(&self, change: Change) -> Result<(), CommitError> {
        self.commit(change).await
    }
}
