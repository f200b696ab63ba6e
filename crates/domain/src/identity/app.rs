//! API clients: who calls, what they may do, and how they prove who they are.

mod keys;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;

use async_trait::async_trait;

use crate::identity::secret::{Secret, TokenHash};
use crate::kernel::ids::{AccountId, PersonId};
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;

pub use self::keys::KeySet;
pub use self::settings::{AppError, AppSettings};
pub use crate::identity::scope::{Scope, Scopes};

/// The public name of an app; `client_id` in OAuth. A client id is unique in the whole store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub String);

impl ClientId {
    /// The console's own client: public, made at the first start, refused for cross-origin calls.
    pub const CONSOLE: &'static str = "hookyard-console";
    /// Whom personal access tokens that name no app stand for. It has no row: nobody signs in
    /// through it.
    pub const PERSONAL: &'static str = "hookyard-personal";

    /// Whether this is the console's own client.
    pub fn is_console(&self) -> bool {
        self.0 == Self::CONSOLE
    }

    /// Whether this is whom personal access tokens stand for.
    pub fn is_personal(&self) -> bool {
        self.0 == Self::PERSONAL
    }

    /// Whether the app is part of Hookyard, and nobody's to change.
    pub fn is_built_in(&self) -> bool {
        self.is_console() || self.is_personal()
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an app is, which says how it can prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppKind {
    /// A program that can keep a secret.
    Server,
    /// A program in other people's hands: it has no secret, and signs in with PKCE.
    Browser,
    /// A program that acts in its own name, and can keep a secret.
    Bot,
}

impl AppKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Server, Self::Browser, Self::Bot];

    /// Name on the wire and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "Server",
            Self::Browser => "Browser",
            Self::Bot => "Bot",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it proves who it is by a secret.
    pub const fn keeps_secrets(self) -> bool {
        matches!(self, Self::Server | Self::Bot)
    }
}

/// One of an app's secrets: two are good at a time, so that one can take the other's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecret {
    pub id: String,
    pub hash: TokenHash,
    /// The last characters, to know it by; empty for those of former builds.
    pub hint: String,
    pub created_at: Timestamp,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A secret that is kept to be shown again, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSecret {
    pub secret: Secret,
    pub created_at: Timestamp,
}

/// An API client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub account: AccountId,
    pub client_id: ClientId,
    pub name: String,
    pub kind: AppKind,
    pub scopes: Scopes,
    /// Where people may be sent back to after they signed in.
    pub redirect_uris: Vec<String>,
    /// Oldest first; none of a public client.
    pub secrets: Vec<ClientSecret>,
    /// Keys that its assertions can be checked with.
    pub public_keys: KeySet,
    /// Where interactive messages are sent to.
    pub outbound_url: Option<String>,
    /// What signs them.
    pub outbound_secret: Option<KeptSecret>,
    /// What its subscriptions present that have no token of their own.
    pub verification_token: Option<KeptSecret>,
    /// Who made it; `None` for those that came with the first start.
    pub creator: Option<PersonId>,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub version: u64,
}

impl App {
    /// An app that nobody made: it came with the account. `secret` is `None` for a public client.
    pub fn supplied(
        account: AccountId,
        client_id: ClientId,
        name: &str,
        secret: Option<ClientSecret>,
        at: Timestamp,
    ) -> Self {
        Self {
            account,
            client_id,
            name: name.to_owned(),
            kind: if secret.is_some() {
                AppKind::Server
            } else {
                AppKind::Browser
            },
            scopes: Scopes::all(),
            redirect_uris: Vec::new(),
            secrets: secret.into_iter().collect(),
            public_keys: KeySet::default(),
            outbound_url: None,
            outbound_secret: None,
            verification_token: None,
            creator: None,
            created_at: at,
            modified_at: at,
            version: 1,
        }
    }

    /// Whom personal access tokens stand for that name no app.
    pub fn personal(account: AccountId) -> Self {
        let client_id = ClientId(ClientId::PERSONAL.to_owned());
        let since = Timestamp::from_millis(0);
        Self::supplied(account, client_id, "Personal access tokens", None, since)
    }

    /// The secret that hashes to `hash`.
    pub fn secret(&self, hash: TokenHash) -> Option<&ClientSecret> {
        self.secrets.iter().find(|secret| secret.hash == hash)
    }
}

impl ClientSecret {
    /// What is kept of `secret`. `id` names it among those of its app.
    pub fn of(secret: &Secret, id: String, at: Timestamp) -> Self {
        Self {
            id,
            hash: TokenHash::of(secret.reveal()),
            hint: secret.hint(),
            created_at: at,
            last_used_at: None,
        }
    }
}

/// What is written of apps.
#[derive(Debug, Clone)]
pub enum AppWrite {
    /// What is known of when its secrets were used stays.
    Put(Box<App>),
    SecretUsed {
        account: AccountId,
        client_id: ClientId,
        secret: String,
        at: Timestamp,
    },
    Delete {
        account: AccountId,
        client_id: ClientId,
    },
}

/// What hangs on an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AppUsage {
    pub subscriptions: u64,
    pub endpoints: u64,
    pub sessions: u64,
    /// Those that were not revoked.
    pub credentials: u64,
}

/// Reads of apps.
#[async_trait]
pub trait Apps: Send + Sync {
    async fn app(&self, client_id: &ClientId) -> Result<Option<App>, StoreError>;
    /// The apps of an account, newest first.
    async fn apps(&self, account: AccountId) -> Result<Vec<App>, StoreError>;
    /// The verification tokens of apps, in all accounts.
    async fn verification_tokens(&self) -> Result<HashMap<ClientId, Secret>, StoreError>;
    /// What an app's subscriptions present that have no token of their own.
    async fn verification_token(&self, client_id: &ClientId) -> Result<Option<Secret>, StoreError> {
        let app = self.app(client_id).await?;
        let token = app.and_then(|app| app.verification_token);
        Ok(token.map(|kept| kept.secret))
    }
    /// What hangs on the apps of an account; apps that nothing hangs on are left out.
    async fn app_usage(
        &self,
        account: AccountId,
    ) -> Result<HashMap<ClientId, AppUsage>, StoreError>;
}
