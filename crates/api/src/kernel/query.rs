//! Parameters in a query string.

use std::borrow::Cow;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use hookyard_domain::Problem;
use http::request::Parts;
use schemars::{JsonSchema, SchemaGenerator};
use url::form_urlencoded;

use crate::kernel::problem::{ApiResult, because};

/// What a parameter that may repeat leaves of a list that holds two kinds of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted<T> {
    Anything,
    Only(T),
    /// It names only what the list never holds.
    Nothing,
}

impl<T> Wanted<T> {
    /// The one kind, when only that is wanted.
    pub(crate) fn only(self) -> Option<T> {
        match self {
            Self::Only(kind) => Some(kind),
            Self::Anything | Self::Nothing => None,
        }
    }
}

/// The parameters of a query, in order. SDKs send empty values for what is not set, so an empty
/// value counts as absent.
#[derive(Debug, Default)]
pub struct Pairs {
    pairs: Vec<(String, String)>,
    /// In builds for tests, the parameters that are described: no other may be read.
    described: Option<Vec<String>>,
}

impl Pairs {
    /// Reads a query string or a form body.
    pub fn parse(text: &[u8]) -> Self {
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
            (!value.is_empty()).then(|| (name.into_owned(), value.into_owned()))
        };
        Self {
            pairs: form_urlencoded::parse(text).filter_map(owned).collect(),
            described: None,
        }
    }

    fn check(&self, name: &str) {
        let described = self.described.as_ref();
        let known = described.is_none_or(|all| all.iter().any(|known| known == name));
        debug_assert!(known, "`{name}` is read and not described");
    }

    /// The first value of a parameter.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.check(name);
        let mut named = self.pairs.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// A parameter that is `true` or `false`.
    ///
    /// # Errors
    ///
    /// CMN-101 for anything else.
    pub(crate) fn flag(&self, name: &'static str) -> ApiResult<Option<bool>> {
        match self.first(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => {
                let problem = Problem::invalid(name).value(other);
                Err(because(problem, "is true or false").into())
            }
        }
    }

    /// What a parameter leaves of a list; `from_name` knows the two kinds of things in it.
    pub(crate) fn wanted<T: PartialEq>(
        &self,
        parameter: &str,
        from_name: impl Fn(&str) -> Option<T>,
    ) -> Wanted<T> {
        let mut wanted = Wanted::Anything;
        for name in self.all(parameter) {
            wanted = match (wanted, from_name(name)) {
                (Wanted::Anything, None) => Wanted::Nothing,
                (Wanted::Anything | Wanted::Nothing, Some(kind)) => Wanted::Only(kind),
                (Wanted::Only(kind), Some(other)) if kind != other => return Wanted::Anything,
                (wanted, _) => wanted,
            };
        }
        wanted
    }

    /// The query as it was, but for the parameters that `changed` replaces.
    pub fn with(&self, changed: &[(&str, String)]) -> String {
        let kept = self
            .pairs
            .iter()
            .filter(|(name, _)| name != "access_token" && changed.iter().all(|(n, _)| n != name))
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let changed = changed.iter().map(|(name, value)| (*name, value.as_str()));
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept.chain(changed))
            .finish()
    }

    /// All values of a parameter that may repeat.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.check(name);
        self.pairs
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The query of a request. `T` is never built: its members are the parameters that may be read.
#[derive(Debug)]
pub(crate) struct Query<T> {
    pairs: Pairs,
    shape: PhantomData<fn() -> T>,
}

impl<T> Deref for Query<T> {
    type Target = Pairs;

    fn deref(&self) -> &Pairs {
        &self.pairs
    }
}

impl<T: JsonSchema, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let mut pairs = Pairs::parse(parts.uri.query().unwrap_or_default().as_bytes());
        if cfg!(debug_assertions) {
            let schema = T::json_schema(&mut SchemaGenerator::default());
            let members = schema.get("properties").and_then(|all| all.as_object());
            pairs.described = members.map(|all| all.keys().cloned().collect());
        }
        Ok(Self {
            pairs,
            shape: PhantomData,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_is_absent_and_a_repeated_one_is_a_list() {
        let query = Pairs::parse(b"pageToken=&type=Team&type=Group&recordCount=3");
        assert_eq!(query.first("pageToken"), None);
        assert_eq!(query.all("type").collect::<Vec<_>>(), ["Team", "Group"]);
        assert_eq!(query.first("recordCount"), Some("3"));
    }

    #[test]
    fn a_list_of_two_kinds_is_left_whole_halved_or_empty() {
        let check = |text: &str, expect| {
            let from_name = |name: &str| ["a", "b"].into_iter().find(|known| *known == name);
            let query = Pairs::parse(text.as_bytes());
            assert_eq!(query.wanted("kind", from_name), expect, "{text}");
        };
        check("", Wanted::Anything);
        check("kind=a", Wanted::Only("a"));
        check("kind=c&kind=b&kind=b", Wanted::Only("b"));
        check("kind=a&kind=c&kind=b", Wanted::Anything);
        check("kind=c", Wanted::Nothing);
    }

    #[test]
    fn a_query_is_written_again_with_another_page_and_without_its_token() {
        let query = Pairs::parse(b"type=a%26b&page=2&access_token=secret");
        assert_eq!(query.with(&[("page", "3".into())]), "type=a%26b&page=3");
    }
}
