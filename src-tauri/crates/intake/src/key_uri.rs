//! The Key URI, `otpauth://TYPE/LABEL?secret=...` (facts/seed-formats.md section 1).
//!
//! Split by hand: general URL parsers change the case of the host, turn `+` into a
//! space everywhere, merge repeated keys and refuse raw spaces, and each of these
//! breaks codes that Microsoft shows.

use std::borrow::Cow;

use oath::{Algorithm, Digits, Parameters, Period};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::Source;
use crate::answers::SecretEncoding;
use crate::credential::{Credential, Parts, is_microsoft};
use crate::key_uri_error::KeyUriError;
use crate::secret;

/// Reads a Key URI by the tolerant algorithm of section 1.1.
///
/// `text` begins with `otpauth:` in any letter case. `encoding` is what a person
/// answered; it counts where the secret may be something else than base32, and is
/// not asked for otherwise.
pub(crate) fn parse(
    text: &str,
    source: Source,
    encoding: Option<SecretEncoding>,
) -> Result<Credential, KeyUriError> {
    let after_scheme = text.split_once(':').map_or("", |(_, rest)| rest);
    let after_scheme = after_scheme.strip_prefix("//").unwrap_or(after_scheme);
    // A `#` starts a fragment only in the query: labels hold it raw (`C# Ltd`).
    let (path, query) = after_scheme.split_once('?').unwrap_or((after_scheme, ""));
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));

    if kind.eq_ignore_ascii_case("hotp") {
        return Err(KeyUriError::EventBased);
    }
    if kind.eq_ignore_ascii_case("steam") {
        return Err(KeyUriError::SteamCodes);
    }
    if !kind.eq_ignore_ascii_case("totp") {
        return Err(KeyUriError::UnknownType);
    }

    let query = Query::collect(query)?;
    let issuer = query.issuer.as_deref().unwrap_or("");
    if query.steam || (issuer.eq_ignore_ascii_case("Steam") && query.digits == Some(STEAM_DIGITS)) {
        return Err(KeyUriError::SteamCodes);
    }
    let text = query.secret.ok_or(KeyUriError::NoSecret)?;
    let decoded = secret::decode_or_ask(&text, source, encoding)?;
    let parameters = Parameters {
        algorithm: query.algorithm.unwrap_or(Algorithm::Sha1),
        digits: match query.digits {
            Some(number) => Digits::new(number)
                .map_err(|_| KeyUriError::BadNumber { field: "digits", value: Some(number) })?,
            None => Digits::SIX,
        },
        period: match query.period {
            Some(number) => Period::new(number)
                .map_err(|_| KeyUriError::BadNumber { field: "period", value: Some(number) })?,
            None => Period::S30,
        },
    };
    let label = Label::split(label, is_microsoft(issuer));
    Ok(Credential::new(Parts {
        secret: decoded.secret,
        parameters,
        issuer: query.issuer.as_deref(),
        organisation: label.prefix.as_deref(),
        account: &label.account,
        notes: decoded.notes,
    }))
}

/// Digits that mark a Steam credential, with that issuer.
const STEAM_DIGITS: u64 = 5;

/// The parameters that matter; all others are extensions and ignored. A picture that
/// `image` or `logo` names is never fetched: this program has no network.
#[derive(Default)]
struct Query {
    secret: Option<Zeroizing<String>>,
    issuer: Option<String>,
    algorithm: Option<Algorithm>,
    digits: Option<u64>,
    period: Option<u64>,
    steam: bool,
}

impl Query {
    fn collect(raw: &str) -> Result<Self, KeyUriError> {
        let mut query = Self::default();
        for parameter in raw.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let name = name.trim();
            // `&amp;` is what a copy out of a page's source leaves.
            let name = name.strip_prefix("amp;").unwrap_or(name).to_ascii_lowercase();
            // An empty value says as much as a missing one.
            if value.trim().is_empty() {
                continue;
            }
            match name.as_str() {
                "secret" => query.add_secret(value)?,
                // The first that says something counts.
                "issuer" if query.issuer.is_none() => {
                    let issuer = decode(value, true).trim().to_owned();
                    query.issuer = (!issuer.is_empty()).then_some(issuer);
                }
                "algorithm" | "algo" => {
                    add(&mut query.algorithm, "algorithm", algorithm(&decode(value, true))?)?;
                }
                "digits" => add(&mut query.digits, "digits", number("digits", value)?)?,
                "period" | "interval" => {
                    add(&mut query.period, "period", number("period", value)?)?;
                }
                "encoder" => query.steam |= value.trim().eq_ignore_ascii_case("steam"),
                _ => {}
            }
        }
        Ok(query)
    }

    fn add_secret(&mut self, value: &str) -> Result<(), KeyUriError> {
        let text = Zeroizing::new(decode(value, false).into_owned());
        let same = |a: &str, b: &str| {
            let (a, b) = (secret::cleaned(a), secret::cleaned(b));
            a.trim_end_matches('=') == b.trim_end_matches('=')
        };
        match &self.secret {
            Some(first) if !same(first, &text) => Err(KeyUriError::Conflicting { field: "secret" }),
            Some(_) => Ok(()),
            None => {
                self.secret = Some(text);
                Ok(())
            }
        }
    }
}

