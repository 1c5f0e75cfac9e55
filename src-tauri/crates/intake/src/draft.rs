//! A credential as an export writes it, before it is one.
//!
//! Vaults, tables and the migration payload name the same few fields; here they
//! become a [`Credential`] by the rules of the Key URI, or the reason why not.

use oath::{Digits, Parameters, Period, SharedSecret};

use crate::answers::SecretEncoding;
use crate::credential::{Credential, Parts, is_microsoft};
use crate::entry_error::EntryError;
use crate::key_uri::algorithm;
use crate::key_uri_error::KeyUriError;
use crate::name::Name;
use crate::note::Note;
use crate::reading::Entry;
use crate::secret;
use crate::{Finding, Source};

/// The fields of one entry, borrowed from the export.
pub(crate) struct Draft<'a> {
    pub(crate) kind: Kind,
    pub(crate) secret: Written<'a>,
    /// What the service calls itself; may be empty.
    pub(crate) issuer: &'a str,
    /// The account, perhaps with `issuer:` in front; may be empty.
    pub(crate) account: &'a str,
    /// The hash by any of its names; empty means the default.
    pub(crate) algorithm: &'a str,
    pub(crate) digits: Number,
    pub(crate) period: Number,
}

/// How the secret is written.
pub(crate) enum Written<'a> {
    /// As text in an encoding that the form fixes.
    Text(&'a str, SecretEncoding),
    /// As bytes.
    Bytes(SharedSecret),
}

/// What kind of code an entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Totp,
    Hotp,
    Steam,
    Other,
}

impl Kind {
    /// By its name in any letter case; no name means time-based.
    pub(crate) fn named(name: &str) -> Self {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "totp" => Self::Totp,
            "hotp" => Self::Hotp,
            "steam" => Self::Steam,
            _ => Self::Other,
        }
    }
}

/// A number as an export writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Number {
    /// Not written: the default.
    #[default]
    Absent,
    /// A whole number.
    Is(u64),
    /// Something that is no whole number.
    Bad,
}

impl Number {
    /// From decimal digits and nothing else; empty means absent.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            Self::Absent
        } else if text.chars().all(|c| c.is_ascii_digit()) {
            text.parse().map_or(Self::Bad, Self::Is)
        } else {
            Self::Bad
        }
    }

    pub(crate) fn digits(self) -> Result<Digits, KeyUriError> {
        let bad = |value| KeyUriError::BadNumber { field: "digits", value };
        match self {
            Self::Absent => Ok(Digits::SIX),
            Self::Is(number) => Digits::new(number).map_err(|_| bad(Some(number))),
            Self::Bad => Err(bad(None)),
        }
    }

    pub(crate) fn period(self) -> Result<Period, KeyUriError> {
        let bad = |value| KeyUriError::BadNumber { field: "period", value };
        match self {
            Self::Absent => Ok(Period::S30),
            Self::Is(number) => Period::new(number).map_err(|_| bad(Some(number))),
            Self::Bad => Err(bad(None)),
        }
    }
}

impl Draft<'_> {
    /// The entry at a place of a list.
    pub(crate) fn entry(self, place: usize) -> Entry {
        let (prefix, account) = split(self.account, is_microsoft(self.issuer));
        let issuer = if self.issuer.trim().is_empty() { prefix } else { Some(self.issuer) };
        let name = shown(issuer, account);
        let what = self.credential().map_err(EntryError::Unusable);
        entry(place, name, what)
    }

    fn credential(self) -> Result<Credential, KeyUriError> {
        match self.kind {
            Kind::Totp => {}
            Kind::Hotp => return Err(KeyUriError::EventBased),
            Kind::Steam => return Err(KeyUriError::SteamCodes),
            Kind::Other => return Err(KeyUriError::UnknownType),
        }
        let parameters = Parameters {
            algorithm: match self.algorithm.trim() {
                "" => Parameters::default().algorithm,
                name => algorithm(name)?,
            },
            digits: self.digits.digits()?,
            period: self.period.period()?,
        };
        let (secret, notes): (_, Vec<Note>) = match self.secret {
            Written::Text(text, encoding) => {
                let decoded = secret::decode_as(text, encoding, Source::Picture)?;
                (decoded.secret, decoded.notes)
            }
            Written::Bytes(bytes) => (secret::long_enough(bytes)?, Vec::new()),
        };
        let (prefix, account) = split(self.account, is_microsoft(self.issuer));
        let issuer = if self.issuer.trim().is_empty() { prefix } else { Some(self.issuer) };
        Ok(Credential::new(Parts {
            secret,
            parameters,
            issuer,
            organisation: prefix,
            account,
            notes,
        }))
    }
}

/// An entry without a token's identity.
pub(crate) fn entry(place: usize, name: String, what: Result<Credential, EntryError>) -> Entry {
    Entry { place, name, serial: None, manufacturer: None, model: None, what }
}

/// The entry for a finding, as Key URIs in lists and cells give it.
pub(crate) fn from_finding(place: usize, name: &str, finding: Finding) -> Entry {
    match finding {
        Finding::Credential(credential) => {
            let shown = credential.display_name();
            let name = if shown.is_empty() { Name::new(name).text } else { shown };
            entry(place, name, Ok(credential))
        }
        Finding::Unusable(error) => {
            entry(place, Name::new(name).text, Err(EntryError::Unusable(error)))
        }
        Finding::Foreign(foreign) => {
            entry(place, Name::new(name).text, Err(EntryError::Foreign(foreign)))
        }
    }
}

/// Prefix and account of a name such as `Contoso:adele@contoso.com`. A user principal
/// name holds no colon, a tenant's name may; a name elsewhere ends at the first.
fn split(name: &str, microsoft: bool) -> (Option<&str>, &str) {
    let at = if microsoft { name.rfind(':') } else { name.find(':') };
    let Some((prefix, account)) = at.map(|at| (&name[..at], &name[at + 1..])) else {
        return (None, name.trim());
    };
    let prefix = prefix.trim();
    ((!prefix.is_empty()).then_some(prefix), account.trim())
}

/// A name to show for an entry that is no credential.
pub(crate) fn shown(issuer: Option<&str>, account: &str) -> String {
    let account = Name::new(account).text;
    match issuer.map(|issuer| Name::new(issuer).text).filter(|issuer| !issuer.is_empty()) {
        Some(issuer) if account.is_empty() => issuer,
        Some(issuer) => format!("{issuer} \u{2014} {account}"),
        None => account,
    }
}
