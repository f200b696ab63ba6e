//! What runs in the background tells how it stands.

use std::time::Duration;

use hookyard_domain::kernel::component::{State, Status};
use serde_json::json;
use tokio::time::timeout;

use super::production::{PATIENCE, Production};

fn named<'a>(statuses: &'a [Status], name: &str) -> &'a Status {
    let mut found = statuses.iter().filter(|status| status.name == name);
    found.next().expect("there is such a component")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_component_tells_how_it_stands() {
    let yard = Production::start_with("components", "[pubnub]\nenabled = true\n").await;
    let statuses = yard.server().components().statuses();
    let names: Vec<_> = statuses.iter().map(|status| status.name).collect();
    let expected = [
        "store",
        "lifecycle",
        "dispatcher",
        "jobs",
        "retention",
        "live",
        "sockets",
        "pubnub",
        "listener",
    ];
    assert_eq!(names, expected, "in the order in which they began");
    for status in &statuses {
        assert_eq!(status.state, State::Running, "{status:?}");
        assert_eq!(
            (status.panics, &status.last_error),
            (0, &None),
            "{status:?}"
        );
    }
    let began = named(&statuses, "store");
    assert!(began.figure("database_bytes") > Some(0), "{began:?}");

    let (bin, url) = yard.bin(&json!({})).await;
    let endpoint = json!({ "url": url, "eventTypes": ["invoice.*"] });
    let made = yard.alice.post("/api/v1/endpoints", &endpoint).await;
    assert_eq!(made.status, 201, "{made:?}");
    yard.publish().await;
    yard.received(&bin, 1).await;
    let recorded = async {
        loop {
            let statuses = yard.server().components().statuses();
            if named(&statuses, "dispatcher").figure("recorded") == Some(1) {
                return statuses;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let statuses = timeout(PATIENCE, recorded).await.expect("it is recorded");
    let store = named(&statuses, "store");
    assert!(
        store.figure("commits") > began.figure("commits"),
        "{store:?}"
    );
    assert!(store.last_run >= Some(began.since), "{store:?}");
    let dispatcher = named(&statuses, "dispatcher");
    assert_eq!(dispatcher.figure("attempts"), Some(1), "{dispatcher:?}");
    let lifecycle = named(&statuses, "lifecycle");
    assert_eq!(lifecycle.figure("subscriptions"), Some(1));
    yard.stop().await;
}
