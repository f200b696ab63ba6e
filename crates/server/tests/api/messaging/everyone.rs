//! The chat of all persons.

use serde_json::json;

use crate::world::{ALICE, BOB, MALLORY, World};

const EVERYONE: &str = "/team-messaging/v1/everyone";

#[tokio::test]
async fn administrators_rename_it_and_all_read_it() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    insta::assert_snapshot!("everyone", bob.get(EVERYONE).await.shown());
    let body = json!({"name": "All hands", "description": "Us"});
    assert_eq!(bob.patch(EVERYONE, &body).await.brief(), "403 CMN-408");
    assert_eq!(
        alice.patch(EVERYONE, &body).await.json()["name"],
        "All hands"
    );
    assert_eq!(bob.get(EVERYONE).await.json()["description"], "Us");
    assert_eq!(
        alice.patch(EVERYONE, &json!({"name": ""})).await.brief(),
        "400 CMN-101 [name]"
    );
    assert_eq!(
        world.signed_in(MALLORY).await.get(EVERYONE).await.brief(),
        "404 CMN-102 [chatId]"
    );
    let without = world.without_scope(ALICE).await;
    assert_eq!(without.get(EVERYONE).await.brief(), "403 CMN-401");
    assert_eq!(without.patch(EVERYONE, &body).await.brief(), "403 CMN-401");
}
