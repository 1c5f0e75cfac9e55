//! Feitian `FIDO` keys with the vendor's OTP application
//! (feitian-otp-applet.md part A).
//!
//! Where the sheet is silent: SELECT answers no data. Wrong P1 P2 are `6B00`,
//! another class is `6E00`, an unknown instruction and every command before
//! SELECT are `6D00`. A length byte or an Le that the sheet's table does not show
//! is `6700`. A name that is not there is rejected data, `6A80`. The same name
//! again overwrites the entry. There is room for 50 entries. A list of more than
//! 256 bytes goes on by GET RESPONSE (ISO 7816-4), since the list knows no other
//! way. The code's four bytes keep the top bit that the sheet has the host take
//! away. With an access code set, everything but SELECT is `6982`. A press of the
//! button is good for 15 seconds and one code. A name without `30:` or `60:` is
//! stored as it is. An older firmware differs in its list and in P1 of calculate
//! only. No command tells the serial number, which stands on the key's back.

mod entry;

use oath::{Algorithm, Digits, SharedSecret, UnixTime};

use crate::applet::contactless_atr;
use crate::wire::{Command, put, take};
use crate::{Applet, Button, Face, Held, Identity, Kind};

use entry::{Entry, take_name};

/// The one name of the family.
pub const FAMILY: &str = "feitian-otp-applet";

/// The practice key: a newer one without entries and without an access code.
pub fn practice() -> FeitianOtpApplet {
    FeitianOtpApplet::new(1_026_001)
}

const AID: &[u8] = &[0xd1, 0x56, 0x00, 0x01, 0x32, 0x83, 0x26, 0x01, 0x01];

/// P2 of every command: the default slot.
const DEFAULT_SLOT: u8 = 0xf0;

/// How many entries fit.
const ROOM: usize = 50;

/// The most data of one answer with a short Le of `00`.
const PART: usize = 256;

/// How long a touch counts.
const TOUCH_SECS: i64 = 15;

/// A status word other than `9000`.
type Refusal = u16;

const WRONG_LENGTH: Refusal = 0x6700;
const ACCESS_CODE_SET: Refusal = 0x6982;
const TOUCH_TIMED_OUT: Refusal = 0x6984;
const BAD_DATA: Refusal = 0x6a80;
const NO_SUCH_APPLICATION: Refusal = 0x6a82;
const FULL: Refusal = 0x6a84;
const BAD_P1_P2: Refusal = 0x6b00;
const UNKNOWN_INS: Refusal = 0x6d00;
const UNKNOWN_CLASS: Refusal = 0x6e00;

/// One key.
pub struct FeitianOtpApplet {
    serial: u32,
    firmware: Firmware,
    has_access_code: bool,
    room: usize,
    entries: Vec<Entry>,
    selected: bool,
    /// What of a long list has not been fetched.
    remaining: Vec<u8>,
    touched: Option<UnixTime>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Firmware {
    /// Lists for four bytes only, and knows no P1 of calculate.
    Older,
    /// Lists the default slot, and computes a wrong code if P1 is `00`.
    Newer,
}

impl FeitianOtpApplet {
    /// A key with newer firmware and without entries, with this number on its
    /// back.
    pub fn new(serial: u32) -> Self {
        Self {
            serial,
            firmware: Firmware::Newer,
            has_access_code: false,
            room: ROOM,
            entries: Vec::new(),
            selected: false,
            remaining: Vec::new(),
            touched: None,
        }
    }

    /// Older firmware, which answers `6700` to a list with P2 `F0` and Le and
    /// wants the four bytes `00 17 00 00` (section A.2).
    #[must_use]
    pub fn with_older_firmware(mut self) -> Self {
        self.firmware = Firmware::Older;
        self
    }

    /// With an access code, so that every command is refused by `6982`
    /// (section A.3). How one would say the code is not public.
    #[must_use]
    pub fn with_access_code(mut self) -> Self {
        self.has_access_code = true;
        self
    }

