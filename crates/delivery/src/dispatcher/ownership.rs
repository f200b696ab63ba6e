//! Which lanes are this node's: those of the shards that it holds a lease of.
//!
//! Nothing is sent without asking. A lane belongs to one lease: when that no longer holds, the lane
//! is dropped, and what it held is in the store. When a shard is gained, at the start or later, its
//! lanes begin with what the store holds.

use std::collections::HashMap;
use std::sync::Arc;

use hookyard_domain::Subscription;
use hookyard_domain::kernel::limits::{RESTART_PAUSE, STORE_PAUSE_MAX, STORE_PAUSE_MIN};
use hookyard_domain::kernel::ownership::{Claim, Lease, Shard};
use hookyard_domain::kernel::ports::StoreError;
use tokio::time::{Instant, sleep};

use super::lane::Lane;
use super::{Inner, Lanes, doubled};

/// Leases whose unfinished work has been looked for: every subscription of theirs that has some has
/// a lane, so one without has none.
pub(super) type Recovered = HashMap<Claim, Lease>;

impl Inner {
    /// Begins the lanes of everything that this node owns, and follows what it owns from then on.
    pub(super) async fn begin_lanes(self: &Arc<Self>) -> Result<(), StoreError> {
        let epoch = self.ownership.epoch();
        self.take_stock().await?;
        let inner = Arc::clone(self);
        let follow = move || Arc::clone(&inner).follow_ownership(epoch);
        self.crew.spawn_lasting(follow);
        Ok(())
    }

    async fn follow_ownership(self: Arc<Self>, mut epoch: u64) {
        loop {
            self.ownership.changed_since(epoch).await;
            epoch = self.ownership.epoch();
            let mut pause = STORE_PAUSE_MIN;
            while let Err(error) = self.take_stock().await {
                tracing::warn!(%error, "lanes that this node gained cannot be read yet");
                self.crew.failed(error);
                sleep(pause).await;
                pause = doubled(pause, STORE_PAUSE_MAX);
            }
        }
    }

    /// Drops the lanes that this node owns no longer, and begins those that it gained.
    async fn take_stock(self: &Arc<Self>) -> Result<(), StoreError> {
        let leases: Recovered = Shard::all()
            .filter_map(|shard| self.ownership.lease(Claim::Lanes(shard)))
            .map(|lease| (lease.of, lease))
            .collect();
        if !self.drop_lost(&leases) {
            return Ok(());
        }
        let unfinished = self.backlog.subscriptions().await?;
        let mut lanes = self.lock();
        for subscription in &unfinished {
            let claim = Claim::on_lane_of(subscription.id);
            if lanes.recovered.get(&claim) == leases.get(&claim) {
                continue;
            }
            if let Some(lane) = self.lane(&mut lanes, subscription) {
                lane.lock().fall_behind();
                lane.keeper.notify_one();
            }
        }
        lanes.recovered = leases;
        Ok(())
    }

    /// Drops the lanes of other leases than these. Tells whether there are leases that have not been
    /// looked at.
    fn drop_lost(&self, leases: &Recovered) -> bool {
        let mut lanes = self.lock();
        let is_lost = |lane: &Arc<Lane>| leases.get(&lane.lease.of) != Some(&lane.lease);
        let mut lost: Vec<_> = lanes
            .by_subscription
            .extract_if(|_, lane| is_lost(lane))
            .collect();
        // A map's order is not the seed's.
        lost.sort_unstable_by_key(|(id, _)| *id);
        for (_, lane) in lost {
            lane.end();
        }
        lanes
            .recovered
            .retain(|claim, lease| leases.get(claim) == Some(lease));
        lanes.recovered.len() < leases.len()
    }

    /// Whether `lane` may send at this moment.
    pub(super) fn owns(&self, lane: &Lane) -> bool {
        self.ownership.holds(lane.lease)
    }

    /// The subscription's lane, which begins now if there is none; `None` when it is another node's.
    pub(super) fn lane(
        self: &Arc<Self>,
        lanes: &mut Lanes,
        subscription: &Arc<Subscription>,
    ) -> Option<Arc<Lane>> {
        let lease = self.ownership.lease(Claim::on_lane_of(subscription.id))?;
        if let Some(known) = lanes.by_subscription.get(&subscription.id) {
            if known.lease == lease {
                return Some(Arc::clone(known));
            }
            known.end();
        }
        let behind = lanes.recovered.get(&lease.of) != Some(&lease);
        let lane = Lane::new(Arc::clone(subscription), lease, behind);
        Some(self.insert(lanes, lane))
    }

    fn insert(self: &Arc<Self>, lanes: &mut Lanes, lane: Lane) -> Arc<Lane> {
        let id = lane.lock().subscription.id;
        let lane = Arc::new(lane);
        lanes.by_subscription.insert(id, Arc::clone(&lane));
        let keeping = Arc::clone(self).keep(Arc::clone(&lane));
        self.spawn_in(&lane, keeping);
        lane
    }

    /// Runs a task of `lane`. Should it panic, what the lane knows is not to be trusted: after a
    /// pause another goes on in its place, with what the store holds.
    pub(super) fn spawn_in(
        self: &Arc<Self>,
        lane: &Arc<Lane>,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let (inner, lane) = (Arc::clone(self), Arc::clone(lane));
        self.workers.spawn(async move {
            if inner.workers.guard(task).await.is_none() {
                inner.replace(&lane);
            }
        });
    }

    pub(super) fn replace(self: &Arc<Self>, lane: &Arc<Lane>) {
        lane.end();
        if self.is_stopping() {
            return;
        }
        let mut lanes = self.lock();
        let subscription = Arc::clone(&lane.lock().subscription);
        let known = lanes.by_subscription.get(&subscription.id);
        if known.is_some_and(|known| Arc::ptr_eq(known, lane)) {
            let next = Lane::new(subscription, lane.lease, true);
            next.lock().rest_until(Instant::now() + RESTART_PAUSE);
            self.insert(&mut lanes, next);
        }
    }
}
