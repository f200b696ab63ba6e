//! An app's public keys (RFC 7517): checked when they come, kept as they came.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::kernel::limits::{KEY_ID_CHARS_MAX, KEY_SET_BYTES_MAX, KEYS_MAX, RSA_KEY_BYTES};
use crate::kernel::member::MemberError;

/// Members that only a private key has, or one that is shared.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Public keys of an app, each a JSON Web Key that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeySet(Vec<Map<String, Value>>);

impl KeySet {
    /// Reads the keys of a set. `field` is the member of the request that holds them.
    ///
    /// # Errors
    ///
    /// When there are too many, or one is not a public key of a kind that signs. The error never
    /// tells a key.
    pub fn read(field: &str, keys: Vec<Value>) -> Result<Self, MemberError> {
        if keys.len() > KEYS_MAX {
            let reason = format!("holds at most {KEYS_MAX} keys");
            return Err(MemberError::new(field, reason));
        }
        let mut read: Vec<Map<String, Value>> = Vec::with_capacity(keys.len());
        for (at, key) in keys.into_iter().enumerate() {
            let refused = |reason: String| MemberError::new(format!("{field}[{at}]"), reason);
            let Value::Object(key) = key else {
                return Err(refused("is a JSON Web Key, an object".to_owned()));
            };
            check(&key).map_err(refused)?;
            let id = key.get("kid");
            if id.is_some() && read.iter().any(|other| other.get("kid") == id) {
                return Err(refused("has a `kid` that another key has".to_owned()));
            }
            read.push(key);
        }
        let read = Self(read);
        if read.text_bytes() > KEY_SET_BYTES_MAX {
            let reason = format!("has at most {KEY_SET_BYTES_MAX} bytes in all");
            return Err(MemberError::new(field, reason));
        }
        Ok(read)
    }

    /// Keys that were checked when they came.
    pub const fn checked(keys: Vec<Map<String, Value>>) -> Self {
        Self(keys)
    }

    fn text_bytes(&self) -> usize {
        let text = serde_json::to_string(&self.0).expect("keys are JSON");
        text.len()
    }

    /// Each key as it came.
    pub fn keys(&self) -> &[Map<String, Value>] {
        &self.0
    }
}

/// The bytes of a member in Base64url.
fn bytes(key: &Map<String, Value>, member: &str) -> Result<Vec<u8>, String> {
    let text = key.get(member).and_then(Value::as_str);
    let bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    bytes
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| format!("needs `{member}`, in Base64url without padding"))
}

fn check(key: &Map<String, Value>) -> Result<(), String> {
    if let Some(member) = PRIVATE.iter().find(|name| key.contains_key(**name)) {
        return Err(format!(
            "holds `{member}`, which belongs to a private key: make another key, for this one \
             has been shown, and send its public half"
        ));
    }
    let id = key.get("kid");
    if id.is_some_and(|id| {
        let text = id.as_str().unwrap_or_default();
        text.is_empty() || text.chars().count() > KEY_ID_CHARS_MAX
    }) {
        return Err(format!(
            "has a `kid` of 1 to {KEY_ID_CHARS_MAX} characters, or none"
        ));
    }
    if key.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err("is for signatures: its `use` is `sig`, or is left out".to_owned());
    }
    let curve = key.get("crv").and_then(Value::as_str);
    match key.get("kty").and_then(Value::as_str) {
        Some("RSA") => {
            let modulus = bytes(key, "n")?;
            bytes(key, "e")?;
            if !RSA_KEY_BYTES.contains(&modulus.len()) {
                let bits = |bytes: &usize| bytes * 8;
                return Err(format!(
                    "is an RSA key of {} to {} bits",
                    bits(RSA_KEY_BYTES.start()),
                    bits(RSA_KEY_BYTES.end())
                ));
            }
            Ok(())
        }
        Some("EC") => {
            let length = match curve {
                Some("P-256") => 32,
                Some("P-384") => 48,
                Some("P-521") => 66,
                _ => return Err("is on a curve `crv` of P-256, P-384 or P-521".to_owned()),
            };
            for member in ["x", "y"] {
                if bytes(key, member)?.len() != length {
                    return Err(format!("has an `{member}` of {length} bytes"));
                }
            }
            Ok(())
        }
        Some("OKP") => {
            let length = match curve {
                Some("Ed25519") => 32,
                Some("Ed448") => 57,
                _ => return Err("is on a curve `crv` of Ed25519 or Ed448".to_owned()),
            };
            if bytes(key, "x")?.len() != length {
                return Err(format!("has an `x` of {length} bytes"));
            }
            Ok(())
        }
        _ => Err("has a `kty` of RSA, EC or OKP".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn encoded(length: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![7; length])
    }

    fn complaint(key: Value) -> String {
        match KeySet::read("keys", vec![key]) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn public_keys_of_three_kinds_are_taken_and_kept_as_they_came() {
        let keys = vec![
            json!({"kty": "RSA", "kid": "1", "use": "sig", "n": encoded(256), "e": "AQAB"}),
            json!({"kty": "EC", "crv": "P-256", "x": encoded(32), "y": encoded(32), "alg": "ES256"}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(32)}),
        ];
        let read = KeySet::read("keys", keys.clone()).unwrap();
        let kept: Vec<_> = read.keys().iter().cloned().map(Value::Object).collect();
        assert_eq!(kept, keys);
    }

    #[test]
    fn what_is_private_weak_or_no_key_is_refused() {
        for (key, expect) in [
            (json!(7), "an object"),
            (json!({}), "`kty`"),
            (json!({"kty": "oct", "k": "AQAB"}), "private"),
            (
                json!({"kty": "RSA", "n": encoded(256), "e": "AQAB", "d": "AQ"}),
                "private",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(32), "d": "AQ"}),
                "private",
            ),
            (
                json!({"kty": "RSA", "n": encoded(128), "e": "AQAB"}),
                "2048 to 4096 bits",
            ),
            (
                json!({"kty": "RSA", "n": encoded(513), "e": "AQAB"}),
                "2048 to 4096 bits",
            ),
            (json!({"kty": "RSA", "n": encoded(256)}), "needs `e`"),
            (
                json!({"kty": "EC", "crv": "secp256k1", "x": "AQ", "y": "AQ"}),
                "P-256",
            ),
            (
                json!({"kty": "EC", "crv": "P-256", "x": encoded(32), "y": encoded(31)}),
                "`y` of 32",
            ),
            (
                json!({"kty": "OKP", "crv": "X25519", "x": encoded(32)}),
                "Ed25519",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": "a+/="}),
                "Base64url",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(32), "kid": ""}),
                "`kid`",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(32), "use": "enc"}),
                "signatures",
            ),
        ] {
            let found = complaint(key);
            assert!(found.contains(expect), "{found} has {expect}");
            assert!(found.starts_with("keys[0]"), "{found}");
        }
    }

    #[test]
    fn keys_are_few_small_and_told_apart() {
        let key = |id: usize| json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(32), "kid": id.to_string()});
        assert!(KeySet::read("keys", (0..KEYS_MAX).map(key).collect()).is_ok());
        assert!(KeySet::read("keys", (0..=KEYS_MAX).map(key).collect()).is_err());
        let twice = KeySet::read("keys", vec![key(1), key(1)]).unwrap_err();
        assert_eq!(twice.member, "keys[1]");
        let mut fat = key(1);
        fat["note"] = "x".repeat(KEY_SET_BYTES_MAX).into();
        assert!(KeySet::read("keys", vec![fat]).is_err());
    }
}
