//! Deliveries of endpoints looked into and sent again; jobs; how endpoints fare.

use std::time::Duration;

use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{Audience, Change, Event, EventId, EventKind, Job, JobId, JobWork, Scope};
use hookyard_testkit::Receiver;
use http::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{ACCOUNT, ALICE, BEGIN, BOB, MALLORY, World};

const ENDPOINTS: &str = "/api/v1/endpoints";
const DELIVERIES: &str = "/api/v1/deliveries";
const JOBS: &str = "/api/v1/jobs";

/// Makes an endpoint for invoices that is tried once, with other settings besides.
async fn endpoint(client: &Client, receiver: &Receiver, settings: Value) -> String {
    let mut body = json!({
        "url": receiver.address(),
        "eventTypes": ["invoice.*"],
        "headers": { "X-Key": "very-secret" },
        "retryPolicy": {
            "schedule": { "kind": "list", "delaysMs": [1_000] },
            "attemptsMax": 1,
        },
        "failureThreshold": 0,
    });
    let members = body.as_object_mut().expect("an object");
    members.extend(settings.as_object().expect("settings").clone());
    client.post(ENDPOINTS, &body).await.id()
}

/// Commits an event of the account's own.
async fn publish(world: &World, event_type: &'static str, data: &'static str) -> EventId {
    let event = Event {
        account: ACCOUNT,
        id: EventId::PENDING,
        kind: EventKind::Custom,
        event_type: event_type.into(),
        audience: Audience::Account,
        chat: None,
        post: None,
        request: None,
        occurred_at: BEGIN,
        body: data.into(),
        confidential: false,
        attributes: None,
    };
    let committed = Change::default().announcing(event);
    let ids = world.store.commit_numbering(committed).await;
    ids.expect("a store in memory")[0]
}

async fn eventually(client: &Client, path: &str, done: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..5_000 {
        let answer = client.get(path).await.json();
        if done(&answer) {
            return answer;
        }
        tokio::task::yield_now().await;
    }
    panic!("{path} did not come to what it should");
}

fn count(answer: &Value) -> usize {
    answer["records"].as_array().map_or(0, Vec::len)
}

