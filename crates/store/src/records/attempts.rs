//! `attempts.transcript`.

use std::borrow::Cow;

use hookyard_domain::Transcript;
use serde::{Deserialize, Serialize};

/// What was said on both sides of an attempt.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TranscriptRecord<'a> {
    url: Cow<'a, str>,
    request_headers: Cow<'a, [(String, String)]>,
    batched_with: u32,
    answer_headers: Cow<'a, [(String, String)]>,
    answer_truncated: bool,
}

impl<'a> From<&'a Transcript> for TranscriptRecord<'a> {
    fn from(transcript: &'a Transcript) -> Self {
        Self {
            url: Cow::Borrowed(&transcript.url),
            request_headers: Cow::Borrowed(&transcript.request_headers),
            batched_with: transcript.batched_with,
            answer_headers: Cow::Borrowed(&transcript.answer_headers),
            answer_truncated: transcript.answer_truncated,
        }
    }
}

impl From<TranscriptRecord<'_>> for Transcript {
    fn from(record: TranscriptRecord<'_>) -> Self {
        Self {
            url: record.url.into_owned(),
            request_headers: record.request_headers.into_owned(),
            batched_with: record.batched_with,
            answer_headers: record.answer_headers.into_owned(),
            answer_truncated: record.answer_truncated,
        }
    }
}
