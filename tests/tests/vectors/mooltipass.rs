//! Mooltipass Mini BLE.

use oath::Parameters;
use token::{Question, Session, SessionError, TokenState};

use crate::recording::{Difference, How, Recording, Unsent};
use crate::tape::{Tape, Wire};
use crate::{Family, NOW, STEP, code, drawing, hello, hid, open, plan};

const NAME: &str = "mooltipass";

pub(crate) const FAMILY: Family = Family {
    name: NAME,
    differences: &[Difference {
        begins: "ffff",
        how: How::Flips,
        why: "the flip bit is set anew once, and then alternates from message to message",
    }],
    unsent: &[
        Unsent {
            conversation: "firmware 0.87, card unlocked, a person says yes",
            cases: &["STORE_TOTP with an empty service"],
            why: "a name without a service is put into both fields",
        },
        Unsent {
            conversation: "firmware 0.87, card locked",
            cases: &["STORE_TOTP is refused"],
            why: "a device that says that it is locked is sent nothing more",
        },
    ],
    play,
};

const UNLOCKED: &str = "STATUS: card inserted and unlocked";
const STATUS_FIRST: &str = "the state is read at opening and before each write and proof";
const CLOCK: &str = "the clock is set for each write, into the step for a proof, and then to now";
const FIRST: &str = "login.microsoftonline.com:alice@contoso.com";

fn play(recording: &Recording) {
    let mut tape = recording.tape("firmware 0.87, card unlocked, a person", Wire::Flipping);
    let mut session = session(&mut tape, UNLOCKED);
    write(&mut tape, &mut *session, FIRST, "STORE_TOTP login.microsoftonline.com");
    prove(&mut tape, &mut *session, FIRST, "GET_TOTP of it at 1700000000");
    let second = "microsoft.com:alice@example.com";
    write(&mut tape, &mut *session, second, "STORE_TOTP microsoft.com");
    prove(&mut tape, &mut *session, second, "GET_TOTP of it (second set");
    write(&mut tape, &mut *session, FIRST, "STORE_TOTP of the first one again");
    tape.played();
    locked(recording);
    without_a_time(recording);
}

fn session(tape: &mut Tape<'_>, status: &str) -> Box<dyn Session> {
    tape.moved(status, STATUS_FIRST);
    open(tape, NAME, hid(0x1209, 0x4321, 0xff31, 0x0074), &drawing(&[]))
}

fn write(tape: &mut Tape<'_>, session: &mut dyn Session, name: &str, about: &str) {
    tape.moved(UNLOCKED, STATUS_FIRST).moved("SET_DATE", CLOCK).next(about);
    let plan = plan(session, &hello(), Parameters::default(), name).replacing();
    session.write(&plan, &hello(), NOW).expect("a person says yes");
}

fn prove(tape: &mut Tape<'_>, session: &mut dyn Session, name: &str, about: &str) {
    tape.moved(UNLOCKED, STATUS_FIRST);
    into_step(tape).next(about).moved("SET_DATE", CLOCK);
    let plan = plan(session, &hello(), Parameters::default(), name);
    assert_eq!(code(session.prove(&plan, Question::Code(STEP), NOW)), "324550");
}

/// 22:13:01, a second into the step.
fn into_step<'a, 'b>(tape: &'a mut Tape<'b>) -> &'a mut Tape<'b> {
    tape.beyond("100004000c00e7070b000e0016000d000100", &report("05000400010001"), CLOCK)
}

/// A report, filled up with zeros.
fn report(hex: &str) -> String {
    format!("{hex:0<128}")
}

fn locked(recording: &Recording) {
    let mut tape = recording.tape("firmware 0.87, card locked", Wire::Flipping);
    let mut session = session(&mut tape, "STATUS: card inserted");
    tape.moved("STATUS: card inserted", STATUS_FIRST);
    let plan = plan(&*session, &hello(), Parameters::default(), FIRST).replacing();
    let failure = session.write(&plan, &hello(), NOW).expect_err("locked");
    let expected = (TokenState::Untouched, SessionError::LockedOnDevice);
    assert_eq!((failure.token, failure.cause), expected);
    tape.played();
}

/// A device without a time tells no code, in the words of a person's no.
fn without_a_time(recording: &Recording) {
    let title = "firmware 0.87, card unlocked, holds the first credential";
    let unlocked = report("0800110004000500");
    let status = "04001100";
    let mut tape = recording.tape(title, Wire::Flipping);
    tape.beyond(&[report("ffff"), report(status)].concat(), &unlocked, STATUS_FIRST);
    let mut session = open(&tape, NAME, hid(0x1209, 0x4321, 0xff31, 0x0074), &drawing(&[]));
    let plan = plan(&*session, &hello(), Parameters::default(), FIRST);
    tape.beyond(status, &unlocked, STATUS_FIRST);
    into_step(&mut tape).next("GET_TOTP is refused").next("SET_DATE, then");
    let refused = session.prove(&plan, Question::Code(STEP), NOW);
    assert_eq!(refused.expect_err("no code"), SessionError::NotTouched);
    tape.beyond(status, &unlocked, STATUS_FIRST);
    into_step(&mut tape).next("GET_TOTP at 1700000000").moved("SET_DATE, then", CLOCK);
    assert_eq!(code(session.prove(&plan, Question::Code(STEP), NOW)), "324550");
    tape.played();
}
