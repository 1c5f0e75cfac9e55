//! Conversations of the driver: what it sends, and what it says the key holds.

use std::sync::{Arc, Mutex};

use oath::{Parameters, Period};

use super::ctaphid::tests::{INIT_IN, Script, nonce};
use super::*;
use crate::{CandidateId, ChannelError, Driver as _, Label, Origin, Wish};

/// Answers from a list, in hex, or fails; keeps what was sent, in hex.
#[derive(Clone, Default)]
struct Card {
    answers: Arc<Mutex<Vec<Result<String, ChannelError>>>>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl SmartCardChannel for Card {
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        self.sent.lock().expect("alone").push(HEXLOWER.encode(&command.encode()));
        let hex = self.answers.lock().expect("alone").remove(0)?;
        ResponseApdu::parse(HEXLOWER.decode(hex.as_bytes()).expect("hex"))
    }
}

impl Card {
    fn next(&self, answers: &[&str]) {
        let answers = answers.iter().map(|hex| Ok((*hex).to_owned()));
        self.answers.lock().expect("alone").extend(answers);
    }

    fn sent(&self) -> Vec<String> {
        std::mem::take(&mut self.sent.lock().expect("alone"))
    }

    fn open(&self) -> Result<Box<dyn Session>, OpenError> {
        Driver.open(&candidate(card()), Channel::SmartCard(Box::new(self.clone())), &nonce())
    }
}

fn card() -> Attachment {
    Attachment::SmartCard { reader: "Nitrokey Nitrokey 3".to_owned(), atr: Vec::new() }
}

fn hid(vendor: u16, product: u16, usage_page: u16) -> Attachment {
    let (name, serial) = (String::new(), String::new());
    Attachment::Hid { vendor, product, usage_page, usage: 1, name, serial }
}

fn candidate(attachment: Attachment) -> Candidate {
    Candidate { id: CandidateId("1".to_owned()), attachment, origin: Origin::Practice }
}

const SELECTED: &str = "7903040e00710800112233445566778f04deadbeef9000";
/// An empty list.
const NOTHING: &str = "9000";
/// `S` by time, with SHA-1.
const LISTED: &str = "72032153009000";
const DONE: &str = "9000";

const LIST: &str = "00a10000010100";
const PUT: &str = "0001000013710153730c210648656c6c6f21deadbeef780000";
const DELETE: &str = "000200000371015300";

fn secret() -> SharedSecret {
    SharedSecret::new(b"Hello!\xde\xad\xbe\xef".to_vec())
}

fn plan() -> WritePlan {
    let (secret, parameters) = (secret(), Parameters::default());
    let label = Label { account: "S", ..Label::default() };
    CAPABILITIES.plan(&Wish { secret: &secret, parameters, label, name: None }).expect("fits")
}

type Wrote = (Result<(), WriteFailure>, Vec<String>);

/// Writes `S`; the answers are those after SELECT.
fn write(plan: &WritePlan, answers: &[Result<&str, ChannelError>]) -> Wrote {
    let card = Card::default();
    card.next(&[SELECTED]);
    let answers = answers.iter().map(|answer| answer.clone().map(str::to_owned));
    card.answers.lock().expect("alone").extend(answers);
    let mut session = card.open().expect("ours");
    card.sent();
    let wrote = session.write(plan, &secret(), UnixTime::from_secs(0));
    assert!(card.answers.lock().expect("alone").is_empty(), "all answers were asked for");
    (wrote, card.sent())
}

fn check(answers: &[Result<&str, ChannelError>], token: TokenState, cause: &SessionError) {
    let failure = write(&plan().replacing(), answers).0.expect_err("fails");
    assert_eq!((failure.token, &failure.cause), (token, cause), "{answers:?}");
}

fn refused(exchange: &'static str, status: u16) -> SessionError {
    SessionError::Refused { exchange, status: StatusWord(status) }
}

#[test]
fn attachments_are_told_apart() {
    let of = |attachment| Driver.recognises(&candidate(attachment));
    assert_eq!(of(card()), Recognition::MustAsk);
    assert_eq!(of(hid(0x20a0, 0x42b2, 0xf1d0)), Recognition::Yes);
    assert_eq!(of(hid(0x20a0, 0x42f3, 0xf1d0)), Recognition::No);
    assert_eq!(of(hid(0x20a0, 0x42b2, 0x0001)), Recognition::No);
    assert_eq!(of(hid(0x1050, 0x0407, 0xf1d0)), Recognition::No);
}

