//! What a request with a key has decided and not committed yet.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{Change, FirstRequest};

tokio::task_local! {
    static HOLD: Arc<Hold>;
}

/// Holds the changes of one request back until its answer is known, so that both are one commit.
#[derive(Debug)]
pub(crate) struct Hold {
    /// Without its answer.
    first: FirstRequest,
    held: Mutex<Held>,
}

/// What is held back.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) change: Change,
    /// Something was committed before the answer was known, and the key with it.
    pub(crate) claimed: bool,
    /// What was committed early met something that has changed.
    pub(crate) conflicted: bool,
    /// The next decision is told that it came too late: what it relies on has just changed.
    refusing: bool,
}

impl Hold {
    /// Holds what comes; `refusing` makes the first decision be taken again.
    pub(crate) fn new(first: FirstRequest, refusing: bool) -> Arc<Self> {
        let held = Held {
            refusing,
            ..Held::default()
        };
        Arc::new(Self {
            first,
            held: Mutex::new(held),
        })
    }

    /// The request, without its answer.
    pub(crate) fn first(&self) -> FirstRequest {
        self.first.clone()
    }

    /// The one of the request that this task answers, if it has a key.
    pub(crate) fn current() -> Option<Arc<Self>> {
        HOLD.try_with(Arc::clone).ok()
    }

    /// Lets `answering` go on; what it commits is held.
    pub(crate) async fn around<F: Future>(self: &Arc<Self>, answering: F) -> F::Output {
        HOLD.scope(Arc::clone(self), answering).await
    }

    /// Holds `change`.
    pub(crate) fn keep(&self, change: Change) -> Result<(), CommitError> {
        let mut held = self.held();
        held.pass()?;
        held.change.append(change);
        Ok(())
    }

    /// Everything that is held and `change` after it, to be committed at once, together with the
    /// key; and how many events come before those of `change`.
    pub(crate) fn release(&self, change: Change) -> Result<(Change, usize), CommitError> {
        let mut held = self.held();
        held.pass()?;
        let mut all = std::mem::take(&mut held.change);
        let before = all.events.len();
        all.append(change);
        if !held.claimed {
            all.append(self.first().claim());
        }
        Ok((all, before))
    }

    /// Notes what became of what was released.
    pub(crate) fn released<T>(&self, outcome: &Result<T, CommitError>) {
        let mut held = self.held();
        match outcome {
            Ok(_) => held.claimed = true,
            Err(CommitError::Conflict) => held.conflicted = true,
            Err(CommitError::Store(_)) => {}
        }
    }

    /// Everything that is still held.
    pub(crate) fn take_held(&self) -> Held {
        std::mem::take(&mut *self.held())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn pass(&mut self) -> Result<(), CommitError> {
        if std::mem::take(&mut self.refusing) {
            return Err(CommitError::Conflict);
        }
        Ok(())
    }
}
