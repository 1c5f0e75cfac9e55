//! What `KeePassXC`, `KeePass` and `KeeOtp` keep besides a Key URI: the attribute
//! `key=...&size=...`, the older pair of seed and `step;digits`, and the XML export.

use roxmltree::Node;
use zeroize::Zeroizing;

use crate::answers::SecretEncoding;
use crate::classify::starts_with;
use crate::draft::{self, Draft, Kind, Number, Written};
use crate::form::Form;
use crate::json::MOST_ENTRIES;
use crate::read::cell_finding;
use crate::reading::{Entries, Entry, Reading};
use crate::refusal::Refusal;

/// Reads an attribute that was copied; `None` when the text is none.
pub(crate) fn attribute(text: &str) -> Option<Entry> {
    if starts_with(text, "key=") && text.lines().count() == 1 {
        return Some(kee_otp(text, "").entry(1));
    }
    pair(text)
}

/// `key=SECRET&size=6&step=30&otpHashMode=sha256&type=totp`, in any order.
fn kee_otp<'a>(text: &'a str, account: &'a str) -> Draft<'a> {
    let mut draft = Draft {
        kind: Kind::Totp,
        secret: Written::Text("", SecretEncoding::Base32),
        issuer: "",
        account,
        algorithm: "",
        digits: Number::Absent,
        period: Number::Absent,
    };
    let (mut secret, mut encoding) = ("", SecretEncoding::Base32);
    for (name, value) in text.split('&').filter_map(|part| part.split_once('=')) {
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "key" => secret = value,
            "size" => draft.digits = Number::parse(value),
            "step" => draft.period = Number::parse(value),
            "otphashmode" => draft.algorithm = value,
            "type" => draft.kind = Kind::named(value),
            // A value of its own that says so is no guess.
            "encoding" => {
                let named = SecretEncoding::from_code(&value.to_ascii_lowercase());
                encoding = named.unwrap_or(SecretEncoding::Base32);
            }
            _ => {}
        }
    }
    // Padding may be percent-encoded, as in a Key URI.
    let secret = secret.find('%').map_or(secret, |at| &secret[..at]);
    draft.secret = Written::Text(secret, encoding);
    draft
}

/// The attributes `TOTP Seed` and `TOTP Settings`, copied together.
fn pair(text: &str) -> Option<Entry> {
    let mut settings = None;
    let mut seed = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let value = line.rsplit([':', '=', '\t']).next().unwrap_or(line).trim();
        if is_settings(value) {
            settings = Some(value);
        } else if seed.replace(value).is_some() {
            return None;
        }
    }
    Some(legacy(seed?, settings?, "").entry(1))
}

/// `30;6`, or `30;S` for Steam.
fn is_settings(value: &str) -> bool {
    value.split_once(';').is_some_and(|(step, digits)| {
        let digit = |c: char| c.is_ascii_digit();
        !step.is_empty()
            && step.chars().all(digit)
            && (digits == "S" || (!digits.is_empty() && digits.chars().all(digit)))
    })
}

fn legacy<'a>(seed: &'a str, settings: &'a str, account: &'a str) -> Draft<'a> {
    let (step, digits) = settings.split_once(';').unwrap_or((settings, ""));
    Draft {
        kind: if digits.eq_ignore_ascii_case("S") { Kind::Steam } else { Kind::Totp },
        secret: Written::Text(seed, SecretEncoding::Base32),
        issuer: "",
        account,
        algorithm: "",
        digits: Number::parse(digits),
        period: Number::parse(step),
    }
}

/// Reads the XML export: the entries that have one of the attributes. Entries of the
/// history are old secrets and are left out.
pub(crate) fn xml(root: Node<'_, '_>) -> Reading {
    let mut entries = Vec::new();
    let in_history = |node: &Node<'_, '_>| node.ancestors().any(|up| up.has_tag_name("History"));
    let nodes = root.descendants().filter(|node| node.has_tag_name("Entry") && !in_history(node));
    for (index, node) in nodes.enumerate() {
        if index == MOST_ENTRIES {
            let refusal = Refusal::TooMany { what: "entries", most: MOST_ENTRIES };
            return Reading::Refused(refusal);
        }
        entries.extend(xml_entry(node, index + 1));
    }
    if entries.is_empty() {
        return Reading::Refused(Refusal::NoEntries { form: Form::KeePassXml });
    }
    Reading::Entries(Entries { form: Form::KeePassXml, entries, remarks: Vec::new() })
}

fn xml_entry(node: Node<'_, '_>, place: usize) -> Option<Entry> {
    let attribute = |name: &str| -> Option<Zeroizing<String>> {
        let is = |kind: &str, node: &Node<'_, '_>| node.has_tag_name(kind);
        node.children()
            .filter(|child| child.has_tag_name("String"))
            .find(|child| {
                let key = child.children().find(|part| is("Key", part));
                key.and_then(|key| key.text()).is_some_and(|key| key.trim() == name)
            })
            .and_then(|child| child.children().find(|part| is("Value", part)))
            .map(|value| Zeroizing::new(value.text().unwrap_or("").trim().to_owned()))
            .filter(|value| !value.is_empty())
    };
    let title = attribute("Title").unwrap_or_default();
    let user = attribute("UserName").unwrap_or_default();
    let mut entry = if let Some(otp) = attribute("otp") {
        if starts_with(&otp, "key=") {
            kee_otp(&otp, &user).entry(place)
        } else {
            draft::from_finding(place, &title, cell_finding(&otp))
        }
    } else {
        let seed = attribute("TOTP Seed")?;
        let settings = attribute("TOTP Settings").unwrap_or_default();
        legacy(&seed, &settings, &user).entry(place)
    };
    if entry.name.is_empty() {
        entry.name = crate::name::Name::new(&title).text;
    }
    Some(entry)
}
