//! Applies changes: guards, rows, events and their deliveries, many changes to a transaction.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use hookyard_domain::kernel::ports::{Clock, CommitError};
use hookyard_domain::{
    AccountId, Attempt, Claim, CommittedDelivery, CommittedEvent, Delivery, DeliveryId,
    DeliveryState, Event, EventId, Guard, HistoryEntry, Milestone, News, NewsItem, PersonId,
    Redelivery, Round, Subscription, SubscriptionId, SubscriptionStatus, Timestamp,
};

use super::backend::{Backend, Scope, Tally};
use super::caches::Caches;
use super::encoded::{Encoded, Errand, Step};
use super::fanout::{Fanout, Subscriber};
use crate::fault::Fault;

/// Why a change was not applied.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A guard does not hold; nothing was written.
    Stale,
    /// What it writes collides with what is there.
    Conflict,
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        if fault.is_duplicate() {
            Self::Conflict
        } else {
            Self::Fault(fault)
        }
    }
}

impl From<Refusal> for CommitError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Stale | Refusal::Conflict => Self::Conflict,
            Refusal::Fault(fault) => Self::Store(fault.into()),
        }
    }
}

/// What became of one change: the ids of its events, or why it was refused.
pub(crate) type Fate = Result<Vec<EventId>, CommitError>;

/// What came of a batch.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// One for each change, in order.
    pub(crate) fates: Vec<Fate>,
    pub(crate) news: News,
    /// We no longer know what is on disk: nothing may be acknowledged any more.
    pub(crate) fatal: bool,
}

/// Why a batch was not committed.
enum Broken {
    /// One change broke half-way: each must be applied alone.
    ByOne,
    Undone {
        fault: Fault,
        fatal: bool,
    },
}

/// What is announced when all changes are written.
#[derive(Debug, Clone, Copy)]
enum Announcement {
    Errand { change: usize, at: usize },
    Event { change: usize, at: usize },
}

/// A batch while it is applied.
#[derive(Debug)]
struct Batch {
    now: Timestamp,
    news: News,
    tally: Tally,
    /// What events that are not written yet will have taken.
    claims: HashSet<Claim>,
    announcements: Vec<Announcement>,
}

/// Everything that a commit needs. There is one for each process.
#[derive(Debug)]
pub(crate) struct Core<B: Backend> {
    backend: B,
    fanout: Fanout,
    clock: Arc<dyn Clock>,
    caches: Arc<Caches>,
}

impl<B: Backend> Core<B> {
    pub(crate) fn new(
        mut backend: B,
        clock: Arc<dyn Clock>,
        caches: Arc<Caches>,
    ) -> Result<Self, Fault> {
        let fanout = Fanout::of(backend.taking()?);
        Ok(Self {
            backend,
            fanout,
            clock,
            caches,
        })
    }

    pub(crate) const fn backend(&self) -> &B {
        &self.backend
    }

    pub(crate) const fn backend_mut(&mut self) -> &mut B {
        &mut self.backend
    }

    /// Ends in good order.
    pub(crate) fn close(self) {
        self.backend.close();
    }

    /// Applies `changes` in one transaction with one sync. A change that is refused leaves no
    /// trace; the others are not affected by it.
    ///
    /// Guards are looked at before anything is written, so a change that they refuse needs no
    /// undoing. What else can refuse a change is rare: then the whole batch is undone and applied
    /// again with each change in a savepoint of its own. To have savepoints always would cost more
    /// than all the writing, for each keeps a copy of every page that it touches.
    pub(crate) fn commit(&mut self, changes: &mut [Encoded<B>]) -> Outcome {
        let applied = match self.apply_together(changes) {
            Err(Broken::ByOne) => self.apply_each_alone(changes),
            other => other,
        };
        match applied {
            Ok(outcome) => {
                for change in changes {
                    for source in change.stale.drain(..) {
                        self.caches.drop_made_from(source);
                    }
                }
                outcome
            }
            Err(Broken::ByOne) => unreachable!("changes that are applied alone fail alone"),
            Err(Broken::Undone { fault, fatal }) => {
                let refuse = |_: &Encoded<B>| Err(CommitError::Store(fault.told_again()));
                Outcome {
                    fates: changes.iter().map(refuse).collect(),
                    news: News::default(),
                    fatal,
                }
            }
        }
    }

