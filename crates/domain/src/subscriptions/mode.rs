//! How events reach a subscriber: the transports, who may use them, and what each needs to know
//! (contract sections 4.2 and 4.4).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::events::event::EventKind;
use crate::identity::app::{Scope, Scopes};
use crate::identity::secret::Secret;
use crate::kernel::ids::{AccountId, SocketId};
use crate::kernel::limits::{
    PUBNUB_TTL, PUSH_TTL_MAX, REGISTRATION_ID_CHARS_MAX, VERIFICATION_TOKEN_CHARS_MAX,
    WEBHOOK_TTL_DEFAULT, WEBHOOK_TTL_MAX, WEBSOCKET_TTL,
};
use crate::subscriptions::address::Address;
use crate::subscriptions::filter::EventFilter;

/// The ways in which events can reach a subscriber, by their names on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TransportType {
    WebHook,
    WebSocket,
    PubNub,
    /// Apple's push service.
    Apns,
    /// Google's push service, by its former name.
    Gcm,
}

impl TransportType {
    /// Every transport.
    pub const ALL: [Self; 5] = [
        Self::WebHook,
        Self::WebSocket,
        Self::PubNub,
        Self::Apns,
        Self::Gcm,
    ];

    /// Name on the wire and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebHook => "WebHook",
            Self::WebSocket => "WebSocket",
            Self::PubNub => "PubNub",
            Self::Apns => "RC/APNS",
            Self::Gcm => "RC/GCM",
        }
    }

    /// The transport with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// What an app needs to subscribe with it.
    pub const fn scope(self) -> Scope {
        match self {
            Self::WebHook => Scope::SubscriptionWebhook,
            Self::WebSocket => Scope::WebSocketsSubscription,
            Self::PubNub => Scope::SubscriptionPubNub,
            Self::Apns => Scope::SubscriptionApns,
            Self::Gcm => Scope::SubscriptionGcm,
        }
    }

    /// How long a subscription is granted for, given what was asked (contract section 4.4): the
    /// default when nothing was, and never longer than the longest.
    pub fn granted(self, asked: Option<Duration>) -> Duration {
        let (default, longest) = match self {
            Self::WebHook => (WEBHOOK_TTL_DEFAULT, WEBHOOK_TTL_MAX),
            // What is asked is ignored: it lives as long as its session.
            Self::WebSocket => return WEBSOCKET_TTL,
            Self::PubNub => (PUBNUB_TTL, PUBNUB_TTL),
            Self::Apns | Self::Gcm => (WEBHOOK_TTL_DEFAULT, PUSH_TTL_MAX),
        };
        asked.unwrap_or(default).min(longest)
    }
}

/// Whose push service brings events to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PushProvider {
    Apns,
    Gcm,
}

/// How events reach the subscriber, and what that needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryMode {
    WebHook {
        /// Absolute `http` or `https` URL in canonical form.
        address: String,
        /// Sent as `Verification-Token` with the handshake and every event.
        verification_token: Option<Secret>,
    },
    /// Lives in memory, as long as its session.
    WebSocket { socket: SocketId },
    PubNub {
        /// Nobody who does not know it can listen.
        channel: String,
        /// Base64 of the AES key that messages are encrypted with.
        encryption_key: Option<Secret>,
    },
    Push {
        provider: PushProvider,
        /// The device's token at its provider.
        registration_id: String,
        /// Which of the configured certificates, or keys, stands for the device's app.
        certificate_name: String,
    },
}

impl DeliveryMode {
    /// Its name.
    pub const fn transport(&self) -> TransportType {
        match self {
            Self::WebHook { .. } => TransportType::WebHook,
            Self::WebSocket { .. } => TransportType::WebSocket,
            Self::PubNub { .. } => TransportType::PubNub,
            Self::Push {
                provider: PushProvider::Apns,
                ..
            } => TransportType::Apns,
            Self::Push {
                provider: PushProvider::Gcm,
                ..
            } => TransportType::Gcm,
        }
    }

