//! Apps as they are shown: never with a secret, but where one was just made or is asked for.

use hookyard_domain::{
    App, AppUsage, ClientSecret, KeptSecret, PersonId, Scope, Scopes, Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppView {
    client_id: String,
    name: String,
    kind: &'static str,
    permissions: Vec<&'static str>,
    redirect_uris: Vec<String>,
    secrets: Vec<SecretView>,
    public_keys: KeysView,
    outbound_url: Option<String>,
    /// Since when the outbound secret is what it is.
    outbound_secret_time: Option<Timestamp>,
    verification_token_time: Option<Timestamp>,
    creator_id: Option<PersonId>,
    creation_time: Timestamp,
    last_modified_time: Timestamp,
    version: u64,
    /// Part of Hookyard, and nobody's to change.
    built_in: bool,
    usage: UsageView,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretView {
    id: String,
    hint: String,
    creation_time: Timestamp,
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

#[derive(Debug, Serialize)]
struct KeysView {
    keys: Vec<Map<String, Value>>,
}

#[derive(Debug, Serialize)]
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
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedApp {
    #[serde(flatten)]
    pub(super) app: AppView,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_secret: Option<String>,
}

/// A client secret that was just made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientSecretView {
    pub(super) id: String,
    pub(super) client_secret: String,
    pub(super) hint: String,
    pub(super) creation_time: Timestamp,
}

#[derive(Serialize)]
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
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
