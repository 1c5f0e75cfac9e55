//! A Mooltipass Mini BLE over its USB HID interface (mooltipass.md).
//!
//! Where the sheet is silent:
//!
//! - A report without number 0 and 64 bytes is stalled. All packets but the last
//!   of a message are full. A message is not answered if its packets are out of
//!   order, if its flip bit is not the one that is due (0 after power-up and after
//!   the reset packet) or if its length is not what it says, and neither is a
//!   command that is not in the sheet's table; a firmware without `GET_TOTP` does
//!   not answer that. The first packet of a message drops a half message.
//! - A message that asks for it is acknowledged before its answer: the first two
//!   bytes of its last packet, then zeros. The device's answers have a flip bit of
//!   their own. The reset packet is not answered; it drops a half message and
//!   what was not read, and leaves a question on the screen.
//! - Of the flags in STATUS `01` is "card inserted" and `04` "unlocked" (published
//!   protocol page); three zero bytes follow. A STATUS with a payload is not
//!   answered.
//! - While a question is on the screen every message is answered by "please
//!   retry", without a payload, and has no effect.
//! - A question stays for 15 seconds. Then, as when it is refused at once, the
//!   answer to `STORE_TOTP`, `GET_TOTP` and `SET_DATE` is the byte `00`.
//! - `SET_DATE` works in each state of the card. A date that is none is refused and
//!   changes nothing. The time is kept until power is lost.
//! - `STORE_TOTP` and `GET_TOTP` are refused without a question if the card is not
//!   unlocked, and so is `GET_TOTP` for what is not stored or if the time was not
//!   set. `STORE_TOTP` does not need the time. Texts need their zero, so a service
//!   has at most 125 characters and a login 63; what is behind the zero is not
//!   looked at. A secret of 0 or more than 64 bytes, digits, steps and hashes out
//!   of range and other lengths are refused. Names are compared exactly. There is
//!   room for everything.
//! - Offsets in `GET_TOTP` count characters. Login `FFFF` means the only credential
//!   of the service, and is refused if there are more. The code is the one at the
//!   moment of approval, sent as UTF-16 with its zero. Before 0.86 the code is
//!   that of time 0. Bundle 7 stands for all firmware before bundle 8.
//! - The number in its identity stands on the device and is told by no message.
//!
//! A person has one button here: a press says yes to the question on the screen.
//! Without a question it shows the next credential's code, if the card is
//! unlocked and the time was set.

mod credential;
mod packets;

use oath::{SharedSecret, UnixTime};

use crate::clock::TokenClock;
use crate::{Applet, Button, Face, Held, Hid, HidDevice, Identity, Stalled};

use credential::{Credential, Wanted};
use packets::{Incoming, Message, Outgoing, Packet, REPORT, Taken};

/// The one name of the family.
pub const FAMILY: &str = "mooltipass";

/// The practice device: current firmware, its card unlocked, nothing stored, the
/// time not set, and an owner who says yes.
pub fn practice() -> Mooltipass {
    Mooltipass::new(4_001).approving()
}

/// How long a question stays on the screen.
const QUESTION_SECS: i64 = 15;

const PLEASE_RETRY: u16 = 0x0002;
const SET_DATE: u16 = 0x0004;
const STATUS: u16 = 0x0011;
const STORE_TOTP: u16 = 0x0027;
const GET_TOTP: u16 = 0x0041;

/// Firmware, as far as it differs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Firmware {
    /// A bundle without `GET_TOTP`.
    Bundle7,
    /// `GET_TOTP` answers wrongly.
    V0_85,
    /// `GET_TOTP` answers rightly; a login may not be empty.
    V0_86,
    /// A login may be empty.
    V0_87,
}

/// The user's smart card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Card {
    /// Not inserted.
    Absent,
    /// Inserted; its PIN was not entered.
    Locked,
    /// Inserted and unlocked.
    Unlocked,
}

