//! The `OpenAPI` 3.1 document of a table of operations.

mod tags;

use std::collections::{BTreeMap, BTreeSet};

use hookyard_domain::kernel::limits::REQUEST_KEY_BYTES_MAX;
use http::StatusCode;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::kernel::idempotency::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
use crate::kernel::problem::Envelope;
use crate::kernel::router::described;
use crate::operations::examples::{Examples, Members};
use crate::operations::paths::{names_in, parameter_of};
use crate::operations::sketch::{Answered, Media, Reader};
use crate::operations::{Access, Operation, Repeats};

/// What reads the example of a request, by its operation's name.
pub(crate) type Readers = Vec<(&'static str, Value, Reader)>;

/// The whole document, as `version` of the product tells it.
pub fn document(operations: &[Operation], version: &str) -> Value {
    let mut writer = Writer::new();
    let mut paths = BTreeMap::<String, Map<String, Value>>::new();
    for operation in operations {
        for (place, path) in operation.paths().enumerate() {
            for (number, method) in operation.verb.methods().iter().enumerate() {
                let mut told = writer.operation(operation, place);
                if number > 0 {
                    let id = id_of(operation.name, place) + "By" + &capital(method);
                    told["operationId"] = id.into();
                }
                let path = paths.entry(path.replace("{*", "{")).or_default();
                let former = path.insert((*method).to_owned(), told);
                assert!(former.is_none(), "`{}` is there twice", operation.name);
            }
        }
    }
    let (schemas, apart) = writer.schemas();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hookyard",
            "version": version,
            "description": tags::ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "This server." }],
        "tags": tags::described(operations),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "examples": tags::problems(),
            "securitySchemes": security_schemes(),
        },
    });
    name_asked(&mut document, &apart);
    add_examples(&mut document);
    document
}

fn security_schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "description": "An access token of `createToken`." },
        "accessToken": { "type": "apiKey", "in": "query", "name": "access_token", "description": "The same token, as older clients have it." },
        "client": { "type": "http", "scheme": "basic", "description": "An app's id and secret." },
        "cookie": { "type": "apiKey", "in": "cookie", "name": "hookyard_session", "description": "The console's own cookie, which nothing but `/console/session` reads." },
    })
}

/// The example of each request, and how it is read.
pub fn request_examples(beside: &[Operation]) -> Readers {
    let operations = &described(beside);
    let document = document(operations, "");
    let mut readers = Vec::new();
    for operation in operations {
        let path = operation.paths().next().unwrap_or_default();
        let method = operation.verb.methods()[0];
        let bodies = &document["paths"][path.replace("{*", "{")][method]["requestBody"]["content"];
        for asked in &operation.sketch.requests {
            if let Some(read) = asked.read {
                let example = bodies[asked.media.kind]["example"].clone();
                readers.push((operation.name, example, read));
            }
        }
    }
    readers
}

/// Writes operations, and keeps the schemas that they name.
struct Writer {
    asked: SchemaGenerator,
    told: SchemaGenerator,
}

