//! The bytes of YKOATH commands and answers (yubikey-oath.md section 2).
//!
//! Every command carries an Le byte: without it some cards answer `61FF` for
//! ever (rigs/FACTS.md section 7b), and with it none that is known refuses.

use oath::{Algorithm, Parameters, SharedSecret, TimeStep};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use crate::tlv::{self, Object};
use crate::{CommandApdu, ResponseApdu, StatusWord};

const AID: [u8; 7] = [0xa0, 0x00, 0x00, 0x05, 0x27, 0x21, 0x01];

const NAME: u8 = 0x71;
const NAME_LIST: u8 = 0x72;
const KEY: u8 = 0x73;
const CHALLENGE: u8 = 0x74;
const FULL_RESPONSE: u8 = 0x75;
const TRUNCATED_RESPONSE: u8 = 0x76;
const VERSION: u8 = 0x79;
const SERIAL: u8 = 0x8f;

/// The type nibble of time-based entries.
const TOTP: u8 = 0x20;

/// The shortest key that newer keys and clones accept; shorter ones are padded
/// with zeros, which HMAC does anyway (yubikey-oath.md section 3, point 3).
const SHORTEST_KEY: usize = 14;

/// The fields of the answer to SELECT.
#[derive(Debug)]
pub(super) struct SelectAnswer {
    pub(super) version: [u8; 3],
    pub(super) salt: Vec<u8>,
    /// Present when a password is set.
    pub(super) challenge: Option<Vec<u8>>,
    /// Length of tag `8F`, which tells Nitrokey and pico-fido apart.
    pub(super) serial_len: Option<usize>,
}

impl SelectAnswer {
    /// `None` when this is not the answer of an OATH applet.
    pub(super) fn parse(answer: &ResponseApdu) -> Option<Self> {
        if answer.status() != StatusWord::OK {
            return None;
        }
        let objects = tlv::parse(answer.data())?;
        let get = |tag| objects.iter().find(|object| object.tag == tag).map(|o| o.value.to_vec());
        Some(Self {
            version: get(VERSION)?.try_into().ok()?,
            salt: get(NAME).filter(|salt| !salt.is_empty())?,
            challenge: get(CHALLENGE),
            serial_len: get(SERIAL).map(|serial| serial.len()),
        })
    }
}

pub(super) fn select() -> CommandApdu {
    CommandApdu::new([0x00, 0xa4, 0x04, 0x00], &AID).with_le(0)
}

/// Name, then key, and nothing after: one product's parser stops the device on
/// anything else (canokey-pico-solo2.md, rule 1).
pub(super) fn put(name: &[u8], parameters: Parameters, secret: &SharedSecret) -> CommandApdu {
    let mut key = Zeroizing::new(vec![
        TOTP | algorithm_nibble(parameters.algorithm),
        parameters.digits.get(),
    ]);
    key.extend_from_slice(&key_bytes(parameters.algorithm, secret));
    let mut data = Zeroizing::new(Vec::with_capacity(204));
    tlv::push(&mut data, NAME, name);
    tlv::push(&mut data, KEY, &key);
    command(0x01, [0x00, 0x00], &data)
}

pub(super) fn delete(name: &[u8]) -> CommandApdu {
    let mut data = Vec::new();
    tlv::push(&mut data, NAME, name);
    command(0x02, [0x00, 0x00], &data)
}

pub(super) fn list() -> CommandApdu {
    command(0xa1, [0x00, 0x00], &[])
}

/// What a part of an answer did not say. A read.
pub(super) fn send_remaining() -> CommandApdu {
    command(0xa5, [0x00, 0x00], &[])
}

/// Whether the whole HMAC is asked for or the truncated number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Full,
    Truncated,
}

pub(super) fn calculate(name: &[u8], step: TimeStep, form: Form) -> CommandApdu {
    let p2 = match form {
        Form::Full => 0x00,
        Form::Truncated => 0x01,
    };
    let mut data = Vec::new();
    tlv::push(&mut data, NAME, name);
    tlv::push(&mut data, CHALLENGE, &step.to_bytes());
    command(0xa2, [0x00, p2], &data)
}

pub(super) fn validate(response: &[u8; 20], challenge: [u8; 8]) -> CommandApdu {
    let mut data = Vec::new();
    tlv::push(&mut data, FULL_RESPONSE, response);
    tlv::push(&mut data, CHALLENGE, &challenge);
    command(0xa3, [0x00, 0x00], &data)
}

/// The names of a LIST answer, of all kinds of entries: a counter-based entry
/// takes its name as well as a time-based one.
pub(super) fn listed(answer: &ResponseApdu) -> Option<Vec<Vec<u8>>> {
    let objects = tlv::parse(answer.data())?;
    let name = |object: Object| match (object.tag, object.value.split_first()) {
        (NAME_LIST, Some((_, name))) => Some(name.to_vec()),
        _ => None,
    };
    objects.into_iter().map(name).collect()
}

/// The answer to CALCULATE, by its own tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Calculated {
    /// The whole HMAC, 20, 32 or 64 bytes.
    Full(Vec<u8>),
    /// The truncated number and the digits that the key would show of it.
    Truncated { digits: u8, number: u32 },
}

pub(super) fn calculated(answer: &ResponseApdu) -> Option<Calculated> {
    let objects = tlv::parse(answer.data())?;
    objects.into_iter().find_map(|object| {
        let (digits, value) = object.value.split_first()?;
        match object.tag {
            FULL_RESPONSE => Some(Calculated::Full(value.to_vec())),
            TRUNCATED_RESPONSE => Some(Calculated::Truncated {
                digits: *digits,
                number: u32::from_be_bytes(value.try_into().ok()?),
            }),
            _ => None,
        }
    })
}

