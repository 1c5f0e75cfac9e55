//! The order of what is sent, and what each failure says of the token, against a
//! scripted card. What a Molto2 would answer is the sheet's.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use oath::Parameters;
use zeroize::Zeroizing;

use super::*;
use crate::{CandidateId, ChannelError, Driver as _, Label, Origin, Wish};

const OK: &[u8] = &[0x90, 0x00];
const CHALLENGE: &[u8] = &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x90, 0x00];
const INFO: &[u8] = b"\x95\x0c\x02\x04M234\x11\x04\x65\x53\xf1\x00\x90\x00";

/// Answers from a list and keeps instruction and slot of what was sent.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Vec<u8>>>>,
    sent: Arc<Mutex<Vec<(u8, u8)>>>,
}

impl Script {
    fn answering(answers: &[&[u8]]) -> Self {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        Self { answers: Arc::new(Mutex::new(answers)), ..Self::default() }
    }

    fn sent(&self) -> Vec<(u8, u8)> {
        self.sent.lock().expect("one thread").clone()
    }

    fn session(&self) -> Box<dyn Session> {
        self.answers.lock().expect("one thread").push_front(INFO.to_vec());
        let random: Random = Arc::new(|bytes: &mut [u8]| bytes.fill(7));
        let channel = Channel::SmartCard(Box::new(self.clone()));
        let session =
            Driver.open(&candidate("TOKEN2 Molto2 [CCID Interface] 00 00"), channel, &random);
        self.sent.lock().expect("one thread").clear();
        session.expect("a Molto2")
    }
}

impl SmartCardChannel for Script {
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        let [_, ins, _, p2] = command.header();
        self.sent.lock().expect("one thread").push((ins, p2));
        let answer = self.answers.lock().expect("one thread").pop_front();
        ResponseApdu::parse(answer.ok_or(ChannelError::NotThere)?)
    }
}

fn candidate(reader: &str) -> Candidate {
    Candidate {
        id: CandidateId("a".to_owned()),
        attachment: Attachment::SmartCard { reader: reader.to_owned(), atr: Vec::new() },
        origin: Origin::Bus,
    }
}

/// A slot's block as it is after a write of `plan`, or with another last byte.
fn block(title: &[u8], settings: [u8; 3], present: u8) -> Vec<u8> {
    let mut bytes = vec![0x95, 0x1f, 0x70, 0x1d, 0x20];
    bytes.extend_from_slice(title);
    bytes.resize(5 + 16 + 8, 0);
    bytes.extend_from_slice(&settings);
    bytes.extend_from_slice(&[present, 0x90, 0x00]);
    bytes
}

fn empty() -> Vec<u8> {
    block(b"Old", [1, 30, 6], 0)
}

fn taken() -> Vec<u8> {
    block(b"Old", [2, 60, 8], 1)
}

fn written() -> Vec<u8> {
    block(b"alice@contos", [1, 30, 6], 1)
}

fn plan() -> WritePlan {
    let secret = SharedSecret::new(vec![1; 20]);
    let label =
        Label { issuer: Some("Microsoft"), organisation: None, account: "alice@contoso.com" };
    let wish = Wish { secret: &secret, parameters: Parameters::default(), label, name: None };
    CAPABILITIES.plan(&wish).expect("fits").in_slot(7)
}

fn write(session: &mut dyn Session, plan: &WritePlan) -> Result<(), WriteFailure> {
    session.write(plan, &SharedSecret::new(vec![1; 20]), UnixTime::from_secs(1_700_000_000))
}

/// A write into slot 7 with these answers: its end and what was sent.
fn check(plan: &WritePlan, answers: &[&[u8]]) -> (Result<(), WriteFailure>, Vec<(u8, u8)>) {
    let script = Script::answering(answers);
    let end = write(&mut *script.session(), plan);
    (end, script.sent())
}

fn token_of(end: Result<(), WriteFailure>) -> (TokenState, bool) {
    let failure = end.expect_err("a failure");
    (failure.token, failure.cleared)
}

#[test]
fn readers_are_told_by_one_word() {
    for (reader, expected) in [
        ("TOKEN2 Molto2 [CCID Interface] 00 00", Recognition::Yes),
        ("token2 MOLTO2 0", Recognition::Yes),
        ("TOKEN2 FIDO2 Security Key 0", Recognition::No),
        ("ACS ACR1252U PICC 0", Recognition::No),
    ] {
        assert_eq!(Driver.recognises(&candidate(reader)), expected, "{reader}");
    }
}

