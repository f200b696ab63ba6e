//! Incoming webhooks: secret URLs bound to a chat.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;

use crate::events::event::{Audience, Event, EventKind};
use crate::identity::person::Person;
use crate::identity::secret::{Secret, TokenHash};
use crate::kernel::change::{Change, Guard};
use crate::kernel::ids::{AccountId, ChatId, EventId, PersonId, WebhookId};
use crate::kernel::limits::WEBHOOKS_PER_CHAT_MAX;
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;
use crate::messaging::chat::{Chat, ChatStatus};

/// Whether a webhook takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum WebhookStatus {
    Active,
    Suspended,
    /// Gone for good; only events still say so.
    Deleted,
}

/// Why a chat takes no webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    #[error("the chat is archived")]
    Archived,
    #[error("the chat has {WEBHOOKS_PER_CHAT_MAX} webhooks")]
    TooMany,
}

/// A secret URL bound to a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingWebhook {
    pub account: AccountId,
    pub id: WebhookId,
    pub chat: ChatId,
    pub creator: PersonId,
    /// What the URL carries. Kept sealed for showing it again, and hashed for finding it.
    pub token: Secret,
    pub status: WebhookStatus,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    /// Grows by one with every change; what guards compare.
    pub version: u64,
}

/// `TMWebhookInfo`, contract section 2.3.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookView {
    pub id: WebhookId,
    pub creator_id: PersonId,
    pub group_ids: [ChatId; 1],
    pub creation_time: Timestamp,
    pub last_modified_time: Timestamp,
    pub uri: String,
    pub status: WebhookStatus,
}

impl WebhookView {
    /// The webhook as REST and events show it; `public_url` has no trailing slash.
    pub fn new(webhook: &IncomingWebhook, public_url: &str) -> Self {
        Self {
            id: webhook.id,
            creator_id: webhook.creator,
            group_ids: [webhook.chat],
            creation_time: webhook.created_at,
            last_modified_time: webhook.modified_at,
            uri: format!("{public_url}/webhook/v2/{}", webhook.token.reveal()),
            status: webhook.status,
        }
    }
}

/// How the event that announces a change of a webhook is made. It carries the secret URL, so only
/// the creator and the account's administrators are told, and the store seals it.
#[derive(Debug, Clone)]
pub struct Announcement<'a> {
    pub public_url: &'a str,
    pub administrators: &'a [PersonId],
    pub now: Timestamp,
}

impl IncomingWebhook {
    /// Whether `person` may see the webhook's URL, suspend or delete it: its creator, who
    /// administers its team, and who administers the account. For everyone else it does not exist.
    pub fn belongs_to(&self, person: &Person, chat: Option<&Chat>) -> bool {
        self.account == person.account
            && (self.creator == person.id
                || person.admin
                || chat.is_some_and(|chat| chat.id == self.chat && chat.has_admin(person.id)))
    }

    /// Makes a webhook of `creator` in `chat`, which has `others` already.
    ///
    /// # Errors
    ///
    /// When the chat takes no webhook any more.
    pub fn open(
        (id, token): (WebhookId, Secret),
        creator: PersonId,
        chat: &Chat,
        others: usize,
        announcement: &Announcement<'_>,
    ) -> Result<(Change, Self), WebhookError> {
        if chat.status == ChatStatus::Archived {
            return Err(WebhookError::Archived);
        }
        if others >= WEBHOOKS_PER_CHAT_MAX {
            return Err(WebhookError::TooMany);
        }
        let webhook = Self {
            account: chat.account,
            id,
            chat: chat.id,
            creator,
            token,
            status: WebhookStatus::Active,
            created_at: announcement.now,
            modified_at: announcement.now,
            version: 1,
        };
        Ok((webhook.clone().create(chat, announcement), webhook))
    }

    /// Adds this new webhook to `chat`.
    pub fn create(self, chat: &Chat, announcement: &Announcement<'_>) -> Change {
        let body = WebhookEventBody {
            webhook: WebhookView::new(&self, announcement.public_url),
            event_type: CREATED,
        };
        let event = self.event(CREATED, &body, announcement);
        Change::default()
            .given(Guard::version(chat.account, chat.id, chat.version))
            .and(WebhookWrite::Put(self))
            .announcing(event)
    }

    /// Activates or suspends; `None` when there is nothing to change.
    pub fn set_status(
        &self,
        status: WebhookStatus,
        announcement: &Announcement<'_>,
    ) -> Option<Change> {
        if self.status == status {
            return None;
        }
        let after = Self {
            status,
            modified_at: announcement.now,
            version: self.version + 1,
            ..self.clone()
        };
        let body = WebhookUpdatedBody {
            before: WebhookBefore {
                status: self.status,
            },
            after: WebhookView::new(&after, announcement.public_url),
            event_type: UPDATED,
        };
        let event = self.event(UPDATED, &body, announcement);
        let change = Change::default().given(self.unchanged());
        Some(change.and(WebhookWrite::Put(after)).announcing(event))
    }

