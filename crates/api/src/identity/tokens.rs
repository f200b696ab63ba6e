//! Making tokens. They are derived, not drawn, so that a refresh that is repeated within its grace
//! gets the same tokens again although only their hashes are stored.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hookyard_domain::identity::grant::TokenSource;
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::{AccountId, Secret, SessionId, Timestamp, TokenKind};
use sha2::Sha256;

/// How tokens for WebSocket connections begin.
const SOCKET_PREFIX: &str = "hyw_";
/// What they say: an account, a session, a time.
const SOCKET_NOTE_BYTES: usize = 24;

/// Bytes of the seal on a page token.
pub(crate) const PAGE_SEAL_BYTES: usize = 16;

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

    /// The seal on a page token: clients cannot make their own, nor use it for another purpose.
    pub(crate) fn seal_page(&self, purpose: &[u8], place: &[u8]) -> [u8; PAGE_SEAL_BYTES] {
        let seal = self.page_mac(purpose, place).finalize().into_bytes();
        *seal.first_chunk().expect("a seal is a part of its hash")
    }

    /// Whether `seal` is that of a page token.
    pub(crate) fn sealed_page(&self, purpose: &[u8], place: &[u8], seal: &[u8]) -> bool {
        let mac = self.page_mac(purpose, place);
        seal.len() == PAGE_SEAL_BYTES && mac.verify_truncated_left(seal).is_ok()
    }

    fn page_mac(&self, purpose: &[u8], place: &[u8]) -> Hmac<Sha256> {
        // The length tells where the purpose ends, whatever stands in it.
        let length = u64::try_from(purpose.len()).expect("a length fits");
        self.mac(&[b"p", &length.to_be_bytes(), purpose, place])
    }

    /// A token for WebSocket connections: a sealed note of whom it stands for, and until when.
    pub(crate) fn socket_token(
        &self,
        account: AccountId,
        session: SessionId,
        expires_at: Timestamp,
    ) -> Secret {
        let mut note = Vec::with_capacity(SOCKET_NOTE_BYTES + 32);
        note.extend(account.0.to_be_bytes());
        note.extend(session.0.to_be_bytes());
        note.extend(expires_at.as_millis().to_be_bytes());
        let seal = self.seal(&[b"w", &note]);
        note.extend(seal);
        Secret::new(format!("{SOCKET_PREFIX}{}", URL_SAFE_NO_PAD.encode(note)))
    }

    /// What a token for WebSocket connections says, if it is ours. It may be over.
    pub(crate) fn read_socket_token(
        &self,
        token: &str,
    ) -> Option<(AccountId, SessionId, Timestamp)> {
        let note = token.strip_prefix(SOCKET_PREFIX)?;
        let note = URL_SAFE_NO_PAD.decode(note).ok()?;
        let (note, seal) = note.split_at_checked(SOCKET_NOTE_BYTES)?;
        self.mac(&[b"w", note]).verify_slice(seal).ok()?;
        let word = |at: usize| note[at..at + 8].try_into().expect("three words of eight");
        Some((
            AccountId(u64::from_be_bytes(word(0))),
            SessionId(u64::from_be_bytes(word(8))),
            Timestamp::from_millis(i64::from_be_bytes(word(16))),
        ))
    }

    fn seal(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.mac(parts).finalize().into_bytes().into()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length is a key");
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

impl TokenSource for TokenMint {
    /// 256 bits that nobody without the key can guess, with a prefix that secret scanners can know
    /// it by.
    fn token(&self, kind: TokenKind, session: SessionId, generation: u64) -> Secret {
        let (label, prefix) = match kind {
            TokenKind::Access => (b'a', "hya_"),
            TokenKind::Refresh => (b'r', "hyr_"),
        };
        let session = session.0.to_be_bytes();
        let bytes = self.seal(&[&[label], &session, &generation.to_be_bytes()]);
        Secret::new(format!("{prefix}{}", token_from(bytes).reveal()))
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

    #[test]
    fn a_socket_token_says_what_was_sealed_and_nobody_can_change_it() {
        let mint = TokenMint::new([1; 32]);
        let note = (AccountId(3), SessionId(5), Timestamp::from_millis(7));
        let token = mint.socket_token(note.0, note.1, note.2);
        assert_eq!(mint.read_socket_token(token.reveal()), Some(note));
        let bytes = URL_SAFE_NO_PAD.decode(&token.reveal()[4..]).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let changed = format!("hyw_{}", URL_SAFE_NO_PAD.encode(changed));
            assert_eq!(mint.read_socket_token(&changed), None, "byte {at}");
        }
        let other = TokenMint::new([2; 32]);
        let access = mint.token(TokenKind::Access, SessionId(5), 1);
        for (mint, text) in [
            (&other, token.reveal()),
            (&mint, access.reveal()),
            (&mint, ""),
            (&mint, "hyw_"),
            (&mint, "hyw_AAAA"),
            (&mint, "hyw_%"),
        ] {
            assert_eq!(mint.read_socket_token(text), None, "{text}");
        }
    }
}
