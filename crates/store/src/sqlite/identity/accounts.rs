//! Accounts, persons and passwords.

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{Accounts, PersonQuery, Persons, StoreError};
use hookyard_domain::{
    Account, AccountId, AccountWrite, Person, PersonId, PersonKind, PersonStatus, PersonWrite,
    Secret, Timestamp,
};
use rusqlite::{Connection, Row, params};

use crate::sqlite::error::Fault;
use crate::sqlite::query::{count, execute, many, offset, one, unreadable};
use crate::sqlite::row::Transaction;
use crate::sqlite::{SqliteStore, erasure};

pub(in crate::sqlite) fn put_account(db: &Connection, account: &Account) -> Result<(), Fault> {
    let sql = "insert into accounts (id, name, created_at) values (?1, ?2, ?3)
        on conflict (id) do update set name = excluded.name";
    execute(
        db,
        sql,
        params![
            account.id.as_i64(),
            account.name,
            account.created_at.as_millis()
        ],
    )?;
    Ok(())
}

fn read_account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: AccountId::from_i64(row.get(0)?),
        name: row.get(1)?,
        created_at: Timestamp::from_millis(row.get(2)?),
    })
}

pub(in crate::sqlite) fn account(
    db: &Connection,
    account: AccountId,
) -> Result<Option<Account>, Fault> {
    let sql = "select id, name, created_at from accounts where id = ?1";
    one(db, sql, params![account.as_i64()], read_account)
}

pub(in crate::sqlite) fn first_account(db: &Connection) -> Result<Option<Account>, Fault> {
    one(
        db,
        "select id, name, created_at from accounts order by id limit 1",
        [],
        read_account,
    )
}

const fn kind_name(kind: PersonKind) -> &'static str {
    match kind {
        PersonKind::User => "user",
        PersonKind::Bot => "bot",
        PersonKind::Integration => "integration",
    }
}

