//! A client at the other end of two channels, and a yard to connect to.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Sink, Stream};
use hookyard_domain::kernel::feed::LocalFeed;
use hookyard_domain::kernel::news::{CommittedEvent, News, NewsItem};
use hookyard_domain::kernel::ports::{Clock, CommitListener as _, LiveSubscriptions as _};
use hookyard_domain::{
    ClientId, Code, HistoryEntry, Problem, Scopes, Session, SessionId, SocketId, Timestamp,
};
use hookyard_testkit::{SeededChance, VirtualClock, sample as objects};
use http::{HeaderMap, Request, Response};
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::Error as WireError;
use tokio_util::sync::PollSender;

use crate::sockets::gateway::Asked;
use crate::sockets::{Backstage, ReplyTooLarge, SocketGateway, SocketSettings, Sockets, sample};

/// Frames that are on their way to a client at most: the kernel's buffers, so to say.
const ON_THE_WAY: usize = 4;

/// The gateway's end.
pub(super) struct Ends {
    incoming: mpsc::UnboundedReceiver<Result<Message, WireError>>,
    outgoing: PollSender<Message>,
}

impl Stream for Ends {
    type Item = Result<Message, WireError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.incoming.poll_recv(cx)
    }
}

impl Sink<Message> for Ends {
    type Error = WireError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        self.outgoing
            .poll_reserve(cx)
            .map_err(|_| WireError::AlreadyClosed)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), WireError> {
        self.outgoing
            .send_item(message)
            .map_err(|_| WireError::AlreadyClosed)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        Poll::Ready(Ok(()))
    }
}

/// What a client gets.
#[derive(Debug, PartialEq)]
pub(super) enum Got {
    Frame(Value),
    Ping,
    Close(u16),
    /// The other end is gone.
    Nothing,
}

/// A client.
pub(super) struct Client {
    pub(super) says: mpsc::UnboundedSender<Result<Message, WireError>>,
    hears: mpsc::Receiver<Message>,
    /// What the last ping carried.
    pinged: Bytes,
    pub(super) serving: JoinHandle<()>,
}

impl Client {
    /// What comes next, a ping or a close too.
    pub(super) async fn next_of_all(&mut self) -> Got {
        match self.hears.recv().await {
            Some(Message::Text(text)) => {
                Got::Frame(serde_json::from_str(&text).unwrap_or_else(|_| panic!("JSON: {text}")))
            }
            Some(Message::Ping(payload)) => {
                self.pinged = payload;
                Got::Ping
            }
            Some(Message::Close(frame)) => Got::Close(frame.unwrap().code.into()),
            Some(other) => panic!("unexpected {other:?}"),
            None => Got::Nothing,
        }
    }

    /// What comes next; pings are answered.
    pub(super) async fn next(&mut self) -> Got {
        loop {
            match self.next_of_all().await {
                Got::Ping => self.pong(),
                other => return other,
            }
        }
    }

    pub(super) async fn frame(&mut self) -> Value {
        match self.next().await {
            Got::Frame(frame) => frame,
            other => panic!("a frame, not {other:?}"),
        }
    }

    /// `Error` frames as `408 WSG-902`, and how the connection closes behind them.
    pub(super) async fn last_words(&mut self) -> (String, Got) {
        let frame = self.frame().await;
        assert_eq!(frame[0]["type"], "Error", "{frame}");
        assert!(frame[1]["message"].is_string(), "{frame}");
        let code = frame[1]["errorCode"].as_str().unwrap();
        (format!("{} {code}", frame[0]["status"]), self.next().await)
    }

    /// The number of the event that comes next.
    pub(super) async fn event(&mut self) -> u64 {
        let frame = self.frame().await;
        assert_eq!(frame[0]["type"], "ServerNotification", "{frame}");
        assert_eq!(frame[0]["messageId"], frame[1]["uuid"]);
        frame[1]["uuid"].as_str().unwrap().parse().unwrap()
    }

    pub(super) fn say(&self, text: &str) {
        let _ = self.says.send(Ok(Message::text(text)));
    }

    pub(super) fn pong(&self) {
        let _ = self.says.send(Ok(Message::Pong(self.pinged.clone())));
    }

    /// The connection breaks.
    pub(super) async fn break_off(self) {
        drop(self.says);
        drop(self.hears);
        // The session now waits to be recovered; its task goes on.
        tokio::task::yield_now().await;
    }
}

/// The rest of the server: it knows two sessions by their tokens, and echoes requests.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) ended: Mutex<Vec<SessionId>>,
    pub(super) history: Mutex<Vec<HistoryEntry>>,
    /// Requests to `/restapi/slow` wait for it.
    pub(super) gate: Notify,
}

#[async_trait]
impl Backstage for Stage {
    async fn admit(&self, token: &str, _: &HeaderMap) -> Result<Arc<Session>, Problem> {
        let id = match token {
            "good" => 1,
            "of-another-session" => 2,
            _ => return Err(Problem::of(Code::TokenInvalid)),
        };
        Ok(Arc::new(Session {
            account: objects::ACCOUNT,
            id: SessionId(id),
            person: objects::OWNER,
            client_id: ClientId("sample-app".to_owned()),
            origin: hookyard_domain::SessionOrigin::SignIn,
            scopes: Scopes::all(),
            endpoint_id: "endpoint".to_owned(),
            created_at: VirtualClock::BEGIN,
            generation: 1,
        }))
    }

    async fn is_signed_in(&self, session: &Session) -> bool {
        !self.ended.lock().unwrap().contains(&session.id)
    }

