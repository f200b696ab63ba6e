//! What a change writes, step by step: rows, subscriptions and attempts.

use std::sync::Arc;

use hookyard_domain::{
    AccountId, Attempt, DeliveryId, DeliveryState, HistoryEntry, Milestone, NewsItem, Subscription,
    SubscriptionId, SubscriptionStatus, Timestamp,
};

use super::{Batch, Core, Refusal};
use crate::commit::backend::{Backend, Ending, Scope, Whose};
use crate::commit::encoded::Step;
use crate::fault::Fault;

impl<B: Backend> Core<B> {
    pub(super) fn take(&mut self, step: &mut Step<B>, batch: &mut Batch) -> Result<(), Refusal> {
        match step {
            Step::Row(row) => {
                let scope = Scope {
                    fanout: &mut self.fanout,
                    news: &mut batch.news,
                };
                self.backend.write(row, scope)?;
            }
            Step::PutSubscription(subscription, columns) => {
                self.put_subscription(subscription, columns, batch)?;
            }
            Step::EndSubscription {
                account,
                subscription,
                at,
            } => self.end_subscription(*account, *subscription, *at, batch)?,
            Step::EndSubscriptionsOf {
                account,
                whose,
                at,
                reason,
            } => self.end_subscriptions_of(*account, whose, *at, reason, batch)?,
            Step::Record(attempt, state, columns) => self.record(attempt, state, columns, batch)?,
            Step::Abandon {
                account,
                delivery,
                state,
            } => self.abandon(*account, *delivery, state, batch)?,
        }
        Ok(())
    }

    /// Writes a subscription, puts what waits for it in order, and sends it what comes from now on.
    fn put_subscription(
        &mut self,
        subscription: &Arc<Subscription>,
        columns: &B::SubscriptionColumns,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let key = self.backend.put_subscription(subscription, columns)?;
        if let Some((former, _)) = self.fanout.get(subscription.id) {
            if former.is_ordered() != subscription.is_ordered() {
                self.backend.set_ordered(key, subscription.is_ordered())?;
            }
            let active = subscription.status == SubscriptionStatus::Active;
            if active && former.status != SubscriptionStatus::Active {
                // Whatever they waited for has been put right.
                self.backend.hurry(key, subscription.modified_at)?;
            }
        }
        self.fanout.put(Arc::clone(subscription), key);
        let news = NewsItem::Subscription(Arc::clone(subscription));
        batch.news.push(news);
        Ok(())
    }

    /// Deletes a subscription that is there, with what is counted of it.
    fn end_subscription(
        &mut self,
        account: AccountId,
        subscription: SubscriptionId,
        at: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let counted = self.fanout.endpoint_key(subscription);
        if !self
            .backend
            .delete_subscription(account, subscription, at)?
        {
            return Ok(());
        }
        if let Some(key) = counted {
            batch.tally.remove(&key);
            self.backend.forget_statistics(key)?;
        }
        self.fanout.remove(subscription);
        batch.news.push(NewsItem::SubscriptionEnded(subscription));
        Ok(())
    }

    fn end_subscriptions_of(
        &mut self,
        account: AccountId,
        whose: &Whose,
        at: Timestamp,
        reason: &'static str,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        for ending in self.backend.subscriptions_of(account, whose)? {
            let Ending {
                subscription,
                owner,
                client_id,
            } = ending;
            self.backend.note_history(&HistoryEntry {
                account,
                subscription,
                owner,
                client_id,
                at,
                milestone: Milestone::Deleted,
                detail: Some(reason.to_owned()),
            })?;
            self.end_subscription(account, subscription, at, batch)?;
        }
        Ok(())
    }

    /// Records an attempt, and counts it when it is an endpoint's.
    fn record(
        &mut self,
        attempt: &Attempt,
        state: &DeliveryState,
        columns: &B::AttemptColumns,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let recorded = self.backend.record_attempt(attempt, columns, state)?;
        if let Some(key) = self.fanout.endpoint_key(attempt.subscription) {
            let counted = batch.tally.entry(key).or_default();
            if recorded.fresh {
                counted.count_attempt(attempt);
            }
            counted.count_ends(state, u64::from(recorded.moved));
        }
        Ok(())
    }

    /// Moves a delivery on without an attempt.
    fn abandon(
        &mut self,
        account: AccountId,
        delivery: DeliveryId,
        state: &DeliveryState,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        if !self.backend.advance_delivery(account, delivery, state)? {
            return Ok(());
        }
        let moved = self.backend.delivery(account, delivery)?;
        let key = moved.and_then(|moved| self.fanout.endpoint_key(moved.subscription));
        if let Some(key) = key {
            batch.tally.entry(key).or_default().count_ends(state, 1);
        }
        Ok(())
    }
}
