//! Signatures of deliveries by Standard Webhooks 1.0, with shared secrets: HMAC-SHA256 over the
//! message's id, the second of the attempt, and the bytes of the body.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::Zeroizing;

use crate::identity::secret::Secret;
use crate::kernel::limits::{
    SIGNATURE_HEADER_CHARS_MAX, SIGNING_SECRET_BYTES_MAX, SIGNING_SECRET_BYTES_MIN,
};

/// How secrets begin, so that scanners know them.
const PREFIX: &str = "whsec_";
/// How symmetric signatures begin.
const VERSION: &str = "v1,";
/// Secrets are pasted with and without the padding at their end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a text or bytes are not a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a signing secret: use `whsec_` and the Base64 of {SIGNING_SECRET_BYTES_MIN} to {SIGNING_SECRET_BYTES_MAX} random bytes"
)]
pub struct SigningSecretError;

/// What an endpoint and its receiver share: [`SIGNING_SECRET_BYTES_MIN`] to
/// [`SIGNING_SECRET_BYTES_MAX`] bytes. Does not print, compares in constant time, and is wiped when
/// dropped.
#[derive(Clone)]
pub struct SigningSecret(Zeroizing<Vec<u8>>);

impl SigningSecret {
    /// Reads Base64, with `whsec_` before it or without.
    ///
    /// # Errors
    ///
    /// When it is not Base64 or has too few or too many bytes. The error does not tell the text.
    pub fn parse(text: &str) -> Result<Self, SigningSecretError> {
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = LENIENT.decode(encoded).map(Zeroizing::new);
        Self::checked(bytes.map_err(|_| SigningSecretError)?)
    }

    /// Takes bytes as they are.
    ///
    /// # Errors
    ///
    /// When they are too few or too many.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SigningSecretError> {
        Self::checked(Zeroizing::new(bytes.to_vec()))
    }

    /// A new secret of 32 random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    fn checked(bytes: Zeroizing<Vec<u8>>) -> Result<Self, SigningSecretError> {
        if (SIGNING_SECRET_BYTES_MIN..=SIGNING_SECRET_BYTES_MAX).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(SigningSecretError)
        }
    }

    /// `whsec_` and Base64: what its owner is shown.
    pub fn text(&self) -> Secret {
        let encoded = Zeroizing::new(STANDARD.encode(&*self.0));
        Secret::new(format!("{PREFIX}{}", &*encoded))
    }

    /// The signature of a message that is sent at `timestamp_s`, in seconds since 1970:
    /// `v1,<base64>`.
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(id.as_bytes());
        mac.update(format!(".{timestamp_s}.").as_bytes());
        mac.update(body);
        format!("{VERSION}{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

impl PartialEq for SigningSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SigningSecret {}

/// The header `webhook-signature`: a signature with each of `secrets`, in their order, so that a
/// receiver can change its secret while both are good.
pub fn signature_header<'a>(
    secrets: impl IntoIterator<Item = &'a SigningSecret>,
    id: &str,
    timestamp_s: i64,
    body: &[u8],
) -> String {
    let signatures = secrets.into_iter();
    let signatures: Vec<String> = signatures
        .map(|secret| secret.sign(id, timestamp_s, body))
        .collect();
    signatures.join(" ")
}

