//! What the commit core needs of SQLite.

use std::collections::BTreeSet;
use std::sync::Arc;

use hookyard_domain::kernel::ports::StoreError;
use hookyard_domain::{
    AccountId, Attempt, ChatId, Delivery, DeliveryId, DeliveryState, Event, EventId, Guard,
    HistoryEntry, IdSequence, PersonId, Subscription, SubscriptionId, Timestamp, Write,
};
use rusqlite::Connection;

use super::checkpoints::{Checkpointer, empty_log};
use super::delivery::{attempts, deliveries};
use super::endpoints::statistics;
use super::error::Fault;
use super::messaging::chats;
use super::query::execute;
use super::row::{Row, Transaction};
use super::subscriptions::{self, history};
use super::{events, guards, meta};
use crate::commit::{Backend, Ending, Fanout, Recorded, Refusal, Scope, Tally, Whose};
use crate::vault::Vault;

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) db: Connection,
    pub(super) vault: Vault,
    pub(super) ids: Arc<IdSequence>,
    /// Where the database is a file.
    pub(super) checkpoints: Option<Checkpointer>,
}

impl Backend for Rows {
    type Encoder = Vault;
    type Row = Row;
    type EventColumns = events::Columns;
    type SubscriptionColumns = subscriptions::columns::Columns;
    type AttemptColumns = attempts::AttemptColumns;

    fn encode(vault: &Vault, write: Write) -> Result<Row, Fault> {
        Row::encode(vault, write)
    }

    fn encode_event(vault: &Vault, event: &Event) -> Result<events::Columns, Fault> {
        Ok(events::encode(vault, event))
    }

    fn encode_subscription(
        vault: &Vault,
        subscription: &Subscription,
    ) -> Result<subscriptions::columns::Columns, Fault> {
        subscriptions::columns::encode(vault, subscription)
    }

    fn encode_attempt(attempt: &Attempt) -> Result<attempts::AttemptColumns, Fault> {
        Ok(attempts::encode(attempt))
    }

    fn begin(&mut self) -> Result<(), Fault> {
        execute(&self.db, "begin immediate", []).map(drop)
    }

    fn commit(&mut self) -> Result<(), Fault> {
        execute(&self.db, "commit", []).map(drop)
    }

    fn rollback(&mut self) {
        // Where SQLite has already undone it, this has nothing left to do.
        let _ = execute(&self.db, "rollback", []);
    }

    fn is_open(&self) -> bool {
        !self.db.is_autocommit()
    }

    fn begin_change(&mut self) -> Result<(), Fault> {
        execute(&self.db, "savepoint one_change", []).map(drop)
    }

    fn keep_change(&mut self) -> Result<(), Fault> {
        execute(&self.db, "release one_change", []).map(drop)
    }

    fn undo_change(&mut self) -> Result<(), Fault> {
        execute(&self.db, "rollback to one_change", []).map(drop)
    }

    fn holds(&mut self, guard: &Guard) -> Result<bool, Fault> {
        guards::holds(&self.db, guard)
    }

    fn write(&mut self, row: &mut Row, scope: Scope<'_>) -> Result<(), Refusal> {
        let db = &self.db;
        row.write(&mut Transaction { db, scope })
    }

    fn taking(&mut self) -> Result<Vec<(Subscription, i64)>, Fault> {
        subscriptions::taking(&self.db, &self.vault)
    }

    fn put_subscription(
        &mut self,
        subscription: &Subscription,
        columns: &subscriptions::columns::Columns,
    ) -> Result<i64, Fault> {
        subscriptions::put(&self.db, subscription, columns)?;
        subscriptions::key(&self.db, subscription.id)?
            .ok_or_else(|| Fault::plain("a subscription vanished while it was written"))
    }

    fn set_ordered(&mut self, key: i64, ordered: bool) -> Result<(), Fault> {
        deliveries::waiting::set_ordered(&self.db, key, ordered)
    }

    fn mark_possible_repeats(&mut self) -> Result<(), Fault> {
        deliveries::waiting::mark_possible_repeats(&self.db)
    }

