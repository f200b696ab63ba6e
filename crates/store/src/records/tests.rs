//! Rows of every shape that was ever written, read into the domain and written again.
//!
//! A golden file lists rows as they stand in the database. The first of them are what the values
//! here are written as; the others came from databases of former builds. Where an old row is
//! written otherwise today, `written` says how.

mod endpoints;
mod former;
mod identity;
mod inbound;
mod kernel;
mod messaging;
mod names;
mod sending;

use std::fmt::Debug;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::from_json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenRow {
    row: Box<RawValue>,
    #[serde(default)]
    written: Option<Box<RawValue>>,
}

/// Asserts that `rows` are read, that the first of them mean `values`, and that all are written as
/// they should be.
fn assert_golden<R, T>(rows: &str, values: &[T], write: impl Fn(&T) -> String)
where
    R: DeserializeOwned,
    T: TryFrom<R> + PartialEq + Debug,
{
    let rows: Vec<GoldenRow> = serde_json::from_str(rows).expect("a golden file");
    assert!(rows.len() > values.len(), "there are rows of former builds");
    for (index, GoldenRow { row, written }) in rows.iter().enumerate() {
        let read: Option<T> = from_json::<R, T>(row.get());
        let read = read.unwrap_or_else(|| panic!("it is not read: {row}"));
        if let Some(value) = values.get(index) {
            assert_eq!(read, *value, "{row}");
        }
        let expect = written.as_ref().unwrap_or(row).get();
        assert_eq!(write(&read), expect);
    }
}

macro_rules! golden {
    ($file:literal) => {
        include_str!(concat!("../golden/", $file, ".json"))
    };
}

use golden;
