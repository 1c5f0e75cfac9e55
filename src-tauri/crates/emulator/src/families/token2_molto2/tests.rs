//! The emulated token against the sheet's vectors and rules.

use std::fmt::Write as _;

use oath::{Digits, Period};

use super::*;
use crate::vectors::{sections, unhex};

const START: UnixTime = UnixTime::from_secs(1_700_000_000);
const CHALLENGE: [u8; 8] = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
/// Row 1 of the sheet.
const RIGHT_ANSWER: &str = "80CE000010550EC1328F963EB02972BB141E1CF521";
const WRONG_ANSWER: &str = "80CE00001000000000000000000000000000000000";
const ASK: &str = "804B080000";
/// Rows 3 to 5: slot 2, code 324550 at 1700000000.
const SEED: &str = "84C5010214546AE3CFFA1255447DD0F3F678522476C5BB6C63";
const TITLE: &str = "84D500021447B16DDC255D2EBA2977379D694386042F6BF123";
const CONFIG: &str = "84D401021A81141F01010F046553F10086090A01010B01060D011E7E191AD9";
/// Row 12.
const CLOCK: &str = "84D401020C81060F046553F100D57026B2";
/// Row 14.
const NEW_KEY: &str =
    "84D700002404729C5C33DB965E67F0530C088201413695E3F75B5E5C6C9BFE6D94D4617879F7A26829";
const FACTORY_RESET: &str = "8056000000";

const OK: [u8; 2] = [0x90, 0x00];
const WAITING: [u8; 2] = [0x90, 0x60];

fn token() -> Token2Molto2 {
    practice().challenging(CHALLENGE)
}

fn seed(bytes: &[u8]) -> SharedSecret {
    SharedSecret::new(bytes.to_vec())
}

fn send(token: &mut Token2Molto2, command: &str) -> Vec<u8> {
    token.transmit(&unhex(command), START)
}

fn authenticate(token: &mut Token2Molto2) {
    send(token, ASK);
    let mut block = [0; 16];
    block[..8].copy_from_slice(&CHALLENGE);
    let answer = [&unhex("80CE000010")[..], &token.key.encipher(block)].concat();
    assert_eq!(token.transmit(&answer, START), OK);
}

fn authenticated() -> Token2Molto2 {
    let mut token = token();
    authenticate(&mut token);
    token
}

/// A class-84 command with a right MAC.
fn secure(token: &mut Token2Molto2, header: [u8; 3], body: &[u8]) -> Vec<u8> {
    let mac = token.key.mac(header, body);
    let length = u8::try_from(body.len() + 4).expect("a short body");
    let command = [&[0x84][..], &header, &[length], body, &mac].concat();
    token.transmit(&command, START)
}

/// A class-84 command whose body is enciphered.
fn enciphered(token: &mut Token2Molto2, header: [u8; 3], plain: &[u8]) -> Vec<u8> {
    let blocks = plain.as_chunks::<16>().0.iter();
    let body: Vec<u8> = blocks.flat_map(|block| token.key.encipher(*block)).collect();
    secure(token, header, &body)
}

fn padded(plain: &[u8], length: usize) -> Vec<u8> {
    let mut padded = [plain, &[0x80]].concat();
    padded.resize(length, 0);
    padded
}

fn slot_read(token: &mut Token2Molto2, slot: u8) -> Vec<u8> {
    token.transmit(&[0x80, 0x41, 0x00, slot, 0x01, 0x70], START)
}

fn display(token: &Token2Molto2, secs: u64) -> Option<String> {
    token.face(UnixTime::from_secs(secs)).display
}

#[test]
fn the_sheets_vectors() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/vectors/token2-molto2.txt"
    ));
    let states = [
        token().empty(),
        token().with_leftover_title(5, "Old"),
        token().with_customer_key(b"MyNewCustomerKey"),
    ];
    let sections = sections(text);
    assert_eq!(sections.len(), states.len());
    for ((_, vectors), mut token) in sections.into_iter().zip(states) {
        for vector in vectors {
            let about = vector.about;
            assert_eq!(token.transmit(&vector.request, START), vector.answer, "{about}");
            if let Some((code, at)) = vector.shows {
                assert_eq!(display(&token, at), Some(code), "{about}");
            }
        }
    }
}

