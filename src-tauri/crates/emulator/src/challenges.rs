//! Challenges of emulated tokens: repeatable, so that a test that fails once
//! fails again, or fixed, for the sheets' vectors. Not secure, and need not be.

/// Where a token's challenges come from.
pub(crate) enum Challenges {
    /// The same each time.
    Fixed([u8; 8]),
    /// The numbers that follow from a seed (`SplitMix64`).
    Seeded(u64),
}

impl Challenges {
    /// The next challenge.
    pub(crate) fn next(&mut self) -> [u8; 8] {
        match self {
            Self::Fixed(challenge) => *challenge,
            Self::Seeded(state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut mixed = *state;
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (mixed ^ (mixed >> 31)).to_be_bytes()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_challenges_again() {
        let (mut a, mut b) = (Challenges::Seeded(7), Challenges::Seeded(7));
        assert_eq!(a.next(), b.next());
        assert_ne!(a.next(), a.next());
    }
}