    /// Holds one more time-based entry. The name is the one on the wire, with
    /// `30:` or `60:` in front.
    #[must_use]
    pub fn holding(
        mut self,
        name: &str,
        secret: SharedSecret,
        algorithm: Algorithm,
        digits: Digits,
    ) -> Self {
        self.entries.push(Entry {
            name: name.as_bytes().to_vec(),
            kind: Kind::Totp,
            algorithm,
            digits,
            secret,
            touch: false,
            counter: 0,
        });
        self
    }

    /// The last entry that it holds needs a touch.
    #[must_use]
    pub fn needing_touch(mut self) -> Self {
        if let Some(entry) = self.entries.last_mut() {
            entry.touch = true;
        }
        self
    }

    /// Holds three more entries, and has no room for another one.
    #[must_use]
    pub fn full(mut self) -> Self {
        for number in 1_u8..=3 {
            let secret = SharedSecret::new(vec![number; 20]);
            let name = format!("30:Occupied {number}");
            self = self.holding(&name, secret, Algorithm::Sha1, Digits::SIX);
        }
        self.room = self.entries.len();
        self
    }

    fn answer(&mut self, raw: &[u8], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        let command = Command::parse(raw).ok_or(WRONG_LENGTH)?;
        if command.cla != 0x00 {
            return Err(UNKNOWN_CLASS);
        }
        if (command.ins, command.p1) == (0xa4, 0x04) {
            return self.select(command.data);
        }
        if !self.selected {
            return Err(UNKNOWN_INS);
        }
        if command.ins == 0xc0 {
            return self.get_response(&command);
        }
        self.remaining.clear();
        if self.has_access_code {
            return Err(ACCESS_CODE_SET);
        }
        match command.ins {
            0x17 => self.list(&command),
            0x09 => self.put(body(&command)?),
            0xa2 => self.calculate(&command, now),
            0x08 => self.delete(body(&command)?),
            _ => Err(UNKNOWN_INS),
        }
    }

    fn select(&mut self, aid: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.reset();
        self.selected = aid == AID;
        if self.selected { Ok(Vec::new()) } else { Err(NO_SUCH_APPLICATION) }
    }

    /// ISO 7816-4: the rest of the answer before. Only a list is ever cut.
    fn get_response(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        match (command.p1, command.p2, command.data, command.le) {
            (0, 0, [], true) => Ok(std::mem::take(&mut self.remaining)),
            (0, 0, ..) => Err(WRONG_LENGTH),
            _ => Err(BAD_P1_P2),
        }
    }

    fn list(&self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        let (slot, le) = match self.firmware {
            Firmware::Older => (0x00, false),
            Firmware::Newer => (DEFAULT_SLOT, true),
        };
        if !command.data.is_empty() || command.le != le {
            return Err(WRONG_LENGTH);
        }
        if (command.p1, command.p2) != (0x00, slot) {
            return Err(BAD_P1_P2);
        }
        let mut answer = Vec::new();
        for entry in &self.entries {
            let listed = [&[entry.type_byte()], entry.name.as_slice()].concat();
            put(&mut answer, 0x52, &listed);
        }
        Ok(answer)
    }

    fn put(&mut self, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let new = Entry::parse(data)?;
        if let Ok(index) = self.find(&new.name) {
            self.entries[index] = new;
        } else if self.entries.len() < self.room {
            self.entries.push(new);
        } else {
            return Err(FULL);
        }
        Ok(Vec::new())
    }

    fn calculate(&mut self, command: &Command<'_>, now: UnixTime) -> Result<Vec<u8>, Refusal> {
        let (index, factor) = self.asked(command)?;
        if self.entries[index].touch && !self.is_touched(now) {
            return Err(TOUCH_TIMED_OUT);
        }
        let is_wrong = command.p1 == 0x00 && self.firmware == Firmware::Newer;
        let factor = if is_wrong { factor.map(|_| 0) } else { factor };
        let entry = &mut self.entries[index];
        let bits = entry.respond(factor)?;
        if entry.touch {
            self.touched = None;
        }
        let mut answer = Vec::new();
        put(&mut answer, 0x76, &[&[entry.digits.get()], bits.as_slice()].concat());
        Ok(answer)
    }

