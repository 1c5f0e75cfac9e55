//! How the values of a container are protected (RFC 6030 section 6): AES in CBC under
//! a pre-shared key or one derived from a passphrase, and a MAC over each value.

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use oath::SharedSecret;
use roxmltree::Node;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::{FORM, child, text, value};
use crate::answers::Answers;
use crate::entry_error::EntryError;
use crate::reading::Question;
use crate::refusal::Refusal;
use crate::vault::cipher;

/// What protects the values.
pub(super) enum Protection {
    /// Nothing.
    Plain,
    /// A key that is there.
    Keyed(Keyed),
}

/// A key, and the MAC that goes with it.
pub(super) struct Keyed {
    key: Zeroizing<Vec<u8>>,
    pub(super) mac: Option<MacMethod>,
    /// The key opened the MAC's key, padding and all.
    pub(super) proven: bool,
}

pub(super) struct MacMethod {
    hash: Hash,
    key: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// Why the protection cannot be lifted.
pub(super) enum Unopened {
    Question(Question),
    Refused(Refusal),
}

impl From<Refusal> for Unopened {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Protection {
    /// Derives or takes the key that the container asks for.
    pub(super) fn of(root: Node<'_, '_>, answers: &Answers) -> Result<Self, Unopened> {
        let Some(encryption) = child(root, "EncryptionKey") else {
            return Ok(Self::Plain);
        };
        let derived = child(encryption, "DerivedKey");
        if derived.is_none() && child(encryption, "X509Data").is_some() {
            let refusal = Refusal::Unsupported { form: FORM, what: "encryption for a certificate" };
            return Err(refusal.into());
        }
        let Some(answer) = &answers.password else {
            return Err(Unopened::Question(match derived {
                Some(_) => Question::Password { form: FORM },
                None => Question::PreSharedKey { form: FORM },
            }));
        };
        let key = match derived {
            Some(derived) => derive(derived, answers, answer)?,
            None => pre_shared(answer)?,
        };
        let mut keyed = Keyed { key, mac: None, proven: false };
        if let Some(method) = child(root, "MACMethod") {
            let hash = hash(method.attribute("Algorithm").unwrap_or(""))
                .ok_or(Refusal::Unsupported { form: FORM, what: "this MAC" })?;
            // The MAC key as the RFC writes it, or as some writers wrap it.
            let wrapped = child(method, "MACKey");
            let key = match wrapped {
                Some(wrapped) => {
                    let wrapped = child(wrapped, "EncryptedValue").unwrap_or(wrapped);
                    let opened = keyed.decrypt(wrapped).map_err(|error| match error {
                        EntryError::Unsupported { what } => {
                            Refusal::Unsupported { form: FORM, what }
                        }
                        _ => Refusal::WrongPassword { form: FORM },
                    })?;
                    keyed.proven = true;
                    opened
                }
                // Earlier drafts took the key of the encryption.
                None => keyed.key.clone(),
            };
            keyed.mac = Some(MacMethod { hash, key });
        }
        Ok(Self::Keyed(keyed))
    }
}

impl Keyed {
    /// Decrypts a value and compares its MAC, which is over IV and ciphertext
    /// (section 6.2.1.2), in some older files over the plain value.
    pub(super) fn open(
        &self,
        encrypted: Node<'_, '_>,
        value_mac: Option<&str>,
    ) -> Result<SharedSecret, EntryError> {
        let Some(method) = &self.mac else {
            let mut plain = self.decrypt(encrypted)?;
            return Ok(SharedSecret::new(std::mem::take(&mut *plain)));
        };
        let expected =
            value_mac.and_then(crate::secret::base64_value).ok_or(EntryError::WrongMac)?;
        let sealed = cipher_value(encrypted).ok_or(EntryError::NotBase64)?;
        let over_sealed = method.is_over(&sealed, &expected);
        let mut plain = self.decrypt(encrypted)?;
        if !over_sealed && !method.is_over(&plain, &expected) {
            return Err(EntryError::WrongMac);
        }
        Ok(SharedSecret::new(std::mem::take(&mut *plain)))
    }

