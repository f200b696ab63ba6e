//! The writer's thread: takes all changes that wait, applies them, syncs once, and leaves it to the
//! herald to tell of it, so that it can begin the next batch.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use hookyard_domain::kernel::limits::{COMMIT_BATCH_MAX, COMMIT_QUEUE_MAX};
use hookyard_domain::kernel::ports::{CommitError, Commits, StoreError};
use hookyard_domain::{Change, EventId};
use tokio::sync::{mpsc, oneshot, watch};

use super::backend::Backend;
use super::core::Core;
use super::encoded::Encoded;
use super::herald::{Herald, Listeners, Reply, Told};
use crate::fault::Fault;

/// Bytes of one group commit, roughly. A larger one would hold its callers longer than it saves.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Changes in the last commit from which on the next waits for company.
const GATHER_FROM: usize = 16;
/// How long it waits.
const GATHER_PAUSE: Duration = Duration::from_micros(200);
/// What a commit writes to the log beside its payload: the pages at the end of a dozen trees.
const COMMIT_BYTES: usize = 96 * 1024;

enum Job<B: Backend> {
    Commit(Encoded<B>, Reply),
    Stop,
}

/// The handle on the writer's thread.
pub(crate) struct Writer<B: Backend> {
    encoder: B::Encoder,
    jobs: mpsc::Sender<Job<B>>,
    closed: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
    failed: watch::Receiver<bool>,
}

impl<B: Backend> fmt::Debug for Writer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl<B: Backend> Writer<B> {
    /// Starts the thread. `failing` becomes true, here or elsewhere, when the store can no longer
    /// make anything durable.
    pub(crate) fn start(
        core: Core<B>,
        encoder: B::Encoder,
        listeners: Listeners,
        failing: Arc<watch::Sender<bool>>,
    ) -> Result<Self, Fault> {
        let (jobs, waiting) = mpsc::channel(COMMIT_QUEUE_MAX);
        let failed = failing.subscribe();
        let herald = Herald::start(listeners)?;
        let thread = std::thread::Builder::new()
            .name("hookyard-writer".into())
            .spawn(move || run(core, waiting, herald, &failing))
            .map_err(|error| Fault::plain(format!("failed to start the writer: {error}")))?;
        Ok(Self {
            encoder,
            jobs,
            closed: AtomicBool::new(false),
            thread: Mutex::new(Some(thread)),
            failed,
        })
    }

    /// Becomes true when the store can no longer make anything durable.
    pub(crate) fn failed(&self) -> watch::Receiver<bool> {
        self.failed.clone()
    }

    /// Changes that wait at this moment.
    pub(crate) fn queue(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Finishes what waits, and ends the thread.
    pub(crate) async fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        // The thread ends when it meets this.
        let _ = self.jobs.send(Job::Stop).await;
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

#[async_trait]
impl<B: Backend> Commits for Writer<B> {
    async fn commit_numbering(&self, change: Change) -> Result<Vec<EventId>, CommitError> {
        if change.is_empty() {
            return Ok(Vec::new());
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(stopped());
        }
        let encoded = Encoded::new(&self.encoder, change).map_err(StoreError::from)?;
        let (reply, answer) = oneshot::channel();
        let job = Job::Commit(encoded, reply);
        self.jobs.send(job).await.map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }
}

fn stopped() -> CommitError {
    CommitError::Store(StoreError {
        context: "the writer has stopped".into(),
        source: None,
    })
}

fn run<B: Backend>(
    mut core: Core<B>,
    mut waiting: mpsc::Receiver<Job<B>>,
    herald: Herald<Vec<Encoded<B>>>,
    failing: &watch::Sender<bool>,
) {
    let mut stopping = false;
    let mut last_count = 0;
    while !stopping {
        let Some(first) = waiting.blocking_recv() else {
            break;
        };
        if *failing.borrow() {
            // The disk failed beside us: nothing is acknowledged any more.
            std::mem::forget(core);
            return;
        }
        if last_count >= GATHER_FROM && waiting.len() < last_count / 2 {
            gather();
        }
        let mut batch = Batch::default();
        stopping = batch.fill(first, &mut waiting);
        if batch.changes.is_empty() {
            continue;
        }
        last_count = batch.changes.len();
        let outcome = core.commit(&mut batch.changes);
        if outcome.fatal {
            // What the disk holds is unknown. Nothing is acknowledged from here on: the process
            // must end, and the next one reads what is there.
            failing.send_replace(true);
        }
        let told = herald.tell(Told {
            news: outcome.news,
            replies: batch.replies.into_iter().zip(outcome.fates).collect(),
            spent: batch.changes,
        });
        if !told {
            failing.send_replace(true);
        }
        if outcome.fatal || !told {
            // To close the database could sync again what failed to.
            std::mem::forget(core);
            return;
        }
        core.backend_mut().wrote(batch.bytes);
    }
    drop(waiting);
    herald.finish();
    core.close();
}

/// Changes that share a commit.
struct Batch<B: Backend> {
    changes: Vec<Encoded<B>>,
    replies: Vec<Reply>,
    bytes: usize,
}

impl<B: Backend> Default for Batch<B> {
    fn default() -> Self {
        Self {
            changes: Vec::new(),
            replies: Vec::new(),
            bytes: COMMIT_BYTES,
        }
    }
}

impl<B: Backend> Batch<B> {
    /// Takes what waits, as far as it fits; tells whether it is the last batch.
    fn fill(&mut self, first: Job<B>, waiting: &mut mpsc::Receiver<Job<B>>) -> bool {
        let mut next = Some(first);
        while let Some(job) = next {
            let Job::Commit(change, reply) = job else {
                return true;
            };
            self.bytes += change.bytes;
            self.changes.push(change);
            self.replies.push(reply);
            let full = self.changes.len() >= COMMIT_BATCH_MAX || self.bytes >= BATCH_BYTES_MAX;
            next = if full { None } else { waiting.try_recv().ok() };
        }
        false
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
