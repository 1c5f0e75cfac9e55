//! The emulated key against the sheet's recorded answers and rules.

use std::sync::Arc;
use std::time::Duration;

use token::{Channel, TokenSource};

use super::*;
use crate::vectors::{sections, unhex};
use crate::wire::put;
use crate::{Kind, Tray};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SALT: [u8; 8] = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77];
const SERIAL: u32 = 0xdead_beef;

fn new() -> NitrokeySecrets {
    NitrokeySecrets::new(SERIAL).salted(SALT)
}

fn by_hid() -> NitrokeySecrets {
    new().by_hid()
}

fn later(millis: u64) -> UnixTime {
    UnixTime::from_millis(NOW.as_millis() + millis)
}

fn secret() -> SharedSecret {
    SharedSecret::new(unhex("48656c6c6f21deadbeef"))
}

/// A command with these data and Le `00`.
fn apdu(header: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut command = header.to_vec();
    if !data.is_empty() {
        command.push(u8::try_from(data.len()).expect("a short APDU"));
        command.extend_from_slice(data);
    }
    command.push(0);
    command
}

fn select() -> Vec<u8> {
    apdu([0, 0xa4, 4, 0], AID)
}

/// A PUT of a credential named so; `tail` comes behind its key.
fn put_named(name: &[u8], kind: u8, digits: u8, key_length: usize, tail: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    put(&mut data, 0x71, name);
    let key = vec![0x5a; key_length];
    put(&mut data, 0x73, &[&[kind, digits], key.as_slice()].concat());
    data.extend_from_slice(tail);
    if data.len() < 256 {
        return apdu([0, 1, 0, 0], &data);
    }
    let length = u16::try_from(data.len()).expect("fits").to_be_bytes();
    [&[0, 1, 0, 0, 0], &length[..], &data].concat()
}

fn put_plain(name: &str) -> Vec<u8> {
    put_named(name.as_bytes(), 0x21, 6, 20, &[0x78, 0])
}

fn named(ins: u8, name: &str) -> Vec<u8> {
    let mut data = Vec::new();
    put(&mut data, 0x71, name.as_bytes());
    apdu([0, ins, 0, 0], &data)
}

fn calculate(name: &str) -> Vec<u8> {
    let mut data = Vec::new();
    put(&mut data, 0x71, name.as_bytes());
    put(&mut data, 0x74, &unhex("000000000360aa2a"));
    apdu([0, 0xa2, 0, 1], &data)
}

fn verify(pin: &str) -> Vec<u8> {
    let mut data = Vec::new();
    put(&mut data, 0x80, pin.as_bytes());
    apdu([0, 0xb2, 0, 0], &data)
}

fn list() -> Vec<u8> {
    apdu([0, 0xa1, 0, 0], &[1])
}

fn selected(mut key: NitrokeySecrets) -> NitrokeySecrets {
    assert!(key.transmit(&select(), NOW).ends_with(&[0x90, 0x00]));
    key
}

fn status(key: &mut NitrokeySecrets, command: &[u8]) -> u16 {
    let answer = key.transmit(command, NOW);
    let (_, status) = answer.split_last_chunk::<2>().expect("a status word");
    u16::from_be_bytes(*status)
}

fn touched(key: &mut NitrokeySecrets, command: &[u8]) -> u16 {
    assert!(key.awaits_press(command, NOW));
    key.press(NOW);
    assert!(!key.awaits_press(command, NOW));
    status(key, command)
}

/// The names in a LIST.
fn listed(key: &mut NitrokeySecrets) -> Vec<String> {
    let answer = key.transmit(&list(), NOW);
    let (mut data, status) = answer.split_last_chunk::<2>().expect("a status word");
    assert_eq!(*status, [0x90, 0x00]);
    names(&mut data)
}

fn names(data: &mut &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    while let [0x72, length, rest @ ..] = *data {
        let (entry, rest) = rest.split_at(usize::from(*length));
        names.push(String::from_utf8_lossy(&entry[1..entry.len() - 1]).into_owned());
        *data = rest;
    }
    assert!(data.is_empty());
    names
}

