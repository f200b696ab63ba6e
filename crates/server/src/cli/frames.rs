//! Server-sent events, from bytes as they come.

use bytes::{Bytes, BytesMut};

/// One event's text: far more than the largest data with what surrounds it.
const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One event of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Frame {
    pub(crate) id: Option<String>,
    /// `message` for most.
    pub(crate) event: Option<String>,
    pub(crate) data: Bytes,
}

/// The stream sent more without an end than any event has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server sent an event of more than {FRAME_BYTES_MAX} bytes")]
pub(crate) struct FrameTooLong;

/// What came and is not a whole event yet.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    text: BytesMut,
    open: Open,
    /// Bytes of the open event.
    held: usize,
}

#[derive(Debug, Default)]
struct Open {
    id: Option<String>,
    event: Option<String>,
    data: Option<BytesMut>,
}

impl Frames {
    /// Takes bytes in, and returns the events that are whole now. Comments are left out.
    ///
    /// # Errors
    ///
    /// When an event does not end.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, FrameTooLong> {
        self.text.extend_from_slice(bytes);
        let mut whole = Vec::new();
        while let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
            let line = self.text.split_to(end + 1);
            let line = line[..end].strip_suffix(b"\r").unwrap_or(&line[..end]);
            self.held += line.len();
            if line.is_empty() {
                self.held = 0;
                let open = std::mem::take(&mut self.open);
                if let Some(data) = open.data {
                    whole.push(Frame {
                        id: open.id,
                        event: open.event,
                        data: data.freeze(),
                    });
                }
            } else {
                self.open.field(line);
            }
        }
        if self.held + self.text.len() > FRAME_BYTES_MAX {
            return Err(FrameTooLong);
        }
        Ok(whole)
    }
}

impl Open {
    fn field(&mut self, line: &[u8]) {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || Some(String::from_utf8_lossy(value).into_owned());
        match name {
            b"id" => self.id = text(),
            b"event" => self.event = text(),
            b"data" => match &mut self.data {
                Some(data) => {
                    data.extend_from_slice(b"\n");
                    data.extend_from_slice(value);
                }
                None => self.data = Some(BytesMut::from(value)),
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "id: 7\nevent: ready\ndata: {}\n\n: ping\n\nid: 8\r\ndata: {\r\ndata:  1}\r\n\r\nid: 9\n";

    #[test]
    fn events_are_the_same_however_they_are_cut() {
        let whole = Frames::default().take(TEXT.as_bytes()).unwrap();
        let frame = |id: &str, event: Option<&str>, data: &'static str| Frame {
            id: Some(id.into()),
            event: event.map(str::to_owned),
            data: Bytes::from_static(data.as_bytes()),
        };
        assert_eq!(
            whole,
            [frame("7", Some("ready"), "{}"), frame("8", None, "{\n 1}")]
        );
        let mut frames = Frames::default();
        let mut single = Vec::new();
        for byte in TEXT.as_bytes() {
            single.extend(frames.take(&[*byte]).unwrap());
        }
        assert_eq!(single, whole);
    }

    #[test]
    fn an_event_without_an_end_is_given_up() {
        let mut frames = Frames::default();
        let line = [b"data: ".as_slice(), &vec![b'x'; 1 << 20], b"\n"].concat();
        for _ in 0..3 {
            assert_eq!(frames.take(&line), Ok(Vec::new()));
        }
        assert_eq!(frames.take(&line), Err(FrameTooLong));
    }
}
