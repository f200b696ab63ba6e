//! The only place that opens outbound sockets.
//!
//! An address is parsed once, its name is resolved, every answer is judged, and only a judged
//! socket address is dialled; the peer is compared afterwards. A name cannot mean one host to the
//! check and another to the call, because the name is not used again. This happens for each new
//! connection; connections made under other rules are not used again (see [`Egress::version`]).

mod ranges;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hookyard_domain::Address;
use hookyard_domain::limits::{DIAL_ADDRESSES_MAX, RESOLVE_TIMEOUT};
use ipnet::IpNet;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use url::Host;

use ranges::Reach;

/// What may be called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressRules {
    /// Loopback, RFC 1918 and unique local addresses: development mode.
    pub allow_private: bool,
    /// Plain `http`.
    pub allow_http: bool,
    /// Ranges that the operator allows whatever they are.
    pub allowed_ranges: Vec<IpNet>,
}

impl EgressRules {
    fn permit(&self, address: IpAddr) -> bool {
        let by_kind = match ranges::reach(address) {
            Reach::Public => true,
            Reach::Private => self.allow_private,
            Reach::Never => false,
        };
        by_kind || ranges::is_within(address, &self.allowed_ranges)
    }
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    #[error("the address is not a URL that can be called")]
    Invalid,
    #[error("the address must use https")]
    HttpsRequired,
    #[error("the address may not be called")]
    Forbidden,
    #[error("the name did not resolve")]
    Dns,
    #[error("nothing answers at the address")]
    ConnectFailed,
    #[error("the certificate is not valid")]
    Certificate,
    #[error("TLS failed")]
    Tls,
    #[error("out of time")]
    TimedOut,
}

/// Where to connect, and what to ask for there.
#[derive(Debug, Clone)]
pub struct Target {
    address: Address,
}

impl Target {
    /// Reads an address, canonical or not.
    pub fn parse(address: &str) -> Result<Self, DialError> {
        let address = Address::parse(address).map_err(|_| DialError::Invalid)?;
        Ok(Self { address })
    }

    /// Host and port as the `Host` header shows them.
    pub fn authority(&self) -> &str {
        let url = self.address.url();
        &url[url::Position::BeforeHost..url::Position::AfterPort]
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &str {
        let url = self.address.url();
        &url[..url::Position::AfterPort]
    }

    /// Path and query.
    pub fn path_and_query(&self) -> &str {
        let url = self.address.url();
        &url[url::Position::BeforePath..url::Position::AfterQuery]
    }

    fn host(&self) -> Host<&str> {
        self.address.url().host().expect("addresses have hosts")
    }

    fn port(&self) -> u16 {
        let known = self.address.url().port_or_known_default();
        known.expect("http and https have default ports")
    }
}

/// A byte stream to a receiver, plain or TLS.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// An open connection.
pub struct Dialled {
    pub stream: Box<dyn Stream>,
    /// Who answered.
    pub peer: SocketAddr,
}

impl fmt::Debug for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialled")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// Opens connections under rules that can change while the server runs.
pub struct Egress {
    rules: RwLock<Arc<EgressRules>>,
    version: AtomicU64,
    tls: TlsConnector,
    /// Speaks HTTP/2 only.
    tls_http2: TlsConnector,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress")
            .field("rules", &self.rules())
            .finish_non_exhaustive()
    }
}

impl Egress {
    /// Trusts the public certificate authorities.
    pub fn new(rules: EgressRules) -> Self {
        Self::trusting(rules, [])
    }

