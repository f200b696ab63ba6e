use super::*;
use crate::delivery::retry::RetryPolicy;
use crate::identity::app::ClientId;
use crate::kernel::ids::{EventId, SocketId};
use crate::subscriptions::mode::DeliveryMode;
use crate::subscriptions::subscription::SubscriptionStatus;
use bytes::Bytes;
use proptest::prelude::*;
use std::time::Duration;

const ACCOUNT: AccountId = AccountId(1);
const FILTERS: [&str; 6] = [
    "/team-messaging/v1/posts",
    "/restapi/v1.0/glip/posts",
    "/restapi/v1.0/account/~/extension/~/presence",
    "/restapi/v1.0/account/~/extension/2/presence?detailedTelephonyState=true",
    "/restapi/v1.0/account/~/presence",
    "/restapi/v1.0/subscription/~?threshold=60&interval=15",
];

fn subscription(number: u128, owner: u64, filters: &[usize], active: bool) -> Arc<Subscription> {
    let read = |index: &usize| {
        EventFilter::parse(FILTERS[*index], ACCOUNT, PersonId(owner)).expect("a filter")
    };
    Arc::new(Subscription {
        account: ACCOUNT,
        id: SubscriptionId(uuid::Uuid::from_u128(number)),
        owner: PersonId(owner),
        client_id: ClientId("app".to_owned()),
        filters: filters.iter().map(read).collect(),
        disabled_filters: Vec::new(),
        mode: DeliveryMode::WebSocket {
            socket: SocketId::from_random([0; 16]),
        },
        policy: RetryPolicy::default(),
        status: if active {
            SubscriptionStatus::Active
        } else {
            SubscriptionStatus::Suspended
        },
        created_at: Timestamp::default(),
        modified_at: Timestamp::default(),
        expires_at: Timestamp::default() + Duration::from_secs(60),
        ttl: Duration::from_secs(60),
        blacklisted: None,
        ended_at: None,
        failing_since: None,
        paused_at: None,
        catch_up_after: None,
        endpoint: None,
        version: 1,
    })
}

fn event(kind: EventKind, audience: Audience) -> Event {
    Event {
        account: ACCOUNT,
        id: EventId::PENDING,
        kind,
        event_type: kind.name().into(),
        audience,
        chat: None,
        post: None,
        request: None,
        occurred_at: Timestamp::default(),
        body: Bytes::from_static(b"{}"),
        confidential: false,
        attributes: None,
    }
}

type Found = Vec<(SubscriptionId, String)>;

/// What the index finds, and what looking at every subscription finds.
fn both(
    index: &SubscriptionIndex<()>,
    all: &HashMap<SubscriptionId, Arc<Subscription>>,
    event: &Event,
    recipients: &[PersonId],
) -> (Found, Found) {
    let now = Timestamp::default();
    let mut found = Vec::new();
    index.each_match(event, recipients, now, |placed, filter| {
        found.push((placed.subscription.id, filter.to_string()));
    });
    let wanting = all
        .values()
        .filter(|subscription| subscription.is_live(now));
    let mut expected: Found = wanting
        .filter_map(|subscription| {
            let filter = subscription.wants(event, recipients)?;
            Some((subscription.id, filter.to_string()))
        })
        .collect();
    found.sort();
    expected.sort();
    (found, expected)
}

fn subscriptions() -> impl Strategy<Value = Vec<(u128, u64, Vec<usize>, bool)>> {
    let filters = prop::collection::vec(0..FILTERS.len(), 1..4);
    prop::collection::vec(
        (0_u128..8, 1_u64..5, filters, prop::bool::weighted(0.8)),
        0..30,
    )
}

proptest! {
    /// Subscriptions are put, replaced and removed; numbers repeat, so that later ones replace.
    #[test]
    fn the_index_finds_what_looking_at_everything_finds(
        puts in subscriptions(),
        removed in prop::collection::vec(0_u128..8, 0..4),
        recipients in prop::collection::btree_set(1_u64..5, 0..4),
    ) {
        let mut index = SubscriptionIndex::default();
        let mut all = HashMap::new();
        for (number, owner, filters, active) in puts {
            let subscription = subscription(number, owner, &filters, active);
            all.insert(subscription.id, Arc::clone(&subscription));
            index.put(subscription, ());
        }
        for number in removed {
            let id = SubscriptionId(uuid::Uuid::from_u128(number));
            prop_assert_eq!(index.remove(id).is_some(), all.remove(&id).is_some());
        }
        prop_assert_eq!(index.len(), all.len());
        let recipients: Vec<PersonId> = recipients.into_iter().map(PersonId).collect();
        for kind in [EventKind::Post, EventKind::Presence, EventKind::Chat] {
            let event = event(kind, Audience::Persons(recipients.clone().into()));
            let (found, expected) = both(&index, &all, &event, &recipients);
            prop_assert_eq!(found, expected);
        }
        for id in all.keys() {
            let event = event(EventKind::Reminder, Audience::Subscription(*id));
            let (found, expected) = both(&index, &all, &event, &[]);
            prop_assert_eq!(found, expected);
        }
    }
}
