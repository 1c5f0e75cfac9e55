//! Conversations of the driver with a card that answers from a list.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use data_encoding::HEXUPPER;
use oath::{Parameters, TimeStep};

use super::pin::tests::{encrypted_random, protected};
use super::seal::pairs;
use super::*;
use crate::{CandidateId, ChannelError, Driver as _, Label, Origin, Wish};

const ATR: &str = "3BFF1800001080868E00166000603335373830353238";
const SERIAL: &str = "D10A363531303331323334359000";
/// Alice's entry in a list, as the last page.
const ALICE: &str =
    "01C1001E0600094D6963726F736F667411616C696365406578616D706C652E636F6D063332343535309000";
const SECRET: &[u8] = b"Hello!\xde\xad\xbe\xef";

type Log = Arc<Mutex<Vec<String>>>;

/// Answers from a list and keeps what it was sent; `-` stands for a card that left
/// during the exchange, `!` for one that was not there before it.
struct Script {
    answers: VecDeque<String>,
    sent: Log,
}

impl SmartCardChannel for Script {
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        self.sent.lock().expect("one thread").push(HEXUPPER.encode(&command.encode()));
        match self.answers.pop_front().as_deref() {
            Some("-") => ResponseApdu::parse(Vec::new()),
            Some("!") => Err(ChannelError::NotThere),
            Some(hex) => ResponseApdu::parse(HEXUPPER.decode(hex.as_bytes()).expect("hex")),
            None => Err(ChannelError::Removed),
        }
    }
}

fn flag(pin_len: u8, tries: u8) -> String {
    format!("01{tries:02X}{pin_len:02X}08000002A1B29000")
}

fn key() -> String {
    format!("{}9000", pairs::DEVICE)
}

fn open(answers: &[String]) -> (Result<Box<dyn Session>, OpenError>, Log) {
    let sent = Log::default();
    let card = Script { answers: answers.iter().cloned().collect(), sent: sent.clone() };
    let atr = HEXUPPER.decode(ATR.as_bytes()).expect("hex");
    let candidate = Candidate {
        id: CandidateId("card".to_owned()),
        attachment: Attachment::SmartCard { reader: "reader".to_owned(), atr },
        origin: Origin::Practice,
    };
    let channel = Channel::SmartCard(Box::new(card));
    (Driver.open(&candidate, channel, &pairs::random()), sent)
}

/// The answers to an opening, then more.
fn opening(flag: &str, key: &str, more: &[&str]) -> Vec<String> {
    let opening = ["9000", flag, key, "9000", SERIAL, "9000"];
    opening.iter().chain(more).map(|answer| (*answer).to_owned()).collect()
}

/// A key without PIN, opened.
fn plain(more: &[&str]) -> (Box<dyn Session>, Log) {
    let (session, sent) = open(&opening(&flag(0, 8), &key(), more));
    (session.expect("a key"), sent)
}

/// A key with a PIN, opened, with what it answers to the right one.
fn guarded(more: &[&str]) -> (Box<dyn Session>, Log) {
    let (session, sent) = open(&opening(&flag(6, 7), "6A81", more));
    (session.expect("a key"), sent)
}

fn to_the_pin() -> Vec<String> {
    let iv = "000102030405060708090A0B0C0D0E0F";
    let random = HEXUPPER.encode(&encrypted_random());
    vec![
        flag(6, 7),
        format!("{}{}9000", pairs::DEVICE, "5A".repeat(132)),
        format!("01070608000002A1B2{iv}{random}9000"),
    ]
}

fn unlocked(more: &[&str]) -> (Box<dyn Session>, Log) {
    let mut answers = to_the_pin();
    answers.push("9000".to_owned());
    answers.extend(more.iter().map(|answer| (*answer).to_owned()));
    let answers: Vec<_> = answers.iter().map(String::as_str).collect();
    let (mut session, sent) = guarded(&answers);
    session.unlock(&pin("135790")).expect("the right PIN");
    (session, sent)
}

fn pin(text: &str) -> Unlock {
    Unlock(Zeroizing::new(text.to_owned()))
}

fn secret() -> SharedSecret {
    SharedSecret::new(SECRET.to_vec())
}

fn plan() -> WritePlan {
    let label =
        Label { issuer: Some("Microsoft"), organisation: None, account: "alice@example.com" };
    let secret = secret();
    let wish = Wish { secret: &secret, parameters: Parameters::default(), label, name: None };
    capabilities(Guard::None).plan(&wish).expect("fits")
}

