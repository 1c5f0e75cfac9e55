//! The emulated keys against the sheet's messages and rules.

use super::*;
use crate::vectors::{sections, unhex};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const CODE: &str = "324550";

fn seed() -> SharedSecret {
    SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec())
}

fn key() -> OnlyKey {
    OnlyKey::new(Model::OnlyKey, 1)
}

/// Sends a message and reads every answer, without the zeros behind it.
fn send(key: &mut OnlyKey, message: &[u8], now: UnixTime) -> Vec<Vec<u8>> {
    let mut report = vec![0; REPORT + 1];
    report[1..5].fill(0xff);
    report[5..5 + message.len()].copy_from_slice(message);
    key.write(&report, now).expect("a whole report");
    std::iter::from_fn(|| key.read(now))
        .map(|answer| {
            assert_eq!(answer.len(), REPORT);
            let end = answer.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            answer[..end].to_vec()
        })
        .collect()
}

/// The one answer as text; nothing if there is none.
fn said(key: &mut OnlyKey, message: &[u8]) -> String {
    let answers = send(key, message, NOW);
    assert!(answers.len() < 2);
    String::from_utf8(answers.concat()).expect("ASCII")
}

fn tell(key: &mut OnlyKey, time: UnixTime, now: UnixTime) -> String {
    let time = u32::try_from(time.as_secs()).expect("before 2106").to_be_bytes();
    let answers = send(key, &[&[0xe4], time.as_slice()].concat(), now);
    String::from_utf8(answers.concat()).expect("ASCII")
}

fn set(key: &mut OnlyKey, slot: u8, field: u8, data: &[u8]) -> String {
    said(key, &[&[0xe6, slot, field], data].concat())
}

fn typed(key: &mut OnlyKey, now: UnixTime) -> Option<String> {
    key.press(now);
    key.face(now).display
}

fn replug(key: &mut OnlyKey) {
    key.reset();
    key.reset();
}

#[test]
fn the_sheets_vectors() {
    let text =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/vectors/onlykey.txt"));
    let sections = sections(text);
    assert_eq!(sections.len(), 1);
    for (title, vectors) in sections {
        let mut key = key();
        for vector in vectors {
            let report = [&[0], vector.request.as_slice()].concat();
            key.write(&report, NOW).expect("a whole report");
            let answers: Vec<u8> = std::iter::from_fn(|| key.read(NOW)).flatten().collect();
            assert_eq!(answers, vector.answer, "{title}: {}", vector.about);
            if let Some((code, at)) = vector.shows {
                assert_eq!(typed(&mut key, UnixTime::from_secs(at)), Some(code));
            }
        }
    }
}

#[test]
fn reports_of_other_lengths_and_kinds_are_stalled() {
    let mut key = key();
    assert_eq!(key.write(&[0; 64], NOW), Err(Stalled));
    assert_eq!(key.write(&[0; 66], NOW), Err(Stalled));
    assert_eq!(key.write(&[1; 65], NOW), Err(Stalled));
    assert_eq!(key.set_feature(&[0; 65], NOW), Err(Stalled));
    assert_eq!(key.get_feature(0, 65, NOW), Err(Stalled));
}

#[test]
fn what_is_no_message_of_a_slot_is_not_answered() {
    let mut key = key();
    let mut headless = vec![0; 65];
    headless[5] = 0xe4;
    assert_eq!(key.write(&headless, NOW), Ok(()));
    assert_eq!(key.read(NOW), None);
    for message in ["e1313233", "ef0101", "ff", "e60001aa", "e60d01aa", "e6016301", "e71901"] {
        assert_eq!(said(&mut key, &unhex(message)), "");
    }
    assert!(key.slots.iter().all(|slot| !slot.is_used()));
}

#[test]
fn each_state_says_what_it_is_and_what_it_refuses() {
    let cases = [
        (key(), "UNLOCKEDv3.0.4-prodc", "Successfully set Label"),
        (key().in_config_mode(), "UNLOCKEDv3.0.4-prodc", "Successfully set Label"),
        (key().locked(), "INITIALIZED", LOCKED),
        (key().uninitialised(), "UNINITIALIZED", UNINITIALISED),
        (key().restricted(), "UNLOCKEDv3.0.4-prodc", "Error not in config mode"),
        (key().restricted().in_config_mode(), "UNLOCKEDv3.0.4-prodc", "Successfully set Label"),
        (OnlyKey::new(Model::Duo, 1).locked(), "INITIALIZED-D", LOCKED),
        (OnlyKey::new(Model::Duo, 1), "UNLOCKEDv3.0.4-prodp", "Successfully set Label"),
        (
            OnlyKey::new(Model::DuoWithoutPin, 1).locked(),
            "UNLOCKEDv3.0.4-prodn",
            "Successfully set Label",
        ),
    ];
    for (mut key, state, answer) in cases {
        assert_eq!(tell(&mut key, NOW, NOW), state);
        assert_eq!(set(&mut key, 1, 1, b"Label"), answer);
        let is_error = answer == LOCKED || answer == UNINITIALISED;
        let labels = send(&mut key, &[0xe5], NOW);
        assert_eq!(labels.len() == 1, is_error);
        let wiped = send(&mut key, &[0xe7, 1], NOW);
        assert_eq!(wiped.len() == 1, answer.starts_with("Error"));
    }
}

