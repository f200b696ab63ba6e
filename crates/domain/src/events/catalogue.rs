//! Which events and event filters there are, as data: the paths and parameters of filters, who may
//! use them, and what a subscriber gets (contract sections 4.6 and 5). Parsing, permissions,
//! publishing, the reference and the API are all made from these tables.

mod event_types;
#[cfg(test)]
mod reference;
mod schema;
#[cfg(test)]
mod tests;

use crate::events::event::EventKind;
use crate::identity::scope::Scope;

pub use event_types::{EVENT_TYPES, EventType, Producer};
pub use schema::Schema;

/// Where a filter looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// What the subscription's owner may learn.
    Owner,
    /// One extension, named in the path.
    Extension,
    /// Every extension of the account.
    Account,
    /// The subscription itself.
    Subscription,
}

/// What a query parameter of a filter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Only events whose body has this value in the member of the same name.
    Equals,
    /// `true` includes the named member of the body, which is left out otherwise.
    Includes(&'static str),
    /// A number of seconds.
    Seconds,
}

/// A query parameter of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parameter {
    pub name: &'static str,
    pub effect: Effect,
    /// The values that it may have; empty for any that its effect allows.
    pub values: &'static [&'static str],
}

/// One form that an event filter may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FilterForm {
    /// Path with `{accountId}` and `{extensionId}`, for which `~` may stand.
    pub path: &'static str,
    pub kind: EventKind,
    pub reach: Reach,
    pub parameters: &'static [Parameter],
    /// What an app needs; `None` for none.
    pub scope: Option<Scope>,
}

const fn messaging(path: &'static str, kind: EventKind) -> FilterForm {
    FilterForm {
        path,
        kind,
        reach: Reach::Owner,
        parameters: &[],
        scope: Some(Scope::TeamMessaging),
    }
}

const fn of_extension(path: &'static str, kind: EventKind, scope: Scope) -> FilterForm {
    FilterForm {
        path,
        kind,
        reach: Reach::Extension,
        parameters: &[],
        scope: Some(scope),
    }
}

const fn of_account(path: &'static str, kind: EventKind, scope: Scope) -> FilterForm {
    FilterForm {
        reach: Reach::Account,
        ..of_extension(path, kind, scope)
    }
}

/// What a presence filter may ask for besides the plain state.
const PRESENCE_DETAILS: [Parameter; 2] = [
    Parameter {
        name: "detailedTelephonyState",
        effect: Effect::Includes("activeCalls"),
        values: &["true", "false"],
    },
    Parameter {
        name: "sipData",
        effect: Effect::Includes("sipData"),
        values: &["true", "false"],
    },
];

/// Every filter form.
pub const FILTER_FORMS: [FilterForm; 20] = [
    messaging("/team-messaging/v1/posts", EventKind::Post),
    messaging("/restapi/v1.0/glip/posts", EventKind::Post),
    messaging("/team-messaging/v1/chats", EventKind::Chat),
    messaging("/team-messaging/v1/groups", EventKind::Chat),
    messaging("/restapi/v1.0/glip/groups", EventKind::Chat),
    messaging("/team-messaging/v1/webhooks", EventKind::Webhook),
    messaging("/restapi/v1.0/glip/webhooks", EventKind::Webhook),
    of_extension(
        "/restapi/v1.0/account/{accountId}/extension/{extensionId}",
        EventKind::Extension,
        Scope::ReadAccounts,
    ),
    of_account(
        "/restapi/v1.0/account/{accountId}/extension",
        EventKind::Extension,
        Scope::ReadAccounts,
    ),
    of_extension(
        "/restapi/v1.0/account/{accountId}/extension/{extensionId}/message-store",
        EventKind::MessageStore,
        Scope::ReadMessages,
    ),
    FilterForm {
        parameters: &[Parameter {
            name: "type",
            effect: Effect::Equals,
            values: &["SMS", "Pager"],
        }],
        ..of_extension(
            "/restapi/v1.0/account/{accountId}/extension/{extensionId}/message-store/instant",
            EventKind::InstantMessage,
            Scope::ReadMessages,
        )
    },
    of_extension(
        "/restapi/v1.0/account/{accountId}/extension/{extensionId}/voicemail",
        EventKind::Voicemail,
        Scope::ReadMessages,
    ),
    FilterForm {
        parameters: &[Parameter {
            name: "direction",
            effect: Effect::Equals,
            values: &["Inbound", "Outbound"],
        }],
        ..of_extension(
            "/restapi/v1.0/account/{accountId}/extension/{extensionId}/fax",
            EventKind::Fax,
            Scope::ReadMessages,
        )
    },
    FilterForm {
        parameters: &PRESENCE_DETAILS,
        ..of_extension(
            "/restapi/v1.0/account/{accountId}/extension/{extensionId}/presence",
            EventKind::Presence,
            Scope::ReadPresence,
        )
    },
    FilterForm {
        parameters: &PRESENCE_DETAILS,
        ..of_account(
            "/restapi/v1.0/account/{accountId}/presence",
            EventKind::Presence,
            Scope::ReadPresence,
        )
    },
    of_extension(
        "/restapi/v1.0/account/{accountId}/extension/{extensionId}/presence/line",
        EventKind::PresenceLine,
        Scope::ReadPresence,
    ),
    of_extension(
        "/restapi/v1.0/account/{accountId}/extension/{extensionId}/telephony/sessions",
        EventKind::TelephonySession,
        Scope::CallControl,
    ),
    of_account(
        "/restapi/v1.0/account/{accountId}/telephony/sessions",
        EventKind::TelephonySession,
        Scope::CallControl,
    ),
    of_extension(
        "/restapi/v1.0/account/{accountId}/extension/{extensionId}/missed-calls",
        EventKind::MissedCall,
        Scope::ReadCallLog,
    ),
    FilterForm {
        path: "/restapi/v1.0/subscription/~",
        kind: EventKind::Reminder,
        reach: Reach::Subscription,
        parameters: &[
            Parameter {
                name: "threshold",
                effect: Effect::Seconds,
                values: &[],
            },
            Parameter {
                name: "interval",
                effect: Effect::Seconds,
                values: &[],
            },
        ],
        scope: None,
    },
];
