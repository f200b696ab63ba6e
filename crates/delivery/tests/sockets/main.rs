//! The transport, the handshake and the dispatcher over real sockets.

mod dispatch;
mod envelope;
mod handshake;
mod isolation;
mod mail;
mod tls;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use hookyard_delivery::{
    Attempted, Egress, EgressRules, Halt, Sending, Transport, WebhookTransport,
};
use hookyard_domain::Subscription;
use hookyard_testkit::sample;

/// Rules under which receivers on this machine may be called.
fn development() -> EgressRules {
    EgressRules {
        allow_http: true,
        allow_private: true,
        ..EgressRules::default()
    }
}

fn egress() -> Arc<Egress> {
    Arc::new(Egress::new(development()))
}

/// A subscription whose attempts may take `timeout`.
fn impatient(address: &str, timeout: Duration) -> Arc<Subscription> {
    let mut subscription = sample::subscription(1, address);
    subscription.policy.timeout_ms = u64::try_from(timeout.as_millis()).expect("a short time");
    Arc::new(subscription)
}

/// Makes one attempt on a fresh connection.
async fn send_to(subscription: &Arc<Subscription>) -> Attempted {
    let mut connection = WebhookTransport::new(egress()).connection();
    let now = hookyard_testkit::VirtualClock::BEGIN;
    let committed = sample::delivery_to(subscription, 7, now);
    let halt = Halt::default();
    let sending = Sending {
        committed: &committed,
        others: &[],
        at: hookyard_domain::Timestamp::from_millis(1_790_000_000_000),
        subscription,
        attempt: 1,
        halt: &halt,
    };
    connection
        .send(&sending)
        .await
        .expect("nothing called it off")
}
