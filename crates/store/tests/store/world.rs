//! Builders and backends for the contract.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hookyard_domain::endpoints::endpoint::{Authorization, HandshakeKind, PayloadFormat};
use hookyard_domain::kernel::news::News;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{Chance, Clock, CommitListener, Page};
use hookyard_domain::{
    Account, AccountId, AccountWrite, App, AppWrite, Attempt, AttemptOutcome, Audience, Change,
    Chat, ChatId, ChatKind, ChatStatus, ChatWrite, ClientId, Delivery, DeliveryMode, Endpoint,
    Event, EventFilter, EventId, EventKind, HookAnswer, HookRequest, IdSequence, IncomingWebhook,
    Person, PersonId, PersonKind, PersonStatus, PersonWrite, Post, PostContent, PostId, PostKind,
    PostWrite, RequestId, RetryPolicy, Scopes, Secret, Session, SessionId, SessionOrigin,
    Subscription, SubscriptionId, SubscriptionStatus, SubscriptionWrite, Timestamp, Timings, Token,
    TokenHash, TokenKind, TypePattern, WebhookId, WebhookStatus,
};
use hookyard_store::{Options, SqliteStore, VaultKey};

pub(crate) const ACCOUNT: AccountId = AccountId(1);
pub(crate) const ALICE: PersonId = PersonId(11);
pub(crate) const BOB: PersonId = PersonId(12);
pub(crate) const INTEGRATION: PersonId = PersonId(13);

/// Runs each claim on every backend.
macro_rules! on_every_backend {
    ($($(#[doc = $doc:literal])* async fn $claim:ident($world:ident: World) $body:block)*) => {$(
        $(#[doc = $doc])*
        #[tokio::test]
        async fn $claim() {
            async fn claim($world: World) $body
            claim(World::inline().await).await;
            claim(World::on_disk().await).await;
        }
    )*};
}
pub(crate) use on_every_backend;

/// A clock that moves by a millisecond with each look.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicU64);

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let millis = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_millis(1_790_000_000_000 + millis.cast_signed())
    }
    async fn sleep_until(&self, _: Timestamp) {
        std::future::pending::<()>().await;
    }
}

#[derive(Debug)]
pub(crate) struct TestChance(AtomicU64);

