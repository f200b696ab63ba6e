//! The bytes that an endpoint gets for an event. Data is inserted as it was published.

use std::borrow::Cow;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::delivery::envelope::envelope;
use crate::endpoints::endpoint::PayloadFormat;
use crate::events::event::Event;
use crate::kernel::ids::EventId;
use crate::subscriptions::subscription::Subscription;

/// What surrounds the data: five keys, an id, a time.
const SURROUNDINGS_BYTES: usize = 256;

/// The id of an event as receivers know it: the same on every attempt.
pub fn message_id(event: EventId) -> String {
    format!("evt_{event}")
}

/// An event as `id`, `type`, `timestamp`, what its publisher said beside the data, and `data`;
/// data that is not JSON is `data_base64`.
pub fn standard(event: &Event) -> Bytes {
    let mut bytes = Vec::with_capacity(SURROUNDINGS_BYTES + event.body.len());
    write_standard(&mut bytes, event);
    bytes.into()
}

/// Events one after the other in a JSON array.
pub fn standard_batch<'a>(events: impl IntoIterator<Item = &'a Event>) -> Bytes {
    let mut bytes = vec![b'['];
    for (index, event) in events.into_iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        write_standard(&mut bytes, event);
    }
    bytes.push(b']');
    bytes.into()
}

