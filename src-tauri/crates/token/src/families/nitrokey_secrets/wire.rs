//! The bytes of the Secrets app's commands and answers (nitrokey-secrets.md
//! section 3).
//!
//! Every command carries an Le byte, as on every card (rigs/FACTS.md section 7b);
//! on CTAPHID it is left out again.

use oath::{Algorithm, Parameters, SharedSecret, TimeStep};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::tlv::{self, Object};
use crate::{CommandApdu, ResponseApdu, StatusWord};

const AID: [u8; 7] = [0xa0, 0x00, 0x00, 0x05, 0x27, 0x21, 0x01];

const NAME: u8 = 0x71;
const NAME_LIST: u8 = 0x72;
const KEY: u8 = 0x73;
const CHALLENGE: u8 = 0x74;
const TRUNCATED_RESPONSE: u8 = 0x76;
const PROPERTIES: u8 = 0x78;
const VERSION: u8 = 0x79;
const SERIAL: u8 = 0x8f;

/// The most bytes of a name that one length byte holds.
pub(super) const LONGEST_NAME: usize = 127;
/// The most bytes of a key that are sent; a longer secret is hashed first.
pub(super) const LONGEST_KEY: usize = 64;

/// The fields of the answer to SELECT that tell a key of this family.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SelectAnswer {
    /// The app's version, not the firmware's.
    pub(super) version: Option<[u8; 3]>,
    pub(super) serial: [u8; 4],
}

impl SelectAnswer {
    /// `None` without a serial number of four bytes. Whether a PIN is set, and so
    /// whether there is a salt, is all the same: plain entries need none.
    pub(super) fn parse(answer: &ResponseApdu) -> Option<Self> {
        if answer.status() != StatusWord::OK {
            return None;
        }
        let objects = tlv::parse(answer.data())?;
        let get = |tag| objects.iter().find(|object| object.tag == tag);
        Some(Self {
            version: get(VERSION).and_then(|object| object.value.as_slice().try_into().ok()),
            serial: get(SERIAL)?.value.as_slice().try_into().ok()?,
        })
    }
}

pub(super) fn select() -> CommandApdu {
    CommandApdu::new([0x00, 0xa4, 0x04, 0x00], &AID).with_le(0)
}

/// Entries with their property bytes.
pub(super) fn list() -> CommandApdu {
    command(0xa1, 0x00, &[0x01])
}

/// A plain entry: no touch per code, no PIN. `None` for what the app does not take.
pub(super) fn put(
    name: &str,
    parameters: Parameters,
    secret: &SharedSecret,
) -> Option<CommandApdu> {
    /// The kind of a time-based entry.
    const TOTP: u8 = 0x20;
    const PLAIN: u8 = 0x00;
    let (hash, key) = match parameters.algorithm {
        Algorithm::Sha1 => (0x01, key_bytes::<Sha1>(secret)),
        Algorithm::Sha256 => (0x02, key_bytes::<Sha256>(secret)),
        // PUT takes it, and then no code can be computed.
        Algorithm::Sha512 => return None,
    };
    if key.is_empty() || name.is_empty() || name.len() > LONGEST_NAME {
        return None;
    }
    let mut credential = Zeroizing::new(Vec::with_capacity(2 + LONGEST_KEY));
    credential.extend_from_slice(&[TOTP | hash, parameters.digits.get()]);
    credential.extend_from_slice(&key);
    // Room for all of it, so that no copy is left behind by growing.
    let mut data = Zeroizing::new(Vec::with_capacity(255));
    tlv::push(&mut data, NAME, name.as_bytes());
    tlv::push(&mut data, KEY, &credential);
    // A tag and a value, without a length.
    data.extend_from_slice(&[PROPERTIES, PLAIN]);
    Some(command(0x01, 0x00, &data))
}

/// The key asks for a touch before it does so.
pub(super) fn delete(name: &str) -> CommandApdu {
    let mut data = Vec::new();
    tlv::push(&mut data, NAME, name.as_bytes());
    command(0x02, 0x00, &data).waiting_for_touch()
}

