//! What is to be said of a whole list, table or vault.

use crate::entry_error::Damage;

/// A remark on what was read. None of them stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// An export is spread over several QR codes, and not all are there.
    Incomplete {
        /// Codes that are there.
        scanned: usize,
        /// Codes that there are.
        of: usize,
    },
    /// The text is no Unicode; it was read as Windows-1252.
    NotUnicode,
    /// The table has no header where its form has one.
    NoHeader,
    /// A cell that is not the secret was damaged.
    Damaged {
        /// The row, as a spreadsheet counts.
        row: usize,
        /// The column, counted from 1.
        column: usize,
        /// What happened to it.
        damage: Damage,
    },
    /// Two entries have the same secret, which real tokens never have.
    SameSecret {
        /// The earlier entry's place.
        first: usize,
        /// The later entry's place.
        second: usize,
    },
    /// The hash follows from the length of the secret alone (privacyIDEA's rule for
    /// OATH CSV); a SHA-1 token with so long a seed would be misread.
    HashByLength {
        /// The row, as a spreadsheet counts.
        row: usize,
    },
    /// The file is encrypted and nothing tells whether it was changed.
    NotAuthenticated,
}

impl Remark {
    /// A stable name for the words that are kept elsewhere.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Incomplete { .. } => "incomplete",
            Self::NotUnicode => "not-unicode",
            Self::NoHeader => "no-header",
            Self::Damaged { damage, .. } => match damage {
                Damage::ScientificNotation => "serial-scientific-notation",
                Damage::LostZeros => "serial-lost-zeros",
                Damage::Rounded => "serial-rounded",
                Damage::ErrorValue => "serial-error-value",
            },
            Self::SameSecret { .. } => "same-secret",
            Self::HashByLength { .. } => "hash-by-length",
            Self::NotAuthenticated => "not-authenticated",
        }
    }

    /// Every name that [`Remark::code`] returns.
    pub const CODES: &'static [&'static str] = &[
        "incomplete",
        "not-unicode",
        "no-header",
        "serial-scientific-notation",
        "serial-lost-zeros",
        "serial-rounded",
        "serial-error-value",
        "same-secret",
        "hash-by-length",
        "not-authenticated",
    ];

    /// The facts by name, for the words: `scanned`, `of`, `row`, `column`, `first`,
    /// `second`.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Incomplete { scanned, of } => {
                vec![("scanned", scanned.to_string()), ("of", of.to_string())]
            }
            Self::Damaged { row, column, .. } => {
                vec![("row", row.to_string()), ("column", column.to_string())]
            }
            Self::SameSecret { first, second } => {
                vec![("first", first.to_string()), ("second", second.to_string())]
            }
            Self::HashByLength { row } => vec![("row", row.to_string())],
            Self::NotUnicode | Self::NoHeader | Self::NotAuthenticated => vec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let damaged = |damage| Remark::Damaged { row: 2, column: 3, damage };
        let all = [
            Remark::Incomplete { scanned: 2, of: 3 },
            Remark::NotUnicode,
            Remark::NoHeader,
            damaged(Damage::ScientificNotation),
            damaged(Damage::LostZeros),
            damaged(Damage::Rounded),
            damaged(Damage::ErrorValue),
            Remark::SameSecret { first: 2, second: 3 },
            Remark::HashByLength { row: 2 },
            Remark::NotAuthenticated,
        ];
        assert_eq!(all.iter().map(Remark::code).collect::<Vec<_>>(), Remark::CODES);
    }
}
