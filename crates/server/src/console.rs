//! The console's built files, embedded, and the headers that guard the page.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../console/dist/"]
#[allow_missing = true]
struct Files;

/// Only our own scripts and styles, nothing from elsewhere, and no strings as HTML: the page shows
/// what strangers sent.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types svelte-trusted-html";

/// Shown where the page would be when the binary was built without it.
const NOT_BUILT: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Hookyard</title>\
    <h1>Hookyard is running; its console was not built</h1>\
    <p>The API works as usual. To have the console, run <code>make console</code> and build the \
    binary again, or start everything with <code>make run</code>.</p></html>";

/// Routes of the page: its assets, and the page itself for every path that a person may open.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(page))
        .route("/sign-in", get(page))
        .route("/chats/{*rest}", get(page))
        .route("/settings", get(page))
        .route("/settings/{*rest}", get(page))
        .route("/favicon.ico", get(asset))
        .route("/favicon.svg", get(asset))
        .route("/assets/{*rest}", get(asset))
        .route("/docs/api", get(reference))
        .route("/docs/api/{file}", get(reference_file))
}

async fn page() -> Response {
    let (body, kind) = match Files::get("index.html") {
        Some(file) => (Body::from(file.data), "text/html; charset=utf-8"),
        None => (Body::from(NOT_BUILT), "text/html; charset=utf-8"),
    };
    guarded(body, kind, "no-cache")
}

/// The reference of the API: a page that reads the description which this server gives of itself.
async fn reference() -> Response {
    const PAGE: &str = include_str!("reference/page.html");
    guarded(Body::from(PAGE), "text/html; charset=utf-8", "no-cache")
}

async fn reference_file(request: Request) -> Response {
    let path = request.uri().path();
    let text = match path.rsplit('/').next() {
        Some("page.css") => include_str!("reference/page.css"),
        Some("page.js") => include_str!("reference/page.js"),
        // The colours and sizes of the console.
        Some("tokens.css") => include_str!("../../../console/src/tokens.css"),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    guarded(Body::from(text), content_type(path), "no-cache")
}

async fn asset(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let Some(file) = Files::get(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Names under assets carry a hash of their content, so they never change.
    let keep = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    guarded(Body::from(file.data), content_type(path), keep)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json" | "map") => "application/json",
        _ => "application/octet-stream",
    }
}

fn guarded(body: Body, kind: &'static str, cache: &'static str) -> Response {
    let mut response = Response::new(body);
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn served(path: &str) -> StatusCode {
        let request = Request::builder().uri(path).body(Body::empty());
        let answer = reference_file(request.expect("a request")).await;
        answer.status()
    }

    #[tokio::test]
    async fn the_reference_asks_only_this_server() {
        let page = include_str!("reference/page.html");
        let script = include_str!("reference/page.js");
        let style = include_str!("reference/page.css");
        for text in [page, script, style] {
            assert!(!text.contains("https://") && !text.contains("http://"));
        }
        let named = page
            .split('"')
            .filter(|text| text.starts_with("/docs/api/"));
        let named: Vec<_> = named.collect();
        assert_eq!(named.len(), 3);
        for path in named {
            assert_eq!(served(path).await, StatusCode::OK, "{path}");
        }
        assert_eq!(served("/docs/api/other.js").await, StatusCode::NOT_FOUND);
        // What the document says is text, and never read as HTML.
        assert!(!script.contains("innerHTML"));
    }

    #[tokio::test]
    async fn the_reference_runs_its_own_scripts_alone() {
        let answer = reference().await;
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str();
        assert!(
            policy
                .expect("text")
                .starts_with("default-src 'none'; script-src 'self'")
        );
    }
}
