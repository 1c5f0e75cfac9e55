//! Token2 FIDO2 keys with OTP, over PC/SC.

use oath::Parameters;
use token::{Guard, Question, Session, WritePlan};

use crate::recording::{Difference, How, Recording, Unsent};
use crate::tape::{Tape, Wire};
use crate::{Family, NOW, STEP, card, code, drawing, hello, names, open, plan_for, unlock};

const NAME: &str = "token2-fido-otp";

pub(crate) const FAMILY: Family = Family {
    name: NAME,
    differences: &[
        Difference {
            begins: "80C5050025 01",
            how: How::Instead { recorded: "6553F100", ours: "6553F0EC" },
            why: "a code is asked for at the beginning of its step",
        },
        Difference {
            begins: "80C5050009 03",
            how: How::Instead { recorded: "6553F100", ours: "0000003B" },
            why: "names are listed with the time 59, whose codes open nothing",
        },
        Difference {
            begins: "80C5050108",
            how: How::Instead { recorded: "6553F100", ours: "0000003B" },
            why: "names are listed with the time 59, whose codes open nothing",
        },
        Difference {
            begins: "80C505090000 40",
            how: How::Instead { recorded: "80C505090000 40", ours: "80C5050940" },
            why: "the short form of the same command, which every reader takes",
        },
        Difference {
            begins: "80C505000000 09",
            how: How::Instead {
                recorded: "80C505000000 0903 00000000 6553F100",
                ours: "80C50500 0903 00000000 0000003B",
            },
            why: "the short form of the same command, with the time of a list",
        },
    ],
    unsent: &[
        Unsent {
            conversation: "R3.2",
            cases: &["Section 3.4: config", "Section 3: erase all without a touch"],
            why: "the configuration tells nothing that is needed, and nothing is ever erased",
        },
        Unsent {
            conversation: "R3.2",
            cases: &["Section 6: read one, extended", "Section 6: write, extended"],
            why: "the extended form of a case that is played: every command fits the short one",
        },
        Unsent {
            conversation: "R3.2",
            cases: &["Section 6: read more, where nothing waits", "Section 3.5: not found"],
            why: "more is asked for where a page says so, and what is listed is deleted",
        },
        Unsent {
            conversation: "R3",
            cases: &[
                "Section 4: no OTP PIN before",
                "Section 4: flag without",
                "Section 4: flag, n = 04",
            ],
            why: "the flag is asked for with 9 bytes or with 41",
        },
        Unsent {
            conversation: "R3.4",
            cases: &[
                "Section 4: agreement before",
                "Section 4: a read outside",
                "Section 4: a read after",
            ],
            why: "the flag is read first, and behind a PIN nothing is read without it",
        },
        Unsent {
            conversation: "R3.4",
            cases: &["Section 6: set PIN", "Section 6: change to"],
            why: "setting and changing the PIN are left out on purpose",
        },
    ],
    play,
};

/// SHA-256 of `host`, the sheet's scalar, and the IV of the conversations.
const SCALAR: &[u8] = &[
    0x47, 0x40, 0xae, 0x63, 0x47, 0xb0, 0x17, 0x2c, 0x01, 0x25, 0x4f, 0xf5, 0x5b, 0xae, 0x5a, 0xff,
    0x51, 0x99, 0xf4, 0x44, 0x6e, 0x7f, 0x6d, 0x64, 0x3d, 0x40, 0x18, 0x5b, 0x3f, 0x47, 0x51, 0x45,
];
const IV: &[u8] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

const OPENING: &str = "an opening reads flag, key and serial number, in this order";
const ALICE: &str = "Microsoft:alice@example.com";
const SELECT: &str = "Section 1: SELECT";
const FLAG: &str = "80C5050409000000000000000000";
const SELECT_FIDO: &str = "00A4040008A0000006472F0001";
const SERIAL: &str = "8033000012D11000000000000000000000000000000000";
const SERIAL_TOLD: &str = "D10E37373130333930303030303030319000";
const KEY: &str = "80C5010000";

fn play(recording: &Recording) {
    without_a_pin(recording);
    pages(recording);
    no_pin_yet(recording);
    behind_a_pin(recording);
    after_a_change(recording);
}

fn alice(session: &dyn Session) -> WritePlan {
    plan_for(session, &hello(), Parameters::default(), ["Microsoft", "alice@example.com"])
}

fn session(tape: &Tape<'_>) -> Box<dyn Session> {
    let session = open(tape, NAME, card(), &drawing(&[SCALAR, IV]));
    assert_eq!(session.identity().serial.0, "77103900000001");
    session
}

/// The way to the serial number and back, where it is not recorded.
fn serial<'a, 'b>(tape: &'a mut Tape<'b>) -> &'a mut Tape<'b> {
    tape.beyond(SELECT_FIDO, "5532465F56329000", OPENING)
        .beyond(SERIAL, SERIAL_TOLD, OPENING)
        .moved(SELECT, OPENING)
}

