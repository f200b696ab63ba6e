//! Events from the command line and from files.

use serde_json::{Value, json};

use crate::yard::Yard;

fn objects(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn an_event_with_an_id_is_published_once() {
    let yard = Yard::start().await;
    let words = ["publish", "invoice.paid", "--data", "-", "--id", "one"];
    let unknown = yard.run_with(&words, "{}").await.failed();
    assert!(unknown.contains("CMN-101"), "{unknown}");
    let words = [&words[..], &["--register"]].concat();
    let first = yard.run_with(&words, "{}").await.good();
    let id = first
        .trim_end()
        .strip_prefix("Published invoice.paid as ")
        .unwrap();
    let again = yard.run_with(&words, "{}").await.good();
    assert_eq!(
        again.trim_end(),
        format!("invoice.paid was published before, as {id}")
    );
    let other = yard.run_with(&words, "[]").await.failed();
    assert!(other.contains("409"), "{other}");
}

#[tokio::test]
async fn a_file_is_published_in_batches_and_again_for_nothing() {
    let yard = Yard::start().await;
    let line =
        |n| format!("{{\"type\":\"invoice.paid\",\"id\":\"i{n}\",\"data\":{{\"n\": {n}}}}}\n");
    let lines = (0..1_201).map(line).collect::<Vec<_>>().concat();
    std::fs::write(yard.folder.join("events.ndjson"), &lines).unwrap();
    let words = ["publish", "--file", "events.ndjson", "--register"];
    let ran = yard.run(&words).await;
    assert_eq!(ran.notes, "Published 1201 events\n");
    ran.good();
    let told = objects(&yard.good(&[&words[..], &["--json"]].concat()).await);
    assert_eq!(told.len(), 1_201);
    let odd = told
        .iter()
        .zip(1_u64..)
        .find(|(told, line)| told["duplicate"] != true || told["line"] != json!(line));
    assert_eq!(odd, None);
    let words = ["publish", "--file", "-", "--from-line", "1201"];
    let ran = yard.run_with(&words, &lines).await;
    assert_eq!(ran.notes, "Published 0 events; 1 were published before\n");
}

#[tokio::test]
async fn a_mistake_in_a_file_is_told_by_its_line_before_or_instead_of_publishing() {
    let yard = Yard::start().await;
    let good = "{\"type\":\"a.b\",\"data\":1}\n";
    let file = yard.folder.join("events.ndjson");
    std::fs::write(&file, format!("{good}\n{{}}\n")).unwrap();
    let words = ["publish", "--file", "events.ndjson", "--register"];
    let notes = yard.run(&words).await.failed();
    assert_eq!(notes, "hookyard: line 3: has no `type`\n");
    std::fs::write(&file, format!("{good}\n{{\"type\":\"a..b\",\"data\":1}}\n")).unwrap();
    let notes = yard.run(&words).await.failed();
    assert!(notes.contains("the server refused lines 1 to 3"), "{notes}");
    assert!(notes.contains("line 3, type: "), "{notes}");
    assert!(notes.contains("--from-line 1"), "{notes}");
}
