//! Bins of this very server. They may be called whatever the rules are: the connection goes to our
//! own listener, so it needs neither the proxy in front nor an address that the world can reach.
//!
//! Nothing else behind that listener is reachable so: the path must lead into a bin as it stands,
//! and no answer is followed elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Origin, Url};

/// Where all bins are.
const ROOT: &str = "/bin/";
/// Spellings of dots, slashes and backslashes that somebody behind the check might undo.
const DISGUISES: [&str; 3] = ["%2e", "%2f", "%5c"];

/// How addresses of our own bins look, and where they lead.
#[derive(Debug, Clone)]
pub struct OwnBins {
    origin: Origin,
    listener: SocketAddr,
}

impl OwnBins {
    /// Bins below `public_url`, answered by `listener`. `None` when the URL cannot be read.
    pub fn new(public_url: &str, listener: SocketAddr) -> Option<Self> {
        let origin = Url::parse(public_url).ok()?.origin();
        let ip = match listener.ip() {
            // Who listens everywhere is found on this machine.
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        Some(Self {
            origin,
            listener: SocketAddr::new(ip, listener.port()),
        })
    }

    /// Where to connect for `url`, if it is one of them.
    pub(super) fn behind(&self, url: &Url) -> Option<SocketAddr> {
        (url.origin() == self.origin && leads_into_a_bin(url.path())).then_some(self.listener)
    }
}

/// Whether a canonical path is that of a bin or below it, with nothing that could be read otherwise.
fn leads_into_a_bin(path: &str) -> bool {
    let Some(below) = path.strip_prefix(ROOT) else {
        return false;
    };
    let (token, rest) = below.split_once('/').unwrap_or((below, ""));
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let lower = rest.to_ascii_lowercase();
    let mut segments = rest.split('/');
    !token.is_empty()
        && token.bytes().all(is_token)
        && !rest.starts_with('/')
        && !rest.contains("//")
        && !rest.contains('\\')
        && !DISGUISES.iter().any(|disguise| lower.contains(disguise))
        && !segments.any(|segment| segment == "." || segment == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTENER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8_080);

    fn behind(public_url: &str, url: &str) -> Option<SocketAddr> {
        let bins = OwnBins::new(public_url, LISTENER).unwrap();
        bins.behind(&Url::parse(url).unwrap())
    }

    #[test]
    fn bins_and_paths_below_them_are_ours() {
        for (public_url, url) in [
            (
                "https://hooks.example.com",
                "https://hooks.example.com/bin/a-B_9",
            ),
            (
                "https://hooks.example.com",
                "https://HOOKS.example.com:443/bin/a/orders/?x=/../y",
            ),
            (
                "https://hooks.example.com:8443",
                "https://hooks.example.com:8443/bin/a/b/c",
            ),
            ("http://10.0.0.1:8080", "http://10.0.0.1:8080/bin/a"),
            (
                "https://hooks.example.com",
                "https://hooks.example.com/api/../bin/a",
            ),
        ] {
            assert_eq!(behind(public_url, url), Some(LISTENER), "{url}");
        }
    }

    #[test]
    fn nothing_else_of_the_server_is() {
        for path in [
            "",
            "/",
            "/bin",
            "/bin/",
            "/bin//a",
            "/bin/?a",
            "/bin/.",
            "/bin/../api/v1/me",
            "/bin/a/../../api/v1/me",
            "/bin/a/%2e%2e/%2e%2e/api/v1/me",
            "/bin/%2e%2e/api/v1/me",
            "/bin/a/..%2f..%2fapi",
            "/bin/a/%2E%2e%2Fapi",
            "/bin/a//api",
            "/bin/a//",
            "/bin/..%5capi",
            "/bin/a/..%5C..%5Capi",
            "//bin/a",
            "/BIN/a",
            "/api/v1/bins",
            "/restapi/v1.0",
            "/binary/a",
            "/x/bin/a",
            "/bin/a%00b",
            "/bin/ä",
        ] {
            let url = format!("https://hooks.example.com{path}");
            assert_eq!(behind("https://hooks.example.com", &url), None, "{path}");
        }
        for url in [
            "http://hooks.example.com/bin/a",
            "https://hooks.example.com:8443/bin/a",
            "https://hooks.example.com./bin/a",
            "https://hooks.example.com.evil.example/bin/a",
            "https://127.0.0.1/bin/a",
            "http://127.0.0.1:8080/bin/a",
        ] {
            assert_eq!(behind("https://hooks.example.com", url), None, "{url}");
        }
    }

    #[test]
    fn who_listens_everywhere_is_found_on_this_machine() {
        for (listens, dialled) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            let bins = OwnBins::new("https://a.example", listens.parse().unwrap()).unwrap();
            let url = Url::parse("https://a.example/bin/t").unwrap();
            assert_eq!(bins.behind(&url), Some(dialled.parse().unwrap()));
        }
    }
}