/// A request in as many reports as it takes.
fn reports(channel: u32, command: u8, payload: &[u8]) -> Vec<Vec<u8>> {
    let length = u16::try_from(payload.len()).expect("fits").to_be_bytes();
    let (first, further) = payload.split_at(payload.len().min(57));
    let head = [&channel.to_be_bytes()[..], &[0x80 | command], &length, first].concat();
    let parts = (0_u8..)
        .zip(further.chunks(59))
        .map(|(number, part)| [&channel.to_be_bytes()[..], &[number], part].concat());
    let whole = std::iter::once(head).chain(parts);
    whole
        .map(|mut report| {
            report.resize(64, 0);
            report
        })
        .collect()
}

fn write(key: &mut NitrokeySecrets, report: &[u8]) {
    assert_eq!(key.write(report, NOW), Ok(()));
}

/// Opens a channel and tells its number.
fn open(key: &mut NitrokeySecrets) -> u32 {
    let nonce = unhex("a1a2a3a4a5a6a7a8");
    write(key, &reports(0xffff_ffff, 0x06, &nonce)[0]);
    let answer = key.read(NOW).expect("an answer to INIT");
    assert_eq!(answer[7..15], nonce);
    u32::from_be_bytes(answer[15..19].try_into().expect("four bytes"))
}

/// The command and payload of the next message.
fn message(key: &mut NitrokeySecrets, now: UnixTime) -> Option<(u8, Vec<u8>)> {
    let first = key.read(now)?;
    let length = usize::from(u16::from_be_bytes([first[5], first[6]]));
    let mut payload = first[7..].to_vec();
    for sequence in 0_u8.. {
        if payload.len() >= length {
            break;
        }
        let next = key.read(now).expect("a further report");
        assert_eq!((next.len(), next[4]), (64, sequence));
        payload.extend_from_slice(&next[5..]);
    }
    assert!(payload[length..].iter().all(|byte| *byte == 0));
    payload.truncate(length);
    Some((first[4], payload))
}

fn ask(key: &mut NitrokeySecrets, channel: u32, command: u8, payload: &[u8]) -> (u8, Vec<u8>) {
    for report in reports(channel, command, payload) {
        assert_eq!(key.read(NOW), None);
        write(key, &report);
    }
    message(key, NOW).expect("an answer")
}

#[test]
fn the_sheets_vectors() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/vectors/nitrokey-secrets.txt"
    ));
    let sections = sections(text);
    assert_eq!(sections.len(), 4);
    for (title, vectors) in sections {
        let hid = title.starts_with("CTAPHID");
        let mut key = if hid { by_hid() } else { new() };
        for vector in vectors {
            if vector.about.contains("(touched)") {
                key.press(NOW);
            }
            let answer = if hid {
                write(&mut key, &vector.request);
                key.read(NOW).expect("an answer")
            } else {
                key.transmit(&vector.request, NOW)
            };
            assert_eq!(answer, vector.answer, "{title}: {}", vector.about);
        }
    }
}

#[test]
fn it_is_known_by_its_answer_to_reset_and_its_serial_number() {
    let key = practice();
    assert_eq!(key.atr(), unhex("3b8f01805d4e6974726f6b657900000000006a"));
    assert_eq!(key.identity().serial.as_deref(), Some("4e4b0301"));
    assert!(key.reader().is_some_and(|name| name.starts_with("Nitrokey Nitrokey 3")));
    assert_eq!(key.hid_device(), None);
    let mut hid = practice().by_hid();
    let device = hid.hid_device().expect("a HID device");
    assert_eq!((device.vendor, device.product), (0x20a0, 0x42b2));
    assert_eq!((device.usage_page, device.usage), (0xf1d0, 0x01));
    assert!(hid.hid().is_some() && hid.atr().is_empty() && hid.reader().is_none());
    assert_eq!(hid.get_feature(0, 64, NOW), Err(Stalled));
    assert!(hid.another().hid_device().is_some());
    let mut old = selected(new().telling([4, 10, 0]));
    let answer = old.transmit(&select(), NOW);
    assert_eq!(answer[..5], [0x79, 3, 4, 10, 0]);
    assert_eq!(old.another().identity().title, old.identity().title);
}

