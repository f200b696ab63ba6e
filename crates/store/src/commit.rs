//! The commit core: everything about a commit that is not rows.
//!
//! Many changes share a transaction. Their guards are looked at first, each change after what the
//! ones before it wrote; then they are written; last, and together, their events are numbered, meet
//! the subscriptions, and become rows with their deliveries. What a batch changes in memory is
//! taken back with it. A [`Backend`] supplies transactions, lookups and rows, and nothing here knows
//! SQL.

mod backend;
mod cache;
mod caches;
mod core;
mod encoded;
mod fanout;
mod herald;
mod pulse;
mod writer;

pub(crate) use self::backend::{Backend, Ending, Recorded, Scope, Tally, Whose};
pub(crate) use self::caches::Caches;
#[cfg(test)]
pub(crate) use self::core::Outcome;
pub(crate) use self::core::{Core, Refusal};
pub(crate) use self::encoded::Encoded;
pub(crate) use self::fanout::Fanout;
pub(crate) use self::herald::{Listeners, tell};
pub(crate) use self::pulse::Pulse;
pub(crate) use self::writer::Writer;
