//! The emulated key against the sheet's conversations and rules.

mod session;

use oath::Digits;

use super::seal::sha256;
use super::*;
use crate::Kind;
use crate::vectors::{sections, unhex};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SELECT: &str = "00A4040008F00000014F747001";
const SELECT_FIDO: &str = "00A4040008A0000006472F0001";
const SERIAL: &str = "8033000012D11000000000000000000000000000000000";
const READ_ALL: &str = "80C505000903000000006553F100";
const READ_MORE: &str = "80C5050108000000006553F100";
const ERASE: &str = "80C50502";

fn vector_key(title: &str) -> Token2FidoOtp {
    let release = match title.split(' ').next() {
        Some("R3.2") => Release::R3_2,
        Some("R3.4") => Release::R3_4,
        other => panic!("no such release: {other:?}"),
    };
    let mut key = Token2FidoOtp::new(release, 1)
        .with_scalar(sha256(b"device"))
        .drawing(std::array::from_fn(|n| 16 + low(n)), std::array::from_fn(low));
    if title.contains("pages of one record, holding Contoso bob") {
        let mut bob = totp("Contoso", "bob", b"12345678901234567890");
        bob.digits = Digits::EIGHT;
        key = key.holding(bob).paging_at(1);
    }
    if title.ends_with("PIN 097531") {
        key = key.protected_by("097531");
    }
    key
}

#[test]
fn the_sheets_vectors() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/vectors/token2-fido-otp.txt"
    ));
    let sections = sections(text);
    assert_eq!(sections.len(), 4);
    for (title, vectors) in sections {
        let mut key = vector_key(&title);
        for vector in vectors {
            let answer = key.transmit(&vector.request, NOW);
            assert_eq!(answer, vector.answer, "{title}: {}", vector.about);
        }
    }
}

#[test]
fn what_a_write_may_hold() {
    let good = clear(1, 0xc1, 30, 6, 0, "a", "b", 20);
    let mut longer = good.clone();
    longer.push(0);
    let cases = [
        (good.clone(), 0x9000),
        (clear(1, 0xc2, 0xffff, 10, 1, "", "b", 64), 0x9000),
        (clear(0, 0xc1, 30, 4, 0, &"a".repeat(64), &"b".repeat(64), 1), 0x9000),
        (clear(2, 0xc1, 30, 6, 0, "a", "b", 20), 0x6a80),
        (clear(1, 0xc3, 30, 6, 0, "a", "b", 20), 0x6a80),
        (clear(1, 0xc1, 0, 6, 0, "a", "b", 20), 0x6a80),
        (clear(1, 0xc1, 30, 3, 0, "a", "b", 20), 0x6a80),
        (clear(1, 0xc1, 30, 11, 0, "a", "b", 20), 0x6a80),
        (clear(1, 0xc1, 30, 6, 2, "a", "b", 20), 0x6a80),
        (clear(1, 0xc1, 30, 6, 0, "a", "", 20), 0x6a80),
        (clear(1, 0xc1, 30, 6, 0, &"a".repeat(65), "b", 20), 0x6a80),
        (clear(1, 0xc1, 30, 6, 0, "a", &"b".repeat(65), 20), 0x6a80),
        (clear(1, 0xc1, 30, 6, 0, "é", "b", 20), 0x6a80),
        (clear(1, 0xc1, 30, 6, 0, "a", "b", 0), 0x6a80),
        (clear(1, 0xc1, 30, 6, 0, "a", "b", 65), 0x6a80),
        (longer, 0x6a80),
        (good[..good.len() - 1].to_vec(), 0x6a80),
        (Vec::new(), 0x6a80),
    ];
    for (number, (clear, expected)) in cases.into_iter().enumerate() {
        let mut key = selected(practice());
        assert_eq!(write(&mut key, &clear), expected, "case {number}");
        assert_eq!(key.holds().len(), usize::from(expected == 0x9000), "case {number}");
    }
}

