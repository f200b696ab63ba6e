//! Small texts: addresses, times, ids, headers, secrets.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use hookyard_delivery::Target;
use hookyard_domain::delivery::retry::read_retry_after;
use hookyard_domain::endpoints::settings::check_header;
use hookyard_domain::endpoints::signing::{signature_header, verify};
use hookyard_domain::inbound::card::sanitise::{clean_color, clean_image, clean_link};
use hookyard_domain::kernel::limits::{ADDRESS_CHARS_MAX, HEADER_NAME_CHARS_MAX};
use hookyard_domain::{
    Address, Bin, BinAnswer, BinReply, PersonId, Scopes, SigningSecret, Timestamp, WebhookId,
};
use serde_json::Value;

use crate::{head_and_body, text_of};

/// An address to call, and the links and images of cards.
pub(crate) fn address(data: &[u8]) {
    let text = text_of(data);
    match Address::parse(text) {
        Ok(address) => {
            assert_eq!(Address::parse(address.as_str()).as_ref(), Ok(&address));
            let target = Target::parse(text).expect("an address is a target");
            assert!(!target.authority().is_empty());
            assert!(target.path_and_query().starts_with('/'));
            assert!(!address.as_str().contains(char::is_control));
        }
        Err(_) => assert!(!Address::complaint(text).is_empty()),
    }
    for clean in [clean_link, clean_image] {
        if let Ok(link) = clean(text) {
            assert!(link.len() <= ADDRESS_CHARS_MAX);
            assert!(!link.contains(char::is_control), "{link:?}");
            assert_eq!(clean(&link).as_ref(), Ok(&link));
        }
    }
    if let Some(color) = clean_color(text) {
        assert_eq!(clean_color(&color).as_ref(), Some(&color));
    }
}

/// What was read is shown in a way that is read as the same.
fn check_reading<T: FromStr + Display + Debug + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let shown = value.to_string();
        assert_eq!(shown.parse::<T>().ok(), Some(value), "{shown:?}");
    }
}

/// A time in ISO 8601. Those before the year 1 and after 9999 are shown as the first and the last
/// one there is.
pub(crate) fn time(data: &[u8]) {
    if let Ok(time) = text_of(data).parse::<Timestamp>() {
        let shown = time.to_string();
        let again = shown.parse::<Timestamp>().expect("what is shown is read");
        assert_eq!(again.to_string(), shown);
    }
}

/// Ids of both kinds: numbers, which have one spelling, and UUIDs.
pub(crate) fn id(data: &[u8]) {
    let text = text_of(data);
    check_reading::<WebhookId>(text);
    if let Ok(id) = text.parse::<PersonId>() {
        assert_eq!(id.to_string(), text, "an id has one name only");
    }
}

/// The permissions of an app.
pub(crate) fn scopes(data: &[u8]) {
    check_reading::<Scopes>(text_of(data));
}

/// `Retry-After` in the first line, `Date` in the rest.
pub(crate) fn retry_after(data: &[u8]) {
    let (text, date) = head_and_body(data);
    read_retry_after(text_of(text), None);
    read_retry_after(text_of(text), Some(text_of(date)));
}

/// A signature header in the first line, a secret in the second, a body in the rest.
pub(crate) fn signature(data: &[u8]) {
    let (header, rest) = head_and_body(data);
    let (secret, body) = head_and_body(rest);
    let own = SigningSecret::from_random([7; 32]);
    assert!(!verify(text_of(header), "msg_1", 1, body, [&own]), "forged");
    let Ok(secret) = SigningSecret::parse(text_of(secret)) else {
        return;
    };
    let shown = secret.text();
    assert_eq!(SigningSecret::parse(shown.reveal()).as_ref(), Ok(&secret));
    let signed = signature_header([&secret, &own], "msg_1", 1, body);
    assert!(verify(&signed, "msg_1", 1, body, [&secret]));
    assert!(verify(&signed, "msg_1", 1, body, [&own]));
    assert!(!verify(&signed, "msg_2", 1, body, [&secret, &own]));
}

/// The name of a custom header in the first line, its value in the rest.
pub(crate) fn custom_header(data: &[u8]) {
    let (name, value) = head_and_body(data);
    let (name, value) = (text_of(name), text_of(value));
    if check_header(name, value).is_ok() {
        assert!(name.len() <= HEADER_NAME_CHARS_MAX);
        assert!(!value.contains(['\r', '\n', '\0']), "it breaks the line");
    }
}

/// What a bin is to answer, and its name.
pub(crate) fn bin_answer(data: &[u8]) {
    if let Ok(name) = Bin::read_name(text_of(data)) {
        assert_eq!(Bin::read_name(&name), Ok(name));
    }
    let Ok(asked) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let several = asked["sequence"].as_array().into_iter().flatten();
    let answer = BinAnswer {
        reply: reply_of(&asked),
        sequence: several.map(reply_of).collect(),
        ..BinAnswer::default()
    };
    if answer.check().is_ok() {
        for turn in [0, 1, 2, u64::MAX] {
            assert!((200..=599).contains(&answer.at_turn(turn).status));
        }
    }
}

/// One answer of a bin, with what is unreadable left as it is by default.
fn reply_of(asked: &Value) -> BinReply {
    let whole = |name: &str| asked[name].as_u64();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = asked["headers"].as_object().into_iter().flatten();
    BinReply {
        status: whole("status").map_or(200, |status| u16::try_from(status).unwrap_or(u16::MAX)),
        headers: headers
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        body: text(&asked["body"]),
        delay_ms: whole("delayMs").map_or(0, |delay| u32::try_from(delay).unwrap_or(u32::MAX)),
    }
}
