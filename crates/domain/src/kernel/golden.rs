//! Texts that change only on purpose, kept in files. `UPDATE_GOLDEN=1 cargo test -p hookyard-domain`
//! writes them anew.

use std::fs;
use std::path::Path;

/// Asserts that `text` is what the file at `path`, in this crate's folder, holds.
#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the tests says whether they may write"
)]
pub(crate) fn assert_golden(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        fs::write(&file, format!("{text}\n")).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(text, kept.trim_end_matches('\n'), "{path}");
}