/// What its owner does about a question.
#[derive(Clone, Copy)]
enum Owner {
    /// Presses the button, or does not.
    IsAsked,
    /// Says yes at once.
    Approves,
    /// Says no at once.
    Denies,
}

/// One device.
pub struct Mooltipass {
    serial: u32,
    firmware: Firmware,
    card: Card,
    gain_ppm: i32,
    owner: Owner,
    /// How many messages it still puts off.
    busy_for: usize,
    credentials: Vec<Credential>,
    /// `None` until it was set in this power session.
    clock: Option<TokenClock>,
    incoming: Incoming,
    outgoing: Outgoing,
    question: Option<Question>,
    /// The place of the credential whose code is on the screen.
    shown: Option<usize>,
}

/// What the screen asks.
struct Question {
    about: About,
    since: UnixTime,
}

enum About {
    /// Whether to store this.
    Store(Credential),
    /// Whether to send the code of the credential at this place.
    Send(usize),
}

impl Mooltipass {
    /// A device with current firmware and an unlocked card, with nothing stored,
    /// that asks a person.
    pub fn new(serial: u32) -> Self {
        Self {
            serial,
            firmware: Firmware::V0_87,
            card: Card::Unlocked,
            gain_ppm: 0,
            owner: Owner::IsAsked,
            busy_for: 0,
            credentials: Vec::new(),
            clock: None,
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
            question: None,
            shown: None,
        }
    }

    /// Each question is answered with yes at once, as a practised owner does.
    #[must_use]
    pub fn approving(mut self) -> Self {
        self.owner = Owner::Approves;
        self
    }

    /// Each question is answered with no at once.
    #[must_use]
    pub fn denying(mut self) -> Self {
        self.owner = Owner::Denies;
        self
    }

    /// With another firmware.
    #[must_use]
    pub fn with_firmware(mut self, firmware: Firmware) -> Self {
        self.firmware = firmware;
        self
    }

    /// With its card in this state.
    #[must_use]
    pub fn with_card(mut self, card: Card) -> Self {
        self.card = card;
        self
    }

    /// Says "please retry" to the next so many messages.
    #[must_use]
    pub fn busy_for(mut self, messages: usize) -> Self {
        self.busy_for = messages;
        self
    }

    /// With a clock that gains so many millionths once it is set.
    #[must_use]
    pub fn gaining(mut self, ppm: i32) -> Self {
        self.gain_ppm = ppm;
        self
    }

    /// Holds one more credential, of six digits and 30 seconds.
    #[must_use]
    pub fn holding(mut self, service: &str, login: &str, secret: &SharedSecret) -> Self {
        self.keep(Credential::new(service, login, secret));
        self
    }

    fn obey(&mut self, message: &Message, now: UnixTime) {
        if self.question.is_some() || self.busy_for > 0 {
            self.busy_for = self.busy_for.saturating_sub(1);
            return self.outgoing.send(PLEASE_RETRY, &[]);
        }
        match message.command {
            SET_DATE => self.set_date(&message.payload, now),
            STATUS if message.payload.is_empty() => {
                let flags = match self.card {
                    Card::Absent => 0x00,
                    Card::Locked => 0x01,
                    Card::Unlocked => 0x05,
                };
                self.outgoing.send(STATUS, &[flags, 0, 0, 0]);
            }
            STORE_TOTP => match self.to_store(&message.payload) {
                Some(credential) => self.ask(About::Store(credential), now),
                None => self.outgoing.send(STORE_TOTP, &[0]),
            },
            GET_TOTP if self.firmware > Firmware::Bundle7 => match self.to_send(&message.payload) {
                Some(place) => self.ask(About::Send(place), now),
                None => self.outgoing.send(GET_TOTP, &[0]),
            },
            _ => {}
        }
    }

