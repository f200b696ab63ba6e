//! `requests.findings`, and headers of requests to webhooks and to bins.

use std::borrow::Cow;

use hookyard_domain::Finding;
use serde::{Deserialize, Serialize};

/// Names and values, in their order.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct HeadersRecord<'a>(Cow<'a, [(String, String)]>);

impl<'a> From<&'a Vec<(String, String)>> for HeadersRecord<'a> {
    fn from(headers: &'a Vec<(String, String)>) -> Self {
        Self(Cow::Borrowed(headers))
    }
}

impl From<HeadersRecord<'_>> for Vec<(String, String)> {
    fn from(record: HeadersRecord<'_>) -> Self {
        record.0.into_owned()
    }
}

/// What the conversion of a card noticed.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FindingsRecord<'a>(Vec<FindingRecord<'a>>);

#[derive(Serialize, Deserialize)]
struct FindingRecord<'a> {
    pointer: Cow<'a, str>,
    warning: Cow<'a, str>,
}

impl<'a> From<&'a Vec<Finding>> for FindingsRecord<'a> {
    fn from(findings: &'a Vec<Finding>) -> Self {
        let records = findings.iter().map(|finding| FindingRecord {
            pointer: Cow::Borrowed(&finding.pointer),
            warning: Cow::Borrowed(&finding.warning),
        });
        Self(records.collect())
    }
}

impl From<FindingsRecord<'_>> for Vec<Finding> {
    fn from(record: FindingsRecord<'_>) -> Self {
        let findings = record.0.into_iter().map(|finding| Finding {
            pointer: finding.pointer.into_owned(),
            warning: finding.warning.into_owned(),
        });
        findings.collect()
    }
}
