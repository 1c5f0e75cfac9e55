//! Base32 texts to shared secrets (RFC 4648 section 6, facts/seed-formats.md
//! section 2).

use std::sync::LazyLock;

use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, Encoding, HEXUPPER};
use oath::SharedSecret;
use zeroize::Zeroizing;

use crate::Source;
use crate::answers::SecretEncoding;
use crate::key_uri_error::KeyUriError;
use crate::name::misleads;
use crate::note::Note;

/// The least number of bytes that is accepted; Microsoft's secrets have just these.
const LEAST_BYTES: usize = 10;
/// The most base32 characters that are looked at.
const MOST_CHARACTERS: usize = 1024;
/// From here on a text of hexadecimal digits is asked about (section 6).
const LEAST_HEX: usize = 20;

/// Base32 that keeps whole bytes and drops left-over bits, as all apps do (rule 6).
static LENIENT: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = BASE32_NOPAD.specification();
    specification.check_trailing_bits = false;
    specification.encoding().expect("base32 without the check of trailing bits is an encoding")
});

/// Base64 that drops left-over bits, for texts whose encoding was told.
static LENIENT_BASE64: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = BASE64_NOPAD.specification();
    specification.check_trailing_bits = false;
    specification.encoding().expect("base64 without the check of trailing bits is an encoding")
});

/// A secret and what is to be said about its text.
pub(crate) struct Decoded {
    pub(crate) secret: SharedSecret,
    pub(crate) notes: Vec<Note>,
}

/// Decodes a base32 text as people and issuers write it.
pub(crate) fn decode(text: &str, source: Source) -> Result<Decoded, KeyUriError> {
    let cleaned = cleaned(text);
    let length = cleaned.chars().count();
    if length > MOST_CHARACTERS {
        return Err(KeyUriError::SecretTooLong { length });
    }
    if looks_like_base64(text) {
        return Err(KeyUriError::SecretMaybeBase64 { length });
    }
    let characters = cleaned.trim_end_matches('=');
    if looks_like_hex(characters) {
        return Err(KeyUriError::SecretMaybeHex { length: characters.len() });
    }
    decode_base32(characters, source)
}

/// Decodes a base32 text, or by a person's answer what may be something else.
pub(crate) fn decode_or_ask(
    text: &str,
    source: Source,
    encoding: Option<SecretEncoding>,
) -> Result<Decoded, KeyUriError> {
    match (decode(text, source), encoding) {
        (
            Err(KeyUriError::SecretMaybeHex { .. } | KeyUriError::SecretMaybeBase64 { .. }),
            Some(encoding),
        ) => decode_as(text, encoding, source),
        (decoded, _) => decoded,
    }
}

