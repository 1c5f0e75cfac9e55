//! A token's own clock: set once, then going at its own rate.

use oath::UnixTime;

/// A clock that showed `showed` at `at` of the world's time and gains `gain_ppm`
/// millionths since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenClock {
    at: UnixTime,
    showed: UnixTime,
    gain_ppm: i32,
}

impl TokenClock {
    /// A clock that agrees with the world.
    pub(crate) const EXACT: Self =
        Self { at: UnixTime::from_secs(0), showed: UnixTime::from_secs(0), gain_ppm: 0 };

    /// A clock that was `ahead_secs` ahead at `at` and gains `gain_ppm` since.
    pub(crate) fn new(at: UnixTime, ahead_secs: i64, gain_ppm: i32) -> Self {
        let showed = at.as_millis().saturating_add_signed(ahead_secs.saturating_mul(1000));
        Self { at, showed: UnixTime::from_millis(showed), gain_ppm }
    }

    /// What it shows at `now` of the world's time.
    pub(crate) fn reads(&self, now: UnixTime) -> UnixTime {
        let elapsed = i128::from(now.as_millis()) - i128::from(self.at.as_millis());
        let gained = elapsed * i128::from(self.gain_ppm) / 1_000_000;
        let shown = i128::from(self.showed.as_millis()) + elapsed + gained;
        UnixTime::from_millis(u64::try_from(shown.max(0)).unwrap_or(u64::MAX))
    }

    /// Sets it; its rate stays what it is.
    pub(crate) fn set(&mut self, now: UnixTime, to: UnixTime) {
        self.at = now;
        self.showed = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_gains_and_can_be_set() {
        let day = 86_400;
        let start = UnixTime::from_secs(1_700_000_000);
        let mut clock = TokenClock::new(start, 5, 10);
        let later = UnixTime::from_secs(1_700_000_000 + 100 * day);
        // 100 days at 10 ppm are 86.4 s.
        assert_eq!(clock.reads(later).seconds_since(later), 5 + 86);
        clock.set(later, later);
        assert_eq!(clock.reads(later), later);
        assert_eq!(TokenClock::EXACT.reads(UnixTime::from_secs(59)), UnixTime::from_secs(59));
    }
}
