//! Matching events anew that were committed while a subscription took none.
//!
//! It goes through the account's events in their order, in pages, and remembers with each page how
//! far it has come, so that a restart goes on from there. An event that was on its way to the
//! subscription already is not sent again: the store looks.

use std::sync::Arc;

use hookyard_domain::kernel::limits::CATCH_UP_PAGE_MAX;
use hookyard_domain::kernel::ports::{CommitError, StoreError};
use hookyard_domain::{Change, DeliveryWrite, Event, Redelivery, Subscription, SubscriptionWrite};

use super::Inner;
use super::agenda::Due;
use crate::recipients::recipients_now;

impl Inner {
    pub(super) async fn catch_up(&self, subscription: &Arc<Subscription>, due: &Due) {
        let _permit = self.catch_ups.acquire().await;
        match self.catch_up_pages(subscription).await {
            Ok(()) => {
                let now = self.ports.clock.now();
                self.agenda().caught_up(subscription.id, now);
                self.station.wake();
            }
            // It has changed: what is left to do is planned with its new version.
            Err(CommitError::Conflict) => {}
            Err(CommitError::Store(error)) => self.try_again(due, error),
        }
    }

    async fn catch_up_pages(&self, subscription: &Arc<Subscription>) -> Result<(), CommitError> {
        let Some(mut after) = subscription.catch_up_after else {
            return Ok(());
        };
        loop {
            let page = self
                .store()
                .events_after(subscription.account, after, CATCH_UP_PAGE_MAX)
                .await?;
            // It has been active again since before the first page was read: what comes later finds
            // it, so a page that is not full is the last.
            let full = page.len() >= CATCH_UP_PAGE_MAX as usize;
            let next = page.last().map(|event| event.id).filter(|_| full);
            let mut change = Change::default();
            for event in &page {
                if let Some(write) = self.missed(subscription, event).await? {
                    change = change.and(write);
                }
            }
            let progress = SubscriptionWrite::SetCatchUp {
                account: subscription.account,
                subscription: subscription.id,
                after: next,
            };
            let change = change.and(progress).given(subscription.unchanged());
            self.store().commit(change).await?;
            match next {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }

    /// What sends `event` to the subscription, if it asks for it and may have it.
    async fn missed(
        &self,
        subscription: &Subscription,
        event: &Event,
    ) -> Result<Option<DeliveryWrite>, StoreError> {
        let asks = subscription
            .filters
            .iter()
            .any(|filter| filter.matches(event));
        if !asks {
            return Ok(None);
        }
        let Some(recipients) = recipients_now(self.store(), subscription, event).await? else {
            return Ok(None);
        };
        let filter = subscription.wants(event, &recipients);
        Ok(filter.map(|filter| {
            DeliveryWrite::Redeliver(Redelivery {
                account: subscription.account,
                subscription: subscription.id,
                event: event.id,
                filter: filter.to_owned(),
            })
        }))
    }
}
