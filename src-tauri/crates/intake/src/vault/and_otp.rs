//! andOTP: a JSON list, plain or in a binary file. The file has no mark of its own:
//! `iterations (u32, big endian) ‖ salt (12) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`,
//! and before version 0.6.3 `nonce ‖ ciphertext ‖ tag` under SHA-256 of the password.

use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::cipher::{self, Key};
use super::{Opened, document, list};
use crate::answers::{Answers, SecretEncoding};
use crate::draft::{Draft, Kind, Number, Written};
use crate::form::Form;
use crate::json::Text;
use crate::reading::Entry;
use crate::refusal::Refusal;

const FORM: Form = Form::AndOtp;
/// The least length of a file: the old form around an empty list.
const LEAST: usize = 12 + 2 + 16;

#[derive(Deserialize)]
struct AndOtpEntry {
    #[serde(default)]
    secret: Text,
    #[serde(default)]
    issuer: Text,
    #[serde(default)]
    label: Text,
    #[serde(default)]
    digits: Number,
    #[serde(rename = "type", default)]
    kind: Text,
    #[serde(default)]
    algorithm: Text,
    #[serde(default)]
    period: Number,
}

/// Reads the list.
pub(super) fn plain(text: &str) -> Result<Vec<Entry>, Refusal> {
    let entries: Vec<AndOtpEntry> = list(text, FORM)?;
    let draft = |entry: &AndOtpEntry, place| {
        Draft {
            kind: Kind::named(entry.kind.as_str()),
            secret: Written::Text(entry.secret.as_str(), SecretEncoding::Base32),
            issuer: entry.issuer.as_str(),
            account: entry.label.as_str(),
            algorithm: entry.algorithm.as_str(),
            digits: entry.digits,
            period: entry.period,
        }
        .entry(place)
    };
    Ok(entries.iter().enumerate().map(|(index, entry)| draft(entry, index + 1)).collect())
}

/// Whether a file that is no text can be one: long enough, and neither without
/// iterations nor with a nonce of zeros.
pub(super) fn may_be_encrypted(bytes: &[u8]) -> bool {
    bytes.len() >= LEAST && !bytes.starts_with(&[0; 4])
}

/// Opens a file, in the newer form if its iterations are within the limits, else in
/// the older one, which costs nothing to try.
pub(super) fn encrypted(bytes: &[u8], answers: &Answers) -> Result<Opened, Refusal> {
    let Some(password) = &answers.password else {
        return Ok(Opened::NeedsPassword);
    };
    let (opened, refused) = match newer(bytes, answers, password) {
        Ok(opened) => (opened, None),
        Err(refusal) => (None, Some(refusal)),
    };
    let opened = opened.or_else(|| older(bytes, password));
    let wrong = refused.unwrap_or(Refusal::WrongPassword { form: FORM });
    let opened = opened.ok_or(wrong)?;
    plain(document(&opened, FORM)?).map(Opened::Entries)
}

type Content = Zeroizing<Vec<u8>>;

fn newer(bytes: &[u8], answers: &Answers, password: &str) -> Result<Option<Content>, Refusal> {
    let parts = bytes.split_first_chunk::<4>().and_then(|(iterations, rest)| {
        let (salt, rest) = rest.split_first_chunk::<12>()?;
        let (nonce, sealed) = rest.split_first_chunk::<12>()?;
        Some((u32::from_be_bytes(*iterations), salt, nonce, sealed))
    });
    let Some((iterations, salt, nonce, sealed)) = parts.filter(|parts| parts.0 > 0) else {
        return Ok(None);
    };
    let mut key = Key::default();
    let limits = &answers.limits;
    let iterations = u64::from(iterations);
    cipher::pbkdf2::<Sha1>(FORM, limits, password, salt, iterations, key.as_mut_slice())?;
    Ok(cipher::open_gcm_joined(&key, nonce, sealed))
}

fn older(bytes: &[u8], password: &str) -> Option<Content> {
    let (nonce, sealed) = bytes.split_first_chunk::<12>()?;
    let key = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(password.as_bytes())));
    cipher::open_gcm_joined(&key, nonce, sealed)
}
