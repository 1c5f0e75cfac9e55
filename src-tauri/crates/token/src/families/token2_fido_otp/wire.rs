//! The bytes of commands, records and answers (token2-fido-otp.md sections 3 and 4).
//!
//! Data has the short Lc, which every channel takes, and no Le follows it, as in
//! the sheet's vectors. Writing is in `seal.rs`, behind a type that is never empty.

use oath::{Algorithm, Code, Digits, Parameters, SharedSecret};
use zeroize::Zeroizing;

use super::seal::HostKey;
use crate::CommandApdu;

const OTP_AID: [u8; 8] = [0xf0, 0x00, 0x00, 0x01, 0x4f, 0x74, 0x70, 0x01];
const FIDO_AID: [u8; 8] = [0xa0, 0x00, 0x00, 0x06, 0x47, 0x2f, 0x00, 0x01];

const HOTP: u8 = 0x00;
const TOTP: u8 = 0x01;
/// In the first byte of a page of records: another page follows.
const MORE: u8 = 0x80;

/// What finds an entry: 0 to 64 bytes of service and 1 to 64 of account, in ASCII
/// where we name it, as they are where the key tells them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    app: Vec<u8>,
    account: Vec<u8>,
}

impl Name {
    /// `None` when it does not fit.
    pub(super) fn new(app: &str, account: &str) -> Option<Self> {
        let ascii = app.is_ascii() && account.is_ascii();
        let fits = app.len() <= 64 && (1..=64).contains(&account.len());
        (ascii && fits).then(|| Self { app: app.into(), account: account.into() })
    }

    /// `service:account` as plans spell it. Without a service there is no colon in
    /// front, unless the account would then look like a service and an account.
    pub(super) fn full(&self) -> String {
        let account = String::from_utf8_lossy(&self.account);
        if self.app.is_empty() && !self.account.contains(&b':') {
            return account.into_owned();
        }
        format!("{}:{account}", String::from_utf8_lossy(&self.app))
    }

    fn push_to(&self, bytes: &mut Vec<u8>) {
        for field in [&self.app, &self.account] {
            bytes.push(u8::try_from(field.len()).expect("told or checked in one byte"));
            bytes.extend_from_slice(field);
        }
    }
}

/// A record before it is sealed; wiped when dropped.
pub(super) struct ClearRecord(Zeroizing<Vec<u8>>);

impl ClearRecord {
    /// A time-based entry without touch. `None` when the key takes no such one.
    pub(super) fn entry(
        name: &Name,
        parameters: Parameters,
        secret: &SharedSecret,
    ) -> Option<Self> {
        let algorithm = match parameters.algorithm {
            Algorithm::Sha1 => 0xc1,
            Algorithm::Sha256 => 0xc2,
            Algorithm::Sha512 => return None,
        };
        let len @ 1..=64 = u8::try_from(secret.len()).ok()? else {
            return None;
        };
        let [high, low] = u16::try_from(parameters.period.as_secs()).ok()?.to_be_bytes();
        // As long as it can get, so that no piece of the secret stays behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(6 + 65 + 65 + 65));
        bytes.extend([TOTP, algorithm, high, low, parameters.digits.get(), 0]);
        name.push_to(&mut bytes);
        bytes.push(len);
        bytes.extend_from_slice(secret.expose());
        Some(Self(bytes))
    }

    /// The deletion of one entry.
    pub(super) fn deletion(name: &Name) -> Self {
        let mut bytes = Zeroizing::new(vec![0; 6]);
        name.push_to(&mut bytes);
        bytes.push(0);
        Self(bytes)
    }

