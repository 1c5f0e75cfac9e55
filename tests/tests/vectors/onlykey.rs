//! OnlyKey.

use data_encoding::HEXLOWER;
use oath::Parameters;
use token::{Proof, Question, Taken};

use crate::recording::{Recording, Unsent};
use crate::tape::Wire;
use crate::{Family, NOW, STEP, drawing, hello, hid, names, open, plan};

const NAME: &str = "onlykey";

pub(crate) const FAMILY: Family = Family {
    name: NAME,
    differences: &[],
    unsent: &[Unsent {
        conversation: "OnlyKey",
        cases: &["E7 wipe"],
        why: "a slot is written over; nothing is ever wiped",
    }],
    play,
};

const LABELS: &str = "E5 labels";
const LABELS_FIRST: &str = "labels are read at opening and before a write";
const SECRET_FIRST: &str = "the secret goes first, so that one that is refused changes nothing";
const TOLD_AGAIN: &str = "each write and each proof tells the time";
const NOT_RECORDED: &str = "this slot's other field is not recorded";

fn play(recording: &Recording) {
    let usual = Parameters::default();
    let mut tape = recording.tape("OnlyKey", Wire::Reports(64));
    tape.moved(LABELS, LABELS_FIRST);
    // The command interface of a key with this serial number, which none tells here.
    let mut session = open(&tape, NAME, hid(0x1d50, 0x60fc, 0xf1d0, 1), &drawing(&[]));
    tape.moved(LABELS, LABELS_FIRST);
    assert_eq!(names(&mut *session), [""; 12]);

    // Slot 1a: the recording has its label and its type.
    tape.moved(LABELS, LABELS_FIRST).next("E4 time");
    tape.beyond("ffffffffe60109", &said("Successfully set 2FA Key"), NOT_RECORDED);
    tape.moved("E6 slot 1a type", SECRET_FIRST).moved("E6 slot 1a label", SECRET_FIRST);
    let first = plan(&*session, &hello(), usual, "Microsoft").in_slot(1);
    session.write(&first, &hello(), NOW).expect("written");

    // Slot 1b, number 7: the recording has its secret.
    tape.next(LABELS).moved("E4 time", TOLD_AGAIN).next("E6 slot 1b key");
    tape.shows(&hello(), usual);
    tape.beyond("ffffffffe6070867", &said("Successfully set 2FA Type"), NOT_RECORDED);
    tape.beyond("ffffffffe60701", &said("Successfully set Label"), NOT_RECORDED);
    let second = plan(&*session, &hello(), usual, "Microsoft").in_slot(7);
    session.write(&second, &hello(), NOW).expect("written");

    tape.moved("E4 time", TOLD_AGAIN);
    let proof = session.prove(&second, Question::Code(STEP), NOW).expect("told");
    assert!(matches!(proof, Proof::MustBeTyped { clock: None }));
    tape.moved(LABELS, LABELS_FIRST);
    let entries = session.entries().expect("labels");
    assert!(entries.iter().all(|entry| entry.taken == Taken::NotTold));
    tape.played();
}

/// A report with words of section 3.
fn said(words: &str) -> String {
    let mut report = words.as_bytes().to_vec();
    report.resize(64, 0);
    HEXLOWER.encode(&report)
}
