//! What protects records on the wire: ECDH on P-256 with AES-256-CBC, and the
//! keys of an OTP PIN session (token2-fido-otp.md sections 3.2 and 4).

use aes::Aes256;
use aes::cipher::block_padding::{NoPadding, Pkcs7};
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use oath::Algorithm;
use p256::ecdh::diffie_hellman;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{PublicKey, SecretKey};
use sha2::{Digest, Sha256};

use super::{BAD_DATA, Refusal, WRONG_LENGTH, WRONG_PIN};
use crate::challenges::Challenges;
use crate::otp;

/// The constant IV of the ECDH seal.
const SEAL_IV: [u8; 16] = [
    0x9d, 0xd8, 0x91, 0x8e, 0x34, 0xf3, 0xcc, 0xab, 0x08, 0xcb, 0x75, 0x18, 0xf7, 0x19, 0x38, 0xf1,
];

/// One side's P-256 key pair.
pub(super) struct KeyPair(SecretKey);

impl KeyPair {
    /// The first of seed, SHA-256(seed), SHA-256(SHA-256(seed)), … that is a
    /// scalar of the curve; nearly every seed is one.
    pub(super) fn from_seed(mut seed: [u8; 32]) -> Self {
        loop {
            if let Ok(scalar) = SecretKey::from_slice(&seed) {
                return Self(scalar);
            }
            seed = sha256(&seed);
        }
    }

    /// X‖Y, 64 bytes.
    pub(super) fn public(&self) -> Vec<u8> {
        // The first byte of a point only says that it is not compressed.
        self.0.public_key().to_sec1_point(false).as_bytes()[1..].to_vec()
    }

    /// The x-coordinate that both sides find; `None` if the other side's X‖Y is
    /// not on the curve.
    pub(super) fn agree(&self, other: &[u8]) -> Option<[u8; 32]> {
        let other = PublicKey::from_sec1_bytes(&[&[0x04], other].concat()).ok()?;
        let shared = diffie_hellman(self.0.to_nonzero_scalar(), other.as_affine());
        Some((*shared.raw_secret_bytes()).into())
    }

    /// Opens a sealed record: the other side's X‖Y, then ciphertext.
    pub(super) fn unseal(&self, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (other, ciphertext) = body.split_at_checked(64).ok_or(WRONG_LENGTH)?;
        let x = self.agree(other).ok_or(BAD_DATA)?;
        decrypt(&sha256(&x), &SEAL_IV, ciphertext)
    }

    /// Seals a record for the other side, as a host does.
    #[cfg(test)]
    pub(super) fn seal(&self, other: &[u8], clear: &[u8]) -> Vec<u8> {
        let x = self.agree(other).expect("the other side is on the curve");
        [self.public(), encrypt(&sha256(&x), &SEAL_IV, clear)].concat()
    }
}

/// The two keys of an agreement.
#[derive(Clone, Copy)]
pub(super) struct SessionKeys {
    mac: [u8; 32],
    enc: [u8; 32],
}

impl SessionKeys {
    /// From the x-coordinate (section 4 step 3).
    pub(super) fn derive(x: &[u8; 32]) -> Self {
        let pr = hmac(&[0; 32], x);
        Self { mac: hmac(&pr, b"TOTP HMAC key\x01"), enc: hmac(&pr, b"TOTP AES key\x01") }
    }

    /// IV ‖ ciphertext ‖ tag.
    pub(super) fn wrap(&self, iv: [u8; 16], clear: &[u8]) -> Vec<u8> {
        let ciphertext = self.encrypt(&iv, clear);
        let tag = self.tag(&ciphertext);
        [&iv[..], ciphertext.as_slice(), &tag[..]].concat()
    }

    /// The clear text of IV ‖ ciphertext ‖ tag.
    pub(super) fn unwrap(&self, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (iv, rest) = body.split_first_chunk::<16>().ok_or(WRONG_LENGTH)?;
        let (ciphertext, tag) = rest.split_last_chunk::<16>().ok_or(WRONG_LENGTH)?;
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(16) {
            return Err(WRONG_LENGTH);
        }
        if self.tag(ciphertext) != *tag {
            return Err(WRONG_PIN);
        }
        self.decrypt(iv, ciphertext)
    }

    /// The first half of the HMAC.
    pub(super) fn tag(&self, message: &[u8]) -> [u8; 16] {
        first_half(hmac(&self.mac, message))
    }

    pub(super) fn encrypt(&self, iv: &[u8; 16], clear: &[u8]) -> Vec<u8> {
        encrypt(&self.enc, iv, clear)
    }

    pub(super) fn decrypt(&self, iv: &[u8; 16], ciphertext: &[u8]) -> Result<Vec<u8>, Refusal> {
        decrypt(&self.enc, iv, ciphertext)
    }

    /// One block without padding.
    pub(super) fn encrypt_block(&self, iv: &[u8; 16], block: &[u8; 16]) -> [u8; 16] {
        encrypt_block(&self.enc, iv, block)
    }

    /// One block without padding.
    pub(super) fn decrypt_block(&self, iv: &[u8; 16], block: &[u8; 16]) -> [u8; 16] {
        let mut block = *block;
        cbc::Decryptor::<Aes256>::new(&self.enc.into(), &(*iv).into())
            .decrypt_padded::<NoPadding>(&mut block)
            .expect("one block is whole blocks");
        block
    }
}

