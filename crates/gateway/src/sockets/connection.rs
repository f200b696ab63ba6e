//! One connection: who is let in, the loop that serves it, and its last words.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, Sink, SinkExt as _, Stream, StreamExt as _};
use hookyard_domain::kernel::limits::{
    SOCKET_BURST_MAX, SOCKET_CLOSE_TIMEOUT, SOCKET_ECHO_TIMEOUT, SOCKET_MESSAGE_BYTES_MAX,
    SOCKET_PONG_TIMEOUT, SOCKET_REQUESTS_MAX, SOCKET_WRITE_TIMEOUT,
};
use hookyard_domain::{Code, Problem};
use http::{Method, Request};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as WireError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::NoRoom;
use super::frame::{Frame, Unparsable};
use super::gateway::{Asked, Left, Parts};
use super::recovery::{RecoveryError, RecoveryToken};
use super::reply::{self, Recovery};
use super::session::{Attachment, Fate, SocketSession, Standing};

/// What the ping carries that notifications wait behind; those that look for life carry nothing.
const HOLD_PING: &[u8] = b"hold";

/// Messages of one client, in both directions.
pub(super) trait Wire:
    Stream<Item = Result<Message, WireError>> + Sink<Message, Error = WireError> + Unpin + Send
{
}

impl<W> Wire for W where
    W: Stream<Item = Result<Message, WireError>> + Sink<Message, Error = WireError> + Unpin + Send
{
}

/// Why a connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client closed it.
    Closed,
    /// It broke, or a ping was not answered.
    Lost,
    Idle,
    Old,
    /// It takes frames too slowly.
    Slow,
    /// The client sent what no frame may be.
    Faulty(Fault),
    /// Another connection has recovered the session.
    Overtaken,
    Fated(Fate),
}

/// What is wrong with bytes that are not a text frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    TooLarge,
    NotText,
    NotUtf8,
    /// It breaks the rules of RFC 6455.
    Protocol,
}

impl Ending {
    /// For the history of the subscription, when nobody recovers the session.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Closed => "The client closed the connection and did not recover it",
            Self::Lost | Self::Overtaken => "The connection was lost and not recovered",
            Self::Idle => "The connection was idle for too long and not recovered",
            Self::Old => "The connection was as old as it may be and not recovered",
            Self::Slow | Self::Fated(_) => "The client read too slowly and did not recover",
            Self::Faulty(_) => "The client sent a frame that cannot be read, and did not recover",
        }
    }

    /// What the client is told before the connection closes, and how it is closed.
    fn last_words(self) -> (Option<Problem>, CloseCode) {
        let problem = |code| Some(Problem::of(code));
        match self {
            Self::Closed | Self::Lost | Self::Overtaken => (None, CloseCode::Normal),
            Self::Idle => (problem(Code::IdleTimeout), CloseCode::Normal),
            Self::Old => (problem(Code::AbsoluteTimeout), CloseCode::Normal),
            Self::Slow | Self::Fated(Fate::Slow) => {
                (problem(Code::ReaderTooSlow), CloseCode::Policy)
            }
            Self::Faulty(fault) => fault.last_words(),
            Self::Fated(Fate::SignedOut | Fate::MadeRoom) => {
                (problem(Code::TokenInvalid), CloseCode::Policy)
            }
            Self::Fated(Fate::Stopping) => (None, CloseCode::Away),
        }
    }
}

impl Fault {
    fn last_words(self) -> (Option<Problem>, CloseCode) {
        let (problem, close) = match self {
            Self::TooLarge => {
                let limit = SOCKET_MESSAGE_BYTES_MAX.to_string();
                let problem = Problem::of(Code::FrameTooLarge).with("limit", limit);
                (problem, CloseCode::Size)
            }
            Self::NotText => (Problem::of(Code::FrameNotText), CloseCode::Unsupported),
            Self::NotUtf8 => (Problem::of(Code::FrameUnparsable), CloseCode::Invalid),
            Self::Protocol => (Problem::of(Code::FrameUnparsable), CloseCode::Protocol),
        };
        (Some(problem), close)
    }
}

impl From<WireError> for Ending {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Capacity(CapacityError::MessageTooLong { .. }) => {
                Self::Faulty(Fault::TooLarge)
            }
            WireError::Utf8(_) => Self::Faulty(Fault::NotUtf8),
            WireError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Lost,
            WireError::Protocol(_) => Self::Faulty(Fault::Protocol),
            _ => Self::Lost,
        }
    }
}

/// A client that was let in.
#[derive(Debug)]
pub(super) struct Admitted {
    session: Arc<SocketSession>,
    attachment: Attachment,
    recovery: Option<Recovery>,
}

