//! The bytes that a subscriber gets (contract 5.1). Built by concatenation: the event's body is
//! inserted as it was committed, so that every attempt, also after a restart, sends the same bytes.

use std::borrow::Cow;
use std::io::Write as _;

use bytes::Bytes;

use crate::events::event::{Event, EventKind};
use crate::subscriptions::filter::EventFilter;
use crate::subscriptions::subscription::Subscription;

/// What surrounds the body: seven keys, two ids, a time.
const SURROUNDINGS_BYTES: usize = 256;

/// The envelope of `event` for `subscription`, which gets it by `filter`.
pub fn envelope(event: &Event, filter: &str, subscription: &Subscription) -> Bytes {
    let capacity = SURROUNDINGS_BYTES + filter.len() + event.body.len();
    let mut bytes = Vec::with_capacity(capacity);
    let written = (|| {
        write!(bytes, r#"{{"uuid":"{}","event":"#, event.id)?;
        serde_json::to_writer(&mut bytes, filter)?;
        write!(
            bytes,
            r#","timestamp":"{}","subscriptionId":"{}","ownerId":"{}","body":"#,
            event.occurred_at, subscription.id, subscription.owner
        )?;
        bytes.extend_from_slice(&body_for(event, filter));
        bytes.push(b'}');
        std::io::Result::Ok(())
    })();
    written.expect("writing to memory does not fail");
    bytes.into()
}

/// The body as the subscribers of `filter` get it. Of most kinds they all get the same.
fn body_for<'a>(event: &'a Event, filter: &str) -> Cow<'a, [u8]> {
    if event.kind != EventKind::Presence {
        return Cow::Borrowed(&event.body);
    }
    let projected = EventFilter::read(filter).map(|filter| filter.project(&event.body));
    projected.unwrap_or(Cow::Borrowed(&event.body))
}
