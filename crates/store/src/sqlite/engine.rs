//! Applies changes: guards, writes, events and their deliveries, many changes to a transaction.

use std::collections::HashMap;
use std::sync::Arc;

use hookyard_domain::kernel::change::News;
use hookyard_domain::kernel::change::{CommittedDelivery, CommittedEvent, Redelivery};
use hookyard_domain::kernel::ports::{Clock, CommitError, StoreError};
use hookyard_domain::{
    AccountId, Attempt, Change, Delivery, DeliveryId, DeliveryState, Event, EventId, Guard,
    IdSequence, Milestone, PersonId, PersonStatus, Round, Statistics, Subscription, SubscriptionId,
    SubscriptionStatus, Timestamp, Write,
};
use rusqlite::Connection;

use super::caches::Caches;
use super::erasure;
use super::error::{Fault, Step};
use super::events;
use super::fanout::{Fanout, Subscriber};
use super::query::execute;
use super::retention;
use super::subscriptions;
use crate::sqlite::delivery::deliveries;
use crate::sqlite::delivery::jobs;
use crate::sqlite::endpoints::statistics;
use crate::sqlite::endpoints::statistics::Tally;
use crate::sqlite::events::custom_types;
use crate::sqlite::events::publications;
use crate::sqlite::identity::accounts;
use crate::sqlite::identity::apps;
use crate::sqlite::identity::sessions;
use crate::sqlite::inbound::bins;
use crate::sqlite::inbound::requests;
use crate::sqlite::inbound::webhooks;
use crate::sqlite::messaging::chats;
use crate::sqlite::messaging::messages;
use crate::sqlite::messaging::posts;
use crate::sqlite::messaging::presences;
use crate::sqlite::subscriptions::history;
use crate::vault::Vault;

/// Everything that writing needs. There is one per store.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) db: Connection,
    pub(super) vault: Vault,
    fanout: Fanout,
    /// What the batch that is being applied says of how endpoints fare.
    tally: Tally,
    ids: Arc<IdSequence>,
    clock: Arc<dyn Clock>,
    caches: Arc<Caches>,
}

/// What came of a batch.
#[derive(Debug)]
pub(super) struct BatchOutcome {
    /// One for each change, in order: the ids of its events, or why it was refused.
    pub(super) results: Vec<Result<Vec<EventId>, CommitError>>,
    pub(super) news: News,
    /// We no longer know what is on disk: nothing may be acknowledged any more.
    pub(super) fatal: bool,
}

/// How the changes of a batch are kept from one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Isolation {
    /// Not at all: a change that breaks undoes the batch.
    None,
    EachChange,
}

/// Why a batch was not committed.
enum BatchFailure {
    /// One change broke half-way.
    NeedsIsolation,
    Undone {
        fault: Fault,
        fatal: bool,
    },
}

/// Why one change was not applied.
enum Refusal {
    /// A guard no longer holds; nothing was written.
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

impl Engine {
    pub(super) fn new(
        db: Connection,
        vault: Vault,
        ids: Arc<IdSequence>,
        clock: Arc<dyn Clock>,
        caches: Arc<Caches>,
    ) -> Result<Self, Fault> {
        let fanout = Fanout::load(&db, &vault)?;
        Ok(Self {
            db,
            vault,
            fanout,
            tally: Tally::new(),
            ids,
            clock,
            caches,
        })
    }

    /// Applies `changes` in one transaction with one sync. A change that is refused leaves no
    /// trace; the others are not affected by it.
    ///
    /// Guards are looked at before anything is written, so a change that they refuse needs no
    /// undoing. What else can refuse a change is rare: then the whole batch is undone and applied
    /// again with each change in a savepoint of its own. To have savepoints always would cost more
    /// than all the writing, for each keeps a copy of every page that it touches.
    pub(super) fn commit(&mut self, changes: &[Change]) -> BatchOutcome {
        let applied = match self.apply_batch(changes, Isolation::None) {
            Err(BatchFailure::NeedsIsolation) => self.apply_batch(changes, Isolation::EachChange),
            other => other,
        };
        match applied {
            Ok(outcome) => {
                for change in changes {
                    self.caches.invalidate(change);
                }
                outcome
            }
            Err(BatchFailure::NeedsIsolation) => unreachable!("isolated changes fail alone"),
            Err(BatchFailure::Undone { fault, fatal }) => {
                let refuse = |_| Err(CommitError::Store(fault.told_again()));
                let results = changes.iter().map(refuse).collect();
                BatchOutcome {
                    results,
                    news: News::default(),
                    fatal,
                }
            }
        }
    }

