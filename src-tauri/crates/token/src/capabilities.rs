//! What a token can do, as data. Compared with a wish in one place, `plan.rs`.

use std::ops::RangeInclusive;

use oath::{Algorithm, Period};

/// The limits and rules of one token, as its session found them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether it is written to at all.
    pub access: Access,
    /// Length of the secret in bytes that the token takes.
    pub secret: RangeInclusive<usize>,
    /// Whether a secret longer than the hash's block may be replaced by its hash
    /// (RFC 2104 makes both the same key).
    pub long_secret_hashed: bool,
    /// The hashes that it knows.
    pub algorithms: &'static [Algorithm],
    /// The numbers of digits that it shows or returns.
    pub digits: RangeInclusive<u8>,
    /// What becomes of the period.
    pub period: PeriodRule,
    /// Whether and how an entry is named.
    pub name: NameRule,
    /// How many secrets have room.
    pub places: Places,
    /// What has to be opened first.
    pub guard: Guard,
    /// Its clock.
    pub clock: ClockRule,
    /// How its next code is checked.
    pub proof: ProofClass,
}

/// Whether a token is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is.
    Writable,
    /// It is read, and the reason it is not written to.
    ReadOnly(ReadOnlyReason),
}

/// Why a token is only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOnlyReason {
    /// The serial number's prefix belongs to no model that is known.
    UnknownModel,
}

/// What becomes of the period of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodRule {
    /// The token stores it and takes one of these.
    Stored(&'static [Period]),
    /// The host keeps it in the entry's name.
    InName,
}

/// How an entry is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// The token holds no name.
    None,
    /// `[period/]issuer:account` in UTF-8, the period only when it is not 30 s
    /// (yubikey-oath.md section 3).
    IssuerAccount {
        /// The most bytes of the whole name.
        most_bytes: usize,
    },
}

/// How many secrets have room and what a second one of the same name does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// One secret; writing replaces it.
    Single,
    /// Entries by name.
    Named {
        /// The most entries, where it is known.
        most: Option<usize>,
        /// What the token itself does with a name that is taken.
        same_name: SameName,
    },
}

/// What a token does with a name that is taken. Neither is relied upon: the
/// names are listed first, and a replacement is a deletion and a new entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameName {
    /// Overwrites without a word.
    Overwrites,
    /// Refuses.
    Refuses,
    /// Overwrites, and takes an entry whose name only begins with this one for it.
    MixesUpPrefixes,
}

/// What has to be opened before reading names or writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing. A key that is the same for all tokens and public guards nothing.
    None,
    /// A password, and it is set on this token.
    Password,
}

/// The token's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockRule {
    /// It has none; the host gives the time with each question.
    None,
    /// It is set with every write.
    SetOnWrite {
        /// Whether setting it erases the secret that was there.
        erases_secret: bool,
    },
}

/// How the next code is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofClass {
    /// The token computes for any step that it is asked for.
    Computes,
    /// A person reads it from the token's display.
    Displays,
}
