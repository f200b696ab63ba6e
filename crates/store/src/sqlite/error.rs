//! What can go wrong inside the store, and how it is told outside.

use hookyard_domain::kernel::ports::{CommitError, StoreError};
use rusqlite::ErrorCode;

/// A failed step: what was attempted, and SQLite's word on it.
#[derive(Debug)]
pub(super) struct Fault {
    context: String,
    source: Option<rusqlite::Error>,
}

impl Fault {
    pub(super) fn plain(context: impl Into<String>) -> Self {
        Self {
            context: context.into(),
            source: None,
        }
    }

    /// Whether a unique index or a primary key refused the row: somebody else was first.
    pub(super) fn is_duplicate(&self) -> bool {
        matches!(
            &self.source,
            Some(rusqlite::Error::SqliteFailure(error, _))
                if error.code == ErrorCode::ConstraintViolation
                    && matches!(
                        error.extended_code,
                        rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                            | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                    )
        )
    }

    /// Whether the transaction failed for want of space or a lock, before anything was synced.
    /// Everything else that a commit can fail with means that we no longer know what is on disk.
    pub(super) fn leaves_disk_known(&self) -> bool {
        matches!(
            &self.source,
            Some(rusqlite::Error::SqliteFailure(error, _))
                if matches!(error.code, ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        )
    }

    /// The same failure for another caller of the same batch.
    pub(super) fn told_again(&self) -> StoreError {
        let detail = self
            .source
            .as_ref()
            .map(|source| format!(": {source}"))
            .unwrap_or_default();
        StoreError {
            context: format!("{}{detail}", self.context),
            source: None,
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        Self {
            context: fault.context,
            source: fault.source.map(|source| Box::new(source).into()),
        }
    }
}

impl From<Fault> for CommitError {
    fn from(fault: Fault) -> Self {
        if fault.is_duplicate() {
            Self::Conflict
        } else {
            Self::Store(fault.into())
        }
    }
}

/// Says what a failing SQLite call was for.
pub(super) trait Step<T> {
    fn step(self, what: &str) -> Result<T, Fault>;
}

impl<T> Step<T> for rusqlite::Result<T> {
    fn step(self, what: &str) -> Result<T, Fault> {
        self.map_err(|source| Fault {
            context: format!("failed to {what}"),
            source: Some(source),
        })
    }
}
