//! Keys from passwords and what they open: PBKDF2, scrypt, AES-GCM, AES-CBC.
//!
//! Every cost that a file names is compared with the limits before it is paid.

use aes::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use hmac::{EagerHash, Hmac};
use zeroize::Zeroizing;

use crate::answers::Limits;
use crate::form::Form;
use crate::refusal::Refusal;

/// A key of 32 bytes.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// PBKDF2 (RFC 8018) with the hash `H`, as many bytes as `key` has.
pub(crate) fn pbkdf2<H: EagerHash>(
    form: Form,
    limits: &Limits,
    password: &str,
    salt: &[u8],
    iterations: u64,
    key: &mut [u8],
) -> Result<(), Refusal>
where
    Hmac<H>: KeyInit + Clone + hmac::Mac,
{
    let most = limits.pbkdf2_iterations;
    let refused = Refusal::TooCostly { form, field: "iterations", value: iterations, most };
    if iterations > most {
        return Err(refused);
    }
    let rounds = u32::try_from(iterations).map_err(|_| refused)?;
    if rounds == 0 {
        return Err(Refusal::Malformed { form, what: "iterations" });
    }
    ::pbkdf2::pbkdf2_hmac::<H>(password.as_bytes(), salt, rounds, key);
    Ok(())
}

/// The parameters of scrypt (RFC 7914).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scrypt {
    pub(crate) n: u64,
    pub(crate) r: u64,
    pub(crate) p: u64,
}

impl Scrypt {
    /// Derives a key of 32 bytes.
    pub(crate) fn key(
        self,
        form: Form,
        limits: &Limits,
        password: &str,
        salt: &[u8],
    ) -> Result<Key, Refusal> {
        let Self { n, r, p } = self;
        let malformed = Refusal::Malformed { form, what: "scrypt parameters" };
        if !n.is_power_of_two() || n < 2 || r == 0 || p == 0 {
            return Err(malformed);
        }
        let blocks = n.saturating_mul(r);
        let costs = [
            ("scrypt memory", blocks.saturating_mul(128), limits.scrypt_memory),
            ("scrypt memory", r.saturating_mul(p).saturating_mul(128), limits.scrypt_memory),
            ("scrypt work", blocks.saturating_mul(p), limits.scrypt_work),
        ];
        for (field, value, most) in costs {
            if value > most {
                return Err(Refusal::TooCostly { form, field, value, most });
            }
        }
        let log_n = u8::try_from(n.ilog2()).map_err(|_| malformed)?;
        let narrow = |value| u32::try_from(value).map_err(|_| malformed);
        let parameters =
            scrypt::Params::new(log_n, narrow(r)?, narrow(p)?).map_err(|_| malformed)?;
        let mut key = Key::default();
        scrypt::scrypt(password.as_bytes(), salt, &parameters, key.as_mut_slice())
            .map_err(|_| malformed)?;
        Ok(key)
    }
}

/// AES-256-GCM (SP 800-38D) with the tag apart; `None` when it does not open.
pub(crate) fn open_gcm(
    key: &[u8; 32],
    nonce: &[u8; 12],
    tag: &[u8; 16],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(sealed.to_vec());
    Aes256Gcm::new(key.into())
        .decrypt_inout_detached(nonce.into(), b"", text.as_mut_slice().into(), tag.into())
        .ok()?;
    Some(text)
}

/// The same with the tag at the end.
pub(crate) fn open_gcm_joined(
    key: &[u8; 32],
    nonce: &[u8; 12],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (sealed, tag) = sealed.split_last_chunk::<16>()?;
    open_gcm(key, nonce, tag, sealed)
}

/// AES in CBC (SP 800-38A) with PKCS #7 padding, by the length of the key: 16, 24 or
/// 32 bytes. `None` when the lengths or the padding are wrong.
pub(crate) fn open_cbc(key: &[u8], iv: &[u8; 16], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(sealed.to_vec());
    let length = match key.len() {
        16 => open_blocks::<cbc::Decryptor<aes::Aes128>>(key, iv, &mut text),
        24 => open_blocks::<cbc::Decryptor<aes::Aes192>>(key, iv, &mut text),
        32 => open_blocks::<cbc::Decryptor<aes::Aes256>>(key, iv, &mut text),
        _ => None,
    }?;
    text.truncate(length);
    Some(text)
}

/// Decrypts in place; the length of what was padded.
fn open_blocks<C: KeyIvInit + BlockModeDecrypt>(
    key: &[u8],
    iv: &[u8; 16],
    text: &mut [u8],
) -> Option<usize> {
    let cipher = C::new_from_slices(key, iv).ok()?;
    cipher.decrypt_padded::<Pkcs7>(text).ok().map(<[u8]>::len)
}
