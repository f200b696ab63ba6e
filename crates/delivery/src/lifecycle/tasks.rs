//! What is done for a subscription when its time has come.

use std::sync::Arc;

use bytes::Bytes;
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::kernel::ports::{CommitError, StoreError};
use hookyard_domain::{
    Audience, Change, DeliveryMode, Event, EventId, EventKind, Milestone, Subscription, Timestamp,
    Write,
};

use super::agenda::{Due, Task};
use super::{Inner, RETRY_PAUSE, TASKS, put};

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
            Task::Remind => {
                let change = Change::default()
                    .announcing(reminder(&subscription, now))
                    .given(subscription.unchanged());
                self.commit(change).await;
            }
            Task::Expire => {
                let ended = subscription.ended(now);
                let note = ended.passed(Milestone::Expired, now, None);
                let change = put(&ended).and(Write::NoteHistory(note));
                self.commit_or_retry(&subscription, change, &due).await;
            }
            Task::Forget => {
                let change = Change::of(Write::DeleteSubscription {
                    account: subscription.account,
                    subscription: subscription.id,
                    at: now,
                });
                self.commit_or_retry(&subscription, change, &due).await;
            }
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
            let shaken = self
                .handshake
                .verify(address, &token, verification_token.as_ref())
                .await;
            if let Err(error) = shaken {
                tracing::debug!(subscription.id = %subscription.id, %error, "not healed yet");
                return;
            }
        }
        let now = self.ports.clock.now();
        // What is not lost is delivered: nobody has to ask for it.
        let healed = subscription.resumed(true, now);
        let note = healed.passed(Milestone::Healed, now, None);
        let change = put(&healed).and(Write::NoteHistory(note));
        self.commit(change.given(subscription.unchanged())).await;
    }

    /// Commits a change to `subscription`. When the store fails, the task is tried again later; when
    /// the subscription has changed meanwhile, it has been planned anew.
    async fn commit_or_retry(&self, subscription: &Subscription, change: Change, due: &Due) {
        let guarded = change.given(subscription.unchanged());
        if let Err(CommitError::Store(error)) = self.store().commit(guarded).await {
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

/// The event that reminds a subscriber of the end (contract 4.6).
fn reminder(subscription: &Subscription, now: Timestamp) -> Event {
    let left = subscription.expires_at.since(now).as_secs();
    Event {
        account: subscription.account,
        id: EventId::PENDING,
        kind: EventKind::Reminder,
        event_type: EventKind::Reminder.name().into(),
        audience: Audience::Subscription(subscription.id),
        chat: None,
        post: None,
        request: None,
        occurred_at: now,
        body: Bytes::from(format!(r#"{{"expiresIn":{left}}}"#)),
        confidential: false,
        attributes: None,
    }
}
