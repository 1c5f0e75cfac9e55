//! Credentials: what a PUT stores, and the codes that are computed from it.

use oath::{Algorithm, Digits, SharedSecret};

use super::Refusal;
use super::product::{Product, Property};
use crate::wire::{put, take};
use crate::{Held, Kind, otp};

/// Bits of the property byte (yubikey-oath.md section 2).
const INCREASING: u8 = 0x01;
const TOUCH: u8 = 0x02;

/// One stored credential.
pub(super) struct Credential {
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) algorithm: Algorithm,
    pub(super) digits: u8,
    pub(super) key: SharedSecret,
    pub(super) touch: bool,
    /// The highest challenge so far, without leading zeros, if challenges must
    /// not fall.
    pub(super) increasing: Option<Vec<u8>>,
    /// The next moving factor of a counter-based credential.
    pub(super) counter: u64,
}

impl Credential {
    /// Reads the data of a PUT by the rules of a product.
    pub(super) fn parse(mut data: &[u8], product: &Product) -> Result<Self, Refusal> {
        let name = take(&mut data, 0x71).ok_or(0x6a80_u16)?;
        if name.is_empty() || name.len() > 64 {
            return Err(0x6a80);
        }
        let [kind, digits, key @ ..] = take(&mut data, 0x73).ok_or(0x6a80_u16)? else {
            return Err(0x6a80);
        };
        let (kind, algorithm) = read_type(*kind).ok_or(0x6a80_u16)?;
        let most = product.most_key(algorithm).ok_or(0x6a80_u16)?;
        let (fewest, most_digits) = product.digits;
        if !(product.least_key..=most).contains(&key.len())
            || !(fewest..=most_digits).contains(digits)
        {
            return Err(0x6a80);
        }
        let properties = read_properties(&mut data, product)?;
        let counter = read_counter(&mut data)?;
        if let (false, Some(refusal)) = (data.is_empty(), product.surplus) {
            return Err(refusal);
        }
        Ok(Self {
            name: name.to_vec(),
            kind,
            algorithm,
            digits: *digits,
            key: SharedSecret::new(key.to_vec()),
            touch: properties & TOUCH != 0,
            increasing: (properties & INCREASING != 0).then(Vec::new),
            counter: u64::from(counter),
        })
    }

    /// Type and algorithm in one byte, as PUT and LIST have it.
    pub(super) fn type_byte(&self) -> u8 {
        let kind = match self.kind {
            Kind::Hotp => 0x10,
            Kind::Totp => 0x20,
        };
        let algorithm = match self.algorithm {
            Algorithm::Sha1 => 0x01,
            Algorithm::Sha256 => 0x02,
            Algorithm::Sha512 => 0x03,
        };
        kind | algorithm
    }

    /// Appends the answer to a challenge: `76` with 31 bits, or `75` with all.
    pub(super) fn respond(
        &mut self,
        challenge: &[u8],
        truncated: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let mac = match self.kind {
            Kind::Hotp => {
                let factor = self.counter.to_be_bytes();
                self.counter += 1;
                otp::mac(self.algorithm, self.key.expose(), &factor)
            }
            Kind::Totp => {
                if challenge.is_empty() || challenge.len() > 64 {
                    return Err(0x6a80);
                }
                self.rise_to(challenge)?;
                otp::mac(self.algorithm, self.key.expose(), challenge)
            }
        };
        let (tag, value) = if truncated {
            (0x76, otp::truncate(&mac).to_be_bytes().to_vec())
        } else {
            (0x75, mac)
        };
        put(out, tag, &[&[self.digits], value.as_slice()].concat());
        Ok(())
    }

    /// What a person who could look inside would find.
    pub(super) fn held(&self) -> Held {
        Held {
            name: Some(String::from_utf8_lossy(&self.name).into_owned()),
            secret: SharedSecret::new(self.key.expose().to_vec()),
            algorithm: self.algorithm,
            digits: Digits::new(u64::from(self.digits)).unwrap_or(Digits::SIX),
            period: None,
            kind: self.kind,
            touch: self.touch,
        }
    }

    fn rise_to(&mut self, challenge: &[u8]) -> Result<(), Refusal> {
        let Some(highest) = &mut self.increasing else {
            return Ok(());
        };
        let start = challenge.iter().position(|byte| *byte != 0).unwrap_or(challenge.len());
        let wanted = &challenge[start..];
        if (wanted.len(), wanted) < (highest.len(), highest.as_slice()) {
            return Err(0x6982);
        }
        *highest = wanted.to_vec();
        Ok(())
    }
}

fn read_type(byte: u8) -> Option<(Kind, Algorithm)> {
    let kind = match byte & 0xf0 {
        0x10 => Kind::Hotp,
        0x20 => Kind::Totp,
        _ => return None,
    };
    let algorithm = match byte & 0x0f {
        0x01 => Algorithm::Sha1,
        0x02 => Algorithm::Sha256,
        0x03 => Algorithm::Sha512,
        _ => return None,
    };
    Some((kind, algorithm))
}

/// The property has no length byte: tag, then value.
fn read_properties(data: &mut &[u8], product: &Product) -> Result<u8, Refusal> {
    let [0x78, rest @ ..] = *data else {
        return Ok(0);
    };
    if product.property == Property::Lost {
        // Its value is taken for a length that is not there, and all is ignored.
        *data = &[];
        return Ok(0);
    }
    let [properties, rest @ ..] = rest else {
        return Err(0x6a80);
    };
    *data = rest;
    match product.property {
        Property::Kept if properties & !(INCREASING | TOUCH) != 0 => Err(0x6a80),
        Property::Kept => Ok(*properties),
        Property::TouchIgnored | Property::Lost => Ok(properties & INCREASING),
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
