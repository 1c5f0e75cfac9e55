//! The emulated keys against the sheets' recorded answers and rules.

use super::*;
use crate::vectors::{sections, unhex};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SALT: [u8; 8] = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77];
const CHALLENGE: [u8; 8] = [0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
const SELECT: &str = "00a4040007a0000005272101";
const LIST: &str = "00a1000000";
/// VALIDATE and SET CODE of yubikey-oath.md section 8.
const VALIDATE: &str = "00a3000020751485cee588b3e61e11b676b6e738958a13f8513a9474080102030405060708";
/// CALCULATE of a credential named "n" for challenge 1.
const CALCULATE_N: &str = "00a200010d71016e74080000000000000001";

fn key(product: Product) -> YubikeyOath {
    YubikeyOath::new(product, 1).salted(SALT).challenging(CHALLENGE)
}

fn selected(product: Product) -> YubikeyOath {
    let mut key = key(product);
    send(&mut key, SELECT);
    key
}

fn send(key: &mut YubikeyOath, command: &str) -> Vec<u8> {
    key.transmit(&unhex(command), NOW)
}

fn status(key: &mut YubikeyOath, command: &[u8]) -> u16 {
    let answer = key.transmit(command, NOW);
    let (_, status) = answer.split_last_chunk::<2>().expect("a status word");
    u16::from_be_bytes(*status)
}

/// A PUT of a time-based credential; `tail` comes behind its key.
fn put_command(name: &str, algorithm: u8, digits: u8, key_length: usize, tail: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    put(&mut data, 0x71, name.as_bytes());
    let secret = vec![0x5a; key_length];
    put(&mut data, 0x73, &[&[0x20 | algorithm, digits], secret.as_slice()].concat());
    data.extend_from_slice(tail);
    let length = u8::try_from(data.len()).expect("a short APDU");
    [&[0, 1, 0, 0, length], data.as_slice()].concat()
}

#[test]
fn the_sheets_vectors() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/vectors/yubikey-oath.txt"
    ));
    let sections = sections(text);
    assert_eq!(sections.len(), 3);
    for (title, vectors) in sections {
        let product = match title.split([',', ' ']).next() {
            Some("YubiKey") => Product::YUBIKEY_5_4,
            Some("CanoKey") => Product::CANOKEY,
            Some("NEO") => Product::NEO,
            other => panic!("no such product: {other:?}"),
        };
        let mut key = key(product);
        for vector in vectors {
            let answer = key.transmit(&vector.request, NOW);
            assert_eq!(answer, vector.answer, "{title}: {}", vector.about);
        }
    }
}

#[test]
fn the_password_of_the_sheet_gives_its_key() {
    let mut key = key(Product::YUBIKEY_5_4).protected_by("correct horse");
    let derived = key.access_key.as_ref().map(|k| k.expose().to_vec());
    assert_eq!(derived, Some(unhex("15361e19bd8b539f93cb0b5ea947ff94")));
    send(&mut key, SELECT);
    assert_eq!(send(&mut key, LIST), [0x69, 0x82]);
    assert!(send(&mut key, VALIDATE).ends_with(&[0x90, 0]));
    assert_eq!(send(&mut key, LIST), [0x90, 0]);
    key.reset();
    send(&mut key, SELECT);
    assert_eq!(send(&mut key, LIST), [0x69, 0x82]);
}

#[test]
fn solo_2_unlocks_for_one_command_and_pico_names_a_wrong_password_otherwise() {
    let mut solo = key(Product::SOLO_2).protected_by("correct horse");
    send(&mut solo, SELECT);
    assert_eq!(send(&mut solo, LIST), [0x69, 0x85]);
    for _ in 0..2 {
        assert!(send(&mut solo, VALIDATE).ends_with(&[0x90, 0]));
        assert_eq!(send(&mut solo, LIST), [0x90, 0]);
        assert_eq!(send(&mut solo, LIST), [0x69, 0x85]);
    }
    let mut pico = key(Product::PICO_FIDO).protected_by("another");
    send(&mut pico, SELECT);
    assert_eq!(send(&mut pico, VALIDATE), [0x69, 0x84]);
    assert_eq!(send(&mut selected(Product::YUBIKEY_5_4), VALIDATE), [0x69, 0x84]);
}

