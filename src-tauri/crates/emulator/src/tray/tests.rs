//! The tray: readers, faults, time and the watch.

use super::*;
use crate::families::token2_nfc_single_profile as token2;
use crate::families::yubikey_oath::{Product, YubikeyOath};
use crate::families::yubikey_otp_hid;
use crate::{At, Fault};
use token::{Attachment, CommandApdu, HidChannel};

const READER: &str = "Practice reader 1";

fn still() -> Now {
    Arc::new(|| UnixTime::from_secs(1_700_000_000))
}

/// A tray with one switched-on Token2 token in its reader.
fn tray() -> (Tray, TrayId) {
    let tray = Tray::new(still());
    let id = tray.add(Box::new(token2::practice().switched_on()), READER);
    tray.insert(id);
    (tray, id)
}

fn only_candidate(tray: &Tray) -> Candidate {
    let mut candidates = tray.candidates().expect("a tray always answers");
    assert_eq!(candidates.len(), 1);
    candidates.remove(0)
}

fn open(tray: &Tray) -> Box<dyn token::SmartCardChannel> {
    match tray.connect(&only_candidate(tray).id).expect("it is there") {
        Channel::SmartCard(channel) => channel,
        Channel::Hid(_) => panic!("a card is no HID device"),
    }
}

/// A command with an effect that can be seen: it asks for a challenge, which
/// moves the token's generator on.
fn challenge() -> CommandApdu {
    CommandApdu::new([0x80, 0x4b, 0x08, 0x00], &[0])
}

fn info() -> CommandApdu {
    CommandApdu::new([0x80, 0x41, 0x00, 0x00], &[0x02, 0x11])
}

#[test]
fn a_candidate_is_a_practice_card_in_its_reader() {
    let (tray, _) = tray();
    let candidate = only_candidate(&tray);
    assert_eq!(candidate.origin, Origin::Practice);
    let expected = Attachment::SmartCard {
        reader: READER.to_owned(),
        atr: vec![0x3b, 0x80, 0x80, 0x01, 0x01],
    };
    assert_eq!(candidate.attachment, expected);
}

#[test]
fn each_appearance_has_an_id_of_its_own() {
    let (tray, id) = tray();
    let mut seen = vec![only_candidate(&tray).id];
    tray.remove(id);
    assert_eq!(tray.candidates(), Ok(Vec::new()));
    assert_eq!(tray.connect(&seen[0]).err(), Some(ChannelError::NotThere));
    tray.insert(id);
    seen.push(only_candidate(&tray).id);
    tray.press(id);
    assert_eq!(tray.candidates(), Ok(Vec::new()));
    assert!(tray.is_inserted(id));
    tray.press(id);
    seen.push(only_candidate(&tray).id);
    // Inserting what is inserted changes nothing.
    tray.insert(id);
    assert_eq!(only_candidate(&tray).id, seen[2]);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3);
}

#[test]
fn a_reader_has_room_for_one() {
    let (tray, first) = tray();
    let second = tray.add(Box::new(token2::practice().switched_on()), READER);
    tray.insert(second);
    assert!(!tray.is_inserted(first));
    only_candidate(&tray);
}

#[test]
fn a_channel_holds_the_token_until_it_is_dropped() {
    let (tray, _) = tray();
    let id = only_candidate(&tray).id;
    let channel = open(&tray);
    let busy = ChannelError::Busy { likely: None };
    assert_eq!(tray.connect(&id).err(), Some(busy));
    drop(channel);
    assert!(tray.connect(&id).is_ok());
}

#[test]
fn a_channel_that_ends_resets_the_card() {
    let tray = Tray::new(still());
    let key = YubikeyOath::new(Product::YUBIKEY_5_7, 1);
    let id = tray.add(Box::new(key), READER);
    tray.insert(id);
    let list = CommandApdu::new([0, 0xa1, 0, 0], &[]).with_le(0);
    let aid = [0xa0, 0, 0, 0x05, 0x27, 0x21, 0x01];
    let mut channel = open(&tray);
    let select = CommandApdu::new([0, 0xa4, 4, 0], &aid);
    assert!(channel.transmit(&select).is_ok());
    assert_eq!(channel.transmit(&list).map(|a| a.status().0), Ok(0x9000));
    drop(channel);
    let answer = open(&tray).transmit(&list);
    assert_eq!(answer.map(|a| a.status().0), Ok(0x6d00));
    assert_eq!(tray.exchanges(id), 3);
    let logged = Logged { header: [0, 0xa4, 4, 0], body_length: 8 };
    assert_eq!(tray.log(id)[0], logged);
}

