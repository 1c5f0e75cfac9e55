//! The four messages of a Mini BLE that are sent, and what it answers (mooltipass.md,
//! "Packets").
//!
//! Numbers are little-endian; text is UTF-16LE and ends with a zero unit. Whether a
//! message may be sent is not decided here.

use oath::{Algorithm, Code, Digits, Parameters, SharedSecret, UnixTime};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use super::packets::Message;

/// UTF-16 units of the service and of the login, without the zero behind each: the
/// firmware sets the last unit of each field to zero and cuts what was there.
pub(super) const SERVICE_UNITS: usize = SERVICE_LEN / 2 - 1;
pub(super) const LOGIN_UNITS: usize = LOGIN_LEN / 2 - 1;
/// Bytes of the secret's field.
pub(super) const SECRET_LEN: usize = 64;

const SERVICE_LEN: usize = 252;
const LOGIN_LEN: usize = 128;

const SET_DATE: u16 = 0x0004;
const STATUS: u16 = 0x0011;
const STORE_TOTP: u16 = 0x0027;
const GET_TOTP: u16 = 0x0041;

const SHA1: u8 = 0;

/// The service and the login that find a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub(super) service: &'a str,
    pub(super) login: &'a str,
}

/// What the device says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// Its owner's card is in it and was unlocked with the PIN.
    pub(super) unlocked: bool,
    /// A program edits its database.
    pub(super) managed: bool,
}

/// Asks for the state. A read.
pub(super) fn status() -> Message {
    Message::new(STATUS, "STATUS", Zeroizing::default())
}

/// Sets the clock. `None` outside the years of its calendar, 2000 to 2063.
pub(super) fn set_date(time: UnixTime) -> Option<Message> {
    let seconds = time.as_secs();
    let [year, month, day] = date(seconds / 86_400)?;
    let second = u16::try_from(seconds % 86_400 % 60).ok()?;
    let minute = u16::try_from(seconds % 86_400 / 60 % 60).ok()?;
    let hour = u16::try_from(seconds % 86_400 / 3600).ok()?;
    let payload = [year, month, day, hour, minute, second].map(u16::to_le_bytes).concat();
    Some(Message::new(SET_DATE, "SET_DATE", Zeroizing::new(payload)))
}

/// Creates or changes a credential, after a word on the device. `None` for what it
/// does not take.
pub(super) fn store_totp(
    name: Name<'_>,
    parameters: Parameters,
    secret: &SharedSecret,
) -> Option<Message> {
    let (service, login) = name.units()?;
    let (Algorithm::Sha1, digits @ 6..=8) = (parameters.algorithm, parameters.digits.get()) else {
        return None;
    };
    let period = u8::try_from(parameters.period.as_secs()).ok()?;
    let period = (30..=99).contains(&period).then_some(period)?;
    let key = key(secret)?;
    let mut payload = Zeroizing::new(Vec::with_capacity(SERVICE_LEN + LOGIN_LEN + SECRET_LEN + 4));
    payload.extend(bytes(&service));
    payload.resize(SERVICE_LEN, 0);
    payload.extend(bytes(&login));
    payload.resize(SERVICE_LEN + LOGIN_LEN, 0);
    payload.extend_from_slice(&key);
    payload.resize(SERVICE_LEN + LOGIN_LEN + SECRET_LEN, 0);
    payload.extend([u8::try_from(key.len()).ok()?, digits, period, SHA1]);
    Some(Message::new(STORE_TOTP, "STORE_TOTP", payload).waiting_for_approval())
}

/// Asks for the code of the device's own time, after a word on the device.
pub(super) fn get_totp(name: Name<'_>) -> Option<Message> {
    let (service, login) = name.units()?;
    let offset = u16::try_from(service.len() + 1).ok()?;
    let mut payload = Zeroizing::new(vec![0, 0]);
    payload.extend(offset.to_le_bytes());
    for text in [&service, &login] {
        payload.extend(bytes(text));
        payload.extend([0, 0]);
    }
    Some(Message::new(GET_TOTP, "GET_TOTP", payload).waiting_for_approval())
}

impl Name<'_> {
    /// Both texts, if each is one and has room with its zero.
    fn units(self) -> Option<(Vec<u16>, Vec<u16>)> {
        let units = |text: &str, most: usize| {
            let units: Vec<u16> = text.encode_utf16().collect();
            ((1..=most).contains(&units.len()) && !units.contains(&0)).then_some(units)
        };
        Some((units(self.service, SERVICE_UNITS)?, units(self.login, LOGIN_UNITS)?))
    }
}

impl Status {
    /// Reads the first byte; firmware differs in what follows.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let flags = payload.first()?;
        Some(Self { unlocked: flags & 0x04 != 0, managed: flags & 0x10 != 0 })
    }
}

/// Whether it was done; `None` for an answer that says neither.
pub(super) fn is_done(payload: &[u8]) -> Option<bool> {
    match payload {
        [1] => Some(true),
        [0] => Some(false),
        _ => None,
    }
}

/// The answer to `GET_TOTP`.
#[derive(Debug)]
pub(super) enum Told {
    /// The code.
    Code(Code),
    /// No code, and no reason.
    Nothing,
}

/// The code that is told, with or without a zero behind it; `None` for an answer
/// that is no such text. The sheet does not say how a code is denied: nothing, one
/// zero and an empty text are taken for it.
pub(super) fn told(payload: &[u8], digits: Digits) -> Option<Told> {
    let (units, rest) = payload.as_chunks::<2>();
    if matches!(payload, [] | [0] | [0, 0]) {
        return Some(Told::Nothing);
    }
    let text = units.strip_suffix(&[[0, 0]]).unwrap_or(units);
    if !rest.is_empty() || text.len() != usize::from(digits.get()) {
        return None;
    }
    let mut number: u32 = 0;
    for unit in text {
        let digit = char::from_u32(u16::from_le_bytes(*unit).into())?.to_digit(10)?;
        number = number * 10 + digit;
    }
    Some(Told::Code(Code::from_truncated(number, digits)))
}