/// Finds out who connects, and gives them a session: the one that they want back, or a new one.
/// Who is not let in is told why.
pub(super) async fn admit<W: Wire>(
    parts: &Arc<Parts>,
    wire: &mut W,
    asked: Asked,
) -> Option<Admitted> {
    match seat(parts, asked).await {
        Ok(admitted) => Some(admitted),
        Err(problem) => {
            close(wire, parts, Some(&problem), CloseCode::Policy).await;
            None
        }
    }
}

async fn seat(parts: &Arc<Parts>, asked: Asked) -> Result<Admitted, Problem> {
    let owner = parts
        .backstage
        .admit(&asked.access_token, &asked.headers)
        .await?;
    let token = asked
        .recovery
        .map(|text| RecoveryToken::read(&text))
        .transpose()
        .map_err(|_| Problem::of(Code::RecoveryTokenMalformed))?;
    let mut failed = None;
    let recovered = token.and_then(|token| {
        let recovered = parts.sockets.recover(token, owner.id);
        recovered.map_err(|error| failed = Some(error)).ok()
    });
    let admitted = if let Some((session, attachment)) = recovered {
        Admitted {
            session,
            attachment,
            recovery: Some(Ok(())),
        }
    } else {
        let count_max = parts.settings.per_session_max;
        let opened = parts
            .sockets
            .open(parts.draw_id(), Arc::clone(&owner), count_max);
        let (session, attachment) = opened.map_err(|no_room| no_room.problem(count_max))?;
        Admitted {
            session,
            attachment,
            recovery: failed.map(|error| Err(RecoveryError::code(error))),
        }
    };
    // It may have ended after it was found and before its socket was there to be told.
    if !parts.backstage.is_signed_in(&owner).await {
        admitted.session.end(Fate::SignedOut);
    }
    Ok(admitted)
}

impl NoRoom {
    fn problem(self, count_max: usize) -> Problem {
        match self {
            Self::Client => {
                Problem::of(Code::TooManyConnections).with("limit", count_max.to_string())
            }
            Self::Server => Problem::of(Code::StoreUnavailable),
        }
    }
}

/// The answer to a request.
#[derive(Debug)]
struct Answered {
    text: String,
    /// It tells the id of a subscription.
    subscribes: bool,
}

/// What keeps notifications back for a moment.
///
/// Clients take frames apart by the read of their socket: they look for the notifications of a
/// subscription, or of a recovered session, only after the frame that tells of it, and lose what
/// came with it. So a ping follows that frame, and what waits goes out behind the echo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    No,
    /// A subscription is being made; its client knows no id yet.
    Making,
    /// The ping is on its way; a client that never answers is not waited for longer.
    UntilEcho {
        at_most: Instant,
    },
}

/// An open connection.
pub(super) struct Connection<'a> {
    parts: &'a Arc<Parts>,
    session: Arc<SocketSession>,
    attachment: Attachment,
    recovery: Option<Recovery>,
    /// Requests at work. They run on the connection's own task.
    requests: FuturesUnordered<BoxFuture<'static, Answered>>,
    hold: Hold,
    idle_at: Instant,
    old_at: Instant,
    /// When to ping, or by when the last ping must be answered.
    ping_at: Instant,
    /// The newest notification that was written before the ping that is on its way.
    pinged: Option<u64>,
}

impl<'a> Connection<'a> {
    pub(super) fn new(parts: &'a Arc<Parts>, admitted: Admitted) -> Self {
        let now = Instant::now();
        Self {
            parts,
            session: admitted.session,
            attachment: admitted.attachment,
            recovery: admitted.recovery,
            requests: FuturesUnordered::new(),
            hold: Hold::No,
            idle_at: now + parts.settings.idle_timeout,
            old_at: now + parts.settings.absolute_timeout,
            ping_at: now + parts.settings.ping_period,
            pinged: None,
        }
    }

    /// Serves the client until it goes or must go.
    pub(super) async fn run<W: Wire>(mut self, wire: &mut W) -> Left {
        let ending = match self.serve(wire).await {
            Ok(never) => match never {},
            Err(ending) => ending,
        };
        if ending == Ending::Fated(Fate::Stopping) {
            self.finish_requests(wire).boxed().await;
        }
        Left {
            session: self.session,
            attachment: self.attachment,
            ending,
        }
    }

