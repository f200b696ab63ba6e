//! Server-sent events over one request: what was missed, then what happens, and signs of life.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, stream};
use hookyard_domain::kernel::ports::{LiveFeed, LiveItem};
use http::{HeaderMap, HeaderValue, header};
use tokio::time::Instant;

use crate::Api;
use crate::identity::caller::Caller;
use crate::operations::wire::shapes;

shapes! {
    /// Where a stream goes on.
    pub(crate) struct Resume {
        /// The last id that was seen; `Last-Event-ID` says the same.
        last_event_id: Option<String>,
    }
}

/// Something that a stream tells of.
pub(crate) trait Framed: Send + 'static {
    /// Its place in the order of the stream.
    fn number(&self) -> u64;
    /// Its event, with the number as id.
    fn frame(&self) -> Bytes;
}

/// Who may listen. It is looked at again while the stream goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listeners {
    /// Whoever is signed in.
    Anybody,
    Administrators,
}

/// One listener's stream.
#[derive(Debug)]
pub(crate) struct EventStream<T> {
    pub(crate) api: Arc<Api>,
    pub(crate) caller: Caller,
    pub(crate) feed: Box<dyn LiveFeed<T>>,
    /// The newest number that the first frames cover.
    pub(crate) seen: u64,
    pub(crate) listeners: Listeners,
}

/// The number after which a client wants to go on, if it says so.
pub(crate) fn last_event_id(headers: &HeaderMap, in_query: Option<&str>) -> Option<u64> {
    let in_header = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    in_header.or(in_query)?.parse().ok()
}

impl<T: Framed> EventStream<T> {
    /// The answer that begins with the frames in `first` and goes on as things happen.
    pub(crate) fn answer(self, first: Bytes) -> Response {
        let session = Session {
            stream: self,
            first: Some(first),
            checked_at: Instant::now(),
        };
        let frames = stream::unfold(session, |mut session| async move {
            let frame = session.next().await?;
            Some((Ok::<_, Infallible>(frame), session))
        });
        answer(frames)
    }
}

/// An answer of server-sent events that goes on as long as `frames` does.
pub(crate) fn answer(
    frames: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
) -> Response {
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream; charset=utf-8"),
    );
    // Proxies that buffer would hold the stream back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// A line that says nothing, so that both ends notice a dead connection.
pub(crate) const PING: &[u8] = b": ping\n\n";

struct Session<T> {
    stream: EventStream<T>,
    first: Option<Bytes>,
    /// When it was last made sure that the caller may listen.
    checked_at: Instant,
}

impl<T: Framed> Session<T> {
    /// Whether the caller may still listen.
    fn is_allowed(&self) -> impl Future<Output = bool> + Send + use<T> {
        let stream = &self.stream;
        is_allowed(
            Arc::clone(&stream.api),
            stream.caller.clone(),
            stream.listeners,
        )
    }

    /// The next frame; `None` ends the connection.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            let period = self.stream.api.settings.live_ping_period;
            // A busy stream is checked as often as a silent one.
            if self.checked_at.elapsed() >= period {
                if !self.is_allowed().await {
                    return None;
                }
                self.checked_at = Instant::now();
            }
            let due = self.checked_at + period;
            match tokio::time::timeout_at(due, self.stream.feed.next()).await {
                Err(_) if self.is_allowed().await => {
                    self.checked_at = Instant::now();
                    return Some(Bytes::from_static(PING));
                }
                Err(_) | Ok(LiveItem::Closed) => return None,
                Ok(LiveItem::Lagged) => {
                    return Some(Bytes::from_static(b"event: reset\ndata: {}\n\n"));
                }
                Ok(LiveItem::Event(item)) if item.number() <= self.stream.seen => {}
                Ok(LiveItem::Event(item)) => return Some(item.frame()),
            }
        }
    }
}

/// Whether the token still holds, and its person may listen. A session that ended elsewhere ends
/// here too.
pub(crate) async fn is_allowed(api: Arc<Api>, caller: Caller, listeners: Listeners) -> bool {
    let (_, token) = &*caller.session;
    if token.is_expired(api.now()) {
        return false;
    }
    let found = api.store.token(token.hash).await;
    let signed_in = found
        .is_ok_and(|found| found.is_some_and(|found| found.0.generation == found.1.generation));
    signed_in
        && match listeners {
            Listeners::Anybody => true,
            Listeners::Administrators => {
                let person = api.calling_person(&caller).await;
                person.is_ok_and(|person| person.admin)
            }
        }
}