#[test]
fn what_a_put_may_hold_differs_by_product() {
    const ALL: &[usize] = &[0, 1, 2, 3, 4, 5, 6, 7];
    // By the place in `Product::ALL`: 5.4, 5.7, NEO, CanoKey, pico-fido, Solo 2, an
    // older CanoKey, RS-Key.
    // Algorithm, digits, length of the key, tail; who accepts it.
    type Case = (u8, u8, usize, &'static [u8], &'static [usize]);
    let cases: [Case; 12] = [
        (1, 6, 14, &[], ALL),
        (1, 6, 13, &[], &[3, 4, 5, 6]),
        (2, 8, 64, &[], ALL),
        (1, 6, 65, &[], &[]),
        (3, 6, 64, &[], &[0, 1, 3, 4, 6, 7]),
        (3, 6, 128, &[], &[0, 1, 4, 7]),
        (1, 4, 20, &[], &[3, 6]),
        (1, 9, 20, &[], &[]),
        (4, 6, 20, &[], &[]),
        (1, 6, 20, &[0x78, 0x02], ALL),
        (1, 6, 20, &[0x78, 0x04], &[2, 4, 5, 7]),
        (1, 6, 20, &[0x79, 0x00], &[2, 4, 7]),
    ];
    for (algorithm, digits, length, tail, accepting) in cases {
        let command = put_command("n", algorithm, digits, length, tail);
        for (index, product) in Product::ALL.into_iter().enumerate() {
            let accepted = status(&mut selected(product), &command) == 0x9000;
            let expected = accepting.contains(&index);
            let title = product.title;
            assert_eq!(accepted, expected, "{title}: {algorithm} {digits} {length} {tail:?}");
        }
    }
}

#[test]
fn names_are_1_to_64_bytes_and_the_same_name_is_overwritten_or_refused() {
    for product in Product::ALL {
        let mut key = selected(product);
        let long = "n".repeat(65);
        for (name, expected) in [("", 0x6a80), (&long[..64], 0x9000), (&long, 0x6a80)] {
            assert_eq!(status(&mut key, &put_command(name, 1, 6, 20, &[])), expected);
        }
        let again = status(&mut key, &put_command(&long[..64], 1, 8, 20, &[]));
        let (expected, digits) =
            if product.version == [6, 0, 0] { (0x6985, 6) } else { (0x9000, 8) };
        assert_eq!(again, expected);
        let held = key.holds();
        assert_eq!((held.len(), held[0].digits.get()), (1, digits));
    }
}

#[test]
fn a_full_key_says_so_and_still_overwrites() {
    for (product, room) in [(Product::YUBIKEY_5_4, 32), (Product::YUBIKEY_5_7, 64)] {
        let mut key = selected(product);
        for number in 0..room {
            let command = put_command(&format!("entry {number}"), 1, 6, 20, &[]);
            assert_eq!(status(&mut key, &command), 0x9000);
        }
        assert_eq!(status(&mut key, &put_command("one more", 1, 6, 20, &[])), 0x6a84);
        assert_eq!(status(&mut key, &put_command("entry 0", 1, 6, 20, &[])), 0x9000);
    }
    // A NEO has room for 28 names of 64 bytes.
    let mut neo = selected(Product::NEO);
    let count = (0..40)
        .filter(|n| status(&mut neo, &put_command(&format!("{n:064}"), 1, 6, 20, &[])) == 0x9000)
        .count();
    assert_eq!(count, 28);
}

#[test]
fn a_touch_is_good_for_one_code_within_15_seconds() {
    let mut key = selected(Product::YUBIKEY_5_7);
    status(&mut key, &put_command("n", 1, 6, 20, &[0x78, 0x02]));
    let calculate = unhex(CALCULATE_N);
    assert!(key.awaits_press(&calculate, NOW));
    assert_eq!(status(&mut key, &calculate), 0x6982);
    key.press(NOW);
    assert!(!key.awaits_press(&calculate, NOW));
    assert_eq!(status(&mut key, &calculate), 0x9000);
    assert_eq!(status(&mut key, &calculate), 0x6982);
    key.press(NOW);
    let late = UnixTime::from_secs(NOW.as_secs() + 16);
    assert_eq!(key.transmit(&calculate, late), [0x69, 0x82]);
    assert!(key.holds()[0].touch);
}

