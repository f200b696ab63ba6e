//! Every reader of foreign bytes, as a plain function of bytes.
//!
//! Each panics when what it reads breaks a promise: that readers never panic, that what they let
//! through is bounded and clean, and that reading what they wrote gives the same again. `make fuzz`
//! drives them with libFuzzer; `tests/replay.rs` with the corpora and with mutations of them.
//!
//! Readers that take several things find them in lines: the first line is the head, what follows
//! is the body.

mod cards;
mod filters;
mod names;
mod published;
mod requests;
mod sockets;

/// A reader of foreign bytes.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    /// Also the folder of its corpus.
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub read: fn(&[u8]),
}

/// All of them.
pub const READERS: &[Reader] = &[
    reader("hook-payload", cards::hook_payload),
    reader("adaptive-card", cards::adaptive_card),
    reader("text", cards::text),
    reader("markdown", cards::markdown),
    reader("event-filter", filters::event_filter),
    reader("content-filter", filters::content_filter),
    reader("type-pattern", filters::type_pattern),
    reader("plain-event", published::plain),
    reader("cloud-event", published::structured),
    reader("cloud-event-batch", published::batch),
    reader("cloud-event-binary", published::binary),
    reader("data-schema", published::data_schema),
    reader("address", names::address),
    reader("time", names::time),
    reader("id", names::id),
    reader("scopes", names::scopes),
    reader("retry-after", names::retry_after),
    reader("signature", names::signature),
    reader("custom-header", names::custom_header),
    reader("bin-answer", names::bin_answer),
    reader("json-body", requests::json_body),
    reader("query", requests::query),
    reader("socket-frame", sockets::frame),
    reader("recovery-token", sockets::recovery_token),
    reader("pubnub", sockets::pubnub),
];

const fn reader(name: &'static str, read: fn(&[u8])) -> Reader {
    Reader { name, read }
}

/// The reader of this name.
pub fn reader_named(name: &str) -> Option<Reader> {
    READERS.iter().find(|reader| reader.name == name).copied()
}

/// The text that the bytes are; readers of text never see other bytes.
fn text_of(data: &[u8]) -> &str {
    match str::from_utf8(data) {
        Ok(text) => text,
        Err(error) => str::from_utf8(&data[..error.valid_up_to()]).expect("valid up to there"),
    }
}

/// The first line, and what follows it.
fn head_and_body(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    end.map_or((data, &[]), |end| (&data[..end], &data[end + 1..]))
}
