//! What every request to the API may hold: a body in JSON, and parameters.

use std::collections::BTreeMap;

use hookyard_api::{Query, check_json, read_strictly};
use hookyard_domain::kernel::limits::JSON_DEPTH_MAX;
use serde_json::Value;

use crate::text_of;

/// A body, looked at before it is parsed, and read without guessing.
pub(crate) fn json_body(data: &[u8]) {
    let passed = check_json(data).is_ok();
    let Ok(value) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let seen = look(&value);
    let harmless = seen.depth <= JSON_DEPTH_MAX && !seen.has_nul;
    // Of a name that comes twice the last value is kept; the guard has seen both.
    assert!(harmless || !passed, "{value}");
    let whole: Value = read_strictly(&value).expect("any value is a value");
    assert_eq!(whole, value);
    let members: Result<BTreeMap<String, Value>, _> = read_strictly(&value);
    assert_eq!(members.is_ok(), value.is_object());
    let items: Result<Vec<Value>, _> = read_strictly(&value);
    assert_eq!(items.is_ok(), value.is_array());
}

/// What a guard must have seen of a value before it was one.
#[derive(Default)]
pub(crate) struct Look {
    pub(crate) depth: usize,
    pub(crate) has_nul: bool,
}

pub(crate) fn look(value: &Value) -> Look {
    let inside = |values: &mut dyn Iterator<Item = &Value>| {
        values.map(look).fold(Look::default(), |all, one| Look {
            depth: all.depth.max(one.depth),
            has_nul: all.has_nul || one.has_nul,
        })
    };
    let (below, has_nul) = match value {
        Value::String(text) => {
            return Look {
                depth: 0,
                has_nul: text.contains('\0'),
            };
        }
        Value::Array(items) => (inside(&mut items.iter()), false),
        Value::Object(members) => (
            inside(&mut members.values()),
            members.keys().any(|name| name.contains('\0')),
        ),
        _ => return Look::default(),
    };
    Look {
        depth: below.depth + 1,
        has_nul: has_nul || below.has_nul,
    }
}

/// A query string or the body of a form.
pub(crate) fn query(data: &[u8]) {
    let query = Query::parse(data);
    let written = query.with(&[]);
    assert_eq!(Query::parse(written.as_bytes()).with(&[]), written);
    for name in text_of(data).split(['&', '=']) {
        query.first(name);
    }
}
