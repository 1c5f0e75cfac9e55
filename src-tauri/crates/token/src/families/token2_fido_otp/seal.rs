//! How a record is made unreadable on its way to the key: ECDH and the seal of a
//! key without PIN (token2-fido-otp.md section 3.2).
//!
//! A write **without data** erases every record of the key. So the one function
//! that builds the write command takes a [`SealedRecord`], which is never empty.

use aes::Aes256;
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use p256::ecdh::diffie_hellman;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::{FieldBytes, NonZeroScalar, PublicKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::wire::ClearRecord;
use crate::{CommandApdu, Random};

/// The IV of every seal, constant because each seal has a key of its own.
const IV: [u8; 16] = [
    0x9d, 0xd8, 0x91, 0x8e, 0x34, 0xf3, 0xcc, 0xab, 0x08, 0xcb, 0x75, 0x18, 0xf7, 0x19, 0x38, 0xf1,
];

/// A wrong scalar is drawn once in 2^32 times; so many in a row are no randomness.
const MOST_DRAWS: usize = 16;

/// What the write command carries, 1 to 255 bytes: a sealed entry or the sealed
/// deletion of one.
pub(super) struct SealedRecord(Vec<u8>);

impl SealedRecord {
    /// Whether a record is sealed to at most 255 bytes: name and secret have together
    /// 166 bytes or fewer.
    pub(super) fn is_short_enough(record: &ClearRecord) -> bool {
        64 + (record.bytes().len() / 16 + 1) * 16 <= 255
    }

    /// Seals for a key without PIN: 64 bytes of the host's key, then the ciphertext.
    /// `None` when that is not [short enough](Self::is_short_enough).
    pub(super) fn sealed(host: &HostKey, device: &DeviceKey, record: &ClearRecord) -> Option<Self> {
        let key: Zeroizing<[u8; 32]> =
            Zeroizing::new(Sha256::digest(host.agree(device).as_slice()).into());
        let ciphertext = encrypt_padded(&key, &IV, record.bytes());
        Self::of(&[host.public(), &ciphertext])
    }

    /// What a PIN session made of a record: IV, ciphertext and tag.
    pub(super) fn protected(iv: &[u8; 16], ciphertext: &[u8], tag: &[u8; 16]) -> Option<Self> {
        Self::of(&[iv, ciphertext, tag])
    }

    fn of(parts: &[&[u8]]) -> Option<Self> {
        let bytes = parts.concat();
        (1..=255).contains(&bytes.len()).then_some(Self(bytes))
    }
}

/// `80 C5 05 02`: writes or deletes, by what was sealed. A touch is waited for
/// because `6FF9`, touch timed out, is among the answers.
pub(super) fn write(record: &SealedRecord) -> CommandApdu {
    CommandApdu::new([0x80, 0xc5, 0x05, 0x02], &record.0).waiting_for_touch()
}

/// The key's public key on P-256. Nothing says that it is the key's.
pub(super) struct DeviceKey(PublicKey);

impl DeviceKey {
    /// From X and Y, 64 bytes; `None` for another length or a point off the curve.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let point: &[u8; 64] = bytes.try_into().ok()?;
        let mut uncompressed = [0x04; 65];
        uncompressed[1..].copy_from_slice(point);
        PublicKey::from_sec1_bytes(&uncompressed).ok().map(Self)
    }

    /// X and Y, 64 bytes.
    pub(super) fn bytes(&self) -> [u8; 64] {
        coordinates(&self.0)
    }
}

/// The host's key pair, for one seal or one PIN session; wiped when dropped.
pub(super) struct HostKey {
    scalar: Zeroizing<NonZeroScalar>,
    public: [u8; 64],
}

impl HostKey {
    /// Draws a pair. `None` when `random` gives no scalar of the curve.
    pub(super) fn draw(random: &Random) -> Option<Self> {
        let mut bytes = Zeroizing::new(FieldBytes::default());
        (0..MOST_DRAWS).find_map(|_| {
            random(&mut bytes);
            let scalar = Zeroizing::new(NonZeroScalar::from_repr(*bytes).into_option()?);
            let public = coordinates(&PublicKey::from_secret_scalar(&scalar));
            Some(Self { scalar, public })
        })
    }

