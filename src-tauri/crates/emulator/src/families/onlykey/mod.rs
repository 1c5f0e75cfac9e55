//! `OnlyKey` and `OnlyKey` DUO, which type their codes as a keyboard when they are
//! pressed (onlykey.md).
//!
//! Where the sheet is silent:
//!
//! - An output report without number 0 and 64 bytes is stalled. Messages without
//!   the header, other messages (PIN entry from the host among them), and slots
//!   and fields that do not exist are not answered. What to press after a field
//!   is not emulated: Tab stands between what a slot types, and nothing behind.
//! - In a label's text `NN` is one byte, and 10 is 16. Labels and texts end at
//!   their first zero byte.
//! - Time is taken in the unlocked state alone; a locked key answers E4 and
//!   forgets the time. A time of 0 is a time.
//! - Labels are told in config mode too. Before the set-up, E5, E6 and E7 answer
//!   that it must be initialised first, and E4 is the same on a DUO.
//! - A wiped slot answers with ten reports. Wiping needs what writing needs. A
//!   field is wiped alone; published firmware wipes the whole slot then.
//! - Behind a message lie eight bytes of an older answer, which a key of more
//!   than 53 bytes runs into.
//! - A DUO without PIN refuses a password where there is a second factor with the
//!   same words as the other way round, and it is never locked.
//! - The hardware letters are `c` (`OnlyKey`), `p` and `n` (DUO with and without
//!   PIN); the usage is `0200` on the command page and `01` on the FIDO page.
//! - One profile is emulated. The number in its identity stands on the key and is
//!   told by no message.
//!
//! A person has one button here: a press unlocks a locked key, as if the PIN was
//! entered on it, and otherwise makes the slot type that was written last, or the
//! first that has something to type. The display is what was typed, until a slot is
//! written. In config mode and before the set-up nothing is typed. Power that is
//! lost before anything was said or pressed changes nothing, so that a key can be
//! laid out unlocked; later, it locks.

mod commands;
mod slot;

use std::collections::VecDeque;

use oath::{SharedSecret, UnixTime};

use crate::clock::TokenClock;
use crate::{Applet, Button, Face, Held, Hid, HidDevice, Identity, Stalled};

use slot::{LABEL, Slot, TOTP};

/// The one name of the family.
pub const FAMILY: &str = "onlykey";

/// Bytes of a report, without a number.
const REPORT: usize = 64;

/// The practice key: an `OnlyKey`, unlocked and empty, that was told no time.
pub fn practice() -> OnlyKey {
    OnlyKey::new(Model::OnlyKey, 1_001)
}

/// The models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Six buttons, 12 slots in the profile that is unlocked.
    OnlyKey,
    /// Three buttons, 24 slots.
    Duo,
    /// The same without a PIN: it is never locked.
    DuoWithoutPin,
}

impl Model {
    fn slots(self) -> usize {
        match self {
            Self::OnlyKey => 12,
            Self::Duo | Self::DuoWithoutPin => 24,
        }
    }
}

/// What a key enumerates as (section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usb {
    /// `1D50:60FC` with the command interface `FFAB`.
    Current,
    /// `1D50:60FC` with another serial string: the interface is `F1D0`.
    FidoPage,
    /// The generic `16C0:0486` with the command interface `FFAB`.
    Generic,
}

/// One key.
pub struct OnlyKey {
    model: Model,
    usb: Usb,
    number: u32,
    state: State,
    /// Slots are written in config mode only.
    restricted: bool,
    slots: Vec<Slot>,
    /// The place of the slot whose button is pressed.
    selected: usize,
    /// In RAM: `None` until it is told once.
    clock: Option<TokenClock>,
    gain_ppm: i32,
    answers: VecDeque<[u8; REPORT]>,
    /// What the last press typed.
    typed: Option<String>,
    /// Whether anything was said to it or pressed since it has power.
    is_in_use: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Uninitialised,
    Locked,
    Unlocked,
    ConfigMode,
}

