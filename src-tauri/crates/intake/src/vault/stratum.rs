//! Stratum, formerly Authenticator Pro: JSON, plain or sealed with AES-256-GCM under
//! Argon2id, in the older files with AES-256-CBC under PBKDF2. The costs are fixed by
//! the program, not by the file.

use argon2::{Algorithm, Argon2, Params, Version};
use serde::Deserialize;
use sha1::Sha1;
use zeroize::Zeroizing;

use super::cipher::{self, Key};
use super::{Opened, document};
use crate::answers::{Answers, SecretEncoding};
use crate::draft::{Draft, Kind, Number, Written};
use crate::form::Form;
use crate::json::{self, List, Text};
use crate::reading::Entry;
use crate::refusal::Refusal;

const FORM: Form = Form::Stratum;
/// Begins an encrypted file: salt of 16 bytes, nonce of 12, ciphertext, tag.
const MARK: &[u8; 16] = b"AUTHENTICATORPRO";
/// Begins an older one: salt of 20 bytes, IV of 16, ciphertext.
const OLD_MARK: &[u8; 16] = b"AuthenticatorPro";
/// Argon2id: memory in KiB, passes, lanes.
const ARGON2: (u32, u32, u32) = (64 * 1024, 3, 4);
/// Iterations of PBKDF2 with SHA-1 in the older files.
const OLD_ITERATIONS: u64 = 64_000;

#[derive(Deserialize)]
struct Backup {
    #[serde(rename = "Authenticators")]
    authenticators: List<Authenticator>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Authenticator {
    #[serde(rename = "Type", default)]
    kind: Number,
    #[serde(default)]
    issuer: Text,
    #[serde(default)]
    username: Text,
    #[serde(default)]
    secret: Text,
    #[serde(default)]
    algorithm: Number,
    #[serde(default)]
    digits: Number,
    #[serde(default)]
    period: Number,
}

/// Reads a plain backup.
pub(super) fn plain(text: &str) -> Result<Vec<Entry>, Refusal> {
    let backup: Backup = json::parse(text, FORM)?;
    let draft = |entry: &Authenticator, place| {
        Draft {
            kind: match entry.kind {
                Number::Is(1) => Kind::Hotp,
                Number::Is(2) => Kind::Totp,
                Number::Is(4) => Kind::Steam,
                Number::Is(_) | Number::Absent | Number::Bad => Kind::Other,
            },
            secret: Written::Text(entry.secret.as_str(), SecretEncoding::Base32),
            issuer: entry.issuer.as_str(),
            account: entry.username.as_str(),
            algorithm: match entry.algorithm {
                Number::Is(0) | Number::Absent => "SHA1",
                Number::Is(1) => "SHA256",
                Number::Is(2) => "SHA512",
                Number::Is(_) | Number::Bad => "unknown",
            },
            digits: entry.digits,
            period: entry.period,
        }
        .entry(place)
    };
    let list = backup.authenticators.0;
    Ok(list.iter().enumerate().map(|(index, entry)| draft(entry, index + 1)).collect())
}

/// Whether a file is an encrypted backup.
pub(super) fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(MARK) || bytes.starts_with(OLD_MARK)
}

/// Opens an encrypted backup.
pub(super) fn encrypted(bytes: &[u8], answers: &Answers) -> Result<Opened, Refusal> {
    let Some(password) = &answers.password else {
        return Ok(Opened::NeedsPassword);
    };
    let malformed = Refusal::Malformed { form: FORM, what: "length" };
    let (mark, rest) = bytes.split_first_chunk::<16>().ok_or(malformed)?;
    let opened = if mark == MARK {
        let (salt, rest) = rest.split_first_chunk::<16>().ok_or(malformed)?;
        let (nonce, sealed) = rest.split_first_chunk::<12>().ok_or(malformed)?;
        cipher::open_gcm_joined(&*argon2_key(answers, password, salt)?, nonce, sealed)
    } else {
        let (salt, rest) = rest.split_first_chunk::<20>().ok_or(malformed)?;
        let (iv, sealed) = rest.split_first_chunk::<16>().ok_or(malformed)?;
        let mut key = Key::default();
        let limits = &answers.limits;
        cipher::pbkdf2::<Sha1>(FORM, limits, password, salt, OLD_ITERATIONS, key.as_mut_slice())?;
        cipher::open_cbc(key.as_slice(), iv, sealed)
    };
    let wrong = Refusal::WrongPassword { form: FORM };
    let opened = opened.ok_or(wrong)?;
    // Padding alone proves little: what is no text was opened with a wrong password.
    let text = document(&opened, FORM).map_err(|_| wrong)?;
    plain(text).map(Opened::Entries)
}

fn argon2_key(answers: &Answers, password: &str, salt: &[u8; 16]) -> Result<Key, Refusal> {
    let failed = Refusal::Unsupported { form: FORM, what: "key derivation" };
    let (memory, passes, lanes) = ARGON2;
    let (value, most) = (u64::from(memory) * 1024, answers.limits.argon2_memory);
    if value > most {
        return Err(Refusal::TooCostly { form: FORM, field: "Argon2 memory", value, most });
    }
    let parameters = Params::new(memory, passes, lanes, Some(32)).map_err(|_| failed)?;
    let mut key: Key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
        .hash_password_into(password.as_bytes(), salt, key.as_mut_slice())
        .map_err(|_| failed)?;
    Ok(key)
}
