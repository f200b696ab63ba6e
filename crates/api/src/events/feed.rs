//! The account's events as they happen, for administrators: what an endpoint of theirs would be
//! sent, as server-sent events. The command line forwards them to a program on a desk.
//!
//! Who was away says which event came last and misses nothing: it is read from the store until
//! there is no more, and so is what a slow reader's buffer could not hold.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::State;
use bytes::Bytes;
use futures_util::stream;
use hookyard_domain::endpoints::payload;
use hookyard_domain::kernel::limits::{EVENT_STREAM_PATTERNS_MAX, EVENT_STREAM_READ_MAX};
use hookyard_domain::kernel::ports::{EventQuery, LiveFeed, LiveItem};
use hookyard_domain::{Audience, Code, Event, EventId, Problem, TypePattern};
use http::HeaderMap;
use tokio::time::Instant;

use crate::Api;
use crate::events::live::{may_learn, ready};
use crate::events::stream::{Listeners, PING, Resume, answer, is_allowed, last_event_id};
use crate::identity::caller::Caller;
use crate::kernel::problem::{ApiResult, because};
use crate::kernel::query::{Pairs, Query};
use crate::operations::answers::Events;
use crate::operations::wire::{Anything, shapes};

crate::operations! {
    tag Events, under ROOT, as Administrator(SubscriptionWebhook);

    /// What happens in the account, as server-sent events.
    stream_events: GET "/api/v1/events/stream", fails [RequestRateExceeded];
}

shapes! {
    struct FeedQuery {
        /// Only events of these types, repeated or with commas; `*` stands for whole parts.
        types: Option<Vec<String>>,
        #[schemars(flatten)]
        resume: Resume,
    }
}

async fn stream_events(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query<FeedQuery>,
    headers: HeaderMap,
) -> ApiResult<Events<Anything>> {
    let types = read_types(&query)?;
    // Listening begins before the store is read: what falls between is met twice and told once.
    let feed = api
        .live
        .listen_as_endpoint(caller.account, caller.person)
        .ok_or(Code::RequestRateExceeded)?;
    let last = last_event_id(&headers, query.first("lastEventId")).map(EventId);
    let seen = match last {
        Some(last) => last,
        None => newest(&api, &caller).await?,
    };
    let session = Session {
        api,
        caller,
        types,
        feed,
        seen,
        behind: last.is_some(),
        frames: VecDeque::from([ready(seen)]),
        checked_at: Instant::now(),
    };
    let frames = stream::unfold(session, |mut session| async move {
        session.next().await.map(|frame| (Ok(frame), session))
    });
    Ok(Events::of(answer(frames)))
}

/// `types`, repeated or with commas; everything when it is not there.
fn read_types(query: &Pairs) -> ApiResult<Vec<TypePattern>> {
    let named = query.all("types").flat_map(|text| text.split(','));
    let types: Vec<TypePattern> = named
        .map(|text| {
            let text = text.trim();
            TypePattern::parse(text)
                .map_err(|error| because(Problem::invalid("types").value(text), &error.to_string()))
        })
        .collect::<Result<_, _>>()?;
    if types.len() > EVENT_STREAM_PATTERNS_MAX {
        let reason = format!("are at most {EVENT_STREAM_PATTERNS_MAX} patterns");
        return Err(because(Problem::invalid("types"), &reason).into());
    }
    Ok(types)
}

/// The last event that was committed.
async fn newest(api: &Api, caller: &Caller) -> ApiResult<EventId> {
    let query = EventQuery {
        account: caller.account,
        types: None,
        since: None,
        until: None,
        before: None,
        limit: 1,
    };
    let found = api.store.find_events(query).await?;
    Ok(found.first().map_or(EventId::PENDING, |event| event.id))
}

