//! Token2 Molto2.

use data_encoding::HEXUPPER;
use oath::{Algorithm, Parameters, SharedSecret};
use token::{Attachment, Proof, Question, Session, SessionError, Taken, TokenState, WriteFailure};

use crate::recording::{Recording, Unsent};
use crate::tape::{Tape, Wire};
use crate::{Family, NOW, STEP, drawing, hello, open, parameters, plan};

const NAME: &str = "token2-molto2";

pub(crate) const FAMILY: Family = Family {
    name: NAME,
    differences: &[],
    unsent: &[
        Unsent {
            conversation: "Molto2v2",
            cases: &["Row 14", "Section 3.5: factory reset"],
            why: "customer key and factory reset are left out on purpose",
        },
        Unsent {
            conversation: "Molto2v2, no seeds",
            cases: &["Row 3 before the session", "Row 12", "Row 12 with", "Section 8, wrong form"],
            why: "the driver authenticates first, sets no clock alone, and computes the right bytes",
        },
        Unsent {
            conversation: "Molto2v2, no seeds",
            cases: &["keyroost: slot 0, clock only"],
            why: "the clock goes with all settings of a slot, never alone",
        },
        Unsent {
            conversation: "Molto2v2, no seeds",
            cases: &["Row 13"],
            why: "what gives way is deleted by the command of section 3.5, not by a seed of zeros",
        },
        Unsent {
            conversation: "Molto2v2, no seeds",
            cases: &["Section 1: read slot 100", "Section 3.2: a read with Le"],
            why: "no model has more than 100 slots, and slots are read without Le",
        },
        Unsent {
            conversation: "Molto2v2, no seeds",
            cases: &["Row 10"],
            why: "of a display time that Sower does not offer: it sends 30 s always",
        },
    ],
    play,
};

const INFO_REQUEST: &str = "8041000000";
const INFO_ANSWER: &str = "950C02044D3233341104 6553F100 9000";
const NO_INFO: &str = "the sheet gives the request in section 3.2, and the form of its answer";
const READ_BACK: &str = "the slot is read again to be compared; the block is by section 3.2";
const NOT_RECORDED: &str = "this slot's other command stands in no row";

fn play(recording: &Recording) {
    let usual = Parameters::default();
    slot_2(recording);
    // Row 6 and 7, whose settings are not recorded.
    let ascii = SharedSecret::new(b"12345678901234567890".to_vec());
    let mut tape = recording.tape("Molto2v2, no seeds", Wire::Card);
    let mut session = opened(&mut tape);
    tape.next("Row 2: read slot 99");
    authenticating(&mut tape).next("Row 6");
    tape.shows(&ascii, usual);
    tape.next("Row 7").beyond("84D401631A81141F0101", "9000", NOT_RECORDED);
    reads(&mut tape, 99, &block("RFC6238-SHA1", usual, 1));
    write(&mut *session, 99, "RFC6238-SHA1", &ascii, usual);
    tape.played();

    for (slot, about, secret, setting) in [
        (0, "Row 8", (0..16).collect(), usual),
        (1, "Row 11", vec![0xab; 63], usual),
        (
            7,
            "Row 9",
            b"12345678901234567890123456789012".to_vec(),
            parameters(Algorithm::Sha256, 8, 60),
        ),
    ] {
        seed(recording, slot, about, &SharedSecret::new(secret), setting);
    }
    titled_hello(recording);
    replacing(recording);
    leftover_title(recording);
    another_key(recording);
}

fn opened(tape: &mut Tape<'_>) -> Box<dyn Session> {
    tape.beyond(INFO_REQUEST, INFO_ANSWER, NO_INFO);
    let reader = "Token2 Molto2 00 00".to_owned();
    let session =
        open(tape, NAME, Attachment::SmartCard { reader, atr: Vec::new() }, &drawing(&[]));
    assert_eq!(
        (session.identity().serial.0.as_str(), session.identity().clock),
        ("M234", Some(NOW))
    );
    session
}

fn authenticating<'a, 'b>(tape: &'a mut Tape<'b>) -> &'a mut Tape<'b> {
    tape.next("Section 3.3: challenge").next("Row 1: the answer")
}

/// The block of a slot by section 3.2.
fn block(title: &str, parameters: Parameters, present: u8) -> String {
    let mut block = vec![0x95, 0x1f, 0x70, 0x1d, 0x00];
    block.extend_from_slice(title.as_bytes());
    block.resize(5 + 16 + 8, 0);
    let hash = match parameters.algorithm {
        Algorithm::Sha1 => 1,
        Algorithm::Sha256 => 2,
        Algorithm::Sha512 => panic!("no such token has it"),
    };
    let period = u8::try_from(parameters.period.as_secs()).expect("30 or 60");
    block.extend([hash, period, parameters.digits.get(), present, 0x90, 0x00]);
    HEXUPPER.encode(&block)
}

fn reads(tape: &mut Tape<'_>, slot: u8, block: &str) {
    tape.beyond(&format!("804100{slot:02X}0170"), block, READ_BACK);
}

fn write(
    session: &mut dyn Session,
    slot: u16,
    title: &str,
    secret: &SharedSecret,
    parameters: Parameters,
) {
    let plan = plan(session, secret, parameters, title).in_slot(slot).replacing();
    session.write(&plan, secret, NOW).expect("every request is a recorded one");
}

