//! Ownership as a test writes it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hookyard_domain::kernel::ownership::{Claim, Duty, Lease, Ownership, Shard};
use tokio::sync::watch;

/// A node that owns what it was given, and no longer what was taken from it.
#[derive(Debug)]
pub struct ScriptedOwnership {
    terms: Mutex<HashMap<Claim, Term>>,
    epoch: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Term {
    number: u64,
    held: bool,
}

impl ScriptedOwnership {
    /// A node that owns nothing yet.
    pub fn of_nothing() -> Self {
        Self {
            terms: Mutex::default(),
            epoch: watch::Sender::new(0),
        }
    }

    /// A node that owns everything.
    pub fn of_everything() -> Self {
        let ownership = Self::of_nothing();
        let shards = Shard::all().map(Claim::Lanes);
        let duties = Duty::ALL.map(Claim::Duty);
        for claim in shards.chain(duties) {
            ownership.give(claim);
        }
        ownership
    }

    fn terms(&self) -> MutexGuard<'_, HashMap<Claim, Term>> {
        self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node takes a lease. Each time is another term.
    pub fn give(&self, claim: Claim) {
        {
            let mut terms = self.terms();
            let term = terms.entry(claim).or_default();
            term.number += 1;
            term.held = true;
        }
        self.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// Another node takes the lease.
    pub fn take(&self, claim: Claim) {
        self.expire(claim);
        self.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// A lease runs out, and nobody has told the node yet.
    pub fn expire(&self, claim: Claim) {
        self.terms().entry(claim).or_default().held = false;
    }
}

#[async_trait]
impl Ownership for ScriptedOwnership {
    fn lease(&self, claim: Claim) -> Option<Lease> {
        let term = *self.terms().get(&claim)?;
        term.held.then_some(Lease {
            of: claim,
            term: term.number,
        })
    }

    fn epoch(&self) -> u64 {
        *self.epoch.borrow()
    }

    async fn changed_since(&self, epoch: u64) {
        let mut epochs = self.epoch.subscribe();
        let changed = epochs.wait_for(|now| *now != epoch).await;
        changed.expect("the ownership outlives those who look at it");
    }
}
