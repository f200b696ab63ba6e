//! Teams: create, read, list, change, delete, join, leave, add, remove, archive.

use serde_json::json;

use crate::client::Client;
use crate::world::{ALICE, BOB, CAROL, INTEGRATION, MALLORY, World};

const TEAMS: &str = "/team-messaging/v1/teams";

async fn team(client: &Client, public: bool, members: &[&str]) -> String {
    let members: Vec<_> = members.iter().map(|id| json!({ "id": id })).collect();
    let body = json!({"name": "Ops", "public": public, "members": members});
    client.post(TEAMS, &body).await.id()
}

#[tokio::test]
async fn a_team_is_created_and_read_under_both_prefixes() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let body = json!({
        "name": "Ops", "description": "We run it", "public": true,
        "members": [{"id": "12"}, {"email": "carol@example.com"}],
    });
    let created = alice.post(TEAMS, &body).await;
    assert_eq!(created.status, 201);
    insta::assert_snapshot!("team", created.shown());
    let id = created.id();
    for prefix in ["/team-messaging/v1", "/restapi/v1.0/glip"] {
        let read = alice.get(&format!("{prefix}/teams/{id}")).await;
        assert_eq!(read.body, created.body);
    }
}

#[tokio::test]
async fn what_cannot_be_a_team_is_refused() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for (body, expect) in [
        (json!({}), "400 CMN-101 [name]"),
        (json!({"name": ""}), "400 CMN-101 [name]"),
        (json!({"name": "x".repeat(251)}), "400 CMN-101 [name]"),
        (
            json!({"name": "x", "description": "x".repeat(1_001)}),
            "400 CMN-101 [description]",
        ),
        (
            json!({"name": "x", "members": [{"id": "99"}]}),
            "400 CMN-101 [members[0].id]",
        ),
        (
            json!({"name": "x", "members": [{"id": "21"}]}),
            "400 CMN-101 [members[0].id]",
        ),
        (
            json!({"name": "x", "members": [{"id": INTEGRATION}]}),
            "400 CMN-101 [members[0].id]",
        ),
        (
            json!({"name": "x", "members": [{"email": "mallory@example.com"}]}),
            "400 CMN-101 [members[0].email]",
        ),
        (
            json!({"name": "x", "members": [["12"]]}),
            "400 CMN-101 [members[0]]",
        ),
        (
            json!({"name": "x", "members": {"id": "12"}}),
            "400 CMN-101 [members]",
        ),
    ] {
        assert_eq!(alice.post(TEAMS, &body).await.brief(), expect, "{body}");
    }
    let longest = json!({"name": "x".repeat(250), "description": "x".repeat(1_000)});
    assert_eq!(alice.post(TEAMS, &longest).await.status, 201);
}

#[tokio::test]
async fn a_private_team_does_not_exist_for_others() {
    let world = World::start().await;
    let id = team(&world.signed_in(ALICE).await, false, &[]).await;
    for stranger in [world.signed_in(BOB).await, world.signed_in(MALLORY).await] {
        let path = format!("{TEAMS}/{id}");
        assert_eq!(stranger.get(&path).await.brief(), "404 CMN-102 [chatId]");
        assert_eq!(
            stranger.patch(&path, &json!({"name": "x"})).await.brief(),
            "404 CMN-102 [chatId]"
        );
        assert_eq!(stranger.delete(&path).await.brief(), "404 CMN-102 [chatId]");
        for action in ["join", "leave", "archive", "unarchive"] {
            let answer = stranger.act(&format!("{path}/{action}")).await;
            assert_eq!(answer.brief(), "404 CMN-102 [chatId]", "{action}");
        }
        assert_eq!(
            stranger.get("/team-messaging/v1/teams").await.records("id"),
            [""; 0]
        );
    }
}

#[tokio::test]
async fn a_public_team_of_another_account_does_not_exist() {
    let world = World::start().await;
    let id = team(&world.signed_in(ALICE).await, true, &[]).await;
    let mallory = world.signed_in(MALLORY).await;
    assert_eq!(
        mallory.get(&format!("{TEAMS}/{id}")).await.brief(),
        "404 CMN-102 [chatId]"
    );
    assert_eq!(
        mallory.act(&format!("{TEAMS}/{id}/join")).await.brief(),
        "404 CMN-102 [chatId]"
    );
}

#[tokio::test]
async fn only_admins_change_a_team() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let path = format!("{TEAMS}/{}", team(&alice, false, &["12"]).await);
    assert_eq!(
        bob.patch(&path, &json!({"name": "x"})).await.brief(),
        "403 CMN-408"
    );
    assert_eq!(bob.delete(&path).await.brief(), "403 CMN-408");
    assert_eq!(
        bob.act(&format!("{path}/archive")).await.brief(),
        "403 CMN-408"
    );
    let members = json!({"members": [{"id": "13"}]});
    assert_eq!(
        bob.post(&format!("{path}/add"), &members).await.brief(),
        "403 CMN-408"
    );
    assert_eq!(
        bob.post(&format!("{path}/remove"), &members).await.brief(),
        "403 CMN-408"
    );

    let changed = alice
        .patch(&path, &json!({"name": "New", "public": true}))
        .await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["name"]),
        (200, &json!("New"))
    );
    assert_eq!(
        alice.patch(&path, &json!({"name": " "})).await.brief(),
        "400 CMN-101 [name]"
    );
    assert_eq!(
        alice.patch(&path, &json!({"public": "yes"})).await.brief(),
        "400 CMN-101 [public]"
    );
    assert_eq!(alice.delete(&path).await.status, 204);
    assert_eq!(alice.get(&path).await.brief(), "404 CMN-102 [chatId]");
}

