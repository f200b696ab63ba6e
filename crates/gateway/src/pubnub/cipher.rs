//! The encryption that clients of this transport expect: AES-128 in ECB mode with PKCS #7 padding
//! (contract section 7.1). It hides no patterns and proves no origin; it is what they speak.

use aes::Aes128;
use aes::cipher::{Block, BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BLOCK_BYTES: usize = 16;

/// `plain` under a key in Base64, as Base64. `None` when the key is not one of 16 bytes.
pub(super) fn encrypt(plain: &[u8], key: &str) -> Option<String> {
    let key = STANDARD.decode(key).ok()?;
    let cipher = Aes128::new_from_slice(&key).ok()?;
    let padding = BLOCK_BYTES - plain.len() % BLOCK_BYTES;
    let mut bytes = plain.to_vec();
    bytes.resize(
        plain.len() + padding,
        u8::try_from(padding).expect("a block is small"),
    );
    for block in bytes.chunks_exact_mut(BLOCK_BYTES) {
        let block: &mut Block<Aes128> = block.try_into().expect("chunks are blocks");
        cipher.encrypt_block(block);
    }
    Some(STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with: `printf %s '{"uuid":"1"}…' | openssl enc -aes-128-ecb -K … -a -A`.
    #[test]
    fn it_is_what_openssl_makes_of_it() {
        let key = "0mWk/6SMiSz191u2dV5drg==";
        for (plain, encrypted) in [
            ("", "fWcNu08SBjH8MnCCPEp0fg=="),
            ("{\"uuid\":\"1\"}", "kc4hLrIhl8nXpbm8T3z/YA=="),
            (
                "sixteen bytes :)",
                "C1K5OFXNtB4TihE57/RwQX1nDbtPEgYx/DJwgjxKdH4=",
            ),
        ] {
            assert_eq!(encrypt(plain.as_bytes(), key).as_deref(), Some(encrypted));
        }
        assert_eq!(encrypt(b"", "c2hvcnQ="), None);
        assert_eq!(encrypt(b"", "not base64"), None);
    }
}
