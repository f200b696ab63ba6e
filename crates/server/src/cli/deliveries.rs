//! `hookyard deliveries`: what became of events, and putting it right.

use anyhow::bail;
use clap::{Args, Subcommand};
use hookyard_domain::{Timestamp, TypePattern};
use serde_json::{Map, Value, json};

use super::access::Access;
use super::jobs::follow;
use super::moment;
use super::screen::{Colour, Display, Screen, plain, plain_lines};
use super::session::{Session, segment, with_query};
use super::table::{Cell, table};

const PATH: &str = "/api/v1/deliveries";
/// What the server gives at once.
const PAGE_MAX: u64 = 250;

/// See what became of events, and send them again.
///
/// Times are points such as 2026-03-01T10:00:00Z, or how long ago: 30s, 15m, 2h, 7d.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  hookyard deliveries list --status abandoned --since 2h
  hookyard deliveries show 1234567890
  hookyard deliveries resend 1234567890
  hookyard deliveries resend --endpoint 3f0c7d9e-… --code 5xx --since 1d
  hookyard deliveries recover 3f0c7d9e-… --since 1d
  hookyard deliveries replay 3f0c7d9e-… --since 7d --type 'invoice.*'")]
pub(crate) struct Deliveries {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    display: Display,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List deliveries, newest first.
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        filter: Filter,
        /// How many at most.
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
        limit: u64,
    },
    /// Show a delivery with its event and all attempts.
    Show {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Send a delivery again, or all that a filter names.
    ///
    /// Without --status, a filter names deliveries that were given up.
    Resend(Resend),
    /// Send again everything to an endpoint that was given up since a time, and put the endpoint
    /// into use if it was taken out of it.
    Recover {
        #[arg(value_name = "ENDPOINT")]
        endpoint: String,
        /// Only what was given up since then [default: since it began to fail, or the last day].
        #[arg(long, value_name = "TIME", value_parser = moment::read)]
        since: Option<Timestamp>,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Send what an endpoint missed: events that it asks for and was never sent.
    Replay {
        #[arg(value_name = "ENDPOINT")]
        endpoint: String,
        /// Only what happened since then.
        #[arg(long, value_name = "TIME", value_parser = moment::read)]
        since: Timestamp,
        /// Only what happened before then.
        #[arg(long, value_name = "TIME", value_parser = moment::read)]
        until: Option<Timestamp>,
        /// Only these types; repeat it, or write commas.
        #[arg(long = "type", value_name = "PATTERN", value_delimiter = ',', value_parser = TypePattern::parse)]
        types: Vec<TypePattern>,
        #[command(flatten)]
        waiting: Waiting,
    },
}

#[derive(Debug, Args)]
struct Resend {
    /// Deliveries to send again, each by its id.
    #[arg(value_name = "ID", conflicts_with = "filter")]
    ids: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
struct Waiting {
    /// Return as soon as the server has begun.
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, Clone, Default, Args)]
#[group(id = "filter", multiple = true)]
struct Filter {
    /// Only to this endpoint.
    #[arg(long, value_name = "ID")]
    endpoint: Option<String>,
    /// Only in this state.
    #[arg(long, value_parser = ["waiting", "delivered", "abandoned"])]
    status: Option<String>,
    /// Only of these types, such as `invoice.*`.
    #[arg(long = "type", value_name = "PATTERN", value_parser = TypePattern::parse)]
    event_type: Option<TypePattern>,
    /// Only made since then.
    #[arg(long, value_name = "TIME", value_parser = moment::read)]
    since: Option<Timestamp>,
    /// Only made before then.
    #[arg(long, value_name = "TIME", value_parser = moment::read)]
    until: Option<Timestamp>,
    /// Only last answered so: 500, 5xx, or none.
    #[arg(long, value_name = "CODE", value_parser = read_code)]
    code: Option<String>,
    /// Only of this event.
    #[arg(long, value_name = "ID")]
    event: Option<String>,
}

fn read_code(text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    let class = matches!(lower.as_bytes(), [b'1'..=b'5', b'x', b'x']);
    let status = lower
        .parse()
        .is_ok_and(|status| (100..=599).contains(&status));
    if class || status || lower == "none" {
        Ok(lower)
    } else {
        Err("write a status such as 500, a class such as 5xx, or none".to_owned())
    }
}

impl Filter {
    fn parameters(&self) -> [(&'static str, Option<String>); 7] {
        let event = self.event.as_deref();
        // As the payload has it, and as the API has it.
        let event = event.map(|id| id.strip_prefix("evt_").unwrap_or(id).to_owned());
        [
            ("endpointId", self.endpoint.clone()),
            ("status", self.status.clone()),
            (
                "eventType",
                self.event_type.as_ref().map(ToString::to_string),
            ),
            ("since", self.since.map(|time| time.to_string())),
            ("until", self.until.map(|time| time.to_string())),
            ("responseCode", self.code.clone()),
            ("eventId", event),
        ]
    }

    /// The same as an object, for a job.
    fn as_json(&self) -> Value {
        let members = self.parameters().into_iter();
        let given = members.filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
        Value::Object(given.collect::<Map<_, _>>())
    }

    fn is_empty(&self) -> bool {
        self.parameters().iter().all(|(_, value)| value.is_none())
    }
}

impl Deliveries {
    /// Does what was asked.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let screen = Screen::new(&self.display);
        let session = Session::new(&self.access)?;
        let done = self.command.run(&session, screen).await;
        session.end().await;
        done
    }
}

impl Command {
    async fn run(&self, session: &Session, screen: Screen) -> anyhow::Result<()> {
        match self {
            Self::List { filter, limit } => list(session, screen, filter, *limit).await,
            Self::Show { id } => {
                let told = session.get(&format!("{PATH}/{}", segment(id))).await?;
                Ok(screen.line(&detail(screen, &told))?)
            }
            Self::Resend(resend) => resend.run(session, screen).await,
            Self::Recover {
                endpoint,
                since,
                waiting,
            } => {
                let path = format!("/api/v1/endpoints/{}/recover", segment(endpoint));
                let since = since.map(|since| json!({ "since": since }));
                let begun = session
                    .post(&path, Some(&since.unwrap_or(json!({}))))
                    .await?;
                follow(session, screen, begun, !waiting.no_wait).await
            }
            Self::Replay {
                endpoint,
                since,
                until,
                types,
                waiting,
            } => {
                let path = format!("/api/v1/endpoints/{}/replay", segment(endpoint));
                let mut body = json!({ "since": since });
                if let Some(until) = until {
                    body["until"] = json!(until);
                }
                if !types.is_empty() {
                    body["eventTypes"] = json!(types);
                }
                let begun = session.post(&path, Some(&body)).await?;
                follow(session, screen, begun, !waiting.no_wait).await
            }
        }
    }
}

impl Resend {
    async fn run(&self, session: &Session, screen: Screen) -> anyhow::Result<()> {
        if !self.ids.is_empty() {
            for id in &self.ids {
                let path = format!("{PATH}/{}/resend", segment(id));
                let told = session.post(&path, None).await?;
                if screen.json {
                    screen.line(&told.to_string())?;
                } else {
                    let id = plain(text(&told, &["id"]));
                    screen.line(&format!("Delivery {id} is waiting to be sent"))?;
                }
            }
            return Ok(());
        }
        if self.filter.is_empty() {
            bail!(
                "name deliveries by their ids, or say which with --endpoint, --since and the like"
            );
        }
        let mut filter = self.filter.clone();
        filter.status.get_or_insert_with(|| "abandoned".to_owned());
        let path = format!("{PATH}/resend");
        let begun = session.post(&path, Some(&filter.as_json())).await?;
        follow(session, screen, begun, !self.waiting.no_wait).await
    }
}

async fn list(
    session: &Session,
    screen: Screen,
    filter: &Filter,
    limit: u64,
) -> anyhow::Result<()> {
    let mut left = limit;
    let mut page_token = None;
    let mut rows = Vec::new();
    loop {
        let mut parameters = filter.parameters().to_vec();
        parameters.push(("limit", Some(left.min(PAGE_MAX).to_string())));
        parameters.push(("pageToken", page_token.take()));
        let mut told = session.get(&with_query(PATH, &parameters)).await?;
        let records = told["records"].as_array().map_or(&[][..], Vec::as_slice);
        for record in records {
            if screen.json {
                screen.line(&record.to_string())?;
            } else {
                rows.push(row(record));
            }
        }
        left = left.saturating_sub(u64::try_from(records.len()).unwrap_or(u64::MAX));
        if let Value::String(next) = told["nextPageToken"].take() {
            page_token = Some(next);
        }
        if left == 0 || page_token.is_none() {
            break;
        }
    }
    if screen.json {
        return Ok(());
    }
    if rows.is_empty() {
        screen.note("There are no such deliveries");
        return Ok(());
    }
    let head = ["ID", "TIME", "TYPE", "STATUS", "TRIES", "LAST", "ENDPOINT"];
    for line in table(screen, head, &rows) {
        screen.line(&line)?;
    }
    if page_token.is_some() {
        screen.note("There are more: see --limit");
    }
    Ok(())
}

/// The first of the members that is a text.
fn text<'a>(record: &'a Value, names: &[&str]) -> &'a str {
    let texts = names.iter().filter_map(|name| record[*name].as_str());
    texts.into_iter().next().unwrap_or_default()
}