#[test]
fn a_free_slot_is_read_filled_in_order_and_read_again() {
    let (end, sent) = check(&plan(), &[&empty(), CHALLENGE, OK, OK, OK, OK, &written()]);
    end.expect("written");
    assert_eq!(sent, [(0x41, 7), (0x4b, 0), (0xce, 0), (0xc5, 7), (0xd5, 7), (0xd4, 7), (0x41, 7)]);
}

#[test]
fn a_taken_slot_is_left_alone_or_deleted_first() {
    let (end, sent) = check(&plan(), &[&taken()]);
    assert_eq!(end.expect_err("taken").cause, SessionError::NameTaken);
    assert_eq!(sent, [(0x41, 7)]);
    let (end, sent) =
        check(&plan().replacing(), &[&taken(), CHALLENGE, OK, OK, OK, OK, OK, &written()]);
    end.expect("written");
    let order: Vec<u8> = sent.iter().map(|(ins, _)| *ins).collect();
    assert_eq!(order, [0x41, 0x4b, 0xce, 0xe6, 0xc5, 0xd5, 0xd4, 0x41]);
}

#[test]
fn a_slot_that_does_not_tell_counts_as_taken_until_the_token_says_otherwise() {
    let odd = block(b"", [1, 30, 6], 2);
    let (end, _) = check(&plan(), &[&odd]);
    assert_eq!(end.expect_err("maybe taken").cause, SessionError::NameTaken);
    let nothing_there = &[0x6a, 0x83][..];
    let (end, _) =
        check(&plan().replacing(), &[&odd, CHALLENGE, OK, nothing_there, OK, OK, OK, &written()]);
    end.expect("written");
    // The same word about a slot that was said to be taken is a contradiction.
    let (end, sent) = check(&plan().replacing(), &[&taken(), CHALLENGE, OK, nothing_there]);
    assert_eq!(token_of(end), (TokenState::Untouched, false));
    assert_eq!(sent.len(), 4);
}

#[test]
fn a_wrong_key_spends_one_try_and_changes_nothing() {
    let script = Script::answering(&[&empty(), CHALLENGE, &[0x63, 0xc7], &empty()]);
    let mut session = script.session();
    let failure = write(&mut *session, &plan()).expect_err("wrong key");
    let cause = SessionError::WrongKey { tries_left: Some(7) };
    assert_eq!(failure, WriteFailure { token: TokenState::Untouched, cause, cleared: false });
    let again = write(&mut *session, &plan()).expect_err("spent");
    assert_eq!(again.cause, SessionError::AuthenticationRefused);
    let key = Unlock(Zeroizing::new("MyNewCustomerKey".to_owned()));
    assert_eq!(session.unlock(&key), Err(SessionError::AuthenticationRefused));
    assert_eq!(script.sent().iter().filter(|(ins, _)| *ins == 0xce).count(), 1);
}

#[test]
fn what_cannot_be_a_customer_key_reaches_no_token() {
    let script = Script::default();
    let mut session = script.session();
    let short = Unlock(Zeroizing::new("short".to_owned()));
    assert_eq!(session.unlock(&short), Err(SessionError::WrongKey { tries_left: None }));
    let fits = Unlock(Zeroizing::new("MyNewCustomerKey".to_owned()));
    assert_eq!(session.unlock(&fits), Ok(()));
    assert!(script.sent().is_empty());
}

#[test]
fn one_authentication_serves_the_whole_session() {
    let script = Script::answering(&[
        &empty(),
        CHALLENGE,
        OK,
        OK,
        OK,
        OK,
        &written(),
        &taken(),
        OK,
        OK,
        OK,
        OK,
        &written(),
    ]);
    let mut session = script.session();
    write(&mut *session, &plan()).expect("written");
    write(&mut *session, &plan().replacing()).expect("written again");
    assert_eq!(script.sent().iter().filter(|(ins, _)| *ins == 0xce).count(), 1);
}

