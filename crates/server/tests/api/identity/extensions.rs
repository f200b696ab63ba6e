//! Extensions: taking people in, changing what is known of them, disabling them, finding them.

use http::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{ALICE, BOB, CAROL, PASSWORD, World};

const ACCOUNT: &str = "/restapi/v1.0/account/~";

fn extension(id: impl std::fmt::Display) -> String {
    format!("{ACCOUNT}/extension/{id}")
}

fn dave() -> Value {
    json!({
        "contact": {"firstName": " Dave ", "lastName": "Jones", "email": "dave@example.com"},
        "extensionNumber": "107",
        "password": "a long enough one",
    })
}

async fn take_in(client: &Client, body: &Value) -> crate::client::Answer {
    client.post(&format!("{ACCOUNT}/extension"), body).await
}

async fn signs_in(world: &World, name: &str, password: &str) -> String {
    let body = json!({"username": name, "password": password}).to_string();
    let kind = [("content-type", "application/json")];
    let nobody = world.nobody();
    let answer = nobody
        .send(Method::POST, "/console/session", &kind, body)
        .await;
    let code = answer.json()["errorCode"].as_str().map(str::to_owned);
    code.unwrap_or_else(|| answer.status.as_u16().to_string())
}

#[tokio::test]
async fn a_new_person_can_sign_in_and_is_in_the_chat_of_all() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = take_in(&alice, &dave()).await;
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    assert_eq!(made["name"], "Dave Jones");
    assert_eq!(made["status"], "Enabled");
    assert_eq!(made["permissions"]["admin"]["enabled"], false);
    let id = made["id"].as_u64().expect("a number");
    assert_eq!(alice.get(&extension(id)).await.json(), made);
    for name in ["dave@example.com", "107"] {
        assert_eq!(signs_in(&world, name, "a long enough one").await, "200");
    }
    let everyone = alice.get("/team-messaging/v1/chats/31").await.json();
    let members = everyone["members"].as_array().expect("members");
    assert!(
        members.contains(&json!({"id": id.to_string()})),
        "{members:?}"
    );
    let told = world.told().await;
    assert_eq!(
        told,
        [format!(
            r#"extension {id} {{"extensionId":"{id}","eventType":"Create","hints":["ExtensionInfo"]}}"#
        )]
    );
}

#[tokio::test]
async fn what_a_new_person_needs_is_checked() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for (pointer, value, expect) in [
        ("/contact", json!({}), "400 CMN-101 [contact.firstName]"),
        ("/contact/email", json!("x"), "400 CMN-101 [contact.email]"),
        (
            "/contact/email",
            json!("BOB@example.com"),
            "400 CMN-101 [contact.email]",
        ),
        (
            "/contact/lastName",
            json!("x".repeat(65)),
            "400 CMN-101 [contact.lastName]",
        ),
        (
            "/extensionNumber",
            json!("1a"),
            "400 CMN-101 [extensionNumber]",
        ),
        (
            "/extensionNumber",
            json!("102"),
            "400 CMN-101 [extensionNumber]",
        ),
        ("/password", json!("short"), "400 CMN-101 [password]"),
    ] {
        let mut body = dave();
        *body.pointer_mut(pointer).expect("a part of it") = value;
        assert_eq!(take_in(&alice, &body).await.brief(), expect, "{body}");
    }
    let mut robot = dave();
    robot["type"] = json!("Department");
    assert_eq!(take_in(&alice, &robot).await.brief(), "400 CMN-101 [type]");
    let mut asleep = dave();
    asleep["status"] = json!("Disabled");
    assert_eq!(
        take_in(&alice, &asleep).await.brief(),
        "400 CMN-101 [status]"
    );
    assert_eq!(
        take_in(&alice, &json!({})).await.brief(),
        "400 CMN-101 [contact]"
    );
    let bob = world.signed_in(BOB).await;
    assert_eq!(take_in(&bob, &dave()).await.brief(), "403 CMN-408");
    assert!(world.told().await.is_empty());
}

#[tokio::test]
async fn of_two_who_ask_for_one_address_at_once_one_gets_it() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let (first, second) = (dave(), dave());
    let both = tokio::join!(take_in(&alice, &first), take_in(&alice, &second));
    let mut briefs = [both.0.brief(), both.1.brief()];
    briefs.sort();
    assert_eq!(briefs, ["200", "400 CMN-101 [contact.email]"]);
}

