//! An account with a team and an incoming webhook, and senders for it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hookyard_api::{Api, ApiSettings, DevelopmentMode, TokenMint, Turns};
use hookyard_domain::kernel::news::News;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{
    Chance, Clock, CommitListener, Handshake, HandshakeError, LiveEvents, LiveFeed,
    LiveSubscriptions, Page, SocketGone,
};
use hookyard_domain::{
    Account, AccountId, AccountWrite, BinId, BinRequest, Change, Chat, ChatId, ChatKind,
    ChatStatus, ChatWrite, ClientId, Event, HookRequest, IncomingWebhook, Person, PersonId,
    PersonKind, PersonStatus, PersonWrite, Post, PostContent, PostId, PostKind, PostWrite, Scopes,
    Secret, Session, SessionId, SessionOrigin, SessionWrite, Subscription, SubscriptionId,
    Timestamp, Token, TokenHash, TokenKind, WebhookId, WebhookStatus, WebhookWrite, Write,
};
use hookyard_store::{Options, SqliteStore, VaultKey};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::faulty_commits::FaultyCommits;

pub(crate) const ACCOUNT: AccountId = AccountId(1);
/// Administers the team.
pub(crate) const ALICE: PersonId = PersonId(11);
/// A member of the team.
pub(crate) const BOB: PersonId = PersonId(12);
/// Administers the account and is in no chat.
pub(crate) const ROOT: PersonId = PersonId(14);
/// In no chat.
pub(crate) const MALLORY: PersonId = PersonId(15);
pub(crate) const INTEGRATION: PersonId = PersonId(13);
pub(crate) const TEAM: ChatId = ChatId(21);
pub(crate) const PUBLIC_URL: &str = "https://hooks.example.com";
pub(crate) const TOKEN: &str = "TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT";

#[derive(Debug)]
struct TestClock(AtomicI64);

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
    async fn sleep_until(&self, _: Timestamp) {
        std::future::pending::<()>().await;
    }
}

#[derive(Debug)]
struct TestChance(AtomicU64);

impl Chance for TestChance {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let step = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            chunk.copy_from_slice(&step.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Ports that nothing here calls.
#[derive(Debug)]
struct Unused;

#[async_trait]
impl Handshake for Unused {
    async fn verify(&self, _: &str, _: &Secret, _: Option<&Secret>) -> Result<(), HandshakeError> {
        Err(HandshakeError::Unreachable)
    }

    async fn vet(&self, _: &str) -> Result<(), HandshakeError> {
        Err(HandshakeError::Unreachable)
    }

    async fn ask_consent(&self, _: &str, _: &str) -> Result<Option<u32>, HandshakeError> {
        Err(HandshakeError::Unreachable)
    }
}

impl LiveSubscriptions for Unused {
    fn put(&self, _: Subscription) -> Result<(), SocketGone> {
        Err(SocketGone)
    }

    fn subscription(&self, _: AccountId, _: SubscriptionId) -> Option<Arc<Subscription>> {
        None
    }

    fn subscriptions(
        &self,
        _: AccountId,
        _: PersonId,
        _: Option<&ClientId>,
    ) -> Vec<Arc<Subscription>> {
        Vec::new()
    }

    fn remove(&self, _: AccountId, _: SubscriptionId) {}
}

impl LiveEvents for Unused {
    fn listen(&self, _: AccountId, _: PersonId) -> Option<Box<dyn LiveFeed>> {
        None
    }

    fn listen_as_endpoint(&self, _: AccountId, _: PersonId) -> Option<Box<dyn LiveFeed>> {
        None
    }

    fn listen_to_bin(&self, _: BinId) -> Option<Box<dyn LiveFeed<Arc<BinRequest>>>> {
        None
    }
}

/// Remembers the events of every commit.
#[derive(Debug, Default)]
struct Ear(Mutex<Vec<Arc<Event>>>);

impl CommitListener for Ear {
    fn committed(&self, news: &News) {
        let events = news.events().map(|committed| committed.event.clone());
        self.0.lock().expect("no test panics here").extend(events);
    }
}

/// Status and body of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("an answer in JSON")
    }

