//! A WebSocket client that says exactly what a test wants said.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::client::Client;
use crate::world::World;

/// Nothing on this machine takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub(crate) struct Socket {
    pub(crate) stream: WebSocketStream<TcpStream>,
    requests: u32,
}

/// Asks for a token for connections.
pub(crate) async fn socket_token(client: &Client) -> String {
    let answer = client.act("/restapi/oauth/wstoken").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    text(&answer.json()["ws_access_token"])
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}

/// The token that a frame carries.
pub(crate) fn recovery_token(frame: &Value) -> String {
    text(&frame[0]["wsc"]["token"])
}

impl Socket {
    /// Connects with a query and headers as they are.
    pub(crate) async fn dial(
        world: &World,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let stream = TcpStream::connect(world.address).await?;
        let mut request = format!("ws://{}/ws{query}", world.address).into_client_request()?;
        for (name, value) in headers {
            let value = value.parse().expect("a header");
            request.headers_mut().insert(*name, value);
        }
        let (stream, _) = client_async(request, stream).await?;
        Ok(Self {
            stream,
            requests: 0,
        })
    }

    /// Connects as `client`, and waits for the details.
    pub(crate) async fn open(world: &World, client: &Client) -> (Self, Value) {
        Self::open_with(world, client, "").await
    }

    /// The same, with the token of a session that is wanted back.
    pub(crate) async fn recover(world: &World, client: &Client, token: &str) -> (Self, Value) {
        Self::open_with(world, client, &format!("&wsc={token}")).await
    }

    async fn open_with(world: &World, client: &Client, rest: &str) -> (Self, Value) {
        let token = socket_token(client).await;
        let query = format!("?access_token={token}{rest}");
        let dialled = Self::dial(world, &query, &[]).await;
        let mut socket = dialled.expect("a connection");
        let details = socket.frame().await;
        assert_eq!(details[0]["type"], "ConnectionDetails", "{details}");
        (socket, details)
    }

    /// Connects and subscribes to posts. Returns the subscription's id too.
    pub(crate) async fn subscribed(world: &World, client: &Client) -> (Self, Value, String) {
        let (mut socket, details) = Self::open(world, client).await;
        let answer = socket.subscribe().await;
        let id = text(&answer[1]["id"]);
        (socket, details, id)
    }

    pub(crate) async fn subscribe(&mut self) -> Value {
        let body = json!({
            "eventFilters": ["/restapi/v1.0/glip/posts"],
            "deliveryMode": { "transportType": "WebSocket" },
        });
        let answer = self
            .ask("post", "/restapi/v1.0/subscription", Some(body))
            .await;
        assert_eq!(answer[0]["status"], 200, "{answer}");
        answer
    }

    /// What comes next, pings left out; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match next.expect("something happens in time") {
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The text of the next frame.
    pub(crate) async fn raw(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("a frame, not {other:?}"),
        }
    }

    pub(crate) async fn frame(&mut self) -> Value {
        let raw = self.raw().await;
        serde_json::from_str(&raw).unwrap_or_else(|_| panic!("JSON: {raw}"))
    }

    /// The text of the post that comes next.
    pub(crate) async fn post(&mut self) -> String {
        let frame = self.frame().await;
        assert_eq!(frame[0]["type"], "ServerNotification", "{frame}");
        text(&frame[1]["body"]["text"])
    }

    /// `408 WSG-902`, and the code that the connection closes with behind it.
    pub(crate) async fn last_words(&mut self) -> String {
        let frame = self.frame().await;
        assert_eq!(frame[0]["type"], "Error", "{frame}");
        let code = text(&frame[1]["errorCode"]);
        let close = match self.next().await {
            Some(Message::Close(Some(close))) => u16::from(close.code),
            other => panic!("a close, not {other:?}"),
        };
        assert!(self.next().await.is_none(), "nothing comes behind a close");
        format!("{} {code}, {close}", frame[0]["status"])
    }

    pub(crate) async fn say(&mut self, text: impl Into<String>) {
        let message = Message::text(text.into());
        self.stream.send(message).await.expect("a connection");
    }

    /// Makes a request, and waits for its answer. Notifications meanwhile are not expected.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.requests += 1;
        let id = format!("request-{}", self.requests);
        let head =
            json!({ "type": "ClientRequest", "messageId": id, "method": method, "path": path });
        let frame = match body {
            Some(body) => json!([head, body]),
            None => json!([head]),
        };
        self.say(frame.to_string()).await;
        let answer = self.frame().await;
        assert_eq!(answer[0]["type"], "ClientRequest", "{answer}");
        assert_eq!(answer[0]["messageId"], id.as_str(), "{answer}");
        assert!(answer[0]["headers"]["RCRequestId"].is_string(), "{answer}");
        answer
    }

    /// Breaks the connection without a word.
    pub(crate) fn kill(self) {
        drop(self.stream.into_inner());
    }
}
