//! Entries: what a put stores, and the codes that are computed from it
//! (feitian-otp-applet.md sections A.2 and A.3).

use oath::{Algorithm, Digits, Period, SharedSecret};

use super::{BAD_DATA, Refusal};
use crate::wire::take;
use crate::{Held, Kind, otp};

/// One stored entry.
pub(super) struct Entry {
    /// As it was put, with the period in front if it is time-based.
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) algorithm: Algorithm,
    pub(super) digits: Digits,
    pub(super) secret: SharedSecret,
    pub(super) touch: bool,
    /// The next moving factor of a counter-based entry.
    pub(super) counter: u64,
}

impl Entry {
    /// Reads the data of a put: `53` value, `51` name, perhaps `5C 01 01`.
    pub(super) fn parse(data: &[u8]) -> Result<Self, Refusal> {
        // The length byte is one less than the number of bytes that follow.
        let [0x53, one_less, rest @ ..] = data else {
            return Err(BAD_DATA);
        };
        let (value, mut rest) =
            rest.split_at_checked(usize::from(*one_less) + 1).ok_or(BAD_DATA)?;
        let [hash, kind, digits, secret @ ..] = value else {
            return Err(BAD_DATA);
        };
        let algorithm = match hash {
            0x01 => Algorithm::Sha1,
            0x02 => Algorithm::Sha256,
            _ => return Err(BAD_DATA),
        };
        let kind = match kind {
            0x10 => Kind::Hotp,
            0x20 => Kind::Totp,
            _ => return Err(BAD_DATA),
        };
        let digits = match digits {
            6 => Digits::SIX,
            8 => Digits::EIGHT,
            _ => return Err(BAD_DATA),
        };
        if !(1..=64).contains(&secret.len()) {
            return Err(BAD_DATA);
        }
        let name = take_name(&mut rest)?;
        let touch = match rest {
            [] => false,
            [0x5c, 0x01, 0x01] => true,
            _ => return Err(BAD_DATA),
        };
        Ok(Self {
            name: name.to_vec(),
            kind,
            algorithm,
            digits,
            secret: SharedSecret::new(secret.to_vec()),
            touch,
            counter: 0,
        })
    }

    /// Type and hash in one byte, as the list has it.
    pub(super) fn type_byte(&self) -> u8 {
        let kind = match self.kind {
            Kind::Hotp => 0x10,
            Kind::Totp => 0x20,
        };
        let hash = match self.algorithm {
            Algorithm::Sha1 => 0x01,
            Algorithm::Sha256 => 0x02,
            // No put stores it and the list has no number for it.
            Algorithm::Sha512 => 0x00,
        };
        kind | hash
    }

    /// The four bytes of the HMAC that truncation points to, its top bit as it
    /// stands there. A counter-based entry goes on to its next factor.
    pub(super) fn respond(&mut self, factor: Option<u64>) -> Result<[u8; 4], Refusal> {
        let factor = match (self.kind, factor) {
            (Kind::Totp, Some(factor)) => factor,
            (Kind::Hotp, None) => {
                self.counter += 1;
                self.counter - 1
            }
            (Kind::Totp, None) | (Kind::Hotp, Some(_)) => return Err(BAD_DATA),
        };
        let mac = otp::mac(self.algorithm, self.secret.expose(), &factor.to_be_bytes());
        let offset = usize::from(mac.last().copied().unwrap_or(0) & 0x0f);
        let mut bits = [0; 4];
        for (to, from) in bits.iter_mut().zip(&mac[offset..]) {
            *to = *from;
        }
        Ok(bits)
    }

    /// What a person who could look inside would find.
    pub(super) fn held(&self) -> Held {
        Held {
            name: Some(self.shown_name()),
            secret: SharedSecret::new(self.secret.expose().to_vec()),
            algorithm: self.algorithm,
            digits: self.digits,
            period: self.period(),
            kind: self.kind,
            touch: self.touch,
        }
    }

    /// The name for people.
    pub(super) fn shown_name(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    /// The period is stored in front of the name and nowhere else.
    fn period(&self) -> Option<Period> {
        match (self.kind, self.name.as_slice()) {
            (Kind::Totp, [b'3', b'0', b':', ..]) => Some(Period::S30),
            (Kind::Totp, [b'6', b'0', b':', ..]) => Some(Period::S60),
            (Kind::Totp | Kind::Hotp, _) => None,
        }
    }
}

/// Takes a name of 1 to 64 bytes off the front.
pub(super) fn take_name<'a>(data: &mut &'a [u8]) -> Result<&'a [u8], Refusal> {
    let name = take(data, 0x51).ok_or(BAD_DATA)?;
    if (1..=64).contains(&name.len()) { Ok(name) } else { Err(BAD_DATA) }
}