    async fn serve<W: Wire>(&mut self, wire: &mut W) -> Result<std::convert::Infallible, Ending> {
        self.parts.sockets.renew(&self.session);
        send(wire, self.details()).await?;
        if self.recovery == Some(Ok(())) {
            self.hold_until_echo(wire).await?;
        }
        loop {
            let has_unwritten = match self.session.standing(&self.attachment) {
                Standing::Going { has_unwritten } => has_unwritten,
                Standing::Overtaken => return Err(Ending::Overtaken),
                Standing::Fated(fate) => return Err(Ending::Fated(fate)),
            };
            self.parts.note_replaced(&self.session);
            let is_due = has_unwritten && self.hold == Hold::No;
            let mut deadline = self.ping_at.min(self.idle_at).min(self.old_at);
            if let Hold::UntilEcho { at_most } = self.hold {
                deadline = deadline.min(at_most);
            }
            tokio::select! {
                message = wire.next() => self.hear(wire, message).await?,
                Some(answered) = self.requests.next(), if !self.requests.is_empty() => {
                    send(wire, answered.text).await?;
                    if answered.subscribes {
                        self.hold_until_echo(wire).await?;
                    }
                }
                () = sleep_until(deadline) => self.look_at_time(wire).await?,
                () = self.attachment.changed(), if !is_due => {}
                () = std::future::ready(()), if is_due => self.notify(wire).await?,
            }
        }
    }

    fn details(&self) -> String {
        let id = self.parts.draw_id().to_string();
        let token = self.session.token();
        let now = self.parts.clock.now();
        reply::connection_details(&id, token, self.recovery, &self.parts.settings, now)
    }

    async fn look_at_time<W: Wire>(&mut self, wire: &mut W) -> Result<(), Ending> {
        let now = Instant::now();
        if now >= self.old_at {
            return Err(Ending::Old);
        }
        if now >= self.idle_at {
            return Err(Ending::Idle);
        }
        if let Hold::UntilEcho { at_most } = self.hold
            && now >= at_most
        {
            self.hold = Hold::No;
        }
        if now < self.ping_at {
            return Ok(());
        }
        if self.pinged.is_some() {
            return Err(Ending::Lost);
        }
        self.parts.sockets.renew(&self.session);
        self.pinged = Some(self.session.token().sequence);
        self.ping_at = now + SOCKET_PONG_TIMEOUT;
        write(wire, Message::Ping(Bytes::new())).await
    }

    /// Keeps notifications back until the client has read what was written so far.
    async fn hold_until_echo<W: Wire>(&mut self, wire: &mut W) -> Result<(), Ending> {
        let at_most = Instant::now() + SOCKET_ECHO_TIMEOUT;
        self.hold = Hold::UntilEcho { at_most };
        write(wire, Message::Ping(Bytes::from_static(HOLD_PING))).await
    }

    /// What the client has answered a ping behind, it has received.
    fn take_pong(&mut self) {
        if let Some(sequence) = self.pinged.take() {
            let settings = &self.parts.settings;
            let before = self.parts.clock.now() - settings.recovery_timeout;
            self.session.received(sequence, before);
            self.ping_at = Instant::now() + settings.ping_period;
        }
    }

    /// Writes some of what waits, and returns to whatever else there is.
    async fn notify<W: Wire>(&mut self, wire: &mut W) -> Result<(), Ending> {
        let (first, taken) = self
            .session
            .take_unwritten(&self.attachment, SOCKET_BURST_MAX);
        let frames = taken.into_iter().zip(first..);
        let socket = self.session.id;
        timely(async {
            for (notification, sequence) in frames {
                let token = RecoveryToken { socket, sequence };
                let text = reply::notification(&notification, token);
                wire.feed(Message::text(text)).await?;
            }
            wire.flush().await
        })
        .await
    }

    async fn hear<W: Wire>(
        &mut self,
        wire: &mut W,
        message: Option<Result<Message, WireError>>,
    ) -> Result<(), Ending> {
        match message.ok_or(Ending::Lost)?? {
            Message::Text(text) => {
                self.heard();
                self.answer(wire, &text).await
            }
            Message::Ping(_) => {
                self.heard();
                Ok(())
            }
            Message::Pong(payload) if payload == HOLD_PING => {
                if matches!(self.hold, Hold::UntilEcho { .. }) {
                    self.hold = Hold::No;
                }
                Ok(())
            }
            Message::Pong(_) => {
                self.take_pong();
                Ok(())
            }
            Message::Binary(_) => Err(Ending::Faulty(Fault::NotText)),
            Message::Close(_) | Message::Frame(_) => Err(Ending::Closed),
        }
    }

    /// The client is not idle.
    fn heard(&mut self) {
        self.idle_at = Instant::now() + self.parts.settings.idle_timeout;
    }

