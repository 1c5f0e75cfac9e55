//! The one entry for texts and files: what is it, and what is in it.
//!
//! Each form is told by how it begins, never by a file's name. What is no export is
//! left to [`classify`], so that one text has one meaning everywhere.

use crate::answers::{Answers, SecretEncoding};
use crate::classify::{Line, MOST_BYTES, classify, key_uris, one_key_uri, starts_with, trimmed};
use crate::draft;
use crate::file_text::{self, FileText};
use crate::foreign::Foreign;
use crate::form::Form;
use crate::json::MOST_ENTRIES;
use crate::key_uri_error::KeyUriError;
use crate::reading::{Entries, Entry, Question, Reading};
use crate::refusal::Refusal;
use crate::remark::Remark;
use crate::{Finding, Source, bare, keepass, migration, pskc, table, vault, xml};

/// The most bytes of a file; vaults with icons have some.
const MOST_FILE: usize = 16 << 20;

/// Reads a file, or a text that was typed or pasted.
///
/// With [`Reading::Question`] it is read again with the answer.
pub fn read(bytes: &[u8], answers: &Answers) -> Reading {
    if bytes.len() > MOST_FILE {
        return Reading::Refused(Refusal::TooLarge { bytes: bytes.len(), most: MOST_FILE });
    }
    if let Some(kind) = other_file(bytes) {
        return Reading::Refused(Refusal::OtherFile { kind });
    }
    // Its mark is text, and so may be what follows.
    let marked = bytes.get(..16).is_some_and(|mark| mark.eq_ignore_ascii_case(b"AUTHENTICATORPRO"));
    match file_text::decode(bytes).filter(|_| !marked) {
        Some(FileText { text, guessed }) => {
            let mut reading = read_text(&text, Source::Typed, answers);
            if let (Reading::Entries(entries), true) = (&mut reading, guessed) {
                entries.remarks.push(Remark::NotUnicode);
            }
            reading
        }
        None => vault::read_binary(bytes, answers)
            .unwrap_or(Reading::Refused(Refusal::OtherFile { kind: "binary file" })),
    }
}

/// Reads the texts of QR codes: one credential, or the list of all, or one export
/// that is spread over several codes in any order.
pub fn read_codes(texts: &[&str], answers: &Answers) -> Reading {
    let trimmed: Vec<&str> = texts.iter().map(|text| trimmed(text)).collect();
    let (exports, others): (Vec<&str>, Vec<&str>) =
        trimmed.into_iter().partition(|text| is_migration(text));
    if !exports.is_empty() {
        let mut reading = migration::read(&exports);
        // What lies beside the export is not passed over in silence.
        if let Reading::Entries(found) = &mut reading {
            for text in others {
                let place = found.entries.len() + 1;
                let finding = classify(text, Source::Picture);
                found.entries.push(draft::from_finding(place, "", finding));
            }
        }
        return reading;
    }
    match texts {
        [] => Reading::Refused(Refusal::Foreign(Foreign::Empty)),
        [only] => read_text(only, Source::Picture, answers),
        several => {
            let findings = several.iter().map(|text| classify(text, Source::Picture));
            list(Form::KeyUriList, findings)
        }
    }
}

/// What a cell or a field of an export holds: a Key URI, `steam://`, or a bare secret
/// in base32.
pub(crate) fn cell_finding(text: &str) -> Finding {
    let text = trimmed(text);
    match key_uris(text).as_slice() {
        [] => {}
        [only, ..] => return one_key_uri(only, Source::Picture, None),
    }
    if starts_with(text, "steam:") {
        return Finding::Unusable(KeyUriError::SteamCodes);
    }
    bare::credential(text, "", None)
}

fn read_text(text: &str, source: Source, answers: &Answers) -> Reading {
    let text = trimmed(text);
    if text.is_empty() {
        return Reading::Refused(Refusal::Foreign(Foreign::Empty));
    }
    if text.starts_with(['{', '['])
        && let Some(reading) = vault::read_json(text, answers)
    {
        return reading;
    }
    if text.starts_with('<')
        && let Some(reading) = read_xml(text, answers)
    {
        return reading;
    }
    let exports: Vec<&str> =
        text.lines().map(trimmed).filter(|line| is_migration(line)).take(MOST_ENTRIES).collect();
    if !exports.is_empty() {
        return migration::read(&exports);
    }
    if let Some(reading) = table::with_header(text, answers) {
        return reading;
    }
    if text.len() > MOST_BYTES {
        return long_list(text, answers)
            .or_else(|| table::without_header(text, answers))
            .unwrap_or(Reading::Refused(Refusal::Foreign(Foreign::Unknown)));
    }
    let uris = key_uris(text);
    if !uris.is_empty() {
        return read_key_uris(text, &uris, source, answers);
    }
    if let Some(reading) = table::without_header(text, answers) {
        return reading;
    }
    if let Some(entry) = keepass::attribute(text) {
        return one(Form::KeePassAttribute, entry);
    }
    read_bare(text, source, answers)
}

/// Whether a text is a piece of Google Authenticator's export, which may be spread over
/// several codes.
pub fn is_export(text: &str) -> bool {
    is_migration(trimmed(text))
}

fn is_migration(text: &str) -> bool {
    starts_with(text, migration::SCHEME)
}

fn read_key_uris(text: &str, uris: &[Line], source: Source, answers: &Answers) -> Reading {
    if let [only] = uris {
        let finding = one_key_uri(only, source, answers.encoding);
        if let Finding::Unusable(error) = &finding
            && answers.encoding.is_none()
        {
            let as_base32 = one_key_uri(only, source, Some(SecretEncoding::Base32));
            let base32 = matches!(as_base32, Finding::Credential(_));
            if let Some(question) = encoding_question(Form::KeyUri, error, base32) {
                return Reading::Question(question);
            }
        }
        return single(Form::KeyUri, finding);
    }
    list(list_form(text), uris.iter().map(|uri| one_key_uri(uri, source, answers.encoding)))
}

