//! What was accepted and a person should still know.

/// A remark on a credential. None of them stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A bare key came without parameters; SHA-1, 6 digits and 30 seconds were assumed.
    ParametersAssumed,
    /// The base32 text ends within a byte; the rest was dropped (facts/seed-formats.md
    /// section 2 rule 5).
    SecretCut {
        /// Base32 characters before the drop.
        characters: usize,
    },
    /// Left-over bits at the end are not zero, which a slip of the pen leaves (rule 6).
    LeftOverBits,
    /// Below the 128 bits of RFC 4226 section 4. Not said of Microsoft's own secrets.
    ShortSecret {
        /// Length of the secret.
        bytes: usize,
    },
    /// Longer than a block of the hash, so HMAC uses the hash of it (RFC 2104).
    LongSecret {
        /// Length of the secret.
        bytes: usize,
    },
    /// A name held control characters or direction overrides, which were taken out.
    NameCleaned,
    /// A name was longer than 128 characters and was cut.
    NameCut,
}

impl Note {
    /// A stable name for the words that are kept elsewhere.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ParametersAssumed => "parameters-assumed",
            Self::SecretCut { .. } => "secret-cut-accepted",
            Self::LeftOverBits => "left-over-bits",
            Self::ShortSecret { .. } => "short-secret",
            Self::LongSecret { .. } => "long-secret",
            Self::NameCleaned => "name-cleaned",
            Self::NameCut => "name-cut",
        }
    }

    /// Every name that [`Note::code`] returns.
    pub const CODES: &'static [&'static str] = &[
        "parameters-assumed",
        "secret-cut-accepted",
        "left-over-bits",
        "short-secret",
        "long-secret",
        "name-cleaned",
        "name-cut",
    ];

    /// The facts by name, for the words. None is secret.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::ParametersAssumed | Self::LeftOverBits | Self::NameCleaned | Self::NameCut => {
                vec![]
            }
            Self::SecretCut { characters } => vec![("length", characters.to_string())],
            Self::ShortSecret { bytes } | Self::LongSecret { bytes } => {
                vec![("bytes", bytes.to_string())]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let all = [
            Note::ParametersAssumed,
            Note::SecretCut { characters: 17 },
            Note::LeftOverBits,
            Note::ShortSecret { bytes: 10 },
            Note::LongSecret { bytes: 80 },
            Note::NameCleaned,
            Note::NameCut,
        ];
        assert_eq!(all.iter().map(Note::code).collect::<Vec<_>>(), Note::CODES);
    }
}
