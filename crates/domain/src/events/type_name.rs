//! Names of event types, such as `invoice.paid`, and the patterns that ask for them.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::kernel::limits::TYPE_NAME_CHARS_MAX;

/// How the names of events begin that Hookyard itself makes about endpoints.
pub const RESERVED_PREFIX: &str = "hookyard.";

/// Why a text does not name an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the name of an event type: use 1 to {TYPE_NAME_CHARS_MAX} of the characters A-Z, a-z, 0-9, `_` and `-`, with single dots between them, as in `invoice.paid`"
)]
pub struct TypeNameError;

/// Why a text is not a pattern of event types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a pattern of event types: use a name such as `invoice.paid`, with `*` in place of whole parts as in `invoice.*`, of {TYPE_NAME_CHARS_MAX} characters at most"
)]
pub struct TypePatternError;

/// The name of an event type: 1 to [`TYPE_NAME_CHARS_MAX`] characters, segments of `[A-Za-z0-9_-]`
/// with dots between them. Case counts. Clones share the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeName(Arc<str>);

impl TypeName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, TypeNameError> {
        let valid = text.len() <= TYPE_NAME_CHARS_MAX && text.split('.').all(is_segment);
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(TypeNameError)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only Hookyard makes events of this type.
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with(RESERVED_PREFIX)
    }
}

/// What an endpoint asks for: a name in which `*` stands for whole segments. A star at the end
/// stands for one or more of them, elsewhere for exactly one; so `*` asks for everything. Clones
/// share the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypePattern(Arc<str>);

impl TypePattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, TypePatternError> {
        let valid = text.len() <= TYPE_NAME_CHARS_MAX
            && text.split('.').all(|part| part == "*" || is_segment(part));
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(TypePatternError)
        }
    }

    /// The pattern as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it asks for the type `name`. What happens to Hookyard's own workings, such as to the
    /// endpoints of others, is only for patterns that say so: `*` does not cover `hookyard.`.
    pub fn matches(&self, name: &str) -> bool {
        if name.starts_with(RESERVED_PREFIX) && !self.0.starts_with(RESERVED_PREFIX) {
            return false;
        }
        let mut segments = name.split('.');
        let mut parts = self.0.split('.').peekable();
        while let Some(part) = parts.next() {
            let Some(segment) = segments.next() else {
                return false;
            };
            match part {
                "*" if parts.peek().is_none() => return true,
                "*" => {}
                _ if part == segment => {}
                _ => return false,
            }
        }
        segments.next().is_none()
    }

    /// The only name that it asks for; `None` when it has stars.
    pub fn exact(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(&*self.0)
    }
}

fn is_segment(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !text.is_empty() && text.bytes().all(allowed)
}

impl From<TypeName> for TypePattern {
    /// Asks for this name alone.
    fn from(name: TypeName) -> Self {
        Self(name.0)
    }
}

impl Borrow<str> for TypeName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for TypeName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TypeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl Borrow<str> for TypePattern {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for TypePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TypePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::catalogue::EVENT_TYPES;
    use crate::events::event::EventKind;
    use proptest::prelude::*;

    const NAME: &str = "[A-Za-z0-9_-]{1,6}(\\.[A-Za-z0-9_-]{1,6}){0,4}";

    fn pattern(text: &str) -> TypePattern {
        TypePattern::parse(text).unwrap()
    }

    #[test]
    fn names_are_segments_with_single_dots_between() {
        for (text, expect) in [
            ("presence", true),
            ("invoice.paid", true),
            ("post.PostAdded", true),
            ("a_b.c-d.0", true),
            ("com.example.order.created.v2", true),
            ("", false),
            (".", false),
            (".paid", false),
            ("invoice.", false),
            ("invoice..paid", false),
            ("invoice.*", false),
            ("invoice paid", false),
            ("invoice/paid", false),
            ("rechnung.bezahlt€", false),
            ("invoice.paid\n", false),
        ] {
            assert_eq!(TypeName::parse(text).is_ok(), expect, "{text:?}");
        }
    }

    #[test]
    fn every_event_type_of_the_catalogue_has_a_name() {
        for event_type in &EVENT_TYPES {
            let name = TypeName::parse(event_type.name).unwrap();
            let ours = event_type.kind == EventKind::Hookyard;
            assert_eq!(name.is_reserved(), ours, "{name}");
        }
    }

