//! Which headers of a call are kept with its request.

use super::shortened;
use crate::kernel::limits::REQUEST_HEADERS_MAX;

/// Kept whatever is in them; other names must begin with `x-`.
const PLAIN: [&str; 5] = [
    "content-type",
    "content-length",
    "content-encoding",
    "user-agent",
    "accept",
];
/// What a name holds when its value might let somebody in.
const SECRET: [&str; 8] = [
    "auth",
    "cookie",
    "credential",
    "key",
    "pass",
    "secret",
    "signature",
    "token",
];

/// Headers that help to understand a sender, and hold nothing secret. Names are in lower case.
pub fn kept_headers<'h>(
    headers: impl Iterator<Item = (&'h str, &'h str)>,
) -> Vec<(String, String)> {
    headers
        .filter(|(name, _)| may_keep(name))
        .map(|(name, value)| (name.to_owned(), shortened(value)))
        .take(REQUEST_HEADERS_MAX)
        .collect()
}

fn may_keep(name: &str) -> bool {
    PLAIN.contains(&name)
        || (name.starts_with("x-") && !SECRET.iter().any(|word| name.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::limits::REQUEST_HEADER_CHARS_MAX;

    #[test]
    fn what_could_let_somebody_in_is_not_kept() {
        for (name, kept) in [
            ("content-type", true),
            ("user-agent", true),
            ("x-github-event", true),
            ("host", false),
            ("authorization", false),
            ("cookie", false),
            ("x-api-key", false),
            ("x-hub-signature-256", false),
            ("x-gitlab-token", false),
        ] {
            let headers = kept_headers([(name, "value")].into_iter());
            assert_eq!(!headers.is_empty(), kept, "{name}");
        }
    }

    #[test]
    fn headers_are_bounded_in_number_and_length() {
        let long = "v".repeat(REQUEST_HEADER_CHARS_MAX + 1);
        let names: Vec<String> = (0..=REQUEST_HEADERS_MAX)
            .map(|n| format!("x-{n}"))
            .collect();
        let kept = kept_headers(names.iter().map(|name| (name.as_str(), long.as_str())));
        assert_eq!(kept.len(), REQUEST_HEADERS_MAX);
        assert!(
            kept.iter()
                .all(|(_, value)| value.len() == REQUEST_HEADER_CHARS_MAX)
        );
    }
}
