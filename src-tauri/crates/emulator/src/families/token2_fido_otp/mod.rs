//! The OTP application of Token2's FIDO2 keys (second generation), over PC/SC
//! (token2-fido-otp.md). The key has no clock and answers with codes.
//!
//! Where the sheet is silent:
//! - Length bytes that do not add up, a body of the wrong fixed length and an Le
//!   behind data are `6700`, the last except on SELECT; so is a read config with
//!   an Le outside `0A`…`40` that is not the block's own length. The inside of a
//!   read, of its continuation or of a PIN flag that does not add up is `6AF8`; a
//!   clear record or a new PIN that breaks a rule, a key that is not on the curve
//!   and a wrong padding are `6A80`.
//! - Another P1 P2 of `C5` is `6A86`, another instruction `6D00`, another class
//!   `6E00`, an unknown AID `6A82`. Without its application selected a command is
//!   `6D00`, the serial number with the OTP application selected too.
//! - A record that is not found is `6A83`, an empty key's read-all `6A80`. Reading
//!   on where nothing waits is `6985`; any other command ends the reading. A page
//!   holds as many whole records as fit 240 bytes.
//! - The config block has ten bytes. While TOTP is off every `C5 05` is `6A86`. A
//!   key whose CCID was switched off is not seen any more.
//! - A counter starts at 0 and moves when its record is read alone. A press is
//!   good for 15 seconds and for one code or one erasing. Erasing takes the PIN
//!   too, and needs none.
//! - One key pair serves seal and agreement and stays for life. The signature of
//!   an agreement is 132 zero bytes. A PIN has ten tries. Without a PIN the flag
//!   is zeros and the most tries, no tries left. Each agreement needs its own
//!   reading of the flag with n = `09`, each verification its own with n = `29`.
//!   A selection or reset ends agreement and window, an agreement, a wrong PIN and
//!   a change end the window. Reads and writes outside the window are `6982`, or
//!   `6983` when no tries are left; verifying or changing without a PIN is `6A81`.
//!   The key refuses a new PIN that breaks the clients' policy.
//! - Behind a T=0 reader answers to commands with data come by GET RESPONSE, and a
//!   wrong Le is `6Cxx`. Elsewhere only what is longer than 256 bytes and was asked
//!   with short length comes in parts.
//! - The check digit of a serial number is the digits' sum, the FIDO application
//!   greets with `U2F_V2`. Fingerprint unlock is not there.

mod delivery;
mod pin;
mod record;
mod records;
mod release;
mod seal;

use oath::{SharedSecret, UnixTime};

use crate::challenges::Challenges;
use crate::wire::Command;
use crate::{Applet, Button, Face, Held, Identity};

use delivery::{expected_length, is_extended};
use pin::OtpPin;
use record::Names;
use release::Link;
use seal::{KeyPair, Randoms};

pub use record::{Hash, Record};
pub use release::Release;

/// The one name of the family.
pub const FAMILY: &str = "token2-fido-otp";

/// The practice key: a PIN+ of release 3.4 without records and without a PIN.
pub fn practice() -> Token2FidoOtp {
    Token2FidoOtp::new(Release::R3_4, 1)
}

const OTP_AID: &[u8] = &[0xf0, 0x00, 0x00, 0x01, 0x4f, 0x74, 0x70, 0x01];
const FIDO_AID: &[u8] = &[0xa0, 0x00, 0x00, 0x06, 0x47, 0x2f, 0x00, 0x01];

/// The most that a read answers at once without protection, in bytes.
const PAGE: usize = 240;

/// The most tries of an OTP PIN.
const TRIES: u8 = 10;

/// A status word other than `9000`.
type Refusal = u16;

const WRONG_LENGTH: Refusal = 0x6700;
/// A wrong PIN or tag, or no PIN where one is needed.
const WRONG_PIN: Refusal = 0x6982;
const PIN_LOCKED: Refusal = 0x6983;
const WRONG_ORDER: Refusal = 0x6985;
/// Bad data; on read-all, an empty key.
const BAD_DATA: Refusal = 0x6a80;
const NOT_ALLOWED_NOW: Refusal = 0x6a81;
const NO_APPLICATION: Refusal = 0x6a82;
const NOT_FOUND: Refusal = 0x6a83;
const FULL: Refusal = 0x6a84;
const UNSUPPORTED: Refusal = 0x6a86;
const BAD_FRAMING: Refusal = 0x6af8;
const UNKNOWN_INS: Refusal = 0x6d00;
const UNKNOWN_CLASS: Refusal = 0x6e00;
const NOT_TOUCHED: Refusal = 0x6ff9;

