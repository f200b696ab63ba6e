//! Just enough of RFC 6455 for ten thousand clients beside the server that they measure: text
//! messages in one frame each, pings answered, no extensions.

use std::io;
use std::ops::Range;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::load::Target;
use crate::wire::{MessageReader, invalid};

/// The key of the RFC's example, and the answer that proves that a server has read it. A fresh key
/// keeps caches from answering; there is none on the way.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Masks keep proxies from reading requests into frames; between us and the server is none.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Most messages fit, so that one call of the system reads one.
const BUFFER_BYTES: usize = 4 * 1_024;
/// More than any message of a measurement; a longer one is a fault worth stopping for.
const MESSAGE_BYTES_MAX: usize = 256 * 1_024;

/// First bytes of frames: the last one of its message, and what it is.
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
/// In second bytes: the payload is masked; its length follows in two bytes, or in eight.
const MASKED: u8 = 0x80;
const LENGTH_FOLLOWS: u8 = 0x7e;
const LONG_LENGTH_FOLLOWS: u8 = 0x7f;

/// A client's end of an open connection.
#[derive(Debug)]
pub(crate) struct WebSocket {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What was read and not handed out yet.
    unread: Range<usize>,
}

/// One frame in the buffer.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    kind: u8,
    payload: Range<usize>,
}

impl WebSocket {
    /// Connects and asks the server to switch protocols.
    pub(crate) async fn open(door: &Target) -> io::Result<Self> {
        let mut stream = TcpStream::connect(door.address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n",
            door.path, door.address
        );
        stream.write_all(request.as_bytes()).await?;
        let mut reader = MessageReader::new();
        let answer = reader.next(&mut stream).await?;
        let answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = answer.status();
        if status != 101 {
            return Err(io::Error::other(format!("upgrade answered {status}")));
        }
        if answer.header(b"sec-websocket-accept") != Some(ACCEPT) {
            return Err(invalid("the server has not read the key"));
        }
        let mut buffer = reader.into_rest();
        let unread = 0..buffer.len();
        buffer.resize(buffer.len().max(BUFFER_BYTES), 0);
        Ok(Self {
            stream,
            buffer,
            unread,
        })
    }

    /// Sends a text message.
    pub(crate) async fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(&masked(TEXT, text.as_bytes())?).await
    }

    /// The next text message; pings before it are answered. `None` when the server has closed.
    pub(crate) async fn next(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            let Frame { kind, payload } = self.frame().await?;
            match kind {
                TEXT => return Ok(Some(&self.buffer[payload])),
                PING => self.echo(PONG, payload).await?,
                PONG => {}
                CLOSE => {
                    self.echo(CLOSE, payload).await?;
                    return Ok(None);
                }
                _ => return Err(invalid("a frame is neither text nor control")),
            }
        }
    }

    async fn echo(&mut self, kind: u8, payload: Range<usize>) -> io::Result<()> {
        let frame = masked(kind, &self.buffer[payload])?;
        self.stream.write_all(&frame).await
    }

    async fn frame(&mut self) -> io::Result<Frame> {
        loop {
            let unread = self.unread.clone();
            if let Some((head, payload)) = measure(&self.buffer[unread.clone()])? {
                let begins = unread.start + head;
                let ends = begins + payload;
                if ends <= unread.end {
                    self.unread.start = ends;
                    let kind = self.buffer[unread.start];
                    let payload = begins..ends;
                    return Ok(Frame { kind, payload });
                }
                let size = head + payload;
                self.buffer.resize(self.buffer.len().max(size), 0);
            }
            self.buffer.copy_within(unread.clone(), 0);
            self.unread = 0..unread.len();
            let room = &mut self.buffer[unread.len()..];
            match self.stream.read(room).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.unread.end += count,
            }
        }
    }
}

/// Bytes of the head and of the payload of the frame that begins `read`, once its head is there.
fn measure(read: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let Some((&[_, length], rest)) = read.split_first_chunk() else {
        return Ok(None);
    };
    let (head, length) = match length {
        0..LENGTH_FOLLOWS => (2, u64::from(length)),
        LENGTH_FOLLOWS => match rest.first_chunk() {
            Some(digits) => (4, u64::from(u16::from_be_bytes(*digits))),
            None => return Ok(None),
        },
        LONG_LENGTH_FOLLOWS => match rest.first_chunk() {
            Some(digits) => (10, u64::from_be_bytes(*digits)),
            None => return Ok(None),
        },
        _ => return Err(invalid("a server does not mask its frames")),
    };
    let length = usize::try_from(length).ok();
    let length = length.filter(|length| *length <= MESSAGE_BYTES_MAX);
    let length = length.ok_or_else(|| invalid("a frame is too long"))?;
    Ok(Some((head, length)))
}

