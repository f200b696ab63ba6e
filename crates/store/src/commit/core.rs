//! Applies changes: guards, rows, events and their deliveries, many changes to a transaction.

mod announcements;
mod steps;

use std::collections::HashSet;
use std::sync::Arc;

use hookyard_domain::kernel::ports::{Clock, CommitError};
use hookyard_domain::{Claim, EventId, Guard, News, Timestamp};

use super::backend::{Backend, Tally};
use super::caches::Caches;
use super::encoded::Encoded;
use super::fanout::Fanout;
use super::pulse::Pulse;
use crate::fault::Fault;

/// Why a change was not applied.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A guard does not hold; nothing was written.
    Stale,
    /// What it writes collides with what is there.
    Conflict,
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        if fault.is_duplicate() {
            Self::Conflict
        } else {
            Self::Fault(fault)
        }
    }
}

impl From<Refusal> for CommitError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Stale | Refusal::Conflict => Self::Conflict,
            Refusal::Fault(fault) => Self::Store(fault.into()),
        }
    }
}

/// What became of one change: the ids of its events, or why it was refused.
pub(crate) type Fate = Result<Vec<EventId>, CommitError>;

/// What came of a batch.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// One for each change, in order.
    pub(crate) fates: Vec<Fate>,
    pub(crate) news: News,
    /// We no longer know what is on disk: nothing may be acknowledged any more.
    pub(crate) fatal: bool,
}

/// Why a batch was not committed.
enum Broken {
    /// One change broke half-way: each must be applied alone.
    ByOne,
    Undone {
        fault: Fault,
        fatal: bool,
    },
}

/// What is announced when all changes are written.
#[derive(Debug, Clone, Copy)]
enum Announcement {
    Errand { change: usize, at: usize },
    Event { change: usize, at: usize },
}

/// A batch while it is applied.
#[derive(Debug)]
struct Batch {
    now: Timestamp,
    news: News,
    tally: Tally,
    /// What events that are not written yet will have taken.
    claims: HashSet<Claim>,
    announcements: Vec<Announcement>,
}

/// Everything that a commit needs. There is one for each process.
#[derive(Debug)]
pub(crate) struct Core<B: Backend> {
    backend: B,
    fanout: Fanout,
    clock: Arc<dyn Clock>,
    /// When the last batch was committed, by a clock that may be set back.
    latest: Timestamp,
    caches: Arc<Caches>,
    pulse: Arc<Pulse>,
}

impl<B: Backend> Core<B> {
    pub(crate) fn new(
        mut backend: B,
        clock: Arc<dyn Clock>,
        caches: Arc<Caches>,
    ) -> Result<Self, Fault> {
        let fanout = Fanout::of(backend.taking()?);
        Ok(Self {
            backend,
            fanout,
            latest: clock.now(),
            clock,
            caches,
            pulse: Arc::default(),
        })
    }

    pub(crate) const fn backend(&self) -> &B {
        &self.backend
    }

    pub(crate) const fn backend_mut(&mut self) -> &mut B {
        &mut self.backend
    }

    /// What this core has made durable.
    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    /// Ends in good order.
    pub(crate) fn close(self) {
        self.backend.close();
    }

    /// Applies `changes` in one transaction with one sync. A change that is refused leaves no
    /// trace; the others are not affected by it.
    ///
    /// Guards are looked at before anything is written, so a change that they refuse needs no
    /// undoing. What else can refuse a change is rare: then the whole batch is undone and applied
    /// again with each change in a savepoint of its own. To have savepoints always would cost more
    /// than all the writing, for each keeps a copy of every page that it touches.
    pub(crate) fn commit(&mut self, changes: &mut [Encoded<B>]) -> Outcome {
        let applied = match self.apply_together(changes) {
            Err(Broken::ByOne) => self.apply_each_alone(changes),
            other => other,
        };
        match applied {
            Ok(outcome) => {
                for change in changes {
                    for source in change.stale.drain(..) {
                        self.caches.drop_made_from(source);
                    }
                }
                outcome
            }
            Err(Broken::ByOne) => unreachable!("changes that are applied alone fail alone"),
            Err(Broken::Undone { fault, fatal }) => {
                let refuse = |_: &Encoded<B>| Err(CommitError::Store(fault.told_again()));
                Outcome {
                    fates: changes.iter().map(refuse).collect(),
                    news: News::default(),
                    fatal,
                }
            }
        }
    }

    /// Applies a batch; a change that breaks half-way undoes it.
    fn apply_together(&mut self, changes: &mut [Encoded<B>]) -> Result<Outcome, Broken> {
        let mut batch = self.begin()?;
        let mut stale = vec![false; changes.len()];
        for (at, change) in changes.iter_mut().enumerate() {
            match self.write(at, change, &mut batch) {
                Ok(()) => {}
                Err(Refusal::Stale) => stale[at] = true,
                Err(refusal) => return Err(self.broken(refusal)),
            }
        }
        if let Err(refusal) = self.announce(changes, &mut batch) {
            return Err(self.broken(refusal));
        }
        let news = self.finish(batch)?;
        let fate = |(change, stale): (&Encoded<B>, bool)| {
            if stale {
                Err(CommitError::Conflict)
            } else {
                Ok(change.event_ids())
            }
        };
        Ok(Outcome {
            fates: changes.iter().zip(stale).map(fate).collect(),
            news,
            fatal: false,
        })
    }

