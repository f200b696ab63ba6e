//! Persons and companies, one and several at a time.

use http::Method;

use crate::world::{ALICE, MALLORY, World};

const PERSONS: &str = "/team-messaging/v1/persons";
const COMPANIES: &str = "/restapi/v1.0/glip/companies";

#[tokio::test]
async fn a_person_is_read_by_id_and_oneself_by_a_tilde() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    insta::assert_snapshot!("person", alice.get(&format!("{PERSONS}/12")).await.shown());
    assert_eq!(alice.get(&format!("{PERSONS}/~")).await.id(), "11");
    for id in ["21", "99", "x"] {
        let answer = alice.get(&format!("{PERSONS}/{id}")).await;
        assert_eq!(answer.brief(), "404 CMN-102 [personId]", "{id}");
    }
}

#[tokio::test]
async fn several_are_parts_or_an_array() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let path = format!("{PERSONS}/11,21");
    let parts = alice.get(&path).await;
    assert_eq!(parts.status, 207);
    let kind = parts.header("content-type");
    let (_, boundary) = kind
        .split_once("multipart/mixed; boundary=")
        .expect("a boundary");
    let shown = parts.body.replace(boundary, "Boundary").replace('\r', "");
    insta::assert_snapshot!("multipart", shown);
    let accept = [("accept", "application/vnd.ringcentral.multipart+json")];
    let array = alice.send(Method::GET, &path, &accept, "").await;
    assert_eq!(array.status, 207);
    insta::assert_snapshot!("array", array.shown());
    let many = vec!["11"; 31].join(",");
    assert_eq!(
        alice.get(&format!("{PERSONS}/{many}")).await.brief(),
        "400 CMN-106"
    );
}

#[tokio::test]
async fn ones_own_company_is_the_only_one() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let own = alice.get(&format!("{COMPANIES}/~")).await;
    insta::assert_snapshot!("company", own.shown());
    assert_eq!(alice.get(&format!("{COMPANIES}/1")).await.body, own.body);
    let other = alice.get(&format!("{COMPANIES}/2")).await;
    assert_eq!(other.brief(), "404 CMN-102 [companyId]");
    let mallory = world.signed_in(MALLORY).await;
    assert_eq!(mallory.get(&format!("{COMPANIES}/~")).await.id(), "2");
    assert_eq!(alice.get(&format!("{COMPANIES}/1,2")).await.status, 207);
}

#[tokio::test]
async fn persons_need_the_apps_permission() {
    let world = World::start().await;
    let alice = world.without_scope(ALICE).await;
    assert_eq!(
        alice.get(&format!("{PERSONS}/~")).await.brief(),
        "403 CMN-401"
    );
    assert_eq!(
        alice.get(&format!("{COMPANIES}/~")).await.brief(),
        "403 CMN-401"
    );
}
