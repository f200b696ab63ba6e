//! The writer's thread: takes all changes that wait, applies them, syncs once, tells the
//! listeners, then answers the callers.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, RwLock, mpsc as thread_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use hookyard_domain::kernel::limits::{COMMIT_BATCH_MAX, COMMIT_QUEUE_MAX};
use hookyard_domain::kernel::ports::{CommitError, CommitListener, Commits, StoreError};
use hookyard_domain::{BinWrite, Change, EventId, PostWrite, RequestWrite, Write};
use tokio::sync::{mpsc, oneshot, watch};

use super::connection::open_checkpointer;
use super::engine::Engine;
use super::error::{Fault, Step};

/// Bytes of one group commit, roughly. A larger one would hold its callers longer than it saves.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Changes in the last commit from which on the next waits for company.
const GATHER_FROM: usize = 16;
/// How long it waits.
const GATHER_PAUSE: Duration = Duration::from_micros(200);
/// What a commit writes to the log beside its payload: the pages at the end of a dozen trees.
const COMMIT_BYTES: usize = 96 * 1024;
/// Bytes written since the last checkpoint that wake the checkpointer.
const CHECKPOINT_AFTER_BYTES: usize = 64 * 1024 * 1024;
/// Pages in the log (8 KiB each) past which the writer lets the checkpointer finish, so that the
/// log starts over instead of growing for as long as the load lasts.
const LOG_PAGES_MAX: i64 = 16_384;

/// Told of every commit; filled while the server is put together.
pub(super) type Listeners = Arc<RwLock<Vec<Arc<dyn CommitListener>>>>;

struct Job {
    change: Change,
    reply: oneshot::Sender<Result<Vec<EventId>, CommitError>>,
}

/// The handle on the writer's thread.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: OnceLock<mpsc::Sender<Job>>,
    closed: AtomicBool,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
    failed: watch::Receiver<bool>,
}

impl Writer {
    pub(super) fn start(engine: Engine, path: &Path, listeners: Listeners) -> Result<Self, Fault> {
        let (jobs, waiting) = mpsc::channel(COMMIT_QUEUE_MAX);
        let (failing, failed) = watch::channel(false);
        let failing = Arc::new(failing);
        let checkpoints = Checkpointer::start(path, Arc::clone(&failing))?;
        let work = move || run(engine, waiting, &listeners, &failing, checkpoints);
        let thread = std::thread::Builder::new()
            .name("hookyard-writer".into())
            .spawn(work)
            .map_err(|error| Fault::plain(format!("failed to start the writer: {error}")))?;
        Ok(Self {
            jobs: OnceLock::from(jobs),
            closed: AtomicBool::new(false),
            thread: std::sync::Mutex::new(Some(thread)),
            failed,
        })
    }

    /// Becomes true when the store can no longer make anything durable.
    pub(super) fn failed(&self) -> watch::Receiver<bool> {
        self.failed.clone()
    }

