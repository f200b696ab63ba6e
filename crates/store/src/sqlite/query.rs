//! The three ways to run a statement: all are prepared once per connection.

use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::error::{Fault, Step};

/// Runs a statement that returns nothing; tells how many rows it changed.
pub(super) fn execute(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<usize, Fault> {
    let mut statement = connection.prepare_cached(sql).step("prepare a statement")?;
    statement.execute(params).step("write")
}

/// The first row, if there is one.
pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, Fault> {
    let mut statement = connection.prepare_cached(sql).step("prepare a query")?;
    statement.query_row(params, read).optional().step("read")
}

/// All rows.
pub(super) fn many<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(sql).step("prepare a query")?;
    let rows = statement.query_map(params, read).step("read")?;
    rows.collect::<Result<_, _>>().step("read")
}

/// The number that a query counts.
pub(super) fn count(connection: &Connection, sql: &str, params: impl Params) -> Result<u64, Fault> {
    let found = one(connection, sql, params, |row| row.get(0))?;
    Ok(found.map_or(0, i64::cast_unsigned))
}

/// Where a slice begins, as SQLite wants it.
pub(super) fn offset(slice: hookyard_domain::kernel::ports::Slice) -> i64 {
    i64::try_from(slice.offset).unwrap_or(i64::MAX)
}

/// A stored value that no longer means anything to us: a sign of a damaged or foreign database.
pub(super) fn unreadable(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        column,
        rusqlite::types::Type::Text,
        format!("{what} is not readable").into(),
    )
}

/// Upper bound of `limit` as SQLite wants it, and bounds of a page as ids: exclusive.
pub(super) fn bounds(page: hookyard_domain::kernel::ports::Page) -> (i64, i64) {
    use hookyard_domain::kernel::ports::Page;
    let signed = |id: u64| i64::try_from(id).unwrap_or(i64::MAX);
    match page {
        Page::First => (-1, i64::MAX),
        Page::Before(id) => (-1, signed(id)),
        Page::After(id) => (signed(id), i64::MAX),
    }
}
