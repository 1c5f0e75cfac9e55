//! The emulated keys against the sheet's recorded answers and rules.

use super::*;
use crate::vectors::sections;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const TEMP: [u8; 25] = *b"TEMPADMINPASSWORD12345678";
const USER_TEMP: [u8; 25] = *b"TEMPUSERPASSWORD123456789";

fn pro() -> NitrokeyPro {
    NitrokeyPro::new(Model::Pro2, 0x7856_3412)
}

fn storage() -> NitrokeyPro {
    NitrokeyPro::new(Model::Storage2, 1)
}

fn request(command: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut report = [0; REPORT];
    report[1] = command;
    for (to, from) in report[2..61].iter_mut().zip(parts.concat()) {
        *to = from;
    }
    // The vectors show that the frame's check sum is right.
    let crc = Request::parse(&report).expect("65 bytes").crc;
    report[61..].copy_from_slice(&crc);
    report.to_vec()
}

fn got(key: &mut NitrokeyPro) -> Vec<u8> {
    key.get_feature(0, 65, NOW).expect("feature report 0")
}

/// Status and data of the answer at a time.
fn send_at(key: &mut NitrokeyPro, command: u8, parts: &[&[u8]], now: UnixTime) -> (u8, Vec<u8>) {
    let request = request(command, parts);
    key.set_feature(&request, now).expect("a whole report");
    let report = got(key);
    assert_eq!((report[1], report[2], &report[3..7]), (0, command, &request[61..]));
    (report[7], report[8..61].to_vec())
}

fn send(key: &mut NitrokeyPro, command: u8, parts: &[&[u8]]) -> (u8, Vec<u8>) {
    send_at(key, command, parts, NOW)
}

fn status(key: &mut NitrokeyPro, command: u8, parts: &[&[u8]]) -> u8 {
    send(key, command, parts).0
}

fn pin(digits: &str) -> [u8; 25] {
    let mut padded = [0; 25];
    padded[..digits.len()].copy_from_slice(digits.as_bytes());
    padded
}

fn authenticate(key: &mut NitrokeyPro) {
    assert_eq!(status(key, 0x07, &[&pin(FACTORY_ADMIN_PIN), &TEMP]), 0);
}

fn otp_data(key: &mut NitrokeyPro, kind: u8, index: u8, data: &[u8]) -> u8 {
    status(key, 0x17, &[&TEMP, &[kind, index], data])
}

fn write_slot(key: &mut NitrokeyPro, slot: u8, moving: u64, config: u8) -> u8 {
    status(key, 0x01, &[&TEMP, &[slot], &moving.to_le_bytes(), &[config]])
}

fn set_time(key: &mut NitrokeyPro, flag: u8, time: u64, now: UnixTime) -> u8 {
    send_at(key, 0x0b, &[&[flag], &time.to_le_bytes()], now).0
}

fn code(key: &mut NitrokeyPro, slot: u8, now: UnixTime) -> (u8, u32) {
    let (status, data) = send_at(key, 0x04, &[&[slot]], now);
    (status, u32::from_le_bytes([data[0], data[1], data[2], data[3]]))
}

/// A key with the sheet's secret in slot 20.
fn enrolled(key: NitrokeyPro) -> NitrokeyPro {
    let secret = SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec());
    key.holding(0, "Microsoft", &secret, Digits::SIX, Period::S30)
}

#[test]
fn the_sheets_vectors() {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/vectors/nitrokey-pro.txt"
    ));
    let sections = sections(text);
    assert_eq!(sections.len(), 2);
    for (title, vectors) in sections {
        let mut key = if title.contains("Storage") {
            NitrokeyPro::new(Model::Storage2, 0).with_tries_left(0, 0)
        } else {
            pro()
        };
        for vector in vectors {
            key.set_feature(&vector.request, NOW).expect("a whole report");
            assert_eq!(got(&mut key), vector.answer, "{title}: {}", vector.about);
        }
    }
}

#[test]
fn reports_of_other_lengths_and_numbers_are_stalled() {
    let mut key = pro();
    let whole = request(0x00, &[]);
    assert_eq!(key.set_feature(&whole[..64], NOW), Err(Stalled));
    assert_eq!(key.set_feature(&[&whole[..], &[0]].concat(), NOW), Err(Stalled));
    assert_eq!(key.write(&whole, NOW), Err(Stalled));
    assert_eq!(key.get_feature(1, 65, NOW), Err(Stalled));
    assert_eq!(key.get_feature(0, 9, NOW).map(|report| report.len()), Ok(9));
    assert_eq!(key.read(NOW), None);
}

