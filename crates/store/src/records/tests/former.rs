//! Every row with JSON that a server of the build before left behind is written as it stood. What
//! is sealed stands in golden files.

use std::collections::BTreeMap;
use std::path::Path;

use hookyard_domain::{
    Attributes, Audience, BinAnswer, Correspondent, DisabledFilter, EventFilter, Finding, JobWork,
    Latency, OutcomeKind, PostContent, RetryPolicy, Transcript, TypeVersion,
};
use rusqlite::{Connection, OpenFlags};
use serde::de::DeserializeOwned;

use crate::records::{
    AnswerRecord, AttributesRecord, AudienceRecord, ContentRecord, CorrespondentRecord,
    CorrespondentsRecord, DisabledFiltersRecord, FiltersRecord, FindingsRecord, HeadersRecord,
    LatencyRecord, OutcomesRecord, PolicyRecord, TranscriptRecord, VersionsRecord, WorkRecord,
    from_json, to_json,
};

fn former_database() -> Connection {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/before_house/hookyard.db");
    let address = format!("file:{}?immutable=1", file.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(address, flags).unwrap()
}

/// Asserts that each value of a column is written as it stood.
fn assert_kept<R, T>(column: &str, write: impl Fn(&T) -> String)
where
    R: DeserializeOwned,
    T: TryFrom<R>,
{
    let (table, name) = column.split_once('.').unwrap();
    let db = former_database();
    let sql = format!("select distinct {name} from {table} where {name} is not null");
    let mut statement = db.prepare(&sql).unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    let rows: Vec<String> = rows.map(Result::unwrap).collect();
    assert!(rows.len() > 1, "{column} has rows");
    for row in rows {
        let read = from_json::<R, T>(&row).unwrap_or_else(|| panic!("{column}: {row}"));
        assert_eq!(write(&read), row, "{column}");
    }
}

macro_rules! assert_kept {
    ($($column:literal: $type:ty => $record:ident;)*) => {$(
        assert_kept::<$record<'_>, $type>($column, |value| to_json(&$record::from(value)));
    )*};
}

#[test]
fn what_the_build_before_wrote_is_written_the_same_today() {
    assert_kept! {
        "attempts.transcript": Transcript => TranscriptRecord;
        "bins.answer": BinAnswer => AnswerRecord;
        "endpoint_statistics.latency": Latency => LatencyRecord;
        "event_types.versions": Vec<TypeVersion> => VersionsRecord;
        "events.attributes": Attributes => AttributesRecord;
        "jobs.work": JobWork => WorkRecord;
        "messages.receivers": Vec<Correspondent> => CorrespondentsRecord;
        "messages.sender": Correspondent => CorrespondentRecord;
        "posts.content": PostContent => ContentRecord;
        "requests.findings": Vec<Finding> => FindingsRecord;
        "requests.headers": Vec<(String, String)> => HeadersRecord;
        "subscriptions.disabled_filters": Vec<DisabledFilter> => DisabledFiltersRecord;
        "subscriptions.filters": Vec<EventFilter> => FiltersRecord;
        "subscriptions.policy": RetryPolicy => PolicyRecord;
    }
    assert_kept::<OutcomesRecord, BTreeMap<OutcomeKind, u64>>(
        "endpoint_statistics.outcomes",
        |outcomes| to_json(&OutcomesRecord::from(outcomes)),
    );
    assert_kept::<AudienceRecord, Audience>("events.audience", |audience| {
        to_json(&AudienceRecord::of(audience).unwrap())
    });
}
