//! One more application on an emulated key.
//!
//! Clients of a maker's own ask the key's administration who it is before they come
//! to the point. The protocol sheets have nothing of that, and neither have the
//! emulators: what a client wants to hear stands beside its test.

use emulator::{Applet, Face, Held, Identity};
use oath::UnixTime;

/// An application: it is selected by its AID, and then answers these commands.
#[derive(Clone, Copy)]
pub(super) struct Application {
    /// Its AID.
    pub(super) aid: &'static [u8],
    /// Instruction and P1 of the commands it knows, with the data of their answers.
    pub(super) answers: &'static [([u8; 2], &'static [u8])],
}

/// A key with one more application.
pub(super) struct Beside {
    key: Box<dyn Applet>,
    application: Application,
    selected: bool,
}

impl Beside {
    /// Puts an application beside those of a key.
    pub(super) fn new(key: Box<dyn Applet>, application: Application) -> Self {
        Self { key, application, selected: false }
    }

    fn answer(&self, command: &[u8]) -> Vec<u8> {
        let known = |(asked, _): &&([u8; 2], &[u8])| command.get(1..3) == Some(&asked[..]);
        match self.application.answers.iter().find(known) {
            Some((_, data)) => [*data, &[0x90, 0x00]].concat(),
            None => vec![0x6d, 0x00],
        }
    }
}

/// The AID that a command selects, if it is a SELECT by name (ISO 7816-4).
fn selects(command: &[u8]) -> Option<&[u8]> {
    match command {
        [0x00, 0xa4, 0x04, _, length, rest @ ..] => rest.get(..usize::from(*length)),
        _ => None,
    }
}

impl Applet for Beside {
    fn identity(&self) -> Identity {
        self.key.identity()
    }

    fn atr(&self) -> Vec<u8> {
        self.key.atr()
    }

    fn transmit(&mut self, command: &[u8], now: UnixTime) -> Vec<u8> {
        match selects(command) {
            Some(aid) if aid == self.application.aid => {
                // What was selected before is not any more.
                self.key.reset();
                self.selected = true;
                vec![0x90, 0x00]
            }
            Some(_) => {
                self.selected = false;
                self.key.transmit(command, now)
            }
            None if self.selected => self.answer(command),
            None => self.key.transmit(command, now),
        }
    }

    fn reset(&mut self) {
        self.selected = false;
        self.key.reset();
    }

    fn press(&mut self, now: UnixTime) {
        self.key.press(now);
    }

    fn awaits_press(&self, command: &[u8], now: UnixTime) -> bool {
        !self.selected && self.key.awaits_press(command, now)
    }

    fn face(&self, now: UnixTime) -> Face {
        self.key.face(now)
    }

    fn holds(&self) -> Vec<Held> {
        self.key.holds()
    }

    fn another(&self) -> Box<dyn Applet> {
        Box::new(Self::new(self.key.another(), self.application))
    }
}
