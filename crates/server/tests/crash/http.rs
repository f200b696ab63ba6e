//! HTTP/1.1 on blocking sockets: enough for a test that needs its own client and its own server,
//! and wants to know exactly which bytes were on the wire when the other side died.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A peer that says nothing for this long hangs.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A request or an answer.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Status of an answer.
    pub(crate) fn status(&self) -> u16 {
        let status = self.head.get(9..12).unwrap_or_default();
        status.parse().expect("an answer has a status")
    }

    /// Value of the first header with this lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Connects with timeouts.
pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// Reads one message; `None` when the peer closed before its first byte.
pub(crate) fn read(stream: &mut TcpStream) -> io::Result<Option<Message>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 8_192];
    let mut head_end = None;
    loop {
        if head_end.is_none() {
            let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            head_end = end.map(|at| at + 4);
        }
        if let Some(end) = head_end {
            let mut message = Message {
                head: String::from_utf8_lossy(&bytes[..end]).into_owned(),
                body: Vec::new(),
            };
            assert_eq!(message.header("transfer-encoding"), None, "not read here");
            let length = message.header("content-length").unwrap_or("0");
            let length: usize = length.parse().expect("a length is a number");
            if bytes.len() >= end + length {
                message.body = bytes[end..end + length].to_vec();
                return Ok(Some(message));
            }
        }
        match stream.read(&mut chunk)? {
            0 if bytes.is_empty() => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

/// Sends a request and reads its answer.
pub(crate) fn exchange(
    stream: &mut TcpStream,
    first_line: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Message> {
    let mut request = Vec::new();
    write!(
        request,
        "{first_line} HTTP/1.1\r\nHost: {}\r\n",
        stream.peer_addr()?
    )?;
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n")?;
    }
    write!(request, "Content-Length: {}\r\n\r\n", body.len())?;
    request.extend_from_slice(body);
    stream.write_all(&request)?;
    read(stream)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
