//! What the parameters of paths are, by name: a name means the same in every path.

use schemars::JsonSchema;

use crate::operations::sketch::Make;
use crate::operations::wire::{Id, Uuid};

struct Parameter {
    name: &'static str,
    schema: Make,
    about: &'static str,
}

const fn parameter<T: JsonSchema>(name: &'static str, about: &'static str) -> Parameter {
    Parameter {
        name,
        schema: |generator| generator.subschema_for::<T>(),
        about,
    }
}

const PARAMETERS: [Parameter; 27] = [
    parameter::<String>("accountId", "`~` for the caller's own account, or its id."),
    parameter::<Id>("attachmentId", "Id of a message's attachment."),
    parameter::<Id>("binId", "Id of a bin."),
    parameter::<String>(
        "call",
        "The rest of the call, in the words of the `PubNub` protocol.",
    ),
    parameter::<Id>("chatId", "Id of a chat."),
    parameter::<String>("clientId", "The public name of an app."),
    parameter::<String>(
        "companyId",
        "`~` for the caller's own company, an id, or several ids with commas between.",
    ),
    parameter::<Uuid>("credentialId", "Id of a credential."),
    parameter::<Id>("deliveryId", "Id of a delivery."),
    parameter::<Uuid>("endpointId", "Id of an endpoint."),
    parameter::<Id>("eventId", "Id of an event."),
    parameter::<String>(
        "extensionId",
        "`~` for the caller's own extension, or an id; several ids with commas between where one reads.",
    ),
    parameter::<Id>("groupId", "Id of a chat."),
    parameter::<Id>("jobId", "Id of a job."),
    parameter::<String>(
        "messageId",
        "Id of a message, or several ids with commas between.",
    ),
    parameter::<String>("name", "Name of a type of events, such as `invoice.paid`."),
    parameter::<String>(
        "personId",
        "`~` for the caller, an id, or several ids with commas between.",
    ),
    parameter::<Id>("postId", "Id of a post."),
    parameter::<Id>("requestId", "Id of a request to an incoming webhook."),
    parameter::<String>("rest", "Any path below; it may hold slashes."),
    parameter::<String>("scenario", "Name of a scenario."),
    parameter::<String>("secretId", "Id of one of an app's secrets."),
    parameter::<Uuid>("subscriptionId", "Id of a subscription."),
    parameter::<String>("token", "The secret of the URL."),
    parameter::<Uuid>("webhookId", "Id of an incoming webhook."),
    parameter::<String>(
        "webhookIds",
        "Id of an incoming webhook, or several ids with commas between.",
    ),
    parameter::<String>("personIds", "Id of a person."),
];

/// The names in a template such as `/chats/{chatId}`.
pub(super) fn names_in(template: &str) -> impl Iterator<Item = &str> {
    let after_brace = template.split('{').skip(1);
    let names = after_brace.filter_map(|rest| rest.split('}').next());
    names.map(|name| name.trim_start_matches('*'))
}

/// What a parameter is, and what is said about it.
///
/// # Panics
///
/// For a name that nobody explained.
pub(super) fn parameter_of(name: &str) -> (Make, &'static str) {
    let known = PARAMETERS.iter().find(|parameter| parameter.name == name);
    let known = known.unwrap_or_else(|| panic!("nothing says what `{{{name}}}` in a path is"));
    (known.schema, known.about)
}
