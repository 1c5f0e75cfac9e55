//! The bytes of the applet's commands and answers (feitian-otp-applet.md section A.2).
//!
//! They look like YKOATH's and are not. The one client that is known sends no Le
//! byte behind data, and so do we: nothing tells what a key makes of one.

use oath::{Algorithm, Parameters, SharedSecret, TimeStep};
use zeroize::Zeroizing;

use crate::tlv::{self, Object};
use crate::{CommandApdu, ResponseApdu};

const AID: [u8; 9] = [0xd1, 0x56, 0x00, 0x01, 0x32, 0x83, 0x26, 0x01, 0x01];

const NAME: u8 = 0x51;
const LISTED: u8 = 0x52;
const KEY: u8 = 0x53;
const CHALLENGE: u8 = 0x54;
const TRUNCATED_RESPONSE: u8 = 0x76;

/// P2 of every command: the default slot.
const DEFAULT_SLOT: u8 = 0xf0;

/// The type of time-based entries.
const TOTP: u8 = 0x20;

/// The longest name, prefix included, and the longest secret, in bytes.
pub(super) const LONGEST_NAME: usize = 64;
pub(super) const LONGEST_SECRET: usize = 64;

pub(super) fn select() -> CommandApdu {
    CommandApdu::new([0x00, 0xa4, 0x04, 0x00], &AID)
}

pub(super) fn list() -> CommandApdu {
    CommandApdu::new([0x00, 0x17, 0x00, DEFAULT_SLOT], &[]).with_le(0)
}

/// What older firmware takes instead: four bytes and no slot.
pub(super) fn list_of_older_firmware() -> CommandApdu {
    CommandApdu::new([0x00, 0x17, 0x00, 0x00], &[])
}

/// An entry without the property that asks for a touch; `None` with a name, a
/// secret or parameters that no such key takes.
///
/// The length of tag `53` is one **less** than the bytes that follow it: the maker's
/// client sends it so, and the key expects it.
pub(super) fn put(
    name: &str,
    parameters: Parameters,
    secret: &SharedSecret,
) -> Option<CommandApdu> {
    let hash = match parameters.algorithm {
        Algorithm::Sha1 => 0x01,
        Algorithm::Sha256 => 0x02,
        Algorithm::Sha512 => return None,
    };
    let digits = parameters.digits.get();
    let fits = matches!(digits, 6 | 8)
        && matches!(parameters.period.as_secs(), 30 | 60)
        && (1..=LONGEST_SECRET).contains(&secret.len())
        && (1..=LONGEST_NAME).contains(&name.len());
    if !fits {
        return None;
    }
    let one_less = u8::try_from(secret.len() + 2).expect("a secret has at most 64 bytes");
    let mut data = Zeroizing::new(Vec::with_capacity(5 + LONGEST_SECRET + 2 + LONGEST_NAME));
    data.extend_from_slice(&[KEY, one_less, hash, TOTP, digits]);
    data.extend_from_slice(secret.expose());
    tlv::push(&mut data, NAME, name.as_bytes());
    Some(CommandApdu::new([0x00, 0x09, 0x00, DEFAULT_SLOT], &data))
}

pub(super) fn delete(name: &str) -> CommandApdu {
    let mut data = Vec::new();
    tlv::push(&mut data, NAME, name.as_bytes());
    CommandApdu::new([0x00, 0x08, 0x00, DEFAULT_SLOT], &data)
}

/// The truncated code of a step. P1 is `01`; an old client's `00` brings wrong codes
/// on newer keys. An entry of somebody else may wait for a touch.
pub(super) fn calculate(name: &str, step: TimeStep) -> CommandApdu {
    let mut data = Vec::new();
    tlv::push(&mut data, CHALLENGE, &step.to_bytes());
    tlv::push(&mut data, NAME, name.as_bytes());
    CommandApdu::new([0x00, 0xa2, 0x01, DEFAULT_SLOT], &data).waiting_for_touch()
}

/// The names of a list, of time-based and counter-based entries alike: a name that
/// is taken is taken.
pub(super) fn listed(answer: &ResponseApdu) -> Option<Vec<Vec<u8>>> {
    let name = |object: Object| match (object.tag, object.value.split_first()) {
        (LISTED, Some((_type_and_hash, name))) => Some(name.to_vec()),
        _ => None,
    };
    tlv::parse(answer.data())?.into_iter().map(name).collect()
}

