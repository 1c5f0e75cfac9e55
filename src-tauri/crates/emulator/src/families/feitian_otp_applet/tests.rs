//! The emulated keys against the sheet's recorded answers and rules.

use super::*;
use crate::vectors::{sections, unhex};
use oath::Period;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SELECT: &str = "00A4040009D15600013283260101";
const LIST: &str = "001700F000";
const OLD_LIST: &str = "00170000";
/// The name of the sheet's vectors.
const ALICE: &str = "30:Microsoft_#_alice@example.com";

fn selected(mut key: FeitianOtpApplet) -> FeitianOtpApplet {
    assert_eq!(send(&mut key, SELECT), [0x90, 0x00]);
    key
}

fn send(key: &mut FeitianOtpApplet, command: &str) -> Vec<u8> {
    key.transmit(&unhex(command), NOW)
}

fn status(key: &mut FeitianOtpApplet, command: &[u8]) -> u16 {
    let answer = key.transmit(command, NOW);
    let (_, status) = answer.split_last_chunk::<2>().expect("a status word");
    u16::from_be_bytes(*status)
}

fn command(ins: u8, p1: u8, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len()).expect("a short APDU");
    [&[0, ins, p1, 0xf0, length], data].concat()
}

/// A put by the sheet, with `tail` behind the name.
fn put_command(value: &[u8], name: &str, tail: &[u8]) -> Vec<u8> {
    let mut data = vec![0x53, u8::try_from(value.len() - 1).expect("short")];
    data.extend_from_slice(value);
    put(&mut data, 0x51, name.as_bytes());
    data.extend_from_slice(tail);
    command(0x09, 0, &data)
}

/// Hash, type, digits and a secret of this length.
fn value(hash: u8, kind: u8, digits: u8, secret_length: usize) -> Vec<u8> {
    let secret = vec![0x5a; secret_length];
    [&[hash, kind, digits], secret.as_slice()].concat()
}

fn calculate(p1: u8, factor: &[u8], name: &str) -> Vec<u8> {
    let mut data = Vec::new();
    put(&mut data, 0x54, factor);
    put(&mut data, 0x51, name.as_bytes());
    command(0xa2, p1, &data)
}

fn alice() -> FeitianOtpApplet {
    let secret = SharedSecret::new(unhex("48656C6C6F21DEADBEEF"));
    selected(practice().holding(ALICE, secret, Algorithm::Sha1, Digits::SIX))
}

#[test]
fn the_sheets_vectors() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/vectors/feitian-otp-applet.txt"
    ));
    let sections = sections(text);
    assert_eq!(sections.len(), 4);
    for (title, vectors) in sections {
        let mut key = match title.split(',').next() {
            Some("newer firmware") => practice(),
            Some("older firmware") => practice().with_older_firmware(),
            Some("access code set") => practice().with_access_code(),
            Some("full") => practice().full(),
            other => panic!("no such key: {other:?}"),
        };
        for vector in vectors {
            let answer = key.transmit(&vector.request, NOW);
            assert_eq!(answer, vector.answer, "{title}: {}", vector.about);
        }
    }
}

#[test]
fn a_put_keeps_to_the_sheets_limits() {
    // Hash, type, digits, length of the secret, name, tail; the status word.
    type Case<'a> = (u8, u8, u8, usize, &'a str, &'a [u8], u16);
    let long = "n".repeat(65);
    let touch = [0x5c, 0x01, 0x01];
    let cases: [Case<'_>; 16] = [
        (1, 0x20, 6, 1, ALICE, &[], 0x9000),
        (2, 0x20, 8, 64, ALICE, &touch, 0x9000),
        (1, 0x10, 6, 20, "carol", &[], 0x9000),
        (1, 0x20, 6, 20, &long[..64], &[], 0x9000),
        (1, 0x20, 6, 20, &long, &[], 0x6a80),
        (1, 0x20, 6, 20, "", &[], 0x6a80),
        (1, 0x20, 6, 0, ALICE, &[], 0x6a80),
        (1, 0x20, 6, 65, ALICE, &[], 0x6a80),
        (3, 0x20, 6, 20, ALICE, &[], 0x6a80),
        (0, 0x20, 6, 20, ALICE, &[], 0x6a80),
        (1, 0x30, 6, 20, ALICE, &[], 0x6a80),
        (1, 0x20, 7, 20, ALICE, &[], 0x6a80),
        (1, 0x20, 10, 20, ALICE, &[], 0x6a80),
        (1, 0x20, 6, 20, ALICE, &[0x5c, 0x01], 0x6a80),
        (1, 0x20, 6, 20, ALICE, &[0x5c, 0x01, 0x00], 0x6a80),
        (1, 0x20, 6, 20, ALICE, &[0x00], 0x6a80),
    ];
    for (hash, kind, digits, length, name, tail, expected) in cases {
        let mut key = selected(practice());
        let command = put_command(&value(hash, kind, digits, length), name, tail);
        let case = format!("{hash} {kind:02x} {digits} {length} {name} {tail:02x?}");
        assert_eq!(status(&mut key, &command), expected, "{case}");
        assert_eq!(key.holds().len(), usize::from(expected == 0x9000), "{case}");
    }
}

