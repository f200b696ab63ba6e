//! Chance from the operating system.

use hookyard_domain::kernel::ports::Chance;

/// The operating system's generator; fit for secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsChance;

impl Chance for OsChance {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has random bytes");
    }
}
