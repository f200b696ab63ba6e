//! Chats and who is in them.

use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{ChatQuery, Chats, StoreError};
use hookyard_domain::{
    AccountId, Chat, ChatId, ChatKind, ChatStatus, ChatWrite, PersonId, Timestamp,
};
use rusqlite::{Connection, Row, params};

use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{bounds, execute, many, one, unreadable};
use crate::sqlite::row::Transaction;

const KINDS: [ChatKind; 5] = [
    ChatKind::Personal,
    ChatKind::Direct,
    ChatKind::Group,
    ChatKind::Team,
    ChatKind::Everyone,
];

/// What makes a conversation unique: its members.
fn member_key(kind: ChatKind, members: &[PersonId]) -> Option<String> {
    if kind.is_named() {
        return None;
    }
    Some(members.iter().fold(String::new(), |mut key, member| {
        let separator = if key.is_empty() { "" } else { "," };
        let _ = write!(key, "{separator}{member}");
        key
    }))
}

const fn status_name(status: ChatStatus) -> &'static str {
    match status {
        ChatStatus::Active => "Active",
        ChatStatus::Archived => "Archived",
    }
}

pub(in crate::sqlite) fn put(db: &Connection, chat: &Chat) -> Result<(), Fault> {
    let sql =
        "insert into chats (id, account_id, kind, name, description, public, status, member_key,
            created_at, modified_at, version)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        on conflict (id) do update set name = excluded.name, description = excluded.description,
            public = excluded.public, status = excluded.status, member_key = excluded.member_key,
            modified_at = excluded.modified_at, version = excluded.version";
    let values = params![
        chat.id.as_i64(),
        chat.account.as_i64(),
        chat.kind.name(),
        chat.name,
        chat.description,
        chat.public,
        status_name(chat.status),
        member_key(chat.kind, &chat.members),
        chat.created_at.as_millis(),
        chat.modified_at.as_millis(),
        chat.version.cast_signed(),
    ];
    execute(db, sql, values)?;
    let sql = "delete from chat_members where account_id = ?1 and chat_id = ?2";
    execute(db, sql, params![chat.account.as_i64(), chat.id.as_i64()])?;
    let sql =
        "insert into chat_members (account_id, chat_id, person_id, admin) values (?1, ?2, ?3, ?4)";
    for member in &chat.members {
        let values = params![
            chat.account.as_i64(),
            chat.id.as_i64(),
            member.as_i64(),
            chat.has_admin(*member)
        ];
        execute(db, sql, values)?;
    }
    Ok(())
}

/// Deletes the chat and its posts; members and webhooks go with it.
pub(in crate::sqlite) fn delete(
    db: &Connection,
    account: AccountId,
    chat: ChatId,
) -> Result<(), Fault> {
    let key = params![account.as_i64(), chat.as_i64()];
    execute(
        db,
        "delete from posts where account_id = ?1 and chat_id = ?2",
        key,
    )?;
    execute(
        db,
        "delete from chats where account_id = ?1 and id = ?2",
        key,
    )?;
    Ok(())
}

pub(in crate::sqlite) fn version(
    db: &Connection,
    account: AccountId,
    chat: ChatId,
) -> Result<Option<u64>, Fault> {
    let sql = "select version from chats where id = ?1 and account_id = ?2";
    one(db, sql, params![chat.as_i64(), account.as_i64()], |row| {
        row.get(0).map(i64::cast_unsigned)
    })
}

pub(in crate::sqlite) fn members(
    db: &Connection,
    account: AccountId,
    chat: ChatId,
) -> Result<Vec<(PersonId, bool)>, Fault> {
    let sql = "select person_id, admin from chat_members
        where account_id = ?1 and chat_id = ?2 order by person_id";
    many(db, sql, params![account.as_i64(), chat.as_i64()], |row| {
        Ok((PersonId::from_i64(row.get(0)?), row.get(1)?))
    })
}

