//! Nitrokey Pro and Storage, over feature reports.

use data_encoding::HEXLOWER;
use oath::{Digits, Parameters, SharedSecret};
use token::{Guard, Question, Session, SessionError, Taken};

use crate::recording::{Recording, Unsent, unhex};
use crate::tape::{Tape, Wire};
use crate::{Family, NOW, STEP, code, drawing, hello, hid, open, plan, unlock};

const NAME: &str = "nitrokey-pro";

pub(crate) const FAMILY: Family = Family {
    name: NAME,
    differences: &[],
    unsent: &[
        Unsent {
            conversation: "Nitrokey Pro",
            cases: &["SET_TIME flag 0"],
            why: "the clock is set whatever it says now",
        },
        Unsent {
            conversation: "Nitrokey Pro",
            cases: &["WRITE_CONFIG", "USER_AUTHENTICATE", "GET_CODE with user temp", "ERASE_SLOT"],
            why: "settings, the user PIN and erasing are left out on purpose",
        },
    ],
    play,
};

/// The temporary password of the conversations, which the driver draws.
const TEMPORARY: &[u8] = b"TEMPADMINPASSWORD12345678";

const IDENTITY_FIRST: &str = "the status is read at opening, before any PIN";
const TRIES: &str = "how many tries the PIN has left is read before and after it";
const LOOKED_FIRST: &str = "the slot's title is read before anything is written";
const SECOND_PART: &str = "the second part of a secret is sent always: the buffer may hold another";
const CLOCK: &str = "the clock is set to the middle of the step, and after the proof to now";

fn play(recording: &Recording) {
    let mut tape = recording.tape("Nitrokey Pro", Wire::Reports(65));
    tape.moved("GET_STATUS", IDENTITY_FIRST);
    asks(&mut tape, &[0x09], 0, &[3], TRIES);
    let mut session = open(&tape, NAME, hid(0x20a0, 0x4108, 0xff00, 1), &drawing(&[TEMPORARY]));
    assert_eq!(session.identity().serial.0, "12345678");
    assert_eq!(session.identity().firmware.as_deref(), Some("0.15"));

    tape.next("FIRST_AUTHENTICATE, wrong PIN");
    asks(&mut tape, &[0x09], 0, &[2], TRIES);
    let wrong = unlock(&mut *session, "00000000");
    assert_eq!(wrong, Err(SessionError::WrongKey { tries_left: Some(2) }));
    tape.next("FIRST_AUTHENTICATE 12345678");
    unlock(&mut *session, "12345678").expect("the right PIN");

    first_slot(&mut tape, &mut *session);
    second_slot(&mut tape, &mut *session);
    entries(&mut tape, &mut *session);
    tape.played();
    storage(recording);
}

/// Slot 20: title, secret, settings, clock, and the code.
fn first_slot(tape: &mut Tape<'_>, session: &mut dyn Session) {
    let plan = plan(session, &hello(), Parameters::default(), "Microsoft").in_slot(0x20);
    asks(tape, &[0x02, 0x20], 3, &[], LOOKED_FIRST);
    tape.next("SEND_OTP_DATA name").next("SEND_OTP_DATA secret");
    let empty_part = [&[0x17], TEMPORARY, b"S\x01"].concat();
    asks(tape, &empty_part, 0, &[], SECOND_PART);
    tape.next("WRITE_TO_SLOT 20").moved("SET_TIME flag 1", CLOCK);
    session.write(&plan, &hello(), NOW).expect("written");
    let middle = (1_699_999_995_u64).to_le_bytes();
    asks(tape, &[&[0x0b, 0x01][..], &middle].concat(), 0, &[], CLOCK);
    tape.moved("GET_CODE slot 20", "a slot is proven before another is written");
    tape.moved("SET_TIME flag 1", CLOCK);
    assert_eq!(code(session.prove(&plan, Question::Code(STEP), NOW)), "324550");
}

/// Slot 21: the next transaction, with a secret in two parts.
fn second_slot(tape: &mut Tape<'_>, session: &mut dyn Session) {
    let secret = SharedSecret::new((0..40).collect());
    let parameters = Parameters { digits: Digits::EIGHT, ..Parameters::default() };
    let plan = plan(session, &secret, parameters, "Microsoft").in_slot(0x21);
    asks(tape, &[0x02, 0x21], 3, &[], LOOKED_FIRST);
    tape.next("Name \"Microsoft\" again");
    tape.next("40-byte secret 00..27 in two parts, part 1");
    tape.next("40-byte secret 00..27 in two parts, part 2");
    tape.next("WRITE_TO_SLOT 21").next("SET_TIME flag 1");
    session.write(&plan, &secret, NOW).expect("written");
}

fn entries(tape: &mut Tape<'_>, session: &mut dyn Session) {
    for slot in 0x20..0x2f {
        match slot {
            0x20 => _ = tape.next("READ_SLOT_NAME 20"),
            0x25 => _ = tape.next("READ_SLOT_NAME 25"),
            slot => asks(tape, &[0x02, slot], 3, &[], "the titles of these are not recorded"),
        }
    }
    let entries = session.entries().expect("read");
    assert_eq!((entries[0].name.as_str(), entries[0].taken), ("Microsoft", Taken::Yes));
    assert_eq!((entries[5].name.as_str(), entries[5].taken), ("", Taken::No));
}

fn storage(recording: &Recording) {
    let mut tape = recording.tape("Nitrokey Storage", Wire::Reports(65));
    tape.next("Storage GET_DEVICE_STATUS");
    asks(&mut tape, &[0x09], 0, &[0], TRIES);
    let mut session = open(&tape, NAME, hid(0x20a0, 0x4109, 0xff00, 1), &drawing(&[TEMPORARY]));
    assert_eq!(session.identity().firmware.as_deref(), Some("0.57"));
    assert_eq!(session.capabilities().guard, Guard::Pin { tries_left: Some(0) });
    assert_eq!(unlock(&mut *session, "12345678"), Err(SessionError::Blocked));
    tape.played();
}

/// A request that is not recorded, and its answer by sections 2 and 3.
fn asks(tape: &mut Tape<'_>, command: &[u8], status: u8, data: &[u8], why: &'static str) {
    let request = summed([&[0], command].concat());
    let answer = [&[0, 0, command[0]], &request[61..], &[status], data].concat();
    tape.beyond(&HEXLOWER.encode(&request), &HEXLOWER.encode(&summed(answer)), why);
}

/// Filled up with zeros, with its checksum behind: CRC-32/MPEG-2 of groups of four
/// bytes that are turned round.
fn summed(mut report: Vec<u8>) -> Vec<u8> {
    report.resize(61, 0);
    let mut sum = u32::MAX;
    for byte in report[1..].chunks(4).flat_map(|group| group.iter().rev()) {
        sum ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            sum = (sum << 1) ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 };
        }
    }
    report.extend(sum.to_le_bytes());
    report
}

#[test]
fn the_checksum_is_the_sheets() {
    assert_eq!(summed(vec![0])[61..], unhex("dfb76eef"));
}
