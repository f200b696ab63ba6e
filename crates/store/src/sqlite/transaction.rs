//! The transaction that changes are applied in, with what they do in memory beside it.

use std::sync::Arc;

use hookyard_domain::kernel::change::{Guard, Object, ObjectRef, Set};
use hookyard_domain::kernel::news::{CommittedDelivery, CommittedEvent, News, NewsItem};
use hookyard_domain::{
    Change, Claim, Delivery, DeliveryId, DeliveryState, Event, EventId, IdSequence, PersonStatus,
    Round, Statistics, SubscriptionId, Timestamp, Write,
};
use rusqlite::Connection;

use super::delivery::{deliveries, jobs};
use super::endpoints::statistics::{self, Tally};
use super::error::Fault;
use super::events::{self, custom_types, publications};
use super::fanout::{Fanout, Subscriber};
use super::identity::{accounts, apps, sessions};
use super::inbound::{bins, requests, webhooks};
use super::messaging::{chats, messages, posts, presences};
use super::subscriptions::{self, history};
use super::{erasure, retention};
use crate::vault::Vault;

/// Why a change was not applied.
pub(super) enum Refusal {
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

/// What a noun's writes work on.
pub(super) struct Transaction<'a> {
    pub(super) db: &'a Connection,
    pub(super) vault: &'a Vault,
    pub(super) fanout: &'a mut Fanout,
    /// What the batch that is being applied says of how endpoints fare.
    pub(super) tally: &'a mut Tally,
    pub(super) news: &'a mut News,
    pub(super) ids: &'a IdSequence,
    pub(super) now: Timestamp,
}

