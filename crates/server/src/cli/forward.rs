//! One event on its way from the stream to a program on this machine, and how both look.

use std::time::Duration;

use bytes::Bytes;
use hookyard_delivery::{Call, CallError, Client, Target};
use hookyard_domain::Timestamp;
use hookyard_domain::endpoints::signing::{SigningSecret, signature_header};
use hookyard_domain::kernel::ports::Clock as _;
use hookyard_server::SystemClock;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::screen::{Colour, Screen, plain, plain_lines};
use super::session::client;

/// As long as an endpoint has unless it says otherwise.
const FORWARD_TIMEOUT: Duration = Duration::from_secs(15);
/// How much of an answer is shown.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How wide the columns of type and id are; longer ones push the rest aside.
const TYPE_WIDTH: usize = 28;
const ID_WIDTH: usize = 20;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Where events are forwarded.
#[derive(Debug, Clone)]
pub(crate) struct LocalUrl {
    text: String,
    target: Target,
}

impl LocalUrl {
    /// Reads a URL; `localhost:3000/hook` and a port alone stand for one with `http`.
    ///
    /// # Errors
    ///
    /// When it is none of these.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = if text.parse::<u16>().is_ok() {
            format!("http://localhost:{text}/")
        } else if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let target = Target::parse(&text);
        let target = target.map_err(|_| "write a URL such as http://localhost:3000/hook")?;
        Ok(Self { text, target })
    }
}

/// An event of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    id: String,
    event_type: String,
    timestamp: String,
    payload: Bytes,
}

impl Heard {
    /// Reads the payload of an event. `None` when it is none.
    pub(crate) fn read(payload: Bytes) -> Option<Self> {
        #[derive(Deserialize)]
        struct Said {
            id: String,
            #[serde(rename = "type")]
            event_type: String,
            timestamp: String,
        }
        let said: Said = serde_json::from_slice(&payload).ok()?;
        Some(Self {
            id: said.id,
            event_type: said.event_type,
            timestamp: said.timestamp,
            payload,
        })
    }

    /// A line for a person or a script, with bodies when they are asked for.
    pub(crate) fn shown(&self, screen: Screen, sent: Option<&Sent>, bodies: bool) -> String {
        if screen.json {
            return self.as_json(sent, bodies);
        }
        // The time of day alone: who looks on knows the day.
        let clock = |time: &str| time.get(11..19).unwrap_or(time).to_owned();
        let at = sent.map_or_else(|| self.timestamp.clone(), |sent| sent.at.to_string());
        let mut line = format!(
            "{}  {:<TYPE_WIDTH$}  {:<ID_WIDTH$}",
            screen.paint(Colour::Dim, &clock(&at)),
            plain(&self.event_type),
            plain(&self.id),
        );
        if let Some(sent) = sent {
            line.push_str("  ");
            line.push_str(&sent.shown(screen));
        }
        if bodies {
            let payload = String::from_utf8_lossy(&self.payload);
            line.push_str(&block(screen, ">", &payload));
            if let Some(Ok((_, answer))) = sent.map(|sent| &sent.outcome) {
                line.push_str(&block(screen, "<", &String::from_utf8_lossy(answer)));
            }
        }
        line.trim_end().to_owned()
    }

    fn as_json(&self, sent: Option<&Sent>, bodies: bool) -> String {
        let mut line = Map::new();
        let mut add = |name: &str, value: Value| line.insert(name.to_owned(), value);
        add("id", json!(self.id));
        add("type", json!(self.event_type));
        add("timestamp", json!(self.timestamp));
        if let Some(sent) = sent {
            add("time", json!(sent.at));
            let millis = u64::try_from(sent.took.as_millis()).unwrap_or(u64::MAX);
            add("tookMs", json!(millis));
            let (status, error) = match &sent.outcome {
                Ok((status, _)) => (json!(status.as_u16()), Value::Null),
                Err(error) => (Value::Null, json!(error.to_string())),
            };
            add("status", status);
            add("error", error);
            if let (true, Ok((_, answer))) = (bodies, &sent.outcome) {
                add("answer", json!(String::from_utf8_lossy(answer)));
            }
        }
        let mut text = Value::Object(line).to_string();
        if bodies && let Ok(payload) = serde_json::from_slice::<&RawValue>(&self.payload) {
            // As it came: numbers keep their spelling, but a line stays a line.
            let payload = payload.get().replace(['\n', '\r'], " ");
            text.truncate(text.len() - 1);
            text.push_str(",\"event\":");
            text.push_str(&payload);
            text.push('}');
        }
        text
    }
}

/// A text below a line, each of its lines marked.
fn block(screen: Screen, mark: &str, text: &str) -> String {
    let text = plain_lines(text);
    let lines = text.lines().map(|line| {
        let mark = screen.paint(Colour::Dim, mark);
        format!("\n    {mark} {line}")
    });
    lines.collect()
}

/// What became of a forward.
#[derive(Debug)]
pub(crate) struct Sent {
    at: Timestamp,
    took: Duration,
    outcome: Result<(StatusCode, Bytes), CallError>,
}

impl Sent {
    /// Whether an endpoint's delivery would be done with.
    pub(crate) fn is_accepted(&self) -> bool {
        matches!(&self.outcome, Ok((status, _)) if status.is_success())
    }

