//! What the gateway says (contract 6.2). Frames are put together as text around bodies that are
//! JSON already.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use hookyard_domain::delivery::envelope::envelope;
use hookyard_domain::kernel::limits::{SOCKET_BUFFER_MAX, SOCKET_REQUESTS_MAX};
use hookyard_domain::{Code, Problem, Timestamp};
use http::{HeaderMap, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};

use super::gateway::SocketSettings;
use super::recovery::RecoveryToken;
use super::ring::Notification;

/// Headers of a reply that say something about a connection of its own, which a frame has not.
const HEADERS_LEFT_OUT: [&str; 5] = [
    "cache-control",
    "connection",
    "content-length",
    "vary",
    "x-content-type-options",
];

/// The head of a frame.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wsc: Option<Wsc>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    headers: Map<String, Value>,
}

/// What clients keep to recover their session.
#[derive(Serialize)]
struct Wsc {
    token: String,
    sequence: u64,
}

/// What a client is told about its connection.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionDetails {
    creation_time: Timestamp,
    max_connections_per_session: usize,
    recovery_buffer_size: usize,
    recovery_timeout: u64,
    idle_timeout: u64,
    absolute_timeout: u64,
    max_active_requests: usize,
    /// Clients take its presence for the answer to a question that they asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_error_code: Option<&'static str>,
}

/// A problem in a frame of its own.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    error_code: &'static str,
    message: &'a str,
}

/// A problem as HTTP clients get it: with both levels.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    error_code: &'static str,
    message: &'a str,
    errors: [Shown<'a>; 1],
}

/// `value` as JSON.
fn text_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our frames are plain data")
}

/// The header by which a frame can be found in a log.
fn numbered(request_id: &str) -> Map<String, Value> {
    std::iter::once(("RCRequestId".to_owned(), request_id.into())).collect()
}

/// What happened to the session that a client wanted back.
pub(super) type Recovery = Result<(), Code>;

/// The first frame of a connection.
pub(super) fn connection_details(
    message_id: &str,
    token: RecoveryToken,
    recovery: Option<Recovery>,
    settings: &SocketSettings,
    now: Timestamp,
) -> String {
    let head = Head {
        r#type: "ConnectionDetails",
        message_id: Some(message_id),
        status: Some(200),
        wsc: Some(Wsc {
            token: token.write(),
            sequence: token.sequence,
        }),
        headers: numbered(message_id),
    };
    let details = ConnectionDetails {
        creation_time: now,
        max_connections_per_session: settings.per_session_max,
        recovery_buffer_size: SOCKET_BUFFER_MAX,
        recovery_timeout: settings.recovery_timeout.as_secs(),
        idle_timeout: settings.idle_timeout.as_secs(),
        absolute_timeout: settings.absolute_timeout.as_secs(),
        max_active_requests: SOCKET_REQUESTS_MAX,
        recovery_state: recovery.map(|recovery| {
            if recovery.is_ok() {
                "Successful"
            } else {
                "Failed"
            }
        }),
        recovery_error_code: recovery.and_then(Result::err).map(Code::name),
    };
    text_of(&(head, details))
}

/// A notification with the token that recovers what comes behind it.
pub(super) fn notification(notification: &Notification, token: RecoveryToken) -> String {
    let Notification {
        event,
        subscription,
        ..
    } = notification;
    let envelope = envelope(event, notification.filter_text(), subscription);
    let mut text = String::with_capacity(envelope.len() + 256);
    let id = event.id;
    let _ = write!(
        text,
        r#"[{{"type":"ServerNotification","messageId":"{id}","status":200,"headers":{{"RCRequestId":"{id}"}},"wsc":{{"token":"{}","sequence":{}}}}},"#,
        token.write(),
        token.sequence
    );
    text.push_str(&utf8(&envelope));
    text.push(']');
    text
}

