//! Rules of the house that no compiler checks.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
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
            "fuzz" => &["domain", "delivery", "gateway", "api"],
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

/// What outsiders may meet is found in one place. Text and lists are no bounds; `ID_MAX` is how ids
/// are made.
#[test]
fn bounds_stand_among_the_limits() {
    for name in ["domain", "delivery", "gateway"] {
        let mut files = Vec::new();
        sources(&root().join("crates").join(name).join("src"), &mut files);
        for file in files
            .iter()
            .filter(|file| !file.with_extension("").ends_with("kernel/limits"))
            .filter(|file| !file.parent().unwrap().ends_with("kernel/limits"))
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

/// Handlers parse and answer. What is written, and what it relies on, is decided in the domain.
#[test]
fn handlers_write_nothing_that_the_domain_has_not_decided() {
    for crate_name in ["api", "gateway"] {
        let mut files = Vec::new();
        sources(
            &root().join("crates").join(crate_name).join("src"),
            &mut files,
        );
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
            for built in ["Write::", "Guard::"] {
                assert!(
                    !shipped.contains(built),
                    "`{}` builds a `{built}…` that belongs into the domain",
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

/// Lines of a source: one that must be searched to find one's way is too long.
const LINES_MAX: usize = 500;

/// The sources above [`LINES_MAX`], each with the lines it may have. The list may only shrink.
/// What a request commits goes through the door that holds it back for its answer, when the request
/// has a key: no handler can forget it.
#[test]
fn handlers_commit_through_one_door() {
    let api = root().join("crates/api/src");
    let mut files = Vec::new();
    sources(&api, &mut files);
    files.retain(|file| {
        let text = fs::read_to_string(file).unwrap();
        let text: String = text.split_whitespace().collect();
        text.contains(".store.commit(") || text.contains(".store.commit_numbering(")
    });
    files.sort();
    let door = ["kernel/decision.rs", "kernel/idempotency.rs"].map(|file| api.join(file));
    assert_eq!(files, door, "`Api::commit` is the door");
}

const LONG_FILES: &str = "crates/server/tests/long_files.txt";

/// Every source that people write, with its lines, by its path from the root.
fn lengths() -> BTreeMap<String, usize> {
    let root = root();
    let mut files = Vec::new();
    for folder in ["acceptance", "console", "crates"] {
        walk(&root.join(folder), &mut files);
    }
    let written = files.iter().filter(|file| {
        let extension = file.extension().and_then(OsStr::to_str);
        extension.is_some_and(|ending| ["rs", "ts", "svelte", "js", "mjs", "py"].contains(&ending))
    });
    let mut lengths = BTreeMap::new();
    for file in written {
        let text = fs::read_to_string(file).unwrap();
        let generated = text
            .lines()
            .next()
            .is_some_and(|line| line.contains("@generated"));
        if !generated {
            let path = file
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            lengths.insert(path, text.lines().count());
        }
    }
    lengths
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let foreign = ["node_modules", "dist", "target"].contains(&name) || name.starts_with('.');
        if path.is_dir() && !foreign {
            walk(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// What is wrong with the list, when the sources have these lengths.
fn broken_by(lengths: &BTreeMap<String, usize>, listed: &BTreeMap<String, usize>) -> Vec<String> {
    let mut broken = Vec::new();
    for (path, lines) in lengths.iter().filter(|(_, lines)| **lines > LINES_MAX) {
        match listed.get(path) {
            None => broken.push(format!(
                "`{path}` has {lines} lines, above {LINES_MAX}: split it"
            )),
            Some(allowed) if lines > allowed => broken.push(format!(
                "`{path}` grew from {allowed} to {lines} lines: take out what was added, or more"
            )),
            Some(_) => {}
        }
    }
    for path in listed.keys() {
        match lengths.get(path) {
            None => broken.push(format!("`{path}` is listed and is not there")),
            Some(lines) if *lines <= LINES_MAX => {
                broken.push(format!(
                    "`{path}` is down to {lines} lines and is still listed"
                ));
            }
            Some(_) => {}
        }
    }
    broken
}

#[test]
fn files_stay_readable() {
    let listed = fs::read_to_string(root().join(LONG_FILES)).unwrap();
    let listed: BTreeMap<String, usize> = listed
        .lines()
        .map(|line| {
            let (lines, path) = line.split_once(' ').unwrap();
            (path.to_owned(), lines.parse().unwrap())
        })
        .collect();
    let lengths = lengths();
    let broken = broken_by(&lengths, &listed);
    let long: Vec<String> = lengths
        .iter()
        .filter(|(_, lines)| **lines > LINES_MAX)
        .map(|(path, lines)| format!("{lines} {path}"))
        .collect();
    assert!(
        broken.is_empty(),
        "{}\nFor files that moved or shrank, this is the new list:\ncat > {LONG_FILES} <<'END'\n{}\nEND",
        broken.join("\n"),
        long.join("\n")
    );
}

#[test]
fn a_list_that_could_shrink_or_had_to_grow_is_seen() {
    let sizes = |sizes: &[(&str, usize)]| -> BTreeMap<String, usize> {
        let owned = sizes
            .iter()
            .map(|(path, lines)| ((*path).to_owned(), *lines));
        owned.collect()
    };
    let listed = sizes(&[("old.rs", LINES_MAX + 100)]);
    let broken = |now: &[(&str, usize)]| broken_by(&sizes(now), &listed).len();
    assert_eq!(
        broken(&[("old.rs", LINES_MAX + 100), ("new.rs", LINES_MAX)]),
        0
    );
    assert_eq!(broken(&[("old.rs", LINES_MAX + 1)]), 0, "it may shrink");
    assert_eq!(broken(&[("old.rs", LINES_MAX + 101)]), 1, "it grew");
    assert_eq!(broken(&[("old.rs", LINES_MAX)]), 1, "it is short by now");
    assert_eq!(broken(&[]), 1, "it is gone");
    assert_eq!(
        broken(&[("moved.rs", LINES_MAX + 100)]),
        2,
        "it is elsewhere"
    );
}

/// A map that leads nowhere is worse than none.
#[test]
fn paths_in_the_architecture_lead_somewhere() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let named: Vec<_> = quoted
        .filter(|quoted| quoted.contains("/src/") && !quoted.contains(' '))
        .collect();
    assert!(named.len() > 20, "it names the files of its rules");
    for path in named {
        let path = root()
            .join("crates")
            .join(path.trim_start_matches("crates/"));
        assert!(path.exists(), "there is no `{}`", path.display());
    }
}

/// Work to do later belongs to an issue.
/// What is served is an operation of the table, and described with it; only the pages are not.
#[test]
fn only_the_table_and_the_pages_have_routes() {
    for crate_path in crates() {
        if ["bench", "testkit"]
            .iter()
            .any(|name| crate_path.ends_with(name))
        {
            continue;
        }
        let mut files = Vec::new();
        sources(&crate_path.join("src"), &mut files);
        let elsewhere = files.iter().filter(|file| {
            !file.ends_with("api/src/operations.rs") && !file.ends_with("server/src/console.rs")
        });
        for file in elsewhere {
            let text = fs::read_to_string(file).unwrap();
            assert!(
                !text.contains(".route("),
                "`{}` has a route",
                file.display()
            );
        }
    }
}

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