/// One key.
pub struct Token2FidoOtp {
    release: Release,
    number: u32,
    key_pair: KeyPair,
    randoms: Randoms,
    link: Link,
    room: usize,
    page: usize,
    config_length: usize,
    records: Vec<Record>,
    pin: OtpPin,
    /// Interfaces that are off: 1 FIDO, 2 keyboard, 4 CCID.
    interfaces_off: u8,
    totp: bool,
    selected: Selected,
    /// Whether a release that hides its serial number was asked to tell it.
    serial_told: bool,
    /// The record that Read more begins with.
    next_record: Option<usize>,
    remaining: Vec<u8>,
    touched: Option<UnixTime>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Selected {
    Nothing,
    Otp,
    Fido,
}

impl Token2FidoOtp {
    /// A key of a release without records; the last eight digits of its serial
    /// number are `number`, and its key pair follows from it.
    pub fn new(release: Release, number: u32) -> Self {
        let serial = release.serial(number);
        Self {
            release,
            number,
            key_pair: KeyPair::from_seed(seal::sha256(serial.as_bytes())),
            randoms: Randoms::Seeded(Challenges::Seeded(u64::from(number))),
            link: Link::Blocks,
            room: 50,
            page: PAGE,
            config_length: 10,
            records: Vec::new(),
            pin: OtpPin::unset(TRIES),
            interfaces_off: 0,
            totp: true,
            selected: Selected::Nothing,
            serial_told: !release.serial_is_hidden,
            next_record: None,
            remaining: Vec::new(),
            touched: None,
        }
    }

    /// Has this scalar as its P-256 key, for the sheet's vectors.
    #[must_use]
    pub fn with_scalar(mut self, scalar: [u8; 32]) -> Self {
        self.key_pair = KeyPair::from_seed(scalar);
        self
    }

    /// Always takes this random for a verification and this IV for what it
    /// encrypts, for the sheet's vectors.
    #[must_use]
    pub fn drawing(mut self, random: [u8; 16], iv: [u8; 16]) -> Self {
        self.randoms = Randoms::Fixed { random, iv };
        self
    }

    /// Holds one more record, in place of one of the same names.
    #[must_use]
    pub fn holding(mut self, record: Record) -> Self {
        self.put(record);
        self
    }

    /// Has room for so many records instead of 50.
    #[must_use]
    pub fn with_room_for(mut self, records: usize) -> Self {
        self.room = records;
        self
    }

    /// Holds as many records as it has room for.
    #[must_use]
    pub fn full(mut self) -> Self {
        for number in self.records.len()..self.room {
            let seed = SharedSecret::new(vec![0x5a; 20]);
            self.put(Record::new(&format!("Service {number}"), "someone@example.com", seed));
        }
        self
    }

    /// Protected by an OTP PIN, of any kind. Releases before 3.4 have none, and
    /// stay as they are.
    #[must_use]
    pub fn protected_by(mut self, pin: &str) -> Self {
        if self.release.otp_pin {
            self.pin.set_to(pin.as_bytes());
        }
        self
    }

    /// Locks its PIN after so many wrong ones instead of ten; 0 is locked already.
    #[must_use]
    pub fn locking_after(mut self, tries: u8) -> Self {
        self.pin.allow(tries);
        self
    }

    /// In a T=0 contact reader, which refuses extended length.
    #[must_use]
    pub fn in_t0_reader(mut self) -> Self {
        self.link = Link::Bytes;
        self
    }

    /// Answers read config with its first byte only.
    #[must_use]
    pub fn with_short_config(mut self) -> Self {
        self.config_length = 1;
        self
    }

    /// With TOTP switched off.
    #[must_use]
    pub fn with_totp_off(mut self) -> Self {
        self.totp = false;
        self
    }