/// Waits for so many deliveries to come to `status`, and tells their ids, newest first.
async fn deliveries(client: &Client, status: &str, number: usize) -> Vec<String> {
    let path = format!("{DELIVERIES}?status={status}");
    let found = eventually(client, &path, |answer| count(answer) == number).await;
    let records = found["records"].as_array().expect("a list");
    records
        .iter()
        .map(|record| record["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Waits for the end of a job.
async fn end_of(client: &Client, job: &Value) -> Value {
    let id = job["id"].as_str().expect("an id");
    let path = format!("{JOBS}/{id}");
    eventually(client, &path, |job| job["status"] != "running").await
}

#[tokio::test]
async fn an_attempt_shows_both_sides_and_no_secrets() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    receiver.reply(500).times(1);
    let bearer = json!({ "authorization": { "type": "bearer", "token": "very-secret" } });
    let endpoint = endpoint(&alice, &receiver, bearer).await;
    let event = publish(&world, "invoice.paid", r#"{ "amount" : 10.50 }"#).await;
    let id = deliveries(&alice, "abandoned", 1).await.remove(0);
    let answer = alice.get(&format!("{DELIVERIES}/{id}")).await;
    assert!(!answer.body.contains("very-secret"), "{}", answer.body);
    let detail = answer.json();
    assert_eq!(detail["endpointId"], json!(endpoint));
    assert_eq!(
        (
            &detail["eventType"],
            &detail["lastResponseCode"],
            &detail["lastOutcome"]
        ),
        (&json!("invoice.paid"), &json!(500), &json!("refused"))
    );
    assert_eq!(
        (&detail["event"]["type"], &detail["event"]["data"]),
        (&json!("invoice.paid"), &json!({ "amount": 10.5 }))
    );
    let attempt = &detail["attemptLog"][0];
    assert_eq!(
        (&attempt["responseCode"], &attempt["outcome"]),
        (&json!(500), &json!("refused"))
    );
    assert!(
        receiver
            .address()
            .contains(attempt["address"].as_str().expect("an address"))
    );
    for timing in ["dnsUs", "connectUs", "tlsUs", "waitUs", "totalUs"] {
        assert!(attempt["timings"][timing].is_u64(), "{timing}: {attempt}");
    }
    let request = &attempt["request"];
    assert_eq!(
        (&request["method"], &request["url"]),
        (&json!("POST"), &json!(receiver.address()))
    );
    let sent = receiver.received(1).await.remove(0);
    let shown = request["body"].as_str().expect("a text");
    assert_eq!(
        shown.as_bytes(),
        &sent.body[..],
        "what is shown is what was sent"
    );
    let header = |name: &str| {
        let headers = request["headers"].as_array().expect("a list");
        let found = headers.iter().find(|pair| pair[0] == name);
        found.map(|pair| pair[1].as_str().expect("a text").to_owned())
    };
    assert_eq!(header("webhook-id"), Some(format!("evt_{event}")));
    assert_eq!(header("x-key").as_deref(), Some("••••"));
    assert_eq!(header("authorization").as_deref(), Some("••••"));
    assert!(attempt["response"]["headers"].is_array());
}

#[tokio::test]
async fn deliveries_are_searched() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let endpoint = endpoint(&alice, &receiver, json!({})).await;
    let paid = publish(&world, "invoice.paid", "{}").await;
    deliveries(&alice, "delivered", 1).await;
    receiver.reply(503).times(1);
    publish(&world, "invoice.sent", "{}").await;
    deliveries(&alice, "abandoned", 1).await;
    let search = async |query: &str| {
        let answer = alice
            .get(&format!("{DELIVERIES}?endpointId={endpoint}&{query}"))
            .await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer.records("eventType")
    };
    let (paid_only, sent_only) = (["invoice.paid"], ["invoice.sent"]);
    assert_eq!(search("").await, ["invoice.sent", "invoice.paid"]);
    for query in [
        "status=delivered".to_owned(),
        "responseCode=200".to_owned(),
        "responseCode=2xx".to_owned(),
        "eventType=*.paid".to_owned(),
        format!("eventId={paid}"),
        format!("eventId=evt_{paid}"),
    ] {
        assert_eq!(search(&query).await, paid_only, "{query}");
    }
    for query in ["status=abandoned", "responseCode=503", "responseCode=5xx"] {
        assert_eq!(search(query).await, sent_only, "{query}");
    }
    for query in [
        "status=waiting",
        "responseCode=none",
        "since=2100-01-01T00:00:00Z",
        "until=2020-01-01T00:00:00Z",
        "status=delivered&responseCode=503",
    ] {
        assert!(search(query).await.is_empty(), "{query}");
    }
    let first = alice.get(&format!("{DELIVERIES}?limit=1")).await;
    assert_eq!(first.records("eventType"), sent_only);
    let token = first.json()["nextPageToken"]
        .as_str()
        .expect("more")
        .to_owned();
    let rest = alice
        .get(&format!("{DELIVERIES}?limit=1&pageToken={token}"))
        .await;
    assert_eq!(rest.records("eventType"), paid_only);
    assert_eq!(rest.json().get("nextPageToken"), None);
}

#[tokio::test]
async fn a_search_that_means_nothing_is_told_what_to_say() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for (query, parameter, says) in [
        ("status=failed", "status", "waiting, delivered or abandoned"),
        ("responseCode=6xx", "responseCode", "such as 500"),
        ("eventType=a..b", "eventType", ""),
        ("since=yesterday", "since", "2026-01-31T12:00:00Z"),
        ("eventId=x", "eventId", "evt_"),
        ("endpointId=x", "endpointId", "UUID"),
        ("limit=0", "limit", "from 1 to"),
        ("pageToken=x", "pageToken", "last page"),
        (
            "since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z",
            "until",
            "after since",
        ),
    ] {
        let answer = alice.get(&format!("{DELIVERIES}?{query}")).await;
        assert_eq!(
            answer.brief(),
            format!("400 CMN-101 [{parameter}]"),
            "{query}"
        );
        let message = answer.json()["message"]
            .as_str()
            .expect("a text")
            .to_owned();
        assert!(message.contains(says), "{message}");
    }
    let nowhere = "endpointId=00000000-0000-4000-8000-000000000000";
    let unknown = alice.get(&format!("{DELIVERIES}?{nowhere}")).await;
    assert_eq!(
        unknown.json()["records"],
        json!([]),
        "what is gone had none, or they are gone"
    );
}

#[tokio::test]
async fn a_delivery_is_sent_again() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    receiver.reply(500).times(1);
    endpoint(&alice, &receiver, json!({})).await;
    publish(&world, "invoice.paid", "{}").await;
    let id = deliveries(&alice, "abandoned", 1).await.remove(0);
    let again = alice.act(&format!("{DELIVERIES}/{id}/resend")).await;
    assert_eq!(
        (again.status.as_u16(), again.id()),
        (202, id.clone()),
        "it is the same"
    );
    assert_eq!(again.json()["status"], "waiting");
    assert_eq!(deliveries(&alice, "delivered", 1).await, [id.as_str()]);
    let detail = alice.get(&format!("{DELIVERIES}/{id}")).await.json();
    assert_eq!(detail["attempts"], 2, "attempts count on");

    let another = alice.act(&format!("{DELIVERIES}/{id}/resend")).await;
    assert_eq!(another.status, 202);
    assert_ne!(another.id(), id, "what was delivered stays so");
    let both = deliveries(&alice, "delivered", 2).await;
    assert_eq!(both, [another.id(), id]);
    let bodies = receiver.received(3).await;
    assert_eq!(bodies[0].body, bodies[2].body);
}