/// Refused, with an odd word and without an answer, at every exchange that changes
/// the token.
#[test]
fn each_failure_says_what_the_token_holds() {
    use TokenState::{Emptied, Unknown, Untouched};
    let refused = &[0x69, 0x83][..];
    let waiting = &[0x90, 0x60][..];
    let replace = plan().replacing();
    let before: [&[u8]; 3] = [&taken(), CHALLENGE, OK];
    for (done, after_refusal, cleared) in
        [(0, Untouched, false), (1, Emptied, true), (2, Unknown, true), (3, Unknown, true)]
    {
        for (answer, expected) in
            [(refused, after_refusal), (waiting, Unknown), (&[0x6f, 0x00], Unknown), (&[], Unknown)]
        {
            let mut answers = before.to_vec();
            answers.extend([OK].repeat(done));
            answers.push(answer);
            let (end, sent) = check(&replace, &answers);
            assert_eq!(token_of(end), (expected, cleared), "{done} {answer:02x?}");
            assert_eq!(sent.len(), answers.len(), "nothing is sent after a failure");
        }
    }
    // Nothing was sent: the script ends, and the channel says that nobody is there.
    let (end, _) = check(&plan(), &[&empty(), CHALLENGE, OK]);
    assert_eq!(token_of(end), (Untouched, false));
    let (end, _) = check(&replace, &[&taken(), CHALLENGE, OK, OK]);
    assert_eq!(token_of(end), (Emptied, true));
}

#[test]
fn a_slot_that_reads_back_otherwise_is_told() {
    let end = |last: &[u8]| {
        let (end, _) = check(&plan(), &[&empty(), CHALLENGE, OK, OK, OK, OK, last]);
        token_of(end).0
    };
    assert_eq!(end(&[]), TokenState::Written);
    assert_eq!(end(&[0x6a, 0x83]), TokenState::Written);
    assert_eq!(end(&block(b"alice", [1, 30, 6], 1)), TokenState::Written);
    assert_eq!(end(&block(b"alice@contos", [1, 60, 6], 1)), TokenState::Unknown);
    assert_eq!(end(&block(b"alice@contos", [1, 30, 6], 0)), TokenState::Unknown);
}

#[test]
fn slots_are_listed_until_one_is_refused() {
    let blocks: Vec<Vec<u8>> = (0..50)
        .map(|slot| if slot == 0 { block(b"0. Token2", [1, 30, 6], 1) } else { empty() })
        .collect();
    let mut answers: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
    answers.push(&[0x6a, 0x83]);
    let entries = Script::answering(&answers).session().entries().expect("a list");
    assert_eq!(entries.len(), 50);
    assert_eq!((entries[0].name.as_str(), entries[0].taken), ("0. Token2", Taken::Yes));
    let last = entries[49].slot.as_ref().expect("a slot");
    assert_eq!((last.number, last.label.as_str(), entries[49].taken), (49, "49", Taken::No));
    // All hundred, and no more.
    let hundred = vec![empty(); 101];
    let hundred: Vec<&[u8]> = hundred.iter().map(Vec::as_slice).collect();
    assert_eq!(Script::answering(&hundred).session().entries().expect("a list").len(), 100);
    // The first slot is there on every model.
    assert!(Script::answering(&[&[0x6d, 0x00]]).session().entries().is_err());
    // A broken answer among the first fifty is not the end of the list.
    assert!(Script::answering(&[&empty(), OK]).session().entries().is_err());
}

#[test]
fn a_plan_without_a_slot_is_refused_before_anything_is_sent() {
    for slot in [100, 256, 0x107] {
        let (end, sent) = check(&plan().in_slot(slot), &[]);
        assert!(matches!(end.expect_err("no slot").cause, SessionError::Malformed { .. }));
        assert!(sent.is_empty());
    }
}

#[test]
fn a_proof_reads_clock_and_slot_and_leaves_the_code_to_a_person() {
    let question = Question::Code(oath::TimeStep(1));
    let now = UnixTime::from_secs(1_700_000_000);
    let proof = Script::answering(&[INFO, &written()]).session().prove(&plan(), question, now);
    let Ok(Proof::MustBeTyped { clock: Some(clock) }) = proof else { panic!("{proof:?}") };
    assert_eq!(clock, now);
    let emptied = Script::answering(&[INFO, &empty()]).session().prove(&plan(), question, now);
    assert!(matches!(emptied, Err(SessionError::Malformed { .. })));
    let other = b"\x95\x0c\x02\x04M235\x11\x04\x65\x53\xf1\x00\x90\x00";
    let other = Script::answering(&[other]).session().prove(&plan(), question, now);
    assert!(matches!(other, Err(SessionError::AnotherToken)));
}
