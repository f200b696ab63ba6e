//! `hookyard apps`: programs that call the server, and what they may do.

use std::path::PathBuf;

use anyhow::Context as _;
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};

use super::access::Access;
use super::screen::{Display, Screen, plain};
use super::session::{JSON, Session, segment};
use super::table::{Cell, table};

const PATH: &str = "/api/v1/apps";

/// Manage apps: programs that call the server.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  hookyard apps create Billing --permissions TeamMessaging,SubscriptionWebhook
      The client secret is printed once.

  hookyard apps change CLIENT_ID --permissions TeamMessaging,SubscriptionWebhook
      From the next sign-in on.

  hookyard apps secret CLIENT_ID
  hookyard apps delete-secret CLIENT_ID SECRET_ID
      Rotates: bring the new secret to the program, then take the old one away.

  hookyard apps verification-token CLIENT_ID --rotate")]
pub(crate) struct Apps {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    display: Display,
}

/// What can be said of an app.
#[derive(Debug, Default, Args)]
struct Settings {
    /// What it may do, such as `TeamMessaging`; repeat it, or write commas.
    #[arg(long, value_name = "PERMISSION", value_delimiter = ',')]
    permissions: Option<Vec<String>>,
    /// Where people may be sent back to after they signed in; repeat it, or write commas.
    #[arg(long = "redirect-uris", value_name = "URI", value_delimiter = ',')]
    redirect_uris: Option<Vec<String>>,
    /// File with its public keys, a JSON Web Key Set.
    #[arg(long = "public-keys", value_name = "FILE")]
    public_keys: Option<PathBuf>,
    /// Where interactive messages are sent to; empty for nowhere.
    #[arg(long = "outbound-url", value_name = "URL")]
    outbound_url: Option<String>,
}

