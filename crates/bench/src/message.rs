//! The cards that the load tool sends, and the mark in each that the receiver reads back.

use memchr::memmem::Finder;

/// Size of a card's JSON: what the published figures are about.
pub(crate) const CARD_BYTES: usize = 1_024;

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

/// A complete HTTP request whose mark is overwritten in place for each message.
#[derive(Debug, Clone)]
pub(crate) struct CardRequest {
    bytes: Vec<u8>,
    mark_at: usize,
}

impl CardRequest {
    /// A request that posts a card to `path` on `host`.
    pub(crate) fn new(host: &str, path: &str) -> Self {
        let body = card();
        let mut bytes = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(body.as_bytes());
        let mark_at = memchr::memmem::find(&bytes, MARK).expect("a card carries a mark");
        Self {
            bytes,
            mark_at: mark_at + MARK.len(),
        }
    }

    /// The request's bytes with `mark` in them.
    pub(crate) fn marked(&mut self, mark: Mark) -> &[u8] {
        let digits = &mut self.bytes[self.mark_at..self.mark_at + MARK_DIGITS];
        write_hex(&mut digits[0..4], u64::from(mark.phase));
        write_hex(&mut digits[5..13], u64::from(mark.id));
        write_hex(&mut digits[14..30], mark.sent_us);
        &self.bytes
    }
}

/// A card of exactly [`CARD_BYTES`]: text, an attachment with fields, padded in the card's text.
fn card() -> String {
    let mark = "0".repeat(MARK_DIGITS);
    let mark = format!("{}{mark}", str::from_utf8(MARK).expect("the mark is ASCII"));
    let before = format!(
        r##"{{"activity":"Build server","title":"Build **4711** passed","text":"{mark}","attachments":[{{"type":"Card","color":"#00a651","fallback":"Build passed","title":"main is green","fields":[{{"title":"Branch","value":"main","style":"Short"}},{{"title":"Duration","value":"3 min 12 s","style":"Short"}}],"footnote":{{"text":"ci.example.com"}},"text":""##
    );
    let after = r#""}]}"#;
    let words = "All 1,284 tests passed on every platform. ";
    let padding = CARD_BYTES - before.len() - after.len();
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
        let mut request = CardRequest::new("127.0.0.1:1", "/webhook/v2/x");
        let bytes = request.marked(mark).to_vec();
        assert_eq!(MarkReader::new().read(&bytes), Some(mark));
        assert_eq!(MarkReader::new().read(b"bench-mark 12"), None);
    }

    #[test]
    fn a_card_is_json_of_exactly_one_kibibyte() {
        assert_eq!(card().len(), CARD_BYTES);
        serde_json::from_str::<serde_json::Value>(&card()).unwrap();
    }
}
