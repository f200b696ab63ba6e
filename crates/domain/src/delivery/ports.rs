//! How deliveries are written and read.

use async_trait::async_trait;

use crate::delivery::{Attempt, Delivery, DeliveryState};
use crate::events::type_name::TypePattern;
use crate::kernel::ids::{AccountId, DeliveryId, EventId, SubscriptionId};
use crate::kernel::news::CommittedDelivery;
use crate::kernel::ports::{Page, StoreError};
use crate::kernel::time::Timestamp;

/// What is written of deliveries; that they come to be follows from events.
#[derive(Debug, Clone)]
pub enum DeliveryWrite {
    /// Appends an attempt and moves its delivery to `state`. Does nothing when the delivery is no
    /// longer waiting: nothing leaves `Delivered`.
    RecordAttempt {
        attempt: Attempt,
        state: DeliveryState,
    },
    /// Gives a waiting delivery up without an attempt.
    Abandon {
        account: AccountId,
        delivery: DeliveryId,
        state: DeliveryState,
    },
    /// Sends a delivery again: one that waits or was given up begins a new round at once, one that
    /// was delivered stays so and its event gets another delivery. Does nothing when the
    /// subscription has ended.
    Resend {
        account: AccountId,
        delivery: DeliveryId,
    },
    /// Sends an event that was committed before to a subscription, unless it was on its way to it
    /// already.
    Redeliver(Redelivery),
}

/// An event that was committed before, on its way to a subscription after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redelivery {
    pub account: AccountId,
    pub subscription: SubscriptionId,
    pub event: EventId,
    /// The filter that matched, as subscribed.
    pub filter: String,
}

/// Reads of deliveries.
#[async_trait]
pub trait Deliveries: Send + Sync {
    async fn delivery(
        &self,
        account: AccountId,
        delivery: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError>;
    /// Deliveries of a subscription or of all, newest first.
    async fn deliveries(
        &self,
        account: AccountId,
        subscription: Option<SubscriptionId>,
        page: Page,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// Deliveries that one event caused.
    async fn deliveries_of_event(
        &self,
        account: AccountId,
        event: EventId,
    ) -> Result<Vec<Delivery>, StoreError>;
    async fn attempts(
        &self,
        account: AccountId,
        delivery: DeliveryId,
    ) -> Result<Vec<Attempt>, StoreError>;
    /// Deliveries with what is known of them, newest first.
    async fn find_deliveries(&self, query: DeliveryQuery)
    -> Result<Vec<FoundDelivery>, StoreError>;
    /// The same with ids above `after`, oldest first.
    async fn find_deliveries_after(
        &self,
        query: DeliveryQuery,
        after: DeliveryId,
    ) -> Result<Vec<FoundDelivery>, StoreError>;
    /// How many there are, whatever the limit of the query.
    async fn count_deliveries(&self, query: DeliveryQuery) -> Result<u64, StoreError>;
    /// Whether an event is or was on its way to a subscription that has not ended.
    async fn has_delivery(
        &self,
        account: AccountId,
        event: EventId,
        subscription: SubscriptionId,
    ) -> Result<bool, StoreError>;
    /// Waiting deliveries of one subscription in order of due time and id, after `after`, due or
    /// not. Carries at most `limit` rows.
    async fn waiting_deliveries(
        &self,
        subscription: SubscriptionId,
        after: Option<(Timestamp, DeliveryId)>,
        limit: u32,
    ) -> Result<Vec<CommittedDelivery>, StoreError>;
}

/// What the last attempt of a delivery was answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerQuery {
    Status(u16),
    /// 5 for 500 to 599.
    StatusClass(u16),
    /// Attempts were made, and none was answered.
    None,
}

/// Which state deliveries are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateQuery {
    Waiting,
    Delivered,
    Abandoned,
}

impl StateQuery {
    /// Name on the wire and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Abandoned => "abandoned",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Delivered, Self::Abandoned]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// Which deliveries to list. Absent parts mean any.
#[derive(Debug, Clone)]
pub struct DeliveryQuery {
    pub account: AccountId,
    pub subscription: Option<SubscriptionId>,
    pub event: Option<EventId>,
    pub state: Option<StateQuery>,
    pub answer: Option<AnswerQuery>,
    pub types: Option<TypePattern>,
    /// Made at this moment or after it.
    pub since: Option<Timestamp>,
    /// Made before this moment.
    pub until: Option<Timestamp>,
    /// Given up at this moment or after it; means nothing for other states.
    pub abandoned_since: Option<Timestamp>,
    /// Only those with a smaller id.
    pub before: Option<DeliveryId>,
    pub limit: u32,
}

/// A delivery, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDelivery {
    pub delivery: Delivery,
    /// The full name of its event's type.
    pub type_name: String,
    /// How the last attempt ended.
    pub last: Option<LastAttempt>,
}

/// How the last attempt of a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAttempt {
    /// `accepted`, `refused`, or why nothing answered.
    pub outcome: String,
    pub status: Option<u16>,
}
