//! Composing events. The bytes of JSON data go out as they came in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::binary::encode;
use super::{HEADER_PREFIX, SPEC_VERSION};
use crate::events::publishing::draft::{ExtensionValue, Payload, json_string};
use crate::kernel::time::Timestamp;

/// An event that is written as a `CloudEvent`. Attributes that are not here are left out.
#[derive(Debug, Clone, Copy)]
pub struct CloudEvent<'a> {
    pub id: &'a str,
    pub source: &'a str,
    pub event_type: &'a str,
    pub subject: Option<&'a str>,
    pub time: Option<Timestamp>,
    pub dataschema: Option<&'a str>,
    /// The media type of the data, when another is known than the one that its kind implies.
    pub content_type: Option<&'a str>,
    pub data: &'a Payload,
    pub extensions: &'a [(String, ExtensionValue)],
}

impl CloudEvent<'_> {
    /// The body of a request in structured mode: a JSON object.
    pub fn structured(&self) -> Bytes {
        let mut text = String::with_capacity(512 + self.data.bytes().len());
        text.push('{');
        for (name, value) in self.attributes() {
            push_member(&mut text, name, &json_of(&value));
        }
        if let Some(media_type) = self.media_type() {
            push_member(&mut text, "datacontenttype", &json_string(media_type));
        }
        for (name, value) in self.extensions {
            push_member(&mut text, name, &json_of(value));
        }
        let mut text = text.into_bytes();
        match (self.data, self.data.text()) {
            (Payload::Empty, _) => {}
            (Payload::Json(bytes), _) => {
                text.extend_from_slice(b",\"data\":");
                text.extend_from_slice(bytes);
            }
            (_, Some(string)) => {
                text.extend_from_slice(b",\"data\":");
                text.extend_from_slice(json_string(string).as_bytes());
            }
            (data, None) => {
                text.extend_from_slice(b",\"data_base64\":\"");
                text.extend_from_slice(STANDARD.encode(data.bytes()).as_bytes());
                text.push(b'"');
            }
        }
        text.push(b'}');
        text.into()
    }

    /// The headers of a request in binary mode, `content-type` included; the body is
    /// [`Payload::bytes`]. Names are in small letters, values in visible ASCII.
    pub fn headers(&self) -> Vec<(String, String)> {
        let named = |name: &str, value: &ExtensionValue| {
            let value = encode(&value.to_string());
            (format!("{HEADER_PREFIX}{name}"), value)
        };
        let attributes = self.attributes().into_iter();
        let mut headers: Vec<_> = attributes
            .map(|(name, value)| named(name, &value))
            .collect();
        headers.extend(
            self.extensions
                .iter()
                .map(|(name, value)| named(name, value)),
        );
        let media_type = self.media_type().map(str::to_owned);
        headers.extend(media_type.map(|value| ("content-type".to_owned(), value)));
        headers
    }

    /// The attributes of the specification except `datacontenttype`.
    fn attributes(&self) -> Vec<(&'static str, ExtensionValue)> {
        let time = self.time.map(|time| time.to_string());
        let all = [
            ("specversion", Some(SPEC_VERSION)),
            ("id", Some(self.id)),
            ("source", Some(self.source)),
            ("type", Some(self.event_type)),
            ("subject", self.subject),
            ("time", time.as_deref()),
            ("dataschema", self.dataschema),
        ];
        let text = |value: &str| ExtensionValue::Text(value.to_owned());
        all.into_iter()
            .filter_map(|(name, value)| Some((name, text(value?))))
            .collect()
    }

    fn media_type(&self) -> Option<&str> {
        let implied = match self.data {
            Payload::Json(_) => Some("application/json"),
            // Without a type it would be read as JSON.
            Payload::Other(_) => Some("application/octet-stream"),
            Payload::Empty | Payload::Base64(_) => None,
        };
        self.content_type.or(implied)
    }
}

/// The body of a request in batched mode, of events in structured mode.
pub fn batch<'a>(structured: impl IntoIterator<Item = &'a [u8]>) -> Bytes {
    let mut text = vec![b'['];
    for event in structured {
        if text.len() > 1 {
            text.push(b',');
        }
        text.extend_from_slice(event);
    }
    text.push(b']');
    text.into()
}

fn json_of(value: &ExtensionValue) -> String {
    match value {
        ExtensionValue::Text(text) => json_string(text),
        other => other.to_string(),
    }
}

/// Adds a member to the object that `text` begins.
fn push_member(text: &mut String, name: &str, value: &str) {
    if text.len() > 1 {
        text.push(',');
    }
    text.push_str(&json_string(name));
    text.push(':');
    text.push_str(value);
}
