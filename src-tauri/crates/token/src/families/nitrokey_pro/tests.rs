//! What the session sends and says, against a stick that follows a script.

use std::sync::Arc;

use oath::{Code, Digits, Parameters, Period};

use super::stick::EMPTY;
use super::wire::REPORT_LEN;
use super::*;
use crate::driver::Driver as _;
use crate::hid::tests::{Script, Then};
use crate::{CandidateId, Label, Origin, StatusWord, Wish};

/// 1, 2, 3 ... and a zero in the middle, which is not sent.
fn random() -> Random {
    Arc::new(|bytes: &mut [u8]| {
        (1..).zip(&mut *bytes).for_each(|(number, byte)| *byte = number);
        bytes[7] = 0;
    })
}

fn temporary() -> TemporaryPassword {
    let mut temporary = Zeroizing::new([0; PASSWORD_LEN]);
    (1..).zip(temporary.iter_mut()).for_each(|(number, byte)| *byte = number);
    temporary[7] = 1;
    temporary
}

fn candidate(product: u16) -> Candidate {
    Candidate {
        id: CandidateId("test".to_owned()),
        attachment: Attachment::Hid {
            vendor: 0x20a0,
            product,
            usage_page: 0xff00,
            usage: 1,
            name: "Nitrokey Pro".to_owned(),
            serial: String::new(),
        },
        origin: Origin::Practice,
    }
}

fn answer(request: &Request, status: u8, data: &[u8]) -> Vec<u8> {
    let mut report = vec![0; REPORT_LEN];
    report[2] = request.report()[1];
    report[3..7].copy_from_slice(&request.report()[61..]);
    report[7] = status;
    report[8..8 + data.len()].copy_from_slice(data);
    let sum = wire::checksum(&report[1..61]).to_le_bytes();
    report[61..].copy_from_slice(&sum);
    report
}

fn tells(request: &Request, status: u8, data: &[u8]) -> Then {
    Then::Tells(vec![answer(request, status, data)])
}

fn status(flag: u8) -> Then {
    let data = [15, 0, 0x78, 0x56, 0x34, 0x12, 0xff, 0xff, 0xff, flag, 0];
    tells(&wire::get_status(), DONE, &data)
}

fn tries(left: u8) -> Then {
    tells(&wire::admin_tries(), DONE, &[left])
}

fn pin(typed: &str, status: u8) -> Then {
    let request = wire::first_authenticate(typed.as_bytes(), &temporary()).expect("fits");
    tells(&request, status, &[])
}

const RIGHT: &str = "12345678";

/// Opens a Pro and types a PIN, if there is one.
fn open(script: Vec<Then>, typed: Option<&str>) -> (Box<dyn Session>, Script) {
    let mut all = vec![status(0xff), tries(3)];
    all.extend(typed.map(|typed| pin(typed, DONE)));
    all.extend(script);
    let script = Script::telling(vec![], all);
    let channel = Channel::Hid(Box::new(script.clone()));
    let mut session = Driver.open(&candidate(0x4108), channel, &random()).expect("a Pro");
    if let Some(typed) = typed {
        session.unlock(&Unlock(typed.to_owned().into())).expect("right");
    }
    (session, script)
}

fn secret() -> SharedSecret {
    SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec())
}

fn plan(session: &dyn Session, slot: u16) -> WritePlan {
    let label = Label { issuer: None, organisation: None, account: "alice" };
    let secret = secret();
    let parameters = Parameters::default();
    let wish = Wish { secret: &secret, parameters, label, name: Some("Microsoft") };
    session.capabilities().plan(&wish).expect("fits").in_slot(slot)
}

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn requests() -> (Request, [Request; 3], Request, Request) {
    let temporary = temporary();
    (
        wire::read_slot_name(0x20),
        wire::otp_data(&temporary, "Microsoft", &secret()).expect("fits"),
        wire::write_to_slot(&temporary, 0x20, 30, false),
        wire::set_time(1_700_000_000),
    )
}

/// A write into an empty slot; the status of WRITE TO SLOT is the argument.
fn writing(last: Vec<Then>) -> Vec<Then> {
    let (name, data, ..) = requests();
    let mut script = vec![tells(&name, EMPTY, &[])];
    script.extend(data.iter().map(|data| tells(data, DONE, &[])));
    script.extend(last);
    script
}

