//! What can go wrong inside the store, and how it is told outside.

use std::error::Error;

use hookyard_domain::kernel::ports::StoreError;

/// What a failure means for those who share its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// A unique index or a primary key refused the row: somebody else was first.
    Duplicate,
    /// Want of space or a lock, before anything was synced.
    Passing,
    /// Anything else. After a commit that failed so, we no longer know what is on disk.
    Other,
}

/// A failed step: what was attempted, and the database's word on it.
#[derive(Debug)]
pub(crate) struct Fault {
    context: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    kind: FaultKind,
}

impl Fault {
    pub(crate) fn plain(context: impl Into<String>) -> Self {
        Self {
            context: context.into(),
            source: None,
            kind: FaultKind::Other,
        }
    }

    pub(crate) fn new(
        context: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
        kind: FaultKind,
    ) -> Self {
        Self {
            context: context.into(),
            source: Some(Box::new(source)),
            kind,
        }
    }

    /// Whether somebody else was first.
    pub(crate) fn is_duplicate(&self) -> bool {
        self.kind == FaultKind::Duplicate
    }

    /// Whether a transaction that failed so was undone before anything was synced.
    pub(crate) fn leaves_disk_known(&self) -> bool {
        self.kind == FaultKind::Passing
    }

    /// The same failure for another caller of the same batch.
    pub(crate) fn told_again(&self) -> StoreError {
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
            source: fault.source.map(Into::into),
        }
    }
}
