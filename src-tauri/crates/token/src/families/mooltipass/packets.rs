//! Messages of a Mini BLE in 64-byte reports (mooltipass.md, "Packets").
//!
//! Each message has a flip bit that differs from the one before, so that the device
//! tells a new message from the rest of an old one; a packet of its own sets that
//! bit anew. Answers name their command. While the device asks its owner it takes
//! nothing else, and a message that comes then may end its question, so nothing is
//! sent while an answer is waited for. No clock is read: waiting is counted in reads
//! that bring nothing.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::hid::{after_sending, drain};
use crate::{ChannelError, HidChannel, Patience, SessionError};

/// The one interface of a Mini BLE that takes messages.
pub(super) struct Link {
    device: Box<dyn HidChannel>,
    /// The flip bit of the next message; none before the first message and after a
    /// failure.
    flip: Option<bool>,
    /// The time that went by in reads that brought nothing.
    waited: Duration,
}

/// A command and what goes with it. Wiped when dropped.
pub(super) struct Message {
    command: u16,
    named: &'static str,
    patience: Patience,
    payload: Zeroizing<Vec<u8>>,
}

/// A message that got no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unanswered {
    pub(super) cause: ChannelError,
    /// Whether the device may have got it and done what it says.
    pub(super) taken: bool,
}

impl From<Unanswered> for SessionError {
    fn from(unanswered: Unanswered) -> Self {
        unanswered.cause.into()
    }
}

const REPORT_LEN: usize = 64;
const DATA_LEN: usize = REPORT_LEN - 2;
/// The packet's number and the last one's have four bits each.
const MOST_PACKETS: usize = 16;
/// Command and length in front of a message.
const HEAD_LEN: usize = 4;

const FLIP: u8 = 0x80;
const ACKNOWLEDGES: u8 = 0x40;
const LENGTH: u8 = 0x3f;
/// What the device says when it is busy: the message was not looked at.
const PLEASE_RETRY: u16 = 0x0002;

/// One read while an answer is waited for, and the pause before a message is sent
/// again.
const SLICE: Duration = Duration::from_millis(250);
/// How often a message is sent while the device is busy: about as long as a device
/// is waited for that works by itself.
const MOST_SENDINGS: u32 = 20;
/// Reports of others, or left over, that are let pass for one message.
const MOST_FOREIGN: u32 = 1000;

/// The program that usually talks to this device.
pub(super) const USUAL_OWNER: Option<&str> = Some("Moolticute");

impl Message {
    /// A message that the device answers by itself. `payload` has at most 988 bytes.
    pub(super) fn new(command: u16, named: &'static str, payload: Zeroizing<Vec<u8>>) -> Self {
        assert!(payload.len() <= MOST_PACKETS * DATA_LEN - HEAD_LEN, "a message has 16 packets");
        Self { command, named, patience: Patience::Card, payload }
    }

    /// Says that the device asks its owner first.
    pub(super) fn waiting_for_approval(mut self) -> Self {
        self.patience = Patience::Touch;
        self
    }

    /// The exchange, in the words of the sheet.
    pub(super) const fn named(&self) -> &'static str {
        self.named
    }

    /// The output reports, each with its report number, zero, in front.
    fn packets(&self, flip: bool) -> Vec<Zeroizing<[u8; 1 + REPORT_LEN]>> {
        let len = u16::try_from(self.payload.len()).expect("a message has 16 packets");
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEAD_LEN + self.payload.len()));
        bytes.extend_from_slice(&self.command.to_le_bytes());
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(&self.payload);
        let last = u8::try_from(bytes.len().div_ceil(DATA_LEN) - 1).expect("16 packets");
        (0..)
            .zip(bytes.chunks(DATA_LEN))
            .map(|(number, data): (u8, &[u8])| {
                let mut report = Zeroizing::new([0; 1 + REPORT_LEN]);
                let len = u8::try_from(data.len()).expect("62 bytes");
                report[1] = if flip { FLIP | len } else { len };
                report[2] = number << 4 | last;
                report[3..3 + data.len()].copy_from_slice(data);
                report
            })
            .collect()
    }
}

impl Link {
    /// Sends nothing yet.
    pub(super) fn new(device: Box<dyn HidChannel>) -> Self {
        Self { device, flip: None, waited: Duration::ZERO }
    }

    /// The time that went by in waiting since [`Link::forget_waited`]. What is not
    /// counted is the time of reads that brought something, so it is never too much.
    pub(super) const fn waited(&self) -> Duration {
        self.waited
    }

    /// Begins to count anew.
    pub(super) const fn forget_waited(&mut self) {
        self.waited = Duration::ZERO;
    }

    /// The payload of the answer to a message, which is sent again as long as the
    /// device is busy and says so.
    pub(super) fn ask(&mut self, message: &Message) -> Result<Zeroizing<Vec<u8>>, Unanswered> {
        for sending in 0..MOST_SENDINGS {
            let answer = self.once(message).map_err(|unanswered| Unanswered {
                // The word "retry" may have been for another program, while this
                // message was taken the first time.
                taken: unanswered.taken || sending > 0,
                ..unanswered
            })?;
            if let Some(payload) = answer {
                return Ok(payload);
            }
            self.pause().map_err(|cause| Unanswered { cause, taken: true })?;
        }
        Err(Unanswered { cause: ChannelError::Busy { likely: USUAL_OWNER }, taken: true })
    }

