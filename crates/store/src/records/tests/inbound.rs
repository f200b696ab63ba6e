//! Bins, and requests to webhooks.

use std::collections::BTreeMap;

use hookyard_domain::inbound::bin::Repeat;
use hookyard_domain::{BinAnswer, BinReply, Finding};

use super::{assert_golden, golden};
use crate::records::{AnswerRecord, FindingsRecord, HeadersRecord, to_json};

fn reply(status: u16, body: &str, delay_ms: u32) -> BinReply {
    BinReply {
        status,
        headers: BTreeMap::from([("X-Tea".to_owned(), "pot".to_owned())]),
        body: body.to_owned(),
        delay_ms,
    }
}

#[test]
fn answers_of_bins() {
    let values = [
        BinAnswer {
            reply: reply(418, "stout", 5),
            sequence: vec![reply(503, "not yet", 1), reply(200, "", 0)],
            repeat: Repeat::Cycle,
            handshake: false,
        },
        BinAnswer {
            reply: reply(200, "", 0),
            sequence: Vec::new(),
            repeat: Repeat::Last,
            handshake: true,
        },
    ];
    assert_golden::<AnswerRecord<'_>, _>(golden!("bins-answer"), &values, |answer| {
        to_json(&AnswerRecord::from(answer))
    });
}

#[test]
fn headers_of_requests() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let values = [vec![
        pair("content-type", "application/json"),
        pair("x-a", "1"),
        pair("x-a", "\"2\""),
    ]];
    assert_golden::<HeadersRecord<'_>, _>(golden!("requests-headers"), &values, |headers| {
        to_json(&HeadersRecord::from(headers))
    });
}

#[test]
fn findings_of_requests() {
    let values = [vec![Finding {
        pointer: "/icon_url".to_owned(),
        warning: "images must be https: left out".to_owned(),
    }]];
    assert_golden::<FindingsRecord<'_>, _>(golden!("requests-findings"), &values, |findings| {
        to_json(&FindingsRecord::from(findings))
    });
}
