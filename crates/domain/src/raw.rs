//! JSON objects as their members stand in the text: what is not looked at is not changed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
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
}
