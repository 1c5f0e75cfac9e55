//! Why one entry of a list, a table or a vault gives no credential.

use crate::foreign::Foreign;
use crate::key_uri_error::KeyUriError;

/// Why an entry is not usable. Facts only, and never the content of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Meant as a credential, and not usable.
    #[error(transparent)]
    Unusable(KeyUriError),
    /// Something else than a seed.
    #[error("it is something else")]
    Foreign(Foreign),
    /// A cell of a table that is damaged.
    #[error("row {row}, column {column}: {}", .damage.code())]
    Damaged {
        /// The row, as a spreadsheet counts.
        row: usize,
        /// The column, counted from 1.
        column: usize,
        /// What happened to it.
        damage: Damage,
    },
    /// A cell of a table that cannot be used.
    #[error("row {row}, column {column}: {error}")]
    Cell {
        /// The row, as a spreadsheet counts.
        row: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong with it.
        error: KeyUriError,
    },
    /// A row that has no cell for the secret.
    #[error("row {row} has {columns} columns only")]
    RowTooShort {
        /// The row, as a spreadsheet counts.
        row: usize,
        /// The cells that it has.
        columns: usize,
    },
    /// A key that is no OATH key, or protected in a way that is not read here.
    #[error("{what} is not read")]
    Unsupported {
        /// What is not read.
        what: &'static str,
    },
    /// The value is not what its MAC was computed over (RFC 6030 section 6.1.1).
    #[error("the MAC of the secret is wrong")]
    WrongMac,
    /// The secret is no base64 where it has to be.
    #[error("the value is not base64")]
    NotBase64,
}

/// What a spreadsheet or an editor did to a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// `1.2E+12` in place of a long number.
    ScientificNotation,
    /// Shorter than its neighbours: zeros in front are gone.
    LostZeros,
    /// A number of more than 15 digits that ends in zeros: the rest was rounded away.
    Rounded,
    /// `#NAME?`, `#REF!`, `####`.
    ErrorValue,
}

impl Damage {
    /// A stable name for the words that are kept elsewhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ScientificNotation => "scientific-notation",
            Self::LostZeros => "lost-zeros",
            Self::Rounded => "rounded",
            Self::ErrorValue => "error-value",
        }
    }
}

impl EntryError {
    /// A stable name for the words that are kept elsewhere.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unusable(error) | Self::Cell { error, .. } => error.code(),
            Self::Foreign(foreign) => foreign.code(),
            Self::Damaged { damage, .. } => match damage {
                Damage::ScientificNotation => "cell-scientific-notation",
                Damage::LostZeros => "cell-lost-zeros",
                Damage::Rounded => "cell-rounded",
                Damage::ErrorValue => "cell-error-value",
            },
            Self::RowTooShort { .. } => "row-too-short",
            Self::Unsupported { .. } => "unsupported-key",
            Self::WrongMac => "wrong-mac",
            Self::NotBase64 => "not-base64",
        }
    }

    /// Every name that [`EntryError::code`] returns of its own, besides those of
    /// [`KeyUriError::CODES`] and [`Foreign::CODES`].
    pub const CODES: &'static [&'static str] = &[
        "cell-scientific-notation",
        "cell-lost-zeros",
        "cell-rounded",
        "cell-error-value",
        "row-too-short",
        "unsupported-key",
        "wrong-mac",
        "not-base64",
    ];

    /// The facts by name, for the words: `row`, `column`, `columns`, `what`, and those
    /// of the other two enums.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let cell = |row: &usize, column: &usize| {
            vec![("row", row.to_string()), ("column", column.to_string())]
        };
        match self {
            Self::Unusable(error) => error.facts(),
            Self::Foreign(foreign) => foreign.facts(),
            Self::Damaged { row, column, .. } => cell(row, column),
            Self::Cell { row, column, error } => {
                let mut facts = cell(row, column);
                facts.extend(error.facts());
                facts
            }
            Self::RowTooShort { row, columns } => {
                vec![("row", row.to_string()), ("columns", columns.to_string())]
            }
            Self::Unsupported { what } => vec![("what", (*what).to_owned())],
            Self::WrongMac | Self::NotBase64 => vec![],
        }
    }
}

impl From<KeyUriError> for EntryError {
    fn from(error: KeyUriError) -> Self {
        Self::Unusable(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let damaged = |damage| EntryError::Damaged { row: 2, column: 3, damage };
        let all = [
            damaged(Damage::ScientificNotation),
            damaged(Damage::LostZeros),
            damaged(Damage::Rounded),
            damaged(Damage::ErrorValue),
            EntryError::RowTooShort { row: 2, columns: 1 },
            EntryError::Unsupported { what: "a PIN" },
            EntryError::WrongMac,
            EntryError::NotBase64,
        ];
        assert_eq!(all.iter().map(EntryError::code).collect::<Vec<_>>(), EntryError::CODES);
    }
}
