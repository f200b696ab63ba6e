//! Two accounts and the people in them, behind a server on a real port, with a clock that only
//! tests move.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use hookyard_api::{
    Api, ApiSettings, DevelopmentMode, JsonSchemas, ListenerLimits, TokenMint, Turns,
};
use hookyard_delivery::{
    AppTokens, Dispatcher, Egress, EgressRules, Jobs, Lifecycle, Transport, WebhookHandshake,
    WebhookTransport,
};
use hookyard_domain::events::catalogue::EventType;
use hookyard_domain::kernel::component::{Components, Ports, Stage};
use hookyard_domain::kernel::limits::HANDSHAKE_TIMEOUT_DEFAULT;
use hookyard_domain::kernel::ownership::SoleOwner;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{Clock, Handshake};
use hookyard_domain::{
    Account, AccountId, AccountWrite, App, AppWrite, Audience, Change, Chat, ChatId, ChatKind,
    ChatStatus, ChatWrite, ClientId, ClientSecret, Credential, CredentialId, CredentialKind,
    CredentialWrite, EventId, EventKind, Person, PersonId, PersonKind, PersonStatus, PersonWrite,
    Scope, Scopes, Secret, Session, SessionId, SessionOrigin, SessionWrite, SignInCodeWrite,
    Timestamp, Token, TokenHash, TokenKind,
};
use hookyard_gateway::{LiveGateway, PubNub, SocketGateway, SocketSettings, Sockets};
use hookyard_server::{OsChance, socket_gateway, socket_routes};
use hookyard_store::{Options, SqliteStore, VaultKey};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::client::Client;

pub(crate) const ACCOUNT: AccountId = AccountId(1);
pub(crate) const OTHER_ACCOUNT: AccountId = AccountId(2);
/// Administers the account.
pub(crate) const ALICE: PersonId = PersonId(11);
pub(crate) const BOB: PersonId = PersonId(12);
pub(crate) const CAROL: PersonId = PersonId(13);
/// The author of posts through webhooks.
pub(crate) const INTEGRATION: PersonId = PersonId(14);
/// Of the other account.
pub(crate) const MALLORY: PersonId = PersonId(21);
pub(crate) const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMSJ9.c2VhbA";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const APP_SECRET: &str = "app-secret";
/// What clients of the PubNub-style transport present.
pub(crate) const SUBSCRIBE_KEY: &str = "sub-c-test";
pub(crate) const SIGN_IN_CODE: &str = "one-time-code";
/// When every test begins.
pub(crate) const BEGIN: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Wall time that stands still until a test moves it; who sleeps wakes when it has come.
#[derive(Debug)]
pub(crate) struct ManualClock(watch::Sender<Timestamp>);

impl ManualClock {
    pub(crate) fn advance(&self, duration: Duration) {
        self.0.send_modify(|now| *now = *now + duration);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    async fn sleep_until(&self, until: Timestamp) {
        let mut now = self.0.subscribe();
        let come = now.wait_for(|now| *now >= until).await;
        come.expect("the clock outlives those who look at it");
    }
}

/// A running server and what is in it.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) clock: Arc<ManualClock>,
    stopping: CancellationToken,
    components: Arc<Components>,
    pub(crate) gateway: SocketGateway,
    sessions: AtomicU64,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stopping.cancel();
        while let Some(stage) = self.components.pop() {
            stage
                .components
                .iter()
                .for_each(|component| component.abort());
        }
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with other settings.
    pub(crate) async fn start_with(adjust: impl FnOnce(&mut ApiSettings)) -> Self {
        Self::start_within(ListenerLimits::default(), adjust).await
    }