    /// Ends the webhook for good.
    pub fn delete(&self, announcement: &Announcement<'_>) -> Change {
        let deleted = Self {
            status: WebhookStatus::Deleted,
            modified_at: announcement.now,
            ..self.clone()
        };
        let body = WebhookEventBody {
            webhook: WebhookView::new(&deleted, announcement.public_url),
            event_type: DELETED,
        };
        let event = self.event(DELETED, &body, announcement);
        Change::default()
            .given(self.unchanged())
            .and(WebhookWrite::Delete {
                account: self.account,
                webhook: self.id,
            })
            .announcing(event)
    }

    fn unchanged(&self) -> Guard {
        Guard::version(self.account, self.id, self.version)
    }

    fn event(
        &self,
        event_type: &'static str,
        body: &impl Serialize,
        announcement: &Announcement<'_>,
    ) -> Event {
        let mut told = announcement.administrators.to_vec();
        told.push(self.creator);
        told.sort_unstable();
        told.dedup();
        Event {
            account: self.account,
            id: EventId::PENDING,
            kind: EventKind::Webhook,
            event_type: event_type.into(),
            audience: Audience::Persons(Arc::from(told)),
            chat: Some(self.chat),
            post: None,
            request: None,
            occurred_at: announcement.now,
            body: serde_json::to_vec(body)
                .expect("a webhook has only text keys")
                .into(),
            confidential: true,
            attributes: None,
        }
    }
}

const CREATED: &str = "WebhookCreated";
const UPDATED: &str = "WebhookUpdated";
const DELETED: &str = "WebhookDeleted";

/// Body of the events that tell of a new and of a deleted webhook (contract section 5.4).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebhookEventBody {
    #[serde(flatten)]
    webhook: WebhookView,
    event_type: &'static str,
}

/// Body of the event that tells of an activated or suspended webhook.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebhookUpdatedBody {
    before: WebhookBefore,
    after: WebhookView,
    event_type: &'static str,
}

#[derive(Serialize)]
struct WebhookBefore {
    status: WebhookStatus,
}

/// What is written of incoming webhooks.
#[derive(Debug, Clone)]
pub enum WebhookWrite {
    Put(IncomingWebhook),
    Delete {
        account: AccountId,
        webhook: WebhookId,
    },
}

/// Reads of incoming webhooks.
#[async_trait]
pub trait Webhooks: Send + Sync {
    async fn webhook(
        &self,
        account: AccountId,
        webhook: WebhookId,
    ) -> Result<Option<IncomingWebhook>, StoreError>;
    /// A webhook and its chat by the token of its URL. Called for every hook request, so it is
    /// served from memory.
    async fn webhook_by_token(
        &self,
        hash: TokenHash,
    ) -> Result<Option<Arc<HookTarget>>, StoreError>;
    /// Webhooks of an account, of one chat or of all, ascending by creation time.
    async fn webhooks(
        &self,
        account: AccountId,
        chat: Option<ChatId>,
    ) -> Result<Vec<IncomingWebhook>, StoreError>;
}