#[test]
fn a_token_that_left_between_commands_is_reset_then_removed() {
    let (tray, id) = tray();
    let mut channel = open(&tray);
    tray.remove(id);
    tray.insert(id);
    assert_eq!(channel.transmit(&info()).err(), Some(ChannelError::Reset));
    assert_eq!(channel.transmit(&info()).err(), Some(ChannelError::Removed));
    assert_eq!(channel.transmit(&info()).err(), Some(ChannelError::Removed));
    // The old channel does not stand in the way of a new one.
    assert!(open(&tray).transmit(&info()).is_ok());
    assert_eq!(tray.exchanges(id), 1);
}

/// Which number the next challenge has: 0 if none was asked for so far. Tells
/// whether a command took effect.
fn challenges_asked(tray: &Tray, id: TrayId) -> usize {
    tray.remove(id);
    tray.insert(id);
    if !tray.face(id).on {
        tray.press(id);
    }
    tray.arm(id, &[]);
    let next = open(tray).transmit(&challenge()).expect("no fault is left");
    let mut fresh = token2::practice().switched_on();
    (0..10)
        .position(|_| {
            let answer = fresh.transmit(&challenge().encode(), UnixTime::from_secs(0));
            answer.starts_with(next.data())
        })
        .expect("one of the first ten")
}

#[test]
fn each_fault_ends_and_acts_as_it_says() {
    // The fault; how the command ends; whether it took effect; how the next ends.
    let cases = [
        (Fault::RemovedBefore, Err(ChannelError::NoAnswer), 0, Err(ChannelError::Reset)),
        (Fault::RemovedAfter, Err(ChannelError::NoAnswer), 1, Err(ChannelError::Reset)),
        (Fault::Refused(0x6f00), Ok(0x6f00), 0, Ok(0x9000)),
        (Fault::Silent, Err(ChannelError::Silent), 1, Err(ChannelError::Silent)),
        (Fault::SilentBefore, Err(ChannelError::Silent), 0, Err(ChannelError::Silent)),
        (Fault::Garbled, Ok(0x9000), 1, Ok(0x9000)),
        (Fault::Empty, Err(ChannelError::NoAnswer), 1, Ok(0x9000)),
        (Fault::Short, Err(ChannelError::NoAnswer), 1, Ok(0x9000)),
    ];
    for (fault, ends, effect, next) in cases {
        let (tray, id) = tray();
        tray.arm(id, &[Script::at_exchange(1, fault)]);
        let mut channel = open(&tray);
        let status = |answer: Result<token::ResponseApdu, _>| answer.map(|a| a.status().0);
        assert_eq!(status(channel.transmit(&info())), Ok(0x9000), "{fault:?}");
        assert_eq!(status(channel.transmit(&challenge())), ends, "{fault:?}");
        assert_eq!(status(channel.transmit(&info())), next, "{fault:?}");
        drop(channel);
        assert_eq!(challenges_asked(&tray, id), effect, "{fault:?}");
    }
}

#[test]
fn garbling_flips_the_data() {
    let (tray, id) = tray();
    let plain = open(&tray).transmit(&info()).expect("info").data().to_vec();
    let script = Script { at: At::Instruction { ins: 0x41, nth: 1 }, fault: Fault::Garbled };
    tray.arm(id, &[script]);
    let mut channel = open(&tray);
    let answers: Vec<_> =
        (0..3).map(|_| channel.transmit(&info()).expect("info").data().to_vec()).collect();
    assert_eq!((&answers[0], &answers[2]), (&plain, &plain));
    let flipped: Vec<u8> = plain.iter().map(|byte| byte ^ 0x55).collect();
    assert_eq!(answers[1], flipped);
}

