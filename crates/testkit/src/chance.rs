//! Chance that a seed replays. Not secret: anyone who sees one value knows the next.

use std::sync::{Mutex, PoisonError};

use hookyard_domain::kernel::ports::Chance;

/// A `SplitMix64` generator: the same seed gives the same values.
#[derive(Debug)]
pub struct SeededChance {
    state: Mutex<u64>,
}

impl SeededChance {
    /// Starts from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self {
            state: Mutex::new(seed),
        }
    }

    /// The next 64 bits.
    pub fn bits(&self) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = *state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let bits = self.bits().to_le_bytes();
            chunk.copy_from_slice(&bits[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays() {
        let draw = |seed| {
            let chance = SeededChance::new(seed);
            let mut bytes = [0; 20];
            chance.fill(&mut bytes);
            (bytes, chance.fraction().to_bits(), chance.below(10))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
