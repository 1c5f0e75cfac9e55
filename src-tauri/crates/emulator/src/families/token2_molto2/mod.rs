//! A Token2 Molto2 (50 slots) or Molto2v2 (100 slots), which is its own reader
//! on USB (token2-molto2.md).
//!
//! Where the sheet is silent:
//!
//! - A seed without the vendor's padding is refused with `6A80`: 16, 32 and 48
//!   bytes need one block more than they fill. The sheet only suspects that, and
//!   a seed sent without the block that happens to end in `80` cannot be told
//!   from a shorter one.
//! - Status words are those of the vendor's NFC tokens: `6700` for lengths, which
//!   are judged first, and a surplus Le, `6983` for a missing session or a wrong
//!   MAC, `6A80` for other P1 P2 or data and for an answer without a challenge,
//!   `6D00`, `6E00`. A slot that does not exist is `6A83`, for every command.
//! - A locked token still gives challenges, and says `63C0` to the right answer
//!   too. A new challenge ends a session, and so does a new customer key.
//! - Deleting needs a session, as the vendor documents; hardware was seen that
//!   does not ask for one ([`Token2Molto2::deleting_for_anyone`]).
//! - A seed or title replaces what the slot has. A seed of zeros leaves title and
//!   configuration where they are, as deleting does. Titles must be UTF-8.
//! - There is one clock, whichever slot a time is written for.
//! - In the public block, the flag is `00` until something is written to the
//!   slot; "RTC time" is the time last written for it, or 0; "time config" is 0.
//! - What waits for ▲ outlives the card's reset, and the last one asked for wins.
//!   A factory reset brings no demo profile back and leaves the clock.
//! - The answer to reset has no historical bytes, and the serial number has 13
//!   digits.
//!
//! The display shows the slot whose seed, title or configuration was written
//! last, and never goes dark. There is one button: it confirms what waits for ▲,
//! or else goes on to the next occupied slot, from the last to the first.

mod cipher;
mod commands;
mod slots;

use oath::{Algorithm, Parameters, SharedSecret, UnixTime};

use crate::challenges::Challenges;
use crate::clock::TokenClock;
use crate::{Applet, Button, Face, Held, Identity, otp};

use cipher::Key;
use slots::Slot;

/// The one name of the family.
pub const FAMILY: &str = "token2-molto2";

/// What a reader of it is called on Linux (section 1).
pub const READER: &str = "TOKEN2 Molto2 [CCID Interface] 00 00";

/// The customer key that every token leaves the factory with.
pub const FACTORY_KEY: &[u8; 16] = b"TOKEN2MOLTO1-KEY";

/// The practice token: a Molto2v2 with the factory's customer key, an exact
/// clock and the demo profile in slot 0.
pub fn practice() -> Token2Molto2 {
    Token2Molto2::new(Model::Molto2v2, 1)
}

/// The two models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// The first hardware, slots 0 to 49.
    Molto2,
    /// The second, slots 0 to 99.
    Molto2v2,
}

/// One token.
pub struct Token2Molto2 {
    model: Model,
    number: u32,
    key: Key,
    clock: TokenClock,
    challenges: Challenges,
    /// Before it locks; 0 is locked.
    tries_left: u8,
    tries_told: TriesTold,
    deletion: Deletion,
    screen: Screen,
    /// As many as the model has.
    slots: Vec<Slot>,
    /// The slot on the display.
    selected: u8,
    /// What ▲ would confirm.
    awaiting: Option<Awaiting>,
    session: Session,
}

/// How `63xx` tells the tries that are left: as hardware was seen to, or as the
/// vendor's text has it (section 3.3).
#[derive(Clone, Copy)]
enum TriesTold {
    LowNibble,
    WholeByte,
}

/// Who may delete a seed (section 3.5).
#[derive(Clone, Copy)]
enum Deletion {
    Authenticated,
    Anyone,
}

/// Firmware 2.1 and later can lock the screen.
#[derive(Clone, Copy)]
enum Screen {
    NotLockable,
    Unlocked,
    Locked,
}

#[derive(Clone, Copy)]
enum Awaiting {
    NewKey(Key),
    FactoryReset,
}

#[derive(Clone, Copy)]
enum Session {
    Idle,
    Challenged([u8; 8]),
    Authenticated,
}

