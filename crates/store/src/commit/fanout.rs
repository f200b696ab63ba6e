//! Who gets an event: the active subscriptions and the members of chats, in memory.
//!
//! The index is exact, because it changes with the transaction: it keeps a log of what a batch
//! changed, and a rollback takes that back. It is never read anew for a refusal.

use std::sync::Arc;

use hookyard_domain::{
    AccountId, Audience, ChatId, Event, PersonId, Subscription, SubscriptionId, SubscriptionIndex,
    SubscriptionStatus, Timestamp,
};
use quick_cache::unsync::Cache;

use crate::fault::Fault;

/// Chats whose members are kept in memory.
const CHATS_MAX: usize = 4_096;

/// A subscription that an event goes to.
#[derive(Debug, Clone)]
pub(crate) struct Subscriber {
    pub(crate) subscription: Arc<Subscription>,
    /// The number that its deliveries carry.
    pub(crate) key: i64,
    /// The filter that matched.
    pub(crate) filter: String,
}

/// What takes one step back.
#[derive(Debug)]
enum Undo {
    /// The subscription stood so.
    Place(Arc<Subscription>, i64),
    /// It did not stand in the index.
    Remove(SubscriptionId),
    /// The members of a chat were as the store says.
    Members(ChatId),
}

/// A point in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(usize);

#[derive(Debug)]
pub(crate) struct Fanout {
    /// Those that events are sent to, with the number that their deliveries carry.
    active: SubscriptionIndex<i64>,
    members: Cache<ChatId, Arc<[PersonId]>>,
    /// What was changed since the last commit.
    log: Vec<Undo>,
}

impl Fanout {
    /// An index of what `taking` lists, with their numbers.
    pub(crate) fn of(taking: impl IntoIterator<Item = (Subscription, i64)>) -> Self {
        let mut fanout = Self {
            active: SubscriptionIndex::default(),
            members: Cache::new(CHATS_MAX),
            log: Vec::new(),
        };
        for (subscription, key) in taking {
            fanout.put(Arc::new(subscription), key);
        }
        fanout.settle();
        fanout
    }

    /// Where the log ends now.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.log.len())
    }

    /// Takes back what was changed since `mark`.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        while self.log.len() > mark.0 {
            match self.log.pop().expect("it is longer than the mark") {
                Undo::Place(subscription, key) => self.active.put(subscription, key),
                Undo::Remove(id) => {
                    self.active.remove(id);
                }
                Undo::Members(chat) => {
                    self.members.remove(&chat);
                }
            }
        }
    }

    /// Takes back all that was changed since the last commit.
    pub(crate) fn undo(&mut self) {
        self.rewind(Mark(0));
    }

    /// What was changed is committed.
    pub(crate) fn settle(&mut self) {
        self.log.clear();
    }

    /// Places a subscription, or replaces its former version.
    pub(crate) fn put(&mut self, subscription: Arc<Subscription>, key: i64) {
        let id = subscription.id;
        let takes =
            subscription.status == SubscriptionStatus::Active || subscription.endpoint.is_some();
        if !takes || !subscription.mode.is_sent_to() {
            self.remove(id);
            return;
        }
        let former = self.get(id);
        self.log.push(match former {
            Some((former, key)) => Undo::Place(former, key),
            None => Undo::Remove(id),
        });
        self.active.put(subscription, key);
    }

    /// Takes a subscription out.
    pub(crate) fn remove(&mut self, id: SubscriptionId) {
        if let Some(former) = self.active.remove(id) {
            self.log.push(Undo::Place(former.subscription, former.item));
        }
    }

    /// An active subscription and the number that its deliveries carry.
    pub(crate) fn get(&self, id: SubscriptionId) -> Option<(Arc<Subscription>, i64)> {
        let placed = self.active.get(id)?;
        Some((Arc::clone(&placed.subscription), placed.item))
    }

    /// The number that an endpoint's deliveries carry; `None` for other subscriptions.
    pub(crate) fn endpoint_key(&self, id: SubscriptionId) -> Option<i64> {
        let placed = self.active.get(id)?;
        placed.subscription.endpoint.as_ref().map(|_| placed.item)
    }

    /// Remembers the members of a chat: as they were written, or as they were read where they may
    /// have been written just now.
    pub(crate) fn set_members(&mut self, chat: ChatId, members: Arc<[PersonId]>) {
        self.members.insert(chat, members);
        self.log.push(Undo::Members(chat));
    }

    /// Forgets a deleted chat.
    pub(crate) fn forget_chat(&mut self, chat: ChatId) {
        self.members.remove(&chat);
    }

    /// Who may learn of `event`, ascending; `read` reads the members of a chat.
    pub(crate) fn recipients(
        &mut self,
        event: &Event,
        read: impl FnOnce(AccountId, ChatId) -> Result<Vec<PersonId>, Fault>,
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
        let members: Arc<[PersonId]> = read(event.account, chat)?.into();
        self.set_members(chat, Arc::clone(&members));
        Ok(members)
    }

    /// The subscriptions that `event` goes to; `recipients` is who may learn of it, ascending.
    pub(crate) fn subscribers(
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

    /// Everything that stands in it, in order.
    #[cfg(test)]
    pub(crate) fn contents(&self) -> Vec<(Subscription, i64)> {
        let mut all: Vec<_> = self
            .active
            .iter()
            .map(|placed| (Subscription::clone(&placed.subscription), placed.item))
            .collect();
        all.sort_by_key(|(subscription, _)| subscription.id.0);
        all
    }

    /// The chats whose members are known, with them.
    #[cfg(test)]
    pub(crate) fn known_members(&self) -> impl Iterator<Item = (ChatId, &[PersonId])> {
        self.members
            .iter()
            .map(|(chat, members)| (*chat, &**members))
    }
}
