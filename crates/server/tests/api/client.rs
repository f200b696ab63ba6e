//! A client that says exactly what a test wants said, and answers that are easy to claim about.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::described;

/// Calls one server, in one person's name or in nobody's.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON: {self:?}"))
    }

    /// A header's text, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("headers are text"))
    }

    /// `400 CMN-101 [name]` for a problem, `200` for anything else.
    pub(crate) fn brief(&self) -> String {
        let mut brief = self.status.as_u16().to_string();
        if !self.status.is_client_error() && !self.status.is_server_error() {
            return brief;
        }
        let kind = self.header("content-type");
        assert_eq!(kind, "application/json; charset=UTF-8", "{self:?}");
        let envelope = self.json();
        let first = &envelope["errors"][0];
        for level in [&envelope, first] {
            assert!(!level["message"].as_str().expect("a message").is_empty());
            assert_eq!(level["errorCode"], envelope["errorCode"]);
        }
        brief.push(' ');
        brief.push_str(envelope["errorCode"].as_str().expect("a code"));
        match first["parameterName"].as_str() {
            Some(name) => format!("{brief} [{name}]"),
            None => brief,
        }
    }

    /// The body with generated numbers hidden, for snapshots.
    pub(crate) fn shown(&self) -> String {
        let text = serde_json::to_string_pretty(&self.json()).expect("JSON is text");
        hide_uuids(&hide_numbers(&text))
    }

    pub(crate) fn id(&self) -> String {
        assert!(self.status.is_success(), "{self:?}");
        self.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Texts of `field` in `records`, in order.
    pub(crate) fn records(&self, field: &str) -> Vec<String> {
        let body = self.json();
        let records = body["records"].as_array().expect("a list");
        let text = |record: &Value| record[field].as_str().unwrap_or_default().to_owned();
        records.iter().map(text).collect()
    }
}

/// Replaces every UUID.
pub(crate) fn hide_uuids(text: &str) -> String {
    let is_uuid = |text: &str| {
        text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    };
    let mut shown = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if rest.get(..36).is_some_and(is_uuid) {
            shown.push_str("<uuid>");
            rest = &rest[36..];
        } else {
            shown.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    shown
}

/// Replaces runs of 12 digits and more.
pub(crate) fn hide_numbers(text: &str) -> String {
    let mut shown = String::new();
    let mut digits = String::new();
    for next in text.chars().chain(['\0']) {
        if next.is_ascii_digit() {
            digits.push(next);
            continue;
        }
        let long = digits.len() >= 12;
        shown.push_str(if long { "<id>" } else { &digits });
        digits.clear();
        shown.push(next);
    }
    shown.pop();
    shown
}

impl Client {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PATCH, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], "").await
    }

    /// POST without a body, labelled as JSON: what Java clients send.
    pub(crate) async fn act(&self, path: &str) -> Answer {
        self.send(
            Method::POST,
            path,
            &[("content-type", "application/json")],
            "",
        )
        .await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &kind, body).await
    }

    async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let kind = [("content-type", "application/json")];
        self.send(method, path, &kind, body.to_string()).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let response = self.open(method.clone(), path, headers, body).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).expect("answers are UTF-8"),
        };
        let tunnelled = headers
            .iter()
            .any(|(name, _)| *name == "x-http-method-override");
        if !tunnelled && !path.contains("_method=") {
            described::check(&method, path, &answer);
        }
        answer
    }

    /// Sends a request, and hands out its answer while the body is still coming.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> http::Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.expect("a listener");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("HTTP");
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string());
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).expect("a request");
        sender.send_request(request).await.expect("an answer")
    }
}
