//! Letting connections in, and waiting for those that may come back. One task for each.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use hookyard_domain::kernel::component::{Component, State, Status};
use hookyard_domain::kernel::limits::{
    HEADER_READ_TIMEOUT, SOCKET_ABSOLUTE_TIMEOUT_DEFAULT, SOCKET_CLOSE_TIMEOUT,
    SOCKET_IDLE_TIMEOUT_DEFAULT, SOCKET_MESSAGE_BYTES_MAX, SOCKET_PING_PERIOD_DEFAULT,
    SOCKET_READ_BUFFER_BYTES, SOCKET_RECOVERY_TIMEOUT_DEFAULT, SOCKETS_MAX,
    SOCKETS_PER_SESSION_MAX_DEFAULT,
};
use hookyard_domain::kernel::ports::{Chance, Clock};
use hookyard_domain::{Code, Milestone, Problem, SocketId, Subscription, Timestamp};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::task::TaskTracker;

use super::Sockets;
use super::backstage::Backstage;
use super::connection;
use super::connection::{Ending, Wire};
use super::reply;
use super::session::{Attachment, Fate, SocketSession, Standing};

/// How patient the gateway is, and how much room it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketSettings {
    /// How long a session without a connection can be recovered.
    pub recovery_timeout: Duration,
    /// A connection ends when its client has said nothing for so long.
    pub idle_timeout: Duration,
    /// A connection ends when it is so old.
    pub absolute_timeout: Duration,
    /// Pause between pings.
    pub ping_period: Duration,
    /// WebSocket sessions of one OAuth session.
    pub per_session_max: usize,
    /// Open connections.
    pub connections_max: usize,
}

impl Default for SocketSettings {
    fn default() -> Self {
        Self {
            recovery_timeout: SOCKET_RECOVERY_TIMEOUT_DEFAULT,
            idle_timeout: SOCKET_IDLE_TIMEOUT_DEFAULT,
            absolute_timeout: SOCKET_ABSOLUTE_TIMEOUT_DEFAULT,
            ping_period: SOCKET_PING_PERIOD_DEFAULT,
            per_session_max: SOCKETS_PER_SESSION_MAX_DEFAULT,
            connections_max: SOCKETS_MAX,
        }
    }
}

/// Why a request does not become a WebSocket connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It did not ask for one, or not as RFC 6455 has it.
    NotWebSocket,
    /// The server has as many connections as it can hold.
    Full,
}

impl Refusal {
    /// The answer that tells it.
    pub fn response(self) -> Response<String> {
        let (status, code) = match self {
            Self::NotWebSocket => (StatusCode::BAD_REQUEST, Code::UnparsableRequest),
            Self::Full => (StatusCode::SERVICE_UNAVAILABLE, Code::StoreUnavailable),
        };
        let mut response = Response::new(reply::problem_body(&Problem::of(code)));
        *response.status_mut() = status;
        let json = HeaderValue::from_static("application/json; charset=UTF-8");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        if self == Self::Full {
            let soon = HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, soon);
        }
        response
    }
}

/// The door to [`Sockets`].
#[derive(Debug, Clone)]
pub struct SocketGateway {
    pub(super) parts: Arc<Parts>,
}

/// What every connection has at hand.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) sockets: Sockets,
    pub(super) backstage: Arc<dyn Backstage>,
    pub(super) settings: SocketSettings,
    pub(super) clock: Arc<dyn Clock>,
    since: Timestamp,
    chance: Arc<dyn Chance>,
    tasks: TaskTracker,
    /// One for each open connection.
    places: Arc<Semaphore>,
}

impl Parts {
    /// A name for what has none of its own: 122 random bits.
    pub(super) fn draw_id(&self) -> SocketId {
        let mut bytes = [0; 16];
        self.chance.fill(&mut bytes);
        SocketId::from_random(bytes)
    }
}

/// What a client asks for when it connects.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) access_token: String,
    /// The token of the session that it wants back.
    pub(super) recovery: Option<String>,
    pub(super) headers: HeaderMap,
}

impl Asked {
    fn of<B>(request: &Request<B>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let value_of = |wanted| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
                .filter(|value| !value.is_empty())
        };
        Self {
            access_token: value_of("access_token").unwrap_or_default(),
            recovery: value_of("wsc"),
            headers: request.headers().clone(),
        }
    }
}

/// A session that its connection has left.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) session: Arc<SocketSession>,
    pub(super) attachment: Attachment,
    pub(super) ending: Ending,
}

