//! Keys with a YKOATH applet: the maker's client, and two firmwares.

use oath::{Algorithm, Parameters, SharedSecret, TimeStep, code_at, respond};
use token::{Proof, Question, Session, SessionError};

use crate::recording::{Difference, How, Recording, Unsent};
use crate::tape::{Tape, Wire};
use crate::{Family, NOW, STEP, card, code, drawing, hello, names, open, parameters, plan, unlock};

const NAME: &str = "yubikey-oath";

pub(crate) const FAMILY: Family = Family {
    name: NAME,
    differences: &[Difference {
        begins: "00",
        how: How::Le,
        why: "every command has an Le byte: without it some products answer 61FF for ever",
    }],
    unsent: &[
        Unsent {
            conversation: "YubiKey",
            cases: &["PUT of a 20-byte key that needs touch", "HOTP PUT"],
            why: "entries that want a touch, or count, are not written",
        },
        Unsent {
            conversation: "YubiKey",
            cases: &["CALCULATE ALL", "RENAME"],
            why: "one entry is asked by its name, and none is renamed",
        },
        Unsent {
            conversation: "CanoKey",
            cases: &["CALCULATE ALL"],
            why: "one entry is asked by its name",
        },
        Unsent {
            conversation: "",
            cases: &["SET CODE", "RESET"],
            why: "passwords and resets are left out on purpose",
        },
        Unsent {
            conversation: "",
            cases: &["CLEAR CODE", "LIST when locked"],
            why: "passwords are not cleared, and a key that is locked is not asked",
        },
        Unsent {
            conversation: "YubiKey",
            cases: &["VALIDATE with a wrong proof"],
            why: "no password makes this proof; a wrong one is tried at the emulator",
        },
        Unsent {
            conversation: "CanoKey",
            cases: &[
                "PUT of a 10-byte key that needs touch",
                "Property 04",
                "Property with a length byte",
                "10 digits",
            ],
            why: "no property is sent, no key is shorter than 14 bytes, and 10 digits do not fit",
        },
    ],
    play,
};

const ALICE: &str = "Microsoft:alice@contoso.com";
const BOB: &str = "Microsoft:bob@contoso.com";
const LISTED_FIRST: &str = "names are listed before anything is written";
const LIST: &str = "00a1000000";
const PUT: &str = "00010000";
const UNKNOWN: &str = "CALCULATE of an unknown name";
/// The host's challenge of the conversations.
const CHALLENGE: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8];

fn play(recording: &Recording) {
    yubikey_writes(recording);
    yubikey_computes(recording);
    canokey(recording);
    neo(recording);
    for (title, validated) in [("YubiKey", true), ("NEO", true), ("CanoKey", false)] {
        locked(recording, title, validated);
    }
}

fn session(tape: &mut Tape<'_>) -> Box<dyn Session> {
    tape.next("SELECT");
    open(tape, NAME, card(), &drawing(&[CHALLENGE]))
}

/// A list of nothing; a CanoKey is asked whether that was all.
fn listed<'a, 'b>(tape: &'a mut Tape<'b>, session: &dyn Session) -> &'a mut Tape<'b> {
    tape.beyond(LIST, "9000", LISTED_FIRST);
    if session.identity().model == "CanoKey" {
        let why = "older firmware does not say that its list goes on";
        tape.beyond("00a5000000", "6985", why);
    }
    tape
}

/// A write whose name is not there.
fn write(
    tape: &mut Tape<'_>,
    session: &mut dyn Session,
    about: &str,
    secret: &SharedSecret,
    name: &str,
    parameters: Parameters,
) {
    listed(tape, session).next(about);
    let plan = plan(session, secret, parameters, name);
    session.write(&plan, secret, NOW).expect("every request is a recorded one");
}

fn yubikey_writes(recording: &Recording) {
    let usual = Parameters::default();
    let mut tape = recording.tape("YubiKey", Wire::Card);
    let mut session = session(&mut tape);
    assert_eq!(session.identity().serial.0, "0aX5mPpu2C2mlDEnUztBLw");
    assert_eq!(session.identity().firmware.as_deref(), Some("5.4.3"));
    let counting = |bytes| SharedSecret::new((0..bytes).collect());
    let sha256 = SharedSecret::new(b"12345678901234567890123456789012".to_vec());
    let sixty = parameters(Algorithm::Sha256, 8, 60);
    let sha512 = parameters(Algorithm::Sha512, 6, 30);
    for (about, secret, name, parameters) in [
        ("PUT (NEO)", hello(), ALICE, usual),
        ("PUT SHA-256", sha256, "60/Acme:x", sixty),
        ("PUT of an 80-byte", counting(80), "long", usual),
        ("PUT of a 65-byte", counting(65), "short", usual),
        ("PUT of a 128-byte", counting(128), "big", sha512),
    ] {
        write(&mut tape, &mut *session, about, &secret, name, parameters);
    }
    // A name that is there is deleted first.
    let mut another = recording.tape("YubiKey", Wire::Card);
    let mut session = self::session(&mut another);
    another.next("LIST, first part").next("LIST, the rest").next("DELETE");
    another.beyond(PUT, "9000", "the new entry of bob, which is not recorded");
    let plan = plan(&*session, &hello(), usual, BOB).replacing();
    session.write(&plan, &hello(), NOW).expect("replaced");
    tape.played();
    another.played();
}

