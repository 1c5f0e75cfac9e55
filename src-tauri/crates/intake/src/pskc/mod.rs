//! PSKC, the portable symmetric key container (RFC 6030), plain, under a pre-shared
//! key or under a passphrase.
//!
//! Elements are found by their local names: writers disagree on the namespace of the
//! PBKDF2 parameters (facts/seed-formats.md 5.1), and names do not clash. A DTD is
//! refused by the XML reader, so there are no entities to expand. What is protected
//! by certificates is told and not read.

mod protection;

use oath::SharedSecret;
use roxmltree::Node;
use zeroize::Zeroizing;

use crate::answers::Answers;
use crate::draft::{Draft, Kind, Number, Written, entry, shown};
use crate::entry_error::EntryError;
use crate::form::Form;
use crate::json::MOST_ENTRIES;
use crate::key_uri_error::KeyUriError;
use crate::name::Name;
use crate::reading::{Entries, Entry, Reading};
use crate::refusal::Refusal;
use crate::remark::Remark;
use crate::secret::base64_value;
use protection::{Protection, Unopened};

const FORM: Form = Form::Pskc;

/// Reads a container.
pub(crate) fn read(root: Node<'_, '_>, answers: &Answers) -> Reading {
    let protection = match Protection::of(root, answers) {
        Ok(protection) => protection,
        Err(Unopened::Question(question)) => return Reading::Question(question),
        Err(Unopened::Refused(refusal)) => return Reading::Refused(refusal),
    };
    let mut entries = Vec::new();
    for package in children(root, "KeyPackage") {
        for key in children(package, "Key") {
            if entries.len() == MOST_ENTRIES {
                let refusal = Refusal::TooMany { what: "entries", most: MOST_ENTRIES };
                return Reading::Refused(refusal);
            }
            entries.push(key_entry(package, key, &protection, entries.len() + 1));
        }
    }
    let mut remarks = Vec::new();
    match &protection {
        Protection::Plain => {}
        Protection::Keyed(keyed) if keyed.mac.is_none() => remarks.push(Remark::NotAuthenticated),
        Protection::Keyed(keyed) => {
            // A wrong passphrase shows first in the MAC key or in the first MAC.
            let opened = |entry: &Entry| !matches!(entry.what, Err(EntryError::WrongMac));
            if !entries.is_empty() && !entries.iter().any(opened) && !keyed.proven {
                return Reading::Refused(Refusal::WrongPassword { form: FORM });
            }
        }
    }
    if entries.is_empty() {
        return Reading::Refused(Refusal::NoEntries { form: FORM });
    }
    Reading::Entries(Entries { form: FORM, entries, remarks })
}

/// One key, with the identity of the device that its package names.
fn key_entry(
    package: Node<'_, '_>,
    key: Node<'_, '_>,
    protection: &Protection,
    place: usize,
) -> Entry {
    let device = child(package, "DeviceInfo");
    let of_device = |name| {
        let text = device.and_then(|device| text(device, name)).map(|text| Name::new(text).text);
        text.filter(|text| !text.is_empty())
    };
    let issuer = text(key, "Issuer").unwrap_or("");
    let user = text(key, "UserId").or_else(|| text(package, "UserId"));
    let account = user.or_else(|| text(key, "FriendlyName")).unwrap_or("");
    let mut entry = match secret(key, protection) {
        Ok(secret) => match draft(key, secret, issuer, account) {
            Ok(draft) => draft.entry(place),
            Err(error) => entry(place, shown(Some(issuer), account), Err(error)),
        },
        Err(error) => entry(place, shown(Some(issuer), account), Err(error)),
    };
    let id = key.attribute("Id").map(|id| Name::new(id).text).filter(|id| !id.is_empty());
    entry.serial = of_device("SerialNo").or(id);
    entry.manufacturer = of_device("Manufacturer");
    entry.model = of_device("Model");
    entry
}

