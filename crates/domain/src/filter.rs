//! What a subscriber asks for (contract section 4.6).

use std::fmt;

use crate::event::EventKind;

/// The kind of event that a filter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    Posts,
    Chats,
    Webhooks,
}

/// Why a text is not an event filter that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown event filter")]
pub struct FilterError;

/// A filter as it was subscribed: the text is echoed in every envelope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventFilter {
    text: String,
    topic: Topic,
}

/// Paths of the team-messaging filters, both generations.
const TOPICS: [(&str, Topic); 7] = [
    ("/restapi/v1.0/glip/posts", Topic::Posts),
    ("/restapi/v1.0/glip/groups", Topic::Chats),
    ("/restapi/v1.0/glip/webhooks", Topic::Webhooks),
    ("/team-messaging/v1/posts", Topic::Posts),
    ("/team-messaging/v1/groups", Topic::Chats),
    ("/team-messaging/v1/chats", Topic::Chats),
    ("/team-messaging/v1/webhooks", Topic::Webhooks),
];

impl EventFilter {
    /// Reads a filter. A full URL loses its origin: old SDKs make filters by `createUrl`.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let path = path_of(text).ok_or(FilterError)?;
        let (_, topic) = TOPICS
            .iter()
            .find(|(known, _)| *known == path)
            .ok_or(FilterError)?;
        Ok(Self {
            text: path.to_owned(),
            topic: *topic,
        })
    }

    /// The filter as it is shown and echoed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The kind of event it names.
    pub const fn topic(&self) -> Topic {
        self.topic
    }

    /// Whether events of `kind` are what it asks for.
    pub const fn matches(&self, kind: EventKind) -> bool {
        matches!(
            (self.topic, kind),
            (Topic::Posts, EventKind::Post)
                | (Topic::Chats, EventKind::Chat)
                | (Topic::Webhooks, EventKind::Webhook)
        )
    }
}

impl fmt::Display for EventFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The path and query of a full URL, or the text itself when it begins with a slash.
fn path_of(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) => rest.find('/').map(|slash| &rest[slash..]),
        None => text.starts_with('/').then_some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_topic_parses_and_matches_only_its_kind() {
        for (text, topic) in TOPICS {
            let filter = EventFilter::parse(text).unwrap();
            assert_eq!(filter.topic(), topic);
            let kinds = [EventKind::Post, EventKind::Chat, EventKind::Webhook];
            assert_eq!(
                kinds
                    .into_iter()
                    .filter(|kind| filter.matches(*kind))
                    .count(),
                1
            );
        }
    }

    #[test]
    fn a_full_url_loses_its_origin() {
        let filter =
            EventFilter::parse("https://platform.example.com/restapi/v1.0/glip/posts").unwrap();
        assert_eq!(filter.as_str(), "/restapi/v1.0/glip/posts");
    }

    proptest! {
        #[test]
        fn parsing_what_is_shown_gives_the_same_filter(
            index in 0..TOPICS.len(),
            origin in "(https?://[a-z.]{1,20}(:[0-9]{1,5})?)?",
        ) {
            let filter = EventFilter::parse(&format!("{origin}{}", TOPICS[index].0)).unwrap();
            prop_assert_eq!(EventFilter::parse(&filter.to_string()), Ok(filter));
        }

        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,60}") {
            if let Ok(filter) = EventFilter::parse(&text) {
                prop_assert!(text.ends_with(filter.as_str()));
            }
        }
    }
}
