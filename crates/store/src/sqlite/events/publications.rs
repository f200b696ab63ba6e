//! Events that were published with an id of their publisher's, so that a repeat is recognised.

use hookyard_domain::kernel::ports::Publication;
use hookyard_domain::{AccountId, Event, EventId};
use rusqlite::{Connection, params};

use crate::sqlite::error::Fault;
use crate::sqlite::query::{execute, one, unreadable};

/// The id that an event was published with, and what it is unique for.
fn identity(event: &Event) -> Option<(&str, &str)> {
    let attributes = event.attributes.as_deref()?;
    let id = attributes.id.as_deref()?;
    Some((attributes.source.as_deref().unwrap_or_default(), id))
}

/// Whether another event was published with the id of this one.
pub(in crate::sqlite) fn is_taken(db: &Connection, event: &Event) -> Result<bool, Fault> {
    let Some((source, id)) = identity(event) else {
        return Ok(false);
    };
    Ok(publication(db, event.account, source, id)?.is_some())
}

/// Remembers the id that an event was published with, if it was. Fails as a duplicate when another
/// event has it.
pub(in crate::sqlite) fn claim(db: &Connection, event: &Event) -> Result<(), Fault> {
    let Some((source, id)) = identity(event) else {
        return Ok(());
    };
    let sql = "insert into publications (account_id, source, id, event_id, digest)
        values (?1, ?2, ?3, ?4, ?5)";
    let digest = event.digest();
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
