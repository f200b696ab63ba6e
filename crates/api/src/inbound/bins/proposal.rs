//! What is asked of a bin, in the words of the wire. Absent members leave things as they are.

use std::collections::BTreeMap;

use crate::operations::wire::Ignored;
use hookyard_domain::inbound::bin::{BinError, Repeat};
use hookyard_domain::{BinAnswer, BinReply};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AskedBin {
    pub(super) name: Option<String>,
    pub(super) answer: Option<AskedAnswer>,
    /// What bins are told with and nobody can set is there when somebody sends back what they read.
    #[serde(default, rename = "id")]
    #[schemars(with = "Ignored")]
    _id: IgnoredAny,
    #[serde(default, rename = "url")]
    #[schemars(with = "Ignored")]
    _url: IgnoredAny,
    #[serde(default, rename = "creationTime")]
    #[schemars(with = "Ignored")]
    _creation_time: IgnoredAny,
    #[serde(default, rename = "requests")]
    #[schemars(with = "Ignored")]
    _requests: IgnoredAny,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AskedAnswer {
    status: Option<u16>,
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
    delay_ms: Option<u32>,
    /// Empty ends the sequence that there is.
    sequence: Option<Vec<AskedReply>>,
    repeat: Option<String>,
    handshake: Option<bool>,
}

/// One answer of a sequence.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AskedReply {
    status: Option<u16>,
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
    delay_ms: Option<u32>,
}

impl AskedReply {
    fn onto(self, reply: BinReply) -> BinReply {
        BinReply {
            status: self.status.unwrap_or(reply.status),
            headers: self.headers.unwrap_or(reply.headers),
            body: self.body.unwrap_or(reply.body),
            delay_ms: self.delay_ms.unwrap_or(reply.delay_ms),
        }
    }
}

impl AskedAnswer {
    /// `answer` with what is asked for in place of what was there.
    pub(super) fn onto(self, answer: BinAnswer) -> Result<BinAnswer, BinError> {
        let repeat = match self.repeat {
            None => answer.repeat,
            Some(name) => Repeat::from_name(&name).ok_or_else(|| BinError {
                place: "answer.repeat".to_owned(),
                rule: "`last` or `cycle`".to_owned(),
            })?,
        };
        let sequence = self.sequence.map(|sequence| {
            let whole = |asked: AskedReply| asked.onto(BinReply::default());
            sequence.into_iter().map(whole).collect()
        });
        let reply = AskedReply {
            status: self.status,
            headers: self.headers,
            body: self.body,
            delay_ms: self.delay_ms,
        };
        Ok(BinAnswer {
            reply: reply.onto(answer.reply),
            sequence: sequence.unwrap_or(answer.sequence),
            repeat,
            handshake: self.handshake.unwrap_or(answer.handshake),
        })
    }
}
