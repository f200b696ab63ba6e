//! What the hot path reads: tokens, hook targets, chats, types of events. The writer drops what a
//! commit made stale before it is acknowledged.

use std::sync::Arc;

use hookyard_domain::kernel::ports::HookTarget;
use hookyard_domain::{
    AccountId, AppWrite, Chat, ChatId, ChatWrite, ClientId, CredentialId, CustomType,
    CustomTypeWrite, PersonId, PersonKind, PersonWrite, Session, SessionId, SessionWrite, Token,
    TokenHash, TypeName, WebhookId, WebhookWrite, Write,
};

use super::cache::{Cache, Sources};

/// What cached entries are made from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Token(TokenHash),
    Session(SessionId),
    /// Every session of a person.
    SessionsOf(PersonId),
    /// Whether a person's personal access tokens are good.
    Holder(PersonId),
    /// What an app may do, and every session of it.
    App(ClientId),
    /// Every session that a credential opened.
    Credential(CredentialId),
    Webhook(WebhookId),
    /// In whose name posts through the webhooks of an account appear.
    Author(AccountId),
    Chat(ChatId),
    Type(AccountId, TypeName),
}

impl Source {
    /// What a write changes of it.
    pub(crate) fn changed_by(write: &Write) -> Option<Self> {
        match write {
            Write::Session(write) => Some(match write {
                SessionWrite::Put(session) => Self::Session(session.id),
                SessionWrite::PutToken(token) => Self::Token(token.hash),
                SessionWrite::End { session, .. } => Self::Session(*session),
                SessionWrite::EndAllOf { person, .. } => Self::SessionsOf(*person),
                SessionWrite::EndAllThrough { client_id, .. } => Self::App(client_id.clone()),
                SessionWrite::EndAllOpenedBy { credential, .. } => Self::Credential(*credential),
            }),
            Write::App(AppWrite::Put(app)) => Some(Self::App(app.client_id.clone())),
            Write::App(AppWrite::Delete { client_id, .. }) => Some(Self::App(client_id.clone())),
            Write::Webhook(write) => Some(match write {
                WebhookWrite::Put(webhook) => Self::Webhook(webhook.id),
                WebhookWrite::Delete { webhook, .. } => Self::Webhook(*webhook),
            }),
            Write::Person(PersonWrite::Put(person)) => Some(match person.kind {
                PersonKind::Integration => Self::Author(person.account),
                PersonKind::User | PersonKind::Bot => Self::Holder(person.id),
            }),
            Write::Chat(write) => Some(match write {
                ChatWrite::Put(chat) => Self::Chat(chat.id),
                ChatWrite::Delete { chat, .. } => Self::Chat(*chat),
            }),
            Write::CustomType(write) => Some(match write {
                CustomTypeWrite::Put(known) => Self::Type(known.account, known.name.clone()),
                CustomTypeWrite::Delete { account, name } => Self::Type(*account, name.clone()),
            }),
            _ => None,
        }
    }
}

impl Sources<TokenHash> for Arc<(Session, Token)> {
    type Source = Source;

    fn sources(&self, key: &TokenHash) -> Vec<Source> {
        let session = &self.0;
        let mut sources = vec![
            Source::Token(*key),
            Source::Session(session.id),
            Source::SessionsOf(session.person),
            Source::App(session.client_id.clone()),
        ];
        sources.extend(session.origin.credential().map(Source::Credential));
        if session.origin.is_personal() {
            sources.push(Source::Holder(session.person));
        }
        sources
    }
}

impl Sources<TokenHash> for Arc<HookTarget> {
    type Source = Source;

    fn sources(&self, _: &TokenHash) -> Vec<Source> {
        vec![
            Source::Webhook(self.webhook.id),
            Source::Chat(self.chat.id),
            Source::Author(self.webhook.account),
        ]
    }
}

impl Sources<ChatId> for Arc<Chat> {
    type Source = Source;

    fn sources(&self, key: &ChatId) -> Vec<Source> {
        vec![Source::Chat(*key)]
    }
}

impl Sources<(AccountId, TypeName)> for Arc<CustomType> {
    type Source = Source;

    fn sources(&self, (account, name): &(AccountId, TypeName)) -> Vec<Source> {
        vec![Source::Type(*account, name.clone())]
    }
}

#[derive(Debug, Default)]
pub(crate) struct Caches {
    pub(crate) tokens: Cache<TokenHash, Arc<(Session, Token)>>,
    pub(crate) hooks: Cache<TokenHash, Arc<HookTarget>>,
    pub(crate) chats: Cache<ChatId, Arc<Chat>>,
    /// Those that are registered; what an account has of them is bounded.
    pub(crate) types: Cache<(AccountId, TypeName), Arc<CustomType>>,
}

impl Caches {
    /// Drops what was made from `source`. Called after its commit and before it is acknowledged.
    pub(crate) fn drop_made_from(&self, source: Source) {
        match source {
            Source::Token(_)
            | Source::Session(_)
            | Source::SessionsOf(_)
            | Source::Holder(_)
            | Source::App(_)
            | Source::Credential(_) => {
                self.tokens.drop_made_from(source);
            }
            Source::Webhook(_) | Source::Author(_) => self.hooks.drop_made_from(source),
            Source::Chat(_) => {
                self.chats.drop_made_from(source.clone());
                self.hooks.drop_made_from(source);
            }
            Source::Type(..) => self.types.drop_made_from(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use hookyard_domain::{Scopes, SessionOrigin, Timestamp, TokenKind};

    use super::*;

    fn session(id: u64, person: u64) -> Session {
        Session {
            account: AccountId(1),
            id: SessionId(id),
            person: PersonId(person),
            client_id: ClientId("app".into()),
            origin: SessionOrigin::SignIn,
            scopes: Scopes::default(),
            endpoint_id: String::new(),
            created_at: Timestamp::default(),
            generation: 1,
        }
    }

    /// Keeps an access token of a session.
    fn keep(caches: &Caches, name: &str, session: &Session) {
        let token = Token {
            account: session.account,
            session: session.id,
            kind: TokenKind::Access,
            hash: TokenHash::of(name),
            generation: 1,
            expires_at: Timestamp::default(),
            used_at: None,
        };
        let mark = caches.tokens.get(&token.hash).unwrap_err();
        let pair = Arc::new((session.clone(), token));
        caches.tokens.put(pair.1.hash, pair, mark);
    }

    fn knows(caches: &Caches, name: &str) -> bool {
        caches.tokens.get(&TokenHash::of(name)).is_ok()
    }

    fn after(caches: &Caches, write: impl Into<Write>) {
        let source = Source::changed_by(&write.into());
        caches.drop_made_from(source.expect("it changes something"));
    }

    #[test]
    fn a_sign_in_drops_no_other_session() {
        let caches = Caches::default();
        let (phone, desk, other) = (session(1, 7), session(2, 7), session(3, 8));
        keep(&caches, "phone", &phone);
        keep(&caches, "desk", &desk);
        keep(&caches, "other", &other);
        after(&caches, SessionWrite::Put(session(4, 7)));
        assert!(knows(&caches, "phone") && knows(&caches, "desk") && knows(&caches, "other"));
        let (account, person) = (AccountId(1), PersonId(7));
        let end = SessionWrite::End {
            account,
            session: phone.id,
        };
        after(&caches, end);
        assert!(!knows(&caches, "phone") && knows(&caches, "desk"));
        after(&caches, SessionWrite::EndAllOf { account, person });
        assert!(!knows(&caches, "desk") && knows(&caches, "other"));
    }
}
