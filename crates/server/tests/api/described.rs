//! Holds answers against the description: what a test sees is what clients are told to expect.

use std::path::Path;
use std::sync::OnceLock;

use http::Method;
use serde_json::{Map, Value};

use crate::client::Answer;

/// The document as it stands in the documentation, which another test holds against the server.
fn document() -> &'static Value {
    static READ: OnceLock<Value> = OnceLock::new();
    READ.get_or_init(|| {
        let file = "../../docs/reference/openapi.json";
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = std::fs::read_to_string(file).expect("the document");
        serde_json::from_str(&text).expect("JSON")
    })
}

/// How many parts of `path` the template spells out; `None` when it is of other paths.
fn likeness(template: &str, path: &str) -> Option<usize> {
    let (mut given, mut alike) = (path.split('/'), 0);
    for part in template.split('/') {
        let other = given.next()?;
        match part.strip_prefix('{') {
            Some(_) if !other.is_empty() => {}
            None if part == other => alike += 1,
            _ => return None,
        }
    }
    given.next().is_none().then_some(alike)
}

fn operation_at(method: &Method, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let path = path.trim_end_matches('/');
    let all = document()["paths"].as_object()?.iter();
    let fitting = all.filter_map(|(template, methods)| Some((likeness(template, path)?, methods)));
    let (_, methods) = fitting.max_by_key(|(alike, _)| *alike)?;
    methods.get(method.as_str().to_lowercase())
}

/// Fails for a JSON answer of an operation that is not as its description says.
pub(crate) fn check(method: &Method, path: &str, answer: &Answer) {
    if !answer
        .header("content-type")
        .starts_with("application/json")
    {
        return;
    }
    let Some(operation) = operation_at(method, path) else {
        return;
    };
    let status = answer.status.as_u16().to_string();
    let content = &operation["responses"][&status]["content"]["application/json"];
    let Some(schema) = content["schema"].as_object() else {
        return;
    };
    let mut whole: Map<String, Value> = schema.clone();
    whole.insert("components".into(), document()["components"].clone());
    let validator = jsonschema::draft202012::new(&whole.into()).expect("a schema");
    let told = answer.json();
    let errors: Vec<_> = validator
        .iter_errors(&told)
        .map(|error| format!("{} at `{}`", error, error.instance_path()))
        .collect();
    assert!(
        errors.is_empty(),
        "{method} {path} answered {status} other than it is described:\n{}\n{told:#}",
        errors.join("\n")
    );
}
