//! Decisions about apps: making and changing them, giving them secrets, deleting them.

use url::Url;

use super::{App, AppKind, AppWrite, ClientId, ClientSecret, KeptSecret, KeySet};
use crate::identity::credential::CredentialWrite;
use crate::identity::person::Person;
use crate::identity::scope::{Scope, Scopes};
use crate::identity::session::SessionWrite;
use crate::kernel::change::{Change, Guard, Set};
use crate::kernel::limits::{
    APP_NAME_CHARS_MAX, APP_SECRETS_MAX, APPS_MAX, REDIRECT_URI_CHARS_MAX, REDIRECT_URIS_MAX,
};
use crate::kernel::member::MemberError;
use crate::messaging::Act;
use crate::subscriptions::address::Address;
use crate::subscriptions::ports::SubscriptionWrite;

/// Why an app cannot be made or changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Member(#[from] MemberError),
    /// Who asks does not have the permission themselves.
    #[error("the caller lacks `{}`", .0.name())]
    GivesMore(Scope),
    #[error("the app is built in")]
    BuiltIn,
    #[error("the app keeps no secrets")]
    KeepsNoSecrets,
    #[error("the app has as many secrets as it may")]
    SecretsFull,
    #[error("it is the only secret")]
    OnlySecret,
    #[error("there is no such secret")]
    NoSuchSecret,
}

/// What people say of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSettings {
    pub name: String,
    pub kind: AppKind,
    pub scopes: Scopes,
    pub redirect_uris: Vec<String>,
    pub public_keys: KeySet,
    pub outbound_url: Option<String>,
}

impl AppSettings {
    /// Those of `app`.
    pub fn of(app: &App) -> Self {
        Self {
            name: app.name.clone(),
            kind: app.kind,
            scopes: app.scopes,
            redirect_uris: app.redirect_uris.clone(),
            public_keys: app.public_keys.clone(),
            outbound_url: app.outbound_url.clone(),
        }
    }

    fn check(&self) -> Result<(), MemberError> {
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > APP_NAME_CHARS_MAX {
            let reason = format!("has 1 to {APP_NAME_CHARS_MAX} characters");
            return Err(MemberError::new("name", reason));
        }
        if self.redirect_uris.len() > REDIRECT_URIS_MAX {
            let reason = format!("holds at most {REDIRECT_URIS_MAX} addresses");
            return Err(MemberError::new("redirectUris", reason));
        }
        for (at, uri) in self.redirect_uris.iter().enumerate() {
            check_redirect(uri)
                .map_err(|reason| MemberError::new(format!("redirectUris[{at}]"), reason))?;
        }
        if let Some(url) = &self.outbound_url
            && Address::parse(url).is_err()
        {
            return Err(MemberError::new("outboundUrl", Address::complaint(url)));
        }
        Ok(())
    }
}

/// Whether people may be sent back to `text` (RFC 8252 and RFC 9700): over TLS, to a program on
/// their own machine, or to one that has a scheme of its own.
fn check_redirect(text: &str) -> Result<(), String> {
    if text.chars().count() > REDIRECT_URI_CHARS_MAX {
        return Err(format!("has at most {REDIRECT_URI_CHARS_MAX} characters"));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("holds no white space and no control characters".to_owned());
    }
    let Ok(url) = Url::parse(text) else {
        return Err("is an absolute URI, such as `https://example.com/signed-in`".to_owned());
    };
    if url.fragment().is_some() {
        return Err("has no fragment".to_owned());
    }
    let own_machine = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok(()),
        "http" if own_machine => Ok(()),
        "http" => Err("uses https, unless it leads to the person's own machine".to_owned()),
        scheme if scheme.contains('.') => Ok(()),
        _ => Err(
            "has a scheme of https, or one of the app's own with a dot, such as \
                  `com.example.app:/signed-in`"
                .to_owned(),
        ),
    }
}

fn permit(having: Scopes, given: Scopes) -> Result<(), AppError> {
    having
        .lacks(given)
        .map_or(Ok(()), |scope| Err(AppError::GivesMore(scope)))
}

impl App {
    /// Makes an app. `having` is what the caller may do; `secret` is for one that keeps secrets,
    /// `outbound` for one that has an outbound URL.
    pub fn create(
        act: &Act<'_>,
        by: &Person,
        having: Scopes,
        settings: AppSettings,
        (client_id, secret, outbound): (ClientId, ClientSecret, KeptSecret),
    ) -> Result<(Change, Self), AppError> {
        settings.check()?;
        permit(having, settings.scopes)?;
        let app = Self {
            account: act.account,
            client_id,
            name: settings.name.trim().to_owned(),
            kind: settings.kind,
            scopes: settings.scopes,
            redirect_uris: settings.redirect_uris,
            secrets: if settings.kind.keeps_secrets() {
                vec![secret]
            } else {
                Vec::new()
            },
            public_keys: settings.public_keys,
            outbound_secret: settings.outbound_url.is_some().then_some(outbound),
            outbound_url: settings.outbound_url,
            verification_token: None,
            creator: Some(act.person),
            created_at: act.now,
            modified_at: act.now,
            version: 1,
        };
        let change = Change::of(AppWrite::Put(Box::new(app.clone())))
            .given(by.unchanged())
            .given(Guard::version(act.account, app.client_id.clone(), 0))
            .given(Guard::Room {
                of: Set::Apps(act.account),
                max: APPS_MAX,
            });
        Ok((change, app))
    }

