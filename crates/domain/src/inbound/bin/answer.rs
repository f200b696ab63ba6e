//! What a bin answers, and the bounds of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::BinError;
use crate::kernel::limits::{
    BIN_ANSWER_BODY_BYTES_MAX, BIN_ANSWERS_BYTES_MAX, BIN_ANSWERS_MAX, BIN_DELAY_MAX,
    BIN_HEADERS_MAX, HEADER_NAME_CHARS_MAX, HEADER_VALUE_CHARS_MAX,
};

/// What callers are answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BinAnswer {
    #[serde(flatten)]
    pub reply: BinReply,
    /// Given one after the other, in place of `reply`, when there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sequence: Vec<BinReply>,
    /// What comes after the last of the sequence.
    pub repeat: Repeat,
    /// Whether handshakes are answered as their senders hope, whatever else is configured.
    pub handshake: bool,
}

impl Default for BinAnswer {
    fn default() -> Self {
        Self {
            reply: BinReply::default(),
            sequence: Vec::new(),
            repeat: Repeat::Last,
            handshake: true,
        }
    }
}

/// One HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BinReply {
    /// 200 to 599.
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// How long the caller waits for it, in milliseconds.
    pub delay_ms: u32,
}

impl Default for BinReply {
    fn default() -> Self {
        Self {
            status: 200,
            headers: BTreeMap::new(),
            body: String::new(),
            delay_ms: 0,
        }
    }
}

/// What a sequence of answers does at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Repeat {
    /// The last answer is given from then on.
    #[default]
    Last,
    /// The sequence begins anew.
    Cycle,
}

impl Repeat {
    /// Reads its name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "last" => Some(Self::Last),
            "cycle" => Some(Self::Cycle),
            _ => None,
        }
    }
}

impl BinAnswer {
    /// The answer to the call that has taken turn `turn`; turns count from one.
    pub fn at_turn(&self, turn: u64) -> &BinReply {
        let count = self.sequence.len() as u64;
        let Some(last) = count.checked_sub(1) else {
            return &self.reply;
        };
        let index = turn.saturating_sub(1);
        let index = match self.repeat {
            Repeat::Last => index.min(last),
            Repeat::Cycle => index % count,
        };
        let index = usize::try_from(index).expect("it is below the sequence's length");
        &self.sequence[index]
    }

    /// Whether what is answered depends on the turn.
    pub fn takes_turns(&self) -> bool {
        !self.sequence.is_empty()
    }

    /// Refuses what cannot be answered, or must not be from our own address.
    pub fn check(&self) -> Result<(), BinError> {
        self.reply.check("answer")?;
        if self.sequence.len() > BIN_ANSWERS_MAX {
            let rule = format!("at most {BIN_ANSWERS_MAX} answers");
            return Err(BinError::at("answer.sequence", rule));
        }
        for (index, reply) in self.sequence.iter().enumerate() {
            reply.check(&format!("answer.sequence[{index}]"))?;
        }
        let bytes: usize = self.sequence.iter().map(|reply| reply.body.len()).sum();
        if bytes > BIN_ANSWERS_BYTES_MAX {
            let rule = format!("at most {BIN_ANSWERS_BYTES_MAX} bytes of bodies together");
            return Err(BinError::at("answer.sequence", rule));
        }
        Ok(())
    }
}

impl BinReply {
    /// How long the caller waits for it.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.into())
    }

    fn check(&self, place: &str) -> Result<(), BinError> {
        if !(200..=599).contains(&self.status) {
            return Err(BinError::at(
                format!("{place}.status"),
                "a status from 200 to 599",
            ));
        }
        if self.delay() > BIN_DELAY_MAX {
            let rule = format!("at most {} ms", BIN_DELAY_MAX.as_millis());
            return Err(BinError::at(format!("{place}.delayMs"), rule));
        }
        if self.body.len() > BIN_ANSWER_BODY_BYTES_MAX {
            let rule = format!("at most {BIN_ANSWER_BODY_BYTES_MAX} bytes");
            return Err(BinError::at(format!("{place}.body"), rule));
        }
        if matches!(self.status, 204 | 205 | 304) && !self.body.is_empty() {
            let rule = format!("empty, because an answer of {} has no body", self.status);
            return Err(BinError::at(format!("{place}.body"), rule));
        }
        if self.headers.len() > BIN_HEADERS_MAX {
            let rule = format!("at most {BIN_HEADERS_MAX} headers");
            return Err(BinError::at(format!("{place}.headers"), rule));
        }
        let mut known = BTreeSet::new();
        for (name, value) in &self.headers {
            let refused = |rule: &str| BinError::at(format!("{place}.headers.{name}"), rule);
            check_header(name, value).map_err(refused)?;
            if !known.insert(name.to_ascii_lowercase()) {
                return Err(refused("given once, in one spelling"));
            }
        }
        Ok(())
    }
}

/// Headers that belong to the connection, or that would change how a browser treats our whole
/// address: bins answer from the same one as the console.
const RESERVED_HEADERS: [&str; 27] = [
    "alt-svc",
    "clear-site-data",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-security-policy-report-only",
    "critical-ch",
    "date",
    "expect-ct",
    "keep-alive",
    "nel",
    "origin-agent-cluster",
    "public-key-pins",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "service-worker-allowed",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "use-as-dictionary",
    "x-content-type-options",
];

