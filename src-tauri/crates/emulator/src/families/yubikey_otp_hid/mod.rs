//! The OTP slots of a `YubiKey` over its keyboard's feature reports
//! (yubikey-otp-hid.md).
//!
//! Where the sheet is silent: each report of the host is being taken (`80`) at
//! one read, and a report that comes before that read is lost. A frame with a
//! wrong check sum, a filled tail or parts out of order has no effect, as has
//! one that comes before an answer or a wait was ended by the reset report. A
//! report of another length or number is stalled, and so is an output report.
//! The end of an answer is repeated until the reset. A current access code that
//! differs from the slot's is refused, zeros for none included. Erasing an empty
//! slot changes nothing. The programming sequence goes from 255 to 1. Among the
//! config flags `04` takes the padding off and `08` needs touch; other
//! combinations than HMAC-SHA-1 are stored and answer no challenge. The serial
//! number is told if no slot is used or a used one has ext flag `04`. A slot that
//! types needs touch by its status bit. A touch is good for 15 seconds before and
//! while the key waits, and for one answer; a key that does not wait types
//! nothing here. The slot commands `04`, `05`, `06`, `12`, `13`, `20` and `28`
//! have no effect in this model. Firmware before 2.2 stores no challenge-response.

mod frame;
mod slot;

use oath::{SharedSecret, UnixTime};

use crate::{Applet, Button, Face, Held, Hid, HidDevice, Identity, Stalled};

use frame::{Answer, Frame, Incoming, RESET, Report, TAKING, WAITING};
use slot::{Credential, Stored, Write};

pub use slot::Slot;

/// The one name of the family.
pub const FAMILY: &str = "yubikey-otp-hid";

/// The practice key: firmware 5.4.3, its factory's Yubico OTP in slot 1, nothing
/// in slot 2.
pub fn practice() -> YubikeyOtpHid {
    YubikeyOtpHid::new(12_345_678)
}

/// How long the firmware waits for a touch.
const TOUCH_SECS: i64 = 15;

/// The bytes of a feature report, its number included.
const REPORT: usize = 9;

/// One key.
pub struct YubikeyOtpHid {
    serial: u32,
    version: [u8; 3],
    /// The programming sequence; 0 if no slot was ever written or none is used.
    sequence: u8,
    slots: [Option<Stored>; 2],
    /// How many reads it takes to take a report.
    slowness: u8,
    /// How many reads still show the last report as being taken.
    taking: u8,
    incoming: Incoming,
    doing: Doing,
    touched: Option<UnixTime>,
}

/// What the key is at, between two reports.
enum Doing {
    Nothing,
    Answering(Answer),
    /// Waiting for a touch before it gives the answer.
    Waiting {
        since: UnixTime,
        answer: Answer,
    },
}

impl YubikeyOtpHid {
    /// A key of firmware 5.4.3 as it leaves the factory: a Yubico OTP in slot 1,
    /// nothing in slot 2.
    pub fn new(serial: u32) -> Self {
        let factory = Credential::Other { title: "Yubico OTP", touch: true };
        Self {
            serial,
            version: [5, 4, 3],
            sequence: 1,
            slots: [Some(Stored::new(factory)), None],
            slowness: 1,
            taking: 0,
            incoming: Incoming::default(),
            doing: Doing::Nothing,
            touched: None,
        }
    }

    /// Without anything in its slots.
    #[must_use]
    pub fn empty(mut self) -> Self {
        self.slots = [None, None];
        self.sequence = 0;
        self
    }

    /// With another firmware.
    #[must_use]
    pub fn with_version(mut self, version: [u8; 3]) -> Self {
        self.version = version;
        self
    }

    /// With this programming sequence in its status.
    #[must_use]
    pub fn with_sequence(mut self, sequence: u8) -> Self {
        self.sequence = sequence;
        self
    }

    /// Holds an HMAC-SHA-1 key of at most 20 bytes in a slot, to be used without
    /// touch. What is longer is cut off.
    #[must_use]
    pub fn holding(mut self, slot: Slot, secret: &SharedSecret) -> Self {
        self.slots[slot.index()] = Some(Stored::new(Credential::hmac(secret, false)));
        self.sequence = self.sequence.max(1);
        self
    }

    /// Holds something in a slot that answers no challenges.
    #[must_use]
    pub fn holding_another_credential(mut self, slot: Slot) -> Self {
        let other = Credential::Other { title: "another credential", touch: true };
        self.slots[slot.index()] = Some(Stored::new(other));
        self.sequence = self.sequence.max(1);
        self
    }