    /// Fails unless this is the problem `code` with `status`, about `parameter`.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str, parameter: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        let problem = self.json();
        assert_eq!(problem["errorCode"], code, "{problem}");
        assert_eq!(problem["parameterName"], parameter, "{problem}");
    }
}

fn person(id: PersonId, kind: PersonKind, name: &str, now: Timestamp) -> Person {
    Person {
        account: ACCOUNT,
        id,
        kind,
        first_name: name.to_owned(),
        last_name: String::new(),
        email: None,
        extension_number: None,
        admin: id == ROOT,
        operator: false,
        status: PersonStatus::Enabled,
        created_at: now,
        modified_at: now,
        version: 1,
    }
}

/// The account and its persons.
fn yard(now: Timestamp) -> Change {
    let account = Account {
        id: ACCOUNT,
        name: "Test".to_owned(),
        created_at: now,
    };
    let persons = [
        (ALICE, PersonKind::User, "Alice"),
        (BOB, PersonKind::User, "Bob"),
        (ROOT, PersonKind::User, "Root"),
        (MALLORY, PersonKind::User, "Mallory"),
        (INTEGRATION, PersonKind::Integration, "Incoming Webhook"),
    ];
    persons.into_iter().fold(
        Change::of(AccountWrite::Put(account)),
        |change, (id, kind, name)| change.and(PersonWrite::Put(person(id, kind, name, now))),
    )
}

fn team(now: Timestamp) -> Chat {
    Chat {
        account: ACCOUNT,
        id: TEAM,
        kind: ChatKind::Team,
        name: Some("Team".to_owned()),
        description: None,
        public: false,
        status: ChatStatus::Active,
        members: vec![ALICE, BOB],
        admins: vec![ALICE],
        created_at: now,
        modified_at: now,
        version: 1,
    }
}

fn webhook(now: Timestamp) -> IncomingWebhook {
    IncomingWebhook {
        account: ACCOUNT,
        id: WebhookId::from_random([5; 16]),
        chat: TEAM,
        creator: ALICE,
        token: Secret::new(TOKEN),
        status: WebhookStatus::Active,
        created_at: now,
        modified_at: now,
        version: 1,
    }
}

/// A session of `person` whose access token is `token-of-` and their id.
fn signed_in(person: PersonId, now: Timestamp) -> Change {
    let session = SessionId(person.0 + 100);
    Change::of(SessionWrite::Put(Session {
        account: ACCOUNT,
        id: session,
        person,
        client_id: ClientId("app".to_owned()),
        origin: SessionOrigin::SignIn,
        scopes: Scopes::all(),
        endpoint_id: "endpoint".to_owned(),
        created_at: now,
        generation: 1,
    }))
    .and(SessionWrite::PutToken(Token {
        account: ACCOUNT,
        session,
        kind: TokenKind::Access,
        hash: TokenHash::of(&format!("token-of-{person}")),
        generation: 1,
        expires_at: now + Duration::from_secs(3_600),
        used_at: Some(now),
    }))
}

pub(crate) struct World {
    pub(crate) store: Arc<SqliteStore>,
    /// What stands between everybody and the commit.
    pub(crate) faulty: Arc<FaultyCommits>,
    pub(crate) webhook: IncomingWebhook,
    pub(crate) team: Chat,
    ear: Arc<Ear>,
    router: Router,
}

