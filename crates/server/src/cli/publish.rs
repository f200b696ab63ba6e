//! `hookyard publish`: one event from the command line, or many from a file.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use http::Method;
use indicatif::ProgressBar;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::access::Access;
use super::lines::{Batch, Lines};
use super::screen::{Display, Screen, plain};
use super::session::{Fault, JSON, Refusal, Session, with_query};

const EVENTS: &str = "/api/v1/events";
/// How often a batch whose events have ids is tried while the server cannot be reached.
const TRIES_MAX: u32 = 6;
const PAUSE_FIRST: Duration = Duration::from_millis(500);

/// JSON that was given on the command line: in itself, in a file, or on standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Data {
    Text(String),
    File(PathBuf),
    Input,
}

impl Data {
    /// Reads JSON, `@file`, or `-`.
    ///
    /// # Errors
    ///
    /// When it is neither and not JSON.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::Input);
        }
        if let Some(path) = text.strip_prefix('@') {
            return Ok(Self::File(path.into()));
        }
        check(text).map(|()| Self::Text(text.to_owned()))
    }

    /// The JSON, as it is written.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is not JSON.
    pub(crate) fn read(&self) -> anyhow::Result<Box<RawValue>> {
        let (text, name) = match self {
            Self::Text(text) => (text.clone(), "the data".to_owned()),
            Self::File(path) => {
                let name = format!("`{}`", path.display());
                let text = std::fs::read_to_string(path);
                (
                    text.with_context(|| format!("failed to read {name}"))?,
                    name,
                )
            }
            Self::Input => {
                let mut text = String::new();
                io::stdin()
                    .read_to_string(&mut text)
                    .context("failed to read standard input")?;
                (text, "standard input".to_owned())
            }
        };
        let value = RawValue::from_string(text.trim().to_owned());
        value.with_context(|| format!("{name} is not JSON"))
    }
}

fn check(text: &str) -> Result<(), String> {
    let read: Result<&RawValue, _> = serde_json::from_str(text);
    read.map(drop)
        .map_err(|error| format!("it is not JSON ({error}); write @FILE for a file"))
}

/// Publish an event, or a file of them.
///
/// Each is stored before this returns, and then sent to every endpoint that asks for its type.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  hookyard publish invoice.paid --data '{\"amount\": 10.50}' --id inv-17-paid
      One event. With an id it is published once, however often this is run.

  jq -c .invoice order.json | hookyard publish invoice.sent --data -
      The data from standard input.

  hookyard publish --file events.ndjson
      Many, one a line: {\"type\": \"invoice.paid\", \"data\": {…}, \"id\": \"inv-17-paid\"}. CloudEvents
      may be among them. After an interruption run it again: events with ids that are in already
      are passed over, and --from-line passes over lines.")]
#[command(group(clap::ArgGroup::new("what").required(true).args(["event_type", "file"])))]
pub(crate) struct Publish {
    /// Type of the event, such as `invoice.paid`.
    #[arg(value_name = "TYPE", requires = "data")]
    event_type: Option<String>,
    /// Data of the event: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, value_name = "JSON", value_parser = Data::parse, conflicts_with = "file")]
    data: Option<Data>,
    /// Your own id of the event: with the same id it is published once.
    #[arg(long, conflicts_with = "file")]
    id: Option<String>,
    /// What the event is about, such as a customer's number.
    #[arg(long, conflicts_with = "file")]
    subject: Option<String>,
    /// Where the event comes from; ids are unique within a source.
    #[arg(long, conflicts_with = "file")]
    source: Option<String>,
    /// Register the types that nobody has registered, without a schema.
    #[arg(long)]
    register: bool,
    /// File of events, one JSON object a line; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The first line of the file that counts.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "file")]
    from_line: u64,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    display: Display,
}

impl Publish {
    /// Publishes what was asked.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let screen = Screen::new(&self.display);
        if let Some(path) = &self.file {
            return self.file(path, screen).await;
        }
        let (Some(event_type), Some(data)) = (&self.event_type, &self.data) else {
            unreachable!("the parser asks for a type with data, or a file");
        };
        let event = Event {
            type_name: event_type,
            data: &data.read()?,
            id: self.id.as_deref(),
            subject: self.subject.as_deref(),
            source: self.source.as_deref(),
        };
        let session = Session::new(&self.access)?;
        let told = publish(&session, &event, self.register).await;
        session.end().await;
        show(screen, &told?, None)?;
        Ok(())
    }

    async fn file(&self, path: &Path, screen: Screen) -> anyhow::Result<()> {
        let session = Session::new(&self.access)?;
        let input = path == Path::new("-");
        let (from, bar): (Box<dyn BufRead>, _) = if input {
            let from = BufReader::new(io::stdin());
            (Box::new(from), screen.spinner("Publishing"))
        } else {
            let open =
                || File::open(path).with_context(|| format!("failed to read `{}`", path.display()));
            // All of it is looked at first: a mistake in the last line is told before anything is
            // published.
            let mut looking = Lines::new(BufReader::new(open()?), self.from_line);
            while looking.batch()?.is_some() {}
            let file = open()?;
            let size = file.metadata().map_or(0, |about| about.len());
            let bar = screen.bar_of_bytes(size, "Publishing");
            (Box::new(BufReader::new(file)), bar)
        };
        let mut publishing = Publishing {
            session: &session,
            screen,
            bar,
            by_bytes: !input,
            path: with_query(
                EVENTS,
                &[("autoRegister", self.register.then(|| "true".into()))],
            ),
            published: 0,
            repeated: 0,
        };
        let done = publishing.run(Lines::new(from, self.from_line)).await;
        publishing.bar.finish_and_clear();
        session.end().await;
        publishing.sum_up();
        done
    }
}

