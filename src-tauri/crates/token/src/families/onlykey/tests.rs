//! What a session sends and says, against a key that follows a script.

use std::sync::Arc;

use oath::{Digits, Parameters, TimeStep};

use super::wire::REPORT_LEN;
use super::*;
use crate::driver::Driver as _;
use crate::hid::tests::{Script, Then};
use crate::{CandidateId, Label, Origin, Wish};

fn candidate(ids: (u16, u16), usage_page: u16, name: &str, serial: &str) -> Candidate {
    Candidate {
        id: CandidateId("test".to_owned()),
        attachment: Attachment::Hid {
            vendor: ids.0,
            product: ids.1,
            usage_page,
            usage: 1,
            name: name.to_owned(),
            serial: serial.to_owned(),
        },
        origin: Origin::Practice,
    }
}

const NUMBERS: (u16, u16) = (0x1d50, 0x60fc);

fn onlykey() -> Candidate {
    candidate(NUMBERS, 0xffab, "ONLYKEY", "1000000000")
}

fn random() -> Random {
    Arc::new(|bytes: &mut [u8]| bytes.fill(1))
}

fn text(text: &str) -> Vec<u8> {
    let mut report = text.as_bytes().to_vec();
    report.resize(64, 0);
    report
}

fn says(word: &str) -> Then {
    Then::Tells(vec![text(word)])
}

/// The labels of a key, one of them set.
fn labels(count: u8, set: u8, label: &str) -> Vec<Vec<u8>> {
    let wire = |number: u8| if number < 10 { number } else { number + 6 };
    let mut reports = Vec::new();
    for number in 1..=count {
        let label = if number == set { label } else { "" };
        let mut report = text(&format!("?|{label}"));
        report[0] = wire(number);
        reports.push(report);
    }
    reports
}

fn empty() -> Then {
    Then::Tells(labels(12, 0, ""))
}

fn opened(script: Vec<Then>) -> (Result<Box<dyn Session>, OpenError>, Script) {
    let script = Script::telling(vec![], script);
    let channel = Channel::Hid(Box::new(script.clone()));
    (Driver.open(&onlykey(), channel, &random()), script)
}

fn open(mut script: Vec<Then>) -> (Box<dyn Session>, Script) {
    script.insert(0, empty());
    let (session, script) = opened(script);
    (session.expect("a key"), script)
}

fn secret() -> SharedSecret {
    SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec())
}

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const UNLOCKED: &str = "UNLOCKEDv3.0.4-prodc";

fn plan(slot: u16) -> WritePlan {
    let secret = secret();
    let label = Label { issuer: None, organisation: None, account: "alice" };
    let parameters = Parameters::default();
    let wish = Wish { secret: &secret, parameters, label, name: Some("Microsoft") };
    capabilities(Model::Classic).plan(&wish).expect("fits").in_slot(slot)
}

/// The answers up to the last that is not the argument's.
fn writing(before: usize, last: Option<Then>) -> Vec<Then> {
    let all = [
        empty(),
        says(UNLOCKED),
        says("Successfully set 2FA Key"),
        says("Successfully set 2FA Type"),
        says("Successfully set Label"),
    ];
    all.into_iter().take(before).chain(last).collect()
}

fn failure(script: Vec<Then>) -> WriteFailure {
    let (mut session, _) = open(script);
    session.write(&plan(7), &secret(), NOW).expect_err("a failure")
}

#[test]
fn a_write_sends_the_secret_before_the_label() {
    let (mut session, script) = open(writing(5, None));
    session.write(&plan(7), &secret(), NOW).expect("written");
    let expected = [
        wire::get_labels(),
        wire::get_labels(),
        wire::set_time(1_700_000_000),
        wire::set_key(7, &secret()).expect("fits"),
        wire::set_kind(7),
        wire::set_label(7, "Microsoft").expect("fits"),
    ];
    let sent = script.sent();
    assert!(sent.iter().all(|report| report.len() == REPORT_LEN));
    assert_eq!(sent, expected.map(|message| message.to_vec()));
}

/// The time that is told first stays until the key is unplugged, so no time is told
/// where none is known.
#[test]
fn opening_tells_no_time() {
    let (session, script) = open(vec![]);
    assert_eq!(script.sent(), [wire::get_labels().to_vec()]);
    assert_eq!(session.identity().model, "OnlyKey");
    assert_eq!(session.identity().serial.0, "1000000000");
    assert_eq!(session.capabilities().places, Places::Slots { count: 12 });
    let (session, _) = opened(vec![Then::Tells(labels(24, 0, ""))]);
    let session = session.expect("a DUO");
    assert_eq!(session.identity().model, "OnlyKey DUO");
    assert_eq!(session.capabilities().places, Places::Slots { count: 24 });
}

