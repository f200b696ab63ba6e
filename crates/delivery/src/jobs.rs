//! Jobs: work in the background that somebody asked for, page by page.
//!
//! Each page is one change: what it does and how far the job has come with it, guarded by the job's
//! version. So a page is done once, also when the process ends in the middle, and a job that was
//! cancelled meanwhile does no further page. Jobs take turns: between two pages others may go on.

mod pages;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hookyard_domain::kernel::limits::JOBS_AT_ONCE_MAX;
use hookyard_domain::kernel::news::News;
use hookyard_domain::kernel::ports::{Clock, CommitError, CommitListener, Store, StoreError};
use hookyard_domain::{Change, Job, JobPage};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Pause before a page is tried again that the store refused.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Does jobs.
#[derive(Debug)]
pub struct Jobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    clock: Arc<dyn Clock>,
    store: OnceLock<Arc<dyn Store>>,
    turns: Semaphore,
    tasks: TaskTracker,
    runtime: Handle,
    stop: CancellationToken,
}

/// What is next for a job.
enum Next {
    Page {
        /// What the page does.
        change: Change,
        page: JobPage,
        /// There is no further page.
        last: bool,
    },
    /// It cannot go on, and why.
    Failed(String),
}

impl Jobs {
    /// Listens, but does nothing before [`Jobs::start`]. Jobs run where this is called.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let inner = Inner {
            clock,
            store: OnceLock::new(),
            turns: Semaphore::new(JOBS_AT_ONCE_MAX),
            tasks: TaskTracker::new(),
            // Commits are told of by the store's writer, which is no task of the runtime.
            runtime: Handle::current(),
            stop: CancellationToken::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Goes on with the jobs in `store`, which must already tell this of its commits. Nobody may
    /// ask for more before this returns.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn start(&self, store: Arc<dyn Store>) -> Result<(), StoreError> {
        let running = store.running_jobs().await?;
        let first = self.inner.store.set(store).is_ok();
        assert!(first, "jobs start once");
        for job in running {
            self.inner.spawn(job);
        }
        Ok(())
    }

    /// Begins no page any more, and waits for those under way.
    pub async fn stop(&self) {
        self.abort();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Drops everything at once.
    pub fn abort(&self) {
        self.inner.stop.cancel();
    }
}

impl CommitListener for Jobs {
    fn committed(&self, news: &News) {
        for job in news.jobs() {
            self.inner.spawn(Job::clone(job));
        }
    }
}

impl Inner {
    fn spawn(self: &Arc<Self>, job: Job) {
        let running = Arc::clone(self).run(job);
        let until_stopped = self.stop.clone().run_until_cancelled_owned(running);
        let task = async move {
            until_stopped.await;
        };
        self.tasks.spawn_on(task, &self.runtime);
    }

    fn store(&self) -> &Arc<dyn Store> {
        self.store.get().expect("jobs run after the start")
    }

    /// One job's life.
    async fn run(self: Arc<Self>, mut job: Job) {
        while job.is_running() {
            // Who waits takes no turn from others.
            if let Some(due) = job.next_at() {
                self.clock.sleep_until(due).await;
            }
            let turn = self.turns.acquire().await;
            let gone = self.go_on(&job).await;
            drop(turn);
            match gone {
                Ok(next) => job = next,
                // Somebody has cancelled it.
                Err(CommitError::Conflict) => match self.read_again(&job).await {
                    Some(current) => job = current,
                    None => return,
                },
                Err(CommitError::Store(error)) => {
                    tracing::warn!(job.id = %job.id, %error, "a job waits for the store");
                    let again = self.clock.now() + RETRY_PAUSE;
                    self.clock.sleep_until(again).await;
                }
            }
            tokio::task::yield_now().await;
        }
        let (id, kind, status) = (job.id, job.work.kind(), job.status.name());
        tracing::info!(job.id = %id, kind, status, job.done, job.sent, "Job {id} has ended");
    }

    async fn read_again(&self, job: &Job) -> Option<Job> {
        loop {
            match self.store().job(job.account, job.id).await {
                Ok(current) => return current,
                Err(error) => {
                    tracing::warn!(job.id = %job.id, %error, "a job waits for the store");
                    let again = self.clock.now() + RETRY_PAUSE;
                    self.clock.sleep_until(again).await;
                }
            }
        }
    }

    /// Counts what there is to do, or does the next page; tells how the job is then.
    async fn go_on(&self, job: &Job) -> Result<Job, CommitError> {
        let (change, next) = if job.total.is_none() {
            (Change::default(), job.counted(self.count(job).await?))
        } else {
            match self.next(job).await? {
                Next::Page { change, page, last } => {
                    let advanced = job.advanced(page);
                    let now = self.clock.now();
                    let next = if last {
                        advanced.finished(now)
                    } else {
                        advanced
                    };
                    (change, next)
                }
                Next::Failed(reason) => (Change::default(), job.failed(reason, self.clock.now())),
            }
        };
        let change = change.and(next.put());
        self.store().commit(change.given(job.unchanged())).await?;
        Ok(next)
    }
}
