//! Bins and what they received. Tokens are hashed for finding a bin and sealed for showing it again;
//! headers of requests are sealed, because senders put credentials there.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use hookyard_domain::kernel::limits::BIN_REQUESTS_MAX;
use hookyard_domain::kernel::news::NewsItem;
use hookyard_domain::kernel::ports::{Bins, Page, StoreError};
use hookyard_domain::{
    AccountId, Bin, BinId, BinRequest, BinRequestId, BinSignature, BinWrite, Secret,
    SubscriptionId, Timestamp, TokenHash,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use crate::commit::Refusal;
use crate::records::{AnswerRecord, HeadersRecord, from_json, to_json};
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{bounds, execute, many, one, unreadable};
use crate::sqlite::row::{Transaction, With};
use crate::vault::Vault;

const TOKEN_PLACE: &str = "bins.token";
const HEADERS_PLACE: &str = "bin_requests.headers";

fn put(db: &Connection, bin: &Bin, columns: &Columns) -> Result<(), Fault> {
    let sql = "insert into bins (id, account_id, name, token_hash, token_sealed, answer,
            last_number, turns, created_at, version)
        values (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, ?8)
        on conflict (id) do update set name = excluded.name, token_hash = excluded.token_hash,
            token_sealed = excluded.token_sealed, answer = excluded.answer,
            turns = iif(bins.answer = excluded.answer, bins.turns, 0), version = excluded.version";
    let values = params![
        bin.id.as_i64(),
        bin.account.as_i64(),
        bin.name,
        columns.token_hash,
        columns.token_sealed,
        columns.answer,
        bin.created_at.as_millis(),
        bin.version.cast_signed(),
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// Deletes a bin with its requests; tells whether it was there.
pub(in crate::sqlite) fn delete(
    db: &Connection,
    account: AccountId,
    bin: BinId,
) -> Result<bool, Fault> {
    let sql = "delete from bins where id = ?1 and account_id = ?2";
    Ok(execute(db, sql, params![bin.as_i64(), account.as_i64()])? > 0)
}

pub(in crate::sqlite) fn clear(
    db: &Connection,
    account: AccountId,
    bin: BinId,
) -> Result<(), Fault> {
    let values = params![bin.as_i64(), account.as_i64()];
    let sql = "delete from bin_requests where bin_id = ?1 and account_id = ?2";
    execute(db, sql, values)?;
    let sql = "update bins set turns = 0 where id = ?1 and account_id = ?2";
    execute(db, sql, values)?;
    Ok(())
}

pub(in crate::sqlite) fn version(
    db: &Connection,
    account: AccountId,
    bin: BinId,
) -> Result<Option<u64>, Fault> {
    let sql = "select version from bins where id = ?1 and account_id = ?2";
    one(db, sql, params![bin.as_i64(), account.as_i64()], |row| {
        row.get(0).map(i64::cast_unsigned)
    })
}

/// Keeps a request, and gives it its number and turn; false when its bin is no more.
fn put_request(
    db: &Connection,
    request: &mut BinRequest,
    headers_sealed: &[u8],
) -> Result<bool, Fault> {
    let sql = "update bins set last_number = last_number + 1, turns = turns + ?3
        where id = ?1 and account_id = ?2 returning last_number, turns";
    let values = params![
        request.bin.as_i64(),
        request.account.as_i64(),
        request.turn.is_some(),
    ];
    let counted = one(db, sql, values, |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    })?;
    let Some((number, turns)) = counted else {
        return Ok(false);
    };
    request.number = number.cast_unsigned();
    request.turn = request.turn.map(|_| turns.cast_unsigned());
    insert(db, request, headers_sealed)?;
    let sql = "delete from bin_requests where bin_id = ?1 and number <= ?2";
    let oldest = number - i64::from(BIN_REQUESTS_MAX);
    execute(db, sql, params![request.bin.as_i64(), oldest])?;
    Ok(true)
}

fn insert(db: &Connection, request: &BinRequest, headers_sealed: &[u8]) -> Result<(), Fault> {
    let sql = "insert into bin_requests (id, account_id, bin_id, number, turn, received_at, method,
            path, query, headers_sealed, body, body_bytes, remote_address, signature_verified,
            signature_endpoint)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    let endpoint = request.signature.endpoint;
    let values = params![
        request.id.as_i64(),
        request.account.as_i64(),
        request.bin.as_i64(),
        request.number.cast_signed(),
        request.turn.map(u64::cast_signed),
        request.received_at.as_millis(),
        request.method,
        request.path,
        request.query,
        headers_sealed,
        &request.body[..],
        request.body_bytes.cast_signed(),
        request.remote_address,
        request.signature.verified,
        endpoint.as_ref().map(|endpoint| &endpoint.0.as_bytes()[..]),
    ];
    execute(db, sql, values)?;
    Ok(())
}