/// The echo of a heartbeat.
pub(super) fn heartbeat(message_id: Option<&str>) -> String {
    text_of(&[Head {
        r#type: "Heartbeat",
        message_id,
        status: None,
        wsc: None,
        headers: Map::new(),
    }])
}

/// A problem that is not the answer to a request.
pub(super) fn error(message_id: &str, request_id: &str, problem: &Problem) -> String {
    let head = Head {
        r#type: "Error",
        message_id: Some(message_id),
        status: Some(problem.code.status()),
        wsc: None,
        headers: numbered(request_id),
    };
    let body = Shown {
        error_code: problem.code.name(),
        message: &problem.message,
    };
    text_of(&(head, body))
}

/// The answer to a request.
pub(super) fn answer(message_id: &str, response: &Response<Bytes>) -> String {
    let head = Head {
        r#type: "ClientRequest",
        message_id: Some(message_id),
        status: Some(response.status().as_u16()),
        wsc: None,
        headers: shown_headers(response.headers()),
    };
    let body = response.body();
    if body.is_empty() || response.status() == StatusCode::NO_CONTENT {
        return text_of(&[head]);
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let body = utf8(body);
    let body = if kind.starts_with("multipart/") {
        // Clients split a frame at the boundary that begins its second part.
        Cow::Borrowed(body.trim_end())
    } else if kind.starts_with("application/") && kind.contains("json") {
        body
    } else {
        Cow::Owned(text_of(&body))
    };
    format!("[{},{body}]", text_of(&head))
}

/// The refusal of a request that was not taken to the API.
pub(super) fn refusal(message_id: &str, request_id: &str, problem: &Problem) -> String {
    let mut headers = numbered(request_id);
    headers.insert("Content-Type".to_owned(), JSON.into());
    let head = Head {
        r#type: "ClientRequest",
        message_id: Some(message_id),
        status: Some(problem.code.status()),
        wsc: None,
        headers,
    };
    format!("[{},{}]", text_of(&head), problem_body(problem))
}

const JSON: &str = "application/json; charset=UTF-8";

/// A problem as HTTP clients get it.
pub(super) fn problem_body(problem: &Problem) -> String {
    let code = problem.code.name();
    let message = &*problem.message;
    text_of(&Envelope {
        error_code: code,
        message,
        errors: [Shown {
            error_code: code,
            message,
        }],
    })
}

/// The text in `bytes`, which hold JSON that we wrote.
fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn shown_headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut shown = Map::new();
    for name in headers.keys() {
        let text = name.as_str();
        if HEADERS_LEFT_OUT.contains(&text) || text.starts_with("access-control-") {
            continue;
        }
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
        shown.insert(spelled(text), values.join(", ").into());
    }
    shown
}

