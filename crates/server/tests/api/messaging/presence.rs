//! Presence: reading one, several and all, changing one, hiding it, and being told.

use hookyard_domain::{PersonId, Scope};
use http::Method;
use serde_json::{Value, json};

use crate::world::{ALICE, BOB, CAROL, INTEGRATION, World};

const ACCOUNT: &str = "/restapi/v1.0/account/~";

fn of(extension: impl std::fmt::Display) -> String {
    format!("{ACCOUNT}/extension/{extension}/presence")
}

#[tokio::test]
async fn who_has_never_set_a_presence_has_the_default() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let own = alice.get(&of("~")).await;
    let shown = own.shown().replace(&world.address.to_string(), "<address>");
    insta::assert_snapshot!("presence", shown);
    assert_eq!(alice.get(&of(ALICE)).await.body, own.body);
    let detailed = alice
        .get(&format!("{}?detailedTelephonyState=true", of("~")))
        .await;
    assert_eq!(detailed.json()["activeCalls"], json!([]));
    for nobody in ["21", "99", "x"] {
        let answer = alice.get(&of(nobody)).await;
        assert_eq!(answer.brief(), "404 CMN-102 [extensionId]", "{nobody}");
    }
    assert_eq!(
        alice.get(&of(INTEGRATION)).await.brief(),
        "403 CMN-109",
        "a program is neither there nor away"
    );
}

#[tokio::test]
async fn a_change_is_read_again_and_told_with_its_number() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let busy = json!({"userStatus": "Busy", "message": "In a meeting", "pickUpCallsOnHold": true});
    let changed = bob.put(&of("~"), &busy).await;
    assert_eq!(changed.status, 200);
    assert_eq!(changed.json()["presenceStatus"], "Busy");
    assert_eq!(bob.get(&of("~")).await.body, changed.body);
    assert_eq!(bob.put(&of("~"), &busy).await.body, changed.body);
    let away = json!({"dndStatus": "DoNotAcceptAnyCalls", "userStatus": "Available"});
    let changed = bob.put(&of("~"), &away).await.json();
    assert_eq!(changed["presenceStatus"], "Busy", "who takes no calls is");
    assert_eq!(changed["message"], "In a meeting", "absent parts stay");
    insta::assert_snapshot!(world.told().await.join("\n"), @r#"
    presence 12 {"extensionId":"12","telephonyStatus":"NoCall","presenceStatus":"Busy","userStatus":"Busy","meetingStatus":"Disconnected","dndStatus":"TakeAllCalls","dndStatusPersonal":"TakeAllCalls","acceptCallQueueCalls":true,"message":"In a meeting","allowSeeMyPresence":true,"ringOnMonitoredCall":false,"pickUpCallsOnHold":true,"sequence":1,"totalActiveCalls":0,"activeCalls":[]}
    presence 12 {"extensionId":"12","telephonyStatus":"NoCall","presenceStatus":"Busy","userStatus":"Available","meetingStatus":"Disconnected","dndStatus":"DoNotAcceptAnyCalls","dndStatusPersonal":"DoNotAcceptAnyCalls","acceptCallQueueCalls":false,"message":"In a meeting","allowSeeMyPresence":true,"ringOnMonitoredCall":false,"pickUpCallsOnHold":true,"sequence":2,"totalActiveCalls":0,"activeCalls":[]}
    "#);
}

#[tokio::test]
async fn newer_clients_set_each_sort_of_calls_by_itself() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let set = async |body: Value| {
        let answer = bob.put(&of("~"), &body).await.json();
        answer["dndStatus"].as_str().unwrap_or_default().to_owned()
    };
    let no_queues = json!({"acceptCallQueueCalls": false});
    assert_eq!(set(no_queues).await, "DoNotAcceptDepartmentCalls");
    let none = json!({"dndStatusPersonal": "DoNotAcceptAnyCalls"});
    assert_eq!(set(none).await, "DoNotAcceptAnyCalls");
    let queues = json!({"acceptCallQueueCalls": true});
    assert_eq!(set(queues).await, "TakeDepartmentCallsOnly");
}

