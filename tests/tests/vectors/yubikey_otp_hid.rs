//! OTP slots of a YubiKey, over its keyboard's feature reports.

use oath::{Algorithm, Parameters, SharedSecret, TimeStep, UnixTime, respond};
use token::{Proof, Question, Session, SessionError, Taken};

use crate::recording::{Recording, Unsent};
use crate::tape::{Tape, Wire};
use crate::{Family, NOW, STEP, drawing, hello, hid, open};

const NAME: &str = "yubikey-otp-hid";

pub(crate) const FAMILY: Family = Family {
    name: NAME,
    differences: &[],
    unsent: &[
        Unsent {
            conversation: "",
            cases: &["Challenge for the empty slot 1", "Challenge for slot 1"],
            why: "a slot whose status says that it is empty is not asked",
        },
        Unsent {
            conversation: "firmware",
            cases: &["Key 12345678901234567890 in ASCII", "Configuration of slot 2 with its"],
            why: "touch and access codes are left out on purpose",
        },
        Unsent {
            conversation: "firmware",
            cases: &["Delete slot 2"],
            why: "a slot is written over; nothing is deleted alone",
        },
    ],
    play,
};

const SERIAL_FIRST: &str = "the serial number is read at opening, and the answer ended";
const EMPTY: &str = "0005040303000000";
const RESET: &str = "00000000000000ff";

fn play(recording: &Recording) {
    first_write(recording);
    long_secret(recording);
    empty_slot(recording);
}

/// Opens a key that has something to tell.
fn session(tape: &Tape<'_>) -> Box<dyn Session> {
    let session = open(tape, NAME, hid(0x1050, 0x0401, 1, 6), &drawing(&[]));
    assert_eq!(session.identity().serial.0, "12345678");
    assert_eq!(session.identity().firmware.as_deref(), Some("5.4.3"));
    session
}

fn plan(session: &dyn Session, secret: &SharedSecret) -> token::WritePlan {
    let label = token::Label::default();
    let wish = token::Wish { secret, parameters: Parameters::default(), label, name: None };
    session.capabilities().plan(&wish).expect("fits").in_slot(2)
}

fn first_write(recording: &Recording) {
    let mut tape = recording.tape("firmware", Wire::Reports(8));
    // An answer that nobody fetched is what a reset is sent for.
    tape.tells("1d706e941ac76b40").next("Reset, then the status before");
    tape.moved("Serial number", SERIAL_FIRST).beyond(RESET, EMPTY, SERIAL_FIRST);
    let mut session = session(&tape);
    tape.next("Configuration of slot 2 without touch");
    let plan = plan(&*session, &hello());
    session.write(&plan, &hello(), NOW).expect("written");
    tape.next("Challenge for slot 2 at 1700000000").next("Reset (section 6); the");
    let mut proves = |step| {
        let proof = session.prove(&plan, Question::Key(step), UnixTime::from_secs(0));
        let Ok(Proof::Computed(response)) = proof else { panic!("{proof:?}") };
        assert_eq!(response, respond(&hello(), Algorithm::Sha1, step));
    };
    proves(STEP);
    tape.next("Challenge that ends in 00").next("Reset (section 2)");
    proves(TimeStep(0x0360_aa00));
    tape.played();
}

/// In the recorded order; the key is opened once more.
fn long_secret(recording: &Recording) {
    let mut tape = recording.tape("firmware", Wire::Reports(8));
    tape.tells("0005040304020000").next("Serial number").next("Reset (section 6)");
    let mut session = session(&tape);
    let secret = SharedSecret::new((0..80).collect());
    let plan = plan(&*session, &secret).replacing();
    tape.next("Key of an 80-byte secret");
    session.write(&plan, &secret, NOW).expect("written over");
    tape.played();
}

/// Slot 1 is empty, as its status says, and so is not asked.
fn empty_slot(recording: &Recording) {
    let mut tape = recording.tape("firmware", Wire::Reports(8));
    tape.tells("0005040304020000").next("Serial number").next("Reset (section 6)");
    let mut session = session(&tape);
    let plan = plan(&*session, &hello()).in_slot(1);
    let proof = session.prove(&plan, Question::Key(STEP), NOW);
    assert_eq!(proof.expect_err("nothing is there"), SessionError::NoSuchEntry);
    let taken: Vec<_> = session.entries().expect("told").iter().map(|e| e.taken).collect();
    assert_eq!(taken, [Taken::Yes, Taken::No]);
    tape.played();
}
