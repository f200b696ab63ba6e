//! Platform resources: versions, account, extensions, oneself, health.

use crate::world::{ALICE, BOB, MALLORY, World};

const ACCOUNT: &str = "/restapi/v1.0/account/~";

#[tokio::test]
async fn versions_and_health_need_no_token() {
    let world = World::start().await;
    for path in [
        "/restapi",
        "/restapi/v1.0",
        "/restapi/v1.0/status",
        "/healthz",
    ] {
        assert_eq!(world.nobody().get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn an_extension_has_a_number_for_its_id() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let own = alice.get(&format!("{ACCOUNT}/extension/~")).await;
    let shown = own.shown().replace(&world.address.to_string(), "<address>");
    insta::assert_snapshot!("extension", shown);
    assert_eq!(
        alice.get("/restapi/v1.0/account/1/extension/11").await.body,
        own.body
    );
    assert_eq!(
        alice.get(&format!("{ACCOUNT}/extension/12")).await.json()["id"],
        12
    );
    for path in ["extension/21", "extension/x"] {
        let answer = alice.get(&format!("{ACCOUNT}/{path}")).await;
        assert_eq!(answer.brief(), "404 CMN-102 [extensionId]", "{path}");
    }
    let other = alice.get("/restapi/v1.0/account/2/extension/21").await;
    assert_eq!(other.brief(), "404 CMN-102 [accountId]");
}

#[tokio::test]
async fn people_of_other_accounts_are_not_listed() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    assert_eq!(
        alice
            .get(&format!("{ACCOUNT}/extension"))
            .await
            .records("name")
            .len(),
        3
    );
    let mallory = world.signed_in(MALLORY).await;
    let listed = mallory.get(&format!("{ACCOUNT}/extension")).await;
    assert_eq!(listed.records("name"), ["Mallory Smith"]);
    assert_eq!(alice.get(ACCOUNT).await.json()["id"], 1);
    assert_eq!(
        alice.get("/restapi/v1.0/account/2").await.brief(),
        "404 CMN-102 [accountId]"
    );
}

#[tokio::test]
async fn others_need_the_apps_permission_and_oneself_does_not() {
    let world = World::start().await;
    let bob = world.without_scope(BOB).await;
    assert_eq!(bob.get(ACCOUNT).await.brief(), "403 CMN-401");
    assert_eq!(
        bob.get(&format!("{ACCOUNT}/extension")).await.brief(),
        "403 CMN-401"
    );
    assert_eq!(
        bob.get(&format!("{ACCOUNT}/extension/11")).await.brief(),
        "403 CMN-401"
    );
    assert_eq!(bob.get(&format!("{ACCOUNT}/extension/~")).await.status, 200);
}

#[tokio::test]
async fn the_console_learns_who_it_speaks_for() {
    let world = World::start().await;
    let me = world.signed_in(ALICE).await.get("/api/v1/me").await;
    let shown = me.shown().replace(&world.address.to_string(), "<address>");
    insta::assert_snapshot!("me", shown);
    assert_eq!(
        world.nobody().get("/api/v1/me").await.brief(),
        "401 AGW-401"
    );
}
