//! An extension as the platform shows it: here, unlike in team messaging, ids are numbers.

use hookyard_domain::{Person, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::type_name;
use crate::Api;
use crate::operations::answers::shown;
use crate::operations::wire::{EmptyList, Time};

/// Somebody of the account.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Extension")]
pub(super) struct ExtensionView {
    id: u64,
    uri: String,
    account: AccountRef,
    #[schemars(with = "Time")]
    creation_time: Timestamp,
    extension_number: Option<String>,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    contact: ContactView,
    permissions: PermissionsView,
    profile_image: ImageRef,
    regional_settings: RegionalSettings,
    #[schemars(with = "EmptyList")]
    service_features: [(); 0],
    setup_wizard_state: &'static str,
}

shown!(ExtensionView);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExtensionAccount")]
struct AccountRef {
    id: String,
    uri: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExtensionContact")]
struct ContactView {
    first_name: String,
    last_name: String,
    name: String,
    email: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExtensionPermissions")]
struct PermissionsView {
    admin: Enabled,
    international_calling: Enabled,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExtensionPermission")]
struct Enabled {
    enabled: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExtensionImage")]
struct ImageRef {
    uri: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RegionalSettings {
    language: Language,
    timezone: Timezone,
    time_format: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Language {
    id: &'static str,
    name: &'static str,
    locale_code: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Timezone {
    id: &'static str,
    name: &'static str,
    description: &'static str,
}

pub(super) fn extension_view(api: &Api, person: &Person) -> ExtensionView {
    let uri = api.extension_uri(person.account, person.id);
    ExtensionView {
        id: person.id.0,
        account: AccountRef {
            id: person.account.to_string(),
            uri: api.account_uri(person.account),
        },
        creation_time: person.created_at,
        extension_number: person.extension_number.clone(),
        name: person.name(),
        kind: type_name(person.kind),
        status: person.status.name(),
        contact: ContactView {
            first_name: person.first_name.clone(),
            last_name: person.last_name.clone(),
            name: person.name(),
            email: person.email.clone(),
        },
        permissions: PermissionsView {
            admin: Enabled {
                enabled: person.admin,
            },
            international_calling: Enabled { enabled: false },
        },
        profile_image: ImageRef {
            uri: format!("{uri}/profile-image"),
        },
        uri,
        regional_settings: RegionalSettings {
            language: Language {
                id: "1033",
                name: "English (United States)",
                locale_code: "en-US",
            },
            timezone: Timezone {
                id: "1",
                name: "GMT",
                description: "UTC",
            },
            time_format: "24h",
        },
        service_features: [],
        setup_wizard_state: "Completed",
    }
}
