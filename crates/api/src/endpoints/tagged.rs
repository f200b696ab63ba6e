//! Settings that have members of their own, as they are said: one shape for all kinds, so that an
//! error knows which member it is about, and then the kind's.

use std::fmt;

use hookyard_domain::endpoints::endpoint::{Authorization, RateLimit};
use hookyard_domain::{RetrySchedule, Secret};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A whole number. What no bound allows is read as the greatest: whoever checks the bounds can say
/// what they are.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
struct Whole(#[serde(deserialize_with = "whole")] u64);

pub(super) fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    struct Wanted;
    impl Visitor<'_> for Wanted {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<u64, E> {
            Ok(value)
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<u64, E> {
            Ok(u64::try_from(value).unwrap_or(u64::MAX))
        }
    }
    from.deserialize_u64(Wanted)
}

/// The same where fewer are counted.
pub(super) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    Ok(u32::try_from(whole(from)?).unwrap_or(u32::MAX))
}

/// `None` for null.
pub(super) fn rate_limit<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<RateLimit>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Said {
        #[serde(deserialize_with = "count")]
        count: u32,
        #[serde(deserialize_with = "whole")]
        per_ms: u64,
    }
    let said = Option::<Said>::deserialize(from)?;
    Ok(said.map(|said| RateLimit {
        count: said.count,
        per_ms: said.per_ms,
    }))
}

/// A member that the kind must have.
fn must<T, E: Error>(member: Option<T>, name: &'static str) -> Result<T, E> {
    member.ok_or_else(|| E::missing_field(name))
}

/// Refuses members that another kind has.
fn only<E: Error>(said: &[(&'static str, bool)], known: &'static [&'static str]) -> Result<(), E> {
    let foreign = said
        .iter()
        .find(|(name, is_said)| *is_said && !known.contains(name));
    foreign.map_or(Ok(()), |(name, _)| Err(E::unknown_field(name, known)))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AuthorizationKind {
    None,
    Basic,
    Bearer,
    OAuth2,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SaidAuthorization {
    #[serde(rename = "type")]
    kind: AuthorizationKind,
    username: Option<String>,
    password: Option<String>,
    token: Option<String>,
    token_url: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    scope: Option<String>,
}

/// None for null.
pub(super) fn authorization<'de, D: Deserializer<'de>>(from: D) -> Result<Authorization, D::Error> {
    let Some(said) = Option::<SaidAuthorization>::deserialize(from)? else {
        return Ok(Authorization::None);
    };
    let known: &'static [&'static str] = match said.kind {
        AuthorizationKind::None => &["type"],
        AuthorizationKind::Basic => &["type", "username", "password"],
        AuthorizationKind::Bearer => &["type", "token"],
        AuthorizationKind::OAuth2 => &["type", "tokenUrl", "clientId", "clientSecret", "scope"],
    };
    only(
        &[
            ("username", said.username.is_some()),
            ("password", said.password.is_some()),
            ("token", said.token.is_some()),
            ("tokenUrl", said.token_url.is_some()),
            ("clientId", said.client_id.is_some()),
            ("clientSecret", said.client_secret.is_some()),
            ("scope", said.scope.is_some()),
        ],
        known,
    )?;
    Ok(match said.kind {
        AuthorizationKind::None => Authorization::None,
        AuthorizationKind::Basic => Authorization::Basic {
            username: must(said.username, "username")?,
            password: Secret::new(must(said.password, "password")?),
        },
        AuthorizationKind::Bearer => Authorization::Bearer {
            token: Secret::new(must(said.token, "token")?),
        },
        AuthorizationKind::OAuth2 => Authorization::OAuth2 {
            token_url: must(said.token_url, "tokenUrl")?,
            client_id: must(said.client_id, "clientId")?,
            client_secret: Secret::new(must(said.client_secret, "clientSecret")?),
            scope: said.scope,
        },
    })
}

/// Shows it in the words in which it is said. Whoever shows it to others has masked its secrets.
pub(super) fn show_authorization<S: Serializer>(
    authorization: &Authorization,
    to: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(tag = "type", rename_all = "lowercase")]
    enum Shown<'a> {
        None,
        Basic {
            username: &'a str,
            password: &'a str,
        },
        Bearer {
            token: &'a str,
        },
        #[serde(rename_all = "camelCase")]
        OAuth2 {
            token_url: &'a str,
            client_id: &'a str,
            client_secret: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            scope: Option<&'a str>,
        },
    }
    let shown = match authorization {
        Authorization::None => Shown::None,
        Authorization::Basic { username, password } => Shown::Basic {
            username,
            password: password.reveal(),
        },
        Authorization::Bearer { token } => Shown::Bearer {
            token: token.reveal(),
        },
        Authorization::OAuth2 {
            token_url,
            client_id,
            client_secret,
            scope,
        } => Shown::OAuth2 {
            token_url,
            client_id,
            client_secret: client_secret.reveal(),
            scope: scope.as_deref(),
        },
    };
    shown.serialize(to)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ScheduleKind {
    List,
    Exponential,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SaidSchedule {
    kind: ScheduleKind,
    delays_ms: Option<Vec<Whole>>,
    first_ms: Option<Whole>,
    longest_ms: Option<Whole>,
}

pub(super) fn schedule<'de, D: Deserializer<'de>>(from: D) -> Result<RetrySchedule, D::Error> {
    let said = SaidSchedule::deserialize(from)?;
    let known: &'static [&'static str] = match said.kind {
        ScheduleKind::List => &["kind", "delaysMs"],
        ScheduleKind::Exponential => &["kind", "firstMs", "longestMs"],
    };
    only(
        &[
            ("delaysMs", said.delays_ms.is_some()),
            ("firstMs", said.first_ms.is_some()),
            ("longestMs", said.longest_ms.is_some()),
        ],
        known,
    )?;
    Ok(match said.kind {
        ScheduleKind::List => {
            let delays = must(said.delays_ms, "delaysMs")?;
            RetrySchedule::List {
                delays_ms: delays.into_iter().map(|delay| delay.0).collect(),
            }
        }
        ScheduleKind::Exponential => RetrySchedule::Exponential {
            first_ms: must(said.first_ms, "firstMs")?.0,
            longest_ms: must(said.longest_ms, "longestMs")?.0,
        },
    })
}
