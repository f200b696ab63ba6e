//! `jobs.work`.

use std::borrow::Cow;

use hookyard_domain::kernel::ports::{AnswerQuery, StateQuery};
use hookyard_domain::{
    DeliverySelection, ErasureSubject, EventId, JobWork, PersonId, SubscriptionId, Timestamp,
    TypePattern,
};
use serde::{Deserialize, Serialize};

/// What a job does.
#[derive(Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
pub(crate) enum WorkRecord<'a> {
    Resend {
        selection: SelectionRecord,
    },
    Recover {
        endpoint: SubscriptionId,
        since: Timestamp,
    },
    Replay {
        endpoint: SubscriptionId,
        since: Timestamp,
        until: Timestamp,
        types: Cow<'a, [TypePattern]>,
    },
    Scenario {
        name: Cow<'a, str>,
        endpoint: Option<SubscriptionId>,
        pause_ms: u64,
    },
    Erase {
        subject: SubjectRecord,
    },
}

/// Which deliveries a job is about. Absent parts mean any, and are written as null.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SelectionRecord {
    subscription: Option<SubscriptionId>,
    event: Option<EventId>,
    state: Option<StateRecord>,
    answer: Option<AnsweredRecord>,
    types: Option<TypePattern>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StateRecord {
    Waiting,
    Delivered,
    Abandoned,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AnsweredRecord {
    Status(u16),
    StatusClass(u16),
    None,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SubjectRecord {
    Person(PersonId),
    Endpoint(SubscriptionId),
}

impl<'a> From<&'a JobWork> for WorkRecord<'a> {
    fn from(work: &'a JobWork) -> Self {
        match work {
            JobWork::Resend { selection } => Self::Resend {
                selection: selection.into(),
            },
            JobWork::Recover { endpoint, since } => Self::Recover {
                endpoint: *endpoint,
                since: *since,
            },
            JobWork::Replay {
                endpoint,
                since,
                until,
                types,
            } => Self::Replay {
                endpoint: *endpoint,
                since: *since,
                until: *until,
                types: Cow::Borrowed(types),
            },
            JobWork::Scenario {
                name,
                endpoint,
                pause_ms,
            } => Self::Scenario {
                name: Cow::Borrowed(name),
                endpoint: *endpoint,
                pause_ms: *pause_ms,
            },
            JobWork::Erase { subject } => Self::Erase {
                subject: match *subject {
                    ErasureSubject::Person(person) => SubjectRecord::Person(person),
                    ErasureSubject::Endpoint(endpoint) => SubjectRecord::Endpoint(endpoint),
                },
            },
        }
    }
}

impl From<WorkRecord<'_>> for JobWork {
    fn from(record: WorkRecord<'_>) -> Self {
        match record {
            WorkRecord::Resend { selection } => Self::Resend {
                selection: selection.into(),
            },
            WorkRecord::Recover { endpoint, since } => Self::Recover { endpoint, since },
            WorkRecord::Replay {
                endpoint,
                since,
                until,
                types,
            } => Self::Replay {
                endpoint,
                since,
                until,
                types: types.into_owned(),
            },
            WorkRecord::Scenario {
                name,
                endpoint,
                pause_ms,
            } => Self::Scenario {
                name: name.into_owned(),
                endpoint,
                pause_ms,
            },
            WorkRecord::Erase { subject } => Self::Erase {
                subject: match subject {
                    SubjectRecord::Person(person) => ErasureSubject::Person(person),
                    SubjectRecord::Endpoint(endpoint) => ErasureSubject::Endpoint(endpoint),
                },
            },
        }
    }
}

impl From<&DeliverySelection> for SelectionRecord {
    fn from(selection: &DeliverySelection) -> Self {
        Self {
            subscription: selection.subscription,
            event: selection.event,
            state: selection.state.map(|state| match state {
                StateQuery::Waiting => StateRecord::Waiting,
                StateQuery::Delivered => StateRecord::Delivered,
                StateQuery::Abandoned => StateRecord::Abandoned,
            }),
            answer: selection.answer.map(|answer| match answer {
                AnswerQuery::Status(status) => AnsweredRecord::Status(status),
                AnswerQuery::StatusClass(class) => AnsweredRecord::StatusClass(class),
                AnswerQuery::None => AnsweredRecord::None,
            }),
            types: selection.types.clone(),
            since: selection.since,
            until: selection.until,
        }
    }
}

impl From<SelectionRecord> for DeliverySelection {
    fn from(record: SelectionRecord) -> Self {
        Self {
            subscription: record.subscription,
            event: record.event,
            state: record.state.map(|state| match state {
                StateRecord::Waiting => StateQuery::Waiting,
                StateRecord::Delivered => StateQuery::Delivered,
                StateRecord::Abandoned => StateQuery::Abandoned,
            }),
            answer: record.answer.map(|answer| match answer {
                AnsweredRecord::Status(status) => AnswerQuery::Status(status),
                AnsweredRecord::StatusClass(class) => AnswerQuery::StatusClass(class),
                AnsweredRecord::None => AnswerQuery::None,
            }),
            types: record.types,
            since: record.since,
            until: record.until,
        }
    }
}
