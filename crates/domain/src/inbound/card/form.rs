//! Bodies that wrap a payload: forms with a `payload` field, as the older chat products send.

use std::borrow::Cow;

use super::aliases;
use super::tree::{Entries, Tree};
use crate::kernel::limits::{FORM_BOUNDARY_CHARS_MAX, FORM_PARTS_MAX};

/// What a form holds.
pub(super) enum Form<'a> {
    /// The text of its `payload` field.
    Payload(Cow<'a, str>),
    /// Fields of a message, each by itself, as `curl -d text=hello` sends them.
    Fields(Entries<'a>),
}

/// Reads `body` as the form that `content_type` says it is; `None` when it is no form, or none
/// for us. A body that begins as an object is JSON, whatever its type says: `curl -d` calls
/// everything a form.
pub(super) fn read_form<'a>(body: &'a str, content_type: Option<&str>) -> Option<Form<'a>> {
    if body.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let content_type = content_type?;
    let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let essence = essence.trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return read_url_encoded(body);
    }
    if essence.eq_ignore_ascii_case("multipart/form-data") {
        let boundary = parameter(parameters, "boundary")?;
        return multipart_field(body, boundary, "payload")
            .map(|payload| Form::Payload(Cow::Borrowed(payload)));
    }
    None
}

fn read_url_encoded(body: &str) -> Option<Form<'_>> {
    let mut fields = Vec::new();
    for (key, value) in url::form_urlencoded::parse(body.as_bytes()) {
        if key == "payload" {
            return Some(Form::Payload(value));
        }
        if aliases::POST.iter().any(|names| names.contains(&&*key)) {
            fields.push((key, Tree::Text(value)));
        }
    }
    (!fields.is_empty()).then_some(Form::Fields(fields))
}

/// The value of a parameter such as `boundary="x"`.
fn parameter<'p>(parameters: &'p str, name: &str) -> Option<&'p str> {
    parameters.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().trim_matches('"'))
    })
}

/// The content of the first part called `field`.
fn multipart_field<'b>(body: &'b str, boundary: &str, field: &str) -> Option<&'b str> {
    if boundary.is_empty() || boundary.len() > FORM_BOUNDARY_CHARS_MAX {
        return None;
    }
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = match body.strip_prefix(&delimiter[2..]) {
        Some(rest) => rest,
        None => body.split_once(&delimiter)?.1,
    };
    for _ in 0..FORM_PARTS_MAX {
        // After the delimiter comes the end of its line, or two hyphens at the very end.
        rest = rest.trim_start_matches([' ', '\t']).strip_prefix("\r\n")?;
        let (part, after) = rest.split_once(&delimiter)?;
        let (headers, content) = match part.strip_prefix("\r\n") {
            Some(content) => ("", content),
            None => part.split_once("\r\n\r\n")?,
        };
        if is_called(headers, field) {
            return Some(content);
        }
        rest = after;
    }
    None
}

fn is_called(headers: &str, field: &str) -> bool {
    headers.split("\r\n").any(|header| {
        header.split_once(':').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("content-disposition")
                && parameter(value, "name") == Some(field)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(body: &str, content_type: &str) -> Option<String> {
        match read_form(body, Some(content_type))? {
            Form::Payload(payload) => Some(payload.into_owned()),
            Form::Fields(fields) => Some(format!("{} fields", fields.len())),
        }
    }

    fn check(body: &str, content_type: &str, expect: Option<&str>) {
        assert_eq!(payload(body, content_type).as_deref(), expect, "{body:?}");
    }

    const URL_ENCODED: &str = "application/x-www-form-urlencoded";
    const MULTIPART: &str = "multipart/form-data; boundary=\"XyZ\"";

    #[test]
    fn url_encoded_payloads_are_unwrapped() {
        check(
            "payload=%7B%22text%22%3A%22a+b%22%7D",
            URL_ENCODED,
            Some(r#"{"text":"a b"}"#),
        );
        check(
            "x=1&payload=%7B%7D",
            "Application/X-WWW-Form-Urlencoded; charset=utf-8",
            Some("{}"),
        );
        check(r#"{"text":"json all the same"}"#, URL_ENCODED, None);
        check("text=hello&title=x&other=y", URL_ENCODED, Some("2 fields"));
        check("Build failed", URL_ENCODED, None);
        check("payload=%7B%7D", "text/plain", None);
        check("", URL_ENCODED, None);
    }

    #[test]
    fn multipart_payloads_are_unwrapped() {
        let part = "--XyZ\r\nContent-Disposition: form-data; name=\"payload\"\r\nContent-Type: application/json\r\n\r\n{\"text\":\"a\"}\r\n--XyZ--\r\n";
        check(part, MULTIPART, Some(r#"{"text":"a"}"#));
        let second = format!(
            "preamble\r\n--XyZ\r\ncontent-disposition: form-data; name=other\r\n\r\nx\r\n{part}"
        );
        check(&second, MULTIPART, Some(r#"{"text":"a"}"#));
        check("--XyZ\r\n\r\nno headers\r\n--XyZ--", MULTIPART, None);
        check("--XyZ--", MULTIPART, None);
        check(
            "--XyZ\r\nContent-Disposition: form-data; name=\"payload\"\r\n\r\nunfinished",
            MULTIPART,
            None,
        );
        check(part, "multipart/form-data", None);
        check(part, "multipart/form-data; boundary=", None);
        check(
            part,
            &format!("multipart/form-data; boundary={}", "x".repeat(71)),
            None,
        );
    }
}