#[test]
fn products_without_touch_ignore_it() {
    for product in [Product::NEO, Product::PICO_FIDO, Product::RS_KEY, Product::SOLO_2] {
        let mut key = selected(product);
        status(&mut key, &put_command("n", 1, 6, 20, &[0x78, 0x02]));
        assert_eq!(status(&mut key, &unhex(CALCULATE_N)), 0x9000);
        assert!(!key.holds()[0].touch);
    }
}

#[test]
fn an_increasing_credential_refuses_an_older_challenge() {
    let mut key = selected(Product::YUBIKEY_5_7);
    status(&mut key, &put_command("n", 1, 6, 20, &[0x78, 0x01]));
    let at = |factor: u8| unhex(&format!("00a200010d71016e740800000000000000{factor:02x}"));
    assert_eq!(status(&mut key, &at(7)), 0x9000);
    assert_eq!(status(&mut key, &at(7)), 0x9000);
    assert_eq!(status(&mut key, &at(6)), 0x6982);
    assert_eq!(status(&mut key, &at(8)), 0x9000);
}

/// Fetches a whole LIST of 20 entries; also the number of parts and their
/// first status word.
fn list_of_twenty(product: Product, continued_by: &str) -> (Vec<u8>, usize, u16) {
    let mut key = selected(product);
    for number in 0..20 {
        let command = put_command(&format!("entry number {number:02}"), 1, 6, 20, &[]);
        assert_eq!(status(&mut key, &command), 0x9000);
    }
    let (mut list, mut parts, mut first) = (Vec::new(), 0, 0);
    let mut command = LIST;
    loop {
        let answer = send(&mut key, command);
        let (data, status) = answer.split_last_chunk::<2>().expect("a status word");
        list.extend_from_slice(data);
        parts += 1;
        if parts == 1 {
            first = u16::from_be_bytes(*status);
        }
        match status {
            [0x61, _] => command = continued_by,
            [0x90, 0x00] => return (list, parts, first),
            other => panic!("{other:02x?}"),
        }
    }
}

#[test]
fn long_answers_are_cut_as_each_product_cuts() {
    let (send_remaining, get_response) = ("00a5000000", "00c0000000");
    // 20 entries of 18 bytes: 2 bytes header, 1 type, 15 name.
    let (whole, parts, first) = list_of_twenty(Product::PICO_FIDO, send_remaining);
    assert_eq!((whole.len(), parts, first), (360, 1, 0x9000));
    let cases = [
        (Product::YUBIKEY_5_7, send_remaining, 8, 0x61ff),
        (Product::YUBIKEY_5_7.cutting_at(300), send_remaining, 2, 0x613c),
        (Product::NEO.wanting_get_response(), get_response, 8, 0x61ff),
        (Product::CANOKEY, send_remaining, 2, 0x61ff),
    ];
    for (product, continued_by, parts, first) in cases {
        let expected = (whole.clone(), parts, first);
        assert_eq!(list_of_twenty(product, continued_by), expected, "{}", product.title);
    }
    // CanoKey cuts between whole objects: 14 of 18 bytes fit 255. Before firmware 3.0.1
    // no part says that there is another.
    for (product, word) in [(Product::CANOKEY, [0x61, 0xff]), (Product::CANOKEY_2, [0x90, 0x00])] {
        let mut cano = selected(product);
        for number in 0..20 {
            status(&mut cano, &put_command(&format!("entry number {number:02}"), 1, 6, 20, &[]));
        }
        let first = send(&mut cano, LIST);
        assert_eq!((first.len(), &first[14 * 18..]), (14 * 18 + 2, &word[..]));
        assert_eq!(send(&mut cano, send_remaining).len(), 6 * 18 + 2);
        assert_eq!(send(&mut cano, send_remaining), [0x69, 0x85]);
    }
}

#[test]
fn a_solo_2_stops_at_what_it_does_not_expect_until_it_has_power_anew() {
    let key_first = "000100000a7305210601020371016e";
    let mut solo = selected(Product::SOLO_2);
    assert_eq!(send(&mut solo, key_first), []);
    assert_eq!(send(&mut solo, SELECT), []);
    solo.reset();
    assert!(send(&mut solo, SELECT).ends_with(&[0x90, 0x00]));
    assert_eq!(send(&mut selected(Product::CANOKEY), key_first), [0x6a, 0x80]);
}

