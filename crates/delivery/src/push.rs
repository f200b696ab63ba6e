//! Events to devices, through the push services of Apple and Google.
//!
//! To the dispatcher they are attempts like any other: a device that is gone answers 410, a service
//! that is busy names a time, and everything is retried by the subscription's policy. All
//! subscriptions of one app share one HTTP/2 connection.

mod apns;
mod fcm;
mod jwt;
mod link;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hookyard_domain::delivery::envelope::envelope;
use hookyard_domain::kernel::limits::ANSWER_EXCERPT_BYTES_MAX;
use hookyard_domain::kernel::ports::Clock;
use hookyard_domain::{
    AttemptOutcome, DeliveryMode, PushProvider, Secret, Timestamp, Timings, TransportType,
    UnreachableReason,
};
use http::HeaderValue;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use crate::egress::{DialError, Egress, Target};
use crate::transport::{Attempted, Connection, Sending, Transport};
use crate::webhook::{micros, reason_of};
use apns::Apns;
use fcm::{Fcm, ServiceAccount};
use jwt::SigningKey;
use link::{Answer, Link, LinkError, Trip};

const APNS_ADDRESS: &str = "https://api.push.apple.com";
const APNS_SANDBOX_ADDRESS: &str = "https://api.sandbox.push.apple.com";
const FCM_ADDRESS: &str = "https://fcm.googleapis.com";

/// What one app needs to send through its provider.
#[derive(Debug, Clone)]
pub enum PushKey {
    Apns {
        /// The name by which subscriptions choose it.
        certificate_name: String,
        /// The text of the `.p8` file.
        key: Secret,
        key_id: String,
        team_id: String,
        /// The app's bundle id.
        topic: String,
        sandbox: bool,
        /// Another address than Apple's.
        address: Option<String>,
    },
    Fcm {
        /// The name by which subscriptions choose it.
        certificate_name: String,
        /// The text of the service account's JSON file.
        service_account: Secret,
        /// Another address than Google's.
        address: Option<String>,
    },
}

impl PushKey {
    /// Whose service it is for, and its name.
    pub fn names(&self) -> (PushProvider, &str) {
        match self {
            Self::Apns {
                certificate_name, ..
            } => (PushProvider::Apns, certificate_name),
            Self::Fcm {
                certificate_name, ..
            } => (PushProvider::Gcm, certificate_name),
        }
    }
}

/// One of the configured apps cannot be served; the source says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("push certificate `{certificate_name}` for {} cannot be used", transport.name())]
pub struct PushError {
    pub transport: TransportType,
    pub certificate_name: String,
    #[source]
    pub reason: PushKeyError,
}

/// Why a key cannot be used. Nothing of the key is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushKeyError {
    #[error("there is no private key in PKCS #8 PEM form, `-----BEGIN PRIVATE KEY-----`")]
    NotPem,
    #[error("the private key is not an elliptic curve key on P-256, as Apple's are")]
    NotEs256,
    #[error("the private key is not an RSA key of 2048 bits or more, as Google's are")]
    NotRs256,
    #[error("the key id is not one of Apple's, of 10 letters and digits")]
    BadKeyId,
    #[error("the team id is not one of Apple's, of 10 letters and digits")]
    BadTeamId,
    #[error("the topic is not an app's bundle id, such as com.example.app")]
    BadTopic,
    #[error("the file is not a service account's key in JSON")]
    NotAServiceAccount,
    #[error("the service account's project id makes no sense")]
    BadProject,
    #[error("the service account's token URI is not a URL that can be called")]
    BadTokenUri,
    #[error("the address is not https://HOST or https://HOST:PORT")]
    BadAddress,
    #[error("another one has the same name")]
    RepeatedName,
    #[error("its name is empty")]
    NoName,
}

/// Sends to devices.
#[derive(Debug)]
pub struct PushTransport {
    apps: Arc<HashMap<(PushProvider, String), App>>,
}

/// One app at its provider.
enum App {
    Apns(Box<Apns>),
    Fcm(Box<Fcm>),
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apns(_) => "Apns",
            Self::Fcm(_) => "Fcm",
        })
    }
}

