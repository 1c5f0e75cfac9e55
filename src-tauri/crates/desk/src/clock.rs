//! What can be said of this computer's clock without a network.

use oath::UnixTime;

/// The earliest time that this program can run at: it was written after it.
const EARLIEST: UnixTime = UnixTime::from_secs(1_792_000_000);

/// A token's clock is 32 bits of seconds on the oldest protocols.
const LATEST: UnixTime = UnixTime::from_secs(u32::MAX as u64);

/// How far the clock can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockDoubt {
    /// It says a time that cannot be.
    Impossible,
    /// Nothing is known about it.
    Unknown,
    /// The system says that it keeps it right.
    Synchronised,
}

/// Weighs what is known about the clock.
pub fn doubt_clock(now: UnixTime, synchronised: bool) -> ClockDoubt {
    if now < EARLIEST || now > LATEST {
        ClockDoubt::Impossible
    } else if synchronised {
        ClockDoubt::Synchronised
    } else {
        ClockDoubt::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_before_this_program_cannot_be() {
        assert_eq!(doubt_clock(UnixTime::from_secs(0), true), ClockDoubt::Impossible);
        let later = UnixTime::from_secs(1_893_456_000);
        assert_eq!(doubt_clock(later, true), ClockDoubt::Synchronised);
        assert_eq!(doubt_clock(later, false), ClockDoubt::Unknown);
    }
}
