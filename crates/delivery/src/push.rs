//! Events to devices, through the push services of Apple and Google.
//!
//! To the dispatcher they are attempts like any other: a device that is gone answers 410, a service
//! that is busy names a time, and everything is retried by the subscription's policy. All
//! subscriptions of one app share one HTTP/2 connection.

mod apns;
mod fcm;
mod jwt;
mod link;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hookyard_domain::envelope::envelope;
use hookyard_domain::ports::Clock;
use hookyard_domain::{
    AttemptOutcome, DeliveryMode, PushProvider, Secret, Timings, UnreachableReason,
};
use http::HeaderValue;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::egress::{Egress, Target};
use crate::transport::{Attempted, Connection, Sending, Transport};
use crate::webhook::{micros, reason_of};
use apns::Apns;
use fcm::{Fcm, ServiceAccount};
use jwt::SigningKey;
use link::{Answer, Link, LinkError};

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

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushKeyError {
    #[error("the key is not a private key in PKCS #8 PEM form")]
    NotAKey,
    #[error("the file is not a service account's JSON")]
    NotAServiceAccount,
    #[error("the address is not a URL that can be called")]
    BadAddress,
    #[error("the topic cannot be a header's value")]
    BadTopic,
    #[error("two certificates have the same name")]
    RepeatedName,
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
    ) -> Result<Self, PushKeyError> {
        let mut apps = HashMap::new();
        for key in keys {
            let (provider, name) = key.names();
            let name = (provider, name.to_owned());
            if apps.insert(name, app(egress, clock, key)?).is_some() {
                return Err(PushKeyError::RepeatedName);
            }
        }
        Ok(Self {
            apps: Arc::new(apps),
        })
    }
}

fn app(egress: &Arc<Egress>, clock: &Arc<dyn Clock>, key: PushKey) -> Result<App, PushKeyError> {
    let link = |address: &str| {
        let target = Target::parse(address).map_err(|_| PushKeyError::BadAddress)?;
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
            let token_target =
                Target::parse(&account.token_uri).map_err(|_| PushKeyError::BadAddress)?;
            Ok(App::Fcm(Box::new(Fcm {
                link: link(address.as_deref().unwrap_or(FCM_ADDRESS))?,
                token_path: token_target.path_and_query().to_owned(),
                token_link: Link::new(Arc::clone(egress), token_target),
                key: SigningKey::rs256(&account.private_key)?,
                account,
                clock: Arc::clone(clock),
                token: tokio::sync::Mutex::new(None),
            })))
        }
    }
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
    envelope: Value,
}

impl Message {
    /// The same without the event's body, for services that take only so much: the app can fetch
    /// the event by its uuid.
    fn without_body(&self) -> Value {
        let mut envelope = self.envelope.clone();
        if let Some(members) = envelope.as_object_mut() {
            members.remove("body");
        }
        envelope
    }
}

#[async_trait]
impl Connection for PushConnection {
    async fn send(&mut self, sending: &Sending<'_>) -> Option<Attempted> {
        let started = Instant::now();
        let deadline = started + sending.subscription.policy.timeout();
        let unreachable = |reason| {
            let timings = Timings {
                connect_us: 0,
                total_us: micros(started.elapsed()),
            };
            Some(Attempted::unreachable(reason, timings))
        };
        let DeliveryMode::Push {
            provider,
            registration_id,
            certificate_name,
        } = &sending.subscription.mode
        else {
            return unreachable(UnreachableReason::Forbidden);
        };
        // The operator has taken the key away.
        let Some(app) = self.apps.get(&(*provider, certificate_name.clone())) else {
            return unreachable(UnreachableReason::Forbidden);
        };
        if sending.halt.is_called_off() {
            return None;
        }
        let delivery = &sending.committed.delivery;
        let bytes = envelope(
            &sending.committed.event,
            &delivery.filter,
            sending.subscription,
        );
        let message = Message {
            envelope: serde_json::from_slice(&bytes).expect("envelopes are JSON"),
        };
        let asked = async {
            match app {
                App::Apns(apns) => apns.send(registration_id, &message, deadline).await,
                App::Fcm(fcm) => fcm.send(registration_id, &message, deadline).await,
            }
        };
        match timeout_at(deadline, asked).await {
            Ok(Ok((outcome, answer))) => Some(answered(outcome, answer, started)),
            Ok(Err(LinkError::Dial(error))) => unreachable(reason_of(error)),
            Ok(Err(LinkError::Broken)) => unreachable(UnreachableReason::Broken),
            Err(_) => unreachable(UnreachableReason::TimedOut),
        }
    }
}

fn answered(outcome: AttemptOutcome, answer: Answer, started: Instant) -> Attempted {
    let shown = !outcome.is_accepted() && !answer.body.is_empty();
    Attempted {
        outcome,
        timings: Timings {
            connect_us: 0,
            total_us: micros(started.elapsed()),
        },
        peer: Some(answer.peer),
        answer_excerpt: shown.then_some(answer.body),
    }
}

const fn refused(status: u16, retry_after: Option<Duration>) -> AttemptOutcome {
    AttemptOutcome::Refused {
        status,
        retry_after,
    }
}
