//! What a subscriber asks for (contract section 4.6).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::events::catalogue::{Effect, FILTER_FORMS, FilterForm, Parameter, Reach};
use crate::events::event::{Event, EventKind};
use crate::kernel::ids::{AccountId, PersonId};
use crate::kernel::limits::{EVENT_FILTER_CHARS_MAX, REMINDER_PERIOD_MIN};
use crate::kernel::raw::{Members, members_of, write_object};
use crate::kernel::time::Timestamp;

/// Why a text is not an event filter that may be subscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("unknown event filter")]
    Unknown,
    #[error("the filter names another account")]
    OtherAccount,
    /// `threshold` or `interval` is missing or not a number of seconds.
    #[error("the reminder's parameters are invalid")]
    BadReminder,
}

/// Where a filter looks for events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// What the subscription's owner may learn.
    Owner,
    Extension(PersonId),
    /// Every extension of the account.
    Account,
    /// The subscription itself.
    Subscription,
}

/// When a subscription is reminded of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reminder {
    /// How long before the end reminders begin.
    pub threshold: Duration,
    /// The time between two.
    pub interval: Duration,
}

impl Reminder {
    /// Whether it makes sense for a subscription of `ttl`: reminders begin in the second half of its
    /// life, come at least twice, and not more often than we look (contract 4.6).
    pub fn fits(&self, ttl: Duration) -> bool {
        self.interval >= REMINDER_PERIOD_MIN
            && self.interval <= self.threshold / 2
            && self.threshold <= ttl / 2
    }

    /// The first reminder after `now` of a subscription that ends at `expires_at`; `None` when there
    /// is none before the end.
    pub fn next_after(&self, now: Timestamp, expires_at: Timestamp) -> Option<Timestamp> {
        let first = expires_at - self.threshold;
        let next = if now < first {
            first
        } else {
            let interval = self.interval.as_millis().max(1);
            let passed = now.since(first).as_millis() / interval + 1;
            let after = u64::try_from(passed.saturating_mul(interval)).unwrap_or(u64::MAX);
            first + Duration::from_millis(after)
        };
        (next < expires_at).then_some(next)
    }
}

/// A filter as it was subscribed: the text is echoed in every envelope, with `~` replaced by the
/// ids that it stood for in paths of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventFilter {
    text: String,
    form: &'static FilterForm,
    place: Place,
    /// Members of the body and the values that they must have.
    conditions: Vec<(&'static str, &'static str)>,
    /// Members of the body that are left out.
    omitted: Vec<&'static str>,
    reminder: Option<Reminder>,
}

impl EventFilter {
    /// Reads a filter that `owner` of `account` subscribes. A full URL loses its origin: old SDKs
    /// make filters by `createUrl`.
    ///
    /// # Errors
    ///
    /// When no filter has that path or parameters, or it names another account.
    pub fn parse(text: &str, account: AccountId, owner: PersonId) -> Result<Self, FilterError> {
        Self::parse_as(text, Some((account, owner)))
    }

    /// Reads a filter as [`fmt::Display`] shows it: a stored one.
    ///
    /// # Errors
    ///
    /// When it is not one.
    pub fn read(text: &str) -> Result<Self, FilterError> {
        Self::parse_as(text, None)
    }

    fn parse_as(text: &str, own: Option<(AccountId, PersonId)>) -> Result<Self, FilterError> {
        if text.len() > EVENT_FILTER_CHARS_MAX {
            return Err(FilterError::Unknown);
        }
        let text = without_origin(text).ok_or(FilterError::Unknown)?;
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        let fitting = FILTER_FORMS
            .iter()
            .find_map(|form| fit(form, path, own).transpose());
        let (form, place, path) = fitting.ok_or(FilterError::Unknown)??;
        let mut filter = Self {
            text: query.map_or_else(|| path.to_string(), |query| format!("{path}?{query}")),
            form,
            place,
            conditions: Vec::new(),
            omitted: Vec::new(),
            reminder: None,
        };
        let asked: Vec<_> = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
        filter.take_parameters(form, &asked)?;
        Ok(filter)
    }

    fn take_parameters(
        &mut self,
        form: &FilterForm,
        asked: &[(String, String)],
    ) -> Result<(), FilterError> {
        for (index, (name, _)) in asked.iter().enumerate() {
            let known = form.parameters.iter().any(|known| known.name == name);
            let repeated = asked[..index].iter().any(|(other, _)| other == name);
            if !known || repeated {
                return Err(FilterError::Unknown);
            }
        }
        let value_of = |name| asked.iter().find(|(other, _)| other == name);
        for Parameter {
            name,
            effect,
            values,
        } in form.parameters
        {
            let value = value_of(*name).map(|(_, value)| value.as_str());
            let listed = value
                .map(|value| {
                    let found = values.iter().find(|known| **known == value).copied();
                    found.ok_or(FilterError::Unknown)
                })
                .filter(|_| !values.is_empty())
                .transpose()?;
            match effect {
                Effect::Equals => self.conditions.extend(listed.map(|value| (*name, value))),
                Effect::Includes(member) if listed != Some("true") => self.omitted.push(member),
                Effect::Includes(_) | Effect::Seconds => {}
            }
        }
        if form.kind == EventKind::Reminder {
            let seconds = |name| {
                let (_, value) = value_of(name).ok_or(FilterError::BadReminder)?;
                let seconds: u32 = value.parse().map_err(|_| FilterError::BadReminder)?;
                Ok(Duration::from_secs(seconds.into()))
            };
            self.reminder = Some(Reminder {
                threshold: seconds("threshold")?,
                interval: seconds("interval")?,
            });
        }
        Ok(())
    }

