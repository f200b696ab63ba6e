//! A component's tasks, and what there is to say of them.

use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use hookyard_domain::Timestamp;
use hookyard_domain::kernel::component::{Failure, State, Status};
use hookyard_domain::kernel::limits::RESTART_PAUSE;
use hookyard_domain::kernel::ports::Clock;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// The tasks of one component.
#[derive(Debug, Clone)]
pub(crate) struct Crew {
    log: Arc<Log>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Commits are told of by the store's writer, which is no task of the runtime.
    runtime: Handle,
}

/// What there is to say of a component.
#[derive(Debug)]
struct Log {
    name: &'static str,
    clock: Arc<dyn Clock>,
    since: Timestamp,
    notes: Mutex<Notes>,
    panics: AtomicU64,
    counts: Vec<(&'static str, AtomicU64)>,
}

#[derive(Debug, Default)]
struct Notes {
    last_run: Option<Timestamp>,
    next_run: Option<Timestamp>,
    last_error: Option<Failure>,
}

impl Crew {
    /// A crew without tasks, which run where this is called. It counts what `counts` names.
    pub(crate) fn new(name: &'static str, clock: &Arc<dyn Clock>, counts: &[&'static str]) -> Self {
        let log = Log {
            name,
            clock: Arc::clone(clock),
            since: clock.now(),
            notes: Mutex::default(),
            panics: AtomicU64::new(0),
            counts: counts
                .iter()
                .map(|name| (*name, AtomicU64::new(0)))
                .collect(),
        };
        Self {
            log: Arc::new(log),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            runtime: Handle::current(),
        }
    }

    /// Other tasks of the same component, which can be waited for by themselves.
    pub(crate) fn beside(&self) -> Self {
        Self {
            tasks: TaskTracker::new(),
            ..self.clone()
        }
    }

    /// What ends the crew when it is dropped.
    pub(crate) fn ends_with(&self) -> DropGuard {
        self.stop.clone().drop_guard()
    }

    /// What is cancelled with the crew, or before.
    pub(crate) fn part(&self) -> CancellationToken {
        self.stop.child_token()
    }

    /// Runs `task` to its end, or until the crew ends.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_until(&self.stop, task);
    }

    /// Runs what `task` makes, and after a panic and a pause what it makes then, to its end or until
    /// the crew ends.
    pub(crate) fn spawn_lasting<T>(&self, task: impl Fn() -> T + Send + Sync + 'static)
    where
        T: Future<Output = ()> + Send + 'static,
    {
        self.spawn_lasting_until(&self.stop, task);
    }

    /// The same until `end` is cancelled.
    pub(crate) fn spawn_lasting_until<T>(
        &self,
        end: &CancellationToken,
        task: impl Fn() -> T + Send + Sync + 'static,
    ) where
        T: Future<Output = ()> + Send + 'static,
    {
        let crew = self.clone();
        self.spawn_until(end, async move {
            while crew.guard(task()).await.is_none() {
                sleep(RESTART_PAUSE).await;
            }
        });
    }

    fn spawn_until(
        &self,
        end: &CancellationToken,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let until_ended = end.clone().run_until_cancelled_owned(task);
        let task = async move {
            until_ended.await;
        };
        self.tasks.spawn_on(task, &self.runtime);
    }

    /// What `task` comes to; `None` when it panics, which is counted.
    pub(crate) fn guard<'a, T>(
        &'a self,
        task: impl Future<Output = T> + Send + 'a,
    ) -> impl Future<Output = Option<T>> + Send + 'a {
        let mut task = Box::pin(task);
        poll_fn(move |context| {
            let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(context)));
            match polled {
                Ok(polled) => polled.map(Some),
                Err(panic) => {
                    self.note_panic(&*panic);
                    Poll::Ready(None)
                }
            }
        })
    }

    fn note_panic(&self, panic: &(dyn Any + Send)) {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let message = format!("A task panicked: {}", text.unwrap_or("no message"));
        let name = self.log.name;
        tracing::error!(
            component = name,
            message,
            "A task of {name} panicked; this is a bug"
        );
        self.log.panics.fetch_add(1, Ordering::Relaxed);
        self.failed(message);
    }

    /// Notes that something went wrong.
    pub(crate) fn failed(&self, message: impl fmt::Display) {
        let at = self.log.clock.now();
        let message = message.to_string();
        self.log.notes().last_error = Some(Failure { at, message });
    }

    /// Notes that something is being done.
    pub(crate) fn ran(&self) {
        self.log.notes().last_run = Some(self.log.clock.now());
    }

    /// Notes when there is something to do by itself.
    pub(crate) fn will_run(&self, at: Option<Timestamp>) {
        self.log.notes().next_run = at;
    }

    /// Counts what was done.
    pub(crate) fn count(&self, name: &'static str, more: u64) {
        let mut counts = self.log.counts.iter();
        let (_, count) = counts
            .find(|(known, _)| *known == name)
            .expect("a crew is told at its beginning what it counts");
        count.fetch_add(more, Ordering::Relaxed);
    }

    /// Whether the crew has ended or is about to.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled() || self.tasks.is_closed()
    }

    /// How the component stands.
    pub(crate) fn status(&self) -> Status {
        let log = &*self.log;
        let notes = log.notes();
        let mut status = Status {
            state: match (self.is_stopping(), self.tasks.is_empty()) {
                (false, _) => State::Running,
                (true, false) => State::Stopping,
                (true, true) => State::Stopped,
            },
            last_run: notes.last_run,
            next_run: notes.next_run,
            last_error: notes.last_error.clone(),
            panics: log.panics.load(Ordering::Relaxed),
            ..Status::running(log.name, log.since)
        };
        for (name, count) in &log.counts {
            status = status.having_done(name, count.load(Ordering::Relaxed));
        }
        status
    }

    /// Begins nothing any more, and drops what waits.
    pub(crate) fn abort(&self) {
        self.stop.cancel();
    }

    /// Waits until all tasks have come to their end, or until `deadline`. Tells whether they have.
    pub(crate) async fn finish(&self, deadline: Instant) -> bool {
        self.tasks.close();
        timeout_at(deadline, self.tasks.wait()).await.is_ok()
    }
}

impl Log {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
