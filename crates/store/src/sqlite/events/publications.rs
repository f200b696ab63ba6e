//! Events that were published with an id of their publisher's, so that a repeat is recognised.

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{Publication, Publications, StoreError};
use hookyard_domain::{AccountId, Event, EventId};
use rusqlite::{Connection, params};

use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{execute, one, unreadable};

/// Remembers the id that an event was published with, if it was. Fails as a duplicate when another
/// event has it.
pub(in crate::sqlite) fn claim(
    db: &Connection,
    event: &Event,
    digest: [u8; 32],
) -> Result<(), Fault> {
    let Some((source, id)) = event.publication() else {
        return Ok(());
    };
    let sql = "insert into publications (account_id, source, id, event_id, digest)
        values (?1, ?2, ?3, ?4, ?5)";
    let values = params![
        event.account.as_i64(),
        source,
        id,
        event.id.as_i64(),
        digest.as_slice(),
    ];
    execute(db, sql, values)?;
    Ok(())
}

pub(in crate::sqlite) fn publication(
    db: &Connection,
    account: AccountId,
    source: &str,
    id: &str,
) -> Result<Option<Publication>, Fault> {
    let sql = "select event_id, digest from publications
        where account_id = ?1 and source = ?2 and id = ?3";
    one(db, sql, params![account.as_i64(), source, id], |row| {
        let digest: Vec<u8> = row.get(1)?;
        Ok(Publication {
            event: EventId::from_i64(row.get(0)?),
            digest: digest
                .try_into()
                .map_err(|_| unreadable(1, "the digest of an event"))?,
        })
    })
}

#[async_trait]
impl Publications for SqliteStore {
    async fn publication(
        &self,
        account: AccountId,
        source: &str,
        id: &str,
    ) -> Result<Option<Publication>, StoreError> {
        let (source, id) = (source.to_owned(), id.to_owned());
        self.read(move |db, _| publication(db, account, &source, &id))
            .await
    }
}