    /// Applies a batch; a change that breaks half-way undoes it.
    fn apply_together(&mut self, changes: &mut [Encoded<B>]) -> Result<Outcome, Broken> {
        let mut batch = self.begin()?;
        let mut stale = vec![false; changes.len()];
        for (at, change) in changes.iter_mut().enumerate() {
            match self.write(at, change, &mut batch) {
                Ok(()) => {}
                Err(Refusal::Stale) => stale[at] = true,
                Err(refusal) => return Err(self.broken(refusal)),
            }
        }
        if let Err(refusal) = self.announce(changes, &mut batch) {
            return Err(self.broken(refusal));
        }
        let news = self.finish(batch)?;
        let fate = |(change, stale): (&Encoded<B>, bool)| {
            if stale {
                Err(CommitError::Conflict)
            } else {
                Ok(change.event_ids())
            }
        };
        Ok(Outcome {
            fates: changes.iter().zip(stale).map(fate).collect(),
            news,
            fatal: false,
        })
    }

    /// Applies a batch with each change kept from the others.
    fn apply_each_alone(&mut self, changes: &mut [Encoded<B>]) -> Result<Outcome, Broken> {
        let mut batch = self.begin()?;
        let mut fates = Vec::with_capacity(changes.len());
        for at in 0..changes.len() {
            let fate = match self.apply_alone(&mut changes[at..=at], &mut batch) {
                Ok(()) => Ok(changes[at].event_ids()),
                // Some errors end the transaction. What came before is undone then, and what would
                // come after must not be committed one by one.
                Err(Refusal::Fault(fault)) if !self.backend.is_open() => {
                    self.undo();
                    let fatal = false;
                    return Err(Broken::Undone { fault, fatal });
                }
                Err(refusal) => Err(refusal.into()),
            };
            fates.push(fate);
        }
        let news = self.finish(batch)?;
        Ok(Outcome {
            fates,
            news,
            fatal: false,
        })
    }

    /// Applies one change, or nothing of it.
    fn apply_alone(&mut self, change: &mut [Encoded<B>], batch: &mut Batch) -> Result<(), Refusal> {
        let (news, index) = (batch.news.mark(), self.fanout.mark());
        let counted = batch.tally.clone();
        self.backend.begin_change()?;
        let mut applied = self.write(0, &mut change[0], batch);
        if applied.is_ok() {
            applied = self.announce(change, batch);
        }
        batch.announcements.clear();
        batch.claims.clear();
        if applied.is_err() {
            batch.news.rewind(news);
            batch.tally = counted;
            self.fanout.rewind(index);
            self.backend.undo_change()?;
        }
        self.backend.keep_change()?;
        applied
    }

    fn begin(&mut self) -> Result<Batch, Broken> {
        let begun = self.backend.begin();
        begun.map_err(|fault| Broken::Undone {
            fault,
            fatal: false,
        })?;
        Ok(Batch {
            now: self.clock.now(),
            news: News::default(),
            tally: Tally::new(),
            claims: HashSet::new(),
            announcements: Vec::new(),
        })
    }

    /// Counts what the batch recorded, and makes it durable.
    fn finish(&mut self, batch: Batch) -> Result<News, Broken> {
        if let Err(fault) = self.backend.add_statistics(&batch.tally, batch.now) {
            self.undo();
            let fatal = false;
            return Err(Broken::Undone { fault, fatal });
        }
        if let Err(fault) = self.backend.commit() {
            let fatal = !fault.leaves_disk_known();
            self.undo();
            return Err(Broken::Undone { fault, fatal });
        }
        self.fanout.settle();
        Ok(batch.news)
    }

    /// Ends the transaction without a trace, in memory too.
    fn undo(&mut self) {
        self.backend.rollback();
        self.fanout.undo();
    }

    /// Undoes a batch in which one change broke.
    fn broken(&mut self, refusal: Refusal) -> Broken {
        let open = self.backend.is_open();
        self.undo();
        match refusal {
            Refusal::Fault(fault) if !open => Broken::Undone {
                fault,
                fatal: false,
            },
            _ => Broken::ByOne,
        }
    }

    /// Looks at the guards of a change and writes it; its events wait.
    fn write(
        &mut self,
        at: usize,
        change: &mut Encoded<B>,
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
        for guard in &change.guards {
            if !self.holds(guard, batch)? {
                return Err(Refusal::Stale);
            }
        }
        for guard in &change.guards {
            if let Guard::Free(claim @ Claim::Publication { .. }) = guard {
                batch.claims.insert(claim.clone());
            }
        }
        for step in &mut change.steps {
            self.take(step, batch)?;
        }
        let errands = (0..change.errands.len()).map(|errand| Announcement::Errand {
            change: at,
            at: errand,
        });
        batch.announcements.extend(errands);
        let events = (0..change.events.len()).map(|event| Announcement::Event {
            change: at,
            at: event,
        });
        batch.announcements.extend(events);
        Ok(())
    }

    fn holds(&mut self, guard: &Guard, batch: &Batch) -> Result<bool, Fault> {
        if let Guard::Free(claim) = guard
            && batch.claims.contains(claim)
        {
            return Ok(false);
        }
        self.backend.holds(guard)
    }