fn check_header(name: &str, value: &str) -> Result<(), &'static str> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > HEADER_NAME_CHARS_MAX || !name.bytes().all(is_token) {
        return Err("a header name of at most 128 letters, digits and marks such as `-`");
    }
    let lower = name.to_ascii_lowercase();
    if RESERVED_HEADERS.contains(&lower.as_str()) || lower.starts_with("proxy-") {
        return Err("left out: the server keeps this header to itself");
    }
    let is_plain = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    if value.len() > HEADER_VALUE_CHARS_MAX || !value.bytes().all(is_plain) {
        return Err("at most 4096 visible ASCII characters, spaces and tabs");
    }
    // Loaded as a script of our own address, it would run in the console's name.
    let value = value.to_ascii_lowercase();
    if lower == "content-type" && ["script", "css"].iter().any(|kind| value.contains(kind)) {
        return Err("a type that no page loads as a script or a style");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16) -> BinReply {
        BinReply {
            status,
            ..BinReply::default()
        }
    }

    fn with_header(name: &str, value: &str) -> BinAnswer {
        BinAnswer {
            reply: BinReply {
                headers: [(name.to_owned(), value.to_owned())].into(),
                ..BinReply::default()
            },
            ..BinAnswer::default()
        }
    }

    fn place(answer: &BinAnswer) -> String {
        answer.check().expect_err("it is refused").place
    }

    #[test]
    fn a_sequence_stays_at_its_last_answer_or_begins_anew() {
        let statuses = |repeat| {
            let answer = BinAnswer {
                sequence: vec![reply(500), reply(503), reply(200)],
                repeat,
                ..BinAnswer::default()
            };
            [1, 2, 3, 4, 5, u64::MAX].map(|turn| answer.at_turn(turn).status)
        };
        assert_eq!(statuses(Repeat::Last), [500, 503, 200, 200, 200, 200]);
        assert_eq!(statuses(Repeat::Cycle), [500, 503, 200, 500, 503, 200]);
        let plain = BinAnswer {
            reply: reply(418),
            ..BinAnswer::default()
        };
        assert_eq!(plain.at_turn(7).status, 418);
    }

    #[test]
    fn what_cannot_be_answered_is_refused_with_its_place() {
        for status in [0, 100, 199, 600, u16::MAX] {
            let answer = BinAnswer {
                reply: reply(status),
                ..BinAnswer::default()
            };
            assert_eq!(place(&answer), "answer.status", "{status}");
        }
        let body = |bytes: usize| BinReply {
            body: "x".repeat(bytes),
            ..BinReply::default()
        };
        let sequence = |sequence: Vec<BinReply>| BinAnswer {
            sequence,
            ..BinAnswer::default()
        };
        let most = sequence(vec![body(BIN_ANSWER_BODY_BYTES_MAX); 4]);
        assert_eq!(most.check(), Ok(()));
        for (answer, expect) in [
            (
                sequence(vec![reply(200), reply(600)]),
                "answer.sequence[1].status",
            ),
            (sequence(vec![reply(200); 21]), "answer.sequence"),
            (
                sequence(vec![body(BIN_ANSWER_BODY_BYTES_MAX); 5]),
                "answer.sequence",
            ),
            (
                sequence(vec![body(BIN_ANSWER_BODY_BYTES_MAX + 1)]),
                "answer.sequence[0].body",
            ),
            (
                BinAnswer {
                    reply: BinReply {
                        delay_ms: 60_001,
                        ..BinReply::default()
                    },
                    ..BinAnswer::default()
                },
                "answer.delayMs",
            ),
            (
                BinAnswer {
                    reply: BinReply {
                        status: 204,
                        ..body(1)
                    },
                    ..BinAnswer::default()
                },
                "answer.body",
            ),
        ] {
            assert_eq!(place(&answer), expect);
        }
    }

    #[test]
    fn headers_stay_on_their_line_and_away_from_our_address() {
        for (name, value) in [
            ("X-Plain", "some value"),
            ("Location", "https://example.com/"),
            ("Content-Type", "text/html; charset=utf-8"),
            ("Retry-After", "5"),
        ] {
            assert_eq!(with_header(name, value).check(), Ok(()), "{name}");
        }
        for (name, value) in [
            ("", "x"),
            ("X Y", "x"),
            ("X\r\nSet-Cookie", "x"),
            ("X-Line", "a\r\nSet-Cookie: b"),
            ("X-Accent", "é"),
            ("Set-Cookie", "a=b"),
            ("Transfer-Encoding", "chunked"),
            ("CONTENT-LENGTH", "7"),
            ("Proxy-Anything", "x"),
            ("Content-Security-Policy", "default-src *"),
            ("Content-Type", "Text/JavaScript"),
            ("Content-Type", "text/css"),
        ] {
            let expect = format!("answer.headers.{name}");
            assert_eq!(place(&with_header(name, value)), expect, "{value:?}");
        }
        let mut twice = with_header("X-Twice", "a");
        twice.reply.headers.insert("x-twice".into(), "b".into());
        assert_eq!(place(&twice), "answer.headers.x-twice");
    }
}
