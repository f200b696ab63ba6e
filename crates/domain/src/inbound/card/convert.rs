//! From the body of a hook request to what a post says.
//!
//! The hot path of the product: one pass over the text into a borrowing tree, one pass over the
//! tree. A field that is wrong costs itself and leaves a finding; only a body with nothing to post
//! is refused.

use std::borrow::Cow;

use crate::inbound::request::Finding;
use crate::kernel::limits::{
    ATTACHMENTS_MAX, CARD_FIELD_CHARS_MAX, CARD_FIELDS_MAX, CARD_TEXT_CHARS_MAX,
    GENERIC_FIELDS_MAX, POST_TEXT_CHARS_MAX,
};
use crate::messaging::markdown;
use crate::messaging::post::PostContent;

use super::adaptive;
use super::aliases::{self, Given, pick};
use super::calendar;
use super::findings::{Findings, Place};
use super::form::{Form, read_form};
use super::sanitise;
use super::tree::{Entries, Tree, TreeError, entry};
use super::{Attachment, Author, Card, Field, FieldStyle, Footnote};
use crate::inbound::card::value::Maybe;

/// A payload that became a post.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    pub content: PostContent,
    pub findings: Vec<Finding>,
}

/// A payload that did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub cause: RejectionCause,
    pub findings: Vec<Finding>,
}

/// Why there is nothing to post. `Display` is what the sender is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectionCause {
    #[error("Request body is not UTF-8")]
    NotUtf8,
    #[error("Request body is not JSON: line {line}, column {column}")]
    NotJson { line: usize, column: usize },
    #[error("Request body is nested too deeply")]
    TooDeep,
    #[error("Request body holds too many values")]
    TooManyValues,
    #[error("Request body must be a JSON object")]
    NotAnObject,
    #[error("Nothing to post")]
    Empty,
    #[error("Invalid AdaptiveCard payload")]
    InvalidAdaptiveCard {
        /// One sentence for each card that is no card.
        validation: Vec<String>,
    },
}

impl RejectionCause {
    /// Whether the body could not be read at all, as opposed to holding nothing to post.
    pub const fn is_unreadable(&self) -> bool {
        match self {
            Self::NotUtf8
            | Self::NotJson { .. }
            | Self::TooDeep
            | Self::TooManyValues
            | Self::NotAnObject => true,
            Self::Empty | Self::InvalidAdaptiveCard { .. } => false,
        }
    }

    fn alone(self) -> Rejection {
        Rejection {
            cause: self,
            findings: Vec::new(),
        }
    }
}

impl From<TreeError> for RejectionCause {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::NotJson { line, column } => Self::NotJson { line, column },
            TreeError::TooDeep => Self::TooDeep,
            TreeError::TooManyValues => Self::TooManyValues,
        }
    }
}

/// Converts the body of a hook request. `next_id` gives each attachment its number.
///
/// JSON is accepted under any content type, and as the `payload` field of a form. Texts are
/// cleaned as [`sanitise`] says, so NUL never reaches a store.
pub fn convert(
    payload: &[u8],
    content_type: Option<&str>,
    next_id: &mut dyn FnMut() -> u64,
) -> Result<Conversion, Rejection> {
    let text = std::str::from_utf8(payload).map_err(|_| RejectionCause::NotUtf8.alone())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match read_form(text, content_type) {
        Some(Form::Payload(payload)) => convert_json(&payload, next_id),
        Some(Form::Fields(fields)) => convert_object(&fields, next_id),
        None => convert_json(text, next_id),
    }
}

fn convert_json(text: &str, next_id: &mut dyn FnMut() -> u64) -> Result<Conversion, Rejection> {
    match Tree::parse(text) {
        Ok(Tree::Object(entries)) => convert_object(&entries, next_id),
        Ok(_) => Err(RejectionCause::NotAnObject.alone()),
        // An empty body is the commonest mistake, and "line 1, column 0" a poor answer to it.
        Err(_) if text.trim().is_empty() => Err(RejectionCause::Empty.alone()),
        Err(error) => Err(RejectionCause::from(error).alone()),
    }
}

