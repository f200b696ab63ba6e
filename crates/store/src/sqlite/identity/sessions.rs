//! Sessions and tokens.

use std::sync::Arc;

use async_trait::async_trait;
use hookyard_domain::kernel::news::NewsItem;
use hookyard_domain::kernel::ports::{Sessions, StoreError};
use hookyard_domain::{
    AccountId, ClientId, CredentialId, PersonId, Session, SessionId, SessionOrigin, SessionWrite,
    SignInCodeWrite, Timestamp, Token, TokenHash, TokenKind,
};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::apps::read_scopes;
use crate::commit::Refusal;
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{execute, many, one};
use crate::sqlite::row::Transaction;

pub(in crate::sqlite) fn put_session(db: &Connection, session: &Session) -> Result<(), Fault> {
    let sql = "insert into sessions (id, account_id, person_id, client_id, scopes, endpoint_id,
            generation, created_at, credential_id, personal)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        on conflict (id) do update set generation = excluded.generation, scopes = excluded.scopes";
    let values = params![
        session.id.as_i64(),
        session.account.as_i64(),
        session.person.as_i64(),
        session.client_id.0,
        session.scopes.to_string(),
        session.endpoint_id,
        session.generation.cast_signed(),
        session.created_at.as_millis(),
        session.origin.credential().map(|id| *id.0.as_bytes()),
        session.origin.is_personal(),
    ];
    execute(db, sql, values)?;
    Ok(())
}

pub(in crate::sqlite) fn end_session(
    db: &Connection,
    account: AccountId,
    session: SessionId,
) -> Result<(), Fault> {
    let sql = "delete from sessions where id = ?1 and account_id = ?2";
    execute(db, sql, params![session.as_i64(), account.as_i64()])?;
    Ok(())
}

/// Ends every session of a person but those of personal access tokens; tells whose connections
/// must close, which are all.
fn end_sessions_of(
    db: &Connection,
    account: AccountId,
    person: PersonId,
) -> Result<Vec<SessionId>, Fault> {
    let values = params![account.as_i64(), person.as_i64()];
    let sql = "select id from sessions where account_id = ?1 and person_id = ?2";
    let all = many(db, sql, values, id)?;
    let sql = "delete from sessions where account_id = ?1 and person_id = ?2 and personal = 0";
    execute(db, sql, values)?;
    Ok(all)
}

fn end_sessions_through(
    db: &Connection,
    account: AccountId,
    client_id: &ClientId,
) -> Result<Vec<SessionId>, Fault> {
    let sql = "delete from sessions where account_id = ?1 and client_id = ?2 returning id";
    many(db, sql, params![account.as_i64(), client_id.0], id)
}

fn end_sessions_opened_by(
    db: &Connection,
    account: AccountId,
    credential: CredentialId,
) -> Result<Vec<SessionId>, Fault> {
    let sql = "delete from sessions where credential_id = ?2 and account_id = ?1 returning id";
    let values = params![account.as_i64(), credential.0.as_bytes()];
    many(db, sql, values, id)
}

fn id(row: &Row<'_>) -> rusqlite::Result<SessionId> {
    row.get(0).map(SessionId::from_i64)
}

/// The generation of a session that is still there.
pub(in crate::sqlite) fn generation(
    db: &Connection,
    account: AccountId,
    session: SessionId,
) -> Result<Option<u64>, Fault> {
    let sql = "select generation from sessions where id = ?1 and account_id = ?2";
    one(
        db,
        sql,
        params![session.as_i64(), account.as_i64()],
        |row| row.get(0).map(i64::cast_unsigned),
    )
}

/// What a session is read from. What its app may no longer do is not granted, and what a disabled
/// person left open for programs is not there.
macro_rules! select_session {
    ($more:literal, $from:literal, $rest:literal) => {
        concat!(
            "select s.id, s.account_id, s.person_id, s.client_id, s.scopes, s.endpoint_id,
                s.generation, s.created_at, s.credential_id, s.personal,
                (select a.scopes from apps a where a.client_id = s.client_id)",
            $more,
            " from ",
            $from,
            " where (s.personal = 0 or exists (select 1 from persons p
                where p.id = s.person_id and p.status = 'Enabled')) and ",
            $rest
        )
    };
}