    fn shown(&self, screen: Screen) -> String {
        let (colour, text) = match &self.outcome {
            Ok((status, _)) => {
                let colour = match status.as_u16() {
                    200..300 => Colour::Green,
                    300..500 => Colour::Yellow,
                    _ => Colour::Red,
                };
                (colour, status.as_u16().to_string())
            }
            Err(error) => (Colour::Red, error.to_string()),
        };
        let took = format!("{} ms", self.took.as_millis());
        format!(
            "{}  {}",
            screen.paint(colour, &text),
            screen.paint(Colour::Dim, &took)
        )
    }
}

/// Sends events to one URL as endpoints are sent them.
#[derive(Debug)]
pub(crate) struct Forwarder {
    client: Client,
    url: LocalUrl,
    secret: Option<SigningSecret>,
}

impl Forwarder {
    pub(crate) fn new(url: LocalUrl, secret: Option<SigningSecret>) -> Self {
        Self {
            client: client(),
            url,
            secret,
        }
    }

    /// Where events go.
    pub(crate) fn url(&self) -> &str {
        &self.url.text
    }

    /// Sends one event, once.
    pub(crate) async fn forward(&self, heard: &Heard) -> Sent {
        let at = SystemClock.now();
        let began = Instant::now();
        let outcome = self.send(heard, at).await;
        Sent {
            at,
            took: began.elapsed(),
            outcome,
        }
    }

    async fn send(&self, heard: &Heard, at: Timestamp) -> Result<(StatusCode, Bytes), CallError> {
        let answer = self.client.call(Call {
            method: Method::POST,
            target: self.url.target.clone(),
            headers: headers(heard, self.secret.as_ref(), at)?,
            body: heard.payload.clone(),
            timeout: FORWARD_TIMEOUT,
        });
        let answer = answer.await?;
        let status = answer.status;
        // The status says it all; a body that is too long for a screen is nobody's failure.
        let body = answer.whole(ANSWER_BYTES_MAX, FORWARD_TIMEOUT).await;
        Ok((status, body.unwrap_or_default()))
    }
}

fn headers(
    heard: &Heard,
    secret: Option<&SigningSecret>,
    at: Timestamp,
) -> Result<HeaderMap, CallError> {
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| CallError::BadHeader);
    let timestamp = at.as_millis().div_euclid(1_000);
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    let kind = HeaderValue::from_static("application/json; charset=UTF-8");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(ID, value(&heard.id)?);
    headers.insert(TIMESTAMP, HeaderValue::from(timestamp));
    if let Some(secret) = secret {
        let signature = signature_header([secret], &heard.id, timestamp, &heard.payload);
        headers.insert(SIGNATURE, value(&signature)?);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use hookyard_domain::endpoints::signing::verify;

    use super::*;

    fn heard() -> Heard {
        let payload = r#"{"id":"evt_7","type":"invoice.paid","timestamp":"2026-03-01T10:00:00.000Z","data":{"a": 1.50,
"b":"x"}}"#;
        Heard::read(Bytes::from_static(payload.as_bytes())).unwrap()
    }

    fn screen(json: bool) -> Screen {
        Screen::plain(json)
    }

    fn sent(outcome: Result<(StatusCode, Bytes), CallError>) -> Sent {
        Sent {
            at: Timestamp::from_millis(1_800_000_000_000),
            took: Duration::from_millis(12),
            outcome,
        }
    }

    #[test]
    fn a_url_may_be_short() {
        for (text, expect) in [
            ("3000", Some("http://localhost:3000/")),
            ("localhost:3000/hook", Some("http://localhost:3000/hook")),
            ("https://example.com/a", Some("https://example.com/a")),
            ("ftp://example.com", None),
            ("", None),
        ] {
            let read = LocalUrl::parse(text).ok();
            assert_eq!(read.as_ref().map(|url| url.text.as_str()), expect, "{text}");
        }
    }

    #[test]
    fn a_line_says_when_what_and_how_it_went() {
        let accepted = sent(Ok((StatusCode::OK, Bytes::from_static(b"thanks"))));
        let line = heard().shown(screen(false), Some(&accepted), false);
        assert_eq!(
            line,
            "08:00:00  invoice.paid                  evt_7                 200  12 ms"
        );
        let failed = sent(Err(CallError::Broken));
        let line = heard().shown(screen(false), Some(&failed), true);
        assert!(line.contains("the connection ended before the answer did  12 ms\n    > {\"id\""));
        let line = heard().shown(screen(false), None, false);
        assert_eq!(line, "10:00:00  invoice.paid                  evt_7");
    }

    #[test]
    fn a_line_for_scripts_is_one_object_and_keeps_the_payload() {
        let accepted = sent(Ok((StatusCode::OK, Bytes::from_static(b"thanks"))));
        let line = heard().shown(screen(true), Some(&accepted), true);
        assert_eq!(line.lines().count(), 1);
        assert!(line.contains(r#""a": 1.50"#), "{line}");
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["status"], 200);
        assert_eq!(read["answer"], "thanks");
        assert_eq!(read["event"]["data"]["b"], "x");
        let line = heard().shown(screen(true), None, false);
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["id"], "evt_7");
        assert_eq!(read.get("status"), None);
    }

    #[test]
    fn a_forward_is_signed_as_deliveries_are() {
        let secret = SigningSecret::from_random([7; 32]);
        let at = Timestamp::from_millis(1_800_000_000_999);
        let headers = headers(&heard(), Some(&secret), at).unwrap();
        let text = |name: &HeaderName| headers[name].to_str().unwrap();
        assert_eq!(text(&TIMESTAMP), "1800000000");
        let payload = &heard().payload;
        assert!(verify(
            text(&SIGNATURE),
            "evt_7",
            1_800_000_000,
            payload,
            [&secret]
        ));
    }
}
