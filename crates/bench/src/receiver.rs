//! The subscriber: answers 200 at once, passes the handshake, books every message, and checks
//! signatures.
//!
//! A message that goes to several endpoints is posted to `/hook/10/3`: ten of them, this is the
//! fourth. Each has a place of its own in the books.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::ledger::Ledger;
use crate::message::{Mark, MarkReader};
use crate::signature::Signatures;
use crate::stopwatch::Stopwatch;
use crate::wire::MessageReader;

/// Ports below the range from which systems choose source ports. A client that keeps dialling a
/// closed port inside that range can end up connected to itself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A receiver on a fixed port, which can go away and come back.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    pub(crate) signatures: Arc<Signatures>,
    ledger: Arc<Ledger>,
    stopwatch: Stopwatch,
    accepting: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Starts on a free port.
    pub(crate) async fn start(ledger: Arc<Ledger>, stopwatch: Stopwatch) -> anyhow::Result<Self> {
        // Different runs on one machine begin their search at different ports.
        let offset = u16::try_from(std::process::id() % 10_000).expect("below 10,000");
        for port in (PORTS.start + offset..PORTS.end).chain(PORTS) {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            if let Ok(listener) = TcpListener::bind(address).await {
                let mut receiver = Self {
                    address,
                    signatures: Arc::default(),
                    ledger,
                    stopwatch,
                    accepting: None,
                };
                receiver.listen(listener);
                return Ok(receiver);
            }
        }
        anyhow::bail!("no port is free for the receiver")
    }

    /// Goes away: from now on connections are refused.
    pub(crate) async fn stop(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            // The error says that it was aborted, which is what we asked for.
            let _aborted = accepting.await;
        }
    }

    /// Comes back on the same port.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.address)
            .await
            .context("failed to bind the receiver's port again")?;
        self.listen(listener);
        Ok(())
    }

    fn listen(&mut self, listener: TcpListener) {
        let books = Books {
            ledger: Arc::clone(&self.ledger),
            signatures: Arc::clone(&self.signatures),
            stopwatch: self.stopwatch,
        };
        self.accepting = Some(tokio::spawn(async move {
            // Dropped with this task, which ends the connections too.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                connections.spawn(serve(stream, books.clone()));
            }
        }));
    }
}

/// What each connection writes into.
#[derive(Debug, Clone)]
struct Books {
    ledger: Arc<Ledger>,
    signatures: Arc<Signatures>,
    stopwatch: Stopwatch,
}

async fn serve(mut stream: TcpStream, books: Books) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let marks = MarkReader::new();
    let mut reader = MessageReader::new();
    while let Some(request) = reader.next(&mut stream).await? {
        if let Some(token) = request.header(b"validation-token") {
            let mut answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                Content-Length: 0\r\nValidation-Token: "
                .to_vec();
            answer.extend_from_slice(token);
            answer.extend_from_slice(b"\r\n\r\n");
            stream.write_all(&answer).await?;
            continue;
        }
        if let Some(mark) = marks.read(request.body) {
            let now_us = books.stopwatch.now_us();
            let (copies, copy) = place(request.head);
            let id = mark.id * copies + copy;
            if books.ledger.receive(Mark { id, ..mark }, now_us) {
                books.signatures.sample(id, &request);
            }
        }
        stream.write_all(OK).await?;
    }
    Ok(())
}

/// How many endpoints get each message, and which of them this request is for.
fn place(head: &[u8]) -> (u32, u32) {
    let path = head.split(|byte| *byte == b' ').nth(1);
    let read = || {
        let numbers = str::from_utf8(path?.strip_prefix(b"/hook/")?).ok()?;
        let (copies, copy) = numbers.split_once('/')?;
        Some((copies.parse().ok()?, copy.parse().ok()?))
    };
    read().unwrap_or((1, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_tells_which_endpoint_a_request_is_for() {
        for (head, expected) in [
            ("POST /hook/10/3 HTTP/1.1\r\n", (10, 3)),
            ("POST /hook HTTP/1.1\r\n", (1, 0)),
            ("", (1, 0)),
        ] {
            assert_eq!(place(head.as_bytes()), expected);
        }
    }
}