/// The token's own proof in a VALIDATE answer, 20 bytes.
pub(super) fn validated(answer: &ResponseApdu) -> Option<Zeroizing<Vec<u8>>> {
    let objects = tlv::parse(answer.data())?;
    objects.into_iter().find(|object| object.tag == FULL_RESPONSE).map(|object| object.value)
}

fn command(ins: u8, [p1, p2]: [u8; 2], data: &[u8]) -> CommandApdu {
    CommandApdu::new([0x00, ins, p1, p2], data).with_le(0)
}

const fn algorithm_nibble(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Sha1 => 0x01,
        Algorithm::Sha256 => 0x02,
        Algorithm::Sha512 => 0x03,
    }
}

/// The key as it is stored: its hash if it is longer than the hash's block,
/// padded with zeros to 14 bytes if it is shorter.
fn key_bytes(algorithm: Algorithm, secret: &SharedSecret) -> Zeroizing<Vec<u8>> {
    let secret = secret.expose();
    let mut key = Zeroizing::new(if secret.len() <= algorithm.block_len() {
        secret.to_vec()
    } else {
        match algorithm {
            Algorithm::Sha1 => Sha1::digest(secret).to_vec(),
            Algorithm::Sha256 => Sha256::digest(secret).to_vec(),
            Algorithm::Sha512 => Sha512::digest(secret).to_vec(),
        }
    });
    if key.len() < SHORTEST_KEY {
        key.resize(SHORTEST_KEY, 0);
    }
    key
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use oath::{Digits, Period};

    use super::*;

    fn hex(command: &CommandApdu) -> String {
        let bytes = command.encode();
        // The sheet's requests were recorded from a client that sends no Le
        // after data; ours add one.
        let without_le = if bytes.len() > 5 { &bytes[..bytes.len() - 1] } else { &bytes[..] };
        HEXLOWER.encode(without_le)
    }

    fn with(algorithm: Algorithm, digits: u64) -> Parameters {
        Parameters { algorithm, digits: Digits::new(digits).expect("digits"), period: Period::S30 }
    }

    const ALICE: &[u8] = b"Microsoft:alice@contoso.com";

    /// yubikey-oath.md section 8.
    #[test]
    fn requests_are_the_sheets() {
        let secret = SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec());
        assert_eq!(hex(&select()), "00a4040007a0000005272101");
        assert_eq!(
            hex(&put(ALICE, with(Algorithm::Sha1, 6), &secret)),
            "000100002f711b4d6963726f736f66743a616c69636540636f6e746f736f2e636f6d7310210648656c6c6f21deadbeef00000000"
        );
        assert_eq!(hex(&list()), "00a1000000");
        let step = TimeStep(56_666_666);
        assert_eq!(
            hex(&calculate(ALICE, step, Form::Truncated)),
            "00a2000127711b4d6963726f736f66743a616c69636540636f6e746f736f2e636f6d7408000000000360aa2a"
        );
        assert_eq!(
            hex(&calculate(ALICE, step, Form::Full)),
            "00a2000027711b4d6963726f736f66743a616c69636540636f6e746f736f2e636f6d7408000000000360aa2a"
        );
        assert_eq!(
            hex(&delete(b"Microsoft:bob@contoso.com")),
            "000200001b71194d6963726f736f66743a626f6240636f6e746f736f2e636f6d"
        );
    }

    #[test]
    fn long_keys_are_hashed_as_in_the_sheet() {
        let counting = |len: u8| SharedSecret::new((0..len).collect());
        assert_eq!(
            hex(&put(b"long", with(Algorithm::Sha1, 6), &counting(80))),
            "000100001e71046c6f6e6773162106399dbc9f721e44a992a0def42d999b32af449adc"
        );
        assert_eq!(
            hex(&put(b"short", with(Algorithm::Sha1, 6), &counting(65))),
            "000100001f710573686f72747316210669bd728ad6e13cd76ff19751fde427b00e395746"
        );
        let bytes = put(b"big", with(Algorithm::Sha512, 6), &counting(128)).encode();
        assert!(HEXLOWER.encode(&bytes).starts_with("000100008a71036269677381822306000102030405"));
    }

    #[test]
    fn answers_are_told_apart_by_their_tag() {
        let parse = |hex: &[u8]| {
            let bytes = HEXLOWER.decode(hex).expect("hex");
            calculated(&ResponseApdu::parse(bytes).expect("an answer"))
        };
        let truncated = Calculated::Truncated { digits: 6, number: 0x6b6d_4a46 };
        assert_eq!(parse(b"7605066b6d4a469000"), Some(truncated));
        let full = parse(b"7515061d706e941ac76b6d4a46dd6fafa45fe33511bf869000");
        assert!(matches!(full, Some(Calculated::Full(mac)) if mac.len() == 20));
        for broken in [&b"9000"[..], b"76009000", b"7604066b6d4a9000", b"7c01069000"] {
            assert_eq!(parse(broken), None);
        }
    }

    #[test]
    fn every_command_ends_in_le() {
        for command in [select(), list(), delete(b"x"), calculate(b"x", TimeStep(0), Form::Full)] {
            assert_eq!(command.encode().last(), Some(&0));
        }
    }
}