#[test]
fn a_wrong_check_sum_has_no_effect_and_status_1() {
    let mut key = pro();
    let mut report = request(0x0b, &[&[1], &1_700_000_000_u64.to_le_bytes()]);
    report[61] ^= 1;
    key.set_feature(&report, NOW).expect("a whole report");
    let answer = got(&mut key);
    assert_eq!(answer[7], 1);
    assert_ne!(answer[3..7], report[61..]);
    assert!(key.clock.is_none());
}

#[test]
fn a_busy_or_late_key_still_has_the_answer_before() {
    let mut key = pro().late_for(1).busy_for(2);
    key.set_feature(&request(0x09, &[]), NOW).expect("a whole report");
    let polls: Vec<Vec<u8>> = (0..5).map(|_| got(&mut key)).collect();
    let seen: Vec<(u8, u8)> = polls.iter().map(|report| (report[1], report[2])).collect();
    assert_eq!(seen, [(0, 0), (1, 0), (1, 0), (0, 9), (0, 9)]);
    let next = request(0x0f, &[]);
    key.set_feature(&next, NOW).expect("a whole report");
    let late = got(&mut key);
    assert_eq!((late[1], late[2]), (0, 9));
    assert_ne!(late[3..7], next[61..]);
    // Every answer's check sum is right, whatever its status.
    for report in polls.iter().skip(1).chain([&late]) {
        assert!(Request::parse(report).is_some_and(|report| report.is_intact));
    }
}

#[test]
fn three_wrong_pins_block_and_a_right_one_gives_the_tries_back() {
    let cases = [(0x07, 0x09, FACTORY_ADMIN_PIN), (0x0e, 0x0f, FACTORY_USER_PIN)];
    for (authenticate, tries, right) in cases {
        let mut key = pro();
        let try_pin =
            |key: &mut NitrokeyPro, digits| status(key, authenticate, &[&pin(digits), &TEMP]);
        let left = |key: &mut NitrokeyPro| send(key, tries, &[]).1[0];
        assert_eq!(left(&mut key), 3);
        assert_eq!(try_pin(&mut key, "00000000"), 4);
        assert_eq!(left(&mut key), 2);
        assert_eq!(try_pin(&mut key, right), 0);
        assert_eq!(left(&mut key), 3);
        for expected in [2, 1, 0, 0] {
            assert_eq!(try_pin(&mut key, "1234567"), 4);
            assert_eq!(left(&mut key), expected);
        }
        assert_eq!(try_pin(&mut key, right), 4);
        key.reset();
        assert_eq!(left(&mut key), 0);
    }
}

#[test]
fn writing_needs_the_temporary_password_of_this_power_up() {
    let mut key = pro();
    let writing: [(u8, &[&[u8]]); 4] = [
        (0x17, &[&TEMP, b"N\0Name"]),
        (0x01, &[&TEMP, &[0x20, 30]]),
        (0x06, &[&[0x20], &TEMP]),
        (0x05, &[&[0xff; 5], &TEMP]),
    ];
    let refused = |key: &mut NitrokeyPro| {
        for (command, parts) in writing {
            assert_eq!(status(key, command, parts), 5);
        }
    };
    refused(&mut key);
    authenticate(&mut key);
    assert_eq!(status(&mut key, 0x17, &[&USER_TEMP, b"N\0Name"]), 5);
    assert_eq!(otp_data(&mut key, b'N', 0, b"Name"), 0);
    key.reset();
    refused(&mut key);
    authenticate(&mut key);
    // The transaction is gone, too.
    assert_eq!(write_slot(&mut key, 0x20, 30, 0), 5);
    // A wrong PIN closes what the right one had opened.
    assert_eq!(otp_data(&mut key, b'N', 0, b"Name"), 0);
    assert_eq!(status(&mut key, 0x07, &[&pin("00000000"), &TEMP]), 4);
    refused(&mut key);
}