    /// The bytes to seal.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

pub(super) fn select_otp() -> CommandApdu {
    CommandApdu::new([0x00, 0xa4, 0x04, 0x00], &OTP_AID)
}

/// Only the serial number is asked for there.
pub(super) fn select_fido() -> CommandApdu {
    CommandApdu::new([0x00, 0xa4, 0x04, 0x00], &FIDO_AID)
}

pub(super) fn serial() -> CommandApdu {
    let mut data = [0; 18];
    data[..2].copy_from_slice(&[0xd1, 0x10]);
    CommandApdu::new([0x80, 0x33, 0x00, 0x00], &data)
}

pub(super) fn device_key() -> CommandApdu {
    CommandApdu::new([0x80, 0xc5, 0x01, 0x00], &[]).with_le(0)
}

pub(super) fn read_one(time: u64, name: &Name) -> CommandApdu {
    let mut data = vec![0x01];
    data.extend(time.to_be_bytes());
    name.push_to(&mut data);
    CommandApdu::new([0x80, 0xc5, 0x05, 0x00], &data)
}

pub(super) fn read_all(time: u64) -> CommandApdu {
    let mut data = [0x03; 9];
    data[1..].copy_from_slice(&time.to_be_bytes());
    CommandApdu::new([0x80, 0xc5, 0x05, 0x00], &data)
}

pub(super) fn read_more(time: u64) -> CommandApdu {
    CommandApdu::new([0x80, 0xc5, 0x05, 0x01], &time.to_be_bytes())
}

/// How much of the PIN's flag is asked for; the request has as many zero bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum FlagForm {
    /// Without the random number, 9 bytes.
    Short = 0x09,
    /// With IV and encrypted random number, 41 bytes.
    WithRandom = 0x29,
}

pub(super) fn pin_flag(form: FlagForm) -> CommandApdu {
    CommandApdu::new([0x80, 0xc5, 0x05, 0x04], &[0; 0x29][..form as usize])
}

pub(super) fn agreement(host: &HostKey) -> CommandApdu {
    CommandApdu::new([0x80, 0xc5, 0x05, 0x09], host.public())
}

pub(super) fn verify_pin(verification: &[u8; 32]) -> CommandApdu {
    CommandApdu::new([0x80, 0xc5, 0x05, 0x06], verification)
}

pub(super) fn lock() -> CommandApdu {
    CommandApdu::new([0x80, 0xc5, 0x05, 0x06], &[0x00])
}

/// The serial number as text; `None` when the answer has none, or the number of a
/// key that was never given one, since that would not tell two keys apart.
pub(super) fn parse_serial(data: &[u8]) -> Option<String> {
    let [0xd1, len, rest @ ..] = data else {
        return None;
    };
    let text = std::str::from_utf8(rest.get(..usize::from(*len))?).ok()?;
    let text = text.trim_end_matches('\0');
    let blank = |one: u8| text.bytes().all(|byte| byte.eq_ignore_ascii_case(&one));
    let hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hex && !blank(b'0') && !blank(b'f')).then(|| text.to_ascii_uppercase())
}

/// What the PIN's flag tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PinFlag {
    /// Whether a PIN is set.
    pub(super) is_set: bool,
    pub(super) tries_left: u8,
    /// IV and encrypted random number, where they were asked for.
    pub(super) random: Option<([u8; 16], [u8; 16])>,
}

impl PinFlag {
    /// `None` for another length than the form has.
    pub(super) fn parse(data: &[u8], form: FlagForm) -> Option<Self> {
        if data.len() != form as usize {
            return None;
        }
        let [_, tries_left, pin_len, _, rest @ ..] = data else {
            return None;
        };
        let random = match form {
            FlagForm::Short => None,
            FlagForm::WithRandom => {
                let (iv, random) = rest.get(5..)?.split_at_checked(16)?;
                Some((iv.try_into().ok()?, random.try_into().ok()?))
            }
        };
        Some(Self { is_set: *pin_len != 0, tries_left: *tries_left, random })
    }
}

/// One page of a read-all answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) names: Vec<Name>,
    /// Whether another page follows.
    pub(super) more: bool,
}

impl Page {
    /// `None` when the records do not fill the page exactly.
    pub(super) fn parse(data: &[u8]) -> Option<Self> {
        let (first, rest) = data.split_first()?;
        let mut rest = rest;
        let mut kind = first & !MORE;
        let mut names = Vec::new();
        loop {
            let record = Record::parse(kind, &mut rest)?;
            // Records have no outer length: this rule alone finds the next one.
            if kind == TOTP && !record.touch {
                counted(&mut rest)?;
            }
            names.push(record.name);
            match rest.split_off_first() {
                Some(next) => kind = *next,
                None => return Some(Self { names, more: first & MORE != 0 }),
            }
        }
    }
}