impl PushTransport {
    /// Sends with `keys`, through `egress`.
    ///
    /// # Errors
    ///
    /// When a key cannot be used.
    pub fn new(
        egress: &Arc<Egress>,
        clock: &Arc<dyn Clock>,
        keys: impl IntoIterator<Item = PushKey>,
    ) -> Result<Self, PushError> {
        let mut apps = HashMap::new();
        for key in keys {
            let (provider, name) = key.names();
            let name = (provider, name.to_owned());
            let refused = |reason| PushError {
                transport: transport_of(provider),
                certificate_name: name.1.clone(),
                reason,
            };
            if name.1.is_empty() {
                return Err(refused(PushKeyError::NoName));
            }
            if apps.contains_key(&name) {
                return Err(refused(PushKeyError::RepeatedName));
            }
            let app = app(egress, clock, key).map_err(refused)?;
            apps.insert(name, app);
        }
        Ok(Self {
            apps: Arc::new(apps),
        })
    }
}

const fn transport_of(provider: PushProvider) -> TransportType {
    match provider {
        PushProvider::Apns => TransportType::Apns,
        PushProvider::Gcm => TransportType::Gcm,
    }
}

fn app(egress: &Arc<Egress>, clock: &Arc<dyn Clock>, key: PushKey) -> Result<App, PushKeyError> {
    let link = |address: &str| {
        let target = Target::parse(address).map_err(|_| PushKeyError::BadAddress)?;
        if target.path_and_query() != "/" {
            return Err(PushKeyError::BadAddress);
        }
        Ok(Link::new(Arc::clone(egress), target))
    };
    match key {
        PushKey::Apns {
            key,
            key_id,
            team_id,
            topic,
            sandbox,
            address,
            ..
        } => {
            let default = if sandbox {
                APNS_SANDBOX_ADDRESS
            } else {
                APNS_ADDRESS
            };
            if !is_apple_id(&key_id) {
                return Err(PushKeyError::BadKeyId);
            }
            if !is_apple_id(&team_id) {
                return Err(PushKeyError::BadTeamId);
            }
            if !is_plain(&topic) {
                return Err(PushKeyError::BadTopic);
            }
            Ok(App::Apns(Box::new(Apns {
                link: link(address.as_deref().unwrap_or(default))?,
                key: SigningKey::es256(key.reveal())?,
                key_id,
                team_id,
                topic: HeaderValue::from_str(&topic).map_err(|_| PushKeyError::BadTopic)?,
                clock: Arc::clone(clock),
                token: Mutex::new(None),
            })))
        }
        PushKey::Fcm {
            service_account,
            address,
            ..
        } => {
            let account: ServiceAccount = serde_json::from_str(service_account.reveal())
                .map_err(|_| PushKeyError::NotAServiceAccount)?;
            // It becomes part of a path.
            if !is_plain(&account.project_id) {
                return Err(PushKeyError::BadProject);
            }
            let token_target =
                Target::parse(&account.token_uri).map_err(|_| PushKeyError::BadTokenUri)?;
            Ok(App::Fcm(Box::new(Fcm {
                link: link(address.as_deref().unwrap_or(FCM_ADDRESS))?,
                token_path: token_target.path_and_query().to_owned(),
                token_link: Link::new(Arc::clone(egress), token_target),
                key: SigningKey::rs256(&account.private_key)?,
                account,
                clock: Arc::clone(clock),
                token: tokio::sync::Mutex::default(),
            })))
        }
    }
}

/// Apple's ids of keys and teams have ten letters and digits.
fn is_apple_id(id: &str) -> bool {
    id.len() == 10 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Letters and digits, with a few marks between them.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    name.bytes().all(plain) && name.starts_with(|first: char| first.is_ascii_alphanumeric())
}

impl Transport for PushTransport {
    fn connection(&self) -> Box<dyn Connection> {
        Box::new(PushConnection {
            apps: Arc::clone(&self.apps),
        })
    }
}

