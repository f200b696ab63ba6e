//! What commits did, for those who act on it at once.

use std::sync::Arc;

use crate::delivery::Delivery;
use crate::delivery::job::Job;
use crate::events::event::Event;
use crate::identity::app::{App, ClientId};
use crate::inbound::bin::BinRequest;
use crate::kernel::ids::{BinId, DeliveryId, PersonId, SessionId, SubscriptionId};
use crate::subscriptions::subscription::Subscription;

/// What a commit did, in order: for the dispatcher, the live gateway and others who listen.
#[derive(Debug, Clone, Default)]
pub struct News {
    items: Vec<NewsItem>,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum NewsItem {
    Event(CommittedEvent),
    Delivery(CommittedDelivery),
    /// A delivery that was waiting and is no more: it must not be sent.
    DeliveryWithdrawn(SubscriptionId, DeliveryId),
    /// A subscription that was written: its lane must use the new version from now on.
    Subscription(Arc<Subscription>),
    /// A subscription that ended: after the commit is acknowledged no attempt may start.
    SubscriptionEnded(SubscriptionId),
    /// An app that was written: its verification token may be another.
    App(Arc<App>),
    /// An app that is no more.
    AppEnded(ClientId),
    /// A session that ended: what it keeps open must close.
    SessionEnded(SessionId),
    /// What a bin received, with its number.
    BinRequest(Arc<BinRequest>),
    /// A bin that is no more.
    BinEnded(BinId),
    /// A job that was asked for.
    Job(Arc<Job>),
}

/// An event and who may learn of it.
#[derive(Debug, Clone)]
pub struct CommittedEvent {
    pub event: Arc<Event>,
    pub recipients: Arc<[PersonId]>,
}

/// A delivery that a commit caused, with its event.
#[derive(Debug, Clone)]
pub struct CommittedDelivery {
    pub delivery: Delivery,
    pub event: Arc<Event>,
    pub subscription: Arc<Subscription>,
}

/// A point in the news that they can be rewound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewsMark(usize);

macro_rules! only {
    ($($(#[$doc:meta])* $name:ident: $kind:ident($($part:ident),+) -> $item:ty,)*) => {
        $($(#[$doc])*
        pub fn $name(&self) -> impl Iterator<Item = $item> {
            self.items.iter().filter_map(|item| match item {
                NewsItem::$kind($($part),+) => Some(($($part),+)),
                _ => None,
            })
        })*
    };
}

impl News {
    /// Adds what happened next.
    pub fn push(&mut self, item: NewsItem) {
        self.items.push(item);
    }

    /// Everything, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, NewsItem> {
        self.items.iter()
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Where the news end now.
    pub fn mark(&self) -> NewsMark {
        NewsMark(self.items.len())
    }

    /// Forgets what happened since `mark`.
    pub fn rewind(&mut self, mark: NewsMark) {
        self.items.truncate(mark.0);
    }

    /// What happened since `mark`.
    pub fn since(&self, mark: NewsMark) -> &[NewsItem] {
        self.items.get(mark.0..).unwrap_or_default()
    }

    only! {
        events: Event(event) -> &CommittedEvent,
        deliveries: Delivery(delivery) -> &CommittedDelivery,
        /// Deliveries that were waiting and are no more.
        withdrawn: DeliveryWithdrawn(subscription, delivery) -> (&SubscriptionId, &DeliveryId),
        /// Subscriptions that were written.
        subscriptions: Subscription(subscription) -> &Arc<Subscription>,
        subscriptions_ended: SubscriptionEnded(subscription) -> &SubscriptionId,
        sessions_ended: SessionEnded(session) -> &SessionId,
        bin_requests: BinRequest(request) -> &Arc<BinRequest>,
        bins_ended: BinEnded(bin) -> &BinId,
        jobs: Job(job) -> &Arc<Job>,
    }
}

impl FromIterator<NewsItem> for News {
    fn from_iter<I: IntoIterator<Item = NewsItem>>(items: I) -> Self {
        Self {
            items: items.into_iter().collect(),
        }
    }
}

impl Extend<NewsItem> for News {
    fn extend<I: IntoIterator<Item = NewsItem>>(&mut self, items: I) {
        self.items.extend(items);
    }
}

impl<'a> IntoIterator for &'a News {
    type Item = &'a NewsItem;
    type IntoIter = std::slice::Iter<'a, NewsItem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewinding_forgets_what_came_after_the_mark_and_nothing_before() {
        let mut news = News::default();
        news.push(NewsItem::BinEnded(BinId(1)));
        let mark = news.mark();
        news.push(NewsItem::SessionEnded(SessionId(2)));
        news.push(NewsItem::BinEnded(BinId(3)));
        assert_eq!(news.since(mark).len(), 2);
        news.rewind(mark);
        assert_eq!(news.bins_ended().collect::<Vec<_>>(), [&BinId(1)]);
        assert_eq!(news.sessions_ended().count(), 0);
        assert_eq!(news.mark(), mark);
    }
}