fn status_cell(record: &Value) -> Cell {
    let status = text(record, &["status", "state"]);
    let colour = match status {
        "delivered" => Colour::Green,
        "abandoned" => Colour::Red,
        _ => Colour::Yellow,
    };
    Cell::painted(colour, status)
}

fn row(record: &Value) -> [Cell; 7] {
    let last = match record["lastResponseCode"].as_u64() {
        Some(code) => code.to_string(),
        None => text(record, &["lastOutcome"]).to_owned(),
    };
    [
        text(record, &["id"]).into(),
        text(record, &["creationTime"]).into(),
        text(record, &["eventType"]).into(),
        status_cell(record),
        record["attempts"].as_u64().unwrap_or(0).to_string().into(),
        last.into(),
        text(record, &["endpointId", "subscriptionId"]).into(),
    ]
}

/// A delivery on several lines, or as one object.
fn detail(screen: Screen, told: &Value) -> String {
    if screen.json {
        return told.to_string();
    }
    let mut lines = Vec::new();
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            lines.push(format!("{name:<10} {}", plain(value)));
        }
    };
    add("Delivery", text(told, &["id"]));
    add("Status", text(told, &["status", "state"]));
    add("Reason", text(told, &["reason"]));
    add("Next try", text(told, &["nextAttemptTime", "dueTime"]));
    add("Endpoint", text(told, &["endpointId", "subscriptionId"]));
    let event = &told["event"];
    add("Event", text(event, &["id"]));
    add("Type", text(event, &["type", "eventType"]));
    add("Made", text(told, &["creationTime"]));
    if !event["data"].is_null() {
        lines.push(screen.paint(Colour::Dim, "Data"));
        lines.push(indented(&pretty(&event["data"])));
    }
    let logs = [&told["attemptLog"], &told["attempts"]];
    let attempts = logs.iter().find_map(|log| log.as_array());
    for attempt in attempts.into_iter().flatten() {
        lines.push(attempt_head(screen, attempt));
        let request = &attempt["request"];
        if request.is_object() {
            let (method, url) = (text(request, &["method"]), text(request, &["url"]));
            lines.push(indented(&format!("> {method} {url}")));
            lines.extend(headers(&request["headers"], '>'));
        }
        lines.extend(headers(&attempt["response"]["headers"], '<'));
        let answer = match text(&attempt["response"], &["body"]) {
            "" => text(attempt, &["answerExcerpt"]),
            body => body,
        };
        if !answer.is_empty() {
            lines.push(indented(answer));
        }
    }
    lines.join("\n")
}

