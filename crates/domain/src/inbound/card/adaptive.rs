//! Adaptive Cards, made safe and otherwise kept as they came.
//!
//! The page renders them with Microsoft's own renderer, which opens any address, fetches any
//! image, runs any `regex` and recurses as deep as it is told. So addresses keep safe schemes,
//! images are https or small and embedded, patterns go, and size is bounded. Elements that we do
//! not know stay: the renderer falls back by itself. Versions are never a reason to refuse.

use serde_json::{Map, Value};

use crate::kernel::limits::{
    ADAPTIVE_DATA_IMAGE_CHARS_MAX, ADAPTIVE_ELEMENTS_MAX, ADAPTIVE_IMAGES_MAX,
    CARD_FIELD_CHARS_MAX, POST_TEXT_CHARS_MAX,
};

use super::AdaptiveCard;
use super::findings::{Findings, Place};
use super::sanitise::{clean_image, clean_link, clean_text, is_refused};
use super::tree::{Entries, Tree, entry};

/// The payload calls itself an Adaptive Card and is not built like one.
#[derive(Debug)]
pub(super) struct NotACard;

/// What the platform fills in when a card does not say it.
const VERSION_DEFAULT: &str = "1.3";

/// Keys that would reach into an object's prototype in a page.
const PROTOTYPE_KEYS: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// Images that a card may carry in itself. No SVG: it is a document.
const DATA_IMAGE_PREFIXES: [&str; 4] = [
    "data:image/png;base64,",
    "data:image/jpeg;base64,",
    "data:image/jpg;base64,",
    "data:image/gif;base64,",
];

/// Reads the card `entries`; `id` is its id here.
pub(super) fn read_card(
    entries: &Entries<'_>,
    id: String,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Result<AdaptiveCard, NotACard> {
    let body = typed_items(entries, "body", place, findings)?;
    let actions = typed_items(entries, "actions", place, findings)?;
    if body.is_none() && actions.is_none() {
        findings.note(place, "a card with neither body nor actions");
        return Err(NotACard);
    }
    let mut walk = Walk {
        findings,
        elements: 0,
        images: 0,
    };
    let Some(Value::Object(mut content)) = walk.object(entries, place, "") else {
        return Err(NotACard);
    };
    // The id is ours, and the type is said by the attachment.
    content.remove("type");
    content.remove("id");
    if !content.get("version").is_some_and(Value::is_string) {
        content.insert("version".to_owned(), VERSION_DEFAULT.into());
    }
    Ok(AdaptiveCard { id, content })
}

/// Checks that `key`, if it is there, is a list of objects that each name their type.
fn typed_items(
    entries: &Entries<'_>,
    key: &'static str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Result<Option<()>, NotACard> {
    let place = place.key(key);
    let items = match entry(entries, key) {
        None | Some(Tree::Null) => return Ok(None),
        Some(Tree::List(items)) => items,
        Some(other) => {
            findings.note(&place, format!("{} where a list belongs", other.kind()));
            return Err(NotACard);
        }
    };
    for (index, item) in items.iter().enumerate() {
        let Tree::Object(entries) = item else {
            let warning = format!("{} where an element belongs", item.kind());
            findings.note(&place.index(index), warning);
            return Err(NotACard);
        };
        if entry(entries, "type").and_then(Tree::as_text).is_none() {
            findings.note(&place.index(index), "an element without a type");
            return Err(NotACard);
        }
    }
    Ok(Some(()))
}

struct Walk<'f> {
    findings: &'f mut Findings,
    elements: usize,
    images: usize,
}

