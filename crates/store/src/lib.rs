//! The `Store` port on SQLite.
//!
//! One writer applies changes in the order in which they come, many to a transaction and one sync
//! to a transaction; readers have connections of their own. Events meet the subscriptions inside
//! the transaction, so a state change, its event and its deliveries are stored together or not at
//! all. What is *not* guaranteed: that a listener hears of a commit; a restart reads what is
//! unfinished.

mod commit;
mod component;
mod fault;
mod records;
mod sqlite;
mod vault;

pub use component::StoreComponent;
pub use sqlite::{Options, SqliteStore};
pub use vault::VaultKey;
