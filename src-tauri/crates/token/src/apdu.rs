//! Command and response APDUs in their short form (ISO 7816-4 section 5).
//!
//! Every command of every family here fits 255 data bytes, and short APDUs work
//! with every reader, so there is no extended form (pcsc-nfc.md section 3).

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::{ChannelError, SessionError, SmartCardChannel};

/// How long an answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// A card working by itself: 0.1 to 240 ms were seen (rigs/FACTS.md 7b).
    Card,
    /// A card that waits about 15 s for a touch (yubikey-oath.md section 6).
    Touch,
}

impl Patience {
    /// The longest wait before the answer is given up.
    pub const fn limit(self) -> Duration {
        match self {
            Self::Card => Duration::from_secs(5),
            Self::Touch => Duration::from_secs(25),
        }
    }
}

/// A command APDU. Wiped when dropped; `Debug` shows the header and the length only.
#[derive(Clone)]
pub struct CommandApdu {
    header: [u8; 4],
    body: Body,
    le: Option<u8>,
    patience: Patience,
}

/// What follows the header.
#[derive(Clone)]
enum Body {
    /// Data, with Lc in front of it.
    Data(Zeroizing<Vec<u8>>),
    /// Bytes as they are.
    AsTheyAre(Zeroizing<Vec<u8>>),
}

impl CommandApdu {
    /// A command of class, instruction, P1 and P2, with at most 255 bytes of
    /// data and without an Le byte. Drivers state Le per command.
    ///
    /// # Panics
    /// With more than 255 bytes of data: no command of any sheet is that long.
    pub fn new(header: [u8; 4], data: &[u8]) -> Self {
        assert!(data.len() <= 255, "a short APDU carries at most 255 bytes");
        let body = Body::Data(Zeroizing::new(data.to_vec()));
        Self { header, body, le: None, patience: Patience::Card }
    }

    /// A message that is no command APDU, for a card that speaks a protocol of its own:
    /// its first four bytes and the rest as they are. No Lc and no Le is added.
    pub fn foreign(first: [u8; 4], rest: &[u8]) -> Self {
        let body = Body::AsTheyAre(Zeroizing::new(rest.to_vec()));
        Self { header: first, body, le: None, patience: Patience::Card }
    }

    /// Adds an Le byte; `0` asks for up to 256 bytes.
    #[must_use]
    pub fn with_le(mut self, le: u8) -> Self {
        self.le = Some(le);
        self
    }

    /// Says that a person may have to touch the token first.
    #[must_use]
    pub fn waiting_for_touch(mut self) -> Self {
        self.patience = Patience::Touch;
        self
    }

    /// How long the answer may take.
    pub const fn patience(&self) -> Patience {
        self.patience
    }

    /// Class, instruction, P1 and P2.
    pub const fn header(&self) -> [u8; 4] {
        self.header
    }

    /// The bytes for the card: 4 header bytes, then Lc and data if there is any
    /// data, then Le if asked for; at most 261.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let (Body::Data(body) | Body::AsTheyAre(body)) = &self.body;
        let mut bytes = Zeroizing::new(Vec::with_capacity(6 + body.len()));
        bytes.extend_from_slice(&self.header);
        match &self.body {
            Body::Data(data) => {
                if let (false, Ok(lc)) = (data.is_empty(), u8::try_from(data.len())) {
                    bytes.push(lc);
                    bytes.extend_from_slice(data);
                }
            }
            Body::AsTheyAre(rest) => bytes.extend_from_slice(rest),
        }
        bytes.extend(self.le);
        bytes
    }
}

impl fmt::Debug for CommandApdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [cla, ins, p1, p2] = self.header;
        let (Body::Data(body) | Body::AsTheyAre(body)) = &self.body;
        write!(f, "CommandApdu({cla:02X} {ins:02X} {p1:02X} {p2:02X}, {} bytes)", body.len())
    }
}

/// SW1 SW2 of ISO 7816-4 section 5.6.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// `9000`, done.
    pub const OK: Self = Self(0x9000);

    /// `61xx`: the number of bytes still to fetch (`00` stands for 256 or more).
    pub const fn more(self) -> Option<u8> {
        let [sw1, sw2] = self.0.to_be_bytes();
        if sw1 == 0x61 { Some(sw2) } else { None }
    }

    /// `6Cxx`: the Le that the card wants.
    pub const fn wants_le(self) -> Option<u8> {
        let [sw1, sw2] = self.0.to_be_bytes();
        if sw1 == 0x6c { Some(sw2) } else { None }
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

/// A response APDU. Wiped when dropped; `Debug` shows the length and the status word.
pub struct ResponseApdu {
    data: Zeroizing<Vec<u8>>,
    status: StatusWord,
}

impl ResponseApdu {
    /// Splits what a reader returned. Under two bytes is no answer at all, and
    /// then the outcome of the command is unknown.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ChannelError> {
        let mut data = Zeroizing::new(bytes);
        match data.as_slice() {
            [.., sw1, sw2] => {
                let status = StatusWord(u16::from_be_bytes([*sw1, *sw2]));
                let len = data.len() - 2;
                data.truncate(len);
                Ok(Self { data, status })
            }
            _ => Err(ChannelError::NoAnswer),
        }
    }

    /// The data before the status word.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The status word.
    pub const fn status(&self) -> StatusWord {
        self.status
    }
}