/// Truncated, the one form that there is. An entry that somebody else wrote under
/// this name may want a touch.
pub(super) fn calculate(name: &str, step: TimeStep) -> CommandApdu {
    let mut data = Vec::new();
    tlv::push(&mut data, NAME, name.as_bytes());
    tlv::push(&mut data, CHALLENGE, &step.to_bytes());
    command(0xa2, 0x01, &data).waiting_for_touch()
}

/// An entry of a LIST answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listed {
    kind: u8,
    properties: u8,
    pub(super) name: Vec<u8>,
}

impl Listed {
    /// Whether asking it for a code is a read: a counter-based entry counts on.
    pub(super) const fn is_time_based(&self) -> bool {
        self.kind & 0xf0 == 0x20
    }

    /// Whether there is nothing in it but what makes codes. A login with a password
    /// in the same entry, and keys that open password databases, would be lost
    /// without anyone having been asked about them.
    pub(super) const fn holds_codes_only(&self) -> bool {
        const PASSWORD_SAFE: u8 = 0x04;
        matches!(self.kind & 0xf0, 0x10 | 0x20) && self.properties & PASSWORD_SAFE == 0
    }
}

/// The entries of a LIST answer, of all kinds, because names are shared.
pub(super) fn listed(answer: &ResponseApdu) -> Option<Vec<Listed>> {
    let entry = |object: Object| match (object.tag, object.value.as_slice()) {
        (NAME_LIST, [kind, name @ .., properties]) => {
            Some(Listed { kind: *kind, properties: *properties, name: name.to_vec() })
        }
        _ => None,
    };
    tlv::parse(answer.data())?.into_iter().map(entry).collect()
}

/// Digits and truncated number of a CALCULATE answer.
pub(super) fn calculated(answer: &ResponseApdu) -> Option<(u8, u32)> {
    let objects = tlv::parse(answer.data())?;
    let object = objects.into_iter().find(|object| object.tag == TRUNCATED_RESPONSE)?;
    let (digits, number) = object.value.split_first()?;
    Some((*digits, u32::from_be_bytes(number.try_into().ok()?)))
}

fn command(ins: u8, p2: u8, data: &[u8]) -> CommandApdu {
    CommandApdu::new([0x00, ins, 0x00, p2], data).with_le(0)
}

