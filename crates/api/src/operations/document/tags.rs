//! The parts of the document, and what is said once for all of them.

use hookyard_domain::Code;
use serde_json::{Map, Value, json};

use crate::operations::{Operation, Tag};

pub(super) const ABOUT: &str = "\
Hookyard's own API under `/api/v1`, and the operations of the RingCentral platform that it serves.

Every answer of an operation is listed. What is no operation answers the same everywhere: a path \
that nobody knows is a 404 `CMN-120`, a method that a path does not know is a 405 `CMN-111`, and \
pages of other origins that ask before they call (`OPTIONS`) get a 204.

Paths may end in a slash. `POST` may stand for another method, which `X-HTTP-Method-Override` or \
`_method` in the query then names, under `/restapi` and `/team-messaging`.

`x-permission` is what a caller's app, and the person, must be allowed; `x-rate-limit-group` is the \
group that calls are counted in; `x-codes` are the error codes of a status; `x-also-at` are other \
spellings of the path; `x-event-data` is the schema of `data` in a stream of server-sent events.";

impl Tag {
    /// Its name and what it is about.
    const fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::SigningIn => ("Signing in", "Tokens, and their end."),
            Self::Platform => ("Platform", "The service, its versions and the account."),
            Self::Directory => ("Directory", "Who is in the account."),
            Self::Extensions => (
                "Extensions",
                "People of the account, as administrators have them.",
            ),
            Self::Apps => ("Apps", "API clients, and how they prove who they are."),
            Self::Credentials => ("Credentials", "What lets programs in, in a person's name."),
            Self::Messages => ("Messages", "Short messages and pages, and their store."),
            Self::Presence => ("Presence", "Who is there."),
            Self::Chats => ("Chats", "Chats of all kinds."),
            Self::Posts => ("Posts", "What is said in chats."),
            Self::Teams => ("Teams", "Chats with a name, and their members."),
            Self::Persons => (
                "Persons",
                "People and companies, as team messaging has them.",
            ),
            Self::IncomingWebhooks => ("Incoming webhooks", "URLs that post into chats."),
            Self::Requests => ("Requests", "What incoming webhooks received."),
            Self::Subscriptions => ("Subscriptions", "What a person's app is told of, and how."),
            Self::Endpoints => ("Endpoints", "Where an account's events go."),
            Self::Deliveries => ("Deliveries", "What was sent, and what became of it."),
            Self::Events => (
                "Events",
                "What happened, and publishing what happens elsewhere.",
            ),
            Self::EventTypes => ("Event types", "Which types of events there are."),
            Self::Scenarios => ("Scenarios", "Series of events to try receivers with."),
            Self::Bins => ("Bins", "Scratch URLs that show what they receive."),
            Self::Jobs => ("Jobs", "Work that goes on after its request."),
            Self::Erasing => ("Erasing", "Forgetting a person or a conversation."),
            Self::Operating => (
                "Operating",
                "Looking after the whole installation, which is all accounts.",
            ),
            Self::Console => ("Console", "What the page asks for itself."),
            Self::PubNub => (
                "PubNub",
                "The transport for clients of PubNub; served when it is turned on.",
            ),
            Self::WebSocket => ("WebSocket", "The transport for clients of WebSockets."),
            Self::Description => ("Description", "This document."),
        }
    }

    pub(super) const fn name(self) -> &'static str {
        self.told().0
    }
}

/// The tags that `operations` have, in order.
pub(super) fn described(operations: &[Operation]) -> Vec<Value> {
    let mut tags: Vec<_> = operations.iter().map(|operation| operation.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    let told = tags.into_iter().map(Tag::told);
    told.map(|(name, about)| json!({ "name": name, "description": about }))
        .collect()
}

/// An example of each problem, by its code.
pub(super) fn problems() -> Map<String, Value> {
    let examples = Code::ALL
        .iter()
        .map(|code| (code.name().to_owned(), problem(*code)));
    examples.collect()
}

fn problem(code: Code) -> Value {
    let (name, summary) = (code.name(), code.summary());
    let told = summary.replace("${parameterName}", "name");
    let mut entry = json!({ "errorCode": name, "message": told });
    if told != summary {
        entry["parameterName"] = "name".into();
    }
    let mut example = entry.clone();
    example["errors"] = json!([entry]);
    json!({ "summary": summary, "value": example })
}
