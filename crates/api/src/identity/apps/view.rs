//! Apps as they are shown: never with a secret, but where one was just made or is asked for.

use hookyard_domain::{
    App, AppKind, AppUsage, ClientSecret, KeptSecret, PersonId, Scope, Scopes, Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::operations::answers::shown;
use crate::operations::wire::{AnyObject, Id, Time, named_shapes};

shown!(
    AppView,
    CreatedApp,
    ClientSecretView,
    KeptView,
    VerificationTokenView
);

named_shapes! {
    /// What an app may do, by the platform's names.
    Permission = Scope::ALL.into_iter().map(Scope::name);
    /// What an app is, which says how it can prove who it is.
    KindOfApp = AppKind::ALL.into_iter().map(AppKind::name);
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "App")]
pub(super) struct AppView {
    client_id: String,
    name: String,
    #[schemars(with = "KindOfApp")]
    kind: &'static str,
    #[schemars(with = "Vec<Permission>")]
    permissions: Vec<&'static str>,
    redirect_uris: Vec<String>,
    secrets: Vec<SecretView>,
    public_keys: KeysView,
    outbound_url: Option<String>,
    /// Since when the outbound secret is what it is.
    #[schemars(with = "Option<Time>")]
    outbound_secret_time: Option<Timestamp>,
    #[schemars(with = "Option<Time>")]
    verification_token_time: Option<Timestamp>,
    #[schemars(with = "Option<Id>")]
    creator_id: Option<PersonId>,
    #[schemars(with = "Time")]
    creation_time: Timestamp,
    #[schemars(with = "Time")]
    last_modified_time: Timestamp,
    version: u64,
    /// Part of Hookyard, and nobody's to change.
    built_in: bool,
    usage: UsageView,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AppSecret")]
struct SecretView {
    id: String,
    hint: String,
    #[schemars(with = "Time")]
    creation_time: Timestamp,
    #[schemars(with = "Option<Time>")]
    last_used_time: Option<Timestamp>,
}

impl From<&ClientSecret> for SecretView {
    fn from(secret: &ClientSecret) -> Self {
        Self {
            id: secret.id.clone(),
            hint: secret.hint.clone(),
            creation_time: secret.created_at,
            last_used_time: secret.last_used_at,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "JwkSet")]
struct KeysView {
    #[schemars(with = "Vec<AnyObject>")]
    keys: Vec<Map<String, Value>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AppUsage")]
struct UsageView {
    subscriptions: u64,
    endpoints: u64,
    sessions: u64,
    credentials: u64,
}

/// The names of permissions, in their usual order.
pub(crate) fn permission_names(scopes: Scopes) -> Vec<&'static str> {
    scopes.iter().map(Scope::name).collect()
}

impl AppView {
    pub(super) fn of(app: App, usage: AppUsage) -> Self {
        let since = |kept: Option<&KeptSecret>| kept.map(|kept| kept.created_at);
        Self {
            kind: app.kind.name(),
            permissions: permission_names(app.scopes),
            secrets: app.secrets.iter().map(SecretView::from).collect(),
            public_keys: KeysView {
                keys: app.public_keys.keys().to_vec(),
            },
            outbound_secret_time: since(app.outbound_secret.as_ref()),
            verification_token_time: since(app.verification_token.as_ref()),
            built_in: app.client_id.is_built_in(),
            client_id: app.client_id.0,
            name: app.name,
            redirect_uris: app.redirect_uris,
            outbound_url: app.outbound_url,
            creator_id: app.creator,
            creation_time: app.created_at,
            last_modified_time: app.modified_at,
            version: app.version,
            usage: UsageView {
                subscriptions: usage.subscriptions,
                endpoints: usage.endpoints,
                sessions: usage.sessions,
                credentials: usage.credentials,
            },
        }
    }
}

/// An app that was just made, with the secret that nobody sees again.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedApp {
    #[serde(flatten)]
    pub(super) app: AppView,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_secret: Option<String>,
}

/// A client secret that was just made.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "NewAppSecret")]
pub(super) struct ClientSecretView {
    pub(super) id: String,
    pub(super) client_secret: String,
    pub(super) hint: String,
    #[schemars(with = "Time")]
    pub(super) creation_time: Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OutboundSecret")]
pub(super) struct KeptView {
    secret: String,
}

impl KeptView {
    pub(super) fn of(kept: &KeptSecret) -> Self {
        Self {
            secret: kept.secret.reveal().to_owned(),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "VerificationToken")]
pub(super) struct VerificationTokenView {
    verification_token: String,
}

impl VerificationTokenView {
    pub(super) fn of(kept: &KeptSecret) -> Self {
        Self {
            verification_token: kept.secret.reveal().to_owned(),
        }
    }
}
