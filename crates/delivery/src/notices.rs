//! Tells the owner of an endpoint by e-mail that it became Errored.
//!
//! What is to be told is learnt from commits, and after a start from the store. That somebody was
//! told, or could not be, becomes a line of the endpoint's history: so each Errored period is told
//! once, also over restarts; only a crash between the sending and the note can repeat it. One task
//! sends, one letter after the other, and nothing waits for it: a mail server that is slow or down
//! costs time of this task alone.

mod letter;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use hookyard_domain::kernel::component::{Component, Ports, Status};
use hookyard_domain::kernel::limits::{
    MAIL_RETRY_PAUSES, NOTICE_AGE_MAX, NOTICE_READERS_MAX, NOTICES_WAITING_MAX,
};
use hookyard_domain::kernel::news::News;
use hookyard_domain::kernel::ownership::Duty;
use hookyard_domain::kernel::ports::{
    CommitListener, DeliveryQuery, PersonQuery, Slice, StateQuery, Store, StoreError,
};
use hookyard_domain::{
    AccountId, Change, HistoryEntry, HistoryWrite, Milestone, Person, PersonKind, PersonStatus,
    Subscription, SubscriptionId, SubscriptionStatus, Timestamp,
};
use tokio_util::sync::DropGuard;

use crate::component::{Station, Work, begin};
use crate::mail::{Mail, MailError};
use letter::{Reader, Trouble};

const LETTERS: &str = "letters";

/// Tells owners what became of their endpoints.
#[derive(Debug)]
pub struct Notices {
    inner: Arc<Inner>,
    _end: DropGuard,
}

#[derive(Debug)]
struct Inner {
    ports: Ports,
    station: Station,
    mail: Arc<dyn Mail>,
    /// Without a trailing slash.
    public_url: String,
    waiting: Mutex<HashMap<SubscriptionId, Notice>>,
}

/// Somebody is to be told of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Notice {
    account: AccountId,
    /// Since when the endpoint takes nothing: what tells one Errored period from the next.
    period: Option<Timestamp>,
    due_at: Timestamp,
    /// Tries that failed.
    tries: usize,
    /// Addresses that need not be tried again.
    done: BTreeSet<String>,
    /// How many of them took the letter.
    reached: usize,
}

impl Notice {
    fn of(subscription: &Subscription, now: Timestamp) -> Self {
        Self {
            account: subscription.account,
            period: subscription.paused_at,
            due_at: now,
            tries: 0,
            done: BTreeSet::new(),
            reached: 0,
        }
    }
}

/// What became of one round of letters.
enum Told {
    /// There is nothing to tell any more.
    Nothing,
    /// Nobody is left to be told.
    All,
    /// Somebody is left, and why.
    NotYet(String),
}

impl Notices {
    /// Begins to tell, with what an earlier run left untold. Letters lead to pages below
    /// `public_url`.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn start(
        ports: &Ports,
        mail: Arc<dyn Mail>,
        public_url: impl Into<String>,
    ) -> Result<Self, StoreError> {
        let inner = Arc::new(Inner {
            ports: ports.clone(),
            station: Station::new(Duty::Letters, ports, &[LETTERS]),
            mail,
            public_url: public_url.into(),
            waiting: Mutex::default(),
        });
        let end = inner.station.crew.ends_with();
        ports.feed.follow(Arc::new(Arc::downgrade(&inner)));
        begin(&inner).await?;
        Ok(Self { inner, _end: end })
    }
}

#[async_trait]
impl Component for Notices {
    fn status(&self) -> Status {
        let waiting = self.inner.waiting().len();
        self.inner.station.status().with("waiting", waiting)
    }

    /// A letter under way is given up; it is sent after the next start.
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
        for subscription in news.subscriptions() {
            self.learn(subscription, self.ports.clock.now());
        }
    }
}

#[async_trait]
impl Work for Inner {
    fn station(&self) -> &Station {
        &self.station
    }

    async fn take_up(self: Arc<Self>) -> Result<(), StoreError> {
        let now = self.ports.clock.now();
        let lately = self.store().endpoints_errored_since(now - NOTICE_AGE_MAX);
        for endpoint in &lately.await? {
            self.learn(endpoint, now);
        }
        Ok(())
    }

    fn lay_down(&self) {
        self.waiting().clear();
    }

