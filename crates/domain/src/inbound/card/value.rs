//! Reads single values of a payload: of the right kind, within their limits, cleaned; and notes
//! what was done about those that are not.

use crate::kernel::limits::CARD_FIELD_CHARS_MAX;
use crate::kernel::time::Timestamp;

use super::aliases::Given;
use super::findings::{Findings, Place};
use super::sanitise::{self, AddressError};
use super::tree::{Entries, Tree};

/// A value that may be there, as [`super::aliases::pick`] found it.
pub(super) type Maybe<'t, 'a> = Option<Given<'t, 'a>>;

/// Numbers from here on are milliseconds: as seconds, they would be after the year 5000.
const MILLISECONDS_FROM: f64 = 1e11;

impl Findings {
    /// A text of at most `chars_max` characters. Numbers and booleans are written as text. An
    /// empty text is none.
    pub(super) fn text(
        &mut self,
        given: Maybe<'_, '_>,
        holder: &Place<'_>,
        chars_max: usize,
    ) -> Option<String> {
        let given = given?;
        let place = holder.key(given.name);
        if matches!(given.value, Tree::Number(_) | Tree::Bool(_)) {
            self.note(&place, format!("{}: shown as text", given.value.kind()));
        }
        self.scalar_text(given.value, &place, chars_max)
    }

    /// The same, for values that are often numbers.
    pub(super) fn scalar_text(
        &mut self,
        value: &Tree<'_>,
        place: &Place<'_>,
        chars_max: usize,
    ) -> Option<String> {
        match value {
            Tree::Text(text) => self.clean(text, place, chars_max),
            Tree::Number(number) => Some(number.to_string()),
            Tree::Bool(value) => Some(value.to_string()),
            Tree::Null => None,
            Tree::List(_) | Tree::Object(_) => {
                self.wrong_kind(value, place, "a text");
                None
            }
        }
    }

    /// A text that the caller already has.
    pub(super) fn clean(
        &mut self,
        text: &str,
        place: &Place<'_>,
        chars_max: usize,
    ) -> Option<String> {
        let clean = sanitise::clean_text(text, chars_max);
        if clean.removed {
            self.note(place, "control or direction characters: removed");
        }
        if clean.truncated {
            self.note(place, format!("longer than {chars_max} characters: cut"));
        }
        (!clean.text.is_empty()).then(|| clean.text.into_owned())
    }

    pub(super) fn wrong_kind(&mut self, value: &Tree<'_>, place: &Place<'_>, expected: &str) {
        self.note(
            place,
            format!("{} where {expected} belongs: left out", value.kind()),
        );
    }

