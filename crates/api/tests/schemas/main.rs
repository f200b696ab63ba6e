//! JSON Schema as the domain's port promises it: of the catalogue, and of what accounts register.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod catalogue;
mod published;
mod registered;