    /// The entry that a calculate names, and its moving factor.
    fn asked(&self, command: &Command<'_>) -> Result<(usize, Option<u64>), Refusal> {
        if command.data.is_empty() || command.le {
            return Err(WRONG_LENGTH);
        }
        let mut data = command.data;
        let factor = match take(&mut data, 0x54).ok_or(BAD_DATA)? {
            [] => None,
            factor => {
                let factor = <[u8; 8]>::try_from(factor).map_err(|_| BAD_DATA)?;
                Some(u64::from_be_bytes(factor))
            }
        };
        let index = self.find(take_name(&mut data)?)?;
        if !data.is_empty() || factor.is_some() != (self.entries[index].kind == Kind::Totp) {
            return Err(BAD_DATA);
        }
        match (command.p1, command.p2, factor) {
            (0x01, DEFAULT_SLOT, _) | (0x00, DEFAULT_SLOT, Some(_)) => Ok((index, factor)),
            _ => Err(BAD_P1_P2),
        }
    }

    fn delete(&mut self, mut data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let index = self.find(take_name(&mut data)?)?;
        if !data.is_empty() {
            return Err(BAD_DATA);
        }
        self.entries.remove(index);
        Ok(Vec::new())
    }

    fn find(&self, name: &[u8]) -> Result<usize, Refusal> {
        self.entries.iter().position(|entry| entry.name == name).ok_or(BAD_DATA)
    }

    fn is_touched(&self, now: UnixTime) -> bool {
        self.touched.is_some_and(|at| (0..=TOUCH_SECS).contains(&now.seconds_since(at)))
    }
}

/// The data of a put or a delete, which have no Le.
fn body<'a>(command: &Command<'a>) -> Result<&'a [u8], Refusal> {
    if command.data.is_empty() || command.le {
        return Err(WRONG_LENGTH);
    }
    if (command.p1, command.p2) == (0x00, DEFAULT_SLOT) { Ok(command.data) } else { Err(BAD_P1_P2) }
}

impl Applet for FeitianOtpApplet {
    fn identity(&self) -> Identity {
        let title = match self.firmware {
            Firmware::Older => "Feitian ePass FIDO (older firmware)",
            Firmware::Newer => "Feitian ePass FIDO",
        };
        Identity {
            family: FAMILY,
            title: title.to_owned(),
            serial: Some(format!("{:010}", self.serial)),
        }
    }

    fn atr(&self) -> Vec<u8> {
        contactless_atr(b"Feitian")
    }

    fn transmit(&mut self, command: &[u8], now: UnixTime) -> Vec<u8> {
        match self.answer(command, now) {
            Ok(mut answer) => {
                self.remaining = answer.split_off(answer.len().min(PART));
                let status = match u8::try_from(self.remaining.len()) {
                    Ok(0) => [0x90, 0x00],
                    Ok(left) => [0x61, left],
                    // 256 or more are left.
                    Err(_) => [0x61, 0x00],
                };
                answer.extend_from_slice(&status);
                answer
            }
            Err(refusal) => refusal.to_be_bytes().to_vec(),
        }
    }

    fn reset(&mut self) {
        self.selected = false;
        self.remaining.clear();
    }

    fn press(&mut self, now: UnixTime) {
        self.touched = Some(now);
    }

    fn awaits_press(&self, command: &[u8], now: UnixTime) -> bool {
        let Some(command) = Command::parse(command) else {
            return false;
        };
        let is_calculate = (command.cla, command.ins) == (0x00, 0xa2);
        let is_open = self.selected && !self.has_access_code;
        is_calculate
            && is_open
            && !self.is_touched(now)
            && self.asked(&command).is_ok_and(|(index, _)| self.entries[index].touch)
    }

    fn face(&self, _now: UnixTime) -> Face {
        let Identity { family, title, serial } = self.identity();
        Face {
            family,
            title,
            serial,
            on: true,
            display: None,
            seconds_left: None,
            buttons: &[Button::Touch],
            lines: self.entries.iter().map(Entry::shown_name).collect(),
        }
    }

    fn holds(&self) -> Vec<Held> {
        self.entries.iter().map(Entry::held).collect()
    }

    fn another(&self) -> Box<dyn Applet> {
        let mut other = Self::new(self.serial + 1);
        other.firmware = self.firmware;
        Box::new(other)
    }
}

#[cfg(test)]
mod tests;
