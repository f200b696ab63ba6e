//! What clients say (contract 6.2): a JSON array of a head and, if there is one, a body.

use std::borrow::Cow;

use bytes::Bytes;
use hookyard_domain::kernel::limits::SOCKET_MESSAGE_ID_CHARS_MAX;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Headers of a request that mean something to the API. Who calls is known already, and what only
/// proxies write has no place in a frame.
const HEADERS_TAKEN: [&str; 6] = [
    "accept",
    "accept-language",
    "content-type",
    "if-match",
    "if-none-match",
    "x-user-agent",
];

/// A frame as a client sent it.
#[derive(Debug)]
pub enum Frame {
    Request {
        message_id: String,
        request: Box<Request<Bytes>>,
    },
    /// Some clients send it without an id.
    Heartbeat { message_id: Option<String> },
}

/// A frame that is none of these, and the id it gives itself, if that can be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unparsable {
    pub message_id: Option<String>,
}

#[derive(Deserialize)]
struct Parts<'a>(
    #[serde(borrow)] Head<'a>,
    #[serde(borrow, default)] Option<&'a RawValue>,
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    message_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
    query: Option<Map<String, Value>>,
    headers: Option<Map<String, Value>>,
}

impl Frame {
    /// Reads a frame.
    ///
    /// # Errors
    ///
    /// When it is neither a request nor a heartbeat.
    pub fn read(text: &str) -> Result<Self, Unparsable> {
        let Parts(head, body) = serde_json::from_str(text).map_err(|_| Unparsable {
            message_id: message_id_of(text),
        })?;
        let message_id = head
            .message_id
            .as_deref()
            .filter(|id| id.chars().count() <= SOCKET_MESSAGE_ID_CHARS_MAX)
            .map(str::to_owned);
        let frame = match &*head.r#type {
            "Heartbeat" => Some(Self::Heartbeat {
                message_id: message_id.clone(),
            }),
            "ClientRequest" => {
                message_id
                    .clone()
                    .zip(request_of(&head, body))
                    .map(|(message_id, request)| Self::Request {
                        message_id,
                        request: Box::new(request),
                    })
            }
            _ => None,
        };
        frame.ok_or(Unparsable { message_id })
    }
}

/// The id of a frame that is otherwise not understood, so that whoever waits for an answer gets
/// one.
fn message_id_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Bare(
        BareHead,
        #[serde(default)]
        #[expect(dead_code, reason = "a body is let pass, whatever it is")]
        Option<serde::de::IgnoredAny>,
    );
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct BareHead {
        message_id: Option<String>,
    }
    let Bare(head, _) = serde_json::from_str(text).ok()?;
    let is_short = |id: &String| id.chars().count() <= SOCKET_MESSAGE_ID_CHARS_MAX;
    head.message_id.filter(is_short)
}

/// The request of a frame, as it would have come over HTTP.
fn request_of(head: &Head<'_>, body: Option<&RawValue>) -> Option<Request<Bytes>> {
    let method = head.method.as_deref()?.to_ascii_uppercase();
    let method = match method.as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return None,
    };
    let mut request = Request::new(body_of(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri_of(head.path.as_deref()?, head.query.as_ref())?;
    *request.headers_mut() = headers_of(head.headers.as_ref());
    request
        .headers_mut()
        .entry(header::CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("application/json"));
    Some(request)
}

/// The body's bytes. Clients without one also send `""` and `null`.
fn body_of(body: Option<&RawValue>) -> Bytes {
    match body.map(RawValue::get) {
        None | Some("null" | r#""""#) => Bytes::new(),
        Some(json) => Bytes::copy_from_slice(json.as_bytes()),
    }
}

fn uri_of(path: &str, query: Option<&Map<String, Value>>) -> Option<Uri> {
    let path = without_origin(path)?;
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in query.into_iter().flatten() {
        match value {
            Value::Array(values) => values.iter().for_each(|value| {
                append(&mut pairs, name, value);
            }),
            value => append(&mut pairs, name, value),
        }
    }
    let query = pairs.finish();
    let joint = match (query.is_empty(), path.contains('?')) {
        (true, _) => "",
        (false, true) => "&",
        (false, false) => "?",
    };
    format!("{path}{joint}{query}").parse().ok()
}

fn append(pairs: &mut url::form_urlencoded::Serializer<'_, String>, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(text) => {
            pairs.append_pair(name, text);
        }
        other => {
            pairs.append_pair(name, &other.to_string());
        }
    }
}

/// Some clients write the whole URL. Where it points is ours: nothing is called by it.
fn without_origin(path: &str) -> Option<&str> {
    let rest = path
        .strip_prefix("https://")
        .or_else(|| path.strip_prefix("http://"));
    match rest {
        Some(rest) => rest.find('/').map(|slash| &rest[slash..]),
        None => path.starts_with('/').then_some(path),
    }
}

