//! The emulated device against the sheet's vectors and rules.

use std::sync::Arc;
use std::time::Duration;

use oath::{Algorithm, Digits, Period};
use token::{Channel, ChannelError, HidChannel, TokenSource};

use super::*;
use crate::vectors::{sections, unhex};
use crate::{Fault, Kind, Script, Tray};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SERVICE: &str = "login.microsoftonline.com";
const LOGIN: &str = "alice@contoso.com";
const CODE: &str = "324550";
/// `SET_DATE` to `NOW`.
const DATE: [u16; 6] = [2023, 11, 14, 22, 13, 20];

fn secret() -> SharedSecret {
    SharedSecret::new(unhex("48656c6c6f21deadbeef"))
}

fn later(seconds: u64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + seconds)
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A message of the device: command and payload.
type Said = (u16, Vec<u8>);

/// A host that keeps its flip bit.
struct Host {
    device: Mooltipass,
    flip: u8,
}

impl Host {
    fn of(device: Mooltipass) -> Self {
        Self { device, flip: 0 }
    }

    /// A host that has set the time.
    fn timed(device: Mooltipass) -> Self {
        let mut host = Self::of(device);
        assert_eq!(host.ask(SET_DATE, &date(DATE)), Some((SET_DATE, vec![1])));
        host
    }

    /// Sends a message and reads nothing.
    fn send(&mut self, command: u16, payload: &[u8], now: UnixTime) {
        for report in reports(self.flip, command, payload) {
            self.device.write(&report, now).expect("whole reports");
        }
        self.flip ^= 0x80;
    }

    /// The next message of the device.
    fn hear(&mut self, now: UnixTime) -> Option<Said> {
        let packet = self.device.read(now)?;
        let length = usize::from(packet[0] & 0x3f);
        // All that it says fits one packet.
        assert_eq!((packet[1], u16::from_le_bytes([packet[4], packet[5]])), (0, len(length - 4)));
        Some((u16::from_le_bytes([packet[2], packet[3]]), packet[6..2 + length].to_vec()))
    }

    fn ask(&mut self, command: u16, payload: &[u8]) -> Option<Said> {
        self.send(command, payload, NOW);
        self.hear(NOW)
    }
}

fn len(length: usize) -> u16 {
    u16::try_from(length).expect("short")
}

/// The reports of a message, with the number 0.
fn reports(flip: u8, command: u16, payload: &[u8]) -> Vec<Vec<u8>> {
    let message = [&command.to_le_bytes(), &len(payload.len()).to_le_bytes(), payload].concat();
    let parts: Vec<&[u8]> = message.chunks(62).collect();
    let places = (0_u8..).step_by(0x10).zip(&parts);
    let last = u8::try_from(parts.len() - 1).expect("at most 16");
    let report = |(place, part): (u8, &&[u8])| {
        let head = flip | u8::try_from(part.len()).expect("at most 62");
        let mut report = [&[0, head, place | last], *part].concat();
        report.resize(65, 0);
        report
    };
    places.map(report).collect()
}

fn date(fields: [u16; 6]) -> Vec<u8> {
    fields.into_iter().flat_map(u16::to_le_bytes).collect()
}

/// The payload of a `STORE_TOTP`; `tail` is secret length, digits, step and hash.
fn store(service: &str, login: &str, tail: [u8; 4]) -> Vec<u8> {
    let mut payload = utf16(service);
    payload.resize(252, 0);
    payload.extend(utf16(login));
    payload.resize(380, 0);
    payload.extend_from_slice(secret().expose());
    payload.resize(444, 0);
    payload.extend(tail);
    payload
}

/// The payload of a `GET_TOTP`.
fn get(service: &str, login: Option<&str>) -> Vec<u8> {
    let at = login.map_or(0xffff, |_| len(service.encode_utf16().count()) + 1);
    let login = login.map_or(Vec::new(), |login| utf16(&format!("{login}\0")));
    [&[0, 0], at.to_le_bytes().as_slice(), &utf16(&format!("{service}\0")), &login].concat()
}

fn code(text: &str) -> Said {
    (GET_TOTP, utf16(&format!("{text}\0")))
}

fn stored(done: bool) -> Said {
    (STORE_TOTP, vec![u8::from(done)])
}

fn refused(command: u16) -> Said {
    (command, vec![0])
}

