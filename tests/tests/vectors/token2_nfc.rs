//! Token2 NFC tokens of the second generation.

use oath::{Algorithm, Parameters, SharedSecret, UnixTime};
use token::{Label, Proof, Question, Session, SessionError, Wish};

use crate::recording::{Recording, Unsent};
use crate::tape::{Tape, Wire};
use crate::{Family, NOW, STEP, card, drawing, hello, open, parameters};

const NAME: &str = "token2-nfc-single-profile";

pub(crate) const FAMILY: Family = Family {
    name: NAME,
    differences: &[],
    unsent: &[
        Unsent {
            conversation: "serial",
            cases: &["Section 3: device info as an older tool asks it", "Section 3: challenge as"],
            why: "another tool's form of a request that is played in the sheet's own",
        },
        Unsent {
            conversation: "serial",
            cases: &["Row 2", "Row 13", "Row 14: an answer of zeros", "Row 14: then row 4"],
            why: "the driver authenticates first, computes the right bytes, and tries once",
        },
        Unsent {
            conversation: "serial",
            cases: &["Row 15: an unknown", "Row 15: SELECT"],
            why: "no driver sends an instruction that it does not know; SELECT is other drivers'",
        },
        Unsent {
            conversation: "serial",
            cases: &["Row 7", "Row 8b"],
            why: "a secret is padded by the one rule of section 6, which row 8b breaks, and zeros \
                  are added to none: row 7 is the same key with another length",
        },
        Unsent {
            conversation: "serial",
            cases: &["Row 10"],
            why: "of a display time that Sower does not offer: it sends 30 s always",
        },
        Unsent {
            conversation: "keyroost",
            cases: &["keyroost: SHA-256"],
            why: "of a display time that Sower does not offer: it sends 30 s always",
        },
    ],
    play,
};

const SETTINGS_FIRST: &str = "a write begins with challenge and settings, always and together";
const NOT_RECORDED: &str = "these settings, or this seed beside them, stand in no row";
const INFO: &str = "80410000020211";

fn play(recording: &Recording) {
    first_write(recording);
    for (about, secret) in
        [("Row 8", (0..16).collect()), ("Row 9", b"12345678901234567890".to_vec())]
    {
        another_write(recording, about, &SharedSecret::new(secret));
    }
    sha256(recording, "Row 11", b"12345678901234567890123456789012".to_vec());
    sha256(recording, "Row 12", vec![0xab; 63]);
    keyroost(recording);
    one_try(recording);
}

fn session(tape: &mut Tape<'_>) -> Box<dyn Session> {
    open(tape, NAME, card(), &drawing(&[]))
}

fn write(session: &mut dyn Session, secret: &SharedSecret, parameters: Parameters, now: UnixTime) {
    let wish = Wish { secret, parameters, label: Label::default(), name: None };
    let plan = session.capabilities().plan(&wish).expect("fits");
    session.write(&plan, secret, now).expect("every request is a recorded one");
    assert!(session.entries().expect("nothing is told").is_empty());
}

/// Rows 1, 3, 4, 5 and 6: a whole write, byte for byte, and its read.
fn first_write(recording: &Recording) {
    let mut tape = recording.tape("serial", Wire::Card);
    tape.next("Row 1: device info");
    let mut session = session(&mut tape);
    assert_eq!(session.identity().serial.0, "86596220000001");
    assert_eq!(session.identity().clock, Some(NOW));
    tape.next("Row 3: challenge").next("Row 4").next("Row 5").next("Row 6");
    let usual = Parameters::default();
    write(&mut *session, &hello(), usual, NOW);
    tape.shows(&hello(), usual);
    tape.moved("Row 1: device info", "the clock is read again to be compared");
    let wish = Wish { secret: &hello(), parameters: usual, label: Label::default(), name: None };
    let plan = session.capabilities().plan(&wish).expect("fits");
    let proof = session.prove(&plan, Question::Code(STEP), NOW).expect("read");
    assert!(matches!(proof, Proof::MustBeTyped { clock: Some(NOW) }));
    tape.played();
}

fn another_write(recording: &Recording, about: &str, secret: &SharedSecret) {
    let mut tape = recording.tape("serial", Wire::Card);
    tape.next("Row 1: device info");
    let mut session = session(&mut tape);
    tape.next("Row 3: challenge").next("Row 4").next("Row 5").next(about);
    let usual = Parameters::default();
    write(&mut *session, secret, usual, NOW);
    tape.shows(secret, usual);
    tape.played();
}

/// Rows 11 and 12: the settings come before the seed, as recorded.
fn sha256(recording: &Recording, about: &str, secret: Vec<u8>) {
    let mut tape = recording.tape("serial", Wire::Card);
    tape.next("Row 1: device info");
    let mut session = session(&mut tape);
    tape.next("Row 3: challenge").next("Row 4");
    // The driver's display time is 30 s, and row 10 is of another.
    tape.beyond("84D40000178111 1F0101 0F046553F100 86060A01020D013C", "9000", NOT_RECORDED);
    tape.next(about);
    let secret = SharedSecret::new(secret);
    let odd = parameters(Algorithm::Sha256, 6, 60);
    write(&mut *session, &secret, odd, NOW);
    tape.shows(&secret, odd);
    tape.played();
}

/// keyroost's two seeds.
fn keyroost(recording: &Recording) {
    for (about, secret) in [
        ("keyroost: seed 01", (0x01..=0x14).collect()),
        ("keyroost: seed 10", (0x10..=0x2f).collect()),
    ] {
        let mut tape = recording.tape("keyroost", Wire::Card);
        tape.beyond(INFO, "0000000E38363539363232303030303030310000654321009000", SETTINGS_FIRST);
        let mut session = session(&mut tape);
        tape.next("Row 3").next("Row 4");
        tape.beyond("84D400001781111F0101", "9000", NOT_RECORDED).next(about);
        let secret = SharedSecret::new(secret);
        let time = UnixTime::from_secs(0x6543_2100);
        write(&mut *session, &secret, parameters(Algorithm::Sha256, 6, 60), time);
        tape.played();
    }
}

/// What the token says to a wrong answer ends the session: there is no second.
fn one_try(recording: &Recording) {
    let mut tape = recording.tape("serial", Wire::Card);
    tape.next("Row 1: device info");
    let mut session = session(&mut tape);
    tape.next("Row 3: challenge").beyond("80CE000010", "6983", "row 14, of the right answer");
    let secret = hello();
    let usual = Parameters::default();
    let wish = Wish { secret: &secret, parameters: usual, label: Label::default(), name: None };
    let plan = session.capabilities().plan(&wish).expect("fits");
    for _ in 0..2 {
        let failure = session.write(&plan, &secret, NOW).expect_err("refused");
        assert_eq!(failure.cause, SessionError::AuthenticationRefused);
    }
    tape.played();
}
