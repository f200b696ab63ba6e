//! What an app sends to be published, in whichever form, once it is read: events without a place
//! in the store yet.

use std::collections::HashSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::events::type_name::{RESERVED_PREFIX, TypeName};
use crate::kernel::limits::{
    ATTRIBUTE_CHARS_MAX, DRAFT_ERRORS_MAX, EVENTS_PER_BATCH_MAX, PUBLISHED_BODY_BYTES_MAX,
};
use crate::kernel::raw::{ItemsError, Members, check_json, items_of};
use crate::kernel::time::Timestamp;

/// What is wrong with what was sent, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DraftError {
    /// JSON pointer into what was sent, such as `/3/data` for the data of the fourth event of a
    /// batch; empty for the whole. An attribute in a header has the pointer that it would have as a
    /// member.
    pub pointer: String,
    /// For people: what is wrong, and what to do.
    pub message: String,
}

/// An event that someone wants to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The sender's own id: with `source` it makes publishing idempotent.
    pub id: Option<String>,
    pub source: Option<String>,
    pub event_type: TypeName,
    pub subject: Option<String>,
    /// When it happened, if the sender says so.
    pub time: Option<Timestamp>,
    /// The version of its type that the data should satisfy; `None` for the newest.
    pub schema_version: Option<u32>,
    /// `dataschema` of CloudEvents as it came, whether or not it names a version of ours.
    pub dataschema: Option<String>,
    /// `datacontenttype` of CloudEvents as it came.
    pub content_type: Option<String>,
    pub data: Payload,
    /// Extension attributes of CloudEvents, in their order.
    pub extensions: Vec<(String, ExtensionValue)>,
}

impl Draft {
    /// What must not be published twice: source and id. An event without a source shares the
    /// source of no other; sources that are said are never empty.
    pub fn identity(&self) -> Option<(&str, &str)> {
        let source = self.source.as_deref().unwrap_or_default();
        self.id.as_deref().map(|id| (source, id))
    }
}

/// The data of an event, in the bytes that it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Nothing: CloudEvents need no data.
    Empty,
    /// JSON, with its whitespace and the spelling of its numbers.
    Json(Bytes),
    /// Data of another media type, as text or as the body of a request.
    Other(Bytes),
    /// Bytes that came as Base64, decoded.
    Base64(Bytes),
}

impl Payload {
    /// The bytes of the data itself.
    pub const fn bytes(&self) -> &Bytes {
        static NOTHING: Bytes = Bytes::new();
        match self {
            Self::Empty => &NOTHING,
            Self::Json(bytes) | Self::Other(bytes) | Self::Base64(bytes) => bytes,
        }
    }

    /// Name in tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Json(_) => "json",
            Self::Other(_) => "other",
            Self::Base64(_) => "base64",
        }
    }

    /// The payload of this name with `bytes`; `None` when there is no such name.
    pub fn from_name(name: &str, bytes: Bytes) -> Option<Self> {
        match name {
            "empty" => Some(Self::Empty),
            "json" => Some(Self::Json(bytes)),
            "other" => Some(Self::Other(bytes)),
            "base64" => Some(Self::Base64(bytes)),
            _ => None,
        }
    }

    /// JSON that stands for the data: itself when it is JSON, null for nothing, and else a string:
    /// the text, or the Base64 of bytes.
    pub fn to_json(&self) -> Bytes {
        let bytes = match self {
            Self::Empty => return Bytes::from_static(b"null"),
            Self::Json(bytes) => return bytes.clone(),
            Self::Other(bytes) | Self::Base64(bytes) => bytes,
        };
        match self.text() {
            Some(text) => json_string(text).into(),
            None => json_string(&STANDARD.encode(bytes)).into(),
        }
    }

    /// The text of data that is neither JSON nor came as bytes.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Other(bytes) => str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

/// The value of an extension attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ExtensionValue {
    Boolean(bool),
    Integer(i32),
    Text(String),
}

impl fmt::Display for ExtensionValue {
    /// Writes it as it stands in a header, before that is escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// Whether `body` is a batch: a JSON array, not an object.
pub fn is_batch(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"[")
}

/// Checks what may be an event's id, source or subject, such as the header `Idempotency-Key`.
///
/// # Errors
///
/// What is wrong, in words.
pub fn check_attribute(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("it is empty: leave it out, or say something".into());
    }
    if text.chars().count() > ATTRIBUTE_CHARS_MAX {
        return Err(format!(
            "it is longer than {ATTRIBUTE_CHARS_MAX} characters"
        ));
    }
    if text.chars().any(char::is_control) {
        return Err("it has control characters".into());
    }
    Ok(())
}

/// The mistakes that are found while reading, and where the reader is.
#[derive(Debug, Default)]
pub(super) struct Findings {
    item: String,
    errors: Vec<DraftError>,
}

impl Findings {
    /// Notes a mistake at `member`, or at the whole event when that is empty.
    pub(super) fn add(&mut self, member: &str, message: impl Into<String>) {
        if self.is_full() {
            return;
        }
        let mut pointer = self.item.clone();
        if !member.is_empty() {
            pointer.push('/');
            pointer.push_str(&member.replace('~', "~0").replace('/', "~1"));
        }
        self.errors.push(DraftError {
            pointer,
            message: message.into(),
        });
    }

