//! Whether tests called every operation, and saw it succeed. All test programs write down which
//! they called; this one is the last, and reads it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Operations that no test sees succeed, and why. The list may only shrink.
const NEVER_SUCCEED: [&str; 1] = [
    // It needs a carrier, and there is none.
    "send_sms",
];

/// What was written down of one call.
struct Call {
    name: String,
    path: String,
    status: u16,
    declared: bool,
}

fn calls() -> Vec<Call> {
    let file = std::env::var_os(hookyard_server::CALLS);
    let file = file.expect("HOOKYARD_CALLS names the file that the tests have written");
    let text = fs::read_to_string(file).unwrap();
    let read = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        let [name, path, status, _, declared] = words.as_slice() else {
            panic!("a line of calls: {line}");
        };
        Call {
            name: (*name).to_owned(),
            path: (*path).to_owned(),
            status: status.parse().unwrap(),
            declared: *declared == "declared",
        }
    };
    text.lines().map(read).collect()
}

#[test]
#[ignore = "it is run after all other tests, by scripts/test"]
fn every_operation_is_called_and_tells_what_it_declares() {
    let calls = calls();
    let mut missing = BTreeSet::new();
    let mut paths = BTreeMap::<&str, BTreeSet<&str>>::new();
    for call in &calls {
        paths.entry(&call.name).or_default().insert(&call.path);
        if !call.declared {
            let Call { name, status, .. } = call;
            missing.insert(format!(
                "{name} answered {status}, which it does not declare"
            ));
        }
    }
    let operations = hookyard_api::described(&hookyard_server::beside());
    for operation in &operations {
        let name = operation.name;
        let called = paths.get(name).cloned().unwrap_or_default();
        for path in operation
            .paths()
            .filter(|path| !called.contains(path.as_str()))
        {
            missing.insert(format!("{name} is not called at {path}"));
        }
        let succeeded = calls
            .iter()
            .any(|call| call.name == name && call.status < 300);
        if !succeeded && !NEVER_SUCCEED.contains(&name) {
            missing.insert(format!("{name} is never seen to succeed"));
        }
    }
    let known: BTreeSet<_> = operations.iter().map(|operation| operation.name).collect();
    for name in paths.keys().filter(|name| !known.contains(*name)) {
        missing.insert(format!("{name} is served and not described"));
    }
    println!(
        "{} operations are described, {} were called",
        operations.len(),
        paths.len()
    );
    let missing: Vec<_> = missing.into_iter().collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
