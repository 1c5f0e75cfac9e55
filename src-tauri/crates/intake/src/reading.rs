//! What reading a text or a file comes to: entries, a question, or a refusal.

use std::fmt;

use crate::answers::SecretEncoding;
use crate::credential::Credential;
use crate::entry_error::EntryError;
use crate::form::Form;
use crate::refusal::Refusal;
use crate::remark::Remark;

/// What [`crate::read`] found.
#[derive(Debug)]
pub enum Reading {
    /// One entry or more, each a credential or the reason why it is none. Several are
    /// a list to choose from: a token holds one secret, and nobody takes the first
    /// without a word.
    Entries(Entries),
    /// It cannot be read without an answer.
    Question(Question),
    /// It cannot be read.
    Refused(Refusal),
}

/// The entries of one text or file, in its order; at least one.
#[derive(Debug)]
pub struct Entries {
    /// What was read.
    pub form: Form,
    /// The entries.
    pub entries: Vec<Entry>,
    /// What is to be said of the whole.
    pub remarks: Vec<Remark>,
}

/// One entry of a list, a table or a vault.
///
/// `Debug` shows lengths of names: what stands in the wrong column of a damaged table
/// may be a secret.
pub struct Entry {
    /// Where it stands, counted from 1: the row of a table as a spreadsheet shows it,
    /// else the position in the list.
    pub place: usize,
    /// Whose it is, as far as it says; cleaned to be shown. There for an unusable
    /// entry too.
    pub name: String,
    /// The serial number of the token that it belongs to.
    pub serial: Option<String>,
    /// The token's maker.
    pub manufacturer: Option<String>,
    /// The token's model.
    pub model: Option<String>,
    /// The credential, or why there is none.
    pub what: Result<Credential, EntryError>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |text: &Option<String>| text.as_ref().map(String::len);
        f.debug_struct("Entry")
            .field("place", &self.place)
            .field("name", &self.name.len())
            .field("serial", &length(&self.serial))
            .field("manufacturer", &length(&self.manufacturer))
            .field("model", &length(&self.model))
            .field("what", &self.what)
            .finish()
    }
}

/// What has to be answered before it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The password that it was encrypted with.
    Password {
        /// What is encrypted.
        form: Form,
    },
    /// The key that both sides agreed on, in hexadecimal (RFC 6030 section 6.1).
    PreSharedKey {
        /// What is encrypted.
        form: Form,
    },
    /// How the secret is written. It may be more than one thing, and is never guessed.
    Encoding {
        /// Where the secret stands.
        form: Form,
        /// Those that it can be, the likeliest first.
        candidates: &'static [SecretEncoding],
        /// Characters of the secret (of the first one, in a table).
        length: usize,
    },
}

impl Question {
    /// A stable name for the words that are kept elsewhere.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Password { .. } => "password-needed",
            Self::PreSharedKey { .. } => "key-needed",
            Self::Encoding { .. } => "encoding-needed",
        }
    }

    /// Every name that [`Question::code`] returns.
    pub const CODES: &'static [&'static str] =
        &["password-needed", "key-needed", "encoding-needed"];

    /// The facts by name, for the words: `form`, `candidates`, `length`.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Password { form } | Self::PreSharedKey { form } => {
                vec![("form", form.name().to_owned())]
            }
            Self::Encoding { form, candidates, length } => {
                let names: Vec<_> = candidates.iter().map(|known| known.code()).collect();
                vec![
                    ("form", form.name().to_owned()),
                    ("candidates", names.join(", ")),
                    ("length", length.to_string()),
                ]
            }
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
            Question::Password { form },
            Question::PreSharedKey { form },
            Question::Encoding { form, candidates: &[SecretEncoding::Hex], length: 40 },
        ];
        assert_eq!(all.iter().map(Question::code).collect::<Vec<_>>(), Question::CODES);
    }
}
