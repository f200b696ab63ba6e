//! Incoming webhooks. The token is hashed for finding it and sealed for showing it again.

use std::sync::Arc;

use async_trait::async_trait;
use hookyard_domain::kernel::ports::{HookTarget, StoreError, Webhooks};
use hookyard_domain::{
    AccountId, ChatId, IncomingWebhook, PersonId, Secret, Timestamp, TokenHash, WebhookId,
    WebhookStatus, WebhookWrite,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::identity::accounts;
use crate::sqlite::messaging::chats;
use crate::sqlite::query::{execute, many, one, unreadable};
use crate::sqlite::row::{Transaction, With};
use crate::vault::Vault;

const PLACE: &str = "webhooks.token";

fn put(db: &Connection, webhook: &IncomingWebhook, columns: &Columns) -> Result<(), Fault> {
    let sql = "insert into webhooks (id, account_id, chat_id, creator_id, token_hash, token_sealed,
            status, created_at, modified_at, version)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        on conflict (id) do update set token_hash = excluded.token_hash,
            token_sealed = excluded.token_sealed, status = excluded.status,
            modified_at = excluded.modified_at, version = excluded.version";
    let values = params![
        webhook.id.0.as_bytes(),
        webhook.account.as_i64(),
        webhook.chat.as_i64(),
        webhook.creator.as_i64(),
        columns.token_hash,
        columns.token_sealed,
        if webhook.status == WebhookStatus::Suspended {
            "Suspended"
        } else {
            "Active"
        },
        webhook.created_at.as_millis(),
        webhook.modified_at.as_millis(),
        webhook.version.cast_signed(),
    ];
    execute(db, sql, values)?;
    Ok(())
}

pub(in crate::sqlite) fn delete(
    db: &Connection,
    account: AccountId,
    webhook: WebhookId,
) -> Result<(), Fault> {
    let sql = "delete from webhooks where id = ?1 and account_id = ?2";
    execute(db, sql, params![webhook.0.as_bytes(), account.as_i64()])?;
    Ok(())
}

pub(in crate::sqlite) fn version(
    db: &Connection,
    account: AccountId,
    webhook: WebhookId,
) -> Result<Option<u64>, Fault> {
    let sql = "select version from webhooks where id = ?1 and account_id = ?2";
    one(
        db,
        sql,
        params![webhook.0.as_bytes(), account.as_i64()],
        |row| row.get(0).map(i64::cast_unsigned),
    )
}

fn read(vault: &Vault, row: &Row<'_>) -> rusqlite::Result<IncomingWebhook> {
    let sealed: Vec<u8> = row.get(4)?;
    let token = vault
        .open(PLACE, &sealed)
        .and_then(|token| String::from_utf8(token).ok())
        .ok_or_else(|| unreadable(4, "a webhook's token"))?;
    let status: String = row.get(5)?;
    Ok(IncomingWebhook {
        id: WebhookId(Uuid::from_bytes(row.get(0)?)),
        account: AccountId::from_i64(row.get(1)?),
        chat: ChatId::from_i64(row.get(2)?),
        creator: PersonId::from_i64(row.get(3)?),
        token: Secret::new(token),
        status: if status == "Suspended" {
            WebhookStatus::Suspended
        } else {
            WebhookStatus::Active
        },
        created_at: Timestamp::from_millis(row.get(6)?),
        modified_at: Timestamp::from_millis(row.get(7)?),
        version: row.get::<_, i64>(8)?.cast_unsigned(),
    })
}

macro_rules! select_webhook {
    ($rest:literal) => {
        concat!(
            "select id, account_id, chat_id, creator_id, token_sealed, status, created_at,
                modified_at, version from webhooks ",
            $rest
        )
    };
}

pub(in crate::sqlite) fn webhook(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    webhook: WebhookId,
) -> Result<Option<IncomingWebhook>, Fault> {
    let sql = select_webhook!("where id = ?1 and account_id = ?2");
    one(
        db,
        sql,
        params![webhook.0.as_bytes(), account.as_i64()],
        |row| read(vault, row),
    )
}

pub(in crate::sqlite) fn by_token(
    db: &Connection,
    vault: &Vault,
    hash: TokenHash,
) -> Result<Option<IncomingWebhook>, Fault> {
    one(
        db,
        select_webhook!("where token_hash = ?1"),
        params![hash.0],
        |row| read(vault, row),
    )
}

pub(in crate::sqlite) fn webhooks(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    chat: Option<ChatId>,
) -> Result<Vec<IncomingWebhook>, Fault> {
    let sql = select_webhook!(
        "where account_id = ?1 and (?2 is null or chat_id = ?2) order by created_at, id"
    );
    let values = params![account.as_i64(), chat.map(ChatId::as_i64)];
    many(db, sql, values, |row| read(vault, row))
}

fn hook_target(
    db: &Connection,
    vault: &Vault,
    hash: TokenHash,
) -> Result<Option<HookTarget>, Fault> {
    let Some(webhook) = by_token(db, vault, hash)? else {
        return Ok(None);
    };
    let Some(chat) = chats::chat(db, webhook.account, webhook.chat)? else {
        return Ok(None);
    };
    let author = accounts::integration(db, webhook.account)?.unwrap_or(webhook.creator);
    Ok(Some(HookTarget {
        webhook,
        chat: Arc::new(chat),
        author,
    }))
}

/// The token of a webhook that is put.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Columns {
    token_hash: [u8; 32],
    token_sealed: Vec<u8>,
}

pub(in crate::sqlite) type Encoded = With<WebhookWrite, Columns>;

pub(in crate::sqlite) fn encode(vault: &Vault, write: WebhookWrite) -> Encoded {
    let columns = match &write {
        WebhookWrite::Put(webhook) => Columns {
            token_hash: TokenHash::of(webhook.token.reveal()).0,
            token_sealed: vault.seal(PLACE, webhook.token.reveal().as_bytes()),
        },
        WebhookWrite::Delete { .. } => Columns::default(),
    };
    Encoded { write, columns }
}

/// Applies what is written of webhooks.
pub(in crate::sqlite) fn write(tx: &Transaction<'_>, row: &Encoded) -> Result<(), Fault> {
    match &row.write {
        WebhookWrite::Put(webhook) => put(tx.db, webhook, &row.columns),
        WebhookWrite::Delete { account, webhook } => delete(tx.db, *account, *webhook),
    }
}

#[async_trait]
impl Webhooks for SqliteStore {
    async fn webhook(
        &self,
        account: AccountId,
        webhook: WebhookId,
    ) -> Result<Option<IncomingWebhook>, StoreError> {
        self.read(move |db, vault| self::webhook(db, vault, account, webhook))
            .await
    }

    async fn webhook_by_token(
        &self,
        hash: TokenHash,
    ) -> Result<Option<Arc<HookTarget>>, StoreError> {
        let mark = match self.caches.hooks.get(&hash) {
            Ok(found) => return Ok(Some(found)),
            Err(mark) => mark,
        };
        let found = self
            .read(move |db, vault| hook_target(db, vault, hash))
            .await?
            .map(Arc::new);
        if let Some(found) = &found {
            self.caches.hooks.put(hash, Arc::clone(found), mark);
        }
        Ok(found)
    }

    async fn webhooks(
        &self,
        account: AccountId,
        chat: Option<ChatId>,
    ) -> Result<Vec<IncomingWebhook>, StoreError> {
        self.read(move |db, vault| webhooks(db, vault, account, chat))
            .await
    }
}