    /// Starts with other settings behind a listener with other limits.
    pub(crate) async fn start_within(
        limits: ListenerLimits,
        adjust: impl FnOnce(&mut ApiSettings),
    ) -> Self {
        let clock = Arc::new(ManualClock(watch::Sender::new(BEGIN)));
        let chance = Arc::new(OsChance);
        let options = Options {
            vault_key: VaultKey([7; 32]),
            clock: Arc::clone(&clock) as _,
            chance: Arc::clone(&chance) as _,
        };
        let store = Arc::new(SqliteStore::inline(options).expect("a store in memory"));
        let ports = Ports {
            store: Arc::clone(&store) as _,
            feed: Arc::clone(&store) as _,
            ownership: Arc::new(SoleOwner),
            clock: Arc::clone(&clock) as _,
            chance: Arc::clone(&chance) as _,
        };
        let live = LiveGateway::start(&*ports.feed, &*ports.clock);
        let sockets = Sockets::start(&*ports.feed, Arc::clone(&ports.clock));
        let egress = Arc::new(Egress::new(EgressRules {
            allow_private: true,
            allow_http: true,
            ..EgressRules::default()
        }));
        let app_tokens = AppTokens::start(&ports).await;
        let app_tokens = app_tokens.expect("a store in memory");
        let webhooks = WebhookTransport::new(Arc::clone(&egress)).with_app_tokens(app_tokens);
        let transport = Arc::new(webhooks);
        let handshake = Arc::new(WebhookHandshake::new(egress, HANDSHAKE_TIMEOUT_DEFAULT));
        let components = background(&ports, transport, Arc::clone(&handshake) as _).await;
        people(&store).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let development = DevelopmentMode::new(true, || {});
        let mut settings = ApiSettings::new(format!("http://{address}"), development);
        settings.subscriptions.pubnub_key = Some(SUBSCRIBE_KEY.to_owned());
        settings.beside = hookyard_server::beside();
        if let Some(file) = std::env::var_os(hookyard_server::CALLS) {
            hookyard_api::operations::record_calls(file.into());
        }
        adjust(&mut settings);
        let pubnub = PubNub::start(&ports, &store.ids(), SUBSCRIBE_KEY.to_owned());
        let api = Arc::new(Api {
            store: Arc::clone(&store) as _,
            clock: Arc::clone(&clock) as _,
            chance,
            ids: store.ids(),
            handshake,
            live: Arc::new(live),
            sockets: Arc::new(sockets.clone()),
            tokens: TokenMint::new([9; 32]),
            components: Arc::clone(&components),
            turns: Turns::default(),
            settings,
        });
        let gateway = socket_gateway(&api, sockets, SocketSettings::default());
        let page = Router::new()
            .route("/panic", get(panic))
            .merge(hookyard_server::pubnub::routes(pubnub))
            .merge(socket_routes(gateway.clone()));
        let stopping = CancellationToken::new();
        let serving = hookyard_api::serve(
            listener,
            limits,
            hookyard_api::router(api, page),
            stopping.clone(),
            Duration::ZERO,
        );
        tokio::spawn(serving);
        Self {
            address,
            store,
            clock,
            stopping,
            components,
            gateway,
            sessions: AtomicU64::new(1),
        }
    }

    /// Kind, audience and body of every event so far but for posts and chats. They are as the
    /// catalogue says.
    pub(crate) async fn told(&self) -> Vec<String> {
        let events = self.store.events_after(ACCOUNT, EventId(0), 100).await;
        let events = events.expect("a store in memory");
        let told = events
            .iter()
            .filter(|event| !matches!(event.kind, EventKind::Post | EventKind::Chat));
        told.map(|event| {
            let Audience::Persons(persons) = &event.audience else {
                panic!("{event:?} is for persons");
            };
            let ids: Vec<_> = persons.iter().map(ToString::to_string).collect();
            let known = EventType::of(event).expect("the catalogue knows it");
            let value = serde_json::from_slice(&event.body).expect("bodies are JSON");
            let checked = known.schema.check(&value, &JsonSchemas);
            checked.expect("the catalogue's schema");
            let body = std::str::from_utf8(&event.body).expect("JSON is text");
            format!("{} {} {body}", event.kind.name(), ids.join(","))
        })
        .collect()
    }