    /// Answers reads with pages of at most so many bytes, but one record at least.
    #[must_use]
    pub fn paging_at(mut self, bytes: usize) -> Self {
        self.page = bytes;
        self
    }

    fn serial(&self) -> String {
        self.release.serial(self.number)
    }

    fn answer(&mut self, raw: &[u8], now: UnixTime) -> Result<Vec<u8>, Refusal> {
        let command = Command::parse(raw).ok_or(WRONG_LENGTH)?;
        // Whatever comes now, the reading of pages goes on at once or never.
        let next_record = self.next_record.take();
        let (cla, ins) = (command.cla, command.ins);
        if (cla, ins) == (0x00, 0xa4) {
            return self.select(&command);
        }
        if cla != 0x80 {
            return Err(if cla == 0x00 { UNKNOWN_INS } else { UNKNOWN_CLASS });
        }
        let is_known = match self.selected {
            Selected::Nothing => false,
            Selected::Otp => ins == 0xc5,
            Selected::Fido => ins == 0x33 || ins == 0xc5 && command.p1 == 0x03,
        };
        if !is_known {
            return Err(UNKNOWN_INS);
        }
        if command.le && !command.data.is_empty() {
            return Err(WRONG_LENGTH);
        }
        let data = command.data;
        match (self.selected, command.p1, command.p2) {
            (Selected::Fido, 0x00, 0x00) => self.tell_serial(data),
            (Selected::Fido, 0x03, 0x00) if data == [0x04] => {
                self.serial_told = true;
                Ok(Vec::new())
            }
            (Selected::Fido, ..) => Err(UNSUPPORTED),
            (_, 0x01, 0x00) => self.tell_key(&command),
            (_, 0x02, 0x00) => self.tell_config(raw, data),
            (_, 0x02, 0x01) => self.switch(data, |key, mask| key.interfaces_off = mask),
            (_, 0x02, 0x05) => self.switch(data, |key, on| key.totp = on & 1 != 0),
            (_, 0x05, _) if !self.totp => Err(UNSUPPORTED),
            (_, 0x05, 0x00) => self.read(data, now),
            (_, 0x05, 0x01) => self.read_more(data, next_record, now),
            (_, 0x05, 0x02) if data.is_empty() => self.erase(now),
            (_, 0x05, 0x02) => self.store(data, now),
            (_, 0x05, 0x04..=0x09) if !self.release.otp_pin => Err(UNSUPPORTED),
            (_, 0x05, 0x04) => self.pin.flag(data, &mut self.randoms),
            (_, 0x05, 0x05) => self.pin.set(data),
            (_, 0x05, 0x06) => self.pin.verify_or_lock(data, now),
            (_, 0x05, 0x08) => self.pin.change(data),
            (_, 0x05, 0x09) => self.pin.agree(data, &self.key_pair),
            _ => Err(UNSUPPORTED),
        }
    }

    fn select(&mut self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        if (command.p1, command.p2) != (0x04, 0x00) {
            return Err(UNSUPPORTED);
        }
        let selected = match command.data {
            OTP_AID => Selected::Otp,
            FIDO_AID => Selected::Fido,
            _ => return Err(NO_APPLICATION),
        };
        self.pin.forget_session();
        self.selected = selected;
        Ok(match selected {
            Selected::Fido => b"U2F_V2".to_vec(),
            Selected::Nothing | Selected::Otp => Vec::new(),
        })
    }

    /// `80 33`: `D1 10` and sixteen zeros ask for the serial number.
    fn tell_serial(&self, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        if !self.serial_told {
            return Err(UNKNOWN_INS);
        }
        let [0xd1, 0x10, zeros @ ..] = data else {
            return Err(WRONG_LENGTH);
        };
        if zeros != [0; 16] {
            return Err(WRONG_LENGTH);
        }
        let serial = self.serial();
        let length = u8::try_from(serial.len()).unwrap_or(u8::MAX);
        Ok([&[0xd1, length], serial.as_bytes()].concat())
    }

