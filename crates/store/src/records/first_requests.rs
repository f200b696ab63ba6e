//! `first_requests.answer_sealed`, before it is sealed.

use std::borrow::Cow;

use hookyard_domain::{FirstAnswer, Secret};
use serde::{Deserialize, Serialize};

/// What a request was answered.
#[derive(Serialize, Deserialize)]
pub(crate) struct FirstAnswerRecord<'a> {
    status: u16,
    headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    body: Cow<'a, str>,
}

impl<'a> From<&'a FirstAnswer> for FirstAnswerRecord<'a> {
    fn from(answer: &'a FirstAnswer) -> Self {
        let headers = answer.headers.iter();
        let headers = headers.map(|(name, value)| (name.into(), value.into()));
        Self {
            status: answer.status,
            headers: headers.collect(),
            body: answer.body.reveal().into(),
        }
    }
}

impl From<FirstAnswerRecord<'_>> for FirstAnswer {
    fn from(record: FirstAnswerRecord<'_>) -> Self {
        let headers = record.headers.into_iter();
        let headers = headers.map(|(name, value)| (name.into_owned(), value.into_owned()));
        Self {
            status: record.status,
            headers: headers.collect(),
            body: Secret::new(record.body),
        }
    }
}
