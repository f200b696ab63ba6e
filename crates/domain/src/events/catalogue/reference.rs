//! `docs/reference/events.md`, made from the tables. `UPDATE_DOCS=1 cargo test -p hookyard-domain`
//! writes it anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{EVENT_TYPES, Effect, EventType, FILTER_FORMS, Parameter, Producer};
use crate::events::event::EventKind;
use crate::identity::scope::Scope;

const HEAD: &str = "<!-- Made from the catalogue; `UPDATE_DOCS=1 cargo test -p hookyard-domain` writes it anew. -->

# Events

What can be subscribed to, and what then arrives. The same is told by the server itself:
`GET /api/v1/event-types`, and `GET /api/v1/event-types/{name}` for one of them, to whoever is signed in.

A filter is a path with `~` for one's own account and extension. What a subscriber gets is an
envelope with the filter as it was subscribed and the event's body:

```json
{
  \"uuid\": \"6452004109062593690\",
  \"event\": \"/team-messaging/v1/posts\",
  \"timestamp\": \"2026-03-26T09:18:41.460Z\",
  \"subscriptionId\": \"de38e1ee-2497-41ed-8662-7fb3a1cfba8d\",
  \"ownerId\": \"62534323\",
  \"body\": {}
}
```

## Publishing

Events of the types that apps produce are published by an app with the permission `PublishEvents`:

```
POST /api/v1/events
{ \"event\": \"/restapi/v1.0/account/~/extension/~/presence\", \"body\": { \"extensionId\": \"62534323\" } }
```

`event` is the path of a filter without parameters, and says whose event it is: `~` is oneself, and
administrators may name any extension of the account. `body` must satisfy the schema of the event
type and be no larger than 256 KiB; where it names an extension or an account, these must be those
of the path. It reaches subscribers byte for byte, except for what their filter leaves out. The
answer, `201` with the `id` that subscribers see as `uuid`, comes when the event is durable:

```json
{
  \"id\": \"6452004109062593690\",
  \"event\": \"/restapi/v1.0/account/400131426008/extension/62534323/presence\",
  \"eventType\": \"presence\",
  \"timestamp\": \"2026-03-26T09:18:41.460Z\"
}
```

A body that breaks the schema is refused with [`CMN-101`](../errors/CMN-101.md), whose
`parameterName` is `body` and the JSON pointer to what is wrong, such as `body/activeCalls/0/id`.
To publish presence tells subscribers only; what `GET .../presence` says is set with
`PUT .../presence`. These events have no ids of their publisher's, so a request that is repeated is
published again.

Events of a product's own types are [published in other forms](publishing.md), by which repeats are
recognised.
";

const BY_NAME: &str = "\nNo filter asks for these; endpoints do, by the names of their types.\n";

fn title(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Post => "Posts",
        EventKind::Chat => "Chats",
        EventKind::Webhook => "Incoming webhooks",
        EventKind::Extension => "Extensions",
        EventKind::MessageStore => "Message store",
        EventKind::InstantMessage => "Instant messages",
        EventKind::Voicemail => "Voicemail",
        EventKind::Fax => "Fax",
        EventKind::Presence => "Presence",
        EventKind::PresenceLine => "Monitored extensions",
        EventKind::TelephonySession => "Telephony sessions",
        EventKind::MissedCall => "Missed calls",
        EventKind::Reminder => "Reminders",
        EventKind::Hookyard => "Endpoints",
        EventKind::Custom => "Types of the account",
    }
}

fn parameter(parameter: &Parameter) -> String {
    let Parameter {
        name,
        effect,
        values,
    } = parameter;
    match effect {
        Effect::Equals => {
            let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
            format!(
                "`{name}`: only events whose body has this `{name}`: {}.",
                values.join(" or ")
            )
        }
        Effect::Includes(member) => {
            format!("`{name}=true`: with `{member}`, which the body comes without otherwise.")
        }
        Effect::Seconds => format!("`{name}`: a number of seconds; required."),
    }
}

fn section(kind: EventKind) -> String {
    let types: Vec<_> = EVENT_TYPES.iter().filter(|t| t.kind == kind).collect();
    let mut text = format!("\n## {}\n", title(kind));
    let has_filters = FILTER_FORMS.iter().any(|form| form.kind == kind);
    text.push_str(if has_filters {
        "\nFilters:\n\n"
    } else {
        BY_NAME
    });
    let mut parameters: Vec<&Parameter> = Vec::new();
    for form in FILTER_FORMS.iter().filter(|form| form.kind == kind) {
        let _ = writeln!(text, "* `{}`", form.path);
        for known in form.parameters {
            if !parameters.contains(&known) {
                parameters.push(known);
            }
        }
    }
    if !parameters.is_empty() {
        text.push_str("\nParameters:\n\n");
        for known in parameters {
            let _ = writeln!(text, "* {}", parameter(known));
        }
    }
    if has_filters {
        let scope = types[0].scope().map_or("none", Scope::name);
        let _ = writeln!(text, "\nPermission of the app: {scope}.");
    }
    for event_type in types {
        text.push_str(&entry(event_type));
    }
    text
}

fn entry(event_type: &EventType) -> String {
    let makers = event_type.producers.iter().map(|maker| match maker {
        Producer::Hookyard => "Hookyard",
        Producer::Apps => "apps that publish it",
    });
    format!(
        "\n### `{}`\n\n{}\n\n* Who gets it: {}\n* Who makes it: {}.\n* Schema: [`{schema}.json`]({path}/{schema}.json)\n\n```json\n{}```\n",
        event_type.name,
        event_type.summary,
        event_type.receivers,
        makers.collect::<Vec<_>>().join(" and "),
        event_type.example,
        schema = event_type.schema.name(),
        path = "../../crates/domain/src/catalogue/schemas",
    )
}

fn reference() -> String {
    let listed = |kind: &EventKind| EVENT_TYPES.iter().any(|known| known.kind == *kind);
    let sections = EventKind::ALL.into_iter().filter(listed).map(section);
    format!("{HEAD}{}", sections.collect::<String>())
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the tests says whether they may write"
)]
fn the_reference_tells_what_the_catalogue_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/events.md");
    let made = reference();
    if std::env::var("UPDATE_DOCS").is_ok() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/reference/events.md is stale: run `UPDATE_DOCS=1 cargo test -p hookyard-domain`"
    );
}
