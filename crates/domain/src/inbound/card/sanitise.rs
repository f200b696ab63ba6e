//! Foreign text, addresses and colours, made safe when they come in.
//!
//! Control characters (NUL too, which PostgreSQL could not store) and bidirectional overrides are
//! removed, lengths are bounded, addresses keep four schemes, images one.

use std::borrow::Cow;

use url::Url;

use crate::kernel::limits::{ADDRESS_CHARS_MAX, POST_TEXT_CHARS_MAX};

/// A text after cleaning, and what was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanText<'a> {
    pub text: Cow<'a, str>,
    /// Characters that nobody may post were in it.
    pub removed: bool,
    /// It was longer than allowed and now ends with an ellipsis.
    pub truncated: bool,
}

/// Cleans the text of a post that came through the REST API.
pub fn clean_post_text(text: &str) -> CleanText<'_> {
    clean_text(text, POST_TEXT_CHARS_MAX)
}

/// Removes what may not be in a text and cuts it to `chars_max` characters. Line breaks become
/// `\n`; tabs stay.
pub fn clean_text(text: &str, chars_max: usize) -> CleanText<'_> {
    let mut removed = false;
    let mut clean = Cow::Borrowed(text);
    if text.bytes().any(is_suspect) {
        let (kept, refused) = without_refused(text);
        removed = refused;
        if kept != text {
            clean = Cow::Owned(kept);
        }
    }
    // A character has at least one byte, so short texts need no counting.
    let truncated = clean.len() > chars_max && clean.chars().count() > chars_max;
    if truncated {
        let mut cut: String = clean.chars().take(chars_max - 1).collect();
        cut.push('…');
        clean = Cow::Owned(cut);
    }
    CleanText {
        text: clean,
        removed,
        truncated,
    }
}

/// Bytes that a refused character, or a line break to be replaced, contains.
const fn is_suspect(byte: u8) -> bool {
    // 0xc2 begins the C1 controls, 0xe2 line separators and bidirectional controls, 0xef the
    // byte order mark.
    (byte < 0x20 && byte != b'\n' && byte != b'\t') || matches!(byte, 0x7f | 0xc2 | 0xe2 | 0xef)
}

fn without_refused(text: &str) -> (String, bool) {
    let mut kept = String::with_capacity(text.len());
    let mut refused = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                if characters.peek() != Some(&'\n') {
                    kept.push('\n');
                }
            }
            '\u{2028}' | '\u{2029}' => kept.push('\n'),
            _ if is_refused(character) => refused = true,
            _ => kept.push(character),
        }
    }
    (kept, refused)
}

/// Whether a character may not be in any text: controls but line feed and tab, the characters that
/// reorder what people read, and the byte order mark.
pub(super) const fn is_refused(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// Why an address was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("not an absolute address")]
    NotAbsolute,
    #[error("the scheme is not one of https, http, mailto and tel")]
    SchemeRefused,
    #[error("images must be https")]
    ImageNotHttps,
    #[error("longer than {ADDRESS_CHARS_MAX} characters")]
    TooLong,
}

/// The canonical form of an address that people may follow.
pub fn clean_link(address: &str) -> Result<String, AddressError> {
    if is_plain_https(address) {
        return Ok(address.to_owned());
    }
    let url = parse_address(address)?;
    match url.scheme() {
        "https" | "http" | "mailto" | "tel" => within_length(url),
        _ => Err(AddressError::SchemeRefused),
    }
}

/// The canonical form of an image's address.
pub fn clean_image(address: &str) -> Result<String, AddressError> {
    if is_plain_https(address) {
        return Ok(address.to_owned());
    }
    let url = parse_address(address)?;
    match url.scheme() {
        "https" => within_length(url),
        "http" => Err(AddressError::ImageNotHttps),
        _ => Err(AddressError::SchemeRefused),
    }
}

/// Whether `address` is https and so plain that its canonical form is itself: most are, and parsing
/// eight of them took half the time of a whole conversion.
fn is_plain_https(address: &str) -> bool {
    let Some((host, path)) = address
        .strip_prefix("https://")
        .and_then(|rest| rest.split_at_checked(rest.find('/')?))
    else {
        return false;
    };
    let last_label = host.rsplit('.').next().unwrap_or_default();
    let host_is_plain = last_label.starts_with(|first: char| first.is_ascii_lowercase())
        && host.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte)
        })
        && !host.starts_with('.')
        && !host.contains("..")
        && !host.contains("--");
    let path_is_plain = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~=&?+,:@".contains(&byte))
        && !path.contains("/.");
    address.len() <= ADDRESS_CHARS_MAX && host_is_plain && path_is_plain
}

fn parse_address(address: &str) -> Result<Url, AddressError> {
    // `url` drops tabs and line breaks silently: `java\nscript:` must not become a scheme.
    if address.chars().any(char::is_control) {
        return Err(AddressError::NotAbsolute);
    }
    if address.len() > ADDRESS_CHARS_MAX {
        return Err(AddressError::TooLong);
    }
    Url::parse(address).map_err(|_| AddressError::NotAbsolute)
}

fn within_length(url: Url) -> Result<String, AddressError> {
    // Percent-encoding can make it longer than what came.
    if url.as_str().len() > ADDRESS_CHARS_MAX {
        return Err(AddressError::TooLong);
    }
    Ok(url.into())
}

/// The eight colours that have names on the wire.
pub const COLOR_NAMES: [&str; 8] = [
    "Black", "Red", "Orange", "Yellow", "Green", "Blue", "Purple", "Magenta",
];

