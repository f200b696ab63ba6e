//! Which operations were called, and how they answered. Builds for tests append it to a file, once
//! for each kind of answer, so that the tests of all programs together can be held against the
//! table.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use hookyard_domain::Code;
use http::StatusCode;

use crate::operations::Operation;

static FILE: OnceLock<PathBuf> = OnceLock::new();
static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// From now on calls are written down in `file`, when the build has debug assertions.
pub fn record_calls(file: PathBuf) {
    // Every server of the process writes to the same one.
    let _ = FILE.set(file);
}

/// Writes down that `operation` answered with `status`.
pub(super) fn record(
    operation: &Operation,
    path: Option<&str>,
    status: StatusCode,
    code: Option<Code>,
    declared: bool,
) {
    let Some(file) = FILE.get() else { return };
    let line = format!(
        "{} {} {} {} {}\n",
        operation.name,
        path.unwrap_or("-"),
        status.as_u16(),
        code.map_or("-", Code::name),
        if declared { "declared" } else { "UNDECLARED" },
    );
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if !seen.get_or_insert_default().insert(line.clone()) {
        return;
    }
    // One write of one short line: other processes append to the same file.
    let file = OpenOptions::new().create(true).append(true).open(file);
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.expect("calls can be written down");
}
