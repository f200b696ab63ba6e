//! Thousands of WebSocket sessions on one server, each subscribed to posts: what an idle one costs,
//! and how long an event takes to all of them.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use memchr::memmem;
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Run;
use super::progress;
use crate::ledger::Ledger;
use crate::load::{self, Pace, Target};
use crate::measure::Instruments;
use crate::message::{Mark, MarkReader};
use crate::person::POSTS;
use crate::stopwatch::{Percentiles, Stopwatch, float};
use crate::websocket::WebSocket;

/// Sockets that are being opened at the same time.
const OPENING_MAX: usize = 64;
/// Without a new session for this long, the server takes no more.
const OPENING_TIMEOUT: Duration = Duration::from_secs(30);
/// Buffers of the crowd's arrival are free by then.
const SETTLED_AFTER: Duration = Duration::from_secs(5);
/// A repeat can come behind the last arrival that was waited for.
const REPEATS_AFTER: Duration = Duration::from_secs(1);
/// Events per second, each to every session.
const RATE: u32 = 1;
/// `messageId` of the one request on each socket.
const REQUEST_ID: &str = "subscribe-to-posts";
/// How far into a frame its type can be.
const META_BYTES: usize = 256;

/// What WebSocket sessions cost, and what they got.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sockets {
    pub(crate) sessions: u32,
    /// How fast they connected and subscribed.
    pub(crate) opened_per_s: f64,
    pub(crate) open_cpu_s: f64,
    /// With nobody connected.
    pub(crate) rss_before_mib: f64,
    /// With all sessions connected, subscribed and idle.
    pub(crate) rss_idle_mib: f64,
    pub(crate) rss_per_session_kib: f64,
    /// From the first connection to the last event.
    pub(crate) rss_peak_mib: f64,
    pub(crate) events: u64,
    pub(crate) events_per_s: u32,
    /// Refused or unanswered cards.
    pub(crate) not_accepted: u64,
    /// Notifications that arrived, repeats not counted.
    pub(crate) notifications: u64,
    /// From when an event was due to be sent to the hook's answer.
    pub(crate) accept: Percentiles,
    /// From when an event was due to be sent to the arrival of each notification.
    pub(crate) delivery: Percentiles,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    /// Sessions that ended while they were measured.
    pub(crate) closed: u64,
    /// Of the server, for the events.
    pub(crate) cpu_s: f64,
    pub(crate) cpu_us_per_notification: f64,
}

/// What all sessions share.
#[derive(Debug)]
struct Crowd {
    door: Target,
    sessions: u32,
    ledger: Arc<Ledger>,
    stopwatch: Stopwatch,
    marks: MarkReader,
    opening: Semaphore,
    closed: AtomicU64,
    /// Why the first of them ended, for a person.
    first_end: Mutex<Option<String>>,
}

impl Run {
    pub(super) async fn measure_sockets(&self) -> anyhow::Result<Sockets> {
        let sessions = self.plan.sessions;
        let data_dir = self.data_dir("sockets")?;
        // All of them connect with the token of one person who signed in once.
        let config = format!(
            "[websocket]\nconnections_per_session_max = {sessions}\n\
             [subscriptions]\nper_app_max = {sessions}\n"
        );
        let server = self.start_with(&data_dir, &config).await?;
        let door = server.sign_in().await?.socket_door().await?;
        tokio::time::sleep(super::IDLE_AFTER).await;
        let rss_before_mib = server.process.rss_mib()?;
        server.process.reset_peak();

        progress(&format!("sockets: opening {sessions}"));
        let crowd = Arc::new(Crowd::new(door, sessions, &self.instruments));
        let cpu_before_s = server.process.cpu_s()?;
        let began = Instant::now();
        let _listening = Crowd::gather(&crowd).await?;
        let opened_per_s = f64::from(sessions) / began.elapsed().as_secs_f64();
        let open_cpu_s = server.process.cpu_s()? - cpu_before_s;
        tokio::time::sleep(SETTLED_AFTER).await;
        let rss_idle_mib = server.process.rss_mib()?;
        let rss_per_session_kib = (rss_idle_mib - rss_before_mib) * 1_024.0 / f64::from(sessions);
        progress(&format!(
            "  opened {opened_per_s:.0}/s, {rss_per_session_kib:.1} KiB each"
        ));

        let pace = Pace::Open {
            rate: RATE,
            duration: self.plan.duration * 2,
        };
        let cpu_before_s = server.process.cpu_s()?;
        let phase = crowd.ledger.begin();
        let sent = load::send(&server.hook()?, pace, phase, crowd.stopwatch).await;
        let expected = sent.expected(sessions);
        self.instruments.drain(&expected).await;
        let cpu_s = server.process.cpu_s()? - cpu_before_s;
        tokio::time::sleep(REPEATS_AFTER).await;
        let balance = crowd.ledger.balance(&expected);
        let closed = crowd.closed.load(Ordering::Relaxed);
        if let Some(why) = crowd.first_end() {
            progress(&format!("  {closed} sessions ended, the first: {why}"));
        }
        let notifications = crowd.ledger.delivered();
        Ok(Sockets {
            sessions,
            opened_per_s,
            open_cpu_s,
            rss_before_mib,
            rss_idle_mib,
            rss_per_session_kib,
            rss_peak_mib: server.process.rss_peak_mib()?,
            events: u64::try_from(sent.accepted.len()).expect("lengths fit"),
            events_per_s: RATE,
            not_accepted: sent.refused + sent.failed,
            notifications,
            accept: Percentiles::of(sent.accept_us),
            delivery: Percentiles::of(balance.delays_us),
            lost: balance.lost,
            duplicated: balance.duplicated,
            closed,
            cpu_s,
            cpu_us_per_notification: cpu_s * 1e6 / float(notifications.max(1)),
        })
    }
}