/// Ente writes how a code is shown into a parameter of its own.
fn list_form(text: &str) -> Form {
    if text.contains("codeDisplay=") { Form::Ente } else { Form::KeyUriList }
}

/// A list of Key URIs that is longer than any single text: one a line.
fn long_list(text: &str, answers: &Answers) -> Option<Reading> {
    let is_uri = |line: &&str| starts_with(line, "otpauth:");
    let mut lines = text.lines().map(trimmed).filter(is_uri).peekable();
    lines.peek()?;
    let mut findings = Vec::new();
    for line in lines {
        if findings.len() == MOST_ENTRIES {
            let refusal = Refusal::TooMany { what: "entries", most: MOST_ENTRIES };
            return Some(Reading::Refused(refusal));
        }
        findings.push(if line.len() > MOST_BYTES {
            Finding::Unusable(KeyUriError::TextTooLong { bytes: line.len() })
        } else {
            one_key_uri(&Line::Whole(line.to_owned().into()), Source::Typed, answers.encoding)
        });
    }
    if findings.len() == 1 {
        return findings.pop().map(|finding| single(Form::KeyUri, finding));
    }
    Some(list(list_form(text), findings.into_iter()))
}

fn read_xml(text: &str, answers: &Answers) -> Option<Reading> {
    let document = match xml::parse(text) {
        Ok(document) => document?,
        Err(refusal) => return Some(Reading::Refused(refusal)),
    };
    let root = document.root_element();
    match root.tag_name().name() {
        "KeyContainer" => Some(pskc::read(root, answers)),
        "KeePassFile" => Some(keepass::xml(root)),
        // SafeNet's tokens count events.
        "Tokens" => Some(Reading::Refused(Refusal::Unusable(KeyUriError::EventBased))),
        _ => None,
    }
}

fn read_bare(text: &str, source: Source, answers: &Answers) -> Reading {
    let finding = classify(text, source);
    let (candidates, length) = match &finding {
        Finding::Foreign(Foreign::HexSecret { bytes }) => (hex_candidates(text), bytes * 2),
        Finding::Foreign(Foreign::Base64Secret { length }) => (BASE64_FIRST, *length),
        Finding::Credential(credential) => {
            let block = !credential.account().is_empty() || credential.organisation().is_some();
            return single(if block { Form::PastedBlock } else { Form::BareSecret }, finding);
        }
        Finding::Unusable(_) | Finding::Foreign(_) => return single(Form::BareSecret, finding),
    };
    let form = Form::BareSecret;
    match answers.encoding {
        None => Reading::Question(Question::Encoding { form, candidates, length }),
        Some(encoding) => single(form, bare::credential_as(text, encoding)),
    }
}

const BASE64_FIRST: &[SecretEncoding] = &[SecretEncoding::Base64, SecretEncoding::Base32];
const HEX_FIRST: &[SecretEncoding] = &[SecretEncoding::Hex, SecretEncoding::Base32];
const HEX_ONLY: &[SecretEncoding] = &[SecretEncoding::Hex];

/// Hexadecimal alone where a digit stands that base32 lacks.
fn hex_candidates(text: &str) -> &'static [SecretEncoding] {
    if text.contains(['0', '1', '8', '9']) { HEX_ONLY } else { HEX_FIRST }
}

/// The question about a secret that looks like something else; `base32` says whether
/// it is base32 as well.
fn encoding_question(form: Form, error: &KeyUriError, base32: bool) -> Option<Question> {
    match *error {
        KeyUriError::SecretMaybeHex { length } => {
            let candidates = if base32 { HEX_FIRST } else { HEX_ONLY };
            Some(Question::Encoding { form, candidates, length })
        }
        KeyUriError::SecretMaybeBase64 { length } => {
            Some(Question::Encoding { form, candidates: BASE64_FIRST, length })
        }
        _ => None,
    }
}

/// A finding that stands alone: a refusal is one of the whole.
fn single(form: Form, finding: Finding) -> Reading {
    match finding {
        Finding::Unusable(error) => Reading::Refused(Refusal::Unusable(error)),
        Finding::Foreign(foreign) => Reading::Refused(Refusal::Foreign(foreign)),
        Finding::Credential(_) => one(form, draft::from_finding(1, "", finding)),
    }
}

fn one(form: Form, entry: Entry) -> Reading {
    Reading::Entries(Entries { form, entries: vec![entry], remarks: Vec::new() })
}

fn list(form: Form, findings: impl Iterator<Item = Finding>) -> Reading {
    let entries = findings.enumerate();
    let entries =
        entries.map(|(index, finding)| draft::from_finding(index + 1, "", finding)).collect();
    Reading::Entries(Entries { form, entries, remarks: Vec::new() })
}

/// Files that hold no seed or not as they are, by their first bytes.
fn other_file(bytes: &[u8]) -> Option<&'static str> {
    const MARKS: [(&[u8], &str); 11] = [
        (b"\x89PNG\r\n", "picture"),
        (b"\xff\xd8\xff", "picture"),
        (b"GIF8", "picture"),
        (b"RIFF", "picture"),
        (b"SQLite format 3\0", "database"),
        (b"PK\x03\x04", "xlsx or other archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
        (b"\x03\xd9\xa2\x9a", "KeePass database"),
        (b"%PDF-", "PDF"),
        (b"\x1f\x8b", "archive"),
        (b"Salted__", "OpenSSL-encrypted file"),
    ];
    MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)).map(|(_, kind)| *kind)
}