#[test]
fn the_practice_token_has_the_demo_profile_and_a_hundred_slots() {
    let mut token = practice();
    let block = slot_read(&mut token, 0);
    assert_eq!(block[..4], [0x95, 0x1f, 0x70, 0x1d]);
    assert_eq!(&block[5..21], b"0. Token2\0\0\0\0\0\0\0");
    assert_eq!(block[29..], [1, 0x1e, 6, 1, 0x90, 0x00]);
    assert_eq!(token.holds().len(), 1);
    assert_eq!(token.holds()[0].name.as_deref(), Some("0. Token2"));
    assert_eq!(slot_read(&mut token, 99).len(), 35);
    assert_eq!(slot_read(&mut token, 100), [0x6a, 0x83]);
    let mut first = Token2Molto2::new(Model::Molto2, 1);
    assert_eq!(slot_read(&mut first, 49).len(), 35);
    assert_eq!(slot_read(&mut first, 50), [0x6a, 0x83]);
}

#[test]
fn a_slot_tells_what_was_written_but_not_the_seed() {
    let mut token = authenticated();
    for command in [SEED, TITLE, CONFIG] {
        assert_eq!(send(&mut token, command), OK);
    }
    token.reset();
    let block = slot_read(&mut token, 2);
    assert_eq!(block[4], 0x20);
    assert_eq!(&block[5..21], b"Microsoft\0\0\0\0\0\0\0");
    assert_eq!(block[29..], [1, 0x1e, 6, 1, 0x90, 0x00]);
    let held = &token.holds()[1];
    assert_eq!(held.name.as_deref(), Some("Microsoft"));
    assert_eq!(held.secret.expose(), unhex("48656C6C6F21DEADBEEF"));
    assert_eq!((token.slot_of("Microsoft"), token.slot_of("Other")), (Some(2), None));
}

#[test]
fn info_tells_serial_and_a_clock_that_drifts_until_it_is_set() {
    let mut token = token().with_clock(START, 90, 0);
    let info = send(&mut token, "8041000000");
    assert_eq!(info[..4], [0x95, 21, 0x02, 13]);
    assert_eq!(Some(String::from_utf8_lossy(&info[4..17]).into_owned()), token.identity().serial);
    let clock = |info: &[u8]| info[19..23].to_vec();
    assert_eq!((info[17..19].to_vec(), clock(&info)), (vec![0x11, 0x04], unhex("6553F15A")));
    authenticate(&mut token);
    send(&mut token, CLOCK);
    assert_eq!(clock(&send(&mut token, "8041000000")), unhex("6553F100"));
}

#[test]
fn every_seed_length_needs_the_vendors_padding() {
    for length in 1..=63 {
        let seed = vec![0xa5; length];
        let full = (length / 16 + 1) * 16;
        let mut token = authenticated();
        let right = enciphered(&mut token, [0xc5, 1, 9], &padded(&seed, full));
        assert_eq!((right, token.holds().len()), (OK.to_vec(), 2), "{length}");
        assert_eq!(token.holds()[1].secret.expose(), seed);
        // A block more, or none where the seed fills its blocks.
        let mut wrong = vec![padded(&seed, full + 16)];
        if length.is_multiple_of(16) {
            wrong.push(seed.clone());
        }
        for plain in wrong.into_iter().filter(|plain| plain.len() <= 64) {
            assert_eq!(enciphered(&mut token, [0xc5, 1, 8], &plain), [0x6a, 0x80], "{length}");
        }
        assert_eq!(token.holds().len(), 2);
    }
}

#[test]
fn a_seed_that_is_empty_or_does_not_fit_is_refused() {
    let mut token = authenticated();
    assert_eq!(enciphered(&mut token, [0xc5, 1, 9], &padded(&[], 16)), [0x6a, 0x80]);
    assert_eq!(enciphered(&mut token, [0xc5, 1, 9], &padded(&[1; 64], 80)), [0x67, 0x00]);
    assert_eq!(enciphered(&mut token, [0xc5, 0, 9], &padded(&[1; 20], 32)), [0x6a, 0x80]);
    assert_eq!(enciphered(&mut token, [0xc5, 1, 100], &padded(&[1; 20], 32)), [0x6a, 0x83]);
    assert_eq!(token.holds().len(), 1);
}