#[test]
fn lengths_classes_instructions_and_parameters_are_judged() {
    let delete = "000800F022512033303A4D6963726F736F66745F235F616C696365406578616D706C652E636F6D";
    let surplus_le = format!("{delete}00");
    let cases: [(&str, u16); 13] = [
        ("001700F0", 0x6700),
        ("001700F00151", 0x6700),
        ("0017000000", 0x6b00),
        ("001701F000", 0x6b00),
        ("00080001025151", 0x6b00),
        ("000800F000", 0x6700),
        ("000800F0035151", 0x6700),
        ("000800F003510178", 0x6a80),
        (&surplus_le, 0x6700),
        ("00A1000000", 0x6d00),
        ("801700F000", 0x6e00),
        ("00C0000100", 0x6b00),
        ("00C00000", 0x6700),
    ];
    for (command, expected) in cases {
        let mut key = alice();
        assert_eq!(status(&mut key, &unhex(command)), expected, "{command}");
        assert_eq!(key.holds().len(), 1, "{command}");
    }
}

#[test]
fn an_entry_tells_the_truth_about_itself() {
    let mut key = selected(practice());
    let touch = [0x5c, 0x01, 0x01];
    assert_eq!(status(&mut key, &put_command(&value(2, 0x20, 8, 32), "60:bob", &touch)), 0x9000);
    assert_eq!(status(&mut key, &put_command(&value(1, 0x10, 6, 20), "carol", &[])), 0x9000);
    let held = key.holds();
    let [bob, carol] = held.as_slice() else {
        panic!("two entries");
    };
    assert_eq!(bob.name.as_deref(), Some("60:bob"));
    assert_eq!((bob.algorithm, bob.digits), (Algorithm::Sha256, Digits::EIGHT));
    assert_eq!((bob.period, bob.kind, bob.touch), (Some(Period::S60), Kind::Totp, true));
    assert_eq!(bob.secret.expose(), [0x5a; 32]);
    assert_eq!((carol.period, carol.kind, carol.touch), (None, Kind::Hotp, false));
    assert_eq!(key.face(NOW).lines, ["60:bob", "carol"]);
    assert_eq!(send(&mut key, LIST), unhex("520722 36303A626F62 520611 6361726F6C 9000"));
}

#[test]
fn the_same_name_is_overwritten_even_on_a_full_key() {
    let mut key = selected(practice().full());
    let put = put_command(&value(1, 0x20, 8, 20), "30:Occupied 1", &[]);
    assert_eq!(status(&mut key, &put), 0x9000);
    assert_eq!(key.holds()[0].digits, Digits::EIGHT);
    let put = put_command(&value(1, 0x20, 8, 20), "30:Occupied 9", &[]);
    assert_eq!(status(&mut key, &put), 0x6a84);
    assert_eq!(key.holds().len(), 3);
}

#[test]
fn p1_of_calculate_matters_to_newer_keys() {
    let factor = unhex("000000000360AA2A");
    let right = unhex("7605066B6D4A469000");
    let mut key = alice();
    assert_eq!(key.transmit(&calculate(1, &factor, ALICE), NOW), right);
    let wrong = key.transmit(&calculate(0, &factor, ALICE), NOW);
    assert!(wrong.ends_with(&[0x90, 0x00]));
    assert_ne!(wrong, right);
    assert_eq!(status(&mut key, &calculate(2, &factor, ALICE)), 0x6b00);
    let mut key = alice().with_older_firmware();
    for p1 in [0, 1] {
        assert_eq!(key.transmit(&calculate(p1, &factor, ALICE), NOW), right);
    }
}

