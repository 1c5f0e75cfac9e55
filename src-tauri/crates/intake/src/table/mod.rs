//! Tables of seeds as files of separated values (facts/seed-formats.md sections 4 and
//! 5), as their writers and the spreadsheets between write them.
//!
//! The form is told by the header, without one by the shape of the first row. Nothing
//! is repaired: what a spreadsheet did to a cell is named by row and column.

mod cell;
mod columns;
mod record;

use std::collections::BTreeMap;

use crate::answers::{Answers, SecretEncoding};
use crate::draft::{self, Draft, Kind, Number, Written};
use crate::entry_error::{Damage, EntryError};
use crate::form::Form;
use crate::key_uri_error::KeyUriError;
use crate::name::Name;
use crate::read::cell_finding;
use crate::reading::{Entries, Entry, Question, Reading};
use crate::refusal::Refusal;
use crate::remark::Remark;
use columns::{Columns, Layout};
use record::Record;

/// Reads a table whose first row is a header that is known, or that begins with
/// `# version: 2`; `None` when the text is no such table.
pub(crate) fn with_header(text: &str, answers: &Answers) -> Option<Reading> {
    let (version, delimiter) = record::opening(text);
    let first = record::first(text, delimiter)?;
    let layout = match Layout::of_header(&first) {
        Some(layout) => layout,
        None if version == Some(2) => Layout::oath_version_2(),
        None => return None,
    };
    Some(read(text, delimiter, &layout, answers))
}

/// Reads a table without a header; `None` when the first row is no row of one.
pub(crate) fn without_header(text: &str, answers: &Answers) -> Option<Reading> {
    let (_, delimiter) = record::opening(text);
    let first = record::first(text, delimiter)?;
    let layout = Layout::of_row(&first)?;
    Some(read(text, delimiter, &layout, answers))
}

fn read(text: &str, delimiter: u8, layout: &Layout, answers: &Answers) -> Reading {
    let mut records = match record::all(text, delimiter) {
        Ok(records) => records,
        Err(refusal) => return Reading::Refused(refusal),
    };
    if layout.header && !records.is_empty() {
        records.remove(0);
    }
    if records.is_empty() {
        return Reading::Refused(Refusal::NoEntries { form: layout.form });
    }
    match layout.form {
        Form::BitwardenCsv | Form::KeePassCsv => of_passwords(&records, layout),
        _ => of_seeds(&records, layout, answers),
    }
}

/// A password manager's table: some rows have a Key URI or a bare secret.
fn of_passwords(records: &[Record], layout: &Layout) -> Reading {
    let columns = &layout.columns;
    let entries: Vec<Entry> = records
        .iter()
        .filter_map(|record| {
            let value = record.cell(columns.secret);
            let name = columns.name.map_or("", |column| record.cell(column));
            let given = !value.is_empty();
            given.then(|| draft::from_finding(record.row, name, cell_finding(value)))
        })
        .collect();
    if entries.is_empty() {
        return Reading::Refused(Refusal::NoEntries { form: layout.form });
    }
    Reading::Entries(Entries { form: layout.form, entries, remarks: Vec::new() })
}

/// A table of tokens.
fn of_seeds(records: &[Record], layout: &Layout, answers: &Answers) -> Reading {
    let (form, encoding) = match column_encoding(records, layout, answers) {
        Ok(known) => known,
        Err(question) => return Reading::Question(question),
    };
    // A line break in a token's cell is a quote that was never closed, and what
    // follows it is other people's secrets.
    if records.iter().any(|record| record.cells().any(|cell| cell.contains(['\n', '\r']))) {
        let what = "a quote that is not closed";
        return Reading::Refused(Refusal::Malformed { form, what });
    }
    let columns = &layout.columns;
    let mut remarks = Vec::new();
    if !layout.header && form == Form::EntraCsv {
        remarks.push(Remark::NoHeader);
    }
    if let Some(column) = columns.serial {
        remarks.extend(serial_damage(records, column));
    }
    let usual = usual_hex_length(records, columns.secret, encoding);
    let mut entries = Vec::new();
    for record in records {
        entries.push(seed_entry(record, layout, encoding, usual));
        let hash = hash_by_length(layout, record, encoding);
        if hash.is_some_and(|hash| hash != "SHA1") {
            remarks.push(Remark::HashByLength { row: record.row });
        }
    }
    remarks.extend(same_secrets(&entries));
    Reading::Entries(Entries { form, entries, remarks })
}

