//! The messages against the vectors of the page, and answers that are not right.

use std::sync::{Arc, Mutex};

use data_encoding::HEXUPPER;

use super::*;
use crate::{ChannelError, ResponseApdu};

/// One answer, in hexadecimal, or how it failed to come.
type Answer = Result<String, ChannelError>;

/// A token's answers, one for each message, and what was sent.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<Vec<Answer>>>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl SmartCardChannel for Script {
    fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
        self.sent.lock().expect("one thread").push(HEXUPPER.encode(&command.encode()));
        let answer = self.answers.lock().expect("one thread").remove(0)?;
        ResponseApdu::parse(HEXUPPER.decode(answer.as_bytes()).expect("hex"))
    }
}

/// A token of 30 s with a clock.
const TOLD: &str = "AA0B1000030105000100000016";

fn script(answers: &[Answer]) -> Script {
    let script = Script::default();
    *script.answers.lock().expect("one thread") = answers.to_vec();
    script
}

/// An answer with the right length and check byte.
fn answer(data: &[u8]) -> String {
    let length = u8::try_from(data.len() + 1).expect("short");
    let sum = data.iter().fold(0, |sum, byte| sum ^ byte);
    HEXUPPER.encode(&[&[0xaa, length], data, &[sum]].concat())
}

fn open(answers: &[Answer]) -> (Result<ProtectimusSlim, SessionError>, Script) {
    let script = script(answers);
    (ProtectimusSlim::open(Box::new(script.clone())), script)
}

/// Section 7, computed by the published script.
#[test]
fn messages_are_the_pages() {
    let sent = |message: CommandApdu| HEXUPPER.encode(&message.encode());
    assert_eq!(sent(information_message()), "86021010");
    assert_eq!(sent(code_message()), "8603420042");
    let clock =
        |time, period| sent(clock_message(UnixTime::from_secs(time), period).expect("it fits"));
    assert_eq!(clock(1_700_000_000, Period::S30), "860A1200001E0360AA2A14FB");
    assert_eq!(clock(1_700_000_000, Period::S60), "860A1200003C01B0551514CB");
    assert_eq!(clock(59, Period::S30), "860A1200001E000000011D10");
    assert!(clock_message(UnixTime::from_secs(u64::MAX / 1000), Period::S30).is_none());
}

#[test]
fn what_it_tells_is_read_by_offset() {
    let (token, script) = open(&[Ok(TOLD.to_owned())]);
    let token = token.expect("an answer");
    let expected =
        Information { hardware: 3, firmware: [1, 5], has_clock: true, period: Period::S30 };
    assert_eq!(*token.information(), expected);
    assert_eq!(token.information().firmware_version(), "1.5");
    assert_eq!(*script.sent.lock().expect("one thread"), ["86021010"]);
    let sixty = Information::parse(&[0x10, 9, 4, 0x10, 2, 9, 0, 9, 0x10, 9]).expect("an answer");
    assert_eq!((sixty.period, sixty.has_clock), (Period::S60, false));
    assert_eq!(sixty.firmware_version(), "10.2");
}

#[test]
fn an_answer_that_does_not_add_up_is_an_error_of_its_own() {
    let check = |hex: &str, expected: &str| {
        let (token, _) = open(&[Ok(hex.to_owned())]);
        match token.err().expect("no token of ours") {
            SessionError::Malformed { exchange: "TOKEN INFO", what } => {
                assert_eq!(what, expected, "{hex}");
            }
            other => panic!("{hex}: {other:?}"),
        }
    };
    check("AB0B1000030105000100000018", "another beginning");
    check("AA0A1000030105000100000018", "the length");
    check("AA0B10000301050001000018", "the length");
    check("AA0B1000030105000100000019", "the check byte");
    check("AA0000", "the length");
    check("AA0100", "the check byte");
    check("AA0B1100030105000100000017", "another answer");
    check("AA021010", "another answer");
    check("AA0B1000030105000100010017", "a period that is not known");
    let (token, _) = open(&[Ok("6E00".to_owned())]);
    let status = StatusWord(0x6e00);
    let refused = SessionError::Refused { exchange: "TOKEN INFO", status };
    assert_eq!(token.err(), Some(refused));
    let (token, _) = open(&[Err(ChannelError::Silent)]);
    assert_eq!(token.err(), Some(ChannelError::Silent.into()));
}

