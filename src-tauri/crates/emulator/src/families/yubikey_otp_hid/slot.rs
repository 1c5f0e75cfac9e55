//! The two slots: what a configuration write stores (yubikey-otp-hid.md
//! section 3), and the answer to a challenge (section 4).

use oath::{Algorithm, Digits, SharedSecret};

use super::frame::is_checked;
use crate::{Held, Kind, otp};

/// One of the two places for a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The one that a short press uses; often holds the factory's credential.
    One,
    /// The one that a long press uses.
    Two,
}

impl Slot {
    /// Both, in the order of the slots.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    pub(super) const fn index(self) -> usize {
        match self {
            Self::One => 0,
            Self::Two => 1,
        }
    }
}

/// Ext flag: the serial number may be asked for.
const SERIAL_VISIBLE: u8 = 0x04;
/// Ticket flag: the slot answers challenges and types nothing.
const ANSWERS_CHALLENGES: u8 = 0x40;
/// Config flags: HMAC-SHA-1, fewer than 64 bytes, and a touch for each answer.
const HMAC: u8 = 0x22;
const LESS_THAN_64: u8 = 0x04;
const TOUCH: u8 = 0x08;

/// What a used slot holds.
pub(super) struct Stored {
    pub(super) credential: Credential,
    /// Zeros if the slot is not protected.
    pub(super) access_code: [u8; 6],
    pub(super) serial_visible: bool,
}

/// What a slot can do, as far as this model goes.
pub(super) enum Credential {
    /// HMAC-SHA-1 challenge-response.
    Hmac {
        /// 20 bytes, filled with zeros.
        key: SharedSecret,
        /// Whether the padding is taken off the challenge.
        less_than_64: bool,
        touch: bool,
    },
    /// Something else: a Yubico OTP, a static password, HOTP.
    Other {
        /// What a person calls it.
        title: &'static str,
        touch: bool,
    },
}

/// What a configuration write asks for.
pub(super) enum Write {
    Erase,
    Store(Stored),
}

impl Write {
    /// Reads the 52 bytes; `None` if they are no configuration that this
    /// firmware stores.
    pub(super) fn parse(config: &[u8; 52], knows_challenges: bool) -> Option<Self> {
        if *config == [0; 52] {
            return Some(Self::Erase);
        }
        let (uid, key) = (&config[16..22], &config[22..38]);
        let mut access_code = [0; 6];
        access_code.copy_from_slice(&config[38..44]);
        let &[fixed_length, ext, ticket, flags, 0, 0, _, _] = &config[44..] else {
            return None;
        };
        let answers = ticket & ANSWERS_CHALLENGES != 0;
        if !is_checked(config) || fixed_length > 16 || (answers && !knows_challenges) {
            return None;
        }
        let is_hmac = ticket == ANSWERS_CHALLENGES && flags & !(LESS_THAN_64 | TOUCH) == HMAC;
        let credential = if is_hmac {
            Credential::Hmac {
                key: SharedSecret::new([key, &uid[..4]].concat()),
                less_than_64: flags & LESS_THAN_64 != 0,
                touch: flags & TOUCH != 0,
            }
        } else {
            let touch = !answers || flags & TOUCH != 0;
            Credential::Other { title: "another credential", touch }
        };
        let serial_visible = ext & SERIAL_VISIBLE != 0;
        Some(Self::Store(Stored { credential, access_code, serial_visible }))
    }
}

impl Stored {
    /// Without protection, with the serial number visible.
    pub(super) fn new(credential: Credential) -> Self {
        Self { credential, access_code: [0; 6], serial_visible: true }
    }

    pub(super) fn needs_touch(&self) -> bool {
        match self.credential {
            Credential::Hmac { touch, .. } | Credential::Other { touch, .. } => touch,
        }
    }

    /// What a person who could look inside would find, if it is a shared secret.
    pub(super) fn held(&self) -> Option<Held> {
        match &self.credential {
            Credential::Hmac { key, touch, .. } => Some(Held {
                name: None,
                secret: SharedSecret::new(key.expose().to_vec()),
                algorithm: Algorithm::Sha1,
                // The host truncates; the key knows no digits.
                digits: Digits::SIX,
                period: None,
                kind: Kind::Totp,
                touch: *touch,
            }),
            Credential::Other { .. } => None,
        }
    }

    /// What a person would call it.
    pub(super) fn title(&self) -> &'static str {
        match &self.credential {
            Credential::Hmac { .. } => "HMAC-SHA1",
            Credential::Other { title, .. } => title,
        }
    }
}

impl Credential {
    /// A key of at most 20 bytes, filled with zeros; what is longer is cut off.
    pub(super) fn hmac(secret: &SharedSecret, touch: bool) -> Self {
        let mut key = secret.expose().to_vec();
        key.resize(20, 0);
        Self::Hmac { key: SharedSecret::new(key), less_than_64: true, touch }
    }

    /// The 20 bytes for a challenge; `None` if the slot answers none.
    pub(super) fn respond(&self, challenge: &[u8; 64]) -> Option<Vec<u8>> {
        match self {
            Self::Hmac { key, less_than_64, .. } => {
                let message =
                    if *less_than_64 { without_padding(challenge) } else { challenge.as_slice() };
                Some(otp::mac(Algorithm::Sha1, key.expose(), message))
            }
            Self::Other { .. } => None,
        }
    }
}

/// Strips the run of bytes that equal the last one.
fn without_padding(challenge: &[u8; 64]) -> &[u8] {
    let padding = challenge[63];
    let length = challenge.iter().rposition(|byte| *byte != padding).map_or(0, |at| at + 1);
    &challenge[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_of_the_last_byte_is_padding() {
        let mut challenge = [0; 64];
        challenge[7] = 5;
        assert_eq!(without_padding(&challenge), &challenge[..8]);
        challenge[7] = 0;
        challenge[6] = 5;
        // Padded with the byte that it ends in, it is one byte too short.
        assert_eq!(without_padding(&challenge), &challenge[..7]);
        challenge[8..].fill(1);
        assert_eq!(without_padding(&challenge), &challenge[..8]);
        assert!(without_padding(&[7; 64]).is_empty());
    }
}
