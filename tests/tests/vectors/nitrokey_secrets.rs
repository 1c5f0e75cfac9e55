//! Nitrokey 3 and its Secrets app, over CTAPHID and over CCID.

use oath::{Algorithm, Digits, Parameters, SharedSecret};
use token::{Attachment, Question, Session, SessionError, WriteFailure, WritePlan};

use crate::recording::{Difference, How, Recording, Unsent};
use crate::tape::{Tape, Wire};
use crate::{Family, NOW, STEP, card, code, drawing, hello, hid, names, open, plan};

const NAME: &str = "nitrokey-secrets";

pub(crate) const FAMILY: Family = Family {
    name: NAME,
    differences: &[
        Difference {
            begins: "00a40400",
            how: How::Le,
            why: "every command over CCID has an Le byte, and what does not fit is continued",
        },
        Difference {
            begins: "00c00000",
            how: How::Instead { recorded: "00c0000000", ours: "00c0000015" },
            why: "GET RESPONSE asks for as many bytes as the key said that there are",
        },
    ],
    unsent: &[
        Unsent {
            conversation: "",
            cases: &["PUT that asks for touch", "PUT PIN-encrypted", "CALCULATE of the PIN"],
            why: "entries behind a touch or the PIN are not written",
        },
        Unsent {
            conversation: "",
            cases: &["SET PIN", "VERIFY PIN", "VERIFY PIN once more", "CHANGE PIN"],
            why: "the PIN is left out on purpose: plain entries need none",
        },
        Unsent {
            conversation: "",
            cases: &["VERIFY PIN for one more", "VERIFY PIN (touched)", "UPDATE", "RESET"],
            why: "the PIN, renaming and resets are left out on purpose",
        },
        Unsent {
            conversation: "CTAPHID, app 4.14.0, nothing touched",
            cases: &["INIT", "A touch is awaited"],
            why: "the beginning of a reset, which no driver sends",
        },
    ],
    play,
};

const ALICE: &str = "Microsoft:alice@contoso.com";
const NONCE: &[u8] = &[0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8];
const LISTED_FIRST: &str = "names are listed before anything is written or asked";

/// One of the two ways to the app, and its form of what is not recorded.
#[derive(Clone, Copy)]
struct Way {
    title: &'static str,
    wire: Wire,
    list: &'static str,
    nothing: &'static str,
    put: &'static str,
    done: &'static str,
}

const BY_HID: Way = Way {
    title: "CTAPHID, app 4.14.0, serial",
    wire: Wire::Reports(64),
    list: "00000001f0000600a100000101",
    nothing: "00000001f000029000",
    put: "00000001f0001800010000137101",
    done: "00000001f000029000",
};

const BY_CARD: Way = Way {
    title: "CCID, app",
    wire: Wire::Card,
    list: "00a10000010100",
    nothing: "9000",
    put: "00010000137101",
    done: "9000",
};

fn play(recording: &Recording) {
    for way in [BY_HID, BY_CARD] {
        whole(recording, way);
    }
    let mut tape = recording.tape("CCID without Le", Wire::Card);
    tape.next("SELECT").next("GET RESPONSE");
    let session = open(&tape, NAME, card(), &drawing(&[]));
    assert_eq!(session.identity().serial.0, "deadbeef");
    tape.played();
}

fn attachment(way: Way) -> Attachment {
    match way.wire {
        Wire::Card => card(),
        Wire::Reports(_) | Wire::Flipping => hid(0x20a0, 0x42b2, 0xf1d0, 1),
    }
}

fn listed<'a, 'b>(tape: &'a mut Tape<'b>, way: Way) -> &'a mut Tape<'b> {
    tape.beyond(way.list, way.nothing, LISTED_FIRST)
}

fn session(tape: &Tape<'_>, way: Way) -> Box<dyn Session> {
    let session = open(tape, NAME, attachment(way), &drawing(&[NONCE]));
    assert_eq!(session.identity().serial.0, "deadbeef");
    assert_eq!(session.identity().firmware.as_deref(), Some("Secrets app 4.14.0"));
    session
}

fn whole(recording: &Recording, way: Way) {
    let usual = Parameters::default();
    let mut tape = recording.tape(way.title, way.wire);
    if matches!(way.wire, Wire::Reports(_)) {
        tape.next("INIT");
    }
    tape.next("SELECT");
    let mut session = session(&tape, way);
    let alice = plan(&*session, &hello(), usual, ALICE);
    listed(&mut tape, way).next("PUT TOTP SHA-1");
    session.write(&alice, &hello(), NOW).expect("written");

    let secret = SharedSecret::new(b"12345678901234567890123456789012".to_vec());
    let digits = Digits::EIGHT;
    let sha256 = Parameters { algorithm: Algorithm::Sha256, digits, ..usual };
    listed(&mut tape, way).next("PUT SHA-256");
    let s = plan(&*session, &secret, sha256, "S");
    session.write(&s, &secret, NOW).expect("written");

    tape.moved("LIST with properties", LISTED_FIRST).next("CALCULATE at 1700000000");
    assert_eq!(code(session.prove(&alice, Question::Key(STEP), NOW)), "324550");
    tape.next("LIST with properties");
    assert_eq!(names(&mut *session), [ALICE, "touchy", "S"]);
    replaced(&mut tape, way, &mut *session, &s.replacing(), &secret);
    tape.played();
    with_a_pin(recording, way);
}

/// What is there is deleted first; somebody touches the key.
fn replaced(
    tape: &mut Tape<'_>,
    way: Way,
    session: &mut dyn Session,
    plan: &WritePlan,
    secret: &SharedSecret,
) {
    tape.moved("LIST with properties", LISTED_FIRST).next("DELETE S");
    tape.moved("PUT SHA-256", "an entry is replaced by deletion and a new one");
    session.write(plan, secret, NOW).unwrap_or_else(|_| panic!("replaced, {}", way.title));
}

/// With a PIN, the same names may be taken by entries that are not listed.
fn with_a_pin(recording: &Recording, way: Way) {
    let mut tape = recording.tape(way.title, way.wire);
    if matches!(way.wire, Wire::Reports(_)) {
        tape.next("INIT");
    }
    tape.next("SELECT after");
    let mut session = session(&tape, way);
    let usual = Parameters::default();
    listed(&mut tape, way).next("PUT of a name that is there");
    let behind_the_pin = plan(&*session, &hello(), usual, "P");
    let failure = session.write(&behind_the_pin, &hello(), NOW).expect_err("taken");
    assert_eq!(failure, WriteFailure::untouched(SessionError::NameTaken));
    // A free one takes the same request but for its name.
    listed(&mut tape, way).beyond(way.put, way.done, "a name that is free is not recorded here");
    let free = plan(&*session, &hello(), usual, "R");
    session.write(&free, &hello(), NOW).expect("written");
    tape.played();
}