#[test]
fn a_card_wants_select_and_right_commands() {
    let mut key = new();
    assert_eq!(status(&mut key, &list()), 0x6a82);
    let mut key = selected(key);
    let cases: [(&str, u16); 14] = [
        ("00a4040008a000000527471117", 0x6a82),
        ("00a10000", 0x9000),
        ("00a100000102", 0x6a80),
        ("00a10100", 0x6d00),
        ("10a1000000", 0x6884),
        ("80a1000000", 0x6e00),
        ("00a100000201", 0x6f00),
        ("00a400010a7408000000000360aa2a", 0x6d00),
        ("00030000027300", 0x6985),
        ("00a3000000", 0x6985),
        ("0005000006710150710151", 0x6d00),
        ("00a5000000", 0x6985),
        ("00c0000000", 0x6f00),
        ("00000000", 0x6d00),
    ];
    for (command, expected) in cases {
        assert_eq!(status(&mut key, &unhex(command)), expected, "{command}");
    }
    key.reset();
    assert_eq!(status(&mut key, &list()), 0x6a82);
}

#[test]
fn what_a_put_may_hold() {
    // Name, type and hash, digits, length of the key, tail, status word.
    type Case<'a> = (&'a [u8], u8, u8, usize, &'a [u8], u16);
    let long = [b'n'; 129];
    let cases: [Case<'_>; 26] = [
        (b"n", 0x21, 6, 1, &[], 0x9000),
        (b"n", 0x21, 6, 0, &[], 0x6a80),
        (b"n", 0x21, 7, 128, &[0x78, 0], 0x9000),
        (b"n", 0x21, 6, 129, &[], 0x6a80),
        (b"n", 0x21, 5, 20, &[], 0x6a80),
        (b"n", 0x21, 9, 20, &[], 0x6a80),
        (b"n", 0x22, 8, 32, &[], 0x9000),
        (b"n", 0x23, 6, 64, &[], 0x9000),
        (b"n", 0x24, 6, 20, &[], 0x6a80),
        (b"n", 0x50, 6, 20, &[], 0x6a80),
        (b"", 0x21, 6, 20, &[], 0x6a80),
        (&long[..128], 0x21, 6, 20, &[], 0x9000),
        (&long, 0x21, 6, 20, &[], 0x6a80),
        // The property has no length byte.
        (b"n", 0x21, 6, 20, &[0x78, 1, 0], 0x6a80),
        (b"n", 0x21, 6, 20, &[0x78], 0x6a80),
        (b"n", 0x21, 6, 20, &[0x78, 0x04], 0x6982),
        (b"n", 0x21, 6, 20, &[0x78, 0x02], 0x6982),
        (b"n", 0x21, 6, 20, &[0x78, 0, 0x7a, 4, 0, 0, 0, 1], 0x6a80),
        (b"n", 0x11, 6, 20, &[0x78, 0, 0x7a, 4, 0, 0, 0, 1], 0x9000),
        (b"n", 0x11, 6, 20, &[0x78, 0, 0x7a, 3, 0, 0, 1], 0x6a80),
        (b"n", 0x31, 6, 20, &[], 0x6982),
        (b"n", 0x41, 6, 20, &[], 0x9000),
        (b"n", 0x41, 6, 19, &[], 0x6a80),
        (b"n", 0xf1, 6, 20, &[0x83, 1, b'l', 0x84, 1, b'p', 0x85, 1, b'c'], 0x9000),
        (b"n", 0x21, 6, 20, &[0x83, 0], 0x6a80),
        (b"n", 0x21, 6, 20, &[0x00], 0x6a80),
    ];
    for (name, kind, digits, key_length, tail, expected) in cases {
        let mut key = selected(new());
        let command = put_named(name, kind, digits, key_length, tail);
        let found = status(&mut key, &command);
        assert_eq!(found, expected, "{kind:02x} {digits} {key_length} {tail:02x?}");
        let entries = usize::from(expected == 0x9000);
        assert_eq!(key.face(NOW).lines.len(), entries);
    }
}

