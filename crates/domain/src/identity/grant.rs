//! OAuth's grants: who is given tokens for what, for how long, and what that ends (contract
//! section 1). Whoever presents a secret has been checked before; here it is decided what follows.
//!
//! Each kind of grant leads to a session: [`SignIn`] opens one, and [`refresh`] goes on with one.

pub mod refresh;

use std::time::Duration;

use crate::identity::app::{App, AppWrite};
use crate::identity::credential::{
    Credential, CredentialKind, CredentialWrite, is_use_due, revocation,
};
use crate::identity::person::Person;
use crate::identity::secret::{Secret, TokenHash, token_from};
use crate::identity::session::{
    Session, SessionOrigin, SessionWrite, SignInCodeWrite, Token, TokenKind,
};
use crate::kernel::change::{Change, Guard};
use crate::kernel::ids::{AccountId, SessionId};
use crate::kernel::limits::{
    ACCESS_TOKEN_TTL_MAX, ACCESS_TOKEN_TTL_MIN, DEVICE_ID_CHARS_MAX, REFRESH_TOKEN_TTL_DEFAULT,
    REFRESH_TOKEN_TTL_MAX, SESSIONS_MAX,
};
use crate::kernel::time::Timestamp;

/// What an app can show to be given tokens: `grant_type` in OAuth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantType {
    /// A JWT credential that a person has made.
    JwtBearer,
    RefreshToken,
    /// Name and password of a person.
    Password,
}

impl GrantType {
    /// Every kind of grant.
    pub const ALL: [Self; 3] = [Self::JwtBearer, Self::RefreshToken, Self::Password];

    /// Name in requests for tokens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::RefreshToken => "refresh_token",
            Self::Password => "password",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Whether `app` may ask so: passwords are for the console alone.
    ///
    /// # Errors
    ///
    /// When it may not.
    pub fn permit(self, app: &App) -> Result<(), GrantError> {
        match self {
            Self::Password if !app.client_id.is_console() => Err(GrantError::NotForThisApp),
            Self::JwtBearer | Self::RefreshToken | Self::Password => Ok(()),
        }
    }
}

/// Why no tokens are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The app does not show a secret that it has.
    #[error("the app is not who it says")]
    BadClient,
    #[error("the app may not use this grant")]
    NotForThisApp,
    /// The assertion is no credential, or not one for this app.
    #[error("the assertion is not good")]
    BadAssertion,
    #[error("name or password is wrong")]
    BadCredentials,
    #[error("the person is disabled")]
    PersonDisabled,
    #[error("the token is invalid or expired")]
    BadToken,
}

impl App {
    /// Whether whoever shows a secret that hashes to `secret` is the app; the use of the secret,
    /// when it is to be noted.
    ///
    /// # Errors
    ///
    /// When it is none of the app's secrets, or nobody signs in through the app.
    pub fn admit(
        &self,
        secret: Option<TokenHash>,
        now: Timestamp,
    ) -> Result<Option<Change>, GrantError> {
        if self.client_id.is_personal() {
            return Err(GrantError::BadClient);
        }
        if !self.kind.keeps_secrets() {
            return Ok(None);
        }
        let known = secret.and_then(|hash| self.secret(hash));
        let known = known.ok_or(GrantError::BadClient)?;
        let used = is_use_due(known.last_used_at, now).then(|| {
            Change::of(AppWrite::SecretUsed {
                account: self.account,
                client_id: self.client_id.clone(),
                secret: known.id.clone(),
                at: now,
            })
        });
        Ok(used)
    }
}

impl Credential {
    /// Whether `app` may exchange it for tokens.
    ///
    /// # Errors
    ///
    /// When it is no JWT, is no longer good, or was made for another app.
    pub fn admit(&self, app: &App, now: Timestamp) -> Result<(), GrantError> {
        let for_this_app = self
            .client_id
            .as_ref()
            .is_none_or(|id| *id == app.client_id);
        let good = self.kind == CredentialKind::Jwt && self.is_live(now);
        if !good || !for_this_app || self.account != app.account {
            return Err(GrantError::BadAssertion);
        }
        Ok(())
    }

    /// Notes that it is exchanged. What is revoked this very moment must not open a session that
    /// nothing ends.
    pub fn use_once(&self, now: Timestamp) -> Change {
        let (account, credential) = (self.account, self.id);
        let guard = Guard::exists(account, credential);
        if !is_use_due(self.last_used_at, now) {
            return Change::default().given(guard);
        }
        Change::of(CredentialWrite::Used {
            account,
            credential,
            at: now,
        })
        .given(guard)
    }
}

/// How long new tokens live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    pub access: Duration,
    pub refresh: Duration,
}

impl Lifetimes {
    /// Unless something else is asked for.
    pub const DEFAULT: Self = Self {
        access: ACCESS_TOKEN_TTL_MAX,
        refresh: REFRESH_TOKEN_TTL_DEFAULT,
    };

