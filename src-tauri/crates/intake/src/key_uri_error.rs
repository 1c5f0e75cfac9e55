//! Why a Key URI or a key cannot be used.

/// Why a text that was meant as a Key URI or a key is not usable.
///
/// Facts only: of a secret never more than one wrong character and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyUriError {
    /// Longer than any Key URI.
    #[error("{bytes} bytes of text")]
    TextTooLong {
        /// Length of the text.
        bytes: usize,
    },
    /// The Key URI is broken in the middle of its secret, over more than one line.
    #[error("the Key URI is broken over several lines")]
    BrokenOverLines,
    /// HOTP (RFC 4226): counts presses, not time.
    #[error("the credential counts events, not time")]
    EventBased,
    /// Five letters made the way of Steam.
    #[error("the credential makes the letter codes of Steam")]
    SteamCodes,
    /// Neither `totp` nor another type that is known.
    #[error("the type of the Key URI is not known")]
    UnknownType,
    /// No secret, or an empty one.
    #[error("there is no secret")]
    NoSecret,
    /// A character that base32 does not have.
    #[error("character {position} of the secret is not base32")]
    SecretBadCharacter {
        /// Counted from 1, without spaces and hyphens.
        position: usize,
        /// The character itself.
        character: char,
        /// What it may have been meant to be; only ever a question.
        question: Option<char>,
    },
    /// Looks like hexadecimal.
    #[error("the secret may be hexadecimal")]
    SecretMaybeHex {
        /// Number of characters.
        length: usize,
    },
    /// Looks like base64.
    #[error("the secret may be base64")]
    SecretMaybeBase64 {
        /// Number of characters.
        length: usize,
    },
    /// Padding before the end.
    #[error("there is padding inside the secret")]
    SecretPaddingInside,
    /// Ends within a byte: something was cut off.
    #[error("the secret of {length} characters was cut off")]
    SecretCut {
        /// Number of characters.
        length: usize,
    },
    /// Fewer than 10 bytes.
    #[error("the secret has {bytes} bytes only")]
    SecretTooShort {
        /// Length of the secret.
        bytes: usize,
    },
    /// More than 1024 characters.
    #[error("the secret has {length} characters")]
    SecretTooLong {
        /// Number of characters.
        length: usize,
    },
    /// A parameter that stands there twice with different values.
    #[error("{field} is there twice and differs")]
    Conflicting {
        /// The parameter.
        field: &'static str,
    },
    /// A parameter that is no number, or none that is allowed.
    #[error("{field} is not a number that is allowed")]
    BadNumber {
        /// The parameter.
        field: &'static str,
        /// The number, when it is one and only out of range.
        value: Option<u64>,
    },
    /// A hash that is not computed here.
    #[error("the algorithm is not known")]
    UnknownAlgorithm {
        /// Its name, when it is one that is known to exist.
        name: Option<&'static str>,
    },
}

impl KeyUriError {
    /// A stable name for the words that are kept elsewhere.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TextTooLong { .. } => "text-too-long",
            Self::BrokenOverLines => "broken-over-lines",
            Self::EventBased => "event-based",
            Self::SteamCodes => "steam-codes",
            Self::UnknownType => "unknown-type",
            Self::NoSecret => "no-secret",
            Self::SecretBadCharacter { .. } => "secret-bad-character",
            Self::SecretMaybeHex { .. } => "secret-maybe-hex",
            Self::SecretMaybeBase64 { .. } => "secret-maybe-base64",
            Self::SecretPaddingInside => "secret-padding-inside",
            Self::SecretCut { .. } => "secret-cut",
            Self::SecretTooShort { .. } => "secret-too-short",
            Self::SecretTooLong { .. } => "secret-too-long",
            Self::Conflicting { .. } => "conflicting",
            Self::BadNumber { .. } => "bad-number",
            Self::UnknownAlgorithm { .. } => "unknown-algorithm",
        }
    }

    /// Every name that [`KeyUriError::code`] returns.
    pub const CODES: &'static [&'static str] = &[
        "text-too-long",
        "broken-over-lines",
        "event-based",
        "steam-codes",
        "unknown-type",
        "no-secret",
        "secret-bad-character",
        "secret-maybe-hex",
        "secret-maybe-base64",
        "secret-padding-inside",
        "secret-cut",
        "secret-too-short",
        "secret-too-long",
        "conflicting",
        "bad-number",
        "unknown-algorithm",
    ];

    /// The facts by name, for the words: `field`, `position`, `character`, `question`,
    /// `value`, `length`, `bytes`, `name`. None is secret beyond one wrong character.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::BrokenOverLines
            | Self::EventBased
            | Self::SteamCodes
            | Self::UnknownType
            | Self::NoSecret
            | Self::SecretPaddingInside => vec![],
            Self::TextTooLong { bytes } | Self::SecretTooShort { bytes } => {
                vec![("bytes", bytes.to_string())]
            }
            Self::SecretBadCharacter { position, character, question } => {
                let mut facts =
                    vec![("position", position.to_string()), ("character", shown(*character))];
                facts.extend(question.map(|letter| ("question", letter.to_string())));
                facts
            }
            Self::SecretMaybeHex { length }
            | Self::SecretMaybeBase64 { length }
            | Self::SecretCut { length }
            | Self::SecretTooLong { length } => vec![("length", length.to_string())],
            Self::Conflicting { field } => vec![("field", (*field).to_owned())],
            Self::BadNumber { field, value } => {
                let mut facts = vec![("field", (*field).to_owned())];
                facts.extend(value.map(|value| ("value", value.to_string())));
                facts
            }
            Self::UnknownAlgorithm { name } => {
                name.iter().map(|name| ("name", (*name).to_owned())).collect()
            }
        }
    }
}

/// A character as itself, or by its number when it cannot be seen.
fn shown(character: char) -> String {
    if crate::name::misleads(character) || character.is_whitespace() {
        format!("U+{:04X}", u32::from(character))
    } else {
        character.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let all = [
            KeyUriError::TextTooLong { bytes: 1 },
            KeyUriError::BrokenOverLines,
            KeyUriError::EventBased,
            KeyUriError::SteamCodes,
            KeyUriError::UnknownType,
            KeyUriError::NoSecret,
            KeyUriError::SecretBadCharacter { position: 1, character: '0', question: Some('O') },
            KeyUriError::SecretMaybeHex { length: 40 },
            KeyUriError::SecretMaybeBase64 { length: 24 },
            KeyUriError::SecretPaddingInside,
            KeyUriError::SecretCut { length: 17 },
            KeyUriError::SecretTooShort { bytes: 1 },
            KeyUriError::SecretTooLong { length: 2000 },
            KeyUriError::Conflicting { field: "secret" },
            KeyUriError::BadNumber { field: "digits", value: None },
            KeyUriError::UnknownAlgorithm { name: None },
        ];
        assert_eq!(all.iter().map(KeyUriError::code).collect::<Vec<_>>(), KeyUriError::CODES);
    }

    #[test]
    fn characters_that_cannot_be_seen_are_shown_by_number() {
        let error =
            KeyUriError::SecretBadCharacter { position: 3, character: '\u{7}', question: None };
        assert_eq!(
            error.facts(),
            vec![("position", "3".to_owned()), ("character", "U+0007".to_owned())]
        );
    }
}
