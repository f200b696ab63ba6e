//! Files of events, one JSON object a line, in pieces that the server takes at once.

use std::collections::HashMap;
use std::io::{self, BufRead};

use hookyard_domain::kernel::limits::PUBLISHED_BODY_BYTES_MAX;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Events that are sent together: few enough that a person sees the bar move.
const EVENTS_MAX: usize = 500;
/// Bytes of them; well below what the server takes.
const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// One line: the largest data with all that may stand beside it.
const LINE_BYTES_MAX: usize = PUBLISHED_BODY_BYTES_MAX + 64 * 1024;

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `{type, data}`.
    Plain,
    CloudEvents,
}

impl Form {
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Plain => "application/json",
            Self::CloudEvents => "application/cloudevents-batch+json",
        }
    }
}

/// Events that are published together, all or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) form: Form,
    /// A JSON array of the lines as they came.
    pub(crate) body: Vec<u8>,
    /// Where each event stands in the file; the first line is 1.
    pub(crate) lines: Vec<u64>,
    /// Every event has an id, so that it can be sent again.
    pub(crate) repeatable: bool,
    /// Bytes of the file up to its end.
    pub(crate) read: u64,
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    #[error("failed to read the file")]
    Io(#[from] io::Error),
    #[error("line {line}: {reason}")]
    Bad { line: u64, reason: String },
}

/// Reads batches out of a file.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    from: R,
    line: u64,
    read: u64,
    /// The first line that counts.
    first: u64,
    /// What did not go into the batch before.
    left: Option<Line>,
}

#[derive(Debug)]
struct Line {
    number: u64,
    text: Vec<u8>,
    form: Form,
    has_id: bool,
}

impl<R: BufRead> Lines<R> {
    /// Begins at line `first`; those before it are passed over.
    pub(crate) const fn new(from: R, first: u64) -> Self {
        Self {
            from,
            line: 0,
            read: 0,
            first,
            left: None,
        }
    }

    /// The next events that can be published together; `None` at the end.
    ///
    /// # Errors
    ///
    /// When a line is not an event.
    pub(crate) fn batch(&mut self) -> Result<Option<Batch>, LineError> {
        let mut batch: Option<Batch> = None;
        let mut before = self.read;
        loop {
            let line = match self.left.take() {
                Some(line) => Some(line),
                None => self.line()?,
            };
            let Some(line) = line else {
                if let Some(batch) = &mut batch {
                    batch.body.push(b']');
                    batch.read = self.read;
                }
                return Ok(batch);
            };
            let open = batch.get_or_insert_with(|| Batch {
                form: line.form,
                body: vec![b'['],
                lines: Vec::new(),
                repeatable: true,
                read: 0,
            });
            let full = open.lines.len() >= EVENTS_MAX
                || open.body.len() + line.text.len() > BATCH_BYTES_MAX
                || open.form != line.form;
            if full && !open.lines.is_empty() {
                open.body.push(b']');
                open.read = before;
                self.left = Some(line);
                return Ok(batch);
            }
            if !open.lines.is_empty() {
                open.body.push(b',');
            }
            open.body.extend_from_slice(&line.text);
            open.lines.push(line.number);
            open.repeatable &= line.has_id;
            before = self.read;
        }
    }

    /// The next line that says something.
    fn line(&mut self) -> Result<Option<Line>, LineError> {
        loop {
            let mut text = Vec::new();
            let most = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX) + 1;
            let read = io::Read::take(&mut self.from, most).read_until(b'\n', &mut text)?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            self.read += u64::try_from(read).unwrap_or(u64::MAX);
            if text.len() > LINE_BYTES_MAX {
                return Err(self.bad(format!("has more than {LINE_BYTES_MAX} bytes")));
            }
            if self.line < self.first || text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let (form, has_id) = check(&text).map_err(|reason| self.bad(reason))?;
            return Ok(Some(Line {
                number: self.line,
                text: text.trim_ascii().to_owned(),
                form,
                has_id,
            }));
        }
    }

    fn bad(&self, reason: String) -> LineError {
        LineError::Bad {
            line: self.line,
            reason,
        }
    }
}

