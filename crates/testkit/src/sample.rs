//! Objects for tests that are about something else. Numbers in ids follow from the arguments.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::endpoints::endpoint::{
    Authorization, HandshakeKind, PayloadFormat, policy_default,
};
use hookyard_domain::kernel::news::CommittedDelivery;
use hookyard_domain::{
    Account, AccountId, AccountWrite, Audience, Change, Chat, ChatId, ChatKind, ChatStatus,
    ChatWrite, ClientId, Delivery, DeliveryId, DeliveryMode, DeliveryState, Endpoint, Event,
    EventFilter, EventId, EventKind, Person, PersonId, PersonKind, PersonStatus, PersonWrite,
    PostId, RetryPolicy, RetrySchedule, Round, Secret, Subscription, SubscriptionId,
    SubscriptionStatus, Timestamp, TypePattern,
};

use crate::clock::VirtualClock;

/// The account that all samples belong to.
pub const ACCOUNT: AccountId = AccountId(400_131_426_008);
/// Owner of all sample subscriptions and member of all sample chats.
pub const OWNER: PersonId = PersonId(62_534_323);
/// The chat of all sample posts.
pub const CHAT: ChatId = ChatId(995_723_345_922);
/// What all sample subscriptions ask for.
pub const FILTER: &str = "/restapi/v1.0/glip/posts";

/// An active subscription to posts, good for ten years.
pub fn subscription(number: u128, address: &str) -> Subscription {
    Subscription {
        account: ACCOUNT,
        id: SubscriptionId(uuid::Uuid::from_u128(number)),
        owner: OWNER,
        client_id: ClientId("sample-app".to_owned()),
        filters: vec![EventFilter::read(FILTER).expect("the sample filter is known")],
        disabled_filters: Vec::new(),
        mode: DeliveryMode::WebHook {
            address: address.to_owned(),
            verification_token: Some(Secret::new("hello-world")),
        },
        policy: RetryPolicy::default(),
        status: SubscriptionStatus::Active,
        created_at: VirtualClock::BEGIN,
        modified_at: VirtualClock::BEGIN,
        expires_at: VirtualClock::BEGIN + Duration::from_secs(315_360_000),
        ttl: Duration::from_secs(315_360_000),
        blacklisted: None,
        ended_at: None,
        failing_since: None,
        paused_at: None,
        catch_up_after: None,
        endpoint: None,
        version: 1,
    }
}

/// A subscription that is an endpoint for all types, retried after 1, 2 and 4 seconds.
pub fn endpoint(number: u128, address: &str) -> Subscription {
    let endpoint = Endpoint {
        description: "Sample".to_owned(),
        types: vec![TypePattern::parse("*").expect("it is a pattern")],
        content: None,
        headers: Vec::new(),
        authorization: Authorization::None,
        handshake: HandshakeKind::None,
        format: PayloadFormat::Standard,
        secrets: Vec::new(),
        failure_threshold: 0,
        batching: None,
        batch_max_kept: None,
        rate: None,
        ordered: false,
        request_origin: None,
        error: None,
    };
    Subscription {
        filters: Vec::new(),
        policy: RetryPolicy {
            schedule: RetrySchedule::List {
                delays_ms: vec![1_000, 2_000, 4_000],
            },
            attempts_max: 4,
            ..policy_default()
        },
        endpoint: Some(Arc::new(endpoint)),
        ..subscription(number, address)
    }
}

/// A post's event.
pub fn event(number: u64, occurred_at: Timestamp) -> Event {
    let body = format!(r#"{{"id":"{number}","text":"post {number}","eventType":"PostAdded"}}"#);
    Event {
        account: ACCOUNT,
        id: EventId(number),
        kind: EventKind::Post,
        event_type: "PostAdded".into(),
        audience: Audience::ChatMembers(CHAT),
        chat: Some(CHAT),
        post: Some(PostId(number)),
        request: None,
        occurred_at,
        body: Bytes::from(body),
        confidential: false,
        attributes: None,
    }
}

/// The event of that number on its way to `subscription`, not tried yet.
pub fn delivery_to(
    subscription: &Arc<Subscription>,
    number: u64,
    now: Timestamp,
) -> CommittedDelivery {
    CommittedDelivery {
        delivery: Delivery {
            account: ACCOUNT,
            id: DeliveryId(number),
            subscription: subscription.id,
            event: EventId(number),
            filter: FILTER.to_owned(),
            state: DeliveryState::Waiting { due_at: now },
            attempts: 0,
            round: Round::first(now),
            possible_repeat: false,
            created_at: now,
        },
        event: Arc::new(event(number, now)),
        subscription: Arc::clone(subscription),
    }
}

/// A delivery to a subscription of its own.
pub fn delivery(number: u64) -> CommittedDelivery {
    let subscription = Arc::new(subscription(number.into(), "http://127.0.0.1:9/hook"));
    delivery_to(&subscription, number, VirtualClock::BEGIN)
}

/// What an empty store needs before sample events can be announced: the account, the owner, the
/// chat.
pub fn yard() -> Change {
    let account = Account {
        id: ACCOUNT,
        name: "Sample".to_owned(),
        created_at: VirtualClock::BEGIN,
    };
    Change::of(AccountWrite::Put(account))
        .and(PersonWrite::Put(owner()))
        .and(ChatWrite::Put(chat()))
}

fn owner() -> Person {
    Person {
        account: ACCOUNT,
        id: OWNER,
        kind: PersonKind::User,
        first_name: "Olivia".to_owned(),
        last_name: "Owner".to_owned(),
        email: Some("olivia@example.com".to_owned()),
        extension_number: Some("101".to_owned()),
        admin: true,
        operator: false,
        status: PersonStatus::Enabled,
        created_at: VirtualClock::BEGIN,
        modified_at: VirtualClock::BEGIN,
        version: 1,
    }
}

fn chat() -> Chat {
    Chat {
        account: ACCOUNT,
        id: CHAT,
        kind: ChatKind::Team,
        name: Some("Sample team".to_owned()),
        description: None,
        public: false,
        status: ChatStatus::Active,
        members: vec![OWNER],
        admins: vec![OWNER],
        created_at: VirtualClock::BEGIN,
        modified_at: VirtualClock::BEGIN,
        version: 1,
    }
}
