//! Changes as the writer gets them: what can be done before a transaction is done, by the caller's
//! own task.

use std::sync::Arc;

use hookyard_domain::{
    AccountId, Attempt, BinWrite, Change, DeliveryId, DeliveryState, DeliveryWrite, Event, EventId,
    FirstRequestWrite, Guard, PostWrite, Redelivery, RequestWrite, Subscription, SubscriptionId,
    SubscriptionWrite, Timestamp, Write,
};

use super::backend::{Backend, Whose};
use super::caches::Source;
use crate::fault::Fault;

/// One write: a row, or what the core does itself.
#[derive(Debug)]
pub(super) enum Step<B: Backend> {
    Row(B::Row),
    PutSubscription(Arc<Subscription>, B::SubscriptionColumns),
    EndSubscription {
        account: AccountId,
        subscription: SubscriptionId,
        at: Timestamp,
    },
    EndSubscriptionsOf {
        account: AccountId,
        whose: Whose,
        at: Timestamp,
        reason: &'static str,
    },
    Record(Attempt, DeliveryState, B::AttemptColumns),
    Abandon {
        account: AccountId,
        delivery: DeliveryId,
        state: DeliveryState,
    },
}

/// What is sent once more when all changes are written.
#[derive(Debug)]
pub(super) enum Errand {
    Redeliver(Redelivery),
    Resend(AccountId, DeliveryId),
}

/// An event that wants only its number.
#[derive(Debug)]
pub(super) struct EncodedEvent<B: Backend> {
    pub(super) event: Arc<Event>,
    pub(super) columns: B::EventColumns,
}

/// A change, encoded.
#[derive(Debug)]
pub(crate) struct Encoded<B: Backend> {
    pub(super) guards: Vec<Guard>,
    pub(super) steps: Vec<Step<B>>,
    pub(super) errands: Vec<Errand>,
    pub(super) events: Vec<EncodedEvent<B>>,
    /// What is stale in caches after it.
    pub(super) stale: Vec<Source>,
    /// Roughly how many bytes it writes.
    pub(super) bytes: usize,
}

impl<B: Backend> Encoded<B> {
    pub(crate) fn new(encoder: &B::Encoder, change: Change) -> Result<Self, Fault> {
        let Change {
            guards,
            writes,
            events,
        } = change;
        let mut encoded = Self {
            guards,
            steps: Vec::with_capacity(writes.len()),
            errands: Vec::new(),
            events: Vec::with_capacity(events.len()),
            stale: Vec::new(),
            bytes: 0,
        };
        for write in writes {
            encoded.bytes += weight(&write);
            encoded.stale.extend(Source::changed_by(&write));
            encoded.add(encoder, write)?;
        }
        for event in events {
            encoded.bytes += event.body.len() + 256;
            let columns = B::encode_event(encoder, &event)?;
            let event = Arc::new(event);
            encoded.events.push(EncodedEvent { event, columns });
        }
        Ok(encoded)
    }

    fn add(&mut self, encoder: &B::Encoder, write: Write) -> Result<(), Fault> {
        let step = match write {
            Write::Subscription(SubscriptionWrite::Put(subscription)) => {
                let columns = B::encode_subscription(encoder, &subscription)?;
                Step::PutSubscription(subscription, columns)
            }
            Write::Subscription(SubscriptionWrite::Delete {
                account,
                subscription,
                at,
            }) => Step::EndSubscription {
                account,
                subscription,
                at,
            },
            Write::Subscription(SubscriptionWrite::DeleteAllOf {
                account,
                owner,
                at,
                reason,
            }) => Step::EndSubscriptionsOf {
                account,
                whose: Whose::Owner(owner),
                at,
                reason,
            },
            Write::Subscription(SubscriptionWrite::DeleteAllThrough {
                account,
                client_id,
                at,
                reason,
            }) => Step::EndSubscriptionsOf {
                account,
                whose: Whose::Client(client_id),
                at,
                reason,
            },
            Write::Delivery(DeliveryWrite::RecordAttempt { attempt, state }) => {
                let columns = B::encode_attempt(&attempt)?;
                Step::Record(attempt, state, columns)
            }
            Write::Delivery(DeliveryWrite::Abandon {
                account,
                delivery,
                state,
            }) => Step::Abandon {
                account,
                delivery,
                state,
            },
            Write::Delivery(DeliveryWrite::Redeliver(redelivery)) => {
                self.errands.push(Errand::Redeliver(redelivery));
                return Ok(());
            }
            Write::Delivery(DeliveryWrite::Resend { account, delivery }) => {
                self.errands.push(Errand::Resend(account, delivery));
                return Ok(());
            }
            other => Step::Row(B::encode(encoder, other)?),
        };
        self.steps.push(step);
        Ok(())
    }

    /// The numbers of its events, once they have any.
    pub(super) fn event_ids(&self) -> Vec<EventId> {
        self.events.iter().map(|known| known.event.id).collect()
    }
}

/// Roughly how many bytes a write takes.
fn weight(write: &Write) -> usize {
    match write {
        Write::Request(RequestWrite::Put(request)) => request.body.len() + 512,
        Write::Bin(BinWrite::PutRequest(request)) => request.body.len() + 2_048,
        Write::Post(PostWrite::Put(post)) => {
            post.content.text.as_ref().map_or(0, String::len) + 1_024
        }
        Write::FirstRequest(FirstRequestWrite::Put(first)) => {
            let answer = first.answer.as_ref();
            answer.map_or(0, |answer| answer.body.reveal().len()) + 512
        }
        _ => 256,
    }
}
