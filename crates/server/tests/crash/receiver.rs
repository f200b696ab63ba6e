//! The subscriber: a real HTTP server that follows a script of faults and remembers every receipt.

use std::collections::HashSet;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::Operation;
use crate::chance::Chance;
use crate::http;
use crate::now;
use crate::operation_in;
use crate::pause;

/// Sent with the handshake and every event.
pub(crate) const VERIFICATION_TOKEN: &str = "what-the-receiver-expects";

/// What the receiver does with the first attempt of each event. Later attempts are accepted, so
/// that a run ends within the first steps of the retry schedule.
#[derive(Debug)]
pub(crate) struct Script {
    chance: Chance,
    refuse: f64,
    hang_up: f64,
    delay: f64,
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accept { after: Duration },
    Refuse,
    HangUp,
}

impl Script {
    /// Refuses some, hangs up on some, takes its time for some.
    pub(crate) fn faulty(chance: Chance) -> Self {
        Self {
            chance,
            refuse: 0.05,
            hang_up: 0.03,
            delay: 0.08,
        }
    }

    /// Accepts everything, some of it slowly.
    pub(crate) fn slow(chance: Chance) -> Self {
        Self {
            chance,
            refuse: 0.0,
            hang_up: 0.0,
            delay: 0.15,
        }
    }

    /// Accepts everything at once.
    pub(crate) fn obliging() -> Self {
        Self {
            chance: Chance::new(0),
            refuse: 0.0,
            hang_up: 0.0,
            delay: 0.0,
        }
    }

    fn verdict(&mut self) -> Verdict {
        if self.chance.happens(self.refuse) {
            Verdict::Refuse
        } else if self.chance.happens(self.hang_up) {
            Verdict::HangUp
        } else if self.chance.happens(self.delay) {
            let after = Duration::from_millis(5 + self.chance.below(150));
            Verdict::Accept { after }
        } else {
            Verdict::Accept {
                after: Duration::ZERO,
            }
        }
    }
}

/// One request that reached the receiver.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    pub(crate) operation: Operation,
    /// The event's id.
    pub(crate) uuid: String,
    /// The post's id, as the event tells it.
    pub(crate) post: String,
    pub(crate) body: Vec<u8>,
    pub(crate) arrived_at: Instant,
    /// When the connection that brought it was opened: by the process that lived then.
    pub(crate) opened_at: Instant,
    /// When a 2xx answer was written in full; `None` for refusals and hang-ups.
    pub(crate) accepted_at: Option<Instant>,
}

#[derive(Debug)]
struct Shared {
    script: Script,
    seen: HashSet<String>,
    receipts: Vec<Receipt>,
    /// What should never reach a receiver.
    complaints: Vec<String>,
}

/// A running receiver. Its threads end with the test's process.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

impl Receiver {
    pub(crate) fn start(script: Script) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Mutex::new(Shared {
            script,
            seen: HashSet::new(),
            receipts: Vec::new(),
            complaints: Vec::new(),
        }));
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&accepting);
                // A broken connection is the server's death, which is the point of the test.
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, shared }
    }

    /// Follows another script from now on.
    pub(crate) fn follow(&self, script: Script) {
        self.shared.lock().expect("no holder panics").script = script;
    }

    /// Everything received so far, in order of arrival.
    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        let shared = self.shared.lock().expect("no holder panics");
        assert!(shared.complaints.is_empty(), "{:?}", shared.complaints);
        shared.receipts.clone()
    }

    /// Waits until each of these operations was accepted at least once, or time is up.
    pub(crate) fn wait_for<'a>(
        &self,
        operations: impl Iterator<Item = &'a Operation>,
        time: Duration,
    ) {
        let mut missing: HashSet<Operation> = operations.copied().collect();
        let deadline = now() + time;
        while !missing.is_empty() && now() < deadline {
            pause(Duration::from_millis(50));
            let shared = self.shared.lock().expect("no holder panics");
            for receipt in &shared.receipts {
                if receipt.accepted_at.is_some() {
                    missing.remove(&receipt.operation);
                }
            }
        }
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) -> io::Result<()> {
    let opened_at = now();
    stream.set_nodelay(true)?;
    while let Some(request) = http::read(&mut stream)? {
        if let Some(token) = request.header("validation-token") {
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nValidation-Token: {token}\r\n\r\n"
            );
            stream.write_all(answer.as_bytes())?;
            continue;
        }
        let (index, verdict) = book(&request, opened_at, shared);
        match verdict {
            Verdict::HangUp => return Ok(()),
            Verdict::Refuse => stream
                .write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")?,
            Verdict::Accept { after } => {
                pause(after);
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
                let mut shared = shared.lock().expect("no holder panics");
                if let Some(index) = index {
                    shared.receipts[index].accepted_at = Some(now());
                }
            }
        }
    }
    Ok(())
}

/// Remembers a request and decides about it.
fn book(
    request: &http::Message,
    opened_at: Instant,
    shared: &Mutex<Shared>,
) -> (Option<usize>, Verdict) {
    let arrived_at = now();
    let mut shared = shared.lock().expect("no holder panics");
    if request.header("verification-token") != Some(VERIFICATION_TOKEN) {
        let complaint = format!("no verification token: {}", request.head);
        shared.complaints.push(complaint);
    }
    let Some((uuid, post, operation)) = read_event(&request.body) else {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        shared.complaints.push(format!("not a post event: {body}"));
        return (None, Verdict::Refuse);
    };
    shared.receipts.push(Receipt {
        operation,
        uuid: uuid.clone(),
        post,
        body: request.body.clone(),
        arrived_at,
        opened_at,
        accepted_at: None,
    });
    let index = shared.receipts.len() - 1;
    let first = shared.seen.insert(uuid);
    let verdict = if first {
        shared.script.verdict()
    } else {
        Verdict::Accept {
            after: Duration::ZERO,
        }
    };
    (Some(index), verdict)
}

fn read_event(body: &[u8]) -> Option<(String, String, Operation)> {
    let event: serde_json::Value = serde_json::from_slice(body).ok()?;
    let post = &event["body"];
    Some((
        event["uuid"].as_str()?.to_owned(),
        post["id"].as_str()?.to_owned(),
        operation_in(post["text"].as_str()?)?,
    ))
}