    fn set_date(&mut self, payload: &[u8], now: UnixTime) {
        let time = credential::time(payload);
        if let Some(time) = time {
            let mut clock = TokenClock::new(now, 0, self.gain_ppm);
            clock.set(now, time);
            self.clock = Some(clock);
        }
        self.outgoing.send(SET_DATE, &[u8::from(time.is_some())]);
    }

    fn to_store(&self, payload: &[u8]) -> Option<Credential> {
        let may_be_empty = self.firmware >= Firmware::V0_87;
        Credential::parse(payload)
            .filter(|credential| may_be_empty || !credential.login.is_empty())
            .filter(|_| self.card == Card::Unlocked)
    }

    fn to_send(&self, payload: &[u8]) -> Option<usize> {
        let place = Wanted::parse(payload)?.place(&self.credentials)?;
        (self.card == Card::Unlocked && self.clock.is_some()).then_some(place)
    }

    fn ask(&mut self, about: About, now: UnixTime) {
        self.shown = None;
        self.question = Some(Question { about, since: now });
        match self.owner {
            Owner::IsAsked => {}
            Owner::Approves => self.say_yes(now),
            Owner::Denies => self.say_no(),
        }
    }

    fn say_yes(&mut self, now: UnixTime) {
        match self.question.take().map(|question| question.about) {
            Some(About::Store(credential)) => {
                self.keep(credential);
                self.outgoing.send(STORE_TOTP, &[1]);
            }
            Some(About::Send(place)) => match self.code(place, now) {
                Some(code) => {
                    let text = code.encode_utf16().chain([0]);
                    let bytes: Vec<u8> = text.flat_map(u16::to_le_bytes).collect();
                    self.outgoing.send(GET_TOTP, &bytes);
                }
                None => self.outgoing.send(GET_TOTP, &[0]),
            },
            None => {}
        }
    }

    /// Takes a question away that nobody said yes to.
    fn give_up(&mut self, now: UnixTime) {
        if self.question.as_ref().is_some_and(|question| question.is_over(now)) {
            self.say_no();
        }
    }

    fn say_no(&mut self) {
        match self.question.take().map(|question| question.about) {
            Some(About::Store(_)) => self.outgoing.send(STORE_TOTP, &[0]),
            Some(About::Send(_)) => self.outgoing.send(GET_TOTP, &[0]),
            None => {}
        }
    }

    /// The code that is sent for the credential at a place.
    fn code(&self, place: usize, now: UnixTime) -> Option<String> {
        let (clock, credential) = (self.clock.as_ref()?, self.credentials.get(place)?);
        Some(credential.code(match self.firmware {
            Firmware::Bundle7 | Firmware::V0_85 => UnixTime::from_secs(0),
            Firmware::V0_86 | Firmware::V0_87 => clock.reads(now),
        }))
    }

    /// Stores a credential, instead of one with the same service and login.
    fn keep(&mut self, credential: Credential) {
        match self.credentials.iter_mut().find(|stored| stored.has_name_of(&credential)) {
            Some(stored) => *stored = credential,
            None => self.credentials.push(credential),
        }
    }

    /// What is on the screen, and how long it stays.
    fn screen(&self, now: UnixTime) -> (Option<String>, Option<u32>) {
        let question = self.question.as_ref().filter(|question| !question.is_over(now));
        let name = |place: usize| self.credentials.get(place).map(Credential::name);
        match (question.map(|question| &question.about), self.shown, &self.clock) {
            (Some(About::Store(credential)), ..) => {
                (Some(format!("Store {}?", credential.name())), None)
            }
            (Some(About::Send(place)), ..) => {
                (Some(format!("Send the code of {}?", name(*place).unwrap_or_default())), None)
            }
            (None, Some(place), Some(clock)) => {
                let (credential, at) = (self.credentials.get(place), clock.reads(now));
                (credential.map(|it| it.code(at)), credential.map(|it| it.seconds_left(at)))
            }
            (None, ..) => (None, None),
        }
    }
}

