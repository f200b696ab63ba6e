//! The load tool: closed loop (each connection waits for its answer) and open loop (a fixed rate,
//! whatever the answers do). The same code drives the control and Hookyard.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use memchr::memmem;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::message::{Content, Mark, MarkedRequest};
use crate::stopwatch::{Stopwatch, sample};
use crate::wire::MessageReader;

/// Connections of the open loop: enough that a stall of 250 ms does not hold back a message at
/// 1,000/s.
const OPEN_LOOP_CONNECTIONS: u32 = 256;
/// Pause after a refused message or a broken connection, so that faults do not spin.
const FAULT_PAUSE: Duration = Duration::from_millis(5);

/// Where messages go.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    /// Value of the `Authorization` header, where one is needed.
    pub(crate) authorization: Option<String>,
    pub(crate) content: Content,
    /// How often each message must arrive.
    pub(crate) copies: u32,
}

impl Target {
    /// Where a card is posted without credentials, to arrive once.
    pub(crate) fn of_cards(address: SocketAddr, path: &str) -> Self {
        Self {
            address,
            path: path.to_owned(),
            authorization: None,
            content: Content::Card,
            copies: 1,
        }
    }
}

/// How messages are paced, and when sending ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// As fast as answers come, for a time.
    ClosedFor {
        connections: u32,
        duration: Duration,
    },
    /// As fast as answers come, a number of requests, whose numbers begin at `first`.
    ClosedCount {
        connections: u32,
        first: u32,
        count: u32,
    },
    /// `rate` requests per second, for a time.
    Open { rate: u32, duration: Duration },
}

/// What sending one phase's messages gave.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) accepted: Vec<u32>,
    /// From the intended sending to the answer, of accepted requests, in microseconds.
    pub(crate) accept_us: Vec<u32>,
    /// Answered, but not with success.
    pub(crate) refused: u64,
    /// Not answered.
    pub(crate) failed: u64,
    pub(crate) began_us: u64,
    pub(crate) ended_us: u64,
}

impl Sent {
    /// What was accepted, as often as it must arrive: the places in the books.
    pub(crate) fn expected(&self, copies: u32) -> Vec<u32> {
        let entries = self.accepted.iter();
        entries
            .flat_map(|id| (0..copies).map(move |copy| id * copies + copy))
            .collect()
    }
}

#[derive(Debug)]
struct Plan {
    target: Target,
    pace: Pace,
    stopwatch: Stopwatch,
    phase: u16,
    began_us: u64,
    next_id: AtomicU32,
}

impl Plan {
    /// The next request's number and intended time; `None` when sending is over.
    fn next(&self) -> Option<(u32, u64)> {
        let now_us = self.stopwatch.now_us();
        let elapsed = Duration::from_micros(now_us - self.began_us);
        let take = || self.next_id.fetch_add(1, Ordering::Relaxed);
        match self.pace {
            Pace::ClosedFor { duration, .. } => (elapsed < duration).then(|| (take(), now_us)),
            Pace::ClosedCount { first, count, .. } => {
                let id = take();
                (id < first + count).then_some((id, now_us))
            }
            Pace::Open { rate, duration } => {
                let id = take();
                let offset_us = u64::from(id) * 1_000_000 / u64::from(rate);
                let within = Duration::from_micros(offset_us) < duration;
                within.then_some((id, self.began_us + offset_us))
            }
        }
    }
}

/// Sends one phase's messages and waits for their answers.
pub(crate) async fn send(target: &Target, pace: Pace, phase: u16, stopwatch: Stopwatch) -> Sent {
    let connections = match pace {
        Pace::ClosedFor { connections, .. } | Pace::ClosedCount { connections, .. } => connections,
        Pace::Open { .. } => OPEN_LOOP_CONNECTIONS,
    };
    let first = match pace {
        Pace::ClosedCount { first, .. } => first,
        Pace::ClosedFor { .. } | Pace::Open { .. } => 0,
    };
    let began_us = stopwatch.now_us();
    let plan = Arc::new(Plan {
        target: target.clone(),
        pace,
        stopwatch,
        phase,
        began_us,
        next_id: AtomicU32::new(first),
    });
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        senders.spawn(send_on_one_connection(Arc::clone(&plan)));
    }
    let mut all = Sent::default();
    while let Some(sent) = senders.join_next().await {
        let sent = sent.expect("senders do not panic");
        all.accepted.extend(sent.accepted);
        all.accept_us.extend(sent.accept_us);
        all.refused += sent.refused;
        all.failed += sent.failed;
    }
    all.began_us = began_us;
    all.ended_us = stopwatch.now_us();
    all
}

async fn send_on_one_connection(plan: Arc<Plan>) -> Sent {
    let host = plan.target.address.to_string();
    let target = &plan.target;
    let authorization = target.authorization.as_deref();
    let mut request = MarkedRequest::new(&host, &target.path, authorization, target.content);
    let messages = target.content.messages();
    let mut connection = None;
    let mut sent = Sent::default();
    while let Some((number, sent_us)) = plan.next() {
        let id = number * messages;
        // The timer rounds up to milliseconds, also for a moment that has come.
        if sent_us > plan.stopwatch.now_us() {
            tokio::time::sleep_until(plan.stopwatch.instant(sent_us)).await;
        }
        let mark = Mark {
            phase: plan.phase,
            id,
            sent_us,
        };
        match exchange(&mut connection, target.address, request.marked(mark)).await {
            Ok(true) => {
                sent.accepted.extend(id..id + messages);
                sent.accept_us
                    .push(sample(sent_us, plan.stopwatch.now_us()));
            }
            Ok(false) => {
                sent.refused += 1;
                tokio::time::sleep(FAULT_PAUSE).await;
            }
            Err(_) => {
                connection = None;
                sent.failed += 1;
                tokio::time::sleep(FAULT_PAUSE).await;
            }
        }
    }
    sent
}

/// Sends one request and reads its answer: whether it says that the message was taken.
async fn exchange(
    connection: &mut Option<(TcpStream, MessageReader)>,
    address: SocketAddr,
    request: &[u8],
) -> io::Result<bool> {
    if connection.is_none() {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        *connection = Some((stream, MessageReader::new()));
    }
    let (stream, reader) = connection.as_mut().expect("just connected");
    stream.write_all(request).await?;
    let answer = reader.next(stream).await?;
    let answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(match answer.status() {
        200 => memmem::find(answer.body, b"\"OK\"").is_some(),
        // Events that were published, and not before.
        201 => memmem::find(answer.body, b"\"duplicate\":false").is_some(),
        _ => false,
    })
}
