//! The accept loop: bounded connections, timed heads, graceful end.

use axum::Router;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use hookyard_domain::kernel::limits::{CONNECTIONS_MAX, HEADER_BYTES_MAX, HEADER_READ_TIMEOUT};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Headers of one request.
const HEADERS_MAX: usize = 100;
/// Pause after a failed accept: out of file descriptors, trying at once would only burn the core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What one client may take of the listener.
#[derive(Debug, Clone, Copy)]
pub struct ListenerLimits {
    /// A request's head must arrive within this time; also how long a kept connection may be idle.
    pub header_read_timeout: Duration,
    /// Bytes of a request's head.
    pub header_bytes_max: usize,
    /// Open connections; clients past it wait until one is closed.
    pub connections_max: usize,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            header_read_timeout: HEADER_READ_TIMEOUT,
            header_bytes_max: HEADER_BYTES_MAX,
            connections_max: CONNECTIONS_MAX,
        }
    }
}

/// Serves `router` on `listener` until `stopping`, then finishes requests in progress for at most
/// `finish_max`.
pub async fn serve(
    listener: TcpListener,
    limits: ListenerLimits,
    router: Router,
    stopping: CancellationToken,
    finish_max: Duration,
) {
    let connections = Arc::new(Semaphore::new(limits.connections_max));
    // Connections hold its receivers: it tells them to finish, and they tell that they have.
    let (finish, _) = watch::channel(());
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            () = stopping.cancelled() => break,
        };
        let (stream, remote, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "A connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let service =
            router
                .clone()
                .map_request(move |mut request: http::Request<hyper::body::Incoming>| {
                    request.extensions_mut().insert(ConnectInfo(remote));
                    request
                });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            // Some senders close their side once they have sent; they still wait for the answer.
            .half_close(true)
            .header_read_timeout(limits.header_read_timeout)
            .max_buf_size(limits.header_bytes_max)
            .max_header_size(limits.header_bytes_max)
            .max_headers(HEADERS_MAX)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
            // A WebSocket leaves the connection behind and counts among the gateway's.
            .with_upgrades();
        let mut finishing = finish.subscribe();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            // A client that breaks off is its own business.
            tokio::select! {
                biased;
                _ = connection.as_mut() => {}
                _ = finishing.changed() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
            drop(permit);
        });
    }
    drop(listener);
    let _ = finish.send(());
    let _ = tokio::time::timeout(finish_max, finish.closed()).await;
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, remote) = listener.accept().await?;
    // Small answers must not wait for the next one. A client that is gone again is no reason to
    // stop accepting others for a while.
    let _ = stream.set_nodelay(true);
    Ok((stream, remote, permit))
}
