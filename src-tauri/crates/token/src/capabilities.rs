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
    /// What zero bytes in a secret do.
    pub zeros: ZeroRule,
    /// The hashes that it knows.
    pub algorithms: &'static [Algorithm],
    /// The numbers of digits that it shows or returns.
    pub digits: &'static [u8],
    /// What becomes of the period.
    pub period: PeriodRule,
    /// Whether and how an entry is named.
    pub name: NameRule,
    /// How many secrets have room.
    pub places: Places,
    /// What has to be opened first.
    pub guard: Guard,
    /// Whether a person has to be there.
    pub presence: Presence,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeriodRule {
    /// The token stores it and takes one of these.
    Stored(&'static [Period]),
    /// The token stores it and takes any of so many seconds.
    Within(RangeInclusive<u32>),
    /// The host keeps it in the entry's name.
    InName,
    /// Nothing stores it: the host gives the step, and other programs assume 30 s.
    HostOnly,
}

/// What zero bytes in a secret do to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZeroRule {
    /// Nothing special.
    Harmless,
    /// A secret of zeros alone means "keep what is there".
    NotAlone,
    /// So many zeros in a row, with something behind them, end the secret.
    NoRunOf(usize),
}

/// Whether a person has to be there for a write or a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// No.
    None,
    /// A touch, when an entry is replaced.
    TouchToReplace,
    /// A press of a button that the token asks for, after the write.
    PressAfter,
    /// A word on the device itself, for the write and for each code.
    ApproveOnDevice,
}

/// How an entry is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// The token holds no name.
    None,
    /// The name is what finds an entry, so it is never cut without a word.
    Entry(EntryName),
    /// A title beside a place, for people; one that is too long is cut.
    Title {
        /// The most bytes in UTF-8.
        most_bytes: usize,
    },
}

/// How a family spells the name of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryName {
    /// The most bytes of the whole name, prefix included.
    pub most_bytes: usize,
    /// Where service and account are fields of their own, the most bytes of each.
    pub fields: Option<(usize, usize)>,
    /// The characters that the token takes.
    pub characters: Characters,
    /// How the period is kept in front.
    pub period: PeriodPrefix,
    /// What stands between service and account.
    pub joint: &'static str,
}

/// The characters of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Characters {
    /// All, in UTF-8.
    Utf8,
    /// ASCII alone; others are transliterated, as the maker's own tool does.
    Ascii,
}

/// How a name begins with its period in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodPrefix {
    /// It does not.
    Never,
    /// `60/`, and nothing for 30 s (yubikey-oath.md section 3).
    SlashUnlessThirty,
    /// `30:`, always (feitian-otp-applet.md A.2).
    ColonAlways,
}

/// How many secrets have room, and what a second one of the same name does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// One secret; writing replaces it.
    Single,
    /// Numbered places; each is told among the entries, in the order in which
    /// they are offered. What a place holds is overwritten without a word.
    Slots {
        /// How many a usual member has.
        count: u16,
    },
    /// Entries by name.
    Named {
        /// The most entries, where it is known.
        most: Option<usize>,
        /// What the token itself does with a name that is taken.
        same_name: SameName,
    },
    /// Entries by name, and the token tells nobody which it has: one of the same
    /// name is changed, which only its own screen says.
    Unlisted,
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
    /// A PIN, without which nothing is written.
    Pin {
        /// Tries that are left, where that is told.
        tries_left: Option<u8>,
    },
    /// A key; the maker's public one is used, once, unless another is given.
    FactoryKey,
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
    /// The token computes for its own clock, which the host sets and reads.
    ReadsClock,
    /// The token types its code like a keyboard when its button is pressed.
    Types,
    /// A person reads it from the token's display.
    Displays,
}
