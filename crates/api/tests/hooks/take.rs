//! Taking hook requests: answers byte for byte, and what is kept.

use std::sync::atomic::Ordering;

use axum::body::Body;
use futures_util::stream;
use hookyard_domain::kernel::limits::{
    HOOK_BODY_BYTES_MAX, HOOK_DECISIONS_MAX, REQUEST_BODY_KEPT_BYTES_MAX,
};
use hookyard_domain::{ChatStatus, ChatWrite, EventKind, WebhookStatus, WebhookWrite};
use http::{Method, Request};

use crate::world::{INTEGRATION, TEAM, TOKEN, World};

const OK: &str = r#"{"status":"OK"}"#;
const NOT_FOUND: &str = r#"{"status":"error","message":"Your request was accepted, however a post was not generated","error":"Webhook not found!"}"#;

fn refused(error: &str) -> String {
    format!(r#"{{"status":"error","message":"A post was not generated","error":"{error}"}}"#)
}

/// What may go better the next time has no `error`.
fn transient(message: &str) -> String {
    format!(r#"{{"message":"{message}","status":"error"}}"#)
}

#[tokio::test]
async fn a_card_becomes_a_post_a_request_and_an_event() {
    let world = World::start().await;
    let answer = world
        .hook(r#"{"activity":"CI","text":"Build *7* failed","odd":1}"#)
        .await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (200, OK));

    let posts = world.posts().await;
    let requests = world.requests().await;
    let events = world.events();
    let ([post], [request], [event]) = (&posts[..], &requests[..], &events[..]) else {
        panic!("one of each: {posts:?} {requests:?} {events:?}");
    };
    assert_eq!((post.chat, post.creator), (TEAM, INTEGRATION));
    assert_eq!(post.content.text.as_deref(), Some("Build *7* failed"));
    assert_eq!(post.request, Some(request.id));
    assert_eq!(request.post, Some(post.id));
    assert_eq!(request.answer.body, OK);
    assert_eq!(request.findings[0].pointer, "/odd");
    assert_eq!(request.remote_address, "127.0.0.1");
    assert_eq!(
        (event.kind, &*event.event_type),
        (EventKind::Post, "PostAdded")
    );
    assert_eq!(
        (event.post, event.request),
        (Some(post.id), Some(request.id))
    );
    let mut body: serde_json::Value = serde_json::from_slice(&event.body).unwrap();
    assert_eq!(body["id"], post.id.to_string());
    for volatile in ["id", "creationTime", "lastModifiedTime"] {
        body[volatile] = "…".into();
    }
    insta::assert_json_snapshot!(body);
}

#[tokio::test]
async fn every_spelling_of_the_url_works() {
    let world = World::start().await;
    let paths = [
        "/webhook/",
        "/webhook/v2/",
        "/webhooks/",
        "/webhooks/v2/",
        "/WEBHOOK/",
        "/WEBHOOK/V2/",
        "/WEBHOOKS/v2/",
    ];
    for path in paths {
        for end in ["", "/"] {
            let answer = world
                .post_to(&format!("{path}{TOKEN}{end}"), r#"{"text":"x"}"#)
                .await;
            assert_eq!(answer.body, OK, "{path}{end}");
        }
    }
    assert_eq!(world.posts().await.len(), 2 * paths.len());
}

#[tokio::test]
async fn an_unknown_token_gets_the_platforms_words_and_leaves_nothing() {
    let world = World::start().await;
    for token in [
        "nobody",
        &TOKEN.to_lowercase(),
        "%ff%fe",
        &world.webhook.id.to_string(),
    ] {
        for body in [r#"{"text":"x"}"#, "not json", ""] {
            let answer = world.post_to(&format!("/webhook/v2/{token}"), body).await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.body),
                (200, NOT_FOUND),
                "{token}"
            );
        }
    }
    assert!(world.requests().await.is_empty() && world.posts().await.is_empty());
}

#[tokio::test]
async fn a_deleted_webhook_is_as_good_as_unknown() {
    let world = World::start().await;
    world
        .commit(WebhookWrite::Delete {
            account: world.webhook.account,
            webhook: world.webhook.id,
        })
        .await;
    assert_eq!(world.hook(r#"{"text":"x"}"#).await.body, NOT_FOUND);
}

#[tokio::test]
async fn a_suspended_webhook_says_so_until_it_is_active_again() {
    let world = World::start().await;
    world.set_status(WebhookStatus::Suspended).await;
    let answer = world.hook(r#"{"text":"x"}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        NOT_FOUND.replace("Webhook not found!", "Webhook is suspended!")
    );
    assert!(world.posts().await.is_empty() && world.events().is_empty());
    assert_eq!(world.requests().await[0].answer.body, answer.body);

    world.set_status(WebhookStatus::Active).await;
    assert_eq!(world.hook(r#"{"text":"x"}"#).await.body, OK);
}

#[tokio::test]
async fn an_archived_team_takes_no_posts() {
    let world = World::start().await;
    let mut team = world.team.clone();
    team.status = ChatStatus::Archived;
    team.version += 1;
    world.commit(ChatWrite::Put(team)).await;
    let answer = world.hook(r#"{"text":"x"}"#).await;
    assert_eq!(
        answer.body,
        NOT_FOUND.replace("Webhook not found!", "Team is archived!")
    );
    assert!(world.posts().await.is_empty());
    assert_eq!(world.requests().await.len(), 1);
}

#[tokio::test]
async fn an_invalid_adaptive_card_gets_the_platforms_validation() {
    let world = World::start().await;
    let answer = world
        .hook(r#"{"attachments":[{"type":"AdaptiveCard","body":7}]}"#)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        r#"{"status":"error","message":"Your request was accepted, however a post was not generated","error":"Invalid AdaptiveCard payload","validation":["payload.attachments[0] does not match any schema"]}"#
    );
    assert_eq!(
        world.requests().await[0].findings[0].pointer,
        "/attachments/0/body"
    );
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_and_kept() {
    let world = World::start().await;
    let cases: [(&[u8], u16, &str); 6] = [
        (b"hello", 400, "Request body is not JSON: line 1, column 1"),
        (
            b"[{\"text\":\"x\"}]",
            400,
            "Request body must be a JSON object",
        ),
        (b"{\"text\":\"\xff\"}", 400, "Request body is not UTF-8"),
        (&[b'['; 9_000], 400, "Request body is nested too deeply"),
        (b"", 200, "Nothing to post"),
        (b"{}", 200, "Nothing to post"),
    ];
    for (body, status, error) in cases {
        let answer = world.hook(body.to_vec()).await;
        assert_eq!(answer.status, status, "{error}");
        assert!(
            answer.body.ends_with(&format!(r#""error":"{error}"}}"#)),
            "{}",
            answer.body
        );
        let request = world.requests().await.swap_remove(0);
        assert_eq!((&request.body[..], request.answer.status), (body, status));
        assert_eq!(request.answer.body, answer.body);
        assert_eq!(request.post, None);
    }
    assert!(world.posts().await.is_empty() && world.events().is_empty());
}

#[tokio::test]
async fn a_body_is_taken_up_to_its_limit_and_kept_in_part() {
    let world = World::start().await;
    let body = |length: usize| {
        let frame = r#"{"text":"x","pad":""}"#;
        frame.replace("\"\"", &format!("\"{}\"", "y".repeat(length - frame.len())))
    };
    assert_eq!(world.hook(body(HOOK_BODY_BYTES_MAX)).await.body, OK);
    let kept = world.requests().await.swap_remove(0);
    assert_eq!(kept.body.len(), REQUEST_BODY_KEPT_BYTES_MAX);
    assert_eq!(kept.body_bytes, HOOK_BODY_BYTES_MAX as u64);

    // Without a Content-Length only reading tells.
    for chunked in [false, true] {
        let body = body(HOOK_BODY_BYTES_MAX + 1);
        let length = body.len() as u64;
        let answer = if chunked {
            let chunks: Vec<_> = body.as_bytes().chunks(65_536).map(<[u8]>::to_vec).collect();
            let chunks = chunks.into_iter().map(Ok::<_, std::io::Error>);
            world.hook(Body::from_stream(stream::iter(chunks))).await
        } else {
            let request = Request::post(format!("/webhook/{TOKEN}"))
                .header("content-length", length)
                .body(Body::from(body));
            world.send(request.unwrap()).await
        };
        assert_eq!(
            (answer.status.as_u16(), answer.body),
            (413, refused("Request body is too large"))
        );
        assert_eq!(world.requests().await[0].body_bytes, length);
    }
    assert_eq!(world.posts().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_given_up() {
    let world = World::start().await;
    let answer = world
        .hook(Body::from_stream(stream::pending::<
            Result<Vec<u8>, std::io::Error>,
        >()))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.body),
        (408, transient("Request body did not arrive in time"))
    );
    assert_eq!(world.requests().await.len(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let world = World::start().await;
    let pieces = [
        Ok(b"{\"text\":".to_vec()),
        Err(std::io::Error::other("reset")),
    ];
    let answer = world.hook(Body::from_stream(stream::iter(pieces))).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body),
        (400, transient("Request body is incomplete"))
    );
    assert_eq!(&world.requests().await[0].body[..], b"{\"text\":");
}

#[tokio::test]
async fn only_post_makes_a_post() {
    let world = World::start().await;
    for method in [
        Method::GET,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
        Method::PATCH,
    ] {
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("/webhook/v2/{TOKEN}"))
            .body(Body::from(r#"{"text":"x"}"#));
        let answer = world.send(request.unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body),
            (405, refused("Only POST makes a post"))
        );
        assert_eq!(world.requests().await[0].method, method.as_str());
    }
    assert!(world.posts().await.is_empty());
}

#[tokio::test]
async fn secrets_in_headers_are_not_kept() {
    let world = World::start().await;
    let request = Request::post(format!("/webhook/v2/{TOKEN}"))
        .header("content-type", "text/plain")
        .header("user-agent", "sender/1")
        .header("x-github-event", "push")
        .header("authorization", "Bearer hunter2")
        .header("cookie", "hunter2")
        .header("x-hub-signature-256", "hunter2")
        .header("x-gitlab-token", "hunter2")
        .header("x-api-key", "hunter2")
        .header("x-amz-security-token", "hunter2")
        .header("x-forwarded-for", "203.0.113.9")
        .body(Body::from(r#"{"text":"x"}"#));
    world.send(request.unwrap()).await;
    let request = world.requests().await.swap_remove(0);
    let names: Vec<_> = request.headers.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names,
        [
            "content-type",
            "user-agent",
            "x-github-event",
            "x-forwarded-for"
        ]
    );
    assert_eq!(request.remote_address, "127.0.0.1");
    assert!(!format!("{request:?}").contains("hunter2"));
}

#[tokio::test]
async fn forms_and_any_content_type_are_taken() {
    let world = World::start().await;
    for (content_type, body) in [
        (
            "application/x-www-form-urlencoded",
            "payload=%7B%22text%22%3A%22x%22%7D",
        ),
        ("application/x-www-form-urlencoded", r#"{"text":"x"}"#),
        (
            "multipart/form-data; boundary=B",
            "--B\r\nContent-Disposition: form-data; name=\"payload\"\r\n\r\n{\"text\":\"x\"}\r\n--B--\r\n",
        ),
        ("text/plain", r#"{"body":"x"}"#),
    ] {
        let request = Request::post(format!("/webhook/{TOKEN}"))
            .header("content-type", content_type)
            .body(Body::from(body));
        assert_eq!(
            world.send(request.unwrap()).await.body,
            OK,
            "{content_type}"
        );
    }
    for post in world.posts().await {
        assert_eq!(post.content.text.as_deref(), Some("x"));
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_acknowledged() {
    let world = World::start().await;
    let unavailable = r#"{"status":"error","message":"Service is temporarily unavailable"}"#;
    for body in [r#"{"text":"x"}"#, "broken"] {
        world.faulty.failures.store(1, Ordering::Relaxed);
        let answer = world.hook(body).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (503, unavailable));
    }
    assert!(world.posts().await.is_empty() && world.requests().await.is_empty());
    assert_eq!(world.hook(r#"{"text":"x"}"#).await.body, OK);
}

#[tokio::test]
async fn a_conflict_is_decided_again_but_not_for_ever() {
    let world = World::start().await;
    world
        .faulty
        .conflicts
        .store(HOOK_DECISIONS_MAX - 1, Ordering::Relaxed);
    assert_eq!(world.hook(r#"{"text":"x"}"#).await.body, OK);
    assert_eq!(
        (world.posts().await.len(), world.requests().await.len()),
        (1, 1)
    );

    world
        .faulty
        .conflicts
        .store(HOOK_DECISIONS_MAX, Ordering::Relaxed);
    let answer = world.hook(r#"{"text":"y"}"#).await;
    assert_eq!(answer.status, 503);
    assert!(!answer.body.contains("\"error\":"), "{}", answer.body);
    assert_eq!(world.posts().await.len(), 1);
}
