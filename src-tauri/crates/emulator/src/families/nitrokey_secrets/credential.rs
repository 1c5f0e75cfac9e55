//! Credentials: what a PUT stores, the codes that are computed from it, and what
//! LIST and GET CREDENTIAL say about it.

use oath::{Algorithm, Digits, SharedSecret};

use super::Refusal;
use crate::wire::take;
use crate::{Held, Kind, otp};

/// Bits of the property byte of PUT and UPDATE (nitrokey-secrets.md section 3).
const TOUCH: u8 = 0x02;
const PIN_ENCRYPTED: u8 = 0x04;

/// One stored credential.
pub(super) struct Credential {
    pub(super) name: Vec<u8>,
    pub(super) otp: Otp,
    pub(super) algorithm: Algorithm,
    pub(super) digits: u8,
    pub(super) key: SharedSecret,
    pub(super) touch: bool,
    pub(super) pin_encrypted: bool,
    pub(super) safe: PasswordSafe,
}

/// What the key is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Otp {
    Hotp { counter: u32 },
    Totp,
    ReverseHotp { counter: u32 },
    Hmac,
    Nothing,
}

/// The fields that have nothing to do with codes.
#[derive(Default)]
pub(super) struct PasswordSafe {
    pub(super) login: Option<SharedSecret>,
    pub(super) password: Option<SharedSecret>,
    pub(super) note: Option<SharedSecret>,
}

impl Credential {
    /// A time-based credential without touch and PIN.
    pub(super) fn plain(
        name: &str,
        key: SharedSecret,
        algorithm: Algorithm,
        digits: Digits,
    ) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            otp: Otp::Totp,
            algorithm,
            digits: digits.get(),
            key,
            touch: false,
            pin_encrypted: false,
            safe: PasswordSafe::default(),
        }
    }

    /// Reads the data of a PUT.
    pub(super) fn parse(mut data: &[u8]) -> Result<Self, Refusal> {
        let name = read_name(&mut data)?;
        let [kind, digits @ 6..=8, key @ ..] = take(&mut data, 0x73).ok_or(0x6a80_u16)? else {
            return Err(0x6a80);
        };
        if !(1..=128).contains(&key.len()) {
            return Err(0x6a80);
        }
        let algorithm = read_algorithm(*kind)?;
        let properties = match data {
            // Tag and value; there is no length byte here.
            [0x78, properties, rest @ ..] => {
                data = rest;
                *properties
            }
            _ => 0,
        };
        let otp = match kind & 0xf0 {
            0x10 => Otp::Hotp { counter: read_counter(&mut data)? },
            0x20 => Otp::Totp,
            0x30 => Otp::ReverseHotp { counter: read_counter(&mut data)? },
            0x40 if algorithm == Algorithm::Sha1 && key.len() == 20 => Otp::Hmac,
            0xf0 => Otp::Nothing,
            _ => return Err(0x6a80),
        };
        let mut safe = PasswordSafe::default();
        while !data.is_empty() {
            safe.read_one(&mut data)?;
        }
        let mut credential = Self {
            name: name.to_vec(),
            otp,
            algorithm,
            digits: *digits,
            key: SharedSecret::new(key.to_vec()),
            touch: false,
            pin_encrypted: false,
            safe,
        };
        credential.set_properties(properties);
        Ok(credential)
    }

    pub(super) fn set_properties(&mut self, properties: u8) {
        self.touch = properties & TOUCH != 0;
        self.pin_encrypted = pin_encrypts(properties);
    }

    /// The answer to a challenge: tag `76`, digits, 31 bits.
    pub(super) fn calculate(&mut self, challenge: [u8; 8]) -> Result<Vec<u8>, Refusal> {
        let factor = match &mut self.otp {
            Otp::Totp => challenge,
            Otp::Hotp { counter } => {
                let factor = u64::from(*counter).to_be_bytes();
                *counter = counter.checked_add(1).ok_or(0x6500_u16)?;
                factor
            }
            Otp::ReverseHotp { .. } | Otp::Hmac | Otp::Nothing => return Err(0x6985),
        };
        if self.algorithm == Algorithm::Sha512 {
            return Err(0x6a81);
        }
        let bits = otp::truncate(&otp::mac(self.algorithm, self.key.expose(), &factor));
        let mut answer = vec![0x76, 5, self.digits];
        answer.extend_from_slice(&bits.to_be_bytes());
        Ok(answer)
    }

    /// Its entry in a LIST, with a property byte at the end if it is wanted.
    pub(super) fn entry(&self, with_properties: bool) -> Vec<u8> {
        let mut value = vec![self.type_byte()];
        value.extend_from_slice(&self.name);
        if with_properties {
            let safe = self.safe.login.is_some() || self.safe.password.is_some();
            value.push(
                u8::from(self.touch) | u8::from(self.pin_encrypted) << 1 | u8::from(safe) << 2,
            );
        }
        let mut entry = Vec::new();
        put_plainly(&mut entry, 0x72, &value);
        entry
    }

    /// The answer to GET CREDENTIAL: everything but the key.
    pub(super) fn description(&self) -> Vec<u8> {
        let mut answer = Vec::new();
        put_plainly(&mut answer, 0x78, &[self.type_byte()]);
        put_plainly(&mut answer, 0x71, &self.name);
        let PasswordSafe { login, password, note } = &self.safe;
        for (tag, field) in [(0x83, login), (0x84, password), (0x85, note)] {
            if let Some(field) = field {
                put_plainly(&mut answer, tag, field.expose());
            }
        }
        answer
    }

    /// What a person who could look inside would find; nothing for entries that
    /// are not for codes.
    pub(super) fn held(&self) -> Option<Held> {
        let kind = match self.otp {
            Otp::Totp => Kind::Totp,
            Otp::Hotp { .. } | Otp::ReverseHotp { .. } => Kind::Hotp,
            Otp::Hmac | Otp::Nothing => return None,
        };
        Some(Held {
            name: Some(String::from_utf8_lossy(&self.name).into_owned()),
            secret: SharedSecret::new(self.key.expose().to_vec()),
            algorithm: self.algorithm,
            digits: Digits::new(u64::from(self.digits)).unwrap_or(Digits::SIX),
            period: None,
            kind,
            touch: self.touch,
        })
    }

    fn type_byte(&self) -> u8 {
        let kind = match self.otp {
            Otp::Hotp { .. } => 0x10,
            Otp::Totp => 0x20,
            Otp::ReverseHotp { .. } => 0x30,
            Otp::Hmac => 0x40,
            Otp::Nothing => 0xf0,
        };
        let algorithm = match self.algorithm {
            Algorithm::Sha1 => 0x01,
            Algorithm::Sha256 => 0x02,
            Algorithm::Sha512 => 0x03,
        };
        kind | algorithm
    }
}

