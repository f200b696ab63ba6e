//! What persons make to let programs in: JWT credentials, which are exchanged for tokens, and
//! personal access tokens, which are tokens.
//!
//! A personal access token has a session of its own that lasts as long as it does. So whatever
//! looks at sessions, such as permissions, rate limits and WebSocket connections, knows it.

use async_trait::async_trait;

use crate::identity::app::{App, ClientId};
use crate::identity::person::{Person, PersonKind};
use crate::identity::scope::{Scope, Scopes};
use crate::identity::secret::{Secret, TokenHash};
use crate::identity::session::{Session, SessionOrigin, SessionWrite, Token, TokenKind};
use crate::kernel::change::{Change, Guard, Set};
use crate::kernel::ids::{AccountId, CredentialId, PersonId, SessionId};
use crate::kernel::limits::{
    CREDENTIAL_NAME_CHARS_MAX, CREDENTIALS_KEPT_MAX, CREDENTIALS_MAX, USE_NOTED_EVERY,
};
use crate::kernel::member::MemberError;
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;
use crate::messaging::Act;

/// How a credential is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// Exchanged for tokens, never used as one.
    Jwt,
    /// A bearer token.
    PersonalAccessToken,
}

impl CredentialKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Jwt, Self::PersonalAccessToken];

    /// Name on the wire and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jwt => "Jwt",
            Self::PersonalAccessToken => "PersonalAccessToken",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// A token of this kind out of 32 random bytes, as [`token_from`] writes them.
    ///
    /// [`token_from`]: crate::identity::secret::token_from
    pub fn token(self, random: &Secret) -> Secret {
        let random = random.reveal();
        Secret::new(match self {
            // It has the shape of a JWT because clients expect one. It is found by its hash, so
            // what stands where a signature would be is plain randomness.
            Self::Jwt => format!("{JWT_HEADER}.{JWT_PAYLOAD}.{random}"),
            Self::PersonalAccessToken => format!("{PERSONAL_PREFIX}{random}"),
        })
    }
}

/// `{"alg":"HS256","typ":"JWT"}` and `{"iss":"hookyard"}`.
const JWT_HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
const JWT_PAYLOAD: &str = "eyJpc3MiOiJob29reWFyZCJ9";
/// How personal access tokens begin, so that secret scanners know them.
const PERSONAL_PREFIX: &str = "hyp_";

/// What lets a program in, in a person's name. The token itself is never stored, only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub account: AccountId,
    pub id: CredentialId,
    pub kind: CredentialKind,
    pub name: String,
    pub person: PersonId,
    /// The only client that may exchange it, or that it stands for. `None` for any of the account,
    /// or for no app.
    pub client_id: Option<ClientId>,
    /// What a personal access token may do; a JWT gets what its app may.
    pub scopes: Option<Scopes>,
    pub hash: TokenHash,
    /// The last characters of the token; empty for those of former builds.
    pub hint: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// Why a credential cannot be made as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error(transparent)]
    Member(#[from] MemberError),
    /// Who asks does not have the permission themselves.
    #[error("the caller lacks `{}`", .0.name())]
    GivesMore(Scope),
    #[error("only administrators make credentials for others")]
    NotAnAdmin,
    #[error("people make their own credentials")]
    NotABot,
}

/// What people say of a new credential.
#[derive(Debug, Clone)]
pub struct NewCredential {
    pub kind: CredentialKind,
    pub name: String,
    /// The app that it is for. It was looked up in the account.
    pub app: Option<App>,
    pub scopes: Option<Scopes>,
    pub expires_at: Option<Timestamp>,
}

/// Whose credentials `by` may see and change: their own, and as an administrator those of bots.
pub fn may_manage(by: &Person, owner: &Person) -> Result<(), CredentialError> {
    if by.id == owner.id {
        Ok(())
    } else if !by.admin {
        Err(CredentialError::NotAnAdmin)
    } else if owner.kind == PersonKind::Bot {
        Ok(())
    } else {
        Err(CredentialError::NotABot)
    }
}

fn check_name(name: &str) -> Result<String, MemberError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > CREDENTIAL_NAME_CHARS_MAX {
        let reason = format!("has 1 to {CREDENTIAL_NAME_CHARS_MAX} characters");
        return Err(MemberError::new("name", reason));
    }
    Ok(name.to_owned())
}

impl NewCredential {
    /// What the credential lets in with, as far as `having`, what the caller may do, allows.
    fn permitted(&self, having: Scopes) -> Result<Option<Scopes>, CredentialError> {
        let of_app = self.app.as_ref().map_or(Scopes::all(), |app| app.scopes);
        let (given, kept) = match (self.kind, self.scopes) {
            (CredentialKind::Jwt, None) => (of_app, None),
            (CredentialKind::Jwt, Some(_)) => {
                let reason = "is for personal access tokens: a JWT gets what its app may";
                return Err(MemberError::new("permissions", reason).into());
            }
            (CredentialKind::PersonalAccessToken, None) => {
                let reason = "says what the token may do";
                return Err(MemberError::new("permissions", reason).into());
            }
            (CredentialKind::PersonalAccessToken, Some(scopes)) => {
                if let Some(scope) = of_app.lacks(scopes) {
                    let reason = format!("holds what the app may not do: {}", scope.name());
                    return Err(MemberError::new("permissions", reason).into());
                }
                (scopes, Some(scopes))
            }
        };
        match having.lacks(given) {
            Some(scope) => Err(CredentialError::GivesMore(scope)),
            None => Ok(kept),
        }
    }
}

