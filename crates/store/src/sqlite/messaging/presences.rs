//! The presence of persons. Who has never set one has no row.

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{Presences, Slice, StoreError};
use hookyard_domain::{
    AccountId, DndStatus, Person, PersonId, Presence, PresenceWrite, UserStatus,
};
use rusqlite::{Connection, Row, params};

use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::identity::accounts::{person_columns, read_person};
use crate::sqlite::query::{count, execute, many, offset, one, unreadable};
use crate::sqlite::row::Transaction;

pub(in crate::sqlite) fn put(db: &Connection, presence: &Presence) -> Result<(), Fault> {
    let sql = "insert into presences (account_id, person_id, user_status, dnd_status, message,
            visible, ring_on_monitored_call, pick_up_calls_on_hold, sequence)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
        on conflict (account_id, person_id) do update set user_status = excluded.user_status,
            dnd_status = excluded.dnd_status, message = excluded.message,
            visible = excluded.visible,
            ring_on_monitored_call = excluded.ring_on_monitored_call,
            pick_up_calls_on_hold = excluded.pick_up_calls_on_hold, sequence = excluded.sequence";
    let values = params![
        presence.account.as_i64(),
        presence.person.as_i64(),
        presence.user_status.name(),
        presence.dnd_status.name(),
        presence.message,
        presence.visible,
        presence.ring_on_monitored_call,
        presence.pick_up_calls_on_hold,
        presence.sequence.cast_signed(),
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// How often the presence was changed, if it was ever set.
pub(in crate::sqlite) fn sequence(
    db: &Connection,
    account: AccountId,
    person: PersonId,
) -> Result<Option<u64>, Fault> {
    let sql = "select sequence from presences where account_id = ?1 and person_id = ?2";
    let values = params![account.as_i64(), person.as_i64()];
    one(db, sql, values, |row| row.get(0).map(i64::cast_unsigned))
}

macro_rules! presence_columns {
    () => {
        "r.user_status, r.dnd_status, r.message, r.visible, r.ring_on_monitored_call,
            r.pick_up_calls_on_hold, r.sequence"
    };
}

/// Reads the presence in columns `at..at + 7`; the default when these are null.
fn read(
    row: &Row<'_>,
    at: usize,
    account: AccountId,
    person: PersonId,
) -> rusqlite::Result<Presence> {
    let unset = Presence::unset(account, person);
    let Some(user_status) = row.get::<_, Option<String>>(at)? else {
        return Ok(unset);
    };
    let dnd_status: String = row.get(at + 1)?;
    Ok(Presence {
        user_status: UserStatus::from_name(&user_status)
            .ok_or_else(|| unreadable(at, "a presence"))?,
        dnd_status: DndStatus::from_name(&dnd_status)
            .ok_or_else(|| unreadable(at + 1, "a presence"))?,
        message: row.get(at + 2)?,
        visible: row.get(at + 3)?,
        ring_on_monitored_call: row.get(at + 4)?,
        pick_up_calls_on_hold: row.get(at + 5)?,
        sequence: row.get::<_, i64>(at + 6)?.cast_unsigned(),
        ..unset
    })
}

pub(in crate::sqlite) fn presence(
    db: &Connection,
    account: AccountId,
    person: PersonId,
) -> Result<Option<Presence>, Fault> {
    let sql = concat!(
        "select ",
        presence_columns!(),
        " from presences r where r.account_id = ?1 and r.person_id = ?2"
    );
    let values = params![account.as_i64(), person.as_i64()];
    one(db, sql, values, |row| read(row, 0, account, person))
}

macro_rules! visible_persons {
    () => {
        " from persons p left join presences r
            on r.account_id = p.account_id and r.person_id = p.id
        where p.account_id = ?1 and p.kind != 'integration' and p.status = 'Enabled'
            and (?2 is null or p.id = ?2 or coalesce(r.visible, 1))"
    };
}

/// Enabled persons with their presence, and how many there are in all. What is hidden from `viewer`
/// is left out.
pub(in crate::sqlite) fn presences(
    db: &Connection,
    account: AccountId,
    viewer: Option<PersonId>,
    slice: Slice,
) -> Result<(Vec<(Person, Presence)>, u64), Fault> {
    let viewer = viewer.map(PersonId::as_i64);
    let total = count(
        db,
        concat!("select count(*)", visible_persons!()),
        params![account.as_i64(), viewer],
    )?;
    let sql = concat!(
        "select ",
        person_columns!(),
        ", ",
        presence_columns!(),
        visible_persons!(),
        " order by p.id limit ?3 offset ?4"
    );
    let values = params![account.as_i64(), viewer, slice.limit, offset(slice)];
    let found = many(db, sql, values, |row| {
        let person = read_person(row)?;
        let presence = read(row, 13, account, person.id)?;
        Ok((person, presence))
    })?;
    Ok((found, total))
}

/// Applies what is written of presences.
pub(in crate::sqlite) fn write(tx: &Transaction<'_>, write: &PresenceWrite) -> Result<(), Fault> {
    match write {
        PresenceWrite::Put(presence) => put(tx.db, presence),
    }
}

#[async_trait]
impl Presences for SqliteStore {
    async fn presence(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Option<Presence>, StoreError> {
        self.read(move |db, _| presence(db, account, person)).await
    }

    async fn presences(
        &self,
        account: AccountId,
        viewer: Option<PersonId>,
        slice: Slice,
    ) -> Result<(Vec<(Person, Presence)>, u64), StoreError> {
        self.read(move |db, _| presences(db, account, viewer, slice))
            .await
    }
}
