//! The life of subscriptions, as far as time drives it: reminders, expiry, blacklisting, healing,
//! and catching up with what was missed.
//!
//! An *agenda* knows what is due when; who has the duty sleeps until then, and does it. How
//! receivers fare is told by the dispatcher, and acted on by whoever has the lane. Everything that
//! is decided is a change through the store's one door, guarded by the version that the decision
//! relied on; what is learnt is learnt from commits. After a restart it goes on from what the store
//! holds.

mod agenda;
mod catch_up;
mod reports;
mod tasks;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hookyard_domain::kernel::component::{Component, Ports, Status};
use hookyard_domain::kernel::limits::{CATCH_UPS_AT_ONCE_MAX, PROBES_AT_ONCE_MAX};
use hookyard_domain::kernel::news::News;
use hookyard_domain::kernel::ownership::Duty;
use hookyard_domain::kernel::ports::{CommitError, CommitListener, Handshake, Store, StoreError};
use hookyard_domain::kernel::retention::clearings;
use hookyard_domain::{Change, Timestamp};
use tokio::sync::Semaphore;
use tokio_util::sync::DropGuard;

use crate::component::{Station, Work, begin};
use crate::health::HealthListener;
use agenda::Agenda;
use reports::Reports;

/// Pause before something is tried again that the store refused.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// How often the history of ended subscriptions, old jobs and old statistics are cleared.
const PURGE_PERIOD: Duration = Duration::from_secs(24 * 3_600);

const TASKS: &str = "tasks";
const REPORTS: &str = "reports";

/// Watches over subscriptions.
#[derive(Debug)]
pub struct Lifecycle {
    inner: Arc<Inner>,
    _end: DropGuard,
}

#[derive(Debug)]
struct Inner {
    ports: Ports,
    station: Station,
    handshake: Arc<dyn Handshake>,
    agenda: Mutex<Agenda>,
    reports: Reports,
    /// When old history is to be cleared again; `None` for at once.
    purge_at: Mutex<Option<Timestamp>>,
    probes: Semaphore,
    catch_ups: Semaphore,
}

impl Lifecycle {
    /// Begins to watch over the subscriptions in the store. With `heals`, blacklisted addresses are
    /// probed and put into use again.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn start(
        ports: &Ports,
        handshake: Arc<dyn Handshake>,
        heals: bool,
    ) -> Result<Self, StoreError> {
        let inner = Arc::new(Inner {
            ports: ports.clone(),
            station: Station::new(Duty::Lifecycle, ports, &[TASKS, REPORTS]),
            handshake,
            agenda: Mutex::new(Agenda::new(heals)),
            reports: Reports::default(),
            purge_at: Mutex::default(),
            probes: Semaphore::new(PROBES_AT_ONCE_MAX),
            catch_ups: Semaphore::new(CATCH_UPS_AT_ONCE_MAX),
        });
        let end = inner.station.crew.ends_with();
        ports.feed.follow(Arc::new(Arc::downgrade(&inner)));
        begin(&inner).await?;
        let reporting = Arc::clone(&inner);
        let read_reports = move || Arc::clone(&reporting).read_reports();
        inner.station.crew.spawn_lasting(read_reports);
        Ok(Self { inner, _end: end })
    }

    /// Who is to be told how receivers fare.
    pub fn health(&self) -> Arc<dyn HealthListener> {
        Arc::clone(&self.inner) as _
    }
}

#[async_trait]
impl Component for Lifecycle {
    fn status(&self) -> Status {
        let watched = self.inner.agenda().len();
        self.inner.station.status().with("subscriptions", watched)
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
        let nothing_new =
            news.subscriptions().next().is_none() && news.subscriptions_ended().next().is_none();
        if nothing_new || !self.station.attends() {
            return;
        }
        let now = self.ports.clock.now();
        let mut agenda = self.agenda();
        for subscription in news.subscriptions() {
            agenda.watch(subscription.as_ref().into(), now);
        }
        for ended in news.subscriptions_ended() {
            agenda.forget(*ended);
        }
        drop(agenda);
        self.station.wake();
    }
}

#[async_trait]
impl Work for Inner {
    fn station(&self) -> &Station {
        &self.station
    }

    async fn take_up(self: Arc<Self>) -> Result<(), StoreError> {
        let all = self.store().subscription_places().await?;
        let now = self.ports.clock.now();
        let mut agenda = self.agenda();
        for place in all {
            agenda.watch(place, now);
        }
        Ok(())
    }

    fn lay_down(&self) {
        self.agenda().clear();
    }

    async fn round(self: Arc<Self>) -> Option<Timestamp> {
        let now = self.ports.clock.now();
        let purge_at = self.purge_when_due(now).await;
        loop {
            let Some(due) = self.agenda().take_due(now) else {
                break;
            };
            // Each in a task of its own, so that what is due together is committed together.
            let inner = Arc::clone(&self);
            self.station
                .spawn(move || Arc::clone(&inner).perform(due, now));
        }
        let next = self.agenda().next_at();
        Some(next.map_or(purge_at, |next| next.min(purge_at)))
    }
}

impl Inner {
    fn agenda(&self) -> MutexGuard<'_, Agenda> {
        self.agenda.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.ports.store
    }

    /// Clears what nobody looks at any more, if it is time, and tells when it will be.
    async fn purge_when_due(&self, now: Timestamp) -> Timestamp {
        let planned = *self.purge_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(later) = planned.filter(|at| *at > now) {
            return later;
        }
        for clearing in clearings(now) {
            self.commit(clearing).await;
        }
        let next = now + PURGE_PERIOD;
        *self.purge_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
        next
    }

    /// Commits what may be left undone: it comes again, or something else has happened meanwhile.
    async fn commit(&self, change: Change) {
        if let Err(CommitError::Store(error)) = self.store().commit(change).await {
            tracing::warn!(%error, "the life cycle of subscriptions could not write");
            self.station.crew.failed(error);
        }
    }
}