#[test]
fn a_silent_token_answers_again_when_it_was_lifted() {
    let (tray, id) = tray();
    tray.arm(id, &[Script::at_exchange(0, Fault::Silent)]);
    assert!(open(&tray).transmit(&info()).is_err());
    let candidate = only_candidate(&tray);
    let refused = tray.connect(&candidate.id).err();
    assert_eq!(refused, Some(ChannelError::Unresponsive));
    tray.remove(id);
    tray.insert(id);
    assert!(open(&tray).transmit(&info()).is_ok());
}

#[test]
fn a_swapped_token_is_another_one_in_the_same_channel() {
    let (tray, id) = tray();
    tray.arm(id, &[Script::at_exchange(1, Fault::SwappedBefore)]);
    let mut channel = open(&tray);
    let first = channel.transmit(&info()).expect("info").data().to_vec();
    assert_eq!(channel.transmit(&challenge()).err(), Some(ChannelError::Reset));
    let second = channel.transmit(&info()).expect("info").data().to_vec();
    assert_ne!(first, second);
    let ids = tray.ids();
    assert_eq!((ids.len(), tray.is_inserted(id)), (2, false));
    assert_eq!(tray.identity(ids[1]).serial.as_deref(), Some("86596220000002"));
    assert_eq!(tray.exchanges(ids[1]), 1);
    // The channel now holds the other one.
    let other = only_candidate(&tray).id;
    assert_eq!(tray.connect(&other).err(), Some(ChannelError::Busy { likely: None }));
    drop(channel);
    assert!(tray.connect(&other).is_ok());
    assert_eq!(challenges_asked(&tray, id), 0);
}

#[test]
fn a_watch_wakes_for_what_happened_and_for_what_happens() {
    let (tray, id) = tray();
    let mut watch = tray.watch();
    // Nothing happened: only the time ends it.
    watch.wait(Duration::ZERO);
    // What happened before the wait ends it at once.
    for happen in [Tray::remove, Tray::insert, Tray::press] {
        happen(&tray, id);
        watch.wait(Duration::from_mins(10));
    }
    let other = tray.clone();
    let hand = std::thread::spawn(move || other.press(id));
    watch.wait(Duration::from_mins(10));
    assert!(hand.join().is_ok());
}

#[test]
fn a_command_that_needs_the_button_can_wait_for_it() {
    let tray = Tray::new(still()).with_touch_time(Duration::from_mins(10));
    let id = tray.add(Box::new(YubikeyOath::new(Product::YUBIKEY_5_7, 1)), READER);
    tray.insert(id);
    let mut channel = open(&tray);
    let aid = [0xa0, 0, 0, 0x05, 0x27, 0x21, 0x01];
    let mut put = vec![0x71, 1, b'n', 0x73, 22, 0x21, 6];
    put.extend_from_slice(&[7; 20]);
    put.extend_from_slice(&[0x78, 0x02]);
    for command in [CommandApdu::new([0, 0xa4, 4, 0], &aid), CommandApdu::new([0, 1, 0, 0], &put)] {
        let answer = channel.transmit(&command);
        assert_eq!(answer.map(|a| a.status().0), Ok(0x9000));
    }
    let calculate = [0x71, 1, b'n', 0x74, 8, 0, 0, 0, 0, 0, 0, 0, 1];
    let calculate = CommandApdu::new([0, 0xa2, 0, 1], &calculate).waiting_for_touch();
    let hand = tray.clone();
    let hand = std::thread::spawn(move || hand.press(id));
    let answer = channel.transmit(&calculate);
    assert_eq!(answer.map(|a| a.status().0), Ok(0x9000));
    assert!(hand.join().is_ok());
    // Taken away while it waits.
    let hand = tray.clone();
    let hand = std::thread::spawn(move || hand.remove(id));
    let answer = channel.transmit(&calculate).err();
    assert!(matches!(answer, Some(ChannelError::NoAnswer | ChannelError::Reset)));
    assert!(hand.join().is_ok());
}

#[test]
fn faces_are_seen_by_id() {
    let (tray, id) = tray();
    let faces = tray.faces();
    assert_eq!(faces.len(), 1);
    assert_eq!(faces[0], (id, tray.face(id)));
    assert_eq!(faces[0].1.serial.as_deref(), Some("86596220000001"));
    assert_eq!(format!("{tray:?}"), "Tray(1 tokens)");
}

/// A tray with one HID device, whose reports are feature reports.
fn hid_tray() -> (Tray, TrayId) {
    let tray = Tray::new(still());
    let id = tray.lay(Box::new(yubikey_otp_hid::practice()), READER);
    (tray, id)
}