struct Session {
    api: Arc<Api>,
    caller: Caller,
    /// Empty for everything.
    types: Vec<TypePattern>,
    feed: Box<dyn LiveFeed>,
    /// The newest event that was looked at.
    seen: EventId,
    /// The store may hold events after it that the feed will not bring.
    behind: bool,
    /// What is ready to be sent.
    frames: VecDeque<Bytes>,
    /// When it was last made sure that the caller may listen.
    checked_at: Instant,
}

impl Session {
    /// The next frame; `None` ends the connection.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            let period = self.api.settings.live_ping_period;
            // A busy stream is checked as often as a silent one.
            if self.checked_at.elapsed() >= period {
                let (api, caller) = (Arc::clone(&self.api), self.caller.clone());
                if !is_allowed(api, caller, Listeners::Administrators).await {
                    return None;
                }
                self.checked_at = Instant::now();
                return Some(Bytes::from_static(PING));
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            let due = self.checked_at + period;
            match tokio::time::timeout_at(due, self.feed.next()).await {
                Err(_) => {}
                Ok(LiveItem::Closed) => return None,
                Ok(LiveItem::Lagged) => self.behind = true,
                Ok(LiveItem::Event(event)) if event.id <= self.seen => {}
                Ok(LiveItem::Event(event)) => {
                    self.seen = event.id;
                    if self.asks_for(&event) {
                        self.frames.push_back(frame(&event));
                    }
                }
            }
        }
    }

    /// Reads on in the store. `None` when it cannot be read: who comes back goes on from there.
    async fn catch_up(&mut self) -> Option<()> {
        let (account, limit) = (self.caller.account, EVENT_STREAM_READ_MAX);
        let missed = self.api.store.events_after(account, self.seen, limit).await;
        let missed = missed.ok()?;
        self.behind = missed.len() == limit as usize;
        for event in &missed {
            if self.asks_for(event) && may_have(&self.api, &self.caller, event).await? {
                self.frames.push_back(frame(event));
            }
            self.seen = event.id;
        }
        Some(())
    }

    fn asks_for(&self, event: &Event) -> bool {
        let name = event.type_name();
        self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches(&name))
    }
}

/// Whether an endpoint of the caller's could be sent an event that was read from the store.
async fn may_have(api: &Api, caller: &Caller, event: &Event) -> Option<bool> {
    if event.audience == Audience::Account {
        return Some(true);
    }
    may_learn(api, caller, event).await.ok()
}

/// One event as endpoints are sent it. Data keeps its line breaks, each as a line feed: outside of
/// texts, where JSON has none, they mean nothing.
fn frame(event: &Event) -> Bytes {
    let payload = payload::standard(event);
    let mut frame = format!("id: {}\n", event.id).into_bytes();
    for line in payload.split(|byte| matches!(byte, b'\n' | b'\r')) {
        frame.extend_from_slice(b"data: ");
        frame.extend_from_slice(line);
        frame.push(b'\n');
    }
    frame.push(b'\n');
    frame.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hookyard_domain::{AccountId, EventKind, Timestamp};

    #[test]
    fn data_with_line_breaks_is_the_same_json_at_the_other_end() {
        let event = Event {
            account: AccountId(1),
            id: EventId(7),
            kind: EventKind::Custom,
            event_type: "invoice.paid".into(),
            audience: Audience::Account,
            chat: None,
            post: None,
            request: None,
            occurred_at: Timestamp::default(),
            body: Bytes::from_static(b"{\r\n  \"a\": \"x\\ny\"\n}"),
            confidential: false,
            attributes: None,
        };
        let frame = frame(&event);
        let text = std::str::from_utf8(&frame).unwrap();
        assert!(text.starts_with("id: 7\ndata: {") && text.ends_with("}\n\n"));
        let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let joined = lines.collect::<Vec<_>>().join("\n");
        let read: serde_json::Value = serde_json::from_str(&joined).unwrap();
        assert_eq!(read["data"]["a"], "x\ny");
        assert_eq!(text.matches("\n\n").count(), 1, "{text}");
    }
}
