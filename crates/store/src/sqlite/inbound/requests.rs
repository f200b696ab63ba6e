//! Calls to incoming webhooks.

use async_trait::async_trait;
use bytes::Bytes;
use hookyard_domain::kernel::ports::{Page, Requests, StoreError};
use hookyard_domain::{
    AccountId, HookAnswer, HookRequest, PostId, RequestId, RequestWrite, Timestamp, WebhookId,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use crate::records::{FindingsRecord, HeadersRecord, from_json, to_json};
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{bounds, execute, many, one, unreadable};
use crate::sqlite::row::{Transaction, With};
use crate::vault::Vault;

fn put(db: &Connection, request: &HookRequest, columns: &Columns) -> Result<(), Fault> {
    let sql = "insert into requests (id, account_id, webhook_id, received_at, method, content_type,
            headers, body, body_bytes, remote_address, answer_status, answer_body, findings, post_id)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let values = params![
        request.id.as_i64(),
        request.account.as_i64(),
        request.webhook.0.as_bytes(),
        request.received_at.as_millis(),
        request.method,
        request.content_type,
        columns.headers,
        &request.body[..],
        request.body_bytes.cast_signed(),
        request.remote_address,
        request.answer.status,
        request.answer.body,
        columns.findings,
        request.post.map(PostId::as_i64),
    ];
    execute(db, sql, values)?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<HookRequest> {
    let headers: String = row.get(6)?;
    let findings: Option<String> = row.get(12)?;
    Ok(HookRequest {
        id: RequestId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        webhook: WebhookId(Uuid::from_bytes(row.get(2)?)),
        received_at: Timestamp::from_millis(row.get(3)?),
        method: row.get(4)?,
        content_type: row.get(5)?,
        headers: from_json::<HeadersRecord<'_>, _>(headers)
            .ok_or_else(|| unreadable(6, "a request's headers"))?,
        body: Bytes::from(row.get::<_, Vec<u8>>(7)?),
        body_bytes: row.get::<_, i64>(8)?.cast_unsigned(),
        remote_address: row.get(9)?,
        answer: HookAnswer {
            status: row.get(10)?,
            body: row.get(11)?,
        },
        findings: match findings {
            Some(text) => from_json::<FindingsRecord<'_>, _>(text)
                .ok_or_else(|| unreadable(12, "findings"))?,
            None => Vec::new(),
        },
        post: row.get::<_, Option<i64>>(13)?.map(PostId::from_i64),
    })
}

macro_rules! select_request {
    ($rest:literal) => {
        concat!(
            "select id, account_id, webhook_id, received_at, method, content_type, headers, body,
                body_bytes, remote_address, answer_status, answer_body, findings, post_id
            from requests ",
            $rest
        )
    };
}

pub(in crate::sqlite) fn request(
    db: &Connection,
    account: AccountId,
    request: RequestId,
) -> Result<Option<HookRequest>, Fault> {
    let sql = select_request!("where id = ?1 and account_id = ?2");
    one(db, sql, params![request.as_i64(), account.as_i64()], read)
}

pub(in crate::sqlite) fn requests(
    db: &Connection,
    account: AccountId,
    webhook: Option<WebhookId>,
    page: Page,
    limit: u32,
) -> Result<Vec<HookRequest>, Fault> {
    let (above, below) = bounds(page);
    if let Some(webhook) = webhook {
        let sql = select_request!(
            "where account_id = ?1 and webhook_id = ?2 and id > ?3 and id < ?4
            order by id desc limit ?5"
        );
        let values = params![account.as_i64(), webhook.0.as_bytes(), above, below, limit];
        many(db, sql, values, read)
    } else {
        let sql = select_request!(
            "where +account_id = ?1 and id > ?2 and id < ?3 order by id desc limit ?4"
        );
        many(
            db,
            sql,
            params![account.as_i64(), above, below, limit],
            read,
        )
    }
}

/// What stands as JSON in the row of a call.
#[derive(Debug)]
pub(in crate::sqlite) struct Columns {
    headers: String,
    findings: Option<String>,
}

pub(in crate::sqlite) type Encoded = With<RequestWrite, Columns>;

pub(in crate::sqlite) fn encode(_: &Vault, write: RequestWrite) -> Encoded {
    let RequestWrite::Put(request) = &write;
    let findings = &request.findings;
    let columns = Columns {
        headers: to_json(&HeadersRecord::from(&request.headers)),
        findings: (!findings.is_empty()).then(|| to_json(&FindingsRecord::from(findings))),
    };
    Encoded { write, columns }
}

/// Applies what is written of calls.
pub(in crate::sqlite) fn write(tx: &Transaction<'_>, row: &Encoded) -> Result<(), Fault> {
    match &row.write {
        RequestWrite::Put(request) => put(tx.db, request, &row.columns),
    }
}

#[async_trait]
impl Requests for SqliteStore {
    async fn request(
        &self,
        account: AccountId,
        request: RequestId,
    ) -> Result<Option<HookRequest>, StoreError> {
        self.read(move |db, _| self::request(db, account, request))
            .await
    }

    async fn requests(
        &self,
        account: AccountId,
        webhook: Option<WebhookId>,
        page: Page,
        limit: u32,
    ) -> Result<Vec<HookRequest>, StoreError> {
        self.read(move |db, _| requests(db, account, webhook, page, limit))
            .await
    }
}
