//! One HTTP/2 connection to a provider, shared by all that send through it, and opened again when
//! it has ended.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::limits::{ANSWER_BODY_TIMEOUT, ANSWER_EXCERPT_BYTES_MAX};
use hookyard_domain::retry::read_retry_after;
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::egress::{DialError, Dialled, Egress, Target};

/// Signs of life, so that a connection that died in silence is noticed before it is needed.
const PING_PERIOD: Duration = Duration::from_secs(60);

/// A provider's answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
    pub(super) peer: String,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkError {
    Dial(DialError),
    /// The connection ended before the answer.
    Broken,
}

/// The way to one provider.
#[derive(Debug)]
pub(super) struct Link {
    egress: Arc<Egress>,
    target: Target,
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    sender: http2::SendRequest<Full<Bytes>>,
    peer: String,
    /// The egress rules that it was dialled under.
    version: u64,
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

    /// Sends `request` and reads the answer. Who calls bounds the time.
    pub(super) async fn ask(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Answer, LinkError> {
        let (mut sender, peer) = self.sender(deadline).await.map_err(LinkError::Dial)?;
        let Ok(response) = sender.send_request(request).await else {
            // The next request finds the connection closed, and opens another.
            return Err(LinkError::Broken);
        };
        let (head, body) = response.into_parts();
        Ok(Answer {
            status: head.status.as_u16(),
            retry_after: retry_after(&head.headers),
            body: excerpt(body).await,
            peer,
        })
    }

    /// The open connection, or a new one.
    async fn sender(
        &self,
        deadline: Instant,
    ) -> Result<(http2::SendRequest<Full<Bytes>>, String), DialError> {
        let mut open = self.open.lock().await;
        let version = self.egress.version();
        if let Some(kept) = &*open
            && !kept.sender.is_closed()
            && kept.version == version
        {
            return Ok((kept.sender.clone(), kept.peer.clone()));
        }
        *open = None;
        let Dialled { stream, peer } = self.egress.dial_http2(&self.target, deadline).await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_PERIOD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| DialError::ConnectFailed)?;
        let driver = tokio::spawn(async move {
            // How it ended shows at the next request.
            let _ended = connection.await;
        });
        let peer = peer.to_string();
        *open = Some(Open {
            sender: sender.clone(),
            peer: peer.clone(),
            version,
            _driver: AbortOnDropHandle::new(driver),
        });
        Ok((sender, peer))
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    read_retry_after(text(RETRY_AFTER)?, text(DATE))
}

/// The beginning of a body: providers tell the reason of a refusal there.
async fn excerpt(mut body: Incoming) -> String {
    let mut kept = Vec::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Ok(chunk) = frame.into_data() {
                let room = ANSWER_EXCERPT_BYTES_MAX - kept.len();
                kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if kept.len() >= ANSWER_EXCERPT_BYTES_MAX {
                    return;
                }
            }
        }
    };
    let _in_time = timeout(ANSWER_BODY_TIMEOUT, reading).await;
    String::from_utf8_lossy(&kept).into_owned()
}
