//! Which subscriptions an event goes to, found without looking at the others.
//!
//! Filters are kept by the kind of event and by whom they watch. The store's fan-out and the
//! WebSocket gateway each have one, with what they need beside each subscription.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::endpoints::endpoint::Endpoint;
use crate::events::event::{Audience, Event, EventKind};
use crate::events::type_name::TypePattern;
use crate::kernel::ids::{AccountId, PersonId, SubscriptionId};
use crate::kernel::time::Timestamp;
use crate::subscriptions::filter::{EventFilter, Place};
use crate::subscriptions::subscription::Subscription;

/// A subscription with what its keeper wants beside it.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    pub subscription: Arc<Subscription>,
    pub item: T,
}

type Key = (AccountId, EventKind);

/// Subscriptions by what they ask for.
#[derive(Debug)]
pub struct SubscriptionIndex<T> {
    of_person: HashMap<Key, HashMap<PersonId, Vec<Placed<T>>>>,
    of_account: HashMap<Key, Vec<Placed<T>>>,
    /// Endpoints that name every type that they ask for.
    of_type: HashMap<(AccountId, String), Vec<Placed<T>>>,
    /// Endpoints with patterns.
    of_patterns: HashMap<AccountId, Vec<Placed<T>>>,
    all: HashMap<SubscriptionId, Placed<T>>,
}

impl<T> Default for SubscriptionIndex<T> {
    fn default() -> Self {
        Self {
            of_person: HashMap::new(),
            of_account: HashMap::new(),
            of_type: HashMap::new(),
            of_patterns: HashMap::new(),
            all: HashMap::new(),
        }
    }
}

impl<T: Clone> SubscriptionIndex<T> {
    /// Places a subscription, in place of its former version.
    pub fn put(&mut self, subscription: Arc<Subscription>, item: T) {
        self.remove(subscription.id);
        let placed = Placed { subscription, item };
        let subscription = &placed.subscription;
        if let Some(endpoint) = &subscription.endpoint {
            if let Some(names) = exact_types(endpoint) {
                for name in names {
                    let key = (subscription.account, name.to_owned());
                    self.of_type.entry(key).or_default().push(placed.clone());
                }
            } else {
                let list = self.of_patterns.entry(subscription.account);
                list.or_default().push(placed.clone());
            }
        }
        for (index, filter) in subscription.filters.iter().enumerate() {
            let place = watched(subscription, filter);
            let kind = filter.kind();
            let again = |former: &EventFilter| {
                former.kind() == kind && watched(subscription, former) == place
            };
            if subscription.filters[..index].iter().any(again) {
                continue;
            }
            let key = (subscription.account, kind);
            match place {
                Watched::Person(person) => {
                    let persons = self.of_person.entry(key).or_default();
                    persons.entry(person).or_default().push(placed.clone());
                }
                Watched::Account => self.of_account.entry(key).or_default().push(placed.clone()),
                Watched::Itself => {}
            }
        }
        self.all.insert(subscription.id, placed);
    }

    /// Takes a subscription out.
    pub fn remove(&mut self, id: SubscriptionId) -> Option<Placed<T>> {
        let old = self.all.remove(&id)?;
        let others = |placed: &Placed<T>| placed.subscription.id != id;
        if let Some(endpoint) = &old.subscription.endpoint {
            let account = old.subscription.account;
            match exact_types(endpoint) {
                Some(names) => {
                    for name in names {
                        let key = (account, name.to_owned());
                        if let Some(list) = self.of_type.get_mut(&key) {
                            list.retain(others);
                            if list.is_empty() {
                                self.of_type.remove(&key);
                            }
                        }
                    }
                }
                None => {
                    if let Some(list) = self.of_patterns.get_mut(&account) {
                        list.retain(others);
                    }
                }
            }
        }
        for filter in &old.subscription.filters {
            let key = (old.subscription.account, filter.kind());
            match watched(&old.subscription, filter) {
                Watched::Person(person) => {
                    if let Some(persons) = self.of_person.get_mut(&key)
                        && let Some(list) = persons.get_mut(&person)
                    {
                        list.retain(others);
                        if list.is_empty() {
                            persons.remove(&person);
                        }
                    }
                }
                Watched::Account => {
                    if let Some(list) = self.of_account.get_mut(&key) {
                        list.retain(others);
                    }
                }
                Watched::Itself => {}
            }
        }
        Some(old)
    }

