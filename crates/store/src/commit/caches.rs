//! What the hot path reads: tokens, hook targets, chats, types of events. The writer drops what a
//! commit made stale before it is acknowledged.

use std::sync::Arc;

use hookyard_domain::kernel::ports::HookTarget;
use hookyard_domain::{
    AccountId, Chat, ChatId, ChatWrite, CustomType, CustomTypeWrite, PersonId, PersonKind,
    PersonWrite, Session, SessionId, SessionWrite, Token, TokenHash, TypeName, WebhookId,
    WebhookWrite, Write,
};

use super::cache::{Cache, Sources};

/// What cached entries are made from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Token(TokenHash),
    Session(SessionId),
    /// Every session of a person.
    SessionsOf(PersonId),
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
            }),
            Write::Webhook(write) => Some(match write {
                WebhookWrite::Put(webhook) => Self::Webhook(webhook.id),
                WebhookWrite::Delete { webhook, .. } => Self::Webhook(*webhook),
            }),
            Write::Person(PersonWrite::Put(person)) => {
                (person.kind == PersonKind::Integration).then_some(Self::Author(person.account))
            }
            Write::Chat(write) => Some(match write {
                ChatWrite::Put(chat) => Self::Chat(chat.id),
                ChatWrite::Delete { chat, .. } => Self::Chat(*chat),
            }),
            Write::CustomType(write) => Some(match write {
                CustomTypeWrite::Put(known) => Self::Type(known.account, known.name.clone()),
                CustomTypeWrite::Delete { account, name } => Self::Type(*account, name.clone()),
            }),
            Write::Account(_)
            | Write::Person(_)
            | Write::App(_)
            | Write::JwtCredential(_)
            | Write::SignInCode(_)
            | Write::Post(_)
            | Write::Presence(_)
            | Write::Message(_)
            | Write::Request(_)
            | Write::Bin(_)
            | Write::Subscription(_)
            | Write::History(_)
            | Write::Delivery(_)
            | Write::Job(_)
            | Write::Statistics(_)
            | Write::Retention(_)
            | Write::Erasure(_) => None,
        }
    }
}

impl Sources<TokenHash> for Arc<(Session, Token)> {
    type Source = Source;

    fn sources(&self, key: &TokenHash) -> Vec<Source> {
        vec![
            Source::Token(*key),
            Source::Session(self.0.id),
            Source::SessionsOf(self.0.person),
        ]
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
            Source::Token(_) | Source::Session(_) | Source::SessionsOf(_) => {
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
