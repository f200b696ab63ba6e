//! Reading typed values out of JSON without guessing: an array is never taken for an object, and
//! an error knows the path of the value it is about, such as `members[0].id`.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde_json::{Map, Value};

/// Why a value did not fit, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// `members[0].id`; empty for the whole body.
    pub path: String,
    pub message: String,
}

impl Misfit {
    fn below(mut self, step: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{step}{separator}{}", self.path);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            path: String::new(),
            message: message.to_string(),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let (rule, found) = (rule_of(&expected.to_string()), named(&found));
        Self::custom(format_args!("must be {rule}, not {found}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("must be {}", listed(expected, "or")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known = listed(expected, "and");
        Self {
            path: field.chars().take(FIELD_CHARS_SHOWN).collect(),
            message: format!("is not known here; what is known: {known}"),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            path: field.to_owned(),
            message: "is missing".to_owned(),
        }
    }
}

/// Of the name of a member that nobody knows, more is not told back.
const FIELD_CHARS_SHOWN: usize = 128;

/// `a`, `b` and `c`.
fn listed(names: &[&str], last: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, before)) => format!("{} {last} {end}", before.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// What a type wants, in words of JSON.
fn rule_of(expected: &str) -> String {
    let whole = |most: u64| format!("a whole number from 0 to {most}");
    match expected {
        "u8" => whole(u8::MAX.into()),
        "u16" => whole(u16::MAX.into()),
        "u32" => whole(u32::MAX.into()),
        "u64" | "usize" => whole(u64::MAX),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        other => other.to_owned(),
    }
}

/// What was found: of texts only that they are texts, because they may be secret.
fn named(found: &Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(value) => value.to_string(),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "an object".to_owned(),
        Unexpected::Str(_) => "this text".to_owned(),
        other => other.to_string(),
    }
}

/// Reads a `T` out of `value`.
pub fn read<'de, T: serde::Deserialize<'de>>(value: &'de Value) -> Result<T, Misfit> {
    T::deserialize(Strict(value))
}

struct Strict<'de>(&'de Value);

fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(number) => number
            .as_u64()
            .map(Unexpected::Unsigned)
            .or_else(|| number.as_i64().map(Unexpected::Signed))
            .or_else(|| number.as_f64().map(Unexpected::Float))
            .unwrap_or(Unexpected::Other("number")),
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}

impl<'de> Deserializer<'de> for Strict<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => {
                if let Some(number) = number.as_u64() {
                    visitor.visit_u64(number)
                } else if let Some(number) = number.as_i64() {
                    visitor.visit_i64(number)
                } else if let Some(number) = number.as_f64() {
                    visitor.visit_f64(number)
                } else {
                    Err(Misfit::custom("a number that no type holds"))
                }
            }
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Object(entries) => visitor.visit_map(Entries::of(entries)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Object(entries) => visitor.visit_map(Entries::of(entries)),
            other => Err(Misfit::invalid_type(unexpected(other), &"an object")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::String(variant) => visitor.visit_enum(variant.as_str().into_deserializer()),
            Value::Object(entries) if entries.len() == 1 => visitor.visit_enum(Tagged(entries)),
            other => Err(Misfit::invalid_type(unexpected(other), &"a name")),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'de> {
    items: &'de [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let Some(item) = self.items.get(self.next) else {
            return Ok(None);
        };
        let place = self.next;
        self.next += 1;
        seed.deserialize(Strict(item))
            .map(Some)
            .map_err(|misfit| misfit.below(&format!("[{place}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

struct Entries<'de> {
    entries: serde_json::map::Iter<'de>,
    current: Option<(&'de String, &'de Value)>,
}

impl<'de> Entries<'de> {
    fn of(entries: &'de Map<String, Value>) -> Self {
        Self {
            entries: entries.iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        self.current = self.entries.next();
        self.current
            .map(|(key, _)| {
                seed.deserialize(serde::de::value::BorrowedStrDeserializer::new(key.as_str()))
            })
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (key, value) = self.current.take().expect("a value follows its key");
        seed.deserialize(Strict(value))
            .map_err(|misfit| misfit.below(key))
    }
}

/// An enum's variant with content: `{"variant": …}`.
struct Tagged<'de>(&'de Map<String, Value>);

impl<'de> EnumAccess<'de> for Tagged<'de> {
    type Error = Misfit;
    type Variant = Content<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content<'de>), Misfit> {
        let (name, value) = self.0.iter().next().expect("it has one entry");
        let variant = seed.deserialize(serde::de::value::BorrowedStrDeserializer::new(
            name.as_str(),
        ))?;
        Ok((variant, Content(value)))
    }
}

struct Content<'de>(&'de Value);

impl<'de> VariantAccess<'de> for Content<'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Err(Misfit::custom("a name is expected"))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        seed.deserialize(Strict(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Misfit> {
        Strict(self.0).deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        Strict(self.0).deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Team {
        name: String,
        #[serde(default)]
        members: Vec<Member>,
        public: Option<bool>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Member {
        id: hookyard_domain::PersonId,
    }

    fn path_of(value: &Value) -> String {
        read::<Team>(value).unwrap_err().path
    }

    #[test]
    fn a_value_that_fits_is_read() {
        let value =
            json!({"name": "a", "members": [{"id": "7"}, {"id": 8}], "public": null, "x": [1]});
        let team: Team = read(&value).unwrap();
        assert_eq!(team.members.len(), 2);
        assert_eq!(team.public, None);
    }

    #[test]
    fn an_array_is_never_an_object() {
        assert_eq!(path_of(&json!(["a", [], true])), "");
        assert_eq!(
            path_of(&json!({"name": "a", "members": [["7"]]})),
            "members[0]"
        );
    }

    #[test]
    fn an_error_knows_its_place() {
        assert_eq!(path_of(&json!({"name": 1})), "name");
        assert_eq!(path_of(&json!({})), "name");
        let value = json!({"name": "a", "members": [{"id": "7"}, {"id": "x"}]});
        assert_eq!(path_of(&value), "members[1].id");
        let value = json!({"name": "a", "members": [{}]});
        assert_eq!(path_of(&value), "members[0].id");
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "lowercase")]
    struct Lamp {
        #[serde(rename = "colour")]
        _colour: Colour,
        #[serde(rename = "watts", default)]
        _watts: u8,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
        Blue,
    }

    #[test]
    fn an_error_says_what_would_be_right() {
        for (value, expect) in [
            (
                json!({"colour": "pink"}),
                "colour: must be `red`, `green` or `blue`",
            ),
            (
                json!({"colour": "red", "watts": 256}),
                "watts: must be a whole number from 0 to 255, not 256",
            ),
            (
                json!({"colour": "red", "watts": "hunter2"}),
                "watts: must be a whole number from 0 to 255, not this text",
            ),
            (
                json!({"colour": "red", "volts": 1}),
                "volts: is not known here; what is known: `colour` and `watts`",
            ),
            (json!({}), "colour: is missing"),
        ] {
            assert_eq!(read::<Lamp>(&value).unwrap_err().to_string(), expect);
        }
    }
}