fn seed_entry(
    record: &Record,
    layout: &Layout,
    encoding: SecretEncoding,
    usual: Option<usize>,
) -> Entry {
    let columns = &layout.columns;
    let optional = |column: Option<usize>| column.map_or("", |column| record.cell(column));
    // Columns may be swapped, and a secret must not be shown as a serial number.
    let safe = |cell| if cell::may_be_secret(cell) { "" } else { cell };
    let clean =
        |column| Some(Name::new(safe(optional(column))).text).filter(|text| !text.is_empty());
    let user = safe(optional(columns.user));
    let realm = optional(columns.realm);
    let account = match (user, realm) {
        ("", _) | (_, "") => user.to_owned(),
        (user, realm) if !user.contains('@') => format!("{user}@{realm}"),
        (user, _) => user.to_owned(),
    };
    let what = credential(record, layout, encoding, usual, &account);
    let mut entry = match what {
        Ok(draft) => {
            let mut entry = draft.entry(record.row);
            // By its field, an error has a cell.
            if let Err(EntryError::Unusable(error)) = entry.what {
                let column = columns.of_error(&error);
                let at = |column| EntryError::Cell { row: record.row, column: column + 1, error };
                entry.what = Err(column.map_or(EntryError::Unusable(error), at));
            }
            entry
        }
        Err(error) => draft::entry(record.row, draft::shown(None, &account), Err(error)),
    };
    entry.serial = clean(columns.serial);
    entry.manufacturer = clean(columns.manufacturer);
    entry.model = clean(columns.model);
    entry
}

fn credential<'a>(
    record: &'a Record,
    layout: &Layout,
    encoding: SecretEncoding,
    usual: Option<usize>,
    account: &'a str,
) -> Result<Draft<'a>, EntryError> {
    let columns = &layout.columns;
    let row = record.row;
    if columns.secret >= record.len() {
        return Err(EntryError::RowTooShort { row, columns: record.len() });
    }
    let secret = record.cell(columns.secret);
    let damaged = |damage| EntryError::Damaged { row, column: columns.secret + 1, damage };
    if let Some(damage) = cell::secret_damage(secret) {
        return Err(damaged(damage));
    }
    if encoding == SecretEncoding::Hex && cell::is_hex(secret) {
        let length = cell::joined(secret).len();
        // A file may hold seeds of two lengths; zeros are lost one by one.
        let shorter = usual.is_some_and(|usual| length < usual && usual - length <= MOST_ZEROS);
        if length % 2 == 1 || shorter {
            return Err(damaged(Damage::LostZeros));
        }
    }
    let optional = |column: Option<usize>| column.map_or("", |column| record.cell(column));
    let kind = Kind::named(optional(columns.kind));
    let told = optional(columns.hash);
    let algorithm = hash_by_length(layout, record, encoding).unwrap_or(told);
    Ok(Draft {
        kind,
        secret: Written::Text(secret, encoding),
        issuer: "",
        account,
        algorithm,
        digits: Number::parse(optional(columns.digits)),
        period: Number::parse(optional(columns.period)),
    })
}

/// How the column of secrets is written, and with it what a table without a header
/// is. One row that can be only one thing tells of all; where none does, it is asked.
fn column_encoding(
    records: &[Record],
    layout: &Layout,
    answers: &Answers,
) -> Result<(Form, SecretEncoding), Question> {
    let form_of = |encoding| match (layout.form, encoding) {
        (Form::SafeIdCsv | Form::DuoCsv, SecretEncoding::Hex) => Form::DuoCsv,
        (Form::SafeIdCsv | Form::DuoCsv, _) => Form::SafeIdCsv,
        (form, _) => form,
    };
    if let Some(fixed) = layout.encoding {
        return Ok((layout.form, fixed));
    }
    let cells: Vec<&str> = records
        .iter()
        .map(|record| record.cell(layout.columns.secret))
        .filter(|cell| !cell.is_empty() && cell::secret_damage(cell).is_none())
        .collect();
    let length = cells.first().map_or(0, |cell| cell::joined(cell).len());
    let ask = |candidates| Question::Encoding { form: layout.form, candidates, length };
    let only_base32 = cells.iter().any(|cell| cell::is_only_base32(cell));
    let only_hex = cells.iter().any(|cell| cell::is_only_hex(cell));
    let base64 = cells.iter().any(|cell| crate::secret::looks_like_base64(cell));
    let all_hex = !cells.is_empty() && cells.iter().all(|cell| cell::is_hex(cell));
    let question = if base64 && !only_base32 {
        ask(&[SecretEncoding::Base64, SecretEncoding::Base32])
    } else if all_hex && only_hex && layout.header {
        // The form says base32, and this is not: somebody converted the file.
        ask(&[SecretEncoding::Hex])
    } else if all_hex && only_hex {
        return Ok((form_of(SecretEncoding::Hex), SecretEncoding::Hex));
    } else if all_hex {
        ask(&[SecretEncoding::Hex, SecretEncoding::Base32])
    } else {
        return Ok((form_of(SecretEncoding::Base32), SecretEncoding::Base32));
    };
    match answers.encoding {
        Some(answer) => Ok((form_of(answer), answer)),
        None => Err(question),
    }
}

