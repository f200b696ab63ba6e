//! What SQLite's failures mean.

use rusqlite::ErrorCode;

pub(super) use crate::fault::Fault;
use crate::fault::FaultKind;

fn kind_of(error: &rusqlite::Error) -> FaultKind {
    let rusqlite::Error::SqliteFailure(error, _) = error else {
        return FaultKind::Other;
    };
    match error.code {
        ErrorCode::ConstraintViolation
            if matches!(
                error.extended_code,
                rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                    | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            ) =>
        {
            FaultKind::Duplicate
        }
        ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            FaultKind::Passing
        }
        _ => FaultKind::Other,
    }
}

/// Says what a failing SQLite call was for.
pub(super) trait Step<T> {
    fn step(self, what: &str) -> Result<T, Fault>;
}

impl<T> Step<T> for rusqlite::Result<T> {
    fn step(self, what: &str) -> Result<T, Fault> {
        self.map_err(|source| {
            let kind = kind_of(&source);
            Fault::new(format!("failed to {what}"), source, kind)
        })
    }
}
