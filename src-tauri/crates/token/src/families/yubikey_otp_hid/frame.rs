//! The frame layer: 70-byte frames in feature reports of 8 bytes, and the status
//! that a key tells while it is idle (yubikey-otp-hid.md section 2). Numbers are
//! little-endian.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::hid::{Polled, Wait};
use crate::{ChannelError, HidChannel, SessionError};

/// A report with the zero of its number in front.
pub(super) const REPORT_LEN: usize = 9;
/// What one report carries.
const PART_LEN: usize = 7;
/// Payload, command, checksum and three zeros.
pub(super) const FRAME_LEN: usize = 70;
/// The payload of a frame.
pub(super) const PAYLOAD_LEN: usize = 64;
/// The last report of a frame, with which the key has the whole of it.
const LAST: usize = FRAME_LEN / PART_LEN - 1;

/// Flags of a report: the key still takes the one before.
const TAKING: u8 = 0x80;
/// It carries a part of an answer.
const ANSWER: u8 = 0x40;
/// A touch is waited for.
const TOUCH: u8 = 0x20;
/// The number of a part.
const NUMBER: u8 = 0x1f;

/// How long a key may take for one report, and for a command.
const SHORT: Duration = Duration::from_secs(1);
/// How long a key may wait for a touch; it gives up after about 15 s itself.
const TOUCHED_WITHIN: Duration = Duration::from_secs(20);

/// How often a key must say that nothing changed before it is believed.
const SURELY: u32 = 5;

/// The end of a conversation, and the way out of one.
const RESET: [u8; REPORT_LEN] = [0, 0, 0, 0, 0, 0, 0, 0, 0xff];

/// What an idle key tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// Major, minor, patch.
    pub(super) version: [u8; 3],
    /// Goes up by one with each change of a slot.
    pub(super) sequence: u8,
    touch: u16,
}

impl Status {
    /// Whether something is in slot 1 or 2.
    pub(super) const fn is_taken(self, slot: u8) -> bool {
        self.touch & slot as u16 & 3 != 0
    }

    /// Whether exactly one change lies between. A key without slots tells 0, so that
    /// the sequence may go from 255 to 1; the sheet does not say.
    fn follows(self, before: Self) -> bool {
        self.sequence == before.sequence.wrapping_add(1)
            || (before.sequence, self.sequence) == (u8::MAX, 1)
    }

    /// Whether what is in slot 1 or 2 wants a touch.
    pub(super) const fn wants_touch(self, slot: u8) -> bool {
        (self.touch >> 2) & slot as u16 & 3 != 0
    }
}

/// A command that did not end well.
#[derive(Debug)]
pub(super) struct NotDone {
    pub(super) cause: SessionError,
    /// Whether the key had the whole of it, so that it may have done it.
    pub(super) sent: bool,
}

/// The way to a key.
pub(super) struct Link(Polled);

/// A report that was got.
enum Part {
    Idle(Status),
    Taking,
    Touch,
    Answer {
        number: u8,
        bytes: Zeroizing<[u8; PART_LEN]>,
    },
    /// Not of a report's form.
    Odd,
}

impl Link {
    pub(super) fn new(device: Box<dyn HidChannel>) -> Self {
        Self(Polled::new(device))
    }

    /// The status of an idle key. A read, except where an answer that nobody fetched
    /// waits: that is put an end to, which changes nothing on the key.
    pub(super) fn status(&mut self) -> Result<Status, SessionError> {
        let mut wait = Wait::of(SHORT);
        let mut was_reset = false;
        loop {
            let busy = match self.part()? {
                Part::Idle(status) => return Ok(status),
                Part::Answer { .. } if !was_reset => {
                    was_reset = true;
                    self.reset()?;
                    None
                }
                Part::Touch => Some(ChannelError::Busy { likely: None }.into()),
                Part::Odd => Some(malformed("STATUS", "no status")),
                Part::Answer { .. } | Part::Taking => None,
            };
            match (self.0.pause(&mut wait), busy) {
                (Ok(()), _) => {}
                (Err(ChannelError::Silent), Some(busy)) => return Err(busy),
                (Err(error), _) => return Err(error.into()),
            }
        }
    }

