//! Time tokens: where a client stands in the stream of events.
//!
//! On the wire a time token is 17 digits, a moment in units of 100 ns. Ours are made of the numbers
//! of events, which begin with a moment in milliseconds and count 4,096 in each; a millisecond has
//! 10,000 such units, so each number has a token of its own, in the same order.

use hookyard_domain::EventId;
use hookyard_domain::kernel::ids::EPOCH_MS;

/// Units of 100 ns in a millisecond.
const UNITS: u64 = 10_000;
/// Numbers that events can have in a millisecond.
const NUMBERS: u64 = 1 << 12;

/// The time token of an event.
pub(super) const fn of_event(event: EventId) -> u64 {
    (event.0 / NUMBERS + EPOCH_MS.unsigned_abs()) * UNITS + event.0 % NUMBERS
}

/// The last number whose token is not after `token`; zero before the first.
pub(super) fn to_event(token: u64) -> EventId {
    let Some(millis) = (token / UNITS).checked_sub(EPOCH_MS.unsigned_abs()) else {
        return EventId(0);
    };
    let number = (token % UNITS).min(NUMBERS - 1);
    EventId(millis.saturating_mul(NUMBERS).saturating_add(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_event_has_a_token_and_they_follow_each_other(
            one in 0..1_u64 << 53,
            other in 0..1_u64 << 53,
        ) {
            let (first, second) = (of_event(EventId(one)), of_event(EventId(other)));
            prop_assert_eq!(to_event(first), EventId(one));
            prop_assert_eq!(first.cmp(&second), one.cmp(&other));
            prop_assert_eq!(first.to_string().len(), 17);
        }

        #[test]
        fn any_token_leads_to_the_last_event_before_it(token in any::<u64>()) {
            let event = to_event(token);
            if event.0 > 0 && event.0 < 1 << 53 {
                prop_assert!(of_event(event) <= token);
                prop_assert!(of_event(EventId(event.0 + 1)) > token);
            }
        }
    }
}