#[test]
fn a_key_tells_its_serial_number_with_and_without_a_pin() {
    for answer in [SELECTED, "7903040e008201088f04deadbeef9000"] {
        let card = Card::default();
        card.next(&[answer]);
        let session = card.open().expect("ours");
        assert_eq!(session.identity().serial, Serial("deadbeef".to_owned()));
        assert_eq!(session.identity().firmware.as_deref(), Some("Secrets app 4.14.0"));
        assert_eq!(session.capabilities().guard, Guard::None);
        assert_eq!(card.sent(), ["00a4040007a000000527210100"]);
    }
    let card = Card::default();
    card.next(&["7903050403710800112233445566779000"]);
    assert!(matches!(card.open(), Err(OpenError::NotThisFamily(Channel::SmartCard(_)))));
}

#[test]
fn a_new_entry_is_put_after_a_look() {
    let (wrote, sent) = write(&plan(), &[Ok(NOTHING), Ok(DONE)]);
    assert_eq!(wrote, Ok(()));
    assert_eq!(sent, [LIST, PUT]);
}

#[test]
fn an_entry_is_replaced_on_somebodys_word_alone() {
    let (wrote, sent) = write(&plan(), &[Ok(LISTED)]);
    assert_eq!(wrote, Err(WriteFailure::untouched(SessionError::NameTaken)));
    assert_eq!(sent, [LIST]);
    let (wrote, sent) = write(&plan().replacing(), &[Ok(LISTED), Ok(DONE), Ok(DONE)]);
    assert_eq!(wrote, Ok(()));
    assert_eq!(sent, [LIST, DELETE, PUT]);
    // A password in the same entry, and an entry that is a password alone.
    for listed in ["72032153049000", "7203f053049000"] {
        let (wrote, sent) = write(&plan().replacing(), &[Ok(listed)]);
        assert_eq!(wrote, Err(WriteFailure::untouched(SessionError::NameTaken)));
        assert_eq!(sent, [LIST]);
    }
}

#[test]
fn a_failure_says_what_the_key_holds() {
    use TokenState::{Emptied, Unknown, Untouched};
    let removed = || SessionError::Channel(ChannelError::Removed);
    let busy = || ChannelError::Busy { likely: None };
    let cut = || Err(ChannelError::Removed);
    check(&[cut()], Untouched, &removed());
    check(&[Ok("6a88")], Untouched, &refused("LIST", 0x6a88));
    // A new entry.
    check(&[Ok(NOTHING), Ok("6983")], Untouched, &SessionError::NameTaken);
    check(&[Ok(NOTHING), Ok("6a84")], Untouched, &SessionError::Full);
    check(&[Ok(NOTHING), Ok("6a80")], Untouched, &refused("PUT", 0x6a80));
    check(&[Ok(NOTHING), Ok("6400")], Unknown, &refused("PUT", 0x6400));
    check(&[Ok(NOTHING), cut()], Unknown, &removed());
    check(&[Ok(NOTHING), Err(busy())], Untouched, &SessionError::Channel(busy()));
    let framing = ChannelError::Failed { code: 0xbf03 };
    let cause = SessionError::Channel(framing.clone());
    check(&[Ok(NOTHING), Err(framing)], Untouched, &cause);
    // Instead of another.
    check(&[Ok(LISTED), Ok("6982")], Untouched, &SessionError::NotTouched);
    check(&[Ok(LISTED), Ok("6a82")], Untouched, &SessionError::NoSuchEntry);
    check(&[Ok(LISTED), Ok("6500")], Unknown, &refused("DELETE", 0x6500));
    check(&[Ok(LISTED), cut()], Unknown, &removed());
    check(&[Ok(LISTED), Ok(DONE), Ok("6a84")], Emptied, &SessionError::Full);
    check(&[Ok(LISTED), Ok(DONE), cut()], Unknown, &removed());
    check(&[Ok(LISTED), Ok(DONE), Ok("6983")], Unknown, &SessionError::NameTaken);
}

#[test]
fn only_what_is_surely_gone_is_cleared() {
    let cleared = |answers: &[Result<&str, ChannelError>]| {
        write(&plan().replacing(), answers).0.expect_err("fails").cleared
    };
    assert!(!cleared(&[Ok(LISTED), Err(ChannelError::Silent)]));
    assert!(cleared(&[Ok(LISTED), Ok(DONE), Err(ChannelError::Silent)]));
    assert!(!cleared(&[Ok(LISTED), Ok(DONE), Ok("6983")]));
    assert!(!cleared(&[Ok(NOTHING), Err(ChannelError::Silent)]));
}