#[test]
fn a_key_holds_what_was_written() {
    let mut key = selected(practice());
    write(&mut key, &clear(1, 0xc2, 60, 8, 1, "Acme", "x", 20));
    write(&mut key, &clear(0, 0xc1, 30, 6, 0, "", "y", 10));
    let held = key.holds();
    let shown: Vec<_> = held.iter().map(|held| held.name.as_deref()).collect();
    assert_eq!(shown, [Some("Acme:x"), Some("y")]);
    assert_eq!(key.face(NOW).lines, ["Acme:x", "y"]);
    assert_eq!(held[0].secret.expose(), [0x5a; 20]);
    assert_eq!((held[0].algorithm, held[0].digits), (oath::Algorithm::Sha256, Digits::EIGHT));
    assert_eq!(held[0].period.map(oath::Period::as_secs), Some(60));
    assert_eq!((held[0].kind, held[0].touch), (Kind::Totp, true));
    assert_eq!((held[1].kind, held[1].touch, held[1].period), (Kind::Hotp, false, None));
}

#[test]
fn a_seal_that_does_not_open_changes_nothing() {
    let mut key = selected(practice());
    let mut sealed = seal_for(&key, &clear(1, 0xc1, 30, 6, 0, "a", "b", 20));
    assert_eq!(status(&mut key, &short("80C50502", &sealed[..64])), 0x6700);
    assert_eq!(status(&mut key, &short("80C50502", &sealed[..95])), 0x6700);
    let short_form = short("80C50502", &sealed);
    assert_eq!(status(&mut key, &[short_form.as_slice(), &[0]].concat()), 0x6700);
    let mut other = selected(key_of(Release::R3_4, 2));
    assert_eq!(status(&mut other, &short_form), 0x6a80);
    sealed[10] ^= 1;
    assert_eq!(status(&mut key, &short("80C50502", &sealed)), 0x6a80);
    assert!(key.holds().is_empty() && other.holds().is_empty());
}

#[test]
fn a_full_key_says_so_and_still_replaces() {
    let mut key = selected(practice().full());
    assert_eq!(key.holds().len(), 50);
    assert_eq!(write(&mut key, &clear(1, 0xc1, 30, 6, 0, "new", "b", 20)), 0x6a84);
    let same = clear(1, 0xc1, 30, 8, 0, "Service 7", "someone@example.com", 20);
    assert_eq!(write(&mut key, &same), 0x9000);
    assert_eq!((key.holds().len(), key.holds()[7].digits), (50, Digits::EIGHT));
    let mut delete = vec![0; 6];
    delete.extend(b"\x09Service 3\x13someone@example.com\0");
    assert_eq!(write(&mut key, &delete), 0x9000);
    assert_eq!(write(&mut key, &clear(1, 0xc1, 30, 6, 0, "new", "b", 20)), 0x9000);
    assert_eq!(practice().with_room_for(32).full().holds().len(), 32);
}

#[test]
fn all_pages_together_hold_all_records() {
    for key in [practice().full(), practice().full().paging_at(1), practice().full().in_t0_reader()]
    {
        let mut key = selected(key);
        let (mut page, mut command, mut all, mut pages) = (Vec::new(), READ_ALL, Vec::new(), 0);
        while page.is_empty() || page[0] & 0x80 != 0 {
            page = fetch(&mut key, command);
            all.push(page[0] & 0x7f);
            all.extend(&page[1..]);
            command = READ_MORE;
            pages += 1;
        }
        assert!(pages > 1);
        let expected: Vec<u8> = key
            .records
            .iter_mut()
            .flat_map(|record| {
                let code = record.code(NOW.as_secs());
                record.tell(Some(&code))
            })
            .collect();
        assert_eq!(all, expected);
        assert_eq!(send(&mut key, READ_MORE), [0x69, 0x85]);
    }
}

#[test]
fn another_command_ends_the_reading_of_pages() {
    let mut key = selected(practice().full());
    fetch(&mut key, READ_ALL);
    send(&mut key, "80C502000A");
    assert_eq!(send(&mut key, READ_MORE), [0x69, 0x85]);
}

