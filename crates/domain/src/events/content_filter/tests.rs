use super::*;
use crate::kernel::limits::{
    CONTENT_FILTER_BYTES_MAX, CONTENT_FILTER_CONDITIONS_MAX, CONTENT_FILTER_DEPTH_MAX,
    CONTENT_FILTER_REGEX_CHARS_MAX, CONTENT_FILTER_REGEXES_MAX,
};
use proptest::prelude::*;
use serde_json::json;

fn filter(text: &str) -> ContentFilter {
    ContentFilter::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// Whether the condition `text` holds for the member `m` of `data`, an object.
fn holds(text: &str, data: Value) -> bool {
    let filter = filter(&format!(r#"{{"data":{{"m":{text}}}}}"#));
    filter.matches(&document("invoice.paid", data, None, None))
}

/// Where and why `text` is refused.
fn refusal(text: &str) -> (String, String) {
    let error = ContentFilter::parse(text).expect_err(text);
    (error.pointer, error.message)
}

#[test]
fn a_filter_asks_for_members_of_the_event() {
    let event = document(
        "invoice.paid",
        json!({"total": 120, "customer": {"country": "DE"}}),
        Some("invoice 7"),
        Some("/shop"),
    );
    for (text, expect) in [
        ("{}", true),
        (r#"{"type":"invoice.paid"}"#, true),
        (r#"{"type":["invoice.sent","invoice.paid"]}"#, true),
        (r#"{"type":"invoice.sent"}"#, false),
        (r#"{"subject":{"$startsWith":"invoice"}}"#, true),
        (r#"{"source":"/shop","data":{"total":120}}"#, true),
        (r#"{"source":"/other","data":{"total":120}}"#, false),
        (r#"{"data":{"customer":{"country":["AT","DE"]}}}"#, true),
        (r#"{"data":{"customer":{"country":["AT","CH"]}}}"#, false),
        (r#"{"data":{"total":{"$gte":100,"$lt":200}}}"#, true),
        (r#"{"data":{"total":{"$gte":100,"$lt":120}}}"#, false),
        (r#"{"data":{"customer":{"$eq":{"country":"DE"}}}}"#, true),
        (r#"{"data":{"customer":{"$eq":{}}}}"#, false),
        (r#"{"data":{"customer":{}}}"#, true),
        (
            r#"{"$or":[{"type":"x"},{"data":{"total":{"$gt":100}}}]}"#,
            true,
        ),
        (
            r#"{"$and":[{"type":"invoice.paid"},{"subject":"x"}]}"#,
            false,
        ),
        (r#"{"$not":{"source":"/shop"}}"#, false),
        (
            r#"{"$not":{"source":"/shop"},"type":"invoice.paid"}"#,
            false,
        ),
        (r#"{"$not":{"source":"/x"},"type":"invoice.paid"}"#, true),
        (
            r#"{"data":{"total":{"$or":[7,{"$gt":100,"$not":{"$gt":130}}]}}}"#,
            true,
        ),
    ] {
        assert_eq!(filter(text).matches(&event), expect, "{text}");
    }
}

#[test]
fn what_an_event_lacks_is_null_except_to_exists() {
    let event = document("invoice.paid", json!({"n": null}), None, None);
    for (text, expect) in [
        (r#"{"subject":null}"#, true),
        (r#"{"subject":{"$exists":false}}"#, true),
        (r#"{"subject":{"$exists":true}}"#, false),
        (r#"{"subject":{"$ne":"x"}}"#, true),
        (r#"{"subject":{"$nin":["x",null]}}"#, false),
        (r#"{"subject":{"$lt":"x"}}"#, false),
        (r#"{"data":{"n":null}}"#, true),
        (r#"{"data":{"n":{"$exists":true}}}"#, true),
        (r#"{"data":{"n":{"deep":{"deeper":null}}}}"#, true),
        (r#"{"data":{"n":{"deep":{"deeper":1}}}}"#, false),
        (r#"{"data":{"x":{"deep":{"$exists":false}}}}"#, true),
    ] {
        assert_eq!(filter(text).matches(&event), expect, "{text}");
    }
}

#[test]
fn each_operator_looks_at_one_value() {
    for (text, value, expect) in [
        (r#""a""#, json!("a"), true),
        (r#""a""#, json!("A"), false),
        (r#""1""#, json!(1), false),
        ("1", json!("1"), false),
        ("1", json!(1.0), true),
        ("1.5", json!(1.5), true),
        ("0", json!(false), false),
        ("true", json!(true), true),
        ("null", json!(null), true),
        ("null", json!(0), false),
        ("[1,2,null]", json!(null), true),
        ("9007199254740993", json!(9_007_199_254_740_993_u64), true),
        ("9007199254740993", json!(9_007_199_254_740_992_u64), false),
        ("18446744073709551615", json!(u64::MAX), true),
        (
            r#"{"$gt":9007199254740992}"#,
            json!(9_007_199_254_740_993_u64),
            true,
        ),
        (r#"{"$eq":{"a":[1,2.0]}}"#, json!({"a": [1.0, 2]}), true),
        (r#"{"$eq":{"a":1}}"#, json!({"a": 1, "b": 2}), false),
        (r#"{"$ne":"a"}"#, json!("b"), true),
        (r#"{"$ne":"a"}"#, json!("a"), false),
        (r#"{"$gt":5}"#, json!(5), false),
        (r#"{"$gt":5}"#, json!(5.5), true),
        (r#"{"$gt":5}"#, json!("6"), false),
        (r#"{"$gte":5}"#, json!(5), true),
        (r#"{"$lt":-1}"#, json!(-1.5), true),
        (r#"{"$lt":5}"#, json!(null), false),
        (r#"{"$lte":5}"#, json!(5.0), true),
        (
            r#"{"$gte":"2026-01-01T00:00:00Z"}"#,
            json!("2026-03-26T09:18:41.460Z"),
            true,
        ),
        (
            r#"{"$lt":"2026-01-01T00:00:00Z"}"#,
            json!("2026-03-26T09:18:41.460Z"),
            false,
        ),
        (r#"{"$gt":"a"}"#, json!(5), false),
        (r#"{"$in":["a",1]}"#, json!(1), true),
        (r#"{"$in":["a",1]}"#, json!("b"), false),
        (r#"{"$nin":["a",1]}"#, json!("b"), true),
        (r#"{"$nin":["a",1]}"#, json!("a"), false),
        (r#"{"$startsWith":"pay"}"#, json!("payment"), true),
        (r#"{"$startsWith":"Pay"}"#, json!("payment"), false),
        (r#"{"$endsWith":"ment"}"#, json!("payment"), true),
        (r#"{"$endsWith":"pay"}"#, json!("payment"), false),
        (r#"{"$contains":"yme"}"#, json!("payment"), true),
        (r#"{"$contains":"x"}"#, json!("payment"), false),
        (r#"{"$contains":"1"}"#, json!(1), false),
        (r#"{"$regex":"^pay"}"#, json!("payment"), true),
        (r#"{"$regex":"men"}"#, json!("payment"), true),
        (r#"{"$regex":"^PAY"}"#, json!("payment"), false),
        (r#"{"$regex":"(?i)^PAY"}"#, json!("payment"), true),
        (r#"{"$regex":"^\\d{4}-\\d{2}$"}"#, json!("2026-03"), true),
        (r#"{"$regex":"^$"}"#, json!(null), false),
        (r#"{"$not":{"$gt":5}}"#, json!(5), true),
        (r#"{"$not":{"$gt":5}}"#, json!("x"), true),
        (r#"{"$not":"a"}"#, json!("a"), false),
        (r#"{"$and":[{"$gt":1},{"$lt":3}]}"#, json!(2), true),
        (r#"{"$and":[{"$gt":1},{"$lt":3}]}"#, json!(3), false),
        (r#"{"$or":[{"$lt":1},"x"]}"#, json!("x"), true),
    ] {
        assert_eq!(holds(text, json!({"m": value})), expect, "{text} {value}");
    }
}

#[test]
fn a_condition_holds_for_an_array_or_for_one_of_its_items() {
    let tags = json!(["red", "blue"]);
    let lines = json!([{"sku": "a", "count": 1}, {"sku": "b", "count": 5}]);
    for (text, value, expect) in [
        (r#""red""#, &tags, true),
        (r#"["green","blue"]"#, &tags, true),
        (r#""green""#, &tags, false),
        (r#"{"$startsWith":"bl"}"#, &tags, true),
        (r#"{"$contains":"reen"}"#, &tags, false),
        (r#"{"$regex":"^blue$"}"#, &tags, true),
        (r#"{"$gt":"c"}"#, &tags, true),
        (r#"{"$eq":["red","blue"]}"#, &tags, true),
        (r#"{"$eq":["blue","red"]}"#, &tags, false),
        (r#"{"$ne":"red"}"#, &tags, false),
        (r#"{"$ne":"green"}"#, &tags, true),
        (r#"{"$nin":["green","red"]}"#, &tags, false),
        (r#"{"sku":"b"}"#, &lines, true),
        (r#"{"sku":"b","count":{"$gt":4}}"#, &lines, true),
        (r#"{"sku":"a","count":{"$gt":4}}"#, &lines, false),
        (r#"{"$not":{"sku":"c"}}"#, &lines, true),
        (r#"{"sku":null}"#, &json!([]), false),
        ("null", &json!([]), false),
        ("null", &json!([null]), true),
        ("[[1,2]]", &json!([1, 2]), true),
        ("[[1,2]]", &json!([[1, 2], [3]]), true),
        ("1", &json!([[1, 2], [3]]), false),
        (r#"{"sku":"a"}"#, &json!([[{"sku": "a"}]]), false),
    ] {
        assert_eq!(holds(text, json!({"m": value})), expect, "{text} {value}");
    }
}

#[test]
fn a_mistake_is_told_with_its_place() {
    for (text, pointer, part) in [
        ("", "", "not JSON"),
        (r#"{"data":"#, "", "not JSON"),
        (r#"{"data":1e999}"#, "", "not JSON"),
        ("[]", "", "expected an object"),
        (r#""paid""#, "", "expected an object"),
        ("null", "", "expected an object"),
        (r#"{"data":{"a":1,"a":2}}"#, "", "two members of one name"),
        (r#"{"status":"paid"}"#, "/status", "inside data"),
        (
            r#"{"data":{"a":{"$foo":1}}}"#,
            "/data/a/$foo",
            "$startsWith",
        ),
        (r#"{"$where":"1"}"#, "/$where", "no such operator"),
        (r#"{"$gt":1}"#, "/$gt", "under a member"),
        (r#"{"$or":[{"$eq":1}]}"#, "/$or/0/$eq", "under a member"),
        (r#"{"$or":["paid"]}"#, "/$or/0", "expected an object"),
        (r#"{"$or":[]}"#, "/$or", "one or more conditions"),
        (r#"{"$and":{}}"#, "/$and", "one or more conditions"),
        (r#"{"$not":[]}"#, "/$not", "expected an object"),
        (r#"{"data":[]}"#, "/data", "one or more values"),
        (r#"{"data":{"a":{"$in":[]}}}"#, "/data/a/$in", "one or more"),
        (r#"{"data":{"a":{"$nin":"x"}}}"#, "/data/a/$nin", "array"),
        (r#"{"data":{"a":{"$gt":null}}}"#, "/data/a/$gt", "number or"),
        (
            r#"{"data":{"a":{"$lte":[1]}}}"#,
            "/data/a/$lte",
            "number or",
        ),
        (
            r#"{"data":{"a":{"$exists":1}}}"#,
            "/data/a/$exists",
            "true or",
        ),
        (
            r#"{"data":{"a":{"$contains":1}}}"#,
            "/data/a/$contains",
            "str",
        ),
        (r#"{"data":{"a":{"$regex":5}}}"#, "/data/a/$regex", "string"),
        (
            r#"{"data":{"a":{"$regex":"("}}}"#,
            "/data/a/$regex",
            "unclosed",
        ),
        (
            r#"{"data":{"a":{"$regex":"(?=x)"}}}"#,
            "/data/a/$regex",
            "look-around",
        ),
        (
            r#"{"data":{"a":{"$regex":"(\\w{1,100}){1,100}"}}}"#,
            "/data/a/$regex",
            "too much memory",
        ),
        (r#"{"data":[{"$gt":1}]}"#, "/data/0/$gt", "inside a value"),
        (
            r#"{"data":{"a":{"$eq":{"b":[{"$gt":1}]}}}}"#,
            "/data/a/$eq/b/0/$gt",
            "$or",
        ),
        (
            r#"{"data":{"a/b":{"c~d":{"$x":1}}}}"#,
            "/data/a~1b/c~0d/$x",
            "no such",
        ),
    ] {
        let (found, message) = refusal(text);
        assert_eq!(found, pointer, "{text}: {message}");
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn a_filter_may_have_8_kib_and_not_one_byte_more() {
    let padded = |length: usize| format!("{:<length$}", r#"{"type":"a"}"#);
    assert!(ContentFilter::parse(&padded(CONTENT_FILTER_BYTES_MAX)).is_ok());
    let (_, message) = refusal(&padded(CONTENT_FILTER_BYTES_MAX + 1));
    assert!(message.contains("8192 bytes"), "{message}");
}

#[test]
fn a_filter_may_have_16_levels_and_not_one_more() {
    let nested = |levels: usize| {
        let inner = levels - 2;
        let (open, close) = (r#"{"a":"#.repeat(inner), "}".repeat(inner));
        format!(r#"{{"data":{{"$not":{open}1{close}}}}}"#)
    };
    assert!(ContentFilter::parse(&nested(CONTENT_FILTER_DEPTH_MAX)).is_ok());
    assert!(
        refusal(&nested(CONTENT_FILTER_DEPTH_MAX + 1))
            .1
            .contains("16 levels")
    );
    for opening in [
        r#"{"data":"#,
        r#"{"$not":"#,
        r#"{"$or":["#,
        r#"{"data":{"$eq":"#,
    ] {
        let text = opening.repeat(40);
        assert!(ContentFilter::parse(&text).is_err());
    }
    let literal = format!(r#"{{"data":{}1{}}}"#, "[".repeat(16), "]".repeat(16));
    assert!(refusal(&literal).1.contains("16 levels"));
}

#[test]
fn a_filter_may_have_256_conditions_and_not_one_more() {
    let listing = |count: usize| {
        let listed = vec!["1"; count].join(",");
        format!(r#"{{"data":{{"a":[{listed}]}}}}"#)
    };
    assert!(ContentFilter::parse(&listing(CONTENT_FILTER_CONDITIONS_MAX)).is_ok());
    let (pointer, message) = refusal(&listing(CONTENT_FILTER_CONDITIONS_MAX + 1));
    assert_eq!(pointer, "/data/a/256");
    assert!(message.contains("256 conditions"), "{message}");
}

#[test]
fn a_filter_may_have_4_expressions_of_512_characters() {
    let with = |expressions: Vec<String>| {
        let tests: Vec<String> = expressions
            .iter()
            .map(|text| format!(r#"{{"$regex":"{text}"}}"#))
            .collect();
        format!(r#"{{"data":{{"$or":[{}]}}}}"#, tests.join(","))
    };
    let some = |count: usize| with(vec!["a".to_owned(); count]);
    assert!(ContentFilter::parse(&some(CONTENT_FILTER_REGEXES_MAX)).is_ok());
    let (pointer, message) = refusal(&some(CONTENT_FILTER_REGEXES_MAX + 1));
    assert_eq!(pointer, "/data/$or/4/$regex");
    assert!(message.contains("4 expressions"), "{message}");
    let long = |length: usize| with(vec!["ü".repeat(length)]);
    assert!(ContentFilter::parse(&long(CONTENT_FILTER_REGEX_CHARS_MAX)).is_ok());
    let (_, message) = refusal(&long(CONTENT_FILTER_REGEX_CHARS_MAX + 1));
    assert!(message.contains("512 characters"), "{message}");
}

#[test]
fn the_text_is_kept_as_it_was() {
    let text = "{ \"data\" : {\"n\": 1.0} }";
    assert_eq!(filter(text).as_json(), text);
    assert_eq!(filter(text), filter(text));
    assert_ne!(filter(text), filter("{}"));
}

/// Any JSON, of names and values that meet often.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        (-6_i32..6).prop_map(|halves| Value::from(f64::from(halves) / 2.0)),
        any::<i64>().prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Conditions, and things that look like some.
fn any_condition() -> impl Strategy<Value = Value> {
    const TESTS: [&str; 14] = [
        "$eq",
        "$ne",
        "$gt",
        "$gte",
        "$lt",
        "$lte",
        "$in",
        "$nin",
        "$exists",
        "$startsWith",
        "$endsWith",
        "$contains",
        "$regex",
        "$what",
    ];
    const OTHERS: [&str; 5] = ["$and", "$or", "a", "b", "$not"];
    let test = (prop::sample::select(&TESTS[..]), any_value());
    let leaf = prop_oneof![
        any_value(),
        test.prop_map(|(name, operand)| json!({ name: operand })),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (prop::sample::select(&OTHERS[..]), inner.clone())
                .prop_map(|(name, inner)| json!({ name: inner })),
            (
                prop::sample::select(&OTHERS[..2]),
                prop::collection::vec(inner, 0..3)
            )
                .prop_map(|(name, inner)| json!({ name: inner })),
        ]
    })
}

fn on_data(condition: &Value) -> Result<ContentFilter, ContentFilterError> {
    ContentFilter::parse(&json!({ "data": condition }).to_string())
}

fn with_data(data: Value) -> Value {
    document("a.b", data, None, None)
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in ".{0,60}", hostile in "[\\[\\]{}\":,$a0 ~/.-]{0,60}") {
        for text in [text, hostile] {
            if let Ok(filter) = ContentFilter::parse(&text) {
                filter.matches(&Value::Null);
            }
        }
    }

    #[test]
    fn no_expression_makes_reading_or_matching_panic(pattern in ".{0,40}", text in ".{0,40}") {
        if let Ok(filter) = on_data(&json!({ "$regex": pattern })) {
            filter.matches(&with_data(text.into()));
        }
    }

    #[test]
    fn no_event_makes_matching_panic(condition in any_condition(), data in any_value()) {
        if let Ok(filter) = on_data(&condition) {
            filter.matches(&with_data(data.clone()));
            filter.matches(&data);
        }
    }

    #[test]
    fn every_value_equals_itself(data in any_value(), other in any_value()) {
        let same = on_data(&json!({ "$eq": data })).unwrap();
        prop_assert!(same.matches(&with_data(data.clone())));
        let listed = on_data(&json!({ "$in": [other, data] })).unwrap();
        prop_assert!(listed.matches(&with_data(data)));
    }

    #[test]
    fn opposites_are_opposites(wanted in any_value(), data in any_value()) {
        let asked = |name: &str, operand: Value| {
            on_data(&json!({ name: operand })).unwrap().matches(&with_data(data.clone()))
        };
        prop_assert_ne!(asked("$eq", wanted.clone()), asked("$ne", wanted.clone()));
        prop_assert_ne!(asked("$in", json!([wanted])), asked("$nin", json!([wanted])));
        prop_assert_eq!(asked("$eq", wanted.clone()), asked("$in", json!([wanted])));
    }

    #[test]
    fn conditions_combine(one in any_condition(), other in any_condition(), data in any_value()) {
        let event = with_data(data);
        let (Ok(a), Ok(b)) = (on_data(&one), on_data(&other)) else {
            return Ok(());
        };
        let (a, b) = (a.matches(&event), b.matches(&event));
        let both = on_data(&json!({ "$and": [one, other] })).unwrap().matches(&event);
        let either = on_data(&json!({ "$or": [one, other] })).unwrap().matches(&event);
        let neither = on_data(&json!({ "$not": { "$or": [one, other] } })).unwrap();
        prop_assert_eq!(both, a && b);
        prop_assert_eq!(either, a || b);
        prop_assert_eq!(neither.matches(&event), !either);
    }

    #[test]
    fn an_item_that_satisfies_is_enough(
        condition in any_condition(),
        item in any_value(),
        others in prop::collection::vec(any_value(), 0..3),
    ) {
        let negates = condition.to_string().contains("$n");
        let Ok(filter) = on_data(&json!({ "a": condition })) else {
            return Ok(());
        };
        if negates || item.is_array() {
            return Ok(());
        }
        if filter.matches(&with_data(json!({ "a": item }))) {
            let mut items = others;
            items.push(item);
            let event = with_data(json!({ "a": items }));
            prop_assert!(filter.matches(&event));
        }
    }
}