fn failure(last: Vec<Then>) -> WriteFailure {
    let (mut session, _) = open(writing(last), Some(RIGHT));
    let plan = plan(&*session, 0x20);
    session.write(&plan, &secret(), NOW).expect_err("a failure")
}

#[test]
fn a_write_is_the_sheets_and_sends_nothing_else() {
    let (name, data, to_slot, clock) = requests();
    let last = vec![tells(&to_slot, DONE, &[]), tells(&clock, DONE, &[])];
    let (mut session, script) = open(writing(last), Some(RIGHT));
    assert_eq!(session.identity().serial.0, "12345678");
    assert_eq!(session.identity().firmware.as_deref(), Some("0.15"));
    assert_eq!(session.capabilities().places, Places::Slots { count: 15 });
    let plan = plan(&*session, 0x20);
    session.write(&plan, &secret(), NOW).expect("written");
    let unlock = wire::first_authenticate(RIGHT.as_bytes(), &temporary()).expect("fits");
    let mut expected = vec![wire::get_status(), wire::admin_tries(), unlock, name];
    expected.extend(data);
    expected.extend([to_slot, clock]);
    let expected: Vec<_> = expected.iter().map(|r| r.report().to_vec()).collect();
    assert_eq!(script.sent(), expected);
}

#[test]
fn the_pin_is_sent_once_and_the_tries_are_told() {
    let (mut session, script) = open(vec![pin("87654321", WRONG_PIN), tries(2)], None);
    assert_eq!(session.capabilities().guard, Guard::Pin { tries_left: Some(3) });
    assert_eq!(session.entries(), Err(SessionError::Locked));
    let wrong = Unlock("87654321".to_owned().into());
    assert_eq!(session.unlock(&wrong), Err(SessionError::WrongKey { tries_left: Some(2) }));
    assert_eq!(session.capabilities().guard, Guard::Pin { tries_left: Some(2) });
    assert_eq!(script.sent().len(), 4);
    let failure = session.write(&plan(&*session, 0x20), &secret(), NOW).expect_err("locked");
    assert_eq!(failure, WriteFailure::untouched(SessionError::Locked));
    assert_eq!(script.sent().len(), 4);
}

#[test]
fn no_try_is_spent_where_none_is_left_or_the_pin_cannot_be_one() {
    let long = "1".repeat(26);
    for typed in ["", long.as_str(), "1234\x005678"] {
        let (mut session, script) = open(vec![], None);
        let unlock = Unlock(typed.to_owned().into());
        assert_eq!(session.unlock(&unlock), Err(SessionError::WrongKey { tries_left: Some(3) }));
        assert_eq!(script.sent().len(), 2);
    }
    let script = Script::telling(vec![], vec![status(0xff), tries(0)]);
    let channel = Channel::Hid(Box::new(script.clone()));
    let mut session = Driver.open(&candidate(0x4108), channel, &random()).expect("a Pro");
    let unlock = Unlock(RIGHT.to_owned().into());
    assert_eq!(session.unlock(&unlock), Err(SessionError::Blocked));
    assert_eq!(script.sent().len(), 2);
}

#[test]
fn a_pin_whose_answer_is_lost_leaves_the_tries_unknown() {
    let (mut session, _) = open(vec![Then::Fails(ChannelError::Silent)], None);
    let unlock = Unlock(RIGHT.to_owned().into());
    assert_eq!(session.unlock(&unlock), Err(ChannelError::Silent.into()));
    assert_eq!(session.capabilities().guard, Guard::Pin { tries_left: None });
}

#[test]
fn entries_are_the_slots() {
    let mut script: Vec<_> =
        (0x20..0x2f).map(|slot| tells(&wire::read_slot_name(slot), EMPTY, &[])).collect();
    script[1] = tells(&wire::read_slot_name(0x21), DONE, b"fifteen letters");
    let (mut session, _) = open(script, Some(RIGHT));
    let entries = session.entries().expect("read");
    assert_eq!(entries.len(), 15);
    assert_eq!((entries[0].taken, entries[0].name.as_str()), (Taken::No, ""));
    assert_eq!((entries[1].taken, entries[1].name.as_str()), (Taken::Yes, "fifteen letters"));
    assert_eq!(entries[1].slot, Some(Slot { number: 0x21, label: "2".to_owned() }));
}

