//! Test events: an example of an event for one endpoint alone.

use std::sync::Arc;

use serde_json::Value;

use crate::events::catalogue::EventType;
use crate::events::custom_type::CustomType;
use crate::events::event::{Attributes, Audience, Event, EventKind};
use crate::kernel::ids::EventId;
use crate::kernel::limits::PUBLISHED_BODY_BYTES_MAX;
use crate::kernel::time::Timestamp;
use crate::subscriptions::subscription::Subscription;

/// Where samples say that they come from.
const SAMPLE_SOURCE: &str = "/hookyard/test";

/// The data is larger than what anybody may publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data has more than {PUBLISHED_BODY_BYTES_MAX} bytes")]
pub struct SampleTooLarge;

/// A type that there can be an example of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleType {
    kind: EventKind,
    event_type: String,
    /// JSON of its data.
    example: Option<String>,
}

impl From<&EventType> for SampleType {
    fn from(known: &EventType) -> Self {
        Self {
            kind: known.kind,
            event_type: known.event_type().to_owned(),
            example: Some(known.example.to_owned()),
        }
    }
}

impl From<&CustomType> for SampleType {
    fn from(custom: &CustomType) -> Self {
        Self {
            kind: EventKind::Custom,
            event_type: custom.name.to_string(),
            example: custom.newest().example.as_deref().map(str::to_owned),
        }
    }
}

impl SampleType {
    /// An event of this type for `endpoint` alone: with `data`, or as the type's example has it.
    ///
    /// # Errors
    ///
    /// When the data is too large.
    pub fn event(
        &self,
        endpoint: &Subscription,
        data: Option<Value>,
        now: Timestamp,
    ) -> Result<Event, SampleTooLarge> {
        let body = match data {
            Some(data) => data.to_string(),
            None => compact(self.example.as_deref().unwrap_or("{}")),
        };
        if body.len() > PUBLISHED_BODY_BYTES_MAX {
            return Err(SampleTooLarge);
        }
        Ok(Event {
            account: endpoint.account,
            id: EventId::PENDING,
            kind: self.kind,
            event_type: self.event_type.clone().into(),
            audience: Audience::Subscription(endpoint.id),
            chat: None,
            post: None,
            request: None,
            occurred_at: now,
            body: body.into(),
            confidential: false,
            attributes: Some(Arc::new(Attributes {
                source: Some(SAMPLE_SOURCE.to_owned()),
                ..Attributes::default()
            })),
        })
    }
}

/// JSON without the white space of files.
fn compact(json: &str) -> String {
    let value: Result<Value, _> = serde_json::from_str(json);
    value.map_or_else(|_| json.to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscriptions::sample::{at, subscription};

    #[test]
    fn a_sample_is_for_its_endpoint_alone_and_says_where_it_comes_from() {
        let endpoint = subscription(&[]);
        let kind = SampleType {
            kind: EventKind::Custom,
            event_type: "invoice.paid".to_owned(),
            example: Some("{ \"total\": 5 }".to_owned()),
        };
        let event = kind.event(&endpoint, None, at(0)).unwrap();
        assert_eq!(event.audience, Audience::Subscription(endpoint.id));
        assert_eq!(
            (&event.body[..], &*event.type_name()),
            (&br#"{"total":5}"#[..], "invoice.paid")
        );
        let attributes = event.attributes.unwrap();
        assert_eq!(attributes.source.as_deref(), Some("/hookyard/test"));
        let large = Value::String("x".repeat(PUBLISHED_BODY_BYTES_MAX));
        assert_eq!(
            kind.event(&endpoint, Some(large), at(0)),
            Err(SampleTooLarge)
        );
    }
}
