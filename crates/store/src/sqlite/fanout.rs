//! Who gets an event: the active subscriptions and the members of chats, in memory.
//!
//! Only the writer touches it, in the order in which it applies changes, so it is exact. After a
//! rollback that undid such changes it is loaded anew.

use std::collections::HashMap;
use std::sync::Arc;

use hookyard_domain::{
    AccountId, Audience, ChatId, Event, EventKind, PersonId, Subscription, SubscriptionId,
    SubscriptionStatus, Timestamp,
};
use rusqlite::Connection;

use super::error::Fault;
use super::{chats, subscriptions};
use crate::vault::Vault;

/// Chats whose members are kept in memory; past it the cache starts over.
const CHATS_MAX: usize = 4_096;

/// A live subscription, with the number that its deliveries carry.
#[derive(Debug, Clone)]
pub(super) struct Subscriber {
    pub(super) subscription: Arc<Subscription>,
    pub(super) key: i64,
}

#[derive(Debug, Default)]
pub(super) struct Fanout {
    by_owner: HashMap<(AccountId, EventKind), HashMap<PersonId, Vec<Subscriber>>>,
    placed: HashMap<SubscriptionId, Arc<Subscription>>,
    members: HashMap<ChatId, Arc<[PersonId]>>,
}

const KINDS: [EventKind; 3] = [EventKind::Post, EventKind::Chat, EventKind::Webhook];

impl Fanout {
    /// Reads all active subscriptions.
    pub(super) fn load(db: &Connection, vault: &Vault) -> Result<Self, Fault> {
        let mut fanout = Self::default();
        for subscription in subscriptions::active(db, vault)? {
            let key = subscriptions::key(db, subscription.id)?
                .ok_or_else(|| Fault::plain("a subscription vanished while it was read"))?;
            fanout.put(&Subscriber {
                subscription: Arc::new(subscription),
                key,
            });
        }
        Ok(fanout)
    }

    /// Places a subscription, or replaces its former version.
    pub(super) fn put(&mut self, subscriber: &Subscriber) {
        let subscription = &subscriber.subscription;
        self.remove(subscription.id);
        if subscription.status != SubscriptionStatus::Active {
            return;
        }
        self.placed
            .insert(subscription.id, Arc::clone(subscription));
        for kind in KINDS
            .into_iter()
            .filter(|kind| subscription.wants(*kind).is_some())
        {
            self.by_owner
                .entry((subscription.account, kind))
                .or_default()
                .entry(subscription.owner)
                .or_default()
                .push(subscriber.clone());
        }
    }

    /// Takes a subscription out.
    pub(super) fn remove(&mut self, id: SubscriptionId) {
        let Some(old) = self.placed.remove(&id) else {
            return;
        };
        for kind in KINDS {
            let Some(owners) = self.by_owner.get_mut(&(old.account, kind)) else {
                continue;
            };
            if let Some(list) = owners.get_mut(&old.owner) {
                list.retain(|subscriber| subscriber.subscription.id != id);
                if list.is_empty() {
                    owners.remove(&old.owner);
                }
            }
        }
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
        let Some(owners) = self.by_owner.get(&(event.account, event.kind)) else {
            return Vec::new();
        };
        let live = |subscriber: &&Subscriber| subscriber.subscription.is_live(now);
        // Whichever side is smaller is walked: a chat of two among ten thousand subscribers, or one
        // subscriber in a chat of ten thousand.
        if recipients.len() <= owners.len() {
            let lists = recipients.iter().filter_map(|person| owners.get(person));
            lists.flatten().filter(live).cloned().collect()
        } else {
            let told = owners
                .iter()
                .filter(|(owner, _)| recipients.binary_search(owner).is_ok());
            told.flat_map(|(_, list)| list)
                .filter(live)
                .cloned()
                .collect()
        }
    }
}
