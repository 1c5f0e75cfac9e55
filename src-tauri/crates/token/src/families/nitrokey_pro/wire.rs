//! Requests and answers of Nitrokey Pro and Storage, 65-byte feature reports
//! (nitrokey-pro.md sections 2 and 3). Numbers are little-endian.

use std::fmt;

use oath::{Digits, SharedSecret};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

/// A report with the zero of its number in front.
pub(super) const REPORT_LEN: usize = 65;
/// A PIN and a temporary password, filled with zeros.
pub(super) const PASSWORD_LEN: usize = 25;
/// The title of a slot.
pub(super) const NAME_LEN: usize = 15;
/// The longest secret.
pub(super) const SECRET_LEN: usize = 40;

/// What one SEND OTP DATA carries.
const PART_LEN: usize = 30;
/// Where the checksum of a report stands.
const SUM: usize = 61;

/// The password that the host makes up for one conversation.
pub(super) type TemporaryPassword = Zeroizing<[u8; PASSWORD_LEN]>;

/// A request. Wiped when dropped; `Debug` shows its name.
pub(super) struct Request {
    report: Zeroizing<[u8; REPORT_LEN]>,
    /// The exchange, in the words of the sheet.
    pub(super) named: &'static str,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.named)
    }
}

impl Request {
    /// A command and what it carries, one piece behind the other.
    fn new(command: u8, named: &'static str, pieces: &[&[u8]]) -> Self {
        let mut report = Zeroizing::new([0; REPORT_LEN]);
        report[1] = command;
        let mut at = 2;
        for piece in pieces {
            report[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
        }
        debug_assert!(at <= SUM, "the pieces are of fixed lengths and fit");
        let sum = checksum(&report[1..SUM]).to_le_bytes();
        report[SUM..].copy_from_slice(&sum);
        Self { report, named }
    }

    /// The report as it is set.
    pub(super) fn report(&self) -> &[u8] {
        &*self.report
    }
}

pub(super) fn get_status() -> Request {
    Request::new(0x00, "GET STATUS", &[])
}

/// The same for a Storage.
pub(super) fn get_device_status() -> Request {
    Request::new(0x2e, "GET DEVICE STATUS", &[])
}

pub(super) fn admin_tries() -> Request {
    Request::new(0x09, "ADMIN PIN TRIES", &[])
}

/// Sends the admin PIN, at most 25 bytes, and what stands for it from now on.
pub(super) fn first_authenticate(pin: &[u8], temporary: &TemporaryPassword) -> Option<Request> {
    let mut filled = Zeroizing::new([0; PASSWORD_LEN]);
    filled.get_mut(..pin.len())?.copy_from_slice(pin);
    Some(Request::new(0x07, "FIRST AUTHENTICATE", &[&*filled, &**temporary]))
}

pub(super) fn read_slot_name(slot: u8) -> Request {
    Request::new(0x02, "READ SLOT NAME", &[&[slot]])
}

/// The title and the secret for the stick's buffer, from where WRITE TO SLOT takes
/// them. `None` for a title or a secret that no stick takes.
///
/// The second part of the secret is sent always, zeros where the secret is short:
/// the buffer is cleared only when a transaction begins, and one that broke off,
/// ours or another program's, would leave its own bytes there.
pub(super) fn otp_data(
    temporary: &TemporaryPassword,
    title: &str,
    secret: &SharedSecret,
) -> Option<[Request; 3]> {
    let mut name = [0; PART_LEN];
    name[..NAME_LEN].get_mut(..title.len())?.copy_from_slice(title.as_bytes());
    let mut whole = Zeroizing::new([0; 2 * PART_LEN]);
    key(secret, &mut whole[..SECRET_LEN])?;
    let part = |kind: u8, index: u8, data: &[u8]| {
        Request::new(0x17, "SEND OTP DATA", &[&**temporary, &[kind, index], data])
    };
    let (first, second) = whole.split_at(PART_LEN);
    (!title.is_empty()).then(|| [part(b'N', 0, &name), part(b'S', 0, first), part(b'S', 1, second)])
}

/// What stands for the secret: itself or, where it is longer than the block of
/// SHA-1, its hash, which RFC 2104 makes the same key.
fn key(secret: &SharedSecret, into: &mut [u8]) -> Option<()> {
    let bytes = secret.expose();
    let hashed: Zeroizing<Vec<u8>>;
    let bytes = if bytes.len() > 64 {
        hashed = Zeroizing::new(Sha1::digest(bytes).to_vec());
        &hashed
    } else {
        bytes
    };
    into.get_mut(..bytes.len())?.copy_from_slice(bytes);
    // A secret of zeros alone means "keep what is there".
    bytes.iter().any(|byte| *byte != 0).then_some(())
}

/// Writes the buffer to a slot, with period and digits.
pub(super) fn write_to_slot(
    temporary: &TemporaryPassword,
    slot: u8,
    period: u16,
    eight_digits: bool,
) -> Request {
    let period = u64::from(period).to_le_bytes();
    let config = u8::from(eight_digits);
    Request::new(0x01, "WRITE TO SLOT", &[&**temporary, &[slot], &period, &[config]])
}

/// Sets the clock, whatever it says now.
pub(super) fn set_time(seconds: u32) -> Request {
    Request::new(0x0b, "SET TIME", &[&[0x01], &u64::from(seconds).to_le_bytes()])
}

/// Asks for the code of the stick's own clock.
pub(super) fn get_code(slot: u8) -> Request {
    Request::new(0x04, "GET CODE", &[&[slot]])
}

/// What a report that was got means for a request.
pub(super) enum Look {
    /// The answer. `sum_is_right` tells whether its own checksum is.
    Answer { answer: Answer, sum_is_right: bool },
    /// The stick is still at it.
    Busy,
    /// Not the answer to this request, and why.
    Foreign(&'static str),
}

/// An answer. Wiped when dropped.
pub(super) struct Answer {
    report: Zeroizing<[u8; REPORT_LEN]>,
}

impl Answer {
    /// Recognises the answer to `request` by its command and its checksum.
    pub(super) fn look(report: &[u8], request: &Request) -> Look {
        let Some(report) = report.first_chunk::<REPORT_LEN>() else {
            return Look::Foreign("its length");
        };
        // Got the report, or busy, and nothing else in it is of meaning.
        if matches!(report[1], 1 | 3) {
            return Look::Busy;
        }
        if report[0] != 0 || report[1] != 0 {
            return Look::Foreign("the device's status");
        }
        if report[2] != request.report[1] || report[3..7] != request.report[SUM..] {
            return Look::Foreign("it answers another request");
        }
        // Commands of a Storage have a state of their own: busy, or busy and far to go.
        if is_storage_command(report[2]) && matches!(report[23], 2 | 4) {
            return Look::Busy;
        }
        let sum_is_right = checksum(&report[1..SUM]).to_le_bytes() == report[SUM..];
        Look::Answer { answer: Self { report: Zeroizing::new(*report) }, sum_is_right }
    }