fn write(session: &mut dyn Session, plan: &WritePlan) -> Result<(), (TokenState, bool)> {
    session
        .write(plan, &secret(), UnixTime::from_secs(1_700_000_000))
        .map_err(|failure| (failure.token, failure.cleared))
}

fn since_opening(sent: &Log) -> Vec<String> {
    sent.lock().expect("one thread").iter().skip(6).cloned().collect()
}

#[test]
fn a_key_without_pin_is_opened_by_reads() {
    let (session, sent) = plain(&[]);
    assert_eq!(session.identity().serial.0, "6510312345");
    assert_eq!(session.identity().model, "Token2 FIDO2 key, release 3.4");
    assert_eq!(session.capabilities().guard, Guard::None);
    drop(session);
    let sent = sent.lock().expect("one thread").clone();
    assert_eq!(
        sent,
        [
            "00A4040008F00000014F747001",
            "80C5050409000000000000000000",
            "80C5010000",
            "00A4040008A0000006472F0001",
            "8033000012D11000000000000000000000000000000000",
            "00A4040008F00000014F747001",
        ]
    );
}

#[test]
fn an_older_key_knows_no_flag_and_tells_no_serial() {
    let key = key();
    let answers = ["9000", "6A86", &key, "6A82", "6D00", "9000"].map(str::to_owned);
    let (session, _) = open(&answers);
    let session = session.expect("a key");
    assert_eq!(session.capabilities().guard, Guard::None);
    assert_eq!(session.identity().serial.0, "35780528");
}

#[test]
fn the_tries_are_told_before_one_is_spent() {
    let (session, _) = guarded(&[]);
    assert_eq!(session.capabilities().guard, Guard::Pin { tries_left: Some(7) });
    let (session, _) = open(&opening("6A86", "6A81", &[]));
    let session = session.expect("a key");
    assert_eq!(session.capabilities().guard, Guard::Pin { tries_left: None });
}

#[test]
fn another_familys_card_is_let_go() {
    for answers in [
        &["6A82"][..],
        &["6E00"],
        &["9000", "9000", "9000"],
        &["9000", "6D00", "6D00"],
        &["9000", "0107069000", "01029000"],
        &["790305040371081122334455667788900061009000", "6E00", "6E00"],
    ] {
        let answers: Vec<_> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let (opened, sent) = open(&answers);
        assert!(matches!(opened, Err(OpenError::NotThisFamily(_))), "{answers:?}");
        assert_eq!(sent.lock().expect("one thread").len(), answers.len());
    }
    let (opened, _) = open(&["9000", "6984", "6984"].map(str::to_owned));
    assert!(matches!(opened, Err(OpenError::Failed(SessionError::LockedOnDevice))));
}

#[test]
fn hid_is_not_written() {
    let candidate = Candidate {
        id: CandidateId("hid".to_owned()),
        attachment: Attachment::Hid {
            vendor: 0x349e,
            product: 0x0022,
            usage_page: 0xf1d0,
            usage: 1,
            name: String::new(),
            serial: String::new(),
        },
        origin: Origin::Bus,
    };
    assert_eq!(Driver.recognises(&candidate), Recognition::No);
}

#[test]
fn a_write_is_listed_keyed_and_the_sheets() {
    let key = key();
    let (mut session, sent) = plain(&["6A83", &key, "9000"]);
    assert_eq!(write(&mut *session, &plan()), Ok(()));
    let ciphertext = "AA35EA7519CFFB57E310A13DF9DDF260DBCB709E021BBBFAFB5E366435AB594F1AB95E694B377BAF27A0F6C61CA6B38D";
    assert_eq!(
        since_opening(&sent),
        [
            "80C505000903000000000000003B".to_owned(),
            "80C5010000".to_owned(),
            format!("80C5050270{}{ciphertext}", pairs::HOST),
        ]
    );
}

#[test]
fn a_taken_name_gives_way_only_when_told() {
    let (mut session, sent) = plain(&[ALICE]);
    let failure = session.write(&plan(), &secret(), UnixTime::from_secs(0));
    assert_eq!(failure, Err(WriteFailure::untouched(SessionError::NameTaken)));
    assert_eq!(since_opening(&sent).len(), 1);
    let key = key();
    let (mut session, sent) = plain(&[ALICE, &key, "9000", &key, "9000"]);
    assert_eq!(write(&mut *session, &plan().replacing()), Ok(()));
    assert_eq!(since_opening(&sent).len(), 5);
}