    /// Sends a slot command that changes something, and sees by the key's status
    /// whether it did it.
    pub(super) fn change(
        &mut self,
        command: u8,
        payload: &[u8; PAYLOAD_LEN],
        slot: u8,
        named: &'static str,
    ) -> Result<(), NotDone> {
        let before = self.status().map_err(|cause| NotDone { cause, sent: false })?;
        self.send(command, payload)?;
        let after = self.sequel(before).map_err(|cause| NotDone { cause, sent: true })?;
        if after.sequence == before.sequence {
            // An access code guards the slot: the key said no.
            return Err(NotDone { cause: SessionError::AuthenticationRefused, sent: false });
        }
        if after.follows(before) && after.is_taken(slot) {
            return Ok(());
        }
        Err(NotDone { cause: malformed(named, "another change of the slots"), sent: true })
    }

    /// Sends a slot command that is answered. `None` for a command that the key did
    /// without a word: there is nothing in the slot, or not this.
    pub(super) fn ask<const N: usize>(
        &mut self,
        command: u8,
        payload: &[u8; PAYLOAD_LEN],
        named: &'static str,
    ) -> Result<Option<Zeroizing<[u8; N]>>, SessionError> {
        self.status()?;
        self.send(command, payload).map_err(|not_done| not_done.cause)?;
        let Some(joined) = self.answer(named)? else {
            return Ok(None);
        };
        let sound = joined.get(..N + 2).is_some_and(|whole| checksum(whole) == 0xf0b8);
        match joined.first_chunk::<N>() {
            Some(bytes) if sound => Ok(Some(Zeroizing::new(*bytes))),
            _ => Err(malformed(named, "its checksum")),
        }
    }

    /// Sends a frame. Reports of zeros alone are left out, except the first and the
    /// last. Without the last, which says what to do and ends with the checksum, the
    /// key does nothing.
    fn send(&mut self, command: u8, payload: &[u8; PAYLOAD_LEN]) -> Result<(), NotDone> {
        let frame = frame(command, payload);
        for (number, part) in (0_u8..).zip(frame.chunks_exact(PART_LEN)) {
            let is_last = usize::from(number) == LAST;
            if number != 0 && !is_last && part.iter().all(|byte| *byte == 0) {
                continue;
            }
            self.ready().map_err(|cause| NotDone { cause, sent: false })?;
            let mut report = Zeroizing::new([0; REPORT_LEN]);
            report[1..=PART_LEN].copy_from_slice(part);
            report[REPORT_LEN - 1] = TAKING | number;
            self.0.set(&*report).map_err(|error| NotDone {
                sent: is_last && error.may_have_taken_effect(),
                cause: error.into(),
            })?;
        }
        Ok(())
    }

    /// Waits until the key has taken the report before.
    fn ready(&mut self) -> Result<(), SessionError> {
        let mut wait = Wait::of(SHORT);
        while matches!(self.part()?, Part::Taking) {
            self.0.pause(&mut wait)?;
        }
        Ok(())
    }

    /// The status after a change.
    fn sequel(&mut self, before: Status) -> Result<Status, SessionError> {
        let mut wait = Wait::of(SHORT);
        let mut unchanged = 0;
        loop {
            match self.part()? {
                Part::Idle(status) if status.sequence != before.sequence => return Ok(status),
                Part::Idle(status) => {
                    unchanged += 1;
                    if unchanged == SURELY {
                        return Ok(status);
                    }
                }
                Part::Taking | Part::Touch | Part::Answer { .. } | Part::Odd => {}
            }
            self.0.pause(&mut wait)?;
        }
    }

    /// The parts of an answer, joined; the end is a second part with number 0.
    fn answer(&mut self, named: &'static str) -> Result<Option<Zeroizing<Vec<u8>>>, SessionError> {
        let mut wait = Wait::of(SHORT);
        let mut touch = false;
        let mut joined = Zeroizing::new(Vec::with_capacity(FRAME_LEN));
        let mut due = 0;
        loop {
            match self.part()? {
                Part::Answer { number, bytes } if number == due && joined.len() < FRAME_LEN => {
                    joined.extend_from_slice(&*bytes);
                    due += 1;
                    continue;
                }
                Part::Answer { number: 0, .. } => {
                    self.reset()?;
                    return Ok(Some(joined));
                }
                Part::Answer { .. } => {
                    self.reset()?;
                    return Err(malformed(named, "a part of it is missing"));
                }
                Part::Idle(_) if !joined.is_empty() => {
                    return Err(malformed(named, "it ends too early"));
                }
                Part::Idle(_) if touch => return Err(SessionError::NotTouched),
                Part::Idle(_) => return Ok(None),
                Part::Touch if !touch => {
                    touch = true;
                    wait = Wait::of(TOUCHED_WITHIN);
                }
                Part::Touch | Part::Taking | Part::Odd => {}
            }
            match self.0.pause(&mut wait) {
                Err(ChannelError::Silent) if touch => {
                    self.reset()?;
                    return Err(SessionError::NotTouched);
                }
                other => other?,
            }
        }
    }

