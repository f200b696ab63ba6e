//! What requests say of apps.

use hookyard_domain::identity::app::{AppSettings, KeySet};
use hookyard_domain::{AppKind, Problem, Scope, Scopes};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::view::{KindOfApp, Permission};
use crate::kernel::problem::{ApiResult, because};
use crate::operations::wire::AnyObject;

/// A set of keys (RFC 7517, section 5).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AskedJwkSet")]
pub(super) struct JwkSet {
    #[schemars(with = "Vec<AnyObject>")]
    keys: Vec<Value>,
}

impl JwkSet {
    fn read(&self) -> ApiResult<KeySet> {
        Ok(KeySet::read("publicKeys.keys", self.keys.clone())?)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateApp {
    #[schemars(example = &"Billing")]
    name: String,
    #[schemars(with = "KindOfApp")]
    kind: String,
    #[schemars(with = "Vec<Permission>")]
    permissions: Vec<String>,
    /// Where people may be sent back to after they signed in.
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    public_keys: JwkSet,
    /// Where interactive messages are sent to.
    #[serde(default)]
    outbound_url: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct PatchApp {
    name: Option<String>,
    /// What it was made as: an app stays what it is.
    #[schemars(with = "Option<KindOfApp>")]
    kind: Option<String>,
    #[schemars(with = "Option<Vec<Permission>>")]
    permissions: Option<Vec<String>>,
    redirect_uris: Option<Vec<String>>,
    public_keys: Option<JwkSet>,
    /// Null takes it away.
    #[expect(
        clippy::option_option,
        reason = "a member that is not there changes nothing"
    )]
    #[serde(deserialize_with = "present")]
    outbound_url: Option<Option<String>>,
}

/// Tells a member that is null from one that is not there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Reads permissions by their names; none is left out silently.
pub(crate) fn read_permissions(names: &[String]) -> ApiResult<Scopes> {
    let mut scopes = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let scope = Scope::named(name).ok_or_else(|| {
            let problem = Problem::invalid(format!("permissions[{at}]")).value(name);
            let known: Vec<_> = Scope::ALL.into_iter().map(Scope::name).collect();
            because(problem, &format!("is one of {}", known.join(", ")))
        })?;
        scopes.push(scope);
    }
    Ok(scopes.into_iter().collect())
}

fn read_kind(name: &str) -> ApiResult<AppKind> {
    let kind = AppKind::from_name(name).ok_or_else(|| {
        because(
            Problem::invalid("kind").value(name),
            "is Server, Browser or Bot",
        )
    })?;
    Ok(kind)
}

impl CreateApp {
    pub(super) fn settings(&self) -> ApiResult<AppSettings> {
        Ok(AppSettings {
            name: self.name.clone(),
            kind: read_kind(&self.kind)?,
            scopes: read_permissions(&self.permissions)?,
            redirect_uris: self.redirect_uris.clone(),
            public_keys: self.public_keys.read()?,
            outbound_url: self.outbound_url.clone(),
        })
    }
}

impl PatchApp {
    /// `current` with the members that are there.
    pub(super) fn onto(&self, current: AppSettings) -> ApiResult<AppSettings> {
        Ok(AppSettings {
            name: self.name.clone().unwrap_or(current.name),
            kind: match &self.kind {
                Some(kind) => read_kind(kind)?,
                None => current.kind,
            },
            scopes: match &self.permissions {
                Some(names) => read_permissions(names)?,
                None => current.scopes,
            },
            redirect_uris: self.redirect_uris.clone().unwrap_or(current.redirect_uris),
            public_keys: match &self.public_keys {
                Some(keys) => keys.read()?,
                None => current.public_keys,
            },
            outbound_url: match &self.outbound_url {
                Some(url) => url.clone(),
                None => current.outbound_url,
            },
        })
    }
}