    /// Nobody, who has not signed in.
    pub(crate) fn nobody(&self) -> Client {
        Client {
            address: self.address,
            token: None,
        }
    }

    /// A client that presents `token`.
    pub(crate) fn bearer(&self, token: &str) -> Client {
        Client {
            token: Some(token.to_owned()),
            ..self.nobody()
        }
    }

    /// A person who is signed in through an app that may do everything.
    pub(crate) async fn signed_in(&self, person: PersonId) -> Client {
        let app = if person == MALLORY {
            "other-app"
        } else {
            "app"
        };
        self.signed_in_with(person, Scopes::all(), app).await
    }

    /// A person who is signed in through `app` with `scopes` for an hour.
    pub(crate) async fn signed_in_with(
        &self,
        person: PersonId,
        scopes: Scopes,
        app: &str,
    ) -> Client {
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        let token = format!("token-{number}");
        let now = self.clock.now();
        let account = if person == MALLORY {
            OTHER_ACCOUNT
        } else {
            ACCOUNT
        };
        let change = Change::of(SessionWrite::Put(Session {
            account,
            id: SessionId(1_000 + number),
            person,
            client_id: ClientId(app.to_owned()),
            origin: SessionOrigin::SignIn,
            scopes,
            endpoint_id: "endpoint".to_owned(),
            created_at: now,
            generation: 1,
        }))
        .and(SessionWrite::PutToken(Token {
            account,
            session: SessionId(1_000 + number),
            kind: TokenKind::Access,
            hash: TokenHash::of(&token),
            generation: 1,
            expires_at: now + Duration::from_secs(3_600),
            used_at: Some(now),
        }));
        self.store.commit(change).await.expect("a store in memory");
        self.bearer(&token)
    }

    /// Ends the session that a client presents a token of.
    pub(crate) async fn sign_out(&self, client: &Client) {
        let token = client.token.as_deref().expect("it is signed in");
        let found = self.store.token(TokenHash::of(token)).await;
        let found = found.expect("a store in memory").expect("it is signed in");
        let end = SessionWrite::End {
            account: found.0.account,
            session: found.0.id,
        };
        let ended = self.store.commit(Change::of(end)).await;
        ended.expect("a store in memory");
    }

    /// Makes a person an administrator of their account, or ends it.
    pub(crate) async fn set_admin(&self, account: AccountId, person: PersonId, admin: bool) {
        let change = |person: &mut Person| person.admin = admin;
        self.change_person(account, person, change).await;
    }

    /// Makes a person of the account a program that acts in its own name.
    pub(crate) async fn make_bot(&self, person: PersonId) {
        let change = |person: &mut Person| person.kind = PersonKind::Bot;
        self.change_person(ACCOUNT, person, change).await;
    }

    async fn change_person(
        &self,
        account: AccountId,
        person: PersonId,
        change: impl FnOnce(&mut Person),
    ) {
        let found = self.store.person(account, person).await;
        let mut next = found.expect("a store in memory").expect("they are there");
        change(&mut next);
        next.version += 1;
        let put = Change::of(PersonWrite::Put(next));
        self.store.commit(put).await.expect("a store in memory");
    }

    /// A person whose app has no permission for team messaging.
    pub(crate) async fn without_scope(&self, person: PersonId) -> Client {
        let scopes = [Scope::WebSocketsSubscription].into_iter().collect();
        self.signed_in_with(person, scopes, "app").await
    }
}

/// What goes on by itself.
async fn background(
    ports: &Ports,
    transport: Arc<dyn Transport>,
    handshake: Arc<dyn Handshake>,
) -> Arc<Components> {
    let lifecycle = Lifecycle::start(ports, handshake, true).await;
    let lifecycle = lifecycle.expect("a store in memory");
    let dispatcher = Dispatcher::start(ports, transport, lifecycle.health()).await;
    let dispatcher = dispatcher.expect("a store in memory");
    let jobs = Jobs::start(ports).await.expect("a store in memory");
    let components = Components::default();
    components.add(Stage {
        components: vec![Arc::new(lifecycle), Arc::new(dispatcher), Arc::new(jobs)],
        patience: Duration::ZERO,
    });
    Arc::new(components)
}