    fn decrypt(&self, encrypted: Node<'_, '_>) -> Result<Zeroizing<Vec<u8>>, EntryError> {
        let method = child(encrypted, "EncryptionMethod");
        let method = method.and_then(|method| method.attribute("Algorithm")).unwrap_or("");
        let length = match method.rsplit('#').next().unwrap_or("") {
            "aes128-cbc" => 16,
            "aes192-cbc" => 24,
            "aes256-cbc" => 32,
            _ => return Err(EntryError::Unsupported { what: "this encryption" }),
        };
        if self.key.len() != length {
            return Err(EntryError::WrongMac);
        }
        let sealed = cipher_value(encrypted).ok_or(EntryError::NotBase64)?;
        let (iv, sealed) = sealed.split_first_chunk::<16>().ok_or(EntryError::NotBase64)?;
        cipher::open_cbc(&self.key, iv, sealed).ok_or(EntryError::WrongMac)
    }
}

impl MacMethod {
    fn is_over(&self, data: &[u8], expected: &[u8]) -> bool {
        match self.hash {
            Hash::Sha1 => is_mac::<Sha1>(&self.key, data, expected),
            Hash::Sha224 => is_mac::<Sha224>(&self.key, data, expected),
            Hash::Sha256 => is_mac::<Sha256>(&self.key, data, expected),
            Hash::Sha384 => is_mac::<Sha384>(&self.key, data, expected),
            Hash::Sha512 => is_mac::<Sha512>(&self.key, data, expected),
        }
    }
}

fn is_mac<H: EagerHash>(key: &[u8], data: &[u8], expected: &[u8]) -> bool
where
    Hmac<H>: KeyInit + Mac,
{
    let mut mac = <Hmac<H> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    // Compares in constant time.
    mac.verify_slice(expected).is_ok()
}

/// The hash of a MAC or of PBKDF2, by the end of its address.
fn hash(algorithm: &str) -> Option<Hash> {
    match algorithm.rsplit('#').next().unwrap_or("").to_ascii_lowercase().as_str() {
        "hmac-sha1" => Some(Hash::Sha1),
        "hmac-sha224" => Some(Hash::Sha224),
        "hmac-sha256" => Some(Hash::Sha256),
        "hmac-sha384" => Some(Hash::Sha384),
        "hmac-sha512" => Some(Hash::Sha512),
        _ => None,
    }
}

fn cipher_value(encrypted: Node<'_, '_>) -> Option<Zeroizing<Vec<u8>>> {
    value(child(encrypted, "CipherData")?, "CipherValue")
}

/// A key that was agreed on, typed in hexadecimal.
fn pre_shared(answer: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut digits = Zeroizing::new(String::with_capacity(answer.len()));
    digits.extend(answer.chars().filter(|c| !c.is_whitespace() && !matches!(c, ':' | '-')));
    let key = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map(Zeroizing::new);
    key.ok()
        .filter(|key| matches!(key.len(), 16 | 24 | 32))
        .ok_or(Refusal::WrongPassword { form: FORM })
}

/// PBKDF2 of a passphrase, its parameters in either namespace.
fn derive(
    derived: Node<'_, '_>,
    answers: &Answers,
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let unsupported = Refusal::Unsupported { form: FORM, what: "this key derivation" };
    let malformed = Refusal::Malformed { form: FORM, what: "key derivation" };
    let method = child(derived, "KeyDerivationMethod").ok_or(malformed)?;
    if !method.attribute("Algorithm").unwrap_or("").to_ascii_lowercase().ends_with("#pbkdf2") {
        return Err(unsupported);
    }
    let parameters = child(method, "PBKDF2-params").ok_or(malformed)?;
    let salt = child(parameters, "Salt").and_then(|salt| value(salt, "Specified"));
    let salt = salt.ok_or(malformed)?;
    let number = |name| text(parameters, name).and_then(|text| text.parse::<u64>().ok());
    let iterations = number("IterationCount").ok_or(malformed)?;
    let length = match number("KeyLength") {
        None | Some(16) => 16,
        Some(24) => 24,
        Some(32) => 32,
        Some(_) => return Err(unsupported),
    };
    let prf = child(parameters, "PRF").and_then(|prf| prf.attribute("Algorithm"));
    let hash = match prf {
        None | Some("") => Hash::Sha1,
        Some(named) => hash(named).ok_or(unsupported)?,
    };
    let mut key = Zeroizing::new(vec![0; length]);
    let limits = &answers.limits;
    match hash {
        Hash::Sha1 => cipher::pbkdf2::<Sha1>(FORM, limits, passphrase, &salt, iterations, &mut key),
        Hash::Sha224 => {
            cipher::pbkdf2::<Sha224>(FORM, limits, passphrase, &salt, iterations, &mut key)
        }
        Hash::Sha256 => {
            cipher::pbkdf2::<Sha256>(FORM, limits, passphrase, &salt, iterations, &mut key)
        }
        Hash::Sha384 => {
            cipher::pbkdf2::<Sha384>(FORM, limits, passphrase, &salt, iterations, &mut key)
        }
        Hash::Sha512 => {
            cipher::pbkdf2::<Sha512>(FORM, limits, passphrase, &salt, iterations, &mut key)
        }
    }?;
    Ok(key)
}