/// What is said of the key after a break at each exchange of a replacement.
#[test]
fn a_failed_write_says_what_the_key_holds() {
    use TokenState::{Emptied, Unknown, Untouched};
    let key = key();
    let check = |answers: &[&str], expected| {
        let (mut session, _) = plain(answers);
        assert_eq!(write(&mut *session, &plan().replacing()), Err(expected), "{answers:?}");
    };
    for broken in ["-", "!", "6D00", "01C19000", "6984"] {
        check(&[broken], (Untouched, false));
        check(&[ALICE, broken], (Untouched, false));
        check(&[ALICE, &key, "9000", broken], (Emptied, true));
    }
    for refused in ["!", "6A80", "6A84", "6FF9", "6982", "6985", "6AF8", "6700", "6FFA"] {
        check(&["6A83", &key, refused], (Untouched, false));
        check(&[ALICE, &key, refused], (Untouched, false));
        check(&[ALICE, &key, "9000", &key, refused], (Emptied, true));
    }
    for odd in ["-", "6581", "9100", "6100", "6F00", "6C05"] {
        check(&["6A83", &key, odd], (Unknown, false));
        check(&[ALICE, &key, odd], (Unknown, false));
        check(&[ALICE, &key, "9000", &key, odd], (Unknown, true));
    }
}

#[test]
fn an_entry_too_long_for_a_short_command_is_refused_before_anything_is_sent() {
    let (service, account, secret) = ("s".repeat(64), "a".repeat(64), vec![1; 64]);
    let secret = SharedSecret::new(secret);
    let label = Label { issuer: Some(&service), organisation: None, account: &account };
    let wish = Wish { secret: &secret, parameters: Parameters::default(), label, name: None };
    let plan = capabilities(Guard::None).plan(&wish).expect("each part fits");
    let (mut session, sent) = plain(&[]);
    let failure = session.write(&plan, &secret, UnixTime::from_secs(0)).expect_err("too long");
    assert_eq!((failure.token, failure.cause), (TokenState::Untouched, TOO_LONG));
    assert!(since_opening(&sent).is_empty());
}

#[test]
fn pages_are_followed_and_bounded() {
    let page = format!("81{}", &ALICE[2..]);
    let (mut session, sent) = plain(&[&page, ALICE]);
    let entries = session.entries().expect("two pages");
    let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["Microsoft:alice@example.com"; 2]);
    assert_eq!(since_opening(&sent)[1], "80C5050108000000000000003B");
    let endless = vec![page.as_str(); 2 * MOST_PAGES];
    let (mut session, sent) = plain(&endless);
    assert!(matches!(session.entries(), Err(SessionError::Malformed { .. })));
    assert!(since_opening(&sent).len() <= MOST_PAGES + 1);
    // Pages that end too soon are no list.
    for end in ["9000", "6A83"] {
        let (mut session, _) = plain(&[&page, end]);
        assert!(matches!(session.entries(), Err(SessionError::Malformed { .. })));
    }
    for empty in ["9000", "6A83", "6A80"] {
        let (mut session, _) = plain(&[empty]);
        assert_eq!(session.entries(), Ok(Vec::new()));
    }
}

#[test]
fn either_question_is_answered_by_the_code_of_the_steps_beginning() {
    let (mut session, sent) = plain(&[ALICE, ALICE, "6A83"]);
    let step = TimeStep(56_666_666);
    for question in [Question::Key(step), Question::Code(step)] {
        let proof = session.prove(&plan(), question, UnixTime::from_secs(0)).expect("a code");
        assert!(matches!(proof, Proof::Code(code) if *code.expose() == "324550"));
    }
    assert!(since_opening(&sent)[0].starts_with("80C505002501000000006553F0EC09"));
    let ask = |session: &mut Box<dyn Session>, step| {
        session.prove(&plan(), Question::Key(TimeStep(step)), UnixTime::from_secs(0)).err()
    };
    assert_eq!(ask(&mut session, 1), Some(SessionError::NoSuchEntry));
    assert!(matches!(ask(&mut session, u64::MAX), Some(SessionError::Malformed { .. })));
    let another = ALICE.replace("616C", "626C");
    let (mut session, _) = plain(&[&another]);
    assert!(matches!(ask(&mut session, 1), Some(SessionError::Malformed { .. })));
}

#[test]
fn a_key_with_a_pin_is_not_asked_before_it() {
    let (mut session, sent) = guarded(&[]);
    assert_eq!(session.entries(), Err(SessionError::Locked));
    assert_eq!(write(&mut *session, &plan()), Err((TokenState::Untouched, false)));
    drop(session);
    assert!(since_opening(&sent).is_empty());
}

