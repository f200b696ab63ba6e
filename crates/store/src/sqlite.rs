//! The store: a writer behind one door, readers beside it, caches in front.

mod accounts;
mod apps;
mod caches;
mod chats;
mod connection;
mod deliveries;
mod engine;
mod error;
mod events;
mod fanout;
mod history;
mod messages;
mod migrations;
mod posts;
mod presences;
mod query;
mod requests;
mod sessions;
mod subscriptions;
mod webhooks;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use hookyard_domain::change::{Change, CommittedDelivery};
use hookyard_domain::limits::LANE_WINDOW_MAX;
use hookyard_domain::ports::{
    Chance, ChatQuery, Clock, CommitError, CommitListener, HookTarget, MessageQuery, Page,
    PersonQuery, Slice, Store, StoreError,
};
use hookyard_domain::{
    Account, AccountId, App, Attempt, Chat, ChatId, ChatKind, ClientId, Delivery, DeliveryId,
    Event, EventId, HistoryEntry, HookRequest, IdSequence, IncomingWebhook, JwtCredential, Message,
    MessageId, Person, PersonId, Post, PostId, Presence, RequestId, Secret, Session, SessionId,
    Subscription, SubscriptionId, Timestamp, Token, TokenHash, TokenKind, WebhookId,
};
use rusqlite::Connection;
use tokio::sync::{Semaphore, watch};

use self::caches::Caches;
use self::engine::Engine;
use self::error::Fault;
use self::writer::{Listeners, Writer};
use crate::vault::{Vault, VaultKey};

/// Connections that read. More would not read faster on the few cores that we are built for.
const READERS_MAX: usize = 4;

/// What a store needs from outside.
#[derive(Debug, Clone)]
pub struct Options {
    pub vault_key: VaultKey,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<dyn Chance>,
}

/// The `Store` port on SQLite.
pub struct SqliteStore {
    backend: Backend,
    vault: Vault,
    caches: Arc<Caches>,
    listeners: Listeners,
    ids: Arc<IdSequence>,
}

enum Backend {
    /// A file: commits go to the writer's thread, reads to a pool.
    File {
        writer: Writer,
        readers: Arc<Readers>,
    },
    /// One connection for everything, used by the caller's own thread: no sync, no thread, so
    /// that simulations can replay it.
    Inline { engine: Arc<Mutex<Engine>> },
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

/// Connections that read, handed out one at a time.
struct Readers {
    path: std::path::PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    fn take(&self) -> Result<Connection, Fault> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.map_or_else(|| connection::open_reader(&self.path), Ok)
    }

    fn give_back(&self, connection: Connection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}

impl SqliteStore {
    /// Opens the database in `path`, makes and migrates it as needed, and starts the writer.
    ///
    /// After an unclean end it first marks what may have been sent without a record.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or belongs to a newer Hookyard.
    pub fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        let mut db = connection::open_writer(path)?;
        migrations::migrate(&mut db)?;
        writer::empty_log(&db)?;
        engine::check_key(
            &db,
            &Vault::new(options.vault_key, Arc::clone(&options.chance)),
        )?;
        if !engine::was_clean(&db)? {
            let window = u32::try_from(LANE_WINDOW_MAX).expect("the window is small");
            deliveries::mark_possible_repeats(&db, window)?;
        }
        let (engine, parts) = assemble(db, options)?;
        engine.set_clean(false)?;
        let writer = Writer::start(engine, path, Arc::clone(&parts.listeners))?;
        let readers = Arc::new(Readers {
            path: path.to_owned(),
            idle: Mutex::default(),
            permits: Semaphore::new(READERS_MAX),
        });
        Ok(parts.with(Backend::File { writer, readers }))
    }

    /// A store in memory that does everything on the caller's thread. Nothing in it survives, and
    /// nothing in it waits.
    ///
    /// # Errors
    ///
    /// When SQLite refuses a database in memory.
    pub fn inline(options: Options) -> Result<Self, StoreError> {
        let mut db = connection::open_in_memory()?;
        migrations::migrate(&mut db)?;
        let (engine, parts) = assemble(db, options)?;
        Ok(parts.with(Backend::Inline {
            engine: Arc::new(Mutex::new(engine)),
        }))
    }

    /// The numbers that objects of this store get.
    pub fn ids(&self) -> Arc<IdSequence> {
        Arc::clone(&self.ids)
    }

    /// Tells `listener` of every commit from now on.
    pub fn listen(&self, listener: Arc<dyn CommitListener>) {
        self.listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(listener);
    }

    /// Forgets all listeners: what a crash does to them.
    pub fn forget_listeners(&self) {
        self.listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Does what opening after an unclean end does; for simulations of a crash.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    pub fn mark_possible_repeats(&self) -> Result<(), StoreError> {
        if let Backend::Inline { engine } = &self.backend {
            let engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
            let window = u32::try_from(LANE_WINDOW_MAX).expect("the window is small");
            deliveries::mark_possible_repeats(&engine.db, window)?;
        }
        Ok(())
    }

    /// Waits until the store can no longer make anything durable; the process must then end.
    pub async fn failed(&self) {
        match &self.backend {
            Backend::File { writer, .. } => {
                let mut failed: watch::Receiver<bool> = writer.failed();
                if failed.wait_for(|failed| *failed).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            Backend::Inline { .. } => std::future::pending().await,
        }
    }

    /// Finishes what waits and marks the store as cleanly stopped.
    pub async fn close(&self) {
        if let Backend::File { writer, .. } = &self.backend {
            writer.close().await;
        }
    }

    /// Reads on a connection of the pool.
    async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &Vault) -> Result<T, Fault> + Send + 'static,
    {
        match &self.backend {
            Backend::Inline { engine } => {
                let engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(query(&engine.db, &self.vault)?)
            }
            Backend::File { readers, .. } => {
                let _permit = readers.permits.acquire().await.map_err(|_| ended())?;
                let readers = Arc::clone(readers);
                let vault = self.vault.clone();
                let work = move || {
                    let connection = readers.take()?;
                    let found = query(&connection, &vault);
                    readers.give_back(connection);
                    found
                };
                let found = tokio::task::spawn_blocking(work)
                    .await
                    .map_err(|_| ended())?;
                Ok(found?)
            }
        }
    }
}

fn ended() -> StoreError {
    StoreError {
        context: "a read was broken off".into(),
        source: None,
    }
}

struct Parts {
    vault: Vault,
    caches: Arc<Caches>,
    listeners: Listeners,
    ids: Arc<IdSequence>,
}

impl Parts {
    fn with(self, backend: Backend) -> SqliteStore {
        let Self {
            vault,
            caches,
            listeners,
            ids,
        } = self;
        SqliteStore {
            backend,
            vault,
            caches,
            listeners,
            ids,
        }
    }
}

fn assemble(db: Connection, options: Options) -> Result<(Engine, Parts), Fault> {
    let vault = Vault::new(options.vault_key, options.chance);
    let caches = Arc::new(Caches::default());
    let ids = Arc::new(IdSequence::starting_after(engine::last_id(&db)?));
    let engine = Engine::new(
        db,
        vault.clone(),
        Arc::clone(&ids),
        options.clock,
        Arc::clone(&caches),
    )?;
    let parts = Parts {
        vault,
        caches,
        listeners: Arc::new(RwLock::default()),
        ids,
    };
    Ok((engine, parts))
}

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