pub(in crate::sqlite) fn put_person(db: &Connection, person: &Person) -> Result<(), Fault> {
    let sql = "insert into persons (id, account_id, kind, first_name, last_name, email,
            extension_number, admin, created_at, modified_at, status, version, operator)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        on conflict (id) do update set kind = excluded.kind, first_name = excluded.first_name,
            last_name = excluded.last_name, email = excluded.email,
            extension_number = excluded.extension_number, admin = excluded.admin,
            modified_at = excluded.modified_at, status = excluded.status,
            version = excluded.version, operator = excluded.operator";
    let values = params![
        person.id.as_i64(),
        person.account.as_i64(),
        kind_name(person.kind),
        person.first_name,
        person.last_name,
        person.email,
        person.extension_number,
        person.admin,
        person.created_at.as_millis(),
        person.modified_at.as_millis(),
        person.status.name(),
        person.version.cast_signed(),
        person.operator,
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// Reads the person in columns 0 to 12.
pub(in crate::sqlite) fn read_person(row: &Row<'_>) -> rusqlite::Result<Person> {
    let kind: String = row.get(2)?;
    let kind = [PersonKind::User, PersonKind::Bot, PersonKind::Integration]
        .into_iter()
        .find(|known| kind_name(*known) == kind)
        .ok_or_else(|| unreadable(2, "the kind of a person"))?;
    let status: String = row.get(10)?;
    Ok(Person {
        id: PersonId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        kind,
        first_name: row.get(3)?,
        last_name: row.get(4)?,
        email: row.get(5)?,
        extension_number: row.get(6)?,
        admin: row.get(7)?,
        created_at: Timestamp::from_millis(row.get(8)?),
        modified_at: Timestamp::from_millis(row.get(9)?),
        status: PersonStatus::from_name(&status)
            .ok_or_else(|| unreadable(10, "the status of a person"))?,
        version: row.get::<_, i64>(11)?.cast_unsigned(),
        operator: row.get(12)?,
    })
}

/// Columns that [`read_person`] wants, in its order, from a table called `p`.
macro_rules! person_columns {
    () => {
        "p.id, p.account_id, p.kind, p.first_name, p.last_name, p.email, p.extension_number,
            p.admin, p.created_at, p.modified_at, p.status, p.version, p.operator"
    };
}
pub(in crate::sqlite) use person_columns;

macro_rules! select_person {
    ($rest:expr) => {
        concat!("select ", person_columns!(), " from persons p ", $rest)
    };
}

pub(in crate::sqlite) fn person(
    db: &Connection,
    account: AccountId,
    person: PersonId,
) -> Result<Option<Person>, Fault> {
    let sql = select_person!("where id = ?1 and account_id = ?2");
    one(
        db,
        sql,
        params![person.as_i64(), account.as_i64()],
        read_person,
    )
}

pub(in crate::sqlite) fn persons(
    db: &Connection,
    account: AccountId,
    limit: u32,
) -> Result<Vec<Person>, Fault> {
    let sql = select_person!("where account_id = ?1 order by id limit ?2");
    many(db, sql, params![account.as_i64(), limit], read_person)
}

pub(in crate::sqlite) fn person_by_email(
    db: &Connection,
    account: AccountId,
    email: &str,
) -> Result<Option<Person>, Fault> {
    let sql = select_person!("where account_id = ?1 and email = ?2");
    one(db, sql, params![account.as_i64(), email], read_person)
}

pub(in crate::sqlite) fn person_by_extension_number(
    db: &Connection,
    account: AccountId,
    number: &str,
) -> Result<Option<Person>, Fault> {
    let sql = select_person!("where account_id = ?1 and extension_number = ?2");
    one(db, sql, params![account.as_i64(), number], read_person)
}

macro_rules! wanted_persons {
    () => {
        "where account_id = ?1 and kind != 'integration' and (?2 is null or email = ?2)
            and (?3 is null or extension_number = ?3) and (?4 is null or status = ?4)
            and (?5 is null or kind = ?5)"
    };
}

/// A page of persons, and how many there are in all.
pub(in crate::sqlite) fn matching(
    db: &Connection,
    query: &PersonQuery,
) -> Result<(Vec<Person>, u64), Fault> {
    let status = query.status.map(PersonStatus::name);
    let kind = query.kind.map(kind_name);
    let total = count(
        db,
        concat!("select count(*) from persons ", wanted_persons!()),
        params![
            query.account.as_i64(),
            query.email,
            query.extension_number,
            status,
            kind,
        ],
    )?;
    let sql = select_person!(concat!(
        wanted_persons!(),
        " order by id limit ?6 offset ?7"
    ));
    let values = params![
        query.account.as_i64(),
        query.email,
        query.extension_number,
        status,
        kind,
        query.slice.limit,
        offset(query.slice),
    ];
    Ok((many(db, sql, values, read_person)?, total))
}

pub(in crate::sqlite) fn version(
    db: &Connection,
    account: AccountId,
    person: PersonId,
) -> Result<Option<u64>, Fault> {
    let sql = "select version from persons where id = ?1 and account_id = ?2";
    let values = params![person.as_i64(), account.as_i64()];
    one(db, sql, values, |row| row.get(0).map(i64::cast_unsigned))
}

/// The status of a person who is there.
pub(in crate::sqlite) fn status(
    db: &Connection,
    account: AccountId,
    person: PersonId,
) -> Result<Option<PersonStatus>, Fault> {
    let sql = "select status from persons where id = ?1 and account_id = ?2";
    let values = params![person.as_i64(), account.as_i64()];
    one(db, sql, values, |row| {
        PersonStatus::from_name(&row.get::<_, String>(0)?)
            .ok_or_else(|| unreadable(0, "the status of a person"))
    })
}

/// In whose name posts through webhooks appear.
pub(in crate::sqlite) fn integration(
    db: &Connection,
    account: AccountId,
) -> Result<Option<PersonId>, Fault> {
    let sql =
        "select id from persons where account_id = ?1 and kind = 'integration' order by id limit 1";
    one(db, sql, params![account.as_i64()], |row| {
        row.get(0).map(PersonId::from_i64)
    })
}

pub(in crate::sqlite) fn put_password(
    db: &Connection,
    account: AccountId,
    person: PersonId,
    hash: &Secret,
) -> Result<(), Fault> {
    let sql = "insert into passwords (person_id, hash)
        select id, ?3 from persons where id = ?1 and account_id = ?2
        on conflict (person_id) do update set hash = excluded.hash";
    execute(
        db,
        sql,
        params![person.as_i64(), account.as_i64(), hash.reveal()],
    )?;
    Ok(())
}

pub(in crate::sqlite) fn password_of(
    db: &Connection,
    name: &str,
) -> Result<Option<(Person, Secret)>, Fault> {
    let sql = concat!(
        "select ",
        person_columns!(),
        ", w.hash
        from persons p join passwords w on w.person_id = p.id
        where p.email = ?1 or p.extension_number = ?1
        order by p.email = ?1 desc, p.id limit 1"
    );
    one(db, sql, params![name], |row| {
        Ok((read_person(row)?, Secret::new(row.get::<_, String>(13)?)))
    })
}

/// Applies what is written of accounts.
pub(in crate::sqlite) fn write_account(
    tx: &Transaction<'_>,
    write: &AccountWrite,
) -> Result<(), Fault> {
    match write {
        AccountWrite::Put(account) => put_account(tx.db, account),
    }
}

/// Applies what is written of persons.
pub(in crate::sqlite) fn write_person(
    tx: &Transaction<'_>,
    write: &PersonWrite,
) -> Result<(), Fault> {
    match write {
        PersonWrite::Put(person) => put_person(tx.db, person),
        PersonWrite::PutPassword {
            account,
            person,
            hash,
        } => put_password(tx.db, *account, *person, hash),
        PersonWrite::ErasePersonals { account, person } => {
            erasure::personals(tx.db, *account, *person)
        }
    }
}

#[async_trait]
impl Accounts for SqliteStore {
    async fn account(&self, account: AccountId) -> Result<Option<Account>, StoreError> {
        self.read(move |db, _| self::account(db, account)).await
    }

    async fn first_account(&self) -> Result<Option<Account>, StoreError> {
        self.read(|db, _| first_account(db)).await
    }
}

#[async_trait]
impl Persons for SqliteStore {
    async fn person(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Option<Person>, StoreError> {
        self.read(move |db, _| self::person(db, account, person))
            .await
    }

    async fn persons(&self, account: AccountId, limit: u32) -> Result<Vec<Person>, StoreError> {
        self.read(move |db, _| persons(db, account, limit)).await
    }

    async fn person_by_email(
        &self,
        account: AccountId,
        email: &str,
    ) -> Result<Option<Person>, StoreError> {
        let email = email.to_owned();
        self.read(move |db, _| person_by_email(db, account, &email))
            .await
    }

    async fn person_by_extension_number(
        &self,
        account: AccountId,
        number: &str,
    ) -> Result<Option<Person>, StoreError> {
        let number = number.to_owned();
        self.read(move |db, _| person_by_extension_number(db, account, &number))
            .await
    }

    async fn persons_matching(&self, query: PersonQuery) -> Result<(Vec<Person>, u64), StoreError> {
        self.read(move |db, _| matching(db, &query)).await
    }

    async fn password_of(&self, name: &str) -> Result<Option<(Person, Secret)>, StoreError> {
        let name = name.to_owned();
        self.read(move |db, _| password_of(db, &name)).await
    }
}