impl Settings {
    fn body(&self) -> anyhow::Result<Map<String, Value>> {
        let mut body = Map::new();
        if let Some(permissions) = &self.permissions {
            body.insert("permissions".to_owned(), json!(permissions));
        }
        if let Some(uris) = &self.redirect_uris {
            body.insert("redirectUris".to_owned(), json!(uris));
        }
        if let Some(path) = &self.public_keys {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("failed to read `{}`", path.display()))?;
            let keys: Value = serde_json::from_str(&text)
                .with_context(|| format!("`{}` holds no JSON", path.display()))?;
            body.insert("publicKeys".to_owned(), keys);
        }
        if let Some(url) = &self.outbound_url {
            let url = Some(url).filter(|url| !url.is_empty());
            body.insert("outboundUrl".to_owned(), json!(url));
        }
        Ok(body)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List apps, newest first.
    #[command(visible_alias = "ls")]
    List,
    /// Show an app.
    Show {
        #[arg(value_name = "CLIENT_ID")]
        id: String,
    },
    /// Make an app; prints its client secret, once.
    Create {
        #[arg(value_name = "NAME")]
        name: String,
        /// What it is: a Browser app has no secret.
        #[arg(long, default_value = "Server", value_parser = ["Server", "Browser", "Bot"])]
        kind: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change an app; what is not said stays.
    Change {
        #[arg(value_name = "CLIENT_ID")]
        id: String,
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Make one more client secret; prints it, once. Two are good at a time.
    Secret {
        #[arg(value_name = "CLIENT_ID")]
        id: String,
    },
    /// Take one of two client secrets away.
    DeleteSecret {
        #[arg(value_name = "CLIENT_ID")]
        id: String,
        #[arg(value_name = "SECRET_ID")]
        secret: String,
    },
    /// Show what signs its interactive messages.
    OutboundSecret {
        #[arg(value_name = "CLIENT_ID")]
        id: String,
        /// Make another one first.
        #[arg(long)]
        rotate: bool,
    },
    /// Show what its subscriptions present that name no token.
    VerificationToken {
        #[arg(value_name = "CLIENT_ID")]
        id: String,
        /// Make one first, or another one.
        #[arg(long, conflicts_with = "remove")]
        rotate: bool,
        /// Take it away.
        #[arg(long)]
        remove: bool,
    },
    /// Delete an app, with its sessions, subscriptions and credentials.
    #[command(visible_alias = "rm")]
    Delete {
        #[arg(value_name = "CLIENT_ID")]
        id: String,
    },
}

impl Apps {
    /// Does what was asked.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let screen = Screen::new(&self.display);
        let session = Session::new(&self.access)?;
        let done = self.command.run(&session, screen).await;
        session.end().await;
        done
    }
}

fn one(id: &str, rest: &str) -> String {
    format!("{PATH}/{}{rest}", segment(id))
}

impl Command {
    async fn run(&self, session: &Session, screen: Screen) -> anyhow::Result<()> {
        match self {
            Self::List => list(screen, &session.all(PATH).await?),
            Self::Show { id } => show(screen, &session.get(&one(id, "")).await?),
            Self::Create {
                name,
                kind,
                settings,
            } => {
                let mut body = settings.body()?;
                body.insert("name".to_owned(), json!(name));
                body.insert("kind".to_owned(), json!(kind));
                body.entry("permissions").or_insert_with(|| json!([]));
                let told = session.post(PATH, Some(&body.into())).await?;
                show(screen, &told)
            }
            Self::Change { id, name, settings } => {
                let mut body = settings.body()?;
                if let Some(name) = name {
                    body.insert("name".to_owned(), json!(name));
                }
                let body = Bytes::from(Value::from(body).to_string());
                let path = one(id, "");
                let told = session.ask(Method::PATCH, &path, body, JSON).await?;
                show(screen, &told)
            }
            Self::Secret { id } => {
                let told = session.post(&one(id, "/secrets"), None).await?;
                tell(screen, &told, "clientSecret")
            }
            Self::DeleteSecret { id, secret } => {
                let path = one(id, &format!("/secrets/{}", segment(secret)));
                delete(session, screen, &path, secret).await
            }
            Self::OutboundSecret { id, rotate } => {
                let told = if *rotate {
                    session
                        .post(&one(id, "/outbound-secret/rotate"), None)
                        .await?
                } else {
                    session.get(&one(id, "/outbound-secret")).await?
                };
                tell(screen, &told, "secret")
            }
            Self::VerificationToken { id, rotate, remove } => {
                let path = one(id, "/verification-token");
                if *remove {
                    return delete(session, screen, &path, id).await;
                }
                let told = if *rotate {
                    session.post(&path, None).await?
                } else {
                    session.get(&path).await?
                };
                tell(screen, &told, "verificationToken")
            }
            Self::Delete { id } => delete(session, screen, &one(id, ""), id).await,
        }
    }
}

/// Deletes what is at `path`, which people know as `id`.
pub(super) async fn delete(
    session: &Session,
    screen: Screen,
    path: &str,
    id: &str,
) -> anyhow::Result<()> {
    let deleting = session.ask(Method::DELETE, path, Bytes::new(), JSON);
    deleting.await?;
    let shown = if screen.json {
        json!({ "id": id }).to_string()
    } else {
        format!("Deleted {}", plain(id))
    };
    Ok(screen.line(&shown)?)
}

/// Prints one member of an answer, so that scripts can take it.
pub(super) fn tell(screen: Screen, told: &Value, member: &str) -> anyhow::Result<()> {
    let shown = if screen.json {
        told.to_string()
    } else {
        plain(told[member].as_str().unwrap_or_default())
    };
    Ok(screen.line(&shown)?)
}

/// The texts of a list, with commas between.
pub(super) fn joined(list: &Value) -> String {
    let texts = list.as_array().into_iter().flatten();
    let texts: Vec<_> = texts.filter_map(Value::as_str).collect();
    texts.join(",")
}

fn show(screen: Screen, told: &Value) -> anyhow::Result<()> {
    if screen.json {
        return Ok(screen.line(&told.to_string())?);
    }
    for line in lines(told) {
        screen.line(&line)?;
    }
    Ok(())
}

/// An app, a line for each thing that there is to say.
fn lines(told: &Value) -> Vec<String> {
    let text = |name: &str| plain(told[name].as_str().unwrap_or_default());
    let mut lines = vec![
        format!("Client id:     {}", text("clientId")),
        format!("Name:          {}", text("name")),
        format!("Kind:          {}", text("kind")),
        format!("Permissions:   {}", plain(&joined(&told["permissions"]))),
    ];
    let mut further = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{name:<14} {value}"));
        }
    };
    further("Redirect URIs:", plain(&joined(&told["redirectUris"])));
    further("Outbound URL:", text("outboundUrl"));
    for secret in told["secrets"].as_array().into_iter().flatten() {
        let part = |name: &str| plain(secret[name].as_str().unwrap_or("never"));
        let (id, hint, used) = (part("id"), part("hint"), part("lastUsedTime"));
        further("Secret:", format!("{id}, ends in {hint}, last used {used}"));
    }
    further("Client secret:", text("clientSecret"));
    lines
}

fn list(screen: Screen, records: &[Value]) -> anyhow::Result<()> {
    if screen.json {
        for record in records {
            screen.line(&record.to_string())?;
        }
        return Ok(());
    }
    let rows: Vec<_> = records.iter().map(row).collect();
    for line in table(screen, ["CLIENT ID", "KIND", "PERMISSIONS", "NAME"], &rows) {
        screen.line(&line)?;
    }
    Ok(())
}

fn row(record: &Value) -> [Cell; 4] {
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    let permissions = record["permissions"].as_array().map_or(0, Vec::len);
    let permissions = match permissions {
        // More than a line holds.
        count if count > 3 => format!("{count} permissions"),
        _ => joined(&record["permissions"]),
    };
    [
        text("clientId").into(),
        text("kind").into(),
        permissions.into(),
        text("name").into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_told_with_its_secrets_by_their_ends() {
        let told = json!({"clientId": "c", "name": "B\u{1b}", "kind": "Bot", "permissions": ["A", "B"],
            "secrets": [{"id": "s", "hint": "wxyz", "lastUsedTime": null}], "clientSecret": "hys_x"});
        assert_eq!(
            lines(&told),
            [
                "Client id:     c",
                "Name:          B\u{fffd}",
                "Kind:          Bot",
                "Permissions:   A,B",
                "Secret:        s, ends in wxyz, last used never",
                "Client secret: hys_x",
            ]
        );
    }

    #[test]
    fn what_is_not_said_is_not_in_the_body() {
        assert!(Settings::default().body().unwrap().is_empty());
        let settings = Settings {
            outbound_url: Some(String::new()),
            ..Settings::default()
        };
        assert_eq!(settings.body().unwrap()["outboundUrl"], Value::Null);
    }
}
