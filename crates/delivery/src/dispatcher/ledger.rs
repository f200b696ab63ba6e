//! Records outcomes in batches. An outcome that cannot be recorded is kept and tried again: the
//! event was sent, and forgetting that would send it once more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hookyard_domain::kernel::change::Change;
use hookyard_domain::kernel::limits::{
    RECORD_BATCH_MAX, RECORD_BATCH_MIN, RECORD_DELAY_MAX, STORE_PAUSE_MAX, STORE_PAUSE_MIN,
};
use hookyard_domain::{Attempt, DeliveryState, DeliveryWrite};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::lane::{Entry, Lane};
use super::{Inner, RECORDED, doubled};

/// An attempt and what follows from it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) lane: Arc<Lane>,
    pub(super) entry: Entry,
    pub(super) attempt: Attempt,
    pub(super) state: DeliveryState,
}

/// Outcomes on their way to the store. Bounded by `LANE_UNRECORDED_MAX` of each lane.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    records: Mutex<Vec<Record>>,
    /// There is a first record, or enough for a batch.
    filled: Notify,
    closed: AtomicBool,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, record: Record) {
        let count = {
            let mut records = self.lock();
            records.push(record);
            records.len()
        };
        if count == 1 || count == RECORD_BATCH_MIN {
            self.filled.notify_one();
        }
    }

    /// Nothing is pushed any more: record what is there, and end.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.filled.notify_one();
    }

    /// The next batch; empty when the ledger is closed and done.
    async fn batch(&self) -> Vec<Record> {
        loop {
            let closed = self.closed.load(Ordering::Acquire);
            let count = self.lock().len();
            if count == 0 && closed {
                return Vec::new();
            }
            if count == 0 {
                self.filled.notified().await;
                continue;
            }
            if count < RECORD_BATCH_MIN && !closed {
                let _full_or_late = timeout(RECORD_DELAY_MAX, self.filled.notified()).await;
            }
            let mut records = self.lock();
            let count = records.len().min(RECORD_BATCH_MAX);
            return records.drain(..count).collect();
        }
    }
}

impl Inner {
    /// The recorder's life.
    pub(super) async fn record(self: Arc<Self>) {
        loop {
            let batch = self.ledger.batch().await;
            if batch.is_empty() {
                return;
            }
            if self.recorder.guard(self.commit(&batch)).await.is_none() {
                // Whether it was recorded is not known here: the lanes read it from the store.
                for record in &batch {
                    self.replace(&record.lane);
                }
                continue;
            }
            self.crew.ran();
            self.crew.count(RECORDED, count_of(&batch));
            let (now, wall) = (Instant::now(), self.clock.now());
            for Record {
                lane, entry, state, ..
            } in batch
            {
                let mut lane_state = lane.lock();
                lane_state.recorded(entry, state, now, wall);
                self.rouse(&lane, &mut lane_state, now);
                if lane_state.needs_keeper(now, wall) {
                    lane.keeper.notify_one();
                }
            }
        }
    }

    /// Commits a batch, however long that takes.
    async fn commit(&self, batch: &[Record]) {
        let mut pause = STORE_PAUSE_MIN;
        loop {
            let write = |record: &Record| DeliveryWrite::RecordAttempt {
                attempt: record.attempt.clone(),
                state: record.state,
            };
            let writes = batch.iter().map(write).map(Into::into).collect();
            let change = Change {
                writes,
                ..Change::default()
            };
            let Err(error) = self.backlog.record(change).await else {
                return;
            };
            tracing::warn!(%error, attempts = batch.len(), "recording attempts failed");
            self.crew.failed(error);
            sleep(pause).await;
            pause = doubled(pause, STORE_PAUSE_MAX);
        }
    }
}

fn count_of(batch: &[Record]) -> u64 {
    u64::try_from(batch.len()).unwrap_or(u64::MAX)
}
