//! First requests with a key, for those that repeat them.

use async_trait::async_trait;
use hookyard_domain::kernel::limits::{FIRST_REQUESTS_BYTES_MAX, FIRST_REQUESTS_MAX};
use hookyard_domain::kernel::ports::{FirstRequests, StoreError};
use hookyard_domain::{
    AccountId, FirstRequest, FirstRequestWrite, RequestDigest, RequestKey, Timestamp,
};
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::error::Fault;
use super::query::{execute, one, unreadable};
use super::row::{Transaction, With};
use crate::records::{FirstAnswerRecord, from_json, to_json};
use crate::vault::Vault;

const PLACE: &str = "first_requests.answer";

/// Writes a request in place of the one that had its key, and forgets the caller's oldest.
fn put(db: &Connection, first: &FirstRequest, answer: Option<&[u8]>) -> Result<(), Fault> {
    let key = &first.key;
    let (account, person) = (key.account.as_i64(), key.person.as_i64());
    let sql = "delete from first_requests
        where account_id = ?1 and person_id = ?2 and client_id = ?3 and key = ?4";
    let values = params![account, person, key.client_id.0, key.hash.as_slice()];
    execute(db, sql, values)?;
    let sql = "select number, bytes + coalesce(length(answer_sealed), 0) from first_requests
        where account_id = ?1 and person_id = ?2 and client_id = ?3
        order by number desc limit 1";
    let values = params![account, person, key.client_id.0];
    let newest = one(db, sql, values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (number, bytes): (i64, i64) = newest.unwrap_or_default();
    let number = number + 1;
    let sql = "insert into first_requests (account_id, person_id, client_id, key, number, bytes,
            digest, at, answer_sealed)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![
        account,
        person,
        key.client_id.0,
        key.hash.as_slice(),
        number,
        bytes,
        first.digest.0.as_slice(),
        first.at.as_millis(),
        answer,
    ];
    execute(db, sql, values)?;
    let sql = "delete from first_requests
        where account_id = ?1 and person_id = ?2 and client_id = ?3 and number <= ?4";
    let last = number - i64::from(FIRST_REQUESTS_MAX);
    execute(db, sql, params![account, person, key.client_id.0, last])?;
    // Those whose answers begin more than so many bytes before the newest's ends.
    let length = i64::try_from(answer.map_or(0, <[u8]>::len)).unwrap_or(i64::MAX);
    let sql = "delete from first_requests
        where account_id = ?1 and person_id = ?2 and client_id = ?3 and bytes < ?4";
    let least = bytes + length - i64::from(FIRST_REQUESTS_BYTES_MAX);
    execute(db, sql, params![account, person, key.client_id.0, least])?;
    Ok(())
}

/// Whether no request has this key among those that are remembered.
pub(super) fn is_free(db: &Connection, key: &RequestKey, now: Timestamp) -> Result<bool, Fault> {
    let sql = "select at from first_requests
        where account_id = ?1 and person_id = ?2 and client_id = ?3 and key = ?4";
    let values = params![
        key.account.as_i64(),
        key.person.as_i64(),
        key.client_id.0,
        key.hash.as_slice(),
    ];
    let at = one(db, sql, values, |row| {
        row.get(0).map(Timestamp::from_millis)
    })?;
    Ok(at.is_none_or(|at| !FirstRequest::is_kept_since(at, now)))
}

