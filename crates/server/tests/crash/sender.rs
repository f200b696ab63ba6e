//! Senders that post through the hook without a break, and remember what they were told.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

use crate::Operation;
use crate::chance::Chance;
use crate::http;
use crate::pause;
use crate::server::Server;
use crate::text_of;

const SENDERS: usize = 6;

/// What a sender knows about one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The server said OK: it must exist.
    Acknowledged,
    /// The server died on us: it may exist.
    Unknown,
}

/// Fates of all operations. What never reached an open connection is not among them.
#[derive(Debug, Default)]
pub(crate) struct History(BTreeMap<Operation, Fate>);

impl History {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn contains(&self, operation: Operation) -> bool {
        self.0.contains_key(&operation)
    }

    pub(crate) fn acknowledged(&self) -> impl Iterator<Item = Operation> {
        let acknowledged = |(_, fate): &(_, &Fate)| **fate == Fate::Acknowledged;
        self.0.iter().filter(acknowledged).map(|(id, _)| *id)
    }
}

/// Running senders.
#[derive(Debug)]
pub(crate) struct Senders {
    stopping: Arc<AtomicBool>,
    threads: Vec<JoinHandle<History>>,
}

impl Senders {
    pub(crate) fn start(server: &Server, chance: &mut Chance) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let next = Arc::new(AtomicU64::new(1));
        let threads = (0..SENDERS).map(|_| {
            let sender = Sender {
                address: server.address,
                path: server.hook_path(),
                chance: chance.fork(),
                next: Arc::clone(&next),
                connection: None,
                history: History::default(),
            };
            let stopping = Arc::clone(&stopping);
            std::thread::spawn(move || sender.run(&stopping))
        });
        let threads = threads.collect();
        Self { stopping, threads }
    }

    /// Ends the load and collects what the senders know.
    pub(crate) fn stop(self) -> History {
        self.stopping.store(true, Ordering::Relaxed);
        let mut history = History::default();
        for thread in self.threads {
            history
                .0
                .extend(thread.join().expect("senders do not panic").0);
        }
        history
    }
}

struct Sender {
    address: SocketAddr,
    path: String,
    chance: Chance,
    next: Arc<AtomicU64>,
    connection: Option<TcpStream>,
    history: History,
}

impl Sender {
    fn run(mut self, stopping: &AtomicBool) -> History {
        while !stopping.load(Ordering::Relaxed) {
            self.post();
            if self.chance.happens(0.5) {
                pause(Duration::from_millis(self.chance.below(6)));
            }
        }
        self.history
    }

    fn post(&mut self) {
        let Some(mut stream) = self
            .connection
            .take()
            .or_else(|| http::connect(self.address).ok())
        else {
            pause(Duration::from_millis(3));
            return;
        };
        let operation = self.next.fetch_add(1, Ordering::Relaxed);
        let card = json!({ "text": text_of(operation) }).to_string();
        let line = format!("POST {}", self.path);
        let headers = [("Content-Type", "application/json")];
        let fate = match http::exchange(&mut stream, &line, &headers, card.as_bytes()) {
            Ok(answer) => {
                let told = String::from_utf8_lossy(&answer.body);
                // A server that is stopping may say so; anything else is a fault of its own.
                let ok = answer.status() == 200 && told == r#"{"status":"OK"}"#;
                assert!(ok || answer.status() == 503, "{} {told}", answer.status());
                let stays = answer.header("connection") != Some("close");
                self.connection = stays.then_some(stream);
                if ok {
                    Fate::Acknowledged
                } else {
                    Fate::Unknown
                }
            }
            Err(_) => Fate::Unknown,
        };
        self.history.0.insert(operation, fate);
    }
}