#[test]
fn a_name_is_never_overwritten_and_50_are_all() {
    let mut key = selected(new().occupied(&["a"]));
    assert_eq!(status(&mut key, &put_plain("a")), 0x6983);
    for number in 1..50 {
        assert_eq!(status(&mut key, &put_plain(&number.to_string())), 0x9000);
    }
    assert_eq!(status(&mut key, &put_plain("b")), 0x6a84);
    let mut full = selected(new().occupied(&["a"]).full());
    assert_eq!(full.holds().len(), 50);
    assert_eq!(status(&mut full, &put_plain("b")), 0x6a84);
    assert_eq!(status(&mut full, &put_plain("a")), 0x6a84);
}

#[test]
fn sha_512_is_taken_and_not_calculated() {
    let key = new().holding("n", secret(), Algorithm::Sha512, Digits::SIX);
    let mut key = selected(key);
    assert_eq!(status(&mut key, &calculate("n")), 0x6a81);
    assert_eq!(status(&mut key, &calculate("m")), 0x6a82);
    status(&mut key, &put_named(b"h", 0x41, 6, 20, &[]));
    assert_eq!(status(&mut key, &calculate("h")), 0x6985);
}

#[test]
fn hotp_counts_from_its_counter() {
    let mut key = selected(new());
    let mut data = unhex("7101687316110631323334353637383930313233343536373839307800");
    // RFC 4226 appendix D: counter 1 gives 287082, counter 2 gives 359152.
    data.extend_from_slice(&[0x7a, 4, 0, 0, 0, 1]);
    assert_eq!(status(&mut key, &apdu([0, 1, 0, 0], &data)), 0x9000);
    for expected in [287_082, 359_152] {
        let answer = key.transmit(&calculate("h"), NOW);
        let bits: [u8; 4] = answer[3..7].try_into().expect("four bytes");
        assert_eq!(u32::from_be_bytes(bits) % 1_000_000, expected);
    }
    assert_eq!(key.holds()[0].kind, Kind::Hotp);
}

#[test]
fn the_pin_is_good_for_exactly_the_next_command() {
    let new = || {
        let key = new().with_pin("12345678").occupied(&["plain"]);
        selected(key.holding("p", secret(), Algorithm::Sha1, Digits::SIX).needing_pin())
    };
    let between = [select(), list(), calculate("none"), unhex("00000000"), calculate("plain")];
    for command in between {
        let mut key = new();
        assert_eq!(status(&mut key, &calculate("p")), 0x6a82);
        assert_eq!(touched(&mut key, &verify("12345678")), 0x9000);
        assert_eq!(status(&mut key, &calculate("p")), 0x9000);
        assert_eq!(status(&mut key, &calculate("p")), 0x6a82);
        assert_eq!(touched(&mut key, &verify("12345678")), 0x9000);
        status(&mut key, &command);
        assert_eq!(status(&mut key, &calculate("p")), 0x6a82);
    }
    let mut key = new();
    assert_eq!(listed(&mut key), ["plain"]);
    touched(&mut key, &verify("12345678"));
    assert_eq!(listed(&mut key), ["plain", "p"]);
    assert_eq!(listed(&mut key), ["plain"]);
    let encrypted = put_named(b"q", 0x21, 6, 20, &[0x78, 0x06]);
    assert_eq!(status(&mut key, &encrypted), 0x6982);
    touched(&mut key, &verify("12345678"));
    // It was touched for VERIFY PIN and need not be touched again.
    assert!(!key.awaits_press(&encrypted, NOW));
    assert_eq!(status(&mut key, &encrypted), 0x9000);
    assert_eq!(status(&mut key, &put_plain("r")), 0x9000);
}

#[test]
fn eight_wrong_pins_block_and_a_reset_is_the_way_out() {
    let mut key = selected(new().with_pin("12345678"));
    for left in (0..8_u8).rev() {
        assert_eq!(touched(&mut key, &verify("1234")), 0x6300);
        assert_eq!(key.transmit(&select(), NOW)[5..8], [0x82, 1, left]);
    }
    assert!(!key.awaits_press(&verify("12345678"), NOW));
    assert_eq!(status(&mut key, &verify("12345678")), 0x6982);
    assert_eq!(touched(&mut key, &unhex("0004dead")), 0x9000);
    let greeting = key.transmit(&select(), NOW);
    assert_eq!(greeting[5..7], [0x71, 8]);
    assert_ne!(greeting[7..15], SALT);
    assert_eq!(status(&mut key, &verify("12345678")), 0x6982);
    let mut key = selected(self::new().with_pin("12345678").with_tries_left(1));
    assert_eq!(touched(&mut key, &verify("12345678")), 0x9000);
    assert_eq!(key.transmit(&select(), NOW)[5..8], [0x82, 1, 8]);
}

