//! Signatures of Standard Webhooks, as a receiver checks them: written from the standard, not shared
//! with the server.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::wire::Message;

/// One message in so many is checked: the tool shares its cores with what it measures.
pub(crate) const SAMPLED: u32 = 64;

/// The bytes of the secret that every endpoint of a measurement has.
const SECRET: &[u8; 32] = b"a secret of the benchmark's, 32.";

/// The secret as it is given to the server.
pub(crate) fn secret() -> String {
    format!("whsec_{}", STANDARD.encode(SECRET))
}

/// What a receiver found when it checked.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    checked: AtomicU64,
    wrong: AtomicU64,
}

impl Signatures {
    /// Forgets what was checked.
    pub(crate) fn reset(&self) {
        self.checked.store(0, Ordering::Relaxed);
        self.wrong.store(0, Ordering::Relaxed);
    }

    /// Signatures that were checked, and how many of them were missing or wrong.
    pub(crate) fn read(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.checked), read(&self.wrong))
    }

    /// Checks the request when its place in the books is one of those that are sampled.
    pub(crate) fn sample(&self, id: u32, request: &Message<'_>) {
        if !id.is_multiple_of(SAMPLED) {
            return;
        }
        self.checked.fetch_add(1, Ordering::Relaxed);
        if verify(request).is_none() {
            self.wrong.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn verify(request: &Message<'_>) -> Option<()> {
    let id = request.header(b"webhook-id")?;
    let timestamp = request.header(b"webhook-timestamp")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).ok()?;
    for part in [id, b".", timestamp, b".", request.body] {
        mac.update(part);
    }
    let said = str::from_utf8(request.header(b"webhook-signature")?).ok()?;
    said.split(' ')
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .find_map(|signature| mac.clone().verify_slice(&signature).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `evt_1.1700000000.{}`, made with Python's `hmac`.
    const SIGNATURE: &str = "v1,dglr5R9kCUAHcwDoTtIfD3V8lM7sbIzzMMTaOT99bz0=";

    fn checked(signature: &str, body: &[u8]) -> (u64, u64) {
        let head = format!(
            "POST /hook HTTP/1.1\r\nwebhook-id: evt_1\r\nwebhook-timestamp: 1700000000\r\n\
             webhook-signature: {signature}\r\n\r\n"
        );
        let signatures = Signatures::default();
        let request = Message {
            head: head.as_bytes(),
            body,
        };
        signatures.sample(SAMPLED, &request);
        signatures.sample(SAMPLED + 1, &request);
        signatures.read()
    }

    #[test]
    fn a_signature_is_checked_against_id_time_and_body() {
        assert_eq!(checked(SIGNATURE, b"{}"), (1, 0));
        assert_eq!(checked(&format!("v1,AAAA {SIGNATURE}"), b"{}"), (1, 0));
        assert_eq!(checked(SIGNATURE, b"{ }"), (1, 1));
        assert_eq!(checked("", b"{}"), (1, 1));
    }
}
