//! JSON Web Tokens as the providers want them signed (RFC 7515, RFC 7518).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use super::PushKeyError;

/// A key that signs tokens.
pub(super) enum SigningKey {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

impl SigningKey {
    /// Reads a P-256 key from PEM, such as the `.p8` file of Apple.
    pub(super) fn es256(pem: &str) -> Result<Self, PushKeyError> {
        let der = read_pem(pem)?;
        let key = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            der.secret_pkcs8_der(),
            &SystemRandom::new(),
        );
        key.map(Self::Es256).map_err(|_| PushKeyError::NotEs256)
    }

    /// Reads an RSA key from PEM, such as the one of a service account.
    pub(super) fn rs256(pem: &str) -> Result<Self, PushKeyError> {
        let der = read_pem(pem)?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der());
        key.map(Self::Rs256).map_err(|_| PushKeyError::NotRs256)
    }

    /// A token of these claims; `header` gets the algorithm added. `None` when there is no
    /// randomness.
    pub(super) fn sign(&self, mut header: Value, claims: &Value) -> Option<String> {
        header["alg"] = match self {
            Self::Es256(_) => "ES256".into(),
            Self::Rs256(_) => "RS256".into(),
        };
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let random = SystemRandom::new();
        let signature = match self {
            Self::Es256(key) => key.sign(&random, signed.as_bytes()).ok()?.as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(
                    &RSA_PKCS1_SHA256,
                    &random,
                    signed.as_bytes(),
                    &mut signature,
                )
                .ok()?;
                signature
            }
        };
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn read_pem(pem: &str) -> Result<PrivatePkcs8KeyDer<'static>, PushKeyError> {
    PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| PushKeyError::NotPem)
}
