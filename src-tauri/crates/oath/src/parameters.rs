//! Hash, number of digits and period, each a type that cannot be wrong.

use std::fmt;

/// The hash under the HMAC (RFC 6238 section 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// HMAC-SHA-1, 20-byte result; the default of the Key URI.
    Sha1,
    /// HMAC-SHA-256, 32-byte result.
    Sha256,
    /// HMAC-SHA-512, 64-byte result.
    Sha512,
}

impl Algorithm {
    /// Every algorithm, for tables.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The name as people write it, `SHA-1`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Block length of the hash in bytes; HMAC replaces longer keys by their hash (RFC 2104).
    pub const fn block_len(self) -> usize {
        match self {
            Self::Sha1 | Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A number outside the range that a parameter allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} is outside {least}..={most}")]
pub struct OutOfRange {
    /// What was given.
    pub value: u64,
    /// The least allowed.
    pub least: u64,
    /// The most allowed.
    pub most: u64,
}

/// Number of digits of a code, 4 to 10.
///
/// RFC 4226 asks for 6 to 8. Key URIs with 5, 7, 9 and 10 exist
/// (facts/seed-formats.md section 1) and have to be understood to be refused by
/// name; ten digits is the most that a 31-bit number fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digits(u8);

impl Digits {
    /// Six digits, the default of the Key URI.
    pub const SIX: Self = Self(6);
    /// Eight digits.
    pub const EIGHT: Self = Self(8);

    /// Accepts 4 to 10.
    pub fn new(digits: u64) -> Result<Self, OutOfRange> {
        match u8::try_from(digits) {
            Ok(n @ 4..=10) => Ok(Self(n)),
            _ => Err(OutOfRange { value: digits, least: 4, most: 10 }),
        }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The time step X of RFC 6238 section 4.1, in seconds, 1 to 86 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(u32);

impl Period {
    /// 30 seconds, the default.
    pub const S30: Self = Self(30);
    /// 60 seconds.
    pub const S60: Self = Self(60);

    /// Accepts 1 second to one day.
    pub fn new(seconds: u64) -> Result<Self, OutOfRange> {
        match u32::try_from(seconds) {
            Ok(n @ 1..=86_400) => Ok(Self(n)),
            _ => Err(OutOfRange { value: seconds, least: 1, most: 86_400 }),
        }
    }

    /// Seconds.
    pub const fn as_secs(self) -> u32 {
        self.0
    }
}

/// What both sides must agree on besides the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parameters {
    /// The hash.
    pub algorithm: Algorithm,
    /// The number of digits.
    pub digits: Digits,
    /// The period.
    pub period: Period,
}

impl Default for Parameters {
    /// The defaults of the Key URI: SHA-1, 6 digits, 30 seconds.
    fn default() -> Self {
        Self { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::S30 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_kept() {
        assert!(Digits::new(3).is_err());
        assert_eq!(Digits::new(10).map(Digits::get), Ok(10));
        assert!(Digits::new(11).is_err());
        assert!(Period::new(0).is_err());
        assert!(Period::new(86_401).is_err());
        assert_eq!(Period::new(30), Ok(Period::S30));
    }
}