fn first_request(
    db: &Connection,
    vault: &Vault,
    key: &RequestKey,
) -> Result<Option<FirstRequest>, Fault> {
    let sql = "select digest, at, answer_sealed from first_requests
        where account_id = ?1 and person_id = ?2 and client_id = ?3 and key = ?4";
    let values = params![
        key.account.as_i64(),
        key.person.as_i64(),
        key.client_id.0,
        key.hash.as_slice(),
    ];
    one(db, sql, values, |row| {
        let sealed: Option<Vec<u8>> = row.get(2)?;
        let answer = sealed.map(|sealed| {
            let opened = vault.open(PLACE, &sealed);
            opened
                .and_then(from_json::<FirstAnswerRecord<'_>, _>)
                .ok_or_else(|| unreadable(2, "an answer"))
        });
        Ok(FirstRequest {
            key: key.clone(),
            digest: RequestDigest(row.get(0)?),
            at: Timestamp::from_millis(row.get(1)?),
            answer: answer.transpose()?,
        })
    })
}

/// Forgets what an account's callers were answered, and remembers that they were.
pub(super) fn forget_answers(db: &Connection, account: AccountId) -> Result<(), Fault> {
    let sql = "update first_requests set answer_sealed = null
        where account_id = ?1 and answer_sealed is not null";
    execute(db, sql, [account.as_i64()])?;
    Ok(())
}

fn purge(db: &Connection, before: Timestamp) -> Result<(), Fault> {
    let sql = "delete from first_requests where at <= ?1";
    execute(db, sql, [before.as_millis()])?;
    Ok(())
}

/// With the answer, sealed.
pub(super) type Encoded = With<FirstRequestWrite, Option<Vec<u8>>>;

pub(super) fn encode(vault: &Vault, write: FirstRequestWrite) -> Encoded {
    let answer = match &write {
        FirstRequestWrite::Put(first) => first.answer.as_ref(),
        FirstRequestWrite::Purge { .. } => None,
    };
    let columns = answer.map(|answer| {
        let record = to_json(&FirstAnswerRecord::from(answer));
        vault.seal(PLACE, record.as_bytes())
    });
    Encoded { write, columns }
}

/// Applies what is written of first requests.
pub(super) fn write(tx: &Transaction<'_>, row: &Encoded) -> Result<(), Fault> {
    match &row.write {
        FirstRequestWrite::Put(first) => put(tx.db, first, row.columns.as_deref()),
        FirstRequestWrite::Purge { before } => purge(tx.db, *before),
    }
}

#[async_trait]
impl FirstRequests for SqliteStore {
    async fn first_request(
        &self,
        key: &RequestKey,
        now: Timestamp,
    ) -> Result<Option<FirstRequest>, StoreError> {
        let key = key.clone();
        let found = self.read(move |db, vault| first_request(db, vault, &key));
        Ok(found.await?.filter(|first| first.is_kept(now)))
    }
}

#[cfg(test)]
mod tests {
    use hookyard_domain::{ClientId, PersonId};

    use super::*;

    fn first(number: u32) -> FirstRequest {
        let (account, person) = (AccountId(1), PersonId(2));
        let text = number.to_string();
        let key = RequestKey::read(account, person, ClientId("app".into()), text.as_bytes());
        FirstRequest {
            key: key.unwrap(),
            digest: RequestDigest::of([]),
            at: Timestamp::from_millis(0),
            answer: None,
        }
    }

    /// Of a caller the newest bytes stay, however they are spread.
    #[test]
    fn so_many_bytes_are_remembered_of_a_caller() {
        let db = Connection::open_in_memory().unwrap();
        let migration = include_str!("../../migrations/0008_first_requests.sql");
        db.execute_batch(
            "create table accounts (id integer primary key); insert into accounts values (1);",
        )
        .unwrap();
        db.execute_batch(migration).unwrap();
        let kept = || {
            let sql =
                "select count(*), coalesce(sum(length(answer_sealed)), 0) from first_requests";
            let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
            db.query_row(sql, [], row).unwrap()
        };
        let quarter = vec![0; FIRST_REQUESTS_BYTES_MAX as usize / 4];
        for number in 0..4 {
            put(&db, &first(number), Some(&quarter)).unwrap();
        }
        assert_eq!(kept(), (4, FIRST_REQUESTS_BYTES_MAX.into()));
        for number in 4..8 {
            put(&db, &first(number), None).unwrap();
        }
        assert_eq!(kept(), (8, FIRST_REQUESTS_BYTES_MAX.into()));
        put(&db, &first(8), Some(&[0])).unwrap();
        let three = i64::from(FIRST_REQUESTS_BYTES_MAX / 4) * 3 + 1;
        assert_eq!(kept(), (8, three), "the oldest is gone");
        let now = Timestamp::from_millis(0);
        assert!(is_free(&db, &first(0).key, now).unwrap());
        assert!(!is_free(&db, &first(1).key, now).unwrap());
        // An answer that follows is counted when it comes.
        put(&db, &first(4), Some(&quarter)).unwrap();
        assert_eq!(kept(), (7, three), "the next took its place");
        assert!(is_free(&db, &first(1).key, now).unwrap());
        assert!(!is_free(&db, &first(4).key, now).unwrap());
    }
}