    fn given_text<'t>(
        &mut self,
        given: Maybe<'t, '_>,
        holder: &Place<'_>,
    ) -> Option<(&'t str, &'static str)> {
        let given = given?;
        let text = given.value.as_text();
        if text.is_none() {
            self.wrong_kind(given.value, &holder.key(given.name), "a text");
        }
        // Published samples leave addresses empty instead of leaving them out.
        text.map(str::trim)
            .filter(|text| !text.is_empty())
            .map(|text| (text, given.name))
    }

    /// An address that people may follow.
    pub(super) fn link(&mut self, given: Maybe<'_, '_>, holder: &Place<'_>) -> Option<String> {
        self.address(given, holder, sanitise::clean_link)
    }

    /// An address of an image.
    pub(super) fn image(&mut self, given: Maybe<'_, '_>, holder: &Place<'_>) -> Option<String> {
        self.address(given, holder, sanitise::clean_image)
    }

    fn address(
        &mut self,
        given: Maybe<'_, '_>,
        holder: &Place<'_>,
        clean: fn(&str) -> Result<String, AddressError>,
    ) -> Option<String> {
        let (text, name) = self.given_text(given, holder)?;
        clean(text)
            .inspect_err(|error| self.note(&holder.key(name), format!("{error}: left out")))
            .ok()
    }

    /// A named colour or six digits.
    pub(super) fn color(&mut self, given: Maybe<'_, '_>, holder: &Place<'_>) -> Option<String> {
        let (text, name) = self.given_text(given, holder)?;
        let color = sanitise::clean_color(text);
        if color.is_none() {
            let warning = "neither a known colour's name nor #rrggbb: left out";
            self.note(&holder.key(name), warning);
        }
        color
    }

    /// One of `names`, in any case; the spelling of the wire.
    pub(super) fn name_of(
        &mut self,
        given: Maybe<'_, '_>,
        holder: &Place<'_>,
        names: &[&'static str],
    ) -> Option<&'static str> {
        let (text, name) = self.given_text(given, holder)?;
        let found = names.iter().find(|name| name.eq_ignore_ascii_case(text));
        if found.is_none() {
            let warning = format!("not one of {}: left out", names.join(", "));
            self.note(&holder.key(name), warning);
        }
        found.copied()
    }

    /// True or false, also as a text or as 0 and 1.
    pub(super) fn boolean(&mut self, given: Maybe<'_, '_>, holder: &Place<'_>) -> Option<bool> {
        let given = given?;
        let value = match given.value {
            Tree::Bool(value) => Some(*value),
            Tree::Text(text) if text == "true" => Some(true),
            Tree::Text(text) if text == "false" => Some(false),
            Tree::Number(number) => match number.as_u64() {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
            _ => None,
        };
        if value.is_none() {
            self.wrong_kind(given.value, &holder.key(given.name), "true or false");
        }
        value
    }

    /// A time: Unix seconds or milliseconds as a number or a text, or ISO 8601. Without an offset
    /// it is taken as UTC; without a time of day, as midnight.
    pub(super) fn time(&mut self, given: Maybe<'_, '_>, holder: &Place<'_>) -> Option<Timestamp> {
        let given = given?;
        if given
            .value
            .as_text()
            .is_some_and(|text| text.trim().is_empty())
        {
            return None;
        }
        let time = match given.value {
            Tree::Number(number) => number.as_f64().and_then(unix_time),
            Tree::Text(text) => written_time(text.trim()),
            _ => None,
        };
        if time.is_none() {
            self.wrong_kind(given.value, &holder.key(given.name), "a time");
        }
        time
    }

    /// A list. A value that should have been in one is taken as if it were.
    pub(super) fn list<'t, 'a>(
        &mut self,
        given: Maybe<'t, 'a>,
        holder: &Place<'_>,
    ) -> &'t [Tree<'a>] {
        match given.map(|given| (given.name, given.value)) {
            None => &[],
            Some((_, Tree::List(items))) => items,
            Some((name, value @ Tree::Object(_))) => {
                self.note(
                    &holder.key(name),
                    "an object where a list belongs: taken as its item",
                );
                std::slice::from_ref(value)
            }
            Some((name, value)) => {
                self.wrong_kind(value, &holder.key(name), "a list");
                &[]
            }
        }
    }

    /// An object.
    pub(super) fn object<'t, 'a>(
        &mut self,
        value: &'t Tree<'a>,
        place: &Place<'_>,
    ) -> Option<&'t Entries<'a>> {
        match value {
            Tree::Object(entries) => Some(entries),
            Tree::Null => None,
            other => {
                self.wrong_kind(other, place, "an object");
                None
            }
        }
    }

    /// The first `count_max` of `items`.
    pub(super) fn at_most<'t, T>(
        &mut self,
        items: &'t [T],
        count_max: usize,
        place: &Place<'_>,
    ) -> &'t [T] {
        if items.len() > count_max {
            self.note(
                place,
                format!("more than {count_max}: the rest is left out"),
            );
        }
        &items[..items.len().min(count_max)]
    }

    /// A short text of a card.
    pub(super) fn short_text(
        &mut self,
        given: Maybe<'_, '_>,
        holder: &Place<'_>,
    ) -> Option<String> {
        self.text(given, holder, CARD_FIELD_CHARS_MAX)
    }
}

fn unix_time(number: f64) -> Option<Timestamp> {
    let millis = if number.abs() < MILLISECONDS_FROM {
        number * 1_000.0
    } else {
        number
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked in the same line"
    )]
    (millis.is_finite() && (0.0..1e15).contains(&millis))
        .then(|| Timestamp::from_millis(millis.round() as i64))
        .filter(|time| *time <= Timestamp::MAX)
}

fn written_time(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse() {
        return unix_time(number);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time).filter(|time| *time <= Timestamp::MAX);
    }
    let civil: jiff::civil::DateTime = text
        .parse()
        .or_else(|_| text.parse().map(|date: jiff::civil::Date| date.into()))
        .ok()?;
    let utc = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp::from_millis(utc.timestamp().as_millisecond()))
        .filter(|time| *time <= Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_time(text: &str, expect: Option<&str>) {
        assert_eq!(
            written_time(text).map(|time| time.to_string()).as_deref(),
            expect,
            "{text:?}"
        );
    }

    #[test]
    fn times_are_read_in_every_form_that_senders_use() {
        check_time("1503723350", Some("2017-08-26T04:55:50.000Z"));
        check_time("1503723350.123", Some("2017-08-26T04:55:50.123Z"));
        check_time("1503723350123", Some("2017-08-26T04:55:50.123Z"));
        check_time("2017-08-26T04:55:50Z", Some("2017-08-26T04:55:50.000Z"));
        check_time(
            "2017-08-26T06:55:50+02:00",
            Some("2017-08-26T04:55:50.000Z"),
        );
        check_time("2017-08-26T04:55:50", Some("2017-08-26T04:55:50.000Z"));
        check_time("2017-08-26 04:55", Some("2017-08-26T04:55:00.000Z"));
        check_time("2017-08-26", Some("2017-08-26T00:00:00.000Z"));
        check_time("-5", None);
        check_time("1e300", None);
        check_time("inf", None);
        check_time("NaN", None);
        check_time("99999999999999999", None);
        check_time("yesterday", None);
    }
}
