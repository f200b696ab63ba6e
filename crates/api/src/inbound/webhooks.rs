//! Incoming webhooks as a resource (contract section 2.13), under both prefixes.
//!
//! Members of a chat create them. Their URLs are secrets, so a webhook exists only for those whom
//! it belongs to: its creator and the administrators of its team and account. For all others it is
//! missing, in lists too.

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::inbound::webhook::{Announcement, WebhookError, WebhookView};
use hookyard_domain::kernel::limits::PERSONS_MAX;
use hookyard_domain::{
    Change, Chat, ChatId, Code, IncomingWebhook, Person, PersonId, Problem, Timestamp, WebhookId,
    WebhookStatus,
};
use http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::batch::{self, Part};
use crate::kernel::path::At;
use crate::kernel::problem::ApiResult;
use crate::operations::answers::{Answer, Empty, OneOrMany, shown};
use crate::operations::shapes::WebhookShape;

crate::operations! {
    tag IncomingWebhooks, under MESSAGING, as App(TeamMessaging), counted Medium;

    /// The caller's webhooks of a chat.
    list_webhooks_of_chat: GET "/groups/{groupId}/webhooks";
    /// Makes a webhook that posts into a chat. A body, if there is one, says nothing.
    create_webhook: POST "/groups/{groupId}/webhooks", fails [InvalidParameter, Conflict];
    /// The caller's webhooks.
    list_webhooks: GET "/webhooks";
    /// One webhook, or several at a time.
    read_webhooks: GET "/webhooks/{webhookId}", counted Light, fails [BatchTooLarge];
    /// Deletes a webhook.
    delete_webhook: DELETE "/webhooks/{webhookId}", fails [Conflict];
    /// Puts a suspended webhook to use again.
    activate_webhook: POST "/webhooks/{webhookId}/activate", fails [Conflict];
    /// Suspends a webhook: calls to it are refused.
    suspend_webhook: POST "/webhooks/{webhookId}/suspend", fails [Conflict];
}

shown!(WebhookList, OneWebhook);

/// A list without navigation: webhooks come all at once.
#[derive(Debug, Serialize, JsonSchema)]
struct WebhookList {
    #[schemars(with = "Vec<WebhookShape>")]
    records: Vec<WebhookView>,
}

/// One webhook in the two shapes that clients expect of it: the object, and a list of it
/// (contract section 10, row 27).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookRecords")]
struct OneWebhook {
    #[serde(flatten)]
    #[schemars(with = "WebhookShape")]
    webhook: WebhookView,
    #[schemars(with = "[WebhookShape; 1]")]
    records: [WebhookView; 1],
}

/// The person who calls, with what their rights depend on.
pub(crate) struct Owner<'a> {
    pub(crate) api: &'a Api,
    pub(crate) person: Person,
}

impl<'a> Owner<'a> {
    pub(crate) async fn calling(api: &'a Api, caller: &Caller) -> ApiResult<Self> {
        let person = api.store.person(caller.account, caller.person).await?;
        let person = person.ok_or(Code::LoginRequired)?;
        Ok(Self { api, person })
    }

    fn view(&self, webhook: &IncomingWebhook) -> WebhookView {
        WebhookView::new(webhook, &self.api.settings.public_url)
    }

    /// A chat that the caller is in.
    async fn chat(&self, group: &str) -> ApiResult<Arc<Chat>> {
        let missing = || Problem::not_found("groupId");
        let id: ChatId = group.parse().map_err(|_| missing())?;
        let chat = self.api.store.chat(self.person.account, id).await?;
        let chat = chat.filter(|chat| chat.has_member(self.person.id));
        Ok(chat.ok_or_else(missing)?)
    }

    /// Those of the account's or a chat's webhooks that belong to the caller.
    pub(crate) async fn webhooks(&self, chat: Option<ChatId>) -> ApiResult<Vec<IncomingWebhook>> {
        let mut own = Vec::new();
        for webhook in self.api.store.webhooks(self.person.account, chat).await? {
            if self.owns(&webhook).await? {
                own.push(webhook);
            }
        }
        Ok(own)
    }

    async fn list(&self, chat: Option<ChatId>) -> ApiResult<Answer<WebhookList>> {
        let webhooks = self.webhooks(chat).await?;
        let records = webhooks.iter().map(|webhook| self.view(webhook)).collect();
        Ok(Answer::of(&WebhookList { records }))
    }

    async fn owns(&self, webhook: &IncomingWebhook) -> ApiResult<bool> {
        if webhook.belongs_to(&self.person, None) {
            return Ok(true);
        }
        let chat = self.api.store.chat(webhook.account, webhook.chat).await?;
        Ok(webhook.belongs_to(&self.person, chat.as_deref()))
    }

    /// A webhook that belongs to the caller; `parameter` is what they called it.
    pub(crate) async fn webhook(
        &self,
        id: &str,
        parameter: &'static str,
    ) -> ApiResult<IncomingWebhook> {
        let missing = || Problem::not_found(parameter);
        let id: WebhookId = id.parse().map_err(|_| missing())?;
        let webhook = self.api.store.webhook(self.person.account, id).await?;
        let webhook = webhook.ok_or_else(missing)?;
        if self.owns(&webhook).await? {
            Ok(webhook)
        } else {
            Err(missing().into())
        }
    }

