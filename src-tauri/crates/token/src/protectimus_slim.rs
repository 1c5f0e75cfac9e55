//! The public part of the Protectimus Slim NFC: what it tells of itself, its code and
//! its clock (docs/protocols/protectimus-slim.md).
//!
//! Writing a secret is not public and not here. This is no [`Driver`](crate::Driver),
//! and that is meant: an unknown card is never asked in this way, only one of which
//! somebody said that it is such a token. Nobody has seen a PC/SC reader pass these
//! messages on to a token, so every failure here may be the reader's.

use oath::{Code, Digits, Period, UnixTime};
use zeroize::Zeroizing;

use crate::{CommandApdu, SessionError, SmartCardChannel, StatusWord};

/// One token that answered like one, held until it is dropped.
pub struct ProtectimusSlim {
    card: Box<dyn SmartCardChannel>,
    information: Information,
}

/// What the token tells of itself (section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Information {
    /// The hardware scheme.
    pub hardware: u8,
    /// The firmware's version, two numbers; that the second is one is inferred.
    pub firmware: [u8; 2],
    /// Whether it has a clock of its own.
    pub has_clock: bool,
    /// How long it shows a code.
    pub period: Period,
}

/// A clock that was not surely set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockFailure {
    /// The token says that it has no clock. Nothing was sent.
    #[error("the token has no clock")]
    NoClock,
    /// This computer's time does not fit the message. Nothing was sent.
    #[error("the time does not fit the token's clock")]
    OutOfRange,
    /// Nothing can have reached the token: its clock is as it was.
    #[error("the clock was not set: {0}")]
    NotSet(SessionError),
    /// The message was sent, and what became of it cannot be known; only the token's
    /// code tells. The secret is not in question.
    #[error("whether the clock was set is unknown: {0}")]
    Unknown(SessionError),
}

impl ProtectimusSlim {
    /// Asks a card for the information. Only for a card of which somebody said that it
    /// is such a token.
    pub fn open(mut card: Box<dyn SmartCardChannel>) -> Result<Self, SessionError> {
        let answer = ask(&mut *card, &information_message(), INFORMATION)?;
        let information = Information::parse(data(&answer, INFORMATION)?)?;
        Ok(Self { card, information })
    }

    /// What it told when it was opened.
    pub const fn information(&self) -> &Information {
        &self.information
    }

    /// The code that it shows now, of six digits (section 4).
    pub fn code(&mut self) -> Result<Code, SessionError> {
        let answer = ask(&mut *self.card, &code_message(), CODE)?;
        let malformed = |what| SessionError::Malformed { exchange: CODE, what };
        let Some((0x42, digits)) = data(&answer, CODE)?.split_first() else {
            return Err(malformed("another answer"));
        };
        if digits.len() != usize::from(Digits::SIX.get()) {
            return Err(malformed("not six digits"));
        }
        // The digit is the low half; what the high half says is not told.
        let shown = digits.iter().map(|byte| char::from_digit(u32::from(byte & 0x0f), 10));
        let shown = shown.collect::<Option<String>>().map(Zeroizing::new);
        let shown = shown.ok_or_else(|| malformed("not a decimal digit"))?;
        Code::typed(&shown, Digits::SIX).map_err(|_| malformed("not a code"))
    }

    /// Sets its clock to `now` (section 5). The message is sent once.
    ///
    /// What the token answers is not public. So success means that it answered in the
    /// form of this protocol, and that the clock is right shows in its code alone.
    pub fn set_clock(&mut self, now: UnixTime) -> Result<(), ClockFailure> {
        if !self.information.has_clock {
            return Err(ClockFailure::NoClock);
        }
        let message =
            clock_message(now, self.information.period).ok_or(ClockFailure::OutOfRange)?;
        match ask(&mut *self.card, &message, CLOCK) {
            Ok(answer) => data(&answer, CLOCK).map(|_| ()).map_err(ClockFailure::Unknown),
            Err(SessionError::Channel(error)) if !error.may_have_taken_effect() => {
                Err(ClockFailure::NotSet(error.into()))
            }
            Err(cause) => Err(ClockFailure::Unknown(cause)),
        }
    }
}

