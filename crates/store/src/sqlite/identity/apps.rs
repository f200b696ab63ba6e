//! Apps, JWT credentials and one-time sign-in codes.

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{Apps, StoreError};
use hookyard_domain::{
    AccountId, App, AppWrite, ClientId, JwtCredential, JwtCredentialWrite, PersonId, Scopes,
    Timestamp, TokenHash,
};
use rusqlite::{Connection, params};

use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{execute, one};
use crate::sqlite::row::Transaction;

pub(in crate::sqlite) fn put_app(db: &Connection, app: &App) -> Result<(), Fault> {
    let sql = "insert into apps (client_id, account_id, name, secret_hash, scopes, created_at)
        values (?1, ?2, ?3, ?4, ?5, ?6)
        on conflict (client_id) do update set name = excluded.name,
            secret_hash = excluded.secret_hash, scopes = excluded.scopes";
    let values = params![
        app.client_id.0,
        app.account.as_i64(),
        app.name,
        app.secret.map(|hash| hash.0),
        app.scopes.to_string(),
        app.created_at.as_millis(),
    ];
    execute(db, sql, values)?;
    Ok(())
}

pub(in crate::sqlite) fn app(db: &Connection, client_id: &ClientId) -> Result<Option<App>, Fault> {
    let sql =
        "select account_id, name, secret_hash, scopes, created_at from apps where client_id = ?1";
    one(db, sql, params![client_id.0], |row| {
        Ok(App {
            account: AccountId::from_i64(row.get(0)?),
            client_id: client_id.clone(),
            name: row.get(1)?,
            secret: row.get::<_, Option<[u8; 32]>>(2)?.map(TokenHash),
            scopes: read_scopes(&row.get::<_, String>(3)?),
            created_at: Timestamp::from_millis(row.get(4)?),
        })
    })
}

pub(in crate::sqlite) fn read_scopes(text: &str) -> Scopes {
    let Ok(scopes) = text.parse();
    scopes
}

pub(in crate::sqlite) fn put_jwt_credential(
    db: &Connection,
    credential: &JwtCredential,
) -> Result<(), Fault> {
    let sql = "insert into jwt_credentials (hash, account_id, person_id, client_id, created_at, revoked_at)
        values (?1, ?2, ?3, ?4, ?5, ?6)
        on conflict (hash) do update set revoked_at = excluded.revoked_at";
    let values = params![
        credential.hash.0,
        credential.account.as_i64(),
        credential.person.as_i64(),
        credential.client_id.as_ref().map(|id| &id.0),
        credential.created_at.as_millis(),
        credential.revoked_at.map(Timestamp::as_millis),
    ];
    execute(db, sql, values)?;
    Ok(())
}

pub(in crate::sqlite) fn jwt_credential(
    db: &Connection,
    hash: TokenHash,
) -> Result<Option<JwtCredential>, Fault> {
    let sql = "select account_id, person_id, client_id, created_at, revoked_at
        from jwt_credentials where hash = ?1";
    one(db, sql, params![hash.0], |row| {
        Ok(JwtCredential {
            account: AccountId::from_i64(row.get(0)?),
            person: PersonId::from_i64(row.get(1)?),
            client_id: row.get::<_, Option<String>>(2)?.map(ClientId),
            hash,
            created_at: Timestamp::from_millis(row.get(3)?),
            revoked_at: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
        })
    })
}

/// Applies what is written of apps.
pub(in crate::sqlite) fn write_app(tx: &Transaction<'_>, write: &AppWrite) -> Result<(), Fault> {
    match write {
        AppWrite::Put(app) => put_app(tx.db, app),
    }
}

/// Applies what is written of JWT credentials.
pub(in crate::sqlite) fn write_jwt_credential(
    tx: &Transaction<'_>,
    write: &JwtCredentialWrite,
) -> Result<(), Fault> {
    match write {
        JwtCredentialWrite::Put(credential) => put_jwt_credential(tx.db, credential),
    }
}

#[async_trait]
impl Apps for SqliteStore {
    async fn app(&self, client_id: &ClientId) -> Result<Option<App>, StoreError> {
        let client_id = client_id.clone();
        self.read(move |db, _| app(db, &client_id)).await
    }

    async fn jwt_credential(&self, hash: TokenHash) -> Result<Option<JwtCredential>, StoreError> {
        self.read(move |db, _| jwt_credential(db, hash)).await
    }
}