/// A client's frame of at most 64 KiB.
fn masked(kind: u8, payload: &[u8]) -> io::Result<Vec<u8>> {
    let length =
        u16::try_from(payload.len()).map_err(|_| invalid("a frame is too long to send"))?;
    let mut frame = vec![kind];
    if let Ok(length @ 0..LENGTH_FOLLOWS) = u8::try_from(length) {
        frame.push(MASKED | length);
    } else {
        frame.push(MASKED | LENGTH_FOLLOWS);
        frame.extend_from_slice(&length.to_be_bytes());
    }
    frame.extend_from_slice(&MASK);
    let digits = payload.iter().zip(MASK.iter().cycle());
    frame.extend(digits.map(|(byte, mask)| byte ^ mask));
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    /// A server's end; what it says is written out in full, so that nothing of ours is trusted.
    struct StandIn(TcpStream);

    impl StandIn {
        async fn accept(listener: TcpListener) -> (Self, String) {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            (Self(stream), String::from_utf8(head).unwrap())
        }

        /// The next frame: its first byte and its payload.
        async fn hear(&mut self) -> (u8, Vec<u8>) {
            let kind = self.0.read_u8().await.unwrap();
            let second = self.0.read_u8().await.unwrap();
            assert_ne!(second & 0x80, 0, "clients mask their frames");
            let length = match second & 0x7f {
                126 => self.0.read_u16().await.unwrap(),
                length => u16::from(length),
            };
            let mut mask = [0; 4];
            self.0.read_exact(&mut mask).await.unwrap();
            let mut payload = vec![0; usize::from(length)];
            self.0.read_exact(&mut payload).await.unwrap();
            for (index, byte) in payload.iter_mut().enumerate() {
                *byte ^= mask[index % 4];
            }
            (kind, payload)
        }
    }

    async fn listen() -> (TcpListener, Target) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let path = "/ws?access_token=abc".to_owned();
        (listener, Target::of_cards(address, &path))
    }

    const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    #[tokio::test]
    async fn messages_come_whole_however_they_arrive_and_pings_are_answered() {
        let (listener, door) = listen().await;
        let long = "x".repeat(70_000);
        let sent = long.clone();
        let server = tokio::spawn(async move {
            let (mut peer, head) = StandIn::accept(listener).await;
            assert!(head.starts_with("GET /ws?access_token=abc HTTP/1.1\r\n"));
            // The first message arrives with the answer to the handshake.
            peer.0.write_all(SWITCH).await.unwrap();
            peer.0.write_all(b"\x81\x05hello").await.unwrap();
            assert_eq!(peer.hear().await, (0x81, b"y".repeat(300)));
            // A ping between messages, and two messages at once.
            peer.0
                .write_all(b"\x89\x02hi\x81\x01a\x81\x01b")
                .await
                .unwrap();
            assert_eq!(peer.hear().await, (0x8a, b"hi".to_vec()));
            // One message in two halves, cut inside of its head.
            peer.0.write_all(b"\x81\x7e\x01").await.unwrap();
            peer.0.flush().await.unwrap();
            tokio::task::yield_now().await;
            peer.0.write_all(b"\x2c").await.unwrap();
            peer.0.write_all(&[b'z'; 300]).await.unwrap();
            let length = u64::try_from(sent.len()).unwrap().to_be_bytes();
            peer.0
                .write_all(&[b"\x81\x7f", &length[..]].concat())
                .await
                .unwrap();
            peer.0.write_all(sent.as_bytes()).await.unwrap();
            peer.0.write_all(b"\x88\x02\x03\xe8").await.unwrap();
            assert_eq!(peer.hear().await, (0x88, b"\x03\xe8".to_vec()));
        });
        let client = async {
            let mut socket = WebSocket::open(&door).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), b"hello");
            socket.say(&"y".repeat(300)).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), b"a");
            assert_eq!(socket.next().await.unwrap().unwrap(), b"b");
            assert_eq!(socket.next().await.unwrap().unwrap(), [b'z'; 300]);
            assert_eq!(socket.next().await.unwrap().unwrap(), long.as_bytes());
            assert!(socket.next().await.unwrap().is_none());
            server.await.unwrap();
        };
        timeout(Duration::from_secs(10), client).await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_does_not_switch_is_refused() {
        for (answer, expected) in [
            (
                "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
                "upgrade answered 401",
            ),
            (
                "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n",
                "the server has not read the key",
            ),
        ] {
            let (listener, door) = listen().await;
            let server = tokio::spawn(async move {
                let (mut peer, _) = StandIn::accept(listener).await;
                peer.0.write_all(answer.as_bytes()).await.unwrap();
            });
            let error = WebSocket::open(&door).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
            server.await.unwrap();
        }
    }

    #[test]
    fn frames_that_no_server_sends_are_faults() {
        assert!(measure(b"\x81\x85").is_err(), "masked");
        assert!(measure(b"\x81\x7f\x7f\0\0\0\0\0\0\0").is_err(), "too long");
        assert_eq!(measure(b"\x81").unwrap(), None);
        assert_eq!(measure(b"\x81\x7e\x01").unwrap(), None);
        assert_eq!(measure(b"\x81\x7e\x01\x2c").unwrap(), Some((4, 300)));
    }
}
