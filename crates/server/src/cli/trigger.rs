//! `hookyard trigger`: an example of a type of events, published or sent to one endpoint.

use anyhow::{Context as _, bail};
use clap::Args;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::access::Access;
use super::publish::{Data, Event, publish, show};
use super::screen::{Display, Screen, plain};
use super::session::{Fault, JSON, Session, segment};

/// Send an example of a type of events.
///
/// To one endpoint alone, or published as if it had happened, to everyone who asks for it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  hookyard trigger invoice.paid
      Publishes the example that the type was registered with.

  hookyard trigger post.PostAdded --endpoint 3f0c7d9e-…
      Sends the example to that endpoint only, whatever it asks for.

  hookyard trigger invoice.paid --data @invoice.json
      With other data.")]
pub(crate) struct Trigger {
    /// Type of the event, such as `invoice.paid`.
    #[arg(value_name = "TYPE")]
    event_type: String,
    /// Send it to this endpoint alone, as a test.
    #[arg(long, value_name = "ID")]
    endpoint: Option<String>,
    /// Data in place of the example's: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, value_name = "JSON", value_parser = Data::parse)]
    data: Option<Data>,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    display: Display,
}

impl Trigger {
    /// Sends the example.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let screen = Screen::new(&self.display);
        let data = self.data.as_ref().map(Data::read).transpose()?;
        let session = Session::new(&self.access)?;
        let done = match &self.endpoint {
            Some(endpoint) => self.test(&session, screen, endpoint, data).await,
            None => self.publish(&session, screen, data).await,
        };
        session.end().await;
        done
    }

    async fn test(
        &self,
        session: &Session,
        screen: Screen,
        endpoint: &str,
        data: Option<Box<RawValue>>,
    ) -> anyhow::Result<()> {
        let data = data.map(|data| format!(r#","data":{}"#, data.get()));
        let body = format!(
            r#"{{"eventType":{}{}}}"#,
            json!(self.event_type),
            data.unwrap_or_default()
        );
        let path = format!("/api/v1/endpoints/{}/test", segment(endpoint));
        let told = session.ask(Method::POST, &path, body.into(), JSON).await?;
        if screen.json {
            return Ok(screen.line(&told.to_string())?);
        }
        let text = |name: &str| plain(told[name].as_str().unwrap_or("none"));
        screen.line(&format!(
            "Sent {} to the endpoint as event {}; see `hookyard deliveries show {}`",
            plain(&self.event_type),
            text("eventId"),
            text("deliveryId")
        ))?;
        Ok(())
    }

    async fn publish(
        &self,
        session: &Session,
        screen: Screen,
        data: Option<Box<RawValue>>,
    ) -> anyhow::Result<()> {
        let path = format!("/api/v1/event-types/{}", segment(&self.event_type));
        let body = match session.read(&path).await {
            Err(Fault::Refused(refusal)) if refusal.status == StatusCode::NOT_FOUND => bail!(
                "there is no type `{0}`: register it with POST /api/v1/event-types, or publish it with data: `hookyard publish {0} --data JSON --register`",
                self.event_type
            ),
            read => read?,
        };
        let known: KnownType = serde_json::from_slice(&body)
            .context("the server's description of the type makes no sense")?;
        let data = if let Some(data) = data {
            data
        } else {
            let example = known.example.clone().with_context(|| {
                format!(
                    "`{}` has no example: give data with --data",
                    self.event_type
                )
            })?;
            let me = session.get("/api/v1/me").await?;
            about(&example, &me)
        };
        if known.is_made_by("Account") {
            let event = Event {
                type_name: &self.event_type,
                data: &data,
                id: None,
                subject: None,
                source: None,
            };
            let told = publish(session, &event, false).await?;
            return Ok(show(screen, &told, None)?);
        }
        let Some(event) = known.published_as() else {
            bail!(
                "only Hookyard itself makes `{}`: send its example to one endpoint with --endpoint",
                self.event_type
            );
        };
        let body = format!(r#"{{"event":{},"body":{}}}"#, json!(event), data.get());
        let told = session
            .ask(Method::POST, "/api/v1/events", body.into(), JSON)
            .await?;
        Ok(show(screen, &told, None)?)
    }
}

/// An example with the caller in the place of the person whom it names: apps publish what is about
/// somebody who is there.
fn about(example: &RawValue, me: &Value) -> Box<RawValue> {
    let mut value: Value = serde_json::from_str(example.get()).unwrap_or_default();
    let mut changed = false;
    for (member, who) in [("extensionId", "person"), ("accountId", "account")] {
        let own = me[who]["id"].as_str().unwrap_or_default();
        let put = match value.get(member) {
            Some(Value::String(_)) => json!(own),
            Some(Value::Number(_)) => json!(own.parse::<u64>().unwrap_or_default()),
            _ => continue,
        };
        value[member] = put;
        changed = true;
    }
    let named = changed.then(|| RawValue::from_string(value.to_string()).ok());
    named.flatten().unwrap_or_else(|| example.to_owned())
}

/// What is known of a type.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct KnownType {
    producers: Vec<String>,
    /// By which others subscribe.
    filters: Vec<Filter>,
    /// That of its newest version, as it is written.
    example: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct Filter {
    path: String,
}

impl KnownType {
    fn is_made_by(&self, who: &str) -> bool {
        self.producers.iter().any(|producer| producer == who)
    }

    /// The event that an app publishes it as, about itself; `None` when apps do not.
    fn published_as(&self) -> Option<String> {
        if !self.is_made_by("Apps") {
            return None;
        }
        let mut paths = self.filters.iter().map(|filter| &filter.path);
        let path = paths.find(|path| path.contains("{extensionId}"))?;
        Some(
            path.replace("{accountId}", "~")
                .replace("{extensionId}", "~"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_about_whoever_sends_it() {
        let me = json!({"person": {"id": "7"}, "account": {"id": "1"}});
        let check = |example: &str, expect: &str| {
            let example: Box<RawValue> = serde_json::from_str(example).unwrap();
            assert_eq!(about(&example, &me).get(), expect);
        };
        check(r#"{"extensionId": "62"}"#, r#"{"extensionId":"7"}"#);
        check(r#"{"accountId": 4, "a": 1}"#, r#"{"a":1,"accountId":1}"#);
        check(r#"{ "amount": 1.50 }"#, r#"{ "amount": 1.50 }"#);
    }

    #[test]
    fn what_apps_publish_is_about_oneself() {
        let known = |producer: &str| -> KnownType {
            let text = format!(
                r#"{{"producers":["{producer}"],"example":{{"b" : 1.50}},"filters":[
                    {{"path":"/restapi/v1.0/account/{{accountId}}/presence"}},
                    {{"path":"/restapi/v1.0/account/{{accountId}}/extension/{{extensionId}}/presence"}}]}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        assert_eq!(
            known("Apps").published_as().as_deref(),
            Some("/restapi/v1.0/account/~/extension/~/presence")
        );
        assert_eq!(known("Hookyard").published_as(), None);
        assert_eq!(known("Apps").example.unwrap().get(), r#"{"b" : 1.50}"#);
    }
}
