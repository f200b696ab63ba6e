//! Sessions and their tokens (contract section 1.4).

use std::sync::Arc;

use async_trait::async_trait;

use crate::identity::app::{ClientId, Scopes};
use crate::identity::secret::TokenHash;
use crate::kernel::ids::{AccountId, PersonId, SessionId};
use crate::kernel::limits::{REFRESH_GRACE_UNUSED, REFRESH_GRACE_USED};
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;

/// A signed-in app on behalf of a person. Ending it ends all of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub account: AccountId,
    pub id: SessionId,
    pub person: PersonId,
    pub client_id: ClientId,
    pub scopes: Scopes,
    pub endpoint_id: String,
    pub created_at: Timestamp,
    /// Tokens issued before this generation are superseded.
    pub generation: u64,
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Access,
    Refresh,
}

/// One token of a session. The token itself is never stored, only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub account: AccountId,
    pub session: SessionId,
    pub kind: TokenKind,
    pub hash: TokenHash,
    /// Counts refreshes: an access token and a refresh token that were issued together share it.
    pub generation: u64,
    pub expires_at: Timestamp,
    /// First use of an access token; of a refresh token, when it was exchanged.
    pub used_at: Option<Timestamp>,
}

/// What presenting a refresh token leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshDecision {
    /// Current and unused: issue the next generation.
    Issue,
    /// Already exchanged, within its grace: hand out the same next generation again.
    Repeat,
    /// Exchanged too long ago: someone replays it. End the session.
    Replayed,
    Expired,
}

impl Token {
    /// Whether the token's time is over at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// Decides what a refresh token may still do at `now`.
    ///
    /// `successor_used_at` is when the access token of the next generation was first used. Until
    /// then the old refresh token stays good for an hour after its exchange; from then on, for ten
    /// seconds.
    pub fn refresh_at(
        &self,
        successor_used_at: Option<Timestamp>,
        now: Timestamp,
    ) -> RefreshDecision {
        if self.is_expired(now) {
            return RefreshDecision::Expired;
        }
        let Some(exchanged_at) = self.used_at else {
            return RefreshDecision::Issue;
        };
        let in_grace = match successor_used_at {
            Some(used_at) => now < used_at + REFRESH_GRACE_USED,
            None => now < exchanged_at + REFRESH_GRACE_UNUSED,
        };
        if in_grace {
            RefreshDecision::Repeat
        } else {
            RefreshDecision::Replayed
        }
    }
}

/// What is written of sessions.
#[derive(Debug, Clone)]
pub enum SessionWrite {
    Put(Session),
    PutToken(Token),
    /// Ends a session and all of its tokens.
    End {
        account: AccountId,
        session: SessionId,
    },
    /// Ends every session of a person.
    EndAllOf {
        account: AccountId,
        person: PersonId,
    },
}

/// What is written of one-time sign-in codes for the console.
#[derive(Debug, Clone)]
pub enum SignInCodeWrite {
    Put {
        account: AccountId,
        person: PersonId,
        hash: TokenHash,
        expires_at: Timestamp,
    },
    /// Uses a code up. Its guard is [`Guard::CodeUnspent`](crate::Guard::CodeUnspent).
    Take { account: AccountId, hash: TokenHash },
}

/// Reads of sessions, their tokens, and the codes that begin one.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Whom a one-time sign-in code lets in, if it is there and not expired at `now`.
    async fn sign_in_code(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<(AccountId, PersonId)>, StoreError>;
    /// A token and its session. Called for every API request, so it is served from memory.
    async fn token(&self, hash: TokenHash) -> Result<Option<Arc<(Session, Token)>>, StoreError>;
    async fn token_of_generation(
        &self,
        account: AccountId,
        session: SessionId,
        kind: TokenKind,
        generation: u64,
    ) -> Result<Option<Token>, StoreError>;
    /// A session, as long as it lives.
    async fn session(
        &self,
        account: AccountId,
        session: SessionId,
    ) -> Result<Option<Session>, StoreError>;
    /// Live sessions of a person and client, oldest first.
    async fn sessions(
        &self,
        account: AccountId,
        person: PersonId,
        client_id: &ClientId,
    ) -> Result<Vec<Session>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refresh(used_at: Option<i64>) -> Token {
        Token {
            account: AccountId(1),
            session: SessionId(1),
            kind: TokenKind::Refresh,
            hash: TokenHash([0; 32]),
            generation: 1,
            expires_at: Timestamp::from_millis(604_800_000),
            used_at: used_at.map(Timestamp::from_millis),
        }
    }

    fn check(used_at: Option<i64>, successor: Option<i64>, now: i64, expect: RefreshDecision) {
        let successor = successor.map(Timestamp::from_millis);
        assert_eq!(
            refresh(used_at).refresh_at(successor, Timestamp::from_millis(now)),
            expect
        );
    }

    #[test]
    fn a_refresh_token_is_single_use_with_grace() {
        check(None, None, 1, RefreshDecision::Issue);
        check(Some(0), None, 3_599_999, RefreshDecision::Repeat);
        check(Some(0), None, 3_600_000, RefreshDecision::Replayed);
        check(Some(0), Some(5_000), 14_999, RefreshDecision::Repeat);
        check(Some(0), Some(5_000), 15_000, RefreshDecision::Replayed);
        check(None, None, 604_800_000, RefreshDecision::Expired);
    }
}