#[test]
fn titles_have_one_to_twelve_bytes_of_utf_8() {
    let mut token = authenticated();
    let mut title = |plain: &[u8]| enciphered(&mut token, [0xd5, 0, 0], &padded(plain, 16));
    assert_eq!(title(b"123456789012"), OK);
    assert_eq!(title(b"1234567890123"), [0x6a, 0x80]);
    assert_eq!(title(b""), [0x6a, 0x80]);
    // Cut within a letter, and a letter that ends in the padding's byte.
    assert_eq!(title(b"A\xc3"), [0x6a, 0x80]);
    assert_eq!(title("\u{c0}".as_bytes()), OK);
    assert_eq!(token.slot_of("\u{c0}"), Some(0));
    assert_eq!(secure(&mut token, [0xd5, 0, 0], &[0; 32]), [0x67, 0x00]);
}

#[test]
fn a_configuration_is_all_or_nothing() {
    let mut token = authenticated();
    let before = slot_read(&mut token, 4);
    for body in [
        "81141F01040F046553F10086090A01010B01060D011E",
        "81141F01010F046553F10086090A01030B01060D011E",
        "81141F01010F046553F10086090A01010B01070D011E",
        "81141F01010F046553F10086090A01010B01060D011F",
        "86090A01010B01060D011E81141F01010F046553F100",
        "81061F046553F100",
    ] {
        assert_eq!(secure(&mut token, [0xd4, 1, 4], &unhex(body)), [0x6a, 0x80], "{body}");
    }
    let body = unhex("81141F01000F046553F10086090A01020B010A0D013C");
    assert_eq!(secure(&mut token, [0xd4, 0, 4], &body), [0x6a, 0x80]);
    assert_eq!(secure(&mut token, [0xd4, 1, 100], &body), [0x6a, 0x83]);
    assert_eq!(slot_read(&mut token, 4), before);
    assert_eq!(secure(&mut token, [0xd4, 1, 4], &body), OK);
    assert_eq!(slot_read(&mut token, 4)[29..33], [2, 0x3c, 10, 0]);
}

#[test]
fn every_number_of_digits_is_shown() {
    for (n, end) in [(4, "4550"), (6, "324550"), (8, "324550"), (10, "324550")] {
        let mut token = authenticated();
        send(&mut token, SEED);
        let body = unhex(&format!("81141F01010F046553F10086090A01010B01{n:02X}0D011E"));
        assert_eq!(secure(&mut token, [0xd4, 1, 2], &body), OK);
        let shown = display(&token, 1_700_000_000).expect("a code");
        assert!(shown.len() == n && shown.ends_with(end), "{n}");
    }
}

#[test]
fn wrong_answers_count_down_to_a_lock_that_only_a_factory_reset_ends() {
    let mut token = token();
    for left in (0..8).rev() {
        send(&mut token, ASK);
        assert_eq!(send(&mut token, WRONG_ANSWER), [0x63, 0xc0 | left]);
        token.reset();
    }
    send(&mut token, ASK);
    assert_eq!(send(&mut token, RIGHT_ANSWER), [0x63, 0xc0]);
    assert_eq!(send(&mut token, FACTORY_RESET), WAITING);
    token.press(START);
    authenticate(&mut token);
    assert!(token.holds().is_empty());
}

#[test]
fn a_right_answer_gives_all_tries_back() {
    let mut token = token().with_tries_left(1);
    authenticate(&mut token);
    send(&mut token, ASK);
    assert_eq!(send(&mut token, WRONG_ANSWER), [0x63, 0xc7]);
    let mut token = token.telling_tries_in_a_whole_byte();
    send(&mut token, ASK);
    assert_eq!(send(&mut token, WRONG_ANSWER), [0x63, 0x06]);
}

#[test]
fn one_answer_to_one_challenge() {
    let mut token = token();
    assert_eq!(send(&mut token, RIGHT_ANSWER), [0x6a, 0x80]);
    send(&mut token, ASK);
    assert_eq!(send(&mut token, WRONG_ANSWER), [0x63, 0xc7]);
    assert_eq!(send(&mut token, RIGHT_ANSWER), [0x6a, 0x80]);
    assert_eq!(send(&mut token, SEED), [0x69, 0x83]);
}