    /// Changes a webhook as `decide` says; no change is fine too. The answer is an empty object,
    /// because some clients parse JSON whatever the status is.
    async fn change(
        &self,
        id: &str,
        decide: impl Fn(&IncomingWebhook, &Announcement<'_>) -> Change + Send + Sync,
    ) -> ApiResult<Empty> {
        let administrators = &self.administrators().await?;
        let decide = &decide;
        self.api
            .commit_deciding(|| async move {
                let webhook = self.webhook(id, "webhookId").await?;
                let announcement = self.announcement(administrators, self.api.now());
                Ok((decide(&webhook, &announcement), ()))
            })
            .await?;
        Ok(Empty)
    }

    async fn administrators(&self) -> ApiResult<Vec<PersonId>> {
        let persons = self.api.store.persons(self.person.account, PERSONS_MAX);
        let administrators = persons.await?.into_iter().filter(|person| person.admin);
        Ok(administrators.map(|person| person.id).collect())
    }

    fn announcement<'s>(
        &'s self,
        administrators: &'s [PersonId],
        now: Timestamp,
    ) -> Announcement<'s> {
        Announcement {
            public_url: &self.api.settings.public_url,
            administrators,
            now,
        }
    }
}

/// `GET …/webhooks`
async fn list_webhooks(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> ApiResult<Answer<WebhookList>> {
    Owner::calling(&api, &caller).await?.list(None).await
}

/// `GET …/groups/{groupId}/webhooks`
async fn list_webhooks_of_chat(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(group): At<String>,
) -> ApiResult<Answer<WebhookList>> {
    let owner = Owner::calling(&api, &caller).await?;
    let chat = owner.chat(&group).await?;
    owner.list(Some(chat.id)).await
}

/// `POST …/groups/{groupId}/webhooks`. A body, if there is one, says nothing.
async fn create_webhook(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(group): At<String>,
) -> ApiResult<Answer<WebhookShape>> {
    let owner = Owner::calling(&api, &caller).await?;
    let administrators = owner.administrators().await?;
    let (owner, group, administrators) = (&owner, &group, &administrators);
    let (id, token) = (
        WebhookId::from_random(api.random()),
        token_from(api.random()),
    );
    let token = &token;
    let view = api.commit_deciding(|| async move {
        let chat = owner.chat(group).await?;
        let webhooks = owner
            .api
            .store
            .webhooks(chat.account, Some(chat.id))
            .await?;
        let announcement = owner.announcement(administrators, owner.api.now());
        let secret = (id, token.clone());
        let (creator, others) = (owner.person.id, webhooks.len());
        let opened = IncomingWebhook::open(secret, creator, &chat, others, &announcement);
        let (change, webhook) = opened.map_err(|error| match error {
            WebhookError::Archived | WebhookError::TooMany => {
                Problem::invalid("groupId").value(chat.id.to_string())
            }
        })?;
        Ok((change, owner.view(&webhook)))
    });
    Ok(Answer::of(&view.await?))
}

/// `GET …/webhooks/{webhookId}`, also for several ids with commas between.
async fn read_webhooks(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(ids): At<String>,
    headers: HeaderMap,
) -> ApiResult<OneOrMany<OneWebhook>> {
    let owner = Owner::calling(&api, &caller).await?;
    if !ids.contains(',') {
        let webhook = owner.webhook(&ids, "webhookId").await?;
        let one = OneWebhook {
            webhook: owner.view(&webhook),
            records: [owner.view(&webhook)],
        };
        return Ok(OneOrMany::one(&one));
    }
    let mut parts = Vec::new();
    for id in batch::ids(&ids)? {
        parts.push(match owner.webhook(id, "webhookId").await {
            Ok(webhook) => Part::found(id, &owner.view(&webhook)),
            Err(error) => Part::failed(id, error)?,
        });
    }
    Ok(OneOrMany::many(&headers, &parts, api.random()))
}

/// `DELETE …/webhooks/{webhookId}`
async fn delete_webhook(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Empty> {
    let owner = Owner::calling(&api, &caller).await?;
    owner.change(&id, IncomingWebhook::delete).await
}

/// `POST …/webhooks/{webhookId}/activate`
async fn activate_webhook(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Empty> {
    set_status(&api, &caller, &id, WebhookStatus::Active).await
}

/// `POST …/webhooks/{webhookId}/suspend`
async fn suspend_webhook(
    State(api): State<Arc<Api>>,
    caller: Caller,
    At(id): At<String>,
) -> ApiResult<Empty> {
    set_status(&api, &caller, &id, WebhookStatus::Suspended).await
}

async fn set_status(
    api: &Api,
    caller: &Caller,
    id: &str,
    status: WebhookStatus,
) -> ApiResult<Empty> {
    let owner = Owner::calling(api, caller).await?;
    let decide = |webhook: &IncomingWebhook, announcement: &Announcement<'_>| {
        webhook.set_status(status, announcement).unwrap_or_default()
    };
    owner.change(id, decide).await
}
