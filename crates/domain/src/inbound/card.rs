//! What a post can carry: the card model, in the words of the wire.
//!
//! `crate::inbound::card` holds what is stored and shown; how foreign payloads become it is in the modules
//! below: `tree` reads JSON, `form` unwraps it, `aliases` says what fields are called, `reading`
//! and `sanitise` make single values safe, `adaptive` Microsoft's cards, `calendar` events and
//! notes, and `convert` puts them together.

mod adaptive;
mod aliases;
mod calendar;
#[cfg(test)]
mod conversion_tests;
mod convert;
mod findings;
mod form;
pub mod sanitise;
mod summary;
mod tree;
mod value;

pub use convert::{Conversion, Rejection, RejectionCause, convert};
pub use sanitise::clean_post_text;
pub use summary::summary;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::kernel::time::Timestamp;

/// Something attached to a post. `type` on the wire names the kind; every attachment has an `id`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum Attachment {
    Card(Card),
    AdaptiveCard(AdaptiveCard),
    Event(CalendarEvent),
    Note(Note),
}

/// How wide a field is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FieldStyle {
    Short,
    Long,
}

/// One title and value of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    pub title: String,
    pub value: String,
    pub style: FieldStyle,
}

/// Who a card says it is from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Author {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon_uri: Option<String>,
}

/// The small print under a card.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Footnote {
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
}

/// A card in the second generation's words (contract section 2.3), plus `titleUri`, which the
/// first generation called `title_link`. Texts are mini-markdown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// One of the eight names or `#rrggbb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intro: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail_uri: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footnote: Option<Footnote>,
}

/// Microsoft's card as it came, minus what is unsafe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdaptiveCard {
    pub id: String,
    /// `$schema`, `version`, `body`, `actions` and the rest, without `type` and `id`.
    #[serde(flatten)]
    pub content: Map<String, Value>,
}

/// A calendar event as an attachment (contract sections 2.3 and 3.4). Values of the enumerations
/// are kept as their names on the wire, already checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CalendarEvent {
    pub id: String,
    pub title: String,
    pub start_time: Timestamp,
    pub end_time: Timestamp,
    pub all_day: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending_condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending_after: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A note as an attachment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    pub id: String,
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
