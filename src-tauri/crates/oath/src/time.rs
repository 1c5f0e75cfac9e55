//! Points in time and time steps (RFC 6238 section 4).

use std::time::Duration;

use crate::Period;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From whole seconds since 1970.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// From milliseconds since 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Seconds from `other` to `self`, rounded toward zero; positive when `self` is later.
    pub fn seconds_since(self, other: Self) -> i64 {
        let difference = i128::from(self.0) - i128::from(other.0);
        i64::try_from(difference / 1000).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
    }

    /// This point moved by a duration into the future.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The time step T = floor(time / X) with T0 = 0 (RFC 6238 section 4.2).
    pub fn step(self, period: Period) -> TimeStep {
        TimeStep(self.as_secs() / u64::from(period.as_secs()))
    }
}

/// A time step T of RFC 6238: the moving factor that is signed, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeStep(pub u64);

impl TimeStep {
    /// The eight bytes that are signed, big-endian (RFC 4226 section 5.1).
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// The step that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The step `by` steps away; saturates at the ends of the number range.
    #[must_use]
    pub const fn offset(self, by: i64) -> Self {
        Self(self.0.saturating_add_signed(by))
    }

    /// When this step begins.
    pub const fn begins(self, period: Period) -> UnixTime {
        UnixTime::from_secs(self.0.saturating_mul(period.as_secs() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_count_whole_periods() {
        let period = Period::S30;
        assert_eq!(UnixTime::from_millis(29_999).step(period), TimeStep(0));
        assert_eq!(UnixTime::from_secs(30).step(period), TimeStep(1));
        assert_eq!(TimeStep(2).begins(period), UnixTime::from_secs(60));
        assert_eq!(TimeStep(0).offset(-1), TimeStep(0));
    }

    #[test]
    fn differences_have_a_sign() {
        let (a, b) = (UnixTime::from_secs(100), UnixTime::from_secs(160));
        assert_eq!(b.seconds_since(a), 60);
        assert_eq!(a.seconds_since(b), -60);
    }
}
