//! What subscribers ask for.

use hookyard_domain::kernel::limits::EVENT_FILTER_CHARS_MAX;
use hookyard_domain::{AccountId, ContentFilter, EventFilter, PersonId, TypeName, TypePattern};
use serde_json::Value;

use crate::{head_and_body, text_of};

/// An event filter, as it is subscribed and as it is stored.
pub(crate) fn event_filter(data: &[u8]) {
    let text = text_of(data);
    if let Ok(filter) = EventFilter::read(text) {
        assert!(text.len() <= EVENT_FILTER_CHARS_MAX);
        let stored = filter.to_string();
        assert_eq!(EventFilter::read(&stored), Ok(filter), "{stored:?}");
    }
    // `~` is replaced by ids, so what was subscribed may be longer than it came; it must still be
    // read when the server starts again.
    if let Ok(filter) = EventFilter::parse(text, AccountId(i64::MAX as u64), PersonId(1)) {
        let stored = filter.to_string();
        assert_eq!(EventFilter::read(&stored), Ok(filter), "{stored:?}");
    }
}

/// A content filter in the first line, a document in the rest.
pub(crate) fn content_filter(data: &[u8]) {
    let (filter, document) = head_and_body(data);
    let Ok(filter) = ContentFilter::parse(text_of(filter)) else {
        return;
    };
    let stored = serde_json::to_string(&filter).expect("a filter is a text");
    let read: ContentFilter = serde_json::from_str(&stored).expect("a stored filter is read");
    let document: Value = serde_json::from_slice(document).unwrap_or_default();
    assert_eq!(filter.matches(&document), read.matches(&document));
}

/// A pattern of event types in the first line, a name in the rest.
pub(crate) fn type_pattern(data: &[u8]) {
    let (pattern, name) = head_and_body(data);
    let (pattern, name) = (text_of(pattern), text_of(name));
    let pattern = TypePattern::parse(pattern);
    if let Ok(pattern) = &pattern {
        assert_eq!(TypePattern::parse(pattern.as_str()).as_ref(), Ok(pattern));
    }
    if let Ok(name) = TypeName::parse(name) {
        assert!(TypePattern::from(name.clone()).matches(name.as_str()));
        if let Ok(pattern) = &pattern {
            let exact = pattern.exact().is_some_and(|only| only == name.as_str());
            assert!(!exact || pattern.matches(name.as_str()));
        }
    } else if let Ok(pattern) = pattern {
        pattern.matches(name);
    }
}