#[test]
fn a_taken_slot_is_replaced_only_with_permission() {
    let (name, ..) = requests();
    let (mut session, script) = open(vec![tells(&name, DONE, b"old")], Some(RIGHT));
    let failure = session.write(&plan(&*session, 0x20), &secret(), NOW).expect_err("taken");
    assert_eq!(failure, WriteFailure::untouched(SessionError::NameTaken));
    assert_eq!(script.sent().len(), 4);
}

#[test]
fn a_slot_that_is_not_there_is_not_written_to() {
    let (mut session, script) = open(vec![], Some(RIGHT));
    let plan = plan(&*session, 0x20);
    for slot in [0, 0x10, 0x1f, 0x2f, 0x120] {
        let failure =
            session.write(&plan.clone().in_slot(slot), &secret(), NOW).expect_err("no slot");
        assert_eq!(failure, WriteFailure::untouched(NOT_FOR_THIS));
    }
    assert_eq!(script.sent().len(), 3);
    assert_eq!(slot_of(Model::Storage, &plan.clone().in_slot(0x2e)), None);
    assert_eq!(slot_of(Model::Pro, &plan.in_slot(0x2e)), Some(0x2e));
}

#[test]
fn what_a_failed_write_leaves_is_told() {
    let (_, _, to_slot, clock) = requests();
    let status = |status: u8| failure(vec![tells(&to_slot, status, &[])]).token;
    for refusal in REFUSALS {
        assert_eq!(status(refusal), TokenState::Untouched);
    }
    for odd in [3, 4, 6, 10, 77] {
        assert_eq!(status(odd), TokenState::Unknown);
    }
    let broken = |error: ChannelError| failure(vec![Then::Fails(error)]).token;
    assert_eq!(broken(ChannelError::NotThere), TokenState::Untouched);
    for error in [ChannelError::Removed, ChannelError::Silent, ChannelError::Failed { code: 32 }] {
        assert_eq!(broken(error), TokenState::Unknown);
    }
    // Never done with it, never an answer to it, an answer without a length.
    let busy = answer(&to_slot, DONE, &[]);
    let busy = [&[0, 1], &busy[2..]].concat();
    for (last, cause) in [
        (busy, ChannelError::Silent.into()),
        (
            answer(&clock, DONE, &[]),
            SessionError::Malformed {
                exchange: "WRITE TO SLOT",
                what: "it answers another request",
            },
        ),
        (vec![], SessionError::Malformed { exchange: "WRITE TO SLOT", what: "its length" }),
    ] {
        let expected = WriteFailure { token: TokenState::Unknown, cause, cleared: false };
        assert_eq!(failure(vec![Then::Tells(vec![last])]), expected);
    }
    let written = vec![tells(&to_slot, DONE, &[]), tells(&clock, 6, &[])];
    assert_eq!(failure(written).token, TokenState::Written);
}

/// The buffer that these fill is no slot.
#[test]
fn before_the_slot_is_written_everything_leaves_it_untouched() {
    for broken in 0..4 {
        for fault in [
            Then::Fails(ChannelError::Removed),
            Then::Fails(ChannelError::Silent),
            Then::Tells(vec![vec![0x55; REPORT_LEN]]),
        ] {
            let mut script = writing(vec![]);
            script[broken] = fault;
            script.truncate(broken + 1);
            let (mut session, _) = open(script, Some(RIGHT));
            let failure = session.write(&plan(&*session, 0x20), &secret(), NOW).expect_err("cut");
            assert_eq!(failure.token, TokenState::Untouched);
        }
    }
}