const LOCKED: &str = "Error device locked";
const UNINITIALISED: &str = "Error OnlyKey must be initialized first";

#[test]
fn time_is_taken_once_per_power_up_and_in_no_other_state() {
    let wrong = UnixTime::from_secs(NOW.as_secs() - 600);
    let mut key = key().holding(1, "Microsoft", seed());
    assert_eq!(typed(&mut key, NOW).as_deref(), Some("NOTSET"));
    tell(&mut key, wrong, NOW);
    let late = typed(&mut key, NOW);
    assert_ne!(late.as_deref(), Some(CODE));
    assert!(tell(&mut key, NOW, NOW).starts_with("UNLOCKED"));
    assert_eq!(typed(&mut key, NOW), late);
    replug(&mut key);
    assert_eq!(tell(&mut key, NOW, NOW), "INITIALIZED");
    key.press(NOW);
    assert_eq!(typed(&mut key, NOW).as_deref(), Some("NOTSET"));
    tell(&mut key, NOW, NOW);
    assert_eq!(typed(&mut key, NOW).as_deref(), Some(CODE));
    let mut told = self::key().holding(1, "x", seed()).told(wrong, NOW);
    told.reset();
    tell(&mut told, NOW, NOW);
    assert_eq!(typed(&mut told, NOW), late);
}

#[test]
fn config_mode_takes_no_time_types_nothing_and_ends_with_the_plug() {
    let mut key = key().restricted().in_config_mode();
    key.reset();
    tell(&mut key, NOW, NOW);
    assert_eq!(set(&mut key, 7, 9, b"Hello!\xde\xad\xbe\xef"), "Successfully set 2FA Key");
    assert!(key.clock.is_none());
    assert_eq!(typed(&mut key, NOW), None);
    assert_eq!(key.face(NOW).lines[0], "config mode");
    replug(&mut key);
    assert_eq!(key.face(NOW).lines[0], "locked");
    key.press(NOW);
    tell(&mut key, NOW, NOW);
    assert_eq!(typed(&mut key, NOW).as_deref(), Some(CODE));
    assert_eq!(set(&mut key, 7, 1, b"x"), "Error not in config mode");
}

#[test]
fn four_zero_bytes_end_a_key_wherever_they_are() {
    let stored = |bytes: &[u8]| {
        let mut key = key();
        assert_eq!(set(&mut key, 1, 9, bytes), "Successfully set 2FA Key");
        key.holds().first().map(|held| held.secret.expose().to_vec())
    };
    assert_eq!(stored(&[1; 20]), Some(vec![1; 20]));
    assert_eq!(stored(&[1; 53]), Some(vec![1; 53]));
    assert_eq!(stored(b"cut\0\0\0\0here"), Some(b"cut".to_vec()));
    assert_eq!(stored(b"not\0\0\0cut"), Some(b"not\0\0\0cut".to_vec()));
    assert_eq!(stored(b"tail\0\0"), Some(b"tail".to_vec()));
    assert_eq!(stored(&[0; 20]), None);
    // Without four zero bytes behind it, it runs on into other memory.
    for length in 54..=57 {
        let key = stored(&vec![1; length]).expect("something");
        assert!(key.len() > length && key.starts_with(&vec![1; length]));
    }
}

#[test]
fn labels_are_told_for_every_slot_with_shifted_numbers() {
    for (model, count) in [(Model::OnlyKey, 12), (Model::Duo, 24)] {
        let mut key = OnlyKey::new(model, 1);
        assert_eq!(set(&mut key, 9, 1, b"sixteen bytes ok"), "Successfully set Label");
        assert_eq!(set(&mut key, 12, 1, b"Twelve"), "Successfully set Label");
        let labels = send(&mut key, &[0xe5], NOW);
        assert_eq!(labels.len(), count);
        assert_eq!(labels[0], b"\x01|");
        assert_eq!(labels[8], b"\x09|sixteen bytes ok");
        assert_eq!(labels[9], b"\x10|");
        assert_eq!(labels[11], b"\x12|Twelve");
        assert_eq!(key.face(NOW).lines, ["sixteen bytes ok", "Twelve"]);
    }
    let mut key = key();
    set(&mut key, 1, 1, b"longer than sixteen");
    assert_eq!(send(&mut key, &[0xe5], NOW)[0], b"\x01|longer than sixt");
}

#[test]
fn a_key_makes_the_slot_totp_and_another_type_stops_it() {
    let mut key = key();
    tell(&mut key, NOW, NOW);
    set(&mut key, 3, 9, b"Hello!\xde\xad\xbe\xef");
    assert_eq!(typed(&mut key, NOW).as_deref(), Some(CODE));
    assert_eq!(set(&mut key, 3, 8, b"y"), "Successfully set 2FA Type");
    assert_eq!(typed(&mut key, NOW), None);
    assert_eq!(key.holds().len(), 1);
    set(&mut key, 3, 8, b"g");
    assert_eq!(typed(&mut key, NOW).as_deref(), Some(CODE));
}

