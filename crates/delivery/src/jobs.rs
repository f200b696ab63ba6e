//! Jobs: work in the background that somebody asked for, page by page.
//!
//! Each page is one change: what it does and how far the job has come with it, guarded by the job's
//! version. So a page is done once, also when the process ends in the middle, and a job that was
//! cancelled meanwhile does no further page. Jobs take turns: between two pages others may go on.

mod pages;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hookyard_domain::kernel::component::{Component, Ports, Status};
use hookyard_domain::kernel::limits::JOBS_AT_ONCE_MAX;
use hookyard_domain::kernel::news::News;
use hookyard_domain::kernel::ownership::Duty;
use hookyard_domain::kernel::ports::{CommitError, CommitListener, Store, StoreError};
use hookyard_domain::{Change, Job, JobId, JobPage, Timestamp};
use tokio::sync::Semaphore;
use tokio_util::sync::DropGuard;

use crate::component::{Station, Work, begin};

/// Pause before a page is tried again that the store refused.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

const PAGES: &str = "pages";
const ENDED: &str = "ended";

/// Does jobs.
#[derive(Debug)]
pub struct Jobs {
    inner: Arc<Inner>,
    _end: DropGuard,
}

#[derive(Debug)]
struct Inner {
    ports: Ports,
    station: Station,
    turns: Semaphore,
    /// A job that is told of and read as well is done once.
    running: Mutex<HashSet<JobId>>,
    /// Jobs that nobody has begun here yet.
    asked_for: Mutex<Vec<Job>>,
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
    /// Goes on with the jobs in the store, and does those that are asked for.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn start(ports: &Ports) -> Result<Self, StoreError> {
        let inner = Arc::new(Inner {
            ports: ports.clone(),
            station: Station::new(Duty::Jobs, ports, &[PAGES, ENDED]),
            turns: Semaphore::new(JOBS_AT_ONCE_MAX),
            running: Mutex::default(),
            asked_for: Mutex::default(),
        });
        let end = inner.station.crew.ends_with();
        ports.feed.follow(Arc::new(Arc::downgrade(&inner)));
        begin(&inner).await?;
        Ok(Self { inner, _end: end })
    }
}

#[async_trait]
impl Component for Jobs {
    fn status(&self) -> Status {
        let running = self.inner.running().len();
        let at_work = JOBS_AT_ONCE_MAX - self.inner.turns.available_permits();
        let status = self.inner.station.status().with("running", running);
        status.with("waiting", running.saturating_sub(at_work))
    }

    async fn stop(&self, deadline: Instant) {
        self.abort();
        self.inner.station.crew.finish(deadline.into()).await;
    }

    fn abort(&self) {
        self.inner.station.crew.abort();
    }
}

impl CommitListener for Inner {
    fn committed(&self, news: &News) {
        if !self.station.attends() {
            return;
        }
        let told: Vec<Job> = news.jobs().map(|job| Job::clone(job)).collect();
        if told.is_empty() {
            return;
        }
        self.asked_for().extend(told);
        self.station.wake();
    }
}

#[async_trait]
impl Work for Inner {
    fn station(&self) -> &Station {
        &self.station
    }

    async fn take_up(self: Arc<Self>) -> Result<(), StoreError> {
        let running = self.store().running_jobs().await?;
        self.asked_for().extend(running);
        Ok(())
    }

    fn lay_down(&self) {
        self.asked_for().clear();
        self.running().clear();
    }

    async fn round(self: Arc<Self>) -> Option<Timestamp> {
        let asked_for = std::mem::take(&mut *self.asked_for());
        for job in asked_for {
            if self.running().insert(job.id) {
                let inner = Arc::clone(&self);
                self.station
                    .spawn(move || Arc::clone(&inner).run(job.clone()));
            }
        }
        None
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, HashSet<JobId>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked_for(&self) -> MutexGuard<'_, Vec<Job>> {
        self.asked_for
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.ports.store
    }

    /// One job's life.
    async fn run(self: Arc<Self>, mut job: Job) {
        while job.is_running() {
            // Who waits takes no turn from others.
            if let Some(due) = job.next_at() {
                self.ports.clock.sleep_until(due).await;
            }
            let turn = self.turns.acquire().await;
            if !self.station.holds() {
                return;
            }
            let gone = self.go_on(&job).await;
            drop(turn);
            match gone {
                Ok(next) => job = next,
                // Somebody has cancelled it.
                Err(CommitError::Conflict) => match self.read_again(&job).await {
                    Some(current) => job = current,
                    None => break,
                },
                Err(CommitError::Store(error)) => self.wait_for_store(&job, error).await,
            }
            tokio::task::yield_now().await;
        }
        self.running().remove(&job.id);
        self.station.crew.count(ENDED, 1);
        let (id, kind, status) = (job.id, job.work.kind(), job.status.name());
        tracing::info!(job.id = %id, kind, status, job.done, job.sent, "Job {id} has ended");
    }

    async fn wait_for_store(&self, job: &Job, error: StoreError) {
        tracing::warn!(job.id = %job.id, %error, "a job waits for the store");
        self.station.crew.failed(error);
        let again = self.ports.clock.now() + RETRY_PAUSE;
        self.ports.clock.sleep_until(again).await;
    }

    async fn read_again(&self, job: &Job) -> Option<Job> {
        loop {
            match self.store().job(job.account, job.id).await {
                Ok(current) => return current,
                Err(error) => self.wait_for_store(job, error).await,
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
                    let now = self.ports.clock.now();
                    let next = if last {
                        advanced.finished(now)
                    } else {
                        advanced
                    };
                    (change, next)
                }
                Next::Failed(reason) => (
                    Change::default(),
                    job.failed(reason, self.ports.clock.now()),
                ),
            }
        };
        let change = change.and(next.put());
        self.store().commit(change.given(job.unchanged())).await?;
        self.station.crew.count(PAGES, 1);
        self.station.crew.ran();
        Ok(next)
    }
}
