//! Recoverable secrets at rest: sealed with a key that is not in the database.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hookyard_domain::kernel::ports::Chance;

/// 256 bits that seal and open; kept in a file beside the database, never in it.
#[derive(Clone, Copy)]
pub struct VaultKey(pub [u8; 32]);

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultKey(…)")
    }
}

/// Seals with ChaCha20-Poly1305. `place` binds a ciphertext to its column, so that one cannot be
/// moved into another.
#[derive(Clone)]
pub(crate) struct Vault {
    cipher: ChaCha20Poly1305,
    chance: Arc<dyn Chance>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

const NONCE_BYTES: usize = 12;

impl Vault {
    pub(crate) fn new(key: VaultKey, chance: Arc<dyn Chance>) -> Self {
        Self {
            cipher: ChaCha20Poly1305::new(&Key::from(key.0)),
            chance,
        }
    }

    /// Nonce and ciphertext of `plain`.
    pub(crate) fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        self.chance.fill(&mut nonce);
        let payload = Payload {
            msg: plain,
            aad: place.as_bytes(),
        };
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .expect("messages are far below the cipher's limit");
        [&nonce[..], &sealed].concat()
    }

    /// What was sealed, or `None` when the key or the place is another or the bytes were changed.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload {
            msg: sealed,
            aad: place.as_bytes(),
        };
        self.cipher.decrypt(&Nonce::from(*nonce), payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed;
    impl Chance for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn only_the_same_key_and_place_open_what_was_sealed() {
        let vault = Vault::new(VaultKey([1; 32]), Arc::new(Fixed));
        let sealed = vault.seal("webhook", b"token");
        assert_eq!(
            vault.open("webhook", &sealed).as_deref(),
            Some(&b"token"[..])
        );
        assert_eq!(vault.open("subscription", &sealed), None);
        let other = Vault::new(VaultKey([2; 32]), Arc::new(Fixed));
        assert_eq!(other.open("webhook", &sealed), None);
        assert_eq!(vault.open("webhook", b"short"), None);
    }
}
