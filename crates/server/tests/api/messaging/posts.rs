//! Posts: list, create, read, change, delete.

use serde_json::json;

use crate::client::Client;
use crate::world::{ALICE, BOB, CAROL, MALLORY, World};

async fn chat(alice: &Client) -> String {
    let body = json!({"name": "Ops", "public": true, "members": [{"id": "12"}]});
    let id = alice.post("/team-messaging/v1/teams", &body).await.id();
    format!("/team-messaging/v1/chats/{id}/posts")
}

#[tokio::test]
async fn a_post_is_written_and_read_under_both_prefixes() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let posts = chat(&alice).await;
    let team = posts.split('/').nth(4).expect("the chat's id").to_owned();
    let text = format!("Hi ![:Person](12) and ![:Person](21) of ![:Team]({team})");
    let created = alice.post(&posts, &json!({ "text": text })).await;
    assert_eq!(created.status, 201);
    insta::assert_snapshot!("post", created.shown());
    let path = format!("{posts}/{}", created.id());
    let legacy = path.replace("/team-messaging/v1", "/restapi/v1.0/glip");
    for path in [path, legacy] {
        assert_eq!(alice.get(&path).await.body, created.body);
    }
}

#[tokio::test]
async fn what_cannot_be_a_post_is_refused() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let posts = chat(&alice).await;
    let card = |kind: &str| json!({"text": "x", "attachments": [{"id": "1", "type": kind}]});
    let many = vec![json!({"id": "1", "type": "Card"}); 26];
    for (body, expect) in [
        (json!({}), "400 CMN-101 [text]"),
        (json!({"text": "\n "}), "400 CMN-101 [text]"),
        (json!({"text": "é".repeat(10_001)}), "400 CMN-101 [text]"),
        (json!({"text": 1}), "400 CMN-101 [text]"),
        (
            json!({"text": "x", "parentPostId": "7"}),
            "400 CMN-101 [parentPostId]",
        ),
        (card("AdaptiveCard"), "400 CMN-101 [attachments[0].type]"),
        (card("File"), "404 CMN-102 [attachments[0].id]"),
        (
            json!({"text": "x", "attachments": many}),
            "400 CMN-101 [attachments]",
        ),
        (
            json!({"text": "x", "attachments": ["1"]}),
            "400 CMN-101 [attachments[0]]",
        ),
    ] {
        assert_eq!(alice.post(&posts, &body).await.brief(), expect, "{body}");
    }
    assert_eq!(
        alice.post(&posts, &card("AdaptiveCard")).await.json()["message"],
        "Parameter [attachments[0].type] value is invalid."
    );
    let longest = json!({"text": "é".repeat(10_000)});
    assert_eq!(alice.post(&posts, &longest).await.status, 201);
}

#[tokio::test]
async fn only_members_read_and_write() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let posts = chat(&alice).await;
    let post = alice.post(&posts, &json!({"text": "secret"})).await.id();
    let path = format!("{posts}/{post}");
    let text = json!({"text": "x"});
    for stranger in [world.signed_in(CAROL).await, world.signed_in(MALLORY).await] {
        assert_eq!(stranger.get(&posts).await.brief(), "404 CMN-102 [chatId]");
        assert_eq!(
            stranger.post(&posts, &text).await.brief(),
            "404 CMN-102 [chatId]"
        );
        assert_eq!(stranger.get(&path).await.brief(), "404 CMN-102 [chatId]");
        assert_eq!(
            stranger.patch(&path, &text).await.brief(),
            "404 CMN-102 [chatId]"
        );
        assert_eq!(stranger.delete(&path).await.brief(), "404 CMN-102 [chatId]");
    }
}

#[tokio::test]
async fn unknown_ids_are_the_same_404_however_they_look() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let posts = chat(&alice).await;
    for id in ["7", "x", "-1", "~", "99999999999999999999", "%00"] {
        let path = format!("{posts}/{id}");
        assert_eq!(
            alice.get(&path).await.brief(),
            "404 CMN-102 [postId]",
            "{id}"
        );
        let path = format!("/team-messaging/v1/chats/{id}1/posts");
        assert_eq!(
            alice.get(&path).await.brief(),
            "404 CMN-102 [chatId]",
            "{id}"
        );
    }
    assert_eq!(
        alice.get(&format!("{posts}/%ff")).await.brief(),
        "404 CMN-120"
    );
}