impl fmt::Debug for ResponseApdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseApdu({} bytes, {})", self.data.len(), self.status)
    }
}

/// How a family continues an answer that ends in `61xx`. A card that does not know
/// it is sent the command again and asked the other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuation {
    /// GET RESPONSE, `00 C0 00 00 xx` (ISO 7816-4).
    GetResponse,
    /// SEND REMAINING, `00 A5 00 00 00` (yubikey-oath.md section 2).
    SendRemaining,
}

impl Continuation {
    const fn other(self) -> Self {
        match self {
            Self::GetResponse => Self::SendRemaining,
            Self::SendRemaining => Self::GetResponse,
        }
    }
}

/// The most parts of one answer. The longest real list, 255 names of 66 bytes
/// in parts of 255, has about 70.
const MOST_PARTS: usize = 256;

/// Sends a command and joins the parts of a long answer before anyone parses it,
/// because cards cut in the middle of a data object.
///
/// For reads only: a command may be sent twice. The first status word that is neither `61xx` nor `6Cxx` is returned with all
/// data. `named` names the exchange in errors.
pub fn exchange(
    channel: &mut dyn SmartCardChannel,
    command: &CommandApdu,
    continuation: Continuation,
    named: &'static str,
) -> Result<ResponseApdu, SessionError> {
    let mut command = command.clone();
    let mut answer = channel.transmit(&command)?;
    if let Some(le) = answer.status.wants_le() {
        command = command.with_le(le);
        answer = channel.transmit(&command)?;
    }
    let mut joined = Zeroizing::new(answer.data.to_vec());
    let mut by = continuation;
    let mut other = Some(continuation.other());
    let mut parts = 0;
    while let Some(left) = answer.status.more() {
        parts += 1;
        if parts > MOST_PARTS {
            return Err(SessionError::Malformed { exchange: named, what: "an answer without end" });
        }
        answer = match by {
            Continuation::GetResponse => channel.transmit(&get_response(left))?,
            Continuation::SendRemaining => channel.transmit(&send_remaining())?,
        };
        let unknown = answer.data.is_empty() && answer.status.more().is_none();
        if let (true, Some(untried)) = (unknown, other.take_if(|_| unknown)) {
            // Asked in a way that it does not know, a card may have thrown the rest
            // away, so it is asked for the whole again and continued the other way.
            by = untried;
            answer = channel.transmit(&command)?;
            joined = Zeroizing::new(answer.data.to_vec());
            continue;
        }
        // A part without a byte would go on for ever or hide that one is lost.
        if answer.data.is_empty() {
            return Err(SessionError::Malformed { exchange: named, what: "an empty part" });
        }
        joined.extend_from_slice(&answer.data);
    }
    Ok(ResponseApdu { data: joined, status: answer.status })
}

/// Sends a command that changes the token: once, whatever is answered. A `61xx`, as
/// T=0 readers hand it on, is followed by GET RESPONSE for the sake of the status
/// word behind it.
pub fn exchange_once(
    channel: &mut dyn SmartCardChannel,
    command: &CommandApdu,
    named: &'static str,
) -> Result<ResponseApdu, SessionError> {
    let mut answer = channel.transmit(command)?;
    let mut parts = 0;
    while let Some(left) = answer.status.more() {
        parts += 1;
        if parts > MOST_PARTS {
            return Err(SessionError::Malformed { exchange: named, what: "an answer without end" });
        }
        // The command was taken by now: that the question for its end did not get
        // through, or is refused, says nothing about the command itself.
        let lost = SessionError::Malformed { exchange: named, what: "its end is missing" };
        answer = match channel.transmit(&get_response(left)) {
            Ok(end) if end.status == StatusWord::OK || end.status.more().is_some() => end,
            Err(error) if error.may_have_taken_effect() => return Err(error.into()),
            Ok(_) | Err(_) => return Err(lost),
        };
    }
    Ok(answer)
}

fn send_remaining() -> CommandApdu {
    CommandApdu::new([0x00, 0xa5, 0x00, 0x00], &[]).with_le(0)
}