#[test]
fn a_new_challenge_or_a_reset_ends_the_session() {
    for ending in ["challenge", "reset"] {
        let mut token = authenticated();
        if ending == "challenge" {
            send(&mut token, ASK);
        } else {
            token.reset();
        }
        for command in [SEED, TITLE, CONFIG, CLOCK, NEW_KEY, "80E6000000"] {
            assert_eq!(send(&mut token, command), [0x69, 0x83], "{ending} {command}");
        }
    }
}

#[test]
fn lengths_classes_and_surplus_le_are_refused() {
    let with_le = [SEED, TITLE, CONFIG, CLOCK, NEW_KEY].map(|command| format!("{command}00"));
    let mut wrong = with_le.to_vec();
    for command in [
        "80410000",
        "8041000001",
        "804100020270",
        "80410002027070",
        "804B0800",
        "804B080008",
        "804B08000100",
        "80CE00000F550EC1328F963EB02972BB141E1CF5",
        "80CE000000",
        "80E60000",
        "80E600000100",
        "80560000",
        "805600000100",
        "84C50102045DA55DA5",
        "84C5010200",
        "84D401020A81040F0400006553F1",
        "84D5000204AABBCCDD",
    ] {
        wrong.push(command.to_owned());
    }
    for command in wrong {
        let mut token = authenticated();
        assert_eq!(send(&mut token, &command), [0x67, 0x00], "{command}");
    }
    for (command, status) in [
        ("00A4040007A0000005272101", [0x6e, 0x00]),
        ("8441000000", [0x6e, 0x00]),
        ("80C5010214546AE3CFFA1255447DD0F3F678522476C5BB6C63", [0x6e, 0x00]),
        ("8001000000", [0x6d, 0x00]),
        ("80D80C0200", [0x6d, 0x00]),
        ("804100020171", [0x6a, 0x80]),
        ("804101020170", [0x6a, 0x80]),
        ("8041000200", [0x6a, 0x80]),
        ("804B000000", [0x6a, 0x80]),
        ("80E6010000", [0x6a, 0x80]),
        ("8056010000", [0x6a, 0x80]),
    ] {
        let mut token = authenticated();
        assert_eq!(send(&mut token, command), status, "{command}");
        assert_eq!(token.holds().len(), 1);
    }
}

#[test]
fn a_mac_is_bound_to_its_slot() {
    let mut token = authenticated();
    let other_slot = SEED.replacen("84C50102", "84C50103", 1);
    assert_eq!(send(&mut token, &other_slot), [0x69, 0x83]);
    assert_eq!(token.holds().len(), 1);
    assert_eq!(send(&mut token, SEED), OK);
}

#[test]
fn deleting_and_clearing_leave_the_title() {
    let mut token = authenticated();
    for command in [SEED, TITLE] {
        send(&mut token, command);
    }
    assert_eq!(send(&mut token, "80E6000200"), OK);
    assert_eq!(send(&mut token, "80E6000200"), [0x6a, 0x83]);
    assert_eq!(send(&mut token, "80E6006400"), [0x6a, 0x83]);
    assert_eq!(&slot_read(&mut token, 2)[5..14], b"Microsoft");
    send(&mut token, SEED);
    for blocks in 1..=4 {
        assert_eq!(enciphered(&mut token, [0xc5, 1, 2], &vec![0; blocks * 16]), OK);
        assert_eq!((token.holds().len(), slot_read(&mut token, 2)[32]), (1, 0));
    }
    assert_eq!(&slot_read(&mut token, 2)[5..14], b"Microsoft");
}

#[test]
fn some_tokens_delete_without_a_session() {
    assert_eq!(send(&mut token(), "80E6000000"), [0x69, 0x83]);
    let mut token = token().deleting_for_anyone();
    assert_eq!(send(&mut token, "80E6000000"), OK);
    assert!(token.holds().is_empty());
}

#[test]
fn a_new_customer_key_is_taken_when_the_button_is_pressed() {
    let mut token = authenticated();
    assert_eq!(send(&mut token, NEW_KEY), WAITING);
    token.reset();
    send(&mut token, ASK);
    assert_eq!(send(&mut token, RIGHT_ANSWER), OK);
    assert_eq!(token.face(START).lines.len(), 2);
    token.press(START);
    assert_eq!(token.face(START).lines.len(), 1);
    assert_eq!(send(&mut token, SEED), [0x69, 0x83]);
    send(&mut token, ASK);
    assert_eq!(send(&mut token, RIGHT_ANSWER), [0x63, 0xc7]);
    assert!(token.key == Key::from_customer(b"MyNewCustomerKey"));
    assert_eq!(token.holds().len(), 1);
    let mut token = authenticated();
    for plain in [[0; 32], [0xff; 32]] {
        assert_eq!(enciphered(&mut token, [0xd7, 0, 0], &plain), [0x6a, 0x80]);
    }
}