    /// The value of `result`; otherwise notes what is wrong at `member`.
    pub(super) fn take<T>(&mut self, member: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.add(member, message)).ok()
    }

    /// Notes the first name that `members` has twice; whether there is none.
    pub(super) fn unrepeated(&mut self, members: &Members<'_>) -> bool {
        let mut names = HashSet::new();
        let repeated = members.iter().find(|(name, _)| !names.insert(&**name));
        if let Some((name, _)) = repeated {
            self.add(name, "it is there twice: name each member once");
        }
        repeated.is_none()
    }

    pub(super) fn count(&self) -> usize {
        self.errors.len()
    }

    fn is_full(&self) -> bool {
        self.errors.len() >= DRAFT_ERRORS_MAX
    }

    fn or<T>(self, read: Option<T>) -> Result<T, Vec<DraftError>> {
        match read {
            Some(read) if self.errors.is_empty() => Ok(read),
            _ => Err(self.errors),
        }
    }
}

/// Reads one event with `read`, which notes a mistake when it returns `None`.
pub(super) fn one(
    read: impl FnOnce(&mut Findings) -> Option<Draft>,
) -> Result<Draft, Vec<DraftError>> {
    let mut findings = Findings::default();
    let draft = read(&mut findings);
    findings.or(draft)
}

/// Reads the items of the array `body` with `read`, all of them even when some are wrong, until
/// [`DRAFT_ERRORS_MAX`] mistakes are found.
pub(super) fn batch(
    body: &[u8],
    read: impl Fn(&RawValue, &mut Findings) -> Option<Draft>,
) -> Result<Vec<Draft>, Vec<DraftError>> {
    let mut findings = Findings::default();
    let items = items_of(body, EVENTS_PER_BATCH_MAX).map_err(|error| match error {
        ItemsError::TooMany => format!("a batch has {EVENTS_PER_BATCH_MAX} events at most"),
        ItemsError::Unreadable(error) => format!("not a JSON array of events: {error}"),
    });
    let Some(items) = findings.take("", items) else {
        return findings.or(None);
    };
    let mut drafts = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        findings.item = format!("/{index}");
        drafts.extend(read(item, &mut findings));
        if findings.is_full() {
            break;
        }
    }
    findings.or(Some(drafts))
}

/// Takes the bytes of JSON data as they are.
pub(super) fn json_payload(text: &str) -> Result<Payload, String> {
    check_size(text.len())?;
    check_json(text)?;
    Ok(Payload::Json(Bytes::copy_from_slice(text.as_bytes())))
}

pub(super) fn check_size(length: usize) -> Result<(), String> {
    if length > PUBLISHED_BODY_BYTES_MAX {
        return Err(format!(
            "the data is larger than {PUBLISHED_BODY_BYTES_MAX} bytes: send an address where it can be had"
        ));
    }
    Ok(())
}

pub(super) fn json_string(text: &str) -> String {
    serde_json::to_string(text).expect("a string can be written as JSON")
}

/// The string that `value` is.
pub(super) fn read_string(value: &RawValue) -> Result<String, String> {
    if value.get().starts_with('"') {
        serde_json::from_str(value.get()).map_err(|error| format!("not a string: {error}"))
    } else {
        Err("expected a string".into())
    }
}

/// A time with an offset.
pub(super) fn read_time(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| "not a time such as 2026-03-26T09:18:41.460Z".into())
}

/// A type that apps may publish.
pub(super) fn read_type(text: &str) -> Result<TypeName, String> {
    let name = TypeName::parse(text).map_err(|error| error.to_string())?;
    if name.is_reserved() {
        return Err(format!(
            "events whose types begin with `{RESERVED_PREFIX}` come from Hookyard alone"
        ));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_one_event_and_an_array_a_batch() {
        for (body, expect) in [
            ("[]", true),
            (" \r\n\t[{}]", true),
            ("{}", false),
            ("", false),
        ] {
            assert_eq!(is_batch(body.as_bytes()), expect, "{body:?}");
        }
    }

    #[test]
    fn attributes_have_1_to_512_visible_characters() {
        assert!(check_attribute("größer 😀").is_ok());
        assert!(check_attribute(&"ü".repeat(ATTRIBUTE_CHARS_MAX)).is_ok());
        let long = "ü".repeat(ATTRIBUTE_CHARS_MAX + 1);
        for text in ["", "a\nb", "a\0", "a\u{85}", "a\u{7f}", &long] {
            assert!(check_attribute(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn data_that_is_not_json_is_a_string_in_json() {
        let bytes = Bytes::from_static;
        for (payload, expect) in [
            (Payload::Empty, "null"),
            (Payload::Json(bytes(b"{ \"a\": 1.0 }")), "{ \"a\": 1.0 }"),
            (Payload::Other(bytes(b"<a b=\"c\"/>")), r#""<a b=\"c\"/>""#),
            (Payload::Other(bytes(b"\xff\xfe")), r#""//4=""#),
            (Payload::Base64(bytes(b"abc")), r#""YWJj""#),
        ] {
            assert_eq!(payload.to_json(), expect, "{payload:?}");
            let read = Payload::from_name(payload.name(), payload.bytes().clone());
            assert_eq!(read, Some(payload));
        }
        assert_eq!(Payload::from_name("xml", Bytes::new()), None);
    }

    #[test]
    fn values_of_extensions_keep_their_kind() {
        let text = r#"[["a",true],["b",-7],["c","7"]]"#;
        let read: Vec<(String, ExtensionValue)> = serde_json::from_str(text).unwrap();
        assert_eq!(read[0].1, ExtensionValue::Boolean(true));
        assert_eq!(read[1].1, ExtensionValue::Integer(-7));
        assert_eq!(read[2].1, ExtensionValue::Text("7".into()));
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }
}
