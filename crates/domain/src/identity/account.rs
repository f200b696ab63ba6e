//! The tenant. Everything belongs to exactly one account.

use crate::kernel::ids::AccountId;
use crate::kernel::time::Timestamp;

/// An account: the tenant; `company` in the team-messaging API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    pub created_at: Timestamp,
}
