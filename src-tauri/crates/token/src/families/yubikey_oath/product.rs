//! Which product answers, and the rules that differ between products
//! (canokey-pico-solo2.md, difference table).

use oath::Algorithm;

use super::wire::SelectAnswer;
use crate::{
    Access, Capabilities, Characters, ClockRule, Continuation, EntryName, Guard, NameRule,
    PeriodPrefix, PeriodRule, Places, Presence, ProofClass, ResponseApdu, SameName, StatusWord,
    ZeroRule,
};

/// Status words that mean "nothing was changed" in answer to PUT and DELETE.
/// `6581`, a memory failure, is not among them.
pub(super) const REFUSALS: [u16; 8] =
    [0x6982, 0x6984, 0x6985, 0x6a80, 0x6a84, 0x6d00, 0x6700, 0x6e00];

/// Whether this is a CanoKey with firmware 1.3, whose applet says nothing at all to
/// SELECT and has other instruction bytes (canokey-pico-solo2.md). Others say as much
/// to any SELECT, so here the reader's name has to tell.
pub(super) fn is_canokey_of_old(answer: &ResponseApdu, reader: &str) -> bool {
    answer.status() == StatusWord::OK
        && answer.data().is_empty()
        && reader.to_ascii_lowercase().contains("canokey")
}

/// A product, told by the SELECT answer; on any doubt [`Product::Unknown`] with
/// the strictest rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    /// YubiKey 4 or 5: SHA-512 from 4.3.1, 64 entries from 5.7.
    YubiKey {
        sha512: bool,
        most: usize,
        /// Firmware 4.0.0 to 4.3.4 takes a name for another that begins with it.
        mixes_up_prefixes: bool,
    },
    Neo,
    CanoKey,
    Pico,
    Solo2,
    Unknown,
}

impl Product {
    /// The order of yubikey-oath.md section 1. `None` for a Nitrokey 3, which
    /// shares the applet's name and not its rules.
    pub(super) fn of(answer: &SelectAnswer, reader: &str) -> Option<Self> {
        let yubico = reader.to_ascii_lowercase().contains("yubico yubikey");
        let version = answer.version;
        Some(match (answer.serial_len, version) {
            (Some(4), _) => return None,
            (Some(8), _) => Self::Pico,
            (_, [6, 0, 0]) => Self::CanoKey,
            (_, [8..=255, ..]) if !yubico => Self::Pico,
            (_, [4, 4, 4]) if !yubico => Self::Solo2,
            (_, [0..=3, ..]) => Self::Neo,
            (_, [4 | 5, ..]) => Self::yubikey(version),
            _ if yubico => Self::yubikey(version),
            _ => Self::Unknown,
        })
    }

    fn yubikey(version: [u8; 3]) -> Self {
        let most = if version >= [5, 7, 0] { 64 } else { 32 };
        let mixes_up_prefixes = ([4, 0, 0]..[4, 3, 5]).contains(&version);
        Self::YubiKey { sha512: version >= [4, 3, 1], most, mixes_up_prefixes }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::YubiKey { .. } => "YubiKey",
            Self::Neo => "YubiKey NEO",
            Self::CanoKey => "CanoKey",
            Self::Pico => "pico-fido family",
            Self::Solo2 => "Solo 2",
            Self::Unknown => "unknown key with a YKOATH applet",
        }
    }

    pub(super) const fn mixes_up_prefixes(self) -> bool {
        matches!(self, Self::YubiKey { mixes_up_prefixes: true, .. })
    }

    pub(super) const fn refuses_a_second_entry(self) -> bool {
        matches!(self.same_name(), SameName::Refuses)
    }

    /// Whether a list may go on behind a part that ends like the last one.
    pub(super) const fn may_go_on_behind_an_end(self) -> bool {
        matches!(self, Self::CanoKey)
    }

    /// pico-fido throws the rest of an answer away when it is asked by anything but
    /// GET RESPONSE.
    pub(super) const fn continuation(self) -> Continuation {
        match self {
            Self::Pico => Continuation::GetResponse,
            Self::YubiKey { .. } | Self::Neo | Self::CanoKey | Self::Solo2 | Self::Unknown => {
                Continuation::SendRemaining
            }
        }
    }

    pub(super) const fn forgets_after_each_command(self) -> bool {
        matches!(self, Self::Solo2)
    }

    /// Status words of VALIDATE that mean a wrong password.
    pub(super) const fn wrong_password(self) -> &'static [u16] {
        match self {
            Self::Pico | Self::Unknown => &[0x6a80, 0x6984],
            Self::YubiKey { .. } | Self::Neo | Self::CanoKey | Self::Solo2 => &[0x6a80],
        }
    }

    /// Some NEO say `6F00` when they are full.
    pub(super) const fn is_full(self, status: StatusWord) -> bool {
        status.0 == 0x6a84 || (matches!(self, Self::Neo) && status.0 == 0x6f00)
    }

    const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::YubiKey { sha512: true, .. } | Self::CanoKey | Self::Pico => &Algorithm::ALL,
            Self::YubiKey { sha512: false, .. } | Self::Neo | Self::Solo2 | Self::Unknown => {
                &[Algorithm::Sha1, Algorithm::Sha256]
            }
        }
    }

    const fn longest_key(self) -> usize {
        match self {
            Self::YubiKey { .. } | Self::Pico => 128,
            Self::Neo | Self::CanoKey | Self::Solo2 | Self::Unknown => 64,
        }
    }

    const fn most_entries(self) -> Option<usize> {
        match self {
            Self::YubiKey { most, .. } => Some(most),
            Self::Neo => Some(28),
            Self::CanoKey => Some(100),
            Self::Pico => Some(255),
            Self::Solo2 | Self::Unknown => None,
        }
    }

    const fn same_name(self) -> SameName {
        match self {
            Self::YubiKey { mixes_up_prefixes: true, .. } => SameName::MixesUpPrefixes,
            Self::CanoKey => SameName::Refuses,
            Self::YubiKey { .. } | Self::Neo | Self::Pico | Self::Solo2 | Self::Unknown => {
                SameName::Overwrites
            }
        }
    }
}

