//! Values that must never be printed, logged or compared carelessly.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Characters of a secret that are shown to know it by.
const HINT_CHARS: usize = 4;

/// A text that stays out of logs: its `Debug` prints dots, it has no `Display`, and it is wiped
/// when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes charge of `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its last characters, by which people know one of several: too few to guess the others from.
    pub fn hint(&self) -> String {
        let skipped = self.0.chars().count().saturating_sub(HINT_CHARS);
        self.0.chars().skip(skipped).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

/// SHA-256 of an opaque token: what the store keeps. A token has 256 random bits, so a plain hash
/// cannot be searched backwards.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// The hash of `token`.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// Writes 32 random bytes as a URL-safe token of 43 characters without padding.
pub fn token_from(bytes: [u8; 32]) -> Secret {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(43);
    for chunk in bytes.chunks(3) {
        let mut group = [0_u8; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for position in 0..=chunk.len() {
            let sextet = (bits >> (18 - 6 * position)) & 63;
            text.push(char::from(ALPHABET[sextet as usize]));
        }
    }
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "…");
    }

    #[test]
    fn a_token_has_43_characters_of_the_url_safe_alphabet() {
        assert_eq!(
            token_from([0xff; 32]).reveal(),
            format!("{}8", "_".repeat(42))
        );
        assert_eq!(token_from([0; 32]).reveal(), "A".repeat(43));
    }
}
