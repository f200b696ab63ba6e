//! Looking at requests, and at where a post came from.

use http::Method;
use serde_json::{Value, json};

use crate::world::{ALICE, BOB, MALLORY, PUBLIC_URL, ROOT, TEAM, World};

async fn list(world: &World, query: &str) -> Value {
    let answer = world.get(ALICE, &format!("/api/v1/requests{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn outcomes(list: &Value) -> Vec<&str> {
    let records = list["records"].as_array().expect("records").iter();
    records
        .map(|record| record["outcome"].as_str().expect("an outcome"))
        .collect()
}

#[tokio::test]
async fn requests_are_listed_newest_first_with_what_became_of_them() {
    let world = World::start().await;
    world.hook(r#"{"text":"fine"}"#).await;
    world.hook(r#"{"text":"odd","x":1,"y":2}"#).await;
    world.hook("broken").await;
    let list = list(&world, "").await;
    assert_eq!(
        outcomes(&list),
        ["rejected", "posted-with-warnings", "posted"]
    );
    assert_eq!(list["navigation"], json!({}));
    let odd = &list["records"][1];
    assert_eq!(
        (&odd["findings"], &odd["answerStatus"]),
        (&json!(2), &json!(200))
    );
    assert_eq!(odd["webhookId"], world.webhook.id.to_string());
    assert_eq!(
        (&odd["method"], &odd["bodyBytes"]),
        (&json!("POST"), &json!(26))
    );
    assert_eq!(list["records"][0]["postId"], Value::Null);
    assert_eq!(list["records"][0]["answerStatus"], 400);
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let world = World::start().await;
    for number in 0..70 {
        world.hook(format!(r#"{{"text":"{number}"}}"#)).await;
    }
    let all = list(&world, "?limit=250").await;
    let all: Vec<_> = all["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["id"].clone())
        .collect();
    assert_eq!(all.len(), 70);
    for limit in [1, 7, 30, 35, 69, 70] {
        let (mut seen, mut query) = (Vec::new(), format!("?limit={limit}"));
        loop {
            let page = list(&world, &query).await;
            let records = page["records"].as_array().unwrap();
            assert!(records.len() <= limit);
            seen.extend(records.iter().map(|record| record["id"].clone()));
            let Some(before) = page["navigation"]["before"].as_str() else {
                break;
            };
            query = format!("?limit={limit}&before={before}");
        }
        assert_eq!(seen, all, "{limit}");
    }
    for query in ["?limit=0", "?limit=251", "?limit=x", "?before=x"] {
        let answer = world.get(ALICE, &format!("/api/v1/requests{query}")).await;
        assert_eq!(answer.json()["errorCode"], "CMN-101", "{query}");
    }
}

#[tokio::test]
async fn requests_are_for_those_whom_the_webhook_belongs_to() {
    let world = World::start().await;
    let of_bob = world.new_webhook(BOB).await;
    let hook = of_bob["uri"]
        .as_str()
        .unwrap()
        .strip_prefix(PUBLIC_URL)
        .unwrap();
    world.hook(r#"{"text":"to the webhook of Alice"}"#).await;
    world
        .post_to(hook, r#"{"text":"to the webhook of Bob"}"#)
        .await;
    let count = async |person, query: &str| {
        let answer = world.get(person, &format!("/api/v1/requests{query}")).await;
        answer.json()["records"].as_array().map(Vec::len)
    };
    let only_bobs = format!("?webhookId={}", of_bob["id"].as_str().unwrap());
    let only_alices = format!("?webhookId={}", world.webhook.id);
    assert_eq!(count(ALICE, "").await, Some(2));
    assert_eq!(count(ROOT, "").await, Some(2));
    assert_eq!(count(BOB, "").await, Some(1));
    assert_eq!(count(MALLORY, "").await, Some(0));
    assert_eq!(count(ALICE, &only_bobs).await, Some(1));
    assert_eq!(count(BOB, &only_bobs).await, Some(1));
    let answer = world
        .get(BOB, &format!("/api/v1/requests{only_alices}"))
        .await;
    answer.assert_problem(404, "CMN-102", "webhookId");

    let request = world.requests().await.pop().unwrap();
    let path = format!("/api/v1/requests/{}", request.id);
    assert_eq!(world.get(ALICE, &path).await.status, 200);
    world
        .get(BOB, &path)
        .await
        .assert_problem(404, "CMN-102", "requestId");
    world
        .get(ALICE, "/api/v1/requests/1")
        .await
        .assert_problem(404, "CMN-102", "requestId");
}

#[tokio::test]
async fn a_request_is_shown_in_full() {
    let world = World::start().await;
    world.hook(r#"{"text":"x","odd":1}"#).await;
    let id = world.requests().await[0].id;
    let mut view = world
        .get(ALICE, &format!("/api/v1/requests/{id}"))
        .await
        .json();
    assert_eq!(view["postId"], world.posts().await[0].id.to_string());
    for volatile in ["id", "receivedAt", "postId", "webhookId"] {
        assert!(view[volatile].is_string());
        view[volatile] = "…".into();
    }
    insta::assert_json_snapshot!(view);
}

#[tokio::test]
async fn a_body_that_is_no_text_is_shown_as_base64() {
    let world = World::start().await;
    world.hook(b"\xff\x00{".to_vec()).await;
    let id = world.requests().await[0].id;
    let view = world
        .get(ALICE, &format!("/api/v1/requests/{id}"))
        .await
        .json();
    assert_eq!(
        (&view["body"], &view["bodyEncoding"]),
        (&json!("/wB7"), &json!("base64"))
    );
    assert_eq!(view["outcome"], "rejected");
}

#[tokio::test]
async fn requests_of_a_deleted_webhook_remain_for_the_administrator() {
    let world = World::start().await;
    world.hook(r#"{"text":"x"}"#).await;
    let id = world.requests().await[0].id;
    let path = format!("/team-messaging/v1/webhooks/{}", world.webhook.id);
    assert_eq!(world.call(ALICE, Method::DELETE, &path).await.status, 200);
    let view = world.get(ROOT, &format!("/api/v1/requests/{id}")).await;
    assert_eq!(
        (view.status.as_u16(), &view.json()["chatId"]),
        (200, &Value::Null)
    );
    let answer = world.get(ALICE, &format!("/api/v1/requests/{id}")).await;
    answer.assert_problem(404, "CMN-102", "requestId");
}

#[tokio::test]
async fn everyone_in_the_chat_sees_where_a_post_came_from() {
    let world = World::start().await;
    world.hook(r#"{"text":"x"}"#).await;
    let post = world.posts().await[0].id;
    let path = format!("/api/v1/chats/{TEAM}/posts/{post}/origin");
    for person in [ALICE, BOB] {
        let origin = world.get(person, &path).await.json();
        assert_eq!(origin["request"]["postId"], post.to_string());
        assert_eq!(origin["request"]["chatId"], TEAM.to_string());
        assert_eq!(origin["request"]["body"], r#"{"text":"x"}"#);
    }
    world
        .get(MALLORY, &path)
        .await
        .assert_problem(404, "CMN-102", "chatId");
    let other = format!("/api/v1/chats/{TEAM}/posts/1/origin");
    world
        .get(ALICE, &other)
        .await
        .assert_problem(404, "CMN-102", "postId");
}

#[tokio::test]
async fn a_post_by_hand_has_no_origin() {
    let world = World::start().await;
    let post = world.post_by_hand().await;
    let origin = world
        .get(ALICE, &format!("/api/v1/chats/{TEAM}/posts/{post}/origin"))
        .await;
    assert_eq!(origin.json(), json!({"request": null}));
}