    async fn answer<W: Wire>(&mut self, wire: &mut W, text: &str) -> Result<(), Ending> {
        match Frame::read(text) {
            Ok(Frame::Heartbeat { message_id }) => {
                send(wire, reply::heartbeat(message_id.as_deref())).await
            }
            Ok(Frame::Request {
                message_id,
                request,
            }) => match self.check(&request) {
                Ok(()) => {
                    self.begin(message_id, *request);
                    Ok(())
                }
                Err(problem) => {
                    let id = self.parts.draw_id().to_string();
                    send(wire, reply::refusal(&message_id, &id, &problem)).await
                }
            },
            Err(Unparsable { message_id }) => {
                let id = self.parts.draw_id().to_string();
                let message_id = message_id.unwrap_or_else(|| id.clone());
                let problem = Problem::of(Code::FrameUnparsable);
                send(wire, reply::error(&message_id, &id, &problem)).await
            }
        }
    }

    /// Whether a request may go over this connection now.
    fn check(&self, request: &Request<Bytes>) -> Result<(), Problem> {
        if !is_served(request.uri().path()) {
            return Err(Problem::of(Code::NotOverWebSocket));
        }
        if self.requests.len() >= SOCKET_REQUESTS_MAX {
            return Err(Problem::of(Code::TooManyActiveRequests)
                .with("limit", SOCKET_REQUESTS_MAX.to_string()));
        }
        Ok(())
    }

    fn begin(&mut self, message_id: String, mut request: Request<Bytes>) {
        request.extensions_mut().insert(self.session.id);
        let subscribes = is_subscribing(&request);
        if subscribes {
            self.hold = Hold::Making;
        }
        let parts = Arc::clone(self.parts);
        let owner = Arc::clone(&self.session.owner);
        let answered = async move {
            let text = match parts.backstage.call(&owner, request).await {
                Ok(response) => reply::answer(&message_id, &response),
                Err(_too_large) => {
                    let id = parts.draw_id().to_string();
                    let problem = Problem::of(Code::NotOverWebSocket);
                    reply::refusal(&message_id, &id, &problem)
                }
            };
            Answered { text, subscribes }
        };
        self.requests.push(answered.boxed());
    }

    /// What the API has begun it finishes, also when the server stops.
    async fn finish_requests<W: Wire>(&mut self, wire: &mut W) {
        while let Some(answered) = self.requests.next().await {
            if send(wire, answered.text).await.is_err() {
                return;
            }
        }
    }
}

/// Whether a request makes a subscription, so that its answer tells an id.
fn is_subscribing(request: &Request<Bytes>) -> bool {
    let path = request.uri().path().trim_end_matches('/');
    request.method() == Method::POST && path == "/restapi/v1.0/subscription"
}

/// What can be asked over a WebSocket: the platform's surface but for signing in. Streams and
/// downloads have connections of their own.
fn is_served(path: &str) -> bool {
    let is_platform = path.starts_with("/restapi") || path.starts_with("/team-messaging/");
    is_platform && !path.starts_with("/restapi/oauth")
}

async fn send<W: Wire>(wire: &mut W, text: String) -> Result<(), Ending> {
    write(wire, Message::text(text)).await
}

async fn write<W: Wire>(wire: &mut W, message: Message) -> Result<(), Ending> {
    timely(wire.send(message)).await
}

/// Gives a client some time to take what is written.
async fn timely(writing: impl Future<Output = Result<(), WireError>>) -> Result<(), Ending> {
    match timeout(SOCKET_WRITE_TIMEOUT, writing).await {
        Ok(written) => written.map_err(|_| Ending::Lost),
        Err(_) => Err(Ending::Slow),
    }
}

/// Says why the connection is over, as far as there is somebody to hear it.
pub(super) async fn part<W: Wire>(wire: &mut W, left: &Left, parts: &Arc<Parts>) {
    if left.ending == Ending::Lost {
        return;
    }
    let (problem, code) = left.ending.last_words();
    close(wire, parts, problem.as_ref(), code).await;
}

async fn close<W: Wire>(
    wire: &mut W,
    parts: &Arc<Parts>,
    problem: Option<&Problem>,
    code: CloseCode,
) {
    let frame = CloseFrame {
        code,
        reason: problem.map_or(Utf8Bytes::default(), |problem| problem.code.name().into()),
    };
    let _ = timeout(SOCKET_CLOSE_TIMEOUT, async {
        if let Some(problem) = problem {
            let id = parts.draw_id().to_string();
            let text = reply::error(&id, &id, problem);
            let _ = wire.feed(Message::text(text)).await;
        }
        // To a client that has closed already the answer waits to be flushed, and this is refused.
        let _ = wire.feed(Message::Close(Some(frame))).await;
        let _ = wire.flush().await;
    })
    .await;
}