fn get_response(left: u8) -> CommandApdu {
    CommandApdu::new([0x00, 0xc0, 0x00, 0x00], &[]).with_le(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers from a list and keeps what was sent.
    struct Script {
        answers: Vec<Vec<u8>>,
        sent: Vec<Vec<u8>>,
    }

    impl SmartCardChannel for Script {
        fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError> {
            self.sent.push(command.encode().to_vec());
            ResponseApdu::parse(self.answers.remove(0))
        }
    }

    type Joined = Result<(Vec<u8>, u16), SessionError>;

    fn check(answers: &[&[u8]], continuation: Continuation) -> (Joined, Vec<Vec<u8>>) {
        let answers = answers.iter().map(|a| a.to_vec()).collect();
        let mut script = Script { answers, sent: Vec::new() };
        let list = CommandApdu::new([0, 0xa1, 0, 0], &[]).with_le(0);
        let answer = exchange(&mut script, &list, continuation, "LIST");
        (answer.map(|a| (a.data().to_vec(), a.status().0)), script.sent)
    }

    #[test]
    fn parts_are_joined_by_send_remaining() {
        let (answer, sent) =
            check(&[&[1, 2, 0x61, 2], &[3, 4, 0x90, 0]], Continuation::SendRemaining);
        assert_eq!(answer, Ok((vec![1, 2, 3, 4], 0x9000)));
        assert_eq!(sent[1], [0, 0xa5, 0, 0, 0]);
    }

    #[test]
    fn a_card_that_does_not_know_send_remaining_is_asked_anew_by_get_response() {
        let (answer, sent) = check(
            &[&[1, 0x61, 5], &[0x6d, 0], &[1, 0x61, 5], &[2, 0x61, 1], &[3, 0x90, 0]],
            Continuation::SendRemaining,
        );
        assert_eq!(answer, Ok((vec![1, 2, 3], 0x9000)));
        assert_eq!(sent[2], sent[0], "the whole command again");
        assert_eq!(sent[3], [0, 0xc0, 0, 0, 5]);
        assert_eq!(sent[4], [0, 0xc0, 0, 0, 1]);
    }

    #[test]
    fn an_empty_part_and_an_endless_answer_are_errors() {
        let (answer, _) = check(&[&[1, 0x61, 5], &[0x61, 5]], Continuation::SendRemaining);
        assert!(matches!(answer, Err(SessionError::Malformed { what: "an empty part", .. })));
        let endless: Vec<&[u8]> = vec![&[1, 0x61, 0xff]; MOST_PARTS + 2];
        let (answer, sent) = check(&endless, Continuation::SendRemaining);
        assert!(matches!(answer, Err(SessionError::Malformed { .. })));
        assert!(sent.len() <= MOST_PARTS + 2);
    }

    #[test]
    fn a_command_that_changes_something_is_sent_once() {
        for (answers, certain) in [
            (&[&[0x6c, 2][..]][..], true),
            (&[&[0x61, 2], &[0x6d, 0]], false),
            (&[&[0x61, 2], &[1, 0x61, 1], &[2, 0x90, 0]], true),
        ] {
            let answers: Vec<_> = answers.iter().map(|a| a.to_vec()).collect();
            let exchanges = answers.len();
            let mut script = Script { answers, sent: Vec::new() };
            let put = CommandApdu::new([0, 1, 0, 0], b"x");
            let answer = exchange_once(&mut script, &put, "PUT");
            assert_eq!(answer.is_ok(), certain, "{answer:?}");
            assert_eq!(script.sent.len(), exchanges);
            assert!(script.sent[1..].iter().all(|sent| sent[1] == 0xc0));
        }
    }

    #[test]
    fn a_wrong_le_is_put_right_once() {
        let (answer, sent) = check(&[&[0x6c, 2], &[1, 2, 0x90, 0]], Continuation::GetResponse);
        assert_eq!(answer, Ok((vec![1, 2], 0x9000)));
        assert_eq!(sent[1], [0, 0xa1, 0, 0, 2]);
    }

    #[test]
    fn under_two_bytes_is_no_answer() {
        assert!(matches!(ResponseApdu::parse(vec![]), Err(ChannelError::NoAnswer)));
        assert!(matches!(ResponseApdu::parse(vec![0x90]), Err(ChannelError::NoAnswer)));
    }

    #[test]
    fn a_message_of_another_protocol_goes_as_it_is() {
        let message = CommandApdu::foreign([0x86, 0x03, 0x42, 0x00], &[0x42]);
        assert_eq!(*message.encode(), [0x86, 0x03, 0x42, 0x00, 0x42]);
    }

    #[test]
    fn debug_shows_no_data() {
        let command = CommandApdu::new([0, 1, 0, 0], b"canary");
        assert_eq!(format!("{command:?}"), "CommandApdu(00 01 00 00, 6 bytes)");
        let answer = ResponseApdu::parse(b"canary\x90\x00".to_vec()).expect("answer");
        assert_eq!(format!("{answer:?}"), "ResponseApdu(6 bytes, 9000)");
    }
}