impl Walk<'_> {
    /// The safe form of a value that stands under `key`, or in a list under it.
    fn value(&mut self, value: &Tree<'_>, place: &Place<'_>, key: &str) -> Option<Value> {
        Some(match value {
            Tree::Null => Value::Null,
            Tree::Bool(value) => Value::Bool(*value),
            Tree::Number(number) => Value::Number(number.clone()),
            Tree::Text(text) => self.text(text, place),
            Tree::List(items) => {
                let read = |(index, item)| self.value(item, &place.index(index), key);
                Value::Array(items.iter().enumerate().filter_map(read).collect())
            }
            Tree::Object(entries) => return self.object(entries, place, key),
        })
    }

    fn text(&mut self, text: &str, place: &Place<'_>) -> Value {
        let clean = self.findings.clean(text, place, POST_TEXT_CHARS_MAX);
        Value::String(clean.unwrap_or_default())
    }

    fn object(&mut self, entries: &Entries<'_>, place: &Place<'_>, key: &str) -> Option<Value> {
        if self.elements == ADAPTIVE_ELEMENTS_MAX {
            let warning = format!("more than {ADAPTIVE_ELEMENTS_MAX} elements: left out");
            self.findings.note(place, warning);
            return None;
        }
        self.elements += 1;
        let kind = entry(entries, "type").and_then(Tree::as_text).unwrap_or("");
        let is_image = kind == "Image" || (kind.is_empty() && key == "images");
        if is_image {
            if self.images == ADAPTIVE_IMAGES_MAX {
                let warning = format!("more than {ADAPTIVE_IMAGES_MAX} images: left out");
                self.findings.note(place, warning);
                return None;
            }
            self.images += 1;
        }
        let mut object = Map::new();
        for (name, value) in entries {
            let place = place.key(name);
            if !self.may_name(name, &place) {
                continue;
            }
            let safe = match (&**name, value) {
                ("regex", _) if kind.starts_with("Input.") => {
                    self.findings.note(&place, "patterns are not run: left out");
                    None
                }
                ("url", _) if is_image || matches!(key, "backgroundImage") => {
                    match self.image(value, &place) {
                        None if is_image => return Self::in_place_of_image(entries, key),
                        None => return None,
                        image => image,
                    }
                }
                // Without its address, an action or a source is nothing.
                ("url", _) if kind != "AdaptiveCard" => Some(self.link(value, &place)?),
                ("iconUrl" | "poster", _) | ("backgroundImage", Tree::Text(_)) => {
                    self.image(value, &place)
                }
                ("data", value) if kind.starts_with("Action.") => self.data(value, &place),
                (name, value) => self.value(value, &place, name),
            };
            if let Some(safe) = safe {
                object.insert(name.clone().into_owned(), safe);
            }
        }
        Some(Value::Object(object))
    }

    fn may_name(&mut self, name: &str, place: &Place<'_>) -> bool {
        let warning = if PROTOTYPE_KEYS.contains(&name) {
            "a key that reaches into prototypes: left out"
        } else if name.len() > CARD_FIELD_CHARS_MAX || name.chars().any(is_refused) {
            "too long, or control characters in a key: left out"
        } else {
            return true;
        };
        self.findings.note(place, warning);
        false
    }

    /// What an action sends back: the card's own business, without keys and characters that
    /// nobody may store.
    fn data(&mut self, value: &Tree<'_>, place: &Place<'_>) -> Option<Value> {
        match value {
            Tree::Object(entries) => {
                let mut object = Map::new();
                for (name, value) in entries {
                    let place = place.key(name);
                    if self.may_name(name, &place)
                        && let Some(value) = self.data(value, &place)
                    {
                        object.insert(name.clone().into_owned(), value);
                    }
                }
                Some(Value::Object(object))
            }
            Tree::List(items) => {
                let read = |(index, item)| self.data(item, &place.index(index));
                Some(Value::Array(
                    items.iter().enumerate().filter_map(read).collect(),
                ))
            }
            other => self.value(other, place, "data"),
        }
    }

    fn link(&mut self, value: &Tree<'_>, place: &Place<'_>) -> Option<Value> {
        let Some(address) = value.as_text() else {
            self.findings.wrong_kind(value, place, "an address");
            return None;
        };
        match clean_link(address) {
            Ok(link) => Some(Value::String(link)),
            Err(error) => {
                let warning = format!("{error}: left out, with what it belongs to");
                self.findings.note(place, warning);
                None
            }
        }
    }

    fn image(&mut self, value: &Tree<'_>, place: &Place<'_>) -> Option<Value> {
        let Some(address) = value.as_text() else {
            if !matches!(value, Tree::Null) {
                self.findings.wrong_kind(value, place, "an address");
            }
            return None;
        };
        if is_embedded_image(address) {
            return Some(Value::String(address.to_owned()));
        }
        match clean_image(address) {
            Ok(image) => Some(Value::String(image)),
            Err(error) => {
                self.findings.note(place, format!("{error}: not shown"));
                None
            }
        }
    }

    /// A subtle text instead of an image that cannot be shown, where a text may stand.
    fn in_place_of_image(entries: &Entries<'_>, key: &str) -> Option<Value> {
        if !matches!(key, "body" | "items") {
            return None;
        }
        let described = entry(entries, "altText").and_then(Tree::as_text);
        let text = clean_text(described.unwrap_or_default().trim(), CARD_FIELD_CHARS_MAX).text;
        let text = if text.is_empty() {
            "Image not shown"
        } else {
            &*text
        };
        let mut block = Map::new();
        block.insert("type".to_owned(), "TextBlock".into());
        block.insert("text".to_owned(), text.into());
        block.insert("isSubtle".to_owned(), true.into());
        block.insert("wrap".to_owned(), true.into());
        Some(Value::Object(block))
    }
}

fn is_embedded_image(address: &str) -> bool {
    address.len() <= ADAPTIVE_DATA_IMAGE_CHARS_MAX
        && DATA_IMAGE_PREFIXES.iter().any(|prefix| {
            address.strip_prefix(prefix).is_some_and(|content| {
                !content.is_empty()
                    && content
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
            })
        })
}
