//! The cards and events that the load tool sends, and the mark in each that the receiver reads back.

use memchr::memmem::Finder;

/// Size of a card's JSON: what the published figures are about.
pub(crate) const CARD_BYTES: usize = 1_024;
/// Size of an event's JSON, type and data.
pub(crate) const EVENT_BYTES: usize = 512;
/// The type of these events.
pub(crate) const EVENT_TYPE: &str = "invoice.paid";

/// Begins a mark. The mark sits in the card's text, which servers pass on unchanged.
const MARK: &[u8] = b"bench-mark ";
/// `pppp-iiiiiiii-tttttttttttttttt` in hexadecimal: phase, id, intended time of sending.
const MARK_DIGITS: usize = 4 + 1 + 8 + 1 + 16;

/// What identifies one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Which measurement it belongs to, so that stragglers of an earlier one are not counted.
    pub(crate) phase: u16,
    pub(crate) id: u32,
    /// When it was due to be sent, in microseconds of the run.
    pub(crate) sent_us: u64,
}

/// What a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Card,
    Event,
    /// So many events in an array.
    Events(u32),
}

impl Content {
    /// Messages in one request.
    pub(crate) fn messages(self) -> u32 {
        match self {
            Self::Card | Self::Event => 1,
            Self::Events(count) => count,
        }
    }

    fn body(self) -> String {
        match self {
            Self::Card => card(),
            Self::Event => event(),
            Self::Events(count) => {
                let events: Vec<_> = (0..count).map(|_| event()).collect();
                format!("[{}]", events.join(","))
            }
        }
    }
}

/// A complete HTTP request whose marks are overwritten in place each time.
#[derive(Debug, Clone)]
pub(crate) struct MarkedRequest {
    bytes: Vec<u8>,
    marks_at: Vec<usize>,
}

impl MarkedRequest {
    /// A request that posts `content` to `path` on `host`, with the value of `authorization`, if
    /// there is one.
    pub(crate) fn new(
        host: &str,
        path: &str,
        authorization: Option<&str>,
        content: Content,
    ) -> Self {
        let body = content.body();
        let authorization =
            authorization.map_or_else(String::new, |value| format!("Authorization: {value}\r\n"));
        let mut bytes = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body.as_bytes());
        let marks = memchr::memmem::find_iter(&bytes, MARK);
        let marks_at = marks.map(|at| at + MARK.len()).collect();
        Self { bytes, marks_at }
    }

    /// The request's bytes with `mark` in its first message, and the ids that follow in the others.
    pub(crate) fn marked(&mut self, mark: Mark) -> &[u8] {
        for (id, at) in (u64::from(mark.id)..).zip(&self.marks_at) {
            let digits = &mut self.bytes[*at..at + MARK_DIGITS];
            write_hex(&mut digits[0..4], u64::from(mark.phase));
            write_hex(&mut digits[5..13], id);
            write_hex(&mut digits[14..30], mark.sent_us);
        }
        &self.bytes
    }
}

/// An event of exactly [`EVENT_BYTES`]: a paid invoice, padded in its note.
fn event() -> String {
    let mark = "0".repeat(MARK_DIGITS);
    let mark = format!("{}{mark}", str::from_utf8(MARK).expect("the mark is ASCII"));
    let before = format!(
        r#"{{"type":"{EVENT_TYPE}","data":{{"invoice":{{"id":"in_1MtHbELkdIwHu7ix","number":"2026-000471","status":"paid","currency":"EUR","total":{{"net":1240.50,"tax":235.70}},"lines":[{{"sku":"SEAT-PRO","quantity":12,"unit":98.00}},{{"sku":"SMS","quantity":2150,"unit":0.03}}]}},"customer":{{"id":"cus_9s6XKzkNRiz8i3","email":"billing@example.com"}},"reference":"{mark}","note":""#
    );
    padded(&before, r#""}}"#, EVENT_BYTES)
}

/// A card of exactly [`CARD_BYTES`]: text, an attachment with fields, padded in the card's text.
fn card() -> String {
    let mark = "0".repeat(MARK_DIGITS);
    let mark = format!("{}{mark}", str::from_utf8(MARK).expect("the mark is ASCII"));
    let before = format!(
        r##"{{"activity":"Build server","title":"Build **4711** passed","text":"{mark}","attachments":[{{"type":"Card","color":"#00a651","fallback":"Build passed","title":"main is green","fields":[{{"title":"Branch","value":"main","style":"Short"}},{{"title":"Duration","value":"3 min 12 s","style":"Short"}}],"footnote":{{"text":"ci.example.com"}},"text":""##
    );
    let after = r#""}]}"#;
    padded(&before, after, CARD_BYTES)
}

/// The two with words between them, `bytes` long in all.
fn padded(before: &str, after: &str, bytes: usize) -> String {
    let words = "All 1,284 tests passed on every platform. ";
    let padding = bytes - before.len() - after.len();
    let text: String = words.chars().cycle().take(padding).collect();
    format!("{before}{text}{after}")
}

fn write_hex(digits: &mut [u8], mut value: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[usize::from((value & 15) as u8)];
        value >>= 4;
    }
}

/// Finds marks in the bodies of deliveries.
#[derive(Debug)]
pub(crate) struct MarkReader {
    finder: Finder<'static>,
}

impl MarkReader {
    pub(crate) fn new() -> Self {
        Self {
            finder: Finder::new(MARK),
        }
    }

    /// The mark in `body`, if it has one.
    pub(crate) fn read(&self, body: &[u8]) -> Option<Mark> {
        let start = self.finder.find(body)? + MARK.len();
        let digits = str::from_utf8(body.get(start..start + MARK_DIGITS)?).ok()?;
        Some(Mark {
            phase: u16::from_str_radix(digits.get(0..4)?, 16).ok()?,
            id: u32::from_str_radix(digits.get(5..13)?, 16).ok()?,
            sent_us: u64::from_str_radix(digits.get(14..30)?, 16).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_survives_the_way_through_a_request() {
        let mark = Mark {
            phase: 7,
            id: 123_456,
            sent_us: 9_876_543_210,
        };
        for content in [Content::Card, Content::Event] {
            let mut request = MarkedRequest::new("127.0.0.1:1", "/webhook/v2/x", None, content);
            let bytes = request.marked(mark).to_vec();
            assert_eq!(MarkReader::new().read(&bytes), Some(mark));
        }
        assert_eq!(MarkReader::new().read(b"bench-mark 12"), None);
    }

    #[test]
    fn each_event_of_a_batch_has_a_number_of_its_own() {
        let content = Content::Events(3);
        let mut request = MarkedRequest::new("h", "/", Some("Bearer x"), content);
        let mark = Mark {
            phase: 1,
            id: 30,
            sent_us: 5,
        };
        let bytes = request.marked(mark).to_vec();
        let head = memchr::memmem::find(&bytes, b"\r\n\r\n").unwrap();
        assert!(memchr::memmem::find(&bytes[..head], b"\r\nAuthorization: Bearer x\r\n").is_some());
        let events: Vec<serde_json::Value> = serde_json::from_slice(&bytes[head + 4..]).unwrap();
        let ids = events.iter().map(|event| {
            let text = event.to_string();
            MarkReader::new().read(text.as_bytes()).unwrap().id
        });
        assert_eq!(ids.collect::<Vec<_>>(), [30, 31, 32]);
    }

    #[test]
    fn cards_and_events_are_json_of_exactly_the_size_that_is_told() {
        for (text, bytes) in [(card(), CARD_BYTES), (event(), EVENT_BYTES)] {
            assert_eq!(text.len(), bytes);
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    }
}