#[derive(Debug)]
struct PushConnection {
    apps: Arc<HashMap<(PushProvider, String), App>>,
}

/// What a device is told.
struct Message {
    envelope: Bytes,
    /// After that, it is of no use: the dispatcher would give it up, or the subscription has run
    /// out.
    until: Timestamp,
}

impl Message {
    fn of(sending: &Sending<'_>) -> Self {
        let subscription = sending.subscription;
        let event = &sending.committed.event;
        let delivery = &sending.committed.delivery;
        let age_max = Duration::from_millis(subscription.policy.age_max_ms);
        Self {
            envelope: envelope(event, &delivery.filter, subscription),
            until: (delivery.created_at + age_max).min(subscription.expires_at),
        }
    }

    /// The envelope, as every subscriber gets it.
    fn whole(&self) -> &str {
        std::str::from_utf8(&self.envelope).expect("envelopes are JSON")
    }

    /// The same without the event's body, for services that take only so much: the app can fetch
    /// the event by its uuid.
    fn without_body(&self) -> String {
        let mut members: BTreeMap<&str, &RawValue> =
            serde_json::from_slice(&self.envelope).expect("envelopes are JSON objects");
        members.remove("body");
        serde_json::to_string(&members).expect("what was JSON is JSON")
    }
}

#[async_trait]
impl Connection for PushConnection {
    async fn send(&mut self, sending: &Sending<'_>) -> Option<Attempted> {
        let started = Instant::now();
        let deadline = started + sending.subscription.policy.timeout();
        let mut trip = Trip {
            deadline,
            halt: sending.halt,
            connect_us: 0,
            peer: None,
        };
        let asked = timeout_at(deadline, self.ask(sending, &mut trip)).await;
        let (outcome, answer) = match asked.unwrap_or(Err(LinkError::TimedOut)) {
            Ok((outcome, answer)) => (outcome, Some(answer)),
            Err(LinkError::CalledOff) => return None,
            Err(LinkError::Dial(error)) => (unreachable(reason_of(error)), None),
            Err(LinkError::Broken) => (unreachable(UnreachableReason::Broken), None),
            Err(LinkError::TimedOut) => (unreachable(UnreachableReason::TimedOut), None),
        };
        let said = answer.filter(|answer| !outcome.is_accepted() && !answer.body.is_empty());
        Some(Attempted {
            outcome,
            timings: Timings {
                connect_us: trip.connect_us,
                total_us: micros(started.elapsed()),
                ..Timings::default()
            },
            peer: trip.peer,
            answer_excerpt: said.map(|answer| excerpt(answer.body)),
            transcript: None,
        })
    }
}

impl PushConnection {
    /// Asks the provider to bring the event to its device.
    async fn ask(
        &self,
        sending: &Sending<'_>,
        trip: &mut Trip<'_>,
    ) -> Result<(AttemptOutcome, Answer), LinkError> {
        let forbidden = LinkError::Dial(DialError::Forbidden);
        let DeliveryMode::Push {
            provider,
            registration_id,
            certificate_name,
        } = &sending.subscription.mode
        else {
            return Err(forbidden);
        };
        // Without it, the operator has taken the key away.
        let app = self.apps.get(&(*provider, certificate_name.clone()));
        let message = Message::of(sending);
        match app.ok_or(forbidden)? {
            App::Apns(apns) => apns.send(registration_id, &message, trip).await,
            App::Fcm(fcm) => fcm.send(registration_id, &message, trip).await,
        }
    }
}

const fn unreachable(reason: UnreachableReason) -> AttemptOutcome {
    AttemptOutcome::Unreachable { reason }
}

/// As much of an answer as is kept for people.
fn excerpt(mut answer: String) -> String {
    answer.truncate(answer.floor_char_boundary(ANSWER_EXCERPT_BYTES_MAX));
    answer
}

const fn refused(status: u16, retry_after: Option<Duration>) -> AttemptOutcome {
    AttemptOutcome::Refused {
        status,
        retry_after,
    }
}