fn open_hid(tray: &Tray) -> Box<dyn HidChannel> {
    match tray.connect(&only_candidate(tray).id).expect("it is there") {
        Channel::Hid(channel) => channel,
        Channel::SmartCard(_) => panic!("a HID device is no card"),
    }
}

/// The reports of a write to slot 2 with an effect that can be seen: it moves the
/// programming sequence on (yubikey-otp-hid.md section 6).
const WRITE: [[u8; 9]; 6] = [
    [0, 0, 0, 0, 0, 0, 0, 0, 0x80],
    [0, 0x00, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x21, 0x83],
    [0, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0x84],
    [0, 0, 0, 0, 0x24, 0x40, 0x26, 0, 0x86],
    [0, 0x00, 0xf2, 0x92, 0, 0, 0, 0, 0x87],
    [0, 0x00, 0x03, 0x95, 0x56, 0, 0, 0, 0x89],
];

/// A status that tells this programming sequence; slot 2 is used after 1.
fn hid_status(sequence: u8, flags: u8) -> Vec<u8> {
    vec![0, 0, 5, 4, 3, sequence, if sequence > 1 { 0x07 } else { 0x05 }, 0, flags]
}

/// Sets all reports but the last, each after the device took the one before.
fn set_all_but_the_last(channel: &mut dyn HidChannel) {
    for report in &WRITE[..5] {
        assert_eq!(channel.set(report), Ok(()));
        assert_eq!(channel.get(0, 9), Ok(hid_status(1, 0x80)));
        assert_eq!(channel.get(0, 9), Ok(hid_status(1, 0)));
    }
}

#[test]
fn a_hid_device_is_seen_and_held_by_one_channel() {
    let (tray, id) = hid_tray();
    let candidate = only_candidate(&tray);
    assert_eq!(candidate.origin, Origin::Practice);
    let expected = Attachment::Hid {
        vendor: 0x1050,
        product: 0x0403,
        usage_page: 0x0001,
        usage: 0x0006,
        name: "YubiKey OTP+FIDO".to_owned(),
        serial: String::new(),
    };
    assert_eq!(candidate.attachment, expected);
    let mut channel = open_hid(&tray);
    let busy = ChannelError::Busy { likely: None };
    assert_eq!(tray.connect(&candidate.id).err(), Some(busy));
    // A device learns nothing of a handle that is closed, so the report that it
    // was given is still being taken.
    assert_eq!(channel.set(&WRITE[0]), Ok(()));
    drop(channel);
    assert_eq!(open_hid(&tray).get(0, 9), Ok(hid_status(1, 0x80)));
    // Only what is sent counts as an exchange.
    assert_eq!(tray.log(id), [Logged { header: [0; 4], body_length: 5 }]);
}

#[test]
fn reports_that_a_hid_device_does_not_know_are_stalled_or_never_come() {
    let (tray, _) = hid_tray();
    let mut channel = open_hid(&tray);
    let stalled = ChannelError::Failed { code: 32 };
    assert_eq!(channel.write(&[0; 65]), Err(stalled.clone()));
    assert_eq!(channel.set(&[0; 65]), Err(stalled.clone()));
    assert_eq!(channel.get(1, 9), Err(stalled));
    assert_eq!(channel.read(Duration::from_mins(10)), Err(ChannelError::Silent));
    // It is as it was.
    assert_eq!(channel.get(0, 9), Ok(hid_status(1, 0)));
    assert_eq!(channel.get(0, 3), Ok(vec![0, 0, 5]));
}