#[test]
fn the_sheets_vectors() {
    let text =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/vectors/mooltipass.txt"));
    let sections = sections(text);
    assert_eq!(sections.len(), 3);
    for (title, vectors) in sections {
        let mut device = practice();
        if title.contains("card locked") {
            device = device.with_card(Card::Locked);
        }
        if title.contains("holds the first") {
            device = device.holding(SERVICE, LOGIN, &secret());
        }
        for vector in vectors {
            for packet in vector.request.chunks(REPORT) {
                device.write(&[&[0], packet].concat(), NOW).expect("whole reports");
            }
            for packet in vector.answer.chunks(REPORT) {
                assert_eq!(device.read(NOW).as_deref(), Some(packet), "{}", vector.about);
            }
            assert_eq!(device.read(NOW), None, "{}", vector.about);
        }
    }
}

#[test]
fn a_press_says_yes_to_a_write_and_to_each_code() {
    let mut host = Host::timed(Mooltipass::new(1));
    assert_eq!(host.ask(STORE_TOTP, &store(SERVICE, LOGIN, [10, 6, 30, 0])), None);
    assert!(host.device.awaits_press(&[], NOW));
    let asked = format!("Store {SERVICE}/{LOGIN}?");
    assert_eq!(host.device.face(NOW).display.as_deref(), Some(asked.as_str()));
    assert!(host.device.holds().is_empty());
    host.device.press(later(14));
    assert!(!host.device.awaits_press(&[], later(14)));
    assert_eq!(host.hear(later(14)), Some(stored(true)));
    for _ in 0..2 {
        assert_eq!(host.ask(GET_TOTP, &get(SERVICE, Some(LOGIN))), None);
        let asked = format!("Send the code of {SERVICE}/{LOGIN}?");
        assert_eq!(host.device.face(NOW).display.as_deref(), Some(asked.as_str()));
        host.device.press(NOW);
        assert_eq!(host.hear(NOW), Some(code(CODE)));
    }
    assert_eq!(host.device.face(NOW).display, None);
}

#[test]
fn a_question_that_nobody_answers_is_refused() {
    let device = Mooltipass::new(1).holding("other", "", &secret());
    for (command, payload) in
        [(STORE_TOTP, store(SERVICE, LOGIN, [10, 6, 30, 0])), (GET_TOTP, get("other", None))]
    {
        let mut host = Host::timed(Mooltipass::new(1).holding("other", "", &secret()));
        host.send(command, &payload, NOW);
        assert_eq!(host.hear(later(14)), None);
        assert!(!host.device.awaits_press(&[], later(15)));
        assert_eq!(host.device.face(later(15)).display, None);
        // A press comes too late.
        host.device.press(later(15));
        assert_eq!(host.hear(later(15)), Some(refused(command)));
        assert_eq!(host.device.holds().len(), device.holds().len());
        assert_eq!(host.hear(later(100)), None);
    }
}

#[test]
fn a_question_that_is_denied_is_refused_at_once() {
    let mut host = Host::timed(Mooltipass::new(1).holding("other", "", &secret()).denying());
    for (command, payload) in
        [(STORE_TOTP, store(SERVICE, LOGIN, [10, 6, 30, 0])), (GET_TOTP, get("other", None))]
    {
        assert_eq!(host.ask(command, &payload), Some(refused(command)));
        assert!(!host.device.awaits_press(&[], NOW));
        assert_eq!(host.device.holds().len(), 1);
    }
}

#[test]
fn please_retry_has_no_effect_and_asks_for_the_message_again() {
    let payload = store(SERVICE, LOGIN, [10, 6, 30, 0]);
    let retry = Some((PLEASE_RETRY, Vec::new()));
    let mut host = Host::of(practice().busy_for(2));
    assert_eq!(host.ask(STORE_TOTP, &payload), retry);
    assert_eq!(host.ask(STORE_TOTP, &payload), retry);
    assert!(host.device.holds().is_empty());
    assert_eq!(host.ask(STORE_TOTP, &payload), Some(stored(true)));
    // While a question is on the screen.
    let mut host = Host::of(Mooltipass::new(1));
    host.send(STORE_TOTP, &payload, NOW);
    assert_eq!(host.ask(STATUS, &[]), retry);
    host.device.press(NOW);
    assert_eq!(host.hear(NOW), Some(stored(true)));
    assert_eq!(host.ask(STATUS, &[]), Some((STATUS, vec![5, 0, 0, 0])));
}