    /// Sends a message once; `None` if it is to be sent again.
    fn once(&mut self, message: &Message) -> Result<Option<Zeroizing<Vec<u8>>>, Unanswered> {
        let flip = if let Some(flip) = self.flip.take() {
            flip
        } else {
            self.reset().map_err(|cause| Unanswered { cause, taken: false })?;
            false
        };
        let packets = message.packets(flip);
        let last = packets.len() - 1;
        for (number, packet) in packets.iter().enumerate() {
            self.device.write(&**packet).map_err(|cause| Unanswered {
                // A message whose end is missing is never acted on.
                taken: number == last && cause.may_have_taken_effect(),
                cause,
            })?;
        }
        let answer = self
            .receive(message)
            .map_err(|error| Unanswered { cause: after_sending(error), taken: true })?;
        // After a failure the bit is set anew instead.
        self.flip = Some(!flip);
        Ok(answer)
    }

    /// Sets the flip bit anew, and throws away what waits from before.
    fn reset(&mut self) -> Result<(), ChannelError> {
        drain(&mut *self.device, Duration::ZERO)?;
        let mut report = [0; 1 + REPORT_LEN];
        report[1..3].fill(0xff);
        self.device.write(&report)
    }

    /// Lets a moment go by. What comes meanwhile is another program's.
    fn pause(&mut self) -> Result<(), ChannelError> {
        match self.device.read(SLICE) {
            Ok(foreign) => drop(Zeroizing::new(foreign)),
            Err(ChannelError::Silent) => self.waited += SLICE,
            Err(error) => return Err(after_sending(error)),
        }
        Ok(())
    }

    /// The answer to a message; `None` for the word that it is to be sent again.
    fn receive(&mut self, message: &Message) -> Result<Option<Zeroizing<Vec<u8>>>, ChannelError> {
        let mut wait = Wait::of(message.patience);
        loop {
            let Packet { number, last, data: mut bytes } = self.packet(&mut wait)?;
            let command = bytes.first_chunk().map(|command| u16::from_le_bytes(*command));
            let ours = command == Some(message.command) || command == Some(PLEASE_RETRY);
            // An answer to something else, or the rest of one.
            if number != 0 || !ours {
                wait.let_pass()?;
                continue;
            }
            for due in 1..=last {
                let packet = self.packet(&mut wait)?;
                if (packet.number, packet.last) != (due, last) {
                    // An answer with a hole is none.
                    return Err(ChannelError::NoAnswer);
                }
                bytes.extend_from_slice(&packet.data);
            }
            if command == Some(PLEASE_RETRY) {
                return Ok(None);
            }
            return payload(&bytes).map(Some).ok_or(ChannelError::NoAnswer);
        }
    }

    /// The next report that is a packet of a message.
    fn packet(&mut self, wait: &mut Wait) -> Result<Packet, ChannelError> {
        loop {
            match self.device.read(SLICE) {
                Ok(report) => match Packet::parse(&Zeroizing::new(report)) {
                    Some(packet) => return Ok(packet),
                    None => wait.let_pass()?,
                },
                Err(ChannelError::Silent) => {
                    self.waited += SLICE;
                    wait.stay()?;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// How long one answer is waited for.
struct Wait {
    slices: u128,
    foreign: u32,
}

impl Wait {
    /// The device ends its own question after 25.6 s at the most and says so, which
    /// takes a moment on top of the time for a touch.
    fn of(patience: Patience) -> Self {
        let time = match patience {
            Patience::Card => Patience::Card.limit(),
            Patience::Touch => Patience::Touch.limit() + Patience::Card.limit(),
        };
        Self { slices: time.as_millis() / SLICE.as_millis(), foreign: MOST_FOREIGN }
    }

    /// Waits on after a read that brought nothing, while there is patience.
    fn stay(&mut self) -> Result<(), ChannelError> {
        self.slices = self.slices.checked_sub(1).ok_or(ChannelError::Silent)?;
        Ok(())
    }

    /// Waits on after a report that means nothing to us.
    fn let_pass(&mut self) -> Result<(), ChannelError> {
        self.foreign = self.foreign.checked_sub(1).ok_or(ChannelError::Silent)?;
        Ok(())
    }
}

/// One report of the device.
#[derive(Debug, PartialEq, Eq)]
struct Packet {
    number: u8,
    last: u8,
    data: Zeroizing<Vec<u8>>,
}

impl Packet {
    /// `None` for what is no part of a message, such as an acknowledgement: none is
    /// ever asked for here. The flip bit of answers is not looked at, since no source
    /// says what it is.
    fn parse(report: &[u8]) -> Option<Self> {
        let [first, numbers, data @ ..] = report else {
            return None;
        };
        let (number, last) = (numbers >> 4, numbers & 0x0f);
        if report.len() != REPORT_LEN || first & ACKNOWLEDGES != 0 || number > last {
            return None;
        }
        let data = data.get(..usize::from(first & LENGTH))?;
        Some(Self { number, last, data: Zeroizing::new(data.to_vec()) })
    }
}

/// The payload of a whole message.
fn payload(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let len = bytes.get(2..HEAD_LEN)?.first_chunk().map(|len| u16::from_le_bytes(*len))?;
    let payload = bytes.get(HEAD_LEN..HEAD_LEN + usize::from(len))?;
    Some(Zeroizing::new(payload.to_vec()))
}

#[cfg(test)]
pub(super) mod tests;
