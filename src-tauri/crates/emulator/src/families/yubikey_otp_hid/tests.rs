//! The emulated key against the sheet's recorded reports and rules.

use super::*;
use crate::vectors::{sections, unhex};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SECRET: &str = "48656c6c6f21deadbeef";
/// Frames of section 6, without their check sums.
const CONFIG: &str = "0000000000000000000000000000000000000000000048656c6c6f21deadbeef\
    000000000000000000000000002440260000f292";
const CHALLENGE: &str = "000000000360aa2a";
const MAC: &str = "1d706e941ac76b6d4a46dd6fafa45fe33511bf86";

fn secret() -> SharedSecret {
    SharedSecret::new(unhex(SECRET))
}

fn later(seconds: u64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + seconds)
}

fn get(key: &mut YubikeyOtpHid, now: UnixTime) -> Report {
    let report = key.get_feature(0, 9, now).expect("it knows the report");
    assert_eq!((report.len(), report[0]), (9, 0));
    report[1..].try_into().expect("eight bytes")
}

/// Reads until the last report was taken.
fn get_settled(key: &mut YubikeyOtpHid, now: UnixTime) -> Report {
    for _ in 0..20 {
        let report = get(key, now);
        if report[7] & TAKING == 0 {
            return report;
        }
    }
    panic!("it takes nothing");
}

fn set(key: &mut YubikeyOtpHid, report: &[u8]) {
    key.set_feature(&[&[0], report].concat(), NOW).expect("it knows the report");
}

/// Sends a frame whole, as a host does that leaves out no part.
fn send(key: &mut YubikeyOtpHid, command: u8, payload: &[u8]) {
    let mut whole = payload.to_vec();
    whole.resize(64, 0);
    let check = frame::crc16(&whole).to_le_bytes();
    whole.extend([command, check[0], check[1], 0, 0, 0]);
    for (number, part) in (0_u8..).zip(whole.chunks(7)) {
        get_settled(key, NOW);
        set(key, &[part, &[TAKING | number]].concat());
    }
}

/// A write, and the status after it.
fn configure(key: &mut YubikeyOtpHid, command: u8, payload: &[u8]) -> Report {
    send(key, command, payload);
    get_settled(key, NOW)
}

/// The answer's bytes and then the reset; `None` without an answer.
fn answer(key: &mut YubikeyOtpHid, length: usize) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    for number in 0_u8.. {
        let report = get_settled(key, NOW);
        match report[7] {
            0x40 if number > 0 => break,
            flags if flags == 0x40 | number => whole.extend_from_slice(&report[..7]),
            _ => return None,
        }
    }
    set(key, &[0, 0, 0, 0, 0, 0, 0, RESET]);
    assert!(frame::is_checked(&whole[..length + 2]));
    whole.truncate(length);
    Some(whole)
}

fn challenge(key: &mut YubikeyOtpHid, command: u8) -> Option<Vec<u8>> {
    send(key, command, &unhex(CHALLENGE));
    answer(key, 20)
}

/// 52 bytes with their check sum; the flags are ext, ticket and config.
fn config(flags: [u8; 3]) -> Vec<u8> {
    let mut config = vec![0; 50];
    config[22..38].fill(0x5a);
    config[45..48].copy_from_slice(&flags);
    let check = !frame::crc16(&config);
    config.extend(check.to_le_bytes());
    config
}

#[test]
fn the_sheets_vectors() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/vectors/yubikey-otp-hid.txt"
    ));
    let sections = sections(text);
    assert_eq!(sections.len(), 2);
    for (title, vectors) in sections {
        let is_stub = title.starts_with("slot 1 needs touch");
        let mut key = if is_stub {
            let key = practice().empty().holding(Slot::One, &secret());
            key.needing_touch(Slot::One).with_sequence(4)
        } else {
            practice().empty().with_sequence(3)
        };
        for vector in vectors {
            for report in vector.request.chunks(8) {
                get_settled(&mut key, NOW);
                set(&mut key, report);
            }
            let expected: Vec<&[u8]> = vector.answer.chunks(8).collect();
            for (number, report) in expected.iter().enumerate() {
                let mut found = get_settled(&mut key, NOW);
                if is_stub && found[7] == WAITING {
                    // The stub did not set the bits of the slot that it asked.
                    assert_eq!(found[5], 0x05);
                    found[5] = 0x02;
                }
                assert_eq!(found, *report, "{}", vector.about);
                let next = expected.get(number + 1);
                if report[7] == WAITING && next.is_some_and(|next| next[7] != WAITING) {
                    key.press(NOW);
                }
            }
        }
    }
}

