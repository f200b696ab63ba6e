//! Tells what a commit did, off the writer's thread: listeners first, then the callers, batch after
//! batch in the order of commits.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

use hookyard_domain::News;
use hookyard_domain::kernel::ports::CommitListener;
use tokio::sync::oneshot;

use super::core::Fate;
use crate::fault::Fault;

/// Batches that may wait to be told. The writer waits when there are more.
const BATCHES_MAX: usize = 4;

/// Told of every commit; filled while the server is put together.
pub(crate) type Listeners = Arc<RwLock<Vec<Arc<dyn CommitListener>>>>;

/// Where a caller waits.
pub(super) type Reply = oneshot::Sender<Fate>;

/// A batch that is on disk, or failed.
pub(super) struct Told<S> {
    pub(super) news: News,
    pub(super) replies: Vec<(Reply, Fate)>,
    /// What it was made of, to be let go of here.
    pub(super) spent: S,
}

/// Tells the listeners.
pub(crate) fn tell(listeners: &Listeners, news: &News) {
    let listeners = listeners.read().unwrap_or_else(PoisonError::into_inner);
    for listener in listeners.iter() {
        listener.committed(news);
    }
}

/// The handle on the herald's thread.
#[derive(Debug)]
pub(super) struct Herald<S> {
    batches: SyncSender<Told<S>>,
    thread: JoinHandle<()>,
}

impl<S: Send + 'static> Herald<S> {
    pub(super) fn start(listeners: Listeners) -> Result<Self, Fault> {
        let (batches, waiting) = sync_channel::<Told<S>>(BATCHES_MAX);
        let work = move || {
            for told in waiting {
                if !told.news.is_empty() {
                    tell(&listeners, &told.news);
                }
                for (reply, fate) in told.replies {
                    // A caller that has gone away does not change what is committed.
                    let _ = reply.send(fate);
                }
                drop(told.spent);
            }
        };
        let thread = std::thread::Builder::new()
            .name("hookyard-herald".into())
            .spawn(work)
            .map_err(|error| Fault::plain(format!("failed to start the herald: {error}")))?;
        Ok(Self { batches, thread })
    }

    /// Hands a batch over; false when a listener has panicked, and nobody is told of anything any
    /// more.
    pub(super) fn tell(&self, told: Told<S>) -> bool {
        self.batches.send(told).is_ok()
    }

    /// Waits until everything is told.
    pub(super) fn finish(self) {
        drop(self.batches);
        let _ = self.thread.join();
    }
}