fn add<T: PartialEq>(
    slot: &mut Option<T>,
    field: &'static str,
    value: T,
) -> Result<(), KeyUriError> {
    if slot.as_ref().is_some_and(|first| *first != value) {
        return Err(KeyUriError::Conflicting { field });
    }
    *slot = Some(value);
    Ok(())
}

/// Decimal digits and nothing else: no sign, no fraction.
fn number(field: &'static str, value: &str) -> Result<u64, KeyUriError> {
    let value = decode(value, false);
    let value = value.trim();
    if !value.chars().all(|c| c.is_ascii_digit()) {
        return Err(KeyUriError::BadNumber { field, value: None });
    }
    value.parse().map_err(|_| KeyUriError::BadNumber { field, value: None })
}

/// `SHA1`, `sha-256`, `HmacSHA512`, `HMAC-SHA-1` and their like.
pub(crate) fn algorithm(value: &str) -> Result<Algorithm, KeyUriError> {
    let name: String =
        value.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    match name.strip_prefix("HMAC").unwrap_or(&name) {
        "SHA1" => Ok(Algorithm::Sha1),
        "SHA256" => Ok(Algorithm::Sha256),
        "SHA512" => Ok(Algorithm::Sha512),
        other => Err(KeyUriError::UnknownAlgorithm {
            name: ["MD5", "SHA224", "SHA384", "SM3"].into_iter().find(|known| *known == other),
        }),
    }
}

/// The label in its two halves.
struct Label<'a> {
    prefix: Option<Cow<'a, str>>,
    account: String,
}

impl<'a> Label<'a> {
    /// Splits before decoding (section 1.1 steps 4 and 5): Microsoft sends the
    /// separator encoded, others send encoded colons inside a name.
    fn split(raw: &'a str, microsoft: bool) -> Self {
        let plus_is_space = microsoft || find_encoded(raw, "%2B").next().is_some();
        let cut = raw.find(':').map(|at| (at, 1)).or_else(|| {
            let mut encoded = find_encoded(raw, "%3A");
            // A user principal name holds no colon; a tenant's name may.
            let at = if microsoft { encoded.last() } else { encoded.next() };
            at.map(|at| (at, 3))
        });
        let Some((at, length)) = cut else {
            let account = decode(raw, plus_is_space).trim().to_owned();
            return Self { prefix: None, account };
        };
        let prefix = decode(&raw[..at], plus_is_space);
        let account = decode(&raw[at + length..], plus_is_space);
        let mut account = account.trim();
        // Some issuers write the prefix twice.
        let name = prefix.trim();
        if !name.is_empty()
            && let Some(rest) = account.strip_prefix(name)
            && let Some(rest) = rest.trim_start().strip_prefix(':')
        {
            account = rest.trim();
        }
        Self { account: account.to_owned(), prefix: (!name.is_empty()).then_some(prefix) }
    }
}

/// Where a percent-encoded character stands, in either letter case.
fn find_encoded<'a>(raw: &'a str, encoded: &'static str) -> impl Iterator<Item = usize> + 'a {
    raw.match_indices('%').map(|(at, _)| at).filter(move |&at| {
        raw.get(at..at + encoded.len()).is_some_and(|text| text.eq_ignore_ascii_case(encoded))
    })
}

/// Percent-decodes once; what is not UTF-8 becomes replacement marks.
fn decode(raw: &str, plus_is_space: bool) -> Cow<'_, str> {
    if plus_is_space && raw.contains('+') {
        let spaced = raw.replace('+', " ");
        return Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned());
    }
    percent_decode_str(raw).decode_utf8_lossy()
}