    /// X and Y, 64 bytes.
    pub(super) fn public(&self) -> &[u8; 64] {
        &self.public
    }

    /// The x-coordinate of the shared point, 32 bytes.
    pub(super) fn agree(&self, device: &DeviceKey) -> Zeroizing<[u8; 32]> {
        let shared = diffie_hellman(&*self.scalar, device.0.as_affine());
        Zeroizing::new((*shared.raw_secret_bytes()).into())
    }
}

fn coordinates(key: &PublicKey) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&key.as_affine().x());
    bytes[32..].copy_from_slice(&key.as_affine().y());
    bytes
}

/// AES-256-CBC with PKCS#7.
pub(super) fn encrypt_padded(key: &[u8; 32], iv: &[u8; 16], clear: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(clear)
}

/// AES-256-CBC with PKCS#7; `None` when the padding or the length is wrong.
pub(super) fn decrypt_padded(
    key: &[u8; 32],
    iv: &[u8; 16],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    cbc::Decryptor::<Aes256>::new(key.into(), iv.into())
        .decrypt_padded_vec::<Pkcs7>(ciphertext)
        .ok()
        .map(Zeroizing::new)
}

/// AES-256-CBC of one block, without padding.
pub(super) fn encrypt_block(key: &[u8; 32], iv: &[u8; 16], block: &[u8; 16]) -> [u8; 16] {
    let mut out = *block;
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into())
        .encrypt_padded::<NoPadding>(&mut out, block.len())
        .expect("one whole block needs no padding");
    out
}

/// AES-256-CBC of one block, without padding.
pub(super) fn decrypt_block(key: &[u8; 32], iv: &[u8; 16], block: &[u8; 16]) -> [u8; 16] {
    let mut out = *block;
    cbc::Decryptor::<Aes256>::new(key.into(), iv.into())
        .decrypt_padded::<NoPadding>(&mut out)
        .expect("one whole block has no padding");
    out
}

/// The fixed pairs of the sheet's section 6.
#[cfg(test)]
pub(super) mod pairs {
    use std::sync::Arc;

    use data_encoding::HEXUPPER;
    use sha2::{Digest, Sha256};

    use super::{DeviceKey, HostKey};
    use crate::Random;

    pub(in super::super) const DEVICE: &str = "11D6BF7F71E9B445E41D1C4C44A0FB730A39F3BD23464D2F40388ABE95220EAC3B7F1298401253D08FF5DEFE922A8F29B3020A0F81032D4B916086CA66D38262";
    pub(in super::super) const HOST: &str = "94CA8A4055127ED3FD2C0E0DD7802D53561201B333120B3A0AB6CF7A4381D3493168A1D47EC9440AC4F02FC8E990AB4C4449534C5FC1908CDF19BDDE32519A04";

