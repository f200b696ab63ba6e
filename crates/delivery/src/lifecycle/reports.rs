//! What follows from how receivers fare, as the dispatcher tells it: blacklisting, and endpoints
//! that become Errored.
//!
//! Whoever has a lane acts on its reports, not whoever has the duty of the life cycle: only they
//! know.

use std::sync::{Arc, Mutex, PoisonError};

use hookyard_domain::Subscription;
use hookyard_domain::kernel::ownership::Claim;
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::subscriptions::life_cycle::Trouble;
use tokio::sync::Notify;

use super::{Inner, REPORTS};
use crate::health::{HealthListener, HealthReport};

/// Reports that nobody has acted on yet. Each subscription tells only what is new.
#[derive(Debug, Default)]
pub(super) struct Reports {
    unread: Mutex<Vec<(Arc<Subscription>, HealthReport)>>,
    told: Notify,
}

impl Reports {
    fn push(&self, subscription: &Arc<Subscription>, report: HealthReport) {
        self.unread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((Arc::clone(subscription), report));
        self.told.notify_one();
    }

    fn take(&self) -> Vec<(Arc<Subscription>, HealthReport)> {
        std::mem::take(&mut *self.unread.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HealthListener for Inner {
    fn report(&self, subscription: &Arc<Subscription>, report: HealthReport) {
        self.reports.push(subscription, report);
    }
}

impl Inner {
    /// Acts on reports, one after the other.
    pub(super) async fn read_reports(self: Arc<Self>) {
        loop {
            for (subscription, report) in self.reports.take() {
                let claim = Claim::on_lane_of(subscription.id);
                if self.ports.ownership.lease(claim).is_some() {
                    self.station.crew.count(REPORTS, 1);
                    self.act_on(&subscription, report).await;
                }
            }
            self.reports.told.notified().await;
        }
    }

    /// Acts on how a subscription fares.
    async fn act_on(&self, subscription: &Arc<Subscription>, report: HealthReport) {
        match report {
            HealthReport::Failing { since } => {
                self.commit(subscription.note_failing(Some(since))).await;
            }
            HealthReport::Recovered => self.commit(subscription.note_failing(None)).await,
            HealthReport::Blacklist { reason } => {
                let trouble = Trouble::Blacklisted { reason };
                self.give_up(subscription, &trouble).await;
            }
            HealthReport::Errored { reason, since } => {
                let trouble = Trouble::PastThreshold { reason, since };
                self.give_up(subscription, &trouble).await;
            }
        }
    }

    /// Gives a subscription up, unless something else has happened to it meanwhile.
    async fn give_up(&self, subscription: &Arc<Subscription>, trouble: &Trouble) {
        let (account, id) = (subscription.account, subscription.id);
        loop {
            // Renewals do not save it, so what counts is how it is now.
            let current = match self.store().subscription(account, id).await {
                Ok(Some(current)) => current,
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(subscription.id = %id, %error, "reading a subscription failed");
                    return self.station.crew.failed(error);
                }
            };
            let now = self.ports.clock.now();
            let Some((change, changed)) = current.give_up(trouble, now) else {
                return;
            };
            match self.store().commit(change).await {
                Ok(()) => {
                    let status = changed.status.name();
                    let reason = trouble.reason();
                    tracing::info!(subscription.id = %id, reason, status, "subscription given up");
                    return;
                }
                Err(CommitError::Conflict) => {}
                Err(CommitError::Store(error)) => {
                    tracing::warn!(subscription.id = %id, %error, "blacklisting failed");
                    return self.station.crew.failed(error);
                }
            }
        }
    }
}