    /// Holds as long as nobody has changed it.
    pub(super) fn unchanged(&self) -> Guard {
        Guard::version(self.account, self.client_id.clone(), self.version)
    }

    fn check_changeable(&self) -> Result<(), AppError> {
        if self.client_id.is_built_in() {
            return Err(AppError::BuiltIn);
        }
        Ok(())
    }

    /// The step to `next`, taken by `by`.
    fn becoming(&self, act: &Act<'_>, by: &Person, next: Self) -> (Change, Self) {
        let next = Self {
            modified_at: act.now,
            version: self.version + 1,
            ..next
        };
        let change = Change::of(AppWrite::Put(Box::new(next.clone())))
            .given(self.unchanged())
            .given(by.unchanged());
        (change, next)
    }

    /// Gives an app other settings. `outbound` is for one that gets its first outbound URL.
    ///
    /// What it may no longer do its sessions may not either, from the next request on; what it
    /// may from now on is for sessions that are opened from now on.
    pub fn change(
        &self,
        act: &Act<'_>,
        by: &Person,
        having: Scopes,
        settings: AppSettings,
        outbound: KeptSecret,
    ) -> Result<(Change, Self), AppError> {
        self.check_changeable()?;
        settings.check()?;
        if settings.kind != self.kind {
            let reason = "stays what it is: make another app";
            return Err(MemberError::new("kind", reason).into());
        }
        if settings == AppSettings::of(self) {
            return Ok((Change::default(), self.clone()));
        }
        if settings.scopes != self.scopes {
            permit(having, settings.scopes)?;
        }
        let outbound_secret = self
            .outbound_secret
            .clone()
            .or_else(|| settings.outbound_url.is_some().then_some(outbound));
        let next = Self {
            name: settings.name.trim().to_owned(),
            scopes: settings.scopes,
            redirect_uris: settings.redirect_uris,
            public_keys: settings.public_keys,
            outbound_url: settings.outbound_url,
            outbound_secret,
            ..self.clone()
        };
        Ok(self.becoming(act, by, next))
    }

    /// Gives an app one more secret. Who gives it can act with all that the app may.
    pub fn add_secret(
        &self,
        act: &Act<'_>,
        by: &Person,
        having: Scopes,
        secret: ClientSecret,
    ) -> Result<(Change, Self), AppError> {
        self.check_changeable()?;
        permit(having, self.scopes)?;
        if !self.kind.keeps_secrets() {
            return Err(AppError::KeepsNoSecrets);
        }
        if self.secrets.len() >= APP_SECRETS_MAX {
            return Err(AppError::SecretsFull);
        }
        let mut next = self.clone();
        next.secrets.push(secret);
        Ok(self.becoming(act, by, next))
    }

    /// Takes one of two secrets away.
    pub fn remove_secret(
        &self,
        act: &Act<'_>,
        by: &Person,
        id: &str,
    ) -> Result<(Change, Self), AppError> {
        self.check_changeable()?;
        if self.secrets.iter().all(|secret| secret.id != id) {
            return Err(AppError::NoSuchSecret);
        }
        if self.secrets.len() < 2 {
            return Err(AppError::OnlySecret);
        }
        let mut next = self.clone();
        next.secrets.retain(|secret| secret.id != id);
        Ok(self.becoming(act, by, next))
    }

    /// Gives an app another outbound secret, in place of the one that it has.
    pub fn rotate_outbound_secret(
        &self,
        act: &Act<'_>,
        by: &Person,
        secret: KeptSecret,
    ) -> Result<(Change, Self), AppError> {
        self.check_changeable()?;
        if self.outbound_secret.is_none() {
            return Err(AppError::NoSuchSecret);
        }
        let next = Self {
            outbound_secret: Some(secret),
            ..self.clone()
        };
        Ok(self.becoming(act, by, next))
    }

    /// Gives an app a verification token, in place of what it has, or takes it away.
    pub fn set_verification_token(
        &self,
        act: &Act<'_>,
        by: &Person,
        token: Option<KeptSecret>,
    ) -> Result<(Change, Self), AppError> {
        self.check_changeable()?;
        let next = Self {
            verification_token: token,
            ..self.clone()
        };
        Ok(self.becoming(act, by, next))
    }

    /// Deletes an app, with its sessions, the credentials that are for it alone, and its
    /// subscriptions. Endpoints are the account's, and stay.
    pub fn delete(&self, act: &Act<'_>, by: &Person) -> Result<Change, AppError> {
        self.check_changeable()?;
        let (account, client_id) = (self.account, self.client_id.clone());
        let app = AppWrite::Delete {
            account,
            client_id: client_id.clone(),
        };
        Ok(Change::of(app)
            .and(SessionWrite::EndAllThrough {
                account,
                client_id: client_id.clone(),
            })
            .and(CredentialWrite::DeleteAllThrough {
                account,
                client_id: client_id.clone(),
            })
            .and(SubscriptionWrite::DeleteAllThrough {
                account,
                client_id,
                at: act.now,
                reason: "its app was deleted",
            })
            .given(self.unchanged())
            .given(by.unchanged()))
    }
}