    fn take(&mut self, step: &mut Step<B>, batch: &mut Batch) -> Result<(), Refusal> {
        match step {
            Step::Row(row) => {
                let scope = Scope {
                    fanout: &mut self.fanout,
                    news: &mut batch.news,
                };
                self.backend.write(row, scope)?;
            }
            Step::PutSubscription(subscription, columns) => {
                self.put_subscription(subscription, columns, batch)?;
            }
            Step::EndSubscription {
                account,
                subscription,
                at,
            } => self.end_subscription(*account, *subscription, *at, batch)?,
            Step::EndSubscriptionsOf {
                account,
                owner,
                at,
                reason,
            } => self.end_subscriptions_of(*account, *owner, *at, reason, batch)?,
            Step::Record(attempt, state, columns) => self.record(attempt, state, columns, batch)?,
            Step::Abandon {
                account,
                delivery,
                state,
            } => self.abandon(*account, *delivery, state, batch)?,
        }
        Ok(())
    }

    /// Writes a subscription, puts what waits for it in order, and sends it what comes from now on.
    fn put_subscription(
        &mut self,
        subscription: &Arc<Subscription>,
        columns: &B::SubscriptionColumns,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let key = self.backend.put_subscription(subscription, columns)?;
        if let Some((former, _)) = self.fanout.get(subscription.id) {
            if former.is_ordered() != subscription.is_ordered() {
                self.backend.set_ordered(key, subscription.is_ordered())?;
            }
            let active = subscription.status == SubscriptionStatus::Active;
            if active && former.status != SubscriptionStatus::Active {
                // Whatever they waited for has been put right.
                self.backend.hurry(key, subscription.modified_at)?;
            }
        }
        self.fanout.put(Arc::clone(subscription), key);
        let news = NewsItem::Subscription(Arc::clone(subscription));
        batch.news.push(news);
        Ok(())
    }

    /// Deletes a subscription that is there, with what is counted of it.
    fn end_subscription(
        &mut self,
        account: AccountId,
        subscription: SubscriptionId,
        at: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let counted = self.fanout.endpoint_key(subscription);
        if !self
            .backend
            .delete_subscription(account, subscription, at)?
        {
            return Ok(());
        }
        if let Some(key) = counted {
            batch.tally.remove(&key);
            self.backend.forget_statistics(key)?;
        }
        self.fanout.remove(subscription);
        batch.news.push(NewsItem::SubscriptionEnded(subscription));
        Ok(())
    }

