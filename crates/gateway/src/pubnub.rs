//! The PubNub-style transport: a long poll with catch-up by time token (contract section 7).
//!
//! Nothing is kept here but who waits. A channel is a stored subscription, and its messages are the
//! events that the store holds: a poll reads what came after its time token, and waits for the next
//! commit when there is nothing. So a client that was away, and a server that was restarted, miss
//! nothing.

mod cipher;
mod request;
mod timetoken;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use hookyard_domain::delivery::envelope::envelope;
use hookyard_domain::kernel::component::{Component, Ports, State, Status};
use hookyard_domain::kernel::limits::{
    POLL_EXAMINED_MAX, POLL_HELD_MAX, POLL_MESSAGES_MAX, POLL_PAGE_MAX,
};
use hookyard_domain::kernel::news::News;
use hookyard_domain::kernel::ports::{Clock, CommitListener, Store, StoreError};
use hookyard_domain::{
    Audience, DeliveryMode, Event, EventId, IdSequence, PersonId, Secret, Subscription,
    SubscriptionStatus, Timestamp,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

pub use request::{Poll, Request};
use waiting::Waiting;

/// What a call is answered with: a status and a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PubNubAnswer {
    pub status: u16,
    pub body: String,
}

impl PubNubAnswer {
    fn ok(body: &Value) -> Self {
        Self {
            status: 200,
            body: body.to_string(),
        }
    }

    /// The shape in which clients read errors.
    fn error(status: u16, message: &str) -> Self {
        let body = json!({
            "status": status,
            "error": true,
            "service": "Access Manager",
            "message": message,
        });
        Self {
            status,
            body: body.to_string(),
        }
    }

    /// The channels are not the caller's to hear.
    fn forbidden(channels: &[String]) -> Self {
        let body = json!({
            "message": "Forbidden",
            "payload": { "channels": channels },
            "error": true,
            "service": "Access Manager",
            "status": 403,
        });
        Self {
            status: 403,
            body: body.to_string(),
        }
    }
}

/// Answers the calls of PubNub's clients.
#[derive(Debug)]
pub struct PubNub {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    since: Timestamp,
    /// What clients present; one for the whole server, as channels are what is secret.
    subscribe_key: String,
    /// The newest event whose commit was told. What was acknowledged before is not after it.
    newest: AtomicU64,
    waiting: Waiting,
}

impl PubNub {
    /// Answers from the store; `ids` are its numbers.
    pub fn start(ports: &Ports, ids: &IdSequence, subscribe_key: String) -> Arc<Self> {
        let since = ports.clock.now();
        let pubnub = Arc::new(Self {
            store: Arc::clone(&ports.store),
            clock: Arc::clone(&ports.clock),
            since,
            subscribe_key,
            newest: AtomicU64::new(ids.next(since)),
            waiting: Waiting::default(),
        });
        ports.feed.follow(Arc::new(Arc::downgrade(&pubnub)));
        pubnub
    }

    /// Answers a GET of `path` with `query`.
    pub async fn answer(&self, path: &str, query: &str) -> PubNubAnswer {
        match Request::read(path, query) {
            None => PubNubAnswer::error(400, "Invalid Arguments"),
            Some(request) if request.key().is_some_and(|key| key != self.subscribe_key) => {
                PubNubAnswer::error(400, "Invalid Subscribe Key")
            }
            Some(Request::Time) => {
                let now = EventId(IdSequence::first_at(self.clock.now()));
                PubNubAnswer::ok(&json!([timetoken::of_event(now)]))
            }
            Some(Request::Heartbeat { .. }) => {
                PubNubAnswer::ok(&json!({ "status": 200, "message": "OK", "service": "Presence" }))
            }
            Some(Request::Leave { .. }) => PubNubAnswer::ok(&json!({
                "status": 200, "action": "leave", "message": "OK", "service": "Presence",
            })),
            Some(Request::Poll(poll)) => self.poll(&poll).await,
        }
    }

    async fn poll(&self, poll: &Poll) -> PubNubAnswer {
        match self.listen(poll).await {
            Ok(Heard::Messages { reached, messages }) => self.told(poll, reached, &messages),
            Ok(Heard::Forbidden) => PubNubAnswer::forbidden(&poll.channels),
            Ok(Heard::Crowded) => PubNubAnswer::error(503, "Service Unavailable"),
            Err(error) => {
                tracing::warn!(%error, "a poll could not be answered");
                PubNubAnswer::error(503, "Service Unavailable")
            }
        }
    }

