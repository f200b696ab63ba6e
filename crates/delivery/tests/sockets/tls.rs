//! TLS to a receiver whose certificate only this test trusts. The key and the certificate beside
//! this file are good for nothing else.

use std::sync::Arc;
use std::time::Duration;

use hookyard_delivery::{
    Egress, Halt, Sending, Transport as _, WebhookHandshake, WebhookTransport,
};
use hookyard_domain::kernel::limits::HANDSHAKE_TIMEOUT_DEFAULT;
use hookyard_domain::kernel::ports::{Handshake as _, HandshakeError};
use hookyard_domain::{AttemptOutcome, Secret, UnreachableReason};
use hookyard_testkit::{VirtualClock, sample};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::development;
use crate::impatient;

/// Trusted by nobody who is not told to.
pub(crate) fn certificate() -> CertificateDer<'static> {
    CertificateDer::from(include_bytes!("tls/cert.der").as_slice())
}

/// Presents the certificate.
pub(crate) fn acceptor() -> TlsAcceptor {
    let key = PrivatePkcs8KeyDer::from(include_bytes!("tls/key.der").as_slice());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], PrivateKeyDer::Pkcs8(key))
        .expect("the certificate fits the key");
    TlsAcceptor::from(Arc::new(config))
}

/// Accepts every event over TLS and passes every handshake; returns its port.
async fn start_receiver() -> u16 {
    let acceptor = acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                let mut request = vec![0; 4_096];
                let read = stream.read(&mut request).await.ok()?;
                let head = String::from_utf8_lossy(&request[..read]).into_owned();
                let token = head
                    .lines()
                    .find(|line| line.starts_with("Validation-Token"));
                let token = token.map(|line| format!("{line}\r\n")).unwrap_or_default();
                let answer = format!("HTTP/1.1 200 OK\r\n{token}Content-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.ok()?;
                stream.flush().await.ok()?;
                stream.read(&mut request).await.ok()
            });
        }
    });
    port
}

fn trusting() -> Arc<Egress> {
    Arc::new(Egress::trusting(development(), [certificate()]))
}

async fn send(egress: Arc<Egress>, address: &str) -> AttemptOutcome {
    let subscription = impatient(address, Duration::from_secs(5));
    let committed = sample::delivery_to(&subscription, 7, VirtualClock::BEGIN);
    let halt = Halt::default();
    let sending = Sending {
        committed: &committed,
        others: &[],
        at: hookyard_domain::Timestamp::from_millis(1_790_000_000_000),
        subscription: &subscription,
        attempt: 1,
        halt: &halt,
    };
    let mut connection = WebhookTransport::new(egress).connection();
    let attempted = connection.send(&sending).await;
    attempted.expect("nothing called it off").outcome
}

#[tokio::test]
async fn events_and_handshakes_go_over_tls() {
    let port = start_receiver().await;
    let address = format!("https://127.0.0.1:{port}/hook");
    let accepted = AttemptOutcome::Accepted { status: 200 };
    assert_eq!(send(trusting(), &address).await, accepted);
    let shaken = WebhookHandshake::new(trusting(), HANDSHAKE_TIMEOUT_DEFAULT);
    assert_eq!(
        shaken.verify(&address, &Secret::new("token-1"), None).await,
        Ok(())
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let port = start_receiver().await;
    let address = format!("https://127.0.0.1:{port}/hook");
    let stranger = Arc::new(Egress::new(development()));
    let reason = UnreachableReason::Tls;
    let outcome = send(Arc::clone(&stranger), &address).await;
    assert_eq!(outcome, AttemptOutcome::Unreachable { reason });
    let refused = WebhookHandshake::new(stranger, HANDSHAKE_TIMEOUT_DEFAULT)
        .verify(&address, &Secret::new("t"), None)
        .await;
    assert_eq!(refused, Err(HandshakeError::CertificateInvalid));
}

#[tokio::test]
async fn a_certificate_of_another_host_is_refused() {
    let port = start_receiver().await;
    // The same machine by a name that is not in the certificate.
    let address = format!("https://[::ffff:127.0.0.1]:{port}/hook");
    let refused = WebhookHandshake::new(trusting(), HANDSHAKE_TIMEOUT_DEFAULT)
        .verify(&address, &Secret::new("t"), None)
        .await;
    assert_eq!(refused, Err(HandshakeError::CertificateInvalid));
}

#[tokio::test]
async fn a_receiver_that_does_not_speak_tls_is_told_apart_from_a_bad_certificate() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("https://{}/", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.ok()?;
        let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).await.ok()
    });
    let reason = UnreachableReason::Tls;
    assert_eq!(
        send(trusting(), &address).await,
        AttemptOutcome::Unreachable { reason }
    );
}
