//! Feitian's FIDO keys with an OTP applet.

use oath::Parameters;
use token::{Question, Session, SessionError, StatusWord, TokenState};

use crate::recording::{Recording, Unsent};
use crate::tape::{Tape, Wire};
use crate::{Family, NOW, STEP, card, code, drawing, hello, names, open, plan_for};

const NAME: &str = "feitian-otp-applet";

pub(crate) const FAMILY: Family = Family {
    name: NAME,
    differences: &[],
    unsent: &[
        Unsent {
            conversation: "newer firmware",
            cases: &["the honest length behind 53"],
            why: "the driver sends the length that keys take, one less",
        },
        Unsent {
            conversation: "newer firmware",
            cases: &["put with touch"],
            why: "entries that want a touch are not written",
        },
        Unsent {
            conversation: "access code set",
            cases: &["put (section A.3)"],
            why: "a key that refuses its list is sent nothing more",
        },
    ],
    play,
};

const ALICE: &str = "30:Microsoft_#_alice@example.com";
const LISTED_FIRST: &str = "names are listed before anything is written";
const NOT_RECORDED: &str = "an empty list of this key, by section A.2";

fn play(recording: &Recording) {
    newer_firmware(recording);
    older_firmware(recording);
    access_code(recording);
    full(recording);
}

fn session(tape: &mut Tape<'_>) -> Box<dyn Session> {
    tape.next("SELECT");
    open(tape, NAME, card(), &drawing(&[]))
}

fn alice(session: &dyn Session) -> token::WritePlan {
    plan_for(session, &hello(), Parameters::default(), ["Microsoft", "alice@example.com"])
}

fn newer_firmware(recording: &Recording) {
    let mut tape = recording.tape("newer firmware", Wire::Card);
    let mut session = session(&mut tape);
    let plan = alice(&*session);
    tape.next("LIST of an empty key").next("put");
    session.write(&plan, &hello(), NOW).expect("written");
    tape.next("LIST, type and hash");
    assert_eq!(names(&mut *session), [ALICE]);
    tape.next("calculate: 324550");
    assert_eq!(code(session.prove(&plan, Question::Code(STEP), NOW)), "324550");
    tape.moved("LIST, type and hash", LISTED_FIRST).next("delete");
    tape.moved("put", "an entry is replaced by deletion and a new one");
    session.write(&plan.clone().replacing(), &hello(), NOW).expect("replaced");
    tape.next("calculate, not touched");
    let untouched = session.prove(&plan, Question::Key(STEP), NOW);
    assert_eq!(untouched.expect_err("nobody touches it"), SessionError::NotTouched);
    tape.played();
}

fn older_firmware(recording: &Recording) {
    let mut tape = recording.tape("older firmware", Wire::Card);
    let mut session = session(&mut tape);
    let plan = alice(&*session);
    tape.moved("LIST of newer keys", LISTED_FIRST).beyond("00170000", "9000", NOT_RECORDED);
    tape.next("put");
    session.write(&plan, &hello(), NOW).expect("written");
    tape.next("LIST of newer keys").next("LIST of older keys");
    assert_eq!(names(&mut *session), [ALICE]);
    tape.next("calculate: 324550");
    assert_eq!(code(session.prove(&plan, Question::Key(STEP), NOW)), "324550");
    tape.played();
}

fn access_code(recording: &Recording) {
    let mut tape = recording.tape("access code", Wire::Card);
    let mut session = session(&mut tape);
    tape.next("LIST");
    let failure = session.write(&alice(&*session), &hello(), NOW).expect_err("locked");
    let refused = SessionError::Refused { exchange: "LIST", status: StatusWord(0x6982) };
    assert_eq!((failure.token, failure.cause), (TokenState::Untouched, refused));
    tape.played();
}

fn full(recording: &Recording) {
    let mut tape = recording.tape("full", Wire::Card);
    let mut session = session(&mut tape);
    tape.beyond("001700F000", "9000", LISTED_FIRST).next("put");
    let failure = session.write(&alice(&*session), &hello(), NOW).expect_err("full");
    assert_eq!((failure.token, failure.cause), (TokenState::Untouched, SessionError::Full));
    tape.played();
}
