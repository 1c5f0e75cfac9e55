//! 2FAS: JSON with `services`, or with `servicesEncrypted`, which is
//! `base64(ciphertext and tag):base64(salt):base64(nonce)`.

use serde::Deserialize;
use sha2::Sha256;

use super::cipher::{self, Key};
use super::{Opened, document, list};
use crate::answers::{Answers, SecretEncoding};
use crate::draft::{Draft, Kind, Number, Written};
use crate::form::Form;
use crate::json::{self, List, Text};
use crate::reading::Entry;
use crate::refusal::Refusal;
use crate::secret::base64_value;

const FORM: Form = Form::TwoFas;
/// Iterations of PBKDF2; the file does not say them.
const ITERATIONS: u64 = 10_000;

#[derive(Deserialize)]
struct Backup {
    #[serde(default)]
    services: List<TwoFasEntry>,
    #[serde(rename = "servicesEncrypted", default)]
    encrypted: Text,
}

#[derive(Deserialize)]
struct TwoFasEntry {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    secret: Text,
    otp: Option<Otp>,
}

#[derive(Default, Deserialize)]
struct Otp {
    #[serde(default)]
    account: Text,
    #[serde(default)]
    issuer: Text,
    #[serde(default)]
    digits: Number,
    #[serde(default)]
    period: Number,
    #[serde(default)]
    algorithm: Text,
    #[serde(rename = "tokenType", default)]
    kind: Text,
}

/// Reads a backup.
pub(super) fn read(text: &str, answers: &Answers) -> Result<Opened, Refusal> {
    let backup: Backup = json::parse(text, FORM)?;
    if backup.encrypted.as_str().is_empty() {
        return Ok(Opened::Entries(entries(&backup.services.0)));
    }
    let Some(password) = &answers.password else {
        return Ok(Opened::NeedsPassword);
    };
    let malformed = |what| Refusal::Malformed { form: FORM, what };
    let mut parts = backup.encrypted.as_str().split(':').map(base64_value);
    let (Some(Some(sealed)), Some(Some(salt)), Some(Some(nonce)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed("encrypted part"));
    };
    let nonce: [u8; 12] = nonce.as_slice().try_into().map_err(|_| malformed("nonce"))?;
    let mut key = Key::default();
    let limits = &answers.limits;
    cipher::pbkdf2::<Sha256>(FORM, limits, password, &salt, ITERATIONS, key.as_mut_slice())?;
    let opened = cipher::open_gcm_joined(&key, &nonce, &sealed)
        .ok_or(Refusal::WrongPassword { form: FORM })?;
    let services: Vec<TwoFasEntry> = list(document(&opened, FORM)?, FORM)?;
    Ok(Opened::Entries(entries(&services)))
}

fn entries(services: &[TwoFasEntry]) -> Vec<Entry> {
    let none = Otp::default();
    let draft = |service: &TwoFasEntry, place| {
        let otp = service.otp.as_ref().unwrap_or(&none);
        let issuer = otp.issuer.as_str();
        Draft {
            kind: Kind::named(otp.kind.as_str()),
            secret: Written::Text(service.secret.as_str(), SecretEncoding::Base32),
            issuer: if issuer.is_empty() { service.name.as_str() } else { issuer },
            account: otp.account.as_str(),
            algorithm: otp.algorithm.as_str(),
            digits: otp.digits,
            period: otp.period,
        }
        .entry(place)
    };
    services.iter().enumerate().map(|(index, service)| draft(service, index + 1)).collect()
}
