//! Seeded choices, so that a failing script can be replayed.

use std::hash::{BuildHasher, RandomState};

/// `SplitMix64`: small, and good enough for choosing faults.
#[derive(Debug)]
pub(crate) struct Chance(u64);

/// The seed asked for, or a fresh one.
#[expect(
    clippy::disallowed_methods,
    reason = "replaying a seed is asked for from outside, and only of this test"
)]
pub(crate) fn seed() -> u64 {
    let asked = std::env::var("HOOKYARD_CRASH_SEED").ok();
    asked.map_or_else(
        || RandomState::new().hash_one("seed") % 1_000_000,
        |seed| seed.parse().expect("HOOKYARD_CRASH_SEED is a number"),
    )
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Independent choices for another thread.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True with this probability.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        let thousandths = u32::try_from(self.below(1_000)).expect("below 1,000");
        f64::from(thousandths) < probability * 1_000.0
    }
}