/// A header's name as clients look for it: JSON, unlike HTTP, tells capitals apart.
fn spelled(name: &str) -> String {
    match name {
        "rcrequestid" => return "RCRequestId".to_owned(),
        "wsg-subscriptionid" => return "WSG-SubscriptionId".to_owned(),
        _ => {}
    }
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sockets::sample;
    use hookyard_domain::SocketId;
    use hookyard_testkit::VirtualClock;
    use insta::assert_snapshot;

    const TOKEN: RecoveryToken = RecoveryToken {
        socket: SocketId(uuid::Uuid::from_u128(7)),
        sequence: 42,
    };

    fn details(recovery: Option<Recovery>) -> String {
        let settings = SocketSettings::default();
        connection_details("m", TOKEN, recovery, &settings, VirtualClock::BEGIN)
    }

    fn response(status: u16, kind: &'static str, body: &'static str) -> Response<Bytes> {
        Response::builder()
            .status(status)
            .header("content-type", kind)
            .header("rcrequestid", "5")
            .header("wsg-subscriptionid", "s")
            .header("x-rate-limit-group", "light")
            .header("cache-control", "no-store")
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap()
    }

    #[test]
    fn a_connection_begins_with_its_details() {
        assert_snapshot!(details(None), @r#"[{"type":"ConnectionDetails","messageId":"m","status":200,"wsc":{"token":"AQAAAAAAAAAAAAAAAAAAAAcAAAAAAAAAKg","sequence":42},"headers":{"RCRequestId":"m"}},{"creationTime":"2026-01-01T00:00:00.000Z","maxConnectionsPerSession":50,"recoveryBufferSize":100,"recoveryTimeout":180,"idleTimeout":1800,"absoluteTimeout":86400,"maxActiveRequests":10}]"#);
        assert!(details(Some(Ok(()))).contains(r#""recoveryState":"Successful""#));
        let failed = details(Some(Err(Code::SocketOfAnotherSession)));
        assert!(
            failed.contains(r#""recoveryState":"Failed","recoveryErrorCode":"WSG-1003""#),
            "{failed}"
        );
    }

    #[test]
    fn a_notification_carries_the_envelope_and_a_token() {
        assert_snapshot!(notification(&sample::notification(9), TOKEN), @r#"[{"type":"ServerNotification","messageId":"9","status":200,"headers":{"RCRequestId":"9"},"wsc":{"token":"AQAAAAAAAAAAAAAAAAAAAAcAAAAAAAAAKg","sequence":42}},{"uuid":"9","event":"/restapi/v1.0/glip/posts","timestamp":"2026-01-01T00:00:00.000Z","subscriptionId":"00000000-0000-0000-0000-000000000001","ownerId":"62534323","body":{"id":"9","text":"post 9","eventType":"PostAdded"}}]"#);
    }

    #[test]
    fn answers_are_framed_by_what_they_hold() {
        let json = response(200, "application/json; charset=UTF-8", r#"{"id":"1"}"#);
        assert_snapshot!(answer("m", &json), @r#"[{"type":"ClientRequest","messageId":"m","status":200,"headers":{"Content-Type":"application/json; charset=UTF-8","RCRequestId":"5","WSG-SubscriptionId":"s","X-Rate-Limit-Group":"light"}},{"id":"1"}]"#);
        let parts = response(
            207,
            "multipart/mixed; boundary=Boundary_1",
            "--Boundary_1\r\nx\r\n--Boundary_1--\r\n",
        );
        assert!(answer("m", &parts).ends_with("},--Boundary_1\r\nx\r\n--Boundary_1--]"));
        let array = response(200, "application/vnd.ringcentral.multipart+json", "[]");
        assert!(answer("m", &array).ends_with("},[]]"));
        let text = response(200, "text/plain", "a \"b\"");
        assert!(answer("m", &text).ends_with(r#"},"a \"b\""]"#));
        assert_snapshot!(answer("m", &response(204, "text/plain", "")), @r#"[{"type":"ClientRequest","messageId":"m","status":204,"headers":{"Content-Type":"text/plain","RCRequestId":"5","WSG-SubscriptionId":"s","X-Rate-Limit-Group":"light"}}]"#);
    }

    #[test]
    fn problems_have_the_shape_that_their_readers_expect() {
        let problem = Problem::of(Code::IdleTimeout);
        assert_snapshot!(error("m", "r", &problem), @r#"[{"type":"Error","messageId":"m","status":408,"headers":{"RCRequestId":"r"}},{"errorCode":"WSG-902","message":"Idle timeout expired"}]"#);
        assert_snapshot!(refusal("m", "r", &problem), @r#"[{"type":"ClientRequest","messageId":"m","status":408,"headers":{"Content-Type":"application/json; charset=UTF-8","RCRequestId":"r"}},{"errorCode":"WSG-902","message":"Idle timeout expired","errors":[{"errorCode":"WSG-902","message":"Idle timeout expired"}]}]"#);
    }

    #[test]
    fn heartbeats_are_echoed() {
        assert_snapshot!(heartbeat(Some("h\"")), @r#"[{"type":"Heartbeat","messageId":"h\""}]"#);
        assert_snapshot!(heartbeat(None), @r#"[{"type":"Heartbeat"}]"#);
    }
}
