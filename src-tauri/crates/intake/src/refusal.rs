//! Why a text or a file as a whole is not read.

use crate::foreign::Foreign;
use crate::form::Form;
use crate::key_uri_error::KeyUriError;

/// Why nothing can be read. Facts only; never a secret or a piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Meant as a Key URI or a key, and not usable.
    #[error(transparent)]
    Unusable(KeyUriError),
    /// Something else than a seed.
    #[error("it is something else")]
    Foreign(Foreign),
    /// More bytes than any export has.
    #[error("{bytes} bytes")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The most that is read.
        most: usize,
    },
    /// More of something than is read: `entries`, `columns`, `elements`.
    #[error("more than {most} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The most that is read.
        most: usize,
    },
    /// It begins like one of the forms and does not go on so.
    #[error("the {} is damaged: {what}", .form.name())]
    Malformed {
        /// What it begins like.
        form: Form,
        /// What is wrong.
        what: &'static str,
    },
    /// The password does not open it. Damage looks the same.
    #[error("the password does not open the {}", .form.name())]
    WrongPassword {
        /// What is encrypted.
        form: Form,
    },
    /// Opening it would cost more than is allowed.
    #[error("the {} asks for {field} {value}, at most {most} is allowed", .form.name())]
    TooCostly {
        /// What is encrypted.
        form: Form,
        /// The parameter of the key derivation.
        field: &'static str,
        /// What it asks for.
        value: u64,
        /// The most that is allowed.
        most: u64,
    },
    /// A kind of encryption or content that is not read here.
    #[error("{what} in a {} is not read", .form.name())]
    Unsupported {
        /// What it is.
        form: Form,
        /// What is not read.
        what: &'static str,
    },
    /// A file of a kind that holds no seed that can be read: a spreadsheet's own
    /// format, a database, an archive.
    #[error("it is a {kind}")]
    OtherFile {
        /// The kind, such as `xlsx`.
        kind: &'static str,
    },
    /// QR codes of more than one export.
    #[error("the codes belong to different exports")]
    MixedExports,
    /// A well-formed file with nothing in it.
    #[error("the {} is empty", .form.name())]
    NoEntries {
        /// What it is.
        form: Form,
    },
}

impl Refusal {
    /// A stable name for the words that are kept elsewhere.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unusable(error) => error.code(),
            Self::Foreign(foreign) => foreign.code(),
            Self::TooLarge { .. } => "file-too-large-to-read",
            Self::TooMany { .. } => "too-many",
            Self::Malformed { .. } => "malformed-file",
            Self::WrongPassword { .. } => "wrong-file-password",
            Self::TooCostly { .. } => "too-costly",
            Self::Unsupported { .. } => "unsupported",
            Self::OtherFile { .. } => "other-file",
            Self::MixedExports => "mixed-exports",
            Self::NoEntries { .. } => "no-entries",
        }
    }

    /// Every name that [`Refusal::code`] returns of its own, besides those of
    /// [`KeyUriError::CODES`] and [`Foreign::CODES`].
    pub const CODES: &'static [&'static str] = &[
        "file-too-large-to-read",
        "too-many",
        "malformed-file",
        "wrong-file-password",
        "too-costly",
        "unsupported",
        "other-file",
        "mixed-exports",
        "no-entries",
    ];

    /// The facts by name, for the words: `form`, `what`, `field`, `value`, `most`,
    /// `bytes`, `kind`, and those of the other two enums.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let form = |form: &Form| ("form", form.name().to_owned());
        match self {
            Self::Unusable(error) => error.facts(),
            Self::Foreign(foreign) => foreign.facts(),
            Self::TooLarge { bytes, most } => {
                vec![("bytes", bytes.to_string()), ("most", most.to_string())]
            }
            Self::TooMany { what, most } => {
                vec![("what", (*what).to_owned()), ("most", most.to_string())]
            }
            Self::Malformed { form: found, what } | Self::Unsupported { form: found, what } => {
                vec![form(found), ("what", (*what).to_owned())]
            }
            Self::WrongPassword { form: found } | Self::NoEntries { form: found } => {
                vec![form(found)]
            }
            Self::TooCostly { form: found, field, value, most } => vec![
                form(found),
                ("field", (*field).to_owned()),
                ("value", value.to_string()),
                ("most", most.to_string()),
            ],
            Self::OtherFile { kind } => vec![("kind", (*kind).to_owned())],
            Self::MixedExports => vec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let form = Form::Aegis;
        let all = [
            Refusal::TooLarge { bytes: 2, most: 1 },
            Refusal::TooMany { what: "entries", most: 1 },
            Refusal::Malformed { form, what: "JSON" },
            Refusal::WrongPassword { form },
            Refusal::TooCostly { form, field: "iterations", value: 2, most: 1 },
            Refusal::Unsupported { form, what: "encryption" },
            Refusal::OtherFile { kind: "database" },
            Refusal::MixedExports,
            Refusal::NoEntries { form },
        ];
        assert_eq!(all.iter().map(Refusal::code).collect::<Vec<_>>(), Refusal::CODES);
    }
}
