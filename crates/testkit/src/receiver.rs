//! A webhook receiver on a real port that answers as its script says, also in ways that no HTTP
//! library would: it writes bytes.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long a test waits for something that should happen at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A well-formed answer.
    Status {
        status: u16,
        headers: Vec<(String, String)>,
        body: Bytes,
    },
    /// Waits that long, then goes on with the other reply.
    Late(Duration, Box<Reply>),
    /// Takes the request and never answers.
    Hang,
    /// Writes these bytes, whatever they are, and closes.
    Raw(Bytes),
    /// Writes these bytes and then one byte after the other, for ever.
    Drip(Bytes),
    /// Closes without an answer.
    Close,
    /// Resets the connection.
    Reset,
}

impl From<u16> for Reply {
    fn from(status: u16) -> Self {
        Self::Status {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }
}

impl Reply {
    /// Adds a header to a well-formed answer.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Status { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Sets the body of a well-formed answer.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        if let Self::Status { body, .. } = &mut self {
            *body = bytes.into();
        }
        self
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The first line, such as `POST /hook HTTP/1.1`.
    pub line: String,
    /// Names as they were spelled, in order.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub at: Instant,
    /// Which connection carried it; the first is 1.
    pub connection: usize,
}

impl Received {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct Script {
    replies: VecDeque<Reply>,
    handshakes: VecDeque<Reply>,
    otherwise: Option<Reply>,
    events: Vec<Received>,
    validations: Vec<Received>,
    connections: usize,
    /// Those of them that are over.
    ended: usize,
}

#[derive(Debug, Default)]
struct Shared {
    script: Mutex<Script>,
    changed: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A receiver on a port of its own. It answers 200 and passes handshakes unless told otherwise.
/// Dropping it closes everything, and fails the test when scripted replies were never asked for.
#[derive(Debug)]
pub struct Receiver {
    peer: SocketAddr,
    shared: Arc<Shared>,
    closing: CancellationToken,
}

impl Receiver {
    /// Starts listening on a free port of this machine.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let peer = listener
            .local_addr()
            .expect("a bound listener has an address");
        let shared = Arc::new(Shared::default());
        let closing = CancellationToken::new();
        let serving = serve(listener, Arc::clone(&shared), closing.clone());
        tokio::spawn(closing.clone().run_until_cancelled_owned(serving));
        Self {
            peer,
            shared,
            closing,
        }
    }

    /// Where it listens.
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// An address for a subscription.
    pub fn address(&self) -> String {
        format!("http://{}/hook", self.peer)
    }

    /// Scripts the next event's answer; see [`Scripted::times`].
    pub fn reply(&self, reply: impl Into<Reply>) -> Scripted<'_> {
        let reply = reply.into();
        self.shared.lock().replies.push_back(reply.clone());
        Scripted {
            receiver: self,
            reply,
        }
    }

    /// Scripts the next handshake's answer.
    pub fn reply_to_handshake(&self, reply: impl Into<Reply>) {
        self.shared.lock().handshakes.push_back(reply.into());
    }

