//! Plain JSON exports without encryption of their own: `FreeOTP+`, Proton
//! Authenticator, Bitwarden, Duo Mobile.

use oath::SharedSecret;
use serde::Deserialize;
use zeroize::Zeroize;

use crate::answers::SecretEncoding;
use crate::draft::{self, Draft, Kind, Number, Written};
use crate::form::Form;
use crate::json::{self, List, Text};
use crate::read::cell_finding;
use crate::reading::Entry;
use crate::refusal::Refusal;

#[derive(Deserialize)]
struct FreeOtpPlus {
    tokens: List<FreeOtpToken>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FreeOtpToken {
    #[serde(default)]
    algo: Text,
    #[serde(default)]
    digits: Number,
    #[serde(default)]
    issuer_ext: Text,
    #[serde(default)]
    label: Text,
    #[serde(default)]
    period: Number,
    #[serde(rename = "type", default)]
    kind: Text,
    /// Bytes as Java writes them, with a sign.
    #[serde(default)]
    secret: List<i8>,
}

/// Reads a backup of `FreeOTP+`.
pub(super) fn free_otp_plus(text: &str) -> Result<Vec<Entry>, Refusal> {
    let backup: FreeOtpPlus = json::parse(text, Form::FreeOtpPlus)?;
    let draft = |token: FreeOtpToken, place| {
        let mut signed = token.secret.0;
        let bytes = signed.iter().map(|byte| byte.cast_unsigned()).collect();
        signed.zeroize();
        Draft {
            kind: Kind::named(token.kind.as_str()),
            secret: Written::Bytes(SharedSecret::new(bytes)),
            issuer: token.issuer_ext.as_str(),
            account: token.label.as_str(),
            algorithm: token.algo.as_str(),
            digits: token.digits,
            period: token.period,
        }
        .entry(place)
    };
    let tokens = backup.tokens.0.into_iter().enumerate();
    Ok(tokens.map(|(index, token)| draft(token, index + 1)).collect())
}

#[derive(Deserialize)]
struct Proton {
    entries: List<ProtonEntry>,
}

#[derive(Deserialize)]
struct ProtonEntry {
    content: ProtonContent,
}

#[derive(Deserialize)]
struct ProtonContent {
    #[serde(default)]
    uri: Text,
    #[serde(default)]
    name: Text,
}

/// Reads a backup of Proton Authenticator.
pub(super) fn proton(text: &str) -> Result<Vec<Entry>, Refusal> {
    let backup: Proton = json::parse(text, Form::Proton)?;
    let entries = backup.entries.0.iter().enumerate();
    Ok(entries
        .map(|(index, entry)| {
            let content = &entry.content;
            let finding = cell_finding(content.uri.as_str());
            draft::from_finding(index + 1, content.name.as_str(), finding)
        })
        .collect())
}

#[derive(Deserialize)]
struct Bitwarden {
    items: List<BitwardenItem>,
}

#[derive(Deserialize)]
struct BitwardenItem {
    #[serde(default)]
    name: Text,
    login: Option<BitwardenLogin>,
}

#[derive(Deserialize)]
struct BitwardenLogin {
    #[serde(default)]
    totp: Text,
}

/// Reads a plain export of Bitwarden; items without a code are no entries.
pub(super) fn bitwarden(text: &str) -> Result<Vec<Entry>, Refusal> {
    let export: Bitwarden = json::parse(text, Form::BitwardenJson)?;
    let items = export.items.0.iter().enumerate();
    Ok(items
        .filter_map(|(index, item)| {
            let totp = item.login.as_ref()?.totp.as_str();
            let given = !totp.trim().is_empty();
            given.then(|| draft::from_finding(index + 1, item.name.as_str(), cell_finding(totp)))
        })
        .collect())
}

#[derive(Deserialize)]
struct DuoAccount {
    #[serde(default)]
    name: Text,
    #[serde(rename = "otpGenerator")]
    generator: Option<DuoGenerator>,
}

#[derive(Deserialize)]
struct DuoGenerator {
    #[serde(rename = "otpSecret", default)]
    secret: Text,
    #[serde(default)]
    counter: Number,
}

/// Reads a backup of Duo Mobile. A counter makes an account event-based; accounts
/// without a generator are Duo's own push.
pub(super) fn duo_mobile(text: &str) -> Result<Vec<Entry>, Refusal> {
    let accounts: Vec<DuoAccount> = super::list(text, Form::DuoMobile)?;
    let draft = |(index, account): (usize, &DuoAccount)| {
        let generator = account.generator.as_ref()?;
        let entry = Draft {
            kind: match generator.counter {
                Number::Absent => Kind::Totp,
                Number::Is(_) | Number::Bad => Kind::Hotp,
            },
            secret: Written::Text(generator.secret.as_str(), SecretEncoding::Base32),
            issuer: "",
            account: account.name.as_str(),
            algorithm: "",
            digits: Number::Absent,
            period: Number::Absent,
        };
        Some(entry.entry(index + 1))
    };
    Ok(accounts.iter().enumerate().filter_map(draft).collect())
}