#[test]
fn a_pin_is_set_once_and_changed_by_who_knows_it() {
    let (set, change) = ("00b400000680043132333400", "00b300000c80043132333481043536373800");
    let mut key = selected(new());
    assert_eq!(status(&mut key, &unhex(change)), 0x6982);
    assert_eq!(touched(&mut key, &unhex(set)), 0x9000);
    assert_eq!(status(&mut key, &unhex(set)), 0x6982);
    assert_eq!(touched(&mut key, &unhex(change)), 0x9000);
    assert_eq!(touched(&mut key, &unhex(change)), 0x6300);
    assert_eq!(touched(&mut key, &verify("5678")), 0x9000);
}

#[test]
fn what_needs_a_touch_waits_for_one_and_gives_up() {
    let filled = || {
        let key = new().holding("n", secret(), Algorithm::Sha1, Digits::SIX).needing_touch();
        selected(key)
    };
    let commands = [
        calculate("n"),
        named(0x02, "n"),
        named(0x02, "unknown"),
        named(0xb5, "n"),
        unhex("0004dead"),
        unhex("00b700000671016e710151"),
        put_named(b"m", 0x21, 6, 20, &[0x78, 0x02]),
        unhex("00b400000680043132333400"),
    ];
    for command in commands {
        let mut key = filled();
        assert!(key.awaits_press(&command, NOW));
        assert_eq!(status(&mut key, &command), 0x6982);
        assert_eq!(key.holds().len(), 1);
        let expected = if command == named(0x02, "unknown") { 0x6a82 } else { 0x9000 };
        assert_eq!(touched(&mut key, &command), expected);
        // The touch is used up.
        assert_eq!(status(&mut key, &unhex("0004dead")), 0x6982);
    }
    let mut key = filled();
    assert!(key.holds()[0].touch);
    key.press(NOW);
    assert_eq!(key.transmit(&calculate("n"), later(15_001)), [0x69, 0x82]);
    assert_eq!(key.transmit(&calculate("n"), later(15_000)).len(), 9);
}

#[test]
fn update_renames_and_changes_properties() {
    let mut key = selected(new().occupied(&["P", "R"]));
    let cases = [
        ("00b7000006710150710152", 0x6983),
        ("00b7000006710153710154", 0x6a82),
        ("00b7000006710150710151", 0x9000),
        ("00b7000006710151780104", 0x6982),
        ("00b70000057101517802", 0x6a80),
        ("00b7000006710151780102", 0x9000),
    ];
    for (command, expected) in cases {
        key.press(NOW);
        assert_eq!(status(&mut key, &unhex(command)), expected, "{command}");
    }
    assert_eq!(listed(&mut key), ["Q", "R"]);
    assert!(key.holds()[0].touch);
    key.press(NOW);
    assert_eq!(status(&mut key, &unhex("00b700000671015283016c")), 0x9000);
    let description = key.transmit(&named(0xb5, "R"), NOW);
    assert_eq!(description, unhex("78012171015283016c9000"));
    assert_eq!(key.transmit(&list(), NOW), unhex("72032151017203215204 9000"));
}

