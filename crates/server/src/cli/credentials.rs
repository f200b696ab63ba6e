//! `hookyard credentials`: what lets programs in, in a person's name.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::access::Access;
use super::apps::{delete, joined, tell};
use super::screen::{Colour, Display, Screen, plain};
use super::session::{Session, segment, with_query};
use super::table::{Cell, table};

const PATH: &str = "/api/v1/credentials";
const DAY_SECONDS: u64 = 24 * 3_600;

/// Manage JWT credentials and personal access tokens: your own, or those of bots.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  hookyard credentials create nightly --permissions TeamMessaging --days 90
      A personal access token, printed once: a bearer token as it is.

  hookyard credentials create ci --kind Jwt --app CLIENT_ID
      A JWT that the app exchanges for tokens.

  hookyard credentials revoke 3f0c7d9e-…")]
pub(crate) struct Credentials {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    display: Display,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List credentials, newest first.
    #[command(visible_alias = "ls")]
    List {
        /// Only of this kind.
        #[arg(long, value_parser = ["Jwt", "PersonalAccessToken"])]
        kind: Option<String>,
        /// Those of a bot, by its id.
        #[arg(long, value_name = "ID")]
        person: Option<String>,
    },
    /// Make a credential; prints its token, once.
    Create {
        /// What it is for.
        #[arg(value_name = "NAME")]
        name: String,
        /// A JWT is exchanged for tokens by an app; a personal access token is one.
        /// Without it, it is one.
        #[arg(long, value_parser = ["Jwt", "PersonalAccessToken"])]
        kind: Option<String>,
        /// What a personal access token may do; repeat it, or write commas.
        #[arg(
            long,
            value_name = "PERMISSION",
            value_delimiter = ',',
            required_unless_present = "kind",
            required_if_eq("kind", "PersonalAccessToken")
        )]
        permissions: Option<Vec<String>>,
        /// The app that it is for.
        #[arg(long, value_name = "CLIENT_ID")]
        app: Option<String>,
        /// How long it is good; until it is revoked otherwise.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=36_500))]
        days: Option<u64>,
        /// For a bot, by its id.
        #[arg(long, value_name = "ID")]
        person: Option<String>,
    },
    /// Let nobody in by it any more; it stays in the list.
    Revoke {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Forget a credential, and end what it opened.
    #[command(visible_alias = "rm")]
    Delete {
        #[arg(value_name = "ID")]
        id: String,
    },
}

impl Credentials {
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
            Self::List { kind, person } => {
                let parameters = [("kind", kind.clone()), ("personId", person.clone())];
                let path = with_query(PATH, &parameters);
                list(screen, &session.all(&path).await?)
            }
            Self::Create {
                name,
                kind,
                permissions,
                app,
                days,
                person,
            } => {
                let body = json!({
                    "kind": kind.as_deref().unwrap_or("PersonalAccessToken"),
                    "name": name,
                    "permissions": permissions,
                    "clientId": app,
                    "expiresIn": days.map(|days| days * DAY_SECONDS),
                    "personId": person,
                });
                let told = session.post(PATH, Some(&body)).await?;
                tell(screen, &told, "token")
            }
            Self::Revoke { id } => {
                let path = format!("{PATH}/{}/revoke", segment(id));
                let told = session.post(&path, None).await?;
                let shown = if screen.json {
                    told.to_string()
                } else {
                    format!("Revoked {}", plain(id))
                };
                Ok(screen.line(&shown)?)
            }
            Self::Delete { id } => {
                let path = format!("{PATH}/{}", segment(id));
                delete(session, screen, &path, id).await
            }
        }
    }
}

fn list(screen: Screen, records: &[Value]) -> anyhow::Result<()> {
    if screen.json {
        for record in records {
            screen.line(&record.to_string())?;
        }
        return Ok(());
    }
    if records.is_empty() {
        screen.note("There are no such credentials");
        return Ok(());
    }
    let rows: Vec<_> = records.iter().map(row).collect();
    let head = ["ID", "KIND", "STATE", "LAST USED", "APP", "NAME"];
    for line in table(screen, head, &rows) {
        screen.line(&line)?;
    }
    Ok(())
}

fn row(record: &Value) -> [Cell; 6] {
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    let state = if record["revokedTime"].is_null() {
        Cell::from(match text("expirationTime") {
            "" => "good".to_owned(),
            time => format!("until {time}"),
        })
    } else {
        Cell::painted(Colour::Red, "revoked")
    };
    let kind = match record["permissions"].as_array() {
        Some(permissions) if permissions.len() <= 2 => {
            format!("{} ({})", text("kind"), joined(&record["permissions"]))
        }
        _ => text("kind").to_owned(),
    };
    [
        text("id").into(),
        kind.into(),
        state,
        text("lastUsedTime").into(),
        text("clientId").into(),
        text("name").into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_whether_a_credential_still_lets_in() {
        let record = json!({"id": "i", "kind": "Jwt", "name": "ci", "clientId": "app",
            "permissions": null, "revokedTime": "2027-01-15T08:00:00.000Z"});
        let lines = table(
            Screen::plain(false),
            ["A", "B", "C", "D", "E", "F"],
            &[row(&record)],
        );
        assert_eq!(lines[1], "i  Jwt  revoked  -  app  ci");
    }
}
