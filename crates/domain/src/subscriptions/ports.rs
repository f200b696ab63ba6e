//! How subscriptions are written and read.

use std::sync::Arc;

use async_trait::async_trait;

use crate::identity::app::ClientId;
use crate::kernel::change::{Change, Guard, Set};
use crate::kernel::ids::{AccountId, EventId, PersonId, SubscriptionId};
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;
use crate::subscriptions::life_cycle::Place;
use crate::subscriptions::subscription::Subscription;

/// What is written of subscriptions.
#[derive(Debug, Clone)]
pub enum SubscriptionWrite {
    Put(Arc<Subscription>),
    /// Ends a subscription; its waiting deliveries are abandoned.
    Delete {
        account: AccountId,
        subscription: SubscriptionId,
        at: Timestamp,
    },
    /// Ends every stored subscription of a person as [`Self::Delete`] does, and notes why in the
    /// history of each.
    DeleteAllOf {
        account: AccountId,
        owner: PersonId,
        at: Timestamp,
        reason: &'static str,
    },
    /// Does the same with every stored subscription by a client, but for endpoints: these are the
    /// account's.
    DeleteAllThrough {
        account: AccountId,
        client_id: ClientId,
        at: Timestamp,
        reason: &'static str,
    },
    /// Remembers since when a subscription's attempts have all failed. Does not grow its version.
    SetFailing {
        account: AccountId,
        subscription: SubscriptionId,
        since: Option<Timestamp>,
    },
    /// How far catching up has come; `None` when it is done. Does not grow the version.
    SetCatchUp {
        account: AccountId,
        subscription: SubscriptionId,
        after: Option<EventId>,
    },
    /// Gives all waiting deliveries of a subscription up.
    AbandonWaiting {
        account: AccountId,
        subscription: SubscriptionId,
        at: Timestamp,
    },
}

impl Subscription {
    /// Stores it as it is now.
    pub fn put(&self) -> Change {
        let change = Change::of(SubscriptionWrite::Put(Arc::new(self.clone())));
        if self.endpoint.is_some() {
            // Endpoints are the account's, and stay when who made them goes.
            return change;
        }
        change.given(Guard::PersonEnabled {
            account: self.account,
            person: self.owner,
        })
    }

    /// Stores it anew, where there are fewer than `max` of its kind: of its owner and client, or
    /// endpoints of its account. Those that have expired make room.
    pub fn create(&self, max: u32) -> Change {
        let account = self.account;
        let of = if self.endpoint.is_some() {
            Set::Endpoints(account)
        } else {
            Set::Subscriptions {
                account,
                owner: self.owner,
                client_id: self.client_id.clone(),
                at: self.created_at,
            }
        };
        let change = self.put().given(Guard::Room { of, max });
        if self.endpoint.is_some() || self.client_id.is_personal() {
            return change;
        }
        // One whose app is deleted this very moment would be nobody's.
        change.given(Guard::exists(account, self.client_id.clone()))
    }
}

/// Reads of subscriptions.
#[async_trait]
pub trait Subscriptions: Send + Sync {
    async fn subscription(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
    ) -> Result<Option<Arc<Subscription>>, StoreError>;
    /// Subscriptions of a person and client, ascending by creation time.
    async fn subscriptions(
        &self,
        account: AccountId,
        owner: PersonId,
        client_id: &ClientId,
    ) -> Result<Vec<Subscription>, StoreError>;
    /// How many subscriptions of a person and client have not expired at `now`.
    async fn subscription_count(
        &self,
        account: AccountId,
        owner: PersonId,
        client_id: &ClientId,
        now: Timestamp,
    ) -> Result<u32, StoreError>;
    /// Subscriptions of a person by whatever client, ascending by creation time.
    async fn subscriptions_of_person(
        &self,
        account: AccountId,
        owner: PersonId,
    ) -> Result<Vec<Subscription>, StoreError>;
    /// The place of every subscription of every account in its life: what the life cycle has to
    /// watch.
    async fn subscription_places(&self) -> Result<Vec<Place>, StoreError>;
    /// The stored `PubNub` subscription that listens on a channel.
    async fn subscription_by_channel(
        &self,
        channel: &str,
    ) -> Result<Option<Arc<Subscription>>, StoreError>;
    /// Subscriptions with unfinished deliveries, in all accounts: where a restart continues.
    async fn subscriptions_with_work(&self) -> Result<Vec<Arc<Subscription>>, StoreError>;
}

/// Reads of webhook endpoints, which are subscriptions of accounts.
#[async_trait]
pub trait Endpoints: Send + Sync {
    /// The endpoints of an account, ascending by creation time.
    async fn endpoints(&self, account: AccountId) -> Result<Vec<Arc<Subscription>>, StoreError>;
    /// Endpoints of all accounts that have been Errored since `since` or later.
    async fn endpoints_errored_since(
        &self,
        since: Timestamp,
    ) -> Result<Vec<Arc<Subscription>>, StoreError>;
    /// Those of an account whose address holds `part`.
    async fn endpoints_addressing(
        &self,
        account: AccountId,
        part: &str,
    ) -> Result<Vec<Arc<Subscription>>, StoreError>;
}