/// What a hook URL leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookTarget {
    pub webhook: IncomingWebhook,
    pub chat: Arc<Chat>,
    /// In whose name posts through webhooks appear.
    pub author: PersonId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::person::PersonKind;
    use crate::kernel::change::Write;
    use crate::messaging::chat::ChatKind;

    const ANNOUNCEMENT: Announcement<'static> = Announcement {
        public_url: "https://hooks.example.com",
        administrators: &[PersonId(3), PersonId(1)],
        now: Timestamp::from_millis(1_516_876_900_000),
    };

    fn webhook() -> IncomingWebhook {
        let created_at = Timestamp::from_millis(1_516_876_823_748);
        IncomingWebhook {
            account: AccountId(9),
            id: "1a7fc5f1-38b7-4c3b-8251-c3f1de5e5c68".parse().unwrap(),
            chat: ChatId(59_416_582),
            creator: PersonId(1),
            token: Secret::new("TOKEN"),
            status: WebhookStatus::Active,
            created_at,
            modified_at: created_at,
            version: 4,
        }
    }

    fn chat() -> Chat {
        Chat {
            account: AccountId(9),
            id: ChatId(59_416_582),
            kind: ChatKind::Team,
            name: None,
            description: None,
            public: false,
            status: ChatStatus::Active,
            members: vec![PersonId(1), PersonId(2), PersonId(4)],
            admins: vec![PersonId(2)],
            created_at: ANNOUNCEMENT.now,
            modified_at: ANNOUNCEMENT.now,
            version: 6,
        }
    }

    fn body(change: &Change) -> String {
        let [event] = change.events.as_slice() else {
            panic!("one event");
        };
        let told: Arc<[PersonId]> = Arc::from([PersonId(1), PersonId(3)]);
        assert_eq!(event.audience, Audience::Persons(told));
        assert!(event.confidential);
        let body = std::str::from_utf8(&event.body).unwrap();
        assert!(body.contains(&*event.event_type));
        body.to_owned()
    }

    #[test]
    fn an_archived_or_full_chat_takes_no_webhook() {
        let open = |status, others| {
            let chat = Chat { status, ..chat() };
            let secret = (webhook().id, Secret::new("TOKEN"));
            IncomingWebhook::open(secret, PersonId(1), &chat, others, &ANNOUNCEMENT)
        };
        let (_, opened) = open(ChatStatus::Active, WEBHOOKS_PER_CHAT_MAX - 1).unwrap();
        assert_eq!((opened.status, opened.version), (WebhookStatus::Active, 1));
        for (status, others, expect) in [
            (
                ChatStatus::Active,
                WEBHOOKS_PER_CHAT_MAX,
                WebhookError::TooMany,
            ),
            (ChatStatus::Archived, 0, WebhookError::Archived),
        ] {
            assert_eq!(open(status, others).err(), Some(expect));
        }
    }

    #[test]
    fn a_new_webhook_is_announced_as_the_platform_does() {
        let change = webhook().create(&chat(), &ANNOUNCEMENT);
        let guard = Guard::version(AccountId(9), ChatId(59_416_582), 6);
        assert_eq!(change.guards, [guard]);
        assert_eq!(
            body(&change),
            r#"{"id":"1a7fc5f1-38b7-4c3b-8251-c3f1de5e5c68","creatorId":"1","groupIds":["59416582"],"creationTime":"2018-01-25T10:40:23.748Z","lastModifiedTime":"2018-01-25T10:40:23.748Z","uri":"https://hooks.example.com/webhook/v2/TOKEN","status":"Active","eventType":"WebhookCreated"}"#
        );
    }

    #[test]
    fn a_suspended_webhook_is_announced_with_before_and_after() {
        let change = webhook().set_status(WebhookStatus::Suspended, &ANNOUNCEMENT);
        let change = change.unwrap();
        assert_eq!(change.guards, [webhook().unchanged()]);
        let [Write::Webhook(WebhookWrite::Put(after))] = change.writes.as_slice() else {
            panic!("one write");
        };
        assert_eq!((after.status, after.version), (WebhookStatus::Suspended, 5));
        assert_eq!(
            body(&change),
            r#"{"before":{"status":"Active"},"after":{"id":"1a7fc5f1-38b7-4c3b-8251-c3f1de5e5c68","creatorId":"1","groupIds":["59416582"],"creationTime":"2018-01-25T10:40:23.748Z","lastModifiedTime":"2018-01-25T10:41:40.000Z","uri":"https://hooks.example.com/webhook/v2/TOKEN","status":"Suspended"},"eventType":"WebhookUpdated"}"#
        );
    }

    #[test]
    fn a_status_that_already_is_changes_nothing() {
        let change = webhook().set_status(WebhookStatus::Active, &ANNOUNCEMENT);
        assert!(change.is_none());
    }

    #[test]
    fn a_deleted_webhook_is_announced_as_deleted() {
        let change = webhook().delete(&ANNOUNCEMENT);
        assert_eq!(change.guards, [webhook().unchanged()]);
        assert_eq!(
            body(&change),
            r#"{"id":"1a7fc5f1-38b7-4c3b-8251-c3f1de5e5c68","creatorId":"1","groupIds":["59416582"],"creationTime":"2018-01-25T10:40:23.748Z","lastModifiedTime":"2018-01-25T10:41:40.000Z","uri":"https://hooks.example.com/webhook/v2/TOKEN","status":"Deleted","eventType":"WebhookDeleted"}"#
        );
    }

    #[test]
    fn a_webhook_belongs_to_its_creator_and_to_administrators() {
        let check = |account: u64, id: u64, admin: bool, expect: bool| {
            let person = Person {
                account: AccountId(account),
                id: PersonId(id),
                kind: PersonKind::User,
                first_name: String::new(),
                last_name: String::new(),
                email: None,
                extension_number: None,
                admin,
                operator: false,
                status: crate::identity::person::PersonStatus::Enabled,
                created_at: ANNOUNCEMENT.now,
                modified_at: ANNOUNCEMENT.now,
                version: 1,
            };
            assert_eq!(webhook().belongs_to(&person, Some(&chat())), expect);
        };
        check(9, 1, false, true);
        check(9, 2, false, true);
        check(9, 4, false, false);
        check(9, 5, true, true);
        check(8, 1, true, false);
    }
}