impl Chance for TestChance {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let step = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            let mixed = (step ^ (step >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            chunk.copy_from_slice(&mixed.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Remembers what it was told.
#[derive(Debug, Default)]
struct Ear(Mutex<News>);

impl CommitListener for Ear {
    fn committed(&self, news: &News) {
        self.0.lock().unwrap().extend(news.iter().cloned());
    }
}

/// A store with an account and three persons.
pub(crate) struct World {
    pub(crate) store: SqliteStore,
    ear: Arc<Ear>,
    clock: Arc<TestClock>,
    chance: Arc<TestChance>,
    ids: Arc<IdSequence>,
    directory: Option<tempfile::TempDir>,
}

pub(crate) fn options() -> Options {
    Options {
        vault_key: VaultKey([9; 32]),
        clock: Arc::new(TestClock(AtomicU64::new(0))),
        chance: Arc::new(TestChance(AtomicU64::new(7))),
    }
}

impl World {
    pub(crate) async fn inline() -> Self {
        Self::on(SqliteStore::inline(options()).unwrap(), None).await
    }

    pub(crate) async fn on_disk() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("test.db"), options()).unwrap();
        Self::on(store, Some(directory)).await
    }

    pub(crate) async fn on(store: SqliteStore, directory: Option<tempfile::TempDir>) -> Self {
        let ear = Arc::new(Ear::default());
        store.listen(ear.clone());
        let world = Self {
            ids: store.ids(),
            store,
            ear,
            clock: Arc::new(TestClock(AtomicU64::new(0))),
            chance: Arc::new(TestChance(AtomicU64::new(1))),
            directory,
        };
        let account = Account {
            id: ACCOUNT,
            name: "Test".into(),
            created_at: world.now(),
        };
        let change = Change::of(AccountWrite::Put(account))
            .and(PersonWrite::Put(world.person(
                ALICE,
                PersonKind::User,
                "Alice",
                "101",
            )))
            .and(PersonWrite::Put(world.person(
                BOB,
                PersonKind::User,
                "Bob",
                "102",
            )))
            .and(PersonWrite::Put(world.person(
                PersonId(77),
                PersonKind::User,
                "Carol",
                "103",
            )))
            .and(PersonWrite::Put(world.person(
                INTEGRATION,
                PersonKind::Integration,
                "Hook",
                "900",
            )));
        world.commit(change).await;
        world
    }

    /// Makes the app that [`Self::subscription`] is by.
    pub(crate) async fn with_app(self) -> Self {
        let app = App::supplied(ACCOUNT, ClientId("app".into()), "App", None, self.now());
        self.commit(Change::of(AppWrite::Put(Box::new(app)))).await;
        self
    }

    /// Where the database is.
    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.directory.as_ref().unwrap().path().join("test.db")
    }

    pub(crate) async fn commit(&self, change: Change) {
        self.store.commit(change).await.unwrap();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What listeners were told so far.
    pub(crate) fn heard(&self) -> News {
        self.ear.0.lock().unwrap().clone()
    }

    pub(crate) fn id(&self) -> u64 {
        self.ids.next(self.now())
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.chance.fill(&mut bytes);
        bytes
    }

    fn person(&self, id: PersonId, kind: PersonKind, name: &str, extension: &str) -> Person {
        Person {
            account: ACCOUNT,
            id,
            kind,
            first_name: name.into(),
            last_name: String::new(),
            email: Some(format!("{name}@example.com").to_lowercase()),
            extension_number: Some(extension.into()),
            admin: false,
            operator: false,
            status: PersonStatus::Enabled,
            created_at: self.now(),
            modified_at: self.now(),
            version: 1,
        }
    }

    pub(crate) fn team(&self, members: &[PersonId]) -> Chat {
        Chat {
            account: ACCOUNT,
            id: ChatId(self.id()),
            kind: ChatKind::Team,
            name: Some("Team".into()),
            description: None,
            public: false,
            status: ChatStatus::Active,
            members: members.to_vec(),
            admins: members[..1].to_vec(),
            created_at: self.now(),
            modified_at: self.now(),
            version: 1,
        }
    }

    pub(crate) fn post(&self, chat: &Chat, text: &str) -> Post {
        Post {
            account: ACCOUNT,
            chat: chat.id,
            id: PostId(self.id()),
            kind: PostKind::TextMessage,
            creator: ALICE,
            content: PostContent {
                text: Some(text.into()),
                ..PostContent::default()
            },
            request: None,
            created_at: self.now(),
            modified_at: self.now(),
            version: 1,
        }
    }

    pub(crate) fn post_event(&self, post: &Post) -> Event {
        Event {
            account: ACCOUNT,
            id: EventId::PENDING,
            kind: EventKind::Post,
            event_type: "PostAdded".into(),
            audience: Audience::ChatMembers(post.chat),
            chat: Some(post.chat),
            post: Some(post.id),
            request: None,
            occurred_at: self.now(),
            body: Bytes::from_static(br#"{"eventType":"PostAdded"}"#),
            confidential: post.id.0.is_multiple_of(2),
            attributes: None,
        }
    }

    pub(crate) fn webhook(&self, chat: &Chat, token: &str) -> IncomingWebhook {
        IncomingWebhook {
            account: ACCOUNT,
            id: WebhookId::from_random(self.random()),
            chat: chat.id,
            creator: ALICE,
            token: Secret::new(token),
            status: WebhookStatus::Active,
            created_at: self.now(),
            modified_at: self.now(),
            version: 1,
        }
    }

    pub(crate) fn request(&self, webhook: &IncomingWebhook, post: Option<PostId>) -> HookRequest {
        HookRequest {
            account: ACCOUNT,
            id: RequestId(self.id()),
            webhook: webhook.id,
            received_at: self.now(),
            method: "POST".into(),
            content_type: Some("application/json".into()),
            headers: vec![("user-agent".into(), "test".into())],
            body: Bytes::from_static(b"{\"text\":\"\xff\"}"),
            body_bytes: 12,
            remote_address: "127.0.0.1".into(),
            answer: HookAnswer {
                status: 200,
                body: r#"{"status":"OK"}"#.into(),
            },
            findings: Vec::new(),
            post,
        }
    }

    pub(crate) fn subscription(&self, owner: PersonId, filters: &[&str]) -> Subscription {
        let created_at = self.now();
        Subscription {
            account: ACCOUNT,
            id: SubscriptionId::from_random(self.random()),
            owner,
            client_id: ClientId("app".into()),
            filters: filters
                .iter()
                .map(|text| EventFilter::read(text).unwrap())
                .collect(),
            disabled_filters: Vec::new(),
            mode: DeliveryMode::WebHook {
                address: "http://127.0.0.1:1/".into(),
                verification_token: Some(Secret::new("verify")),
            },
            policy: RetryPolicy::default(),
            status: SubscriptionStatus::Active,
            created_at,
            modified_at: created_at,
            expires_at: created_at + Duration::from_hours(1),
            ttl: Duration::from_hours(1),
            blacklisted: None,
            ended_at: None,
            failing_since: None,
            paused_at: None,
            catch_up_after: None,
            endpoint: None,
            version: 1,
        }
    }

    /// An endpoint of Alice at `address`, that asks for everything.
    pub(crate) fn endpoint(&self, address: &str) -> Subscription {
        let endpoint = Endpoint {
            description: String::new(),
            types: vec![TypePattern::parse("*").unwrap()],
            content: None,
            headers: Vec::new(),
            authorization: Authorization::None,
            handshake: HandshakeKind::None,
            format: PayloadFormat::Standard,
            secrets: Vec::new(),
            failure_threshold: 0,
            batching: None,
            batch_max_kept: None,
            rate: None,
            ordered: false,
            request_origin: None,
            error: None,
        };
        Subscription {
            mode: DeliveryMode::WebHook {
                address: address.into(),
                verification_token: None,
            },
            endpoint: Some(Arc::new(endpoint)),
            ..self.subscription(ALICE, &[])
        }
    }

    /// An event of the account's own, for every endpoint that asks for its type.
    pub(crate) fn custom_event(&self, type_name: &'static str) -> Event {
        Event {
            account: ACCOUNT,
            id: EventId::PENDING,
            kind: EventKind::Custom,
            event_type: type_name.into(),
            audience: Audience::Account,
            chat: None,
            post: None,
            request: None,
            occurred_at: self.now(),
            body: Bytes::from_static(b"{}"),
            confidential: false,
            attributes: None,
        }
    }

    /// Commits a [`Self::custom_event`].
    pub(crate) async fn published(&self, type_name: &'static str) -> EventId {
        let event = self.custom_event(type_name);
        let ids = self
            .store
            .commit_numbering(Change::default().announcing(event));
        ids.await.unwrap()[0]
    }

    /// A subscription of Alice to posts, and one event on its way to it.
    pub(crate) async fn waiting_delivery(&self) -> (SubscriptionId, Delivery) {
        let mut team = self.team(&[ALICE]);
        team.kind = ChatKind::Everyone;
        let subscription = self.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
        let id = subscription.id;
        let put = SubscriptionWrite::Put(Arc::new(subscription));
        self.commit(Change::of(ChatWrite::Put(team)).and(put)).await;
        (id, self.another_delivery().await)
    }

    /// One more event in the chat that [`Self::waiting_delivery`] made.
    pub(crate) async fn another_delivery(&self) -> Delivery {
        let chat = self.store.everyone_chat(ACCOUNT).await.unwrap().unwrap();
        let post = self.post(&chat, "news");
        let event = self.post_event(&post);
        self.commit(Change::of(PostWrite::Put(post)).announcing(event))
            .await;
        self.store
            .deliveries(ACCOUNT, None, Page::First, 1)
            .await
            .unwrap()
            .remove(0)
    }

    pub(crate) fn attempt(
        &self,
        delivery: &Delivery,
        number: u32,
        outcome: AttemptOutcome,
    ) -> Attempt {
        Attempt {
            account: ACCOUNT,
            delivery: delivery.id,
            subscription: delivery.subscription,
            number,
            started_at: self.now(),
            timings: Timings {
                connect_us: 10,
                total_us: 20,
                ..Timings::default()
            },
            outcome,
            peer: Some("127.0.0.1:1".into()),
            answer_excerpt: (!outcome.is_accepted()).then(|| "no".into()),
            transcript: None,
        }
    }

    pub(crate) fn session(&self) -> Session {
        Session {
            account: ACCOUNT,
            id: SessionId(self.id()),
            person: ALICE,
            client_id: ClientId("app".into()),
            origin: SessionOrigin::SignIn,
            scopes: Scopes::all(),
            endpoint_id: "endpoint".into(),
            created_at: self.now(),
            generation: 1,
        }
    }

    pub(crate) fn token(&self, session: &Session, text: &str, kind: TokenKind) -> Token {
        Token {
            account: ACCOUNT,
            session: session.id,
            kind,
            hash: TokenHash::of(text),
            generation: 1,
            expires_at: self.now() + Duration::from_hours(1),
            used_at: None,
        }
    }
}