impl PasswordSafe {
    /// Reads one of its fields off the front.
    pub(super) fn read_one(&mut self, data: &mut &[u8]) -> Result<(), Refusal> {
        let tag = data.first().copied().ok_or(0x6a80_u16)?;
        let field = match tag {
            0x83 => &mut self.login,
            0x84 => &mut self.password,
            0x85 => &mut self.note,
            _ => return Err(0x6a80),
        };
        let value = take(data, tag).filter(|v| (1..=128).contains(&v.len()));
        *field = Some(SharedSecret::new(value.ok_or(0x6a80_u16)?.to_vec()));
        Ok(())
    }

    /// Takes over the fields that another one has.
    pub(super) fn overlay(&mut self, newer: Self) {
        let Self { login, password, note } = newer;
        self.login = login.or(self.login.take());
        self.password = password.or(self.password.take());
        self.note = note.or(self.note.take());
    }
}

/// Whether a property byte asks for encryption under the PIN.
pub(super) fn pin_encrypts(properties: u8) -> bool {
    properties & PIN_ENCRYPTED != 0
}

/// A name of 1 to 128 bytes off the front (section 4).
pub(super) fn read_name<'a>(data: &mut &'a [u8]) -> Result<&'a [u8], Refusal> {
    let name = take(data, 0x71).filter(|name| (1..=128).contains(&name.len()));
    name.ok_or(0x6a80)
}

fn read_algorithm(kind: u8) -> Result<Algorithm, Refusal> {
    match kind & 0x0f {
        0x01 => Ok(Algorithm::Sha1),
        0x02 => Ok(Algorithm::Sha256),
        0x03 => Ok(Algorithm::Sha512),
        _ => Err(0x6a80),
    }
}

fn read_counter(data: &mut &[u8]) -> Result<u32, Refusal> {
    if data.first() != Some(&0x7a) {
        return Ok(0);
    }
    let value = take(data, 0x7a).ok_or(0x6a80_u16)?;
    let counter = <[u8; 4]>::try_from(value).map_err(|_| 0x6a80_u16)?;
    Ok(u32::from_be_bytes(counter))
}

/// Appends a data object with a plain length byte, as the app writes them; its
/// values have at most 130 bytes.
fn put_plainly(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.extend([tag, u8::try_from(value.len()).unwrap_or(u8::MAX)]);
    out.extend_from_slice(value);
}