impl Question {
    fn is_over(&self, now: UnixTime) -> bool {
        now.seconds_since(self.since) >= QUESTION_SECS
    }
}

impl Hid for Mooltipass {
    fn write(&mut self, report: &[u8], now: UnixTime) -> Result<(), Stalled> {
        let (&[0x00], packet) = report.split_first_chunk::<1>().ok_or(Stalled)? else {
            return Err(Stalled);
        };
        let packet = Packet::try_from(packet).map_err(|_| Stalled)?;
        self.give_up(now);
        match self.incoming.take(&packet) {
            Taken::Nothing => {}
            Taken::Reset => self.outgoing = Outgoing::default(),
            Taken::Last { acknowledgement, message } => {
                if let Some(packet) = acknowledgement {
                    self.outgoing.acknowledge(packet);
                }
                if let Some(message) = message {
                    self.obey(&message, now);
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, now: UnixTime) -> Option<Vec<u8>> {
        self.give_up(now);
        self.outgoing.next().map(|packet| packet.to_vec())
    }

    fn set_feature(&mut self, _report: &[u8], _now: UnixTime) -> Result<(), Stalled> {
        Err(Stalled)
    }

    fn get_feature(&mut self, _: u8, _: usize, _: UnixTime) -> Result<Vec<u8>, Stalled> {
        Err(Stalled)
    }
}

impl Applet for Mooltipass {
    fn identity(&self) -> Identity {
        let firmware = match self.firmware {
            Firmware::Bundle7 => "bundle 7",
            Firmware::V0_85 => "0.85",
            Firmware::V0_86 => "0.86",
            Firmware::V0_87 => "0.87",
        };
        Identity {
            family: FAMILY,
            title: format!("Mooltipass Mini BLE ({firmware})"),
            serial: Some(self.serial.to_string()),
        }
    }

    fn hid_device(&self) -> Option<HidDevice> {
        Some(HidDevice {
            vendor: 0x1209,
            product: 0x4321,
            usage_page: 0xff31,
            usage: 0x0074,
            interface: 0,
            manufacturer: "Mooltipass",
            name: "Mooltipass Mini BLE".to_owned(),
            serial: String::new(),
            report_length: REPORT,
            feature_length: 0,
        })
    }

    fn hid(&mut self) -> Option<&mut dyn Hid> {
        Some(self)
    }

    fn reset(&mut self) {
        self.clock = None;
        self.incoming = Incoming::default();
        self.outgoing = Outgoing::default();
        self.question = None;
        self.shown = None;
    }

    fn press(&mut self, now: UnixTime) {
        self.give_up(now);
        if self.question.is_some() {
            return self.say_yes(now);
        }
        let next = self.shown.map_or(0, |place| place + 1);
        let can_show = self.card == Card::Unlocked && self.clock.is_some();
        self.shown = (can_show && next < self.credentials.len()).then_some(next);
    }

    fn awaits_press(&self, _command: &[u8], now: UnixTime) -> bool {
        self.question.as_ref().is_some_and(|question| !question.is_over(now))
    }

    fn face(&self, now: UnixTime) -> Face {
        let Identity { family, title, serial } = self.identity();
        let (display, seconds_left) = self.screen(now);
        let lines = match self.card {
            Card::Absent => vec!["No card".to_owned()],
            Card::Locked => vec!["Card locked".to_owned()],
            Card::Unlocked => self.credentials.iter().map(Credential::name).collect(),
        };
        Face {
            family,
            title,
            serial,
            on: true,
            display,
            seconds_left,
            buttons: &[Button::Next],
            lines,
        }
    }

    fn holds(&self) -> Vec<Held> {
        self.credentials.iter().map(Credential::held).collect()
    }

    fn another(&self) -> Box<dyn Applet> {
        let owner = self.owner;
        Box::new(Self { owner, ..Self::new(self.serial + 1).with_firmware(self.firmware) })
    }
}

#[cfg(test)]
mod tests;