    /// The filter as it is shown and echoed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The kind of event that it asks for.
    pub const fn kind(&self) -> EventKind {
        self.form.kind
    }

    /// Where it looks.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// The form that it has.
    pub const fn form(&self) -> &'static FilterForm {
        self.form
    }

    /// When it reminds, if that is what it is for.
    pub const fn reminder(&self) -> Option<Reminder> {
        self.reminder
    }

    /// Whether `event` is what it asks for. Who may learn of the event is another question.
    pub fn matches(&self, event: &Event) -> bool {
        self.form.kind == event.kind
            && (self.conditions.is_empty() || self.conditions_hold(&event.body))
    }

    fn conditions_hold(&self, body: &[u8]) -> bool {
        let Some(members) = members_of(body) else {
            return false;
        };
        self.conditions.iter().all(|(name, wanted)| {
            members.iter().any(|(member, value)| {
                member == name
                    && serde_json::from_str::<Cow<'_, str>>(value.get())
                        .is_ok_and(|value| value == *wanted)
            })
        })
    }

    /// The body as this filter's subscribers get it: without what they did not ask for.
    pub fn project<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        if self.omitted.is_empty() {
            return Cow::Borrowed(body);
        }
        match members_of(body) {
            Some(members) => Cow::Owned(self.without_omitted(members)),
            None => Cow::Borrowed(body),
        }
    }

    fn without_omitted(&self, members: Members<'_>) -> Vec<u8> {
        let kept = members
            .into_iter()
            .filter(|(name, _)| !self.omitted.contains(&&**name))
            .map(|(name, value)| (name, self.project_items(value.get())));
        write_object(kept)
    }

    /// Arrays of objects lose the same members from each object.
    fn project_items<'a>(&self, value: &'a str) -> Cow<'a, str> {
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value) else {
            return Cow::Borrowed(value);
        };
        let items = items.into_iter().map(|item| {
            let projected = self.project(item.get().as_bytes()).into_owned();
            String::from_utf8(projected).expect("parts of a text are texts")
        });
        Cow::Owned(format!("[{}]", items.collect::<Vec<_>>().join(",")))
    }
}

impl fmt::Display for EventFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The path and query of a full URL, or the text itself when it begins with a slash.
fn without_origin(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) => rest.find('/').map(|slash| &rest[slash..]),
        None => text.starts_with('/').then_some(text),
    }
}

/// The ids that a path of a form holds.
struct PathIds<'a> {
    account: Option<&'a str>,
    extension: Option<&'a str>,
}

/// Compares a path with a form's, segment by segment. `~` counts as an id where one may stand.
fn segments_fit<'a>(
    form: &FilterForm,
    path: &'a str,
    own: Option<(AccountId, PersonId)>,
) -> Option<PathIds<'a>> {
    let mut ids = PathIds {
        account: None,
        extension: None,
    };
    let mut segments = path.split('/');
    for wanted in form.path.split('/') {
        let segment = segments.next()?;
        match wanted {
            "{accountId}" if own.is_some() || segment != "~" => ids.account = Some(segment),
            "{extensionId}" if own.is_some() || segment != "~" => ids.extension = Some(segment),
            _ if wanted == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(ids)
}

type Fitting<'a> = (&'static FilterForm, Place, Cow<'a, str>);

/// Reads `path` as `form`; `None` when it has another form.
fn fit<'a>(
    form: &'static FilterForm,
    path: &'a str,
    own: Option<(AccountId, PersonId)>,
) -> Result<Option<Fitting<'a>>, FilterError> {
    let Some(ids) = segments_fit(form, path, own) else {
        return Ok(None);
    };
    let mut shown = Cow::Borrowed(path);
    if let Some(account) = ids.account {
        let named = match (account, own) {
            ("~", Some((own, _))) => own,
            (number, _) => number.parse().map_err(|_| FilterError::Unknown)?,
        };
        if own.is_some_and(|(own, _)| own != named) {
            return Err(FilterError::OtherAccount);
        }
        shown = Cow::Owned(form.path.replace("{accountId}", &named.to_string()));
    }
    let place = match (form.reach, ids.extension) {
        (Reach::Extension, Some(extension)) => {
            let person = match (extension, own) {
                ("~", Some((_, own))) => own,
                (number, _) => number.parse().map_err(|_| FilterError::Unknown)?,
            };
            shown = Cow::Owned(shown.replace("{extensionId}", &person.to_string()));
            Place::Extension(person)
        }
        (Reach::Account, _) => Place::Account,
        (Reach::Subscription, _) => Place::Subscription,
        (Reach::Owner | Reach::Extension, _) => Place::Owner,
    };
    Ok(Some((form, place, shown)))
}

#[cfg(test)]
mod tests;
