//! What happened to subscriptions.

use async_trait::async_trait;
use hookyard_domain::kernel::limits::HISTORY_ENTRIES_MAX;
use hookyard_domain::kernel::ports::{Histories, StoreError};
use hookyard_domain::{
    AccountId, ClientId, HistoryEntry, HistoryWrite, Milestone, PersonId, SubscriptionId, Timestamp,
};
use rusqlite::{Connection, params};

use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{execute, many, unreadable};
use crate::sqlite::row::Transaction;

/// Appends an entry, and forgets the oldest when there are too many of that subscription.
pub(in crate::sqlite) fn note(db: &Connection, entry: &HistoryEntry) -> Result<(), Fault> {
    let sql = "insert into subscription_history (subscription_id, number, account_id, owner_id,
            client_id, at, milestone, detail)
        select ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7
        from subscription_history where subscription_id = ?1";
    let values = params![
        entry.subscription.0.as_bytes(),
        entry.account.as_i64(),
        entry.owner.as_i64(),
        entry.client_id.0,
        entry.at.as_millis(),
        entry.milestone.name(),
        entry.detail,
    ];
    execute(db, sql, values)?;
    let sql = "delete from subscription_history where subscription_id = ?1 and number <=
        (select max(number) - ?2 from subscription_history where subscription_id = ?1)";
    let values = params![entry.subscription.0.as_bytes(), HISTORY_ENTRIES_MAX];
    execute(db, sql, values)?;
    Ok(())
}

/// Forgets entries from before a moment, but for those of subscriptions that are still there.
pub(in crate::sqlite) fn purge(db: &Connection, before: Timestamp) -> Result<(), Fault> {
    let sql = "delete from subscription_history where at < ?1
        and not exists (select 1 from subscriptions s where s.id = subscription_id)";
    execute(db, sql, params![before.as_millis()])?;
    Ok(())
}

pub(in crate::sqlite) fn of_subscription(
    db: &Connection,
    account: AccountId,
    subscription: SubscriptionId,
) -> Result<Vec<HistoryEntry>, Fault> {
    let sql = "select owner_id, client_id, at, milestone, detail from subscription_history
        where subscription_id = ?1 and account_id = ?2 order by number";
    let values = params![subscription.0.as_bytes(), account.as_i64()];
    many(db, sql, values, |row| {
        let milestone: String = row.get(3)?;
        Ok(HistoryEntry {
            account,
            subscription,
            owner: PersonId::from_i64(row.get(0)?),
            client_id: ClientId(row.get(1)?),
            at: Timestamp::from_millis(row.get(2)?),
            milestone: Milestone::from_name(&milestone)
                .ok_or_else(|| unreadable(3, "a milestone"))?,
            detail: row.get(4)?,
        })
    })
}

/// Applies what is written of histories.
pub(in crate::sqlite) fn write(tx: &Transaction<'_>, write: &HistoryWrite) -> Result<(), Fault> {
    match write {
        HistoryWrite::Note(entry) => note(tx.db, entry),
        HistoryWrite::Purge { before } => purge(tx.db, *before),
    }
}

#[async_trait]
impl Histories for SqliteStore {
    async fn subscription_history(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        self.read(move |db, _| of_subscription(db, account, subscription))
            .await
    }
}