#[tokio::test]
async fn people_change_their_own_names_and_are_told() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let body = json!({"contact": {"firstName": "Robert", "email": "robert@example.com"}});
    let changed = bob.put(&extension("~"), &body).await;
    assert_eq!(changed.json()["name"], "Robert Smith");
    assert_eq!(changed.json()["contact"]["email"], "robert@example.com");
    assert_eq!(bob.get(&extension("~")).await.body, changed.body);
    assert_eq!(bob.put(&extension("~"), &body).await.body, changed.body);
    let told = world.told().await;
    assert_eq!(
        told,
        [r#"extension 12 {"extensionId":"12","eventType":"Update","hints":["ExtensionInfo"]}"#],
        "nothing is told when nothing changes"
    );
    let taken = json!({"contact": {"email": "alice@example.com"}});
    let answer = bob.put(&extension("~"), &taken).await;
    assert_eq!(answer.brief(), "400 CMN-101 [contact.email]");
    for body in [
        json!({"extensionNumber": "200"}),
        json!({"status": "Disabled"}),
        json!({"permissions": {"admin": {"enabled": true}}}),
        json!({"password": "a long enough one"}),
    ] {
        let answer = bob.put(&extension("~"), &body).await;
        assert_eq!(answer.brief(), "403 CMN-408", "{body}");
    }
    let answer = bob
        .put(&extension(CAROL), &json!({"contact": {"firstName": "X"}}))
        .await;
    assert_eq!(answer.brief(), "403 CMN-408");
}

#[tokio::test]
async fn administrators_change_everything_but_their_own_rights() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let body = json!({
        "extensionNumber": "200",
        "permissions": {"admin": {"enabled": true}},
        "password": "a long enough one",
    });
    let bob = world.signed_in(BOB).await;
    let changed = alice.put(&extension(BOB), &body).await.json();
    assert_eq!(changed["extensionNumber"], "200");
    assert_eq!(changed["permissions"]["admin"]["enabled"], true);
    assert_eq!(bob.get(&extension("~")).await.brief(), "401 OAU-213");
    assert_eq!(signs_in(&world, "200", "a long enough one").await, "200");
    let taken = json!({"extensionNumber": "103"});
    let answer = alice.put(&extension(BOB), &taken).await;
    assert_eq!(answer.brief(), "400 CMN-101 [extensionNumber]");
    for body in [
        json!({"status": "Disabled"}),
        json!({"permissions": {"admin": {"enabled": false}}}),
        json!({"password": "a long enough one"}),
    ] {
        let answer = alice.put(&extension("~"), &body).await;
        assert_eq!(answer.brief(), "400 CMN-101 [extensionId]", "{body}");
    }
    let answer = alice
        .put(&extension(BOB), &json!({"status": "Frozen"}))
        .await;
    assert_eq!(answer.brief(), "400 CMN-101 [status]");
    assert_eq!(
        alice.put(&extension(14), &taken).await.brief(),
        "404 CMN-102 [extensionId]"
    );
}

#[tokio::test]
async fn a_deleted_person_is_disabled_and_keeps_their_name() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let made = take_in(&alice, &dave()).await.json();
    let id = made["id"].as_u64().expect("a number");
    let dave = world.signed_in(hookyard_domain::PersonId(id)).await;
    assert_eq!(dave.get(&extension("~")).await.status, 200);
    assert_eq!(alice.delete(&extension(id)).await.status, 204);
    assert_eq!(dave.get(&extension("~")).await.brief(), "401 OAU-213");
    assert_eq!(
        signs_in(&world, "107", "a long enough one").await,
        "OAU-236"
    );
    assert_eq!(signs_in(&world, "107", "a wrong one").await, "OAU-140");
    let read = alice.get(&extension(id)).await.json();
    assert_eq!(read["status"], "Disabled");
    assert_eq!(read["name"], "Dave Jones");
    let person = alice.get(&format!("/team-messaging/v1/persons/{id}")).await;
    assert_eq!(person.json()["firstName"], "Dave");
    let told = world.told().await;
    assert!(told[1].contains(r#""eventType":"Delete""#), "{told:?}");
    assert_eq!(
        alice.delete(&extension(id)).await.status,
        204,
        "it is so already"
    );
    assert_eq!(world.told().await.len(), 2);
    let pager = json!({"to": [{"extensionId": id}], "text": "hi"});
    let answer = alice.post(&extension("~/company-pager"), &pager).await;
    assert_eq!(answer.brief(), "400 CMN-101 [to[0].extensionId]");
    let back = alice
        .put(&extension(id), &json!({"status": "Enabled"}))
        .await;
    assert_eq!(back.json()["status"], "Enabled");
    assert_eq!(signs_in(&world, "107", "a long enough one").await, "200");
}

#[tokio::test]
async fn nobody_deletes_themselves_and_only_administrators_others() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    assert_eq!(
        alice.delete(&extension("~")).await.brief(),
        "400 CMN-101 [extensionId]"
    );
    let bob = world.signed_in(BOB).await;
    assert_eq!(bob.delete(&extension(CAROL)).await.brief(), "403 CMN-408");
    assert_eq!(bob.delete(&extension("~")).await.brief(), "403 CMN-408");
    for nobody in ["14", "21", "99", "x"] {
        let answer = alice.delete(&extension(nobody)).await;
        assert_eq!(answer.brief(), "404 CMN-102 [extensionId]", "{nobody}");
    }
    assert_eq!(signs_in(&world, "101", PASSWORD).await, "200");
}

