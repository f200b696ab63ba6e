//! Rules of the house that no compiler checks.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// The rules depend on little: what is heavy stands behind a port. Tests of the domain count too.
#[test]
fn the_domain_is_light() {
    const PACKAGES_BELOW: usize = 80;
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(["--package", "hookyard-domain", "--format", "{p}"])
        .current_dir(root())
        .output()
        .unwrap();
    let listed = String::from_utf8(tree.stdout).unwrap();
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let repeated = |line: &str| line.trim_end_matches(" (*)").to_owned();
    let packages: BTreeSet<_> = listed.lines().map(repeated).collect();
    assert!(
        packages.iter().any(|name| name.starts_with("url v")),
        "it is the tree of the domain"
    );
    assert!(
        packages.len() < PACKAGES_BELOW,
        "{} packages: {packages:#?}",
        packages.len()
    );
}

/// What outsiders may meet is found in one file. Text and lists are no bounds; `ID_MAX` is how ids
/// are made.
#[test]
fn bounds_stand_among_the_limits() {
    for name in ["domain", "delivery", "gateway"] {
        let mut files = Vec::new();
        sources(&root().join("crates").join(name).join("src"), &mut files);
        for file in files
            .iter()
            .filter(|file| !file.ends_with("kernel/limits.rs"))
        {
            let text = fs::read_to_string(file).unwrap();
            let bound = text.lines().find(|line| is_bound(line));
            assert_eq!(bound, None, "`{}` has a bound", file.display());
        }
    }
    assert!(is_bound("pub(crate) const A_MAX: u32 = 1;"));
    assert!(!is_bound("const A_DEFAULT: &str = \"a\";"));
}

/// Whether a line defines a number or time for a whole file that is called a bound.
fn is_bound(line: &str) -> bool {
    let unscoped = line.strip_prefix("pub(crate) ").unwrap_or(line);
    let unscoped = unscoped.strip_prefix("pub(super) ").unwrap_or(unscoped);
    let unscoped = unscoped.strip_prefix("pub ").unwrap_or(unscoped);
    let Some((name, rest)) = unscoped
        .strip_prefix("const ")
        .and_then(|rest| rest.split_once(": "))
    else {
        return false;
    };
    let ends = ["_MAX", "_MIN", "_DEFAULT"];
    let is_number = !rest.starts_with(['&', '[']);
    is_number && name != "ID_MAX" && ends.iter().any(|end| name.ends_with(end))
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
