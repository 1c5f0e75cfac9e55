//! The messages (onlykey.md sections 2 to 4).

use oath::{SharedSecret, UnixTime};

use super::slot::{LABEL, Slot, TOTP};
use super::{Model, OnlyKey, REPORT, State};
use crate::clock::TokenClock;

/// Where a message's data begin, behind header, message, slot and field.
const DATA: usize = 7;

/// What lies in the key's memory behind a message.
const BEHIND: [u8; 8] = [0x55, 0x4e, 0x4c, 0x4f, 0x43, 0x4b, 0x45, 0x44];

/// The fields of a slot with the names that answers call them by.
const FIELDS: [(u8, &str); 9] = [
    (1, "Label"),
    (15, "URL"),
    (17, "Delay1"),
    (2, "Username"),
    (4, "Delay2"),
    (5, "Password"),
    (7, "Delay3"),
    (8, "2FA Type"),
    (9, "2FA Key"),
];

/// What a wiped slot says, one report each.
const WIPED: [&str; 10] = [
    "Label",
    "URL",
    "Additional Characters",
    "Delay 1",
    "Username",
    "Delay 2",
    "Password",
    "Delay 3",
    "2FA Type",
    "2FA Key",
];

const LOCKED: &str = "Error device locked";
const UNINITIALISED: &str = "Error OnlyKey must be initialized first";
const NOT_IN_CONFIG_MODE: &str = "Error not in config mode";
const PASSWORD_ENABLED: &str = "Error password already enabled on this slot, device PIN required";

impl OnlyKey {
    /// Takes one message and queues what it answers.
    pub(super) fn message(&mut self, message: &[u8; REPORT], now: UnixTime) {
        let [0xff, 0xff, 0xff, 0xff, kind, ..] = *message else {
            return;
        };
        match kind {
            0xe4 => self.connect(message, now),
            0xe5 => self.labels(),
            0xe6 => self.set_slot(message),
            0xe7 => self.wipe_slot(message),
            _ => {}
        }
    }

    /// E4: tells the state, and takes the time once per power-up.
    fn connect(&mut self, message: &[u8; REPORT], now: UnixTime) {
        let answer = match (self.state, self.model) {
            (State::Uninitialised, _) => "UNINITIALIZED".to_owned(),
            (State::Locked, Model::OnlyKey) => "INITIALIZED".to_owned(),
            (State::Locked, Model::Duo | Model::DuoWithoutPin) => "INITIALIZED-D".to_owned(),
            (State::Unlocked | State::ConfigMode, model) => {
                let hardware = match model {
                    Model::OnlyKey => 'c',
                    Model::Duo => 'p',
                    Model::DuoWithoutPin => 'n',
                };
                format!("UNLOCKEDv3.0.4-prod{hardware}")
            }
        };
        self.say(&answer);
        if self.state == State::Unlocked && self.clock.is_none() {
            let time = [message[5], message[6], message[7], message[8]];
            let time = u64::from(u32::from_be_bytes(time));
            let mut clock = TokenClock::new(now, 0, self.gain_ppm);
            clock.set(now, UnixTime::from_secs(time));
            self.clock = Some(clock);
        }
    }

    /// E5: one report for each slot.
    fn labels(&mut self) {
        if let Err(error) = self.is_open() {
            return self.say(error);
        }
        for (number, slot) in (1_u8..).zip(&self.slots) {
            let number = if number > 9 { number + 6 } else { number };
            let text = [&[number, b'|'], slot.label.as_slice()].concat();
            self.answers.push_back(padded(&text));
        }
    }