#[tokio::test]
async fn the_jwt_of_a_disabled_person_is_no_good() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let promote = json!({"permissions": {"admin": {"enabled": true}}});
    assert_eq!(alice.put(&extension(BOB), &promote).await.status, 200);
    let operator = format!("/api/v1/operators/{BOB}");
    assert_eq!(alice.put(&operator, &json!({})).await.status, 204);
    let bob = world.signed_in(BOB).await;
    assert_eq!(bob.delete(&extension(ALICE)).await.status, 204);
    let basic = format!("Basic {}", "YXBwOmFwcC1zZWNyZXQ=");
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}",
        crate::world::JWT
    );
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", basic.as_str()),
    ];
    let nobody = world.nobody();
    let answer = nobody
        .send(Method::POST, "/restapi/oauth/token", &headers, form)
        .await;
    assert_eq!(answer.brief(), "400 OAU-236");
    assert_eq!(answer.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn the_list_has_pages_and_filters() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let names = async |query: &str| {
        let answer = alice.get(&format!("{ACCOUNT}/extension?{query}")).await;
        answer.records("name")
    };
    assert_eq!(names("perPage=2").await, ["Alice Smith", "Bob Smith"]);
    assert_eq!(names("perPage=2&page=2").await, ["Carol Smith"]);
    assert_eq!(names("extensionNumber=102").await, ["Bob Smith"]);
    assert_eq!(names("email=carol@example.com").await, ["Carol Smith"]);
    assert_eq!(names("type=User&status=Enabled").await.len(), 3);
    assert_eq!(names("status=Disabled&status=Enabled").await.len(), 3);
    assert!(names("status=Disabled").await.is_empty());
    assert!(names("type=Department").await.is_empty());
    let answer = alice
        .get(&format!("{ACCOUNT}/extension?status=Asleep"))
        .await;
    assert_eq!(answer.brief(), "400 CMN-101 [status]");
    let page = alice.get(&format!("{ACCOUNT}/extension?perPage=2")).await;
    let page = page.json();
    assert_eq!(page["paging"]["totalPages"], 2);
    assert!(page["navigation"]["nextPage"]["uri"].is_string());
    let several = alice.get(&extension("11,12,99")).await;
    assert_eq!(several.status, 207);
    assert!(several.body.contains("--Boundary") && several.body.contains("CMN-102"));
}

#[tokio::test]
async fn the_directory_finds_people_by_what_is_known_of_them() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let find = async |body: Value| {
        let path = format!("{ACCOUNT}/directory/entries/search");
        alice.post(&path, &body).await
    };
    let found = find(json!({"searchString": "bOb"})).await;
    insta::assert_snapshot!("directory", found.shown());
    for (body, expect) in [
        (json!({"searchString": "carol smith"}), 1),
        (json!({"searchString": "@example"}), 3),
        (json!({"searchString": "103"}), 1),
        (
            json!({"searchString": "bob", "searchFields": ["lastName"]}),
            0,
        ),
        (json!({"searchString": "nobody"}), 0),
        (json!({"extensionType": "Department"}), 0),
        (json!({"perPage": 2, "page": 2}), 1),
    ] {
        let answer = find(body.clone()).await;
        assert_eq!(answer.records("id").len(), expect, "{body}");
    }
    let all = alice
        .get(&format!("{ACCOUNT}/directory/entries?perPage=2"))
        .await;
    assert_eq!(all.records("firstName"), ["Alice", "Bob"]);
    assert_eq!(alice.delete(&extension(BOB)).await.status, 204);
    assert!(
        find(json!({"searchString": "bob"}))
            .await
            .records("id")
            .is_empty()
    );
    let page = find(json!({"page": 0})).await;
    assert_eq!(page.brief(), "400 CMN-101 [page]");
}

#[tokio::test]
async fn extensions_need_the_apps_permissions() {
    let world = World::start().await;
    let alice = world.without_scope(ALICE).await;
    assert_eq!(take_in(&alice, &dave()).await.brief(), "403 CMN-401");
    let body = json!({"contact": {"firstName": "X"}});
    assert_eq!(
        alice.put(&extension("~"), &body).await.brief(),
        "403 CMN-401"
    );
    assert_eq!(alice.delete(&extension(BOB)).await.brief(), "403 CMN-401");
    assert_eq!(alice.get(&extension("11,12")).await.brief(), "403 CMN-401");
    for path in ["directory/entries/search", "directory/entries"] {
        let path = format!("{ACCOUNT}/{path}");
        let answer = if path.ends_with("search") {
            alice.post(&path, &json!({})).await
        } else {
            alice.get(&path).await
        };
        assert_eq!(answer.brief(), "403 CMN-401", "{path}");
    }
}
