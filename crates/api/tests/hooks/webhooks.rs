//! The resource, under both prefixes.

use std::sync::atomic::Ordering;

use axum::body::Body;
use hookyard_domain::kernel::limits::BATCH_IDS_MAX;
use hookyard_domain::{Audience, ChatStatus, ChatWrite, EventKind, WebhookStatus};
use http::{Method, Request};
use serde_json::{Value, json};

use crate::world::{ALICE, BOB, MALLORY, PUBLIC_URL, ROOT, TEAM, World};

const PREFIXES: [&str; 2] = ["/restapi/v1.0/glip", "/team-messaging/v1"];

fn path_of(webhook: &Value) -> String {
    let id = webhook["id"].as_str().expect("an id");
    format!("/team-messaging/v1/webhooks/{id}")
}

#[tokio::test]
async fn a_member_creates_a_webhook_and_posts_to_it_at_once() {
    let world = World::start().await;
    for prefix in PREFIXES {
        let path = format!("{prefix}/groups/{TEAM}/webhooks");
        let answer = world.call(BOB, Method::POST, &path).await;
        assert_eq!(answer.status, 200);
        let webhook = answer.json();
        let keys: Vec<_> = webhook.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "creationTime",
                "creatorId",
                "groupIds",
                "id",
                "lastModifiedTime",
                "status",
                "uri"
            ]
        );
        assert_eq!(webhook["creatorId"], BOB.to_string());
        assert_eq!(webhook["groupIds"], json!([TEAM.to_string()]));
        assert_eq!(webhook["status"], "Active");
        let uri = webhook["uri"].as_str().unwrap();
        let token = uri
            .strip_prefix(&format!("{PUBLIC_URL}/webhook/v2/"))
            .unwrap();
        assert_eq!(token.len(), 43);
        assert!(!uri.contains(webhook["id"].as_str().unwrap()));

        let answer = world
            .post_to(uri.strip_prefix(PUBLIC_URL).unwrap(), r#"{"text":"x"}"#)
            .await;
        assert_eq!(answer.body, r#"{"status":"OK"}"#);
    }
    assert_eq!(world.posts().await.len(), 2);
}

#[tokio::test]
async fn bodies_of_calls_without_one_are_not_looked_at() {
    let world = World::start().await;
    for body in ["", "{}", r#"{"anything":[1]}"#] {
        let request = Request::post(format!("/team-messaging/v1/groups/{TEAM}/webhooks"))
            .header("authorization", format!("Bearer token-of-{ALICE}"))
            .body(Body::from(body));
        assert_eq!(world.send(request.unwrap()).await.status, 200, "{body}");
    }
}

#[tokio::test]
async fn a_chat_that_one_is_not_in_does_not_exist() {
    let world = World::start().await;
    for person in [MALLORY, ROOT] {
        for method in [Method::GET, Method::POST] {
            let path = format!("/team-messaging/v1/groups/{TEAM}/webhooks");
            let answer = world.call(person, method, &path).await;
            answer.assert_problem(404, "CMN-102", "groupId");
        }
    }
    for group in ["1", "x", "021", "99999999999999999999"] {
        let path = format!("/team-messaging/v1/groups/{group}/webhooks");
        let answer = world.call(ALICE, Method::POST, &path).await;
        answer.assert_problem(404, "CMN-102", "groupId");
    }
}

#[tokio::test]
async fn an_archived_team_gets_no_webhooks() {
    let world = World::start().await;
    let mut team = world.team.clone();
    team.status = ChatStatus::Archived;
    team.version += 1;
    world.commit(ChatWrite::Put(team)).await;
    let path = format!("/team-messaging/v1/groups/{TEAM}/webhooks");
    let answer = world.call(ALICE, Method::POST, &path).await;
    answer.assert_problem(400, "CMN-101", "groupId");
}

#[tokio::test]
async fn a_webhook_exists_only_for_those_it_belongs_to() {
    let world = World::start().await;
    let of_bob = world.new_webhook(BOB).await;
    let count = async |person, path: &str| {
        let list = world.get(person, path).await.json();
        assert_eq!(list.as_object().unwrap().len(), 1, "no navigation");
        list["records"].as_array().unwrap().len()
    };
    for prefix in PREFIXES {
        // The world has one of Alice, who administers the team.
        let all = format!("{prefix}/webhooks");
        let of_team = format!("{prefix}/groups/{TEAM}/webhooks");
        assert_eq!(
            (count(ALICE, &all).await, count(ALICE, &of_team).await),
            (2, 2)
        );
        assert_eq!((count(BOB, &all).await, count(BOB, &of_team).await), (1, 1));
        assert_eq!(count(ROOT, &all).await, 2);
        assert_eq!(count(MALLORY, &all).await, 0);
    }
    let of_alice = format!("/team-messaging/v1/webhooks/{}", world.webhook.id);
    for (person, path, status) in [
        (BOB, &path_of(&of_bob), 200),
        (ALICE, &path_of(&of_bob), 200),
        (ROOT, &path_of(&of_bob), 200),
        (MALLORY, &path_of(&of_bob), 404),
        (BOB, &of_alice, 404),
    ] {
        assert_eq!(
            world.get(person, path).await.status,
            status,
            "{person} {path}"
        );
    }
    for method in [Method::GET, Method::DELETE] {
        let answer = world.call(BOB, method, &of_alice).await;
        answer.assert_problem(404, "CMN-102", "webhookId");
    }
    for action in ["activate", "suspend"] {
        let answer = world
            .call(BOB, Method::POST, &format!("{of_alice}/{action}"))
            .await;
        answer.assert_problem(404, "CMN-102", "webhookId");
    }
    for id in ["x", "00000000-0000-4000-8000-000000000000"] {
        let answer = world
            .get(ALICE, &format!("/team-messaging/v1/webhooks/{id}"))
            .await;
        answer.assert_problem(404, "CMN-102", "webhookId");
    }
}

