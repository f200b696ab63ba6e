//! What holds for the pages of every list: walking misses nothing, and a token serves only the list
//! that it is of.

use std::time::Duration;

use hookyard_testkit::Receiver;
use http::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::world::{ALICE, BOB, CAROL, MALLORY, OTHER_ACCOUNT, World};

/// A list, as its operation is called.
struct List {
    operation: &'static str,
    path: String,
    /// How its pages are asked for and lead on.
    style: Style,
    /// The member that names a record.
    id: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Platform,
    Ours,
}

impl List {
    fn ours(operation: &'static str, path: impl Into<String>) -> Self {
        Self {
            operation,
            path: path.into(),
            style: Style::Ours,
            id: "id",
        }
    }

    fn platform(operation: &'static str, path: impl Into<String>) -> Self {
        Self {
            style: Style::Platform,
            ..Self::ours(operation, path)
        }
    }

    fn first(&self, count: usize) -> String {
        let name = match self.style {
            Style::Platform => "recordCount",
            Style::Ours => "limit",
        };
        format!("{}?{name}={count}", self.path)
    }

    fn at(&self, token: &str) -> String {
        format!("{}?pageToken={token}", self.path)
    }

    fn next(&self, page: &Value) -> Option<String> {
        let token = match self.style {
            Style::Platform => &page["navigation"]["prevPageToken"],
            Style::Ours => &page["nextPageToken"],
        };
        token.as_str().map(str::to_owned)
    }

    fn ids(&self, page: &Value) -> Vec<String> {
        let records = page["records"].as_array();
        let records = records.unwrap_or_else(|| panic!("{}: {page}", self.operation));
        records
            .iter()
            .map(|record| record[self.id].to_string())
            .collect()
    }
}

/// A server with something in every list.
struct Yard {
    world: World,
    alice: Client,
    receiver: Receiver,
    bin: Value,
    hook: String,
    chat: String,
}

impl Yard {
    async fn start() -> Self {
        let world = World::start().await;
        let alice = world.signed_in(ALICE).await;
        let receiver = Receiver::start().await;
        let subscription = json!({
            "eventFilters": ["/restapi/v1.0/glip/posts"],
            "deliveryMode": { "transportType": "WebHook", "address": receiver.address() },
        });
        alice
            .post("/restapi/v1.0/subscription", &subscription)
            .await
            .id();
        let bin = alice.post("/api/v1/bins", &json!({})).await.json();
        let hook = alice.act("/restapi/v1.0/glip/groups/31/webhooks").await;
        let hook = hook.json()["uri"].as_str().expect("a URL").to_owned();
        let yard = Self {
            world,
            alice,
            receiver,
            bin,
            hook,
            chat: "31".to_owned(),
        };
        for others in [vec![], vec![BOB], vec![CAROL], vec![BOB, CAROL]] {
            yard.talk(&others).await;
        }
        for _ in 0..4 {
            yard.grow().await;
        }
        yard
    }

    async fn talk(&self, others: &[hookyard_domain::PersonId]) {
        let members = others.iter().map(|id| json!({ "id": id }));
        let body = json!({ "members": members.collect::<Vec<_>>() });
        let path = "/team-messaging/v1/conversations";
        self.alice.post(path, &body).await.id();
    }

