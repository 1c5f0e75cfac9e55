//! The canary: one shared secret that the tests enrol again and again, and that
//! must never be found in anything they print or leave behind.
//!
//! It is looked for in every form a careless line of code would give it: base32,
//! base32 in groups of four, hexadecimal, base64, and the list of numbers that a
//! derived `Debug` prints. A report names the file and the form, not the secret.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The canary in base32 (RFC 4648 section 6): 20 bytes, no padding.
const CANARY: &str = "CANARYCANARYCANARYCANARYCANARY23";

/// A place where the canary was seen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) file: PathBuf,
    /// How the secret was written there.
    pub(crate) form: &'static str,
}

/// Searches files, and folders with everything below them. A place that does not
/// exist holds nothing.
pub(crate) fn search(places: &[PathBuf]) -> Result<Vec<Sighting>, Failure> {
    let forms = forms();
    let mut sightings = Vec::new();
    for place in places {
        search_below(place, &forms, &mut sightings)?;
    }
    Ok(sightings)
}

/// A way to write the secret, and the bytes that gives.
type Form = (&'static str, Vec<u8>);

fn search_below(
    place: &Path,
    forms: &[Form],
    sightings: &mut Vec<Sighting>,
) -> Result<(), Failure> {
    let broken = |source| Failure::File { path: place.to_owned(), source };
    if place.is_dir() {
        for entry in fs::read_dir(place).map_err(broken)? {
            search_below(&entry.map_err(broken)?.path(), forms, sightings)?;
        }
    } else if place.is_file() {
        let content = fs::read(place).map_err(broken)?;
        let seen = forms.iter().filter(|(_, needle)| contains(&content, needle));
        sightings.extend(seen.map(|(form, _)| Sighting { file: place.to_owned(), form }));
    }
    Ok(())
}

fn contains(content: &[u8], needle: &[u8]) -> bool {
    content.windows(needle.len()).any(|window| window == needle)
}

fn forms() -> Vec<Form> {
    let bytes = base32(CANARY);
    let lower = CANARY.to_lowercase();
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let hex = hex.concat();
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let base64 = base64(&bytes);
    let url_safe = base64.replace('+', "-").replace('/', "_");
    [
        ("base32", CANARY.to_owned()),
        ("base32 in lower case", lower.clone()),
        ("base32 in groups", in_groups(CANARY)),
        ("base32 in lower-case groups", in_groups(&lower)),
        ("hexadecimal", hex.clone()),
        ("hexadecimal in upper case", hex.to_uppercase()),
        ("base64", base64),
        ("base64 for URLs", url_safe),
        ("a list of numbers", numbers.join(", ")),
    ]
    .map(|(form, text)| (form, text.into_bytes()))
    .into()
}

fn in_groups(text: &str) -> String {
    let groups: Vec<_> = text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join(" ")
}

/// Decodes upper-case base32 without padding.
fn base32(text: &str) -> Vec<u8> {
    let values = text.bytes().map(|letter| match letter {
        b'A'..=b'Z' => letter - b'A',
        _ => letter - b'2' + 26,
    });
    regroup(values, 5, 8)
}

/// Encodes as base64 (RFC 4648 section 4), without the padding, so that the padded
/// form is found as well.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let spare = (3 - bytes.len() % 3) % 3;
    let padded = bytes.iter().copied().chain(std::iter::repeat_n(0, spare));
    let letters = (bytes.len() * 8).div_ceil(6);
    regroup(padded, 8, 6)
        .into_iter()
        .take(letters)
        .map(|value| char::from(ALPHABET[usize::from(value)]))
        .collect()
}

/// Cuts a run of `from`-bit values, highest bit first, into `to`-bit values; bits
/// left over at the end are dropped.
fn regroup(values: impl Iterator<Item = u8>, from: u32, to: u32) -> Vec<u8> {
    let (mut held, mut bits) = (0_u16, 0);
    // At most 8 + 7 bits are held at a time; what is older falls off the top.
    let mask = u8::MAX >> (8 - to);
    let mut regrouped = Vec::new();
    for value in values {
        held = held << from | u16::from(value);
        bits += from;
        while bits >= to {
            bits -= to;
            let [_, low] = (held >> bits).to_be_bytes();
            regrouped.push(low & mask);
        }
    }
    regrouped
}

#[cfg(test)]
mod tests {
    use super::{base32, base64, contains, forms, in_groups};

    #[test]
    fn base32_is_that_of_rfc_4648_section_10() {
        assert_eq!(base32("MZXW6YTBOI"), b"foobar");
        assert_eq!(base32("MZXW6YTB"), b"fooba");
    }

    #[test]
    fn base64_is_that_of_rfc_4648_section_10() {
        assert_eq!(base64(b"foobar"), "Zm9vYmFy");
        assert_eq!(base64(b"fooba"), "Zm9vYmE");
        assert_eq!(base64(b"foob"), "Zm9vYg");
    }

    #[test]
    fn groups_are_four_letters_long() {
        assert_eq!(in_groups("ABCDEFGHIJ"), "ABCD EFGH IJ");
    }

    #[test]
    fn every_form_is_found_and_no_two_are_the_same() {
        let forms = forms();
        for (form, needle) in &forms {
            let line = [b"seed=", needle.as_slice(), b"\n"].concat();
            assert!(contains(&line, needle), "{form}");
            assert!(!contains(b"nothing here", needle), "{form}");
        }
        // The two kinds of base64 agree where a secret needs neither plus nor slash.
        let mut needles: Vec<_> = forms.iter().map(|(_, needle)| needle).collect();
        needles.sort();
        needles.dedup();
        assert!(needles.len() >= forms.len() - 1);
    }
}