impl Writer {
    fn new() -> Self {
        let settings = |path: &'static str| {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = path.into();
                settings.meta_schema = None;
            })
        };
        Self {
            asked: settings("/components/asked")
                .for_deserialize()
                .into_generator(),
            told: settings("/components/schemas")
                .for_serialize()
                .into_generator(),
        }
    }

    /// Every schema that was named, and the names of those that are asked for in another shape than
    /// they are told in.
    fn schemas(mut self) -> (Map<String, Value>, BTreeSet<String>) {
        let mut schemas = self.told.take_definitions(true);
        schemas.values_mut().for_each(without_absent_nulls);
        let asked = self.asked.take_definitions(true);
        let differs = |(name, schema): &(&String, &Value)| {
            let plain = schema.to_string().replace(ASKED, TOLD);
            schemas
                .get(*name)
                .map(ToString::to_string)
                .is_some_and(|told| told != plain)
        };
        let mut apart = BTreeSet::new();
        // What holds one of another shape is of another shape itself.
        let mut known = 0;
        apart.extend(asked.iter().filter(differs).map(|(name, _)| name.clone()));
        while known < apart.len() {
            known = apart.len();
            let holds = |schema: &Value| {
                let text = schema.to_string();
                apart
                    .iter()
                    .any(|name| text.contains(&format!("{ASKED}{name}\"")))
            };
            let more = asked
                .iter()
                .filter(|(name, schema)| schemas.contains_key(*name) && holds(schema));
            let more: Vec<_> = more.map(|(name, _)| name.clone()).collect();
            apart.extend(more);
        }
        for (name, schema) in asked {
            let name = if apart.contains(&name) {
                format!("Asked{name}")
            } else {
                name
            };
            schemas.insert(name, schema);
        }
        (schemas, apart)
    }

    fn operation(&mut self, operation: &Operation, place: usize) -> Value {
        let sketch = &operation.sketch;
        let mut value = Map::new();
        value.insert("operationId".into(), id_of(operation.name, place).into());
        value.insert("tags".into(), json!([operation.tag.name()]));
        let summary = operation.summary.trim_end_matches('.');
        value.insert("summary".into(), summary.into());
        value.insert("description".into(), operation.about.clone().into());
        let parameters = self.parameters(operation);
        if !parameters.is_empty() {
            value.insert("parameters".into(), parameters.into());
        }
        if let Some(first) = sketch.requests.first() {
            let media: Vec<_> = sketch.requests.iter().map(|asked| &asked.media).collect();
            let content = content(&media, &mut self.asked);
            let body = json!({ "required": first.required, "content": content });
            value.insert("requestBody".into(), body);
        }
        value.insert("responses".into(), self.responses(operation));
        // A former prefix is a former spelling of the same operation.
        if place > 0 || operation.deprecated.is_some() {
            value.insert("deprecated".into(), true.into());
        }
        value.insert("security".into(), security(operation));
        if let Some(permission) = permission(operation.access()) {
            value.insert("x-permission".into(), permission);
        }
        if let Some(group) = operation.group {
            value.insert("x-rate-limit-group".into(), group.name().into());
        }
        let spellings = operation.spellings();
        if place == 0 && !spellings.is_empty() {
            value.insert("x-also-at".into(), spellings.into());
        }
        if let Some(other) = operation.deprecated {
            value.insert("x-instead".into(), id_of(other, 0).into());
        }
        value.into()
    }

    fn parameters(&mut self, operation: &Operation) -> Vec<Value> {
        let mut all = Vec::new();
        for name in names_in(operation.path) {
            let (make, about) = parameter_of(name);
            let schema = make(&mut self.asked);
            all.push(json!({ "name": name, "in": "path", "required": true, "description": about, "schema": schema }));
        }
        for make in &operation.sketch.query {
            let schema = make(&mut self.asked).to_value();
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            for (name, shape) in schema["properties"].as_object().into_iter().flatten() {
                let needed = required.iter().any(|other| other == name);
                all.push(query_parameter(name, shape.clone(), needed));
            }
        }
        for (name, about) in &operation.sketch.headers {
            all.push(json!({ "name": name, "in": "header", "required": false, "description": about, "schema": { "type": "string" } }));
        }
        if operation.repeats() == Repeats::Answered {
            all.push(json!({
                "name": IDEMPOTENCY_KEY,
                "in": "header",
                "required": false,
                "description": "A key of the caller's own choice: for a day, the same request with it gets the same answer again, and nothing is done twice.",
                "schema": { "type": "string", "minLength": 1, "maxLength": REQUEST_KEY_BYTES_MAX, "pattern": "^[!-~]+$" },
            }));
        }
        all
    }

    fn responses(&mut self, operation: &Operation) -> Value {
        let mut responses = Map::new();
        for answer in &operation.sketch.answers {
            let status = answer.status.map(|status| status.as_u16().to_string());
            let status = status.unwrap_or_else(|| "default".to_owned());
            let mut told = self.answer(answer);
            if operation.repeats() == Repeats::Answered {
                told["headers"][IDEMPOTENCY_REPLAYED] = json!({
                    "description": "`true` when the answer is that of a former request with the same `Idempotency-Key`.",
                    "schema": { "type": "string" },
                });
            }
            responses.insert(status, told);
        }
        let problem = match operation.sketch.problems {
            Some(make) => make(&mut self.told),
            None => self.told.subschema_for::<Envelope<'static>>(),
        };
        let mut by_status = BTreeMap::<u16, Vec<_>>::new();
        for code in operation.codes() {
            by_status.entry(code.status()).or_default().push(code);
        }
        for (status, codes) in by_status {
            let about: Vec<_> = codes
                .iter()
                .map(|code| format!("`{}`: {}", code.name(), code.summary()))
                .collect();
            let names: Vec<_> = codes.iter().map(|code| code.name()).collect();
            let former = responses.insert(
                status.to_string(),
                json!({
                    "description": about.join("\n"),
                    "content": { "application/json": { "schema": problem } },
                    "x-codes": names,
                }),
            );
            let name = operation.name;
            assert!(
                former.is_none(),
                "`{name}` answers {status} with a problem and without"
            );
        }
        responses.into()
    }

    fn answer(&mut self, answer: &Answered) -> Value {
        let mut response = json!({ "description": answer.about });
        if !answer.media.is_empty() {
            let media: Vec<_> = answer.media.iter().collect();
            response["content"] = content(&media, &mut self.told);
        }
        for (name, about) in &answer.headers {
            response["headers"][name] =
                json!({ "description": about, "schema": { "type": "string" } });
        }
        if answer.status == Some(StatusCode::RESET_CONTENT) {
            response["content"] = json!({});
        }
        response
    }
}

/// How schemas that are asked for are referred to until all are known, and how all are then.
const ASKED: &str = "#/components/asked/";
const TOLD: &str = "#/components/schemas/";

