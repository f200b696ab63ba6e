//! What is done for a subscription when its time has come.

use std::sync::Arc;

use hookyard_domain::identity::secret::token_from;
use hookyard_domain::kernel::ports::{CommitError, StoreError};
use hookyard_domain::subscriptions::life_cycle::Task;
use hookyard_domain::{Change, DeliveryMode, Secret, Subscription, Timestamp};

use super::agenda::Due;
use super::{Inner, RETRY_PAUSE, TASKS};

impl Inner {
    /// Does a task, unless the subscription is no longer the one that it was planned for.
    pub(super) async fn perform(self: Arc<Self>, due: Due, now: Timestamp) {
        let found = self
            .store()
            .subscription(due.account, due.subscription)
            .await;
        let subscription = match found {
            Ok(Some(subscription)) if subscription.version == due.version => subscription,
            // What became of it is told, and planned anew.
            Ok(_) => return,
            Err(error) => return self.try_again(&due, error),
        };
        if !self.station.holds() {
            return;
        }
        self.station.crew.count(TASKS, 1);
        match due.task {
            Task::Remind => self.commit(subscription.remind(now)).await,
            Task::Expire => self.commit_or_retry(subscription.expire(now), &due).await,
            Task::Forget => self.commit_or_retry(subscription.forget(now), &due).await,
            Task::Probe => self.probe(&subscription).await,
            Task::CatchUp => self.catch_up(&subscription, &due).await,
        }
    }

    /// Looks whether a blacklisted address is in order again, and if so puts it into use.
    async fn probe(&self, subscription: &Subscription) {
        let _permit = self.probes.acquire().await;
        if let DeliveryMode::WebHook {
            address,
            verification_token,
        } = &subscription.mode
        {
            let mut random = [0; 32];
            self.ports.chance.fill(&mut random);
            let token = token_from(random);
            let own = verification_token.as_ref();
            let Some(proof) = self.verification_token(subscription, own).await else {
                return;
            };
            let shaken = self.handshake.verify(address, &token, proof.as_ref()).await;
            if let Err(error) = shaken {
                tracing::debug!(subscription.id = %subscription.id, %error, "not healed yet");
                return;
            }
        }
        let healed = subscription.heal(self.ports.clock.now());
        self.commit(healed).await;
    }

    /// What an address is shown: the subscription's own token, or that of its app. `None` when the
    /// store cannot tell, which the next probe may find otherwise.
    async fn verification_token(
        &self,
        subscription: &Subscription,
        own: Option<&Secret>,
    ) -> Option<Option<Secret>> {
        if own.is_some() {
            return Some(own.cloned());
        }
        let store = self.store();
        let token = store.verification_token(&subscription.client_id).await;
        token
            .inspect_err(|error| tracing::warn!(%error, "An app's token could not be read"))
            .ok()
    }

    /// Commits a change. When the store fails, the task is tried again later; when the subscription
    /// has changed meanwhile, it has been planned anew.
    async fn commit_or_retry(&self, change: Change, due: &Due) {
        if let Err(CommitError::Store(error)) = self.store().commit(change).await {
            self.try_again(due, error);
        }
    }

    /// Plans a task again that the store did not let us do.
    pub(super) fn try_again(&self, due: &Due, error: StoreError) {
        let id = due.subscription;
        tracing::warn!(subscription.id = %id, task = ?due.task, %error, "a subscription waits");
        self.station.crew.failed(error);
        let at = self.ports.clock.now() + RETRY_PAUSE;
        self.agenda().retry(due, at);
        self.station.wake();
    }
}
