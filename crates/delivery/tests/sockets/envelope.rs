//! The envelope around an event.

use hookyard_domain::EventKind;
use hookyard_domain::delivery::envelope::envelope;
use hookyard_testkit::sample;

#[test]
fn the_envelope_is_what_subscribers_parse() {
    let committed = sample::delivery(7);
    let bytes = envelope(&committed.event, sample::FILTER, &committed.subscription);
    insta::assert_snapshot!(String::from_utf8(bytes.to_vec()).expect("JSON is text"), @r#"{"uuid":"7","event":"/restapi/v1.0/glip/posts","timestamp":"2026-01-01T00:00:00.000Z","subscriptionId":"00000000-0000-0000-0000-000000000007","ownerId":"62534323","body":{"id":"7","text":"post 7","eventType":"PostAdded"}}"#);
}

#[test]
fn a_filter_cannot_break_out_of_its_string() {
    let committed = sample::delivery(7);
    let filter = "/posts?a=\"b\\\n";
    let bytes = envelope(&committed.event, filter, &committed.subscription);
    let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(value["event"], filter);
}

#[test]
fn presence_is_told_as_far_as_it_was_asked_for() {
    let committed = sample::delivery(7);
    let mut event = (*committed.event).clone();
    event.kind = EventKind::Presence;
    event.body = r#"{"extensionId":"7","activeCalls":[]}"#.into();
    let body = |query: &str| {
        let filter = format!("/restapi/v1.0/account/1/extension/7/presence{query}");
        let bytes = envelope(&event, &filter, &committed.subscription);
        let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        value["body"].to_string()
    };
    assert_eq!(body(""), r#"{"extensionId":"7"}"#);
    let detailed = body("?detailedTelephonyState=true");
    assert_eq!(detailed, r#"{"activeCalls":[],"extensionId":"7"}"#);
}