fn attempt_head(screen: Screen, attempt: &Value) -> String {
    let code = attempt["responseCode"].as_u64();
    let code = code.or_else(|| attempt["status"].as_u64());
    let outcome = text(attempt, &["outcome"]);
    let colour = if outcome == "accepted" {
        Colour::Green
    } else {
        Colour::Red
    };
    let ended = code.map_or_else(
        || plain(outcome),
        |code| format!("{code} {}", plain(outcome)),
    );
    let micros = attempt["timings"]["totalUs"].as_u64();
    let micros = micros.or_else(|| attempt["totalMicros"].as_u64());
    let took = micros.map_or_else(String::new, |micros| format!("  {} ms", micros / 1_000));
    format!(
        "Attempt {}  {}  {}{took}",
        attempt["number"].as_u64().unwrap_or(0),
        plain(text(attempt, &["startTime"])),
        screen.paint(colour, &ended),
    )
}

/// Headers as an object, or as a list of pairs.
fn headers(headers: &Value, mark: char) -> Vec<String> {
    let line = |name: &str, value: &Value| {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        indented(&format!("{mark} {name}: {value}"))
    };
    match headers {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| line(name, value))
            .collect(),
        Value::Array(pairs) => pairs
            .iter()
            .filter_map(|pair| Some(line(pair[0].as_str()?, &pair[1])))
            .collect(),
        _ => Vec::new(),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn indented(text: &str) -> String {
    format!("    {}", plain_lines(text).replace('\n', "\n    "))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Only {
        #[command(flatten)]
        deliveries: Deliveries,
    }

    fn parse(words: &str) -> Result<Command, clap::error::ErrorKind> {
        let parsed = Only::try_parse_from(["x"].into_iter().chain(words.split(' ')));
        parsed
            .map(|only| only.deliveries.command)
            .map_err(|error| error.kind())
    }

    #[test]
    fn a_filter_becomes_a_query_and_an_object() {
        let Ok(Command::Resend(resend)) =
            parse("resend --endpoint e --code 5XX --type invoice.* --event evt_7 --no-wait --json")
        else {
            panic!("it is a resend");
        };
        assert_eq!(
            resend.filter.as_json(),
            json!({"endpointId": "e", "responseCode": "5xx", "eventType": "invoice.*", "eventId": "7"})
        );
        assert!(resend.waiting.no_wait);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for words in [
            "list --status late",
            "list --code 999",
            "list --code 5x",
            "list --since yesterday",
            "list --limit 0",
            "list --type inv*",
            "resend 7 --status abandoned",
            "replay 3f0c",
            "show",
        ] {
            assert!(parse(words).is_err(), "{words}");
        }
    }

    #[test]
    fn a_row_shows_how_the_last_attempt_ended() {
        let screen = Screen::plain(false);
        let rows = [
            row(
                &json!({"id": "1", "creationTime": "t", "eventType": "a.b", "status": "delivered",
                "attempts": 1, "lastResponseCode": 200, "lastOutcome": "accepted", "endpointId": "e"}),
            ),
            row(
                &json!({"id": "2", "creationTime": "t", "status": "waiting", "attempts": 0,
                "lastOutcome": null, "endpointId": "e"}),
            ),
            row(
                &json!({"id": "3", "creationTime": "t", "eventType": "a.b", "status": "abandoned",
                "attempts": 9, "lastResponseCode": null, "lastOutcome": "timed-out", "endpointId": "e"}),
            ),
        ];
        let head = ["ID", "TIME", "TYPE", "STATUS", "TRIES", "LAST", "ENDPOINT"];
        assert_eq!(
            table(screen, head, &rows),
            [
                "ID  TIME  TYPE  STATUS     TRIES  LAST       ENDPOINT",
                "1   t     a.b   delivered  1      200        e",
                "2   t     -     waiting    0      -          e",
                "3   t     a.b   abandoned  9      timed-out  e",
            ]
        );
    }

    #[test]
    fn a_delivery_is_shown_with_each_attempt() {
        let told = json!({"id": "1", "status": "abandoned", "reason": "Exhausted", "endpointId": "e",
            "event": {"id": "7", "type": "a.b", "data": {"x": 1}},
            "attempts": [{"number": 1, "startTime": "t", "outcome": "refused", "responseCode": 500,
                "request": {"method": "POST", "url": "http://x/", "headers": {"webhook-id": "evt_7"}},
                "response": {"headers": [["server", "n"]], "body": "oh\x1b[2J no"},
                "timings": {"totalUs": 12_345}}]});
        let shown = detail(Screen::plain(false), &told);
        assert_eq!(
            shown,
            "Delivery   1\nStatus     abandoned\nReason     Exhausted\nEndpoint   e\nEvent      7\n\
             Type       a.b\nData\n    {\n      \"x\": 1\n    }\nAttempt 1  t  500 refused  12 ms\n    \
             > POST http://x/\n    > webhook-id: evt_7\n    < server: n\n    oh\u{fffd}[2J no"
        );
    }
}