/// Decodes a text whose encoding is known, by its form or by a person's answer, so
/// that nothing is taken for a look-alike.
pub(crate) fn decode_as(
    text: &str,
    encoding: SecretEncoding,
    source: Source,
) -> Result<Decoded, KeyUriError> {
    if text.chars().count() > MOST_CHARACTERS {
        return Err(KeyUriError::SecretTooLong { length: text.chars().count() });
    }
    let bytes = match encoding {
        SecretEncoding::Base32 => {
            return decode_base32(cleaned(text).trim_end_matches('='), source);
        }
        SecretEncoding::Hex => {
            let mut capitals = cleaned(text);
            capitals.retain(|character| character != ':');
            let digits = capitals.strip_prefix("0X").unwrap_or(&capitals);
            first_bad(digits, |c| matches!(c, '0'..='9' | 'A'..='F'))?;
            if !digits.len().is_multiple_of(2) {
                return Err(KeyUriError::SecretCut { length: digits.len() });
            }
            HEXUPPER.decode(digits.as_bytes()).unwrap_or_default()
        }
        SecretEncoding::Base64 => {
            let plain = base64_characters(text);
            first_bad(&plain, |c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/'))?;
            if plain.len() % 4 == 1 {
                return Err(KeyUriError::SecretCut { length: plain.len() });
            }
            LENIENT_BASE64.decode(plain.as_bytes()).unwrap_or_default()
        }
    };
    if bytes.is_empty() {
        return Err(KeyUriError::NoSecret);
    }
    Ok(Decoded { secret: long_enough(SharedSecret::new(bytes))?, notes: Vec::new() })
}

/// The bytes of a base64 value as files hold it: wrapped, padded or not, in the
/// alphabet of sections 4 or 5. `None` when it is none.
pub(crate) fn base64_value(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    LENIENT_BASE64.decode(base64_characters(text).as_bytes()).ok().map(Zeroizing::new)
}

fn base64_characters(text: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let unquoted = text.trim_matches(|c: char| c.is_whitespace() || is_quote(c));
    plain.extend(unquoted.chars().filter(|c| !c.is_whitespace()).map(|c| match c {
        '-' => '+',
        '_' => '/',
        other => other,
    }));
    let end = plain.trim_end_matches('=').len();
    plain.truncate(end);
    plain
}

/// A secret of at least ten bytes; of fewer no code is worth anything.
pub(crate) fn long_enough(secret: SharedSecret) -> Result<SharedSecret, KeyUriError> {
    match secret.len() {
        0 => Err(KeyUriError::NoSecret),
        bytes if bytes < LEAST_BYTES => Err(KeyUriError::SecretTooShort { bytes }),
        bytes if bytes > MOST_CHARACTERS => Err(KeyUriError::SecretTooLong { length: bytes }),
        _ => Ok(secret),
    }
}

/// The first character that does not belong, by its position alone.
fn first_bad(characters: &str, belongs: impl Fn(char) -> bool) -> Result<(), KeyUriError> {
    match characters.chars().enumerate().find(|(_, c)| !belongs(*c)) {
        None => Ok(()),
        Some((index, character)) => {
            Err(KeyUriError::SecretBadCharacter { position: index + 1, character, question: None })
        }
    }
}

/// Decodes capitals without separators and padding.
fn decode_base32(characters: &str, source: Source) -> Result<Decoded, KeyUriError> {
    if characters.is_empty() {
        return Err(KeyUriError::NoSecret);
    }
    let length = characters.chars().count();
    if length > MOST_CHARACTERS {
        return Err(KeyUriError::SecretTooLong { length });
    }
    if let Some((index, character)) = characters.chars().enumerate().find(|(_, c)| !is_base32(*c)) {
        return Err(match character {
            '=' => KeyUriError::SecretPaddingInside,
            _ => KeyUriError::SecretBadCharacter {
                position: index + 1,
                character,
                question: meant(character),
            },
        });
    }

    let mut notes = Vec::new();
    let whole = match characters.len() % 8 {
        1 | 3 | 6 => match source {
            Source::Typed => {
                return Err(KeyUriError::SecretCut { length: characters.len() });
            }
            Source::Picture => {
                notes.push(Note::SecretCut { characters: characters.len() });
                &characters[..characters.len() - 1]
            }
        },
        _ => characters,
    };
    let bytes = decode_whole(whole, &mut notes);
    if bytes.len() < LEAST_BYTES {
        return Err(KeyUriError::SecretTooShort { bytes: bytes.len() });
    }
    Ok(Decoded { secret: SharedSecret::new(bytes), notes })
}

/// Decodes characters that are base32 and of a length that makes whole bytes.
fn decode_whole(characters: &str, notes: &mut Vec<Note>) -> Vec<u8> {
    let input = characters.as_bytes();
    let mut bytes = Zeroizing::new(vec![0; LENIENT.decode_len(input.len()).unwrap_or(0)]);
    if LENIENT.decode_mut(input, &mut bytes).is_err() {
        return vec![];
    }
    let mut again = Zeroizing::new(String::with_capacity(input.len() + 8));
    BASE32_NOPAD.encode_append(&bytes, &mut again);
    if again.as_str() != characters {
        notes.push(Note::LeftOverBits);
    }
    std::mem::take(&mut *bytes)
}

/// The text without separators and surrounding quotes, in ASCII capitals. Padding stays.
pub(crate) fn cleaned(text: &str) -> Zeroizing<String> {
    let mut cleaned = Zeroizing::new(String::with_capacity(text.len()));
    let unquoted = text.trim_matches(|c: char| c.is_whitespace() || is_quote(c));
    cleaned.extend(unquoted.chars().filter(|&c| !is_separator(c)).map(|c| c.to_ascii_uppercase()));
    cleaned
}

/// White space, characters of no width, and every kind of hyphen and dash.
pub(crate) fn is_separator(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '-' | '_'
                | '+'
                | '\u{200c}'
                | '\u{200d}'
                | '\u{2010}'..='\u{2015}'
                | '\u{2212}'
                | '\u{fe58}'
                | '\u{fe63}'
                | '\u{ff0d}'
        )
        // Control characters are an error, not a separator: no issuer writes them.
        || (misleads(character) && !character.is_control())
}

pub(crate) fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\'' | '`' | '\u{ab}' | '\u{bb}' | '\u{2018}'..='\u{201f}')
}

/// Whether a character, already in capitals, belongs to base32.
pub(crate) fn is_base32(character: char) -> bool {
    matches!(character, 'A'..='Z' | '2'..='7')
}

/// Hexadecimal for certain, or so likely that it has to be asked.
///
/// With one of 0, 1, 8, 9 it can be nothing else. Without, twenty base32 characters
/// fall on A to F and 2 to 7 by chance once in 300 million times.
pub(crate) fn looks_like_hex(capitals: &str) -> bool {
    capitals.len() >= LEAST_HEX
        && capitals.len().is_multiple_of(2)
        && capitals.chars().all(|c| matches!(c, '0'..='9' | 'A'..='F'))
        && capitals.chars().any(|c| c.is_ascii_digit())
}

/// Mixed case with `/`, `+` or the padding of groups of four.
pub(crate) fn looks_like_base64(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c.is_whitespace() || is_quote(c));
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let alphabet = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '+');
    body.len() >= 12
        && body.chars().all(alphabet)
        && body.chars().any(|c| c.is_ascii_lowercase())
        && body.chars().any(|c| c.is_ascii_uppercase())
        && (body.contains(['/', '+']) || (matches!(padding, 1 | 2) && text.len().is_multiple_of(4)))
}