impl SocketGateway {
    /// Opens a door to `sockets`.
    pub fn start(
        sockets: Sockets,
        backstage: Arc<dyn Backstage>,
        settings: SocketSettings,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> Self {
        Self {
            parts: Arc::new(Parts {
                sockets,
                backstage,
                settings,
                since: clock.now(),
                clock,
                chance,
                tasks: TaskTracker::new(),
                places: Arc::new(Semaphore::new(settings.connections_max)),
            }),
        }
    }

    /// Answers a request to connect. Who may is found out on the connection itself, because
    /// clients can read a frame but not the answer to a failed upgrade.
    ///
    /// # Errors
    ///
    /// When the request is not for a WebSocket, or there is no room.
    pub fn accept<B>(&self, mut request: Request<B>) -> Result<Response<()>, Refusal> {
        let response =
            create_response_with_body(&request, || ()).map_err(|_| Refusal::NotWebSocket)?;
        let place = Arc::clone(&self.parts.places)
            .try_acquire_owned()
            .map_err(|_| Refusal::Full)?;
        if self.parts.tasks.is_closed() {
            return Err(Refusal::Full);
        }
        let asked = Asked::of(&request);
        let upgrade = hyper::upgrade::on(&mut request);
        let serving = self.clone().serve(upgrade, asked, place);
        self.parts.tasks.spawn(serving);
        Ok(response)
    }

    /// Open connections, and sessions that wait for one.
    pub fn sockets(&self) -> &Sockets {
        &self.parts.sockets
    }

    async fn serve(self, upgrade: OnUpgrade, asked: Asked, place: OwnedSemaphorePermit) {
        let Ok(Ok(upgraded)) = timeout(HEADER_READ_TIMEOUT, upgrade).await else {
            return;
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(SOCKET_READ_BUFFER_BYTES)
            .write_buffer_size(SOCKET_READ_BUFFER_BYTES)
            .max_message_size(Some(SOCKET_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(SOCKET_MESSAGE_BYTES_MAX));
        let mut wire =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config))
                .await;
        let left = self.converse(&mut wire, asked).await;
        hang_up(wire.into_inner()).boxed().await;
        drop(place);
        if let Some(left) = left {
            self.await_recovery(left).await;
        }
    }

    /// Speaks with a client until one of both has had enough.
    pub(super) async fn converse<W: Wire>(&self, wire: &mut W, asked: Asked) -> Option<Left> {
        let admitted = connection::admit(&self.parts, wire, asked).boxed().await?;
        let left = connection::Connection::new(&self.parts, admitted)
            .run(wire)
            .await;
        connection::part(wire, &left, &self.parts).boxed().await;
        Some(left)
    }

    /// Keeps a session while it can be recovered, then ends it for good.
    pub(super) async fn await_recovery(&self, left: Left) {
        let Left {
            session,
            attachment,
            ending,
        } = left;
        if !session.detach(&attachment) {
            return;
        }
        let deadline = Instant::now() + self.parts.settings.recovery_timeout;
        let reason = loop {
            match session.standing(&attachment) {
                Standing::Overtaken => return,
                Standing::Fated(fate) => break reason_of_fate(fate),
                Standing::Going { .. } => {}
            }
            if tokio::time::timeout_at(deadline, attachment.changed())
                .await
                .is_err()
            {
                break ending.reason();
            }
        };
        self.parts.note_replaced(&session);
        if let Some(subscription) = self.parts.sockets.forget(&session) {
            self.parts.note_end(&subscription, reason).await;
        }
    }
}

#[async_trait]
impl Component for SocketGateway {
    fn status(&self) -> Status {
        let parts = &*self.parts;
        let connections = parts.settings.connections_max - parts.places.available_permits();
        let status = Status::running("sockets", parts.since)
            .with("sessions", parts.sockets.count())
            .with("connections", connections);
        Status {
            state: match (parts.tasks.is_closed(), parts.tasks.is_empty()) {
                (false, _) => State::Running,
                (true, false) => State::Stopping,
                (true, true) => State::Stopped,
            },
            ..status
        }
    }

    /// Tells every client to go, lets requests in progress finish, and returns when all is quiet
    /// or `deadline` has come.
    async fn stop(&self, deadline: std::time::Instant) {
        self.abort();
        let _ = tokio::time::timeout_at(deadline.into(), self.parts.tasks.wait()).await;
    }

    fn abort(&self) {
        self.parts.tasks.close();
        self.parts.sockets.close();
    }
}

const fn reason_of_fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Slow => Ending::Slow.reason(),
        Fate::SignedOut => "Its session was signed out",
        Fate::MadeRoom => "Newer connections of its session took its place",
        Fate::Stopping => "The server stopped",
    }
}

impl Parts {
    /// Writes into a subscription's history that it ended with its connection.
    pub(super) async fn note_end(&self, subscription: &Subscription, reason: &str) {
        let at = self.clock.now();
        let entry = subscription.passed(Milestone::Disconnected, at, Some(reason.to_owned()));
        self.backstage.note(entry).await;
    }

    /// The same of subscriptions that gave way to others of their session.
    pub(super) fn note_replaced(self: &Arc<Self>, session: &SocketSession) {
        for subscription in session.take_replaced() {
            let parts = Arc::clone(self);
            self.tasks.spawn(async move {
                let reason = "Another subscription of its connection took its place";
                parts.note_end(&subscription, reason).await;
            });
        }
    }
}

/// Closes our side, and reads on until the client has closed its own: a connection that is dropped
/// with bytes unread is reset, and our last words with it.
async fn hang_up(mut stream: TokioIo<Upgraded>) {
    use tokio::io::AsyncWriteExt as _;
    let _ = timeout(SOCKET_CLOSE_TIMEOUT, async {
        stream.shutdown().await?;
        let mut unread = [0; 512];
        while stream.read(&mut unread).await? > 0 {}
        std::io::Result::Ok(())
    })
    .await;
}
