//! Aegis: JSON, plain or sealed with AES-256-GCM under a master key that each slot
//! wraps; a password slot does so by scrypt (Aegis' `vault.md`).

use std::fmt;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use zeroize::Zeroizing;

use super::cipher::{self, Key, Scrypt};
use super::{Opened, document};
use crate::answers::{Answers, SecretEncoding};
use crate::draft::{Draft, Kind, Number, Written};
use crate::form::Form;
use crate::json::{self, List, Text};
use crate::reading::Entry;
use crate::refusal::Refusal;
use crate::secret::base64_value;

const FORM: Form = Form::Aegis;
/// The type of a slot that a password opens.
const PASSWORD: Number = Number::Is(1);
/// The most password slots that are tried.
const MOST_SLOTS: usize = 4;

#[derive(Deserialize)]
struct Vault {
    header: Header,
    db: Database,
}

#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    slots: List<Slot>,
    params: Option<Params>,
}

#[derive(Deserialize)]
struct Slot {
    #[serde(rename = "type", default)]
    kind: Number,
    #[serde(default)]
    key: Text,
    key_params: Option<Params>,
    #[serde(default)]
    n: Number,
    #[serde(default)]
    r: Number,
    #[serde(default)]
    p: Number,
    #[serde(default)]
    salt: Text,
}

#[derive(Deserialize)]
struct Params {
    nonce: Text,
    tag: Text,
}

/// The entries, or the base64 of them sealed.
enum Database {
    Sealed(Zeroizing<String>),
    Plain(Content),
}

/// By hand: serde's own way to tell the two apart keeps a copy of everything, which
/// nobody wipes or bounds.
impl<'de> Deserialize<'de> for Database {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Database;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("entries or a sealed text")
            }
            fn visit_str<E>(self, sealed: &str) -> Result<Database, E> {
                Ok(Database::Sealed(Zeroizing::new(sealed.to_owned())))
            }
            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Database, A::Error> {
                Content::deserialize(MapAccessDeserializer::new(fields)).map(Database::Plain)
            }
        }
        from.deserialize_any(Either)
    }
}

#[derive(Deserialize)]
struct Content {
    entries: List<AegisEntry>,
}

#[derive(Deserialize)]
struct AegisEntry {
    #[serde(rename = "type", default)]
    kind: Text,
    #[serde(default)]
    name: Text,
    #[serde(default)]
    issuer: Text,
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    secret: Text,
    #[serde(default)]
    algo: Text,
    #[serde(default)]
    digits: Number,
    #[serde(default)]
    period: Number,
}

/// Reads a vault.
pub(super) fn read(text: &str, answers: &Answers) -> Result<Opened, Refusal> {
    let vault: Vault = json::parse(text, FORM)?;
    let sealed = match vault.db {
        Database::Plain(content) => return Ok(Opened::Entries(entries(&content.entries.0))),
        Database::Sealed(sealed) => sealed,
    };
    let Some(password) = &answers.password else {
        return Ok(Opened::NeedsPassword);
    };
    let sealed = base64_value(&sealed).ok_or(malformed("base64"))?;
    let params = vault.header.params.ok_or(malformed("parameters"))?;
    let (nonce, tag) = params.bytes()?;
    let mut passwords = vault
        .header
        .slots
        .0
        .iter()
        .filter(|slot| slot.kind == PASSWORD)
        .take(MOST_SLOTS)
        .peekable();
    if passwords.peek().is_none() {
        return Err(Refusal::Unsupported { form: FORM, what: "a vault without a password" });
    }
    for slot in passwords {
        let Some(master) = slot.open(answers, password)? else {
            continue;
        };
        let content = cipher::open_gcm(&master, &nonce, &tag, &sealed).ok_or(malformed("seal"))?;
        let content: Content = json::parse(document(&content, FORM)?, FORM)?;
        return Ok(Opened::Entries(entries(&content.entries.0)));
    }
    Err(Refusal::WrongPassword { form: FORM })
}

impl Slot {
    /// The master key, if the password is this slot's.
    fn open(&self, answers: &Answers, password: &str) -> Result<Option<Key>, Refusal> {
        let (Number::Is(n), Number::Is(r), Number::Is(p)) = (self.n, self.r, self.p) else {
            return Err(malformed("scrypt parameters"));
        };
        let salt = hex(&self.salt)?;
        let wrapped = hex(&self.key)?;
        let (nonce, tag) = self.key_params.as_ref().ok_or(malformed("parameters"))?.bytes()?;
        let key = Scrypt { n, r, p }.key(FORM, &answers.limits, password, &salt)?;
        let Some(master) = cipher::open_gcm(&key, &nonce, &tag, &wrapped) else {
            return Ok(None);
        };
        let master: [u8; 32] = master.as_slice().try_into().map_err(|_| malformed("key"))?;
        Ok(Some(Zeroizing::new(master)))
    }
}

impl Params {
    fn bytes(&self) -> Result<([u8; 12], [u8; 16]), Refusal> {
        let nonce = hex(&self.nonce)?.as_slice().try_into();
        let tag = hex(&self.tag)?.as_slice().try_into();
        match (nonce, tag) {
            (Ok(nonce), Ok(tag)) => Ok((nonce, tag)),
            _ => Err(malformed("parameters")),
        }
    }
}

const fn malformed(what: &'static str) -> Refusal {
    Refusal::Malformed { form: FORM, what }
}

fn hex(text: &Text) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_str().as_bytes());
    bytes.map(Zeroizing::new).map_err(|_| malformed("hexadecimal"))
}

fn entries(list: &[AegisEntry]) -> Vec<Entry> {
    let draft = |entry: &AegisEntry, place| {
        let info = &entry.info;
        Draft {
            kind: Kind::named(entry.kind.as_str()),
            secret: Written::Text(info.secret.as_str(), SecretEncoding::Base32),
            issuer: entry.issuer.as_str(),
            account: entry.name.as_str(),
            algorithm: info.algo.as_str(),
            digits: info.digits,
            period: info.period,
        }
        .entry(place)
    };
    list.iter().enumerate().map(|(index, entry)| draft(entry, index + 1)).collect()
}
