//! The few calls that clients make (contract section 7.2).

use hookyard_domain::kernel::limits::{CHANNEL_CHARS_MAX, POLL_CHANNELS_MAX};
use percent_encoding::percent_decode_str;

/// A poll for what is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    pub key: String,
    pub channels: Vec<String>,
    /// Where the client stands; `None` when it has just come.
    pub token: Option<u64>,
    /// Asked for in the way of the third generation of clients.
    pub legacy: bool,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Poll(Poll),
    Heartbeat { key: String },
    Leave { key: String },
    Time,
}

impl Request {
    /// Reads a call; `None` when it is none that we know.
    pub fn read(path: &str, query: &str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        match segments[..] {
            ["time", "0"] => Some(Self::Time),
            ["v2", "subscribe", key, channels, "0"] => {
                let mut token = None;
                for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
                    match &*name {
                        "tt" => token = Some(read_token(&value)?),
                        // What we cannot narrow by, we do not pretend to.
                        "filter-expr" | "channel-group" if !value.is_empty() => return None,
                        _ => {}
                    }
                }
                let poll = Poll {
                    key: decode(key)?,
                    channels: read_channels(channels)?,
                    token: token.flatten(),
                    legacy: false,
                };
                Some(Self::Poll(poll))
            }
            // A callback's name would make the answer a script.
            ["subscribe", key, channels, "0", token] => Some(Self::Poll(Poll {
                key: decode(key)?,
                channels: read_channels(channels)?,
                token: read_token(token)?,
                legacy: true,
            })),
            ["v2", "presence", "sub-key", key, "channel", channels, verb] => {
                read_channels(channels)?;
                let key = decode(key)?;
                match verb {
                    "heartbeat" => Some(Self::Heartbeat { key }),
                    "leave" => Some(Self::Leave { key }),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The subscribe key that was presented, where one is.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Poll(Poll { key, .. }) | Self::Heartbeat { key } | Self::Leave { key } => {
                Some(key)
            }
            Self::Time => None,
        }
    }
}

/// A time token; `Some(None)` for the zero of a client that has just come.
#[expect(
    clippy::option_option,
    reason = "no token and an unreadable one are different answers"
)]
fn read_token(text: &str) -> Option<Option<u64>> {
    if text.is_empty() || text.len() > 19 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse()
        .ok()
        .map(|token| Some(token).filter(|token| *token > 0))
}

fn decode(segment: &str) -> Option<String> {
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    let plain = !decoded.is_empty() && decoded.len() <= CHANNEL_CHARS_MAX;
    plain.then(|| decoded.into_owned())
}

/// Channels with commas between, which some clients encode.
fn read_channels(segment: &str) -> Option<Vec<String>> {
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    let mut channels: Vec<String> = Vec::new();
    for channel in decoded.split(',') {
        if channel.is_empty() || channel.len() > CHANNEL_CHARS_MAX {
            return None;
        }
        if !channels.iter().any(|known| known == channel) {
            channels.push(channel.to_owned());
        }
    }
    (channels.len() <= POLL_CHANNELS_MAX).then_some(channels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn poll(path: &str, query: &str) -> Option<(Vec<String>, Option<u64>, bool)> {
        match Request::read(path, query)? {
            Request::Poll(poll) => Some((poll.channels, poll.token, poll.legacy)),
            _ => None,
        }
    }

    #[test]
    fn every_generation_of_clients_is_understood() {
        let one = vec!["1_ab".to_owned()];
        let two = vec!["1_ab".to_owned(), "1_cd".to_owned()];
        let token = Some(17_000_000_000_000_000);
        let path = "/v2/subscribe/sub-c-1/1_ab/0";
        for (path, query, expect) in [
            (path, "", Some((one.clone(), None, false))),
            (
                path,
                "tt=0&tr=&uuid=x&pnsdk=PubNub-JS&ee=",
                Some((one.clone(), None, false)),
            ),
            (
                path,
                "tt=17000000000000000&tr=1",
                Some((one.clone(), token, false)),
            ),
            (
                "/v2/subscribe/sub-c-1/1_ab%2C1_cd/0",
                "tt=0",
                Some((two.clone(), None, false)),
            ),
            (
                "/v2/subscribe/sub-c-1/1_ab,1_cd,1_ab/0",
                "",
                Some((two, None, false)),
            ),
            (
                "/subscribe/sub-c-1/1_ab/0/17000000000000000",
                "",
                Some((one.clone(), token, true)),
            ),
            ("/subscribe/sub-c-1/1_ab/0/0", "", Some((one, None, true))),
            ("/subscribe/sub-c-1/1_ab/alert/0", "", None),
            (path, "tt=soon", None),
            (path, "tt=-1", None),
            (path, "filter-expr=a", None),
            ("/v2/subscribe/sub-c-1//0", "", None),
            ("/v2/subscribe/sub-c-1/,/0", "", None),
            ("/v2/subscribe/sub-c-1/1_ab/0/", "", None),
            ("/v2/subscribe/sub-c-1/%ff/0", "", None),
        ] {
            assert_eq!(poll(path, query), expect, "{path}?{query}");
        }
        let many = "x,".repeat(POLL_CHANNELS_MAX) + "y";
        let distinct: Vec<_> = (0..=POLL_CHANNELS_MAX)
            .map(|number| number.to_string())
            .collect();
        assert!(poll(&format!("/v2/subscribe/k/{many}/0"), "").is_some());
        assert!(poll(&format!("/v2/subscribe/k/{}/0", distinct.join(",")), "").is_none());
    }

    proptest! {
        #[test]
        fn any_call_is_read_without_panic(path in "/\\PC{0,80}", query in "\\PC{0,40}") {
            let _ = Request::read(&path, &query);
        }
    }
}