#[tokio::test]
async fn what_cannot_be_sent_again_is_told() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let bob = world.signed_in(BOB).await;
    let receiver = Receiver::start().await;
    let endpoint = endpoint(&alice, &receiver, json!({})).await;
    publish(&world, "invoice.paid", "{}").await;
    let id = deliveries(&alice, "delivered", 1).await.remove(0);
    let path = format!("{DELIVERIES}/{id}/resend");
    assert_eq!(bob.act(&path).await.brief(), "404 CMN-102 [deliveryId]");
    let unknown = alice.act(&format!("{DELIVERIES}/7/resend")).await;
    assert_eq!(unknown.brief(), "404 CMN-102 [deliveryId]");
    alice.delete(&format!("{ENDPOINTS}/{endpoint}")).await;
    let gone = alice.act(&path).await;
    assert_eq!(gone.brief(), "404 CMN-102 [subscriptionId]");
    assert!(gone.body.contains("deleted"), "{}", gone.body);
}

#[tokio::test]
async fn recovering_puts_an_endpoint_to_use_and_sends_what_was_given_up() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    receiver.reply(500).times(2);
    let id = endpoint(&alice, &receiver, json!({ "failureThreshold": 1 })).await;
    let path = format!("{ENDPOINTS}/{id}");
    publish(&world, "invoice.paid", "{}").await;
    publish(&world, "invoice.sent", "{}").await;
    eventually(&alice, &path, |endpoint| endpoint["status"] == "Errored").await;
    let kept = publish(&world, "invoice.late", "{}").await;
    let failed = eventually(
        &alice,
        &format!("{DELIVERIES}?responseCode=5xx"),
        |answer| count(answer) > 0,
    )
    .await;
    let failed = count(&failed);
    let since = json!({ "since": BEGIN });
    let job = alice.post(&format!("{path}/recover"), &since).await;
    assert_eq!(job.status, 202, "{}", job.body);
    assert_eq!(
        (&job.json()["kind"], &job.json()["endpointId"]),
        (&json!("recover"), &json!(id))
    );
    let job = end_of(&alice, &job.json()).await;
    assert_eq!(job["status"], "done", "{job}");
    assert!(
        failed >= 1 && job["sent"].as_u64().is_some_and(|sent| sent >= 1),
        "{job}"
    );
    deliveries(&alice, "delivered", 3).await;
    let endpoint = alice.get(&path).await.json();
    assert_eq!(
        (&endpoint["status"], &endpoint["statusReason"]),
        (&json!("Active"), &Value::Null)
    );
    let late = alice.get(&format!("{DELIVERIES}?eventId={kept}")).await;
    assert_eq!(
        late.records("status"),
        ["delivered"],
        "what came meanwhile is brought too"
    );
}