/// Reads a chat without its members.
fn read(row: &Row<'_>) -> rusqlite::Result<Chat> {
    let kind: String = row.get(2)?;
    let status: String = row.get(6)?;
    Ok(Chat {
        id: ChatId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        kind: KINDS
            .into_iter()
            .find(|known| known.name() == kind)
            .ok_or_else(|| unreadable(2, "the kind of a chat"))?,
        name: row.get(3)?,
        description: row.get(4)?,
        public: row.get(5)?,
        status: if status == "Archived" {
            ChatStatus::Archived
        } else {
            ChatStatus::Active
        },
        members: Vec::new(),
        admins: Vec::new(),
        created_at: Timestamp::from_millis(row.get(7)?),
        modified_at: Timestamp::from_millis(row.get(8)?),
        version: row.get::<_, i64>(9)?.cast_unsigned(),
    })
}

fn with_members(db: &Connection, mut chat: Chat) -> Result<Chat, Fault> {
    let members = members(db, chat.account, chat.id)?;
    chat.admins = members
        .iter()
        .filter(|(_, admin)| *admin)
        .map(|(person, _)| *person)
        .collect();
    chat.members = members.into_iter().map(|(person, _)| person).collect();
    Ok(chat)
}

macro_rules! select_chat {
    ($rest:literal) => {
        concat!(
            "select c.id, c.account_id, c.kind, c.name, c.description, c.public, c.status,
                c.created_at, c.modified_at, c.version from chats c ",
            $rest
        )
    };
}

pub(in crate::sqlite) fn chat(
    db: &Connection,
    account: AccountId,
    chat: ChatId,
) -> Result<Option<Chat>, Fault> {
    let sql = select_chat!("where c.id = ?1 and c.account_id = ?2");
    let found = one(db, sql, params![chat.as_i64(), account.as_i64()], read)?;
    found.map(|chat| with_members(db, chat)).transpose()
}

/// The wanted kinds as a JSON array, which the statement takes apart again.
fn kinds_json(kinds: &[ChatKind]) -> String {
    let kinds = if kinds.is_empty() { &KINDS[..] } else { kinds };
    let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    serde_json::to_string(&names).expect("names are plain text")
}

pub(in crate::sqlite) fn chats(db: &Connection, query: &ChatQuery) -> Result<Vec<Chat>, Fault> {
    let ascending = select_chat!(
        "where c.account_id = ?1 and c.id > ?2 and c.id < ?3
            and c.kind in (select value from json_each(?4))
            and (exists (select 1 from chat_members m
                    where m.account_id = ?1 and m.chat_id = c.id and m.person_id = ?5)
                or (?6 and c.kind = 'Team' and c.public = 1))
        order by c.id limit ?7"
    );
    let descending = select_chat!(
        "where c.account_id = ?1 and c.id > ?2 and c.id < ?3
            and c.kind in (select value from json_each(?4))
            and (exists (select 1 from chat_members m
                    where m.account_id = ?1 and m.chat_id = c.id and m.person_id = ?5)
                or (?6 and c.kind = 'Team' and c.public = 1))
        order by c.id desc limit ?7"
    );
    let backwards = matches!(query.page, hookyard_domain::kernel::ports::Page::Before(_));
    let (above, below) = bounds(query.page);
    let values = params![
        query.account.as_i64(),
        above,
        below,
        kinds_json(&query.kinds),
        query.person.as_i64(),
        query.joinable,
        query.limit,
    ];
    let mut found = many(
        db,
        if backwards { descending } else { ascending },
        values,
        read,
    )?;
    if backwards {
        found.reverse();
    }
    found
        .into_iter()
        .map(|chat| with_members(db, chat))
        .collect()
}