fn read(vault: &Vault, row: &Row<'_>) -> rusqlite::Result<Bin> {
    let sealed: Vec<u8> = row.get(3)?;
    let token = vault
        .open(TOKEN_PLACE, &sealed)
        .and_then(|token| String::from_utf8(token).ok())
        .ok_or_else(|| unreadable(3, "a bin's token"))?;
    let answer: String = row.get(4)?;
    Ok(Bin {
        id: BinId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        name: row.get(2)?,
        token: Secret::new(token),
        answer: from_json::<AnswerRecord<'_>, _>(answer)
            .ok_or_else(|| unreadable(4, "a bin's answer"))?,
        created_at: Timestamp::from_millis(row.get(5)?),
        version: row.get::<_, i64>(6)?.cast_unsigned(),
    })
}

fn read_counted(vault: &Vault, row: &Row<'_>) -> rusqlite::Result<(Bin, u64)> {
    Ok((read(vault, row)?, row.get::<_, i64>(7)?.cast_unsigned()))
}

macro_rules! select_bin {
    ($rest:literal) => {
        concat!(
            "select id, account_id, name, token_sealed, answer, created_at, version,
                (select count(*) from bin_requests r where r.bin_id = bins.id)
            from bins ",
            $rest
        )
    };
}

pub(in crate::sqlite) fn bin(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    bin: BinId,
) -> Result<Option<(Bin, u64)>, Fault> {
    let sql = select_bin!("where id = ?1 and account_id = ?2");
    one(db, sql, params![bin.as_i64(), account.as_i64()], |row| {
        read_counted(vault, row)
    })
}

pub(in crate::sqlite) fn by_token(
    db: &Connection,
    vault: &Vault,
    hash: TokenHash,
) -> Result<Option<Bin>, Fault> {
    let sql = "select id, account_id, name, token_sealed, answer, created_at, version
        from bins where token_hash = ?1";
    one(db, sql, params![hash.0], |row| read(vault, row))
}

pub(in crate::sqlite) fn bins(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    page: Page,
    limit: u32,
) -> Result<Vec<(Bin, u64)>, Fault> {
    let (above, below) = bounds(page);
    let sql =
        select_bin!("where account_id = ?1 and id > ?2 and id < ?3 order by id desc limit ?4");
    many(
        db,
        sql,
        params![account.as_i64(), above, below, limit],
        |row| read_counted(vault, row),
    )
}

fn read_request(vault: &Vault, row: &Row<'_>) -> rusqlite::Result<BinRequest> {
    let sealed: Vec<u8> = row.get(9)?;
    let headers = vault
        .open(HEADERS_PLACE, &sealed)
        .and_then(from_json::<HeadersRecord<'_>, _>)
        .ok_or_else(|| unreadable(9, "the headers of a bin's request"))?;
    let endpoint: Option<[u8; 16]> = row.get(14)?;
    Ok(BinRequest {
        id: BinRequestId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        bin: BinId::from_i64(row.get(2)?),
        number: row.get::<_, i64>(3)?.cast_unsigned(),
        turn: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
        received_at: Timestamp::from_millis(row.get(5)?),
        method: row.get(6)?,
        path: row.get(7)?,
        query: row.get(8)?,
        headers,
        body: Bytes::from(row.get::<_, Vec<u8>>(10)?),
        body_bytes: row.get::<_, i64>(11)?.cast_unsigned(),
        remote_address: row.get(12)?,
        signature: BinSignature {
            verified: row.get(13)?,
            endpoint: endpoint.map(|id| SubscriptionId(Uuid::from_bytes(id))),
        },
    })
}

macro_rules! select_bin_request {
    ($rest:literal) => {
        concat!(
            "select id, account_id, bin_id, number, turn, received_at, method, path, query,
                headers_sealed, body, body_bytes, remote_address, signature_verified,
                signature_endpoint
            from bin_requests ",
            $rest
        )
    };
}

pub(in crate::sqlite) fn request(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    request: BinRequestId,
) -> Result<Option<BinRequest>, Fault> {
    let sql = select_bin_request!("where id = ?1 and account_id = ?2");
    one(
        db,
        sql,
        params![request.as_i64(), account.as_i64()],
        |row| read_request(vault, row),
    )
}

pub(in crate::sqlite) fn requests(
    db: &Connection,
    vault: &Vault,
    account: AccountId,
    bin: BinId,
    (page, limit): (Page, u32),
) -> Result<Vec<BinRequest>, Fault> {
    let (above, below) = bounds(page);
    let sql = if matches!(page, Page::After(_)) {
        select_bin_request!(
            "where bin_id = ?1 and account_id = ?2 and number > ?3 and number < ?4
            order by number limit ?5"
        )
    } else {
        select_bin_request!(
            "where bin_id = ?1 and account_id = ?2 and number > ?3 and number < ?4
            order by number desc limit ?5"
        )
    };
    let values = params![bin.as_i64(), account.as_i64(), above, below, limit];
    many(db, sql, values, |row| read_request(vault, row))
}

/// What is sealed, hashed or JSON of what is put.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Columns {
    token_hash: [u8; 32],
    token_sealed: Vec<u8>,
    answer: String,
    /// Of a request.
    headers_sealed: Vec<u8>,
}

