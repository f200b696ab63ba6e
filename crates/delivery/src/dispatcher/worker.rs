//! A worker sends one delivery at a time over the connection that it keeps, and ends when it has
//! been idle for a while.

use std::pin::pin;
use std::sync::Arc;

use hookyard_domain::Attempt;
use hookyard_domain::kernel::limits::WORKER_IDLE_MAX;
use tokio::time::{Instant, timeout};

use super::lane::{Entry, Job, Lane};
use super::ledger::Record;
use super::{ATTEMPTS, Inner};
use crate::transport::{Attempted, Sending};

impl Inner {
    /// A worker's life.
    pub(super) async fn work(self: Arc<Self>, lane: Arc<Lane>) {
        let mut connection = self.transport.connection();
        while let Some(job) = self.next_job(&lane).await {
            let started_at = self.clock.now();
            let others: Vec<_> = job.others.iter().map(|entry| &entry.committed).collect();
            let sending = Sending {
                committed: &job.entry.committed,
                others: &others,
                at: started_at,
                subscription: &job.subscription,
                attempt: job.entry.committed.delivery.attempts + 1,
                halt: &lane.halt,
            };
            if let Some(attempted) = connection.send(&sending).await {
                self.crew.count(ATTEMPTS, 1);
                self.settle(&lane, job, attempted, started_at);
            } else {
                lane.lock().call_off(&job);
                lane.keeper.notify_one();
            }
        }
    }

    /// Waits for something to send. `None` when the worker should end; it is no longer counted.
    async fn next_job(self: &Arc<Self>, lane: &Arc<Lane>) -> Option<Job> {
        loop {
            let mut woken = pin!(lane.work.notified());
            // Registered before looking, so that no wake-up falls between looking and waiting.
            woken.as_mut().enable();
            let now = Instant::now();
            let may_send = !self.is_stopping() && self.owns(lane);
            {
                let mut state = lane.lock();
                if may_send && let Some(job) = state.take(now, self.clock.now()) {
                    self.rouse(lane, &mut state, now);
                    if state.needs_keeper(now, self.clock.now()) {
                        lane.keeper.notify_one();
                    }
                    return Some(job);
                }
                if !may_send || state.ended {
                    state.workers -= 1;
                    lane.keeper.notify_one();
                    return None;
                }
                if state.needs_keeper(now, self.clock.now()) {
                    lane.keeper.notify_one();
                }
                state.parked += 1;
            }
            let idle_for_long = timeout(WORKER_IDLE_MAX, woken).await.is_err();
            let mut state = lane.lock();
            state.parked -= 1;
            if idle_for_long && !state.has_work(Instant::now()) {
                state.workers -= 1;
                lane.keeper.notify_one();
                return None;
            }
        }
    }

    /// Decides what follows from an attempt, and hands it to the ledger.
    fn settle(
        self: &Arc<Self>,
        lane: &Arc<Lane>,
        mut job: Job,
        attempted: Attempted,
        started_at: hookyard_domain::Timestamp,
    ) {
        let Attempted {
            outcome,
            timings,
            peer,
            answer_excerpt,
            transcript,
        } = attempted;
        let wall = self.clock.now();
        // Only a failure is followed by a pause that wants spreading, and chance costs a system call.
        let fraction = if outcome.is_accepted() {
            0.0
        } else {
            self.chance.fraction()
        };
        let subscription = Arc::clone(&job.subscription);
        let record = |entry: Entry| {
            let delivery = &entry.committed.delivery;
            let state = delivery.after(&outcome, &subscription.policy, wall, fraction);
            let attempt = Attempt {
                account: delivery.account,
                delivery: delivery.id,
                subscription: delivery.subscription,
                number: delivery.attempts + 1,
                started_at,
                timings,
                outcome,
                peer: peer.clone(),
                answer_excerpt: answer_excerpt.clone(),
                transcript: transcript.clone(),
            };
            Record {
                lane: Arc::clone(lane),
                entry,
                attempt,
                state,
            }
        };
        let now = Instant::now();
        {
            let mut lane_state = lane.lock();
            let report = lane_state.settle(&mut job, &outcome, now, wall);
            if let Some(report) = report {
                self.health.report(&job.subscription, report);
            }
            if !outcome.is_accepted() {
                lane.keeper.notify_one();
            }
            self.rouse(lane, &mut lane_state, now);
        }
        let entries = std::iter::once(job.entry).chain(job.others);
        entries
            .map(record)
            .for_each(|record| self.ledger.push(record));
    }
}
