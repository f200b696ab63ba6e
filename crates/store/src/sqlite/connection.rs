//! Opening connections: the settings that durability and safety rest on.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::error::{Fault, Step};

/// Older versions can corrupt a database whose WAL is reset by two processes at once.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// Bytes of a page. Larger pages than the default keep rows of 1 to 2 KiB out of overflow chains.
const PAGE_BYTES: u32 = 8_192;
/// Pages in one connection's cache, in KiB (negative means KiB to SQLite).
const WRITER_CACHE_KIB: i32 = 8_192;
const READER_CACHE_KIB: i32 = 2_048;
/// Bytes of the log's file that are kept for its next turn: more than it needs under load, as
/// growing a file anew makes each sync wait for the file system's own journal.
const LOG_BYTES_KEPT_MAX: i64 = 256 * 1024 * 1024;
const STATEMENTS_MAX: usize = 128;

/// The one connection that writes. Makes the file when it is not there.
pub(super) fn open_writer(path: &Path) -> Result<Connection, Fault> {
    assert_version()?;
    let connection = Connection::open(path).step("open the database")?;
    connection
        .pragma_update(None, "page_size", PAGE_BYTES)
        .step("set the page size")?;
    connection
        .pragma_update(None, "journal_mode", "wal")
        .step("turn the write-ahead log on")?;
    // Acknowledged means synced: NORMAL loses acknowledged rows in a power cut.
    connection
        .pragma_update(None, "synchronous", "full")
        .step("demand full syncs")?;
    // The checkpointer works on a thread of its own; inline it would stall the commit it meets.
    connection
        .pragma_update(None, "wal_autocheckpoint", 0)
        .step("turn inline checkpoints off")?;
    // A log that grew under load gives its space back.
    connection
        .pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT_MAX)
        .step("bound the log")?;
    configure(&connection, WRITER_CACHE_KIB)?;
    Ok(connection)
}

/// A database in memory, for tests and simulations.
pub(super) fn open_in_memory() -> Result<Connection, Fault> {
    let connection = Connection::open_in_memory().step("open a database in memory")?;
    configure(&connection, WRITER_CACHE_KIB)?;
    Ok(connection)
}

/// A connection that can only read.
pub(super) fn open_reader(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).step("open the database to read")?;
    configure(&connection, READER_CACHE_KIB)?;
    Ok(connection)
}

/// The connection that moves the log into the database file.
pub(super) fn open_checkpointer(path: &Path) -> Result<Connection, Fault> {
    let connection = Connection::open(path).step("open the database to checkpoint")?;
    connection
        .pragma_update(None, "synchronous", "full")
        .step("demand full syncs")?;
    configure(&connection, 256)?;
    Ok(connection)
}

fn configure(connection: &Connection, cache_kib: i32) -> Result<(), Fault> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .step("set the busy timeout")?;
    connection
        .pragma_update(None, "foreign_keys", true)
        .step("turn foreign keys on")?;
    connection
        .pragma_update(None, "trusted_schema", false)
        .step("distrust the schema")?;
    connection
        .pragma_update(None, "cache_size", -cache_kib)
        .step("set the cache size")
}

fn assert_version() -> Result<(), Fault> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(Fault::plain(format!(
            "SQLite {} is too old",
            rusqlite::version()
        )));
    }
    Ok(())
}