#[test]
fn the_code_is_the_low_halves() {
    let read = |answer: Answer| {
        let (token, script) = open(&[Ok(TOLD.to_owned()), answer]);
        let code = token.expect("an answer").code();
        assert_eq!(script.sent.lock().expect("one thread")[1], "8603420042");
        code
    };
    let code = read(Ok("AA084200000401060741".to_owned())).err();
    assert!(matches!(code, Some(SessionError::Malformed { what: "the check byte", .. })));
    let plain = answer(&[0x42, 0, 0, 4, 1, 6, 7]);
    assert_eq!(*read(Ok(plain)).expect("a code").expose(), "004167");
    let high = answer(&[0x42, 0x30, 0x30, 0x34, 0x31, 0x36, 0x37]);
    assert_eq!(*read(Ok(high)).expect("a code").expose(), "004167");
    for (data, what) in [
        (&[0x42, 0, 0, 4, 1, 6][..], "not six digits"),
        (&[0x42, 0, 0, 4, 1, 6, 0x0a], "not a decimal digit"),
        (&[0x10, 0, 0, 4, 1, 6, 7], "another answer"),
    ] {
        let expected = SessionError::Malformed { exchange: "READ CODE", what };
        assert_eq!(read(Ok(answer(data))).err(), Some(expected));
    }
}

#[test]
fn a_clock_that_was_not_surely_set_is_told_as_it_is() {
    let now = UnixTime::from_secs(1_700_000_000);
    let set = |answer: Answer| {
        let (token, script) = open(&[Ok(TOLD.to_owned()), answer]);
        let set = token.expect("an answer").set_clock(now);
        let messages = script.sent.lock().expect("one thread").clone();
        assert_eq!(messages, ["86021010", "860A1200001E0360AA2A14FB"], "sent once");
        set
    };
    assert_eq!(set(Ok("AA021212".to_owned())), Ok(()));
    let status = StatusWord(0x6700);
    let refused = SessionError::Refused { exchange: "SET CLOCK", status };
    assert_eq!(set(Ok("6700".to_owned())), Err(ClockFailure::Unknown(refused)));
    let malformed = SessionError::Malformed { exchange: "SET CLOCK", what: "the check byte" };
    assert_eq!(set(Ok("AA021213".to_owned())), Err(ClockFailure::Unknown(malformed)));
    for error in [
        ChannelError::Removed,
        ChannelError::Silent,
        ChannelError::NoAnswer,
        ChannelError::Reset,
        ChannelError::Failed { code: 1 },
    ] {
        assert_eq!(set(Err(error.clone())), Err(ClockFailure::Unknown(error.into())));
    }
    for error in [ChannelError::NotThere, ChannelError::Busy { likely: None }] {
        assert_eq!(set(Err(error.clone())), Err(ClockFailure::NotSet(error.into())));
    }
}

#[test]
fn a_token_without_a_clock_is_sent_no_time() {
    let without = answer(&[0x10, 0, 3, 1, 5, 0, 0, 0, 0, 0]);
    let (token, script) = open(&[Ok(without)]);
    let mut token = token.expect("an answer");
    let now = UnixTime::from_secs(1_700_000_000);
    assert_eq!(token.set_clock(now), Err(ClockFailure::NoClock));
    token.information.has_clock = true;
    let late = UnixTime::from_secs(u64::MAX / 1000);
    assert_eq!(token.set_clock(late), Err(ClockFailure::OutOfRange));
    assert_eq!(script.sent.lock().expect("one thread").len(), 1);
}