impl Model {
    /// The number of its slots.
    pub const fn slots(self) -> u8 {
        match self {
            Self::Molto2 => 50,
            Self::Molto2v2 => 100,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Molto2 => "Token2 Molto2",
            Self::Molto2v2 => "Token2 Molto2v2",
        }
    }
}

impl Token2Molto2 {
    /// A token of a model as it leaves the factory, with a number of at most
    /// seven digits at the end of its serial number. Nobody knows the seed of its
    /// demo profile.
    pub fn new(model: Model, number: u32) -> Self {
        let number = number % 10_000_000;
        let mut token = Self {
            model,
            number,
            key: Key::from_customer(FACTORY_KEY),
            clock: TokenClock::EXACT,
            challenges: Challenges::Seeded(u64::from(number)),
            tries_left: commands::TRIES,
            tries_told: TriesTold::LowNibble,
            deletion: Deletion::Authenticated,
            screen: Screen::NotLockable,
            slots: Vec::new(),
            selected: 0,
            awaiting: None,
            session: Session::Idle,
        };
        token.wipe();
        token.holding(0, "0. Token2", made_up_seed(number, 0), Parameters::default())
    }

    /// Always asks this challenge, for the sheet's vectors.
    #[must_use]
    pub fn challenging(mut self, challenge: [u8; 8]) -> Self {
        self.challenges = Challenges::Fixed(challenge);
        self
    }

    /// Its clock was `ahead_secs` ahead of the world at `at` and gains
    /// `gain_ppm` millionths since.
    #[must_use]
    pub fn with_clock(mut self, at: UnixTime, ahead_secs: i64, gain_ppm: i32) -> Self {
        self.clock = TokenClock::new(at, ahead_secs, gain_ppm);
        self
    }

    /// With another customer key than the factory's, properly 16 bytes.
    #[must_use]
    pub fn with_customer_key(mut self, key: &[u8]) -> Self {
        self.key = Key::from_customer(key);
        self
    }

    /// With this many tries left, at most 8; without any it is locked.
    #[must_use]
    pub fn with_tries_left(mut self, tries: u8) -> Self {
        self.tries_left = tries.min(commands::TRIES);
        self
    }

    /// Tells the tries that are left in the whole second byte of `63xx`.
    #[must_use]
    pub fn telling_tries_in_a_whole_byte(mut self) -> Self {
        self.tries_told = TriesTold::WholeByte;
        self
    }

    /// Deletes seeds without a session.
    #[must_use]
    pub fn deleting_for_anyone(mut self) -> Self {
        self.deletion = Deletion::Anyone;
        self
    }

    /// Firmware 2.1, which can lock its screen.
    #[must_use]
    pub fn with_screen_lock(mut self) -> Self {
        self.screen = Screen::Unlocked;
        self
    }

    /// Without the demo profile and anything else.
    #[must_use]
    pub fn empty(mut self) -> Self {
        self.wipe();
        self
    }

    /// With this seed in a slot, which its display shows then. A slot that the
    /// model does not have changes nothing. Of a title, at most 16 bytes are
    /// kept; SHA-512 is unknown to the token and taken for SHA-256.
    #[must_use]
    pub fn holding(
        mut self,
        slot: u8,
        title: &str,
        seed: SharedSecret,
        mut parameters: Parameters,
    ) -> Self {
        if parameters.algorithm == Algorithm::Sha512 {
            parameters.algorithm = Algorithm::Sha256;
        }
        if let Some(place) = self.slots.get_mut(usize::from(slot)) {
            place.set_title(title.as_bytes());
            place.parameters = parameters;
            place.seed = Some(seed);
            place.touched = true;
            self.selected = slot;
        }
        self
    }

    /// With a title in a slot and no seed, as deleting leaves it.
    #[must_use]
    pub fn with_leftover_title(mut self, slot: u8, title: &str) -> Self {
        if let Some(place) = self.slots.get_mut(usize::from(slot)) {
            *place = Slot { touched: true, ..Slot::default() };
            place.set_title(title.as_bytes());
        }
        self
    }

