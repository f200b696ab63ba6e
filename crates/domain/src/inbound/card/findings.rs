//! What a conversion noticed, and where: JSON Pointers are only written when there is something
//! to say.

use std::fmt;

use super::sanitise;
use crate::inbound::request::Finding;
use crate::kernel::limits::{CARD_FIELD_CHARS_MAX, FINDINGS_MAX};

/// A place in a payload, linked to the place that holds it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

impl<'a> Place<'a> {
    pub(super) const fn key(&'a self, key: &'a str) -> Self {
        Place::Key(self, key)
    }

    pub(super) const fn index(&'a self, index: usize) -> Self {
        Place::Index(self, index)
    }
}

impl fmt::Display for Place<'_> {
    /// Writes an RFC 6901 pointer.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root => Ok(()),
            Place::Key(holder, key) => {
                let key = sanitise::clean_text(key, CARD_FIELD_CHARS_MAX).text;
                write!(
                    formatter,
                    "{holder}/{}",
                    key.replace('~', "~0").replace('/', "~1")
                )
            }
            Place::Index(holder, index) => write!(formatter, "{holder}/{index}"),
        }
    }
}

/// The findings of one conversion, at most [`FINDINGS_MAX`].
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// Notes `warning` about `place`. `warning` must be our own words: it is kept as it is.
    pub(super) fn note(&mut self, place: &Place<'_>, warning: impl Into<String>) {
        if self.0.len() + 1 < FINDINGS_MAX {
            self.0.push(Finding {
                pointer: place.to_string(),
                warning: warning.into(),
            });
        } else if self.0.len() < FINDINGS_MAX {
            self.0.push(Finding {
                pointer: String::new(),
                warning: "more was found than is kept".to_owned(),
            });
        }
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_json_pointers() {
        let root = Place::Root;
        let attachments = root.key("attachments");
        let second = attachments.index(1);
        assert_eq!(
            second.key("a/b~c\0d").to_string(),
            "/attachments/1/a~1b~0cd"
        );
        assert_eq!(root.to_string(), "");
    }

    #[test]
    fn findings_are_capped_and_the_last_says_so() {
        let mut findings = Findings::default();
        for _ in 0..2 * FINDINGS_MAX {
            findings.note(&Place::Root, "x");
        }
        let findings = findings.into_vec();
        assert_eq!(findings.len(), FINDINGS_MAX);
        assert_eq!(findings[FINDINGS_MAX - 2].warning, "x");
        assert_eq!(
            findings[FINDINGS_MAX - 1].warning,
            "more was found than is kept"
        );
    }
}
