//! Messages by company-pager and the stores that they are kept in.

use std::time::Duration;

use hookyard_domain::Scope;
use serde_json::{Value, json};

use crate::client::{Answer, Client, hide_numbers};
use crate::world::{ALICE, BOB, CAROL, World};

const OWN: &str = "/restapi/v1.0/account/~/extension/~";

async fn send(client: &Client, to: Value, text: &str) -> Answer {
    let body = json!({"from": {"extensionNumber": "102"}, "to": to, "text": text});
    client.post(&format!("{OWN}/company-pager"), &body).await
}

async fn store(client: &Client, query: &str) -> Value {
    let answer = client.get(&format!("{OWN}/message-store?{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn subjects(store: &Value) -> Vec<&str> {
    let records = store["records"].as_array().expect("a list");
    let subject = |record: &'_ Value| record["subject"].as_str().is_some();
    assert!(records.iter().all(subject));
    records
        .iter()
        .filter_map(|record| record["subject"].as_str())
        .collect()
}

/// The address of the newest message in a store.
async fn newest(client: &Client) -> String {
    let store = store(client, "").await;
    let id = &store["records"][0]["id"];
    format!("{OWN}/message-store/{}", id.as_u64().expect("a number"))
}

#[tokio::test]
async fn a_message_is_in_everyones_store_and_everyone_is_told() {
    let world = World::start().await;
    let (bob, carol) = (world.signed_in(BOB).await, world.signed_in(CAROL).await);
    let to = json!([{"extensionId": "13"}, {"extensionNumber": "101"}, {"extensionId": 13}]);
    let sent = send(&bob, to, "Lunch?").await;
    let shown = sent
        .shown()
        .replace(&world.address.to_string(), "<address>");
    insta::assert_snapshot!("message_sent", shown);
    let got = store(&carol, "").await;
    assert_eq!(subjects(&got), ["Lunch?"]);
    let got = &got["records"][0];
    assert_eq!(got["direction"], "Inbound");
    assert_eq!(got["readStatus"], "Unread");
    assert_eq!(got["messageStatus"], "Received");
    assert_eq!(got["conversationId"], sent.json()["conversationId"]);
    insta::assert_snapshot!(hide_numbers(&world.told().await.join("\n")), @r#"
    instant-message 13 {"id":"<id>","to":[{"extensionId":"13","extensionNumber":"103","name":"Carol Smith"},{"extensionId":"11","extensionNumber":"101","name":"Alice Smith"}],"from":{"extensionId":"12","extensionNumber":"102","name":"Bob Smith"},"type":"Pager","creationTime":"2027-01-15T08:00:00.000Z","lastModifiedTime":"2027-01-15T08:00:00.000Z","readStatus":"Unread","priority":"Normal","attachments":[{"id":"<id>","type":"Text","contentType":"text/plain"}],"direction":"Inbound","availability":"Alive","subject":"Lunch?","messageStatus":"Received","conversationId":"<id>","conversation":{"id":"<id>"}}
    instant-message 11 {"id":"<id>","to":[{"extensionId":"13","extensionNumber":"103","name":"Carol Smith"},{"extensionId":"11","extensionNumber":"101","name":"Alice Smith"}],"from":{"extensionId":"12","extensionNumber":"102","name":"Bob Smith"},"type":"Pager","creationTime":"2027-01-15T08:00:00.000Z","lastModifiedTime":"2027-01-15T08:00:00.000Z","readStatus":"Unread","priority":"Normal","attachments":[{"id":"<id>","type":"Text","contentType":"text/plain"}],"direction":"Inbound","availability":"Alive","subject":"Lunch?","messageStatus":"Received","conversationId":"<id>","conversation":{"id":"<id>"}}
    message-store 12 {"accountId":1,"extensionId":12,"lastUpdated":"2027-01-15T08:00:00.000Z","changes":[{"type":"Pager","newCount":1,"updatedCount":0,"newMessageIds":[<id>]}]}
    message-store 13 {"accountId":1,"extensionId":13,"lastUpdated":"2027-01-15T08:00:00.000Z","changes":[{"type":"Pager","newCount":1,"updatedCount":0,"newMessageIds":[<id>]}]}
    message-store 11 {"accountId":1,"extensionId":11,"lastUpdated":"2027-01-15T08:00:00.000Z","changes":[{"type":"Pager","newCount":1,"updatedCount":0,"newMessageIds":[<id>]}]}
    "#);
}

#[tokio::test]
async fn a_store_is_read_by_direction_state_time_and_page() {
    let world = World::start().await;
    let (bob, carol) = (world.signed_in(BOB).await, world.signed_in(CAROL).await);
    let to_carol = || json!([{"extensionId": "13"}]);
    for text in ["one", "two", "three"] {
        assert_eq!(send(&bob, to_carol(), text).await.status, 200);
        world.clock.advance(Duration::from_secs(60));
    }
    let reply = json!({"to": [{"extensionId": "12"}], "text": "four"});
    let path = format!("{OWN}/company-pager");
    assert_eq!(carol.post(&path, &reply).await.status, 200);
    for (query, expect) in [
        ("", &["four", "three", "two", "one"][..]),
        ("direction=Outbound", &["four"]),
        (
            "direction=Inbound&direction=Outbound&perPage=2",
            &["four", "three"],
        ),
        ("readStatus=Unread", &["three", "two", "one"]),
        (
            "messageType=Pager&messageType=SMS&direction=Outbound",
            &["four"],
        ),
        ("messageType=SMS", &[]),
        ("phoneNumber=%2B15550100", &[]),
        ("availability=Deleted", &[]),
        ("dateTo=2027-01-15T08:01:00Z", &["two", "one"]),
        ("dateFrom=2027-01-15T08:02:00.000Z", &["four", "three"]),
        (
            "dateFrom=2027-01-15&dateTo=2027-01-16",
            &["four", "three", "two", "one"],
        ),
        ("dateTo=2027-01-15", &[]),
        ("perPage=3&page=2", &["one"]),
    ] {
        assert_eq!(subjects(&store(&carol, query).await), expect, "{query}");
    }
    let page = store(&carol, "perPage=3&page=2&messageType=Pager").await;
    let shown = serde_json::to_string(&[&page["paging"], &page["navigation"]]).expect("JSON");
    let shown = shown.replace(&world.address.to_string(), "<address>");
    insta::assert_snapshot!(shown, @r#"[{"page":2,"pageEnd":3,"pageStart":3,"perPage":3,"totalElements":4,"totalPages":2},{"firstPage":{"uri":"http://<address>/restapi/v1.0/account/1/extension/13/message-store?messageType=Pager&page=1&perPage=3"},"lastPage":{"uri":"http://<address>/restapi/v1.0/account/1/extension/13/message-store?messageType=Pager&page=2&perPage=3"},"previousPage":{"uri":"http://<address>/restapi/v1.0/account/1/extension/13/message-store?messageType=Pager&page=1&perPage=3"}}]"#);
    let conversation = page["records"][0]["conversationId"].as_u64();
    let query = format!("conversationId={}", conversation.expect("a number"));
    assert_eq!(subjects(&store(&carol, &query).await).len(), 4);
    assert!(subjects(&store(&carol, "conversationId=1").await).is_empty());
    for (query, expect) in [
        ("direction=Sideways", "400 CMN-101 [direction]"),
        ("readStatus=x", "400 CMN-101 [readStatus]"),
        ("availability=x", "400 CMN-101 [availability]"),
        ("messageType=Pigeon", "400 CMN-101 [messageType]"),
        ("dateFrom=yesterday", "400 CMN-101 [dateFrom]"),
        ("dateTo=2027-13-01", "400 CMN-101 [dateTo]"),
        ("conversationId=x", "400 CMN-101 [conversationId]"),
        (
            "distinctConversations=true",
            "400 CMN-101 [distinctConversations]",
        ),
        ("perPage=0", "400 CMN-101 [perPage]"),
    ] {
        let answer = carol.get(&format!("{OWN}/message-store?{query}")).await;
        assert_eq!(answer.brief(), expect, "{query}");
    }
}

#[tokio::test]
async fn messages_older_than_a_day_are_listed_when_asked_for() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    send(&bob, json!([{"extensionId": "13"}]), "old").await;
    world.clock.advance(Duration::from_secs(24 * 3_600 + 1));
    let bob = world.signed_in(BOB).await;
    assert!(subjects(&store(&bob, "").await).is_empty());
    assert_eq!(subjects(&store(&bob, "dateFrom=2027-01-01").await), ["old"]);
}

#[tokio::test]
async fn a_message_is_read_marked_and_deleted_by_its_owner() {
    let world = World::start().await;
    let (bob, carol) = (world.signed_in(BOB).await, world.signed_in(CAROL).await);
    send(&bob, json!([{"extensionId": "13"}]), "Lunch?").await;
    let path = newest(&carol).await;
    let content = path.rsplit('/').next().expect("an id");
    let content = carol.get(&format!("{path}/content/{content}")).await;
    assert_eq!(content.body, "Lunch?");
    assert_eq!(content.header("content-type"), "text/plain; charset=UTF-8");
    let other = carol.get(&format!("{path}/content/1")).await;
    assert_eq!(other.brief(), "404 CMN-102 [attachmentId]");

    let already = world.told().await.len();
    let marked = carol.put(&path, &json!({"readStatus": "Read"})).await;
    assert_eq!(marked.json()["readStatus"], "Read");
    assert_eq!(carol.get(&path).await.body, marked.body);
    assert_eq!(
        carol
            .put(&path, &json!({"readStatus": "Read"}))
            .await
            .status,
        200
    );
    assert_eq!(carol.delete(&path).await.status, 204);
    assert_eq!(carol.get(&path).await.json()["availability"], "Deleted");
    assert!(subjects(&store(&carol, "").await).is_empty());
    assert_eq!(
        subjects(&store(&carol, "availability=Deleted").await),
        ["Lunch?"]
    );
    let back = carol.put(&path, &json!({"availability": "Alive"})).await;
    assert_eq!(back.json()["availability"], "Alive");
    assert_eq!(
        carol.delete(&format!("{path}?purge=True")).await.status,
        204
    );
    assert_eq!(carol.get(&path).await.brief(), "404 CMN-102 [messageId]");
    assert_eq!(carol.delete(&path).await.brief(), "404 CMN-102 [messageId]");
    let told = world.told().await.split_off(already);
    assert_eq!(told.len(), 4, "nothing is told when nothing changes");
    for line in told {
        let expect = r#""changes":[{"type":"Pager","newCount":0,"updatedCount":1}]"#;
        assert!(line.starts_with("message-store 13 "), "{line}");
        assert!(line.contains(expect), "{line}");
    }
    assert_eq!(
        subjects(&store(&bob, "").await),
        ["Lunch?"],
        "his own is his"
    );
}

#[tokio::test]
async fn several_messages_are_read_at_once() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    send(&bob, json!([{"extensionId": "13"}]), "Lunch?").await;
    let answer = bob.get(&format!("{},99", newest(&bob).await)).await;
    assert_eq!(answer.status, 207);
    assert!(answer.body.contains("Lunch?") && answer.body.contains("CMN-102"));
}

#[tokio::test]
async fn nobody_reads_or_writes_in_anothers_name() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    send(&bob, json!([{"extensionId": "13"}]), "private").await;
    let foreign = newest(&bob).await;
    assert_eq!(alice.get(&foreign).await.brief(), "404 CMN-102 [messageId]");
    let bobs = "/restapi/v1.0/account/~/extension/12";
    let answer = alice.get(&format!("{bobs}/message-store")).await;
    assert_eq!(answer.brief(), "403 CMN-408");
    let body = json!({"to": [{"extensionId": "13"}], "text": "hi"});
    let answer = alice.post(&format!("{bobs}/company-pager"), &body).await;
    assert_eq!(answer.brief(), "403 CMN-408");
    for from in [
        json!({"extensionId": "12"}),
        json!({"extensionId": "99"}),
        json!({}),
    ] {
        let body = json!({"from": from, "to": [{"extensionId": "13"}], "text": "hi"});
        let answer = alice.post(&format!("{OWN}/company-pager"), &body).await;
        assert_eq!(answer.brief(), "400 CMN-101 [from.extensionId]");
    }
    let answer = alice
        .get("/restapi/v1.0/account/~/extension/21/message-store")
        .await;
    assert_eq!(answer.brief(), "404 CMN-102 [extensionId]");
}

#[tokio::test]
async fn a_message_without_text_or_receivers_is_refused() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    for (to, text, expect) in [
        (json!([]), "hi", "400 CMN-101 [to]"),
        (
            json!(vec![json!({"extensionId": 13}); 51]),
            "hi",
            "400 CMN-101 [to]",
        ),
        (json!([{}]), "hi", "400 CMN-101 [to[0].extensionId]"),
        (
            json!([{"extensionId": 13}, {"extensionNumber": "999"}]),
            "hi",
            "400 CMN-101 [to[1].extensionNumber]",
        ),
        (
            json!([{"extensionId": "14"}]),
            "hi",
            "400 CMN-101 [to[0].extensionId]",
        ),
        (
            json!([{"extensionId": "21"}]),
            "hi",
            "400 CMN-101 [to[0].extensionId]",
        ),
        (json!([{"extensionId": 13}]), " ", "400 CMN-101 [text]"),
        (
            json!([{"extensionId": 13}]),
            &"x".repeat(1_025),
            "400 CMN-101 [text]",
        ),
    ] {
        assert_eq!(send(&bob, to.clone(), text).await.brief(), expect, "{to}");
    }
    assert!(world.told().await.is_empty());
}