fn write_standard(bytes: &mut Vec<u8>, event: &Event) {
    let written = (|| {
        write!(bytes, r#"{{"id":"{}","type":"#, message_id(event.id))?;
        serde_json::to_writer(&mut *bytes, &event.type_name())?;
        write!(bytes, r#","timestamp":"{}""#, event.occurred_at)?;
        if let Some(attributes) = event.attributes.as_deref() {
            for (name, value) in [
                ("source", &attributes.source),
                ("subject", &attributes.subject),
            ] {
                if let Some(value) = value {
                    write!(bytes, r#","{name}":"#)?;
                    serde_json::to_writer(&mut *bytes, value)?;
                }
            }
        }
        if event.is_json() {
            bytes.extend_from_slice(br#","data":"#);
            bytes.extend_from_slice(&event.body);
        } else {
            write!(
                bytes,
                r#","data_base64":"{}""#,
                STANDARD.encode(&event.body)
            )?;
        }
        bytes.push(b'}');
        std::io::Result::Ok(())
    })();
    written.expect("writing to memory does not fail");
}

/// What a request to `subscription` brings: an event, and the filter that it goes by.
pub type Brought<'a> = (&'a Event, &'a str);

/// The body of a request with `first`, and with `others` where the subscription collects events.
/// It follows from what is stored, so it is not stored itself.
pub fn request_body<'a>(
    subscription: &Subscription,
    first: Brought<'a>,
    others: impl Iterator<Item = Brought<'a>>,
) -> Bytes {
    let Some(endpoint) = &subscription.endpoint else {
        return envelope(first.0, first.1, subscription);
    };
    let batched = endpoint.batching.is_some();
    let all = std::iter::once(first).chain(others);
    let event_of = |(event, _): Brought<'a>| event;
    match endpoint.format {
        PayloadFormat::Standard if batched => standard_batch(all.map(event_of)),
        PayloadFormat::Standard => standard(first.0),
        PayloadFormat::CloudEvents if batched => cloud_event_batch(all.map(event_of)),
        PayloadFormat::CloudEvents => cloud_event(first.0),
        // What surrounds the data is in headers.
        PayloadFormat::CloudEventsBinary => first.0.body.clone(),
        PayloadFormat::RingCentral if batched => {
            array(all.map(|(event, filter)| envelope(event, filter, subscription)))
        }
        PayloadFormat::RingCentral => envelope(first.0, first.1, subscription),
    }
}

/// JSON texts one after the other in an array.
pub fn array(texts: impl IntoIterator<Item = Bytes>) -> Bytes {
    let mut bytes = vec![b'['];
    for (index, text) in texts.into_iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(&text);
    }
    bytes.push(b']');
    bytes.into()
}

/// An event as a CloudEvent 1.0 in structured mode.
pub fn cloud_event(event: &Event) -> Bytes {
    let mut bytes = Vec::with_capacity(SURROUNDINGS_BYTES + event.body.len());
    bytes.push(b'{');
    for (index, (name, value)) in context(event).into_iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(bytes, r#"{comma}"{name}":{}"#, value.json())
            .expect("writing to memory does not fail");
    }
    if event.is_json() {
        bytes.extend_from_slice(br#","data":"#);
        bytes.extend_from_slice(&event.body);
    } else {
        let encoded = STANDARD.encode(&event.body);
        write!(bytes, r#","data_base64":"{encoded}""#).expect("writing to memory does not fail");
    }
    bytes.push(b'}');
    bytes.into()
}

/// Events as a batch of CloudEvents.
pub fn cloud_event_batch<'a>(events: impl IntoIterator<Item = &'a Event>) -> Bytes {
    array(events.into_iter().map(cloud_event))
}

/// The headers of a CloudEvent in binary mode (HTTP binding, section 3.1), the type of its data
/// included.
pub fn cloud_event_headers(event: &Event) -> Vec<(String, String)> {
    let headers = context(event).into_iter().map(|(name, value)| {
        let name = match name {
            "datacontenttype" => "content-type".to_owned(),
            name => format!("ce-{name}"),
        };
        (name, percent_encoded(&value.text()))
    });
    headers.collect()
}

/// What is not printable ASCII, a quote, a percent sign or a space is percent-encoded.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;

    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (b'!'..=b'~').contains(&byte) && byte != b'"' && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The value of a context attribute.
enum Value<'a> {
    Text(Cow<'a, str>),
    /// An extension, as the JSON that it came as.
    Json(&'a str),
}

impl Value<'_> {
    fn json(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => serde_json::to_string(text).expect("texts are JSON").into(),
            Self::Json(json) => Cow::Borrowed(json),
        }
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(json) => match serde_json::from_str::<String>(json) {
                Ok(text) => text.into(),
                Err(_) => Cow::Borrowed(json),
            },
        }
    }
}

/// Where events come from that say nothing of it.
const SOURCE: &str = "/hookyard";

fn context(event: &Event) -> Vec<(&str, Value<'_>)> {
    let said = event.attributes.as_deref();
    let own = |text: Option<&'_ String>| text.map(|text| Value::Text(Cow::Owned(text.clone())));
    let id = said.and_then(|said| said.id.clone());
    let source = said.and_then(|said| said.source.clone());
    let content_type = said.and_then(|said| said.content_type.clone());
    let mut all = vec![
        ("specversion", Value::Text("1.0".into())),
        (
            "id",
            Value::Text(id.unwrap_or_else(|| message_id(event.id)).into()),
        ),
        (
            "source",
            Value::Text(source.map_or(SOURCE.into(), Cow::Owned)),
        ),
        ("type", Value::Text(event.type_name())),
        ("time", Value::Text(event.occurred_at.to_string().into())),
        (
            "datacontenttype",
            Value::Text(content_type.map_or("application/json".into(), Cow::Owned)),
        ),
    ];
    let optional = [
        ("subject", own(said.and_then(|said| said.subject.as_ref()))),
        (
            "dataschema",
            own(said.and_then(|said| said.data_schema.as_ref())),
        ),
    ];
    all.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let extensions = said
        .map(|said| said.extensions.as_slice())
        .unwrap_or_default();
    all.extend(
        extensions
            .iter()
            .map(|(name, json)| (name.as_str(), Value::Json(json))),
    );
    all
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::events::event::{Attributes, Audience, EventKind};
    use crate::kernel::ids::AccountId;
    use crate::kernel::time::Timestamp;

    fn event(body: &'static str, attributes: Option<Attributes>) -> Event {
        Event {
            account: AccountId(1),
            id: EventId(77),
            kind: EventKind::Custom,
            event_type: "invoice.paid".into(),
            audience: Audience::Account,
            chat: None,
            post: None,
            request: None,
            occurred_at: Timestamp::from_millis(1_790_000_000_000),
            body: Bytes::from_static(body.as_bytes()),
            confidential: false,
            attributes: attributes.map(Arc::new),
        }
    }

    fn said() -> Attributes {
        Attributes {
            id: Some("o\"ne".into()),
            source: Some("/billing".into()),
            subject: Some("ä 1".into()),
            extensions: vec![
                ("tenant".into(), r#""acme""#.into()),
                ("level".into(), "3".into()),
            ],
            ..Attributes::default()
        }
    }

    #[test]
    fn data_is_the_same_bytes_in_every_format() {
        let body = r#"{ "amount" : 10.50, "big": 12345678901234567890123 }"#;
        let event = event(body, Some(said()));
        let texts = [
            standard(&event),
            standard_batch([&event, &event]),
            cloud_event(&event),
        ];
        for text in texts {
            let text = String::from_utf8(text.to_vec()).unwrap();
            assert!(text.contains(body), "{text}");
            assert!(
                serde_json::from_str::<serde_json::Value>(&text).is_ok(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_cloud_event_says_what_its_publisher_said() {
        let text = cloud_event(&event("1", Some(said())));
        let read: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let expected = json!({
            "specversion": "1.0", "id": "o\"ne", "source": "/billing", "type": "invoice.paid",
            "time": "2026-09-21T14:13:20.000Z", "datacontenttype": "application/json",
            "subject": "ä 1", "tenant": "acme", "level": 3, "data": 1,
        });
        assert_eq!(read, expected);
        let headers = cloud_event_headers(&event("1", Some(said())));
        let named = |name: &str| {
            headers
                .iter()
                .find(|(known, _)| known == name)
                .unwrap()
                .1
                .clone()
        };
        assert_eq!(named("ce-id"), "o%22ne");
        assert_eq!(named("ce-subject"), "%C3%A4%201");
        assert_eq!(named("ce-tenant"), "acme");
        assert_eq!(named("content-type"), "application/json");
    }

    #[test]
    fn data_that_is_not_json_is_encoded() {
        let attributes = Attributes {
            content_type: Some("text/plain".into()),
            ..Attributes::default()
        };
        let event = event("hello", Some(attributes));
        for text in [standard(&event), cloud_event(&event)] {
            let read: serde_json::Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(read["data_base64"], "aGVsbG8=");
            assert_eq!(read.get("data"), None);
        }
    }

    #[test]
    fn without_attributes_there_is_an_id_and_a_source() {
        let read: serde_json::Value =
            serde_json::from_slice(&cloud_event(&event("{}", None))).unwrap();
        assert_eq!(
            (&read["id"], &read["source"]),
            (&json!("evt_77"), &json!("/hookyard"))
        );
    }
}
