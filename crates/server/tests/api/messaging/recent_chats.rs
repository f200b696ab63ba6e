//! Chats by their latest activity.

use std::time::Duration;

use serde_json::json;

use crate::world::{ALICE, World};

const RECENT: &str = "/team-messaging/v1/recent/chats";

#[tokio::test]
async fn the_chat_with_the_latest_post_comes_first() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mut teams = Vec::new();
    for name in ["a", "b"] {
        world.clock.advance(Duration::from_secs(1));
        teams.push(
            alice
                .post("/team-messaging/v1/teams", &json!({ "name": name }))
                .await
                .id(),
        );
    }
    world.clock.advance(Duration::from_secs(1));
    let posts = format!("/team-messaging/v1/chats/{}/posts", teams[0]);
    alice.post(&posts, &json!({"text": "x"})).await.id();
    let recent = alice.get(&format!("{RECENT}?type=Team")).await;
    assert_eq!(recent.records("name"), ["a", "b"]);
    assert_eq!(
        recent.records("lastModifiedTime"),
        ["2027-01-15T08:00:03.000Z", "2027-01-15T08:00:02.000Z"]
    );
    assert!(recent.json().get("navigation").is_none());
    assert_eq!(
        alice
            .get(&format!("{RECENT}?recordCount=1"))
            .await
            .records("name"),
        ["a"]
    );
    assert_eq!(
        alice.get(&format!("{RECENT}?type=x")).await.brief(),
        "400 CMN-101 [type]"
    );
    assert_eq!(
        world.without_scope(ALICE).await.get(RECENT).await.brief(),
        "403 CMN-401"
    );
}
