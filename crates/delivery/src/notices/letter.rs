//! What a letter about an Errored endpoint says. Whatever people wrote into the endpoint is shown on
//! one line and shortened; the query of its address, which may hold secrets, is left out.

use std::fmt::Write as _;
use std::sync::Arc;

use hookyard_domain::kernel::limits::NOTICE_TEXT_CHARS_MAX;
use hookyard_domain::{Subscription, Timestamp};
use url::Url;

use crate::mail::Letter;

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reader {
    pub(super) name: String,
    pub(super) address: String,
    /// Whether the endpoint is theirs.
    pub(super) owns: bool,
}

/// What there is to tell.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) subscription: Arc<Subscription>,
    pub(super) errored_at: Timestamp,
    pub(super) failing_since: Timestamp,
    /// Deliveries that wait for the endpoint.
    pub(super) waiting: u64,
    /// Those that were given up since it fails.
    pub(super) abandoned: u64,
    pub(super) now: Timestamp,
}

impl Trouble {
    /// The letter to `reader`.
    pub(super) fn letter(&self, reader: &Reader, public_url: &str) -> Letter {
        let id = self.subscription.id;
        Letter {
            to: reader.address.clone(),
            subject: format!(
                "Webhook endpoint Errored: {}: {}",
                self.name(),
                self.reason()
            ),
            body: self.body(reader, public_url),
            at: self.now,
            id: format!("errored.{id}.{}", self.errored_at.as_millis()),
        }
    }

    /// Its description, or its host where nobody has described it.
    fn name(&self) -> String {
        let endpoint = self.subscription.endpoint.as_ref();
        let description = endpoint.map(|endpoint| one_line(&endpoint.description));
        match description.filter(|text| !text.is_empty()) {
            Some(text) => format!("\"{text}\""),
            None => one_line(
                self.url()
                    .and_then(|url| url.host_str().map(str::to_owned))
                    .as_deref()
                    .unwrap_or("an endpoint"),
            ),
        }
    }

    fn url(&self) -> Option<Url> {
        Url::parse(self.subscription.mode.address()?).ok()
    }

    /// Without what may be secret.
    fn address(&self) -> String {
        let Some(mut url) = self.url() else {
            return "unknown".to_owned();
        };
        let queried = url.query().is_some();
        url.set_query(None);
        let shown = one_line(url.as_str());
        if queried {
            format!("{shown}?…")
        } else {
            shown
        }
    }

    fn reason(&self) -> String {
        let endpoint = self.subscription.endpoint.as_ref();
        let reason = endpoint.and_then(|endpoint| endpoint.error.as_deref());
        one_line(reason.unwrap_or("It failed too often"))
    }

    fn body(&self, reader: &Reader, public_url: &str) -> String {
        let id = self.subscription.id;
        let page = format!("{public_url}/settings/webhooks/{id}");
        let call = format!("{public_url}/api/v1/endpoints/{id}/recover");
        let given_up = match self.abandoned {
            0 => String::new(),
            1 => "; 1 was given up".to_owned(),
            more => format!("; {more} were given up"),
        };
        let waiting = match self.waiting {
            1 => "1 event waits".to_owned(),
            other => format!("{other} events wait"),
        };
        let why = if reader.owns {
            "You are told because the endpoint is yours."
        } else {
            "You are told because you administer the account, and the endpoint's owner cannot be."
        };
        let mut body = String::new();
        let greeting = one_line(&reader.name);
        if !greeting.is_empty() {
            let _ = writeln!(body, "Hello {greeting},\n");
        }
        let _ = write!(
            body,
            "the webhook endpoint {name} failed too often, and is no longer called.\n\
             \n\
             Address:        {address}\n\
             Last answer:    {reason}\n\
             Failing since:  {since}\n\
             Errored since:  {errored}\n\
             Kept for it:    {waiting}{given_up}\n\
             \n\
             Nothing is lost: events are kept, and new ones too. Put the receiver in order, and then\n\
             press Recover on the endpoint's page:\n\
             \n\
             {page}\n\
             \n\
             or call:\n\
             \n\
             curl -X POST {call} \\\n  \
             -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d '{{}}'\n\
             \n\
             Everything that waits is sent then, and what was given up since it fails is sent again.\n\
             \n\
             {why}\n\
             Hookyard, {public_url}\n",
            name = self.name(),
            address = self.address(),
            reason = self.reason(),
            since = self.failing_since,
            errored = self.errored_at,
        );
        body
    }
}

/// `text` on one line, without what steers a terminal or turns the direction of reading round, and
/// not too long.
fn one_line(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let spaced: String = text
        .chars()
        .filter(|c| !turns(*c))
        .map(|c| if breaks(c) { ' ' } else { c })
        .collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= NOTICE_TEXT_CHARS_MAX {
        return line;
    }
    let mut short: String = line.chars().take(NOTICE_TEXT_CHARS_MAX - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_stays_on_one_line() {
        for (written, shown) in [
            ("Billing", "Billing"),
            (
                "a\r\nBcc: x@example.com\r\n\r\nhello",
                "a Bcc: x@example.com hello",
            ),
            ("a\u{2028}b\u{85}c\u{0}d\u{1b}[31me", "a b c d [31me"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("  ", ""),
        ] {
            assert_eq!(one_line(written), shown);
        }
        let long = one_line(&"ä".repeat(1_000));
        assert_eq!(long.chars().count(), NOTICE_TEXT_CHARS_MAX);
    }
}
