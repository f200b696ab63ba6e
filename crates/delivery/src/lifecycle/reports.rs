//! What follows from how receivers fare, as the dispatcher tells it: blacklisting, and endpoints
//! that become Errored.
//!
//! Whoever has a lane acts on its reports, not whoever has the duty of the life cycle: only they
//! know.

use std::sync::{Arc, Mutex, PoisonError};

use hookyard_domain::endpoints::endpoint::{EndpointEventType, endpoint_event};
use hookyard_domain::kernel::ownership::Claim;
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{Change, Milestone, Subscription, SubscriptionStatus, Timestamp, Write};
use tokio::sync::Notify;

use super::{Inner, REPORTS, put};
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
        let set_failing = |since| {
            Change::of(Write::SetFailing {
                account: subscription.account,
                subscription: subscription.id,
                since,
            })
        };
        match report {
            HealthReport::Failing { since } => self.commit(set_failing(Some(since))).await,
            HealthReport::Recovered => self.commit(set_failing(None)).await,
            HealthReport::Blacklist { reason } => {
                self.give_up(subscription, reason, Subscription::blacklisted)
                    .await;
            }
            HealthReport::Errored { reason, since } => {
                let errored = |current: &Subscription, reason, now| Subscription {
                    failing_since: current.failing_since.or(Some(since)),
                    ..current.errored(reason, now)
                };
                self.give_up(subscription, reason, errored).await;
            }
        }
    }

    /// Blacklists a subscription, or sets an endpoint Errored, unless something else has happened to
    /// it meanwhile. What it has been failing since is remembered: recovering it begins there.
    async fn give_up(
        &self,
        subscription: &Arc<Subscription>,
        reason: String,
        change: impl Fn(&Subscription, String, Timestamp) -> Subscription,
    ) {
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
            if !current.is_live(now) {
                return;
            }
            let changed = change(&current, reason.clone(), now);
            let decision = giving_up(&changed, reason.clone(), now);
            match self
                .store()
                .commit(decision.given(current.unchanged()))
                .await
            {
                Ok(()) => {
                    let status = changed.status.name();
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

/// Writes `changed`, which nothing is sent to any more, and tells of it.
fn giving_up(changed: &Subscription, reason: String, now: Timestamp) -> Change {
    let milestone = match changed.status {
        SubscriptionStatus::Errored => Milestone::Errored,
        _ => Milestone::Blacklisted,
    };
    let note = changed.passed(milestone, now, Some(reason));
    let failing = Write::SetFailing {
        account: changed.account,
        subscription: changed.id,
        since: changed.failing_since,
    };
    let mut decision = put(changed).and(failing).and(Write::NoteHistory(note));
    decision
        .events
        .extend(endpoint_event(changed, EndpointEventType::Errored, now));
    decision
}