    pub(super) fn status(&self) -> u8 {
        self.report[7]
    }

    /// Version and serial number of a Pro, and whether codes are behind the user PIN.
    pub(super) fn pro_status(&self) -> DeviceStatus {
        let data = self.data();
        DeviceStatus {
            version: (data[1], data[0]),
            serial: u32::from_le_bytes([data[2], data[3], data[4], data[5]]),
            codes_want_pin: data[9] == 1,
        }
    }

    /// The same of a Storage, by offsets in the whole report. It does not tell
    /// whether codes are behind the user PIN. `None` if it did not do the command.
    pub(super) fn storage_status(&self) -> Option<DeviceStatus> {
        let all = &*self.report;
        matches!(all[23], 0 | 1).then(|| DeviceStatus {
            version: (all[34], all[35]),
            serial: u32::from_le_bytes([all[50], all[51], all[52], all[53]]),
            codes_want_pin: false,
        })
    }

    /// How many tries the admin PIN has left.
    pub(super) fn tries(&self) -> u8 {
        self.data()[0]
    }

    /// The title of a slot, up to its end or to flash that was never written.
    pub(super) fn name(&self) -> String {
        let name = &self.data()[..NAME_LEN];
        let end = name.iter().position(|byte| matches!(byte, 0x00 | 0xff)).unwrap_or(NAME_LEN);
        String::from_utf8_lossy(&name[..end]).into_owned()
    }

    /// The code and how many digits it has; `None` for a number with more.
    pub(super) fn code(&self) -> Option<(u32, Digits)> {
        let data = self.data();
        let number = u32::from_le_bytes([data[0], data[1], data[2], data[3]]);
        let digits = if data[4] & 1 == 1 { Digits::EIGHT } else { Digits::SIX };
        (number < 10_u32.pow(u32::from(digits.get()))).then_some((number, digits))
    }