impl World {
    pub(crate) async fn start() -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(1_790_000_000_000)));
        let options = Options {
            vault_key: VaultKey([9; 32]),
            clock: clock.clone(),
            chance: Arc::new(TestChance(AtomicU64::new(7))),
        };
        let mut faulty = None;
        let store = SqliteStore::inline(options).expect("a store in memory");
        let store = Arc::new(store.with_layer(|inner| {
            let layer = Arc::new(FaultyCommits {
                inner,
                conflicts: AtomicU32::new(0),
                failures: AtomicU32::new(0),
            });
            faulty = Some(Arc::clone(&layer));
            layer
        }));
        let ear = Arc::new(Ear::default());
        store.listen(ear.clone());
        let now = clock.now();
        let (team, webhook) = (team(now), webhook(now));
        let first = yard(now)
            .and(ChatWrite::Put(team.clone()))
            .and(WebhookWrite::Put(webhook.clone()));
        store.commit(first).await.expect("a first commit");
        for person in [ALICE, BOB, ROOT, MALLORY] {
            store
                .commit(signed_in(person, now))
                .await
                .expect("a session");
        }
        let api = Api {
            store: store.clone(),
            clock,
            chance: Arc::new(TestChance(AtomicU64::new(99))),
            ids: store.ids(),
            handshake: Arc::new(Unused),
            live: Arc::new(Unused),
            sockets: Arc::new(Unused),
            tokens: TokenMint::new([7; 32]),
            components: Arc::default(),
            turns: Turns::default(),
            settings: ApiSettings::new(PUBLIC_URL, DevelopmentMode::new(false, || {})),
        };
        if let Some(file) = std::env::var_os("HOOKYARD_CALLS") {
            hookyard_api::operations::record_calls(file.into());
        }
        let router = hookyard_api::router(Arc::new(api), Router::new());
        Self {
            store,
            faulty: faulty.expect("the layer was made"),
            webhook,
            team,
            ear,
            router,
        }
    }

    pub(crate) async fn commit(&self, write: impl Into<Write>) {
        let committed = self.store.commit(Change::of(write)).await;
        committed.expect("a commit");
    }

    pub(crate) async fn set_status(&self, status: WebhookStatus) {
        let mut webhook = self.webhook.clone();
        webhook.status = status;
        webhook.version += 1;
        self.commit(WebhookWrite::Put(webhook)).await;
    }

    /// Sends `request` as a client on this machine.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let client: SocketAddr = ([127, 0, 0, 1], 4_711).into();
        request.extensions_mut().insert(ConnectInfo(client));
        let response = self.router.clone().oneshot(request).await;
        let response = response.expect("the router is infallible");
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        Answer {
            status,
            body: String::from_utf8(body.to_vec()).expect("a text"),
        }
    }

    /// Calls the API as `person`, as Java clients do: every call says it is JSON.
    pub(crate) async fn call(&self, person: PersonId, method: Method, path: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer token-of-{person}"))
            .header("content-type", "application/json")
            .body(Body::empty());
        self.send(request.expect("a request")).await
    }

    pub(crate) async fn get(&self, person: PersonId, path: &str) -> Answer {
        self.call(person, Method::GET, path).await
    }

    /// A webhook of `person` for the team, as the API shows it.
    pub(crate) async fn new_webhook(&self, person: PersonId) -> Value {
        let path = format!("/team-messaging/v1/groups/{TEAM}/webhooks");
        let answer = self.call(person, Method::POST, &path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    pub(crate) async fn post_to(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("content-type", "application/json")
            .body(body.into());
        self.send(request.expect("a request")).await
    }

    pub(crate) async fn hook(&self, body: impl Into<Body>) -> Answer {
        self.post_to(&format!("/webhook/v2/{TOKEN}"), body).await
    }

    /// A post that did not come through a webhook.
    pub(crate) async fn post_by_hand(&self) -> PostId {
        let id = PostId(77);
        let post = Post {
            account: ACCOUNT,
            chat: TEAM,
            id,
            kind: PostKind::TextMessage,
            creator: ALICE,
            content: PostContent::default(),
            request: None,
            created_at: self.team.created_at,
            modified_at: self.team.created_at,
            version: 1,
        };
        self.commit(PostWrite::Put(post)).await;
        id
    }

    /// Posts of the team, oldest first.
    pub(crate) async fn posts(&self) -> Vec<Post> {
        let posts = self.store.posts(ACCOUNT, TEAM, Page::After(0), 250).await;
        posts.expect("posts")
    }

    /// Requests to the webhook, newest first.
    pub(crate) async fn requests(&self) -> Vec<HookRequest> {
        let requests = self.store.requests(ACCOUNT, None, Page::First, 250).await;
        requests.expect("requests")
    }

    pub(crate) fn events(&self) -> Vec<Arc<Event>> {
        self.ear.0.lock().expect("no test panics here").clone()
    }
}
