//! Closed tokens: those that only their maker's tool can write.
//!
//! How they are written is not public, so no secret is ever sent to one. What is
//! known of them is data: the maker's tool, the form in which that tool takes a
//! secret, its steps, and the limits. Each fact has its tag from
//! `docs/protocols/closed-tokens.md`, and what no source tells is `None`, never a
//! guess. Tokens whose secret is fixed at the factory are not here: nothing can be
//! written to them.

use std::ops::RangeInclusive;

use oath::{Algorithm, Period};

use crate::{
    Access, Capabilities, ClockRule, Guard, NameRule, PeriodRule, Places, Presence, ProofClass,
    ZeroRule,
};

/// Every closed model, by maker.
pub static CLOSED: &[ClosedModel] = &[
    ClosedModel {
        code: "deepnet-safeid-diamond",
        maker: "Deepnet Security",
        model: "SafeID/Diamond",
        tool: Some("Deepnet SafeID Programmer (Windows, Android, iPhone)"),
        forms: &[SeedForm::Base32, SeedForm::KeyUriQr],
        steps: SAFEID,
        secret: None,
        algorithms: None,
        digits: Some(documented(SIX)),
        periods: None,
        public: None,
        source: "wiki.deepnetsecurity.com, \"SafeID Programmer for Windows\"",
    },
    ClosedModel {
        code: "deepnet-safeid-pro",
        maker: "Deepnet Security",
        model: "SafeID/Pro",
        tool: Some("Deepnet SafeID Programmer (Windows, Android, iPhone)"),
        forms: &[SeedForm::Base32, SeedForm::KeyUriQr],
        steps: SAFEID,
        secret: None,
        algorithms: None,
        digits: Some(documented(SIX)),
        periods: None,
        public: None,
        source: "wiki.deepnetsecurity.com, \"SafeID Programmer for Windows\"",
    },
    ClosedModel {
        code: "deepnet-safeid-pinpad",
        maker: "Deepnet Security",
        model: "SafeID/PinPad",
        tool: Some("Deepnet SafeID Programmer (Windows)"),
        forms: &[SeedForm::Base32],
        steps: &[
            "safeid-seed",
            "safeid-reader",
            "safeid-pinpad-mode",
            "safeid-pinpad-slot",
            "safeid-sync",
            "safeid-burn",
        ],
        secret: None,
        algorithms: None,
        digits: None,
        periods: None,
        public: None,
        source: "wiki.deepnetsecurity.com, \"SafeID PinPad - Program a Token\"",
    },
    ClosedModel {
        code: "feitian-nfc-otp",
        maker: "Feitian",
        model: "NFC OTP tokens and cards (c200 NFC and similar)",
        tool: Some("CardOTPTool (Windows)"),
        forms: &[SeedForm::Base32],
        steps: &["feitian-place", "feitian-seed", "feitian-program"],
        secret: None,
        algorithms: None,
        digits: None,
        periods: None,
        public: None,
        source: "ftsafe.us, \"Programming NFC OTP tokens and cards on Windows OS\"",
    },
    ClosedModel {
        code: "protectimus-slim-nfc",
        maker: "Protectimus",
        model: "Slim NFC",
        tool: Some("Protectimus TOTP Burner (Android)"),
        forms: &[SeedForm::Base32],
        steps: &["protectimus-app", MANUAL],
        secret: Some(documented(10..=20)),
        algorithms: Some(inferred(SHA1)),
        digits: Some(documented(SIX)),
        periods: Some(documented(THIRTY_OR_SIXTY)),
        public: Some(PublicPart::ProtectimusSlim),
        source: "protectimus.com, \"TOTP Tokens Protectimus Slim NFC: FAQ\" and terms",
    },
    ClosedModel {
        code: "protectimus-flex",
        maker: "Protectimus",
        model: "Flex",
        tool: Some("Protectimus TOTP Burner (Android)"),
        forms: &[SeedForm::Base32],
        steps: &["protectimus-app", MANUAL],
        // At most 32 base32 characters; the least is that of the Slim NFC.
        secret: Some(inferred(10..=20)),
        algorithms: Some(inferred(SHA1)),
        digits: Some(inferred(SIX)),
        periods: Some(inferred(THIRTY_OR_SIXTY)),
        public: None,
        source: "protectimus.com, \"Programmable TOTP token Protectimus Flex\" and terms",
    },
    ClosedModel {
        code: "reiner-sct-authenticator",
        maker: "Reiner SCT",
        model: "Authenticator",
        tool: Some("its own camera"),
        forms: &[SeedForm::KeyUriQr],
        steps: &["reiner-first", "reiner-further", "reiner-scan"],
        secret: None,
        algorithms: None,
        digits: None,
        periods: Some(documented(THIRTY)),
        public: None,
        source: "Reiner SCT Authenticator, operating manual and quick guide",
    },
    ClosedModel {
        code: "safenet-programmable",
        maker: "SafeNet (Thales)",
        model: "OTP tokens that can be programmed",
        tool: None,
        forms: &[SeedForm::Base32, SeedForm::Hex, SeedForm::KeyUriQr],
        steps: &[MANUAL],
        secret: None,
        algorithms: None,
        digits: None,
        periods: None,
        public: None,
        source: "none: nothing public was found",
    },
    ClosedModel {
        code: "token2-molto-1",
        maker: "Token2",
        model: "Molto-1 and Molto-1-i",
        tool: Some("Token2 Molto-1 NFC burner app (iPhone, Android, Windows)"),
        forms: &[SeedForm::Base32, SeedForm::Hex, SeedForm::KeyUriQr],
        steps: &["molto1-seed", "molto1-profile", "molto1-mode", "molto1-burn"],
        secret: None,
        algorithms: None,
        digits: None,
        periods: None,
        public: None,
        source: "token2.com, \"Molto-1-i NFC burner app for iPhone\"",
    },
    ClosedModel {
        code: "token2-nfc-first-generation",
        maker: "Token2",
        model: "NFC tokens of the first generation (no \"-i\" in the name)",
        tool: Some("Token2 NFC Burner of that generation (Windows, Android)"),
        forms: &[SeedForm::Base32, SeedForm::Hex, SeedForm::KeyUriQr],
        steps: &[MANUAL],
        secret: None,
        algorithms: None,
        digits: None,
        periods: None,
        public: None,
        source: "token2.com, \"Hardware tokens for Office 365\"",
    },
];

