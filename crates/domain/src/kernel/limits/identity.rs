//! Bounds of who is let in: sessions, apps and credentials.

use std::ops::RangeInclusive;
use std::time::Duration;

/// An exchanged refresh token stays good this long once its successor was used (contract 1.4).
pub const REFRESH_GRACE_USED: Duration = Duration::from_secs(10);
/// The same while the successor is unused.
pub const REFRESH_GRACE_UNUSED: Duration = Duration::from_secs(3_600);
/// Access tokens live an hour at most (contract 1.1).
pub const ACCESS_TOKEN_TTL_MAX: Duration = Duration::from_secs(3_600);
pub const ACCESS_TOKEN_TTL_MIN: Duration = Duration::from_secs(600);
pub const REFRESH_TOKEN_TTL_DEFAULT: Duration = Duration::from_secs(604_800);
pub const REFRESH_TOKEN_TTL_MAX: Duration = Duration::from_secs(2_592_000);
/// Parallel sessions of one person and app; one more ends the oldest (contract 1.4).
pub const SESSIONS_MAX: usize = 5;
/// What a client calls its device; longer names give way to one of ours.
pub const DEVICE_ID_CHARS_MAX: usize = 64;
/// A one-time sign-in link is for the person who just started the server.
pub const SIGN_IN_CODE_TTL: Duration = Duration::from_secs(24 * 3_600);

/// Apps of an account; people make one for each program.
pub const APPS_MAX: u32 = 100;
pub const APP_NAME_CHARS_MAX: usize = 100;
/// Secrets of one app: the one in use, and the one that takes its place.
pub const APP_SECRETS_MAX: usize = 2;
pub const REDIRECT_URIS_MAX: usize = 10;
pub const REDIRECT_URI_CHARS_MAX: usize = 1_024;
/// Public keys of one app: some in use, some that take their place.
pub const KEYS_MAX: usize = 10;
/// All keys of one app, as JSON.
pub const KEY_SET_BYTES_MAX: usize = 16 * 1_024;
pub const KEY_ID_CHARS_MAX: usize = 256;
/// Bytes of an RSA modulus: less is weak, more costs us time for each signature.
pub const RSA_KEY_BYTES: RangeInclusive<usize> = 256..=512;
/// Credentials of one person that are good at a time.
pub const CREDENTIALS_MAX: u32 = 50;
/// Credentials of one person, with those that were revoked or have run out.
pub const CREDENTIALS_KEPT_MAX: u32 = 250;
pub const CREDENTIAL_NAME_CHARS_MAX: usize = 100;
/// When a secret or token was used last is noted so often at most.
pub const USE_NOTED_EVERY: Duration = Duration::from_secs(60);
