//! The bytes that a subscriber gets (contract 5.1). Built by concatenation: the event's body is
//! inserted as it was committed, so that every attempt, also after a restart, sends the same bytes.

use std::borrow::Cow;
use std::io::Write as _;

use bytes::Bytes;
use hookyard_domain::{Delivery, Event, EventFilter, EventKind, Subscription};

/// What surrounds the body: seven keys, two ids, a time.
const SURROUNDINGS_BYTES: usize = 256;

/// The envelope of `event` for `subscription`.
pub fn envelope(event: &Event, delivery: &Delivery, subscription: &Subscription) -> Bytes {
    let capacity = SURROUNDINGS_BYTES + delivery.filter.len() + event.body.len();
    let mut bytes = Vec::with_capacity(capacity);
    let written = (|| {
        write!(bytes, r#"{{"uuid":"{}","event":"#, event.id)?;
        serde_json::to_writer(&mut bytes, &delivery.filter)?;
        write!(
            bytes,
            r#","timestamp":"{}","subscriptionId":"{}","ownerId":"{}","body":"#,
            event.occurred_at, subscription.id, subscription.owner
        )?;
        bytes.extend_from_slice(&body_for(event, &delivery.filter));
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

#[cfg(test)]
mod tests {
    use super::*;
    use hookyard_testkit::sample;

    #[test]
    fn the_envelope_is_what_subscribers_parse() {
        let committed = sample::delivery(7);
        let bytes = envelope(
            &committed.event,
            &committed.delivery,
            &committed.subscription,
        );
        insta::assert_snapshot!(String::from_utf8(bytes.to_vec()).unwrap(), @r#"{"uuid":"7","event":"/restapi/v1.0/glip/posts","timestamp":"2026-01-01T00:00:00.000Z","subscriptionId":"00000000-0000-0000-0000-000000000007","ownerId":"62534323","body":{"id":"7","text":"post 7","eventType":"PostAdded"}}"#);
    }

    #[test]
    fn a_filter_cannot_break_out_of_its_string() {
        let mut committed = sample::delivery(7);
        committed.delivery.filter = "/posts?a=\"b\\\n".to_owned();
        let bytes = envelope(
            &committed.event,
            &committed.delivery,
            &committed.subscription,
        );
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["event"], "/posts?a=\"b\\\n");
    }
}