    /// Answers every event like this when nothing else is scripted.
    pub fn always(&self, reply: impl Into<Reply>) {
        self.shared.lock().otherwise = Some(reply.into());
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Received> {
        self.shared.lock().events.clone()
    }

    /// All handshakes so far.
    pub fn handshakes(&self) -> Vec<Received> {
        self.shared.lock().validations.clone()
    }

    /// Connections that were opened so far.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// Waits until there were `count` events, and returns them all.
    pub async fn received(&self, count: usize) -> Vec<Received> {
        let arrived = || Some(self.events()).filter(|events| events.len() >= count);
        timeout(PATIENCE, self.until(arrived))
            .await
            .unwrap_or_else(|_| {
                panic!("{} of {count} events arrived", self.events().len());
            })
    }

    /// Waits until `count` connections are over and closed on this side.
    pub async fn ended(&self, count: usize) {
        let ended = || (self.shared.lock().ended >= count).then_some(());
        timeout(PATIENCE, self.until(ended))
            .await
            .expect("the connections end");
    }

    async fn until<T>(&self, claim: impl Fn() -> Option<T>) -> T {
        loop {
            let changed = self.shared.changed.notified();
            if let Some(found) = claim() {
                return found;
            }
            changed.await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.closing.cancel();
        let script = self.shared.lock();
        let left = script.replies.len() + script.handshakes.len();
        drop(script);
        assert!(
            left == 0 || std::thread::panicking(),
            "{left} scripted replies were never used"
        );
    }
}

/// A reply that was just scripted.
#[derive(Debug)]
pub struct Scripted<'a> {
    receiver: &'a Receiver,
    reply: Reply,
}

impl Scripted<'_> {
    /// Gives the same answer `count` times in all.
    pub fn times(self, count: usize) {
        let mut script = self.receiver.shared.lock();
        script
            .replies
            .extend(std::iter::repeat_n(self.reply, count.saturating_sub(1)));
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, closing: CancellationToken) {
    while let Ok((stream, _)) = listener.accept().await {
        let number = {
            let mut script = shared.lock();
            script.connections += 1;
            script.connections
        };
        let shared = Arc::clone(&shared);
        let talking = async move {
            talk(stream, number, &shared).await;
            shared.lock().ended += 1;
            shared.changed.notify_waiters();
        };
        tokio::spawn(closing.clone().run_until_cancelled_owned(talking));
    }
}

/// Answers the requests of one connection. An error is the other side going away.
async fn talk(stream: TcpStream, connection: usize, shared: &Shared) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    loop {
        let received = read_request(&mut stream, connection).await?;
        let validation = received.header("Validation-Token").map(str::to_owned);
        let mut reply = {
            let mut script = shared.lock();
            if let Some(token) = validation {
                script.validations.push(received);
                let echo = Reply::from(200).header("Validation-Token", &token);
                script.handshakes.pop_front().unwrap_or(echo)
            } else {
                script.events.push(received);
                let scripted = script.replies.pop_front();
                scripted
                    .or_else(|| script.otherwise.clone())
                    .unwrap_or_else(|| 200.into())
            }
        };
        shared.changed.notify_waiters();
        while let Reply::Late(pause, then) = reply {
            sleep(pause).await;
            reply = *then;
        }
        answer(&mut stream, reply).await?;
    }
}

/// Writes one answer. `None` when the connection is over.
async fn answer(stream: &mut BufReader<TcpStream>, reply: Reply) -> Option<()> {
    match reply {
        Reply::Status {
            status,
            headers,
            body,
        } => {
            let mut bytes = format!("HTTP/1.1 {status} Scripted\r\n").into_bytes();
            for (name, value) in headers {
                bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
            bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(&body);
            stream.write_all(&bytes).await.ok()
        }
        Reply::Late(..) | Reply::Hang => std::future::pending().await,
        Reply::Raw(bytes) => {
            stream.write_all(&bytes).await.ok()?;
            stream.shutdown().await.ok()?;
            None
        }
        Reply::Drip(bytes) => {
            stream.write_all(&bytes).await.ok()?;
            loop {
                sleep(Duration::from_millis(5)).await;
                stream.write_all(b"x").await.ok()?;
            }
        }
        Reply::Close => None,
        Reply::Reset => {
            stream.get_ref().set_zero_linger().ok()?;
            None
        }
    }
}

async fn read_request(stream: &mut BufReader<TcpStream>, connection: usize) -> Option<Received> {
    let line = read_line(stream).await?;
    let mut headers = Vec::new();
    loop {
        let header = read_line(stream).await?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':')?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let received = Received {
        line,
        headers,
        body: Bytes::new(),
        at: Instant::now(),
        connection,
    };
    let length = received
        .header("Content-Length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received {
        body: body.into(),
        ..received
    })
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await {
        Ok(read) if read > 0 => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
        _ => None,
    }
}
