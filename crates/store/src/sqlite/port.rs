//! The port `Store` on SQLite: each read leads to the file of what it reads, through the caches
//! where there is one.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use hookyard_domain::kernel::change::{Change, CommittedDelivery};
use hookyard_domain::kernel::ports::{
    ChatQuery, CommitError, DeliveryQuery, EventQuery, FoundDelivery, HookTarget, JobQuery,
    MessageQuery, Page, PersonQuery, Publication, Slice, Store, StoreError,
};
use hookyard_domain::kernel::retention::Kept;
use hookyard_domain::{
    Account, AccountId, App, Attempt, Bin, BinId, BinRequest, BinRequestId, Chat, ChatId, ChatKind,
    ClientId, CustomType, Delivery, DeliveryId, ErasureCounts, ErasureSubject, Event, EventId,
    HistoryEntry, HookRequest, HourSums, IncomingWebhook, Job, JobId, JwtCredential, Message,
    MessageId, Person, PersonId, Post, PostId, Presence, RequestId, Secret, Session, SessionId,
    StatisticsBucket, Subscription, SubscriptionId, Timestamp, Token, TokenHash, TokenKind,
    TypeName, WebhookId,
};
use rusqlite::Connection;

use super::erasure;
use super::error::Fault;
use super::events;
use super::retention;
use super::subscriptions;
use super::{Backend, SqliteStore};
use crate::sqlite::delivery::deliveries;
use crate::sqlite::delivery::jobs;
use crate::sqlite::endpoints::statistics;
use crate::sqlite::events::custom_types;
use crate::sqlite::events::publications;
use crate::sqlite::identity::accounts;
use crate::sqlite::identity::apps;
use crate::sqlite::identity::sessions;
use crate::sqlite::inbound::bins;
use crate::sqlite::inbound::requests;
use crate::sqlite::inbound::webhooks;
use crate::sqlite::messaging::chats;
use crate::sqlite::messaging::messages;
use crate::sqlite::messaging::posts;
use crate::sqlite::messaging::presences;
use crate::sqlite::subscriptions::history;
use crate::vault::Vault;

