//! From what an app sends to the event that it becomes: does its type know it, is it new.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::cloud_events::essence_of;
use super::draft::{Draft, Payload};
use crate::events::custom_type::{CustomType, DataSchema, Effort, TypeVersion};
use crate::events::event::{Attributes, Audience, Event, EventKind};
use crate::events::schema::Violation;
use crate::kernel::ids::{AccountId, EventId};
use crate::kernel::time::Timestamp;

/// What JSON is called when nothing else is said.
const JSON_TYPE: &str = "application/json";
/// What bytes are called of which nothing is said.
const BYTES_TYPE: &str = "application/octet-stream";
/// The body of an event without data.
const NO_DATA: &[u8] = b"null";

impl Draft {
    /// The version of its type that the data should satisfy, and its number: the newest unless the
    /// draft names one. `None` when there is none of that number.
    pub fn version_of<'t>(&self, known: &'t CustomType) -> Option<(u32, &'t TypeVersion)> {
        match self.schema_version {
            None => Some((known.newest_number(), known.newest())),
            Some(number) => Some((number, known.numbered(number)?)),
        }
    }

    /// The member that names the version.
    pub const fn version_member(&self) -> &'static str {
        if self.dataschema.is_some() {
            "dataschema"
        } else {
            "schemaVersion"
        }
    }

    /// Checks that the data satisfies the schema of its type.
    ///
    /// # Errors
    ///
    /// The first violation. Data that is not JSON satisfies no schema.
    pub fn check_data(&self, schema: &DataSchema, effort: &mut Effort) -> Result<(), Violation> {
        let value = match &self.data {
            Payload::Empty => Value::Null,
            Payload::Json(bytes) => serde_json::from_slice(bytes)
                .map_err(|_| Violation::of_whole("the data cannot be read as JSON"))?,
            Payload::Other(_) | Payload::Base64(_) => {
                return Err(Violation::of_whole(
                    "its type has a schema, and this is not JSON",
                ));
            }
        };
        schema.check(&value, effort)
    }

    /// The event that it becomes; the bytes of the data stay as they are.
    pub fn announce(self, account: AccountId, now: Timestamp) -> Event {
        let (body, content_type) = match self.data {
            Payload::Empty => (Bytes::from_static(NO_DATA), None),
            Payload::Json(bytes) => {
                let said = self.content_type;
                (bytes, said.filter(|said| essence_of(said) != JSON_TYPE))
            }
            Payload::Other(bytes) | Payload::Base64(bytes) => {
                let said = self.content_type;
                (bytes, Some(said.unwrap_or_else(|| BYTES_TYPE.to_owned())))
            }
        };
        let as_json = |value| serde_json::to_string(value).expect("it is JSON");
        let attributes = Attributes {
            id: self.id,
            source: self.source,
            subject: self.subject,
            data_schema: self.dataschema,
            content_type,
            extensions: self
                .extensions
                .iter()
                .map(|(name, value)| (name.clone(), as_json(value)))
                .collect(),
        };
        let says_something = attributes != Attributes::default();
        Event {
            account,
            id: EventId::PENDING,
            kind: EventKind::Custom,
            event_type: self.event_type.as_str().to_owned().into(),
            audience: Audience::Account,
            chat: None,
            post: None,
            request: None,
            occurred_at: self.time.unwrap_or(now),
            body,
            confidential: false,
            attributes: says_something.then(|| Arc::new(attributes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::publishing::cloud_events::{read_binary, read_structured};
    use crate::events::publishing::plain;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn plain(text: &str) -> Draft {
        plain::read(text.as_bytes()).unwrap().remove(0)
    }

    fn announced(draft: Draft) -> Event {
        draft.announce(AccountId(1), NOW)
    }

    #[test]
    fn type_and_data_alone_have_no_attributes() {
        let event = announced(plain(r#"{"type":"a.b","data": { "x" : 1.0 } }"#));
        assert_eq!(event.type_name(), "a.b");
        assert_eq!(event.kind, EventKind::Custom);
        assert_eq!(event.audience, Audience::Account);
        assert_eq!(&event.body[..], br#"{ "x" : 1.0 }"#);
        assert_eq!((event.occurred_at, event.attributes), (NOW, None));
    }

    #[test]
    fn what_a_publisher_says_is_kept() {
        let text = r#"{"specversion":"1.0","id":"7","source":"/shop","type":"a.b",
            "time":"2026-03-26T10:18:41.460+01:00","subject":"s","dataschema":"https://x.test/1",
            "datacontenttype":"application/vnd.shop+json","tenant":"acme","level":3,"data":[1]}"#;
        let event = announced(read_structured(text.as_bytes()).unwrap());
        assert_eq!(event.occurred_at.to_string(), "2026-03-26T09:18:41.460Z");
        assert!(event.is_json());
        let text = |text: &str| text.to_owned();
        let expect = Attributes {
            id: Some(text("7")),
            source: Some(text("/shop")),
            subject: Some(text("s")),
            data_schema: Some(text("https://x.test/1")),
            content_type: Some(text("application/vnd.shop+json")),
            extensions: vec![
                (text("tenant"), text("\"acme\"")),
                (text("level"), text("3")),
            ],
        };
        assert_eq!(event.attributes.as_deref(), Some(&expect));
    }

    #[test]
    fn plain_json_needs_no_media_type_and_bytes_have_one() {
        let cloud_event = |rest: &str| {
            let text =
                format!(r#"{{"specversion":"1.0","id":"7","source":"/s","type":"a.b"{rest}}}"#);
            announced(read_structured(text.as_bytes()).unwrap())
        };
        for (rest, body, content_type) in [
            ("", "null", None),
            (r#","data":7"#, "7", None),
            (
                r#","data":7,"datacontenttype":"Application/JSON; charset=utf-8""#,
                "7",
                None,
            ),
            (
                r#","data":"<a/>","datacontenttype":"text/xml""#,
                "<a/>",
                Some("text/xml"),
            ),
            (
                r#","data_base64":"YWJj""#,
                "abc",
                Some("application/octet-stream"),
            ),
        ] {
            let event = cloud_event(rest);
            assert_eq!(&event.body[..], body.as_bytes(), "{rest}");
            let said = event.attributes.as_deref().unwrap();
            assert_eq!(said.content_type.as_deref(), content_type, "{rest}");
            assert_eq!(event.is_json(), content_type.is_none(), "{rest}");
        }
    }

    #[test]
    fn the_same_event_has_the_same_digest_however_it_comes() {
        let structured =
            r#"{"specversion":"1.0","id":"7","source":"/s","type":"a.b","data":{"x":1}}"#;
        let headers = [
            ("ce-specversion", &b"1.0"[..]),
            ("ce-id", b"7"),
            ("ce-source", b"/s"),
            ("ce-type", b"a.b"),
            ("content-type", b"application/json"),
        ];
        let binary = read_binary(headers, &Bytes::from_static(br#"{"x":1}"#)).unwrap();
        let plain = plain(r#"{"type":"a.b","data":{"x":1},"id":"7","source":"/s"}"#);
        let digest = announced(read_structured(structured.as_bytes()).unwrap()).digest();
        assert_eq!(announced(binary).digest(), digest);
        assert_eq!(announced(plain.clone()).digest(), digest);
        let other = Draft {
            data: Payload::Json(Bytes::from_static(br#"{"x":2}"#)),
            ..plain
        };
        assert_ne!(announced(other).digest(), digest);
    }
}
