//! The sheet's vectors, and what a session sends and says against a key that
//! follows a script.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use oath::{Digits, Parameters};

use super::frame::{FRAME_LEN, REPORT_LEN, frame};
use super::*;
use crate::driver::Driver as _;
use crate::hid::tests::{Script, Then};
use crate::{CandidateId, ChannelError, Label, Origin, Wish};

fn plan(secret: &SharedSecret, slot: u16) -> WritePlan {
    let wish =
        Wish { secret, parameters: Parameters::default(), label: Label::default(), name: None };
    CAPABILITIES.plan(&wish).expect("fits").in_slot(slot)
}

fn secret() -> SharedSecret {
    SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec())
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).expect("hex")
}

/// A report of the sheet, with the zero of its number.
fn report(text: &str) -> Vec<u8> {
    [&[0], hex(text).as_slice()].concat()
}

fn reports(text: &str) -> Vec<Vec<u8>> {
    text.split_whitespace().map(report).collect()
}

fn check_configuration(secret: Vec<u8>, expected: &str) {
    let secret = SharedSecret::new(secret);
    let payload = configuration(&plan(&secret, 2), &secret).expect("fits");
    assert_eq!(HEXLOWER.encode(&payload[..52]), expected);
    assert_eq!(payload[52..], [0; 12]);
}

#[test]
fn configurations_are_the_sheets() {
    check_configuration(
        b"Hello!\xde\xad\xbe\xef".to_vec(),
        "0000000000000000000000000000000000000000000048656c6c6f21deadbeef000000000000000000000000002440260000f292",
    );
    check_configuration(
        (0x00..0x50).collect(),
        "00000000000000000000000000000000af449adc0000399dbc9f721e44a992a0def42d999b320000000000000024402600000a38",
    );
    let secret = SharedSecret::new(b"12345678901234567890".to_vec());
    let payload = configuration(&plan(&secret, 2), &secret).expect("fits");
    assert_eq!(payload[16..20], *b"7890");
    assert_eq!(payload[22..38], *b"1234567890123456");
}

#[test]
fn the_frame_of_a_write_is_the_sheets() {
    let secret = secret();
    let payload = configuration(&plan(&secret, 2), &secret).expect("fits");
    assert_eq!(
        HEXLOWER.encode(&*frame(0x03, &payload)),
        "0000000000000000000000000000000000000000000048656c6c6f21deadbeef000000000000000000000000002440260000f292000000000000000000000000039556000000"
    );
}

/// A challenge that ends in a zero is filled with ones.
#[test]
fn a_challenge_is_not_filled_with_its_own_last_byte() {
    let mut expected = hex("000000000360aa00");
    expected.resize(64, 1);
    expected.extend(hex("387bbe000000"));
    assert_eq!(frame(0x38, &challenge(TimeStep(0x0360_aa00)))[..], expected);
    assert_eq!(challenge(TimeStep(0x0360_aa2a))[8..], [0; 56]);
    assert_eq!(frame(0x30, &challenge(TimeStep(0)))[..].len(), FRAME_LEN);
}

#[test]
fn secrets_that_no_slot_takes_make_no_request() {
    for length in [0, 21, 64] {
        let secret = SharedSecret::new(vec![1; length]);
        assert!(configuration(&plan(&self::secret(), 2), &secret).is_none(), "{length}");
        let wish = Wish {
            secret: &secret,
            parameters: Parameters::default(),
            label: Label::default(),
            name: None,
        };
        assert!(CAPABILITIES.plan(&wish).is_err(), "{length}");
    }
}

fn candidate(product: u16, usage: u16) -> Candidate {
    Candidate {
        id: CandidateId("test".to_owned()),
        attachment: Attachment::Hid {
            vendor: VENDOR,
            product,
            usage_page: 1,
            usage,
            name: "YubiKey".to_owned(),
            serial: String::new(),
        },
        origin: Origin::Practice,
    }
}

fn random() -> Random {
    Arc::new(|bytes: &mut [u8]| bytes.fill(1))
}

const EMPTY: &str = "0005040303000000";
const SERIAL_ANSWER: &str = "00bc614ec8040040 0000000000000040";

/// Says nothing new.
fn taken() -> Then {
    Then::Tells(vec![])
}

fn tells(text: &str) -> Then {
    Then::Tells(reports(text))
}

/// Opens a key with a status, which then follows the script.
fn open(status: &str, script: Vec<Then>) -> (Box<dyn Session>, Script) {
    let mut all = vec![taken(), tells(SERIAL_ANSWER), tells(status)];
    all.extend(script);
    let script = Script::telling(reports(status), all);
    let channel = Channel::Hid(Box::new(script.clone()));
    let session = Driver.open(&candidate(0x0401, 6), channel, &random()).expect("a key");
    (session, script)
}

const OPENING: &str = "0000000000000080 00106b5b00000089 00000000000000ff";