#[test]
fn without_an_unlocked_card_nothing_is_stored_or_sent() {
    for (card, flags, line) in [(Card::Absent, 0, "No card"), (Card::Locked, 1, "Card locked")] {
        let mut host = Host::timed(practice().holding(SERVICE, LOGIN, &secret()).with_card(card));
        assert_eq!(host.ask(STATUS, &[]), Some((STATUS, vec![flags, 0, 0, 0])));
        let payload = store("other", LOGIN, [10, 6, 30, 0]);
        assert_eq!(host.ask(STORE_TOTP, &payload), Some(stored(false)));
        assert_eq!(host.ask(GET_TOTP, &get(SERVICE, Some(LOGIN))), Some(refused(GET_TOTP)));
        assert_eq!(host.device.face(NOW).lines, [line]);
        host.device.press(NOW);
        assert_eq!(host.device.face(NOW).display, None);
        assert_eq!(host.device.holds().len(), 1);
    }
}

#[test]
fn codes_need_the_time_of_this_power_session() {
    let mut host = Host::of(practice().holding(SERVICE, LOGIN, &secret()));
    let payload = get(SERVICE, Some(LOGIN));
    assert_eq!(host.ask(GET_TOTP, &payload), Some(refused(GET_TOTP)));
    assert_eq!(host.ask(SET_DATE, &date([2023, 2, 29, 0, 0, 0])), Some(refused(SET_DATE)));
    assert_eq!(host.ask(GET_TOTP, &payload), Some(refused(GET_TOTP)));
    assert_eq!(host.ask(SET_DATE, &date(DATE)), Some((SET_DATE, vec![1])));
    assert_eq!(host.ask(GET_TOTP, &payload), Some(code(CODE)));
    host.device.reset();
    host.flip = 0;
    assert_eq!(host.ask(GET_TOTP, &payload), Some(refused(GET_TOTP)));
    assert_eq!(host.device.holds().len(), 1);
    // A clock that is told another time, and one that drifts.
    let mut host = Host::of(practice().holding(SERVICE, LOGIN, &secret()).gaining(1_000_000));
    assert_eq!(host.ask(SET_DATE, &date([2023, 11, 14, 22, 12, 50])), Some((SET_DATE, vec![1])));
    assert_ne!(host.ask(GET_TOTP, &payload), Some(code(CODE)));
    host.send(GET_TOTP, &payload, later(15));
    assert_eq!(host.hear(later(15)), Some(code(CODE)));
}

#[test]
fn service_and_login_name_a_credential_that_is_created_or_updated() {
    let mut host = Host::timed(practice());
    for (service, login, digits, expected) in
        [("a", "x", 6, 1), ("a", "x", 8, 1), ("a", "y", 7, 2), ("b", "x", 6, 3), ("b", "", 6, 4)]
    {
        let payload = store(service, login, [10, digits, 30, 0]);
        assert_eq!(host.ask(STORE_TOTP, &payload), Some(stored(true)));
        assert_eq!(host.device.holds().len(), expected);
    }
    assert_eq!(host.device.face(NOW).lines, ["a/x", "a/y", "b/x", "b"]);
    let held = host.device.holds().remove(0);
    assert_eq!(held.name.as_deref(), Some("a/x"));
    assert_eq!(held.secret.expose(), secret().expose());
    assert_eq!((held.algorithm, held.kind, held.touch), (Algorithm::Sha1, Kind::Totp, true));
    assert_eq!((held.digits, held.period), (Digits::EIGHT, Some(Period::S30)));
    let length = |(_, code): Said| code.len() / 2 - 1;
    let mut get = |service, login| host.ask(GET_TOTP, &get(service, login)).map(length);
    assert_eq!([get("a", Some("x")), get("a", Some("y"))], [Some(8), Some(7)]);
    assert_eq!(get("b", Some("")), Some(6));
    // Not stored, and more than one: the single byte of a refusal.
    for (service, login) in [("a", Some("")), ("a", Some("X")), ("c", None), ("a", None)] {
        assert_eq!(host.ask(GET_TOTP, &self::get(service, login)), Some(refused(GET_TOTP)));
    }
}

