//! Chats of every kind.

use serde_json::json;

use crate::world::{ALICE, BOB, MALLORY, World};

const CHATS: &str = "/team-messaging/v1/chats";

#[tokio::test]
async fn a_person_sees_their_chats_and_public_teams() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    alice
        .post(
            "/team-messaging/v1/teams",
            &json!({"name": "Open", "public": true}),
        )
        .await
        .id();
    alice
        .post("/team-messaging/v1/teams", &json!({"name": "Closed"}))
        .await
        .id();
    let conversation = json!({"members": [{"id": "12"}]});
    alice
        .post("/team-messaging/v1/conversations", &conversation)
        .await
        .id();
    let listed = bob.get(CHATS).await;
    assert_eq!(listed.records("type"), ["Everyone", "Team", "Direct"]);
    assert_eq!(listed.json()["navigation"], json!({}));
    let everyone = alice.get(&format!("{CHATS}?type=Everyone")).await;
    assert_eq!(everyone.records("id"), ["31"]);
    let some = alice.get(&format!("{CHATS}?type=Team&type=Direct")).await;
    assert_eq!(some.records("type"), ["Team", "Team", "Direct"]);
    assert_eq!(
        alice.get(&format!("{CHATS}?type=Crowd")).await.brief(),
        "400 CMN-101 [type]"
    );
}

#[tokio::test]
async fn a_page_token_brings_its_filters() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for name in ["a", "b"] {
        alice
            .post("/team-messaging/v1/teams", &json!({ "name": name }))
            .await
            .id();
    }
    alice
        .post("/team-messaging/v1/conversations", &json!({}))
        .await
        .id();
    let first = alice.get(&format!("{CHATS}?type=Team&recordCount=1")).await;
    let token = first.json()["navigation"]["prevPageToken"]
        .as_str()
        .expect("more")
        .to_owned();
    let second = alice.get(&format!("{CHATS}?pageToken={token}")).await;
    assert_eq!(second.records("name"), ["b"]);
    assert!(second.json()["navigation"]["prevPageToken"].is_null());
}

#[tokio::test]
async fn a_tilde_is_the_personal_chat() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let personal = alice.get(&format!("{CHATS}/~")).await;
    insta::assert_snapshot!("personal_chat", personal.shown());
    assert_eq!(alice.get(&format!("{CHATS}/~")).await.id(), personal.id());
    assert_eq!(
        alice.get(&format!("{CHATS}/{}", personal.id())).await.body,
        personal.body
    );
}

#[tokio::test]
async fn a_chat_of_others_does_not_exist() {
    let world = World::start().await;
    let personal = world
        .signed_in(ALICE)
        .await
        .get(&format!("{CHATS}/~"))
        .await
        .id();
    for stranger in [world.signed_in(BOB).await, world.signed_in(MALLORY).await] {
        let answer = stranger.get(&format!("{CHATS}/{personal}")).await;
        assert_eq!(answer.brief(), "404 CMN-102 [chatId]");
    }
}

#[tokio::test]
async fn chats_need_the_apps_permission() {
    let world = World::start().await;
    let alice = world.without_scope(ALICE).await;
    assert_eq!(alice.get(CHATS).await.brief(), "403 CMN-401");
    assert_eq!(
        alice.get(&format!("{CHATS}/~")).await.brief(),
        "403 CMN-401"
    );
}