    /// The subscription with this id.
    pub fn get(&self, id: SubscriptionId) -> Option<&Placed<T>> {
        self.all.get(&id)
    }

    /// Every subscription.
    pub fn iter(&self) -> impl Iterator<Item = &Placed<T>> {
        self.all.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Calls `take` with each subscription that `event` goes to and the filter that it goes by;
    /// `recipients` is who may learn of it, ascending.
    pub fn each_match<'a>(
        &'a self,
        event: &Event,
        recipients: &[PersonId],
        now: Timestamp,
        mut take: impl FnMut(&'a Placed<T>, &'a str),
    ) {
        let document = OnceCell::new();
        let mut offer = |placed: &'a Placed<T>| {
            let subscription = &placed.subscription;
            if subscription.takes_events(now)
                && let Some(filter) = subscription.wants_by(event, recipients, &document)
            {
                take(placed, filter);
            }
        };
        if let Audience::Subscription(only) = event.audience {
            self.all.get(&only).into_iter().for_each(offer);
            return;
        }
        let key = (event.account, event.kind);
        if let Some(persons) = self.of_person.get(&key) {
            // Whichever side is smaller is walked: a chat of two among ten thousand subscribers, or
            // one subscriber in a chat of ten thousand.
            let mut offer_list = |person: PersonId, list: &'a Vec<Placed<T>>| {
                for placed in list {
                    if first_watched(&placed.subscription, event, recipients) == Some(person) {
                        offer(placed);
                    }
                }
            };
            if recipients.len() <= persons.len() {
                for person in recipients {
                    if let Some(list) = persons.get(person) {
                        offer_list(*person, list);
                    }
                }
            } else {
                for (person, list) in persons {
                    if recipients.binary_search(person).is_ok() {
                        offer_list(*person, list);
                    }
                }
            }
        }
        for placed in self.of_account.get(&key).into_iter().flatten() {
            if first_watched(&placed.subscription, event, recipients).is_none() {
                offer(placed);
            }
        }
        if !self.of_type.is_empty() {
            let key = (event.account, event.type_name().into_owned());
            let list = self.of_type.get(&key);
            list.into_iter().flatten().for_each(&mut offer);
        }
        let list = self.of_patterns.get(&event.account);
        list.into_iter().flatten().for_each(&mut offer);
    }
}

/// The types that an endpoint asks for; `None` when it has a pattern among them.
fn exact_types(endpoint: &Endpoint) -> Option<Vec<&str>> {
    let mut names: Vec<&str> = endpoint
        .types
        .iter()
        .map(TypePattern::exact)
        .collect::<Option<_>>()?;
    names.sort_unstable();
    names.dedup();
    Some(names)
}

/// The first of the persons who may learn of `event` whom the subscription watches for its kind. It
/// stands in the list of each of them, and is offered the event for the first.
fn first_watched(
    subscription: &Subscription,
    event: &Event,
    recipients: &[PersonId],
) -> Option<PersonId> {
    let filters = subscription.filters.iter();
    let of_kind = filters.filter(|filter| filter.kind() == event.kind);
    of_kind
        .filter_map(|filter| match watched(subscription, filter) {
            Watched::Person(person) => recipients.binary_search(&person).ok().map(|_| person),
            Watched::Account | Watched::Itself => None,
        })
        .min()
}

/// Whom a filter of a subscription watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    Person(PersonId),
    Account,
    Itself,
}

const fn watched(subscription: &Subscription, filter: &EventFilter) -> Watched {
    match filter.place() {
        Place::Owner => Watched::Person(subscription.owner),
        Place::Extension(person) => Watched::Person(person),
        Place::Account => Watched::Account,
        Place::Subscription => Watched::Itself,
    }
}

#[cfg(test)]
mod tests;