impl Credential {
    /// Makes a credential of `owner`, whose token is `token`. `having` is what the caller may do.
    pub fn create(
        act: &Act<'_>,
        (by, owner): (&Person, &Person),
        having: Scopes,
        new: &NewCredential,
        (id, token): (CredentialId, &Secret),
    ) -> Result<(Change, Self), CredentialError> {
        may_manage(by, owner)?;
        let name = check_name(&new.name)?;
        let scopes = new.permitted(having)?;
        if new.expires_at.is_some_and(|at| at <= act.now) {
            let reason = "lies in the future";
            return Err(MemberError::new("expirationTime", reason).into());
        }
        let credential = Self {
            account: act.account,
            id,
            kind: new.kind,
            name,
            person: owner.id,
            client_id: new.app.as_ref().map(|app| app.client_id.clone()),
            scopes,
            hash: TokenHash::of(token.reveal()),
            hint: token.hint(),
            created_at: act.now,
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        let room = |live_at, max| Guard::Room {
            of: Set::Credentials {
                account: act.account,
                person: owner.id,
                live_at,
            },
            max,
        };
        let mut change = Change::of(CredentialWrite::Put(Box::new(credential.clone())))
            .given(Guard::PersonEnabled {
                account: owner.account,
                person: owner.id,
            })
            .given(room(Some(act.now), CREDENTIALS_MAX))
            .given(room(None, CREDENTIALS_KEPT_MAX));
        if by.id != owner.id {
            change = change.given(by.unchanged());
        }
        if let Some(app) = &new.app {
            change = change.given(Guard::exists(app.account, app.client_id.clone()));
        }
        if let Some(scopes) = scopes {
            let (session, token) = credential.session(scopes, SessionId(act.next_id()));
            change = change
                .and(SessionWrite::Put(session))
                .and(SessionWrite::PutToken(token));
        }
        Ok((change, credential))
    }

    /// The session and the token that a personal access token is.
    fn session(&self, scopes: Scopes, id: SessionId) -> (Session, Token) {
        let personal = || ClientId(ClientId::PERSONAL.to_owned());
        let session = Session {
            account: self.account,
            id,
            person: self.person,
            client_id: self.client_id.clone().unwrap_or_else(personal),
            origin: SessionOrigin::PersonalToken(self.id),
            scopes,
            endpoint_id: self.id.to_string(),
            created_at: self.created_at,
            generation: 1,
        };
        let token = Token {
            account: self.account,
            session: id,
            kind: TokenKind::Access,
            hash: self.hash,
            generation: 1,
            expires_at: self.expires_at.unwrap_or(Timestamp::MAX),
            used_at: None,
        };
        (session, token)
    }

    /// Whether it lets in at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }

    /// Gives it another name.
    pub fn rename(&self, name: &str) -> Result<(Change, Self), CredentialError> {
        let renamed = Self {
            name: check_name(name)?,
            ..self.clone()
        };
        let change = Change::of(CredentialWrite::Rename {
            account: self.account,
            credential: self.id,
            name: renamed.name.clone(),
        });
        Ok((change, renamed))
    }

    /// Revokes it: it lets nobody in any more, and what it opened ends. Twice is once.
    pub fn revoke(&self, now: Timestamp) -> (Change, Self) {
        if self.revoked_at.is_some() {
            return (Change::default(), self.clone());
        }
        let revoked = Self {
            revoked_at: Some(now),
            ..self.clone()
        };
        (revocation(self.account, self.id, now), revoked)
    }

    /// Forgets it; what it opened ends.
    pub fn delete(&self) -> Change {
        Change::of(CredentialWrite::Delete {
            account: self.account,
            credential: self.id,
        })
        .and(SessionWrite::EndAllOpenedBy {
            account: self.account,
            credential: self.id,
        })
    }
}

/// The revocation of a credential by its id.
pub fn revocation(account: AccountId, credential: CredentialId, at: Timestamp) -> Change {
    Change::of(CredentialWrite::Revoke {
        account,
        credential,
        at,
    })
    .and(SessionWrite::EndAllOpenedBy {
        account,
        credential,
    })
}

/// Whether a use at `now` is to be noted, where the last one that was is `noted`.
pub fn is_use_due(noted: Option<Timestamp>, now: Timestamp) -> bool {
    noted.is_none_or(|noted| now >= noted + USE_NOTED_EVERY)
}

/// What is written of credentials.
#[derive(Debug, Clone)]
pub enum CredentialWrite {
    Put(Box<Credential>),
    Rename {
        account: AccountId,
        credential: CredentialId,
        name: String,
    },
    Used {
        account: AccountId,
        credential: CredentialId,
        at: Timestamp,
    },
    Revoke {
        account: AccountId,
        credential: CredentialId,
        at: Timestamp,
    },
    Delete {
        account: AccountId,
        credential: CredentialId,
    },
    /// Forgets those that are for one app.
    DeleteAllThrough {
        account: AccountId,
        client_id: ClientId,
    },
}

/// Which credentials to list.
#[derive(Debug, Clone, Copy)]
pub struct CredentialQuery {
    pub account: AccountId,
    pub person: PersonId,
    /// `None` for both.
    pub kind: Option<CredentialKind>,
}

/// Reads of credentials.
#[async_trait]
pub trait Credentials: Send + Sync {
    async fn credential(
        &self,
        account: AccountId,
        credential: CredentialId,
    ) -> Result<Option<Credential>, StoreError>;
    /// The credential whose token hashes to `hash`, in any account.
    async fn credential_of(&self, hash: TokenHash) -> Result<Option<Credential>, StoreError>;
    /// Credentials, newest first.
    async fn credentials(&self, query: CredentialQuery) -> Result<Vec<Credential>, StoreError>;
}

#[cfg(test)]
mod tests;
