//! `hookyard endpoints`: where the account's events go.

use bytes::Bytes;
use clap::{Args, Subcommand};
use hookyard_domain::TypePattern;
use http::Method;
use serde_json::{Value, json};

use super::access::Access;
use super::screen::{Colour, Display, Screen, plain};
use super::session::{JSON, Session, segment, with_query};
use super::table::{Cell, table};

const PATH: &str = "/api/v1/endpoints";

/// Manage webhook endpoints.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  hookyard endpoints add https://example.com/hook --types 'invoice.*,payment.declined'
  hookyard endpoints list --status Errored
  hookyard endpoints pause 3f0c7d9e-…")]
pub(crate) struct Endpoints {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    display: Display,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List endpoints, newest first.
    #[command(visible_alias = "ls")]
    List {
        /// Only in this state.
        #[arg(long, value_parser = ["Active", "Paused", "Errored"], ignore_case = true)]
        status: Option<String>,
        /// Only those that ask for this type.
        #[arg(long = "type", value_name = "TYPE")]
        event_type: Option<String>,
    },
    /// Add an endpoint.
    Add {
        #[arg(value_name = "URL")]
        url: String,
        /// Which types of events, such as `invoice.*`; repeat it, or write commas.
        #[arg(long, value_name = "PATTERN", required = true, value_delimiter = ',', value_parser = TypePattern::parse)]
        types: Vec<TypePattern>,
        /// What it is for.
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
    },
    /// Show the secret that signs its requests.
    Secret {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Send nothing for now; events wait.
    Pause {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Go on with what waits.
    Resume {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Delete an endpoint, with what waits for it.
    #[command(visible_alias = "rm")]
    Delete {
        #[arg(value_name = "ID")]
        id: String,
    },
}

impl Endpoints {
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
            Self::List { status, event_type } => {
                let parameters = [
                    ("status", status.as_deref().map(capital)),
                    ("eventType", event_type.clone()),
                ];
                let told = session.get(&with_query(PATH, &parameters)).await?;
                list(screen, &told)
            }
            Self::Add {
                url,
                types,
                description,
            } => {
                let body = json!({ "url": url, "eventTypes": types, "description": description });
                let told = session.post(PATH, Some(&body)).await?;
                tell(screen, &told, "Added")
            }
            Self::Secret { id } => {
                let path = format!("{PATH}/{}/secret", segment(id));
                let told = session.get(&path).await?;
                let secret = told["secret"].as_str().unwrap_or_default();
                let shown = if screen.json {
                    told.to_string()
                } else {
                    plain(secret)
                };
                Ok(screen.line(&shown)?)
            }
            Self::Pause { id } => {
                let path = format!("{PATH}/{}/pause", segment(id));
                tell(screen, &session.post(&path, None).await?, "Paused")
            }
            Self::Resume { id } => {
                let path = format!("{PATH}/{}/resume", segment(id));
                tell(screen, &session.post(&path, None).await?, "Resumed")
            }
            Self::Delete { id } => {
                let path = format!("{PATH}/{}", segment(id));
                let deleting = session.ask(Method::DELETE, &path, Bytes::new(), JSON);
                deleting.await?;
                tell(screen, &json!({ "id": id }), "Deleted")
            }
        }
    }
}

/// The server knows states by a capital letter.
fn capital(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let (first, rest) = lower.split_at(1);
    first.to_ascii_uppercase() + rest
}

fn tell(screen: Screen, told: &Value, what: &str) -> anyhow::Result<()> {
    let shown = if screen.json {
        told.to_string()
    } else {
        let id = plain(told["id"].as_str().unwrap_or_default());
        match told["url"].as_str() {
            Some(url) => format!("{what} {id}, {}", plain(url)),
            None => format!("{what} {id}"),
        }
    };
    Ok(screen.line(&shown)?)
}

fn list(screen: Screen, told: &Value) -> anyhow::Result<()> {
    let records = told["records"].as_array().map_or(&[][..], Vec::as_slice);
    if screen.json {
        for record in records {
            screen.line(&record.to_string())?;
        }
        return Ok(());
    }
    if records.is_empty() {
        screen.note("There are no such endpoints");
        return Ok(());
    }
    let rows: Vec<_> = records.iter().map(row).collect();
    for line in table(screen, ["ID", "STATUS", "TYPES", "URL"], &rows) {
        screen.line(&line)?;
    }
    Ok(())
}

fn row(record: &Value) -> [Cell; 4] {
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    let colour = match text("status") {
        "Active" => Colour::Green,
        "Errored" => Colour::Red,
        _ => Colour::Yellow,
    };
    let types = record["eventTypes"].as_array().into_iter().flatten();
    let types: Vec<_> = types.filter_map(Value::as_str).collect();
    [
        text("id").into(),
        Cell::painted(colour, text("status")),
        types.join(",").into(),
        text("url").into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_where_events_go_and_which() {
        let record =
            json!({"id": "e", "status": "Paused", "url": "https://x/", "eventTypes": ["a.*", "b"]});
        let lines = table(
            Screen::plain(false),
            ["ID", "STATUS", "TYPES", "URL"],
            &[row(&record)],
        );
        assert_eq!(lines[1], "e   Paused  a.*,b  https://x/");
    }

    #[test]
    fn states_may_be_written_small() {
        assert_eq!(capital("errored"), "Errored");
        assert_eq!(capital("PAUSED"), "Paused");
    }
}