/// A model that only its maker's tool can write.
#[derive(Debug, PartialEq, Eq)]
pub struct ClosedModel {
    /// Its name in commands, receipts and words.
    pub code: &'static str,
    /// Who makes it.
    pub maker: &'static str,
    /// The model's name for people.
    pub model: &'static str,
    /// The maker's tool, where one is known.
    pub tool: Option<&'static str>,
    /// The forms in which that tool takes a secret, the handiest first; all of them
    /// where it is not known.
    pub forms: &'static [SeedForm],
    /// What to do with it, in order, as codes of words. All of it is documented by the
    /// maker; where the facts end stands `makers-manual`.
    pub steps: &'static [&'static str],
    /// Lengths of the secret that it takes, in bytes.
    pub secret: Option<Told<RangeInclusive<usize>>>,
    /// Hashes that it knows.
    pub algorithms: Option<Told<&'static [Algorithm]>>,
    /// Numbers of digits that it shows.
    pub digits: Option<Told<&'static [u8]>>,
    /// Periods that it knows.
    pub periods: Option<Told<&'static [Period]>>,
    /// The part of its protocol that is public, where one is.
    pub public: Option<PublicPart>,
    /// Where the facts come from.
    pub source: &'static str,
}

/// The part of a closed token's protocol that is public. It reads and sets the clock;
/// no part writes a secret. A card is asked so only when somebody said that it is of
/// this model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicPart {
    /// [`crate::protectimus_slim`].
    ProtectimusSlim,
}

