//! A stand-in for a push service: HTTP/2 over TLS, with a certificate that only tests trust. It
//! answers what it is told to, and 200 otherwise.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

pub(crate) fn certificate() -> CertificateDer<'static> {
    CertificateDer::from(include_bytes!("../sockets/tls/cert.der").as_slice())
}

/// What was asked of it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) line: String,
    headers: http::HeaderMap,
    pub(crate) raw: String,
    /// `Null` when it was not JSON.
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What it is to answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// `None` for never.
    status: Option<u16>,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

impl Reply {
    pub(crate) const fn new(status: u16) -> Self {
        Self {
            status: Some(status),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(crate) const fn silence() -> Self {
        Self {
            status: None,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(crate) fn body(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

#[derive(Debug, Default)]
struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
    open: AtomicUsize,
}

pub(crate) struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Counts the times that everybody was hung up on.
    hang_ups: watch::Sender<u32>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let key = PrivatePkcs8KeyDer::from(include_bytes!("../sockets/tls/key.der").as_slice());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate()], PrivateKeyDer::Pkcs8(key))
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let hang_ups = watch::Sender::new(0);
        let (accepting, ends) = (Arc::clone(&shared), hang_ups.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, shared) = (acceptor.clone(), Arc::clone(&accepting));
                let mut end = ends.subscribe();
                tokio::spawn(async move {
                    let stream = acceptor.accept(stream).await.ok()?;
                    shared.connections.fetch_add(1, Ordering::SeqCst);
                    shared.open.fetch_add(1, Ordering::SeqCst);
                    let answering = Arc::clone(&shared);
                    let service =
                        service_fn(move |request| answer(Arc::clone(&answering), request));
                    let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service);
                    tokio::select! {
                        _ = serving => {}
                        _ = end.changed() => {}
                    }
                    shared.open.fetch_sub(1, Ordering::SeqCst);
                    Some(())
                });
            }
        });
        Self {
            address,
            shared,
            hang_ups,
        }
    }

    /// The certificate is for this name.
    pub(crate) fn address(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    pub(crate) fn peer(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn reply(&self, reply: Reply) {
        self.shared.replies.lock().unwrap().push_back(reply);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Connections that were ever opened.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Breaks every connection off.
    pub(crate) async fn hang_up(&self) {
        self.hang_ups.send_modify(|count| *count += 1);
        while self.shared.open.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let raw = body.collect().await?.to_bytes();
    let raw = String::from_utf8_lossy(&raw).into_owned();
    shared.asked.lock().unwrap().push(Asked {
        line: format!("{} {}", head.method, head.uri.path()),
        headers: head.headers,
        body: serde_json::from_str(&raw).unwrap_or(Value::Null),
        raw,
    });
    let reply = shared.replies.lock().unwrap().pop_front();
    let reply = reply.unwrap_or(Reply::new(200));
    let Some(status) = reply.status else {
        return std::future::pending().await;
    };
    let mut response = Response::builder().status(status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(reply.body.into())).unwrap())
}
