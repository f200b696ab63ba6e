//! What an app may do, by the platform's names of permissions (contract section 1.6).

use std::fmt;
use std::str::FromStr;

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

    /// The scope with this name, as [`Self::name`] writes it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
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

    /// Those of the set, in the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.allow(*scope))
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The first that `given` holds beyond this set: nobody can give what they do not have.
    pub fn lacks(self, given: Self) -> Option<Scope> {
        given.iter().find(|scope| !self.allow(*scope))
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
        let mut names = self.iter().map(Scope::name);
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
            _ => Scope::named(name),
        };
        Ok(text.split([' ', ',']).filter_map(known).collect())
    }
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