#[tokio::test]
async fn replaying_brings_what_an_endpoint_missed() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    for event_type in ["invoice.paid", "invoice.sent", "user.created"] {
        publish(&world, event_type, "{}").await;
    }
    let receiver = Receiver::start().await;
    let id = endpoint(&alice, &receiver, json!({})).await;
    publish(&world, "invoice.late", "{}").await;
    deliveries(&alice, "delivered", 1).await;
    let path = format!("{ENDPOINTS}/{id}/replay");
    let body = json!({ "since": BEGIN, "eventTypes": ["*.paid"] });
    let job = alice.post(&path, &body).await;
    assert_eq!(job.status, 202, "{}", job.body);
    assert_eq!(end_of(&alice, &job.json()).await["sent"], 1);
    let job = alice.post(&path, &json!({ "since": BEGIN })).await;
    assert_eq!(
        end_of(&alice, &job.json()).await["sent"],
        1,
        "what it has got is not sent again"
    );
    let all = eventually(&alice, DELIVERIES, |answer| count(answer) == 3).await;
    let mut types: Vec<_> = all["records"].as_array().expect("a list").iter().collect();
    types.sort_by_key(|record| record["eventType"].to_string());
    let types: Vec<_> = types.iter().map(|record| &record["eventType"]).collect();
    assert_eq!(types, ["invoice.late", "invoice.paid", "invoice.sent"]);
    for (body, parameter) in [
        (json!({}), "since"),
        (json!({ "since": "soon" }), "since"),
        (json!({ "since": "2100-01-01T00:00:00Z" }), "since"),
        (
            json!({ "since": BEGIN, "until": "2020-01-01T00:00:00Z" }),
            "until",
        ),
        (
            json!({ "since": BEGIN, "eventTypes": ["*", "a b"] }),
            "eventTypes[1]",
        ),
    ] {
        let refused = alice.post(&path, &body).await;
        assert_eq!(
            refused.brief(),
            format!("400 CMN-101 [{parameter}]"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_filtered_set_is_sent_again() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    receiver.reply(500).times(2);
    let id = endpoint(&alice, &receiver, json!({ "concurrency": 1 })).await;
    publish(&world, "invoice.paid", "{}").await;
    publish(&world, "invoice.sent", "{}").await;
    deliveries(&alice, "abandoned", 2).await;
    let body = json!({ "status": "abandoned", "eventType": "*.paid", "responseCode": 500 });
    let job = alice.post(&format!("{DELIVERIES}/resend"), &body).await;
    assert_eq!(job.status, 202, "{}", job.body);
    let job = end_of(&alice, &job.json()).await;
    assert_eq!(
        (&job["kind"], &job["total"], &job["done"]),
        (&json!("resend"), &json!(1), &json!(1))
    );
    deliveries(&alice, "delivered", 1).await;
    let body = json!({ "status": "abandoned" });
    let job = alice.post(&format!("{ENDPOINTS}/{id}/resend"), &body).await;
    assert_eq!(end_of(&alice, &job.json()).await["sent"], 1);
    deliveries(&alice, "delivered", 2).await;
    let listed = alice
        .get(&format!("{JOBS}?endpointId={id}&status=done&kind=resend"))
        .await;
    assert_eq!(listed.records("kind"), ["resend"]);
    let refused = async |path: String, body: Value| alice.post(&path, &body).await.brief();
    assert_eq!(
        refused(format!("{DELIVERIES}/resend"), json!({})).await,
        "400 CMN-101 [status]"
    );
    let other = json!({ "endpointId": "00000000-0000-4000-8000-000000000000" });
    assert_eq!(
        refused(format!("{DELIVERIES}/resend"), other.clone()).await,
        "404 CMN-102 [endpointId]"
    );
    assert_eq!(
        refused(format!("{ENDPOINTS}/{id}/resend"), other).await,
        "400 CMN-101 [endpointId]"
    );
    assert_eq!(
        refused(format!("{DELIVERIES}/resend"), json!({ "responseCode": 7 })).await,
        "400 CMN-101 [responseCode]"
    );
}

#[tokio::test]
async fn a_job_is_stopped() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let gone = format!("{JOBS}/7");
    assert_eq!(alice.get(&gone).await.brief(), "404 CMN-102 [jobId]");
    assert_eq!(alice.delete(&gone).await.brief(), "404 CMN-102 [jobId]");
    // One that nobody has begun to work on: its version is not that of a new one.
    let work = JobWork::Resend {
        selection: hookyard_domain::DeliverySelection::default(),
    };
    let job = Job::begun(ACCOUNT, JobId(77), work, BEGIN).counted(9);
    let put = Change::of(job.put());
    world.store.commit(put).await.expect("a store in memory");
    let path = format!("{JOBS}/77");
    assert_eq!(alice.get(&path).await.json()["status"], "running");
    let stopped = alice.delete(&path).await;
    assert_eq!(
        (stopped.status.as_u16(), &stopped.json()["status"]),
        (200, &json!("cancelled"))
    );
    assert!(stopped.json()["finishTime"].is_string());
    let listed = alice.get(&format!("{JOBS}?status=cancelled")).await;
    assert_eq!(listed.records("id"), ["77"]);
    for (query, parameter) in [
        ("status=x", "status"),
        ("kind=x", "kind"),
        ("endpointId=x", "endpointId"),
    ] {
        let refused = alice.get(&format!("{JOBS}?{query}")).await;
        assert_eq!(refused.brief(), format!("400 CMN-101 [{parameter}]"));
    }
}

#[tokio::test]
async fn how_an_endpoint_fares_is_told() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = endpoint(&alice, &receiver, json!({})).await;
    publish(&world, "invoice.paid", "{}").await;
    deliveries(&alice, "delivered", 1).await;
    world.clock.advance(Duration::from_secs(3_000));
    receiver.reply(503).times(1);
    publish(&world, "invoice.sent", "{}").await;
    deliveries(&alice, "abandoned", 1).await;
    let path = format!("{ENDPOINTS}/{id}/stats");
    let answer = alice.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    let totals = &told["totals"];
    assert_eq!(
        (
            &totals["delivered"],
            &totals["abandoned"],
            &totals["failedAttempts"]
        ),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(totals["attemptsByStatus"], json!({ "200": 1, "503": 1 }));
    let latency = &totals["latencyMs"];
    assert!(
        latency["p50"].as_f64().is_some_and(|ms| ms > 0.0),
        "{latency}"
    );
    assert!(latency["p99"].as_f64() >= latency["p50"].as_f64());
    let fine = alice.get(&format!("{path}?bucketS=300")).await.json();
    let buckets = fine["buckets"].as_array().expect("a list");
    assert_eq!((fine["bucketS"].as_u64(), buckets.len()), (Some(300), 289));
    let busy: Vec<_> = buckets
        .iter()
        .filter(|bucket| bucket["attempts"] != 0)
        .collect();
    assert_eq!(busy.len(), 2, "fifty minutes apart");
    assert_eq!(busy[0]["time"], json!(BEGIN));
    assert_eq!(busy[1]["attemptsByStatus"], json!({ "503": 1 }));
    assert_eq!(buckets[0]["latencyMs"], Value::Null);
    let list = alice.get(ENDPOINTS).await.json();
    let stats = &list["records"][0]["stats"];
    assert_eq!(
        (&stats["events"], &stats["failureRate"]),
        (&json!(2), &json!(0.5))
    );
    assert_eq!(stats["hours"].as_array().map(Vec::len), Some(24));
    let refused = alice.get(&format!("{path}?bucketS=7")).await;
    assert_eq!(refused.brief(), "400 CMN-101 [bucketS]");
}

#[tokio::test]
async fn jobs_are_for_administrators_with_an_app_that_may() {
    let world = World::start().await;
    let alice = world.signed_in(ALICE).await;
    let receiver = Receiver::start().await;
    let id = endpoint(&alice, &receiver, json!({})).await;
    publish(&world, "invoice.paid", "{}").await;
    let delivery = deliveries(&alice, "delivered", 1).await.remove(0);
    let bob = world.signed_in(BOB).await;
    let mallory = world.signed_in(MALLORY).await;
    let scopes = [Scope::TeamMessaging].into_iter().collect();
    let weak = world.signed_in_with(ALICE, scopes, "app").await;
    let calls = [
        (Method::GET, JOBS.to_owned()),
        (Method::GET, format!("{JOBS}/7")),
        (Method::DELETE, format!("{JOBS}/7")),
        (Method::POST, format!("{DELIVERIES}/resend")),
        (Method::GET, format!("{ENDPOINTS}/{id}/stats")),
        (Method::POST, format!("{ENDPOINTS}/{id}/recover")),
        (Method::POST, format!("{ENDPOINTS}/{id}/replay")),
        (Method::POST, format!("{ENDPOINTS}/{id}/resend")),
    ];
    for (method, path) in calls {
        let kind = [("content-type", "application/json")];
        let body = r#"{"since":"2020-01-01T00:00:00Z"}"#;
        let ask = async |client: &Client| {
            let answer = client.send(method.clone(), &path, &kind, body).await;
            answer.brief()
        };
        assert_eq!(ask(&bob).await, "403 CMN-408", "{path}");
        assert_eq!(ask(&weak).await, "403 CMN-401", "{path}");
        assert_eq!(ask(&world.nobody()).await, "401 AGW-401", "{path}");
    }
    let detail = format!("{DELIVERIES}/{delivery}");
    assert_eq!(bob.get(&detail).await.brief(), "404 CMN-102 [deliveryId]");
    assert_eq!(weak.get(&detail).await.brief(), "403 CMN-401");
    assert_eq!(weak.get(DELIVERIES).await.brief(), "403 CMN-401");
    assert_eq!(
        mallory.get(&detail).await.brief(),
        "404 CMN-102 [deliveryId]"
    );
}