/// An event to publish.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) type_name: &'a str,
    pub(crate) data: &'a RawValue,
    pub(crate) id: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
}

impl Event<'_> {
    /// The request for it, with the data as it is.
    fn body(&self) -> Bytes {
        let mut body = format!(r#"{{"type":{}"#, json!(self.type_name));
        for (name, value) in [
            ("id", self.id),
            ("subject", self.subject),
            ("source", self.source),
        ] {
            if let Some(value) = value {
                let _ = write!(body, r#","{name}":{}"#, json!(value));
            }
        }
        body.push_str(r#","data":"#);
        body.push_str(self.data.get());
        body.push('}');
        body.into()
    }
}

/// Publishes one event and returns what the server says of it.
pub(crate) async fn publish(
    session: &Session,
    event: &Event<'_>,
    register: bool,
) -> Result<Value, Fault> {
    let path = with_query(EVENTS, &[("autoRegister", register.then(|| "true".into()))]);
    session.ask(Method::POST, &path, event.body(), JSON).await
}

/// Shows what became of one event; `line` is where it stood in a file.
pub(crate) fn show(screen: Screen, told: &Value, line: Option<u64>) -> io::Result<()> {
    if screen.json {
        let mut told = told.clone();
        if let (Some(line), Some(members)) = (line, told.as_object_mut()) {
            members.insert("line".to_owned(), json!(line));
        }
        return screen.line(&told.to_string());
    }
    let text = |name: &str| plain(told[name].as_str().unwrap_or_default());
    let kind = [text("type"), text("eventType")];
    let kind = kind.iter().find(|text| !text.is_empty());
    let kind = kind.map_or("the event", String::as_str);
    let id = text("id");
    if told["duplicate"] == true {
        screen.line(&format!("{kind} was published before, as {id}"))
    } else {
        screen.line(&format!("Published {kind} as {id}"))
    }
}

struct Publishing<'a> {
    session: &'a Session,
    screen: Screen,
    bar: ProgressBar,
    /// The bar counts bytes of the file, not events.
    by_bytes: bool,
    path: String,
    published: u64,
    repeated: u64,
}

impl Publishing<'_> {
    async fn run(&mut self, mut lines: Lines<Box<dyn BufRead>>) -> anyhow::Result<()> {
        while let Some(batch) = lines.batch()? {
            let told = match self.send(&batch).await {
                Ok(told) => told,
                Err(fault) => bail!(Self::failure(&batch, &fault)),
            };
            let records = told["records"].as_array().map_or(&[][..], Vec::as_slice);
            for (record, line) in records.iter().zip(&batch.lines) {
                let repeated = record["duplicate"] == true;
                self.repeated += u64::from(repeated);
                self.published += u64::from(!repeated);
                if self.screen.json {
                    show(self.screen, record, Some(*line))?;
                }
            }
            self.bar.set_position(if self.by_bytes {
                batch.read
            } else {
                self.published + self.repeated
            });
        }
        Ok(())
    }

    /// Sends a batch, again when it is known to be safe: the server knows events by their ids.
    async fn send(&self, batch: &Batch) -> Result<Value, Fault> {
        let mut pause = PAUSE_FIRST;
        for _ in 1..TRIES_MAX {
            match self.send_once(batch).await {
                Err(fault) if batch.repeatable && fault.is_passing() => {
                    self.bar.suspend(|| {
                        self.screen.note(&format!("{fault}; trying again"));
                    });
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                told => return told,
            }
        }
        self.send_once(batch).await
    }

    async fn send_once(&self, batch: &Batch) -> Result<Value, Fault> {
        let body = Bytes::from(batch.body.clone());
        let media_type = batch.form.media_type();
        self.session
            .ask(Method::POST, &self.path, body, media_type)
            .await
    }

    /// What a person has to know to go on.
    fn failure(batch: &Batch, fault: &Fault) -> String {
        let (first, last) = (batch.lines.first(), batch.lines.last());
        let (first, last) = (first.copied().unwrap_or(1), last.copied().unwrap_or(1));
        let Fault::Refused(refusal) = fault else {
            let unsure = if batch.repeatable {
                String::new()
            } else {
                format!(" (events of lines {first} to {last} without ids may be in already)")
            };
            return format!("{fault}; then go on with --from-line {first}{unsure}");
        };
        if refusal.is_passing() || refusal.status != http::StatusCode::BAD_REQUEST {
            return format!("{fault}; then go on with --from-line {first}");
        }
        let mistakes = by_line(refusal, &batch.lines);
        format!(
            "the server refused lines {first} to {last}, and none of them is published:\n  {}\n\
             Put it right and go on with --from-line {first}",
            mistakes.join("\n  ")
        )
    }

    fn sum_up(&self) {
        let Self {
            published,
            repeated,
            ..
        } = self;
        let before = match repeated {
            0 => String::new(),
            repeated => format!("; {repeated} were published before"),
        };
        let events = if *published == 1 { "event" } else { "events" };
        self.screen
            .note(&format!("Published {published} {events}{before}"));
    }
}

/// The mistakes of a batch, with the lines of the file that they are in.
fn by_line(refusal: &Refusal, lines: &[u64]) -> Vec<String> {
    let told = refusal.mistakes.iter().map(|(place, message)| {
        let found = place.as_deref().and_then(|place| {
            let (index, rest) = place.strip_prefix('[')?.split_once(']')?;
            let line = lines.get(index.parse::<usize>().ok()?)?;
            Some((line, rest.trim_start_matches('.')))
        });
        match (found, place) {
            (Some((line, "")), _) => format!("line {line}: {message}"),
            (Some((line, rest)), _) => format!("line {line}, {rest}: {message}"),
            (None, Some(place)) => format!("{place}: {message}"),
            (None, None) => message.clone(),
        }
    });
    told.map(|text| plain(&text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_json_or_says_where_it_is() {
        assert_eq!(Data::parse("-"), Ok(Data::Input));
        assert_eq!(Data::parse("@a.json"), Ok(Data::File("a.json".into())));
        assert_eq!(
            Data::parse(r#"{"a": 1.50}"#),
            Ok(Data::Text(r#"{"a": 1.50}"#.to_owned()))
        );
        assert!(Data::parse("{a}").unwrap_err().contains("@FILE"));
    }

    #[test]
    fn data_is_sent_as_it_is_written() {
        let data = Data::parse(r#"{"a" : 1.50}"#).unwrap().read().unwrap();
        let event = Event {
            type_name: "invoice.paid",
            data: &data,
            id: Some("1\"2"),
            subject: None,
            source: Some("/billing"),
        };
        assert_eq!(
            event.body(),
            r#"{"type":"invoice.paid","id":"1\"2","source":"/billing","data":{"a" : 1.50}}"#
        );
    }

    #[test]
    fn mistakes_are_told_by_the_lines_of_the_file() {
        let body = br#"{"errorCode":"CMN-101","errors":[
            {"message":"is not a number","parameterName":"[1].data.amount"},
            {"message":"is odd","parameterName":"[0]"},
            {"message":"no such member","parameterName":"autoRegister"}]}"#;
        let refusal = Refusal::read(http::StatusCode::BAD_REQUEST, body);
        assert_eq!(
            by_line(&refusal, &[7, 9]),
            [
                "line 9, data.amount: is not a number",
                "line 7: is odd",
                "autoRegister: no such member",
            ]
        );
    }
}
