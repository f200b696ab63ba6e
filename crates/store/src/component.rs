//! The store as a component: it begins before all others and stops after them.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};
use std::time::Instant;

use async_trait::async_trait;
use hookyard_domain::Timestamp;
use hookyard_domain::kernel::component::{Component, Failure, State, Status};
use hookyard_domain::kernel::feed::Feed as _;
use hookyard_domain::kernel::news::News;
use hookyard_domain::kernel::ports::{Clock, CommitListener};

use crate::SqliteStore;

/// Asks an open store how it stands, and closes it.
#[derive(Debug)]
pub struct StoreComponent {
    store: Arc<SqliteStore>,
    database: PathBuf,
    tally: Arc<Tally>,
    closed: AtomicBool,
}

/// What commits announced since the start.
#[derive(Debug)]
struct Tally {
    clock: Arc<dyn Clock>,
    since: Timestamp,
    events: AtomicU64,
    deliveries: AtomicU64,
}

impl StoreComponent {
    /// Begins to count what `store`, whose file is `database`, commits.
    pub fn start(store: &Arc<SqliteStore>, database: &Path, clock: &Arc<dyn Clock>) -> Self {
        let tally = Arc::new(Tally {
            since: clock.now(),
            clock: Arc::clone(clock),
            events: AtomicU64::default(),
            deliveries: AtomicU64::default(),
        });
        let told: Weak<Tally> = Arc::downgrade(&tally);
        store.follow(Arc::new(told));
        Self {
            store: Arc::clone(store),
            database: database.to_owned(),
            tally,
            closed: AtomicBool::new(false),
        }
    }

    /// Whether nothing can be made durable any more.
    fn has_failed(&self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(self.store.failed()).poll(&mut context).is_ready()
    }

    /// Bytes that may still be written to the database's disk, if the system says so.
    fn disk_free(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.database).ok()?;
        disk.f_bavail.checked_mul(disk.f_frsize)
    }

    /// Bytes of the database's file, and of its log.
    fn sizes(&self) -> [u64; 2] {
        let mut log = self.database.clone().into_os_string();
        log.push("-wal");
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
        [size(&self.database), size(Path::new(&log))]
    }
}

#[async_trait]
impl Component for StoreComponent {
    fn status(&self) -> Status {
        let tally = &*self.tally;
        let count = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let pulse = self.store.pulse();
        let [database, log] = self.sizes();
        let mut status = Status::running("store", tally.since)
            .holding("database_bytes", database)
            .holding("log_bytes", log)
            .with("queue", self.store.queue())
            .having_done("commits", pulse.commits())
            .having_done("events", count(&tally.events))
            .having_done("deliveries", count(&tally.deliveries));
        if let Some(free) = self.disk_free() {
            status = status.holding("disk_free_bytes", free);
        }
        status.last_run = pulse.last();
        if self.has_failed() {
            status.state = State::Failing;
            status.last_error = Some(Failure {
                at: tally.clock.now(),
                message: "Nothing can be made durable any more".to_owned(),
            });
        } else if self.closed.load(Ordering::Acquire) {
            status.state = State::Stopped;
        }
        status
    }

    /// What the log still holds when the time is over is read at the next start.
    async fn stop(&self, deadline: Instant) {
        let _ = tokio::time::timeout_at(deadline.into(), self.store.close()).await;
        self.closed.store(true, Ordering::Release);
    }

    /// A store that is dropped loses nothing that was acknowledged.
    fn abort(&self) {}
}

impl CommitListener for Tally {
    fn committed(&self, news: &News) {
        let count = |figure: &AtomicU64, more: usize| {
            figure.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
        };
        count(&self.events, news.events().count());
        count(&self.deliveries, news.deliveries().count());
    }
}
