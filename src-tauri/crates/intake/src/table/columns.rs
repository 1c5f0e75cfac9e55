//! Which column is what: by the names of a header in any spelling, or by the shape of
//! a row.

use super::cell;
use super::record::Record;
use crate::answers::SecretEncoding;
use crate::form::Form;

/// A form with its columns.
pub(super) struct Layout {
    pub(super) form: Form,
    pub(super) columns: Columns,
    /// The first row is a header.
    pub(super) header: bool,
    /// How secrets are written, where the form fixes it.
    pub(super) encoding: Option<SecretEncoding>,
}

/// Columns counted from 0.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) secret: usize,
    pub(super) serial: Option<usize>,
    pub(super) user: Option<usize>,
    pub(super) realm: Option<usize>,
    pub(super) name: Option<usize>,
    pub(super) kind: Option<usize>,
    pub(super) digits: Option<usize>,
    pub(super) period: Option<usize>,
    pub(super) hash: Option<usize>,
    pub(super) manufacturer: Option<usize>,
    pub(super) model: Option<usize>,
}

impl Layout {
    /// By the header; `None` when the row is none that is known.
    pub(super) fn of_header(first: &Record) -> Option<Self> {
        let names: Vec<String> = first.cells().map(simple).collect();
        let find = |spellings: &[&str]| names.iter().position(|name| spellings.contains(&&**name));
        let table = |form, secret, name| {
            let columns = Columns { secret, name, ..Columns::default() };
            Some(Self { form, columns, header: true, encoding: None })
        };
        if let Some(secret) = find(&["logintotp"]) {
            return table(Form::BitwardenCsv, secret, find(&["name"]));
        }
        if let (Some(secret), Some(_), Some(name)) =
            (find(&["totp"]), find(&["group"]), find(&["title"]))
        {
            return table(Form::KeePassCsv, secret, Some(name));
        }
        let hex = find(&["secrethex", "seedhex", "secretkeyhex", "hexseed", "hexsecret", "hexkey"]);
        let secret =
            hex.or_else(|| find(&["secretkey", "secret", "seed", "sharedsecret", "key"]))?;
        let serial = find(&["serialnumber", "serial", "serialno", "tokenserial", "sn"]);
        let user = find(&["upn", "userprincipalname", "username", "user"]);
        if serial.is_none() && user.is_none() {
            return None;
        }
        let columns = Columns {
            secret,
            serial,
            user,
            realm: None,
            name: None,
            kind: find(&["type", "tokentype", "otptype"]),
            digits: find(&["digits", "otplength", "length", "codelength"]),
            period: find(&[
                "timeinterval",
                "timeintervalinseconds",
                "timestep",
                "interval",
                "period",
            ]),
            hash: find(&["hashfunction", "algorithm", "hash", "hashalgorithm"]),
            manufacturer: find(&["manufacturer", "vendor"]),
            model: find(&["model"]),
        };
        let form = match (user, columns.manufacturer.or(columns.period).or(columns.model)) {
            (Some(_), _) => Form::EntraCsv,
            (None, Some(_)) => Form::MakerCsv,
            (None, None) => Form::SafeIdCsv,
        };
        Some(Self { form, columns, header: true, encoding: hex.map(|_| SecretEncoding::Hex) })
    }

    /// By the shape of a row; `None` when it is no row of a known table.
    pub(super) fn of_row(row: &Record) -> Option<Self> {
        let kind = |column: usize| matches!(simple(row.cell(column)).as_str(), "totp" | "hotp");
        let number = |column: usize| {
            let text = row.cell(column);
            !text.is_empty() && text.len() <= 5 && text.chars().all(|c| c.is_ascii_digit())
        };
        let secret = |column: usize| cell::looks_like_secret(row.cell(column));
        if row.len() >= 6 && kind(5) && secret(4) {
            return Some(Self::oath_version_2());
        }
        if row.len() >= 3 && kind(2) && secret(1) {
            let columns = Columns {
                serial: Some(0),
                secret: 1,
                kind: Some(2),
                digits: Some(3),
                period: Some(4),
                ..Columns::default()
            };
            let encoding = Some(SecretEncoding::Hex);
            return Some(Self { form: Form::OathCsv1, columns, header: false, encoding });
        }
        if row.len() >= 6 && secret(2) && number(3) {
            let columns = Columns {
                user: Some(0),
                serial: Some(1),
                secret: 2,
                period: Some(3),
                manufacturer: Some(4),
                model: Some(5),
                ..Columns::default()
            };
            return Some(Self { form: Form::EntraCsv, columns, header: false, encoding: None });
        }
        let two_or_three = row.len() == 2 || (row.len() == 3 && number(2));
        // A serial number is a word, and so a label before a key is none.
        let word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        if two_or_three && secret(1) && word(row.cell(0)) {
            let columns =
                Columns { serial: Some(0), secret: 1, period: Some(2), ..Columns::default() };
            return Some(Self { form: Form::SafeIdCsv, columns, header: false, encoding: None });
        }
        None
    }

    /// The columns of an OATH CSV that says that it is of version 2.
    pub(super) fn oath_version_2() -> Self {
        let columns = Columns {
            user: Some(0),
            realm: Some(2),
            serial: Some(3),
            secret: 4,
            kind: Some(5),
            digits: Some(6),
            period: Some(7),
            ..Columns::default()
        };
        let encoding = Some(SecretEncoding::Hex);
        Self { form: Form::OathCsv2, columns, header: false, encoding }
    }
}

/// A name without letter case, spaces and punctuation.
fn simple(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