/// Rows 1 to 5: a whole write, byte for byte and in the recorded order.
fn slot_2(recording: &Recording) {
    let usual = Parameters::default();
    let mut tape = recording.tape("Molto2v2, no seeds", Wire::Card);
    let mut session = opened(&mut tape);
    tape.next("Row 2: read slot 2");
    authenticating(&mut tape).next("Row 3: slot 2").next("Row 4").next("Row 5");
    tape.shows(&hello(), usual);
    reads(&mut tape, 2, &block("Microsoft", usual, 1));
    write(&mut *session, 2, "Microsoft", &hello(), usual);
    tape.beyond(INFO_REQUEST, INFO_ANSWER, NO_INFO);
    reads(&mut tape, 2, &block("Microsoft", usual, 1));
    let plan = plan(&*session, &hello(), usual, "Microsoft").in_slot(2);
    let proof = session.prove(&plan, Question::Code(STEP), NOW).expect("read");
    assert!(matches!(proof, Proof::MustBeTyped { clock: Some(NOW) }));
    tape.played();
}

/// Rows 8, 9 and 11, whose titles and settings are not recorded.
fn seed(
    recording: &Recording,
    slot: u8,
    about: &str,
    secret: &SharedSecret,
    parameters: Parameters,
) {
    let mut tape = recording.tape("Molto2v2, no seeds", Wire::Card);
    let mut session = opened(&mut tape);
    reads(&mut tape, slot, &block("", Parameters::default(), 0));
    authenticating(&mut tape).next(about);
    if about == "Row 8" {
        tape.shows(secret, parameters);
    }
    tape.beyond(&format!("84D500{slot:02X}14"), "9000", NOT_RECORDED);
    tape.beyond(&format!("84D401{slot:02X}1A81141F0101"), "9000", NOT_RECORDED);
    reads(&mut tape, slot, &block("x", parameters, 1));
    write(&mut *session, slot.into(), "x", secret, parameters);
    tape.played();
}

/// keyroost's title for slot 3.
fn titled_hello(recording: &Recording) {
    let usual = Parameters::default();
    let mut tape = recording.tape("Molto2v2, no seeds", Wire::Card);
    let mut session = opened(&mut tape);
    reads(&mut tape, 3, &block("", usual, 0));
    authenticating(&mut tape).beyond("84C5010314", "9000", NOT_RECORDED);
    tape.next("keyroost: slot 3").beyond("84D401031A81141F0101", "9000", NOT_RECORDED);
    reads(&mut tape, 3, &block("hello", usual, 1));
    write(&mut *session, 3, "hello", &hello(), usual);
    tape.played();
}

/// What is there is deleted first; where the token does not tell whether something
/// is, it may have nothing to delete.
fn replacing(recording: &Recording) {
    let usual = Parameters::default();
    for (slot, present, about) in [
        (2, 2, "Section 3.5: delete slot 2, which has no seed"),
        (1, 1, "Section 3.5: delete slot 1"),
    ] {
        let mut tape = recording.tape("Molto2v2, no seeds", Wire::Card);
        let mut session = opened(&mut tape);
        reads(&mut tape, slot, &block("Old", usual, present));
        authenticating(&mut tape).next(about);
        tape.beyond(&format!("84C501{slot:02X}14"), "9000", NOT_RECORDED);
        tape.beyond(&format!("84D500{slot:02X}14"), "9000", NOT_RECORDED);
        tape.beyond(&format!("84D401{slot:02X}1A"), "9000", NOT_RECORDED);
        reads(&mut tape, slot, &block("Microsoft", usual, 1));
        write(&mut *session, slot.into(), "Microsoft", &hello(), usual);
        tape.played();
    }
}

/// A title that was left behind is no secret.
fn leftover_title(recording: &Recording) {
    let mut tape = recording.tape("Molto2v2, slot 5", Wire::Card);
    let mut session = opened(&mut tape);
    for slot in 0..100 {
        match slot {
            5 => tape.next("Section 8: the slot block"),
            // A model with fewer slots ends the list so.
            50 => tape.beyond("804100320170", "6A83", "section 1: a slot that is not there"),
            51.. => continue,
            _ => {
                let empty = block("", Parameters::default(), 0);
                tape.beyond(&format!("804100{slot:02X}0170"), &empty, READ_BACK)
            }
        };
    }
    let entries = session.entries().expect("read");
    assert_eq!(entries.len(), 50);
    assert_eq!((entries[5].name.as_str(), entries[5].taken), ("Old", Taken::No));
    tape.played();
}

/// The factory key is tried once where the customer has another.
fn another_key(recording: &Recording) {
    let mut tape = recording.tape("Molto2v2, another customer key", Wire::Card);
    let mut session = opened(&mut tape);
    reads(&mut tape, 2, &block("", Parameters::default(), 0));
    tape.next("Section 3.3: challenge").next("Row 1");
    let plan = plan(&*session, &hello(), Parameters::default(), "Microsoft").in_slot(2);
    let failure = session.write(&plan, &hello(), NOW).expect_err("refused");
    let cause = SessionError::WrongKey { tries_left: Some(7) };
    assert_eq!(failure, WriteFailure { token: TokenState::Untouched, cause, cleared: false });
    tape.played();
}