impl OnlyKey {
    /// An empty key that is set up and unlocked, with this number on it.
    pub fn new(model: Model, number: u32) -> Self {
        Self {
            model,
            usb: Usb::Current,
            number,
            state: State::Unlocked,
            restricted: false,
            slots: std::iter::repeat_with(Slot::default).take(model.slots()).collect(),
            selected: 0,
            clock: None,
            gain_ppm: 0,
            answers: VecDeque::new(),
            typed: None,
            is_in_use: false,
        }
    }

    /// Enumerates like this.
    #[must_use]
    pub fn enumerating_as(mut self, usb: Usb) -> Self {
        self.usb = usb;
        self
    }

    /// Never set up.
    #[must_use]
    pub fn uninitialised(mut self) -> Self {
        self.state = State::Uninitialised;
        self
    }

    /// Locked until it is pressed. Without a PIN it stays unlocked.
    #[must_use]
    pub fn locked(mut self) -> Self {
        self.state = self.powered_up();
        self
    }

    /// In config mode until it is unplugged.
    #[must_use]
    pub fn in_config_mode(mut self) -> Self {
        self.state = State::ConfigMode;
        self
    }

    /// Writes slots in config mode only.
    #[must_use]
    pub fn restricted(mut self) -> Self {
        self.restricted = true;
        self
    }

    /// Another program told it this time at that time of the world, and told it
    /// first.
    #[must_use]
    pub fn told(mut self, time: UnixTime, at: UnixTime) -> Self {
        let mut clock = TokenClock::new(at, 0, self.gain_ppm);
        clock.set(at, time);
        self.clock = Some(clock);
        self
    }

    /// Its clock gains so many millionths once it is told. Say it before
    /// [`OnlyKey::told`].
    #[must_use]
    pub fn gaining(mut self, ppm: i32) -> Self {
        self.gain_ppm = ppm;
        self
    }

    /// Holds a time-based key of any length in this slot, from 1; other numbers
    /// hold nothing.
    #[must_use]
    pub fn holding(mut self, slot: u8, label: &str, key: SharedSecret) -> Self {
        if let Some(slot) = self.numbered(slot) {
            slot.label = label.bytes().take(LABEL).collect();
            slot.factor = TOTP;
            slot.key = Some(key);
        }
        self
    }

    /// This slot types a user name and a password, too.
    #[must_use]
    pub fn with_login(mut self, slot: u8, user: &str, password: &str) -> Self {
        if let Some(slot) = self.numbered(slot) {
            slot.user = user.as_bytes().to_vec();
            slot.password = password.as_bytes().to_vec();
        }
        self
    }

    /// Holds a labelled key in every slot.
    #[must_use]
    pub fn full(mut self) -> Self {
        for number in (1_u8..).take(self.model.slots()) {
            let key = SharedSecret::new(vec![number; 20]);
            self = self.holding(number, &format!("Occupied {number}"), key);
        }
        self
    }

    /// A press is on the button of this slot, from 1, until another is written.
    #[must_use]
    pub fn pressing(mut self, slot: u8) -> Self {
        self.selected = usize::from(slot.saturating_sub(1)).min(self.slots.len() - 1);
        self
    }

    fn numbered(&mut self, slot: u8) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(slot.checked_sub(1)?))
    }

    /// The state of a key that is set up, without a person.
    fn powered_up(&self) -> State {
        match self.model {
            Model::OnlyKey | Model::Duo => State::Locked,
            Model::DuoWithoutPin => State::Unlocked,
        }
    }

    /// What the selected slot types now, or else the first that types anything.
    fn types(&self, now: UnixTime) -> Option<String> {
        let clock = self.clock.map(|clock| clock.reads(now));
        let selected = self.slots.get(self.selected).into_iter();
        selected.chain(&self.slots).find_map(|slot| slot.types(clock))
    }
}