#[test]
fn the_practice_key_has_the_factorys_credential_in_slot_1() {
    let mut key = practice();
    assert_eq!(get(&mut key, NOW), [0, 5, 4, 3, 1, 0x05, 0, 0]);
    assert!(key.holds().is_empty());
    assert_eq!(key.face(NOW).lines, ["Slot 1: Yubico OTP", "Slot 2: empty"]);
    assert_eq!(challenge(&mut key, 0x30), None);
    assert_eq!(configure(&mut key, 0x03, &unhex(CONFIG)), [0, 5, 4, 3, 2, 0x07, 0, 0]);
    assert_eq!(key.face(NOW).lines, ["Slot 1: Yubico OTP", "Slot 2: HMAC-SHA1"]);
    assert_eq!(challenge(&mut key, 0x38), Some(unhex(MAC)));
    // Slot 1 is still there after slot 2 went.
    assert_eq!(configure(&mut key, 0x03, &[]), [0, 5, 4, 3, 3, 0x05, 0, 0]);
    assert_eq!(challenge(&mut key, 0x38), None);
}

#[test]
fn a_slot_tells_the_truth_about_itself() {
    let mut key = practice().empty();
    configure(&mut key, 0x03, &unhex(CONFIG));
    let held = key.held_in(Slot::Two).expect("a shared secret");
    let padded = [unhex(SECRET), vec![0; 10]].concat();
    assert_eq!((held.secret.expose(), held.touch, held.name), (padded.as_slice(), false, None));
    assert!(key.held_in(Slot::One).is_none());
    let same = practice().empty().holding(Slot::Two, &secret());
    assert_eq!(same.holds()[0].secret.expose(), padded);
    // The last four bytes of a key are in another field.
    let mut long = config([0x24, 0x40, 0x2e]);
    long[16..20].fill(0x77);
    let check = (!frame::crc16(&long[..50])).to_le_bytes();
    long[50..].copy_from_slice(&check);
    configure(&mut key, 0x01, &long);
    let held = key.held_in(Slot::One).expect("a shared secret");
    assert_eq!(held.secret.expose(), [[0x5a; 16].as_slice(), &[0x77; 4]].concat());
    assert!(held.touch);
    assert_eq!(get(&mut key, NOW)[5], 0x07);
}

#[test]
fn a_configuration_that_is_none_changes_nothing() {
    let right = config([0x24, 0x40, 0x26]);
    let mut reserved = config([0x24, 0x40, 0x26]);
    reserved[48] = 1;
    let check = (!frame::crc16(&reserved[..50])).to_le_bytes();
    reserved[50..].copy_from_slice(&check);
    let mut unchecked = right.clone();
    unchecked[51] ^= 1;
    let wrong_code = [right.as_slice(), &[0, 0, 0, 0, 0, 1]].concat();
    let filled = [right.as_slice(), &[0; 11], &[1]].concat();
    for payload in [&reserved, &unchecked, &wrong_code, &filled, &Vec::new()] {
        let mut key = practice();
        let before = get(&mut key, NOW);
        assert_eq!(configure(&mut key, 0x03, payload), before, "{payload:02x?}");
    }
    // The slot commands that are not in this model, and none at all.
    for command in [0x00, 0x02, 0x04, 0x05, 0x06, 0x12, 0x13, 0x20, 0x28, 0x31] {
        let mut key = practice();
        let before = get(&mut key, NOW);
        assert_eq!(configure(&mut key, command, &right), before, "{command:02x}");
    }
}