/// A handler with a bug.
async fn panic() {
    panic!("a bug that a test asked for");
}

fn person(account: AccountId, id: PersonId, first_name: &str, kind: PersonKind) -> PersonWrite {
    PersonWrite::Put(Person {
        account,
        id,
        kind,
        first_name: first_name.to_owned(),
        last_name: "Smith".to_owned(),
        email: Some(format!("{}@example.com", first_name.to_lowercase())),
        extension_number: Some((id.0 + 90).to_string()),
        admin: id == ALICE,
        operator: id == ALICE,
        status: PersonStatus::Enabled,
        created_at: BEGIN,
        modified_at: BEGIN,
        version: 1,
    })
}

fn app(account: AccountId, client_id: &str, secret: Option<&str>) -> AppWrite {
    let named = ClientId(client_id.to_owned());
    let first = |secret| ClientSecret::of(&Secret::new(secret), "first".to_owned(), BEGIN);
    let app = App::supplied(account, named, client_id, secret.map(first), BEGIN);
    AppWrite::Put(Box::new(app))
}

async fn people(store: &SqliteStore) {
    let account = |id, name: &str| {
        AccountWrite::Put(Account {
            id,
            name: name.to_owned(),
            created_at: BEGIN,
        })
    };
    let everyone = Chat {
        account: ACCOUNT,
        id: ChatId(31),
        kind: ChatKind::Everyone,
        name: Some("Everyone".to_owned()),
        description: None,
        public: false,
        status: ChatStatus::Active,
        members: vec![ALICE, BOB, CAROL],
        admins: vec![],
        created_at: BEGIN,
        modified_at: BEGIN,
        version: 1,
    };
    let password = hookyard_api::hash_password(&Secret::new(PASSWORD), &OsChance);
    let change = Change::of(account(ACCOUNT, "Yard"))
        .and(account(OTHER_ACCOUNT, "Elsewhere"))
        .and(person(ACCOUNT, ALICE, "Alice", PersonKind::User))
        .and(person(ACCOUNT, BOB, "Bob", PersonKind::User))
        .and(person(ACCOUNT, CAROL, "Carol", PersonKind::User))
        .and(person(
            ACCOUNT,
            INTEGRATION,
            "Hooks",
            PersonKind::Integration,
        ))
        .and(person(OTHER_ACCOUNT, MALLORY, "Mallory", PersonKind::User))
        .and(PersonWrite::PutPassword {
            account: ACCOUNT,
            person: ALICE,
            hash: password,
        })
        .and(app(ACCOUNT, "app", Some(APP_SECRET)))
        .and(app(ACCOUNT, "public-app", None))
        .and(app(ACCOUNT, ClientId::CONSOLE, None))
        .and(app(OTHER_ACCOUNT, "other-app", None))
        .and(CredentialWrite::Put(Box::new(Credential {
            account: ACCOUNT,
            id: CredentialId::from_random([1; 16]),
            kind: CredentialKind::Jwt,
            name: "First".to_owned(),
            person: ALICE,
            client_id: Some(ClientId("app".to_owned())),
            scopes: None,
            hash: TokenHash::of(JWT),
            hint: "bA".to_owned(),
            created_at: BEGIN,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        })))
        .and(SignInCodeWrite::Put {
            account: ACCOUNT,
            person: ALICE,
            hash: TokenHash::of(SIGN_IN_CODE),
            expires_at: BEGIN + Duration::from_secs(60),
        })
        .and(ChatWrite::Put(everyone));
    store.commit(change).await.expect("a store in memory");
}