pub(in crate::sqlite) fn conversation(
    db: &Connection,
    account: AccountId,
    members: &[PersonId],
) -> Result<Option<Chat>, Fault> {
    let sql = select_chat!("where c.account_id = ?1 and c.member_key = ?2");
    let key = member_key(ChatKind::Group, members);
    let found = one(db, sql, params![account.as_i64(), key], read)?;
    found.map(|chat| with_members(db, chat)).transpose()
}

pub(in crate::sqlite) fn everyone(
    db: &Connection,
    account: AccountId,
) -> Result<Option<Chat>, Fault> {
    let sql = select_chat!("where c.account_id = ?1 and c.kind = 'Everyone'");
    let found = one(db, sql, params![account.as_i64()], read)?;
    found.map(|chat| with_members(db, chat)).transpose()
}

pub(in crate::sqlite) fn recent(
    db: &Connection,
    account: AccountId,
    person: PersonId,
    kinds: &[ChatKind],
    limit: u32,
) -> Result<Vec<(Chat, Timestamp)>, Fault> {
    let sql = "select c.id, c.account_id, c.kind, c.name, c.description, c.public, c.status,
            c.created_at, c.modified_at, c.version,
            max(c.modified_at, coalesce((select p.created_at from posts p
                where p.account_id = ?1 and p.chat_id = c.id order by p.id desc limit 1), 0)) as active_at
        from chat_members m join chats c on c.id = m.chat_id
        where m.account_id = ?1 and m.person_id = ?2 and c.kind in (select value from json_each(?3))
        order by active_at desc, c.id desc limit ?4";
    let values = params![account.as_i64(), person.as_i64(), kinds_json(kinds), limit];
    let found = many(db, sql, values, |row| {
        Ok((read(row)?, Timestamp::from_millis(row.get(10)?)))
    })?;
    found
        .into_iter()
        .map(|(chat, at)| Ok((with_members(db, chat)?, at)))
        .collect()
}

/// Applies what is written of chats.
pub(in crate::sqlite) fn write(tx: &mut Transaction<'_>, write: &ChatWrite) -> Result<(), Fault> {
    match write {
        ChatWrite::Put(chat) => {
            put(tx.db, chat)?;
            tx.scope
                .fanout
                .set_members(chat.id, chat.members.as_slice().into());
        }
        ChatWrite::Delete { account, chat } => {
            delete(tx.db, *account, *chat)?;
            tx.scope.fanout.forget_chat(*chat);
        }
    }
    Ok(())
}

#[async_trait]
impl Chats for SqliteStore {
    async fn chat(
        &self,
        account: AccountId,
        chat: ChatId,
    ) -> Result<Option<Arc<Chat>>, StoreError> {
        let mark = match self.caches.chats.get(&chat) {
            Ok(found) => return Ok((found.account == account).then_some(found)),
            Err(mark) => mark,
        };
        let found = self
            .read(move |db, _| self::chat(db, account, chat))
            .await?
            .map(Arc::new);
        if let Some(found) = &found {
            self.caches.chats.put(chat, Arc::clone(found), mark);
        }
        Ok(found)
    }

    async fn chats(&self, query: ChatQuery) -> Result<Vec<Chat>, StoreError> {
        self.read(move |db, _| chats(db, &query)).await
    }

    async fn conversation(
        &self,
        account: AccountId,
        members: &[PersonId],
    ) -> Result<Option<Chat>, StoreError> {
        let members = members.to_owned();
        self.read(move |db, _| conversation(db, account, &members))
            .await
    }

    async fn everyone_chat(&self, account: AccountId) -> Result<Option<Chat>, StoreError> {
        self.read(move |db, _| everyone(db, account)).await
    }

    async fn recent_chats(
        &self,
        account: AccountId,
        person: PersonId,
        kinds: &[ChatKind],
        limit: u32,
    ) -> Result<Vec<(Chat, Timestamp)>, StoreError> {
        let kinds = kinds.to_owned();
        self.read(move |db, _| recent(db, account, person, &kinds, limit))
            .await
    }
}
