//! What the database says of itself: its last number, its key, and how it was left.

use std::collections::HashMap;

use rusqlite::Connection;

use super::error::{Fault, Step};
use super::query::{execute, many, one};
use crate::vault::Vault;

/// Every table whose ids come from the store's sequence.
const NUMBERED_TABLES: &[&str] = &[
    "accounts",
    "persons",
    "sessions",
    "chats",
    "posts",
    "messages",
    "requests",
    "bins",
    "bin_requests",
    "events",
    "deliveries",
    "jobs",
];

/// The largest number that any object has.
pub(super) fn last_id(db: &Connection) -> Result<u64, Fault> {
    let mut last = 0;
    for table in NUMBERED_TABLES {
        let sql = format!("select coalesce(max(id), 0) from {table}");
        let id: i64 = db
            .query_row(&sql, [], |row| row.get(0))
            .step("read the last id")?;
        last = last.max(id.cast_unsigned());
    }
    Ok(last)
}

/// Whether the store was stopped with nothing in doubt; a new one was.
pub(super) fn was_clean(db: &Connection) -> Result<bool, Fault> {
    let found: HashMap<String, String> = many(db, "select key, value from meta", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?
    .into_iter()
    .collect();
    Ok(found.get("clean").is_none_or(|value| value == "yes"))
}

/// What the key that belongs to this database opens.
const KEY_CHECK: &[u8] = b"hookyard";
const KEY_CHECK_PLACE: &str = "meta.key_check";

/// Refuses a key that is not this database's: what it sealed could not be read, and what it would
/// seal could not be read with the right one. A new database remembers its key.
pub(super) fn check_key(db: &Connection, vault: &Vault) -> Result<(), Fault> {
    let sql = "select value from meta where key = 'key_check'";
    let known: Option<String> = one(db, sql, [], |row| row.get(0))?;
    let Some(known) = known else {
        let sealed = vault.seal(KEY_CHECK_PLACE, KEY_CHECK);
        let sql = "insert into meta (key, value) values ('key_check', lower(hex(?1)))";
        execute(db, sql, [sealed])?;
        return Ok(());
    };
    let sealed: Option<Vec<u8>> = (0..known.len() / 2)
        .map(|at| {
            known
                .get(2 * at..2 * at + 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect();
    let opened = sealed.and_then(|sealed| vault.open(KEY_CHECK_PLACE, &sealed));
    if opened.as_deref() == Some(KEY_CHECK) {
        return Ok(());
    }
    Err(Fault::plain(
        "the key is not the one of this database: put the right `secret.key` back from your backup",
    ))
}

/// Marks the store as in use, or as stopped with nothing in doubt.
pub(super) fn set_clean(db: &Connection, clean: bool) -> Result<(), Fault> {
    let sql = "insert into meta (key, value) values ('clean', ?1)
    on conflict (key) do update set value = excluded.value";
    execute(db, sql, [if clean { "yes" } else { "no" }])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::{connection, migrations};

    /// A table that is forgotten here gives its numbers away again after a restart.
    #[test]
    fn every_table_with_a_number_for_its_id_is_asked_for_the_last_one() {
        let mut db = connection::open_in_memory().unwrap();
        migrations::migrate(&mut db).unwrap();
        let mut statement = db
            .prepare(
                "select t.name from pragma_table_list t join pragma_table_info(t.name) c
                where t.schema = 'main' and t.type = 'table' and c.name = 'id' and c.pk = 1
                    and lower(c.type) = 'integer'
                order by t.name",
            )
            .unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0));
        let found: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
        let mut known = NUMBERED_TABLES.to_vec();
        known.sort_unstable();
        assert_eq!(found, known);
    }
}