    fn local<'a>(&self, url: &'a str) -> &'a str {
        let origin = format!("http://{}", self.world.address);
        url.strip_prefix(&origin).expect("an address of ours")
    }

    /// One more of everything that can be had often, a moment later.
    async fn grow(&self) {
        self.world.clock.advance(Duration::from_millis(1));
        let alice = &self.alice;
        alice.post("/api/v1/bins", &json!({})).await.id();
        let bin = self.local(self.bin["url"].as_str().expect("an address"));
        let nobody = self.world.nobody();
        let called = nobody.send(Method::POST, bin, &[], "x").await;
        assert_eq!(called.status, 200);
        let hook = self.local(&self.hook);
        let called = nobody.post(hook, &json!({ "text": "x" })).await;
        assert_eq!(called.status, 200);
        let posts = format!("/team-messaging/v1/chats/{}/posts", self.chat);
        alice.post(&posts, &json!({ "text": "x" })).await.id();
        let team = json!({ "name": "x" });
        alice.post("/team-messaging/v1/teams", &team).await.id();
        let endpoint = json!({ "url": self.receiver.address(), "eventTypes": ["invoice.*"] });
        alice.post("/api/v1/endpoints", &endpoint).await.id();
        let app = json!({ "name": "x", "kind": "Browser", "permissions": [] });
        let app = alice.post("/api/v1/apps", &app).await;
        assert_eq!(app.status, 201, "{app:?}");
        let credential = json!({ "kind": "Jwt", "name": "x" });
        alice.post("/api/v1/credentials", &credential).await.id();
        let again = json!({ "status": "abandoned" });
        alice.post("/api/v1/deliveries/resend", &again).await.id();
    }

    fn lists(&self) -> Vec<List> {
        let chat = &self.chat;
        let bin = self.bin["id"].as_str().expect("an id");
        vec![
            List {
                id: "clientId",
                ..List::ours("listApps", "/api/v1/apps")
            },
            List::ours("listBins", "/api/v1/bins"),
            List::ours("listCredentials", "/api/v1/credentials"),
            List {
                id: "number",
                ..List::ours("listBinRequests", format!("/api/v1/bins/{bin}/requests"))
            },
            List::ours("listDeliveries", "/api/v1/deliveries"),
            List::ours("listEndpoints", "/api/v1/endpoints"),
            List::ours("listEvents", "/api/v1/events"),
            List::ours("listHookRequests", "/api/v1/requests"),
            List::ours("listJobs", "/api/v1/jobs"),
            List::platform("listChats", "/team-messaging/v1/chats"),
            List::platform("listConversations", "/team-messaging/v1/conversations"),
            List::platform("listTeams", "/team-messaging/v1/teams"),
            List::platform(
                "listPosts",
                format!("/team-messaging/v1/chats/{chat}/posts"),
            ),
            List::platform(
                "listGroupPosts",
                format!("/team-messaging/v1/groups/{chat}/posts"),
            ),
        ]
    }
}

/// The names of all operations that take a page token.
async fn described(client: &Client) -> Vec<String> {
    let document = client.get("/api/v1/openapi.json").await.json();
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.filter_map(|path| path.get("get"));
    let paged = operations.filter(|operation| {
        let parameters = operation["parameters"].as_array();
        let mut parameters = parameters.into_iter().flatten();
        parameters.any(|parameter| parameter["name"] == "pageToken")
    });
    let name = |operation: &Value| {
        operation["operationId"]
            .as_str()
            .expect("a name")
            .to_owned()
    };
    // Former prefixes are of the same operation.
    paged
        .map(name)
        .filter(|name| !name.ends_with("Formerly"))
        .collect()
}

#[tokio::test]
async fn every_list_is_walked_once_and_in_order() {
    let yard = Yard::start().await;
    let mut tested: Vec<_> = yard.lists().iter().map(|list| list.operation).collect();
    let mut described = described(&yard.alice).await;
    tested.sort_unstable();
    described.sort_unstable();
    assert_eq!(
        tested, described,
        "every list that has pages is walked here"
    );
    for list in yard.lists() {
        let whole = yard.alice.get(&list.first(250)).await.json();
        let there = list.ids(&whole);
        assert!(there.len() > 3, "{}: {there:?}", list.operation);
        let mut seen = Vec::new();
        let mut path = list.first(1);
        for step in 0.. {
            let page = yard.alice.get(&path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.body);
            let page = page.json();
            let ids = list.ids(&page);
            assert!(ids.len() <= 1, "{path}: {ids:?}");
            seen.extend(ids);
            let Some(token) = list.next(&page) else {
                break;
            };
            path = list.at(&token);
            if step == 1 {
                yard.grow().await;
            }
        }
        let kept: Vec<_> = seen
            .iter()
            .filter(|id| there.contains(id))
            .cloned()
            .collect();
        assert_eq!(kept, there, "{}", list.operation);
        // Newest first: what came meanwhile is before the beginning.
        if list.style == Style::Ours {
            assert_eq!(seen, there, "{}", list.operation);
        }
    }
}