#[test]
fn entries_are_the_slots_with_their_labels() {
    let (mut session, _) = open(vec![Then::Tells(labels(12, 10, "Contoso"))]);
    let entries = session.entries().expect("read");
    assert_eq!(entries.len(), 12);
    assert_eq!((entries[0].taken, entries[0].name.as_str()), (Taken::NotTold, ""));
    let slot = Slot { number: 10, label: "4b".to_owned() };
    let expected = Entry { name: "Contoso".to_owned(), slot: Some(slot), taken: Taken::Yes };
    assert_eq!(entries[9], expected);
}

#[test]
fn a_key_that_is_not_ready_is_not_opened() {
    let failed = |script: Vec<Then>| match opened(script).0 {
        Err(OpenError::Failed(error)) => error,
        _ => panic!("opened"),
    };
    let error = |word| failed(vec![says(word)]);
    assert_eq!(error("Error device locked"), SessionError::LockedOnDevice);
    assert_eq!(error("INITIALIZED"), SessionError::LockedOnDevice);
    assert_eq!(error("INITIALIZED-D"), SessionError::LockedOnDevice);
    assert_eq!(error("UNINITIALIZED"), SessionError::NotSetUp);
    assert_eq!(error("Error OnlyKey must be initialized first"), SessionError::NotSetUp);
    assert_eq!(error("something else"), ChannelError::Silent.into());
    assert_eq!(failed(vec![Then::Tells(vec![])]), ChannelError::Silent.into());
    assert_eq!(failed(vec![]), ChannelError::Removed.into());
    let gap = SessionError::Malformed { exchange: "GETLABELS", what: "slots" };
    assert_eq!(failed(vec![Then::Tells(labels(11, 0, ""))]), gap);
    // What a locked key says by itself does not hide the answer.
    let both = vec![text("INITIALIZED"), text("Error device locked")];
    assert_eq!(failed(vec![Then::Tells(both)]), SessionError::LockedOnDevice);
}

#[test]
fn what_was_said_before_is_no_answer() {
    let mut stale = Script::telling(vec![], vec![empty(), empty()]);
    // A message that nobody read the answers of.
    crate::ReportChannel::write(&mut stale, &*wire::get_labels()).expect("written");
    let channel = Channel::Hid(Box::new(stale));
    let session = Driver.open(&onlykey(), channel, &random()).expect("a key");
    assert_eq!(session.capabilities().places, Places::Slots { count: 12 });
}

#[test]
fn a_taken_slot_is_replaced_only_with_permission() {
    let taken = || Then::Tells(labels(12, 7, "old"));
    let (mut session, script) = open(vec![taken()]);
    let failed = session.write(&plan(7), &secret(), NOW).expect_err("taken");
    assert_eq!(failed, WriteFailure::untouched(SessionError::NameTaken));
    assert_eq!(script.sent().len(), 2);
    let mut all = writing(5, None);
    all[0] = taken();
    let (mut session, _) = open(all);
    session.write(&plan(7).replacing(), &secret(), NOW).expect("replaced");
}