    /// `80 C5 01 00 00`.
    fn tell_key(&self, command: &Command<'_>) -> Result<Vec<u8>, Refusal> {
        if !command.le || !command.data.is_empty() {
            return Err(WRONG_LENGTH);
        }
        if self.pin.is_set() {
            return Err(NOT_ALLOWED_NOW);
        }
        Ok(self.key_pair.public())
    }

    /// `80 C5 02 00 Le` (section 3.4).
    fn tell_config(&self, raw: &[u8], data: &[u8]) -> Result<Vec<u8>, Refusal> {
        // HOTP and NFC, no FIDO PIN; FIDO 2.1 and CCID.
        let extension = 0x02 | 0x10 | u8::from(self.totp);
        let mut block =
            vec![self.interfaces_off, 0x04 | 0x10, 0, 0, 0, 0, 0x02, 0x01, 0x00, extension];
        block.truncate(self.config_length);
        match expected_length(raw) {
            Some(length) if data.is_empty() && length == block.len() => Ok(block),
            Some(0x0a..=0x40) if data.is_empty() => Ok(block),
            _ => Err(WRONG_LENGTH),
        }
    }

    fn switch(&mut self, data: &[u8], to: fn(&mut Self, u8)) -> Result<Vec<u8>, Refusal> {
        let [byte] = data else {
            return Err(WRONG_LENGTH);
        };
        to(self, *byte);
        Ok(Vec::new())
    }
}

impl Applet for Token2FidoOtp {
    fn identity(&self) -> Identity {
        Identity {
            family: FAMILY,
            title: format!("Token2 {}", self.release.title),
            serial: Some(self.serial()),
        }
    }

    fn atr(&self) -> Vec<u8> {
        self.release.atr(self.number, self.link)
    }

    fn transmit(&mut self, command: &[u8], now: UnixTime) -> Vec<u8> {
        if self.link == Link::Bytes && is_extended(command) {
            return WRONG_LENGTH.to_be_bytes().to_vec();
        }
        if command.starts_with(&[0x00, 0xc0, 0x00, 0x00]) {
            return self.get_response(command);
        }
        self.remaining.clear();
        match self.answer(command, now) {
            Ok(answer) => self.deliver(command, answer),
            Err(refusal) => refusal.to_be_bytes().to_vec(),
        }
    }

    fn reset(&mut self) {
        self.selected = Selected::Nothing;
        self.serial_told = !self.release.serial_is_hidden;
        self.pin.forget_session();
        self.next_record = None;
        self.remaining.clear();
    }

    fn press(&mut self, now: UnixTime) {
        self.touched = Some(now);
    }

    fn is_on(&self) -> bool {
        self.interfaces_off & 0x04 == 0
    }

    fn awaits_press(&self, command: &[u8], now: UnixTime) -> bool {
        if self.link == Link::Bytes && is_extended(command) {
            return false;
        }
        let Some(command) = Command::parse(command) else {
            return false;
        };
        if self.selected != Selected::Otp || !self.totp || self.is_touched(now) {
            return false;
        }
        let header = (command.cla, command.ins, command.p1, command.p2);
        match (header, command.data) {
            ((0x80, 0xc5, 0x05, 0x02), []) => true,
            ((0x80, 0xc5, 0x05, 0x00), [0x01, _, _, _, _, _, _, _, _, names @ ..]) => {
                let mut rest = names;
                let names = Names::take(&mut rest).filter(|_| rest.is_empty() && !command.le);
                let index = names.and_then(|names| self.find(&names));
                self.pin.access(now).is_ok() && index.is_some_and(|index| self.records[index].touch)
            }
            _ => false,
        }
    }

    fn face(&self, _now: UnixTime) -> Face {
        let Identity { family, title, serial } = self.identity();
        Face {
            family,
            title,
            serial,
            on: self.is_on(),
            display: None,
            seconds_left: None,
            buttons: &[Button::Touch],
            lines: self.records.iter().map(|record| record.names.shown()).collect(),
        }
    }

    fn holds(&self) -> Vec<Held> {
        self.records.iter().map(Record::held).collect()
    }

    fn another(&self) -> Box<dyn Applet> {
        let mut other = Self::new(self.release, self.number + 1);
        other.link = self.link;
        Box::new(other)
    }
}

#[cfg(test)]
mod tests;