#[tokio::test]
async fn a_post_is_changed_by_its_author_and_deleted_by_admins_too() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let posts = chat(&alice).await;
    let path = format!(
        "{posts}/{}",
        bob.post(&posts, &json!({"text": "a"})).await.id()
    );
    assert_eq!(
        alice.patch(&path, &json!({"text": "b"})).await.brief(),
        "403 CMN-408"
    );
    assert_eq!(
        bob.patch(&path, &json!({})).await.brief(),
        "400 CMN-101 [text]"
    );
    assert_eq!(
        bob.patch(&path, &json!({"text": ""})).await.brief(),
        "400 CMN-101 [text]"
    );
    let changed = bob.patch(&path, &json!({"text": "b"})).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["text"]),
        (200, &json!("b"))
    );
    let by_alice = format!(
        "{posts}/{}",
        alice.post(&posts, &json!({"text": "a"})).await.id()
    );
    assert_eq!(bob.delete(&by_alice).await.brief(), "403 CMN-408");
    assert_eq!(alice.delete(&path).await.status, 204);
    assert_eq!(bob.get(&path).await.brief(), "404 CMN-102 [postId]");
    assert_eq!(bob.delete(&path).await.brief(), "404 CMN-102 [postId]");
}

#[tokio::test]
async fn posts_are_listed_newest_first_in_pages_both_ways() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let posts = chat(&alice).await;
    for text in ["1", "2", "3", "4", "5"] {
        alice.post(&posts, &json!({ "text": text })).await.id();
    }
    let first = alice.get(&format!("{posts}?recordCount=2")).await;
    assert_eq!(first.records("text"), ["5", "4"]);
    let older = first.json()["navigation"]["prevPageToken"]
        .as_str()
        .expect("more")
        .to_owned();
    let second = alice.get(&format!("{posts}?pageToken={older}")).await;
    assert_eq!(second.records("text"), ["3", "2"]);
    let newer = second.json()["navigation"]["nextPageToken"]
        .as_str()
        .expect("back")
        .to_owned();
    assert_eq!(
        alice
            .get(&format!("{posts}?pageToken={newer}"))
            .await
            .records("text"),
        ["5", "4"]
    );
    for (query, expect) in [
        ("recordCount=0", "400 CMN-101 [recordCount]"),
        ("recordCount=x", "400 CMN-101 [recordCount]"),
        ("pageToken=x", "400 CMN-101 [pageToken]"),
    ] {
        assert_eq!(alice.get(&format!("{posts}?{query}")).await.brief(), expect);
    }
    assert_eq!(
        alice
            .get(&format!("{posts}?recordCount=9999"))
            .await
            .records("text")
            .len(),
        5
    );
    // A token belongs to its list.
    let foreign = alice
        .get(&format!("/team-messaging/v1/teams?pageToken={older}"))
        .await;
    assert_eq!(foreign.brief(), "400 CMN-101 [pageToken]");
}

#[tokio::test]
async fn a_reply_belongs_to_the_thread_of_what_it_replies_to() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let posts = chat(&alice).await;
    let root = alice.post(&posts, &json!({"text": "root"})).await.id();
    let reply = alice
        .post(&posts, &json!({"text": "a", "parentPostId": root}))
        .await;
    assert_eq!(reply.json()["parentPostId"], json!(root));
    let again = alice
        .post(&posts, &json!({"text": "b", "threadId": reply.id()}))
        .await;
    assert_eq!(again.json()["threadId"], json!(root));
}

#[tokio::test]
async fn groups_are_chats_whose_creation_answers_200() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let posts = chat(&alice).await.replace("chats", "groups");
    assert_eq!(
        alice.post(&posts, &json!({"text": "old"})).await.status,
        200
    );
    assert_eq!(alice.get(&posts).await.records("text"), ["old"]);
}

#[tokio::test]
async fn posts_need_the_apps_permission() {
    let world = World::start().await;
    let posts = chat(&world.signed_in(ALICE).await).await;
    let alice = world.without_scope(ALICE).await;
    let (path, text) = (format!("{posts}/7"), json!({"text": "x"}));
    assert_eq!(alice.get(&posts).await.brief(), "403 CMN-401");
    assert_eq!(alice.post(&posts, &text).await.brief(), "403 CMN-401");
    assert_eq!(alice.get(&path).await.brief(), "403 CMN-401");
    assert_eq!(alice.patch(&path, &text).await.brief(), "403 CMN-401");
    assert_eq!(alice.delete(&path).await.brief(), "403 CMN-401");
}
