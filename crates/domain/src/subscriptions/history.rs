//! What happened to a subscription and why. Readable for a while after it ended.

use async_trait::async_trait;

use crate::identity::app::ClientId;
use crate::kernel::ids::{AccountId, PersonId, SubscriptionId};
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;
use crate::subscriptions::subscription::Subscription;

/// One kind of thing that happens in a subscription's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Milestone {
    Created,
    /// Its filters were changed.
    Updated,
    Renewed,
    /// Its owner paused it.
    Suspended,
    /// Its owner ended the pause, or the blacklisting.
    Resumed,
    Blacklisted,
    /// A probe found its address in order again.
    Healed,
    /// An endpoint is past its failure threshold.
    Errored,
    /// Its owner was told by e-mail that it is Errored, or could not be.
    Notified,
    /// Its time ran out.
    Expired,
    /// Its owner deleted it.
    Deleted,
    /// Its WebSocket session ended.
    Disconnected,
}

impl Milestone {
    /// Every milestone.
    pub const ALL: [Self; 12] = [
        Self::Created,
        Self::Updated,
        Self::Renewed,
        Self::Suspended,
        Self::Resumed,
        Self::Blacklisted,
        Self::Healed,
        Self::Errored,
        Self::Notified,
        Self::Expired,
        Self::Deleted,
        Self::Disconnected,
    ];

    /// Name in tables and on our own API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Updated => "Updated",
            Self::Renewed => "Renewed",
            Self::Suspended => "Suspended",
            Self::Resumed => "Resumed",
            Self::Blacklisted => "Blacklisted",
            Self::Healed => "Healed",
            Self::Errored => "Errored",
            Self::Notified => "Notified",
            Self::Expired => "Expired",
            Self::Deleted => "Deleted",
            Self::Disconnected => "Disconnected",
        }
    }

    /// The milestone with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// A line of a subscription's history. It says whose the subscription was, because it outlives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    pub account: AccountId,
    pub subscription: SubscriptionId,
    pub owner: PersonId,
    pub client_id: ClientId,
    pub at: Timestamp,
    pub milestone: Milestone,
    /// For people: why, or what about it.
    pub detail: Option<String>,
}

impl Subscription {
    /// What happened to it at `at`.
    pub fn passed(
        &self,
        milestone: Milestone,
        at: Timestamp,
        detail: Option<String>,
    ) -> HistoryEntry {
        HistoryEntry {
            account: self.account,
            subscription: self.id,
            owner: self.owner,
            client_id: self.client_id.clone(),
            at,
            milestone,
            detail,
        }
    }
}

/// What is written of what happens to subscriptions.
#[derive(Debug, Clone)]
pub enum HistoryWrite {
    /// Adds a line to a subscription's history.
    Note(HistoryEntry),
    /// Forgets the history, before a moment, of subscriptions that have ended.
    Purge { before: Timestamp },
}

/// Reads of what happened to subscriptions.
#[async_trait]
pub trait Histories: Send + Sync {
    /// The history of a subscription, oldest first, also after it ended.
    async fn subscription_history(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
    ) -> Result<Vec<HistoryEntry>, StoreError>;
}
