//! `If-Match`: changes that are meant for one version of an object.

use hookyard_domain::{Code, Problem};
use http::{HeaderMap, header};

use crate::kernel::problem::{ApiResult, because};

/// Which versions a change is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VersionCheck {
    /// Whatever it is.
    Any,
    OneOf(Vec<u64>),
}

impl VersionCheck {
    /// Reads `If-Match`; a request without it is for any version.
    ///
    /// # Errors
    ///
    /// CMN-101 when it names no version.
    pub(crate) fn read(headers: &HeaderMap) -> ApiResult<Self> {
        let mut versions = Vec::new();
        for value in headers.get_all(header::IF_MATCH) {
            let text = value.to_str().unwrap_or_default().trim();
            if text == "*" {
                return Ok(Self::Any);
            }
            for tag in text.split(',') {
                let tag = tag.trim();
                let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
                let version = inner.unwrap_or(tag).parse();
                versions.push(version.map_err(|_| {
                    let problem = Problem::invalid("If-Match").value(text);
                    because(
                        problem,
                        "is the `ETag` of an answer, such as `\"3\"`, or `*`",
                    )
                })?);
            }
        }
        if versions.is_empty() {
            return Ok(Self::Any);
        }
        Ok(Self::OneOf(versions))
    }

    /// Refuses a change of what is at another version.
    ///
    /// # Errors
    ///
    /// CMN-119.
    pub(crate) fn pass(&self, version: u64) -> ApiResult<()> {
        match self {
            Self::OneOf(versions) if !versions.contains(&version) => {
                let problem = Problem::of(Code::VersionDiffers);
                Err(problem.with("version", version.to_string()).into())
            }
            Self::Any | Self::OneOf(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(value: &'static str) -> ApiResult<VersionCheck> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static(value));
        VersionCheck::read(&headers)
    }

    #[test]
    fn versions_are_read_with_and_without_quotes() {
        assert_eq!(
            VersionCheck::read(&HeaderMap::new()).unwrap(),
            VersionCheck::Any
        );
        assert_eq!(read("*").unwrap(), VersionCheck::Any);
        let both = VersionCheck::OneOf(vec![3, 4]);
        assert_eq!(read("\"3\", 4").unwrap(), both);
        assert!(both.pass(4).is_ok());
        assert!(both.pass(5).is_err());
        for wrong in ["", "\"abc\"", "W/\"3\"", "-1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