    fn reset(&mut self) -> Result<(), ChannelError> {
        self.0.set(&RESET)
    }

    fn part(&mut self) -> Result<Part, ChannelError> {
        Ok(Part::of(&self.0.get(REPORT_LEN)?))
    }
}

impl Part {
    fn of(report: &[u8]) -> Self {
        let [0, bytes @ .., flags] = report else {
            return Self::Odd;
        };
        let Some(bytes) = bytes.first_chunk::<PART_LEN>() else {
            return Self::Odd;
        };
        match *flags {
            0 => {
                let [_, major, minor, patch, sequence, low, high] = *bytes;
                let touch = u16::from_le_bytes([low, high]);
                Self::Idle(Status { version: [major, minor, patch], sequence, touch })
            }
            flags if flags & TAKING != 0 => Self::Taking,
            flags if flags & ANSWER != 0 => {
                Self::Answer { number: flags & NUMBER, bytes: Zeroizing::new(*bytes) }
            }
            flags if flags & TOUCH != 0 => Self::Touch,
            _ => Self::Odd,
        }
    }
}

/// The frame of a command.
pub(super) fn frame(command: u8, payload: &[u8; PAYLOAD_LEN]) -> Zeroizing<[u8; FRAME_LEN]> {
    let mut frame = Zeroizing::new([0; FRAME_LEN]);
    frame[..PAYLOAD_LEN].copy_from_slice(payload);
    frame[PAYLOAD_LEN] = command;
    frame[PAYLOAD_LEN + 1..PAYLOAD_LEN + 3].copy_from_slice(&checksum(payload).to_le_bytes());
    frame
}

/// CRC-16/MCRF4XX.
pub(super) fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = u16::MAX;
    for byte in bytes {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0x8408 } else { sum >> 1 };
        }
    }
    sum
}

const fn malformed(exchange: &'static str, what: &'static str) -> SessionError {
    SessionError::Malformed { exchange, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_sheets() {
        assert_eq!(checksum(b"123456789"), 0x6f91);
        assert_eq!(checksum(&[0; 64]).to_le_bytes(), [0x6b, 0x5b]);
    }

    #[test]
    fn reports_are_told_apart_by_their_flags() {
        let kind = |report: &[u8]| match Part::of(report) {
            Part::Idle(status) => format!(
                "{:?} {} {} {} {}",
                status.version,
                status.is_taken(1),
                status.is_taken(2),
                status.wants_touch(1),
                status.wants_touch(2)
            ),
            Part::Taking => "taking".to_owned(),
            Part::Touch => "touch".to_owned(),
            Part::Answer { number, .. } => format!("answer {number}"),
            Part::Odd => "odd".to_owned(),
        };
        let report = |touch, flags| [0, 0, 5, 4, 3, 4, touch, 0, flags];
        assert_eq!(kind(&report(0, 0)), "[5, 4, 3] false false false false");
        assert_eq!(kind(&report(2, 0)), "[5, 4, 3] false true false false");
        assert_eq!(kind(&report(0x15, 0)), "[5, 4, 3] true false true false");
        assert_eq!(kind(&report(0x0a, 0)), "[5, 4, 3] false true false true");
        assert_eq!(kind(&report(0, 0x89)), "taking");
        assert_eq!(kind(&report(0, 0x43)), "answer 3");
        assert_eq!(kind(&report(0, 0x20)), "touch");
        assert_eq!(kind(&report(0, 0x05)), "odd");
        let mut numbered = report(0, 0);
        numbered[0] = 1;
        assert_eq!(kind(&numbered), "odd");
        for length in 0..REPORT_LEN {
            assert_eq!(kind(&report(0, 0)[..length]), "odd");
        }
    }

    #[test]
    fn one_change_is_one_step_of_the_sequence() {
        let status = |sequence| Status { version: [5, 4, 3], sequence, touch: 2 };
        let follows = |before, after| status(after).follows(status(before));
        assert!(follows(3, 4) && follows(255, 0) && follows(255, 1));
        assert!(!follows(3, 3) && !follows(3, 5) && !follows(4, 3) && !follows(254, 1));
    }
}