    fn hurry(&mut self, key: i64, now: Timestamp) -> Result<(), Fault> {
        deliveries::waiting::hurry(&self.db, key, now)
    }

    fn delete_subscription(
        &mut self,
        account: AccountId,
        subscription: SubscriptionId,
        at: Timestamp,
    ) -> Result<bool, Fault> {
        subscriptions::delete(&self.db, account, subscription, at)
    }

    fn subscriptions_of(
        &mut self,
        account: AccountId,
        whose: &Whose,
    ) -> Result<Vec<Ending>, Fault> {
        subscriptions::ending(&self.db, account, whose)
    }

    fn note_history(&mut self, entry: &HistoryEntry) -> Result<(), Fault> {
        history::note(&self.db, entry)
    }

    fn add_statistics(&mut self, tally: &Tally, now: Timestamp) -> Result<(), Fault> {
        statistics::add(&self.db, tally, now)
    }

    fn forget_statistics(&mut self, key: i64) -> Result<(), Fault> {
        statistics::forget(&self.db, key)
    }

    /// Nobody else writes, so it is always our turn, and the index is always up to date.
    fn take_turn(&mut self, _: &BTreeSet<AccountId>, _: &mut Fanout) -> Result<(), Fault> {
        Ok(())
    }

    fn next_number(&mut self, _: AccountId, now: Timestamp) -> u64 {
        self.ids.next(now)
    }

    fn members(&mut self, account: AccountId, chat: ChatId) -> Result<Vec<PersonId>, Fault> {
        let members = chats::members(&self.db, account, chat)?;
        Ok(members.into_iter().map(|(person, _)| person).collect())
    }

    fn event(&mut self, account: AccountId, event: EventId) -> Result<Option<Event>, Fault> {
        events::event(&self.db, &self.vault, account, event)
    }

    fn put_event(
        &mut self,
        event: &Event,
        columns: &events::Columns,
        deliveries: Option<(DeliveryId, DeliveryId)>,
    ) -> Result<(), Fault> {
        events::put(&self.db, event, columns, deliveries)
    }

    fn delivery(
        &mut self,
        account: AccountId,
        delivery: DeliveryId,
    ) -> Result<Option<Delivery>, Fault> {
        deliveries::delivery(&self.db, account, delivery)
    }

    fn has_delivery(
        &mut self,
        account: AccountId,
        event: EventId,
        subscription: SubscriptionId,
    ) -> Result<bool, Fault> {
        deliveries::event::exists(&self.db, account, event, subscription)
    }

    fn put_delivery(&mut self, delivery: &Delivery, key: i64, ordered: bool) -> Result<(), Fault> {
        deliveries::put(&self.db, delivery, key, ordered)
    }

    fn note_late(&mut self, event: EventId, delivery: DeliveryId) -> Result<(), Fault> {
        deliveries::event::note_late(&self.db, event, delivery)
    }

    fn restart_delivery(
        &mut self,
        account: AccountId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<(), Fault> {
        deliveries::restart(&self.db, account, delivery, now)
    }

    fn advance_delivery(
        &mut self,
        account: AccountId,
        delivery: DeliveryId,
        state: &DeliveryState,
    ) -> Result<bool, Fault> {
        deliveries::advance(&self.db, account, delivery, state, None)
    }

    fn record_attempt(
        &mut self,
        attempt: &Attempt,
        columns: &attempts::AttemptColumns,
        state: &DeliveryState,
    ) -> Result<Recorded, Fault> {
        attempts::record(&self.db, attempt, columns, state)
    }

    fn wrote(&mut self, bytes: usize) {
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.wrote(&self.db, bytes);
        }
    }

    fn close(mut self) {
        if let Err(fault) = meta::set_clean(&self.db, true) {
            let error = StoreError::from(fault);
            tracing::error!(%error, "The store could not be marked as cleanly stopped");
        }
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.stop();
        }
        if let Err(fault) = empty_log(&self.db) {
            let error = StoreError::from(fault);
            tracing::warn!(%error, "The log could not be emptied; the next start reads it");
        }
    }
}

#[cfg(test)]
mod tests;