/// What a digit that base32 lacks was likely meant to be.
fn meant(character: char) -> Option<char> {
    match character {
        '0' => Some('O'),
        '1' => Some('I'),
        '8' => Some('B'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: [u8; 10] = [0xd5, 0xc9, 0x07, 0xce, 0x7c, 0x3b, 0xfa, 0xc5, 0x82, 0xab];

    fn check(text: &str, expected: &[u8]) {
        for source in [Source::Typed, Source::Picture] {
            let decoded = decode(text, source).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(decoded.secret.expose(), expected, "{text}");
            assert_eq!(decoded.notes, vec![], "{text}");
        }
    }

    fn refused(text: &str, source: Source) -> KeyUriError {
        decode(text, source).map(|decoded| decoded.notes).expect_err("refused")
    }

    #[test]
    fn keys_as_people_write_them() {
        for text in [
            "2XEQPTT4HP5MLAVL",
            "2xeqptt4hp5mlavl",
            "2xeq ptt4 hp5m lavl",
            "2XEQ\u{a0}PTT4\u{a0}HP5M\u{a0}LAVL",
            "2XEQ\u{2009}PTT4\u{202f}HP5M\tLAVL",
            "2XEQPTT4\r\nHP5MLAVL\n",
            "2XEQ-PTT4-HP5M-LAVL",
            "2XEQ\u{2013}PTT4\u{2014}HP5M\u{2212}LAVL",
            "2XEQ_PTT4+HP5M LAVL",
            "\u{201c}2XEQPTT4HP5MLAVL\u{201d}",
            "'2XEQPTT4HP5MLAVL'",
            "2XEQ\u{200b}PTT4\u{200d}HP5M\u{feff}LAVL",
            "2XEQPTT4HP5MLAVL========",
        ] {
            check(text, &WORK);
        }
    }

    #[test]
    fn padding_as_rfc_4648_writes_it() {
        check("MZXW6YTBOJTG633CMFZA====", b"foobarfoobar");
    }

    #[test]
    fn slips_are_named() {
        let bad = |position, character, question| KeyUriError::SecretBadCharacter {
            position,
            character,
            question,
        };
        for (text, expected) in [
            ("", KeyUriError::NoSecret),
            (" - ", KeyUriError::NoSecret),
            ("====", KeyUriError::NoSecret),
            ("0123456789", bad(1, '0', Some('O'))),
            ("2XEQ PTT1 HP5M LAVL", bad(8, '1', Some('I'))),
            ("8XEQPTT4HP5MLAVL", bad(1, '8', Some('B'))),
            ("2XEQPTT4HP5MLAV9", bad(16, '9', None)),
            ("2XEQPTT4HP5MLAV\u{131}", bad(16, '\u{131}', None)),
            ("2XEQPTT4\u{0}HP5MLAVL", bad(9, '\u{0}', None)),
            ("2XEQ=PTT4HP5MLAVL", KeyUriError::SecretPaddingInside),
            ("AA======", KeyUriError::SecretTooShort { bytes: 1 }),
            ("2XEQPTT4HP5MLA", KeyUriError::SecretCut { length: 14 }),
            ("2XEQPTT4HP5ML", KeyUriError::SecretTooShort { bytes: 8 }),
            ("2XEQPTT4HP5MLAVLA", KeyUriError::SecretCut { length: 17 }),
            (
                "3132333435363738393031323334353637383930",
                KeyUriError::SecretMaybeHex { length: 40 },
            ),
            (
                "A2B3C4D5E6F7A2B3C4D5E6F7A2B3C4D5E6F7A2B3",
                KeyUriError::SecretMaybeHex { length: 40 },
            ),
            ("1ckHznw7+sWCqw==", KeyUriError::SecretMaybeBase64 { length: 15 }),
        ] {
            assert_eq!(refused(text, Source::Typed), expected, "{text:?}");
        }
        let long = "A".repeat(1025);
        assert_eq!(refused(&long, Source::Typed), KeyUriError::SecretTooLong { length: 1025 });
    }

    #[test]
    fn what_an_issuer_wrote_is_kept_with_a_note() {
        let cut = decode("2XEQPTT4HP5MLAVLA", Source::Picture).expect("accepted");
        assert_eq!(cut.secret.expose(), WORK);
        assert_eq!(cut.notes, vec![Note::SecretCut { characters: 17 }]);
        // The fixture "long" with its last character changed from Q to R.
        let text = "A4NFPISXU4GDV7R3I745KCB6SMVDRFIXTXSP5SV7XPB6IJ6XXX4R";
        let bits = decode(text, Source::Typed).expect("accepted");
        assert_eq!(bits.secret.len(), 32);
        assert_eq!(bits.notes, vec![Note::LeftOverBits]);
    }

    #[test]
    fn lengths_of_the_facts() {
        for (characters, bytes) in
            [(16, 10), (26, 16), (32, 20), (52, 32), (64, 40), (103, 64), (128, 80)]
        {
            let decoded = decode(&"A".repeat(characters), Source::Typed).expect("accepted");
            assert_eq!(decoded.secret.len(), bytes);
        }
    }
}