#[test]
fn calculate_wants_a_factor_of_eight_bytes_or_none_by_type() {
    let mut key = alice();
    let cases: [&[u8]; 3] = [&[], &[0; 4], &[0; 9]];
    for factor in cases {
        assert_eq!(status(&mut key, &calculate(1, factor, ALICE)), 0x6a80);
    }
    assert_eq!(status(&mut key, &calculate(1, &[0; 8], "alice")), 0x6a80);
    status(&mut key, &put_command(&value(1, 0x10, 6, 20), "carol", &[]));
    assert_eq!(status(&mut key, &calculate(1, &[0; 8], "carol")), 0x6a80);
    assert_eq!(status(&mut key, &calculate(0, &[], "carol")), 0x6b00);
}

#[test]
fn hotp_counts_on() {
    // RFC 4226 appendix D.
    let mut key = selected(practice());
    let value = [&[0x01, 0x10, 6], &b"12345678901234567890"[..]].concat();
    status(&mut key, &put_command(&value, "carol", &[]));
    for expected in [755_224, 287_082, 359_152] {
        let answer = key.transmit(&calculate(1, &[], "carol"), NOW);
        let bits: [u8; 4] = answer[3..7].try_into().expect("four bytes");
        assert_eq!((u32::from_be_bytes(bits) & 0x7fff_ffff) % 1_000_000, expected);
    }
}

#[test]
fn the_top_bit_is_left_to_the_host() {
    // RFC 4226 appendix D has HMACs whose four bytes have it and others.
    let secret = SharedSecret::new(b"12345678901234567890".to_vec());
    let mut key = selected(practice().holding("30:n", secret, Algorithm::Sha1, Digits::SIX));
    let mut tops = [false; 2];
    for factor in 0_u64..10 {
        let answer = key.transmit(&calculate(1, &factor.to_be_bytes(), "30:n"), NOW);
        tops[usize::from(answer[3] >> 7)] = true;
    }
    assert_eq!(tops, [true; 2]);
}

#[test]
fn a_touch_is_good_for_one_code_within_15_seconds() {
    let calculate = calculate(1, &unhex("000000000360AA2A"), ALICE);
    let mut key = alice().needing_touch();
    assert!(key.awaits_press(&calculate, NOW));
    assert_eq!(status(&mut key, &calculate), 0x6984);
    key.press(NOW);
    assert!(!key.awaits_press(&calculate, NOW));
    assert_eq!(status(&mut key, &calculate), 0x9000);
    assert_eq!(status(&mut key, &calculate), 0x6984);
    key.press(NOW);
    let late = UnixTime::from_secs(NOW.as_secs() + 16);
    assert_eq!(key.transmit(&calculate, late), [0x69, 0x84]);
    // Nothing waits that would be refused or needs no touch.
    assert!(!alice().awaits_press(&calculate, NOW));
    assert!(!key.awaits_press(&unhex(LIST), NOW));
    key.reset();
    assert!(!key.awaits_press(&calculate, NOW));
}

#[test]
fn nothing_is_answered_before_select_and_after_a_reset() {
    let mut key = practice();
    assert_eq!(send(&mut key, LIST), [0x6d, 0x00]);
    assert_eq!(send(&mut key, "00A4040007A0000005272101"), [0x6a, 0x82]);
    assert_eq!(send(&mut key, LIST), [0x6d, 0x00]);
    let mut key = selected(key);
    assert_eq!(send(&mut key, LIST), [0x90, 0x00]);
    key.reset();
    assert_eq!(send(&mut key, LIST), [0x6d, 0x00]);
}

#[test]
fn a_long_list_goes_on_by_get_response() {
    // 12 entries of 3 + 30 bytes: 396.
    let long = |mut key: FeitianOtpApplet| {
        for number in 0..12 {
            let secret = SharedSecret::new(vec![1; 20]);
            let name = format!("30:{number:027}");
            key = key.holding(&name, secret, Algorithm::Sha1, Digits::SIX);
        }
        selected(key)
    };
    for (key, list) in [(practice(), LIST), (practice().with_older_firmware(), OLD_LIST)] {
        let mut key = long(key);
        let first = send(&mut key, list);
        assert_eq!((first.len(), &first[256..]), (258, &[0x61, 140][..]));
        let rest = send(&mut key, "00C000008C");
        assert_eq!((rest.len(), &rest[140..]), (142, &[0x90, 0x00][..]));
        let whole = [&first[..256], &rest[..140]].concat();
        assert_eq!(whole.chunks(33).filter(|entry| entry.starts_with(&[0x52, 31])).count(), 12);
        // What is not fetched at once is gone.
        send(&mut key, list);
        send(&mut key, "000800F003510178");
        assert_eq!(send(&mut key, "00C0000000"), [0x90, 0x00]);
    }
}