#[async_trait]
impl Store for SqliteStore {
    async fn commit_numbering(&self, change: Change) -> Result<Vec<EventId>, CommitError> {
        if change.is_empty() {
            return Ok(Vec::new());
        }
        let engine = match &self.backend {
            Backend::File { writer, .. } => return writer.commit(change).await,
            Backend::Inline { engine } => engine,
        };
        let outcome = {
            let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
            engine.commit(&[change])
        };
        for listener in self
            .listeners
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            listener.committed(&outcome.news);
        }
        outcome
            .results
            .into_iter()
            .next()
            .expect("one change has one result")
    }

    async fn account(&self, account: AccountId) -> Result<Option<Account>, StoreError> {
        self.read(move |db, _| accounts::account(db, account)).await
    }

    async fn first_account(&self) -> Result<Option<Account>, StoreError> {
        self.read(|db, _| accounts::first_account(db)).await
    }

    async fn person(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Option<Person>, StoreError> {
        self.read(move |db, _| accounts::person(db, account, person))
            .await
    }

    async fn persons(&self, account: AccountId, limit: u32) -> Result<Vec<Person>, StoreError> {
        self.read(move |db, _| accounts::persons(db, account, limit))
            .await
    }

    async fn person_by_email(
        &self,
        account: AccountId,
        email: &str,
    ) -> Result<Option<Person>, StoreError> {
        let email = email.to_owned();
        self.read(move |db, _| accounts::person_by_email(db, account, &email))
            .await
    }

    async fn person_by_extension_number(
        &self,
        account: AccountId,
        number: &str,
    ) -> Result<Option<Person>, StoreError> {
        let number = number.to_owned();
        self.read(move |db, _| accounts::person_by_extension_number(db, account, &number))
            .await
    }

    async fn persons_matching(&self, query: PersonQuery) -> Result<(Vec<Person>, u64), StoreError> {
        self.read(move |db, _| accounts::matching(db, &query)).await
    }

    async fn presence(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Option<Presence>, StoreError> {
        self.read(move |db, _| presences::presence(db, account, person))
            .await
    }

    async fn presences(
        &self,
        account: AccountId,
        viewer: Option<PersonId>,
        slice: Slice,
    ) -> Result<(Vec<(Person, Presence)>, u64), StoreError> {
        self.read(move |db, _| presences::presences(db, account, viewer, slice))
            .await
    }

    async fn message(
        &self,
        account: AccountId,
        owner: PersonId,
        message: MessageId,
    ) -> Result<Option<Message>, StoreError> {
        self.read(move |db, _| messages::message(db, account, owner, message))
            .await
    }

    async fn messages(&self, query: MessageQuery) -> Result<(Vec<Message>, u64), StoreError> {
        self.read(move |db, _| messages::messages(db, &query)).await
    }

    async fn password_of(&self, name: &str) -> Result<Option<(Person, Secret)>, StoreError> {
        let name = name.to_owned();
        self.read(move |db, _| accounts::password_of(db, &name))
            .await
    }

    async fn app(&self, client_id: &ClientId) -> Result<Option<App>, StoreError> {
        let client_id = client_id.clone();
        self.read(move |db, _| apps::app(db, &client_id)).await
    }

    async fn jwt_credential(&self, hash: TokenHash) -> Result<Option<JwtCredential>, StoreError> {
        self.read(move |db, _| apps::jwt_credential(db, hash)).await
    }

    async fn sign_in_code(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<(AccountId, PersonId)>, StoreError> {
        self.read(move |db, _| apps::sign_in_code(db, hash, now))
            .await
    }

    async fn token(&self, hash: TokenHash) -> Result<Option<Arc<(Session, Token)>>, StoreError> {
        let mark = match self.caches.tokens.get(&hash) {
            Ok(found) => return Ok(Some(found)),
            Err(mark) => mark,
        };
        let found = self
            .read(move |db, _| sessions::token(db, hash))
            .await?
            .map(Arc::new);
        if let Some(found) = &found {
            self.caches.tokens.put(hash, Arc::clone(found), mark);
        }
        Ok(found)
    }

    async fn token_of_generation(
        &self,
        account: AccountId,
        session: SessionId,
        kind: TokenKind,
        generation: u64,
    ) -> Result<Option<Token>, StoreError> {
        self.read(move |db, _| {
            sessions::token_of_generation(db, account, session, kind, generation)
        })
        .await
    }

    async fn session(
        &self,
        account: AccountId,
        session: SessionId,
    ) -> Result<Option<Session>, StoreError> {
        self.read(move |db, _| sessions::session(db, account, session))
            .await
    }

    async fn sessions(
        &self,
        account: AccountId,
        person: PersonId,
        client_id: &ClientId,
    ) -> Result<Vec<Session>, StoreError> {
        let client_id = client_id.clone();
        self.read(move |db, _| sessions::sessions(db, account, person, &client_id))
            .await
    }

    async fn chat(
        &self,
        account: AccountId,
        chat: ChatId,
    ) -> Result<Option<Arc<Chat>>, StoreError> {
        let mark = match self.caches.chats.get(&chat) {
            Ok(found) => return Ok((found.account == account).then_some(found)),
            Err(mark) => mark,
        };
        let found = self
            .read(move |db, _| chats::chat(db, account, chat))
            .await?
            .map(Arc::new);
        if let Some(found) = &found {
            self.caches.chats.put(chat, Arc::clone(found), mark);
        }
        Ok(found)
    }

    async fn chats(&self, query: ChatQuery) -> Result<Vec<Chat>, StoreError> {
        self.read(move |db, _| chats::chats(db, &query)).await
    }

    async fn conversation(
        &self,
        account: AccountId,
        members: &[PersonId],
    ) -> Result<Option<Chat>, StoreError> {
        let members = members.to_owned();
        self.read(move |db, _| chats::conversation(db, account, &members))
            .await
    }

    async fn everyone_chat(&self, account: AccountId) -> Result<Option<Chat>, StoreError> {
        self.read(move |db, _| chats::everyone(db, account)).await
    }

    async fn recent_chats(
        &self,
        account: AccountId,
        person: PersonId,
        kinds: &[ChatKind],
        limit: u32,
    ) -> Result<Vec<(Chat, Timestamp)>, StoreError> {
        let kinds = kinds.to_owned();
        self.read(move |db, _| chats::recent(db, account, person, &kinds, limit))
            .await
    }

    async fn post(
        &self,
        account: AccountId,
        chat: ChatId,
        post: PostId,
    ) -> Result<Option<Post>, StoreError> {
        self.read(move |db, _| posts::post(db, account, chat, post))
            .await
    }

    async fn posts(
        &self,
        account: AccountId,
        chat: ChatId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<Post>, StoreError> {
        self.read(move |db, _| posts::posts(db, account, chat, page, limit))
            .await
    }

    async fn webhook(
        &self,
        account: AccountId,
        webhook: WebhookId,
    ) -> Result<Option<IncomingWebhook>, StoreError> {
        self.read(move |db, vault| webhooks::webhook(db, vault, account, webhook))
            .await
    }

    async fn webhook_by_token(
        &self,
        hash: TokenHash,
    ) -> Result<Option<Arc<HookTarget>>, StoreError> {
        let mark = match self.caches.hooks.get(&hash) {
            Ok(found) => return Ok(Some(found)),
            Err(mark) => mark,
        };
        let found = self
            .read(move |db, vault| hook_target(db, vault, hash))
            .await?
            .map(Arc::new);
        if let Some(found) = &found {
            self.caches.hooks.put(hash, Arc::clone(found), mark);
        }
        Ok(found)
    }

    async fn webhooks(
        &self,
        account: AccountId,
        chat: Option<ChatId>,
    ) -> Result<Vec<IncomingWebhook>, StoreError> {
        self.read(move |db, vault| webhooks::webhooks(db, vault, account, chat))
            .await
    }

    async fn request(
        &self,
        account: AccountId,
        request: RequestId,
    ) -> Result<Option<HookRequest>, StoreError> {
        self.read(move |db, _| requests::request(db, account, request))
            .await
    }

    async fn requests(
        &self,
        account: AccountId,
        webhook: Option<WebhookId>,
        page: Page,
        limit: u32,
    ) -> Result<Vec<HookRequest>, StoreError> {
        self.read(move |db, _| requests::requests(db, account, webhook, page, limit))
            .await
    }

    async fn bin(&self, account: AccountId, bin: BinId) -> Result<Option<(Bin, u64)>, StoreError> {
        self.read(move |db, vault| bins::bin(db, vault, account, bin))
            .await
    }

    async fn bin_by_token(&self, hash: TokenHash) -> Result<Option<Bin>, StoreError> {
        self.read(move |db, vault| bins::by_token(db, vault, hash))
            .await
    }

    async fn bins(
        &self,
        account: AccountId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<(Bin, u64)>, StoreError> {
        self.read(move |db, vault| bins::bins(db, vault, account, page, limit))
            .await
    }

    async fn bin_request(
        &self,
        account: AccountId,
        request: BinRequestId,
    ) -> Result<Option<BinRequest>, StoreError> {
        self.read(move |db, vault| bins::request(db, vault, account, request))
            .await
    }

    async fn bin_requests(
        &self,
        account: AccountId,
        bin: BinId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<BinRequest>, StoreError> {
        self.read(move |db, vault| bins::requests(db, vault, account, bin, (page, limit)))
            .await
    }

    async fn event(&self, account: AccountId, event: EventId) -> Result<Option<Event>, StoreError> {
        self.read(move |db, vault| events::event(db, vault, account, event))
            .await
    }

    async fn event_of_post(
        &self,
        account: AccountId,
        post: PostId,
    ) -> Result<Option<Event>, StoreError> {
        self.read(move |db, vault| events::of_post(db, vault, account, post))
            .await
    }

    async fn events_after(
        &self,
        account: AccountId,
        after: EventId,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.read(move |db, vault| events::after(db, vault, account, after, limit))
            .await
    }

    async fn subscription(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
    ) -> Result<Option<Arc<Subscription>>, StoreError> {
        let found = self
            .read(move |db, vault| subscriptions::subscription(db, vault, account, subscription));
        Ok(found.await?.map(Arc::new))
    }

    async fn subscriptions(
        &self,
        account: AccountId,
        owner: PersonId,
        client_id: &ClientId,
    ) -> Result<Vec<Subscription>, StoreError> {
        let client_id = client_id.clone();
        self.read(move |db, vault| subscriptions::of_owner(db, vault, account, owner, &client_id))
            .await
    }

    async fn subscription_count(
        &self,
        account: AccountId,
        owner: PersonId,
        client_id: &ClientId,
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let client_id = client_id.clone();
        self.read(move |db, _| subscriptions::count(db, account, owner, &client_id, now))
            .await
    }

    async fn subscriptions_of_person(
        &self,
        account: AccountId,
        owner: PersonId,
    ) -> Result<Vec<Subscription>, StoreError> {
        self.read(move |db, vault| subscriptions::of_person(db, vault, account, owner))
            .await
    }

    async fn all_subscriptions(&self) -> Result<Vec<Arc<Subscription>>, StoreError> {
        let all = self.read(subscriptions::all).await?;
        Ok(all.into_iter().map(Arc::new).collect())
    }

    async fn subscription_by_channel(
        &self,
        channel: &str,
    ) -> Result<Option<Arc<Subscription>>, StoreError> {
        let channel = channel.to_owned();
        let found = self
            .read(move |db, vault| subscriptions::by_channel(db, vault, &channel))
            .await?;
        Ok(found.map(Arc::new))
    }

    async fn subscription_history(
        &self,
        account: AccountId,
        subscription: SubscriptionId,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        self.read(move |db, _| history::of_subscription(db, account, subscription))
            .await
    }

    async fn delivery(
        &self,
        account: AccountId,
        delivery: DeliveryId,
    ) -> Result<Option<Delivery>, StoreError> {
        self.read(move |db, _| deliveries::delivery(db, account, delivery))
            .await
    }

    async fn deliveries(
        &self,
        account: AccountId,
        subscription: Option<SubscriptionId>,
        page: Page,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.read(move |db, _| deliveries::deliveries(db, account, subscription, page, limit))
            .await
    }

    async fn deliveries_of_event(
        &self,
        account: AccountId,
        event: EventId,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.read(move |db, _| deliveries::of_event(db, account, event))
            .await
    }

    async fn attempts(
        &self,
        account: AccountId,
        delivery: DeliveryId,
    ) -> Result<Vec<Attempt>, StoreError> {
        self.read(move |db, _| deliveries::attempts(db, account, delivery))
            .await
    }

    async fn endpoints(&self, account: AccountId) -> Result<Vec<Arc<Subscription>>, StoreError> {
        let found = self.read(move |db, vault| subscriptions::endpoints(db, vault, account));
        Ok(found.await?.into_iter().map(Arc::new).collect())
    }

    async fn endpoints_addressing(
        &self,
        account: AccountId,
        part: &str,
    ) -> Result<Vec<Arc<Subscription>>, StoreError> {
        let part = part.to_owned();
        let found = self
            .read(move |db, vault| subscriptions::endpoints_addressing(db, vault, account, &part));
        Ok(found.await?.into_iter().map(Arc::new).collect())
    }

    async fn custom_type(
        &self,
        account: AccountId,
        name: &TypeName,
    ) -> Result<Option<Arc<CustomType>>, StoreError> {
        let key = (account, name.clone());
        let mark = match self.caches.types.get(&key) {
            Ok(found) => return Ok(Some(found)),
            Err(mark) => mark,
        };
        let name = name.clone();
        let found = self
            .read(move |db, _| custom_types::named(db, account, &name))
            .await?
            .map(Arc::new);
        if let Some(found) = &found {
            self.caches.types.put(key, Arc::clone(found), mark);
        }
        Ok(found)
    }

    async fn custom_types(&self, account: AccountId) -> Result<Vec<CustomType>, StoreError> {
        self.read(move |db, _| custom_types::all(db, account)).await
    }

    async fn publication(
        &self,
        account: AccountId,
        source: &str,
        id: &str,
    ) -> Result<Option<Publication>, StoreError> {
        let (source, id) = (source.to_owned(), id.to_owned());
        self.read(move |db, _| publications::publication(db, account, &source, &id))
            .await
    }

    async fn find_deliveries(
        &self,
        query: DeliveryQuery,
    ) -> Result<Vec<FoundDelivery>, StoreError> {
        self.read(move |db, _| deliveries::find(db, &query)).await
    }

    async fn find_deliveries_after(
        &self,
        query: DeliveryQuery,
        after: DeliveryId,
    ) -> Result<Vec<FoundDelivery>, StoreError> {
        self.read(move |db, _| deliveries::find_after(db, &query, after))
            .await
    }

    async fn count_deliveries(&self, query: DeliveryQuery) -> Result<u64, StoreError> {
        self.read(move |db, _| deliveries::count(db, &query)).await
    }

    async fn has_delivery(
        &self,
        account: AccountId,
        event: EventId,
        subscription: SubscriptionId,
    ) -> Result<bool, StoreError> {
        self.read(move |db, _| deliveries::exists(db, account, event, subscription))
            .await
    }

    async fn count_events(&self, query: EventQuery) -> Result<u64, StoreError> {
        self.read(move |db, _| events::count(db, &query)).await
    }

    async fn job(&self, account: AccountId, job: JobId) -> Result<Option<Job>, StoreError> {
        self.read(move |db, _| jobs::job(db, account, job)).await
    }

    async fn jobs(&self, query: JobQuery) -> Result<Vec<Job>, StoreError> {
        self.read(move |db, _| jobs::find(db, &query)).await
    }

    async fn running_jobs(&self) -> Result<Vec<Job>, StoreError> {
        self.read(|db, _| jobs::running(db)).await
    }

    async fn statistics(
        &self,
        account: AccountId,
        endpoint: SubscriptionId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<StatisticsBucket>, StoreError> {
        self.read(move |db, _| statistics::of_endpoint(db, account, endpoint, from, to))
            .await
    }

    async fn statistics_by_hour(
        &self,
        account: AccountId,
        from: Timestamp,
    ) -> Result<Vec<(SubscriptionId, Timestamp, HourSums)>, StoreError> {
        self.read(move |db, _| statistics::by_hour(db, account, from))
            .await
    }

    async fn find_events(&self, query: EventQuery) -> Result<Vec<Event>, StoreError> {
        self.read(move |db, vault| events::find(db, vault, &query))
            .await
    }

    async fn kept_range(
        &self,
        kept: Kept,
        after: u64,
        before: Timestamp,
        limit: u32,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        self.read(move |db, _| retention::range(db, kept, after, before, limit))
            .await
    }

    async fn erasable(
        &self,
        account: AccountId,
        subject: ErasureSubject,
        after: u64,
        last: u64,
    ) -> Result<ErasureCounts, StoreError> {
        self.read(move |db, _| erasure::counts(db, account, subject, (after, last)))
            .await
    }

    async fn erasure_page(&self, after: u64, limit: u32) -> Result<Option<u64>, StoreError> {
        self.read(move |db, _| erasure::page(db, after, limit))
            .await
    }

    async fn used_bytes(&self) -> Result<u64, StoreError> {
        self.read(|db, _| retention::used_bytes(db)).await
    }

    async fn oldest_event(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|db, _| retention::oldest_event(db)).await
    }

    async fn subscriptions_with_work(&self) -> Result<Vec<Arc<Subscription>>, StoreError> {
        let found = self.read(subscriptions::with_work).await?;
        Ok(found.into_iter().map(Arc::new).collect())
    }

    async fn waiting_deliveries(
        &self,
        subscription: SubscriptionId,
        after: Option<(Timestamp, DeliveryId)>,
        limit: u32,
    ) -> Result<Vec<CommittedDelivery>, StoreError> {
        self.read(move |db, vault| {
            let Some(subscription) = subscriptions::by_id(db, vault, subscription)? else {
                return Ok(Vec::new());
            };
            deliveries::waiting(db, vault, &Arc::new(subscription), after, limit)
        })
        .await
    }
}

fn hook_target(
    db: &Connection,
    vault: &Vault,
    hash: TokenHash,
) -> Result<Option<HookTarget>, Fault> {
    let Some(webhook) = webhooks::by_token(db, vault, hash)? else {
        return Ok(None);
    };
    let Some(chat) = chats::chat(db, webhook.account, webhook.chat)? else {
        return Ok(None);
    };
    let author = accounts::integration(db, webhook.account)?.unwrap_or(webhook.creator);
    Ok(Some(HookTarget {
        webhook,
        chat: Arc::new(chat),
        author,
    }))
}
