//! Identifiers. Numbers are unique in the whole store, grow with time, and stay below 2^53, so that
//! clients which read them as JSON numbers keep every digit.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::time::Timestamp;

/// The largest number an id may have: what a double holds exactly.
pub const ID_MAX: u64 = (1 << 53) - 1;

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct IdError;

macro_rules! number_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl $name {
            /// The number as the store keeps it. Ids are below 2^63, so nothing is lost.
            pub const fn as_i64(self) -> i64 {
                self.0.cast_signed()
            }

            /// The id that the store keeps as `number`.
            pub const fn from_i64(number: i64) -> Self {
                Self(number.cast_unsigned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Reads plain decimal digits; signs, spaces and leading zeros are refused, so that an
            /// object has one name only.
            fn from_str(text: &str) -> Result<Self, IdError> {
                let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                if !digits || (text.len() > 1 && text.starts_with('0')) {
                    return Err(IdError);
                }
                match text.parse() {
                    Ok(number) if number <= i64::MAX.cast_unsigned() => Ok(Self(number)),
                    _ => Err(IdError),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            /// Accepts a decimal string or a JSON number: some clients turn ids into numbers.
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = u64;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an identifier as a decimal string or a number")
                    }
                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<u64, E> {
                        Ok(number)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u64, E> {
                        text.parse::<$name>().map(|id| id.0).map_err(E::custom)
                    }
                }
                deserializer.deserialize_any(Visitor).map(Self)
            }
        }
    )*};
}

number_ids! {
    /// The tenant; `company` and `account` on the wire.
    AccountId;
    /// A person; `extension` and `owner` on the wire.
    PersonId;
    /// A conversation of any kind; `group` is its legacy name on the wire.
    ChatId;
    /// What people read in a chat.
    PostId;
    /// One person's copy of a message between persons.
    MessageId;
    /// One HTTP call that hit an incoming webhook.
    RequestId;
    /// A scratch URL. Never its token.
    BinId;
    /// One HTTP call to a bin.
    BinRequestId;
    /// A committed fact; its decimal form is the `uuid` of the envelope (a 63-bit number there).
    EventId;
    /// One event on its way to one subscription.
    DeliveryId;
    /// A signed-in app on behalf of a person: all tokens of one grant.
    SessionId;
    /// Work in the background that somebody asked for.
    JobId;
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes a version 4 id of 16 random bytes.
            pub fn from_random(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError)
            }
        }
    )*};
}

uuid_ids! {
    /// An incoming webhook. Never its token.
    WebhookId;
    /// What lets a program in, in a person's name. Never its token.
    CredentialId;
    /// Who wants which events, how, until when.
    SubscriptionId;
    /// A WebSocket session. It outlives its connection while that can be recovered.
    SocketId;
}

/// Hands out numbers that grow with time and never repeat, also when the clock steps back.
///
/// A number is milliseconds since 2020 times 4096, or one more than the last, whichever is larger:
/// it stays below 2^53 until 2089, and past 4096 numbers in a millisecond it borrows from the next.
#[derive(Debug)]
pub struct IdSequence {
    last: AtomicU64,
}

/// 2020-01-01T00:00:00Z in Unix milliseconds: where numbers begin.
pub const EPOCH_MS: i64 = 1_577_836_800_000;

impl IdSequence {
    /// Continues after `last`, the largest number in the store.
    pub const fn starting_after(last: u64) -> Self {
        Self {
            last: AtomicU64::new(last),
        }
    }

    /// The smallest number that the clock alone would lead to at `now`.
    pub fn first_at(now: Timestamp) -> u64 {
        u64::try_from(now.as_millis() - EPOCH_MS).unwrap_or(0) << 12
    }

    /// When a number was given, to the millisecond, unless more were asked for than the clock gives.
    pub fn moment_of(number: u64) -> Timestamp {
        let millis = i64::try_from(number >> 12).unwrap_or(i64::MAX);
        Timestamp::from_millis(millis.saturating_add(EPOCH_MS))
    }

    /// The next number at `now`.
    pub fn next(&self, now: Timestamp) -> u64 {
        let from_clock = Self::first_at(now);
        let step = |last: u64| Some(from_clock.max(last + 1));
        let last = self
            .last
            .try_update(Ordering::Relaxed, Ordering::Relaxed, step)
            .expect("the step always yields a number");
        from_clock.max(last + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_when_the_clock_steps_back() {
        let ids = IdSequence::starting_after(0);
        let first = ids.next(Timestamp::from_millis(1_800_000_000_000));
        let second = ids.next(Timestamp::from_millis(1_700_000_000_000));
        assert!(second > first);
        assert!(second < ID_MAX);
    }

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!("42".parse::<ChatId>(), Ok(ChatId(42)));
        for text in [
            "",
            "+42",
            "042",
            " 42",
            "4a",
            "-1",
            "99999999999999999999",
            "~",
        ] {
            assert_eq!(text.parse::<ChatId>(), Err(IdError), "{text:?}");
        }
    }

    #[test]
    fn ids_are_read_from_strings_and_numbers_and_written_as_strings() {
        let ids: Vec<PostId> = serde_json::from_str(r#"["7", 8]"#).unwrap();
        assert_eq!(serde_json::to_string(&ids).unwrap(), r#"["7","8"]"#);
    }
}