    /// Also trusts `extra_roots`, certificate authorities of the operator or of a test.
    /// Certificates that cannot be read are left out.
    pub fn trusting(
        rules: EgressRules,
        extra_roots: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        roots.add_parsable_certificates(extra_roots);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut http2 = config.clone();
        http2.alpn_protocols = vec![b"h2".to_vec()];
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            rules: RwLock::new(Arc::new(rules)),
            version: AtomicU64::new(0),
            tls: TlsConnector::from(Arc::new(config)),
            tls_http2: TlsConnector::from(Arc::new(http2)),
        }
    }

    /// The rules in force.
    pub fn rules(&self) -> Arc<EgressRules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other rules in force, for every dial and every kept connection from now on.
    pub fn set_rules(&self, rules: EgressRules) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Grows when the rules change. A kept connection is good for the version it was dialled under.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Connects to `target` before `deadline`, or says why not. HTTP/1.1 will be spoken.
    pub async fn dial(&self, target: &Target, deadline: Instant) -> Result<Dialled, DialError> {
        self.dial_by(&self.tls, target, deadline).await
    }

    /// The same, to speak HTTP/2.
    pub(crate) async fn dial_http2(
        &self,
        target: &Target,
        deadline: Instant,
    ) -> Result<Dialled, DialError> {
        self.dial_by(&self.tls_http2, target, deadline).await
    }

    async fn dial_by(
        &self,
        tls: &TlsConnector,
        target: &Target,
        deadline: Instant,
    ) -> Result<Dialled, DialError> {
        let rules = self.rules();
        if !target.address.is_secure() && !rules.allow_http {
            return Err(DialError::HttpsRequired);
        }
        let candidates = resolve(target, deadline).await?;
        let permitted: Vec<SocketAddr> = candidates
            .into_iter()
            .filter(|candidate| rules.permit(candidate.ip()))
            .take(DIAL_ADDRESSES_MAX)
            .collect();
        if permitted.is_empty() {
            return Err(DialError::Forbidden);
        }
        let (stream, peer) = connect_one_of(&permitted, deadline).await?;
        // Small requests and answers must not wait for each other's acknowledgements.
        stream
            .set_nodelay(true)
            .map_err(|_| DialError::ConnectFailed)?;
        if !target.address.is_secure() {
            return Ok(Dialled {
                stream: Box::new(stream),
                peer,
            });
        }
        let handshake = tls.connect(server_name(target)?, stream);
        match timeout_at(deadline, handshake).await {
            Ok(Ok(stream)) => Ok(Dialled {
                stream: Box::new(stream),
                peer,
            }),
            Ok(Err(error)) => Err(tls_error(&error)),
            Err(_) => Err(DialError::TimedOut),
        }
    }
}

/// All socket addresses of the target's host.
async fn resolve(target: &Target, deadline: Instant) -> Result<Vec<SocketAddr>, DialError> {
    let port = target.port();
    let name = match target.host() {
        Host::Ipv4(address) => return Ok(vec![SocketAddr::new(address.into(), port)]),
        Host::Ipv6(address) => return Ok(vec![SocketAddr::new(address.into(), port)]),
        Host::Domain(name) => name,
    };
    let budget = RESOLVE_TIMEOUT.min(deadline.saturating_duration_since(Instant::now()));
    match timeout(budget, lookup_host((name, port))).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(_)) => Err(DialError::Dns),
        Err(_) => Err(DialError::TimedOut),
    }
}

/// Tries addresses in turn; each gets an equal share of the time that is left.
async fn connect_one_of(
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<(TcpStream, SocketAddr), DialError> {
    let mut failure = DialError::ConnectFailed;
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
        match timeout(
            share.max(Duration::from_millis(1)),
            TcpStream::connect(address),
        )
        .await
        {
            Ok(Ok(stream)) => {
                let peer = stream.peer_addr().map_err(|_| DialError::ConnectFailed)?;
                if peer != *address {
                    return Err(DialError::Forbidden);
                }
                // Dialling a closed port of this machine again and again can at last hit upon the
                // same port as its own source: TCP then connects a socket to itself.
                if stream.local_addr().is_ok_and(|own| own == peer) {
                    failure = DialError::ConnectFailed;
                    continue;
                }
                return Ok((stream, peer));
            }
            Ok(Err(_)) => failure = DialError::ConnectFailed,
            Err(_) => failure = DialError::TimedOut,
        }
    }
    Err(failure)
}

