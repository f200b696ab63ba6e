//! `endpoint_statistics.outcomes` and `endpoint_statistics.latency`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hookyard_domain::{Latency, OutcomeKind};
use serde::{Deserialize, Serialize};

/// How often attempts ended in which way, by the names of the ways.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct OutcomesRecord(BTreeMap<NameRecord, u64>);

/// A name, in the order of what it names.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct NameRecord(OutcomeKind);

impl Clone for NameRecord {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl From<NameRecord> for String {
    fn from(record: NameRecord) -> Self {
        record.0.name()
    }
}

impl TryFrom<String> for NameRecord {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let kind = OutcomeKind::from_name(&name);
        kind.map(Self).ok_or("not the end of an attempt")
    }
}

impl From<&BTreeMap<OutcomeKind, u64>> for OutcomesRecord {
    fn from(outcomes: &BTreeMap<OutcomeKind, u64>) -> Self {
        let counts = outcomes.iter();
        Self(
            counts
                .map(|(kind, count)| (NameRecord(*kind), *count))
                .collect(),
        )
    }
}

impl From<OutcomesRecord> for BTreeMap<OutcomeKind, u64> {
    fn from(record: OutcomesRecord) -> Self {
        let counts = record.0.into_iter();
        counts.map(|(name, count)| (name.0, count)).collect()
    }
}

/// How many attempts took how long, by slot.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct LatencyRecord<'a>(Cow<'a, BTreeMap<u8, u64>>);

impl<'a> From<&'a Latency> for LatencyRecord<'a> {
    fn from(latency: &'a Latency) -> Self {
        Self(Cow::Borrowed(latency.slots()))
    }
}

impl From<LatencyRecord<'_>> for Latency {
    fn from(record: LatencyRecord<'_>) -> Self {
        Self::from_slots(record.0.into_owned())
    }
}
