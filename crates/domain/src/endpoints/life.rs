//! What administrators do with endpoints: make and change them, pause, resume and recover them,
//! rotate their secrets, delete them. Each is a change with a line of history and an event that
//! tells the account's endpoints.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::job::Job;
use crate::endpoints::consent::Granted;
use crate::endpoints::endpoint::{Endpoint, EndpointEventType, EndpointSecret, endpoint_event};
use crate::endpoints::settings::Settled;
use crate::endpoints::signing::SigningSecret;
use crate::identity::app::ClientId;
use crate::kernel::change::Change;
use crate::kernel::ids::{AccountId, PersonId, SubscriptionId};
use crate::kernel::limits::{ENDPOINT_TTL, ENDPOINTS_MAX};
use crate::kernel::time::Timestamp;
use crate::subscriptions::history::{HistoryWrite, Milestone};
use crate::subscriptions::subscription::{Subscription, SubscriptionStatus};

/// How far back recovering goes when nothing says since when the endpoint failed.
const RECOVERED_DEFAULT: Duration = Duration::from_secs(86_400);

/// Who makes an endpoint, and its id.
#[derive(Debug, Clone)]
pub struct Maker {
    pub account: AccountId,
    pub person: PersonId,
    pub client_id: ClientId,
    pub id: SubscriptionId,
}

/// Random bytes for a signing secret that somebody needs.
#[derive(Debug, Clone, Copy)]
pub struct SecretSeed {
    pub id: [u8; 8],
    pub key: [u8; 32],
}

impl SecretSeed {
    fn secret(self, own: Option<SigningSecret>, now: Timestamp) -> EndpointSecret {
        let secret = own.unwrap_or_else(|| SigningSecret::from_random(self.key));
        EndpointSecret::new(self.id, secret, now)
    }
}

/// What was shown in the clear, of which the history tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Credentials,
    SigningSecret,
}

/// What is told of one thing that happened.
#[derive(Clone, Copy)]
struct Told {
    milestone: Milestone,
    detail: Option<&'static str>,
    event: EndpointEventType,
}

impl Told {
    const fn plain(milestone: Milestone, event: EndpointEventType) -> Self {
        Self {
            milestone,
            detail: None,
            event,
        }
    }
}

impl Endpoint {
    /// Makes an endpoint at an address that has given its consent. An account has
    /// [`ENDPOINTS_MAX`] at most: the limit is part of the change.
    pub fn create(
        maker: Maker,
        settled: Settled,
        granted: &Granted,
        seed: SecretSeed,
        now: Timestamp,
    ) -> (Change, Subscription) {
        let mut endpoint = settled.endpoint.granted(granted);
        if settled.signed {
            endpoint.secrets = vec![seed.secret(settled.secret, now)];
        }
        let made = Subscription {
            account: maker.account,
            id: maker.id,
            owner: maker.person,
            client_id: maker.client_id,
            filters: Vec::new(),
            disabled_filters: Vec::new(),
            mode: settled.mode,
            policy: settled.policy,
            status: SubscriptionStatus::Active,
            created_at: now,
            modified_at: now,
            expires_at: now + ENDPOINT_TTL,
            ttl: ENDPOINT_TTL,
            blacklisted: None,
            paused_at: None,
            ended_at: None,
            failing_since: None,
            catch_up_after: None,
            endpoint: Some(Arc::new(endpoint)),
            version: 1,
        };
        let told = Told::plain(Milestone::Created, EndpointEventType::Created);
        (
            announced(made.create(ENDPOINTS_MAX), &made, told, now),
            made,
        )
    }

    /// Gives `current`, of which this is the endpoint, other settings. `granted` is what the address
    /// said if it had to be asked; otherwise its former consent stands.
    pub fn change(
        &self,
        current: &Subscription,
        settled: Settled,
        granted: Option<&Granted>,
        seed: SecretSeed,
        now: Timestamp,
    ) -> (Change, Subscription) {
        let mut next = match granted {
            Some(granted) => settled.endpoint.granted(granted),
            None => Self {
                request_origin: self.request_origin.clone(),
                ..settled.endpoint
            },
        };
        next.secrets = match (settled.signed, self.secrets.as_slice()) {
            (false, _) => Vec::new(),
            (true, []) => vec![seed.secret(None, now)],
            (true, kept) => kept.to_vec(),
        };
        next.error.clone_from(&self.error);
        let changed = Subscription {
            mode: settled.mode,
            policy: settled.policy,
            ..current.with_endpoint(next, now)
        };
        let told = Told::plain(Milestone::Updated, EndpointEventType::Updated);
        becoming(current, changed, told, now)
    }