fn server_name(target: &Target) -> Result<ServerName<'static>, DialError> {
    match target.host() {
        Host::Ipv4(address) => Ok(ServerName::from(IpAddr::V4(address))),
        Host::Ipv6(address) => Ok(ServerName::from(IpAddr::V6(address))),
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            ServerName::try_from(name.to_owned()).map_err(|_| DialError::Tls)
        }
    }
}

fn tls_error(error: &io::Error) -> DialError {
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            DialError::Certificate
        }
        _ => DialError::Tls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn dial(rules: EgressRules, address: &str) -> Result<Dialled, DialError> {
        let target = Target::parse(address)?;
        let deadline = Instant::now() + Duration::from_secs(2);
        Egress::new(rules).dial(&target, deadline).await
    }

    #[tokio::test]
    async fn no_spelling_of_a_forbidden_host_is_called() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let rules = EgressRules {
            allow_http: true,
            ..EgressRules::default()
        };
        for host in [
            "127.0.0.1",
            "localhost",
            "localhost.",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "①②⑦.⓪.⓪.①",
            "127。0。0。1",
            "%31%32%37.0.0.1",
            "127.0.0.1.",
            "0",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "169.254.169.254",
            "[fe80::1]",
            "[fd00:ec2::254]",
        ] {
            let refused = dial(rules.clone(), &format!("http://{host}:{port}/"))
                .await
                .err();
            // Not every resolver knows a name with a final dot.
            let unknown = host.ends_with("localhost.") && refused == Some(DialError::Dns);
            assert!(
                unknown || refused == Some(DialError::Forbidden),
                "{host}: {refused:?}"
            );
        }
        let accepted = timeout(Duration::from_millis(20), listener.accept()).await;
        assert!(accepted.is_err(), "nobody may have connected");
    }

    #[tokio::test]
    async fn development_mode_reaches_this_machine_but_no_metadata_service() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = listener.local_addr().unwrap();
        let rules = EgressRules {
            allow_http: true,
            allow_private: true,
            ..EgressRules::default()
        };
        let dialled = dial(rules.clone(), &format!("http://{peer}/"))
            .await
            .unwrap();
        assert_eq!(dialled.peer, peer);
        let metadata = dial(rules, "http://169.254.169.254/latest/meta-data").await;
        assert_eq!(metadata.err(), Some(DialError::Forbidden));
    }

    #[tokio::test]
    async fn an_allowed_range_opens_only_itself() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = listener.local_addr().unwrap();
        let rules = EgressRules {
            allow_http: true,
            allowed_ranges: vec!["127.0.0.1/32".parse().unwrap()],
            ..EgressRules::default()
        };
        assert!(
            dial(rules.clone(), &format!("http://{peer}/"))
                .await
                .is_ok()
        );
        assert!(
            dial(
                rules.clone(),
                &format!("http://[::ffff:127.0.0.1]:{}/", peer.port())
            )
            .await
            .is_ok()
        );
        let other = dial(rules, &format!("http://127.0.0.2:{}/", peer.port())).await;
        assert_eq!(other.err(), Some(DialError::Forbidden));
    }

    #[tokio::test]
    async fn plain_http_is_refused_before_anything_is_resolved() {
        let refused = dial(EgressRules::default(), "http://example.com/").await;
        assert_eq!(refused.err(), Some(DialError::HttpsRequired));
    }

    #[test]
    fn a_target_shows_host_and_path_as_they_are_sent() {
        let target = Target::parse("https://EXAMPLE.com:8443/a/b?c=d#e").unwrap();
        assert_eq!(target.authority(), "example.com:8443");
        assert_eq!(target.path_and_query(), "/a/b?c=d");
        assert_eq!(
            Target::parse("https://example.com")
                .unwrap()
                .path_and_query(),
            "/"
        );
    }
}
