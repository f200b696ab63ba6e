//! Endpoints and how they fare.

use std::collections::BTreeMap;

use hookyard_domain::endpoints::endpoint::{
    Authorization, Batching, CustomHeader, EndpointSecret, HandshakeKind, PayloadFormat, RateLimit,
};
use hookyard_domain::{
    ContentFilter, Endpoint, Latency, OutcomeKind, Secret, SigningSecret, Timestamp, TypePattern,
    UnreachableReason,
};

use super::{assert_golden, golden};
use crate::records::{EndpointRecord, LatencyRecord, OutcomesRecord, to_json};

const AT: Timestamp = Timestamp::from_millis(1_790_000_000_123);

fn full() -> Endpoint {
    Endpoint {
        description: "shop".to_owned(),
        types: vec![
            TypePattern::parse("invoice.*").unwrap(),
            TypePattern::parse("a.b").unwrap(),
        ],
        content: Some(ContentFilter::parse(r#"{"data":{"total":{"$gt":100}}}"#).unwrap()),
        headers: vec![CustomHeader {
            name: "X-Key".to_owned(),
            value: Secret::new("value"),
        }],
        authorization: Authorization::OAuth2 {
            token_url: "https://a.example/token".to_owned(),
            client_id: "client".to_owned(),
            client_secret: Secret::new("secret"),
            scope: Some("events".to_owned()),
        },
        handshake: HandshakeKind::Options,
        format: PayloadFormat::CloudEventsBinary,
        secrets: vec![
            EndpointSecret {
                id: "s2".to_owned(),
                secret: SigningSecret::from_random([2; 32]),
                created_at: AT,
                expires_at: None,
            },
            EndpointSecret {
                id: "s1".to_owned(),
                secret: SigningSecret::from_random([1; 32]),
                created_at: AT,
                expires_at: Some(Timestamp::from_millis(1_790_086_400_123)),
            },
        ],
        failure_threshold: 5,
        batching: Some(Batching {
            interval_ms: 1_500,
            events_max: 20,
        }),
        batch_max_kept: Some(30),
        rate: Some(RateLimit {
            count: 10,
            per_ms: 60_000,
        }),
        ordered: true,
        request_origin: Some("hookyard.example".to_owned()),
        error: Some("It failed.".to_owned()),
    }
}

/// With every word that an endpoint can be written with.
fn all() -> [Endpoint; 4] {
    let small = Endpoint {
        description: String::new(),
        types: vec![TypePattern::parse("*").unwrap()],
        content: None,
        headers: Vec::new(),
        authorization: Authorization::None,
        handshake: HandshakeKind::None,
        format: PayloadFormat::Standard,
        secrets: Vec::new(),
        failure_threshold: 0,
        batching: None,
        batch_max_kept: None,
        rate: None,
        ordered: false,
        request_origin: None,
        error: None,
    };
    let basic = Endpoint {
        authorization: Authorization::Basic {
            username: "alice".to_owned(),
            password: Secret::new("pass"),
        },
        handshake: HandshakeKind::Echo,
        format: PayloadFormat::RingCentral,
        ..small.clone()
    };
    let bearer = Endpoint {
        authorization: Authorization::Bearer {
            token: Secret::new("token"),
        },
        format: PayloadFormat::CloudEvents,
        ..small.clone()
    };
    [full(), small, basic, bearer]
}

#[test]
fn settings_of_endpoints() {
    assert_golden::<EndpointRecord<'_>, _>(golden!("subscriptions-endpoint"), &all(), |endpoint| {
        to_json(&EndpointRecord::from(endpoint))
    });
}

#[test]
fn counts_of_endpoints() {
    let unreachable = UnreachableReason::ALL.map(OutcomeKind::Unreachable);
    let statuses = [200, 204, 503].map(OutcomeKind::Status);
    let kinds = unreachable.into_iter().chain(statuses);
    let values: [BTreeMap<OutcomeKind, u64>; 1] = [kinds.zip(1..).collect()];
    let rows = golden!("endpoint-statistics-outcomes");
    assert_golden::<OutcomesRecord, _>(rows, &values, |outcomes| {
        to_json(&OutcomesRecord::from(outcomes))
    });
    let values = [Latency::from_slots(BTreeMap::from([
        (7, 2),
        (44, 1),
        (127, 3),
    ]))];
    let rows = golden!("endpoint-statistics-latency");
    assert_golden::<LatencyRecord<'_>, _>(rows, &values, |latency| {
        to_json(&LatencyRecord::from(latency))
    });
}
