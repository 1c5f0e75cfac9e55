//! One-time password slots, what is sent before they are written, and the codes
//! that are computed from them (nitrokey-pro.md sections 3 to 5).

use oath::{Algorithm, Digits, Period, SharedSecret};

use super::frame::Refusal;
use crate::{Held, Kind, otp};

/// Bytes of a name and of a secret in a slot.
pub(super) const NAME: usize = 15;
pub(super) const SECRET: usize = 40;

/// Data bytes of one `SEND_OTP_DATA`.
const PART: usize = 30;

/// Bit 0 of the configuration: eight digits instead of six.
const EIGHT_DIGITS: u8 = 0x01;

/// One programmed slot.
pub(super) struct Slot {
    pub(super) name: [u8; NAME],
    pub(super) secret: SharedSecret,
    pub(super) config: u8,
    pub(super) token_id: [u8; 13],
    /// The period in seconds, or the counter.
    pub(super) moving: u64,
}

impl Slot {
    /// The name up to its first zero byte.
    pub(super) fn shown_name(&self) -> String {
        let end = self.name.iter().position(|byte| *byte == 0).unwrap_or(NAME);
        String::from_utf8_lossy(&self.name[..end]).into_owned()
    }

    /// The period that the device computes with: 16 bits of the stored one.
    pub(super) fn period(&self) -> u16 {
        let [low, high, ..] = self.moving.to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// The code for a moving factor, as a number.
    pub(super) fn code(&self, factor: u64) -> u32 {
        let key = self.secret.expose();
        let bits = otp::truncate(&otp::mac(Algorithm::Sha1, key, &factor.to_be_bytes()));
        bits % 10_u32.pow(u32::from(self.digits().get()))
    }

    pub(super) fn held(&self, kind: Kind) -> Held {
        Held {
            name: Some(self.shown_name()),
            secret: SharedSecret::new(self.secret.expose().to_vec()),
            algorithm: Algorithm::Sha1,
            digits: self.digits(),
            period: match kind {
                Kind::Totp => Period::new(u64::from(self.period())).ok(),
                Kind::Hotp => None,
            },
            kind,
            touch: false,
        }
    }

    fn digits(&self) -> Digits {
        if self.config & EIGHT_DIGITS == 0 { Digits::SIX } else { Digits::EIGHT }
    }
}

/// What `SEND_OTP_DATA` has filled since the transaction began.
pub(super) struct Transaction {
    pub(super) name: [u8; NAME],
    pub(super) secret: SharedSecret,
}

impl Transaction {
    /// Zero-filled, which happens at the start of a transaction and never within.
    pub(super) fn begin() -> Self {
        Self { name: [0; NAME], secret: SharedSecret::new(vec![0; SECRET]) }
    }

    /// Takes one part; answers the whole name or the whole secret, as it is now.
    pub(super) fn take(&mut self, kind: u8, index: u8, part: &[u8]) -> Result<Vec<u8>, Refusal> {
        match (kind, index) {
            (b'N', 0) => {
                fill(&mut self.name, part);
                if self.name[0] == 0 {
                    return Err(Refusal::NoName);
                }
                Ok(self.name.to_vec())
            }
            (b'S', 0 | 1) => {
                let mut secret = self.secret.expose().to_vec();
                fill(&mut secret[usize::from(index) * PART..], part);
                self.secret = SharedSecret::new(secret.clone());
                Ok(secret)
            }
            _ => Err(Refusal::NotSupported),
        }
    }

    /// The slot that is written, where `old` was. A secret of zeros keeps the old
    /// one, and an empty slot's flash is erased, which is all ones.
    pub(super) fn into_slot(self, old: Option<Slot>, rest: &Rest) -> Slot {
        let secret = if self.secret.expose().iter().any(|byte| *byte != 0) {
            self.secret
        } else {
            old.map_or_else(|| SharedSecret::new(vec![0xff; SECRET]), |old| old.secret)
        };
        let &Rest { moving, config, token_id } = rest;
        Slot { name: self.name, secret, config, token_id, moving }
    }
}

/// What `WRITE_TO_SLOT` says beside the slot's number.
pub(super) struct Rest {
    pub(super) moving: u64,
    pub(super) config: u8,
    pub(super) token_id: [u8; 13],
}

fn fill(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
