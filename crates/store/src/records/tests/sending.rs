//! Jobs, attempts, subscriptions, events.

use std::sync::Arc;

use hookyard_domain::kernel::ports::{AnswerQuery, StateQuery};
use hookyard_domain::{
    Attributes, Audience, DeliverySelection, DisabledFilter, ErasureSubject, EventFilter, EventId,
    JobWork, PersonId, RetryPolicy, RetrySchedule, SubscriptionId, Timestamp, Transcript,
    TypePattern, TypeVersion,
};

use super::{assert_golden, golden};
use crate::records::{
    AttributesRecord, AudienceRecord, DisabledFiltersRecord, FiltersRecord, PolicyRecord,
    TranscriptRecord, VersionsRecord, WorkRecord, to_json,
};

const SINCE: Timestamp = Timestamp::from_millis(1_790_000_000_123);
const UNTIL: Timestamp = Timestamp::from_millis(1_790_000_060_000);

fn endpoint() -> SubscriptionId {
    SubscriptionId::from_random([7; 16])
}

fn pattern(text: &str) -> TypePattern {
    TypePattern::parse(text).unwrap()
}

fn pairs(listed: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    listed.iter().map(owned).collect()
}

fn resend(state: Option<StateQuery>, answer: Option<AnswerQuery>) -> JobWork {
    JobWork::Resend {
        selection: DeliverySelection {
            subscription: Some(endpoint()),
            event: Some(EventId(5)),
            state,
            answer,
            types: Some(pattern("invoice.*")),
            since: Some(SINCE),
            until: Some(UNTIL),
        },
    }
}

#[test]
fn works_of_jobs() {
    let values = [
        resend(Some(StateQuery::Waiting), Some(AnswerQuery::Status(404))),
        resend(
            Some(StateQuery::Delivered),
            Some(AnswerQuery::StatusClass(5)),
        ),
        resend(Some(StateQuery::Abandoned), Some(AnswerQuery::None)),
        JobWork::Recover {
            endpoint: endpoint(),
            since: SINCE,
        },
        JobWork::Replay {
            endpoint: endpoint(),
            since: SINCE,
            until: UNTIL,
            types: vec![pattern("a.b"), pattern("c.*")],
        },
        JobWork::Scenario {
            name: "invoice-paid".to_owned(),
            endpoint: Some(endpoint()),
            pause_ms: 1_500,
        },
        JobWork::Scenario {
            name: "team".to_owned(),
            endpoint: None,
            pause_ms: 0,
        },
        JobWork::Erase {
            subject: ErasureSubject::Person(PersonId(11)),
        },
        JobWork::Erase {
            subject: ErasureSubject::Endpoint(endpoint()),
        },
    ];
    assert_golden::<WorkRecord<'_>, _>(golden!("jobs-work"), &values, |work| {
        to_json(&WorkRecord::from(work))
    });
}

#[test]
fn transcripts_of_attempts() {
    let values = [Transcript {
        url: "https://shop.example.com/hooks".to_owned(),
        request_headers: pairs(&[("host", "shop.example.com"), ("x-key", "…")]),
        batched_with: 2,
        answer_headers: pairs(&[("server", "a \"b\"")]),
        answer_truncated: true,
    }];
    assert_golden::<TranscriptRecord<'_>, _>(golden!("attempts-transcript"), &values, |said| {
        to_json(&TranscriptRecord::from(said))
    });
}

#[test]
fn retry_policies() {
    let policy = |schedule| RetryPolicy {
        schedule,
        attempts_max: 7,
        age_max_ms: 3_600_000,
        timeout_ms: 2_500,
        concurrency_max: 4,
    };
    let values = [
        policy(RetrySchedule::List {
            delays_ms: vec![1_000, 60_000],
        }),
        policy(RetrySchedule::Exponential {
            first_ms: 500,
            longest_ms: 30_000,
        }),
    ];
    assert_golden::<PolicyRecord<'_>, _>(golden!("subscriptions-policy"), &values, |policy| {
        to_json(&PolicyRecord::from(policy))
    });
}

#[test]
fn filters_of_subscriptions() {
    let texts = [
        "/team-messaging/v1/posts",
        "/restapi/v1.0/account/1/extension/11/presence?detailedTelephonyState=true",
    ];
    let values = [texts.map(|text| EventFilter::read(text).unwrap()).to_vec()];
    assert_golden::<FiltersRecord<'_>, _>(golden!("subscriptions-filters"), &values, |filters| {
        to_json(&FiltersRecord::from(filters))
    });
    let values = [vec![DisabledFilter {
        filter: "/restapi/v1.0/account/~/presence".to_owned(),
        reason: "SUB-403".to_owned(),
        message: "Not permitted".to_owned(),
    }]];
    let rows = golden!("subscriptions-disabled-filters");
    assert_golden::<DisabledFiltersRecord<'_>, _>(rows, &values, |filters| {
        to_json(&DisabledFiltersRecord::from(filters))
    });
}

#[test]
fn audiences_of_events() {
    let values = [
        Audience::Persons(Arc::from([PersonId(11), PersonId(12)])),
        Audience::Subscription(endpoint()),
        Audience::Account,
    ];
    assert_golden::<AudienceRecord, _>(golden!("events-audience"), &values, |audience| {
        to_json(&AudienceRecord::of(audience).unwrap())
    });
}

#[test]
fn attributes_of_events() {
    let text = |text: &str| Some(text.to_owned());
    let values = [Attributes {
        id: text("in_7"),
        source: text("/billing"),
        subject: text("customer 12"),
        data_schema: text("https://example.com/1"),
        content_type: text("text/plain"),
        extensions: pairs(&[("tenant", "\"acme\""), ("level", "3")]),
    }];
    assert_golden::<AttributesRecord<'_>, _>(golden!("events-attributes"), &values, |said| {
        to_json(&AttributesRecord::from(said))
    });
}

#[test]
fn versions_of_registered_types() {
    let version = |schema: Option<&str>, example: Option<&str>, created_at| TypeVersion {
        schema: schema.map(Into::into),
        example: example.map(Into::into),
        created_at,
    };
    let values = [vec![
        version(Some(r#"{"type": "object"}"#), Some("{}"), SINCE),
        version(None, None, UNTIL),
    ]];
    assert_golden::<VersionsRecord<'_>, _>(golden!("event-types-versions"), &values, |versions| {
        to_json(&VersionsRecord::from(versions))
    });
}