#[test]
fn a_session_behind_a_pin_is_protected_both_ways_and_locked_at_its_end() {
    let data = HEXUPPER.decode(&ALICE.as_bytes()[..ALICE.len() - 4]).expect("hex");
    let list = format!("{}9000", HEXUPPER.encode(&protected(&data)));
    let (mut session, sent) = unlocked(&["6A83", "9000", &list, &list]);
    assert_eq!(write(&mut *session, &plan()), Ok(()));
    assert_eq!(session.entries().expect("a list").len(), 1);
    let asked = session.prove(&plan(), Question::Code(TimeStep(1)), UnixTime::from_secs(0));
    assert!(matches!(asked, Ok(Proof::Code(code)) if *code.expose() == "324550"));
    drop(session);
    let sent = since_opening(&sent);
    assert_eq!(sent[1], format!("80C5050940{}", pairs::HOST));
    assert_eq!(
        sent[3],
        "80C5050620000102030405060708090A0B0C0D0E0F7C1932F3EF40F81DA17DB4D264689782"
    );
    assert_eq!(
        sent[5],
        "80C5050250000102030405060708090A0B0C0D0E0F16AF0E81CBD963EBF8852225F4D6F22AD0F9EB34A1468BB793F1FE0207FEC19DBCE4C97DBF679CCD49768FD1CC6AA8B30B3E46A05835288539B411881B7C9C8C"
    );
    assert_eq!(sent.last().map(String::as_str), Some("80C505060100"));
    assert_eq!(sent.len(), 9);
}

#[test]
fn an_answer_that_is_not_protected_is_not_believed() {
    for answer in [ALICE, "9000", "00119000"] {
        let (mut session, _) = unlocked(&[answer, "9000"]);
        assert!(matches!(session.entries(), Err(SessionError::Malformed { .. })), "{answer}");
    }
}

#[test]
fn a_broken_session_sends_no_lock_to_whoever_is_there_now() {
    let (mut session, sent) = unlocked(&["6A83", "-"]);
    assert_eq!(write(&mut *session, &plan()), Err((TokenState::Unknown, false)));
    let exchanges = since_opening(&sent).len();
    assert_eq!(session.entries(), Err(SessionError::Locked));
    drop(session);
    assert_eq!(since_opening(&sent).len(), exchanges);
}

#[test]
fn a_pin_is_tried_once_and_not_at_all_when_none_is_left() {
    let verifies = |sent: &Log| {
        since_opening(sent).iter().filter(|command| command.starts_with("80C50506")).count()
    };
    let (way, after) = (to_the_pin(), flag(6, 6));
    let wrong: Vec<_> = way.iter().map(String::as_str).chain(["6982", &after]).collect();
    let (mut session, sent) = guarded(&wrong);
    let refused = session.unlock(&pin("246801"));
    assert_eq!(refused, Err(SessionError::WrongKey { tries_left: Some(6) }));
    assert_eq!(session.capabilities().guard, Guard::Pin { tries_left: Some(6) });
    drop(session);
    assert_eq!(verifies(&sent), 1);

    let (mut session, sent) = guarded(&[&flag(6, 0)]);
    assert_eq!(session.unlock(&pin("135790")), Err(SessionError::Blocked));
    assert_eq!((verifies(&sent), since_opening(&sent).len()), (0, 1));

    let (mut session, sent) = guarded(&[&flag(6, 3)]);
    assert_eq!(session.unlock(&pin("")), Err(SessionError::WrongKey { tries_left: Some(3) }));
    assert_eq!(verifies(&sent), 0);

    let (mut session, _) = guarded(&[&flag(0, 8)]);
    assert_eq!(session.unlock(&pin("135790")), Ok(()));
    assert_eq!(session.capabilities().guard, Guard::None);
}

#[test]
fn a_malformed_way_to_the_pin_spends_no_try() {
    let way = to_the_pin();
    for at in 0..way.len() {
        for broken in ["9000", "009000", "6985", "-"] {
            let mut answers: Vec<_> = way.iter().map(String::as_str).collect();
            answers[at] = broken;
            let (mut session, sent) = guarded(&answers);
            session.unlock(&pin("135790")).expect_err("malformed");
            drop(session);
            let sent = since_opening(&sent);
            assert!(!sent.iter().any(|command| command.starts_with("80C50506")), "{at} {broken}");
        }
    }
}