#[test]
fn the_buffer_is_zero_filled_only_when_a_transaction_begins() {
    let mut key = pro();
    authenticate(&mut key);
    assert_eq!(otp_data(&mut key, b'S', 0, &[0x11; 30]), 0);
    assert_eq!(otp_data(&mut key, b'S', 1, &[0x22; 10]), 0);
    // An enrolment that was broken off here leaves its tail to the next one.
    authenticate(&mut key);
    assert_eq!(otp_data(&mut key, b'N', 0, b"Next"), 0);
    let (_, echo) = send(&mut key, 0x17, &[&TEMP, b"S\0", &[0x33; 10]]);
    let expected = [[0x33; 10].as_slice(), &[0; 20], &[0x22; 10]].concat();
    assert_eq!(echo[..40], expected);
    assert_eq!(write_slot(&mut key, 0x20, 30, 1), 0);
    assert_eq!(key.holds()[0].secret.expose(), expected);
    // After the write, the next transaction begins with zeros.
    let (_, echo) = send(&mut key, 0x17, &[&TEMP, b"S\0", &[0x44; 20]]);
    assert_eq!(echo[..40], [[0x44; 20], [0; 20]].concat());
    assert_eq!(otp_data(&mut key, b'X', 0, &[1]), 8);
    assert_eq!(otp_data(&mut key, b'S', 2, &[1]), 8);
}

#[test]
fn a_name_is_needed_and_cut_after_15_bytes() {
    let mut key = pro();
    authenticate(&mut key);
    assert_eq!(write_slot(&mut key, 0x20, 30, 0), 5);
    assert_eq!(otp_data(&mut key, b'S', 0, &[1; 20]), 0);
    assert_eq!(write_slot(&mut key, 0x20, 30, 0), 7);
    assert_eq!(otp_data(&mut key, b'N', 0, &[0]), 7);
    assert_eq!(otp_data(&mut key, b'N', 0, b"0123456789abcdefgh"), 0);
    assert_eq!(otp_data(&mut key, b'S', 0, &[1; 20]), 0);
    assert_eq!(write_slot(&mut key, 0x20, 30, 0), 0);
    assert_eq!(send(&mut key, 0x02, &[&[0x20]]).1[..16], *b"0123456789abcde\0");
    assert_eq!(key.face(NOW).lines, ["Admin PIN 12345678", "0123456789abcde"]);
}

#[test]
fn a_secret_of_zeros_keeps_the_old_one() {
    let mut key = enrolled(pro());
    authenticate(&mut key);
    assert_eq!(otp_data(&mut key, b'N', 0, b"Renamed"), 0);
    assert_eq!(write_slot(&mut key, 0x20, 60, 1), 0);
    let held = &key.holds()[0];
    assert!(held.secret.expose().starts_with(b"Hello!"));
    let about = (held.name.as_deref(), held.digits, held.period);
    assert_eq!(about, (Some("Renamed"), Digits::EIGHT, Some(Period::S60)));
    assert_eq!(otp_data(&mut key, b'N', 0, b"Empty"), 0);
    assert_eq!(write_slot(&mut key, 0x21, 30, 0), 0);
    assert_eq!(key.holds()[1].secret.expose(), [0xff; 40]);
}

#[test]
fn slots_are_read_back_erased_and_numbered_as_the_sheet_says() {
    let mut key = enrolled(pro());
    let (status_, data) = send(&mut key, 0x03, &[&[0x20]]);
    assert_eq!(status_, 0);
    assert!(data.starts_with(b"Microsoft"));
    assert_eq!(data[15..29], [0; 14]);
    assert_eq!(data[29..37], 30_u64.to_le_bytes());
    for wrong in [0x00, 0x0f, 0x13, 0x1f, 0x2f, 0xff] {
        for command in [0x02, 0x03, 0x04] {
            assert_eq!(status(&mut key, command, &[&[wrong]]), 2);
        }
    }
    for empty in [0x10, 0x12, 0x21, 0x2e] {
        assert_eq!(status(&mut key, 0x03, &[&[empty]]), 3);
        assert_eq!(code(&mut key, empty, NOW).0, 3);
    }
    authenticate(&mut key);
    assert_eq!(status(&mut key, 0x06, &[&[0x2f], &TEMP]), 2);
    assert_eq!(status(&mut key, 0x06, &[&[0x20], &TEMP]), 0);
    assert!(key.holds().is_empty());
    assert_eq!(status(&mut key, 0x02, &[&[0x20]]), 3);
}

