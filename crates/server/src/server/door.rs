//! What clients are connected to: pages, WebSocket sessions, long polls, and the listener that lets
//! them in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use hookyard_api::{
    Api, ApiSettings, ListenerLimits, RateLimits, SubscriptionSettings, TokenMint, Turns,
};
use hookyard_domain::kernel::component::{Component, Stage, State, Status};
use hookyard_domain::{RetryPolicy, Timestamp};
use hookyard_gateway::{LiveGateway, PubNub, SocketSettings, Sockets};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ground::Ground;
use super::outbound::Outbound;
use crate::backstage::{socket_gateway, socket_routes};
use crate::config::Config;
use crate::console;
use crate::open_files;

/// How long requests in progress may take when the server stops.
const REQUESTS_FINISH_MAX: Duration = Duration::from_secs(10);

/// A door that is shut: everything behind it hears of commits, and nobody is let in yet.
pub(super) struct Door {
    api: Arc<Api>,
    live: LiveGateway,
    sockets: Sockets,
    pubnub: Option<Arc<PubNub>>,
}

impl Door {
    /// Puts together what answers.
    pub(super) fn prepare(ground: &Ground, outbound: Outbound) -> Self {
        let ports = &ground.ports;
        let live = LiveGateway::start(&*ports.feed, &*ports.clock);
        let sockets = Sockets::start(&*ports.feed, Arc::clone(&ports.clock));
        let ids = ground.store.ids();
        let pubnub = ground.config.pubnub.enabled;
        let pubnub = pubnub.then(|| PubNub::start(ports, &ids, ground.key.subscribe_key()));
        let api = Arc::new(Api {
            store: Arc::clone(&ports.store),
            clock: Arc::clone(&ports.clock),
            chance: Arc::clone(&ports.chance),
            ids,
            handshake: Arc::clone(&outbound.handshake),
            live: Arc::new(live.clone()),
            sockets: Arc::new(sockets.clone()),
            tokens: TokenMint::new(ground.key.token_key()),
            components: Arc::clone(&ground.components),
            turns: Turns::default(),
            settings: settings(ground, outbound),
        });
        Self {
            api,
            live,
            sockets,
            pubnub,
        }
    }

    /// Lets clients in.
    pub(super) fn open(self, config: &Config, listener: TcpListener) {
        let room = open_files::claim();
        let limits = ListenerLimits {
            connections_max: room.connections,
            ..ListenerLimits::default()
        };
        let socket_settings = SocketSettings {
            connections_max: room.sockets,
            ..config.websocket.settings()
        };
        let since = self.api.clock.now();
        let components = Arc::clone(&self.api.components);
        let gateway = socket_gateway(&self.api, self.sockets, socket_settings);
        let mut page: Router<Arc<Api>> = console::routes().merge(socket_routes(gateway.clone()));
        let mut stage: Vec<Arc<dyn Component>> = vec![Arc::new(self.live), Arc::new(gateway)];
        if let Some(pubnub) = self.pubnub {
            page = page.merge(crate::pubnub::routes(Arc::clone(&pubnub)));
            stage.push(pubnub);
        }
        let router = hookyard_api::router(self.api, page);
        stage.push(Arc::new(Listening::start(listener, limits, router, since)));
        components.add(Stage {
            components: stage,
            patience: REQUESTS_FINISH_MAX,
        });
    }
}

fn settings(ground: &Ground, outbound: Outbound) -> ApiSettings {
    let config = &ground.config;
    ApiSettings {
        retry_policy: RetryPolicy {
            timeout_ms: config.delivery.timeout_ms,
            concurrency_max: config.delivery.concurrency,
            ..RetryPolicy::default()
        },
        rate_limits: if config.api.rate_limits {
            RateLimits::enforced()
        } else {
            RateLimits::default()
        },
        subscriptions: SubscriptionSettings {
            count_max: config.subscriptions.per_app_max,
            pubnub_key: config.pubnub.enabled.then(|| ground.key.subscribe_key()),
            push_certificates: outbound.push_certificates,
        },
        beside: crate::beside(),
        ..ApiSettings::new(ground.public_url.clone(), outbound.development)
    }
}

/// Accepts connections, and serves them.
#[derive(Debug)]
struct Listening {
    since: Timestamp,
    stopping: CancellationToken,
    serving: Mutex<Option<JoinHandle<()>>>,
}

impl Listening {
    fn start(
        listener: TcpListener,
        limits: ListenerLimits,
        router: Router,
        since: Timestamp,
    ) -> Self {
        let stopping = CancellationToken::new();
        let stop = stopping.clone();
        let serving = hookyard_api::serve(listener, limits, router, stop, REQUESTS_FINISH_MAX);
        Self {
            since,
            stopping,
            serving: Mutex::new(Some(tokio::spawn(serving))),
        }
    }

    fn serving(&self) -> Option<JoinHandle<()>> {
        let mut serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner);
        serving.take()
    }
}

#[async_trait]
impl Component for Listening {
    fn status(&self) -> Status {
        Status {
            state: if self.stopping.is_cancelled() {
                State::Stopping
            } else {
                State::Running
            },
            ..Status::running("listener", self.since)
        }
    }

    async fn stop(&self, deadline: Instant) {
        self.stopping.cancel();
        if let Some(serving) = self.serving() {
            let _ = tokio::time::timeout_at(deadline.into(), serving).await;
        }
    }

    fn abort(&self) {
        self.stopping.cancel();
        if let Some(serving) = self.serving() {
            serving.abort();
        }
    }
}