#[test]
fn a_long_list_is_continued_by_get_response_on_ccid() {
    let mut key = selected(new().full());
    let mut whole = Vec::new();
    let mut answer = key.transmit(&list(), NOW);
    assert_eq!(answer.len(), 256 + 2);
    loop {
        let (data, status) = answer.split_last_chunk::<2>().expect("a status word");
        whole.extend_from_slice(data);
        match status {
            [0x61, _] => answer = key.transmit(&unhex("00c0000000"), NOW),
            [0x90, 0x00] => break,
            other => panic!("{other:02x?}"),
        }
    }
    assert_eq!(names(&mut whole.as_slice()).len(), 50);
    // Without Le there is no part of it in the first answer.
    assert_eq!(key.transmit(&unhex("00a100000101"), NOW), [0x61, 0x00]);
    assert_eq!(key.transmit(&unhex("00c0000010"), NOW).len(), 18);
    // Any other command forgets the rest.
    assert_eq!(status(&mut key, &calculate("none")), 0x6a82);
    assert_eq!(status(&mut key, &unhex("00c0000000")), 0x6f00);
    // An extended Le takes it at once.
    assert_eq!(key.transmit(&unhex("00a10000000001010000"), NOW).len(), whole.len() + 2);
}

#[test]
fn a_long_list_is_continued_by_send_remaining_on_ctaphid() {
    let mut key = by_hid();
    for number in 0..50 {
        key = key.occupied(&[&format!("{number:0120}")]);
    }
    let channel = open(&mut key);
    let mut whole = Vec::new();
    let mut command = unhex("00a100000101");
    let mut statuses = Vec::new();
    loop {
        let (kind, answer) = ask(&mut key, channel, 0x70, &command);
        assert_eq!(kind, 0xf0);
        assert!(answer.len() <= 3072);
        let (status, data) = answer.split_first_chunk::<2>().expect("a status word");
        whole.extend_from_slice(data);
        statuses.push(*status);
        match status {
            [0x61, 0xff] => command = unhex("00a50000"),
            [0x90, 0x00] => break,
            other => panic!("{other:02x?}"),
        }
    }
    // 24 entries of 124 bytes fit.
    assert_eq!(statuses.len(), 3);
    assert_eq!(names(&mut whole.as_slice()).len(), 50);
    assert_eq!(ask(&mut key, channel, 0x70, &unhex("00a50000")).1, [0x69, 0x85]);
}

#[test]
fn long_requests_come_in_further_reports() {
    let mut key = by_hid();
    let channel = open(&mut key);
    assert_eq!(channel, 1);
    assert_eq!(open(&mut key), 2);
    let ping: Vec<u8> = (0..=255).cycle().take(3072).collect();
    assert_eq!(ask(&mut key, channel, 0x01, &ping), (0x81, ping));
    let command = put_named(&[b'n'; 64], 0x21, 6, 64, &[0x78, 0]);
    assert_eq!(ask(&mut key, channel, 0x70, &command), (0xf0, vec![0x90, 0x00]));
    // The report number may stand in front; other lengths are not heard.
    let ping = reports(channel, 0x01, &[7]).remove(0);
    write(&mut key, &[&[0], ping.as_slice()].concat());
    assert_eq!(message(&mut key, NOW), Some((0x81, vec![7])));
    for wrong in [&ping[..63], &[&[1], ping.as_slice()].concat()] {
        write(&mut key, wrong);
        assert_eq!(key.read(NOW), None);
    }
}

#[test]
fn errors_of_the_framing() {
    let long = [0x70; 100];
    let error = |code: u8| Some((0xbf, vec![code]));
    let mut key = by_hid();
    let channel = open(&mut key);
    let first = |key: &mut NitrokeySecrets| write(key, &reports(channel, 0x70, &long)[0]);
    // Unknown commands, channels nobody opened, wrong lengths.
    for (on, command, payload, code) in [
        (channel, 0x10, &[4][..], 0x01),
        (channel, 0x7f, &[], 0x01),
        (0xffff_ffff, 0x70, &[0; 4], 0x0b),
        (0, 0x06, &[0; 8], 0x0b),
        (9, 0x70, &[0; 4], 0x0b),
        (0xffff_ffff, 0x06, &[0; 7], 0x03),
        (channel, 0x70, &[0; 3], 0x03),
        (channel, 0x70, &[0, 0xa1, 0, 0, 2, 1], 0x03),
        (channel, 0x01, &[0; 3073], 0x03),
    ] {
        write(&mut key, &reports(on, command, payload)[0]);
        assert_eq!(message(&mut key, NOW), error(code), "{on} {command:02x}");
    }
    // A further report out of turn, a new request in the middle.
    first(&mut key);
    let mut further = reports(channel, 0x70, &long).remove(1);
    further[4] = 1;
    write(&mut key, &further);
    assert_eq!(message(&mut key, NOW), error(0x04));
    further[4] = 0;
    write(&mut key, &further);
    assert_eq!(key.read(NOW), None);
    first(&mut key);
    first(&mut key);
    assert_eq!(message(&mut key, NOW), error(0x04));
    // Another channel has to wait, and disturbs nothing.
    let other = open(&mut key);
    first(&mut key);
    write(&mut key, &reports(other, 0x01, &[1])[0]);
    assert_eq!(message(&mut key, NOW), error(0x06));
    write(&mut key, &reports(other, 0x01, &long)[1]);
    assert_eq!(key.read(later(550)), None);
    assert_eq!(message(&mut key, later(551)), error(0x05));
    // INIT ends what was going on.
    first(&mut key);
    assert_eq!(open(&mut key), 3);
    assert_eq!(ask(&mut key, channel, 0x08, &[]), (0x88, Vec::new()));
}