#[test]
fn a_code_is_asked_of_a_time_based_entry_alone() {
    let prove = |answers: &[&str]| {
        let card = Card::default();
        card.next(&[SELECTED]);
        card.next(answers);
        let mut session = card.open().expect("ours");
        card.sent();
        let question = Question::Key(TimeStep(56_666_666));
        let proof = session.prove(&plan(), question, UnixTime::from_secs(0));
        (proof, card.sent())
    };
    let (proof, sent) = prove(&[LISTED, "7605066b6d4a469000"]);
    let code = Code::typed("324550", Digits::SIX).expect("code");
    assert!(matches!(proof, Ok(Proof::Code(computed)) if computed == code));
    assert_eq!(sent, [LIST, "00a200010d7101537408000000000360aa2a00"]);
    let (proof, sent) = prove(&["72031153009000"]);
    assert!(matches!(proof, Err(SessionError::Malformed { .. })), "it would count on");
    assert_eq!(sent, [LIST]);
    assert!(matches!(prove(&[NOTHING]).0, Err(SessionError::NoSuchEntry)));
    assert!(matches!(prove(&[LISTED, "6a82"]).0, Err(SessionError::NoSuchEntry)));
    assert!(matches!(prove(&[LISTED, "6982"]).0, Err(SessionError::NotTouched)));
    for broken in ["9000", "7605ff6b6d4a469000", "7604066b6d4a9000"] {
        let (proof, _) = prove(&[LISTED, broken]);
        assert!(matches!(proof, Err(SessionError::Malformed { .. })), "{broken}");
    }
}

/// On PC/SC a long list comes by GET RESPONSE, and by SEND REMAINING where the app
/// itself cut it.
#[test]
fn long_lists_are_continued() {
    let card = Card::default();
    card.next(&[SELECTED, "7203215361ff", "009000"]);
    let mut session = card.open().expect("ours");
    assert_eq!(session.entries(), Ok(vec![Entry::named("S".to_owned())]));
    assert_eq!(card.sent()[2], "00c00000ff");
    card.next(&["720321530061ff", "6d00", "720321530061ff", "72032254009000"]);
    let names = [Entry::named("S".to_owned()), Entry::named("T".to_owned())];
    assert_eq!(session.entries(), Ok(names.to_vec()));
    assert_eq!(card.sent(), [LIST, "00c00000ff", LIST, "00a5000000"]);
}

#[test]
fn on_hid_the_same_conversation_is_framed() {
    let script = Script::of(&[
        INIT_IN,
        "00000001f0001790007903040e00710800112233445566778f04deadbeef",
        "00000001f0000761ff7203215300",
        "00000001f0000790007203225400",
    ]);
    let channel = Channel::Hid(Box::new(script.clone()));
    let here = candidate(hid(0x20a0, 0x42b2, 0xf1d0));
    let mut session = Driver.open(&here, channel, &nonce()).expect("ours");
    assert_eq!(session.entries().map(|entries| entries.len()), Ok(2));
    let sent = script.sent();
    assert_eq!(sent[2..], ["00000001f0000600a100000101", "00000001f0000400a5"]);
}

#[test]
fn on_hid_a_key_without_the_app_is_named() {
    let open = |answer: &str| {
        let channel = Channel::Hid(Box::new(Script::of(&[INIT_IN, answer])));
        Driver.open(&candidate(hid(0x20a0, 0x42b2, 0xf1d0)), channel, &nonce()).err()
    };
    let no_app = open("00000001bf000101");
    assert!(matches!(no_app, Some(OpenError::Stranger(Unrecognised::Nitrokey3))));
    let old = open("00000001f00011900079030409007108001122334455667700");
    assert!(matches!(old, Some(OpenError::Failed(SessionError::FirmwareTooOld))));
    let other = open("00000001f000026a82");
    assert!(matches!(other, Some(OpenError::NotThisFamily(Channel::Hid(_)))));
    let busy = open("00000001bf000106");
    let cause = SessionError::Channel(ChannelError::Busy { likely: None });
    assert!(matches!(busy, Some(OpenError::Failed(error)) if error == cause));
}

#[test]
fn the_period_is_the_hosts_alone() {
    let secret = secret();
    let parameters = Parameters { period: Period::S60, ..Parameters::default() };
    let label =
        Label { issuer: Some("Microsoft"), account: "alice@contoso.com", ..Label::default() };
    let wish = Wish { secret: &secret, parameters, label, name: None };
    let plan = CAPABILITIES.plan(&wish).expect("fits");
    assert_eq!(plan.name(), Some("Microsoft:alice@contoso.com"));
}