    async fn call(
        &self,
        session: &Arc<Session>,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, ReplyTooLarge> {
        let socket = request.extensions().get::<SocketId>();
        assert!(socket.is_some(), "a request names its socket");
        match request.uri().path() {
            "/restapi/slow" => self.gate.notified().await,
            _ if request.uri().query() == Some("slow=true") => self.gate.notified().await,
            "/restapi/huge" => return Err(ReplyTooLarge),
            _ => {}
        }
        let shown = format!("{} {} for {}", request.method(), request.uri(), session.id);
        let body = serde_json::to_vec(&shown).unwrap();
        let response = Response::builder().header("content-type", "application/json");
        Ok(response.body(body.into()).unwrap())
    }

    async fn note(&self, entry: HistoryEntry) {
        self.history.lock().unwrap().push(entry);
    }
}

/// A gateway and what is around it.
pub(super) struct Yard {
    pub(super) gateway: SocketGateway,
    pub(super) sockets: Sockets,
    pub(super) stage: Arc<Stage>,
    pub(super) clock: Arc<VirtualClock>,
}

impl Yard {
    pub(super) fn open() -> Self {
        let clock = Arc::new(VirtualClock::start());
        let sockets = Sockets::start(&LocalFeed::default(), Arc::clone(&clock) as _);
        let stage = Arc::new(Stage::default());
        let gateway = SocketGateway::start(
            sockets.clone(),
            Arc::clone(&stage) as _,
            SocketSettings::default(),
            Arc::clone(&clock) as _,
            Arc::new(SeededChance::new(7)),
        );
        Self {
            gateway,
            sockets,
            stage,
            clock,
        }
    }

    /// A client that has connected and heard nothing yet.
    pub(super) fn dial(&self, token: &str, recovery: Option<&str>) -> Client {
        let (says, incoming) = mpsc::unbounded_channel();
        let (outgoing, hears) = mpsc::channel(ON_THE_WAY);
        let mut ends = Ends {
            incoming,
            outgoing: PollSender::new(outgoing),
        };
        let asked = Asked {
            access_token: token.to_owned(),
            recovery: recovery.map(str::to_owned),
            headers: HeaderMap::new(),
        };
        let gateway = self.gateway.clone();
        let serving = tokio::spawn(async move {
            let left = gateway.converse(&mut ends, asked).await;
            drop(ends);
            if let Some(left) = left {
                gateway.await_recovery(left).await;
            }
        });
        Client {
            says,
            hears,
            pinged: Bytes::new(),
            serving,
        }
    }

    /// Bytes of the future that serves a connection.
    pub(super) fn size_of_converse(
        &self,
        incoming: mpsc::UnboundedReceiver<Result<Message, WireError>>,
    ) -> usize {
        let (outgoing, _) = mpsc::channel(ON_THE_WAY);
        let mut ends = Ends {
            incoming,
            outgoing: PollSender::new(outgoing),
        };
        let asked = Asked {
            access_token: String::new(),
            recovery: None,
            headers: HeaderMap::new(),
        };
        size_of_val(&self.gateway.converse(&mut ends, asked))
    }

    /// A client that has been let in, and what it was told.
    pub(super) async fn connect(&self, recovery: Option<&str>) -> (Client, Value) {
        let mut client = self.dial("good", recovery);
        let details = client.frame().await;
        assert_eq!(details[0]["type"], "ConnectionDetails", "{details}");
        (client, details)
    }

    /// A client with a subscription, and its token.
    pub(super) async fn subscribed(&self, number: u128) -> (Client, String) {
        let (client, details) = self.connect(None).await;
        let token = token_of(&details);
        self.subscribe(number, &token);
        (client, token)
    }

    /// Gives the session that `token` names a subscription to posts.
    pub(super) fn subscribe(&self, number: u128, token: &str) {
        let mut subscription = sample::subscription(number, socket_of(token));
        subscription.ttl = Duration::from_secs(86_400);
        subscription.created_at = self.clock.now();
        subscription.expires_at = self.clock.now() + subscription.ttl;
        self.sockets.put(subscription).unwrap();
    }

    /// Commits posts with these numbers, at once.
    pub(super) fn post(&self, numbers: impl IntoIterator<Item = u64>) {
        let now = self.clock.now();
        let events = numbers.into_iter().map(|number| {
            NewsItem::Event(CommittedEvent {
                event: Arc::new(objects::event(number, now)),
                recipients: Arc::new([objects::OWNER]),
            })
        });
        self.sockets.committed(&events.collect());
    }

    pub(super) fn sign_out(&self, session: u64) {
        let ended = NewsItem::SessionEnded(SessionId(session));
        self.sockets.committed(&News::from_iter([ended]));
    }

    /// Why subscriptions ended, by their ids' last digits.
    pub(super) fn history(&self) -> HashMap<String, String> {
        let history = self.stage.history.lock().unwrap();
        let shown = history.iter().map(|entry| {
            let id = entry.subscription.to_string();
            let detail = entry.detail.clone().unwrap_or_default();
            (
                id.trim_start_matches(['0', '-']).to_owned(),
                format!("{}: {detail}", entry.milestone.name()),
            )
        });
        shown.collect()
    }
}

pub(super) fn token_of(frame: &Value) -> String {
    frame[0]["wsc"]["token"].as_str().unwrap().to_owned()
}

pub(super) fn socket_of(token: &str) -> SocketId {
    crate::sockets::recovery::RecoveryToken::read(token)
        .unwrap()
        .socket
}

/// Seconds since `began`, in virtual time.
pub(super) fn seconds_since(began: Instant) -> u64 {
    began.elapsed().as_secs()
}

/// The wall time that a frame's `sequence` may begin with.
pub(super) fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}
