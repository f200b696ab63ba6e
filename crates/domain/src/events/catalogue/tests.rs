//! The tables agree with each other, and the schemas with what the product really makes.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::*;

#[test]
fn every_kind_has_types_with_names_of_their_own_and_every_type_has_filters() {
    for kind in EventKind::ALL {
        let types: Vec<_> = EVENT_TYPES.iter().filter(|t| t.kind == kind).collect();
        // Accounts register those of one kind; another is for endpoints, which ask by name.
        assert_eq!(types.is_empty(), kind == EventKind::Custom, "{kind:?}");
        let filtered = !matches!(kind, EventKind::Custom | EventKind::Hookyard);
        assert_eq!(
            FILTER_FORMS.iter().any(|form| form.kind == kind),
            filtered,
            "{kind:?}"
        );
        for known in types {
            let prefix = known.name.split('.').next();
            assert_eq!(prefix, Some(kind.name()));
            assert_eq!(EventType::named(known.name).unwrap().name, known.name);
            let scopes: HashSet<_> = known.filters().map(|form| form.scope).collect();
            assert!(scopes.len() <= 1, "{}", known.name);
        }
    }
    let names: HashSet<_> = EVENT_TYPES.iter().map(|known| known.name).collect();
    assert_eq!(names.len(), EVENT_TYPES.len());
    let unordered = EVENT_TYPES
        .windows(2)
        .find(|pair| pair[0].kind > pair[1].kind);
    assert!(unordered.is_none(), "{unordered:?}");
}

#[test]
fn what_apps_publish_is_about_extensions_and_is_the_only_type_of_its_kind() {
    let mut published = Vec::new();
    for kind in EventKind::ALL {
        let Some(known) = EventType::published_as(kind) else {
            continue;
        };
        published.push(known.name);
        assert_eq!(EVENT_TYPES.iter().filter(|t| t.kind == kind).count(), 1);
        assert!(known.filters().any(|form| form.reach == Reach::Extension));
    }
    assert_eq!(
        published,
        [
            "message-store",
            "instant-message",
            "voicemail",
            "fax",
            "presence",
            "presence-line",
            "telephony-session",
            "missed-call"
        ]
    );
}

/// Every member that a schema names is described, so that the reference says what each one is.
fn undescribed(schema: &Value, at: &str, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                let path = format!("{at}/{name}");
                if name == "properties" {
                    for (property, inner) in member.as_object().unwrap() {
                        let shared = inner.get("$ref").is_some();
                        if inner.get("description").is_none() && !shared {
                            found.push(format!("{path}/{property}"));
                        }
                    }
                }
                undescribed(member, &path, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                undescribed(item, at, found);
            }
        }
        _ => {}
    }
}

#[test]
fn schemas_describe_every_member_and_have_every_value_of_conditions() {
    let mut found = Vec::new();
    for known in &EVENT_TYPES {
        let schema: Value = serde_json::from_str(known.schema.text()).unwrap();
        undescribed(&schema, known.schema.name(), &mut found);
        for parameter in known.filters().flat_map(|form| form.parameters) {
            match parameter.effect {
                Effect::Equals => {
                    let values = &schema["properties"][parameter.name]["enum"];
                    assert_eq!(*values, json!(parameter.values), "{}", known.name);
                    let required = schema["required"].as_array().unwrap();
                    assert!(required.contains(&json!(parameter.name)), "{}", known.name);
                }
                Effect::Includes(member) => {
                    assert!(known.schema.text().contains(&format!("\"{member}\": {{")));
                }
                Effect::Seconds => {}
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
