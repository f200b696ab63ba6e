//! One HTTP/2 connection to a provider, shared by all that send through it, and opened again when
//! it has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::delivery::retry::read_retry_after;
use hookyard_domain::kernel::limits::{ANSWER_BODY_BYTES_MAX, ANSWER_BODY_TIMEOUT};
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use crate::egress::{DialError, Dialled, Egress, Target};
use crate::transport::Halt;
use crate::webhook::micros;

/// Signs of life, so that a connection that died in silence is noticed before it is needed.
const PING_PERIOD: Duration = Duration::from_secs(60);

/// One attempt under way, and what it went through.
#[derive(Debug)]
pub(super) struct Trip<'a> {
    pub(super) deadline: Instant,
    pub(super) halt: &'a Halt,
    /// Time spent on opening connections.
    pub(super) connect_us: u64,
    /// Who was asked last.
    pub(super) peer: Option<String>,
}

/// A provider's answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkError {
    Dial(DialError),
    /// The connection ended before the answer.
    Broken,
    TimedOut,
    /// The attempt was called off before anything was written.
    CalledOff,
}

/// The way to one provider.
#[derive(Debug)]
pub(super) struct Link {
    egress: Arc<Egress>,
    target: Target,
    open: Mutex<Option<Arc<Open>>>,
}

/// A connection. It ends when nobody uses it any more.
#[derive(Debug)]
struct Open {
    sender: http2::SendRequest<Full<Bytes>>,
    peer: String,
    /// The egress rules that it was dialled under.
    version: u64,
    /// Takes no new requests.
    retired: AtomicBool,
    _driver: AbortOnDropHandle<()>,
}

impl Link {
    pub(super) fn new(egress: Arc<Egress>, target: Target) -> Self {
        Self {
            egress,
            target,
            open: Mutex::new(None),
        }
    }

    /// `path` at the provider, as a whole URL.
    pub(super) fn uri(&self, path: &str) -> String {
        format!("{}{path}", self.target.origin())
    }

    /// Sends `request` and reads the answer.
    pub(super) async fn ask(
        &self,
        request: Request<Full<Bytes>>,
        trip: &mut Trip<'_>,
    ) -> Result<Answer, LinkError> {
        // A kept connection may turn out to have ended before the request was written: then, and
        // only then, nothing can have been received, and another one carries the same attempt.
        for _ in 0..2 {
            let open = self.connect(trip).await.map_err(LinkError::Dial)?;
            if trip.halt.is_called_off() {
                return Err(LinkError::CalledOff);
            }
            let answering = open.sender.clone().try_send_request(request.clone());
            match timeout_at(trip.deadline, answering).await {
                Ok(Ok(response)) => {
                    let (head, body) = response.into_parts();
                    return Ok(Answer {
                        status: head.status.as_u16(),
                        retry_after: retry_after(&head.headers),
                        body: beginning(body).await,
                    });
                }
                Ok(Err(mut error)) => {
                    open.retire();
                    if error.take_message().is_none() {
                        return Err(LinkError::Broken);
                    }
                }
                Err(_) => {
                    // It may be dead without having said so. What others have begun on it they
                    // may finish; new requests go elsewhere.
                    open.retire();
                    return Err(LinkError::TimedOut);
                }
            }
        }
        Err(LinkError::Broken)
    }

    /// The open connection, or a new one. Whoever comes first dials; the others wait for it.
    async fn connect(&self, trip: &mut Trip<'_>) -> Result<Arc<Open>, DialError> {
        let mut kept = self.open.lock().await;
        let version = self.egress.version();
        let usable = kept.take().filter(|open| open.is_usable(version));
        let open = if let Some(open) = usable {
            open
        } else {
            let began = Instant::now();
            let dialled = self.dial(version, trip.deadline).await;
            trip.connect_us += micros(began.elapsed());
            Arc::new(dialled?)
        };
        trip.peer = Some(open.peer.clone());
        Ok(Arc::clone(kept.insert(open)))
    }

    async fn dial(&self, version: u64, deadline: Instant) -> Result<Open, DialError> {
        let Dialled { stream, peer, .. } = self.egress.dial_http2(&self.target, deadline).await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_PERIOD)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| DialError::ConnectFailed)?;
        let driver = tokio::spawn(async move {
            // How it ended shows at the next request.
            let _ended = connection.await;
        });
        Ok(Open {
            sender,
            peer: peer.to_string(),
            version,
            retired: AtomicBool::new(false),
            _driver: AbortOnDropHandle::new(driver),
        })
    }
}

impl Open {
    /// Whether new requests may use it, under these egress rules.
    fn is_usable(&self, version: u64) -> bool {
        self.version == version && !self.sender.is_closed() && !self.retired.load(Ordering::Relaxed)
    }

    /// Lets no new request use it.
    fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    read_retry_after(text(RETRY_AFTER)?, text(DATE))
}

/// The beginning of a body: providers tell the reason of a refusal there, and grant tokens.
async fn beginning(mut body: Incoming) -> String {
    let mut kept = Vec::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Ok(chunk) = frame.into_data() {
                let room = ANSWER_BODY_BYTES_MAX - kept.len();
                kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if kept.len() >= ANSWER_BODY_BYTES_MAX {
                    return;
                }
            }
        }
    };
    let _in_time = timeout(ANSWER_BODY_TIMEOUT, reading).await;
    String::from_utf8_lossy(&kept).into_owned()
}