#[test]
fn what_cannot_be_stored_is_refused_without_a_question() {
    let right = || store(SERVICE, LOGIN, [10, 6, 30, 0]);
    let mut cases = vec![store("", LOGIN, [10, 6, 30, 0]), right()[..447].to_vec(), Vec::new()];
    cases.push([right().as_slice(), &[0]].concat());
    for tail in [
        [0, 6, 30, 0],
        [65, 6, 30, 0],
        [10, 5, 30, 0],
        [10, 9, 30, 0],
        [10, 6, 29, 0],
        [10, 6, 100, 0],
        [10, 6, 30, 1],
    ] {
        cases.push(store(SERVICE, LOGIN, tail));
    }
    // Texts without a zero.
    cases.push(store(&"s".repeat(126), LOGIN, [10, 6, 30, 0]));
    cases.push(store(SERVICE, &"l".repeat(64), [10, 6, 30, 0]));
    for payload in cases {
        let mut host = Host::of(Mooltipass::new(1));
        assert_eq!(host.ask(STORE_TOTP, &payload), Some(stored(false)));
        assert!(host.device.holds().is_empty());
    }
    for (service, login, tail) in [
        ("s".repeat(125), "l".repeat(63), [64, 8, 99, 0]),
        ("\u{e9}\u{4e2d}".to_owned(), String::new(), [1, 7, 30, 0]),
    ] {
        let mut host = Host::of(practice());
        assert_eq!(host.ask(STORE_TOTP, &store(&service, &login, tail)), Some(stored(true)));
        let held = host.device.holds().remove(0);
        assert_eq!(held.secret.len(), usize::from(tail[0]));
    }
}

#[test]
fn a_request_for_a_code_is_read_strictly() {
    let right = get(SERVICE, Some(LOGIN));
    let mut cases = vec![Vec::new(), right[..right.len() - 2].to_vec(), right[..7].to_vec()];
    cases.push([right.as_slice(), &[0, 0]].concat());
    for (at, byte) in [(0, 1), (2, 0), (2, 0x1b), (3, 1)] {
        let mut wrong = right.clone();
        wrong[at] = byte;
        cases.push(wrong);
    }
    // "Any login", and still one.
    cases.push([&[0, 0, 0xff, 0xff], &right[4..]].concat());
    for payload in cases {
        let mut host = Host::timed(practice().holding(SERVICE, LOGIN, &secret()));
        assert_eq!(host.ask(GET_TOTP, &payload), Some(refused(GET_TOTP)), "{payload:02x?}");
        assert_eq!(host.ask(GET_TOTP, &right), Some(code(CODE)));
        assert_eq!(host.ask(GET_TOTP, &get(SERVICE, None)), Some(code(CODE)));
    }
}

#[test]
fn old_firmware_tells_no_code_or_a_wrong_one_and_needs_a_login() {
    for (firmware, tells, empty_login) in [
        (Firmware::Bundle7, None, false),
        (Firmware::V0_85, Some(false), false),
        (Firmware::V0_86, Some(true), false),
        (Firmware::V0_87, Some(true), true),
    ] {
        let device = practice().holding(SERVICE, LOGIN, &secret()).with_firmware(firmware);
        let mut host = Host::timed(device);
        let answer = host.ask(GET_TOTP, &get(SERVICE, Some(LOGIN)));
        assert_eq!(answer.map(|answer| Some(answer) == Some(code(CODE))), tells, "{firmware:?}");
        let payload = store("b", "", [10, 6, 30, 0]);
        assert_eq!(host.ask(STORE_TOTP, &payload), Some(stored(empty_login)), "{firmware:?}");
        // All of them show the right code on the screen.
        host.device.press(NOW);
        assert_eq!(host.device.face(NOW).display.as_deref(), Some(CODE));
    }
}

#[test]
fn presses_without_a_question_go_through_the_codes() {
    let device = practice().holding("a", "", &secret()).holding("b", "", &secret());
    let mut host = Host::of(device);
    host.device.press(NOW);
    assert_eq!(host.device.face(NOW).display, None);
    host.ask(SET_DATE, &date(DATE));
    for expected in [Some(CODE), Some(CODE), None, Some(CODE)] {
        host.device.press(NOW);
        let face = host.device.face(NOW);
        assert_eq!(face.display.as_deref(), expected);
        // 1700000000 is 20 seconds into its step.
        assert_eq!(face.seconds_left, expected.map(|_| 10));
    }
}

#[test]
fn other_messages_and_reports_are_not_answered_or_stalled() {
    let mut host = Host::of(practice());
    for (command, payload) in
        [(STATUS, &[0][..]), (PLEASE_RETRY, &[]), (0x0001, &[1]), (0x8000, &[])]
    {
        assert_eq!(host.ask(command, payload), None, "{command:04x}");
    }
    for report in [&[][..], &[0; 64], &[0; 66], &[1; 65]] {
        assert_eq!(host.device.write(report, NOW), Err(Stalled));
    }
    assert_eq!(host.device.set_feature(&[0; 65], NOW), Err(Stalled));
    assert_eq!(host.device.get_feature(0, 65, NOW), Err(Stalled));
}