    fn told(&self, poll: &Poll, reached: EventId, messages: &[Message]) -> PubNubAnswer {
        let token = timetoken::of_event(reached).to_string();
        if poll.legacy {
            let texts: Vec<&RawValue> = messages.iter().map(|message| &*message.data).collect();
            return PubNubAnswer::ok(&json!([texts, token]));
        }
        let messages: Vec<Value> = messages
            .iter()
            .map(|message| {
                let published = timetoken::of_event(message.event).to_string();
                json!({
                    "a": "2",
                    "f": 0,
                    "i": "hookyard",
                    "s": 1,
                    "p": { "t": published, "r": REGION },
                    "k": self.subscribe_key,
                    "c": message.channel,
                    "d": message.data,
                })
            })
            .collect();
        PubNubAnswer::ok(&json!({ "t": { "t": token, "r": REGION }, "m": messages }))
    }

    /// Waits until there is something to say.
    async fn listen(&self, poll: &Poll) -> Result<Heard, StoreError> {
        let Some(subscriptions) = self.subscriptions(poll).await? else {
            return Ok(Heard::Forbidden);
        };
        let quiet = |reached| {
            Ok(Heard::Messages {
                reached,
                messages: Vec::new(),
            })
        };
        let Some(token) = poll.token else {
            return quiet(EventId(self.newest.load(Ordering::Acquire)));
        };
        let account = subscriptions[0].account;
        let Some(place) = self.waiting.enter(account) else {
            return Ok(Heard::Crowded);
        };
        let deadline = Instant::now() + POLL_HELD_MAX;
        let mut reached = timetoken::to_event(token);
        let mut subscriptions = subscriptions;
        loop {
            // Registered before looking, so that no commit falls between looking and waiting.
            let committed = place.next_commit();
            let found = self.look(&subscriptions, reached).await?;
            reached = found.reached;
            if !found.messages.is_empty() || found.is_more {
                return Ok(Heard::Messages {
                    reached,
                    messages: found.messages,
                });
            }
            if timeout_at(deadline, committed).await != Ok(true) {
                return quiet(reached);
            }
            match self.subscriptions(poll).await? {
                Some(current) => subscriptions = current,
                None => return Ok(Heard::Forbidden),
            }
        }
    }

    /// The subscriptions that listen on the poll's channels; `None` when one of them does not, or
    /// no longer. All are of one account.
    async fn subscriptions(
        &self,
        poll: &Poll,
    ) -> Result<Option<Vec<Arc<Subscription>>>, StoreError> {
        let now = self.clock.now();
        let mut found: Vec<Arc<Subscription>> = Vec::with_capacity(poll.channels.len());
        for channel in &poll.channels {
            let subscription = self.store.subscription_by_channel(channel).await?;
            let known = subscription.filter(|subscription| !subscription.is_expired(now));
            let Some(subscription) = known else {
                return Ok(None);
            };
            if found
                .first()
                .is_some_and(|first| first.account != subscription.account)
            {
                return Ok(None);
            }
            found.push(subscription);
        }
        Ok(Some(found))
    }

    /// Reads the events after `after` that the subscriptions ask for, up to a bound.
    async fn look(
        &self,
        subscriptions: &[Arc<Subscription>],
        after: EventId,
    ) -> Result<Found, StoreError> {
        // A pause holds the client where it is: what comes meanwhile is read when it is over.
        if subscriptions
            .iter()
            .all(|subscription| subscription.status != SubscriptionStatus::Active)
        {
            return Ok(Found {
                reached: after,
                messages: Vec::new(),
                is_more: false,
            });
        }
        let created = subscriptions
            .iter()
            .map(|subscription| IdSequence::first_at(subscription.created_at));
        let begin = EventId(created.min().unwrap_or_default().saturating_sub(1));
        let mut found = Found {
            reached: after.max(begin),
            messages: Vec::new(),
            is_more: false,
        };
        let mut examined = 0;
        loop {
            let account = subscriptions[0].account;
            let page = self
                .store
                .events_after(account, found.reached, POLL_PAGE_MAX)
                .await?;
            for event in &page {
                if found.messages.len() >= POLL_MESSAGES_MAX {
                    found.is_more = true;
                    return Ok(found);
                }
                for subscription in subscriptions {
                    if let Some(message) = self.message(subscription, event).await? {
                        found.messages.push(message);
                    }
                }
                found.reached = event.id;
            }
            examined += page.len();
            if page.len() < POLL_PAGE_MAX as usize {
                return Ok(found);
            }
            if examined >= POLL_EXAMINED_MAX || !found.messages.is_empty() {
                found.is_more = true;
                return Ok(found);
            }
        }
    }