    /// What was asked for, in seconds, clamped. Clients also send `-1` and `NaN`, which mean the
    /// default, as does what is too long.
    pub fn asked(access: Option<i64>, refresh: Option<i64>) -> Self {
        let seconds = |asked: Option<i64>| {
            let seconds = asked.and_then(|seconds| u64::try_from(seconds).ok());
            seconds.map(Duration::from_secs)
        };
        let access = seconds(access).filter(|ttl| *ttl <= ACCESS_TOKEN_TTL_MAX);
        let refresh =
            seconds(refresh).filter(|ttl| !ttl.is_zero() && *ttl <= REFRESH_TOKEN_TTL_MAX);
        Self {
            access: access
                .unwrap_or(ACCESS_TOKEN_TTL_MAX)
                .max(ACCESS_TOKEN_TTL_MIN),
            refresh: refresh.unwrap_or(REFRESH_TOKEN_TTL_DEFAULT),
        }
    }
}

/// Where tokens come from. The same arguments lead to the same token, so that a refresh that is
/// repeated gets the same tokens again although only their hashes are stored.
pub trait TokenSource {
    /// The token of `kind` of one generation of a session.
    fn token(&self, kind: TokenKind, session: SessionId, generation: u64) -> Secret;
}

/// Tokens of one generation, as they are handed out.
#[derive(Debug, Clone)]
pub struct Grant {
    pub session: Session,
    pub access: Secret,
    /// In seconds, as is the next.
    pub access_expires_in: u64,
    pub refresh: Secret,
    pub refresh_expires_in: u64,
}

/// A person who signs in through an app.
#[derive(Debug, Clone, Copy)]
pub struct SignIn<'a> {
    pub app: &'a App,
    pub person: &'a Person,
    /// Live sessions of the same person and app, oldest first.
    pub others: &'a [Session],
    pub id: SessionId,
    pub origin: SessionOrigin,
    /// What the client calls its device.
    pub device: Option<&'a str>,
    pub random: [u8; 32],
    pub lifetimes: Lifetimes,
}

impl SignIn<'_> {
    /// Opens a session. One more than a person and app may have ends the oldest.
    ///
    /// # Errors
    ///
    /// When the person is disabled.
    pub fn open(
        self,
        tokens: &dyn TokenSource,
        now: Timestamp,
    ) -> Result<(Change, Grant), GrantError> {
        let (app, person) = (self.app, self.person);
        if !person.is_enabled() {
            return Err(GrantError::PersonDisabled);
        }
        let session = Session {
            account: person.account,
            id: self.id,
            person: person.id,
            client_id: app.client_id.clone(),
            origin: self.origin,
            scopes: app.scopes,
            endpoint_id: self.device_id(),
            created_at: now,
            generation: 1,
        };
        // Who is disabled this very moment must not get a session that nothing ends.
        let mut change = Change::default()
            .given(Guard::PersonEnabled {
                account: person.account,
                person: person.id,
            })
            .given(Guard::exists(app.account, app.client_id.clone()));
        let excess = (self.others.len() + 1).saturating_sub(SESSIONS_MAX);
        for oldest in self.others.iter().take(excess) {
            change.append(oldest.end());
        }
        let (issued, grant) = issue(session, self.lifetimes, tokens, now);
        change.append(issued);
        Ok((change, grant))
    }

    fn device_id(&self) -> String {
        match self.device {
            Some(given) if given.len() <= DEVICE_ID_CHARS_MAX && given.is_ascii() => {
                given.to_owned()
            }
            _ => token_from(self.random).reveal()[..22].to_owned(),
        }
    }
}

/// Uses a one-time sign-in code up; it goes with the change that opens the session, so that it lets
/// in once.
pub fn take_code(account: AccountId, hash: TokenHash) -> Change {
    Change::of(SignInCodeWrite::Take { account, hash }).given(Guard::CodeUnspent { account, hash })
}

impl Session {
    /// Ends it because its client gives it back; a personal access token is revoked with it.
    pub fn give_back(&self, now: Timestamp) -> Change {
        match self.origin {
            SessionOrigin::PersonalToken(credential) => revocation(self.account, credential, now),
            SessionOrigin::SignIn | SessionOrigin::Jwt(_) => self.end(),
        }
    }

    /// Ends it with all of its tokens.
    pub fn end(&self) -> Change {
        Change::of(SessionWrite::End {
            account: self.account,
            session: self.id,
        })
    }
}

/// The tokens of the session's generation.
fn issue(
    session: Session,
    lifetimes: Lifetimes,
    tokens: &dyn TokenSource,
    now: Timestamp,
) -> (Change, Grant) {
    let text = |kind| tokens.token(kind, session.id, session.generation);
    let (access, refresh) = (text(TokenKind::Access), text(TokenKind::Refresh));
    let token = |kind, text: &Secret, ttl| Token {
        account: session.account,
        session: session.id,
        kind,
        hash: TokenHash::of(text.reveal()),
        generation: session.generation,
        expires_at: now + ttl,
        used_at: None,
    };
    let access_token = token(TokenKind::Access, &access, lifetimes.access);
    let refresh_token = token(TokenKind::Refresh, &refresh, lifetimes.refresh);
    let change = Change::of(SessionWrite::Put(session.clone()))
        .and(SessionWrite::PutToken(access_token))
        .and(SessionWrite::PutToken(refresh_token));
    let grant = Grant {
        session,
        access,
        access_expires_in: lifetimes.access.as_secs(),
        refresh,
        refresh_expires_in: lifetimes.refresh.as_secs(),
    };
    (change, grant)
}

#[cfg(test)]
mod tests;