impl Crowd {
    fn new(door: Target, sessions: u32, instruments: &Instruments) -> Self {
        Self {
            door,
            sessions,
            ledger: Arc::clone(&instruments.ledger),
            stopwatch: instruments.stopwatch,
            marks: MarkReader::new(),
            opening: Semaphore::new(OPENING_MAX),
            closed: AtomicU64::new(0),
            first_end: Mutex::new(None),
        }
    }

    /// Opens every session. They listen until what is returned is dropped.
    async fn gather(crowd: &Arc<Self>) -> anyhow::Result<JoinSet<()>> {
        let mut listening = JoinSet::new();
        let (opened, mut openings) = mpsc::unbounded_channel();
        for number in 0..crowd.sessions {
            let (crowd, opened) = (Arc::clone(crowd), opened.clone());
            listening.spawn(async move {
                match crowd.open().await {
                    Ok(socket) => {
                        // Nobody waits any more when another one has failed.
                        let _given_up = opened.send(Ok(()));
                        drop(opened);
                        let end = crowd.listen(socket, number).await;
                        crowd.note_end(&end);
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            });
        }
        for number in 0..crowd.sessions {
            tokio::time::timeout(OPENING_TIMEOUT, openings.recv())
                .await
                .with_context(|| format!("the server took no more than {number} sessions"))?
                .expect("senders are alive")
                .with_context(|| format!("failed to open session {number}"))?;
        }
        Ok(listening)
    }

    /// A new session with a subscription to posts.
    async fn open(&self) -> anyhow::Result<WebSocket> {
        let _turn = self.opening.acquire().await?;
        let mut socket = WebSocket::open(&self.door).await?;
        let greeting = socket.next().await?.unwrap_or_default();
        anyhow::ensure!(
            memmem::find(greeting, b"\"ConnectionDetails\"").is_some(),
            "the server greeted with {}",
            String::from_utf8_lossy(greeting)
        );
        let request = format!(
            r#"[{{"type":"ClientRequest","messageId":"{REQUEST_ID}","method":"POST","path":"/restapi/v1.0/subscription"}},{{"eventFilters":["{POSTS}"],"deliveryMode":{{"transportType":"WebSocket"}}}}]"#
        );
        socket.say(&request).await?;
        loop {
            let answer = socket.next().await?.context("the server closed")?;
            if memmem::find(answer, REQUEST_ID.as_bytes()).is_some() {
                anyhow::ensure!(
                    memmem::find(answer, b"\"status\":200").is_some(),
                    "subscribing answered {}",
                    String::from_utf8_lossy(answer)
                );
                break;
            }
        }
        Ok(socket)
    }

    /// Books every notification until the session ends.
    async fn listen(&self, mut socket: WebSocket, number: u32) -> io::Result<Option<String>> {
        let mut last_words = None;
        while let Some(frame) = socket.next().await? {
            let now_us = self.stopwatch.now_us();
            let meta = &frame[..frame.len().min(META_BYTES)];
            if memmem::find(meta, b"\"ServerNotification\"").is_none() {
                last_words = Some(String::from_utf8_lossy(frame).into_owned());
            } else if let Some(mark) = self.marks.read(frame) {
                let id = self.entry(mark.id, number);
                self.ledger.receive(Mark { id, ..mark }, now_us);
            }
        }
        Ok(last_words)
    }

    /// The place in the books of one event at one session.
    fn entry(&self, event: u32, session: u32) -> u32 {
        event * self.sessions + session
    }

    fn note_end(&self, end: &io::Result<Option<String>>) {
        self.closed.fetch_add(1, Ordering::Relaxed);
        let why = match end {
            Ok(Some(words)) => format!("closed after {words}"),
            Ok(None) => "closed without a word".to_owned(),
            Err(error) => error.to_string(),
        };
        let mut first = self.first_end.lock().expect("no holder panics");
        first.get_or_insert(why);
    }

    fn first_end(&self) -> Option<String> {
        self.first_end.lock().expect("no holder panics").clone()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A server's unmasked text frame.
    fn text(text: &str) -> Vec<u8> {
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        [b"\x81\x7e", &length[..], text.as_bytes()].concat()
    }

    fn notification(phase: u16, id: u32) -> Vec<u8> {
        text(&format!(
            r#"[{{"type":"ServerNotification"}},{{"body":{{"text":"bench-mark {phase:04x}-{id:08x}-{:016x}"}}}}]"#,
            1
        ))
    }

    /// Greets, takes the one request, and says `frames`; the connection stays open while the
    /// returned stream lives.
    async fn attend(mut stream: TcpStream, frames: &[Vec<u8>]) -> TcpStream {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let switch = "HTTP/1.1 101 Switching Protocols\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        stream.write_all(switch.as_bytes()).await.unwrap();
        let greeting = text(r#"[{"type":"ConnectionDetails","status":200},{}]"#);
        stream.write_all(&greeting).await.unwrap();
        let mut start = [0; 8];
        stream.read_exact(&mut start).await.unwrap();
        let length = u16::from_be_bytes([start[2], start[3]]);
        let mut request = vec![0; usize::from(length)];
        stream.read_exact(&mut request).await.unwrap();
        let answer = text(
            r#"[{"type":"ClientRequest","messageId":"subscribe-to-posts","status":200},{"id":"x"}]"#,
        );
        stream.write_all(&answer).await.unwrap();
        for frame in frames {
            stream.write_all(frame).await.unwrap();
        }
        stream
    }

    #[tokio::test]
    async fn what_each_session_missed_or_got_twice_is_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = Target::of_cards(listener.local_addr().unwrap(), "/ws");
        let instruments = Instruments {
            ledger: Arc::new(Ledger::default()),
            stopwatch: Stopwatch::start(),
        };
        let phase = instruments.ledger.begin();
        let server = tokio::spawn(async move {
            let got =
                |ids: &[u32]| -> Vec<_> { ids.iter().map(|id| notification(phase, *id)).collect() };
            let (one, _) = listener.accept().await.unwrap();
            let one = attend(one, &got(&[1, 1, 0])).await;
            let (other, _) = listener.accept().await.unwrap();
            let frames = [got(&[1]), vec![text(r#"[{"type":"Error"},{}]"#)]].concat();
            let other = attend(other, &[frames, vec![b"\x88\x00".to_vec()]].concat()).await;
            (one, other)
        });
        let crowd = Arc::new(Crowd::new(door, 2, &instruments));
        let listening = Crowd::gather(&crowd).await.unwrap();
        let connections = server.await.unwrap();
        while crowd.closed.load(Ordering::Relaxed) == 0 || crowd.ledger.delivered() < 3 {
            tokio::task::yield_now().await;
        }
        drop((connections, listening));
        let both = [0, 1].map(|event| [crowd.entry(event, 0), crowd.entry(event, 1)]);
        let balance = crowd.ledger.balance(both.as_flattened());
        assert_eq!((balance.lost, balance.duplicated), (1, 1));
        let end = crowd.first_end().unwrap();
        assert_eq!(end, r#"closed after [{"type":"Error"},{}]"#);
    }
}
