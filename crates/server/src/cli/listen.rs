//! `hookyard listen`: events as they happen, forwarded to a program on this machine and shown.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use hookyard_delivery::{Answer, CallError};
use hookyard_domain::endpoints::signing::SigningSecret;
use hookyard_domain::kernel::ports::Chance as _;
use hookyard_domain::{EventId, TypePattern};
use hookyard_server::OsChance;
use http::{HeaderMap, HeaderValue, Method};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::access::Access;
use super::forward::{Forwarder, Heard, LocalUrl, Sent};
use super::frames::{Frame, Frames};
use super::screen::{Display, Screen};
use super::session::{Fault, Session, with_query};

/// Forwards in progress, as many as an endpoint has unless it says otherwise.
const FORWARDS_MAX: usize = 16;
/// The server says something every 15 s; a connection that is silent for so long is dead.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// The first pause before another try, and the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// A connection that lasted so long was a good one: the next pause is a short one again.
const GOOD_CONNECTION: Duration = Duration::from_secs(10);
/// What forwards in progress may take when it is asked to end.
const FINISH_MAX: Duration = Duration::from_secs(2);

/// Show events as they happen, and forward them to a program on this machine.
///
/// Each event is sent as an endpoint of yours would get it, in the standard format, and is shown
/// with what the program answered. Nothing is missed while the connection to the server is lost for
/// a time. An event is forwarded once, whatever the answer is. Ctrl+C ends it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  hookyard listen --forward-to http://localhost:3000/hook
      Everything, to a program on port 3000.

  hookyard listen --types 'invoice.*,payment.declined' --forward-to localhost:3000/hook --print
      Some types, with the bodies of requests and answers.

  hookyard listen --forward-to localhost:3000/hook --secret \"$(hookyard endpoints secret ID)\"
      Signed as that endpoint's requests are.

  hookyard listen --types 'invoice.*' --json | jq .id
      Shown only, for a script.")]
pub(crate) struct Listen {
    /// Which types of events, such as `invoice.*`; repeat it, or write commas [default: all].
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        value_parser = TypePattern::parse
    )]
    types: Vec<TypePattern>,
    /// Where to forward events; `http://` may be left out. Without it they are only shown.
    #[arg(long, value_name = "URL", value_parser = LocalUrl::parse)]
    forward_to: Option<LocalUrl>,
    /// Sign requests with this secret, as in `webhook-signature` of Standard Webhooks.
    #[arg(
        long,
        value_name = "whsec_…",
        env = "HOOKYARD_SIGNING_SECRET",
        hide_env_values = true,
        requires = "forward_to",
        value_parser = SigningSecret::parse
    )]
    secret: Option<SigningSecret>,
    /// Also show the body of each request, and of its answer.
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    display: Display,
}

impl Listen {
    /// Listens until Ctrl+C.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let screen = Screen::new(&self.display);
        let session = Session::new(&self.access)?;
        let forwarder = self
            .forward_to
            .map(|url| Arc::new(Forwarder::new(url, self.secret)));
        let mut live = Live {
            session: &session,
            screen,
            types: &self.types,
            forwarder,
            print: self.print,
            sends: JoinSet::new(),
            last: None,
            tally: Tally::default(),
        };
        let stopped = async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let ended = tokio::select! {
            ended = live.go_on() => ended,
            () = stopped => Ok(()),
        };
        if ended.is_ok() {
            live.finish().await?;
        }
        session.end().await;
        ended
    }
}

/// What became of the events so far.
#[derive(Debug, Default)]
struct Tally {
    heard: u64,
    accepted: u64,
}

struct Live<'a> {
    session: &'a Session,
    screen: Screen,
    types: &'a [TypePattern],
    forwarder: Option<Arc<Forwarder>>,
    print: bool,
    sends: JoinSet<(Heard, Sent)>,
    /// The newest event that came.
    last: Option<EventId>,
    tally: Tally,
}

/// Why a connection is over.
enum Over {
    /// The server ended it.
    Closed,
    Lost(CallError),
}

impl<'a> Live<'a> {
    /// Stays connected. Ends with an error that no other try would mend.
    async fn go_on(&mut self) -> anyhow::Result<()> {
        let mut tries = 0;
        loop {
            let began = Instant::now();
            let reason = match self.connect().await {
                Ok(answer) => {
                    let over = self.hear(answer).await?;
                    if began.elapsed() >= GOOD_CONNECTION {
                        tries = 0;
                    }
                    match over {
                        // Tokens live for an hour, and so do the connections that they open.
                        Over::Closed if self.session.has_run_out().await => continue,
                        Over::Closed => "the server ended the connection".to_owned(),
                        Over::Lost(cause) => {
                            format!("the connection to the server is lost: {cause}")
                        }
                    }
                }
                // Who has heard nothing yet would not know whether it ever works.
                Err(fault) if self.last.is_none() || !fault.is_passing() => {
                    return Err(fault.into());
                }
                Err(Fault::Unreachable { cause, .. }) => {
                    format!("the server cannot be called: {cause}")
                }
                Err(fault) => fault.to_string(),
            };
            let pause = pause(tries, OsChance.fraction());
            tries += 1;
            self.screen.note(&format!(
                "{}; trying again in {:.1} s",
                capital(&reason),
                pause.as_secs_f32()
            ));
            self.rest(pause).await?;
        }
    }