fn sent(script: &Script) -> String {
    let all = script.sent();
    let texts: Vec<_> = all
        .iter()
        .map(|report| {
            assert_eq!((report.len(), report[0]), (REPORT_LEN, 0));
            HEXLOWER.encode(&report[1..])
        })
        .collect();
    texts.join(" ")
}

/// The six reports of the sheet's write, and what the key tells after the last.
fn writing(last: Then) -> Vec<Then> {
    let mut script = vec![taken(); 5];
    script.push(last);
    script
}

const WRITE: &str = "0000000000000080 0048656c6c6f2183 deadbeef00000084 0000002440260086 \
                     00f2920000000087 0003955600000089";
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn written(
    status: &str,
    plan: &WritePlan,
    script: Vec<Then>,
) -> (Result<(), WriteFailure>, Script) {
    let (mut session, script) = open(status, script);
    (session.write(plan, &secret(), NOW), script)
}

#[test]
fn a_write_is_the_sheets_and_sends_nothing_else() {
    let after = "0000000000000081 0005040304020000";
    let (result, script) = written(EMPTY, &plan(&secret(), 2), writing(tells(after)));
    assert_eq!(result, Ok(()));
    assert_eq!(sent(&script), format!("{OPENING} {WRITE}"));
    let (session, _) = open(EMPTY, vec![]);
    assert_eq!(session.identity().serial.0, "12345678");
    assert_eq!(session.identity().firmware.as_deref(), Some("5.4.3"));
}

#[test]
fn entries_offer_slot_2_first() {
    let slots = |status| {
        let (mut session, _) = open(status, vec![]);
        let entries = session.entries().expect("read");
        entries.into_iter().map(|e| (e.slot.expect("a slot").label, e.taken)).collect::<Vec<_>>()
    };
    let both = |two, one| vec![("2".to_owned(), two), ("1".to_owned(), one)];
    assert_eq!(slots(EMPTY), both(Taken::No, Taken::No));
    assert_eq!(slots("0005040303010000"), both(Taken::No, Taken::Yes));
    assert_eq!(slots("0005040303020000"), both(Taken::Yes, Taken::No));
}

#[test]
fn a_taken_slot_is_replaced_only_with_permission() {
    let full = "0005040303030000";
    let (result, script) = written(full, &plan(&secret(), 2), vec![]);
    assert_eq!(result, Err(WriteFailure::untouched(SessionError::NameTaken)));
    assert_eq!(sent(&script), OPENING);
    let after = tells("0005040304030000");
    let (result, _) = written(full, &plan(&secret(), 2).replacing(), writing(after));
    assert_eq!(result, Ok(()));
    for slot in [0, 3, 0x102] {
        let (result, script) = written(EMPTY, &plan(&secret(), slot), vec![]);
        assert_eq!(result, Err(WriteFailure::untouched(NOT_FOR_THIS)));
        assert_eq!(sent(&script), OPENING);
    }
}

#[test]
fn what_a_failed_write_leaves_is_told() {
    let ended = |script| written(EMPTY, &plan(&secret(), 2), script).0.expect_err("a failure");
    // An access code: the key says no by changing nothing.
    let refused = ended(writing(tells(EMPTY)));
    assert_eq!(refused, WriteFailure::untouched(SessionError::AuthenticationRefused));
    // Before the last report the key does not have the command.
    for cut in 0..5 {
        for error in
            [ChannelError::Removed, ChannelError::Silent, ChannelError::Failed { code: 32 }]
        {
            let mut script = vec![taken(); cut];
            script.push(Then::Fails(error.clone()));
            assert_eq!(ended(script), WriteFailure::untouched(error));
        }
        let mut script = vec![taken(); cut];
        script.push(tells("0000000000000081"));
        assert_eq!(ended(script), WriteFailure::untouched(ChannelError::Silent));
    }
    let unknown = |script| {
        let failure = ended(script);
        assert_eq!(failure.token, TokenState::Unknown);
        failure.cause
    };
    for error in [ChannelError::Removed, ChannelError::Silent, ChannelError::Failed { code: 32 }] {
        assert_eq!(unknown(writing(Then::Fails(error.clone()))), error.into());
    }
    let not_there = ended(writing(Then::Fails(ChannelError::NotThere)));
    assert_eq!(not_there, WriteFailure::untouched(ChannelError::NotThere));
    // Still at it; odd reports; two changes; another slot.
    for odd in ["0000000000000089", "00", "5550515657515555"] {
        assert_eq!(unknown(writing(tells(odd))), ChannelError::Silent.into());
    }
    for odd in ["0005040305020000", "0005040304010000", "0005040300000000"] {
        assert!(matches!(unknown(writing(tells(odd))), SessionError::Malformed { .. }));
    }
}

const TAKEN: &str = "0005040304020000";
const CHALLENGE: &str = "000000000360aa80 2a00000000000081 00388c8700000089";
const RESPONSE: &str = "1d706e941ac76b40 6d4a46dd6fafa441 5fe33511bf86f642 e900000000000043 \
                        0000000000000040";

