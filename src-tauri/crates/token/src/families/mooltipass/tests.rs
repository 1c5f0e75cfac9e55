//! What a session sends and says, against a device that follows a script.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use oath::{Parameters, Period, TimeStep};

use super::packets::tests::{Script, Then};
use super::*;
use crate::driver::Driver as _;
use crate::{CandidateId, Label, Origin, Wish};

const SET_DATE: u16 = 0x0004;
const STATUS: u16 = 0x0011;
const STORE_TOTP: u16 = 0x0027;
const GET_TOTP: u16 = 0x0041;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn candidate(ids: (u16, u16, u16, u16), serial: &str) -> Candidate {
    Candidate {
        id: CandidateId("test".to_owned()),
        attachment: Attachment::Hid {
            vendor: ids.0,
            product: ids.1,
            usage_page: ids.2,
            usage: ids.3,
            name: "Mooltipass Mini BLE".to_owned(),
            serial: serial.to_owned(),
        },
        origin: Origin::Practice,
    }
}

fn random() -> Random {
    Arc::new(|bytes: &mut [u8]| bytes.fill(1))
}

fn flags(flags: u8) -> Then {
    Then::Says(STATUS, vec![flags, 90, 0, 0, 0])
}

fn says(command: u16, payload: &[u8]) -> Then {
    Then::Says(command, payload.to_vec())
}

fn text(digits: &str) -> Then {
    let mut payload: Vec<u8> = digits.encode_utf16().flat_map(u16::to_le_bytes).collect();
    payload.extend([0, 0]);
    Then::Says(GET_TOTP, payload)
}

fn silence() -> Then {
    Then::Tells(vec![])
}

fn opened(script: Vec<Then>) -> (Result<Box<dyn Session>, OpenError>, Script) {
    let script = Script::of(script);
    let channel = Channel::Hid(Box::new(script.clone()));
    (Driver.open(&candidate(HID, "M-1"), channel, &random()), script)
}

fn open(mut script: Vec<Then>) -> (Box<dyn Session>, Script) {
    script.insert(0, flags(0x05));
    let (session, script) = opened(script);
    (session.expect("a device"), script)
}

fn secret() -> SharedSecret {
    SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec())
}

fn named(name: &str, parameters: Parameters) -> Option<WritePlan> {
    let secret = secret();
    let label = Label { issuer: None, organisation: None, account: "alice" };
    let wish = Wish { secret: &secret, parameters, label, name: Some(name) };
    CAPABILITIES.plan(&wish).ok().map(WritePlan::replacing)
}

fn plan() -> WritePlan {
    named("login.microsoftonline.com:alice@contoso.com", Parameters::default()).expect("fits")
}

fn now_step() -> TimeStep {
    NOW.step(Period::S30)
}

/// The reports of a request of the recorded conversations.
fn recorded(title: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let vectors = root.join("tests/vectors/mooltipass.txt");
    let text = fs::read_to_string(vectors).expect("the vectors of the family");
    let mut lines = text.lines().skip_while(|line| !line.contains(title));
    let request = lines.find_map(|line| line.strip_prefix("> ")).expect("a request");
    request.split(' ').map(|hex| HEXLOWER.decode(hex.as_bytes()).expect("hex")).collect()
}

/// The reports of a message that is sent to a fresh device.
fn sent(message: &Message) -> Vec<Vec<u8>> {
    let script = Script::of(vec![]);
    let mut link = Link::new(Box::new(script.clone()));
    link.ask(message).expect_err("silence");
    script.sent()
}

#[test]
fn requests_are_those_of_the_sheet() {
    let first = Name { service: "login.microsoftonline.com", login: "alice@contoso.com" };
    let second = Name { service: "microsoft.com", login: "alice@example.com" };
    let store = |name| wire::store_totp(name, Parameters::default(), &secret()).expect("fits");
    let get = |name| wire::get_totp(name).expect("fits");
    for (title, message) in [
        ("SET_DATE 2023-11-14 22:13:20 UTC", wire::set_date(NOW).expect("a date")),
        ("STATUS: card inserted and unlocked", wire::status()),
        ("STORE_TOTP login.microsoftonline.com", store(first)),
        ("GET_TOTP of it at 1700000000", get(first)),
        ("STORE_TOTP microsoft.com", store(second)),
        ("GET_TOTP of it (second set", get(second)),
    ] {
        assert_eq!(sent(&message), recorded(title), "{title}");
    }
}

#[test]
fn only_the_one_interface_is_recognised() {
    let check = |ids, expected| {
        let recognised = Driver.recognises(&candidate(ids, ""));
        assert_eq!(recognised == Recognition::Yes, expected, "{ids:?}");
        let fits = |wanted: &HidInterface| wanted.fits(ids.0, ids.1, ids.2) && ids.3 == HID.3;
        assert_eq!(Driver.hid_interfaces().iter().any(fits), expected, "{ids:?}");
    };
    check((0x1209, 0x4321, 0xff31, 0x0074), true);
    // Its keyboard, its FIDO interface, another use of the page, the older Mini,
    // another maker of the shared number.
    check((0x1209, 0x4321, 0x0001, 0x0006), false);
    check((0x1209, 0x4321, 0xf1d0, 0x0001), false);
    check((0x1209, 0x4321, 0xff31, 0x0075), false);
    check((0x16d0, 0x09a0, 0xff31, 0x0074), false);
    check((0x1209, 0x4322, 0xff31, 0x0074), false);
}