/// The hash of an OATH CSV, which has no column for it: privacyIDEA takes it from the
/// length of the seed in hexadecimal.
fn hash_by_length(
    layout: &Layout,
    record: &Record,
    encoding: SecretEncoding,
) -> Option<&'static str> {
    if !matches!(layout.form, Form::OathCsv1 | Form::OathCsv2) || encoding != SecretEncoding::Hex {
        return None;
    }
    Some(match cell::joined(record.cell(layout.columns.secret)).len() {
        56 => "SHA224",
        64 => "SHA256",
        96 => "SHA384",
        128 => "SHA512",
        _ => "SHA1",
    })
}

/// Zeros that a seed may begin with and lose; more are no accident.
const MOST_ZEROS: usize = 4;

/// The length that the hexadecimal secrets of a column usually have.
fn usual_hex_length(records: &[Record], column: usize, encoding: SecretEncoding) -> Option<usize> {
    if encoding != SecretEncoding::Hex {
        return None;
    }
    let lengths = records.iter().map(|record| cell::joined(record.cell(column)).len());
    usual(lengths)
}

/// The number that is there most often, twice at least; of several the greatest.
fn usual(numbers: impl Iterator<Item = usize>) -> Option<usize> {
    let mut counts = BTreeMap::new();
    for number in numbers {
        *counts.entry(number).or_insert(0_usize) += 1;
    }
    let (number, count) = counts.into_iter().max_by_key(|(number, count)| (*count, *number))?;
    (count >= 2).then_some(number)
}

/// What happened to serial numbers.
fn serial_damage(records: &[Record], column: usize) -> Vec<Remark> {
    let number = |cell: &str| !cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit());
    let lengths = records.iter().map(|record| record.cell(column)).filter(|cell| number(cell));
    let usual = usual(lengths.map(str::len));
    let of = |record: &Record| {
        let serial = record.cell(column);
        let shorter = number(serial) && usual.is_some_and(|usual| serial.len() < usual);
        let damage =
            cell::number_damage(serial).or_else(|| shorter.then_some(Damage::LostZeros))?;
        Some(Remark::Damaged { row: record.row, column: column + 1, damage })
    };
    records.iter().filter_map(of).collect()
}

/// The most remarks on secrets that occur twice.
const MOST_TWINS: usize = 100;

fn same_secrets(entries: &[Entry]) -> Vec<Remark> {
    let mut known: Vec<(&[u8], usize)> = entries
        .iter()
        .filter_map(|entry| {
            entry.what.as_ref().ok().map(|found| (found.secret().expose(), entry.place))
        })
        .collect();
    known.sort_unstable();
    let pairs = known.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    pairs
        .map(|pair| Remark::SameSecret { first: pair[0].1, second: pair[1].1 })
        .take(MOST_TWINS)
        .collect()
}

impl Columns {
    /// The column that an error is about.
    fn of_error(&self, error: &KeyUriError) -> Option<usize> {
        match error {
            KeyUriError::NoSecret
            | KeyUriError::SecretBadCharacter { .. }
            | KeyUriError::SecretMaybeHex { .. }
            | KeyUriError::SecretMaybeBase64 { .. }
            | KeyUriError::SecretPaddingInside
            | KeyUriError::SecretCut { .. }
            | KeyUriError::SecretTooShort { .. }
            | KeyUriError::SecretTooLong { .. } => Some(self.secret),
            KeyUriError::BadNumber { field: "digits", .. } => self.digits,
            KeyUriError::BadNumber { .. } => self.period,
            KeyUriError::EventBased | KeyUriError::SteamCodes | KeyUriError::UnknownType => {
                self.kind
            }
            KeyUriError::UnknownAlgorithm { .. } => self.hash.or(Some(self.secret)),
            KeyUriError::TextTooLong { .. }
            | KeyUriError::BrokenOverLines
            | KeyUriError::Conflicting { .. } => None,
        }
    }
}
