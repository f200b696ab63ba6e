//! The console's push connection: server-sent events over one request.
//!
//! A page that was away says which event it saw last and gets what it missed; when that is too much,
//! or it was too slow, it is told to read everything again.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use bytes::Bytes;
use hookyard_domain::{Audience, Code, Event, EventId, IdSequence};
use http::HeaderMap;

use crate::Api;
use crate::events::stream::{EventStream, Framed, Listeners, Resume, last_event_id};
use crate::identity::caller::Caller;
use crate::kernel::problem::{ApiError, ApiResult};
use crate::kernel::query::Query;
use crate::operations::answers::Events;
use crate::operations::wire::Anything;

/// Missed events that are sent one by one; past it the page reads again.
const CATCH_UP_MAX: u32 = 500;

/// How far before its beginning a page catches up; far longer than any commit takes.
const CATCH_UP_OVERLAP: Duration = Duration::from_secs(5);
/// Below the number of every event.
const NOTHING_SEEN: EventId = EventId(0);

crate::operations! {
    tag Events, under ROOT, as SignedIn;

    /// What happens to the caller, as server-sent events.
    listen: GET "/api/v1/live" named listen_live, fails [RequestRateExceeded];
}

async fn listen(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query<Resume>,
    headers: HeaderMap,
) -> ApiResult<Events<Anything>> {
    let last = last_event_id(&headers, query.first("lastEventId"));
    let last = last.map(EventId);
    // Listening begins before catching up: what falls between is then seen twice, never lost. The
    // catch-up ends where the store ends, so the doubles are those with smaller ids.
    let feed = api
        .live
        .listen(caller.account, caller.person)
        .ok_or(Code::RequestRateExceeded)?;
    let (first, seen) = catch_up(&api, &caller, last).await?;
    let stream = EventStream {
        api,
        caller,
        feed,
        seen: seen.0,
        listeners: Listeners::Anybody,
    };
    Ok(Events::of(stream.answer(first)))
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
pub(crate) async fn may_learn(api: &Api, caller: &Caller, event: &Event) -> Result<bool, ApiError> {
    Ok(match &event.audience {
        Audience::Persons(persons) => persons.contains(&caller.person),
        Audience::Subscription(_) | Audience::Account => false,
        Audience::ChatMembers(chat) => {
            let chat = api.store.chat(caller.account, *chat).await?;
            chat.is_some_and(|chat| chat.has_member(caller.person))
        }
    })
}

pub(crate) fn ready(id: EventId) -> Bytes {
    Bytes::from(format!("id: {id}\nevent: ready\ndata: {{}}\n\n"))
}

impl Framed for Arc<Event> {
    fn number(&self) -> u64 {
        self.id.0
    }

    fn frame(&self) -> Bytes {
        frame(self)
    }
}

/// One event. Bodies are compact JSON, so they have no line breaks.
fn frame(event: &Event) -> Bytes {
    let mut frame = format!("id: {}\nevent: {}\ndata: ", event.id, event.kind.name()).into_bytes();
    frame.extend_from_slice(&event.body);
    frame.extend_from_slice(b"\n\n");
    frame.into()
}