#[tokio::test]
async fn joining_and_leaving_say_whether_something_happened() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let path = format!("{TEAMS}/{}", team(&alice, true, &[]).await);
    let act = async |action: &str| bob.act(&format!("{path}/{action}")).await.status.as_u16();
    assert_eq!(act("join").await, 204);
    assert_eq!(act("join").await, 205);
    assert_eq!(act("leave").await, 204);
    assert_eq!(act("leave").await, 205);
    let posts = alice.get(&path.replace("teams", "chats")).await;
    assert_eq!(posts.json()["members"], json!([{"id": "11"}]));
    let posts = alice
        .get(&format!("{}/posts", path.replace("teams", "chats")))
        .await;
    assert_eq!(posts.records("type"), ["PersonLeft", "PersonJoined"]);
}

#[tokio::test]
async fn adding_and_removing_leave_notices() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let id = team(&alice, false, &["12"]).await;
    let path = format!("{TEAMS}/{id}");
    let members = json!({"members": [{"id": "13"}, {"id": "12"}]});
    assert_eq!(
        alice.post(&format!("{path}/add"), &members).await.status,
        204
    );
    let members = json!({"members": [{"id": "12"}]});
    assert_eq!(
        alice.post(&format!("{path}/remove"), &members).await.status,
        204
    );
    assert_eq!(
        alice.get(&path).await.json()["members"],
        json!([{"id": "11"}, {"id": "13"}])
    );
    let posts = alice
        .get(&format!("/team-messaging/v1/chats/{id}/posts"))
        .await;
    insta::assert_snapshot!("notices", posts.shown());
    assert_eq!(
        alice.act(&format!("{path}/add")).await.brief(),
        "400 CMN-101 [members]"
    );
    let carol = world.signed_in(CAROL).await;
    assert_eq!(carol.get(&path).await.status, 200);
    assert_eq!(
        world.signed_in(BOB).await.get(&path).await.brief(),
        "404 CMN-102 [chatId]"
    );
}

#[tokio::test]
async fn an_archived_team_takes_nothing_until_it_is_reopened() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let id = team(&alice, true, &[]).await;
    let path = format!("{TEAMS}/{id}");
    let act = async |action: &str| alice.act(&format!("{path}/{action}")).await.status.as_u16();
    assert_eq!((act("archive").await, act("archive").await), (204, 205));
    assert_eq!(alice.get(&path).await.json()["status"], "Archived");
    assert_eq!(
        alice.patch(&path, &json!({"name": "x"})).await.brief(),
        "403 CMN-420"
    );
    let bob = world.signed_in(BOB).await;
    assert_eq!(
        bob.act(&format!("{path}/join")).await.brief(),
        "403 CMN-420"
    );
    let posts = format!("/team-messaging/v1/chats/{id}/posts");
    assert_eq!(
        alice.post(&posts, &json!({"text": "x"})).await.brief(),
        "403 CMN-420"
    );
    assert_eq!((act("unarchive").await, act("unarchive").await), (204, 205));
    assert_eq!(alice.post(&posts, &json!({"text": "x"})).await.status, 201);
}

#[tokio::test]
async fn teams_are_listed_in_pages_that_lead_on_and_back() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(team(&alice, true, &[]).await);
    }
    let bob = world.signed_in(BOB).await;
    let first = bob.get(&format!("{TEAMS}?recordCount=2&pageToken=")).await;
    assert_eq!(first.records("id"), made[..2]);
    let follow = async |navigation: &serde_json::Value, token: &str| {
        let token = navigation["navigation"][token].as_str().expect("a token");
        bob.get(&format!("{TEAMS}?pageToken={token}")).await
    };
    assert!(first.json()["navigation"]["nextPageToken"].is_null());
    let second = follow(&first.json(), "prevPageToken").await;
    assert_eq!(second.records("id"), made[2..4]);
    let third = follow(&second.json(), "prevPageToken").await;
    assert_eq!(third.records("id"), made[4..]);
    assert!(third.json()["navigation"]["prevPageToken"].is_null());
    let back = follow(&second.json(), "nextPageToken").await;
    assert_eq!(back.records("id"), made[..2]);
}

#[tokio::test]
async fn teams_need_the_apps_permission() {
    let world = World::start().await;
    let id = team(&world.signed_in(ALICE).await, true, &[]).await;
    let alice = world.without_scope(ALICE).await;
    let path = format!("{TEAMS}/{id}");
    assert_eq!(alice.get(TEAMS).await.brief(), "403 CMN-401");
    assert_eq!(
        alice.post(TEAMS, &json!({"name": "x"})).await.brief(),
        "403 CMN-401"
    );
    assert_eq!(alice.get(&path).await.brief(), "403 CMN-401");
    assert_eq!(alice.patch(&path, &json!({})).await.brief(), "403 CMN-401");
    assert_eq!(alice.delete(&path).await.brief(), "403 CMN-401");
    let members = json!({"members": []});
    for action in ["join", "leave", "add", "remove", "archive", "unarchive"] {
        let answer = alice.post(&format!("{path}/{action}"), &members).await;
        assert_eq!(answer.brief(), "403 CMN-401", "{action}");
    }
}
