//! API clients, what they may do, and the JWT credentials that persons make for them.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;

use crate::identity::secret::TokenHash;
use crate::kernel::ids::{AccountId, PersonId};
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;

/// The public name of an app; `client_id` in OAuth. A client id is unique in the whole store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub String);

impl ClientId {
    /// The console's own client: public, made at the first start, refused for cross-origin calls.
    pub const CONSOLE: &'static str = "hookyard-console";

    /// Whether this is the console's own client.
    pub fn is_console(&self) -> bool {
        self.0 == Self::CONSOLE
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One permission of an app, by the platform's names (contract section 1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    ReadAccounts,
    EditExtensions,
    /// Chats, posts, cards, incoming webhooks. `Glip` is its former name and is read as the same.
    TeamMessaging,
    /// Subscriptions with transport `WebHook`.
    SubscriptionWebhook,
    WebSocketsSubscription,
    /// Subscriptions with transport `PubNub`.
    SubscriptionPubNub,
    /// Subscriptions with transport `RC/APNS`.
    SubscriptionApns,
    /// Subscriptions with transport `RC/GCM`.
    SubscriptionGcm,
    ReadPresence,
    EditPresence,
    ReadMessages,
    /// Messages between persons of the account, by company-pager.
    InternalMessages,
    ReadCallLog,
    CallControl,
    /// Mark messages as read, and delete them.
    EditMessages,
    /// Publish events in the name of a source outside.
    PublishEvents,
}

impl Scope {
    /// Every scope, in the order in which token replies list them.
    pub const ALL: [Self; 16] = [
        Self::ReadAccounts,
        Self::EditExtensions,
        Self::TeamMessaging,
        Self::SubscriptionWebhook,
        Self::WebSocketsSubscription,
        Self::SubscriptionPubNub,
        Self::SubscriptionApns,
        Self::SubscriptionGcm,
        Self::ReadPresence,
        Self::EditPresence,
        Self::ReadMessages,
        Self::InternalMessages,
        Self::ReadCallLog,
        Self::CallControl,
        Self::EditMessages,
        Self::PublishEvents,
    ];

    /// The platform's name of the scope.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadAccounts => "ReadAccounts",
            Self::EditExtensions => "EditExtensions",
            Self::TeamMessaging => "TeamMessaging",
            Self::SubscriptionWebhook => "SubscriptionWebhook",
            Self::WebSocketsSubscription => "WebSocketsSubscription",
            Self::SubscriptionPubNub => "SubscriptionPubNub",
            Self::SubscriptionApns => "SubscriptionAPNS",
            Self::SubscriptionGcm => "SubscriptionGCM",
            Self::ReadPresence => "ReadPresence",
            Self::EditPresence => "EditPresence",
            Self::ReadMessages => "ReadMessages",
            Self::InternalMessages => "InternalMessages",
            Self::ReadCallLog => "ReadCallLog",
            Self::CallControl => "CallControl",
            Self::EditMessages => "EditMessages",
            Self::PublishEvents => "PublishEvents",
        }
    }
}

/// A set of scopes; shown and read as names with spaces between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u32);

impl Scopes {
    /// Every scope there is.
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// Whether `scope` is in the set.
    pub const fn allow(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(
            scopes
                .into_iter()
                .fold(0, |set, scope| set | 1 << scope as u8),
        )
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = Scope::ALL
            .into_iter()
            .filter(|scope| self.allow(*scope))
            .map(Scope::name);
        if let Some(first) = names.next() {
            f.write_str(first)?;
        }
        names.try_for_each(|name| write!(f, " {name}"))
    }
}

impl FromStr for Scopes {
    type Err = std::convert::Infallible;

    /// Unknown names are left out: the platform ignores what it does not know.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = |name: &str| match name {
            "Glip" => Some(Scope::TeamMessaging),
            "WebSocketSubscription" | "WebSocketsSubscriptions" | "SubscriptionWebSocket" => {
                Some(Scope::WebSocketsSubscription)
            }
            _ => Scope::ALL.into_iter().find(|scope| scope.name() == name),
        };
        Ok(text.split([' ', ',']).filter_map(known).collect())
    }
}

/// An API client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub account: AccountId,
    pub client_id: ClientId,
    pub name: String,
    /// Hash of the client secret; `None` for a public client.
    pub secret: Option<TokenHash>,
    pub scopes: Scopes,
    pub created_at: Timestamp,
}

/// A JWT that a person made for an app; exchanged for tokens, never used as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtCredential {
    pub account: AccountId,
    pub person: PersonId,
    /// The only client that may exchange it; `None` for any of the account.
    pub client_id: Option<ClientId>,
    pub hash: TokenHash,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// What is written of apps.
#[derive(Debug, Clone)]
pub enum AppWrite {
    Put(App),
}

/// What is written of JWT credentials.
#[derive(Debug, Clone)]
pub enum JwtCredentialWrite {
    Put(JwtCredential),
}

/// Reads of apps, and of what lets persons in through them.
#[async_trait]
pub trait Apps: Send + Sync {
    async fn app(&self, client_id: &ClientId) -> Result<Option<App>, StoreError>;
    async fn jwt_credential(&self, hash: TokenHash) -> Result<Option<JwtCredential>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_shown_and_read_by_the_platforms_names() {
        let scopes: Scopes = "Glip SubscriptionWebhook Nonsense".parse().unwrap();
        assert_eq!(scopes.to_string(), "TeamMessaging SubscriptionWebhook");
        assert!(!scopes.allow(Scope::ReadAccounts));
        assert_eq!(Scopes::all().to_string().parse(), Ok(Scopes::all()));
    }
}