/// A colour's name as the wire spells it, or `#rrggbb` in lower case. `good`, `warning` and
/// `danger`, which other products' senders use, become green, orange and red.
pub fn clean_color(color: &str) -> Option<String> {
    let color = color.trim();
    if let Some(name) = color_name(color) {
        return Some(name.to_owned());
    }
    match color {
        "good" => return Some("Green".to_owned()),
        "warning" => return Some("Orange".to_owned()),
        "danger" => return Some("Red".to_owned()),
        _ => {}
    }
    let digits = color.strip_prefix('#').unwrap_or(color);
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut clean = String::with_capacity(7);
    clean.push('#');
    match digits.len() {
        3 => digits
            .chars()
            .for_each(|digit| clean.extend([digit, digit])),
        6 => clean.push_str(digits),
        _ => return None,
    }
    clean.make_ascii_lowercase();
    Some(clean)
}

/// The wire's spelling of a named colour.
pub fn color_name(color: &str) -> Option<&'static str> {
    COLOR_NAMES
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(color))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check_text(text: &str, chars_max: usize, expect: &str) {
        assert_eq!(clean_text(text, chars_max).text, expect, "{text:?}");
    }

    #[test]
    fn control_characters_and_overrides_are_removed() {
        check_text("a\0b\u{7}c\u{1b}[31m", 99, "abc[31m");
        check_text("tab\tline\nend", 99, "tab\tline\nend");
        check_text("one\r\ntwo\rthree\u{2028}four", 99, "one\ntwo\nthree\nfour");
        check_text(
            "\u{feff}safe\u{202e}txt.exe\u{2066}\u{85}",
            99,
            "safetxt.exe",
        );
        check_text(
            "emoji 👩‍👩‍👧 and — dashes “quoted” ©",
            99,
            "emoji 👩‍👩‍👧 and — dashes “quoted” ©",
        );
        assert!(!clean_text("a\r\nb", 99).removed);
        assert!(clean_text("a\0b", 99).removed);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        check_text("éééé", 4, "éééé");
        check_text("ééééé", 4, "ééé…");
        assert!(!clean_text("éééé", 4).truncated);
        assert!(clean_text("ééééé", 4).truncated);
        assert!(!clean_post_text(&"x".repeat(POST_TEXT_CHARS_MAX)).truncated);
        assert!(clean_post_text(&"x".repeat(POST_TEXT_CHARS_MAX + 1)).truncated);
    }

    #[test]
    fn links_keep_four_schemes() {
        use AddressError::{NotAbsolute, SchemeRefused, TooLong};
        let check = |address: &str, expect: Result<&str, AddressError>| {
            assert_eq!(
                clean_link(address).as_deref(),
                expect.as_ref().map(|a| &**a),
                "{address:?}"
            );
        };
        check(
            "https://example.com/a?b=c#d",
            Ok("https://example.com/a?b=c#d"),
        );
        check(" HTTP://Example.COM ", Ok("http://example.com/"));
        check("mailto:a@example.com", Ok("mailto:a@example.com"));
        check("tel:+15550100", Ok("tel:+15550100"));
        check("https://example.com/a/../b", Ok("https://example.com/b"));
        check("https://0x7f.1/", Ok("https://127.0.0.1/"));
        check("javascript:alert(1)", Err(SchemeRefused));
        check("JaVaScRiPt:alert(1)", Err(SchemeRefused));
        check("java\nscript:alert(1)", Err(NotAbsolute));
        check("\u{1}javascript:alert(1)", Err(NotAbsolute));
        check("data:text/html,x", Err(SchemeRefused));
        check("vbscript:x", Err(SchemeRefused));
        check("file:///etc/passwd", Err(SchemeRefused));
        check("//example.com/", Err(NotAbsolute));
        check("/relative", Err(NotAbsolute));
        check("https://", Err(NotAbsolute));
        check(
            &format!("https://e.com/{}", "x".repeat(ADDRESS_CHARS_MAX)),
            Err(TooLong),
        );
    }

    #[test]
    fn images_are_https() {
        assert!(clean_image("https://example.com/a.png").is_ok());
        assert_eq!(
            clean_image("http://example.com/a.png"),
            Err(AddressError::ImageNotHttps)
        );
        assert_eq!(
            clean_image("data:image/png;base64,AA=="),
            Err(AddressError::SchemeRefused)
        );
    }

    #[test]
    fn colors_are_names_or_six_digits() {
        let check = |color: &str, expect: Option<&str>| {
            assert_eq!(clean_color(color).as_deref(), expect, "{color:?}");
        };
        check("red", Some("Red"));
        check("MAGENTA", Some("Magenta"));
        check("#0F2", Some("#00ff22"));
        check("00FF2a", Some("#00ff2a"));
        check("danger", Some("Red"));
        check("#00ff2", None);
        check("#gggggg", None);
        check("pink", None);
        check("red;background:url(x)", None);
        check("", None);
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(text: String, chars_max in 1_usize..40) {
            let once = clean_text(&text, chars_max).text.into_owned();
            let twice = clean_text(&once, chars_max);
            prop_assert_eq!(&twice.text, &once);
            prop_assert!(!twice.removed && !twice.truncated);
            prop_assert!(once.chars().count() <= chars_max);
            prop_assert!(!once.chars().any(is_refused));
        }

        #[test]
        fn plain_addresses_are_canonical(address in "https://[a-z0-9.-]{1,12}/[a-zA-Z0-9/._~=&?+,:@-]{0,20}") {
            if is_plain_https(&address) {
                prop_assert_eq!(Url::parse(&address).map(String::from), Ok(address));
            }
        }

        #[test]
        fn clean_addresses_are_stable(text in "(https|http|mailto|tel|ftp)?:?/{0,2}\\PC{0,30}") {
            if let Ok(link) = clean_link(&text) {
                prop_assert_eq!(clean_link(&link), Ok(link.clone()));
            }
        }
    }
}
