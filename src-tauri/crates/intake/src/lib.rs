//! Texts to credentials: what a text *is*, and the credential if it is one.
//!
//! A text comes from a picture or was typed; [`classify`] says whether it is a Key URI
//! or a bare key, which make a [`Credential`], or which of the many other things that
//! people hold before the camera. [`read`] takes the exports of apps, vaults and seed
//! files too, and gives entries, a question or a refusal. The crate opens no file,
//! knows no token's limits and never guesses: what may be two things is asked. No
//! error, `Debug` or fact holds a secret or the text itself. What is hostile is bounded
//! before it is paid for: bytes, rows, elements, and the cost of deriving a key.
//! Rules: facts/seed-formats.md sections 1 to 6, facts/microsoft-enrollment.md
//! section 1.

mod answers;
mod bare;
mod classify;
mod credential;
mod draft;
mod entry_error;
mod file_text;
mod foreign;
mod form;
mod json;
mod keepass;
mod key_uri;
mod key_uri_error;
mod migration;
mod name;
mod note;
mod pasted;
mod pskc;
mod read;
mod reading;
mod refusal;
mod remark;
mod secret;
mod table;
mod vault;
mod xml;

pub use answers::{Answers, Limits, SecretEncoding};
pub use classify::{classify, classify_each};
pub use credential::Credential;
pub use entry_error::{Damage, EntryError};
pub use foreign::{Everyday, Foreign, Vendor};
pub use form::Form;
pub use key_uri_error::KeyUriError;
pub use note::Note;
pub use read::{is_export, read, read_codes};
pub use reading::{Entries, Entry, Question, Reading};
pub use refusal::Refusal;
pub use remark::Remark;

/// Where a text came from.
///
/// A picture carries what an issuer wrote, oddities included. A person slips, so what
/// looks cut off or mistaken is refused when it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Read from a QR code.
    Picture,
    /// Typed or pasted.
    Typed,
}

/// What a text turned out to be.
#[derive(Debug)]
pub enum Finding {
    /// A shared secret with everything that belongs to it.
    Credential(Credential),
    /// Meant as a Key URI or a key, and not usable.
    Unusable(KeyUriError),
    /// Something else.
    Foreign(Foreign),
}

impl Finding {
    /// The stable name of the problem; `None` for a credential.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Credential(_) => None,
            Self::Unusable(error) => Some(error.code()),
            Self::Foreign(foreign) => Some(foreign.code()),
        }
    }
}