#[test]
fn a_reset_packet_drops_what_was_not_read_and_leaves_the_question() {
    let reset = [&[0, 0xff, 0xff][..], &[0; 62]].concat();
    let mut host = Host::of(Mooltipass::new(1));
    host.send(STATUS, &[], NOW);
    host.device.write(&reset, NOW).expect("a whole report");
    host.flip = 0;
    assert_eq!(host.hear(NOW), None);
    host.send(STORE_TOTP, &store(SERVICE, LOGIN, [10, 6, 30, 0]), NOW);
    host.device.write(&reset, NOW).expect("a whole report");
    assert!(host.device.awaits_press(&[], NOW));
    host.device.press(NOW);
    assert_eq!(host.hear(NOW), Some(stored(true)));
}

#[test]
fn an_acknowledgement_comes_before_the_answer() {
    let mut device = practice();
    let mut report = [&[0, 0x44, 0x00, 0x11][..], &[0; 61]].concat();
    device.write(&report, NOW).expect("a whole report");
    report[3] = 0;
    assert_eq!(device.read(NOW).as_deref(), Some(&report[1..]));
    assert_eq!(device.read(NOW).map(|packet| packet[..3].to_vec()), Some(vec![0x08, 0x00, 0x11]));
    assert_eq!(device.read(NOW), None);
}

#[test]
fn it_enumerates_as_the_sheet_says() {
    let device = practice().hid_device().expect("a HID device");
    assert_eq!((device.vendor, device.product), (0x1209, 0x4321));
    assert_eq!((device.usage_page, device.usage), (0xff31, 0x0074));
    assert_eq!((device.report_length, device.feature_length), (64, 0));
    assert!(practice().another().identity().serial > practice().identity().serial);
}

/// A device on a tray, its time not set, and an open channel to it.
fn laid(device: Mooltipass, touch: Duration) -> (Tray, crate::TrayId, Box<dyn HidChannel>) {
    let tray = Tray::new(Arc::new(|| NOW)).with_touch_time(touch);
    let id = tray.lay(Box::new(device), "Practice reader");
    let candidate = tray.candidates().expect("a tray always answers").remove(0);
    match tray.connect(&candidate.id).expect("it is there") {
        Channel::Hid(channel) => (tray, id, channel),
        Channel::SmartCard(_) => panic!("it is no card"),
    }
}

const LONG: Duration = Duration::from_mins(10);

#[test]
fn a_read_on_the_tray_waits_for_the_person() {
    let (tray, id, mut channel) = laid(Mooltipass::new(1), LONG);
    for report in reports(0, STORE_TOTP, &store(SERVICE, LOGIN, [10, 6, 30, 0])) {
        channel.write(&report).expect("it is there");
    }
    assert_eq!(tray.exchanges(id), 8);
    let hand = tray.clone();
    let hand = std::thread::spawn(move || hand.press(id));
    let answer = channel.read(LONG).expect("a person says yes");
    assert_eq!(&answer[2..7], [0x27, 0x00, 0x01, 0x00, 0x01]);
    assert!(hand.join().is_ok());
    assert_eq!(tray.holds(id).len(), 1);
}

#[test]
fn an_answer_that_is_flipped_or_cut_on_its_way() {
    let status = reports(0, STATUS, &[]).remove(0);
    let mut plain = vec![0x08, 0x00, 0x11, 0x00, 0x04, 0x00, 0x05];
    plain.resize(REPORT, 0);
    let flipped: Vec<u8> = plain.iter().map(|byte| byte ^ 0x55).collect();
    for (fault, expected) in [
        (Fault::Garbled, Ok(flipped)),
        (Fault::Short, Err(ChannelError::Silent)),
        (Fault::Empty, Err(ChannelError::Silent)),
        (Fault::Silent, Err(ChannelError::Silent)),
        (Fault::SilentBefore, Err(ChannelError::Silent)),
    ] {
        let (tray, id, mut channel) = laid(practice(), Duration::ZERO);
        tray.arm(id, &[Script::at_exchange(0, fault)]);
        assert_eq!(channel.write(&status), Ok(()), "{fault:?}");
        assert_eq!(channel.read(LONG), expected, "{fault:?}");
        assert_eq!(channel.read(LONG), Err(ChannelError::Silent), "{fault:?}");
    }
}