fn convert_object(
    entries: &Entries<'_>,
    next_id: &mut dyn FnMut() -> u64,
) -> Result<Conversion, Rejection> {
    let mut converter = Converter {
        findings: Findings::default(),
        next_id,
        invalid_cards: Vec::new(),
    };
    let is_bare_card = entry(entries, "type").and_then(Tree::as_text) == Some(ADAPTIVE_CARD);
    let content = if is_bare_card {
        PostContent {
            attachments: converter
                .adaptive_card(entries, &Place::Root)
                .into_iter()
                .collect(),
            ..PostContent::default()
        }
    } else {
        converter.message(entries)
    };
    converter.finish(content, entries)
}

const ADAPTIVE_CARD: &str = "AdaptiveCard";

struct Converter<'i> {
    findings: Findings,
    next_id: &'i mut dyn FnMut() -> u64,
    /// What is said about cards that are none.
    invalid_cards: Vec<String>,
}

impl Converter<'_> {
    fn id(&mut self) -> String {
        (self.next_id)().to_string()
    }

    fn finish(
        mut self,
        mut content: PostContent,
        entries: &Entries<'_>,
    ) -> Result<Conversion, Rejection> {
        let rejected = |cause, findings: Findings| {
            Err(Rejection {
                cause,
                findings: findings.into_vec(),
            })
        };
        if !self.invalid_cards.is_empty() {
            let cause = RejectionCause::InvalidAdaptiveCard {
                validation: self.invalid_cards,
            };
            return rejected(cause, self.findings);
        }
        if is_blank(&content) {
            let Some(card) = self.generic_card(entries) else {
                return rejected(RejectionCause::Empty, self.findings);
            };
            content.attachments = vec![card];
        }
        Ok(Conversion {
            content,
            findings: self.findings.into_vec(),
        })
    }

    fn message(&mut self, entries: &Entries<'_>) -> PostContent {
        let root = Place::Root;
        let [text, activity, title, icon, emoji, attachments] =
            pick(&aliases::POST, entries, &root, &mut self.findings);
        PostContent {
            text: self.findings.text(text, &root, POST_TEXT_CHARS_MAX),
            activity: self.findings.short_text(activity, &root),
            title: self.findings.short_text(title, &root),
            icon_uri: self.findings.image(icon, &root),
            icon_emoji: self.findings.short_text(emoji, &root),
            attachments: self.attachments(attachments, &root),
            ..PostContent::default()
        }
    }

    fn attachments(&mut self, given: Maybe<'_, '_>, holder: &Place<'_>) -> Vec<Attachment> {
        let items = self.findings.list(given, holder);
        if items.is_empty() {
            return Vec::new();
        }
        let place = holder.key("attachments");
        let items = self.findings.at_most(items, ATTACHMENTS_MAX, &place);
        let read = |(index, item)| self.attachment(item, &place.index(index));
        items.iter().enumerate().filter_map(read).collect()
    }

    fn attachment(&mut self, value: &Tree<'_>, place: &Place<'_>) -> Option<Attachment> {
        let entries = self.findings.object(value, place)?;
        match entry(entries, "type") {
            None | Some(Tree::Null) => self.card(entries, place),
            Some(Tree::Text(kind)) => match &**kind {
                "Card" => self.card(entries, place),
                ADAPTIVE_CARD => self.adaptive_card(entries, place),
                "Event" => {
                    let id = self.id();
                    Some(calendar::read_event(entries, id, place, &mut self.findings))
                }
                "Note" => {
                    let id = self.id();
                    calendar::read_note(entries, id, place, &mut self.findings)
                }
                _ => {
                    self.findings
                        .note(&place.key("type"), "unknown type: taken as a Card");
                    self.card(entries, place)
                }
            },
            Some(other) => {
                let warning = format!("{} where a text belongs: taken as a Card", other.kind());
                self.findings.note(&place.key("type"), warning);
                self.card(entries, place)
            }
        }
    }

    fn adaptive_card(&mut self, entries: &Entries<'_>, place: &Place<'_>) -> Option<Attachment> {
        let id = self.id();
        let card = adaptive::read_card(entries, id, place, &mut self.findings);
        if card.is_err() {
            let validation = format!("{} does not match any schema", dotted(place));
            self.invalid_cards.push(validation);
        }
        card.ok().map(Attachment::AdaptiveCard)
    }

    fn card(&mut self, entries: &Entries<'_>, place: &Place<'_>) -> Option<Attachment> {
        let findings = &mut self.findings;
        let [
            fallback,
            color,
            intro,
            author,
            author_name,
            author_link,
            author_icon,
            title,
            title_uri,
            text,
            image,
            thumbnail,
            fields,
            footnote,
            footer,
            footer_icon,
            ts,
        ] = pick(&aliases::CARD, entries, place, findings);
        let mut card = Card {
            id: String::new(),
            fallback: findings.short_text(fallback, place),
            color: findings.color(color, place),
            intro: findings.short_text(intro, place),
            author: read_author(
                author,
                [author_name, author_link, author_icon],
                place,
                findings,
            ),
            title: findings.short_text(title, place),
            title_uri: findings.link(title_uri, place),
            text: findings.text(text, place, CARD_TEXT_CHARS_MAX),
            image_uri: findings.image(image, place),
            thumbnail_uri: findings.image(thumbnail, place),
            fields: read_fields(fields, place, findings),
            footnote: read_footnote(footnote, [footer, footer_icon, ts], place, findings),
        };
        let nothing = Card {
            color: card.color.clone(),
            ..Card::default()
        };
        if card == nothing {
            findings.note(place, "a card with nothing to show: left out");
            return None;
        }
        card.id = self.id();
        Some(Attachment::Card(card))
    }

    /// A card of the first values in a payload that is not in our format, so that nothing that was
    /// sent disappears without a trace.
    fn generic_card(&mut self, entries: &Entries<'_>) -> Option<Attachment> {
        let mut fields = Vec::new();
        collect_leaves(entries, &mut Vec::new(), &mut fields);
        if fields.is_empty() {
            return None;
        }
        self.findings.note(
            &Place::Root,
            "nothing to show under the known names: posted as a card of its first values",
        );
        Some(Attachment::Card(Card {
            id: self.id(),
            fallback: Some("Message in an unknown format".to_owned()),
            fields,
            ..Card::default()
        }))
    }
}