#[test]
fn read_all_tells_no_code_of_a_counter_or_with_touch() {
    let mut touched = totp("t", "1", &[1; 20]);
    touched.touch = true;
    let mut counting = totp("c", "2", &[1; 20]);
    counting.kind = Kind::Hotp;
    let key = practice().holding(touched).holding(counting).holding(totp("p", "3", &[1; 20]));
    let mut key = selected(key);
    let all = fetch(&mut key, READ_ALL);
    let lengths = [10, 10, 17];
    assert_eq!(all.len(), lengths.iter().sum());
    assert_eq!(all[..10], *b"\x01\xc1\x00\x1e\x06\x01\x01t\x011");
    assert_eq!(all[10..20], *b"\x00\xc1\x00\x1e\x06\x00\x01c\x012");
    assert_eq!(all[20..31], *b"\x01\xc1\x00\x1e\x06\x00\x01p\x013\x06");
}

#[test]
fn the_code_is_for_the_time_that_was_sent() {
    // RFC 6238 appendix B: 59 gives 94287082, 1111111109 gives 07081804.
    let mut record = totp("a", "b", b"12345678901234567890");
    record.digits = Digits::EIGHT;
    let mut key = selected(practice().holding(record));
    for (time, code) in [(59, b"94287082"), (1_111_111_109, b"07081804")] {
        assert!(read_one(&mut key, time, "a", "b").ends_with(&[code, &[0x90, 0x00][..]].concat()));
    }
}

#[test]
fn a_counter_moves_when_it_is_read_alone() {
    // RFC 4226 appendix D.
    let mut record = totp("a", "b", b"12345678901234567890");
    record.kind = Kind::Hotp;
    let mut key = selected(practice().holding(record));
    for code in [b"755224", b"287082", b"359152"] {
        fetch(&mut key, READ_ALL);
        assert!(read_one(&mut key, 0, "a", "b").ends_with(&[code, &[0x90, 0x00][..]].concat()));
    }
}

#[test]
fn a_touch_is_good_for_one_code_within_15_seconds() {
    let mut record = totp("a", "b", &[1; 20]);
    record.touch = true;
    let mut key = selected(practice().holding(record));
    let read = read_one_command(0, "a", "b");
    assert!(key.awaits_press(&read, NOW));
    assert!(!key.awaits_press(&read_one_command(0, "a", "c"), NOW));
    assert_eq!(key.transmit(&read, NOW), [0x6f, 0xf9]);
    key.press(NOW);
    assert!(!key.awaits_press(&read, NOW));
    assert_eq!(status(&mut key, &read), 0x9000);
    assert_eq!(status(&mut key, &read), 0x6ff9);
    key.press(NOW);
    assert_eq!(key.transmit(&read, later(16)), [0x6f, 0xf9]);
}

#[test]
fn an_empty_write_erases_everything_after_a_touch() {
    for erase in [ERASE, "80C5050200", "80C50502000000"] {
        let mut key = selected(practice().full().protected_by("135790"));
        assert!(key.awaits_press(&unhex(erase), NOW));
        assert_eq!(send(&mut key, erase), [0x6f, 0xf9]);
        assert_eq!(key.holds().len(), 50);
        key.press(NOW);
        assert_eq!(send(&mut key, erase), [0x90, 0x00]);
        assert!(key.holds().is_empty());
        assert_eq!(send(&mut key, READ_ALL), [0x6a, 0x80]);
    }
}

#[test]
fn reads_that_do_not_add_up_are_refused() {
    let mut key = selected(practice().holding(totp("a", "b", &[1; 20])));
    let cases = [
        ("80C50500", 0x6af8),
        ("80C505000103", 0x6af8),
        ("80C505000902000000006553F100", 0x6af8),
        ("80C505000A03000000006553F10000", 0x6af8),
        ("80C505000D01000000006553F10001610162", 0x9000),
        ("80C505000E01000000006553F1000161016200", 0x6af8),
        ("80C505000C01000000006553F100016101", 0x6af8),
        ("80C505000D01000000006553F10001610163", 0x6a83),
        ("80C505000D01000000006553F1000161016200", 0x6700),
        ("80C5050107000000006553F1", 0x6af8),
        ("80C5050A00", 0x6a86),
        ("80C6000000", 0x6d00),
        ("90C5050000", 0x6e00),
        ("00B0000000", 0x6d00),
        ("80C50100", 0x6700),
        ("80C502", 0x6700),
        ("00A4040008F00000014F747002", 0x6a82),
    ];
    for (command, expected) in cases {
        assert_eq!(status(&mut key, &unhex(command)), expected, "{command}");
    }
}

