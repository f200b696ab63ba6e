//! Which node does what: each lane and each duty has one owner at a time.
//!
//! Who works asks before it begins, and does nothing when it does not own. What it owns it owns
//! under a *lease*, whose term grows each time that it is taken: the term is the fence by which a
//! store refuses what a node writes that lost its lease without noticing. A node alone owns all.

use std::fmt;

use async_trait::async_trait;

use crate::kernel::ids::SubscriptionId;

/// A share of all lanes. Lanes move between nodes by shards, because a lease for each would cost
/// more than the lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u8);

impl Shard {
    /// How many there are.
    pub const COUNT: usize = 256;

    /// The shard of a subscription's lane. The same on every node and in every version: nodes of two
    /// versions run side by side.
    pub fn of(subscription: SubscriptionId) -> Self {
        // FNV-1a. The bytes of an id are random but for those that tell its version.
        let hash = subscription
            .0
            .as_bytes()
            .iter()
            .fold(0x811c_9dc5_u32, |hash, byte| {
                (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
            });
        let [first, second, third, fourth] = hash.to_be_bytes();
        Self(first ^ second ^ third ^ fourth)
    }

    /// Every shard.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }
}

/// What is done once, however many nodes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duty {
    /// Reminding, ending, blacklisting, healing and forgetting subscriptions.
    Lifecycle,
    /// Work that somebody asked for.
    Jobs,
    /// Removing what need not be kept.
    Retention,
    /// Telling owners by e-mail.
    Letters,
}

impl Duty {
    /// Every duty.
    pub const ALL: [Self; 4] = [Self::Lifecycle, Self::Jobs, Self::Retention, Self::Letters];

    /// Name in tables and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lifecycle => "lifecycle",
            Self::Jobs => "jobs",
            Self::Retention => "retention",
            Self::Letters => "letters",
        }
    }
}

/// What one node owns at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    Lanes(Shard),
    Duty(Duty),
}

impl Claim {
    /// The claim on a subscription's lane.
    pub fn on_lane_of(subscription: SubscriptionId) -> Self {
        Self::Lanes(Shard::of(subscription))
    }
}

/// That this node owns something, for as long as the term lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    pub of: Claim,
    /// Grows each time that the lease is taken, by whichever node.
    pub term: u64,
}

/// What this node owns.
#[async_trait]
pub trait Ownership: Send + Sync + fmt::Debug {
    /// The lease under which this node owns `claim` at this moment, if it does. Asked before each
    /// attempt, so it must not wait.
    fn lease(&self, claim: Claim) -> Option<Lease>;

    /// Grows whenever this node owns more or less than before.
    fn epoch(&self) -> u64;

    /// Returns when the epoch is no longer `epoch`; at once if it is not.
    async fn changed_since(&self, epoch: u64);

    /// Whether `lease` still holds.
    fn holds(&self, lease: Lease) -> bool {
        self.lease(lease.of) == Some(lease)
    }
}

/// A node alone: it owns everything, always.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoleOwner;

#[async_trait]
impl Ownership for SoleOwner {
    fn lease(&self, claim: Claim) -> Option<Lease> {
        Some(Lease { of: claim, term: 1 })
    }

    fn epoch(&self) -> u64 {
        0
    }

    async fn changed_since(&self, _epoch: u64) {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn shards_are_used_evenly_and_stay_where_they_are() {
        let mut counts = [0_u32; Shard::COUNT];
        for number in 0..25_600_u128 {
            // Spread as random ids are.
            let bytes = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let id = SubscriptionId::from_random(bytes.to_be_bytes());
            counts[usize::from(Shard::of(id).0)] += 1;
        }
        assert!(
            counts.iter().all(|count| (50..=170).contains(count)),
            "{counts:?}"
        );
        let shard = |number| Shard::of(SubscriptionId(Uuid::from_u128(number))).0;
        let known = [shard(0), shard(1), shard(2), shard(u128::MAX)];
        assert_eq!(known, [28, 100, 196, 189]);
    }
}
