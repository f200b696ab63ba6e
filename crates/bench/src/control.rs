//! The control: accepts a request, forwards it over a kept connection, answers when the receiver
//! has answered. No storage, no retries: what two hops of HTTP cost on this machine and no more.

use std::convert::Infallible;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// Serves until it is killed. Prints its address as the first line.
pub(crate) async fn accept_and_forward(to: SocketAddr) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let mut output = std::io::stdout();
    writeln!(output, "{}", listener.local_addr()?)?;
    output.flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(stream, to));
    }
}

async fn serve(stream: TcpStream, to: SocketAddr) -> anyhow::Result<()> {
    // One outgoing connection for each incoming one; the lock is never contended, because HTTP/1.1
    // answers one request at a time.
    let onward = Arc::new(Mutex::new(connect(to).await?));
    let host = HeaderValue::from_str(&to.to_string()).context("an address is a header value")?;
    let service = service_fn(move |request: Request<Incoming>| {
        let (onward, host) = (Arc::clone(&onward), host.clone());
        async move {
            let forwarded = forward(request, &onward, host).await.unwrap_or(false);
            let (status, body) = if forwarded {
                (StatusCode::OK, r#"{"status":"OK"}"#)
            } else {
                (StatusCode::BAD_GATEWAY, "{}")
            };
            let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        }
    });
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await?;
    Ok(())
}

async fn connect(to: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn forward(
    request: Request<Incoming>,
    onward: &Mutex<SendRequest<Full<Bytes>>>,
    host: HeaderValue,
) -> anyhow::Result<bool> {
    let body = request.into_body().collect().await?.to_bytes();
    let mut outgoing = Request::post("/hook").body(Full::new(body))?;
    outgoing.headers_mut().insert(HOST, host);
    outgoing
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut sender = onward.lock().await;
    sender.ready().await?;
    let response = sender.send_request(outgoing).await?;
    let accepted = response.status().is_success();
    response.into_body().collect().await?;
    Ok(accepted)
}