/// A form of the secret that a maker's tool takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeedForm {
    /// Base32 text (RFC 4648 section 6) without padding.
    Base32,
    /// Hexadecimal text.
    Hex,
    /// A Key URI drawn as a QR code.
    KeyUriQr,
}

/// A fact and how well it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<T> {
    /// The fact.
    pub what: T,
    /// How well it is known.
    pub tag: Tag,
}

/// How well a fact is known, as the sheets mark it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// The maker says so: [D].
    Documented,
    /// It follows from what is said, and nobody has confirmed it: [I].
    Inferred,
}

/// A limit that no source tells for sure, so that nothing can be promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The lengths of the secret.
    Secret(Doubted),
    /// The hashes.
    Algorithms(Doubted),
    /// The numbers of digits.
    Digits(Doubted),
    /// The periods.
    Periods(Doubted),
}

/// Why a limit is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubted {
    /// No source tells it; anything is let through.
    Unknown,
    /// It is inferred.
    Inferred,
}

impl ClosedModel {
    /// The model of this code.
    pub fn of(code: &str) -> Option<&'static Self> {
        CLOSED.iter().find(|model| model.code == code)
    }

    /// What is compared with a credential. A limit that is not known lets everything
    /// through: whether the token can do it shows in its code.
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            access: Access::Writable,
            secret: self.secret.as_ref().map_or(1..=usize::MAX, |told| told.what.clone()),
            long_secret_hashed: false,
            zeros: ZeroRule::Harmless,
            algorithms: self.algorithms.as_ref().map_or(&Algorithm::ALL, |told| told.what),
            digits: self.digits.as_ref().map_or(ANY_DIGITS, |told| told.what),
            period: self
                .periods
                .as_ref()
                .map_or(PeriodRule::Within(1..=u32::MAX), |told| PeriodRule::Stored(told.what)),
            // What the maker's tool asks beside the secret is its own business.
            name: NameRule::None,
            places: Places::Single,
            guard: Guard::None,
            presence: Presence::None,
            clock: ClockRule::None,
            proof: ProofClass::Displays,
        }
    }

    /// The limits that nobody is sure of.
    pub fn doubts(&self) -> Vec<Doubt> {
        [
            doubted(self.secret.as_ref()).map(Doubt::Secret),
            doubted(self.algorithms.as_ref()).map(Doubt::Algorithms),
            doubted(self.digits.as_ref()).map(Doubt::Digits),
            doubted(self.periods.as_ref()).map(Doubt::Periods),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl SeedForm {
    /// The word that commands and screens use.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Base32 => "base32",
            Self::Hex => "hex",
            Self::KeyUriQr => "qr",
        }
    }
}

impl Doubt {
    /// The code that its words are looked up by.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Secret(Doubted::Unknown) => "secret-unknown",
            Self::Secret(Doubted::Inferred) => "secret-inferred",
            Self::Algorithms(Doubted::Unknown) => "algorithm-unknown",
            Self::Algorithms(Doubted::Inferred) => "algorithm-inferred",
            Self::Digits(Doubted::Unknown) => "digits-unknown",
            Self::Digits(Doubted::Inferred) => "digits-inferred",
            Self::Periods(Doubted::Unknown) => "period-unknown",
            Self::Periods(Doubted::Inferred) => "period-inferred",
        }
    }
}

/// The step where the facts end.
const MANUAL: &str = "makers-manual";

/// The steps of Deepnet's tokens with one place.
const SAFEID: &[&str] = &[
    "safeid-seed",
    "safeid-settings",
    "safeid-reader",
    "safeid-place",
    "safeid-sync",
    "safeid-burn",
    "safeid-phone",
];