impl Transaction<'_> {
    /// Looks at the guards of a change, writes it, and announces its events.
    pub(super) fn apply(&mut self, change: &Change) -> Result<(), Refusal> {
        for guard in &change.guards {
            if !self.holds(guard)? {
                return Err(Refusal::Stale);
            }
        }
        for write in &change.writes {
            self.write(write)?;
        }
        for event in &change.events {
            self.announce(event.clone())?;
        }
        Ok(())
    }

    fn holds(&self, guard: &Guard) -> Result<bool, Fault> {
        let db = self.db;
        Ok(match guard {
            Guard::Version { of, version } => self.version(of)?.unwrap_or(0) == *version,
            Guard::Exists(of) => self.version(of)?.is_some(),
            Guard::PersonEnabled { account, person } => {
                accounts::status(db, *account, *person)? == Some(PersonStatus::Enabled)
            }
            Guard::CodeUnspent { account, hash } => sessions::has_code(db, *account, *hash)?,
            Guard::Room { of, max } => self.count(of)? < *max,
            Guard::Free(claim) => self.is_free(claim)?,
        })
    }

    /// The version of an object that is there.
    fn version(&self, of: &ObjectRef) -> Result<Option<u64>, Fault> {
        let (db, account) = (self.db, of.account);
        match &of.object {
            Object::Person(id) => accounts::version(db, account, *id),
            Object::Session(id) => sessions::generation(db, account, *id),
            Object::Chat(id) => chats::version(db, account, *id),
            Object::Post(id) => posts::version(db, account, *id),
            Object::Message(id) => messages::version(db, account, *id),
            Object::Webhook(id) => webhooks::version(db, account, *id),
            Object::Bin(id) => bins::version(db, account, *id),
            Object::CustomType(name) => custom_types::version(db, account, name),
            Object::Subscription(id) => subscriptions::version(db, account, *id),
            Object::Job(id) => jobs::version(db, account, *id),
            Object::Presence(person) => presences::sequence(db, account, *person),
        }
    }

    /// How many a set has.
    fn count(&self, of: &Set) -> Result<u32, Fault> {
        match of {
            Set::Bins(account) => bins::count_of(self.db, *account),
            Set::Endpoints(account) => subscriptions::endpoint_count(self.db, *account),
            Set::Subscriptions {
                account,
                owner,
                client_id,
                at,
            } => subscriptions::count(self.db, *account, *owner, client_id, *at),
        }
    }

    /// Whether nobody else has it.
    fn is_free(&self, claim: &Claim) -> Result<bool, Fault> {
        let db = self.db;
        Ok(match claim {
            Claim::Email { account, email, by } => {
                let taken = accounts::person_by_email(db, *account, email)?;
                taken.is_none_or(|person| person.id == *by)
            }
            Claim::ExtensionNumber {
                account,
                number,
                by,
            } => {
                let taken = accounts::person_by_extension_number(db, *account, number)?;
                taken.is_none_or(|person| person.id == *by)
            }
            Claim::Conversation { account, members } => {
                chats::conversation(db, *account, members)?.is_none()
            }
            Claim::Publication {
                account,
                source,
                id,
            } => publications::publication(db, *account, source, id)?.is_none(),
        })
    }

    fn write(&mut self, write: &Write) -> Result<(), Refusal> {
        match write {
            Write::Account(write) => accounts::write_account(self, write)?,
            Write::Person(write) => accounts::write_person(self, write)?,
            Write::App(write) => apps::write_app(self, write)?,
            Write::JwtCredential(write) => apps::write_jwt_credential(self, write)?,
            Write::SignInCode(write) => sessions::write_code(self, write)?,
            Write::Session(write) => sessions::write(self, write)?,
            Write::Chat(write) => chats::write(self, write)?,
            Write::Post(write) => posts::write(self, write)?,
            Write::Presence(write) => presences::write(self, write)?,
            Write::Message(write) => messages::write(self, write)?,
            Write::Webhook(write) => webhooks::write(self, write)?,
            Write::Request(write) => requests::write(self, write)?,
            Write::Bin(write) => bins::write(self, write)?,
            Write::CustomType(write) => custom_types::write(self, write)?,
            Write::Subscription(write) => subscriptions::write(self, write)?,
            Write::History(write) => history::write(self, write)?,
            Write::Delivery(write) => deliveries::write(self, write)?,
            Write::Job(write) => jobs::write(self, write)?,
            Write::Statistics(write) => statistics::write(self, write)?,
            Write::Retention(write) => retention::write(self, write)?,
            Write::Erasure(write) => erasure::write(self, write)?,
        }
        Ok(())
    }

    /// What is counted of a subscription, when it is an endpoint.
    pub(super) fn counted(&mut self, subscription: SubscriptionId) -> Option<&mut Statistics> {
        let key = self.fanout.endpoint_key(subscription)?;
        Some(self.tally.entry(key).or_default())
    }

    /// Appends an event and writes its deliveries.
    fn announce(&mut self, mut event: Event) -> Result<(), Refusal> {
        event.id = EventId(self.ids.next(self.now));
        let recipients = self.fanout.recipients(self.db, &event)?;
        let subscribers = self.fanout.subscribers(&event, &recipients, self.now);
        let event = Arc::new(event);
        let mut range: Option<(DeliveryId, DeliveryId)> = None;
        for subscriber in subscribers {
            let id = self.deliver(&event, subscriber)?;
            range = Some((range.map_or(id, |(first, _)| first), id));
        }
        events::put(self.db, self.vault, &event, range)?;
        publications::claim(self.db, &event)?;
        let committed = CommittedEvent { event, recipients };
        self.news.push(NewsItem::Event(committed));
        Ok(())
    }

    /// Writes the delivery of `event` to one subscriber.
    pub(super) fn deliver(
        &mut self,
        event: &Arc<Event>,
        subscriber: Subscriber,
    ) -> Result<DeliveryId, Fault> {
        let Subscriber {
            subscription,
            key,
            filter,
        } = subscriber;
        let delivery = Delivery {
            account: event.account,
            id: DeliveryId(self.ids.next(self.now)),
            subscription: subscription.id,
            event: event.id,
            filter,
            state: DeliveryState::Waiting {
                due_at: subscription.first_due(self.now),
            },
            attempts: 0,
            round: Round::first(self.now),
            possible_repeat: false,
            created_at: self.now,
        };
        deliveries::put(self.db, &delivery, key, subscription.is_ordered())?;
        let id = delivery.id;
        self.news.push(NewsItem::Delivery(CommittedDelivery {
            delivery,
            event: Arc::clone(event),
            subscription,
        }));
        Ok(id)
    }
}