/// Sees that a line is an event, as far as that shows without the server.
fn check(text: &[u8]) -> Result<(Form, bool), String> {
    #[derive(Deserialize)]
    struct Named<'a>(#[serde(borrow)] HashMap<String, &'a RawValue>);
    let Named(members) =
        serde_json::from_slice(text).map_err(|error| format!("is not a JSON object: {error}"))?;
    let is_text = |name: &str| {
        let member = members.get(name);
        member.is_some_and(|value| value.get().starts_with('"'))
    };
    if !is_text("type") {
        return Err("has no `type`".to_owned());
    }
    if members.contains_key("specversion") {
        return Ok((Form::CloudEvents, is_text("id")));
    }
    if !members.contains_key("data") {
        return Err("has no `data`".to_owned());
    }
    Ok((Form::Plain, is_text("id")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(text: &str, first: u64) -> Result<Vec<Batch>, LineError> {
        let mut lines = Lines::new(text.as_bytes(), first);
        let mut all = Vec::new();
        while let Some(batch) = lines.batch()? {
            all.push(batch);
        }
        Ok(all)
    }

    #[test]
    fn lines_go_into_a_batch_as_they_are() {
        let text =
            "{\"type\":\"a\", \"data\": 1.50}\r\n\n  {\"id\":\"1\",\"type\":\"b\",\"data\":{}}";
        let batches = batches(text, 1).unwrap();
        let [batch] = &batches[..] else {
            panic!("{batches:?}");
        };
        assert_eq!(
            String::from_utf8_lossy(&batch.body),
            r#"[{"type":"a", "data": 1.50},{"id":"1","type":"b","data":{}}]"#
        );
        assert_eq!(batch.lines, [1, 3]);
        assert!(!batch.repeatable);
        assert_eq!(batch.read, text.len() as u64);
    }

    #[test]
    fn a_batch_ends_where_it_is_full_or_the_form_changes() {
        let plain = "{\"type\":\"a\",\"id\":\"x\",\"data\":1}\n";
        let cloud = "{\"specversion\":\"1.0\",\"type\":\"a\",\"id\":\"x\",\"source\":\"s\"}\n";
        let text = plain.repeat(501) + cloud;
        let read: Vec<_> = batches(&text, 1)
            .unwrap()
            .iter()
            .map(|batch| (batch.form, batch.lines.len(), batch.repeatable, batch.read))
            .collect();
        let line = plain.len() as u64;
        assert_eq!(
            read,
            [
                (Form::Plain, 500, true, 500 * line),
                (Form::Plain, 1, true, 501 * line),
                (Form::CloudEvents, 1, true, text.len() as u64),
            ]
        );
        let large = format!("{{\"type\":\"a\",\"data\":\"{}\"}}\n", "x".repeat(250_000));
        let sizes: Vec<_> = batches(&large.repeat(5), 1)
            .unwrap()
            .iter()
            .map(|batch| batch.lines.len())
            .collect();
        assert_eq!(sizes, [4, 1]);
    }

    #[test]
    fn what_was_published_before_can_be_passed_over() {
        let text = "not looked at\n{\"type\":\"a\",\"data\":1}\n{\"type\":\"b\",\"data\":1}\n";
        assert_eq!(batches(text, 3).unwrap()[0].lines, [3]);
        assert!(batches(text, 4).unwrap().is_empty());
    }

    #[test]
    fn a_line_that_is_not_an_event_is_named() {
        let good = "{\"type\":\"a\",\"data\":1}\n";
        for (bad, reason) in [
            ("[1]", "line 2: is not a JSON object"),
            ("{\"data\":1}", "line 2: has no `type`"),
            ("{\"type\":1,\"data\":1}", "line 2: has no `type`"),
            ("{\"type\":\"a\"}", "line 2: has no `data`"),
        ] {
            let error = batches(&format!("{good}{bad}\n"), 1).unwrap_err();
            assert!(error.to_string().starts_with(reason), "{error}");
        }
        let long = format!("{good}\"{}\"", "x".repeat(LINE_BYTES_MAX));
        let error = batches(&long, 1).unwrap_err();
        assert!(
            error.to_string().starts_with("line 2: has more than"),
            "{error}"
        );
    }
}