#[test]
fn storage_says_ok_to_its_last_slot_and_keeps_nothing() {
    for (mut key, held) in [(storage(), 0), (pro(), 1)] {
        authenticate(&mut key);
        assert_eq!(otp_data(&mut key, b'N', 0, b"Last"), 0);
        assert_eq!(otp_data(&mut key, b'S', 0, &[1; 20]), 0);
        assert_eq!(write_slot(&mut key, 0x2e, 30, 0), 0);
        assert_eq!(key.holds().len(), held);
        let read = status(&mut key, 0x02, &[&[0x2e]]);
        assert_eq!(read, if held == 0 { 3 } else { 0 });
        assert_eq!(status(&mut key, 0x06, &[&[0x2e], &TEMP]), 0);
    }
    assert_eq!(storage().full().holds().len(), 14);
    assert_eq!(pro().full().holds().len(), 15);
}

#[test]
fn the_clock_is_lost_at_every_unplugging_but_not_its_floor() {
    let start = NOW.as_secs();
    let mut key = enrolled(pro());
    assert_eq!(set_time(&mut key, 0, start, NOW), 6);
    assert_eq!(set_time(&mut key, 1, start, NOW), 0);
    assert_eq!(code(&mut key, 0x20, NOW), (0, 324_550));
    let later = UnixTime::from_secs(start + 3600);
    let at_later = code(&mut key, 0x20, later).1;
    assert_ne!(at_later, 324_550);
    // Forward is free, backward only by the minute, and by flag 1.
    assert_eq!(set_time(&mut key, 0, start - 60, later), 6);
    assert_eq!(set_time(&mut key, 0, start + 3600, later), 0);
    assert_eq!(set_time(&mut key, 0, start, later), 6);
    key.reset();
    assert_ne!(code(&mut key, 0x20, later).1, at_later);
    assert_eq!(set_time(&mut key, 0, start, later), 6);
    assert_eq!(set_time(&mut key, 1, start, later), 0);
    // It believes the host: an hour late.
    assert_eq!(code(&mut key, 0x20, later), (0, 324_550));
    assert_eq!(set_time(&mut key, 2, start, later), 8);
    let mut other = pro().once_set_to(NOW);
    assert_eq!(set_time(&mut other, 0, start - 60, NOW), 6);
    assert_eq!(set_time(&mut other, 0, start, NOW), 0);
}

#[test]
fn a_clock_may_gain() {
    let mut key = enrolled(pro()).gaining(1_000_000);
    set_time(&mut key, 1, NOW.as_secs() - 60, NOW);
    let later = UnixTime::from_secs(NOW.as_secs() + 30);
    assert_eq!(code(&mut key, 0x20, later), (0, 324_550));
}

#[test]
fn a_period_has_16_bits_and_0_never_ends() {
    let mut key = enrolled(pro());
    authenticate(&mut key);
    set_time(&mut key, 1, NOW.as_secs(), NOW);
    otp_data(&mut key, b'N', 0, b"Long");
    assert_eq!(write_slot(&mut key, 0x20, 0x1_001e, 0), 0);
    assert_eq!(code(&mut key, 0x20, NOW), (0, 324_550));
    assert_eq!(send(&mut key, 0x03, &[&[0x20]]).1[29..33], [0x1e, 0, 1, 0]);
    otp_data(&mut key, b'N', 0, b"None");
    assert_eq!(write_slot(&mut key, 0x20, 0x1_0000, 0), 0);
    assert_eq!(key.holds()[0].period, None);
    let request = request(0x04, &[&[0x20]]);
    key.set_feature(&request, NOW).expect("a whole report");
    assert!((0..100).all(|_| got(&mut key)[1] == 1));
    key.reset();
    assert_eq!(status(&mut key, 0x09, &[]), 0);
}

#[test]
fn codes_need_the_user_pin_where_the_flag_is_set() {
    let mut key = enrolled(pro()).demanding_user_pin();
    assert_eq!(send(&mut key, 0x00, &[]).1[9], 1);
    set_time(&mut key, 1, NOW.as_secs(), NOW);
    assert_eq!(code(&mut key, 0x20, NOW).0, 5);
    assert_eq!(status(&mut key, 0x0e, &[&pin(FACTORY_USER_PIN), &USER_TEMP]), 0);
    assert_eq!(code(&mut key, 0x20, NOW).0, 5);
    let (status, data) = send(&mut key, 0x04, &[&[0x20], &[0; 17], &USER_TEMP]);
    assert_eq!((status, &data[..4]), (0, [0xc6, 0xf3, 0x04, 0].as_slice()));
}

