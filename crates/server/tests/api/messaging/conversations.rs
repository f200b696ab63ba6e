//! Conversations: one for each set of members.

use serde_json::json;

use crate::world::{ALICE, BOB, CAROL, World};

const CONVERSATIONS: &str = "/team-messaging/v1/conversations";

#[tokio::test]
async fn the_same_members_have_the_same_conversation() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let begun = alice
        .post(CONVERSATIONS, &json!({"members": [{"id": "12"}]}))
        .await;
    assert_eq!(begun.status, 201);
    insta::assert_snapshot!("conversation", begun.shown());
    let members = json!({"members": [{"email": "alice@example.com"}, {"id": 12}]});
    let found = bob.post(CONVERSATIONS, &members).await;
    assert_eq!((found.status.as_u16(), found.id()), (200, begun.id()));
    let group = json!({"members": [{"id": "12"}, {"id": "13"}]});
    assert_eq!(
        alice.post(CONVERSATIONS, &group).await.json()["type"],
        "Group"
    );
    assert_eq!(
        alice.get(CONVERSATIONS).await.records("type"),
        ["Direct", "Group"]
    );
    let path = format!("{CONVERSATIONS}/{}", begun.id());
    assert_eq!(bob.get(&path).await.body, begun.body);
    assert_eq!(
        world.signed_in(CAROL).await.get(&path).await.brief(),
        "404 CMN-102 [chatId]"
    );
}

#[tokio::test]
async fn without_members_it_is_the_personal_chat() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let personal = alice.act(CONVERSATIONS).await;
    assert_eq!(personal.json()["type"], "Personal");
    let again = alice.post(CONVERSATIONS, &json!({"members": []})).await;
    assert_eq!((again.status.as_u16(), again.id()), (200, personal.id()));
}

#[tokio::test]
async fn two_who_begin_at_once_get_the_same() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let (to_bob, to_alice) = (
        json!({"members": [{"id": "12"}]}),
        json!({"members": [{"id": "11"}]}),
    );
    let (one, other) = tokio::join!(
        alice.post(CONVERSATIONS, &to_bob),
        bob.post(CONVERSATIONS, &to_alice)
    );
    assert_eq!(one.id(), other.id());
}

#[tokio::test]
async fn what_is_not_a_conversation_is_not_here() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let team = alice
        .post("/team-messaging/v1/teams", &json!({"name": "x"}))
        .await
        .id();
    let answer = alice.get(&format!("{CONVERSATIONS}/{team}")).await;
    assert_eq!(answer.brief(), "404 CMN-102 [chatId]");
    for (body, expect) in [
        (
            json!({"members": [{"id": "21"}]}),
            "400 CMN-101 [members[0].id]",
        ),
        (json!({"members": [{}]}), "400 CMN-101 [members[0].id]"),
        (json!({"members": "12"}), "400 CMN-101 [members]"),
    ] {
        assert_eq!(
            alice.post(CONVERSATIONS, &body).await.brief(),
            expect,
            "{body}"
        );
    }
}

#[tokio::test]
async fn conversations_need_the_apps_permission() {
    let world = World::start().await;
    let alice = world.without_scope(ALICE).await;
    assert_eq!(alice.get(CONVERSATIONS).await.brief(), "403 CMN-401");
    assert_eq!(alice.act(CONVERSATIONS).await.brief(), "403 CMN-401");
    assert_eq!(
        alice.get(&format!("{CONVERSATIONS}/7")).await.brief(),
        "403 CMN-401"
    );
}