    fn apply_batch(
        &mut self,
        changes: &[Change],
        isolation: Isolation,
    ) -> Result<BatchOutcome, BatchFailure> {
        let now = self.clock.now();
        let mut news = News::default();
        let mut results = Vec::with_capacity(changes.len());
        execute(&self.db, "begin immediate", []).map_err(|fault| BatchFailure::Undone {
            fault,
            fatal: false,
        })?;
        for change in changes {
            let events_before = news.events.len();
            let applied = match isolation {
                Isolation::None => self.apply(change, now, &mut news),
                Isolation::EachChange => self.apply_alone(change, now, &mut news),
            };
            let result = match applied {
                Ok(()) => Ok(ids_of(&news.events[events_before..])),
                Err(Refusal::Stale) => Err(CommitError::Conflict),
                // Some errors end the transaction. What came before is undone then, and what would
                // come after must not be committed one by one.
                Err(Refusal::Fault(fault)) if self.db.is_autocommit() => {
                    self.undo();
                    return Err(BatchFailure::Undone {
                        fault,
                        fatal: false,
                    });
                }
                Err(_) if isolation == Isolation::None => {
                    self.undo();
                    return Err(BatchFailure::NeedsIsolation);
                }
                Err(Refusal::Conflict) => Err(CommitError::Conflict),
                Err(Refusal::Fault(fault)) => Err(CommitError::Store(fault.into())),
            };
            results.push(result);
        }
        let counted = std::mem::take(&mut self.tally);
        if let Err(fault) = statistics::add(&self.db, &counted, now) {
            self.undo();
            return Err(BatchFailure::Undone {
                fault,
                fatal: false,
            });
        }
        execute(&self.db, "commit", []).map_err(|fault| {
            let fatal = !fault.leaves_disk_known();
            self.undo();
            BatchFailure::Undone { fault, fatal }
        })?;
        Ok(BatchOutcome {
            results,
            news,
            fatal: false,
        })
    }

    /// Ends the transaction without a trace, in memory too.
    fn undo(&mut self) {
        // Where SQLite has already undone it, this has nothing left to do.
        let _ = execute(&self.db, "rollback", []);
        self.tally.clear();
        self.reload_fanout();
    }

    /// Applies one change, or nothing of it.
    fn apply_alone(
        &mut self,
        change: &Change,
        now: Timestamp,
        news: &mut News,
    ) -> Result<(), Refusal> {
        let mark = (
            news.events.len(),
            news.deliveries.len(),
            news.subscriptions.len(),
            news.ended.len(),
            news.sessions_ended.len(),
            news.bin_requests.len(),
            news.bins_ended.len(),
            news.jobs.len(),
            news.withdrawn.len(),
        );
        let counted = self.tally.clone();
        execute(&self.db, "savepoint one_change", [])?;
        let applied = self.apply(change, now, news);
        if applied.is_err() {
            execute(&self.db, "rollback to one_change", [])?;
            news.events.truncate(mark.0);
            news.deliveries.truncate(mark.1);
            news.subscriptions.truncate(mark.2);
            news.ended.truncate(mark.3);
            news.sessions_ended.truncate(mark.4);
            news.bin_requests.truncate(mark.5);
            news.bins_ended.truncate(mark.6);
            news.jobs.truncate(mark.7);
            news.withdrawn.truncate(mark.8);
            self.tally = counted;
            self.reload_fanout();
        }
        execute(&self.db, "release one_change", [])?;
        applied
    }

    fn apply(&mut self, change: &Change, now: Timestamp, news: &mut News) -> Result<(), Refusal> {
        for guard in &change.guards {
            if !self.holds(guard)? {
                return Err(Refusal::Stale);
            }
        }
        // Publishers repeat themselves, often at once: that must not undo the batch.
        for event in &change.events {
            if publications::is_taken(&self.db, event)? {
                return Err(Refusal::Stale);
            }
        }
        for write in &change.writes {
            self.write(write, now, news)?;
        }
        for event in &change.events {
            self.announce(event.clone(), now, news)?;
        }
        Ok(())
    }

