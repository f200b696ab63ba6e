//! What the API is told at start.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hookyard_domain::kernel::limits::{BODY_READ_TIMEOUT, SUBSCRIPTIONS_MAX_DEFAULT};
use hookyard_domain::{PushProvider, RetryPolicy};

use crate::kernel::rate_limits::RateLimits;
use crate::operations::Operation;

/// Settings of the API.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// How the world reaches the server, without a trailing slash.
    pub public_url: String,
    pub development: DevelopmentMode,
    /// A body must arrive within this time.
    pub body_read_timeout: Duration,
    pub rate_limits: RateLimits,
    /// Pause between signs of life on a live stream.
    pub live_ping_period: Duration,
    /// How new subscriptions retry.
    pub retry_policy: RetryPolicy,
    pub subscriptions: SubscriptionSettings,
    /// Operations that stand beside those of the API, for its description.
    pub beside: Vec<Operation>,
    /// Shown to clients.
    pub version: &'static str,
}

impl ApiSettings {
    /// Settings with their defaults.
    pub fn new(public_url: impl Into<String>, development: DevelopmentMode) -> Self {
        Self {
            public_url: public_url.into(),
            development,
            body_read_timeout: BODY_READ_TIMEOUT,
            rate_limits: RateLimits::default(),
            live_ping_period: Duration::from_secs(15),
            retry_policy: RetryPolicy::default(),
            subscriptions: SubscriptionSettings::default(),
            beside: Vec::new(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Whether browsers must be told to keep cookies off plain connections.
    pub(crate) fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// What may be subscribed.
#[derive(Debug, Clone)]
pub struct SubscriptionSettings {
    /// Subscriptions of one person and app.
    pub count_max: u32,
    /// What clients of the `PubNub` transport present; `None` when it is off.
    pub pubnub_key: Option<String>,
    /// The configured certificates of push providers, by name.
    pub push_certificates: Vec<(PushProvider, String)>,
}

impl Default for SubscriptionSettings {
    fn default() -> Self {
        Self {
            count_max: SUBSCRIPTIONS_MAX_DEFAULT,
            pubnub_key: None,
            push_certificates: Vec::new(),
        }
    }
}

/// Whether subscriptions may use http and addresses of this machine. It can be turned off while the
/// server runs, and not on again: a sign of a proxy in front ends it.
#[derive(Clone)]
pub struct DevelopmentMode {
    on: Arc<AtomicBool>,
    began_on: bool,
    at_end: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for DevelopmentMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DevelopmentMode({})", self.is_on())
    }
}

impl DevelopmentMode {
    /// Starts on or off; `at_end` is called when it is turned off, to tighten what else depends on
    /// it.
    pub fn new(on: bool, at_end: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            on: Arc::new(AtomicBool::new(on)),
            began_on: on,
            at_end: Arc::new(at_end),
        }
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Whether it was on when the server started, and has ended since.
    pub(crate) fn has_ended(&self) -> bool {
        self.began_on && !self.is_on()
    }

    /// What to do about a plain http address that it does not allow.
    pub(crate) fn https_advice(&self) -> &'static str {
        if self.has_ended() {
            "the development rules, which allow http, ended when a request came through a proxy or \
                for another host; use an https URL, or restart the server to have them again"
        } else {
            "use an https URL"
        }
    }

    /// Ends it for good; tells whether it was on.
    pub(crate) fn turn_off(&self) -> bool {
        let was_on = self.on.swap(false, Ordering::Relaxed);
        if was_on {
            (self.at_end)();
        }
        was_on
    }
}
