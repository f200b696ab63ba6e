//! Sessions and their tokens (contract section 1.4).

use std::sync::Arc;

use async_trait::async_trait;

use crate::identity::app::ClientId;
use crate::identity::credential::{CredentialWrite, is_use_due};
use crate::identity::scope::Scopes;
use crate::identity::secret::TokenHash;
use crate::kernel::change::{Change, Guard};
use crate::kernel::ids::{AccountId, CredentialId, PersonId, SessionId};
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;

/// What a session was opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionOrigin {
    /// A password, a code, or what former builds did not write down.
    #[default]
    SignIn,
    /// A JWT credential, and the session ends with it.
    Jwt(CredentialId),
    /// It stands for a personal access token: its one token is that, and it lives as long.
    PersonalToken(CredentialId),
}

impl SessionOrigin {
    /// The credential that it ends with.
    pub const fn credential(self) -> Option<CredentialId> {
        match self {
            Self::SignIn => None,
            Self::Jwt(id) | Self::PersonalToken(id) => Some(id),
        }
    }

    /// Whether it stands for a personal access token.
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::PersonalToken(_))
    }
}

/// A signed-in app on behalf of a person. Ending it ends all of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub account: AccountId,
    pub id: SessionId,
    pub person: PersonId,
    pub client_id: ClientId,
    pub origin: SessionOrigin,
    /// What was granted; read from the store, of it what the app may still do.
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
    /// First use of an access token; of a personal access token the last, to the minute; of a
    /// refresh token, when it was exchanged.
    pub used_at: Option<Timestamp>,
}

/// Why a token is no key to the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    #[error("the token is not an access token of the session's generation")]
    Invalid,
    #[error("the token has expired")]
    Expired,
}

impl Session {
    /// Whether one of its tokens lets in at `now`. The first use is recorded with the change that
    /// comes back: from then on the refresh token that led to it has only seconds left.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn admit(&self, token: &Token, now: Timestamp) -> Result<Option<Change>, AccessError> {
        if token.kind != TokenKind::Access || token.generation != self.generation {
            return Err(AccessError::Invalid);
        }
        if token.is_expired(now) {
            return Err(AccessError::Expired);
        }
        let due = match self.origin {
            SessionOrigin::PersonalToken(_) => is_use_due(token.used_at, now),
            SessionOrigin::SignIn | SessionOrigin::Jwt(_) => token.used_at.is_none(),
        };
        if !due {
            return Ok(None);
        }
        let used = Token {
            used_at: Some(now),
            ..token.clone()
        };
        let guard = Guard::version(self.account, self.id, self.generation);
        let mut change = Change::of(SessionWrite::PutToken(used)).given(guard);
        if let SessionOrigin::PersonalToken(credential) = self.origin {
            change = change.and(CredentialWrite::Used {
                account: self.account,
                credential,
                at: now,
            });
        }
        Ok(Some(change))
    }
}

impl Token {
    /// Whether the token's time is over at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
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
    /// Ends every session of a person. Those of personal access tokens lose what they keep open;
    /// they go on when the person may.
    EndAllOf {
        account: AccountId,
        person: PersonId,
    },
    /// Ends every session of an app.
    EndAllThrough {
        account: AccountId,
        client_id: ClientId,
    },
    /// Ends every session that a credential opened.
    EndAllOpenedBy {
        account: AccountId,
        credential: CredentialId,
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
    /// Uses a code up. Its guard is [`Guard::CodeUnspent`].
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
    /// A token and its session. Called for every API request, so it is served from memory. Personal
    /// access tokens of a disabled person are not there.
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
    /// Live sessions that a person signed in to with a client, oldest first; not those of personal
    /// access tokens.
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
    use crate::kernel::change::Write;

    #[test]
    fn only_a_live_access_token_of_the_newest_generation_lets_in() {
        let now = Timestamp::from_millis(1_000);
        let session = Session {
            account: AccountId(1),
            id: SessionId(1),
            person: PersonId(1),
            client_id: ClientId("app".to_owned()),
            origin: SessionOrigin::SignIn,
            scopes: Scopes::all(),
            endpoint_id: String::new(),
            created_at: now,
            generation: 2,
        };
        let token = |kind, generation, expires_at, used_at| Token {
            account: AccountId(1),
            session: SessionId(1),
            kind,
            hash: TokenHash([0; 32]),
            generation,
            expires_at: Timestamp::from_millis(expires_at),
            used_at,
        };
        let (access, refresh) = (TokenKind::Access, TokenKind::Refresh);
        for (kind, generation, expires_at, expect) in [
            (access, 2, 1_001, None),
            (access, 2, 1_000, Some(AccessError::Expired)),
            (access, 1, 1_001, Some(AccessError::Invalid)),
            (refresh, 2, 1_001, Some(AccessError::Invalid)),
        ] {
            let token = token(kind, generation, expires_at, None);
            assert_eq!(session.admit(&token, now).err(), expect);
        }
        let first = session.admit(&token(access, 2, 1_001, None), now).unwrap();
        let [Write::Session(SessionWrite::PutToken(used))] = &first.unwrap().writes[..] else {
            panic!("the first use is recorded");
        };
        assert_eq!(used.used_at, Some(now));
        let used = token(access, 2, 1_001, Some(now));
        assert!(session.admit(&used, now).unwrap().is_none());
    }
}
