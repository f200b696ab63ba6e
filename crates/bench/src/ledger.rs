//! Who sent what and who got it: the books of one measurement.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::message::Mark;
use crate::stopwatch::sample;

/// Receipts of the current phase, by message id.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    receipts: Mutex<Receipts>,
    /// Distinct messages received in this phase; read often, so kept beside the lock.
    delivered: AtomicU64,
    last_us: AtomicU64,
}

#[derive(Debug, Default)]
struct Receipts {
    phase: u16,
    /// Times that each message arrived.
    counts: Vec<u8>,
    /// From the intended sending to the first arrival, in microseconds.
    delays_us: Vec<u32>,
    first_us: Option<u64>,
    repeats: u64,
}

/// What the books say at the end of a phase.
#[derive(Debug)]
pub(crate) struct Balance {
    /// Accepted and never received.
    pub(crate) lost: u64,
    /// Receipts beyond the first.
    pub(crate) duplicated: u64,
    pub(crate) delays_us: Vec<u32>,
    /// First arrival of all.
    pub(crate) first_us: Option<u64>,
    /// Latest arrival of all.
    pub(crate) last_us: u64,
}

impl Ledger {
    /// Starts a new phase; receipts of earlier phases are ignored from now on.
    pub(crate) fn begin(&self) -> u16 {
        let phase = self.phase().wrapping_add(1);
        self.follow(phase);
        phase
    }

    /// Starts the phase that another ledger has begun.
    pub(crate) fn follow(&self, phase: u16) {
        let mut receipts = self.receipts.lock().expect("no holder panics");
        *receipts = Receipts {
            phase,
            ..Receipts::default()
        };
        self.delivered.store(0, Ordering::Relaxed);
        self.last_us.store(0, Ordering::Relaxed);
    }

    fn phase(&self) -> u16 {
        self.receipts.lock().expect("no holder panics").phase
    }

    /// Books a receipt at `now_us`. False when it is of another phase.
    pub(crate) fn receive(&self, mark: Mark, now_us: u64) -> bool {
        let mut receipts = self.receipts.lock().expect("no holder panics");
        if receipts.phase != mark.phase {
            return false;
        }
        let index = usize::try_from(mark.id).expect("ids fit memory");
        if receipts.counts.len() <= index {
            let room = (index + 1).next_power_of_two().max(1 << 16);
            receipts.counts.resize(room, 0);
        }
        receipts.counts[index] = receipts.counts[index].saturating_add(1);
        if receipts.counts[index] > 1 {
            receipts.repeats += 1;
            return true;
        }
        receipts.delays_us.push(sample(mark.sent_us, now_us));
        receipts.first_us.get_or_insert(now_us);
        self.last_us.fetch_max(now_us, Ordering::Relaxed);
        self.delivered.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Distinct messages received so far.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Compares receipts with the ids that were accepted.
    pub(crate) fn balance(&self, accepted: &[u32]) -> Balance {
        let mut receipts = self.receipts.lock().expect("no holder panics");
        let arrived = |id: &u32| {
            let index = usize::try_from(*id).expect("ids fit memory");
            receipts.counts.get(index).is_some_and(|count| *count > 0)
        };
        let lost = accepted.iter().filter(|id| !arrived(id)).count();
        Balance {
            lost: u64::try_from(lost).expect("counts fit"),
            duplicated: receipts.repeats,
            delays_us: std::mem::take(&mut receipts.delays_us),
            first_us: receipts.first_us,
            last_us: self.last_us.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_and_duplicated_messages_are_counted_and_stragglers_ignored() {
        let ledger = Ledger::default();
        let phase = ledger.begin();
        let mark = |id| Mark {
            phase,
            id,
            sent_us: 10,
        };
        ledger.receive(mark(0), 20);
        ledger.receive(mark(0), 30);
        ledger.receive(mark(2), 40);
        ledger.receive(
            Mark {
                phase: phase + 1,
                ..mark(1)
            },
            50,
        );
        let balance = ledger.balance(&[0, 1, 2]);
        assert_eq!((balance.lost, balance.duplicated), (1, 1));
        assert_eq!(balance.delays_us, [10, 30]);
        assert_eq!((balance.first_us, balance.last_us), (Some(20), 40));
        assert_eq!(ledger.delivered(), 2);
    }
}