#[test]
fn what_a_key_does_not_take_is_not_sent() {
    let (mut session, script) = open(vec![]);
    let untouched = Err(WriteFailure::untouched(NOT_FOR_THIS));
    for slot in [0, 13, 25, 0x101] {
        assert_eq!(session.write(&plan(slot), &secret(), NOW), untouched);
    }
    let zeros = SharedSecret::new(vec![1, 0, 0, 0, 0, 1]);
    assert_eq!(session.write(&plan(7), &zeros, NOW), untouched);
    let late = UnixTime::from_secs(1 << 32);
    assert_eq!(session.write(&plan(7), &secret(), late), untouched);
    let secret = secret();
    for (digits, period) in [(8, 30), (6, 60)] {
        let parameters = Parameters {
            algorithm: Algorithm::Sha1,
            digits: Digits::new(digits).expect("digits"),
            period: Period::new(period).expect("period"),
        };
        let wish = Wish { secret: &secret, parameters, label: Label::default(), name: Some("x") };
        assert!(capabilities(Model::Classic).plan(&wish).is_err());
    }
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn before_the_secret_is_sent_everything_leaves_it_untouched() {
    for before in 0..2 {
        for (fault, cause) in [
            (Then::Fails(ChannelError::Removed), ChannelError::Removed.into()),
            (Then::Tells(vec![]), ChannelError::Silent.into()),
            (says("Error device locked"), SessionError::LockedOnDevice),
            (says("INITIALIZED"), SessionError::LockedOnDevice),
            (says("UNINITIALIZED"), SessionError::NotSetUp),
        ] {
            assert_eq!(failure(writing(before, Some(fault))), WriteFailure::untouched(cause));
        }
    }
    // Another key in its place, with other slots.
    let duo = Then::Tells(labels(24, 0, ""));
    let another = WriteFailure::untouched(SessionError::AnotherToken);
    assert_eq!(failure(writing(0, Some(duo))), another);
}

#[test]
fn a_refused_secret_leaves_the_slot_as_it_was() {
    for (word, cause) in [
        ("Error device locked", SessionError::LockedOnDevice),
        ("Error not in config mode", SessionError::NotInSetUpMode),
        ("Error OnlyKey must be initialized first", SessionError::NotSetUp),
        (
            "Error password already enabled on this slot, device PIN required",
            SessionError::NotSetUp,
        ),
    ] {
        assert_eq!(failure(writing(2, Some(says(word)))), WriteFailure::untouched(cause));
    }
    let not_there = failure(writing(2, Some(Then::Fails(ChannelError::NotThere))));
    assert_eq!(not_there, WriteFailure::untouched(ChannelError::NotThere));
}

#[test]
fn a_secret_without_a_clear_word_leaves_it_unknown() {
    let no_word = SessionError::Malformed { exchange: "SETSLOT", what: "no word about it" };
    let strange =
        SessionError::Malformed { exchange: "SETSLOT", what: "an error that is not known here" };
    for (fault, cause) in [
        (Then::Fails(ChannelError::Removed), ChannelError::Removed.into()),
        (Then::Fails(ChannelError::Silent), ChannelError::Silent.into()),
        (Then::Tells(vec![]), ChannelError::Silent.into()),
        // The answer to another field, and what the key says by itself.
        (says("Successfully set Label"), ChannelError::Silent.into()),
        (says(UNLOCKED), ChannelError::Silent.into()),
        (says("Tvddrttgtkkx"), no_word.clone()),
        (Then::Tells(vec![vec![]]), no_word.clone()),
        (Then::Tells(vec![text("noise"); MOST_FOREIGN + 1]), no_word),
        (says("Error of another kind"), strange),
    ] {
        let expected = WriteFailure { token: TokenState::Unknown, cause, cleared: false };
        assert_eq!(failure(writing(2, Some(fault))), expected);
    }
}

#[test]
fn once_the_secret_is_set_it_is_written() {
    for before in [3, 4] {
        for fault in
            [Then::Fails(ChannelError::Removed), Then::Tells(vec![]), says("Error device locked")]
        {
            assert_eq!(failure(writing(before, Some(fault))).token, TokenState::Written);
        }
    }
    // Firmware that does not set the kind with the secret.
    let old = |last: Then| {
        let mut script = writing(2, Some(says("Successfully set TOTP Key")));
        script.push(last);
        failure(script).token
    };
    assert_eq!(old(Then::Tells(vec![])), TokenState::Unknown);
}

#[test]
fn the_proof_tells_the_time_and_leaves_the_rest_to_a_person() {
    let (mut session, script) = open(vec![says(UNLOCKED)]);
    let question = Question::Key(TimeStep(1));
    let proof = session.prove(&plan(7), question, NOW);
    assert!(matches!(proof, Ok(Proof::MustBeTyped { clock: None })), "{proof:?}");
    assert_eq!(script.sent()[1..], [wire::set_time(1_700_000_000).to_vec()]);
    for (word, cause) in [
        ("INITIALIZED", SessionError::LockedOnDevice),
        ("UNINITIALIZED", SessionError::NotSetUp),
        ("noise", ChannelError::Silent.into()),
    ] {
        let (mut session, _) = open(vec![says(word)]);
        assert_eq!(session.prove(&plan(7), question, NOW).expect_err("not ready"), cause);
    }
}

#[test]
fn only_the_command_interface_of_an_onlykey_is_recognised() {
    let is = |ids, page, name, serial| {
        Driver.recognises(&candidate(ids, page, name, serial)) == Recognition::Yes
    };
    let old = (0x16c0, 0x0486);
    assert!(is(NUMBERS, 0xffab, "ONLYKEY", "1000000000"));
    assert!(!is(NUMBERS, 0xf1d0, "ONLYKEY", "1000000000"));
    assert!(is(NUMBERS, 0xf1d0, "ONLYKEY", "1000000001"));
    assert!(!is(NUMBERS, 0x0001, "ONLYKEY", "1000000001"));
    assert!(is(old, 0xffab, "OnlyKey", "1000000000"));
    assert!(!is(old, 0xffab, "Teensyduino RawHID", "1000000000"));
    assert!(!is((0x1050, 0x0407), 0xf1d0, "ONLYKEY", ""));
    let script = Script::default();
    let other = candidate((0x1050, 0x0407), 0xf1d0, "YubiKey", "");
    let channel = Channel::Hid(Box::new(script.clone()));
    assert!(matches!(Driver.open(&other, channel, &random()), Err(OpenError::NotThisFamily(_))));
    assert!(script.sent().is_empty());
}
