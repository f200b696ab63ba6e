//! Making tokens. They are derived, not drawn, so that a refresh that is repeated within its grace
//! gets the same tokens again although only their hashes are stored.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use hookyard_domain::secret::token_from;
use hookyard_domain::{Secret, SessionId, TokenKind};
use sha2::Sha256;

/// Derives tokens from a key that is not in the database.
#[derive(Clone)]
pub struct TokenMint {
    key: [u8; 32],
}

impl fmt::Debug for TokenMint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenMint")
    }
}

impl TokenMint {
    /// Derives from `key`.
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The token of `kind` of one generation of a session: 256 bits that nobody without the key can
    /// guess, with a prefix that secret scanners can know it by.
    pub fn token(&self, kind: TokenKind, session: SessionId, generation: u64) -> Secret {
        let (label, prefix) = match kind {
            TokenKind::Access => (b'a', "hya_"),
            TokenKind::Refresh => (b'r', "hyr_"),
        };
        let session = session.0.to_be_bytes();
        let bytes = self.seal(&[&[label], &session, &generation.to_be_bytes()]);
        Secret::new(format!("{prefix}{}", token_from(bytes).reveal()))
    }

    /// The seal on a page token: clients cannot make their own.
    pub(crate) fn seal_page(&self, position: &[u8]) -> [u8; 32] {
        self.seal(&[b"p", position])
    }

    fn seal(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length is a key");
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_changes_the_token() {
        let mint = TokenMint::new([1; 32]);
        let token = |kind, session, generation| {
            mint.token(kind, SessionId(session), generation)
                .reveal()
                .to_owned()
        };
        let first = token(TokenKind::Access, 1, 1);
        assert_eq!(first, token(TokenKind::Access, 1, 1));
        assert_eq!(first.len(), 47);
        for other in [
            token(TokenKind::Refresh, 1, 1),
            token(TokenKind::Access, 2, 1),
            token(TokenKind::Access, 1, 2),
        ] {
            assert_ne!(first[4..], other[4..]);
        }
        assert_ne!(
            first,
            TokenMint::new([2; 32])
                .token(TokenKind::Access, SessionId(1), 1)
                .reveal()
        );
    }
}
