//! What stands in `posts.content` under `attachments`.

use std::borrow::Cow;

use hookyard_domain::Timestamp;
use hookyard_domain::inbound::card::{
    AdaptiveCard, Attachment, Author, CalendarEvent, Card, Field, FieldStyle, Footnote, Note,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{borrowed, owned};

/// Something attached to a post.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
pub(super) enum AttachmentRecord<'a> {
    Card(CardRecord<'a>),
    AdaptiveCard(AdaptiveCardRecord<'a>),
    Event(CalendarEventRecord<'a>),
    Note(NoteRecord<'a>),
}

impl<'a> From<&'a Attachment> for AttachmentRecord<'a> {
    fn from(attachment: &'a Attachment) -> Self {
        match attachment {
            Attachment::Card(card) => Self::Card(card.into()),
            Attachment::AdaptiveCard(card) => Self::AdaptiveCard(card.into()),
            Attachment::Event(event) => Self::Event(event.into()),
            Attachment::Note(note) => Self::Note(note.into()),
        }
    }
}

impl From<AttachmentRecord<'_>> for Attachment {
    fn from(record: AttachmentRecord<'_>) -> Self {
        match record {
            AttachmentRecord::Card(card) => Self::Card(card.into()),
            AttachmentRecord::AdaptiveCard(card) => Self::AdaptiveCard(card.into()),
            AttachmentRecord::Event(event) => Self::Event(event.into()),
            AttachmentRecord::Note(note) => Self::Note(note.into()),
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CardRecord<'a> {
    id: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intro: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<AuthorRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title_uri: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_uri: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_uri: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footnote: Option<FootnoteRecord<'a>>,
}

impl<'a> From<&'a Card> for CardRecord<'a> {
    fn from(card: &'a Card) -> Self {
        Self {
            id: Cow::Borrowed(&card.id),
            fallback: borrowed(card.fallback.as_ref()),
            color: borrowed(card.color.as_ref()),
            intro: borrowed(card.intro.as_ref()),
            author: card.author.as_ref().map(AuthorRecord::from),
            title: borrowed(card.title.as_ref()),
            title_uri: borrowed(card.title_uri.as_ref()),
            text: borrowed(card.text.as_ref()),
            image_uri: borrowed(card.image_uri.as_ref()),
            thumbnail_uri: borrowed(card.thumbnail_uri.as_ref()),
            fields: card.fields.iter().map(FieldRecord::from).collect(),
            footnote: card.footnote.as_ref().map(FootnoteRecord::from),
        }
    }
}

impl From<CardRecord<'_>> for Card {
    fn from(record: CardRecord<'_>) -> Self {
        Self {
            id: record.id.into_owned(),
            fallback: owned(record.fallback),
            color: owned(record.color),
            intro: owned(record.intro),
            author: record.author.map(Author::from),
            title: owned(record.title),
            title_uri: owned(record.title_uri),
            text: owned(record.text),
            image_uri: owned(record.image_uri),
            thumbnail_uri: owned(record.thumbnail_uri),
            fields: record.fields.into_iter().map(Field::from).collect(),
            footnote: record.footnote.map(Footnote::from),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct FieldRecord<'a> {
    title: Cow<'a, str>,
    value: Cow<'a, str>,
    style: StyleRecord,
}

#[derive(Serialize, Deserialize)]
enum StyleRecord {
    Short,
    Long,
}

impl<'a> From<&'a Field> for FieldRecord<'a> {
    fn from(field: &'a Field) -> Self {
        Self {
            title: Cow::Borrowed(&field.title),
            value: Cow::Borrowed(&field.value),
            style: match field.style {
                FieldStyle::Short => StyleRecord::Short,
                FieldStyle::Long => StyleRecord::Long,
            },
        }
    }
}

impl From<FieldRecord<'_>> for Field {
    fn from(record: FieldRecord<'_>) -> Self {
        Self {
            title: record.title.into_owned(),
            value: record.value.into_owned(),
            style: match record.style {
                StyleRecord::Short => FieldStyle::Short,
                StyleRecord::Long => FieldStyle::Long,
            },
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorRecord<'a> {
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon_uri: Option<Cow<'a, str>>,
}

impl<'a> From<&'a Author> for AuthorRecord<'a> {
    fn from(author: &'a Author) -> Self {
        Self {
            name: Cow::Borrowed(&author.name),
            uri: borrowed(author.uri.as_ref()),
            icon_uri: borrowed(author.icon_uri.as_ref()),
        }
    }
}

impl From<AuthorRecord<'_>> for Author {
    fn from(record: AuthorRecord<'_>) -> Self {
        Self {
            name: record.name.into_owned(),
            uri: owned(record.uri),
            icon_uri: owned(record.icon_uri),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FootnoteRecord<'a> {
    text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon_uri: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
}

impl<'a> From<&'a Footnote> for FootnoteRecord<'a> {
    fn from(footnote: &'a Footnote) -> Self {
        Self {
            text: Cow::Borrowed(&footnote.text),
            icon_uri: borrowed(footnote.icon_uri.as_ref()),
            time: footnote.time,
        }
    }
}

impl From<FootnoteRecord<'_>> for Footnote {
    fn from(record: FootnoteRecord<'_>) -> Self {
        Self {
            text: record.text.into_owned(),
            icon_uri: owned(record.icon_uri),
            time: record.time,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct AdaptiveCardRecord<'a> {
    id: Cow<'a, str>,
    #[serde(flatten)]
    content: Cow<'a, Map<String, Value>>,
}

impl<'a> From<&'a AdaptiveCard> for AdaptiveCardRecord<'a> {
    fn from(card: &'a AdaptiveCard) -> Self {
        Self {
            id: Cow::Borrowed(&card.id),
            content: Cow::Borrowed(&card.content),
        }
    }
}

impl From<AdaptiveCardRecord<'_>> for AdaptiveCard {
    fn from(record: AdaptiveCardRecord<'_>) -> Self {
        Self {
            id: record.id.into_owned(),
            content: record.content.into_owned(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CalendarEventRecord<'a> {
    id: Cow<'a, str>,
    title: Cow<'a, str>,
    start_time: Timestamp,
    end_time: Timestamp,
    #[serde(default)]
    all_day: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrence: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_condition: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_after: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_on: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'a, str>>,
}

impl<'a> From<&'a CalendarEvent> for CalendarEventRecord<'a> {
    fn from(event: &'a CalendarEvent) -> Self {
        Self {
            id: Cow::Borrowed(&event.id),
            title: Cow::Borrowed(&event.title),
            start_time: event.start_time,
            end_time: event.end_time,
            all_day: event.all_day,
            recurrence: borrowed(event.recurrence.as_ref()),
            ending_condition: borrowed(event.ending_condition.as_ref()),
            ending_after: event.ending_after,
            ending_on: borrowed(event.ending_on.as_ref()),
            color: borrowed(event.color.as_ref()),
            location: borrowed(event.location.as_ref()),
            description: borrowed(event.description.as_ref()),
        }
    }
}

impl From<CalendarEventRecord<'_>> for CalendarEvent {
    fn from(record: CalendarEventRecord<'_>) -> Self {
        Self {
            id: record.id.into_owned(),
            title: record.title.into_owned(),
            start_time: record.start_time,
            end_time: record.end_time,
            all_day: record.all_day,
            recurrence: owned(record.recurrence),
            ending_condition: owned(record.ending_condition),
            ending_after: record.ending_after,
            ending_on: owned(record.ending_on),
            color: owned(record.color),
            location: owned(record.location),
            description: owned(record.description),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct NoteRecord<'a> {
    id: Cow<'a, str>,
    title: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
}

impl<'a> From<&'a Note> for NoteRecord<'a> {
    fn from(note: &'a Note) -> Self {
        Self {
            id: Cow::Borrowed(&note.id),
            title: Cow::Borrowed(&note.title),
            text: borrowed(note.text.as_ref()),
        }
    }
}

impl From<NoteRecord<'_>> for Note {
    fn from(record: NoteRecord<'_>) -> Self {
        Self {
            id: record.id.into_owned(),
            title: record.title.into_owned(),
            text: owned(record.text),
        }
    }
}
