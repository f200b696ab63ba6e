//! Inputs that are nearly right: seeds with a few bytes changed, cut, doubled or mixed.

/// What hostile inputs are made of.
const TOKENS: [&[u8]; 24] = [
    b"\0",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\xe2\x80\xae",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\n",
    b"{",
    b"[[[[[[[[",
    b"]",
    b"\"",
    b"\\",
    b"null",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"%00",
    b"%",
    b"*",
    b"~",
    b"..",
    b"://",
    b"![:Person](",
];
/// Changes to one input.
const CHANGES_MAX: usize = 6;
/// Longer inputs are cut: they take time and find nothing more.
const BYTES_MAX: usize = 16 * 1024;

/// Mutations of seeds without end; the same seed makes the same ones.
pub(crate) struct Mutations {
    seeds: Vec<Vec<u8>>,
    state: u64,
}

impl Mutations {
    pub(crate) fn of(seeds: Vec<Vec<u8>>, seed: u64) -> Self {
        Self { seeds, state: seed }
    }

    /// The next number below `end`, by `SplitMix64`.
    fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let end = end.max(1) as u64;
        usize::try_from(mixed % end).expect("it is below a usize")
    }

    fn seed(&mut self) -> Vec<u8> {
        let index = self.below(self.seeds.len());
        self.seeds[index].clone()
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let from = self.below(input.len() + 1);
        let to = (from + self.below(24)).min(input.len());
        match self.below(6) {
            0 => {
                if let Some(byte) = input.get_mut(from) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => {
                input.drain(from..to);
            }
            2 => {
                let doubled = input[from..to].repeat(1 + self.below(16));
                input.splice(from..from, doubled);
            }
            3 => {
                let token = TOKENS[self.below(TOKENS.len())];
                input.splice(from..from, token.iter().copied());
            }
            4 => {
                let other = self.seed();
                let cut = self.below(other.len() + 1);
                input.truncate(from);
                input.extend_from_slice(&other[cut..]);
            }
            _ => input.truncate(from),
        }
        input.truncate(BYTES_MAX);
    }
}

impl Iterator for Mutations {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = self.seed();
        for _ in 0..=self.below(CHANGES_MAX) {
            self.change(&mut input);
        }
        Some(input)
    }
}