/// What a product can do.
pub(super) const fn capabilities(product: Product, guard: Guard) -> Capabilities {
    Capabilities {
        access: Access::Writable,
        secret: 1..=product.longest_key(),
        long_secret_hashed: true,
        zeros: ZeroRule::Harmless,
        algorithms: product.algorithms(),
        digits: &[6, 7, 8],
        period: PeriodRule::InName,
        name: NameRule::Entry(EntryName {
            most_bytes: 64,
            fields: None,
            characters: Characters::Utf8,
            period: PeriodPrefix::SlashUnlessThirty,
            joint: ":",
        }),
        places: Places::Named { most: product.most_entries(), same_name: product.same_name() },
        guard,
        presence: Presence::None,
        clock: ClockRule::None,
        proof: ProofClass::Computes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(version: [u8; 3], serial_len: Option<usize>, reader: &str, expected: Option<&str>) {
        let answer = SelectAnswer { version, salt: vec![0; 8], challenge: None, serial_len };
        let product = Product::of(&answer, reader);
        assert_eq!(product.map(Product::title), expected, "{version:?} {serial_len:?} {reader}");
    }

    #[test]
    fn products_are_told_by_the_select_answer() {
        let nfc = "ACS ACR1252U PICC 00 00";
        let usb = "Yubico YubiKey OTP+FIDO+CCID 00 00";
        check([5, 4, 3], None, nfc, Some("YubiKey"));
        check([5, 7, 1], None, usb, Some("YubiKey"));
        check([4, 14, 0], None, nfc, Some("YubiKey"));
        check([1, 0, 2], None, nfc, Some("YubiKey NEO"));
        check([0, 1, 2], None, nfc, Some("YubiKey NEO"));
        check([6, 0, 0], None, nfc, Some("CanoKey"));
        check([8, 0, 0], None, nfc, Some("pico-fido family"));
        check([8, 0, 0], None, usb, Some("YubiKey"));
        check([4, 4, 4], None, nfc, Some("Solo 2"));
        check([4, 4, 4], None, usb, Some("YubiKey"));
        check([4, 14, 0], Some(4), nfc, None);
        check([4, 14, 0], Some(8), nfc, Some("pico-fido family"));
        check([7, 0, 0], None, nfc, Some("unknown key with a YKOATH applet"));
    }

    #[test]
    fn versions_decide_hash_and_room() {
        let of = |version| Product::yubikey(version);
        assert_eq!(
            of([4, 3, 0]),
            Product::YubiKey { sha512: false, most: 32, mixes_up_prefixes: true }
        );
        assert_eq!(
            of([5, 4, 3]),
            Product::YubiKey { sha512: true, most: 32, mixes_up_prefixes: false }
        );
        assert_eq!(
            of([5, 7, 0]),
            Product::YubiKey { sha512: true, most: 64, mixes_up_prefixes: false }
        );
    }
}