    /// The URL that events are sent to, where there is one.
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::WebHook { address, .. } => Some(address),
            _ => None,
        }
    }

    /// Whether events are sent to it, each as a delivery with attempts. The others fetch theirs.
    pub const fn is_sent_to(&self) -> bool {
        matches!(self, Self::WebHook { .. } | Self::Push { .. })
    }
}

/// Why events cannot reach a subscriber as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModeError {
    /// The app may not use the transport, or the server does not have it.
    #[error("the transport is not permitted")]
    NotPermitted(TransportType),
    /// Only a WebSocket session can ask for its own events.
    #[error("events of a WebSocket subscription would have nowhere to go")]
    NoSocket,
    #[error("the address is not one that could be called")]
    BadAddress(String),
    #[error("the address is not https")]
    HttpsRequired,
    #[error("the verification token is not a header's value")]
    BadVerificationToken,
    #[error("no certificate has this name")]
    UnknownCertificate(String),
    #[error("the registration id is not one of a device")]
    BadRegistration,
}

impl TransportType {
    /// Whether an app with `scopes` may subscribe with it; `offered` tells whether the server has it.
    ///
    /// # Errors
    ///
    /// When not.
    pub const fn permit(self, scopes: Scopes, offered: bool) -> Result<(), ModeError> {
        if offered && scopes.allow(self.scope()) {
            return Ok(());
        }
        Err(ModeError::NotPermitted(self))
    }
}

impl DeliveryMode {
    /// A webhook at an address that could be called; `plain` lets it be `http`. An empty
    /// verification token is none.
    ///
    /// # Errors
    ///
    /// When the address or the token is not one.
    pub fn web_hook(
        address: &str,
        verification_token: Option<String>,
        plain: bool,
    ) -> Result<Self, ModeError> {
        let parsed = Address::parse(address);
        let parsed = parsed.map_err(|_| ModeError::BadAddress(address.to_owned()))?;
        if !parsed.is_secure() && !plain {
            return Err(ModeError::HttpsRequired);
        }
        let token = verification_token.filter(|token| !token.is_empty());
        if token.as_deref().is_some_and(|token| !is_header(token)) {
            return Err(ModeError::BadVerificationToken);
        }
        Ok(Self::WebHook {
            address: parsed.as_str().to_owned(),
            verification_token: token.map(Secret::new),
        })
    }

    /// A channel of its own, encrypted when that is `asked`. Presence always is (contract 4.2).
    /// The random bytes are the channel's name, which is all that keeps strangers from listening,
    /// and the key.
    pub fn pub_nub(
        account: AccountId,
        filters: &[EventFilter],
        asked: bool,
        (name, key): ([u8; 16], [u8; 16]),
    ) -> Self {
        let presence = |filter: &EventFilter| {
            matches!(filter.kind(), EventKind::Presence | EventKind::PresenceLine)
        };
        let encrypted = asked || filters.iter().any(presence);
        Self::PubNub {
            channel: format!("{account}_{:032x}", u128::from_be_bytes(name)),
            encryption_key: encrypted.then(|| Secret::new(STANDARD.encode(key))),
        }
    }

    /// A device, by one of the `configured` certificates.
    ///
    /// # Errors
    ///
    /// When there is no such certificate, or the registration id is not a plain word.
    pub fn push(
        provider: PushProvider,
        certificate_name: String,
        registration_id: String,
        configured: &[(PushProvider, String)],
    ) -> Result<Self, ModeError> {
        let known =
            |(of, name): &(PushProvider, String)| *of == provider && *name == certificate_name;
        if !configured.iter().any(known) {
            return Err(ModeError::UnknownCertificate(certificate_name));
        }
        // It becomes part of a path at the provider.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_:.".contains(&b);
        if registration_id.is_empty()
            || registration_id.len() > REGISTRATION_ID_CHARS_MAX
            || !registration_id.bytes().all(plain)
        {
            return Err(ModeError::BadRegistration);
        }
        Ok(Self::Push {
            provider,
            registration_id,
            certificate_name,
        })
    }
}

