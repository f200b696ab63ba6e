//! The console's push connection: server-sent events over one request.
//!
//! A page that was away says which event it saw last and gets what it missed; when that is too much,
//! or it was too slow, it is told to read everything again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use hookyard_domain::ports::{LiveFeed, LiveItem};
use hookyard_domain::{Audience, Code, Event, EventId, IdSequence};
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use tokio::time::Instant;

use crate::Api;
use crate::caller::Caller;
use crate::problem::{ApiError, ApiResult};

/// Missed events that are sent one by one; past it the page reads again.
const CATCH_UP_MAX: u32 = 500;

/// How far before its beginning a page catches up; far longer than any commit takes.
const CATCH_UP_OVERLAP: Duration = Duration::from_secs(5);
/// Below the number of every event.
const NOTHING_SEEN: EventId = EventId(0);

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/api/v1/live", get(listen))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListenQuery {
    last_event_id: Option<String>,
}

async fn listen(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Query(query): Query<ListenQuery>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let in_header = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned);
    let last = in_header
        .or(query.last_event_id)
        .and_then(|id| id.parse::<EventId>().ok());
    // Listening begins before catching up: what falls between is then seen twice, never lost. The
    // catch-up ends where the store ends, so the doubles are those with smaller ids.
    let feed = api
        .live
        .listen(caller.account, caller.person)
        .ok_or(Code::RequestRateExceeded)?;
    let (first, seen) = catch_up(&api, &caller, last).await?;
    let session = Session {
        api,
        caller,
        feed,
        seen,
        first: Some(first),
        checked_at: Instant::now(),
    };
    let frames = stream::unfold(session, |mut session| async move {
        session
            .next()
            .await
            .map(|frame| (Ok::<_, Infallible>(frame), session))
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream; charset=utf-8"),
    );
    // Proxies that buffer would hold the stream back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The first frames, and the newest event that they cover.
async fn catch_up(
    api: &Api,
    caller: &Caller,
    last: Option<EventId>,
) -> ApiResult<(Bytes, EventId)> {
    let Some(last) = last else {
        // A page that just opened is about to read everything.
        return Ok((ready(lately(api)), NOTHING_SEEN));
    };
    let missed = api
        .store
        .events_after(caller.account, last, CATCH_UP_MAX + 1)
        .await?;
    let newest = missed.last().map_or(last, |event| event.id);
    if missed.len() > CATCH_UP_MAX as usize {
        let reset = format!("id: {}\nevent: reset\ndata: {{}}\n\n", lately(api));
        return Ok((reset.into(), NOTHING_SEEN));
    }
    let mut frames = Vec::from(&ready(last)[..]);
    for event in &missed {
        if may_learn(api, caller, event).await? {
            frames.extend_from_slice(&frame(event));
        }
    }
    Ok((frames.into(), newest))
}

/// A number from which a page that begins now can catch up. Events are numbered before they are
/// synced, so one with a smaller number than `now` may still be on its way: the page rather hears
/// of the last seconds twice.
fn lately(api: &Api) -> EventId {
    let now = api.now();
    EventId(IdSequence::first_at(now - CATCH_UP_OVERLAP))
}

/// Whether the caller is in the event's audience now. Who left a chat no longer learns what was
/// said in it before.
async fn may_learn(api: &Api, caller: &Caller, event: &Event) -> Result<bool, ApiError> {
    Ok(match &event.audience {
        Audience::Persons(persons) => persons.contains(&caller.person),
        Audience::Subscription(_) => false,
        Audience::ChatMembers(chat) => {
            let chat = api.store.chat(caller.account, *chat).await?;
            chat.is_some_and(|chat| chat.has_member(caller.person))
        }
    })
}

fn ready(id: EventId) -> Bytes {
    Bytes::from(format!("id: {id}\nevent: ready\ndata: {{}}\n\n"))
}

/// One event. Bodies are compact JSON, so they have no line breaks.
fn frame(event: &Event) -> Bytes {
    let mut frame = format!("id: {}\nevent: {}\ndata: ", event.id, event.kind.name()).into_bytes();
    frame.extend_from_slice(&event.body);
    frame.extend_from_slice(b"\n\n");
    frame.into()
}

struct Session {
    api: Arc<Api>,
    caller: Caller,
    feed: Box<dyn LiveFeed>,
    /// The newest event that the catch-up covered.
    seen: EventId,
    first: Option<Bytes>,
    /// When it was last made sure that the caller is still signed in.
    checked_at: Instant,
}

impl Session {
    /// The next frame; `None` ends the connection.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            let period = self.api.settings.live_ping_period;
            // A busy stream is checked as often as a silent one.
            if self.checked_at.elapsed() >= period {
                if !is_signed_in(&self.api, &self.caller).await {
                    return None;
                }
                self.checked_at = Instant::now();
            }
            let due = self.checked_at + period;
            match tokio::time::timeout_at(due, self.feed.next()).await {
                Err(_) if is_signed_in(&self.api, &self.caller).await => {
                    self.checked_at = Instant::now();
                    // A line that says nothing, so that both ends notice a dead connection.
                    return Some(Bytes::from_static(b": ping\n\n"));
                }
                Err(_) | Ok(LiveItem::Closed) => return None,
                Ok(LiveItem::Lagged) => {
                    return Some(Bytes::from_static(b"event: reset\ndata: {}\n\n"));
                }
                Ok(LiveItem::Event(event)) if event.id <= self.seen => {}
                Ok(LiveItem::Event(event)) => return Some(frame(&event)),
            }
        }
    }
}

/// Whether the token still holds. A session that ended elsewhere ends here too.
async fn is_signed_in(api: &Api, caller: &Caller) -> bool {
    let (_, token) = &*caller.session;
    if token.is_expired(api.now()) {
        return false;
    }
    let found = api.store.token(token.hash).await;
    found.is_ok_and(|found| found.is_some_and(|found| found.0.generation == found.1.generation))
}