    /// With a seed that nobody knows in every slot that had none.
    #[must_use]
    pub fn full(mut self) -> Self {
        let number = self.number;
        for (slot, place) in (0..).zip(&mut self.slots) {
            if place.seed.is_none() {
                place.set_title(format!("{slot}. Taken").as_bytes());
                place.seed = Some(made_up_seed(number, slot));
                place.touched = true;
            }
        }
        self
    }

    /// The first occupied slot with this title.
    pub fn slot_of(&self, title: &str) -> Option<u8> {
        let slots = (0..).zip(&self.slots);
        let mut occupied = slots.filter(|(_, place)| place.seed.is_some());
        occupied.find(|(_, place)| place.title() == title).map(|(slot, _)| slot)
    }

    fn wipe(&mut self) {
        self.slots = (0..self.model.slots()).map(|_| Slot::default()).collect();
        self.selected = 0;
    }

    fn serial(&self) -> String {
        format!("865950{:07}", self.number)
    }

    fn confirm(&mut self, awaiting: Awaiting) {
        self.session = Session::Idle;
        match awaiting {
            Awaiting::NewKey(key) => self.key = key,
            Awaiting::FactoryReset => {
                self.wipe();
                self.key = Key::from_customer(FACTORY_KEY);
                self.tries_left = commands::TRIES;
                if matches!(self.screen, Screen::Locked) {
                    self.screen = Screen::Unlocked;
                }
            }
        }
    }

    fn select_next(&mut self) {
        let count = self.model.slots();
        // The last one looked at is the selected slot itself.
        let mut following = (1..=count).map(|steps| (self.selected + steps) % count);
        let next = following.find(|slot| self.slots[usize::from(*slot)].seed.is_some());
        self.selected = next.unwrap_or(self.selected);
    }
}

impl Applet for Token2Molto2 {
    fn identity(&self) -> Identity {
        Identity {
            family: FAMILY,
            title: self.model.title().to_owned(),
            serial: Some(self.serial()),
        }
    }

    fn reader(&self) -> Option<&'static str> {
        Some(READER)
    }

    fn atr(&self) -> Vec<u8> {
        // ISO 7816-3: a contact card for T=1 without historical bytes. The last
        // byte is the check byte.
        vec![0x3b, 0xf0, 0x13, 0x00, 0x00, 0x81, 0x31, 0xfe, 0x15, 0xb8]
    }

    fn transmit(&mut self, command: &[u8], now: UnixTime) -> Vec<u8> {
        let (mut answer, status) = match self.answer(command, now) {
            Ok(answer) => (answer, 0x9000),
            Err(refusal) => (Vec::new(), refusal),
        };
        answer.extend_from_slice(&status.to_be_bytes());
        answer
    }

    fn reset(&mut self) {
        self.session = Session::Idle;
    }

    fn press(&mut self, _now: UnixTime) {
        match self.awaiting.take() {
            Some(awaiting) => self.confirm(awaiting),
            None => self.select_next(),
        }
    }

    fn face(&self, now: UnixTime) -> Face {
        let Identity { family, title, serial } = self.identity();
        let slot = &self.slots[usize::from(self.selected)];
        let (display, seconds_left, mut lines) = match self.screen {
            Screen::Locked => (None, None, Vec::new()),
            Screen::NotLockable | Screen::Unlocked => {
                let code = slot.code(self.clock.reads(now));
                let (code, left) = code.unzip();
                let display = code.unwrap_or_else(|| "------".to_owned());
                (Some(display), left, vec![format!("{}: {}", self.selected, slot.title())])
            }
        };
        lines.extend(self.awaiting.map(|awaiting| match awaiting {
            Awaiting::NewKey(_) => "New customer key? ▲".to_owned(),
            Awaiting::FactoryReset => "Factory reset? ▲".to_owned(),
        }));
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
        self.slots.iter().filter_map(Slot::held).collect()
    }

    fn another(&self) -> Box<dyn Applet> {
        Box::new(Self::new(self.model, self.number + 1))
    }
}

/// A seed that differs from token to token and from slot to slot.
fn made_up_seed(number: u32, slot: u8) -> SharedSecret {
    let place = u64::from(number) << 8 | u64::from(slot);
    SharedSecret::new(otp::mac(Algorithm::Sha1, b"factory seed", &place.to_be_bytes()))
}

#[cfg(test)]
mod tests;