    #[test]
    fn a_name_or_pattern_may_have_128_characters_and_not_one_more() {
        let longest = "a".repeat(TYPE_NAME_CHARS_MAX);
        assert!(TypeName::parse(&longest).is_ok() && TypePattern::parse(&longest).is_ok());
        let longer = "a".repeat(TYPE_NAME_CHARS_MAX + 1);
        assert_eq!(TypeName::parse(&longer), Err(TypeNameError));
        assert_eq!(TypePattern::parse(&longer), Err(TypePatternError));
    }

    #[test]
    fn names_that_hookyard_keeps_for_itself_are_known() {
        for (name, expect) in [
            ("hookyard.endpoint.errored", true),
            ("hookyard.test", true),
            ("hookyard", false),
            ("hookyards.test", false),
        ] {
            let name = TypeName::parse(name).unwrap();
            assert_eq!(name.is_reserved(), expect, "{name}");
        }
    }

    #[test]
    fn a_star_is_one_segment_or_at_the_end_one_or_more() {
        for (text, name, expect) in [
            ("*", "presence", true),
            ("*", "invoice.paid.late", true),
            ("invoice.paid", "invoice.paid", true),
            ("invoice.paid", "invoice.paid.late", false),
            ("invoice.paid", "invoice", false),
            ("invoice.paid", "Invoice.Paid", false),
            ("invoice.*", "invoice.paid", true),
            ("invoice.*", "invoice.paid.late", true),
            ("invoice.*", "invoice", false),
            ("invoice.*", "invoices.paid", false),
            ("*.paid", "invoice.paid", true),
            ("*.paid", "paid", false),
            ("*.paid", "shop.invoice.paid", false),
            ("*.invoice.*", "shop.invoice.paid", true),
            ("*.invoice.*", "shop.invoice.paid.late", true),
            ("*.invoice.*", "shop.invoice", false),
            ("*.*", "invoice.paid", true),
            ("*.*", "a.b.c", true),
            ("*.*", "presence", false),
            ("a.*.c", "a.b.c", true),
            ("a.*.c", "a.b.b.c", false),
        ] {
            assert_eq!(pattern(text).matches(name), expect, "{text} {name}");
        }
    }

    #[test]
    fn a_star_is_a_whole_segment() {
        for text in [
            "",
            "inv*",
            "invoice.**",
            "**",
            "invoice.*.",
            "*.",
            ".*",
            "a b",
        ] {
            assert_eq!(TypePattern::parse(text), Err(TypePatternError), "{text:?}");
        }
    }

    #[test]
    fn a_pattern_without_stars_asks_for_one_name() {
        assert_eq!(pattern("invoice.paid").exact(), Some("invoice.paid"));
        assert_eq!(pattern("invoice.*").exact(), None);
        assert_eq!(pattern("*").exact(), None);
    }

    #[test]
    fn they_travel_as_json_strings() {
        let name: TypeName = serde_json::from_str(r#""invoice.paid""#).unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), r#""invoice.paid""#);
        let asked: Vec<TypePattern> = serde_json::from_str(r#"["invoice.*"]"#).unwrap();
        assert_eq!(serde_json::to_string(&asked).unwrap(), r#"["invoice.*"]"#);
        assert!(serde_json::from_str::<TypeName>(r#""a b""#).is_err());
        assert!(serde_json::from_str::<TypePattern>(r#""inv*""#).is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_keeps_the_text(text in ".{0,200}", name in ".{0,40}") {
            if let Ok(read) = TypeName::parse(&text) {
                prop_assert_eq!(read.to_string(), text.clone());
            }
            if let Ok(read) = TypePattern::parse(&text) {
                read.matches(&name);
                prop_assert_eq!(read.to_string(), text);
            }
        }

        #[test]
        fn a_name_asks_for_itself_alone(one in NAME, other in NAME) {
            let asked = TypePattern::from(TypeName::parse(&one).unwrap());
            prop_assert!(asked.matches(&one));
            prop_assert_eq!(asked.matches(&other), one == other);
        }

        #[test]
        fn putting_a_star_for_a_segment_keeps_what_matched(name in NAME, place in 0_usize..5) {
            let mut parts: Vec<&str> = name.split('.').collect();
            let place = place % parts.len();
            parts[place] = "*";
            prop_assert!(pattern(&parts.join(".")).matches(&name));
        }

        #[test]
        fn a_last_star_stands_for_any_number_of_segments(prefix in NAME, rest in NAME) {
            let asked = pattern(&format!("{prefix}.*"));
            let name = format!("{prefix}.{rest}");
            prop_assert!(asked.matches(&name));
            prop_assert!(!asked.matches(&prefix));
        }
    }
}