#[test]
fn the_serial_number_belongs_to_the_fido_application() {
    let mut key = practice();
    assert_eq!(send(&mut key, SERIAL), [0x6d, 0x00]);
    send(&mut key, SELECT);
    assert_eq!(send(&mut key, SERIAL), [0x6d, 0x00]);
    send(&mut key, SELECT_FIDO);
    assert_eq!(send(&mut key, READ_ALL), [0x6d, 0x00]);
    let answer = send(&mut key, SERIAL);
    assert_eq!(answer[..2], [0xd1, 14]);
    assert_eq!(Some(&answer[2..16]), key.identity().serial.as_deref().map(str::as_bytes));
    assert_eq!(send(&mut key, "8033000002D110"), [0x67, 0x00]);
}

#[test]
fn release_3_1_hides_its_serial_number_at_first() {
    let mut key = key_of(Release::R3_1, 7);
    send(&mut key, SELECT_FIDO);
    assert_eq!(send(&mut key, SERIAL), [0x6d, 0x00]);
    assert_eq!(send(&mut key, "80C503000104"), [0x90, 0x00]);
    assert!(send(&mut key, SERIAL).starts_with(&[0xd1]));
    key.reset();
    send(&mut key, SELECT_FIDO);
    assert_eq!(send(&mut key, SERIAL), [0x6d, 0x00]);
}

#[test]
fn the_config_block_says_what_is_on() {
    let mut key = selected(practice());
    let whole = unhex("001400000000020100139000");
    for command in ["80C502000A", "80C5020040", "80C5020000000A"] {
        assert_eq!(send(&mut key, command), whole, "{command}");
    }
    for command in ["80C50200", "80C5020000", "80C5020009", "80C5020041"] {
        assert_eq!(send(&mut key, command), [0x67, 0x00], "{command}");
    }
    assert_eq!(send(&mut key, "80C502050100"), [0x90, 0x00]);
    assert_eq!(send(&mut key, "80C502000A")[9], 0x12);
    assert_eq!(send(&mut key, READ_ALL), [0x6a, 0x86]);
    assert_eq!(send(&mut selected(practice().with_totp_off()), READ_ALL), [0x6a, 0x86]);
    let mut short = selected(practice().with_short_config());
    assert_eq!(send(&mut short, "80C502000A"), [0x00, 0x90, 0x00]);
}

#[test]
fn a_key_without_ccid_is_not_seen_any_more() {
    let mut key = selected(practice());
    send(&mut key, "80C502010107");
    assert!(!key.is_on());
}

#[test]
fn a_t0_reader_knows_short_length_and_get_response() {
    let key = practice().holding(totp("a", "b", &[1; 20])).in_t0_reader();
    let mut key = selected(key);
    assert_eq!(key.atr()[5..7], [0x10, 0x80]);
    assert_eq!(send(&mut key, "80C50500000009 03000000006553F100"), [0x67, 0x00]);
    assert_eq!(send(&mut key, READ_ALL), [0x61, 0x11]);
    assert_eq!(send(&mut key, "00C0000012"), [0x6c, 0x11]);
    assert_eq!(send(&mut key, "00C0000001"), [0x01, 0x61, 0x10]);
    assert_eq!(send(&mut key, "00C0000010").len(), 16 + 2);
    assert_eq!(send(&mut key, "00C0000001"), [0x69, 0x85]);
    assert_eq!(send(&mut key, "80C5010000"), [0x6c, 0x40]);
    assert_eq!(send(&mut key, "80C5010040").len(), 64 + 2);
    assert_eq!(send(&mut key, "80C5020040"), [0x6c, 0x0a]);
    assert_eq!(send(&mut key, "80C502000A").len(), 10 + 2);
    let mut stub = selected(practice().with_short_config().in_t0_reader());
    assert_eq!(send(&mut stub, "80C502000A"), [0x6c, 0x01]);
    assert_eq!(send(&mut stub, "80C5020001"), [0x00, 0x90, 0x00]);
    // Another command forgets what was not fetched.
    send(&mut key, READ_ALL);
    send(&mut key, "80C502000A");
    assert_eq!(send(&mut key, "00C0000011"), [0x69, 0x85]);
}

