//! Tokens for WebSocket connections (contract 1.3): what they are worth, and whom they let in.

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::kernel::limits::SOCKET_TOKEN_TTL;
use hookyard_domain::{Code, Problem, Scope, Session};
use http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::identity::caller::{Caller, is_same_origin};
use crate::kernel::problem::{ApiError, ApiResult};
use crate::operations::answers::{Answer, shown};

/// Where connections are taken.
pub const SOCKET_PATH: &str = "/ws";

crate::operations! {
    tag WebSocket, under ROOT, as App(WebSocketsSubscription), counted Auth;

    /// A token to connect with.
    create_socket_token: POST "/restapi/oauth/wstoken", repeats UNNOTICED;
}

shown!(SocketTokenView<'_> as SocketTokenView<'static>);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SocketToken")]
struct SocketTokenView<'a> {
    uri: String,
    ws_access_token: &'a str,
    expires_in: u64,
}

/// Clients use one token for every connection until most of its time is over, so it is good for
/// more than one. It is kept nowhere: who holds it holds a sealed note of the session.
async fn create_socket_token(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> ApiResult<Answer<SocketTokenView<'static>>> {
    let session = &caller.session.0;
    let expires_at = api.now() + SOCKET_TOKEN_TTL;
    let token = api
        .tokens
        .socket_token(session.account, session.id, expires_at);
    Ok(Answer::of(&SocketTokenView {
        uri: socket_uri(&api.settings.public_url),
        ws_access_token: token.reveal(),
        expires_in: SOCKET_TOKEN_TTL.as_secs(),
    }))
}

/// `http` becomes `ws`, and `https` becomes `wss`. Clients append their query to it.
fn socket_uri(public_url: &str) -> String {
    let rest = public_url.strip_prefix("http").unwrap_or(public_url);
    format!("ws{rest}{SOCKET_PATH}")
}

impl Api {
    /// The session that a token for WebSocket connections stands for, if it lives and its app may
    /// connect. `headers` are those of the request to connect: pages of other sites may bring
    /// tokens of their own, but never the console's.
    ///
    /// # Errors
    ///
    /// What is told to the client.
    pub async fn admit_socket(&self, token: &str, headers: &HeaderMap) -> Result<Session, Problem> {
        let admitted = self.session_of_socket_token(token).await;
        let session = admitted.map_err(ApiError::into_problem)?;
        if session.client_id.is_console() && !is_same_origin(headers, self) {
            return Err(Problem::of(Code::TokenInvalid));
        }
        if !session.scopes.allow(Scope::WebSocketsSubscription) {
            return Err(Problem::of(Code::AppPermissionMissing)
                .with("permission", Scope::WebSocketsSubscription.name()));
        }
        Ok(session)
    }

    async fn session_of_socket_token(&self, token: &str) -> ApiResult<Session> {
        let (account, session, expires_at) = self
            .tokens
            .read_socket_token(token)
            .ok_or(Code::TokenInvalid)?;
        if self.now() >= expires_at {
            return Err(Code::TokenExpired.into());
        }
        let session = self.store.session(account, session).await?;
        Ok(session.ok_or(Code::TokenInvalid)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_where_the_server_is() {
        assert_eq!(
            socket_uri("https://hooks.example.com"),
            "wss://hooks.example.com/ws"
        );
        assert_eq!(socket_uri("http://127.0.0.1:80"), "ws://127.0.0.1:80/ws");
    }
}
