//! What an address grants when it is asked whether it wants events.

use crate::endpoints::endpoint::{Endpoint, RateLimit};
use crate::endpoints::settings::Settled;
use crate::kernel::limits::RATE_COUNT_MAX;
use crate::subscriptions::subscription::Subscription;

/// What was granted beside the consent itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Granted {
    pub rate: Option<RateLimit>,
    /// Who may send.
    pub origin: Option<String>,
}

impl Granted {
    /// What an address grants that was asked with OPTIONS: to `origin`, so many requests a minute,
    /// or as many as there are.
    pub fn by_options(origin: String, per_minute: Option<u32>) -> Self {
        Self {
            rate: per_minute.map(|count| RateLimit {
                count: count.min(RATE_COUNT_MAX),
                per_ms: 60_000,
            }),
            origin: Some(origin),
        }
    }
}

impl Endpoint {
    /// The same with what its address granted. Of two rate limits the slower one holds.
    #[must_use]
    pub fn granted(self, granted: &Granted) -> Self {
        let slower = |theirs: RateLimit| {
            let own = self.rate;
            let slower = own.filter(|own| own.interval() >= theirs.interval());
            slower.unwrap_or(theirs)
        };
        Self {
            request_origin: granted.origin.clone(),
            rate: granted
                .rate
                .map_or(self.rate, |theirs| Some(slower(theirs))),
            ..self
        }
    }
}

impl Settled {
    /// Whether the address has to be asked before these settings take the place of `former`: it is
    /// another, or proves its consent in another way.
    pub fn need_consent(&self, former: &Subscription) -> bool {
        let proof = former.endpoint.as_ref().map(|endpoint| endpoint.handshake);
        former.mode.address() != self.mode.address() || proof != Some(self.endpoint.handshake)
    }
}