#[test]
fn hotp_counts() {
    // RFC 4226 appendix D: counter 1 gives 287082, counter 2 gives 359152.
    let mut key = pro();
    authenticate(&mut key);
    otp_data(&mut key, b'N', 0, b"Counted");
    otp_data(&mut key, b'S', 0, b"12345678901234567890");
    assert_eq!(write_slot(&mut key, 0x11, 1, 0), 0);
    assert_eq!(code(&mut key, 0x11, NOW), (0, 287_082));
    assert_eq!(code(&mut key, 0x11, NOW), (0, 359_152));
    assert_eq!(key.holds()[0].kind, Kind::Hotp);
}

#[test]
fn old_firmware_knows_no_new_flow_and_new_firmware_no_old_one() {
    for model in [Model::Pro2, Model::Storage2, Model::LibremKey] {
        let mut old = NitrokeyPro::new(model, 1).with_old_firmware();
        authenticate(&mut old);
        assert_eq!(otp_data(&mut old, b'N', 0, b"Name"), 9);
        assert_eq!(write_slot(&mut old, 0x20, 30, 0), 5);
        assert_eq!(status(&mut old, 0x08, &[&[0; 4], &TEMP]), 5);
        let mut new = NitrokeyPro::new(model, 1);
        assert_eq!(status(&mut new, 0x08, &[&[0; 4], &TEMP]), 9);
        assert_eq!(status(&mut new, 0x10, &[&[0; 4], &TEMP]), 9);
        assert_eq!(status(&mut new, 0x77, &[]), 9);
    }
}

#[test]
fn each_model_tells_its_own_status() {
    let mut key = storage().with_tries_left(2, 1);
    let (status_, data) = send(&mut key, 0x2e, &[]);
    assert_eq!(status_, 0);
    // Absolute offsets less 8.
    assert_eq!(data[26..28], [0, 57]);
    assert_eq!((data[40], data[41], &data[42..46]), (1, 2, [0, 0, 0, 1].as_slice()));
    assert_eq!(send(&mut key, 0x40, &[]).1[13..16], [2, 0x40, 1]);
    assert_eq!(status(&mut key, 0x00, &[]), 9);
    assert_eq!(status(&mut pro(), 0x2e, &[]), 9);
    assert_eq!(send(&mut pro().with_old_firmware(), 0x00, &[]).1[..2], [7, 0]);
    let ids: Vec<_> = [Model::Pro2, Model::Storage2, Model::LibremKey]
        .into_iter()
        .filter_map(|model| NitrokeyPro::new(model, 1).hid_device())
        .map(|device| (device.vendor, device.product, device.usage_page, device.feature_length))
        .collect();
    let expected =
        [(0x20a0, 0x4108), (0x20a0, 0x4109), (0x316d, 0x4c4b)].map(|(v, p)| (v, p, 0xff00, 64));
    assert_eq!(ids, expected);
}

#[test]
fn pins_are_changed_with_the_old_ones_and_a_factory_reset_forgets_all() {
    let mut key = enrolled(pro()).with_pins("old admin", "old user");
    assert_eq!(status(&mut key, 0x15, &[&pin("wrong"), &pin("new admin")]), 4);
    assert_eq!(status(&mut key, 0x15, &[&pin("old admin"), &pin("short")]), 8);
    assert_eq!(status(&mut key, 0x15, &[&pin("old admin"), &pin("new admin")]), 0);
    assert_eq!(status(&mut key, 0x14, &[&pin("old user"), &pin("new user")]), 0);
    assert_eq!(status(&mut key, 0x07, &[&pin("new admin"), &TEMP]), 0);
    assert_eq!(status(&mut key, 0x0e, &[&pin("new user"), &TEMP]), 0);
    assert_eq!(status(&mut key, 0x13, &[&pin("new admin")]), 0);
    assert!(key.holds().is_empty());
    authenticate(&mut key);
}

#[test]
fn the_face_names_the_slots_and_shows_no_code() {
    let face = enrolled(practice()).face(NOW);
    assert_eq!(face.lines, ["Admin PIN 12345678", "Microsoft"]);
    let changed = enrolled(practice()).with_pins("87654321", "123456").face(NOW);
    assert_eq!(changed.lines, ["Microsoft"], "only the factory's PIN is told");
    assert_eq!((face.display, face.buttons, face.on), (None, [].as_slice(), true));
    assert_eq!(face.serial.as_deref(), Some("0000a1b1"));
}