#[test]
fn a_late_or_garbled_answer_is_asked_for_again() {
    let (name, data, to_slot, clock) = requests();
    let right = answer(&to_slot, DONE, &[]);
    let garbled: Vec<u8> = right.iter().map(|byte| byte ^ 0x55).collect();
    let mut flipped = right.clone();
    flipped[40] ^= 1;
    let told = vec![answer(&data[2], DONE, &[]), garbled, vec![0], flipped, right];
    let last = vec![Then::Tells(told), tells(&clock, DONE, &[])];
    let (mut session, _) = open(writing(last), Some(RIGHT));
    session.write(&plan(&*session, 0x20), &secret(), NOW).expect("written");
    // One whose own checksum is wrong again and again is taken, as by the library.
    let mut wrong = answer(&name, EMPTY, &[]);
    wrong[64] ^= 1;
    let (mut session, _) = open(vec![Then::Tells(vec![wrong])], Some(RIGHT));
    let failure = session.write(&plan(&*session, 0x20), &secret(), NOW).expect_err("no more");
    assert_eq!(failure.cause, ChannelError::Removed.into());
}

/// A step's code is asked for in its middle, and the clock goes back to now.
#[test]
fn the_proof_leaves_the_clock_as_it_should_be() {
    let step = NOW.step(Period::S30).next();
    let there = wire::set_time(1_700_000_025);
    let (_, _, _, back) = requests();
    let code = wire::get_code(0x20);
    let told = [&324_550_u32.to_le_bytes()[..], &[0]].concat();
    let ask = |script: Vec<Then>| {
        let (mut session, sent) = open(script, None);
        let plan = plan(&*session, 0x20);
        (session.prove(&plan, Question::Code(step), NOW), sent.sent())
    };
    let (proof, sent) =
        ask(vec![tells(&there, DONE, &[]), tells(&code, DONE, &told), tells(&back, DONE, &[])]);
    let Ok(Proof::Code(proof)) = proof else { panic!("{proof:?}") };
    assert_eq!(proof, Code::from_truncated(324_550, Digits::SIX));
    assert_eq!(sent[2..], [there.report(), code.report(), back.report()]);
    for (status, expected) in [
        (EMPTY, SessionError::NoSuchEntry),
        (NOT_AUTHORISED, SessionError::Locked),
        (2, SessionError::Refused { exchange: "GET CODE", status: StatusWord(2) }),
    ] {
        let script =
            vec![tells(&there, DONE, &[]), tells(&code, status, &[]), tells(&back, DONE, &[])];
        let (proof, sent) = ask(script);
        assert_eq!(proof.expect_err("no code"), expected);
        assert_eq!(sent.last().map(Vec::as_slice), Some(back.report()));
    }
    let (proof, _) = ask(vec![
        tells(&there, DONE, &[]),
        tells(&code, DONE, &told),
        Then::Fails(ChannelError::Silent),
    ]);
    assert_eq!(proof.expect_err("a wrong clock"), ChannelError::Silent.into());
}

#[test]
fn a_step_that_no_clock_reaches_is_not_asked_for() {
    let (mut session, script) = open(vec![], None);
    let plan = plan(&*session, 0x20);
    for step in [u64::MAX, 1 << 40, u64::from(u32::MAX / 30) + 1] {
        let proof = session.prove(&plan, Question::Key(TimeStep(step)), NOW);
        assert_eq!(proof.expect_err("too far"), NOT_FOR_THIS);
    }
    assert_eq!(script.sent().len(), 2);
}

#[test]
fn codes_behind_the_user_pin_are_told_of_at_once() {
    let script = Script::telling(vec![], vec![status(1), tries(3)]);
    let channel = Channel::Hid(Box::new(script));
    let session = Driver.open(&candidate(0x4108), channel, &random()).expect("a Pro");
    assert_eq!(session.identity().model, "Nitrokey Pro, codes behind the user PIN");
}

#[test]
fn old_firmware_and_others_are_not_opened() {
    let old = tells(&wire::get_status(), DONE, &[7, 0]);
    let channel = Channel::Hid(Box::new(Script::telling(vec![], vec![old])));
    assert!(matches!(
        Driver.open(&candidate(0x4108), channel, &random()),
        Err(OpenError::Failed(SessionError::FirmwareTooOld))
    ));
    assert_eq!(Driver.recognises(&candidate(0x42b2)), Recognition::No);
    assert_eq!(Driver.recognises(&candidate(0x4109)), Recognition::Yes);
    let script = Script::default();
    let channel = Channel::Hid(Box::new(script.clone()));
    assert!(matches!(
        Driver.open(&candidate(0x42b2), channel, &random()),
        Err(OpenError::NotThisFamily(_))
    ));
    assert!(script.sent().is_empty());
}
