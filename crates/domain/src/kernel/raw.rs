//! JSON objects as their members stand in the text: what is not looked at is not changed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The members of an object in their order.
pub(crate) type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// Reads the members of the object in `text`; `None` when it is not one.
pub(crate) fn members_of(text: &[u8]) -> Option<Members<'_>> {
    struct Object;

    impl<'a> Visitor<'a> for Object {
        type Value = Members<'a>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Members<'a>, A::Error> {
            let mut members = Vec::new();
            while let Some(name) = map.next_key::<Name<'a>>()? {
                members.push((name.0, map.next_value::<&RawValue>()?));
            }
            Ok(members)
        }
    }

    let mut reader = serde_json::Deserializer::from_slice(text);
    let members = reader.deserialize_map(Object).ok()?;
    reader.end().ok()?;
    Some(members)
}

/// Whether some object in `text` has two members of one name. Readers disagree on which of them
/// counts, so what one of them has checked another may not see.
pub(crate) fn repeats_a_name(text: &str) -> bool {
    serde_json::from_str::<Unrepeated>(text).is_err_and(|error| error.is_data())
}

/// Checks that `text` is JSON that every reader understands alike: numbers that can be represented,
/// no half characters, no name twice in an object, no more nesting than readers can follow.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn check_json(text: &str) -> Result<(), String> {
    match serde_json::from_str::<Unrepeated>(text) {
        Ok(_) => Ok(()),
        Err(error) if error.is_data() => {
            Err("an object has two members of one name: name each member once".into())
        }
        Err(error) => Err(format!("not JSON that can be read: {error}")),
    }
}

/// How deep objects and arrays nest in a value; 0 for a scalar.
pub(crate) fn depth_of(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(items) => items.iter().map(depth_of).max(),
        Value::Object(members) => members.values().map(depth_of).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or(0)
}

/// Why a text is no array of so many items.
#[derive(Debug)]
pub(crate) enum ItemsError {
    TooMany,
    Unreadable(String),
}

/// Reads the items of the array in `text`, unless there are more than `count_max`.
pub(crate) fn items_of(text: &[u8], count_max: usize) -> Result<Vec<&RawValue>, ItemsError> {
    struct Items(usize);

    impl<'a> Visitor<'a> for Items {
        type Value = Option<Vec<&'a RawValue>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut read = Vec::new();
            while let Some(item) = items.next_element::<&RawValue>()? {
                if read.len() == self.0 {
                    while items.next_element::<IgnoredAny>()?.is_some() {}
                    return Ok(None);
                }
                read.push(item);
            }
            Ok(Some(read))
        }
    }

    let unreadable = |error: serde_json::Error| ItemsError::Unreadable(error.to_string());
    let mut reader = serde_json::Deserializer::from_slice(text);
    let items = reader
        .deserialize_seq(Items(count_max))
        .map_err(unreadable)?;
    reader.end().map_err(unreadable)?;
    items.ok_or(ItemsError::TooMany)
}

/// Any JSON whose objects name each member once.
struct Unrepeated;

impl<'de> Deserialize<'de> for Unrepeated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unrepeated {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            if !names.insert(name.0) {
                return Err(A::Error::custom("a name is repeated"));
            }
            map.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Writes an object of `members`, whose values are JSON.
pub(crate) fn write_object<'a>(
    members: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
) -> Vec<u8> {
    let mut text = vec![b'{'];
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &name).expect("writing to memory does not fail");
        text.push(b':');
        text.extend_from_slice(value.as_bytes());
    }
    text.push(b'}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_is_found_at_any_depth_and_in_any_spelling() {
        for (text, expect) in [
            (r#"{"a":1,"b":{"a":1}}"#, false),
            (r#"[{"a":1},{"a":-1.5},null,true,"a"]"#, false),
            (r#"{"a":1,"a":1}"#, true),
            (r#"{"a":1,"\u0061":1}"#, true),
            (r#"{"b":[{"c":[{"a":1,"a":2}]}]}"#, true),
        ] {
            assert_eq!(repeats_a_name(text), expect, "{text}");
        }
    }
    #[test]
    fn json_that_readers_differ_on_is_refused() {
        for (text, expect) in [
            (r#"{"a":[1,-2.5e3,"\ud83d\ude00",null]}"#, true),
            (r#"{"a":{"b":1,"b":2}}"#, false),
            ("1e999", false),
            (r#""\ud83d""#, false),
            ("{} {}", false),
            ("", false),
            ("\u{feff}{}", false),
            (&"[".repeat(100_000), false),
        ] {
            let short: String = text.chars().take(40).collect();
            assert_eq!(check_json(text).is_ok(), expect, "{short}");
        }
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(check_json(&deep(100)).is_ok());
        assert!(check_json(&deep(1_000)).is_err());
    }

    #[test]
    fn an_array_is_read_up_to_its_bound() {
        let read = |text: &'static str| items_of(text.as_bytes(), 2);
        let items = read(" [ {\"a\": 1.0} , 2 ] ").unwrap();
        let texts: Vec<&str> = items.into_iter().map(RawValue::get).collect();
        assert_eq!(texts, [r#"{"a": 1.0}"#, "2"]);
        assert!(read("[]").unwrap().is_empty());
        assert!(matches!(read("[1,2,3]"), Err(ItemsError::TooMany)));
        for text in ["{}", "[1,2", "[1] 2", "[1,2,3", "[1,2,3,}]", ""] {
            let result = read(text);
            assert!(matches!(result, Err(ItemsError::Unreadable(_))), "{text}");
        }
    }
}