/// An icon alone is decoration.
fn is_blank(content: &PostContent) -> bool {
    content.text.is_none()
        && content.activity.is_none()
        && content.title.is_none()
        && content.attachments.is_empty()
}

/// `payload.attachments[0]`, as validation messages spell places.
fn dotted(place: &Place<'_>) -> String {
    match place {
        Place::Root => "payload".to_owned(),
        Place::Key(holder, key) => format!("{}.{key}", dotted(holder)),
        Place::Index(holder, index) => format!("{}[{index}]", dotted(holder)),
    }
}

fn read_author(
    author: Maybe<'_, '_>,
    flat: [Maybe<'_, '_>; 3],
    holder: &Place<'_>,
    findings: &mut Findings,
) -> Option<Author> {
    let [name, uri, icon_uri] = flat;
    let flat = Author {
        name: findings.short_text(name, holder).unwrap_or_default(),
        uri: findings.link(uri, holder),
        icon_uri: findings.image(icon_uri, holder),
    };
    let given = read_nested(author, &aliases::AUTHOR, holder, findings);
    let author = match given {
        None => flat,
        Some(Nested::Text(name)) => Author { name, ..flat },
        Some(Nested::Object([name, uri, icon_uri], place)) => {
            let place = holder.key(place);
            Author {
                name: findings.short_text(name, &place).unwrap_or(flat.name),
                uri: findings.link(uri, &place).or(flat.uri),
                icon_uri: findings.image(icon_uri, &place).or(flat.icon_uri),
            }
        }
    };
    (author != Author::default()).then_some(author)
}

fn read_footnote(
    footnote: Maybe<'_, '_>,
    flat: [Maybe<'_, '_>; 3],
    holder: &Place<'_>,
    findings: &mut Findings,
) -> Option<Footnote> {
    let [text, icon_uri, time] = flat;
    let flat = Footnote {
        text: findings.short_text(text, holder).unwrap_or_default(),
        icon_uri: findings.image(icon_uri, holder),
        time: findings.time(time, holder),
    };
    let given = read_nested(footnote, &aliases::FOOTNOTE, holder, findings);
    let footnote = match given {
        None => flat,
        Some(Nested::Text(text)) => Footnote { text, ..flat },
        Some(Nested::Object([text, icon_uri, time], place)) => {
            let place = holder.key(place);
            Footnote {
                text: findings.short_text(text, &place).unwrap_or(flat.text),
                icon_uri: findings.image(icon_uri, &place).or(flat.icon_uri),
                time: findings.time(time, &place).or(flat.time),
            }
        }
    };
    (footnote != Footnote::default()).then_some(footnote)
}