fn proven(status: &str, script: Vec<Then>) -> (Result<Proof, SessionError>, Script) {
    let (mut session, script) = open(status, script);
    let step = TimeStep(1_700_000_000 / 30);
    (session.prove(&plan(&secret(), 2), Question::Key(step), NOW), script)
}

#[test]
fn the_proof_is_the_sheets() {
    let answered = vec![taken(), taken(), tells(RESPONSE), tells(TAKEN)];
    let (proof, script) = proven(TAKEN, answered);
    let Ok(Proof::Computed(response)) = proof else { panic!("{proof:?}") };
    assert_eq!(response, Response::new(hex("1d706e941ac76b6d4a46dd6fafa45fe33511bf86")));
    let code = response.code(Digits::SIX).expect("a whole HMAC");
    assert_eq!(*code.expose(), "324550");
    assert_eq!(sent(&script), format!("{OPENING} {CHALLENGE} 00000000000000ff"));
}

#[test]
fn another_or_no_secret_is_no_proof() {
    // Empty, with a touch, and without a word.
    for (status, script) in [
        (EMPTY, vec![]),
        ("00050403040a0000", vec![]),
        (TAKEN, vec![taken(), taken(), tells(TAKEN)]),
    ] {
        let (proof, _) = proven(status, script);
        assert_eq!(proof.expect_err("nothing of ours"), SessionError::NoSuchEntry);
    }
}

#[test]
fn a_broken_answer_is_no_proof() {
    let broken = |answer: &str| {
        let script = vec![taken(), taken(), tells(answer), tells(TAKEN)];
        proven(TAKEN, script).0.expect_err("broken")
    };
    let malformed = |what| SessionError::Malformed { exchange: "CHALLENGE", what };
    let wrong_sum = RESPONSE.replace("1d70", "1d71");
    assert_eq!(broken(&wrong_sum), malformed("its checksum"));
    let gap = RESPONSE.replace("6d4a46dd6fafa441 ", "");
    assert_eq!(broken(&gap), malformed("a part of it is missing"));
    let short = "1d706e941ac76b40 0000000000000040";
    assert_eq!(broken(short), malformed("its checksum"));
    let early = format!("1d706e941ac76b40 {TAKEN}");
    assert_eq!(broken(&early), malformed("it ends too early"));
    assert_eq!(broken("0000000000000020"), SessionError::NotTouched);
    assert_eq!(broken(&format!("0000000000000020 {TAKEN}")), SessionError::NotTouched);
    assert_eq!(broken("0000000000000089"), ChannelError::Silent.into());
    let endless: Vec<_> = (0x40..0x60).map(|n| format!("00000000000000{n:02x}")).collect();
    assert_eq!(broken(&endless.join(" ")), malformed("a part of it is missing"));
}

#[test]
fn a_key_that_keeps_its_number_is_known_by_its_place() {
    let script = Script::telling(reports(EMPTY), vec![taken(), tells(EMPTY)]);
    let channel = Channel::Hid(Box::new(script));
    let session = Driver.open(&candidate(0x0010, 6), channel, &random()).expect("a key");
    assert_eq!(session.identity().serial.0, "not told (test)");
}

#[test]
fn an_answer_that_nobody_fetched_is_put_an_end_to() {
    let left = "1d706e941ac76b40";
    let all = vec![tells(EMPTY), taken(), tells(SERIAL_ANSWER), tells(EMPTY)];
    let script = Script::telling(reports(left), all);
    let channel = Channel::Hid(Box::new(script.clone()));
    Driver.open(&candidate(0x0401, 6), channel, &random()).expect("a key");
    assert_eq!(sent(&script), format!("00000000000000ff {OPENING}"));
}

#[test]
fn old_firmware_busy_keys_and_others_are_not_opened() {
    let failed = |status: &str| {
        let channel = Channel::Hid(Box::new(Script::telling(reports(status), vec![])));
        match Driver.open(&candidate(0x0401, 6), channel, &random()) {
            Err(OpenError::Failed(error)) => error,
            _ => panic!("opened"),
        }
    };
    assert_eq!(failed("0002010903000000"), SessionError::FirmwareTooOld);
    assert_eq!(failed("0000000000000020"), ChannelError::Busy { likely: None }.into());
    assert_eq!(failed("00"), SessionError::Malformed { exchange: "STATUS", what: "no status" });
    for other in [candidate(0x0402, 6), candidate(0x0401, 2)] {
        assert_eq!(Driver.recognises(&other), Recognition::No);
        let script = Script::default();
        let channel = Channel::Hid(Box::new(script.clone()));
        assert!(matches!(
            Driver.open(&other, channel, &random()),
            Err(OpenError::NotThisFamily(_))
        ));
        assert!(script.sent().is_empty());
    }
}