    /// What the slot holds needs touch.
    #[must_use]
    pub fn needing_touch(mut self, slot: Slot) -> Self {
        match self.slots[slot.index()].as_mut().map(|stored| &mut stored.credential) {
            Some(Credential::Hmac { touch, .. } | Credential::Other { touch, .. }) => *touch = true,
            None => {}
        }
        self
    }

    /// What the slot holds can be changed only with this access code.
    #[must_use]
    pub fn protected_by(mut self, slot: Slot, access_code: [u8; 6]) -> Self {
        if let Some(stored) = &mut self.slots[slot.index()] {
            stored.access_code = access_code;
        }
        self
    }

    /// Does not tell its serial number, if a slot is used.
    #[must_use]
    pub fn hiding_its_serial(mut self) -> Self {
        self.slots.iter_mut().flatten().for_each(|stored| stored.serial_visible = false);
        self
    }

    /// Needs this many reads to take a report. Hosts give up after 20.
    #[must_use]
    pub fn taking_reads(mut self, reads: u8) -> Self {
        self.slowness = reads;
        self
    }

    /// What a slot really holds, if it is a shared secret.
    pub fn held_in(&self, slot: Slot) -> Option<Held> {
        self.slots[slot.index()].as_ref().and_then(Stored::held)
    }

    fn obey(&mut self, frame: &Frame, now: UnixTime) {
        match frame.command {
            0x01 => self.configure(Slot::One, &frame.payload),
            0x03 => self.configure(Slot::Two, &frame.payload),
            0x10 if self.tells_serial() => {
                self.doing = Doing::Answering(Answer::new(&self.serial.to_be_bytes()));
            }
            0x30 => self.challenge(Slot::One, &frame.payload, now),
            0x38 => self.challenge(Slot::Two, &frame.payload, now),
            // Refused as everything is: without an answer.
            _ => {}
        }
    }

    /// Section 3: 52 bytes of configuration, then the current access code. The
    /// programming sequence tells whether it was done.
    fn configure(&mut self, slot: Slot, payload: &[u8; 64]) {
        let Some((config, rest)) = payload.split_first_chunk::<52>() else {
            return;
        };
        let stored = &mut self.slots[slot.index()];
        let access_code = stored.as_ref().map_or([0; 6], |stored| stored.access_code);
        if rest[..6] != access_code || rest[6..] != [0; 6] {
            return;
        }
        *stored = match (Write::parse(config, self.version >= [2, 2, 0]), stored.is_some()) {
            (Some(Write::Store(new)), _) => Some(new),
            (Some(Write::Erase), true) => None,
            (Some(Write::Erase), false) | (None, _) => return,
        };
        self.sequence = match self.slots {
            [None, None] => 0,
            _ => self.sequence.checked_add(1).unwrap_or(1),
        };
    }

    fn challenge(&mut self, slot: Slot, challenge: &[u8; 64], now: UnixTime) {
        let Some(stored) = &self.slots[slot.index()] else {
            return;
        };
        if let Some(mac) = stored.credential.respond(challenge) {
            let answer = Answer::new(&mac);
            self.doing = if stored.needs_touch() {
                Doing::Waiting { since: now, answer }
            } else {
                Doing::Answering(answer)
            };
        }
    }

    /// Answers after a touch, or gives up after a while without one.
    fn wait(&mut self, now: UnixTime) {
        let is_touched = self.is_touched();
        self.doing = match std::mem::replace(&mut self.doing, Doing::Nothing) {
            Doing::Waiting { answer, .. } if is_touched => {
                self.touched = None;
                Doing::Answering(answer)
            }
            Doing::Waiting { since, .. } if now.seconds_since(since) >= TOUCH_SECS => {
                Doing::Nothing
            }
            doing => doing,
        };
    }

    /// Whether a person touched it for what it waits for.
    fn is_touched(&self) -> bool {
        match (&self.doing, self.touched) {
            (Doing::Waiting { since, .. }, Some(at)) => {
                at.seconds_since(*since).abs() <= TOUCH_SECS
            }
            _ => false,
        }
    }

    fn tells_serial(&self) -> bool {
        let mut used = self.slots.iter().flatten().peekable();
        used.peek().is_none() || used.any(|stored| stored.serial_visible)
    }

