//! Points in time as people write them.

use std::time::Duration;

use hookyard_domain::Timestamp;
use hookyard_domain::kernel::ports::Clock as _;
use hookyard_server::SystemClock;

/// Reads `2026-03-01T10:00:00Z`, or `90m` for ninety minutes ago.
///
/// # Errors
///
/// When it is neither.
pub(crate) fn read(text: &str) -> Result<Timestamp, String> {
    read_at(text, SystemClock.now())
}

fn read_at(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Some(ago) = ago(text) {
        return Ok(now - ago);
    }
    text.parse().map_err(|_| {
        "write a time such as 2026-03-01T10:00:00Z, or how long ago it is: 30s, 15m, 2h, 7d"
            .to_owned()
    })
}

fn ago(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u64 = text[..text.len() - 1].parse().ok()?;
    count.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_points_or_distances() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        for (text, expect) in [
            ("90m", Some(1_799_994_600_000)),
            ("2d", Some(1_799_827_200_000)),
            ("0s", Some(1_800_000_000_000)),
            ("2027-01-15T08:00:00Z", Some(1_800_000_000_000)),
            ("2027-01-15T09:00:00+01:00", Some(1_800_000_000_000)),
            ("2027-01-15", None),
            ("h", None),
            ("-2h", None),
            ("ü", None),
            ("99999999999999999999d", None),
        ] {
            let read = read_at(text, now).ok();
            assert_eq!(read, expect.map(Timestamp::from_millis), "{text}");
        }
    }
}
