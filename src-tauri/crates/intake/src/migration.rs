//! Google Authenticator's export, `otpauth-migration:` (facts/seed-formats.md
//! section 3): one payload or several, in any order, never of two exports.
//!
//! The payload is a protobuf of three field types. Its reader is here and not a
//! library's, because it is this short, borrows the secret's bytes instead of copying
//! them, and can allocate nothing: every length is compared with what is left.

use std::collections::BTreeMap;

use oath::SharedSecret;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::draft::{Draft, Kind, Number, Written};
use crate::form::Form;
use crate::reading::{Entries, Reading};
use crate::refusal::Refusal;
use crate::remark::Remark;
use crate::secret::base64_value;

/// The scheme, with its colon.
pub(crate) const SCHEME: &str = "otpauth-migration:";
/// The most codes that one export is spread over.
const MOST_CODES: usize = 100;
/// The most entries of one payload; a code holds about ten.
const MOST_ENTRIES: usize = 1000;

/// Reads the payloads of one export.
pub(crate) fn read(uris: &[&str]) -> Reading {
    match joined(uris) {
        Ok(entries) => Reading::Entries(entries),
        Err(refusal) => Reading::Refused(refusal),
    }
}

fn joined(uris: &[&str]) -> Result<Entries, Refusal> {
    if uris.len() > MOST_CODES {
        return Err(Refusal::TooMany { what: "codes", most: MOST_CODES });
    }
    let bytes: Vec<Zeroizing<Vec<u8>>> =
        uris.iter().map(|uri| payload(uri)).collect::<Result<_, _>>()?;
    // By index, so that the order of scanning does not show.
    let mut parts: BTreeMap<u64, (Payload<'_>, &[u8])> = BTreeMap::new();
    let mut first: Option<(u64, u64)> = None;
    for raw in &bytes {
        let part = Payload::parse(raw)?;
        let export = (part.batch_id, part.batch_size.max(1));
        if *first.get_or_insert(export) != export || part.batch_index >= export.1 {
            return Err(Refusal::MixedExports);
        }
        match parts.get(&part.batch_index) {
            Some((_, known)) if *known != raw.as_slice() => return Err(Refusal::MixedExports),
            Some(_) => {}
            None => {
                parts.insert(part.batch_index, (part, raw));
            }
        }
    }
    let of = first.map_or(1, |(_, size)| usize::try_from(size).unwrap_or(usize::MAX));
    let scanned = parts.len();
    let all = parts.into_values().flat_map(|(part, _)| part.entries);
    let entries: Vec<_> = all.enumerate().map(|(index, draft)| draft.entry(index + 1)).collect();
    if entries.is_empty() {
        return Err(Refusal::NoEntries { form: Form::Migration });
    }
    let remarks = if scanned < of { vec![Remark::Incomplete { scanned, of }] } else { Vec::new() };
    Ok(Entries { form: Form::Migration, entries, remarks })
}

const fn malformed(what: &'static str) -> Refusal {
    Refusal::Malformed { form: Form::Migration, what }
}

/// The bytes in the `data` parameter. A `+` that became a space is restored, and
/// missing padding is no matter.
fn payload(uri: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let data = query
        .split('&')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("data"))
        .map(|(_, value)| value.trim())
        .ok_or(malformed("no data"))?;
    // Room for every byte as a character, so that no copy is left behind when it grows.
    let mut text = Zeroizing::new(String::with_capacity(data.len() * 2));
    let restored = |byte| if byte == b' ' { '+' } else { char::from(byte) };
    text.extend(percent_decode_str(data).map(restored));
    base64_value(&text).ok_or(malformed("base64"))
}

/// One payload, its entries borrowed from its bytes.
struct Payload<'a> {
    entries: Vec<Draft<'a>>,
    batch_size: u64,
    batch_index: u64,
    batch_id: u64,
}

impl<'a> Payload<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut payload = Self { entries: Vec::new(), batch_size: 1, batch_index: 0, batch_id: 0 };
        let mut rest = bytes;
        while let Some((number, field)) = next_field(&mut rest)? {
            match (number, field) {
                (1, Field::Bytes(entry)) => {
                    if payload.entries.len() == MOST_ENTRIES {
                        return Err(Refusal::TooMany { what: "entries", most: MOST_ENTRIES });
                    }
                    payload.entries.push(parse_entry(entry)?);
                }
                (3, Field::Number(size)) => payload.batch_size = size,
                (4, Field::Number(index)) => payload.batch_index = index,
                (5, Field::Number(id)) => payload.batch_id = id,
                // The version, and what later versions add.
                _ => {}
            }
        }
        Ok(payload)
    }
}

fn parse_entry(bytes: &[u8]) -> Result<Draft<'_>, Refusal> {
    let mut draft = Draft {
        kind: Kind::Totp,
        secret: Written::Bytes(SharedSecret::new(Vec::new())),
        issuer: "",
        account: "",
        algorithm: "",
        digits: Number::Absent,
        // Not carried: always 30 seconds.
        period: Number::Absent,
    };
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| malformed("text"));
    let mut rest = bytes;
    while let Some((number, field)) = next_field(&mut rest)? {
        match (number, field) {
            (1, Field::Bytes(secret)) => {
                draft.secret = Written::Bytes(SharedSecret::new(secret.to_vec()));
            }
            (2, Field::Bytes(name)) => draft.account = text(name)?,
            (3, Field::Bytes(issuer)) => draft.issuer = text(issuer)?,
            (4, Field::Number(algorithm)) => {
                draft.algorithm = match algorithm {
                    0 | 1 => "SHA1",
                    2 => "SHA256",
                    3 => "SHA512",
                    4 => "MD5",
                    _ => "unknown",
                };
            }
            (5, Field::Number(digits)) => {
                draft.digits = match digits {
                    0 | 1 => Number::Is(6),
                    2 => Number::Is(8),
                    _ => Number::Bad,
                };
            }
            (6, Field::Number(kind)) => {
                draft.kind = match kind {
                    0 | 2 => Kind::Totp,
                    1 => Kind::Hotp,
                    _ => Kind::Other,
                };
            }
            _ => {}
        }
    }
    Ok(draft)
}

/// A field of a protobuf message.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Four or eight bytes of a type that the payload does not use.
    Fixed,
}

/// The next field of a message; `None` at its end.
fn next_field<'a>(rest: &mut &'a [u8]) -> Result<Option<(u64, Field<'a>)>, Refusal> {
    if rest.is_empty() {
        return Ok(None);
    }
    let key = varint(rest)?;
    let field = match key & 7 {
        0 => Field::Number(varint(rest)?),
        1 => take(rest, 8).map(|_| Field::Fixed)?,
        2 => {
            let length = usize::try_from(varint(rest)?).unwrap_or(usize::MAX);
            Field::Bytes(take(rest, length)?)
        }
        5 => take(rest, 4).map(|_| Field::Fixed)?,
        _ => return Err(malformed("field type")),
    };
    Ok(Some((key >> 3, field)))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Refusal> {
    let (taken, left) = rest.split_at_checked(length).ok_or(malformed("cut off"))?;
    *rest = left;
    Ok(taken)
}

/// A number of seven bits a byte, ten bytes at most.
fn varint(rest: &mut &[u8]) -> Result<u64, Refusal> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(malformed("number"))
}
