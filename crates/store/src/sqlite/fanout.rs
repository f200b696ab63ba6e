//! Who gets an event: the active subscriptions and the members of chats, in memory.
//!
//! Only the writer touches it, in the order in which it applies changes, so it is exact. After a
//! rollback that undid such changes it is loaded anew.

use std::collections::HashMap;
use std::sync::Arc;

use hookyard_domain::{
    Audience, ChatId, Event, PersonId, Subscription, SubscriptionId, SubscriptionIndex,
    SubscriptionStatus, Timestamp,
};
use rusqlite::Connection;

use super::error::Fault;
use super::subscriptions;
use crate::sqlite::messaging::chats;
use crate::vault::Vault;

/// Chats whose members are kept in memory; past it the cache starts over.
const CHATS_MAX: usize = 4_096;

/// A subscription that an event goes to.
#[derive(Debug, Clone)]
pub(super) struct Subscriber {
    pub(super) subscription: Arc<Subscription>,
    /// The number that its deliveries carry.
    pub(super) key: i64,
    /// The filter that matched.
    pub(super) filter: String,
}

#[derive(Debug, Default)]
pub(super) struct Fanout {
    /// Those that events are sent to, with the number that their deliveries carry.
    active: SubscriptionIndex<i64>,
    members: HashMap<ChatId, Arc<[PersonId]>>,
}

impl Fanout {
    /// Reads all active subscriptions.
    pub(super) fn load(db: &Connection, vault: &Vault) -> Result<Self, Fault> {
        let mut fanout = Self::default();
        for subscription in subscriptions::taking(db, vault)? {
            let key = subscriptions::key(db, subscription.id)?
                .ok_or_else(|| Fault::plain("a subscription vanished while it was read"))?;
            fanout.put(Arc::new(subscription), key);
        }
        Ok(fanout)
    }

    /// Places a subscription, or replaces its former version.
    pub(super) fn put(&mut self, subscription: Arc<Subscription>, key: i64) {
        let takes =
            subscription.status == SubscriptionStatus::Active || subscription.endpoint.is_some();
        if takes && subscription.mode.is_sent_to() {
            self.active.put(subscription, key);
        } else {
            self.active.remove(subscription.id);
        }
    }

    /// Takes a subscription out.
    pub(super) fn remove(&mut self, id: SubscriptionId) {
        self.active.remove(id);
    }

    /// An active subscription and the number that its deliveries carry.
    pub(super) fn get(&self, id: SubscriptionId) -> Option<(Arc<Subscription>, i64)> {
        let placed = self.active.get(id)?;
        Some((Arc::clone(&placed.subscription), placed.item))
    }

    /// The number that an endpoint's deliveries carry; `None` for other subscriptions.
    pub(super) fn endpoint_key(&self, id: SubscriptionId) -> Option<i64> {
        let placed = self.active.get(id)?;
        placed.subscription.endpoint.as_ref().map(|_| placed.item)
    }

    /// Remembers the members of a chat that was written.
    pub(super) fn set_members(&mut self, chat: ChatId, members: &[PersonId]) {
        if self.members.len() >= CHATS_MAX {
            self.members.clear();
        }
        self.members.insert(chat, members.into());
    }

    /// Forgets a deleted chat.
    pub(super) fn forget_chat(&mut self, chat: ChatId) {
        self.members.remove(&chat);
    }

    /// Who may learn of `event`, ascending.
    pub(super) fn recipients(
        &mut self,
        db: &Connection,
        event: &Event,
    ) -> Result<Arc<[PersonId]>, Fault> {
        let chat = match &event.audience {
            Audience::Persons(persons) if persons.is_sorted() => return Ok(Arc::clone(persons)),
            Audience::Persons(persons) => {
                let mut ascending = persons.to_vec();
                ascending.sort_unstable();
                return Ok(ascending.into());
            }
            Audience::Subscription(_) | Audience::Account => return Ok(Arc::from([])),
            Audience::ChatMembers(chat) => *chat,
        };
        if let Some(members) = self.members.get(&chat) {
            return Ok(Arc::clone(members));
        }
        let members = chats::members(db, event.account, chat)?;
        let members: Vec<PersonId> = members.into_iter().map(|(person, _)| person).collect();
        self.set_members(chat, &members);
        Ok(members.into())
    }

    /// The subscriptions that `event` goes to; `recipients` is who may learn of it, ascending.
    pub(super) fn subscribers(
        &self,
        event: &Event,
        recipients: &[PersonId],
        now: Timestamp,
    ) -> Vec<Subscriber> {
        let mut found = Vec::new();
        self.active
            .each_match(event, recipients, now, |placed, filter| {
                found.push(Subscriber {
                    subscription: Arc::clone(&placed.subscription),
                    key: placed.item,
                    filter: filter.to_owned(),
                });
            });
        found
    }
}
