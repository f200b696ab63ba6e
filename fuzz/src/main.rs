//! One program for all readers, so that there is one to link: `FUZZ_READER` says which.

#![no_main]

use std::sync::OnceLock;

use hookyard_fuzz::{READERS, Reader, reader_named};
use libfuzzer_sys::fuzz_target;

static READER: OnceLock<Reader> = OnceLock::new();

fn asked_for() -> Reader {
    let name = std::env::var("FUZZ_READER").unwrap_or_default();
    reader_named(&name).unwrap_or_else(|| {
        let known: Vec<_> = READERS.iter().map(|reader| reader.name).collect();
        panic!("FUZZ_READER is one of {}", known.join(", "))
    })
}

fuzz_target!(|data: &[u8]| {
    (READER.get_or_init(asked_for).read)(data);
});
