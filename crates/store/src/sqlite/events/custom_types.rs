//! Types of events that accounts register.

use std::sync::Arc;

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{CustomTypes, StoreError};
use hookyard_domain::{AccountId, CustomType, CustomTypeWrite, Timestamp, TypeName};
use rusqlite::{Connection, Row, params};

use crate::records::{VersionsRecord, from_json, to_json};
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{execute, many, one, unreadable};
use crate::sqlite::row::{Transaction, With};
use crate::vault::Vault;

/// Writes a type. The caller has looked at its guard.
fn put(db: &Connection, custom_type: &CustomType, versions: &str) -> Result<(), Fault> {
    let sql = "insert into event_types (account_id, name, description, deprecated_at,
            deprecation_note, versions, created_at, version)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        on conflict (account_id, name) do update set description = excluded.description,
            deprecated_at = excluded.deprecated_at, deprecation_note = excluded.deprecation_note,
            versions = excluded.versions, version = excluded.version";
    let deprecated = custom_type.deprecated.as_ref();
    let values = params![
        custom_type.account.as_i64(),
        custom_type.name.as_str(),
        custom_type.description,
        deprecated.map(|(at, _)| at.as_millis()),
        deprecated.map(|(_, note)| note),
        versions,
        custom_type.created_at.as_millis(),
        custom_type.version.cast_signed(),
    ];
    execute(db, sql, values)?;
    Ok(())
}

pub(in crate::sqlite) fn delete(
    db: &Connection,
    account: AccountId,
    name: &TypeName,
) -> Result<(), Fault> {
    let sql = "delete from event_types where account_id = ?1 and name = ?2";
    execute(db, sql, params![account.as_i64(), name.as_str()])?;
    Ok(())
}

/// The version of a type that is there.
pub(in crate::sqlite) fn version(
    db: &Connection,
    account: AccountId,
    name: &TypeName,
) -> Result<Option<u64>, Fault> {
    let sql = "select version from event_types where account_id = ?1 and name = ?2";
    one(db, sql, params![account.as_i64(), name.as_str()], |row| {
        row.get(0).map(i64::cast_unsigned)
    })
}

macro_rules! select_type {
    ($rest:literal) => {
        concat!(
            "select account_id, name, description, deprecated_at, deprecation_note, versions,
                created_at, version from event_types ",
            $rest
        )
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<CustomType> {
    let name: String = row.get(1)?;
    let deprecated_at: Option<i64> = row.get(3)?;
    let note: Option<String> = row.get(4)?;
    let versions: String = row.get(5)?;
    Ok(CustomType {
        account: AccountId::from_i64(row.get(0)?),
        name: TypeName::parse(&name).map_err(|_| unreadable(1, "the name of a type"))?,
        description: row.get(2)?,
        deprecated: deprecated_at.map(|at| (Timestamp::from_millis(at), note.unwrap_or_default())),
        versions: from_json::<VersionsRecord<'_>, _>(versions)
            .ok_or_else(|| unreadable(5, "the versions of a type"))?,
        created_at: Timestamp::from_millis(row.get(6)?),
        version: row.get::<_, i64>(7)?.cast_unsigned(),
    })
}

pub(in crate::sqlite) fn named(
    db: &Connection,
    account: AccountId,
    name: &TypeName,
) -> Result<Option<CustomType>, Fault> {
    let sql = select_type!("where account_id = ?1 and name = ?2");
    one(db, sql, params![account.as_i64(), name.as_str()], read)
}

pub(in crate::sqlite) fn all(
    db: &Connection,
    account: AccountId,
) -> Result<Vec<CustomType>, Fault> {
    let sql = select_type!("where account_id = ?1 order by name");
    many(db, sql, params![account.as_i64()], read)
}

/// With the versions of a type that is put.
pub(in crate::sqlite) type Encoded = With<CustomTypeWrite, String>;

pub(in crate::sqlite) fn encode(_: &Vault, write: CustomTypeWrite) -> Encoded {
    let columns = match &write {
        CustomTypeWrite::Put(custom_type) => to_json(&VersionsRecord::from(&custom_type.versions)),
        CustomTypeWrite::Delete { .. } => String::new(),
    };
    Encoded { write, columns }
}

/// Applies what is written of types.
pub(in crate::sqlite) fn write(tx: &Transaction<'_>, row: &Encoded) -> Result<(), Fault> {
    match &row.write {
        CustomTypeWrite::Put(custom_type) => put(tx.db, custom_type, &row.columns),
        CustomTypeWrite::Delete { account, name } => delete(tx.db, *account, name),
    }
}

#[async_trait]
impl CustomTypes for SqliteStore {
    async fn custom_type(
        &self,
        account: AccountId,
        name: &TypeName,
    ) -> Result<Option<Arc<CustomType>>, StoreError> {
        let key = (account, name.clone());
        let mark = match self.caches.types.get(&key) {
            Ok(found) => return Ok(Some(found)),
            Err(mark) => mark,
        };
        let name = name.clone();
        let found = self
            .read(move |db, _| named(db, account, &name))
            .await?
            .map(Arc::new);
        if let Some(found) = &found {
            self.caches.types.put(key, Arc::clone(found), mark);
        }
        Ok(found)
    }

    async fn custom_types(&self, account: AccountId) -> Result<Vec<CustomType>, StoreError> {
        self.read(move |db, _| all(db, account)).await
    }
}
