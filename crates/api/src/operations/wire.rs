//! How scalars of the domain look on the wire. `domain` does not know of schemas, so these types
//! stand for their shapes, and nothing else.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// Declares a type that is nothing but a schema, which stands wherever it is used.
macro_rules! scalars {
    ($($(#[$doc:meta])* $name:ident = $schema:tt;)*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )* };
}

scalars! {
    /// An id: decimal digits as a text, because scripts lose the last ones of such numbers.
    Id = { "type": "string", "pattern": "^[0-9]+$", "examples": ["1893456789012482"] };
    /// An id that is asked for, which may be a number too.
    AskedId = { "type": ["string", "integer"], "pattern": "^[0-9]+$", "minimum": 0, "examples": ["1893456789012482"] };
    /// A time in UTC, to the millisecond.
    Time = { "type": "string", "format": "date-time", "examples": ["2026-03-02T09:30:00.000Z"] };
    /// A random id.
    Uuid = { "type": "string", "format": "uuid", "examples": ["3f1c2d9e-7a64-4b0e-9c53-0d8a1f6be274"] };
    /// Any JSON.
    Anything = {};
    /// A member that is ignored.
    Ignored = {};
    /// An object of any members.
    AnyObject = { "type": "object" };
    /// Nothing but an empty list.
    EmptyList = { "type": "array", "maxItems": 0, "items": {}, "examples": [[]] };
    /// Always null.
    Nothing = { "type": "null" };
}

/// Declares types that are never built: they only say what a query or a hand-read body looks like.
macro_rules! shapes {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident { $($members:tt)* })*) => { $(
        #[derive(Debug, schemars::JsonSchema)]
        #[schemars(rename_all = "camelCase")]
        #[expect(dead_code, reason = "it only stands for its shape")]
        $(#[$meta])*
        $vis struct $name { $($members)* }
    )* };
}
pub(crate) use shapes;

/// Declares the shape of names that the domain lists.
macro_rules! named_shapes {
    ($($(#[$doc:meta])* $name:ident = $all:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let names: Vec<&str> = $all.collect();
                schemars::json_schema!({ "type": "string", "enum": names })
            }
        }
    )* };
}
pub(crate) use named_shapes;