#[test]
fn each_fault_of_a_hid_device_ends_and_acts_as_it_says() {
    let stalled = Err(ChannelError::Failed { code: 32 });
    let flipped = |report: Vec<u8>| -> Vec<u8> { report.iter().map(|byte| byte ^ 0x55).collect() };
    // The fault; how the last report ends; whether it took effect; what is got then.
    let cases = [
        (Fault::RemovedBefore, Err(ChannelError::Removed), 1, Err(ChannelError::Removed)),
        (Fault::RemovedAfter, Err(ChannelError::Removed), 2, Err(ChannelError::Removed)),
        (Fault::Refused(0x6f00), stalled, 1, Ok(hid_status(1, 0))),
        (Fault::Silent, Err(ChannelError::Silent), 2, Err(ChannelError::Silent)),
        (Fault::SilentBefore, Err(ChannelError::Silent), 1, Err(ChannelError::Silent)),
        (Fault::Garbled, Ok(()), 2, Ok(flipped(hid_status(2, 0x80)))),
        (Fault::Empty, Ok(()), 2, Ok(Vec::new())),
        (Fault::Short, Ok(()), 2, Ok(vec![0])),
        (Fault::SwappedBefore, Err(ChannelError::Removed), 1, Err(ChannelError::Removed)),
    ];
    assert_eq!(cases.each_ref().map(|(fault, ..)| *fault), Fault::ALL);
    for (fault, ends, sequence, next) in cases {
        let (tray, id) = hid_tray();
        tray.arm(id, &[Script::at_exchange(5, fault)]);
        let mut channel = open_hid(&tray);
        set_all_but_the_last(channel.as_mut());
        assert_eq!(channel.set(&WRITE[5]), ends, "{fault:?}");
        assert_eq!(channel.get(0, 9), next, "{fault:?}");
        // A fault happens once, and its report is the last one that it harms.
        if next.is_ok() {
            assert_eq!(channel.get(0, 9), Ok(hid_status(sequence, 0)), "{fault:?}");
        }
        drop(channel);
        tray.remove(id);
        tray.insert(id);
        assert_eq!(open_hid(&tray).get(0, 9), Ok(hid_status(sequence, 0)), "{fault:?}");
    }
}

#[test]
fn a_silent_hid_device_opens_and_answers_when_it_was_unplugged() {
    let (tray, id) = hid_tray();
    tray.arm(id, &[Script::at_exchange(0, Fault::SilentBefore)]);
    let mut channel = open_hid(&tray);
    // An output report is not acknowledged, so nobody notices.
    assert_eq!(channel.write(&[0; 65]), Ok(()));
    assert_eq!(channel.read(Duration::from_mins(10)), Err(ChannelError::Silent));
    drop(channel);
    let mut channel = open_hid(&tray);
    assert_eq!(channel.set(&WRITE[0]), Err(ChannelError::Silent));
    assert_eq!(channel.get(0, 9), Err(ChannelError::Silent));
    tray.remove(id);
    tray.insert(id);
    assert_eq!(open_hid(&tray).get(0, 9), Ok(hid_status(1, 0)));
}

#[test]
fn a_handle_of_a_hid_device_that_left_stays_dead() {
    let (tray, id) = hid_tray();
    let mut channel = open_hid(&tray);
    tray.remove(id);
    for _ in 0..2 {
        assert_eq!(channel.set(&WRITE[0]), Err(ChannelError::Removed));
        assert_eq!(channel.write(&WRITE[0]), Err(ChannelError::Removed));
        assert_eq!(channel.get(0, 9), Err(ChannelError::Removed));
        assert_eq!(channel.read(Duration::ZERO), Err(ChannelError::Removed));
        tray.insert(id);
    }
    assert_eq!(tray.exchanges(id), 0);
    // Another handle does not mind the dead one, nor its end.
    let mut other = open_hid(&tray);
    drop(channel);
    assert_eq!(other.get(0, 9), Ok(hid_status(1, 0)));
    let busy = ChannelError::Busy { likely: None };
    assert_eq!(tray.connect(&only_candidate(&tray).id).err(), Some(busy));
}

#[test]
fn a_swapped_hid_device_is_reached_by_another_handle_only() {
    let (tray, id) = hid_tray();
    tray.arm(id, &[Script::at_exchange(0, Fault::SwappedBefore)]);
    let mut channel = open_hid(&tray);
    assert_eq!(channel.set(&WRITE[0]), Err(ChannelError::Removed));
    assert_eq!(channel.get(0, 9), Err(ChannelError::Removed));
    let ids = tray.ids();
    assert_eq!((ids.len(), tray.is_inserted(id)), (2, false));
    assert_ne!(tray.identity(ids[1]), tray.identity(id));
    assert_eq!(open_hid(&tray).get(0, 9), Ok(hid_status(1, 0)));
    assert_eq!((tray.exchanges(id), tray.exchanges(ids[1])), (1, 0));
}
