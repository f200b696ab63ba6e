//! The only place that opens outbound sockets.
//!
//! An address is parsed once, its name is resolved, every answer is judged, and only a judged
//! socket address is dialled; the peer is compared afterwards. A name cannot mean one host to the
//! check and another to the call, because the name is not used again. This happens for each new
//! connection; connections made under other rules are not used again (see [`Egress::version`]).
//!
//! The server's own bins are the one exception: their addresses lead to its own listener, without a
//! name, whatever the rules are (see [`OwnBins`]).

mod names;
mod own_bins;
mod ranges;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hookyard_domain::Address;
use hookyard_domain::kernel::limits::{DIAL_ADDRESSES_MAX, RESOLVE_TIMEOUT};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use names::Names;
pub use own_bins::OwnBins;
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
    /// Everything: for a program that calls what the person who runs it names.
    pub fn anywhere() -> Self {
        Self {
            allow_private: true,
            allow_http: true,
            allowed_ranges: vec![
                IpNet::from(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)),
                IpNet::from(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0)),
            ],
        }
    }

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
    /// How long resolving took, and TLS.
    pub dns: Duration,
    pub tls: Duration,
}

impl Dialled {
    fn plain(stream: TcpStream, peer: SocketAddr, dns: Duration) -> Self {
        Self {
            stream: Box::new(stream),
            peer,
            dns,
            tls: Duration::ZERO,
        }
    }
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
    own_bins: Option<OwnBins>,
    names: Names,
    tls: TlsConnector,
    /// Speaks HTTP/2 only.
    tls_http2: TlsConnector,
    /// Does not say what is spoken.
    tls_bare: TlsConnector,
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
        let bare = config.clone();
        let mut http2 = config.clone();
        http2.alpn_protocols = vec![b"h2".to_vec()];
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            rules: RwLock::new(Arc::new(rules)),
            version: AtomicU64::new(0),
            own_bins: None,
            names: Names::default(),
            tls: TlsConnector::from(Arc::new(config)),
            tls_http2: TlsConnector::from(Arc::new(http2)),
            tls_bare: TlsConnector::from(Arc::new(bare)),
        }
    }

    /// Reaches `bins` whatever the rules are, over plain HTTP/1.1.
    #[must_use]
    pub fn with_own_bins(mut self, bins: Option<OwnBins>) -> Self {
        self.own_bins = bins;
        self
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
        if let Some(listener) = self.own_bin(target) {
            let (stream, peer) = connect_one_of(&[listener], deadline).await?;
            return Ok(Dialled::plain(stream, peer, Duration::ZERO));
        }
        self.dial_by(&self.tls, target, deadline).await
    }

    /// Where the bin is that `target` names, if it is one of our own.
    fn own_bin(&self, target: &Target) -> Option<SocketAddr> {
        self.own_bins.as_ref()?.behind(target.address.url())
    }

    /// Resolves and vets `target` as [`Self::dial`] does, and calls nobody.
    ///
    /// # Errors
    ///
    /// As [`Self::dial`] has them before it connects.
    pub async fn vet(&self, target: &Target, deadline: Instant) -> Result<(), DialError> {
        if self.own_bin(target).is_some() {
            return Ok(());
        }
        self.permitted(target, deadline).await.map(|_| ())
    }

    /// The addresses of `target` that may be called; at least one.
    async fn permitted(
        &self,
        target: &Target,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, DialError> {
        let rules = self.rules();
        if !target.address.is_secure() && !rules.allow_http {
            return Err(DialError::HttpsRequired);
        }
        let candidates = self.resolve(target.host(), target.port(), deadline).await?;
        let permitted: Vec<SocketAddr> = candidates
            .into_iter()
            .filter(|candidate| rules.permit(candidate.ip()))
            .take(DIAL_ADDRESSES_MAX)
            .collect();
        if permitted.is_empty() {
            return Err(DialError::Forbidden);
        }
        Ok(permitted)
    }

    /// The same, to speak HTTP/2.
    pub(crate) async fn dial_http2(
        &self,
        target: &Target,
        deadline: Instant,
    ) -> Result<Dialled, DialError> {
        self.dial_by(&self.tls_http2, target, deadline).await
    }

    /// All socket addresses of a host.
    async fn resolve(
        &self,
        host: Host<&str>,
        port: u16,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, DialError> {
        let name = match host {
            Host::Ipv4(address) => return Ok(vec![SocketAddr::new(address.into(), port)]),
            Host::Ipv6(address) => return Ok(vec![SocketAddr::new(address.into(), port)]),
            Host::Domain(name) => name,
        };
        let budget = RESOLVE_TIMEOUT.min(deadline.saturating_duration_since(Instant::now()));
        match timeout(budget, self.names.resolve(name, port)).await {
            Ok(found) => found.ok_or(DialError::Dns),
            Err(_) => Err(DialError::TimedOut),
        }
    }

    /// Connects to a server that the operator has named. The rules are about those that others
    /// name, so they do not apply.
    pub(crate) async fn dial_named(
        &self,
        host: &Host,
        port: u16,
        deadline: Instant,
    ) -> Result<(TcpStream, SocketAddr), DialError> {
        let mut found = self.resolve(borrowed(host), port, deadline).await?;
        found.truncate(DIAL_ADDRESSES_MAX);
        connect_one_of(&found, deadline).await
    }

    /// Begins TLS on a connection to such a server.
    pub(crate) async fn secure(
        &self,
        host: &Host,
        stream: TcpStream,
        deadline: Instant,
    ) -> Result<TlsStream<TcpStream>, DialError> {
        let name = server_name(&borrowed(host))?;
        match timeout_at(deadline, self.tls_bare.connect(name, stream)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(tls_error(&error)),
            Err(_) => Err(DialError::TimedOut),
        }
    }

    async fn dial_by(
        &self,
        tls: &TlsConnector,
        target: &Target,
        deadline: Instant,
    ) -> Result<Dialled, DialError> {
        let begun = Instant::now();
        let permitted = self.permitted(target, deadline).await?;
        let dns = begun.elapsed();
        let (stream, peer) = connect_one_of(&permitted, deadline).await?;
        if !target.address.is_secure() {
            return Ok(Dialled::plain(stream, peer, dns));
        }
        let connected = Instant::now();
        let handshake = tls.connect(server_name(&target.host())?, stream);
        match timeout_at(deadline, handshake).await {
            Ok(Ok(stream)) => Ok(Dialled {
                stream: Box::new(stream),
                peer,
                dns,
                tls: connected.elapsed(),
            }),
            Ok(Err(error)) => Err(tls_error(&error)),
            Err(_) => Err(DialError::TimedOut),
        }
    }
}

fn borrowed(host: &Host) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
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
                // Small requests and answers must not wait for each other's acknowledgements.
                stream
                    .set_nodelay(true)
                    .map_err(|_| DialError::ConnectFailed)?;
                return Ok((stream, peer));
            }
            Ok(Err(_)) => failure = DialError::ConnectFailed,
            Err(_) => failure = DialError::TimedOut,
        }
    }
    Err(failure)
}

