//! Products with the same applet and different rules: the difference table of
//! canokey-pico-solo2.md and yubikey-oath.md section 6, as data.

use oath::Algorithm;

/// One product and its rules.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// The name for people.
    pub title: &'static str,
    /// The version that SELECT tells; some products tell a fixed one.
    pub version: [u8; 3],
    /// Historical bytes of the answer to reset.
    pub(super) historical: &'static [u8],
    pub(super) room: Room,
    pub(super) same_name: SameName,
    /// The shortest key in bytes.
    pub(super) least_key: usize,
    /// The longest key in bytes for SHA-1 and SHA-256, and for SHA-512 if known.
    pub(super) most_key: (usize, Option<usize>),
    /// The fewest and the most digits.
    pub(super) digits: (u8, u8),
    pub(super) property: Property,
    /// The status word for bytes behind the last expected object of a PUT;
    /// `None` if they are not looked at.
    pub(super) surplus: Option<u16>,
    pub(super) password: Password,
    pub(super) parts: Parts,
    pub(super) rename: bool,
    pub(super) reset: bool,
    /// Whether the management applet tells serial number and version.
    pub(super) management: bool,
    pub(super) instructions: Instructions,
    pub(super) surprise: Surprise,
    pub(super) responses: Responses,
    /// The bytes of tag `8F` in the answer to SELECT, of a product that poses as
    /// another.
    pub(super) posing: Option<&'static [u8]>,
}

/// What becomes of a PUT with an unexpected first or second object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surprise {
    /// It is refused.
    Refused,
    /// The device stops, until it has power anew.
    Stops,
}

/// The forms of an answer to CALCULATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Responses {
    /// The whole HMAC and the truncated number, as it is asked for.
    Both,
    /// The truncated number, whatever is asked for.
    Truncated,
}

/// The instruction bytes of LIST, CALCULATE, CALCULATE ALL and SEND REMAINING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instructions {
    /// `A1`, `A2`, `A4` and `A5`.
    Usual,
    /// `03` to `06`. `greets` tells whether SELECT is answered with version and salt.
    Older { greets: bool },
}

/// How many credentials there is room for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Room {
    /// So many.
    Entries(usize),
    /// As many as a list of so many bytes names, 9 bytes and the name for each.
    ListBytes(usize),
}

/// What a PUT does with a name that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SameName {
    Overwrites,
    Refuses,
}

/// What becomes of the property object `78`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Property {
    /// Tag and value; `01` (challenges must increase) and `02` (touch) are kept.
    Kept,
    /// Tag and value; the touch bit has no effect.
    TouchIgnored,
    /// Parsed as an object with a length, and so lost.
    Lost,
}

/// What a password does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Password {
    /// The status word while locked.
    pub(super) locked: u16,
    /// The status word for a wrong one.
    pub(super) wrong: u16,
    /// The algorithm byte of tag `7B`.
    pub(super) algorithm: u8,
    /// Whether VALIDATE opens for one command only.
    pub(super) one_command: bool,
}

/// How long answers are cut into parts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parts {
    /// After so many bytes, in the middle of an object too; `A5` goes on.
    SendRemaining(usize),
    /// The same, but `C0` goes on and `A5` is unknown.
    GetResponse(usize),
    /// Between whole objects, at most so many bytes; always `61FF`; `A5` goes on, and
    /// is `6985` where nothing waits.
    WholeObjects(usize),
    /// The same, but each part ends with `9000`.
    WithoutAWord(usize),
    /// Not at all.
    Never,
}

/// What the sheet's vectors were cut at. Real keys cut later; cutting early
/// makes two entries enough to meet the continuation.
const EARLY: usize = 50;

impl Product {
    /// YubiKey 5, firmware 5.4.3: 32 credentials.
    pub const YUBIKEY_5_4: Self = Self {
        title: "YubiKey 5 NFC",
        version: [5, 4, 3],
        historical: &[0x80, 0x73, 0xc0, 0x21, 0xc0, 0x57, 0x59, 0x75, 0x62, 0x69, 0x4b, 0x65, 0x79],
        room: Room::Entries(32),
        same_name: SameName::Overwrites,
        least_key: 14,
        most_key: (64, Some(128)),
        digits: (6, 8),
        property: Property::Kept,
        surplus: Some(0x6a80),
        password: Password { locked: 0x6982, wrong: 0x6a80, algorithm: 0x01, one_command: false },
        parts: Parts::SendRemaining(EARLY),
        rename: true,
        reset: true,
        management: true,
        instructions: Instructions::Usual,
        surprise: Surprise::Refused,
        responses: Responses::Both,
        posing: None,
    };

    /// YubiKey 5, firmware 5.7.1: 64 credentials.
    pub const YUBIKEY_5_7: Self =
        Self { version: [5, 7, 1], room: Room::Entries(64), ..Self::YUBIKEY_5_4 };

