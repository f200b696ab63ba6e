//! Read, decide, commit; and decide again when what was read has changed meanwhile: optimistic
//! locking, with the versions in a change's guards.

use std::future::Future;

use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{Change, Code, EventId};

use crate::Api;
use crate::kernel::idempotency::Hold;
use crate::kernel::problem::ApiResult;

/// Decisions on one request before its caller is told to try again. Each lost round means that
/// somebody else won one.
pub(crate) const DECISIONS_MAX: u32 = 5;

impl Api {
    /// Makes a change durable; of a request with a key, together with its answer.
    pub(crate) async fn commit(&self, change: Change) -> Result<(), CommitError> {
        match Hold::current() {
            Some(hold) => hold.keep(change),
            None => self.store.commit(change).await,
        }
    }

    /// Makes a change durable at once, because the answer tells what only the commit gives: the ids
    /// of its events, in their order, or what is read after it.
    pub(crate) async fn commit_numbering(
        &self,
        change: Change,
    ) -> Result<Vec<EventId>, CommitError> {
        let Some(hold) = Hold::current() else {
            return self.store.commit_numbering(change).await;
        };
        let (change, before) = hold.release(change)?;
        let outcome = self.store.commit_numbering(change).await;
        hold.released(&outcome);
        outcome.map(|mut ids| ids.split_off(before))
    }

    /// Commits what `decide` decides, and returns what it wants to answer. `decide` reads what it
    /// needs each time it is called.
    pub(crate) async fn commit_deciding<T, D, F>(&self, decide: D) -> ApiResult<T>
    where
        D: Fn() -> F + Send + Sync,
        F: Future<Output = ApiResult<(Change, T)>> + Send,
        T: Send,
    {
        for _ in 0..DECISIONS_MAX {
            let (change, answer) = decide().await?;
            if change.is_empty() {
                return Ok(answer);
            }
            match self.commit(change).await {
                Ok(()) => return Ok(answer),
                Err(CommitError::Conflict) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(Code::Conflict.into())
    }
}