    async fn round(self: Arc<Self>) -> Option<Timestamp> {
        loop {
            let due = self.take_due(self.ports.clock.now());
            match due {
                Ok((id, notice)) => self.tell(id, notice).await,
                Err(next) => return next,
            }
        }
    }
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, HashMap<SubscriptionId, Notice>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.ports.store
    }

    /// Takes note of an endpoint that may have something to tell; its history decides.
    fn learn(&self, subscription: &Subscription, now: Timestamp) {
        if subscription.status != SubscriptionStatus::Errored || subscription.endpoint.is_none() {
            return;
        }
        let mut waiting = self.waiting();
        if waiting.len() >= NOTICES_WAITING_MAX && !waiting.contains_key(&subscription.id) {
            tracing::warn!(
                subscription.id = %subscription.id,
                "too many owners wait for e-mail; this one is told after the next start"
            );
            return;
        }
        let known = waiting.get(&subscription.id);
        if known.is_none_or(|known| known.period != subscription.paused_at) {
            waiting.insert(subscription.id, Notice::of(subscription, now));
        }
        drop(waiting);
        self.station.wake();
    }

    /// The notice that is due first, taken out, or when it will be.
    fn take_due(&self, now: Timestamp) -> Result<(SubscriptionId, Notice), Option<Timestamp>> {
        let mut waiting = self.waiting();
        let first = waiting
            .iter()
            .map(|(id, notice)| (notice.due_at, *id))
            .min_by_key(|(due_at, id)| (*due_at, id.0));
        match first {
            Some((due_at, id)) if due_at <= now => {
                let notice = waiting.remove(&id).expect("it was just seen");
                Ok((id, notice))
            }
            first => Err(first.map(|(due_at, _)| due_at)),
        }
    }

    /// Tells whoever is left to be told, and plans the next try if that fails.
    async fn tell(&self, id: SubscriptionId, mut notice: Notice) {
        let now = self.ports.clock.now();
        let failure = match self.tell_readers(id, &mut notice, now).await {
            Ok(Told::Nothing | Told::All) => return,
            Ok(Told::NotYet(failure)) => failure,
            Err(error) => format!("the store cannot be read: {error}"),
        };
        self.station.crew.failed(&failure);
        let Some(pause) = MAIL_RETRY_PAUSES.get(notice.tries) else {
            tracing::error!(
                endpoint.id = %id,
                failure,
                "The owner of an Errored endpoint could not be told by e-mail; given up"
            );
            self.note(id, &notice, now, &failure).await;
            return;
        };
        notice.tries += 1;
        notice.due_at = self.ports.clock.now() + *pause;
        tracing::warn!(
            endpoint.id = %id,
            failure,
            again_at = %notice.due_at,
            "The owner of an Errored endpoint could not be told by e-mail yet"
        );
        let mut waiting = self.waiting();
        let newer = waiting.get(&id);
        if newer.is_none_or(|newer| newer.period == notice.period) {
            waiting.insert(id, notice);
        }
    }

    async fn tell_readers(
        &self,
        id: SubscriptionId,
        notice: &mut Notice,
        now: Timestamp,
    ) -> Result<Told, StoreError> {
        let store = self.store();
        let Some(subscription) = store.subscription(notice.account, id).await? else {
            return Ok(Told::Nothing);
        };
        let errored = subscription.status == SubscriptionStatus::Errored;
        if !errored || subscription.paused_at != notice.period {
            return Ok(Told::Nothing);
        }
        let history = store.subscription_history(notice.account, id).await?;
        if is_told(&history) {
            return Ok(Told::Nothing);
        }
        let readers = self.readers(&subscription).await?;
        if readers.is_empty() {
            let failure = "neither its owner nor an administrator has an e-mail address";
            tracing::warn!(endpoint.id = %id, failure, "Nobody can be told by e-mail");
            self.note(id, notice, now, failure).await;
            return Ok(Told::All);
        }
        let trouble = self.trouble(&subscription, &history, now).await?;
        let mut left = None;
        let mut refused = None;
        for reader in readers {
            if notice.done.contains(&reader.address) {
                continue;
            }
            if !self.station.holds() {
                return Ok(Told::Nothing);
            }
            let letter = trouble.letter(&reader, &self.public_url);
            match self.mail.send(&letter).await {
                Ok(()) => {
                    self.station.crew.count(LETTERS, 1);
                    notice.reached += 1;
                    notice.done.insert(reader.address);
                }
                Err(MailError::Never(reason)) => {
                    tracing::error!(
                        endpoint.id = %id,
                        reason,
                        "The mail server refuses the letter about an Errored endpoint"
                    );
                    notice.done.insert(reader.address);
                    refused = Some(reason);
                }
                Err(MailError::Later(reason)) => left = Some(reason),
            }
        }
        if let Some(reason) = left {
            return Ok(Told::NotYet(reason));
        }
        tracing::info!(endpoint.id = %id, readers = notice.reached, "told of an Errored endpoint");
        self.note(id, notice, now, &refused.unwrap_or_default())
            .await;
        Ok(Told::All)
    }

    /// The owner, or the administrators when the owner is not there to read it.
    async fn readers(&self, subscription: &Subscription) -> Result<Vec<Reader>, StoreError> {
        let (account, owner) = (subscription.account, subscription.owner);
        let reader = |person: Person, owns| {
            let name = person.name();
            let address = person.email.filter(|address| !address.is_empty())?;
            Some(Reader {
                name,
                address,
                owns,
            })
        };
        let found = self.store().person(account, owner).await?;
        let owner = found.filter(Person::is_enabled);
        if let Some(owner) = owner.and_then(|owner| reader(owner, true)) {
            return Ok(vec![owner]);
        }
        let mut administrators = Vec::new();
        let mut offset = 0;
        loop {
            let query = PersonQuery {
                account,
                email: None,
                extension_number: None,
                status: Some(PersonStatus::Enabled),
                kind: Some(PersonKind::User),
                slice: Slice {
                    offset,
                    limit: PERSONS_READ,
                },
            };
            let (persons, _) = self.store().persons_matching(query).await?;
            let read = persons.len();
            let admins = persons.into_iter().filter(|person| person.admin);
            administrators.extend(admins.filter_map(|admin| reader(admin, false)));
            offset += u64::from(PERSONS_READ);
            if read < PERSONS_READ as usize || administrators.len() >= NOTICE_READERS_MAX {
                administrators.truncate(NOTICE_READERS_MAX);
                return Ok(administrators);
            }
        }
    }

    async fn trouble(
        &self,
        subscription: &Arc<Subscription>,
        history: &[HistoryEntry],
        now: Timestamp,
    ) -> Result<Trouble, StoreError> {
        let errored_at = errored_at(history).or(subscription.paused_at);
        let errored_at = errored_at.unwrap_or(now);
        let failing_since = subscription.failing_since.unwrap_or(errored_at);
        let count = async |state, abandoned_since| {
            let query = DeliveryQuery {
                account: subscription.account,
                subscription: Some(subscription.id),
                event: None,
                state: Some(state),
                answer: None,
                types: None,
                since: None,
                until: None,
                abandoned_since,
                before: None,
                limit: 1,
            };
            self.store().count_deliveries(query).await
        };
        Ok(Trouble {
            subscription: Arc::clone(subscription),
            errored_at,
            failing_since,
            waiting: count(StateQuery::Waiting, None).await?,
            abandoned: count(StateQuery::Abandoned, Some(failing_since)).await?,
            now,
        })
    }

    /// Writes down that there is nothing more to tell of this Errored period, and why if nobody was
    /// reached.
    async fn note(&self, id: SubscriptionId, notice: &Notice, now: Timestamp, failure: &str) {
        let found = self.store().subscription(notice.account, id).await;
        let Ok(Some(subscription)) = found else {
            return;
        };
        let detail = match notice.reached {
            0 => format!("Nobody could be told by e-mail: {failure}"),
            1 => "One person was told by e-mail.".to_owned(),
            more => format!("{more} persons were told by e-mail."),
        };
        // The time at which the endpoint was looked at: what happens to it later is another period.
        let entry = subscription.passed(Milestone::Notified, now, Some(detail));
        let noted = self
            .store()
            .commit(Change::of(HistoryWrite::Note(entry)))
            .await;
        if let Err(error) = noted {
            tracing::warn!(endpoint.id = %id, %error, "that somebody was told could not be noted");
        }
    }
}

/// Persons that are read at a time while looking for administrators.
const PERSONS_READ: u32 = 250;

fn errored_at(history: &[HistoryEntry]) -> Option<Timestamp> {
    let mut newest_first = history.iter().rev();
    let errored = newest_first.find(|entry| entry.milestone == Milestone::Errored);
    errored.map(|entry| entry.at)
}

/// Whether the last Errored period has been told of.
fn is_told(history: &[HistoryEntry]) -> bool {
    let since = errored_at(history);
    let mut notices = history
        .iter()
        .filter(|entry| entry.milestone == Milestone::Notified);
    notices.any(|notice| since.is_none_or(|since| notice.at >= since))
}
