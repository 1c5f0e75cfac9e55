//! The order of what is sent, and what each failure says of the key, against a
//! scripted card. What a key would answer is the sheet's.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use oath::{Parameters, TimeStep, code_at};

use super::*;
use crate::{CandidateId, ChannelError, Driver as _, Label, Origin, Wish};

const OK: &[u8] = &[0x90, 0x00];
/// A list with one entry, named as the plan's.
const TAKEN: &[u8] = b"\x52\x21\x2130:Microsoft_#_alice@example.com\x90\x00";
const OTHER: &[u8] = b"\x52\x06\x2160:ab\x90\x00";
/// The answer of the sheet's section A.5.
const ANSWER: &[u8] = &[0x76, 0x05, 0x06, 0x6b, 0x6d, 0x4a, 0x46, 0x90, 0x00];

/// Answers from a list and keeps the instructions that were sent.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Vec<u8>>>>,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Script {
    fn answering(answers: &[&[u8]]) -> Self {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        Self { answers: Arc::new(Mutex::new(answers)), ..Self::default() }
    }

    fn sent(&self) -> Vec<u8> {
        self.sent.lock().expect("one thread").clone()
    }

    fn open(&self) -> Result<Box<dyn Session>, OpenError> {
        let candidate = Candidate {
            id: CandidateId("a reader #3".to_owned()),
            attachment: Attachment::SmartCard { reader: "a reader".to_owned(), atr: Vec::new() },
            origin: Origin::Bus,
        };
        let random: Random = Arc::new(|bytes: &mut [u8]| bytes.fill(7));
        Driver.open(&candidate, Channel::SmartCard(Box::new(self.clone())), &random)
    }

    fn session(&self) -> Box<dyn Session> {
        self.answers.lock().expect("one thread").push_front(OK.to_vec());
        let session = self.open().expect("the applet");
        self.sent.lock().expect("one thread").clear();
        session
    }
}

impl SmartCardChannel for Script {
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        self.sent.lock().expect("one thread").push(command.header()[1]);
        let answer = self.answers.lock().expect("one thread").pop_front();
        ResponseApdu::parse(answer.ok_or(ChannelError::NotThere)?)
    }
}

fn secret() -> SharedSecret {
    SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec())
}

fn plan() -> WritePlan {
    let label =
        Label { issuer: Some("Microsoft"), organisation: None, account: "alice@example.com" };
    let secret = secret();
    let wish = Wish { secret: &secret, parameters: Parameters::default(), label, name: None };
    CAPABILITIES.plan(&wish).expect("fits")
}

fn check(plan: &WritePlan, answers: &[&[u8]]) -> (Result<(), WriteFailure>, Vec<u8>) {
    let script = Script::answering(answers);
    let end = script.session().write(plan, &secret(), UnixTime::from_secs(1_700_000_000));
    (end, script.sent())
}

fn failure(plan: &WritePlan, answers: &[&[u8]]) -> WriteFailure {
    check(plan, answers).0.expect_err("a failure")
}

#[test]
fn a_card_without_the_applet_is_asked_once_and_given_back() {
    for answer in [&[0x6a, 0x82][..], &[0x6e, 0x00], &[0x6d, 0x00]] {
        let script = Script::answering(&[answer]);
        assert!(matches!(script.open(), Err(OpenError::NotThisFamily(Channel::SmartCard(_)))));
        assert_eq!(script.sent(), [0xa4]);
    }
    let script = Script::answering(&[&[]]);
    assert!(matches!(script.open(), Err(OpenError::Failed(_))));
}

#[test]
fn one_appearance_of_a_key_is_all_that_tells_it_from_another() {
    assert_eq!(Script::default().session().identity().serial.0, "a reader #3");
}

#[test]
fn names_are_listed_first_and_what_is_there_is_deleted_before_the_new_entry() {
    let (end, sent) = check(&plan(), &[OTHER, OK]);
    end.expect("written");
    assert_eq!(sent, [0x17, 0x09]);
    let (end, sent) = check(&plan(), &[TAKEN]);
    assert_eq!(end.expect_err("taken").cause, SessionError::NameTaken);
    assert_eq!(sent, [0x17]);
    let (end, sent) = check(&plan().replacing(), &[TAKEN, OK, OK]);
    end.expect("replaced");
    assert_eq!(sent, [0x17, 0x08, 0x09]);
}