/// Reads the session in columns 0 to 10.
fn read_session(row: &Row<'_>) -> rusqlite::Result<Session> {
    let credential = row.get::<_, Option<[u8; 16]>>(8)?;
    let credential = credential.map(|id| CredentialId(Uuid::from_bytes(id)));
    let granted = read_scopes(&row.get::<_, String>(4)?);
    let allowed = row
        .get::<_, Option<String>>(10)?
        .as_deref()
        .map(read_scopes);
    Ok(Session {
        id: SessionId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        person: PersonId::from_i64(row.get(2)?),
        client_id: ClientId(row.get(3)?),
        origin: match credential {
            None => SessionOrigin::SignIn,
            Some(id) if row.get(9)? => SessionOrigin::PersonalToken(id),
            Some(id) => SessionOrigin::Jwt(id),
        },
        scopes: allowed.map_or(granted, |allowed| granted.and(allowed)),
        endpoint_id: row.get(5)?,
        generation: row.get::<_, i64>(6)?.cast_unsigned(),
        created_at: Timestamp::from_millis(row.get(7)?),
    })
}

pub(in crate::sqlite) fn session(
    db: &Connection,
    account: AccountId,
    session: SessionId,
) -> Result<Option<Session>, Fault> {
    let sql = select_session!("", "sessions s", "s.id = ?1 and s.account_id = ?2");
    let values = params![session.as_i64(), account.as_i64()];
    one(db, sql, values, read_session)
}

pub(in crate::sqlite) fn sessions(
    db: &Connection,
    account: AccountId,
    person: PersonId,
    client_id: &ClientId,
) -> Result<Vec<Session>, Fault> {
    let sql = select_session!(
        "",
        "sessions s",
        "s.account_id = ?1 and s.person_id = ?2 and s.client_id = ?3 and s.personal = 0
        order by s.id"
    );
    let values = params![account.as_i64(), person.as_i64(), client_id.0];
    many(db, sql, values, read_session)
}

const fn kind_name(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Access => "access",
        TokenKind::Refresh => "refresh",
    }
}

pub(in crate::sqlite) fn put_token(db: &Connection, token: &Token) -> Result<(), Fault> {
    let sql = "insert into tokens (hash, account_id, session_id, kind, generation, expires_at, used_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        on conflict (hash) do update set expires_at = excluded.expires_at, used_at = excluded.used_at";
    let values = params![
        token.hash.0,
        token.account.as_i64(),
        token.session.as_i64(),
        kind_name(token.kind),
        token.generation.cast_signed(),
        token.expires_at.as_millis(),
        token.used_at.map(Timestamp::as_millis),
    ];
    execute(db, sql, values)?;
    Ok(())
}

/// Reads the token in columns `at..at + 7`.
fn read_token(row: &Row<'_>, at: usize) -> rusqlite::Result<Token> {
    let kind: String = row.get(at + 3)?;
    Ok(Token {
        hash: TokenHash(row.get(at)?),
        account: AccountId::from_i64(row.get(at + 1)?),
        session: SessionId::from_i64(row.get(at + 2)?),
        kind: if kind == "access" {
            TokenKind::Access
        } else {
            TokenKind::Refresh
        },
        generation: row.get::<_, i64>(at + 4)?.cast_unsigned(),
        expires_at: Timestamp::from_millis(row.get(at + 5)?),
        used_at: row
            .get::<_, Option<i64>>(at + 6)?
            .map(Timestamp::from_millis),
    })
}

pub(in crate::sqlite) fn token(
    db: &Connection,
    hash: TokenHash,
) -> Result<Option<(Session, Token)>, Fault> {
    let sql = select_session!(
        ", t.hash, t.account_id, t.session_id, t.kind, t.generation, t.expires_at, t.used_at",
        "tokens t join sessions s on s.id = t.session_id",
        "t.hash = ?1"
    );
    one(db, sql, params![hash.0], |row| {
        Ok((read_session(row)?, read_token(row, 11)?))
    })
}

pub(in crate::sqlite) fn token_of_generation(
    db: &Connection,
    account: AccountId,
    session: SessionId,
    kind: TokenKind,
    generation: u64,
) -> Result<Option<Token>, Fault> {
    let sql = "select hash, account_id, session_id, kind, generation, expires_at, used_at
        from tokens where session_id = ?1 and kind = ?2 and generation = ?3 and account_id = ?4";
    let values = params![
        session.as_i64(),
        kind_name(kind),
        generation.cast_signed(),
        account.as_i64()
    ];
    one(db, sql, values, |row| read_token(row, 0))
}

pub(in crate::sqlite) fn put_sign_in_code(
    db: &Connection,
    account: AccountId,
    person: PersonId,
    hash: TokenHash,
    expires_at: Timestamp,
) -> Result<(), Fault> {
    let sql = "insert into sign_in_codes (hash, account_id, person_id, expires_at)
        values (?1, ?2, ?3, ?4)";
    execute(
        db,
        sql,
        params![
            hash.0,
            account.as_i64(),
            person.as_i64(),
            expires_at.as_millis()
        ],
    )?;
    Ok(())
}