#[test]
fn opening_asks_for_the_state_alone() {
    for state in [0x00, 0x01, 0x05, 0x15] {
        let (session, script) = opened(vec![flags(state)]);
        let session = session.expect("a device");
        assert_eq!(script.commands(), [STATUS]);
        assert_eq!(session.identity().serial.0, "M-1");
    }
    let (session, _) = opened(vec![Then::Says(STATUS, vec![])]);
    assert!(matches!(session, Err(OpenError::Failed(SessionError::Malformed { .. }))));
    let (session, _) = opened(vec![]);
    let silent = SessionError::Channel(ChannelError::Silent);
    assert!(matches!(session, Err(OpenError::Failed(error)) if error == silent));
}

#[test]
fn a_device_without_its_open_card_is_locked() {
    let locked = SessionError::LockedOnDevice;
    let managed = SessionError::Channel(ChannelError::Busy { likely: Some("Moolticute") });
    // No card, one that is locked, an unknown one, a program at its database.
    for (state, expected) in [(0x00, &locked), (0x01, &locked), (0x09, &locked), (0x15, &managed)] {
        let (mut session, _) = open(vec![flags(state)]);
        assert_eq!(session.entries().expect_err("closed"), *expected);
        let (mut session, script) = open(vec![flags(state)]);
        let failure = session.write(&plan(), &secret(), NOW).expect_err("closed");
        assert_eq!(failure, WriteFailure::untouched(expected.clone()));
        assert_eq!(script.commands(), [STATUS, STATUS]);
        let (mut session, script) = open(vec![flags(state)]);
        let proof = session.prove(&plan(), Question::Code(now_step()), NOW);
        assert_eq!(proof.expect_err("closed"), *expected);
        assert_eq!(script.commands(), [STATUS, STATUS]);
    }
    let (mut session, _) = open(vec![flags(0x05)]);
    assert!(session.entries().expect("open").is_empty());
}

#[test]
fn a_write_sets_the_clock_and_stores() {
    let script = vec![flags(0x05), says(SET_DATE, &[1]), says(STORE_TOTP, &[1])];
    let (mut session, script) = open(script);
    session.write(&plan(), &secret(), NOW).expect("stored");
    assert_eq!(script.commands(), [STATUS, STATUS, SET_DATE, STORE_TOTP]);
    let reports = script.sent();
    // The flip bit aside, these are the recorded reports.
    let bare = |reports: &[Vec<u8>]| -> Vec<Vec<u8>> {
        reports.iter().map(|report| [&[report[0] & 0x7f], &report[1..]].concat()).collect()
    };
    let stored = recorded("STORE_TOTP login.microsoftonline.com");
    assert_eq!(bare(&reports[reports.len() - 8..]), bare(&stored[1..]));
}

#[test]
fn a_failed_write_says_what_the_device_holds() {
    let check = |before: &[Then], then: Then, token: TokenState, cause: Option<SessionError>| {
        let script = before.iter().cloned().chain([then]).collect();
        let (mut session, _) = open(script);
        let failure = session.write(&plan(), &secret(), NOW).expect_err("a failure");
        assert_eq!((failure.token, failure.cleared), (token, false), "{failure:?}");
        if let Some(cause) = cause {
            assert_eq!(failure.cause, cause);
        }
    };
    let ready = [flags(0x05)];
    let dated = [flags(0x05), says(SET_DATE, &[1])];
    let removed = || Some(SessionError::Channel(ChannelError::Removed));
    check(&ready, says(SET_DATE, &[0]), TokenState::Untouched, None);
    check(&ready, Then::Fails(ChannelError::Removed), TokenState::Untouched, removed());
    let denied = Some(SessionError::NotTouched);
    check(&dated, says(STORE_TOTP, &[0]), TokenState::Untouched, denied);
    check(&dated, says(STORE_TOTP, &[]), TokenState::Unknown, None);
    check(&dated, says(STORE_TOTP, &[2]), TokenState::Unknown, None);
    check(&dated, says(STORE_TOTP, &[1, 0]), TokenState::Unknown, None);
    // Its owner may still say yes.
    let silent = Some(SessionError::Channel(ChannelError::Silent));
    check(&dated, silence(), TokenState::Unknown, silent);
    check(&dated, Then::Fails(ChannelError::Removed), TokenState::Unknown, removed());
    for packet in 0..7 {
        let cut = Then::Breaks(packet, ChannelError::Removed);
        check(&dated, cut, TokenState::Untouched, removed());
    }
    check(&dated, Then::Breaks(7, ChannelError::Removed), TokenState::Unknown, removed());
}