/// Whether `header` has a signature of the message with one of `secrets`. Takes the same time
/// whichever it is, and wherever a wrong one differs. How old the message may be is for the caller
/// to say.
pub fn verify<'a>(
    header: &str,
    id: &str,
    timestamp_s: i64,
    body: &[u8],
    secrets: impl IntoIterator<Item = &'a SigningSecret>,
) -> bool {
    if header.len() > SIGNATURE_HEADER_CHARS_MAX {
        return false;
    }
    let mut verified = Choice::from(0);
    for secret in secrets {
        let expected = secret.sign(id, timestamp_s, body);
        for given in header.split(' ') {
            verified |= expected.as_bytes().ct_eq(given.as_bytes());
        }
    }
    verified.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The message that the specification's libraries are tested with.
    const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP_S: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret(byte: u8) -> SigningSecret {
        SigningSecret::from_random([byte; 32])
    }

    #[test]
    fn the_reference_message_has_the_reference_signature() {
        for text in [SECRET.to_owned(), format!("{PREFIX}{SECRET}")] {
            let secret = SigningSecret::parse(&text).unwrap();
            assert_eq!(secret.sign(ID, TIMESTAMP_S, BODY), SIGNATURE);
            assert!(verify(SIGNATURE, ID, TIMESTAMP_S, BODY, [&secret]));
        }
    }

    #[test]
    fn a_secret_has_24_to_64_bytes() {
        for (length, expect) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
            let bytes = vec![7; length];
            assert_eq!(
                SigningSecret::from_bytes(&bytes).is_ok(),
                expect,
                "{length}"
            );
            let text = format!("{PREFIX}{}", STANDARD.encode(&bytes));
            assert_eq!(SigningSecret::parse(&text).is_ok(), expect, "{length}");
        }
    }

    #[test]
    fn a_secret_is_base64_with_or_without_padding() {
        let text = secret(0xfb).text().reveal().to_owned();
        assert!(text.ends_with('='));
        let unpadded = text.trim_end_matches('=');
        assert_eq!(SigningSecret::parse(unpadded), Ok(secret(0xfb)));
        for text in [
            "whsec_",
            "whsec_not base64 at all, not at all!!",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_",
            "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert_eq!(
                SigningSecret::parse(text),
                Err(SigningSecretError),
                "{text}"
            );
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", secret(1)), "SigningSecret(…)");
        assert_eq!(format!("{:?}", secret(1).text()), "…");
    }

    #[test]
    fn each_live_secret_signs() {
        let (old, new) = (secret(1), secret(2));
        let header = signature_header([&new, &old], ID, TIMESTAMP_S, BODY);
        let expect = [
            new.sign(ID, TIMESTAMP_S, BODY),
            old.sign(ID, TIMESTAMP_S, BODY),
        ];
        assert_eq!(header, expect.join(" "));
        for known in [&old, &new] {
            assert!(verify(&header, ID, TIMESTAMP_S, BODY, [known]));
        }
        assert!(verify(&header, ID, TIMESTAMP_S, BODY, [&secret(3), &old]));
        assert!(!verify(&header, ID, TIMESTAMP_S, BODY, [&secret(3)]));
        assert!(!verify(&header, ID, TIMESTAMP_S, BODY, []));
    }

    #[test]
    fn other_versions_stand_beside_ours_and_are_not_believed() {
        let secret = SigningSecret::parse(SECRET).unwrap();
        let bare = SIGNATURE.trim_start_matches(VERSION);
        for (header, expect) in [
            (format!("v1a,AAAA {SIGNATURE}"), true),
            (format!("{SIGNATURE} v2,AAAA"), true),
            (format!("v2,{bare}"), false),
            (format!("V1,{bare}"), false),
            (bare.to_owned(), false),
            (SIGNATURE.trim_end_matches('=').to_owned(), false),
            (format!("{SIGNATURE},"), false),
            (String::new(), false),
            (" ".to_owned(), false),
        ] {
            let verified = verify(&header, ID, TIMESTAMP_S, BODY, [&secret]);
            assert_eq!(verified, expect, "{header}");
        }
    }

    #[test]
    fn a_header_of_more_than_4096_characters_is_not_read() {
        let secret = SigningSecret::parse(SECRET).unwrap();
        let padded = |length: usize| format!("{SIGNATURE:<length$}");
        let verified = |header: &str| verify(header, ID, TIMESTAMP_S, BODY, [&secret]);
        assert!(verified(&padded(SIGNATURE_HEADER_CHARS_MAX)));
        assert!(!verified(&padded(SIGNATURE_HEADER_CHARS_MAX + 1)));
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies_and_nothing_else(
            key in prop::collection::vec(any::<u8>(), 24..=64),
            id in "[a-z0-9_]{1,40}",
            timestamp_s in any::<i64>(),
            body in prop::collection::vec(any::<u8>(), 0..200),
            flipped in any::<prop::sample::Index>(),
        ) {
            let secret = SigningSecret::from_bytes(&key).unwrap();
            let header = secret.sign(&id, timestamp_s, &body);
            prop_assert!(verify(&header, &id, timestamp_s, &body, [&secret]));
            prop_assert!(!verify(&header, &id, timestamp_s ^ 1, &body, [&secret]));
            let other_id = format!("{id}x");
            prop_assert!(!verify(&header, &other_id, timestamp_s, &body, [&secret]));
            let mut other = body.clone();
            other.push(0);
            prop_assert!(!verify(&header, &id, timestamp_s, &other, [&secret]));
            let mut other_key = key.clone();
            other_key[flipped.index(key.len())] ^= 1;
            let other = SigningSecret::from_bytes(&other_key).unwrap();
            prop_assert!(!verify(&header, &id, timestamp_s, &body, [&other]));
        }

        #[test]
        fn a_secret_is_its_text(key in prop::collection::vec(any::<u8>(), 24..=64)) {
            let secret = SigningSecret::from_bytes(&key).unwrap();
            prop_assert_eq!(SigningSecret::parse(secret.text().reveal()), Ok(secret));
        }

        #[test]
        fn no_text_makes_reading_panic(text in ".{0,100}", header in ".{0,100}") {
            let _ = SigningSecret::parse(&text);
            prop_assert!(!verify(&header, &text, 0, b"", [&secret(1)]));
        }
    }
}