#[tokio::test]
async fn a_token_serves_only_its_own_list() {
    let yard = Yard::start().await;
    yard.world.set_admin(OTHER_ACCOUNT, MALLORY, true).await;
    let mallory = yard.world.signed_in(MALLORY).await;
    let bob = yard.world.signed_in(BOB).await;
    let refused = "400 CMN-101 [pageToken]";
    let mut tokens = Vec::new();
    for list in yard.lists() {
        let page = yard.alice.get(&list.first(2)).await.json();
        tokens.push(list.next(&page).expect("there is more"));
    }
    for (at, list) in yard.lists().iter().enumerate() {
        for (of, token) in tokens.iter().enumerate() {
            let answer = yard.alice.get(&list.at(token)).await;
            if at == of {
                assert_eq!(answer.status, 200, "{}: {}", list.operation, answer.body);
            } else {
                assert_eq!(answer.brief(), refused, "{}", list.operation);
            }
        }
        // What belongs to the other account and is no list of its own is not found at all.
        if !list.path.contains("/31/") && list.operation != "listBinRequests" {
            let first = mallory.get(&list.path).await;
            assert_eq!(first.status, 200, "{}: {}", list.operation, first.body);
            let answer = mallory.get(&list.at(&tokens[at])).await;
            assert_eq!(answer.brief(), refused, "{}", list.operation);
        }
    }
    // Of one account, and for those who may read the list.
    let teams = &yard.lists()[9];
    assert_eq!(bob.get(&teams.at(&tokens[9])).await.status, 200);
}

#[tokio::test]
async fn a_token_serves_only_its_own_filters() {
    let yard = Yard::start().await;
    let refused = async |path: String| {
        let answer = yard.alice.get(&path).await;
        assert_eq!(answer.brief(), "400 CMN-101 [pageToken]", "{path}");
        answer.json()["message"]
            .as_str()
            .expect("a text")
            .to_owned()
    };
    for (path, filter, other) in [
        ("/api/v1/deliveries", "eventType=*", "eventType=post.*"),
        ("/api/v1/endpoints", "q=h", "q=t"),
        ("/api/v1/endpoints", "status=Active", ""),
        ("/api/v1/events", "since=2000-01-01T00:00:00Z", ""),
        ("/api/v1/jobs", "kind=resend", "status=done"),
        ("/api/v1/jobs", "", "kind=resend"),
    ] {
        let list = List::ours("", path);
        let page = yard.alice.get(&format!("{path}?limit=1&{filter}")).await;
        let token = list.next(&page.json()).expect("there is more");
        let next = format!("{path}?{filter}&pageToken={token}");
        assert_eq!(yard.alice.get(&next).await.status, 200, "{path}?{filter}");
        let says = refused(format!("{path}?{other}&pageToken={token}")).await;
        assert!(says.contains("keep the list's filters"), "{says}");
    }
    let chats = List::platform("", "/team-messaging/v1/chats");
    let first = format!("{}?type=Team&recordCount=1", chats.path);
    let token = chats
        .next(&yard.alice.get(&first).await.json())
        .expect("there is more");
    for repeated in ["", "&type=Team"] {
        let next = yard
            .alice
            .get(&format!("{}{repeated}", chats.at(&token)))
            .await;
        assert_eq!(next.records("type")[0], "Team");
    }
    refused(format!("{}&type=Group", chats.at(&token))).await;
}

#[tokio::test]
async fn former_names_of_tokens_are_understood() {
    let yard = Yard::start().await;
    for path in ["/api/v1/deliveries", "/api/v1/requests"] {
        let first = yard.alice.get(&format!("{path}?limit=1")).await.json();
        assert_eq!(first["navigation"]["before"], first["nextPageToken"]);
        let token = first["nextPageToken"].as_str().expect("there is more");
        let by = async |name: &str| {
            let page = format!("{path}?limit=2&{name}={token}");
            yard.alice.get(&page).await.records("id")
        };
        assert_eq!(by("before").await, by("pageToken").await);
        let guessed = format!("{path}?before=1893456789012482");
        assert_eq!(
            yard.alice.get(&guessed).await.brief(),
            "400 CMN-101 [before]"
        );
    }
}
