//! What a person asks of Hookyard through its API: a token, subscriptions, a door for sockets,
//! endpoints.

use std::net::SocketAddr;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::load::Target;
use crate::message::{Content, EVENT_TYPE};
use crate::signature;

/// The filter that the cards of a measurement match.
pub(crate) const POSTS: &str = "/team-messaging/v1/posts";

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    address: SocketAddr,
    bearer: String,
}

impl Person {
    /// Signs in with a JWT; `client` is `id:secret`.
    pub(crate) async fn sign_in(
        address: SocketAddr,
        client: &str,
        jwt: &str,
    ) -> anyhow::Result<Self> {
        let basic = format!("Basic {}", STANDARD.encode(client));
        // A JWT has only characters that a form takes as they are.
        let grant = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={jwt}"
        );
        let form = [
            ("authorization", basic.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let path = "/restapi/oauth/token";
        let (status, answer) = call(address, Method::POST, path, &form, grant.into()).await?;
        let token = answer["access_token"].as_str();
        let token = token.with_context(|| format!("sign-in answered {status} {answer}"))?;
        Ok(Self {
            address,
            bearer: format!("Bearer {token}"),
        })
    }

    /// Subscribes `receiver` to what `filter` names.
    pub(crate) async fn subscribe(&self, filter: &str, receiver: SocketAddr) -> anyhow::Result<()> {
        let wanted = json!({
            "eventFilters": [filter],
            "expiresIn": 86_400,
            "deliveryMode": {
                "transportType": "WebHook",
                "address": format!("http://{receiver}/hook"),
            },
        });
        let path = "/restapi/v1.0/subscription";
        let (status, answer) = self.post(path, &wanted).await?;
        anyhow::ensure!(
            status == 200 && answer["status"] == "Active",
            "subscribing answered {status} {answer}"
        );
        Ok(())
    }

    /// Registers the type of the events of a measurement.
    pub(crate) async fn register_type(&self) -> anyhow::Result<()> {
        let path = "/api/v1/event-types";
        let (status, answer) = self.post(path, &json!({ "name": EVENT_TYPE })).await?;
        anyhow::ensure!(status == 201, "{path} answered {status} {answer}");
        Ok(())
    }

    /// Makes an endpoint with the default settings for these events.
    pub(crate) async fn make_endpoint(&self, url: &str) -> anyhow::Result<()> {
        let wanted = json!({
            "url": url,
            "eventTypes": [EVENT_TYPE],
            "secret": signature::secret(),
        });
        let path = "/api/v1/endpoints";
        let (status, answer) = self.post(path, &wanted).await?;
        anyhow::ensure!(
            status == 201 && answer["status"] == "Active",
            "{path} answered {status} {answer}"
        );
        Ok(())
    }

    /// Asks for a bin: whether there was room for it.
    pub(crate) async fn make_bin(&self) -> anyhow::Result<bool> {
        let path = "/api/v1/bins";
        let (status, answer) = self.post(path, &json!({ "name": "Bench" })).await?;
        match status {
            201 => Ok(true),
            403 => Ok(false),
            _ => anyhow::bail!("{path} answered {status} {answer}"),
        }
    }

    /// Where these events are published, to arrive so many times.
    pub(crate) fn publishing(&self, content: Content, copies: u32) -> Target {
        Target {
            address: self.address,
            path: "/api/v1/events".to_owned(),
            authorization: Some(self.bearer.clone()),
            content,
            copies,
        }
    }

    /// Where to open a WebSocket: the path carries a token, which is good for ten minutes.
    pub(crate) async fn socket_door(&self) -> anyhow::Result<Target> {
        let path = "/restapi/oauth/wstoken";
        let (status, answer) = self.post(path, &Value::Null).await?;
        let said = |name: &str| {
            let value = answer[name].as_str();
            value.with_context(|| format!("{path} answered {status} without {name}"))
        };
        let (uri, token) = (said("uri")?, said("ws_access_token")?);
        let place = format!("ws://{}", self.address);
        let path = uri
            .strip_prefix(&place)
            .with_context(|| format!("`{uri}` is not on {place}"))?;
        let path = format!("{path}?access_token={token}");
        Ok(Target::of_cards(self.address, &path))
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        let headers = [
            ("authorization", self.bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let body = match body {
            Value::Null => Bytes::new(),
            value => Bytes::from(value.to_string()),
        };
        call(self.address, Method::POST, path, &headers, body).await
    }
}

/// One request on its own connection: status and JSON (null when the body is none).
pub(crate) async fn call(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> anyhow::Result<(u16, Value)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", address.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Full::new(body))?).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}