    /// `event` as the subscription's channel tells it, if it does.
    async fn message(
        &self,
        subscription: &Arc<Subscription>,
        event: &Event,
    ) -> Result<Option<Message>, StoreError> {
        let asks = subscription
            .filters
            .iter()
            .any(|filter| filter.matches(event));
        let fresh = event.id.0 >= IdSequence::first_at(subscription.created_at);
        let DeliveryMode::PubNub {
            channel,
            encryption_key,
        } = &subscription.mode
        else {
            return Ok(None);
        };
        if !asks || !fresh || subscription.status != SubscriptionStatus::Active {
            return Ok(None);
        }
        let recipients: Vec<PersonId> = match &event.audience {
            Audience::ChatMembers(chat) => {
                let chat = self.store.chat(subscription.account, *chat).await?;
                let member = chat.is_some_and(|chat| chat.has_member(subscription.owner));
                member.then_some(subscription.owner).into_iter().collect()
            }
            Audience::Persons(persons) => {
                let mut ascending = persons.to_vec();
                ascending.sort_unstable();
                ascending
            }
            Audience::Subscription(_) | Audience::Account => Vec::new(),
        };
        let Some(filter) = subscription.wants(event, &recipients) else {
            return Ok(None);
        };
        let envelope = envelope(event, filter, subscription);
        Ok(Some(Message {
            event: event.id,
            channel: channel.clone(),
            data: data(&envelope, encryption_key.as_ref()),
        }))
    }
}

#[async_trait]
impl Component for PubNub {
    fn status(&self) -> Status {
        let closed = self.waiting.is_closed();
        let status = Status::running("pubnub", self.since).with("polls", self.waiting.polls());
        Status {
            state: if closed {
                State::Stopped
            } else {
                State::Running
            },
            ..status
        }
    }

    /// Ends every poll that is held, and holds no more.
    async fn stop(&self, _deadline: std::time::Instant) {
        self.abort();
    }

    fn abort(&self) {
        self.waiting.close();
    }
}

impl CommitListener for PubNub {
    fn committed(&self, news: &News) {
        for committed in news.events() {
            self.newest
                .fetch_max(committed.event.id.0, Ordering::AcqRel);
            self.waiting.tell(committed.event.account);
        }
        // Who polls for a subscription that has ended or changed should learn of it.
        for subscription in news.subscriptions() {
            self.waiting.tell(subscription.account);
        }
        if news.subscriptions_ended().next().is_some() {
            self.waiting.tell_all();
        }
    }
}

/// Newer clients want it to be there and not zero.
const REGION: u32 = 1;

/// What a message carries: the envelope as JSON, or encrypted as a JSON string.
fn data(envelope: &[u8], key: Option<&Secret>) -> Box<RawValue> {
    let text = match key {
        Some(key) => {
            let encrypted = cipher::encrypt(envelope, key.reveal());
            Value::String(encrypted.unwrap_or_default()).to_string()
        }
        None => String::from_utf8_lossy(envelope).into_owned(),
    };
    RawValue::from_string(text).expect("envelopes are JSON")
}

/// What a poll leads to.
#[derive(Debug)]
enum Heard {
    Messages {
        reached: EventId,
        messages: Vec<Message>,
    },
    Forbidden,
    /// Too many polls are held already.
    Crowded,
}

#[derive(Debug)]
struct Message {
    event: EventId,
    channel: String,
    data: Box<RawValue>,
}

/// What one look at the store found.
#[derive(Debug)]
struct Found {
    /// Everything up to it has been looked at.
    reached: EventId,
    messages: Vec<Message>,
    /// There may be more right after it.
    is_more: bool,
}
