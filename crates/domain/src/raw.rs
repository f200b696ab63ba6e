//! JSON objects as their members stand in the text: what is not looked at is not changed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
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
