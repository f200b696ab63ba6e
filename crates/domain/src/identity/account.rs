//! The tenant. Everything belongs to exactly one account.

use async_trait::async_trait;

use crate::kernel::ids::AccountId;
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;

/// An account: the tenant; `company` in the team-messaging API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    pub created_at: Timestamp,
}

/// What is written of accounts.
#[derive(Debug, Clone)]
pub enum AccountWrite {
    Put(Account),
}

/// Reads of accounts.
#[async_trait]
pub trait Accounts: Send + Sync {
    async fn account(&self, account: AccountId) -> Result<Option<Account>, StoreError>;
    /// The account with the smallest id, if the store has any.
    async fn first_account(&self) -> Result<Option<Account>, StoreError>;
}
