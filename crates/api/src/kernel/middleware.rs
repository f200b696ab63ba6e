//! What every request passes: an id, CORS, method tunnelling, panics, and the watch on
//! development mode.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use hookyard_domain::{Code, Problem};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::Api;
use crate::kernel::idempotency;
use crate::kernel::problem::problem_response;
use crate::kernel::rate_limits::{Group, Meter};

const REQUEST_ID: HeaderName = HeaderName::from_static("rcrequestid");
const METHOD_OVERRIDE: &str = "x-http-method-override";

/// Around everything, the page and the hook URLs too: ends development mode at the first sign of a
/// proxy in front (a host that is not this machine, or a header that only proxies write), turns a
/// panic into a 500, and gives every error a body.
pub(crate) async fn guard(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    if api.settings.development.is_on()
        && is_proxied(request.headers())
        && api.settings.development.turn_off()
    {
        tracing::warn!(
            "A request came through a proxy, so the development rules are off: subscriptions must \
             use https and public addresses until --public-url is set"
        );
    }
    let method = request.method().clone();
    let response = AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            tracing::error!("A request panicked; this is a bug");
            problem_response(&Problem::of(Code::InternalError))
        });
    if is_bare_error(&response) {
        with_body(&method, &response)
    } else {
        response
    }
}

fn is_proxied(headers: &HeaderMap) -> bool {
    const FORWARDING: [&str; 5] = [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
    ];
    if FORWARDING.iter().any(|name| headers.contains_key(*name)) {
        return true;
    }
    let Some(host) = headers.get(header::HOST) else {
        return false;
    };
    !host.to_str().is_ok_and(is_loopback_host)
}

/// Whether a `Host` header names this machine.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether a path belongs to the platform's surface: pages of other sites may use it with a token
/// of their own, and methods may be tunnelled.
pub(crate) fn is_platform(path: &str) -> bool {
    path.starts_with("/restapi") || path.starts_with("/team-messaging/")
}

/// Answers preflights, echoes origins, numbers requests, counts calls, turns a panic into a 500,
/// and gives every error a body.
pub(crate) async fn converse(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Response {
    strip_trailing_slash(&mut request);
    let platform = is_platform(request.uri().path());
    let origin = request.headers().get(header::ORIGIN);
    let origin = origin.filter(|_| platform).cloned();
    if request.method() == Method::OPTIONS && origin.is_some() {
        return with_cors(StatusCode::NO_CONTENT.into_response(), origin, true);
    }
    let id = HeaderValue::from(api.next_id(api.now()));
    let method = request.method().clone();
    if idempotency::has_key(request.headers()) {
        request.extensions_mut().insert(Arc::clone(&api));
    }
    let mut response = match tunnel(&mut request, platform) {
        Ok(()) => run(&api, request, next, platform).await,
        Err(code) => problem_response(&Problem::of(code)),
    };
    if is_bare_error(&response) {
        response = with_body(&method, &response);
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("en"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    with_cors(response, origin, false)
}

async fn run(api: &Api, request: Request, next: Next, platform: bool) -> Response {
    let answering = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = answering.await.unwrap_or_else(|_| {
        tracing::error!("A request panicked; this is a bug");
        problem_response(&Problem::of(Code::InternalError))
    });
    // What is no operation is told the limits of most of them.
    let meter = response.extensions_mut().remove::<Meter>();
    let meter = meter.or_else(|| platform.then(|| Meter::new(Group::Medium)));
    if let Some(meter) = meter {
        meter.label(&api.settings.rate_limits, response.headers_mut());
    }
    response
}

/// Marks an answer that somebody configured: an error that stays as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsConfigured;

/// Whether the router or an extractor answered an error in its own words, or without any.
fn is_bare_error(response: &Response) -> bool {
    if response.extensions().get::<AsConfigured>().is_some() {
        return false;
    }
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    (status.is_client_error() || status.is_server_error())
        && kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

/// The same error in the words that clients read.
fn with_body(method: &Method, bare: &Response) -> Response {
    let problem = match bare.status() {
        StatusCode::NOT_FOUND => Problem::of(Code::InvalidUri),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::of(Code::MethodNotAllowed).with("method", method.as_str())
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::of(Code::UnsupportedMediaType),
        status if status.is_client_error() => Problem::of(Code::UnparsableRequest),
        _ => Problem::of(Code::InternalError),
    };
    let mut response = problem_response(&problem);
    if let Some(allow) = bare.headers().get(header::ALLOW) {
        let allow = allow.clone();
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// Some clients write `/subscription/`: the same resource.
fn strip_trailing_slash(request: &mut Request) {
    let uri = request.uri();
    let stripped = uri.path().trim_end_matches('/');
    if stripped.is_empty() || stripped.len() == uri.path().len() {
        return;
    }
    let path = uri.query().map_or_else(
        || stripped.to_owned(),
        |query| format!("{stripped}?{query}"),
    );
    if let Ok(uri) = path.parse() {
        *request.uri_mut() = uri;
    }
}

/// Clients behind old proxies say their method in a header or in the query (contract 8.3). Both
/// given and different is an error. From POST only, and neither on hook URLs nor for signing in:
/// there the method is what it is.
fn tunnel(request: &mut Request, platform: bool) -> Result<(), Code> {
    let oauth = request.uri().path().starts_with("/restapi/oauth");
    if !platform || oauth || request.method() != Method::POST {
        return Ok(());
    }
    let in_header = request
        .headers()
        .get(METHOD_OVERRIDE)
        .map(|value| value.to_str().unwrap_or(""));
    let in_query = request.uri().query().and_then(|query| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "_method")
            .map(|(_, value)| value.into_owned())
    });
    let wanted = match (in_header, &in_query) {
        (None, None) => return Ok(()),
        (Some(one), Some(other)) if !one.eq_ignore_ascii_case(other) => {
            return Err(Code::UnparsableRequest);
        }
        (Some(one), _) => one,
        (None, Some(other)) => other,
    };
    let method = match wanted.to_ascii_uppercase().as_str() {
        "GET" => Method::GET,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        "POST" => Method::POST,
        _ => return Err(Code::UnparsableRequest),
    };
    *request.method_mut() = method;
    Ok(())
}

/// Any page may call the API with a token of its own: cookies are never read, so an origin that is
/// let in gains nothing that it does not bring.
fn with_cors(mut response: Response, origin: Option<HeaderValue>, preflight: bool) -> Response {
    let Some(origin) = origin else {
        return response;
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    );
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let listed = [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, POST, PUT, PATCH, DELETE",
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, Client-Id, X-User-Agent, Discovery-Tag, RCRequestId, \
             X-HTTP-Method-Override, Idempotency-Key",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    let exposed = (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "Retry-After, X-Rate-Limit-Group, X-Rate-Limit-Limit, X-Rate-Limit-Remaining, \
         X-Rate-Limit-Window, RCRequestId, Idempotency-Replayed",
    );
    if preflight {
        for (name, value) in listed {
            headers.insert(name, HeaderValue::from_static(value));
        }
    } else {
        headers.insert(exposed.0, HeaderValue::from_static(exposed.1));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_this_machine_are_known() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1",
            "127.0.0.1:8080",
            "[::1]:80",
            "[::1]",
            "127.9.9.9",
        ] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "10.0.0.1",
            "[fe80::1]:80",
            "",
            "127.0.0.1.nip.io",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