/// Whether the code was there; it no longer is.
pub(in crate::sqlite) fn take_sign_in_code(
    db: &Connection,
    account: AccountId,
    hash: TokenHash,
) -> Result<bool, Fault> {
    let sql = "delete from sign_in_codes where hash = ?1 and account_id = ?2";
    Ok(execute(db, sql, params![hash.0, account.as_i64()])? == 1)
}

pub(in crate::sqlite) fn sign_in_code(
    db: &Connection,
    hash: TokenHash,
    now: Timestamp,
) -> Result<Option<(AccountId, PersonId)>, Fault> {
    let sql = "select account_id, person_id from sign_in_codes where hash = ?1 and expires_at > ?2";
    one(db, sql, params![hash.0, now.as_millis()], |row| {
        Ok((
            AccountId::from_i64(row.get(0)?),
            PersonId::from_i64(row.get(1)?),
        ))
    })
}

/// Applies what is written of sessions.
pub(in crate::sqlite) fn write(
    tx: &mut Transaction<'_>,
    write: &SessionWrite,
) -> Result<(), Fault> {
    match write {
        SessionWrite::Put(session) => put_session(tx.db, session)?,
        SessionWrite::PutToken(token) => put_token(tx.db, token)?,
        SessionWrite::End { account, session } => {
            end_session(tx.db, *account, *session)?;
            tx.scope.news.push(NewsItem::SessionEnded(*session));
        }
        SessionWrite::EndAllOf { account, person } => {
            let ended = end_sessions_of(tx.db, *account, *person)?;
            tell_ended(tx, ended);
        }
        SessionWrite::EndAllThrough { account, client_id } => {
            let ended = end_sessions_through(tx.db, *account, client_id)?;
            tell_ended(tx, ended);
        }
        SessionWrite::EndAllOpenedBy {
            account,
            credential,
        } => {
            let ended = end_sessions_opened_by(tx.db, *account, *credential)?;
            tell_ended(tx, ended);
        }
    }
    Ok(())
}

fn tell_ended(tx: &mut Transaction<'_>, ended: Vec<SessionId>) {
    tx.scope
        .news
        .extend(ended.into_iter().map(NewsItem::SessionEnded));
}

/// Applies what is written of sign-in codes.
pub(in crate::sqlite) fn write_code(
    tx: &Transaction<'_>,
    write: &SignInCodeWrite,
) -> Result<(), Refusal> {
    match write {
        SignInCodeWrite::Put {
            account,
            person,
            hash,
            expires_at,
        } => put_sign_in_code(tx.db, *account, *person, *hash, *expires_at)?,
        SignInCodeWrite::Take { account, hash } => {
            if !take_sign_in_code(tx.db, *account, *hash)? {
                return Err(Refusal::Conflict);
            }
        }
    }
    Ok(())
}

/// Whether a code is there.
pub(in crate::sqlite) fn has_code(
    db: &Connection,
    account: AccountId,
    hash: TokenHash,
) -> Result<bool, Fault> {
    let sql = "select 1 from sign_in_codes where hash = ?1 and account_id = ?2";
    let found = one(db, sql, params![hash.0, account.as_i64()], |_| Ok(()))?;
    Ok(found.is_some())
}

#[async_trait]
impl Sessions for SqliteStore {
    async fn sign_in_code(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<(AccountId, PersonId)>, StoreError> {
        self.read(move |db, _| sign_in_code(db, hash, now)).await
    }

    async fn token(&self, hash: TokenHash) -> Result<Option<Arc<(Session, Token)>>, StoreError> {
        let mark = match self.caches.tokens.get(&hash) {
            Ok(found) => return Ok(Some(found)),
            Err(mark) => mark,
        };
        let found = self.read(move |db, _| token(db, hash)).await?.map(Arc::new);
        if let Some(found) = &found {
            self.caches.tokens.put(hash, Arc::clone(found), mark);
        }
        Ok(found)
    }

    async fn token_of_generation(
        &self,
        account: AccountId,
        session: SessionId,
        kind: TokenKind,
        generation: u64,
    ) -> Result<Option<Token>, StoreError> {
        self.read(move |db, _| token_of_generation(db, account, session, kind, generation))
            .await
    }

    async fn session(
        &self,
        account: AccountId,
        session: SessionId,
    ) -> Result<Option<Session>, StoreError> {
        self.read(move |db, _| self::session(db, account, session))
            .await
    }

    async fn sessions(
        &self,
        account: AccountId,
        person: PersonId,
        client_id: &ClientId,
    ) -> Result<Vec<Session>, StoreError> {
        let client_id = client_id.clone();
        self.read(move |db, _| sessions(db, account, person, &client_id))
            .await
    }
}