impl Information {
    /// By offset; what the bytes in between say is not told. Counted from the first
    /// byte of data: 0 the operation, 2 hardware, 3 and 4 firmware, 6 clock, 8 period.
    fn parse(data: &[u8]) -> Result<Self, SessionError> {
        let malformed = |what| SessionError::Malformed { exchange: INFORMATION, what };
        let [0x10, _, hardware, major, minor, _, clock, _, period, _] = *data else {
            return Err(malformed("another answer"));
        };
        let period = match period {
            0x00 => Period::S30,
            0x10 => Period::S60,
            _ => return Err(malformed("a period that is not known")),
        };
        let has_clock = clock == 0x01;
        Ok(Self { hardware, firmware: [major, minor], has_clock, period })
    }

    /// The firmware's version as the published script writes it.
    pub fn firmware_version(&self) -> String {
        let [major, minor] = self.firmware;
        format!("{major:x}.{minor:x}")
    }
}

// The exchanges' names in errors, in the words of the page.
const INFORMATION: &str = "TOKEN INFO";
const CODE: &str = "READ CODE";
const CLOCK: &str = "SET CLOCK";

fn information_message() -> CommandApdu {
    message(&[0x10])
}

fn code_message() -> CommandApdu {
    message(&[0x42, 0x00])
}

/// `12 00 00`, the period, the number of the time step and the seconds into it. `None`
/// when the number needs more than 32 bits or the period more than 8.
fn clock_message(now: UnixTime, period: Period) -> Option<CommandApdu> {
    let period = u8::try_from(period.as_secs()).ok()?;
    let [s0, s1, s2, s3] = u32::try_from(now.as_secs() / u64::from(period)).ok()?.to_be_bytes();
    let into = u8::try_from(now.as_secs() % u64::from(period)).ok()?;
    Some(message(&[0x12, 0x00, 0x00, period, s0, s1, s2, s3, into]))
}

/// `86`, the length of what follows, the data and their XOR (section 2).
fn message(data: &[u8]) -> CommandApdu {
    let length = u8::try_from(data.len() + 1).expect("the page's messages are short");
    let bytes = [&[0x86, length], data, &[check(data)]].concat();
    let (first, rest) = bytes.split_first_chunk().expect("no message is shorter than four bytes");
    CommandApdu::foreign(*first, rest)
}

/// Sends one message once; the answer is all bytes of it, for there is no status word.
fn ask(
    card: &mut dyn SmartCardChannel,
    message: &CommandApdu,
    named: &'static str,
) -> Result<Zeroizing<Vec<u8>>, SessionError> {
    let answer = card.transmit(message)?;
    let mut bytes = Zeroizing::new(answer.data().to_vec());
    if bytes.is_empty() {
        // Two bytes are no answer of this protocol: a reader or another card says no.
        return Err(SessionError::Refused { exchange: named, status: answer.status() });
    }
    let StatusWord(last) = answer.status();
    bytes.extend_from_slice(&last.to_be_bytes());
    Ok(bytes)
}

/// The data of an answer: `AA`, the length of what follows, the data and their XOR.
fn data<'a>(answer: &'a [u8], named: &'static str) -> Result<&'a [u8], SessionError> {
    let malformed = |what| SessionError::Malformed { exchange: named, what };
    let [0xaa, length, rest @ ..] = answer else {
        return Err(malformed("another beginning"));
    };
    if rest.len() != usize::from(*length) {
        return Err(malformed("the length"));
    }
    match rest.split_last() {
        Some((sum, data)) if !data.is_empty() && check(data) == *sum => Ok(data),
        Some(_) | None => Err(malformed("the check byte")),
    }
}

fn check(data: &[u8]) -> u8 {
    data.iter().fold(0, |sum, byte| sum ^ byte)
}

#[cfg(test)]
mod tests;