#[tokio::test]
async fn one_webhook_is_an_object_and_a_list_of_itself() {
    let world = World::start().await;
    let webhook = world.new_webhook(ALICE).await;
    let mut one = world.get(ALICE, &path_of(&webhook)).await.json();
    let records = one.as_object_mut().unwrap().remove("records").unwrap();
    assert_eq!(one, webhook);
    assert_eq!(records, json!([webhook]));
}

#[tokio::test]
async fn several_webhooks_are_parts_of_one_answer() {
    let world = World::start().await;
    let (first, second) = (
        world.new_webhook(ALICE).await,
        world.new_webhook(ALICE).await,
    );
    let missing = "00000000-0000-4000-8000-000000000000";
    let path = format!(
        "{},{missing},{}",
        path_of(&first),
        second["id"].as_str().unwrap()
    );

    let answer = world.get(ALICE, &path).await;
    assert_eq!(answer.status, 207);
    let boundary = answer.body.lines().next().unwrap().to_owned();
    assert!(boundary.starts_with("--Boundary_"), "{boundary}");
    let parts: Vec<Value> = answer
        .body
        .split(&boundary)
        .filter_map(|part| part.split_once("\r\n\r\n"))
        .map(|(_, body)| serde_json::from_str(body).unwrap())
        .collect();
    let statuses = json!({"response": [{"status": 200}, {"status": 404}, {"status": 200}]});
    assert_eq!(parts[0], statuses);
    assert_eq!((&parts[1], &parts[3]), (&first, &second));
    assert_eq!(parts[2]["errorCode"], "CMN-102");
    assert!(answer.body.ends_with(&format!("{boundary}--\r\n")));

    let request = Request::get(&path)
        .header("authorization", format!("Bearer token-of-{ALICE}"))
        .header("accept", "application/vnd.ringcentral.multipart+json")
        .body(Body::empty());
    let answer = world.send(request.unwrap()).await;
    assert_eq!(answer.status, 207);
    let parts = answer.json();
    assert_eq!(
        parts[0],
        json!({"resourceId": first["id"], "status": 200, "body": first})
    );
    assert_eq!(
        (&parts[1]["resourceId"], &parts[1]["status"]),
        (&json!(missing), &json!(404))
    );

    let many = vec![missing; BATCH_IDS_MAX + 1].join(",");
    let answer = world
        .get(ALICE, &format!("/team-messaging/v1/webhooks/{many}"))
        .await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["errorCode"]),
        (400, &json!("CMN-106"))
    );
}

#[tokio::test]
async fn a_webhook_is_suspended_activated_and_deleted() {
    let world = World::start().await;
    let webhook = world.new_webhook(BOB).await;
    let path = path_of(&webhook);
    let hook = webhook["uri"]
        .as_str()
        .unwrap()
        .strip_prefix(PUBLIC_URL)
        .unwrap();
    let act = async |method, path: String| {
        let answer = world.call(ALICE, method, &path).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (200, "{}"),
            "{path}"
        );
    };
    act(Method::POST, format!("{path}/suspend")).await;
    act(Method::POST, format!("{path}/suspend")).await;
    assert_eq!(world.get(BOB, &path).await.json()["status"], "Suspended");
    let answer = world.post_to(hook, r#"{"text":"x"}"#).await;
    assert!(answer.body.contains("suspended"), "{}", answer.body);
    act(Method::POST, format!("{path}/activate")).await;
    assert_eq!(
        world.post_to(hook, r#"{"text":"x"}"#).await.body,
        r#"{"status":"OK"}"#
    );
    act(Method::DELETE, path.clone()).await;
    let answer = world.post_to(hook, r#"{"text":"x"}"#).await;
    assert!(
        answer.body.contains("Webhook not found!"),
        "{}",
        answer.body
    );
    let again = world.call(ALICE, Method::DELETE, &path).await;
    again.assert_problem(404, "CMN-102", "webhookId");

    let events: Vec<_> = world
        .events()
        .into_iter()
        .filter(|event| event.kind == EventKind::Webhook)
        .collect();
    let types: Vec<_> = events.iter().map(|event| &*event.event_type).collect();
    assert_eq!(
        types,
        [
            "WebhookCreated",
            "WebhookUpdated",
            "WebhookUpdated",
            "WebhookDeleted"
        ]
    );
    for event in events {
        assert_eq!(event.audience, Audience::Persons([BOB, ROOT].into()));
        assert!(event.confidential);
    }
    assert_eq!(world.webhook.status, WebhookStatus::Active);
}

#[tokio::test]
async fn without_a_token_nothing_is_shown() {
    let world = World::start().await;
    let request = Request::get("/team-messaging/v1/webhooks").body(Body::empty());
    let answer = world.send(request.unwrap()).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["errorCode"]),
        (401, &json!("AGW-401"))
    );
}

#[tokio::test]
async fn a_webhook_is_changed_also_when_others_change_it() {
    let world = World::start().await;
    let webhook = world.new_webhook(ALICE).await;
    world.faulty.conflicts.store(2, Ordering::Relaxed);
    let answer = world
        .call(
            ALICE,
            Method::POST,
            &format!("{}/suspend", path_of(&webhook)),
        )
        .await;
    assert_eq!(answer.body, "{}");
    world.faulty.failures.store(1, Ordering::Relaxed);
    let answer = world.call(ALICE, Method::DELETE, &path_of(&webhook)).await;
    assert_eq!(answer.status, 503);
    let status = world.get(ALICE, &path_of(&webhook)).await.json()["status"].clone();
    assert_eq!(status, "Suspended");
}