fn headers_of(given: Option<&Map<String, Value>>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in given.into_iter().flatten() {
        let name = name.to_ascii_lowercase();
        if HEADERS_TAKEN.contains(&name.as_str())
            && let Ok(name) = HeaderName::try_from(name)
            && let Some(value) = value.as_str()
            && let Ok(value) = HeaderValue::from_str(value)
        {
            headers.insert(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `METHOD uri [content type] body` of a request.
    fn shown(text: &str) -> String {
        match Frame::read(text) {
            Ok(Frame::Request {
                message_id,
                request,
            }) => format!(
                "{message_id}: {} {} [{}] {}",
                request.method(),
                request.uri(),
                request.headers()[header::CONTENT_TYPE].to_str().unwrap(),
                std::str::from_utf8(request.body()).unwrap()
            ),
            Ok(Frame::Heartbeat { message_id }) => format!("heartbeat {message_id:?}"),
            Err(Unparsable { message_id }) => format!("unparsable {message_id:?}"),
        }
    }

    #[test]
    fn requests_are_read_as_the_clients_write_them() {
        let cases = [
            (
                r#"[{"type":"ClientRequest","messageId":"1","method":"get","path":"/restapi/v1.0/status"}]"#,
                "1: GET /restapi/v1.0/status [application/json] ",
            ),
            (
                r#"[{"type":"ClientRequest","messageId":"2","method":"POST","path":"/restapi/v1.0/subscription/","headers":{"Content-Type":"application/json;charset=utf-8","Authorization":"Bearer x","X-Forwarded-For":"1"}},{"a":[1]}]"#,
                r#"2: POST /restapi/v1.0/subscription/ [application/json;charset=utf-8] {"a":[1]}"#,
            ),
            (
                r#"[{"type":"ClientRequest","messageId":"3","method":"PUT","path":"/a?b=c","query":{"d":["e","f g"],"h":7,"i":null,"j":true},"headers":null},""]"#,
                "3: PUT /a?b=c&d=e&d=f+g&h=7&j=true [application/json] ",
            ),
            (
                r#"[{"type":"ClientRequest","messageId":"4","method":"delete","path":"https://platform.ringcentral.com/restapi/v1.0/subscription/x","query":{}},null]"#,
                "4: DELETE /restapi/v1.0/subscription/x [application/json] ",
            ),
        ];
        for (text, expect) in cases {
            assert_eq!(shown(text), expect);
        }
    }

    #[test]
    fn only_headers_that_the_api_reads_are_taken() {
        let text = r#"[{"type":"ClientRequest","messageId":"1","method":"GET","path":"/","headers":{"Authorization":"Bearer x","Host":"h","X-Forwarded-For":"1","Cookie":"c","ACCEPT":"a/b","If-Match":"a\nb","Accept-Language":7}}]"#;
        let Ok(Frame::Request { request, .. }) = Frame::read(text) else {
            panic!("a request");
        };
        let mut names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "content-type"]);
    }

    #[test]
    fn heartbeats_need_no_id() {
        assert_eq!(shown(r#"[{"type":"Heartbeat"}]"#), "heartbeat None");
        assert_eq!(
            shown(r#"[{"type":"Heartbeat","messageId":"h"}]"#),
            r#"heartbeat Some("h")"#
        );
    }

    #[test]
    fn what_is_neither_is_refused_by_its_id_where_it_has_one() {
        let long = format!(
            r#"[{{"type":"Hello","messageId":"{}"}}]"#,
            "x".repeat(SOCKET_MESSAGE_ID_CHARS_MAX + 1)
        );
        for (text, expect) in [
            ("", "unparsable None"),
            ("{}", "unparsable None"),
            ("[]", "unparsable None"),
            ("[1]", "unparsable None"),
            ("[{}]", "unparsable None"),
            ("not JSON", "unparsable None"),
            (
                r#"[{"type":"Hello","messageId":"1"}]"#,
                r#"unparsable Some("1")"#,
            ),
            (r#"[{"type":7,"messageId":"1"}]"#, r#"unparsable Some("1")"#),
            (r#"[{"type":"Heartbeat","messageId":7}]"#, "unparsable None"),
            (r#"[{"type":"Heartbeat"},1,2]"#, "unparsable None"),
            (&long, "unparsable None"),
            (
                r#"[{"type":"ClientRequest","method":"GET","path":"/restapi"}]"#,
                "unparsable None",
            ),
            (
                r#"[{"type":"ClientRequest","messageId":"1","path":"/restapi"}]"#,
                r#"unparsable Some("1")"#,
            ),
            (
                r#"[{"type":"ClientRequest","messageId":"1","method":"CONNECT","path":"/restapi"}]"#,
                r#"unparsable Some("1")"#,
            ),
            (
                r#"[{"type":"ClientRequest","messageId":"1","method":"GET","path":"restapi"}]"#,
                r#"unparsable Some("1")"#,
            ),
            (
                r#"[{"type":"ClientRequest","messageId":"1","method":"GET","path":"/a b"}]"#,
                r#"unparsable Some("1")"#,
            ),
            (
                r#"[{"type":"ClientRequest","messageId":"1","method":"GET","path":"https://host"}]"#,
                r#"unparsable Some("1")"#,
            ),
        ] {
            assert_eq!(shown(text), expect, "{text}");
        }
    }

    #[test]
    fn deep_nesting_and_cut_frames_cost_nothing() {
        let deep = format!(
            r#"[{{"type":"ClientRequest","messageId":"1","method":"POST","path":"/a"}},{}]"#,
            "[".repeat(100_000)
        );
        assert_eq!(shown(&deep), "unparsable None");
        let query = format!(
            r#"[{{"type":"ClientRequest","messageId":"1","method":"POST","path":"/a","query":{}}}]"#,
            "[".repeat(100_000)
        );
        assert_eq!(shown(&query), "unparsable None");
    }
}