/// Refers to schemas that are asked for by the names that they have in the end.
fn name_asked(value: &mut Value, apart: &BTreeSet<String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix(ASKED) {
                let asked = if apart.contains(name) { "Asked" } else { "" };
                *text = format!("{TOLD}{asked}{name}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| name_asked(item, apart)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| name_asked(member, apart)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is left out when there is nothing to tell is never null: it is not required, so it is not
/// `null` either.
fn without_absent_nulls(schema: &mut Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, shape) in properties.into_iter().flatten() {
        if !required.iter().any(|other| other == name) {
            drop_null(shape);
        }
    }
}

/// The same without `null` among its types.
fn drop_null(shape: &mut Value) {
    if let Some(kinds) = shape["type"].as_array() {
        let kinds: Vec<_> = kinds
            .iter()
            .filter(|kind| **kind != "null")
            .cloned()
            .collect();
        shape["type"] = match kinds.as_slice() {
            [one] => one.clone(),
            _ => kinds.into(),
        };
    }
    let only = match shape["anyOf"].as_array().map(Vec::as_slice) {
        Some([one, null]) if null["type"] == "null" => Some(one.clone()),
        _ => None,
    };
    if let (Some(only), Some(shape)) = (only, shape.as_object_mut()) {
        shape.remove("anyOf");
        shape.extend(only.as_object().cloned().unwrap_or_default());
    }
    if let Some(shape) = shape.as_object_mut() {
        shape.retain(|_, value| !value.is_null());
    }
}

/// An absent parameter is absent, never null.
fn query_parameter(name: &str, mut shape: Value, needed: bool) -> Value {
    drop_null(&mut shape);
    let about = shape
        .as_object_mut()
        .and_then(|shape| shape.remove("description"));
    let mut parameter = json!({ "name": name, "in": "query", "required": needed, "schema": shape });
    if let Some(about) = about {
        parameter["description"] = about;
    }
    parameter
}

fn security(operation: &Operation) -> Value {
    match operation.access() {
        Access::Client => json!([{ "client": [] }, {}]),
        Access::Cookie => json!([{ "cookie": [] }]),
        _ if operation.sketch.bearer => json!([{ "bearer": [] }, { "accessToken": [] }]),
        _ => json!([]),
    }
}

fn permission(access: Access) -> Option<Value> {
    match access {
        Access::App(scope) => Some(json!({ "app": scope.name() })),
        Access::Administrator(scope) => {
            Some(json!({ "app": scope.name(), "person": "administrator" }))
        }
        Access::Operator(scope) => Some(json!({ "app": scope.name(), "person": "operator" })),
        Access::Depends(scopes) => {
            let names: Vec<_> = scopes.iter().map(|scope| scope.name()).collect();
            Some(json!({ "oneOf": names }))
        }
        Access::Anybody | Access::SignedIn | Access::Client | Access::Cookie | Access::Secret => {
            None
        }
    }
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// `read_bin` is `readBin`; under a former prefix `readBinFormerly`, because ids are unique.
fn id_of(name: &str, place: usize) -> String {
    let mut id = String::new();
    for (number, word) in name.split('_').enumerate() {
        id += &if number == 0 {
            word.to_owned()
        } else {
            capital(word)
        };
    }
    if place > 0 {
        id += "Formerly";
    }
    id
}

fn content(all: &[&Media], generator: &mut SchemaGenerator) -> Value {
    let mut content = Map::new();
    for media in all {
        let mut value = json!({ "schema": (media.schema)(generator) });
        if let Some(item) = media.item {
            value["x-event-data"] = item(generator).to_value();
        }
        content.insert(media.kind.to_owned(), value);
    }
    content.into()
}

/// Gives every JSON body an example.
fn add_examples(document: &mut Value) {
    let schemas = document["components"]["schemas"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let examples = |members| Examples {
        schemas: &schemas,
        members,
    };
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for operation in paths.flat_map(|(_, path)| path.as_object_mut().into_iter().flatten()) {
        let operation = operation.1;
        if let Some(content) = operation.pointer_mut("/requestBody/content") {
            illustrate(content, examples(Members::Telling));
        }
        let responses = operation["responses"].as_object_mut().into_iter().flatten();
        for (_, response) in responses {
            illustrate_answer(response, examples(Members::All));
        }
    }
}

fn illustrate_answer(response: &mut Value, examples: Examples<'_>) {
    let codes = response.get("x-codes").and_then(Value::as_array).cloned();
    let Some(content) = response.get_mut("content") else {
        return;
    };
    // Of problems there is one for each code, the same for all operations.
    let Some(codes) = codes else {
        return illustrate(content, examples);
    };
    for code in codes {
        let name = code.as_str().unwrap_or_default();
        let example = json!({ "$ref": format!("#/components/examples/{name}") });
        content["application/json"]["examples"][name] = example;
    }
}

fn illustrate(content: &mut Value, examples: Examples<'_>) {
    for (kind, media) in content.as_object_mut().into_iter().flatten() {
        if kind.ends_with("json") {
            media["example"] = examples.of(&media["schema"]);
        }
        if let Some(data) = media.get("x-event-data").cloned() {
            let data = examples.of(&data);
            media["example"] = format!("id: 1893456789012482\ndata: {data}\n\n").into();
        }
    }
}
