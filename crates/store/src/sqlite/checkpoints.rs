//! Moves the log into the database file, on a thread of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use hookyard_domain::kernel::ports::StoreError;
use rusqlite::Connection;
use tokio::sync::watch;

use super::connection::open_checkpointer;
use super::error::{Fault, Step};

/// Bytes written since the last checkpoint that wake the checkpointer.
const CHECKPOINT_AFTER_BYTES: usize = 64 * 1024 * 1024;
/// Pages in the log (8 KiB each) past which the writer lets the checkpointer finish, so that the
/// log starts over instead of growing for as long as the load lasts.
const LOG_PAGES_MAX: i64 = 16_384;

/// Moves the log into the database file, beside the writer.
#[derive(Debug)]
pub(super) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Set when the log is long: the writer then takes the last step itself, between commits.
    log_is_long: Arc<AtomicBool>,
    bytes: usize,
    failing: Arc<watch::Sender<bool>>,
}

impl Checkpointer {
    pub(super) fn start(path: &Path, failing: Arc<watch::Sender<bool>>) -> Result<Self, Fault> {
        let db = open_checkpointer(path)?;
        let (wake, woken) = sync_channel(1);
        let log_is_long = Arc::new(AtomicBool::new(false));
        let long = Arc::clone(&log_is_long);
        let for_writer = Arc::clone(&failing);
        let work = move || {
            while woken.recv().is_ok() {
                match checkpoint(&db) {
                    Ok(pages) => long.store(pages > LOG_PAGES_MAX, Ordering::Release),
                    Err(fault) => checkpoint_failed(fault, &failing),
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("hookyard-checkpoint".into())
            .spawn(work)
            .map_err(|error| Fault::plain(format!("failed to start the checkpointer: {error}")))?;
        Ok(Self {
            wake: Some(wake),
            thread: Some(thread),
            log_is_long,
            bytes: 0,
            failing: for_writer,
        })
    }

    /// Counts what was written, and wakes the checkpointer when it is enough.
    pub(super) fn wrote(&mut self, db: &Connection, bytes: usize) {
        self.bytes += bytes;
        if self.bytes < CHECKPOINT_AFTER_BYTES {
            return;
        }
        self.bytes = 0;
        if self.log_is_long.swap(false, Ordering::AcqRel) {
            // Nearly all pages are moved already, so this is short; it lets the log start over.
            if let Err(fault) = checkpoint(db) {
                checkpoint_failed(fault, &self.failing);
            }
            return;
        }
        if let Some(wake) = &self.wake {
            // A full channel means that it is awake already.
            let _ = wake.try_send(());
        }
    }

    pub(super) fn stop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Want of space or a lock passes, and the log grows meanwhile. After anything else we no longer know
/// what the database file holds: the process must end, as after a commit that failed so.
fn checkpoint_failed(fault: Fault, failing: &watch::Sender<bool>) {
    let passes = fault.leaves_disk_known();
    let error = StoreError::from(fault);
    if passes {
        tracing::warn!(%error, "A checkpoint failed; the log grows until one succeeds");
    } else {
        tracing::error!(%error, "A checkpoint failed, and the disk may not hold what it should");
        failing.send_replace(true);
    }
}

/// Moves the whole log into the database and empties it; for when nobody waits.
pub(super) fn empty_log(db: &Connection) -> Result<(), Fault> {
    db.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))
        .step("empty the log")
}

/// Moves what can be moved without making anyone wait; tells how many pages the log has.
fn checkpoint(db: &Connection) -> Result<i64, Fault> {
    db.query_row("pragma wal_checkpoint(passive)", [], |row| row.get(1))
        .step("checkpoint")
}
