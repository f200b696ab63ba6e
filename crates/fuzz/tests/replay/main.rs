//! Every reader over its corpus and over mutations of it. A failing input is printed with the
//! command that replays it.

#![expect(
    clippy::disallowed_methods,
    reason = "the one way to say which inputs and how many"
)]

mod mutation;

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::{env, fs};

use hookyard_fuzz::{READERS, Reader};
use mutation::Mutations;

/// Mutations that each reader is tried with in an everyday run.
const MUTATIONS_DEFAULT: usize = 1_500;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora")
}

/// The seeds of a reader, by their file names.
fn corpus(reader: Reader) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(corpora().join(reader.name));
    let entries = entries.unwrap_or_else(|_| panic!("`{}` has no corpus", reader.name));
    let mut seeds: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry of the corpus").path();
            let name = path.file_name().expect("a file").to_string_lossy();
            (name.into_owned(), fs::read(&path).expect("a readable seed"))
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "`{}` has no corpus", reader.name);
    seeds
}

/// Runs a reader; says what came in, and how it comes in again, when that fails.
fn try_reader(reader: Reader, input: &[u8], replay: &str) {
    let tried = catch_unwind(AssertUnwindSafe(|| (reader.read)(input)));
    assert!(
        tried.is_ok(),
        "`{}` broke a promise on b\"{}\"\nreplay it with: {replay} \
         cargo test -p hookyard-fuzz --test replay",
        reader.name,
        input.escape_ascii()
    );
}

#[test]
fn readers_keep_their_promises_over_the_corpora() {
    for reader in READERS {
        for (name, seed) in corpus(*reader) {
            try_reader(*reader, &seed, &format!("# seed {name}:"));
        }
    }
}

#[test]
fn readers_keep_their_promises_over_mutations() {
    let number = |name: &str| -> Option<u64> {
        let said = env::var(name).ok()?;
        Some(
            said.parse()
                .unwrap_or_else(|_| panic!("{name} is a number")),
        )
    };
    let fresh = || RandomState::new().build_hasher().finish() >> 16;
    let seed = number("HOOKYARD_FUZZ_SEED").unwrap_or_else(fresh);
    let count = number("HOOKYARD_FUZZ_MUTATIONS").map_or(MUTATIONS_DEFAULT, |count| {
        usize::try_from(count).expect("as many as fit")
    });
    println!("seed {seed}, {count} mutations for each reader");
    let replay = format!("HOOKYARD_FUZZ_SEED={seed} HOOKYARD_FUZZ_MUTATIONS={count}");
    std::thread::scope(|scope| {
        for half in READERS.chunks(READERS.len().div_ceil(2)) {
            let replay = &replay;
            scope.spawn(move || {
                for reader in half {
                    let seeds = corpus(*reader).into_iter().map(|(_, seed)| seed);
                    let mutations = Mutations::of(seeds.collect(), seed);
                    for input in mutations.take(count) {
                        try_reader(*reader, &input, replay);
                    }
                }
            });
        }
    });
}

#[test]
fn every_corpus_belongs_to_a_reader() {
    let known: BTreeSet<_> = READERS
        .iter()
        .map(|reader| reader.name.to_owned())
        .collect();
    assert_eq!(known.len(), READERS.len(), "names are unique");
    let folders = fs::read_dir(corpora()).expect("the corpora");
    for folder in folders {
        let name = folder.expect("a folder").file_name();
        let name = name.to_string_lossy().into_owned();
        assert!(known.contains(&name), "nothing reads `{name}`");
    }
}

/// A harness that sees nothing proves nothing: a reader that breaks is noticed.
#[test]
fn a_broken_promise_is_seen() {
    let broken = Reader {
        name: "broken",
        read: |data| assert!(!data.contains(&0xff), "it is there"),
    };
    let found = catch_unwind(|| {
        for input in Mutations::of(vec![b"one seed".to_vec()], 1).take(10_000) {
            try_reader(broken, &input, "");
        }
    });
    assert!(found.is_err(), "no mutation held 0xff");
}