/// The digits and the number of a calculation.
pub(super) fn calculated(answer: &ResponseApdu) -> Option<(u8, u32)> {
    let objects = tlv::parse(answer.data())?;
    let response = objects.iter().find(|object| object.tag == TRUNCATED_RESPONSE)?;
    let (digits, number) = response.value.split_first()?;
    let number = u32::from_be_bytes(number.try_into().ok()?);
    Some((*digits, number & 0x7fff_ffff))
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXUPPER;
    use oath::{Digits, Period};

    use super::*;

    const ALICE: &str = "30:Microsoft_#_alice@example.com";

    fn hex(command: &CommandApdu) -> String {
        HEXUPPER.encode(&command.encode())
    }

    fn answer_of(text: &str) -> ResponseApdu {
        let bytes = HEXUPPER.decode(text.as_bytes()).expect("hex");
        ResponseApdu::parse(bytes).expect("an answer")
    }

    /// feitian-otp-applet.md sections A.1, A.2 and A.5.
    #[test]
    fn requests_are_the_sheets() {
        assert_eq!(hex(&select()), "00A4040009D15600013283260101");
        assert_eq!(hex(&list()), "001700F000");
        assert_eq!(hex(&list_of_older_firmware()), "00170000");
        let secret = SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec());
        let put = put(ALICE, Parameters::default(), &secret).expect("fits");
        assert_eq!(
            hex(&put),
            "000900F031530C01200648656C6C6F21DEADBEEF512033303A4D6963726F736F66745F235F616C696365406578616D706C652E636F6D"
        );
        assert_eq!(
            hex(&calculate(ALICE, TimeStep(0x0360_aa2a))),
            "00A201F02C5408000000000360AA2A512033303A4D6963726F736F66745F235F616C696365406578616D706C652E636F6D"
        );
        assert_eq!(
            hex(&delete(ALICE)),
            "000800F022512033303A4D6963726F736F66745F235F616C696365406578616D706C652E636F6D"
        );
    }

    #[test]
    fn the_longest_entry_fits_a_short_command() {
        let name = "x".repeat(LONGEST_NAME);
        let secret = SharedSecret::new(vec![7; LONGEST_SECRET]);
        let parameters =
            Parameters { algorithm: Algorithm::Sha256, digits: Digits::EIGHT, period: Period::S60 };
        let bytes = put(&name, parameters, &secret).expect("fits").encode();
        assert_eq!(bytes[4..10], [135, 0x53, 66, 0x02, 0x20, 8]);
        assert_eq!(bytes[74..76], [0x51, 64]);
    }

    #[test]
    fn what_no_such_key_takes_makes_no_command() {
        let usual = Parameters::default();
        let secret = |len| SharedSecret::new(vec![7; len]);
        assert!(put("", usual, &secret(20)).is_none());
        assert!(put(&"x".repeat(65), usual, &secret(20)).is_none());
        assert!(put(ALICE, usual, &secret(0)).is_none());
        assert!(put(ALICE, usual, &secret(65)).is_none());
        let seven = Digits::new(7).expect("digits");
        let period = Period::new(45).expect("a period");
        for wrong in [
            Parameters { algorithm: Algorithm::Sha512, ..usual },
            Parameters { digits: seven, ..usual },
            Parameters { period, ..usual },
        ] {
            assert!(put(ALICE, wrong, &secret(20)).is_none());
        }
    }

    #[test]
    fn names_of_every_kind_are_listed() {
        let names = |text: &str| listed(&answer_of(text));
        assert_eq!(names("9000"), Some(Vec::new()));
        let both = names("52052133303A6152031262639000");
        assert_eq!(both, Some(vec![b"30:a".to_vec(), b"bc".to_vec()]));
        for broken in ["529000", "52009000", "5205213330", "5303213330619000", "52FF219000"] {
            assert_eq!(names(broken), None, "{broken}");
        }
    }

    /// The answer of section A.5; a top bit that is set is not part of the number.
    #[test]
    fn a_calculation_has_digits_and_a_number() {
        let parse = |text: &str| calculated(&answer_of(text));
        assert_eq!(parse("7605066B6D4A469000"), Some((6, 0x6b6d_4a46)));
        assert_eq!(parse("760506EB6D4A469000"), Some((6, 0x6b6d_4a46)));
        for broken in ["9000", "76009000", "7604066B6D4A9000", "7605066B6D4A9000", "7401069000"] {
            assert_eq!(parse(broken), None, "{broken}");
        }
        assert_eq!(parse("7606066B6D4A46009000"), None);
    }
}
