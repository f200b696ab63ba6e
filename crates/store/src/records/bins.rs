//! `bins.answer`. The column's text is compared as it is: the order of members counts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hookyard_domain::inbound::bin::Repeat;
use hookyard_domain::{BinAnswer, BinReply};
use serde::{Deserialize, Serialize};

/// What callers of a bin are answered.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnswerRecord<'a> {
    #[serde(flatten)]
    reply: ReplyRecord<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sequence: Vec<ReplyRecord<'a>>,
    #[serde(default)]
    repeat: RepeatRecord,
    handshake: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReplyRecord<'a> {
    status: u16,
    headers: Cow<'a, BTreeMap<String, String>>,
    body: Cow<'a, str>,
    delay_ms: u32,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RepeatRecord {
    #[default]
    Last,
    Cycle,
}

impl<'a> From<&'a BinAnswer> for AnswerRecord<'a> {
    fn from(answer: &'a BinAnswer) -> Self {
        Self {
            reply: ReplyRecord::from(&answer.reply),
            sequence: answer.sequence.iter().map(ReplyRecord::from).collect(),
            repeat: match answer.repeat {
                Repeat::Last => RepeatRecord::Last,
                Repeat::Cycle => RepeatRecord::Cycle,
            },
            handshake: answer.handshake,
        }
    }
}

impl From<AnswerRecord<'_>> for BinAnswer {
    fn from(record: AnswerRecord<'_>) -> Self {
        Self {
            reply: record.reply.into(),
            sequence: record.sequence.into_iter().map(BinReply::from).collect(),
            repeat: match record.repeat {
                RepeatRecord::Last => Repeat::Last,
                RepeatRecord::Cycle => Repeat::Cycle,
            },
            handshake: record.handshake,
        }
    }
}

impl<'a> From<&'a BinReply> for ReplyRecord<'a> {
    fn from(reply: &'a BinReply) -> Self {
        Self {
            status: reply.status,
            headers: Cow::Borrowed(&reply.headers),
            body: Cow::Borrowed(&reply.body),
            delay_ms: reply.delay_ms,
        }
    }
}

impl From<ReplyRecord<'_>> for BinReply {
    fn from(record: ReplyRecord<'_>) -> Self {
        Self {
            status: record.status,
            headers: record.headers.into_owned(),
            body: record.body.into_owned(),
            delay_ms: record.delay_ms,
        }
    }
}