/// The secret, or its hash if it is longer than the hash's block of 64 bytes, which
/// HMAC takes for the same key (RFC 2104). Nothing is padded.
fn key_bytes<D: Digest>(secret: &SharedSecret) -> Zeroizing<Vec<u8>> {
    let secret = secret.expose();
    Zeroizing::new(if secret.len() > LONGEST_KEY {
        D::digest(secret).to_vec()
    } else {
        secret.to_vec()
    })
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use oath::{Digits, Period};

    use super::*;

    fn check(command: &CommandApdu, expected: &str) {
        let bytes = command.encode();
        let (le, without_le) = bytes.split_last().expect("bytes");
        assert_eq!((HEXLOWER.encode(without_le).as_str(), *le), (expected, 0));
    }

    fn with(algorithm: Algorithm, digits: u64) -> Parameters {
        let digits = Digits::new(digits).expect("digits");
        Parameters { algorithm, digits, period: Period::S30 }
    }

    fn answer(hex: &str) -> ResponseApdu {
        let bytes = HEXLOWER.decode(hex.as_bytes()).expect("hex");
        ResponseApdu::parse(bytes).expect("an answer")
    }

    const ALICE: &str = "Microsoft:alice@contoso.com";

    /// nitrokey-secrets.md section 6, whose requests have no Le.
    #[test]
    fn requests_are_the_sheets() {
        let secret = SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec());
        check(&select(), "00a4040007a0000005272101");
        check(
            &put(ALICE, with(Algorithm::Sha1, 6), &secret).expect("fits"),
            "000100002d711b4d6963726f736f66743a616c69636540636f6e746f736f2e636f6d730c210648656c6c6f21deadbeef7800",
        );
        let ascii = SharedSecret::new(b"12345678901234567890123456789012".to_vec());
        check(
            &put("S", with(Algorithm::Sha256, 8), &ascii).expect("fits"),
            "0001000029710153732222083132333435363738393031323334353637383930313233343536373839303132\
             7800",
        );
        check(
            &put("P", with(Algorithm::Sha1, 6), &secret).expect("fits"),
            "0001000013710150730c210648656c6c6f21deadbeef7800",
        );
        check(
            &calculate(ALICE, TimeStep(56_666_666)),
            "00a2000127711b4d6963726f736f66743a616c69636540636f6e746f736f2e636f6d7408000000000360aa2a",
        );
        check(&list(), "00a100000101");
        check(&delete("S"), "0002000003710153");
    }

    #[test]
    fn long_secrets_are_hashed_and_what_does_not_fit_is_not_sent() {
        let counting = |len: u8| SharedSecret::new((0..len).collect());
        let sha1 = with(Algorithm::Sha1, 6);
        check(
            &put("long", sha1, &counting(80)).expect("fits"),
            "000100002071046c6f6e6773162106399dbc9f721e44a992a0def42d999b32af449adc7800",
        );
        check(
            &put("short", sha1, &counting(65)).expect("fits"),
            "0001000021710573686f72747316210669bd728ad6e13cd76ff19751fde427b00e3957467800",
        );
        let longest = "n".repeat(127);
        let bytes = put(&longest, sha1, &counting(64)).expect("fits").encode();
        assert_eq!((bytes.len(), bytes[4], bytes[6]), (205, 199, 127));
        assert!(put(&"n".repeat(128), sha1, &counting(10)).is_none());
        assert!(put("", sha1, &counting(10)).is_none());
        assert!(put("n", sha1, &counting(0)).is_none());
        assert!(put("n", with(Algorithm::Sha512, 6), &counting(10)).is_none());
    }

    #[test]
    fn a_serial_of_four_bytes_tells_the_family() {
        let parse = |hex: &str| SelectAnswer::parse(&answer(hex));
        let plain = parse("7903040e00710800112233445566778f04deadbeef9000").expect("ours");
        assert_eq!(plain.version, Some([4, 14, 0]));
        assert_eq!(plain.serial, [0xde, 0xad, 0xbe, 0xef]);
        assert_eq!(parse("7903040e008201088f04deadbeef9000"), Some(plain), "with a PIN");
        for other in [
            "9000",
            "6a82",
            "7903040e00710800112233445566778f04deadbeef6a82",
            "7903050403710800112233445566779000",
            "7903080000710800112233445566778f0800112233445566779000",
            "7903040e008f03deadbe9000",
            "7903040e008f04deadbe9000",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn lists_are_read_with_their_properties() {
        let sheet = "721d214d6963726f736f66743a616c69636540636f6e746f736f2e636f6d00\
                     720821746f75636879017203225300";
        // A password alone, a key for a password database, a counter, and a login
        // beside the codes.
        let others = "7203f050047203415100720311520072032154049000";
        let entries = listed(&answer(&format!("{sheet}{others}"))).expect("a list");
        let names: Vec<_> = entries.iter().map(|e| String::from_utf8_lossy(&e.name)).collect();
        assert_eq!(names, [ALICE, "touchy", "S", "P", "Q", "R", "T"]);
        let codes: Vec<_> = entries.iter().map(Listed::holds_codes_only).collect();
        assert_eq!(codes, [true, true, true, false, false, true, false]);
        let time: Vec<_> = entries.iter().map(Listed::is_time_based).collect();
        assert_eq!(time, [true, true, true, false, false, false, true]);
        assert_eq!(listed(&answer("9000")), Some(vec![]));
        for broken in ["72009000", "7201219000", "7205219000", "710221009000", "72039000"] {
            assert_eq!(listed(&answer(broken)), None, "{broken}");
        }
    }

    #[test]
    fn codes_are_read() {
        assert_eq!(calculated(&answer("7605066b6d4a469000")), Some((6, 0x6b6d_4a46)));
        for broken in ["9000", "76009000", "7604066b6d4a9000", "7606066b6d4a46009000", "76059000"] {
            assert_eq!(calculated(&answer(broken)), None, "{broken}");
        }
    }
}
