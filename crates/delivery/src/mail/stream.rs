//! The stream that SMTP is spoken on: plain, or TLS by our own configuration.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// What a client that begins to speak waits for. After STARTTLS the server does not say it again.
const GREETING: &[u8] = b"220 secured\r\n";

#[derive(Debug)]
pub(super) struct SmtpStream {
    line: Line,
    peer: SocketAddr,
    /// What is read before anything of the line.
    greeting: &'static [u8],
}

#[derive(Debug)]
enum Line {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

impl SmtpStream {
    pub(super) const fn plain(stream: TcpStream, peer: SocketAddr) -> Self {
        Self {
            line: Line::Plain(stream),
            peer,
            greeting: b"",
        }
    }

    pub(super) fn secure(stream: TlsStream<TcpStream>, peer: SocketAddr) -> Self {
        Self {
            line: Line::Secure(Box::new(stream)),
            peer,
            greeting: b"",
        }
    }

    /// The same after STARTTLS.
    pub(super) const fn greeted(mut self) -> Self {
        self.greeting = GREETING;
        self
    }
}

impl AsyncTokioStream for SmtpStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl AsyncRead for SmtpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.greeting.is_empty() {
            let (now, later) = self
                .greeting
                .split_at(self.greeting.len().min(buf.remaining()));
            buf.put_slice(now);
            self.greeting = later;
            return Poll::Ready(Ok(()));
        }
        match &mut self.line {
            Line::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Line::Secure(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for SmtpStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.line {
            Line::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Line::Secure(stream) => Pin::new(stream.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.line {
            Line::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Line::Secure(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.line {
            Line::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Line::Secure(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