#[test]
fn a_factory_reset_wipes_when_the_button_is_pressed() {
    let mut token = token().with_customer_key(b"0123456789abcdef").full();
    assert_eq!(token.holds().len(), 100);
    assert_eq!(send(&mut token, FACTORY_RESET), WAITING);
    assert_eq!(send(&mut token, FACTORY_RESET), WAITING);
    assert_eq!(token.holds().len(), 100);
    token.press(START);
    assert!(token.holds().is_empty());
    assert_eq!(slot_read(&mut token, 0)[4..21], [0; 17]);
    send(&mut token, ASK);
    assert_eq!(send(&mut token, RIGHT_ANSWER), OK);
}

#[test]
fn the_display_shows_what_was_written_last_and_the_button_goes_on() {
    let parameters = Parameters::default();
    let mut token = token().holding(40, "late", seed(&[1; 20]), parameters).holding(
        7,
        "early",
        seed(&[2; 20]),
        parameters,
    );
    let shown = |token: &Token2Molto2| token.face(START).lines[0].clone();
    let mut order = String::new();
    for _ in 0..4 {
        write!(order, "{}, ", shown(&token)).expect("a string grows");
        token.press(START);
    }
    assert_eq!(order, "7: early, 40: late, 0: 0. Token2, 7: early, ");
    authenticate(&mut token);
    send(&mut token, SEED);
    send(&mut token, TITLE);
    assert_eq!(shown(&token), "2: Microsoft");
    // The clock alone, for another slot, moves nothing on the display.
    secure(&mut token, [0xd4, 1, 40], &unhex("81060F046553F100"));
    assert_eq!(shown(&token), "2: Microsoft");
    let face = token.face(START);
    assert_eq!((face.display.as_deref(), face.seconds_left), (Some("324550"), Some(10)));
    assert!(face.on);
    send(&mut token, "80E6000200");
    assert_eq!(display(&token, 1_700_000_000).as_deref(), Some("------"));
}

#[test]
fn a_token_without_seeds_shows_dashes() {
    let mut token = token().empty();
    token.press(START);
    let face = token.face(START);
    assert_eq!((face.display.as_deref(), face.seconds_left), (Some("------"), None));
}

#[test]
fn the_clock_is_shared_and_the_display_follows_it() {
    let parameters =
        Parameters { period: Period::S60, digits: Digits::EIGHT, ..Parameters::default() };
    let mut token = token().holding(9, "x", seed(&[3; 20]), parameters);
    let before = display(&token, 1_700_000_000);
    authenticate(&mut token);
    secure(&mut token, [0xd4, 1, 50], &unhex("81060F046553F200"));
    assert_ne!(display(&token, 1_700_000_000), before);
    assert_eq!(display(&token, 1_700_000_000 - 256), before);
}

#[test]
fn the_screen_locks_from_firmware_2_1_on() {
    let mut token = token().with_screen_lock();
    assert_eq!(send(&mut token, "80D80C0200"), [0x69, 0x83]);
    authenticate(&mut token);
    assert_eq!(send(&mut token, "80D80C0200"), OK);
    assert_eq!(token.face(START).display, None);
    assert!(token.face(START).lines.is_empty());
    assert_eq!(send(&mut token, "80D80C020102"), [0x6a, 0x80]);
    assert_eq!(send(&mut token, "80D80C020101"), OK);
    assert!(token.face(START).display.is_some());
}

#[test]
fn another_token_is_of_the_same_model_with_the_factory_key() {
    let token = Token2Molto2::new(Model::Molto2, 5).with_customer_key(b"0123456789abcdef");
    let other = token.another();
    assert_eq!(other.identity().title, "Token2 Molto2");
    assert_ne!(other.identity().serial, token.identity().serial);
    assert_ne!(other.holds()[0].secret.expose(), token.holds()[0].secret.expose());
    assert_eq!(token.atr()[1..].iter().fold(0, |sum, byte| sum ^ byte), 0);
}
