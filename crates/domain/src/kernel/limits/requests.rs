//! Limits of what requests bring, and of what is remembered of those with a key.

use std::time::Duration;

/// JSON bodies of the API; the largest documented field is a note of 1 MiB.
pub const API_BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Bodies of sign-in and token requests, which anybody may send.
pub const SIGN_IN_BODY_BYTES_MAX: usize = 64 * 1024;
/// Memory for all bodies that are being read: past it, senders are told to come back.
pub const BODIES_BYTES_MAX: usize = 256 * 1024 * 1024;
/// What a body takes of it at a time; the first step of each body is free.
pub const BODY_STEP_BYTES: usize = 16 * 1024;

/// How long a repeat with the same key gets the answer of the first request.
pub const FIRST_REQUESTS_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// First requests remembered of one caller, the newest.
pub const FIRST_REQUESTS_MAX: u32 = 5_000;
/// Bytes of the answers to them, sealed.
pub const FIRST_REQUESTS_BYTES_MAX: u32 = 32 * 1024 * 1024;
/// Bytes of one answer that is kept for repeats. A request whose answer is longer is refused.
pub const FIRST_ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Length of a request's key.
pub const REQUEST_KEY_BYTES_MAX: usize = 255;