fn draft<'a>(
    key: Node<'a, '_>,
    secret: SharedSecret,
    issuer: &'a str,
    account: &'a str,
) -> Result<Draft<'a>, EntryError> {
    let parameters = child(key, "AlgorithmParameters");
    let response = parameters.and_then(|parameters| child(parameters, "ResponseFormat"));
    let suite = parameters.and_then(|parameters| child(parameters, "Suite"));
    let encoding = response.and_then(|format| format.attribute("Encoding")).unwrap_or("DECIMAL");
    if !encoding.eq_ignore_ascii_case("DECIMAL") {
        return Err(EntryError::Unsupported { what: "response encoding" });
    }
    let check = response.and_then(|format| format.attribute("CheckDigits"));
    let check = check.or_else(|| response.and_then(|format| format.attribute("CheckDigit")));
    if check.is_some_and(|check| matches!(check.trim(), "true" | "1")) {
        return Err(EntryError::Unsupported { what: "check digit" });
    }
    let data = child(key, "Data");
    let plain =
        |name| data.and_then(|data| child(data, name)).and_then(|node| text(node, "PlainValue"));
    // privacyIDEA writes the hash in an attribute, others as text.
    let hash = suite.map_or("", |suite| {
        let told = suite.text().map(str::trim).filter(|text| !text.is_empty());
        told.or_else(|| suite.attributes().next().map(|told| told.value().trim())).unwrap_or("")
    });
    let algorithm = key.attribute("Algorithm").unwrap_or("").trim().to_ascii_lowercase();
    let kind = match algorithm.rsplit([':', '#']).next().unwrap_or("") {
        "totp" => Kind::Totp,
        "hotp" => Kind::Hotp,
        "pin" => return Err(EntryError::Unsupported { what: "a PIN" }),
        "" if plain("TimeInterval").is_some() => Kind::Totp,
        "" if plain("Counter").is_some() => Kind::Hotp,
        _ => return Err(EntryError::Unsupported { what: "an algorithm" }),
    };
    // Algorithm parameters may be encrypted like the secret; nobody does.
    let interval = data.and_then(|data| child(data, "TimeInterval"));
    if interval.is_some_and(|interval| child(interval, "EncryptedValue").is_some()) {
        return Err(EntryError::Unsupported { what: "an encrypted time interval" });
    }
    Ok(Draft {
        kind,
        secret: Written::Bytes(secret),
        issuer,
        account,
        algorithm: hash,
        digits: Number::parse(response.and_then(|f| f.attribute("Length")).unwrap_or("")),
        period: Number::parse(plain("TimeInterval").unwrap_or("")),
    })
}

/// The secret of a key, decrypted and checked against its MAC.
fn secret(key: Node<'_, '_>, protection: &Protection) -> Result<SharedSecret, EntryError> {
    let missing = EntryError::Unusable(KeyUriError::NoSecret);
    let node = child(key, "Data").and_then(|data| child(data, "Secret")).ok_or(missing)?;
    if let Some(plain) = text(node, "PlainValue") {
        let mut bytes = base64_value(plain).ok_or(EntryError::NotBase64)?;
        return Ok(SharedSecret::new(std::mem::take(&mut *bytes)));
    }
    let encrypted = child(node, "EncryptedValue").ok_or(missing)?;
    match protection {
        Protection::Plain => Err(EntryError::Unsupported { what: "a value without its key" }),
        Protection::Keyed(keyed) => keyed.open(encrypted, text(node, "ValueMAC")),
    }
}

/// The children of a name, whatever their namespace.
fn children<'a, 'input: 'a>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

fn child<'a, 'input: 'a>(node: Node<'a, 'input>, name: &'static str) -> Option<Node<'a, 'input>> {
    children(node, name).next()
}

/// The text of a child, without the white space around it.
fn text<'a, 'input: 'a>(node: Node<'a, 'input>, name: &'static str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim).filter(|text| !text.is_empty())
}

/// A base64 value of a child.
fn value(node: Node<'_, '_>, name: &'static str) -> Option<Zeroizing<Vec<u8>>> {
    base64_value(text(node, name)?)
}

#[cfg(test)]
mod tests;