#[test]
fn the_programming_sequence_counts_writes_and_is_0_when_all_is_erased() {
    let mut key = practice();
    for sequence in 2..=3 {
        assert_eq!(configure(&mut key, 0x03, &unhex(CONFIG))[4], sequence);
    }
    assert_eq!(configure(&mut key, 0x01, &[])[4], 4);
    assert_eq!(configure(&mut key, 0x03, &[])[4], 0);
    let mut key = practice().with_sequence(255);
    assert_eq!(configure(&mut key, 0x03, &unhex(CONFIG))[4], 1);
}

#[test]
fn a_protected_slot_is_changed_with_its_access_code_only() {
    const CODE: [u8; 6] = [1, 2, 3, 4, 5, 6];
    let mut key = practice().holding(Slot::Two, &secret()).protected_by(Slot::Two, CODE);
    let before = get(&mut key, NOW);
    let erase = |code: [u8; 6]| [[0; 52].as_slice(), &code].concat();
    for payload in [config([0x24, 0x40, 0x26]), erase([0; 6]), erase([6; 6])] {
        assert_eq!(configure(&mut key, 0x03, &payload), before);
    }
    // The other slot has none, and the protected one still answers.
    assert_eq!(challenge(&mut key, 0x38), Some(unhex(MAC)));
    assert_eq!(configure(&mut key, 0x01, &[])[4], before[4] + 1);
    assert_eq!(configure(&mut key, 0x03, &erase(CODE))[4..6], [0, 0]);
}

#[test]
fn a_touch_brings_the_answer_and_15_seconds_without_one_end_the_wait() {
    let waiting = || {
        let mut key = practice().holding(Slot::Two, &secret()).needing_touch(Slot::Two);
        assert!(!key.awaits_press(&[], NOW));
        send(&mut key, 0x38, &unhex(CHALLENGE));
        assert!(key.awaits_press(&[], NOW));
        assert_eq!(get_settled(&mut key, later(14)), [0, 5, 4, 3, 1, 0x0f, 0, WAITING]);
        key
    };
    let mut key = waiting();
    key.press(later(14));
    assert!(!key.awaits_press(&[], later(14)));
    assert_eq!(answer(&mut key, 20), Some(unhex(MAC)));
    // One touch, one answer.
    assert_eq!(challenge(&mut key, 0x38), None);
    let mut key = waiting();
    assert!(!key.awaits_press(&[], later(15)));
    assert_eq!(get(&mut key, later(15))[7], 0);
    key.press(later(16));
    assert_eq!(get(&mut key, later(16))[7], 0);
    // Cancelled by the reset report, or by being unplugged.
    let mut key = waiting();
    set(&mut key, &[0, 0, 0, 0, 0, 0, 0, RESET]);
    assert_eq!(get(&mut key, NOW)[7], 0);
    let mut key = waiting();
    key.reset();
    key.press(NOW);
    assert_eq!(get(&mut key, NOW)[7], 0);
    // A touch just before counts, one of long ago does not.
    for (early, expected) in [(15, true), (16, false)] {
        let mut key = practice().holding(Slot::Two, &secret()).needing_touch(Slot::Two);
        key.press(UnixTime::from_secs(NOW.as_secs() - early));
        assert_eq!(challenge(&mut key, 0x38).is_some(), expected);
    }
}

#[test]
fn a_challenge_padded_with_its_own_last_byte_gives_another_answer() {
    let mut key = practice().holding(Slot::Two, &secret());
    let right = unhex("574b9fab005c742ffd04110980aefc3942754979");
    let padded = |padding| [unhex("000000000360aa00"), vec![padding; 56]].concat();
    for (padding, is_right) in [(0x01, true), (0xff, true), (0x00, false)] {
        send(&mut key, 0x38, &padded(padding));
        assert_eq!(answer(&mut key, 20).as_ref() == Some(&right), is_right, "{padding}");
    }
    // Without the flag all 64 bytes are the challenge.
    configure(&mut key, 0x03, &config([0x24, 0x40, 0x22]));
    send(&mut key, 0x38, &padded(0x01));
    let mac = crate::otp::mac(
        oath::Algorithm::Sha1,
        &[[0x5a; 16].as_slice(), &[0; 4]].concat(),
        &padded(0x01),
    );
    assert_eq!(answer(&mut key, 20), Some(mac));
}