    /// Gives `current`, of which this is the endpoint, another signing secret: the owner's `own`, or
    /// a random one. The former stay good for `overlap`.
    pub fn rotate_secret(
        &self,
        current: &Subscription,
        own: Option<SigningSecret>,
        overlap: Duration,
        seed: SecretSeed,
        now: Timestamp,
    ) -> (Change, Subscription) {
        let next = self.with_secret(seed.secret(own, now), overlap);
        let told = Told {
            milestone: Milestone::Updated,
            detail: Some("The signing secret was rotated."),
            event: EndpointEventType::Updated,
        };
        becoming(current, current.with_endpoint(next, now), told, now)
    }

    /// Pauses an endpoint: what comes is kept for it. A paused one stays as it is.
    pub fn pause(current: &Subscription, now: Timestamp) -> (Change, Subscription) {
        if current.status == SubscriptionStatus::Suspended {
            return (Change::default(), current.clone());
        }
        let told = Told::plain(Milestone::Suspended, EndpointEventType::Paused);
        becoming(current, current.suspended(now), told, now)
    }

    /// Puts an endpoint to use again; what waits for it is due at once. An active one stays as it
    /// is.
    pub fn resume(current: &Subscription, now: Timestamp) -> (Change, Subscription) {
        if current.status == SubscriptionStatus::Active {
            return (Change::default(), current.clone());
        }
        let told = Told::plain(Milestone::Resumed, EndpointEventType::Resumed);
        becoming(current, current.resumed(false, now), told, now)
    }

    /// Since when to recover: as asked, or since it has been failing, or since it stopped.
    pub fn recovered_since(
        current: &Subscription,
        asked: Option<Timestamp>,
        now: Timestamp,
    ) -> Timestamp {
        let trouble = current.failing_since.into_iter().chain(current.paused_at);
        asked.or(trouble.min()).unwrap_or(now - RECOVERED_DEFAULT)
    }

    /// Puts an endpoint to use again, and begins the job that sends what was given up.
    pub fn recover(current: &Subscription, job: &Job, now: Timestamp) -> Change {
        let begin = Change::of(job.put());
        if current.status == SubscriptionStatus::Active {
            return begin.given(current.unchanged());
        }
        let told = Told {
            milestone: Milestone::Resumed,
            detail: Some("It was recovered."),
            event: EndpointEventType::Resumed,
        };
        let (mut change, _) = becoming(current, current.resumed(false, now), told, now);
        change.append(begin);
        change
    }

    /// Deletes an endpoint; nothing is sent any more.
    pub fn delete(current: &Subscription, now: Timestamp) -> Change {
        let told = Told::plain(Milestone::Deleted, EndpointEventType::Deleted);
        announced(current.removal(now), current, told, now)
    }

    /// Deletes an endpoint whose data is to be erased: its history would be erased as well.
    pub fn erase(current: &Subscription, now: Timestamp) -> Change {
        let mut change = current.removal(now).given(current.unchanged());
        let told = endpoint_event(current, EndpointEventType::Deleted, now);
        change.events.extend(told);
        change
    }

    /// Leaves a trace of who could see a secret.
    pub fn note_shown(current: &Subscription, shown: Shown, now: Timestamp) -> Change {
        let what = match shown {
            Shown::Credentials => "The headers and credentials were shown.",
            Shown::SigningSecret => "The signing secret was shown.",
        };
        let note = current.passed(Milestone::Updated, now, Some(what.to_owned()));
        Change::of(HistoryWrite::Note(note))
    }
}

/// The change from `current` to `next`.
fn becoming(
    current: &Subscription,
    next: Subscription,
    told: Told,
    now: Timestamp,
) -> (Change, Subscription) {
    let change = announced(next.put(), &next, told, now);
    (change.given(current.unchanged()), next)
}

/// `change` with a line in the history, and the event.
fn announced(change: Change, next: &Subscription, told: Told, now: Timestamp) -> Change {
    let note = next.passed(told.milestone, now, told.detail.map(str::to_owned));
    let mut change = change.and(HistoryWrite::Note(note));
    change.events.extend(endpoint_event(next, told.event, now));
    change
}

#[cfg(test)]
mod tests;