    /// E6: one field of one slot.
    fn set_slot(&mut self, message: &[u8; REPORT]) {
        if let Err(error) = self.may_write() {
            return self.say(error);
        }
        let field = message[6];
        let (Some(slot), Some((_, name))) =
            (self.slot(message[5]), FIELDS.iter().find(|(number, _)| *number == field))
        else {
            return;
        };
        let data = guessed(message);
        let first = message[DATA];
        let is_taken = match field {
            5 => self.slots[slot].factor != 0,
            8 | 9 => !self.slots[slot].password.is_empty(),
            _ => false,
        };
        if is_taken && self.model == Model::DuoWithoutPin {
            return self.say(PASSWORD_ENABLED);
        }
        self.selected = slot;
        self.typed = None;
        let slot = &mut self.slots[slot];
        match field {
            1 => {
                let end = data.len().min(LABEL);
                slot.label = text(&data[..end]);
            }
            15 => slot.url = text(&data),
            2 => slot.user = text(&data),
            5 => slot.password = text(&data),
            17 => slot.delays[0] = seconds(first),
            4 => slot.delays[1] = seconds(first),
            7 => slot.delays[2] = seconds(first),
            8 => slot.factor = first,
            _ => {
                slot.factor = TOTP;
                slot.key = (!data.is_empty()).then(|| SharedSecret::new(data));
            }
        }
        self.say(&format!("Successfully set {name}"));
    }

    /// E7: a whole slot, or one field of it.
    fn wipe_slot(&mut self, message: &[u8; REPORT]) {
        if let Err(error) = self.may_write() {
            return self.say(error);
        }
        let Some(slot) = self.slot(message[5]) else {
            return;
        };
        self.typed = None;
        let field = message[6];
        if field == 0 {
            self.slots[slot] = Slot::default();
            for name in WIPED {
                self.say(&format!("Successfully wiped {name}"));
            }
            return;
        }
        let Some((_, name)) = FIELDS.iter().find(|(number, _)| *number == field) else {
            return;
        };
        let slot = &mut self.slots[slot];
        match field {
            1 => slot.label.clear(),
            15 => slot.url.clear(),
            2 => slot.user.clear(),
            5 => slot.password.clear(),
            17 => slot.delays[0] = 0,
            4 => slot.delays[1] = 0,
            7 => slot.delays[2] = 0,
            8 => slot.factor = 0,
            _ => slot.key = None,
        }
        self.say(&format!("Successfully wiped {name}"));
    }

    fn is_open(&self) -> Result<(), &'static str> {
        match self.state {
            State::Uninitialised => Err(UNINITIALISED),
            State::Locked => Err(LOCKED),
            State::Unlocked | State::ConfigMode => Ok(()),
        }
    }

    fn may_write(&self) -> Result<(), &'static str> {
        self.is_open()?;
        if self.restricted && self.state == State::Unlocked {
            return Err(NOT_IN_CONFIG_MODE);
        }
        Ok(())
    }

    /// The place of slot 1 and up.
    fn slot(&self, number: u8) -> Option<usize> {
        let place = usize::from(number.checked_sub(1)?);
        (place < self.slots.len()).then_some(place)
    }

    fn say(&mut self, text: &str) {
        self.answers.push_back(padded(text.as_bytes()));
    }
}

fn padded(text: &[u8]) -> [u8; REPORT] {
    let mut report = [0; REPORT];
    for (to, from) in report.iter_mut().zip(text) {
        *to = *from;
    }
    report
}

/// The data as long as the firmware takes them to be: up to the first four zero
/// bytes in a row, wherever they are, and beyond the message if it ends before.
fn guessed(message: &[u8; REPORT]) -> Vec<u8> {
    let memory = [&message[DATA..], &BEHIND, &[0; 4]].concat();
    let end = memory.windows(4).position(|four| four == [0; 4]).unwrap_or(memory.len());
    memory[..end].to_vec()
}

/// Up to the first zero byte.
fn text(data: &[u8]) -> Vec<u8> {
    data.iter().copied().take_while(|byte| *byte != 0).collect()
}

/// A digit as such or as ASCII.
fn seconds(byte: u8) -> u8 {
    byte.checked_sub(b'0').unwrap_or(byte)
}
