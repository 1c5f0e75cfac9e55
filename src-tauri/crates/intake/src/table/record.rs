//! Rows and cells: the delimiter, quotes of every kind, the row as a spreadsheet
//! counts it. Bounded in rows and columns before anything is kept.

use csv_core::{ReadRecordResult, ReaderBuilder};
use zeroize::Zeroizing;

use crate::name::misleads;
use crate::refusal::Refusal;
use crate::secret::is_quote;

/// The most rows of a table.
const MOST_ROWS: usize = 10_000;
/// The most columns of a table.
const MOST_COLUMNS: usize = 64;
/// What separates cells, the likeliest first.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// A row with its cells, blank cells at its end left out.
pub(super) struct Record {
    /// The row, as a spreadsheet counts.
    pub(super) row: usize,
    cells: Vec<Zeroizing<String>>,
}

impl Record {
    /// A cell without quotes and white space; empty where there is none.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |cell| cell.as_str())
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().map(|cell| cell.as_str())
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }
}

/// The version that an OATH CSV names, and the delimiter.
pub(super) fn opening(text: &str) -> (Option<u32>, u8) {
    let mut version = None;
    for line in text.lines().take(32).map(|line| line.trim_matches('\u{feff}').trim()) {
        // A spreadsheet's own word on it.
        if let Some(told) = line.strip_prefix("sep=").and_then(|rest| rest.chars().next())
            && DELIMITERS.contains(&told)
        {
            return (version, delimiter_byte(told));
        }
        if let Some(comment) = line.strip_prefix('#') {
            let told = comment.trim().strip_prefix("version:").map(str::trim);
            version = version.or_else(|| told.and_then(|told| told.parse().ok()));
        } else if !line.is_empty() {
            let count = |delimiter: char| line.matches(delimiter).count();
            let most = DELIMITERS.iter().rev().max_by_key(|delimiter| count(**delimiter));
            return (version, delimiter_byte(*most.unwrap_or(&',')));
        }
    }
    (version, b',')
}

fn delimiter_byte(delimiter: char) -> u8 {
    u8::try_from(delimiter).unwrap_or(b',')
}

/// The first row that is neither blank nor a comment.
pub(super) fn first(text: &str, delimiter: u8) -> Option<Record> {
    let mut rows = Rows::new(text, delimiter);
    rows.next_row().ok().flatten()
}

/// Every row that is neither blank nor a comment.
pub(super) fn all(text: &str, delimiter: u8) -> Result<Vec<Record>, Refusal> {
    let mut rows = Rows::new(text, delimiter);
    let mut records = Vec::new();
    while let Some(record) = rows.next_row()? {
        if records.len() == MOST_ROWS {
            return Err(Refusal::TooMany { what: "rows", most: MOST_ROWS });
        }
        records.push(record);
    }
    Ok(records)
}

/// Reads row after row.
struct Rows<'a> {
    reader: csv_core::Reader,
    rest: &'a [u8],
    row: usize,
    /// Room for the cells of one row: no row is longer than the text.
    cells: Zeroizing<Vec<u8>>,
}

impl<'a> Rows<'a> {
    fn new(text: &'a str, delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        let cells = Zeroizing::new(vec![0; text.len() + 1]);
        Self { reader, rest: text.as_bytes(), row: 1, cells }
    }

    fn next_row(&mut self) -> Result<Option<Record>, Refusal> {
        loop {
            let blank = self.rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.consume(blank);
            if self.rest.is_empty() {
                return Ok(None);
            }
            let row = self.row;
            if let Some(record) = self.read_row(row)? {
                return Ok(Some(record));
            }
        }
    }

    /// One row; `None` when it is blank, a comment or a spreadsheet's `sep=`.
    fn read_row(&mut self, row: usize) -> Result<Option<Record>, Refusal> {
        let mut ends = [0; MOST_COLUMNS + 1];
        let (mut written, mut columns) = (0, 0);
        loop {
            let (result, read, wrote, ended) = self.reader.read_record(
                self.rest,
                &mut self.cells[written..],
                &mut ends[columns..],
            );
            written += wrote;
            columns += ended;
            self.consume(read);
            match result {
                ReadRecordResult::Record | ReadRecordResult::End => break,
                // An empty input is how the end is told.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(Refusal::TooMany { what: "columns", most: MOST_COLUMNS });
                }
            }
        }
        if columns > MOST_COLUMNS {
            return Err(Refusal::TooMany { what: "columns", most: MOST_COLUMNS });
        }
        let mut cells = Vec::with_capacity(columns);
        let mut start = 0;
        for end in &ends[..columns] {
            let raw = self.cells.get(start..*end).unwrap_or_default();
            // Quotes and delimiters are ASCII, so cells end between characters.
            cells.push(tidied(std::str::from_utf8(raw).unwrap_or_default()));
            start = *end;
        }
        while cells.last().is_some_and(|cell| cell.is_empty()) {
            cells.pop();
        }
        let skipped = cells.first().is_none_or(|first| {
            let comment = first.starts_with('#') && super::cell::number_damage(first).is_none();
            comment || (first.starts_with("sep=") && cells.len() == 1)
        });
        Ok((!skipped).then_some(Record { row, cells }))
    }

    /// Goes on behind what was read, counting the lines in it.
    fn consume(&mut self, length: usize) {
        let (read, rest) = self.rest.split_at(length);
        for (index, byte) in read.iter().enumerate() {
            let next = read.get(index + 1).or_else(|| rest.first());
            self.row += usize::from(match byte {
                b'\n' => true,
                b'\r' => next != Some(&b'\n'),
                _ => false,
            });
        }
        self.rest = rest;
    }
}

/// A cell as it was meant: without white space, marks that cannot be seen, quotes that
/// an editor made round, and the `="..."` by which a spreadsheet keeps zeros.
fn tidied(raw: &str) -> Zeroizing<String> {
    let around = |c: char| c.is_whitespace() || misleads(c);
    let trimmed = raw.trim_matches(around);
    let kept = trimmed.strip_prefix("=\"").and_then(|cell| cell.strip_suffix('"'));
    let cell = kept.unwrap_or(trimmed).trim_matches(|c: char| around(c) || is_quote(c));
    Zeroizing::new(cell.to_owned())
}
