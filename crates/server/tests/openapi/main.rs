//! The description of all operations: that it is the one in the documentation, that its examples
//! fit, and that handlers can read those of requests.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json")
}

/// `UPDATE_OPENAPI=1` writes it instead.
#[test]
fn the_reference_is_what_is_served() {
    let mut written = serde_json::to_string_pretty(&hookyard_server::description()).unwrap();
    written.push('\n');
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(file(), &written).unwrap();
    }
    let there = fs::read_to_string(file()).unwrap_or_default();
    assert!(
        there == written,
        "docs/reference/openapi.json is not what is served; write it anew with \
         `UPDATE_OPENAPI=1 cargo nextest run -p hookyard-server --test openapi`"
    );
}

fn operations(document: &Value) -> Vec<(String, Value)> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((format!("{method} {path}"), operation.clone()));
        }
    }
    operations
}

#[test]
fn every_operation_is_named_once_and_says_what_it_is() {
    let document = hookyard_server::description();
    let mut ids = BTreeSet::new();
    for (place, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id), "{place}");
        assert!(
            !operation["summary"].as_str().unwrap().is_empty(),
            "{place}"
        );
        assert!(
            operation["responses"].as_object().unwrap().len() > 1
                || place.contains("healthz")
                || place.contains("openapi"),
            "{place}"
        );
    }
    for (place, operation) in operations(&document) {
        if let Some(other) = operation["x-instead"].as_str() {
            assert!(ids.contains(other), "{place}");
        }
    }
}

/// Every `example` of a JSON body, with its schema.
fn examples(document: &Value, content: &Value, found: &mut Vec<(Value, Value)>) {
    for (kind, media) in content.as_object().into_iter().flatten() {
        if !kind.ends_with("json") {
            continue;
        }
        let one = media.get("example").cloned();
        let several = media["examples"].as_object().cloned().unwrap_or_default();
        let all = several.values().map(|example| {
            let place = example["$ref"].as_str().unwrap().trim_start_matches('#');
            document.pointer(place).unwrap()["value"].clone()
        });
        for example in one.into_iter().chain(all) {
            found.push((media["schema"].clone(), example));
        }
    }
}

#[test]
fn every_example_fits_its_schema() {
    let document = hookyard_server::description();
    for (place, operation) in operations(&document) {
        let mut found = Vec::new();
        examples(&document, &operation["requestBody"]["content"], &mut found);
        for response in operation["responses"].as_object().unwrap().values() {
            examples(&document, &response["content"], &mut found);
        }
        for (schema, example) in found {
            let mut whole: Map<String, Value> = schema.as_object().unwrap().clone();
            whole.insert("components".into(), document["components"].clone());
            let validator = jsonschema::draft202012::new(&whole.into()).unwrap();
            let errors: Vec<_> = validator.iter_errors(&example).collect();
            assert!(errors.is_empty(), "{place}: {errors:?}\n{example:#}");
        }
    }
}

#[test]
fn every_example_of_a_request_is_read() {
    let examples = hookyard_api::operations::request_examples(&hookyard_server::beside());
    let refused: Vec<_> = examples
        .iter()
        .filter_map(|(name, example, read)| {
            let error = read(example).err()?;
            Some(format!("{name}: {error}\n{example:#}"))
        })
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