/// An author or footnote of the newer generation.
enum Nested<'t, 'a> {
    /// Some senders give the name or text alone.
    Text(String),
    Object([Maybe<'t, 'a>; 3], &'static str),
}

fn read_nested<'t, 'a>(
    given: Maybe<'t, 'a>,
    table: &aliases::Table<3>,
    holder: &Place<'_>,
    findings: &mut Findings,
) -> Option<Nested<'t, 'a>> {
    let Given { name, value } = given?;
    let place = holder.key(name);
    if let Tree::Text(_) = value {
        return findings.short_text(given, holder).map(Nested::Text);
    }
    let entries = findings.object(value, &place)?;
    Some(Nested::Object(pick(table, entries, &place, findings), name))
}

fn read_fields(given: Maybe<'_, '_>, holder: &Place<'_>, findings: &mut Findings) -> Vec<Field> {
    let items = findings.list(given, holder);
    let place = holder.key("fields");
    let items = findings.at_most(items, CARD_FIELDS_MAX, &place);
    let mut fields = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = place.index(index);
        if let Some(entries) = findings.object(item, &place) {
            fields.extend(read_field(entries, &place, findings));
        }
    }
    fields
}

fn read_field(entries: &Entries<'_>, place: &Place<'_>, findings: &mut Findings) -> Option<Field> {
    let [title, value, style, short] = pick(&aliases::FIELD, entries, place, findings);
    let title = findings.short_text(title, place);
    // Field values are often numbers, and a number needs no warning there.
    let value = value.and_then(|given| {
        findings.scalar_text(given.value, &place.key(given.name), CARD_FIELD_CHARS_MAX)
    });
    let named = findings.name_of(style, place, &["Short", "Long"]);
    let short = findings.boolean(short, place) == Some(true);
    let style = if named == Some("Short") || (named.is_none() && short) {
        FieldStyle::Short
    } else {
        FieldStyle::Long
    };
    if title.is_none() && value.is_none() {
        findings.note(place, "a field without title and value: left out");
        return None;
    }
    Some(Field {
        title: title.unwrap_or_default(),
        value: value.unwrap_or_default(),
        style,
    })
}

fn collect_leaves<'t>(
    entries: &'t Entries<'_>,
    path: &mut Vec<Cow<'t, str>>,
    fields: &mut Vec<Field>,
) {
    for (key, value) in entries {
        path.push(Cow::Borrowed(key));
        collect_leaf(value, path, fields);
        path.pop();
        if fields.len() == GENERIC_FIELDS_MAX {
            return;
        }
    }
}

fn collect_leaf<'t>(value: &'t Tree<'_>, path: &mut Vec<Cow<'t, str>>, fields: &mut Vec<Field>) {
    let text = match value {
        Tree::Null => return,
        Tree::Object(entries) => return collect_leaves(entries, path, fields),
        Tree::List(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Cow::Owned(index.to_string()));
                collect_leaf(item, path, fields);
                path.pop();
                if fields.len() == GENERIC_FIELDS_MAX {
                    return;
                }
            }
            return;
        }
        Tree::Text(text) => Cow::Borrowed(&**text),
        Tree::Number(number) => Cow::Owned(number.to_string()),
        Tree::Bool(value) => Cow::Owned(value.to_string()),
    };
    let value = shown_as_is(&text);
    if !value.is_empty() {
        fields.push(Field {
            title: shown_as_is(&path.join(".")),
            value,
            style: FieldStyle::Long,
        });
    }
}

/// Foreign text without the power of markup, within the limit of a field with its escapes.
fn shown_as_is(text: &str) -> String {
    // An escape doubles a character at most.
    let clean = sanitise::clean_text(text, CARD_FIELD_CHARS_MAX / 2);
    markdown::escape(&clean.text)
}