#[test]
fn a_busy_device_gets_the_message_again() {
    let retry = || says(0x0002, &[1, 2, 3, 4]);
    let mut script = vec![flags(0x05), retry(), says(SET_DATE, &[1]), retry(), retry()];
    script.push(says(STORE_TOTP, &[1]));
    let (mut session, script) = open(script);
    session.write(&plan(), &secret(), NOW).expect("stored");
    let expected = [STATUS, STATUS, SET_DATE, SET_DATE, STORE_TOTP, STORE_TOTP, STORE_TOTP];
    assert_eq!(script.commands(), expected);
}

/// The dates that were sent, as seconds since the beginning of 2023-11-14.
fn dates(script: &Script) -> Vec<u32> {
    let field = |report: &[u8], at: usize| u32::from(report[at]) + u32::from(report[at + 1]) * 256;
    let mut dates = Vec::new();
    for report in script.sent() {
        if report[1..6] == [0, 0x04, 0, 12, 0] {
            assert_eq!([field(&report, 6), field(&report, 8), field(&report, 10)], [2023, 11, 14]);
            dates.push(field(&report, 12) * 3600 + field(&report, 14) * 60 + field(&report, 16));
        }
    }
    dates
}

/// 22:13:20.
const SECONDS: u32 = 80_000;

#[test]
fn a_proof_sets_the_clock_into_the_step_and_back() {
    let script = vec![flags(0x05), says(SET_DATE, &[1]), text("324550"), says(SET_DATE, &[1])];
    let (mut session, script) = open(script);
    let proof = session.prove(&plan(), Question::Code(now_step().next()), NOW);
    let Proof::Code(code) = proof.expect("a code") else { panic!("no code") };
    assert_eq!(code.expose().to_string(), "324550");
    assert_eq!(script.commands(), [STATUS, STATUS, SET_DATE, GET_TOTP, SET_DATE]);
    // The next step began at 22:13:30.
    assert_eq!(dates(&script), [SECONDS + 11, SECONDS]);
}

#[test]
fn a_code_that_is_not_told_is_no_proof_and_the_clock_is_set_back() {
    let prove = |last: Vec<Then>| {
        let mut script = vec![flags(0x05), says(SET_DATE, &[1])];
        script.extend(last);
        let (mut session, script) = open(script);
        let proof = session.prove(&plan(), Question::Code(now_step()), NOW);
        (proof.expect_err("no proof"), script)
    };
    let back = || says(SET_DATE, &[1]);
    for nothing in [&[][..], &[0], &[0, 0]] {
        let (error, script) = prove(vec![says(GET_TOTP, nothing), back()]);
        assert_eq!(error, SessionError::NotTouched);
        assert_eq!(dates(&script).last(), Some(&SECONDS));
    }
    let (error, _) = prove(vec![text("12345"), back()]);
    assert!(matches!(error, SessionError::Malformed { exchange: "GET_TOTP", .. }), "{error:?}");
    // It takes other commands, and this one it does not know.
    let (error, script) = prove(vec![silence(), back()]);
    assert_eq!(error, SessionError::FirmwareTooOld);
    assert_eq!(dates(&script).last(), Some(&(SECONDS + 30)), "what was waited is counted");
    // It still asks its owner.
    let (error, _) = prove([vec![silence()], vec![says(0x0002, &[]); 20]].concat());
    assert_eq!(error, SessionError::NotTouched);
    let (error, script) = prove(vec![Then::Fails(ChannelError::Removed)]);
    assert_eq!(error, SessionError::Channel(ChannelError::Removed));
    assert_eq!(dates(&script).len(), 1);
    // A clock that was not set back is a failure, whatever the code.
    let (error, _) = prove(vec![text("324550"), says(SET_DATE, &[0])]);
    assert!(matches!(error, SessionError::Malformed { exchange: "SET_DATE", .. }), "{error:?}");
}

#[test]
fn a_name_is_divided_into_service_and_login() {
    let parts = |text: &str| {
        let plan = named(text, Parameters::default())?;
        let Name { service, login } = name(&plan)?;
        Some((service.to_owned(), login.to_owned()))
    };
    let both = |service: &str, login: &str| Some((service.to_owned(), login.to_owned()));
    assert_eq!(parts("Microsoft:alice"), both("Microsoft", "alice"));
    // The device refuses an empty service.
    assert_eq!(parts("alice"), both("alice", "alice"));
    assert_eq!(parts(":alice"), both("alice", "alice"));
    assert_eq!(parts("Microsoft:"), None);
    assert_eq!(parts(&format!("{}:a", "s".repeat(126))), None);
    assert_eq!(parts(&format!("s:{}", "a".repeat(64))), None);
}

#[test]
fn a_time_that_the_calendar_does_not_hold_changes_nothing() {
    let (mut session, script) = open(vec![flags(0x05)]);
    let failure = session.write(&plan(), &secret(), UnixTime::from_secs(0)).expect_err("1970");
    assert_eq!(failure.token, TokenState::Untouched);
    assert_eq!(script.commands(), [STATUS, STATUS]);
}
