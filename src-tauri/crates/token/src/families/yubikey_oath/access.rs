//! The applet's password (yubikey-oath.md section 4).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Rounds of PBKDF2-HMAC-SHA1, fixed by the protocol.
const ROUNDS: u32 = 1000;

/// The 16-byte key behind a password, with the challenge that the token has to
/// sign in return.
pub(super) struct Access {
    key: Zeroizing<[u8; 16]>,
    challenge: [u8; 8],
}

impl Access {
    /// Derives the key from the password in UTF-8 and the salt of SELECT.
    pub(super) fn derive(password: &str, salt: &[u8], challenge: [u8; 8]) -> Self {
        let mut key = Zeroizing::new([0; 16]);
        pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), salt, ROUNDS, &mut *key);
        Self { key, challenge }
    }

    /// The host's challenge, 8 bytes.
    pub(super) fn challenge(&self) -> [u8; 8] {
        self.challenge
    }

    /// HMAC-SHA1 with the key, 20 bytes.
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 20] {
        let mut mac =
            Hmac::<Sha1>::new_from_slice(&*self.key).expect("HMAC takes keys of every length");
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// Whether the token signed the host's challenge with the same key.
    pub(super) fn accepts(&self, mac: &[u8]) -> bool {
        self.sign(&self.challenge).ct_eq(mac).into()
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    /// The password vector of yubikey-oath.md section 8.
    #[test]
    fn key_and_proofs_are_the_sheets() {
        let salt = HEXLOWER.decode(b"0011223344556677").expect("hex");
        let access = Access::derive("correct horse", &salt, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(HEXLOWER.encode(&*access.key), "15361e19bd8b539f93cb0b5ea947ff94");
        let card = HEXLOWER.decode(b"8899aabbccddeeff").expect("hex");
        let host = HEXLOWER.encode(&access.sign(&card));
        assert_eq!(host, "85cee588b3e61e11b676b6e738958a13f8513a94");
        let token = HEXLOWER.decode(b"1bbecfa6898e4e484b29084b6b37e95fcb7bc4b4").expect("hex");
        assert!(access.accepts(&token));
        assert!(!access.accepts(&token[..19]));
    }
}