pub(in crate::sqlite) type Encoded = With<BinWrite, Columns>;

pub(in crate::sqlite) fn encode(vault: &Vault, write: BinWrite) -> Encoded {
    let columns = match &write {
        BinWrite::Put(bin) => Columns {
            token_hash: TokenHash::of(bin.token.reveal()).0,
            token_sealed: vault.seal(TOKEN_PLACE, bin.token.reveal().as_bytes()),
            answer: to_json(&AnswerRecord::from(&bin.answer)),
            ..Columns::default()
        },
        BinWrite::PutRequest(request) => {
            let headers = to_json(&HeadersRecord::from(&request.headers));
            Columns {
                headers_sealed: vault.seal(HEADERS_PLACE, headers.as_bytes()),
                ..Columns::default()
            }
        }
        BinWrite::Delete { .. } | BinWrite::Clear { .. } => Columns::default(),
    };
    Encoded { write, columns }
}

/// Applies what is written of bins.
pub(in crate::sqlite) fn write(tx: &mut Transaction<'_>, row: &mut Encoded) -> Result<(), Refusal> {
    match &mut row.write {
        BinWrite::Put(bin) => put(tx.db, bin, &row.columns)?,
        BinWrite::Delete { account, bin } => {
            if delete(tx.db, *account, *bin)? {
                tx.scope.news.push(NewsItem::BinEnded(*bin));
            }
        }
        BinWrite::PutRequest(request) => {
            // A copy only where somebody else still holds it.
            let numbered = Arc::make_mut(request);
            if !put_request(tx.db, numbered, &row.columns.headers_sealed)? {
                return Err(Refusal::Conflict);
            }
            let kept = NewsItem::BinRequest(Arc::clone(request));
            tx.scope.news.push(kept);
        }
        BinWrite::Clear { account, bin } => clear(tx.db, *account, *bin)?,
    }
    Ok(())
}

/// How many bins an account has.
pub(in crate::sqlite) fn count_of(db: &Connection, account: AccountId) -> Result<u32, Fault> {
    let sql = "select count(*) from bins where account_id = ?1";
    Ok(one(db, sql, params![account.as_i64()], |row| row.get(0))?.unwrap_or(0))
}

#[async_trait]
impl Bins for SqliteStore {
    async fn bin(&self, account: AccountId, bin: BinId) -> Result<Option<(Bin, u64)>, StoreError> {
        self.read(move |db, vault| self::bin(db, vault, account, bin))
            .await
    }

    async fn bin_by_token(&self, hash: TokenHash) -> Result<Option<Bin>, StoreError> {
        self.read(move |db, vault| by_token(db, vault, hash)).await
    }

    async fn bins(
        &self,
        account: AccountId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<(Bin, u64)>, StoreError> {
        self.read(move |db, vault| bins(db, vault, account, page, limit))
            .await
    }

    async fn bin_request(
        &self,
        account: AccountId,
        request: BinRequestId,
    ) -> Result<Option<BinRequest>, StoreError> {
        self.read(move |db, vault| self::request(db, vault, account, request))
            .await
    }

    async fn bin_requests(
        &self,
        account: AccountId,
        bin: BinId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<BinRequest>, StoreError> {
        self.read(move |db, vault| requests(db, vault, account, bin, (page, limit)))
            .await
    }
}
