//! Subscriptions for tests that are about something else.

use std::time::Duration;

use crate::delivery::retry::RetryPolicy;
use crate::identity::app::ClientId;
use crate::identity::person::{Person, PersonKind, PersonStatus};
use crate::kernel::ids::{AccountId, PersonId, SocketId, SubscriptionId};
use crate::kernel::time::Timestamp;
use crate::subscriptions::filter::EventFilter;
use crate::subscriptions::mode::DeliveryMode;
use crate::subscriptions::subscription::{Subscription, SubscriptionStatus};

pub(crate) const ACCOUNT: AccountId = AccountId(9);
pub(crate) const OWNER: PersonId = PersonId(1);
pub(crate) const APP: &str = "app";

/// A moment, in seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000)
}

pub(crate) fn person(id: u64, admin: bool) -> Person {
    Person {
        account: ACCOUNT,
        id: PersonId(id),
        kind: PersonKind::User,
        first_name: String::new(),
        last_name: String::new(),
        email: None,
        extension_number: None,
        admin,
        operator: false,
        status: PersonStatus::Enabled,
        created_at: at(0),
        modified_at: at(0),
        version: 1,
    }
}

pub(crate) fn web_hook() -> DeliveryMode {
    DeliveryMode::WebHook {
        address: "https://example.com/".to_owned(),
        verification_token: None,
    }
}

pub(crate) fn web_socket(number: u8) -> DeliveryMode {
    DeliveryMode::WebSocket {
        socket: SocketId::from_random([number; 16]),
    }
}

/// An active subscription that begins at 0 s and lives for a thousand seconds.
pub(crate) fn subscription(filters: &[&str]) -> Subscription {
    let read = |text: &&str| EventFilter::read(text).expect("a filter");
    Subscription {
        account: ACCOUNT,
        id: SubscriptionId::from_random([1; 16]),
        owner: OWNER,
        client_id: ClientId(APP.to_owned()),
        filters: filters.iter().map(read).collect(),
        disabled_filters: Vec::new(),
        mode: web_hook(),
        policy: RetryPolicy::default(),
        status: SubscriptionStatus::Active,
        created_at: at(0),
        modified_at: at(0),
        expires_at: at(1_000),
        ttl: Duration::from_secs(1_000),
        blacklisted: None,
        ended_at: None,
        failing_since: None,
        paused_at: None,
        catch_up_after: None,
        endpoint: None,
        version: 3,
    }
}