#[tokio::test]
async fn an_sms_is_refused_for_what_is_wrong_with_it_and_then_for_want_of_a_carrier() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    let phone = json!({"phoneNumber": "+15550100"});
    for (body, expect) in [
        (json!({"from": phone, "text": "hi"}), "400 CMN-101 [to]"),
        (
            json!({"to": [], "from": phone, "text": "hi"}),
            "400 CMN-101 [to]",
        ),
        (json!({"to": [phone], "text": "hi"}), "400 CMN-101 [from]"),
        (json!({"to": [phone], "from": phone}), "400 CMN-101 [text]"),
        (
            json!({"to": [phone], "from": phone, "text": "hi"}),
            "403 CMN-109",
        ),
    ] {
        let answer = bob.post(&format!("{OWN}/sms"), &body).await;
        assert_eq!(answer.brief(), expect, "{body}");
    }
}

#[tokio::test]
async fn messages_need_the_apps_permissions() {
    let world = World::start().await;
    let bob = world.signed_in(BOB).await;
    send(&bob, json!([{"extensionId": "13"}]), "hi").await;
    let message = newest(&bob).await;
    let nobody = world.without_scope(BOB).await;
    assert_eq!(
        send(&nobody, json!([{"extensionId": "13"}]), "hi")
            .await
            .brief(),
        "403 CMN-401"
    );
    let reading = [Scope::ReadMessages].into_iter().collect();
    let reader = world.signed_in_with(BOB, reading, "app").await;
    assert_eq!(reader.get(&message).await.status, 200);
    for path in [format!("{OWN}/message-store"), message.clone()] {
        assert_eq!(nobody.get(&path).await.brief(), "403 CMN-401");
    }
    let read = json!({"readStatus": "Unread"});
    assert_eq!(reader.put(&message, &read).await.brief(), "403 CMN-401");
    assert_eq!(reader.delete(&message).await.brief(), "403 CMN-401");
}
