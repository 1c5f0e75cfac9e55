//! What is in files that are more than one picture of one code: exports of
//! authenticator apps, vaults, seed files, an export over several pictures.
//!
//! It touches no run, and no secret is in what it shows.

use intake::{Answers, Entry, Reading, SecretEncoding};
use qr::{Effort, PictureError};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{CredentialView, Problem, SaidView, present};

/// What was found in files.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum ReadView {
    /// Entries, each with a credential or the reason why there is none.
    Entries {
        /// The code of the form, such as `aegis`.
        form: String,
        /// The form as people know it, such as `Aegis vault`.
        title: String,
        /// The entries, in the order of the file.
        entries: Vec<EntryView>,
        /// What is to be said of the whole.
        remarks: Vec<SaidView>,
    },
    /// It has to be read again with an answer: `password-needed`, `key-needed` or
    /// `encoding-needed`.
    Question {
        /// What is asked.
        #[serde(flatten)]
        question: SaidView,
    },
    /// It cannot be read.
    Refused {
        /// Why.
        #[serde(flatten)]
        reason: SaidView,
    },
}

/// One entry of a file, without its secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntryView {
    /// The row of a table or the position in a list, counted from 1.
    pub place: usize,
    /// Whose it is, as far as it says.
    pub name: String,
    /// The serial number of its token.
    pub serial: Option<String>,
    /// The token's maker.
    pub manufacturer: Option<String>,
    /// The token's model.
    pub model: Option<String>,
    /// The credential, if it is one.
    pub credential: Option<CredentialView>,
    /// Why it is none.
    pub unusable: Option<SaidView>,
}

/// Tells what is in files: one file of any kind, or several pictures and texts that
/// belong together. `password` and `encoding` (`base32`, `hex`, `base64`) are the
/// answers to its questions.
pub fn read_files(
    files: &[Zeroizing<Vec<u8>>],
    password: Option<Zeroizing<String>>,
    encoding: Option<&str>,
) -> Result<ReadView, Problem> {
    let encoding = encoding.and_then(SecretEncoding::from_code);
    let answers = Answers { password, encoding, ..Answers::default() };
    let mut texts: Vec<Zeroizing<String>> = Vec::new();
    for file in files {
        match qr::read(file, Effort::default()) {
            Ok(reading) if reading.codes.is_empty() => {
                let unread = u32::try_from(reading.unread).unwrap_or(u32::MAX);
                return Err(Problem::no_code_found(unread));
            }
            Ok(reading) => {
                texts.extend(reading.codes.iter().map(|code| code.text().to_owned().into()));
            }
            // No picture, so a text or another file, which stands alone.
            Err(
                PictureError::Empty | PictureError::NotAPicture | PictureError::Unsupported { .. },
            ) if files.len() == 1 => return Ok(view(&intake::read(file, &answers))),
            Err(PictureError::Empty | PictureError::NotAPicture) => {
                let text = std::str::from_utf8(file)
                    .map_err(|_| Problem::from(&PictureError::NotAPicture))?;
                texts.push(text.to_owned().into());
            }
            Err(error) => return Err(Problem::from(&error)),
        }
    }
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
    Ok(view(&intake::read_codes(&texts, &answers)))
}

fn view(reading: &Reading) -> ReadView {
    match reading {
        Reading::Entries(found) => ReadView::Entries {
            form: found.form.code().to_owned(),
            title: found.form.name().to_owned(),
            entries: found.entries.iter().map(entry).collect(),
            remarks: found
                .remarks
                .iter()
                .map(|remark| said(remark.code(), remark.facts()))
                .collect(),
        },
        Reading::Question(question) => {
            ReadView::Question { question: said(question.code(), question.facts()) }
        }
        Reading::Refused(refusal) => {
            ReadView::Refused { reason: said(refusal.code(), refusal.facts()) }
        }
    }
}

/// A code with its facts.
pub(crate) fn said(code: &str, facts: Vec<(&'static str, String)>) -> SaidView {
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    SaidView { code: code.to_owned(), facts }
}

fn entry(entry: &Entry) -> EntryView {
    let (credential, unusable) = match &entry.what {
        Ok(credential) => (Some(present::credential(credential)), None),
        Err(error) => (None, Some(said(error.code(), error.facts()))),
    };
    EntryView {
        place: entry.place,
        name: entry.name.clone(),
        serial: entry.serial.clone(),
        manufacturer: entry.manufacturer.clone(),
        model: entry.model.clone(),
        credential,
        unusable,
    }
}

#[cfg(test)]
mod tests {
    use crate::Words;

    #[test]
    fn whatever_reading_says_has_words() {
        let words = Words::english();
        let own = intake::Refusal::CODES.iter().chain(intake::EntryError::CODES);
        let findings = own.map(|code| format!("finding-{code}"));
        let questions = intake::Question::CODES.iter().map(|code| format!("question-{code}"));
        let remarks = intake::Remark::CODES.iter().map(|code| format!("remark-{code}"));
        for key in findings.chain(questions).chain(remarks) {
            assert!(words.knows(&key), "no words for {key}");
        }
    }
}