    /// The sheet's host scalar for 32 bytes, its IV for 16.
    pub(in super::super) fn random() -> Random {
        Arc::new(|bytes: &mut [u8]| {
            if bytes.len() == 32 {
                bytes.copy_from_slice(&Sha256::digest(b"host"));
            } else {
                bytes.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n);
            }
        })
    }

    pub(in super::super) fn device() -> DeviceKey {
        DeviceKey::parse(&HEXUPPER.decode(DEVICE.as_bytes()).expect("hex")).expect("a point")
    }

    pub(in super::super) fn host() -> HostKey {
        HostKey::draw(&random()).expect("a scalar")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    use data_encoding::HEXUPPER;
    use oath::{Parameters, SharedSecret};

    use super::pairs::{DEVICE, HOST, device, host, random};
    use super::*;
    use crate::families::token2_fido_otp::wire::Name;

    fn check_written(record: &ClearRecord, ciphertext: &str) {
        let sealed = SealedRecord::sealed(&host(), &device(), record).expect("short enough");
        let command = HEXUPPER.encode(&write(&sealed).encode());
        assert_eq!(command, format!("80C5050270{HOST}{ciphertext}"));
    }

    #[test]
    fn keys_and_agreement_are_the_sheets() {
        assert_eq!(HEXUPPER.encode(host().public()), HOST);
        assert_eq!(HEXUPPER.encode(&device().bytes()), DEVICE);
        let x = host().agree(&device());
        assert_eq!(
            HEXUPPER.encode(x.as_slice()),
            "F755922A26822ED6B11AAA5ACF63BA982B818457DE99419F46601932FAE1BC0F"
        );
        assert_eq!(
            HEXUPPER.encode(&Sha256::digest(x.as_slice())),
            "4607697B7C6DD3B406351F028CF5FF9749087F278A1E43844C45B98D21E152FA"
        );
    }

    #[test]
    fn write_and_deletion_are_the_sheets() {
        let name = Name::new("Microsoft", "alice@example.com").expect("fits");
        let secret = SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec());
        let entry = ClearRecord::entry(&name, Parameters::default(), &secret).expect("fits");
        check_written(
            &entry,
            "AA35EA7519CFFB57E310A13DF9DDF260DBCB709E021BBBFAFB5E366435AB594F1AB95E694B377BAF27A0F6C61CA6B38D",
        );
        check_written(
            &ClearRecord::deletion(&name),
            "7823142B1CBFDC63264E26488AB34C6B5310A71CF4D5EDF70208DCF31AE23B983459CBE4BAD977548F1901E5D19FD81D",
        );
    }

    #[test]
    fn a_record_is_sealed_up_to_what_a_short_command_carries() {
        let sealed = |app: usize, account: usize, secret: usize| {
            let name = Name::new(&"s".repeat(app), &"a".repeat(account)).expect("fits");
            let secret = SharedSecret::new(vec![1; secret]);
            let record = ClearRecord::entry(&name, Parameters::default(), &secret).expect("fits");
            let sealed = SealedRecord::sealed(&host(), &device(), &record);
            assert_eq!(SealedRecord::is_short_enough(&record), sealed.is_some());
            sealed
        };
        assert!(sealed(0, 1, 1).is_some_and(|sealed| !sealed.0.is_empty()));
        assert!(sealed(64, 64, 38).is_some_and(|sealed| sealed.0.len() == 240));
        assert!(sealed(64, 64, 39).is_none());
    }

    #[test]
    fn nothing_empty_is_ever_a_sealed_record() {
        assert!(SealedRecord::of(&[]).is_none());
        assert!(SealedRecord::of(&[&[], &[]]).is_none());
        assert!(SealedRecord::of(&[&[0; 256]]).is_none());
    }

    #[test]
    fn a_point_that_is_none_is_refused() {
        for bytes in [vec![], vec![0; 63], vec![0; 64], vec![0xff; 64], vec![1; 65]] {
            assert!(DeviceKey::parse(&bytes).is_none());
        }
    }

    /// Zero and the curve's order are no scalars: the next draw counts.
    #[test]
    fn an_invalid_scalar_is_drawn_again_and_no_randomness_ends() {
        let draws = AtomicU8::new(0);
        let poor: Random =
            Arc::new(move |bytes: &mut [u8]| match draws.fetch_add(1, Ordering::Relaxed) {
                0 => bytes.fill(0),
                1 => bytes.fill(0xff),
                _ => random()(bytes),
            });
        let third = HostKey::draw(&poor).expect("the third");
        assert_eq!(third.public(), host().public());
        let none: Random = Arc::new(|bytes: &mut [u8]| bytes.fill(0));
        assert!(HostKey::draw(&none).is_none());
    }

    #[test]
    fn broken_padding_is_told() {
        let key = [7; 32];
        let sealed = encrypt_padded(&key, &IV, b"clear");
        assert_eq!(
            decrypt_padded(&key, &IV, &sealed).as_deref().map(Vec::as_slice),
            Some(&b"clear"[..])
        );
        assert!(decrypt_padded(&key, &IV, &sealed[..15]).is_none());
        assert!(decrypt_padded(&[8; 32], &IV, &sealed).is_none());
        assert!(decrypt_padded(&key, &IV, &[]).is_none());
    }
}
