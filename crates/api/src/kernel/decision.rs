//! Read, decide, commit; and decide again when what was read has changed meanwhile: optimistic
//! locking, with the versions in a change's guards.

use std::future::Future;

use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{Change, Code};

use crate::Api;
use crate::kernel::problem::ApiResult;

/// Decisions on one request before its caller is told to try again. Each lost round means that
/// somebody else won one.
pub(crate) const DECISIONS_MAX: u32 = 5;

impl Api {
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
            match self.store.commit(change).await {
                Ok(()) => return Ok(answer),
                Err(CommitError::Conflict) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(Code::Conflict.into())
    }
}