    fn data(&self) -> &[u8] {
        &self.report[8..SUM]
    }
}

/// What a stick tells of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DeviceStatus {
    /// Major and minor.
    pub(super) version: (u8, u8),
    /// The serial number of its smart card.
    pub(super) serial: u32,
    /// Whether its owner has put the codes behind the user PIN.
    pub(super) codes_want_pin: bool,
}

const fn is_storage_command(command: u8) -> bool {
    matches!(command, 0x20..=0x5f)
}

/// CRC-32/MPEG-2 of the bytes, each group of four turned round (sheet section 2).
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes.chunks(4).flat_map(|word| word.iter().rev()) {
        sum ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            sum = if sum >> 31 == 1 { (sum << 1) ^ 0x04c1_1db7 } else { sum << 1 };
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn temporary() -> TemporaryPassword {
        Zeroizing::new(*b"TEMPADMINPASSWORD12345678")
    }

    /// Section 7 of the sheet; `*` stands for zeros up to the checksum.
    fn check(request: &Request, expected: &str) {
        let expected = match expected.split_once('*') {
            Some((front, sum)) => format!("{front:0<122}{sum}"),
            None => expected.to_owned(),
        };
        assert_eq!(HEXLOWER.encode(request.report()), expected, "{}", request.named);
    }

    fn answer(hex: &str) -> Vec<u8> {
        let (front, sum) = hex.split_once('*').expect("zeros");
        HEXLOWER.decode(format!("{front:0<122}{sum}").as_bytes()).expect("hex")
    }

    fn understood(hex: &str, request: &Request) -> Answer {
        match Answer::look(&answer(hex), request) {
            Look::Answer { answer, sum_is_right: true } => answer,
            Look::Answer { sum_is_right: false, .. } => panic!("the answer's sum is wrong"),
            Look::Busy => panic!("busy"),
            Look::Foreign(what) => panic!("foreign: {what}"),
        }
    }

    #[test]
    fn the_checksum_is_the_sheets() {
        assert_eq!(checksum(&[0; 60]).to_le_bytes(), [0xdf, 0xb7, 0x6e, 0xef]);
    }

    #[test]
    fn reads_are_the_sheets() {
        check(&get_status(), "0000*dfb76eef");
        check(&get_device_status(), "002e*efc49b84");
        check(&read_slot_name(0x20), "000220*e98113fd");
        check(&read_slot_name(0x25), "000225*ae9e1e87");
        check(&get_code(0x20), "000420*151c701f");
    }

    #[test]
    fn authentication_is_the_sheets() {
        let right = first_authenticate(b"12345678", &temporary()).expect("fits");
        check(
            &right,
            "00073132333435363738000000000000000000000000000000000054454d5041444d494e50415353574f5\
             2443132333435363738000000000000000000b16b068b",
        );
        let wrong = first_authenticate(b"00000000", &temporary()).expect("fits");
        check(
            &wrong,
            "00073030303030303030000000000000000000000000000000000054454d5041444d494e50415353574f5\
             2443132333435363738000000000000000000ce6d984d",
        );
        assert_eq!(understood("000007b16b068b0000*6a45dda7", &right).status(), 0);
        assert_eq!(understood("000007ce6d984d0400*6d8c0896", &wrong).status(), 4);
        assert!(first_authenticate(&[b'1'; 26], &temporary()).is_none());
        assert!(first_authenticate(&[b'1'; 25], &temporary()).is_some());
    }

    #[test]
    fn titles_and_secrets_are_the_sheets() {
        let short = SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec());
        let [name, first, second] = otp_data(&temporary(), "Microsoft", &short).expect("fits");
        check(
            &name,
            "001754454d5041444d494e50415353574f524431323334353637384e004d6963726f736f6674*6fff4268",
        );
        check(
            &first,
            "001754454d5041444d494e50415353574f52443132333435363738530048656c6c6f21deadbeef*8653ee3a",
        );
        assert_eq!(second.report()[27..SUM], [&b"S\x01"[..], &[0; 32]].concat());
        let long = SharedSecret::new((0x00..0x28).collect());
        let [_, first, second] = otp_data(&temporary(), "x", &long).expect("fits");
        check(
            &first,
            "001754454d5041444d494e50415353574f5244313233343536373853000001020304050607\
             08090a0b0c0d0e0f101112131415161718191a1b1c1d0000d30bcc8f",
        );
        check(
            &second,
            "001754454d5041444d494e50415353574f5244313233343536373853011e1f202122232425\
             2627*0903275f",
        );
    }

