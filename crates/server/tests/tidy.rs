//! Rules of the house that no compiler checks.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Every Rust source of a crate, tests left out.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn crates() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("crates")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").exists())
        .collect()
}

/// The four middle crates know the domain and not each other; only the server knows them all.
#[test]
fn arrows_between_crates_point_inwards() {
    let allowed = |name: &str| -> &'static [&'static str] {
        match name {
            "domain" | "bench" => &[],
            "store" | "delivery" | "gateway" | "api" | "testkit" => &["domain"],
            "server" => &["domain", "store", "delivery", "gateway", "api"],
            other => panic!("`{other}` has no place in the order of crates yet: give it one here"),
        }
    };
    for path in crates() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let manifest: toml::Table = fs::read_to_string(path.join("Cargo.toml"))
            .unwrap()
            .parse()
            .unwrap();
        let Some(dependencies) = manifest.get("dependencies").and_then(toml::Value::as_table)
        else {
            continue;
        };
        let ours: BTreeSet<_> = dependencies
            .keys()
            .filter_map(|key| key.strip_prefix("hookyard-"))
            .collect();
        let allowed: BTreeSet<_> = allowed(&name).iter().copied().collect();
        assert!(
            ours.is_subset(&allowed),
            "`{name}` may use {allowed:?}, and uses {ours:?}"
        );
    }
}

/// Every outbound socket is opened where addresses are vetted.
#[test]
fn only_egress_opens_outbound_sockets() {
    for path in crates() {
        if ["bench", "testkit"].iter().any(|name| path.ends_with(name)) {
            continue;
        }
        let mut files = Vec::new();
        sources(&path.join("src"), &mut files);
        for file in files
            .iter()
            .filter(|file| !file.ends_with("delivery/src/egress.rs"))
        {
            let text = fs::read_to_string(file).unwrap();
            for opener in [
                "TcpStream::connect",
                "TcpSocket::new",
                "HttpConnector",
                "UdpSocket::bind",
            ] {
                assert!(
                    !text.contains(opener),
                    "`{}` uses `{opener}`",
                    file.display()
                );
            }
        }
    }
}

/// A second database needs the commit core as it is.
#[test]
fn the_commit_core_knows_no_sql() {
    let mut files = vec![root().join("crates/store/src/commit.rs")];
    sources(&root().join("crates/store/src/commit"), &mut files);
    assert!(files.len() > 5, "{files:?}");
    let marks = [
        "rusqlite",
        "sqlite",
        "select ",
        "insert ",
        "update ",
        "delete from",
    ];
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for (number, line) in code.enumerate() {
            let line = line.to_lowercase();
            let found = marks.iter().find(|mark| line.contains(**mark));
            assert!(
                found.is_none(),
                "`{}`, line {number} of the code: {line}",
                file.display()
            );
        }
    }
}

/// A file that must be searched to find one's way is too long.
#[test]
fn files_stay_readable() {
    const LINES_MAX: usize = 900;
    for path in crates() {
        let mut files = Vec::new();
        sources(&path.join("src"), &mut files);
        for file in files {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= LINES_MAX, "`{}` has {lines} lines", file.display());
        }
    }
}

/// Work to do later belongs to an issue.
#[test]
fn nothing_is_left_for_later_in_the_code() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    for path in crates() {
        let mut files = Vec::new();
        sources(&path, &mut files);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for mark in marks {
                assert!(!text.contains(mark), "`{}` holds `{mark}`", file.display());
            }
        }
    }
}
