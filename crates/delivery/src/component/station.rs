//! Work that one node does at a time, on the node that has the duty.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hookyard_domain::Timestamp;
use hookyard_domain::kernel::component::{Ports, State, Status};
use hookyard_domain::kernel::limits::RESTART_PAUSE;
use hookyard_domain::kernel::ownership::{Claim, Duty, Lease, Ownership};
use hookyard_domain::kernel::ports::{Clock, StoreError};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::crew::Crew;

/// What a component does while this node has its duty.
#[async_trait]
pub(crate) trait Work: Send + Sync + 'static {
    fn station(&self) -> &Station;

    /// Reads from the store what there is to do. What is committed from now on is told as well.
    async fn take_up(self: Arc<Self>) -> Result<(), StoreError>;

    /// Forgets everything: another node has the duty, and the store knows.
    fn lay_down(&self) {}

    /// Does what is due, and tells when something will be. Dropped when the duty is lost.
    async fn round(self: Arc<Self>) -> Option<Timestamp>;
}

/// Where a component attends to its duty.
#[derive(Debug)]
pub(crate) struct Station {
    pub(crate) crew: Crew,
    duty: Duty,
    ownership: Arc<dyn Ownership>,
    clock: Arc<dyn Clock>,
    wake: Notify,
    held: Mutex<Option<Held>>,
}

/// The duty is this node's.
#[derive(Debug, Clone)]
struct Held {
    lease: Lease,
    /// Cancelled when it no longer is.
    end: CancellationToken,
}

impl Station {
    pub(crate) fn new(duty: Duty, ports: &Ports, counts: &[&'static str]) -> Self {
        Self {
            crew: Crew::new(duty.name(), &ports.clock, counts),
            duty,
            ownership: Arc::clone(&ports.ownership),
            clock: Arc::clone(&ports.clock),
            wake: Notify::new(),
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There may be something to do.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Whether what is heard of is this node's to do. What is heard before the duty was taken up is
    /// read when it is.
    pub(crate) fn attends(&self) -> bool {
        self.held().is_some()
    }

    /// Whether the duty is this node's at this moment: asked before anything that no store can
    /// refuse afterwards.
    pub(crate) fn holds(&self) -> bool {
        let lease = self.held().as_ref().map(|held| held.lease);
        lease.is_some_and(|lease| self.ownership.holds(lease))
    }

    /// Runs what `task` makes to its end, or until the duty is lost; again after a panic.
    pub(crate) fn spawn<T>(&self, task: impl Fn() -> T + Send + Sync + 'static)
    where
        T: Future<Output = ()> + Send + 'static,
    {
        let end = self.held().as_ref().map(|held| held.end.clone());
        if let Some(end) = end {
            self.crew.spawn_lasting_until(&end, task);
        }
    }

    pub(crate) fn status(&self) -> Status {
        let mut status = self.crew.status();
        if status.state == State::Running && !self.attends() {
            let owned = self.ownership.lease(Claim::Duty(self.duty)).is_some();
            status.state = if owned {
                State::Failing
            } else {
                State::Standby
            };
        }
        status
    }

    /// Takes the duty up or lays it down, as the ownership is now. Tells the lease, if it is held.
    async fn attend(&self, work: &Arc<impl Work>) -> Result<Option<Lease>, StoreError> {
        let lease = self.ownership.lease(Claim::Duty(self.duty));
        let known = self.held().as_ref().map(|held| held.lease);
        if known == lease {
            return Ok(lease);
        }
        self.leave(work);
        let Some(lease) = lease else {
            return Ok(None);
        };
        // Before reading, so that nothing falls between reading and hearing.
        let end = self.crew.part();
        *self.held() = Some(Held { lease, end });
        if let Err(error) = Arc::clone(work).take_up().await {
            self.leave(work);
            return Err(error);
        }
        Ok(Some(lease))
    }

    fn leave(&self, work: &Arc<impl Work>) {
        let held = self.held().take();
        if let Some(held) = held {
            held.end.cancel();
            work.lay_down();
        }
    }

    /// Returns when `lease` no longer holds.
    async fn lost(&self, lease: Lease) {
        loop {
            let epoch = self.ownership.epoch();
            if !self.ownership.holds(lease) {
                return;
            }
            self.ownership.changed_since(epoch).await;
        }
    }

    async fn sleep_until(&self, next: Option<Timestamp>) {
        match next {
            Some(next) => self.clock.sleep_until(next).await,
            None => std::future::pending().await,
        }
    }
}

/// Takes the duty of `work` up, if it is this node's, and attends to it from then on.
///
/// # Errors
///
/// When the store cannot be read. Later that is tried again.
pub(crate) async fn begin(work: &Arc<impl Work>) -> Result<(), StoreError> {
    let station = work.station();
    station.attend(work).await?;
    let work = Arc::clone(work);
    station.crew.spawn(async move {
        let station = work.station();
        while station.crew.guard(attend(&work)).await.is_none() {
            // What it was in the middle of is not known: it begins again with what the store holds.
            station.leave(&work);
            sleep(RESTART_PAUSE).await;
        }
    });
    Ok(())
}

async fn attend(work: &Arc<impl Work>) {
    let station = work.station();
    loop {
        let epoch = station.ownership.epoch();
        let next = match station.attend(work).await {
            Ok(Some(lease)) => {
                station.crew.ran();
                tokio::select! {
                    biased;
                    () = station.lost(lease) => continue,
                    next = Arc::clone(work).round() => next,
                }
            }
            Ok(None) => None,
            Err(error) => {
                let duty = station.duty.name();
                tracing::warn!(duty, %error, "The duty {duty} cannot be taken up yet");
                station.crew.failed(error);
                Some(station.clock.now() + RESTART_PAUSE)
            }
        };
        station.crew.will_run(next);
        tokio::select! {
            biased;
            () = station.ownership.changed_since(epoch) => {}
            () = station.wake.notified() => {}
            () = station.sleep_until(next) => {}
        }
    }
}

#[cfg(test)]
mod tests;