/// A release that knows no PIN.
fn without_a_pin(recording: &Recording) {
    let mut tape = recording.tape("R3.2 number 1, device scalar of the sheet", Wire::Card);
    tape.moved(SELECT, OPENING).beyond(FLAG, "6A86", OPENING);
    tape.moved("Section 6: device key", OPENING);
    tape.next("Section 1: SELECT the FIDO application")
        .next("Section 3: serial number")
        .next(SELECT);
    let mut session = session(&tape);
    let plan = alice(&*session);
    tape.next("Section 3.5: an empty key")
        .next("Section 6: device key")
        .next("Section 6: write, short");
    session.write(&plan, &hello(), NOW).expect("written");
    tape.next("Section 6: read one, short");
    assert_eq!(code(session.prove(&plan, Question::Code(STEP), NOW)), "324550");
    tape.next("Section 6: read all");
    assert_eq!(names(&mut *session), [ALICE]);
    let replaced = "an entry is replaced by deletion and a new one";
    tape.moved("Section 6: read all", replaced).moved("Section 6: device key", replaced);
    tape.next("Section 6: delete");
    tape.moved("Section 6: device key", replaced).moved("Section 6: write, short", replaced);
    session.write(&plan.replacing(), &hello(), NOW).expect("replaced");
    tape.played();
}

fn pages(recording: &Recording) {
    let title = "R3.2 number 1, device scalar of the sheet, pages";
    let mut tape = recording.tape(title, Wire::Card);
    let key = device_key();
    tape.next(SELECT).beyond(FLAG, "6A86", OPENING).beyond(KEY, &key, OPENING);
    serial(&mut tape);
    let mut session = session(&tape);
    let plan = alice(&*session);
    let listed = "names are listed before anything is written";
    tape.beyond("80C505000903", "6A80", listed).beyond(KEY, &key, listed).next("Section 6: write");
    session.write(&plan, &hello(), NOW).expect("written");
    tape.next("Section 6: read all, first page").next("Section 6: read more, last page");
    assert_eq!(names(&mut *session), ["Contoso:bob", ALICE]);
    tape.played();
}

/// The device's public key, by section 6.
fn device_key() -> String {
    "11D6BF7F71E9B445E41D1C4C44A0FB730A39F3BD23464D2F40388ABE95220EAC\
     3B7F1298401253D08FF5DEFE922A8F29B3020A0F81032D4B916086CA66D382629000"
        .to_owned()
}

/// A release that knows a PIN, and none is set.
fn no_pin_yet(recording: &Recording) {
    let mut tape = recording.tape(
        "R3.4 number 1, device scalar of the sheet, random 10 to 1F, IV 00 to 0F, no PIN",
        Wire::Card,
    );
    tape.next(SELECT).next("Section 4: flag, n = 09").beyond(KEY, &device_key(), OPENING);
    serial(&mut tape);
    let session = session(&tape);
    assert_eq!(session.capabilities().guard, Guard::None);
    tape.played();
}

/// A write, a code and a list behind the PIN, and the lock at the end.
fn behind_a_pin(recording: &Recording) {
    let mut tape = recording.tape(
        "R3.4 number 1, device scalar of the sheet, random 10 to 1F, IV 00 to 0F, no PIN",
        Wire::Card,
    );
    let flag = "070A060A00000100009000";
    let set = "the flag of the other conversation, whose key has a PIN";
    tape.next(SELECT).beyond(FLAG, flag, set).moved("Section 3.5: no ECDH key", OPENING);
    serial(&mut tape);
    let mut session = session(&tape);
    assert_eq!(session.capabilities().guard, Guard::Pin { tries_left: Some(10) });
    tape.beyond(FLAG, flag, set).next("Section 6: agreement").next("Section 4: flag, n = 29");
    tape.next("Section 6: verify");
    unlock(&mut *session, "135790").expect("the recorded proof");
    let plan = alice(&*session);
    tape.beyond("80C505000903", "6A80", "names are listed first")
        .next("Section 6: protected write");
    session.write(&plan, &hello(), NOW).expect("written");
    tape.next("Section 4: protected read one");
    assert_eq!(code(session.prove(&plan, Question::Key(STEP), NOW)), "324550");
    tape.next("Section 4: protected read all");
    assert_eq!(names(&mut *session), [ALICE]);
    tape.next("Section 4: lock");
    drop(session);
    tape.played();
}

/// A PIN that was changed, and no record.
fn after_a_change(recording: &Recording) {
    let title =
        "R3.4 number 1, device scalar of the sheet, random 10 to 1F, IV 00 to 0F, PIN 097531";
    let mut tape = recording.tape(title, Wire::Card);
    tape.next(SELECT).next("Section 4: flag, n = 09").beyond(KEY, "6A81", OPENING);
    serial(&mut tape);
    let mut session = session(&tape);
    tape.moved("Section 4: flag, n = 09", "the tries are read again before one is spent");
    tape.next("Section 6: agreement").next("Section 4: flag, n = 29").next("Section 6: verify");
    unlock(&mut *session, "135790").expect("the recorded proof");
    tape.next("Section 3.5: an open window and no record");
    assert!(names(&mut *session).is_empty());
    tape.beyond("80C505060100", "9000", "a key that was opened is locked at the end");
    drop(session);
    tape.played();
}