/// The secret or, where it is longer than the block of SHA-1, its hash, which
/// RFC 2104 makes the same key. `None` for an empty one, which would leave a
/// credential without a key.
fn key(secret: &SharedSecret) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = secret.expose();
    match bytes.len() {
        0 => None,
        1..=SECRET_LEN => Some(Zeroizing::new(bytes.to_vec())),
        _ => Some(Zeroizing::new(Sha1::digest(bytes).to_vec())),
    }
}

fn bytes(units: &[u16]) -> impl Iterator<Item = u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes())
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar.
fn date(mut day: u64) -> Option<[u16; 3]> {
    let leap = |year: u16| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year: u16 = 1970;
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year = if year < 2063 { year + 1 } else { return None };
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    (year >= 2000).then_some([year, month, u16::try_from(day).ok()? + 1])
}

#[cfg(test)]
mod tests {
    use oath::Period;

    use super::*;

    fn parameters(digits: u64, period: u64) -> Parameters {
        Parameters {
            algorithm: Algorithm::Sha1,
            digits: Digits::new(digits).expect("digits"),
            period: Period::new(period).expect("period"),
        }
    }

    fn stores(service: &str, login: &str, parameters: Parameters, secret: Vec<u8>) -> bool {
        store_totp(Name { service, login }, parameters, &SharedSecret::new(secret)).is_some()
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let check = |seconds: u64, expected: Option<[u16; 3]>| {
            assert_eq!(date(seconds / 86_400), expected, "{seconds}");
            assert_eq!(set_date(UnixTime::from_secs(seconds)).is_some(), expected.is_some());
        };
        check(0, None);
        check(946_684_799, None);
        check(946_684_800, Some([2000, 1, 1]));
        check(951_782_400, Some([2000, 2, 29]));
        check(1_700_000_000, Some([2023, 11, 14]));
        check(1_703_980_800, Some([2023, 12, 31]));
        check(1_709_164_800, Some([2024, 2, 29]));
        check(1_709_251_200, Some([2024, 3, 1]));
        check(2_966_371_199, Some([2063, 12, 31]));
        check(2_966_371_200, None);
        check(u64::MAX, None);
    }

    #[test]
    fn what_the_device_does_not_take_is_no_message() {
        let usual = parameters(6, 30);
        assert!(stores("s", "l", usual, vec![1; 64]));
        assert!(stores("s", "l", usual, vec![1; 200]));
        assert!(!stores("s", "l", usual, vec![]));
        assert!(!stores("", "l", usual, vec![1]));
        assert!(!stores("s", "", usual, vec![1]));
        assert!(!stores("s\0", "l", usual, vec![1]));
        assert!(stores(&"s".repeat(125), &"l".repeat(63), usual, vec![1]));
        assert!(!stores(&"s".repeat(126), "l", usual, vec![1]));
        assert!(!stores("s", &"l".repeat(64), usual, vec![1]));
        // Two units each.
        assert!(!stores("s", &"\u{1f511}".repeat(32), usual, vec![1]));
        for (digits, period) in [(6, 29), (6, 100), (9, 30)] {
            if let (Ok(digits), Ok(period)) = (Digits::new(digits), Period::new(period)) {
                let odd = Parameters { digits, period, ..usual };
                assert!(!stores("s", "l", odd, vec![1]), "{odd:?}");
            }
        }
        let sha256 = Parameters { algorithm: Algorithm::Sha256, ..usual };
        assert!(!stores("s", "l", sha256, vec![1]));
    }

    #[test]
    fn a_code_is_told_in_units() {
        let six = Digits::SIX;
        let told = |text: &[u8]| match told(text, six) {
            Some(Told::Code(code)) => Some(Some(code.expose().to_string())),
            Some(Told::Nothing) => Some(None),
            None => None,
        };
        let code = Some(Some("004550".to_owned()));
        assert_eq!(told(b"0\x000\x004\x005\x005\x000\0"), code);
        assert_eq!(told(b"0\x000\x004\x005\x005\x000\0\0\0"), code);
        for nothing in [&b""[..], b"\0", b"\0\0"] {
            assert_eq!(told(nothing), Some(None));
        }
        for odd in [
            &b"0"[..],
            b"004550",
            b"0\x000\x004\x005\x005\0",
            b"0\x000\x004\x005\x005\x000\0\0",
            b"0\x000\x004\x005\x005\x00x\0",
            b"0\x000\x004\x005\x005\x000\x01",
            b"0\x000\x004\x005\x005\x000\x000\0",
            b"0\x000\x004\x005\x005\x00\x00\xd8",
        ] {
            assert_eq!(told(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn answers_that_say_nothing_are_none() {
        assert_eq!(is_done(&[1]), Some(true));
        assert_eq!(is_done(&[0]), Some(false));
        for odd in [&[][..], &[2], &[1, 0]] {
            assert_eq!(is_done(odd), None);
        }
        assert_eq!(Status::parse(&[]), None);
        assert_eq!(Status::parse(&[0x05]), Some(Status { unlocked: true, managed: false }));
        assert_eq!(
            Status::parse(&[0x01, 90, 0, 0, 0]),
            Some(Status { unlocked: false, managed: false })
        );
        assert_eq!(Status::parse(&[0x15, 0, 0, 0]), Some(Status { unlocked: true, managed: true }));
    }
}