#[tokio::test]
async fn several_presences_are_parts_and_all_are_a_list() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let several = bob.get(&of("11,12,99")).await;
    assert_eq!(several.status, 207);
    assert!(several.body.contains("--Boundary"), "{}", several.body);
    let accept = [("accept", "application/vnd.ringcentral.multipart+json")];
    let array = bob.send(Method::GET, &of("11,99"), &accept, "").await;
    let statuses: Vec<_> = array
        .json()
        .as_array()
        .expect("an array")
        .iter()
        .map(|part| part["status"].clone())
        .collect();
    assert_eq!(statuses, [200, 404]);
    let all = bob.get(&format!("{ACCOUNT}/presence?perPage=2")).await;
    let all = all.json();
    assert_eq!(all["records"].as_array().expect("a list").len(), 2);
    assert_eq!(all["paging"]["totalElements"], 3);
    assert_eq!(all["records"][0]["extension"]["id"], 11);
}

#[tokio::test]
async fn a_hidden_presence_is_for_its_owner_and_administrators() {
    let world = World::start().await;
    let (bob, carol) = (world.signed_in(BOB).await, world.signed_in(CAROL).await);
    let alice = world.signed_in(ALICE).await;
    let hide = json!({"allowSeeMyPresence": false});
    assert_eq!(bob.put(&of("~"), &hide).await.status, 200);
    assert_eq!(carol.get(&of(BOB)).await.brief(), "403 CMN-408");
    assert_eq!(bob.get(&of(BOB)).await.status, 200);
    assert_eq!(alice.get(&of(BOB)).await.status, 200);
    let accept = [("accept", "application/vnd.ringcentral.multipart+json")];
    let several = carol.send(Method::GET, &of("11,12"), &accept, "").await;
    assert_eq!(several.json()[1]["status"], 403);
    let listed = async |client: &crate::client::Client| {
        let all = client.get(&format!("{ACCOUNT}/presence")).await.json();
        all["paging"]["totalElements"].clone()
    };
    assert_eq!(listed(&carol).await, 2);
    assert_eq!(listed(&bob).await, 3);
    assert_eq!(listed(&alice).await, 3);
    let watch = json!({
        "eventFilters": [of(BOB)],
        "deliveryMode": {"transportType": "WebHook", "address": "http://127.0.0.1:9/"},
    });
    let refused = carol.post("/restapi/v1.0/subscription", &watch).await;
    assert_eq!(refused.brief(), "403 SUB-403");
}

#[tokio::test]
async fn people_change_their_own_presence_and_administrators_everybodys() {
    let world = World::start().await;
    let busy = json!({"userStatus": "Busy"});
    let bob = world.signed_in(BOB).await;
    assert_eq!(bob.put(&of(CAROL), &busy).await.brief(), "403 CMN-408");
    let alice = world.signed_in(ALICE).await;
    assert_eq!(alice.put(&of(CAROL), &busy).await.status, 200);
    let told = world.told().await;
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("presence 13 "), "{told:?}");
    assert_eq!(
        alice.put(&of(INTEGRATION), &busy).await.brief(),
        "403 CMN-109"
    );
}

#[tokio::test]
async fn values_that_there_are_not_are_refused() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    for (body, expect) in [
        (json!({"userStatus": "Asleep"}), "400 CMN-101 [userStatus]"),
        (json!({"dndStatus": "Unknown"}), "400 CMN-101 [dndStatus]"),
        (
            json!({"allowSeeMyPresence": "no"}),
            "400 CMN-101 [allowSeeMyPresence]",
        ),
        (json!({"message": "x".repeat(76)}), "400 CMN-101 [message]"),
    ] {
        assert_eq!(bob.put(&of("~"), &body).await.brief(), expect, "{body}");
    }
    let longest = json!({"message": "x".repeat(75)});
    assert_eq!(bob.put(&of("~"), &longest).await.status, 200);
    let page = bob.get(&format!("{ACCOUNT}/presence?page=0")).await;
    assert_eq!(page.brief(), "400 CMN-101 [page]");
}

#[tokio::test]
async fn presence_needs_the_apps_permissions() {
    let world = World::start().await;
    let with = async |person: PersonId, scope: Scope| {
        let scopes = [scope].into_iter().collect();
        world.signed_in_with(person, scopes, "app").await
    };
    let reader = with(BOB, Scope::ReadPresence).await;
    assert_eq!(reader.get(&of("~")).await.status, 200);
    let busy = json!({"userStatus": "Busy"});
    assert_eq!(reader.put(&of("~"), &busy).await.brief(), "403 CMN-401");
    let writer = with(BOB, Scope::EditPresence).await;
    assert_eq!(writer.put(&of("~"), &busy).await.status, 200);
    assert_eq!(writer.get(&of("~")).await.brief(), "403 CMN-401");
    let all = writer.get(&format!("{ACCOUNT}/presence")).await;
    assert_eq!(all.brief(), "403 CMN-401");
}