#[test]
fn a_canokey_before_1_5_has_other_instructions() {
    for greets in [true, false] {
        let mut cano = key(Product::CANOKEY.with_older_instructions(greets)).holding(
            "n",
            SharedSecret::new(vec![1; 20]),
            Algorithm::Sha1,
            Digits::SIX,
        );
        assert_eq!(send(&mut cano, SELECT).len() > 2, greets);
        assert_eq!(send(&mut cano, LIST), [0x6d, 0x00]);
        assert_eq!(send(&mut cano, "0003000000"), unhex("7202216e9000"));
    }
}

#[test]
fn another_command_forgets_what_was_not_fetched() {
    let mut key = selected(Product::YUBIKEY_5_7);
    for name in ["a name of twenty byte", "another of twenty byt", "and one more of twent"] {
        status(&mut key, &put_command(name, 1, 6, 20, &[]));
    }
    assert_eq!(status(&mut key, &unhex(LIST)) & 0xff00, 0x6100);
    assert_eq!(status(&mut key, &unhex(CALCULATE_N)), 0x6984);
    assert_eq!(send(&mut key, "00a5000000"), [0x90, 0x00]);
}

#[test]
fn extended_apdus_are_understood() {
    let mut key = key(Product::YUBIKEY_5_7);
    assert_eq!(send(&mut key, LIST), [0x6d, 0x00]);
    assert!(send(&mut key, "00a40400000007a00000052721010000").ends_with(&[0x90, 0]));
    assert_eq!(send(&mut key, "00a10000"), [0x90, 0x00]);
    assert_eq!(send(&mut key, "00a10000000000"), [0x90, 0x00]);
    assert_eq!(send(&mut key, "10a1000000"), [0x6e, 0x00]);
}

#[test]
fn hotp_counts_from_its_counter() {
    // RFC 4226 appendix D: counter 1 gives 287082, counter 2 gives 359152.
    let mut key = selected(Product::YUBIKEY_5_7);
    let mut data = Vec::new();
    put(&mut data, 0x71, b"n");
    put(&mut data, 0x73, &[&[0x11, 6], &b"12345678901234567890"[..]].concat());
    data.extend_from_slice(&[0x7a, 4, 0, 0, 0, 1]);
    let length = u8::try_from(data.len()).expect("short");
    status(&mut key, &[&[0, 1, 0, 0, length], data.as_slice()].concat());
    for expected in [287_082, 359_152] {
        let answer = send(&mut key, CALCULATE_N);
        let bits: [u8; 4] = answer[3..7].try_into().expect("four bytes");
        assert_eq!(u32::from_be_bytes(bits) % 1_000_000, expected);
    }
}

#[test]
fn a_reset_forgets_everything_and_changes_the_salt() {
    let mut key = key(Product::YUBIKEY_5_7)
        .holding("n", SharedSecret::new(vec![1; 20]), Algorithm::Sha1, Digits::SIX)
        .protected_by("forgotten");
    let before = send(&mut key, SELECT);
    assert_eq!(send(&mut key, "0004dead00"), [0x90, 0x00]);
    assert_ne!(send(&mut key, SELECT)[5..15], before[5..15]);
    assert!(key.holds().is_empty());
    assert_eq!(send(&mut key, LIST), [0x90, 0x00]);
}

#[test]
fn management_tells_version_and_serial() {
    let mut key = key(Product::YUBIKEY_5_4);
    let greeting = send(&mut key, "00a4040008a000000527471117");
    assert!(greeting.starts_with(b"Virtual mgr - FW version 5.4.3"));
    let info = send(&mut key, "001d000000");
    assert_eq!(usize::from(info[0]), info.len() - 3);
    assert_eq!(send(&mut key, LIST), [0x6d, 0x00]);
    let answer = send(&mut self::key(Product::SOLO_2), "00a4040008a000000527471117");
    assert_eq!(answer, [0x6a, 0x82]);
}

#[test]
fn the_face_names_the_entries() {
    let secret = SharedSecret::new(vec![1; 20]);
    let key = key(Product::CANOKEY).holding("Acme:x", secret, Algorithm::Sha1, Digits::SIX);
    let face = key.face(NOW);
    assert_eq!(face.lines, ["Acme:x"]);
    assert_eq!((face.display, face.serial), (None, None));
    assert_eq!(face.buttons, [Button::Touch]);
}