fn yubikey_computes(recording: &Recording) {
    let mut tape = recording.tape("YubiKey", Wire::Card);
    let mut session = session(&mut tape);
    tape.next("LIST, first part").next("LIST, the rest");
    assert_eq!(names(&mut *session), [ALICE, BOB, "60/Acme:x", "long"]);
    tape.next("CALCULATE truncated").next("CALCULATE full");
    computes_alice(&mut *session);
    let sixty = parameters(Algorithm::Sha256, 8, 60);
    let secret = SharedSecret::new(b"12345678901234567890123456789012".to_vec());
    let acme = plan(&*session, &secret, sixty, "60/Acme:x");
    tape.next("CALCULATE for 60 s");
    let step = TimeStep(1_700_000_000 / 60);
    let told = code(session.prove(&acme, Question::Code(step), NOW));
    assert_eq!(told, *code_at(&secret, &sixty, step).expose());
    tape.next(UNKNOWN);
    knows_no_n(&mut *session);
    tape.played();
}

fn computes_alice(session: &mut dyn Session) {
    let alice = plan(session, &hello(), Parameters::default(), ALICE);
    assert_eq!(code(session.prove(&alice, Question::Code(STEP), NOW)), "324550");
    let Ok(Proof::Computed(response)) = session.prove(&alice, Question::Key(STEP), NOW) else {
        panic!("a key returns the whole HMAC");
    };
    assert_eq!(response, respond(&hello(), Algorithm::Sha1, STEP));
}

fn knows_no_n(session: &mut dyn Session) {
    let unknown = plan(session, &hello(), Parameters::default(), "N");
    let proof = session.prove(&unknown, Question::Code(STEP), NOW);
    assert_eq!(proof.expect_err("no such entry"), SessionError::NoSuchEntry);
}

fn canokey(recording: &Recording) {
    let usual = Parameters::default();
    let mut tape = recording.tape("CanoKey", Wire::Card);
    let mut session = session(&mut tape);
    assert_eq!(session.identity().model, "CanoKey");
    write(&mut tape, &mut *session, "PUT", &hello(), ALICE, usual);
    // Another program was faster than our look.
    listed(&mut tape, &*session).next("PUT of the same name again");
    let again = plan(&*session, &hello(), usual, ALICE);
    let failure = session.write(&again, &hello(), NOW).expect_err("refused");
    assert_eq!(failure, token::WriteFailure::untouched(SessionError::NameTaken));
    tape.next("CALCULATE");
    assert_eq!(code(session.prove(&again, Question::Code(STEP), NOW)), "324550");
    tape.next(UNKNOWN);
    knows_no_n(&mut *session);
    tape.played();
}

fn neo(recording: &Recording) {
    let mut tape = recording.tape("NEO", Wire::Card);
    let mut session = session(&mut tape);
    assert_eq!(session.identity().model, "YubiKey NEO");
    write(&mut tape, &mut *session, "PUT", &hello(), ALICE, Parameters::default());
    tape.next("LIST");
    assert_eq!(names(&mut *session), [ALICE]);
    tape.next("CALCULATE truncated").next("CALCULATE full");
    computes_alice(&mut *session);
    tape.next(UNKNOWN);
    knows_no_n(&mut *session);
    tape.played();
}

/// A key with a password is asked nothing before it.
fn locked(recording: &Recording, title: &str, validated: bool) {
    let mut tape = recording.tape(title, Wire::Card);
    tape.next("SELECT when locked");
    let mut session = open(&tape, NAME, card(), &drawing(&[CHALLENGE]));
    assert_eq!(session.entries(), Err(SessionError::Locked));
    if validated {
        tape.next(if title == "NEO" { "VALIDATE" } else { "VALIDATE (NEO)" });
    } else {
        let proof = "75141bbecfa6898e4e484b29084b6b37e95fcb7bc4b4 9000";
        let why = "the request of the other keys, whose salt and challenge are the same";
        tape.beyond("00a3000020751485cee588b3e61e11b676b6e738958a13f8513a94", proof, why);
    }
    unlock(&mut *session, "correct horse").expect("the recorded proof");
    tape.played();
}