/// Whether a verification token can be sent as a header's value.
fn is_header(token: &str) -> bool {
    token.len() <= VERIFICATION_TOKEN_CHARS_MAX && token.bytes().all(|b| (b' '..=b'~').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_clamped() {
        let day = Duration::from_secs(86_400);
        let years = Some(Duration::from_secs(630_720_000));
        for (transport, default, longest) in [
            (TransportType::WebHook, 7 * day, 3_650 * day),
            (
                TransportType::PubNub,
                Duration::from_secs(900),
                Duration::from_secs(900),
            ),
            (TransportType::WebSocket, day, day),
            (TransportType::Apns, 7 * day, 90 * day),
            (TransportType::Gcm, 7 * day, 90 * day),
        ] {
            assert_eq!(transport.granted(None), default, "{transport:?}");
            assert_eq!(transport.granted(years), longest, "{transport:?}");
        }
        let minute = Duration::from_secs(60);
        assert_eq!(TransportType::WebHook.granted(Some(minute)), minute);
    }

    #[test]
    fn transports_are_read_by_their_names() {
        for transport in TransportType::ALL {
            assert_eq!(TransportType::from_name(transport.name()), Some(transport));
        }
    }

    #[test]
    fn a_transport_needs_its_scope_and_a_server_that_has_it() {
        let webhooks: Scopes = [Scope::SubscriptionWebhook].into_iter().collect();
        let (hook, apns) = (TransportType::WebHook, TransportType::Apns);
        assert_eq!(hook.permit(webhooks, true), Ok(()));
        assert_eq!(
            apns.permit(webhooks, true),
            Err(ModeError::NotPermitted(apns))
        );
        let refused = Err(ModeError::NotPermitted(hook));
        assert_eq!(hook.permit(webhooks, false), refused);
    }

    #[test]
    fn a_webhook_needs_a_secure_address_and_a_token_that_is_a_header() {
        let https = "https://example.com/";
        let long = "t".repeat(VERIFICATION_TOKEN_CHARS_MAX + 1);
        for (address, token, plain, expect) in [
            (https, "", false, None),
            (https, "token", false, None),
            ("http://example.com/", "", true, None),
            (
                "http://example.com/",
                "",
                false,
                Some(ModeError::HttpsRequired),
            ),
            (
                "ftp://a/",
                "",
                true,
                Some(ModeError::BadAddress("ftp://a/".to_owned())),
            ),
            (https, "tö", false, Some(ModeError::BadVerificationToken)),
            (https, &long, false, Some(ModeError::BadVerificationToken)),
        ] {
            let mode = DeliveryMode::web_hook(address, Some(token.to_owned()), plain);
            assert_eq!(mode.err(), expect, "{address} {token}");
        }
    }

    #[test]
    fn presence_is_always_encrypted() {
        let encrypted = |path: &str, asked| {
            let filter = EventFilter::read(path).unwrap();
            let random = ([1; 16], [2; 16]);
            match DeliveryMode::pub_nub(AccountId(9), &[filter], asked, random) {
                DeliveryMode::PubNub { encryption_key, .. } => encryption_key.is_some(),
                other => panic!("{other:?}"),
            }
        };
        assert!(encrypted(
            "/restapi/v1.0/account/9/extension/1/presence",
            false
        ));
        assert!(encrypted("/restapi/v1.0/glip/posts", true));
        assert!(!encrypted("/restapi/v1.0/glip/posts", false));
    }

    #[test]
    fn a_device_needs_a_certificate_and_a_plain_id() {
        let configured = [(PushProvider::Gcm, "app".to_owned())];
        let push = |provider, certificate: &str, id: &str| {
            let (certificate, id) = (certificate.to_owned(), id.to_owned());
            DeliveryMode::push(provider, certificate, id, &configured).err()
        };
        let unknown = Some(ModeError::UnknownCertificate("app".to_owned()));
        assert_eq!(push(PushProvider::Gcm, "app", "abc:1-2_3."), None);
        assert_eq!(push(PushProvider::Apns, "app", "abc"), unknown);
        for id in ["", "a/b", &"a".repeat(REGISTRATION_ID_CHARS_MAX + 1)] {
            assert_eq!(
                push(PushProvider::Gcm, "app", id),
                Some(ModeError::BadRegistration)
            );
        }
    }
}
