//! What the commit core needs of a database.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hookyard_domain::{
    AccountId, Attempt, ChatId, ClientId, Delivery, DeliveryId, DeliveryState, Event, EventId,
    Guard, HistoryEntry, News, PersonId, Statistics, Subscription, SubscriptionId, Timestamp,
    Write,
};

use super::core::Refusal;
use super::fanout::Fanout;
use crate::fault::Fault;

/// What a batch says of how endpoints fare, by the number of the endpoint.
pub(crate) type Tally = BTreeMap<i64, Statistics>;

/// What a row's writing does in memory.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) fanout: &'a mut Fanout,
    pub(crate) news: &'a mut News,
}

/// Whose subscriptions are meant; endpoints are the account's, and nobody's of these.
#[derive(Debug)]
pub(crate) enum Whose {
    Owner(PersonId),
    Client(ClientId),
}

/// A subscription that ends with many others.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) subscription: SubscriptionId,
    pub(crate) owner: PersonId,
    pub(crate) client_id: ClientId,
}

/// What recording an attempt did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recorded {
    /// It had not been recorded before.
    pub(crate) fresh: bool,
    /// Its delivery was waiting, and is now as the attempt left it.
    pub(crate) moved: bool,
}

/// Transactions, lookups and rows. One batch at a time uses it.
///
/// Nothing here says that there is only one writer: a database that several nodes share takes the
/// accounts' turn in [`Self::take_turn`], which is the last step before events are numbered.
pub(crate) trait Backend: fmt::Debug + Send + Sized + 'static {
    /// What turns writes into rows before the writer gets them.
    type Encoder: fmt::Debug + Clone + Send + Sync + 'static;
    /// A write, as far as it can be encoded without a transaction.
    type Row: fmt::Debug + Send + 'static;
    type EventColumns: fmt::Debug + Send + 'static;
    type SubscriptionColumns: fmt::Debug + Send + 'static;
    type AttemptColumns: fmt::Debug + Send + 'static;

    fn encode(encoder: &Self::Encoder, write: Write) -> Result<Self::Row, Fault>;
    fn encode_event(encoder: &Self::Encoder, event: &Event) -> Result<Self::EventColumns, Fault>;
    fn encode_subscription(
        encoder: &Self::Encoder,
        subscription: &Subscription,
    ) -> Result<Self::SubscriptionColumns, Fault>;
    fn encode_attempt(attempt: &Attempt) -> Result<Self::AttemptColumns, Fault>;

    fn begin(&mut self) -> Result<(), Fault>;
    fn commit(&mut self) -> Result<(), Fault>;
    /// Undoes the transaction, where the database has not done so itself.
    fn rollback(&mut self);
    /// Whether there still is a transaction: some failures end it.
    fn is_open(&self) -> bool;
    fn begin_change(&mut self) -> Result<(), Fault>;
    fn keep_change(&mut self) -> Result<(), Fault>;
    fn undo_change(&mut self) -> Result<(), Fault>;

    fn holds(&mut self, guard: &Guard) -> Result<bool, Fault>;
    fn write(&mut self, row: &mut Self::Row, scope: Scope<'_>) -> Result<(), Refusal>;

    /// Those that deliveries are written for, with the numbers that their deliveries carry.
    fn taking(&mut self) -> Result<Vec<(Subscription, i64)>, Fault>;
    fn put_subscription(
        &mut self,
        subscription: &Subscription,
        columns: &Self::SubscriptionColumns,
    ) -> Result<i64, Fault>;
    /// Marks what waits for an endpoint as in order, or as not.
    fn set_ordered(&mut self, key: i64, ordered: bool) -> Result<(), Fault>;
    /// Marks what may have been sent without a record as a possible repeat, for every subscription.
    fn mark_possible_repeats(&mut self) -> Result<(), Fault>;
    /// Makes what waits for later due at `now`.
    fn hurry(&mut self, key: i64, now: Timestamp) -> Result<(), Fault>;
    /// Deletes the subscription and gives its waiting deliveries up; false when it is not there.
    fn delete_subscription(
        &mut self,
        account: AccountId,
        subscription: SubscriptionId,
        at: Timestamp,
    ) -> Result<bool, Fault>;
    /// The subscriptions of a person or an app, endpoints left out.
    fn subscriptions_of(&mut self, account: AccountId, whose: &Whose)
    -> Result<Vec<Ending>, Fault>;
    fn note_history(&mut self, entry: &HistoryEntry) -> Result<(), Fault>;

    fn add_statistics(&mut self, tally: &Tally, now: Timestamp) -> Result<(), Fault>;
    fn forget_statistics(&mut self, key: i64) -> Result<(), Fault>;

    /// Takes the turn of `accounts` in the order of numbers, and brings the index up to date where
    /// others may have changed it. The last step before events are numbered.
    fn take_turn(
        &mut self,
        accounts: &BTreeSet<AccountId>,
        index: &mut Fanout,
    ) -> Result<(), Fault>;
    /// The next number of an account whose turn it is.
    fn next_number(&mut self, account: AccountId, now: Timestamp) -> u64;
    fn members(&mut self, account: AccountId, chat: ChatId) -> Result<Vec<PersonId>, Fault>;
    fn event(&mut self, account: AccountId, event: EventId) -> Result<Option<Event>, Fault>;
    /// Appends an event. `deliveries` is the range of numbers of what it caused.
    fn put_event(
        &mut self,
        event: &Event,
        columns: &Self::EventColumns,
        deliveries: Option<(DeliveryId, DeliveryId)>,
    ) -> Result<(), Fault>;

    fn delivery(
        &mut self,
        account: AccountId,
        delivery: DeliveryId,
    ) -> Result<Option<Delivery>, Fault>;
    /// Whether an event is or was on its way to a subscription.
    fn has_delivery(
        &mut self,
        account: AccountId,
        event: EventId,
        subscription: SubscriptionId,
    ) -> Result<bool, Fault>;
    fn put_delivery(&mut self, delivery: &Delivery, key: i64, ordered: bool) -> Result<(), Fault>;
    /// Remembers a delivery that is outside its event's range.
    fn note_late(&mut self, event: EventId, delivery: DeliveryId) -> Result<(), Fault>;
    /// Begins a new round of a delivery that waits or was given up.
    fn restart_delivery(
        &mut self,
        account: AccountId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<(), Fault>;
    /// Moves a waiting delivery on without an attempt; false when it was not waiting.
    fn advance_delivery(
        &mut self,
        account: AccountId,
        delivery: DeliveryId,
        state: &DeliveryState,
    ) -> Result<bool, Fault>;
    fn record_attempt(
        &mut self,
        attempt: &Attempt,
        columns: &Self::AttemptColumns,
        state: &DeliveryState,
    ) -> Result<Recorded, Fault>;

    /// A batch of about so many bytes is on disk.
    fn wrote(&mut self, bytes: usize);
    /// Ends in good order; nothing is in doubt.
    fn close(self);
}
