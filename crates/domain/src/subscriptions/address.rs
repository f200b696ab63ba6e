//! Where a webhook subscription's events go. Parsed once; only the canonical text travels on,
//! because parsers that disagree about one text are how forbidden hosts get called.

use url::{ParseError, Url};

use crate::kernel::limits::ADDRESS_CHARS_MAX;

/// Why a text is not an address that could be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an absolute http or https URL")]
pub struct AddressError;

/// An absolute `http` or `https` URL without credentials and fragment, in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// Reads an address. Spaces and control characters are refused before parsing: the parser
    /// would drop some of them silently.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let unclean = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if text.chars().count() > ADDRESS_CHARS_MAX || text.chars().any(unclean) {
            return Err(AddressError);
        }
        let mut url = Url::parse(text).map_err(|_| AddressError)?;
        let spelled = text.get(url.scheme().len()..);
        let absolute = spelled.is_some_and(|rest| rest.starts_with("://"));
        let callable = matches!(url.scheme(), "http" | "https") && absolute;
        let plain = url.username().is_empty() && url.password().is_none();
        if !callable || !plain || url.port() == Some(0) || url.host_str().is_none_or(str::is_empty)
        {
            return Err(AddressError);
        }
        url.set_fragment(None);
        if url.as_str().len() > 2 * ADDRESS_CHARS_MAX {
            return Err(AddressError);
        }
        Ok(Self(url))
    }

    /// Why `text` is not an address, as the end of a sentence that begins with its name.
    pub fn complaint(text: &str) -> String {
        let unclean = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if text.chars().count() > ADDRESS_CHARS_MAX {
            return format!("has at most {ADDRESS_CHARS_MAX} characters");
        }
        if text.chars().any(unclean) {
            return "holds no white space, control characters and backslashes".to_owned();
        }
        let port = "has a port from 1 to 65535, or none";
        let what = match Url::parse(text) {
            Err(ParseError::InvalidPort) => port,
            Err(ParseError::InvalidIpv6Address) if text.contains('%') => {
                "has an IPv6 address without a zone"
            }
            Err(ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address) => {
                "has an IP address that is none"
            }
            Err(ParseError::IdnaError | ParseError::InvalidDomainCharacter) => {
                "has a host that is not a name and not an address"
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "holds no user name and no password: those belong in `authorization`"
            }
            Ok(url) if url.port() == Some(0) => port,
            _ => "is not an absolute http or https URL, such as `https://example.com/hooks`",
        };
        what.to_owned()
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is `https`.
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The parsed URL.
    pub const fn url(&self) -> &Url {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_host_become_one() {
        for text in [
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://①②⑦.⓪.⓪.①/",
            "http://127。0。0。1/",
            "http://%31%32%37.0.0.1/",
            "http://127.0.0.1./",
            "HTTP://127.0.0.1:80#part",
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.as_str(), "http://127.0.0.1/", "{text}");
        }
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        for text in [
            "",
            "/path",
            "example.com/hook",
            "ftp://example.com/",
            "file:///etc/passwd",
            "http:127.0.0.1",
            "http:/127.0.0.1",
            "http:\\\\example.com",
            "https://user@example.com/",
            "https://user:pass@example.com/",
            "https://exa\tmple.com/",
            "https://example.com/\r\nX: y",
            "https:///",
            "https://example.com:99999/",
            "https://example.com:0/",
            "https://[::1/",
        ] {
            assert_eq!(Address::parse(text), Err(AddressError), "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said() {
        for (text, expect) in [
            ("https://user@example.com/", "no user name"),
            ("https://:pass@example.com/", "no password"),
            ("https://example.com:99999/", "a port from 1 to 65535"),
            ("https://example.com:0/", "a port from 1 to 65535"),
            ("https://example.com:x/", "a port from 1 to 65535"),
            ("https://[fe80::1%25eth0]/", "without a zone"),
            ("https://[::1/", "an IP address that is none"),
            ("https://exa mple.com/", "no white space"),
            ("https://a<b/", "not a name"),
            ("ftp://example.com/", "absolute http or https URL"),
            ("/path", "absolute http or https URL"),
        ] {
            assert_eq!(Address::parse(text), Err(AddressError), "{text}");
            let complaint = Address::complaint(text);
            assert!(complaint.contains(expect), "{text}: {complaint}");
        }
        let long = format!("https://example.com/{}", "a".repeat(ADDRESS_CHARS_MAX));
        assert_eq!(Address::complaint(&long), "has at most 2048 characters");
    }

    #[test]
    fn an_address_may_have_2048_characters_and_not_one_more() {
        let base = "https://example.com/";
        let longest = format!("{base}{}", "a".repeat(ADDRESS_CHARS_MAX - base.len()));
        assert!(Address::parse(&longest).is_ok());
        assert!(Address::parse(&format!("{longest}a")).is_err());
    }
}