    fn holds(&self, guard: &Guard) -> Result<bool, Fault> {
        let db = &self.db;
        Ok(match *guard {
            Guard::ChatVersion {
                account,
                chat,
                version,
            } => chats::version(db, account, chat)? == Some(version),
            Guard::WebhookVersion {
                account,
                webhook,
                version,
            } => webhooks::version(db, account, webhook)? == Some(version),
            Guard::PostVersion {
                account,
                post,
                version,
            } => posts::version(db, account, post)? == Some(version),
            Guard::SubscriptionVersion {
                account,
                subscription,
                version,
            } => subscriptions::version(db, account, subscription)? == Some(version),
            Guard::PersonVersion {
                account,
                person,
                version,
            } => accounts::version(db, account, person)? == Some(version),
            Guard::PersonEnabled { account, person } => {
                accounts::status(db, account, person)? == Some(PersonStatus::Enabled)
            }
            Guard::PresenceSequence {
                account,
                person,
                sequence,
            } => presences::sequence(db, account, person)? == sequence,
            Guard::MessageVersion {
                account,
                message,
                version,
            } => messages::version(db, account, message)? == Some(version),
            Guard::BinVersion {
                account,
                bin,
                version,
            } => bins::version(db, account, bin)? == Some(version),
            Guard::JobVersion {
                account,
                job,
                version,
            } => jobs::version(db, account, job)? == Some(version),
            Guard::CustomTypeVersion {
                account,
                ref name,
                version,
            } => custom_types::version(db, account, name)? == version,
            Guard::SessionGeneration {
                account,
                session,
                generation,
            } => sessions::generation(db, account, session)? == Some(generation),
        })
    }

    fn write(&mut self, write: &Write, now: Timestamp, news: &mut News) -> Result<(), Refusal> {
        let db = &self.db;
        match write {
            Write::PutAccount(account) => accounts::put_account(db, account)?,
            Write::PutPerson(person) => accounts::put_person(db, person)?,
            Write::PutPassword {
                account,
                person,
                hash,
            } => {
                accounts::put_password(db, *account, *person, hash)?;
            }
            Write::PutApp(app) => apps::put_app(db, app)?,
            Write::PutJwtCredential(credential) => apps::put_jwt_credential(db, credential)?,
            Write::PutSignInCode {
                account,
                person,
                hash,
                expires_at,
            } => {
                apps::put_sign_in_code(db, *account, *person, *hash, *expires_at)?;
            }
            Write::TakeSignInCode { account, hash } => {
                if !apps::take_sign_in_code(db, *account, *hash)? {
                    return Err(Refusal::Conflict);
                }
            }
            Write::PutSession(session) => sessions::put_session(db, session)?,
            Write::EndSession { account, session } => {
                sessions::end_session(db, *account, *session)?;
                news.sessions_ended.push(*session);
            }
            Write::EndSessionsOf { account, person } => {
                let ended = sessions::end_sessions_of(db, *account, *person)?;
                news.sessions_ended.extend(ended);
            }
            Write::PutToken(token) => sessions::put_token(db, token)?,
            Write::PutChat(chat) => {
                chats::put(db, chat)?;
                self.fanout.set_members(chat.id, &chat.members);
            }
            Write::DeleteChat { account, chat } => {
                chats::delete(db, *account, *chat)?;
                self.fanout.forget_chat(*chat);
            }
            Write::PutPost(post) => posts::put(db, post)?,
            Write::DeletePost {
                account,
                chat,
                post,
            } => posts::delete(db, *account, *chat, *post)?,
            Write::PutWebhook(webhook) => webhooks::put(db, &self.vault, webhook)?,
            Write::DeleteWebhook { account, webhook } => webhooks::delete(db, *account, *webhook)?,
            Write::PutPresence(presence) => presences::put(db, presence)?,
            Write::PutMessage(message) => messages::put(db, message)?,
            Write::DeleteMessage { account, message } => messages::delete(db, *account, *message)?,
            Write::PutRequest(request) => requests::put(db, request)?,
            Write::PutBin { bin, count_max } => {
                if !bins::put(db, &self.vault, bin, *count_max)? {
                    return Err(Refusal::Conflict);
                }
            }
            Write::DeleteBin { account, bin } => {
                if bins::delete(db, *account, *bin)? {
                    news.bins_ended.push(*bin);
                }
            }
            Write::PutBinRequest(request) => {
                let kept = bins::put_request(db, &self.vault, request)?;
                news.bin_requests
                    .push(Arc::new(kept.ok_or(Refusal::Conflict)?));
            }
            Write::ClearBin { account, bin } => bins::clear(db, *account, *bin)?,
            Write::PutSubscription {
                subscription,
                count_max,
            } => {
                self.put_subscription(subscription, *count_max, news)?;
            }
            Write::DeleteSubscription {
                account,
                subscription,
                at,
            } => {
                self.delete_subscription(*account, *subscription, *at, news)?;
            }
            Write::DeleteSubscriptionsOf {
                account,
                owner,
                at,
                reason,
            } => self.delete_subscriptions_of(*account, *owner, *at, reason, news)?,
            Write::ErasePersonals { account, person } => {
                erasure::personals(db, *account, *person)?;
            }
            Write::Erase {
                account,
                subject,
                after,
                last,
            } => {
                let withdrawn = erasure::erase(db, *account, *subject, (*after, *last))?;
                news.withdrawn.extend(withdrawn);
            }
            Write::EraseRest {
                account,
                subject,
                job,
            } => erasure::rest(db, *account, *subject, *job)?,
            Write::NoteHistory(entry) => history::note(db, entry)?,
            Write::PurgeHistory { before } => history::purge(db, *before)?,
            Write::SetFailing {
                account,
                subscription,
                since,
            } => subscriptions::set_failing(db, *account, *subscription, *since)?,
            Write::SetCatchUp {
                account,
                subscription,
                after,
            } => subscriptions::set_catch_up(db, *account, *subscription, *after)?,
            Write::AbandonWaiting {
                account,
                subscription,
                at,
            } => subscriptions::abandon_waiting(db, *account, *subscription, *at)?,
            Write::Redeliver(redelivery) => self.redeliver(redelivery, now, news)?,
            Write::PutCustomType(custom_type) => custom_types::put(db, custom_type)?,
            Write::DeleteCustomType { account, name } => custom_types::delete(db, *account, name)?,
            Write::Purge { kept, first, last } => retention::purge(db, *kept, *first, *last)?,
            Write::Resend { account, delivery } => self.resend(*account, *delivery, now, news)?,
            Write::PutJob(job) => {
                jobs::put(db, job)?;
                if job.version == 1 {
                    news.jobs.push(Arc::new(job.clone()));
                }
            }
            Write::CancelJob { account, job, at } => jobs::cancel(db, *account, *job, *at)?,
            Write::PurgeJobs { before } => jobs::purge(db, *before)?,
            Write::PurgeStatistics { before } => statistics::purge(db, *before)?,
            Write::RecordAttempt { attempt, state } => self.record(attempt, state)?,
            Write::AbandonDelivery {
                account,
                delivery,
                state,
            } => self.abandon(*account, *delivery, state)?,
        }
        Ok(())
    }

