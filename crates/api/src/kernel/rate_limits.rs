//! Rate limits (contract section 8.2): per person and app, by group of calls. Off by default,
//! because acceptance suites make many calls; the headers are always sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hookyard_domain::kernel::limits::RATE_WINDOWS_MAX;
use hookyard_domain::{AccountId, ClientId, Code, PersonId, Timestamp};
use http::{HeaderMap, HeaderValue};

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::problem::ApiResult;

/// Length of the window, and of the penalty that each further call starts anew.
const WINDOW: Duration = Duration::from_secs(60);

/// Calls per person, app and minute, and who made how many.
#[derive(Debug, Clone)]
pub struct RateLimits {
    enforced: bool,
    light: u32,
    medium: u32,
    auth: u32,
    windows: Arc<Windows>,
}

impl Default for RateLimits {
    /// The platform's numbers, not enforced.
    fn default() -> Self {
        Self {
            enforced: false,
            light: 50,
            medium: 40,
            auth: 5,
            windows: Arc::default(),
        }
    }
}

impl RateLimits {
    /// The platform's numbers, enforced.
    pub fn enforced() -> Self {
        Self {
            enforced: true,
            ..Self::default()
        }
    }

    /// These numbers, enforced.
    pub fn enforcing(light: u32, medium: u32, auth: u32) -> Self {
        Self {
            enforced: true,
            light,
            medium,
            auth,
            windows: Arc::default(),
        }
    }
}

/// A group of calls that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    Light,
    Medium,
    Auth,
}

impl Group {
    /// Its name on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Medium => "medium",
            Self::Auth => "auth",
        }
    }

    const fn limit(self, limits: &RateLimits) -> u32 {
        match self {
            Self::Light => limits.light,
            Self::Medium => limits.medium,
            Self::Auth => limits.auth,
        }
    }
}

/// Who is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    Caller(AccountId, PersonId, ClientId),
    /// Somebody who is about to sign in, by the name they gave.
    Name(String),
}

/// Travels with a request from the edge to the place that learns who calls, and back.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    group: Group,
    remaining: Arc<OnceLock<u32>>,
}

impl Meter {
    pub(crate) fn new(group: Group) -> Self {
        Self {
            group,
            remaining: Arc::default(),
        }
    }

    /// Counts a call of `caller`.
    pub(crate) fn count(&self, api: &Api, caller: &Caller) -> ApiResult<()> {
        let limits = &api.settings.rate_limits;
        if !limits.enforced {
            return Ok(());
        }
        let who = Counted::Caller(caller.account, caller.person, caller.client_id().clone());
        self.count_as(api, who)
    }

    /// Counts a call of `who`.
    pub(crate) fn count_as(&self, api: &Api, who: Counted) -> ApiResult<()> {
        let limits = &api.settings.rate_limits;
        if !limits.enforced {
            return Ok(());
        }
        let limit = self.group.limit(limits);
        let left = limits.windows.count((who, self.group), limit, api.now());
        let _ = self.remaining.set(left.unwrap_or(0));
        left.map(|_| ())
            .ok_or_else(|| Code::RequestRateExceeded.into())
    }

    /// Writes the headers that tell a client where it stands.
    pub(crate) fn label(&self, limits: &RateLimits, headers: &mut HeaderMap) {
        let limit = self.group.limit(limits);
        let remaining = self.remaining.get().copied().unwrap_or(limit);
        headers.insert(
            "x-rate-limit-group",
            HeaderValue::from_static(self.group.name()),
        );
        headers.insert("x-rate-limit-limit", limit.into());
        headers.insert("x-rate-limit-remaining", remaining.into());
        headers.insert("x-rate-limit-window", WINDOW.as_secs().into());
    }
}

/// Counts of the minute that runs and the one before, which together slide.
#[derive(Debug)]
struct Window {
    began_at: Timestamp,
    current: u32,
    previous: u32,
    blocked_until: Option<Timestamp>,
}

impl Window {
    fn roll(&mut self, now: Timestamp) {
        let passed = now.since(self.began_at);
        if passed >= 2 * WINDOW {
            (self.previous, self.current, self.began_at) = (0, 0, now);
        } else if passed >= WINDOW {
            (self.previous, self.current) = (self.current, 0);
            self.began_at = self.began_at + WINDOW;
        }
    }

    /// Counts a call; `None` when it is one too many.
    fn count(&mut self, limit: u32, now: Timestamp) -> Option<u32> {
        self.roll(now);
        if self.blocked_until.is_some_and(|until| now < until) {
            self.blocked_until = Some(now + WINDOW);
            return None;
        }
        self.blocked_until = None;
        let share = 1.0 - now.since(self.began_at).as_secs_f64() / WINDOW.as_secs_f64();
        let weighted = f64::from(self.previous) * share + f64::from(self.current);
        if weighted >= f64::from(limit) {
            self.blocked_until = Some(now + WINDOW);
            return None;
        }
        self.current += 1;
        Some(limit.saturating_sub(self.previous.saturating_add(self.current)))
    }
}

/// The windows of everyone who called lately.
#[derive(Debug, Default)]
pub(crate) struct Windows(Mutex<HashMap<(Counted, Group), Window>>);

impl Windows {
    fn count(&self, key: (Counted, Group), limit: u32, now: Timestamp) -> Option<u32> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= RATE_WINDOWS_MAX && !windows.contains_key(&key) {
            windows.retain(|_, window| now.since(window.began_at) < 2 * WINDOW);
            // Forgetting the counts is better than refusing strangers for the sake of others.
            if windows.len() >= RATE_WINDOWS_MAX {
                windows.clear();
            }
        }
        let window = windows.entry(key).or_insert(Window {
            began_at: now,
            current: 0,
            previous: 0,
            blocked_until: None,
        });
        window.count(limit, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_too_many_starts_a_penalty_that_each_call_restarts() {
        let windows = Windows::default();
        let at = |seconds: i64| {
            let key = (Counted::Name("a".into()), Group::Auth);
            windows.count(key, 2, Timestamp::from_millis(1_000_000 + seconds * 1000))
        };
        assert_eq!((at(0), at(1), at(2)), (Some(1), Some(0), None));
        assert_eq!((at(50), at(109)), (None, None));
        assert_eq!(at(200), Some(1));
    }
}