/// The answer to read-one: whose code it is, and the code.
pub(super) fn parse_one(data: &[u8]) -> Option<(Name, Code)> {
    let mut rest = data;
    let kind = *rest.split_off_first()?;
    let record = Record::parse(kind, &mut rest)?;
    let code = std::str::from_utf8(counted(&mut rest)?).ok()?;
    if !rest.is_empty() || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = Digits::new(u64::from(record.digits)).ok()?;
    Some((record.name, Code::typed(code, digits).ok()?))
}

/// A record without its code.
struct Record {
    name: Name,
    digits: u8,
    touch: bool,
}

impl Record {
    /// What stands behind the type: hash, period, digits, touch, names.
    fn parse(kind: u8, rest: &mut &[u8]) -> Option<Self> {
        let (HOTP | TOTP) = kind else {
            return None;
        };
        let [_, _, _, digits, touch] = *rest.split_off(..5)? else {
            return None;
        };
        let app = counted(rest)?.to_vec();
        let account = counted(rest)?.to_vec();
        Some(Self { name: Name { app, account }, digits, touch: touch != 0 })
    }
}

/// A length byte and as many bytes.
fn counted<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::from(*rest.split_off_first()?);
    rest.split_off(..len)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXUPPER;
    use oath::Period;

    use super::super::seal::pairs;
    use super::*;

    const NOW: u64 = 1_700_000_000;
    const ONE: &str =
        "01C1001E0600094D6963726F736F667411616C696365406578616D706C652E636F6D06333234353530";

    fn hex(command: &CommandApdu) -> String {
        HEXUPPER.encode(&command.encode())
    }

    fn bytes(hex: &str) -> Vec<u8> {
        HEXUPPER.decode(hex.as_bytes()).expect("hex")
    }

    fn alice() -> Name {
        Name::new("Microsoft", "alice@example.com").expect("fits")
    }

    #[test]
    fn requests_are_the_sheets() {
        assert_eq!(hex(&select_otp()), "00A4040008F00000014F747001");
        assert_eq!(hex(&select_fido()), "00A4040008A0000006472F0001");
        assert_eq!(hex(&serial()), "8033000012D11000000000000000000000000000000000");
        assert_eq!(hex(&device_key()), "80C5010000");
        assert_eq!(
            hex(&read_one(NOW, &alice())),
            "80C505002501000000006553F100094D6963726F736F667411616C696365406578616D706C652E636F6D"
        );
        assert_eq!(hex(&read_all(NOW)), "80C505000903000000006553F100");
        assert_eq!(hex(&read_more(NOW)), "80C5050108000000006553F100");
        assert_eq!(hex(&pin_flag(FlagForm::Short)), format!("80C5050409{}", "00".repeat(9)));
        assert_eq!(hex(&pin_flag(FlagForm::WithRandom)), format!("80C5050429{}", "00".repeat(41)));
        assert_eq!(hex(&agreement(&pairs::host())), format!("80C5050940{}", pairs::HOST));
        assert_eq!(hex(&lock()), "80C505060100");
    }

    #[test]
    fn clear_records_are_the_sheets() {
        let secret = SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec());
        let entry = ClearRecord::entry(&alice(), Parameters::default(), &secret).expect("fits");
        assert_eq!(
            HEXUPPER.encode(entry.bytes()),
            "01C1001E0600094D6963726F736F667411616C696365406578616D706C652E636F6D0A48656C6C6F21DEADBEEF"
        );
        assert_eq!(
            HEXUPPER.encode(ClearRecord::deletion(&alice()).bytes()),
            "000000000000094D6963726F736F667411616C696365406578616D706C652E636F6D00"
        );
    }

    #[test]
    fn what_no_key_takes_is_no_record() {
        let refused = |algorithm, period, secret: usize| {
            let period = Period::new(period).expect("period");
            let parameters = Parameters { algorithm, period, ..Parameters::default() };
            let secret = SharedSecret::new(vec![1; secret]);
            ClearRecord::entry(&alice(), parameters, &secret).is_none()
        };
        assert!(refused(Algorithm::Sha512, 30, 20));
        assert!(refused(Algorithm::Sha1, 65_536, 20));
        assert!(refused(Algorithm::Sha1, 30, 0));
        assert!(refused(Algorithm::Sha1, 30, 65));
        assert!(refused(Algorithm::Sha1, 30, 257));
        assert!(!refused(Algorithm::Sha256, 65_535, 64));
        assert_eq!(Name::new(&"s".repeat(65), "a"), None);
        assert_eq!(Name::new("s", &"a".repeat(65)), None);
        assert_eq!(Name::new("s", ""), None);
        assert_eq!(Name::new("\u{e9}", "a"), None);
    }

    #[test]
    fn names_are_spelled_as_plans_spell_them() {
        let full = |app, account| Name::new(app, account).map(|name| name.full());
        assert_eq!(full("Microsoft", "alice").as_deref(), Some("Microsoft:alice"));
        assert_eq!(full("", "alice").as_deref(), Some("alice"));
        assert_eq!(full("", "a:b").as_deref(), Some(":a:b"));
    }

    #[test]
    fn the_sheets_code_is_read() {
        let (name, code) = parse_one(&bytes(ONE)).expect("the sheet's answer");
        assert_eq!((name, code.expose().as_str()), (alice(), "324550"));
    }

    #[test]
    fn an_answer_of_any_other_length_is_malformed() {
        let whole = bytes(ONE);
        for len in 0..whole.len() {
            assert!(parse_one(&whole[..len]).is_none(), "{len} bytes");
            assert!(Page::parse(&whole[..len]).is_none(), "{len} bytes");
        }
        assert!(parse_one(&[whole.as_slice(), &[0]].concat()).is_none());
        assert!(Page::parse(&[whole.as_slice(), &[0]].concat()).is_none());
        // A code that is none, of another length or with a type that is none.
        for (at, byte) in [(whole.len() - 1, b'x'), (4, 8), (4, 0), (0, 2)] {
            let mut broken = whole.clone();
            broken[at] = byte;
            assert!(parse_one(&broken).is_none(), "{byte:02X} at {at}");
        }
    }

    /// Only time-based records without touch have a code among all.
    #[test]
    fn records_of_all_kinds_stay_in_step() {
        let totp = "01C1001E0600016101620631323334 3536".replace(' ', "");
        let touch = "01C2003C080101610163";
        let hotp = "00C10000060001610164";
        let all = bytes(&format!("81{}{touch}{hotp}{totp}", &totp[2..]));
        let page = Page::parse(&all).expect("four records");
        let names: Vec<_> = page.names.iter().map(Name::full).collect();
        assert_eq!((names.join(" ").as_str(), page.more), ("a:b a:c a:d a:b", true));
        let page = Page::parse(&bytes(&format!("80{}", &hotp[2..]))).expect("one record");
        assert_eq!((page.names.len(), page.more), (1, true));
        assert_eq!(Page::parse(&bytes(&format!("{hotp}82"))), None);
    }

    #[test]
    fn serials_are_text_in_an_object() {
        let check = |data: &[u8], expected: Option<&str>| {
            assert_eq!(parse_serial(data).as_deref(), expected);
        };
        check(b"\xd1\x0a6510312345", Some("6510312345"));
        check(b"\xd1\x0465aB\0\0", Some("65AB"));
        check(b"\xd1\x0465\0\0", Some("65"));
        for none in
            [&b""[..], b"\xd1", b"\xd1\x0465", b"\xd1\x00", b"\xd2\x0165", b"\xd1\x02\xff\xff"]
        {
            check(none, None);
        }
        check(b"\xd1\x040000", None);
        check(b"\xd1\x04fFff", None);
        check(b"\xd1\x0265 x", Some("65"));
        check(b"\xd1\x036x5", None);
    }

    #[test]
    fn the_flag_has_the_length_that_was_asked_for() {
        let short = [1, 7, 6, 8, 0, 0, 2, 0, 0];
        let flag = PinFlag::parse(&short, FlagForm::Short).expect("nine bytes");
        assert_eq!(flag, PinFlag { is_set: true, tries_left: 7, random: None });
        let mut long = short.to_vec();
        long.extend([0xaa; 16]);
        long.extend([0xbb; 16]);
        let flag = PinFlag::parse(&long, FlagForm::WithRandom).expect("forty-one bytes");
        assert_eq!(flag.random, Some(([0xaa; 16], [0xbb; 16])));
        for len in 0..long.len() {
            assert!(PinFlag::parse(&long[..len], FlagForm::WithRandom).is_none());
        }
        assert!(PinFlag::parse(&short[..8], FlagForm::Short).is_none());
        assert!(PinFlag::parse(&long, FlagForm::Short).is_none());
    }
}
