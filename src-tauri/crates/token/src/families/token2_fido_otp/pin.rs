//! The session that a PIN opens, release 3.4 (token2-fido-otp.md section 4).
//!
//! While it is open, answers and records travel as IV, ciphertext and tag under
//! keys of this session. The key's signature under the agreement is checked by no
//! client that is known, nor here, so its public key is not authenticated.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::seal::{SealedRecord, decrypt_block, decrypt_padded, encrypt_block, encrypt_padded};
use super::wire::ClearRecord;

/// The keys of one session; wiped when dropped.
pub(super) struct PinSession {
    mac_key: Zeroizing<[u8; 32]>,
    encryption_key: Zeroizing<[u8; 32]>,
}

impl PinSession {
    /// From the x-coordinate of the agreement.
    pub(super) fn derive(x: &[u8; 32]) -> Self {
        let pseudorandom = hmac(&[0; 32], x);
        Self {
            mac_key: hmac(&pseudorandom, b"TOTP HMAC key\x01"),
            encryption_key: hmac(&pseudorandom, b"TOTP AES key\x01"),
        }
    }

    /// The proof of the PIN over the key's random number, with a fresh IV: what is
    /// sent to verify, 32 bytes.
    pub(super) fn verification(
        &self,
        pin: &str,
        (iv, encrypted): &([u8; 16], [u8; 16]),
        fresh_iv: &[u8; 16],
    ) -> Zeroizing<[u8; 32]> {
        let random = Zeroizing::new(decrypt_block(&self.encryption_key, iv, encrypted));
        let inner = inner(pin, &random);
        let mut verification = Zeroizing::new([0; 32]);
        verification[..16].copy_from_slice(fresh_iv);
        verification[16..].copy_from_slice(&encrypt_block(&self.encryption_key, fresh_iv, &inner));
        verification
    }

    /// Protects a record; always short enough for a short command.
    pub(super) fn protect(&self, record: &ClearRecord, iv: &[u8; 16]) -> Option<SealedRecord> {
        let ciphertext = encrypt_padded(&self.encryption_key, iv, record.bytes());
        SealedRecord::protected(iv, &ciphertext, &self.tag(&ciphertext))
    }

    /// Opens an answer; `None` when its tag or its form is wrong.
    pub(super) fn open(&self, answer: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (iv, rest) = answer.split_first_chunk::<16>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<16>()?;
        if !bool::from(self.tag(ciphertext).ct_eq(tag)) {
            return None;
        }
        decrypt_padded(&self.encryption_key, iv, ciphertext)
    }

    fn tag(&self, ciphertext: &[u8]) -> [u8; 16] {
        let mut tag = [0; 16];
        tag.copy_from_slice(&hmac(&self.mac_key, ciphertext)[..16]);
        tag
    }
}

/// The random number under the hash of the PIN, with an IV from its own hash.
fn inner(pin: &str, random: &[u8; 16]) -> Zeroizing<[u8; 16]> {
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(Sha256::digest(pin.as_bytes()).into());
    let mut iv = Zeroizing::new([0; 16]);
    iv.copy_from_slice(&Sha256::digest(random)[..16]);
    Zeroizing::new(encrypt_block(&key, &iv, random))
}

fn hmac(key: &[u8; 32], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
pub(super) mod tests {
    use data_encoding::HEXUPPER;
    use oath::{Parameters, SharedSecret};

    use super::super::seal::{self, pairs};
    use super::super::wire::Name;
    use super::*;

    const IV: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    /// The session of the sheet's pairs.
    pub(in super::super) fn session() -> PinSession {
        PinSession::derive(&pairs::host().agree(&pairs::device()))
    }

    /// An answer as a key in this session gives it.
    pub(in super::super) fn protected(clear: &[u8]) -> Vec<u8> {
        let session = session();
        let ciphertext = encrypt_padded(&session.encryption_key, &IV, clear);
        [&IV[..], &ciphertext, &session.tag(&ciphertext)].concat()
    }

    /// The sheet's random number `10…1F` as a key in this session tells it.
    pub(in super::super) fn encrypted_random() -> [u8; 16] {
        let random = std::array::from_fn(|n| 0x10 + u8::try_from(n).expect("below 16"));
        encrypt_block(&session().encryption_key, &IV, &random)
    }

    #[test]
    fn keys_are_the_sheets() {
        let x = pairs::host().agree(&pairs::device());
        assert_eq!(
            HEXUPPER.encode(hmac(&[0; 32], &*x).as_slice()),
            "E1F050C4AD5903155608E8F26739D547032AFF10FDD0F35603ACE618FF98249E"
        );
        let session = session();
        assert_eq!(
            HEXUPPER.encode(session.mac_key.as_slice()),
            "5DD7BECA3885B5788C2B3129648D21A37719D7ED6A9120328DC36F104D9AE51C"
        );
        assert_eq!(
            HEXUPPER.encode(session.encryption_key.as_slice()),
            "E07B7F2EE0A884BB8A91CEAA9EE2F96CF60995B0BFCF2BA4C18AEFD34D9E096F"
        );
    }

    #[test]
    fn verification_is_the_sheets() {
        let random = std::array::from_fn(|n| 0x10 + u8::try_from(n).expect("below 16"));
        let inner = inner("135790", &random);
        assert_eq!(HEXUPPER.encode(inner.as_slice()), "81D9CE7B67B448A631131F2CD9860017");
        let sent = session().verification("135790", &(IV, encrypted_random()), &IV);
        assert_eq!(
            HEXUPPER.encode(sent.as_slice()),
            "000102030405060708090A0B0C0D0E0F7C1932F3EF40F81DA17DB4D264689782"
        );
    }

    #[test]
    fn a_protected_write_is_the_sheets() {
        let name = Name::new("Microsoft", "alice@example.com").expect("fits");
        let secret = SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec());
        let record = ClearRecord::entry(&name, Parameters::default(), &secret).expect("fits");
        let sealed = session().protect(&record, &IV).expect("short enough");
        assert_eq!(
            HEXUPPER.encode(&seal::write(&sealed).encode()),
            "80C5050250000102030405060708090A0B0C0D0E0F16AF0E81CBD963EBF8852225F4D6F22AD0F9EB34A1468BB793F1FE0207FEC19DBCE4C97DBF679CCD49768FD1CC6AA8B30B3E46A05835288539B411881B7C9C8C"
        );
    }

    #[test]
    fn the_longest_record_is_short_enough() {
        let name = Name::new(&"s".repeat(64), &"a".repeat(64)).expect("fits");
        let secret = SharedSecret::new(vec![1; 64]);
        let record = ClearRecord::entry(&name, Parameters::default(), &secret).expect("fits");
        assert!(session().protect(&record, &IV).is_some());
    }

    #[test]
    fn an_answer_with_a_wrong_tag_or_length_stays_shut() {
        let answer = protected(b"clear");
        assert_eq!(session().open(&answer).as_deref().map(Vec::as_slice), Some(&b"clear"[..]));
        for len in 0..answer.len() {
            assert!(session().open(&answer[..len]).is_none(), "{len} bytes");
        }
        for at in 16..answer.len() {
            let mut broken = answer.clone();
            broken[at] ^= 1;
            assert!(session().open(&broken).is_none(), "byte {at}");
        }
    }
}