#[test]
fn long_answers_to_short_commands_come_in_parts() {
    let mut key = selected(practice().full().paging_at(600));
    let whole = key.transmit(&extended("80C50500", &unhex(READ_ALL)[5..]), NOW);
    assert!(whole.len() > 512);
    let first = send(&mut key, READ_ALL);
    assert_eq!((first.len(), &first[256..]), (258, &[0x61, 0x00][..]));
    assert_eq!(fetch(&mut key, READ_ALL), whole[..whole.len() - 2]);
}

/// A small number as a byte.
fn low(number: usize) -> u8 {
    u8::try_from(number).expect("a small number")
}

fn later(seconds: u64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + seconds)
}

fn key_of(release: Release, number: u32) -> Token2FidoOtp {
    Token2FidoOtp::new(release, number)
}

fn selected(mut key: Token2FidoOtp) -> Token2FidoOtp {
    assert_eq!(send(&mut key, SELECT), [0x90, 0x00]);
    key
}

fn send(key: &mut Token2FidoOtp, command: &str) -> Vec<u8> {
    key.transmit(&unhex(command), NOW)
}

fn status(key: &mut Token2FidoOtp, command: &[u8]) -> u16 {
    let answer = key.transmit(command, NOW);
    let (_, status) = answer.split_last_chunk::<2>().expect("a status word");
    u16::from_be_bytes(*status)
}

/// A whole answer, with what GET RESPONSE fetches of it.
fn fetch(key: &mut Token2FidoOtp, command: &str) -> Vec<u8> {
    let mut command = unhex(command);
    let mut whole = Vec::new();
    loop {
        let answer = key.transmit(&command, NOW);
        let (data, status) = answer.split_last_chunk::<2>().expect("a status word");
        whole.extend_from_slice(data);
        match status {
            [0x90, 0x00] => return whole,
            [0x61, length] => command = vec![0, 0xc0, 0, 0, *length],
            other => panic!("{other:02x?}"),
        }
    }
}

fn short(header: &str, data: &[u8]) -> Vec<u8> {
    [unhex(header).as_slice(), &[low(data.len())], data].concat()
}

fn extended(header: &str, data: &[u8]) -> Vec<u8> {
    [unhex(header).as_slice(), &[0, 0, low(data.len())], data].concat()
}

fn totp(app: &str, account: &str, seed: &[u8]) -> Record {
    Record::new(app, account, SharedSecret::new(seed.to_vec()))
}

#[expect(clippy::too_many_arguments, reason = "the fields of a record, in the sheet's order")]
fn clear(
    kind: u8,
    hash: u8,
    step: u16,
    digits: u8,
    touch: u8,
    app: &str,
    account: &str,
    seed_length: usize,
) -> Vec<u8> {
    let [high, low_byte] = step.to_be_bytes();
    let mut clear = vec![kind, hash, high, low_byte, digits, touch];
    for part in [app.as_bytes(), account.as_bytes(), &vec![0x5a; seed_length]] {
        clear.push(low(part.len()));
        clear.extend_from_slice(part);
    }
    clear
}

fn host() -> KeyPair {
    KeyPair::from_seed(sha256(b"host"))
}

fn seal_for(key: &Token2FidoOtp, clear: &[u8]) -> Vec<u8> {
    host().seal(&key.key_pair.public(), clear)
}

fn write(key: &mut Token2FidoOtp, clear: &[u8]) -> u16 {
    let sealed = seal_for(key, clear);
    status(key, &extended("80C50502", &sealed))
}

fn read_one_command(time: u64, app: &str, account: &str) -> Vec<u8> {
    let mut data = vec![0x01];
    data.extend(time.to_be_bytes());
    for name in [app, account] {
        data.push(low(name.len()));
        data.extend(name.bytes());
    }
    short("80C50500", &data)
}

fn read_one(key: &mut Token2FidoOtp, time: u64, app: &str, account: &str) -> Vec<u8> {
    key.transmit(&read_one_command(time, app, account), NOW)
}