    #[test]
    fn what_no_stick_takes_makes_no_request() {
        let data = |title: &str, secret: Vec<u8>| {
            otp_data(&temporary(), title, &SharedSecret::new(secret)).is_some()
        };
        assert!(data(&"x".repeat(15), vec![1]));
        assert!(!data(&"x".repeat(16), vec![1]));
        assert!(!data("", vec![1]));
        assert!(!data("x", vec![]));
        assert!(!data("x", vec![0; 20]));
        assert!(!data("x", vec![1; 41]));
        assert!(!data("x", vec![1; 64]));
        assert!(data("x", vec![1; 40]));
        let [_, first, _] =
            otp_data(&temporary(), "x", &SharedSecret::new(vec![7; 65])).expect("hashed");
        assert_eq!(first.report()[29..49], Sha1::digest([7; 65])[..]);
        assert_eq!(first.report()[49..SUM], [0; 12]);
    }

    #[test]
    fn writes_are_the_sheets() {
        check(
            &write_to_slot(&temporary(), 0x20, 30, false),
            "000154454d5041444d494e50415353574f52443132333435363738201e*a0b5b4da",
        );
        check(
            &write_to_slot(&temporary(), 0x21, 30, true),
            "000154454d5041444d494e50415353574f52443132333435363738211e0000000000000001*b348d102",
        );
        check(&set_time(1_700_000_000), "000b0100f15365*484af110");
    }

    #[test]
    fn answers_are_read_as_in_the_sheet() {
        let status = understood("000000dfb76eef000f0078563412ffffff00*dcde1edf", &get_status());
        assert_eq!(
            status.pro_status(),
            DeviceStatus { version: (0, 15), serial: 0x1234_5678, codes_want_pin: false }
        );
        let status = understood(
            "00002eefc49b840000000000000000000000000000012e010000000000001833000000390000*11fa967f",
            &get_device_status(),
        );
        assert_eq!(
            status.storage_status(),
            Some(DeviceStatus { version: (0, 57), serial: 0, codes_want_pin: false })
        );
        let name =
            understood("000002e98113fd004d6963726f736f667400*411b59ec", &read_slot_name(0x20));
        assert_eq!((name.status(), name.name().as_str()), (0, "Microsoft"));
        let code = understood("000004151c701f00c6f3040000*8e1ae165", &get_code(0x20));
        assert_eq!(code.code(), Some((324_550, Digits::SIX)));
    }

    #[test]
    fn what_is_no_answer_to_the_request_is_told_apart() {
        let request = get_code(0x20);
        let right = answer("000004151c701f00c6f3040000*8e1ae165");
        let look = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut report = right.clone();
            change(&mut report);
            match Answer::look(&report, &request) {
                Look::Answer { sum_is_right, .. } => format!("answer {sum_is_right}"),
                Look::Busy => "busy".to_owned(),
                Look::Foreign(what) => what.to_owned(),
            }
        };
        assert_eq!(look(&|_| {}), "answer true");
        assert_eq!(look(&|r| r[8] ^= 1), "answer false");
        assert_eq!(look(&|r| r[1] = 1), "busy");
        assert_eq!(look(&|r| r[1] = 3), "busy");
        assert_eq!(look(&|r| r[1] = 2), "the device's status");
        assert_eq!(look(&|r| r[2] = 0x0b), "it answers another request");
        assert_eq!(look(&|r| r[3] ^= 1), "it answers another request");
        for length in 0..REPORT_LEN {
            assert_eq!(look(&|r| r.truncate(length)), "its length");
        }
    }

    #[test]
    fn a_storage_that_is_busy_is_asked_again() {
        let request = get_device_status();
        let mut report = answer(
            "00002eefc49b840000000000000000000000000000012e010000000000001833000000390000*11fa967f",
        );
        for state in [2, 4] {
            report[23] = state;
            assert!(matches!(Answer::look(&report, &request), Look::Busy));
        }
        report[23] = 7;
        let Look::Answer { answer, sum_is_right: false } = Answer::look(&report, &request) else {
            panic!("an answer");
        };
        assert_eq!(answer.storage_status(), None);
    }

    #[test]
    fn a_code_with_too_many_digits_is_none() {
        let request = get_code(0x20);
        let mut report = answer("000004151c701f00c6f3040000*8e1ae165");
        report[8..12].copy_from_slice(&1_000_000_u32.to_le_bytes());
        let code = |report: &[u8]| match Answer::look(report, &request) {
            Look::Answer { answer, .. } => answer.code(),
            _ => panic!("an answer"),
        };
        assert_eq!(code(&report), None);
        report[12] = 1;
        assert_eq!(code(&report), Some((1_000_000, Digits::EIGHT)));
    }
}
