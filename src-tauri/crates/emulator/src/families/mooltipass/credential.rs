//! Credentials and the payloads that name, bring and time them (mooltipass.md,
//! "Packets"): `STORE_TOTP`, `GET_TOTP` and `SET_DATE`.

use oath::{Algorithm, Digits, Period, SharedSecret, UnixTime};

use crate::{Held, Kind, otp};

/// Bytes of the service, the login and the secret in a `STORE_TOTP`.
const SERVICE: usize = 252;
const LOGIN: usize = 128;
const SECRET: usize = 64;

/// "Any login" in a `GET_TOTP`.
const NONE: u16 = 0xffff;

/// One secret under a service and a login, both UTF-16 without the zero.
pub(super) struct Credential {
    pub(super) service: Vec<u16>,
    pub(super) login: Vec<u16>,
    secret: SharedSecret,
    digits: Digits,
    period: Period,
}

impl Credential {
    /// One of six digits and 30 seconds.
    pub(super) fn new(service: &str, login: &str, secret: &SharedSecret) -> Self {
        Self {
            service: service.encode_utf16().collect(),
            login: login.encode_utf16().collect(),
            secret: SharedSecret::new(secret.expose().to_vec()),
            digits: Digits::SIX,
            period: Period::S30,
        }
    }

    /// The payload of a `STORE_TOTP`; `None` if it is refused.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let (service, rest) = payload.split_at_checked(SERVICE)?;
        let (login, rest) = rest.split_at_checked(LOGIN)?;
        let (secret, rest) = rest.split_at_checked(SECRET)?;
        let &[length, digits @ 6..=8, step @ 30..=99, 0] = rest else {
            return None;
        };
        let service = text(service)?;
        let secret = secret.get(..usize::from(length)).filter(|secret| !secret.is_empty())?;
        (!service.is_empty()).then_some(())?;
        Some(Self {
            service,
            login: text(login)?,
            secret: SharedSecret::new(secret.to_vec()),
            digits: Digits::new(digits.into()).ok()?,
            period: Period::new(step.into()).ok()?,
        })
    }

    pub(super) fn has_name_of(&self, other: &Self) -> bool {
        self.service == other.service && self.login == other.login
    }

    /// Service and login, as the device shows them.
    pub(super) fn name(&self) -> String {
        let service = String::from_utf16_lossy(&self.service);
        if self.login.is_empty() {
            return service;
        }
        format!("{service}/{}", String::from_utf16_lossy(&self.login))
    }

    /// The code that it has at a time of the device's clock.
    pub(super) fn code(&self, at: UnixTime) -> String {
        otp::code(Algorithm::Sha1, self.secret.expose(), at.step(self.period).0, self.digits.get())
    }

    /// How long that code stays, in seconds, at least 1.
    pub(super) fn seconds_left(&self, at: UnixTime) -> u32 {
        let period = self.period.as_secs();
        // The remainder is less than the period.
        let gone = u32::try_from(at.as_secs() % u64::from(period)).unwrap_or(0);
        period - gone
    }

    pub(super) fn held(&self) -> Held {
        Held {
            name: Some(self.name()),
            secret: SharedSecret::new(self.secret.expose().to_vec()),
            algorithm: Algorithm::Sha1,
            digits: self.digits,
            period: Some(self.period),
            kind: Kind::Totp,
            touch: true,
        }
    }
}

/// Which credential a `GET_TOTP` means.
pub(super) struct Wanted {
    service: Vec<u16>,
    /// `None` means the only one of the service.
    login: Option<Vec<u16>>,
}

impl Wanted {
    /// The payload of a `GET_TOTP`: the offsets in characters, then the texts, one
    /// right behind the other and nothing else.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let (&[0, 0, low, high], texts) = payload.split_first_chunk::<4>()? else {
            return None;
        };
        let service = text(texts)?;
        let rest = &texts[2 * (service.len() + 1)..];
        let login = match u16::from_le_bytes([low, high]) {
            NONE if rest.is_empty() => None,
            at if usize::from(at) == service.len() + 1 => {
                let login = text(rest)?;
                (rest.len() == 2 * (login.len() + 1)).then_some(Some(login))?
            }
            _ => return None,
        };
        Some(Self { service, login })
    }

    /// The place of the only credential that is meant.
    pub(super) fn place(&self, credentials: &[Credential]) -> Option<usize> {
        let is_meant = |credential: &Credential| {
            let login = self.login.as_ref();
            credential.service == self.service && login.is_none_or(|it| *it == credential.login)
        };
        let mut meant = credentials.iter().enumerate().filter(|(_, it)| is_meant(it));
        let (place, _) = meant.next()?;
        meant.next().is_none().then_some(place)
    }
}

/// The payload of a `SET_DATE`: year, month, day, hour, minute and second, UTC;
/// `None` if there is no such time since 1970.
pub(super) fn time(payload: &[u8]) -> Option<UnixTime> {
    let fields: Vec<u64> = words(payload)?.into_iter().map(u64::from).collect();
    let &[year, month @ 1..=12, day, hour @ 0..24, minute @ 0..60, second @ 0..60] =
        fields.as_slice()
    else {
        return None;
    };
    if year < 1970 {
        return None;
    }
    let leap_days = |until: u64| until / 4 - until / 100 + until / 400;
    let february = 28 + leap_days(year) - leap_days(year - 1);
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month - 1).ok()?;
    if !(1..=lengths[before]).contains(&day) {
        return None;
    }
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let days = years + lengths[..before].iter().sum::<u64>() + day - 1;
    Some(UnixTime::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second))
}

/// The text up to its zero; `None` without one.
fn text(bytes: &[u8]) -> Option<Vec<u16>> {
    let words = words(bytes)?;
    let end = words.iter().position(|word| *word == 0)?;
    Some(words[..end].to_vec())
}

/// Little-endian words; `None` if there is half a one.
fn words(bytes: &[u8]) -> Option<Vec<u16>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().copied().map(u16::from_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_calendar_are_times() {
        let check = |fields: [u16; 6], expected: Option<u64>| {
            let payload: Vec<u8> = fields.into_iter().flat_map(u16::to_le_bytes).collect();
            assert_eq!(time(&payload).map(UnixTime::as_secs), expected, "{fields:?}");
        };
        check([1970, 1, 1, 0, 0, 0], Some(0));
        check([2023, 11, 14, 22, 13, 20], Some(1_700_000_000));
        check([2029, 12, 31, 23, 59, 30], Some(1_893_455_970));
        check([2024, 2, 29, 0, 0, 0], Some(1_709_164_800));
        check([2024, 12, 31, 23, 59, 59], Some(1_735_689_599));
        check([2000, 3, 1, 0, 0, 0], Some(951_868_800));
        let none = [
            [1969, 12, 31, 23, 59, 59],
            [2023, 2, 29, 0, 0, 0],
            [2100, 2, 29, 0, 0, 0],
            [2023, 0, 1, 0, 0, 0],
            [2023, 13, 1, 0, 0, 0],
            [2023, 4, 31, 0, 0, 0],
            [2023, 4, 0, 0, 0, 0],
            [2023, 4, 1, 24, 0, 0],
            [2023, 4, 1, 0, 60, 0],
            [2023, 4, 1, 0, 0, 60],
        ];
        for fields in none {
            check(fields, None);
        }
        assert_eq!(time(&[0xe7, 0x07, 11, 0, 14, 0, 22, 0, 13, 0, 20]), None);
        assert_eq!(time(&[0xe7, 0x07, 11, 0, 14, 0, 22, 0, 13, 0, 20, 0, 0, 0]), None);
    }
}
