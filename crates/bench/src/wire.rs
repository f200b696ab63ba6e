//! Just enough HTTP/1.1 for a load tool and a receiver that share two cores with what they measure.

use std::io;

use memchr::memmem;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// More than any message of a measurement; a longer one is a fault worth stopping for.
const MESSAGE_BYTES_MAX: usize = 256 * 1_024;

/// Reads messages, requests or answers, from one connection into one buffer.
#[derive(Debug)]
pub(crate) struct MessageReader {
    buffer: Vec<u8>,
    filled: usize,
    /// End of the message that was handed out last.
    consumed: usize,
}

/// One message; borrows the reader's buffer.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    /// First line and headers, with the empty line.
    pub(crate) head: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Message<'_> {
    /// Status of an answer.
    pub(crate) fn status(&self) -> u16 {
        let digits = self.head.get(9..12).unwrap_or_default();
        str::from_utf8(digits).map_or(0, |text| text.parse().unwrap_or(0))
    }

    /// Value of the first header with this lower-case name.
    pub(crate) fn header(&self, name: &[u8]) -> Option<&[u8]> {
        header(self.head, name)
    }
}

fn header<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (found, rest) = line.split_at_checked(name.len())?;
        let value = rest.strip_prefix(b":")?;
        found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
    })
}

pub(crate) fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

impl MessageReader {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; 8 * 1_024],
            filled: 0,
            consumed: 0,
        }
    }

    /// The next message; `None` when the peer closed between messages.
    pub(crate) async fn next(&mut self, stream: &mut TcpStream) -> io::Result<Option<Message<'_>>> {
        self.buffer.copy_within(self.consumed..self.filled, 0);
        self.filled -= self.consumed;
        self.consumed = 0;
        let (head_end, end) = loop {
            if let Some(bounds) = self.bounds()? {
                break bounds;
            }
            if self.filled == self.buffer.len() {
                if self.filled >= MESSAGE_BYTES_MAX {
                    return Err(invalid("message is too long"));
                }
                self.buffer.resize(self.filled * 2, 0);
            }
            match stream.read(&mut self.buffer[self.filled..]).await? {
                0 if self.filled == 0 => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.filled += count,
            }
        };
        self.consumed = end;
        Ok(Some(Message {
            head: &self.buffer[..head_end],
            body: &self.buffer[head_end..end],
        }))
    }

    /// What was read behind the last message: it belongs to the protocol that was switched to.
    pub(crate) fn into_rest(mut self) -> Vec<u8> {
        self.buffer.truncate(self.filled);
        self.buffer.split_off(self.consumed)
    }

    /// Ends of head and message, once both are there.
    fn bounds(&self) -> io::Result<Option<(usize, usize)>> {
        let read = &self.buffer[..self.filled];
        let Some(head_end) = memmem::find(read, b"\r\n\r\n").map(|at| at + 4) else {
            return Ok(None);
        };
        let head = &read[..head_end];
        if header(head, b"transfer-encoding").is_some() {
            return Err(invalid("chunked messages are not expected here"));
        }
        let length = match header(head, b"content-length") {
            Some(digits) => str::from_utf8(digits)
                .ok()
                .and_then(|digits| digits.parse().ok())
                .filter(|length| *length <= MESSAGE_BYTES_MAX)
                .ok_or_else(|| invalid("content-length is not acceptable"))?,
            None => 0,
        };
        let end = head_end + length;
        Ok((end <= self.filled).then_some((head_end, end)))
    }
}