#[test]
fn a_report_before_the_last_one_was_taken_is_lost() {
    let parts = ["000000000360aa80", "2a00000000000081", "00388c8700000089"];
    for (is_polled, flags) in [(true, 0x40), (false, 0x00)] {
        let mut key = practice().holding(Slot::Two, &secret());
        for part in parts {
            if is_polled {
                get_settled(&mut key, NOW);
            }
            set(&mut key, &unhex(part));
        }
        assert_eq!(get(&mut key, NOW)[7], TAKING);
        assert_eq!(get_settled(&mut key, NOW)[7], flags);
    }
    let mut slow = practice().taking_reads(19);
    set(&mut slow, &unhex(parts[0]));
    assert_eq!((0..30).filter(|_| get(&mut slow, NOW)[7] == TAKING).count(), 19);
}

#[test]
fn an_answer_stays_until_the_reset() {
    let mut key = practice();
    send(&mut key, 0x10, &[]);
    assert_eq!(get_settled(&mut key, NOW), [0x00, 0xbc, 0x61, 0x4e, 0xc8, 0x04, 0x00, 0x40]);
    let sent = unhex("0000000000000080");
    set(&mut key, &sent);
    for _ in 0..3 {
        assert_eq!(get(&mut key, NOW), [0, 0, 0, 0, 0, 0, 0, 0x40]);
    }
    set(&mut key, &[0, 0, 0, 0, 0, 0, 0, RESET]);
    assert_eq!(get(&mut key, NOW)[..5], [0, 5, 4, 3, 1]);
}

#[test]
fn the_serial_is_told_unless_every_used_slot_hides_it() {
    let serial = |mut key: YubikeyOtpHid| {
        send(&mut key, 0x10, &[]);
        answer(&mut key, 4)
    };
    let told = Some(vec![0x00, 0xbc, 0x61, 0x4e]);
    assert_eq!(serial(practice()), told);
    assert_eq!(serial(practice().empty()), told);
    assert_eq!(serial(practice().hiding_its_serial()), None);
    assert_eq!(serial(practice().hiding_its_serial().holding(Slot::Two, &secret())), told);
}

#[test]
fn firmware_before_2_2_stores_no_challenge_response() {
    for (version, sequence) in [([2, 1, 2], 1), ([2, 2, 0], 2)] {
        let mut key = practice().with_version(version);
        let status = configure(&mut key, 0x03, &unhex(CONFIG));
        assert_eq!((&status[1..4], status[4]), (version.as_slice(), sequence));
    }
}

#[test]
fn a_slot_with_something_else_answers_no_challenge() {
    let mut key = practice().holding_another_credential(Slot::Two);
    assert_eq!(get(&mut key, NOW)[5], 0x0f);
    assert_eq!(challenge(&mut key, 0x38), None);
    // Written over the wire: a Yubico OTP, and its challenge-response.
    for (flags, touch) in [([0x24, 0x20, 0x00], 0x0f), ([0x24, 0x40, 0x20], 0x07)] {
        assert_eq!(configure(&mut key, 0x03, &config(flags))[5], touch);
        assert_eq!(challenge(&mut key, 0x38), None);
        assert!(key.holds().is_empty());
    }
}

#[test]
fn other_reports_are_stalled() {
    let mut key = practice();
    for report in [&[][..], &[0; 8], &[0; 10], &[1, 0, 0, 0, 0, 0, 0, 0, 0x80]] {
        assert_eq!(key.set_feature(report, NOW), Err(Stalled), "{report:02x?}");
    }
    assert_eq!(key.get_feature(1, 9, NOW), Err(Stalled));
    assert_eq!(key.get_feature(0, 4, NOW), Ok(vec![0, 0, 5, 4]));
    assert_eq!(Hid::write(&mut key, &[0; 9], NOW), Err(Stalled));
    assert_eq!(Hid::read(&mut key, NOW), None);
}

#[test]
fn it_is_the_keyboard_of_a_key() {
    let device = practice().hid_device().expect("a HID device");
    assert_eq!((device.vendor, device.product), (0x1050, 0x0403));
    assert_eq!((device.usage_page, device.usage, device.feature_length), (1, 6, 8));
}