    fn status(&self, flags: u8) -> Report {
        let [major, minor, patch] = self.version;
        let bits = |bits: [u8; 2], is_set: fn(&Stored) -> bool| {
            let slots = self.slots.iter().zip(bits);
            slots.filter(|(slot, _)| slot.as_ref().is_some_and(is_set)).map(|(_, bit)| bit).sum()
        };
        let used: u8 = bits([0x01, 0x02], |_| true);
        let touch: u8 = bits([0x04, 0x08], Stored::needs_touch);
        [0x00, major, minor, patch, self.sequence, used | touch, 0x00, flags]
    }
}

impl Hid for YubikeyOtpHid {
    fn write(&mut self, _report: &[u8], _now: UnixTime) -> Result<(), Stalled> {
        Err(Stalled)
    }

    fn read(&mut self, _now: UnixTime) -> Option<Vec<u8>> {
        None
    }

    fn set_feature(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled> {
        let (&[0x00], report) = report.split_first_chunk::<1>().ok_or(Stalled)? else {
            return Err(Stalled);
        };
        let report = Report::try_from(report).map_err(|_| Stalled)?;
        self.wait(now);
        if report == [0, 0, 0, 0, 0, 0, 0, RESET] {
            self.reset();
            return Ok(());
        }
        if self.taking > 0 || !matches!(self.doing, Doing::Nothing) {
            self.incoming.forget();
            return Ok(());
        }
        self.taking = self.slowness;
        if let Some(frame) = self.incoming.take(report) {
            self.obey(&frame, now);
        }
        Ok(())
    }

    fn get_feature(&mut self, number: u8, len: usize, now: UnixTime) -> Result<Vec<u8>, Stalled> {
        if number != 0 {
            return Err(Stalled);
        }
        self.wait(now);
        let report = if self.taking > 0 {
            self.taking -= 1;
            self.status(TAKING)
        } else {
            match &mut self.doing {
                Doing::Nothing => self.status(0),
                Doing::Answering(answer) => answer.next(),
                Doing::Waiting { .. } => self.status(WAITING),
            }
        };
        let mut numbered = Vec::with_capacity(REPORT);
        numbered.push(number);
        numbered.extend_from_slice(&report);
        numbered.truncate(len);
        Ok(numbered)
    }
}

impl Applet for YubikeyOtpHid {
    fn identity(&self) -> Identity {
        let [major, minor, patch] = self.version;
        Identity {
            family: FAMILY,
            title: format!("YubiKey OTP+FIDO ({major}.{minor}.{patch})"),
            serial: Some(self.serial.to_string()),
        }
    }

    fn hid_device(&self) -> Option<HidDevice> {
        Some(HidDevice {
            vendor: 0x1050,
            product: 0x0403,
            usage_page: 0x0001,
            usage: 0x0006,
            interface: 0,
            manufacturer: "Yubico",
            name: "YubiKey OTP+FIDO".to_owned(),
            serial: String::new(),
            report_length: 0,
            feature_length: REPORT - 1,
        })
    }

    fn hid(&mut self) -> Option<&mut dyn Hid> {
        Some(self)
    }

    fn reset(&mut self) {
        self.taking = 0;
        self.incoming.forget();
        self.doing = Doing::Nothing;
    }

    fn press(&mut self, now: UnixTime) {
        self.touched = Some(now);
    }

    fn awaits_press(&self, _command: &[u8], now: UnixTime) -> bool {
        match &self.doing {
            Doing::Waiting { since, .. } => {
                now.seconds_since(*since) < TOUCH_SECS && !self.is_touched()
            }
            Doing::Nothing | Doing::Answering(_) => false,
        }
    }

    fn face(&self, _now: UnixTime) -> Face {
        let Identity { family, title, serial } = self.identity();
        let lines = (1..).zip(&self.slots).map(|(number, slot)| {
            let title = slot.as_ref().map_or("empty", Stored::title);
            format!("Slot {number}: {title}")
        });
        Face {
            family,
            title,
            serial,
            on: true,
            display: None,
            seconds_left: None,
            buttons: &[Button::Touch],
            lines: lines.collect(),
        }
    }

    fn holds(&self) -> Vec<Held> {
        Slot::ALL.into_iter().filter_map(|slot| self.held_in(slot)).collect()
    }

    fn another(&self) -> Box<dyn Applet> {
        Box::new(Self::new(self.serial + 1).with_version(self.version))
    }
}

#[cfg(test)]
mod tests;
