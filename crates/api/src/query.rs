//! Parameters in a query string.

use std::borrow::Cow;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use url::form_urlencoded;

/// The parameters of the query, in order. SDKs send empty values for what is not set, so an empty
/// value counts as absent.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query string or a form body.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
            (!value.is_empty()).then(|| (name.into_owned(), value.into_owned()))
        };
        Self(form_urlencoded::parse(text).filter_map(owned).collect())
    }

    /// The first value of a parameter.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        let mut named = self.0.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may repeat.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(
            parts.uri.query().unwrap_or_default().as_bytes(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_is_absent_and_a_repeated_one_is_a_list() {
        let query = Query::parse(b"pageToken=&type=Team&type=Group&recordCount=3");
        assert_eq!(query.first("pageToken"), None);
        assert_eq!(query.all("type").collect::<Vec<_>>(), ["Team", "Group"]);
        assert_eq!(query.first("recordCount"), Some("3"));
    }
}