    async fn connect(&self) -> Result<Answer<'a>, Fault> {
        let session = self.session;
        let types = self.types.iter().map(TypePattern::as_str);
        let types = types.collect::<Vec<_>>().join(",");
        let types = Some(types).filter(|types| !types.is_empty());
        let path = with_query("/api/v1/events/stream", &[("types", types)]);
        let mut headers = HeaderMap::new();
        if let Some(last) = self.last {
            headers.insert("last-event-id", HeaderValue::from(last.0));
        }
        session
            .open(Method::GET, &path, headers, Bytes::new())
            .await
    }

    /// Shows that it waits, while forwards go on.
    async fn rest(&mut self, pause: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return Ok(()),
                Some(sent) = self.sends.join_next() => self.tell(sent)?,
            }
        }
    }
    /// Takes events until the connection is over.
    async fn hear(&mut self, mut answer: Answer<'a>) -> anyhow::Result<Over> {
        let mut frames = Frames::default();
        let mut waiting = VecDeque::new();
        loop {
            while self.sends.len() < FORWARDS_MAX {
                let Some(frame) = waiting.pop_front() else {
                    break;
                };
                self.take(frame)?;
            }
            tokio::select! {
                Some(sent) = self.sends.join_next() => self.tell(sent)?,
                // What waits goes first: a program that is slow holds the server back, not memory.
                chunk = tokio::time::timeout(SILENCE_MAX, answer.chunk()), if waiting.is_empty() => {
                    match chunk {
                        Ok(Ok(Some(bytes))) => waiting.extend(frames.take(&bytes)?),
                        Ok(Ok(None)) => return Ok(Over::Closed),
                        Ok(Err(cause)) => return Ok(Over::Lost(cause)),
                        Err(_) => return Ok(Over::Lost(CallError::TimedOut(SILENCE_MAX))),
                    }
                }
            }
        }
    }

    /// Greets, or forwards one event.
    fn take(&mut self, frame: Frame) -> anyhow::Result<()> {
        let id = frame.id.as_deref().and_then(|id| id.parse().ok());
        if frame.event.as_deref() == Some("ready") {
            self.greet();
            self.last = self.last.or(id);
            return Ok(());
        }
        let id: EventId = id.context("the server sent an event without an id")?;
        if self.last.is_some_and(|last| id <= last) {
            return Ok(());
        }
        let heard = Heard::read(frame.data).context("the server sent what is not an event")?;
        self.last = Some(id);
        self.tally.heard += 1;
        match &self.forwarder {
            Some(forwarder) => {
                let forwarder = Arc::clone(forwarder);
                self.sends.spawn(async move {
                    let sent = forwarder.forward(&heard).await;
                    (heard, sent)
                });
            }
            None => self
                .screen
                .line(&heard.shown(self.screen, None, self.print))?,
        }
        Ok(())
    }

    fn greet(&self) {
        let types = match self.types {
            [] => "all events".to_owned(),
            types => {
                let types = types.iter().map(TypePattern::as_str);
                types.collect::<Vec<_>>().join(", ")
            }
        };
        let server = self.session.server();
        let again = if self.last.is_some() {
            "Connected again"
        } else {
            "Ready"
        };
        self.screen.note(&match &self.forwarder {
            Some(forwarder) => format!("{again}: {types} from {server} to {}", forwarder.url()),
            None => format!("{again}: {types} from {server}"),
        });
    }

    fn tell(&mut self, sent: Result<(Heard, Sent), JoinError>) -> anyhow::Result<()> {
        let (heard, sent) = sent.context("a forward came to nothing")?;
        self.tally.accepted += u64::from(sent.is_accepted());
        let shown = heard.shown(self.screen, Some(&sent), self.print);
        Ok(self.screen.line(&shown)?)
    }

    /// Lets forwards in progress end, and sums up.
    async fn finish(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + FINISH_MAX;
        while let Ok(Some(sent)) = tokio::time::timeout_at(until, self.sends.join_next()).await {
            self.tell(sent)?;
        }
        let Tally { heard, accepted } = self.tally;
        let events = if heard == 1 { "event" } else { "events" };
        self.screen.note(&match self.forwarder {
            Some(_) => format!("Stopped: {heard} {events}, {accepted} accepted"),
            None => format!("Stopped: {heard} {events}"),
        });
        Ok(())
    }
}

/// How long to wait after `tries` tries that failed; `fraction` is chance.
fn pause(tries: u32, fraction: f64) -> Duration {
    let longest = PAUSE_FIRST
        .saturating_mul(1_u32.checked_shl(tries.min(16)).unwrap_or(u32::MAX))
        .min(PAUSE_MAX);
    longest.mul_f64(0.5 + fraction / 2.0)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_are_never_all_the_same() {
        let ms = |tries, fraction| pause(tries, fraction).as_millis();
        assert_eq!([ms(0, 1.0), ms(1, 1.0), ms(2, 1.0)], [500, 1_000, 2_000]);
        assert_eq!([ms(5, 1.0), ms(4_000_000_000, 1.0)], [15_000, 15_000]);
        assert_eq!([ms(0, 0.0), ms(5, 0.0)], [250, 7_500]);
    }
}