    fn end_subscriptions_of(
        &mut self,
        account: AccountId,
        owner: PersonId,
        at: Timestamp,
        reason: &'static str,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        for (subscription, client_id) in self.backend.subscriptions_of(account, owner)? {
            self.backend.note_history(&HistoryEntry {
                account,
                subscription,
                owner,
                client_id,
                at,
                milestone: Milestone::Deleted,
                detail: Some(reason.to_owned()),
            })?;
            self.end_subscription(account, subscription, at, batch)?;
        }
        Ok(())
    }

    /// Records an attempt, and counts it when it is an endpoint's.
    fn record(
        &mut self,
        attempt: &Attempt,
        state: &DeliveryState,
        columns: &B::AttemptColumns,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let recorded = self.backend.record_attempt(attempt, columns, state)?;
        if let Some(key) = self.fanout.endpoint_key(attempt.subscription) {
            let counted = batch.tally.entry(key).or_default();
            if recorded.fresh {
                counted.count_attempt(attempt);
            }
            counted.count_ends(state, u64::from(recorded.moved));
        }
        Ok(())
    }

    /// Moves a delivery on without an attempt.
    fn abandon(
        &mut self,
        account: AccountId,
        delivery: DeliveryId,
        state: &DeliveryState,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        if !self.backend.advance_delivery(account, delivery, state)? {
            return Ok(());
        }
        let moved = self.backend.delivery(account, delivery)?;
        let key = moved.and_then(|moved| self.fanout.endpoint_key(moved.subscription));
        if let Some(key) = key {
            batch.tally.entry(key).or_default().count_ends(state, 1);
        }
        Ok(())
    }

    /// Numbers what waits to be announced, matches it, and writes it with its deliveries.
    fn announce(&mut self, changes: &mut [Encoded<B>], batch: &mut Batch) -> Result<(), Refusal> {
        if batch.announcements.is_empty() {
            return Ok(());
        }
        let account = |announcement: &Announcement| match *announcement {
            Announcement::Errand { change, at } => match &changes[change].errands[at] {
                Errand::Redeliver(redelivery) => redelivery.account,
                Errand::Resend(account, _) => *account,
            },
            Announcement::Event { change, at } => changes[change].events[at].event.account,
        };
        let accounts: BTreeSet<AccountId> = batch.announcements.iter().map(account).collect();
        self.backend.take_turn(&accounts, &mut self.fanout)?;
        for announcement in std::mem::take(&mut batch.announcements) {
            match announcement {
                Announcement::Errand { change, at } => match &changes[change].errands[at] {
                    Errand::Redeliver(redelivery) => self.redeliver(redelivery, batch)?,
                    Errand::Resend(account, delivery) => self.resend(*account, *delivery, batch)?,
                },
                Announcement::Event { change, at } => {
                    let encoded = &mut changes[change].events[at];
                    let number = self.backend.next_number(encoded.event.account, batch.now);
                    let event = Arc::get_mut(&mut encoded.event);
                    event
                        .expect("nobody else has an event before its commit")
                        .id = EventId(number);
                    let event = Arc::clone(&encoded.event);
                    self.announce_event(event, &encoded.columns, batch)?;
                }
            }
        }
        Ok(())
    }

    /// Appends an event and writes its deliveries.
    fn announce_event(
        &mut self,
        event: Arc<Event>,
        columns: &B::EventColumns,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let Self {
            backend, fanout, ..
        } = self;
        let read = |account, chat| backend.members(account, chat);
        let recipients = fanout.recipients(&event, read)?;
        let subscribers = fanout.subscribers(&event, &recipients, batch.now);
        let mut range: Option<(DeliveryId, DeliveryId)> = None;
        for subscriber in subscribers {
            let id = self.deliver(&event, subscriber, batch)?;
            range = Some((range.map_or(id, |(first, _)| first), id));
        }
        self.backend.put_event(&event, columns, range)?;
        let committed = CommittedEvent { event, recipients };
        batch.news.push(NewsItem::Event(committed));
        Ok(())
    }

    /// Writes the delivery of `event` to one subscriber.
    fn deliver(
        &mut self,
        event: &Arc<Event>,
        subscriber: Subscriber,
        batch: &mut Batch,
    ) -> Result<DeliveryId, Fault> {
        let Subscriber {
            subscription,
            key,
            filter,
        } = subscriber;
        let now = batch.now;
        let id = DeliveryId(self.backend.next_number(event.account, now));
        let delivery = Delivery {
            account: event.account,
            id,
            subscription: subscription.id,
            event: event.id,
            filter,
            state: DeliveryState::Waiting {
                due_at: subscription.first_due(now),
            },
            attempts: 0,
            round: Round::first(now),
            possible_repeat: false,
            created_at: now,
        };
        self.backend
            .put_delivery(&delivery, key, subscription.is_ordered())?;
        batch.news.push(NewsItem::Delivery(CommittedDelivery {
            delivery,
            event: Arc::clone(event),
            subscription,
        }));
        Ok(id)
    }

    /// Delivers an event that was committed before, unless it was on its way already or the
    /// subscription is not active.
    fn redeliver(&mut self, redelivery: &Redelivery, batch: &mut Batch) -> Result<(), Fault> {
        let Redelivery {
            account,
            subscription,
            event,
            filter,
        } = redelivery;
        let Some((subscription, key)) = self.fanout.get(*subscription) else {
            return Ok(());
        };
        if self
            .backend
            .has_delivery(*account, *event, subscription.id)?
        {
            return Ok(());
        }
        let Some(event) = self.backend.event(*account, *event)? else {
            return Ok(());
        };
        let subscriber = Subscriber {
            subscription,
            key,
            filter: filter.clone(),
        };
        let event = Arc::new(event);
        let delivery = self.deliver(&event, subscriber, batch)?;
        self.backend.note_late(event.id, delivery)
    }

    /// Sends a delivery again. What was delivered stays so, and its event gets another delivery.
    fn resend(
        &mut self,
        account: AccountId,
        delivery: DeliveryId,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let Some(former) = self.backend.delivery(account, delivery)? else {
            return Ok(());
        };
        let Some((subscription, key)) = self.fanout.get(former.subscription) else {
            return Ok(());
        };
        let Some(event) = self.backend.event(account, former.event)? else {
            return Ok(());
        };
        let event = Arc::new(event);
        if matches!(former.state, DeliveryState::Delivered { .. }) {
            let subscriber = Subscriber {
                subscription,
                key,
                filter: former.filter,
            };
            let delivery = self.deliver(&event, subscriber, batch)?;
            return self.backend.note_late(event.id, delivery);
        }
        let now = batch.now;
        self.backend.restart_delivery(account, delivery, now)?;
        let again = Delivery {
            state: DeliveryState::Waiting { due_at: now },
            round: Round {
                attempts_before: former.attempts,
                ..Round::first(now)
            },
            ..former
        };
        batch.news.push(NewsItem::Delivery(CommittedDelivery {
            delivery: again,
            event,
            subscription,
        }));
        Ok(())
    }

    #[cfg(test)]
    pub(crate) const fn fanout(&self) -> &Fanout {
        &self.fanout
    }
}
