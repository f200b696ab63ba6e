//! Events and their deliveries, which are written when all else of a batch is.

use std::collections::BTreeSet;
use std::sync::Arc;

use hookyard_domain::{
    AccountId, CommittedDelivery, CommittedEvent, Delivery, DeliveryId, DeliveryState, Event,
    EventId, NewsItem, Redelivery, Round,
};

use super::{Announcement, Batch, Core, Refusal};
use crate::commit::backend::Backend;
use crate::commit::encoded::{Encoded, Errand};
use crate::commit::fanout::Subscriber;
use crate::fault::Fault;

impl<B: Backend> Core<B> {
    /// Numbers what waits to be announced, matches it, and writes it with its deliveries.
    pub(super) fn announce(
        &mut self,
        changes: &mut [Encoded<B>],
        batch: &mut Batch,
    ) -> Result<(), Refusal> {
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
}