/// One block of AES-256-CBC without padding.
pub(super) fn encrypt_block(key: &[u8; 32], iv: &[u8; 16], block: &[u8; 16]) -> [u8; 16] {
    let mut block = *block;
    cbc::Encryptor::<Aes256>::new(&(*key).into(), &(*iv).into())
        .encrypt_padded::<NoPadding>(&mut block, 16)
        .expect("one block is whole blocks");
    block
}

pub(super) fn sha256(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

pub(super) fn first_half(digest: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

/// Where random blocks and IVs come from.
pub(super) enum Randoms {
    /// The numbers that follow from the serial number.
    Seeded(Challenges),
    /// The same each time, for the sheet's vectors.
    Fixed { random: [u8; 16], iv: [u8; 16] },
}

impl Randoms {
    /// The random that a PIN is verified with.
    pub(super) fn random(&mut self) -> [u8; 16] {
        match self {
            Self::Seeded(numbers) => two(numbers),
            Self::Fixed { random, .. } => *random,
        }
    }

    pub(super) fn iv(&mut self) -> [u8; 16] {
        match self {
            Self::Seeded(numbers) => two(numbers),
            Self::Fixed { iv, .. } => *iv,
        }
    }
}

fn two(numbers: &mut Challenges) -> [u8; 16] {
    let mut block = [0; 16];
    block[..8].copy_from_slice(&numbers.next());
    block[8..].copy_from_slice(&numbers.next());
    block
}

fn encrypt(key: &[u8; 32], iv: &[u8; 16], clear: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(&(*key).into(), &(*iv).into()).encrypt_padded_vec::<Pkcs7>(clear)
}

fn decrypt(key: &[u8; 32], iv: &[u8; 16], ciphertext: &[u8]) -> Result<Vec<u8>, Refusal> {
    if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(16) {
        return Err(WRONG_LENGTH);
    }
    cbc::Decryptor::<Aes256>::new(&(*key).into(), &(*iv).into())
        .decrypt_padded_vec::<Pkcs7>(ciphertext)
        .map_err(|_| BAD_DATA)
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = otp::mac(Algorithm::Sha256, key, message);
    let mut whole = [0; 32];
    whole.copy_from_slice(&mac);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::unhex;

    const DEVICE: &str = "11D6BF7F71E9B445E41D1C4C44A0FB730A39F3BD23464D2F40388ABE95220EAC\
                          3B7F1298401253D08FF5DEFE922A8F29B3020A0F81032D4B916086CA66D38262";
    const X: &str = "F755922A26822ED6B11AAA5ACF63BA982B818457DE99419F46601932FAE1BC0F";

    fn pair(name: &str) -> KeyPair {
        KeyPair::from_seed(sha256(name.as_bytes()))
    }

    fn x() -> [u8; 32] {
        unhex(X).try_into().expect("32 bytes")
    }

    #[test]
    fn the_sheets_key_pairs_agree() {
        assert_eq!(pair("device").public(), unhex(DEVICE));
        assert_eq!(pair("device").agree(&pair("host").public()), Some(x()));
        assert_eq!(pair("host").agree(&unhex(DEVICE)), Some(x()));
        let key = "4607697B7C6DD3B406351F028CF5FF9749087F278A1E43844C45B98D21E152FA";
        assert_eq!(sha256(&x()).to_vec(), unhex(key));
        assert_eq!(pair("device").agree(&[7; 64]), None);
    }

    #[test]
    fn the_sheets_seal() {
        let clear = unhex(
            "01C1001E0600094D6963726F736F667411616C696365406578616D706C652E636F6D0A\
             48656C6C6F21DEADBEEF",
        );
        let ciphertext = unhex(
            "AA35EA7519CFFB57E310A13DF9DDF260DBCB709E021BBBFAFB5E366435AB594F\
             1AB95E694B377BAF27A0F6C61CA6B38D",
        );
        let sealed = pair("host").seal(&unhex(DEVICE), &clear);
        assert_eq!(sealed, [pair("host").public(), ciphertext].concat());
        assert_eq!(pair("device").unseal(&sealed), Ok(clear));
        assert_eq!(pair("device").unseal(&sealed[..64]), Err(WRONG_LENGTH));
        assert_eq!(pair("device").unseal(&sealed[..79]), Err(WRONG_LENGTH));
        assert_eq!(pair("another").unseal(&sealed), Err(BAD_DATA));
    }

    #[test]
    fn the_sheets_session_keys() {
        let keys = SessionKeys::derive(&x());
        let mac = "5DD7BECA3885B5788C2B3129648D21A37719D7ED6A9120328DC36F104D9AE51C";
        let enc = "E07B7F2EE0A884BB8A91CEAA9EE2F96CF60995B0BFCF2BA4C18AEFD34D9E096F";
        assert_eq!((keys.mac.to_vec(), keys.enc.to_vec()), (unhex(mac), unhex(enc)));
        let pr = "E1F050C4AD5903155608E8F26739D547032AFF10FDD0F35603ACE618FF98249E";
        assert_eq!(hmac(&[0; 32], &x()).to_vec(), unhex(pr));
    }

    #[test]
    fn a_changed_tag_or_ciphertext_does_not_open() {
        let keys = SessionKeys::derive(&x());
        let wrapped = keys.wrap([1; 16], b"twenty bytes of text");
        assert_eq!(keys.unwrap(&wrapped), Ok(b"twenty bytes of text".to_vec()));
        for at in [16, wrapped.len() - 1] {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert_eq!(keys.unwrap(&changed), Err(WRONG_PIN));
        }
        assert_eq!(keys.unwrap(&wrapped[..32]), Err(WRONG_LENGTH));
        assert_eq!(keys.unwrap(&wrapped[..47]), Err(WRONG_LENGTH));
    }
}
