//! Exports of authenticator apps that are JSON or a file of their own
//! (facts/seed-formats.md section 4).
//!
//! A plain export gives its entries; an encrypted one asks for its password first,
//! and its parameters are compared with the limits before a key is derived from it.

mod aegis;
mod and_otp;
mod apps;
pub(crate) mod cipher;
mod stratum;
mod two_fas;

use crate::answers::Answers;
use crate::form::Form;
use crate::json::{self, Shape};
use crate::reading::{Entries, Entry, Question, Reading};
use crate::refusal::Refusal;

/// What reading a vault comes to; joined into a [`Reading`] in one place.
pub(crate) enum Opened {
    Entries(Vec<Entry>),
    NeedsPassword,
}

/// Reads a text that is JSON; `None` when it is none of the known exports.
pub(crate) fn read_json(text: &str, answers: &Answers) -> Option<Reading> {
    let shape: Shape = serde_json::from_str(text).ok()?;
    let plain = |entries: Result<Vec<Entry>, Refusal>| entries.map(Opened::Entries);
    let (form, opened) = if shape.list {
        if shape.has("otpGenerator") || shape.has("accountType") {
            (Form::DuoMobile, plain(apps::duo_mobile(text)))
        } else if shape.has("secret") {
            (Form::AndOtp, plain(and_otp::plain(text)))
        } else {
            return None;
        }
    } else if shape.has("header") && shape.has("db") {
        (Form::Aegis, aegis::read(text, answers))
    } else if shape.has("services") || shape.has("servicesEncrypted") {
        (Form::TwoFas, two_fas::read(text, answers))
    } else if shape.has("Authenticators") {
        (Form::Stratum, plain(stratum::plain(text)))
    } else if shape.has("tokens") {
        (Form::FreeOtpPlus, plain(apps::free_otp_plus(text)))
    } else if shape.has("entries") {
        (Form::Proton, plain(apps::proton(text)))
    } else if shape.has("items") && !shape.has("data") {
        (Form::BitwardenJson, plain(apps::bitwarden(text)))
    } else if shape.has("kdfParams") && shape.has("encryptedData") {
        (Form::EnteEncrypted, Err(encrypted(Form::EnteEncrypted)))
    } else if shape.has("encrypted") && shape.has("data") {
        (Form::BitwardenJson, Err(encrypted(Form::BitwardenJson)))
    } else if shape.has("salt") && shape.has("content") {
        (Form::Proton, Err(encrypted(Form::Proton)))
    } else {
        return None;
    };
    Some(join(form, opened))
}

/// Reads a file that is no text; `None` when it is none of the known exports.
pub(crate) fn read_binary(bytes: &[u8], answers: &Answers) -> Option<Reading> {
    if stratum::is_encrypted(bytes) {
        return Some(join(Form::Stratum, stratum::encrypted(bytes, answers)));
    }
    and_otp::may_be_encrypted(bytes).then(|| join(Form::AndOtp, and_otp::encrypted(bytes, answers)))
}

fn join(form: Form, opened: Result<Opened, Refusal>) -> Reading {
    match opened {
        Ok(Opened::Entries(entries)) if entries.is_empty() => {
            Reading::Refused(Refusal::NoEntries { form })
        }
        Ok(Opened::Entries(entries)) => {
            Reading::Entries(Entries { form, entries, remarks: Vec::new() })
        }
        Ok(Opened::NeedsPassword) => Reading::Question(Question::Password { form }),
        Err(refusal) => Reading::Refused(refusal),
    }
}

const fn encrypted(form: Form) -> Refusal {
    Refusal::Unsupported { form, what: "encryption" }
}

/// A decrypted document as text.
fn document(bytes: &[u8], form: Form) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).map_err(|_| Refusal::Malformed { form, what: "text" })
}

/// The list of a decrypted document.
fn list<'a, T: serde::Deserialize<'a>>(text: &'a str, form: Form) -> Result<Vec<T>, Refusal> {
    json::parse::<json::List<T>>(text, form).map(|list| list.0)
}
