//! Binary mode: attributes in headers. Their values are percent-encoded, and were quoted in older
//! versions of the specification.

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::HEADER_PREFIX;
use super::attributes::Attributes;
use super::declares_json;
use crate::events::publishing::draft::{
    Draft, DraftError, ExtensionValue, Findings, Payload, check_size, json_payload, one,
};

/// What is escaped besides what is not ASCII.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// Reads a request in binary mode: all of its headers, and its body, which is the data as it is.
/// An empty body that is JSON or of no type is no data.
///
/// # Errors
///
/// Every mistake, up to [`DRAFT_ERRORS_MAX`](crate::kernel::limits::DRAFT_ERRORS_MAX). The pointer of a
/// header is that of its attribute.
pub fn read_binary<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    body: &Bytes,
) -> Result<Draft, Vec<DraftError>> {
    one(|findings| {
        let mut attributes = Attributes::default();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            let attribute = match name.strip_prefix(HEADER_PREFIX) {
                Some("datacontenttype") => {
                    findings.add("datacontenttype", "say it in the header Content-Type");
                    continue;
                }
                Some(attribute) => attribute,
                None if name == "content-type" => "datacontenttype",
                None => continue,
            };
            let read = if attribute == "datacontenttype" {
                text_of(value).map(str::to_owned)
            } else {
                decode(value)
            };
            attributes.set(attribute, read.map(ExtensionValue::Text), findings)?;
        }
        let data = read_body(body, &attributes, findings);
        attributes.finish(data, findings)
    })
}

fn read_body(body: &Bytes, attributes: &Attributes, findings: &mut Findings) -> Option<Payload> {
    let read = match attributes.content_type() {
        Some(media_type) if !declares_json(media_type) => {
            check_size(body.len()).map(|()| Payload::Other(body.clone()))
        }
        _ if body.is_empty() => Ok(Payload::Empty),
        declared => str::from_utf8(body)
            .map_err(|_| "the data is not UTF-8".to_owned())
            .and_then(json_payload)
            .map_err(|message| match declared {
                Some(_) => message,
                None => format!("{message}; without a Content-Type, data is JSON"),
            }),
    };
    findings.take("data", read)
}

fn text_of(value: &[u8]) -> Result<&str, String> {
    let text = str::from_utf8(value).map_err(|_| "the header is not UTF-8".to_owned())?;
    Ok(text.trim_matches([' ', '\t']))
}

/// The attribute that a header's value stands for.
fn decode(value: &[u8]) -> Result<String, String> {
    let unquoted = unquote(text_of(value)?);
    percent_decode_str(&unquoted)
        .decode_utf8()
        .map(String::from)
        .map_err(|_| "its percent-encoding is not that of UTF-8".into())
}

/// Takes the quotes off a value that is quoted as a whole.
fn unquote(text: &str) -> String {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return text.to_owned();
    };
    let mut unquoted = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        let literal = match character {
            '\\' => characters.next().unwrap_or('\\'),
            other => other,
        };
        unquoted.push(literal);
    }
    unquoted
}

/// How an attribute is written in a header: visible ASCII.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_of_headers_are_decoded_once() {
        for (value, expect) in [
            (&b"plain"[..], Some("plain")),
            (b" plain\t", Some("plain")),
            (b"Euro%20%E2%82%AC%20%F0%9F%98%80", Some("Euro € 😀")),
            (b"%e2%82%ac", Some("€")),
            (b"%41%2542", Some("A%42")),
            (b"\"quoted \\\"word\\\" \\\\\"", Some("quoted \"word\" \\")),
            (b"\"Euro%20\xe2\x82\xac\"", Some("Euro €")),
            (b"5\" pipe", Some("5\" pipe")),
            (b"\"", Some("\"")),
            (b"100%", Some("100%")),
            (b"%zz", Some("%zz")),
            (b"", Some("")),
            (b"%C0%A0", None),
            (b"%ff", None),
            (b"\xff", None),
        ] {
            assert_eq!(decode(value).ok().as_deref(), expect, "{value:?}");
        }
    }

    #[test]
    fn attributes_are_written_in_visible_ascii() {
        assert_eq!(encode("Euro € 😀"), "Euro%20%E2%82%AC%20%F0%9F%98%80");
        assert_eq!(encode("a/b?c=d&e~\"100%\""), "a/b?c=d&e~%22100%25%22");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in any::<String>()) {
            let written = encode(&text);
            prop_assert!(written.bytes().all(|byte| matches!(byte, b'!'..=b'~')));
            prop_assert_eq!(decode(written.as_bytes()), Ok(text));
        }

        #[test]
        fn no_header_makes_reading_panic(value in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode(&value);
        }
    }
}
