//! Accounts, persons and passwords.

use hookyard_domain::{Account, AccountId, Person, PersonId, PersonKind, Secret, Timestamp};
use rusqlite::{Connection, Row, params};

use super::error::Fault;
use super::query::{execute, many, one, unreadable};

pub(super) fn put_account(db: &Connection, account: &Account) -> Result<(), Fault> {
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

pub(super) fn account(db: &Connection, account: AccountId) -> Result<Option<Account>, Fault> {
    let sql = "select id, name, created_at from accounts where id = ?1";
    one(db, sql, params![account.as_i64()], read_account)
}

pub(super) fn first_account(db: &Connection) -> Result<Option<Account>, Fault> {
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

pub(super) fn put_person(db: &Connection, person: &Person) -> Result<(), Fault> {
    let sql = "insert into persons (id, account_id, kind, first_name, last_name, email,
            extension_number, admin, created_at, modified_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        on conflict (id) do update set kind = excluded.kind, first_name = excluded.first_name,
            last_name = excluded.last_name, email = excluded.email,
            extension_number = excluded.extension_number, admin = excluded.admin,
            modified_at = excluded.modified_at";
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
    ];
    execute(db, sql, values)?;
    Ok(())
}

fn read_person(row: &Row<'_>) -> rusqlite::Result<Person> {
    let kind: String = row.get(2)?;
    let kind = [PersonKind::User, PersonKind::Bot, PersonKind::Integration]
        .into_iter()
        .find(|known| kind_name(*known) == kind)
        .ok_or_else(|| unreadable(2, "the kind of a person"))?;
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
    })
}

macro_rules! select_person {
    ($rest:literal) => {
        concat!(
            "select id, account_id, kind, first_name, last_name, email, extension_number, admin,
                created_at, modified_at from persons ",
            $rest
        )
    };
}

pub(super) fn person(
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

pub(super) fn persons(
    db: &Connection,
    account: AccountId,
    limit: u32,
) -> Result<Vec<Person>, Fault> {
    let sql = select_person!("where account_id = ?1 order by id limit ?2");
    many(db, sql, params![account.as_i64(), limit], read_person)
}

pub(super) fn person_by_email(
    db: &Connection,
    account: AccountId,
    email: &str,
) -> Result<Option<Person>, Fault> {
    let sql = select_person!("where account_id = ?1 and email = ?2");
    one(db, sql, params![account.as_i64(), email], read_person)
}

/// In whose name posts through webhooks appear.
pub(super) fn integration(db: &Connection, account: AccountId) -> Result<Option<PersonId>, Fault> {
    let sql =
        "select id from persons where account_id = ?1 and kind = 'integration' order by id limit 1";
    one(db, sql, params![account.as_i64()], |row| {
        row.get(0).map(PersonId::from_i64)
    })
}

pub(super) fn put_password(
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

pub(super) fn password_of(db: &Connection, name: &str) -> Result<Option<(Person, Secret)>, Fault> {
    let sql = "select p.id, p.account_id, p.kind, p.first_name, p.last_name, p.email,
            p.extension_number, p.admin, p.created_at, p.modified_at, w.hash
        from persons p join passwords w on w.person_id = p.id
        where p.email = ?1 or p.extension_number = ?1
        order by p.email = ?1 desc, p.id limit 1";
    one(db, sql, params![name], |row| {
        Ok((read_person(row)?, Secret::new(row.get::<_, String>(10)?)))
    })
}
