//! A lane's keeper: reads from the store when the window runs low, keeps the lane's only timer,
//! gives up what has run out, and removes the lane when nothing is left.

use std::sync::Arc;

use hookyard_domain::kernel::change::Change;
use hookyard_domain::{AbandonReason, DeliveryState, DeliveryWrite};
use tokio::time::{Instant, timeout_at};

use super::lane::{Entry, Lane, Step};
use super::{Inner, Lanes};

impl Inner {
    /// A keeper's life.
    pub(super) async fn keep(self: Arc<Self>, lane: Arc<Lane>) {
        while !self.is_stopping() {
            if !self.owns(&lane) {
                lane.end();
            }
            let step = {
                let mut state = lane.lock();
                let now = Instant::now();
                let step = state.next_step(now, self.clock.now());
                if !matches!(step, Step::Leave) {
                    self.rouse(&lane, &mut state, now);
                }
                step
            };
            match step {
                Step::Leave => {
                    if self.leave(&mut self.lock(), &lane) {
                        return;
                    }
                }
                Step::Refill { limit } => self.refill(&lane, limit).await,
                Step::Abandon { entries, reason } => self.abandon(&lane, entries, reason).await,
                Step::Wait { until: Some(until) } => {
                    let _woken_or_due = timeout_at(until, lane.keeper.notified()).await;
                }
                Step::Wait { until: None } => lane.keeper.notified().await,
            }
        }
    }

    /// Forgets the lane, unless it got work since it was looked at.
    fn leave(&self, lanes: &mut Lanes, lane: &Arc<Lane>) -> bool {
        let mut state = lane.lock();
        let step = state.next_step(Instant::now(), self.clock.now());
        match step {
            Step::Leave => {}
            // Never begun: looked at again by the caller.
            Step::Refill { .. } => {
                state.cancel_refill();
                return false;
            }
            Step::Abandon { entries, .. } => {
                state.restore(entries);
                return false;
            }
            Step::Wait { .. } => return false,
        }
        let id = state.subscription.id;
        if lanes
            .by_subscription
            .get(&id)
            .is_some_and(|known| Arc::ptr_eq(known, lane))
        {
            lanes.by_subscription.remove(&id);
        }
        true
    }

    async fn refill(self: &Arc<Self>, lane: &Arc<Lane>, limit: usize) {
        let id = lane.lock().subscription.id;
        let _permit = self.refills.acquire().await;
        let rows = u32::try_from(limit).unwrap_or(u32::MAX);
        let page = match self.backlog.waiting(id, rows).await {
            Ok(page) => Some(page),
            Err(error) => {
                tracing::warn!(subscription.id = %id, %error, "reading waiting deliveries failed");
                None
            }
        };
        let page = page.map(|page| page.into_iter().map(Entry::new).collect());
        let mut state = lane.lock();
        let now = Instant::now();
        state.finish_refill(page, limit, now, self.clock.now());
        self.rouse(lane, &mut state, now);
    }

    async fn abandon(&self, lane: &Arc<Lane>, entries: Vec<Entry>, reason: AbandonReason) {
        let state = DeliveryState::Abandoned {
            at: self.clock.now(),
            reason,
        };
        let write = |entry: &Entry| DeliveryWrite::Abandon {
            account: entry.committed.delivery.account,
            delivery: entry.id(),
            state,
        };
        let writes = entries.iter().map(write).map(Into::into).collect();
        let change = Change {
            writes,
            ..Change::default()
        };
        let committed = self.backlog.record(change).await;
        if let Err(error) = &committed {
            tracing::warn!(%error, "giving deliveries up failed");
        }
        lane.lock()
            .abandoned(entries, committed.is_ok(), Instant::now());
    }
}