fn server_name(host: &Host<&str>) -> Result<ServerName<'static>, DialError> {
    match host {
        Host::Ipv4(address) => Ok(ServerName::from(IpAddr::V4(*address))),
        Host::Ipv6(address) => Ok(ServerName::from(IpAddr::V6(*address))),
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
    async fn own_bins_are_reached_under_every_rule_and_nothing_else_is() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = listener.local_addr().unwrap();
        // Nobody could resolve it: the name is not used.
        let bins = OwnBins::new("https://hooks.invalid", peer);
        let egress = Egress::new(EgressRules::default()).with_own_bins(bins);
        let deadline = Instant::now() + Duration::from_secs(2);
        let own = Target::parse("https://hooks.invalid/bin/token/orders").unwrap();
        assert_eq!(egress.vet(&own, deadline).await, Ok(()));
        assert_eq!(egress.dial(&own, deadline).await.unwrap().peer, peer);
        listener.accept().await.unwrap();
        for other in [
            format!("https://{peer}/bin/token"),
            "https://hooks.invalid/api/v1/me".to_owned(),
            "https://hooks.invalid/bin/token/../../api/v1/me".to_owned(),
        ] {
            let target = Target::parse(&other).unwrap();
            assert!(egress.vet(&target, deadline).await.is_err(), "{other}");
            assert!(egress.dial(&target, deadline).await.is_err(), "{other}");
        }
        // What speaks HTTP/2 has no business there.
        assert!(egress.dial_http2(&own, deadline).await.is_err());
        let accepted = timeout(Duration::from_millis(20), listener.accept()).await;
        assert!(accepted.is_err(), "nobody may have connected");
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
