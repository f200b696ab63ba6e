//! Webhook endpoints: made, changed, sent to as they ask, paused and put right again.

mod delivery;
mod handshakes;
mod notices;
mod refusals;
mod settings;
mod tokens;

use hookyard_domain::kernel::ports::Clock as _;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{Attributes, Audience, Change, Event, EventId, EventKind};
use hookyard_testkit::{Received, Receiver};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{ACCOUNT, World};

const ENDPOINTS: &str = "/api/v1/endpoints";

/// Makes an endpoint for invoices with other settings besides.
async fn endpoint(client: &Client, receiver: &Receiver, settings: Value) -> Answer {
    let mut body = json!({ "url": receiver.address(), "eventTypes": ["invoice.*"] });
    let members = body.as_object_mut().expect("an object");
    members.extend(settings.as_object().expect("settings").clone());
    client.post(ENDPOINTS, &body).await
}

/// Commits an event of the account's own.
async fn publish(world: &World, event_type: &str, data: &'static str) -> EventId {
    let event = Event {
        account: ACCOUNT,
        id: EventId::PENDING,
        kind: EventKind::Custom,
        event_type: event_type.to_owned().into(),
        audience: Audience::Account,
        chat: None,
        post: None,
        request: None,
        occurred_at: world.clock.now(),
        body: data.into(),
        confidential: false,
        attributes: Some(std::sync::Arc::new(Attributes {
            subject: Some("i-1".into()),
            ..Attributes::default()
        })),
    };
    let ids = world
        .store
        .commit_numbering(Change::default().announcing(event))
        .await;
    ids.expect("a store in memory")[0]
}

async fn eventually(client: &Client, path: &str, done: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..5_000 {
        let answer = client.get(path).await.json();
        if done(&answer) {
            return answer;
        }
        tokio::task::yield_now().await;
    }
    panic!("{path} did not come to what it should");
}

fn body_of(received: &Received) -> Value {
    serde_json::from_slice(&received.body).expect("JSON")
}