#[test]
fn a_slot_types_what_else_it_has_and_reckons_with_its_delays() {
    let mut key = key().holding(2, "Work", seed()).with_login(2, "alice", "secret");
    tell(&mut key, UnixTime::from_secs(NOW.as_secs() - 90), NOW);
    assert_ne!(typed(&mut key, NOW).as_deref(), Some("alice\tsecret\t324550"));
    assert_eq!(set(&mut key, 2, 4, b"9"), "Successfully set Delay2");
    for field in [7, 17] {
        set(&mut key, 2, field, &[40]);
    }
    // 9 and twice 40 seconds: one short of the step of the sheet's code.
    let later = UnixTime::from_secs(NOW.as_secs() + 1);
    assert_eq!(typed(&mut key, later).as_deref(), Some("alice\tsecret\t324550"));
}

#[test]
fn the_button_of_the_slot_that_was_written_last_is_pressed() {
    let mut key = key().holding(1, "One", SharedSecret::new(vec![1; 20]));
    key = key.holding(5, "Five", seed()).told(NOW, NOW);
    let one = typed(&mut key, NOW);
    assert!(one.is_some() && one.as_deref() != Some(CODE));
    let mut five = key.pressing(5);
    assert_eq!(typed(&mut five, NOW).as_deref(), Some(CODE));
    set(&mut five, 1, 1, b"Renamed");
    assert_eq!(five.face(NOW).display, None);
    assert_eq!(typed(&mut five, NOW), one);
}

#[test]
fn a_duo_without_pin_keeps_no_password_beside_a_second_factor() {
    let error = "Error password already enabled on this slot, device PIN required";
    let mut duo = OnlyKey::new(Model::DuoWithoutPin, 1).with_login(24, "", "secret");
    assert_eq!(set(&mut duo, 24, 9, &[1; 20]), error);
    assert_eq!(set(&mut duo, 24, 8, b"g"), error);
    assert!(duo.holds().is_empty());
    assert_eq!(set(&mut duo, 23, 9, &[1; 20]), "Successfully set 2FA Key");
    assert_eq!(set(&mut duo, 23, 5, b"secret"), error);
    let mut with_pin = OnlyKey::new(Model::Duo, 1).with_login(24, "", "secret");
    assert_eq!(set(&mut with_pin, 24, 9, &[1; 20]), "Successfully set 2FA Key");
}

#[test]
fn a_slot_is_wiped_whole_or_by_field() {
    let mut key = key().holding(1, "One", seed()).holding(2, "Two", seed());
    assert_eq!(said(&mut key, &[0xe7, 1, 1]), "Successfully wiped Label");
    assert_eq!(key.holds()[0].name, None);
    assert_eq!(said(&mut key, &[0xe7, 1, 9]), "Successfully wiped 2FA Key");
    assert_eq!(key.holds().len(), 1);
    assert_eq!(send(&mut key, &[0xe7, 2], NOW).len(), 10);
    assert!(key.holds().is_empty());
    assert_eq!(key.face(NOW).lines, ["Slot 1"]);
}

#[test]
fn a_full_key_and_a_drifting_clock() {
    assert_eq!(key().full().holds().len(), 12);
    assert_eq!(OnlyKey::new(Model::Duo, 1).full().holds().len(), 24);
    let early = UnixTime::from_secs(NOW.as_secs() - 100);
    let mut key = key().gaining(1_000_000).holding(1, "x", seed()).told(early, NOW);
    let later = UnixTime::from_secs(NOW.as_secs() + 50);
    assert_eq!(typed(&mut key, later).as_deref(), Some(CODE));
}

#[test]
fn each_generation_enumerates_as_the_sheet_says() {
    let cases = [
        (Usb::Current, (0x1d50, 0x60fc, 0xffab, 2, "1000000000")),
        (Usb::FidoPage, (0x1d50, 0x60fc, 0xf1d0, 1, "1000000001")),
        (Usb::Generic, (0x16c0, 0x0486, 0xffab, 2, "1000000000")),
    ];
    for (usb, (vendor, product, page, interface, serial)) in cases {
        let device = key().enumerating_as(usb).hid_device().expect("a HID device");
        assert_eq!((device.vendor, device.product), (vendor, product));
        assert_eq!((device.usage_page, device.interface), (page, interface));
        assert_eq!((device.serial.as_str(), device.report_length), (serial, 64));
        assert_eq!(device.name, "ONLYKEY");
    }
}

#[test]
fn the_practice_key_is_unlocked_when_it_is_laid_out() {
    let mut key = practice();
    key.reset();
    let face = key.face(NOW);
    assert_eq!((face.display, face.lines.len(), face.on), (None, 0, true));
    assert_eq!(face.buttons, [Button::Touch]);
    assert!(tell(&mut key, NOW, NOW).starts_with("UNLOCKED"));
    assert_eq!(typed(&mut key, NOW), None);
}
