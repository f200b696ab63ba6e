//! Parameters in a path.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use hookyard_domain::{Code, Problem};
use http::request::Parts;

use crate::kernel::problem::ApiError;

/// The parameters of the path, by the names in the route.
#[derive(Debug)]
pub(crate) struct PathParams(Vec<(String, String)>);

impl PathParams {
    /// The text of a parameter.
    ///
    /// # Errors
    ///
    /// 404 when the route has no such parameter.
    pub(crate) fn text(&self, name: &'static str) -> Result<&str, ApiError> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_str())
            .ok_or_else(|| Problem::not_found(name).into())
    }

    /// All of them, in the order of the route.
    pub(crate) fn into_all(self) -> Vec<(String, String)> {
        self.0
    }

    /// A parameter as an id.
    ///
    /// # Errors
    ///
    /// What is not an id names nothing: the same 404 as an id that is not there.
    pub(crate) fn id<T: FromStr>(&self, name: &'static str) -> Result<T, ApiError> {
        let text = self.text(name)?;
        text.parse().map_err(|_| Problem::not_found(name).into())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::from(Code::InvalidUri))?;
        let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        Ok(Self(params.iter().map(owned).collect()))
    }
}

/// The text of the one parameter of a path, or the texts of two, in the order of the route.
#[derive(Debug)]
pub(crate) struct At<T>(pub(crate) T);

/// What [`At`] reads.
pub(crate) trait Texts: Sized {
    /// `None` when the route has fewer parameters.
    fn read(texts: impl Iterator<Item = String>) -> Option<Self>;
}

impl Texts for String {
    fn read(mut texts: impl Iterator<Item = String>) -> Option<Self> {
        texts.next()
    }
}

impl Texts for (String, String) {
    fn read(mut texts: impl Iterator<Item = String>) -> Option<Self> {
        Some((texts.next()?, texts.next()?))
    }
}

impl<T: Texts, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let PathParams(params) = PathParams::from_request_parts(parts, state).await?;
        let texts = T::read(params.into_iter().map(|(_, text)| text));
        texts.map(Self).ok_or_else(|| Code::InvalidUri.into())
    }
}