    /// YubiKey NEO, applet 1.0.2.
    pub const NEO: Self = Self {
        title: "YubiKey NEO",
        version: [1, 0, 2],
        room: Room::ListBytes(2048),
        most_key: (64, None),
        property: Property::TouchIgnored,
        surplus: None,
        password: Password { algorithm: 0x21, ..Self::YUBIKEY_5_4.password },
        rename: false,
        management: false,
        ..Self::YUBIKEY_5_4
    };

    /// `CanoKey`, which always tells version 6.0.0.
    pub const CANOKEY: Self = Self {
        title: "CanoKey",
        version: [6, 0, 0],
        historical: &[],
        room: Room::Entries(100),
        same_name: SameName::Refuses,
        least_key: 1,
        most_key: (64, Some(64)),
        digits: (4, 8),
        surplus: Some(0x6700),
        parts: Parts::WholeObjects(255),
        reset: false,
        management: false,
        ..Self::YUBIKEY_5_4
    };

    /// `CanoKey` with firmware before 3.0.1, whose list ends with `9000` after each
    /// part; what canokey-manager does with it.
    pub const CANOKEY_2: Self =
        Self { title: "CanoKey with firmware 2", parts: Parts::WithoutAWord(255), ..Self::CANOKEY };

    /// pico-fido, version 8.0.0.
    pub const PICO_FIDO: Self = Self {
        title: "Pico Key",
        version: [8, 0, 0],
        historical: &[],
        room: Room::Entries(255),
        least_key: 1,
        property: Property::Lost,
        surplus: None,
        password: Password { wrong: 0x6984, ..Self::YUBIKEY_5_4.password },
        parts: Parts::Never,
        management: false,
        ..Self::YUBIKEY_5_4
    };

    /// RS-Key, which wants a key of 14 bytes and is otherwise like pico-fido.
    pub const RS_KEY: Self = Self { title: "RS-Key", least_key: 14, ..Self::PICO_FIDO };

    /// Solo 2, which always tells version 4.4.4.
    pub const SOLO_2: Self = Self {
        title: "Solo 2",
        version: [4, 4, 4],
        historical: &[0x80, 0x73, 0xc0, 0x21, 0xc0, 0x56, 0x53, 0x6f, 0x6c, 0x6f, 0x20, 0x32],
        room: Room::Entries(100),
        least_key: 1,
        most_key: (64, None),
        property: Property::TouchIgnored,
        surplus: Some(0x6f00),
        surprise: Surprise::Stops,
        password: Password { locked: 0x6985, one_command: true, ..Self::YUBIKEY_5_4.password },
        rename: false,
        management: false,
        ..Self::YUBIKEY_5_4
    };

    /// Every product, for tables.
    pub const ALL: [Self; 8] = [
        Self::YUBIKEY_5_4,
        Self::YUBIKEY_5_7,
        Self::NEO,
        Self::CANOKEY,
        Self::PICO_FIDO,
        Self::SOLO_2,
        Self::CANOKEY_2,
        Self::RS_KEY,
    ];

    /// The same product with another version in its SELECT.
    #[must_use]
    pub const fn telling(mut self, version: [u8; 3]) -> Self {
        self.version = version;
        self
    }

    /// The same product, but long answers are cut after `at` bytes, in the
    /// middle of objects too.
    #[must_use]
    pub const fn cutting_at(mut self, at: usize) -> Self {
        self.parts = Parts::SendRemaining(if at == 0 { 1 } else { at });
        self
    }

    /// The same product, but long answers are continued by GET RESPONSE (`C0`)
    /// and SEND REMAINING (`A5`) is unknown (rigs/FACTS.md section 7b).
    #[must_use]
    pub const fn wanting_get_response(mut self) -> Self {
        self.parts = Parts::GetResponse(EARLY);
        self
    }

    /// The same product, posing as a Nitrokey: tag `8F`, of 8 bytes and not of 4.
    #[must_use]
    pub const fn posing_as_nitrokey(mut self) -> Self {
        self.posing = Some(&[0x02, 0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f]);
        self.version = [4, 14, 0];
        self
    }

    /// The same product before firmware 1.5, with other instruction bytes; `greets`
    /// tells whether it says anything to SELECT, which 1.3 does not.
    #[must_use]
    pub const fn with_older_instructions(mut self, greets: bool) -> Self {
        self.instructions = Instructions::Older { greets };
        self
    }

    /// The same product before firmware 2.0: no whole HMAC.
    #[must_use]
    pub const fn truncating(mut self) -> Self {
        self.responses = Responses::Truncated;
        self
    }

    pub(super) const fn is_canokey(&self) -> bool {
        matches!(self.parts, Parts::WholeObjects(_) | Parts::WithoutAWord(_))
    }

    /// The longest key for a hash; `None` if the product does not know the hash.
    pub(super) const fn most_key(&self, algorithm: Algorithm) -> Option<usize> {
        match algorithm {
            Algorithm::Sha1 | Algorithm::Sha256 => Some(self.most_key.0),
            Algorithm::Sha512 => self.most_key.1,
        }
    }
}
