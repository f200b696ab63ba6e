//! Persons across all accounts, for operators.

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{Operators, StoreError};
use hookyard_domain::{Person, PersonId};
use rusqlite::{Connection, params};

use super::accounts::{person_columns, read_person};
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{many, one};

macro_rules! select_person {
    ($rest:expr) => {
        concat!("select ", person_columns!(), " from persons p ", $rest)
    };
}

/// How many operators there are.
pub(in crate::sqlite) fn count(db: &Connection) -> Result<u32, Fault> {
    let sql = "select count(*) from persons where operator = 1";
    Ok(one(db, sql, [], |row| row.get(0))?.unwrap_or(0))
}

#[async_trait]
impl Operators for SqliteStore {
    async fn operators(&self) -> Result<Vec<Person>, StoreError> {
        let sql = select_person!("where operator = 1 order by id");
        self.read(move |db, _| many(db, sql, [], read_person)).await
    }

    async fn anybody(&self, person: PersonId) -> Result<Option<Person>, StoreError> {
        let sql = select_person!("where id = ?1");
        self.read(move |db, _| one(db, sql, [person.as_i64()], read_person))
            .await
    }

    async fn anybody_at(&self, email: &str, limit: u32) -> Result<Vec<Person>, StoreError> {
        let email = email.to_owned();
        let sql = select_person!("where lower(email) = lower(?1) order by id limit ?2");
        self.read(move |db, _| many(db, sql, params![email, limit], read_person))
            .await
    }
}
