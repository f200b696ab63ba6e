//! Callers that send a request again with the same key until it is answered, and once more.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{self, Message};
use crate::server::Server;
use crate::{Operation, pause, text_of};

const REPEATERS: usize = 4;

/// The id that each operation's post was told to have, and how often the server died on a request.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) posts: BTreeMap<Operation, String>,
    pub(crate) broken: usize,
}

/// Running callers.
#[derive(Debug)]
pub(crate) struct Repeaters {
    stopping: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Told>>,
}

impl Repeaters {
    pub(crate) fn start(server: &Server) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let next = Arc::new(AtomicU64::new(1));
        let threads = (0..REPEATERS).map(|_| {
            let repeater = Repeater {
                address: server.address,
                line: format!("POST /team-messaging/v1/chats/{}/posts", server.chat()),
                bearer: server.bearer(),
                told: Told::default(),
            };
            let (stopping, next) = (Arc::clone(&stopping), Arc::clone(&next));
            std::thread::spawn(move || repeater.run(&stopping, &next))
        });
        let threads = threads.collect();
        Self { stopping, threads }
    }

    /// Lets each finish what it is at, and collects what they were told.
    pub(crate) fn stop(self) -> Told {
        self.stopping.store(true, Ordering::Relaxed);
        let mut all = Told::default();
        for thread in self.threads {
            let told = thread.join().expect("callers do not panic");
            all.posts.extend(told.posts);
            all.broken += told.broken;
        }
        all
    }
}

struct Repeater {
    address: SocketAddr,
    line: String,
    bearer: String,
    told: Told,
}

impl Repeater {
    fn run(mut self, stopping: &AtomicBool, next: &AtomicU64) -> Told {
        while !stopping.load(Ordering::Relaxed) {
            let operation = next.fetch_add(1, Ordering::Relaxed);
            let first = self.insist(operation);
            let again = self.insist(operation);
            assert_eq!(again.body, first.body, "operation {operation}");
            assert_eq!(again.header("idempotency-replayed"), Some("true"));
            let post: Value = serde_json::from_slice(&first.body).expect("posts are JSON");
            let id = post["id"].as_str().expect("a post has an id").to_owned();
            self.told.posts.insert(operation, id);
        }
        self.told
    }

    /// Sends until it is answered with what was made.
    fn insist(&mut self, operation: Operation) -> Message {
        let key = format!("crash-{operation}");
        let headers = [
            ("Authorization", self.bearer.as_str()),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key.as_str()),
        ];
        let body = json!({ "text": text_of(operation) }).to_string();
        loop {
            let Ok(mut stream) = http::connect(self.address) else {
                pause(Duration::from_millis(3));
                continue;
            };
            match http::exchange(&mut stream, &self.line, &headers, body.as_bytes()) {
                Ok(answer) if (200..300).contains(&answer.status()) => return answer,
                // A server that is starting or stopping may say so.
                Ok(answer) => assert_eq!(answer.status(), 503, "{answer:?}"),
                Err(_) => self.told.broken += 1,
            }
        }
    }
}
