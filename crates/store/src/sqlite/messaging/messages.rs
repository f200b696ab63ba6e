//! Messages between persons, a copy for each of them.

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{MessageQuery, Messages, StoreError};
use hookyard_domain::messaging::message::{Availability, Direction, ReadStatus};
use hookyard_domain::{
    AccountId, ConversationId, Message, MessageId, MessageWrite, PersonId, Timestamp,
};
use rusqlite::{Connection, Row, params};
use serde::de::DeserializeOwned;

use crate::records::{CorrespondentRecord, CorrespondentsRecord, from_json, to_json};
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{count, execute, many, offset, one, unreadable};
use crate::sqlite::row::{Transaction, With};
use crate::vault::Vault;

fn put(db: &Connection, message: &Message, columns: &Columns) -> Result<(), Fault> {
    let sql = "insert into messages (id, account_id, owner_id, direction, sender, receivers, text,
            conversation_id, read_status, availability, created_at, modified_at, version)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        on conflict (id) do update set read_status = excluded.read_status,
            availability = excluded.availability, modified_at = excluded.modified_at,
            version = excluded.version";
    let values = params![
        message.id.as_i64(),
        message.account.as_i64(),
        message.owner.as_i64(),
        message.direction.name(),
        columns.from,
        columns.to,
        message.text,
        message.conversation.0.cast_signed(),
        message.read_status.name(),
        message.availability.name(),
        message.created_at.as_millis(),
        message.modified_at.as_millis(),
        message.version.cast_signed(),
    ];
    execute(db, sql, values)?;
    Ok(())
}

pub(in crate::sqlite) fn delete(
    db: &Connection,
    account: AccountId,
    message: MessageId,
) -> Result<(), Fault> {
    let sql = "delete from messages where id = ?1 and account_id = ?2";
    execute(db, sql, params![message.as_i64(), account.as_i64()])?;
    Ok(())
}

pub(in crate::sqlite) fn version(
    db: &Connection,
    account: AccountId,
    message: MessageId,
) -> Result<Option<u64>, Fault> {
    let sql = "select version from messages where id = ?1 and account_id = ?2";
    let values = params![message.as_i64(), account.as_i64()];
    one(db, sql, values, |row| row.get(0).map(i64::cast_unsigned))
}

fn named<T>(
    row: &Row<'_>,
    at: usize,
    from_name: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let name: String = row.get(at)?;
    from_name(&name).ok_or_else(|| unreadable(at, "the state of a message"))
}

fn json<R: DeserializeOwned, T: TryFrom<R>>(row: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    let text: String = row.get(at)?;
    from_json::<R, T>(text).ok_or_else(|| unreadable(at, "who a message is from or to"))
}

pub(in crate::sqlite) fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: MessageId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        owner: PersonId::from_i64(row.get(2)?),
        direction: named(row, 3, Direction::from_name)?,
        from: json::<CorrespondentRecord<'_>, _>(row, 4)?,
        to: json::<CorrespondentsRecord<'_>, _>(row, 5)?,
        text: row.get(6)?,
        conversation: ConversationId(row.get::<_, i64>(7)?.cast_unsigned()),
        read_status: named(row, 8, ReadStatus::from_name)?,
        availability: named(row, 9, Availability::from_name)?,
        created_at: Timestamp::from_millis(row.get(10)?),
        modified_at: Timestamp::from_millis(row.get(11)?),
        version: row.get::<_, i64>(12)?.cast_unsigned(),
    })
}

macro_rules! select_message {
    ($rest:expr) => {
        concat!(
            "select id, account_id, owner_id, direction, sender, receivers, text, conversation_id,
                read_status, availability, created_at, modified_at, version",
            $rest
        )
    };
}

pub(in crate::sqlite) use select_message;

pub(in crate::sqlite) fn message(
    db: &Connection,
    account: AccountId,
    owner: PersonId,
    message: MessageId,
) -> Result<Option<Message>, Fault> {
    let sql = select_message!(" from messages where id = ?1 and account_id = ?2 and owner_id = ?3");
    let values = params![message.as_i64(), account.as_i64(), owner.as_i64()];
    one(db, sql, values, read)
}

macro_rules! wanted_messages {
    () => {
        " from messages where account_id = ?1 and owner_id = ?2
            and created_at >= ?3 and created_at <= ?4
            and (?5 is null or direction = ?5) and (?6 is null or read_status = ?6)
            and (?7 is null or availability = ?7) and (?8 is null or conversation_id = ?8)"
    };
}

/// A page of messages, newest first, and how many there are in all.
pub(in crate::sqlite) fn messages(
    db: &Connection,
    query: &MessageQuery,
) -> Result<(Vec<Message>, u64), Fault> {
    let direction = query.direction.map(Direction::name);
    let read_status = query.read_status.map(ReadStatus::name);
    let availability = query.availability.map(Availability::name);
    let conversation = query.conversation.map(|id| id.0.cast_signed());
    let total = count(
        db,
        concat!("select count(*)", wanted_messages!()),
        params![
            query.account.as_i64(),
            query.owner.as_i64(),
            query.from.as_millis(),
            query.to.as_millis(),
            direction,
            read_status,
            availability,
            conversation,
        ],
    )?;
    let sql = concat!(
        select_message!(wanted_messages!()),
        " order by id desc limit ?9 offset ?10"
    );
    let values = params![
        query.account.as_i64(),
        query.owner.as_i64(),
        query.from.as_millis(),
        query.to.as_millis(),
        direction,
        read_status,
        availability,
        conversation,
        query.slice.limit,
        offset(query.slice),
    ];
    Ok((many(db, sql, values, read)?, total))
}

/// Who a message that is put is from and to.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Columns {
    from: String,
    to: String,
}

pub(in crate::sqlite) type Encoded = With<MessageWrite, Columns>;

pub(in crate::sqlite) fn encode(_: &Vault, write: MessageWrite) -> Encoded {
    let columns = match &write {
        MessageWrite::Put(message) => Columns {
            from: to_json(&CorrespondentRecord::from(&message.from)),
            to: to_json(&CorrespondentsRecord::from(&message.to)),
        },
        MessageWrite::Delete { .. } => Columns::default(),
    };
    Encoded { write, columns }
}

/// Applies what is written of messages.
pub(in crate::sqlite) fn write(tx: &Transaction<'_>, row: &Encoded) -> Result<(), Fault> {
    match &row.write {
        MessageWrite::Put(message) => put(tx.db, message, &row.columns),
        MessageWrite::Delete { account, message } => delete(tx.db, *account, *message),
    }
}

#[async_trait]
impl Messages for SqliteStore {
    async fn message(
        &self,
        account: AccountId,
        owner: PersonId,
        message: MessageId,
    ) -> Result<Option<Message>, StoreError> {
        self.read(move |db, _| self::message(db, account, owner, message))
            .await
    }

    async fn messages(&self, query: MessageQuery) -> Result<(Vec<Message>, u64), StoreError> {
        self.read(move |db, _| messages(db, &query)).await
    }
}
