//! A key without a Key URI around it, and its look-alikes.

use oath::Parameters;
use zeroize::Zeroizing;

use crate::answers::SecretEncoding;
use crate::credential::{Credential, Parts};
use crate::foreign::Foreign;
use crate::key_uri_error::KeyUriError;
use crate::note::Note;
use crate::secret::{self, Decoded, cleaned, is_base32, is_quote, is_separator};
use crate::{Finding, Source};

/// The least number of base32 characters that are taken for a key by themselves.
pub(crate) const LEAST: usize = 16;
/// The most characters of a pasted key.
const MOST: usize = 1024;

/// What a text is if it is nothing but a key; `None` when it is something else.
pub(crate) fn find(text: &str, source: Source) -> Option<Finding> {
    if secret::looks_like_base64(text) {
        let length = text.chars().filter(|c| c.is_ascii_alphanumeric() || "/+".contains(*c));
        return Some(Finding::Foreign(Foreign::Base64Secret { length: length.count() }));
    }
    if let Some(bytes) = hex_bytes(text) {
        return Some(Finding::Foreign(Foreign::HexSecret { bytes }));
    }
    if !is_grouped(text, source) {
        return None;
    }
    let joined = cleaned(text);
    let characters = joined.trim_end_matches('=');
    let length = characters.chars().count();
    if characters.chars().all(is_base32) {
        let worth_naming = source == Source::Typed && length >= 8 && has_digit(characters);
        return (length >= LEAST || worth_naming).then(|| credential(text, "", None));
    }
    (source == Source::Typed && is_near_miss(characters)).then(|| credential(text, "", None))
}

/// A credential with the defaults of the Key URI, or why it is none.
///
/// A bare key was typed or printed by someone, so it is held to the rules for typed
/// keys wherever it comes from.
pub(crate) fn credential(key: &str, account: &str, organisation: Option<&str>) -> Finding {
    finding(secret::decode(key, Source::Typed), account, organisation)
}

/// The same for a key whose encoding a person told.
pub(crate) fn credential_as(key: &str, encoding: SecretEncoding) -> Finding {
    finding(secret::decode_as(key, encoding, Source::Typed), "", None)
}

fn finding(
    decoded: Result<Decoded, KeyUriError>,
    account: &str,
    organisation: Option<&str>,
) -> Finding {
    match decoded {
        Ok(decoded) => {
            let mut notes = decoded.notes;
            notes.push(Note::ParametersAssumed);
            Finding::Credential(Credential::new(Parts {
                secret: decoded.secret,
                parameters: Parameters::default(),
                issuer: None,
                organisation,
                account,
                notes,
            }))
        }
        Err(KeyUriError::SecretMaybeHex { length }) => {
            Finding::Foreign(Foreign::HexSecret { bytes: length / 2 })
        }
        Err(KeyUriError::SecretMaybeBase64 { length }) => {
            Finding::Foreign(Foreign::Base64Secret { length })
        }
        Err(error) => Finding::Unusable(error),
    }
}

/// Whether a text is written as a key is: one word, or words of equal length.
///
/// Ordinary sentences are made of base32 letters too, but not of equal words, and a
/// word before the key must not become its first letters. A person may group as they
/// please if the groups do not look like words and make a key of a usual length.
pub(crate) fn is_grouped(text: &str, source: Source) -> bool {
    let groups: Vec<&str> = groups(text).collect();
    let Some((last, others)) = groups.split_last() else {
        return false;
    };
    let Some(first) = others.first() else {
        return true;
    };
    let size = first.len();
    if size >= 2 && last.len() <= size && others.iter().all(|group| group.len() == size) {
        let upper = |group: &str| group.chars().any(|c| c.is_ascii_uppercase());
        let label = upper(first) && first.chars().skip(1).all(|c| c.is_ascii_lowercase());
        return !label || groups[1..].iter().any(|group| upper(group));
    }
    let length: usize = groups.iter().map(|group| group.len()).sum();
    let mixed = groups
        .iter()
        .filter(|group| has_digit(group) && group.chars().any(char::is_alphabetic))
        .count();
    source == Source::Typed
        && USUAL.contains(&length)
        && groups.iter().all(|group| group.len() < LEAST)
        && mixed * 2 >= groups.len()
}

/// Usual lengths of keys in base32 characters: 10, 16, 20, 32 and 40 bytes.
const USUAL: [usize; 5] = [16, 26, 32, 52, 64];

/// The words of a key: what stands between separators, without quotes around the whole.
pub(crate) fn groups(text: &str) -> impl Iterator<Item = &str> {
    text.trim_matches(|c: char| c.is_whitespace() || is_quote(c))
        .split(is_separator)
        .filter(|group| !group.is_empty())
}

pub(crate) fn has_digit(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit())
}

/// A key with a slip in it: letters and digits, few of which base32 lacks.
pub(crate) fn is_near_miss(capitals: &str) -> bool {
    let length = capitals.chars().count();
    let wrong = capitals.chars().filter(|&c| !is_base32(c)).count();
    (LEAST..=MOST).contains(&length)
        && wrong * 4 <= length
        && has_digit(capitals)
        && capitals.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Bytes of a text that is or may be a seed in hexadecimal, with the separators and
/// the prefix that hexadecimal is written with.
fn hex_bytes(text: &str) -> Option<usize> {
    let mut capitals: Zeroizing<String> = cleaned(text);
    capitals.retain(|character| character != ':');
    let digits = capitals.strip_prefix("0X").unwrap_or(&capitals);
    secret::looks_like_hex(digits).then_some(digits.len() / 2)
}