    /// Applies a batch with each change kept from the others.
    fn apply_each_alone(&mut self, changes: &mut [Encoded<B>]) -> Result<Outcome, Broken> {
        let mut batch = self.begin()?;
        let mut fates = Vec::with_capacity(changes.len());
        for at in 0..changes.len() {
            let fate = match self.apply_alone(&mut changes[at..=at], &mut batch) {
                Ok(()) => Ok(changes[at].event_ids()),
                // Some errors end the transaction. What came before is undone then, and what would
                // come after must not be committed one by one.
                Err(Refusal::Fault(fault)) if !self.backend.is_open() => {
                    self.undo();
                    let fatal = false;
                    return Err(Broken::Undone { fault, fatal });
                }
                Err(refusal) => Err(refusal.into()),
            };
            fates.push(fate);
        }
        let news = self.finish(batch)?;
        Ok(Outcome {
            fates,
            news,
            fatal: false,
        })
    }

    /// Applies one change, or nothing of it.
    fn apply_alone(&mut self, change: &mut [Encoded<B>], batch: &mut Batch) -> Result<(), Refusal> {
        let (news, index) = (batch.news.mark(), self.fanout.mark());
        let counted = batch.tally.clone();
        self.backend.begin_change()?;
        let mut applied = self.write(0, &mut change[0], batch);
        if applied.is_ok() {
            applied = self.announce(change, batch);
        }
        batch.announcements.clear();
        batch.claims.clear();
        if applied.is_err() {
            batch.news.rewind(news);
            batch.tally = counted;
            self.fanout.rewind(index);
            self.backend.undo_change()?;
        }
        self.backend.keep_change()?;
        applied
    }

    fn begin(&mut self) -> Result<Batch, Broken> {
        let begun = self.backend.begin();
        begun.map_err(|fault| Broken::Undone {
            fault,
            fatal: false,
        })?;
        let now = self.clock.now();
        if now < self.latest {
            self.stay_ahead_of_what_was_sent()?;
        }
        Ok(Batch {
            now,
            news: News::default(),
            tally: Tally::new(),
            claims: HashSet::new(),
            announcements: Vec::new(),
        })
    }

    /// The clock was set back, so that what comes now is due before what is on its way: after a
    /// crash, due times would no longer tell what may have been sent.
    fn stay_ahead_of_what_was_sent(&mut self) -> Result<(), Broken> {
        let marked = self.backend.mark_possible_repeats();
        marked.map_err(|fault| {
            self.undo();
            Broken::Undone {
                fault,
                fatal: false,
            }
        })
    }

    /// Counts what the batch recorded, and makes it durable.
    fn finish(&mut self, batch: Batch) -> Result<News, Broken> {
        if let Err(fault) = self.backend.add_statistics(&batch.tally, batch.now) {
            self.undo();
            let fatal = false;
            return Err(Broken::Undone { fault, fatal });
        }
        if let Err(fault) = self.backend.commit() {
            let fatal = !fault.leaves_disk_known();
            self.undo();
            return Err(Broken::Undone { fault, fatal });
        }
        self.fanout.settle();
        self.latest = batch.now;
        self.pulse.beat(batch.now);
        Ok(batch.news)
    }

    /// Ends the transaction without a trace, in memory too.
    fn undo(&mut self) {
        self.backend.rollback();
        self.fanout.undo();
    }

    /// Undoes a batch in which one change broke.
    fn broken(&mut self, refusal: Refusal) -> Broken {
        let open = self.backend.is_open();
        self.undo();
        match refusal {
            Refusal::Fault(fault) if !open => Broken::Undone {
                fault,
                fatal: false,
            },
            _ => Broken::ByOne,
        }
    }

    /// Looks at the guards of a change and writes it; its events wait.
    fn write(
        &mut self,
        at: usize,
        change: &mut Encoded<B>,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        for guard in &change.guards {
            if !self.holds(guard, batch)? {
                return Err(Refusal::Stale);
            }
        }
        for guard in &change.guards {
            if let Guard::Free(claim @ Claim::Publication { .. }) = guard {
                batch.claims.insert(claim.clone());
            }
        }
        for step in &mut change.steps {
            self.take(step, batch)?;
        }
        let errands = (0..change.errands.len()).map(|errand| Announcement::Errand {
            change: at,
            at: errand,
        });
        batch.announcements.extend(errands);
        let events = (0..change.events.len()).map(|event| Announcement::Event {
            change: at,
            at: event,
        });
        batch.announcements.extend(events);
        Ok(())
    }

    fn holds(&mut self, guard: &Guard, batch: &Batch) -> Result<bool, Fault> {
        if let Guard::Free(claim) = guard
            && batch.claims.contains(claim)
        {
            return Ok(false);
        }
        self.backend.holds(guard)
    }

    #[cfg(test)]
    pub(crate) const fn fanout(&self) -> &Fanout {
        &self.fanout
    }
}
