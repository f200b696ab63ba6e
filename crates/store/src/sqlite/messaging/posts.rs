//! Posts.

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{Page, Posts, StoreError};
use hookyard_domain::{
    AccountId, ChatId, PersonId, Post, PostId, PostKind, PostWrite, RequestId, Timestamp,
};
use rusqlite::{Connection, Row, params};

use crate::records::{ContentRecord, from_json, to_json};
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{bounds, execute, many, one, unreadable};
use crate::sqlite::row::{Transaction, With};
use crate::vault::Vault;

const KINDS: [(PostKind, &str); 5] = [
    (PostKind::TextMessage, "TextMessage"),
    (PostKind::PersonJoined, "PersonJoined"),
    (PostKind::PersonsAdded, "PersonsAdded"),
    (PostKind::PersonLeft, "PersonLeft"),
    (PostKind::PersonsRemoved, "PersonsRemoved"),
];

fn put(db: &Connection, post: &Post, content: &str) -> Result<(), Fault> {
    let sql = "insert into posts (id, account_id, chat_id, kind, creator_id, content, request_id,
            created_at, modified_at, version)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        on conflict (id) do update set content = excluded.content,
            modified_at = excluded.modified_at, version = excluded.version";
    let kind = KINDS
        .iter()
        .find(|(kind, _)| *kind == post.kind)
        .map(|(_, name)| *name);
    let values = params![
        post.id.as_i64(),
        post.account.as_i64(),
        post.chat.as_i64(),
        kind,
        post.creator.as_i64(),
        content,
        post.request.map(RequestId::as_i64),
        post.created_at.as_millis(),
        post.modified_at.as_millis(),
        post.version.cast_signed(),
    ];
    execute(db, sql, values)?;
    Ok(())
}

pub(in crate::sqlite) fn delete(
    db: &Connection,
    account: AccountId,
    chat: ChatId,
    post: PostId,
) -> Result<(), Fault> {
    let sql = "delete from posts where id = ?1 and account_id = ?2 and chat_id = ?3";
    execute(
        db,
        sql,
        params![post.as_i64(), account.as_i64(), chat.as_i64()],
    )?;
    Ok(())
}

pub(in crate::sqlite) fn version(
    db: &Connection,
    account: AccountId,
    post: PostId,
) -> Result<Option<u64>, Fault> {
    let sql = "select version from posts where id = ?1 and account_id = ?2";
    one(db, sql, params![post.as_i64(), account.as_i64()], |row| {
        row.get(0).map(i64::cast_unsigned)
    })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Post> {
    let kind: String = row.get(3)?;
    let content: String = row.get(5)?;
    Ok(Post {
        id: PostId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        chat: ChatId::from_i64(row.get(2)?),
        kind: KINDS
            .iter()
            .find(|(_, name)| *name == kind)
            .map(|(kind, _)| *kind)
            .ok_or_else(|| unreadable(3, "the kind of a post"))?,
        creator: PersonId::from_i64(row.get(4)?),
        content: from_json::<ContentRecord<'_>, _>(content)
            .ok_or_else(|| unreadable(5, "the content of a post"))?,
        request: row.get::<_, Option<i64>>(6)?.map(RequestId::from_i64),
        created_at: Timestamp::from_millis(row.get(7)?),
        modified_at: Timestamp::from_millis(row.get(8)?),
        version: row.get::<_, i64>(9)?.cast_unsigned(),
    })
}

macro_rules! select_post {
    ($rest:literal) => {
        concat!(
            "select id, account_id, chat_id, kind, creator_id, content, request_id, created_at,
                modified_at, version from posts ",
            $rest
        )
    };
}

pub(in crate::sqlite) fn post(
    db: &Connection,
    account: AccountId,
    chat: ChatId,
    post: PostId,
) -> Result<Option<Post>, Fault> {
    let sql = select_post!("where id = ?1 and account_id = ?2 and chat_id = ?3");
    one(
        db,
        sql,
        params![post.as_i64(), account.as_i64(), chat.as_i64()],
        read,
    )
}

pub(in crate::sqlite) fn posts(
    db: &Connection,
    account: AccountId,
    chat: ChatId,
    page: Page,
    limit: u32,
) -> Result<Vec<Post>, Fault> {
    let newest_first = select_post!(
        "where account_id = ?1 and chat_id = ?2 and id > ?3 and id < ?4 order by id desc limit ?5"
    );
    let oldest_first = select_post!(
        "where account_id = ?1 and chat_id = ?2 and id > ?3 and id < ?4 order by id limit ?5"
    );
    let sql = if matches!(page, Page::After(_)) {
        oldest_first
    } else {
        newest_first
    };
    let (above, below) = bounds(page);
    many(
        db,
        sql,
        params![account.as_i64(), chat.as_i64(), above, below, limit],
        read,
    )
}

/// With the content of a post that is put.
pub(in crate::sqlite) type Encoded = With<PostWrite, String>;

pub(in crate::sqlite) fn encode(_: &Vault, write: PostWrite) -> Encoded {
    let columns = match &write {
        PostWrite::Put(post) => to_json(&ContentRecord::from(&post.content)),
        PostWrite::Delete { .. } => String::new(),
    };
    Encoded { write, columns }
}

/// Applies what is written of posts.
pub(in crate::sqlite) fn write(tx: &Transaction<'_>, row: &Encoded) -> Result<(), Fault> {
    match &row.write {
        PostWrite::Put(post) => put(tx.db, post, &row.columns),
        PostWrite::Delete {
            account,
            chat,
            post,
        } => delete(tx.db, *account, *chat, *post),
    }
}

#[async_trait]
impl Posts for SqliteStore {
    async fn post(
        &self,
        account: AccountId,
        chat: ChatId,
        post: PostId,
    ) -> Result<Option<Post>, StoreError> {
        self.read(move |db, _| self::post(db, account, chat, post))
            .await
    }

    async fn posts(
        &self,
        account: AccountId,
        chat: ChatId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<Post>, StoreError> {
        self.read(move |db, _| posts(db, account, chat, page, limit))
            .await
    }
}
