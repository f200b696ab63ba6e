//! The life of subscriptions, as far as time drives it: reminders, expiry, blacklisting, healing,
//! and catching up with what was missed.
//!
//! One task sleeps until the next thing is due. Everything that it decides is a change through the
//! store's one door, guarded by the version that the decision relied on; what it learns, it learns
//! from commits. After a restart it goes on from what the store holds.

mod agenda;
mod catch_up;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hookyard_domain::identity::secret::token_from;
use hookyard_domain::kernel::limits::{CATCH_UPS_AT_ONCE_MAX, PROBES_AT_ONCE_MAX};
use hookyard_domain::kernel::news::News;
use hookyard_domain::kernel::ports::{
    Chance, Clock, CommitError, CommitListener, Handshake, Store, StoreError,
};
use hookyard_domain::kernel::retention::clearings;
use hookyard_domain::subscriptions::life_cycle::{Task, Trouble};
use hookyard_domain::{Change, DeliveryMode, Subscription, Timestamp};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::health::{HealthListener, HealthReport};
use agenda::Agenda;

/// Pause before something is tried again that the store refused.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// How often the history of ended subscriptions, old jobs and old statistics are cleared.
const PURGE_PERIOD: Duration = Duration::from_secs(24 * 3_600);

/// Watches over subscriptions.
#[derive(Debug)]
pub struct Lifecycle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    handshake: Arc<dyn Handshake>,
    store: OnceLock<Arc<dyn Store>>,
    agenda: Mutex<Agenda>,
    reports: Mutex<Vec<(Arc<Subscription>, HealthReport)>>,
    wake: Notify,
    probes: Arc<Semaphore>,
    catch_ups: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Lifecycle {
    /// Listens, but does nothing before [`Lifecycle::start`]. With `heals`, blacklisted addresses
    /// are probed and put into use again.
    pub fn new(
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        handshake: Arc<dyn Handshake>,
        heals: bool,
    ) -> Self {
        let inner = Inner {
            clock,
            chance,
            handshake,
            store: OnceLock::new(),
            agenda: Mutex::new(Agenda::new(heals)),
            reports: Mutex::default(),
            wake: Notify::new(),
            probes: Arc::new(Semaphore::new(PROBES_AT_ONCE_MAX)),
            catch_ups: Arc::new(Semaphore::new(CATCH_UPS_AT_ONCE_MAX)),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Begins to watch over the subscriptions in `store`, which must already tell this of its
    /// commits.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn start(&self, store: Arc<dyn Store>) -> Result<(), StoreError> {
        let inner = &self.inner;
        let all = store.all_subscriptions().await?;
        let first = inner.store.set(store).is_ok();
        assert!(first, "a life cycle starts once");
        let now = inner.clock.now();
        let mut agenda = inner.agenda();
        for subscription in &all {
            agenda.watch(subscription, now);
        }
        drop(agenda);
        let running = Arc::clone(inner).run();
        inner.spawn(running);
        Ok(())
    }

    /// Begins nothing any more, and waits for what is under way.
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

impl CommitListener for Lifecycle {
    fn committed(&self, news: &News) {
        if news.subscriptions().next().is_none() && news.subscriptions_ended().next().is_none() {
            return;
        }
        let now = self.inner.clock.now();
        let mut agenda = self.inner.agenda();
        for subscription in news.subscriptions() {
            agenda.watch(subscription, now);
        }
        for ended in news.subscriptions_ended() {
            agenda.forget(*ended);
        }
        drop(agenda);
        self.inner.wake.notify_one();
    }
}

impl HealthListener for Lifecycle {
    fn report(&self, subscription: &Arc<Subscription>, report: HealthReport) {
        self.inner
            .reports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((Arc::clone(subscription), report));
        self.inner.wake.notify_one();
    }
}

impl Inner {
    fn agenda(&self) -> MutexGuard<'_, Agenda> {
        self.agenda.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> &Arc<dyn Store> {
        self.store.get().expect("tasks run after the start")
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let until_stopped = self.stop.clone().run_until_cancelled_owned(task);
        self.tasks.spawn(async move {
            until_stopped.await;
        });
    }

    /// Does what is due, again and again.
    async fn run(self: Arc<Self>) {
        let mut purge_at = self.clock.now();
        loop {
            let now = self.clock.now();
            if now >= purge_at {
                self.purge(now).await;
                purge_at = now + PURGE_PERIOD;
            }
            let reports =
                std::mem::take(&mut *self.reports.lock().unwrap_or_else(PoisonError::into_inner));
            for (subscription, report) in reports {
                self.act_on(&subscription, report).await;
            }
            loop {
                let Some((subscription, task)) = self.agenda().take_due(now) else {
                    break;
                };
                // Each in a task of its own, so that what is due together is committed together.
                self.spawn(Arc::clone(&self).perform(subscription, task, now));
            }
            let next = self.agenda().next_at();
            let next = next.map_or(purge_at, |next| next.min(purge_at));
            tokio::select! {
                () = self.clock.sleep_until(next) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// Clears what nobody looks at any more.
    async fn purge(&self, now: Timestamp) {
        for clearing in clearings(now) {
            self.commit(clearing).await;
        }
    }

    async fn perform(self: Arc<Self>, subscription: Arc<Subscription>, task: Task, now: Timestamp) {
        match task {
            Task::Remind => self.commit(subscription.remind(now)).await,
            Task::Expire => {
                let change = subscription.expire(now);
                self.commit_or_retry(&subscription, change, task, now).await;
            }
            Task::Forget => {
                let change = subscription.forget(now);
                self.commit_or_retry(&subscription, change, task, now).await;
            }
            Task::Probe => self.probe(subscription).await,
            Task::CatchUp => self.catch_up(subscription).await,
        }
    }

    /// Looks whether a blacklisted address is in order again, and if so puts it into use.
    async fn probe(self: Arc<Self>, subscription: Arc<Subscription>) {
        let _permit = self.probes.acquire().await;
        if let DeliveryMode::WebHook {
            address,
            verification_token,
        } = &subscription.mode
        {
            let mut random = [0; 32];
            self.chance.fill(&mut random);
            let token = token_from(random);
            let shaken = self
                .handshake
                .verify(address, &token, verification_token.as_ref())
                .await;
            if let Err(error) = shaken {
                tracing::debug!(subscription.id = %subscription.id, %error, "not healed yet");
                return;
            }
        }
        let healed = subscription.heal(self.clock.now());
        self.commit(healed).await;
    }

    /// Acts on how a subscription fares.
    async fn act_on(&self, subscription: &Arc<Subscription>, report: HealthReport) {
        match report {
            HealthReport::Failing { since } => {
                self.commit(subscription.note_failing(Some(since))).await;
            }
            HealthReport::Recovered => self.commit(subscription.note_failing(None)).await,
            HealthReport::Blacklist { reason } => {
                let trouble = Trouble::Blacklisted { reason };
                self.give_up(subscription, &trouble).await;
            }
            HealthReport::Errored { reason, since } => {
                let trouble = Trouble::PastThreshold { reason, since };
                self.give_up(subscription, &trouble).await;
            }
        }
    }

    /// Gives a subscription up, unless something else has happened to it meanwhile.
    async fn give_up(&self, subscription: &Arc<Subscription>, trouble: &Trouble) {
        let (account, id) = (subscription.account, subscription.id);
        loop {
            // Renewals do not save it, so what counts is how it is now.
            let current = match self.store().subscription(account, id).await {
                Ok(Some(current)) => current,
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(subscription.id = %id, %error, "reading a subscription failed");
                    return;
                }
            };
            let now = self.clock.now();
            let Some((change, changed)) = current.give_up(trouble, now) else {
                return;
            };
            match self.store().commit(change).await {
                Ok(()) => {
                    let status = changed.status.name();
                    let reason = trouble.reason();
                    tracing::info!(subscription.id = %id, reason, status, "subscription given up");
                    return;
                }
                Err(CommitError::Conflict) => {}
                Err(CommitError::Store(error)) => {
                    tracing::warn!(subscription.id = %id, %error, "blacklisting failed");
                    return;
                }
            }
        }
    }

    /// Commits a change to `subscription`. When the store fails, the task is tried again later; when
    /// the subscription has changed meanwhile, it has been planned anew.
    async fn commit_or_retry(
        &self,
        subscription: &Subscription,
        change: Change,
        task: Task,
        now: Timestamp,
    ) {
        if let Err(CommitError::Store(error)) = self.store().commit(change).await {
            tracing::warn!(subscription.id = %subscription.id, %error, "a subscription waits");
            self.agenda()
                .retry(subscription.id, task, now + RETRY_PAUSE);
        }
    }

    /// Commits what may be left undone: it comes again, or something else has happened meanwhile.
    async fn commit(&self, change: Change) {
        if let Err(CommitError::Store(error)) = self.store().commit(change).await {
            tracing::warn!(%error, "the life cycle of subscriptions could not write");
        }
    }
}
