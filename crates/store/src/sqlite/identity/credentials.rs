//! JWT credentials and personal access tokens: hashed, and never shown again.

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{CredentialQuery, Credentials, StoreError};
use hookyard_domain::{
    AccountId, ClientId, Credential, CredentialId, CredentialKind, CredentialWrite, PersonId,
    Timestamp, TokenHash,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::apps::read_scopes;
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{count, execute, many, one, unreadable};
use crate::sqlite::row::Transaction;

fn put(db: &Connection, credential: &Credential) -> Result<(), Fault> {
    let sql = "insert into credentials (id, account_id, person_id, kind, name, client_id, scopes,
            hash, hint, created_at, expires_at, last_used_at, revoked_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let values = params![
        credential.id.0.as_bytes(),
        credential.account.as_i64(),
        credential.person.as_i64(),
        credential.kind.name(),
        credential.name,
        credential.client_id.as_ref().map(|id| &id.0),
        credential.scopes.map(|scopes| scopes.to_string()),
        credential.hash.0,
        credential.hint,
        credential.created_at.as_millis(),
        credential.expires_at.map(Timestamp::as_millis),
        credential.last_used_at.map(Timestamp::as_millis),
        credential.revoked_at.map(Timestamp::as_millis),
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// 1 for a credential that is there and was not revoked.
pub(in crate::sqlite) fn version(
    db: &Connection,
    account: AccountId,
    credential: CredentialId,
) -> Result<Option<u64>, Fault> {
    let sql = "select 1 from credentials
        where id = ?1 and account_id = ?2 and revoked_at is null";
    let values = params![credential.0.as_bytes(), account.as_i64()];
    one(db, sql, values, |row| row.get(0).map(i64::cast_unsigned))
}

/// How many a person has, or has that are good at a moment.
pub(in crate::sqlite) fn count_of(
    db: &Connection,
    account: AccountId,
    person: PersonId,
    live_at: Option<Timestamp>,
) -> Result<u32, Fault> {
    let sql = "select count(*) from credentials where account_id = ?1 and person_id = ?2
        and (?3 is null or (revoked_at is null and coalesce(expires_at > ?3, true)))";
    let live_at = live_at.map(Timestamp::as_millis);
    let counted = count(db, sql, params![account.as_i64(), person.as_i64(), live_at])?;
    Ok(u32::try_from(counted).unwrap_or(u32::MAX))
}

macro_rules! select_credential {
    ($rest:literal) => {
        concat!(
            "select id, account_id, person_id, kind, name, client_id, scopes, hash, hint,
                created_at, expires_at, last_used_at, revoked_at from credentials ",
            $rest
        )
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<Credential> {
    let kind: String = row.get(3)?;
    let kind = CredentialKind::from_name(&kind);
    let time = |at| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(at)?.map(Timestamp::from_millis))
    };
    Ok(Credential {
        id: CredentialId(Uuid::from_bytes(row.get(0)?)),
        account: AccountId::from_i64(row.get(1)?),
        person: PersonId::from_i64(row.get(2)?),
        kind: kind.ok_or_else(|| unreadable(3, "a credential's kind"))?,
        name: row.get(4)?,
        client_id: row.get::<_, Option<String>>(5)?.map(ClientId),
        scopes: row.get::<_, Option<String>>(6)?.as_deref().map(read_scopes),
        hash: TokenHash(row.get(7)?),
        hint: row.get(8)?,
        created_at: Timestamp::from_millis(row.get(9)?),
        expires_at: time(10)?,
        last_used_at: time(11)?,
        revoked_at: time(12)?,
    })
}

fn credential(
    db: &Connection,
    account: AccountId,
    credential: CredentialId,
) -> Result<Option<Credential>, Fault> {
    let sql = select_credential!("where id = ?1 and account_id = ?2");
    let values = params![credential.0.as_bytes(), account.as_i64()];
    one(db, sql, values, read)
}

fn credential_of(db: &Connection, hash: TokenHash) -> Result<Option<Credential>, Fault> {
    let sql = select_credential!("where hash = ?1");
    one(db, sql, params![hash.0], read)
}

fn credentials(db: &Connection, query: CredentialQuery) -> Result<Vec<Credential>, Fault> {
    let sql = select_credential!(
        "where account_id = ?1 and person_id = ?2 and (?3 is null or kind = ?3)
        order by created_at desc, id desc"
    );
    let values = params![
        query.account.as_i64(),
        query.person.as_i64(),
        query.kind.map(CredentialKind::name),
    ];
    many(db, sql, values, read)
}

/// Applies what is written of credentials.
pub(in crate::sqlite) fn write(tx: &Transaction<'_>, write: &CredentialWrite) -> Result<(), Fault> {
    let db = tx.db;
    match write {
        CredentialWrite::Put(credential) => put(db, credential),
        CredentialWrite::Rename {
            account,
            credential,
            name,
        } => {
            let sql = "update credentials set name = ?3 where id = ?1 and account_id = ?2";
            let values = params![credential.0.as_bytes(), account.as_i64(), name];
            execute(db, sql, values).map(drop)
        }
        CredentialWrite::Used {
            account,
            credential,
            at,
        } => {
            let sql = "update credentials set last_used_at = max(?3, coalesce(last_used_at, ?3))
                where id = ?1 and account_id = ?2";
            let values = params![credential.0.as_bytes(), account.as_i64(), at.as_millis()];
            execute(db, sql, values).map(drop)
        }
        CredentialWrite::Revoke {
            account,
            credential,
            at,
        } => {
            let sql = "update credentials set revoked_at = ?3
                where id = ?1 and account_id = ?2 and revoked_at is null";
            let values = params![credential.0.as_bytes(), account.as_i64(), at.as_millis()];
            execute(db, sql, values).map(drop)
        }
        CredentialWrite::Delete {
            account,
            credential,
        } => {
            let sql = "delete from credentials where id = ?1 and account_id = ?2";
            let values = params![credential.0.as_bytes(), account.as_i64()];
            execute(db, sql, values).map(drop)
        }
        CredentialWrite::DeleteAllThrough { account, client_id } => {
            let sql = "delete from credentials where account_id = ?1 and client_id = ?2";
            execute(db, sql, params![account.as_i64(), client_id.0]).map(drop)
        }
    }
}

#[async_trait]
impl Credentials for SqliteStore {
    async fn credential(
        &self,
        account: AccountId,
        credential: CredentialId,
    ) -> Result<Option<Credential>, StoreError> {
        self.read(move |db, _| self::credential(db, account, credential))
            .await
    }

    async fn credential_of(&self, hash: TokenHash) -> Result<Option<Credential>, StoreError> {
        self.read(move |db, _| credential_of(db, hash)).await
    }

    async fn credentials(&self, query: CredentialQuery) -> Result<Vec<Credential>, StoreError> {
        self.read(move |db, _| credentials(db, query)).await
    }
}