impl Applet for OnlyKey {
    fn identity(&self) -> Identity {
        let title = match self.model {
            Model::OnlyKey => "OnlyKey",
            Model::Duo | Model::DuoWithoutPin => "OnlyKey DUO",
        };
        let serial = Some(format!("{:06}", self.number));
        Identity { family: FAMILY, title: title.to_owned(), serial }
    }

    fn hid_device(&self) -> Option<HidDevice> {
        let (vendor, product) = match self.usb {
            Usb::Current | Usb::FidoPage => (0x1d50, 0x60fc),
            Usb::Generic => (0x16c0, 0x0486),
        };
        let (usage_page, usage, interface, serial) = match self.usb {
            Usb::Current | Usb::Generic => (0xffab, 0x0200, 2, "1000000000"),
            Usb::FidoPage => (0xf1d0, 0x01, 1, "1000000001"),
        };
        Some(HidDevice {
            vendor,
            product,
            usage_page,
            usage,
            interface,
            manufacturer: "CRYPTOTRUST",
            name: "ONLYKEY".to_owned(),
            serial: serial.to_owned(),
            report_length: REPORT,
            feature_length: 0,
        })
    }

    fn hid(&mut self) -> Option<&mut dyn Hid> {
        Some(self)
    }

    /// It was unplugged: time and answers are gone, and it is locked.
    fn reset(&mut self) {
        if !self.is_in_use {
            return;
        }
        self.is_in_use = false;
        self.clock = None;
        self.answers.clear();
        self.typed = None;
        self.state = match self.state {
            State::Uninitialised => State::Uninitialised,
            State::Locked | State::Unlocked | State::ConfigMode => self.powered_up(),
        };
    }

    fn press(&mut self, now: UnixTime) {
        self.is_in_use = true;
        match self.state {
            State::Uninitialised | State::ConfigMode => {}
            State::Locked => self.state = State::Unlocked,
            State::Unlocked => self.typed = self.types(now),
        }
    }

    fn face(&self, _now: UnixTime) -> Face {
        let Identity { family, title, serial } = self.identity();
        let state = match self.state {
            State::Uninitialised => Some("not set up"),
            State::Locked => Some("locked"),
            State::Unlocked => None,
            State::ConfigMode => Some("config mode"),
        };
        let slots = (1..).zip(&self.slots).filter(|(_, slot)| slot.is_used());
        let names = slots.map(|(number, slot)| slot.shown_name(number));
        Face {
            family,
            title,
            serial,
            on: true,
            display: self.typed.clone(),
            seconds_left: None,
            buttons: &[Button::Touch],
            lines: state.map(str::to_owned).into_iter().chain(names).collect(),
        }
    }

    fn holds(&self) -> Vec<Held> {
        self.slots.iter().filter_map(Slot::held).collect()
    }

    fn another(&self) -> Box<dyn Applet> {
        Box::new(Self::new(self.model, self.number.wrapping_add(1)).enumerating_as(self.usb))
    }
}

impl Hid for OnlyKey {
    fn write(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled> {
        let [0, message @ ..] = report else {
            return Err(Stalled);
        };
        let message = <&[u8; REPORT]>::try_from(message).map_err(|_| Stalled)?;
        self.is_in_use = true;
        self.message(message, now);
        Ok(())
    }

    fn read(&mut self, _now: UnixTime) -> Option<Vec<u8>> {
        self.answers.pop_front().map(|answer| answer.to_vec())
    }

    fn set_feature(&mut self, _report: &[u8], _now: UnixTime) -> Result<(), Stalled> {
        Err(Stalled)
    }

    fn get_feature(
        &mut self,
        _number: u8,
        _len: usize,
        _now: UnixTime,
    ) -> Result<Vec<u8>, Stalled> {
        Err(Stalled)
    }
}

#[cfg(test)]
mod tests;