#[test]
fn while_a_touch_is_awaited_it_keeps_alive() {
    let alive = Some((0xbb, vec![0x02]));
    let done = Some((0xf0, vec![0x90, 0x00]));
    let reset = || {
        let mut key = by_hid().occupied(&["n"]);
        let channel = open(&mut key);
        write(&mut key, &reports(channel, 0x70, &unhex("0004dead"))[0]);
        assert_eq!(message(&mut key, NOW), alive);
        (key, channel)
    };
    let (mut key, _) = reset();
    assert_eq!(key.read(later(99)), None);
    assert_eq!(message(&mut key, later(100)), alive);
    assert_eq!(key.read(later(100)), None);
    key.press(later(120));
    assert_eq!(message(&mut key, later(130)), done);
    assert_eq!(key.read(later(10_000)), None);
    assert!(key.holds().is_empty());
    // Nobody touches it.
    let (mut key, _) = reset();
    assert_eq!(message(&mut key, later(14_999)), alive);
    assert_eq!(message(&mut key, later(15_000)), Some((0xf0, vec![0x69, 0x82])));
    assert_eq!(key.holds().len(), 1);
    // Cancelled, busy for others.
    let (mut key, channel) = reset();
    write(&mut key, &reports(9, 0x70, &unhex("0004dead"))[0]);
    assert_eq!(message(&mut key, NOW), Some((0xbf, vec![0x06])));
    write(&mut key, &reports(channel, 0x11, &[])[0]);
    assert_eq!(message(&mut key, NOW), Some((0xf0, vec![0x65, 0x00])));
    write(&mut key, &reports(channel, 0x11, &[])[0]);
    assert_eq!(key.read(NOW), None);
    key.press(NOW);
    assert_eq!(key.read(NOW), None);
    assert_eq!(key.holds().len(), 1);
}

#[test]
fn on_a_tray_it_is_a_hid_device_that_waits_for_a_person() {
    let tray = Tray::new(Arc::new(|| NOW)).with_touch_time(Duration::from_mins(10));
    let id = tray.lay(Box::new(by_hid().occupied(&["n"])), "Practice reader");
    let candidates = tray.candidates().expect("a tray");
    let Ok(Channel::Hid(mut channel)) = tray.connect(&candidates[0].id) else {
        panic!("no HID channel");
    };
    let mut ask = |channel_id: u32, command: u8, payload: &[u8]| {
        for report in reports(channel_id, command, payload) {
            assert_eq!(channel.write(&[&[0], report.as_slice()].concat()), Ok(()));
        }
        let answer = channel.read(Duration::from_mins(10)).expect("an answer");
        answer[4..11].to_vec()
    };
    assert_eq!(ask(0xffff_ffff, 0x06, &[7; 8]), [0x86, 0, 17, 7, 7, 7, 7]);
    let hand = tray.clone();
    let hand = std::thread::spawn(move || hand.press(id));
    assert_eq!(ask(1, 0x70, &unhex("0004dead")), [0xf0, 0, 2, 0x90, 0, 0, 0]);
    assert!(hand.join().is_ok());
    assert!(tray.holds(id).is_empty());
}