#[test]
fn older_firmware_is_asked_for_the_shorter_list() {
    let script = Script::answering(&[&[0x67, 0x00], OTHER]);
    let entries = script.session().entries().expect("a list");
    assert_eq!(entries, [Entry::named("60:ab".to_owned())]);
    assert_eq!(script.sent(), [0x17, 0x17]);
}

#[test]
fn an_access_code_ends_it_without_a_question_that_leads_nowhere() {
    let locked = &[0x69, 0x82][..];
    let refused = SessionError::Refused { exchange: "LIST", status: StatusWord(0x6982) };
    assert_eq!(Script::answering(&[locked]).session().entries(), Err(refused.clone()));
    assert_eq!(failure(&plan(), &[locked]), WriteFailure::untouched(refused));
}

#[test]
fn each_failure_says_what_the_key_holds() {
    use TokenState::{Emptied, Unknown, Untouched};
    let token = |plan: &WritePlan, answers: &[&[u8]]| {
        let failure = failure(plan, answers);
        (failure.token, failure.cleared)
    };
    let replace = plan().replacing();
    for refused in [0x6700_u16, 0x6982, 0x6984, 0x6a80, 0x6a84] {
        let refused = &refused.to_be_bytes()[..];
        assert_eq!(token(&plan(), &[OK, refused]), (Untouched, false));
        assert_eq!(token(&replace, &[TAKEN, refused]), (Untouched, false));
        assert_eq!(token(&replace, &[TAKEN, OK, refused]), (Emptied, true));
    }
    for odd in [&[][..], &[0x90], &[0x65, 0x81], &[0x6f, 0x00]] {
        assert_eq!(token(&plan(), &[OK, odd]).0, Unknown, "{odd:02x?}");
        assert_eq!(token(&replace, &[TAKEN, odd]), (Unknown, false));
        assert_eq!(token(&replace, &[TAKEN, OK, odd]), (Unknown, true));
    }
    assert_eq!(token(&replace, &[TAKEN, OK, &[]]), (Unknown, true));
    let full = failure(&plan(), &[OK, &[0x6a, 0x84]]);
    assert_eq!(full.cause, SessionError::Full);
}

#[test]
fn a_list_that_does_not_add_up_changes_nothing() {
    for broken in [&b"\x52\x90\x00"[..], b"\x52\x00\x90\x00", b"\x53\x01\x21\x90\x00"] {
        let failure = failure(&plan().replacing(), &[broken]);
        assert_eq!(failure.token, TokenState::Untouched);
        assert!(matches!(failure.cause, SessionError::Malformed { exchange: "LIST", .. }));
    }
}

/// The code of the sheet's section A.5, 324550 at 1700000000.
#[test]
fn either_question_is_answered_with_the_keys_own_code() {
    let step = TimeStep(0x0360_aa2a);
    let now = UnixTime::from_secs(1_700_000_000);
    let right = code_at(&secret(), &Parameters::default(), step);
    assert_eq!(right.expose().as_str(), "324550");
    for question in [Question::Key(step), Question::Code(step)] {
        let proof = Script::answering(&[ANSWER]).session().prove(&plan(), question, now);
        let Ok(Proof::Code(code)) = proof else { panic!("{proof:?}") };
        assert!(code == right);
    }
    let broken: [&[u8]; 3] = [OK, &[0x76, 0x05, 0x0b, 0, 0, 0, 0, 0x90, 0x00], &[0x6a, 0x82]];
    for answer in broken {
        let script = Script::answering(&[answer]);
        assert!(script.session().prove(&plan(), Question::Code(step), now).is_err());
    }
    let untouched = Script::answering(&[&[0x69, 0x84]]);
    let asked = untouched.session().prove(&plan(), Question::Code(step), now);
    assert!(matches!(asked, Err(SessionError::NotTouched)));
}