    /// Finishes what waits, and ends the thread.
    pub(super) async fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(jobs) = self.jobs.get() {
            // An empty change without a reader: the thread ends when it meets it.
            let (reply, _) = oneshot::channel();
            let _ = jobs
                .send(Job {
                    change: Change::default(),
                    reply,
                })
                .await;
        }
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

#[async_trait]
impl Commits for Writer {
    async fn commit_numbering(&self, change: Change) -> Result<Vec<EventId>, CommitError> {
        if change.is_empty() {
            return Ok(Vec::new());
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(stopped());
        }
        let jobs = self.jobs.get().ok_or_else(stopped)?;
        let (reply, answer) = oneshot::channel();
        jobs.send(Job { change, reply })
            .await
            .map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }
}

fn stopped() -> CommitError {
    CommitError::Store(StoreError {
        context: "the writer has stopped".into(),
        source: None,
    })
}

fn run(
    mut engine: Engine,
    mut waiting: mpsc::Receiver<Job>,
    listeners: &Listeners,
    failing: &watch::Sender<bool>,
    mut checkpoints: Checkpointer,
) {
    let mut changes = Vec::new();
    let mut replies = Vec::new();
    let mut stopping = false;
    let mut last_count = 0;
    while !stopping {
        let Some(first) = waiting.blocking_recv() else {
            break;
        };
        if *failing.borrow() {
            // A checkpoint failed beside us: nothing is acknowledged any more.
            std::mem::forget((engine, checkpoints));
            return;
        }
        if last_count >= GATHER_FROM && waiting.len() < last_count / 2 {
            gather();
        }
        let mut bytes = COMMIT_BYTES;
        let mut next = Some(first);
        while let Some(job) = next {
            if job.change.is_empty() {
                stopping = true;
                break;
            }
            bytes += weight(&job.change);
            changes.push(job.change);
            replies.push(job.reply);
            let full = changes.len() >= COMMIT_BATCH_MAX || bytes >= BATCH_BYTES_MAX;
            next = if full { None } else { waiting.try_recv().ok() };
        }
        if changes.is_empty() {
            continue;
        }
        last_count = changes.len();
        let outcome = engine.commit(&changes);
        if outcome.fatal {
            // What the disk holds is unknown. Nothing is acknowledged from here on: the process
            // must end, and the next one reads what is there.
            failing.send_replace(true);
            for (reply, result) in replies.drain(..).zip(outcome.results) {
                let _ = reply.send(result);
            }
            // Closing the connection would move the log, and with it sync again what failed to.
            std::mem::forget((engine, checkpoints));
            return;
        }
        if let Ok(listeners) = listeners.read() {
            for listener in listeners.iter() {
                listener.committed(&outcome.news);
            }
        }
        changes.clear();
        for (reply, result) in replies.drain(..).zip(outcome.results) {
            // A caller that has gone away does not change what is committed.
            let _ = reply.send(result);
        }
        checkpoints.wrote(&engine, bytes);
    }
    drop(waiting);
    if let Err(fault) = engine.set_clean(true) {
        let error = StoreError::from(fault);
        tracing::error!(%error, "The store could not be marked as cleanly stopped");
    }
    checkpoints.stop();
    if let Err(fault) = empty_log(&engine.db) {
        let error = StoreError::from(fault);
        tracing::warn!(%error, "The log could not be emptied; the next start reads it");
    }
}

/// Lets the callers whom the last commit answered come back with their next change: they do so all
/// at once, and the first of them would otherwise have a sync of its own while the others wait.
#[expect(
    clippy::disallowed_methods,
    reason = "the writer is a thread of its own, and this is shorter than a sync"
)]
fn gather() {
    std::thread::sleep(GATHER_PAUSE);
}

/// Roughly how many bytes a change writes.
fn weight(change: &Change) -> usize {
    let events: usize = change
        .events
        .iter()
        .map(|event| event.body.len() + 256)
        .sum();
    let writes: usize = change
        .writes
        .iter()
        .map(|write| match write {
            Write::Request(RequestWrite::Put(request)) => request.body.len() + 512,
            Write::Bin(BinWrite::PutRequest(request)) => request.body.len() + 2_048,
            Write::Post(PostWrite::Put(post)) => {
                post.content.text.as_ref().map_or(0, String::len) + 1_024
            }
            _ => 256,
        })
        .sum();
    events + writes
}

/// Moves the log into the database file, beside the writer.
#[derive(Debug)]
struct Checkpointer {
    wake: Option<thread_channel::SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Set when the log is long: the writer then takes the last step itself, between commits.
    log_is_long: Arc<AtomicBool>,
    bytes: usize,
    failing: Arc<watch::Sender<bool>>,
}

impl Checkpointer {
    fn start(path: &Path, failing: Arc<watch::Sender<bool>>) -> Result<Self, Fault> {
        let db = open_checkpointer(path)?;
        let (wake, woken) = thread_channel::sync_channel(1);
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
    fn wrote(&mut self, engine: &Engine, bytes: usize) {
        self.bytes += bytes;
        if self.bytes < CHECKPOINT_AFTER_BYTES {
            return;
        }
        self.bytes = 0;
        if self.log_is_long.swap(false, Ordering::AcqRel) {
            // Nearly all pages are moved already, so this is short; it lets the log start over.
            if let Err(fault) = checkpoint(&engine.db) {
                checkpoint_failed(fault, &self.failing);
            }
            return;
        }
        if let Some(wake) = &self.wake {
            // A full channel means that it is awake already.
            let _ = wake.try_send(());
        }
    }

    fn stop(&mut self) {
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
pub(super) fn empty_log(db: &rusqlite::Connection) -> Result<(), Fault> {
    db.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))
        .step("empty the log")
}

/// Moves what can be moved without making anyone wait; tells how many pages the log has.
fn checkpoint(db: &rusqlite::Connection) -> Result<i64, Fault> {
    db.query_row("pragma wal_checkpoint(passive)", [], |row| row.get(1))
        .step("checkpoint")
}