    /// What is counted of a subscription, when it is an endpoint.
    fn counted(&mut self, subscription: SubscriptionId) -> Option<&mut Statistics> {
        let key = self.fanout.endpoint_key(subscription)?;
        Some(self.tally.entry(key).or_default())
    }

    /// Records an attempt, and counts it when it is an endpoint's.
    fn record(&mut self, attempt: &Attempt, state: &DeliveryState) -> Result<(), Fault> {
        let recorded = deliveries::record(&self.db, attempt, state)?;
        if let Some(counted) = self.counted(attempt.subscription) {
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
    ) -> Result<(), Fault> {
        if !deliveries::advance(&self.db, account, delivery, state, None)? {
            return Ok(());
        }
        let moved = deliveries::delivery(&self.db, account, delivery)?;
        if let Some(counted) = moved.and_then(|moved| self.counted(moved.subscription)) {
            counted.count_ends(state, 1);
        }
        Ok(())
    }

    fn put_subscription(
        &mut self,
        subscription: &Subscription,
        count_max: u32,
        news: &mut News,
    ) -> Result<(), Refusal> {
        let owner = accounts::status(&self.db, subscription.account, subscription.owner)?;
        // Endpoints are the account's, and stay when who made them goes.
        if owner == Some(PersonStatus::Disabled) && subscription.endpoint.is_none() {
            return Err(Refusal::Conflict);
        }
        if subscriptions::count_beside(&self.db, subscription)? >= count_max {
            return Err(Refusal::Conflict);
        }
        subscriptions::put(&self.db, &self.vault, subscription)?;
        let key = subscriptions::key(&self.db, subscription.id)?
            .ok_or_else(|| Fault::plain("a subscription vanished while it was written"))?;
        if let Some((former, _)) = self.fanout.get(subscription.id) {
            if former.is_ordered() != subscription.is_ordered() {
                deliveries::set_ordered(&self.db, key, subscription.is_ordered())?;
            }
            let active = subscription.status == SubscriptionStatus::Active;
            if active && former.status != SubscriptionStatus::Active {
                // Whatever they waited for has been put right.
                deliveries::hurry(&self.db, key, subscription.modified_at)?;
            }
        }
        let subscription = Arc::new(subscription.clone());
        self.fanout.put(Arc::clone(&subscription), key);
        news.subscriptions.push(subscription);
        Ok(())
    }

    fn delete_subscription(
        &mut self,
        account: AccountId,
        subscription: SubscriptionId,
        at: Timestamp,
        news: &mut News,
    ) -> Result<(), Refusal> {
        if subscriptions::version(&self.db, account, subscription)?.is_none() {
            return Ok(());
        }
        if let Some(key) = self.fanout.endpoint_key(subscription) {
            self.tally.remove(&key);
            statistics::forget(&self.db, key)?;
        }
        subscriptions::delete(&self.db, account, subscription, at)?;
        self.fanout.remove(subscription);
        news.ended.push(subscription);
        Ok(())
    }

    fn delete_subscriptions_of(
        &mut self,
        account: AccountId,
        owner: PersonId,
        at: Timestamp,
        reason: &str,
        news: &mut News,
    ) -> Result<(), Refusal> {
        for ended in subscriptions::of_person(&self.db, &self.vault, account, owner)? {
            let entry = ended.passed(Milestone::Deleted, at, Some(reason.to_owned()));
            history::note(&self.db, &entry)?;
            self.delete_subscription(account, ended.id, at, news)?;
        }
        Ok(())
    }

    /// Appends an event and writes its deliveries.
    fn announce(
        &mut self,
        mut event: Event,
        now: Timestamp,
        news: &mut News,
    ) -> Result<(), Refusal> {
        event.id = EventId(self.ids.next(now));
        let recipients = self.fanout.recipients(&self.db, &event)?;
        let subscribers = self.fanout.subscribers(&event, &recipients, now);
        let event = Arc::new(event);
        let mut range: Option<(DeliveryId, DeliveryId)> = None;
        for subscriber in subscribers {
            let id = self.deliver(&event, subscriber, now, news)?;
            range = Some((range.map_or(id, |(first, _)| first), id));
        }
        events::put(&self.db, &self.vault, &event, range)?;
        publications::claim(&self.db, &event)?;
        news.events.push(CommittedEvent { event, recipients });
        Ok(())
    }

    /// Writes the delivery of `event` to one subscriber.
    fn deliver(
        &self,
        event: &Arc<Event>,
        subscriber: Subscriber,
        now: Timestamp,
        news: &mut News,
    ) -> Result<DeliveryId, Fault> {
        let Subscriber {
            subscription,
            key,
            filter,
        } = subscriber;
        let delivery = Delivery {
            account: event.account,
            id: DeliveryId(self.ids.next(now)),
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
        deliveries::put(&self.db, &delivery, key, subscription.is_ordered())?;
        let id = delivery.id;
        news.deliveries.push(CommittedDelivery {
            delivery,
            event: Arc::clone(event),
            subscription,
        });
        Ok(id)
    }

    /// Delivers an event that was committed before, unless it was on its way already or the
    /// subscription is not active.
    fn redeliver(
        &self,
        redelivery: &Redelivery,
        now: Timestamp,
        news: &mut News,
    ) -> Result<(), Fault> {
        let Redelivery {
            account,
            subscription,
            event,
            filter,
        } = redelivery;
        let Some((subscription, key)) = self.fanout.get(*subscription) else {
            return Ok(());
        };
        if deliveries::exists(&self.db, *account, *event, subscription.id)? {
            return Ok(());
        }
        let Some(event) = events::event(&self.db, &self.vault, *account, *event)? else {
            return Ok(());
        };
        let subscriber = Subscriber {
            subscription,
            key,
            filter: filter.clone(),
        };
        let event = Arc::new(event);
        let delivery = self.deliver(&event, subscriber, now, news)?;
        deliveries::note_late(&self.db, event.id, delivery)
    }

    /// Sends a delivery again. What was delivered stays so, and its event gets another delivery.
    fn resend(
        &self,
        account: AccountId,
        delivery: DeliveryId,
        now: Timestamp,
        news: &mut News,
    ) -> Result<(), Fault> {
        let Some(former) = deliveries::delivery(&self.db, account, delivery)? else {
            return Ok(());
        };
        let Some((subscription, key)) = self.fanout.get(former.subscription) else {
            return Ok(());
        };
        let Some(event) = events::event(&self.db, &self.vault, account, former.event)? else {
            return Ok(());
        };
        let event = Arc::new(event);
        if matches!(former.state, DeliveryState::Delivered { .. }) {
            let subscriber = Subscriber {
                subscription,
                key,
                filter: former.filter,
            };
            let delivery = self.deliver(&event, subscriber, now, news)?;
            return deliveries::note_late(&self.db, event.id, delivery);
        }
        deliveries::restart(&self.db, account, delivery, now)?;
        news.deliveries.push(CommittedDelivery {
            delivery: Delivery {
                state: DeliveryState::Waiting { due_at: now },
                round: Round {
                    attempts_before: former.attempts,
                    ..Round::first(now)
                },
                ..former
            },
            event,
            subscription,
        });
        Ok(())
    }

    /// Forgets what a rollback undid.
    fn reload_fanout(&mut self) {
        match Fanout::load(&self.db, &self.vault) {
            Ok(fanout) => self.fanout = fanout,
            Err(fault) => {
                let error = StoreError::from(fault);
                tracing::error!(%error, "The subscriptions could not be read again after a rollback");
            }
        }
    }

    /// Marks the store as in use, or as stopped with nothing in doubt.
    pub(super) fn set_clean(&self, clean: bool) -> Result<(), Fault> {
        let sql = "insert into meta (key, value) values ('clean', ?1)
            on conflict (key) do update set value = excluded.value";
        execute(&self.db, sql, [if clean { "yes" } else { "no" }])?;
        Ok(())
    }
}

fn ids_of(events: &[CommittedEvent]) -> Vec<EventId> {
    events.iter().map(|known| known.event.id).collect()
}

/// The largest number that any object has.
pub(super) fn last_id(db: &Connection) -> Result<u64, Fault> {
    let mut last = 0;
    for table in [
        "accounts",
        "persons",
        "sessions",
        "chats",
        "posts",
        "messages",
        "requests",
        "bins",
        "bin_requests",
        "events",
        "deliveries",
        "jobs",
    ] {
        let sql = format!("select coalesce(max(id), 0) from {table}");
        let id: i64 = db
            .query_row(&sql, [], |row| row.get(0))
            .step("read the last id")?;
        last = last.max(id.cast_unsigned());
    }
    Ok(last)
}

/// Whether the store was stopped with nothing in doubt; a new one was.
pub(super) fn was_clean(db: &Connection) -> Result<bool, Fault> {
    let found: HashMap<String, String> =
        super::query::many(db, "select key, value from meta", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .into_iter()
        .collect();
    Ok(found.get("clean").is_none_or(|value| value == "yes"))
}

/// What the key that belongs to this database opens.
const KEY_CHECK: &[u8] = b"hookyard";
const KEY_CHECK_PLACE: &str = "meta.key_check";

/// Refuses a key that is not this database's: what it sealed could not be read, and what it would
/// seal could not be read with the right one. A new database remembers its key.
pub(super) fn check_key(db: &Connection, vault: &Vault) -> Result<(), Fault> {
    let sql = "select value from meta where key = 'key_check'";
    let known: Option<String> = super::query::one(db, sql, [], |row| row.get(0))?;
    let Some(known) = known else {
        let sealed = vault.seal(KEY_CHECK_PLACE, KEY_CHECK);
        let sql = "insert into meta (key, value) values ('key_check', lower(hex(?1)))";
        execute(db, sql, [sealed])?;
        return Ok(());
    };
    let sealed: Option<Vec<u8>> = (0..known.len() / 2)
        .map(|at| {
            known
                .get(2 * at..2 * at + 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect();
    let opened = sealed.and_then(|sealed| vault.open(KEY_CHECK_PLACE, &sealed));
    if opened.as_deref() == Some(KEY_CHECK) {
        return Ok(());
    }
    Err(Fault::plain(
        "the key is not the one of this database: put the right `secret.key` back from your backup",
    ))
}
