//! The full names of the types of events, in SQL.

use hookyard_domain::TypePattern;

/// The full name of the type of the event in `e`, as `Event::type_name` makes it.
macro_rules! type_name {
    () => {
        "case when e.kind = 'custom' or e.kind = e.event_type then e.event_type
            else e.kind || '.' || e.event_type end"
    };
}
pub(in crate::sqlite) use type_name;

/// How many dots that name has.
macro_rules! type_dots {
    () => {
        concat!(
            "length(",
            crate::sqlite::events::names::type_name!(),
            ") - length(replace(",
            crate::sqlite::events::names::type_name!(),
            ", '.', ''))"
        )
    };
}
pub(in crate::sqlite) use type_dots;

/// The dots of a name that a pattern matches, unless it ends in a star: the others stand for one
/// segment each, where SQL's stand for any text. `None` for any number of dots.
pub(in crate::sqlite) fn dots_of(pattern: &TypePattern) -> Option<i64> {
    let text = pattern.as_str();
    let dots = text.bytes().filter(|byte| *byte == b'.').count();
    let open = text.ends_with('*');
    (!open).then(|| i64::try_from(dots).unwrap_or(i64::MAX))
}