const SHA1: &[Algorithm] = &[Algorithm::Sha1];
const SIX: &[u8] = &[6];
/// What a code can have at all.
const ANY_DIGITS: &[u8] = &[4, 5, 6, 7, 8, 9, 10];
const THIRTY: &[Period] = &[Period::S30];
const THIRTY_OR_SIXTY: &[Period] = &[Period::S30, Period::S60];

const fn documented<T>(what: T) -> Told<T> {
    Told { what, tag: Tag::Documented }
}

const fn inferred<T>(what: T) -> Told<T> {
    Told { what, tag: Tag::Inferred }
}

fn doubted<T>(told: Option<&Told<T>>) -> Option<Doubted> {
    match told.map(|told| told.tag) {
        None => Some(Doubted::Unknown),
        Some(Tag::Inferred) => Some(Doubted::Inferred),
        Some(Tag::Documented) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use oath::{Digits, Parameters, SharedSecret};

    use super::*;
    use crate::{DRIVERS, Label, Misfit, Wish};

    fn misfits(code: &str, bytes: usize, parameters: Parameters) -> Vec<Misfit> {
        let secret = SharedSecret::new(vec![7; bytes]);
        let wish = Wish { secret: &secret, parameters, label: Label::default(), name: None };
        let model = ClosedModel::of(code).expect("a model of the list");
        model.capabilities().plan(&wish).err().unwrap_or_default()
    }

    #[test]
    fn codes_are_plain_and_one_of_a_kind() {
        let mut seen = HashSet::new();
        for model in CLOSED {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(model.code.chars().all(plain), "{}", model.code);
            assert!(seen.insert(model.code), "{} twice", model.code);
            assert!(DRIVERS.iter().all(|driver| driver.family().name != model.code));
            assert!(!model.forms.is_empty() && !model.steps.is_empty(), "{}", model.code);
            assert!(!model.source.is_empty(), "{}", model.code);
        }
    }

    #[test]
    fn microsofts_usual_secret_fits_everywhere() {
        for model in CLOSED {
            assert_eq!(misfits(model.code, 10, Parameters::default()), [], "{}", model.code);
        }
    }

    #[test]
    fn a_limit_that_is_told_turns_away() {
        let slim = |bytes, parameters| misfits("protectimus-slim-nfc", bytes, parameters);
        let longer = slim(32, Parameters::default());
        assert!(matches!(longer[..], [Misfit::SecretLength { bytes: 32, least: 10, most: 20 }]));
        let eight = Parameters { digits: Digits::EIGHT, ..Parameters::default() };
        assert!(matches!(slim(20, eight)[..], [Misfit::Digits { wanted: 8, .. }]));
        let sha256 = Parameters { algorithm: Algorithm::Sha256, ..Parameters::default() };
        assert!(matches!(slim(20, sha256)[..], [Misfit::Algorithm { .. }]));
    }

    #[test]
    fn a_limit_that_is_not_told_is_in_doubt_and_turns_nothing_away() {
        let sha512 = Parameters { algorithm: Algorithm::Sha512, ..Parameters::default() };
        assert_eq!(misfits("feitian-nfc-otp", 64, sha512), []);
        let doubts = |code| {
            let model = ClosedModel::of(code).expect("a model of the list");
            model.doubts().into_iter().map(Doubt::code).collect::<Vec<_>>()
        };
        let all = ["secret-unknown", "algorithm-unknown", "digits-unknown", "period-unknown"];
        assert_eq!(doubts("feitian-nfc-otp"), all);
        assert_eq!(doubts("protectimus-slim-nfc"), ["algorithm-inferred"]);
    }

    #[test]
    fn where_the_steps_are_not_known_the_manual_is_named() {
        let unknown: Vec<_> = CLOSED.iter().filter(|model| model.steps.contains(&MANUAL)).collect();
        assert!(unknown.iter().all(|model| model.steps.last() == Some(&MANUAL)));
        assert_eq!(unknown.len(), 4);
        assert!(ClosedModel::of("no-such-model").is_none());
    }
}
